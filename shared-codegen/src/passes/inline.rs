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
//! positions name an inline site, from which stack traces show the frames that are not there.
//!
//! A body that calls others must be smaller than one that does not: it saves less, and most of what is inlined runs seldom.
//! Not inlined: bodies with exception regions, dynamic stack allocation, variable arguments or tail calls; bodies that never
//! return; calls in cold blocks or on the way to a `throw`. Linear in the size of the result. Adds blocks, so everything
//! computed about the function must be computed anew.

use super::body_cache::Body;
use super::remarks::{Subject, Verdict};
use super::{InlineHint, PassContext};
use crate::analysis::{Cfg, Dominators, Loops};
use crate::ir::{
    Block, CallInfo, Function, Imm, InlineSite, Inst, InstData, MemType, Op, Slot, SlotData,
    SourceLoc, Target, Type, Value, ValueDef,
};
use crate::types::MethodId;
use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;

/// Deepest chain of inlined calls.
const MAX_DEPTH: usize = 8;
/// Largest IL of a method inlined because it is small.
const SMALL_IL: u32 = 100;
/// Largest cost of such a method if it calls others: then not much more than the call itself is saved.
const SMALL_COST: u32 = 16;
/// Largest cost of such a method if it calls nothing.
const LEAF_COST: u32 = 40;
/// Largest cost of such a method when the call stands in a loop.
const LOOP_COST: u32 = 70;
/// Largest IL of a method inlined because its author wants it.
const WANTED_IL: u32 = 400;
/// Largest cost of such a method.
const WANTED_COST: u32 = 300;
/// A function may grow to this multiple of its cost plus [`MIN_BUDGET`].
const GROWTH: u32 = 4;
/// What even the smallest function may grow by.
const MIN_BUDGET: u32 = 200;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    let own = f.layout.iter().map(|&b| block_cost(f, b)).sum::<u32>();
    let cfg = Cfg::new(f);
    let loops = Loops::new(&cfg, &Dominators::new(&cfg));
    let mut inliner = Inliner {
        cx,
        in_loop: (0..f.blocks.len() as u32)
            .map(|b| loops.depth(Block(b)) > 0)
            .collect(),
        next: Chain::new(f),
        budget: own.saturating_mul(GROWTH - 1).saturating_add(MIN_BUDGET),
    };
    let mut changed = false;
    let mut at = f.layout.first().copied();
    while let Some(block) = at {
        changed |= inliner.inline_first(f, block);
        at = inliner.next.after(block);
    }
    if changed {
        f.layout = inliner.next.layout(f.layout[0]);
        f.resolve_aliases();
    }
    changed
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
            Refusal::Unfit => "too much IL, or a body that must have a frame of its own",
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
}

