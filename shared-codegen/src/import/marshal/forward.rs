//! Managed code calls a native function.

use super::convention::{EIGHTBYTE, Outgoing, at};
use super::value::{Converter, StructForm};
use super::{ArrayConversion, Conversion, Described, Param};
use crate::abi::helper::HelperId;
use crate::import::error::Result;
use crate::ir::{FunctionBuilder, MemType, Op, Type, Value};
use crate::types::{MethodId, TextForm, TypeContext, TypeId, TypeKind, Word};
use smallvec::SmallVec;

/// A call to be made.
pub(in crate::import) struct NativeCall<'a> {
    /// Address of the function.
    pub address: Value,
    /// The P/Invoke, if it is one.
    pub method: Option<MethodId>,
    /// Managed arguments: scalars, or addresses of structs that belong to the call.
    pub args: &'a [Value],
    /// Where a struct result goes.
    pub buffer: Option<Value>,
}

/// Emits conversion of the arguments, the call, conversion of the result. Gives the result if it is no struct.
pub(in crate::import) fn call_native(
    ctx: &TypeContext,
    b: &mut FunctionBuilder,
    described: &Described,
    call: &NativeCall,
) -> Result<Option<Value>> {
    let c = Converter {
        ctx,
        b,
        method: described.method,
    };
    let mut f = Forward {
        c,
        params: &described.params,
        args: call.args,
        after: Vec::new(),
    };
    let passed = f.pass_all()?;
    let place = f.result_place(described, call.buffer)?;
    let mut outgoing = Outgoing::default();
    if let ResultPlace::Buffer(addr) = place {
        outgoing.scalar(f.c.b, addr);
    }
    for (n, p) in passed.iter().enumerate() {
        match p {
            Passed::Word(v) if n >= described.declared && f.c.b.func.ty(*v) == Type::F32 => {
                let double = f.c.b.fpromote(*v);
                outgoing.scalar(f.c.b, double);
            }
            Passed::Word(v) => outgoing.scalar(f.c.b, *v),
            Passed::Struct { addr, size, words } => {
                outgoing.structure(f.c.b, *addr, *size, words);
            }
        }
    }
    if let ResultPlace::Behind(addr) = place {
        outgoing.scalar(f.c.b, addr);
    }
    let prepared = f.c.prepare(&described.ret.conversion)?;
    let value = f.emit_call(call, outgoing, &place);
    if described.saves_last_error {
        f.c.effect(HelperId::SaveLastError, &[]);
    }
    f.release_handles()?;
    if let (true, Some(code)) = (described.returns_hresult, value) {
        f.c.effect(HelperId::ThrowForHresult, &[code]);
    }
    let result = f.take_result(&described.ret, value, &place, prepared, call.buffer)?;
    f.clean_up()?;
    Ok(result)
}

/// An argument as native code sees it.
enum Passed {
    Word(Value),
    Struct {
        addr: Value,
        size: u32,
        words: SmallVec<[Word; 2]>,
    },
}

/// Where the native result is.
enum ResultPlace {
    None,
    /// In a register, as this type.
    Register(Type),
    /// In registers, to be stored at an address.
    Words(Value, SmallVec<[Word; 2]>),
    /// In memory given by the first argument.
    Buffer(Value),
    /// In memory given by the last argument, with an HRESULT in the register.
    Behind(Value),
    /// There is only an HRESULT.
    Hresult,
}

/// What is left to do after the call.
enum After {
    KeepAlive(Value),
    Free(Value, TextForm),
    /// Builder, native text.
    Builder(Value, Value, TextForm),
    /// Array, native copy, whether native code may have changed it.
    Array(ArrayConversion, Value, Value, bool),
    /// Native form to be read into an object, if native code may have changed it, and destroyed.
    Class(TypeId, Value, Value, bool),
    Destroy(TypeId, Value),
    Release(Value),
    CleanCustom(Value, Value),
    ByRef(ByRef),
}

/// A by-ref argument whose variable has another form in native code.
struct ByRef {
    inner: Conversion,
    ty: TypeId,
    managed: Value,
    native: Value,
    prepared: Option<Value>,
    is_out: bool,
}

struct Forward<'a, 'd> {
    c: Converter<'a>,
    params: &'d [Param],
    args: &'d [Value],
    after: Vec<After>,
}

