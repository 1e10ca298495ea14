//! From compiled methods to an image: source files, `as`, `ld`, proof of the result.

use crate::compilation::Unit;
use anyhow::{Context, anyhow, bail};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::emit::CodeBlob;
use shared_codegen::image::writer::{Placed, part_head, push_method};
use shared_codegen::image::{Image, ImageWriter, reader};
use shared_codegen::types::TypeContext;
use std::path::Path;
use std::process::Command;

/// Functions in one source file.
const PART: usize = 1000;

/// What the names of source and object files begin with. The same for all images, because it gets into their symbol tables.
pub const STEM: &str = "image";

/// A method with its place.
pub struct PlacedUnit<'u> {
    pub unit: &'u Unit,
    pub blob: &'u CodeBlob,
    pub placed: Placed,
    symbol: String,
}

/// Gives every method with code its place, in parts.
pub fn place<'u>(
    ctx: &TypeContext,
    units: &'u [Unit],
    writer: &mut ImageWriter,
) -> Vec<Vec<PlacedUnit<'u>>> {
    let mut names: FxHashMap<&str, u32> = FxHashMap::default();
    let compiled: Vec<(&Unit, &CodeBlob)> = units
        .iter()
        .filter_map(|u| Some((u, u.outcome.as_ref().ok()?)))
        .collect();
    let mut parts = Vec::new();
    for chunk in compiled.chunks(PART) {
        writer.begin_part();
        let part = chunk.iter().map(|&(unit, blob)| {
            let count = names.entry(&unit.name).or_default();
            *count += 1;
            PlacedUnit {
                unit,
                blob,
                placed: writer.add_method(
                    ctx,
                    unit.method,
                    &unit.name,
                    blob,
                    &unit.bound_for_callees,
                ),
                symbol: match *count {
                    1 => unit.name.clone(),
                    n => format!("{}#{n}", unit.name),
                },
            }
        });
        parts.push(part.collect());
    }
    parts
}

/// The source of a part; as instructions if the methods have text.
fn part_source(part: &[PlacedUnit<'_>], offsets: &FxHashMap<Fixup, u32>) -> String {
    let mut out = part_head();
    let offset_of = |f: Fixup| offsets.get(&f).copied().unwrap_or_default();
    for p in part {
        let prefix = p.blob.text.as_ref().map(|_| p.unit.prefix.as_str());
        push_method(p.blob, &p.symbol, &p.placed, prefix, &offset_of, &mut out);
    }
    out
}

/// Writes the source files into a folder and calls `then` with the stem of each. The first one holds the tables.
fn write_sources(
    tables: &str,
    parts: &[Vec<PlacedUnit<'_>>],
    folder: &Path,
    then: impl Fn(&str) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<Vec<String>> {
    let all = parts.iter().flatten();
    let offsets = all.map(|p| (Fixup::MethodEntry(p.unit.method), p.placed.offset));
    let offsets: FxHashMap<Fixup, u32> = offsets.collect();
    (0..=parts.len())
        .into_par_iter()
        .map(|n| {
            let name = format!("{STEM}.{n}");
            let path = folder.join(format!("{name}.s"));
            let written = match n.checked_sub(1) {
                None => std::fs::write(&path, tables),
                Some(n) => std::fs::write(&path, part_source(&parts[n], &offsets)),
            };
            written.with_context(|| format!("cannot write {}", path.display()))?;
            then(&name)?;
            Ok(name)
        })
        .collect()
}

/// Writes the source files only.
pub fn source_only(
    tables: &str,
    parts: &[Vec<PlacedUnit<'_>>],
    folder: &Path,
) -> anyhow::Result<()> {
    write_sources(tables, parts, folder, |_| Ok(())).map(drop)
}

/// Assembles and links; the bytes of the image, complete. Works in `folder`.
pub fn assemble(
    tables: &str,
    parts: &[Vec<PlacedUnit<'_>>],
    folder: &Path,
) -> anyhow::Result<Vec<u8>> {
    let names = write_sources(tables, parts, folder, |name| {
        // `./` because names may begin with a dash.
        let (source, object) = (format!("./{name}.s"), format!("./{name}.o"));
        run(folder, "as", &["--64", "-o", &object, &source])
    })?;
    let linked = format!("./{STEM}.linked");
    let mut args: Vec<String> = "-shared -Bsymbolic -z now -z text -z noexecstack -z relro \
        --hash-style=gnu --build-id=none --no-undefined -m elf_x86_64 -o"
        .split_whitespace()
        .map(String::from)
        .collect();
    args.push(linked.clone());
    args.extend(names.iter().map(|n| format!("./{n}.o")));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    run(folder, "ld", &args)?;
    let mut bytes = std::fs::read(folder.join(&linked)).context("the linked image")?;
    std::fs::remove_file(folder.join(&linked)).context("the linked image")?;
    seal(&mut bytes, parts)?;
    Ok(bytes)
}

/// Checks that the linked code is the compiled code, then writes the content hash.
fn seal(bytes: &mut [u8], parts: &[Vec<PlacedUnit<'_>>]) -> anyhow::Result<()> {
    let image = Image::parse(bytes).context("internal error: unreadable image")?;
    let code = image.code_bytes().context("internal error: no code")?;
    for p in parts.iter().flatten() {
        let start = p.placed.offset as usize;
        let found = code.get(start..start + p.blob.code.len());
        if !found.is_some_and(|found| same_code(found, p.blob)) {
            bail!(
                "internal error: the assembler made other code of {}",
                p.unit.name
            );
        }
    }
    let at = image.hash_offset().context("internal error: no header")?;
    let hash = reader::file_hash(bytes, at).context("internal error: no header")?;
    bytes[at..at + hash.len()].copy_from_slice(&hash);
    Ok(())
}

/// Equal but for the fields the linker fills in.
fn same_code(found: &[u8], blob: &CodeBlob) -> bool {
    let mut at = 0;
    for r in &blob.relocs {
        let field = r.offset as usize;
        if found.get(at..field) != blob.code.get(at..field) {
            return false;
        }
        at = field + 4;
    }
    found.get(at..) == blob.code.get(at..)
}

/// Runs a tool in a folder; its first line of complaint is the error.
fn run(folder: &Path, tool: &str, args: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(tool)
        .args(args)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .output()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                anyhow!("`{tool}` is not installed (package binutils)")
            }
            _ => anyhow!("cannot run `{tool}`: {e}"),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|l| l.contains("rror"));
    let line = line.or_else(|| text.lines().rfind(|l| !l.trim().is_empty()));
    bail!(
        "`{tool}` failed ({}): {}",
        output.status,
        line.unwrap_or("")
    )
}
