//! Images made with the `aotc` of this workspace. Those of the class libraries take long, so all tests share them: they
//! stand in the target folder and are made anew when `aotc` is.

#![allow(dead_code, reason = "each test program uses what it needs")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The class library.
pub const CORLIB: &str = "/usr/lib/mono/4.5/mscorlib.dll";

/// Runs a command that must succeed.
pub fn expect(command: &mut Command) -> Output {
    let done = command.output();
    let done = done.unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let (out, err) = (&done.stdout, &done.stderr);
    assert!(
        done.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    );
    done
}

/// `aotc`, built with this workspace.
pub fn aotc() -> &'static Path {
    static AOTC: OnceLock<PathBuf> = OnceLock::new();
    AOTC.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "-p", "aotc"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        expect(&mut build);
        Path::new(env!("CARGO_BIN_EXE_aotrun")).with_file_name("aotc")
    })
}

/// Compiles assemblies ahead of time into a folder.
pub fn precompile(assemblies: &[PathBuf], to: &Path) {
    let mut command = Command::new(aotc());
    command.args(["--all", "--asm-data", "--out-dir"]).arg(to);
    expect(command.args(assemblies));
}

/// A folder with the image of the class library.
pub fn corlib_images() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("class-library-images");
        std::fs::create_dir_all(&folder).expect("a folder for images");
        // Other test programs may want the same at the same time.
        let lock = File::create(folder.join("lock")).expect("a lock");
        lock.lock().expect("locking works");
        let image = folder.join("mscorlib.dll.so");
        if modified(&image) < modified(aotc()) {
            precompile(&[CORLIB.into()], &folder);
        }
        folder
    })
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    path.metadata().and_then(|m| m.modified()).ok()
}
