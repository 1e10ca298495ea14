//! Files that stay mapped.
#![allow(unsafe_code, reason = "maps files")]

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};
use std::fs::File;
use std::io;
use std::path::Path;

/// Size and alignment of huge pages.
const HUGE_PAGE: usize = 2 << 20;
const PAGE: usize = 4096;

/// Maps a file for the life of the process.
pub fn map_forever(path: &Path) -> io::Result<&'static [u8]> {
    map_open_file(&File::open(path)?)
}

/// Maps an open file for the life of the process.
///
/// The address is not one where the kernel could use huge pages: little of a file is looked at, but all over it, so most of it
/// would count as used memory.
pub fn map_open_file(file: &File) -> io::Result<&'static [u8]> {
    let len = usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    if len == 0 {
        return Ok(&[]);
    }
    let mapped = len.next_multiple_of(PAGE);
    let reserved = mapped + HUGE_PAGE + PAGE;
    let private = MapFlags::PRIVATE;
    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
    let start = unsafe {
        let flags = private | MapFlags::NORESERVE;
        mmap_anonymous(core::ptr::null_mut(), reserved, ProtFlags::empty(), flags)?
    };
    let from = start as usize;
    let at = from.next_multiple_of(HUGE_PAGE) + PAGE;
    // SAFETY: `at..at + mapped` lies in the reservation made above, whose rest is given back. Assemblies and images are not changed
    // in place while they run (installers replace files); the mapping is private and never unmapped.
    unsafe {
        let flags = private | MapFlags::FIXED;
        mmap(at as *mut _, len, ProtFlags::READ, flags, file, 0)?;
        munmap(start, at - from)?;
        let end = at + mapped;
        if end < from + reserved {
            munmap(end as *mut _, from + reserved - end)?;
        }
        Ok(core::slice::from_raw_parts(at as *const u8, len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn files_are_mapped_whole() {
        for len in [0, 1, PAGE, 3 * HUGE_PAGE + 5] {
            let mut file = tempfile::tempfile().unwrap();
            let content: Vec<u8> = (0..len).map(|n| (n / 7) as u8).collect();
            file.write_all(&content).unwrap();
            let mapped = map_open_file(&file).unwrap();
            assert!(mapped == content, "{len}");
            assert!(len == 0 || mapped.as_ptr() as usize % HUGE_PAGE == PAGE);
        }
    }
}
