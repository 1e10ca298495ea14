//! Whole functions: the text assembles to the same bytes, branches get the lengths GNU as gives
//! them, tables point at what they should.

use super::emit::{ConstMode, EmitOptions, Emitter, FrameMap};
use super::inst::{CallKind, MInst};
use super::operand::{Amode, Cc, RegMem, RegMemImm, Size};
use super::ops::{AluOp, SsePackedOp};
use super::oracle::{Arbitrary, Rng, assemble};
use super::regs::{RAX, RCX, RDX, Reg, xmm};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::trap::TrapKind;
use crate::emit::{CodeBlob, FrameInfo, RelocKind};
use crate::ir::{
    Block, Function, Region, RegionData, RegionKind, Signature, Slot, SlotData, SourceLoc,
};
use crate::mach::Label;
use crate::mach::buffer::Alignment;
use crate::types::TypeId;

fn emit(
    consts: ConstMode,
    f: &Function,
    blocks: u32,
    body: impl FnOnce(&mut Emitter<'_>),
) -> CodeBlob {
    let opts = EmitOptions {
        consts,
        text: Some("t"),
        direct: &|_| false,
    };
    let frame = FrameMap {
        slots: vec![-24],
        spills: -64,
    };
    let mut e = Emitter::new(&opts, blocks, frame);
    body(&mut e);
    e.finish(f, FrameInfo::default(), &|b| Some(Label(b.0)))
        .expect("complete")
}

/// Compares with the assembler, fields of relocations aside.
fn assert_text_matches(blob: &CodeBlob) {
    let text = blob.text.as_deref().expect("text was asked for");
    let Some(mut gas) = assemble(text) else {
        return;
    };
    for r in blob.relocs.iter().filter(|r| r.kind != RelocKind::Abs64) {
        gas[r.offset as usize..][..4].fill(0);
    }
    // GNU as pads the section's end.
    gas.truncate(blob.code.len());
    let differ = gas.iter().zip(&blob.code).position(|(a, b)| a != b);
    assert!(
        gas == blob.code,
        "first difference at {differ:?} of {}/{}:\n{text}",
        gas.len(),
        blob.code.len()
    );
}

/// Branches and padding depend on each other's lengths; the assembler is to agree about both.
#[test]
fn branches_relax_like_gnu_as() {
    let (mut aligned, mut wanted) = (0, 0);
    for seed in 1..40 {
        let mut rng = Rng::new(seed);
        let blocks = 20 + rng.below(400) as u32;
        let f = Function::new("f", Signature::default());
        let blob = emit(ConstMode::Cell, &f, blocks, |e| {
            for b in 0..blocks {
                if seed >= 20 && b % 7 == 3 {
                    e.align(Alignment {
                        to: 16 << (seed % 2),
                        most: 31,
                    });
                    e.begin_block(Label(b), None, (b + 1 < blocks).then_some(Label(b + 1)));
                    // Something to find it by.
                    e.emit(&MInst::Pause {});
                } else {
                    e.begin_block(Label(b), None, (b + 1 < blocks).then_some(Label(b + 1)));
                }
                for _ in 0..rng.below(6) {
                    let filler = MInst::AluMem {
                        op: AluOp::Add,
                        size: Size::S32,
                        dst: Amode::base(Reg::phys(RCX), i32::arbitrary(&mut rng)),
                        src: super::RegImm::Imm(i32::arbitrary(&mut rng)),
                    };
                    e.emit(&filler);
                }
                // Mostly near targets: that is where lengths depend on each other.
                let far = rng.below(10) == 0;
                let mut target = || match far {
                    true => Label(rng.below(blocks as usize) as u32),
                    false => Label((b + rng.below(16) as u32).saturating_sub(8).min(blocks - 1)),
                };
                let (taken, other) = (target(), target());
                match b % 3 {
                    0 => e.emit(&MInst::Jmp { target: taken }),
                    _ => e.emit(&MInst::Branch {
                        cc: Cc::Le,
                        taken,
                        other,
                    }),
                }
            }
        });
        assert_text_matches(&blob);
        let pauses = blob.code.windows(2).enumerate();
        for (at, _) in pauses.filter(|(_, w)| *w == [0xf3, 0x90]) {
            wanted += 1;
            aligned += u32::from(at % (16 << (seed % 2)) == 0);
        }
        assert_eq!(blob.align, if seed < 20 { 1 } else { 16 << (seed % 2) });
    }
    // Some padding is given up where lengths go round in circles.
    assert!(
        wanted > 500 && aligned * 10 > wanted * 9,
        "{aligned} of {wanted}"
    );
}

#[test]
fn sequences_assemble_to_the_same_bytes() {
    let f = Function::new("f", Signature::default());
    for consts in [ConstMode::Immediate, ConstMode::Cell] {
        let blob = emit(consts, &f, 3, |e| {
            let (rax, rdx, rcx) = (Reg::phys(RAX), Reg::phys(RDX), Reg::phys(RCX));
            e.begin_block(Label(0), None, Some(Label(1)));
            e.set_loc(SourceLoc { il: 3, site: 0 });
            e.emit(&MInst::Poll {});
            e.emit(&MInst::AllocObject {
                size: 24,
                regs: Box::default(),
            });
            for element in [1, 2, 3, 8, 12, 16, 24] {
                e.emit(&MInst::AllocArray {
                    element,
                    regs: Box::default(),
                });
            }
            e.begin_block(Label(1), None, Some(Label(2)));
            e.set_loc(SourceLoc { il: 9, site: 1 });
            for kind in [CallKind::Plain, CallKind::Native, CallKind::NoReturn] {
                e.emit(&MInst::Call {
                    fixup: Fixup::Helper(HelperId::Sin),
                    kind,
                    regs: Box::default(),
                });
            }
            e.emit(&MInst::CallReg {
                target: RegMem::Reg(rax),
                kind: CallKind::PInvoke,
                regs: Box::default(),
            });
            e.emit(&MInst::NullProbe {
                addr: Amode::base(rdx, 0),
            });
            e.emit(&MInst::TrapIf {
                cc: Cc::Ae,
                kind: TrapKind::IndexOutOfRange,
            });
            e.emit(&MInst::TrapIf {
                cc: Cc::O,
                kind: TrapKind::Overflow,
            });
            e.emit(&MInst::LoadConst {
                bits: 1.5f64.to_bits(),
                size: Size::S64,
                dst: Reg::phys(xmm(3)),
            });
            e.emit(&MInst::LoadConst {
                bits: 0,
                size: Size::S32,
                dst: Reg::phys(xmm(9)),
            });
            let x = Reg::phys(xmm(1));
            e.emit(&MInst::Const128 {
                op: SsePackedOp::Xorpd,
                bits: 1 << 63,
                src: x,
                dst: x,
            });
            e.emit(&MInst::Nop { bytes: 13 });
            e.begin_block(Label(2), None, None);
            let targets = vec![Label(0), Label(2), Label(1)].into();
            e.emit(&MInst::JumpTable {
                index: rdx,
                tmp: rax,
                base: rcx,
                targets,
            });
            if consts == ConstMode::Cell {
                e.emit(&MInst::LoadFixup {
                    fixup: Fixup::MethodTable(TypeId(3)),
                    dst: rdx,
                });
            }
        });
        assert_text_matches(&blob);
        assert!(blob.traps.iter().any(|t| t.kind == TrapKind::Overflow));
        for t in &blob.traps {
            let at = &blob.code[t.offset as usize..];
            let expected: &[u8] = if t.kind == TrapKind::NullReference {
                &[0x84, 0x02]
            } else {
                &[0x0f, 0x0b]
            };
            assert_eq!(&at[..2], expected);
            assert_eq!(blob.loc_at(t.offset), Some(SourceLoc { il: 9, site: 1 }));
        }
    }
}

#[test]
fn constants_are_patched_where_the_table_says() {
    let f = Function::new("f", Signature::default());
    let fixup = Fixup::MethodTable(TypeId(3));
    let load = MInst::LoadFixup {
        fixup,
        dst: Reg::phys(RDX),
    };
    let jit = emit(ConstMode::Immediate, &f, 0, |e| e.emit(&load));
    assert_eq!(
        (jit.relocs[0].kind, jit.relocs[0].offset, jit.code.len()),
        (RelocKind::Abs64, 2, 10)
    );
    let aot = emit(ConstMode::Cell, &f, 0, |e| {
        e.emit(&load);
        let cell = RegMem::Mem(Amode::Fixup(fixup));
        e.emit(&MInst::CmpMem {
            op: super::CmpOp::Cmp,
            size: Size::S64,
            a: cell,
            b: super::RegImm::Imm(1000),
        });
    });
    assert_eq!(
        (
            aot.relocs[0].kind,
            aot.relocs[0].offset,
            aot.relocs[0].addend
        ),
        (RelocKind::Cell32, 3, 0)
    );
    assert_eq!((aot.relocs[1].offset, aot.relocs[1].addend), (10, -4));
    assert_eq!(aot.fixups, [fixup]);
}

#[test]
fn clauses_cover_hot_and_cold_code_of_a_region() {
    let mut f = Function::new("f", Signature::default());
    let eh_slot = f.add_slot(SlotData {
        size: 24,
        align: 8,
        ty: None,
        zeroed: false,
        eh: Some(Region(0)),
    });
    assert_eq!(eh_slot, Slot(0));
    for (parent, kind) in [
        (None, RegionKind::Fault),
        (Some(Region(0)), RegionKind::Catch(TypeId(1))),
    ] {
        f.regions.push(RegionData {
            parent,
            kind,
            handler: Block(3),
            eh_slot,
        });
    }
    let add = MInst::Alu {
        op: AluOp::Add,
        size: Size::S32,
        src1: Reg::phys(RAX),
        src2: RegMemImm::Imm(1),
        dst: Reg::phys(RAX),
    };
    let blob = emit(ConstMode::Cell, &f, 4, |e| {
        for (n, region) in [None, Some(Region(0)), Some(Region(1)), None]
            .into_iter()
            .enumerate()
        {
            e.begin_block(Label(n as u32), region, None);
            e.emit(&add);
            if region == Some(Region(1)) {
                e.emit(&MInst::TrapIf {
                    cc: Cc::O,
                    kind: TrapKind::Overflow,
                });
            }
        }
    });
    let got: Vec<_> = blob
        .clauses
        .iter()
        .map(|c| (c.region, c.start, c.end, c.handler))
        .collect();
    assert_eq!(
        got,
        [
            (1, 6, 11, 11),
            (1, 14, 16, 11),
            (0, 3, 11, 11),
            (0, 14, 16, 11)
        ]
    );
    assert_eq!(blob.clauses[0].eh_slot, -24);
}

#[test]
fn both_shapes_of_source_assemble_alike() {
    let f = Function::new("f", Signature::default());
    let helper = |h| Fixup::Helper(h);
    let opts = EmitOptions {
        consts: ConstMode::Cell,
        text: Some("7"),
        direct: &|f| f == Fixup::Helper(HelperId::Cos),
    };
    let mut e = Emitter::new(&opts, 1, FrameMap::default());
    e.begin_block(Label(0), None, None);
    for h in [HelperId::Sin, HelperId::Cos, HelperId::Sin] {
        e.emit(&MInst::Call {
            fixup: helper(h),
            kind: CallKind::Plain,
            regs: Box::default(),
        });
    }
    e.emit(&MInst::LoadFixup {
        fixup: Fixup::MethodTable(TypeId(3)),
        dst: Reg::phys(RDX),
    });
    let cell = RegMem::Mem(Amode::Fixup(Fixup::MethodTable(TypeId(3))));
    e.emit(&MInst::CmpMem {
        op: super::CmpOp::Cmp,
        size: Size::S64,
        a: cell,
        b: super::RegImm::Imm(1000),
    });
    e.emit(&MInst::LoadConst {
        bits: 7,
        size: Size::S64,
        dst: Reg::phys(xmm(3)),
    });
    let blob = e
        .finish(&f, FrameInfo::default(), &|_| None)
        .expect("complete");
    assert_eq!(
        blob.relocs
            .iter()
            .filter(|r| r.kind == RelocKind::Direct32)
            .count(),
        1
    );
    let cell = |k: usize, out: &mut String| out.push_str(&format!("Lgot+{}", 8 * k));
    let direct =
        |_: usize, out: &mut String| crate::emit::text::push_symbol(out, "Math:Cos(double)");
    let (mut readable, mut data) = (String::new(), String::new());
    for out in [&mut readable, &mut data] {
        out.push_str("\"Math:Cos(double)\": ret\n");
    }
    crate::emit::text::function(
        &blob,
        "A:f(int, string)",
        "7",
        &cell,
        &direct,
        &mut readable,
    );
    crate::emit::text::function_as_data(&blob, "A:f(int, string)", &cell, &direct, &mut data);
    for out in [&mut readable, &mut data] {
        out.push_str("\t.balign 16, 0xcc\nLgot: .quad 0, 0, 0, 0\n");
    }
    let (a, b) = (assemble(&readable), assemble(&data));
    assert!(a == b, "{readable}\n{data}\n{a:x?}\n{b:x?}");
}
