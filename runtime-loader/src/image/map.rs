//! Mapping the segments of a verified image.
//!
//! Images need nothing of a dynamic linker: no relocations, no symbols, no libraries, no initializers. So the loader maps
//! the segments itself, from the file it has verified and still holds open; nothing in the file can make it do more.
#![allow(unsafe_code, reason = "mmap")]

use object::Endianness;
use object::elf::{self, ProgramFlags, ProgramType};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

type Header = elf::FileHeader64<Endianness>;

/// Where an image is mapped. Images are never unmapped.
#[derive(Clone, Copy, Debug)]
pub struct MappedImage {
    /// Address that virtual address 0 of the file got.
    pub base: usize,
    /// Bytes from there to the end of the last segment.
    pub len: usize,
}

impl MappedImage {
    /// The address of a range of virtual addresses, if it lies within the image.
    pub fn address(&self, virtual_address: u64, len: u64) -> Option<usize> {
        let end = virtual_address.checked_add(len)?;
        (end <= self.len as u64).then(|| self.base + virtual_address as usize)
    }
}

/// A loadable segment, checked against the file's size.
struct Segment {
    address: usize,
    memory: usize,
    offset: usize,
    file: usize,
    flags: ProgramFlags,
}

const PAGE: usize = 4096;
/// No image is this large; keeps sums from overflowing.
const MAX_SPAN: u64 = 1 << 40;

/// Dynamic table entries by which a linker would be asked to do something.
const WORK_FOR_A_LINKER: [elf::DynamicTag; 8] = [
    elf::DT_NEEDED,
    elf::DT_RELA,
    elf::DT_REL,
    elf::DT_RELR,
    elf::DT_JMPREL,
    elf::DT_INIT,
    elf::DT_INIT_ARRAY,
    elf::DT_TEXTREL,
];

/// Maps the image `file`, whose content is `bytes`.
pub fn map(file: &File, bytes: &[u8]) -> Result<MappedImage, String> {
    let segments = segments(bytes).map_err(|e| format!("not a loadable image: {e}"))?;
    let len = segments
        .iter()
        .map(|s| s.address + s.memory)
        .max()
        .unwrap_or(0)
        .next_multiple_of(PAGE);
    map_all(file, &segments, len).map_err(|e| format!("cannot be mapped: {e}"))
}

fn segments(bytes: &[u8]) -> Result<Vec<Segment>, String> {
    let text = |e: object::Error| e.to_string();
    let header = Header::parse(bytes).map_err(text)?;
    let endian = header.endian().map_err(text)?;
    if header.e_type(endian) != elf::ET_DYN || header.e_machine(endian) != elf::EM_X86_64 {
        return Err("not a shared object for x86-64".into());
    }
    let mut all = Vec::new();
    for p in header.program_headers(endian, bytes).map_err(text)? {
        let kind: ProgramType = p.p_type(endian);
        if kind == elf::PT_INTERP {
            return Err("it wants an interpreter".into());
        }
        if let Some(dynamic) = p.dynamic(endian, bytes).map_err(text)? {
            check_dynamic(endian, dynamic)?;
        }
        if kind == elf::PT_LOAD {
            all.push(segment(p, endian, bytes.len() as u64)?);
        }
    }
    check_order(&all)?;
    Ok(all)
}

fn check_dynamic(endian: Endianness, entries: &[elf::Dyn64<Endianness>]) -> Result<(), String> {
    match entries
        .iter()
        .find(|d| WORK_FOR_A_LINKER.contains(&d.d_tag(endian)))
    {
        Some(_) => Err("it needs a dynamic linker".into()),
        None => Ok(()),
    }
}

