//! Programs that meet something else than they were compiled for: libraries that changed, are gone or are no libraries,
//! broken configuration files. The exceptions are those of .NET, raised where the program uses what is wrong, from images too.

#[path = "support/precompiled.rs"]
mod precompiled;

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs/bad_input")
        .join(name)
}

/// A folder with assemblies compiled for one test.
struct Lab(TempDir);

impl Lab {
    fn new() -> Lab {
        Lab(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn mcs(&self, output: &str, source_name: &str, options: &[&str]) {
        let mut mcs = Command::new("mcs");
        mcs.current_dir(self.0.path());
        mcs.args(["-warn:0", "-unsafe"]).args(options);
        mcs.arg(format!("-out:{output}")).arg(source(source_name));
        precompiled::expect(&mut mcs);
    }

    /// Runs a program and compares what it prints, on standard error too if something is expected there.
    fn check(&self, options: &[&str], name: &str, expected: &str) -> String {
        let mut run = Command::new(env!("CARGO_BIN_EXE_aotrun"));
        run.env("XDG_CACHE_HOME", self.path("cache"));
        run.current_dir(self.0.path()).args(options).arg(name);
        let done = run.output().expect("aotrun starts");
        let expected = std::fs::read_to_string(source(expected)).expect("expected output");
        let printed = String::from_utf8_lossy(&done.stdout);
        let errors = String::from_utf8_lossy(&done.stderr).into_owned();
        for (got, wanted) in printed.lines().zip(expected.lines()) {
            assert_eq!(got, wanted, "{options:?} {errors}");
        }
        assert_eq!(printed, expected, "{errors}");
        errors
    }

    /// Files that are no libraries for this machine.
    fn bad_libraries(&self) {
        let mut elf = std::fs::read(env!("CARGO_BIN_EXE_aotrun")).expect("it is there");
        elf.truncate(4096);
        let write = |name: &str, bytes: &[u8]| std::fs::write(self.path(name), bytes).unwrap();
        write("truncated.so", &elf);
        elf[18..20].copy_from_slice(&183u16.to_le_bytes());
        write("foreign.so", &elf);
        write("emptyfile.so", b"");
        write("textfile.so", b"this is not a library\n");
    }
}

/// Members, types and native libraries that are gone or have changed since the program was compiled.
#[test]
fn changed_library() {
    let lab = Lab::new();
    lab.bad_libraries();
    let library = |options: &[&str]| lab.mcs("library.dll", "library.cs", options);
    library(&["-target:library", "-define:GOOD"]);
    lab.mcs("changed.exe", "changed.cs", &["-r:library.dll"]);
    let image = || {
        let mut aotc = Command::new(precompiled::aotc());
        aotc.current_dir(lab.0.path());
        precompiled::expect(aotc.args(["--all", "changed.exe"]));
    };
    image();
    library(&["-target:library"]);
    // The image was made from the other library.
    let said = lab.check(&["--stats"], "changed.exe", "changed.out");
    assert!(said.contains("methods from images: 0"), "{said}");
    for jit in ["quick", "opt"] {
        lab.check(&["--no-aot", "--jit", jit], "changed.exe", "changed.out");
    }
    image();
    let said = lab.check(&["--stats"], "changed.exe", "changed.out");
    assert!(!said.contains("methods from images: 0"), "{said}");
}

/// Damaged assemblies and resources, names and versions that nothing has.
#[test]
fn files() {
    let lab = Lab::new();
    lab.mcs("good.dll", "good.cs", &["-target:library"]);
    lab.mcs("module.netmodule", "good.cs", &["-target:module"]);
    std::fs::write(lab.path("broken.resources"), "broken resource data\n").unwrap();
    std::fs::write(lab.path("text.txt"), "text\n").unwrap();
    let options = [
        "-r:System.Configuration.dll",
        "-resource:broken.resources",
        "-resource:text.txt",
    ];
    lab.mcs("files.exe", "files.cs", &options);
    lab.check(&[], "files.exe", "files.out");
}

/// What a program prints with a configuration file: `<name>: <file>` lines, and what is expected for each.
#[test]
fn configuration() {
    let lab = Lab::new();
    lab.mcs("good.dll", "good.cs", &["-target:library"]);
    let options = ["-r:good.dll", "-r:System.Configuration.dll"];
    lab.mcs("conf.exe", "configuration.cs", &options);
    let files = std::fs::read_to_string(source("configuration.txt")).unwrap();
    let mut printed = String::new();
    for line in files.lines() {
        let (name, text) = line.split_once(": ").expect("a name and a file");
        std::fs::write(lab.path("conf.exe.config"), format!("{text}\n")).unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_aotrun"));
        let done = run.current_dir(lab.0.path()).arg("conf.exe").output();
        let out = done.expect("aotrun starts").stdout;
        printed += &format!("== {name}\n{}", String::from_utf8_lossy(&out));
    }
    let expected = std::fs::read_to_string(source("configuration.out")).unwrap();
    for (got, wanted) in printed.lines().zip(expected.lines()) {
        assert_eq!(got, wanted, "{printed}");
    }
    assert_eq!(printed, expected);
}

/// What is printed, and the exit status, when nobody catches the exception.
#[test]
fn unhandled() {
    const MISSING: &str = "System.MissingMethodException: Method not found: 'Int32 Same.Gone()'.";
    const BASE: &str = "System.TypeLoadException: Could not load type 'GoneBase' from assembly 'library, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null'.";
    const GONE: &str = "System.IO.FileNotFoundException: Could not load file or assembly 'library, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null' or one of its dependencies.";
    let cases = [
        ("CALL", MISSING, 1),
        ("BASE", BASE, 1),
        ("THREAD", MISSING, 1),
        ("POOL", MISSING, 255),
    ];
    for (case, text, status) in cases {
        let lab = Lab::new();
        let library = |options: &[&str]| lab.mcs("library.dll", "library.cs", options);
        library(&["-target:library", "-define:GOOD"]);
        let define = format!("-define:{case}");
        lab.mcs("main.exe", "unhandled.cs", &["-r:library.dll", &define]);
        library(&["-target:library"]);
        let run = || {
            let mut run = Command::new(env!("CARGO_BIN_EXE_aotrun"));
            let done = run.current_dir(lab.0.path()).arg("main.exe").output();
            let done = done.expect("aotrun starts");
            let errors = String::from_utf8_lossy(&done.stderr).into_owned();
            assert_eq!(done.status.code(), Some(status), "{case} {errors}");
            errors
        };
        for (removed, text) in [(false, text), (true, GONE)] {
            if removed {
                std::fs::remove_file(lab.path("library.dll")).unwrap();
            }
            let errors = run();
            let mut lines = errors.lines();
            assert_eq!(lines.next(), Some(""), "{case} {errors}");
            assert_eq!(lines.next(), Some("Unhandled Exception:"), "{case}");
            assert_eq!(lines.next(), Some(text), "{case} {errors}");
            let fatal = format!("[ERROR] FATAL UNHANDLED EXCEPTION: {text}");
            assert!(errors.lines().any(|l| l == fatal), "{case} {errors}");
        }
    }
}

/// A library is no program.
#[test]
fn no_entry_point() {
    let lab = Lab::new();
    lab.mcs("good.dll", "good.cs", &["-target:library"]);
    let mut run = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    let done = run.arg(lab.path("good.dll")).output().expect("it starts");
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("good.dll' doesn't have an entry point."),
        "{errors}"
    );
}
