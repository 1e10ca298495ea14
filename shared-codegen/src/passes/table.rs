//! The passes, their order, and the reasons for the order.

use super::{OptSet, PassContext, PassRun};
use super::{
    bounds_check_elim, const_prop, copy_prop, dce, devirtualize, eh_demote, eh_simplify,
    escape_analysis, expand, gvn, if_convert, inline, intrinsics, jump_threading, licm,
    null_check_elim, poll_elim, promote_loads, promote_slots, rotate_loops, sccp, simplify_cfg,
    split_loops, sroa, store_elim, strength_reduce, tail_calls, tail_recursion, type_check_elim,
    vectorize,
};
use crate::ir::Function;

/// The smallest set of optimizations a pass belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Effort {
    /// Code that is needed now.
    Quick,
    /// Ahead-of-time compilation without wishes, and code found hot.
    Default,
    /// Everything.
    All,
}

/// A row of the pass table.
pub struct PassInfo {
    /// Name: in options, dumps and reports. The file has the same name with `_` for `-`.
    pub name: &'static str,
    /// Other names the options accept, Mono's among them.
    pub aliases: &'static [&'static str],
    /// The function; none if the back end does it ([`crate::compile::MachinePasses`]).
    pub run: Option<fn(&mut Function, &PassContext) -> bool>,
    /// Cannot be switched off: without it there is no code.
    pub required: bool,
    /// Smallest set it belongs to.
    pub effort: Effort,
    /// What it does, for `-O=help`.
    pub about: &'static str,
}

impl PassInfo {
    /// Runs the pass on IR. Says whether something changed.
    pub fn apply(&self, f: &mut Function, cx: &PassContext) -> bool {
        self.run.is_some_and(|run| run(f, cx))
    }
}

macro_rules! passes {
    (@run) => { None };
    (@run $run:path) => { Some($run) };
    ($($id:ident = $name:literal [$($alias:literal),*] $($run:path)?, $required:literal, $effort:ident, $about:literal;)*) => {
        /// Identity of a pass.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum PassId { $(#[doc = $about] $id),* }

        /// All passes in the order of [`PassId`].
        pub const PASSES: &[PassInfo] = &[$(PassInfo {
            name: $name, aliases: &[$($alias),*], run: passes!(@run $($run)?), required: $required,
            effort: Effort::$effort, about: $about,
        }),*];

        impl PassId {
            /// All passes.
            pub const ALL: &'static [PassId] = &[$(PassId::$id),*];
        }
    };
}

