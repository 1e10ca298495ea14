//! A folder with sources, assemblies and images of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    pub fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        Lab { folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Compiles C#.
    pub fn mcs(&self, name: &str, source: &str, options: &[&str]) -> PathBuf {
        let file = self.path(name).with_extension("cs");
        std::fs::write(&file, source).unwrap();
        let out = format!("-out:{name}");
        self.tool("mcs", &[options, &[&out, file.to_str().unwrap()]].concat());
        self.path(name)
    }

    /// Assembles CIL to a library.
    #[allow(dead_code, reason = "not every test uses it")]
    pub fn ilasm(&self, name: &str, source: &str) -> PathBuf {
        let file = self.path(name).with_extension("il");
        std::fs::write(&file, source).unwrap();
        let out = format!("/output:{name}");
        self.tool("ilasm", &["/dll", &out, file.to_str().unwrap()]);
        self.path(name)
    }

    fn tool(&self, tool: &str, args: &[&str]) {
        let mut command = Command::new(tool);
        let out = command.current_dir(self.folder()).args(args).output();
        let out = out.expect("the tool is installed (scripts/test installs it)");
        assert!(out.status.success(), "{tool} {args:?}: {out:?}");
    }

    /// `aotc`, to be run in the folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aotc"));
        command.current_dir(self.folder());
        command
    }

    pub fn aotc(&self, args: &[&str]) -> Output {
        self.command().args(args).output().unwrap()
    }

    /// Files in the folder by name, sorted.
    #[allow(dead_code, reason = "not every test uses it")]
    pub fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }
}

/// What a run said on standard error.
pub fn errors(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

/// What a run said on standard output.
#[allow(dead_code, reason = "not every test uses it")]
pub fn text(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Ended with this status and one line on standard error that has these words.
#[allow(dead_code, reason = "not every test uses it")]
pub fn expect_error(out: &Output, code: i32, words: &[&str]) {
    let said = errors(out);
    assert_eq!(out.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("aotc: "), "{said}");
    for word in words {
        assert!(said.contains(word), "wanted `{word}` in: {said}");
    }
}