impl Forward<'_, '_> {
    fn pass_all(&mut self) -> Result<Vec<Passed>> {
        let mut passed: Vec<Option<Passed>> = self.params.iter().map(|_| None).collect();
        // Handles are taken last: nothing that fails comes between taking and the call.
        for handles in [false, true] {
            for (n, (p, v)) in self.params.iter().zip(self.args).enumerate() {
                if matches!(p.conversion, Conversion::SafeHandle(_)) == handles {
                    passed[n] = Some(self.pass(p, *v)?);
                }
            }
        }
        Ok(passed.into_iter().flatten().collect())
    }

    fn pass(&mut self, p: &Param, v: Value) -> Result<Passed> {
        let word = match &p.conversion {
            Conversion::Struct(ty) => return self.pass_struct(*ty, v),
            Conversion::StructPointer(ty) => {
                let form = self.c.struct_form(*ty)?;
                self.native_struct(*ty, &form, v)
            }
            Conversion::ByRef(inner) => self.pass_by_ref(p, inner, v)?,
            Conversion::Text(TextForm::Utf16) => {
                self.after.push(After::KeepAlive(v));
                self.c.characters(v)
            }
            Conversion::Text(form) => {
                let native = self.c.text_to_native(v, *form);
                self.after.push(After::Free(native, *form));
                native
            }
            Conversion::Builder(form) => {
                let native = self.c.builder_to_native(v, *form);
                self.after.push(match p.is_out {
                    true => After::Builder(v, native, *form),
                    false => After::Free(native, *form),
                });
                native
            }
            Conversion::Array(a) if a.blittable => {
                self.after.push(After::KeepAlive(v));
                self.c.elements(v)
            }
            Conversion::Array(a) => {
                let (code, copy) = (self.c.element_code(a), self.c.b.i32(p.is_in.into()));
                let native = self.c.helper(HelperId::ArrayToNative, &[v, code, copy]);
                let after = After::Array(a.clone(), v, native, p.is_out);
                self.after.push(after);
                native
            }
            Conversion::Class(ty) => self.pass_object(*ty, p, v)?,
            Conversion::Function(_) => {
                self.after.push(After::KeepAlive(v));
                self.c.function_pointer(v)?
            }
            Conversion::SafeHandle(_) => {
                self.after.push(After::Release(v));
                self.c.acquire(v)?
            }
            Conversion::CriticalHandle(_) => {
                self.after.push(After::KeepAlive(v));
                self.c.critical_handle(v)?
            }
            Conversion::HandleRef => {
                let (wrapper, handle) = self.c.handle_ref(v);
                self.after.push(After::KeepAlive(wrapper));
                handle
            }
            Conversion::Custom(number) => {
                let marshaler = self.c.custom_marshaler(*number)?;
                let native = self.c.helper(HelperId::CustomToNative, &[marshaler, v]);
                self.after.push(After::CleanCustom(marshaler, native));
                native
            }
            simple => self.c.simple_to_native(simple, v),
        };
        Ok(Passed::Word(word))
    }

    /// Address of the native form of the struct at `v`.
    fn native_struct(&mut self, ty: TypeId, form: &StructForm, v: Value) -> Value {
        if form.blittable {
            return self.c.b.addr_cast(Type::I64, v);
        }
        let native = self.c.buffer(form.size, form.align);
        self.c.struct_to_native(ty, v, native);
        self.after.push(After::Destroy(ty, native));
        native
    }

    fn pass_struct(&mut self, ty: TypeId, v: Value) -> Result<Passed> {
        let form = self.c.struct_form(ty)?;
        let mut addr = self.native_struct(ty, &form, v);
        if form.blittable && form.size % EIGHTBYTE != 0 {
            // Whole words are read.
            let whole = self.c.buffer(form.size, form.align);
            self.c.b.copy_to_stack(whole, addr, form.size, false);
            addr = whole;
        }
        Ok(Passed::Struct {
            addr,
            size: form.size,
            words: form.words,
        })
    }

    fn pass_object(&mut self, ty: TypeId, p: &Param, v: Value) -> Result<Value> {
        let form = self.c.struct_form(ty)?;
        if form.blittable {
            self.after.push(After::KeepAlive(v));
            return Ok(self.c.fields(v));
        }
        let native = self.c.buffer(form.size, form.align);
        if p.is_in {
            self.c.struct_to_native(ty, v, native);
        }
        self.after.push(After::Class(ty, native, v, p.is_out));
        let is_null = self.c.is_null(v);
        let zero = self.c.b.i64(0);
        Ok(self.c.b.select(is_null, zero, native))
    }

