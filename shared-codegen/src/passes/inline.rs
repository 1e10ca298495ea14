//! `inline`: inserts the bodies of small methods at their calls.
//!
//! Before, with `method#7` returning its argument plus one:
//! ```text
//! block0(v0: i32):
//!     v1 = call method#7 sig0 v0 @5
//!     return v1
//! ```
//! after:
//! ```text
//!     site1 = method#7 @5
//! block0(v0: i32):
//!     jump block1(v0) @5
//! block1(v2: i32):
//!     v3 = iconst.i32 1 @0:1
//!     v4 = iadd.i32 v2, v3 @1:1
//!     jump block2(v4) @2:1
//! block2(v1: i32):
//!     return v1
//! ```
//! Bodies come from the oracle as imported, so their own calls are inlined in turn, within a budget for the whole function, to a
//! depth of [`MAX_DEPTH`], never recursively. Class-initialization checks stand in the bodies and come with them. Source
//! positions name an inline site, from which stack traces show the frames that are not there. Before a call is looked at,
//! `devirtualize` (if it is on) may make it a direct one: the operands of calls take the place of the parameters at
//! once, so what is known of them is known in the body.
//!
//! Cost model: the cost of a body is about the number of its machine instructions ([`cost`]). How much is allowed depends on what
//! is gained: a body that calls nothing saves most of what it costs, a call in a loop is worth more, and so is knowing an argument
//! that the body dispatches on, tests, or only loads from and stores into ([`Inliner::gain`]).
//!
//! Not inlined: bodies with filters, dynamic stack allocation, variable arguments or tail calls; calls in cold blocks or on the
//! way to a `throw`; bodies that never return, like those of throw helpers. Behind the call of such a method the block ends in a
//! `trap` that is never reached, so that what the helper guards against is known not to hold where control goes on. Linear in the size of the result. Adds blocks, so everything
//! computed about the function must be computed anew.

mod copy;
mod cost;

use super::body_cache::Body;
use super::devirtualize::{Delegates, fold_lookup, make_direct};
use super::known_class::{ClassSource, Local};
use super::remarks::{Subject, Verdict};
use super::table::PassId;
use super::{InlineHint, PassContext};
use crate::abi::trap::TrapKind;
use crate::analysis::{Cfg, Dominators, Loops};
use crate::ir::{Block, CallInfo, Function, Imm, Inst, InstData, Op, SourceLoc, Type, Value};
use crate::types::MethodId;
use cost::{block_cost, own_block_cost, throws};
use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;

pub(super) use cost::ParamUse;

/// Deepest chain of inlined calls.
const MAX_DEPTH: usize = 10;
/// Largest IL of a method inlined because it is small.
const SMALL_IL: u32 = 100;
/// The same when the call stands in a loop.
const LOOP_IL: u32 = 150;
/// Largest cost of such a method if it calls others: then not much more than the call itself is saved.
const SMALL_COST: u32 = 16;
/// Largest cost of such a method if it calls nothing.
const LEAF_COST: u32 = 40;
/// Largest cost of such a method when the call stands in a loop.
const LOOP_COST: u32 = 50;
/// Largest IL of a method inlined because its author wants it.
const WANTED_IL: u32 = 400;
/// Largest cost of such a method.
const WANTED_COST: u32 = 300;
/// A function may grow to this multiple of its cost plus [`MIN_BUDGET`].
const GROWTH: u32 = 4;
/// What even the smallest function may grow by.
const MIN_BUDGET: u32 = 200;
/// How many times more a body may cost because of what is known of the arguments.
const MAX_GAIN: u32 = 3;
/// Longest chain of throw helpers that call each other.
const MAX_HELPERS: u32 = 3;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    if !has_calls(f) {
        return false;
    }
    let sum = |cost: fn(&Function, Block) -> u32| f.layout.iter().map(|&b| cost(f, b)).sum::<u32>();
    let (all, own) = (sum(block_cost), sum(own_block_cost));
    let mut delegates = Delegates::default();
    for &i in f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts) {
        delegates.see(f, i);
    }
    // What an earlier run of the pass has inserted counts as growth.
    let most = own.saturating_mul(GROWTH).saturating_add(MIN_BUDGET);
    let mut inliner = Inliner {
        cx,
        in_loop: blocks_in_loops(f),
        next: Chain::new(f),
        budget: most.saturating_sub(all.max(own)),
        delegates,
        devirtualize: cx.passes.contains(PassId::Devirtualize),
        ended: false,
    };
    let mut changed = false;
    let mut at = f.layout.first().copied();
    while let Some(block) = at {
        changed |= inliner.visit(f, block);
        at = inliner.next.after(block);
    }
    if changed {
        f.layout = inliner.next.layout(f.layout[0]);
        f.resolve_aliases();
    }
    if inliner.ended {
        super::simplify_cfg::remove_unreachable(f);
    }
    changed
}

