//! The order in which blocks stand in memory, and the loops in it that are worth aligning.
//!
//! Blocks stand in reverse postorder, cold ones behind all others. Three things make rounds of loops
//! shorter:
//!
//! What leaves a loop stands behind it, most often moves on the way out ([`gather_loops`]).
//! ```text
//! head: ..              head: ..
//!       jcc on                jncc leave
//! leave: mov ..         on:   ..
//!       jmp out               jcc head
//! on:   ..              leave: mov ..
//!       jcc head        out:
//! out:
//! ```
//! The head of a loop that tests whether to go on stands behind the block that jumps back to it; a
//! block that only leads back to the head stands in front of it ([`rotate_loops`]): one branch a round
//! instead of two.
//! ```text
//! head: test            jmp head            head: ..             jmp head
//!       jcc out         body: ..                  jcc out        back: mov ..
//! body: ..              head: test          back: mov ..         head: ..
//!       jmp head              jcc body            jmp head             jncc back
//! out:                  out:                out:                 out:
//! ```

use super::Label;
use super::loops::natural_loops;
use super::order::{BlockOrder, MBlock};

/// Instructions of a loop body up to which the loop is worth aligning: about as many as fit into
/// the processors' buffers for small loops.
const TIGHT_LOOP: u32 = 64;

/// Blocks of a loop up to which it is brought into form. Larger ones have so many ways out and around that no order is
/// better: that of parsers' main loops took twice the time (`CSharpParser.yyparse`).
const MAX_BLOCKS: usize = 64;

/// The label to use for a block.
fn target(forward: &[Label], b: MBlock) -> MBlock {
    MBlock(forward[b.index()].0)
}

/// The blocks in the order in which they stand in memory. `forward` gives for each block the one
/// that stands for it; only those that stand for themselves are laid out. With `gather`, loops get
/// the form described above; without it only the heads that test are moved.
pub fn layout(order: &BlockOrder, forward: &[Label], gather: bool) -> Vec<MBlock> {
    let blocks = &order.blocks;
    let used = |b: &MBlock| target(forward, *b) == *b;
    let all = || (0..blocks.len() as u32).map(MBlock).filter(used);
    // The first block stays first: the function falls into it from the prologue.
    let hot = all().filter(|b| b.0 == 0 || !blocks[b.index()].cold);
    let cold = all().filter(|b| b.0 != 0 && blocks[b.index()].cold);
    let mut layout: Vec<MBlock> = hot.chain(cold).collect();
    if gather {
        gather_loops(order, &mut layout);
    }
    rotate_loops(order, forward, &mut layout, gather);
    layout
}

/// Moves what does not belong to a loop and stands in it behind it.
fn gather_loops(order: &BlockOrder, layout: &mut [MBlock]) {
    let mut place = places(order, layout);
    let mut inside = vec![usize::MAX; order.blocks.len()];
    for l in natural_loops(order) {
        let cold = |b: usize| order.blocks[b].cold;
        let body = l.body.iter().copied();
        let body = body.filter(|b| place[*b] != usize::MAX && cold(*b) == cold(l.head));
        let (mut first, mut last, mut count) = (usize::MAX, 0, 0);
        for b in body {
            inside[b] = l.head;
            (first, last) = (first.min(place[b]), last.max(place[b]));
            count += 1;
        }
        if count == 0 || count > MAX_BLOCKS || last - first + 1 == count {
            continue;
        }
        let part = &mut layout[first..=last];
        part.sort_by_key(|b| inside[b.index()] != l.head);
        for (n, b) in part.iter().enumerate() {
            place[b.index()] = first + n;
        }
    }
}

/// Position of each block in the layout.
fn places(order: &BlockOrder, layout: &[MBlock]) -> Vec<usize> {
    let mut place = vec![usize::MAX; order.blocks.len()];
    for (n, b) in layout.iter().enumerate() {
        place[b.index()] = n;
    }
    place
}

/// Puts the head of a loop behind the block that jumps back to it, if the head tests whether to go
/// on; puts the block that jumps back in front of the head, if the one before it tests.
fn rotate_loops(order: &BlockOrder, forward: &[Label], layout: &mut [MBlock], both: bool) {
    let blocks = &order.blocks;
    let mut place = places(order, layout);
    let alike = |a: MBlock, b: MBlock| {
        let (a, b) = (&blocks[a.index()], &blocks[b.index()]);
        a.cold == b.cold && a.region == b.region
    };
    // Last block that goes nowhere but to this head, in reverse postorder.
    let mut latch: Vec<Option<MBlock>> = vec![None; blocks.len()];
    for &b in layout.iter() {
        if let [to] = blocks[b.index()].succs[..] {
            let head = target(forward, to);
            if head < b && alike(head, b) {
                latch[head.index()] = latch[head.index()].max(Some(b));
            }
        }
    }
    for h in (1..blocks.len()).rev() {
        let (Some(l), head) = (latch[h], MBlock(h as u32)) else {
            continue;
        };
        let (from, to) = (place[h], place[l.index()]);
        if to == usize::MAX || from == 0 || from >= to {
            continue;
        }
        let inside = |s: &MBlock| (from..=to).contains(&place[target(forward, *s).index()]);
        let back = |s: &MBlock| target(forward, *s) == head;
        // Of two ways one stays in the loop and is not a round of its own.
        let tests = |b: MBlock| {
            let succs = &blocks[b.index()].succs;
            let mut stay = succs.iter().filter(|s| inside(s));
            succs.len() == 2 && stay.next().is_some_and(|s| !back(s)) && stay.next().is_none()
        };
        let part = &mut layout[from..=to];
        if tests(head) {
            part.rotate_left(1);
        } else if both && part.len() <= MAX_BLOCKS && tests(part[part.len() - 2]) {
            part.rotate_right(1);
        }
        for (n, b) in layout[from..=to].iter().enumerate() {
            place[b.index()] = from + n;
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
    let place = places(order, layout);
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
