//! `aotrun --no-jit` runs mcs, and the examples compiled by it, from the images of their closure.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MCS: &str = "/usr/lib/mono/4.5/mcs.exe";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// Runs a command that must succeed.
fn expect(command: &mut Command) -> Output {
    let out = command.output().expect("the program is there");
    assert!(out.status.success(), "{command:?}: {out:?}");
    out
}

/// `aotc`, built with this workspace.
fn aotc() -> Command {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "-p", "aotc"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    expect(&mut build);
    Command::new(Path::new(env!("CARGO_BIN_EXE_aotrun")).with_file_name("aotc"))
}

fn aotrun(images: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    command
        .args(["--no-jit", "--stats", "--aot-path"])
        .arg(images);
    command
}

#[test]
fn mcs_and_the_examples() {
    let lab = tempfile::tempdir().unwrap();
    let images = lab.path().join("images");
    let closure = ["--all", "--asm-data", "--closure", "--out-dir"];
    expect(aotc().args(closure).arg(&images).arg(MCS));
    let mut programs = Vec::new();
    for entry in std::fs::read_dir(examples()).unwrap() {
        let source = entry.unwrap().path();
        if source.extension().is_some_and(|e| e == "cs") {
            let exe = lab
                .path()
                .join(source.with_extension("exe").file_name().unwrap());
            let mut mcs = aotrun(&images);
            mcs.arg(MCS)
                .args(["-unsafe", "-langversion:latest", "-nowarn:184,253"]);
            mcs.arg(format!("-out:{}", exe.display())).arg(&source);
            expect(&mut mcs);
            programs.push((source, exe));
        }
    }
    let mut command = aotc();
    command.args(["--all", "--out-dir"]).arg(&images);
    expect(command.args(programs.iter().map(|(_, exe)| exe)));
    for (source, exe) in programs {
        let out = aotrun(&images).arg(&exe).output().unwrap();
        let errors = String::from_utf8_lossy(&out.stderr);
        let expected = std::fs::read_to_string(source.with_extension("out")).unwrap();
        assert!(
            String::from_utf8_lossy(&out.stdout) == expected,
            "{}: {errors}",
            exe.display()
        );
        assert!(errors.contains("methods JIT-compiled: 0 "), "{errors}");
    }
}

const EMITTING: &str = r#"
using System;
using System.Reflection.Emit;
class P {
    static void Main() {
        var method = new DynamicMethod("Made", typeof(int), new Type[0]);
        var code = method.GetILGenerator();
        code.Emit(OpCodes.Ldc_I4_7);
        code.Emit(OpCodes.Ret);
        Console.WriteLine("before");
        Console.WriteLine(((Func<int>)method.CreateDelegate(typeof(Func<int>)))());
    }
}
"#;

#[test]
fn emitted_code_is_named() {
    let lab = tempfile::tempdir().unwrap();
    let path = |name: &str| lab.path().join(name);
    std::fs::write(path("e.cs"), EMITTING).unwrap();
    let out = format!("-out:{}", path("e.exe").display());
    expect(Command::new("mcs").arg(out).arg(path("e.cs")));
    let closure = ["--all", "--asm-data", "--closure", "--out-dir"];
    expect(aotc().args(closure).arg(path("images")).arg(path("e.exe")));
    let out = aotrun(&path("images")).arg(path("e.exe")).output().unwrap();
    let errors = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{errors}");
    assert_eq!(String::from_utf8_lossy(&out.stdout), "before\n", "{errors}");
    let last = errors.lines().last().unwrap_or_default();
    assert!(
        last.contains("Made") && last.contains("emitted at run time"),
        "{errors}"
    );
}
