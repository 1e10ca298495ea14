//! Building functions: emitting instructions block by block, with SSA form made on the fly.
//!
//! SSA construction follows Braun, Buchwald, Hack, Leißa, Mallon, Zwinkau: "Simple and Efficient Construction
//! of Static Single Assignment Form" (CC 2013). A [`Var`] is read with [`FunctionBuilder::use_var`] and written with
//! [`FunctionBuilder::def_var`]; a block is *sealed* when all its predecessors are known. Parameters that the variables
//! need are kept aside as `ssa::Phi`s and become block parameters in [`FunctionBuilder::finish`], after all trivial ones
//! (those with one distinct argument) are gone.
//!
//! Use: make all blocks (or make them when first seen), `switch_to` each, emit, end with a terminator, seal when the last
//! predecessor's terminator stands (or [`FunctionBuilder::seal_all`] at the end), `finish`.
//!
//! Handler and filter blocks have no parameters: tell the block (in front of the protected region) whose variables they see
//! with [`FunctionBuilder::set_handler_pred`]. A variable that is assigned inside the protected region and read in the handler
//! must be kept in memory by the caller.

use super::ssa::{Edge, Ssa};
use super::typing;
use super::{
    Block, CallInfo, ConvTarget, FloatCc, Function, Imm, Inst, InstData, IntCc, MemRef, MemType,
    Op, Region, Signature, Slot, SourceLoc, Target, Type, Value, zero_of,
};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::trap::TrapKind;
use crate::types::{MethodId, TypeId};
use smallvec::SmallVec;

/// A variable of the source program, kept in SSA values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Var(pub u32);

/// Builds one function.
pub struct FunctionBuilder {
    /// The function so far. Parameters made for variables appear only after [`Self::finish`].
    pub func: Function,
    ssa: Ssa,
    current: Option<Block>,
    loc: SourceLoc,
    region: Option<Region>,
    cold: bool,
}

impl FunctionBuilder {
    /// Starts a function that has no blocks yet.
    pub fn new(func: Function) -> FunctionBuilder {
        FunctionBuilder {
            func,
            ssa: Ssa::default(),
            current: None,
            loc: SourceLoc::default(),
            region: None,
            cold: false,
        }
    }

    /// Makes the entry block with the signature's parameters, sealed, and switches to it. Call it first.
    pub fn create_entry(&mut self) -> Block {
        let b = self.create_block();
        for ty in self.func.sig.params.clone() {
            self.func.add_param(b, ty);
        }
        self.seal(b);
        self.switch_to(b);
        b
    }

    /// Makes a block in the current region and with the current coldness (see [`Self::set_region`], [`Self::set_cold`]).
    pub fn create_block(&mut self) -> Block {
        let b = self.func.add_block();
        let data = &mut self.func.blocks[b.index()];
        data.region = self.region;
        data.cold = self.cold;
        b
    }

    /// Adds a parameter that the caller's branches pass by hand. Only while the block has no predecessors.
    pub fn add_param(&mut self, block: Block, ty: Type) -> Value {
        debug_assert!(self.ssa.preds(block).is_empty());
        self.func.add_param(block, ty)
    }

    /// Parameter number `n` of a block.
    pub fn param(&self, block: Block, n: usize) -> Value {
        self.func.blocks[block.index()].params[n]
    }

    /// The region of blocks made from now on.
    pub fn set_region(&mut self, region: Option<Region>) {
        self.region = region;
    }

    /// The region blocks are made in at present.
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    /// Whether blocks made from now on are cold.
    pub fn set_cold(&mut self, cold: bool) {
        self.cold = cold;
    }

    /// Source position of instructions emitted from now on.
    pub fn set_loc(&mut self, loc: SourceLoc) {
        self.loc = loc;
    }

    /// The current source position.
    pub fn loc(&self) -> SourceLoc {
        self.loc
    }

    /// Emits into another block from now on. The block must not be terminated.
    pub fn switch_to(&mut self, block: Block) {
        debug_assert!(!self.is_filled(block), "{block} is already terminated");
        self.current = Some(block);
    }

    /// The block being filled.
    pub fn current(&self) -> Option<Block> {
        self.current
    }

    /// No block is being filled: the last one was terminated and [`Self::switch_to`] has not been called since.
    pub fn is_terminated(&self) -> bool {
        self.current.is_none()
    }

    /// The block has its terminator.
    pub fn is_filled(&self, block: Block) -> bool {
        let insts = &self.func.blocks[block.index()].insts;
        insts
            .last()
            .is_some_and(|i| self.func.insts[i.index()].op.is_terminator())
    }

