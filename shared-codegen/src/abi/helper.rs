//! Runtime helpers: functions of the runtime that compiled code calls. Declared once here; the
//! runtime supplies one function per row and the code generators know signature and effects.

use crate::ir::Type;
use crate::ir::Type::{ByRef, F32, F64, I32, I64, Ref};

bitflags::bitflags! {
    /// What a helper may do.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Effects: u8 {
        /// May raise an exception, allocate, or walk the stack: called as a native call
        /// (`docs/architecture.md` §3.3). Without it the helper is a plain leaf function.
        const TRANSITION = 1;
        /// Never returns normally.
        const NORETURN = 2;
        /// Writes memory visible to managed code.
        const WRITES = 4;
        /// Result depends on the arguments only.
        const PURE = 8;
        /// Entered through a stub of the runtime that keeps the protocol of native calls, so compiled code calls it like a
        /// managed method.
        const STUB = 16;
    }
}

macro_rules! helpers {
    ($($(#[$doc:meta])* $name:ident = $text:literal ($($arg:ident),*) $(-> $ret:ident)? [$($eff:ident)|*];)*) => {
        /// Identity of a runtime helper.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum HelperId { $($(#[$doc])* $name),* }

        /// Name, parameters, result and effects of a helper.
        #[derive(Debug)]
        pub struct HelperInfo {
            /// Name in IR and assembler text.
            pub name: &'static str,
            /// Parameter types.
            pub params: &'static [Type],
            /// Result type.
            pub ret: Option<Type>,
            /// Effects.
            pub effects: Effects,
        }

        /// All helpers in the order of their numbers.
        pub const HELPERS: &[HelperInfo] = &[$(HelperInfo {
            name: $text, params: &[$($arg),*], ret: helpers!(@ret $($ret)?),
            effects: Effects::empty()$(.union(Effects::$eff))*,
        }),*];

        impl HelperId {
            /// All helpers in the order of their numbers.
            pub const ALL: &'static [HelperId] = &[$(HelperId::$name),*];
        }
    };
    (@ret) => { None };
    (@ret $r:ident) => { Some($r) };
}

helpers! {
    /// Allocate an object: method table.
    NewObject = "new_object"(I64) -> Ref [TRANSITION | STUB];
    /// Allocate a vector: array method table, length (negative: OverflowException).
    NewArray = "new_array"(I64, I64) -> Ref [TRANSITION | STUB];
    /// Allocate a multi-dimensional array: method table, number of i32 arguments, pointer to them (rank lengths, or rank pairs bound, length).
    NewMdArray = "new_md_array"(I64, I32, I64) -> Ref [TRANSITION | STUB];
    /// Allocate an object without finalizer and of at most [`MAX_INLINE_ALLOC`](super::layout::MAX_INLINE_ALLOC) bytes: method table.
    NewSmallObject = "new_small_object"(I64) -> Ref [TRANSITION | STUB];
    /// Allocate a vector: array method table, length (not negative).
    NewSmallArray = "new_small_array"(I64, I64) -> Ref [TRANSITION | STUB];
    /// Full cast test: method table, object -> object or InvalidCastException. Null passes.
    CastClass = "cast_class"(I64, Ref) -> Ref [TRANSITION | STUB];
    /// Full instance test: method table, object -> object or null.
    IsInst = "is_inst"(I64, Ref) -> Ref [];
    /// Checks an unbox: method table of the value type, object (not null) -> address of the data or InvalidCastException; enums and their base type are interchangeable.
    Unbox = "unbox"(I64, Ref) -> ByRef [TRANSITION | STUB];
    /// Unboxes a nullable: method table of `Nullable<T>`, object or null, destination.
    UnboxNullable = "unbox_nullable"(I64, Ref, ByRef) [TRANSITION | STUB | WRITES];
    /// Boxes a value of any value type (nullable included): method table, address of the data.
    Box = "box"(I64, ByRef) -> Ref [TRANSITION | STUB];
    /// Covariance check of storing an object (not null) into an array: array, object; ArrayTypeMismatchException.
    ArrayStoreCheck = "array_store_check"(Ref, Ref) [TRANSITION | STUB];
    /// Exact element type check of `ldelema`: array, method table of the element type; ArrayTypeMismatchException.
    ArrayAddressCheck = "array_address_check"(Ref, I64) [TRANSITION | STUB];
    /// Runs the class initializer: method table.
    ClassInit = "class_init"(I64) [TRANSITION | STUB | WRITES];
    /// Base of the thread-static fields of a type for the current thread: index.
    ThreadStaticsBase = "thread_statics_base"(I64) -> I64 [TRANSITION | STUB];
    /// Code address of the override of a virtual or interface method: object (not null), method handle.
    ResolveVirtual = "resolve_virtual"(Ref, I64) -> I64 [TRANSITION | STUB];
    /// Code address for a generic virtual method: object (not null), method handle of the exact instantiation; the result takes its context by itself.
    ResolveGenericVirtual = "resolve_generic_virtual"(Ref, I64) -> I64 [TRANSITION | STUB];
    /// Value of an open runtime constant: generic context (method table or method handle), lookup descriptor.
    GenericLookup = "generic_lookup"(I64, I64) -> I64 [TRANSITION | STUB];
    /// Raises an exception object (null: NullReferenceException).
    Throw = "throw"(Ref) [TRANSITION | STUB | NORETURN];
    /// Raises an exception again with its stack trace kept.
    Rethrow = "rethrow"(Ref) [TRANSITION | STUB | NORETURN];
    /// A catch handler ends: what it caught. Raises it again if it is an abort of the thread that nobody has taken back.
    EndCatch = "end_catch"(Ref) [TRANSITION | STUB];
    /// Continues unwinding at the end of a finally or fault handler: address of the EH slot.
    ResumeUnwind = "resume_unwind"(I64) [TRANSITION | STUB | NORETURN];
    /// Raises the exception in `thread.pending_exception`.
    ThrowPending = "throw_pending"() [TRANSITION | STUB | NORETURN];
    /// Raises the exception of a `TrapKind`.
    ThrowTrap = "throw_trap"(I32) [TRANSITION | STUB | NORETURN];
    /// Raises the exception that says why a method could not be compiled: reason index.
    ThrowCompileError = "throw_compile_error"(I64) [TRANSITION | NORETURN];
    /// Initializes a delegate object: delegate, target or null, code address, method handle; chooses the invoke kind.
    DelegateInit = "delegate_init"(Ref, Ref, I64, I64) [TRANSITION | STUB | WRITES];
    /// Address of a field of a typed reference's type check: method table expected, type in the reference; InvalidCastException.
    RefAnyCheck = "refany_check"(I64, I64) [TRANSITION | STUB];
    /// Enters a monitor: object.
    MonitorEnter = "monitor_enter"(Ref) [TRANSITION | STUB | WRITES];
    /// Leaves a monitor: object.
    MonitorExit = "monitor_exit"(Ref) [TRANSITION | STUB | WRITES];
    /// Remembers a store of a reference into an old object: object (or interior pointer).
    WriteBarrier = "write_barrier"(ByRef) [WRITES];
    /// Copies memory that may hold references, with barriers: destination, source, bytes.
    CopyWithRefs = "copy_with_refs"(ByRef, ByRef, I64) [WRITES];
    /// `memmove`: destination, source, bytes.
    MemMove = "memmove"(I64, I64, I64) [WRITES];
    /// `memset`: destination, byte, bytes.
    MemSet = "memset"(I64, I32, I64) [WRITES];
    /// Remainder of doubles (`fmod`).
    FmodF64 = "fmod"(F64, F64) -> F64 [PURE];
    /// Remainder of floats (`fmodf`).
    FmodF32 = "fmodf"(F32, F32) -> F32 [PURE];
    /// Sine.
    Sin = "sin"(F64) -> F64 [PURE];
    /// Cosine.
    Cos = "cos"(F64) -> F64 [PURE];
    /// Tangent.
    Tan = "tan"(F64) -> F64 [PURE];
    /// Arc tangent.
    Atan = "atan"(F64) -> F64 [PURE];
    /// Arc tangent of a quotient.
    Atan2 = "atan2"(F64, F64) -> F64 [PURE];
    /// Exponential.
    Exp = "exp"(F64) -> F64 [PURE];
    /// Natural logarithm.
    Log = "log"(F64) -> F64 [PURE];
    /// Decimal logarithm.
    Log10 = "log10"(F64) -> F64 [PURE];
    /// Power, as `Math.Pow` defines it.
    Pow = "pow"(F64, F64) -> F64 [PURE];
    /// Parks the thread or raises StackOverflowException. A stub that keeps every register; called without the native-call protocol.
    Poll = "poll"() [];
    /// The same for code with vectors of 32 bytes, which are kept too.
    PollWide = "poll_wide"() [];
    /// Called at the entry of a traced method: method handle.
    TraceEnter = "trace_enter"(I64) [TRANSITION | WRITES];
    /// Called at the exit of a traced method: method handle.
    TraceLeave = "trace_leave"(I64) [TRANSITION | WRITES];
    /// Code address of a P/Invoke's native function: method handle (DllNotFoundException, EntryPointNotFoundException).
    ResolvePInvoke = "resolve_pinvoke"(I64) -> I64 [TRANSITION];
    /// A copy of a string in native memory (0 for null): string, `TextForm`.
    TextToNative = "text_to_native"(Ref, I32) -> I64 [TRANSITION];
    /// A string from native text (null for 0): address, `TextForm`.
    TextFromNative = "text_from_native"(I64, I32) -> Ref [TRANSITION];
    /// Frees native text or, as UTF-8, any other native memory: address, `TextForm`.
    FreeNative = "free_native"(I64, I32) [WRITES];
    /// A native buffer with the text of a StringBuilder and room for its capacity (0 for null): builder, `TextForm`.
    BuilderToNative = "builder_to_native"(Ref, I32) -> I64 [TRANSITION];
    /// Copies the native buffer back into the StringBuilder and frees it: builder, buffer, `TextForm`.
    BuilderFromNative = "builder_from_native"(Ref, I64, I32) [TRANSITION | WRITES];
    /// Writes the native form of a value or object (nothing for null): method table, address of value or object, destination.
    StructToNative = "struct_to_native"(I64, ByRef, I64) [TRANSITION | WRITES];
    /// Reads the native form (nothing from 0): method table, source, address of value or object.
    StructFromNative = "struct_from_native"(I64, I64, ByRef) [TRANSITION | WRITES];
    /// Frees what the native form points to: method table, native form or 0.
    StructDestroy = "struct_destroy"(I64, I64) [TRANSITION | WRITES];
    /// The native form of an object in memory of its own (0 for null): method table, object.
    ObjectToNative = "object_to_native"(I64, Ref) -> I64 [TRANSITION | WRITES];
    /// A new object from its native form (null for 0): method table, native form.
    ObjectFromNative = "object_from_native"(I64, I64) -> Ref [TRANSITION];
    /// Native elements of a vector (0 for null): vector, `NativeKind::code` of the elements, whether to convert them.
    ArrayToNative = "array_to_native"(Ref, I32, I32) -> I64 [TRANSITION | WRITES];
    /// Frees native elements: vector, elements, code, whether to convert them back first.
    ArrayFromNative = "array_from_native"(Ref, I64, I32, I32) [TRANSITION | WRITES];
    /// A vector of native elements (null for 0): method table of the vector, elements, code, number.
    ArrayNew = "array_new_from_native"(I64, I64, I32, I64) -> Ref [TRANSITION];
    /// Converts the elements of a vector into native memory that is there: vector, elements, code.
    ArrayIntoNative = "array_into_native"(Ref, I64, I32) [TRANSITION | WRITES];
    /// A delegate for a function pointer (null for 0): function, method table of the delegate type.
    DelegateFromNative = "delegate_from_native"(I64, I64) -> Ref [TRANSITION];
    /// A new handle object by its default constructor: method table.
    HandleNew = "handle_new"(I64) -> Ref [TRANSITION | WRITES];
    /// Sets the handle in a handle object: object, handle.
    HandleSet = "handle_set"(Ref, I64) [TRANSITION | WRITES];
    /// The `ICustomMarshaler` of a parameter: method handle, number of the parameter (0: result).
    CustomMarshaler = "custom_marshaler"(I64, I32) -> Ref [TRANSITION | WRITES];
    /// `MarshalManagedToNative`: marshaler, object.
    CustomToNative = "custom_to_native"(Ref, Ref) -> I64 [TRANSITION | WRITES];
    /// `MarshalNativeToManaged`: marshaler, native data.
    CustomFromNative = "custom_from_native"(Ref, I64) -> Ref [TRANSITION | WRITES];
    /// `CleanUpNativeData`: marshaler, native data.
    CustomClean = "custom_clean"(Ref, I64) [TRANSITION | WRITES];
    /// Raises the exception for an HRESULT that says failure.
    ThrowForHresult = "throw_for_hresult"(I32) [TRANSITION];
    /// A native function pointer that calls a delegate (0 for null).
    DelegateToNative = "delegate_to_native"(Ref) -> I64 [TRANSITION];
    /// Raises the exception for a null SafeHandle.
    ThrowNullHandle = "throw_null_handle"() [TRANSITION];
    /// Runs a method in the reference executor: what is interpreted, the address of the frame -> bits of the result.
    Interpret = "interpret"(I64, I64) -> I64 [TRANSITION | STUB | WRITES];
    /// Saves errno as the thread's last Win32 error.
    SaveLastError = "save_last_error"() [WRITES];
}

impl HelperId {
    /// Signature and effects.
    pub fn info(self) -> &'static HelperInfo {
        &HELPERS[self as usize]
    }

    /// The helper with this name.
    pub fn from_name(name: &str) -> Option<HelperId> {
        HelperId::ALL
            .iter()
            .copied()
            .find(|h| h.info().name == name)
    }
}
