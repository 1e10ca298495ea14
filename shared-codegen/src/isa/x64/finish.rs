//! From allocated code to a blob: the allocator's moves, block layout, small cleanups that need to
//! know the registers. Frames are made in `prologue`.

use super::emit::{ConstMode, EmitOptions, Emitter};
use super::encode::FrameMap;
use super::inst::MInst;
use super::lower::{Lowered, block_label};
use super::operand::{Amode, Cc, Lanes, RegImm, RegMem, RegMemImm, Size};
use super::ops::*;
use super::peephole::{self, Line};
use super::regs::{self, Reg};
use super::reload::SpillCache;
use super::upper_halves;
use super::visit::Substitute;
use crate::abi::trap::TrapKind;
use crate::compile::{CompileError, MachinePasses};
use crate::emit::{CodeBlob, FrameInfo};
use crate::ir::{Function, RegionKind, SourceLoc};
use crate::mach::Label;
use crate::mach::buffer::Alignment;
use crate::mach::frame::FrameLayout;
use crate::mach::layout::{layout, tight_loops};
use crate::mach::order::{MBlock, Origin};
use crate::mach::regalloc::written_registers;
use regalloc2::{Allocation, Edit, Output, PReg, ProgPoint, RegClass};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Where tight loops begin: as compilers for this processor family do it.
const LOOP_ALIGNMENT: Alignment = Alignment { to: 16, most: 10 };

/// Emits an allocated function.
pub fn finish(
    f: &Function,
    mut lowered: Lowered,
    allocation: &Output,
    passes: MachinePasses,
    options: &EmitOptions<'_>,
) -> Result<(CodeBlob, Polished), CompileError> {
    let written = written_registers(&lowered.code, allocation);
    // The unwinder enters handlers without restoring registers, so everything must be in the frame.
    let keep_all = !f.regions.is_empty();
    let saved: Vec<PReg> = regs::CALLEE_SAVED
        .into_iter()
        .filter(|r| keep_all || written.contains(*r))
        .collect();
    let frame = FrameLayout::compute(
        f,
        &lowered.used_slots,
        saved.len() as u32,
        allocation.num_spillslots,
        lowered.outgoing,
    )
    .map_err(|_| CompileError::TooLarge("stack frame"))?;
    let map = FrameMap {
        slots: frame.slots.clone(),
        spills: frame.spills,
    };
    let forward = forwarding(f, &lowered, allocation);
    let mut emitter = Emitter::new(options, lowered.num_labels, map);
    emitter.vex = lowered.code.float_bytes == 32;
    for c in &lowered.pool {
        emitter.place_constant(c.label, &c.bits.to_bytes()[..c.size as usize]);
    }
    let upper_in_use = upper_halves::in_use(&lowered.code, allocation);
    let insts = std::mem::take(&mut lowered.code.insts);
    let mut finish = Finish {
        f,
        lowered: &lowered,
        allocation,
        frame: &frame,
        saved: &saved,
        forward: &forward,
        emitter,
        faulting: None,
        upper: false,
        upper_in_use: &upper_in_use,
        spills: SpillCache::default(),
        spills_after: vec![None; lowered.code.order.blocks.len()],
        passes,
        loc: SourceLoc::default(),
        lines: Vec::new(),
        values_after: vec![None; lowered.code.order.blocks.len()],
        polished: Polished::default(),
    };
    finish.prologue();
    finish.flush();
    let forward = finish.body(insts);
    let info = FrameInfo {
        size: frame.size,
        saved: saved.iter().map(|r| 1 << r.hw_enc()).sum(),
    };
    let handler = |b| {
        let m = lowered.code.order.handler(b)?;
        Some(forward[m.index()])
    };
    let polished = finish.polished;
    let blob = finish
        .emitter
        .finish(f, info, &handler)
        .map_err(|e| CompileError::Internal(e.to_string()))?;
    Ok((blob, polished))
}

/// What the peephole pass did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Polished {
    /// How long it took.
    pub time: Duration,
    /// Instructions before.
    pub before: usize,
    /// Instructions after.
    pub after: usize,
}

/// Options of emission that follow from how constants are reached.
pub fn emit_options(policy: crate::compile::ConstPolicy) -> EmitOptions<'static> {
    EmitOptions {
        consts: match policy {
            crate::compile::ConstPolicy::Jit => ConstMode::Immediate,
            crate::compile::ConstPolicy::Aot => ConstMode::Cell,
        },
        ..EmitOptions::default()
    }
}

