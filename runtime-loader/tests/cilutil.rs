//! The developer's tool from the command line.

use std::process::{Command, Output};

const MSCORLIB: &str = "/usr/lib/mono/4.5/mscorlib.dll";

fn cilutil(args: &[&str]) -> Output {
    let tool = env!("CARGO_BIN_EXE_cilutil");
    Command::new(tool).args(args).output().expect("it starts")
}

fn text(args: &[&str]) -> String {
    let done = cilutil(args);
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).expect("output is text")
}

#[test]
fn metadata() {
    assert!(text(&["metadata", MSCORLIB]).contains("TypeDef"));
    let assembly = text(&["metadata", MSCORLIB, "assembly"]);
    assert!(assembly.contains("name=\"mscorlib\""), "{assembly}");
}

#[test]
fn il_of_selected_methods() {
    let expected = "callvirt   instance void System.IO.TextWriter::WriteLine(string)";
    for method in [
        "System.Console::WriteLine(string)",
        "Console:WriteLine(string)",
    ] {
        let il = text(&["il", MSCORLIB, method]);
        assert!(il.contains(expected) && il.matches(".method").count() == 1);
    }
    let all = text(&["il", MSCORLIB, "Console::WriteLine"]);
    assert!(all.matches(".method").count() > 10);
}

#[test]
fn exit_status() {
    let status = |args: &[&str]| cilutil(args).status.code();
    assert_eq!(status(&["il", MSCORLIB, "No::Such"]), Some(1));
    assert_eq!(status(&["metadata", MSCORLIB, "NoTable"]), Some(1));
    assert_eq!(status(&["metadata", "/dev/null"]), Some(1));
    assert_eq!(status(&["metadata"]), Some(2));
}

/// `docs/icalls.md` is what the tool prints; `BLESS=1` writes it.
#[test]
fn table_of_internal_calls() {
    let table = text(&["icalls"]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/icalls.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, &table).expect("docs can be written");
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    assert!(table == kept, "docs/icalls.md is old: run with BLESS=1");
}
