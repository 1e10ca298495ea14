//! What passes say about their work (`aotc --opt-report`): for a call, a loop, a check or an allocation what was done, or why
//! not.
//!
//! A pass calls [`super::PassContext::remark`] with a closure, which is evaluated only if somebody listens. Passes may run
//! several times and say the same again; [`Remarks::take`] keeps what was said last of a place, and "done" before "not done".

use super::PassContext;
use crate::ir::{Block, Function, SourceLoc};
use crate::types::{MethodId, TypeId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::fmt;

/// What a remark is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// A call.
    Call,
    /// A loop; the place is where its header begins.
    Loop,
    /// A bounds, null or type check, or a check for class initialization.
    Check,
    /// An allocation.
    Allocation,
}

impl Subject {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Call => "call",
            Subject::Loop => "loop",
            Subject::Check => "check",
            Subject::Allocation => "allocation",
        }
    }
}

/// The method or type a remark is about. Passes do not know names; whoever prints the report does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Item {
    /// A method: the callee of a call.
    Method(MethodId),
    /// A type: of an allocation, or a check.
    Type(TypeId),
}

/// What was done, or why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// It was done.
    pub done: bool,
    /// What: "inlined", "not inlined: too large (80 > 40)".
    pub text: String,
    /// The callee or type.
    pub item: Option<Item>,
}

impl Verdict {
    /// Something was done.
    pub fn done(text: impl Into<String>) -> Verdict {
        Verdict {
            done: true,
            text: text.into(),
            item: None,
        }
    }

    /// Something was not done; the text says why.
    pub fn missed(text: impl Into<String>) -> Verdict {
        Verdict {
            done: false,
            text: text.into(),
            item: None,
        }
    }

    /// The same about a method.
    pub fn of_method(self, method: Option<MethodId>) -> Verdict {
        Verdict {
            item: method.map(Item::Method),
            ..self
        }
    }

    /// The same about a type.
    pub fn of_type(self, ty: TypeId) -> Verdict {
        Verdict {
            item: Some(Item::Type(ty)),
            ..self
        }
    }
}

/// A remark with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// Name of the pass.
    pub pass: &'static str,
    /// Call, loop, ...
    pub subject: Subject,
    /// IL offsets from the function's own code inwards: where the first inlined call stands, and in which method the next
    /// offset counts. The last one is the place itself.
    pub at: At,
    /// What was done.
    pub verdict: Verdict,
}

/// Collects remarks of one function.
#[derive(Default)]
pub struct Remarks {
    all: RefCell<Vec<Remark>>,
    /// Pass, subject and place of those in the list: something was done.
    said: RefCell<FxHashMap<Key, bool>>,
    /// Failures that others have made up for.
    withdrawn: RefCell<FxHashSet<Key>>,
}

/// Where something stands: see [`Remark::at`].
type At = Vec<(Option<MethodId>, u32)>;
/// Pass, subject and place.
type Key = (&'static str, Subject, At);

impl fmt::Debug for Remarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} remarks", self.all.borrow().len())
    }
}

/// Most remarks kept of one function: a few megabytes.
const MAX_REMARKS: usize = 20_000;

impl Remarks {
    /// The remarks by place; of those of one pass about one place and item the decisive one. Where a pass did something about a
    /// call, a loop or an allocation it does not matter any more that it could not before.
    pub fn take(&self) -> Vec<Remark> {
        let mut all = self.all.take();
        let (said, withdrawn) = (self.said.take(), self.withdrawn.take());
        all.retain(|r| {
            let key = (r.pass, r.subject, r.at.clone());
            let made_up = r.subject != Subject::Check && said.get(&key) == Some(&true);
            r.verdict.done || !made_up && !withdrawn.contains(&key)
        });
        // Later ones first among equals, those that did something before all others.
        all.reverse();
        all.sort_by_cached_key(|r| {
            let offsets: Vec<u32> = r.at.iter().map(|p| p.1).collect();
            (offsets, r.subject, r.pass, !r.verdict.done)
        });
        let (mut seen, mut said) = (FxHashSet::default(), FxHashSet::default());
        all.retain(|r| {
            let done = r.subject == Subject::Check && r.verdict.done;
            let first = seen.insert((r.pass, r.subject, r.at.clone(), r.verdict.item, done));
            let text = r.verdict.text.clone();
            let fresh = said.insert((r.at.clone(), r.subject, r.verdict.item, text));
            fresh && (first || r.verdict.done)
        });
        all
    }

