//! Options that say what to compile and where results go.

mod support;

use shared_codegen::image::Image;
use shared_codegen::isa::x64::Features;
use support::{Lab, errors, expect_error, text};

const LIBRARY: &str = "public class L { public static int N() { return 5; } }";
const PROGRAM: &str = "class P { static void Main() { System.Console.WriteLine(L.N()); } }";

/// `p.exe` refers to `l.dll`, which stands in `libs`.
fn lab() -> Lab {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("libs")).unwrap();
    lab.mcs("libs/l.dll", LIBRARY, &["-target:library"]);
    lab.mcs("p.exe", PROGRAM, &["-r:libs/l.dll"]);
    lab
}

fn run(lab: &Lab, args: &[&str]) {
    let out = lab.aotc(args);
    assert_eq!(
        (out.status.code(), errors(&out).as_str()),
        (Some(0), ""),
        "{args:?}"
    );
}

fn dependencies(lab: &Lab, image: &str) -> Vec<String> {
    let bytes = std::fs::read(lab.path(image)).unwrap();
    let image = Image::parse(&bytes).unwrap();
    let all = image.dependencies().unwrap();
    all.iter()
        .map(|d| d.name.split(',').next().unwrap().to_owned())
        .collect()
}

#[test]
fn references_are_found_where_told() {
    let lab = lab();
    let out = lab.aotc(&["p.exe"]);
    assert!(
        errors(&out).contains("reference not found: l, "),
        "{}",
        errors(&out)
    );
    for option in [&["-r", "libs/l.dll"], &["--lib-path", "libs"]] {
        run(&lab, &[&option[..], &["p.exe"]].concat());
        assert_eq!(dependencies(&lab, "p.exe.so"), ["p", "l", "mscorlib"]);
    }
    let out = lab.aotc(&["-r", "libs/none.dll", "p.exe"]);
    expect_error(&out, 1, &["libs/none.dll"]);
}

#[test]
fn the_dependency_file_has_a_rule_for_each_image() {
    let lab = lab();
    std::fs::create_dir(lab.path("a b")).unwrap();
    let out_dir = [
        "--out-dir",
        "a b",
        "--depfile",
        "a b/deps.d",
        "--lib-path",
        "libs",
    ];
    run(&lab, &[&out_dir[..], &["p.exe", "libs/l.dll"]].concat());
    let rules = std::fs::read_to_string(lab.path("a b/deps.d")).unwrap();
    let lines: Vec<&str> = rules.lines().collect();
    assert_eq!(lines.len(), 2, "{rules}");
    assert!(lines[0].starts_with("a\\ b/p.exe.so: "), "{rules}");
    assert!(lines[1].starts_with("a\\ b/l.dll.so: "), "{rules}");
    for file in ["p.exe", "libs/l.dll", "mscorlib.dll"] {
        assert!(lines[0].contains(file), "{rules}");
    }
    assert!(!lines[1].contains("p.exe"), "{rules}");
}

#[test]
fn images_record_the_processor() {
    let lab = lab();
    let features = |cpu: &str| {
        run(&lab, &["--mcpu", cpu, "libs/l.dll"]);
        let bytes = std::fs::read(lab.path("libs/l.dll.so")).unwrap();
        Features::from_bits_retain(Image::parse(&bytes).unwrap().header().features)
    };
    assert_eq!(features("v2"), Features::empty());
    assert_eq!(features("x86-64-v2"), Features::empty());
    assert_eq!(features("v3"), Features::all());
    assert_eq!(features("x86-64-v4"), Features::all());
    let native = features("native");
    assert_eq!(
        native.contains(Features::AVX2),
        std::is_x86_feature_detected!("avx2")
    );
    assert_eq!(
        lab.aotc(&["--mcpu", "z80", "libs/l.dll"]).status.code(),
        Some(2)
    );
}

