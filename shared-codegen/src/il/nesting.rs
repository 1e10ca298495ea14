//! Are the exception clauses of a body sound, and one around the other or apart? In n log n, as a body may have a clause for
//! every few bytes of its file.

use super::body::EhClause;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// Each clause is sound, and they lie apart or one around the other: what a clause protects lies where its handler does, both in
/// the code another one protects, both in its handler or filter, or both outside. Else an exception would lead into the middle of
/// either.
pub(crate) fn are_sound(clauses: &[EhClause], len: usize) -> bool {
    let mut seen = FxHashSet::default();
    // A clause that says the same as another changes nothing.
    let clauses: Vec<&EhClause> = clauses.iter().filter(|c| seen.insert(**c)).collect();
    clauses.iter().all(|c| c.is_sound(len)) && are_nested(clauses)
}

/// Walks over the offsets where handlers start. At each the pieces of code that it lies in must hold what the handler's clause
/// protects.
fn are_nested(mut by_handler: Vec<&EhClause>) -> bool {
    by_handler.sort_unstable_by_key(|c| c.own_start());
    let mut pieces: Vec<(u32, u32)> = by_handler.iter().map(|c| protected(c)).collect();
    pieces.sort_unstable();
    let mut pieces = pieces.into_iter().peekable();
    let mut open = Open::default();
    for group in by_handler.chunk_by(|a, b| a.own_start() == b.own_start()) {
        let at = group[0].own_start();
        // A handler may start with a try: pieces that start here are not around it.
        while let Some(piece) = pieces.next_if(|p| p.0 < at) {
            open.add(piece, 1);
        }
        for c in group {
            open.add(own(c), 1);
        }
        open.close(at);
        for c in group {
            let own = own(c);
            let is_open = own.1 > at;
            open.add(own, if is_open { -1 } else { 0 });
            let fits = open.holds(c.try_start, c.try_end);
            open.add(own, if is_open { 1 } else { 0 });
            if !fits {
                return false;
            }
        }
    }
    true
}

fn protected(c: &EhClause) -> (u32, u32) {
    (c.try_start, c.try_end)
}

/// Handler and filter.
fn own(c: &EhClause) -> (u32, u32) {
    (c.own_start(), c.handler_end)
}

/// Pieces of code, each counted, by their start and by their end.
#[derive(Default)]
struct Open {
    starts: BTreeMap<u32, i64>,
    by_end: BTreeMap<(u32, u32), i64>,
}

impl Open {
    fn add(&mut self, (start, end): (u32, u32), count: i64) {
        count_up(&mut self.starts, start, count);
        count_up(&mut self.by_end, (end, start), count);
    }

    /// Drops the pieces that end here or before.
    fn close(&mut self, at: u32) {
        while let Some(first) = self.by_end.first_entry().filter(|e| e.key().0 <= at) {
            let (&(_, start), &count) = (first.key(), first.get());
            first.remove();
            count_up(&mut self.starts, start, -count);
        }
    }

    /// All pieces hold this one.
    fn holds(&self, from: u32, to: u32) -> bool {
        let starts = self.starts.last_key_value().is_none_or(|(&s, _)| s <= from);
        let ends = self.by_end.first_key_value();
        starts && ends.is_none_or(|(&(end, _), _)| to <= end)
    }
}

fn count_up<K: Ord>(counts: &mut BTreeMap<K, i64>, key: K, by: i64) {
    match counts.entry(key) {
        std::collections::btree_map::Entry::Occupied(mut e) => {
            *e.get_mut() += by;
            if *e.get() == 0 {
                e.remove();
            }
        }
        std::collections::btree_map::Entry::Vacant(e) => {
            if by != 0 {
                e.insert(by);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::il::ClauseKind;
    use crate::metadata::Token;
    use std::time::{Duration, Instant};

    /// What the module documentation says, pair by pair.
    fn slowly(clauses: &[EhClause], len: usize) -> bool {
        let around = |a: &EhClause, b: &EhClause| {
            let at = b.own_start();
            let holds = |(start, end): (u32, u32)| start <= b.try_start && b.try_end <= end;
            let in_try = a.try_start < at && at < a.try_end;
            let in_own = a.own_start() <= at && at < a.handler_end;
            (!in_try || holds(protected(a))) && (!in_own || holds(own(a)))
        };
        let fits = |a| clauses.iter().all(|b| a == b || around(a, b));
        clauses.iter().all(|c| c.is_sound(len)) && clauses.iter().all(fits)
    }

    /// A clause from a number.
    fn clause(mut n: u64, len: u64) -> EhClause {
        let mut below = |m: u64| {
            n = n.wrapping_mul(6_364_136_223_846_793_005);
            n = n.wrapping_add(1_442_695_040_888_963_407);
            ((n >> 33) % m) as u32
        };
        let mut at = [0; 4].map(|_| below(len + 1));
        at.sort_unstable();
        if below(4) == 0 {
            // The handler stands in front.
            at.rotate_left(2);
        }
        let kind = match below(3) {
            0 => ClauseKind::Filter(at[2].saturating_sub(below(3))),
            1 => ClauseKind::Finally,
            _ => ClauseKind::Catch(Token(0)),
        };
        EhClause {
            kind,
            try_start: at[0],
            try_end: at[1],
            handler_start: at[2],
            handler_end: at[3],
        }
    }

    #[test]
    fn says_what_the_definition_says() {
        let mut sound = [0; 5];
        for seed in 0..60_000u64 {
            let (count, len) = (2 + seed % 3, 6 + seed / 3 % 20);
            let clauses: Vec<_> = (0..count)
                .map(|n| clause(seed * 7 + n * 1_000_003, len))
                .collect();
            let expected = slowly(&clauses, len as usize);
            assert_eq!(are_sound(&clauses, len as usize), expected, "{clauses:?}");
            sound[count as usize] += usize::from(expected);
        }
        assert!(sound[2..].iter().all(|&n| n > 100), "{sound:?}");
    }

    #[test]
    fn many_clauses_take_little_time() {
        let nested = |n: u32, depth: u32| EhClause {
            kind: ClauseKind::Finally,
            try_start: n,
            try_end: 2 * depth - n,
            handler_start: 2 * depth - n,
            handler_end: 2 * depth - n + 1,
        };
        let start = Instant::now();
        let clauses: Vec<_> = (1..200_000).map(|n| nested(n, 200_000)).collect();
        assert!(are_sound(&clauses, 400_001));
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
