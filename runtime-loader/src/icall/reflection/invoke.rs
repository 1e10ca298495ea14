//! Calling methods with boxed arguments.
//!
//! Everything that must survive a collection before the call is kept in an `object[]`: copies of structs,
//! fresh boxes for by-reference values, the return buffer.

use super::{method_of, object_array};
use crate::icall::{Result, Thrown, icalls, managed};
use crate::object::{MethodDesc, MethodTable, Obj, array, new_object};
use crate::runtime::invoke::{self, Arg};
use crate::runtime::{self, cast};
use shared_codegen::abi::layout::method_table as l;
use shared_codegen::ir::MemType;
use shared_codegen::types::{
    ArrayMethod, Known, MethodKind, MethodSignature, TypeId, TypeKind, ValueClass,
};

icalls! {
    "System.Reflection.RuntimeMethodInfo" {
        "InternalInvoke" => invoke_method(Obj, Obj, Obj, *mut Obj) -> Obj;
    }
    "System.Reflection.RuntimeConstructorInfo" {
        "InternalInvoke" => invoke_method(Obj, Obj, Obj, *mut Obj) -> Obj;
    }
}

extern "C" fn invoke_method(info: Obj, this: Obj, args: Obj, exception: *mut Obj) -> Obj {
    managed(|| {
        // SAFETY: the address of the caller's variable.
        unsafe { exception.write(Obj::NULL) };
        invoke_with_objects(method_of(info)?, this, args)
    })
}

/// Arguments of a call while they are collected.
struct Operands {
    args: Vec<Arg>,
    /// Keeps boxes alive.
    keep: Obj,
    kept: usize,
}

impl Operands {
    fn new(params: usize) -> Result<Operands> {
        let rt = runtime::get();
        let keep = object_array(
            rt,
            rt.types.known(Known::Object),
            &vec![Obj::NULL; params + 2],
        )?;
        Ok(Operands {
            args: Vec::with_capacity(params + 2),
            keep,
            kept: 0,
        })
    }

    /// A fresh box that lives until the call is over.
    fn fresh_box(&mut self, mt: &'static MethodTable) -> Result<Obj> {
        let made = new_object(mt)?;
        array::set(self.keep, self.kept, made);
        self.kept += 1;
        Ok(made)
    }
}

/// Calls a method with boxed arguments; boxes the result. A constructor without `this` makes the object.
pub(in crate::icall) fn invoke_with_objects(
    d: &'static MethodDesc,
    this: Obj,
    args: Obj,
) -> Result<Obj> {
    let rt = runtime::get();
    if let MethodKind::Array {
        array: ty,
        op: ArrayMethod::Ctor(_),
    } = rt.types.method_kind(d.method)
    {
        return construct_array(rt.method_table(ty)?, args);
    }
    let signature = *rt.types.method_signature(d.method)?;
    if signature.is_vararg() {
        return Err(Thrown::system(
            "NotSupportedException",
            "Methods with a variable argument list cannot be invoked through reflection.",
        ));
    }
    let owner = rt.types.method_owner(d.method);
    if owner == rt.types.known(Known::String) && rt.types.method_is_constructor(d.method) {
        return construct_string(&signature, args);
    }
    let mut operands = Operands::new(signature.params.len())?;
    let mut target = d;
    let mut made = Obj::NULL;
    if signature.has_this {
        let receiver = match (this.is_null(), rt.types.method_is_constructor(d.method)) {
            (false, _) => this,
            (true, true) => {
                made = new_object(rt.method_table(owner)?)?;
                made
            }
            (true, false) => return Err(no_target()),
        };
        if !this.is_null() && rt.types.method_is_virtual(d.method) {
            target = rt.methods.resolve_virtual(rt, this, d.method)?;
        }
        let by_address = rt.types.is_value_type(rt.types.method_owner(target.method));
        operands.args.push(if by_address {
            Arg::Word(receiver.data() as u64)
        } else {
            Arg::Ref(receiver)
        });
    } else {
        rt.class_init.ensure(rt.method_table(owner)?)?;
    }
    let result = call(target, &signature, args, &mut operands)?;
    core::hint::black_box((args, this));
    match made.non_null() {
        // A nullable value has no box of its own.
        Some(made) if rt.types.is_nullable(owner) => {
            cast::box_value(made.method_table(), made.data())
        }
        Some(made) => Ok(made),
        None => Ok(result),
    }
}

