//! Workers of the thread pool. The class libraries keep the queues; the runtime makes threads that empty them.
//!
//! Each request is answered by one run of `_ThreadPoolWaitCallback.PerformWaitCallback`, which works for a while and then
//! returns. Workers that wait for something do not count as working, so that work which waits for other work gets
//! done; a supervisor notices when that happens after the request was made.

use super::thread::{self, call_outermost};
use super::thread_info::{ThreadInfo, current_info, state};
use super::{Thrown, icalls};
use crate::runtime::{self, Runtime};
use crate::threads::{self, Request, SpawnOptions, Thread, WaitEnd};
use parking_lot::{Condvar, Mutex};
use shared_codegen::types::Known;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

icalls! {
    "System.Threading.ThreadPool" {
        "InitializeVMTp" => initialize(*mut u8);
        "GetAvailableThreadsNative" => get_available(*mut i32, *mut i32);
        "GetMaxThreadsNative" => get_max(*mut i32, *mut i32);
        "GetMinThreadsNative" => get_min(*mut i32, *mut i32);
        "SetMaxThreadsNative" => set_max(i32, i32) -> bool;
        "SetMinThreadsNative" => set_min(i32, i32) -> bool;
        "NotifyWorkItemComplete" => item_complete() -> bool;
        "NotifyWorkItemProgressNative" => item_progress();
        "NotifyWorkItemQueued" => item_queued();
        "ReportThreadStatus" => report_status(bool);
        "RequestWorkerThread" => request_worker() -> bool;
    }
}

/// Idle workers go after this.
const IDLE_LIMIT: Duration = Duration::from_secs(20);
/// Pause of the supervisor while requests are open.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A request nobody took for this long gets a new worker though others are busy.
const STARVED: Duration = Duration::from_millis(500);
/// Default maximum of workers for each processor.
const MAX_PER_PROCESSOR: i32 = 100;
const WORKER_NAME: &str = "Thread Pool Worker";

#[derive(Clone, Copy)]
struct Limits {
    workers: i32,
    io: i32,
}

struct Pool {
    requests: usize,
    idle: Vec<Arc<Thread>>,
    workers: Vec<Arc<ThreadInfo>>,
    starting: usize,
    last_taken: Option<Instant>,
    min: Limits,
    max: Limits,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);
static REQUESTED: Condvar = Condvar::new();

impl Pool {
    fn new() -> Pool {
        let n = std::thread::available_parallelism().map_or(1, |n| n.get() as i32);
        let all = |n| Limits { workers: n, io: n };
        Pool {
            requests: 0,
            idle: Vec::new(),
            workers: Vec::new(),
            starting: 0,
            last_taken: None,
            min: all(n),
            max: all(n * MAX_PER_PROCESSOR),
        }
    }

    fn total(&self) -> usize {
        self.workers.len() + self.starting
    }

    /// Workers that do something or are about to.
    fn busy(&self) -> usize {
        let waits = |i: &&Arc<ThreadInfo>| i.state() & state::WAIT_SLEEP_JOIN != 0;
        let waiting = self.workers.iter().filter(waits).count();
        self.total() - self.idle.len() - waiting
    }

    /// Should there be one more worker for the open requests?
    fn wants_worker(&self) -> bool {
        self.requests > 0
            && self.idle.is_empty()
            && self.busy() < self.min.workers as usize
            && self.total() < self.max.workers as usize
    }

    fn is_starved(&self) -> bool {
        self.requests > 0
            && self.total() < self.max.workers as usize
            && self.last_taken.is_some_and(|t| t.elapsed() > STARVED)
    }

    fn take_request(&mut self) -> bool {
        if self.requests == 0 {
            return false;
        }
        self.requests -= 1;
        self.last_taken = Some(Instant::now());
        true
    }
}

fn with<R>(f: impl FnOnce(&mut Pool) -> R) -> R {
    f(POOL.lock().get_or_insert_with(Pool::new))
}

extern "C" fn initialize(tracking: *mut u8) {
    // SAFETY: the address of the caller's `bool`.
    unsafe { tracking.write(0) };
}

fn store(limits: Limits, workers: *mut i32, io: *mut i32) {
    // SAFETY: addresses of the caller's `out` variables.
    unsafe {
        workers.write(limits.workers);
        io.write(limits.io);
    }
}

extern "C" fn get_available(workers: *mut i32, io: *mut i32) {
    let free = with(|p| Limits {
        workers: p.max.workers - (p.total() - p.idle.len()) as i32,
        io: p.max.io,
    });
    store(free, workers, io);
}

