//! The runtime helpers of `abi::helper`: one function per row.
#![allow(
    unsafe_code,
    reason = "arguments are raw references and addresses from compiled code"
)]

use crate::arch::native::stubs::{self, transition_stub};
use crate::eh::{FrameWalk, Step};
use crate::icall::{Thrown, managed};
use crate::interop;
use crate::object::{MethodDesc, MethodTable, Obj, array, new_object};
use crate::runtime::{self, cast, delegates};
use crate::threads;
use shared_codegen::abi::helper::HelperId;

/// Address of a helper: of its stub if it is marked `STUB`.
pub fn address(helper: HelperId) -> usize {
    use HelperId::*;
    macro_rules! f {
        ($f:path) => {
            $f as *const () as usize
        };
    }
    match helper {
        NewObject => transition_stub!(new_object_helper),
        NewArray => transition_stub!(new_array),
        NewMdArray => transition_stub!(new_md_array),
        NewSmallObject => f!(stubs::new_small_object),
        NewSmallArray => f!(stubs::new_small_array),
        CastClass => transition_stub!(cast_class),
        IsInst => f!(is_inst),
        Unbox => transition_stub!(unbox),
        UnboxNullable => transition_stub!(unbox_nullable),
        Box => transition_stub!(box_value),
        ArrayStoreCheck => transition_stub!(array_store_check),
        ArrayAddressCheck => transition_stub!(array_address_check),
        ClassInit => transition_stub!(class_init),
        ThreadStaticsBase => transition_stub!(thread_statics_base),
        ResolveVirtual => transition_stub!(resolve_virtual),
        ResolveGenericVirtual => transition_stub!(resolve_virtual),
        GenericLookup => stubs::generic_lookup(),
        Throw => f!(stubs::throw),
        Rethrow => f!(stubs::rethrow),
        ResumeUnwind => f!(stubs::resume_unwind),
        ThrowPending => f!(stubs::throw_pending),
        ThrowTrap => f!(stubs::throw_trap),
        Poll => f!(stubs::poll),
        PollWide => f!(stubs::poll_wide),
        ThrowCompileError => f!(throw_compile_error),
        DelegateInit => transition_stub!(delegate_init),
        RefAnyCheck => transition_stub!(refany_check),
        EndCatch => transition_stub!(end_catch),
        MonitorEnter => transition_stub!(monitor_enter),
        MonitorExit => transition_stub!(monitor_exit),
        WriteBarrier => f!(write_barrier),
        CopyWithRefs => f!(copy_with_refs),
        MemMove => f!(mem_move),
        MemSet => f!(mem_set),
        FmodF64 => f!(fmod),
        FmodF32 => f!(fmodf),
        Sin => f!(libm::sin),
        Cos => f!(libm::cos),
        Tan => f!(libm::tan),
        Atan => f!(libm::atan),
        Atan2 => f!(libm::atan2),
        Exp => f!(libm::exp),
        Log => f!(libm::log),
        Log10 => f!(libm::log10),
        Pow => f!(libm::pow),
        TraceEnter => f!(trace_enter),
        TraceLeave => f!(trace_leave),
        ResolvePInvoke => f!(resolve_pinvoke),
        TextToNative => f!(interop::text::text_to_native),
        TextFromNative => f!(interop::text::text_from_native),
        FreeNative => f!(interop::text::free_native),
        BuilderToNative => f!(interop::text::builder_to_native),
        BuilderFromNative => f!(interop::text::builder_from_native),
        StructToNative => f!(interop::structure::struct_to_native),
        StructFromNative => f!(interop::structure::struct_from_native),
        StructDestroy => f!(interop::structure::struct_destroy),
        ObjectToNative => f!(interop::structure::object_to_native),
        ObjectFromNative => f!(interop::structure::object_from_native),
        ArrayToNative => f!(interop::structure::array_to_native),
        ArrayFromNative => f!(interop::structure::array_from_native),
        ArrayNew => f!(interop::structure::array_new),
        ArrayIntoNative => f!(interop::structure::array_into_native),
        DelegateToNative => f!(interop::delegate_to_native),
        DelegateFromNative => f!(interop::delegate_from_native),
        ThrowNullHandle => f!(interop::throw_null_handle),
        HandleNew => f!(interop::handle_new),
        HandleSet => f!(interop::handle_set),
        CustomMarshaler => f!(interop::custom_marshaler),
        CustomToNative => f!(interop::custom_to_native),
        CustomFromNative => f!(interop::custom_from_native),
        CustomClean => f!(interop::custom_clean),
        ThrowForHresult => f!(interop::throw_for_hresult),
        Interpret => transition_stub!(crate::interp::interpret),
        SaveLastError => f!(save_last_error),
        #[allow(
            unreachable_patterns,
            reason = "rows added to the table are not helpers of ours until written"
        )]
        _ => f!(missing_helper),
    }
}