/// For each block the label to use for it: blocks that only jump on are passed over.
fn forwarding(f: &Function, lowered: &Lowered, allocation: &Output) -> Vec<Label> {
    let code = &lowered.code;
    let n = code.order.blocks.len();
    let mut next: Vec<Option<Label>> = vec![None; n];
    for (i, next) in next.iter_mut().enumerate().skip(1) {
        let range = code.block_range(MBlock(i as u32));
        let (jump, before) = (range.end - 1, range.start..range.end - 1);
        let nothing = |i: usize| matches!(code.insts[i], MInst::KeepAlive { .. });
        if !before.into_iter().all(nothing) || have_moves(allocation, range) {
            continue;
        }
        if let MInst::Jmp { target } = code.insts[jump]
            && target.index() != i
        {
            *next = Some(target);
        }
    }
    follow(f, lowered, next)
}

/// For each block the one to use for it, given where blocks lead that do nothing but jump. Filters have
/// code at their beginning and stay.
fn follow(f: &Function, lowered: &Lowered, mut next: Vec<Option<Label>>) -> Vec<Label> {
    for (_, m) in filters(f, lowered) {
        next[m.index()] = None;
    }
    let n = next.len();
    (0..n)
        .map(|i| {
            let mut at = i;
            // The bound ends walks into empty endless loops, whose blocks all stay.
            for _ in 0..n {
                match next[at] {
                    Some(l) if l.index() == i => return Label(i as u32),
                    Some(l) => at = l.index(),
                    None => break,
                }
            }
            Label(at as u32)
        })
        .collect()
}

/// Did the allocator put moves among these instructions?
fn have_moves(allocation: &Output, range: Range<usize>) -> bool {
    let point = |inst: usize| ProgPoint::before(regalloc2::Inst::new(inst));
    let k = allocation
        .edits
        .partition_point(|(p, _)| *p < point(range.start));
    let next = allocation.edits.get(k);
    next.is_some_and(|(p, _)| *p < point(range.end))
}

/// Filter blocks with their machine blocks.
fn filters<'a>(
    f: &'a Function,
    lowered: &'a Lowered,
) -> impl Iterator<Item = (crate::ir::Block, MBlock)> + 'a {
    f.regions.iter().filter_map(|r| match r.kind {
        RegionKind::Filter(b) => Some((b, lowered.code.order.handler(b)?)),
        _ => None,
    })
}

/// What is known where a block starts: what its only predecessor knew, unless the unwinder enters too.
fn known_before<T: Clone + Default>(lowered: &Lowered, after: &[Option<T>], b: MBlock) -> T {
    let blocks = &lowered.code.order.blocks;
    match blocks[b.index()].preds[..] {
        [p] if blocks[p.index()].origin != Origin::Prologue => {
            after[p.index()].clone().unwrap_or_default()
        }
        _ => T::default(),
    }
}

/// Lets branches pass over empty blocks.
fn retarget(inst: &mut MInst, forward: &[Label]) {
    let new = |l: &mut Label| *l = forward.get(l.index()).copied().unwrap_or(*l);
    match inst {
        MInst::Jmp { target } => new(target),
        MInst::EhEntry { body, .. } => new(body),
        MInst::Branch { taken, other, .. } | MInst::BranchOr { taken, other, .. } => {
            new(taken);
            new(other);
        }
        MInst::JumpTable { targets, .. } => targets.iter_mut().for_each(new),
        _ => {}
    }
}

/// The code of all blocks before it has its order.
struct BlockLines {
    lines: Vec<Line>,
    /// Where each block's are.
    ranges: Vec<Range<usize>>,
}

impl BlockLines {
    fn add(&mut self, b: MBlock, lines: &mut Vec<Line>) {
        let start = self.lines.len();
        self.lines.append(lines);
        self.ranges[b.index()] = start..self.lines.len();
    }

    /// Instructions of a block, if it calls nothing.
    fn round_size(&self, b: MBlock) -> Option<u32> {
        let lines = &self.lines[self.ranges[b.index()].clone()];
        let calls = lines.iter().any(|l| {
            matches!(
                l.inst,
                MInst::Call { .. }
                    | MInst::CallReg { .. }
                    | MInst::AllocObject { .. }
                    | MInst::AllocArray { .. }
            )
        });
        (!calls).then_some(lines.len() as u32)
    }
}

