//! Exceptions: the search for a handler, and the way there.

use super::machine::{Flow, Machine};
use super::{Answer, InterpError, Raise, unsupported};
use crate::abi::layout::frame::EH_EXCEPTION;
use crate::ir::{Block, Imm, MemType, Region, RegionKind};

impl Machine<'_> {
    /// Raises an object at the current place. `base` is the outermost frame that may catch.
    pub fn raise(&mut self, object: u64, base: usize) -> Result<(), InterpError> {
        match self.find(object, base)? {
            Some((frame, region)) => {
                let top = self.frames.len() - 1;
                let from = self.region_of(top);
                self.unwind(object, top, from, frame, region);
                Ok(())
            }
            None => Err(InterpError::Unhandled(object)),
        }
    }

    fn region_of(&self, frame: usize) -> Option<Region> {
        let frame = &self.frames[frame];
        frame.f.blocks[frame.block.index()].region
    }

    /// First pass: the frame and region that will catch.
    fn find(&mut self, object: u64, base: usize) -> Result<Option<(usize, Region)>, InterpError> {
        for n in (base..self.frames.len()).rev() {
            let mut at = self.region_of(n);
            while let Some(r) = at {
                let data = self.frames[n].f.regions[r.index()].clone();
                at = data.parent;
                let caught = match data.kind {
                    RegionKind::Catch(ty) => self.host.catches(self.mem, object, ty),
                    RegionKind::CatchLookup(_) | RegionKind::Fault => false,
                    RegionKind::Filter(b) => self.filter(object, n, r, b)?,
                };
                if caught {
                    return Ok(Some((n, r)));
                }
            }
        }
        Ok(None)
    }

    /// Runs a filter on top of the stack with the values of its frame. An exception in it means no.
    fn filter(
        &mut self,
        object: u64,
        frame: usize,
        region: Region,
        block: Block,
    ) -> Result<bool, InterpError> {
        self.put_exception(object, frame, region);
        let depth = self.frames.len();
        let mark = self.mem.stack_mark();
        let mut funclet = self.frames[frame].clone();
        funclet.block = block;
        funclet.next = 0;
        funclet.mark = mark;
        funclet.unwinding.clear();
        self.frames.push(funclet);
        let answer = self.run_from(depth);
        self.frames.truncate(depth);
        self.mem.pop_to(mark);
        match answer {
            Ok(c) => Ok(c.is_some_and(|c| c.bits != 0)),
            Err(InterpError::Unhandled(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn put_exception(&mut self, object: u64, frame: usize, region: Region) {
        let frame = &self.frames[frame];
        let slot = frame.f.regions[region.index()].eh_slot;
        let at = frame.slots[slot.index()] + EH_EXCEPTION as u64;
        // The verifier has seen that the slot is large enough.
        let _ = self.mem.store(at, MemType::Ref, object);
    }

    /// Second pass: from region `at` of frame `n` outwards to the catching one; stops at the first fault handler on the way.
    fn unwind(
        &mut self,
        object: u64,
        mut n: usize,
        mut at: Option<Region>,
        frame: usize,
        region: Region,
    ) {
        loop {
            let Some(r) = at else {
                if n == frame {
                    return;
                }
                let gone = self.frames.pop().expect("frames above the catching one");
                self.mem.pop_to(gone.mark);
                n -= 1;
                at = self.region_of(n);
                continue;
            };
            let data = self.frames[n].f.regions[r.index()].clone();
            let catches = n == frame && r == region;
            if catches || data.kind == RegionKind::Fault {
                self.put_exception(object, n, r);
                let top = &mut self.frames[n];
                top.block = data.handler;
                top.next = 0;
                if !catches {
                    top.unwinding.push((r, object, frame, region));
                }
                return;
            }
            at = data.parent;
        }
    }

    /// The end of a fault handler.
    pub fn resume(&mut self, imm: &Imm) -> Answer<Flow> {
        let Imm::Region(r) = *imm else {
            return unsupported("no region");
        };
        let n = self.frames.len() - 1;
        let top = &mut self.frames[n];
        let Some(at) = top.unwinding.iter().rposition(|u| u.0 == r) else {
            return Err(Raise::Unsupported("nothing to resume".into()));
        };
        let (_, object, frame, region) = top.unwinding[at];
        top.unwinding.truncate(at);
        let parent = top.f.regions[r.index()].parent;
        self.unwind(object, n, parent, frame, region);
        Ok(Flow::Moved)
    }
}