/// The math functions of the C library.
mod libm {
    unsafe extern "C" {
        pub(super) fn sin(x: f64) -> f64;
        pub(super) fn cos(x: f64) -> f64;
        pub(super) fn tan(x: f64) -> f64;
        pub(super) fn atan(x: f64) -> f64;
        pub(super) fn atan2(y: f64, x: f64) -> f64;
        pub(super) fn exp(x: f64) -> f64;
        pub(super) fn log(x: f64) -> f64;
        pub(super) fn log10(x: f64) -> f64;
        pub(super) fn pow(x: f64, y: f64) -> f64;
    }
}

extern "C" fn missing_helper() {
    managed(|| {
        Err(Thrown::system(
            "NotImplementedException",
            "a runtime helper is missing",
        ))
    })
}

type Table = &'static MethodTable;

pub(crate) extern "C" fn new_object_helper(mt: Table) -> Obj {
    managed(|| new_object(mt))
}

pub(crate) extern "C" fn new_array(mt: Table, len: i64) -> Obj {
    managed(|| match usize::try_from(len) {
        Ok(len) => array::allocate(mt, len),
        Err(_) => Err(Thrown::bare("System", "OverflowException")),
    })
}

extern "C" fn new_md_array(mt: Table, count: i32, args: *const i32) -> Obj {
    // SAFETY: compiled code passes the address of `count` numbers in its frame.
    let args = unsafe { core::slice::from_raw_parts(args, count as usize) };
    managed(|| array::construct(mt, args))
}

extern "C" fn cast_class(mt: Table, o: Obj) -> Obj {
    if o.is_null() || cast::is_instance(o, mt) {
        return o;
    }
    managed(|| Err(cast::invalid_cast(o)))
}

extern "C" fn is_inst(mt: Table, o: Obj) -> Obj {
    if !o.is_null() && cast::is_instance(o, mt) {
        o
    } else {
        Obj::NULL
    }
}

extern "C" fn unbox(mt: Table, o: Obj) -> *mut u8 {
    managed(|| {
        if o.is_null() {
            return Err(Thrown::null_reference());
        }
        if cast::unboxes_to(o.method_table(), mt) {
            Ok(o.data())
        } else {
            Err(cast::invalid_cast(o))
        }
    })
}

extern "C" fn unbox_nullable(mt: Table, o: Obj, to: *mut u8) {
    managed(|| cast::unbox_nullable(mt, o, to))
}

extern "C" fn box_value(mt: Table, from: *const u8) -> Obj {
    managed(|| cast::box_value(mt, from))
}

extern "C" fn array_store_check(a: Obj, o: Obj) {
    managed(|| {
        let element = a.method_table().element();
        if o.is_null() || element.is_none_or(|e| cast::is_instance(o, e)) {
            return Ok(());
        }
        Err(Thrown::bare("System", "ArrayTypeMismatchException"))
    })
}

