//! `System.Threading.Monitor`.

use super::{Result, Thrown, icalls, managed};
use crate::object::Obj;
use crate::threads::{WaitEnd, deadline_of, monitor};

icalls! {
    "System.Threading.Monitor" {
        "Enter" => enter(Obj);
        "Exit" => exit(Obj);
        "try_enter_with_atomic_var" => try_enter(Obj, i32, *mut bool);
        "Monitor_wait" => wait(Obj, i32) -> bool;
        "Monitor_pulse" => pulse(Obj);
        "Monitor_pulse_all" => pulse_all(Obj);
        "Monitor_test_owner" => test_owner(Obj) -> bool;
        "Monitor_test_synchronised" => test_owner(Obj) -> bool;
    }
}

fn checked(o: Obj) -> Result<usize> {
    o.non_null()
        .map(|o| o.addr())
        .ok_or_else(|| Thrown::argument_null("obj"))
}

fn not_owner<E>(_: E) -> Thrown {
    Thrown::of(
        "System.Threading",
        "SynchronizationLockException",
        "Object synchronization method was called from an unsynchronized block of code.",
    )
}

extern "C" fn enter(o: Obj) {
    managed(|| {
        monitor::enter(checked(o)?, None, true);
        Ok(())
    });
}

extern "C" fn exit(o: Obj) {
    managed(|| monitor::exit(checked(o)?).map_err(not_owner));
}

extern "C" fn try_enter(o: Obj, milliseconds: i32, taken: *mut bool) {
    managed(|| {
        let end = monitor::enter(checked(o)?, deadline_of(milliseconds.into()), true);
        // SAFETY: the address of the caller's variable.
        unsafe { taken.write(matches!(end, WaitEnd::Done)) };
        Ok(())
    });
}

extern "C" fn wait(o: Obj, milliseconds: i32) -> bool {
    managed(|| {
        Ok(matches!(
            monitor::wait(checked(o)?, deadline_of(milliseconds.into())).map_err(not_owner)?,
            WaitEnd::Done
        ))
    })
}

extern "C" fn pulse(o: Obj) {
    managed(|| monitor::pulse(checked(o)?, false).map_err(not_owner));
}

extern "C" fn pulse_all(o: Obj) {
    managed(|| monitor::pulse(checked(o)?, true).map_err(not_owner));
}

extern "C" fn test_owner(o: Obj) -> bool {
    managed(|| Ok(monitor::is_owned(checked(o)?)))
}
