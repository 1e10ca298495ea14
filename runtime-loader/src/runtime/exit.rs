//! The end of the process: unhandled exceptions, exit codes, the order of things at exit.

use super::{Runtime, invoke};
use crate::icall::{Result, Thrown, environment, finalizer, thread, thread_info};
use crate::image::NotFromImage;
use crate::object::{Obj, new_object, string};
use crate::threads;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use shared_codegen::types::{Known, MethodId};
use std::io::Write;

/// Exit status for an unhandled exception.
const UNHANDLED: i32 = 1;
/// Exit status when that happens in a thread of the runtime: a pool worker or the finalizer thread.
const UNHANDLED_IN_OWN_THREAD: i32 = 255;

/// Milliseconds that background threads have for their `finally` blocks at exit.
const ABORT_LIMIT: i64 = 200;

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
    let mut lines = String::new();
    let inner: Obj = rt.get_field(exception, "_innerException");
    if !inner.is_null() {
        lines += &format!(
            " ---> {}\n  --- End of inner exception stack trace ---",
            fallback(rt, inner)
        );
    }
    for (_, frame) in super::stack_trace::frames(rt, exception) {
        lines += &format!(
            "\n  at {} IL_{:04x}",
            rt.types.method_full_name(frame.method),
            frame.il.unwrap_or(0)
        );
    }
    format!(
        "{}{text}{lines}",
        rt.types.full_name(exception.method_table().type_id())
    )
}

/// The calling thread has nothing more to do, as another one ends the process.
fn give_way() -> ! {
    if let Some(info) = thread_info::current_info() {
        info.stop();
    }
    loop {
        threads::wait_until(None, false, || false);
    }
}

/// What only one thread may do, once.
struct Once(AtomicU32);

enum Turn {
    First,
    /// This thread is doing it already.
    Again,
    /// Another thread does it.
    Others,
}

impl Once {
    fn turn(&self) -> Turn {
        let me = threads::current().id().0;
        match (self.0).compare_exchange(0, me, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => Turn::First,
            Err(first) if first == me => Turn::Again,
            Err(_) => Turn::Others,
        }
    }

    fn is_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }
}

/// Ends the process in order.
static EXIT: Once = Once(AtomicU32::new(0));
/// Ends it for an unhandled exception.
static DEATH: Once = Once(AtomicU32::new(0));

/// Nobody catches this exception: tells the program's handlers, says so and ends the process.
pub fn unhandled(exception: Obj) -> ! {
    let rt = super::get();
    let aborted = thread::is_abort(exception);
    if aborted && EXIT.is_begun() {
        // The main thread, aborted as the others are because one of them ends the process.
        give_way();
    }
    let first = match DEATH.turn() {
        Turn::First => true,
        Turn::Again => false,
        Turn::Others => give_way(),
    };
    let told = first && !aborted && raise_unhandled(rt, exception).unwrap_or(false);
    let text = describe(exception);
    let mut err = std::io::stderr().lock();
    // Nobody is left to hear about a failure to write.
    if !told && !aborted {
        let _ = writeln!(err, "\nUnhandled Exception:\n{text}");
    }
    let _ = writeln!(err, "[ERROR] FATAL UNHANDLED EXCEPTION: {text}");
    drop(err);
    let own_thread = thread_info::current_info().is_some_and(|i| i.is_pool_worker());
    std::process::exit(if aborted {
        0
    } else if own_thread || finalizer::is_current() {
        UNHANDLED_IN_OWN_THREAD
    } else {
        UNHANDLED
    });
}

/// An event of the domain: its delegate, if anybody listens.
fn domain_event(rt: &Runtime, name: &'static str) -> Option<(Obj, Obj)> {
    let domain = rt.objects.get()?.domain.target();
    let delegate: Obj = rt.get_field(domain, name);
    delegate.non_null().map(|d| (domain, d))
}

fn invoke_delegate(rt: &'static Runtime, delegate: Obj, sender: Obj, event: Obj) -> Result<()> {
    let class = delegate.method_table().type_id();
    let method = rt.types.find_method(class, "Invoke")?;
    let method = method.ok_or_else(Thrown::null_reference)?;
    let args = [delegate, sender, event].map(invoke::Arg::Ref);
    invoke::call(rt.methods.desc(method), &args).map(|_| ())
}

/// Runs the handlers of `AppDomain.UnhandledException`; false if there are none.
fn raise_unhandled(rt: &'static Runtime, exception: Obj) -> Result<bool> {
    let Some((domain, delegate)) = domain_event(rt, "UnhandledException") else {
        return Ok(false);
    };
    let class = rt.known(Known::UnhandledExceptionEventArgs);
    let event = new_object(class)?;
    let params = [
        rt.types.known(Known::Object),
        rt.types.known(Known::Boolean),
    ];
    let ctor = rt.types.find_constructor(class.type_id(), &params)?;
    let ctor = ctor.ok_or_else(Thrown::null_reference)?;
    let is_terminating = invoke::Arg::Word(1);
    let args = [
        invoke::Arg::Ref(event),
        invoke::Arg::Ref(exception),
        is_terminating,
    ];
    invoke::call(rt.methods.desc(ctor), &args)?;
    invoke_delegate(rt, delegate, domain, event)?;
    Ok(true)
}

static SHUTTING_DOWN: AtomicBool = AtomicBool::new(false);

/// Have the handlers of `ProcessExit` run, so that only finalizers are left?
pub fn is_shutting_down() -> bool {
    SHUTTING_DOWN.load(Ordering::Relaxed)
}

/// `Main` has returned: foreground threads may finish (and change the exit code), then the process ends.
pub fn after_main(rt: &'static Runtime, code: i32) -> ! {
    environment::set_exit_code(code);
    thread_info::wait_for_foreground();
    shut_down(rt, environment::exit_code())
}

/// Ends the process in order: `ProcessExit`, `finally` blocks of background threads, then the finalizers of everything left. Handlers and
/// finalizers may change the exit code.
pub fn shut_down(rt: &'static Runtime, code: i32) -> ! {
    match EXIT.turn() {
        Turn::First => {}
        Turn::Others if !finalizer::is_current() => give_way(),
        // A handler or finalizer does not want to wait for the others.
        _ => std::process::exit(code),
    }
    environment::set_exit_code(code);
    if let Some((domain, delegate)) = domain_event(rt, "ProcessExit") {
        // An exception ends the event, not the orderly exit.
        let _ = invoke_delegate(rt, delegate, domain, Obj::NULL);
    }
    SHUTTING_DOWN.store(true, Ordering::SeqCst);
    thread_info::abort_background(threads::deadline_of(ABORT_LIMIT));
    finalizer::run_all_at_exit();
    print_statistics(rt);
    std::process::exit(environment::exit_code())
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
    let interpreted = jit.interpreted.load(Relaxed);
    let refused = jit.refused.lock();
    if interpreted > 0 || !refused.is_empty() {
        let reasons: Vec<_> = refused.iter().map(|(r, n)| format!("{n} {r}")).collect();
        eprintln!(
            "methods interpreted: {interpreted}; compiled instead: {} ({})",
            refused.values().sum::<u64>(),
            reasons.join(", ")
        );
    }
    eprintln!("types loaded: {}", rt.tables.len());
    eprintln!(
        "heap: {} KiB used, {} collections",
        memory.used / 1024,
        memory.collections
    );
}
