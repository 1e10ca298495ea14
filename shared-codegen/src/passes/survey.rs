//! The report's inventory (`aotc --opt-report`): what stands in a function between passes. So each call, loop, bounds check, type
//! test and allocation has a line even if no pass says anything about it: which pass it was gone after, or what it stays as.
//!
//! Things are told apart by their kind and place, not by instruction, as passes copy code: what has gone from all copies of a
//! place is gone. Calls, tests and allocations are looked at last in front of `expand`, which turns them into other operations,
//! loops in front of `vectorize`, which makes new ones, bounds checks at the end. Without a listener nothing is looked at.

use super::PassContext;
use super::known_class::named_type;
use super::remarks::{Item, Remarks, Subject, Verdict};
use super::rotate_loops;
use super::table::PassId;
use crate::analysis::{Cfg, Dominators, Loop, Loops};
use crate::ir::{Block, Function, Imm, InstData, Op, SourceLoc};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// What remarks of the inventory name as their pass.
const NAME: &str = "survey";

/// Kinds of things.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    Call,
    Helper,
    BoundsCheck,
    TypeTest,
    ClassInit,
    Allocation,
}

impl Kind {
    fn of(op: Op) -> Option<Kind> {
        use Op::*;
        match op {
            Call | CallVirtual | CallInterface | CallDelegate | CallIndirect | CallInternal
            | CallNative => Some(Kind::Call),
            CallHelper => Some(Kind::Helper),
            BoundsCheck => Some(Kind::BoundsCheck),
            CastClass | IsInst | Unbox | ArrayStoreCheck => Some(Kind::TypeTest),
            ClassInit => Some(Kind::ClassInit),
            NewObject | NewArray => Some(Kind::Allocation),
            _ => None,
        }
    }

    fn subject(self) -> Subject {
        match self {
            Kind::Call | Kind::Helper => Subject::Call,
            Kind::BoundsCheck | Kind::TypeTest | Kind::ClassInit => Subject::Check,
            Kind::Allocation => Subject::Allocation,
        }
    }

    /// The pass whose work it is to say what became of it, and what it did.
    fn expert(self) -> Option<PassId> {
        match self {
            Kind::Call => Some(PassId::Inline),
            Kind::BoundsCheck => Some(PassId::BoundsCheckElim),
            Kind::TypeTest => Some(PassId::TypeCheckElim),
            Kind::Allocation => Some(PassId::EscapeAnalysis),
            Kind::Helper | Kind::ClassInit => None,
        }
    }
}

/// Something to report on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Spot {
    kind: Kind,
    loc: SourceLoc,
}

/// What is known of it.
#[derive(Clone, Copy, Debug)]
struct Thing {
    op: Op,
    imm: Imm,
    item: Option<Item>,
    /// The pass after which it was gone.
    gone: Option<PassId>,
}

/// See the module documentation.
pub(super) struct Survey<'a> {
    cx: &'a PassContext<'a>,
    things: IndexMap<Spot, Thing, FxBuildHasher>,
    expanded: bool,
    has_seen_loops: bool,
}

