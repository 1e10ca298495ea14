//! `cilutil types FILE [NAME]`

use anyhow::{Context, bail};
use shared_codegen::metadata::TypeDefRow;
use shared_codegen::types::TypeName;
use std::io::Write;
use std::path::Path;

/// Describes one type, or lists all.
pub(super) fn run(file: &Path, name: Option<&str>) -> anyhow::Result<()> {
    let file = std::fs::canonicalize(file).with_context(|| file.display().to_string())?;
    let ctx = super::context_for(&file)?;
    let module = ctx.load_assembly(&file)?;
    let mut out = std::io::stdout().lock();
    match name {
        None => {
            for row in ctx.module(module).rows::<TypeDefRow>() {
                writeln!(out, "{}", ctx.full_name(ctx.type_def(module, row)))?;
            }
        }
        Some(name) => {
            let parsed = TypeName::parse(name)?;
            let Some(t) = ctx.resolve_type_name(module, &parsed, false)? else {
                bail!("{} has no type {name}", file.display());
            };
            write!(out, "{}", ctx.describe_type(t))?;
        }
    }
    Ok(())
}
