//! Wait handles of the class libraries: events, mutexes, semaphores, and waiting for them.

use super::thread::{wait_ended, waiting};
use super::{Result, icalls, managed, win32};
use crate::threads::waitable::{self, NameError, WaitId, Waitable, Waited};
use crate::threads::{WaitEnd, deadline_of};

pub use crate::threads::waitable::abandon_all;

icalls! {
    "System.Threading.NativeEventCalls" {
        "CreateEvent_icall" => create_event(bool, bool, *const u16, i32, *mut i32) -> isize;
        "OpenEvent_icall" => open_event(*const u16, i32, i32, *mut i32) -> isize;
        "SetEvent_internal" => set_event(isize) -> bool;
        "ResetEvent_internal" => reset_event(isize) -> bool;
        "CloseEvent_internal" => close(isize);
    }
    "System.Threading.Mutex" {
        "CreateMutex_icall" => create_mutex(bool, *const u16, i32, *mut u8) -> isize;
        "OpenMutex_icall" => open_mutex(*const u16, i32, i32, *mut i32) -> isize;
        "ReleaseMutex_internal" => release_mutex(isize) -> bool;
    }
    "System.Threading.Semaphore" {
        "CreateSemaphore_icall" => create_semaphore(i32, i32, *const u16, i32, *mut i32) -> isize;
        "OpenSemaphore_icall" => open_semaphore(*const u16, i32, i32, *mut i32) -> isize;
        "ReleaseSemaphore_internal" => release_semaphore(isize, i32, *mut i32) -> bool;
    }
    "System.Threading.WaitHandle" {
        "Wait_internal" => wait(*const isize, i32, bool, i32) -> i32;
        "SignalAndWait_Internal" => signal_and_wait(isize, isize, i32) -> i32;
    }
}

/// `WaitHandle` results.
mod result {
    pub const ABANDONED: i32 = 0x80;
    pub const TIMED_OUT: i32 = 0x102;
    pub const FAILED: i32 = 0x7fff_ffff;
}

/// Win32: the handle is of another kind.
const INVALID_HANDLE: i32 = 6;
/// Win32: there is no such name.
const NOT_FOUND: i32 = 2;

fn name_of(name: *const u16, len: i32) -> Option<String> {
    if name.is_null() || len <= 0 {
        return None;
    }
    // SAFETY: managed code passes a pinned string and its length.
    let units = unsafe { core::slice::from_raw_parts(name, len as usize) };
    Some(String::from_utf16_lossy(units))
}

fn code_of(e: NameError) -> i32 {
    match e {
        NameError::Unknown => NOT_FOUND,
        NameError::OtherKind => INVALID_HANDLE,
    }
}

/// Makes an object; the code says whether there was one of this name.
fn create(what: Waitable, name: *const u16, len: i32, error: *mut i32) -> isize {
    let (id, code) = match waitable::create(what, name_of(name, len)) {
        Ok((id, true)) => (id, win32::SUCCESS),
        Ok((id, false)) => (id, win32::ALREADY_EXISTS),
        Err(e) => (0, code_of(e)),
    };
    // SAFETY: the address of the caller's `out` variable.
    unsafe { error.write(code) };
    id
}

fn open(like: &Waitable, name: *const u16, len: i32, error: *mut i32) -> isize {
    let found = waitable::open(&name_of(name, len).unwrap_or_default(), like);
    // SAFETY: the address of the caller's `out` variable.
    unsafe { error.write(found.err().map_or(win32::SUCCESS, code_of)) };
    found.unwrap_or(0)
}

extern "C" fn create_event(
    manual: bool,
    signalled: bool,
    name: *const u16,
    len: i32,
    error: *mut i32,
) -> isize {
    create(Waitable::Event { manual, signalled }, name, len, error)
}

extern "C" fn open_event(name: *const u16, len: i32, _rights: i32, error: *mut i32) -> isize {
    let like = Waitable::Event {
        manual: false,
        signalled: false,
    };
    open(&like, name, len, error)
}

fn change_event(id: WaitId, on: bool) -> bool {
    let done = waitable::update(id, |w| match w {
        Waitable::Event { signalled, .. } => {
            *signalled = on;
            true
        }
        _ => false,
    });
    done.unwrap_or(false)
}

extern "C" fn set_event(id: isize) -> bool {
    change_event(id, true)
}

extern "C" fn reset_event(id: isize) -> bool {
    change_event(id, false)
}

extern "C" fn close(id: isize) {
    waitable::close(id);
}

extern "C" fn create_mutex(owned: bool, name: *const u16, len: i32, created: *mut u8) -> isize {
    let made = waitable::create(Waitable::mutex(owned), name_of(name, len));
    let (id, new) = made.unwrap_or((0, false));
    // SAFETY: the address of the caller's `out` variable.
    unsafe { created.write(new.into()) };
    id
}

extern "C" fn open_mutex(name: *const u16, len: i32, _rights: i32, error: *mut i32) -> isize {
    open(&Waitable::mutex(false), name, len, error)
}

extern "C" fn release_mutex(id: isize) -> bool {
    waitable::release_mutex(id)
}

extern "C" fn create_semaphore(
    count: i32,
    max: i32,
    name: *const u16,
    len: i32,
    error: *mut i32,
) -> isize {
    create(Waitable::Semaphore { count, max }, name, len, error)
}

extern "C" fn open_semaphore(name: *const u16, len: i32, _rights: i32, error: *mut i32) -> isize {
    open(&Waitable::Semaphore { count: 0, max: 0 }, name, len, error)
}

extern "C" fn release_semaphore(id: isize, by: i32, previous: *mut i32) -> bool {
    let old = waitable::update(id, |w| match w {
        Waitable::Semaphore { count, max } if by <= max.saturating_sub(*count) => {
            *count += by;
            Some(*count - by)
        }
        _ => None,
    });
    let old = old.flatten();
    // SAFETY: the address of the caller's `out` variable.
    unsafe { previous.write(old.unwrap_or(0)) };
    old.is_some()
}

fn wait_for(ids: &[WaitId], all: bool, milliseconds: i32) -> Result<i32> {
    let deadline = deadline_of(milliseconds.into());
    Ok(match waiting(|| waitable::wait(ids, all, deadline)) {
        Waited::Taken(t) if t.abandoned => result::ABANDONED + t.index as i32,
        Waited::Taken(t) => t.index as i32,
        Waited::Invalid => result::FAILED,
        Waited::Ended(end) => {
            wait_ended(end)?;
            debug_assert_eq!(end, WaitEnd::TimedOut);
            result::TIMED_OUT
        }
    })
}

extern "C" fn wait(handles: *const isize, count: i32, all: bool, milliseconds: i32) -> i32 {
    managed(|| {
        // SAFETY: managed code passes an array of `count` handles on its stack.
        let ids = unsafe { core::slice::from_raw_parts(handles, count.max(0) as usize) };
        wait_for(ids, all, milliseconds)
    })
}

extern "C" fn signal_and_wait(signal: isize, wait_on: isize, milliseconds: i32) -> i32 {
    managed(|| {
        if !waitable::signal(signal) {
            return Ok(result::FAILED);
        }
        wait_for(&[wait_on], false, milliseconds)
    })
}
