//! Programs that look at themselves and make code at run time, with expected output: `programs/reflection`.

#[macro_use]
mod support;

const SUITE: support::Suite = support::Suite {
    folder: "tests/programs/reflection",
    mcs: &["-unsafe", "-r:Microsoft.CSharp.dll", "-r:System.Xml.dll"],
};

program_tests! { SUITE, gc "31":
    dynamic_method 0;
    emit_types 0;
    emit_il 0;
    emit_parallel 0;
    xml_serializer 0;
    invoke 0;
    lookups 0;
    types 0;
    attributes 0;
    assemblies 0;
}

/// A library whose dependency is gone: what needs it fails, the rest works.
#[test]
fn missing_assembly() {
    use std::path::Path;
    use std::process::Command;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("missing_assembly");
    std::fs::create_dir_all(&folder).expect("a folder for programs");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/missing_assembly");
    for (name, args) in [
        ("dependency", ["-target:library", "-warn:0"]),
        ("library", ["-target:library", "-r:dependency.dll"]),
        ("main", ["-target:exe", "-warn:0"]),
    ] {
        let mut mcs = Command::new("mcs");
        mcs.args(args).arg(sources.join(name).with_extension("cs"));
        mcs.current_dir(&folder);
        let kind = if name == "main" { "exe" } else { "dll" };
        mcs.arg(format!("-out:{name}.{kind}"));
        let done = mcs
            .output()
            .expect("mcs is installed (scripts/test installs it)");
        assert!(done.status.success(), "{name}: {done:?}");
    }
    std::fs::remove_file(folder.join("dependency.dll")).expect("it was made");
    let mut run = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    let done = run.arg("main.exe").current_dir(&folder).output();
    let done = done.expect("aotrun starts");
    let expected = std::fs::read_to_string(sources.join("main.out")).expect("expected output");
    assert_eq!(String::from_utf8_lossy(&done.stdout), expected);
}
