//! `System.Diagnostics.StackTrace` and `StackFrame`; finding the callers of an internal call.

use super::{Result, icalls, managed, short_name};
use crate::eh::{TraceFrame, capture_trace};
use crate::jit::code_map::LogicalFrame;
use crate::object::{MethodDesc, MethodTable, Obj, array, new_object, string};
use crate::runtime::{self, Runtime, stack_trace};
use crate::threads;
use shared_codegen::symbols::Line;
use shared_codegen::types::{
    ContextSource, Known, MethodId, MethodKind, ModuleId, NameFormat, SyntheticKind,
};

icalls! {
    "System.Diagnostics.StackTrace" {
        "get_trace" => get_trace(Obj, i32, bool) -> Obj;
    }
    "System.Diagnostics.StackFrame" {
        "get_frame_info" => frame_info(i32, bool, *mut Obj, *mut i32, *mut i32, *mut Obj, *mut i32, *mut i32) -> bool;
    }
}

/// `StackFrame.ilOffset` when it is unknown.
const NO_OFFSET: i32 = -1;
/// `StackFrame.methodIndex` when there is none.
const NO_INDEX: u32 = 0xff_ffff;
/// Most frames looked at for one caller.
const MAX_FRAMES: usize = 1000;

/// A frame with its place in native code.
struct Entry {
    frame: LogicalFrame,
    native: TraceFrame,
}

/// The frames that methods know of: inlined ones too, but not the code that calls the targets of delegates.
fn expand(native: impl IntoIterator<Item = TraceFrame>) -> Vec<Entry> {
    let each = |n: TraceFrame| n.logical_frames().into_iter().map(move |frame| (n, frame));
    visible(native.into_iter().flat_map(each))
}

fn visible(frames: impl IntoIterator<Item = (TraceFrame, LogicalFrame)>) -> Vec<Entry> {
    let rt = runtime::get();
    let all = frames.into_iter();
    all.filter(|(_, frame)| !is_delegate_invoke(rt, frame.method))
        .map(|(native, frame)| Entry { frame, native })
        .collect()
}

fn is_delegate_invoke(rt: &Runtime, method: MethodId) -> bool {
    rt.types.method_name(method) == "Invoke" && rt.types.is_delegate(rt.types.method_owner(method))
}

/// The name of the frame of a native method's wrapper, which traces of exceptions show in the runtime's terms.
fn wrapper_name(rt: &Runtime, method: MethodId) -> Result<Option<String>> {
    let direction = match rt.types.method_kind(method) {
        MethodKind::Synthetic {
            kind: SyntheticKind::NativeToManaged,
            ..
        } => "native-to-managed",
        MethodKind::Synthetic { .. } => "managed-to-native",
        _ if rt.types.method_is_internal_call(method) => "managed-to-native",
        _ if rt.types.method_is_pinvoke(method) => "managed-to-native",
        _ => return Ok(None),
    };
    let owner = rt.types.method_owner(method);
    let class = rt.types.type_name_as(owner, NameFormat::Ecma);
    let signature = rt.types.method_signature(method)?;
    let this = signature.has_this.then_some(owner);
    let params = this.iter().chain(signature.params);
    let params: Vec<_> = params.map(|p| short_name(&rt.types, *p)).collect();
    let name = rt.types.method_name(method);
    Ok(Some(format!(
        "(wrapper {direction}) {class}.{name}({})",
        params.join(",")
    )))
}

/// The `MethodBase` to show for a frame: of shared code, the generic definition.
pub(super) fn method_base(rt: &'static Runtime, method: MethodId) -> Result<Obj> {
    let shared = rt.types.needs_context(method) != ContextSource::None
        && rt.types.is_shared(rt.types.canonical_method(method));
    let owner = rt.types.method_owner(method);
    let (method, owner) = if shared || rt.types.contains_canon(owner) {
        let open = rt.types.definition(owner);
        let on_open = rt.types.method_on(method, rt.types.open_form(open));
        (rt.types.method_definition(on_open), open)
    } else {
        (method, owner)
    };
    let mt: &'static MethodTable = rt.method_table(owner)?;
    let desc: &'static MethodDesc = rt.methods.desc(method);
    rt.method_object(desc, mt)
}

