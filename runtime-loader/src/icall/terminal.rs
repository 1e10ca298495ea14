//! `System.ConsoleDriver.TtySetup`: a terminal as interactive programs want it. Keys come one by one, the size is known and kept up
//! to date, Ctrl+C is an event of the program, and everything is as before when the process ends.
//!
//! Signals are taken up by a thread of their own (`signal-hook`), so nothing here runs in a signal handler.

use super::{icalls, managed, thread};
use crate::object::{Obj, array, string};
use crate::runtime::{self, Runtime};
use crate::threads::{self, blocking};
use core::sync::atomic::{AtomicI32, Ordering};
use parking_lot::Mutex;
use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush,
    tcgetattr, tcgetwinsize, tcsetattr,
};
use shared_codegen::types::Known;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;
use std::sync::Once;
use std::time::Duration;

icalls! {
    "System.ConsoleDriver" {
        "SetBreak" => set_break(bool) -> bool;
        "SetEcho" => set_echo(bool) -> bool;
        "TtySetup" => setup(Obj, Obj, *mut Obj, *mut *const i32) -> bool;
    }
}

/// What was done to the terminal.
struct Terminal {
    /// As it was before the first change.
    initial: Termios,
    /// As it should be while the program runs.
    current: Termios,
    /// Switches the keypad to sending sequences.
    keypad: String,
    /// Undoes what the program wrote to the terminal to prepare it.
    teardown: String,
}

/// A process has one terminal.
static TERMINAL: Mutex<Option<Terminal>> = Mutex::new(None);

/// Columns in the upper half, lines in the lower, -1 if unknown. Managed code reads it in place.
static SIZE: AtomicI32 = AtomicI32::new(-1);

/// At exit, how long to wait for a thread that changes the terminal just then.
const EXIT_PATIENCE: Duration = Duration::from_millis(200);

/// Control characters in the order of the class `ControlCharacters`.
const CONTROL: [SpecialCodeIndex; 17] = [
    SpecialCodeIndex::VINTR,
    SpecialCodeIndex::VQUIT,
    SpecialCodeIndex::VERASE,
    SpecialCodeIndex::VKILL,
    SpecialCodeIndex::VEOF,
    SpecialCodeIndex::VTIME,
    SpecialCodeIndex::VMIN,
    SpecialCodeIndex::VSWTC,
    SpecialCodeIndex::VSTART,
    SpecialCodeIndex::VSTOP,
    SpecialCodeIndex::VSUSP,
    SpecialCodeIndex::VEOL,
    SpecialCodeIndex::VREPRINT,
    SpecialCodeIndex::VDISCARD,
    SpecialCodeIndex::VWERASE,
    SpecialCodeIndex::VLNEXT,
    SpecialCodeIndex::VEOL2,
];

fn pack(columns: u16, lines: u16) -> i32 {
    (i32::from(columns) << 16) | i32::from(lines)
}

/// The size the terminal says, or else the environment.
fn size() -> Option<i32> {
    let asked = tcgetwinsize(stdin()).ok();
    let number = |name: &str| std::env::var(name).ok()?.parse::<u16>().ok();
    asked.map(|s| pack(s.ws_col, s.ws_row)).or_else(|| {
        let (columns, lines) = (number("COLUMNS")?, number("LINES")?);
        (columns != 0 && lines != 0).then(|| pack(columns, lines))
    })
}

/// The attributes for reading keys one by one.
fn interactive(initial: &Termios) -> Termios {
    let mut wanted = initial.clone();
    wanted.local_modes.remove(LocalModes::ICANON);
    wanted
        .input_modes
        .remove(InputModes::IXON | InputModes::IXOFF);
    wanted.special_codes[SpecialCodeIndex::VMIN] = 1;
    wanted.special_codes[SpecialCodeIndex::VTIME] = 0;
    wanted
}

fn text(o: Obj) -> String {
    o.non_null().map(string::to_rust).unwrap_or_default()
}

extern "C" fn setup(
    keypad: Obj,
    teardown: Obj,
    control: *mut Obj,
    size_at: *mut *const i32,
) -> bool {
    managed(|| {
        let rt = runtime::get();
        SIZE.store(size().unwrap_or(-1), Ordering::Relaxed);
        let byte = rt.types.known(Known::Byte);
        let table = rt.method_table(rt.types.sz_array(byte))?;
        let chars = array::allocate(table, CONTROL.len())?;
        // SAFETY: addresses of the caller's `out` variables.
        unsafe {
            size_at.write(SIZE.as_ptr());
            control.write(chars);
        }
        let (keypad, teardown) = (text(keypad), text(teardown));
        let Some(codes) = blocking(|| take_over(rt, keypad, teardown)) else {
            return Ok(false);
        };
        array::as_mut_slice::<u8>(chars).copy_from_slice(&codes);
        Ok(true)
    })
}

