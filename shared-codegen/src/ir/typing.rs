//! Operand and result types of one instruction, from the op table. Builder, parser and verifier share it.
//!
//! Operands named `T`, `Is`, `Int` and `Same` must match exactly. Where values only pass through (call
//! arguments, results, branch arguments, stored values, comparisons) `i64`, `ref` and `byref` may stand for each
//! other: they are the same kind of register, and CIL mixes them.

use super::vector::scalar_op;
use super::{Arg, CallInfo, Function, Imm, InstData, Lane, Op, Res, Signature, Type, Value};

/// Two types that may stand for each other where a value only passes through.
pub fn compatible(a: Type, b: Type) -> bool {
    a == b || (a.is_word() && b.is_word())
}

impl Op {
    /// Whether `InstData::ty` says something that operands and table do not: only then it is printed.
    pub fn uses_type(self) -> bool {
        let info = self.info();
        info.res == Res::T || info.args.contains(&Arg::T)
    }

    /// Number of operands in front of the signature's parameters, for ops that carry a call.
    pub fn call_prefix(self) -> usize {
        matches!(
            self,
            Op::CallIndirect | Op::CallNative | Op::CallInterface | Op::TailCallIndirect
        ) as usize
    }
}

/// The signature of a call op's immediate.
pub fn call_signature<'f>(f: &'f Function, imm: &Imm) -> Option<&'f Signature> {
    match imm {
        Imm::Call(CallInfo { sig, .. }) => f.sigs.get(sig.index()),
        _ => None,
    }
}

/// Type of the result of an instruction, `None` if it has none.
pub fn result_type(f: &Function, op: Op, ty: Type, imm: &Imm) -> Option<Type> {
    match op.info().res {
        Res::None => None,
        Res::Is(t) => Some(t),
        Res::T => Some(ty),
        Res::Sig => match imm {
            Imm::Helper(h) => h.info().ret,
            _ => call_signature(f, imm).and_then(|s| s.ret),
        },
    }
}

/// What `InstData::ty` has to be for an op whose type is not free (see [`Op::uses_type`]).
pub fn canonical_type(f: &Function, op: Op, ty: Type, imm: &Imm) -> Type {
    if op.uses_type() {
        return ty;
    }
    result_type(f, op, ty, imm).unwrap_or(Type::I32)
}

/// Checks kind of immediate, operand count and operand types of an instruction; the message names what is wrong.
pub fn check_inst(f: &Function, data: &InstData) -> Result<(), String> {
    let info = data.op.info();
    if data.imm.kind() != info.imm {
        return Err(format!(
            "immediate is {:?}, {} wants {:?}",
            data.imm, info.name, info.imm
        ));
    }
    if canonical_type(f, data.op, data.ty, &data.imm) != data.ty {
        return Err(format!("{} has type {}", info.name, data.ty.name()));
    }
    check_patterns(f, data)?;
    check_vectors(f, data)?;
    check_special(f, data)
}

/// Vectors are loaded, stored and passed to blocks; else only vector operations know them.
fn check_vectors(f: &Function, data: &InstData) -> Result<(), String> {
    let name = data.op.info().name;
    let is_memory = matches!(data.op, Op::Load | Op::Store | Op::SlotLoad | Op::SlotStore);
    if !data.op.is_vector() {
        let mut types = data.args.iter().map(|&v| f.ty(v)).chain([data.ty]);
        return match types.any(Type::is_vector) && !is_memory {
            true => Err(format!("{name} of a vector")),
            false => Ok(()),
        };
    }
    let Some(lane) = lane_of(&data.imm) else {
        return demand(data.ty.is_vector(), || format!("{name} is no vector"));
    };
    let scalar = lane.scalar();
    let no_such_lanes = || format!("{name} has no {} lanes", lane.name());
    match data.op {
        Op::VSum | Op::VFirst | Op::VLeast | Op::VMost => {
            let wide = matches!(data.op, Op::VSum | Op::VFirst) && lane == Lane::I64;
            demand(wide || lane == Lane::I32, no_such_lanes)?;
            demand(f.ty(data.args[0]).is_vector(), || {
                format!("{name} wants a vector")
            })?;
            return demand(data.ty == scalar, || {
                format!("{name} gives {}", scalar.name())
            });
        }
        Op::VSplat => demand(f.ty(data.args[0]) == scalar, || {
            format!("{name} wants {}", scalar.name())
        })?,
        Op::VLow => {
            demand(matches!(lane, Lane::I32 | Lane::I64), no_such_lanes)?;
            demand(f.ty(data.args[0]) == scalar, || {
                format!("{name} wants {}", scalar.name())
            })?;
        }
        Op::VEq | Op::VGt => demand(!scalar.is_float(), no_such_lanes)?,
        Op::VMin | Op::VMax => demand(matches!(lane, Lane::I16 | Lane::I32), no_such_lanes)?,
        Op::VIota => demand(!scalar.is_float(), no_such_lanes)?,
        Op::VExtendS | Op::VExtendU => demand(lane.double().is_some(), no_such_lanes)?,
        Op::VNarrow => demand(lane.half().is_some(), no_such_lanes)?,
        Op::VFromInt | Op::VSqrt => demand(scalar.is_float(), no_such_lanes)?,
        op => demand(scalar_op(op, lane).is_some(), no_such_lanes)?,
    }
    if let Imm::LaneShift(_, n) = data.imm {
        demand(u32::from(n) < lane.bits(), || format!("{name} by {n}"))?;
    }
    demand(data.ty.is_vector(), || format!("{name} is no vector"))
}

