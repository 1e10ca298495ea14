//! Exceptions within a frame: the search for a handler, and the way there.

use super::machine::Frame;
use super::memory;
use crate::eh::{FrameWalk, Step, TraceStart};
use crate::icall::{Result, Thrown};
use crate::object::Obj;
use crate::runtime::{self, cast, stack_trace};
use crate::threads;
use shared_codegen::abi::layout::frame::EH_CONTEXT;
use shared_codegen::ir::{MemType, Region, RegionKind};

impl Frame {
    /// An exception at the current place: goes on at the frame's handler, or leaves the frame with it.
    pub fn raise(&mut self, exception: Obj) -> Result<()> {
        let from = self.code.f.blocks[self.block.index()].region;
        let catching = self.find_handler(exception, from)?;
        if catching.is_some() {
            self.record(exception, TraceStart::Continue);
        }
        self.unwind(exception, from, catching)
    }

    /// First pass: the region of this frame that takes the exception.
    fn find_handler(&mut self, exception: Obj, from: Option<Region>) -> Result<Option<Region>> {
        let rt = runtime::get();
        let mut at = from;
        while let Some(r) = at {
            let data = &self.code.f.regions[r.index()];
            at = data.parent;
            let takes = match data.kind {
                RegionKind::Fault => false,
                RegionKind::Catch(ty) => cast::is_instance(exception, rt.method_table(ty)?),
                RegionKind::CatchLookup(lookup) => {
                    let source = memory::load(self.eh_word(r, EH_CONTEXT), MemType::I64);
                    let lookup = self.code.f.lookups[lookup.index()];
                    cast::is_instance(exception, rt.catch_type(lookup, source as usize)?)
                }
                RegionKind::Filter(filter) => {
                    self.set_exception(r, exception);
                    // An exception in a filter means no.
                    self.run_filter(filter).unwrap_or(false)
                }
            };
            if takes {
                return Ok(Some(r));
            }
        }
        Ok(None)
    }

    /// Second pass, from region `at` outwards: to the next handler to run.
    fn unwind(
        &mut self,
        exception: Obj,
        mut at: Option<Region>,
        catching: Option<Region>,
    ) -> Result<()> {
        while let Some(r) = at {
            let data = &self.code.f.regions[r.index()];
            let catches = catching == Some(r);
            if catches || data.kind == RegionKind::Fault {
                self.set_exception(r, exception);
                if !catches {
                    self.unwinding.push((r, catching));
                }
                self.enter_handler(data.handler);
                return Ok(());
            }
            at = data.parent;
        }
        Err(Thrown::Object(exception))
    }

    /// The end of a fault handler.
    pub fn resume_unwind(&mut self, region: Region) -> Result<()> {
        let exception = self.exception(region);
        let at = self.unwinding.iter().rposition(|(r, _)| *r == region);
        let Some(at) = at else {
            return Err(Thrown::system(
                "ExecutionEngineException",
                "nothing to resume",
            ));
        };
        let (_, catching) = self.unwinding[at];
        self.unwinding.truncate(at);
        let parent = self.code.f.regions[region.index()].parent;
        self.unwind(exception, parent, catching)
    }

    /// `throw`.
    pub fn throw(&self, exception: Obj) -> Thrown {
        stack_trace::record(runtime::get(), exception, &[], TraceStart::Fresh);
        Thrown::Object(exception)
    }

    /// `rethrow` in the handler of a region.
    pub fn rethrow(&self, region: Region) -> Thrown {
        let exception = self.exception(region);
        stack_trace::record(runtime::get(), exception, &[], TraceStart::Rethrow);
        Thrown::Object(exception)
    }

    /// Adds this frame, which the stub stands for, to the exception's trace.
    fn record(&self, exception: Obj, start: TraceStart) {
        if let Step::Managed(frame) = FrameWalk::new(threads::current()).step() {
            stack_trace::record(runtime::get(), exception, &[frame.into()], start);
        }
    }
}
