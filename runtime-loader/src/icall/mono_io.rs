//! `System.IO.MonoIO`: files by descriptor. Failures go to the `out` parameter as Win32 codes.

use super::file_share::{self, OpenFile};
use super::win32::{self, code_of};
use super::{icalls, managed};
use crate::object::{Obj, array, string};
use crate::threads::blocking;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

icalls! {
    "System.IO.MonoIO" {
        "get_ConsoleInput" => stdin() -> isize;
        "get_ConsoleOutput" => stdout() -> isize;
        "get_ConsoleError" => stderr() -> isize;
        "get_AltDirectorySeparatorChar" => slash() -> u16;
        "get_DirectorySeparatorChar" => slash() -> u16;
        "get_VolumeSeparatorChar" => slash() -> u16;
        "get_PathSeparator" => colon() -> u16;
        "GetFileType" => file_type(isize, *mut i32) -> i32;
        "Open" => open(*const u16, i32, i32, i32, i32, *mut i32) -> isize;
        "Close" => close(isize, *mut i32) -> bool;
        "Read" => read(isize, Obj, i32, i32, *mut i32) -> i32;
        "Write" => write(isize, Obj, i32, i32, *mut i32) -> i32;
        "Seek" => seek(isize, i64, i32, *mut i32) -> i64;
        "Flush" => flush(isize, *mut i32) -> bool;
        "GetLength" => get_length(isize, *mut i32) -> i64;
        "SetLength" => set_length(isize, i64, *mut i32) -> bool;
        "SetFileTime" => set_file_time(isize, i64, i64, i64, *mut i32) -> bool;
        "Lock" => lock(isize, i64, i64, *mut i32);
        "Unlock" => unlock(isize, i64, i64, *mut i32);
        "CreatePipe" => create_pipe(*mut isize, *mut isize, *mut i32) -> bool;
        "DuplicateHandle" => duplicate(isize, isize, isize, *mut isize, i32, i32, i32, *mut i32) -> bool;
        "Cancel_internal" => cancel(isize, *mut i32) -> bool;
        "DumpHandles" => dump_handles();
        "GetCurrentDirectory" => get_current_directory(*mut i32) -> Obj;
        "SetCurrentDirectory" => set_current_directory(*const u16, *mut i32) -> bool;
        "CreateDirectory" => create_directory(*const u16, *mut i32) -> bool;
        "RemoveDirectory" => remove_directory(*const u16, *mut i32) -> bool;
        "DeleteFile" => delete_file(*const u16, *mut i32) -> bool;
        "MoveFile" => move_file(*const u16, *const u16, *mut i32) -> bool;
        "CopyFile" => copy_file(*const u16, *const u16, bool, *mut i32) -> bool;
        "GetFileAttributes" => get_attributes(*const u16, *mut i32) -> i32;
        "SetFileAttributes" => set_attributes(*const u16, i32, *mut i32) -> bool;
        "GetFileStat" => get_stat(*const u16, *mut FileStat, *mut i32) -> bool;
    }
    "System.IO.Path" {
        "get_temp_path" => temp_path() -> Obj;
    }
}

/// Value of a handle that could not be made.
const INVALID: isize = -1;

extern "C" fn stdin() -> isize {
    0
}

extern "C" fn stdout() -> isize {
    1
}

extern "C" fn stderr() -> isize {
    2
}

extern "C" fn slash() -> u16 {
    b'/'.into()
}

extern "C" fn colon() -> u16 {
    b':'.into()
}

/// Stores the outcome; on failure gives `failed`.
pub fn report<T>(result: std::io::Result<T>, failed: T, error: *mut i32) -> T {
    let (value, code) = match result {
        Ok(value) => (value, win32::SUCCESS),
        Err(e) => (failed, code_of(&e)),
    };
    // SAFETY: the address of the caller's `out` variable.
    unsafe { error.write(code) };
    value
}

/// The result of a C call that returns -1 on failure.
pub fn check<T: PartialOrd + Default>(result: T) -> std::io::Result<T> {
    if result < T::default() {
        return Err(std::io::Error::last_os_error());
    }
    Ok(result)
}