/// Changes the terminal for an interactive program; gives its control characters. `None`: standard input is no terminal.
fn take_over(
    rt: &'static Runtime,
    keypad: String,
    teardown: String,
) -> Option<[u8; CONTROL.len()]> {
    let mut terminal = TERMINAL.lock();
    let wanted = interactive(&tcgetattr(stdin()).ok()?);
    let codes = CONTROL.map(|c| wanted.special_codes[c]);
    let t = change(&mut terminal, wanted)?;
    (t.keypad, t.teardown) = (keypad, teardown);
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| watch_signals(rt));
    Some(codes)
}

/// Gives the terminal these attributes and sees to its being restored at exit.
fn change(terminal: &mut Option<Terminal>, wanted: Termios) -> Option<&mut Terminal> {
    let before = tcgetattr(stdin()).ok()?;
    tcsetattr(stdin(), OptionalActions::Now, &wanted).ok()?;
    let t = terminal.get_or_insert_with(|| {
        // SAFETY: registers a function without arguments.
        unsafe { libc::atexit(at_exit) };
        Terminal {
            initial: before,
            current: wanted.clone(),
            keypad: String::new(),
            teardown: String::new(),
        }
    });
    t.current = wanted;
    Some(t)
}

extern "C" fn at_exit() {
    restore();
}

/// Makes the terminal what it was before the program changed it. For ends of the process that run no exit handlers.
pub fn restore() {
    let taken = TERMINAL.try_lock_for(EXIT_PATIENCE);
    if let Some(t) = taken.and_then(|mut t| t.take()) {
        // Nobody is left to hear about failures.
        let _ = rustix::io::write(stdout(), t.teardown.as_bytes());
        let _ = tcflush(stdin(), QueueSelector::IFlush);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &t.initial);
    }
}

/// Is the signal's effect the system's own?
fn is_default(signal: i32) -> bool {
    // SAFETY: all zeros is a valid `sigaction`; the call fills it and changes nothing.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        libc::sigaction(signal, core::ptr::null(), &mut action) == 0
            && action.sa_sigaction == libc::SIG_DFL
    }
}

/// Starts the thread that takes up signals. Without it the program works, but for what the signals would do.
fn watch_signals(rt: &'static Runtime) {
    let fatal = [SIGTERM, SIGHUP].into_iter().filter(|s| is_default(*s));
    let all = [SIGINT, SIGCONT, SIGWINCH].into_iter().chain(fatal);
    if let Ok(mut signals) = Signals::new(all) {
        let watch = move || signals.forever().for_each(|s| take_up(rt, s));
        let named = std::thread::Builder::new().name("Console signals".into());
        drop(named.spawn(watch));
    }
}

fn take_up(rt: &'static Runtime, signal: i32) {
    match signal {
        SIGINT => threads::managed(|| cancel(rt)),
        SIGCONT => resume(),
        SIGWINCH => {
            if let Ok(s) = tcgetwinsize(stdin()) {
                SIZE.store(pack(s.ws_col, s.ws_row), Ordering::Relaxed);
            }
        }
        fatal => {
            restore();
            // It does not return for signals that end the process.
            drop(signal_hook::low_level::emulate_default_handler(fatal));
        }
    }
}

/// Tells the program's handlers of `Console.CancelKeyPress`; without any the class libraries end the process.
fn cancel(rt: &'static Runtime) {
    let run = || -> super::Result<()> {
        let class = rt.types.known(Known::Console);
        let method = rt
            .types
            .find_method(class, "DoConsoleCancelEventInBackground")?;
        let method = method.ok_or_else(super::Thrown::null_reference)?;
        thread::call_outermost(rt, method, &[]).map(|_| ())
    };
    if let Err(e) = run() {
        runtime::exit::unhandled(e.into_object());
    }
}

/// The process goes on after it was stopped; the shell has used the terminal meanwhile.
fn resume() {
    if let Some(t) = TERMINAL.lock().as_ref() {
        // If it is gone there is nothing to prepare.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &t.current);
        let _ = rustix::io::write(stdout(), t.keypad.as_bytes());
    }
}

/// Changes a local mode of the terminal on standard input; false if there is none.
fn set_local_mode(mode: LocalModes, on: bool) -> bool {
    blocking(|| {
        let mut terminal = TERMINAL.lock();
        let Ok(mut wanted) = tcgetattr(stdin()) else {
            return false;
        };
        wanted.local_modes.set(mode, on);
        change(&mut terminal, wanted).is_some()
    })
}

extern "C" fn set_break(wanted: bool) -> bool {
    // The program sees the interrupt character when it does not want the signal.
    set_local_mode(LocalModes::ISIG, !wanted)
}

extern "C" fn set_echo(wanted: bool) -> bool {
    set_local_mode(LocalModes::ECHO, wanted)
}
