//! The data structure: functions, blocks, instructions, values, stack slots, exception regions.

use super::op::{ImmKind, Op};
use super::types::{AliasClass, MemRef, MemType, Type};
use super::vector::Lane;
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::trap::TrapKind;
use crate::types::{MethodId, TypeId};
use smallvec::SmallVec;

macro_rules! entity {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// Position in its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

entity!(/// A basic block.
    Block, "block");
entity!(/// An SSA value.
    Value, "v");
entity!(/// An instruction.
    Inst, "inst");
entity!(/// A stack slot.
    Slot, "ss");
entity!(/// An exception region.
    Region, "region");
entity!(/// A call signature of this function.
    Sig, "sig");
entity!(/// An open runtime constant of this function.
    LookupRef, "lookup");

/// Integer condition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[allow(
    missing_docs,
    reason = "the names are the field's standard abbreviations"
)]
pub enum IntCc {
    Eq,
    Ne,
    Slt,
    Sle,
    Sgt,
    Sge,
    Ult,
    Ule,
    Ugt,
    Uge,
}

impl IntCc {
    /// All with their names in IR text.
    pub const ALL: [(IntCc, &'static str); 10] = [
        (IntCc::Eq, "eq"),
        (IntCc::Ne, "ne"),
        (IntCc::Slt, "slt"),
        (IntCc::Sle, "sle"),
        (IntCc::Sgt, "sgt"),
        (IntCc::Sge, "sge"),
        (IntCc::Ult, "ult"),
        (IntCc::Ule, "ule"),
        (IntCc::Ugt, "ugt"),
        (IntCc::Uge, "uge"),
    ];

    /// Name in IR text.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The condition that holds exactly when this one does not.
    pub fn inverse(self) -> IntCc {
        use IntCc::*;
        match self {
            Eq => Ne,
            Ne => Eq,
            Slt => Sge,
            Sle => Sgt,
            Sgt => Sle,
            Sge => Slt,
            Ult => Uge,
            Ule => Ugt,
            Ugt => Ule,
            Uge => Ult,
        }
    }

    /// The condition with operands exchanged.
    pub fn swapped(self) -> IntCc {
        use IntCc::*;
        match self {
            Eq => Eq,
            Ne => Ne,
            Slt => Sgt,
            Sle => Sge,
            Sgt => Slt,
            Sge => Sle,
            Ult => Ugt,
            Ule => Uge,
            Ugt => Ult,
            Uge => Ule,
        }
    }
}

/// Floating-point condition. Names starting with `u` (and `ne`) are true for unordered operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[allow(
    missing_docs,
    reason = "the names are the field's standard abbreviations"
)]
pub enum FloatCc {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Ueq,
    One,
    Ult,
    Ule,
    Ugt,
    Uge,
    Ord,
    Uno,
}

impl FloatCc {
    /// All with their names in IR text.
    pub const ALL: [(FloatCc, &'static str); 14] = [
        (FloatCc::Eq, "eq"),
        (FloatCc::Ne, "ne"),
        (FloatCc::Lt, "lt"),
        (FloatCc::Le, "le"),
        (FloatCc::Gt, "gt"),
        (FloatCc::Ge, "ge"),
        (FloatCc::Ueq, "ueq"),
        (FloatCc::One, "one"),
        (FloatCc::Ult, "ult"),
        (FloatCc::Ule, "ule"),
        (FloatCc::Ugt, "ugt"),
        (FloatCc::Uge, "uge"),
        (FloatCc::Ord, "ord"),
        (FloatCc::Uno, "uno"),
    ];

    /// Name in IR text.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The condition that holds exactly when this one does not.
    pub fn inverse(self) -> FloatCc {
        use FloatCc::*;
        match self {
            Eq => Ne,
            Ne => Eq,
            Lt => Uge,
            Le => Ugt,
            Gt => Ule,
            Ge => Ult,
            Ueq => One,
            One => Ueq,
            Ult => Ge,
            Ule => Gt,
            Ugt => Le,
            Uge => Lt,
            Ord => Uno,
            Uno => Ord,
        }
    }

    /// The condition with operands exchanged.
    pub fn swapped(self) -> FloatCc {
        use FloatCc::*;
        match self {
            Lt => Gt,
            Le => Ge,
            Gt => Lt,
            Ge => Le,
            Ult => Ugt,
            Ule => Uge,
            Ugt => Ult,
            Uge => Ule,
            other => other,
        }
    }
}

/// Target of `conv.ovf` (the immediate of `conv_ovf_*`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are CIL's")]
pub enum ConvTarget {
    I1,
    U1,
    I2,
    U2,
    I4,
    U4,
    I8,
    U8,
}

/// What a call calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallInfo {
    /// The method as far as known (canonical); `None` for `calli`.
    pub method: Option<MethodId>,
    /// Its signature.
    pub sig: Sig,
    /// Asked to replace the frame (`tail.`): nothing of the frame is passed. What follows is the return of its result.
    pub tail: bool,
}