    /// The block has at least one predecessor so far.
    pub fn has_preds(&self, block: Block) -> bool {
        !self.ssa.preds(block).is_empty()
    }

    // ---- variables

    /// A new variable.
    pub fn new_var(&mut self, ty: Type) -> Var {
        self.ssa.new_var(ty)
    }

    /// Type of a variable.
    pub fn var_type(&self, var: Var) -> Type {
        self.ssa.var_type(var)
    }

    /// Assigns a variable in the current block.
    pub fn def_var(&mut self, var: Var, value: Value) {
        debug_assert!(
            typing::compatible(self.func.ty(value), self.var_type(var)),
            "{var:?} is {}, {value} is {}",
            self.var_type(var).name(),
            self.func.ty(value).name()
        );
        let block = self.current.expect("no current block");
        self.ssa.def(var, block, value);
    }

    /// The value of a variable in the current block; zero if it was never assigned.
    pub fn use_var(&mut self, var: Var) -> Value {
        let block = self.current.expect("no current block");
        self.ssa.read(&mut self.func, var, block)
    }

    /// All predecessors of the block are known now.
    pub fn seal(&mut self, block: Block) {
        self.ssa.seal(&mut self.func, block);
    }

    /// Seals every block that is not sealed yet.
    pub fn seal_all(&mut self) {
        for b in 0..self.func.blocks.len() as u32 {
            self.seal(Block(b));
        }
    }

    /// A handler or filter block sees the variables as they are at the end of `pred`: a block *outside* the protected region
    /// through which all ways into the region lead (what a protected block computes, its parameters included, is not available
    /// in the handler). So give each `try` a landing block of its own in front. Seals the handler.
    pub fn set_handler_pred(&mut self, handler: Block, pred: Block) {
        self.ssa.add_pred(
            handler,
            Edge {
                block: pred,
                inst: None,
                target: 0,
            },
        );
        self.seal(handler);
    }

    /// Seals what is left, turns the needed variable parameters into block parameters, and resolves all aliases.
    pub fn finish(mut self) -> Function {
        self.seal_all();
        self.ssa.materialize(&mut self.func);
        self.func
    }

    // ---- instructions, generic

    /// Emits an instruction and gives its result. `ty` matters only for ops whose table row says `T`.
    pub fn emit(&mut self, op: Op, ty: Type, args: &[Value], imm: Imm) -> Option<Value> {
        debug_assert!(!op.is_terminator());
        let i = self.insert(op, ty, args, imm, SmallVec::new());
        self.func.insts[i.index()].result
    }

    /// Emits an instruction that surely has a result.
    fn emit1(&mut self, op: Op, ty: Type, args: &[Value], imm: Imm) -> Value {
        self.emit(op, ty, args, imm)
            .expect("the op table says there is a result")
    }

    fn insert(
        &mut self,
        op: Op,
        ty: Type,
        args: &[Value],
        imm: Imm,
        targets: SmallVec<[Target; 2]>,
    ) -> Inst {
        let data = InstData {
            op,
            ty: typing::canonical_type(&self.func, op, ty, &imm),
            args: SmallVec::from_slice(args),
            imm,
            targets,
            result: None,
            loc: self.loc,
        };
        if cfg!(debug_assertions)
            && let Err(e) = typing::check_inst(&self.func, &data)
        {
            panic!("{}: IL_{:04x}: {e}", self.func.name, self.loc.il);
        }
        let result = typing::result_type(&self.func, op, data.ty, &data.imm);
        let i = self.func.make_inst(data, result);
        let b = self
            .current
            .expect("no current block: switch_to comes first");
        self.func.blocks[b.index()].insts.push(i);
        i
    }

    fn terminate(&mut self, op: Op, args: &[Value], imm: Imm, targets: SmallVec<[Target; 2]>) {
        let i = self.insert(op, Type::I32, args, imm, targets);
        let block = self.current.take().expect("insert needs a current block");
        for n in 0..self.func.insts[i.index()].targets.len() {
            let to = self.func.insts[i.index()].targets[n].block;
            let edge = Edge {
                block,
                inst: Some(i),
                target: n as u32,
            };
            self.ssa.add_pred(to, edge);
        }
    }
}

/// Makes a branch target.
pub fn target(block: Block, args: &[Value]) -> Target {
    Target {
        block,
        args: SmallVec::from_slice(args),
    }
}

