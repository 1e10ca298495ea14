//! Instruction selection: IR at `Low` level to machine instructions with virtual registers.
//!
//! Blocks are walked last to first and instructions backwards, so that an instruction is reached
//! after all its users. It is lowered if it has effects or if a user asked for its result in a
//! register; users may instead have absorbed it (an address, a constant, a load as memory operand).
//! Which machine instructions to use is said by the rules in `../rules`, compiled to Rust; this
//! module is the driver, and the siblings implement what the rules call.

mod address;
mod call;
mod context;
mod control;
mod divide;
mod emit;
mod memory;
mod probe;
mod upper;
mod vector;
#[allow(
    clippy::all,
    unused_variables,
    unused_imports,
    dead_code,
    missing_docs,
    unreachable_patterns,
    unused_mut,
    irrefutable_let_patterns,
    reason = "generated code"
)]
mod rules {
    use super::context::rule_types::*;
    include!(concat!(env!("OUT_DIR"), "/x64_rules.rs"));
}

use super::Features;
use super::inst::{FixedRegs, MInst};
use super::operand::{Amode, RegMem};
use super::regs::{self, Reg};
use super::visit::{OperandVisitor, Role};
use crate::analysis::Loops;
use crate::compile::{CompileError, ConstPolicy};
use crate::ir::vector::Bits;
use crate::ir::{Function, Fx, Imm, Inst, Op, SourceLoc, Type, Value};
use crate::mach::Label;
use crate::mach::order::{BlockOrder, MBlock, Origin};
use crate::mach::vcode::{BlockEnd, MachInst, VCode, VCodeBuilder};
use regalloc2::{Operand, PRegSet, RegClass, VReg};
use smallvec::SmallVec;

/// A constant in the code's constant pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolConst {
    /// Where it will be.
    pub label: Label,
    /// Its bits.
    pub bits: Bits,
    /// 4, 8, 16 or 32 bytes.
    pub size: u32,
}

/// What instruction selection hands on.
#[derive(Debug)]
pub struct Lowered {
    /// The code.
    pub code: VCode<MInst>,
    /// Constants it refers to.
    pub pool: Vec<PoolConst>,
    /// Bytes of outgoing stack arguments.
    pub outgoing: u32,
    /// It calls something, so its frame can be on the stack when the stack is walked or full.
    pub has_calls: bool,
    /// It moves the stack pointer.
    pub has_localloc: bool,
    /// Stack slots that the code or the unwinder uses.
    pub used_slots: Vec<bool>,
    /// Labels in use; blocks have the first numbers.
    pub num_labels: u32,
}

/// The label of a block.
pub fn block_label(b: MBlock) -> Label {
    Label(b.0)
}

/// How often a value is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Uses {
    None,
    /// Once, by this instruction.
    One(Inst),
    Many,
}

/// State of instruction selection; the rules' context.
pub(super) struct Lower<'f> {
    f: &'f Function,
    features: Features,
    policy: ConstPolicy,
    builder: VCodeBuilder<MInst>,
    /// Machine instructions of the IR instruction in work, in execution order.
    buf: Vec<MInst>,
    /// The IR instruction in work.
    current: Inst,
    /// Its block and position.
    at: (crate::ir::Block, usize),
    /// A null check that a memory access of the instruction in work could do.
    probe: Option<Inst>,
    /// Loads done by instructions further down.
    sunk: Vec<bool>,
    /// Null checks done by the memory accesses behind them.
    probed: Vec<Inst>,
    /// Machine block in work.
    block: MBlock,
    /// Register of each value that was asked for in a register.
    vregs: Vec<Option<VReg>>,
    uses: Vec<Uses>,
    /// Block number of each instruction.
    home: Vec<u32>,
    /// For each block the terminators that go there, with the number of the target.
    edges_into: Vec<SmallVec<[(Inst, u32); 2]>>,
    /// Number of instructions with memory effects before each instruction in its block.
    epoch: Vec<u32>,
    context: Option<VReg>,
    /// Registers of parameters at a pseudo entry, by value number.
    arrivals: Vec<(usize, VReg)>,
    pool: Vec<PoolConst>,
    next_label: u32,
    outgoing: u32,
    used_slots: Vec<bool>,
    has_calls: bool,
    has_localloc: bool,
    /// Made when first asked for.
    loops: Option<Loops>,
    error: Option<CompileError>,
}

