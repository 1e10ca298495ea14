//! `System.Threading.Thread`: managed thread objects and their life (class-library contract §4.5).

use super::thread_info::{ThreadInfo, current_info, state};
use super::{Result, Thrown, icalls, managed};
use crate::object::{Handle, Obj, new_object, string};
use crate::runtime::{self, Runtime, invoke};
use crate::threads::{self, Request, SpawnOptions, WaitEnd, deadline_of};
use core::cell::Cell;
use core::sync::atomic::{AtomicI32, Ordering, fence};
use shared_codegen::types::Known;
use std::sync::Arc;

icalls! {
    "System.Threading.Thread" {
        "GetCurrentThread" => get_current_thread() -> Obj;
        "ConstructInternalThread" => construct_internal(Obj);
        "Thread_internal" => start(Obj, Obj) -> bool;
        "JoinInternal" => join(Obj, i32) -> bool;
        "SleepInternal" => sleep(i32);
        "YieldInternal" => yield_now() -> bool;
        "SpinWait_nop" => spin();
        "MemoryBarrier" => memory_barrier();
        "GetDomainID" => domain_id() -> i32;
        "GetName_internal" => get_name(Obj) -> Obj;
        "SetName_icall" => set_name(Obj, *const u16, i32);
        "GetPriorityNative" => get_priority(Obj) -> i32;
        "SetPriorityNative" => set_priority(Obj, i32);
        "GetState" => get_state(Obj) -> u32;
        "SetState" => set_state(Obj, u32);
        "ClrState" => clear_state(Obj, u32);
        "InterruptInternal" => interrupt(Obj);
        "Abort_internal" => abort(Obj, Obj);
        "ResetAbortNative" => reset_abort(Obj);
        "GetAbortExceptionState" => abort_state(Obj) -> Obj;
        "SystemMaxStackStize" => max_stack_size() -> i32;
    }
    "System.Threading.InternalThread" {
        "Thread_free_internal" => free_internal(Obj);
    }
}

thread_local! {
    static CURRENT: Cell<Option<Handle>> = const { Cell::new(None) };
}

static NEXT_ID: AtomicI32 = AtomicI32::new(1);

/// The first thread that attaches runs `Main`.
const MAIN: threads::ThreadId = threads::ThreadId(1);

/// `ThreadPriority.Normal`
const NORMAL: i32 = 2;
/// `ApartmentState`
mod apartment {
    pub const MTA: u8 = 1;
    pub const UNKNOWN: u8 = 2;
}

/// Field of `InternalThread` that holds the address of its [`ThreadInfo`].
const INFO: &str = "runtime_thread_info";

/// Makes the managed thread object of the calling thread; a name means it is the runtime's own.
pub fn attach_current(rt: &'static Runtime, name: &str) -> Result<Obj> {
    let thread = new_object(rt.known(Known::Thread))?;
    let internal = new_internal(rt, state::RUNNING)?;
    rt.set_field(thread, "internal_thread", internal);
    let info = info_of(internal)?;
    if !name.is_empty() {
        info.set_name(Some(name.encode_utf16().collect()));
        info.add_state(state::BACKGROUND);
        info.set_own();
    }
    adopt(rt, thread, internal, info)?;
    Ok(thread)
}

/// Makes the object of a thread that native code has started; the process does not wait for it.
fn attach_foreign(rt: &'static Runtime) -> Result<Obj> {
    let thread = attach_current(rt, "")?;
    let info = info_of_thread(thread)?;
    info.add_state(state::BACKGROUND);
    info.set_own();
    Ok(thread)
}

/// Makes the calling thread one of the thread pool's.
pub fn attach_worker(rt: &'static Runtime, name: &str) -> Result<()> {
    let thread = attach_current(rt, name)?;
    rt.set_field(internal_of(thread)?, "threadpool_thread", 1u8);
    info_of_thread(thread)?.set_pool_worker();
    Ok(())
}

/// An `InternalThread` with its first values.
fn new_internal(rt: &Runtime, state: u32) -> Result<Obj> {
    let internal = new_object(rt.known(Known::InternalThread))?;
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    rt.set_field(internal, "managed_id", id);
    rt.set_field(internal, "priority", NORMAL);
    rt.set_field(internal, "apartment_state", apartment::UNKNOWN);
    rt.set_field(internal, INFO, Arc::into_raw(ThreadInfo::new(state)));
    Ok(internal)
}

