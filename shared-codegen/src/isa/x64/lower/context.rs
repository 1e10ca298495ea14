//! What the rules call: extractors (which only look) and constructors (which emit).

use super::Lower;
use super::rules::Context;
use crate::abi::layout;
use crate::compile::{CompileError, ConstPolicy};
use crate::ir::{Imm, InstData};
use crate::isa::x64::{Features, MInst};
use regalloc2::RegClass;
use rule_types::*;

/// The names the rules use for types.
pub mod rule_types {
    pub use crate::abi::trap::TrapKind;
    pub use crate::ir::{FloatCc, Inst, IntCc, Lane, MemType, Op, Type as Ty, Value};
    pub use crate::isa::x64::operand::{Amode, Cc, RegImm, RegMem, RegMemImm, Size};
    pub use crate::isa::x64::ops::*;
    pub use crate::isa::x64::regs::Reg;

    /// Result of a constructor that has none.
    pub type Unit = ();
    /// Register with the result of an instruction, if it has one.
    pub type Output = Option<Reg>;

    /// A comparison of a small value in memory with a constant.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum NarrowCmp {
        /// The comparison.
        Cmp {
            /// Size of the value.
            size: Size,
            /// The value.
            m: RegMem,
            /// The constant.
            c: i32,
        },
    }

    /// What the flags have to say.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Cond {
        /// One condition.
        One {
            /// It.
            cc: Cc,
        },
        /// Both.
        And {
            /// First.
            cc1: Cc,
            /// Second.
            cc2: Cc,
        },
        /// At least one.
        Or {
            /// First.
            cc1: Cc,
            /// Second.
            cc2: Cc,
        },
    }
}

/// Stands for operands an instruction does not have; rules never look at it.
const NO_VALUE: Value = Value(u32::MAX);

/// Defines constructors that append one instruction with a new result register.
macro_rules! emitters {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $class:ident = $inst:ident { $($field:ident: $value:expr),* };)*) => {
        $(fn $name(&mut self, $($arg: $ty),*) -> Reg {
            let dst = self.temp(RegClass::$class);
            self.buf.push(MInst::$inst { $($field: $value,)* dst });
            dst
        })*
    };
}

