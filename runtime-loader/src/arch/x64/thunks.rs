//! Tiny pieces of code made at run time. All take and give arguments in place.

use super::stubs;
use crate::jit::{CodeMemory, CodeMemoryFull, EntrySlot};

type Result = core::result::Result<usize, CodeMemoryFull>;

/// Cells with the addresses of the stubs, reachable from thunks. Made once per code memory.
#[derive(Clone, Copy, Debug)]
pub struct StubCells {
    prestub: EntrySlot,
    native_entry: EntrySlot,
}

impl StubCells {
    /// Makes the cells.
    pub fn new(memory: &CodeMemory) -> core::result::Result<StubCells, CodeMemoryFull> {
        Ok(StubCells {
            prestub: memory.new_slot(stubs::prestub as *const () as usize)?,
            native_entry: memory.new_slot(stubs::native_entry as *const () as usize)?,
        })
    }

    /// First target of a method's entry slot: `mov r11d, id; jmp prestub`.
    pub fn prestub(&self, memory: &CodeMemory, id: u32) -> Result {
        let mut code = vec![0x41, 0xbb];
        code.extend(id.to_le_bytes());
        install_with_jump(memory, code, self.prestub)
    }

    /// A function pointer for native code: calls `entry(data, arguments)`.
    pub fn native_callback(
        &self,
        memory: &CodeMemory,
        data: usize,
        entry: stubs::NativeEntry,
    ) -> Result {
        let mut code = load_r10(data);
        code.extend([0x49, 0xbb]); // movabs r11, entry
        code.extend((entry as usize).to_le_bytes());
        install_with_jump(memory, code, self.native_entry)
    }
}

/// An address for `ldftn` and tables: `jmp *slot`.
pub fn entry(memory: &CodeMemory, slot: EntrySlot) -> Result {
    install_with_jump(memory, Vec::new(), slot)
}

/// `this` is a boxed value, the target wants the address of its data; `context` goes to `r10` if given.
pub fn unboxing(memory: &CodeMemory, slot: EntrySlot, context: Option<usize>) -> Result {
    let mut code = vec![0x48, 0x83, 0xc7, 16]; // add rdi, 16
    code.extend(context.map(load_r10).unwrap_or_default());
    install_with_jump(memory, code, slot)
}

/// `this` is a boxed value of a generic type whose shared code takes the method table as context: it is read from the box.
pub fn unboxing_with_type(memory: &CodeMemory, slot: EntrySlot) -> Result {
    // mov r10, [rdi]; add rdi, 16
    install_with_jump(memory, vec![0x4c, 0x8b, 0x17, 0x48, 0x83, 0xc7, 16], slot)
}

/// Shared code called by somebody who knows no context: `movabs r10, context; jmp *slot`.
pub fn instantiating(memory: &CodeMemory, slot: EntrySlot, context: usize) -> Result {
    install_with_jump(memory, load_r10(context), slot)
}

fn load_r10(value: usize) -> Vec<u8> {
    let mut code = vec![0x49, 0xba];
    code.extend(value.to_le_bytes());
    code
}

/// Appends `jmp *slot(%rip)`.
fn install_with_jump(memory: &CodeMemory, mut code: Vec<u8>, slot: EntrySlot) -> Result {
    let start = memory.allocate(code.len() + 6)?;
    let end = start + code.len() + 6;
    code.extend([0xff, 0x25]);
    let distance = i32::try_from(slot.addr() as i64 - end as i64).map_err(|_| CodeMemoryFull)?;
    code.extend(distance.to_le_bytes());
    memory.write(start, &code);
    Ok(start)
}