/// By block: it stands in a loop.
fn blocks_in_loops(f: &Function) -> Vec<bool> {
    let cfg = Cfg::new(f);
    let loops = Loops::new(&cfg, &Dominators::new(&cfg));
    let all = 0..f.blocks.len() as u32;
    all.map(|b| loops.depth(Block(b)) > 0).collect()
}

fn has_calls(f: &Function) -> bool {
    let mut insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    insts.any(|i| is_call(f.insts[i.index()].op))
}

fn is_call(op: Op) -> bool {
    use Op::{Call, CallDelegate, CallIndirect, CallInterface, CallVirtual};
    matches!(
        op,
        Call | CallVirtual | CallInterface | CallDelegate | CallIndirect
    )
}

/// The layout as a linked list, so that blocks can be put behind others.
struct Chain(Vec<Option<Block>>);

impl Chain {
    fn new(f: &Function) -> Chain {
        let mut next = vec![None; f.blocks.len()];
        for pair in f.layout.windows(2) {
            next[pair[0].index()] = Some(pair[1]);
        }
        Chain(next)
    }

    fn after(&self, b: Block) -> Option<Block> {
        self.0.get(b.index()).copied().flatten()
    }

    fn insert_after(&mut self, b: Block, new: Block) {
        let rest = self.after(b);
        self.0.resize(self.0.len().max(new.index() + 1), None);
        self.0[new.index()] = rest;
        self.0[b.index()] = Some(new);
    }

    fn layout(&self, first: Block) -> Vec<Block> {
        std::iter::successors(Some(first), |&b| self.after(b)).collect()
    }
}

/// Why a call is not replaced by the body.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    Forbidden,
    Budget,
    Recursive,
    TooDeep,
    Unfit,
    NeverReturns,
    TooMuchIl(u32, u32),
    TooLarge(u32, u32),
    Signature,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Refusal::Forbidden => "declared so, or no IL",
            Refusal::Budget => "the caller has grown enough",
            Refusal::Recursive => "recursive",
            Refusal::TooDeep => "too many calls around it were inlined",
            Refusal::TooMuchIl(il, max) => {
                return write!(f, "too large ({il} bytes of IL, here at most {max})");
            }
            Refusal::Unfit => "a body that must have a frame of its own",
            Refusal::NeverReturns => "it never returns",
            Refusal::TooLarge(cost, max) => {
                return write!(f, "too large ({cost}, here at most {max})");
            }
            Refusal::Signature => "called with another signature",
        };
        f.write_str(text)
    }
}

struct Inliner<'a> {
    cx: &'a PassContext<'a>,
    /// By block: it stands in a loop.
    in_loop: Vec<bool>,
    next: Chain,
    budget: u32,
    delegates: Delegates,
    devirtualize: bool,
    /// Blocks have lost what followed the call of a method that never returns.
    ended: bool,
}

