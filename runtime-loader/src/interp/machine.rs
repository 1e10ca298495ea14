//! Frames and instructions.

use super::{Interpreted, Layout, calls, memory};
use crate::icall::{Result, Thrown};
use crate::object::Obj;
use crate::runtime::{self, exception};
use crate::threads;
use core::sync::atomic::{Ordering, fence};
use shared_codegen::abi::layout::{array, frame::EH_EXCEPTION, object};
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::ir::eval::{Const, Outcome, compare, eval};
use shared_codegen::ir::vector::{Bits, eval_vector, vector_type};
use shared_codegen::ir::{Block, Function, Imm, InstData, Op, Region, Target, Value};
use smallvec::SmallVec;

/// One activation of a method.
pub(super) struct Frame {
    pub code: &'static Interpreted,
    /// Where its memory is: on the machine's stack, in the frame of the stub.
    base: usize,
    pub block: Block,
    /// Number of the next instruction in the block.
    next: usize,
    /// What `localloc` gave. The collector does not look into it (ECMA-335 III.3.47: it is not managed memory).
    pools: Vec<Vec<u128>>,
    /// Fault handlers being run, innermost last, each with the region that catches, if one of this frame does.
    pub unwinding: Vec<(Region, Option<Region>)>,
}

/// How an instruction went.
enum Flow {
    /// On to the next.
    Next,
    /// Control went elsewhere.
    Moved,
    /// The frame or the filter is done, with these bits.
    Done(u64),
}

/// Runs a method whose arguments are in its frame.
pub(super) fn run(code: &'static Interpreted, base: usize) -> Result<u64> {
    let mut frame = Frame {
        code,
        base,
        block: code.f.entry(),
        next: 0,
        pools: Vec::new(),
        unwinding: Vec::new(),
    };
    frame.begin();
    frame.run()
}

/// Ops that are interpreted.
pub(super) fn is_supported(op: Op) -> bool {
    use Op::*;
    let special = matches!(
        op,
        Const
            | SlotAddr
            | SlotLoad
            | SlotStore
            | ContextArg
            | ThreadPtr
            | Load
            | Store
            | CopyBlock
            | ZeroBlock
            | LocAlloc
            | Fence
            | AtomicXchg
            | AtomicAdd
            | AtomicCas
            | Pause
            | NullCheck
            | ArrayLen
            | MethodTableOf
            | Call
            | CallIndirect
            | CallInternal
            | CallHelper
            | AllocObject
            | AllocArray
            | Poll
            | KeepAlive
            | CatchObject
            | Jump
            | Brif
            | Switch
            | Return
            | Throw
            | Rethrow
            | ResumeUnwind
            | EndFilter
            | Trap
    );
    special || !touches_more_than_operands(op)
}

/// An op that should not have been let in.
fn unknown(data: &InstData) -> Thrown {
    Thrown::system(
        "ExecutionEngineException",
        format!("the interpreter cannot evaluate {}", data.op.info().name),
    )
}

/// Not an op that `ir::eval` covers.
fn touches_more_than_operands(op: Op) -> bool {
    use shared_codegen::ir::Fx;
    let fx = op.info().fx;
    fx.intersects(Fx::READ | Fx::WRITE | Fx::TERM | Fx::CALL | Fx::PIN)
}

impl Frame {
    fn begin(&mut self) {
        let Interpreted { f, layout, .. } = self.code;
        for (n, p) in f.blocks[f.entry().index()].params.iter().enumerate() {
            let bits = memory::load(self.base + 8 * n, f.ty(*p).in_memory());
            self.set(*p, bits);
        }
        for (slot, at) in f.slots.iter().zip(&layout.slots) {
            if slot.zeroed {
                memory::zero(self.base + *at as usize, slot.size as usize);
            }
        }
    }

    fn run(&mut self) -> Result<u64> {
        loop {
            match self.run_to_exception() {
                Ok(bits) => return Ok(bits),
                Err(thrown) => self.raise(thrown.into_object())?,
            }
        }
    }