/// Makes `thread` the calling thread's managed object and the calling thread what it stands for.
fn adopt(rt: &'static Runtime, thread: Obj, internal: Obj, info: Arc<ThreadInfo>) -> Result<()> {
    let native = threads::current().thread().clone();
    rt.set_field(internal, "thread_id", i64::from(native.os_id()));
    if rt.get_field::<u8>(internal, "apartment_state") == apartment::UNKNOWN {
        rt.set_field(internal, "apartment_state", apartment::MTA);
    }
    info.run_on(native);
    publish(rt, thread)
}

/// Makes `thread` the calling thread's managed object.
pub fn publish(rt: &'static Runtime, thread: Obj) -> Result<()> {
    if let Some(old) = CURRENT.replace(Some(Handle::strong(thread))) {
        old.free();
    }
    let slot = rt.static_field(rt.types.known(Known::Thread), "current_thread")?;
    // SAFETY: the address of this thread's copy of a static field of reference type.
    unsafe { slot.cast::<Obj>().write(thread) };
    Ok(())
}

/// The end of the calling thread's managed life.
pub fn retire() {
    if let Some(info) = current_info() {
        super::wait_handles::abandon_all();
        info.stop();
    }
    if let Some(handle) = CURRENT.take() {
        handle.free();
    }
}

extern "C" fn get_current_thread() -> Obj {
    managed(|| match CURRENT.get() {
        Some(h) => Ok(h.target()),
        None => attach_foreign(runtime::get()),
    })
}

/// The info of an `InternalThread`.
fn info_of(internal: Obj) -> Result<Arc<ThreadInfo>> {
    let internal = internal.non_null().ok_or_else(Thrown::null_reference)?;
    let at: *const ThreadInfo = runtime::get().get_field(internal, INFO);
    if at.is_null() {
        return Err(Thrown::null_reference());
    }
    // SAFETY: the field holds a strong count until the finalizer, after which nobody has the object any more.
    unsafe {
        Arc::increment_strong_count(at);
        Ok(Arc::from_raw(at))
    }
}

fn internal_of(thread: Obj) -> Result<Obj> {
    let thread = thread.non_null().ok_or_else(Thrown::null_reference)?;
    Ok(runtime::get().get_field(thread, "internal_thread"))
}

fn info_of_thread(thread: Obj) -> Result<Arc<ThreadInfo>> {
    info_of(internal_of(thread)?)
}

extern "C" fn construct_internal(thread: Obj) {
    managed(|| {
        let rt = runtime::get();
        let internal = new_internal(rt, state::UNSTARTED)?;
        rt.set_field(thread, "internal_thread", internal);
        Ok(())
    });
}

extern "C" fn free_internal(internal: Obj) {
    let rt = runtime::get();
    let at: *const ThreadInfo = rt.get_field(internal, INFO);
    rt.set_field(internal, INFO, 0usize);
    if !at.is_null() {
        // SAFETY: the count that `new_internal` left in the field, taken once: the field is null now.
        drop(unsafe { Arc::from_raw(at) });
    }
}

fn state_error(text: &'static str) -> Thrown {
    Thrown::of("System.Threading", "ThreadStateException", text)
}

extern "C" fn start(thread: Obj, delegate: Obj) -> bool {
    managed(|| {
        let rt = runtime::get();
        let internal = internal_of(thread)?;
        let info = info_of(internal)?;
        if info.state() & state::UNSTARTED == 0 {
            return Err(state_error("Thread has already been started."));
        }
        if info.state() & state::ABORTED != 0 {
            // Aborted before it began: it ends before it begins.
            info.remove_state(state::UNSTARTED);
            info.stop();
            return Ok(true);
        }
        let options = SpawnOptions {
            stack_size: rt.get_field::<i32>(internal, "stack_size").max(0) as usize,
            name: None,
        };
        info.will_run();
        // Managed code clears the field as soon as this returns, perhaps before the thread gets to run.
        let argument: Obj = rt.get_field(thread, "m_ThreadStartArg");
        let work = [thread, delegate, argument].map(Handle::strong);
        let body = info.clone();
        let spawned = threads::spawn(options, move || run(work, &body));
        match spawned {
            Ok(native) => {
                info.run_on(native);
                info.remove_state(state::UNSTARTED);
                Ok(true)
            }
            Err(e) => {
                info.stop();
                Err(Thrown::of(
                    "System.Threading",
                    "ThreadStartException",
                    format!("Thread failed to start: {e}"),
                ))
            }
        }
    })
}

