//! Delegates and function pointers: native code calling delegates, and delegates that stand for native functions.

use crate::arch::native::stubs::NativeArgs;
use crate::gc::HandleKind;
use crate::icall::{Result, Thrown};
use crate::object::{Handle, Obj, new_object};
use crate::runtime;
use crate::runtime::invoke::{self, Arg};
use crate::threads;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use shared_codegen::abi::layout::delegate;
use shared_codegen::import::{ImportOptions, import_method};
use shared_codegen::types::{MethodId, SyntheticKind, TypeId};
use std::collections::VecDeque;

/// Function pointers made from delegates; native code holds them, so this is a global.
static THUNKS: Mutex<Option<Thunks>> = Mutex::new(None);

/// Thunks are kept: native code may hold pointers to them for as long as it likes. Those of delegates that are gone serve new ones,
/// after a long time in a queue so that wrong calls are noticed.
#[derive(Default)]
struct Thunks {
    by_address: FxHashMap<usize, &'static Callback>,
    free: VecDeque<usize>,
    /// Number of thunks at which those of lost delegates are looked for.
    sweep_at: usize,
}

/// Thunks that wait before one is used again; also how many there are before the first search.
const QUARANTINE: usize = 1000;

/// The field of delegates with the function pointer made from them or that they stand for.
const FUNCTION_FIELD: &str = "delegate_trampoline";

/// What a function pointer made from a delegate calls.
struct Callback {
    /// Holds the delegate weakly, but until after its finalization.
    delegate: Handle,
    /// The delegate type, to name it when the delegate is gone.
    class: AtomicU32,
    /// Code of the stub that takes the delegate and the frame.
    stub: AtomicUsize,
}

impl Thunks {
    /// A thunk that can be used again.
    fn reused(&mut self) -> Option<(usize, &'static Callback)> {
        if self.by_address.len() >= self.sweep_at.max(QUARANTINE) && self.free.len() <= QUARANTINE {
            self.sweep();
        }
        if self.free.len() <= QUARANTINE {
            return None;
        }
        let thunk = self.free.pop_front()?;
        Some((thunk, self.by_address.get(&thunk)?))
    }

    /// Queues the thunks of delegates that are gone.
    fn sweep(&mut self) {
        let waiting: FxHashSet<usize> = self.free.iter().copied().collect();
        let lost = self.by_address.iter().filter(|(thunk, callback)| {
            callback.delegate.target().is_null() && !waiting.contains(thunk)
        });
        self.free.extend(lost.map(|(thunk, _)| *thunk));
        self.sweep_at = 2 * (self.by_address.len() - self.free.len());
        self.sweep_at = self.sweep_at.max(self.by_address.len() + QUARANTINE);
    }
}

fn invoke_of(class: TypeId) -> Result<MethodId> {
    let invoke = runtime::get().types.delegate_invoke(class)?;
    invoke.ok_or_else(|| Thrown::argument("Type must derive from Delegate.", "t"))
}

/// A function pointer that calls a delegate; made once per delegate object.
pub(super) fn thunk_for(delegate: Obj) -> Result<usize> {
    let rt = runtime::get();
    let known = rt.get_field::<usize>(delegate, FUNCTION_FIELD);
    if known != 0 {
        return Ok(known);
    }
    let class = delegate.method_table().type_id();
    let stub = rt
        .types
        .marshalling_stub(SyntheticKind::NativeToManaged, invoke_of(class)?)?;
    let desc = rt.methods.desc(stub);
    if desc.compiled().is_none() {
        check(stub)?;
        rt.jit.prepare(rt, desc)?;
    }
    let code = rt.methods.callable(rt, desc)?;
    let mut thunks = THUNKS.lock();
    let thunks = thunks.get_or_insert_default();
    let known = rt.get_field::<usize>(delegate, FUNCTION_FIELD);
    if known != 0 {
        // Another thread was faster.
        return Ok(known);
    }
    let thunk = match thunks.reused() {
        Some((thunk, callback)) => {
            callback.class.store(class.0, Ordering::Relaxed);
            callback.stub.store(code, Ordering::Relaxed);
            callback.delegate.set_target(delegate);
            thunk
        }
        None => {
            let callback: &'static Callback = Box::leak(Box::new(Callback {
                delegate: Handle::new(HandleKind::WeakTrackResurrection, delegate),
                class: AtomicU32::new(class.0),
                stub: AtomicUsize::new(code),
            }));
            let data = core::ptr::from_ref(callback) as usize;
            let thunk = rt.jit.thunks.native_callback(data, entry)?;
            thunks.by_address.insert(thunk, callback);
            thunk
        }
    };
    rt.set_field(delegate, FUNCTION_FIELD, thunk);
    Ok(thunk)
}

/// Fails if the stub cannot marshal: here the exception has somewhere to go, in a call from native code it has not.
fn check(stub: MethodId) -> Result<()> {
    let rt = runtime::get();
    let body = import_method(&rt.types, stub, &ImportOptions::default());
    match body
        .map_err(|e| Thrown::not_supported(e.to_string()))?
        .failures
        .first()
    {
        Some(f) => Err(f.into()),
        None => Ok(()),
    }
}

/// The delegate for a function pointer: the one that [`thunk_for`] made it of, or a new one that calls the native function.
pub fn delegate_of(code: usize, class: TypeId) -> Result<Obj> {
    if code == 0 {
        return Ok(Obj::NULL);
    }
    let rt = runtime::get();
    let callback = THUNKS
        .lock()
        .as_ref()
        .and_then(|t| t.by_address.get(&code).copied());
    if let Some(known) = callback.and_then(|c| c.delegate.target().non_null())
        && known.method_table().type_id() == class
    {
        return Ok(known);
    }
    let invoke = invoke_of(class)?;
    let stub = rt
        .types
        .marshalling_stub(SyntheticKind::ManagedToNative, invoke)?;
    let stub = rt.methods.desc(stub);
    rt.jit.prepare(rt, stub)?;
    let made = new_object(rt.method_table(class)?)?;
    made.set(delegate::METHOD_PTR as u32, rt.methods.callable(rt, stub)?);
    made.set(delegate::INVOKE_KIND as u32, delegate::INVOKE_CLOSED);
    made.set(delegate::TARGET as u32, made);
    made.set(delegate::METHOD as u32, rt.methods.desc(invoke).handle());
    rt.set_field(made, FUNCTION_FIELD, code);
    Ok(made)
}

/// # Safety
/// `data` is a [`Callback`], `args` what the native caller passed.
unsafe extern "C" fn entry(data: usize, args: *mut NativeArgs) {
    // SAFETY: the thunk passes the address of a leaked `Callback`.
    let callback = unsafe { &*(data as *const Callback) };
    threads::managed(|| {
        if let Err(thrown) = call(callback, args as u64) {
            runtime::exit::unhandled(thrown.into_object());
        }
    });
}

fn call(callback: &Callback, frame: u64) -> Result<()> {
    let Some(delegate) = callback.delegate.target().non_null() else {
        let name = runtime::get()
            .types
            .full_name(TypeId(callback.class.load(Ordering::Relaxed)));
        return Err(Thrown::system(
            "ExecutionEngineException",
            format!(
                "A callback was made on a garbage collected delegate of type '{name}::Invoke'."
            ),
        ));
    };
    let stub = callback.stub.load(Ordering::Relaxed);
    invoke::call_code(stub, &[Arg::Ref(delegate), Arg::Word(frame)])?;
    Ok(())
}
