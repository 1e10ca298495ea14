//! What is wrong with files, folders and tools gives a one-line error and a documented exit status: no panic, no signal, no
//! half-written file.

mod support;

use std::process::Command;
use support::{Lab, errors, expect_error, text};

const PROGRAM: &str = r#"
using System;
using System.Collections.Generic;
class Node<T> { public T Value; public Node<T> Next; public virtual T Get() { return Value; } }
static class P {
    static string Text(int n) { try { return "n" + 10 / n; } catch (DivideByZeroException e) { return e.Message; } }
    static void Main() {
        var all = new List<Node<int>>();
        all.Add(new Node<int> { Value = 3 });
        foreach (var n in all) Console.WriteLine(Text(n.Get()));
    }
}
"#;

fn program() -> Lab {
    let lab = Lab::new();
    lab.mcs("p.exe", PROGRAM, &[]);
    lab
}

#[test]
fn files_that_are_no_assemblies() {
    let lab = program();
    let pe = std::fs::read(lab.path("p.exe")).unwrap();
    let at = u32::from_le_bytes(pe[0x3c..0x40].try_into().unwrap()) as usize;
    // The data directory with the CLI header is the fifteenth.
    let mut native = pe.clone();
    native[at + 24 + 96 + 14 * 8..][..8].fill(0);
    let cases: [(&str, &[u8], &str); 4] = [
        ("empty.dll", b"", "empty.dll"),
        ("text.dll", b"#!/bin/sh\necho hello\n", "text.dll"),
        ("native.dll", &native, "native.dll"),
        ("mz.dll", &pe[..0x40], "mz.dll"),
    ];
    for (name, bytes, words) in cases {
        std::fs::write(lab.path(name), bytes).unwrap();
        expect_error(&lab.aotc(&["--all", name]), 1, &[words]);
        assert!(!lab.path(&format!("{name}.so")).exists());
    }
    expect_error(
        &lab.aotc(&["missing.dll"]),
        1,
        &["missing.dll", "No such file"],
    );
    expect_error(&lab.aotc(&["."]), 1, &["."]);
}

/// Whatever is done to an assembly: an image or an error, and nothing else.
fn survives(lab: &Lab, bytes: &[u8], what: &str) {
    std::fs::write(lab.path("bad.exe"), bytes).unwrap();
    let out = lab.aotc(&["--all", "-q", "--asm-data", "bad.exe"]);
    let said = errors(&out);
    match out.status.code() {
        Some(0) => assert_eq!(said, "", "{what}"),
        Some(1) => {
            assert_eq!(said.lines().count(), 1, "{what}: {said}");
            assert!(said.contains("bad.exe"), "{what}: {said}");
            assert!(!said.contains("internal error"), "{what}: {said}");
            assert!(!lab.path("bad.exe.so").exists(), "{what}");
        }
        _ => panic!("{what}: {out:?}"),
    }
    let _ = std::fs::remove_file(lab.path("bad.exe.so"));
    let left: Vec<_> = lab.files(".");
    assert!(left.iter().all(|f| !f.starts_with(".aotc")), "{left:?}");
}

#[test]
fn truncated_assemblies() {
    let lab = program();
    let good = std::fs::read(lab.path("p.exe")).unwrap();
    for n in 0..40 {
        let len = good.len() * n / 40;
        survives(&lab, &good[..len], &format!("cut at {len}"));
    }
}

#[test]
fn wild_numbers_in_the_tables() {
    let lab = program();
    let good = std::fs::read(lab.path("p.exe")).unwrap();
    let at = good.windows(2).position(|w| w == b"#~").unwrap();
    let root = good.windows(4).position(|w| w == b"BSJB").unwrap();
    let tables = root + u32::from_le_bytes(good[at - 8..at - 4].try_into().unwrap()) as usize;
    // Heap sizes, the set of tables, their row counts, the first rows.
    for n in (6..160).step_by(5) {
        for wild in [0xff, 0x7f] {
            let mut bad = good.clone();
            bad[tables + n] = wild;
            bad[tables + n + 1] = wild;
            survives(&lab, &bad, &format!("byte {n} of the tables is {wild:#x}"));
        }
    }
}

