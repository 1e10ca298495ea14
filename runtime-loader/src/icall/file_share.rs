//! `FileShare`: which files this process has open, and what their openers allow others. Enforced within the process only.

use super::win32;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// One opening of a file.
pub struct OpenFile {
    /// Device and inode.
    pub file: (u64, u64),
    /// `FileAccess` bits asked for.
    pub access: i32,
    /// `FileShare` bits granted to others; the same numbers.
    pub share: i32,
    /// Delete this when closed.
    pub delete: Option<PathBuf>,
}

/// Read and write, in `FileAccess` and `FileShare`.
const BOTH: i32 = 3;

// Descriptors belong to the process, and so does this table.
static OPEN: Mutex<BTreeMap<isize, OpenFile>> = Mutex::new(BTreeMap::new());

/// Enters an opening, unless the file's other openers forbid it.
pub fn admit(fd: isize, new: OpenFile) -> io::Result<()> {
    let mut open = OPEN.lock();
    let same = open.values().filter(|o| o.file == new.file);
    for old in same {
        if new.access & BOTH & !old.share != 0 || old.access & BOTH & !new.share != 0 {
            return Err(win32::error(win32::SHARING_VIOLATION));
        }
    }
    open.insert(fd, new);
    Ok(())
}

/// Removes an opening; gives the path to delete, if that was asked for.
pub fn forget(fd: isize) -> Option<PathBuf> {
    OPEN.lock().remove(&fd)?.delete
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(access: i32, share: i32) -> OpenFile {
        OpenFile {
            file: (u64::MAX, 7),
            access,
            share,
            delete: None,
        }
    }

    #[test]
    fn both_sides_must_agree() {
        admit(-10, opening(1, 1)).unwrap();
        admit(-11, opening(1, 3)).unwrap();
        assert!(
            admit(-12, opening(2, 3)).is_err(),
            "first shares reading only"
        );
        assert!(admit(-12, opening(1, 0)).is_err(), "others read already");
        forget(-10);
        admit(-12, opening(2, 3)).unwrap();
        forget(-11);
        forget(-12);
    }
}
