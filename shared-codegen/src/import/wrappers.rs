//! Bodies of methods without IL: internal calls, delegate methods, P/Invokes.

use super::calls::native_result;
use super::error::{Error, Result};
use super::flow::plain;
use super::marshal::{self, Described, NativeCall};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout::{array, delegate, method_desc};
use crate::abi::trap::TrapKind;
use crate::ir::{
    AliasClass, Block, Function, FunctionBuilder, IntCc, MemRef, MemType, Op, Signature, SlotData,
    Type, Value,
};
use crate::types::{
    self, Known, MethodId, MethodKind, MethodSignature, SyntheticKind, TypeContext, ValueClass,
};

/// Imports the wrapper for a method.
pub(crate) fn import(
    ctx: &TypeContext,
    method: MethodId,
    signature: MethodSignature,
    function: Function,
) -> Result<Function> {
    let unmade = function.clone();
    let mut w = Wrapper {
        ctx,
        method,
        signature,
        b: FunctionBuilder::new(function),
        other_kinds: None,
    };
    w.b.create_entry();
    match w.import() {
        // Callers see it when they call, as they do when the library is missing.
        Err(e @ Error::Type(types::Error::Marshal { .. })) => Ok(Wrapper::failing(unmade, &e)),
        Err(e) => Err(e),
        Ok(()) => Ok(w.b.finish()),
    }
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
    fn import(&mut self) -> Result<()> {
        let (ctx, method) = (self.ctx, self.method);
        if let MethodKind::Synthetic { kind, subject, .. } = ctx.method_kind(method) {
            self.synthetic(kind, subject)
        } else if ctx.method_is_internal_call(method) {
            self.internal_call()
        } else if ctx.method_is_pinvoke(method) {
            self.pinvoke(method)
        } else if ctx.method_is_runtime(method) {
            self.delegate_method()
        } else if ctx.method_is_abstract(method) {
            Err(Error::Unsupported("call of an abstract method"))
        } else {
            Err(Error::Unsupported("a method without body"))
        }
    }

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
    fn pinvoke(&mut self, target: MethodId) -> Result<()> {
        let described = Described::pinvoke(self.ctx, target, &self.signature)?;
        let handle = self.b.fixup(Fixup::MethodHandle(target));
        let params = self.params();
        let address = self.native_function(handle);
        self.call_native(&described, address, &params)
    }

    /// The address in the method's descriptor; found by the runtime at the first call.
    fn native_function(&mut self, handle: Value) -> Value {
        let address = self.b.new_var(Type::I64);
        let known = field(method_desc::NATIVE_FUNCTION, MemType::I64);
        let known = self.b.load(handle, known);
        self.b.def_var(address, known);
        let zero = self.b.i64(0);
        let is_unknown = self.b.icmp(IntCc::Eq, known, zero);
        let (first, ready) = (self.b.create_block(), self.b.create_block());
        self.b.brif(is_unknown, plain(first), plain(ready));
        self.b.seal(first);
        self.b.switch_to(first);
        let found = self
            .b
            .call_helper(HelperId::ResolvePInvoke, &[handle])
            .expect("the helper has a result");
        self.b.def_var(address, found);
        self.b.jump(ready, &[]);
        self.b.seal(ready);
        self.b.switch_to(ready);
        self.b.use_var(address)
    }

    /// The rest of a stub with these arguments behind `this`.
    fn call_native(
        &mut self,
        described: &Described,
        address: Value,
        params: &[Value],
    ) -> Result<()> {
        let returns_struct = matches!(
            self.ctx.value_class(self.signature.ret)?,
            ValueClass::Struct { .. }
        );
        let (buffer, args) = params.split_at(usize::from(returns_struct));
        let call = NativeCall {
            address,
            method: Some(self.method),
            args,
            buffer: buffer.first().copied(),
        };
        let result = marshal::call_native(self.ctx, &mut self.b, described, &call)?;
        self.b.ret(result);
        Ok(())
    }

    /// Stubs of delegates, and of call sites of variadic functions.
    fn synthetic(&mut self, kind: SyntheticKind, invoke: MethodId) -> Result<()> {
        if kind == SyntheticKind::ManagedToNative && self.ctx.method_is_pinvoke(invoke) {
            return self.pinvoke(invoke);
        }
        let signature = *self.ctx.method_signature(invoke)?;
        let params = self.params();
        match (kind, &params[..]) {
            (SyntheticKind::ManagedToNative, [delegate, rest @ ..]) => {
                let described = Described::delegate(self.ctx, invoke, &signature)?;
                let class = self.ctx.known(Known::Delegate);
                let field = self.ctx.find_field(class, marshal::FUNCTION_FIELD)?;
                let field = field.ok_or(Error::Unsupported("delegates of native functions"))?;
                let offset = self.ctx.field_offset(field)? as i32;
                let address = self.b.load(*delegate, self::field(offset, MemType::I64));
                self.call_native(&described, address, rest)
            }
            (SyntheticKind::NativeToManaged, &[delegate, frame]) => marshal::native_to_managed(
                self.ctx,
                &mut self.b,
                invoke,
                &signature,
                [delegate, frame],
            ),
            _ => Err(Error::Unsupported("a wrapper of this kind")),
        }
    }

    /// The whole body raises the exception that says why there is no other.
    fn failing(mut function: Function, e: &Error) -> Function {
        let index = function.add_failure(e.failure());
        let mut b = FunctionBuilder::new(function);
        b.create_entry();
        let index = b.i64(index.into());
        b.call_helper(HelperId::ThrowCompileError, &[index]);
        b.trap(TrapKind::InvalidProgram);
        b.finish()
    }
}
