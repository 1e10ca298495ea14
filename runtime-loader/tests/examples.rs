//! Every program of `examples/` prints what stands beside it, under every tier and with the collector
//! under stress.

#[path = "support/precompiled.rs"]
mod images;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};

static COMPILING: Mutex<()> = Mutex::new(());

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// Compiles an example with mcs on this runtime, once.
fn compiled(name: &str) -> PathBuf {
    let _one_at_a_time = COMPILING.lock().unwrap_or_else(|e| e.into_inner());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("examples");
    std::fs::create_dir_all(&folder).unwrap();
    let (source, exe) = (
        examples().join(format!("{name}.cs")),
        folder.join(format!("{name}.exe")),
    );
    let changed = |p: &Path| p.metadata().and_then(|m| m.modified()).ok();
    if changed(&exe) < changed(&source) {
        let out = Command::new(env!("CARGO_BIN_EXE_aotrun"))
            .arg("/usr/lib/mono/4.5/mcs.exe")
            .args(["-unsafe", "-langversion:latest", "-nowarn:184,253"])
            .arg(format!("-out:{}", exe.display()))
            .arg(&source)
            .output();
        let out = out.expect("aotrun starts");
        assert!(
            out.status.success(),
            "mcs {name}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    exe
}

fn run(name: &str, options: &[&str]) -> Output {
    let exe = compiled(name);
    Command::new(env!("CARGO_BIN_EXE_aotrun"))
        .args(options)
        .arg(exe)
        .output()
        .expect("aotrun starts")
}

/// Runs an example and compares output and exit code.
fn check(name: &str, options: &[&str], code: i32) {
    let out = run(name, options);
    let expected = std::fs::read_to_string(examples().join(format!("{name}.out"))).unwrap();
    let got = String::from_utf8_lossy(&out.stdout);
    let difference = got.lines().zip(expected.lines()).find(|(g, e)| g != e);
    assert!(
        got == expected,
        "{name} {options:?}: first difference {difference:?}\nstderr: {}",
        String::from_utf8_lossy(&out.stderr)
            .chars()
            .take(2000)
            .collect::<String>()
    );
    assert_eq!(
        out.status.code(),
        Some(code),
        "{name} {options:?}: exit code"
    );
}

/// Under the reference executor, which must have had something to do and left nothing to the compiler.
fn check_interpreted(name: &str, code: i32) {
    let options = ["--no-aot", "--jit", "interpret", "--stats"];
    check(name, &options, code);
    check(name, &[&options[..], &["-O", "all"]].concat(), code);
    let out = run(name, &options);
    let said = String::from_utf8_lossy(&out.stderr);
    let line = said
        .lines()
        .find(|l| l.starts_with("methods interpreted: "));
    let line = line.unwrap_or_else(|| panic!("{name}: {said}"));
    let nothing_left = line.ends_with("; compiled instead: 0 ()");
    assert!(nothing_left && !line.contains(": 0;"), "{name}: {line}");
}

/// From its own image and that of mscorlib; what other libraries do is compiled as it runs.
fn check_precompiled(name: &str, code: i32) {
    static IMAGES: OnceLock<PathBuf> = OnceLock::new();
    let images = IMAGES.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("examples_images");
        let programs: Vec<_> = NAMES.iter().map(|n| compiled(n)).collect();
        images::precompile(&programs, &folder);
        folder
    });
    let corlib = images::corlib_images();
    for path in [
        images.display().to_string(),
        format!("{}:{}", images.display(), corlib.display()),
    ] {
        check(name, &["--aot-path", &path], code);
        let out = run(name, &["--stats", "--aot-path", &path]);
        let said = String::from_utf8_lossy(&out.stderr);
        let bound = said
            .lines()
            .find_map(|l| l.strip_prefix("methods from images: "));
        assert!(bound.is_some_and(|n| n != "0"), "{name}: {said}");
    }
}

macro_rules! examples {
    ($($name:ident $code:literal;)*) => {
        mod quick { $(#[test] fn $name() { super::check(stringify!($name), &[], $code); })* }
        mod optimized { $(#[test] fn $name() { super::check(stringify!($name), &["--jit", "opt"], $code); })* }
        mod collecting { $(#[test] fn $name() { super::check(stringify!($name), &["--gc-stress", "97"], $code); })* }
        mod interpreted { $(#[test] fn $name() { super::check_interpreted(stringify!($name), $code); })* }
        mod precompiled { $(#[test] fn $name() { super::check_precompiled(stringify!($name), $code); })* }
        mod verified { $(#[test] fn $name() { super::check(stringify!($name), &["--verify"], $code); })* }

        const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// No example is forgotten here.
        #[test]
        fn all_examples_are_listed() {
            for entry in std::fs::read_dir(examples()).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|e| e == "cs") {
                    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                    assert!(NAMES.contains(&name.as_str()), "{name} is not tested");
                }
            }
        }
    };
}

examples! {
    hello 0;
    tour 0;
    generics 0;
    collections 0;
    text 0;
    exceptions 3;
    structs 0;
    delegates 0;
    interfaces 0;
    kernels 0;
    graphs 0;
    pinvoke 0;
    checks 0;
    shapes 0;
    array_loops 0;
}
