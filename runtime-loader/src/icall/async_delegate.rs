//! `BeginInvoke` and `EndInvoke` of delegates: the call runs on the thread pool as an `AsyncResult`.
//!
//! The runtime supplies both methods for every delegate type, so arguments arrive as the calling convention has them and are
//! boxed here; [`box_arguments`] and [`store_results`] are the two directions.

use super::reflection::invoke::invoke_with_objects;
use super::{Result, Thrown, icalls, managed};
use crate::arch::native::stubs::NativeArgs;
use crate::object::{MethodDesc, Obj, array, new_object};
use crate::runtime::{self, Runtime, cast, invoke};
use crate::threads::{monitor, waitable};
use shared_codegen::ir::MemType;
use shared_codegen::types::{Known, MethodId, TypeId, TypeKind, ValueClass};

icalls! {
    "System.Runtime.Remoting.Messaging.AsyncResult" {
        "Invoke" => run(Obj) -> Obj;
    }
}

/// Native code of `BeginInvoke` or `EndInvoke`; `None` for other methods.
pub fn native_code(rt: &Runtime, desc: &'static MethodDesc) -> Option<Result<usize>> {
    if !rt.types.is_delegate(rt.types.method_owner(desc.method)) {
        return None;
    }
    let entry = match rt.types.method_name(desc.method) {
        "BeginInvoke" => begin_entry,
        "EndInvoke" => end_entry,
        _ => return None,
    };
    let thunk = rt.jit.thunks.native_callback(desc.handle(), entry);
    Some(thunk.map_err(Thrown::from))
}

/// Arguments of a call in the order of the calling convention.
struct Words<'a> {
    args: &'a NativeArgs,
    ints: usize,
    floats: usize,
    stack: usize,
}

impl Words<'_> {
    fn next(&mut self, float: bool) -> u64 {
        let (registers, used): (&[u64], _) = match float {
            true => (&self.args.floats, &mut self.floats),
            false => (&self.args.ints, &mut self.ints),
        };
        if let Some(word) = registers.get(*used) {
            *used += 1;
            return *word;
        }
        self.stack += 1;
        // SAFETY: the caller passed as many arguments as the signature says.
        unsafe { self.args.stack.add(self.stack - 1).read() }
    }

    fn next_of(&mut self, class: ValueClass) -> u64 {
        self.next(matches!(
            class,
            ValueClass::Scalar(MemType::F32 | MemType::F64)
        ))
    }

    fn object(&mut self) -> Obj {
        Obj::from_addr(self.next(false) as usize)
    }
}

fn words(args: &NativeArgs) -> Words<'_> {
    Words {
        args,
        ints: 0,
        floats: 0,
        stack: 0,
    }
}

/// Boxes a value of any type at an address; references are read.
fn box_at(ty: TypeId, at: *const u8) -> Result<Obj> {
    let rt = runtime::get();
    if rt.types.is_value_type(ty) {
        return cast::box_value(rt.method_table(ty)?, at);
    }
    // SAFETY: the address of a variable of reference type.
    Ok(unsafe { at.cast::<Obj>().read() })
}

fn box_argument(ty: TypeId, words: &mut Words<'_>) -> Result<Obj> {
    let rt = runtime::get();
    let class = rt.types.value_class(ty)?;
    let word = words.next_of(class);
    match (class, rt.types.kind(ty)) {
        (_, TypeKind::ByRef(target)) => box_at(target, word as *const u8),
        (ValueClass::Struct { .. }, _) => box_at(ty, word as *const u8),
        (_, TypeKind::Ptr(_)) => Err(Thrown::not_supported(
            "pointers as arguments of asynchronous calls",
        )),
        _ => box_at(ty, core::ptr::from_ref(&word).cast()),
    }
}

fn object_array(len: usize) -> Result<Obj> {
    let rt = runtime::get();
    let ty = rt.types.sz_array(rt.types.known(Known::Object));
    array::allocate(rt.method_table(ty)?, len)
}

/// # Safety
/// `data` is the handle of the method, `args` what its managed caller passed.
unsafe extern "C" fn begin_entry(data: usize, args: *mut NativeArgs) {
    // SAFETY: the caller's promise.
    let args = unsafe { &mut *args };
    args.int_results[0] = 0;
    args.int_results[0] = managed(|| begin(data, args)).addr() as u64;
}

