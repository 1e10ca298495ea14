//! Machine code with virtual registers: what instruction selection makes and the register
//! allocator reads.
//!
//! Instruction selection walks backwards, so [`VCodeBuilder`] takes blocks last to first and, in a
//! block, instructions last to first. [`VCodeBuilder::finish`] turns everything round, replaces
//! aliased registers and collects operands.

use super::order::{BlockOrder, MBlock};
use crate::ir::SourceLoc;
use regalloc2::{Block, Function, Inst, InstRange, Operand, PRegSet, RegClass, VReg};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// How an instruction ends a block, as far as the allocator cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockEnd {
    /// It does not.
    None,
    /// Goes on to the block's successors.
    Branch,
    /// Leaves the function.
    Ret,
}

/// A machine instruction of some instruction set.
pub trait MachInst: Sized {
    /// Appends the operands in the order in which allocations are given back, after replacing each
    /// virtual register by what `resolve` says. Returns the registers destroyed besides.
    fn collect_operands(
        &mut self,
        resolve: &dyn Fn(VReg) -> VReg,
        out: &mut Vec<Operand>,
    ) -> PRegSet;

    /// Whether it ends a block.
    fn block_end(&self) -> BlockEnd;
}

/// A block of machine code.
#[derive(Clone, Debug, Default)]
struct BlockRanges {
    insts: Range<u32>,
    params: Range<u32>,
    succs: Range<u32>,
    preds: Range<u32>,
    /// One range in `vregs` per successor: `edge_args[edges.start + n]`.
    edges: u32,
}

/// A function in machine instructions.
#[derive(Debug)]
pub struct VCode<I> {
    /// Instructions of all blocks in order.
    pub insts: Vec<I>,
    /// Where each instruction comes from.
    pub locs: Vec<SourceLoc>,
    /// What the blocks stand for.
    pub order: BlockOrder,
    blocks: Vec<BlockRanges>,
    succs_preds: Vec<Block>,
    vregs: Vec<VReg>,
    edge_args: Vec<Range<u32>>,
    operands: Vec<Operand>,
    operand_ends: Vec<u32>,
    clobbers: FxHashMap<u32, PRegSet>,
    num_vregs: u32,
    /// Size of what is kept in float registers, and so of their spill slots: more than 8 bytes if there are vectors.
    pub float_bytes: u32,
}

impl<I> VCode<I> {
    /// Instructions of a block.
    pub fn block_range(&self, b: MBlock) -> Range<usize> {
        let r = &self.blocks[b.index()].insts;
        r.start as usize..r.end as usize
    }

    /// Registers destroyed by instructions with fixed effects (calls), in no order.
    pub fn all_clobbers(&self) -> impl Iterator<Item = PRegSet> + '_ {
        self.clobbers.values().copied()
    }
}

impl<I: MachInst> VCode<I> {
    /// Puts instructions in front of those at the positions given, which ascend. They must not change registers besides
    /// their operands.
    pub fn insert(&mut self, added: Vec<(usize, I)>) {
        let before = |at: u32| added.partition_point(|(p, _)| *p < at as usize) as u32;
        for b in &mut self.blocks {
            b.insts = b.insts.start + before(b.insts.start)..b.insts.end + before(b.insts.end);
        }
        let clobbers = std::mem::take(&mut self.clobbers);
        // What stands in front of an instruction moves it too.
        let moved = clobbers.into_iter().map(|(i, c)| (i + before(i + 1), c));
        self.clobbers = moved.collect();
        let total = self.insts.len() + added.len();
        let mut insts = Vec::with_capacity(total);
        let mut locs = Vec::with_capacity(total);
        let mut operands = Vec::with_capacity(self.operands.len() + added.len());
        let mut operand_ends = Vec::with_capacity(total);
        let mut added = added.into_iter().peekable();
        let mut start = 0;
        for (i, inst) in std::mem::take(&mut self.insts).into_iter().enumerate() {
            while let Some((_, mut new)) = added.next_if(|(at, _)| *at == i) {
                new.collect_operands(&|v| v, &mut operands);
                insts.push(new);
                locs.push(self.locs[i]);
                operand_ends.push(operands.len() as u32);
            }
            operands.extend_from_slice(&self.operands[start..self.operand_ends[i] as usize]);
            start = self.operand_ends[i] as usize;
            insts.push(inst);
            locs.push(self.locs[i]);
            operand_ends.push(operands.len() as u32);
        }
        (self.insts, self.locs) = (insts, locs);
        (self.operands, self.operand_ends) = (operands, operand_ends);
    }
}

