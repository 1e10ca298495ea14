//! The IR verifier. What it checks, in this order (the later groups only if the earlier ones hold):
//!
//! Structure
//!  1. The layout is not empty and names each block at most once; blocks, instructions, values, regions exist.
//!  2. A block ends in a terminator and has no other; an instruction stands in one block only.
//!  3. A value is defined once: results and parameters point back to where they stand.
//!  4. Terminators have as many targets as they need (`jump` 1, `brif` 2, `switch` at least 1), other ops none; targets are in the
//!     layout; a branch's arguments fit the parameters of its target in number and type.
//!  5. The entry has the signature's parameters, no predecessors, and is in no region.
//!
//! Instructions
//!  6. Operands, result and immediate are as the op table says (`typing::check_inst`), call arguments as the signature says.
//!  7. No `Cli` op at level `Low`.
//!  8. Inlined calls stand in code inlined before them. Immediates name slots, signatures, lookups, regions and inline sites that exist; slot accesses stay inside their slot;
//!     stores and copies marked as barrier ops concern references.
//!  9. `context_arg` stands in the entry block of a function that has a context.
//! 10. Constants are in normal form: `i32` constants sign-extended, `f32` bits in the low half.
//!
//! Regions
//! 11. Parent chains end. If a block is in a region, its handler (and filter) is in the layout, has no parameters, is no branch's target
//!     and lies outside the region; the EH slot belongs to the region and has 24 bytes.
//! 12. `catch_object`, `rethrow`, `resume_unwind` stand where the region's handler (for `catch_object` also its filter) dominates;
//!     `end_filter` where some filter does.
//!
//! SSA
//! 13. Definitions dominate uses (reachable blocks only). What a block computes is not available in the handlers of its regions.
//! 14. With `eh_demoted`: nothing is live into handlers and filters.

use super::text::NoNames;
use super::{
    Block, Function, Fx, Imm, Inst, InstData, Level, MemType, Op, Region, RegionKind, Type, Value,
    ValueDef, typing,
};
use crate::abi::layout;
use crate::analysis::{Cfg, Dominators, Liveness};
use std::fmt;

/// What to demand.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions {
    /// `Level::Cli`: all ops; `Level::Low`: only ops the back end takes.
    pub level: Level,
    /// Nothing may be live into handlers.
    pub eh_demoted: bool,
}

impl VerifyOptions {
    /// For functions before `expand`.
    pub const CLI: VerifyOptions = VerifyOptions {
        level: Level::Cli,
        eh_demoted: false,
    };
    /// For functions after `expand`.
    pub const LOW: VerifyOptions = VerifyOptions {
        level: Level::Low,
        eh_demoted: false,
    };
    /// For functions ready for the back end.
    pub const FINAL: VerifyOptions = VerifyOptions {
        level: Level::Low,
        eh_demoted: true,
    };
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The block concerned.
    pub block: Option<Block>,
    /// The instruction concerned.
    pub inst: Option<Inst>,
    /// What is wrong, with the instruction's text.
    pub message: String,
}

/// All that is wrong with a function.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct VerifyError {
    /// The function's name.
    pub function: String,
    /// At least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: wrong IR", self.function)?;
        for fault in &self.faults {
            write!(out, "\n  ")?;
            if let Some(b) = fault.block {
                write!(out, "{b}: ")?;
            }
            write!(out, "{}", fault.message)?;
        }
        Ok(())
    }
}

/// Checks a function.
pub fn verify(f: &Function, options: VerifyOptions) -> Result<(), VerifyError> {
    let mut v = Verifier {
        f,
        options,
        faults: Vec::new(),
        in_layout: vec![false; f.blocks.len()],
        place: vec![None; f.insts.len()],
    };
    v.run();
    if v.faults.is_empty() {
        return Ok(());
    }
    Err(VerifyError {
        function: f.name.clone(),
        faults: v.faults,
    })
}

struct Verifier<'f> {
    f: &'f Function,
    options: VerifyOptions,
    faults: Vec<Fault>,
    in_layout: Vec<bool>,
    /// Block and position of each instruction.
    place: Vec<Option<(Block, u32)>>,
}

