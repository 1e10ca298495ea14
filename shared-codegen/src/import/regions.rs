//! Exception clauses: IR regions, handlers, and the two copies of finally bodies
//! (`docs/architecture.md` §3.5).
//!
//! A finally body is imported once for the normal way out and once for the exceptional way. The normal copy is
//! shared by all `leave` instructions; each sets a selector that tells the end of the body where to go on. Deep in
//! other finally bodies there is the normal copy only, and going on with unwinding is one of its ends: else they would double with
//! every level.

use super::error::{Error, Result};
use super::flow::{Key, Landing, plain};
use super::{Importer, Pair};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout::frame::{EH_CONTEXT, EH_SLOT_SIZE, EH_SLOT_SIZE_WITH_CONTEXT};
use crate::abi::trap::TrapKind;
use crate::il::{ClauseKind, EhClause, MethodBody};
use crate::ir::{Block, MemType, Region, RegionData, RegionKind, SlotData, Type, Value, Var};
use crate::types::{ContextSource, Known};
use rustc_hash::FxHashMap;

/// A copy of a finally or fault body (or the method itself, [`Copy::ROOT`]); index into the table of copies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Copy(u32);

impl Copy {
    /// Not in a finally body.
    pub(crate) const ROOT: Copy = Copy(0);
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Root,
    /// The copy that `leave` goes through; index into `normals`.
    Normal(usize),
    /// The copy that the unwinder runs.
    Exceptional(Region),
}

struct CopyInfo {
    parent: Copy,
    /// The body copied: first offset, offset behind it.
    body: (u32, u32),
    depth: u32,
    mode: Mode,
}

/// What comes after a finally body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Continuation {
    Block(Key),
    /// The unwinder goes on.
    Resume(Region),
}

/// The normal copy of a finally body.
struct NormalCopy {
    entry: Key,
    selector: Var,
    /// Where the end of the body goes on, by selector.
    continuations: Vec<Continuation>,
    /// Block at the end of the body.
    exit: Option<Block>,
}

/// State of the clauses of one method.
pub(crate) struct Regions {
    clauses: Vec<EhClause>,
    copies: Vec<CopyInfo>,
    /// Bytes of IL in all copies.
    copied: usize,
    regions: FxHashMap<(usize, Copy), Region>,
    normals: Vec<NormalCopy>,
    normal_of: FxHashMap<(usize, Copy), usize>,
    /// Handlers that do not know yet where their variables come from.
    unconnected: Vec<Block>,
    synchronized: Option<(Region, Value)>,
    /// Protected regions being made, each because of the handler of the one before.
    nesting: u32,
    /// How many regions are around each, itself included.
    depths: Vec<u32>,
}

/// Deepest nesting of protected regions in handlers of others.
const MAX_NESTING: u32 = 128;

/// Deepest nesting of protected regions: exceptional edges grow with it.
const MAX_DEPTH: u32 = 1 << 10;

/// Finally bodies in so many others have two copies in each of the others' copies.
const MAX_DOUBLED: u32 = 1;

/// Bytes of copied finally bodies from which on those in others have one copy.
const MAX_COPIED: usize = 1 << 18;

fn covers(start: u32, end: u32, offset: u32) -> bool {
    start <= offset && offset < end
}

fn is_finally(c: &EhClause) -> bool {
    matches!(c.kind, ClauseKind::Finally | ClauseKind::Fault)
}

impl Regions {
    pub(crate) fn new(body: &MethodBody) -> Regions {
        Regions {
            clauses: body.clauses.clone(),
            copies: vec![CopyInfo {
                parent: Copy::ROOT,
                body: (0, u32::MAX),
                depth: 0,
                mode: Mode::Root,
            }],
            copied: 0,
            regions: FxHashMap::default(),
            normals: Vec::new(),
            normal_of: FxHashMap::default(),
            unconnected: Vec::new(),
            synchronized: None,
            nesting: 0,
            depths: Vec::new(),
        }
    }