/// Methods that emit one op each: the instruction's type is that of the first operand.
macro_rules! typed_ops {
    (unary: $($u:ident $U:ident),*; binary: $($b:ident $B:ident),*; effect1: $($e:ident $E:ident),*; effect2: $($f:ident $F:ident),*;) => {
        impl FunctionBuilder {
            $(#[doc = concat!("Emits [`Op::", stringify!($U), "`].")]
            pub fn $u(&mut self, a: Value) -> Value {
                self.emit1(Op::$U, self.func.ty(a), &[a], Imm::None)
            })*
            $(#[doc = concat!("Emits [`Op::", stringify!($B), "`].")]
            pub fn $b(&mut self, a: Value, b: Value) -> Value {
                self.emit1(Op::$B, self.func.ty(a), &[a, b], Imm::None)
            })*
            $(#[doc = concat!("Emits [`Op::", stringify!($E), "`].")]
            pub fn $e(&mut self, a: Value) {
                self.emit(Op::$E, self.func.ty(a), &[a], Imm::None);
            })*
            $(#[doc = concat!("Emits [`Op::", stringify!($F), "`].")]
            pub fn $f(&mut self, a: Value, b: Value) {
                self.emit(Op::$F, self.func.ty(a), &[a, b], Imm::None);
            })*
        }
    };
}

typed_ops! {
    unary: ineg Ineg, not Not, clz Clz, ctz Ctz, popcnt Popcnt, fneg Fneg, fabs Fabs, fsqrt Fsqrt, fround Fround,
        ffloor Ffloor, fceil Fceil, ftrunc Ftrunc, ckfinite CkFinite, sext8 Sext8, sext16 Sext16, zext8 Zext8,
        zext16 Zext16, sext32 Sext32, zext32 Zext32, trunc Trunc, fpromote Fpromote, fdemote Fdemote,
        array_len ArrayLen, method_table_of MethodTableOf;
    binary: iadd Iadd, isub Isub, imul Imul, imul_high ImulHigh, umul_high UmulHigh, sdiv Sdiv, udiv Udiv, srem Srem,
        urem Urem, div_s DivS, div_u DivU, rem_s RemS, rem_u RemU, and And, or Or, xor Xor, shl Shl, shr_s ShrS,
        shr_u ShrU, rotl Rotl, add_ovf_s AddOvfS, add_ovf_u AddOvfU, sub_ovf_s SubOvfS, sub_ovf_u SubOvfU,
        mul_ovf_s MulOvfS, mul_ovf_u MulOvfU, fadd Fadd, fsub Fsub, fmul Fmul, fdiv Fdiv, frem Frem;
    effect1: null_check NullCheck, keep_alive KeepAlive;
    effect2: bounds_check BoundsCheck, array_store_check ArrayStoreCheck;
}

/// Constants, slots, memory, conversions.
impl FunctionBuilder {
    /// Integer constant of type `i32` (the low half counts) or `i64`.
    pub fn iconst(&mut self, ty: Type, n: i64) -> Value {
        let n = if ty == Type::I32 { n as i32 as i64 } else { n };
        self.emit1(Op::Iconst, ty, &[], Imm::Int(n))
    }

    /// 32-bit constant.
    pub fn i32(&mut self, n: i32) -> Value {
        self.iconst(Type::I32, n as i64)
    }

    /// 64-bit constant.
    pub fn i64(&mut self, n: i64) -> Value {
        self.iconst(Type::I64, n)
    }

    /// Single constant.
    pub fn f32(&mut self, x: f32) -> Value {
        self.emit1(Op::Fconst, Type::F32, &[], Imm::Float(x.to_bits() as u64))
    }

    /// Double constant.
    pub fn f64(&mut self, x: f64) -> Value {
        self.emit1(Op::Fconst, Type::F64, &[], Imm::Float(x.to_bits()))
    }

    /// Null of a word type.
    pub fn null(&mut self, ty: Type) -> Value {
        self.emit1(Op::Null, ty, &[], Imm::None)
    }

    /// Zero of any type.
    pub fn zero(&mut self, ty: Type) -> Value {
        let (op, imm) = zero_of(ty);
        self.emit1(op, ty, &[], imm)
    }

    /// Runtime constant: `ref` for strings and type objects, else `i64`.
    pub fn fixup(&mut self, fixup: Fixup) -> Value {
        let ty = match fixup {
            Fixup::StringLiteral(..) | Fixup::TypeObject(_) => Type::Ref,
            _ => Type::I64,
        };
        self.emit1(Op::Const, ty, &[], Imm::Fixup(fixup))
    }

    /// Address of a stack slot plus offset (`i64`).
    pub fn slot_addr(&mut self, slot: Slot, offset: i32) -> Value {
        let imm = Imm::Slot(slot, offset, MemType::I64);
        self.emit1(Op::SlotAddr, Type::I64, &[], imm)
    }

