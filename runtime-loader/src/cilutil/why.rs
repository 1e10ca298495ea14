//! `cilutil why`: why methods are, or are not, in an image.

use super::{select, stage::selected};
use anyhow::{Context, anyhow};
use clap::Parser;
use shared_codegen::compile::{CodegenOptions, ConstPolicy, Tier};
use shared_codegen::image::Image;
use shared_codegen::image::failures::ImageFailure;
use shared_codegen::passes::{OptSet, Verify};
use shared_codegen::pipeline::{self, Plan, compile_method};
use shared_codegen::types::{MethodId, TypeContext};
use std::io::Write;
use std::path::PathBuf;

/// Says for each method whether an image has code of it, and if not, why: the reason code that `aotc` wrote into the image,
/// else what compiling it now comes to. Of generic methods it looks at the code shared by all reference types.
#[derive(Parser, Debug)]
pub(super) struct Args {
    #[arg(help = select::METHOD_HELP)]
    method: String,
    /// Assembly or module.
    assembly: PathBuf,
    /// Its image; without it, the one beside the assembly.
    #[arg(long)]
    image: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let path = args.image.clone().unwrap_or_else(|| {
        let mut name = args.assembly.clone().into_os_string();
        name.push(".so");
        name.into()
    });
    let shown = || path.display().to_string();
    let bytes = std::fs::read(&path).with_context(shown)?;
    let image = Image::parse(&bytes)
        .map_err(|e| anyhow!("{e}"))
        .with_context(shown)?;
    let (ctx, methods) = selected(&args.assembly, &args.method)?;
    if methods.is_empty() {
        writeln!(out, "abstract: there is nothing to compile")?;
    }
    for m in methods {
        let answer = answer(&ctx, &image, m).with_context(shown)?;
        writeln!(out, "{}: {answer}", ctx.method_full_name(m))?;
    }
    Ok(())
}

fn answer(ctx: &TypeContext, image: &Image<'_>, m: MethodId) -> anyhow::Result<String> {
    let mut key = Vec::new();
    ctx.encode_method(m, &mut key);
    if let Some(entry) = image.find_method(ctx.stable_method_hash(m), &key)? {
        let (start, size) = (entry.code.start, entry.code.end - entry.code.start);
        let mut answer = format!("in the image: {size} bytes of code at {start:#x}");
        for failure in image.failures(&entry)? {
            let ImageFailure { class, message, .. } = failure;
            answer += &format!("; what could not be compiled raises {class}: {message}");
        }
        return Ok(answer);
    }
    if let Some(l) = image.left_out()?.iter().find(|l| l.method == key) {
        return Ok(format!(
            "not in the image: {}: {}",
            l.reason.code(),
            l.detail
        ));
    }
    Ok(match pipeline::left_out(&compile_method(ctx, m, &plan())) {
        Some((reason, detail)) => {
            format!(
                "not in the image, nor could it be: {}: {detail}",
                reason.code()
            )
        }
        None => "not in the image: not-asked-for: it compiles, but aotc was not given it".into(),
    })
}

fn plan() -> Plan {
    Plan {
        passes: OptSet::all(),
        codegen: CodegenOptions {
            tier: Tier::Opt,
            policy: ConstPolicy::Aot,
            ..CodegenOptions::jit()
        },
        verify: Verify::Off,
        remarks: false,
        stages: false,
    }
}
