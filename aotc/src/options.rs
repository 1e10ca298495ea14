//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use shared_codegen::isa::x64::Features;
use std::path::PathBuf;

/// Compiles CLI (.NET) assemblies ahead of time: `app.exe` gives `app.exe.so` beside it.
#[derive(Parser, Debug)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit status: 0 done, 1 an input cannot be read or compiled or an image cannot be made, 2 wrong usage.\n\
                  Methods that cannot be compiled do not make it fail: they are left to the JIT (see --explain)."
)]
pub struct Options {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub compile: Compile,
}

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Shows what is in an image.
    Inspect(ImageArgs),
    /// Checks an image: content hash, every table, the assemblies it was made from.
    Verify(ImageArgs),
    /// Says which methods are not in an image, and why.
    Explain(ImageArgs),
}

#[derive(Args, Debug)]
pub struct ImageArgs {
    /// The image.
    pub image: PathBuf,
    /// List the methods too.
    #[arg(long)]
    pub methods: bool,
    /// More folders to find assemblies in.
    #[arg(long, value_name = "DIR")]
    pub lib_path: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Compile {
    /// Assemblies to compile.
    #[arg(required_unless_present = "list_opt", value_name = "ASSEMBLY")]
    pub files: Vec<PathBuf>,
    /// All methods with all optimizations (otherwise the default ones).
    #[arg(long)]
    pub all: bool,
    /// The image to write (one assembly only).
    #[arg(short, long, value_name = "FILE", conflicts_with = "out_dir")]
    pub outfile: Option<PathBuf>,
    /// Folder for the images instead of each assembly's own; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// An assembly to use for references to it.
    #[arg(short, long, value_name = "FILE")]
    pub reference: Vec<PathBuf>,
    /// More folders to find assemblies in.
    #[arg(long, value_name = "DIR")]
    pub lib_path: Vec<PathBuf>,
    /// Compile the assemblies that are referenced too, directly or not. Images go beside each assembly, or into --out-dir.
    #[arg(long)]
    pub closure: bool,
    /// Optimizations: a level, then names, a minus sign switches one off (`-O=help` lists them).
    #[arg(short = 'O', value_name = "LIST", allow_hyphen_values = true)]
    pub optimize: Option<String>,
    /// List the optimizations.
    #[arg(long)]
    pub list_opt: bool,
    /// Processor the code is for.
    #[arg(long, value_enum, default_value_t = Cpu::V2)]
    pub mcpu: Cpu,
    /// Number of threads (default: all processors).
    #[arg(short, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// Write assembler source only.
    #[arg(long)]
    pub asm_only: bool,
    /// Write code as data instead of instructions: assembles faster, same image.
    #[arg(long)]
    pub asm_data: bool,
    /// Keep assembler source and object files beside the image.
    #[arg(long)]
    pub save_temps: bool,
    /// Leave out source positions: a smaller image, but stack traces do not show inlined calls and offsets.
    #[arg(long)]
    pub nodebug: bool,
    /// Print figures.
    #[arg(long)]
    pub stats: bool,
    /// Say which methods were left out, and why.
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub explain: Option<ExplainFormat>,
    /// Say for calls, loops, checks and allocations what was done, or why not.
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub opt_report: Option<ExplainFormat>,
    /// Write the files the image depends on as a rule for make.
    #[arg(long, value_name = "FILE")]
    pub depfile: Option<PathBuf>,
    /// Prove all IR and register allocations (slow).
    #[arg(long)]
    pub check: bool,
    /// Say more.
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Say nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExplainFormat {
    Text,
    Json,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cpu {
    /// This machine's.
    Native,
    /// SSE4.2, POPCNT.
    #[value(name = "x86-64-v2", alias = "v2")]
    V2,
    /// AVX2, BMI, FMA.
    #[value(name = "x86-64-v3", alias = "v3")]
    V3,
    /// The same as v3 (AVX-512 is not used).
    #[value(name = "x86-64-v4", alias = "v4")]
    V4,
}

impl Cpu {
    /// Extensions the code may use.
    pub fn features(self) -> Features {
        match self {
            Cpu::V2 => Features::empty(),
            Cpu::V3 | Cpu::V4 => Features::all(),
            Cpu::Native => native(),
        }
    }
}

fn native() -> Features {
    let found = [
        (Features::BMI1, std::is_x86_feature_detected!("bmi1")),
        (Features::BMI2, std::is_x86_feature_detected!("bmi2")),
        (Features::LZCNT, std::is_x86_feature_detected!("lzcnt")),
        (Features::AVX, std::is_x86_feature_detected!("avx")),
        (Features::AVX2, std::is_x86_feature_detected!("avx2")),
        (Features::FMA, std::is_x86_feature_detected!("fma")),
    ];
    found
        .into_iter()
        .filter(|(_, has)| *has)
        .map(|(f, _)| f)
        .collect()
}
