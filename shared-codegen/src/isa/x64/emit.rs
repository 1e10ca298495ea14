//! Emission: instructions with physical registers to a [`CodeBlob`], as bytes and, if asked for, text.
//!
//! The driver places blocks ([`Emitter::begin_block`]) and hands over instructions in order
//! ([`Emitter::emit`]). Cold parts of sequences stand behind the last block, constants behind them.
//! Runtime sequences (calls, polls, allocation) are in `sequence`.

use super::encode::{RipTarget, encode};
use super::form::Form;
use super::inst::MInst;
use super::int_forms::movabs;
use super::operand::{Amode, Cc, RegMem, Size};
use super::print::{FxIndexSet, LocalNames, Names, print};
use super::regs::Reg;
use crate::abi::fixup::Fixup;
use crate::abi::trap::TrapKind;
use crate::emit::{
    ClauseKind, CodeBlob, EhClause, FrameInfo, LineEntry, Reloc, RelocKind, TrapSite,
};
use crate::ir::{Function, Region, RegionKind, SourceLoc};
use crate::mach::Label;
use crate::mach::buffer::{
    Alignment, BranchForm, BufferError, CodeBuffer, Finished, RawOffset, padding,
};
use rustc_hash::FxHashMap;
use std::fmt::Write;

pub use super::encode::FrameMap;

/// How runtime constants are reached: the one difference between JIT and ahead-of-time code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConstMode {
    /// Immediates, patched in before the code runs.
    Immediate,
    /// Loads from cells bound by the loader.
    Cell,
}

/// What emission needs to know.
pub struct EmitOptions<'a> {
    /// How constants are reached.
    pub consts: ConstMode,
    /// Make assembler text, with this prefix in local symbols (see [`LocalNames`]).
    pub text: Option<&'a str>,
    /// Methods whose code can be called directly (`call rel32` instead of `call *cell`).
    pub direct: &'a dyn Fn(Fixup) -> bool,
}

impl Default for EmitOptions<'_> {
    fn default() -> Self {
        EmitOptions {
            consts: ConstMode::Immediate,
            text: None,
            direct: &|_| false,
        }
    }
}

/// A piece of code behind the last block.
pub(super) struct ColdPart {
    pub(super) label: Label,
    pub(super) loc: SourceLoc,
    pub(super) region: Option<Region>,
    pub(super) body: ColdBody,
}

/// What a cold part does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum ColdBody {
    /// `ud2`.
    Trap(TrapKind),
    /// Call of a stub that keeps all registers, and back.
    Poll { back: Label },
    /// Raises the pending exception; the thread's `last_sp` and `last_fp` are still set.
    ThrowPending,
    /// Calls an allocation helper with the arguments where they are, and back.
    Allocate {
        helper: crate::abi::helper::HelperId,
        back: Label,
    },
}

#[derive(Clone, Copy)]
struct RawReloc {
    at: RawOffset,
    kind: RelocKind,
    addend: i8,
    fixup: Fixup,
}

/// Emits one function.
pub struct Emitter<'a> {
    pub(super) buf: CodeBuffer,
    opts: &'a EmitOptions<'a>,
    frame: FrameMap,
    text: String,
    following: Option<Label>,
    pub(super) loc: SourceLoc,
    pub(super) region: Option<Region>,
    lines: Vec<(RawOffset, SourceLoc)>,
    regions: Vec<(RawOffset, Option<Region>)>,
    traps: Vec<(RawOffset, TrapKind)>,
    relocs: Vec<RawReloc>,
    fixups: FxIndexSet<Fixup>,
    cold: Vec<ColdPart>,
    cold_traps: FxHashMap<(TrapKind, SourceLoc, Option<Region>), Label>,
    constants: FxHashMap<([u8; 16], u8), Label>,
    pool_text: String,
    /// Where in the text padding belongs.
    paddings: Vec<usize>,
    align: u32,
    /// SSE instructions become AVX ones: the function uses vectors of 32 bytes.
    pub(super) vex: bool,
}

