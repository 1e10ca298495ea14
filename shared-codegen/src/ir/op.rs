//! The one table of IR operations. Printer, parser, verifier, interpreter, passes and lowering all
//! derive from it.
//!
//! Row: `Variant = "text" operands; immediate; result; effects; level`.
//! * operands: a list of [`Arg`] patterns; `T` means "of the instruction's type", `Any*` any number of any type.
//! * immediate: the [`ImmKind`] the instruction carries.
//! * result: [`Res`].

use super::types::Type;

/// Operand pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arg {
    /// Exactly this type.
    Is(Type),
    /// The instruction's type (`Inst::ty`).
    T,
    /// `i32` or `i64`.
    Int,
    /// `i32` or `i64`: same type as the operand before.
    Same,
    /// Anything usable as an address: `i64`, `ref`, `byref`.
    Addr,
    /// Any one value.
    Any,
    /// Any number of values of any type (last).
    AnyMany,
}

/// Result pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Res {
    /// No result.
    None,
    /// Exactly this type.
    Is(Type),
    /// `Inst::ty`.
    T,
    /// As the signature in the immediate says (perhaps none).
    Sig,
}

/// Which immediate an op carries (`function::Imm` variant).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImmKind {
    /// None.
    None,
    /// `Imm::Int`: a constant.
    Int,
    /// `Imm::F64` bits (for f32 the bits of the f32 in the low half).
    Float,
    /// `Imm::IntCc`.
    IntCc,
    /// `Imm::FloatCc`.
    FloatCc,
    /// `Imm::Mem`.
    Mem,
    /// `Imm::Slot`: stack slot, with offset and access type for slot_load/slot_store.
    Slot,
    /// `Imm::Fixup`.
    Fixup,
    /// `Imm::Type`: canonical type.
    Type,
    /// `Imm::Trap`.
    Trap,
    /// `Imm::CondTrap`: integer condition and trap kind.
    CondTrap,
    /// `Imm::Call`: callee and signature.
    Call,
    /// `Imm::Helper`.
    Helper,
    /// `Imm::Lookup`: index into `Function::lookups`.
    Lookup,
    /// `Imm::Region`.
    Region,
    /// `Imm::Size`: bytes, and whether the memory may hold references.
    Size,
    /// `Imm::Atomic`: access type and alias.
    Atomic,
    /// `Imm::Lane`.
    Lane,
    /// `Imm::LaneShift`: lanes and amount.
    LaneShift,
}

bitflags::bitflags! {
    /// What an op may do besides computing its result.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Fx: u8 {
        /// Reads memory.
        const READ = 1;
        /// Writes memory.
        const WRITE = 2;
        /// May raise an exception.
        const THROW = 4;
        /// Ends a block.
        const TERM = 8;
        /// May stop at a safepoint, run other managed code, or anything else a call may do.
        const CALL = 16;
        /// Must stay even when the result is unused, though it neither writes nor throws.
        const PIN = 32;
    }
}

/// The last level at which an op may appear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Before `expand` only.
    Cli,
    /// At every level.
    Low,
}

/// A row of the table.
#[derive(Debug)]
pub struct OpInfo {
    /// Name in IR text.
    pub name: &'static str,
    /// Operands.
    pub args: &'static [Arg],
    /// Immediate.
    pub imm: ImmKind,
    /// Result.
    pub res: Res,
    /// Effects.
    pub fx: Fx,
    /// Level.
    pub level: Level,
}

