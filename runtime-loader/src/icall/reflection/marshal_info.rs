//! `MarshalAsAttribute` objects from the FieldMarshal table.

use super::parameter::param_row;
use super::{field_of, method_of_handle};
use crate::icall::{Result, icalls, managed};
use crate::object::{Obj, new_object, string};
use crate::runtime;
use shared_codegen::metadata::Token;
use shared_codegen::metadata::marshal::{self, MarshalSpec, NativeType};
use shared_codegen::types::{Known, ModuleId};

icalls! {
    "System.Reflection.FieldInfo" {
        "get_marshal_info" => of_field(Obj) -> Obj;
    }
}

pub(super) extern "C" fn of_result(handle: usize) -> Obj {
    managed(|| {
        let desc = method_of_handle(handle)?;
        let module = runtime::get().types.method_module(desc.method);
        match param_row(desc, 0) {
            Some((row, _)) => of_token(module, row.token()),
            None => Ok(Obj::NULL),
        }
    })
}

extern "C" fn of_field(field: Obj) -> Obj {
    managed(|| {
        let kind = runtime::get().types.field_kind(field_of(field)?.field);
        of_token(kind.module, kind.row.token())
    })
}

/// `ArraySubType` when the metadata says nothing.
const NOT_GIVEN: i32 = 0x50;

/// The attribute of a field or parameter, null if it has none.
pub(super) fn of_token(module: ModuleId, token: Token) -> Result<Obj> {
    let rt = runtime::get();
    let Some(blob) = rt.types.module(module).field_marshal_of(token) else {
        return Ok(Obj::NULL);
    };
    let spec = marshal::parse(blob).map_err(shared_codegen::types::Error::from)?;
    let o = new_object(rt.known(Known::MarshalAsAttribute))?;
    let number = |n: &NativeType| n.0 as i32;
    let set = |name: &'static str, value: i32| rt.set_field(o, name, value);
    match &spec {
        MarshalSpec::Simple(n) => set("utype", number(n)),
        MarshalSpec::FixedString(size) => {
            set("utype", 0x17);
            set("SizeConst", *size as i32);
        }
        MarshalSpec::FixedArray { count, element } => {
            set("utype", 0x1e);
            set("SizeConst", *count as i32);
            set("ArraySubType", element.as_ref().map_or(NOT_GIVEN, number));
        }
        MarshalSpec::Array {
            element,
            size_param,
            size_const,
        } => {
            set("utype", 0x2a);
            set("ArraySubType", element.as_ref().map_or(NOT_GIVEN, number));
            set("SizeConst", size_const.unwrap_or(0) as i32);
            rt.set_field(o, "SizeParamIndex", size_param.unwrap_or(0) as i16);
        }
        MarshalSpec::SafeArray { variant, .. } => {
            set("utype", 0x1d);
            set("SafeArraySubType", *variant as i32);
        }
        MarshalSpec::Interface { native, iid_param } => {
            set("utype", number(native));
            set("IidParameterIndex", iid_param.unwrap_or(0) as i32);
        }
        MarshalSpec::Custom { marshaler, cookie } => {
            set("utype", 0x2c);
            rt.set_field(o, "MarshalType", string::from_rust(marshaler)?);
            rt.set_field(o, "MarshalCookie", string::from_rust(cookie)?);
        }
    }
    Ok(o)
}
