//! References kept outside of stacks and objects.

use super::header::Obj;
use crate::gc::{HandleKind, RawHandle, raw};

/// A registered reference: roots its target according to its kind. Must be freed by hand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle(pub RawHandle);

impl Handle {
    /// A handle that keeps its target.
    pub fn strong(target: Obj) -> Handle {
        Handle::new(HandleKind::Normal, target)
    }

    /// A handle of any kind.
    pub fn new(kind: HandleKind, target: Obj) -> Handle {
        Handle(raw::new_handle(kind, target.addr()))
    }

    /// The target; null when there is none (any more).
    pub fn target(self) -> Obj {
        Obj::from_addr(raw::target(self.0))
    }

    /// Changes the target.
    pub fn set_target(self, target: Obj) {
        raw::set_target(self.0, target.addr());
    }

    /// Frees the handle.
    pub fn free(self) {
        self.0.free();
    }
}
