//! Conversion of one value.

use super::convention::{EIGHTBYTE, at};
use super::{ArrayConversion, Conversion};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout::{array, object, string};
use crate::abi::trap::TrapKind;
use crate::import::calls::native_result;
use crate::import::error::Result;
use crate::import::flow::plain;
use crate::import::signature::ir_signature;
use crate::ir::{FunctionBuilder, IntCc, MemType, Op, Signature, SlotData, Type, Value};
use crate::types::{
    BoolForm, Error, Known, MethodId, Passing, TextForm, TypeContext, TypeId, TypeKind, ValueClass,
    Word,
};
use smallvec::SmallVec;

/// What conversions need to know and to emit.
pub(super) struct Converter<'a> {
    pub(super) ctx: &'a TypeContext,
    pub(super) b: &'a mut FunctionBuilder,
    /// The method whose parameters custom marshalers are described at.
    pub(super) method: Option<MethodId>,
}

/// Native form of a struct type.
pub(super) struct StructForm {
    pub(super) size: u32,
    pub(super) align: u32,
    pub(super) blittable: bool,
    /// Registers it is passed in; empty for memory.
    pub(super) words: SmallVec<[Word; 2]>,
}

/// Largest native form that stubs keep in their frame.
const MAX_STRUCT: u32 = 1 << 16;
/// The field of `System.Delegate` with the function pointer made from it or that it stands for.
pub(in crate::import) const FUNCTION_FIELD: &str = "delegate_trampoline";
/// The field `handle` of `SafeHandle` and `CriticalHandle`, and the two of `HandleRef`.
const HANDLE_REF_WRAPPER: u32 = 0;
const HANDLE_REF_HANDLE: u32 = 8;
/// What a `char` that does not fit into one byte becomes.
const UNKNOWN_CHAR: i32 = b'?' as i32;
const LAST_NARROW: i32 = 0xff;

/// A reference is null: for handles and other things that the runtime has no message for.
fn refused(reason: &str) -> crate::import::Error {
    let error = Error::Marshal {
        reason: reason.into(),
    };
    error.into()
}