/// A function being finished.
pub(super) struct Finish<'a, 'e> {
    pub(super) f: &'a Function,
    pub(super) lowered: &'a Lowered,
    allocation: &'a Output,
    pub(super) frame: &'a FrameLayout,
    pub(super) saved: &'a [PReg],
    forward: &'a [Label],
    pub(super) emitter: Emitter<'e>,
    /// The next instruction of the function (not the allocator's moves) may fault.
    faulting: Option<TrapKind>,
    /// The upper halves of vector registers may be in use at this point.
    upper: bool,
    /// The same where each block starts.
    upper_in_use: &'a [bool],
    /// Spilled values in registers, at this point.
    spills: SpillCache,
    /// The same at the ends of the blocks emitted so far.
    spills_after: Vec<Option<SpillCache>>,
    passes: MachinePasses,
    /// Source position of what is emitted.
    loc: SourceLoc,
    /// Instructions of the block on their way to the emitter.
    lines: Vec<Line>,
    /// Values in registers at the ends of blocks, for the peephole pass.
    values_after: Vec<Option<peephole::Registers>>,
    polished: Polished,
}

pub(super) const RSP: Reg = Reg::phys(regs::RSP);
pub(super) const RBP: Reg = Reg::phys(regs::RBP);
pub(super) const R11: Reg = Reg::phys(regs::R11);

pub(super) fn mov(src: Reg, dst: Reg) -> MInst {
    MInst::Mov {
        size: Size::S64,
        src: RegMem::Reg(src),
        dst,
    }
}

pub(super) fn alu_imm(op: AluOp, dst: Reg, imm: i32) -> MInst {
    MInst::Alu {
        op,
        size: Size::S64,
        src1: dst,
        src2: RegMemImm::Imm(imm),
        dst,
    }
}

impl Finish<'_, '_> {
    pub(super) fn emit(&mut self, inst: MInst) {
        let (loc, trap) = (self.loc, None);
        self.lines.push(Line { inst, loc, trap });
    }

    /// Hands what has gathered to the emitter.
    fn flush(&mut self) {
        for line in std::mem::take(&mut self.lines) {
            self.emit_line(&line);
        }
    }

    fn emit_line(&mut self, line: &Line) {
        self.emitter.set_loc(line.loc);
        if let Some(kind) = line.trap {
            self.emitter.trap_here(kind);
        }
        self.emitter.emit(&line.inst);
    }

    /// Makes the code of all blocks, then puts it in order. Gives the block to use for each.
    fn body(&mut self, mut insts: Vec<MInst>) -> Vec<Label> {
        let filters: Vec<MBlock> = filters(self.f, self.lowered).map(|(_, m)| m).collect();
        let mut code = BlockLines {
            lines: Vec::with_capacity(insts.len() + self.allocation.edits.len()),
            ranges: vec![0..0; self.forward.len()],
        };
        for b in (0..self.forward.len() as u32).map(MBlock) {
            if self.forward[b.index()] != block_label(b) {
                continue;
            }
            if filters.contains(&b) {
                self.emit(alu_imm(AluOp::Sub, RSP, self.filter_frame()));
            }
            self.spills = known_before(self.lowered, &self.spills_after, b);
            self.upper = self.upper_in_use[b.index()];
            self.block(b, &mut insts);
            self.spills_after[b.index()] = Some(std::mem::take(&mut self.spills));
            if self.passes.peephole {
                self.polish(b);
            }
            code.add(b, &mut self.lines);
        }
        let forward = match self.passes.peephole {
            true => self.without_empty(&code),
            false => self.forward.to_vec(),
        };
        self.place(code, &forward);
        forward
    }

    /// The peephole pass over a block.
    fn polish(&mut self, b: MBlock) {
        let start = Instant::now();
        self.polished.before += self.lines.len();
        let mut values = known_before(self.lowered, &self.values_after, b);
        peephole::run(&mut self.lines, &mut values);
        self.values_after[b.index()] = Some(values);
        self.polished.after += self.lines.len();
        self.polished.time += start.elapsed();
    }

    /// Passes over blocks that have lost all but their jump.
    fn without_empty(&self, code: &BlockLines) -> Vec<Label> {
        let next = code.ranges.iter().enumerate().map(|(i, range)| {
            let doing = |l: &&Line| !matches!(l.inst, MInst::KeepAlive { .. });
            let mut lines = code.lines[range.clone()].iter().filter(doing);
            match (lines.next().map(|l| &l.inst), lines.next()) {
                (Some(MInst::Jmp { target }), None) if i > 0 => {
                    Some(self.forward[target.index()]).filter(|t| t.index() != i)
                }
                _ => None,
            }
        });
        let follow = follow(self.f, self.lowered, next.collect());
        let first = self.forward.iter();
        first.map(|l| follow[l.index()]).collect()
    }