macro_rules! ops {
    ($($(#[$doc:meta])* $op:ident = $text:literal ($($arg:expr),*) $imm:ident, $res:expr, [$($fx:ident)|*], $lvl:ident;)*) => {
        /// Operation of an instruction.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $op),* }

        /// The table, in the order of the enum.
        pub const OPS: &[OpInfo] = {
            use Arg::*;
            use Type::*;
            #[allow(unused_imports, reason = "the rows name operand patterns without paths")]
            use Res as R;
            &[$(OpInfo {
                name: $text, args: &[$($arg),*], imm: ImmKind::$imm, res: $res,
                fx: Fx::empty()$(.union(Fx::$fx))*, level: Level::$lvl,
            }),*]
        };

        impl Op {
            /// All ops in the order of the table.
            pub const ALL: &'static [Op] = &[$(Op::$op),*];
        }
    };
}

ops! {
    // ---- constants and addresses
    /// Integer constant.
    Iconst = "iconst"() Int, R::T, [], Low;
    /// Floating-point constant.
    Fconst = "fconst"() Float, R::T, [], Low;
    /// Null reference.
    Null = "null"() None, R::T, [], Low;
    /// Runtime constant. Type by fixup: `ref` for strings and type objects, `i64` otherwise.
    Const = "const"() Fixup, R::T, [], Low;
    /// Address of a stack slot plus offset.
    SlotAddr = "slot_addr"() Slot, R::Is(I64), [], Low;
    /// Loads a scalar from a stack slot.
    SlotLoad = "slot_load"() Slot, R::T, [READ], Low;
    /// Stores a scalar into a stack slot.
    SlotStore = "slot_store"(T) Slot, R::None, [WRITE], Low;
    /// The hidden generic context argument (entry block only).
    ContextArg = "context_arg"() None, R::Is(I64), [], Low;
    /// Address of the thread context.
    ThreadPtr = "thread_ptr"() None, R::Is(I64), [], Low;

    // ---- integer arithmetic (wrapping)
    /// Addition. Also `byref + i64`-style address arithmetic: see `AddrAdd`.
    Iadd = "iadd"(T, T) None, R::T, [], Low;
    /// Subtraction.
    Isub = "isub"(T, T) None, R::T, [], Low;
    /// Multiplication.
    Imul = "imul"(T, T) None, R::T, [], Low;
    /// High half of the signed product.
    ImulHigh = "imul_high"(T, T) None, R::T, [], Low;
    /// High half of the unsigned product.
    UmulHigh = "umul_high"(T, T) None, R::T, [], Low;
    /// Signed division, truncating. The divisor is known not to be 0, the quotient not to overflow (checks come before).
    Sdiv = "sdiv"(T, T) None, R::T, [], Low;
    /// Unsigned division.
    Udiv = "udiv"(T, T) None, R::T, [], Low;
    /// Signed remainder (`MinValue % -1` must be guarded like `sdiv`).
    Srem = "srem"(T, T) None, R::T, [], Low;
    /// Unsigned remainder.
    Urem = "urem"(T, T) None, R::T, [], Low;
    /// Signed division with the CLI's exceptions: DivideByZero, Overflow.
    DivS = "div_s"(T, T) None, R::T, [THROW], Cli;
    /// Unsigned division with DivideByZero.
    DivU = "div_u"(T, T) None, R::T, [THROW], Cli;
    /// Signed remainder with DivideByZero, Overflow for `MinValue % -1`.
    RemS = "rem_s"(T, T) None, R::T, [THROW], Cli;
    /// Unsigned remainder with DivideByZero.
    RemU = "rem_u"(T, T) None, R::T, [THROW], Cli;
    /// Bitwise and.
    And = "and"(T, T) None, R::T, [], Low;
    /// Bitwise or.
    Or = "or"(T, T) None, R::T, [], Low;
    /// Bitwise exclusive or.
    Xor = "xor"(T, T) None, R::T, [], Low;
    /// Shift left; the amount (i32) is taken modulo the width.
    Shl = "shl"(T, Is(I32)) None, R::T, [], Low;
    /// Arithmetic shift right.
    ShrS = "shr_s"(T, Is(I32)) None, R::T, [], Low;
    /// Logical shift right.
    ShrU = "shr_u"(T, Is(I32)) None, R::T, [], Low;
    /// Rotate left.
    Rotl = "rotl"(T, Is(I32)) None, R::T, [], Low;
    /// Negation.
    Ineg = "ineg"(T) None, R::T, [], Low;
    /// Complement.
    Not = "not"(T) None, R::T, [], Low;
    /// Signed addition, Overflow on overflow.
    AddOvfS = "add_ovf_s"(T, T) None, R::T, [THROW], Low;
    /// Unsigned addition with overflow check.
    AddOvfU = "add_ovf_u"(T, T) None, R::T, [THROW], Low;
    /// Signed subtraction with overflow check.
    SubOvfS = "sub_ovf_s"(T, T) None, R::T, [THROW], Low;
    /// Unsigned subtraction with overflow check.
    SubOvfU = "sub_ovf_u"(T, T) None, R::T, [THROW], Low;
    /// Signed multiplication with overflow check.
    MulOvfS = "mul_ovf_s"(T, T) None, R::T, [THROW], Low;
    /// Unsigned multiplication with overflow check.
    MulOvfU = "mul_ovf_u"(T, T) None, R::T, [THROW], Low;
    /// Integer comparison to 0 or 1.
    Icmp = "icmp"(Any, Any) IntCc, R::Is(I32), [], Low;
    /// `a` if the condition (i32) is not zero, else `b`.
    Select = "select"(Is(I32), T, T) None, R::T, [], Low;
    /// Number of leading zero bits (width if zero).
    Clz = "clz"(T) None, R::T, [], Low;
    /// Number of trailing zero bits (width if zero).
    Ctz = "ctz"(T) None, R::T, [], Low;
    /// Number of set bits.
    Popcnt = "popcnt"(T) None, R::T, [], Low;

    // ---- addresses
    /// `address + offset` where the result's type is the instruction's (`byref` if the base is a reference or byref, else `i64`).
    AddrAdd = "addr_add"(Addr, Is(I64)) None, R::T, [], Low;
    /// `base + index * scale + offset`: immediate is {scale, offset}; index i64.
    AddrIndex = "addr_index"(Addr, Is(I64)) Size, R::T, [], Low;
    /// Reinterprets between `i64`, `ref` and `byref`.
    AddrCast = "addr_cast"(Addr) None, R::T, [], Low;

    // ---- floating point
    /// Addition.
    Fadd = "fadd"(T, T) None, R::T, [], Low;
    /// Subtraction.
    Fsub = "fsub"(T, T) None, R::T, [], Low;
    /// Multiplication.
    Fmul = "fmul"(T, T) None, R::T, [], Low;
    /// Division.
    Fdiv = "fdiv"(T, T) None, R::T, [], Low;
    /// Remainder as C's `fmod`.
    Frem = "frem"(T, T) None, R::T, [], Cli;
    /// Negation (sign flip).
    Fneg = "fneg"(T) None, R::T, [], Low;
    /// Absolute value.
    Fabs = "fabs"(T) None, R::T, [], Low;
    /// Square root.
    Fsqrt = "fsqrt"(T) None, R::T, [], Low;
    /// Round to even (SSE4.1).
    Fround = "fround"(T) None, R::T, [], Low;
    /// Floor (SSE4.1).
    Ffloor = "ffloor"(T) None, R::T, [], Low;
    /// Ceiling (SSE4.1).
    Fceil = "fceil"(T) None, R::T, [], Low;
    /// Truncate (SSE4.1).
    Ftrunc = "ftrunc"(T) None, R::T, [], Low;
    /// Comparison to 0 or 1.
    Fcmp = "fcmp"(Any, Any) FloatCc, R::Is(I32), [], Low;
    /// Raises ArithmeticException for NaN and infinities, else passes the value.
    CkFinite = "ckfinite"(T) None, R::T, [THROW], Cli;

    // ---- conversions
    /// Sign-extend the low 8 bits.
    Sext8 = "sext8"(Is(I32)) None, R::Is(I32), [], Low;
    /// Sign-extend the low 16 bits.
    Sext16 = "sext16"(Is(I32)) None, R::Is(I32), [], Low;
    /// Zero-extend the low 8 bits.
    Zext8 = "zext8"(Is(I32)) None, R::Is(I32), [], Low;
    /// Zero-extend the low 16 bits.
    Zext16 = "zext16"(Is(I32)) None, R::Is(I32), [], Low;
    /// i32 to i64, signed.
    Sext32 = "sext32"(Is(I32)) None, R::Is(I64), [], Low;
    /// i32 to i64, unsigned.
    Zext32 = "zext32"(Is(I32)) None, R::Is(I64), [], Low;
    /// i64 to i32, low half.
    Trunc = "trunc"(Is(I64)) None, R::Is(I32), [], Low;
    /// Signed i32 or i64 to the instruction's float type.
    FromInt = "from_int"(Int) None, R::T, [], Low;
    /// Unsigned i32 or i64 to the instruction's float type.
    FromUint = "from_uint"(Int) None, R::T, [], Low;
    /// Float to the instruction's int type, truncating; out of range or NaN gives the minimum (x86 rule).
    ToInt = "to_int"(Any) None, R::T, [], Low;
    /// Float to unsigned of the instruction's int type, truncating; out of range as the reference interpreter says.
    ToUint = "to_uint"(Any) None, R::T, [], Low;
    /// f32 to f64.
    Fpromote = "fpromote"(Is(F32)) None, R::Is(F64), [], Low;
    /// f64 to f32, rounding to nearest even.
    Fdemote = "fdemote"(Is(F64)) None, R::Is(F32), [], Low;
    /// Same bits as the other class of the same size.
    Bitcast = "bitcast"(Any) None, R::T, [], Low;
    /// `conv.ovf`: immediate Int = target code (`ir::ConvTarget`), source int or float, result i32/i64 by target.
    ConvOvfS = "conv_ovf_s"(Any) Int, R::T, [THROW], Cli;
    /// `conv.ovf.un`: the source is taken as unsigned.
    ConvOvfU = "conv_ovf_u"(Any) Int, R::T, [THROW], Cli;

    // ---- vectors: the same in each lane; which lanes an op has is said by `vector::scalar_op`
    /// All bits zero.
    VZero = "vzero"() None, R::T, [], Low;
    /// 0, 1, 2 and so on.
    VIota = "viota"() Lane, R::T, [], Low;
    /// The operand, of the lane's scalar type, in all lanes.
    VSplat = "vsplat"(Any) Lane, R::T, [], Low;
    /// Addition.
    VAdd = "vadd"(T, T) Lane, R::T, [], Low;
    /// Subtraction.
    VSub = "vsub"(T, T) Lane, R::T, [], Low;
    /// Multiplication, low halves.
    VMul = "vmul"(T, T) Lane, R::T, [], Low;
    /// High halves of the products of signed `i32` lanes.
    VMulHighS = "vmul_high_s"(T, T) Lane, R::T, [], Low;
    /// High halves of the products of unsigned `i32` lanes.
    VMulHighU = "vmul_high_u"(T, T) Lane, R::T, [], Low;
    /// Division of floats.
    VDiv = "vdiv"(T, T) Lane, R::T, [], Low;
    /// Square roots of floats.
    VSqrt = "vsqrt"(T) Lane, R::T, [], Low;
    /// Bitwise and.
    VAnd = "vand"(T, T) None, R::T, [], Low;
    /// Bitwise or.
    VOr = "vor"(T, T) None, R::T, [], Low;
    /// Bitwise exclusive or.
    VXor = "vxor"(T, T) None, R::T, [], Low;
    /// Shift left by less than the lane has bits.
    VShl = "vshl"(T) LaneShift, R::T, [], Low;
    /// Arithmetic shift right.
    VShrS = "vshr_s"(T) LaneShift, R::T, [], Low;
    /// Logical shift right.
    VShrU = "vshr_u"(T) LaneShift, R::T, [], Low;
    /// All ones where integer lanes are equal, else zero.
    VEq = "veq"(T, T) Lane, R::T, [], Low;
    /// All ones where the first integer is greater (signed), else zero.
    VGt = "vgt"(T, T) Lane, R::T, [], Low;
    /// Bits of the second operand where the first has ones, else of the third.
    VSelect = "vselect"(T, T, T) None, R::T, [], Low;
    /// The smaller of two signed integers (`i16` and `i32` lanes).
    VMin = "vmin"(T, T) Lane, R::T, [], Low;
    /// The larger of two signed integers (`i16` and `i32` lanes).
    VMax = "vmax"(T, T) Lane, R::T, [], Low;
    /// The operand in the lowest lane, zero in the others (`i32` and `i64` lanes).
    VLow = "vlow"(Any) Lane, R::T, [], Low;
    /// The lowest lane (`i32` and `i64` lanes).
    VFirst = "vfirst"(Any) Lane, R::T, [], Low;
    /// The 16 bytes of the operand in the lower half, zeros above.
    VWiden = "vwiden"(Is(V128)) None, R::Is(V256), [], Low;
    /// The lower half.
    VHalf = "vhalf"(Is(V256)) None, R::Is(V128), [], Low;
    /// The lower half of the integer lanes, each sign-extended to twice its size.
    VExtendS = "vextend_s"(T) Lane, R::T, [], Low;
    /// The lower half of the integer lanes, each zero-extended to twice its size.
    VExtendU = "vextend_u"(T) Lane, R::T, [], Low;
    /// The lower halves of the integer lanes side by side, and zeros above.
    VNarrow = "vnarrow"(T) Lane, R::T, [], Low;
    /// Signed `i32` lanes as floats of these lanes: all, or the lower half as doubles.
    VFromInt = "vfrom_int"(T) Lane, R::T, [], Low;
    /// The lower half of the `f32` lanes as doubles.
    VPromote = "vpromote"(T) None, R::T, [], Low;
    /// The `f64` lanes as singles, and zeros above.
    VDemote = "vdemote"(T) None, R::T, [], Low;
    /// The smallest lane, signed (`i32` lanes).
    VLeast = "vleast"(Any) Lane, R::T, [], Low;
    /// The largest lane, signed (`i32` lanes).
    VMost = "vmost"(Any) Lane, R::T, [], Low;
    /// Sum of all lanes, of the lane's scalar type (`i32` and `i64` lanes).
    VSum = "vsum"(Any) Lane, R::T, [], Low;

    // ---- memory
    /// Loads a scalar. The address is known to be valid (a null check came before).
    Load = "load"(Addr) Mem, R::T, [READ], Low;
    /// Stores a scalar: address, value. Storing a reference needs no barrier here; see `StoreRef`.
    Store = "store"(Addr, Any) Mem, R::None, [WRITE], Low;
    /// Stores a reference into the heap or unknown memory, with write barrier: address, value.
    StoreRef = "store_ref"(Addr, Is(Ref)) Mem, R::None, [WRITE], Cli;
    /// Copies a fixed number of bytes, regions distinct or identical: destination, source.
    CopyBlock = "copy_block"(Addr, Addr) Size, R::None, [READ | WRITE], Low;
    /// Copies a value with references into the heap or unknown memory, with write barrier.
    CopyStruct = "copy_struct"(Addr, Addr) Size, R::None, [READ | WRITE], Cli;
    /// Zeroes a fixed number of bytes.
    ZeroBlock = "zero_block"(Addr) Size, R::None, [WRITE], Low;
    /// `cpblk`: destination, source, bytes (u32).
    MemCopy = "mem_copy"(Addr, Addr, Is(I32)) None, R::None, [READ | WRITE | THROW], Cli;
    /// `initblk`: address, byte, bytes (u32).
    MemFill = "mem_fill"(Addr, Is(I32), Is(I32)) None, R::None, [WRITE | THROW], Cli;
    /// Dynamic stack allocation: bytes (i64); 16-byte aligned, zeroed when the immediate is 1.
    LocAlloc = "localloc"(Is(I64)) Int, R::Is(I64), [WRITE | THROW | PIN], Low;
    /// Full memory fence.
    Fence = "fence"() None, R::None, [READ | WRITE | PIN], Low;
    /// Atomic exchange: address, new -> old.
    AtomicXchg = "atomic_xchg"(Addr, Any) Atomic, R::T, [READ | WRITE | THROW], Low;
    /// Atomic add: address, addend -> old.
    AtomicAdd = "atomic_add"(Addr, Any) Atomic, R::T, [READ | WRITE | THROW], Low;
    /// Atomic compare-exchange: address, expected, new -> old.
    AtomicCas = "atomic_cas"(Addr, Any, Any) Atomic, R::T, [READ | WRITE | THROW], Low;
    /// Spin-loop hint.
    Pause = "pause"() None, R::None, [PIN], Low;

    // ---- checks
    /// NullReferenceException if the address is null.
    NullCheck = "null_check"(Addr) None, R::None, [THROW], Low;
    /// IndexOutOfRangeException unless index <u length; both of the same integer type.
    BoundsCheck = "bounds_check"(Int, Same) None, R::None, [THROW], Low;
    /// Trap if `a cc b`.
    TrapIf = "trap_if"(Any, Any) CondTrap, R::None, [THROW], Low;
    /// Length of an array (not null), i64.
    ArrayLen = "array_len"(Is(Ref)) None, R::Is(I64), [], Low;
    /// Method table of an object (not null).
    MethodTableOf = "method_table_of"(Is(Ref)) None, R::Is(I64), [], Low;

    // ---- CLI-aware ops
    /// New object: method table; immediate the canonical type.
    NewObject = "new_object"(Is(I64)) Type, R::Is(Ref), [THROW | CALL], Cli;
    /// New vector: array method table, length (i64, negative raises Overflow); immediate the array type.
    NewArray = "new_array"(Is(I64), Is(I64)) Type, R::Is(Ref), [THROW | CALL], Cli;
    /// `castclass`: method table, object.
    CastClass = "castclass"(Is(I64), Is(Ref)) Type, R::Is(Ref), [THROW], Cli;
    /// `isinst`: method table, object.
    IsInst = "isinst"(Is(I64), Is(Ref)) Type, R::Is(Ref), [], Cli;
    /// `unbox`: method table, object (null raises) -> address of the data.
    Unbox = "unbox"(Is(I64), Is(Ref)) Type, R::Is(ByRef), [THROW], Cli;
    /// Class-initialization check: statics base; method table. Immediate the canonical type.
    ClassInit = "class_init"(Is(I64), Is(I64)) Type, R::None, [THROW | CALL | WRITE], Cli;
    /// Thread-static block of a type: index.
    ThreadStatics = "thread_statics"(Is(I64)) Type, R::Is(I64), [THROW | CALL], Cli;
    /// Covariance check: array, object to store.
    ArrayStoreCheck = "array_store_check"(Is(Ref), Is(Ref)) None, R::None, [THROW], Cli;
    /// Value of an open runtime constant: generic context; result `i64` or `ref` as the instruction's type says.
    GenericLookup = "generic_lookup"(Is(I64)) Lookup, R::T, [], Cli;
    /// Delegate invocation: delegate (not null), arguments. The callee's signature has the delegate as `this`.
    CallDelegate = "call_delegate"(AnyMany) Call, R::Sig, [THROW | CALL | READ | WRITE], Cli;
    /// Virtual call through the vtable: `this` (not null) first.
    CallVirtual = "call_virtual"(AnyMany) Call, R::Sig, [THROW | CALL | READ | WRITE], Cli;
    /// Interface call: interface-method handle (i64), then `this` (not null) and the arguments.
    CallInterface = "call_interface"(AnyMany) Call, R::Sig, [THROW | CALL | READ | WRITE], Cli;

    // ---- calls
    /// Call of a known method. If the signature wants a generic context it is the last operand.
    Call = "call"(AnyMany) Call, R::Sig, [THROW | CALL | READ | WRITE], Low;
    /// Call through a code address: address first; if the signature wants a hidden argument it is the last operand.
    CallIndirect = "call_indirect"(AnyMany) Call, R::Sig, [THROW | CALL | READ | WRITE], Low;
    /// Call of the native function behind an internal call, with pending-exception check; callee method in the immediate.
    CallInternal = "call_internal"(AnyMany) Call, R::Sig, [THROW | CALL | READ | WRITE], Low;
    /// Call of a native function through its address (first operand), thread counted as stopped meanwhile.
    CallNative = "call_native"(AnyMany) Call, R::Sig, [THROW | CALL | READ | WRITE], Low;
    /// Call of a runtime helper.
    CallHelper = "call_helper"(AnyMany) Helper, R::Sig, [THROW | CALL | READ | WRITE], Low;
    /// Allocates a small object inline: method table; immediate Size = bytes. Falls back to the helper.
    AllocObject = "alloc_object"(Is(I64)) Size, R::Is(Ref), [THROW | CALL], Low;
    /// Allocates a vector inline when small: method table, length (i64, checked not negative and below 2^31); immediate {element size}. Falls back to the helper.
    AllocArray = "alloc_array"(Is(I64), Is(I64)) Size, R::Is(Ref), [THROW | CALL], Low;
    /// Safepoint and stack-limit poll.
    Poll = "poll"() None, R::None, [THROW | CALL | PIN], Low;
    /// Keeps a value alive until here.
    KeepAlive = "keep_alive"(Any) None, R::None, [PIN], Low;
    /// The exception object of the handler being run; immediate its region.
    CatchObject = "catch_object"() Region, R::Is(Ref), [READ | PIN], Low;

    // ---- terminators
    /// Goes to the one target.
    Jump = "jump"() None, R::None, [TERM], Low;
    /// First target if the condition (i32) is not zero, else the second.
    Brif = "brif"(Is(I32)) None, R::None, [TERM], Low;
    /// Target number `index` (u32), the last target if out of range.
    Switch = "switch"(Is(I32)) None, R::None, [TERM], Low;
    /// Returns, with the value if the signature has a scalar result.
    Return = "return"(AnyMany) None, R::None, [TERM], Low;
    /// Raises an exception object (null raises NullReference).
    Throw = "throw"(Is(Ref)) None, R::None, [TERM | THROW], Low;
    /// Raises the exception of the enclosing catch handler again (immediate its region).
    Rethrow = "rethrow"() Region, R::None, [TERM | THROW], Low;
    /// Ends an exceptional finally or fault handler (immediate its region): unwinding goes on.
    ResumeUnwind = "resume_unwind"() Region, R::None, [TERM | THROW], Low;
    /// Ends a filter: nonzero i32 = handle.
    EndFilter = "end_filter"(Is(I32)) None, R::None, [TERM], Low;
    /// Unconditional trap.
    Trap = "trap"() Trap, R::None, [TERM | THROW], Low;
    /// Tail call of a known method: replaces the frame.
    TailCall = "tail_call"(AnyMany) Call, R::None, [TERM | THROW | CALL | READ | WRITE], Low;
    /// Tail call through a code address: address first; operands as `call_indirect`.
    TailCallIndirect = "tail_call_indirect"(AnyMany) Call, R::None, [TERM | THROW | CALL | READ | WRITE], Low;
}

impl Op {
    /// The row of the table.
    pub fn info(self) -> &'static OpInfo {
        &OPS[self as usize]
    }

    /// Ends a block.
    pub fn is_terminator(self) -> bool {
        self.info().fx.contains(Fx::TERM)
    }

    /// Computes with vectors.
    pub fn is_vector(self) -> bool {
        self as u8 >= Op::VZero as u8 && self as u8 <= Op::VSum as u8
    }

    /// Can be removed when its result is unused.
    pub fn is_removable(self) -> bool {
        !self
            .info()
            .fx
            .intersects(Fx::WRITE | Fx::THROW | Fx::TERM | Fx::CALL | Fx::PIN)
    }

    /// Exchanging the two operands changes nothing.
    pub fn is_commutative(self) -> bool {
        use Op::*;
        matches!(
            self,
            Iadd | Imul
                | ImulHigh
                | UmulHigh
                | And
                | Or
                | Xor
                | AddOvfS
                | AddOvfU
                | MulOvfS
                | MulOvfU
                | Fadd
                | Fmul
                | VAdd
                | VMul
                | VMulHighS
                | VMulHighU
                | VAnd
                | VOr
                | VXor
                | VEq
                | VMin
                | VMax
        )
    }

    /// The op with this name.
    pub fn from_name(name: &str) -> Option<Op> {
        OPS.iter().position(|o| o.name == name).map(|i| Op::ALL[i])
    }
}