impl Converter<'_> {
    pub(super) fn helper(&mut self, helper: HelperId, args: &[Value]) -> Value {
        let result = self.b.call_helper(helper, args);
        result.expect("the helper has a result")
    }

    pub(super) fn effect(&mut self, helper: HelperId, args: &[Value]) {
        self.b.call_helper(helper, args);
    }

    pub(super) fn table(&mut self, ty: TypeId) -> Value {
        self.b.fixup(Fixup::MethodTable(ty))
    }

    fn form_number(&mut self, form: TextForm) -> Value {
        self.b.i32(form as i32)
    }

    pub(super) fn struct_form(&self, ty: TypeId) -> Result<StructForm> {
        let layout = self.ctx.native_layout(ty)?;
        if layout.size > MAX_STRUCT {
            let reason = "structs of more than 64 KB cannot be passed";
            return Err(self.ctx.unmarshalable(ty, reason).into());
        }
        Ok(StructForm {
            size: layout.size,
            align: layout.align,
            blittable: layout.blittable,
            words: match self.ctx.native_passing(layout)? {
                Passing::Memory => SmallVec::new(),
                Passing::Registers(words) => words,
            },
        })
    }

    /// Stack memory of whole words, zeroed.
    pub(super) fn buffer(&mut self, size: u32, align: u32) -> Value {
        let size = size.next_multiple_of(EIGHTBYTE);
        let slot = self.b.func.add_slot(SlotData {
            size,
            align: align.max(EIGHTBYTE),
            ty: None,
            zeroed: false,
            eh: None,
        });
        let addr = self.b.slot_addr(slot, 0);
        self.b.zero_block(addr, size, false);
        addr
    }

    /// A zeroed managed variable.
    pub(super) fn variable(&mut self, ty: TypeId) -> Result<Value> {
        let (size, align) = match self.ctx.value_class(ty)? {
            ValueClass::Struct { size, align } => (size, align),
            ValueClass::Scalar(m) => (m.bytes(), m.bytes()),
            ValueClass::Void => (1, 1),
        };
        let slot = self.b.func.add_slot(SlotData {
            size,
            align: align.max(EIGHTBYTE),
            ty: Some(ty),
            zeroed: true,
            eh: None,
        });
        let addr = self.b.slot_addr(slot, 0);
        let refs = self.ctx.contains_refs(ty)?;
        self.b.zero_block(addr, size, refs);
        Ok(addr)
    }

    pub(super) fn is_null(&mut self, v: Value) -> Value {
        let null = self.b.zero(self.b.func.ty(v));
        self.b.icmp(IntCc::Eq, v, null)
    }

    /// The address `offset` bytes into an object, 0 for null.
    pub(super) fn inside(&mut self, object: Value, offset: i32) -> Value {
        let is_null = self.is_null(object);
        let base = self.b.addr_cast(Type::I64, object);
        let offset = self.b.i64(offset.into());
        let data = self.b.iadd(base, offset);
        let zero = self.b.i64(0);
        self.b.select(is_null, zero, data)
    }

    pub(super) fn elements(&mut self, a: Value) -> Value {
        self.inside(a, array::DATA)
    }

    pub(super) fn fields(&mut self, o: Value) -> Value {
        self.inside(o, object::HEADER as i32)
    }

    pub(super) fn characters(&mut self, s: Value) -> Value {
        self.inside(s, string::DATA)
    }

    /// The code by which helpers know what elements are.
    pub(super) fn element_code(&mut self, a: &ArrayConversion) -> Value {
        self.b.i32(a.kind.code() as i32)
    }

    /// The marshaler of a parameter.
    pub(super) fn custom_marshaler(&mut self, number: u32) -> Result<Value> {
        let Some(method) = self.method else {
            return Err(refused("a value by custom marshaler without a declaration"));
        };
        let handle = self.b.fixup(Fixup::MethodHandle(method));
        let number = self.b.i32(number as i32);
        Ok(self.helper(HelperId::CustomMarshaler, &[handle, number]))
    }

    /// The function pointer for a delegate: the one it has already, or the one that the runtime makes; 0 for null.
    pub(super) fn function_pointer(&mut self, delegate: Value) -> Result<Value> {
        let class = self.ctx.known(Known::Delegate);
        let field = self.ctx.find_field(class, FUNCTION_FIELD)?;
        let Some(field) = field else {
            return Ok(self.helper(HelperId::DelegateToNative, &[delegate]));
        };
        let mem = at(self.ctx.field_offset(field)?, MemType::I64);
        let result = self.b.new_var(Type::I64);
        let zero = self.b.i64(0);
        self.b.def_var(result, zero);
        let [some, make, done] = [(); 3].map(|()| self.b.create_block());
        let is_null = self.is_null(delegate);
        self.b.brif(is_null, plain(done), plain(some));
        self.b.seal(some);
        self.b.switch_to(some);
        let known = self.b.load(delegate, mem);
        self.b.def_var(result, known);
        let is_known = self.b.icmp(IntCc::Ne, known, zero);
        self.b.brif(is_known, plain(done), plain(make));
        self.b.seal(make);
        self.b.switch_to(make);
        let made = self.helper(HelperId::DelegateToNative, &[delegate]);
        self.b.def_var(result, made);
        self.b.jump(done, &[]);
        self.b.seal(done);
        self.b.switch_to(done);
        Ok(self.b.use_var(result))
    }

    /// A method that `SafeHandle` declares, with its signature.
    fn safe_handle_method(&self, name: &str) -> Result<(MethodId, Signature)> {
        let class = self.ctx.known(Known::SafeHandle);
        let method = self.ctx.find_method(class, name)?;
        let method = method.ok_or_else(|| refused("a SafeHandle without reference count"))?;
        let signature = *self.ctx.method_signature(method)?;
        Ok((method, ir_signature(self.ctx, method, &signature)?))
    }

    /// Takes a reference on a `SafeHandle` and gives its handle; ArgumentNullException for null.
    pub(super) fn acquire(&mut self, handle: Value) -> Result<Value> {
        let is_null = self.is_null(handle);
        let (null, some) = (self.b.create_block(), self.b.create_block());
        self.b.brif(is_null, plain(null), plain(some));
        self.b.seal(null);
        self.b.switch_to(null);
        self.effect(HelperId::ThrowNullHandle, &[]);
        self.b.trap(TrapKind::NullReference);
        self.b.seal(some);
        self.b.switch_to(some);
        let (method, sig) = self.safe_handle_method("DangerousAddRef")?;
        let success = self.variable(self.ctx.known(Known::Boolean))?;
        self.b
            .call(Op::Call, Some(method), &sig, &[handle, success]);
        let class = self.ctx.known(Known::SafeHandle);
        let field = self.ctx.find_field(class, "handle")?;
        let field = field.ok_or_else(|| refused("a SafeHandle without handle"))?;
        let mem = at(self.ctx.field_offset(field)?, MemType::I64);
        Ok(self.b.load(handle, mem))
    }

    /// Gives back what [`Self::acquire`] took.
    pub(super) fn release(&mut self, handle: Value) -> Result<()> {
        let (method, sig) = self.safe_handle_method("DangerousRelease")?;
        self.b.call(Op::Call, Some(method), &sig, &[handle]);
        Ok(())
    }

    /// The handle of a `CriticalHandle`, or of a `HandleRef` at an address.
    pub(super) fn critical_handle(&mut self, object: Value) -> Result<Value> {
        self.b.null_check(object);
        let class = self.ctx.known(Known::CriticalHandle);
        let field = self.ctx.find_field(class, "handle")?;
        let Some(field) = field else {
            return Err(refused("a CriticalHandle without handle"));
        };
        let offset = self.ctx.field_offset(field)?;
        Ok(self.b.load(object, at(offset, MemType::I64)))
    }

    /// Wrapper object and handle of a `HandleRef`.
    pub(super) fn handle_ref(&mut self, addr: Value) -> (Value, Value) {
        let wrapper = self.b.load(addr, at(HANDLE_REF_WRAPPER, MemType::Ref));
        let handle = self.b.load(addr, at(HANDLE_REF_HANDLE, MemType::I64));
        (wrapper, handle)
    }

    pub(super) fn text_to_native(&mut self, s: Value, form: TextForm) -> Value {
        let form = self.form_number(form);
        self.helper(HelperId::TextToNative, &[s, form])
    }

    pub(super) fn free_text(&mut self, p: Value, form: TextForm) {
        let form = self.form_number(form);
        self.effect(HelperId::FreeNative, &[p, form]);
    }

    pub(super) fn builder_to_native(&mut self, s: Value, form: TextForm) -> Value {
        let form = self.form_number(form);
        self.helper(HelperId::BuilderToNative, &[s, form])
    }

    pub(super) fn builder_from_native(&mut self, s: Value, p: Value, form: TextForm) {
        let form = self.form_number(form);
        self.effect(HelperId::BuilderFromNative, &[s, p, form]);
    }

    /// Writes the native form of a struct or object; nothing for null.
    pub(super) fn struct_to_native(&mut self, ty: TypeId, managed: Value, native: Value) {
        let table = self.table(ty);
        let managed = self.b.addr_cast(Type::ByRef, managed);
        self.effect(HelperId::StructToNative, &[table, managed, native]);
    }

    /// Reads the native form into a struct or object.
    pub(super) fn struct_from_native(&mut self, ty: TypeId, native: Value, managed: Value) {
        let table = self.table(ty);
        let managed = self.b.addr_cast(Type::ByRef, managed);
        self.effect(HelperId::StructFromNative, &[table, native, managed]);
    }

    pub(super) fn destroy(&mut self, ty: TypeId, native: Value) {
        let table = self.table(ty);
        self.effect(HelperId::StructDestroy, &[table, native]);
    }

    /// The type with which a native value that fits a register is loaded and stored.
    pub(super) fn native_mem(conversion: &Conversion) -> MemType {
        match conversion {
            Conversion::Scalar(m) => *m,
            Conversion::Bool(BoolForm::Byte) | Conversion::NarrowChar => MemType::U8,
            Conversion::Bool(BoolForm::Variant) => MemType::I16,
            Conversion::Bool(BoolForm::Word) => MemType::I32,
            _ => MemType::I64,
        }
    }

    /// A value that needs no cleaning up afterwards, as native code wants it.
    pub(super) fn simple_to_native(&mut self, conversion: &Conversion, v: Value) -> Value {
        match conversion {
            Conversion::Bool(form) => {
                let zero = self.b.i32(0);
                let truth = self.b.icmp(IntCc::Ne, v, zero);
                match form {
                    BoolForm::Variant => self.b.ineg(truth),
                    _ => truth,
                }
            }
            Conversion::NarrowChar => {
                let (limit, unknown) = (self.b.i32(LAST_NARROW), self.b.i32(UNKNOWN_CHAR));
                let fits = self.b.icmp(IntCc::Ule, v, limit);
                self.b.select(fits, v, unknown)
            }
            Conversion::Scalar(MemType::ByRef) => self.b.addr_cast(Type::I64, v),
            _ => v,
        }
    }

    /// The other way.
    pub(super) fn simple_from_native(&mut self, conversion: &Conversion, v: Value) -> Value {
        match conversion {
            Conversion::Bool(form) => {
                let v = native_result(
                    self.b,
                    v,
                    match form {
                        BoolForm::Byte => MemType::U8,
                        BoolForm::Variant => MemType::U16,
                        BoolForm::Word => MemType::I32,
                    },
                );
                let zero = self.b.i32(0);
                self.b.icmp(IntCc::Ne, v, zero)
            }
            Conversion::NarrowChar => self.b.zext8(v),
            Conversion::Scalar(m) => native_result(self.b, v, *m),
            _ => v,
        }
    }

    /// A managed value made from a pointer or scalar that native code gave; strings and objects are copies.
    /// `prepared` is what [`Self::prepare`] made before the call.
    pub(super) fn managed_of(
        &mut self,
        conversion: &Conversion,
        v: Value,
        prepared: Option<Value>,
    ) -> Result<Value> {
        Ok(match conversion {
            Conversion::Text(form) => {
                let form = self.form_number(*form);
                self.helper(HelperId::TextFromNative, &[v, form])
            }
            Conversion::Function(ty) => {
                let table = self.table(*ty);
                self.helper(HelperId::DelegateFromNative, &[v, table])
            }
            Conversion::Class(ty) => {
                let table = self.table(*ty);
                self.helper(HelperId::ObjectFromNative, &[table, v])
            }
            Conversion::SafeHandle(_) | Conversion::CriticalHandle(_) => {
                let object = prepared.ok_or_else(|| refused("a handle given by native code"))?;
                self.effect(HelperId::HandleSet, &[object, v]);
                object
            }
            Conversion::Custom(_) => {
                let marshaler = prepared.ok_or_else(|| refused("a value by custom marshaler"))?;
                self.helper(HelperId::CustomFromNative, &[marshaler, v])
            }
            Conversion::Scalar(_) | Conversion::Bool(_) | Conversion::NarrowChar => {
                self.simple_from_native(conversion, v)
            }
            _ => return Err(refused("a value of this type given by native code")),
        })
    }

    /// What [`Self::managed_of`] needs and that is better made before native code is called.
    pub(super) fn prepare(&mut self, conversion: &Conversion) -> Result<Option<Value>> {
        Ok(match conversion {
            Conversion::SafeHandle(ty) | Conversion::CriticalHandle(ty) => {
                if self.ctx.is_abstract(*ty) {
                    return Err(self.ctx.unmarshalable(*ty, "the class is abstract").into());
                }
                let table = self.table(*ty);
                Some(self.helper(HelperId::HandleNew, &[table]))
            }
            Conversion::Custom(number) => Some(self.custom_marshaler(*number)?),
            _ => None,
        })
    }

    /// A native copy of a value, in memory of its own (`CoTaskMem`), for by-ref parameters and results of callbacks.
    pub(super) fn native_copy(
        &mut self,
        conversion: &Conversion,
        v: Value,
        prepared: Option<Value>,
    ) -> Result<Value> {
        Ok(match conversion {
            Conversion::Text(form) => self.text_to_native(v, *form),
            Conversion::Function(_) => self.function_pointer(v)?,
            Conversion::Class(ty) => {
                let table = self.table(*ty);
                self.helper(HelperId::ObjectToNative, &[table, v])
            }
            Conversion::CriticalHandle(_) => self.critical_handle(v)?,
            Conversion::SafeHandle(_) => {
                let handle = self.acquire(v)?;
                self.release(v)?;
                handle
            }
            Conversion::Custom(_) => {
                let marshaler = prepared.ok_or_else(|| refused("a value by custom marshaler"))?;
                self.helper(HelperId::CustomToNative, &[marshaler, v])
            }
            Conversion::Array(a) => {
                let (code, copy) = (self.element_code(a), self.b.i32(1));
                self.helper(HelperId::ArrayToNative, &[v, code, copy])
            }
            Conversion::Scalar(_) | Conversion::Bool(_) | Conversion::NarrowChar => {
                self.simple_to_native(conversion, v)
            }
            _ => return Err(refused("a value of this type passed by reference")),
        })
    }

    /// Frees what native code gave and [`Self::managed_of`] copied.
    pub(super) fn free_given(&mut self, conversion: &Conversion, v: Value) {
        match conversion {
            Conversion::Text(form) => self.free_text(v, *form),
            Conversion::Class(ty) => {
                self.destroy(*ty, v);
                self.free_text(v, TextForm::Utf8);
            }
            _ => {}
        }
    }

    /// Loads a managed value that is no struct.
    pub(super) fn load_managed(&mut self, ty: TypeId, from: Value) -> Result<Value> {
        match self.ctx.value_class(ty)? {
            ValueClass::Scalar(m) => Ok(self.b.load(from, at(0, m))),
            _ => Err(refused("a value of this type")),
        }
    }

    pub(super) fn store_managed(&mut self, ty: TypeId, to: Value, v: Value) -> Result<()> {
        match self.ctx.value_class(ty)? {
            ValueClass::Scalar(MemType::Ref) => self.b.store_ref(to, v, at(0, MemType::Ref)),
            ValueClass::Scalar(m) => self.b.store(to, v, at(0, m)),
            _ => return Err(refused("a value of this type")),
        }
        Ok(())
    }
}

