//! `RuntimeModule`.

use super::assembly::{assembly_object, type_objects};
use super::reflection::{field_object, method_object, module_of_handle};
use super::runtime_type::{normal, object_of};
use super::{Result, icalls, managed};
use crate::object::{MethodTable, Obj, array, new_object, string};
use crate::runtime;
use shared_codegen::metadata::{ModuleRow, StandAloneSigRow, TableId, Token, TypeSpecRow};
use shared_codegen::types::{GenericContext, Known, Member, ModuleId, TypeId};

icalls! {
    "System.Reflection.RuntimeModule" {
        "GetGuidInternal" => guid(usize, Obj);
        "GetHINSTANCE" => hinstance(usize) -> isize;
        "GetMDStreamVersion" => stream_version(usize) -> i32;
        "GetPEKind" => pe_kind(usize, *mut i32, *mut i32);
        "GetGlobalType" => global_type(usize) -> Obj;
        "InternalGetTypes" => types(usize) -> Obj;
        "ResolveFieldToken" => resolve_field(usize, u32, Obj, Obj, *mut i32) -> usize;
        "ResolveMethodToken" => resolve_method(usize, u32, Obj, Obj, *mut i32) -> usize;
        "ResolveTypeToken" => resolve_type(usize, u32, Obj, Obj, *mut i32) -> usize;
        "ResolveMemberToken" => resolve_member(usize, u32, Obj, Obj, *mut i32) -> Obj;
        "ResolveSignature" => resolve_signature(usize, u32, *mut i32) -> Obj;
        "ResolveStringToken" => resolve_string(usize, u32, *mut i32) -> Obj;
        "get_MetadataToken" => metadata_token(Obj) -> i32;
    }
}

/// Key of the reflection object of a module.
pub(super) const MODULE_KEY: usize = 3;

/// The `RuntimeModule` of a module.
pub(super) fn module_object(module: ModuleId) -> Result<Obj> {
    let rt = runtime::get();
    let handle = module.0 as usize + 1;
    rt.reflect.get_or_make((handle, MODULE_KEY), || {
        let path = &rt.types.assembly(module).path;
        let file = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let scope = rt
            .types
            .module(module)
            .module_def(ModuleRow(1))
            .map_or("", |m| m.name);
        let o = new_object(rt.known(Known::RuntimeModule))?;
        rt.set_field(o, "_impl", handle);
        rt.set_field(o, "assembly", assembly_object(module)?);
        rt.set_field(o, "fqname", string::from_rust(&path.display().to_string())?);
        rt.set_field(o, "name", string::from_rust(&file)?);
        rt.set_field(o, "scopename", string::from_rust(scope)?);
        rt.set_field(o, "token", ModuleRow(1).token().0 as i32);
        Ok(o)
    })
}

extern "C" fn guid(module: usize, out: Obj) {
    managed(|| {
        let id = runtime::get()
            .types
            .module(module_of_handle(module)?)
            .mvid();
        array::as_mut_slice::<u8>(out)[..16].copy_from_slice(&id);
        Ok(())
    })
}

extern "C" fn metadata_token(_this: Obj) -> i32 {
    ModuleRow(1).token().0 as i32
}

extern "C" fn hinstance(_module: usize) -> isize {
    -1
}

extern "C" fn stream_version(_module: usize) -> i32 {
    0x0002_0000
}

/// `PortableExecutableKinds` and `ImageFileMachine`.
extern "C" fn pe_kind(module: usize, kind: *mut i32, machine: *mut i32) {
    managed(|| {
        let pe = runtime::get().types.module(module_of_handle(module)?).pe();
        let mut kinds = 0;
        for (set, bit) in [
            (pe.cor_flags & 1 != 0, 1),
            (pe.cor_flags & 2 != 0, 2),
            (pe.is_pe32_plus, 4),
        ] {
            if set {
                kinds |= bit;
            }
        }
        // SAFETY: addresses of the caller's variables.
        unsafe {
            kind.write(kinds);
            machine.write(pe.machine.into());
        }
        Ok(())
    })
}

extern "C" fn global_type(module: usize) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        object_of(types.type_def(
            module_of_handle(module)?,
            shared_codegen::metadata::TypeDefRow(1),
        ))
    })
}

extern "C" fn types(module: usize) -> Obj {
    managed(|| type_objects(module_of_handle(module)?, false))
}

/// `ResolveTokenError`
const OUT_OF_RANGE: i32 = 0;
const BAD_TABLE: i32 = 1;

/// Types behind an array of type handles, or none for null.
fn handles(a: Obj) -> Vec<TypeId> {
    let Some(a) = a.non_null() else {
        return Vec::new();
    };
    let tables = array::as_slice::<usize>(a)
        .iter()
        .filter_map(|h| MethodTable::from_handle(*h));
    tables.map(|mt| mt.type_id()).collect()
}

