//! Calls (ECMA-335 III.3.19, III.4.2).

use super::error::Result;
use super::marshal::{self, Described, NativeCall};
use super::signature::{ir_signature, lower, this_type};
use super::stack::Item;
use super::{Importer, Pair};
use crate::abi::helper::HelperId;
use crate::ir::{
    AliasClass, FunctionBuilder, InlineSite, MemRef, MemType, Op, Signature, SourceLoc, Type, Value,
};
use crate::metadata::Token;
use crate::types::{
    CallConv, ContextSource, Known, MethodId, MethodKind, MethodSignature, TypeId, ValueClass,
};

impl Importer<'_> {
    pub(crate) fn call(&mut self, token: Token, is_virtual: bool) -> Result<()> {
        let mut method = self.method_pair(token)?;
        let has_this = self.ctx.method_signature(method.canon)?.has_this;
        let args = self.pop_call(token, &mut method, has_this)?;
        if let Some(constraint) = self.prefixes.constrained {
            return self.constrained_call(constraint, method, args);
        }
        self.call_with_args(method, args, is_virtual)
    }

    fn call_with_args(
        &mut self,
        method: Pair<MethodId>,
        args: Vec<Item>,
        is_virtual: bool,
    ) -> Result<()> {
        if let MethodKind::Array { array, op } = self.ctx.method_kind(method.canon) {
            let open = self.ctx.method_owner(method.open);
            return self.array_method(Pair { canon: array, open }, op, &args);
        }
        if self.try_intrinsic(method, &args)? {
            return Ok(());
        }
        if is_virtual && !self.ctx.method_is_static(method.canon) {
            return self.virtual_call(method, args);
        }
        if self.ctx.method_is_abstract(method.canon) {
            return self.invalid("call of an abstract method");
        }
        self.emit_direct_call(method, args)
    }

    fn virtual_call(&mut self, method: Pair<MethodId>, mut args: Vec<Item>) -> Result<()> {
        let owner = self.owner_of(method);
        if self.ctx.is_value_type(owner.canon) {
            return self.emit_direct_call(method, args);
        }
        let this = self.scalar_of(args[0])?;
        let this = self.to_type(this, Type::Ref)?;
        args[0] = Item::scalar(this, args[0].ty);
        self.b.null_check(this);
        let final_target = !self.ctx.method_is_virtual(method.canon)
            || self.ctx.method_is_final(method.canon)
            || self.ctx.is_sealed(owner.canon);
        if self.ctx.is_delegate(owner.canon) && self.ctx.method_name(method.canon) == "Invoke" {
            return self.emit_call(Op::CallDelegate, method, None, args);
        }
        if final_target && !self.ctx.is_interface(owner.canon) {
            return self.emit_direct_call(method, args);
        }
        if !self.ctx.method_args(method.canon).is_empty() {
            let handle = self.method_handle(method);
            let code = self
                .b
                .call_helper(HelperId::ResolveGenericVirtual, &[this, handle])
                .expect("the helper has a result");
            return self.emit_call(Op::CallIndirect, method, Some(code), args);
        }
        if self.ctx.is_interface(owner.canon) {
            let handle = self.method_handle(method);
            return self.emit_call(Op::CallInterface, method, Some(handle), args);
        }
        self.emit_call(Op::CallVirtual, method, None, args)
    }

    /// `constrained. T callvirt m`: `this` is a managed pointer to a `T`.
    fn constrained_call(
        &mut self,
        constraint: Pair<TypeId>,
        method: Pair<MethodId>,
        mut args: Vec<Item>,
    ) -> Result<()> {
        let Some(&this) = args.first() else {
            return self.invalid("constrained call of a static method");
        };
        let pointer = self.address_in(this)?;
        if !self.ctx.is_value_type(constraint.canon) {
            let mem = MemRef {
                offset: 0,
                ty: MemType::Ref,
                alias: AliasClass::Any,
                volatile: false,
            };
            self.null_check_unless_local(pointer);
            let object = self.b.load(pointer, mem);
            args[0] = Item::scalar(object, Some(constraint.canon));
            return self.call_with_args(method, args, true);
        }
        let target = self.ctx.resolve_virtual(constraint.canon, method.canon)?;
        let signature = self.ctx.method_signature(target)?;
        if signature.params.len() + 1 + usize::from(signature.is_vararg()) != args.len() {
            return self.invalid("a constrained call of a method the type does not have");
        }
        if self.ctx.is_value_type(self.ctx.method_owner(target)) {
            let open = self.constrained_target_open(target, constraint, method);
            let this = self.to_type(pointer, Type::ByRef)?;
            args[0] = Item::scalar(this, args[0].ty);
            return self.call_with_args(
                Pair {
                    canon: target,
                    open,
                },
                args,
                false,
            );
        }
        if self.is_hash_of_enum(constraint.canon, target) {
            let hash = self.hash_of_enum(pointer, constraint.canon)?;
            self.push_result(signature, Some(hash), None);
            return Ok(());
        }
        let value = self.load_for_box(pointer, constraint)?;
        let boxed = self.box_item(value, constraint)?;
        args[0] = Item::scalar(boxed, Some(constraint.canon));
        self.call_with_args(method, args, true)
    }

    fn is_hash_of_enum(&self, constraint: TypeId, target: MethodId) -> bool {
        let owner = self.ctx.method_owner(target);
        self.ctx.is_enum(constraint)
            && self.ctx.is_known(owner, Known::Enum)
            && self.ctx.method_name(target) == "GetHashCode"
    }

    /// `Enum.GetHashCode` without a box: the value, its halves mixed if it is of 64 bits, as the runtime's
    /// `Enum.get_hashcode` has it.
    fn hash_of_enum(&mut self, pointer: Value, ty: TypeId) -> Result<Value> {
        let ValueClass::Scalar(mem) = self.ctx.value_class(ty)? else {
            return self.invalid("an enum of no integer type");
        };
        let value = self.b.load(pointer, self.any_mem(mem));
        if self.b.func.ty(value) != Type::I64 {
            return Ok(value);
        }
        let half = self.b.i32(32);
        let high = self.b.shr_s(value, half);
        let mixed = self.b.xor(value, high);
        Ok(self.b.trunc(mixed))
    }

    /// The open form of what a constrained call resolved to.
    fn constrained_target_open(
        &self,
        target: MethodId,
        constraint: Pair<TypeId>,
        method: Pair<MethodId>,
    ) -> MethodId {
        if !self.shared {
            return target;
        }
        let on_open = self
            .ctx
            .method_on(self.ctx.method_definition(target), constraint.open);
        self.ctx
            .with_method_args(on_open, self.ctx.method_args(method.open))
    }

    fn load_for_box(&mut self, pointer: Value, ty: Pair<TypeId>) -> Result<Item> {
        Ok(match self.ctx.value_class(ty.canon)? {
            ValueClass::Scalar(m) => {
                let mem = self.any_mem(m);
                Item::scalar(self.b.load(pointer, mem), Some(ty.canon))
            }
            _ => Item::structure(pointer, ty.canon),
        })
    }

    /// A call whose target is known.
    pub(crate) fn emit_direct_call(
        &mut self,
        method: Pair<MethodId>,
        args: Vec<Item>,
    ) -> Result<()> {
        if self.is_empty_object_constructor(method.canon) {
            return Ok(());
        }
        if self.ctx.method_is_internal_call(method.canon)
            && !self.ctx.is_generic_method_definition(method.canon)
            && self.ctx.method_args(method.canon).is_empty()
        {
            return self.emit_call(Op::CallInternal, method, None, args);
        }
        self.emit_call(Op::Call, method, None, args)
    }

    fn is_empty_object_constructor(&self, method: MethodId) -> bool {
        self.ctx.method_owner(method) == self.ctx.known(Known::Object)
            && self.ctx.method_is_constructor(method)
    }

    /// Emits a call: `first` is the operand in front of the arguments (code address or handle).
    fn emit_call(
        &mut self,
        op: Op,
        method: Pair<MethodId>,
        first: Option<Value>,
        mut args: Vec<Item>,
    ) -> Result<()> {
        let signature = *self.ctx.method_signature(method.canon)?;
        let body = if op == Op::Call {
            self.ctx.canonical_method(method.canon)
        } else {
            method.canon
        };
        let mut sig = ir_signature(self.ctx, body, &signature)?;
        let direct = matches!(op, Op::Call);
        sig.context &= direct;
        let mut operands: Vec<Value> = first.into_iter().collect();
        let this = signature
            .has_this
            .then(|| this_type(self.ctx, self.ctx.method_owner(method.canon)));
        let tail = op != Op::CallInternal && self.tail_call(&signature, &mut args)?;
        let result = self.push_operands(&mut operands, &signature, this, args, tail)?;
        if direct && self.ctx.needs_context(method.canon) != ContextSource::None {
            operands.extend(self.callee_context(method));
        }
        let mut value = if op == Op::CallInternal {
            self.emit_internal_call(body, &sig, &operands)
        } else {
            self.b.call(op, Some(body), &sig, &operands)
        };
        if tail {
            self.b.mark_tail_call();
        }
        if op == Op::CallInternal {
            value = self.normalized(value, signature.ret)?;
        }
        self.called = true;
        self.push_result(&signature, value, result);
        Ok(())
    }

    /// A call without the wrapper, which stack traces show all the same: it counts as inlined.
    fn emit_internal_call(
        &mut self,
        method: MethodId,
        sig: &Signature,
        operands: &[Value],
    ) -> Option<Value> {
        let call = self.b.loc();
        let sites = &mut self.b.func.inline_sites;
        sites.push(InlineSite { method, call });
        let site = sites.len() as u32;
        self.b.set_loc(SourceLoc { il: 0, site });
        let value = self.b.call(Op::CallInternal, Some(method), sig, operands);
        self.b.set_loc(call);
        value
    }

    /// A small integer from native code: the bits above it are anything.
    fn normalized(&mut self, value: Option<Value>, ret: TypeId) -> Result<Option<Value>> {
        match (value, self.mem_of(ret)?) {
            (Some(v), Some(m)) => Ok(Some(native_result(&mut self.b, v, m))),
            _ => Ok(value),
        }
    }

    /// Appends arguments in machine order: `this`, return buffer, the others. Returns the buffer of a struct result: that
    /// of the method itself if the call is in its place.
    pub(crate) fn push_operands(
        &mut self,
        operands: &mut Vec<Value>,
        signature: &MethodSignature,
        this: Option<Type>,
        args: Vec<Item>,
        tail: bool,
    ) -> Result<Option<Value>> {
        let mut args = args.into_iter();
        if let Some(ty) = this {
            let Some(item) = args.next() else {
                return self.invalid("no this argument");
            };
            let v = if item.is_struct {
                self.owned(item)?.value
            } else {
                item.value
            };
            operands.push(self.to_type(v, ty)?);
        }
        let buffer = match self.ctx.value_class(signature.ret)? {
            ValueClass::Struct { .. } if tail => self.return_buffer,
            ValueClass::Struct { .. } => Some(self.new_temp(signature.ret)?),
            _ => None,
        };
        operands.extend(buffer);
        let mut list = None;
        if signature.is_vararg() {
            list = args.next_back();
        }
        for (item, ty) in args.zip(signature.params) {
            let v = match self.ctx.value_class(*ty)? {
                ValueClass::Scalar(m) => self.narrowed(item, m)?,
                ValueClass::Struct { .. } if item.is_struct => self.owned(item)?.value,
                _ => return self.invalid("argument type does not fit"),
            };
            operands.push(v);
        }
        operands.extend(list.map(|item| item.value));
        Ok(buffer)
    }

    pub(crate) fn push_result(
        &mut self,
        signature: &MethodSignature,
        value: Option<Value>,
        buffer: Option<Value>,
    ) {
        match (value, buffer) {
            (_, Some(addr)) => self.stack.push(Item::structure(addr, signature.ret)),
            (Some(v), None) => self.push(v, Some(signature.ret)),
            (None, None) => {}
        }
    }

    pub(crate) fn calli(&mut self, token: Token) -> Result<()> {
        let mut signature = self
            .ctx
            .stand_alone_signature(self.module, token, self.generics)?;
        let target = self.pop_i64()?;
        let implicit_this = signature.has_this && !signature.explicit_this;
        let mut args = if signature.is_vararg() {
            self.pop_indirect_varargs(token, &mut signature)?
        } else {
            self.pop_args(signature.params.len() + usize::from(implicit_this))?
        };
        let this = match args.first() {
            Some(item) if implicit_this => Some(if item.is_struct {
                Type::I64
            } else {
                self.b.func.ty(item.value)
            }),
            _ => None,
        };
        let sig: Signature = lower(self.ctx, &signature, this)?;
        let native = matches!(
            signature.conv,
            CallConv::C | CallConv::StdCall | CallConv::ThisCall | CallConv::FastCall
        );
        let mut operands = vec![target];
        let tail = !native && self.tail_call(&signature, &mut args)?;
        let buffer = self.push_operands(&mut operands, &signature, this, args, tail)?;
        let value = if native && this.is_none() {
            self.native_calli(&signature, &operands, buffer)?
        } else {
            self.b.call(Op::CallIndirect, None, &sig, &operands)
        };
        if tail {
            self.b.mark_tail_call();
        }
        self.push_result(&signature, value, buffer);
        Ok(())
    }

    /// `calli` of a native function: `operands` are its address, the return buffer and the arguments.
    fn native_calli(
        &mut self,
        signature: &MethodSignature,
        operands: &[Value],
        buffer: Option<Value>,
    ) -> Result<Option<Value>> {
        let described = Described::bare(self.ctx, signature)?;
        let call = NativeCall {
            address: operands[0],
            method: None,
            args: &operands[1 + usize::from(buffer.is_some())..],
            buffer,
        };
        marshal::call_native(self.ctx, &mut self.b, &described, &call)
    }

    pub(crate) fn ldftn(&mut self, token: Token) -> Result<()> {
        let mut method = self.method_pair(token)?;
        if self.ctx.method_owner(method.canon) == self.ctx.known(Known::String)
            && self.ctx.method_is_constructor(method.canon)
        {
            method = Pair::same(super::newobj::string_constructor(self.ctx, method.canon)?);
        }
        let code = self.method_code(method);
        self.stack.push(Item {
            ftn: Some(method),
            ..Item::scalar(code, None)
        });
        Ok(())
    }

    pub(crate) fn ldvirtftn(&mut self, token: Token) -> Result<()> {
        let method = self.method_pair(token)?;
        let object = self.pop_ref()?;
        self.b.null_check(object);
        let code = if self.ctx.method_is_virtual(method.canon) {
            let handle = self.method_handle(method);
            let helper = if self.ctx.method_args(method.canon).is_empty() {
                HelperId::ResolveVirtual
            } else {
                HelperId::ResolveGenericVirtual
            };
            self.b
                .call_helper(helper, &[object, handle])
                .expect("the helper has a result")
        } else {
            self.method_code(method)
        };
        self.stack.push(Item {
            ftn: Some(method),
            ..Item::scalar(code, None)
        });
        Ok(())
    }

    /// `ret`
    pub(crate) fn ret(&mut self) -> Result<()> {
        let value = match self.ctx.value_class(self.signature.ret)? {
            ValueClass::Void => None,
            ValueClass::Scalar(m) => {
                let item = self.pop()?;
                Some(self.narrowed(item, m)?)
            }
            ValueClass::Struct { .. } => {
                let item = self.pop()?;
                let Some(buffer) = self.return_buffer.filter(|_| item.is_struct) else {
                    return self.invalid("return value does not fit");
                };
                if buffer != item.value {
                    self.copy_struct_to_stack(buffer, item.value, self.signature.ret)?;
                }
                None
            }
        };
        self.leave_synchronized();
        self.b.ret(value);
        Ok(())
    }

    /// `jmp`: calls with the present arguments and returns.
    pub(crate) fn jmp(&mut self, token: Token) -> Result<()> {
        let method = self.method_pair(token)?;
        let target = self.ctx.method_signature(method.canon)?;
        if target.has_this != self.signature.has_this
            || target.params.len() != self.signature.params.len()
            || target.is_vararg() != self.signature.is_vararg()
        {
            return self.invalid("jmp to a method with another signature");
        }
        self.stack.clear();
        for n in 0..self.args.len() {
            self.load_var(super::scan::VarRef::Arg(n as u32))?;
        }
        let mut args = core::mem::take(&mut self.stack);
        if self.signature.is_vararg() {
            args.push(self.own_argument_list()?);
        }
        self.prefixes.tail = true;
        self.emit_direct_call(method, args)?;
        self.ret()
    }
}

/// A small integer that native code returned, with the bits above it cleaned.
pub(super) fn native_result(b: &mut FunctionBuilder, v: Value, m: MemType) -> Value {
    match m {
        MemType::I8 => b.sext8(v),
        MemType::U8 => b.zext8(v),
        MemType::I16 => b.sext16(v),
        MemType::U16 => b.zext16(v),
        _ => v,
    }
}
