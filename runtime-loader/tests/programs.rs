//! Programs that test what single instructions and language features do, under every tier: `programs/*.cs`
//! and `programs/*.il`. Their exit status is the number of failures.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Compiles a program once; `None` if its compiler is not installed.
fn compiled(name: &str, compiler: &str, args: &[&str], out: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(name);
    let exe = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.exe"));
    let mut command = Command::new(compiler);
    command.args(args).arg(format!("{out}{}", exe.display()));
    let done = command.arg(&source).output().ok()?;
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{compiler} {name}: {said}");
    Some(exe)
}

fn semantics() -> Option<&'static PathBuf> {
    static EXE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let args = ["-unsafe", "-langversion:latest", "-warn:0"];
    EXE.get_or_init(|| compiled("semantics.cs", "mcs", &args, "-out:"))
        .as_ref()
}

fn opcodes() -> Option<&'static PathBuf> {
    static EXE: OnceLock<Option<PathBuf>> = OnceLock::new();
    EXE.get_or_init(|| compiled("opcodes.il", "ilasm", &[], "-output:"))
        .as_ref()
}

fn check(exe: Option<&'static PathBuf>, options: &[&str]) {
    let Some(exe) = exe else {
        return;
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    let done = command.args(options).arg(exe).output().expect("it starts");
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert_eq!(done.status.code(), Some(0), "{options:?}: {out}{err}");
}

macro_rules! tiers {
    ($($tier:ident $options:expr;)*) => {
        $(mod $tier {
            #[test]
            fn semantics() {
                super::check(super::semantics(), &$options);
            }

            #[test]
            fn opcodes() {
                super::check(super::opcodes(), &$options);
            }
        })*
    };
}

tiers! {
    quick [];
    unoptimized ["-O", "none"];
    optimized ["--jit", "opt"];
    verified ["--verify"];
    collecting ["--gc-stress", "97"];
}
