//! Frames, calls and control flow of the interpreter.

use super::{Answer, Host, InterpError, Memory, Raise, unsupported};
use crate::ir::eval::Const;
use crate::ir::text::NoNames;
use crate::ir::vector::Bits;
use crate::ir::{
    Block, Function, Imm, Inst, InstData, MemType, Op, Region, Slot, Target, Type, Value, typing,
};
use crate::types::MethodId;
use std::rc::Rc;

/// Most frames.
const MAX_DEPTH: usize = 500;

/// One activation of a function, or of one of its filters.
#[derive(Clone)]
pub(super) struct Frame {
    pub f: Rc<Function>,
    /// Bits of each value.
    pub values: Vec<Bits>,
    /// Addresses of the slots.
    pub slots: Vec<u64>,
    pub context: u64,
    pub block: Block,
    /// Number of the next instruction in the block.
    pub next: usize,
    /// The caller's value that waits for the result.
    pub result: Option<Value>,
    /// Height of the stack below this frame.
    pub mark: usize,
    /// Exceptions on their way through a fault handler of this frame: handler's region, object, catching frame and region.
    pub unwinding: Vec<(Region, u64, usize, Region)>,
}

/// How an instruction went.
pub(super) enum Flow {
    /// On to the next.
    Next,
    /// Control went elsewhere.
    Moved,
    /// The outermost frame (or filter) is done.
    Done(Option<Const>),
}

pub(super) struct Machine<'h> {
    pub host: &'h mut dyn Host,
    pub mem: &'h mut Memory,
    pub frames: Vec<Frame>,
    pub fuel: u64,
}