/// Selects instructions for a function at `Low` level.
pub fn lower(
    f: &Function,
    features: Features,
    policy: ConstPolicy,
) -> Result<Lowered, CompileError> {
    let order = BlockOrder::compute(f);
    let mut lower = Lower {
        f,
        features,
        policy,
        next_label: order.blocks.len() as u32,
        builder: VCodeBuilder::new(order, float_bytes(f)),
        buf: Vec::new(),
        current: Inst(0),
        at: (f.entry(), 0),
        probe: None,
        sunk: vec![false; f.insts.len()],
        probed: Vec::new(),
        block: MBlock(0),
        vregs: vec![None; f.values.len()],
        uses: vec![Uses::None; f.values.len()],
        home: vec![u32::MAX; f.insts.len()],
        edges_into: vec![SmallVec::new(); f.blocks.len()],
        epoch: vec![0; f.insts.len()],
        context: None,
        arrivals: Vec::new(),
        pool: Vec::new(),
        outgoing: 0,
        used_slots: vec![false; f.slots.len()],
        has_calls: false,
        has_localloc: false,
        loops: None,
        error: None,
    };
    lower.survey();
    for n in (0..lower.builder.order().blocks.len() as u32).rev() {
        lower.lower_block(MBlock(n));
        if let Some(e) = lower.error {
            return Err(e);
        }
    }
    Ok(Lowered {
        pool: lower.pool,
        outgoing: lower.outgoing,
        has_calls: lower.has_calls,
        has_localloc: lower.has_localloc,
        num_labels: lower.next_label,
        used_slots: lower.used_slots,
        code: lower.builder.finish(),
    })
}

/// Ops whose value is made again at each use instead of being kept in a register.
fn is_constant(op: Op) -> bool {
    matches!(
        op,
        Op::Iconst | Op::Fconst | Op::Null | Op::Const | Op::SlotAddr | Op::ThreadPtr
    )
}