fn no_target() -> Thrown {
    Thrown::of(
        "System.Reflection",
        "TargetException",
        "Non-static method requires a target.",
    )
}

fn call(
    target: &'static MethodDesc,
    signature: &MethodSignature,
    args: Obj,
    operands: &mut Operands,
) -> Result<Obj> {
    let rt = runtime::get();
    let ret = rt.types.value_class(signature.ret)?;
    let mut buffer = Obj::NULL;
    if let ValueClass::Struct { .. } = ret {
        buffer = operands.fresh_box(rt.method_table(signature.ret)?)?;
        operands.args.push(Arg::Word(buffer.data() as u64));
    }
    let mut write_back = Vec::new();
    for (n, ty) in signature.params.iter().enumerate() {
        if let TypeKind::ByRef(e) = rt.types.kind(*ty) {
            let word = by_reference(args, n, e, operands, &mut write_back)?;
            operands.args.push(word);
        } else {
            let value = array::get::<Obj>(args, n);
            let word = argument(value, *ty, operands)?;
            operands.args.push(word);
        }
    }
    let result = invoke::call(target, &operands.args)?;
    for (n, holder, ty) in write_back {
        let holder = array::get::<Obj>(operands.keep, holder);
        let value = match rt.types.is_nullable(ty) {
            true => cast::box_value(holder.method_table(), holder.data())?,
            false => holder,
        };
        array::set(args, n, value);
    }
    let result = box_result(signature.ret, ret, result, buffer);
    core::hint::black_box(operands.keep);
    result
}

/// A by-reference argument: references are changed in the argument array itself, values in a fresh box that is
/// stored there afterwards.
fn by_reference(
    args: Obj,
    n: usize,
    element: TypeId,
    operands: &mut Operands,
    write_back: &mut Vec<(usize, usize, TypeId)>,
) -> Result<Arg> {
    let rt = runtime::get();
    if !rt.types.is_value_type(element) {
        return Ok(Arg::Word(array::element(args, n) as u64));
    }
    let value = array::get::<Obj>(args, n);
    let holder = operands.fresh_box(rt.method_table(element)?)?;
    fill(holder, value, element)?;
    write_back.push((n, operands.kept - 1, element));
    Ok(Arg::Word(holder.data() as u64))
}

/// Copies a boxed value (or null: zero) into a box of type `ty`.
fn fill(holder: Obj, value: Obj, ty: TypeId) -> Result<()> {
    let rt = runtime::get();
    if rt.types.is_nullable(ty) {
        return cast::unbox_nullable(rt.method_table(ty)?, value, holder.data());
    }
    if !value.is_null() {
        let size = rt.types.value_size(ty)? as usize;
        let size = size.min(cast::value_size(value.method_table()));
        // SAFETY: both boxes hold at least `size` bytes.
        unsafe { core::ptr::copy_nonoverlapping(value.data(), holder.data(), size) };
    }
    Ok(())
}

/// A boxed argument as the callee wants it.
fn argument(value: Obj, ty: TypeId, operands: &mut Operands) -> Result<Arg> {
    let rt = runtime::get();
    Ok(match rt.types.value_class(ty)? {
        ValueClass::Scalar(MemType::Ref) => Arg::Ref(value),
        ValueClass::Scalar(_) if value.is_null() => zero(rt.types.value_class(ty)?),
        ValueClass::Scalar(_)
            if value.method_table().type_id() == rt.types.known(Known::Pointer) =>
        {
            Arg::Word(rt.get_field::<usize>(value, "_ptr") as u64)
        }
        ValueClass::Scalar(m) => scalar(value, m),
        ValueClass::Struct { .. } => {
            let copy = operands.fresh_box(rt.method_table(ty)?)?;
            fill(copy, value, ty)?;
            Arg::Word(copy.data() as u64)
        }
        ValueClass::Void => Arg::Word(0),
    })
}