/// Machine-level signature: what is passed after structs became addresses.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Signature {
    /// Parameters: `this`, return buffer, the others.
    pub params: Vec<Type>,
    /// Scalar result.
    pub ret: Option<Type>,
    /// A native callee returns a struct in two registers: what is in the second one, which the call stores to the address that
    /// is its last operand. The first one is the result.
    pub second: Option<Type>,
    /// Takes a hidden argument in the context register, the last operand of the call.
    pub context: bool,
    /// A native vararg callee (the number of float registers is passed in `al`).
    pub c_varargs: bool,
}

/// Immediate of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "each variant is described at its `ImmKind`")]
pub enum Imm {
    None,
    Int(i64),
    Float(u64),
    IntCc(IntCc),
    FloatCc(FloatCc),
    Mem(MemRef),
    /// Slot, byte offset, access type (`SlotAddr` ignores it).
    Slot(Slot, i32, MemType),
    Fixup(Fixup),
    Type(TypeId),
    Trap(TrapKind),
    CondTrap(IntCc, TrapKind),
    Call(CallInfo),
    Helper(HelperId),
    Lookup(LookupRef),
    Region(Region),
    /// Bytes (or scale), and a second number: offset for `addr_index`, else 1 if the memory may hold references.
    Size(u32, i32),
    Atomic(MemType, AliasClass),
    Lane(Lane),
    /// Lanes, and the amount of a shift.
    LaneShift(Lane, u8),
}

impl Imm {
    /// The kind, to be compared with the op's.
    pub fn kind(&self) -> ImmKind {
        match self {
            Imm::None => ImmKind::None,
            Imm::Int(_) => ImmKind::Int,
            Imm::Float(_) => ImmKind::Float,
            Imm::IntCc(_) => ImmKind::IntCc,
            Imm::FloatCc(_) => ImmKind::FloatCc,
            Imm::Mem(_) => ImmKind::Mem,
            Imm::Slot(..) => ImmKind::Slot,
            Imm::Fixup(_) => ImmKind::Fixup,
            Imm::Type(_) => ImmKind::Type,
            Imm::Trap(_) => ImmKind::Trap,
            Imm::CondTrap(..) => ImmKind::CondTrap,
            Imm::Call(_) => ImmKind::Call,
            Imm::Helper(_) => ImmKind::Helper,
            Imm::Lookup(_) => ImmKind::Lookup,
            Imm::Region(_) => ImmKind::Region,
            Imm::Size(..) => ImmKind::Size,
            Imm::Atomic(..) => ImmKind::Atomic,
            Imm::Lane(_) => ImmKind::Lane,
            Imm::LaneShift(..) => ImmKind::LaneShift,
        }
    }
}

/// Op and immediate of zero of a type.
pub fn zero_of(ty: Type) -> (Op, Imm) {
    match ty {
        Type::I32 | Type::I64 => (Op::Iconst, Imm::Int(0)),
        Type::F32 | Type::F64 => (Op::Fconst, Imm::Float(0)),
        Type::Ref | Type::ByRef => (Op::Null, Imm::None),
        Type::V128 | Type::V256 => (Op::VZero, Imm::None),
    }
}

/// A branch target with its arguments.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// Where to.
    pub block: Block,
    /// Values for the block's parameters.
    pub args: SmallVec<[Value; 2]>,
}

/// An instruction.
#[derive(Clone, PartialEq, Debug)]
pub struct InstData {
    /// Operation.
    pub op: Op,
    /// Type of the result, or of the operands named `T`.
    pub ty: Type,
    /// Operands.
    pub args: SmallVec<[Value; 3]>,
    /// Immediate.
    pub imm: Imm,
    /// Branch targets (terminators only).
    pub targets: SmallVec<[Target; 2]>,
    /// The result.
    pub result: Option<Value>,
    /// IL offset, and the inline site it comes from.
    pub loc: SourceLoc,
}

impl InstData {
    /// Operands and branch arguments.
    pub fn operands(&self) -> impl Iterator<Item = Value> + '_ {
        let passed = self.targets.iter().flat_map(|t| t.args.iter());
        self.args.iter().chain(passed).copied()
    }

    /// Operands and branch arguments, to be changed.
    pub fn operands_mut(&mut self) -> impl Iterator<Item = &mut Value> + '_ {
        let passed = self.targets.iter_mut().flat_map(|t| t.args.iter_mut());
        self.args.iter_mut().chain(passed)
    }
}

/// Where an instruction comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct SourceLoc {
    /// Offset in the IL of the inlined method (or of the function's own).
    pub il: u32,
    /// 0 for the function's own code, else index + 1 into [`Function::inline_sites`].
    pub site: u32,
}

