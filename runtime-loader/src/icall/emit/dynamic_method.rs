//! `DynamicMethod`: a method without a type of its own.
//!
//! All of them are static methods of one module. Tokens in their IL are numbers of objects in `refs`; they are replaced by
//! tokens of that module, so the importer sees an ordinary method.

use super::{body, growth, members, reference, signature, text, tokens};
use crate::icall::{Result, Thrown, icalls, managed};
use crate::object::{Obj, array};
use crate::runtime;
use shared_codegen::metadata::{MethodDef, MethodDefRow, Token, TypeDefRow, sig_write};
use shared_codegen::types::{Known, Member, MethodId, ModuleId};

icalls! {
    "System.Reflection.Emit.DynamicMethod" {
        "create_dynamic_method" => create(Obj);
    }
}

/// `public static`
const FLAGS: u16 = 0x16;

/// Takes the place of a method's address.
const HANDLE: &str = "mhandle";

extern "C" fn create(method: Obj) {
    managed(|| {
        let rt = runtime::get();
        let module = rt.emit.methods_module(rt);
        let row = growth(module)?.reserve::<MethodDefRow>();
        let owner = rt.types.type_def(module, TypeDefRow(1));
        let id = rt.types.method_of(owner, row);
        write(method, module, row, id)?;
        let owner = match reference(method, "owner") {
            Some(owner) => members::definition_of(owner)?,
            None => rt.types.known(Known::Object),
        };
        let owner = rt.types.full_name(owner);
        rt.emit.owners.lock().insert(id, owner);
        rt.set_field(method, HANDLE, rt.methods.desc(id).handle());
        Ok(())
    });
}

/// Writes the row of the method.
fn write(method: Obj, module: ModuleId, row: MethodDefRow, id: MethodId) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(module)?;
    growth.set_owner(row.token(), TypeDefRow(1));
    let ret = signature::type_or_void_sig(module, reference(method, "returnType"))?;
    let params = signature::parameters(module, method, "parameters", None)?;
    let sig = signature::method_sig(0, ret, params);
    let generator = reference(method, "ilgen").ok_or_else(Thrown::null_reference)?;
    let init_locals = rt.get_field::<u8>(method, "init_locals") != 0;
    let refs = reference(method, "refs");
    let mut map = |token: Token| match token_object(refs, token) {
        Some(o) if o == method => Ok(rt.types.token_for(module, Member::Method(id))),
        Some(o) => tokens::of_object(module, o, false),
        None => Err(Thrown::bare("System", "BadImageFormatException")),
    };
    let rva = body::from_generator(module, generator, init_locals, Some(&mut map))?;
    growth.set(
        row,
        &MethodDef {
            rva,
            impl_flags: 0,
            flags: FLAGS,
            name: growth.text(&text(method, "name")),
            signature: growth.bytes(&sig_write::method_blob(&sig)),
            param_list: 0.into(),
        },
    );
    Ok(())
}

/// The object a token of a dynamic method means.
fn token_object(refs: Option<Obj>, token: Token) -> Option<Obj> {
    let index = (token.0 as usize).checked_sub(1)?;
    let refs = refs.filter(|r| index < array::len(*r))?;
    array::get::<Obj>(refs, index).non_null()
}
