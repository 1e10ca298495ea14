//! The collector's view of this runtime: one `impl` per mmtk trait.
//!
//! Plan: Immix without moving, full-heap collections, one worker thread. Stacks are scanned
//! conservatively, the heap precisely.
#![allow(unsafe_code, reason = "the seam between mmtk and raw object memory")]

use super::heap::heap;
use super::{layout, roots, stack_scan, weak};
use crate::threads::{self, ThreadContext};
use core::sync::atomic::{AtomicUsize, Ordering};
use mmtk::util::alloc::AllocationError;
use mmtk::util::copy::{CopySemantics, GCWorkerCopyContext};
use mmtk::util::heap::GCTriggerPolicy;
use mmtk::util::opaque_pointer::{OpaquePointer, VMMutatorThread, VMThread, VMWorkerThread};
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::slot::{SimpleSlot, Slot, UnimplementedMemorySlice};
use mmtk::vm::{
    ActivePlan, Collection, GCThreadContext, ObjectModel, ObjectTracerContext, ReferenceGlue,
    RootsWorkFactory, Scanning, SlotVisitor, VMBinding, VMGlobalLogBitSpec,
    VMLocalForwardingBitsSpec, VMLocalForwardingPointerSpec, VMLocalLOSMarkNurserySpec,
    VMLocalMarkBitSpec, VMLocalPinningBitSpec,
};
use mmtk::{Mutator, scheduler::GCWorker};

/// This runtime, as a type parameter of everything in mmtk.
#[derive(Default)]
pub(super) struct Vm;

impl VMBinding for Vm {
    type VMObjectModel = Vm;
    type VMScanning = Vm;
    type VMCollection = Vm;
    type VMActivePlan = Vm;
    type VMReferenceGlue = Vm;
    type VMSlot = SimpleSlot;
    type VMMemorySlice = UnimplementedMemorySlice<SimpleSlot>;
    const ALIGNMENT_VALUE: u8 = 0;
    const MIN_ALIGNMENT: usize = 8;
    const MAX_ALIGNMENT: usize = 8;
    const USE_ALLOCATION_OFFSET: bool = false;
}

impl ObjectModel<Vm> for Vm {
    const GLOBAL_LOG_BIT_SPEC: VMGlobalLogBitSpec = VMGlobalLogBitSpec::side_first();
    // In the lock word, so that the method table of a moved object stays readable. (Nothing moves yet.)
    const LOCAL_FORWARDING_POINTER_SPEC: VMLocalForwardingPointerSpec =
        VMLocalForwardingPointerSpec::in_header(64);
    const LOCAL_FORWARDING_BITS_SPEC: VMLocalForwardingBitsSpec =
        VMLocalForwardingBitsSpec::side_first();
    const LOCAL_MARK_BIT_SPEC: VMLocalMarkBitSpec =
        VMLocalMarkBitSpec::side_after(Self::LOCAL_FORWARDING_BITS_SPEC.as_spec());
    const LOCAL_PINNING_BIT_SPEC: VMLocalPinningBitSpec =
        VMLocalPinningBitSpec::side_after(Self::LOCAL_MARK_BIT_SPEC.as_spec());
    const LOCAL_LOS_MARK_NURSERY_SPEC: VMLocalLOSMarkNurserySpec =
        VMLocalLOSMarkNurserySpec::side_after(Self::LOCAL_PINNING_BIT_SPEC.as_spec());
    const UNIFIED_OBJECT_REFERENCE_ADDRESS: bool = true;
    const OBJECT_REF_OFFSET_LOWER_BOUND: isize = 0;

    fn copy(
        from: ObjectReference,
        to: CopySemantics,
        context: &mut GCWorkerCopyContext<Vm>,
    ) -> ObjectReference {
        let size = Self::get_current_size(from);
        let start = context.alloc_copy(from, size, 8, 0, to);
        // SAFETY: source is a whole object, destination is fresh memory of the same size.
        let copy = unsafe {
            core::ptr::copy_nonoverlapping(
                from.to_raw_address().to_ptr::<u8>(),
                start.to_mut_ptr::<u8>(),
                size,
            );
            ObjectReference::from_raw_address_unchecked(start)
        };
        context.post_copy(copy, size, to);
        copy
    }