/// Runs a C call in native state, again when a signal interrupts it.
fn retrying<T: PartialOrd + Default>(mut call: impl FnMut() -> T) -> std::io::Result<T> {
    loop {
        match blocking(|| check(call())) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The path in a NUL-terminated UTF-16 string.
///
/// # Safety
/// `at` must be the address of one.
pub unsafe fn path_at(at: *const u16) -> PathBuf {
    let mut len = 0;
    // SAFETY: the caller's promise.
    let units = unsafe {
        while at.add(len).read() != 0 {
            len += 1;
        }
        core::slice::from_raw_parts(at, len)
    };
    path_of(units)
}

/// The path with these units.
pub fn path_of(units: &[u16]) -> PathBuf {
    PathBuf::from(OsString::from_vec(
        String::from_utf16_lossy(units).into_bytes(),
    ))
}

/// The path as C wants it.
pub fn c_path(path: &Path) -> std::io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

fn stat_of(fd: isize) -> std::io::Result<libc::stat> {
    // SAFETY: all zeros is a valid `stat`; the call fills it.
    unsafe {
        let mut stat: libc::stat = core::mem::zeroed();
        check(libc::fstat(fd as i32, &mut stat))?;
        Ok(stat)
    }
}

/// `MonoFileType`
mod kind {
    pub const UNKNOWN: i32 = 0;
    pub const DISK: i32 = 1;
    pub const CHARACTER: i32 = 2;
    pub const PIPE: i32 = 3;
}

extern "C" fn file_type(fd: isize, error: *mut i32) -> i32 {
    let kind = stat_of(fd).map(|s| match s.st_mode & libc::S_IFMT {
        libc::S_IFREG | libc::S_IFBLK | libc::S_IFDIR => kind::DISK,
        libc::S_IFCHR => kind::CHARACTER,
        libc::S_IFIFO | libc::S_IFSOCK => kind::PIPE,
        _ => kind::UNKNOWN,
    });
    report(kind, kind::UNKNOWN, error)
}

/// `FileMode`
mod mode {
    pub const CREATE_NEW: i32 = 1;
    pub const CREATE: i32 = 2;
    pub const OPEN_OR_CREATE: i32 = 4;
    pub const TRUNCATE: i32 = 5;
    pub const APPEND: i32 = 6;
}

/// `FileAccess`, also the bits of `FileShare`
mod access {
    pub const READ: i32 = 1;
    pub const WRITE: i32 = 2;
}

/// `FileOptions.DeleteOnClose`
const DELETE_ON_CLOSE: i32 = 0x0400_0000;
/// Permissions of new files, before the umask.
const NEW_FILE: libc::c_uint = 0o666;

fn open_flags(mode: i32, access: i32) -> i32 {
    let access = match access {
        access::READ => libc::O_RDONLY,
        access::WRITE => libc::O_WRONLY,
        _ => libc::O_RDWR,
    };
    let mode = match mode {
        mode::CREATE_NEW => libc::O_CREAT | libc::O_EXCL,
        mode::CREATE => libc::O_CREAT,
        mode::OPEN_OR_CREATE | mode::APPEND => libc::O_CREAT,
        _ => 0,
    };
    access | mode | libc::O_CLOEXEC
}

extern "C" fn open(
    path: *const u16,
    mode: i32,
    access: i32,
    share: i32,
    options: i32,
    error: *mut i32,
) -> isize {
    // SAFETY: managed code passes a NUL-terminated path.
    let path = unsafe { path_at(path) };
    let opened = open_file(&path, mode, access, share, options);
    let opened = opened.map_err(|e| with_parent(e, &path));
    report(opened, INVALID, error)
}

fn open_file(
    path: &Path,
    mode: i32,
    access: i32,
    share: i32,
    options: i32,
) -> std::io::Result<isize> {
    let name = c_path(path)?;
    // SAFETY: a NUL-terminated name.
    let fd = retrying(|| unsafe { libc::open(name.as_ptr(), open_flags(mode, access), NEW_FILE) })?;
    let fd = fd as isize;
    let admit = || -> std::io::Result<()> {
        let stat = stat_of(fd)?;
        if stat.st_mode & libc::S_IFMT == libc::S_IFDIR {
            return Err(std::io::Error::from_raw_os_error(libc::EACCES));
        }
        let delete = (options & DELETE_ON_CLOSE != 0).then(|| path.to_owned());
        file_share::admit(
            fd,
            OpenFile {
                file: (stat.st_dev, stat.st_ino),
                access,
                share,
                delete,
            },
        )?;
        if matches!(mode, mode::CREATE | mode::TRUNCATE) {
            // SAFETY: our own descriptor.
            check(unsafe { libc::ftruncate(fd as i32, 0) })?;
        }
        Ok(())
    };
    admit().inspect_err(|_| {
        file_share::forget(fd);
        // SAFETY: our own descriptor; nobody else knows it.
        unsafe { libc::close(fd as i32) };
    })?;
    Ok(fd)
}

/// "Not found" becomes "path not found" when the folder is missing too.
pub fn with_parent(e: std::io::Error, path: &Path) -> std::io::Error {
    let missing = e.raw_os_error() == Some(libc::ENOENT);
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    if missing && parent.is_some_and(|p| !p.is_dir()) {
        return win32::error(win32::PATH_NOT_FOUND);
    }
    e
}

extern "C" fn close(fd: isize, error: *mut i32) -> bool {
    let delete = file_share::forget(fd);
    // SAFETY: closes the descriptor the handle stands for, as the program asked.
    let closed = blocking(|| check(unsafe { libc::close(fd as i32) }));
    if let Some(path) = delete {
        // The file may be gone already.
        let _ = std::fs::remove_file(path);
    }
    report(closed.map(|_| true), false, error)
}

/// Part of a byte array, clipped to its length; managed code has checked the range.
fn part(bytes: Obj, offset: i32, count: i32) -> &'static mut [u8] {
    let all = array::as_mut_slice::<u8>(bytes);
    let start = (offset.max(0) as usize).min(all.len());
    let end = (start + count.max(0) as usize).min(all.len());
    &mut all[start..end]
}

extern "C" fn read(fd: isize, bytes: Obj, offset: i32, count: i32, error: *mut i32) -> i32 {
    let part = part(bytes, offset, count);
    let (at, len) = (part.as_mut_ptr().cast(), part.len());
    // SAFETY: `len` writable bytes of an array that does not move.
    let n = retrying(|| unsafe { libc::read(fd as i32, at, len) });
    report(n.map(|n| n as i32), -1, error)
}

extern "C" fn write(fd: isize, bytes: Obj, offset: i32, count: i32, error: *mut i32) -> i32 {
    let part = part(bytes, offset, count);
    let (at, len) = (part.as_ptr().cast(), part.len());
    // SAFETY: `len` readable bytes of an array that does not move.
    let n = retrying(|| unsafe { libc::write(fd as i32, at, len) });
    report(n.map(|n| n as i32), -1, error)
}

extern "C" fn seek(fd: isize, offset: i64, origin: i32, error: *mut i32) -> i64 {
    // `SeekOrigin` has the numbers of `SEEK_*`.
    // SAFETY: takes numbers only.
    let at = check(unsafe { libc::lseek(fd as i32, offset, origin) });
    report(at, -1, error)
}

extern "C" fn flush(fd: isize, error: *mut i32) -> bool {
    // SAFETY: takes a number only.
    let done = retrying(|| unsafe { libc::fsync(fd as i32) });
    let done = match done {
        // Pipes and terminals have nothing to flush.
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => Ok(0),
        other => other,
    };
    report(done.map(|_| true), false, error)
}

extern "C" fn get_length(fd: isize, error: *mut i32) -> i64 {
    report(stat_of(fd).map(|s| s.st_size), -1, error)
}

extern "C" fn set_length(fd: isize, length: i64, error: *mut i32) -> bool {
    // SAFETY: takes numbers only.
    let done = retrying(|| unsafe { libc::ftruncate(fd as i32, length) });
    report(done.map(|_| true), false, error)
}

/// A Win32 file time as `timespec`; negative: leave as it is.
fn timespec(ticks: i64) -> libc::timespec {
    let since_epoch = ticks - super::clock::EPOCH_TICKS;
    if ticks < 0 {
        return libc::timespec {
            tv_sec: 0,
            tv_nsec: libc::UTIME_OMIT,
        };
    }
    libc::timespec {
        tv_sec: since_epoch.div_euclid(10_000_000),
        tv_nsec: since_epoch.rem_euclid(10_000_000) * 100,
    }
}

extern "C" fn set_file_time(
    fd: isize,
    _creation: i64,
    access: i64,
    write: i64,
    error: *mut i32,
) -> bool {
    let times = [timespec(access), timespec(write)];
    // SAFETY: two times, as the call wants.
    let done = check(unsafe { libc::futimens(fd as i32, times.as_ptr()) });
    report(done.map(|_| true), false, error)
}

fn lock_range(fd: isize, kind: i32, position: i64, length: i64, error: *mut i32) {
    // SAFETY: all zeros is a valid `flock`.
    let mut range: libc::flock = unsafe { core::mem::zeroed() };
    range.l_type = kind as i16;
    range.l_whence = libc::SEEK_SET as i16;
    range.l_start = position;
    range.l_len = length;
    // SAFETY: `F_SETLK` takes a `flock`.
    let done = retrying(|| unsafe { libc::fcntl(fd as i32, libc::F_SETLK, &range) });
    let done = done.map_err(|e| match e.raw_os_error() {
        Some(libc::EAGAIN | libc::EACCES) => win32::error(win32::LOCK_VIOLATION),
        _ => e,
    });
    report(done.map(|_| ()), (), error);
}

extern "C" fn lock(fd: isize, position: i64, length: i64, error: *mut i32) {
    lock_range(fd, libc::F_WRLCK, position, length, error);
}

extern "C" fn unlock(fd: isize, position: i64, length: i64, error: *mut i32) {
    lock_range(fd, libc::F_UNLCK, position, length, error);
}

extern "C" fn create_pipe(read: *mut isize, write: *mut isize, error: *mut i32) -> bool {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    let made = check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) });
    // SAFETY: addresses of the caller's `out` variables.
    unsafe {
        read.write(ends[0] as isize);
        write.write(ends[1] as isize);
    }
    report(made.map(|_| true), false, error)
}

