//! Parts of code emission that no instruction set owns: labels, branch relaxation.

pub mod buffer;

/// A position in the code of one function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Label(pub u32);

impl Label {
    /// Position in the table of labels.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
