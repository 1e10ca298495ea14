//! What the code generator delivers: code of one method with everything needed to place, run and
//! unwind it. Tables are in final code offsets, sorted.

pub mod text;

use crate::abi::fixup::Fixup;
use crate::abi::trap::TrapKind;
use crate::ir::{Failure, InlineSite, Lookup, SourceLoc};
use crate::passes::remarks::Remark;
use crate::stages::Stage;
use crate::types::{MethodId, TypeId};
use rustc_hash::FxHashSet;

/// How a field in the code refers to a runtime constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RelocKind {
    /// 32 bits: distance from the end of the field to the constant's cell, plus addend. Not a call.
    Cell32,
    /// The same in `call *cell(%rip)` (`ff 15`) or `jmp *cell(%rip)` (`ff 25`): six bytes that may be
    /// replaced by a direct call or jump (`67 e8`, `67 e9`) once the target is known to be near.
    CallCell32,
    /// 32 bits: distance from the end of the field to the code of the method (`call rel32`).
    Direct32,
    /// 64 bits: the constant's value.
    Abs64,
}

/// A field to be filled in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reloc {
    /// Offset of the field.
    pub offset: u32,
    /// Meaning.
    pub kind: RelocKind,
    /// Added to the distance: minus the bytes that follow the field in its instruction.
    pub addend: i8,
    /// The constant.
    pub fixup: Fixup,
}

/// An instruction that may trap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TrapSite {
    /// Offset of the instruction.
    pub offset: u32,
    /// Exception it stands for.
    pub kind: TrapKind,
}

/// From this offset on the code belongs to this source position.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LineEntry {
    /// Offset.
    pub offset: u32,
    /// Source position.
    pub loc: SourceLoc,
}

/// What an exception clause handles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClauseKind {
    /// Exceptions of a type.
    Catch(TypeId),
    /// Exceptions of a type found by generic lookup.
    CatchLookup(Lookup),
    /// Exceptions the filter at this offset accepts.
    Filter(u32),
    /// All, without stopping them.
    Fault,
}

/// An exception clause. A protected region that ended up in several pieces of code has one for each.
/// Inner clauses come before outer ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EhClause {
    /// First protected byte.
    pub start: u32,
    /// First byte behind.
    pub end: u32,
    /// Offset of the handler.
    pub handler: u32,
    /// What is handled.
    pub kind: ClauseKind,
    /// Offset of the EH slot from `rbp`.
    pub eh_slot: i32,
    /// Number of the region, the same for all its pieces.
    pub region: u32,
}

/// What the unwinder must know about the frame. All frames have `rbp`; the saved registers stand
/// below it from `rbp-8` down in the order of their numbers' bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct FrameInfo {
    /// `rbp - rsp` after the prologue.
    pub size: u32,
    /// Callee-saved registers stored in the frame: bit = hardware number. The lowest number stands at `rbp-8`.
    pub saved: u16,
}

/// Why code was made with less effort than asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reduced {
    /// The thorough register allocator would take too long: many values live over long ways.
    Registers,
    /// The method is so large that only the cheap passes ran.
    Passes,
    /// Variables stay in the frame: in registers they would be handed on along too many edges.
    Variables,
}

impl Reduced {
    /// Code for reports.
    pub fn code(self) -> &'static str {
        match self {
            Reduced::Registers => "reduced-registers",
            Reduced::Passes => "reduced-passes",
            Reduced::Variables => "reduced-variables",
        }
    }
}

impl core::fmt::Display for Reduced {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Reduced::Registers => {
                "fast register allocation: too many blocks, or values live over long ways"
            }
            Reduced::Passes => "cheap optimizations only: the method is too large for all",
            Reduced::Variables => "variables in the frame: too many live where control flow meets",
        })
    }
}

/// Compiled code of one method.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CodeBlob {
    /// Name, for people.
    pub name: String,
    /// The method compiled (canonical form).
    pub method: Option<MethodId>,
    /// Less effort was spent than asked for.
    pub reduced: Option<Reduced>,
    /// Code, then padding and constants.
    pub code: Vec<u8>,
    /// Bytes of `code` that are instructions.
    pub code_size: u32,
    /// Alignment that the start of the code needs for its constants.
    pub align: u32,
    /// The same as assembler text, if asked for: assembles to exactly `code`.
    pub text: Option<String>,
    /// Fields to fill in.
    pub relocs: Vec<Reloc>,
    /// All runtime constants used, without repetition, in the order of their first use.
    pub fixups: Vec<Fixup>,
    /// Frame.
    pub frame: FrameInfo,
    /// Exception clauses.
    pub clauses: Vec<EhClause>,
    /// Instructions that may trap.
    pub traps: Vec<TrapSite>,
    /// Source positions.
    pub lines: Vec<LineEntry>,
    /// Inlined calls that `lines` refers to.
    pub inline_sites: Vec<InlineSite>,
    /// Exceptions of code that could not be compiled, by the index given to `throw_compile_error`.
    pub failures: Vec<Failure>,
    /// What passes said, if they were asked.
    pub remarks: Vec<Remark>,
    /// What its compilation took, stage by stage, if asked for.
    pub stages: Vec<Stage>,
}

impl CodeBlob {
    /// The constants whose cells the code reads: all but those that are only called directly.
    pub fn cell_fixups(&self) -> FxHashSet<Fixup> {
        let through_cells = self.relocs.iter().filter(|r| r.kind != RelocKind::Direct32);
        through_cells.map(|r| r.fixup).collect()
    }

    /// Source position of the instruction at an offset.
    pub fn loc_at(&self, offset: u32) -> Option<SourceLoc> {
        let n = self.lines.partition_point(|l| l.offset <= offset);
        Some(self.lines[n.checked_sub(1)?].loc)
    }

    /// Trap of the instruction at exactly this offset.
    pub fn trap_at(&self, offset: u32) -> Option<TrapKind> {
        let n = self
            .traps
            .binary_search_by_key(&offset, |t| t.offset)
            .ok()?;
        Some(self.traps[n].kind)
    }
}
