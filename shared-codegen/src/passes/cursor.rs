//! Rewriting a function instruction by instruction, with new control flow where needed.
//!
//! [`Cursor::rewrite`] walks the blocks in layout order and offers each instruction to a visitor, which either leaves it
//! (it is kept) or emits others in its place. A visitor may end the current block and go on in new ones: what follows the
//! instruction then lands in the last block switched to. New blocks inherit the region and the coldness of the block
//! they are split from; cold ones go to the end of the layout.

use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::trap::TrapKind;
use crate::ir::{
    AliasClass, Block, CallInfo, FloatCc, Function, Imm, Inst, InstData, IntCc, MemRef, MemType,
    Op, Signature, SourceLoc, Target, Type, Value, typing,
};
use smallvec::SmallVec;

/// A position in a function being rewritten. New instructions are appended to the current block.
pub struct Cursor<'f> {
    /// The function.
    pub f: &'f mut Function,
    block: Block,
    loc: SourceLoc,
    layout: Vec<Block>,
    cold: Vec<Block>,
}

impl<'f> Cursor<'f> {
    /// Offers every instruction to `visit`; `true` means that it has been replaced and goes. A replaced result must have
    /// been given a new value with [`Cursor::replace_result`]. Returns whether anything was replaced.
    pub fn rewrite(
        f: &'f mut Function,
        mut visit: impl FnMut(&mut Cursor<'_>, Inst) -> bool,
    ) -> bool {
        let old = std::mem::take(&mut f.layout);
        let mut cursor = Cursor {
            f,
            block: Block(0),
            loc: SourceLoc::default(),
            layout: Vec::with_capacity(old.len()),
            cold: Vec::new(),
        };
        let mut changed = false;
        for block in old {
            let insts = std::mem::take(&mut cursor.f.blocks[block.index()].insts);
            cursor.layout.push(block);
            cursor.block = block;
            for inst in insts {
                cursor.loc = cursor.f.insts[inst.index()].loc;
                if visit(&mut cursor, inst) {
                    changed = true;
                } else {
                    let current = cursor.block.index();
                    cursor.f.blocks[current].insts.push(inst);
                }
            }
        }
        let Cursor {
            f,
            mut layout,
            cold,
            ..
        } = cursor;
        layout.extend(cold);
        f.layout = layout;
        changed
    }

    /// The block being appended to.
    pub fn block(&self) -> Block {
        self.block
    }

    /// Appends an instruction. `ty` matters only where the op table says `T`.
    pub fn emit(&mut self, op: Op, ty: Type, args: &[Value], imm: Imm) -> Option<Value> {
        self.append(op, ty, args, imm, SmallVec::new())
    }

    fn emit1(&mut self, op: Op, ty: Type, args: &[Value], imm: Imm) -> Value {
        self.emit(op, ty, args, imm)
            .expect("the op table says that there is a result")
    }

    fn append(
        &mut self,
        op: Op,
        ty: Type,
        args: &[Value],
        imm: Imm,
        targets: SmallVec<[Target; 2]>,
    ) -> Option<Value> {
        let result = typing::result_type(self.f, op, ty, &imm);
        let data = InstData {
            op,
            ty: typing::canonical_type(self.f, op, ty, &imm),
            args: SmallVec::from_slice(args),
            imm,
            targets,
            result: None,
            loc: self.loc,
        };
        let inst = self.f.make_inst(data, result);
        self.f.blocks[self.block.index()].insts.push(inst);
        self.f.insts[inst.index()].result
    }

    /// Gives the result of the instruction being replaced a new value.
    pub fn replace_result(&mut self, inst: Inst, value: Option<Value>) {
        if let (Some(old), Some(new)) = (self.f.insts[inst.index()].result, value) {
            self.f.replace(old, new);
        }
    }

    /// The value as an integer constant.
    pub fn const_int(&self, v: Value) -> Option<i64> {
        let data = &self.f.insts[self.f.def_inst(v)?.index()];
        match (data.op, data.imm) {
            (Op::Iconst, Imm::Int(n)) => Some(n),
            _ => None,
        }
    }
}

/// Blocks and terminators.
impl Cursor<'_> {
    /// A block in the region of the current one. It joins the layout when switched to.
    pub fn new_block(&mut self, cold: bool) -> Block {
        let (region, is_cold) = {
            let b = &self.f.blocks[self.block.index()];
            (b.region, b.cold)
        };
        let block = self.f.add_block();
        self.f.layout.pop();
        let data = &mut self.f.blocks[block.index()];
        data.region = region;
        data.cold = cold || is_cold;
        block
    }

    /// Appends to another block, made by [`Cursor::new_block`], from now on.
    pub fn switch_to(&mut self, block: Block) {
        let cold = self.f.blocks[block.index()].cold && !self.f.blocks[self.block.index()].cold;
        if cold {
            self.cold.push(block);
        } else {
            self.layout.push(block);
        }
        self.block = block;
    }

    /// Adds a parameter to a new block.
    pub fn add_param(&mut self, block: Block, ty: Type) -> Value {
        self.f.add_param(block, ty)
    }

    /// Goes to a block.
    pub fn jump(&mut self, to: Block, args: &[Value]) {
        let targets = SmallVec::from_iter([target(to, args)]);
        self.append(Op::Jump, Type::I32, &[], Imm::None, targets);
    }

    /// Two-way branch.
    pub fn brif(&mut self, cond: Value, then: Target, otherwise: Target) {
        let targets = SmallVec::from_iter([then, otherwise]);
        self.append(Op::Brif, Type::I32, &[cond], Imm::None, targets);
    }

