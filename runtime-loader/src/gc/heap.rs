//! The heap: creation, allocation, requests for collections.
#![allow(unsafe_code, reason = "allocates raw object memory")]

use super::binding::{EPOCH, Vm, tls_of};
use super::layout::Addr;
use crate::threads::{self, MUTATOR_OFFSET, ThreadContext};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use mmtk::memory_manager as mm;
use mmtk::util::alloc::AllocatorInfo;
use mmtk::util::metadata::side_metadata::VO_BIT_SIDE_METADATA_ADDR;
use mmtk::util::options::{GCTriggerSelector, PlanSelector};
use mmtk::util::{Address, ObjectReference};
use mmtk::{AllocationSemantics, MMTK, MMTKBuilder, Mutator};
use parking_lot::{Condvar, Mutex};
use shared_codegen::abi::layout::thread as l;
use std::sync::OnceLock;

/// Settings of the heap.
#[derive(Clone, Copy, Debug)]
pub struct HeapOptions {
    /// The heap grows to this size before the first collection, in bytes.
    pub min_size: usize,
    /// The heap never grows beyond this, in bytes; 0: three quarters of the memory there is.
    pub max_size: usize,
    /// Collect at every n-th allocation, for tests; 0: never for this reason. Every allocation takes the slow path then.
    pub stress: u32,
}

impl Default for HeapOptions {
    fn default() -> Self {
        HeapOptions {
            // With this a program that keeps little needs less than twice what it needs on Mono.
            min_size: 28 << 20,
            max_size: 0,
            stress: 0,
        }
    }
}

/// Largest object of the ordinary space; larger ones get pages of their own.
const MAX_SMALL: usize = 16 << 10;
/// Smallest object: the header.
const MIN_OBJECT: usize = 16;

/// The collector's per-thread structure, embedded in the thread context.
#[repr(C)]
pub struct MutatorSpace(MaybeUninit<Mutator<Vm>>);

impl MutatorSpace {
    /// Not usable until [`super::bind_mutator`] has filled it.
    pub(crate) fn unbound() -> MutatorSpace {
        MutatorSpace(MaybeUninit::uninit())
    }

    /// # Safety
    /// It must be bound, and nobody else may use it meanwhile.
    pub(super) unsafe fn get(&mut self) -> &mut Mutator<Vm> {
        // SAFETY: the caller's promise.
        unsafe { self.0.assume_init_mut() }
    }
}

pub(super) struct Heap {
    mmtk: &'static MMTK<Vm>,
    collection_enabled: AtomicBool,
    enabling: Mutex<()>,
    epoch_lock: Mutex<()>,
    epoch_changed: Condvar,
    allocations: AtomicUsize,
    max_size: usize,
    stress: u32,
}

// mmtk allows one instance per process and calls back without context, so this is a global.
static OPTIONS: OnceLock<HeapOptions> = OnceLock::new();
static HEAP: OnceLock<Heap> = OnceLock::new();

pub(super) fn heap() -> &'static Heap {
    HEAP.get_or_init(|| Heap::create(*OPTIONS.get_or_init(HeapOptions::default)))
}

/// Sets the options and creates the heap. Later calls keep the first heap.
pub fn init(options: HeapOptions) {
    OPTIONS.get_or_init(|| options);
    heap();
}

impl Heap {
    fn create(options: HeapOptions) -> Heap {
        let mut builder = MMTKBuilder::new_no_env_vars();
        let set = builder.options.plan.set(PlanSelector::Immix)
            && builder.options.threads.set(1)
            && builder.options.gc_trigger.set(GCTriggerSelector::Delegated)
            && builder.options.no_finalizer.set(true)
            && builder.options.no_reference_types.set(true);
        assert!(set, "the collector knows its options");
        let mmtk: &'static MMTK<Vm> = Box::leak(mm::mmtk_init(&builder));
        check_layout(mmtk);
        crate::sys::barrier::register();
        Heap {
            mmtk,
            collection_enabled: AtomicBool::new(false),
            enabling: Mutex::new(()),
            epoch_lock: Mutex::new(()),
            epoch_changed: Condvar::new(),
            allocations: AtomicUsize::new(0),
            max_size: size_limits().1,
            stress: options.stress,
        }
    }