fn zero(class: ValueClass) -> Arg {
    match class {
        ValueClass::Scalar(MemType::F32) => Arg::F32(0.0),
        ValueClass::Scalar(MemType::F64) => Arg::F64(0.0),
        _ => Arg::Word(0),
    }
}

/// The register image of a boxed primitive or enum.
fn scalar(value: Obj, m: MemType) -> Arg {
    let at = shared_codegen::abi::layout::object::HEADER;
    match m {
        MemType::I8 => Arg::Word(i64::from(value.get::<i8>(at)) as u64),
        MemType::U8 => Arg::Word(value.get::<u8>(at).into()),
        MemType::I16 => Arg::Word(i64::from(value.get::<i16>(at)) as u64),
        MemType::U16 => Arg::Word(value.get::<u16>(at).into()),
        MemType::I32 => Arg::Word(i64::from(value.get::<i32>(at)) as u64),
        MemType::F32 => Arg::F32(value.get(at)),
        MemType::F64 => Arg::F64(value.get(at)),
        _ => Arg::Word(value.get(at)),
    }
}

fn box_result(ty: TypeId, class: ValueClass, result: invoke::Returned, buffer: Obj) -> Result<Obj> {
    let rt = runtime::get();
    Ok(match (class, rt.types.kind(ty)) {
        (ValueClass::Void, _) => Obj::NULL,
        (ValueClass::Scalar(MemType::Ref), _) => result.object(),
        (_, TypeKind::Ptr(_)) => {
            let boxed = new_object(rt.known(Known::Pointer))?;
            rt.set_field(boxed, "_ptr", result.word as usize);
            rt.set_field(
                boxed,
                "_ptrType",
                crate::icall::runtime_type::object_of(ty)?,
            );
            boxed
        }
        (ValueClass::Scalar(m), _) => {
            let bits = if m.value_type().is_float() {
                result.float
            } else {
                result.word
            };
            let mt = rt.method_table(ty)?;
            if mt.has(l::FLAG_VALUE_TYPE) {
                cast::box_value(mt, core::ptr::from_ref(&bits).cast())?
            } else {
                Obj::NULL
            }
        }
        (ValueClass::Struct { .. }, _) if rt.types.is_nullable(ty) => {
            cast::box_value(rt.method_table(ty)?, buffer.data())?
        }
        (ValueClass::Struct { .. }, _) => buffer,
    })
}

fn construct_array(mt: &'static MethodTable, args: Obj) -> Result<Obj> {
    let at = shared_codegen::abi::layout::object::HEADER;
    let lengths: Vec<i32> = array::as_slice::<Obj>(args)
        .iter()
        .map(|a| a.get::<i32>(at))
        .collect();
    array::construct(mt, &lengths)
}

/// `new String(…)`: the `CreateString` method with the same parameters.
fn construct_string(signature: &MethodSignature, args: Obj) -> Result<Obj> {
    let rt = runtime::get();
    let string = rt.types.known(Known::String);
    let same = |m: &shared_codegen::types::MethodId| {
        rt.types.method_name(*m) == "CreateString"
            && rt
                .types
                .method_signature(*m)
                .is_ok_and(|s| s.params == signature.params)
    };
    let found = rt.types.methods(string)?.into_iter().find(same);
    let found =
        found.ok_or_else(|| Thrown::system("MissingMethodException", "String.CreateString"))?;
    let signature = *rt.types.method_signature(found)?;
    let mut operands = Operands::new(signature.params.len())?;
    if signature.has_this {
        operands.args.push(Arg::Ref(Obj::NULL));
    }
    call(rt.methods.desc(found), &signature, args, &mut operands)
}