#[allow(
    clippy::too_many_arguments,
    reason = "the signature of the class library"
)]
extern "C" fn duplicate(
    _from: isize,
    fd: isize,
    _to: isize,
    copy: *mut isize,
    _access: i32,
    _inherit: i32,
    _options: i32,
    error: *mut i32,
) -> bool {
    let made = match crate::threads::waitable::duplicate(fd) {
        Some(id) => Ok(id),
        // SAFETY: takes numbers only.
        None => check(unsafe { libc::fcntl(fd as i32, libc::F_DUPFD_CLOEXEC, 0) } as isize),
    };
    // SAFETY: the address of the caller's `out` variable.
    unsafe { copy.write(*made.as_ref().unwrap_or(&INVALID)) };
    report(made.map(|_| true), false, error)
}

extern "C" fn cancel(_fd: isize, error: *mut i32) -> bool {
    report(Err(win32::error(win32::NOT_SUPPORTED)), false, error)
}

extern "C" fn dump_handles() {}

fn text(path: &Path) -> super::Result<Obj> {
    string::from_rust(&path.to_string_lossy())
}

extern "C" fn get_current_directory(error: *mut i32) -> Obj {
    managed(
        || match report(std::env::current_dir().map(Some), None, error) {
            Some(path) => text(&path),
            None => Ok(Obj::NULL),
        },
    )
}