    /// Emits the blocks in the order in which they are to stand.
    fn place(&mut self, mut code: BlockLines, forward: &[Label]) {
        let order = &self.lowered.code.order;
        let layout = layout(order, forward, self.passes.gather_loops);
        let aligned = match self.passes.align_loops {
            true => tight_loops(order, forward, &layout, &|b| code.round_size(b)),
            false => Vec::new(),
        };
        for (n, &b) in layout.iter().enumerate() {
            let following = layout.get(n + 1).map(|b| block_label(*b));
            let region = order.blocks[b.index()].region;
            if aligned.contains(&b) {
                self.emitter.align(LOOP_ALIGNMENT);
            }
            self.emitter.begin_block(block_label(b), region, following);
            for line in &mut code.lines[code.ranges[b.index()].clone()] {
                retarget(&mut line.inst, forward);
                self.emit_line(line);
            }
        }
    }

    fn block(&mut self, b: MBlock, insts: &mut [MInst]) {
        let range = self.lowered.code.block_range(b);
        let first = ProgPoint::before(regalloc2::Inst::new(range.start));
        let edits = &self.allocation.edits;
        let mut next = edits.partition_point(|(p, _)| *p < first);
        for i in range {
            let inst = regalloc2::Inst::new(i);
            while let Some((p, edit)) = edits.get(next)
                && *p <= ProgPoint::before(inst)
            {
                let Edit::Move { from, to } = edit;
                self.edit(*from, *to);
                self.upper |= self.emitter.vex && upper_halves::moves_vectors(edit);
                next += 1;
            }
            let mut code = std::mem::replace(&mut insts[i], MInst::Int3 {});
            code.visit_operands(&mut Substitute {
                allocs: self.allocation.inst_allocs(inst).iter(),
            });
            self.spills.instruction(&mut code);
            self.loc = self.lowered.code.locs[i];
            self.inst(code);
        }
    }

    /// A move between registers, or between a register and a spill slot.
    fn edit(&mut self, from: Allocation, to: Allocation) {
        let spill = |a: Allocation| a.as_stack().map(|s| s.index() as u32);
        let inst = match (from.as_reg(), to.as_reg(), spill(from), spill(to)) {
            (Some(a), Some(b), ..) => {
                self.spills.copy(a, b);
                self.reg_move(a, b)
            }
            (Some(a), _, _, Some(slot)) if self.spills.store(a, slot) => self.store_move(a, slot),
            (Some(_), _, _, Some(_)) => return,
            (_, Some(b), Some(slot), _) => match self.spills.load(slot, b) {
                Some(a) => self.reg_move(a, b),
                None => self.load_move(slot, b),
            },
            _ => {
                debug_assert!(false, "the allocator makes no moves between slots");
                return;
            }
        };
        if let MInst::Mov {
            src: RegMem::Reg(src),
            dst,
            ..
        }
        | MInst::SseMov {
            src: RegMem::Reg(src),
            dst,
            ..
        }
        | MInst::AvxMov {
            src: RegMem::Reg(src),
            dst,
            ..
        } = &inst
            && src == dst
        {
            return;
        }
        self.emit(inst);
    }

    /// What moves a float register from and to its spill slot.
    fn float_move(&self) -> SseMovOp {
        match self.lowered.code.float_bytes {
            8 => SseMovOp::Movsd,
            _ => SseMovOp::Movups,
        }
    }

    fn store_move(&self, a: PReg, slot: u32) -> MInst {
        let (src, dst) = (Reg::phys(a), Amode::Spill(slot));
        match a.class() {
            RegClass::Int => MInst::Store {
                size: Size::S64,
                dst,
                src: RegImm::Reg(src),
            },
            _ if self.emitter.vex => MInst::AvxStore {
                op: SseMovOp::Movups,
                lanes: Lanes::Y,
                dst,
                src,
            },
            _ => MInst::SseStore {
                op: self.float_move(),
                dst,
                src,
            },
        }
    }

    fn load_move(&self, slot: u32, b: PReg) -> MInst {
        let (src, dst) = (RegMem::Mem(Amode::Spill(slot)), Reg::phys(b));
        match b.class() {
            RegClass::Int => MInst::Mov {
                size: Size::S64,
                src,
                dst,
            },
            _ if self.emitter.vex => MInst::AvxMov {
                op: SseMovOp::Movups,
                lanes: Lanes::Y,
                src,
                dst,
            },
            _ => MInst::SseMovScalar {
                op: self.float_move(),
                src,
                dst,
            },
        }
    }

