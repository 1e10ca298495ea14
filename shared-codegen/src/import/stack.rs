//! The evaluation stack. Scalars are SSA values; a struct is the address of memory that nobody writes
//! while the item is on the stack: a temporary, or a local that is borrowed until it is assigned.

use super::error::Result;
use super::scan::VarRef;
use super::{Importer, Pair};
use crate::ir::{Imm, MemType, Op, Slot, SlotData, Type, Value};
use crate::types::{MethodId, TypeId, ValueClass};
use rustc_hash::FxHashMap;

/// An item on the evaluation stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// The value, or the address of a struct.
    pub value: Value,
    /// Static type, if known. Never trusted for anything that would be unsafe if wrong.
    pub ty: Option<TypeId>,
    /// `ty` is a struct and `value` its address.
    pub is_struct: bool,
    /// The struct is this variable itself, not a copy.
    pub borrowed: Option<VarRef>,
    /// The value came from `ldftn`/`ldvirtftn` of this method.
    pub ftn: Option<Pair<MethodId>>,
}

impl Item {
    /// A scalar.
    pub(crate) fn scalar(value: Value, ty: Option<TypeId>) -> Item {
        Item {
            value,
            ty,
            is_struct: false,
            borrowed: None,
            ftn: None,
        }
    }

    /// A struct in a temporary.
    pub(crate) fn structure(addr: Value, ty: TypeId) -> Item {
        Item {
            value: addr,
            ty: Some(ty),
            is_struct: true,
            borrowed: None,
            ftn: None,
        }
    }
}

/// Temporaries for structs. All are free when the evaluation stack is empty between blocks' statements.
#[derive(Default)]
pub(crate) struct TempPool {
    free: FxHashMap<TypeId, Vec<Slot>>,
    used: Vec<(TypeId, Slot)>,
    /// Slots that carry a struct from block to block, by depth and type.
    carried: FxHashMap<(usize, TypeId), Slot>,
}

