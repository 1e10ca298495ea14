//! Bodies of methods without IL: internal calls, delegate methods, P/Invokes.

use super::calls::native_result;
use super::error::{Error, Result};
use super::flow::plain;
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout::{array, delegate, string};
use crate::ir::{
    AliasClass, Block, Function, FunctionBuilder, IntCc, MemRef, MemType, Op, Signature, SlotData,
    Type, Value,
};
use crate::metadata::marshal::{self, MarshalSpec, NativeType};
use crate::types::{
    Known, MethodId, MethodKind, MethodSignature, Prim, SyntheticKind, TypeContext, TypeId,
    ValueClass,
};

/// Imports the wrapper for a method.
pub(crate) fn import(
    ctx: &TypeContext,
    method: MethodId,
    signature: MethodSignature,
    function: Function,
) -> Result<Function> {
    let mut w = Wrapper {
        ctx,
        method,
        signature,
        b: FunctionBuilder::new(function),
        other_kinds: None,
    };
    w.b.create_entry();
    if ctx.method_is_internal_call(method) {
        w.internal_call()?;
    } else if ctx.method_is_pinvoke(method) {
        w.pinvoke()?;
    } else if ctx.method_is_runtime(method) {
        w.delegate_method()?;
    } else {
        return Err(Error::Unsupported(if ctx.method_is_abstract(method) {
            "call of an abstract method"
        } else {
            "a method without body"
        }));
    }
    Ok(w.b.finish())
}

/// Imports the wrapper that calls a native function with the arguments of one call site.
pub(crate) fn import_native(
    ctx: &TypeContext,
    method: MethodId,
    target: MethodId,
    signature: MethodSignature,
    function: Function,
) -> Result<Function> {
    if !matches!(
        ctx.method_kind(method),
        MethodKind::Synthetic {
            kind: SyntheticKind::ManagedToNative,
            ..
        }
    ) || !ctx.method_is_pinvoke(target)
    {
        return Err(Error::Unsupported("a wrapper of this kind"));
    }
    let mut w = Wrapper {
        ctx,
        method: target,
        signature,
        b: FunctionBuilder::new(function),
        other_kinds: None,
    };
    w.b.create_entry();
    w.pinvoke()?;
    Ok(w.b.finish())
}

struct Wrapper<'c> {
    ctx: &'c TypeContext,
    method: MethodId,
    signature: MethodSignature,
    b: FunctionBuilder,
    /// Where the delegates that are not of the kind being tested go.
    other_kinds: Option<Block>,
}

fn field(offset: i32, ty: MemType) -> MemRef {
    MemRef {
        offset,
        ty,
        alias: AliasClass::Any,
        volatile: false,
    }
}

