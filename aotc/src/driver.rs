//! `aotc ASSEMBLY…`: the way from the command line to images.

use crate::assemble::{self, PlacedUnit};
use crate::compilation::{self, Unit};
use crate::context::Input;
use crate::options::{Compile, Cpu};
use crate::output::{folder_of, write_atomic};
use crate::report::{self, Figures};
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared_codegen::compile::{CodegenOptions, ConstPolicy, Tier};
use shared_codegen::image::{ImageWriter, content_hash};
use shared_codegen::passes::{OptError, OptSet, Verify, help_text};
use shared_codegen::pipeline::Plan;
use shared_codegen::types::ModuleId;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Compiles all the assemblies asked for. Goes on after one that fails.
pub fn compile(options: &Compile) -> anyhow::Result<ExitCode> {
    if options.list_opt {
        print!("{}", help_text());
        return Ok(ExitCode::SUCCESS);
    }
    let plan = match plan(options) {
        Ok(plan) => plan,
        Err(OptError::Help) => {
            print!("{}", help_text());
            return Ok(ExitCode::SUCCESS);
        }
        Err(e) => {
            eprintln!("aotc: {e}");
            return Ok(ExitCode::from(2));
        }
    };
    if options.outfile.is_some() && (options.files.len() > 1 || options.closure) {
        eprintln!("aotc: --outfile needs exactly one assembly");
        return Ok(ExitCode::from(2));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs)
        .stack_size(64 << 20)
        .build()?;
    compilation::catch_panics();
    let mut failed = false;
    for file in files(options)? {
        if let Err(e) = pool.install(|| compile_one(&file, options, &plan)) {
            eprintln!("aotc: {e:#}");
            failed = true;
        }
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The assemblies to compile, with `--closure` all they refer to.
fn files(options: &Compile) -> anyhow::Result<Vec<PathBuf>> {
    if !options.closure {
        return Ok(options.files.clone());
    }
    let mut found: Vec<PathBuf> = Vec::new();
    let mut waiting: Vec<PathBuf> = options.files.iter().rev().cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(file) = waiting.pop() {
        if !seen.insert(file.clone()) {
            continue;
        }
        let input = Input::open(&file, options)?;
        input.load_references();
        found.push(file);
        let mut next: Vec<PathBuf> = input
            .ctx
            .modules()
            .map(|m| input.ctx.assembly(m).path.clone())
            .collect();
        next.sort_unstable();
        waiting.extend(next.into_iter().rev());
    }
    Ok(found)
}

fn plan(options: &Compile) -> Result<Plan, OptError> {
    let mut passes = if options.all {
        OptSet::all()
    } else {
        OptSet::default_set()
    };
    if let Some(list) = &options.optimize {
        passes.apply(list.trim_start_matches('='))?;
    }
    Ok(Plan {
        passes,
        codegen: CodegenOptions {
            tier: Tier::Opt,
            features: options.mcpu.features(),
            policy: ConstPolicy::Aot,
            checker: options.check,
            text: !options.asm_data,
        },
        verify: if options.check {
            Verify::Each
        } else {
            Verify::Off
        },
    })
}

fn compile_one(file: &Path, options: &Compile, plan: &Plan) -> anyhow::Result<()> {
    let start = Instant::now();
    let input = Input::open(file, options)?;
    for missing in input.load_references() {
        if !options.quiet {
            eprintln!(
                "aotc: warning: {}: reference not found: {missing}",
                file.display()
            );
        }
    }
    let progress = progress(options, input.name());
    let units = compilation::run(&input, plan, &progress);
    progress.finish_and_clear();
    let compiled = start.elapsed();
    let mut writer = writer(&input, plan, options.mcpu);
    let parts = assemble::place(&input.ctx, &units, &mut writer);
    for unit in &units {
        if let Err(l) = &unit.outcome {
            writer.leave_out(&input.ctx, unit.method, &unit.name, l.reason, &l.detail);
        }
    }
    let code_size = writer.code_size();
    let cells = writer.cell_count();
    let tables = writer.finish(&input.ctx);
    let target = target(&input, options)?;
    let size = write(&tables, &parts, &target, options)?;
    let figures = Figures {
        code_size,
        cells,
        compiled,
        total: start.elapsed(),
        image_size: size,
    };
    tell(&input, &units, &figures, &target, options)
}

fn tell(
    input: &Input,
    units: &[Unit],
    figures: &Figures,
    target: &Path,
    options: &Compile,
) -> anyhow::Result<()> {
    if let Some(format) = options.explain {
        report::explain(&input.ctx, units, format)?;
    }
    if options.stats {
        report::stats(input.name(), units, figures);
    } else if options.verbose {
        report::summary(input.name(), units, figures);
    }
    match &options.depfile {
        Some(path) => report::depfile(input, target, path),
        None => Ok(()),
    }
}

fn progress(options: &Compile, name: &str) -> ProgressBar {
    let target = if options.quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} methods {elapsed}");
    let bar = ProgressBar::with_draw_target(Some(0), target).with_prefix(name.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// An image writer that knows what the code was made from: every assembly that was opened.
fn writer(input: &Input, plan: &Plan, cpu: Cpu) -> ImageWriter {
    let ctx = &input.ctx;
    let mut writer = ImageWriter::new(cpu.features().bits(), &plan.passes.to_option());
    let mut others: Vec<(String, ModuleId)> = ctx
        .modules()
        .filter(|&m| m != input.module)
        .map(|m| (ctx.assembly(m).name.to_string(), m))
        .collect();
    others.sort_unstable();
    let own = (ctx.assembly(input.module).name.to_string(), input.module);
    for (name, module) in std::iter::once(own).chain(others) {
        let bytes = ctx.module(module).pe().bytes();
        writer.add_dependency(&name, bytes.len(), &content_hash(bytes));
    }
    writer
}

/// Where the image goes.
fn target(input: &Input, options: &Compile) -> anyhow::Result<PathBuf> {
    if let Some(file) = &options.outfile {
        return Ok(file.clone());
    }
    let mut name = match input.path.file_name() {
        Some(name) => name.to_owned(),
        None => bail!("{}: not a file name", input.path.display()),
    };
    name.push(".so");
    let folder = options.out_dir.clone();
    Ok(folder.unwrap_or_else(|| folder_of(&input.path)).join(name))
}

fn write(
    tables: &str,
    parts: &[Vec<PlacedUnit<'_>>],
    target: &Path,
    options: &Compile,
) -> anyhow::Result<usize> {
    let folder = folder_of(target);
    let stem = target.file_stem().unwrap_or_default().to_string_lossy();
    if options.asm_only {
        assemble::source_only(tables, parts, &folder, &stem)?;
        return Ok(0);
    }
    if options.save_temps {
        let bytes = assemble::assemble(tables, parts, &folder, &stem)?;
        write_atomic(target, &bytes)?;
        return Ok(bytes.len());
    }
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let bytes = assemble::assemble(tables, parts, temporary.path(), "image")?;
    write_atomic(target, &bytes)?;
    Ok(bytes.len())
}