const CYCLE: &str = r"
.assembly extern mscorlib { .ver 4:0:0:0 }
.assembly extern other {}
.assembly cycle {}
.class public A extends [other]B {
  .method public virtual instance void F() cil managed { ret }
  .method public static void G() cil managed { newobj instance void A::.ctor()
    callvirt instance void A::F()
    ret }
  .method public specialname rtspecialname instance void .ctor() cil managed { ldarg.0
    call instance void [other]B::.ctor()
    ret }
}
.class interface public abstract J implements [other]I {}
.class public sequential sealed S extends [mscorlib]System.ValueType {
  .field public valuetype T t
  .method public static void M() cil managed { .locals init (valuetype S s)
    ldloca 0
    initobj S
    ret }
}
.class public sequential sealed T extends [mscorlib]System.ValueType { .field public valuetype S s }
.class public sequential sealed U`1<T> extends [mscorlib]System.ValueType {
  .field public valuetype U`1<valuetype U`1<!T>> t
  .method public static void M() cil managed { .locals init (valuetype U`1<int32> s)
    ldloca 0
    initobj valuetype U`1<int32>
    ret }
}
.class public Q extends [mscorlib]System.Object {
  .method public static void F<T>() cil managed {
    call void Q::F<valuetype [mscorlib]System.Nullable`1<!!0>>()
    ret }
  .method public static void M() cil managed { call void Q::F<int32>()
    ret }
  .method public static int32 Good() cil managed { ldc.i4.1
    ret }
}
";

const OTHER: &str = r"
.assembly extern mscorlib { .ver 4:0:0:0 }
.assembly extern cycle {}
.assembly other {}
.class public B extends [cycle]A {
  .method public specialname rtspecialname instance void .ctor() cil managed { ldarg.0
    call instance void [cycle]A::.ctor()
    ret }
}
.class interface public abstract I implements [cycle]J {}
";

#[test]
fn cyclic_types_are_left_out() {
    let lab = Lab::new();
    lab.ilasm("cycle.dll", CYCLE);
    lab.ilasm("other.dll", OTHER);
    let out = lab.aotc(&["--all", "--explain", "cycle.dll"]);
    assert_eq!(out.status.code(), Some(0), "{}", errors(&out));
    let said = text(&out);
    assert!(
        said.contains("'S'") && said.contains("contains itself"),
        "{said}"
    );
    assert!(said.contains("nested too deeply"), "{said}");
    let methods = text(&lab.aotc(&["inspect", "--methods", "cycle.dll.so"]));
    assert!(methods.contains("Q::Good()"), "{methods}");
    assert!(!methods.contains("S::M()"), "{methods}");
}