    /// Number of finally bodies around an offset.
    fn depth_at(&self, offset: u32) -> u32 {
        self.clauses
            .iter()
            .filter(|c| is_finally(c) && covers(c.handler_start, c.handler_end, offset))
            .count() as u32
    }

    /// A branch between these offsets goes into a catch handler or filter from outside.
    pub(crate) fn enters_handler(&self, from: u32, to: u32) -> bool {
        self.clauses.iter().any(|c| {
            let enters = |start, end| covers(start, end, to) && !covers(start, end, from);
            match c.kind {
                ClauseKind::Catch(_) => enters(c.handler_start, c.handler_end),
                ClauseKind::Filter(f) => {
                    enters(c.handler_start, c.handler_end) || enters(f, c.handler_start)
                }
                ClauseKind::Finally | ClauseKind::Fault => false,
            }
        })
    }

    /// The region around all of a synchronized method.
    pub(crate) fn whole_method(&self) -> Option<Region> {
        self.synchronized.map(|s| s.0)
    }

    /// Inside a filter.
    pub(crate) fn in_filter(&self, offset: u32) -> bool {
        self.clauses.iter().any(|c| match c.kind {
            ClauseKind::Filter(f) => covers(f, c.handler_start, offset),
            _ => false,
        })
    }

    /// The copy around `copy` to which an offset belongs.
    fn outer_copy(&self, mut copy: Copy, offset: u32) -> Copy {
        let depth = self.depth_at(offset);
        while self.copies[copy.0 as usize].depth > depth {
            copy = self.copies[copy.0 as usize].parent;
        }
        copy
    }

    /// The offset lies in the body that was copied, and in no finally body inside.
    pub(crate) fn belongs_to(&self, copy: Copy, offset: u32) -> bool {
        let CopyInfo { body, depth, .. } = self.copies[copy.0 as usize];
        covers(body.0, body.1, offset) && self.depth_at(offset) == depth
    }

    /// Finally bodies in this copy of one are not doubled.
    fn has_one_copy(&self, copy: Copy) -> bool {
        let depth = self.copies[copy.0 as usize].depth;
        depth > MAX_DOUBLED || (depth > 0 && self.copied > MAX_COPIED)
    }

    fn new_copy(&mut self, parent: Copy, clause: usize, mode: Mode) -> Copy {
        let depth = self.copies[parent.0 as usize].depth + 1;
        let c = &self.clauses[clause];
        self.copied += (c.handler_end - c.handler_start) as usize;
        self.copies.push(CopyInfo {
            parent,
            body: (c.handler_start, c.handler_end),
            depth,
            mode,
        });
        Copy(self.copies.len() as u32 - 1)
    }
}

