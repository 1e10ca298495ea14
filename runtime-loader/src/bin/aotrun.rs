//! `aotrun`: runs CLI assemblies.

use anyhow::Context;
use clap::Parser;
use runtime_loader::bench;
use runtime_loader::cilutil;
use runtime_loader::regression::{self, Mode};
use runtime_loader::runtime::options::{JitTier, Options};
use runtime_loader::runtime::{boot, exit};
use shared_codegen::passes::OptSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs a CLI (.NET) program, from precompiled images where there are any, else by compiling it as it runs.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: the program's own; 1 for an unhandled exception; 2 for wrong usage or a program that cannot be started; 3 if --no-jit is given and a method has no precompiled code."
)]
struct Cli {
    /// What to do with methods that have no precompiled code: compile quickly, compile with the optimizations of
    /// ahead-of-time compilation, or interpret those of the program itself (very slow; to find faults of the compiler).
    #[arg(long, value_enum, default_value_t = JitTier::Quick)]
    jit: JitTier,
    /// Optimizations of the JIT: quick, default, all, or a list of names (a minus sign switches one off).
    #[arg(short = 'O', value_name = "LIST")]
    optimize: Option<String>,
    /// More folders to find assemblies in.
    #[arg(long, value_name = "DIR")]
    lib_path: Vec<PathBuf>,
    /// Folders searched for precompiled images before the usual places.
    #[arg(long, value_name = "DIR[:DIR...]", value_delimiter = ':')]
    aot_path: Vec<PathBuf>,
    /// Say for each method that is not taken from an image why.
    #[arg(long)]
    explain: bool,
    /// Do not use precompiled images.
    #[arg(long)]
    no_aot: bool,
    /// Do not compile: an error names the first method that would need it.
    #[arg(long)]
    no_jit: bool,
    /// Print figures at exit.
    #[arg(long)]
    stats: bool,
    /// Prove all IR and register allocations (slow).
    #[arg(long)]
    verify: bool,
    /// Collect garbage at every n-th allocation.
    #[arg(long, value_name = "N", default_value_t = 0)]
    gc_stress: u32,
    /// Let the heap grow to this size only, in MiB; by default to three quarters of the memory there is.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    heap_max: Option<u32>,
    /// Print the name of every method that is compiled.
    #[arg(long)]
    trace_compile: bool,
    /// Run the methods test_<expected>_<name> of the assembly under several sets of optimizations, each in a process of its
    /// own, and print a table; exit status 1 if one failed. <expected> is a number (m for minus) or a class of exceptions.
    #[arg(
        long,
        value_name = "WHICH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "sets"
    )]
    regression: Option<Mode>,
    /// With --regression=once: leave out the first tests.
    #[arg(long, value_name = "N", default_value_t = 0, hide = true)]
    regression_skip: usize,
    /// Measure the methods bench_<name> of the assembly (static, without parameters, returning an int or long as checksum) under
    /// several sets of optimizations, each in processes of its own, and print their times as multiples of those under all
    /// optimizations; exit status 1 if one failed or gave another checksum. --bench=passes shows what each pass is worth: how
    /// much slower its absence makes the benchmarks. Arguments behind the program are parts of the names wanted.
    #[arg(
        long,
        value_name = "WHICH",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "sets",
        conflicts_with = "regression"
    )]
    bench: Option<Mode>,
    /// With --bench: draw the comparison too, as SVG.
    #[arg(long, value_name = "FILE", requires = "bench")]
    bench_svg: Option<PathBuf>,
    /// With --bench: processes for each set; the best median of them counts.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..),
        requires = "bench"
    )]
    bench_rounds: u32,
    /// Do not run: draw a method as the JIT's passes leave it, for Graphviz. KIND is cfg, ssa (with instructions), dom or loops.
    #[arg(long, num_args = 2, value_names = ["KIND", "METHOD"])]
    graph: Option<Vec<String>>,
    /// The program and its arguments; what follows the program is for it, options too.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_names = ["PROGRAM", "ARGS"]
    )]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let Some((program, args)) = cli.command.split_first() else {
        return refuse(&anyhow::anyhow!("no program is given"));
    };
    let program = Path::new(program);
    let options = Options {
        jit: cli.jit,
        optimize: cli.optimize,
        lib_path: cli.lib_path,
        aot_path: cli.aot_path,
        explain: cli.explain,
        no_aot: cli.no_aot,
        no_jit: cli.no_jit,
        stats: cli.stats,
        verify: cli.verify,
        gc_stress: cli.gc_stress,
        heap_max: (cli.heap_max.unwrap_or(0) as usize) << 20,
        trace_compile: cli.trace_compile,
    };
    if let Some([kind, method]) = cli.graph.as_deref() {
        return match draw(&options, program, kind, method) {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => refuse(&e),
        };
    }
    if let Some(mode) = cli.regression.filter(|m| *m != Mode::Once) {
        let table = regression::table::run(mode, &options, program, &mut std::io::stdout());
        return match table {
            Ok(passed) => ExitCode::from(u8::from(!passed)),
            Err(e) => refuse(&e),
        };
    }
    let args: Vec<_> = args
        .iter()
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    if let Some(mode) = cli.bench.filter(|m| *m != Mode::Once) {
        let measured = bench::compare::run(mode, cli.bench_rounds, &options, program, &args);
        return match measured.and_then(|all| show(&all, cli.bench_svg.as_deref())) {
            Ok(passed) => ExitCode::from(u8::from(!passed)),
            Err(e) => refuse(&e),
        };
    }
    let rt = match boot::start(options, program) {
        Ok(rt) => rt,
        Err(e) => return refuse(&e),
    };
    if cli.regression.is_some() {
        let failures = regression::once::run(rt, cli.regression_skip);
        exit::after_main(rt, i32::from(failures > 0));
    }
    if cli.bench.is_some() {
        let failures = bench::once::run(rt, &args);
        exit::after_main(rt, i32::from(failures > 0));
    }
    if !boot::has_main(rt) {
        let file = program.display();
        eprintln!("Assembly '{file}' doesn't have an entry point.");
        return ExitCode::FAILURE;
    }
    match boot::run_main(rt, &args) {
        Ok(code) => exit::after_main(rt, code),
        Err(thrown) => exit::unhandled(thrown.into_object()),
    }
}

/// `--bench`; true if all benchmarks gave the same under every set.
fn show(all: &bench::Comparison, svg: Option<&Path>) -> anyhow::Result<bool> {
    let screen = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    // A width of 0 is an unknown one.
    let screen = screen.map(|size| match size.ws_col {
        0 => usize::MAX,
        width => usize::from(width),
    });
    // Leaves out colours where they are not wanted.
    bench::text::write(all, screen, &mut anstream::stdout().lock())?;
    if let Some(path) = svg {
        std::fs::write(path, bench::chart::draw(all))
            .with_context(|| path.display().to_string())?;
    }
    Ok(all.failures.is_empty())
}

/// `--graph`
fn draw(options: &Options, program: &Path, kind: &str, method: &str) -> anyhow::Result<()> {
    let passes = match (&options.optimize, options.jit) {
        (Some(list), _) => OptSet::parse(list)?,
        (None, JitTier::Quick) => OptSet::quick(),
        (None, JitTier::Interpret) => OptSet::NONE,
        (None, JitTier::Opt) => OptSet::all(),
    };
    let out = &mut std::io::stdout().lock();
    cilutil::graph::write(kind, program, method, passes, out)
}

/// Nothing has run.
fn refuse(e: &anyhow::Error) -> ExitCode {
    eprintln!("aotrun: {e:#}");
    ExitCode::from(2)
}
