//! Methods that have no code in the image, and why.
//!
//! ```text
//! { method blob (may be 0), name blob, reason u32, detail blob }
//! ```

use super::blobs::BlobId;
use super::record::record;
use super::{Image, Result};

record! {
    /// An entry as stored.
    LeftOutRecord {
        /// Blob: encoded method.
        method,
        /// Blob: name for people.
        name,
        /// [`Reason`].
        reason,
        /// Blob: what exactly.
        detail,
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// Why a method is not in an image. The numbers are part of the format.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Reason { $($(#[$doc])* $name = $number),* }

        impl Reason {
            /// Every reason with its code for people and scripts.
            pub const ALL: &'static [(Reason, &'static str)] = &[$((Reason::$name, $text)),*];
        }
    };
}

reasons! {
    /// The IL is invalid or refers to what cannot be had; calling it raises an exception.
    InvalidIl = 1, "invalid-il";
    /// A construct the compiler does not support.
    Unsupported = 2, "unsupported";
    /// The back end gave up.
    Backend = 3, "backend";
    /// A defect of the compiler.
    Internal = 4, "internal-error";
    /// The generic method's own arguments are not known: compiled when used.
    OpenGeneric = 5, "open-generic";
    /// The limit on instances was reached.
    Budget = 6, "budget";
    /// A type or member it needs cannot be found.
    MissingReference = 7, "missing-reference";
}

impl Reason {
    /// The code for people and scripts.
    pub fn code(self) -> &'static str {
        let entry = Reason::ALL.iter().find(|(r, _)| *r == self);
        entry.map_or("?", |(_, text)| text)
    }

    fn from_number(n: u32) -> Option<Reason> {
        let mut all = Reason::ALL.iter();
        all.find(|(r, _)| *r as u32 == n).map(|(r, _)| *r)
    }
}

/// A method without code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeftOut<'a> {
    /// Encoded method.
    pub method: &'a [u8],
    /// Name for people.
    pub name: &'a str,
    /// Why.
    pub reason: Reason,
    /// What exactly.
    pub detail: &'a str,
}

impl<'a> Image<'a> {
    /// The methods that were left out.
    pub fn left_out(&self) -> Result<Vec<LeftOut<'a>>> {
        let blobs = self.tables.blobs;
        let entries = self.tables.left_out.iter();
        entries
            .map(|r| {
                Ok(LeftOut {
                    method: blobs.get(BlobId(r.method))?,
                    name: blobs.text(BlobId(r.name))?,
                    reason: Reason::from_number(r.reason)
                        .ok_or(super::Error::Damaged("an unknown reason"))?,
                    detail: blobs.text(BlobId(r.detail))?,
                })
            })
            .collect()
    }
}