fn method_of(handle: usize) -> Result<&'static MethodDesc> {
    MethodDesc::from_handle(handle).ok_or_else(Thrown::null_reference)
}

fn begin(handle: usize, args: &NativeArgs) -> Result<Obj> {
    let rt = runtime::get();
    let params = rt.types.method_signature(method_of(handle)?.method)?.params;
    // The last two are the callback and the state.
    let count = params
        .len()
        .checked_sub(2)
        .ok_or_else(Thrown::null_reference)?;
    let mut words = words(args);
    let delegate = words.object();
    let list: Obj = rt.get_field(delegate, "delegates");
    if !list.is_null() {
        return Err(Thrown::argument(
            "The delegate must have only one target",
            "this",
        ));
    }
    let values = object_array(count)?;
    for (n, ty) in params[..count].iter().enumerate() {
        array::set(values, n, box_argument(*ty, &mut words)?);
    }
    let (callback, state) = (words.object(), words.object());
    let call = new_object(rt.known(Known::MonoAsyncCall))?;
    rt.set_field(call, "out_args", values);
    rt.set_field(call, "cb_target", callback);
    let result = new_object(rt.known(Known::AsyncResult))?;
    rt.set_field(result, "async_state", state);
    rt.set_field(result, "async_delegate", delegate);
    rt.set_field(result, "async_callback", callback);
    rt.set_field(result, "object_data", call);
    queue(rt, result)?;
    Ok(result)
}

fn queue(rt: &'static Runtime, item: Obj) -> Result<()> {
    let pool = rt.types.known(Known::ThreadPool);
    let method = rt.types.find_method(pool, "UnsafeQueueCustomWorkItem")?;
    let method = method.ok_or_else(Thrown::null_reference)?;
    let args = [invoke::Arg::Ref(item), invoke::Arg::Word(0)];
    invoke::call(rt.methods.desc(method), &args).map(|_| ())
}

/// The `Invoke` method of a delegate object.
fn invoke_of(delegate: Obj) -> Result<MethodId> {
    let class = delegate.method_table().type_id();
    let found = runtime::get().types.delegate_invoke(class)?;
    found.ok_or_else(Thrown::null_reference)
}

/// `AsyncResult.Invoke`, on a thread of the pool: makes the call and tells those who wait for it.
extern "C" fn run(result: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let delegate: Obj = rt.get_field(result, "async_delegate");
        let call: Obj = rt.get_field(result, "object_data");
        let values: Obj = rt.get_field(call, "out_args");
        let method = rt.methods.desc(invoke_of(delegate)?);
        match invoke_with_objects(method, delegate, values) {
            Ok(value) => rt.set_field(call, "res", value),
            Err(thrown) => rt.set_field(call, "msg", failure(rt, thrown)?),
        }
        complete(rt, result)?;
        let callback: Obj = rt.get_field(call, "cb_target");
        if let Some(callback) = callback.non_null() {
            let method = rt.methods.desc(invoke_of(callback)?);
            let args = [callback, result].map(invoke::Arg::Ref);
            invoke::call(method, &args)?;
        }
        Ok(rt.get_field(call, "res"))
    })
}

/// A message that carries an exception.
fn failure(rt: &Runtime, thrown: Thrown) -> Result<Obj> {
    let exception = thrown.into_object();
    let message = new_object(rt.known(Known::MonoMethodMessage))?;
    rt.set_field(message, "exc", exception);
    Ok(message)
}

fn not_owner(_: monitor::NotOwner) -> Thrown {
    Thrown::bare("System.Threading", "SynchronizationLockException")
}

fn complete(rt: &Runtime, result: Obj) -> Result<()> {
    monitor::enter(result.addr(), None, false);
    rt.set_field(result, "completed", 1u8);
    let event: Obj = rt.get_field(result, "handle");
    if let Some(event) = event.non_null() {
        let safe: Obj = rt.get_field(event, "safeWaitHandle");
        if let Some(safe) = safe.non_null() {
            waitable::signal(rt.get_field(safe, "handle"));
        }
    }
    monitor::pulse(result.addr(), true).map_err(not_owner)?;
    monitor::exit(result.addr()).map_err(not_owner)
}

/// # Safety
/// As [`begin_entry`].
unsafe extern "C" fn end_entry(data: usize, args: *mut NativeArgs) {
    // SAFETY: the caller's promise.
    let args = unsafe { &mut *args };
    (args.int_results[0], args.float_results[0]) = (0, 0);
    managed(|| end(data, args));
}