    /// Loads from a stack slot.
    pub fn slot_load(&mut self, slot: Slot, offset: i32, ty: MemType) -> Value {
        let imm = Imm::Slot(slot, offset, ty);
        self.emit1(Op::SlotLoad, ty.value_type(), &[], imm)
    }

    /// Stores into a stack slot.
    pub fn slot_store(&mut self, slot: Slot, offset: i32, ty: MemType, value: Value) {
        let imm = Imm::Slot(slot, offset, ty);
        self.emit(Op::SlotStore, self.func.ty(value), &[value], imm);
    }

    /// The hidden generic context (entry block only).
    pub fn context_arg(&mut self) -> Value {
        self.emit1(Op::ContextArg, Type::I64, &[], Imm::None)
    }

    /// Loads a scalar.
    pub fn load(&mut self, addr: Value, mem: MemRef) -> Value {
        self.emit1(Op::Load, mem.ty.value_type(), &[addr], Imm::Mem(mem))
    }

    /// Stores a scalar without write barrier.
    pub fn store(&mut self, addr: Value, value: Value, mem: MemRef) {
        self.emit(Op::Store, Type::I32, &[addr, value], Imm::Mem(mem));
    }

    /// Stores a reference with write barrier.
    pub fn store_ref(&mut self, addr: Value, value: Value, mem: MemRef) {
        self.emit(Op::StoreRef, Type::I32, &[addr, value], Imm::Mem(mem));
    }

    /// Copies `bytes` bytes; `refs` says that they may hold references (then with barriers).
    pub fn copy(&mut self, dst: Value, src: Value, bytes: u32, refs: bool) {
        let op = if refs { Op::CopyStruct } else { Op::CopyBlock };
        let imm = Imm::Size(bytes, refs as i32);
        self.emit(op, Type::I32, &[dst, src], imm);
    }

    /// Copies `bytes` bytes to stack memory: without barriers even when they hold references.
    pub fn copy_to_stack(&mut self, dst: Value, src: Value, bytes: u32, refs: bool) {
        let imm = Imm::Size(bytes, refs as i32);
        self.emit(Op::CopyBlock, Type::I32, &[dst, src], imm);
    }

    /// Zeroes `bytes` bytes.
    pub fn zero_block(&mut self, dst: Value, bytes: u32, refs: bool) {
        let imm = Imm::Size(bytes, refs as i32);
        self.emit(Op::ZeroBlock, Type::I32, &[dst], imm);
    }

    /// `address + offset`: `byref` unless the base is an `i64`.
    pub fn addr_add(&mut self, base: Value, offset: Value) -> Value {
        let ty = self.derived_address(base);
        self.emit1(Op::AddrAdd, ty, &[base, offset], Imm::None)
    }

    /// `address + constant`.
    pub fn addr_offset(&mut self, base: Value, offset: i64) -> Value {
        let offset = self.i64(offset);
        self.addr_add(base, offset)
    }

    /// `base + index * scale + offset`.
    pub fn addr_index(&mut self, base: Value, index: Value, scale: u32, offset: i32) -> Value {
        let ty = self.derived_address(base);
        let imm = Imm::Size(scale, offset);
        self.emit1(Op::AddrIndex, ty, &[base, index], imm)
    }

    fn derived_address(&self, base: Value) -> Type {
        match self.func.ty(base) {
            Type::I64 => Type::I64,
            _ => Type::ByRef,
        }
    }

    /// Reinterprets a word; gives back the same value if it has the type already.
    pub fn addr_cast(&mut self, ty: Type, a: Value) -> Value {
        if self.func.ty(a) == ty {
            return a;
        }
        self.emit1(Op::AddrCast, ty, &[a], Imm::None)
    }

    /// Integer comparison.
    pub fn icmp(&mut self, cc: IntCc, a: Value, b: Value) -> Value {
        self.emit1(Op::Icmp, Type::I32, &[a, b], Imm::IntCc(cc))
    }

    /// Floating-point comparison.
    pub fn fcmp(&mut self, cc: FloatCc, a: Value, b: Value) -> Value {
        self.emit1(Op::Fcmp, Type::I32, &[a, b], Imm::FloatCc(cc))
    }

    /// `a` if the condition is not zero, else `b`.
    pub fn select(&mut self, cond: Value, a: Value, b: Value) -> Value {
        self.emit1(Op::Select, self.func.ty(a), &[cond, a, b], Imm::None)
    }

