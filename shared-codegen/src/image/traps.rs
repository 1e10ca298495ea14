//! Instructions that may trap, by method, sorted by offset.
//!
//! ```text
//! { offset << 4 | kind }
//! ```

use super::methods::MethodEntry;
use super::record::record;
use super::{Image, Result};
use crate::abi::trap::TrapKind;
use crate::emit::TrapSite;

record! {
    /// A trap as stored.
    TrapRecord {
        /// Offset in the method's code and `TrapKind`.
        packed,
    }
}

impl TrapRecord {
    /// The record of a trap.
    pub fn new(site: &TrapSite) -> TrapRecord {
        TrapRecord {
            packed: site.offset << 4 | site.kind as u32,
        }
    }

    fn offset(self) -> u32 {
        self.packed >> 4
    }

    fn site(self) -> Option<TrapSite> {
        Some(TrapSite {
            offset: self.offset(),
            kind: TrapKind::try_from((self.packed & 15) as u8).ok()?,
        })
    }
}

impl Image<'_> {
    /// The traps of a method.
    pub fn traps(&self, m: &MethodEntry) -> Result<Vec<TrapSite>> {
        let list = self.tables.traps.slice(m.traps.start, m.traps.end)?;
        let sites = list.iter().map(TrapRecord::site);
        sites
            .collect::<Option<_>>()
            .ok_or(super::Error::Damaged("an unknown trap"))
    }

    /// The trap at exactly this offset from the start of the code. Allocates nothing and takes no locks.
    pub fn trap_at(&self, code_offset: u32) -> Option<TrapKind> {
        let m = self.method_at(code_offset)?;
        let offset = code_offset - m.code.start;
        let list = self.tables.traps.slice(m.traps.start, m.traps.end).ok()?;
        let site = list
            .get(list.partition_point(|t| t.offset() < offset))?
            .site()?;
        (site.offset == offset).then_some(site.kind)
    }
}