impl<I: MachInst> Function for VCode<I> {
    fn num_insts(&self) -> usize {
        self.insts.len()
    }

    fn num_blocks(&self) -> usize {
        self.blocks.len()
    }

    fn entry_block(&self) -> Block {
        Block::new(0)
    }

    fn block_insns(&self, block: Block) -> InstRange {
        let r = &self.blocks[block.index()].insts;
        InstRange::new(Inst::new(r.start as usize), Inst::new(r.end as usize))
    }

    fn block_succs(&self, block: Block) -> &[Block] {
        slice(&self.succs_preds, &self.blocks[block.index()].succs)
    }

    fn block_preds(&self, block: Block) -> &[Block] {
        slice(&self.succs_preds, &self.blocks[block.index()].preds)
    }

    fn block_params(&self, block: Block) -> &[VReg] {
        slice(&self.vregs, &self.blocks[block.index()].params)
    }

    fn is_ret(&self, insn: Inst) -> bool {
        self.insts[insn.index()].block_end() == BlockEnd::Ret
    }

    fn is_branch(&self, insn: Inst) -> bool {
        self.insts[insn.index()].block_end() == BlockEnd::Branch
    }

    fn branch_blockparams(&self, block: Block, _insn: Inst, succ_idx: usize) -> &[VReg] {
        let first = self.blocks[block.index()].edges as usize;
        slice(&self.vregs, &self.edge_args[first + succ_idx])
    }

    fn inst_operands(&self, insn: Inst) -> &[Operand] {
        let i = insn.index();
        let start = if i == 0 { 0 } else { self.operand_ends[i - 1] };
        slice(&self.operands, &(start..self.operand_ends[i]))
    }

    fn inst_clobbers(&self, insn: Inst) -> PRegSet {
        self.clobbers
            .get(&(insn.index() as u32))
            .copied()
            .unwrap_or_default()
    }

    fn num_vregs(&self) -> usize {
        self.num_vregs as usize
    }

    fn spillslot_size(&self, class: RegClass) -> usize {
        match class {
            RegClass::Float => self.float_bytes as usize / 8,
            _ => 1,
        }
    }
}

fn slice<'a, T>(v: &'a [T], r: &Range<u32>) -> &'a [T] {
    &v[r.start as usize..r.end as usize]
}

/// Collects a function backwards.
#[derive(Debug)]
pub struct VCodeBuilder<I> {
    order: BlockOrder,
    /// Reversed until `finish`.
    insts: Vec<I>,
    locs: Vec<SourceLoc>,
    /// Blocks in the order they were finished (last first), their instructions as reversed ranges.
    block_ends: Vec<u32>,
    params: Vec<Vec<VReg>>,
    edge_args: Vec<Vec<Vec<VReg>>>,
    /// For each register the one it is another name of, if any.
    aliases: Vec<Option<VReg>>,
    num_vregs: u32,
    float_bytes: u32,
}

impl<I: MachInst> VCodeBuilder<I> {
    /// For a function with these blocks and this size of float registers.
    pub fn new(order: BlockOrder, float_bytes: u32) -> Self {
        let n = order.blocks.len();
        VCodeBuilder {
            order,
            insts: Vec::new(),
            locs: Vec::new(),
            block_ends: Vec::with_capacity(n),
            params: vec![Vec::new(); n],
            edge_args: vec![Vec::new(); n],
            aliases: Vec::new(),
            num_vregs: 0,
            float_bytes,
        }
    }

    /// The blocks.
    pub fn order(&self) -> &BlockOrder {
        &self.order
    }

