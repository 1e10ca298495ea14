//! The suites of methods `test_<expected>_<name>`: `programs/suites/*` and those that `edges` makes from tables, compiled.

#![allow(dead_code, reason = "each test program uses what it needs")]

#[path = "edges/mod.rs"]
mod edges;
#[path = "precompiled.rs"]
pub mod precompiled;

use precompiled::expect;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const MCS: [&str; 4] = [
    "-unsafe",
    "-langversion:latest",
    "-warn:0",
    "-target:library",
];

/// Where the sources are.
pub fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

/// A folder for this test program.
pub fn lab(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("suites")
        .join(name);
    std::fs::create_dir_all(&folder).expect("a folder for suites");
    folder
}

/// Assembles a library.
pub fn ilasm(source: &Path, to: &Path) {
    let output = format!("-output:{}", to.display());
    expect(Command::new("ilasm").args(["-dll", &output]).arg(source));
}

/// Compiles a library.
pub fn mcs(source: &Path, to: &Path) {
    let output = format!("-out:{}", to.display());
    expect(Command::new("mcs").args(MCS).arg(output).arg(source));
}

/// The sources of a folder with this extension, sorted.
pub fn sources(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(programs().join(folder)).expect("the folder is there");
    let paths = entries.map(|e| e.expect("readable").path());
    let mut paths: Vec<_> = paths
        .filter(|p| p.extension().is_some_and(|e| e == extension))
        .collect();
    paths.sort();
    paths
}

/// All suites, compiled.
pub fn suites() -> &'static [PathBuf] {
    static SUITES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    SUITES.get_or_init(|| {
        let folder = lab("assemblies");
        let mut all = Vec::new();
        let to = |source: &Path| {
            let name = source.file_stem().expect("a name");
            folder.join(name).with_extension("dll")
        };
        for (name, text) in edges::suites() {
            let source = folder.join(name).with_extension("il");
            std::fs::write(&source, text).expect("writable");
            ilasm(&source, &to(&source));
            all.push(to(&source));
        }
        for source in sources("suites", "il") {
            ilasm(&source, &to(&source));
            all.push(to(&source));
        }
        for source in sources("suites", "cs") {
            mcs(&source, &to(&source));
            all.push(to(&source));
        }
        all
    })
}

/// Runs a program.
pub fn aotrun(options: &[&str], program: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    let done = command.args(options).arg(program).output();
    done.expect("aotrun starts")
}

/// Lines about tests that did not pass.
pub fn failures(done: &Output) -> String {
    let out = String::from_utf8_lossy(&done.stdout);
    let failed: Vec<_> = out.lines().filter(|l| !l.contains("\tok\t")).collect();
    format!(
        "{}\n{}",
        failed.join("\n"),
        String::from_utf8_lossy(&done.stderr)
    )
}
