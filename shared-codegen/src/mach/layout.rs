//! The order in which blocks stand in memory, and the loops in it that are worth aligning.
//!
//! Blocks stand in reverse postorder, cold ones behind all others. The head of a loop that tests
//! whether to go on stands behind the block that jumps back to it:
//! ```text
//! before            after
//!   head: test        jmp head
//!         jcc out     body: ..
//!   body: ..          head: test
//!         jmp head          jcc body
//!   out:              out:
//! ```

use super::Label;
use super::order::{BlockOrder, MBlock};

/// Instructions of a loop body up to which the loop is worth aligning: about as many as fit into
/// the processors' buffers for small loops.
const TIGHT_LOOP: u32 = 64;

/// The label to use for a block.
fn target(forward: &[Label], b: MBlock) -> MBlock {
    MBlock(forward[b.index()].0)
}

/// The blocks in the order in which they stand in memory. `forward` gives for each block the one
/// that stands for it; only those that stand for themselves are laid out.
pub fn layout(order: &BlockOrder, forward: &[Label]) -> Vec<MBlock> {
    let blocks = &order.blocks;
    let used = |b: &MBlock| target(forward, *b) == *b;
    let all = || (0..blocks.len() as u32).map(MBlock).filter(used);
    // The first block stays first: the function falls into it from the prologue.
    let hot = all().filter(|b| b.0 == 0 || !blocks[b.index()].cold);
    let cold = all().filter(|b| b.0 != 0 && blocks[b.index()].cold);
    let mut layout: Vec<MBlock> = hot.chain(cold).collect();
    rotate_loops(order, forward, &mut layout);
    layout
}

/// Puts the head of a loop behind the block that jumps back to it, if the head tests whether to go
/// on: one branch per round instead of two.
fn rotate_loops(order: &BlockOrder, forward: &[Label], layout: &mut [MBlock]) {
    let blocks = &order.blocks;
    let n = blocks.len();
    // Last block that goes nowhere but to this head, in reverse postorder.
    let mut latch: Vec<Option<MBlock>> = vec![None; n];
    for &b in layout.iter() {
        if let [to] = blocks[b.index()].succs[..] {
            let head = target(forward, to);
            if head < b {
                latch[head.index()] = Some(b);
            }
        }
    }
    let cold = |b: MBlock| blocks[b.index()].cold;
    for h in (1..n).rev() {
        let (Some(l), head) = (latch[h], MBlock(h as u32)) else {
            continue;
        };
        let same = cold(l) == cold(head) && blocks[l.index()].region == blocks[h].region;
        let place = |b: MBlock| layout.iter().position(|x| *x == b);
        let (Some(from), Some(to)) = (place(head), place(l)) else {
            continue;
        };
        let succs: Vec<Option<usize>> = blocks[h]
            .succs
            .iter()
            .map(|s| place(target(forward, *s)))
            .collect();
        let inside = |p: &Option<usize>| p.is_some_and(|p| p > from && p <= to);
        let goes_on = succs.len() == 2 && succs.iter().filter(|p| inside(p)).count() == 1;
        if same && from < to && goes_on && from > 0 {
            layout[from..=to].rotate_left(1);
        }
    }
}

/// First blocks, in layout, of innermost loops that are not cold and have few instructions. `size`
/// gives the instructions of a block, or nothing if it calls something: what is called takes its
/// time then, wherever the loop begins.
pub fn tight_loops(
    order: &BlockOrder,
    forward: &[Label],
    layout: &[MBlock],
    size: &dyn Fn(MBlock) -> Option<u32>,
) -> Vec<MBlock> {
    let blocks = &order.blocks;
    let mut place = vec![usize::MAX; blocks.len()];
    for (n, b) in layout.iter().enumerate() {
        place[b.index()] = n;
    }
    let mut found = Vec::new();
    // Start of the last loop seen: what begins before it and ends behind it is not innermost.
    let mut inner = None;
    for (end, &b) in layout.iter().enumerate() {
        let succs = blocks[b.index()].succs.iter();
        let back = succs.map(|s| place[target(forward, *s).index()]);
        let Some(start) = back.filter(|p| *p <= end).max() else {
            continue;
        };
        let innermost = inner.is_none_or(|inner| start > inner);
        inner = inner.max(Some(start));
        let body = &layout[start..=end];
        let hot = body.iter().all(|b| !blocks[b.index()].cold);
        let sizes: Option<u32> = body.iter().map(|b| size(*b)).sum();
        if innermost && hot && sizes.is_some_and(|s| s <= TIGHT_LOOP) {
            found.push(layout[start]);
        }
    }
    found
}
