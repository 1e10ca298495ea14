//! The reference executor (`--jit interpret`): methods of the program run by interpreting their low-level IR over the
//! process's memory. Slow, and simple enough to be believed where compiled code is in doubt; with `-O LIST` it shows what
//! passes did to the IR without the back end in between.
//!
//! To everybody else an interpreted method is a compiled one: its code is a stub made by the code generator, whose frame has
//! room for the method's values and stack slots (so that the collector sees them) and which calls the helper `interpret`.
//! Computing ops mean what `ir::eval` says; calls, allocation and checks go the ways of compiled code.
//!
//! What differs: places inside interpreted methods have no IL offset in stack traces, and an exception that leaves an
//! interpreted method runs its finally blocks before the filters of its callers. The class libraries are compiled as ever.

mod calls;
mod machine;
mod memory;
mod stub;
mod unwind;

use crate::icall::{Result, managed};
use crate::object::MethodDesc;
use crate::runtime::Runtime;
use shared_codegen::ir::{Function, Imm, Slot, Value};
use shared_codegen::metadata::Module;
use shared_codegen::pipeline::{self, Plan};
use shared_codegen::types::MethodKind;
use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

/// Most bytes of a frame.
const MAX_FRAME: u32 = 1 << 16;

/// A method ready to be interpreted.
pub(crate) struct Interpreted {
    f: Function,
    layout: Layout,
    /// Runtime constants, by the instruction that names them; found when first needed.
    constants: Vec<OnceLock<usize>>,
}

/// Where things are in a frame, in bytes from its start: the parameters come first, a word each.
struct Layout {
    /// The hidden generic context.
    context: u32,
    /// A word for each value, or as much as the largest vector needs.
    values: u32,
    value_bytes: u32,
    slots: Vec<u32>,
    size: u32,
}

impl Layout {
    fn of(f: &Function) -> Layout {
        let context = 8 * f.sig.params.len() as u32;
        let values = context + 8;
        let value_bytes = f.values.iter().map(|v| v.ty.bytes()).fold(8, u32::max);
        let mut end = values.saturating_add(value_bytes * f.values.len() as u32);
        let mut slots = Vec::with_capacity(f.slots.len());
        for slot in &f.slots {
            let at = end.next_multiple_of(slot.align.max(8));
            slots.push(at);
            end = at.saturating_add(slot.size);
        }
        Layout {
            context,
            values,
            value_bytes,
            slots,
            size: end,
        }
    }

    fn value(&self, v: Value) -> usize {
        self.values as usize + self.value_bytes as usize * v.index()
    }

    fn slot(&self, s: Slot) -> usize {
        self.slots[s.index()] as usize
    }
}

/// Why a method is compiled after all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// An op only compiled code can do.
    Op(&'static str),
    /// The frame would be larger than [`MAX_FRAME`].
    Frame,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Op(name) => f.write_str(name),
            Refusal::Frame => f.write_str("large frame"),
        }
    }
}

/// Is this a method of the program, rather than of Debian's class libraries, and one with IL?
pub(crate) fn is_wanted(rt: &Runtime, desc: &MethodDesc) -> bool {
    let MethodKind::Def { module, row, .. } = rt.types.method_kind(desc.method) else {
        return false;
    };
    let libraries = [Path::new("/usr/lib/mono"), Path::new("/usr/lib/cli")];
    let path = &rt.types.assembly(module).path;
    let has_il = |m: &Module| m.method_def(row).is_ok_and(|def| def.rva != 0);
    !libraries.iter().any(|l| path.starts_with(l)) && has_il(rt.types.module(module))
}

/// Makes a method interpretable: the stub that stands for its code.
pub(crate) fn prepare(
    rt: &Runtime,
    desc: &MethodDesc,
    plan: &Plan,
) -> core::result::Result<core::result::Result<Function, Refusal>, pipeline::Error> {
    let (f, _) = pipeline::optimize(&rt.types, desc.method, plan)?;
    if let Some(refusal) = refusal(&f) {
        return Ok(Err(refusal));
    }
    let constants = f.insts.iter().map(|_| OnceLock::new()).collect();
    let layout = Layout::of(&f);
    // Code is never freed, and neither is what stands for it.
    let code: &'static Interpreted = Box::leak(Box::new(Interpreted {
        f,
        layout,
        constants,
    }));
    Ok(Ok(stub::build(code)))
}

fn refusal(f: &Function) -> Option<Refusal> {
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    let refused = insts.map(|i| &f.insts[i.index()]).find(|data| {
        // These give two results, or are about the native stack.
        let native = match data.imm {
            Imm::Call(info) => {
                let sig = &f.sigs[info.sig.index()];
                sig.second.is_some() || sig.c_varargs
            }
            _ => false,
        };
        native || !machine::is_supported(data.op)
    });
    let large = Layout::of(f).size > MAX_FRAME;
    refused
        .map(|data| Refusal::Op(data.op.info().name))
        .or(large.then_some(Refusal::Frame))
}

/// Helper `interpret`: what the stub was made for, and its frame. The result is the bits of the method's.
pub(crate) extern "C" fn interpret(code: &'static Interpreted, frame: usize) -> u64 {
    managed(|| -> Result<u64> { machine::run(code, frame) })
}
