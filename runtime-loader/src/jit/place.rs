//! Placing a compiled method: code memory, relocations, registration.

use super::code_map::{CodeMap, MethodCode};
use super::code_memory::CodeMemoryFull;
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::emit::{CodeBlob, Reloc, RelocKind};
use shared_codegen::types::MethodId;

/// Values of the runtime constants of a blob, bound before.
pub trait Constants {
    /// What an immediate holds.
    fn value(&self, fixup: Fixup) -> u64;

    /// Address of the constant's cell, in the data part of the code memory (for call targets: the entry slot).
    fn cell(&self, fixup: Fixup) -> usize;

    /// Final code address of a method that is called directly, in the code memory.
    fn code(&self, fixup: Fixup) -> usize;
}

/// Copies a blob into code memory, fills its fields in and registers it. The result knows its address.
pub fn place(
    map: &CodeMap,
    blob: &CodeBlob,
    method: MethodId,
    constants: &impl Constants,
) -> Result<&'static MethodCode, CodeMemoryFull> {
    let memory = map.memory();
    let start = memory.allocate_aligned(blob.code.len(), blob.align as usize)?;
    let mut code = blob.code.clone();
    for reloc in &blob.relocs {
        fill(&mut code, start, reloc, constants)?;
    }
    memory.write(start, &code);
    Ok(map.register(MethodCode::of_blob(blob, method, start)))
}

fn fill(
    code: &mut [u8],
    start: usize,
    reloc: &Reloc,
    constants: &impl Constants,
) -> Result<(), CodeMemoryFull> {
    let at = reloc.offset as usize;
    let target = match reloc.kind {
        RelocKind::Abs64 => {
            code[at..at + 8].copy_from_slice(&constants.value(reloc.fixup).to_le_bytes());
            return Ok(());
        }
        RelocKind::Cell32 | RelocKind::CallCell32 => constants.cell(reloc.fixup),
        RelocKind::Direct32 => constants.code(reloc.fixup),
    };
    let from = (start + at + 4) as i64;
    let distance = target as i64 + i64::from(reloc.addend) - from;
    let distance = i32::try_from(distance).map_err(|_| CodeMemoryFull)?;
    code[at..at + 4].copy_from_slice(&distance.to_le_bytes());
    Ok(())
}
