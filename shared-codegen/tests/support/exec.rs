//! Compiles functions, links them with a C driver, runs it.

use shared_codegen::abi::fixup::Fixup;
use shared_codegen::compile::{
    CodegenOptions, ConstPolicy, EmitOptions, MachinePasses, Tier, compile_with,
};
use shared_codegen::emit::text;
use shared_codegen::ir::Function;
use shared_codegen::isa::x64::{Features, emit::ConstMode};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// A way to compile.
pub struct Variant {
    /// Distinguishes symbols.
    pub suffix: &'static str,
    /// Effort.
    pub tier: Tier,
    /// Extensions.
    pub features: Features,
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
    Variant {
        suffix: "quickavx",
        tier: Tier::Quick,
        features: Features::all(),
    },
    Variant {
        suffix: "avx",
        tier: Tier::Opt,
        features: Features::all(),
    },
];

/// What this processor has, as far as variants want it.
fn host_features() -> Features {
    let bmi =
        std::arch::is_x86_feature_detected!("bmi2") && std::arch::is_x86_feature_detected!("lzcnt");
    let avx =
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    match (bmi, avx) {
        (true, true) => Features::all(),
        (true, false) => Features::BMI1 | Features::BMI2 | Features::LZCNT,
        _ => Features::empty(),
    }
}

/// Assembler text of one function, whose symbol gets the suffix, with the cells of its constants.
pub fn assemble(
    f: &Function,
    v: &Variant,
    all: &[Function],
    suffix: &str,
    unique: &str,
    out: &mut String,
) {
    let options = CodegenOptions {
        tier: v.tier,
        features: v.features,
        machine: match v.tier {
            Tier::Quick => MachinePasses::default(),
            Tier::Opt => MachinePasses::ALL,
        },
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
    let symbol = format!("{}_{suffix}", f.name);
    for (k, fixup) in blob.fixups.iter().enumerate() {
        let value = match fixup {
            Fixup::MethodEntry(m) => format!("{}_{suffix}", all[m.0 as usize].name),
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

/// Beginning of every driver.
pub const DRIVER: &str = r#"
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
i64 helper_new_small_object(i64 mt) { return helper_new_object(mt); }
i64 helper_new_small_array(i64 mt, i64 n) { return helper_new_array(mt, n); }
/* VECTOR is the size of vectors in bytes. */
#define LANES(T, call, expression) ({ \
    enum { N = VECTOR / sizeof(T) }; \
    T a[N], b[N], r[N]; i64 A = (i64)a, B = (i64)b, R = (i64)r; int good = 1; \
    for (int n = 0; n < N; n++) { a[n] = (T)(0x9e3779b97f4a7c15ull * (n + 1)); b[n] = (T)(0xd1b54a32d192ed03ull * (n + 3)); } \
    call; \
    for (int n = 0; n < N; n++) { T want = (T)(expression); good &= !memcmp(&want, &r[n], sizeof want); } \
    good; })
#define SUMS(T, call) ({ \
    enum { N = VECTOR / sizeof(T) }; \
    T a[N], sum = 0; i64 A = (i64)a; \
    for (int n = 0; n < N; n++) sum += a[n] = (T)(0x9e3779b97f4a7c15ull * (n + 1)); \
    (T)(call) == sum; })
double helper_fmod(double a, double b) { return fmod(a, b); }
void helper_memmove(i64 d, i64 s, i64 n) { memmove((void*)d, (void*)s, n); }
void helper_throw(i64 o) { }
void helper_throw_pending(void) { }
void helper_poll(void) { }
void helper_poll_wide(void) { }
"#;

/// The variants this processor can run.
pub fn variants() -> Vec<&'static Variant> {
    VARIANTS
        .iter()
        .filter(|v| host_features().contains(v.features))
        .collect()
}

/// Assembles and links, runs, and returns the output of a run that ended well.
pub fn build_and_run(driver: &str, mut asm: String, optimize: &str) -> String {
    asm.push_str("\t.section .note.GNU-stack,\"\",@progbits\n");
    let tmp = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| tmp.path().join(name);
    std::fs::write(at("code.s"), asm).expect("writable");
    std::fs::write(at("driver.c"), driver).expect("writable");
    if let Some(keep) = std::env::var_os("KEEP_EXEC_TEST") {
        for name in ["code.s", "driver.c"] {
            std::fs::copy(at(name), Path::new(&keep).join(name)).expect("writable");
        }
    }
    let built = Command::new("gcc")
        .args([
            optimize,
            "-w",
            "-no-pie",
            "-ffixed-r15",
            "-fwrapv",
            "-fno-strict-aliasing",
        ])
        .args(["-ffp-contract=off", "-o"])
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
    let output = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{:?}\n{output}", run.status);
    assert!(output.ends_with("done\n"), "{output}");
    output
}
