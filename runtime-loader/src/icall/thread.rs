//! `System.Threading.Thread`: managed thread objects.

use super::{Result, icalls, managed};
use crate::object::{Handle, Obj, new_object};
use crate::runtime::{self, Runtime};
use core::cell::Cell;
use core::sync::atomic::{AtomicI32, Ordering};
use shared_codegen::types::Known;

icalls! {
    "System.Threading.Thread" {
        "GetCurrentThread" => get_current_thread() -> Obj;
    }
}

thread_local! {
    static CURRENT: Cell<Option<Handle>> = const { Cell::new(None) };
}

static NEXT_ID: AtomicI32 = AtomicI32::new(1);

/// `ThreadPriority.Normal`
const NORMAL: i32 = 2;
/// `ApartmentState.Unknown`
const UNKNOWN_APARTMENT: u8 = 2;

/// Makes the managed thread object of the calling thread.
pub fn attach_current(rt: &'static Runtime, _name: &str) -> Result<Obj> {
    let thread = new_object(rt.known(Known::Thread))?;
    let internal = new_internal(rt)?;
    rt.set_field(thread, "internal_thread", internal);
    publish(rt, thread)?;
    Ok(thread)
}

/// An `InternalThread` with its first values.
pub fn new_internal(rt: &Runtime) -> Result<Obj> {
    let internal = new_object(rt.known(Known::InternalThread))?;
    rt.set_field(
        internal,
        "managed_id",
        NEXT_ID.fetch_add(1, Ordering::Relaxed),
    );
    rt.set_field(internal, "priority", NORMAL);
    rt.set_field(internal, "apartment_state", UNKNOWN_APARTMENT);
    Ok(internal)
}

/// Makes `thread` the calling thread's managed object.
pub fn publish(rt: &'static Runtime, thread: Obj) -> Result<()> {
    CURRENT.set(Some(Handle::strong(thread)));
    let slot = rt.static_field(rt.types.known(Known::Thread), "current_thread")?;
    // SAFETY: the address of this thread's copy of a static field of reference type.
    unsafe { slot.cast::<Obj>().write(thread) };
    Ok(())
}

extern "C" fn get_current_thread() -> Obj {
    managed(|| match CURRENT.get() {
        Some(h) => Ok(h.target()),
        None => attach_current(runtime::get(), ""),
    })
}
