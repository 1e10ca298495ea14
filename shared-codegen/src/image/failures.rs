//! Exceptions of pieces of methods that could not be compiled; `throw_compile_error` gives an index into the
//! method's list.
//!
//! ```text
//! { namespace blob, class blob, message blob, subject blob }
//! ```

use super::blobs::BlobId;
use super::methods::MethodEntry;
use super::record::record;
use super::{Image, Result};

record! {
    /// A failure as stored.
    FailureRecord {
        /// Blob: namespace of the exception class.
        namespace,
        /// Blob: its name.
        class,
        /// Blob: message.
        message,
        /// Blob: file or type that the exception names.
        subject,
    }
}

/// An exception to be raised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageFailure<'a> {
    /// Namespace of the exception class, in mscorlib.
    pub namespace: &'a str,
    /// Its name.
    pub class: &'a str,
    /// Message.
    pub message: &'a str,
    /// The file or type that the exception names in a property; may be empty.
    pub subject: &'a str,
}

impl<'a> Image<'a> {
    /// All failures of a method.
    pub fn failures(&self, m: &MethodEntry) -> Result<Vec<ImageFailure<'a>>> {
        let count = m.failures.end.saturating_sub(m.failures.start);
        (0..count).map(|n| self.failure(m, n)).collect()
    }

    /// The `n`th failure of a method.
    pub fn failure(&self, m: &MethodEntry, n: u32) -> Result<ImageFailure<'a>> {
        let list = self
            .tables
            .failures
            .slice(m.failures.start, m.failures.end)?;
        let record = list.get(n as usize);
        let record = record.ok_or(super::Error::Damaged("no such failure"))?;
        let text = |n| self.tables.blobs.text(BlobId(n));
        Ok(ImageFailure {
            namespace: text(record.namespace)?,
            class: text(record.class)?,
            message: text(record.message)?,
            subject: text(record.subject)?,
        })
    }
}