fn end(handle: usize, args: &mut NativeArgs) -> Result<()> {
    let rt = runtime::get();
    let signature = *rt.types.method_signature(method_of(handle)?.method)?;
    let ret = rt.types.value_class(signature.ret)?;
    let mut words = words(args);
    let delegate = words.object();
    let buffer = match ret {
        ValueClass::Struct { .. } => words.next(false) as *mut u8,
        _ => core::ptr::null_mut(),
    };
    let (last, by_refs) = signature
        .params
        .split_last()
        .ok_or_else(Thrown::null_reference)?;
    let mut outs = Vec::new();
    for ty in by_refs {
        outs.push(words.next_of(rt.types.value_class(*ty)?) as *mut u8);
    }
    let result = Obj::from_addr(words.next_of(rt.types.value_class(*last)?) as usize);
    let result = result
        .non_null()
        .ok_or_else(|| Thrown::argument_null("result"))?;
    let call = claim(rt, delegate, result)?;
    let value = outcome(rt, call)?;
    store_by_refs(rt, delegate, call, &outs)?;
    let mut word = 0u64;
    let to = match ret {
        ValueClass::Void => return Ok(()),
        ValueClass::Struct { .. } => buffer,
        ValueClass::Scalar(_) => core::ptr::from_mut(&mut word).cast(),
    };
    store(signature.ret, value, to)?;
    (args.int_results[0], args.float_results[0]) = (word, word);
    Ok(())
}

/// Waits for the call behind a result, which may be asked for once.
fn claim(rt: &Runtime, delegate: Obj, result: Obj) -> Result<Obj> {
    let same = core::ptr::eq(result.method_table(), rt.known(Known::AsyncResult))
        && rt.get_field::<Obj>(result, "async_delegate") == delegate;
    if !same {
        return Err(Thrown::system(
            "InvalidOperationException",
            "The IAsyncResult object provided does not match this delegate.",
        ));
    }
    monitor::enter(result.addr(), None, false);
    let again = rt.get_field::<u8>(result, "endinvoke_called") != 0;
    rt.set_field(result, "endinvoke_called", 1u8);
    while !again && rt.get_field::<u8>(result, "completed") == 0 {
        monitor::wait(result.addr(), None).map_err(not_owner)?;
    }
    monitor::exit(result.addr()).map_err(not_owner)?;
    if again {
        return Err(Thrown::system(
            "InvalidOperationException",
            "Can't call EndInvoke more than once",
        ));
    }
    Ok(rt.get_field(result, "object_data"))
}

/// The value of a finished call, or its exception.
fn outcome(rt: &Runtime, call: Obj) -> Result<Obj> {
    let message: Obj = rt.get_field(call, "msg");
    match message.non_null() {
        Some(m) => Err(Thrown::Object(rt.get_field(m, "exc"))),
        None => Ok(rt.get_field(call, "res")),
    }
}

/// Copies by-reference arguments back, in the order of the delegate's parameters.
fn store_by_refs(rt: &Runtime, delegate: Obj, call: Obj, outs: &[*mut u8]) -> Result<()> {
    let values: Obj = rt.get_field(call, "out_args");
    let params = rt.types.method_signature(invoke_of(delegate)?)?.params;
    let targets = params
        .iter()
        .enumerate()
        .filter_map(|(n, ty)| match rt.types.kind(*ty) {
            TypeKind::ByRef(target) => Some((n, target)),
            _ => None,
        });
    for ((n, target), to) in targets.zip(outs) {
        store(target, array::get(values, n), *to)?;
    }
    Ok(())
}

/// Stores a boxed value or a reference.
fn store(ty: TypeId, value: Obj, to: *mut u8) -> Result<()> {
    let rt = runtime::get();
    let table = rt.method_table(ty)?;
    if rt.types.is_nullable(ty) {
        return cast::unbox_nullable(table, value, to);
    }
    // SAFETY: the address of a variable or buffer of this type.
    unsafe {
        if !rt.types.is_value_type(ty) {
            to.cast::<Obj>().write(value);
        } else if !value.is_null() {
            core::ptr::copy_nonoverlapping(value.data(), to, cast::value_size(table));
        }
    }
    Ok(())
}
