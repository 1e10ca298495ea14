#![allow(unsafe_code, reason = "runs hand-written code")]

use super::test_code::{at, register, tc_count, tc_count_at_filter};
use super::walk::{Frame, TraceFrame};
use super::{Host, TraceStart, capture_trace, install_host, signals};
use crate::arch::native::calls::{CallKind, ManagedCall};
use crate::arch::native::thunks::Thunks;
use crate::jit::CodeMap;
use crate::threads::{self, Request, ThreadContext};
use core::sync::atomic::{AtomicU32, Ordering};
use parking_lot::{Mutex, MutexGuard};
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::emit::{ClauseKind, EhClause};

static ONE: Mutex<()> = Mutex::new(());

#[derive(Default)]
struct Log {
    trace: Vec<u32>,
    restarts: u32,
    unhandled: u32,
}

struct TestHost {
    log: Mutex<Option<Log>>,
    polls: AtomicU32,
}

static HOST: TestHost = TestHost {
    log: Mutex::new(None),
    polls: AtomicU32::new(0),
};

impl Host for TestHost {
    fn resolve_method(&self, _: &ThreadContext, id: u32, context: usize, this: usize) -> usize {
        assert_eq!((id, context, this), (4711, 0x77, 99));
        crate::gc::collect();
        at!(tc_thrower)
    }

    fn resolve_virtual(&self, _: &ThreadContext, slot: u32, this: usize) -> usize {
        assert_eq!((slot, this), (12, 99));
        at!(tc_thrower)
    }

    fn resolve_interface(&self, _: &ThreadContext, _: usize, _: usize) -> usize {
        0
    }

    fn catches(&self, exception: usize, frame: &Frame, clause: &EhClause) -> bool {
        assert_eq!(
            clause.kind,
            ClauseKind::Catch(shared_codegen::types::TypeId(9))
        );
        assert!(frame.code.method.0 == 2 || frame.code.method.0 == 7);
        exception & 8 == 0
    }

    fn trap_exception(&self, kind: TrapKind) -> usize {
        0x1000 * kind as usize
    }

    fn record_trace(&self, _: usize, frames: &[TraceFrame], start: TraceStart) {
        let mut log = self.log.lock();
        let log = log.get_or_insert_default();
        if start == TraceStart::Fresh {
            log.trace.clear();
            log.restarts += 1;
        }
        log.trace
            .extend(frames.iter().map(|f| f.code().unwrap().method.0));
    }

    fn unhandled(&self, _: usize) {
        self.log.lock().get_or_insert_default().unhandled += 1;
    }

    fn poll_request(&self, t: &ThreadContext) {
        self.polls.fetch_add(1, Ordering::Relaxed);
        t.thread().clear_request(Request::Abort);
    }
}

struct Session(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Session {
    fn new() -> Session {
        let guard = ONE.lock();
        install_host(&HOST);
        register();
        signals::install().unwrap();
        threads::attach();
        *HOST.log.lock() = Some(Log::default());
        count().store(0, Ordering::Relaxed);
        Session(guard)
    }

    fn log(&self) -> Log {
        HOST.log.lock().take().unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        threads::detach();
    }
}

fn count() -> &'static AtomicU32 {
    // SAFETY: a word of the test code, accessed atomically here and by one thread there.
    unsafe { &tc_count }
}

/// Calls a test method; result and pending exception.
fn call(code: usize, args: [u64; 3], kind: CallKind) -> (u64, usize) {
    let t = threads::current();
    let mut call = ManagedCall::new(code, kind);
    call.ints[..3].copy_from_slice(&args);
    // SAFETY: the test methods take up to three integers.
    unsafe { call.run(t) };
    (
        call.int_result,
        t.pending_exception.swap(0, Ordering::Relaxed),
    )
}

#[test]
fn calls_pass_arguments_and_return() {
    let _s = Session::new();
    assert_eq!(call(at!(tc_thrower), [42, 9, 0], CallKind::Catch), (42, 0));
}

#[test]
fn catch_after_finally() {
    let s = Session::new();
    assert_eq!(
        call(at!(tc_catcher), [0x100, 0, 0], CallKind::Catch),
        (0x101, 0)
    );
    assert_eq!(count().load(Ordering::Relaxed), 1);
    let log = s.log();
    assert_eq!(log.trace, [1, 3, 2]);
    assert_eq!(log.restarts, 1);
}

#[test]
fn traps_become_exceptions() {
    let _s = Session::new();
    assert_eq!(
        call(at!(tc_catcher), [0, 1, 0], CallKind::Catch),
        (0x1001, 0)
    );
    assert_eq!(
        call(at!(tc_catcher), [0, 2, 0], CallKind::Catch),
        (0x3001, 0)
    );
    assert_eq!(count().load(Ordering::Relaxed), 2);
}

#[test]
fn uncaught_ends_the_call() {
    let s = Session::new();
    assert_eq!(
        call(at!(tc_catcher), [0x108, 0, 0], CallKind::Catch),
        (0, 0x108)
    );
    assert_eq!(count().load(Ordering::Relaxed), 1, "the finally ran");
    assert_eq!(
        call(at!(tc_catcher), [0x108, 0, 0], CallKind::Outermost),
        (0, 0x108)
    );
    assert_eq!(s.log().unhandled, 1);
}

