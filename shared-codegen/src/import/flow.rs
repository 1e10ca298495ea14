//! Blocks and branches. A block is known by the offset of its first instruction and the copy of the
//! finally body it belongs to ([`super::regions`]).

use super::Importer;
use super::error::{Error, Result};
use super::regions::Copy;
use super::scan::Scan;
use super::stack::{Carried, forget_types};
use crate::abi::trap::TrapKind;
use crate::il::{Decoder, Flow as IlFlow};
use crate::ir::{Block, Op, Region, SourceLoc, Target, Type, Var};
use crate::types::TypeId;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Identity of an imported block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Key {
    /// Offset of the first instruction.
    pub offset: u32,
    /// Copy of the finally body.
    pub copy: Copy,
}

struct Known {
    block: Block,
    /// Stack at entry; set by the first branch.
    shape: Option<Vec<Carried>>,
    edges_left: u32,
    queued: bool,
    /// The statement that the first branch here belongs to, which goes on here if the stack is not empty.
    statement: SourceLoc,
}

/// All blocks so far and those still to import.
pub(crate) struct Flow {
    known: FxHashMap<Key, Known>,
    /// In the order of the IL, so that branches forward to a join are all seen before it is imported.
    queue: BTreeSet<Key>,
    pub(crate) copy: Copy,
}

impl Flow {
    pub(crate) fn new(scan: &Scan) -> Flow {
        let known = FxHashMap::with_capacity_and_hasher(scan.leaders.len(), Default::default());
        Flow {
            known,
            queue: BTreeSet::new(),
            copy: Copy::ROOT,
        }
    }

    pub(crate) fn next_block(&mut self) -> Option<Key> {
        self.queue.pop_first()
    }
}

/// What happens where the unwinder enters a handler.
#[derive(Clone, Copy)]
pub(crate) enum Landing {
    /// Nothing.
    Plain,
    /// The exception of a region is put on the stack.
    Exception(Region, TypeId),
    /// The end of the body is told where to go on.
    Selector(Var, i32),
}