    fn copy_to(_: ObjectReference, _: ObjectReference, _: Address) -> Address {
        unimplemented!("only for compacting plans")
    }

    fn get_reference_when_copied_to(_: ObjectReference, _: Address) -> ObjectReference {
        unimplemented!("only for compacting plans")
    }

    fn get_current_size(object: ObjectReference) -> usize {
        // SAFETY: mmtk asks about live objects only.
        unsafe { layout::size(object.to_raw_address().as_usize()) }
    }

    fn get_size_when_copied(object: ObjectReference) -> usize {
        Self::get_current_size(object)
    }

    fn get_align_when_copied(_: ObjectReference) -> usize {
        8
    }

    fn get_align_offset_when_copied(_: ObjectReference) -> usize {
        0
    }

    fn get_type_descriptor(_: ObjectReference) -> &'static [i8] {
        &[]
    }

    fn ref_to_object_start(object: ObjectReference) -> Address {
        object.to_raw_address()
    }

    fn ref_to_header(object: ObjectReference) -> Address {
        object.to_raw_address()
    }

    fn dump_object(object: ObjectReference) {
        eprintln!("object at {object}");
    }
}

impl Scanning<Vm> for Vm {
    #[inline]
    fn scan_object<V: SlotVisitor<SimpleSlot>>(
        _: VMWorkerThread,
        object: ObjectReference,
        visitor: &mut V,
    ) {
        let visit = |at: usize| {
            // SAFETY: `at` is a slot inside the object being scanned.
            let slot = SimpleSlot::from_address(unsafe { Address::from_usize(at) });
            if let Some(referent) = slot.load() {
                prefetch(referent);
                visitor.visit_slot(slot);
            }
        };
        // SAFETY: mmtk scans live objects only.
        unsafe { layout::for_each_slot(object.to_raw_address().as_usize(), visit) };
    }

    fn notify_initial_thread_scan_complete(_: bool, _: VMWorkerThread) {}

    fn scan_roots_in_mutator_thread(
        _: VMWorkerThread,
        mutator: &'static mut Mutator<Vm>,
        mut factory: impl RootsWorkFactory<SimpleSlot>,
    ) {
        stack_scan::scan_thread(context_of(mutator.mutator_tls), &mut factory);
    }

    fn scan_vm_specific_roots(_: VMWorkerThread, mut factory: impl RootsWorkFactory<SimpleSlot>) {
        weak::start_cycle();
        roots::scan(&mut factory);
    }

    fn supports_return_barrier() -> bool {
        false
    }

    fn prepare_for_roots_re_scanning() {}

    fn process_weak_refs(worker: &mut GCWorker<Vm>, context: impl ObjectTracerContext<Vm>) -> bool {
        context.with_tracer(worker, weak::process)
    }
}

#[inline]
fn prefetch(object: ObjectReference) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetching any address is harmless.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(
            object.to_raw_address().to_ptr(),
        );
    }
}

/// Collections finished so far.
pub(super) static EPOCH: AtomicUsize = AtomicUsize::new(0);

impl Collection<Vm> for Vm {
    fn stop_all_mutators<F: FnMut(&'static mut Mutator<Vm>)>(_: VMWorkerThread, mut visit: F) {
        threads::stop_world();
        for t in threads::stopped_threads() {
            // SAFETY: the thread is stopped, so the worker has its mutator for itself.
            visit(unsafe { (*t.mutator.get()).get() });
        }
    }

    fn resume_mutators(_: VMWorkerThread) {
        EPOCH.fetch_add(1, Ordering::SeqCst);
        heap().collection_finished();
        threads::resume_world();
        super::finalize::announce();
    }

    fn block_for_gc(_: VMMutatorThread) {
        // The collection that was asked for cannot be over yet: it needs this thread to stop.
        let before = EPOCH.load(Ordering::SeqCst);
        threads::blocking(|| heap().wait_for_epoch_after(before));
    }