    /// Ends the block with a trap.
    pub fn trap(&mut self, kind: TrapKind) {
        self.emit(Op::Trap, Type::I32, &[], Imm::Trap(kind));
    }
}

/// Instructions.
impl Cursor<'_> {
    /// Integer constant.
    pub fn iconst(&mut self, ty: Type, n: i64) -> Value {
        self.emit1(Op::Iconst, ty, &[], Imm::Int(n))
    }

    /// `f64` constant.
    pub fn f64const(&mut self, x: f64) -> Value {
        self.emit1(Op::Fconst, Type::F64, &[], Imm::Float(x.to_bits()))
    }

    /// Null reference.
    pub fn null(&mut self) -> Value {
        self.emit1(Op::Null, Type::Ref, &[], Imm::None)
    }

    /// Runtime constant of type `i64`.
    pub fn fixup(&mut self, fixup: Fixup) -> Value {
        self.emit1(Op::Const, Type::I64, &[], Imm::Fixup(fixup))
    }

    /// An op with one operand of its own type.
    pub fn unary(&mut self, op: Op, a: Value) -> Value {
        let ty = self.f.ty(a);
        self.emit1(op, ty, &[a], Imm::None)
    }

    /// An op with operands and result of the type of `a`.
    pub fn binary(&mut self, op: Op, a: Value, b: Value) -> Value {
        let ty = self.f.ty(a);
        self.emit1(op, ty, &[a, b], Imm::None)
    }

    /// A conversion with free result type.
    pub fn convert(&mut self, op: Op, ty: Type, a: Value) -> Value {
        self.emit1(op, ty, &[a], Imm::None)
    }

    /// Integer comparison.
    pub fn icmp(&mut self, cc: IntCc, a: Value, b: Value) -> Value {
        self.emit1(Op::Icmp, Type::I32, &[a, b], Imm::IntCc(cc))
    }

    /// Comparison with a constant.
    pub fn icmp_imm(&mut self, cc: IntCc, a: Value, n: i64) -> Value {
        let ty = if self.f.ty(a) == Type::I32 {
            Type::I32
        } else {
            Type::I64
        };
        let b = self.iconst(ty, n);
        self.icmp(cc, a, b)
    }

    /// The reference or address is null.
    pub fn is_null(&mut self, a: Value) -> Value {
        if self.f.ty(a) == Type::Ref {
            let null = self.null();
            return self.icmp(IntCc::Eq, a, null);
        }
        self.icmp_imm(IntCc::Eq, a, 0)
    }

    /// Floating-point comparison.
    pub fn fcmp(&mut self, cc: FloatCc, a: Value, b: Value) -> Value {
        self.emit1(Op::Fcmp, Type::I32, &[a, b], Imm::FloatCc(cc))
    }

    /// Reinterprets a word; the same value if it has the type already.
    pub fn addr_cast(&mut self, ty: Type, a: Value) -> Value {
        if self.f.ty(a) == ty {
            return a;
        }
        self.emit1(Op::AddrCast, ty, &[a], Imm::None)
    }

    /// `address + constant`; an interior pointer unless the base is an `i64`.
    pub fn addr_offset(&mut self, base: Value, offset: i64) -> Value {
        let ty = if self.f.ty(base) == Type::I64 {
            Type::I64
        } else {
            Type::ByRef
        };
        let offset = self.iconst(Type::I64, offset);
        self.emit1(Op::AddrAdd, ty, &[base, offset], Imm::None)
    }

    /// Loads from `address + offset`.
    pub fn load(&mut self, addr: Value, offset: i32, ty: MemType, alias: AliasClass) -> Value {
        let mem = MemRef {
            offset,
            ty,
            alias,
            volatile: false,
        };
        self.emit1(Op::Load, ty.value_type(), &[addr], Imm::Mem(mem))
    }

    /// Method table of an object that is not null.
    pub fn method_table(&mut self, object: Value) -> Value {
        self.emit1(Op::MethodTableOf, Type::I64, &[object], Imm::None)
    }

    /// NullReferenceException if the address is null.
    pub fn null_check(&mut self, addr: Value) {
        self.emit(Op::NullCheck, Type::I32, &[addr], Imm::None);
    }

    /// Traps if `a cc b`.
    pub fn trap_if(&mut self, cc: IntCc, a: Value, b: Value, kind: TrapKind) {
        self.emit(Op::TrapIf, Type::I32, &[a, b], Imm::CondTrap(cc, kind));
    }

    /// Traps if `a cc n`.
    pub fn trap_if_imm(&mut self, cc: IntCc, a: Value, n: i64, kind: TrapKind) {
        let ty = if self.f.ty(a) == Type::I32 {
            Type::I32
        } else {
            Type::I64
        };
        let b = self.iconst(ty, n);
        self.trap_if(cc, a, b, kind);
    }

    /// Call of a helper.
    pub fn helper(&mut self, helper: HelperId, args: &[Value]) -> Option<Value> {
        self.emit(Op::CallHelper, Type::I32, args, Imm::Helper(helper))
    }

    /// A call op with another signature than the instruction being replaced.
    pub fn call(&mut self, op: Op, info: CallInfo, args: &[Value]) -> Option<Value> {
        self.emit(op, Type::I32, args, Imm::Call(info))
    }

    /// The signature's entry in the function.
    pub fn add_sig(&mut self, sig: Signature) -> crate::ir::Sig {
        self.f.add_sig(sig)
    }
}

/// A branch target.
pub(super) fn target(block: Block, args: &[Value]) -> Target {
    Target {
        block,
        args: SmallVec::from_slice(args),
    }
}
