//! Parts of the back end that no instruction set owns: block order, code with virtual registers,
//! register allocation, frame layout, labels, branch relaxation.

pub mod anchors;
pub mod buffer;
pub mod frame;
pub mod layout;
pub mod loops;
pub mod order;
pub mod regalloc;
pub mod slots;
pub mod vcode;

/// A position in the code of one function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Label(pub u32);

impl Label {
    /// Position in the table of labels.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
