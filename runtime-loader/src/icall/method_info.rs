//! Methods and constructors of types, parameters, invocation.

use super::runtime_type::{object_of, table};
use super::{Result, Thrown, icalls, managed};
use crate::object::{MethodDesc, MethodTable, Obj, array, new_object, string};
use crate::runtime::invoke::{self, Arg};
use crate::runtime::{self, cast};
use shared_codegen::abi::layout::method_table as l;
use shared_codegen::ir::MemType;
use shared_codegen::types::{Known, MethodId, TypeId, TypeKind, ValueClass};

icalls! {
    "System.RuntimeType" {
        "GetConstructors_native" => constructors(Obj, i32) -> *mut PointerArray;
    }
    "Mono.RuntimeGPtrArrayHandle" {
        "GPtrArrayFree" => free_pointer_array(*mut PointerArray);
    }
    "Mono.SafeStringMarshal" {
        "GFree" => free(*mut u8);
        "StringToUtf8" => string_to_utf8(Obj) -> *mut u8;
    }
    "System.Reflection.MonoMethodInfo" {
        "get_method_attributes" => method_attributes(usize) -> i32;
        "get_method_info" => method_info(usize, *mut MethodInfoData);
        "get_parameter_info" => parameter_info(usize, Obj) -> Obj;
    }
    "System.Reflection.RuntimeMethodInfo" {
        "GetMethodFromHandleInternalType_native" => method_from_handle(usize, usize, bool) -> Obj;
        "InternalInvoke" => invoke_method(Obj, Obj, Obj, *mut Obj) -> Obj;
        "get_name" => method_name(Obj) -> Obj;
        "get_IsGenericMethod" => is_generic_method(Obj) -> bool;
    }
    "System.Reflection.RuntimeConstructorInfo" {
        "InternalInvoke" => invoke_method(Obj, Obj, Obj, *mut Obj) -> Obj;
    }
}

/// `Mono.RuntimeStructs.GPtrArray`: freed by the managed side.
#[repr(C)]
pub struct PointerArray {
    data: *mut usize,
    len: i32,
}

/// A block that [`free_pointer_array`] frees.
pub(super) fn pointer_array(items: &[usize]) -> *mut PointerArray {
    let data = items.to_vec().into_boxed_slice();
    let len = data.len() as i32;
    Box::into_raw(Box::new(PointerArray {
        data: Box::into_raw(data).cast(),
        len,
    }))
}

extern "C" fn free_pointer_array(a: *mut PointerArray) {
    if a.is_null() {
        return;
    }
    // SAFETY: made by `pointer_array`, freed once by the handle that owns it.
    unsafe {
        let a = Box::from_raw(a);
        drop(Box::from_raw(core::ptr::slice_from_raw_parts_mut(
            a.data,
            a.len as usize,
        )));
    }
}

extern "C" fn free(p: *mut u8) {
    // SAFETY: from `string_to_utf8`, which uses the C allocator.
    unsafe { libc::free(p.cast()) };
}

extern "C" fn string_to_utf8(s: Obj) -> *mut u8 {
    if s.is_null() {
        core::ptr::null_mut()
    } else {
        crate::interop::native_string(&string::to_rust(s))
    }
}

/// `BindingFlags`
mod flags {
    pub(super) const INSTANCE: i32 = 4;
    pub(super) const STATIC: i32 = 8;
    pub(super) const PUBLIC: i32 = 16;
    pub(super) const NON_PUBLIC: i32 = 32;
}

/// Visibility and kind of a member fit the flags.
fn fits(binding: i32, public: bool, is_static: bool) -> bool {
    let visible = if public {
        flags::PUBLIC
    } else {
        flags::NON_PUBLIC
    };
    let kind = if is_static {
        flags::STATIC
    } else {
        flags::INSTANCE
    };
    binding & visible != 0 && binding & kind != 0
}

