//! `aotrun --bench`: the table and the drawing for an assembly with benchmarks of every kind. Times are not looked at.

use shared_codegen::passes::table::PassId;
use std::path::PathBuf;
use std::process::{Command, Output};

const PROGRAM: &str = "using System; static class B {\n\
    static int calls;\n\
    static int bench_number() { return -7; }\n\
    static long bench_sum() { long s = 1L << 40; for (int i = 0; i < 1000; i++) s += i; return s; }\n\
    static int bench_changing() { return calls++; }\n\
    static int bench_raising() { throw new FormatException(\"why\"); }\n\
    static void bench_form() { }\n\
    static int other() { return 1; } }\n\
    static class C { static int bench_number() { return 8; } }";

fn program(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench");
    std::fs::create_dir_all(&folder).expect("a folder");
    let source = folder.join(name).with_extension("cs");
    std::fs::write(&source, PROGRAM).expect("writable");
    let dll = source.with_extension("dll");
    let mut mcs = Command::new("mcs");
    mcs.args(["-target:library", "-warn:0"]).arg(&source);
    let made = mcs.arg(format!("-out:{}", dll.display())).status();
    assert!(made.expect("mcs is installed").success());
    dll
}

fn aotrun(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aotrun"));
    command.args(args).output().expect("aotrun starts")
}

fn path(path: &std::path::Path) -> &str {
    path.to_str().expect("a plain path")
}

/// The lines of one process: name, time, checksum.
#[test]
fn once() {
    let dll = program("once");
    let done = aotrun(&["--bench=once", "--no-aot", path(&dll)]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let out = String::from_utf8_lossy(&done.stdout);
    let lines: Vec<Vec<&str>> = out.lines().map(|l| l.split('\t').collect()).collect();
    let names: Vec<_> = lines.iter().map(|l| l[0]).collect();
    assert_eq!(
        names,
        ["number", "sum", "changing", "raising", "form", "number'"]
    );
    for (line, checksum) in lines.iter().zip(["-7", "1099512127276"]) {
        assert!(line[1].parse::<u64>().is_ok(), "{line:?}");
        assert_eq!(line[2], checksum);
    }
    for (line, why) in lines[2..].iter().zip([
        "gives another checksum each time",
        "System.FormatException: why",
        "must be static",
    ]) {
        assert!(line[1] == "failed" && line[2].starts_with(why), "{line:?}");
    }
    let some = aotrun(&["--bench=once", "--no-aot", path(&dll), "um"]);
    assert_eq!(some.status.code(), Some(0), "{some:?}");
    assert_eq!(String::from_utf8_lossy(&some.stdout).lines().count(), 3);
    let none = aotrun(&["--bench=once", "--no-aot", path(&dll), "nothing"]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
}

/// The table under several sets, and the drawing.
#[test]
fn table_and_drawing() {
    let dll = program("table");
    let svg = dll.with_extension("svg");
    let done = aotrun(&["--bench", "--bench-svg", path(&svg), path(&dll)]);
    let out = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let cells: Vec<Vec<&str>> = out
        .lines()
        .filter(|l| l.starts_with('|'))
        .map(|l| l.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(
        cells[0],
        ["benchmark", "all (us)", "none", "quick", "default"]
    );
    for (row, name) in cells[2..6]
        .iter()
        .zip(["number", "sum", "number'", "geometric mean"])
    {
        assert_eq!((row[0], row.len()), (name, 5));
        for ratio in &row[2..] {
            assert!(ratio.parse::<f64>().is_ok_and(|r| r > 0.0), "{row:?}");
        }
    }
    for set in ["none", "quick", "default", "all"] {
        let line = format!("FAILED raising ({set}): System.FormatException: why");
        assert!(out.contains(&line), "{line} in {out}");
    }
    let text = std::fs::read_to_string(&svg).expect("the drawing is there");
    let parsed = roxmltree::Document::parse(&text).expect("well-formed");
    let cells = parsed.descendants().filter(|n| n.has_tag_name("title"));
    // Three benchmarks under four sets.
    assert_eq!(cells.count(), 12);
    let refused = aotrun(&["--bench-svg", "x.svg", path(&dll)]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

/// A column for each pass that can be switched off, and a line in the summary.
#[test]
fn passes() {
    let dll = program("passes");
    let done = aotrun(&["--bench=passes", "--bench-rounds", "1", path(&dll), "su"]);
    let out = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let head = out.lines().next().expect("a table");
    let optional = PassId::ALL.iter().map(|p| p.info());
    let mut passes = 0;
    for pass in optional.filter(|p| !p.required) {
        passes += 1;
        let column = format!(" -{} |", pass.name);
        assert!(head.contains(&column), "{column} in {head}");
        let line = format!("| -{} ", pass.name);
        let lines = out.lines().filter(|l| l.starts_with(&line));
        assert_eq!(lines.count(), 1, "{line} in {out}");
    }
    // The benchmark, its time under all, and the empty texts in front of the first line and behind the last one.
    assert_eq!(head.split('|').count(), passes + 4);
    let bare = out.contains('\u{1b}') || out.contains('█');
    assert!(!bare, "only a terminal gets colours and bars: {out}");
}
