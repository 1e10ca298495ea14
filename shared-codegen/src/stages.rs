//! What the stages of a compilation cost: the importer, each pass, the parts of the back end.

use crate::ir::{Function, InstData, Target, ValueData};
use std::time::{Duration, Instant};

/// One run of one stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stage {
    /// Name of the pass, or of another stage.
    pub name: &'static str,
    /// How long it took.
    pub time: Duration,
    /// Instructions before.
    pub before: u32,
    /// Instructions after.
    pub after: u32,
    /// Bytes of the function afterwards: its IR, machine code with virtual registers, or code.
    pub memory: usize,
}

/// Times stages one after the other.
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock(Instant::now())
    }

    /// Time since the last call.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}

/// Instructions of the blocks in the layout.
pub(crate) fn inst_count(f: &Function) -> u32 {
    let insts = f.layout.iter().map(|b| f.blocks[b.index()].insts.len());
    insts.sum::<usize>() as u32
}

/// Bytes that a function's IR takes: instructions, values and lists in blocks and branches.
pub(crate) fn ir_memory(f: &Function) -> usize {
    let mut words = 0;
    let mut targets = 0;
    for b in &f.blocks {
        words += b.insts.len() + b.params.len();
        if let Some(last) = b.insts.last() {
            let data = &f.insts[last.index()];
            targets += data.targets.len();
            words += data.targets.iter().map(|t| t.args.len()).sum::<usize>();
        }
    }
    f.insts.len() * size_of::<InstData>()
        + f.values.len() * size_of::<ValueData>()
        + targets * size_of::<Target>()
        + words * size_of::<u32>()
}
