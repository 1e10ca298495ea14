//! Fields, static fields and class initialization.

use super::error::Result;
use super::stack::Item;
use super::vars::Storage;
use super::{Importer, Pair};
use crate::abi::fixup::Fixup;
use crate::abi::layout::object;
use crate::ir::{AliasClass, Imm, Inst, MemRef, MemType, Op, Type, Value};
use crate::metadata::Token;
use crate::types::{FieldId, StaticStorage, TypeId, ValueClass};

/// `TypeAttributes.ExplicitLayout`
const EXPLICIT_LAYOUT: u32 = 0x10;

impl Importer<'_> {
    /// The memory of a field.
    fn field_mem(&self, f: FieldId, offset: u32, ty: MemType) -> MemRef {
        let kind = self.ctx.field_kind(f);
        // The one field of a primitive type is the same memory as whatever of that type has it as its value.
        let primitive = self.ctx.is_value_type(kind.owner)
            && matches!(self.ctx.value_class(kind.owner), Ok(ValueClass::Scalar(_)));
        let overlapping = primitive || self.ctx.type_flags(kind.owner) & EXPLICIT_LAYOUT != 0;
        let definition = self.ctx.field_of(self.ctx.open_form(kind.owner), kind.row);
        let alias = match (overlapping, self.ctx.field_is_static(f)) {
            (true, false) => AliasClass::Any,
            (_, true) => AliasClass::Static(definition.0),
            _ => AliasClass::Field(definition.0),
        };
        MemRef {
            offset: offset as i32,
            ty,
            alias,
            volatile: self.prefixes.volatile,
        }
    }

    /// Memory nobody knows more about.
    pub(crate) fn any_mem(&self, ty: MemType) -> MemRef {
        MemRef {
            offset: 0,
            ty,
            alias: AliasClass::Any,
            volatile: self.prefixes.volatile,
        }
    }

    /// Remembers of what an address of a scalar is the address.
    pub(crate) fn remember_place(&mut self, addr: Value, place: MemRef) {
        if place.alias != AliasClass::Any {
            self.places.insert(addr, (place.ty, place.alias));
        }
    }

    /// Memory at an address, accessed as this type.
    pub(crate) fn mem_at(&self, addr: Value, ty: MemType) -> MemRef {
        let mut mem = self.any_mem(ty);
        if let Some(&(known, alias)) = self.places.get(&addr)
            && (known.bytes(), known.value_type()) == (ty.bytes(), ty.value_type())
        {
            mem.alias = alias;
        }
        mem
    }

    /// Address of the object or struct in an item, checked; and what to add to field offsets.
    fn base_address(&mut self, item: Item) -> Result<Value> {
        if item.is_struct {
            return Ok(item.value);
        }
        let v = self.to_address(item.value)?;
        self.null_check_unless_local(v);
        Ok(v)
    }

    /// A null check, unless the address is surely that of a frame slot, of an element of an array, or of a struct argument.
    pub(crate) fn null_check_unless_local(&mut self, v: Value) {
        let op = |i: Inst| self.b.func.insts[i.index()].op;
        let local = match self.b.func.def_inst(v).map(op) {
            Some(Op::SlotAddr | Op::Unbox) => true,
            // Arrays were checked before they were indexed; unmanaged pointers are not indexed by this op.
            Some(Op::AddrIndex) => self.b.func.ty(v) == Type::ByRef,
            _ => self
                .args
                .iter()
                .any(|a| matches!(a, Storage::StructArg(address, _) if *address == v)),
        };
        if !local {
            self.b.null_check(v);
        }
    }

    /// Offset of a field relative to what [`Self::base_address`] gives for a base of this kind.
    fn offset_from(&self, f: FieldId, base_is_object: bool) -> Result<u32> {
        let offset = self.ctx.field_offset(f)?;
        let value_type = self.ctx.is_value_type(self.ctx.field_kind(f).owner);
        Ok(if value_type && base_is_object {
            offset + object::HEADER
        } else {
            offset
        })
    }

    /// Pushes the value at an address.
    pub(crate) fn push_loaded(
        &mut self,
        addr: Value,
        mem: impl Fn(MemType) -> MemRef,
        ty: TypeId,
    ) -> Result<()> {
        match self.ctx.value_class(ty)? {
            ValueClass::Scalar(m) => {
                let v = self.b.load(addr, mem(m));
                self.push(v, Some(ty));
            }
            ValueClass::Struct { .. } => {
                let offset = mem(MemType::I64).offset;
                let from = if offset == 0 {
                    addr
                } else {
                    self.b.addr_offset(addr, offset.into())
                };
                let temp = self.new_temp(ty)?;
                self.copy_struct_to_stack(temp, from, ty)?;
                self.stack.push(Item::structure(temp, ty));
            }
            ValueClass::Void => return self.invalid("a value of type void"),
        }
        Ok(())
    }

    /// Stores an item at an address that may be in the heap.
    pub(crate) fn store_item(
        &mut self,
        addr: Value,
        mem: impl Fn(MemType) -> MemRef,
        ty: TypeId,
        item: Item,
    ) -> Result<()> {
        match self.ctx.value_class(ty)? {
            ValueClass::Scalar(MemType::Ref) => {
                let v = self.scalar_of(item)?;
                let v = self.to_type(v, Type::Ref)?;
                self.b.store_ref(addr, v, mem(MemType::Ref));
            }
            ValueClass::Scalar(m) => {
                let v = self.scalar_of(item)?;
                let v = self.to_type(v, m.value_type())?;
                self.b.store(addr, v, mem(m));
            }
            ValueClass::Struct { .. } => {
                if !item.is_struct {
                    return self.invalid("a scalar where a struct is needed");
                }
                let offset = mem(MemType::I64).offset;
                let to = if offset == 0 {
                    addr
                } else {
                    self.b.addr_offset(addr, offset.into())
                };
                let (size, refs) = self.struct_size(ty)?;
                self.b.copy(to, item.value, size, refs);
            }
            ValueClass::Void => return self.invalid("a value of type void"),
        }
        Ok(())
    }

    pub(crate) fn ldfld(&mut self, token: Token) -> Result<()> {
        let f = self.field_pair(token)?;
        if self.ctx.field_is_static(f.canon) {
            self.pop()?;
            return self.ldsfld(token);
        }
        let item = self.pop()?;
        let ty = self.ctx.field_type(f.canon)?;
        let addr = self.base_address(item)?;
        let offset = self.offset_from(f.canon, self.is_object(addr, item))?;
        if item.is_struct && matches!(self.ctx.value_class(ty)?, ValueClass::Struct { .. }) {
            // A part of a struct that stays as it is while on the stack.
            let part = self.b.addr_offset(addr, offset.into());
            self.stack.push(Item {
                borrowed: item.borrowed,
                ..Item::structure(part, ty)
            });
            return Ok(());
        }
        let sample = self.field_mem(f.canon, offset, MemType::I64);
        self.push_loaded(addr, |m| MemRef { ty: m, ..sample }, ty)
    }

    fn is_object(&self, addr: Value, item: Item) -> bool {
        !item.is_struct && self.b.func.ty(addr) == Type::Ref
    }

    pub(crate) fn ldflda(&mut self, token: Token) -> Result<()> {
        let f = self.field_pair(token)?;
        if self.ctx.field_is_static(f.canon) {
            self.pop()?;
            return self.ldsflda(token);
        }
        let item = self.pop()?;
        let item = self.owned(item)?;
        // Addresses of fields of pointers are plain arithmetic (`&((T*)0)->field`).
        let addr = match item.is_struct || self.b.func.ty(item.value) == Type::Ref {
            true => self.base_address(item)?,
            false => self.to_address(item.value)?,
        };
        let offset = self.offset_from(f.canon, self.is_object(addr, item))?;
        let result = self.b.addr_offset(addr, offset.into());
        self.push_field_address(result, f.canon)
    }

    fn push_field_address(&mut self, addr: Value, f: FieldId) -> Result<()> {
        let ty = self.ctx.field_type(f)?;
        if let Some(m) = self.mem_of(ty)? {
            self.remember_place(addr, self.field_mem(f, 0, m));
        }
        let ty = self.ctx.by_ref(ty);
        self.push(addr, Some(ty));
        Ok(())
    }

    pub(crate) fn stfld(&mut self, token: Token) -> Result<()> {
        let f = self.field_pair(token)?;
        if self.ctx.field_is_static(f.canon) {
            let value = self.pop()?;
            self.pop()?;
            self.stack.push(value);
            return self.stsfld(token);
        }
        let value = self.pop()?;
        let item = self.pop()?;
        let ty = self.ctx.field_type(f.canon)?;
        let addr = self.base_address(item)?;
        let offset = self.offset_from(f.canon, self.is_object(addr, item))?;
        let sample = self.field_mem(f.canon, offset, MemType::I64);
        self.store_item(addr, |m| MemRef { ty: m, ..sample }, ty, value)
    }

    /// Address and offset of a static field, with its class initialized.
    fn static_place(&mut self, f: Pair<FieldId>) -> Result<(Value, u32)> {
        let owner = Pair {
            canon: self.ctx.field_kind(f.canon).owner,
            open: self.ctx.field_kind(f.open).owner,
        };
        Ok(match self.ctx.static_storage(f.canon)? {
            StaticStorage::Normal(offset) => {
                let base = self.statics_base(owner);
                self.class_init_for_access(owner, base);
                (base, offset)
            }
            StaticStorage::Thread(offset) => {
                if self.needs_class_init(owner) {
                    let base = self.statics_base(owner);
                    self.class_init_for_access(owner, base);
                }
                let index = self.thread_statics_index(owner);
                let base = self
                    .b
                    .type_op(Op::ThreadStatics, &[index], owner.canon)
                    .expect("thread_statics has a result");
                (base, offset)
            }
            StaticStorage::Rva(_) => (self.b.fixup(Fixup::FieldData(f.canon)), 0),
            StaticStorage::Literal => return self.invalid("access to a literal field"),
        })
    }

    pub(crate) fn ldsfld(&mut self, token: Token) -> Result<()> {
        let f = self.field_pair(token)?;
        if !self.ctx.field_is_static(f.canon) {
            return self.invalid("ldsfld of an instance field");
        }
        if self.constant_static(f.canon)? {
            return Ok(());
        }
        let ty = self.ctx.field_type(f.canon)?;
        let (base, offset) = self.static_place(f)?;
        let sample = self.field_mem(f.canon, offset, MemType::I64);
        self.push_loaded(base, |m| MemRef { ty: m, ..sample }, ty)
    }

    pub(crate) fn ldsflda(&mut self, token: Token) -> Result<()> {
        let f = self.field_pair(token)?;
        let (base, offset) = self.static_place(f)?;
        let addr = self.b.addr_offset(base, offset.into());
        self.push_field_address(addr, f.canon)
    }

    pub(crate) fn stsfld(&mut self, token: Token) -> Result<()> {
        let f = self.field_pair(token)?;
        let ty = self.ctx.field_type(f.canon)?;
        let value = self.pop()?;
        let (base, offset) = self.static_place(f)?;
        let sample = self.field_mem(f.canon, offset, MemType::I64);
        self.store_item(base, |m| MemRef { ty: m, ..sample }, ty, value)
    }

    /// An access to static fields of this type needs a check here.
    fn needs_class_init(&self, owner: Pair<TypeId>) -> bool {
        if !self.ctx.has_cctor(owner.canon) {
            return false;
        }
        let inside = self.ctx.definition(owner.canon)
            == self.ctx.definition(self.ctx.method_owner(self.method))
            && owner.canon == self.ctx.method_owner(self.method);
        let in_initializer = inside && self.ctx.method_name(self.method) == ".cctor";
        // Precise types are checked when their constructors and static methods start.
        let checked = inside
            && !self.ctx.is_before_field_init(owner.canon)
            && (!self.signature.has_this || !self.ctx.is_value_type(owner.canon));
        !in_initializer && !checked
    }

    fn class_init_for_access(&mut self, owner: Pair<TypeId>, base: Value) {
        if self.needs_class_init(owner) {
            self.class_init(owner, base);
        }
    }

    fn class_init(&mut self, owner: Pair<TypeId>, base: Value) {
        let handle = self.type_handle(owner);
        self.b.emit(
            Op::ClassInit,
            Type::I32,
            &[base, handle],
            Imm::Type(owner.canon),
        );
    }

    /// The check at the start of static methods and constructors of types with precise initialization.
    pub(crate) fn check_own_class_init(&mut self) -> Result<()> {
        let owner = self.own_type();
        let name = self.ctx.method_name(self.method);
        let triggers = !self.signature.has_this || name == ".ctor";
        if triggers
            && name != ".cctor"
            && self.ctx.has_cctor(owner.canon)
            && !self.ctx.is_before_field_init(owner.canon)
        {
            let base = self.statics_base(owner);
            self.class_init(owner, base);
        }
        Ok(())
    }
}
