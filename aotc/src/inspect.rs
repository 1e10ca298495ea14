//! The verbs about finished images.

use crate::context;
use crate::options::ImageArgs;
use anyhow::{Context, bail};
use shared_codegen::image::{Hash, Image, content_hash};
use shared_codegen::isa::x64::Features;
use shared_codegen::types::AssemblyName;
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

fn read(args: &ImageArgs) -> anyhow::Result<Vec<u8>> {
    std::fs::read(&args.image).with_context(|| args.image.display().to_string())
}

fn open<'a>(args: &ImageArgs, bytes: &'a [u8]) -> anyhow::Result<Image<'a>> {
    Image::parse(bytes).with_context(|| args.image.display().to_string())
}

fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

/// `aotc inspect IMAGE`
pub fn inspect(args: &ImageArgs) -> anyhow::Result<ExitCode> {
    let bytes = read(args)?;
    let image = open(args, &bytes)?;
    let header = image.header();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let code = image.code_vaddrs();
    writeln!(out, "compiler      {}", image.compiler()?)?;
    writeln!(out, "options       {}", image.options()?)?;
    let features = Features::from_bits_retain(header.features);
    let names: Vec<&str> = features.iter_names().map(|(n, _)| n).collect();
    let names = if names.is_empty() {
        "baseline".into()
    } else {
        names.join(" ")
    };
    writeln!(out, "processor     {names}")?;
    writeln!(out, "content id    {}", hex(&header.content_id))?;
    writeln!(out, "file hash     {}", hex(&header.file_hash))?;
    writeln!(out, "methods       {}", image.method_count())?;
    writeln!(out, "left out      {}", image.left_out()?.len())?;
    writeln!(out, "code          {} bytes", code.end - code.start)?;
    writeln!(out, "cells         {}", image.cell_count())?;
    for d in image.dependencies()? {
        writeln!(out, "made from     {} {}", hex(&d.hash), d.name)?;
    }
    if args.methods {
        for n in 0..image.method_count() {
            let m = image.method(n)?;
            let name = image.method_name(&m)?;
            let fixups = image.fixups(&m)?.count();
            writeln!(
                out,
                "{:#010x} {:6} bytes {fixups:3} fixups  {name}",
                m.code.start,
                m.code.end - m.code.start
            )?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// `aotc explain IMAGE`
pub fn explain(args: &ImageArgs) -> anyhow::Result<ExitCode> {
    let bytes = read(args)?;
    let image = open(args, &bytes)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for l in image.left_out()? {
        writeln!(out, "{}: {}: {}", l.name, l.reason.code(), l.detail)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// `aotc verify IMAGE`
pub fn verify(args: &ImageArgs) -> anyhow::Result<ExitCode> {
    let bytes = read(args)?;
    let image = open(args, &bytes)?;
    let shown = || args.image.display().to_string();
    image.verify_hash().with_context(shown)?;
    check_tables(&image).with_context(shown)?;
    // The image stands beside its assembly unless told otherwise.
    let assembly = args.image.with_extension("");
    let ctx = context::context(&assembly, &args.lib_path)?;
    for (n, d) in image.dependencies()?.iter().enumerate() {
        let module = if n == 0 && assembly.exists() {
            ctx.load_assembly(&assembly)
        } else {
            ctx.load_by_name(None, &AssemblyName::parse(d.name))
        };
        let module = module.with_context(shown)?;
        if content_hash(ctx.module(module).pe().bytes()) != d.hash {
            bail!(
                "{}: stale: {} was another file when the image was made",
                args.image.display(),
                ctx.assembly(module).path.display()
            );
        }
    }
    println!("{}: ok", args.image.display());
    Ok(ExitCode::SUCCESS)
}

/// Reads every entry of every table.
fn check_tables(image: &Image<'_>) -> anyhow::Result<()> {
    for n in 0..image.method_count() {
        let m = image.method(n)?;
        image.method_name(&m)?;
        image.method_key(&m)?;
        for cell in image.fixups(&m)? {
            image.cell_fixup(cell?)?;
        }
        image.clauses(&m)?;
        image.traps(&m)?;
        image.lines(&m)?;
        image.inline_sites(&m)?;
    }
    image.left_out()?;
    Ok(())
}