impl Wrapper<'_> {
    fn params(&self) -> Vec<Value> {
        let entry = self.b.func.entry();
        (0..self.b.func.sig.params.len())
            .map(|n| self.b.param(entry, n))
            .collect()
    }

    fn internal_call(&mut self) -> Result<()> {
        let mut sig = self.b.func.sig.clone();
        sig.context = false;
        let params = self.params();
        let result = self
            .b
            .call(Op::CallInternal, Some(self.method), &sig, &params);
        let result = match (result, self.ctx.value_class(self.signature.ret)?) {
            (Some(v), ValueClass::Scalar(m)) => Some(native_result(&mut self.b, v, m)),
            _ => result,
        };
        self.b.ret(result);
        Ok(())
    }

    // ---- delegates

    fn delegate_method(&mut self) -> Result<()> {
        let owner = self.ctx.method_owner(self.method);
        if !self.ctx.is_delegate(owner) || !self.signature.has_this {
            return Err(Error::Unsupported(
                "a method that the runtime should supply",
            ));
        }
        match self.ctx.method_name(self.method) {
            ".ctor" if self.b.func.sig.params.len() == 3 => {
                let p = self.params();
                let none = self.b.i64(0);
                self.b
                    .call_helper(HelperId::DelegateInit, &[p[0], p[1], p[2], none]);
                self.b.ret(None);
                Ok(())
            }
            "Invoke" => self.delegate_invoke(),
            "BeginInvoke" | "EndInvoke" => self.internal_call(),
            _ => Err(Error::Unsupported("an unknown method of a delegate")),
        }
    }

    /// Calls the one target, or each entry of the invocation list.
    fn delegate_invoke(&mut self) -> Result<()> {
        let params = self.params();
        let this = params[0];
        let list = self.b.load(this, field(delegate::DELEGATES, MemType::Ref));
        let null = self.b.null(Type::Ref);
        let is_multicast = self.b.icmp(IntCc::Ne, list, null);
        let (single, multi) = (self.b.create_block(), self.b.create_block());
        self.b.brif(is_multicast, plain(multi), plain(single));
        self.b.seal(single);
        self.b.seal(multi);
        self.b.switch_to(single);
        self.invoke_single(this, &params[1..]);
        self.b.switch_to(multi);
        self.invoke_all(list, &params[1..])
    }

    fn invoke_single(&mut self, this: Value, rest: &[Value]) {
        let kind = self
            .b
            .load(this, field(delegate::INVOKE_KIND, MemType::I64));
        let code = self.b.load(this, field(delegate::METHOD_PTR, MemType::I64));
        let mut open = self.b.func.sig.clone();
        open.params.remove(0);
        let closed = self.b.func.sig.clone();
        let returns_struct = matches!(
            self.ctx.value_class(self.signature.ret),
            Ok(ValueClass::Struct { .. })
        );
        self.branch_on_kind(kind, delegate::INVOKE_CLOSED);
        let target = self.b.load(this, field(delegate::TARGET, MemType::Ref));
        let operands: Vec<Value> = [code, target].into_iter().chain(rest.to_vec()).collect();
        self.tail(&closed, &operands);
        self.next_kind();
        if returns_struct {
            self.branch_on_kind(kind, delegate::INVOKE_CLOSED_STATIC);
            let target = self.b.load(this, field(delegate::TARGET, MemType::Ref));
            let mut operands: Vec<Value> =
                [code, target].into_iter().chain(rest.to_vec()).collect();
            operands.swap(1, 2);
            let mut sig = closed;
            sig.params.swap(0, 1);
            self.tail(&sig, &operands);
            self.next_kind();
        }
        // An instance method has its return buffer behind `this`, a static one in front of everything.
        let mut instance = open.clone();
        let mut instance_args = rest.to_vec();
        if returns_struct && rest.len() > 1 {
            instance.params.swap(0, 1);
            instance_args.swap(0, 1);
            self.branch_on_kind(kind, delegate::INVOKE_OPEN_INSTANCE);
            self.tail_with(code, &instance, &instance_args);
            self.next_kind();
        }
        if instance.params.first() == Some(&Type::Ref) {
            self.branch_on_kind(kind, delegate::INVOKE_OPEN_VIRTUAL);
            let object = instance_args[0];
            self.b.null_check(object);
            let method = self.b.load(this, field(delegate::METHOD, MemType::I64));
            let target = self
                .b
                .call_helper(HelperId::ResolveVirtual, &[object, method])
                .expect("the helper has a result");
            self.tail_with(target, &instance, &instance_args);
            self.next_kind();
        }
        self.tail_with(code, &open, rest);
    }

    /// Goes on in a block for delegates of this kind; [`Self::next_kind`] goes back to the others.
    fn branch_on_kind(&mut self, kind: Value, expected: i64) {
        let (yes, no) = (self.b.create_block(), self.b.create_block());
        let expected = self.b.i64(expected);
        let is_it = self.b.icmp(IntCc::Eq, kind, expected);
        self.b.brif(is_it, plain(yes), plain(no));
        self.b.seal(yes);
        self.b.seal(no);
        self.other_kinds = Some(no);
        self.b.switch_to(yes);
    }

    fn next_kind(&mut self) {
        if let Some(block) = self.other_kinds.take() {
            self.b.switch_to(block);
        }
    }

    fn tail_with(&mut self, code: Value, sig: &Signature, args: &[Value]) {
        let operands: Vec<Value> = core::iter::once(code).chain(args.iter().copied()).collect();
        self.tail(sig, &operands);
    }

    fn tail(&mut self, sig: &Signature, operands: &[Value]) {
        let result = self.b.call(Op::CallIndirect, None, sig, operands);
        // Whatever lies in a frame and is passed on lies in that of the caller.
        self.b.mark_tail_call();
        self.b.ret(result);
    }

    fn invoke_all(&mut self, list: Value, rest: &[Value]) -> Result<()> {
        let len = self.b.array_len(list);
        let index = self.b.new_var(Type::I64);
        let zero = self.b.i64(0);
        self.b.def_var(index, zero);
        let result = self.b.func.sig.ret.map(|ty| self.b.new_var(ty));
        let (head, body, done) = (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        self.b.jump(head, &[]);
        self.b.switch_to(head);
        let i = self.b.use_var(index);
        let more = self.b.icmp(IntCc::Slt, i, len);
        self.b.brif(more, plain(body), plain(done));
        self.b.seal(body);
        self.b.seal(done);
        self.b.switch_to(body);
        let addr = self.b.addr_index(list, i, 8, array::DATA);
        let entry = self.b.load(addr, field(0, MemType::Ref));
        let args = self.fresh_copies(rest)?;
        let operands: Vec<Value> = core::iter::once(entry).chain(args).collect();
        let sig = self.b.func.sig.clone();
        let value = self
            .b
            .call(Op::CallDelegate, Some(self.method), &sig, &operands);
        if let (Some(var), Some(v)) = (result, value) {
            self.b.def_var(var, v);
        }
        let one = self.b.i64(1);
        let next = self.b.iadd(i, one);
        self.b.def_var(index, next);
        self.b.emit(Op::Poll, Type::I32, &[], crate::ir::Imm::None);
        self.b.jump(head, &[]);
        self.b.seal(head);
        self.b.switch_to(done);
        let value = result.map(|var| self.b.use_var(var));
        self.b.ret(value);
        Ok(())
    }

    /// Every callee owns the structs it gets.
    fn fresh_copies(&mut self, rest: &[Value]) -> Result<Vec<Value>> {
        let returns_struct = matches!(
            self.ctx.value_class(self.signature.ret)?,
            ValueClass::Struct { .. }
        );
        let mut args: Vec<Value> = rest.to_vec();
        for (n, ty) in self.signature.params.iter().enumerate() {
            if let ValueClass::Struct { size, align } = self.ctx.value_class(*ty)? {
                let at = n + usize::from(returns_struct);
                let slot = self.b.func.add_slot(SlotData {
                    size,
                    align: align.max(8),
                    ty: Some(*ty),
                    zeroed: false,
                    eh: None,
                });
                let copy = self.b.slot_addr(slot, 0);
                let refs = self.ctx.contains_refs(*ty)?;
                self.b.copy_to_stack(copy, args[at], size, refs);
                args[at] = copy;
            }
        }
        Ok(args)
    }

    // ---- P/Invoke

    /// Converts arguments, calls the native function, converts the result.
    fn pinvoke(&mut self) -> Result<()> {
        let handle = self.b.fixup(Fixup::MethodHandle(self.method));
        let address = self
            .b
            .call_helper(HelperId::ResolvePInvoke, &[handle])
            .expect("the helper has a result");
        let params = self.params();
        let mut sig = Signature::default();
        let mut operands = vec![address];
        let mut cleanup: Vec<(Cleanup, Value, Value)> = Vec::new();
        for (n, (value, ty)) in params.iter().zip(self.signature.params).enumerate() {
            let wide = self.takes_utf16(n as u32 + 1);
            let (mut native, mut native_type) = self.to_native(*value, *ty, wide, &mut cleanup)?;
            // C passes a `float` of a variable argument list as a `double`.
            let declared = self.signature.fixed_params.unwrap_or(u32::MAX);
            if n as u32 >= declared && native_type == Type::F32 {
                native = self.b.fpromote(native);
                native_type = Type::F64;
            }
            sig.params.push(native_type);
            operands.push(native);
        }
        sig.c_varargs = self.signature.fixed_params.is_some() || self.signature.is_vararg();
        sig.ret = match self.ctx.value_class(self.signature.ret)? {
            ValueClass::Void => None,
            ValueClass::Scalar(MemType::Ref) => Some(Type::I64),
            ValueClass::Scalar(m) => Some(m.value_type()),
            ValueClass::Struct { .. } => {
                return Err(Error::Unsupported(
                    "a native function that returns a struct",
                ));
            }
        };
        let result = self
            .b
            .call(Op::CallNative, Some(self.method), &sig, &operands);
        if self.saves_last_error() {
            self.b.call_helper(HelperId::SaveLastError, &[]);
        }
        for (what, managed, native) in cleanup {
            let (helper, operands) = match what {
                Cleanup::Free => (HelperId::FreeNativeString, vec![native]),
                Cleanup::StringBuilder => {
                    (HelperId::StringBuilderFromNative, vec![managed, native])
                }
                Cleanup::SafeHandle => (HelperId::SafeHandleRelease, vec![managed]),
            };
            self.b.call_helper(helper, &operands);
        }
        let result = match result {
            Some(v) => Some(self.from_native(v)?),
            None => None,
        };
        self.b.ret(result);
        Ok(())
    }

    /// Text of a parameter (number from 1) is UTF-16: its own description says so, or else the character set of the method.
    fn takes_utf16(&self, number: u32) -> bool {
        const CHARSET: u16 = 6;
        const UNICODE: u16 = 4;
        let md = self.ctx.module(self.ctx.method_module(self.method));
        let row = self.ctx.method_row(self.method);
        let mut rows = md.params_of(row);
        let param = rows.find(|r| md.param(*r).is_ok_and(|p| u32::from(p.sequence) == number));
        let described = param.and_then(|p| md.field_marshal_of(p.into()));
        match described.map(marshal::parse) {
            Some(Ok(MarshalSpec::Simple(NativeType::LPWSTR))) => true,
            Some(Ok(MarshalSpec::Simple(NativeType::LPSTR | NativeType::LPUTF8STR))) => false,
            _ => md
                .impl_map_of(row)
                .is_some_and(|m| m.flags & CHARSET == UNICODE),
        }
    }

    fn saves_last_error(&self) -> bool {
        const SUPPORTS_LAST_ERROR: u16 = 0x40;
        let map = self
            .ctx
            .module(self.ctx.method_module(self.method))
            .impl_map_of(self.ctx.method_row(self.method));
        map.is_some_and(|m| m.flags & SUPPORTS_LAST_ERROR != 0)
    }

    fn to_native(
        &mut self,
        v: Value,
        ty: TypeId,
        wide: bool,
        cleanup: &mut Vec<(Cleanup, Value, Value)>,
    ) -> Result<(Value, Type)> {
        let ctx = self.ctx;
        match ctx.value_class(ty)? {
            ValueClass::Scalar(MemType::Ref) => {
                if wide && ty == ctx.known(Known::String) {
                    return Ok((self.data_address(v, string::DATA), Type::I64));
                }
                if wide && ty == ctx.known(Known::StringBuilder) {
                    return Err(Error::Unsupported("marshalling of a UTF-16 StringBuilder"));
                }
                if ty == ctx.known(Known::String) {
                    let native = self
                        .b
                        .call_helper(HelperId::StringToNative, &[v])
                        .expect("the helper has a result");
                    cleanup.push((Cleanup::Free, v, native));
                    return Ok((native, Type::I64));
                }
                if ty == ctx.known(Known::StringBuilder) {
                    let native = self
                        .b
                        .call_helper(HelperId::StringBuilderToNative, &[v])
                        .expect("the helper has a result");
                    cleanup.push((Cleanup::StringBuilder, v, native));
                    return Ok((native, Type::I64));
                }
                if ctx.is_delegate(ty) {
                    let native = self
                        .b
                        .call_helper(HelperId::DelegateToNative, &[v])
                        .expect("the helper has a result");
                    return Ok((native, Type::I64));
                }
                if ctx
                    .ancestor_of_definition(ty, ctx.known(Known::SafeHandle))
                    .is_some()
                {
                    let native = self
                        .b
                        .call_helper(HelperId::SafeHandleAcquire, &[v])
                        .expect("the helper has a result");
                    cleanup.push((Cleanup::SafeHandle, v, native));
                    return Ok((native, Type::I64));
                }
                match ctx.kind(ty) {
                    crate::types::TypeKind::SzArray(e) if self.is_blittable(e) => {
                        Ok((self.data_address(v, array::DATA), Type::I64))
                    }
                    _ => Err(Error::Unsupported("marshalling of this reference type")),
                }
            }
            ValueClass::Scalar(MemType::ByRef) => {
                let word = self.b.addr_cast(Type::I64, v);
                match ctx.kind(ty) {
                    crate::types::TypeKind::ByRef(e) if self.is_blittable(e) => {
                        Ok((word, Type::I64))
                    }
                    _ => Err(Error::Unsupported("marshalling of this by-ref type")),
                }
            }
            ValueClass::Scalar(m) => Ok((v, m.value_type())),
            ValueClass::Struct { .. } if ty == ctx.known(Known::HandleRef) => {
                Ok((self.b.load(v, field(8, MemType::I64)), Type::I64))
            }
            _ => Err(Error::Unsupported("marshalling of a struct by value")),
        }
    }

    /// Same representation on both sides.
    fn is_blittable(&self, ty: TypeId) -> bool {
        let ctx = self.ctx;
        match ctx.value_class(ty) {
            Ok(ValueClass::Scalar(MemType::Ref | MemType::ByRef))
            | Err(_)
            | Ok(ValueClass::Void) => false,
            Ok(ValueClass::Scalar(_)) => ctx.prim(ctx.underlying(ty)) != Some(Prim::Bool),
            Ok(ValueClass::Struct { .. }) => {
                let fields = ctx.fields(ty).unwrap_or_default();
                fields
                    .into_iter()
                    .filter(|f| !ctx.field_is_static(*f))
                    .all(|f| ctx.field_type(f).is_ok_and(|t| self.is_blittable(t)))
            }
        }
    }

    /// Address of the elements of a vector or string, 0 for null. Objects do not move.
    fn data_address(&mut self, a: Value, offset: i32) -> Value {
        let null = self.b.null(Type::Ref);
        let is_null = self.b.icmp(IntCc::Eq, a, null);
        let base = self.b.addr_cast(Type::I64, a);
        let offset = self.b.i64(offset.into());
        let data = self.b.iadd(base, offset);
        let zero = self.b.i64(0);
        self.b.select(is_null, zero, data)
    }

    fn from_native(&mut self, v: Value) -> Result<Value> {
        let ctx = self.ctx;
        let ret = self.signature.ret;
        Ok(match ctx.value_class(ret)? {
            ValueClass::Scalar(MemType::Ref) if ret == ctx.known(Known::String) => self
                .b
                .call_helper(HelperId::StringFromNative, &[v])
                .expect("the helper has a result"),
            ValueClass::Scalar(MemType::Ref) => {
                return Err(Error::Unsupported(
                    "a native function that returns this reference type",
                ));
            }
            ValueClass::Scalar(MemType::U8) if ctx.prim(ret) == Some(Prim::Bool) => {
                let zero = self.b.i32(0);
                self.b.icmp(IntCc::Ne, v, zero)
            }
            ValueClass::Scalar(m) => native_result(&mut self.b, v, m),
            _ => v,
        })
    }
}

/// What is left to do after the native call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cleanup {
    Free,
    StringBuilder,
    SafeHandle,
}