impl Lower<'_> {
    /// Counts uses and numbers memory effects.
    fn survey(&mut self) {
        for r in &self.f.regions {
            self.used_slots[r.eh_slot.index()] = true;
        }
        for &b in &self.f.layout {
            if self.builder.order().of_block[b.index()].is_none() {
                continue;
            }
            let mut epoch = 0;
            for &i in &self.f.blocks[b.index()].insts {
                let d = &self.f.insts[i.index()];
                self.home[i.index()] = b.0;
                self.epoch[i.index()] = epoch;
                if d.op.info().fx.intersects(Fx::WRITE | Fx::CALL) {
                    epoch += 1;
                }
                if let Imm::Slot(s, ..) = d.imm {
                    self.used_slots[s.index()] = true;
                }
                for (n, t) in d.targets.iter().enumerate() {
                    self.edges_into[t.block.index()].push((i, n as u32));
                }
                let edge_args = d.targets.iter().flat_map(|t| t.args.iter());
                for &v in d.args.iter().chain(edge_args) {
                    let u = &mut self.uses[self.f.resolve(v).index()];
                    *u = if *u == Uses::None {
                        Uses::One(i)
                    } else {
                        Uses::Many
                    };
                }
            }
        }
    }

    /// Gives up with an error.
    fn fail(&mut self, e: CompileError) {
        self.error.get_or_insert(e);
    }

    /// The register that holds (or will hold) a value.
    fn vreg(&mut self, v: Value) -> VReg {
        let v = self.f.resolve(v);
        if let Some(r) = self.vregs[v.index()] {
            return r;
        }
        let r = self.builder.new_vreg(class(self.f.ty(v)));
        self.vregs[v.index()] = Some(r);
        r
    }

    /// A new register of a class.
    fn temp(&mut self, class: RegClass) -> Reg {
        Reg::virt(self.builder.new_vreg(class))
    }

    fn new_label(&mut self) -> Label {
        self.next_label += 1;
        Label(self.next_label - 1)
    }

    fn lower_block(&mut self, m: MBlock) {
        self.block = m;
        match self.builder.order().blocks[m.index()].origin {
            Origin::Prologue => self.lower_prologue(m),
            Origin::Edge { from, target, .. } => self.lower_edge(m, from, target),
            Origin::Block(b) => {
                let f = self.f;
                let data = &f.blocks[b.index()];
                for (n, &i) in data.insts.iter().enumerate().rev() {
                    self.at = (b, n);
                    self.lower_inst(i);
                }
                if m.0 == 0 {
                    self.lower_args();
                } else {
                    let params = if b == f.entry() {
                        self.entry_params()
                    } else {
                        data.params.clone()
                    };
                    let params = params.into_iter().map(|v| self.vreg(v)).collect();
                    self.builder.set_params(m, params);
                }
            }
        }
        self.builder.finish_block();
    }

    /// Parameters of the function that are used.
    fn entry_params(&self) -> Vec<Value> {
        let entry = &self.f.blocks[self.f.entry().index()];
        let mut params = entry.params.clone();
        params.retain(|v| self.uses[v.index()] != Uses::None);
        params
    }

    fn lower_inst(&mut self, i: Inst) {
        let d = &self.f.insts[i.index()];
        let wanted = d.result.and_then(|v| self.vregs[v.index()]);
        let volatile = matches!(d.imm, Imm::Mem(m) if m.volatile);
        if d.op.is_removable() && wanted.is_none() && !volatile {
            return;
        }
        self.current = i;
        self.probe = None;
        if d.op.is_terminator() {
            self.prepare_edges(i);
        }
        match rules::constructor_lower(self, i) {
            Some(Some(r)) => {
                if let (Some(w), Some(r)) = (wanted, r.as_virt()) {
                    self.builder.alias(w, r);
                }
            }
            Some(None) => {}
            None => self.fail(CompileError::Unsupported(d.op)),
        }
        self.absorb_probe();
        self.flush(d.loc);
    }

    /// Moves the instructions of the IR instruction in work to the builder.
    fn flush(&mut self, loc: SourceLoc) {
        self.builder.prepend(self.buf.drain(..).map(|i| (i, loc)));
    }

    /// Arguments for blocks reached directly; split edges get theirs in the edge block.
    fn prepare_edges(&mut self, i: Inst) {
        let f = self.f;
        let succs = self.builder.order().blocks[self.block.index()]
            .succs
            .clone();
        let mut all = Vec::with_capacity(succs.len());
        for (n, t) in f.insts[i.index()].targets.iter().enumerate() {
            let split = matches!(
                self.builder.order().blocks[succs[n].index()].origin,
                Origin::Edge { .. }
            );
            let values: &[Value] = if split { &[] } else { &t.args };
            all.push(self.edge_values(t.block, values));
        }
        self.builder.set_edge_args(self.block, all);
    }

    /// Registers of block arguments. The entry block takes only what it uses.
    fn edge_values(&mut self, to: crate::ir::Block, values: &[Value]) -> Vec<VReg> {
        let f = self.f;
        let mut regs = Vec::with_capacity(values.len());
        for (n, &v) in values.iter().enumerate() {
            let param = f.blocks[to.index()].params[n];
            if to == f.entry() && self.uses[param.index()] == Uses::None {
                continue;
            }
            let r = self.reg(v);
            regs.extend(r.as_virt());
        }
        regs
    }

    fn lower_edge(&mut self, m: MBlock, from: Option<crate::ir::Block>, target: u32) {
        let f = self.f;
        let mut loc = SourceLoc::default();
        let to = self.builder.order().blocks[m.index()].succs[0];
        if let Some(b) = from {
            let i = f.terminator(b);
            loc = f.insts[i.index()].loc;
            let t = &f.insts[i.index()].targets[target as usize];
            let args = self.edge_values(t.block, &t.args);
            self.builder.set_edge_args(m, vec![args]);
        } else if target == 0 {
            // From the pseudo entry to the entry block.
            let args = self.entry_args();
            self.builder.set_edge_args(m, vec![args]);
        }
        self.buf.push(MInst::Jmp {
            target: block_label(to),
        });
        self.flush(loc);
    }

    /// The registers in which the pseudo entry leaves the function's parameters: the entry block
    /// may have other predecessors, so they are not the registers of its parameters.
    fn entry_args(&mut self) -> Vec<VReg> {
        let params = self.entry_params();
        params.into_iter().map(|v| self.incoming(v)).collect()
    }

    /// The register in which a parameter arrives.
    fn incoming(&mut self, v: Value) -> VReg {
        let prologue = self.builder.order().blocks[0].origin == Origin::Prologue;
        if !prologue {
            return self.vreg(v);
        }
        self.incoming_of(v)
    }

    fn lower_prologue(&mut self, m: MBlock) {
        let succs = self.builder.order().blocks[m.index()].succs.clone();
        let body = block_label(succs[0]);
        let direct = !matches!(
            self.builder.order().blocks[succs[0].index()].origin,
            Origin::Edge { .. }
        );
        let mut args = vec![Vec::new(); succs.len()];
        if direct {
            args[0] = self.entry_args();
        }
        self.builder.set_edge_args(m, args);
        self.buf.push(if succs.len() == 1 {
            MInst::Jmp { target: body }
        } else {
            MInst::EhEntry {
                body,
                handlers: succs[1..].iter().map(|s| block_label(*s)).collect(),
            }
        });
        self.flush(SourceLoc::default());
        self.lower_args();
    }

    /// Arguments as the calling convention delivers them.
    fn lower_args(&mut self) {
        let f = self.f;
        let entry = f.entry();
        let params = f.blocks[entry.index()].params.clone();
        let mut fixed = FixedRegs::default();
        let mut assign = call::ArgAssigner::default();
        let mut loads = Vec::new();
        for v in params {
            let ty = f.ty(v);
            let place = assign.next(ty);
            if self.uses[v.index()] == Uses::None {
                continue;
            }
            let r = Reg::virt(self.incoming(v));
            match place {
                call::ArgPlace::Reg(p) => fixed.defs.push((r, p)),
                call::ArgPlace::Stack(offset) => {
                    loads.push(emit::load_whole(ty, Amode::InArg(offset), r));
                }
            }
        }
        if let Some(c) = self.context {
            fixed.defs.push((Reg::virt(c), regs::CONTEXT));
        }
        self.buf.push(MInst::Args {
            regs: Box::new(fixed),
        });
        self.buf.append(&mut loads);
        self.flush(SourceLoc::default());
    }
}

