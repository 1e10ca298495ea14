//! Test oracle: for random operands of every row of the instruction table, our bytes are what GNU as
//! makes of our text, and iced-x86 decodes them as one instruction of that length.

use super::avx_forms::is_narrowing;
use super::encode::{FrameMap, encode};
use super::inst::{CallKind, FixedRegs, MInst};
use super::operand::{Amode, Cc, Lanes, RegImm, RegMem, RegMemImm, Size};
use super::ops::*;
use super::print::{LocalNames, print};
use super::regs::{Reg, gpr};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::trap::TrapKind;
use crate::ir::SourceLoc;
use crate::mach::Label;
use object::{Object, ObjectSection};
use std::fmt::Write;

/// A small deterministic generator (xorshift*).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }
}

/// Random field values; the macro `insts!` builds sample instructions from them.
pub(crate) trait Arbitrary {
    fn arbitrary(r: &mut Rng) -> Self;
}

macro_rules! arbitrary_ops {
    ($($t:ty),*) => { $(impl Arbitrary for $t {
        fn arbitrary(r: &mut Rng) -> Self {
            <$t>::ALL[r.below(<$t>::ALL.len())]
        }
    })* };
}
arbitrary_ops!(
    AluOp,
    CmpOp,
    UnOp,
    MulOp,
    DivOp,
    ShiftOp,
    BitScanOp,
    BmiOp,
    BlsOp,
    BitOp,
    ExtOp,
    SseMovOp,
    SseUnOp,
    SsePackedUnOp,
    SseUnImmOp,
    SseOp,
    SsePackedOp,
    SsePackedImmOp,
    SseShiftOp,
    SseCmpOp,
    IntToFloatOp,
    FloatToIntOp,
    BroadcastOp,
    FmaOp,
    MaskOp,
    Size
);

macro_rules! arbitrary_by {
    ($($t:ty: $r:ident => $e:expr;)*) => { $(impl Arbitrary for $t {
        #[allow(unused_variables, reason = "some values are constant")]
        fn arbitrary($r: &mut Rng) -> Self {
            $e
        }
    })* };
}
arbitrary_by! {
    Cc: r => Cc::ALL[r.below(16)].0;
    Reg: r => Reg::phys(gpr(r.below(16)));
    u8: r => [1, 2, 3, 7, 8, 31][r.below(6)];
    u32: r => r.next() as u32;
    i32: r => [0, 1, -1, 127, 128, -128, -129, 255, 0x1234, 0x7fff, -32768, 0x12345678, i32::MAX, i32::MIN][r.below(14)];
    i64: r => [0, 1, -1, 255, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, -0x8000_0000, -0x8000_0001, i64::MAX, i64::MIN][r.below(11)];
    u64: r => r.next();
    u128: r => r.next() as u128;
    Label: r => Label(r.below(4) as u32);
    Fixup: r => Fixup::Helper(HelperId::ALL[r.below(HelperId::ALL.len())]);
    Lanes: r => [Lanes::X, Lanes::Y][r.below(2)];
    TrapKind: r => TrapKind::ALL[r.below(9)].0;
    CallKind: r => CallKind::Plain;
    SourceLoc: r => SourceLoc::default();
    Box<FixedRegs>: r => Box::default();
    Box<[Label]>: r => Box::default();
    RegImm: r => if r.below(2) == 0 { RegImm::Reg(Reg::arbitrary(r)) } else { RegImm::Imm(i32::arbitrary(r)) };
    RegMem: r => if r.below(2) == 0 { RegMem::Reg(Reg::arbitrary(r)) } else { RegMem::Mem(Amode::arbitrary(r)) };
    RegMemImm: r => if r.below(3) == 0 { RegMemImm::Imm(i32::arbitrary(r)) } else { RegMem::arbitrary(r).into() };
    Amode: r => arbitrary_amode(r);
}

fn arbitrary_amode(r: &mut Rng) -> Amode {
    let disp = i32::arbitrary(r);
    let mut index = Reg::arbitrary(r);
    if index.hw() == 4 {
        index = Reg::phys(gpr(12));
    }
    match r.below(8) {
        0 => Amode::Label(Label(r.below(4) as u32), [0, 8, -3][r.below(3)]),
        1 => Amode::Fixup(Fixup::arbitrary(r)),
        2 => Amode::Slot(r.below(2) as u32, 4),
        3 => [
            Amode::Spill(0),
            Amode::InArg(8),
            Amode::OutArg(0),
            Amode::base(Reg::NONE, disp),
        ][r.below(4)],
        4 => Amode::indexed(Reg::NONE, index, r.below(4) as u8, disp),
        5 => Amode::indexed(Reg::arbitrary(r), index, r.below(4) as u8, disp),
        6 => Amode::base(Reg::arbitrary(r), 0),
        _ => Amode::base(Reg::arbitrary(r), disp),
    }
}

