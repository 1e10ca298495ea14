//! `Ephemeron[]` arrays of `ConditionalWeakTable`: in each {key, value} the value lives only while the key is reached
//! otherwise; when the key dies the pair becomes {tombstone, null}.
#![allow(unsafe_code, reason = "reads and writes array elements")]

use super::layout::{self, Addr};
use parking_lot::Mutex;
use shared_codegen::abi::layout::array;

/// Size of {key, value}.
const PAIR: usize = 16;

#[derive(Default)]
struct Arrays {
    arrays: Vec<Addr>,
    tombstone: Addr,
}

static ARRAYS: Mutex<Arrays> = Mutex::new(Arrays {
    arrays: Vec::new(),
    tombstone: 0,
});

pub(super) fn register(array: Addr) {
    ARRAYS.lock().arrays.push(array);
}

/// Sets what dead keys are replaced with: an object that a handle keeps.
pub(super) fn set_tombstone(tombstone: Addr) {
    ARRAYS.lock().tombstone = tombstone;
}

fn pairs(array: Addr) -> impl Iterator<Item = *mut [usize; 2]> {
    // SAFETY: registered arrays that are still reachable are live objects.
    let len = unsafe { layout::array_len(array) };
    (0..len).map(move |i| (array + array::DATA as usize + PAIR * i) as *mut [usize; 2])
}

/// Values whose key is reached and that are not reached themselves.
pub(super) fn values_to_keep(alive: impl Fn(Addr) -> bool) -> Vec<Addr> {
    let arrays = ARRAYS.lock();
    let mut keep = Vec::new();
    for &array in arrays.arrays.iter().filter(|&&a| alive(a)) {
        for pair in pairs(array) {
            // SAFETY: an element of a live array while the world is stopped.
            let [key, value] = unsafe { *pair };
            // The tombstone needs no special treatment: its value is null.
            if key != 0 && value != 0 && !alive(value) && alive(key) {
                keep.push(value);
            }
        }
    }
    keep
}

/// Buries pairs with dead keys and forgets dead arrays.
pub(super) fn clear_dead(alive: impl Fn(Addr) -> bool) {
    let mut arrays = ARRAYS.lock();
    arrays.arrays.retain(|&a| alive(a));
    let tombstone = arrays.tombstone;
    for &array in &arrays.arrays {
        for pair in pairs(array) {
            // SAFETY: as above; nobody else writes while the world is stopped.
            unsafe {
                if (*pair)[0] != 0 && !alive((*pair)[0]) {
                    *pair = [tombstone, 0];
                }
            }
        }
    }
}