#[test]
fn missing_references_leave_methods_out() {
    let lab = Lab::new();
    let library = "public class L { public int X; public static int N() { return 5; } }";
    lab.mcs("l.dll", library, &["-target:library"]);
    let program = "class P { static int N() { return L.N(); } static void Main() {} }";
    lab.mcs("p.exe", program, &["-r:l.dll"]);
    std::fs::remove_file(lab.path("l.dll")).unwrap();
    let out = lab.aotc(&["--all", "--explain=json", "p.exe"]);
    assert_eq!(out.status.code(), Some(0), "{}", errors(&out));
    assert!(errors(&out).contains("p.exe: reference not found: l, "));
    let said = text(&out);
    for words in [
        "\"method\":\"P::N()\"",
        "\"reason\":\"missing-reference\"",
        "\"assembly\":\"p\"",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn one_bad_assembly_does_not_spoil_the_others() {
    let lab = program();
    std::fs::write(lab.path("bad.dll"), b"no assembly").unwrap();
    for more in [&[][..], &["--out-dir", "images"]] {
        let args = [more, &["bad.dll", "p.exe"][..]].concat();
        expect_error(&lab.aotc(&args), 1, &["bad.dll"]);
    }
    assert!(lab.path("p.exe.so").exists());
    assert_eq!(lab.files("images"), ["p.exe.so"]);
}

#[test]
fn folders_that_cannot_be_written() {
    let lab = program();
    std::fs::write(lab.path("file"), b"").unwrap();
    let out = lab.aotc(&["--out-dir", "file/images", "p.exe"]);
    expect_error(&out, 1, &["cannot make file/images"]);
    let out = lab.aotc(&["-o", "nowhere/p.so", "p.exe"]);
    expect_error(&out, 1, &["cannot write nowhere/p.so", "No such file"]);
    let out = lab.aotc(&["-o", "/proc/p.so", "p.exe"]);
    expect_error(&out, 1, &["cannot write /proc/p.so"]);
    // Devices and folders are not replaced.
    let out = lab.aotc(&["-o", "/dev/full", "p.exe"]);
    expect_error(&out, 1, &["cannot write /dev/full", "not a regular file"]);
    std::fs::create_dir(lab.path("p.exe.so")).unwrap();
    expect_error(&lab.aotc(&["p.exe"]), 1, &["cannot write p.exe.so"]);
}

#[test]
fn tools_that_are_missing_or_fail() {
    use std::os::unix::fs::PermissionsExt;
    let lab = program();
    let run = |path: &str| {
        let mut command = lab.command();
        command.env("PATH", lab.path(path)).arg("p.exe");
        command.output().unwrap()
    };
    std::fs::create_dir(lab.path("none")).unwrap();
    expect_error(
        &run("none"),
        1,
        &["p.exe.so", "`as` is not installed", "binutils"],
    );
    std::fs::create_dir(lab.path("failing")).unwrap();
    let script = "#!/bin/sh\necho 'x.s: Assembler messages:' >&2\necho 'x.s:1: Error: bad luck' >&2\nexit 1\n";
    let tool = lab.path("failing/as");
    std::fs::write(&tool, script).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    expect_error(&run("failing"), 1, &["p.exe.so", "`as` failed", "bad luck"]);
    assert!(!lab.path("p.exe.so").exists());
}

#[test]
fn a_full_disk() {
    let lab = program();
    std::fs::create_dir(lab.path("out")).unwrap();
    // A limit on the size of files stands in for a full disk: writing fails in the middle, whoever writes.
    let script = r#"
        trap '' XFSZ
        ulimit -f 16
        "$AOTC" --out-dir out p.exe; echo "status $?"
        "$AOTC" --asm-data --out-dir out p.exe; echo "status $?"
        (ulimit -f 1; "$AOTC" --asm-only --out-dir out p.exe; echo "status $?")
        echo "left $(ls -A out | wc -l)"
        "$AOTC" -o p.so p.exe; echo "status $?"
        echo "left $(ls p.so* 2>/dev/null | wc -l)"
        echo old > out/p.exe.so || exit
        "$AOTC" --out-dir out p.exe; echo "status $?"
        echo "left $(cat out/p.exe.so)"
    "#;
    let out = Command::new("sh")
        .args(["-c", script])
        .env("AOTC", env!("CARGO_BIN_EXE_aotc"))
        .current_dir(lab.folder())
        .output()
        .unwrap();
    assert_eq!(
        text(&out),
        "status 1\nstatus 1\nstatus 1\nleft 0\nstatus 1\nleft 0\nstatus 1\nleft old\n",
        "{}",
        errors(&out)
    );
    let complaints = errors(&out);
    assert_eq!(complaints.lines().count(), 5, "{complaints}");
    for line in complaints.lines() {
        // `ld` has its own words for a write that ends early.
        let reason = ["File too large", "No space left on device"];
        let told = reason.iter().any(|r| line.contains(r));
        assert!(line.starts_with("aotc: ") && told, "{line}");
    }
}
