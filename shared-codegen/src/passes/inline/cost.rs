//! What inlining costs, what it saves, and which bodies cannot be inlined.

use crate::ir::{Block, Function, Imm, InstData, Op, RegionKind, Type, ValueDef};

bitflags::bitflags! {
    /// What a body does with a parameter, as far as knowing the argument makes the body smaller or faster.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct ParamUse: u8 {
        /// A virtual, interface or delegate call on it.
        const DISPATCH = 1;
        /// It decides a branch or is compared.
        const TEST = 2;
        /// A reference or address from which is only loaded, into which is only stored, or which is only null-checked: memory of
        /// the caller that nobody sees can be split into scalars.
        const MEMORY = 4;
    }
}

/// The body has nothing that cannot stand in another frame.
pub fn is_fit(body: &Function) -> bool {
    let blocks = body.layout.iter().map(|b| &body.blocks[b.index()]);
    for &i in blocks.flat_map(|b| &b.insts) {
        match body.insts[i.index()].op {
            Op::LocAlloc | Op::TailCall | Op::TailCallIndirect | Op::EndFilter => {
                return false;
            }
            _ => {}
        }
    }
    // The place of a generic catch clause's context belongs to the method; filters are functions of their own.
    let plain = |kind| matches!(kind, RegionKind::Catch(_) | RegionKind::Fault);
    body.regions.iter().all(|r| plain(r.kind))
}

/// The body has a return.
pub fn returns(body: &Function) -> bool {
    let mut ends = body.layout.iter().map(|&b| body.terminator(b));
    ends.any(|i| body.insts[i.index()].op == Op::Return)
}

/// The block ends by raising an exception.
pub fn throws(f: &Function, b: Block) -> bool {
    matches!(f.insts[f.terminator(b).index()].op, Op::Throw | Op::Trap)
}

/// The body calls nothing, unless on the way to a `throw`.
pub fn is_leaf(body: &Function) -> bool {
    let mut blocks = body.layout.iter();
    blocks.all(|&b| {
        let insts = &body.blocks[b.index()].insts;
        let calls = |i: &crate::ir::Inst| op_cost(body.insts[i.index()].op) >= CALL_COST;
        throws(body, b) || !insts.iter().any(calls)
    })
}

/// Cost of a block in units of about one machine instruction. Blocks that end in `throw` are moved out of the way.
pub fn block_cost(f: &Function, b: Block) -> u32 {
    let insts = &f.blocks[b.index()].insts;
    let ops = insts.iter().map(|i| f.insts[i.index()].op);
    let cost: u32 = ops.map(op_cost).sum();
    match throws(f, b) {
        true => cost.div_ceil(4),
        false => cost,
    }
}

/// Cost of a block without what was inlined into it.
pub fn own_block_cost(f: &Function, b: Block) -> u32 {
    let insts = &f.blocks[b.index()].insts;
    let own = insts.iter().map(|i| &f.insts[i.index()]);
    own.filter(|d| d.loc.site == 0).map(|d| op_cost(d.op)).sum()
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

/// What a body does with each of its parameters.
pub fn param_uses(body: &Function) -> Vec<ParamUse> {
    let entry = body.entry();
    let count = body.blocks[entry.index()].params.len();
    let mut uses = vec![ParamUse::MEMORY; count];
    for &b in &body.layout {
        for i in &body.blocks[b.index()].insts {
            let data = &body.insts[i.index()];
            for (n, v) in data.operands().enumerate() {
                let v = body.resolve(v);
                if let ValueDef::Param(of, k) = body.values[v.index()].def
                    && of == entry
                {
                    let is_pointer = matches!(body.ty(v), Type::Ref | Type::ByRef);
                    note(&mut uses[k as usize], data, n, is_pointer);
                }
            }
        }
    }
    uses
}

/// Takes notice of a use as operand number `n`.
fn note(to: &mut ParamUse, data: &InstData, n: usize, is_pointer: bool) {
    let memory = match data.op {
        Op::Load | Op::NullCheck | Op::MethodTableOf => true,
        Op::Store | Op::StoreRef => n == 0,
        Op::AddrAdd | Op::CopyBlock | Op::CopyStruct | Op::ZeroBlock => true,
        // The caller sees what becomes of it.
        Op::Return => true,
        _ => false,
    };
    if !memory || !is_pointer {
        to.remove(ParamUse::MEMORY);
    }
    match (data.op, data.imm) {
        (Op::CallVirtual | Op::CallDelegate, _) if n == 0 => to.insert(ParamUse::DISPATCH),
        (Op::CallInterface, _) if n == 1 => to.insert(ParamUse::DISPATCH),
        (Op::CastClass | Op::IsInst, _) => to.insert(ParamUse::DISPATCH),
        (Op::Icmp | Op::Brif | Op::Switch | Op::TrapIf, _) if n < data.args.len() => {
            to.insert(ParamUse::TEST);
        }
        (Op::Call, Imm::Call(_)) => {}
        _ => {}
    }
}