passes! {
    Intrinsics = "intrinsics" ["intrins"] intrinsics::run, false, Quick,
        "replace calls of well-known methods by operations";
    Devirtualize = "devirtualize" ["devirt"] devirtualize::run, false, Default,
        "call methods directly whose target is known";
    Inline = "inline" [] inline::run, false, Default,
        "insert the bodies of small methods";
    SimplifyCfg = "simplify-cfg" ["branch", "branches"] simplify_cfg::run, false, Quick,
        "fold branches, merge blocks, remove unreachable blocks";
    CopyProp = "copy-prop" ["copyprop"] copy_prop::run, false, Default,
        "remove block parameters that always have one value";
    ConstProp = "const-prop" ["consprop", "cfold"] const_prop::run, false, Quick,
        "evaluate operations on constants, algebraic identities";
    Sccp = "sccp" [] sccp::run, false, Default,
        "evaluate what is constant around loops and where branches on constants never go";
    JumpThreading = "jump-threading" [] jump_threading::run, false, Default,
        "skip tests whose outcome is known where control comes from";
    EhSimplify = "eh-simplify" [] eh_simplify::run, false, Default,
        "remove exception regions that do nothing";
    EscapeAnalysis = "escape-analysis" ["escape"] escape_analysis::run, false, Default,
        "keep objects in the frame that nobody else gets to see";
    Sroa = "sroa" [] sroa::run, false, Default,
        "split structs in the frame into their scalars";
    PromoteSlots = "promote-slots" ["ssa"] promote_slots::run, false, Default,
        "keep scalars of the frame in registers";
    TailRecursion = "tail-recursion" ["tailc"] tail_recursion::run, false, Default,
        "jump to the start where a function returns a call of itself";
    Gvn = "gvn" ["ssapre"] gvn::run, false, Default,
        "do not compute, check or load again what a dominating block has";
    BoundsCheckElim = "bounds-check-elim" ["abcrem"] bounds_check_elim::run, false, Default,
        "remove bounds checks that comparisons and counting prove to pass";
    StrengthReduce = "strength-reduce" [] strength_reduce::run, false, Default,
        "use unsigned operations for numbers that are not negative";
    StoreElim = "store-elim" ["dse"] store_elim::run, false, Default,
        "remove stores that are overwritten before anything sees them";
    IfConvert = "if-convert" ["cmov"] if_convert::run, false, Default,
        "choose between cheap values without a branch";
    RotateLoops = "rotate-loops" [] rotate_loops::run, false, Default,
        "test at the end of loops";
    Licm = "licm" ["loop"] licm::run, false, Default,
        "compute, check and load once in front of loops what stays the same";
    PromoteLoads = "promote-loads" [] promote_loads::run, false, Default,
        "keep what loops store in registers for their loads";
    Vectorize = "vectorize" ["simd"] vectorize::run, false, Default,
        "do several rounds of loops over arrays by vector operations";
    SplitLoops = "split-loops" ["unroll"] split_loops::run, false, Default,
        "run the rounds of counted loops that cannot fail without bounds checks, several at a time";
    TypeCheckElim = "type-check-elim" ["typecheck"] type_check_elim::run, false, Default,
        "remove tests of objects whose outcome an earlier test tells";
    NullCheckElim = "null-check-elim" ["exception"] null_check_elim::run, false, Quick,
        "remove null checks of values known not to be null";
    PollElim = "poll-elim" [] poll_elim::run, false, Default,
        "poll once in each round of a loop";
    Dce = "dce" ["deadce"] dce::run, false, Quick,
        "remove operations whose result is not needed";
    Expand = "expand" [] expand::run, true, Quick,
        "turn CLI-aware operations into low-level ones";
    EhDemote = "eh-demote" [] eh_demote::run, true, Quick,
        "keep values that exception handlers need in the frame";
    TailCalls = "tail-calls" [] tail_calls::run, true, Quick,
        "calls that ask for it replace the frame";
    AnchorValues = "anchor-values" [] , false, Default,
        "keep values that loops only read in one place throughout the loop";
    Peephole = "peephole" [] , false, Default,
        "simplify neighbouring machine instructions";
    GatherLoops = "gather-loops" ["layout"] , false, Default,
        "lay out loops in one piece, with one branch a round";
    AlignLoops = "align-loops" [] , false, Default,
        "begin tight loops at multiples of 16 bytes";
}

impl PassId {
    /// The row of the table.
    pub fn info(self) -> &'static PassInfo {
        &PASSES[self as usize]
    }

    /// The pass with this name or alias.
    pub fn from_name(name: &str) -> Option<PassId> {
        PassId::ALL
            .iter()
            .copied()
            .find(|p| p.info().name == name || p.info().aliases.contains(&name))
    }
}

/// The order in which passes run. A pass may stand in it several times.
pub const PIPELINE: &[PassId] = {
    use PassId::*;
    &[
        Intrinsics,
        Devirtualize,
        Inline,
        SimplifyCfg,
        EscapeAnalysis,
        ConstProp,
        CopyProp,
        Dce,
        EhSimplify,
        SimplifyCfg,
        Sroa,
        PromoteSlots,
        ConstProp,
        CopyProp,
        Devirtualize,
        Inline,
        SimplifyCfg,
        CopyProp,
        EscapeAnalysis,
        EhSimplify,
        Sroa,
        PromoteSlots,
        Sccp,
        ConstProp,
        CopyProp,
        JumpThreading,
        SimplifyCfg,
        TailRecursion,
        Gvn,
        TypeCheckElim,
        BoundsCheckElim,
        StrengthReduce,
        NullCheckElim,
        StoreElim,
        Dce,
        EhSimplify,
        IfConvert,
        RotateLoops,
        SimplifyCfg,
        Licm,
        PromoteLoads,
        Vectorize,
        SplitLoops,
        Gvn,
        NullCheckElim,
        Dce,
        Expand,
        Sccp,
        ConstProp,
        CopyProp,
        Gvn,
        JumpThreading,
        SimplifyCfg,
        IfConvert,
        SimplifyCfg,
        PollElim,
        StoreElim,
        Dce,
        EhDemote,
        TailCalls,
    ]
};

