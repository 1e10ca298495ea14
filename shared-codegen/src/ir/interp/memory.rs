//! The interpreter's memory.

use crate::ir::eval::Const;
use crate::ir::vector::Bits;
use crate::ir::{MemType, Type};
use std::fmt;

/// First heap address; everything below counts as null.
const HEAP: u64 = 0x10_0000;
/// First stack address.
const STACK: u64 = 0x7f00_0000_0000;
/// Most bytes of either arena.
const LIMIT: usize = 64 << 20;

/// An access to memory that is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadAddress {
    /// Where.
    pub address: u64,
    /// How much.
    pub bytes: u64,
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} bytes at {:#x}", self.bytes, self.address)
    }
}

/// Heap and stack. Nothing on the heap is ever freed.
#[derive(Debug, Default, Clone)]
pub struct Memory {
    heap: Vec<u8>,
    stack: Vec<u8>,
}

impl Memory {
    /// Empty memory.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Zeroed heap memory, 16-byte aligned.
    pub fn alloc(&mut self, bytes: u64) -> Result<u64, BadAddress> {
        grow(&mut self.heap, HEAP, bytes, 0)
    }

    /// Stack memory, 16-byte aligned, full of junk unless zeroed.
    pub fn push(&mut self, bytes: u64, zeroed: bool) -> Result<u64, BadAddress> {
        grow(&mut self.stack, STACK, bytes, if zeroed { 0 } else { 0xcd })
    }

    /// Height of the stack.
    pub fn stack_mark(&self) -> usize {
        self.stack.len()
    }

    /// Frees stack memory above a mark.
    pub fn pop_to(&mut self, mark: usize) {
        self.stack.truncate(mark);
    }

    fn range(&self, address: u64, bytes: u64) -> Option<(bool, std::ops::Range<usize>)> {
        let (arena, base, is_stack) = match address >= STACK {
            true => (&self.stack, STACK, true),
            false => (&self.heap, HEAP, false),
        };
        let start = address.checked_sub(base)?;
        let end = start.checked_add(bytes)?;
        (end <= arena.len() as u64).then_some((is_stack, start as usize..end as usize))
    }

    /// Bytes at an address.
    pub fn bytes(&self, address: u64, bytes: u64) -> Result<&[u8], BadAddress> {
        match self.range(address, bytes) {
            Some((true, r)) => Ok(&self.stack[r]),
            Some((false, r)) => Ok(&self.heap[r]),
            None => Err(BadAddress { address, bytes }),
        }
    }

    /// Bytes at an address, to be changed.
    pub fn bytes_mut(&mut self, address: u64, bytes: u64) -> Result<&mut [u8], BadAddress> {
        match self.range(address, bytes) {
            Some((true, r)) => Ok(&mut self.stack[r]),
            Some((false, r)) => Ok(&mut self.heap[r]),
            None => Err(BadAddress { address, bytes }),
        }
    }

    /// Loads a scalar, extended as its type says.
    pub fn load(&self, address: u64, ty: MemType) -> Result<Const, BadAddress> {
        let mut buffer = [0; 8];
        let n = ty.bytes() as usize;
        buffer[..n].copy_from_slice(self.bytes(address, n as u64)?);
        let bits = u64::from_le_bytes(buffer);
        let n = match ty {
            MemType::I8 => bits as i8 as i64,
            MemType::I16 => bits as i16 as i64,
            _ => bits as i64,
        };
        Ok(Const::of(ty.value_type(), n))
    }

    /// Stores the low bytes of a scalar.
    pub fn store(&mut self, address: u64, ty: MemType, bits: u64) -> Result<(), BadAddress> {
        let n = ty.bytes() as usize;
        let to = self.bytes_mut(address, n as u64)?;
        to.copy_from_slice(&bits.to_le_bytes()[..n]);
        Ok(())
    }

    /// Loads a vector.
    pub fn load_wide(&self, address: u64, ty: MemType) -> Result<Bits, BadAddress> {
        Ok(Bits::from_bytes(self.bytes(address, ty.bytes().into())?))
    }

    /// Stores a vector.
    pub fn store_wide(&mut self, address: u64, ty: MemType, bits: Bits) -> Result<(), BadAddress> {
        let to = self.bytes_mut(address, ty.bytes().into())?;
        to.copy_from_slice(&bits.to_bytes()[..to.len()]);
        Ok(())
    }

    /// Loads a word.
    pub fn word(&self, address: u64) -> Result<u64, BadAddress> {
        Ok(self.load(address, MemType::I64)?.bits)
    }

    /// Copies bytes, the two places may overlap.
    pub fn copy(&mut self, to: u64, from: u64, bytes: u64) -> Result<(), BadAddress> {
        let data = self.bytes(from, bytes)?.to_vec();
        self.bytes_mut(to, bytes)?.copy_from_slice(&data);
        Ok(())
    }
}

impl Memory {
    /// Loads as a value of a given type of the same size (words stand for each other).
    pub(super) fn load_as(&self, at: u64, mem: MemType, ty: Type) -> Result<Const, BadAddress> {
        let c = self.load(at, mem)?;
        Ok(Const { ty, bits: c.bits })
    }
}

fn grow(arena: &mut Vec<u8>, base: u64, bytes: u64, fill: u8) -> Result<u64, BadAddress> {
    let start = arena.len().next_multiple_of(16);
    let end = (bytes as usize).saturating_add(start);
    if end > LIMIT {
        return Err(BadAddress {
            address: base + start as u64,
            bytes,
        });
    }
    arena.resize(start, fill);
    arena.resize(end.max(start + 1), fill);
    Ok(base + start as u64)
}
