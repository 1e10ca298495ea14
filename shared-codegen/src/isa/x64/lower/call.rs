//! Calls: arguments and results by the calling convention of `docs/architecture.md` §3.

use super::emit::{mem_size, sse_mov};
use super::rules::Context;
use super::{Lower, class};
use crate::abi::fixup::Fixup;
use crate::abi::helper::{Effects, HelperId};
use crate::abi::layout::MAX_INLINE_ALLOC;
use crate::analysis::{Cfg, Dominators, Loops};
use crate::compile::CompileError;
use crate::ir::{Imm, Inst, MemType, Op, Type, Value};
use crate::isa::x64::inst::{CallKind, FixedRegs, MInst};
use crate::isa::x64::operand::{Amode, RegImm, RegMem, Size};
use crate::isa::x64::regs::{self, Reg};
use regalloc2::PReg;
use smallvec::SmallVec;

/// Where an argument is passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ArgPlace {
    Reg(PReg),
    /// Offset in the argument area.
    Stack(i32),
}

/// Hands out argument places in order.
#[derive(Default)]
pub(super) struct ArgAssigner {
    ints: usize,
    floats: usize,
    /// Bytes of stack arguments so far.
    pub(super) stack: i32,
}

impl ArgAssigner {
    /// The place of the next argument.
    pub(super) fn next(&mut self, ty: Type) -> ArgPlace {
        let reg = if ty.is_float() {
            self.floats += 1;
            (self.floats <= regs::FLOAT_ARGS).then(|| regs::xmm(self.floats - 1))
        } else {
            self.ints += 1;
            regs::INT_ARGS.get(self.ints - 1).copied()
        };
        match reg {
            Some(p) => ArgPlace::Reg(p),
            None => {
                self.stack += 8;
                ArgPlace::Stack(self.stack - 8)
            }
        }
    }
}

/// Register in which a result of this type comes back.
pub(super) fn result_reg(ty: Type) -> PReg {
    if ty.is_float() {
        regs::FLOAT_RESULT
    } else {
        regs::INT_RESULT
    }
}

/// Bytes of stack arguments that parameters of these types need.
fn stack_bytes(params: &[Type]) -> i32 {
    let mut assign = ArgAssigner::default();
    for t in params {
        assign.next(*t);
    }
    assign.stack
}

/// What a call op comes down to.
enum Callee {
    Cell(Fixup),
    Address(Value),
}

/// A call op taken apart.
struct CallParts {
    callee: Callee,
    kind: CallKind,
    params: SmallVec<[Type; 8]>,
    args: SmallVec<[Value; 8]>,
    context: Option<Value>,
    ret: Option<Type>,
    /// A second result register, and where its value goes.
    second: Option<(Type, Value)>,
    c_varargs: bool,
}

