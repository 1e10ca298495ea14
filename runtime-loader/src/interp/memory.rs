//! The process's memory as the IR sees it.
#![allow(unsafe_code, reason = "compiled code's accesses, made from Rust")]

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::SeqCst};
use shared_codegen::ir::vector::Bits;
use shared_codegen::ir::{MemType, Op};

/// Loads a scalar, extended as its type says; bits above the value's type are zero.
pub(super) fn load(at: usize, ty: MemType) -> u64 {
    // SAFETY: the IR checks addresses before it loads, as for compiled code; CLI accesses may be unaligned.
    unsafe {
        match ty {
            MemType::I8 => (at as *const i8).read() as u32 as u64,
            MemType::U8 => (at as *const u8).read() as u64,
            MemType::I16 => (at as *const i16).read_unaligned() as u32 as u64,
            MemType::U16 => (at as *const u16).read_unaligned() as u64,
            MemType::I32 | MemType::F32 => (at as *const u32).read_unaligned() as u64,
            MemType::I64 | MemType::F64 | MemType::Ref | MemType::ByRef => {
                (at as *const u64).read_unaligned()
            }
            MemType::V128 | MemType::V256 => unreachable!("no scalar"),
        }
    }
}

/// Loads a vector of 16 or 32 bytes.
pub(super) fn load_wide(at: usize, bytes: u32) -> Bits {
    let mut buffer = [0u8; 32];
    let bytes = buffer.len().min(bytes as usize);
    // SAFETY: as for scalars; the buffer has room.
    unsafe { core::ptr::copy_nonoverlapping(at as *const u8, buffer.as_mut_ptr(), bytes) };
    Bits::from_bytes(&buffer)
}

/// Stores a vector of 16 or 32 bytes.
pub(super) fn store_wide(at: usize, bytes: u32, bits: Bits) {
    let buffer = bits.to_bytes();
    let bytes = buffer.len().min(bytes as usize);
    // SAFETY: as for scalars; the buffer has as many bytes.
    unsafe { core::ptr::copy_nonoverlapping(buffer.as_ptr(), at as *mut u8, bytes) };
}

/// Stores the low bits of a scalar.
pub(super) fn store(at: usize, ty: MemType, bits: u64) {
    // SAFETY: as for loads.
    unsafe {
        match ty.bytes() {
            1 => (at as *mut u8).write(bits as u8),
            2 => (at as *mut u16).write_unaligned(bits as u16),
            4 => (at as *mut u32).write_unaligned(bits as u32),
            _ => (at as *mut u64).write_unaligned(bits),
        }
    }
}

/// Copies bytes; the places are distinct or the same.
pub(super) fn copy(to: usize, from: usize, bytes: usize) {
    // SAFETY: the IR vouches for both.
    unsafe { core::ptr::copy(from as *const u8, to as *mut u8, bytes) };
}

/// Zeroes bytes.
pub(super) fn zero(at: usize, bytes: usize) {
    // SAFETY: the IR vouches for the place.
    unsafe { core::ptr::write_bytes(at as *mut u8, 0, bytes) };
}

/// `atomic_xchg`, `atomic_add`, `atomic_cas`: the old value, extended as its type says.
pub(super) fn atomic(op: Op, at: usize, ty: MemType, operands: &[u64]) -> u64 {
    macro_rules! on {
        ($atomic:ty, $int:ty) => {{
            // SAFETY: the address is valid and, for atomic accesses of the CLI, aligned.
            let cell = unsafe { <$atomic>::from_ptr(at as *mut $int) };
            let first = operands[0] as $int;
            match op {
                Op::AtomicXchg => cell.swap(first, SeqCst),
                Op::AtomicAdd => cell.fetch_add(first, SeqCst),
                _ => match cell.compare_exchange(first, operands[1] as $int, SeqCst, SeqCst) {
                    Ok(old) | Err(old) => old,
                },
            }
        }};
    }
    match ty {
        MemType::I8 => on!(AtomicU8, u8) as i8 as u32 as u64,
        MemType::U8 => on!(AtomicU8, u8) as u64,
        MemType::I16 => on!(AtomicU16, u16) as i16 as u32 as u64,
        MemType::U16 => on!(AtomicU16, u16) as u64,
        MemType::I32 | MemType::F32 => on!(AtomicU32, u32) as u64,
        _ => on!(AtomicU64, u64),
    }
}
