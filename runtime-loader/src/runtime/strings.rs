//! The table of interned strings (`ldstr`, `String.Intern`).

use crate::icall::Result;
use crate::object::Handle;
use crate::object::{Obj, string};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Interned strings live forever.
#[derive(Default)]
pub struct InternTable {
    strings: Mutex<FxHashMap<Box<[u16]>, Handle>>,
}

impl InternTable {
    /// The interned string with these units.
    pub fn intern(&self, units: &[u16]) -> Result<Obj> {
        if let Some(s) = self.find(units) {
            return Ok(s);
        }
        let fresh = string::from_units(units)?;
        Ok(self
            .strings
            .lock()
            .entry(units.into())
            .or_insert_with(|| Handle::strong(fresh))
            .target())
    }

    /// The interned string with these units, if there is one.
    pub fn find(&self, units: &[u16]) -> Option<Obj> {
        self.strings.lock().get(units).map(|h| h.target())
    }

    /// Interns this very object unless an equal string is interned already.
    pub fn intern_object(&self, s: Obj) -> Obj {
        let units = string::units(s);
        self.strings
            .lock()
            .entry(units.into())
            .or_insert_with(|| Handle::strong(s))
            .target()
    }
}