extern "C" fn constructors(this: Obj, binding: i32) -> *mut PointerArray {
    managed(|| {
        let rt = runtime::get();
        let ty = table(this)?.type_id();
        let fitting = |m: &MethodId| {
            let name = rt.types.method_name(*m);
            matches!(name, ".ctor" | ".cctor")
                && fits(
                    binding,
                    rt.types.method_is_public(*m),
                    rt.types.method_is_static(*m),
                )
        };
        let found: Vec<usize> = rt
            .types
            .methods(ty)?
            .into_iter()
            .filter(fitting)
            .map(|m| rt.methods.desc(m).handle())
            .collect();
        Ok(pointer_array(&found))
    })
}

fn desc(handle: usize) -> Result<&'static MethodDesc> {
    MethodDesc::from_handle(handle).ok_or_else(|| Thrown::argument_null("handle"))
}

extern "C" fn method_attributes(handle: usize) -> i32 {
    managed(|| {
        Ok(runtime::get()
            .types
            .method_def(desc(handle)?.method)
            .map_or(0, |d| d.flags.into()))
    })
}

/// `System.Reflection.MonoMethodInfo`
#[repr(C)]
pub struct MethodInfoData {
    parent: Obj,
    ret: Obj,
    attrs: i32,
    impl_attrs: i32,
    call_conv: i32,
}

extern "C" fn method_info(handle: usize, out: *mut MethodInfoData) {
    managed(|| {
        let rt = runtime::get();
        let method = desc(handle)?.method;
        let signature = rt.types.method_signature(method)?;
        let def = rt.types.method_def(method);
        let data = MethodInfoData {
            parent: object_of(rt.types.method_owner(method))?,
            ret: object_of(signature.ret)?,
            attrs: def.map_or(0, |d| d.flags.into()),
            impl_attrs: def.map_or(0, |d| d.impl_flags.into()),
            call_conv: 1 | if signature.has_this { 0x20 } else { 0 },
        };
        // SAFETY: the address of the caller's struct.
        unsafe { out.write(data) };
        Ok(())
    })
}

extern "C" fn parameter_info(handle: usize, member: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let method = desc(handle)?.method;
        let signature = rt.types.method_signature(method)?;
        let module = rt.types.module(rt.types.method_module(method));
        let rows: Vec<_> = module
            .params_of(rt.types.method_row(method))
            .filter_map(|r| module.param(r).ok())
            .collect();
        let class = rt.types.known(Known::ParameterInfo);
        let a = array::allocate(
            rt.method_table(rt.types.sz_array(class))?,
            signature.params.len(),
        )?;
        for (n, ty) in signature.params.iter().enumerate() {
            let row = rows.iter().find(|r| usize::from(r.sequence) == n + 1);
            let p = new_object(rt.known(Known::RuntimeParameterInfo))?;
            rt.set_field(p, "ClassImpl", object_of(*ty)?);
            rt.set_field(p, "PositionImpl", n as i32);
            rt.set_field(p, "MemberImpl", member);
            rt.set_field(p, "AttrsImpl", row.map_or(0, |r| i32::from(r.flags)));
            if let Some(r) = row {
                rt.set_field(p, "NameImpl", string::from_rust(r.name)?);
            }
            array::set(a, n, p);
        }
        Ok(a)
    })
}

extern "C" fn method_from_handle(method: usize, ty: usize, _generic_check: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let d = desc(method)?;
        let reflected = match MethodTable::from_handle(ty) {
            Some(mt) => mt,
            None => rt.method_table(rt.types.method_owner(d.method))?,
        };
        rt.method_object(d, reflected)
    })
}

extern "C" fn method_name(method: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        string::from_rust(
            rt.types
                .method_name(desc(rt.get_field(method, "mhandle"))?.method),
        )
    })
}

extern "C" fn is_generic_method(method: Obj) -> bool {
    managed(|| {
        let rt = runtime::get();
        Ok(rt
            .types
            .generic_param_count(desc(rt.get_field(method, "mhandle"))?.method)
            > 0)
    })
}

extern "C" fn invoke_method(info: Obj, this: Obj, args: Obj, exception: *mut Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        // SAFETY: the address of the caller's variable.
        unsafe { exception.write(Obj::NULL) };
        let d = desc(rt.get_field(info, "mhandle"))?;
        invoke_with_objects(d, this, args)
    })
}

