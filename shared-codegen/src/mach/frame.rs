//! Layout of a stack frame.
//!
//! ```text
//! rbp+16 ..   incoming stack arguments
//! rbp+8       return address
//! rbp         caller's rbp
//! rbp-8 ..    saved callee-saved registers
//!             slots of the IR function
//!             spill slots
//! rsp ..      outgoing stack arguments
//! ```
//! `rsp` is a multiple of 16 between prologue and epilogue, so `rbp - rsp` is too.

use crate::ir::{Function, Op, Slot};

/// Where everything in a frame is. Offsets are relative to the frame pointer unless said otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FrameLayout {
    /// Distance from stack pointer to frame pointer after the prologue.
    pub size: u32,
    /// Number of callee-saved registers stored from `-8` down.
    pub saved: u32,
    /// Start of each IR slot.
    pub slots: Vec<i32>,
    /// Start of spill slot 0; the next ones are at higher addresses.
    pub spills: i32,
    /// Bytes of outgoing stack arguments at the bottom.
    pub outgoing: u32,
}

/// Frames above this size are refused: offsets must fit comfortably in 32 bits.
pub const MAX_FRAME: u64 = 1 << 28;

/// The frame would be larger than [`MAX_FRAME`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameTooLarge;

impl FrameLayout {
    /// Lays out a frame. Slots that are not in `used` get no room.
    pub fn compute(
        f: &Function,
        used: &[bool],
        saved: u32,
        num_spills: usize,
        outgoing: u32,
    ) -> Result<FrameLayout, FrameTooLarge> {
        let mut depth = u64::from(saved) * 8;
        let mut slots = vec![0i32; f.slots.len()];
        for (i, s) in f.slots.iter().enumerate().filter(|(i, _)| used[*i]) {
            let align = u64::from(s.align.clamp(8, 16).next_power_of_two());
            depth = (depth + u64::from(s.size)).next_multiple_of(align);
            if depth > MAX_FRAME {
                return Err(FrameTooLarge);
            }
            slots[i] = -(depth as i64) as i32;
        }
        depth = depth.next_multiple_of(8) + 8 * num_spills as u64;
        if depth > MAX_FRAME {
            return Err(FrameTooLarge);
        }
        let spills = -(depth as i64) as i32;
        // Dynamic allocations start where the outgoing arguments were: those must fill whole 16 bytes then.
        let grows = f.insts.iter().any(|i| i.op == Op::LocAlloc);
        let outgoing = if grows {
            depth = depth.next_multiple_of(16);
            outgoing.next_multiple_of(16)
        } else {
            outgoing
        };
        let size = (depth + u64::from(outgoing)).next_multiple_of(16);
        Ok(FrameLayout {
            size: size as u32,
            saved,
            slots,
            spills,
            outgoing,
        })
    }

    /// Start of a slot of the IR function.
    pub fn slot(&self, s: Slot) -> i32 {
        self.slots[s.index()]
    }

    /// Start of a spill slot.
    pub fn spill(&self, index: u32) -> i32 {
        self.spills + 8 * index as i32
    }

    /// Where the n-th saved register is.
    pub fn saved_at(&self, n: u32) -> i32 {
        -8 * (n as i32 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Imm, InstData, Signature, SourceLoc, Type};

    #[test]
    fn dynamic_allocations_do_not_reach_spill_slots() {
        let mut f = Function::new("f", Signature::default());
        let op = Op::LocAlloc;
        let (args, targets) = Default::default();
        let data = InstData {
            op,
            ty: Type::I64,
            args,
            imm: Imm::Int(0),
            targets,
            result: None,
            loc: SourceLoc::default(),
        };
        f.make_inst(data, Some(Type::I64));
        let frame = FrameLayout::compute(&f, &[], 0, 15, 8).unwrap();
        // `localloc` zeroes from the old stack pointer upwards, rounded to 16 bytes.
        assert!(frame.spills >= -(frame.size as i32) + 16);
    }
}