/// Arrays whose length native code says.
impl Converter<'_> {
    /// The number in a parameter that a `SizeParamIndex` names, given its managed value.
    pub(super) fn count_in(&mut self, p: &super::Param, v: Value) -> Result<Value> {
        let (m, v) = match (&p.conversion, self.ctx.kind(p.ty)) {
            (Conversion::Scalar(m), _) => (*m, v),
            (Conversion::ByRef(inner), TypeKind::ByRef(ty)) => match **inner {
                Conversion::Scalar(m) => (m, self.load_managed(ty, v)?),
                _ => return Err(refused("an array whose size parameter is no number")),
            },
            _ => return Err(refused("an array whose size parameter is no number")),
        };
        match m.value_type() {
            Type::I32 => Ok(self.b.sext32(v)),
            Type::I64 => Ok(v),
            _ => Err(refused("an array whose size parameter is no number")),
        }
    }

    /// A new array with the elements at `native`: as many as `given` and the constant say together, one if neither does.
    pub(super) fn new_array(
        &mut self,
        a: &ArrayConversion,
        native: Value,
        given: Option<Value>,
    ) -> Result<Value> {
        if !matches!(self.ctx.kind(a.array), TypeKind::SzArray(_)) {
            return Err(refused("a multi-dimensional array given by native code"));
        }
        let constant = match (a.size_const, given) {
            (None, None) => 1,
            (n, _) => n.unwrap_or(0),
        };
        let constant = self.b.i64(constant.into());
        let count = match given {
            Some(n) => self.b.iadd(n, constant),
            None => constant,
        };
        let (table, code) = (self.table(a.array), self.element_code(a));
        Ok(self.helper(HelperId::ArrayNew, &[table, native, code, count]))
    }
}