/// A call that was inlined.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InlineSite {
    /// The method whose body was inserted.
    pub method: MethodId,
    /// Where the call stood.
    pub call: SourceLoc,
}

/// How a value comes to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueDef {
    /// Parameter of a block.
    Param(Block, u32),
    /// Result of an instruction.
    Result(Inst),
    /// The same as another value (resolved by [`Function::resolve`]).
    Alias(Value),
}

/// Type and definition of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValueData {
    /// Type.
    pub ty: Type,
    /// Definition.
    pub def: ValueDef,
}

/// A basic block.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BlockData {
    /// Parameters.
    pub params: Vec<Value>,
    /// Instructions in order, the last one a terminator.
    pub insts: Vec<Inst>,
    /// Innermost protected region the block is in.
    pub region: Option<Region>,
    /// Seldom run: laid out at the end.
    pub cold: bool,
}

/// A stack slot: a piece of the frame with an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotData {
    /// Bytes.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// The value type kept in it, if it is one (sroa asks for its fields).
    pub ty: Option<TypeId>,
    /// Must be zero at method entry.
    pub zeroed: bool,
    /// Which EH slot it is, if one.
    pub eh: Option<Region>,
}

/// What a handler handles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// Exceptions of a type known at compile time.
    Catch(TypeId),
    /// Exceptions of a type found by generic lookup when unwinding.
    CatchLookup(LookupRef),
    /// Exceptions the filter block accepts. The filter finds the exception with `catch_object` of the region.
    Filter(Block),
    /// Runs on the exceptional way out (fault, exceptional copy of finally), ends in `resume_unwind`.
    Fault,
}

/// A protected region and its handler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegionData {
    /// The region around it. Regions of one `try` with several handlers are nested: the first handler innermost.
    pub parent: Option<Region>,
    /// What is handled.
    pub kind: RegionKind,
    /// Where control goes.
    pub handler: Block,
    /// The frame slot of the exception in flight.
    pub eh_slot: Slot,
}

/// An open runtime constant: in terms of the generic parameters of the method it stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lookup {
    /// The method whose generic context is asked (after inlining not the function's own).
    pub owner: MethodId,
    /// The constant, with types, methods and fields in open form.
    pub fixup: Fixup,
}

/// A function.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Function {
    /// Name, for people.
    pub name: String,
    /// The method compiled (canonical form).
    pub method: Option<MethodId>,
    /// Its machine-level signature; the entry block's parameters are its parameters.
    pub sig: Signature,
    /// The first parameter is an object that is surely there: callers have checked it.
    pub this_non_null: bool,
    /// Blocks; the first in [`Self::layout`] is the entry.
    pub blocks: Vec<BlockData>,
    /// Blocks in order; blocks not in it are dead.
    pub layout: Vec<Block>,
    /// Instructions.
    pub insts: Vec<InstData>,
    /// Values.
    pub values: Vec<ValueData>,
    /// Stack slots.
    pub slots: Vec<SlotData>,
    /// Exception regions.
    pub regions: Vec<RegionData>,
    /// Signatures of calls.
    pub sigs: Vec<Signature>,
    /// Open runtime constants.
    pub lookups: Vec<Lookup>,
    /// Inlined calls.
    pub inline_sites: Vec<InlineSite>,
    /// Exceptions raised by code that could not be compiled (`throw_compile_error` names them by index).
    pub failures: Vec<Failure>,
    /// Variables stay in the frame that would need too many block parameters.
    pub vars_in_frame: bool,
}

/// An exception that a piece of a method raises because it could not be compiled.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Failure {
    /// Namespace of the exception class, in mscorlib.
    pub namespace: &'static str,
    /// Name of the exception class.
    pub class: &'static str,
    /// Message.
    pub message: String,
    /// The file or type that the exception names in a property; may be empty.
    pub subject: String,
}

impl Function {
    /// An empty function without blocks.
    pub fn new(name: impl Into<String>, sig: Signature) -> Function {
        Function {
            name: name.into(),
            sig,
            ..Function::default()
        }
    }

    /// The entry block.
    pub fn entry(&self) -> Block {
        self.layout[0]
    }

    /// Appends a new block to the layout.
    pub fn add_block(&mut self) -> Block {
        let b = Block(self.blocks.len() as u32);
        self.blocks.push(BlockData::default());
        self.layout.push(b);
        b
    }

    /// Adds a parameter to a block.
    pub fn add_param(&mut self, block: Block, ty: Type) -> Value {
        let n = self.blocks[block.index()].params.len() as u32;
        let v = self.make_value(ty, ValueDef::Param(block, n));
        self.blocks[block.index()].params.push(v);
        v
    }

    /// Adds a value. The caller keeps the definition true.
    pub fn make_value(&mut self, ty: Type, def: ValueDef) -> Value {
        let v = Value(self.values.len() as u32);
        self.values.push(ValueData { ty, def });
        v
    }