impl Importer<'_> {
    /// The IR block of a key, made now if need be.
    pub(crate) fn block_of(&mut self, key: Key) -> Result<Block> {
        if let Some(k) = self.flow.known.get(&key) {
            return Ok(k.block);
        }
        let Ok(index) = self.scan.leaders.binary_search(&key.offset) else {
            return self.invalid("a branch to what is no instruction");
        };
        let region = self.region_before(key.offset, key.copy)?;
        let saved = self.b.region();
        self.b.set_region(region);
        let block = self.b.create_block();
        self.b.set_region(saved);
        let edges_left = self.scan.edges[index] + u32::from(key.offset == 0);
        self.flow.known.insert(
            key,
            Known {
                block,
                shape: None,
                edges_left,
                queued: false,
                statement: SourceLoc::default(),
            },
        );
        Ok(block)
    }

    /// Makes the block where the unwinder enters a handler or filter and goes on to the body, which may be the head of a loop.
    pub(crate) fn landing_block(&mut self, key: Key, landing: Landing) -> Result<Block> {
        let region = self.region_before(key.offset, key.copy)?;
        let saved_region = self.b.region();
        let saved_block = self.b.current();
        let saved_stack = core::mem::take(&mut self.stack);
        let saved_loc = self.b.loc();
        self.b.set_region(region);
        let block = self.b.create_block();
        self.b.switch_to(block);
        self.b.set_loc(SourceLoc {
            il: key.offset,
            site: 0,
        });
        match landing {
            Landing::Plain => {}
            Landing::Exception(region, ty) => {
                let object = self.b.catch_object(region);
                self.push(object, Some(ty));
            }
            Landing::Selector(var, value) => {
                let value = self.b.i32(value);
                self.b.def_var(var, value);
            }
        }
        self.await_handler_pred(block);
        let body = self.edge_into(key)?;
        self.b.jump(body, &[]);
        self.stack = saved_stack;
        self.b.set_region(saved_region);
        self.b.set_loc(saved_loc);
        if let Some(block) = saved_block {
            self.b.switch_to(block);
        }
        Ok(block)
    }

    /// Prepares an edge to a block: hands the stack over and queues the block. The terminator is the caller's.
    pub(crate) fn edge_to(&mut self, key: Key) -> Result<Block> {
        if self.regions.enters_handler(self.offset, key.offset) {
            return self.invalid("a branch into a handler");
        }
        self.edge_into(key)
    }

    fn edge_into(&mut self, key: Key) -> Result<Block> {
        if !self.regions.belongs_to(key.copy, key.offset) {
            return self.invalid("a branch out of a finally handler or into one");
        }
        let block = self.block_of(key)?;
        self.check_entry(key, block)?;
        let shape = self.flow.known.get(&key).and_then(|k| k.shape.clone());
        let shape = match shape {
            Some(mut shape) if shape.len() == self.stack.len() => {
                self.merge_types(&mut shape);
                shape
            }
            Some(_) => return self.invalid("stack depth differs at a join"),
            None => {
                let mut shape = self.shape_of_stack()?;
                if self.scan.loop_heads.contains(&key.offset) {
                    forget_types(&mut shape);
                }
                shape
            }
        };
        self.carry_out(&shape)?;
        let statement = self.b.loc();
        if let Some(k) = self.flow.known.get_mut(&key) {
            k.shape = Some(shape);
            if !core::mem::replace(&mut k.queued, true) {
                k.statement = statement;
                self.flow.queue.insert(key);
            }
        }
        Ok(block)
    }

    /// Protected regions are entered at their start, since what their handlers see is what stands in front of them, or from
    /// their own handlers.
    fn check_entry(&mut self, key: Key, block: Block) -> Result<()> {
        let mut wanted = self.b.func.blocks[block.index()].region;
        if wanted.is_some() {
            let reentered = self.reentered(key)?;
            while let Some(r) = wanted.filter(|r| reentered.contains(r)) {
                wanted = self.b.func.regions[r.index()].parent;
            }
        }
        let from = self.b.current();
        let mut at = from.and_then(|b| self.b.func.blocks[b.index()].region);
        // The region of a synchronized method is entered by no instruction.
        let start = from == Some(self.b.func.entry()) && wanted == self.regions.whole_method();
        while at != wanted && !start {
            match at {
                Some(r) => at = self.b.func.regions[r.index()].parent,
                None => return self.invalid("a branch into a protected region"),
            }
        }
        Ok(())
    }

    /// Blocks whose edges all turned out wrong have no code; control never gets there.
    pub(crate) fn finish_unreached(&mut self) {
        let unreached = self.flow.known.values().filter(|k| !k.queued);
        let mut blocks: Vec<Block> = unreached.map(|k| k.block).collect();
        blocks.sort_unstable();
        for block in blocks {
            self.b.switch_to(block);
            self.b.trap(TrapKind::InvalidProgram);
        }
    }

    /// Counts an edge whose terminator stands; seals the block after the last.
    pub(crate) fn edge_done(&mut self, key: Key) {
        if !self.body.clauses.is_empty() {
            return;
        }
        if let Some(k) = self.flow.known.get_mut(&key) {
            k.edges_left = k.edges_left.saturating_sub(1);
            if k.edges_left == 0 {
                let block = k.block;
                self.b.seal(block);
            }
        }
    }

    /// The block at an offset, seen from the present place.
    pub(crate) fn key_at(&self, offset: u32) -> Key {
        Key {
            offset,
            copy: self.flow.copy,
        }
    }

    pub(crate) fn start_at_first_instruction(&mut self) -> Result<()> {
        self.jump_to(Key {
            offset: 0,
            copy: Copy::ROOT,
        })
    }

    /// Ends the block with a jump.
    pub(crate) fn jump_to(&mut self, key: Key) -> Result<()> {
        let block = self.edge_to(key)?;
        self.b.jump(block, &[]);
        self.edge_done(key);
        Ok(())
    }

    /// Ends the block with a conditional branch: to `target`, or to the next instruction.
    pub(crate) fn branch_if(&mut self, cond: crate::ir::Value, target: u32) -> Result<()> {
        self.poll_before(target);
        let (yes, no) = (self.key_at(target), self.key_at(self.next));
        let then = self.edge_to(yes)?;
        let otherwise = self.edge_to(no)?;
        self.b.brif(cond, plain(then), plain(otherwise));
        self.edge_done(yes);
        self.edge_done(no);
        Ok(())
    }

    pub(crate) fn switch_to_targets(&mut self, targets: impl Iterator<Item = u32>) -> Result<()> {
        let index = self.pop_i32()?;
        let targets: Vec<u32> = targets.chain([self.next]).collect();
        if targets.iter().any(|t| *t <= self.offset) {
            self.poll();
        }
        let mut blocks = Vec::with_capacity(targets.len());
        for t in &targets {
            blocks.push(plain(self.edge_to(self.key_at(*t))?));
        }
        self.b.switch(index, blocks);
        for t in &targets {
            self.edge_done(self.key_at(*t));
        }
        Ok(())
    }

    /// A poll before a branch backwards.
    pub(crate) fn poll_before(&mut self, target: u32) {
        if target <= self.offset {
            self.poll();
        }
    }

    fn poll(&mut self) {
        if !self.options.no_polls {
            self.b.emit(Op::Poll, Type::I32, &[], crate::ir::Imm::None);
        }
    }

    /// Imports one block of IL.
    pub(crate) fn import_block(&mut self, key: Key) -> Result<()> {
        let Some(known) = self.flow.known.get(&key) else {
            return Ok(());
        };
        let (block, shape) = (known.block, known.shape.clone().unwrap_or_default());
        self.b.set_loc(known.statement);
        self.flow.copy = key.copy;
        self.prefixes = Default::default();
        self.b.switch_to(block);
        self.b.set_region(self.b.func.blocks[block.index()].region);
        self.b.set_cold(self.b.func.blocks[block.index()].cold);
        self.offset = key.offset;
        self.called = false;
        self.carry_in(&shape);
        self.set_loc();
        self.enter_regions(key)?;
        if let Err(e) = self.import_instructions(key.offset) {
            self.throw_failure(e);
        }
        Ok(())
    }

    fn import_instructions(&mut self, start: u32) -> Result<()> {
        self.next = start;
        loop {
            if self.next != start && self.scan.is_leader(self.next) {
                return self.jump_to(self.key_at(self.next));
            }
            let Some(instr) = Decoder::new(self.body.code, self.next).next() else {
                return self.invalid("control runs off the end");
            };
            let instr = instr?;
            self.offset = instr.offset;
            self.next = instr.end;
            self.set_loc();
            self.instruction(&instr)?;
            if self.b.is_terminated() {
                return Ok(());
            }
            if instr.opcode.flow() != IlFlow::Prefix {
                self.prefixes = Default::default();
                self.release_temps();
            }
        }
    }

    /// Where protected regions start, the block so far lies in front of them: it is what their handlers see of the
    /// variables. A second block is the first inside.
    fn enter_regions(&mut self, key: Key) -> Result<()> {
        let inner = self.region_of(key.offset, key.copy)?;
        let Some(before) = self.b.current().filter(|_| inner != self.b.region()) else {
            return Ok(());
        };
        let around = self.b.region();
        self.store_contexts(inner, around)?;
        self.connect_handlers(inner, before);
        self.b.set_region(inner);
        let inside = self.b.create_block();
        self.b.jump(inside, &[]);
        self.b.seal(inside);
        self.b.switch_to(inside);
        Ok(())
    }

    /// Ends the block with code that raises the exception for a failed import of this instruction.
    pub(crate) fn throw_failure(&mut self, e: Error) {
        self.prefixes = Default::default();
        if self.b.is_terminated() {
            return;
        }
        let index = self.b.func.add_failure(e.failure());
        let index = self.b.i64(index.into());
        self.b
            .call_helper(crate::abi::helper::HelperId::ThrowCompileError, &[index]);
        self.b.trap(TrapKind::InvalidProgram);
    }
}

/// A branch target without arguments.
pub(crate) fn plain(block: Block) -> Target {
    Target {
        block,
        args: Default::default(),
    }
}