    fn reg_move(&self, a: PReg, b: PReg) -> MInst {
        let (src, dst) = (RegMem::Reg(Reg::phys(a)), Reg::phys(b));
        match a.class() {
            RegClass::Int => MInst::Mov {
                size: Size::S64,
                src,
                dst,
            },
            _ if self.emitter.vex => MInst::AvxMov {
                op: SseMovOp::Movaps,
                lanes: Lanes::Y,
                src,
                dst,
            },
            _ => MInst::SseMov {
                op: SseMovOp::Movaps,
                src,
                dst,
            },
        }
    }

    /// Emits an instruction of the function: expanded if it needs the frame, simplified if its
    /// registers allow it.
    fn inst(&mut self, inst: MInst) {
        if self.upper && inst.leaves_function() {
            self.emit(MInst::Vzeroupper {});
            self.upper = false;
        }
        self.upper |= inst.touches_upper_halves();
        match inst {
            MInst::Ret { .. } | MInst::JmpFixup { .. } | MInst::JmpReg { .. } => {
                self.epilogue();
                self.emit(inst);
            }
            MInst::FilterRet { regs } => {
                self.emit(alu_imm(AluOp::Add, RSP, self.filter_frame()));
                self.emit(MInst::Ret { regs });
            }
            MInst::StackAlloc { bytes, tmp, dst } => self.stack_alloc(bytes, tmp, dst),
            MInst::Lea { size, addr, dst } => {
                if let Some(i) = simpler_lea(size, addr, dst) {
                    self.emit(i);
                }
            }
            MInst::Mov {
                size: Size::S64,
                src: RegMem::Reg(src),
                dst,
            } if src == dst => {}
            // Without this the conversion would wait for the register's last value.
            MInst::IntToFloat { dst, .. } => {
                self.emit(MInst::ZeroXmm { dst });
                self.emit_marked(inst);
            }
            MInst::Faulting { kind } => self.faulting = Some(kind),
            _ => self.emit_marked(inst),
        }
    }

    /// Emits an instruction, with a trap entry if it may fault.
    fn emit_marked(&mut self, inst: MInst) {
        let (loc, trap) = (self.loc, self.faulting.take());
        self.lines.push(Line { inst, loc, trap });
    }

    /// Stack a filter takes below its return address: outgoing arguments, and alignment.
    fn filter_frame(&self) -> i32 {
        self.frame.outgoing.next_multiple_of(16) as i32 + 8
    }

    /// `rsp -= bytes` (a multiple of 16), if the stack has as much left; `dst` is the memory gained.
    fn stack_alloc(&mut self, bytes: Reg, tmp: Reg, dst: Reg) {
        self.emit(mov(RSP, tmp));
        self.emit(MInst::Alu {
            op: AluOp::Sub,
            size: Size::S64,
            src1: tmp,
            src2: RegMemImm::Reg(bytes),
            dst: tmp,
        });
        // A size that does not fit the address space wraps around: no stack is that large.
        self.emit(MInst::TrapIf {
            cc: Cc::B,
            kind: TrapKind::StackOverflow,
        });
        self.require_stack(tmp);
        self.emit(mov(tmp, RSP));
        let outgoing = self.frame.outgoing.next_multiple_of(16) as i32;
        self.emit(MInst::Lea {
            size: Size::S64,
            addr: Amode::base(RSP, outgoing),
            dst,
        });
    }
}

/// `lea` as `mov` or `add` where those do the same. Flags are dead at a `lea`: selection puts
/// nothing but the allocator's moves between an instruction that sets flags and its user.
fn simpler_lea(size: Size, addr: Amode, dst: Reg) -> Option<MInst> {
    let lea = Some(MInst::Lea { size, addr, dst });
    let Amode::Mem {
        base,
        index,
        shift,
        disp,
    } = addr
    else {
        return lea;
    };
    let add = |src2| {
        Some(MInst::Alu {
            op: AluOp::Add,
            size,
            src1: dst,
            src2,
            dst,
        })
    };
    match (index.is_some(), shift, disp) {
        (false, _, 0) if base == dst && size == Size::S64 => None,
        (false, _, 0) => Some(MInst::Mov {
            size,
            src: RegMem::Reg(base),
            dst,
        }),
        (false, _, n) if base == dst => add(RegMemImm::Imm(n)),
        (true, 0, 0) if base == dst => add(RegMemImm::Reg(index)),
        (true, 0, 0) if index == dst => add(RegMemImm::Reg(base)),
        _ => lea,
    }
}
