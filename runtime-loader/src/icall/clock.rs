//! Clocks: `DateTime`, `Stopwatch`, `Timer`.

use super::icalls;
use rustix::time::{ClockId, clock_gettime};

icalls! {
    "System.DateTime" {
        "GetSystemTimeAsFileTime" => system_time() -> i64;
    }
    "System.Diagnostics.Stopwatch" {
        "GetTimestamp" => monotonic() -> i64;
    }
    "System.Threading.Timer" {
        "GetTimeMonotonic" => monotonic() -> i64;
    }
}

/// From 1601-01-01 to 1970-01-01 in units of 100 ns.
pub const EPOCH_TICKS: i64 = 116_444_736_000_000_000;

fn ticks(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec * 10_000_000 + now.tv_nsec / 100
}

extern "C" fn system_time() -> i64 {
    EPOCH_TICKS + ticks(ClockId::Realtime)
}

extern "C" fn monotonic() -> i64 {
    ticks(ClockId::Monotonic)
}