impl Lower<'_> {
    /// A call op of any kind.
    pub(super) fn emit_call(&mut self, i: Inst) -> Option<Reg> {
        self.has_calls = true;
        match self.call_parts(i) {
            Ok(parts) => self.emit_call_parts(parts),
            Err(e) => {
                self.fail(e);
                self.f.insts[i.index()]
                    .result
                    .map(|v| self.temp(class(self.f.ty(v))))
            }
        }
    }

    fn call_parts(&self, i: Inst) -> Result<CallParts, CompileError> {
        let d = &self.f.insts[i.index()];
        let mut args: SmallVec<[Value; 8]> = d.args.iter().copied().collect();
        let bad = || CompileError::Internal(format!("malformed `{}`", d.op.info().name));
        match (d.op, d.imm) {
            // The sequences that are emitted in loops have the same convention.
            (Op::AllocObject, Imm::Size(size, _)) => {
                let small = size <= MAX_INLINE_ALLOC;
                let h = [HelperId::NewObject, HelperId::NewSmallObject][usize::from(small)];
                Ok(helper_parts(h, args))
            }
            (Op::AllocArray, _) => Ok(helper_parts(HelperId::NewSmallArray, args)),
            (Op::CallHelper, Imm::Helper(h)) => Ok(helper_parts(h, args)),
            (_, Imm::Call(info)) => {
                let sig = self.f.sigs.get(info.sig.index()).ok_or_else(bad)?;
                let context = if sig.context {
                    Some(args.pop().ok_or_else(bad)?)
                } else {
                    None
                };
                let second = match sig.second {
                    Some(ty) => Some((ty, args.pop().ok_or_else(bad)?)),
                    None => None,
                };
                let method = || info.method.ok_or_else(bad);
                let (callee, kind) = match d.op {
                    Op::Call | Op::TailCall => {
                        (Callee::Cell(Fixup::MethodEntry(method()?)), CallKind::Plain)
                    }
                    Op::CallInternal => {
                        (Callee::Cell(Fixup::NativeCode(method()?)), CallKind::Native)
                    }
                    Op::CallIndirect | Op::TailCallIndirect | Op::CallNative
                        if !args.is_empty() =>
                    {
                        let native = d.op == Op::CallNative;
                        let kind = if native {
                            CallKind::PInvoke
                        } else {
                            CallKind::Plain
                        };
                        (Callee::Address(args.remove(0)), kind)
                    }
                    _ => return Err(CompileError::Unsupported(d.op)),
                };
                if args.len() != sig.params.len() && !sig.c_varargs {
                    return Err(bad());
                }
                let params = args.iter().map(|v| self.f.ty(*v)).collect();
                Ok(CallParts {
                    callee,
                    kind,
                    params,
                    args,
                    context,
                    ret: sig.ret,
                    second,
                    c_varargs: sig.c_varargs,
                })
            }
            _ => Err(bad()),
        }
    }

    fn emit_call_parts(&mut self, c: CallParts) -> Option<Reg> {
        let (mut uses, vectors) = self.place_args(&c.params, &c.args, Amode::OutArg);
        if let Some(v) = c.context {
            uses.push((self.reg(v), regs::CONTEXT));
        }
        if c.c_varargs {
            uses.push((self.emit_imm(Type::I32, vectors), regs::RAX));
        }
        let result = c.ret.map(|ty| (self.temp(class(ty)), result_reg(ty)));
        let target = match c.callee {
            Callee::Address(v) => Some(self.reg_mem(v)),
            Callee::Cell(_) => None,
        };
        let second = c.second.map(|(ty, to)| {
            let place = match (ty.is_float(), c.ret.is_some_and(Type::is_float)) {
                (true, true) => regs::SECOND_FLOAT_RESULT,
                (false, false) if c.ret.is_some() => regs::SECOND_INT_RESULT,
                _ => result_reg(ty),
            };
            (self.temp(class(ty)), place, ty, to)
        });
        let defs = result
            .into_iter()
            .chain(second.map(|(r, place, ..)| (r, place)));
        let mut fixed = FixedRegs::call(uses, defs);
        if c.kind == CallKind::PInvoke {
            // Nothing managed stays in registers: the collector looks at the stack only.
            for r in regs::CALLEE_SAVED {
                fixed.clobbers.add(r);
            }
        }
        let regs = Box::new(fixed);
        let d = &self.f.insts[self.current.index()];
        let inst = match (c.callee, target, d.op, d.imm) {
            (_, Some(target), ..) => MInst::CallReg {
                target,
                kind: c.kind,
                regs,
            },
            (_, _, Op::AllocObject, Imm::Size(size, _))
                if size <= MAX_INLINE_ALLOC && self.is_in_loop() =>
            {
                MInst::AllocObject { size, regs }
            }
            (_, _, Op::AllocArray, Imm::Size(element, _)) if self.is_in_loop() => {
                MInst::AllocArray { element, regs }
            }
            (Callee::Cell(fixup), ..) => MInst::Call {
                fixup,
                kind: c.kind,
                regs,
            },
            (Callee::Address(_), None, ..) => return None,
        };
        self.buf.push(inst);
        if let Some((r, _, ty, to)) = second {
            let dst = self.amode(to, 0);
            self.push_store(ty, r, dst);
        }
        result.map(|(r, _)| r)
    }

    /// Is the instruction in work worth more bytes than one that runs once?
    fn is_in_loop(&mut self) -> bool {
        let f = self.f;
        let loops = self.loops.get_or_insert_with(|| {
            let cfg = Cfg::new(f);
            Loops::new(&cfg, &Dominators::new(&cfg))
        });
        let block = self.at.0;
        loops.depth(block) > 0 && !f.blocks[block.index()].cold
    }

    /// Puts arguments into registers and an argument area. Also says how many are in float registers.
    fn place_args(
        &mut self,
        types: &[Type],
        args: &[Value],
        area: fn(i32) -> Amode,
    ) -> (SmallVec<[(Reg, PReg); 6]>, i64) {
        let mut assign = ArgAssigner::default();
        let places: SmallVec<[ArgPlace; 8]> = types.iter().map(|t| assign.next(*t)).collect();
        let mut uses = SmallVec::new();
        let mut vectors = 0;
        for ((&v, &ty), place) in args.iter().zip(types).zip(&places) {
            if let ArgPlace::Stack(offset) = *place {
                self.store_arg(v, ty, area(offset));
            }
        }
        for ((&v, &ty), place) in args.iter().zip(types).zip(&places) {
            if let ArgPlace::Reg(p) = *place {
                vectors += i64::from(ty.is_float());
                uses.push((self.reg(v), p));
            }
        }
        if area(0) == Amode::OutArg(0) {
            self.outgoing = self.outgoing.max(assign.stack as u32);
        }
        (uses, vectors)
    }

    fn push_store(&mut self, ty: Type, src: Reg, dst: Amode) {
        let inst = match ty {
            Type::F32 | Type::F64 => MInst::SseStore {
                op: sse_mov(ty),
                dst,
                src,
            },
            _ => MInst::Store {
                size: Size::S64,
                dst,
                src: RegImm::Reg(src),
            },
        };
        self.buf.push(inst);
    }

    fn store_arg(&mut self, v: Value, ty: Type, m: Amode) {
        let ty = match ty {
            Type::F32 => MemType::F32,
            Type::F64 => MemType::F64,
            _ => MemType::I64,
        };
        debug_assert!(mem_size(ty) == Size::S64 || ty == MemType::F32);
        self.emit_store(ty, v, m);
    }

    /// A helper that does not return, and a trap that shows if it does.
    pub(super) fn emit_noreturn(&mut self, h: HelperId, args: &[Reg]) {
        self.has_calls = true;
        let uses = args.iter().copied().zip(regs::INT_ARGS);
        let regs = Box::new(FixedRegs::call(uses, []));
        let fixup = Fixup::Helper(h);
        let kind = helper_kind(h);
        self.buf.push(MInst::Call { fixup, kind, regs });
        self.buf.push(MInst::Trap {
            kind: crate::abi::trap::TrapKind::InvalidProgram,
        });
    }

    /// A call in place of a return. If its stack arguments need more room than those of this function have, it is a
    /// call and a return.
    pub(super) fn emit_tail_call(&mut self, i: Inst) {
        let parts = match self.call_parts(i) {
            Ok(p) => p,
            Err(e) => return self.fail(e),
        };
        // Functions that call each other for ever must poll.
        self.has_calls = true;
        if stack_bytes(&parts.params) > stack_bytes(&self.f.sig.params) {
            let ret = parts.ret;
            let result = self.emit_call_parts(parts);
            let uses = result.zip(ret).map(|(r, ty)| (r, result_reg(ty)));
            return self.emit_ret(uses);
        }
        let (mut uses, _) = self.place_args(&parts.params, &parts.args, Amode::InArg);
        if let Some(v) = parts.context {
            uses.push((self.reg(v), regs::CONTEXT));
        }
        let regs = |uses| {
            Box::new(FixedRegs {
                uses,
                ..FixedRegs::default()
            })
        };
        let jump = match parts.callee {
            Callee::Cell(fixup) => MInst::JmpFixup {
                fixup,
                regs: regs(uses),
            },
            Callee::Address(v) => {
                uses.push((self.reg(v), regs::RAX));
                MInst::JmpReg {
                    target: RegMem::Reg(Reg::phys(regs::RAX)),
                    regs: regs(uses),
                }
            }
        };
        self.buf.push(jump);
    }

    /// Leaves the function with an optional result.
    pub(super) fn emit_ret(&mut self, uses: Option<(Reg, PReg)>) {
        let regs = FixedRegs {
            uses: uses.into_iter().collect(),
            ..FixedRegs::default()
        };
        self.buf.push(MInst::Ret {
            regs: Box::new(regs),
        });
    }
}

fn helper_kind(h: HelperId) -> CallKind {
    let effects = h.info().effects;
    if effects.contains(Effects::STUB) || !effects.contains(Effects::TRANSITION) {
        CallKind::Plain
    } else if effects.contains(Effects::NORETURN) {
        CallKind::NoReturn
    } else {
        CallKind::Native
    }
}

fn helper_parts(h: HelperId, args: SmallVec<[Value; 8]>) -> CallParts {
    let info = h.info();
    CallParts {
        callee: Callee::Cell(Fixup::Helper(h)),
        kind: helper_kind(h),
        params: info.params.iter().copied().collect(),
        args,
        context: None,
        ret: info.ret,
        second: None,
        c_varargs: false,
    }
}