impl<'a> Emitter<'a> {
    /// Starts a function of `blocks` blocks; labels `0..blocks` are theirs.
    pub fn new(opts: &'a EmitOptions<'a>, blocks: u32, frame: FrameMap) -> Emitter<'a> {
        Emitter {
            buf: CodeBuffer::with_labels(blocks),
            opts,
            frame,
            text: String::new(),
            following: None,
            loc: SourceLoc::default(),
            region: None,
            lines: vec![(RawOffset(0), SourceLoc::default())],
            regions: vec![(RawOffset(0), None)],
            traps: Vec::new(),
            relocs: Vec::new(),
            fixups: FxIndexSet::default(),
            cold: Vec::new(),
            cold_traps: FxHashMap::default(),
            constants: FxHashMap::default(),
            pool_text: String::new(),
            paddings: Vec::new(),
            align: 1,
            vex: false,
        }
    }

    /// A label besides those of the blocks.
    pub fn new_label(&mut self) -> Label {
        self.buf.new_label()
    }

    /// Places a block: its code is protected by `region`, and after it stands `following`.
    pub fn begin_block(&mut self, label: Label, region: Option<Region>, following: Option<Label>) {
        self.following = following;
        self.set_region(region);
        self.bind(label);
    }

    /// Wants the next block to begin at a multiple. The text gets the padding once its size is known.
    pub fn align(&mut self, alignment: Alignment) {
        self.align = self.align.max(alignment.to);
        self.buf.align(alignment);
        self.paddings.push(self.text.len());
    }

    /// Source position of the instructions that follow.
    pub fn set_loc(&mut self, loc: SourceLoc) {
        if loc == self.loc {
            return;
        }
        self.loc = loc;
        let at = self.buf.pos();
        match self.lines.last_mut() {
            Some(last) if last.0 == at => last.1 = loc,
            _ => self.lines.push((at, loc)),
        }
        if self.opts.text.is_some() {
            let _ = match loc.site {
                0 => writeln!(self.text, "\t# IL_{:04x}", loc.il),
                site => writeln!(
                    self.text,
                    "\t# IL_{:04x} of inlined call {}",
                    loc.il,
                    site - 1
                ),
            };
        }
    }

    pub(super) fn set_region(&mut self, region: Option<Region>) {
        if region == self.region {
            return;
        }
        self.region = region;
        let at = self.buf.pos();
        match self.regions.last_mut() {
            Some(last) if last.0 == at => last.1 = region,
            _ => self.regions.push((at, region)),
        }
    }

    /// Places a label here.
    pub fn bind(&mut self, l: Label) {
        self.buf.bind(l);
        if let Some(prefix) = self.opts.text {
            let names = LocalNames {
                prefix,
                fixups: &self.fixups,
            };
            names.label(l, &mut self.text);
            self.text.push_str(":\n");
        }
    }

    /// A 4, 8 or 16 byte constant in the pool, aligned to its size.
    pub fn constant(&mut self, bytes: &[u8]) -> Amode {
        let mut key = [0; 16];
        key[..bytes.len()].copy_from_slice(bytes);
        let l = match self.constants.get(&(key, bytes.len() as u8)) {
            Some(l) => *l,
            None => self.new_constant(key, bytes),
        };
        Amode::Label(l, 0)
    }

    fn new_constant(&mut self, key: [u8; 16], bytes: &[u8]) -> Label {
        let l = self.buf.new_label();
        self.constants.insert((key, bytes.len() as u8), l);
        self.place_constant(l, bytes);
        l
    }

    /// Puts a constant of 4, 8, 16 or 32 bytes into the pool and a label at it; aligned to its size or 16 bytes.
    pub fn place_constant(&mut self, l: Label, bytes: &[u8]) {
        let align = bytes.len().next_power_of_two().min(16) as u32;
        self.align = self.align.max(align);
        self.buf.pool_data(l, align, bytes);
        if let Some(prefix) = self.opts.text {
            let names = LocalNames {
                prefix,
                fixups: &self.fixups,
            };
            let _ = writeln!(self.pool_text, "\t.balign {align}, 0xcc");
            names.label(l, &mut self.pool_text);
            let list: Vec<String> = bytes.iter().map(|b| format!("{b:#04x}")).collect();
            let _ = writeln!(self.pool_text, ":\n\t.byte {}", list.join(","));
        }
    }

    /// Emits an instruction.
    pub fn emit(&mut self, inst: &MInst) {
        let form = match self.vex {
            true => inst.vex_form(),
            false => inst.form(),
        };
        match form {
            Some(form) => {
                if let MInst::Div { .. } = inst {
                    self.trap_here(TrapKind::DivideByZero);
                }
                self.emit_form(form);
            }
            None => self.emit_pseudo(inst),
        }
    }

    pub(super) fn emit_form(&mut self, mut form: Form) {
        form.resolve(&self.frame);
        let e = encode(&form);
        if let Some(rip) = e.rip {
            let at = RawOffset(self.buf.pos().0 + rip.at as u32);
            match rip.target {
                RipTarget::Label(l, offset) => self.buf.label_field(at, rip.to_end, l, offset),
                RipTarget::Fixup(fixup) => {
                    let call = form.star && form.op == 0xff;
                    let kind = if call {
                        RelocKind::CallCell32
                    } else {
                        RelocKind::Cell32
                    };
                    self.reloc(at, kind, 4 - rip.to_end as i8, fixup);
                }
            }
        }
        self.buf.put(e.bytes());
        if let Some(prefix) = self.opts.text {
            let names = LocalNames {
                prefix,
                fixups: &self.fixups,
            };
            self.text.push('\t');
            print(&form, &names, &mut self.text);
            self.text.push('\n');
        }
    }

    fn reloc(&mut self, at: RawOffset, kind: RelocKind, addend: i8, fixup: Fixup) {
        self.fixups.insert(fixup);
        self.relocs.push(RawReloc {
            at,
            kind,
            addend,
            fixup,
        });
    }

    fn emit_pseudo(&mut self, inst: &MInst) {
        match inst {
            MInst::Jmp { target } => self.jump(*target),
            MInst::Branch { cc, taken, other } => self.branch(*cc, *taken, *other),
            MInst::BranchOr {
                cc1,
                cc2,
                taken,
                other,
            } => {
                self.jcc(*cc1, *taken);
                self.branch(*cc2, *taken, *other);
            }
            MInst::Jcc { cc, target } => self.jcc(*cc, *target),
            MInst::Bind { label } => self.bind(*label),
            MInst::JumpTable {
                index,
                tmp,
                base,
                targets,
            } => self.jump_table(*index, *tmp, *base, targets),
            MInst::EhEntry { body, .. } => self.jump(*body),
            MInst::Trap { kind } => self.trap(*kind),
            MInst::TrapIf { cc, kind } => self.trap_if(*cc, *kind),
            MInst::NullProbe { addr } => self.null_probe(*addr),
            MInst::Nop { bytes } => self.nop(*bytes),
            MInst::LoadFixup { fixup, dst } => self.load_fixup(*fixup, *dst),
            MInst::LoadConst { bits, size, dst } => self.load_const(*bits, *size, *dst),
            MInst::Const128 { op, bits, dst, .. } => {
                let m = self.constant(&bits.to_le_bytes());
                self.emit(&MInst::SsePacked {
                    op: *op,
                    src1: *dst,
                    src2: RegMem::Mem(m),
                    dst: *dst,
                });
            }
            MInst::LoadLabel { label, dst } => self.emit(&MInst::Lea {
                size: Size::S64,
                addr: Amode::Label(*label, 0),
                dst: *dst,
            }),
            MInst::Call { fixup, kind, .. } => self.call(RegMem::Mem(Amode::Fixup(*fixup)), *kind),
            MInst::CallReg { target, kind, .. } => self.call(*target, *kind),
            MInst::Poll {} => self.poll(),
            MInst::AllocObject { size, .. } => self.alloc_object(*size),
            MInst::AllocArray { element, .. } => self.alloc_array(*element),
            MInst::Loc { loc } => self.set_loc(*loc),
            MInst::Args { .. } | MInst::KeepAlive { .. } => {}
            other => debug_assert!(false, "no form and no expansion: {other:?}"),
        }
    }

    fn branch_to(&mut self, name: [&str; 2], form: BranchForm, target: Label) {
        self.buf.branch(form, target);
        if let Some(prefix) = self.opts.text {
            let names = LocalNames {
                prefix,
                fixups: &self.fixups,
            };
            let _ = write!(self.text, "\t{}{} ", name[0], name[1]);
            names.label(target, &mut self.text);
            self.text.push('\n');
        }
    }

    /// `jcc target`.
    pub(super) fn jcc(&mut self, cc: Cc, target: Label) {
        let form = BranchForm {
            short: 0x70 | cc as u8,
            long: [0x0f, 0x80 | cc as u8],
        };
        self.branch_to(["j", cc.suffix()], form, target);
    }

    /// `jmp target`, unless it follows.
    fn jump(&mut self, target: Label) {
        if self.following != Some(target) {
            self.jump_always(target);
        }
    }

    pub(super) fn jump_always(&mut self, target: Label) {
        self.branch_to(
            ["jmp", ""],
            BranchForm {
                short: 0xeb,
                long: [0, 0xe9],
            },
            target,
        );
    }

    fn branch(&mut self, cc: Cc, taken: Label, other: Label) {
        if taken == other {
            self.jump(taken);
        } else if self.following == Some(taken) {
            self.jcc(cc.inverse(), other);
        } else {
            self.jcc(cc, taken);
            self.jump(other);
        }
    }

    fn jump_table(&mut self, index: Reg, tmp: Reg, base: Reg, targets: &[Label]) {
        let table = self.buf.new_label();
        self.buf.pool_table(table, targets);
        self.align = self.align.max(4);
        if let Some(prefix) = self.opts.text {
            let names = LocalNames {
                prefix,
                fixups: &self.fixups,
            };
            self.pool_text.push_str("\t.balign 4, 0xcc\n");
            names.label(table, &mut self.pool_text);
            self.pool_text.push_str(":\n");
            for t in targets {
                self.pool_text.push_str("\t.long ");
                names.label(*t, &mut self.pool_text);
                self.pool_text.push('-');
                names.label(table, &mut self.pool_text);
                self.pool_text.push('\n');
            }
        }
        let entry = Amode::indexed(base, index, 2, 0);
        self.emit(&MInst::LoadLabel {
            label: table,
            dst: base,
        });
        self.emit(&MInst::Ext {
            op: super::ExtOp::Sx32,
            size: Size::S64,
            src: RegMem::Mem(entry),
            dst: tmp,
        });
        self.emit(&MInst::Alu {
            op: super::AluOp::Add,
            size: Size::S64,
            src1: tmp,
            src2: base.into(),
            dst: tmp,
        });
        self.emit(&MInst::JmpReg {
            target: RegMem::Reg(tmp),
            regs: Box::default(),
        });
    }

    /// The instruction that comes next may trap.
    pub fn trap_here(&mut self, kind: TrapKind) {
        self.traps.push((self.buf.pos(), kind));
    }

    fn trap(&mut self, kind: TrapKind) {
        self.trap_here(kind);
        self.emit_form(Form::ud2());
    }

    fn trap_if(&mut self, cc: Cc, kind: TrapKind) {
        let key = (kind, self.loc, self.region);
        let label = match self.cold_traps.get(&key) {
            Some(l) => *l,
            None => {
                let l = self.cold(ColdBody::Trap(kind));
                self.cold_traps.insert(key, l);
                l
            }
        };
        self.jcc(cc, label);
    }

    fn null_probe(&mut self, addr: Amode) {
        self.trap_here(TrapKind::NullReference);
        let al = Reg::phys(super::regs::RAX);
        self.emit_form(Form::test_byte(al, addr));
    }

    fn nop(&mut self, bytes: u8) {
        padding(bytes.into(), NOPS).for_each(|n| self.buf.put(n));
        if self.opts.text.is_some() {
            push_nops(bytes.into(), &mut self.text);
        }
    }

    fn load_fixup(&mut self, fixup: Fixup, dst: Reg) {
        if self.opts.consts == ConstMode::Cell {
            return self.emit(&MInst::Mov {
                size: Size::S64,
                src: RegMem::Mem(Amode::Fixup(fixup)),
                dst,
            });
        }
        let form = movabs(0, dst);
        let e = encode(&form);
        let at = RawOffset(self.buf.pos().0 + e.bytes().len() as u32 - 8);
        self.reloc(at, RelocKind::Abs64, 0, fixup);
        self.buf.put(e.bytes());
        if let Some(prefix) = self.opts.text {
            let names = LocalNames {
                prefix,
                fixups: &self.fixups,
            };
            self.text.push_str("\tmovabsq $");
            names.cell(fixup, &mut self.text);
            self.text.push_str(", ");
            super::print::push_reg(&mut self.text, dst, super::form::Width::Q);
            self.text.push('\n');
        }
    }

    /// Float constant into an SSE register.
    fn load_const(&mut self, bits: u64, size: Size, dst: Reg) {
        if bits == 0 {
            return self.emit(&MInst::ZeroXmm { dst });
        }
        let (op, m) = match size {
            Size::S32 => (
                super::SseMovOp::Movss,
                self.constant(&(bits as u32).to_le_bytes()),
            ),
            _ => (super::SseMovOp::Movsd, self.constant(&bits.to_le_bytes())),
        };
        self.emit(&MInst::SseMovScalar {
            op,
            src: RegMem::Mem(m),
            dst,
        });
    }

    /// Is a direct call to the target of this cell allowed?
    pub(super) fn direct_target(&self, target: &RegMem) -> Option<Fixup> {
        match target {
            RegMem::Mem(Amode::Fixup(f)) if (self.opts.direct)(*f) => Some(*f),
            _ => None,
        }
    }

    /// `call rel32`.
    pub(super) fn call_direct(&mut self, fixup: Fixup) {
        let at = RawOffset(self.buf.pos().0 + 1);
        self.reloc(at, RelocKind::Direct32, 0, fixup);
        self.buf.put(&[0xe8, 0, 0, 0, 0]);
        if let Some(prefix) = self.opts.text {
            let names = LocalNames {
                prefix,
                fixups: &self.fixups,
            };
            self.text.push_str("\tcall ");
            names.code(fixup, &mut self.text);
            self.text.push('\n');
        }
    }

    /// Queues a piece of cold code that belongs to the current position.
    pub(super) fn cold(&mut self, body: ColdBody) -> Label {
        let label = self.buf.new_label();
        self.cold.push(ColdPart {
            label,
            loc: self.loc,
            region: self.region,
            body,
        });
        label
    }

    fn emit_cold(&mut self) {
        self.following = None;
        // Cold parts may need cold parts of their own.
        while !self.cold.is_empty() {
            for part in std::mem::take(&mut self.cold) {
                self.set_region(part.region);
                self.set_loc(part.loc);
                self.bind(part.label);
                match part.body {
                    ColdBody::Trap(kind) => self.trap(kind),
                    body => self.cold_sequence(body),
                }
            }
        }
        self.set_region(None);
    }

    /// Ends the function. `handler` gives the label of handler and filter blocks, `slot` the frame offset of stack slots is the frame map's.
    pub fn finish(
        mut self,
        f: &Function,
        frame: FrameInfo,
        handler: &dyn Fn(crate::ir::Block) -> Option<Label>,
    ) -> Result<CodeBlob, BufferError> {
        self.emit_cold();
        let end = self.buf.pos();
        let code = std::mem::take(&mut self.buf).finish(NOPS)?;
        let text = self.opts.text.map(|_| {
            let mut text = self.padded_text(&code.paddings);
            if !self.pool_text.is_empty() {
                let _ = writeln!(text, "\t.balign {}, 0xcc", code.pool_align);
                text.push_str(&self.pool_text);
            }
            text
        });
        let clauses = self.clauses(f, end, &code, handler)?;
        let at = |raw| code.offset(raw);
        let blob = CodeBlob {
            name: f.name.clone(),
            method: f.method,
            reduced: None,
            remarks: Vec::new(),
            stages: Vec::new(),
            code_size: code.code_size,
            align: self.align,
            text,
            fixups: self.fixups.iter().copied().collect(),
            relocs: self
                .relocs
                .iter()
                .map(|r| Reloc {
                    offset: at(r.at),
                    kind: r.kind,
                    addend: r.addend,
                    fixup: r.fixup,
                })
                .collect(),
            frame,
            clauses,
            traps: self
                .traps
                .iter()
                .map(|&(raw, kind)| TrapSite {
                    offset: at(raw),
                    kind,
                })
                .collect(),
            lines: self
                .lines
                .iter()
                .map(|&(raw, loc)| LineEntry {
                    offset: at(raw),
                    loc,
                })
                .collect(),
            inline_sites: f.inline_sites.clone(),
            failures: f.failures.clone(),
            code: code.bytes,
        };
        Ok(blob)
    }

    /// The text of the code with padding where it belongs.
    fn padded_text(&mut self, paddings: &[u32]) -> String {
        if self.paddings.is_empty() {
            return std::mem::take(&mut self.text);
        }
        let mut text = String::with_capacity(self.text.len() + 64 * paddings.len());
        let mut done = 0;
        for (&at, &bytes) in self.paddings.iter().zip(paddings) {
            text.push_str(&self.text[done..at]);
            push_nops(bytes, &mut text);
            done = at;
        }
        text.push_str(&self.text[done..]);
        text
    }

    /// Clauses of all regions, inner regions first, pieces of one region in code order.
    fn clauses(
        &self,
        f: &Function,
        end: RawOffset,
        code: &Finished,
        handler: &dyn Fn(crate::ir::Block) -> Option<Label>,
    ) -> Result<Vec<EhClause>, BufferError> {
        let mut out = Vec::new();
        let pieces = self.region_pieces(f, end);
        for r in inner_first(f) {
            let data = &f.regions[r.index()];
            let Some(h) = handler(data.handler) else {
                continue;
            };
            let kind = match data.kind {
                RegionKind::Catch(t) => ClauseKind::Catch(t),
                RegionKind::CatchLookup(l) => ClauseKind::CatchLookup(f.lookups[l.index()]),
                RegionKind::Filter(b) => {
                    let Some(l) = handler(b) else { continue };
                    ClauseKind::Filter(code.label(l)?)
                }
                RegionKind::Fault => ClauseKind::Fault,
            };
            for &(start, stop) in &pieces[r.index()] {
                out.push(EhClause {
                    start: code.offset(start),
                    end: code.offset(stop),
                    handler: code.label(h)?,
                    kind,
                    eh_slot: self.frame.slots[data.eh_slot.index()],
                    region: r.0,
                });
            }
        }
        Ok(out)
    }

    /// The code of each region, inner ones included, in pieces that do not touch.
    fn region_pieces(&self, f: &Function, end: RawOffset) -> Vec<Vec<(RawOffset, RawOffset)>> {
        let mut pieces: Vec<Vec<(RawOffset, RawOffset)>> = vec![Vec::new(); f.regions.len()];
        for (i, &(start, innermost)) in self.regions.iter().enumerate() {
            let stop = self.regions.get(i + 1).map_or(end, |n| n.0);
            let mut at = innermost.filter(|_| stop != start);
            while let Some(r) = at {
                match pieces[r.index()].last_mut() {
                    Some(last) if last.1 == start => last.1 = stop,
                    _ => pieces[r.index()].push((start, stop)),
                }
                at = f.regions[r.index()].parent;
            }
        }
        pieces
    }
}

