//! Native code calls a delegate.
//!
//! The function pointer's thunk leaves the arguments in a frame ([`crate::abi::layout::native_frame`]); the stub made here, of
//! signature `(delegate, frame)`, takes them from there, calls `Invoke` and puts the result into the frame.

use super::convention::{Incoming, at};
use super::value::Converter;
use super::{ArrayConversion, Conversion, Described, Param};
use crate::abi::helper::HelperId;
use crate::import::error::Result;
use crate::import::signature::lower;
use crate::ir::{FunctionBuilder, MemType, Op, Type, Value};
use crate::types::{MethodId, MethodSignature, TypeContext, TypeId, TypeKind};

/// Emits the body of the stub for delegates whose `Invoke` has this signature.
pub(in crate::import) fn native_to_managed(
    ctx: &TypeContext,
    b: &mut FunctionBuilder,
    invoke: MethodId,
    signature: &MethodSignature,
    [delegate, frame]: [Value; 2],
) -> Result<()> {
    let described = Described::delegate(ctx, invoke, signature)?;
    let c = Converter {
        ctx,
        b,
        method: described.method,
    };
    let mut r = Reverse {
        c,
        incoming: Incoming::new(frame),
        params: &described.params,
        natives: Vec::new(),
        args: Vec::new(),
        after: Vec::new(),
    };
    let result = r.result_buffer(&described.ret)?;
    let args = r.receive_all()?;
    let sig = lower(ctx, signature, Some(Type::Ref))?;
    let mut operands = vec![delegate];
    operands.extend(result.managed);
    operands.extend(args);
    let value = r.c.b.call(Op::CallDelegate, Some(invoke), &sig, &operands);
    r.write_back()?;
    r.give_result(&described.ret, value, &result)?;
    r.c.b.ret(None);
    Ok(())
}

/// Where a struct result goes.
#[derive(Default)]
struct ResultBuffer {
    /// The managed value.
    managed: Option<Value>,
    /// The caller's memory, for structs of class MEMORY.
    native: Option<Value>,
}

/// What native code shall see after the call.
enum After {
    /// Parameter, its type, managed variable, native address.
    ByRef(Conversion, TypeId, Value, Value),
    /// Array type, managed array, native elements.
    Array(ArrayConversion, Value, Value),
    /// Type, object, native form.
    Class(TypeId, Value, Value),
}

struct Reverse<'a, 'd> {
    c: Converter<'a>,
    incoming: Incoming,
    params: &'d [Param],
    /// Words as native code passed them: scalars, or addresses of structs.
    natives: Vec<Value>,
    /// Managed arguments so far.
    args: Vec<Option<Value>>,
    after: Vec<After>,
}

impl Reverse<'_, '_> {
    fn refused<T>(&self, p: &Param) -> Result<T> {
        let reason = "callbacks cannot take or return it";
        Err(self.c.ctx.unmarshalable(p.ty, reason).into())
    }

    fn result_buffer(&mut self, ret: &Param) -> Result<ResultBuffer> {
        let Conversion::Struct(ty) = ret.conversion else {
            return Ok(ResultBuffer::default());
        };
        let form = self.c.struct_form(ty)?;
        let native = match form.words.is_empty() {
            true => Some(self.incoming.scalar(self.c.b, MemType::I64)),
            false => None,
        };
        Ok(ResultBuffer {
            managed: Some(self.c.variable(ty)?),
            native,
        })
    }

    fn receive_all(&mut self) -> Result<Vec<Value>> {
        for p in self.params {
            let native = self.receive(p)?;
            self.natives.push(native);
        }
        // Arrays need the numbers of other parameters.
        self.args.resize(self.params.len(), None);
        for arrays in [false, true] {
            for (n, p) in self.params.iter().enumerate() {
                if matches!(p.conversion, Conversion::Array(_)) == arrays {
                    self.args[n] = Some(self.managed(p, self.natives[n])?);
                }
            }
        }
        Ok(self.args.iter().flatten().copied().collect())
    }

    /// The words of an argument.
    fn receive(&mut self, p: &Param) -> Result<Value> {
        match &p.conversion {
            Conversion::Struct(ty) => {
                let form = self.c.struct_form(*ty)?;
                let addr = self.c.buffer(form.size, form.align);
                self.incoming
                    .structure(self.c.b, addr, form.size, &form.words);
                Ok(addr)
            }
            other => Ok(self.incoming.scalar(self.c.b, Converter::native_mem(other))),
        }
    }

