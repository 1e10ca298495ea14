//! Random CIL under every executor: the reference interpreter, the JIT's tiers, code compiled ahead of time, and all optimizations
//! but one or one alone must make the same of a program. What differs is reduced and printed as text for `ilasm`; it becomes
//! a test of its own. `RANDOM_CIL=500 RANDOM_SEED=1000` looks harder.

#[path = "support/precompiled.rs"]
mod precompiled;
#[path = "support/random_cil/mod.rs"]
mod random_cil;

use random_cil::{Program, generate, reduce, text};
use shared_codegen::passes::table::PassId;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs of a test run.
const PROGRAMS: u64 = 8;
/// Methods of a program.
const METHODS: usize = 8;

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn seed() -> u64 {
    number("RANDOM_SEED", 1)
}

/// A folder for programs; runs with other seeds may go on at the same time.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("random_cil");
    let folder = folder.join(seed().to_string());
    std::fs::create_dir_all(&folder).expect("a folder for programs");
    folder
}

fn assemble(program: &Program, name: &str) -> PathBuf {
    let source = folder().join(name).with_extension("il");
    std::fs::write(&source, text::program(program)).expect("the source is written");
    let exe = source.with_extension("exe");
    let output = format!("-output:{}", exe.display());
    precompiled::expect(Command::new("ilasm").arg(output).arg(&source));
    exe
}

/// A way to run a program.
#[derive(Clone, Debug)]
enum Executor {
    /// With these options of `aotrun`.
    Jit(Vec<String>),
    /// Compiled ahead of time with these optimizations.
    Image(&'static str),
}

/// The executors for a program: the reference first, then all the others; with one of the sets without or with one pass only.
fn executors(seed: u64) -> Vec<Executor> {
    let jit = |tier: &str, passes: &str| {
        let options = ["--no-aot", "--jit", tier, "-O", passes];
        Executor::Jit(options.map(str::to_owned).to_vec())
    };
    let with = |options: [&str; 6]| Executor::Jit(options.map(str::to_owned).to_vec());
    let verified = ["--no-aot", "--verify", "--jit", "opt", "-O", "all"];
    let collecting = ["--no-aot", "--gc-stress=3", "--jit", "opt", "-O", "all"];
    let optional: Vec<_> = PassId::ALL.iter().filter(|p| !p.info().required).collect();
    let pass = optional[seed as usize % optional.len()].info().name;
    vec![
        jit("interpret", "none"),
        jit("interpret", "all"),
        jit("quick", "none"),
        jit("quick", "quick"),
        with(verified),
        jit("opt", &format!("all,-{pass}")),
        jit("opt", &format!("none,{pass}")),
        with(collecting),
        Executor::Image("all"),
    ]
}

/// What a program prints, its status, and what the runtime says of it.
fn run(executor: &Executor, exe: &Path) -> String {
    let mut command = Command::new("timeout");
    command.arg("60").arg(env!("CARGO_BIN_EXE_aotrun"));
    match executor {
        Executor::Jit(options) => command.args(options),
        Executor::Image(passes) => {
            let mut aotc = Command::new(precompiled::aotc());
            aotc.args(["-O", passes, "--asm-data", "-q", "--out-dir"]);
            precompiled::expect(aotc.arg(folder()).arg(exe));
            command.arg("--aot-path").arg(folder())
        }
    };
    let done = command.arg(exe).output().expect("timeout starts");
    let (out, err) = (&done.stdout, &done.stderr);
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    format!("{out}{err}{}", done.status)
}

/// The executor that makes something else of a program than the reference does.
fn difference(seed: u64, exe: &Path) -> Option<Executor> {
    let mut executors = executors(seed).into_iter();
    let reference = run(&executors.next()?, exe);
    let is_valid = reference.ends_with("exit status: 0") && !reference.contains("InvalidProgram");
    assert!(is_valid, "seed {seed}: {reference}");
    executors.find(|e| run(e, exe) != reference)
}

/// The reduced program and what it does.
fn report(seed: u64, program: &Program, executor: &Executor) -> String {
    let reference = &executors(seed)[0];
    let mut fails = |p: &Program| {
        let exe = assemble(p, "reducing");
        run(reference, &exe) != run(executor, &exe)
    };
    let small = reduce::reduce(program, &mut fails);
    let exe = assemble(&small, "reduced");
    format!(
        "seed {seed}, {executor:?}\n{}\nreference:\n{}\n{executor:?}:\n{}",
        text::program(&small),
        run(reference, &exe),
        run(executor, &exe)
    )
}

#[test]
fn every_executor_makes_the_same_of_random_programs() {
    for seed in seed()..seed() + number("RANDOM_CIL", PROGRAMS) {
        let program = generate::program(seed, METHODS);
        let exe = assemble(&program, "random");
        if let Some(executor) = difference(seed, &exe) {
            panic!("{}", report(seed, &program, &executor));
        }
    }
}

/// The reducer leaves what makes the difference, and nothing else.
#[test]
fn a_failing_program_becomes_small() {
    let program = generate::program(3, METHODS);
    let has_loop = |p: &Program| text::program(p).contains("conv.ovf");
    assert!(has_loop(&program));
    let small = reduce::reduce(&program, &mut |p| has_loop(p));
    let lines = |p: &Program| text::program(p).lines().count();
    assert!(has_loop(&small) && lines(&small) + 50 < lines(&program));
    let statements: usize = small.methods.iter().map(|m| m.body.len()).sum();
    assert_eq!(statements, 1, "{}", text::program(&small));
}