/// Runs a file operation on a path and reports success.
fn on_path(
    path: *const u16,
    error: *mut i32,
    f: impl FnOnce(&Path) -> std::io::Result<()>,
) -> bool {
    // SAFETY: managed code passes a NUL-terminated path.
    let path = unsafe { path_at(path) };
    let done = blocking(|| f(&path)).map_err(|e| with_parent(e, &path));
    report(done.map(|()| true), false, error)
}

extern "C" fn set_current_directory(path: *const u16, error: *mut i32) -> bool {
    on_path(path, error, |p| std::env::set_current_dir(p))
}

extern "C" fn create_directory(path: *const u16, error: *mut i32) -> bool {
    on_path(path, error, |p| std::fs::create_dir(p))
}

extern "C" fn remove_directory(path: *const u16, error: *mut i32) -> bool {
    on_path(path, error, |p| std::fs::remove_dir(p))
}

extern "C" fn delete_file(path: *const u16, error: *mut i32) -> bool {
    on_path(path, error, |p| std::fs::remove_file(p))
}

extern "C" fn move_file(from: *const u16, to: *const u16, error: *mut i32) -> bool {
    // SAFETY: managed code passes a NUL-terminated path.
    let to = unsafe { path_at(to) };
    on_path(from, error, |from| {
        if to.exists() {
            return Err(win32::error(win32::ALREADY_EXISTS));
        }
        std::fs::rename(from, &to)
    })
}

