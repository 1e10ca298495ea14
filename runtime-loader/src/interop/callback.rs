//! Native code calling delegates.

use crate::arch::native::stubs::NativeArgs;
use crate::gc::HandleKind;
use crate::icall::{Result, Thrown};
use crate::object::{Handle, Obj};
use crate::runtime;
use crate::runtime::invoke::{self, Arg};
use crate::threads;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::ir::MemType;
use shared_codegen::types::{MethodId, Prim, TypeId, ValueClass};
use smallvec::SmallVec;

/// Delegates by the function pointers made from them; native code holds the pointers, so this is a global.
static THUNKS: Mutex<Option<FxHashMap<usize, Handle>>> = Mutex::new(None);

/// Most parameters of a callback, the delegate included.
const MAX_PARAMS: usize = 32;

/// What a function pointer made from a delegate calls.
struct Callback {
    delegate: Handle,
    invoke: MethodId,
}

/// A function pointer that calls a delegate; made once per delegate object.
pub(super) fn thunk_for(delegate: Obj) -> Result<usize> {
    let rt = runtime::get();
    let known = rt.get_field::<usize>(delegate, "delegate_trampoline");
    if known != 0 {
        return Ok(known);
    }
    let class = delegate.method_table().type_id();
    let invoke = rt.types.delegate_invoke(class)?;
    let invoke = invoke.ok_or_else(Thrown::null_reference)?;
    let callback = Box::leak(Box::new(Callback {
        delegate: Handle::new(HandleKind::Weak, delegate),
        invoke,
    }));
    let data = core::ptr::from_ref(callback) as usize;
    let thunk = rt.jit.thunks.native_callback(data, entry)?;
    rt.set_field(delegate, "delegate_trampoline", thunk);
    let mut thunks = THUNKS.lock();
    thunks
        .get_or_insert_default()
        .insert(thunk, callback.delegate);
    Ok(thunk)
}

/// The delegate behind a function pointer that [`thunk_for`] made.
pub fn delegate_of(code: usize, _class: TypeId) -> Result<Obj> {
    if code == 0 {
        return Ok(Obj::NULL);
    }
    let handle = THUNKS.lock().get_or_insert_default().get(&code).copied();
    match handle.and_then(|h| h.target().non_null()) {
        Some(delegate) => Ok(delegate),
        None => Err(Thrown::not_supported(
            "delegates for functions that are not delegates themselves",
        )),
    }
}

/// # Safety
/// `data` is a [`Callback`], `args` what the native caller passed.
unsafe extern "C" fn entry(data: usize, args: *mut NativeArgs) {
    // SAFETY: the thunk passes the address of a leaked `Callback` and its own frame.
    let (callback, args) = unsafe { (&*(data as *const Callback), &mut *args) };
    threads::managed(|| {
        if let Err(thrown) = call(callback, args) {
            runtime::exit::unhandled(thrown.into_object());
        }
    });
}

fn call(callback: &Callback, args: &mut NativeArgs) -> Result<()> {
    let rt = runtime::get();
    let signature = rt.types.method_signature(callback.invoke)?;
    let delegate = callback.delegate.target();
    // References are in an array on the stack, where the collector sees them.
    let mut list: SmallVec<[Arg; MAX_PARAMS]> = SmallVec::new();
    if signature.params.len() >= MAX_PARAMS {
        return Err(Thrown::not_supported("callbacks with so many parameters"));
    }
    list.push(Arg::Ref(delegate));
    let (mut ints, mut floats, mut stack) = (0, 0, 0);
    for &p in signature.params {
        let class = rt.types.value_class(p)?;
        let float = matches!(class, ValueClass::Scalar(MemType::F32 | MemType::F64));
        let word = if float && floats < args.floats.len() {
            floats += 1;
            args.floats[floats - 1]
        } else if !float && ints < args.ints.len() {
            ints += 1;
            args.ints[ints - 1]
        } else {
            stack += 1;
            // SAFETY: the native caller passed as many arguments as the delegate type says.
            unsafe { args.stack.add(stack - 1).read() }
        };
        list.push(match class {
            ValueClass::Scalar(MemType::F32) => Arg::F32(f32::from_bits(word as u32)),
            ValueClass::Scalar(MemType::F64) => Arg::F64(f64::from_bits(word)),
            ValueClass::Scalar(MemType::Ref) => Arg::Ref(super::text_of(word as *const _)?),
            ValueClass::Scalar(m) => {
                Arg::Word(extend(m, rt.types.prim(rt.types.underlying(p)), word))
            }
            _ => Arg::Word(word),
        });
    }
    let method = rt.methods.desc(callback.invoke);
    let code = rt.methods.callable(rt, method)?;
    let returned = invoke::call_code(code, &list)?;
    args.int_result = returned.word;
    args.float_result = returned.float;
    Ok(())
}

/// Small integers as managed code wants them: extended to 32 bits.
fn extend(m: MemType, prim: Option<Prim>, word: u64) -> u64 {
    match m {
        MemType::I8 => word as i8 as i32 as u32 as u64,
        MemType::U8 if prim == Some(Prim::Bool) => u64::from(word as u32 != 0),
        MemType::U8 => word as u8 as u64,
        MemType::I16 => word as i16 as i32 as u32 as u64,
        MemType::U16 => word as u16 as u64,
        _ => word,
    }
}