impl Inliner<'_> {
    /// Looks at the instructions of a block up to the first call that is inlined. What follows that call, and the body, are in
    /// the blocks behind.
    fn visit(&mut self, f: &mut Function, block: Block) -> bool {
        if f.blocks[block.index()].cold || throws(f, block) {
            self.refuse_all(f, block);
            return false;
        }
        let mut changed = false;
        let mut at = 0;
        while at < f.blocks[block.index()].insts.len() {
            let inst = f.blocks[block.index()].insts[at];
            at += self.make_direct(f, block, at, inst, &mut changed);
            let data = &f.insts[inst.index()];
            if let (Op::Call, Imm::Call(info), loc) = (data.op, data.imm, data.loc)
                && let Some(method) = info.method
            {
                match self.body_for(f, block, method, inst, info) {
                    Ok(body) => {
                        self.say(f, loc, method, || Verdict::done("inlined"));
                        self.insert(f, block, at, method, &body);
                        return true;
                    }
                    Err(why) => self.say(f, loc, method, || {
                        Verdict::missed(format!("not inlined: {why}"))
                    }),
                }
                if self.never_returns(method, MAX_HELPERS) {
                    self.end(f, block, at);
                    return true;
                }
            }
            at += 1;
        }
        changed
    }

    /// Says of the calls of a block that is seldom reached that they stay.
    fn refuse_all(&self, f: &Function, block: Block) {
        if self.cx.remarks.is_none() {
            return;
        }
        for i in &f.blocks[block.index()].insts {
            let data = &f.insts[i.index()];
            if let (
                Op::Call,
                Imm::Call(CallInfo {
                    method: Some(method),
                    ..
                }),
            ) = (data.op, data.imm)
            {
                self.say(f, data.loc, method, || {
                    Verdict::missed("not inlined: seldom reached")
                });
            }
        }
    }

    /// Makes an indirect call direct, or a lookup constant, where possible. Tells how many instructions were put in front.
    fn make_direct(
        &mut self,
        f: &mut Function,
        block: Block,
        at: usize,
        inst: Inst,
        changed: &mut bool,
    ) -> usize {
        if !self.devirtualize {
            return 0;
        }
        let mut before = Vec::new();
        match f.insts[inst.index()].op {
            Op::GenericLookup => *changed |= fold_lookup(f, self.cx, &Local, inst),
            op if is_call(op) && op != Op::Call => {
                *changed |= make_direct(f, self.cx, &Local, &self.delegates, inst, &mut before);
            }
            _ => self.delegates.see(f, inst),
        }
        let count = before.len();
        f.blocks[block.index()].insts.splice(at..at, before);
        count
    }

    fn insert(&mut self, f: &mut Function, block: Block, at: usize, method: MethodId, body: &Body) {
        let around = self.in_loop[block.index()];
        let new = copy::insert(f, block, at, method, &body.function);
        self.in_loop.resize(f.blocks.len(), around);
        let mut last = block;
        for (n, &b) in new.iter().enumerate() {
            let copied = body.function.layout.get(n);
            let inside = copied.is_some_and(|c| body.in_loop[c.index()]);
            self.in_loop[b.index()] = around || inside;
            self.next.insert_after(last, b);
            last = b;
        }
    }

    fn say(
        &self,
        f: &Function,
        loc: SourceLoc,
        method: MethodId,
        verdict: impl FnOnce() -> Verdict,
    ) {
        let of_method = || verdict().of_method(Some(method));
        self.cx.remark("inline", Subject::Call, f, loc, of_method);
    }

    /// The body to insert for a call, with its cost taken from the budget; or why there is none.
    fn body_for(
        &mut self,
        f: &Function,
        block: Block,
        method: MethodId,
        call: Inst,
        info: CallInfo,
    ) -> Result<Arc<Body>, Refusal> {
        let hint = self.cx.oracle.inline_hint(method);
        let max_il = match hint {
            InlineHint::Never => return Err(Refusal::Forbidden),
            InlineHint::Small if self.in_loop[block.index()] => LOOP_IL,
            InlineHint::Small => SMALL_IL,
            InlineHint::Wanted => WANTED_IL,
        };
        if self.budget == 0 {
            return Err(Refusal::Budget);
        }
        let data = &f.insts[call.index()];
        chain_allows(f, data.loc, method)?;
        let max_il = match data.args.iter().any(|&v| is_frame_or_new(f, v)) {
            true => max_il.max(WANTED_IL),
            false => max_il,
        };
        let il = self.cx.oracle.il_size(method);
        if il > max_il {
            return Err(Refusal::TooMuchIl(il, max_il));
        }
        let body = self.body(method, MAX_HELPERS).ok_or(Refusal::Unfit)?;
        if !body.returns {
            return Err(Refusal::NeverReturns);
        }
        let max_cost = match hint {
            InlineHint::Small => self.small_cost(f, block, data, &body),
            _ => WANTED_COST,
        };
        if body.cost > max_cost {
            return Err(Refusal::TooLarge(body.cost, max_cost));
        }
        if body.cost > self.budget {
            return Err(Refusal::Budget);
        }
        if body.function.sig != f.sigs[info.sig.index()] {
            return Err(Refusal::Signature);
        }
        self.budget -= body.cost;
        Ok(body)
    }

    /// Largest cost at which a body is worth inlining without being asked for.
    fn small_cost(&self, f: &Function, block: Block, call: &InstData, body: &Body) -> u32 {
        let in_loop = self.in_loop[block.index()];
        let plain = match (in_loop, body.is_leaf) {
            (true, _) => LOOP_COST,
            (false, true) => LEAF_COST,
            (false, false) => SMALL_COST,
        };
        if body.cost <= plain || body.cost > plain * MAX_GAIN {
            return plain;
        }
        plain * self.gain(f, call, body, in_loop).min(MAX_GAIN)
    }

    /// By how much the best-known argument makes the body worth more.
    fn gain(&self, f: &Function, call: &InstData, body: &Body, in_loop: bool) -> u32 {
        let mut gain = 1;
        for (&v, &uses) in call.args.iter().zip(&body.uses) {
            let v = f.resolve(v);
            if uses.contains(ParamUse::DISPATCH) {
                let class = Local.class_of(f, self.cx, v);
                if class.is_some_and(|c| c.exact) {
                    gain = MAX_GAIN;
                }
            }
            let def = f.def_inst(v).map(|i| f.insts[i.index()].op);
            let constant = matches!(def, Some(Op::Iconst | Op::Null));
            if constant && uses.contains(ParamUse::TEST) {
                gain = gain.max(2);
            }
            if is_frame_or_new(f, v) && uses.contains(ParamUse::MEMORY) {
                gain = gain.max(if in_loop { MAX_GAIN } else { 2 });
            }
        }
        gain
    }

    /// The body of a method, if that may stand elsewhere.
    fn body(&self, method: MethodId, helpers: u32) -> Option<Arc<Body>> {
        let make = || self.import(method, helpers);
        match self.cx.bodies {
            Some(cache) => cache.get(method, make),
            None => make(),
        }
    }

    /// The body of a method. Nothing depends on the call, so it may be kept.
    fn import(&self, method: MethodId, helpers: u32) -> Option<Arc<Body>> {
        let mut function = self.cx.oracle.body_for_inlining(method)?;
        super::intrinsics::run(&mut function, self.cx);
        if !cost::is_fit(&function) {
            return None;
        }
        let blocks = function.layout.iter();
        Some(Arc::new(Body {
            cost: blocks.map(|&b| block_cost(&function, b)).sum(),
            is_leaf: cost::is_leaf(&function),
            returns: cost::returns(&function) && !self.only_helps(&function, helpers),
            uses: cost::param_uses(&function),
            in_loop: blocks_in_loops(&function),
            function,
        }))
    }

    // ---- methods that never return

    /// The method is small and always throws, or does not end.
    fn never_returns(&self, method: MethodId, helpers: u32) -> bool {
        self.cx.oracle.il_size(method) <= SMALL_IL
            && self.body(method, helpers).is_some_and(|b| !b.returns)
    }

    /// The body is one block, in which a method is called that never returns.
    fn only_helps(&self, body: &Function, helpers: u32) -> bool {
        let [block] = *body.layout else {
            return false;
        };
        let insts = body.blocks[block.index()].insts.iter();
        let calls = insts.map(|i| &body.insts[i.index()]);
        let mut methods = calls.filter_map(|data| match (data.op, data.imm) {
            (Op::Call, Imm::Call(info)) => info.method,
            _ => None,
        });
        helpers > 0 && methods.any(|m| self.never_returns(m, helpers - 1))
    }

    /// Ends a block behind instruction number `at`.
    fn end(&mut self, f: &mut Function, block: Block, at: usize) {
        let call = f.blocks[block.index()].insts[at];
        let data = InstData {
            op: Op::Trap,
            ty: Type::I32,
            args: SmallVec::new(),
            imm: Imm::Trap(TrapKind::InvalidProgram),
            targets: SmallVec::new(),
            result: None,
            loc: f.insts[call.index()].loc,
        };
        let trap = f.make_inst(data, None);
        let data = &mut f.blocks[block.index()];
        data.insts.truncate(at + 1);
        data.insts.push(trap);
        data.cold = block != f.layout[0];
        self.ended = true;
    }
}

/// An address in the frame, or an object nobody may have seen yet: inserted bodies may make values of its parts.
fn is_frame_or_new(f: &Function, v: Value) -> bool {
    let def = f.def_inst(v).map(|i| f.insts[i.index()].op);
    matches!(def, Some(Op::SlotAddr | Op::NewObject))
}

/// The chain of inlined methods that `loc` stands in is short and does not contain `method`.
fn chain_allows(f: &Function, loc: SourceLoc, method: MethodId) -> Result<(), Refusal> {
    let mut site = loc.site;
    for _ in 0..MAX_DEPTH {
        if site == 0 {
            let recursive = f.method == Some(method);
            return if recursive {
                Err(Refusal::Recursive)
            } else {
                Ok(())
            };
        }
        let s = f.inline_sites[site as usize - 1];
        if s.method == method {
            return Err(Refusal::Recursive);
        }
        site = s.call.site;
    }
    Err(Refusal::TooDeep)
}