/// "The last run of `.0` comes before the first run of `.1`, because".
pub const ORDER: &[(PassId, PassId, &str)] = {
    use PassId::*;
    &[
        (
            Intrinsics,
            Inline,
            "a known operation is cheaper than the body it would be inlined as",
        ),
        (
            Inline,
            Expand,
            "inlined bodies arrive with CLI-aware operations",
        ),
        (
            NullCheckElim,
            Expand,
            "expansion tests references again, which hides that they come from `new_object`",
        ),
        (
            Expand,
            EhDemote,
            "expansion makes values that live across blocks",
        ),
        (
            ConstProp,
            EhDemote,
            "sharing a constant with a handler would make it live into the handler again",
        ),
        (
            CopyProp,
            EhDemote,
            "replacing a reload by its value would make it live into a handler again",
        ),
        (
            PromoteSlots,
            EhDemote,
            "promoting the slots that handlers read would undo it",
        ),
        (
            Gvn,
            EhDemote,
            "taking a reload's value from before the handler would make it live into the handler again",
        ),
        (
            PromoteSlots,
            TailRecursion,
            "frames whose variables have addresses cannot be used again",
        ),
        (
            TailRecursion,
            RotateLoops,
            "the loops it makes want to be rotated too",
        ),
        (SplitLoops, PollElim, "unrolled loops leave polls behind"),
        (
            JumpThreading,
            PollElim,
            "its copies poll, and it dissolves loops",
        ),
        (
            Expand,
            TailCalls,
            "virtual calls become calls through an address first",
        ),
        (
            EhDemote,
            TailCalls,
            "reloads and stores beside calls are part of what must be gone",
        ),
        (
            Inline,
            JumpThreading,
            "inlined predicates are what it is for",
        ),
        (BoundsCheckElim, IfConvert, "its facts are branches"),
        (
            IfConvert,
            EhDemote,
            "a value chosen in front of a handler would be live into it",
        ),
        (
            Devirtualize,
            Expand,
            "what expansion makes of virtual calls has no method any more",
        ),
        (
            RotateLoops,
            Vectorize,
            "only loops with the test at the end are vectorized",
        ),
        (
            Licm,
            Vectorize,
            "checks and lengths that stay in the loop must be asked for in front again",
        ),
        (
            BoundsCheckElim,
            Vectorize,
            "what is proven needs no test in front",
        ),
        (
            Vectorize,
            SplitLoops,
            "several rounds in one are not recognized, and the rest of the rounds wants to be split",
        ),
        (
            RotateLoops,
            SplitLoops,
            "only loops with the test at the end are split",
        ),
        (
            Licm,
            SplitLoops,
            "what is moved out of the loop need not be computed again to ask it in front",
        ),
        (
            BoundsCheckElim,
            SplitLoops,
            "what is proven needs no test in front",
        ),
        (
            Sccp,
            EhDemote,
            "a constant in place of a reload would be live into a handler again",
        ),
        (
            Licm,
            PromoteLoads,
            "addresses in front of loops, and blocks for loading there, are made by it",
        ),
        (
            PromoteLoads,
            SplitLoops,
            "copies of the body would have several places to store to",
        ),
        (
            StrengthReduce,
            RotateLoops,
            "proofs want the test at the top of loops",
        ),
        (
            TypeCheckElim,
            NullCheckElim,
            "unboxing what is known to be a box leaves a null check",
        ),
        (
            TypeCheckElim,
            Expand,
            "expansion turns tests into control flow",
        ),
        (Dce, EhDemote, "dead values should not get frame slots"),
    ]
};