    /// Address of the variable, or of a native form of it.
    fn pass_by_ref(&mut self, p: &Param, inner: &Conversion, v: Value) -> Result<Value> {
        let ty = match self.c.ctx.kind(p.ty) {
            TypeKind::ByRef(t) => t,
            _ => p.ty,
        };
        let form = match inner {
            Conversion::Struct(t) => Some(self.c.struct_form(*t)?),
            _ => None,
        };
        let blittable = form.as_ref().is_some_and(|f| f.blittable);
        if blittable || matches!(inner, Conversion::Scalar(_)) {
            self.after.push(After::KeepAlive(v));
            return Ok(self.c.b.addr_cast(Type::I64, v));
        }
        let (size, align) = form.map_or((EIGHTBYTE, EIGHTBYTE), |f| (f.size, f.align));
        let native = self.c.buffer(size, align);
        let prepared = match inner {
            // A handle that is passed in stays; one that comes out is new.
            Conversion::SafeHandle(_) | Conversion::CriticalHandle(_) if !p.is_out => None,
            _ => self.c.prepare(inner)?,
        };
        if p.is_in {
            match inner {
                Conversion::Struct(t) => self.c.struct_to_native(*t, v, native),
                _ => {
                    let managed = self.c.load_managed(ty, v)?;
                    let made = self.c.native_copy(inner, managed, prepared)?;
                    let mem = at(0, Converter::native_mem(inner));
                    self.c.b.store(native, made, mem);
                }
            }
        }
        self.after.push(After::ByRef(ByRef {
            inner: inner.clone(),
            ty,
            managed: v,
            native,
            prepared,
            is_out: p.is_out,
        }));
        Ok(native)
    }

    fn result_place(
        &mut self,
        described: &Described,
        buffer: Option<Value>,
    ) -> Result<ResultPlace> {
        let conversion = &described.ret.conversion;
        Ok(match conversion {
            Conversion::Void if described.returns_hresult => ResultPlace::Hresult,
            Conversion::Void => ResultPlace::None,
            Conversion::Struct(ty) => {
                let form = self.c.struct_form(*ty)?;
                let whole = form.blittable && form.size % EIGHTBYTE == 0;
                let addr = match buffer {
                    Some(buffer) if whole => buffer,
                    _ => self.c.buffer(form.size, form.align),
                };
                match form.words.is_empty() {
                    _ if described.returns_hresult => ResultPlace::Behind(addr),
                    true => ResultPlace::Buffer(addr),
                    false => ResultPlace::Words(addr, form.words),
                }
            }
            _ if described.returns_hresult => {
                ResultPlace::Behind(self.c.buffer(EIGHTBYTE, EIGHTBYTE))
            }
            _ => ResultPlace::Register(Converter::native_mem(conversion).value_type()),
        })
    }

    fn emit_call(
        &mut self,
        call: &NativeCall,
        outgoing: Outgoing,
        place: &ResultPlace,
    ) -> Option<Value> {
        let b = &mut *self.c.b;
        let (mut sig, args) = outgoing.finish(b);
        let mut operands = vec![call.address];
        operands.extend(args);
        let of = |w: &Word| match w {
            Word::Int => Type::I64,
            Word::Float => Type::F64,
        };
        match place {
            ResultPlace::None => {}
            ResultPlace::Buffer(_) => sig.ret = Some(Type::I64),
            ResultPlace::Behind(_) | ResultPlace::Hresult => sig.ret = Some(Type::I32),
            ResultPlace::Register(ty) => sig.ret = Some(*ty),
            ResultPlace::Words(addr, words) => {
                sig.ret = words.first().map(of);
                if let Some(second) = words.get(1) {
                    sig.second = Some(of(second));
                    operands.push(b.addr_offset(*addr, EIGHTBYTE.into()));
                }
            }
        }
        let value = b.call(Op::CallNative, call.method, &sig, &operands);
        if let (ResultPlace::Words(addr, words), Some(v)) = (place, value) {
            let mem = match words.first() {
                Some(Word::Float) => MemType::F64,
                _ => MemType::I64,
            };
            b.store(*addr, v, at(0, mem));
        }
        value
    }

