//! The finalizer thread: started when the first object is ready, runs `Finalize` on each.

use super::{Result, Thrown, thread};
use crate::object::Obj;
use crate::runtime::{self, invoke};
use crate::{gc, threads};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, Ordering};
use shared_codegen::types::Known;
use std::time::{Duration, Instant};

static STARTED: AtomicBool = AtomicBool::new(false);
static STOP: AtomicBool = AtomicBool::new(false);

thread_local! {
    static IS_FINALIZER: Cell<bool> = const { Cell::new(false) };
}

/// How long finalizers may take at exit.
const EXIT_LIMIT: Duration = Duration::from_secs(2);

/// Sees to it that the finalizer thread exists when it is needed.
pub fn install() {
    gc::set_ready_hook(start);
    gc::set_critical_test(is_critical);
}

/// Is the object's class derived from `CriticalFinalizerObject`?
fn is_critical(object: usize) -> bool {
    let types = &runtime::get().types;
    let class = Obj::from_addr(object).method_table().type_id();
    types.is_assignable(class, types.known(Known::CriticalFinalizerObject))
}

/// Called on a thread of the collector, so nothing here may wait for managed threads.
fn start() {
    if !STARTED.swap(true, Ordering::AcqRel) {
        let spawned = std::thread::Builder::new()
            .name("Finalizer".into())
            .stack_size(8 << 20)
            .spawn(run);
        // Without threads finalizers have to wait; the next collection tries again.
        STARTED.store(spawned.is_ok(), Ordering::Release);
    }
}

fn run() {
    threads::attach();
    IS_FINALIZER.set(true);
    let rt = runtime::get();
    if let Err(e) = thread::attach_current(rt, "Finalizer") {
        runtime::exit::unhandled(e.into_object());
    }
    while !STOP.load(Ordering::SeqCst) {
        if let Some(object) = gc::raw::wait_finalizable(&STOP) {
            let done = finalize(Obj::from_addr(object));
            forget_frames();
            gc::finalizer_done();
            if let Err(e) = done {
                let exception = e.into_object();
                if !thread::is_abort(exception) {
                    runtime::exit::unhandled(exception);
                }
            }
        }
    }
    thread::retire();
    threads::detach();
}

/// Overwrites what the finalizer's frames have left on the stack: the frames this thread waits in lie there next, and with them
/// the conservative scan would find the object.
#[inline(never)]
fn forget_frames() {
    const WORDS: usize = 2048;
    core::hint::black_box(&mut [0usize; WORDS]);
}

#[inline(never)]
fn finalize(object: Obj) -> Result<()> {
    let rt = runtime::get();
    let base = rt.types.known(Known::Object);
    let method = rt.types.find_method_with(base, "Finalize", &[])?;
    let method = method.ok_or_else(Thrown::null_reference)?;
    let target = rt.methods.resolve_virtual(rt, object, method)?;
    thread::call_outermost(rt, target.method, &[invoke::Arg::Ref(object)]).map(|_| ())
}

/// Is the calling thread the finalizer thread?
pub fn is_current() -> bool {
    IS_FINALIZER.get()
}

/// Waits until all ready objects are finalized.
pub fn wait_pending() {
    if !is_current() {
        gc::wait_pending();
    }
}

/// At exit: finalizes what is left, within limits, and stops.
pub fn run_all_at_exit() {
    if is_current() {
        return;
    }
    // Finalizers of programs may print, so the class libraries' own streams are closed last.
    let types = &runtime::get().types;
    gc::make_all_ready(|object| {
        let ty = Obj::from_addr(object).method_table().type_id();
        types
            .def_of(ty)
            .is_some_and(|(module, _)| module == types.corlib())
    });
    let done = std::sync::Arc::new(AtomicBool::new(false));
    let told = done.clone();
    let me = threads::current().thread().clone();
    std::thread::spawn(move || {
        gc::wait_pending();
        told.store(true, Ordering::Release);
        me.unpark();
    });
    let limit = Instant::now() + EXIT_LIMIT;
    threads::wait_until(Some(limit), false, || done.load(Ordering::Acquire));
    STOP.store(true, Ordering::SeqCst);
    gc::wake_all();
}
