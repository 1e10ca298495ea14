//! Loops of machine blocks.

use super::order::BlockOrder;

/// A natural loop: blocks that are reached from its head and reach it again. It is entered at the head only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loop {
    /// Where it is entered.
    pub head: usize,
    /// Ascending; the first is the head.
    pub body: Vec<usize>,
    /// How many loops inside each other it contains.
    pub height: u32,
}

/// The loops, those inside before those around them. Linear in the blocks for each level of loops.
pub fn natural_loops(order: &BlockOrder) -> Vec<Loop> {
    let blocks = &order.blocks;
    // Loops inside each other that a block is the head of.
    let mut height = vec![0; blocks.len()];
    let mut seen = vec![usize::MAX; blocks.len()];
    let mut loops = Vec::new();
    for head in (0..blocks.len()).rev() {
        let back = blocks[head].preds.iter().map(|p| p.index());
        let mut work: Vec<usize> = back.filter(|p| *p >= head).collect();
        if work.is_empty() {
            continue;
        }
        let mut body = vec![head];
        seen[head] = head;
        let mut natural = true;
        while let Some(b) = work.pop() {
            natural &= b >= head;
            if natural && std::mem::replace(&mut seen[b], head) != head {
                body.push(b);
                work.extend(blocks[b].preds.iter().map(|p| p.index()));
            }
        }
        body.sort_unstable();
        let inside = body.iter().map(|b| height[*b]).max().unwrap_or(0);
        height[head] = inside + 1;
        if natural {
            let height = inside;
            loops.push(Loop { head, body, height });
        }
    }
    loops
}
