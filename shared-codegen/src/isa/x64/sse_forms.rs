//! Forms of SSE instructions.

use super::form::{Arg, Form, Width, rm};
use super::inst::MInst;
use super::operand::{RegMem, Size};
use super::ops::*;
use super::regs::Reg;

pub(super) fn sse_rm(r: &Row, src: &RegMem, dst: Reg) -> Form {
    Form::row(r).args([rm(src, Width::X), Arg::Reg(dst, Width::X)])
}

fn sse_mov(op: SseMovOp, src: &RegMem, dst: Reg) -> Form {
    match src {
        RegMem::Reg(_) => sse_rm(SseMovOp::Movaps.row(), src, dst),
        RegMem::Mem(_) => sse_rm(op.row(), src, dst),
    }
}

fn gpr_to_xmm(size: Size, src: &RegMem, dst: Reg) -> Form {
    let dst = Arg::Reg(dst, Width::X);
    match (size, src) {
        (Size::S64, RegMem::Mem(m)) => Form {
            pfx: Pfx::F3,
            ..Form::new("movq", Map::M0f, 0x7e)
        }
        .args([Arg::Mem(*m), dst]),
        (Size::S64, RegMem::Reg(r)) => Form {
            pfx: Pfx::P66,
            ..Form::new("movq", Map::M0f, 0x6e)
        }
        .wide(size)
        .args([Arg::RmReg(*r, Width::Q), dst]),
        _ => Form {
            pfx: Pfx::P66,
            ..Form::new("movd", Map::M0f, 0x6e)
        }
        .args([rm(src, Width::L), dst]),
    }
}

fn xmm_to_gpr(size: Size, src: Reg, dst: Reg) -> Form {
    let name = if size == Size::S64 { "movq" } else { "movd" };
    Form {
        pfx: Pfx::P66,
        ..Form::new(name, Map::M0f, 0x7e)
    }
    .wide(size)
    .args([Arg::Reg(src, Width::X), Arg::RmReg(dst, size.into())])
}

impl MInst {
    /// The form of an SSE instruction.
    pub(super) fn sse_form(&self) -> Option<Form> {
        Some(match self {
            MInst::SseMov { op, src, dst } | MInst::SseMovScalar { op, src, dst } => {
                sse_mov(*op, src, *dst)
            }
            MInst::SseStore { op, dst, src } => Form::row(op.row())
                .op(op.row().x)
                .args([Arg::Reg(*src, Width::X), Arg::Mem(*dst)]),
            MInst::SseUn { op, src, dst } => sse_rm(op.row(), src, *dst),
            MInst::SsePackedUn { op, src, dst } => sse_rm(op.row(), src, *dst),
            MInst::SseUnImm { op, src, imm, dst } => Form::row(op.row()).args([
                Arg::Imm(*imm as i8 as i64, 1),
                rm(src, Width::X),
                Arg::Reg(*dst, Width::X),
            ]),
            MInst::Sse { op, src2, dst, .. } => sse_rm(op.row(), src2, *dst),
            MInst::SsePacked { op, src2, dst, .. } => sse_rm(op.row(), src2, *dst),
            MInst::SsePackedImm {
                op, src2, imm, dst, ..
            } => Form::row(op.row()).args([
                Arg::Imm(*imm as i8 as i64, 1),
                rm(src2, Width::X),
                Arg::Reg(*dst, Width::X),
            ]),
            MInst::SseShift { op, count, dst, .. } => Form::row(op.row())
                .digit(op.row().x)
                .args([Arg::Imm(*count as i8 as i64, 1), Arg::RmReg(*dst, Width::X)]),
            MInst::SseMask { op, src, dst } => {
                Form::row(op.row()).args([Arg::RmReg(*src, Width::X), Arg::Reg(*dst, Width::L)])
            }
            MInst::SseCmp { op, a, b } => sse_rm(op.row(), b, *a),
            MInst::ZeroXmm { dst } => sse_rm(SsePackedOp::Xorps.row(), &RegMem::Reg(*dst), *dst),
            MInst::GprToXmm { size, src, dst } => gpr_to_xmm(*size, src, *dst),
            MInst::XmmToGpr { size, src, dst } => xmm_to_gpr(*size, *src, *dst),
            MInst::IntToFloat { op, size, src, dst } => {
                let mut f =
                    Form::row(op.row()).args([rm(src, (*size).into()), Arg::Reg(*dst, Width::X)]);
                f.w = *size == Size::S64;
                f.suffix(*size)
            }
            MInst::FloatToInt { op, size, src, dst } => {
                let f =
                    Form::row(op.row()).args([rm(src, Width::X), Arg::Reg(*dst, (*size).into())]);
                Form {
                    w: *size == Size::S64,
                    ..f
                }
            }
            _ => return None,
        })
    }
}