impl Inliner<'_> {
    /// Inlines the first fit call of a block. What follows the call, and the body, are in the blocks behind.
    fn inline_first(&mut self, f: &mut Function, block: Block) -> bool {
        let data = &f.blocks[block.index()];
        let throws = matches!(
            f.insts[f.terminator(block).index()].op,
            Op::Throw | Op::Trap
        );
        if data.cold || throws {
            return false;
        }
        for at in 0..data.insts.len() {
            let inst = f.blocks[block.index()].insts[at];
            let data = &f.insts[inst.index()];
            let (Op::Call, Imm::Call(info)) = (data.op, data.imm) else {
                continue;
            };
            let Some(method) = info.method else { continue };
            let loc = data.loc;
            match self.body_for(f, block, method, (info, loc)) {
                Ok(body) => {
                    self.say(f, loc, method, || Verdict::done("inlined"));
                    self.insert(f, block, at, method, &body.function);
                    return true;
                }
                Err(why) => {
                    self.say(f, loc, method, || {
                        Verdict::missed(format!("not inlined: {why}"))
                    });
                }
            }
        }
        false
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
        call: (CallInfo, SourceLoc),
    ) -> Result<Arc<Body>, Refusal> {
        let (info, loc) = call;
        let hint = self.cx.oracle.inline_hint(method);
        let (max_il, max_cost) = match hint {
            InlineHint::Never => return Err(Refusal::Forbidden),
            InlineHint::Small if self.in_loop[block.index()] => (SMALL_IL, LOOP_COST),
            InlineHint::Small => (SMALL_IL, SMALL_COST),
            InlineHint::Wanted => (WANTED_IL, WANTED_COST),
        };
        if self.budget == 0 {
            return Err(Refusal::Budget);
        }
        chain_allows(f, loc, method)?;
        let make = || self.import(method, max_il);
        let body = match self.cx.bodies {
            Some(cache) => cache.get(method, make),
            None => make(),
        };
        let body = body.ok_or(Refusal::Unfit)?;
        let max_cost = match hint {
            InlineHint::Small if body.is_leaf => max_cost.max(LEAF_COST),
            _ => max_cost,
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

    /// The body of a method. How much IL it may have depends on the method only, so it may be kept.
    fn import(&self, method: MethodId, max_il: u32) -> Option<Arc<Body>> {
        let mut function = self.cx.oracle.body_for_inlining(method, max_il)?;
        super::intrinsics::run(&mut function, self.cx);
        if !is_fit(&function) {
            return None;
        }
        let blocks = function.layout.iter();
        Some(Arc::new(Body {
            cost: blocks.map(|&b| block_cost(&function, b)).sum(),
            is_leaf: is_leaf(&function),
            function,
        }))
    }

    /// Splits `block` at instruction number `at`, a call, and puts the body in between.
    fn insert(
        &mut self,
        f: &mut Function,
        block: Block,
        at: usize,
        method: MethodId,
        body: &Function,
    ) {
        let call = f.blocks[block.index()].insts[at];
        let rest = split_after_call(f, block, at);
        let mut copy = Copy::new(f, body, call, method, block, rest);
        copy.blocks();
        let Copy { block_map, .. } = copy;
        let entry = block_map[body.entry().index()].expect("the entry is in the layout");
        enter(f, block, call, entry, body);
        let mut last = block;
        for b in &body.layout {
            let new = block_map[b.index()].expect("all blocks of the layout are mapped");
            self.next.insert_after(last, new);
            last = new;
        }
        self.next.insert_after(last, rest);
        let in_loop = self.in_loop[block.index()];
        self.in_loop.resize(f.blocks.len(), in_loop);
    }
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

/// The body has nothing that cannot stand in another frame, and returns.
fn is_fit(body: &Function) -> bool {
    let mut returns = false;
    let blocks = body.layout.iter().map(|b| &body.blocks[b.index()]);
    for &i in blocks.flat_map(|b| &b.insts) {
        match body.insts[i.index()].op {
            Op::LocAlloc
            | Op::TailCall
            | Op::TailCallIndirect
            | Op::CatchObject
            | Op::EndFilter => {
                return false;
            }
            Op::Return => returns = true,
            _ => {}
        }
    }
    returns && body.regions.is_empty()
}

/// The body calls nothing, unless on the way to a `throw`.
fn is_leaf(body: &Function) -> bool {
    let mut blocks = body.layout.iter();
    blocks.all(|&b| {
        let throws = matches!(
            body.insts[body.terminator(b).index()].op,
            Op::Throw | Op::Trap
        );
        let insts = &body.blocks[b.index()].insts;
        throws
            || insts
                .iter()
                .all(|i| op_cost(body.insts[i.index()].op) < CALL_COST)
    })
}

/// Cost of a block in units of about one machine instruction. Blocks that end in `throw` are moved out of the way.
fn block_cost(f: &Function, b: Block) -> u32 {
    let insts = &f.blocks[b.index()].insts;
    let ops = insts.iter().map(|i| f.insts[i.index()].op);
    let cost: u32 = ops.map(op_cost).sum();
    match insts.last().map(|i| f.insts[i.index()].op) {
        Some(Op::Throw | Op::Trap) => cost.div_ceil(4),
        _ => cost,
    }
}

/// Least cost of ops that call.
const CALL_COST: u32 = 4;

fn op_cost(op: Op) -> u32 {
    match op {
        Op::Iconst | Op::Fconst | Op::Null | Op::Jump | Op::Return | Op::Poll => 0,
        Op::NullCheck | Op::AddrCast | Op::ContextArg | Op::SlotAddr | Op::KeepAlive => 0,
        Op::Call | Op::CallInternal | Op::CallHelper | Op::CallIndirect => CALL_COST,
        Op::CallVirtual | Op::CallInterface | Op::CallDelegate | Op::CallNative => 6,
        Op::NewObject | Op::NewArray | Op::CastClass | Op::IsInst | Op::ClassInit => 5,
        Op::ThreadStatics | Op::GenericLookup | Op::ArrayStoreCheck | Op::Unbox => 5,
        Op::Switch => 6,
        _ => 1,
    }
}

/// Moves what follows the call into a new block, whose parameter becomes the call's result. The call is taken out.
fn split_after_call(f: &mut Function, block: Block, at: usize) -> Block {
    let call = f.blocks[block.index()].insts[at];
    let rest = f.add_block();
    f.layout.pop();
    let (region, cold) = (f.blocks[block.index()].region, f.blocks[block.index()].cold);
    let tail = f.blocks[block.index()].insts.split_off(at + 1);
    // Each part of a long block keeping room for all the others would be quadratic.
    f.blocks[block.index()].insts.shrink_to_fit();
    f.blocks[block.index()].insts.pop();
    let data = &mut f.blocks[rest.index()];
    (data.insts, data.region, data.cold) = (tail, region, cold);
    if let Some(result) = f.insts[call.index()].result {
        let param = f.add_param(rest, f.ty(result));
        f.replace(result, param);
    }
    rest
}

/// Ends `block` with a jump to the entry of the inserted body, the call's operands as arguments.
fn enter(f: &mut Function, block: Block, call: Inst, entry: Block, body: &Function) {
    let loc = f.insts[call.index()].loc;
    let count = body.sig.params.len();
    let mut args: SmallVec<[Value; 2]> = SmallVec::new();
    for n in 0..count {
        let v = f.resolve(f.insts[call.index()].args[n]);
        args.push(cast(f, block, v, body.sig.params[n], loc));
    }
    let targets = SmallVec::from_iter([Target { block: entry, args }]);
    push(f, block, Op::Jump, Type::I32, &[], Imm::None, targets, loc);
}

/// Gives a word another word type.
fn cast(f: &mut Function, block: Block, v: Value, ty: Type, loc: SourceLoc) -> Value {
    if f.ty(v) == ty {
        return v;
    }
    let inst = push(
        f,
        block,
        Op::AddrCast,
        ty,
        &[v],
        Imm::None,
        SmallVec::new(),
        loc,
    );
    f.insts[inst.index()]
        .result
        .expect("addr_cast has a result")
}

#[expect(clippy::too_many_arguments, reason = "the parts of an instruction")]
fn push(
    f: &mut Function,
    block: Block,
    op: Op,
    ty: Type,
    args: &[Value],
    imm: Imm,
    targets: SmallVec<[Target; 2]>,
    loc: SourceLoc,
) -> Inst {
    let result = crate::ir::typing::result_type(f, op, ty, &imm);
    let data = InstData {
        op,
        ty: crate::ir::typing::canonical_type(f, op, ty, &imm),
        args: SmallVec::from_slice(args),
        imm,
        targets,
        result: None,
        loc,
    };
    let inst = f.make_inst(data, result);
    f.blocks[block.index()].insts.push(inst);
    inst
}

/// A body being copied into a function.
struct Copy<'f> {
    f: &'f mut Function,
    body: &'f Function,
    /// Block that returns go to.
    rest: Block,
    /// Inline site of the body's own code.
    site: u32,
    /// Where the sites of the body begin in the function.
    sites: u32,
    /// Context the call passes.
    context: Option<Value>,
    /// The call asked to replace the frame, so calls of the body that do the same still may.
    tail: bool,
    call_loc: SourceLoc,
    slots: Vec<Slot>,
    block_map: Vec<Option<Block>>,
    values: Vec<Value>,
}

impl<'f> Copy<'f> {
    fn new(
        f: &'f mut Function,
        body: &'f Function,
        call: Inst,
        method: MethodId,
        block: Block,
        rest: Block,
    ) -> Copy<'f> {
        let call_loc = f.insts[call.index()].loc;
        f.inline_sites.push(InlineSite {
            method,
            call: call_loc,
        });
        let site = f.inline_sites.len() as u32;
        let context = body
            .sig
            .context
            .then(|| f.insts[call.index()].args.last().copied());
        let slots = body.slots.iter().map(|s| {
            f.add_slot(SlotData {
                zeroed: false,
                ..s.clone()
            })
        });
        let slots = slots.collect();
        let mut copy = Copy {
            rest,
            site,
            sites: site,
            context: context.flatten(),
            tail: matches!(f.insts[call.index()].imm, Imm::Call(info) if info.tail),
            call_loc,
            slots,
            block_map: vec![None; body.blocks.len()],
            values: Vec::new(),
            f,
            body,
        };
        copy.declare(block);
        copy
    }

    /// Makes sites, blocks and values, so that forward references can be mapped.
    fn declare(&mut self, around: Block) {
        for s in &self.body.inline_sites {
            let call = self.loc(s.call);
            self.f.inline_sites.push(InlineSite {
                method: s.method,
                call,
            });
        }
        let (region, cold) = {
            let b = &self.f.blocks[around.index()];
            (b.region, b.cold)
        };
        for &b in &self.body.layout {
            let new = self.f.add_block();
            self.f.layout.pop();
            let data = &mut self.f.blocks[new.index()];
            data.region = region;
            data.cold = cold || self.body.blocks[b.index()].cold;
            self.block_map[b.index()] = Some(new);
        }
        for v in &self.body.values {
            let new = self.f.make_value(v.ty, ValueDef::Param(around, u32::MAX));
            self.values.push(new);
        }
    }

    fn loc(&self, loc: SourceLoc) -> SourceLoc {
        let site = match loc.site {
            0 => self.site,
            n => self.sites + n,
        };
        SourceLoc { il: loc.il, site }
    }

    fn value(&self, v: Value) -> Value {
        let v = self.values[self.body.resolve(v).index()];
        self.f.resolve(v)
    }

    fn blocks(&mut self) {
        for (n, &b) in self.body.layout.iter().enumerate() {
            let new = self.block_map[b.index()].expect("declared");
            for (k, &p) in self.body.blocks[b.index()].params.iter().enumerate() {
                let v = self.values[p.index()];
                self.f.values[v.index()].def = ValueDef::Param(new, k as u32);
                self.f.blocks[new.index()].params.push(v);
            }
            if n == 0 {
                self.zero_slots(new);
            }
            for &i in &self.body.blocks[b.index()].insts {
                self.inst(new, i, n == 0);
            }
        }
    }

    /// Slots that the frame would zero once are zeroed at each entry of the body.
    fn zero_slots(&mut self, block: Block) {
        let loc = SourceLoc {
            il: 0,
            site: self.site,
        };
        for (n, s) in self.body.slots.iter().enumerate().filter(|(_, s)| s.zeroed) {
            let imm = Imm::Slot(self.slots[n], 0, MemType::I64);
            let none = SmallVec::new();
            let addr = push(self.f, block, Op::SlotAddr, Type::I64, &[], imm, none, loc);
            let addr = self.f.insts[addr.index()]
                .result
                .expect("slot_addr has a result");
            let imm = Imm::Size(s.size, 0);
            let none = SmallVec::new();
            push(
                self.f,
                block,
                Op::ZeroBlock,
                Type::I32,
                &[addr],
                imm,
                none,
                loc,
            );
        }
    }

    fn inst(&mut self, block: Block, inst: Inst, in_entry: bool) {
        let data = &self.body.insts[inst.index()];
        match data.op {
            // The caller polls.
            Op::Poll if in_entry => return,
            Op::Return => return self.leave(block, data),
            Op::ContextArg => {
                let (old, new) = (data.result, self.context);
                if let (Some(old), Some(new)) = (old, new) {
                    let old = self.values[old.index()];
                    let new = self.f.resolve(new);
                    let new = cast(self.f, block, new, Type::I64, self.call_loc);
                    self.f.values[old.index()].def = ValueDef::Alias(new);
                }
                return;
            }
            _ => {}
        }
        let mut new = data.clone();
        new.loc = self.loc(data.loc);
        new.imm = self.imm(data.imm);
        for v in new.operands_mut() {
            *v = self.value(*v);
        }
        for t in &mut new.targets {
            t.block = self.block_map[t.block.index()].expect("targets are in the layout");
        }
        new.result = data.result.map(|r| self.values[r.index()]);
        let i = self.f.make_inst(new, None);
        if let Some(r) = self.f.insts[i.index()].result {
            self.f.values[r.index()].def = ValueDef::Result(i);
        }
        self.f.blocks[block.index()].insts.push(i);
    }

    /// A return goes to the block behind the call, with the result if the call has one.
    fn leave(&mut self, block: Block, data: &InstData) {
        let loc = self.loc(data.loc);
        let param = self.f.blocks[self.rest.index()].params.first().copied();
        let mut args: SmallVec<[Value; 2]> = SmallVec::new();
        if let (Some(param), Some(&v)) = (param, data.args.first()) {
            let (v, ty) = (self.value(v), self.f.ty(param));
            args.push(cast(self.f, block, v, ty, loc));
        }
        let targets = SmallVec::from_iter([Target {
            block: self.rest,
            args,
        }]);
        push(
            self.f,
            block,
            Op::Jump,
            Type::I32,
            &[],
            Imm::None,
            targets,
            loc,
        );
    }

    fn imm(&mut self, imm: Imm) -> Imm {
        match imm {
            Imm::Slot(s, offset, ty) => Imm::Slot(self.slots[s.index()], offset, ty),
            Imm::Lookup(l) => {
                let lookup = self.body.lookups[l.index()];
                Imm::Lookup(self.f.add_lookup(lookup))
            }
            Imm::Call(mut info) => {
                let sig = self.body.sigs[info.sig.index()].clone();
                info.sig = self.f.add_sig(sig);
                info.tail &= self.tail;
                Imm::Call(info)
            }
            other => other,
        }
    }
}