extern "C" fn copy_file(
    from: *const u16,
    to: *const u16,
    overwrite: bool,
    error: *mut i32,
) -> bool {
    // SAFETY: managed code passes a NUL-terminated path.
    let to = unsafe { path_at(to) };
    on_path(from, error, |from| {
        if !overwrite && to.exists() {
            return Err(win32::error(win32::ALREADY_EXISTS));
        }
        std::fs::copy(from, &to).map(|_| ())
    })
}

/// `FileAttributes`
mod attribute {
    pub const READ_ONLY: i32 = 1;
    pub const HIDDEN: i32 = 2;
    pub const DIRECTORY: i32 = 0x10;
    pub const NORMAL: i32 = 0x80;
    pub const REPARSE_POINT: i32 = 0x400;
    /// Of the class libraries only: an executable file.
    pub const EXECUTABLE: i32 = i32::MIN;
}

fn attributes_of(path: &Path, m: &std::fs::Metadata) -> i32 {
    let mut bits = 0;
    if m.is_dir() {
        bits |= attribute::DIRECTORY;
    }
    if m.permissions().readonly() {
        bits |= attribute::READ_ONLY;
    }
    if path.is_symlink() {
        bits |= attribute::REPARSE_POINT;
    }
    if path
        .file_name()
        .is_some_and(|n| n.as_bytes().starts_with(b"."))
    {
        bits |= attribute::HIDDEN;
    }
    if bits == 0 { attribute::NORMAL } else { bits }
}

extern "C" fn get_attributes(path: *const u16, error: *mut i32) -> i32 {
    // SAFETY: managed code passes a NUL-terminated path.
    let path = unsafe { path_at(path) };
    let found = std::fs::metadata(&path).map(|m| attributes_of(&path, &m));
    report(found.map_err(|e| with_parent(e, &path)), -1, error)
}

extern "C" fn set_attributes(path: *const u16, attributes: i32, error: *mut i32) -> bool {
    on_path(path, error, |p| {
        use std::os::unix::fs::PermissionsExt;
        let mut permissions = std::fs::metadata(p)?.permissions();
        permissions.set_mode(mode_with(permissions.mode(), attributes));
        std::fs::set_permissions(p, permissions)
    })
}

/// The permissions of a file after its attributes were set.
fn mode_with(mode: u32, attributes: i32) -> u32 {
    let mode = if attributes & attribute::READ_ONLY != 0 {
        mode & !(libc::S_IWUSR | libc::S_IWGRP | libc::S_IWOTH)
    } else {
        mode | libc::S_IWUSR
    };
    if attributes & attribute::EXECUTABLE == 0 {
        return mode;
    }
    // Who may read may execute.
    mode | (mode & (libc::S_IRUSR | libc::S_IRGRP | libc::S_IROTH)) >> 2
}

/// `MonoIOStat`
#[repr(C)]
struct FileStat {
    attributes: i32,
    length: i64,
    creation: i64,
    access: i64,
    write: i64,
}

extern "C" fn get_stat(path: *const u16, stat: *mut FileStat, error: *mut i32) -> bool {
    use std::os::unix::fs::MetadataExt;
    on_path(path, error, |p| {
        let m = std::fs::metadata(p)?;
        let ticks = |s: i64, ns: i64| super::clock::EPOCH_TICKS + s * 10_000_000 + ns / 100;
        let found = FileStat {
            attributes: attributes_of(p, &m),
            length: m.len() as i64,
            creation: ticks(m.ctime(), m.ctime_nsec()),
            access: ticks(m.atime(), m.atime_nsec()),
            write: ticks(m.mtime(), m.mtime_nsec()),
        };
        // SAFETY: the address of the caller's `out` variable, which is not in the heap.
        unsafe { stat.write(found) };
        Ok(())
    })
}

extern "C" fn temp_path() -> Obj {
    managed(|| {
        let set = ["TMPDIR", "TMP", "TEMP"]
            .iter()
            .find_map(|v| std::env::var_os(v).filter(|s| !s.is_empty()));
        text(Path::new(&set.unwrap_or_else(|| "/tmp".into())))
    })
}
