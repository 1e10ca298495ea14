//! The PE container of CLI assemblies (ECMA-335 II.25): sections, CLI header, RVA to bytes.

use crate::metadata::Error;

/// Location and size in the image's address space.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DataDirectory {
    /// Relative virtual address.
    pub rva: u32,
    /// Bytes.
    pub size: u32,
}

#[derive(Clone, Copy, Debug)]
struct Section {
    rva: u32,
    virtual_size: u32,
    file_offset: u32,
    file_size: u32,
}

/// A PE file with a CLI header.
#[derive(Debug, Default)]
pub struct PeFile {
    bytes: &'static [u8],
    sections: Box<[Section]>,
    /// PE32+ (64-bit) container.
    pub is_pe32_plus: bool,
    /// `IMAGE_FILE_MACHINE_*`.
    pub machine: u16,
    /// `COMIMAGE_FLAGS_*`.
    pub cor_flags: u32,
    /// Token of the entry point, 0 for libraries.
    pub entry_point: u32,
    /// The metadata.
    pub metadata: DataDirectory,
    /// Manifest resources.
    pub resources: DataDirectory,
    /// Strong-name signature.
    pub strong_name: DataDirectory,
}

/// Little-endian number at an offset.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        bytes.get(at..at.checked_add(2)?)?.try_into().ok()?,
    ))
}

/// Little-endian number at an offset.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

impl PeFile {
    /// Reads the headers.
    pub fn parse(bytes: &'static [u8]) -> Result<PeFile, Error> {
        let not_pe = || Error::NotPe;
        if bytes.get(..2) != Some(b"MZ") {
            return Err(not_pe());
        }
        let pe = u32_at(bytes, 0x3c).ok_or_else(not_pe)? as usize;
        if bytes.get(pe..pe.saturating_add(4)) != Some(b"PE\0\0") {
            return Err(not_pe());
        }
        let coff = pe + 4;
        let machine = u16_at(bytes, coff).ok_or_else(not_pe)?;
        let section_count = u16_at(bytes, coff + 2).ok_or_else(not_pe)? as usize;
        let optional_size = u16_at(bytes, coff + 16).ok_or_else(not_pe)? as usize;
        let optional = coff + 20;
        let is_pe32_plus = match u16_at(bytes, optional).ok_or_else(not_pe)? {
            0x10b => false,
            0x20b => true,
            _ => return Err(not_pe()),
        };
        let directories = optional + if is_pe32_plus { 112 } else { 96 };
        let count = u32_at(bytes, directories - 4).ok_or_else(not_pe)?;
        if count < 15 {
            return Err(Error::NotCli);
        }
        let sections =
            read_sections(bytes, optional + optional_size, section_count).ok_or_else(not_pe)?;
        let mut file = PeFile {
            bytes,
            sections,
            is_pe32_plus,
            machine,
            cor_flags: 0,
            entry_point: 0,
            metadata: DataDirectory::default(),
            resources: DataDirectory::default(),
            strong_name: DataDirectory::default(),
        };
        let cli = directory_at(bytes, directories + 14 * 8).ok_or_else(not_pe)?;
        file.read_cli_header(cli)?;
        Ok(file)
    }

    fn read_cli_header(&mut self, cli: DataDirectory) -> Result<(), Error> {
        if cli.rva == 0 {
            return Err(Error::NotCli);
        }
        let header = self.slice(cli.rva, 72).ok_or(Error::NotCli)?;
        let dir = |at| directory_at(header, at).ok_or(Error::NotCli);
        self.metadata = dir(8)?;
        self.cor_flags = u32_at(header, 16).ok_or(Error::NotCli)?;
        self.entry_point = u32_at(header, 20).ok_or(Error::NotCli)?;
        self.resources = dir(24)?;
        self.strong_name = dir(32)?;
        Ok(())
    }

    /// The whole file.
    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    /// All bytes from an address to the end of its section.
    pub fn tail_at(&self, rva: u32) -> Option<&'static [u8]> {
        let s = self
            .sections
            .iter()
            .find(|s| rva >= s.rva && rva - s.rva < s.virtual_size.max(s.file_size))?;
        let within = rva - s.rva;
        let len = s.file_size.checked_sub(within)?;
        let start = s.file_offset.checked_add(within)? as usize;
        let end = start.checked_add(len as usize)?.min(self.bytes.len());
        self.bytes.get(start..end)
    }

    /// `len` bytes at an address.
    pub fn slice(&self, rva: u32, len: u32) -> Option<&'static [u8]> {
        self.tail_at(rva)?.get(..len as usize)
    }
}

fn directory_at(bytes: &[u8], at: usize) -> Option<DataDirectory> {
    Some(DataDirectory {
        rva: u32_at(bytes, at)?,
        size: u32_at(bytes, at + 4)?,
    })
}

fn read_sections(bytes: &[u8], at: usize, count: usize) -> Option<Box<[Section]>> {
    (0..count)
        .map(|i| {
            let s = at + 40 * i;
            Some(Section {
                virtual_size: u32_at(bytes, s + 8)?,
                rva: u32_at(bytes, s + 12)?,
                file_size: u32_at(bytes, s + 16)?,
                file_offset: u32_at(bytes, s + 20)?,
            })
        })
        .collect()
}
