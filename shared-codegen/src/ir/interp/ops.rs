//! What each op does.

use super::machine::{Flow, Machine};
use super::{Answer, Raise, unsupported};
use crate::abi::helper::HelperId;
use crate::abi::layout;
use crate::abi::trap::TrapKind;
use crate::ir::eval::{Const, Outcome, compare, eval};
use crate::ir::vector::{Bits, eval_vector, vector_type};
use crate::ir::{Function, Imm, InstData, MemType, Op, Type, Value};

const NULL: Raise = Raise::Trap(TrapKind::NullReference);

impl Machine<'_> {
    /// Executes one instruction of the top frame.
    pub fn step(&mut self, f: &Function, data: &InstData, base: usize) -> Answer<Flow> {
        if data.op.is_terminator() {
            return self.control(f, data, base);
        }
        let wide = |v: &Value| f.ty(*v).is_vector();
        if data.op.is_vector() || data.args.iter().chain(&data.result).any(wide) {
            return self.vector_op(f, data);
        }
        let args = self.args(f, data);
        match eval(data.op, data.ty, &data.imm, &args) {
            Outcome::Value(c) => {
                self.set(data.result, c.bits);
                return Ok(Flow::Next);
            }
            Outcome::Trap(kind) => return Err(Raise::Trap(kind)),
            Outcome::Unknown => {}
        }
        if matches!(data.imm, Imm::Call(_)) {
            return self.call_op(f, data, &args);
        }
        let value = match data.imm {
            Imm::Mem(_) | Imm::Slot(..) | Imm::Size(..) | Imm::Atomic(..) => {
                self.memory_op(data, &args)?
            }
            Imm::Type(_) => self.type_op(data, &args)?,
            Imm::Helper(h) => self.helper(h, &args)?.map(|c| c.bits),
            _ => self.other(f, data, &args)?,
        };
        if let Some(bits) = value {
            self.set(data.result, bits);
        }
        Ok(Flow::Next)
    }

    /// Operations on vectors, loads and stores of them.
    fn vector_op(&mut self, f: &Function, data: &InstData) -> Answer<Flow> {
        let args: Vec<Bits> = data.args.iter().map(|&v| self.get_wide(f, v)).collect();
        let at = |offset: i32| args[0].low().wrapping_add(offset as i64 as u64);
        let bits = match (data.op, data.imm) {
            (Op::Load, Imm::Mem(m)) => self.mem.load_wide(at(m.offset), m.ty)?,
            (Op::SlotLoad, Imm::Slot(s, offset, ty)) => {
                self.mem.load_wide(self.slot_at(s, offset), ty)?
            }
            (Op::Store, Imm::Mem(m)) => {
                self.mem.store_wide(at(m.offset), m.ty, args[1])?;
                return Ok(Flow::Next);
            }
            (Op::SlotStore, Imm::Slot(s, offset, ty)) => {
                self.mem.store_wide(self.slot_at(s, offset), ty, args[0])?;
                return Ok(Flow::Next);
            }
            _ => match eval_vector(data.op, vector_type(f, data), &data.imm, &args) {
                Some(bits) => bits,
                None => return unsupported("vector operation"),
            },
        };
        self.set_wide(data.result, bits);
        Ok(Flow::Next)
    }

    fn memory_op(&mut self, data: &InstData, args: &[Const]) -> Answer<Option<u64>> {
        let bits = |n: usize| args[n].bits;
        match (data.op, data.imm) {
            (Op::SlotAddr, Imm::Slot(s, offset, _)) => return Ok(Some(self.slot_at(s, offset))),
            (Op::SlotLoad, Imm::Slot(s, offset, m)) => {
                return Ok(Some(self.mem.load(self.slot_at(s, offset), m)?.bits));
            }
            (Op::SlotStore, Imm::Slot(s, offset, m)) => {
                self.mem.store(self.slot_at(s, offset), m, bits(0))?;
            }
            (Op::Load, Imm::Mem(m)) => {
                let at = bits(0).wrapping_add(m.offset as i64 as u64);
                return Ok(Some(self.mem.load(at, m.ty)?.bits));
            }
            (Op::Store | Op::StoreRef, Imm::Mem(m)) => {
                let at = bits(0).wrapping_add(m.offset as i64 as u64);
                self.mem.store(at, m.ty, bits(1))?;
            }
            (Op::CopyBlock | Op::CopyStruct, Imm::Size(n, _)) => {
                self.mem.copy(bits(0), bits(1), n as u64)?;
            }
            (Op::ZeroBlock, Imm::Size(n, _)) => self.mem.bytes_mut(bits(0), n as u64)?.fill(0),
            (Op::AllocObject, Imm::Size(n, _)) => {
                return Ok(Some(self.new_object(bits(0), n as u64)?));
            }
            (Op::AllocArray, Imm::Size(element, _)) => {
                return Ok(Some(self.new_array(bits(0), args[1].signed(), element)?));
            }
            (op, Imm::Atomic(m, _)) => return self.atomic(op, m, args).map(Some),
            _ => return unsupported("memory op"),
        }
        Ok(None)
    }

    fn atomic(&mut self, op: Op, m: MemType, args: &[Const]) -> Answer<u64> {
        if args[0].bits == 0 {
            return Err(NULL);
        }
        let old = self.mem.load(args[0].bits, m)?;
        let new = match op {
            Op::AtomicXchg => args[1].bits,
            Op::AtomicAdd => old.bits.wrapping_add(args[1].bits),
            Op::AtomicCas if old.bits == args[1].bits => args[2].bits,
            Op::AtomicCas => old.bits,
            _ => return unsupported("atomic op"),
        };
        self.mem.store(args[0].bits, m, new)?;
        Ok(old.bits)
    }

    // ---- objects

    fn new_object(&mut self, table: u64, bytes: u64) -> Answer<u64> {
        let object = self.mem.alloc(bytes)?;
        self.mem.store(object, MemType::I64, table)?;
        Ok(object)
    }

    fn new_array(&mut self, table: u64, length: i64, element: u32) -> Answer<u64> {
        if length < 0 {
            return Err(Raise::Trap(TrapKind::Overflow));
        }
        let data = (length as u64).saturating_mul(element as u64);
        let array = self.new_object(table, data.saturating_add(layout::array::DATA as u64))?;
        let at = array + layout::array::LENGTH as u64;
        self.mem.store(at, MemType::I64, length as u64)?;
        Ok(array)
    }

    fn instance(&self, object: u64, table: u64) -> bool {
        object != 0 && self.host.is_instance(self.mem, object, table)
    }

    fn type_op(&mut self, data: &InstData, args: &[Const]) -> Answer<Option<u64>> {
        let Imm::Type(ty) = data.imm else {
            return unsupported("no type");
        };
        let bits = |n: usize| args[n].bits;
        Ok(Some(match data.op {
            Op::NewObject => {
                let size = self.host.instance_size(ty) as u64;
                self.new_object(bits(0), size)?
            }
            Op::NewArray => {
                let element = self.host.element_size(ty);
                self.new_array(bits(0), args[1].signed(), element)?
            }
            Op::CastClass if bits(1) == 0 || self.instance(bits(1), bits(0)) => bits(1),
            Op::CastClass => return Err(Raise::Trap(TrapKind::InvalidCast)),
            Op::IsInst if self.instance(bits(1), bits(0)) => bits(1),
            Op::IsInst => 0,
            Op::Unbox => self.unbox(bits(0), bits(1))?,
            Op::ClassInit => {
                self.host.class_init(self.mem, ty)?;
                return Ok(None);
            }
            op => return unsupported(op.info().name),
        }))
    }

    fn unbox(&self, table: u64, object: u64) -> Answer<u64> {
        if object == 0 {
            return Err(NULL);
        }
        if !self.instance(object, table) {
            return Err(Raise::Trap(TrapKind::InvalidCast));
        }
        Ok(object + layout::object::HEADER as u64)
    }

    // ---- the rest

    fn other(&mut self, f: &Function, data: &InstData, args: &[Const]) -> Answer<Option<u64>> {
        let bits = |n: usize| args[n].bits;
        match (data.op, data.imm) {
            (Op::Const, Imm::Fixup(x)) => return self.host.fixup(self.mem, x).map(Some),
            (Op::ContextArg, _) => return Ok(Some(self.top().context)),
            (Op::GenericLookup, Imm::Lookup(l)) => {
                let lookup = f.lookups[l.index()];
                return self.host.lookup(self.mem, lookup, bits(0)).map(Some);
            }
            (Op::NullCheck, _) if bits(0) == 0 => return Err(NULL),
            (Op::TrapIf, Imm::CondTrap(cc, kind)) if compare(cc, args[0], args[1]) => {
                return Err(Raise::Trap(kind));
            }
            (Op::BoundsCheck, _) if bits(0) >= bits(1) => {
                return Err(Raise::Trap(TrapKind::IndexOutOfRange));
            }
            (Op::NullCheck | Op::TrapIf | Op::BoundsCheck, _) => {}
            (Op::Fence | Op::Pause | Op::Poll | Op::KeepAlive | Op::ArrayStoreCheck, _) => {}
            (Op::ArrayLen, _) => {
                return Ok(Some(self.mem.word(bits(0) + layout::array::LENGTH as u64)?));
            }
            (Op::MethodTableOf, _) => return Ok(Some(self.mem.word(bits(0))?)),
            (Op::CatchObject, _) => return self.exception(f, &data.imm).map(Some),
            (Op::LocAlloc, Imm::Int(zeroed)) => {
                return Ok(Some(self.mem.push(bits(0), zeroed != 0)?));
            }
            (Op::MemCopy | Op::MemFill, _) => {
                let n = bits(2);
                if n != 0 && (bits(0) == 0 || (data.op == Op::MemCopy && bits(1) == 0)) {
                    return Err(NULL);
                }
                match data.op {
                    Op::MemCopy => self.mem.copy(bits(0), bits(1), n)?,
                    _ => self.mem.bytes_mut(bits(0), n)?.fill(bits(1) as u8),
                }
            }
            (op, _) => return unsupported(op.info().name),
        }
        Ok(None)
    }

    fn helper(&mut self, h: HelperId, args: &[Const]) -> Answer<Option<Const>> {
        use HelperId::*;
        let bits = |n: usize| args[n].bits;
        let float = |n: usize| args[n].float();
        let word = |ty, bits| Ok(Some(Const { ty, bits }));
        let f64 = |x: f64| Ok(Some(Const::f64(x)));
        match h {
            CastClass if bits(1) == 0 || self.instance(bits(1), bits(0)) => {
                word(Type::Ref, bits(1))
            }
            CastClass => Err(Raise::Trap(TrapKind::InvalidCast)),
            IsInst => {
                let yes = self.instance(bits(1), bits(0));
                word(Type::Ref, if yes { bits(1) } else { 0 })
            }
            NewObject | NewArray => {
                let Some(ty) = self.host.type_of_table(self.mem, bits(0)) else {
                    return unsupported("no method table");
                };
                let object = match h {
                    NewObject => self.new_object(bits(0), self.host.instance_size(ty) as u64)?,
                    _ => self.new_array(bits(0), args[1].signed(), self.host.element_size(ty))?,
                };
                word(Type::Ref, object)
            }
            Unbox => word(Type::ByRef, self.unbox(bits(0), bits(1))?),
            Throw | Rethrow if bits(0) == 0 => Err(NULL),
            Throw | Rethrow => Err(Raise::Object(bits(0))),
            ThrowTrap => match TrapKind::try_from(bits(0) as u8) {
                Ok(kind) => Err(Raise::Trap(kind)),
                Err(()) => unsupported("unknown trap"),
            },
            EndCatch | WriteBarrier | MonitorEnter | MonitorExit | ArrayStoreCheck => Ok(None),
            CopyWithRefs | MemMove => {
                self.mem.copy(bits(0), bits(1), bits(2))?;
                Ok(None)
            }
            MemSet => {
                self.mem.bytes_mut(bits(0), bits(2))?.fill(bits(1) as u8);
                Ok(None)
            }
            FmodF64 => f64(float(0) % float(1)),
            FmodF32 => Ok(Some(Const::f32(float(0) as f32 % float(1) as f32))),
            Sin => f64(float(0).sin()),
            Cos => f64(float(0).cos()),
            Tan => f64(float(0).tan()),
            Atan => f64(float(0).atan()),
            Atan2 => f64(float(0).atan2(float(1))),
            Exp => f64(float(0).exp()),
            Log => f64(float(0).ln()),
            Log10 => f64(float(0).log10()),
            Pow => f64(float(0).powf(float(1))),
            _ => self.host.helper(self.mem, h, args),
        }
    }

    // ---- calls

    fn call_op(&mut self, f: &Function, data: &InstData, args: &[Const]) -> Answer<Flow> {
        let Imm::Call(info) = data.imm else {
            return unsupported("no call");
        };
        let has_context = f.sigs[info.sig.index()].context;
        let rest = &args[data.op.call_prefix()..];
        let method = match data.op {
            Op::Call => info.method,
            Op::CallIndirect => self.host.method_at(args[0].bits),
            Op::CallVirtual | Op::CallInterface => {
                let object = rest.first().map_or(0, |c| c.bits);
                if object == 0 {
                    return unsupported("virtual call on null");
                }
                info.method
                    .and_then(|m| self.host.virtual_target(self.mem, object, m))
            }
            Op::CallInternal | Op::CallNative => {
                let value = self.host.external(self.mem, info.method, rest)?;
                self.set(data.result, value.map_or(0, |c| c.bits));
                return Ok(Flow::Next);
            }
            op => return unsupported(op.info().name),
        };
        match method {
            Some(m) => self.call(m, rest, has_context, data.result),
            None => unsupported("the callee is not known"),
        }
    }
}