#[test]
fn the_closure_goes_where_told() {
    let lab = lab();
    run(
        &lab,
        &[
            "--all",
            "--closure",
            "--lib-path",
            "libs",
            "--out-dir",
            "new/images",
            "p.exe",
        ],
    );
    assert_eq!(
        lab.files("new/images"),
        ["l.dll.so", "mscorlib.dll.so", "p.exe.so"]
    );
    let out = lab.aotc(&["--closure", "-o", "p.so", "p.exe"]);
    assert_eq!(out.status.code(), Some(2));
    let out = lab.aotc(&["--out-dir", "new", "libs/l.dll", "./libs/l.dll"]);
    expect_error(&out, 1, &["new/l.dll.so", "two assemblies"]);
}

#[test]
fn source_is_left_on_request() {
    let lab = lab();
    run(&lab, &["--asm-only", "--out-dir", "asm", "libs/l.dll"]);
    assert_eq!(lab.files("asm"), ["l.dll.0.s", "l.dll.1.s"]);
    let source = std::fs::read_to_string(lab.path("asm/l.dll.1.s")).unwrap();
    assert!(source.contains("\"L::N()\":"), "{source}");
    run(&lab, &["--save-temps", "--out-dir", "temps", "libs/l.dll"]);
    let all = [
        "l.dll.0.o",
        "l.dll.0.s",
        "l.dll.1.o",
        "l.dll.1.s",
        "l.dll.so",
    ];
    assert_eq!(lab.files("temps"), all);
    run(&lab, &["--out-dir", "plain", "libs/l.dll"]);
    assert_eq!(lab.files("plain"), ["l.dll.so"]);
    let image = |folder: &str| std::fs::read(lab.path(folder).join("l.dll.so")).unwrap();
    assert!(image("temps") == image("plain"));
    let shown = text(&lab.aotc(&["inspect", "plain/l.dll.so"]));
    assert!(shown.contains(shared_codegen::image::COMPILER), "{shown}");
}

#[test]
fn an_assembly_without_code_has_an_image() {
    let lab = Lab::new();
    lab.mcs(
        "e.dll",
        "public interface I { void M(); }",
        &["-target:library"],
    );
    run(&lab, &["--all", "e.dll"]);
    let bytes = std::fs::read(lab.path("e.dll.so")).unwrap();
    assert_eq!(Image::parse(&bytes).unwrap().method_count(), 0);
    assert!(text(&lab.aotc(&["verify", "e.dll.so"])).contains(": ok"));
}

#[test]
fn source_positions_can_be_left_out() {
    let lab = lab();
    let tables = |options: &[&str]| {
        run(&lab, &[options, &["libs/l.dll"]].concat());
        let bytes = std::fs::read(lab.path("libs/l.dll.so")).unwrap();
        let image = Image::parse(&bytes).unwrap();
        let m = image.method(0).unwrap();
        let code = image.code_bytes().unwrap().to_vec();
        (image.lines(&m).unwrap().len(), code)
    };
    let (with, without) = (tables(&[]), tables(&["--nodebug"]));
    assert!(with.0 > 0);
    assert_eq!(without.0, 0);
    assert!(with.1 == without.1);
}

#[test]
fn stats_show_every_stage() {
    let lab = Lab::new();
    lab.mcs("p.exe", "class P { static int Main() { return 3; } }", &[]);
    let out = lab.aotc(&["--all", "--stats", "p.exe"]);
    let said = errors(&out);
    let table: Vec<&str> = said
        .lines()
        .skip_while(|l| !l.contains("most KiB"))
        .collect();
    for stage in ["import", "gvn", "eh-demote", "registers", "emission"] {
        let row = table.iter().find(|l| l.trim().starts_with(stage));
        let cells: Vec<_> = row.into_iter().flat_map(|l| l.split_whitespace()).collect();
        // Name, runs, milliseconds, KiB, milliseconds in the slowest method, which that is.
        assert!(cells.len() == 6 && cells[5].starts_with("P::"), "{said}");
        assert!(
            cells[1].parse::<u32>().is_ok_and(|runs| runs >= 2),
            "{said}"
        );
    }
    assert!(said.contains("peak memory"), "{said}");
    assert!(!errors(&lab.aotc(&["--all", "p.exe"])).contains("stage"));
}