    fn push(&self, remark: Remark) {
        let mut all = self.all.borrow_mut();
        if all.len() < MAX_REMARKS {
            let key = (remark.pass, remark.subject, remark.at.clone());
            *self.said.borrow_mut().entry(key).or_default() |= remark.verdict.done;
            all.push(remark);
        }
    }

    /// A pass has said something of a place; with `done`, that it did something.
    pub(super) fn says(
        &self,
        pass: &'static str,
        subject: Subject,
        f: &Function,
        loc: SourceLoc,
        done: bool,
    ) -> bool {
        let said = self.said.borrow();
        said.get(&(pass, subject, place(f, loc)))
            .is_some_and(|d| *d || !done)
    }

    /// What a pass could not do has been done by another one.
    pub(super) fn withdraw(
        &self,
        pass: &'static str,
        subject: Subject,
        f: &Function,
        loc: SourceLoc,
    ) {
        let key = (pass, subject, place(f, loc));
        self.withdrawn.borrow_mut().insert(key);
    }
}

impl PassContext<'_> {
    /// Says what a pass (by the name in its table) did at a place, or why not. The closure runs only if there is a listener.
    pub fn remark(
        &self,
        pass: &'static str,
        subject: Subject,
        f: &Function,
        loc: SourceLoc,
        verdict: impl FnOnce() -> Verdict,
    ) {
        let Some(remarks) = self.remarks else { return };
        remarks.push(Remark {
            pass,
            subject,
            at: place(f, loc),
            verdict: verdict(),
        });
    }
}

/// The place that stands for a loop.
pub(super) fn loop_loc(f: &Function, header: Block) -> SourceLoc {
    f.insts[f.blocks[header.index()].insts[0].index()].loc
}

fn place(f: &Function, loc: SourceLoc) -> At {
    let mut at = Vec::new();
    let mut loc = loc;
    while let Some(site) = loc
        .site
        .checked_sub(1)
        .and_then(|n| f.inline_sites.get(n as usize))
    {
        at.push((Some(site.method), loc.il));
        loc = site.call;
    }
    at.push((None, loc.il));
    at.reverse();
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{InlineSite, Signature};
    use crate::passes::NoFacts;

    #[test]
    fn what_was_done_counts_and_places_go_outside_in() {
        let mut f = Function::new("f", Signature::default());
        let call = SourceLoc { il: 7, site: 0 };
        f.inline_sites.push(InlineSite {
            method: MethodId(3),
            call,
        });
        let remarks = Remarks::default();
        let mut cx = PassContext::new(&NoFacts);
        let inner = SourceLoc { il: 2, site: 1 };
        cx.remark("inline", Subject::Call, &f, inner, || panic!("no listener"));
        cx.remarks = Some(&remarks);
        let say = |loc, verdict| cx.remark("inline", Subject::Call, &f, loc, || verdict);
        say(inner, Verdict::missed("too deep"));
        say(call, Verdict::missed("too large"));
        say(call, Verdict::done("inlined"));
        say(inner, Verdict::missed("too large"));
        let taken = remarks.take();
        let texts: Vec<&str> = taken.iter().map(|r| r.verdict.text.as_str()).collect();
        assert_eq!(texts, ["inlined", "too large"]);
        assert_eq!(taken[1].at, [(None, 7), (Some(MethodId(3)), 2)]);
        assert!(remarks.take().is_empty());
    }

    #[test]
    fn what_others_did_withdraws_a_failure() {
        let f = Function::new("f", Signature::default());
        let remarks = Remarks::default();
        let mut cx = PassContext::new(&NoFacts);
        cx.remarks = Some(&remarks);
        let loc = SourceLoc { il: 7, site: 0 };
        let check = |verdict| cx.remark("bounds", Subject::Check, &f, loc, || verdict);
        // Two checks at one place: both verdicts stand.
        check(Verdict::done("removed"));
        check(Verdict::missed("stays"));
        cx.remark("other", Subject::Check, &f, loc, || {
            Verdict::missed("stays")
        });
        assert!(remarks.says("bounds", Subject::Check, &f, loc, true));
        assert!(!remarks.says("other", Subject::Check, &f, loc, true));
        remarks.withdraw("other", Subject::Check, &f, loc);
        let passes: Vec<_> = remarks
            .take()
            .iter()
            .map(|r| (r.pass, r.verdict.done))
            .collect();
        assert_eq!(passes, [("bounds", true), ("bounds", false)]);
    }
}
