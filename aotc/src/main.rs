//! `aotc`: ahead-of-time compiler for CLI assemblies.
#![forbid(unsafe_code)]

mod assemble;
mod compilation;
mod context;
mod direct;
mod driver;
mod generic_virtuals;
mod inspect;
mod instances;
mod opt_report;
mod options;
mod output;
mod reflected;
mod report;
mod roots;
mod stubs;

use clap::Parser;
use options::{Options, Verb};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(code) => code,
        Err(e) if is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "aotc: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<ExitCode> {
    match &options.verb {
        Some(Verb::Inspect(args)) => inspect::inspect(args),
        Some(Verb::Verify(args)) => inspect::verify(args),
        Some(Verb::Explain(args)) => inspect::explain(args),
        None => driver::compile(&options.compile),
    }
}

/// The reader of a pipe has seen enough.
fn is_broken_pipe(e: &anyhow::Error) -> bool {
    e.downcast_ref::<std::io::Error>()
        .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
