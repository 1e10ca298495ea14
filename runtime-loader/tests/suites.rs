//! Suites of methods `test_<expected>_<name>` (`aotrun --regression`) for every instruction of CIL: `programs/suites/*.il` and
//! `*.cs`, and those that `support/edges` makes from tables. They run under every executor.

#[path = "support/regression.rs"]
mod regression;

use regression::precompiled;
use regression::{aotrun, failures, ilasm, lab, mcs, programs, sources, suites};
use shared_codegen::il::{Decoder, MethodBody, Opcode};
use shared_codegen::metadata::{MethodDefRow, Module};
use std::collections::BTreeSet;
use std::path::Path;

/// Runs all suites in one way.
fn check(options: &[&str]) {
    let options = [&["--regression=once"], options].concat();
    for suite in suites() {
        let done = aotrun(&options, suite);
        let tests = String::from_utf8_lossy(&done.stdout)
            .matches("\tok\t")
            .count();
        assert!(
            done.status.code() == Some(0) && tests > 0,
            "{} {options:?}: {:?} {}",
            suite.display(),
            done.status,
            failures(&done)
        );
    }
}

#[test]
fn quick() {
    check(&["--no-aot"]);
}

#[test]
fn unoptimized() {
    check(&["--no-aot", "-O", "none"]);
}

#[test]
fn optimized() {
    check(&["--no-aot", "--jit", "opt"]);
}

#[test]
fn verified() {
    check(&["--no-aot", "--verify", "--jit", "opt"]);
}

#[test]
fn collecting_at_every_allocation() {
    let images = precompiled::corlib_images().to_string_lossy();
    check(&["--gc-stress", "1", "--aot-path", &images]);
}

/// What the interpreter leaves to the compiler: replaced frames and native calls are about the machine's stack.
const NOT_INTERPRETED: [&str; 2] = ["tail_call", "call_native"];

#[test]
fn interpreted() {
    for passes in ["none", "all"] {
        let options = ["--no-aot", "--jit", "interpret", "-O", passes];
        check(&options);
        for suite in suites() {
            let done = aotrun(
                &[&["--regression=once", "--stats"], &options[..]].concat(),
                suite,
            );
            let said = String::from_utf8_lossy(&done.stderr);
            let line = said
                .lines()
                .find_map(|l| l.strip_prefix("methods interpreted: "));
            let line = line.unwrap_or_else(|| panic!("{}: {said}", suite.display()));
            let tests = String::from_utf8_lossy(&done.stdout)
                .matches("\tok\t")
                .count();
            let (interpreted, others) = line.split_once("; compiled instead: ").expect("its form");
            let others: Vec<_> = others
                .split(|c: char| !c.is_alphabetic() && c != '_')
                .collect();
            let unknown = others
                .iter()
                .find(|o| !o.is_empty() && !NOT_INTERPRETED.contains(o));
            assert_eq!(unknown, None, "{}: {line}", suite.display());
            // Only methods that share code with others, or are inlined, have no count of their own.
            let interpreted: usize = interpreted.parse().expect("a number");
            assert!(2 * interpreted > tests, "{}: {line}", suite.display());
        }
    }
}

/// Suites that need the JIT when everything is precompiled, and why. An entry that has become unnecessary fails the test.
const NEED_JIT: [(&str, &str); 1] = [(
    "missing",
    "code that refers to an assembly that is not there is left to the JIT, which looks for it again",
)];

#[test]
fn precompiled_images() {
    let images = lab("images");
    precompiled::precompile(suites(), &images);
    let path = format!(
        "{}:{}",
        images.display(),
        precompiled::corlib_images().display()
    );
    check(&["--aot-path", &path]);
    for suite in suites() {
        let name = suite.file_stem().unwrap_or_default().to_string_lossy();
        let done = aotrun(
            &["--regression=once", "--no-jit", "--aot-path", &path],
            suite,
        );
        let passed = done.status.code() == Some(0);
        let listed = NEED_JIT.iter().find(|(n, _)| *n == name);
        assert_eq!(
            passed,
            listed.is_none(),
            "{name} {listed:?}: {}",
            failures(&done)
        );
    }
}

/// The table of `--regression` for an assembly with failures of every kind.
#[test]
fn table() {
    let folder = lab("table");
    let (source, dll) = (folder.join("t.cs"), folder.join("t.dll"));
    let text = "using System; static class T {\n\
        static int test_3_good() { return 3; }\n\
        static int test_m1_bad() { Console.WriteLine(\"noise\"); return 4; }\n\
        static int test_DivideByZeroException_good() { int zero = 0; return 1 / zero; }\n\
        static int test_1_raises() { throw new FormatException(\"why\"); }\n\
        static int test_1_exits() { Environment.Exit(0); return 1; }\n\
        static int test_2_behind() { return 2; }\n\
        static long test_1_form() { return 1; } }";
    std::fs::write(&source, text).expect("writable");
    mcs(&source, &dll);
    let done = aotrun(&["--regression"], &dll);
    let out = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{}", failures(&done));
    for set in ["none", "quick", "default", "all"] {
        assert!(out.contains(&format!("{set}: 7 tests, 4 failed")), "{out}");
        for (name, why) in [
            ("test_m1_bad", "4"),
            ("test_1_raises", "System.FormatException: why"),
            ("test_1_exits", "ended the process: exit status: 0"),
            ("test_1_form", "must be static"),
        ] {
            let line = format!("FAILED {name} ({set}): {why}");
            assert!(out.contains(&line), "{line} in {out}");
        }
    }
    let empty = programs().join("runner.cs");
    mcs(&empty, &folder.join("empty.dll"));
    assert_eq!(
        aotrun(&["--regression"], &folder.join("empty.dll"))
            .status
            .code(),
        Some(2)
    );
}

/// Each pass may be switched off.
#[test]
fn without_each_pass() {
    let semantics = suites().iter().find(|s| s.ends_with("semantics.dll"));
    let done = aotrun(&["--regression=passes"], semantics.expect("compiled"));
    let out = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{out}");
    assert!(
        out.lines()
            .any(|l| l.starts_with("-inline: ") && l.contains(" 0 failed"))
    );
}

fn opcodes_of(assembly: &Path) -> BTreeSet<&'static str> {
    let bytes = std::fs::read(assembly).expect("compiled");
    let module = Module::parse(bytes.leak(), assembly.to_owned()).expect("an assembly");
    let mut names = BTreeSet::new();
    for row in module.rows::<MethodDefRow>() {
        let rva = module.method_def(row).expect("readable").rva;
        if rva == 0 {
            continue;
        }
        let body = MethodBody::parse(&module, rva).expect("a body");
        names.extend(Decoder::new(body.code, 0).map(|i| i.expect("an instruction").opcode.name()));
    }
    names
}

/// Every instruction of the table of opcodes stands in a suite, or in `programs/cil` (run by `tests/cil.rs`).
#[test]
fn every_opcode() {
    let folder = lab("cil");
    let mut seen: BTreeSet<_> = suites().iter().flat_map(|s| opcodes_of(s)).collect();
    for source in sources("cil", "il") {
        let to = folder.join(source.with_extension("dll").file_name().expect("a name"));
        ilasm(&source, &to);
        seen.extend(opcodes_of(&to));
    }
    let all = Opcode::ALL.iter().map(|o| o.name());
    let missing: Vec<_> = all.filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no test has {missing:?}");
}
