//! Debian's own .NET tools and libraries, used as people do, do on this runtime what they do on Mono: same output, same exit
//! status, same files.

use shared_codegen::metadata::Module;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const FRAMEWORK: &str = "/usr/lib/mono/4.5";
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/tools");

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: Option<i32>,
    output: String,
    errors: String,
    /// Names and bytes; of assemblies without module id and time stamp.
    files: BTreeMap<String, Vec<u8>>,
}

/// A folder with the inputs of the tools, some of them compiled; made once.
fn inputs() -> &'static Path {
    static INPUTS: OnceLock<PathBuf> = OnceLock::new();
    INPUTS.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tools_inputs");
        let _stale = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder for inputs");
        for file in ["tree.xml", "tree.dtd", "words.txt", "page.il"] {
            std::fs::copy(Path::new(PROGRAMS).join(file), folder.join(file)).expect("a copy");
        }
        let compile = |source: &str, out: &str, options: &[&str]| {
            let mcs = aotrun(&folder, &format!("{FRAMEWORK}/mcs.exe"))
                .args([
                    "-warn:0",
                    &format!("-out:{out}"),
                    &format!("{PROGRAMS}/{source}"),
                ])
                .args(options)
                .output()
                .expect("aotrun starts");
            assert!(mcs.status.success(), "{source}: {mcs:?}");
        };
        compile("shapes.cs", "shapes.dll", &["-target:library"]);
        let json = "-r:/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll";
        compile("json.cs", "json.exe", &[json, "-r:Microsoft.CSharp.dll"]);
        let cecil = "/usr/lib/mono/gac/Mono.Cecil/0.11.0.0__0738eb9f132ed756/Mono.Cecil.dll";
        compile("cecil.cs", "cecil.exe", &[&format!("-r:{cecil}")]);
        let nunit = |part: &str| format!("-r:/usr/lib/cli/nunit.{part}-2.6.3/nunit.{part}.dll");
        compile(
            "fixture.cs",
            "fixture.dll",
            &["-target:library", &nunit("framework")],
        );
        let parts = [nunit("core"), nunit("core.interfaces"), nunit("util")];
        compile("unit.cs", "unit.exe", &parts.each_ref().map(|p| &**p));
        folder
    })
}

fn aotrun(folder: &Path, program: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    command.arg(program).current_dir(folder);
    command
}

fn mono(folder: &Path, program: &str) -> Command {
    let mut command = Command::new("mono");
    command.arg(program).current_dir(folder);
    command
}

/// Runs one command line after the other in a copy of the inputs.
fn run(runtime: fn(&Path, &str) -> Command, lines: &[&[&str]]) -> Vec<Outcome> {
    let folder = tempfile::tempdir().expect("a folder to run in");
    for entry in std::fs::read_dir(inputs()).expect("inputs") {
        let path = entry.expect("an input").path();
        let name = path.file_name().expect("a name");
        std::fs::copy(&path, folder.path().join(name)).expect("a copy");
    }
    let one = |line: &&[&str]| {
        let (program, args) = line.split_first().expect("a program");
        let path = match Path::new(FRAMEWORK).join(program) {
            tool if tool.exists() => tool.display().to_string(),
            _ => (*program).to_owned(),
        };
        let out = runtime(folder.path(), &path).args(args).output();
        let out = out.expect("the runtime starts");
        // Where the folder is does not matter.
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(&folder.path().display().to_string(), "FOLDER")
        };
        Outcome {
            code: out.status.code(),
            output: text(&out.stdout),
            errors: text(&out.stderr),
            files: files(folder.path()),
        }
    };
    lines.iter().map(one).collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|e| e.expect("an entry").path());
    let named = paths.filter(|p| p.is_file()).map(|p| {
        let bytes = std::fs::read(&p).expect("a file that can be read");
        let name = p
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        (name, masked(bytes))
    });
    named.collect()
}

/// An assembly with zeros for its module id and time stamp; other files as they are.
fn masked(mut bytes: Vec<u8>) -> Vec<u8> {
    let Ok(module) = Module::parse(bytes.clone().leak(), PathBuf::new()) else {
        return bytes;
    };
    let id = module.mvid();
    if let Some(at) = bytes.windows(16).position(|w| w == id) {
        bytes[at..][..16].fill(0);
    }
    let pe = u32::from_le_bytes(bytes[0x3c..0x40].try_into().expect("four bytes")) as usize;
    bytes[pe + 8..pe + 12].fill(0);
    bytes
}

/// Both runtimes do the same, and the last command ends with `code`.
fn check(code: i32, lines: &[&[&str]]) {
    let ours = run(aotrun, lines);
    let monos = run(mono, lines);
    for ((ours, mono), line) in ours.iter().zip(&monos).zip(lines) {
        assert_eq!(
            ours.output, mono.output,
            "output of {line:?}: {}",
            ours.errors
        );
        assert_eq!(ours.errors, mono.errors, "errors of {line:?}");
        assert_eq!(ours.code, mono.code, "exit status of {line:?}");
        let names = |o: &Outcome| o.files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(ours), names(mono), "files of {line:?}");
        for (name, bytes) in &ours.files {
            assert!(*bytes == mono.files[name], "{line:?}: {name} differs");
        }
    }
    assert_eq!(ours.last().expect("a command").code, Some(code));
}

macro_rules! tools {
    ($($name:ident $code:literal: $([$($word:literal),*])*;)*) => {
        $(#[test] fn $name() { check($code, &[$(&[$($word),*]),*]); })*
    };
}

tools! {
    json 0: ["json.exe"];
    cecil 0: ["cecil.exe", "shapes.dll"];
    nunit 0: ["unit.exe", "fixture.dll"];
    ilasm 0: ["ilasm.exe", "page.il"] ["page.exe"] ["ilasm.exe", "-dll", "-output:q.dll", "page.il"];
    ilasm_refuses 1: ["ilasm.exe", "words.txt"];
    ikdasm 0: ["ikdasm.exe", "shapes.dll"];
    monop 0: ["monop.exe", "-r:shapes.dll"] ["monop.exe", "-r:shapes.dll", "Shape"] ["monop.exe", "System.Collections.Generic.List`1"];
    resgen 0: ["resgen.exe", "words.txt", "words.resources"] ["resgen.exe", "words.resources", "words.resx"] ["resgen.exe", "words.resx", "again.txt"];
    strong_names 0: ["sn.exe", "-v", "/usr/lib/mono/4.5/mscorlib.dll"] ["sn.exe", "-T", "/usr/lib/mono/4.5/System.dll"];
    gacutil 0: ["gacutil.exe", "-l"] ["gacutil.exe", "-l", "Mono.Cecil"];
    api_info 0: ["mono-api-info.exe", "shapes.dll"];
    xsd 0: ["xsd.exe", "tree.xml"] ["xsd.exe", "tree.xsd", "-classes"] ["xsd.exe", "shapes.dll"];
    dtd 0: ["dtd2xsd.exe", "tree.dtd"];
    xml_serializers 0: ["sgen.exe", "/assembly:shapes.dll", "/type:Point"];
    strip 0: ["mono-cil-strip.exe", "shapes.dll", "stripped.dll"];
    native_libraries 0: ["mono-shlib-cop.exe", "json.exe"];
    options_after_the_program 0: ["mono-xmltool.exe", "--help"] ["genxs.exe", "--help"];
    certificates 0: ["certmgr.exe", "-list", "-c", "Trust"];
    permissions 0: ["permview.exe", "shapes.dll"];
}
