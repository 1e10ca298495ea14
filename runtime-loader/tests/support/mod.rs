//! Programs with expected output: `X.cs` is compiled with mcs on this runtime, run under several executors, and must print what
//! `X.out` says.

#![allow(dead_code, reason = "each test program uses what it needs")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

static COMPILING: Mutex<()> = Mutex::new(());

/// A folder of programs, relative to the crate.
pub struct Suite {
    /// Where `X.cs` and `X.out` are.
    pub folder: &'static str,
    /// Further arguments of mcs.
    pub mcs: &'static [&'static str],
}

impl Suite {
    fn source(&self, name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(self.folder)
            .join(name)
            .with_extension("cs")
    }

    /// Compiles a program unless that was done since its source changed.
    pub fn compiled(&self, name: &str) -> PathBuf {
        let _one_at_a_time = COMPILING.lock().unwrap_or_else(|e| e.into_inner());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(self.folder.replace('/', "_"));
        std::fs::create_dir_all(&folder).expect("a folder for programs");
        let (source, exe) = (self.source(name), folder.join(name).with_extension("exe"));
        let changed = |p: &Path| p.metadata().and_then(|m| m.modified()).ok();
        if changed(&exe) < changed(&source) {
            let out = Command::new(env!("CARGO_BIN_EXE_aotrun"))
                .arg("/usr/lib/mono/4.5/mcs.exe")
                .args(["-unsafe", "-langversion:latest", "-warn:0"])
                .args(self.mcs)
                .arg(format!("-out:{}", exe.display()))
                .arg(&source)
                .output()
                .expect("aotrun starts");
            let said = String::from_utf8_lossy(&out.stderr);
            assert!(out.status.success(), "mcs {name}: {said}");
        }
        exe
    }

    /// Runs a program in the folder where it was compiled.
    pub fn run(&self, name: &str, options: &[&str]) -> Output {
        self.run_with(name, options, &[])
    }

    /// Runs a program with arguments of its own.
    pub fn run_with(&self, name: &str, options: &[&str], args: &[&str]) -> Output {
        let exe = self.compiled(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
        command.args(options).arg(&exe).args(args);
        command.current_dir(exe.parent().expect("it is in a folder"));
        command.output().expect("aotrun starts")
    }

    /// Runs a program and compares output and exit status.
    pub fn check(&self, name: &str, options: &[&str], code: i32) {
        let out = self.run(name, options);
        let expected = std::fs::read_to_string(self.source(name).with_extension("out"))
            .expect("the expected output stands beside the program");
        let got = String::from_utf8_lossy(&out.stdout);
        let difference = got.lines().zip(expected.lines()).find(|(g, e)| g != e);
        let said = String::from_utf8_lossy(&out.stderr);
        let said: String = said.chars().take(2000).collect();
        assert!(
            got == expected,
            "{name} {options:?}: first difference {difference:?} (got, expected)\nstderr: {said}"
        );
        assert_eq!(out.status.code(), Some(code), "{name} {options:?}: {said}");
    }

    /// No program of the folder is forgotten in the list.
    pub fn check_list(&self, listed: &[&str]) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.folder);
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be read").path();
            if path.extension().is_some_and(|e| e == "cs") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                assert!(listed.contains(&&*name), "{name} is not tested");
            }
        }
    }
}

/// Tests of programs `name exit-code;` of a suite under the tiers of the JIT and with the collector under stress.
#[macro_export]
macro_rules! program_tests {
    ($suite:ident, gc $gc:literal: $($name:ident $code:literal;)*) => {
        mod quick { $(#[test] fn $name() { super::$suite.check(stringify!($name), &[], $code); })* }
        mod optimized { $(#[test] fn $name() { super::$suite.check(stringify!($name), &["--jit", "opt"], $code); })* }
        mod collecting { $(#[test] fn $name() { super::$suite.check(stringify!($name), &["--gc-stress", $gc], $code); })* }

        #[test]
        fn all_programs_are_listed() {
            $suite.check_list(&[$(stringify!($name)),*]);
        }
    };
}
