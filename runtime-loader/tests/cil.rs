//! What the runtime makes of CIL that compilers of common languages seldom write: `programs/cil/*.il` and `*.cs`, run by
//! `programs/runner.cs` under every tier and from images.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

fn source(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/programs").join(name)
}

fn said(done: &Output) -> String {
    let (out, err) = (&done.stdout, &done.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Runs a compiler that must be installed (`scripts/test` installs them).
fn compile(compiler: &str, args: &[&str], out: &str, to: &Path, from: &Path) {
    let mut command = Command::new(compiler);
    command.args(args).arg(format!("{out}{}", to.display()));
    let done = command.arg(from).output();
    let done = done.unwrap_or_else(|e| panic!("{compiler}: {e}"));
    assert!(done.status.success(), "{}: {}", from.display(), said(&done));
}

/// A folder of its own for the compiled tests.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cil");
        std::fs::create_dir_all(&folder).expect("a folder for compiled programs");
        let runner = folder.join("runner.exe");
        compile("mcs", &[], "-out:", &runner, &source("runner.cs"));
        folder
    })
}

/// Compiles an assembly ahead of time with the `aotc` of this workspace.
fn precompile(library: &Path, to: &Path) {
    static AOTC: OnceLock<PathBuf> = OnceLock::new();
    let aotc = AOTC.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "-p", "aotc"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let built = build.status().is_ok_and(|s| s.success());
        assert!(built, "aotc does not build");
        Path::new(env!("CARGO_BIN_EXE_aotrun")).with_file_name("aotc")
    });
    std::fs::create_dir_all(to).expect("a folder for images");
    let mut command = Command::new(aotc);
    command.arg("--all").arg("--out-dir").arg(to).arg(library);
    let done = command.output().expect("it starts");
    assert!(done.status.success(), "{}", said(&done));
}

/// Compiles a program and runs its tests under every tier.
fn check(name: &str) {
    let library = folder().join(name).with_extension("dll");
    let source = source("cil").join(name);
    if name.ends_with(".cs") {
        let args = [
            "-unsafe",
            "-langversion:latest",
            "-warn:0",
            "-target:library",
        ];
        compile("mcs", &args, "-out:", &library, &source);
    } else {
        compile("ilasm", &["-dll"], "-output:", &library, &source);
    }
    let images = folder().join("images");
    precompile(&library, &images);
    let images = images.to_string_lossy();
    let tiers: [&[&str]; 6] = [
        &["--no-aot"],
        &["-O", "none"],
        &["--jit", "opt"],
        &["--verify"],
        &["--gc-stress", "97"],
        &["--aot-path", &images],
    ];
    for options in tiers {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
        command.args(options).arg(folder().join("runner.exe"));
        let done = command.arg(&library).output().expect("it starts");
        assert_eq!(done.status.code(), Some(0), "{options:?}: {}", said(&done));
    }
}

macro_rules! programs {
    ($($name:ident $file:literal;)*) => {
        $(#[test]
        fn $name() {
            check($file);
        })*
    };
}

programs! {
    generic_catch "generic_catch.cs";
    leaves "leaves.il";
    tail_calls "tail_calls.il";
    varargs "varargs.cs";
    varargs_il "varargs_il.il";
}