    fn take_result(
        &mut self,
        ret: &Param,
        value: Option<Value>,
        place: &ResultPlace,
        prepared: Option<Value>,
        buffer: Option<Value>,
    ) -> Result<Option<Value>> {
        if let (Conversion::Struct(ty), Some(buffer)) = (&ret.conversion, buffer) {
            if let ResultPlace::Words(addr, _)
            | ResultPlace::Buffer(addr)
            | ResultPlace::Behind(addr) = place
            {
                self.take_struct(*ty, *addr, buffer)?;
            }
            return Ok(None);
        }
        let native = match place {
            ResultPlace::Register(_) => value,
            ResultPlace::Behind(addr) => {
                let mem = at(0, Converter::native_mem(&ret.conversion));
                Some(self.c.b.load(*addr, mem))
            }
            _ => None,
        };
        let Some(native) = native else {
            return Ok(None);
        };
        let managed = self.c.managed_of(&ret.conversion, native, prepared)?;
        if let (Conversion::Custom(_), Some(marshaler)) = (&ret.conversion, prepared) {
            self.after.push(After::CleanCustom(marshaler, native));
        }
        self.c.free_given(&ret.conversion, native);
        Ok(Some(managed))
    }

    fn take_struct(&mut self, ty: TypeId, native: Value, buffer: Value) -> Result<()> {
        let form = self.c.struct_form(ty)?;
        if !form.blittable {
            let refs = self.c.ctx.contains_refs(ty)?;
            let bytes = self.c.ctx.value_size(ty)?;
            self.c.b.zero_block(buffer, bytes, refs);
            self.c.struct_from_native(ty, native, buffer);
            self.c.destroy(ty, native);
        } else if native != buffer {
            self.c.b.copy_to_stack(buffer, native, form.size, false);
        }
        Ok(())
    }

    /// Gives handles back before anything that fails.
    fn release_handles(&mut self) -> Result<()> {
        let (handles, others) = core::mem::take(&mut self.after)
            .into_iter()
            .partition(|a| matches!(a, After::Release(_)));
        self.after = handles;
        self.clean_up()?;
        self.after = others;
        Ok(())
    }

    fn clean_up(&mut self) -> Result<()> {
        for after in core::mem::take(&mut self.after) {
            match after {
                After::KeepAlive(v) => self.c.b.keep_alive(v),
                After::Free(native, form) => self.c.free_text(native, form),
                After::Builder(managed, native, form) => {
                    self.c.builder_from_native(managed, native, form);
                }
                After::Array(a, managed, native, copy) => {
                    let code = self.c.element_code(&a);
                    let copy = self.c.b.i32(copy.into());
                    let args = [managed, native, code, copy];
                    self.c.effect(HelperId::ArrayFromNative, &args);
                }
                After::Class(ty, native, object, copy) => {
                    if copy {
                        self.c.struct_from_native(ty, native, object);
                    }
                    self.c.destroy(ty, native);
                }
                After::Destroy(ty, native) => self.c.destroy(ty, native),
                After::Release(handle) => self.c.release(handle)?,
                After::CleanCustom(marshaler, native) => {
                    self.c.effect(HelperId::CustomClean, &[marshaler, native]);
                }
                After::ByRef(by_ref) => self.finish_by_ref(&by_ref)?,
            }
        }
        Ok(())
    }

    fn finish_by_ref(&mut self, by_ref: &ByRef) -> Result<()> {
        if let Conversion::Struct(ty) = by_ref.inner {
            if by_ref.is_out {
                self.c.struct_from_native(ty, by_ref.native, by_ref.managed);
            }
            self.c.destroy(ty, by_ref.native);
            return Ok(());
        }
        let mem = at(0, Converter::native_mem(&by_ref.inner));
        let native = self.c.b.load(by_ref.native, mem);
        if by_ref.is_out {
            let managed = match &by_ref.inner {
                Conversion::Array(a) => self.new_array(a, native)?,
                inner => self.c.managed_of(inner, native, by_ref.prepared)?,
            };
            self.c.store_managed(by_ref.ty, by_ref.managed, managed)?;
        }
        match (&by_ref.inner, by_ref.prepared) {
            (Conversion::Custom(_), Some(marshaler)) => {
                self.c.effect(HelperId::CustomClean, &[marshaler, native]);
            }
            (Conversion::Array(_), _) => self.c.free_text(native, TextForm::Utf8),
            (inner, _) => self.c.free_given(inner, native),
        }
        Ok(())
    }

    /// An array of the elements that native code gave.
    fn new_array(&mut self, a: &ArrayConversion, native: Value) -> Result<Value> {
        let given = match a.size_param.map(|n| n as usize) {
            Some(n) => match (self.params.get(n), self.args.get(n)) {
                (Some(p), Some(v)) => Some(self.c.count_in(p, *v)?),
                _ => {
                    return Err(self
                        .c
                        .ctx
                        .unmarshalable(a.array, "no such SizeParamIndex")
                        .into());
                }
            },
            None => None,
        };
        self.c.new_array(a, native, given)
    }
}
