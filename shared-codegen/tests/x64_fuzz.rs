//! Random functions against C: each is compiled with both allocators and translated to C; both must
//! give the same result and leave the same memory. `FUZZ_SEED` and `FUZZ_COUNT` choose others.

#[path = "support/exec.rs"]
mod exec;
#[path = "support/random_ir.rs"]
mod random_ir;
#[path = "support/to_c.rs"]
mod to_c;

use shared_codegen::ir::text::parse_function;
use std::fmt::Write;

fn env_number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(default)
}

/// Runs one function with every variant and compares with the C version.
const CHECK: &str = r#"
typedef u64 fn(u64, u64, u64, u64, u32, u32, double, double, u64);
static double fbuf[64];
static u64 run(fn *f, int n, u64 *memory) {
    reset();
    for (int i = 0; i < 64; i++) fbuf[i] = i * 0.75 - 3;
    static const u64 x[] = {0, 1, ~0ULL, 1ULL << 63, 0x7fffffffffffffff, 123456789, 0xffffffff, 42};
    static const double y[] = {0.0, -1.5, 1e18, 3.7, -1e30, 4294967296.0, 1e-10, 77.0};
    u64 r = f((u64)buf, (u64)fbuf, x[n], x[(n * 3 + 1) % 8], (u32)x[(n + 2) % 8], (u32)x[(n * 5 + 3) % 8], y[n], y[(n + 3) % 8], x[(n + 5) % 8]);
    u64 h = 0;
    for (int i = 0; i < 64; i++) h = h * 31 + buf[i];
    for (int i = 0; i < 64; i++) h = h * 31 + canon(fbuf[i]);
    *memory = h;
    return r;
}
static void check(const char *name, fn *expected, fn *found) {
    for (int n = 0; n < 8; n++) {
        u64 m1, m2, r1 = run(expected, n, &m1), r2 = run(found, n, &m2);
        if (r1 != r2 || m1 != m2) { failures++; printf("%s, input %d: result %lx instead of %lx, memory %s\n", name, n, r2, r1, m1 == m2 ? "right" : "wrong"); return; }
    }
}
"#;

#[test]
fn random_functions_do_the_same_as_in_c() {
    let first = env_number("FUZZ_SEED", 1);
    let count = env_number("FUZZ_COUNT", 60);
    let variants = exec::variants();
    let mut asm = String::new();
    let mut c = String::from(exec::DRIVER) + to_c::PRELUDE + CHECK;
    let mut main = String::from("int main(void) {\n");
    for seed in first..first + count {
        let name = format!("f{seed}");
        let text = random_ir::function(&name, seed);
        let f = parse_function(&text).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
        let reference = format!("{name}_c");
        c.push_str(&to_c::function(&f, &reference));
        for v in &variants {
            let symbol = format!("{name}_{}", v.suffix);
            exec::assemble(&f, v, &[], v.suffix, &symbol, &mut asm);
            let _ = writeln!(c, "fn {symbol};");
            let _ = writeln!(main, "check(\"{symbol}\", {reference}, {symbol});");
        }
    }
    main.push_str("printf(\"done\\n\"); return failures != 0; }\n");
    exec::build_and_run(&(c + &main), asm, "-O1");
}

/// Times the back end; for people: `cargo test --test x64_fuzz -- --ignored --nocapture`.
#[test]
#[ignore = "measures, does not check"]
fn speed() {
    use shared_codegen::compile::{CodegenOptions, Tier, compile};
    let functions: Vec<_> = (1..400)
        .map(|seed| parse_function(&random_ir::function("f", seed)).expect("parses"))
        .collect();
    let insts: usize = functions.iter().map(|f| f.insts.len()).sum();
    for tier in [Tier::Quick, Tier::Opt] {
        let options = CodegenOptions {
            tier,
            ..CodegenOptions::jit()
        };
        let start = std::time::Instant::now();
        let mut bytes = 0;
        for _ in 0..5 {
            bytes = 0;
            for f in &functions {
                bytes += compile(f, &options).expect("compiles").code.len();
            }
        }
        let per_inst = start.elapsed().as_nanos() / (5 * insts as u128);
        println!(
            "{tier:?}: {insts} IR instructions, {bytes} bytes of code, {per_inst} ns per IR instruction"
        );
    }
}
