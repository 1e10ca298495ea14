//! Runs compiled functions: `exec/*.ir` are compiled with both allocators (the
//! allocation proved by the checker), assembled together with a C driver, and run.
//!
//! A file holds functions, each preceded by comments `;! EXPRESSION`: C expressions that must be
//! true, in which the function is called by its name. `buf` is an array of 64 `i64` that starts as
//! 0, 1, 2, ...; `method#N` is the N-th function of the file (from 0); helpers are C functions of
//! the same name. The driver keeps a thread context in `r15`.

use shared_codegen::abi::fixup::Fixup;
use shared_codegen::compile::{CodegenOptions, ConstPolicy, EmitOptions, Tier, compile_with};
use shared_codegen::emit::text;
use shared_codegen::ir::{Function, Signature, Type, text::parse_functions};
use shared_codegen::isa::x64::{Features, emit::ConstMode};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn c_type(t: Type) -> &'static str {
    match t {
        Type::I32 => "i32",
        Type::F32 => "float",
        Type::F64 => "double",
        _ => "i64",
    }
}

fn prototype(name: &str, sig: &Signature) -> String {
    let params: Vec<&str> = sig.params.iter().map(|t| c_type(*t)).collect();
    let params = if params.is_empty() {
        "void".into()
    } else {
        params.join(", ")
    };
    let ret = sig.ret.map_or("void", c_type);
    format!("{ret} {name}({params});")
}

struct Variant {
    suffix: &'static str,
    tier: Tier,
    features: Features,
}

const VARIANTS: &[Variant] = &[
    Variant {
        suffix: "quick",
        tier: Tier::Quick,
        features: Features::empty(),
    },
    Variant {
        suffix: "opt",
        tier: Tier::Opt,
        features: Features::empty(),
    },
    Variant {
        suffix: "bmi",
        tier: Tier::Opt,
        features: Features::BMI1.union(Features::BMI2).union(Features::LZCNT),
    },
];

fn host_has_bmi() -> bool {
    std::arch::is_x86_feature_detected!("bmi2") && std::arch::is_x86_feature_detected!("lzcnt")
}

/// Assembler text of one function, with the cells of its constants.
fn assemble(f: &Function, v: &Variant, all: &[Function], unique: &str, out: &mut String) {
    let options = CodegenOptions {
        tier: v.tier,
        features: v.features,
        policy: ConstPolicy::Aot,
        checker: true,
        text: true,
    };
    let emission = EmitOptions {
        consts: ConstMode::Cell,
        text: Some(unique),
        ..EmitOptions::default()
    };
    let blob = compile_with(f, &options, &emission).unwrap_or_else(|e| panic!("{}: {e}", f.name));
    let symbol = format!("{}_{}", f.name, v.suffix);
    for (k, fixup) in blob.fixups.iter().enumerate() {
        let value = match fixup {
            Fixup::MethodEntry(m) => format!("{}_{}", all[m.0 as usize].name, v.suffix),
            Fixup::NativeCode(m) => format!("native{}", m.0),
            Fixup::Helper(h) => format!("helper_{}", h.info().name),
            Fixup::MethodTable(t) => format!("{}", 0x1000 + t.0),
            other => panic!("no value for {other:?}"),
        };
        let _ = writeln!(
            out,
            "\t.data\n\t.balign 8\ncell{unique}_{k}:\t.quad {value}\n\t.text"
        );
    }
    let _ = writeln!(out, "\t.globl {symbol}");
    let cell = |k: usize, out: &mut String| {
        let _ = write!(out, "cell{unique}_{k}");
    };
    text::function(&blob, &symbol, unique, &cell, &cell, out);
}

/// Checks of a file: the comments before each function.
fn checks(source: &str) -> Vec<(usize, String)> {
    source
        .lines()
        .enumerate()
        .filter_map(|(n, l)| Some((n + 1, l.trim().strip_prefix(";!")?.trim().to_string())))
        .collect()
}

