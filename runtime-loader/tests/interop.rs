//! P/Invokes and callbacks of every shape: `programs/interop.cs` calls `programs/interop.c`, under every tier and from images
//! alone. Needs a C compiler (Rust's linker brings one) and mcs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

fn run(command: &mut Command) {
    let done = command
        .output()
        .unwrap_or_else(|e| panic!("this test needs {command:?}: {e}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {said}");
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(name)
}

const CONFIG: &str = r#"<configuration>
  <dllmap dll="i:Mapped.DLL" target="libinterop.so" os="linux"/>
  <dllmap dll="mapped.dll" target="libnothing.so" os="windows"/>
  <dllmap dll="renamed"><dllentry dll="interop" name="OldName" target="new_name"/></dllmap>
</configuration>"#;

/// A folder with the program and the library.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("interop");
        std::fs::create_dir_all(&folder).unwrap();
        let library = folder.join("libinterop.so");
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-w", "-shared", "-fPIC", "-pthread", "-o"]);
        run(cc.arg(library).arg(source("interop.c")));
        let mut mcs = Command::new("mcs");
        mcs.args(["-unsafe", "-langversion:latest", "-warn:0"]);
        mcs.arg(format!("-out:{}", folder.join("interop.exe").display()));
        run(mcs.arg(source("interop.cs")));
        std::fs::write(folder.join("interop.exe.config"), CONFIG).unwrap();
        std::fs::write(folder.join("libbogus.so"), "this is no library at all").unwrap();
        folder
    })
}

fn check(options: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    expect(command.args(options).arg(folder().join("interop.exe")));
}

fn expect(command: &mut Command) {
    let done = command.output().expect("it starts");
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert_eq!(done.status.code(), Some(0), "{command:?}: {out}{err}");
    assert_eq!(out, "all right\n", "{command:?}: {err}");
}

/// Images of the program, and of all it refers to, then the program without JIT.
#[test]
fn images_alone() {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "-p", "aotc"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    run(&mut build);
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("interop-images");
    std::fs::create_dir_all(&home).unwrap();
    let exe = home.join("interop.exe");
    for file in std::fs::read_dir(folder()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), home.join(file.file_name())).unwrap();
    }
    let aotc = Path::new(env!("CARGO_BIN_EXE_aotrun")).with_file_name("aotc");
    let mut compile = Command::new(aotc);
    compile.args(["--all", "--closure", "--out-dir"]).arg(&home);
    run(compile.arg(&exe));
    let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    command.env("XDG_CACHE_HOME", home.join("cache"));
    command.arg("--no-jit").arg("--aot-path").arg(&home);
    expect(command.arg(&exe));
}

#[test]
fn quick() {
    check(&[]);
}

#[test]
fn unoptimized() {
    check(&["-O", "none"]);
}

#[test]
fn optimized() {
    check(&["--jit", "opt"]);
}

#[test]
fn verified() {
    check(&["--verify"]);
}

#[test]
fn collecting() {
    check(&["--gc-stress", "23"]);
}

#[test]
fn optimized_and_collecting() {
    check(&["--gc-stress", "7", "--jit", "opt"]);
}