impl<'a> Survey<'a> {
    /// Looks at what the importer has made.
    pub(super) fn new(f: &Function, cx: &'a PassContext<'a>) -> Survey<'a> {
        let mut survey = Survey {
            cx,
            things: IndexMap::default(),
            expanded: false,
            has_seen_loops: false,
        };
        if cx.remarks.is_some() {
            survey.look(f, None);
        }
        survey
    }

    /// Before a pass has its turn, whether or not it runs.
    pub(super) fn before(&mut self, pass: PassId, f: &Function) {
        if self.cx.remarks.is_none() {
            return;
        }
        match pass {
            PassId::Expand => self.settle(f, |kind| kind != Kind::BoundsCheck),
            PassId::Vectorize if !self.has_seen_loops => {
                self.has_seen_loops = true;
                self.loops(f);
            }
            _ => {}
        }
        self.expanded |= pass == PassId::Expand;
    }

    /// After a pass that has changed something.
    pub(super) fn after(&mut self, pass: PassId, f: &Function) {
        if self.cx.remarks.is_some() {
            self.look(f, Some(pass));
        }
    }

    /// At the end.
    pub(super) fn finish(mut self, f: &Function) {
        if self.cx.remarks.is_some() {
            self.settle(f, |kind| kind == Kind::BoundsCheck);
        }
    }

    fn look(&mut self, f: &Function, pass: Option<PassId>) {
        let mut seen: IndexMap<Spot, Thing, FxBuildHasher> = IndexMap::default();
        for &i in f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts) {
            let data = &f.insts[i.index()];
            let kind = Kind::of(data.op).filter(|&k| !self.expanded || k == Kind::BoundsCheck);
            if let Some(kind) = kind {
                let thing = Thing {
                    op: data.op,
                    imm: data.imm,
                    item: item(f, kind, data),
                    gone: None,
                };
                let loc = data.loc;
                seen.entry(Spot { kind, loc }).or_insert(thing);
            }
        }
        for (spot, thing) in &mut self.things {
            if !seen.contains_key(spot) && thing.gone.is_none() {
                thing.gone = pass;
            }
        }
        self.things.extend(seen);
    }

    /// Says what became of things of some kinds, and forgets them.
    fn settle(&mut self, f: &Function, wanted: impl Fn(Kind) -> bool) {
        let Some(remarks) = self.cx.remarks else {
            return;
        };
        let all = std::mem::take(&mut self.things);
        for (spot, thing) in all {
            if !wanted(spot.kind) {
                self.things.insert(spot, thing);
                continue;
            }
            match thing.gone {
                Some(pass) => self.say_gone(f, remarks, spot, thing, pass),
                None => self.say_stays(f, remarks, spot, thing),
            }
        }
    }

    fn say_gone(&self, f: &Function, remarks: &Remarks, spot: Spot, thing: Thing, pass: PassId) {
        let subject = spot.kind.subject();
        let expert = spot.kind.expert();
        let said_done =
            expert.is_some_and(|e| remarks.says(e.info().name, subject, f, spot.loc, true));
        if said_done {
            return;
        }
        if let Some(expert) = expert {
            // It could not do it, another pass could.
            remarks.withdraw(expert.info().name, subject, f, spot.loc);
        }
        let what = name_of(thing);
        let text = match (spot.kind, pass) {
            (Kind::Call | Kind::Helper, PassId::Intrinsics) => "done by instructions".to_owned(),
            (Kind::Call, PassId::TailRecursion) => "a jump to the start".to_owned(),
            (Kind::Allocation, _) => "not needed".to_owned(),
            (_, PassId::Gvn) => format!("{what} removed: done before"),
            (_, PassId::SimplifyCfg | PassId::Sccp | PassId::JumpThreading) => {
                format!("{what} removed: never reached")
            }
            _ => format!("{what} removed"),
        };
        self.say(
            f,
            pass.info().name,
            subject,
            spot.loc,
            Verdict {
                item: thing.item,
                ..Verdict::done(text)
            },
        );
    }

    fn say_stays(&self, f: &Function, remarks: &Remarks, spot: Spot, thing: Thing) {
        let subject = spot.kind.subject();
        let plain = thing.op == Op::Call;
        let missed = |text: String| Verdict {
            item: thing.item,
            ..Verdict::missed(text)
        };
        if let Some(expert) = spot
            .kind
            .expert()
            .filter(|_| spot.kind != Kind::Call || plain)
        {
            let name = expert.info().name;
            if remarks.says(name, subject, f, spot.loc, false) {
                return;
            }
            if !self.cx.passes.contains(expert) {
                let text = format!("{} stays: the pass {name} is off", name_of(thing));
                return self.say(f, NAME, subject, spot.loc, missed(text));
            }
        }
        self.say(
            f,
            NAME,
            subject,
            spot.loc,
            missed(format!("{} stays", name_of(thing))),
        );
    }

    fn say(&self, f: &Function, pass: &'static str, subject: Subject, loc: SourceLoc, v: Verdict) {
        self.cx.remark(pass, subject, f, loc, || v);
    }

    /// Says where loops test, and which passes do not look at them.
    fn loops(&self, f: &Function) {
        let mut f = f.clone();
        f.resolve_aliases();
        let f = &f;
        let cfg = Cfg::new(f);
        let loops = Loops::new(&cfg, &Dominators::new(&cfg));
        for (n, l) in loops.loops.iter().enumerate() {
            let loc = super::remarks::loop_loc(f, l.header);
            let say = |v| self.say(f, PassId::RotateLoops.info().name, Subject::Loop, loc, v);
            let at_end = |b: &Block| loops.exits(f, Loop(n as u32)).iter().any(|e| e.0 == *b);
            if l.latches.iter().any(at_end) {
                say(Verdict::done("tests at the end"));
            } else if !self.cx.passes.contains(PassId::RotateLoops) {
                say(Verdict::missed("tests where it did: the pass is off"));
            } else {
                let why = rotate_loops::refusal(f, &cfg, &loops, Loop(n as u32));
                let why = why.unwrap_or("not tried");
                say(Verdict::missed(format!("does not test at the end: {why}")));
            }
            for (pass, what) in [
                (PassId::Vectorize, "vectorized"),
                (PassId::SplitLoops, "split"),
            ] {
                if !self.cx.passes.contains(pass) {
                    let text = format!("not {what}: the pass is off");
                    self.say(
                        f,
                        pass.info().name,
                        Subject::Loop,
                        loc,
                        Verdict::missed(text),
                    );
                }
            }
        }
    }
}

/// The method or type it is about.
fn item(f: &Function, kind: Kind, data: &InstData) -> Option<Item> {
    match (kind, data.imm) {
        (Kind::Call, Imm::Call(info)) => info.method.map(Item::Method),
        (Kind::TypeTest, _) if data.op == Op::ArrayStoreCheck => None,
        (Kind::TypeTest | Kind::Allocation | Kind::ClassInit, _) => {
            named_type(f, data).map(Item::Type)
        }
        _ => None,
    }
}

/// What it is, for people.
fn name_of(thing: Thing) -> String {
    let name = match (thing.op, thing.imm) {
        (Op::CallHelper, Imm::Helper(h)) => {
            return format!("the call of the helper {}", h.info().name);
        }
        (Op::Call, _) => "the direct call",
        (Op::CallVirtual, _) => "the virtual call",
        (Op::CallInterface, _) => "the interface call",
        (Op::CallDelegate, _) => "the call of a delegate",
        (Op::CallIndirect, _) => "the call through a pointer",
        (Op::CallInternal, _) => "the call of the runtime",
        (Op::CallNative, _) => "the call of a native function",
        (Op::BoundsCheck, _) => "bounds check",
        (Op::CastClass, _) => "cast",
        (Op::IsInst, _) => "type test",
        (Op::Unbox, _) => "type test of a box",
        (Op::ArrayStoreCheck, _) => "type test of an array store",
        (Op::ClassInit, _) => "test for class initialization",
        (Op::NewObject | Op::NewArray, _) => "the heap allocation",
        _ => "it",
    };
    name.to_owned()
}
