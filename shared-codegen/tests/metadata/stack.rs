//! Checks the opcode table's stack behaviour on method bodies: depths agree, and never exceed what the header says.

use crate::walk::method_sig;
use shared_codegen::il::{ClauseKind, Decoder, Instr, MethodBody, Opcode, Operand};
use shared_codegen::metadata::sig::{Element, MethodSig, TypeSig};
use shared_codegen::metadata::{Error, Module, Result};
use std::collections::HashMap;

fn returns(sig: &MethodSig) -> u32 {
    u32::from(sig.ret != TypeSig::Element(Element::Void))
}

/// Values that an instruction takes and gives.
fn effect(m: &Module, instr: &Instr, method: &MethodSig) -> Result<(u32, u32)> {
    let (pops, pushes) = (instr.opcode.pops(), instr.opcode.pushes());
    if let (Some(pops), Some(pushes)) = (pops, pushes) {
        return Ok((pops.into(), pushes.into()));
    }
    let Operand::Token(token) = instr.operand else {
        return Ok((returns(method), 0));
    };
    let callee = method_sig(m, token)?;
    let params = callee.params.len() as u32;
    let this = u32::from(callee.has_this && !callee.explicit_this);
    Ok(match instr.opcode {
        Opcode::Newobj => (params, 1),
        Opcode::Calli => (params + this + 1, returns(&callee)),
        _ => (params + this, returns(&callee)),
    })
}

/// Walks the code in order; what nothing before it reaches is taken to be dead.
pub fn check(m: &Module, body: &MethodBody, method: &MethodSig) -> Result<()> {
    let bad = Error::Body("evaluation stack");
    let mut known: HashMap<u32, u32> = HashMap::new();
    for clause in &body.clauses {
        let depth = match clause.kind {
            ClauseKind::Catch(_) | ClauseKind::Filter(_) => 1,
            ClauseKind::Finally | ClauseKind::Fault => 0,
        };
        known.insert(clause.handler_start, depth);
        if let ClauseKind::Filter(start) = clause.kind {
            known.insert(start, 1);
        }
    }
    let mut depth = Some(0);
    for instr in Decoder::new(body.code, 0) {
        let instr = instr?;
        let Some(&start) = known.get(&instr.offset).or(depth.as_ref()) else {
            continue;
        };
        let (pops, pushes) = effect(m, &instr, method)?;
        let after = start.checked_sub(pops).ok_or(bad.clone())? + pushes;
        let after = match instr.opcode {
            Opcode::Leave | Opcode::LeaveS => 0,
            _ => after,
        };
        if after > u32::from(body.max_stack) {
            return Err(bad);
        }
        let mut reach = |target| match known.insert(target, after) {
            Some(before) if before != after => Err(bad.clone()),
            _ => Ok(()),
        };
        match instr.operand {
            Operand::Target(target) => reach(target)?,
            Operand::Switch(targets) => targets.iter().try_for_each(reach)?,
            _ => {}
        }
        depth = instr.opcode.falls_through().then_some(after);
    }
    Ok(())
}
