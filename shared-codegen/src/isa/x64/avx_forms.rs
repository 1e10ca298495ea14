//! Forms of AVX, AVX2 and FMA instructions: the rows of the SSE families with VEX encoding.

use super::form::{Arg, Form, Width, rm};
use super::inst::MInst;
use super::operand::{Lanes, RegMem};
use super::ops::*;
use super::regs::Reg;

/// Operands `src2, src1, dst`.
fn three(f: Form, w: Width, src1: Reg, src2: &RegMem, dst: Reg) -> Form {
    f.args([rm(src2, w), Arg::Vex(src1, w), Arg::Reg(dst, w)])
}

/// GNU as uses the store form where it saves the three-byte prefix.
fn mov(op: SseMovOp, lanes: Lanes, src: &RegMem, dst: Reg) -> Form {
    let w = lanes.into();
    match src {
        RegMem::Reg(s) => {
            let r = SseMovOp::Movaps.row();
            let f = Form::row(r).avx(lanes);
            match s.hw() >= 8 && dst.hw() < 8 {
                true => f.op(r.x).args([Arg::Reg(*s, w), Arg::RmReg(dst, w)]),
                false => f.args([Arg::RmReg(*s, w), Arg::Reg(dst, w)]),
            }
        }
        RegMem::Mem(m) => Form::row(op.row())
            .avx(lanes)
            .args([Arg::Mem(*m), Arg::Reg(dst, w)]),
    }
}

/// The result has half the size of the operand.
pub(super) fn is_narrowing(op: SsePackedUnOp) -> bool {
    matches!(op, SsePackedUnOp::Cvtpd2ps | SsePackedUnOp::Cvttpd2dq)
}

impl MInst {
    /// The form of an instruction where VEX encoding is wanted: SSE instructions are those of AVX that do the same, with
    /// the upper half of the result zero.
    pub(super) fn vex_form(&self) -> Option<Form> {
        let f = match self {
            MInst::SseMov { op, src, dst } | MInst::SseMovScalar { op, src, dst } => {
                return Some(mov(*op, Lanes::X, src, *dst));
            }
            _ => self.sse_form(),
        };
        let Some(f) = f else { return self.form() };
        let f = f.avx(Lanes::X);
        Some(match self {
            // The destination is the first source too.
            MInst::SseUn { dst, .. }
            | MInst::Sse { dst, .. }
            | MInst::SsePacked { dst, .. }
            | MInst::SsePackedImm { dst, .. }
            | MInst::SseShift { dst, .. }
            | MInst::ZeroXmm { dst }
            | MInst::IntToFloat { dst, .. } => f.with_first_source(*dst),
            MInst::SseUnImm {
                op: SseUnImmOp::Roundss | SseUnImmOp::Roundsd,
                dst,
                ..
            } => f.with_first_source(*dst),
            _ => f,
        })
    }

    /// The form of an AVX instruction.
    pub(super) fn avx_form(&self) -> Option<Form> {
        Some(match self {
            MInst::AvxMov {
                op,
                lanes,
                src,
                dst,
            } => mov(*op, *lanes, src, *dst),
            MInst::AvxStore {
                op,
                lanes,
                dst,
                src,
            } => {
                let r = op.row();
                Form::row(r)
                    .op(r.x)
                    .avx(*lanes)
                    .args([Arg::Reg(*src, (*lanes).into()), Arg::Mem(*dst)])
            }
            MInst::AvxScalar {
                op,
                src1,
                src2,
                dst,
            } => three(
                Form::row(op.row()).avx(Lanes::X),
                Width::X,
                *src1,
                src2,
                *dst,
            ),
            MInst::Avx {
                op,
                lanes,
                src1,
                src2,
                dst,
            } => three(
                Form::row(op.row()).avx(*lanes),
                (*lanes).into(),
                *src1,
                src2,
                *dst,
            ),
            MInst::AvxImm {
                op,
                lanes,
                src1,
                src2,
                imm,
                dst,
            } => {
                let w = (*lanes).into();
                let imm = Arg::Imm(*imm as i8 as i64, 1);
                Form::row(op.row()).avx(*lanes).args([
                    imm,
                    rm(src2, w),
                    Arg::Vex(*src1, w),
                    Arg::Reg(*dst, w),
                ])
            }
            MInst::AvxUn {
                op,
                lanes,
                src,
                dst,
            } => {
                let narrow = |is| match is {
                    true => Width::X,
                    false => Width::from(*lanes),
                };
                let from = narrow(op.row().x < 16);
                let to = narrow(is_narrowing(*op));
                Form::row(op.row())
                    .avx(*lanes)
                    .args([rm(src, from), Arg::Reg(*dst, to)])
            }
            MInst::AvxUnImm {
                op,
                lanes,
                src,
                imm,
                dst,
            } => {
                let w = (*lanes).into();
                Form::row(op.row()).avx(*lanes).args([
                    Arg::Imm(*imm as i8 as i64, 1),
                    rm(src, w),
                    Arg::Reg(*dst, w),
                ])
            }
            MInst::AvxShift {
                op,
                lanes,
                src,
                count,
                dst,
            } => {
                let w = (*lanes).into();
                let count = Arg::Imm(*count as i8 as i64, 1);
                Form::row(op.row()).avx(*lanes).digit(op.row().x).args([
                    count,
                    Arg::RmReg(*src, w),
                    Arg::Vex(*dst, w),
                ])
            }
            MInst::Broadcast {
                op,
                lanes,
                src,
                dst,
            } => Form::row(op.row())
                .avx(*lanes)
                .args([rm(src, Width::X), Arg::Reg(*dst, (*lanes).into())]),
            MInst::Fma {
                op,
                lanes,
                src2,
                src3,
                dst,
                ..
            } => {
                let f = Form {
                    w: op.row().x == 1,
                    ..Form::row(op.row()).avx(*lanes)
                };
                three(f, (*lanes).into(), *src2, src3, *dst)
            }
            MInst::Permq { src, imm, dst } => {
                let f = Form {
                    pfx: Pfx::P66,
                    w: true,
                    ..Form::new("permq", Map::M0f3a, 0x00).avx(Lanes::Y)
                };
                f.args([
                    Arg::Imm(*imm as i8 as i64, 1),
                    Arg::RmReg(*src, Width::Y),
                    Arg::Reg(*dst, Width::Y),
                ])
            }
            MInst::ExtractHigh { src, dst } => {
                let f = Form {
                    pfx: Pfx::P66,
                    ..Form::new("extracti128", Map::M0f3a, 0x39).avx(Lanes::Y)
                };
                f.args([
                    Arg::Imm(1, 1),
                    Arg::Reg(*src, Width::Y),
                    Arg::RmReg(*dst, Width::X),
                ])
            }
            MInst::Vzeroupper {} => Form::new("zeroupper", Map::M0f, 0x77).avx(Lanes::X),
            _ => return None,
        })
    }
}
