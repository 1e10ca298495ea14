//! One instruction: what each opcode does.

use super::arith::Comparison;
use super::convert::Conv;
use super::error::Result;
use super::scan::{Access, variable};
use super::{Importer, Pair};
use crate::il::{Instr, Opcode, Operand};
use crate::ir::{ConvTarget, FloatCc, IntCc, MemType, Op};
use crate::metadata::Token;
use crate::types::{Known, TypeId};

/// Prefixes seen in front of the instruction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prefixes {
    pub volatile: bool,
    pub readonly: bool,
    pub tail: bool,
    pub constrained: Option<Pair<TypeId>>,
}

const fn cmp(int: IntCc, float: FloatCc) -> Comparison {
    Comparison { int, float }
}

/// The comparison behind a branch or compare instruction. Unordered operands make the `.un` forms (and `bne.un`) true
/// when they branch; `cgt.un`/`clt.un` too.
fn comparison(opcode: Opcode) -> Option<Comparison> {
    use Opcode::*;
    Some(match opcode {
        Beq | BeqS | Ceq => cmp(IntCc::Eq, FloatCc::Eq),
        BneUn | BneUnS => cmp(IntCc::Ne, FloatCc::Ne),
        Bge | BgeS => cmp(IntCc::Sge, FloatCc::Ge),
        Bgt | BgtS | Cgt => cmp(IntCc::Sgt, FloatCc::Gt),
        Ble | BleS => cmp(IntCc::Sle, FloatCc::Le),
        Blt | BltS | Clt => cmp(IntCc::Slt, FloatCc::Lt),
        BgeUn | BgeUnS => cmp(IntCc::Uge, FloatCc::Uge),
        BgtUn | BgtUnS | CgtUn => cmp(IntCc::Ugt, FloatCc::Ugt),
        BleUn | BleUnS => cmp(IntCc::Ule, FloatCc::Ule),
        BltUn | BltUnS | CltUn => cmp(IntCc::Ult, FloatCc::Ult),
        _ => return None,
    })
}

/// Integer and float op of an arithmetic instruction.
fn binary(opcode: Opcode) -> Option<(Op, Option<Op>)> {
    use Opcode::*;
    Some(match opcode {
        Add => (Op::Iadd, Some(Op::Fadd)),
        Sub => (Op::Isub, Some(Op::Fsub)),
        Mul => (Op::Imul, Some(Op::Fmul)),
        Div => (Op::DivS, Some(Op::Fdiv)),
        Rem => (Op::RemS, Some(Op::Frem)),
        DivUn => (Op::DivU, None),
        RemUn => (Op::RemU, None),
        And => (Op::And, None),
        Or => (Op::Or, None),
        Xor => (Op::Xor, None),
        AddOvf => (Op::AddOvfS, None),
        AddOvfUn => (Op::AddOvfU, None),
        SubOvf => (Op::SubOvfS, None),
        SubOvfUn => (Op::SubOvfU, None),
        MulOvf => (Op::MulOvfS, None),
        MulOvfUn => (Op::MulOvfU, None),
        _ => return None,
    })
}

fn conversion(opcode: Opcode) -> Option<Conv> {
    use Opcode::*;
    Some(match opcode {
        ConvI1 => Conv::I1,
        ConvU1 => Conv::U1,
        ConvI2 => Conv::I2,
        ConvU2 => Conv::U2,
        ConvI4 => Conv::I4,
        ConvU4 => Conv::U4,
        ConvI8 | ConvI => Conv::I8,
        ConvU8 | ConvU => Conv::U8,
        ConvR4 => Conv::R4,
        ConvR8 => Conv::R8,
        ConvRUn => Conv::RUn,
        _ => return None,
    })
}

/// Target and "source is unsigned" of a checked conversion.
fn checked_conversion(opcode: Opcode) -> Option<(ConvTarget, bool)> {
    use Opcode::*;
    Some(match opcode {
        ConvOvfI1 => (ConvTarget::I1, false),
        ConvOvfU1 => (ConvTarget::U1, false),
        ConvOvfI2 => (ConvTarget::I2, false),
        ConvOvfU2 => (ConvTarget::U2, false),
        ConvOvfI4 => (ConvTarget::I4, false),
        ConvOvfU4 => (ConvTarget::U4, false),
        ConvOvfI8 | ConvOvfI => (ConvTarget::I8, false),
        ConvOvfU8 | ConvOvfU => (ConvTarget::U8, false),
        ConvOvfI1Un => (ConvTarget::I1, true),
        ConvOvfU1Un => (ConvTarget::U1, true),
        ConvOvfI2Un => (ConvTarget::I2, true),
        ConvOvfU2Un => (ConvTarget::U2, true),
        ConvOvfI4Un => (ConvTarget::I4, true),
        ConvOvfU4Un => (ConvTarget::U4, true),
        ConvOvfI8Un | ConvOvfIUn => (ConvTarget::I8, true),
        ConvOvfU8Un | ConvOvfUUn => (ConvTarget::U8, true),
        _ => return None,
    })
}

