//! Tiny pieces of code made at run time. All leave the arguments in place.

use super::stubs;
use crate::jit::{CodeMemory, CodeMemoryFull, EntrySlot};
use parking_lot::Mutex;

type Result<T> = core::result::Result<T, CodeMemoryFull>;

/// Maker of thunks.
#[derive(Debug)]
pub struct Thunks {
    memory: &'static CodeMemory,
    /// Cells with the addresses of the stubs, which are too far away for direct jumps.
    prestub: EntrySlot,
    resolve_virtual: EntrySlot,
    native_entry: EntrySlot,
    vtable_resolvers: Mutex<Vec<usize>>,
}

impl Thunks {
    /// Thunks in this memory.
    pub fn new(memory: &'static CodeMemory) -> Result<Thunks> {
        let cell = |stub: unsafe extern "C" fn()| memory.new_slot(stub as *const () as usize);
        Ok(Thunks {
            memory,
            prestub: cell(stubs::prestub)?,
            resolve_virtual: cell(stubs::resolve_virtual)?,
            native_entry: cell(stubs::native_entry)?,
            vtable_resolvers: Mutex::default(),
        })
    }

    /// A new entry slot whose first call asks the host for the method with this number.
    pub fn new_entry(&self, id: u32) -> Result<EntrySlot> {
        let prestub = self.with_jump(load_r11(id), self.prestub)?;
        self.memory.new_slot(prestub)
    }

    /// First content of every vtable slot with this index: asks the host.
    pub fn vtable_resolver(&self, slot: u32) -> Result<usize> {
        let mut made = self.vtable_resolvers.lock();
        while made.len() <= slot as usize {
            let next = self.with_jump(load_r11(made.len() as u32), self.resolve_virtual)?;
            made.push(next);
        }
        Ok(made[slot as usize])
    }

    /// First content of every interface dispatch slot: asks the host.
    pub fn interface_resolver(&self) -> usize {
        stubs::resolve_interface as *const () as usize
    }

    /// An address for `ldftn` and tables: `jmp *slot`.
    pub fn entry(&self, slot: EntrySlot) -> Result<usize> {
        self.with_jump(Vec::new(), slot)
    }

    /// `this` is a boxed value, the target wants the address of its data; `context` goes to `r10` if given.
    pub fn unboxing(&self, slot: EntrySlot, context: Option<usize>) -> Result<usize> {
        let mut code = vec![0x48, 0x83, 0xc7, 16]; // add rdi, 16
        code.extend(context.map(load_r10).unwrap_or_default());
        self.with_jump(code, slot)
    }

    /// `this` is a boxed value whose type is the hidden context of the shared target: it is read from the box.
    pub fn unboxing_with_type(&self, slot: EntrySlot) -> Result<usize> {
        // mov r10, [rdi]; add rdi, 16
        self.with_jump(vec![0x4c, 0x8b, 0x17, 0x48, 0x83, 0xc7, 16], slot)
    }

    /// Shared code called by somebody who knows no context: `movabs r10, context; jmp *slot`.
    pub fn instantiating(&self, slot: EntrySlot, context: usize) -> Result<usize> {
        self.with_jump(load_r10(context), slot)
    }

    /// A function pointer for native code: calls `entry(data, arguments)`.
    pub fn native_callback(&self, data: usize, entry: stubs::NativeEntry) -> Result<usize> {
        let mut code = load_r10(data);
        code.extend([0x49, 0xbb]); // movabs r11, entry
        code.extend((entry as usize).to_le_bytes());
        self.with_jump(code, self.native_entry)
    }

    /// Interface dispatch for one method: `target` if `r10` is `method`, else `next`.
    pub fn interface_guard(&self, method: usize, target: usize, next: usize) -> Result<usize> {
        let mut code = vec![0x48, 0xb8]; // movabs rax, method
        code.extend(method.to_le_bytes());
        code.extend([0x49, 0x39, 0xc2]); // cmp r10, rax
        code.extend([0x48, 0xb8]); // movabs rax, target
        code.extend(target.to_le_bytes());
        code.extend([0x74, 10]); // je over the next instruction
        code.extend([0x48, 0xb8]); // movabs rax, next
        code.extend(next.to_le_bytes());
        code.extend([0xff, 0xe0]); // jmp rax
        self.memory.install(&code)
    }

    /// Appends `jmp *slot(%rip)`.
    fn with_jump(&self, mut code: Vec<u8>, slot: EntrySlot) -> Result<usize> {
        let start = self.memory.allocate(code.len() + 6)?;
        let end = start + code.len() + 6;
        code.extend([0xff, 0x25]);
        let distance =
            i32::try_from(slot.addr() as i64 - end as i64).map_err(|_| CodeMemoryFull)?;
        code.extend(distance.to_le_bytes());
        self.memory.write(start, &code);
        Ok(start)
    }
}

/// `movabs r10, value`
fn load_r10(value: usize) -> Vec<u8> {
    let mut code = vec![0x49, 0xba];
    code.extend(value.to_le_bytes());
    code
}

/// `mov r11d, value`
fn load_r11(value: u32) -> Vec<u8> {
    let mut code = vec![0x41, 0xbb];
    code.extend(value.to_le_bytes());
    code
}