/// The source line of a frame, if its assembly has symbols.
fn line_of(rt: &Runtime, entry: &Entry) -> Option<Line> {
    rt.symbols
        .line(&rt.types, entry.frame.method, entry.frame.il?)
}

fn frame_object(rt: &'static Runtime, entry: &Entry) -> Result<Obj> {
    let o = new_object(rt.known(Known::StackFrame))?;
    let il = entry.frame.il.map_or(NO_OFFSET, |i| i as i32);
    rt.set_field(o, "ilOffset", il);
    rt.set_field(o, "nativeOffset", entry.native.native_offset() as i32);
    let start = entry.native.code().map_or(0, |c| c.start);
    rt.set_field(o, "methodAddress", start as i64);
    rt.set_field(o, "methodIndex", NO_INDEX);
    let internal_name = match rt.emit.trace_name(rt, entry.frame.method) {
        Some(name) => Some(name),
        None => wrapper_name(rt, entry.frame.method)?,
    };
    match internal_name {
        Some(name) => rt.set_field(o, "internalMethodName", string::from_rust(&name)?),
        None => {
            // A class that cannot be loaded has no methods to show; the trace is about something else.
            if let Ok(method) = method_base(rt, entry.frame.method) {
                rt.set_field(o, "methodBase", method);
            }
            if let Some(place) = line_of(rt, entry) {
                rt.set_field(o, "fileName", string::from_rust(&place.file)?);
                rt.set_field(o, "lineNumber", place.line as i32);
            }
        }
    }
    Ok(o)
}

extern "C" fn get_trace(exception: Obj, skip: i32, _files: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let entries = visible(stack_trace::frames(rt, exception));
        let skip = (skip.max(0) as usize).min(entries.len());
        let class = rt.types.sz_array(rt.types.known(Known::StackFrame));
        let list = array::allocate(rt.method_table(class)?, entries.len() - skip)?;
        for (n, entry) in entries[skip..].iter().enumerate() {
            array::set(list, n, frame_object(rt, entry)?);
        }
        Ok(list)
    })
}

#[allow(
    clippy::too_many_arguments,
    reason = "the class libraries fix the signature"
)]
extern "C" fn frame_info(
    skip: i32,
    files: bool,
    method: *mut Obj,
    il: *mut i32,
    native: *mut i32,
    file: *mut Obj,
    line: *mut i32,
    column: *mut i32,
) -> bool {
    managed(|| {
        let rt = runtime::get();
        // Callers count the internal call itself as a frame.
        let skip = skip.max(0) as usize;
        let entries = expand(capture_trace(threads::current(), 0, skip + MAX_FRAMES));
        let Some(entry) = entries.get(skip) else {
            return Ok(false);
        };
        let place = if files { line_of(rt, entry) } else { None };
        let name = match &place {
            Some(place) => string::from_rust(&place.file)?,
            None => Obj::NULL,
        };
        // SAFETY: managed code passes addresses of variables on its stack, where the collector sees what is stored.
        unsafe {
            file.write(name);
            method.write(method_base(rt, entry.frame.method)?);
            il.write(entry.frame.il.map_or(NO_OFFSET, |i| i as i32));
            native.write(entry.native.native_offset() as i32);
            line.write(place.map_or(0, |p| p.line as i32));
            column.write(0);
        }
        Ok(true)
    })
}

/// The methods on the stack, innermost first, inlined ones included.
pub(super) fn callers() -> Vec<MethodId> {
    let frames = capture_trace(threads::current(), 0, MAX_FRAMES);
    expand(frames).iter().map(|e| e.frame.method).collect()
}

/// The module of the `n`-th frame outside of the namespaces `System` and `System.Reflection` of mscorlib.
pub(super) fn calling_module(rt: &Runtime, n: usize) -> Option<ModuleId> {
    let foreign = |m: &MethodId| {
        let owner = rt.types.method_owner(*m);
        let (namespace, _) = rt.types.type_name(owner);
        let inside = rt.types.method_module(*m) == rt.types.corlib();
        !(inside && matches!(namespace, "System" | "System.Reflection"))
    };
    let found = callers().into_iter().filter(foreign).nth(n);
    found.map(|m| rt.types.method_module(m))
}
