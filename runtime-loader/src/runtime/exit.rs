//! The end of the process: unhandled exceptions, exit codes, the order of things at exit.

use super::{Runtime, invoke};
use crate::icall::Result;
use crate::image::NotFromImage;
use crate::object::{Obj, string};
use shared_codegen::types::{Known, MethodId};
use std::io::Write;

/// Exit status for an unhandled exception.
const UNHANDLED: i32 = 1;

/// Text of an exception by its virtual `ToString`, or what can be said without running code.
pub fn describe(exception: Obj) -> String {
    let rt = super::get();
    let by_code = || -> Result<String> {
        let to_string =
            rt.types
                .find_method_with(rt.types.known(Known::Object), "ToString", &[])?;
        let Some(m) = to_string else {
            return Ok(String::new());
        };
        let target = rt.methods.resolve_virtual(rt, exception, m)?;
        let code = rt.methods.for_object(rt, target)?;
        let text = invoke::call_code(code, &[invoke::Arg::Ref(exception)])?.object();
        Ok(if text.is_null() {
            String::new()
        } else {
            string::to_rust(text)
        })
    };
    by_code().unwrap_or_else(|e| {
        let inner = match e {
            crate::icall::Thrown::Object(o) if !o.is_null() => fallback(rt, o),
            other => format!("{other:?}"),
        };
        format!("{}\n[ToString failed: {inner}]", fallback(rt, exception))
    })
}

/// Class and message without running code.
fn fallback(rt: &Runtime, exception: Obj) -> String {
    let message: Obj = rt.get_field(exception, "_message");
    let text = if message.is_null() {
        String::new()
    } else {
        format!(": {}", string::to_rust(message))
    };
    let trace: Obj = rt.get_field(exception, "_stackTrace");
    let mut lines = String::new();
    let inner: Obj = rt.get_field(exception, "_innerException");
    if !inner.is_null() {
        lines += &format!(
            " ---> {}\n  --- End of inner exception stack trace ---",
            fallback(rt, inner)
        );
    }
    if !trace.is_null() {
        for pc in crate::object::array::as_slice::<usize>(trace) {
            for frame in (crate::eh::TraceFrame { pc: *pc }).logical_frames() {
                lines += &format!(
                    "\n  at {} IL_{:04x}",
                    rt.types.method_full_name(frame.method),
                    frame.il.unwrap_or(0)
                );
            }
        }
    }
    format!(
        "{}{text}{lines}",
        rt.types.full_name(exception.method_table().type_id())
    )
}

/// Nobody catches this exception: says so and ends the process.
pub fn unhandled(exception: Obj) -> ! {
    let text = describe(exception);
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "\nUnhandled Exception:\n{text}");
    let _ = writeln!(err, "[ERROR] FATAL UNHANDLED EXCEPTION: {text}");
    drop(err);
    std::process::exit(UNHANDLED);
}

/// Exit status if `--no-jit` is given and a method has no precompiled code.
const NEEDS_JIT: i32 = 3;

/// `--no-jit` is given, and this method has no precompiled code: says so and ends the process.
pub fn needs_jit(rt: &Runtime, method: MethodId, reason: &NotFromImage) -> ! {
    let name = rt.types.method_full_name(method);
    for r in rt.images.refused() {
        eprintln!("aotrun: image {} not used: {}", r.path.display(), r.reason);
    }
    eprintln!("aotrun: --no-jit: {name} has no precompiled code: {reason}");
    std::process::exit(NEEDS_JIT);
}

/// The figures of `--stats`.
pub fn print_statistics(rt: &Runtime) {
    use core::sync::atomic::Ordering::Relaxed;
    if !rt.options.stats {
        return;
    }
    let jit = &rt.jit.stats;
    let memory = crate::gc::memory_info();
    for image in rt.images.loaded() {
        eprintln!("image: {}", image.path.display());
    }
    for r in rt.images.refused() {
        eprintln!("image not used: {}: {}", r.path.display(), r.reason);
    }
    eprintln!("methods from images: {}", rt.images.bound_methods());
    eprintln!(
        "methods JIT-compiled: {} ({} bytes, {:.1} ms)",
        jit.methods.load(Relaxed),
        jit.bytes.load(Relaxed),
        jit.nanoseconds.load(Relaxed) as f64 / 1e6
    );
    eprintln!("types loaded: {}", rt.tables.len());
    eprintln!(
        "heap: {} KiB used, {} collections",
        memory.used / 1024,
        memory.collections
    );
}