impl Verifier<'_> {
    fn run(&mut self) {
        let groups: [fn(&mut Self); 4] = [
            Self::structure,
            Self::instructions,
            Self::regions,
            Self::flow,
        ];
        for group in groups {
            group(self);
            if !self.faults.is_empty() {
                return;
            }
        }
    }

    fn fault(&mut self, block: Option<Block>, message: impl Into<String>) {
        self.faults.push(Fault {
            block,
            inst: None,
            message: message.into(),
        });
    }

    fn inst_fault(&mut self, block: Block, inst: Inst, message: impl fmt::Display) {
        let text = self.f.display_inst(inst, &NoNames).to_string();
        self.faults.push(Fault {
            block: Some(block),
            inst: Some(inst),
            message: format!("`{text}`: {message}"),
        });
    }

    // ---- structure

    fn structure(&mut self) {
        let f = self.f;
        if f.layout.is_empty() {
            return self.fault(None, "no blocks");
        }
        for &b in &f.layout {
            match self.in_layout.get_mut(b.index()) {
                Some(seen @ false) => *seen = true,
                Some(true) => self.fault(Some(b), "is in the layout twice"),
                None => self.fault(Some(b), "does not exist"),
            }
        }
        if !self.faults.is_empty() {
            return;
        }
        self.regions_exist();
        for &b in &f.layout {
            self.block_structure(b);
        }
        for (n, site) in f.inline_sites.iter().enumerate() {
            if site.call.site as usize > n {
                self.fault(None, format!("site{} is called from a later site", n + 1));
            }
        }
        if self.faults.is_empty() {
            self.entry();
        }
    }

    fn regions_exist(&mut self) {
        let n = self.f.regions.len();
        for (i, r) in self.f.regions.iter().enumerate() {
            let mut at = r.parent;
            for _ in 0..=n {
                at = match at.map(|p| self.f.regions.get(p.index())) {
                    Some(Some(p)) => p.parent,
                    Some(None) => break,
                    None => break,
                };
            }
            if at.is_some() {
                self.fault(None, format!("the parents of region{i} do not end"));
            }
        }
        for &b in &self.f.layout {
            let region = self.f.blocks[b.index()].region;
            if region.is_some_and(|r| r.index() >= n) {
                self.fault(Some(b), "is in a region that does not exist");
            }
        }
    }

    fn block_structure(&mut self, b: Block) {
        let f = self.f;
        let block = &f.blocks[b.index()];
        for (n, &p) in block.params.iter().enumerate() {
            let def = f.values.get(p.index()).map(|d| d.def);
            if def != Some(ValueDef::Param(b, n as u32)) {
                self.fault(Some(b), format!("parameter {p} is defined elsewhere"));
            }
        }
        let Some((&last, _)) = block.insts.split_last() else {
            return self.fault(Some(b), "is empty");
        };
        for (n, &i) in block.insts.iter().enumerate() {
            let Some(data) = f.insts.get(i.index()) else {
                return self.fault(Some(b), format!("{i} does not exist"));
            };
            if self.place[i.index()].replace((b, n as u32)).is_some() {
                return self.fault(Some(b), format!("{i} stands in two places"));
            }
            if !self.values_exist(b, i, data) {
                continue;
            }
            if data.op.is_terminator() != (i == last) {
                self.inst_fault(b, i, "terminators stand at the end, and only there");
            }
            let result = data.result.map(|v| f.values[v.index()].def);
            if result.is_some_and(|d| d != ValueDef::Result(i) && !matches!(d, ValueDef::Alias(_)))
            {
                self.inst_fault(b, i, "the result is defined elsewhere");
            }
            if matches!(result, Some(ValueDef::Alias(_))) {
                self.inst_fault(b, i, "the result is an alias");
            }
            self.targets(b, i, data);
        }
    }

    fn values_exist(&mut self, b: Block, i: Inst, data: &InstData) -> bool {
        let n = self.f.values.len();
        let ok = data.operands().chain(data.result).all(|v| v.index() < n);
        if !ok {
            let message = format!(
                "{i} ({}) names a value that does not exist",
                data.op.info().name
            );
            self.fault(Some(b), message);
        }
        ok
    }

    fn targets(&mut self, b: Block, i: Inst, data: &InstData) {
        let f = self.f;
        let n = data.targets.len();
        let ok = match data.op {
            Op::Jump => n == 1,
            Op::Brif => n == 2,
            Op::Switch => n >= 1,
            _ => n == 0,
        };
        if !ok {
            self.inst_fault(b, i, "wrong number of targets");
        }
        for t in &data.targets {
            if !self.in_layout.get(t.block.index()).is_some_and(|&x| x) {
                self.inst_fault(b, i, format!("{} is not in the layout", t.block));
                continue;
            }
            let params = &f.blocks[t.block.index()].params;
            if params.len() != t.args.len() {
                let message = format!("{} has {} parameters", t.block, params.len());
                self.inst_fault(b, i, message);
            }
            for (&a, &p) in t.args.iter().zip(params) {
                if !typing::compatible(f.ty(a), f.ty(p)) {
                    let (x, y) = (f.ty(a).name(), f.ty(p).name());
                    self.inst_fault(b, i, format!("{a} is {x}, parameter {p} is {y}"));
                }
            }
        }
    }

    fn entry(&mut self) {
        let f = self.f;
        let entry = f.entry();
        let data = &f.blocks[entry.index()];
        let params = data.params.iter().map(|&p| f.ty(p));
        if !params.eq(f.sig.params.iter().copied()) {
            self.fault(
                Some(entry),
                "the entry's parameters are not the signature's",
            );
        }
        if f.sig.params.iter().chain(&f.sig.ret).any(|t| t.is_vector()) {
            self.fault(Some(entry), "vectors are not passed or returned");
        }
        if data.region.is_some() {
            self.fault(Some(entry), "the entry is in a region");
        }
        for &b in &f.layout {
            if f.succs(b).any(|s| s == entry) {
                self.fault(Some(b), "branches to the entry");
            }
        }
    }

    // ---- instructions

    fn instructions(&mut self) {
        let f = self.f;
        for &b in &f.layout {
            for &i in &f.blocks[b.index()].insts {
                let data = &f.insts[i.index()];
                if let Err(e) = typing::check_inst(f, data) {
                    self.inst_fault(b, i, e);
                    continue;
                }
                let ty = typing::result_type(f, data.op, data.ty, &data.imm);
                if ty != data.result.map(|v| f.ty(v)) {
                    self.inst_fault(b, i, "wrong type of result");
                }
                if self.options.level == Level::Low && data.op.info().level == Level::Cli {
                    self.inst_fault(b, i, "must be expanded by now");
                }
                if data.loc.site as usize > f.inline_sites.len() {
                    self.inst_fault(b, i, "the inline site does not exist");
                }
                if let Err(e) = self.immediate(b, data) {
                    self.inst_fault(b, i, e);
                }
            }
        }
    }

    fn immediate(&self, b: Block, data: &InstData) -> Result<(), String> {
        let f = self.f;
        let demand = |ok: bool, message: &str| {
            if ok { Ok(()) } else { Err(message.to_owned()) }
        };
        if data.op == Op::ContextArg {
            return demand(
                b == f.entry() && f.sig.context,
                "only in the entry of a function with a context",
            );
        }
        match data.imm {
            Imm::Int(n) if data.op == Op::Iconst && data.ty == Type::I32 => {
                demand(n == n as i32 as i64, "i32 constant out of range")
            }
            Imm::Float(bits) if data.ty == Type::F32 => {
                demand(bits >> 32 == 0, "f32 constant has more than 32 bits")
            }
            Imm::Slot(s, offset, ty) => {
                let slot = f.slots.get(s.index()).ok_or("the slot does not exist")?;
                let bytes = if data.op == Op::SlotAddr {
                    0
                } else {
                    ty.bytes()
                };
                let end = offset as i64 + bytes as i64;
                demand(
                    offset >= 0 && end <= slot.size as i64,
                    "reaches outside the slot",
                )
            }
            Imm::Lookup(l) => demand(l.index() < f.lookups.len(), "the lookup does not exist"),
            Imm::Region(r) => demand(r.index() < f.regions.len(), "the region does not exist"),
            Imm::Mem(m) if data.op == Op::StoreRef => {
                demand(m.ty == MemType::Ref, "stores no reference")
            }
            Imm::Size(_, refs) if data.op == Op::CopyStruct => {
                demand(refs != 0, "copies no references")
            }
            _ => Ok(()),
        }
    }

    // ---- regions

    fn regions(&mut self) {
        let f = self.f;
        let mut live = vec![false; f.regions.len()];
        for &b in &f.layout {
            self.for_each_region(f.blocks[b.index()].region, |r| live[r.index()] = true);
        }
        for (n, r) in f.regions.iter().enumerate().filter(|(n, _)| live[*n]) {
            let filter = match r.kind {
                RegionKind::Filter(b) => Some(b),
                _ => None,
            };
            if let RegionKind::CatchLookup(l) = r.kind
                && l.index() >= f.lookups.len()
            {
                self.fault(None, format!("region{n}: the lookup does not exist"));
            }
            let slot = f.slots.get(r.eh_slot.index());
            let size = match r.kind {
                RegionKind::CatchLookup(_) => layout::frame::EH_SLOT_SIZE_WITH_CONTEXT,
                _ => layout::frame::EH_SLOT_SIZE,
            };
            if !slot.is_some_and(|s| s.eh == Some(Region(n as u32)) && s.size >= size) {
                self.fault(None, format!("region{n} has no EH slot of its own"));
            }
            for b in filter.into_iter().chain([r.handler]) {
                self.handler(Region(n as u32), b);
            }
        }
    }

    fn for_each_region(&self, mut at: Option<Region>, mut each: impl FnMut(Region)) {
        while let Some(r) = at {
            each(r);
            at = self.f.regions[r.index()].parent;
        }
    }

    fn handler(&mut self, r: Region, b: Block) {
        let f = self.f;
        if !self.in_layout.get(b.index()).is_some_and(|&x| x) {
            return self.fault(Some(b), format!("handler of {r} is not in the layout"));
        }
        let data = &f.blocks[b.index()];
        if !data.params.is_empty() {
            self.fault(Some(b), "a handler has no parameters");
        }
        let mut inside = false;
        self.for_each_region(data.region, |x| inside |= x == r);
        if inside {
            self.fault(Some(b), format!("handler of {r} lies inside {r}"));
        }
        if let Some(&p) = f.layout.iter().find(|&&p| f.succs(p).any(|s| s == b)) {
            self.fault(Some(p), format!("branches to {b}, a handler"));
        }
    }

    // ---- control flow and SSA

    fn flow(&mut self) {
        let f = self.f;
        let cfg = Cfg::new(f);
        let doms = Dominators::new(&cfg);
        for &b in cfg.rpo() {
            for (n, &i) in f.blocks[b.index()].insts.iter().enumerate() {
                let data = &f.insts[i.index()];
                for v in data.operands() {
                    if !self.available(&doms, f.resolve(v), b, n as u32) {
                        self.inst_fault(b, i, format!("{v} is not computed on every way here"));
                    }
                }
                if let Err(e) = self.handler_op(&doms, b, data) {
                    self.inst_fault(b, i, e);
                }
            }
        }
        if self.options.eh_demoted && !f.regions.is_empty() {
            self.handlers_without_values(&cfg);
        }
    }

    fn available(&self, doms: &Dominators, v: Value, b: Block, position: u32) -> bool {
        let (def, at) = match self.f.values[v.index()].def {
            ValueDef::Param(d, n) => {
                let real = self.in_layout.get(d.index()).is_some_and(|&x| x)
                    && self.f.blocks[d.index()].params.get(n as usize) == Some(&v);
                return real && doms.dominates(d, b);
            }
            ValueDef::Result(i) => match self.place[i.index()] {
                Some(place) if self.f.insts[i.index()].result == Some(v) => place,
                _ => return false,
            },
            ValueDef::Alias(_) => return false,
        };
        if def == b {
            at < position
        } else {
            doms.dominates(def, b)
        }
    }

    /// Control can come from `from`, unless that cannot be reached itself.
    fn is_reached_from(&self, from: Block, to: Block) -> bool {
        let mut seen = vec![false; self.f.blocks.len()];
        let mut work = vec![from];
        while let Some(b) = work.pop() {
            if b == to {
                return true;
            }
            if !std::mem::replace(&mut seen[b.index()], true) {
                work.extend(self.f.succs(b));
            }
        }
        !self.f.layout.contains(&from)
    }

    fn handler_op(&self, doms: &Dominators, b: Block, data: &InstData) -> Result<(), String> {
        let filter = |kind: RegionKind| match kind {
            RegionKind::Filter(x) => doms.dominates(x, b),
            _ => false,
        };
        let regions = &self.f.regions;
        let ok = match (data.op, data.imm) {
            (Op::EndFilter, _) => regions.iter().any(|r| filter(r.kind)),
            (op, Imm::Region(r)) => {
                let r = &regions[r.index()];
                let inside = match op {
                    Op::CatchObject => filter(r.kind),
                    // A finally body may serve the normal way out too; the handler may be gone.
                    Op::ResumeUnwind => self.is_reached_from(r.handler, b),
                    _ => false,
                };
                doms.dominates(r.handler, b) || inside
            }
            _ => true,
        };
        if ok {
            Ok(())
        } else {
            Err("stands outside the handler it belongs to".into())
        }
    }

    fn handlers_without_values(&mut self, cfg: &Cfg) {
        let f = self.f;
        let live = Liveness::new(f, cfg);
        for &b in cfg.rpo() {
            if !cfg.eh_preds(b).is_empty() && !live.live_in(b).is_empty() {
                let names: Vec<String> = live.live_in(b).iter().map(|v| v.to_string()).collect();
                let message = format!("{} live into a handler", names.join(", "));
                self.fault(Some(b), message);
            }
        }
    }
}

/// Ops that may raise an exception.
pub fn may_throw(data: &InstData) -> bool {
    data.op.info().fx.contains(Fx::THROW)
}
