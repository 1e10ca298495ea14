//! Runs the tests of an assembly under several sets of optimizations and prints the results side by side.

use super::Mode;
use super::once::{FINISHED, PASSED};
use crate::runtime::options::Options;
use anyhow::{Context, bail};
use indexmap::IndexMap;
use shared_codegen::passes::table::PassId;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A set of optimizations.
pub(crate) struct Set {
    /// Column head.
    pub(crate) name: String,
    /// `-O`
    pub(crate) optimize: String,
    /// `--jit`
    pub(crate) tier: &'static str,
}

impl Set {
    fn new(name: &str, optimize: &str, tier: &'static str) -> Set {
        Set {
            name: name.into(),
            optimize: optimize.into(),
            tier,
        }
    }
}

/// The sets of a mode.
pub(crate) fn sets(mode: Mode) -> Vec<Set> {
    let all = Set::new("all", "all", "opt");
    if mode != Mode::Passes {
        return vec![
            Set::new("interpreted", "none", "interpret"),
            Set::new("none", "none", "quick"),
            Set::new("quick", "quick", "quick"),
            Set::new("default", "default", "opt"),
            all,
        ];
    }
    let optional = PassId::ALL.iter().map(|p| p.info());
    let without = optional
        .filter(|p| !p.required)
        .map(|p| Set::new(&format!("-{}", p.name), &format!("all,-{}", p.name), "opt"));
    std::iter::once(all).chain(without).collect()
}

/// What a test did under one set.
#[derive(Clone)]
struct Cell {
    outcome: String,
    micros: u64,
}

/// The results of one set.
struct Column {
    name: String,
    cells: IndexMap<String, Cell>,
    time: Duration,
}

/// Runs the tests under every set and prints the table; true if all of them passed.
pub fn run(
    mode: Mode,
    options: &Options,
    program: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let mut columns = Vec::new();
    for set in sets(mode) {
        columns.push(column(set, options, program)?);
    }
    print(&columns, out)?;
    Ok(columns.iter().all(|c| failures(c) == 0))
}

fn column(set: Set, options: &Options, program: &Path) -> anyhow::Result<Column> {
    let start = Instant::now();
    let mut cells = IndexMap::new();
    loop {
        let done = child(&set, options, program, cells.len())?;
        let text = String::from_utf8_lossy(&done.stdout);
        read_lines(&text, &mut cells);
        let finished = text.lines().any(|line| line == FINISHED);
        if finished && !cells.is_empty() {
            break;
        }
        // A test ended the process; which one, the child cannot say any more.
        let Some(name) = name_of(program, cells.len())? else {
            let said = String::from_utf8_lossy(&done.stderr);
            bail!("{} ({})", said.trim(), done.status);
        };
        let outcome = format!("ended the process: {}", done.status);
        add(&name, Cell { outcome, micros: 0 }, &mut cells);
    }
    Ok(Column {
        name: set.name,
        cells,
        time: start.elapsed(),
    })
}

/// The name of the n-th test, if there is one.
fn name_of(program: &Path, n: usize) -> anyhow::Result<Option<String>> {
    let bytes = std::fs::read(program).with_context(|| program.display().to_string())?;
    let module = shared_codegen::metadata::Module::parse(bytes.leak(), program.to_owned())?;
    let methods = module.rows::<shared_codegen::metadata::MethodDefRow>();
    let mut names = methods
        .filter_map(|row| module.method_def(row).ok().map(|def| def.name))
        .filter(|name| super::Expected::of_name(name).is_some());
    Ok(names.nth(n).map(str::to_owned))
}

fn child(set: &Set, options: &Options, program: &Path, skip: usize) -> anyhow::Result<Output> {
    let this = std::env::current_exe().context("cannot find aotrun itself")?;
    let mut command = Command::new(this);
    command.args(["--regression=once", "--no-aot", "--jit", set.tier]);
    command.args(["-O", &set.optimize]);
    command.args(["--regression-skip", &skip.to_string()]);
    command.args(["--gc-stress", &options.gc_stress.to_string()]);
    if options.verify {
        command.arg("--verify");
    }
    for folder in &options.lib_path {
        command.arg("--lib-path").arg(folder);
    }
    command.arg(program);
    command.output().context("cannot start the tests")
}

/// Reads what [`super::once`] prints; tests may print too.
fn read_lines(text: &str, cells: &mut IndexMap<String, Cell>) {
    for line in text.lines() {
        let mut parts = line.split('\t');
        let (Some(name), Some(outcome), Some(micros)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if super::Expected::of_name(name).is_none() {
            continue;
        }
        let Ok(micros) = micros.parse() else {
            continue;
        };
        let outcome = outcome.to_owned();
        add(name, Cell { outcome, micros }, cells);
    }
}

/// Two classes may have tests of the same name.
fn add(name: &str, cell: Cell, cells: &mut IndexMap<String, Cell>) {
    let mut key = name.to_owned();
    while cells.contains_key(&key) {
        key.push('\'');
    }
    cells.insert(key, cell);
}

fn failures(column: &Column) -> usize {
    let cells = column.cells.values();
    cells.filter(|c| c.outcome != PASSED).count()
}

fn print(columns: &[Column], out: &mut dyn Write) -> std::io::Result<()> {
    let names: indexmap::IndexSet<&String> = columns.iter().flat_map(|c| c.cells.keys()).collect();
    let first = names.iter().map(|n| n.len()).max().unwrap_or(0).max(12);
    let width = |c: &Column| c.name.len().max(9);
    write!(out, "{:<first$}", "microseconds")?;
    for c in columns {
        write!(out, "  {:>w$}", c.name, w = width(c))?;
    }
    writeln!(out)?;
    for name in &names {
        write!(out, "{name:<first$}")?;
        for c in columns {
            let text = match c.cells.get(*name) {
                Some(cell) if cell.outcome == PASSED => cell.micros.to_string(),
                Some(_) => "FAILED".into(),
                None => "-".into(),
            };
            write!(out, "  {text:>w$}", w = width(c))?;
        }
        writeln!(out)?;
    }
    for c in columns {
        for (name, cell) in c.cells.iter().filter(|(_, cell)| cell.outcome != PASSED) {
            writeln!(out, "FAILED {name} ({}): {}", c.name, cell.outcome)?;
        }
    }
    for c in columns {
        let (tests, failed) = (c.cells.len(), failures(c));
        let seconds = c.time.as_secs_f64();
        writeln!(
            out,
            "{}: {tests} tests, {failed} failed, {seconds:.2} s",
            c.name
        )?;
    }
    Ok(())
}