    fn managed(&mut self, p: &Param, native: Value) -> Result<Value> {
        match &p.conversion {
            Conversion::Struct(ty) => {
                if self.c.struct_form(*ty)?.blittable {
                    return Ok(native);
                }
                let managed = self.c.variable(*ty)?;
                self.c.struct_from_native(*ty, native, managed);
                Ok(managed)
            }
            Conversion::StructPointer(ty) => {
                let managed = self.c.variable(*ty)?;
                self.c.struct_from_native(*ty, native, managed);
                Ok(managed)
            }
            Conversion::Array(a) => {
                let array = self.array(a, native)?;
                if p.is_out {
                    self.after.push(After::Array(a.clone(), array, native));
                }
                Ok(array)
            }
            Conversion::Class(ty) => {
                let object = self.c.managed_of(&p.conversion, native, None)?;
                if p.is_out {
                    self.after.push(After::Class(*ty, object, native));
                }
                Ok(object)
            }
            Conversion::ByRef(inner) => self.by_ref(p, inner, native),
            Conversion::Custom(_) => {
                let prepared = self.c.prepare(&p.conversion)?;
                self.c.managed_of(&p.conversion, native, prepared)
            }
            Conversion::Builder(_)
            | Conversion::SafeHandle(_)
            | Conversion::CriticalHandle(_)
            | Conversion::HandleRef
            | Conversion::Void => self.refused(p),
            simple => self.c.managed_of(simple, native, None),
        }
    }

    fn array(&mut self, a: &ArrayConversion, native: Value) -> Result<Value> {
        let given = match a.size_param.map(|n| n as usize) {
            Some(n) => match (self.params.get(n), self.args.get(n).copied().flatten()) {
                (Some(p), Some(v)) => Some(self.c.count_in(p, v)?),
                _ => {
                    let reason = "no such SizeParamIndex";
                    return Err(self.c.ctx.unmarshalable(a.array, reason).into());
                }
            },
            None => None,
        };
        self.c.new_array(a, native, given)
    }

    fn by_ref(&mut self, p: &Param, inner: &Conversion, native: Value) -> Result<Value> {
        let TypeKind::ByRef(ty) = self.c.ctx.kind(p.ty) else {
            return self.refused(p);
        };
        let blittable = match inner {
            Conversion::Scalar(_) => true,
            Conversion::Struct(t) => self.c.struct_form(*t)?.blittable,
            Conversion::SafeHandle(_) | Conversion::CriticalHandle(_) | Conversion::Array(_) => {
                return self.refused(p);
            }
            _ => false,
        };
        if blittable {
            return Ok(self.c.b.addr_cast(Type::ByRef, native));
        }
        let variable = self.c.variable(ty)?;
        if p.is_in {
            match inner {
                Conversion::Struct(t) => self.c.struct_from_native(*t, native, variable),
                _ => {
                    let mem = at(0, Converter::native_mem(inner));
                    let word = self.c.b.load(native, mem);
                    let prepared = self.c.prepare(inner)?;
                    let managed = self.c.managed_of(inner, word, prepared)?;
                    self.c.store_managed(ty, variable, managed)?;
                }
            }
        }
        if p.is_out {
            let after = After::ByRef(inner.clone(), ty, variable, native);
            self.after.push(after);
        }
        Ok(variable)
    }

    fn write_back(&mut self) -> Result<()> {
        for after in core::mem::take(&mut self.after) {
            match after {
                After::ByRef(Conversion::Struct(t), _, variable, native) => {
                    self.c.struct_to_native(t, variable, native);
                }
                After::ByRef(inner, ty, variable, native) => {
                    let managed = self.c.load_managed(ty, variable)?;
                    let prepared = self.c.prepare(&inner)?;
                    let word = self.c.native_copy(&inner, managed, prepared)?;
                    let mem = at(0, Converter::native_mem(&inner));
                    self.c.b.store(native, word, mem);
                }
                After::Array(a, array, native) => {
                    let code = self.c.element_code(&a);
                    self.c
                        .effect(HelperId::ArrayIntoNative, &[array, native, code]);
                }
                After::Class(ty, object, native) => {
                    self.c.struct_to_native(ty, object, native);
                }
            }
        }
        Ok(())
    }

    fn give_result(
        &mut self,
        ret: &Param,
        value: Option<Value>,
        result: &ResultBuffer,
    ) -> Result<()> {
        match (&ret.conversion, value, result.managed) {
            (Conversion::Void, ..) => Ok(()),
            (Conversion::Struct(ty), _, Some(managed)) => {
                self.give_struct(*ty, managed, result.native)
            }
            (Conversion::SafeHandle(_) | Conversion::CriticalHandle(_), ..) => self.refused(ret),
            (conversion, Some(v), _) => {
                let prepared = self.c.prepare(conversion)?;
                let word = self.c.native_copy(conversion, v, prepared)?;
                self.incoming.return_scalar(self.c.b, word);
                Ok(())
            }
            _ => self.refused(ret),
        }
    }

    fn give_struct(&mut self, ty: TypeId, managed: Value, native: Option<Value>) -> Result<()> {
        let form = self.c.struct_form(ty)?;
        let target = match native {
            Some(buffer) => buffer,
            None => self.c.buffer(form.size, form.align),
        };
        match form.blittable {
            true => self.c.b.copy_to_stack(target, managed, form.size, false),
            false => self.c.struct_to_native(ty, managed, target),
        }
        match native {
            Some(buffer) => self.incoming.return_scalar(self.c.b, buffer),
            None => self.incoming.return_words(self.c.b, target, &form.words),
        }
        Ok(())
    }
}
