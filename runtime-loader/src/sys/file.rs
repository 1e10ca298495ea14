//! Files that stay mapped.
#![allow(unsafe_code, reason = "maps files")]

use std::fs::File;
use std::io;
use std::path::Path;

/// Maps a file for the life of the process.
pub fn map_forever(path: &Path) -> io::Result<&'static [u8]> {
    map_open_file(&File::open(path)?)
}

/// Maps an open file for the life of the process.
pub fn map_open_file(file: &File) -> io::Result<&'static [u8]> {
    // SAFETY: assemblies are not changed in place while they run (installers replace files); the mapping is private.
    let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(file)? };
    Ok(Box::leak(Box::new(map)))
}