/// Memory type of an indirect or element access by opcode; true for stores, and which family.
fn memory_access(opcode: Opcode) -> Option<(Family, MemType)> {
    use Opcode::*;
    Some(match opcode {
        LdindI1 => (Family::Ldind, MemType::I8),
        LdindU1 => (Family::Ldind, MemType::U8),
        LdindI2 => (Family::Ldind, MemType::I16),
        LdindU2 => (Family::Ldind, MemType::U16),
        LdindI4 | LdindU4 => (Family::Ldind, MemType::I32),
        LdindI8 | LdindI => (Family::Ldind, MemType::I64),
        LdindR4 => (Family::Ldind, MemType::F32),
        LdindR8 => (Family::Ldind, MemType::F64),
        LdindRef => (Family::Ldind, MemType::Ref),
        StindI1 => (Family::Stind, MemType::I8),
        StindI2 => (Family::Stind, MemType::I16),
        StindI4 => (Family::Stind, MemType::I32),
        StindI8 | StindI => (Family::Stind, MemType::I64),
        StindR4 => (Family::Stind, MemType::F32),
        StindR8 => (Family::Stind, MemType::F64),
        StindRef => (Family::Stind, MemType::Ref),
        LdelemI1 => (Family::Ldelem, MemType::I8),
        LdelemU1 => (Family::Ldelem, MemType::U8),
        LdelemI2 => (Family::Ldelem, MemType::I16),
        LdelemU2 => (Family::Ldelem, MemType::U16),
        LdelemI4 | LdelemU4 => (Family::Ldelem, MemType::I32),
        LdelemI8 | LdelemI => (Family::Ldelem, MemType::I64),
        LdelemR4 => (Family::Ldelem, MemType::F32),
        LdelemR8 => (Family::Ldelem, MemType::F64),
        LdelemRef => (Family::Ldelem, MemType::Ref),
        StelemI1 => (Family::Stelem, MemType::I8),
        StelemI2 => (Family::Stelem, MemType::I16),
        StelemI4 => (Family::Stelem, MemType::I32),
        StelemI8 | StelemI => (Family::Stelem, MemType::I64),
        StelemR4 => (Family::Stelem, MemType::F32),
        StelemR8 => (Family::Stelem, MemType::F64),
        StelemRef => (Family::Stelem, MemType::Ref),
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Family {
    Ldind,
    Stind,
    Ldelem,
    Stelem,
}

/// The constant of the short `ldc.i4` forms.
fn small_constant(opcode: Opcode) -> Option<i32> {
    let n = opcode as u16;
    (Opcode::LdcI4M1 as u16..=Opcode::LdcI48 as u16)
        .contains(&n)
        .then(|| i32::from(n) - Opcode::LdcI40 as i32)
}

impl Importer<'_> {
    /// Imports one instruction. The tables above take most opcodes, the match below the rest.
    pub(crate) fn instruction(&mut self, i: &Instr) -> Result<()> {
        if let Some((var, access)) = variable(i) {
            return match access {
                Access::Read => self.load_var(var),
                Access::Write => self.store_var(var),
                Access::Address => self.address_of_var(var),
            };
        }
        if let Some(n) = small_constant(i.opcode) {
            let v = self.b.i32(n);
            self.push(v, None);
            return Ok(());
        }
        if let Some(c) = comparison(i.opcode) {
            return match i.operand {
                Operand::Target(t) => self.compare_and_branch(c, t),
                _ => self.compare(c),
            };
        }
        if let Some((int, float)) = binary(i.opcode) {
            return self.binary(int, float);
        }
        if let Some(to) = conversion(i.opcode) {
            return self.conv(to);
        }
        if let Some((to, unsigned)) = checked_conversion(i.opcode) {
            return self.conv_ovf(to, unsigned);
        }
        if let Some((family, m)) = memory_access(i.opcode) {
            return match family {
                Family::Ldind => self.ldind(m),
                Family::Stind => self.stind(m),
                Family::Ldelem => self.ldelem_scalar(m),
                Family::Stelem if m == MemType::Ref => self.stelem_ref(),
                Family::Stelem => self.stelem_scalar(m),
            };
        }
        match i.operand {
            Operand::Token(token) => self.token_instruction(i.opcode, token),
            Operand::Target(target) => self.branch_instruction(i.opcode, target),
            Operand::Switch(targets) => self.switch_to_targets(targets.iter()),
            _ => self.other_instruction(i),
        }
    }

    fn branch_instruction(&mut self, opcode: Opcode, target: u32) -> Result<()> {
        use Opcode::*;
        match opcode {
            Br | BrS => {
                self.poll_before(target);
                self.jump_to(self.key_at(target))
            }
            Brtrue | BrtrueS => self.branch_on_bool(true, target),
            Brfalse | BrfalseS => self.branch_on_bool(false, target),
            Leave | LeaveS => self.leave(target),
            _ => self.unknown(),
        }
    }

    fn token_instruction(&mut self, opcode: Opcode, token: Token) -> Result<()> {
        use Opcode::*;
        match opcode {
            Call => self.call(token, false),
            Callvirt => self.call(token, true),
            Calli => self.calli(token),
            Jmp => self.jmp(token),
            Newobj => self.newobj(token),
            Ldftn => self.ldftn(token),
            Ldvirtftn => self.ldvirtftn(token),
            Ldfld => self.ldfld(token),
            Ldflda => self.ldflda(token),
            Stfld => self.stfld(token),
            Ldsfld => self.ldsfld(token),
            Ldsflda => self.ldsflda(token),
            Stsfld => self.stsfld(token),
            Ldobj => {
                let ty = self.type_pair(token)?.canon;
                self.load_indirect(ty)
            }
            Stobj => {
                let ty = self.type_pair(token)?.canon;
                self.store_indirect(ty)
            }
            Cpobj => self.cpobj(token),
            Initobj => self.initobj(token),
            Ldstr => self.ldstr(token),
            Castclass => self.cast(token, Op::CastClass),
            Isinst => self.cast(token, Op::IsInst),
            Box => self.box_token(token),
            Unbox => self.unbox(token),
            UnboxAny => self.unbox_any(token),
            Newarr => self.newarr(token),
            Ldelema => self.ldelema(token),
            Ldelem => self.ldelem(token),
            Stelem => self.stelem(token),
            Ldtoken => self.ldtoken(token),
            Sizeof => self.sizeof(token),
            Mkrefany => self.mkrefany(token),
            Refanyval => self.refanyval(token),
            Constrained => {
                self.prefixes.constrained = Some(self.type_pair(token)?);
                Ok(())
            }
            _ => self.unknown(),
        }
    }

    fn other_instruction(&mut self, i: &Instr) -> Result<()> {
        use Opcode::*;
        match (i.opcode, i.operand) {
            (Nop | Break | Unaligned | No, _) => {}
            (Tail, _) => self.prefixes.tail = true,
            (Volatile, _) => self.prefixes.volatile = true,
            (Readonly, _) => self.prefixes.readonly = true,
            (LdcI4 | LdcI4S, Operand::Int(n)) => {
                let v = self.b.i32(n as i32);
                self.push(v, None);
            }
            (LdcI8, Operand::Int(n)) => {
                let v = self.b.i64(n);
                self.push(v, None);
            }
            (LdcR4, Operand::F32(x)) => {
                let v = self.b.f32(x);
                self.push(v, None);
            }
            (LdcR8, Operand::F64(x)) => {
                let v = self.b.f64(x);
                self.push(v, None);
            }
            (Ldnull, _) => {
                let v = self.b.null(crate::ir::Type::Ref);
                self.push(v, None);
            }
            (Dup, _) => {
                let Some(item) = self.stack.last().copied() else {
                    return self.invalid("stack underflow");
                };
                self.stack.push(item);
                // A callee may change a struct it gets; each copy needs its own memory.
                if item.is_struct && item.borrowed.is_none() {
                    let ty = item.ty.unwrap_or_else(|| self.object_type());
                    let temp = self.new_temp(ty)?;
                    self.copy_struct_to_stack(temp, item.value, ty)?;
                    self.pop()?;
                    self.stack.push(super::stack::Item::structure(temp, ty));
                }
            }
            (Pop, _) => drop(self.pop()?),
            (Ret, _) => self.ret()?,
            (Shl, _) => self.shift(Op::Shl)?,
            (Shr, _) => self.shift(Op::ShrS)?,
            (ShrUn, _) => self.shift(Op::ShrU)?,
            (Neg, _) => self.neg()?,
            (Not, _) => self.not()?,
            (Ldlen, _) => self.ldlen()?,
            (Throw, _) => {
                let object = self.pop_ref()?;
                self.b.throw(object);
            }
            (Rethrow, _) => self.rethrow()?,
            (Endfinally, _) => self.end_finally()?,
            (Endfilter, _) => {
                let accept = self.pop_i32()?;
                if !self.regions.in_filter(i.offset) {
                    return self.invalid("endfilter outside of a filter");
                }
                self.b.end_filter(accept);
            }
            (Ckfinite, _) => {
                let v = self.pop_value()?;
                if !self.is_float(v) {
                    return self.invalid("ckfinite of an integer");
                }
                let v = self.b.ckfinite(v);
                self.push(v, None);
            }
            (Localloc, _) => self.localloc()?,
            (Cpblk, _) => self.cpblk()?,
            (Initblk, _) => self.initblk()?,
            (Refanytype, _) => self.refanytype()?,
            (Arglist, _) => self.arglist()?,
            _ => return self.unknown(),
        }
        Ok(())
    }

    fn unknown(&self) -> Result<()> {
        self.invalid("unknown instruction")
    }

    /// Static fields whose value is fixed.
    pub(crate) fn constant_static(&mut self, f: crate::types::FieldId) -> Result<bool> {
        let owner = self.ctx.field_kind(f).owner;
        let is =
            |k: Known, name: &str| owner == self.ctx.known(k) && self.ctx.field_name(f) == name;
        if is(Known::IntPtr, "Zero") || is(Known::UIntPtr, "Zero") {
            let zero = self.b.i64(0);
            self.push(zero, Some(owner));
            return Ok(true);
        }
        Ok(false)
    }
}