extern "C" fn array_address_check(a: Obj, element: Table) {
    managed(|| match a.method_table().element() {
        Some(e) if !core::ptr::eq(e, element) => {
            Err(Thrown::bare("System", "ArrayTypeMismatchException"))
        }
        _ => Ok(()),
    })
}

extern "C" fn class_init(mt: Table) {
    managed(|| runtime::get().class_init.ensure(mt))
}

extern "C" fn thread_statics_base(index: usize) -> *mut u8 {
    managed(|| runtime::statics::thread_block(index))
}

extern "C" fn resolve_virtual(o: Obj, method: usize) -> usize {
    managed(|| {
        let rt = runtime::get();
        let desc = MethodDesc::from_handle(method).ok_or_else(Thrown::null_reference)?;
        let target = rt.methods.resolve_virtual(rt, o, desc.method)?;
        rt.methods.for_object(rt, target)
    })
}

pub(crate) extern "C" fn generic_lookup(context: usize, descriptor: usize) -> usize {
    managed(|| runtime::get().lookups.resolve(context, descriptor))
}

extern "C" fn throw_compile_error(index: u64) {
    managed(|| {
        let start = match FrameWalk::new(threads::current()).step() {
            Step::Managed(frame) => frame.code.start,
            _ => 0,
        };
        let rt = runtime::get();
        let failure = rt.images.failure_at(start, index as u32);
        Err::<(), _>(failure.unwrap_or_else(|| rt.jit.compile_failure(start, index as usize)))
    })
}

extern "C" fn delegate_init(d: Obj, target: Obj, code: usize, method: usize) {
    managed(|| delegates::init(d, target, code, MethodDesc::from_handle(method)))
}

extern "C" fn refany_check(expected: usize, actual: usize) {
    managed(|| {
        if expected == actual {
            Ok(())
        } else {
            Err(Thrown::bare("System", "InvalidCastException"))
        }
    })
}

extern "C" fn end_catch(caught: Obj) {
    managed(|| crate::icall::thread::end_catch(caught))
}

extern "C" fn monitor_enter(o: Obj) {
    managed(|| {
        if o.is_null() {
            return Err(Thrown::argument_null("obj"));
        }
        threads::monitor::enter(o.addr(), None, false);
        Ok(())
    })
}

extern "C" fn monitor_exit(o: Obj) {
    managed(|| {
        threads::monitor::exit(o.addr()).map_err(|_| {
            Thrown::of(
                "System.Threading",
                "SynchronizationLockException",
                "Object synchronization method was called from an unsynchronized block of code.",
            )
        })
    })
}

extern "C" fn write_barrier(_: usize) {}

extern "C" fn copy_with_refs(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: compiled code passes two regions of `len` bytes that belong to live values.
    unsafe { core::ptr::copy(from, to, len) };
}

extern "C" fn mem_move(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: `cpblk`: the program vouches for the regions.
    unsafe { core::ptr::copy(from, to, len) };
}

extern "C" fn mem_set(to: *mut u8, byte: i32, len: usize) {
    // SAFETY: `initblk`: the program vouches for the region.
    unsafe { core::ptr::write_bytes(to, byte as u8, len) };
}

extern "C" fn fmod(a: f64, b: f64) -> f64 {
    a % b
}

extern "C" fn fmodf(a: f32, b: f32) -> f32 {
    a % b
}

extern "C" fn trace_enter(method: usize) {
    trace('>', method);
}

extern "C" fn trace_leave(method: usize) {
    trace('<', method);
}

fn trace(mark: char, method: usize) {
    if let Some(desc) = MethodDesc::from_handle(method) {
        eprintln!(
            "{mark} {}",
            runtime::get().types.method_full_name(desc.method)
        );
    }
}

extern "C" fn resolve_pinvoke(method: usize) -> usize {
    managed(|| {
        let desc = MethodDesc::from_handle(method).ok_or_else(Thrown::null_reference)?;
        interop::resolve(runtime::get(), desc)
    })
}

extern "C" fn save_last_error() {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    crate::interop::LAST_ERROR.set(errno);
}