    pub(super) fn mmtk(&self) -> &'static MMTK<Vm> {
        self.mmtk
    }

    pub(super) fn is_collection_enabled(&self) -> bool {
        self.collection_enabled.load(Ordering::Acquire)
    }

    /// Starts the worker thread; done when the heap is half full, so that small programs never have one.
    fn enable_collection(&self) {
        let _one = self.enabling.lock();
        if !self.is_collection_enabled() {
            mm::initialize_collection(self.mmtk, mmtk::util::VMThread::UNINITIALIZED);
            self.collection_enabled.store(true, Ordering::Release);
        }
    }

    pub(super) fn collection_finished(&self) {
        let _guard = self.epoch_lock.lock();
        self.epoch_changed.notify_all();
    }

    pub(super) fn wait_for_epoch_after(&self, before: usize) {
        let mut guard = self.epoch_lock.lock();
        while EPOCH.load(Ordering::SeqCst) == before {
            self.epoch_changed.wait(&mut guard);
        }
    }

    pub(super) fn collect(&self, t: &ThreadContext) {
        self.enable_collection();
        threads::without_references(t, || {
            self.mmtk
                .handle_user_collection_request(tls_of(t), true, true)
        });
    }

    fn before_slow_allocation(&self, t: &ThreadContext, size: usize) {
        if !self.is_collection_enabled() && mm::used_bytes(self.mmtk) + size > size_limits().0 / 2 {
            self.enable_collection();
        }
        if self.stress != 0 {
            let n = self.allocations.fetch_add(1, Ordering::Relaxed);
            if n.is_multiple_of(self.stress as usize) {
                self.collect(t);
            }
        }
    }
}

/// Minimal and maximal heap size in bytes.
pub(super) fn size_limits() -> (usize, usize) {
    let options = OPTIONS.get_or_init(HeapOptions::default);
    let max = match options.max_size {
        0 => crate::sys::memory::available_at_most() / 4 * 3,
        size => size,
    };
    (options.min_size.min(max), max)
}

fn check_layout(mmtk: &'static MMTK<Vm>) {
    let selector = mm::get_allocator_mapping(mmtk, AllocationSemantics::Default);
    let AllocatorInfo::BumpPointer {
        bump_pointer_offset,
    } = AllocatorInfo::new::<Vm>(selector)
    else {
        panic!("the collector's allocator has no bump pointer");
    };
    assert_eq!(
        l::ALLOC_CURSOR as usize,
        MUTATOR_OFFSET + bump_pointer_offset,
        "allocation cursor moved"
    );
    assert!(
        mmtk.get_plan()
            .constraints()
            .max_non_los_default_alloc_bytes
            >= MAX_SMALL
    );
}

/// Base of the object-start bits: the byte for an object is at `base + (addr >> 6)`.
pub(crate) fn object_bits_base() -> usize {
    VO_BIT_SIDE_METADATA_ADDR.as_usize()
}

/// Could this word be the address of something in the heap?
#[inline]
pub(super) fn in_heap_range(word: usize) -> bool {
    static RANGE: OnceLock<(usize, usize)> = OnceLock::new();
    let (start, len) = *RANGE.get_or_init(|| {
        let start = mm::starting_heap_address().as_usize();
        (start, mm::last_heap_address().as_usize() - start)
    });
    word.wrapping_sub(start) < len
}

/// Gives a new thread its allocator.
pub(crate) fn bind_mutator(t: &'static ThreadContext) {
    let mutator = mm::bind_mutator(heap().mmtk, tls_of(t));
    // SAFETY: the context is not in the thread list yet, so nobody else looks at it.
    unsafe { (*t.mutator.get()).0.write(*mutator) };
}

