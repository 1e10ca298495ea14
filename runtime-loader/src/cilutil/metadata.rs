//! `cilutil metadata`: header and tables.

use super::open;
use anyhow::{Context, bail};
use clap::Parser;
use shared_codegen::metadata::{Module, TableId};
use std::io::Write;
use std::path::PathBuf;

/// Prints the header and the sizes of all tables, or the rows of one.
#[derive(Parser, Debug)]
pub(super) struct Args {
    /// Assembly or module.
    file: PathBuf,
    /// Table, by name or (hexadecimal) number; `all` for every table.
    table: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let module = open(&args.file)?;
    match args.table.as_deref() {
        None => summary(&module, out),
        Some("all") => TableId::all().try_for_each(|t| rows(&module, t, out)),
        Some(name) => rows(&module, find_table(name)?, out),
    }
}

fn find_table(name: &str) -> anyhow::Result<TableId> {
    let number = u8::from_str_radix(name.trim_start_matches("0x"), 16).ok();
    let found = TableId::all()
        .find(|t| t.name().eq_ignore_ascii_case(name))
        .or_else(|| TableId::all().find(|t| Some(t.0) == number));
    match found {
        Some(table) => Ok(table),
        None => bail!("no table is called {name}"),
    }
}

fn summary(module: &Module, out: &mut dyn Write) -> anyhow::Result<()> {
    let pe = module.pe();
    let container = if pe.is_pe32_plus { "PE32+" } else { "PE32" };
    let mvid: String = module.mvid().iter().map(|b| format!("{b:02x}")).collect();
    writeln!(out, "container    {container}, machine {:#x}", pe.machine)?;
    writeln!(out, "version      {}", module.version())?;
    writeln!(out, "flags        {:#x}", pe.cor_flags)?;
    writeln!(out, "entry point  {:08x}", pe.entry_point)?;
    writeln!(out, "mvid         {mvid}")?;
    for table in TableId::all() {
        let count = module.row_count(table);
        if count > 0 {
            writeln!(out, "{:02x} {:<24}{count:>8}", table.0, table.name())?;
        }
    }
    Ok(())
}

fn rows(module: &Module, table: TableId, out: &mut dyn Write) -> anyhow::Result<()> {
    for row in 1..=module.row_count(table) {
        let columns = module
            .describe_row(table, row)
            .with_context(|| format!("{} row {row}", table.name()))?;
        let text: Vec<String> = columns.iter().map(|(n, v)| format!("{n}={v}")).collect();
        writeln!(out, "{} {row}: {}", table.name(), text.join(" "))?;
    }
    Ok(())
}
