//! The assemblies whose IL, layout or signatures influenced the code. The first one is the assembly the image is of.
//! An image is used only if each of them, when loaded, has exactly these bytes.
//!
//! ```text
//! { name blob, size u32, hash 8 words }
//! ```

use super::blobs::BlobId;
use super::record::record;
use super::{Hash, Image, Result};

record! {
    /// A dependency as stored.
    DependencyRecord {
        /// Blob: display name.
        name,
        /// Low 32 bits of the file's size: a quick first test.
        size,
        /// Hash.
        h0, /// Hash.
        h1, /// Hash.
        h2, /// Hash.
        h3, /// Hash.
        h4, /// Hash.
        h5, /// Hash.
        h6, /// Hash.
        h7,
    }
}

/// A dependency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dependency<'a> {
    /// Display name of the assembly.
    pub name: &'a str,
    /// Size of the file in bytes.
    pub size: u32,
    /// Hash of the file.
    pub hash: Hash,
}

impl DependencyRecord {
    /// The record of a file.
    pub fn new(name: BlobId, size: usize, hash: &Hash) -> DependencyRecord {
        let w = |n| super::record::word(hash, n);
        DependencyRecord {
            name: name.0,
            size: size as u32,
            h0: w(0),
            h1: w(1),
            h2: w(2),
            h3: w(3),
            h4: w(4),
            h5: w(5),
            h6: w(6),
            h7: w(7),
        }
    }

    fn hash(&self) -> Hash {
        let words = [
            self.h0, self.h1, self.h2, self.h3, self.h4, self.h5, self.h6, self.h7,
        ];
        let mut hash = Hash::default();
        for (to, word) in hash.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        hash
    }
}

impl<'a> Image<'a> {
    /// The assemblies the image was made from; its own comes first.
    pub fn dependencies(&self) -> Result<Vec<Dependency<'a>>> {
        let table = self.tables.dependencies.iter();
        table
            .map(|d| {
                Ok(Dependency {
                    name: self.tables.blobs.text(BlobId(d.name))?,
                    size: d.size,
                    hash: d.hash(),
                })
            })
            .collect()
    }
}
