//! Memory-mapped files, and what is known about drives.

use super::mono_io::{check, path_of};
use super::{icalls, managed};
use crate::object::{Obj, string};
use crate::threads::blocking;
use parking_lot::Mutex;
use std::collections::BTreeMap;

icalls! {
    "System.IO.MemoryMappedFiles.MemoryMapImpl" {
        "OpenFileInternal" => open_file(*const u16, i32, i32, *const u16, i32, *mut i64, i32, i32, *mut i32) -> isize;
        "OpenHandleInternal" => open_handle(isize, *const u16, i32, *mut i64, i32, i32, *mut i32) -> isize;
        "CloseMapping" => close(isize);
        "ConfigureHandleInheritability" => configure(isize, i32);
        "Flush" => flush(isize);
        "MapInternal" => map(isize, i64, *mut i64, i32, *mut isize, *mut isize) -> i32;
        "Unmap" => unmap(isize) -> bool;
    }
    "System.IO.DriveInfo" {
        "GetDiskFreeSpaceInternal" => disk_free(*const u16, i32, *mut u64, *mut u64, *mut u64, *mut i32) -> bool;
        "GetDriveFormatInternal" => drive_format(*const u16, i32) -> Obj;
        "GetDriveTypeInternal" => drive_type(*const u16, i32) -> u32;
    }
}

/// Codes of `MemoryMapImpl`.
mod code {
    pub const BAD_CAPACITY_FOR_FILE: i32 = 1;
    pub const CAPACITY_SMALLER_THAN_FILE: i32 = 2;
    pub const FILE_NOT_FOUND: i32 = 3;
    pub const FILE_EXISTS: i32 = 4;
    pub const COULD_NOT_OPEN: i32 = 8;
    pub const COULD_NOT_MAP: i32 = 10;
}

/// `MemoryMappedFileAccess`
mod access {
    pub const READ: i32 = 1;
    pub const COPY_ON_WRITE: i32 = 3;
    pub const READ_EXECUTE: i32 = 4;
}

/// Mappings by their address: offset of the wanted part and length of the whole.
static MAPPED: Mutex<BTreeMap<isize, (usize, usize)>> = Mutex::new(BTreeMap::new());

fn text(at: *const u16, len: i32) -> &'static [u16] {
    if at.is_null() || len <= 0 {
        return &[];
    }
    // SAFETY: managed code passes a pinned string and its length; it is used before the call returns.
    unsafe { core::slice::from_raw_parts(at, len as usize) }
}

fn flags(mode: i32, access: i32) -> i32 {
    let access = match access {
        access::READ | access::READ_EXECUTE | access::COPY_ON_WRITE => libc::O_RDONLY,
        _ => libc::O_RDWR,
    };
    // `FileMode`
    let create = match mode {
        1 => libc::O_CREAT | libc::O_EXCL,
        2 => libc::O_CREAT | libc::O_TRUNC,
        4 => libc::O_CREAT,
        _ => 0,
    };
    access | create | libc::O_CLOEXEC
}

/// Size of the file; grown to the wanted capacity.
fn fit(fd: i32, capacity: &mut i64) -> Result<(), i32> {
    // SAFETY: all zeros is a valid `stat`, filled by the call.
    let size = unsafe {
        let mut stat: libc::stat = core::mem::zeroed();
        check(libc::fstat(fd, &mut stat)).map_err(|_| code::COULD_NOT_OPEN)?;
        stat.st_size
    };
    if *capacity == 0 {
        *capacity = size;
    }
    if *capacity == 0 {
        return Err(code::BAD_CAPACITY_FOR_FILE);
    }
    if *capacity < size {
        return Err(code::CAPACITY_SMALLER_THAN_FILE);
    }
    if *capacity > size {
        // SAFETY: our own descriptor.
        check(unsafe { libc::ftruncate(fd, *capacity) }).map_err(|_| code::COULD_NOT_OPEN)?;
    }
    Ok(())
}

/// Result of an open: the descriptor, or -1 and a code.
fn opened(fd: Result<i32, i32>, error: *mut i32) -> isize {
    // SAFETY: the address of the caller's `out` variable.
    unsafe { error.write(fd.err().unwrap_or(0)) };
    fd.map_or(-1, |fd| fd as isize)
}

#[allow(
    clippy::too_many_arguments,
    reason = "the signature of the class library"
)]
extern "C" fn open_file(
    path: *const u16,
    path_len: i32,
    mode: i32,
    _name: *const u16,
    _name_len: i32,
    capacity: *mut i64,
    access: i32,
    _options: i32,
    error: *mut i32,
) -> isize {
    // SAFETY: the address of the caller's variable.
    let capacity = unsafe { &mut *capacity };
    let units = text(path, path_len);
    let mut open = || -> Result<i32, i32> {
        let fd = if units.is_empty() {
            // Not backed by a file.
            // SAFETY: a NUL-terminated name.
            check(unsafe { libc::memfd_create(c"mapping".as_ptr(), libc::MFD_CLOEXEC) })
        } else {
            let name = super::mono_io::c_path(&path_of(units)).map_err(|_| code::COULD_NOT_OPEN)?;
            // SAFETY: a NUL-terminated name.
            check(unsafe { libc::open(name.as_ptr(), flags(mode, access), 0o666) })
        };
        let fd = fd.map_err(|e| match e.raw_os_error() {
            Some(libc::ENOENT) => code::FILE_NOT_FOUND,
            Some(libc::EEXIST) => code::FILE_EXISTS,
            _ => code::COULD_NOT_OPEN,
        })?;
        fit(fd, capacity).inspect_err(|_| {
            // SAFETY: our own descriptor; nobody else knows it.
            unsafe { libc::close(fd) };
        })?;
        Ok(fd)
    };
    opened(open(), error)
}

