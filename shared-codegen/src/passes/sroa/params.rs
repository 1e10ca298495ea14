//! Structs that are passed: copies of the callee's own, by address.

use crate::ir::{Function, Inst, MemType, Op, Slot, SlotData, SourceLoc, Type, Value};
use crate::passes::PassContext;
use crate::types::TypeId;

/// Most scalars of such a struct: all of them are loaded, needed or not.
const MAX_PASSED: usize = 4;

/// A struct that is passed, and the slot that stands for it while it is decided whether to split it.
pub(super) struct Param {
    /// Its address.
    pub address: Value,
    pub slot: Slot,
}

/// The small ones that something is still done with, with their slots, the last ones of the function.
pub(super) fn add_slots(f: &mut Function, cx: &PassContext) -> Vec<Param> {
    let Some(method) = f.method else {
        return Vec::new();
    };
    let passed = cx.oracle.struct_params(method);
    let mut params = Vec::new();
    for (n, ty) in passed {
        let Some(&address) = f.blocks[f.entry().index()].params.get(n) else {
            continue;
        };
        let Some(size) = size(cx, ty) else { continue };
        if f.ty(address) == Type::I64 && !is_loaded(f, address) {
            let data = SlotData {
                size,
                align: 8,
                ty: Some(ty),
                zeroed: false,
                eh: None,
            };
            let slot = f.add_slot(data);
            params.push(Param { address, slot });
        }
    }
    params
}

/// Where the last scalar ends; `None` if there are too many.
fn size(cx: &PassContext, ty: TypeId) -> Option<u32> {
    let scalars = cx.oracle.scalars(ty, MAX_PASSED)?;
    let (offset, last) = scalars.last()?;
    Some(offset + last.bytes())
}

/// The struct is loaded at the start of the function, nothing else.
fn is_loaded(f: &Function, address: Value) -> bool {
    f.layout.iter().all(|&b| {
        let mut insts = f.blocks[b.index()]
            .insts
            .iter()
            .map(|i| &f.insts[i.index()]);
        insts.all(|data| {
            let uses = data.operands().any(|v| f.resolve(v) == address);
            !uses || b == f.entry() && data.op == Op::Load
        })
    })
}

/// Loads what stands at an address into the slots of its scalars.
pub(super) fn load(
    f: &mut Function,
    param: &Param,
    scalars: &[(u32, MemType)],
    pieces: &[Slot],
) -> Vec<Inst> {
    let loc = SourceLoc::default();
    let mut out = Vec::new();
    for (&(offset, ty), &piece) in scalars.iter().zip(pieces) {
        let imm = super::memory(offset as i32, ty);
        let args = [param.address];
        let v = super::emit(f, Op::Load, ty.value_type(), &args, imm, loc, &mut out);
        super::store_slot(f, piece, ty, v, loc, &mut out);
    }
    out
}