impl Importer<'_> {
    pub(crate) fn push(&mut self, value: Value, ty: Option<TypeId>) {
        self.stack.push(Item::scalar(value, ty));
    }

    pub(crate) fn pop(&mut self) -> Result<Item> {
        match self.stack.pop() {
            Some(item) => Ok(item),
            None => self.invalid("stack underflow"),
        }
    }

    /// Pops a scalar.
    pub(crate) fn pop_value(&mut self) -> Result<Value> {
        let item = self.pop()?;
        self.scalar_of(item)
    }

    /// The scalar in an item; a struct that is really one word (unverifiable code) is loaded.
    pub(crate) fn scalar_of(&mut self, item: Item) -> Result<Value> {
        if item.is_struct {
            return self.invalid("a struct where a scalar is needed");
        }
        Ok(item.value)
    }

    /// Pops an integer as i32.
    pub(crate) fn pop_i32(&mut self) -> Result<Value> {
        let v = self.pop_value()?;
        self.to_type(v, Type::I32)
    }

    /// Pops an integer or address as i64, sign-extended.
    pub(crate) fn pop_i64(&mut self) -> Result<Value> {
        let v = self.pop_value()?;
        self.to_type(v, Type::I64)
    }

    /// Pops an object reference.
    pub(crate) fn pop_ref(&mut self) -> Result<Value> {
        let v = self.pop_value()?;
        self.to_type(v, Type::Ref)
    }

    /// Pops an address: by-ref, native int, or object reference.
    pub(crate) fn pop_addr(&mut self) -> Result<Value> {
        let v = self.pop_value()?;
        self.to_address(v)
    }

    /// The address in an item.
    pub(crate) fn address_in(&mut self, item: Item) -> Result<Value> {
        let v = self.scalar_of(item)?;
        self.to_address(v)
    }

    /// A by-ref, native int or object reference as it is, an int as native int.
    pub(crate) fn to_address(&mut self, v: Value) -> Result<Value> {
        if self.b.func.ty(v).is_word() {
            Ok(v)
        } else {
            self.to_type(v, Type::I64)
        }
    }

    /// The implicit conversions of the evaluation stack (and those that unverifiable code relies on).
    pub(crate) fn to_type(&mut self, v: Value, to: Type) -> Result<Value> {
        let from = self.b.func.ty(v);
        Ok(match (from, to) {
            _ if from == to => v,
            (Type::I32, Type::I64) => self.b.sext32(v),
            (Type::I32, _) if to.is_word() => {
                let wide = self.b.sext32(v);
                self.b.addr_cast(to, wide)
            }
            (_, Type::I32) if from.is_word() => {
                let word = self.word(v);
                self.b.trunc(word)
            }
            _ if from.is_word() && to.is_word() => self.b.addr_cast(to, v),
            (Type::F32, Type::F64) => self.b.fpromote(v),
            (Type::F64, Type::F32) => self.b.fdemote(v),
            _ => return self.invalid("operand types do not fit"),
        })
    }

    /// An address or native int as i64.
    pub(crate) fn word(&mut self, v: Value) -> Value {
        if self.b.func.ty(v) == Type::I64 {
            v
        } else {
            self.b.addr_cast(Type::I64, v)
        }
    }

    /// Address of a fresh temporary of a struct type, not initialized.
    pub(crate) fn new_temp(&mut self, ty: TypeId) -> Result<Value> {
        let slot = self.new_temp_slot(ty)?;
        Ok(self.b.slot_addr(slot, 0))
    }

    fn new_temp_slot(&mut self, ty: TypeId) -> Result<Slot> {
        let reused = self.temps.free.get_mut(&ty).and_then(Vec::pop);
        let slot = match reused {
            Some(slot) => slot,
            None => self.new_struct_slot(ty, false)?,
        };
        self.temps.used.push((ty, slot));
        Ok(slot)
    }

    /// A frame slot for a value of any type.
    pub(crate) fn new_struct_slot(&mut self, ty: TypeId, zeroed: bool) -> Result<Slot> {
        let (size, align) = match self.ctx.value_class(ty)? {
            ValueClass::Struct { size, align } => (size, align),
            ValueClass::Scalar(m) => (m.bytes(), m.bytes()),
            ValueClass::Void => return self.invalid("a variable of type void"),
        };
        Ok(self.b.func.add_slot(SlotData {
            size: size.max(1),
            align: align.max(8),
            ty: Some(ty),
            zeroed,
            eh: None,
        }))
    }

    /// Gives temporaries back when nothing on the stack can refer to them.
    pub(crate) fn release_temps(&mut self) {
        if self.stack.is_empty() {
            for (ty, slot) in self.temps.used.drain(..) {
                self.temps.free.entry(ty).or_default().push(slot);
            }
        }
    }

    /// The item as one that owns its memory (a callee may change it).
    pub(crate) fn owned(&mut self, item: Item) -> Result<Item> {
        match (item.is_struct && item.borrowed.is_some(), item.ty) {
            (true, Some(ty)) => {
                let temp = self.new_temp(ty)?;
                self.copy_struct_to_stack(temp, item.value, ty)?;
                Ok(Item::structure(temp, ty))
            }
            _ => Ok(item),
        }
    }

    /// Copies stacked structs that are this variable, because it is about to change.
    pub(crate) fn unborrow(&mut self, var: VarRef) -> Result<()> {
        for n in 0..self.stack.len() {
            if self.stack[n].borrowed == Some(var) {
                self.stack[n] = self.owned(self.stack[n])?;
            }
        }
        Ok(())
    }

    /// Bytes of a struct type, and whether it holds references.
    pub(crate) fn struct_size(&self, ty: TypeId) -> Result<(u32, bool)> {
        Ok((self.ctx.value_size(ty)?, self.ctx.contains_refs(ty)?))
    }

    /// Copies a struct to stack memory.
    pub(crate) fn copy_struct_to_stack(
        &mut self,
        to: Value,
        from: Value,
        ty: TypeId,
    ) -> Result<()> {
        let (size, refs) = self.struct_size(ty)?;
        self.b.copy_to_stack(to, from, size, refs);
        Ok(())
    }

    /// Leaves the stack behind for a successor block: scalars in variables, structs in carried slots. Returns the
    /// shape the successor finds.
    pub(crate) fn carry_out(&mut self, shape: &[Carried]) -> Result<()> {
        for (depth, carried) in shape.iter().enumerate() {
            let item = self.stack[depth];
            match *carried {
                Carried::Var(var, _) => {
                    let v = self.scalar_of(item)?;
                    let v = self.to_type(v, self.b.var_type(var))?;
                    self.b.def_var(var, v);
                }
                Carried::Slot(slot, ty) => {
                    if !item.is_struct || item.ty != Some(ty) {
                        return self.invalid("stack types differ at a join");
                    }
                    if !self.is_slot_itself(item.value, slot) {
                        let to = self.b.slot_addr(slot, 0);
                        self.copy_struct_to_stack(to, item.value, ty)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The value is the address of the start of this slot.
    fn is_slot_itself(&self, v: Value, slot: Slot) -> bool {
        let inst = self.b.func.def_inst(v);
        inst.is_some_and(
            |i| matches!(self.b.func.insts[i.index()].imm, Imm::Slot(s, 0, _) if s == slot),
        )
    }

    /// The shape for the present stack: fresh variables, slots by depth.
    pub(crate) fn shape_of_stack(&mut self) -> Result<Vec<Carried>> {
        let mut shape = Vec::with_capacity(self.stack.len());
        for depth in 0..self.stack.len() {
            let item = self.stack[depth];
            shape.push(match item.ty {
                Some(ty) if item.is_struct => {
                    let known = self.temps.carried.get(&(depth, ty)).copied();
                    let slot = match known {
                        Some(slot) => slot,
                        None => self.new_struct_slot(ty, false)?,
                    };
                    self.temps.carried.insert((depth, ty), slot);
                    Carried::Slot(slot, ty)
                }
                ty => Carried::Var(self.b.new_var(self.b.func.ty(item.value)), ty),
            });
        }
        Ok(shape)
    }

    /// Another edge leads to a block: what is known of the types on its stack is what all edges have in common
    /// (ECMA-335 III.1.8.1.3). Blocks that are imported by now were told nothing.
    pub(crate) fn merge_types(&self, shape: &mut [Carried]) {
        for (carried, item) in shape.iter_mut().zip(&self.stack) {
            if let Carried::Var(_, known) = carried
                && *known != item.ty
                && !self.is_null_constant(item.value)
            {
                *known = known.zip(item.ty).and_then(|(a, b)| self.common_base(a, b));
            }
        }
    }

    fn is_null_constant(&self, v: Value) -> bool {
        let inst = self.b.func.def_inst(v);
        inst.is_some_and(|i| self.b.func.insts[i.index()].op == Op::Null)
    }

    /// The closest class that both classes are or derive from.
    fn common_base(&self, a: TypeId, b: TypeId) -> Option<TypeId> {
        let is_class = |t| {
            !self.ctx.is_value_type(t)
                && matches!(
                    self.ctx.value_class(t),
                    Ok(ValueClass::Scalar(MemType::Ref))
                )
        };
        if !is_class(a) || !is_class(b) {
            return None;
        }
        let bases = |t| {
            let parent = |t: &TypeId| self.ctx.parent(*t).ok().flatten();
            std::iter::successors(Some(t), parent).take(MAX_BASES)
        };
        bases(a).find(|x| bases(b).any(|y| y == *x))
    }

    /// Rebuilds the stack at the start of a block.
    pub(crate) fn carry_in(&mut self, shape: &[Carried]) {
        self.stack.clear();
        for carried in shape {
            let item = match *carried {
                Carried::Var(var, ty) => Item::scalar(self.b.use_var(var), ty),
                Carried::Slot(slot, ty) => Item::structure(self.b.slot_addr(slot, 0), ty),
            };
            self.stack.push(item);
        }
    }

    /// Loads a scalar of a memory type from a local address.
    pub(crate) fn is_float(&self, v: Value) -> bool {
        self.b.func.ty(v).is_float()
    }

    /// The memory type of a scalar CLI type; `None` for structs.
    pub(crate) fn mem_of(&self, ty: TypeId) -> Result<Option<MemType>> {
        Ok(match self.ctx.value_class(ty)? {
            ValueClass::Scalar(m) => Some(m),
            _ => None,
        })
    }
}

/// The types of a block that is branched back to: edges come when it is imported already.
pub(crate) fn forget_types(shape: &mut [Carried]) {
    for carried in shape {
        if let Carried::Var(_, ty) = carried {
            *ty = None;
        }
    }
}

/// Bound on the classes looked at for a join.
const MAX_BASES: usize = 256;

/// How a stack item goes from block to block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Carried {
    /// In an SSA variable.
    Var(crate::ir::Var, Option<TypeId>),
    /// In a frame slot.
    Slot(Slot, TypeId),
}