/// What a token stands for, with the reason when it stands for nothing.
fn resolve(
    module: usize,
    token: u32,
    type_args: Obj,
    method_args: Obj,
    error: *mut i32,
) -> Result<Option<Member>> {
    let types = &runtime::get().types;
    let module = module_of_handle(module)?;
    let token = Token(token);
    let known = matches!(
        token.table().0,
        0x01 | 0x02 | 0x04 | 0x06 | 0x0a | 0x1b | 0x2b
    );
    let fail = |code: i32| {
        // SAFETY: the address of the caller's variable.
        unsafe { error.write(code) };
        Ok(None)
    };
    if !known {
        return fail(BAD_TABLE);
    }
    if token.row() == 0 || token.row() > types.module(module).row_count(token.table()) {
        return fail(OUT_OF_RANGE);
    }
    let generics = GenericContext {
        type_args: types.list(&handles(type_args)),
        method_args: types.list(&handles(method_args)),
    };
    Ok(Some(types.resolve_member_token(module, token, generics)?))
}

fn bad_table(error: *mut i32) -> usize {
    // SAFETY: the address of the caller's variable.
    unsafe { error.write(BAD_TABLE) };
    0
}

extern "C" fn resolve_field(
    module: usize,
    token: u32,
    type_args: Obj,
    method_args: Obj,
    error: *mut i32,
) -> usize {
    managed(|| {
        let rt = runtime::get();
        Ok(
            match resolve(module, token, type_args, method_args, error)? {
                Some(Member::Field(f)) => rt.fields.desc(rt, f)?.handle(),
                Some(_) => bad_table(error),
                None => 0,
            },
        )
    })
}

extern "C" fn resolve_method(
    module: usize,
    token: u32,
    type_args: Obj,
    method_args: Obj,
    error: *mut i32,
) -> usize {
    managed(|| {
        Ok(
            match resolve(module, token, type_args, method_args, error)? {
                Some(Member::Method(m)) => runtime::get().methods.desc(m).handle(),
                Some(_) => bad_table(error),
                None => 0,
            },
        )
    })
}

extern "C" fn resolve_type(
    module: usize,
    token: u32,
    type_args: Obj,
    method_args: Obj,
    error: *mut i32,
) -> usize {
    managed(|| {
        Ok(
            match resolve(module, token, type_args, method_args, error)? {
                Some(Member::Type(t)) => runtime::get().method_table(normal(t))?.handle(),
                Some(_) => bad_table(error),
                None => 0,
            },
        )
    })
}

extern "C" fn resolve_member(
    module: usize,
    token: u32,
    type_args: Obj,
    method_args: Obj,
    error: *mut i32,
) -> Obj {
    managed(|| {
        let rt = runtime::get();
        match resolve(module, token, type_args, method_args, error)? {
            Some(Member::Type(t)) => object_of(t),
            Some(Member::Method(m)) => method_object(m),
            Some(Member::Field(f)) => {
                field_object(f, rt.method_table(normal(rt.types.field_owner(f)))?)
            }
            None => Ok(Obj::NULL),
        }
    })
}

extern "C" fn resolve_signature(module: usize, token: u32, error: *mut i32) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let md = rt.types.module(module_of_handle(module)?);
        let token = Token(token);
        let blob = match token.table() {
            TableId(0x11) => md
                .stand_alone_sig(StandAloneSigRow(token.row()))
                .map(|s| s.signature),
            TableId(0x1b) => md.type_spec(TypeSpecRow(token.row())).map(|s| s.signature),
            TableId(0x06) => md.method_def(token.row().into()).map(|s| s.signature),
            TableId(0x0a) => md.member_ref(token.row().into()).map(|s| s.signature),
            TableId(0x04) => md.field(token.row().into()).map(|s| s.signature),
            _ => {
                bad_table(error);
                return Ok(Obj::NULL);
            }
        };
        let Ok(blob) = blob else { return Ok(Obj::NULL) };
        let a = array::allocate(
            rt.method_table(rt.types.sz_array(rt.types.known(Known::Byte)))?,
            blob.len(),
        )?;
        array::as_mut_slice::<u8>(a).copy_from_slice(blob);
        Ok(a)
    })
}

extern "C" fn resolve_string(module: usize, token: u32, error: *mut i32) -> Obj {
    managed(|| {
        let rt = runtime::get();
        if Token(token).table().0 != 0x70 {
            bad_table(error);
            return Ok(Obj::NULL);
        }
        match rt.string_literal(module_of_handle(module)?, token) {
            Ok(s) => Ok(s),
            Err(_) => Ok(Obj::NULL),
        }
    })
}
