//! Offsets that compiled code bakes in, in bytes. The runtime's `repr(C)` mirrors are checked
//! against these constants at compile time, and the ABI hash of images is computed from them.

/// Every object.
pub mod object {
    /// Pointer to the method table.
    pub const METHOD_TABLE: i32 = 0;
    /// Lock, hash and sync-block word.
    pub const SYNC: i32 = 8;
    /// Size of the header; the first field of a class starts here.
    pub const HEADER: u32 = 16;
}

/// Arrays of every rank (fixed by `System.Array.RawData`).
pub mod array {
    /// Pointer to {length: u32, lower bound: i32} pairs, null for vectors.
    pub const BOUNDS: i32 = 16;
    /// Total number of elements, u64.
    pub const LENGTH: i32 = 24;
    /// First element.
    pub const DATA: i32 = 32;
}

/// `System.String`.
pub mod string {
    /// Number of UTF-16 units, i32.
    pub const LENGTH: i32 = 16;
    /// First unit (`RuntimeHelpers.OffsetToStringData`).
    pub const DATA: i32 = 20;
}

/// `System.Delegate` and `System.MulticastDelegate`: fields that compiled code reads.
pub mod delegate {
    /// Code to call.
    pub const METHOD_PTR: i32 = 16;
    /// How to call it: see [`INVOKE_OPEN`] and following. (The libraries' field `invoke_impl`.)
    pub const INVOKE_KIND: i32 = 24;
    /// First argument of a closed delegate.
    pub const TARGET: i32 = 32;
    /// Method handle of the target.
    pub const METHOD: i32 = 40;
    /// Invocation list, null unless multicast.
    pub const DELEGATES: i32 = 120;
    /// Call `method_ptr(args…)`. (0 is for multicast delegates, which the class libraries make: they have an invocation list.)
    pub const INVOKE_OPEN: i64 = 5;
    /// Call `method_ptr(target, args…)`.
    pub const INVOKE_CLOSED: i64 = 1;
    /// `method` names a virtual method to be looked up on the first argument.
    pub const INVOKE_OPEN_VIRTUAL: i64 = 2;
    /// Like [`INVOKE_CLOSED`] for a static method that returns a struct: the return buffer comes before the target.
    pub const INVOKE_CLOSED_STATIC: i64 = 3;
    /// Like [`INVOKE_OPEN`] for an instance method that returns a struct: the return buffer comes after the first argument.
    pub const INVOKE_OPEN_INSTANCE: i64 = 4;
}

/// The runtime's method table.
pub mod method_table {
    /// Size of one element of an array or string, u32; 0 for anything else.
    pub const COMPONENT_SIZE: i32 = 0;
    /// Size of an instance in bytes with header, multiple of 8, u32. For arrays and strings the part before the elements.
    pub const BASE_SIZE: i32 = 4;
    /// Flags, u32.
    pub const FLAGS: i32 = 8;
    /// Number of base classes, u32; `supers[depth]` is the type itself.
    pub const DEPTH: i32 = 12;
    /// Method table of the base class.
    pub const PARENT: i32 = 16;
    /// Method table of the element type (arrays, pointers, by-refs).
    pub const ELEMENT: i32 = 24;
    /// Pointer to the array of base-class method tables, indexed by depth.
    pub const SUPERS: i32 = 32;
    /// The `System.RuntimeType` object (immortal, never moved).
    pub const TYPE_OBJECT: i32 = 40;
    /// Base of the static fields; null until allocated.
    pub const STATICS: i32 = 48;
    /// The runtime's private description of the type.
    pub const TYPE_DESC: i32 = 56;
    /// GC description.
    pub const GC_MAP: i32 = 64;
    /// What the last type test of such an object by the runtime was for: the method table of the type, plus 1 if the object passed.
    pub const LAST_CAST: i32 = 80;
    /// Interface dispatch: [`IMT_SLOTS`] code pointers.
    pub const IMT: i32 = 88;
    /// Number of interface dispatch slots (a power of two).
    pub const IMT_SLOTS: u32 = 16;
    /// First virtual method slot: a code pointer each.
    pub const VTABLE: i32 = IMT + 8 * IMT_SLOTS as i32;

    /// `FLAGS`: instances have a finalizer.
    pub const FLAG_FINALIZER: u32 = 1 << 0;
    /// `FLAGS`: instances hold references.
    pub const FLAG_HAS_REFS: u32 = 1 << 1;
    /// `FLAGS`: a value type.
    pub const FLAG_VALUE_TYPE: u32 = 1 << 2;
    /// `FLAGS`: an interface.
    pub const FLAG_INTERFACE: u32 = 1 << 3;
    /// `FLAGS`: an array of any rank.
    pub const FLAG_ARRAY: u32 = 1 << 4;
    /// `FLAGS`: a vector.
    pub const FLAG_SZARRAY: u32 = 1 << 5;
    /// `FLAGS`: `System.String`.
    pub const FLAG_STRING: u32 = 1 << 6;
    /// `FLAGS`: a delegate.
    pub const FLAG_DELEGATE: u32 = 1 << 7;
    /// `FLAGS`: `System.Nullable` instance.
    pub const FLAG_NULLABLE: u32 = 1 << 8;
    /// `FLAGS`: casts to it need the slow path (interface, array, variance, nullable).
    pub const FLAG_SLOW_CAST: u32 = 1 << 9;
}

