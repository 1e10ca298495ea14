//! Tables of fixed-size records: declared once, written and read by the same declaration.

use super::{Error, Result};
use core::marker::PhantomData;

/// A record of `u32` fields.
pub trait Record: Sized {
    /// Bytes of a record.
    const SIZE: usize;
    /// Appends the record.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads the record from exactly [`SIZE`](Self::SIZE) bytes.
    fn read(bytes: &[u8]) -> Self;
}

/// The `n`th `u32` of a slice, 0 behind its end.
pub(super) fn word(bytes: &[u8], n: usize) -> u32 {
    bytes
        .get(4 * n..4 * n + 4)
        .and_then(|b| b.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

/// Declares a record: its fields are `u32` words in the order written.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name { $($(#[$field_doc])* pub $field: u32),* }

        impl $crate::image::record::Record for $name {
            const SIZE: usize = 4 * [$(stringify!($field)),*].len();
            fn write(&self, out: &mut Vec<u8>) {
                $(out.extend_from_slice(&self.$field.to_le_bytes());)*
            }
            fn read(bytes: &[u8]) -> Self {
                let mut n = 0;
                let mut next = || { n += 1; $crate::image::record::word(bytes, n - 1) };
                $name { $($field: next()),* }
            }
        }
    };
}
pub(super) use record;

/// A table in an image. Entries are read when asked for.
pub struct Table<'a, R> {
    bytes: &'a [u8],
    record: PhantomData<R>,
}

impl<R> Clone for Table<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Table<'_, R> {}

impl<R> core::fmt::Debug for Table<'_, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Table({} bytes)", self.bytes.len())
    }
}

impl<'a, R: Record> Table<'a, R> {
    /// The table in these bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Table<'a, R>> {
        if !bytes.len().is_multiple_of(R::SIZE) {
            return Err(Error::Damaged("a table ends within a record"));
        }
        Ok(Table {
            bytes,
            record: PhantomData,
        })
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.bytes.len() / R::SIZE
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The `n`th record. Allocates nothing.
    pub fn get(&self, n: usize) -> Option<R> {
        let start = n.checked_mul(R::SIZE)?;
        let bytes = self.bytes.get(start..start.checked_add(R::SIZE)?)?;
        Some(R::read(bytes))
    }

    /// The records `start..end`.
    pub fn slice(&self, start: u32, end: u32) -> Result<Table<'a, R>> {
        let at = |n: u32| (n as usize).checked_mul(R::SIZE);
        let range = at(start).zip(at(end)).map(|(s, e)| s..e);
        let bytes = range.and_then(|r| self.bytes.get(r));
        Table::new(bytes.ok_or(Error::Damaged("a list goes beyond its table"))?)
    }

    /// All records.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = R> + use<'a, R> {
        self.bytes.chunks_exact(R::SIZE).map(R::read)
    }

    /// Number of leading records for which `before` holds (they must come first).
    pub fn partition_point(&self, before: impl Fn(&R) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|r| before(&r)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Appends a number in LEB128.
pub(super) fn push_number(out: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Takes a number in LEB128 off the front.
pub(super) fn take_number(bytes: &mut &[u8]) -> Result<u32> {
    let mut n = 0_u64;
    for shift in (0..35).step_by(7) {
        let (&b, rest) = bytes
            .split_first()
            .ok_or(Error::Damaged("a number is cut off"))?;
        *bytes = rest;
        n |= u64::from(b & 0x7f) << shift;
        if b & 0x80 == 0 {
            return u32::try_from(n).map_err(|_| Error::Damaged("a number is too large"));
        }
    }
    Err(Error::Damaged("a number does not end"))
}
