//! `tail-recursion`: a function that calls itself and returns the result goes on at its start instead.
//!
//! ```text
//! block0(v0: i32, v1: i32):                  block2(v8: i32, v9: i32):
//!     ...                                        jump block0(v8, v9)
//! block1:                                    block0(v0: i32, v1: i32):
//!     v5 = isub.i32 v0, v4                       ...
//!     v6 = imul.i32 v1, v0                   block1:
//!     v7 = call method#1 sig0 v5, v6             v5 = isub.i32 v0, v4
//!     return v7                                  v6 = imul.i32 v1, v0
//!                                                poll
//!                                                jump block0(v5, v6)
//! ```
//! Calls that asked for it (`tail.`) always become jumps; others do if no slot of the frame has its address taken, so that
//! nobody can tell the frames apart. Slots that a call would find zeroed are zeroed again. A shared function goes on only with
//! its own generic context. Calls in protected regions stay.
//! Cost: linear. Needs promoted slots to be worth much; changes the control flow, makes a loop.

use super::PassContext;
use super::tail_calls::{Site, passes_frame, sites};
use crate::ir::{
    Block, Function, Imm, Inst, InstData, Op, Slot, SourceLoc, Target, Type, Value, typing,
};
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    if f.blocks[f.entry().index()].region.is_some() {
        return false;
    }
    let loops: Vec<Site> = sites(f).into_iter().filter(|s| is_own(f, s)).collect();
    if loops.is_empty() {
        return false;
    }
    let head = f.entry();
    new_entry(f, head);
    zero_again(f, head);
    for site in loops {
        go_on(f, site, head);
    }
    true
}

/// The call is of the function itself, with arguments that outlive the frame.
fn is_own(f: &Function, site: &Site) -> bool {
    let data = &f.insts[site.call.index()];
    let (Op::Call, Imm::Call(info)) = (data.op, data.imm) else {
        return false;
    };
    let own = info.method.is_some() && info.method == f.method;
    own && f.sigs[info.sig.index()] == f.sig
        && (!f.sig.context || data.args.last().is_some_and(|v| is_own_context(f, *v)))
        && (info.tail || !takes_addresses(f))
        && !passes_frame(f, data)
}

fn is_own_context(f: &Function, v: Value) -> bool {
    f.def_inst(v)
        .is_some_and(|i| f.insts[i.index()].op == Op::ContextArg)
}

fn takes_addresses(f: &Function) -> bool {
    instructions(f).any(|d| d.op == Op::SlotAddr)
}

fn instructions(f: &Function) -> impl Iterator<Item = &InstData> {
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    insts.map(|i| &f.insts[i.index()])
}

/// A block in front of the old entry, which keeps what only an entry may have.
fn new_entry(f: &mut Function, head: Block) {
    let entry = f.add_block();
    f.layout.pop();
    f.layout.insert(0, entry);
    let types: Vec<Type> = f.blocks[head.index()]
        .params
        .iter()
        .map(|v| f.ty(*v))
        .collect();
    let params: SmallVec<[Value; 2]> = types.iter().map(|ty| f.add_param(entry, *ty)).collect();
    let insts = std::mem::take(&mut f.blocks[head.index()].insts);
    let (kept, rest) = insts
        .into_iter()
        .partition(|i| f.insts[i.index()].op == Op::ContextArg);
    f.blocks[entry.index()].insts = kept;
    f.blocks[head.index()].insts = rest;
    let jump = jump_to(f, head, params, SourceLoc::default());
    f.blocks[entry.index()].insts.push(jump);
}

fn jump_to(f: &mut Function, block: Block, args: SmallVec<[Value; 2]>, loc: SourceLoc) -> Inst {
    let targets = SmallVec::from_iter([Target { block, args }]);
    make(f, Op::Jump, SmallVec::new(), Imm::None, targets, loc)
}

fn make(
    f: &mut Function,
    op: Op,
    args: SmallVec<[Value; 3]>,
    imm: Imm,
    targets: SmallVec<[Target; 2]>,
    loc: SourceLoc,
) -> Inst {
    let ty = typing::canonical_type(f, op, Type::I64, &imm);
    let result = typing::result_type(f, op, Type::I64, &imm);
    let data = InstData {
        op,
        ty,
        args,
        imm,
        targets,
        result: None,
        loc,
    };
    f.make_inst(data, result)
}

/// Zeroes the slots that every call finds zeroed.
fn zero_again(f: &mut Function, head: Block) {
    let mut used = vec![false; f.slots.len()];
    for data in instructions(f) {
        if let Imm::Slot(s, ..) = data.imm {
            used[s.index()] = true;
        }
    }
    let mut zeroing = Vec::new();
    for n in (0..f.slots.len()).filter(|n| used[*n]) {
        let (zeroed, size) = (f.slots[n].zeroed, f.slots[n].size);
        if !zeroed {
            continue;
        }
        f.slots[n].zeroed = false;
        let at = Imm::Slot(Slot(n as u32), 0, crate::ir::MemType::I64);
        let none = SmallVec::new;
        let loc = SourceLoc::default();
        let address = make(f, Op::SlotAddr, SmallVec::new(), at, none(), loc);
        let value = f.insts[address.index()].result;
        let args = value.into_iter().collect();
        let size = Imm::Size(size, 0);
        zeroing.extend([address, make(f, Op::ZeroBlock, args, size, none(), loc)]);
    }
    f.blocks[head.index()].insts.splice(0..0, zeroing);
}

/// The call and the return become a jump.
fn go_on(f: &mut Function, site: Site, head: Block) {
    let data = f.insts[site.call.index()].clone();
    let count = f.sig.params.len();
    let args = data
        .args
        .iter()
        .take(count)
        .map(|v| f.resolve(*v))
        .collect();
    let poll = make(
        f,
        Op::Poll,
        SmallVec::new(),
        Imm::None,
        SmallVec::new(),
        data.loc,
    );
    let jump = jump_to(f, head, args, data.loc);
    let insts = &mut f.blocks[site.block.index()].insts;
    insts.truncate(insts.len() - 2);
    insts.extend([poll, jump]);
}