    /// Creates an instruction that is in no block yet, with a result of the given type if any.
    pub fn make_inst(&mut self, data: InstData, result: Option<Type>) -> Inst {
        let i = Inst(self.insts.len() as u32);
        self.insts.push(data);
        if let Some(ty) = result {
            let v = self.make_value(ty, ValueDef::Result(i));
            self.insts[i.index()].result = Some(v);
        }
        i
    }

    /// Adds a stack slot.
    pub fn add_slot(&mut self, slot: SlotData) -> Slot {
        self.slots.push(slot);
        Slot(self.slots.len() as u32 - 1)
    }

    /// Adds a signature (equal ones share an entry).
    pub fn add_sig(&mut self, sig: Signature) -> Sig {
        if let Some(i) = self.sigs.iter().position(|s| *s == sig) {
            return Sig(i as u32);
        }
        self.sigs.push(sig);
        Sig(self.sigs.len() as u32 - 1)
    }

    /// Adds an open runtime constant (equal ones share an entry).
    pub fn add_lookup(&mut self, lookup: Lookup) -> LookupRef {
        if let Some(i) = self.lookups.iter().position(|l| *l == lookup) {
            return LookupRef(i as u32);
        }
        self.lookups.push(lookup);
        LookupRef(self.lookups.len() as u32 - 1)
    }

    /// Adds an exception that a piece of the function raises because it could not be compiled.
    pub fn add_failure(&mut self, failure: Failure) -> u32 {
        self.failures.push(failure);
        self.failures.len() as u32 - 1
    }

    /// Follows aliases to the value that is really computed.
    pub fn resolve(&self, mut v: Value) -> Value {
        while let ValueDef::Alias(w) = self.values[v.index()].def {
            v = w;
        }
        v
    }

    /// Type of a value.
    pub fn ty(&self, v: Value) -> Type {
        self.values[v.index()].ty
    }

    /// The instruction that computes a value, unless it is a block parameter.
    pub fn def_inst(&self, v: Value) -> Option<Inst> {
        match self.values[self.resolve(v).index()].def {
            ValueDef::Result(i) => Some(i),
            _ => None,
        }
    }

    /// Makes `old` another name of `new`. The defining instruction of `old` must go.
    pub fn replace(&mut self, old: Value, new: Value) {
        let new = self.resolve(new);
        debug_assert_ne!(old, new);
        self.values[old.index()].def = ValueDef::Alias(new);
    }

    /// Keeps only the block parameters for which `keep` holds, and the arguments of branches for them. True if any went.
    pub fn retain_params(&mut self, keep: impl Fn(Block, usize) -> bool) -> bool {
        let mut changed = false;
        for n in 0..self.layout.len() {
            let b = self.layout[n];
            let inst = self.terminator(b);
            for t in &mut self.insts[inst.index()].targets {
                let mut n = 0;
                t.args.retain(|_| {
                    n += 1;
                    keep(t.block, n - 1)
                });
            }
            let old = std::mem::take(&mut self.blocks[b.index()].params);
            let count = old.len();
            let mut params = Vec::with_capacity(count);
            for (n, v) in old.into_iter().enumerate() {
                if keep(b, n) {
                    self.values[v.index()].def = ValueDef::Param(b, params.len() as u32);
                    params.push(v);
                }
            }
            changed |= params.len() != count;
            self.blocks[b.index()].params = params;
        }
        changed
    }

    /// Rewrites every operand and branch argument to the value its aliases lead to.
    pub fn resolve_aliases(&mut self) {
        let mut insts = std::mem::take(&mut self.insts);
        for data in &mut insts {
            for v in data.operands_mut() {
                *v = self.resolve(*v);
            }
        }
        self.insts = insts;
    }

    /// The terminator of a complete block.
    pub fn terminator(&self, b: Block) -> Inst {
        *self.blocks[b.index()]
            .insts
            .last()
            .expect("a complete block has a terminator")
    }

    /// Normal successors of a block in target order (a block may occur twice).
    pub fn succs(&self, b: Block) -> impl Iterator<Item = Block> + '_ {
        self.insts[self.terminator(b).index()]
            .targets
            .iter()
            .map(|t| t.block)
    }

    /// Handler and filter blocks that exceptions raised in a block may reach, innermost first.
    pub fn eh_succs(&self, b: Block) -> impl Iterator<Item = Block> + '_ {
        let mut next = self.blocks[b.index()].region;
        std::iter::from_fn(move || {
            let r = &self.regions[next?.index()];
            next = r.parent;
            Some(r)
        })
        .flat_map(|r| {
            let filter = if let RegionKind::Filter(f) = r.kind {
                Some(f)
            } else {
                None
            };
            filter.into_iter().chain([r.handler])
        })
    }
}