/// The runtime's method descriptor, whose address is the value of a method handle.
pub mod method_desc {
    /// Address of the native function of a P/Invoke, 0 until it is found.
    pub const NATIVE_FUNCTION: i32 = 8;
}

/// The block of static fields of one type.
pub mod statics {
    /// One byte before the base: 0 until the class initializer has run to its end.
    pub const INIT_STATE: i32 = -8;
}

/// The thread context that `r15` points to.
pub mod thread {
    /// Lowest allowed stack pointer, or `u64::MAX` to make the thread stop at its next poll.
    pub const STACK_LIMIT: i32 = 0;
    /// Stack pointer at the last call into native code; 0 while in managed code that never called out.
    pub const LAST_SP: i32 = 8;
    /// Frame pointer at the last call into native code.
    pub const LAST_FP: i32 = 16;
    /// Exception to be raised on return from native code.
    pub const PENDING_EXCEPTION: i32 = 24;
    /// u32: see [`STATE_MANAGED`].
    pub const STATE: i32 = 32;
    /// Allocation cursor of the bump allocator (inside the collector's own per-thread structure, which
    /// starts at offset 128; the runtime checks both at start-up).
    pub const ALLOC_CURSOR: i32 = 128 + 368;
    /// End of the allocation buffer.
    pub const ALLOC_LIMIT: i32 = ALLOC_CURSOR + 8;
    /// Base of the table of object-start bits, one bit per 8 bytes of heap, biased so that `base + (addr >> 6)` is the byte.
    pub const OBJECT_BITS: i32 = 56;
    /// The static fields of this thread: pointer to an array of block pointers.
    pub const THREAD_STATICS: i32 = 64;
    /// Number of entries in [`THREAD_STATICS`], u64.
    pub const THREAD_STATICS_LEN: i32 = 72;
    /// Lowest allowed stack pointer, also while the thread is wanted to stop.
    pub const STACK_END: i32 = 80;
    /// Runs managed code, or native code that may touch the heap.
    pub const STATE_MANAGED: u32 = 0;
    /// Runs native code that does not touch the heap: counts as stopped.
    pub const STATE_NATIVE: u32 = 1;
}

/// What a call from native code leaves for the stub that takes it (`import::marshal::reverse`).
pub mod native_frame {
    /// The six general argument registers.
    pub const INTS: i32 = 0;
    /// Low halves of the eight float argument registers.
    pub const FLOATS: i32 = 48;
    /// Address of the first stack argument.
    pub const STACK: i32 = 112;
    /// To be set: the two general result registers.
    pub const INT_RESULTS: i32 = 120;
    /// To be set: low halves of the two float result registers.
    pub const FLOAT_RESULTS: i32 = 136;
    /// Bytes, a multiple of 16 and a rest of 8.
    pub const SIZE: u32 = 152;
}

/// Frame layout relative to `rbp`.
pub mod frame {
    /// EH slot: the exception object.
    pub const EH_EXCEPTION: i32 = 0;
    /// EH slot: frame pointer of the frame that will catch.
    pub const EH_TARGET_FRAME: i32 = 8;
    /// EH slot: clause index in that frame.
    pub const EH_TARGET_CLAUSE: i32 = 16;
    /// Size of an EH slot.
    pub const EH_SLOT_SIZE: u32 = 24;
    /// EH slot of a clause whose type is found by generic lookup: the generic context of the lookup's owner, `this` or the
    /// hidden argument.
    pub const EH_CONTEXT: i32 = 24;
    /// Size of an EH slot with generic context.
    pub const EH_SLOT_SIZE_WITH_CONTEXT: u32 = 32;
}

/// Variable argument lists: a block in the caller's frame.
pub mod varargs {
    /// Number of arguments (i64).
    pub const COUNT: i32 = 0;
    /// The entries.
    pub const ENTRIES: i32 = 8;
    /// Entry: method table of the argument's type.
    pub const TABLE: i32 = 0;
    /// Entry: address of the argument.
    pub const ADDRESS: i32 = 8;
    /// Bytes of an entry.
    pub const ENTRY_SIZE: i32 = 16;
}

/// Largest object that the inline allocation path handles.
pub const MAX_INLINE_ALLOC: u32 = 8192;