impl<'h> Machine<'h> {
    pub fn new(host: &'h mut dyn Host, mem: &'h mut Memory, fuel: u64) -> Machine<'h> {
        Machine {
            host,
            mem,
            frames: Vec::new(),
            fuel,
        }
    }

    pub fn run(mut self, method: MethodId, args: &[Const]) -> Result<Option<Const>, InterpError> {
        let refuse = |why: String| InterpError::Unsupported {
            function: format!("{method:?}"),
            inst: String::new(),
            why,
        };
        let f = self
            .host
            .function(method)
            .ok_or_else(|| refuse("no body".into()))?;
        self.enter(f, args, 0, None)
            .map_err(|e| refuse(format!("{e:?}")))?;
        self.run_from(0)
    }

    /// Runs until the frame at `base` is done.
    pub fn run_from(&mut self, base: usize) -> Result<Option<Const>, InterpError> {
        loop {
            if self.fuel == 0 {
                return Err(InterpError::OutOfFuel);
            }
            self.fuel -= 1;
            let top = self.frames.len() - 1;
            let frame = &mut self.frames[top];
            let inst = frame.f.blocks[frame.block.index()].insts[frame.next];
            frame.next += 1;
            let f = frame.f.clone();
            match self.step(&f, &f.insts[inst.index()], base) {
                Ok(Flow::Done(c)) => return Ok(c),
                Ok(Flow::Next | Flow::Moved) => {}
                Err(Raise::Bad(address)) => {
                    return Err(InterpError::Memory {
                        function: f.name.clone(),
                        inst: text(&f, inst),
                        address,
                    });
                }
                Err(Raise::Unsupported(why)) => return Err(error(&f, inst, why)),
                Err(Raise::Trap(kind)) => {
                    let object = self.host.trap_exception(self.mem, kind);
                    let object = object.map_err(|e| error(&f, inst, format!("{e:?}")))?;
                    self.raise(object, base)?;
                }
                Err(Raise::Object(object)) => self.raise(object, base)?,
            }
        }
    }

    pub fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("there is a frame")
    }

    // ---- values

    pub fn get(&self, f: &Function, v: Value) -> Const {
        let v = f.resolve(v);
        let frame = self.frames.last().expect("there is a frame");
        Const {
            ty: f.ty(v),
            bits: frame.values[v.index()].low(),
        }
    }

    pub fn set(&mut self, v: Option<Value>, bits: u64) {
        if let Some(v) = v {
            self.top().values[v.index()] = Bits::of(bits);
        }
    }

    /// Bits of a value of any size.
    pub fn get_wide(&self, f: &Function, v: Value) -> Bits {
        let frame = self.frames.last().expect("there is a frame");
        frame.values[f.resolve(v).index()]
    }

    pub fn set_wide(&mut self, v: Option<Value>, bits: Bits) {
        if let Some(v) = v {
            self.top().values[v.index()] = bits;
        }
    }

    pub fn args(&self, f: &Function, data: &InstData) -> Vec<Const> {
        data.args.iter().map(|&v| self.get(f, v)).collect()
    }

    pub fn slot_at(&self, slot: Slot, offset: i32) -> u64 {
        let frame = self.frames.last().expect("there is a frame");
        frame.slots[slot.index()].wrapping_add(offset as i64 as u64)
    }

    // ---- calls

    /// Pushes a frame for a call.
    pub fn enter(
        &mut self,
        f: Rc<Function>,
        args: &[Const],
        context: u64,
        result: Option<Value>,
    ) -> Answer<()> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Raise::Trap(crate::abi::trap::TrapKind::StackOverflow));
        }
        let entry = f.entry();
        let params = &f.blocks[entry.index()].params;
        if params.len() != args.len() {
            return unsupported(format!("{} arguments for {}", args.len(), f.name));
        }
        let mut values = vec![Bits::default(); f.values.len()];
        for (&p, a) in params.iter().zip(args) {
            if !typing::compatible(f.ty(p), a.ty) {
                return unsupported(format!("{a:?} for {p} of {}", f.name));
            }
            values[p.index()] = Bits::of(a.bits);
        }
        let mark = self.mem.stack_mark();
        let mut slots = Vec::with_capacity(f.slots.len());
        for s in &f.slots {
            slots.push(self.mem.push(s.size as u64, s.zeroed)?);
        }
        self.frames.push(Frame {
            f,
            values,
            slots,
            context,
            block: entry,
            next: 0,
            result,
            mark,
            unwinding: Vec::new(),
        });
        Ok(())
    }

    /// Calls a method: its body, or else the host. A context operand is the last argument.
    pub fn call(
        &mut self,
        method: MethodId,
        args: &[Const],
        has_context: bool,
        result: Option<Value>,
    ) -> Answer<Flow> {
        let (args, context) = match args.split_last() {
            Some((context, args)) if has_context => (args, context.bits),
            _ => (args, 0),
        };
        if let Some(f) = self.host.function(method) {
            self.enter(f, args, context, result)?;
            return Ok(Flow::Moved);
        }
        let value = self.host.external(self.mem, Some(method), args)?;
        self.set(result, value.map_or(0, |c| c.bits));
        Ok(Flow::Next)
    }

    /// Leaves the top frame.
    fn leave(&mut self, value: Option<Const>, base: usize) -> Flow {
        let frame = self.frames.pop().expect("there is a frame");
        self.mem.pop_to(frame.mark);
        if self.frames.len() == base {
            return Flow::Done(value);
        }
        self.set(frame.result, value.map_or(0, |c| c.bits));
        Flow::Moved
    }

    // ---- control flow

    /// Terminators.
    pub fn control(&mut self, f: &Function, data: &InstData, base: usize) -> Answer<Flow> {
        let first = data.args.first().map(|&v| self.get(f, v));
        let bits = first.map_or(0, |c| c.bits);
        match data.op {
            Op::Jump => self.go(f, &data.targets[0]),
            Op::Brif => self.go(f, &data.targets[(bits == 0) as usize]),
            Op::Switch => {
                let n = (bits as usize).min(data.targets.len() - 1);
                self.go(f, &data.targets[n])
            }
            Op::Return => {
                let value = first.map(|c| Const {
                    ty: f.sig.ret.unwrap_or(c.ty),
                    bits: c.bits,
                });
                return Ok(self.leave(value, base));
            }
            Op::EndFilter => return Ok(self.leave(first, base)),
            Op::TailCall | Op::TailCallIndirect => return self.tail_call(f, data, base),
            Op::Throw if bits == 0 => {
                return Err(Raise::Trap(crate::abi::trap::TrapKind::NullReference));
            }
            Op::Throw => return Err(Raise::Object(bits)),
            Op::Rethrow => return Err(Raise::Object(self.exception(f, &data.imm)?)),
            Op::ResumeUnwind => return self.resume(&data.imm),
            Op::Trap => {
                return match data.imm {
                    Imm::Trap(kind) => Err(Raise::Trap(kind)),
                    _ => unsupported("trap without kind"),
                };
            }
            _ => return unsupported("terminator"),
        }
        Ok(Flow::Moved)
    }

    fn go(&mut self, f: &Function, target: &Target) {
        let args: Vec<Bits> = target.args.iter().map(|&v| self.get_wide(f, v)).collect();
        let frame = self.top();
        for (&p, bits) in f.blocks[target.block.index()].params.iter().zip(args) {
            frame.values[p.index()] = bits;
        }
        frame.block = target.block;
        frame.next = 0;
    }

    fn tail_call(&mut self, f: &Function, data: &InstData, base: usize) -> Answer<Flow> {
        let all = self.args(f, data);
        let Imm::Call(info) = data.imm else {
            return unsupported("call without immediate");
        };
        let args = &all[data.op.call_prefix()..];
        let method = match data.op {
            Op::TailCallIndirect => self.host.method_at(all[0].bits),
            _ => info.method,
        };
        let Some(method) = method else {
            return unsupported("tail call of an unknown method");
        };
        let has_context = f.sigs[info.sig.index()].context;
        let result = self.top().result;
        if self.host.function(method).is_none() {
            let value = self.host.external(self.mem, Some(method), args)?;
            return Ok(self.leave(value, base));
        }
        // The callee gets the place of this frame: the outermost one must not be seen as done.
        let old = self.frames.pop().expect("there is a frame");
        self.mem.pop_to(old.mark);
        self.call(method, args, has_context, result)
    }

    /// The exception in flight of a region.
    pub fn exception(&self, f: &Function, imm: &Imm) -> Answer<u64> {
        let Imm::Region(r) = *imm else {
            return unsupported("no region");
        };
        let slot = f.regions[r.index()].eh_slot;
        let at = self.slot_at(slot, crate::abi::layout::frame::EH_EXCEPTION);
        Ok(self.mem.load_as(at, MemType::Ref, Type::Ref)?.bits)
    }
}

fn text(f: &Function, inst: Inst) -> String {
    f.display_inst(inst, &NoNames).to_string()
}

fn error(f: &Function, inst: Inst, why: String) -> InterpError {
    InterpError::Unsupported {
        function: f.name.clone(),
        inst: text(f, inst),
        why,
    }
}