    fn run_to_exception(&mut self) -> Result<u64> {
        let f = &self.code.f;
        loop {
            let inst = f.blocks[self.block.index()].insts[self.next];
            self.next += 1;
            if let Flow::Done(bits) = self.step(f, inst.index())? {
                return Ok(bits);
            }
        }
    }

    /// Runs a filter on this frame's values: does it accept?
    pub fn run_filter(&mut self, filter: Block) -> Result<bool> {
        let place = (self.block, self.next);
        (self.block, self.next) = (filter, 0);
        let answer = self.run_to_exception();
        (self.block, self.next) = place;
        Ok(answer? as u32 != 0)
    }

    /// Goes on at a handler.
    pub fn enter_handler(&mut self, handler: Block) {
        (self.block, self.next) = (handler, 0);
    }

    // ---- values

    pub fn layout(&self) -> &'static Layout {
        &self.code.layout
    }

    pub fn get(&self, v: Value) -> Const {
        let v = self.code.f.resolve(v);
        let at = self.base + self.layout().value(v);
        Const {
            ty: self.code.f.ty(v),
            bits: memory::load(at, shared_codegen::ir::MemType::I64),
        }
    }

    fn set(&mut self, v: Value, bits: u64) {
        let narrow = self.code.f.ty(v).bytes() == 4;
        let bits = if narrow { bits as u32 as u64 } else { bits };
        let at = self.base + self.layout().value(v);
        memory::store(at, shared_codegen::ir::MemType::I64, bits);
    }

    /// The exception of a region whose handler runs.
    pub fn exception(&self, region: Region) -> Obj {
        let at = self.exception_at(region);
        Obj::from_addr(memory::load(at, shared_codegen::ir::MemType::Ref) as usize)
    }

    pub fn set_exception(&mut self, region: Region, exception: Obj) {
        let at = self.exception_at(region);
        memory::store(
            at,
            shared_codegen::ir::MemType::Ref,
            exception.addr() as u64,
        );
    }

    fn exception_at(&self, region: Region) -> usize {
        self.eh_word(region, EH_EXCEPTION)
    }

    /// Address of a word of a region's slot.
    pub fn eh_word(&self, region: Region, offset: i32) -> usize {
        let slot = self.code.f.regions[region.index()].eh_slot;
        (self.base + self.layout().slot(slot)).wrapping_add_signed(offset as isize)
    }

    // ---- instructions

    fn step(&mut self, f: &'static Function, n: usize) -> Result<Flow> {
        let data = &f.insts[n];
        let wide = |v: &Value| f.ty(*v).is_vector();
        if data.op.is_vector()
            || !data.op.is_terminator() && data.args.iter().chain(&data.result).any(wide)
        {
            return self.vector_op(data);
        }
        let args: SmallVec<[Const; 4]> = data.args.iter().map(|&v| self.get(v)).collect();
        if data.op.is_terminator() {
            return self.control(data, &args);
        }
        let bits = match touches_more_than_operands(data.op) || data.op == Op::Const {
            false => self.compute(data, &args)?,
            true => self.effect(f, n, &args)?,
        };
        if let Some(result) = data.result {
            self.set(result, bits);
        }
        Ok(Flow::Next)
    }

    /// Where a value is.
    fn place(&self, v: Value) -> usize {
        self.base + self.layout().value(self.code.f.resolve(v))
    }

    /// All bits of a value; of a scalar those above its own are of no meaning.
    fn get_wide(&self, v: Value) -> Bits {
        let ty = self.code.f.ty(v);
        match ty.is_vector() {
            true => memory::load_wide(self.place(v), ty.bytes()),
            false => Bits::of(self.get(v).bits),
        }
    }

    fn set_wide(&mut self, v: Value, bits: Bits) {
        let ty = self.code.f.ty(v);
        match ty.is_vector() {
            true => memory::store_wide(self.place(v), ty.bytes(), bits),
            false => self.set(v, bits.low()),
        }
    }

    /// Operations on vectors, loads and stores of them.
    fn vector_op(&mut self, data: &InstData) -> Result<Flow> {
        let args: SmallVec<[Bits; 4]> = data.args.iter().map(|&v| self.get_wide(v)).collect();
        let at = |offset: i32| (args[0].low() as usize).wrapping_add_signed(offset as isize);
        let slot_at = |slot, offset: i32| {
            (self.base + self.layout().slot(slot)).wrapping_add_signed(offset as isize)
        };
        let bits = match (data.op, data.imm) {
            (Op::Load, Imm::Mem(m)) => Some(memory::load_wide(at(m.offset), m.ty.bytes())),
            (Op::SlotLoad, Imm::Slot(slot, offset, ty)) => {
                Some(memory::load_wide(slot_at(slot, offset), ty.bytes()))
            }
            (Op::Store, Imm::Mem(m)) => {
                memory::store_wide(at(m.offset), m.ty.bytes(), args[1]);
                return Ok(Flow::Next);
            }
            (Op::SlotStore, Imm::Slot(slot, offset, ty)) => {
                memory::store_wide(slot_at(slot, offset), ty.bytes(), args[0]);
                return Ok(Flow::Next);
            }
            _ => eval_vector(data.op, vector_type(&self.code.f, data), &data.imm, &args),
        };
        match (bits, data.result) {
            (Some(bits), Some(result)) => self.set_wide(result, bits),
            _ => return Err(unknown(data)),
        }
        Ok(Flow::Next)
    }

    /// Ops whose result depends on their operands, and the checks.
    fn compute(&self, data: &InstData, args: &[Const]) -> Result<u64> {
        let bits = |n: usize| args[n].bits as usize;
        match (data.op, data.imm) {
            (Op::SlotAddr, Imm::Slot(slot, offset, _)) => {
                let at = self.base + self.layout().slot(slot);
                return Ok(at.wrapping_add_signed(offset as isize) as u64);
            }
            (Op::ContextArg, _) => {
                let at = self.base + self.layout().context as usize;
                return Ok(memory::load(at, shared_codegen::ir::MemType::I64));
            }
            (Op::ThreadPtr, _) => return Ok(threads::current().addr() as u64),
            (Op::NullCheck, _) if bits(0) == 0 => return Err(Thrown::null_reference()),
            (Op::NullCheck, _) => return Ok(0),
            (Op::TrapIf, Imm::CondTrap(cc, kind)) => {
                return match compare(cc, args[0], args[1]) {
                    true => Err(exception::of_trap(kind)),
                    false => Ok(0),
                };
            }
            (Op::ArrayLen, _) => {
                let at = bits(0).wrapping_add_signed(array::LENGTH as isize);
                return Ok(memory::load(at, shared_codegen::ir::MemType::I64));
            }
            (Op::MethodTableOf, _) => {
                let at = bits(0).wrapping_add_signed(object::METHOD_TABLE as isize);
                return Ok(memory::load(at, shared_codegen::ir::MemType::I64));
            }
            (Op::BoundsCheck, _) if args[0].bits < args[1].bits => return Ok(0),
            _ => {}
        }
        match eval(data.op, data.ty, &data.imm, args) {
            Outcome::Value(c) => Ok(c.bits),
            Outcome::Trap(kind) => Err(exception::of_trap(kind)),
            Outcome::Unknown => Err(unknown(data)),
        }
    }

    fn effect(&mut self, f: &'static Function, n: usize, args: &[Const]) -> Result<u64> {
        let data = &f.insts[n];
        let at =
            |n: usize, offset: i32| (args[n].bits as usize).wrapping_add_signed(offset as isize);
        match (data.op, data.imm) {
            (Op::Const, Imm::Fixup(fixup)) => return self.constant(n, fixup),
            (Op::SlotLoad, Imm::Slot(slot, offset, ty)) => {
                let base = self.base + self.layout().slot(slot);
                return Ok(memory::load(base.wrapping_add_signed(offset as isize), ty));
            }
            (Op::SlotStore, Imm::Slot(slot, offset, ty)) => {
                let base = self.base + self.layout().slot(slot);
                memory::store(base.wrapping_add_signed(offset as isize), ty, args[0].bits);
            }
            (Op::Load, Imm::Mem(m)) => return Ok(memory::load(at(0, m.offset), m.ty)),
            (Op::Store, Imm::Mem(m)) => memory::store(at(0, m.offset), m.ty, args[1].bits),
            (Op::CopyBlock, Imm::Size(bytes, _)) => {
                memory::copy(at(0, 0), at(1, 0), bytes as usize)
            }
            (Op::ZeroBlock, Imm::Size(bytes, _)) => memory::zero(at(0, 0), bytes as usize),
            (Op::LocAlloc, _) => return self.localloc(args[0].bits),
            (Op::Fence, _) => fence(Ordering::SeqCst),
            (Op::Pause, _) => core::hint::spin_loop(),
            (Op::KeepAlive, _) => {}
            (Op::AtomicXchg | Op::AtomicAdd | Op::AtomicCas, Imm::Atomic(ty, _)) => {
                if args[0].bits == 0 {
                    return Err(Thrown::null_reference());
                }
                let operands: SmallVec<[u64; 2]> = args[1..].iter().map(|c| c.bits).collect();
                return Ok(memory::atomic(data.op, at(0, 0), ty, &operands));
            }
            (Op::CatchObject, Imm::Region(r)) => return Ok(self.exception(r).addr() as u64),
            _ => return calls::call(self, f, data, args),
        }
        Ok(0)
    }

    fn localloc(&mut self, bytes: u64) -> Result<u64> {
        // Compiled code takes it from the stack, whose end is the limit here too.
        let room = self.base.saturating_sub(threads::current().stack_end());
        if bytes > room as u64 {
            return Err(exception::of_trap(TrapKind::StackOverflow));
        }
        let mut pool = vec![0; (bytes as usize).div_ceil(16)];
        let at = pool.as_mut_ptr() as u64;
        self.pools.push(pool);
        Ok(at)
    }

    fn constant(&self, n: usize, fixup: shared_codegen::abi::fixup::Fixup) -> Result<u64> {
        let cell = &self.code.constants[n];
        if let Some(value) = cell.get() {
            return Ok(*value as u64);
        }
        let value = runtime::get().fixup_value(fixup)?;
        Ok(*cell.get_or_init(|| value) as u64)
    }

    // ---- control flow

    fn control(&mut self, data: &'static InstData, args: &[Const]) -> Result<Flow> {
        let bits = args.first().map_or(0, |c| c.bits);
        match (data.op, data.imm) {
            (Op::Jump, _) => self.go(&data.targets[0]),
            (Op::Brif, _) => self.go(&data.targets[usize::from(bits == 0)]),
            (Op::Switch, _) => self.go(&data.targets[(bits as usize).min(data.targets.len() - 1)]),
            (Op::Return | Op::EndFilter, _) => return Ok(Flow::Done(bits)),
            (Op::Throw, _) if bits == 0 => return Err(Thrown::null_reference()),
            (Op::Throw, _) => return Err(self.throw(Obj::from_addr(bits as usize))),
            (Op::Rethrow, Imm::Region(r)) => return Err(self.rethrow(r)),
            (Op::ResumeUnwind, Imm::Region(r)) => self.resume_unwind(r)?,
            (Op::Trap, Imm::Trap(kind)) => return Err(exception::of_trap(kind)),
            _ => {
                return Err(Thrown::system(
                    "ExecutionEngineException",
                    format!("the interpreter cannot run {}", data.op.info().name),
                ));
            }
        }
        Ok(Flow::Moved)
    }

    fn go(&mut self, target: &Target) {
        // All arguments are read before the first parameter changes.
        let args: SmallVec<[Bits; 8]> = target.args.iter().map(|&v| self.get_wide(v)).collect();
        let params = &self.code.f.blocks[target.block.index()].params;
        for (&p, bits) in params.iter().zip(args) {
            self.set_wide(p, bits);
        }
        (self.block, self.next) = (target.block, 0);
    }
}