    /// A new virtual register.
    pub fn new_vreg(&mut self, class: RegClass) -> VReg {
        let v = VReg::new(self.num_vregs as usize, class);
        self.num_vregs += 1;
        self.aliases.push(None);
        v
    }

    /// Number of virtual registers made so far.
    pub fn num_vregs(&self) -> u32 {
        self.num_vregs
    }

    /// Makes `v` another name of `of`. `v` must never be defined by an instruction.
    pub fn alias(&mut self, v: VReg, of: VReg) {
        debug_assert_ne!(self.resolve(of), v);
        self.aliases[v.vreg()] = Some(of);
    }

    fn resolve(&self, v: VReg) -> VReg {
        resolve(&self.aliases, v)
    }

    /// Appends instructions given in execution order, standing before everything added so far.
    pub fn prepend(&mut self, insts: impl DoubleEndedIterator<Item = (I, SourceLoc)>) {
        for (inst, loc) in insts.rev() {
            self.insts.push(inst);
            self.locs.push(loc);
        }
    }

    /// Sets the parameters of a block.
    pub fn set_params(&mut self, b: MBlock, params: Vec<VReg>) {
        self.params[b.index()] = params;
    }

    /// Sets the arguments passed to the successors of a block, in successor order.
    pub fn set_edge_args(&mut self, b: MBlock, args: Vec<Vec<VReg>>) {
        self.edge_args[b.index()] = args;
    }

    /// Everything added since the last call belongs to the last block not yet finished.
    pub fn finish_block(&mut self) {
        self.block_ends.push(self.insts.len() as u32);
    }

    /// The complete function.
    pub fn finish(mut self) -> VCode<I> {
        self.insts.reverse();
        self.locs.reverse();
        let total = self.insts.len() as u32;
        let n = self.order.blocks.len();
        debug_assert_eq!(self.block_ends.len(), n);
        let mut code = VCode {
            insts: self.insts,
            locs: self.locs,
            blocks: Vec::with_capacity(n),
            succs_preds: Vec::new(),
            vregs: Vec::new(),
            edge_args: Vec::new(),
            operands: Vec::new(),
            operand_ends: Vec::new(),
            clobbers: FxHashMap::default(),
            num_vregs: self.num_vregs,
            float_bytes: self.float_bytes,
            order: self.order,
        };
        for (i, b) in code.order.blocks.iter().enumerate() {
            // Block i was finished as number n-1-i, and positions count from the end.
            let k = n - 1 - i;
            let before = if k == 0 { 0 } else { self.block_ends[k - 1] };
            let mut r = BlockRanges {
                insts: total - self.block_ends[k]..total - before,
                edges: code.edge_args.len() as u32,
                ..BlockRanges::default()
            };
            r.params = append(&mut code.vregs, self.params[i].iter().copied());
            r.succs = append(
                &mut code.succs_preds,
                b.succs.iter().map(|s| Block::new(s.index())),
            );
            r.preds = append(
                &mut code.succs_preds,
                b.preds.iter().map(|s| Block::new(s.index())),
            );
            let args = &mut self.edge_args[i];
            args.resize(b.succs.len(), Vec::new());
            for a in args.iter() {
                let a = a.iter().map(|v| resolve(&self.aliases, *v));
                let range = append(&mut code.vregs, a);
                code.edge_args.push(range);
            }
            code.blocks.push(r);
        }
        let aliases = self.aliases;
        for (i, inst) in code.insts.iter_mut().enumerate() {
            let clobbers = inst.collect_operands(&|v| resolve(&aliases, v), &mut code.operands);
            code.operand_ends.push(code.operands.len() as u32);
            if clobbers != PRegSet::empty() {
                code.clobbers.insert(i as u32, clobbers);
            }
        }
        code
    }
}

fn resolve(aliases: &[Option<VReg>], mut v: VReg) -> VReg {
    while let Some(of) = aliases[v.vreg()] {
        v = of;
    }
    v
}

fn append<T>(to: &mut Vec<T>, items: impl Iterator<Item = T>) -> Range<u32> {
    let start = to.len() as u32;
    to.extend(items);
    start..to.len() as u32
}