/// "After the last run of `.0` comes another one of `.1`, because".
pub const FOLLOWS: &[(PassId, PassId, &str)] = {
    use PassId::*;
    &[
        (
            Devirtualize,
            Inline,
            "direct calls can be inlined, which is most of their use",
        ),
        (
            Inline,
            Sroa,
            "bodies that take the address of a struct must be inserted first",
        ),
        (
            Inline,
            EscapeAnalysis,
            "objects that are passed to methods escape",
        ),
        (
            EscapeAnalysis,
            Sroa,
            "objects in the frame are structs to be split",
        ),
        (
            EscapeAnalysis,
            EhSimplify,
            "reads and writes of the frame cannot fail, and need no handler",
        ),
        (
            Sroa,
            PromoteSlots,
            "only slots of one scalar can be promoted",
        ),
        (
            Sccp,
            SimplifyCfg,
            "branches on the constants it finds are folded there",
        ),
    ]
};

/// A pass that has run already runs again only if one of these has changed something since, because nothing else gives
/// it more to do.
pub const AGAIN: &[(PassId, &[PassId])] = {
    use PassId::*;
    &[
        (Inline, &[Devirtualize]),
        (Sroa, &[Inline, EscapeAnalysis]),
        (PromoteSlots, &[Inline, EscapeAnalysis, Sroa]),
    ]
};

/// The pass is left out after these runs, by [`AGAIN`].
pub fn is_idle(pass: PassId, runs: &[PassRun]) -> bool {
    let Some((_, causes)) = AGAIN.iter().find(|a| a.0 == pass) else {
        return false;
    };
    let Some(last) = runs.iter().rposition(|r| r.pass == pass) else {
        return false;
    };
    let mut since = runs[last..].iter();
    !since.any(|r| r.changed && causes.contains(&r.pass))
}

/// The passes of an effort level.
pub fn passes_of(effort: Effort) -> OptSet {
    PassId::ALL
        .iter()
        .copied()
        .filter(|p| p.info().effort <= effort)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipeline_obeys_the_reasons() {
        for &(a, b, why) in ORDER {
            let last = PIPELINE.iter().rposition(|&p| p == a);
            let first = PIPELINE.iter().position(|&p| p == b);
            assert!(last < first, "{a:?} before {b:?} because {why}");
        }
    }

    #[test]
    fn later_runs_follow() {
        for &(a, b, why) in FOLLOWS {
            let last = |pass| PIPELINE.iter().rposition(|&p| p == pass);
            assert!(last(a) < last(b), "{b:?} after {a:?} because {why}");
        }
        for (pass, causes) in AGAIN {
            let runs = PIPELINE.iter().filter(|&p| p == pass).count();
            assert!(runs > 1 && !causes.is_empty(), "{pass:?}");
        }
    }

    #[test]
    fn a_pass_with_causes_waits_for_one() {
        let run = |pass, changed| PassRun {
            pass,
            changed,
            time: Default::default(),
            before: 0,
            after: 0,
            memory: 0,
        };
        use PassId::*;
        let mut runs = Vec::new();
        assert!(!is_idle(Inline, &runs));
        runs.push(run(Inline, true));
        runs.push(run(Devirtualize, false));
        assert!(is_idle(Inline, &runs) && !is_idle(Gvn, &runs));
        runs.push(run(Devirtualize, true));
        assert!(!is_idle(Inline, &runs) && !is_idle(Sroa, &runs));
        // Objects kept in the frame are split even where nothing more was inlined.
        runs.extend([run(Sroa, false), run(EscapeAnalysis, true)]);
        assert!(!is_idle(Sroa, &runs));
    }

    #[test]
    fn every_pass_runs_and_names_are_unique() {
        let mut names = Vec::new();
        for &p in PassId::ALL {
            let runs = p.info().run.is_some();
            assert_eq!(PIPELINE.contains(&p), runs, "{p:?} and the pipeline");
            names.push(p.info().name);
            names.extend(p.info().aliases);
            assert_eq!(PassId::from_name(p.info().name), Some(p));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
