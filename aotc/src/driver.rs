//! `aotc ASSEMBLY…`: the way from the command line to images.

use crate::assemble::{self, PlacedUnit};
use crate::compilation::{self, Unit};
use crate::context::Input;
use crate::direct;
use crate::opt_report;
use crate::options::{Compile, Cpu};
use crate::output::{self, folder_of, write_atomic};
use crate::report::{self, Figures};
use anyhow::{Context, anyhow, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared_codegen::compile::{CodegenOptions, ConstPolicy, Tier};
use shared_codegen::image::{ImageWriter, content_hash};
use shared_codegen::passes::{OptError, OptSet, Verify, help_text};
use shared_codegen::pipeline::Plan;
use shared_codegen::types::ModuleId;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    if let Some(folder) = &options.out_dir {
        output::make_folder(folder)?;
    }
    let (files, mut failed) = files(options);
    let mut rules = String::new();
    let mut targets = BTreeSet::new();
    for file in files {
        let one = || {
            output::prepare(&target(&file, options)?, &mut targets)?;
            compile_one(&file, options, &plan)
        };
        match pool.install(|| guarded(one)) {
            Ok(rule) => rules += &rule,
            Err(e) => failed |= complain(&e),
        }
    }
    if let Some(path) = &options.depfile {
        write_atomic(path, rules.as_bytes())?;
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Says what is wrong, in one line; true.
fn complain(e: &anyhow::Error) -> bool {
    let text = format!("{e:#}").replace('\n', " ");
    eprintln!("aotc: {text}");
    true
}

/// Makes a panic, which is a defect of the compiler, an error like others.
fn guarded<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let panicked = |payload: Box<dyn std::any::Any + Send>| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        anyhow!("internal error: {}", text.unwrap_or("panic"))
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(panicked(payload)))
}

/// The assemblies to compile, with `--closure` all they refer to; was anything wrong?
fn files(options: &Compile) -> (Vec<PathBuf>, bool) {
    if !options.closure {
        return (options.files.clone(), false);
    }
    let mut found: Vec<PathBuf> = Vec::new();
    let mut failed = false;
    let mut waiting: Vec<PathBuf> = options.files.iter().rev().cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(file) = waiting.pop() {
        // The same file may be named in several ways.
        let real = file.canonicalize().unwrap_or_else(|_| file.clone());
        if !seen.insert(real) {
            continue;
        }
        match guarded(|| references(&file, options)) {
            Ok(next) => {
                found.push(file);
                waiting.extend(next.into_iter().rev());
            }
            Err(e) => failed |= complain(&e),
        }
    }
    (found, failed)
}

/// The files of the assemblies that an assembly refers to, and of those that takes to find out.
fn references(file: &Path, options: &Compile) -> anyhow::Result<Vec<PathBuf>> {
    let input = Input::open(file, options)?;
    input.load_references();
    let mut files: Vec<PathBuf> = input
        .ctx
        .modules()
        .map(|m| input.ctx.assembly(m).path.clone())
        .collect();
    files.sort_unstable();
    Ok(files)
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
            machine: passes.machine(),
            policy: ConstPolicy::Aot,
            checker: options.check,
            text: !options.asm_data,
        },
        verify: if options.check {
            Verify::Each
        } else {
            Verify::Off
        },
        remarks: options.opt_report.is_some(),
        stages: options.stats,
    })
}

/// Makes one image; the rule for make that tells what it depends on.
fn compile_one(file: &Path, options: &Compile, plan: &Plan) -> anyhow::Result<String> {
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
    let mut units = compilation::run(&input, plan, &progress);
    let direct_calls = direct::link(&input.ctx, &mut units);
    progress.finish_and_clear();
    if options.nodebug {
        for blob in units.iter_mut().flat_map(|u| &mut u.outcome) {
            blob.lines.clear();
            blob.inline_sites.clear();
        }
    }
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
    let target = target(file, options)?;
    let size =
        write(&tables, &parts, &target, options).with_context(|| target.display().to_string())?;
    let figures = Figures {
        code_size,
        direct_calls,
        cells,
        compiled,
        total: start.elapsed(),
        image_size: size,
    };
    tell(&input, &units, &figures, options)?;
    Ok(report::make_rule(&input, &target))
}

fn tell(input: &Input, units: &[Unit], figures: &Figures, options: &Compile) -> anyhow::Result<()> {
    if let Some(format) = options.explain {
        report::explain(input, units, format)?;
    }
    if let Some(format) = options.opt_report {
        opt_report::print(input, units, format)?;
    }
    if options.stats {
        report::stats(input.name(), units, figures);
    } else if options.verbose {
        report::summary(input.name(), units, figures);
    }
    Ok(())
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
fn target(assembly: &Path, options: &Compile) -> anyhow::Result<PathBuf> {
    if let Some(file) = &options.outfile {
        return Ok(file.clone());
    }
    let mut name = match assembly.file_name() {
        Some(name) => name.to_owned(),
        None => bail!("{}: not a file name", assembly.display()),
    };
    name.push(".so");
    Ok(match &options.out_dir {
        Some(folder) => folder.join(name),
        None => assembly.with_file_name(name),
    })
}

/// Writes what was asked for; the size of the image. Work is done elsewhere, so that only complete files get to the target.
fn write(
    tables: &str,
    parts: &[Vec<PlacedUnit<'_>>],
    target: &Path,
    options: &Compile,
) -> anyhow::Result<usize> {
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let stem = target.file_stem().unwrap_or_default().to_string_lossy();
    let mut size = 0;
    if options.asm_only {
        assemble::source_only(tables, parts, temporary.path())?;
    } else {
        let bytes = assemble::assemble(tables, parts, temporary.path())?;
        write_atomic(target, &bytes)?;
        size = bytes.len();
    }
    if options.asm_only || options.save_temps {
        let name = |temporary: &str| temporary.replacen(assemble::STEM, &stem, 1);
        output::copy_all(temporary.path(), &folder_of(target), name)?;
    }
    Ok(size)
}