fn segment(
    p: &elf::ProgramHeader64<Endianness>,
    endian: Endianness,
    file_len: u64,
) -> Result<Segment, String> {
    let (offset, file) = p.file_range(endian);
    let (address, memory) = (p.p_vaddr(endian), p.p_memsz(endian));
    let flags = p.p_flags(endian);
    let fits = offset.checked_add(file).is_some_and(|end| end <= file_len)
        && address
            .checked_add(memory)
            .is_some_and(|end| end < MAX_SPAN)
        && file <= memory
        && address % PAGE as u64 == offset % PAGE as u64;
    if !fits {
        return Err("a segment lies outside the file".into());
    }
    if flags & elf::PF_W != ProgramFlags(0) && flags & elf::PF_X != ProgramFlags(0) {
        return Err("a segment is writable and executable".into());
    }
    Ok(Segment {
        address: address as usize,
        memory: memory as usize,
        offset: offset as usize,
        file: file as usize,
        flags,
    })
}

fn check_order(all: &[Segment]) -> Result<(), String> {
    if all.is_empty() {
        return Err("it has no segments".into());
    }
    let apart = all
        .windows(2)
        .all(|w| (w[0].address + w[0].memory).next_multiple_of(PAGE) <= w[1].address / PAGE * PAGE);
    if apart {
        Ok(())
    } else {
        Err("segments overlap".into())
    }
}

fn map_all(file: &File, segments: &[Segment], len: usize) -> io::Result<MappedImage> {
    let base = reserve(len)?;
    for s in segments {
        // SAFETY: the range lies in the reservation (`len` covers all segments, which do not overlap).
        unsafe { map_segment(file, base, s)? };
    }
    Ok(MappedImage { base, len })
}

fn reserve(len: usize) -> io::Result<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no existing memory.
    let base = unsafe { libc::mmap(core::ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(base as usize)
}

/// # Safety
/// `base` is a reservation that covers the segment, and nothing else lies there.
unsafe fn map_segment(file: &File, base: usize, s: &Segment) -> io::Result<()> {
    let prot = protection(s.flags);
    let low = s.address / PAGE * PAGE;
    let in_page = s.address - low;
    let file_end = (in_page + s.file).next_multiple_of(PAGE);
    let end = (in_page + s.memory).next_multiple_of(PAGE);
    let fixed = libc::MAP_PRIVATE | libc::MAP_FIXED;
    if s.file > 0 {
        let offset = (s.offset - in_page) as libc::off_t;
        // SAFETY: by the contract the range is ours to replace.
        unsafe { map_fixed(base + low, file_end, prot, fixed, file.as_raw_fd(), offset)? };
        if s.memory > s.file && s.flags & elf::PF_W != ProgramFlags(0) {
            let tail = base + s.address + s.file;
            // SAFETY: the rest of the last page of a private writable mapping made above.
            unsafe { core::ptr::write_bytes(tail as *mut u8, 0, base + low + file_end - tail) };
        }
    }
    let anonymous = if s.file > 0 { file_end } else { 0 };
    if end > anonymous {
        let flags = fixed | libc::MAP_ANONYMOUS;
        // SAFETY: as above.
        unsafe { map_fixed(base + low + anonymous, end - anonymous, prot, flags, -1, 0)? };
    }
    Ok(())
}

/// # Safety
/// The range belongs to the caller.
unsafe fn map_fixed(
    at: usize,
    len: usize,
    prot: libc::c_int,
    flags: libc::c_int,
    fd: libc::c_int,
    offset: libc::off_t,
) -> io::Result<()> {
    // SAFETY: by the contract.
    let got = unsafe { libc::mmap(at as *mut libc::c_void, len, prot, flags, fd, offset) };
    if got == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn protection(flags: ProgramFlags) -> libc::c_int {
    [
        (elf::PF_R, libc::PROT_READ),
        (elf::PF_W, libc::PROT_WRITE),
        (elf::PF_X, libc::PROT_EXEC),
    ]
    .iter()
    .filter(|(f, _)| flags & *f != ProgramFlags(0))
    .fold(0, |p, (_, bit)| p | bit)
}
