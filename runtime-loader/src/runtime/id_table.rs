//! Immortal runtime data by interned id.

use parking_lot::RwLock;

/// A growing table from dense ids to immortal values. The first value set for an id stays.
pub struct IdTable<T: 'static> {
    entries: RwLock<Vec<Option<&'static T>>>,
}

impl<T> Default for IdTable<T> {
    fn default() -> Self {
        IdTable {
            entries: RwLock::new(Vec::new()),
        }
    }
}

impl<T> IdTable<T> {
    /// The value of an id.
    pub fn get(&self, id: u32) -> Option<&'static T> {
        self.entries.read().get(id as usize).copied().flatten()
    }

    /// Sets the value of an id unless it has one; returns the one that counts.
    pub fn insert(&self, id: u32, value: &'static T) -> &'static T {
        let mut entries = self.entries.write();
        let index = id as usize;
        if entries.len() <= index {
            entries.resize((index + 1).next_power_of_two().max(1024), None);
        }
        entries[index].get_or_insert(value)
    }

    /// The first value that fits.
    pub fn find(&self, fits: impl Fn(&T) -> bool) -> Option<&'static T> {
        self.entries
            .read()
            .iter()
            .flatten()
            .copied()
            .find(|t| fits(t))
    }

    /// Number of ids with a value.
    pub fn len(&self) -> usize {
        self.entries.read().iter().flatten().count()
    }

    /// No id has a value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
