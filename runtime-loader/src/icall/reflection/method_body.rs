//! `MethodBody` objects.

use super::{method_of_handle, object_array, shown_context};
use crate::icall::runtime_type::object_of;
use crate::icall::{Result, icalls, managed};
use crate::object::{Obj, array, new_object};
use crate::runtime;
use shared_codegen::il::{ClauseKind, EhClause, MethodBody};
use shared_codegen::types::{GenericContext, Known, Local, ModuleId};

icalls! {
    "System.Reflection.RuntimeMethodInfo" {
        "GetMethodBodyInternal" => method_body(usize) -> Obj;
    }
}

extern "C" fn method_body(handle: usize) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let method = method_of_handle(handle)?.method;
        let rva = rt.types.method_rva(method);
        if rva == 0 {
            return Ok(Obj::NULL);
        }
        let module = rt.types.method_module(method);
        let body = MethodBody::parse(rt.types.module(module), rva)
            .map_err(shared_codegen::types::Error::from)?;
        let owner = rt.types.method_owner(method);
        let shown = shown_context(owner, Some(method));
        let own = rt.types.generic_context(method);
        let generics = GenericContext {
            type_args: if shown.type_args.is_empty() {
                own.type_args
            } else {
                shown.type_args
            },
            method_args: if shown.method_args.is_empty() {
                own.method_args
            } else {
                shown.method_args
            },
        };
        let o = new_object(rt.known(Known::MethodBody))?;
        let il = array::allocate(
            rt.method_table(rt.types.sz_array(rt.types.known(Known::Byte)))?,
            body.code.len(),
        )?;
        array::as_mut_slice::<u8>(il).copy_from_slice(body.code);
        rt.set_field(o, "il", il);
        rt.set_field(o, "init_locals", u8::from(body.init_locals));
        rt.set_field(o, "sig_token", body.locals.0 as i32);
        rt.set_field(o, "max_stack", i32::from(body.max_stack));
        let locals = rt.types.locals(module, body.locals, generics)?;
        rt.set_field(o, "locals", locals_array(&locals)?);
        rt.set_field(
            o,
            "clauses",
            clauses_array(module, &body.clauses, generics)?,
        );
        Ok(o)
    })
}

fn locals_array(locals: &[Local]) -> Result<Obj> {
    let rt = runtime::get();
    let class = rt.known(Known::LocalVariableInfo);
    let a = object_array(rt, class.type_id(), &vec![Obj::NULL; locals.len()])?;
    for (n, local) in locals.iter().enumerate() {
        let o = new_object(class)?;
        array::set(a, n, o);
        rt.set_field(o, "type", object_of(local.ty)?);
        rt.set_field(o, "is_pinned", u8::from(local.pinned));
        rt.set_field(o, "position", n as u16);
    }
    Ok(a)
}

fn clauses_array(module: ModuleId, clauses: &[EhClause], generics: GenericContext) -> Result<Obj> {
    let rt = runtime::get();
    let class = rt.known(Known::ExceptionHandlingClause);
    let a = object_array(rt, class.type_id(), &vec![Obj::NULL; clauses.len()])?;
    for (n, clause) in clauses.iter().enumerate() {
        let o = new_object(class)?;
        array::set(a, n, o);
        let flags = match clause.kind {
            ClauseKind::Catch(token) => {
                rt.set_field(
                    o,
                    "catch_type",
                    object_of(rt.types.resolve_type(module, token, generics)?)?,
                );
                0
            }
            ClauseKind::Filter(at) => {
                rt.set_field(o, "filter_offset", at as i32);
                1
            }
            ClauseKind::Finally => 2,
            ClauseKind::Fault => 4,
        };
        rt.set_field(o, "flags", flags);
        rt.set_field(o, "try_offset", clause.try_start as i32);
        rt.set_field(o, "try_length", (clause.try_end - clause.try_start) as i32);
        rt.set_field(o, "handler_offset", clause.handler_start as i32);
        rt.set_field(
            o,
            "handler_length",
            (clause.handler_end - clause.handler_start) as i32,
        );
    }
    Ok(a)
}
