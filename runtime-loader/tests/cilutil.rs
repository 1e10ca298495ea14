//! The developer's tool from the command line.

#[path = "support/precompiled.rs"]
mod precompiled;

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
fn machine_code_of_a_method() {
    let method = "System.Math::Abs(int32)";
    let lowered = text(&["lower", MSCORLIB, method]);
    assert!(
        lowered.contains("mblock0(") && lowered.contains("; IL_0000 "),
        "{lowered}"
    );
    let asm = text(&["asm", MSCORLIB, method]);
    assert!(
        asm.contains("\t# IL_0007\n") && asm.contains("pushq %rbp"),
        "{asm}"
    );
    // The frame is made first: `push rbp; mov rbp, rsp`.
    let bytes = text(&[
        "asm", "--bytes", "-O", "quick", "--quick", "--jit", MSCORLIB, method,
    ]);
    assert!(
        bytes.contains("\n000000  ") && bytes.contains(" 55 48 89 e5"),
        "{bytes}"
    );
    let console = text(&["asm", MSCORLIB, "System.Console::WriteLine(string)"]);
    assert!(console.contains("# .Lc_0 = "), "{console}");
}

#[test]
fn graphs() {
    let method = "System.String::IsNullOrEmpty";
    for (graph, edge) in [
        ("cfg", "block0 -> block1;"),
        ("dom", "block0 -> block1;"),
        ("loops", "block0 -> block1;"),
        ("ssa", "null_check"),
    ] {
        let dot = text(&["graph", MSCORLIB, method, "-O", "none", "--graph", graph]);
        assert!(
            dot.starts_with("digraph \"") && dot.contains(edge),
            "{graph}: {dot}"
        );
    }
    assert_eq!(
        cilutil(&["graph", MSCORLIB, method, "-g", "tree"])
            .status
            .code(),
        Some(1)
    );
    let run = |args: &[&str]| {
        let tool = env!("CARGO_BIN_EXE_aotrun");
        Command::new(tool).args(args).output().expect("it starts")
    };
    let drawn = run(&["--graph", "cfg", method, MSCORLIB]);
    assert!(
        String::from_utf8_lossy(&drawn.stdout).starts_with("digraph"),
        "{drawn:?}"
    );
    assert_eq!(
        run(&["--graph", "tree", method, MSCORLIB]).status.code(),
        Some(2)
    );
    assert_eq!(
        run(&["--graph", "cfg", "No::Such", MSCORLIB]).status.code(),
        Some(2)
    );
}

/// An assembly with a method that is wrong and one that is right, and its image.
#[test]
fn verified_methods_and_reasons() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (source, dll) = (path("t.il"), path("t.dll"));
    let il = ".assembly t {} .class public T extends [mscorlib]System.Object {\n\
        .method static int32 good() cil managed { ldc.i4.1 ret }\n\
        .method static int32 bad() cil managed { add ret } }";
    std::fs::write(&source, il).expect("writable");
    let output = format!("-output:{dll}");
    precompiled::expect(Command::new("ilasm").args(["-dll", &output, &source]));
    assert!(text(&["verify", &dll, "--method", "good"]).contains("compiled                   1\n"));
    let all = cilutil(&["verify", &dll]);
    let said = String::from_utf8_lossy(&all.stdout);
    assert_eq!(all.status.code(), Some(1), "{said}");
    assert!(
        said.contains("invalid-il: T.bad ()") || said.contains("invalid-il: T::bad()"),
        "{said}"
    );
    assert!(said.contains("invalid-il                 1\n"), "{said}");

    assert_eq!(
        cilutil(&["why", "T::good", &dll]).status.code(),
        Some(1),
        "there is no image"
    );
    precompiled::precompile(&[dll.clone().into()], folder.path());
    let good = text(&["why", "T::good", &dll]);
    assert!(
        good.contains("in the image: ") && !good.contains("raises"),
        "{good}"
    );
    let bad = text(&["why", "T::bad", &dll]);
    assert!(bad.contains("raises InvalidProgramException"), "{bad}");
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
