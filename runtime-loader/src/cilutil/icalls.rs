//! `cilutil icalls`: the internal calls that assemblies declare, and what the runtime makes of each.
//!
//! Without arguments it reads the framework folder and prints the table kept as `docs/icalls.md`.

use crate::icall::{self, short_name};
use anyhow::Context;
use clap::Parser;
use shared_codegen::import::is_intrinsic;
use shared_codegen::metadata::TypeDefRow;
use shared_codegen::types::{MethodId, NameFormat, TypeContext, TypeId};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

const FRAMEWORK: &str = "/usr/lib/mono/4.5";

/// `tdImport` of `TypeAttributes` (ECMA-335 II.23.1.15).
const TYPE_IMPORT: u32 = 0x1000;

/// Prints the internal calls that assemblies declare, with the state of each, as a Markdown table.
#[derive(Parser, Debug)]
pub(super) struct Args {
    /// The assemblies; without any, those of the framework folder.
    files: Vec<PathBuf>,
    /// Only those in this state.
    #[arg(long, value_enum)]
    state: Option<State>,
}

/// What a call of an internal call does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
enum State {
    /// The code generator makes instructions of it; reflection reaches the native function if there is one.
    Instructions,
    /// A native function of the runtime.
    Native,
    /// A constructor of `String`: stands for the `Ctor` method with the same parameters.
    Constructor,
    /// It raises `MissingMethodException` naming it.
    Missing,
}

/// One internal call: type, method with parameters.
type Name = (String, String);

/// Prints the table.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut counts = BTreeMap::new();
    let mut table = Vec::new();
    for file in files(args)? {
        let declared = declared_by(&file)?;
        let assembly = file.file_stem().unwrap_or_default().to_string_lossy();
        for ((class, method), state) in declared {
            *counts.entry(state).or_insert(0) += 1;
            if args.state.is_none_or(|s| s == state) {
                let state = format!("{state:?}").to_lowercase();
                writeln!(table, "| {assembly} | {class} | {method} | {state} |")?;
            }
        }
    }
    writeln!(out, "# Internal calls\n")?;
    writeln!(
        out,
        "Made by `cilutil icalls`. What the class libraries ask of the runtime, and what a call of each does:"
    )?;
    writeln!(
        out,
        "`native` is a function of the runtime, `instructions` are made in place by the code generator, `constructor`"
    )?;
    writeln!(
        out,
        "is replaced by the `Ctor` method of `String`, `missing` raises a `MissingMethodException` naming it.\n"
    )?;
    for (state, count) in counts {
        writeln!(out, "* {}: {count}", format!("{state:?}").to_lowercase())?;
    }
    writeln!(
        out,
        "\n| assembly | type | method | state |\n|---|---|---|---|"
    )?;
    Ok(out.write_all(&table)?)
}

fn files(args: &Args) -> anyhow::Result<Vec<PathBuf>> {
    if !args.files.is_empty() {
        return Ok(args.files.clone());
    }
    let entries = std::fs::read_dir(FRAMEWORK).context(FRAMEWORK)?;
    let mut files = entries
        .map(|e| Ok(e?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    files.retain(|f| f.extension().is_some_and(|e| e == "dll"));
    files.sort();
    Ok(files)
}

/// The internal calls of one assembly, sorted.
fn declared_by(file: &Path) -> anyhow::Result<BTreeMap<Name, State>> {
    let file = std::fs::canonicalize(file).with_context(|| file.display().to_string())?;
    let ctx = super::context_for(&file)?;
    let module = ctx.load_assembly(&file)?;
    let mut found = BTreeMap::new();
    for row in ctx.module(module).rows::<TypeDefRow>() {
        let ty = ctx.type_def(module, row);
        if is_foreign(&ctx, ty) {
            continue;
        }
        for method in ctx.methods(ty)? {
            if ctx.method_is_internal_call(method) {
                let (name, state) = describe(&ctx, method)?;
                found.insert(name, state);
            }
        }
    }
    Ok(found)
}

/// Whether the methods of a type are those of COM objects, which no runtime implements itself.
fn is_foreign(ctx: &TypeContext, ty: TypeId) -> bool {
    ctx.is_interface(ty) || ctx.type_flags(ty) & TYPE_IMPORT != 0
}

fn describe(ctx: &TypeContext, method: MethodId) -> anyhow::Result<(Name, State)> {
    let class = ctx.type_name_as(ctx.method_owner(method), NameFormat::Ecma);
    let name = ctx.method_name(method);
    let params = ctx.method_signature(method)?.params;
    let params: Vec<_> = params.iter().map(|p| short_name(ctx, *p)).collect();
    let params = params.join(",");
    let state = if is_intrinsic(ctx, method)? {
        State::Instructions
    } else if (class.as_str(), name) == ("System.String", ".ctor") {
        State::Constructor
    } else if icall::find(&class, name, || params.clone()).is_some() {
        State::Native
    } else {
        State::Missing
    };
    Ok(((class, format!("{name}({params})")), state))
}
