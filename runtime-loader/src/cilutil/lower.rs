//! `cilutil lower`: methods as machine instructions with virtual registers, after instruction selection.

use super::stage::{Selection, optimized};
use clap::Parser;
use regalloc2::{Block, Function as _};
use shared_codegen::isa::x64::lower::{Lowered, lower};
use shared_codegen::mach::order::MBlock;
use std::io::Write;

/// Shows what instruction selection makes of methods: blocks with parameters, instructions, and the registers each reads
/// and writes (`use` early or late, `def`, with the constraint of the register allocator).
#[derive(Parser, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let plan = args.selection.plan()?;
    args.selection.each(&mut |ctx, m| {
        let f = optimized(ctx, m, &plan)?;
        let lowered = lower(&f, plan.codegen.features, plan.codegen.policy)?;
        writeln!(out, "; {}", ctx.method_full_name(m))?;
        Ok(print(&lowered, out)?)
    })
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<_> = items.into_iter().map(|i| i.to_string()).collect();
    texts.join(", ")
}

fn print(lowered: &Lowered, out: &mut dyn Write) -> std::io::Result<()> {
    let code = &lowered.code;
    for (n, block) in code.order.blocks.iter().enumerate() {
        let params = list(code.block_params(Block::new(n)));
        let cold = if block.cold { ", cold" } else { "" };
        writeln!(out, "mblock{n}({params}): ; {:?}{cold}", block.origin)?;
        for i in code.block_range(MBlock(n as u32)) {
            let at = regalloc2::Inst::new(i);
            let operands = list(code.inst_operands(at));
            let (inst, il) = (&code.insts[i], code.locs[i].il);
            writeln!(out, "  {inst:?}  ; IL_{il:04x} {operands}")?;
        }
        for (s, to) in block.succs.iter().enumerate() {
            let last = code.block_range(MBlock(n as u32)).end.saturating_sub(1);
            let args = code.branch_blockparams(Block::new(n), regalloc2::Inst::new(last), s);
            writeln!(out, "  -> mblock{}({})", to.index(), list(args))?;
        }
    }
    Ok(())
}