/// Takes it away again.
pub(crate) fn unbind_mutator(t: &ThreadContext) {
    // SAFETY: the context has left the thread list, under the lock that keeps collections away; it was bound.
    unsafe {
        let space = &mut *t.mutator.get();
        mm::destroy_mutator(space.get());
        space.0.assume_init_drop();
    }
}

#[inline]
fn cell(t: &ThreadContext, offset: i32) -> *mut usize {
    (t.addr() + offset as usize) as *mut usize
}

/// A zeroed object with this method table, registered as an object but with nothing else written; 0 when out of memory. `size` is the
/// whole size in bytes. The calling thread must be in managed state.
///
/// # Safety
/// `table` must be the address of a method table.
#[inline]
pub(super) unsafe fn allocate(t: &ThreadContext, table: usize, size: usize) -> Addr {
    debug_assert!(
        crate::threads::in_managed_state(),
        "allocation in native state"
    );
    if t.has_stop_request() {
        crate::threads::poll();
    }
    let Some(size) = size.checked_next_multiple_of(8) else {
        return 0;
    };
    let size = size.max(MIN_OBJECT);
    if size > MAX_SMALL || heap().stress != 0 {
        // SAFETY: the caller's promise.
        return unsafe { allocate_slow(t, table, size) };
    }
    // SAFETY: cursor and limit are this thread's own words at offsets checked at start-up; the memory between them is
    // zeroed and ours, and no poll comes before the object-start bit is set.
    unsafe {
        let (cursor, limit) = (cell(t, l::ALLOC_CURSOR), cell(t, l::ALLOC_LIMIT));
        let (at, end) = (*cursor, *cursor + size);
        if end > *limit {
            return allocate_slow(t, table, size);
        }
        *cursor = end;
        *(at as *mut usize) = table;
        let byte = (object_bits_base() + (at >> 6)) as *mut u8;
        *byte |= 1 << ((at >> 3) & 7);
        at
    }
}

/// # Safety
/// As [`allocate`].
#[cold]
unsafe fn allocate_slow(t: &ThreadContext, table: usize, size: usize) -> Addr {
    // mmtk would try again for ever.
    if size > heap().max_size {
        return 0;
    }
    if heap().stress != 0 {
        show_buffer(t);
    }
    heap().before_slow_allocation(t, size);
    let kind = if size > MAX_SMALL {
        AllocationSemantics::Los
    } else {
        AllocationSemantics::Default
    };
    // SAFETY: the mutator is bound and belongs to this thread; the fresh memory is at least a header long.
    let at = threads::without_references(t, || unsafe {
        let mutator = (*t.mutator.get()).get();
        let at: Address = mm::alloc(mutator, size, 8, 0, kind);
        if !at.is_zero() {
            at.store(table);
            mm::post_alloc(
                mutator,
                ObjectReference::from_raw_address_unchecked(at),
                size,
                kind,
            );
        }
        at
    });
    if !at.is_zero() {
        super::release::note_allocation(at.as_usize(), size, size > MAX_SMALL);
    }
    if heap().stress != 0 {
        hide_buffer(t);
    }
    at.as_usize()
}

/// Makes the buffer look full, so that the next allocation takes the slow path even from compiled code: the
/// limit says how much is left.
fn hide_buffer(t: &ThreadContext) {
    // SAFETY: this thread's own words; a limit below the cursor makes the next allocation ask for more.
    unsafe {
        let (cursor, limit) = (cell(t, l::ALLOC_CURSOR), cell(t, l::ALLOC_LIMIT));
        if *cursor <= *limit {
            *limit -= *cursor;
        }
    }
}

/// Undoes [`hide_buffer`], unless a collection has taken the buffer away (both words are zero then).
fn show_buffer(t: &ThreadContext) {
    // SAFETY: this thread's own words.
    unsafe {
        let (cursor, limit) = (cell(t, l::ALLOC_CURSOR), cell(t, l::ALLOC_LIMIT));
        if *limit < *cursor {
            *limit += *cursor;
        }
    }
}