/// Calls a method with boxed arguments; boxes the result. A constructor without `this` makes the object.
fn invoke_with_objects(d: &'static MethodDesc, this: Obj, args: Obj) -> Result<Obj> {
    let rt = runtime::get();
    let signature = *rt.types.method_signature(d.method)?;
    let mut target = d;
    let mut made = Obj::NULL;
    let mut operands = Vec::new();
    if signature.has_this {
        let owner = rt.method_table(rt.types.method_owner(d.method))?;
        let mut receiver = this;
        if this.is_null() {
            if !rt.types.method_is_constructor(d.method) {
                return Err(Thrown::of(
                    "System.Reflection",
                    "TargetException",
                    "Non-static method requires a target.",
                ));
            }
            made = new_object(owner)?;
            receiver = made;
        } else if rt.types.method_is_virtual(d.method) {
            target = rt.methods.resolve_virtual(rt, this, d.method)?;
        }
        let by_address = rt.types.is_value_type(rt.types.method_owner(target.method));
        operands.push(if by_address {
            Arg::Word(receiver.data() as u64)
        } else {
            Arg::Ref(receiver)
        });
    } else {
        rt.class_init
            .ensure(rt.method_table(rt.types.method_owner(d.method))?)?;
    }
    let ret = rt.types.value_class(signature.ret)?;
    let mut buffer = vec![
        0u64;
        if let ValueClass::Struct { size, .. } = ret {
            size.div_ceil(8) as usize
        } else {
            0
        }
    ];
    if !buffer.is_empty() {
        operands.push(Arg::Word(buffer.as_mut_ptr() as u64));
    }
    let mut copies: Vec<Vec<u64>> = Vec::new();
    for (n, ty) in signature.params.iter().enumerate() {
        let value = if args.is_null() {
            Obj::NULL
        } else {
            array::get::<Obj>(args, n)
        };
        operands.push(argument(value, *ty, &mut copies)?);
    }
    let result = invoke::call(target, &operands)?;
    if !made.is_null() {
        return Ok(made);
    }
    box_result(signature.ret, ret, result, &buffer)
}

/// A boxed argument as the callee wants it.
fn argument(value: Obj, ty: TypeId, copies: &mut Vec<Vec<u64>>) -> Result<Arg> {
    let rt = runtime::get();
    Ok(match rt.types.value_class(ty)? {
        ValueClass::Scalar(MemType::Ref) => Arg::Ref(value),
        ValueClass::Scalar(MemType::ByRef) => match rt.types.kind(ty) {
            TypeKind::ByRef(e) if rt.types.is_value_type(e) => Arg::Word(value.data() as u64),
            _ => {
                return Err(Thrown::not_supported(
                    "reflection invocation with a by-reference argument of reference type",
                ));
            }
        },
        ValueClass::Scalar(m) if value.is_null() => match m {
            MemType::F32 => Arg::F32(0.0),
            MemType::F64 => Arg::F64(0.0),
            _ => Arg::Word(0),
        },
        ValueClass::Scalar(m) => {
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
        ValueClass::Struct { size, .. } => {
            let mut copy = vec![0u64; (size.div_ceil(8) as usize).max(1)];
            let to = copy.as_mut_ptr().cast::<u8>();
            if rt.types.is_nullable(ty) {
                cast::unbox_nullable(rt.method_table(ty)?, value, to)?;
            } else if !value.is_null() {
                // SAFETY: the copy has room for the value in the box.
                unsafe { core::ptr::copy_nonoverlapping(value.data(), to, size as usize) };
            }
            let address = copy.as_ptr() as u64;
            copies.push(copy);
            Arg::Word(address)
        }
        ValueClass::Void => Arg::Word(0),
    })
}

fn box_result(
    ty: TypeId,
    class: ValueClass,
    result: invoke::Returned,
    buffer: &[u64],
) -> Result<Obj> {
    let rt = runtime::get();
    Ok(match class {
        ValueClass::Void => Obj::NULL,
        ValueClass::Scalar(MemType::Ref) => result.object(),
        ValueClass::Scalar(m) => {
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
        ValueClass::Struct { .. } => cast::box_value(rt.method_table(ty)?, buffer.as_ptr().cast())?,
    })
}
