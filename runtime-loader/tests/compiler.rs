//! The C# compiler on this runtime writes the same bytes as on Mono's, apart from the module's id and the time stamp.

use shared_codegen::metadata::Module;
use std::path::{Path, PathBuf};
use std::process::Command;

const MCS: &str = "/usr/lib/mono/4.5/mcs.exe";
const OPTIONS: [&str; 3] = ["-unsafe", "-langversion:latest", "-warn:0"];

/// Compiles a source to `folder`, by a command that takes the arguments of mcs.
fn compile(mut mcs: Command, source: &Path, folder: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).expect("a folder for programs");
    let exe = folder
        .join(source.file_name().expect("a file"))
        .with_extension("exe");
    let out = format!("-out:{}", exe.display());
    let done = mcs.args(OPTIONS).arg(out).arg(source).output();
    let done = done.expect("the compiler starts");
    assert!(done.status.success(), "{}: {done:?}", source.display());
    std::fs::read(exe).expect("the compiler wrote it")
}

/// The file with zeros for its module id and time stamp.
fn masked(mut bytes: Vec<u8>) -> Vec<u8> {
    let module = Module::parse(bytes.clone().leak(), PathBuf::new()).expect("an assembly");
    let id = module.mvid();
    let at = bytes.windows(16).position(|w| w == id);
    bytes[at.expect("the id is in the file")..][..16].fill(0);
    let pe = u32::from_le_bytes(bytes[0x3c..0x40].try_into().expect("four bytes")) as usize;
    bytes[pe + 8..pe + 12].fill(0);
    bytes
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = files.map(|f| f.expect("an entry").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "cs"));
    files.sort();
    files
}

fn check(folder: &str) {
    for source in sources(folder) {
        let mut ours = Command::new(env!("CARGO_BIN_EXE_aotrun"));
        ours.arg(MCS);
        let ours = masked(compile(ours, &source, "compiler_ours"));
        let mut mono = Command::new("mono");
        mono.arg(MCS);
        let mono = masked(compile(mono, &source, "compiler_mono"));
        let first = ours.iter().zip(&mono).position(|(a, b)| a != b);
        assert!(ours == mono, "{}: differs at {first:?}", source.display());
    }
}

#[test]
fn examples() {
    check("../examples");
}

#[test]
fn programs_on_the_class_library() {
    check("tests/programs/class_library");
}

#[test]
fn programs_on_reflection() {
    check("tests/programs/reflection");
}