/// The regions, those inside before those around them.
fn inner_first(f: &Function) -> Vec<Region> {
    let mut depths: Vec<Option<u32>> = vec![None; f.regions.len()];
    for n in 0..f.regions.len() {
        let mut chain = Vec::new();
        let mut at = Some(Region(n as u32));
        while let Some(r) = at.filter(|r| depths[r.index()].is_none()) {
            chain.push(r);
            at = f.regions[r.index()].parent;
        }
        let around = at.and_then(|r| depths[r.index()]).map_or(0, |d| d + 1);
        for (depth, r) in (around..).zip(chain.into_iter().rev()) {
            depths[r.index()] = Some(depth);
        }
    }
    let mut order: Vec<Region> = (0..f.regions.len() as u32).map(Region).collect();
    order.sort_by_key(|r| core::cmp::Reverse(depths[r.index()]));
    order
}

/// The processor vendors' recommended fillers of 1 to 9 bytes.
const NOPS: &[&[u8]] = &[
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f, 0x00],
    &[0x0f, 0x1f, 0x40, 0x00],
    &[0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x0f, 0x1f, 0x80, 0, 0, 0, 0],
    &[0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
    &[0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
];

/// Padding as text: as data, because GNU as has fillers of its own choice for `.nop`.
fn push_nops(bytes: u32, text: &mut String) {
    for nop in padding(bytes, NOPS) {
        let list: Vec<String> = nop.iter().map(|b| format!("{b:#04x}")).collect();
        let _ = writeln!(text, "\t.byte {}\t# nop", list.join(","));
    }
}

impl Form {
    fn ud2() -> Form {
        Form {
            name: "ud2",
            map: super::Map::M0f,
            op: 0x0b,
            ..MInst::Int3 {}.form().expect("has a form")
        }
    }

    fn test_byte(r: Reg, addr: Amode) -> Form {
        let inst = MInst::CmpMem {
            op: super::CmpOp::Test,
            size: Size::S8,
            a: RegMem::Mem(addr),
            b: super::RegImm::Reg(r),
        };
        inst.form().expect("has a form")
    }
}