/// The life of a started thread.
fn run(work: [Handle; 3], info: &Arc<ThreadInfo>) {
    let rt = runtime::get();
    info.remove_state(state::UNSTARTED);
    let [thread, delegate, argument] = work.map(Handle::target);
    work.into_iter().for_each(Handle::free);
    let result = internal_of(thread)
        .and_then(|internal| adopt(rt, thread, internal, info.clone()))
        .and_then(|()| invoke_start(rt, delegate, argument));
    if let Err(thrown) = result {
        finish_with(thrown);
    }
    retire();
}

/// An exception came out of a thread: an abort ends the thread, anything else has been reported and ends the process.
fn finish_with(thrown: Thrown) {
    let exception = thrown.into_object();
    if !is_abort(exception) {
        runtime::exit::unhandled(exception);
    }
}

/// Is this a `ThreadAbortException`?
pub fn is_abort(exception: Obj) -> bool {
    let class = runtime::get().known(Known::ThreadAbortException);
    exception
        .non_null()
        .is_some_and(|e| runtime::cast::is_instance(e, class))
}

fn invoke_start(rt: &'static Runtime, delegate: Obj, argument: Obj) -> Result<()> {
    let class = delegate.method_table().type_id();
    let method = rt.types.find_method(class, "Invoke")?;
    let method = method.ok_or_else(Thrown::null_reference)?;
    let mut args = vec![invoke::Arg::Ref(delegate)];
    if !rt.types.method_signature(method)?.params.is_empty() {
        args.push(invoke::Arg::Ref(argument));
    }
    call_outermost(rt, method, &args).map(|_| ())
}

/// Calls a method as the first of its thread: nobody further out catches exceptions.
pub fn call_outermost(
    rt: &'static Runtime,
    method: shared_codegen::types::MethodId,
    args: &[invoke::Arg],
) -> Result<invoke::Returned> {
    let code = rt.methods.callable(rt, rt.methods.desc(method))?;
    invoke::call_as(code, args, crate::arch::native::calls::CallKind::Outermost)
}

/// What a finished wait means: came it true, or an exception if somebody ended it.
pub fn wait_ended(end: WaitEnd) -> Result<bool> {
    match end {
        WaitEnd::Done => Ok(true),
        WaitEnd::TimedOut => Ok(false),
        WaitEnd::Interrupted => Err(interruption()),
    }
}

/// The exception for the request that ended a wait; acknowledges the request.
fn interruption() -> Thrown {
    let thread = threads::current().thread().clone();
    if thread.clear_request(Request::Abort) {
        return abort_exception();
    }
    thread.clear_request(Request::Interrupt);
    Thrown::of(
        "System.Threading",
        "ThreadInterruptedException",
        "Thread was interrupted from a waiting state.",
    )
}

fn abort_exception() -> Thrown {
    // The class has no public constructor; its default one sets message and code.
    Thrown::bare("System.Threading", "ThreadAbortException")
}

/// A catch handler ends: an abort goes on unless it was taken back (`ResetAbort`).
pub fn end_catch(caught: Obj) -> Result<()> {
    let aborting = || current_info().is_some_and(|i| i.state() & state::ABORT_REQUESTED != 0);
    if is_abort(caught) && aborting() {
        return Err(Thrown::Object(caught));
    }
    Ok(())
}

/// At a poll: the exception another thread asked for.
pub fn requested_exception() -> Option<Obj> {
    let thread = threads::current().thread().clone();
    thread
        .clear_request(Request::Abort)
        .then(|| abort_exception().into_object())
}

/// Is the calling thread the one that runs `Main`?
pub fn is_main() -> bool {
    threads::current().id() == MAIN
}

/// Runs a wait with the thread's state saying so.
pub fn waiting<R>(wait: impl FnOnce() -> R) -> R {
    let info = current_info();
    if let Some(i) = &info {
        i.add_state(state::WAIT_SLEEP_JOIN);
    }
    let result = wait();
    if let Some(i) = &info {
        i.remove_state(state::WAIT_SLEEP_JOIN);
    }
    result
}