    /// A conversion whose result type is free: `from_int from_uint to_int to_uint bitcast`.
    pub fn convert(&mut self, op: Op, ty: Type, a: Value) -> Value {
        self.emit1(op, ty, &[a], Imm::None)
    }

    /// `conv.ovf` (`unsigned`: `conv.ovf.un`).
    pub fn conv_ovf(&mut self, target: ConvTarget, unsigned: bool, a: Value) -> Value {
        let ty = match target {
            ConvTarget::I8 | ConvTarget::U8 => Type::I64,
            _ => Type::I32,
        };
        let op = if unsigned { Op::ConvOvfU } else { Op::ConvOvfS };
        self.emit1(op, ty, &[a], Imm::Int(target as i64))
    }

    /// Traps if `a cc b`.
    pub fn trap_if(&mut self, cc: IntCc, a: Value, b: Value, kind: TrapKind) {
        self.emit(Op::TrapIf, Type::I32, &[a, b], Imm::CondTrap(cc, kind));
    }

    /// An op whose only immediate is a canonical type (`new_object castclass unbox ...`).
    pub fn type_op(&mut self, op: Op, args: &[Value], ty: TypeId) -> Option<Value> {
        self.emit(op, Type::I32, args, Imm::Type(ty))
    }

    /// The exception of a handler or filter.
    pub fn catch_object(&mut self, region: Region) -> Value {
        self.emit1(Op::CatchObject, Type::Ref, &[], Imm::Region(region))
    }
}

/// Calls and terminators.
impl FunctionBuilder {
    /// A call op: `call call_indirect call_virtual call_interface call_internal call_native call_delegate`. Operands as the op
    /// table says (address or handle first, context last).
    pub fn call(
        &mut self,
        op: Op,
        method: Option<MethodId>,
        sig: &Signature,
        args: &[Value],
    ) -> Option<Value> {
        let sig = match self.func.sigs.iter().position(|s| s == sig) {
            Some(i) => super::Sig(i as u32),
            None => self.func.add_sig(sig.clone()),
        };
        let tail = false;
        self.emit(
            op,
            Type::I32,
            args,
            Imm::Call(CallInfo { method, sig, tail }),
        )
    }

    /// Marks the call made last as one that may replace the frame.
    pub fn mark_tail_call(&mut self) {
        let last = self
            .current()
            .and_then(|b| self.func.blocks[b.index()].insts.last());
        if let Some(i) = last
            && let Imm::Call(info) = &mut self.func.insts[i.index()].imm
        {
            info.tail = true;
        }
    }

    /// Call of a runtime helper.
    pub fn call_helper(&mut self, helper: HelperId, args: &[Value]) -> Option<Value> {
        self.emit(Op::CallHelper, Type::I32, args, Imm::Helper(helper))
    }

    /// Goes to a block.
    pub fn jump(&mut self, to: Block, args: &[Value]) {
        let targets = SmallVec::from_iter([target(to, args)]);
        self.terminate(Op::Jump, &[], Imm::None, targets);
    }

    /// Two-way branch on an `i32`.
    pub fn brif(&mut self, cond: Value, then: Target, otherwise: Target) {
        let targets = SmallVec::from_iter([then, otherwise]);
        self.terminate(Op::Brif, &[cond], Imm::None, targets);
    }

    /// Target number `index`; the last target is the default.
    pub fn switch(&mut self, index: Value, targets: Vec<Target>) {
        self.terminate(Op::Switch, &[index], Imm::None, SmallVec::from_vec(targets));
    }

    /// Returns.
    pub fn ret(&mut self, value: Option<Value>) {
        self.terminate(Op::Return, value.as_slice(), Imm::None, SmallVec::new());
    }

    /// Raises an exception object.
    pub fn throw(&mut self, object: Value) {
        self.terminate(Op::Throw, &[object], Imm::None, SmallVec::new());
    }

    /// Raises the exception of an enclosing catch handler again.
    pub fn rethrow(&mut self, region: Region) {
        self.terminate(Op::Rethrow, &[], Imm::Region(region), SmallVec::new());
    }

    /// Ends an exceptional finally or fault handler.
    pub fn resume_unwind(&mut self, region: Region) {
        self.terminate(Op::ResumeUnwind, &[], Imm::Region(region), SmallVec::new());
    }

    /// Ends a filter.
    pub fn end_filter(&mut self, accept: Value) {
        self.terminate(Op::EndFilter, &[accept], Imm::None, SmallVec::new());
    }

    /// Unconditional trap.
    pub fn trap(&mut self, kind: TrapKind) {
        self.terminate(Op::Trap, &[], Imm::Trap(kind), SmallVec::new());
    }
}
