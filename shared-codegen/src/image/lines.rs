//! Source positions and inlined calls, by method.
//!
//! ```text
//! lines: per entry three LEB128 numbers: code offset minus the one before, IL offset minus the one before (zigzag),
//!        inline site (0 none, else index + 1)
//! inline sites: { method blob, IL offset of the call u32, site of the call u32 }
//! ```

use super::blobs::BlobId;
use super::methods::MethodEntry;
use super::record::{push_number, record, take_number};
use super::{Error, Image, Result};
use crate::emit::LineEntry;
use crate::ir::SourceLoc;

record! {
    /// An inlined call as stored.
    SiteRecord {
        /// Blob: the method whose body was inserted.
        method,
        /// Where the call stood: IL offset.
        il,
        /// And the site it belongs to.
        site,
    }
}

/// An inlined call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageSite<'a> {
    /// The method whose body was inserted, encoded.
    pub method: &'a [u8],
    /// Where the call stood.
    pub call: SourceLoc,
}

/// Appends the positions of a method.
pub(super) fn push_lines(lines: &[LineEntry], out: &mut Vec<u8>) {
    let (mut offset, mut il) = (0, 0);
    for line in lines {
        push_number(out, line.offset.wrapping_sub(offset));
        let step = line.loc.il.wrapping_sub(il) as i32;
        push_number(out, (step << 1 ^ step >> 31) as u32);
        push_number(out, line.loc.site);
        (offset, il) = (line.offset, line.loc.il);
    }
}

impl<'a> Image<'a> {
    /// The source positions of a method.
    pub fn lines(&self, m: &MethodEntry) -> Result<Vec<LineEntry>> {
        let range = m.lines.start as usize..m.lines.end as usize;
        let mut bytes = self.tables.lines.get(range);
        let bytes = bytes
            .as_mut()
            .ok_or(Error::Damaged("a list goes beyond its table"))?;
        let (mut offset, mut il, mut lines) = (0_u32, 0_u32, Vec::new());
        while !bytes.is_empty() {
            offset = offset.wrapping_add(take_number(bytes)?);
            let step = take_number(bytes)?;
            il = il.wrapping_add(step >> 1 ^ (step & 1).wrapping_neg());
            let site = take_number(bytes)?;
            lines.push(LineEntry {
                offset,
                loc: SourceLoc { il, site },
            });
        }
        Ok(lines)
    }

    /// The inlined calls of a method.
    pub fn inline_sites(&self, m: &MethodEntry) -> Result<Vec<ImageSite<'a>>> {
        let list = self.tables.sites.slice(m.sites.start, m.sites.end)?;
        list.iter()
            .map(|s| {
                Ok(ImageSite {
                    method: self.tables.blobs.get(BlobId(s.method))?,
                    call: SourceLoc {
                        il: s.il,
                        site: s.site,
                    },
                })
            })
            .collect()
    }
}