/// Size of the largest value of the function in a float register.
fn float_bytes(f: &Function) -> u32 {
    let vectors = f.values.iter().filter(|v| v.ty.is_vector());
    vectors.map(|v| v.ty.bytes()).fold(8, u32::max)
}

/// Register class of a type.
fn class(ty: Type) -> RegClass {
    if ty.is_float() || ty.is_vector() {
        RegClass::Float
    } else {
        RegClass::Int
    }
}

/// Lists operands, with aliases of registers replaced.
struct Collect<'a> {
    resolve: &'a dyn Fn(VReg) -> VReg,
    out: &'a mut Vec<Operand>,
}

impl OperandVisitor for Collect<'_> {
    fn reg(&mut self, r: &mut Reg, role: Role) {
        if let Some(v) = r.as_virt() {
            *r = Reg::virt((self.resolve)(v));
            self.out.reg(r, role);
        }
    }

    fn reg_mem(&mut self, rm: &mut RegMem, role: Role) {
        if let RegMem::Reg(r) = rm
            && let Some(v) = r.as_virt()
        {
            *r = Reg::virt((self.resolve)(v));
            self.out.reg_mem(rm, role);
        }
    }
}

impl MInst {
    /// Uses a register and does nothing.
    pub(crate) fn keep(v: VReg) -> MInst {
        MInst::KeepAlive {
            value: RegMem::Reg(Reg::virt(v)),
        }
    }
}

impl MachInst for MInst {
    fn collect_operands(
        &mut self,
        resolve: &dyn Fn(VReg) -> VReg,
        out: &mut Vec<Operand>,
    ) -> PRegSet {
        self.visit_operands(&mut Collect { resolve, out });
        self.clobbers()
    }

    fn block_end(&self) -> BlockEnd {
        match self {
            MInst::Jmp { .. }
            | MInst::Branch { .. }
            | MInst::BranchOr { .. }
            | MInst::JumpTable { .. }
            | MInst::EhEntry { .. } => BlockEnd::Branch,
            MInst::Ret { .. }
            | MInst::FilterRet { .. }
            | MInst::Trap { .. }
            | MInst::JmpReg { .. }
            | MInst::JmpFixup { .. } => BlockEnd::Ret,
            _ => BlockEnd::None,
        }
    }
}
