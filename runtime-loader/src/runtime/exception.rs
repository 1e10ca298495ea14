//! Making exception objects for failures the runtime itself detects.

use super::invoke::{self, Arg};
use crate::icall::{Result, Thrown};
use crate::object::{MethodTable, Obj, new_object, string};
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::ir::Failure;
use shared_codegen::types::{Error, Known};
use std::borrow::Cow;

impl From<Error> for Thrown {
    fn from(e: Error) -> Thrown {
        Thrown::about(
            e.exception(),
            e.to_string(),
            e.subject().unwrap_or_default(),
        )
    }
}

impl From<&Failure> for Thrown {
    fn from(f: &Failure) -> Thrown {
        Thrown::about((f.namespace, f.class), f.message.clone(), &f.subject)
    }
}

impl From<crate::jit::CodeMemoryFull> for Thrown {
    fn from(_: crate::jit::CodeMemoryFull) -> Thrown {
        Thrown::out_of_memory()
    }
}

/// The exception object; if it cannot be made, the exception that says why.
pub fn materialize(thrown: Thrown) -> Obj {
    if super::get().options.trace_compile {
        eprintln!("raise {thrown:?}");
    }
    let mut next = thrown;
    for _ in 0..4 {
        match create(next) {
            Ok(object) => return object,
            Err(e) => next = e,
        }
    }
    super::get()
        .objects
        .get()
        .map_or(Obj::NULL, |o| o.out_of_memory.target())
}

fn create(thrown: Thrown) -> Result<Obj> {
    let rt = super::get();
    match thrown {
        Thrown::Object(o) => Ok(o),
        Thrown::New {
            name: "OutOfMemoryException",
            message,
            ..
        } if rt.objects.get().is_some() => Ok(out_of_memory(message)),
        Thrown::New {
            namespace,
            name,
            message,
            second,
        } => {
            let ty = rt.types.require_type(rt.types.corlib(), namespace, name)?;
            let mt = rt.method_table(ty)?;
            // An array on the stack: the collector does not look into the Rust heap.
            let mut texts = [Obj::NULL; 2];
            let given = message.iter().chain(second.iter());
            let mut count = 0;
            for (text, t) in texts.iter_mut().zip(given) {
                *text = string::from_rust(t)?;
                count += 1;
            }
            if (name, count) != ("TypeLoadException", 2) {
                return construct(mt, &texts[..count]);
            }
            // Its constructor for two texts makes the message of the names of type and assembly.
            let object = construct(mt, &texts[..1])?;
            rt.set_field(object, "ClassName", texts[1]);
            Ok(object)
        }
    }
}

/// A new exception if there is memory for one (the allocation that failed may have been a large one), else the one made at start-up.
fn out_of_memory(message: Option<Cow<'static, str>>) -> Obj {
    let rt = super::get();
    let make = || -> Result<Obj> {
        let ty = rt
            .types
            .require_type(rt.types.corlib(), "System", "OutOfMemoryException")?;
        let text = message.map(|m| string::from_rust(&m)).transpose()?;
        construct(rt.method_table(ty)?, text.as_slice())
    };
    let prepared = || {
        rt.objects
            .get()
            .map_or(Obj::NULL, |o| o.out_of_memory.target())
    };
    make().unwrap_or_else(|_| prepared())
}

/// Runs the constructor that takes these strings (fewer if there is none that takes all).
fn construct(mt: &'static MethodTable, texts: &[Obj]) -> Result<Obj> {
    let rt = super::get();
    let string = rt.types.known(Known::String);
    let found = (0..=texts.len()).rev().find_map(|n| {
        rt.types
            .find_constructor(mt.type_id(), &vec![string; n])
            .ok()
            .flatten()
            .map(|c| (n, c))
    });
    let (n, ctor) = found.ok_or_else(|| {
        Thrown::system(
            "MissingMethodException",
            format!("{}..ctor", rt.types.full_name(mt.type_id())),
        )
    })?;
    let object = new_object(mt)?;
    let mut args = [Arg::Ref(object); 3];
    for (arg, t) in args[1..].iter_mut().zip(texts) {
        *arg = Arg::Ref(*t);
    }
    invoke::call(rt.methods.desc(ctor), &args[..=n])?;
    Ok(object)
}

/// `TypeInitializationException` around the failure of a class initializer.
pub fn type_initialization(mt: &'static MethodTable, inner: Thrown) -> Obj {
    let rt = super::get();
    let inner = inner.into_object();
    let make = || -> Result<Obj> {
        let class =
            rt.types
                .require_type(rt.types.corlib(), "System", "TypeInitializationException")?;
        let class = rt.method_table(class)?;
        let exception = rt.types.known(Known::Exception);
        let string_type = rt.types.known(Known::String);
        let missing = || Thrown::Object(inner);
        let ctor = rt
            .types
            .find_constructor(class.type_id(), &[string_type, exception])?
            .ok_or_else(missing)?;
        let object = new_object(class)?;
        let name = string::from_rust(&rt.types.full_name(mt.type_id()))?;
        invoke::call(
            rt.methods.desc(ctor),
            &[Arg::Ref(object), Arg::Ref(name), Arg::Ref(inner)],
        )?;
        Ok(object)
    };
    make().unwrap_or(inner)
}

/// The exception a trap stands for.
pub fn of_trap(kind: TrapKind) -> Thrown {
    match kind {
        TrapKind::NullReference => Thrown::null_reference(),
        TrapKind::IndexOutOfRange => Thrown::bare("System", "IndexOutOfRangeException"),
        TrapKind::DivideByZero => Thrown::bare("System", "DivideByZeroException"),
        TrapKind::Overflow => Thrown::bare("System", "OverflowException"),
        TrapKind::InvalidCast => Thrown::bare("System", "InvalidCastException"),
        TrapKind::Arithmetic => Thrown::bare("System", "ArithmeticException"),
        TrapKind::ArrayTypeMismatch => Thrown::bare("System", "ArrayTypeMismatchException"),
        TrapKind::StackOverflow => Thrown::bare("System", "StackOverflowException"),
        TrapKind::InvalidProgram => Thrown::bare("System", "InvalidProgramException"),
    }
}