const DRIVER: &str = r#"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <math.h>
typedef int32_t i32; typedef int64_t i64; typedef uint32_t u32; typedef uint64_t u64;
register void *thread_context asm("r15");
static i64 thread_block[64];
i64 buf[64];
static int failures;
static void reset(void) { for (int i = 0; i < 64; i++) buf[i] = i; memset(thread_block, 0, sizeof thread_block); thread_context = thread_block; }
static u32 fbits(float f) { u32 b; memcpy(&b, &f, 4); return b; }
static u64 dbits(double d) { u64 b; memcpy(&b, &d, 8); return b; }
static float bitsf(u32 b) { float f; memcpy(&f, &b, 4); return f; }
static double bitsd(u64 b) { double d; memcpy(&d, &b, 8); return d; }
i64 native0(i64 a, i64 b) { return a * 10 + b; }
i64 native1(i64 a, i64 b, i64 c, i64 d, i64 e, i64 f, i64 g, double h) { return a + 2*b + 3*c + 4*d + 5*e + 6*f + 7*g + (i64)h; }
i64 helper_new_object(i64 mt) { buf[40] = mt; return (i64)(buf + 40); }
i64 helper_new_array(i64 mt, i64 n) { buf[40] = mt; buf[43] = n; return (i64)(buf + 40); }
double helper_fmod(double a, double b) { return fmod(a, b); }
void helper_memmove(i64 d, i64 s, i64 n) { memmove((void*)d, (void*)s, n); }
void helper_throw(i64 o) { }
void helper_throw_pending(void) { }
void helper_poll(void) { }
"#;

fn driver(files: &[(PathBuf, String, Vec<Function>)], variants: &[&Variant]) -> String {
    let mut c = String::from(DRIVER);
    let mut main = String::from("int main(void) {\n");
    for (path, source, functions) in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for v in variants {
            for f in functions {
                let name = format!("{}_{}", f.name, v.suffix);
                let _ = writeln!(c, "{}", prototype(&name, &f.sig));
                let _ = writeln!(main, "#define {} {name}", f.name);
            }
            for (line, check) in checks(source) {
                let _ = writeln!(
                    main,
                    "reset(); if (!({check})) {{ failures++; printf(\"%s\\n\", {:?}); }}",
                    format!("{file}:{line} [{}]: {check}", v.suffix)
                );
            }
            for f in functions {
                let _ = writeln!(main, "#undef {}", f.name);
            }
        }
    }
    main.push_str("printf(\"done\\n\"); return failures != 0; }\n");
    c + &main
}

#[test]
fn compiled_functions_compute_what_they_should() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exec");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("the folder exists")
        .map(|e| e.expect("readable").path())
        .filter(|p| p.extension().is_some_and(|e| e == "ir"))
        .collect();
    paths.sort();
    let variants: Vec<&Variant> = VARIANTS
        .iter()
        .filter(|v| v.features.is_empty() || host_has_bmi())
        .collect();
    let mut files = Vec::new();
    let mut asm = String::new();
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("readable");
        let functions =
            parse_functions(&source).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for v in &variants {
            for (n, f) in functions.iter().enumerate() {
                let unique = format!("{}_{}_{n}", files.len(), v.suffix);
                assemble(f, v, &functions, &unique, &mut asm);
            }
        }
        files.push((path, source, functions));
    }
    asm.push_str("\t.section .note.GNU-stack,\"\",@progbits\n");
    let tmp = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| tmp.path().join(name);
    std::fs::write(at("code.s"), asm).expect("writable");
    std::fs::write(at("driver.c"), driver(&files, &variants)).expect("writable");
    if let Some(keep) = std::env::var_os("KEEP_EXEC_TEST") {
        for name in ["code.s", "driver.c"] {
            std::fs::copy(at(name), Path::new(&keep).join(name)).expect("writable");
        }
    }
    let built = Command::new("gcc")
        .args(["-O0", "-w", "-no-pie", "-ffixed-r15", "-o"])
        .arg(at("test"))
        .args([at("driver.c"), at("code.s")])
        .arg("-lm")
        .output()
        .expect("gcc runs");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let run = Command::new(at("test"))
        .output()
        .expect("the test program runs");
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{:?}\n{output}", run.status);
    assert!(output.ends_with("done\n"), "{output}");
}