    fn spawn_gc_thread(_: VMThread, context: GCThreadContext<Vm>) {
        let GCThreadContext::Worker(worker) = context;
        let work = move || {
            let _no_unwinding = AbortOnPanic;
            // An odd pointer that is no thread context: see `is_mutator`.
            let tls = VMThread(OpaquePointer::from_address(worker_address(worker.ordinal)));
            mmtk::memory_manager::start_worker(heap().mmtk(), VMWorkerThread(tls), worker);
        };
        let spawned = std::thread::Builder::new()
            .name("gc-worker".into())
            .spawn(work);
        assert!(spawned.is_ok(), "cannot start a collector thread");
    }

    fn out_of_memory(_: VMThread, error: AllocationError) {
        match error {
            // The allocation returns null and becomes an OutOfMemoryException.
            AllocationError::HeapOutOfMemory => {}
            AllocationError::MmapOutOfMemory => {
                eprintln!("aotrun: the system has no memory left");
                std::process::abort();
            }
        }
    }

    fn vm_live_bytes() -> usize {
        super::pressure_bytes()
    }

    fn is_collection_enabled() -> bool {
        heap().is_collection_enabled()
    }

    fn create_gc_trigger() -> Box<dyn GCTriggerPolicy<Vm>> {
        Box::new(super::trigger::Trigger::new())
    }
}

/// A worker that panics would leave all threads waiting for the end of its collection.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("aotrun: the collector has failed");
            std::process::abort();
        }
    }
}

fn worker_address(ordinal: usize) -> Address {
    // SAFETY: never dereferenced, only told apart from thread contexts.
    unsafe { Address::from_usize(2 * ordinal + 1) }
}

/// Thread contexts are aligned, workers are marked with odd numbers.
fn is_context(tls: VMThread) -> bool {
    let addr = tls.0.to_address().as_usize();
    addr != 0 && addr.is_multiple_of(8)
}

pub(super) fn tls_of(t: &ThreadContext) -> VMMutatorThread {
    // SAFETY: an address used as an opaque identity.
    VMMutatorThread(VMThread(OpaquePointer::from_address(unsafe {
        Address::from_usize(t.addr())
    })))
}

fn context_of(tls: VMMutatorThread) -> &'static ThreadContext {
    // SAFETY: mutator identities are addresses of attached contexts (`tls_of`), which outlive their mutators.
    unsafe { tls.0.0.to_address().as_ref::<ThreadContext>() }
}

impl ActivePlan<Vm> for Vm {
    fn is_mutator(tls: VMThread) -> bool {
        is_context(tls)
    }

    fn mutator(tls: VMMutatorThread) -> &'static mut Mutator<Vm> {
        // SAFETY: mmtk asks for the mutator of the calling thread, or of a stopped one.
        unsafe { (*context_of(tls).mutator.get()).get() }
    }

    fn mutators<'a>() -> Box<dyn Iterator<Item = &'a mut Mutator<Vm>> + 'a> {
        // SAFETY: mmtk iterates while the world is stopped.
        Box::new(
            threads::stopped_threads()
                .into_iter()
                .map(|t| unsafe { (*t.mutator.get()).get() }),
        )
    }

    fn number_of_mutators() -> usize {
        threads::stopped_threads().len()
    }
}

impl ReferenceGlue<Vm> for Vm {
    type FinalizableType = ObjectReference;

    fn clear_referent(_: ObjectReference) {
        unreachable!("mmtk's reference processors are off")
    }

    fn get_referent(_: ObjectReference) -> Option<ObjectReference> {
        unreachable!("mmtk's reference processors are off")
    }

    fn set_referent(_: ObjectReference, _: ObjectReference) {
        unreachable!("mmtk's reference processors are off")
    }

    fn enqueue_references(_: &[ObjectReference], _: VMWorkerThread) {
        unreachable!("mmtk's reference processors are off")
    }
}