fn lane_of(imm: &Imm) -> Option<Lane> {
    match *imm {
        Imm::Lane(lane) | Imm::LaneShift(lane, _) => Some(lane),
        _ => None,
    }
}

fn demand(ok: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if ok { Ok(()) } else { Err(message()) }
}

fn check_patterns(f: &Function, data: &InstData) -> Result<(), String> {
    let info = data.op.info();
    let many = info.args.last() == Some(&Arg::AnyMany);
    if !many && info.args.len() != data.args.len() {
        return Err(format!(
            "{} has {} operands, wants {}",
            info.name,
            data.args.len(),
            info.args.len()
        ));
    }
    let mut before = data.ty;
    for (n, (&v, &pattern)) in data.args.iter().zip(info.args).enumerate() {
        let ty = f.ty(v);
        let ok = match pattern {
            Arg::Is(t) => ty == t,
            Arg::T => ty == data.ty,
            Arg::Int => matches!(ty, Type::I32 | Type::I64),
            Arg::Same => ty == before,
            Arg::Addr => ty.is_word(),
            Arg::Any | Arg::AnyMany => true,
        };
        if !ok {
            return Err(format!(
                "operand {n} ({v}) of {} is {}, wants {pattern:?} (instruction type {})",
                info.name,
                ty.name(),
                data.ty.name()
            ));
        }
        before = ty;
    }
    Ok(())
}

/// What the table's patterns cannot say.
fn check_special(f: &Function, data: &InstData) -> Result<(), String> {
    let ty = |n: usize| f.ty(data.args[n]);
    let same = |a: Type, b: Type, what: &str| {
        if compatible(a, b) {
            Ok(())
        } else {
            Err(format!(
                "{}: {what}: {} against {}",
                data.op.info().name,
                a.name(),
                b.name()
            ))
        }
    };
    match (&data.imm, data.op) {
        (Imm::IntCc(_) | Imm::CondTrap(..), _) => {
            if ty(0).is_float() {
                return Err(format!("{} of a float", data.op.info().name));
            }
            same(ty(0), ty(1), "operands")
        }
        (Imm::FloatCc(_), _) => {
            if !ty(0).is_float() {
                return Err("fcmp of an integer".into());
            }
            same(ty(0), ty(1), "operands")
        }
        (Imm::Mem(m), Op::Load) => same(data.ty, m.ty.value_type(), "loaded type"),
        (Imm::Mem(m), Op::Store | Op::StoreRef) => same(ty(1), m.ty.value_type(), "stored type"),
        (Imm::Slot(_, _, m), Op::SlotLoad | Op::SlotStore) => {
            same(data.ty, m.value_type(), "access type")
        }
        (Imm::Atomic(m, _), _) => {
            for &a in &data.args[1..] {
                same(f.ty(a), m.value_type(), "operand")?;
            }
            same(data.ty, m.value_type(), "result")
        }
        (Imm::Helper(h), _) => check_args(f, data, &data.args, h.info().params, 0),
        (Imm::Call(c), _) => {
            let sig = f
                .sigs
                .get(c.sig.index())
                .ok_or_else(|| format!("no such signature: {}", c.sig))?;
            let prefix = data.op.call_prefix();
            let Some(args) = data.args.get(prefix..) else {
                return Err("call without its first operand".into());
            };
            if prefix == 1 {
                same(ty(0), Type::I64, "address or handle")?;
            }
            let buffers = usize::from(sig.second.is_some());
            check_args(
                f,
                data,
                args,
                &sig.params,
                buffers + usize::from(sig.context),
            )
        }
        (_, Op::Return) => {
            let ret: Vec<Type> = f.sig.ret.into_iter().collect();
            check_args(f, data, &data.args, &ret, 0)
        }
        _ => Ok(()),
    }
}

fn check_args(
    f: &Function,
    data: &InstData,
    args: &[Value],
    params: &[Type],
    words_behind: usize,
) -> Result<(), String> {
    let name = data.op.info().name;
    if args.len() != params.len() + words_behind {
        return Err(format!(
            "{name}: {} operands for {} parameters{}",
            args.len(),
            params.len(),
            match words_behind {
                0 => "",
                1 => " and a word behind them",
                _ => " and two words behind them",
            }
        ));
    }
    let wanted = params.iter().copied().chain([Type::I64; 2]);
    for (n, (&a, p)) in args.iter().zip(wanted).enumerate() {
        if !compatible(f.ty(a), p) {
            return Err(format!(
                "{name}: argument {n} ({a}) is {}, the parameter {}",
                f.ty(a).name(),
                p.name()
            ));
        }
    }
    Ok(())
}