extern "C" fn join(thread: Obj, milliseconds: i32) -> bool {
    managed(|| {
        let info = info_of_thread(thread)?;
        if info.state() & state::UNSTARTED != 0 {
            return Err(state_error("Thread has not been started."));
        }
        let deadline = deadline_of(milliseconds.into());
        wait_ended(waiting(|| info.wait_stopped(deadline)))
    })
}

extern "C" fn sleep(milliseconds: i32) {
    managed(|| {
        if milliseconds == 0 {
            threads::blocking(std::thread::yield_now);
            return Ok(());
        }
        let end = waiting(|| threads::sleep(deadline_of(milliseconds.into())));
        wait_ended(end).map(|_| ())
    });
}

extern "C" fn yield_now() -> bool {
    threads::blocking(std::thread::yield_now);
    true
}

extern "C" fn spin() {
    core::hint::spin_loop();
}

extern "C" fn memory_barrier() {
    fence(Ordering::SeqCst);
}

/// Number of the one domain.
const DOMAIN: i32 = 1;

extern "C" fn domain_id() -> i32 {
    DOMAIN
}

extern "C" fn get_name(internal: Obj) -> Obj {
    managed(|| match info_of(internal)?.name() {
        Some(units) => string::from_units(&units),
        None => Ok(Obj::NULL),
    })
}

extern "C" fn set_name(internal: Obj, name: *const u16, len: i32) {
    managed(|| {
        let info = info_of(internal)?;
        let units = (!name.is_null()).then(|| {
            // SAFETY: managed code passes a pinned string and its length.
            unsafe { core::slice::from_raw_parts(name, len.max(0) as usize) }.to_vec()
        });
        if info.name().is_some() && !info.is_pool_worker() {
            return Err(Thrown::system(
                "InvalidOperationException",
                "Thread.Name can only be set once.",
            ));
        }
        info.set_name(units);
        Ok(())
    });
}

extern "C" fn get_priority(thread: Obj) -> i32 {
    managed(|| Ok(runtime::get().get_field(internal_of(thread)?, "priority")))
}

extern "C" fn set_priority(thread: Obj, priority: i32) {
    managed(|| {
        let internal = internal_of(thread)?;
        if info_of(internal)?.state() & (state::STOPPED | state::ABORTED) != 0 {
            return Err(state_error("Thread is dead; priority cannot be accessed."));
        }
        runtime::get().set_field(internal, "priority", priority);
        Ok(())
    });
}

extern "C" fn get_state(internal: Obj) -> u32 {
    managed(|| Ok(info_of(internal)?.state()))
}

extern "C" fn set_state(internal: Obj, bits: u32) {
    managed(|| {
        info_of(internal)?.add_state(bits);
        Ok(())
    });
}

extern "C" fn clear_state(internal: Obj, bits: u32) {
    managed(|| {
        info_of(internal)?.remove_state(bits);
        Ok(())
    });
}

extern "C" fn interrupt(thread: Obj) {
    managed(|| {
        if let Some(native) = info_of_thread(thread)?.native() {
            native.request(Request::Interrupt);
        }
        Ok(())
    });
}

extern "C" fn abort(internal: Obj, reason: Obj) {
    managed(|| {
        let info = info_of(internal)?;
        if info.state() & (state::ABORT_REQUESTED | state::STOPPED) != 0 {
            return Ok(());
        }
        info.set_abort_reason(reason);
        if info.state() & state::UNSTARTED != 0 {
            info.add_state(state::ABORTED);
            return Ok(());
        }
        info.add_state(state::ABORT_REQUESTED);
        let native = info.native().ok_or_else(Thrown::null_reference)?;
        if Arc::ptr_eq(&native, threads::current().thread()) {
            return Err(abort_exception());
        }
        native.request(Request::Abort);
        Ok(())
    });
}

extern "C" fn reset_abort(thread: Obj) {
    managed(|| {
        let info = info_of_thread(thread)?;
        if info.state() & state::ABORT_REQUESTED == 0 {
            return Err(state_error(
                "Unable to reset abort because no abort was requested.",
            ));
        }
        info.remove_state(state::ABORT_REQUESTED);
        info.set_abort_reason(Obj::NULL);
        Ok(())
    });
}

extern "C" fn abort_state(thread: Obj) -> Obj {
    managed(|| Ok(info_of_thread(thread)?.abort_reason()))
}

extern "C" fn max_stack_size() -> i32 {
    /// Larger stacks are cut to this.
    const LIMIT: i32 = 1 << 30;
    LIMIT
}