impl Importer<'_> {
    /// Makes a synchronized method hold its lock.
    pub(crate) fn enter_synchronized(&mut self) -> Result<()> {
        if !self.ctx.method_is_synchronized(self.method) {
            return Ok(());
        }
        let object = if self.signature.has_this {
            self.arg_value(0)?
        } else {
            let owner = self.own_type();
            self.type_object(owner)
        };
        self.b.call_helper(HelperId::MonitorEnter, &[object]);
        let region = self.new_region(None, RegionKind::Fault);
        self.regions.synchronized = Some((region, object));
        let body = self.b.current();
        let handler = self.b.create_block();
        self.b.func.regions[region.index()].handler = handler;
        if let Some(body) = body {
            self.b.set_handler_pred(handler, body);
        }
        self.b.switch_to(handler);
        self.b.call_helper(HelperId::MonitorExit, &[object]);
        self.b.resume_unwind(region);
        if let Some(body) = body {
            self.b.switch_to(body);
        }
        Ok(())
    }

    /// Releases the lock of a synchronized method before it returns.
    pub(crate) fn leave_synchronized(&mut self) {
        if let Some((_, object)) = self.regions.synchronized {
            self.b.call_helper(HelperId::MonitorExit, &[object]);
        }
    }

    fn new_region(&mut self, parent: Option<Region>, kind: RegionKind) -> Region {
        let region = Region(self.b.func.regions.len() as u32);
        let eh_slot = self.b.func.add_slot(SlotData {
            size: EH_SLOT_SIZE,
            align: 8,
            ty: None,
            zeroed: false,
            eh: Some(region),
        });
        self.b.func.regions.push(RegionData {
            parent,
            kind,
            handler: Block(0),
            eh_slot,
        });
        region
    }

    /// A `leave` from a handler may go back into its own protected region (Visual Basic): the regions of this try that
    /// are entered so.
    pub(crate) fn reentered(&mut self, key: Key) -> Result<Vec<Region>> {
        const LEAVE: [u8; 2] = [0xdd, 0xde];
        let opcode = self.body.code.get(self.offset as usize);
        if !opcode.is_some_and(|c| LEAVE.contains(c)) {
            return Ok(Vec::new());
        }
        let clauses = &self.regions.clauses;
        let reenters = |c: &&EhClause| c.reenters(self.offset, key.offset);
        let Some(own) = clauses.iter().find(reenters).copied() else {
            return Ok(Vec::new());
        };
        let same_try = |n: &usize| clauses[*n].same_try(&own);
        let same: Vec<usize> = (0..clauses.len()).filter(same_try).collect();
        let copy = self.regions.outer_copy(key.copy, own.try_start);
        same.into_iter().map(|n| self.region_for(n, copy)).collect()
    }

    /// The innermost region around an offset in a copy.
    pub(crate) fn region_of(&mut self, offset: u32, copy: Copy) -> Result<Option<Region>> {
        self.innermost(offset, copy, |_| true)
    }

    /// The innermost region around an offset that does not start there.
    pub(crate) fn region_before(&mut self, offset: u32, copy: Copy) -> Result<Option<Region>> {
        self.innermost(offset, copy, |c| c.try_start != offset)
    }

    fn innermost(
        &mut self,
        offset: u32,
        copy: Copy,
        accept: impl Fn(&EhClause) -> bool,
    ) -> Result<Option<Region>> {
        let around = self
            .regions
            .clauses
            .iter()
            .position(|c| covers(c.try_start, c.try_end, offset) && accept(c));
        match around {
            Some(clause) => {
                let copy = self
                    .regions
                    .outer_copy(copy, self.regions.clauses[clause].try_start);
                Ok(Some(self.region_for(clause, copy)?))
            }
            None => Ok(self.regions.synchronized.map(|s| s.0)),
        }
    }

    /// The region of a clause, made with those around it if need be, from the outermost in.
    fn region_for(&mut self, clause: usize, copy: Copy) -> Result<Region> {
        let mut missing = Vec::new();
        let mut at = Some((clause, copy));
        while let Some(key) = at.filter(|k| !self.regions.regions.contains_key(k)) {
            missing.push(key);
            at = self.clause_around(key.0, key.1);
        }
        let outermost = self.regions.synchronized.map(|s| s.0);
        let mut innermost = at.map_or(outermost, |key| Some(self.regions.regions[&key]));
        for key in missing.into_iter().rev() {
            // Making those around may have made this one.
            innermost = match self.regions.regions.get(&key) {
                Some(known) => Some(*known),
                None => Some(self.make_region(key, innermost)),
            };
        }
        match innermost {
            Some(region) => Ok(region),
            None => self.invalid("a clause without region"),
        }
    }

    /// The next clause whose try lies around that of a clause.
    fn clause_around(&self, clause: usize, copy: Copy) -> Option<(usize, Copy)> {
        let c = &self.regions.clauses[clause];
        let around =
            |o: &EhClause| covers(o.try_start, o.try_end, c.try_start) && c.try_end <= o.try_end;
        let n = self
            .regions
            .clauses
            .iter()
            .skip(clause + 1)
            .position(around)?;
        let n = clause + 1 + n;
        let start = self.regions.clauses[n].try_start;
        Some((n, self.regions.outer_copy(copy, start)))
    }

    fn make_region(&mut self, key: (usize, Copy), parent: Option<Region>) -> Region {
        let region = self.new_region(parent, RegionKind::Fault);
        self.regions.regions.insert(key, region);
        let depth = parent
            .and_then(|p| self.regions.depths.get(p.index()))
            .map_or(1, |d| d + 1);
        self.regions.depths.resize(self.b.func.regions.len(), depth);
        self.regions.nesting += 1;
        let limits = self.regions.nesting <= MAX_NESTING && depth <= MAX_DEPTH;
        let attached = match limits {
            true => self.attach_handler(key.0, key.1, region),
            false => Err(Error::TooLarge),
        };
        self.regions.nesting -= 1;
        if let Err(e) = attached {
            // A region without handler is no region: the method as a whole cannot be compiled.
            self.fatal.get_or_insert(e);
        }
        region
    }

    fn attach_handler(&mut self, clause: usize, copy: Copy, region: Region) -> Result<()> {
        let c = self.regions.clauses[clause];
        let mut caught = self.ctx.known(Known::Exception);
        let kind = match c.kind {
            ClauseKind::Catch(token) => {
                let ty = self.type_pair(token)?;
                caught = ty.canon;
                if self.needs_lookup_type(ty) {
                    RegionKind::CatchLookup(self.lookup(Fixup::MethodTable(ty.open)))
                } else {
                    RegionKind::Catch(ty.canon)
                }
            }
            ClauseKind::Filter(start) => {
                caught = self.ctx.known(Known::Object);
                let filter = Key {
                    offset: start,
                    copy,
                };
                RegionKind::Filter(self.landing_block(filter, Landing::Exception(region, caught))?)
            }
            ClauseKind::Finally | ClauseKind::Fault => RegionKind::Fault,
        };
        let handler = if is_finally(&c) {
            self.finally_handler(clause, copy, region)?
        } else {
            let body = Key {
                offset: c.handler_start,
                copy,
            };
            self.landing_block(body, Landing::Exception(region, caught))?
        };
        let data = &mut self.b.func.regions[region.index()];
        data.kind = kind;
        data.handler = handler;
        if matches!(kind, RegionKind::CatchLookup(_)) {
            self.b.func.slots[data.eh_slot.index()].size = EH_SLOT_SIZE_WITH_CONTEXT;
        }
        Ok(())
    }

    /// Where the unwinder enters a finally or fault body.
    fn finally_handler(&mut self, clause: usize, copy: Copy, region: Region) -> Result<Block> {
        let c = self.regions.clauses[clause];
        if self.regions.has_one_copy(copy) && c.kind == ClauseKind::Finally {
            let normal = self.normal_copy(clause, copy);
            let NormalCopy {
                entry,
                selector,
                continuations,
                ..
            } = &mut self.regions.normals[normal];
            continuations.push(Continuation::Resume(region));
            let way = Landing::Selector(*selector, continuations.len() as i32 - 1);
            let entry = *entry;
            return self.landing_block(entry, way);
        }
        let mode = Mode::Exceptional(region);
        let body = Key {
            offset: c.handler_start,
            copy: self.regions.new_copy(copy, clause, mode),
        };
        self.landing_block(body, Landing::Plain)
    }

    /// In front of regions that are entered here, out to `around`: tells the unwinder the generic context for their
    /// clauses.
    pub(crate) fn store_contexts(
        &mut self,
        inner: Option<Region>,
        around: Option<Region>,
    ) -> Result<()> {
        let mut at = inner;
        while let Some(region) = at.filter(|_| at != around) {
            let data = &self.b.func.regions[region.index()];
            let (kind, slot) = (data.kind, data.eh_slot);
            at = data.parent;
            if matches!(kind, RegionKind::CatchLookup(_)) {
                let context = self.context_source_value()?;
                let ty = match self.b.func.ty(context) {
                    Type::Ref => MemType::Ref,
                    _ => MemType::I64,
                };
                self.b.slot_store(slot, EH_CONTEXT, ty, context);
            }
        }
        Ok(())
    }

    /// What the generic context is found from: `this`, or the hidden argument.
    fn context_source_value(&mut self) -> Result<Value> {
        match self.ctx.needs_context(self.method) {
            ContextSource::FromThis => Ok(self.b.param(self.b.func.entry(), 0)),
            _ => self.generic_context_value(),
        }
    }

    /// Remembers a handler block until the first block of its region is made.
    pub(crate) fn await_handler_pred(&mut self, handler: Block) {
        self.regions.unconnected.push(handler);
    }

    /// The block in front of a region tells its handlers what the variables are.
    pub(crate) fn connect_handlers(&mut self, region: Option<Region>, before: Block) {
        let mut waiting = core::mem::take(&mut self.regions.unconnected);
        waiting.retain(|&handler| {
            let mut at = region;
            while let Some(r) = at {
                let data = &self.b.func.regions[r.index()];
                if data.handler == handler || data.kind == RegionKind::Filter(handler) {
                    self.b.set_handler_pred(handler, before);
                    return false;
                }
                at = data.parent;
            }
            true
        });
        self.regions.unconnected.extend(waiting);
    }

    /// `leave`: through the normal copies of all finally bodies on the way, then to the target.
    pub(crate) fn leave(&mut self, target: u32) -> Result<()> {
        self.poll_before(target);
        self.stack.clear();
        self.end_handlers(target)?;
        let from = self.flow.copy;
        let mut next = Key {
            offset: target,
            copy: self.regions.outer_copy(from, target),
        };
        let passed: Vec<usize> = (0..self.regions.clauses.len())
            .filter(|&n| {
                let c = &self.regions.clauses[n];
                c.kind == ClauseKind::Finally
                    && covers(c.try_start, c.try_end, self.offset)
                    && !covers(c.try_start, c.try_end, target)
            })
            .collect();
        for clause in passed.into_iter().rev() {
            let copy = self
                .regions
                .outer_copy(from, self.regions.clauses[clause].try_start);
            let normal = self.normal_copy(clause, copy);
            let selector = self.continuation(normal, next)?;
            let NormalCopy {
                entry,
                selector: var,
                ..
            } = self.regions.normals[normal];
            next = entry;
            let value = self.b.i32(selector as i32);
            self.b.def_var(var, value);
        }
        self.jump_to(next)
    }

    /// Tells the runtime that the catch handlers left on the way to a target end: an abort of the thread goes on there. Only
    /// handlers that can have caught one ask.
    fn end_handlers(&mut self, target: u32) -> Result<()> {
        let ended = |c: &EhClause| {
            !is_finally(c)
                && covers(c.handler_start, c.handler_end, self.offset)
                && !covers(c.handler_start, c.handler_end, target)
        };
        let ended: Vec<usize> = (0..self.regions.clauses.len())
            .filter(|&n| ended(&self.regions.clauses[n]))
            .collect();
        for clause in ended {
            let start = self.regions.clauses[clause].try_start;
            let copy = self.regions.outer_copy(self.flow.copy, start);
            let region = self.region_for(clause, copy)?;
            if self.catches_abort(region) {
                let caught = self.b.catch_object(region);
                self.b.call_helper(HelperId::EndCatch, &[caught]);
            }
        }
        Ok(())
    }

    fn catches_abort(&self, region: Region) -> bool {
        let abort = self.ctx.known(Known::ThreadAbortException);
        match self.b.func.regions[region.index()].kind {
            RegionKind::Catch(ty) => self.ctx.is_assignable(abort, ty),
            RegionKind::CatchLookup(_) | RegionKind::Filter(_) => true,
            RegionKind::Fault => false,
        }
    }

    /// Number of a continuation of a normal copy.
    fn continuation(&mut self, normal: usize, key: Key) -> Result<usize> {
        let known = &self.regions.normals[normal].continuations;
        let next = Continuation::Block(key);
        if let Some(n) = known.iter().position(|k| *k == next) {
            return Ok(n);
        }
        // The edge is made in `finish_finally_copies`; the block must be imported before, and be one that may be entered.
        self.edge_to(key)?;
        let known = &mut self.regions.normals[normal].continuations;
        known.push(next);
        Ok(known.len() - 1)
    }

    fn normal_copy(&mut self, clause: usize, copy: Copy) -> usize {
        if let Some(n) = self.regions.normal_of.get(&(clause, copy)) {
            return *n;
        }
        let n = self.regions.normals.len();
        let inner = self.regions.new_copy(copy, clause, Mode::Normal(n));
        let entry = Key {
            offset: self.regions.clauses[clause].handler_start,
            copy: inner,
        };
        let selector = self.b.new_var(Type::I32);
        self.regions.normals.push(NormalCopy {
            entry,
            selector,
            continuations: Vec::new(),
            exit: None,
        });
        self.regions.normal_of.insert((clause, copy), n);
        n
    }

    /// `endfinally`, `endfault`
    pub(crate) fn end_finally(&mut self) -> Result<()> {
        self.stack.clear();
        match self.regions.copies[self.flow.copy.0 as usize].mode {
            Mode::Root => self.invalid("endfinally outside of a finally or fault handler"),
            Mode::Exceptional(region) => {
                self.b.resume_unwind(region);
                Ok(())
            }
            Mode::Normal(n) => {
                let exit = match self.regions.normals[n].exit {
                    Some(exit) => exit,
                    None => self.b.create_block(),
                };
                self.regions.normals[n].exit = Some(exit);
                self.b.jump(exit, &[]);
                Ok(())
            }
        }
    }

    /// Ends the normal copies, whose continuations are all known now.
    pub(crate) fn finish_finally_copies(&mut self) {
        for n in 0..self.regions.normals.len() {
            let Some(exit) = self.regions.normals[n].exit else {
                continue;
            };
            let continuations = self.regions.normals[n].continuations.clone();
            let targets = continuations.iter().filter_map(|next| match *next {
                Continuation::Block(key) => self.block_of(key).ok(),
                Continuation::Resume(region) => Some(self.resume_block(exit, region)),
            });
            let targets: Vec<Block> = targets.collect();
            self.b.switch_to(exit);
            match targets.as_slice() {
                [] => self.b.trap(TrapKind::InvalidProgram),
                [one] => self.b.jump(*one, &[]),
                many => {
                    let selector = self.b.use_var(self.regions.normals[n].selector);
                    self.b
                        .switch(selector, many.iter().map(|t| plain(*t)).collect());
                }
            }
        }
    }

    /// A block behind `exit` where the unwinder goes on.
    fn resume_block(&mut self, exit: Block, region: Region) -> Block {
        self.b.set_region(self.b.func.blocks[exit.index()].region);
        let block = self.b.create_block();
        self.b.switch_to(block);
        self.b.resume_unwind(region);
        block
    }

    /// `rethrow`
    pub(crate) fn rethrow(&mut self) -> Result<()> {
        let caught =
            self.regions.clauses.iter().position(|c| {
                !is_finally(c) && covers(c.handler_start, c.handler_end, self.offset)
            });
        let Some(clause) = caught else {
            return self.invalid("rethrow outside of a catch handler");
        };
        let copy = self
            .regions
            .outer_copy(self.flow.copy, self.regions.clauses[clause].try_start);
        let region = self.region_for(clause, copy)?;
        self.b.rethrow(region);
        Ok(())
    }

    /// The type that declares the method.
    pub(crate) fn own_type(&self) -> Pair<crate::types::TypeId> {
        let owner = self.ctx.method_owner(self.method);
        Pair {
            canon: owner,
            open: if self.shared {
                self.ctx.open_form(owner)
            } else {
                owner
            },
        }
    }
}
