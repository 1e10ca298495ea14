//! Inserting a body: blocks, values, slots, exception regions, inline sites.

use crate::ir::{
    Block, Function, Imm, InlineSite, Inst, InstData, MemType, Op, Region, RegionData, RegionKind,
    Slot, SlotData, SourceLoc, Target, Type, Value, ValueDef,
};
use crate::types::MethodId;
use smallvec::SmallVec;

/// Puts a body in the place of instruction number `at`, a call, of a block. Gives the blocks behind `block` in their order, the
/// last of which has what followed the call.
pub fn insert(
    f: &mut Function,
    block: Block,
    at: usize,
    method: MethodId,
    body: &Function,
) -> Vec<Block> {
    let call = f.blocks[block.index()].insts[at];
    let returns = body.layout.iter().filter(|&&b| is_return(body, b)).count();
    let rest = split_after_call(f, block, at, returns == 1);
    let mut copy = Copy::new(f, body, call, method, block, rest);
    copy.blocks();
    let Copy { block_map, .. } = copy;
    let mapped = |b: &Block| block_map[b.index()].expect("all blocks of the layout are mapped");
    let mut all: Vec<Block> = body.layout.iter().map(mapped).collect();
    let loc = f.insts[call.index()].loc;
    let args = match entry_is_header(body) {
        true => arguments(f, block, call, body),
        false => SmallVec::new(),
    };
    let targets = SmallVec::from_iter([Target {
        block: all[0],
        args,
    }]);
    push(f, block, Op::Jump, Type::I32, &[], Imm::None, targets, loc);
    all.push(rest);
    all
}

fn is_return(f: &Function, b: Block) -> bool {
    f.insts[f.terminator(b).index()].op == Op::Return
}

/// Branches lead back to the entry, so that its parameters are variables.
fn entry_is_header(body: &Function) -> bool {
    let mut succs = body.layout.iter().flat_map(|&b| body.succs(b));
    succs.any(|b| b == body.entry())
}

/// Moves what follows the call into a new block, whose parameter becomes the call's result. The call is taken out.
/// With `one_return` the result gets its value when the return is copied.
fn split_after_call(f: &mut Function, block: Block, at: usize, one_return: bool) -> Block {
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
    if let (Some(result), false) = (f.insts[call.index()].result, one_return) {
        let param = f.add_param(rest, f.ty(result));
        f.replace(result, param);
    }
    rest
}

/// The operands of the call, with the types of the body's parameters.
fn arguments(f: &mut Function, block: Block, call: Inst, body: &Function) -> SmallVec<[Value; 2]> {
    let loc = f.insts[call.index()].loc;
    let params = body.sig.params.iter().enumerate();
    let mut args = SmallVec::new();
    for (n, &ty) in params {
        let v = f.resolve(f.insts[call.index()].args[n]);
        args.push(cast(f, block, v, ty, loc));
    }
    args
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
    /// The call's result, if the one return of the body gives it.
    result: Option<Value>,
    /// Where the exception regions of the body begin in the function.
    regions: u32,
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
        let regions = f.regions.len() as u32;
        let slots = body.slots.iter().map(|s| {
            f.add_slot(SlotData {
                zeroed: false,
                eh: s.eh.map(|r| Region(regions + r.0)),
                ..s.clone()
            })
        });
        let slots = slots.collect();
        let returned = match f.blocks[rest.index()].params.is_empty() {
            true => f.insts[call.index()].result,
            false => None,
        };
        let mut copy = Copy {
            rest,
            result: returned,
            regions,
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
        if !entry_is_header(body) {
            let args = arguments(copy.f, block, call, body);
            let params = &body.blocks[body.entry().index()].params;
            for (p, v) in params.iter().zip(args) {
                let p = copy.values[p.index()];
                copy.f.values[p.index()].def = ValueDef::Alias(v);
            }
        }
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
            data.region = match self.body.blocks[b.index()].region {
                Some(r) => Some(Region(self.regions + r.0)),
                None => region,
            };
            data.cold = cold || self.body.blocks[b.index()].cold;
            self.block_map[b.index()] = Some(new);
        }
        self.declare_regions(region);
        for v in &self.body.values {
            let new = self.f.make_value(v.ty, ValueDef::Param(around, u32::MAX));
            self.values.push(new);
        }
    }

    /// The body's regions stand in the one that the call stands in.
    fn declare_regions(&mut self, around: Option<Region>) {
        for r in &self.body.regions {
            // A region whose handler is not in the layout has no blocks either.
            let handler = self.block_map[r.handler.index()].unwrap_or(self.rest);
            self.f.regions.push(RegionData {
                parent: match r.parent {
                    Some(p) => Some(Region(self.regions + p.0)),
                    None => around,
                },
                kind: match r.kind {
                    RegionKind::Catch(ty) => RegionKind::Catch(ty),
                    _ => RegionKind::Fault,
                },
                handler,
                eh_slot: self.slots[r.eh_slot.index()],
            });
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
            let given = n == 0 && !entry_is_header(self.body);
            let params = self.body.blocks[b.index()].params.iter().enumerate();
            for (k, &p) in params.filter(|_| !given) {
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
        } else if let (Some(result), Some(&v)) = (self.result, data.args.first()) {
            let (v, ty) = (self.value(v), self.f.ty(result));
            let v = cast(self.f, block, v, ty, loc);
            self.f.replace(result, v);
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
            Imm::Region(r) => Imm::Region(Region(self.regions + r.0)),
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
