#![allow(unsafe_code, reason = "reads blocks of static fields")]

use super::monitor::{self, NotOwner};
use super::{
    Request, SpawnOptions, Thread, WaitEnd, attach, deadline_of, detach, sleep, spawn, statics,
};
use crate::gc::test_types::TestType;
use crate::gc::{HandleKind, raw};
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

struct Attached;

impl Attached {
    fn new() -> Attached {
        attach();
        Attached
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        detach();
    }
}

fn thread(body: impl FnOnce() + Send + 'static) -> Arc<Thread> {
    spawn(SpawnOptions::default(), body).unwrap()
}

fn new_object() -> usize {
    TestType::class(1, 0, 0).new_object()
}

#[test]
fn contended_monitor_excludes() {
    let _a = Attached::new();
    let object = new_object();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let run = move || {
        for i in 0..2000 {
            assert_eq!(monitor::enter(object, None, false), WaitEnd::Done);
            let seen = COUNT.load(Ordering::Relaxed);
            if i % 64 == 0 {
                std::thread::yield_now();
            }
            COUNT.store(seen + 1, Ordering::Relaxed);
            monitor::exit(object).unwrap();
        }
    };
    let all: Vec<_> = (0..4).map(|_| thread(run)).collect();
    for _ in 0..5 {
        crate::gc::collect();
    }
    all.iter().for_each(|t| t.wait_finished());
    assert_eq!(COUNT.load(Ordering::Relaxed), 8000);
    assert_eq!(monitor::exit(object), Err(NotOwner));
}

#[test]
fn recursion_beyond_the_thin_lock() {
    let _a = Attached::new();
    let object = new_object();
    let hash = crate::gc::sync_word::hash_code(object);
    for _ in 0..1000 {
        assert_eq!(monitor::enter(object, None, false), WaitEnd::Done);
    }
    assert!(monitor::is_owned(object));
    assert_eq!(crate::gc::sync_word::hash_code(object), hash);
    let other = thread(move || {
        assert!(!monitor::try_enter(object));
        assert_eq!(
            monitor::enter(object, deadline_of(10), true),
            WaitEnd::TimedOut
        );
    });
    other.wait_finished();
    for _ in 0..1000 {
        monitor::exit(object).unwrap();
    }
    assert!(!monitor::is_owned(object));
    assert_eq!(monitor::exit(object), Err(NotOwner));
}

#[test]
fn wait_and_pulse() {
    let _a = Attached::new();
    let object = new_object();
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            thread(move || {
                monitor::enter(object, None, false);
                monitor::enter(object, None, false);
                assert_eq!(monitor::wait(object, None), Ok(WaitEnd::Done));
                monitor::exit(object).unwrap();
                monitor::exit(object).unwrap();
                assert_eq!(monitor::exit(object), Err(NotOwner));
            })
        })
        .collect();
    while !waiters.iter().all(|w| w.is_finished()) {
        monitor::enter(object, None, false);
        monitor::pulse(object, false).unwrap();
        monitor::exit(object).unwrap();
        sleep(deadline_of(1));
    }
    monitor::enter(object, None, false);
    assert_eq!(monitor::wait(object, deadline_of(5)), Ok(WaitEnd::TimedOut));
    monitor::exit(object).unwrap();
    assert_eq!(monitor::wait(object, None), Err(NotOwner));
    assert_eq!(monitor::pulse(object, true), Err(NotOwner));
}

#[test]
fn native_threads_come_and_go() {
    let _a = Attached::new();
    for _ in 0..8 {
        let native = std::thread::spawn(|| {
            super::managed(new_object);
            assert!(!super::in_managed_state());
            super::managed(|| {
                let object = new_object();
                super::blocking(|| {
                    super::managed(crate::gc::collect);
                    assert!(!super::in_managed_state());
                });
                assert!(super::in_managed_state());
                assert_eq!(raw::object_at(object + 8), Some(object));
            });
        });
        crate::gc::collect();
        super::blocking(|| native.join()).unwrap();
        crate::gc::collect();
    }
}

#[test]
fn interruption_ends_waits() {
    let _a = Attached::new();
    let sleeper = thread(|| {
        assert_eq!(sleep(None), WaitEnd::Interrupted);
        assert!(super::current().thread().clear_request(Request::Interrupt));
        let object = new_object();
        monitor::enter(object, None, false);
        assert_eq!(monitor::wait(object, None), Ok(WaitEnd::Interrupted));
        assert!(monitor::is_owned(object));
    });
    while !sleeper.is_finished() {
        sleeper.request(Request::Interrupt);
        sleep(deadline_of(1));
    }
}

#[test]
fn thread_statics_are_roots_until_the_end() {
    let _a = Attached::new();
    let index = statics::new_index(24, &[16]);
    let weak = Arc::new(AtomicU32::new(0));
    let told = weak.clone();
    let other = thread(move || {
        let base = statics::base(super::current(), index);
        fill(base, &told);
        crate::gc::test_types::scrub_stack();
        crate::gc::collect();
        let handle = crate::gc::RawHandle::from_raw(told.load(Ordering::Relaxed)).unwrap();
        assert_ne!(raw::target(handle), 0);
        assert_eq!(base, statics::base(super::current(), index));
    });
    other.wait_finished();
    let handle = crate::gc::RawHandle::from_raw(weak.load(Ordering::Relaxed)).unwrap();
    // Threads of other tests may get the same stack with old words in it for a while.
    let gone = (0..200).any(|_| {
        crate::gc::collect();
        sleep(deadline_of(1));
        raw::target(handle) == 0
    });
    assert!(gone);
}

#[inline(never)]
fn fill(base: *mut u8, weak: &AtomicU32) {
    let object = new_object();
    weak.store(
        raw::new_handle(HandleKind::Weak, object).raw(),
        Ordering::Relaxed,
    );
    // SAFETY: the block has 24 bytes, the last word is a reference.
    unsafe { base.add(16).cast::<usize>().write(object) };
}