impl Context for Lower<'_> {
    fn output(&mut self, r: Reg) -> Output {
        Some(r)
    }

    fn done(&mut self, _: Unit) -> Output {
        None
    }

    // ---- operands

    fn put_in_reg(&mut self, v: Value) -> Reg {
        self.reg(v)
    }

    fn reg_mem(&mut self, v: Value) -> RegMem {
        if let Some(i) = self.sinkable_load(v)
            && let Some(m) = self.loaded_from(i)
        {
            self.sink(i, m);
            return RegMem::Mem(m);
        }
        match self.def(v) {
            Some(InstData {
                op: Op::Fconst,
                imm: Imm::Float(bits),
                ty,
                ..
            }) if *bits != 0 => RegMem::Mem(self.float_const(*ty, *bits)),
            Some(InstData {
                op: Op::Const,
                imm: Imm::Fixup(f),
                ..
            }) if self.policy == ConstPolicy::Aot => RegMem::Mem(Amode::Fixup(*f)),
            _ => RegMem::Reg(self.reg(v)),
        }
    }

    fn reg_mem_imm(&mut self, v: Value) -> RegMemImm {
        match self.simm32(v) {
            Some(n) => RegMemImm::Imm(n),
            None => self.reg_mem(v).into(),
        }
    }

    fn reg_imm(&mut self, v: Value) -> RegImm {
        match self.simm32(v) {
            Some(n) => RegImm::Imm(n),
            None => RegImm::Reg(self.reg(v)),
        }
    }

    fn reg_imm_as_rmi(&mut self, v: Value) -> RegMemImm {
        match self.reg_imm(v) {
            RegImm::Imm(n) => RegMemImm::Imm(n),
            RegImm::Reg(r) => RegMemImm::Reg(r),
        }
    }

    fn reg_as_rm(&mut self, r: Reg) -> RegMem {
        RegMem::Reg(r)
    }

    fn reg_as_rmi(&mut self, r: Reg) -> RegMemImm {
        RegMemImm::Reg(r)
    }

    fn mem_as_rm(&mut self, m: Amode) -> RegMem {
        RegMem::Mem(m)
    }

    fn imm_as_rmi(&mut self, n: i32) -> RegMemImm {
        RegMemImm::Imm(n)
    }

    fn imm_as_ri(&mut self, n: i32) -> RegImm {
        RegImm::Imm(n)
    }

    fn reg_as_ri(&mut self, r: Reg) -> RegImm {
        RegImm::Reg(r)
    }

    fn low_half(&mut self, v: Value) -> RegMem {
        // A load of 64 bits is also a load of its low half: the machine is little-endian.
        self.reg_mem(v)
    }

    fn ty_of(&mut self, v: Value) -> Ty {
        self.f.ty(v)
    }

    fn size_of(&mut self, v: Value) -> Size {
        match self.f.ty(v).bytes() {
            4 => Size::S32,
            _ => Size::S64,
        }
    }

    // ---- extractors

    fn def_inst(&mut self, v: Value) -> Option<Inst> {
        self.f.def_inst(v)
    }

    fn inst_data(&mut self, i: Inst) -> (Op, Ty, Value, Value, Value) {
        let d = &self.f.insts[i.index()];
        let arg = |n: usize| d.args.get(n).map_or(NO_VALUE, |v| self.f.resolve(*v));
        (d.op, d.ty, arg(0), arg(1), arg(2))
    }

    fn int_const(&mut self, v: Value) -> Option<i64> {
        self.constant(v)
    }

    fn simm32(&mut self, v: Value) -> Option<i32> {
        i32::try_from(self.constant(v)?).ok()
    }

    fn negated_simm32(&mut self, v: Value) -> Option<i32> {
        i32::try_from(self.constant(v)?.checked_neg()?).ok()
    }

    fn zero(&mut self, v: Value) -> Option<()> {
        (self.constant(v)? == 0).then_some(())
    }

    fn power_of_two(&mut self, v: Value) -> Option<u8> {
        let n = match self.f.ty(v) {
            Ty::I32 => u64::from(self.constant(v)? as u32),
            _ => self.constant(v)? as u64,
        };
        (n > 1 && n.is_power_of_two()).then(|| n.trailing_zeros() as u8)
    }

    fn divisor(&mut self, v: Value) -> Option<i64> {
        self.constant(v).filter(|c| !(-1..=1).contains(c))
    }

    fn low_mask(&mut self, v: Value) -> Option<i32> {
        let k = self.power_of_two(v)?;
        (k < 31).then(|| (1 << k) - 1)
    }

    fn quotient(&mut self, signed: bool, ty: &Ty, x: Reg, c: i64) -> Reg {
        Lower::quotient(self, signed, *ty, x, c)
    }

    fn remainder(&mut self, signed: bool, ty: &Ty, x: Reg, c: i64) -> Reg {
        Lower::remainder(self, signed, *ty, x, c)
    }

    fn lea_factor(&mut self, v: Value) -> Option<u8> {
        match self.constant(v)? {
            3 => Some(1),
            5 => Some(2),
            9 => Some(3),
            _ => None,
        }
    }

    fn lea_shift(&mut self, v: Value) -> Option<u8> {
        match self.constant(v)? {
            n @ 1..=3 => Some(n as u8),
            _ => None,
        }
    }

    fn not_const(&mut self, v: Value) -> Option<()> {
        self.constant(v).is_none().then_some(())
    }

    fn sinkable(&mut self, v: Value) -> Option<Value> {
        self.sinkable_load(v).map(|_| v)
    }

    fn not_sinkable(&mut self, v: Value) -> Option<()> {
        self.sinkable_load(v).is_none().then_some(())
    }

    fn truth(&mut self, v: Value) -> Option<()> {
        matches!(self.def(v)?.op, Op::Icmp | Op::Fcmp).then_some(())
    }

    fn upper_half_clear(&mut self, v: Value) -> Option<()> {
        self.clears_upper_half(v).then_some(())
    }

    fn int_ty(&mut self, ty: &Ty) -> Option<Ty> {
        (!ty.is_float() && !ty.is_vector()).then_some(*ty)
    }

    fn float_ty(&mut self, ty: &Ty) -> Option<Ty> {
        ty.is_float().then_some(*ty)
    }

    fn int_cc(&mut self, i: Inst) -> Option<IntCc> {
        match self.f.insts[i.index()].imm {
            Imm::IntCc(cc) => Some(cc),
            _ => None,
        }
    }

    fn float_cc(&mut self, i: Inst) -> Option<FloatCc> {
        match self.f.insts[i.index()].imm {
            Imm::FloatCc(cc) => Some(cc),
            _ => None,
        }
    }

    fn lane(&mut self, i: Inst) -> Option<Lane> {
        match self.f.insts[i.index()].imm {
            Imm::Lane(lane) => Some(lane),
            _ => None,
        }
    }

    fn lane_shift(&mut self, i: Inst) -> Option<(Lane, u8)> {
        match self.f.insts[i.index()].imm {
            Imm::LaneShift(lane, n) => Some((lane, n)),
            _ => None,
        }
    }

    fn mem_type(&mut self, i: Inst) -> Option<MemType> {
        match self.f.insts[i.index()].imm {
            Imm::Mem(m) => Some(m.ty),
            Imm::Slot(_, _, ty) | Imm::Atomic(ty, _) => Some(ty),
            _ => None,
        }
    }

    fn mem_offset(&mut self, i: Inst) -> Option<i32> {
        match self.f.insts[i.index()].imm {
            Imm::Mem(m) => Some(m.offset),
            _ => None,
        }
    }

    fn imm_int(&mut self, i: Inst) -> Option<i64> {
        match self.f.insts[i.index()].imm {
            Imm::Int(n) => Some(n),
            _ => None,
        }
    }

    fn cond_trap(&mut self, i: Inst) -> Option<(IntCc, TrapKind)> {
        match self.f.insts[i.index()].imm {
            Imm::CondTrap(cc, kind) => Some((cc, kind)),
            _ => None,
        }
    }

    fn rmw_alu(&mut self, i: Inst) -> Option<(AluOp, Value, Value)> {
        let d = &self.f.insts[i.index()];
        let op = match d.op {
            Op::Iadd => AluOp::Add,
            Op::Isub => AluOp::Sub,
            Op::And => AluOp::And,
            Op::Or => AluOp::Or,
            Op::Xor => AluOp::Xor,
            _ => return None,
        };
        Some((op, d.args[0], d.args[1]))
    }

    fn rmw_alu_swapped(&mut self, i: Inst) -> Option<(AluOp, Value, Value)> {
        self.rmw_alu(i).filter(|(op, ..)| *op != AluOp::Sub)
    }

    fn same_memory(&mut self, store: Inst, loaded: Value) -> Option<Amode> {
        self.memory_of_rmw(store, loaded)
    }

    fn is_equality(&mut self, cc: &IntCc) -> Option<Unit> {
        matches!(cc, IntCc::Eq | IntCc::Ne).then_some(())
    }

    fn narrow_cmp(&mut self, cc: &IntCc, a: Value, b: Value) -> Option<NarrowCmp> {
        self.narrow_compare(*cc, a, b)
    }

    fn has_bmi1(&mut self) -> Option<Unit> {
        self.features.contains(Features::BMI1).then_some(())
    }

    fn has_bmi2(&mut self) -> Option<Unit> {
        self.features.contains(Features::BMI2).then_some(())
    }

    fn has_lzcnt(&mut self) -> Option<Unit> {
        self.features.contains(Features::LZCNT).then_some(())
    }

    // ---- small computations

    fn shift_amount(&mut self, ty: &Ty, n: i64) -> u8 {
        (n & if *ty == Ty::I32 { 31 } else { 63 }) as u8
    }

    fn cc_of(&mut self, cc: &IntCc) -> Cc {
        (*cc).into()
    }

    fn cc_swapped(&mut self, cc: &IntCc) -> Cc {
        cc.swapped().into()
    }

    fn invert(&mut self, cond: &Cond) -> Cond {
        match *cond {
            Cond::One { cc } => Cond::One { cc: cc.inverse() },
            Cond::And { cc1, cc2 } => Cond::Or {
                cc1: cc1.inverse(),
                cc2: cc2.inverse(),
            },
            Cond::Or { cc1, cc2 } => Cond::And {
                cc1: cc1.inverse(),
                cc2: cc2.inverse(),
            },
        }
    }

    fn mem_size(&mut self, ty: &MemType) -> Size {
        super::emit::mem_size(*ty)
    }

    fn array_length_offset(&mut self) -> i32 {
        layout::array::LENGTH
    }

    fn method_table_offset(&mut self) -> i32 {
        layout::object::METHOD_TABLE
    }

    fn address(&mut self, v: Value, offset: i32) -> Amode {
        self.note_probe(v, offset);
        self.amode(v, offset)
    }

    fn address_of_result(&mut self) -> Amode {
        match self.f.insts[self.current.index()].result {
            Some(v) => self.amode(v, 0),
            None => Amode::base(self.temp(RegClass::Int), 0),
        }
    }

    fn slot_address(&mut self, i: Inst) -> Amode {
        self.slot_amode(i)
    }

    fn amode_indexed(&mut self, base: Reg, index: Reg, shift: u8, disp: i32) -> Amode {
        Amode::indexed(base, index, shift, disp)
    }

    fn amode_base(&mut self, base: Reg, disp: i32) -> Amode {
        Amode::base(base, disp)
    }

    fn unsupported(&mut self) -> Output {
        let op = self.f.insts[self.current.index()].op;
        self.fail(CompileError::Unsupported(op));
        None
    }

    // ---- instructions with one result

    emitters! {
        mov(size: &Size, src: RegMem) -> Int = Mov { size: *size, src: src };
        alu(op: &AluOp, size: &Size, src1: Reg, src2: RegMemImm) -> Int =
            Alu { op: *op, size: *size, src1: src1, src2: src2 };
        un(op: &UnOp, size: &Size, src: Reg) -> Int = Un { op: *op, size: *size, src: src };
        lea(size: &Size, addr: Amode) -> Int = Lea { size: *size, addr: addr };
        imul(size: &Size, src1: Reg, src2: RegMem) -> Int = Imul { size: *size, src1: src1, src2: src2 };
        imul_imm(size: &Size, src: RegMem, imm: i32) -> Int = ImulImm { size: *size, src: src, imm: imm };
        shift_imm(op: &ShiftOp, size: &Size, src: Reg, count: u8) -> Int =
            Shift { op: *op, size: *size, count: count, src: src };
        shift_cl(op: &ShiftOp, size: &Size, src: Reg, count: Reg) -> Int =
            ShiftCl { op: *op, size: *size, src: src, count: count };
        bit_scan(op: &BitScanOp, size: &Size, src: RegMem) -> Int = BitScan { op: *op, size: *size, src: src };
        bmi(op: &BmiOp, size: &Size, src: RegMem, count: Reg) -> Int =
            Bmi { op: *op, size: *size, src: src, count: count };
        ext(op: &ExtOp, size: &Size, src: RegMem) -> Int = Ext { op: *op, size: *size, src: src };
        cmov(cc: &Cc, size: &Size, src1: Reg, src2: RegMem) -> Int =
            Cmov { cc: *cc, size: *size, src1: src1, src2: src2 };
        cmov_not(cc: &Cc, size: &Size, src1: Reg, src2: Reg) -> Int =
            Cmov { cc: cc.inverse(), size: *size, src1: src1, src2: RegMem::Reg(src2) };
        zero_reg() -> Int = Zero {};
        sse(op: &SseOp, src1: Reg, src2: RegMem) -> Float = Sse { op: *op, src1: src1, src2: src2 };
        sse_un(op: &SseUnOp, src: RegMem) -> Float = SseUn { op: *op, src: src };
        sse_packed(op: &SsePackedOp, src1: Reg, src2: RegMem) -> Float =
            SsePacked { op: *op, src1: src1, src2: src2 };
        round(ty: &Ty, src: RegMem, imm: u8) -> Float = SseUnImm {
            op: if *ty == Ty::F32 { SseUnImmOp::Roundss } else { SseUnImmOp::Roundsd }, src: src, imm: imm
        };
        gpr_to_xmm(size: &Size, src: RegMem) -> Float = GprToXmm { size: *size, src: src };
        bits_float(ty: &Ty, src: Reg) -> Float =
            GprToXmm { size: super::emit::size_of_ty(*ty), src: RegMem::Reg(src) };
        float_bits(ty: &Ty, src: Reg) -> Int = XmmToGpr { size: super::emit::size_of_ty(*ty), src: src };
        int_to_float(ty: &Ty, size: &Size, src: RegMem) -> Float = IntToFloat {
            op: if *ty == Ty::F32 { IntToFloatOp::Ss } else { IntToFloatOp::Sd }, size: *size, src: src
        };
        float_to_int(ty: &Ty, size: &Size, src: RegMem) -> Int = FloatToInt {
            op: if *ty == Ty::F32 { FloatToIntOp::TruncSs } else { FloatToIntOp::TruncSd }, size: *size, src: src
        };
    }

    fn atomic_xchg(&mut self, ty: &MemType, mem: Amode, v: Reg) -> Reg {
        let (size, src) = self.atomic_operand(*ty, v);
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Xchg {
            size,
            src,
            mem,
            dst,
        });
        self.atomic_result(*ty, dst)
    }

    fn atomic_add(&mut self, ty: &MemType, mem: Amode, v: Reg) -> Reg {
        let (size, src) = self.atomic_operand(*ty, v);
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Xadd {
            size,
            src,
            mem,
            dst,
        });
        self.atomic_result(*ty, dst)
    }

    fn atomic_cas(&mut self, ty: &MemType, mem: Amode, expected: Reg, new: Reg) -> Reg {
        let (size, expected) = self.atomic_operand(*ty, expected);
        let (_, new) = self.atomic_operand(*ty, new);
        let old = self.temp(RegClass::Int);
        self.buf.push(MInst::Cmpxchg {
            size,
            expected,
            mem,
            new,
            old,
        });
        self.atomic_result(*ty, old)
    }

    fn imm(&mut self, ty: &Ty, n: i64) -> Reg {
        self.emit_imm(*ty, n)
    }

    fn remake(&mut self) -> Reg {
        self.constant_in_reg(self.current)
    }

    fn context_reg(&mut self) -> Reg {
        self.context_arg()
    }

    fn mul_low(&mut self, op: &MulOp, size: &Size, a: Reg, b: RegMem) -> Reg {
        self.mul_wide(*op, *size, a, b).0
    }

    fn mul_high(&mut self, op: &MulOp, size: &Size, a: Reg, b: RegMem) -> Reg {
        self.mul_wide(*op, *size, a, b).1
    }

    fn div_quot(&mut self, op: &DivOp, size: &Size, a: Reg, b: RegMem) -> Reg {
        self.divide(*op, *size, a, b).0
    }

    fn div_rem(&mut self, op: &DivOp, size: &Size, a: Reg, b: RegMem) -> Reg {
        self.divide(*op, *size, a, b).1
    }

    fn truth_of(&mut self, cond: &Cond) -> Reg {
        self.emit_truth(*cond)
    }

    fn sign_bit(&mut self, ty: &Ty) -> RegMem {
        let bits = if *ty == Ty::F32 { 1 << 31 } else { 1 << 63 };
        RegMem::Mem(self.pool_const(bits.into(), 16))
    }

    fn not_sign_bit(&mut self, ty: &Ty) -> RegMem {
        let bits = if *ty == Ty::F32 { 1 << 31 } else { 1 << 63 };
        RegMem::Mem(self.pool_const((!bits).into(), 16))
    }

    fn two_to_63(&mut self, ty: &Ty) -> Reg {
        let bits = match ty {
            Ty::F32 => u64::from(0x5f00_0000u32),
            _ => 0x43e0_0000_0000_0000,
        };
        self.float_in_reg(*ty, bits)
    }

    fn load(&mut self, ty: &MemType, m: Amode) -> Reg {
        self.emit_load(*ty, m)
    }

    // ---- vectors

    fn v_zero(&mut self) -> Reg {
        self.emit_zero_vector()
    }

    fn v_iota(&mut self, lane: &Lane) -> Reg {
        self.emit_iota(*lane)
    }

    fn v_splat(&mut self, lane: &Lane, x: Value) -> Reg {
        self.emit_splat(*lane, x)
    }

    fn v_sum(&mut self, lane: &Lane, x: Reg) -> Reg {
        match lane {
            Lane::I64 => self.emit_across(Size::S64, SsePackedOp::Paddq, x),
            _ => self.emit_across(Size::S32, SsePackedOp::Paddd, x),
        }
    }

    fn v_across(&mut self, op: &SsePackedOp, x: Reg) -> Reg {
        self.emit_across(Size::S32, *op, x)
    }

    fn packed(&mut self, op: &SsePackedOp, a: Value, b: Value) -> Reg {
        self.emit_packed(*op, a, b)
    }

    fn packed_regs(&mut self, op: &SsePackedOp, a: Reg, b: Reg) -> Reg {
        self.packed_op(*op, a, b)
    }

    fn packed_un(&mut self, op: &SsePackedUnOp, src: Reg) -> Reg {
        self.emit_packed_un(*op, src)
    }

    fn v_mul_high(&mut self, op: &SsePackedOp, a: Value, b: Value) -> Reg {
        self.emit_mul_high(*op, a, b)
    }

    fn v_widen(&mut self, x: Value) -> Reg {
        self.emit_widen(x)
    }

    fn v_narrow(&mut self, lane: &Lane, x: Reg) -> Reg {
        self.emit_narrow(*lane, x)
    }

    fn packed_shift(&mut self, op: &SseShiftOp, src: Reg, count: u8) -> Reg {
        self.emit_packed_shift(*op, src, count)
    }

    // ---- instructions without result

    fn alu_mem(&mut self, op: &AluOp, size: &Size, dst: Amode, src: RegImm) -> Unit {
        let src = super::emit::narrow_imm(*size, src);
        self.buf.push(MInst::AluMem {
            op: *op,
            size: *size,
            dst,
            src,
        });
    }

    fn un_mem(&mut self, op: &UnOp, size: &Size, dst: Amode) -> Unit {
        self.buf.push(MInst::UnMem {
            op: *op,
            size: *size,
            dst,
        });
    }

    fn shift_mem(&mut self, op: &ShiftOp, size: &Size, dst: Amode, count: u8) -> Unit {
        self.buf.push(MInst::ShiftMem {
            op: *op,
            size: *size,
            dst,
            count,
        });
    }

    fn store(&mut self, size: &Size, dst: Amode, src: RegImm) -> Unit {
        self.buf.push(MInst::Store {
            size: *size,
            dst,
            src,
        });
    }

    fn store_value(&mut self, ty: &MemType, v: Value, m: Amode) -> Unit {
        self.emit_store(*ty, v, m);
    }

    fn emit_cmp(&mut self, op: &CmpOp, size: &Size, a: Reg, b: RegMemImm) -> Unit {
        if *op == CmpOp::Test && b == RegMemImm::Reg(a) {
            self.buf.push(MInst::TestReg { size: *size, a });
            return;
        }
        self.buf.push(MInst::Cmp {
            op: *op,
            size: *size,
            a,
            b,
        });
    }

    fn emit_cmp_mem(&mut self, op: &CmpOp, size: &Size, a: Amode, b: RegImm) -> Unit {
        self.emit_cmp_rm(op, size, RegMem::Mem(a), b);
    }

    fn emit_cmp_rm(&mut self, op: &CmpOp, size: &Size, a: RegMem, b: RegImm) -> Unit {
        self.buf.push(MInst::CmpMem {
            op: *op,
            size: *size,
            a,
            b,
        });
    }

    fn emit_ucomi(&mut self, ty: &Ty, a: Reg, b: RegMem) -> Unit {
        let op = if *ty == Ty::F32 {
            SseCmpOp::Ucomiss
        } else {
            SseCmpOp::Ucomisd
        };
        self.buf.push(MInst::SseCmp { op, a, b });
    }

    fn emit_trap_if(&mut self, cond: &Cond, kind: &TrapKind) -> Unit {
        self.trap_if(*cond, *kind);
    }

    fn emit_trap_if_cc(&mut self, cc: &Cc, kind: &TrapKind) -> Unit {
        self.buf.push(MInst::TrapIf {
            cc: *cc,
            kind: *kind,
        });
    }

    fn null_probe(&mut self, v: Value) -> Unit {
        if let Some(n) = self.probed.iter().position(|i| *i == self.current) {
            self.probed.swap_remove(n);
            return;
        }
        let base = self.reg(v);
        self.buf.push(MInst::NullProbe {
            addr: Amode::base(base, 0),
        });
    }

    fn copy_block(&mut self, i: Inst, dst: Value, src: Value) -> Unit {
        self.emit_copy_block(i, dst, src);
    }

    fn zero_block(&mut self, i: Inst, dst: Value) -> Unit {
        self.emit_zero_block(i, dst);
    }

    fn localloc(&mut self, i: Inst, bytes: Value) -> Reg {
        self.emit_localloc(i, bytes)
    }

    fn fence(&mut self) -> Unit {
        self.buf.push(MInst::Mfence {});
    }

    fn pause(&mut self) -> Unit {
        self.buf.push(MInst::Pause {});
    }

    // ---- control

    fn call(&mut self, i: Inst) -> Output {
        self.emit_call(i)
    }

    fn poll(&mut self) -> Unit {
        self.buf.push(MInst::Poll {});
    }

    fn keep_alive(&mut self, v: Value) -> Unit {
        let value = RegMem::Reg(self.reg(v));
        self.buf.push(MInst::KeepAlive { value });
    }

    fn catch_object(&mut self, i: Inst) -> Reg {
        self.emit_catch_object(i)
    }

    fn jump(&mut self) -> Unit {
        self.emit_jump();
    }

    fn branch(&mut self, cond: &Cond) -> Unit {
        self.emit_branch(*cond);
    }

    fn switch(&mut self, i: Inst) -> Unit {
        self.emit_switch(i);
    }

    fn leave(&mut self, i: Inst) -> Unit {
        self.emit_leave(i);
    }
}
