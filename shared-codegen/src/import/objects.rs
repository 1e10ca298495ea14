//! Object model instructions without calls: casts, boxes, indirect access, tokens, typed references.

use super::error::Result;
use super::stack::Item;
use super::{Importer, Pair};
use crate::abi::helper::HelperId;
use crate::abi::layout::object;
use crate::il::{Decoder, Opcode, Operand};
use crate::ir::{Imm, MemType, Op, Type, Value};
use crate::metadata::{TableId, Token};
use crate::types::{FieldId, Known, Member, MethodId, TypeId, ValueClass};

/// Offsets in `System.TypedReference` (class-library contract).
mod typed_reference {
    pub(super) const HANDLE: i64 = 0;
    pub(super) const VALUE: i64 = 8;
    pub(super) const CLASS: i64 = 16;
}

impl Importer<'_> {
    /// `castclass`, `isinst`
    pub(crate) fn cast(&mut self, token: Token, op: Op) -> Result<()> {
        let ty = self.type_pair(token)?;
        let object = self.pop_ref()?;
        let ty = self.cast_target(ty);
        let v = self.cast_to(object, ty, op);
        let static_type = if self.ctx.is_value_type(ty.canon) {
            self.object_type()
        } else {
            ty.canon
        };
        self.push(v, Some(static_type));
        Ok(())
    }

    /// Casts to `Nullable<T>` are casts to `T`: that is what boxes hold.
    fn cast_target(&self, ty: Pair<TypeId>) -> Pair<TypeId> {
        match (
            self.ctx.nullable_arg(ty.canon),
            self.ctx.nullable_arg(ty.open),
        ) {
            (Some(canon), Some(open)) => Pair { canon, open },
            _ => ty,
        }
    }

    pub(crate) fn cast_to(&mut self, object: Value, ty: Pair<TypeId>, op: Op) -> Value {
        let handle = self.type_handle(ty);
        self.b
            .type_op(op, &[handle, object], ty.canon)
            .expect("casts have a result")
    }

    pub(crate) fn box_token(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?;
        if self.box_for_null_test(ty)? {
            return Ok(());
        }
        let item = self.pop()?;
        let boxed = self.box_item(item, ty)?;
        self.push(boxed, Some(ty.canon));
        Ok(())
    }

    /// Generic code tests a value of type `T` for null by boxing it (`box T; brtrue`). No box is needed for that: a nullable
    /// says whether it has a value, other value types are never null. Pushes the condition.
    fn box_for_null_test(&mut self, ty: Pair<TypeId>) -> Result<bool> {
        if !self.ctx.is_value_type(ty.canon) || !self.is_tested_next() {
            return Ok(false);
        }
        // An error of the class initializer or layout must be seen as with the box.
        self.ctx.value_class(ty.canon)?;
        let item = self.pop()?;
        let condition = match (self.ctx.is_nullable(ty.canon), item.is_struct) {
            // `has_value` is the first field.
            (true, true) => self.b.load(item.value, self_any(MemType::U8)),
            (true, false) => return self.invalid("box of a scalar as a struct"),
            (false, _) => self.b.i32(1),
        };
        self.push(condition, None);
        Ok(true)
    }

    /// The next instruction is `brtrue` or `brfalse`, and control only gets there from here.
    fn is_tested_next(&self) -> bool {
        use Opcode::{Brfalse, BrfalseS, Brtrue, BrtrueS};
        let next = Decoder::new(self.body.code, self.next).next();
        let tests = matches!(&next, Some(Ok(i)) if matches!(i.opcode, Brfalse | BrfalseS | Brtrue | BrtrueS));
        tests && !self.scan.is_leader(self.next)
    }

    /// Boxes a value; references stay.
    pub(crate) fn box_item(&mut self, item: Item, ty: Pair<TypeId>) -> Result<Value> {
        match self.ctx.value_class(ty.canon)? {
            ValueClass::Scalar(MemType::Ref) => {
                let v = self.scalar_of(item)?;
                self.to_type(v, Type::Ref)
            }
            ValueClass::Scalar(m) => {
                let v = self.scalar_of(item)?;
                let v = self.to_type(v, m.value_type())?;
                let boxed = self.new_instance(ty);
                self.b.store(
                    boxed,
                    v,
                    crate::ir::MemRef {
                        offset: object::HEADER as i32,
                        ..self.any_mem(m)
                    },
                );
                Ok(boxed)
            }
            ValueClass::Struct { .. } if !item.is_struct => {
                self.invalid("box of a scalar as a struct")
            }
            ValueClass::Struct { .. } if self.ctx.is_nullable(ty.canon) => {
                let handle = self.type_handle(ty);
                let addr = self.to_type(item.value, Type::ByRef)?;
                Ok(self
                    .b
                    .call_helper(HelperId::Box, &[handle, addr])
                    .expect("box has a result"))
            }
            ValueClass::Struct { .. } => {
                let boxed = self.new_instance(ty);
                let to = self.b.addr_offset(boxed, object::HEADER.into());
                let (size, refs) = self.struct_size(ty.canon)?;
                self.b.copy(to, item.value, size, refs);
                Ok(boxed)
            }
            ValueClass::Void => self.invalid("box of void"),
        }
    }

    /// A zeroed instance of a class, or a box.
    pub(crate) fn new_instance(&mut self, ty: Pair<TypeId>) -> Value {
        let handle = self.type_handle(ty);
        self.b
            .type_op(Op::NewObject, &[handle], ty.canon)
            .expect("new_object has a result")
    }

    /// `unbox`
    pub(crate) fn unbox(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?;
        let object = self.pop_ref()?;
        let addr = if self.ctx.is_nullable(ty.canon) {
            // The address may outlive the evaluation stack, so no temporary will do.
            let slot = self.new_struct_slot(ty.canon, false)?;
            let to = self.b.slot_addr(slot, 0);
            self.unbox_nullable_to(to, object, ty)?;
            to
        } else {
            self.unboxed_address(object, ty)
        };
        let by_ref = self.ctx.by_ref(ty.canon);
        self.push(addr, Some(by_ref));
        Ok(())
    }

    fn unboxed_address(&mut self, object: Value, ty: Pair<TypeId>) -> Value {
        let handle = self.type_handle(ty);
        self.b
            .type_op(Op::Unbox, &[handle, object], ty.canon)
            .expect("unbox has a result")
    }

    /// Address of a temporary with the nullable that an object (or null) stands for.
    fn unbox_nullable(&mut self, object: Value, ty: Pair<TypeId>) -> Result<Value> {
        let temp = self.new_temp(ty.canon)?;
        self.unbox_nullable_to(temp, object, ty)?;
        Ok(temp)
    }

    fn unbox_nullable_to(&mut self, to: Value, object: Value, ty: Pair<TypeId>) -> Result<()> {
        let handle = self.type_handle(ty);
        let to = self.to_type(to, Type::ByRef)?;
        self.b
            .call_helper(HelperId::UnboxNullable, &[handle, object, to]);
        Ok(())
    }

    /// `unbox.any`
    pub(crate) fn unbox_any(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?;
        if self.mem_of(ty.canon)? == Some(MemType::Ref) {
            return self.cast(token, Op::CastClass);
        }
        let object = self.pop_ref()?;
        if self.ctx.is_nullable(ty.canon) {
            let temp = self.unbox_nullable(object, ty)?;
            self.stack.push(Item::structure(temp, ty.canon));
            return Ok(());
        }
        let addr = self.unboxed_address(object, ty);
        self.push_loaded(addr, self_any, ty.canon)
    }

    /// `ldobj`, `ldind.*`
    pub(crate) fn load_indirect(&mut self, ty: TypeId) -> Result<()> {
        let addr = self.pop_addr()?;
        self.null_check_unless_local(addr);
        let Some(m) = self.mem_of(ty)? else {
            return self.push_loaded(addr, self_any, ty);
        };
        let mem = self.mem_at(addr, m);
        self.push_loaded(addr, |_| mem, ty)
    }

    /// `stobj`, `stind.*`
    pub(crate) fn store_indirect(&mut self, ty: TypeId) -> Result<()> {
        let item = self.pop()?;
        let addr = self.pop_addr()?;
        self.null_check_unless_local(addr);
        let Some(m) = self.mem_of(ty)? else {
            return self.store_item(addr, self_any, ty, item);
        };
        let mem = self.mem_at(addr, m);
        self.store_item(addr, |_| mem, ty, item)
    }

    /// `ldind` of a plain memory type.
    pub(crate) fn ldind(&mut self, m: MemType) -> Result<()> {
        let addr = self.pop_addr()?;
        self.null_check_unless_local(addr);
        let mem = self.mem_at(addr, m);
        let v = self.b.load(addr, mem);
        self.push(v, None);
        Ok(())
    }

    /// `stind` of a plain memory type.
    pub(crate) fn stind(&mut self, m: MemType) -> Result<()> {
        let v = self.pop_value()?;
        let v = self.to_type(v, m.value_type())?;
        let addr = self.pop_addr()?;
        self.null_check_unless_local(addr);
        let mem = self.mem_at(addr, m);
        if m == MemType::Ref {
            self.b.store_ref(addr, v, mem)
        } else {
            self.b.store(addr, v, mem)
        }
        Ok(())
    }

    pub(crate) fn initobj(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?.canon;
        let addr = self.pop_addr()?;
        self.null_check_unless_local(addr);
        self.zero_value(addr, ty)
    }

    /// Zeroes a value in memory.
    pub(crate) fn zero_value(&mut self, addr: Value, ty: TypeId) -> Result<()> {
        match self.ctx.value_class(ty)? {
            ValueClass::Scalar(m) => {
                let zero = self.b.zero(m.value_type());
                let mem = self.any_mem(m);
                self.b.store(addr, zero, mem);
            }
            ValueClass::Struct { .. } => {
                let (size, refs) = self.struct_size(ty)?;
                self.b.zero_block(addr, size, refs);
            }
            ValueClass::Void => return self.invalid("initobj of void"),
        }
        Ok(())
    }

    pub(crate) fn cpobj(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?.canon;
        self.load_indirect(ty)?;
        self.store_indirect(ty)
    }

    /// `ldtoken`
    pub(crate) fn ldtoken(&mut self, token: Token) -> Result<()> {
        let member = self.member_pair(token)?;
        if let MemberPair::Type(ty) = member
            && self.skip_get_type_from_handle()?
        {
            let v = self.type_object(ty);
            let class = self.ctx.known(Known::RuntimeType);
            self.push(v, Some(class));
            return Ok(());
        }
        let (handle, class) = match member {
            MemberPair::Type(t) => (self.type_handle(t), Known::RuntimeTypeHandle),
            MemberPair::Method(m) => (self.method_handle(m), Known::RuntimeMethodHandle),
            MemberPair::Field(f) => (self.field_handle(f), Known::RuntimeFieldHandle),
        };
        let class = self.ctx.known(class);
        let temp = self.new_temp(class)?;
        let mem = self.any_mem(MemType::I64);
        self.b.store(temp, handle, mem);
        self.stack.push(Item::structure(temp, class));
        Ok(())
    }

    fn member_pair(&mut self, token: Token) -> Result<MemberPair> {
        use crate::types::GenericContext;
        let canon = self
            .ctx
            .resolve_member_token(self.module, token, self.generics)?;
        let open = if self.shared {
            self.ctx
                .resolve_member_token(self.module, token, GenericContext::EMPTY)?
        } else {
            canon
        };
        Ok(match (canon, open) {
            (Member::Type(canon), Member::Type(open)) => MemberPair::Type(Pair { canon, open }),
            (Member::Method(canon), Member::Method(open)) => {
                MemberPair::Method(Pair { canon, open })
            }
            (Member::Field(canon), Member::Field(open)) => MemberPair::Field(Pair { canon, open }),
            _ => return self.invalid("ldtoken of nothing known"),
        })
    }

    /// If the next instruction is `call Type.GetTypeFromHandle`, moves past it.
    fn skip_get_type_from_handle(&mut self) -> Result<bool> {
        if self.scan.is_leader(self.next) {
            return Ok(false);
        }
        let Some(Ok(next)) = Decoder::new(self.body.code, self.next).next() else {
            return Ok(false);
        };
        let (Opcode::Call, Operand::Token(token)) = (next.opcode, next.operand) else {
            return Ok(false);
        };
        let callee = self.method_pair(token)?.canon;
        let is_it = self.ctx.method_name(callee) == "GetTypeFromHandle"
            && self.ctx.method_owner(callee) == self.ctx.known(Known::Type);
        if is_it {
            self.next = next.end;
        }
        Ok(is_it)
    }

    pub(crate) fn sizeof(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?.canon;
        let size = self.ctx.value_size(ty)?;
        let v = self.b.i32(size as i32);
        self.push(v, None);
        Ok(())
    }

    pub(crate) fn localloc(&mut self) -> Result<()> {
        let size = self.pop_i64()?;
        let zeroed = Imm::Int(self.body.init_locals.into());
        let v = self
            .b
            .emit(Op::LocAlloc, Type::I64, &[size], zeroed)
            .expect("localloc has a result");
        self.push(v, None);
        Ok(())
    }

    pub(crate) fn cpblk(&mut self) -> Result<()> {
        let size = self.pop_i32()?;
        let from = self.pop_addr()?;
        let to = self.pop_addr()?;
        self.b
            .emit(Op::MemCopy, Type::I32, &[to, from, size], Imm::None);
        Ok(())
    }

    pub(crate) fn initblk(&mut self) -> Result<()> {
        let size = self.pop_i32()?;
        let byte = self.pop_i32()?;
        let to = self.pop_addr()?;
        self.b
            .emit(Op::MemFill, Type::I32, &[to, byte, size], Imm::None);
        Ok(())
    }

    pub(crate) fn mkrefany(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?;
        let addr = self.pop_i64()?;
        let handle = self.type_handle(ty);
        let class = self.ctx.known(Known::TypedReference);
        let temp = self.new_temp(class)?;
        let mem = |offset: i64| crate::ir::MemRef {
            offset: offset as i32,
            ..self_any(MemType::I64)
        };
        self.b.store(temp, handle, mem(typed_reference::HANDLE));
        self.b.store(temp, addr, mem(typed_reference::VALUE));
        self.b.store(temp, handle, mem(typed_reference::CLASS));
        self.stack.push(Item::structure(temp, class));
        Ok(())
    }

    fn pop_typed_reference(&mut self) -> Result<Value> {
        let item = self.pop()?;
        if item.is_struct {
            Ok(item.value)
        } else {
            self.invalid("not a typed reference")
        }
    }

    pub(crate) fn refanyval(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?;
        let reference = self.pop_typed_reference()?;
        let expected = self.type_handle(ty);
        let mem = |offset: i64| crate::ir::MemRef {
            offset: offset as i32,
            ..self_any(MemType::I64)
        };
        let actual = self.b.load(reference, mem(typed_reference::CLASS));
        self.b
            .call_helper(HelperId::RefAnyCheck, &[expected, actual]);
        let addr = self.b.load(reference, mem(typed_reference::VALUE));
        let by_ref = self.b.addr_cast(Type::ByRef, addr);
        let ty = self.ctx.by_ref(ty.canon);
        self.push(by_ref, Some(ty));
        Ok(())
    }

    pub(crate) fn refanytype(&mut self) -> Result<()> {
        let reference = self.pop_typed_reference()?;
        let class = self.ctx.known(Known::RuntimeTypeHandle);
        let temp = self.new_temp(class)?;
        let handle = self.b.load(reference, self_any(MemType::I64));
        self.b.store(temp, handle, self_any(MemType::I64));
        self.stack.push(Item::structure(temp, class));
        Ok(())
    }

    /// `ldstr`
    pub(crate) fn ldstr(&mut self, token: Token) -> Result<()> {
        if token.table() != TableId::USER_STRING {
            return self.invalid("ldstr of something else");
        }
        self.ctx.module(self.module).user_string(token)?;
        let v = self.b.fixup(crate::abi::fixup::Fixup::StringLiteral(
            self.module,
            token.0,
        ));
        let ty = self.ctx.known(Known::String);
        self.push(v, Some(ty));
        Ok(())
    }
}

fn self_any(ty: MemType) -> crate::ir::MemRef {
    crate::ir::MemRef {
        offset: 0,
        ty,
        alias: crate::ir::AliasClass::Any,
        volatile: false,
    }
}

enum MemberPair {
    Type(Pair<TypeId>),
    Method(Pair<MethodId>),
    Field(Pair<FieldId>),
}