extern "C" fn native_that_calls_back() -> u64 {
    let t = threads::current();
    assert_eq!(capture_trace(t, 0, 10).len(), 3);
    let mut call = ManagedCall::new(at!(tc_middle), CallKind::Propagate);
    call.ints[0] = 0x200;
    // SAFETY: a test method.
    unsafe { call.run(t) };
    assert_eq!(t.pending_exception.load(Ordering::Relaxed), 0x200);
    7
}

#[test]
fn exceptions_cross_native_frames_as_pending() {
    let s = Session::new();
    let native = native_that_calls_back as *const () as u64;
    assert_eq!(
        call(at!(tc_catcher), [0, 3, native], CallKind::Outermost),
        (0x201, 0)
    );
    assert_eq!(count().load(Ordering::Relaxed), 2);
    let log = s.log();
    assert_eq!(log.trace, [1, 3, 1, 3, 2]);
    assert_eq!((log.restarts, log.unhandled), (1, 0));
}

#[test]
fn filters_run_before_finally_and_may_fail() {
    let s = Session::new();
    // Bits 5 to 7 say what the filter's own call does: 1 faults, 4 returns. Bit 4: accept.
    assert_eq!(
        call(at!(tc_filterer), [0x130, 0, 0], CallKind::Catch),
        (0, 0x130),
        "the filter faults"
    );
    assert_eq!(count().load(Ordering::Relaxed), 1);
    // SAFETY: as `count`.
    let at_filter = unsafe { &tc_count_at_filter };
    assert_eq!(
        at_filter.load(Ordering::Relaxed),
        0,
        "the filter ran in the first pass"
    );
    assert_eq!(threads::current().filter_frame.load(Ordering::Relaxed), 0);
    assert_eq!(s.log().trace.last(), Some(&4));
    assert_eq!(
        call(at!(tc_filterer), [0x90, 0, 0], CallKind::Catch),
        (0x92, 0)
    );
    assert_eq!(at_filter.load(Ordering::Relaxed), 1);
    assert_eq!(
        call(at!(tc_filterer), [0x80, 0, 0], CallKind::Catch),
        (0, 0x80)
    );
}

#[test]
fn polls_keep_registers_and_notice_requests() {
    let _s = Session::new();
    let t = threads::current();
    t.thread().request(Request::Abort);
    let before = HOST.polls.load(Ordering::Relaxed);
    assert_eq!(call(at!(tc_poller), [1000, 0, 0], CallKind::Catch), (5, 0));
    assert_eq!(HOST.polls.load(Ordering::Relaxed), before + 1);
}

#[test]
fn spinning_managed_code_stops_for_collections() {
    let _s = Session::new();
    let spinner = threads::spawn(threads::SpawnOptions::default(), || {
        assert_eq!(
            call(at!(tc_poller), [300_000_000, 0, 0], CallKind::Catch),
            (5, 0)
        );
    });
    for _ in 0..20 {
        crate::gc::collect();
    }
    spinner.unwrap().wait_finished();
}

#[test]
fn stack_overflow_can_be_caught_twice() {
    let s = Session::new();
    for _ in 0..2 {
        let expected = 0x1000 * TrapKind::StackOverflow as u64;
        assert_eq!(
            call(at!(tc_overflower), [0, 0, 0], CallKind::Catch),
            (expected, 0)
        );
    }
    assert!(s.log().trace.len() > 1000);
}

#[test]
fn prestub_keeps_arguments() {
    let _s = Session::new();
    let thunks = Thunks::new(CodeMap::global().memory()).unwrap();
    let slot = thunks.new_entry(4711).unwrap();
    let stub = thunks.instantiating(slot, 0x77).unwrap();
    assert_eq!(call(stub, [99, 9, 0], CallKind::Catch), (99, 0));
    let boxed = thunks.unboxing(slot, Some(0x77)).unwrap();
    assert_eq!(call(boxed, [99 - 16, 9, 0], CallKind::Catch), (99, 0));
    slot.set_target(at!(tc_thrower));
    assert_eq!(
        call(thunks.entry(slot).unwrap(), [5, 9, 0], CallKind::Catch),
        (5, 0)
    );
    let virt = thunks.vtable_resolver(12).unwrap();
    assert_eq!(thunks.vtable_resolver(12).unwrap(), virt);
    assert_eq!(call(virt, [99, 9, 0], CallKind::Catch), (99, 0));
}

unsafe extern "C" fn add_up(data: usize, args: *mut crate::arch::native::stubs::NativeArgs) {
    // SAFETY: the stub passes its own frame.
    let args = unsafe { &mut *args };
    // SAFETY: the test passes two stack arguments.
    let last = unsafe { *args.stack.add(1) };
    args.int_results[0] = data as u64 + args.ints.iter().sum::<u64>() + last;
    args.float_results[0] = (f64::from_bits(args.floats[0]) * 2.0).to_bits();
}

#[test]
fn native_callbacks() {
    let _s = Session::new();
    let thunks = Thunks::new(CodeMap::global().memory()).unwrap();
    let code = thunks.native_callback(1000, add_up).unwrap();
    type F = extern "C" fn(u64, u64, u64, u64, u64, u64, f64, u64, u64) -> u64;
    // SAFETY: the thunk takes any arguments.
    let f: F = unsafe { core::mem::transmute(code) };
    assert_eq!(f(1, 2, 3, 4, 5, 6, 1.5, 7, 8), 1029);
}