/// Combinations the instruction set does not have.
fn exists(i: &MInst) -> bool {
    use Size::*;
    match i {
        MInst::Imul { size, .. }
        | MInst::ImulImm { size, .. }
        | MInst::MulWide { size, .. }
        | MInst::Div { size, .. }
        | MInst::SignAcc { size, .. }
        | MInst::BitScan { size, .. }
        | MInst::Bt { size, .. }
        | MInst::BitOp { size, .. }
        | MInst::Lea { size, .. }
        | MInst::Cmov { size, .. } => *size != S8,
        MInst::Un {
            op: UnOp::Bswap,
            size,
            ..
        }
        | MInst::Bmi { size, .. }
        | MInst::Rorx { size, .. }
        | MInst::Andn { size, .. }
        | MInst::Bls { size, .. }
        | MInst::Mulx { size, .. }
        | MInst::GprToXmm { size, .. }
        | MInst::XmmToGpr { size, .. }
        | MInst::IntToFloat { size, .. }
        | MInst::FloatToInt { size, .. } => matches!(size, S32 | S64),
        MInst::UnMem { op, .. } => *op != UnOp::Bswap,
        MInst::AvxMov { op, lanes, .. } | MInst::AvxStore { op, lanes, .. } => {
            *lanes == Lanes::X || !matches!(op, SseMovOp::Movss | SseMovOp::Movsd)
        }
        MInst::AvxUn {
            op,
            src: RegMem::Mem(_),
            ..
        } => !is_narrowing(*op),
        MInst::AvxUnImm { op, .. } => !matches!(op, SseUnImmOp::Roundss | SseUnImmOp::Roundsd),
        MInst::Broadcast { op, lanes, .. } => *lanes == Lanes::Y || *op != BroadcastOp::Sd,
        MInst::Fma { op, lanes, .. } => {
            *lanes == Lanes::X
                || !matches!(
                    op,
                    FmaOp::Addss | FmaOp::Addsd | FmaOp::Naddss | FmaOp::Naddsd
                )
        }
        _ => true,
    }
}

/// SSE instructions whose AVX versions are tried too.
fn exists_as_avx(i: &MInst) -> bool {
    match i {
        MInst::SsePackedUn { op, src, .. } => !is_narrowing(*op) || matches!(src, RegMem::Reg(_)),
        _ => i.sse_form().is_some(),
    }
}

/// Runs GNU as on text and returns the bytes of `.text`; `None` where there is no assembler.
pub(crate) fn assemble(text: &str) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().ok()?;
    let (src, obj) = (dir.path().join("t.s"), dir.path().join("t.o"));
    std::fs::write(&src, text).ok()?;
    let out = std::process::Command::new("as")
        .arg("-o")
        .arg(&obj)
        .arg(&src)
        .output()
        .ok()?;
    let err: String = String::from_utf8_lossy(&out.stderr)
        .lines()
        .take(20)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(out.status.success(), "as: {err}");
    let data = std::fs::read(obj).ok()?;
    let file = object::File::parse(&*data).ok()?;
    Some(file.section_by_name(".text")?.data().ok()?.to_vec())
}

fn hex(b: &[u8]) -> String {
    b.iter().map(|b| format!("{b:02x} ")).collect()
}

#[test]
fn bytes_equal_gnu_as() {
    let mut rng = Rng::new(7);
    let frame = FrameMap {
        slots: vec![-64, -0x400],
        spills: -8,
    };
    let mut text = String::new();
    let mut lines = vec![];
    for _ in 0..400 {
        for inst in MInst::samples(&mut rng).into_iter().filter(exists) {
            let vex = inst.vex_form().filter(|_| exists_as_avx(&inst));
            for mut form in inst.form().into_iter().chain(vex) {
                form.resolve(&frame);
                let e = encode(&form);
                let mut line = String::new();
                print(
                    &form,
                    &LocalNames {
                        prefix: "f",
                        fixups: &Default::default(),
                    },
                    &mut line,
                );
                let _ = writeln!(text, "{line}\n.balign 16, 0");
                lines.push((line, e));
            }
        }
    }
    let labels: String = (0..4).map(|i| format!(".Lf_{i}:\n")).collect();
    let Some(gas) = assemble(&format!("{labels}{text}")) else {
        return;
    };
    let mut wrong = vec![];
    for ((line, e), slot) in lines.iter().zip(gas.chunks(16)) {
        let mut theirs = slot[..e.bytes().len()].to_vec();
        if let Some(rip) = e.rip {
            let at = rip.at as usize;
            theirs[at..at + 4].fill(0);
        }
        let rest_is_padding = slot[e.bytes().len()..].iter().all(|&b| b == 0);
        if theirs != e.bytes() || !rest_is_padding {
            wrong.push(format!("{line}: ours {}as {}", hex(e.bytes()), hex(slot)));
        }
        let i = iced_x86::Decoder::new(64, e.bytes(), iced_x86::DecoderOptions::NONE).decode();
        if i.is_invalid() || i.len() != e.bytes().len() {
            wrong.push(format!(
                "{line}: iced decodes {} of {}",
                i.len(),
                hex(e.bytes())
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        lines.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}

/// Prints instructions per second; run by hand with `--release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn encoding_speed() {
    let mut rng = Rng::new(3);
    let frame = FrameMap {
        slots: vec![-64, -0x400],
        spills: -8,
    };
    let insts: Vec<MInst> = (0..300)
        .flat_map(|_| MInst::samples(&mut rng))
        .filter(|i| exists(i) && i.form().is_some())
        .collect();
    for text in [false, true] {
        let start = std::time::Instant::now();
        let (mut bytes, mut out) = (Vec::new(), String::new());
        for _ in 0..20 {
            bytes.clear();
            out.clear();
            for i in &insts {
                let mut form = i.form().expect("filtered");
                form.resolve(&frame);
                bytes.extend_from_slice(encode(&form).bytes());
                if text {
                    print(
                        &form,
                        &LocalNames {
                            prefix: "f",
                            fixups: &Default::default(),
                        },
                        &mut out,
                    );
                }
            }
        }
        let per_second = insts.len() as f64 * 20.0 / start.elapsed().as_secs_f64();
        eprintln!(
            "text {text}: {:.1} million instructions/s ({} bytes)",
            per_second / 1e6,
            bytes.len() + out.len()
        );
    }
}
