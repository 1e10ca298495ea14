//! The four heaps (ECMA-335 II.24.2.3–5).

use super::error::{Error, Result};
use core::ffi::CStr;

/// Strings, blobs, GUIDs and user strings of a module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heaps {
    pub(crate) strings: &'static [u8],
    pub(crate) blobs: &'static [u8],
    pub(crate) guids: &'static [u8],
    pub(crate) user_strings: &'static [u8],
    /// Items of a module made at run time, by index; the four heaps above are empty then.
    pub(crate) grown: Option<&'static Items>,
}

/// Heap items of a module made at run time; number 0 is empty.
pub(crate) type Items = boxcar::Vec<&'static [u8]>;

/// Reads a compressed unsigned number (II.23.2); returns it and the rest.
pub fn compressed(bytes: &'static [u8]) -> Option<(u32, &'static [u8])> {
    let first = *bytes.first()?;
    if first & 0x80 == 0 {
        Some((first.into(), &bytes[1..]))
    } else if first & 0xc0 == 0x80 {
        let n = u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?);
        Some(((n & 0x3fff).into(), &bytes[2..]))
    } else if first & 0xe0 == 0xc0 {
        let n = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
        Some((n & 0x1fff_ffff, &bytes[4..]))
    } else {
        None
    }
}

fn sized(heap: &'static [u8], index: u32) -> Option<&'static [u8]> {
    let (len, rest) = compressed(heap.get(index as usize..)?)?;
    rest.get(..len as usize)
}

impl Heaps {
    /// The bytes of a name, without the terminator.
    pub(crate) fn string_bytes(&self, index: u32) -> Option<&'static [u8]> {
        if let Some(items) = self.grown {
            return items.get(index as usize).copied();
        }
        let rest = self.strings.get(index as usize..)?;
        Some(CStr::from_bytes_until_nul(rest).ok()?.to_bytes())
    }

    /// A UTF-8 name.
    pub fn string(&self, index: u32) -> Result<&'static str> {
        if index == 0 {
            return Ok("");
        }
        let text = self.string_bytes(index).map(core::str::from_utf8);
        match text {
            Some(Ok(text)) => Ok(text),
            _ => Err(Error::Heap {
                heap: "#Strings",
                index,
            }),
        }
    }

    /// A blob.
    pub fn blob(&self, index: u32) -> Result<&'static [u8]> {
        if index == 0 {
            return Ok(&[]);
        }
        let found = self.item_or(index, || sized(self.blobs, index));
        found.ok_or(Error::Heap {
            heap: "#Blob",
            index,
        })
    }

    /// An item of a module made at run time, or what `read` finds in a heap.
    fn item_or(
        &self,
        index: u32,
        read: impl FnOnce() -> Option<&'static [u8]>,
    ) -> Option<&'static [u8]> {
        match self.grown {
            Some(items) => items.get(index as usize).copied(),
            None => read(),
        }
    }

    /// A GUID by its 1-based number; zeros for 0.
    pub fn guid(&self, index: u32) -> Result<[u8; 16]> {
        if index == 0 {
            return Ok([0; 16]);
        }
        let at = (index as usize - 1) * 16;
        let bytes = self.item_or(index, || self.guids.get(at..at + 16));
        bytes.and_then(|b| b.try_into().ok()).ok_or(Error::Heap {
            heap: "#GUID",
            index,
        })
    }

    /// UTF-16LE bytes of an `ldstr` operand (without the trailing flag byte).
    pub fn user_string(&self, index: u32) -> Result<&'static [u8]> {
        let bytes = self.item_or(index, || sized(self.user_strings, index));
        let bytes = bytes.ok_or(Error::Heap { heap: "#US", index })?;
        Ok(&bytes[..bytes.len() & !1])
    }
}
