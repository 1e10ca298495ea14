//! `System.Threading.Monitor`.

use super::thread::wait_ended;
use super::{Result, Thrown, icalls, managed};
use crate::object::Obj;
use crate::threads::monitor::{self, NotOwner};
use crate::threads::{WaitEnd, deadline_of};

icalls! {
    "System.Threading.Monitor" {
        "Enter" => enter(Obj);
        "Exit" => exit(Obj);
        "Monitor_pulse" => pulse(Obj);
        "Monitor_pulse_all" => pulse_all(Obj);
        "Monitor_test_owner" => test_owner(Obj) -> bool;
        "Monitor_test_synchronised" => test_owner(Obj) -> bool;
        "Monitor_wait" => wait(Obj, i32) -> bool;
        "try_enter_with_atomic_var" => try_enter(Obj, i32, *mut u8);
    }
}

fn not_null(o: Obj) -> Result<usize> {
    o.non_null()
        .map(Obj::addr)
        .ok_or_else(|| Thrown::argument_null("obj"))
}

fn not_owner(_: NotOwner) -> Thrown {
    Thrown::of(
        "System.Threading",
        "SynchronizationLockException",
        "Object synchronization method was called from an unsynchronized block of code.",
    )
}

extern "C" fn enter(o: Obj) {
    managed(|| {
        let end = monitor::enter(not_null(o)?, None, true);
        wait_ended(end).map(|_| ())
    });
}

extern "C" fn exit(o: Obj) {
    managed(|| monitor::exit(not_null(o)?).map_err(not_owner));
}

extern "C" fn try_enter(o: Obj, milliseconds: i32, taken: *mut u8) {
    managed(|| {
        let object = not_null(o)?;
        // SAFETY: the address of the caller's `bool`.
        if unsafe { taken.read() } != 0 {
            return Err(Thrown::argument(
                "Argument must be initialized to false",
                "lockTaken",
            ));
        }
        let end = monitor::enter(object, deadline_of(milliseconds.into()), true);
        // SAFETY: as above.
        unsafe { taken.write((end == WaitEnd::Done).into()) };
        wait_ended(end).map(|_| ())
    });
}

extern "C" fn pulse(o: Obj) {
    managed(|| monitor::pulse(not_null(o)?, false).map_err(not_owner));
}

extern "C" fn pulse_all(o: Obj) {
    managed(|| monitor::pulse(not_null(o)?, true).map_err(not_owner));
}

extern "C" fn test_owner(o: Obj) -> bool {
    managed(|| Ok(monitor::is_owned(not_null(o)?)))
}

extern "C" fn wait(o: Obj, milliseconds: i32) -> bool {
    managed(|| {
        let end = monitor::wait(not_null(o)?, deadline_of(milliseconds.into()));
        wait_ended(end.map_err(not_owner)?)
    })
}
