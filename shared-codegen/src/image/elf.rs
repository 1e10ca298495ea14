//! The ELF container: where the header stands, and what is mapped where.

use super::{Error, HEADER_SYMBOL, Result};
use core::ops::Range;
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use object::{LittleEndian, elf};

/// A part of the file to be mapped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Virtual addresses.
    pub vaddrs: Range<u64>,
    /// Bytes of the file; what of `vaddrs` lies behind them is zero. Lies within the file.
    pub file: Range<u64>,
    /// May be written.
    pub writable: bool,
    /// May be executed.
    pub executable: bool,
}

/// What the container says.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub segments: Vec<Segment>,
    pub header_vaddr: u64,
}

fn wrong(e: impl core::fmt::Display) -> Error {
    Error::NotAnImage(e.to_string())
}

impl Container {
    /// Reads the container. Refuses what the writer would not make.
    pub fn parse(bytes: &[u8]) -> Result<Container> {
        let endian = LittleEndian;
        let file = elf::FileHeader64::<LittleEndian>::parse(bytes).map_err(wrong)?;
        if file.e_machine(endian) != elf::EM_X86_64 || file.e_type(endian) != elf::ET_DYN {
            return Err(wrong("not a shared object for x86-64"));
        }
        let mut segments = Vec::new();
        for p in file.program_headers(endian, bytes).map_err(wrong)? {
            if p.p_type(endian) == elf::PT_LOAD {
                segments.push(segment(p, bytes.len() as u64)?);
            }
        }
        if !segments.is_sorted_by(|a, b| a.vaddrs.end <= b.vaddrs.start) {
            return Err(wrong("segments overlap"));
        }
        let sections = file.sections(endian, bytes).map_err(wrong)?;
        let symbols = sections
            .symbols(endian, bytes, elf::SHT_DYNSYM)
            .map_err(wrong)?;
        let header = symbols
            .iter()
            .find(|s| s.name(endian, symbols.strings()) == Ok(HEADER_SYMBOL.as_bytes()));
        let header = header.ok_or_else(|| wrong("no image header"))?;
        Ok(Container {
            segments,
            header_vaddr: header.st_value(endian),
        })
    }

    /// The segment that holds these addresses.
    pub fn segment_of(&self, vaddrs: &Range<u64>) -> Option<&Segment> {
        let holds = |s: &&Segment| s.vaddrs.start <= vaddrs.start && vaddrs.end <= s.vaddrs.end;
        self.segments.iter().find(holds)
    }

    /// The bytes of the file at these addresses.
    pub fn bytes_at<'a>(&self, file: &'a [u8], vaddrs: Range<u64>) -> Option<&'a [u8]> {
        let s = self.segment_of(&vaddrs)?;
        let start = s.file.start.checked_add(vaddrs.start - s.vaddrs.start)?;
        let end = start.checked_add(vaddrs.end.checked_sub(vaddrs.start)?)?;
        if end > s.file.end {
            return None;
        }
        file.get(start as usize..end as usize)
    }
}

fn segment(p: &elf::ProgramHeader64<LittleEndian>, file_size: u64) -> Result<Segment> {
    let endian = LittleEndian;
    let range = |start: u64, size: u64| start.checked_add(size).map(|end| start..end);
    let vaddrs = range(p.p_vaddr(endian), p.p_memsz(endian));
    let file = range(p.p_offset(endian), p.p_filesz(endian)).filter(|r| r.end <= file_size);
    let (Some(vaddrs), Some(file)) = (vaddrs, file) else {
        return Err(wrong("a segment beyond the end of the file"));
    };
    if p.p_filesz(endian) > p.p_memsz(endian) {
        return Err(wrong("a segment larger than its place"));
    }
    let flags = p.p_flags(endian);
    Ok(Segment {
        vaddrs,
        file,
        writable: flags & elf::PF_W == elf::PF_W,
        executable: flags & elf::PF_X == elf::PF_X,
    })
}