extern "C" fn get_max(workers: *mut i32, io: *mut i32) {
    store(with(|p| p.max), workers, io);
}

extern "C" fn get_min(workers: *mut i32, io: *mut i32) {
    store(with(|p| p.min), workers, io);
}

extern "C" fn set_max(workers: i32, io: i32) -> bool {
    with(|p| {
        let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as i32);
        let ok = workers >= p.min.workers.max(processors) && io >= p.min.io.max(processors);
        if ok {
            p.max = Limits { workers, io };
        }
        ok
    })
}

extern "C" fn set_min(workers: i32, io: i32) -> bool {
    with(|p| {
        let ok = (1..=p.max.workers).contains(&workers) && (1..=p.max.io).contains(&io);
        if ok {
            p.min = Limits { workers, io };
        }
        ok
    })
}

extern "C" fn item_complete() -> bool {
    with(|p| p.total() <= p.max.workers as usize)
}

extern "C" fn item_progress() {}

extern "C" fn item_queued() {}

extern "C" fn report_status(_working: bool) {}

extern "C" fn request_worker() -> bool {
    static SUPERVISOR: Once = Once::new();
    let start = with(|p| {
        p.requests += 1;
        p.last_taken.get_or_insert_with(Instant::now);
        if let Some(idle) = p.idle.pop() {
            idle.unpark();
            return false;
        }
        let start = p.wants_worker();
        p.starting += usize::from(start);
        start
    });
    if start {
        start_worker();
    } else {
        // Without a supervisor the pool still works, unless its workers wait for each other.
        SUPERVISOR.call_once(|| drop(std::thread::Builder::new().spawn(supervise)));
        REQUESTED.notify_one();
    }
    true
}

/// Starts the worker that was counted as starting.
fn start_worker() {
    let options = SpawnOptions {
        stack_size: 0,
        name: Some(WORKER_NAME.into()),
    };
    if threads::spawn(options, work).is_err() {
        with(|p| p.starting -= 1);
    }
}

/// Adds workers while requests stay open.
fn supervise() {
    loop {
        {
            let mut pool = POOL.lock();
            while pool.as_ref().is_none_or(|p| p.requests == 0) {
                REQUESTED.wait(&mut pool);
            }
        }
        std::thread::sleep(LOOK_AGAIN);
        let start = with(|p| {
            let start = p.wants_worker() || p.is_starved();
            if start {
                p.starting += 1;
                p.last_taken = Some(Instant::now());
            }
            start
        });
        if start {
            start_worker();
        }
    }
}

/// The life of a worker.
fn work() {
    let rt = runtime::get();
    let made = thread::attach_worker(rt, WORKER_NAME);
    with(|p| p.starting -= 1);
    if let Err(e) = made {
        runtime::exit::unhandled(e.into_object());
    }
    let Some(info) = current_info() else { return };
    with(|p| p.workers.push(info.clone()));
    while next_request() {
        if let Err(e) = perform(rt) {
            let exception = e.into_object();
            if !thread::is_abort(exception) {
                runtime::exit::unhandled(exception);
            }
        }
        threads::current()
            .thread()
            .clear_request(Request::Interrupt);
        info.remove_state(state::ABORT_REQUESTED);
        info.set_name(Some(WORKER_NAME.encode_utf16().collect()));
    }
    with(|p| p.workers.retain(|i| !Arc::ptr_eq(i, &info)));
    thread::retire();
}

/// Waits for a request; false when there was none for long.
fn next_request() -> bool {
    let me = threads::current().thread().clone();
    let limit = Instant::now() + IDLE_LIMIT;
    let end = threads::wait_until(Some(limit), false, || {
        with(|p| {
            p.idle.retain(|t| !Arc::ptr_eq(t, &me));
            let taken = p.take_request();
            if !taken {
                p.idle.push(me.clone());
            }
            taken
        })
    });
    with(|p| {
        p.idle.retain(|t| !Arc::ptr_eq(t, &me));
        end == WaitEnd::Done || p.take_request()
    })
}

fn perform(rt: &'static Runtime) -> super::Result<()> {
    let class = rt.types.known(Known::ThreadPoolWaitCallback);
    let method = rt.types.find_method(class, "PerformWaitCallback")?;
    let method = method.ok_or_else(Thrown::null_reference)?;
    call_outermost(rt, method, &[]).map(|_| ())
}