extern "C" fn open_handle(
    handle: isize,
    _name: *const u16,
    _name_len: i32,
    capacity: *mut i64,
    _access: i32,
    _options: i32,
    error: *mut i32,
) -> isize {
    // SAFETY: the address of the caller's variable.
    let capacity = unsafe { &mut *capacity };
    let mut open = || -> Result<i32, i32> {
        fit(handle as i32, capacity)?;
        // SAFETY: takes numbers only.
        check(unsafe { libc::fcntl(handle as i32, libc::F_DUPFD_CLOEXEC, 0) })
            .map_err(|_| code::COULD_NOT_OPEN)
    };
    opened(open(), error)
}

extern "C" fn close(handle: isize) {
    // SAFETY: the descriptor the mapping's handle stands for.
    unsafe { libc::close(handle as i32) };
}

extern "C" fn configure(_handle: isize, _inheritability: i32) {}

extern "C" fn flush(handle: isize) {
    // SAFETY: takes a number only.
    blocking(|| unsafe { libc::fsync(handle as i32) });
}

extern "C" fn map(
    handle: isize,
    offset: i64,
    size: *mut i64,
    access: i32,
    map_handle: *mut isize,
    base: *mut isize,
) -> i32 {
    // SAFETY: addresses of the caller's variables.
    let size = unsafe { &mut *size };
    let mut capacity = 0;
    if *size == 0 && fit(handle as i32, &mut capacity).is_ok() {
        *size = capacity - offset;
    }
    let page = rustix::param::page_size() as i64;
    let start = offset / page * page;
    let (skip, len) = ((offset - start) as usize, (offset - start + *size) as usize);
    let protection = match access {
        access::READ => libc::PROT_READ,
        access::READ_EXECUTE => libc::PROT_READ | libc::PROT_EXEC,
        _ => libc::PROT_READ | libc::PROT_WRITE,
    };
    let kind = match access {
        access::COPY_ON_WRITE => libc::MAP_PRIVATE,
        _ => libc::MAP_SHARED,
    };
    // SAFETY: a fresh mapping, wherever the kernel puts it.
    let at = unsafe {
        libc::mmap(
            core::ptr::null_mut(),
            len,
            protection,
            kind,
            handle as i32,
            start,
        )
    };
    if at == libc::MAP_FAILED {
        return code::COULD_NOT_MAP;
    }
    let at = at as isize;
    MAPPED.lock().insert(at, (skip, len));
    // SAFETY: addresses of the caller's `out` variables.
    unsafe {
        map_handle.write(at);
        base.write(at + skip as isize);
    }
    0
}

extern "C" fn unmap(map_handle: isize) -> bool {
    let Some((_, len)) = MAPPED.lock().remove(&map_handle) else {
        return false;
    };
    // SAFETY: a mapping of ours, which the program has given up.
    unsafe { libc::munmap(map_handle as *mut _, len) == 0 }
}

extern "C" fn disk_free(
    path: *const u16,
    len: i32,
    available: *mut u64,
    total: *mut u64,
    free: *mut u64,
    error: *mut i32,
) -> bool {
    let found = rustix::fs::statvfs(path_of(text(path, len)));
    let found = super::mono_io::report(found.map(Some).map_err(Into::into), None, error);
    let sizes = found.as_ref().map_or([0; 3], |s| {
        [s.f_bavail, s.f_blocks, s.f_bfree].map(|n| n * s.f_frsize)
    });
    // SAFETY: addresses of the caller's `out` variables.
    unsafe {
        available.write(sizes[0]);
        total.write(sizes[1]);
        free.write(sizes[2]);
    }
    found.is_some()
}

/// File system type of a mount point.
fn format_of(path: &[u16]) -> Option<String> {
    let path = path_of(path);
    let table = std::fs::read_to_string("/proc/mounts").ok()?;
    let lines = table.lines().map(|l| l.split(' ').collect::<Vec<_>>());
    let mut found = lines.filter(|l| l.get(1).is_some_and(|p| path.as_os_str() == *p));
    found.next_back()?.get(2).map(|s| (*s).to_owned())
}

extern "C" fn drive_format(path: *const u16, len: i32) -> Obj {
    managed(|| match format_of(text(path, len)) {
        Some(format) => string::from_rust(&format),
        None => Ok(Obj::NULL),
    })
}

/// File systems and their `DriveType`, where it is not `Fixed`.
const DRIVE_TYPES: &[(&str, u32)] = &[
    ("tmpfs", 6),
    ("ramfs", 6),
    ("proc", 6),
    ("sysfs", 6),
    ("devpts", 6),
    ("nfs", 4),
    ("cifs", 4),
    ("iso9660", 5),
    ("vfat", 2),
];

extern "C" fn drive_type(path: *const u16, len: i32) -> u32 {
    /// `DriveType.NoRootDirectory`
    const NO_ROOT: u32 = 1;
    /// `DriveType.Fixed`
    const FIXED: u32 = 3;
    let Some(format) = format_of(text(path, len)) else {
        return NO_ROOT;
    };
    let special = DRIVE_TYPES.iter().find(|(name, _)| *name == format);
    special.map_or(FIXED, |(_, kind)| *kind)
}
