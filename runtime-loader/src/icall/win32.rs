//! Win32 error codes, which is how the class libraries want failures of files.

use std::fmt;
use std::io;

/// No error.
pub const SUCCESS: i32 = 0;
/// The folder does not exist.
pub const PATH_NOT_FOUND: i32 = 3;
/// Another opener excludes this access.
pub const SHARING_VIOLATION: i32 = 32;
/// Another process has locked the range.
pub const LOCK_VIOLATION: i32 = 33;
/// The system cannot do that.
pub const NOT_SUPPORTED: i32 = 50;
/// The target exists.
pub const ALREADY_EXISTS: i32 = 183;
/// Anything else.
const GENERAL_FAILURE: i32 = 31;

/// Codes of system errors.
const CODES: &[(i32, i32)] = &[
    (libc::EACCES, 5),
    (libc::EPERM, 5),
    (libc::EROFS, 5),
    (libc::EAGAIN, SHARING_VIOLATION),
    (libc::EBUSY, LOCK_VIOLATION),
    (libc::EEXIST, 80),
    (libc::EINVAL, 25),
    (libc::ESPIPE, 25),
    (libc::EISDIR, 82),
    (libc::ENFILE, 4),
    (libc::EMFILE, 4),
    (libc::ENOENT, 2),
    (libc::ENOTDIR, PATH_NOT_FOUND),
    (libc::ENOSPC, 39),
    (libc::ENOTEMPTY, 145),
    (libc::ENOEXEC, 11),
    (libc::ENAMETOOLONG, 206),
    (libc::EINPROGRESS, 997),
    (libc::ENOSYS, NOT_SUPPORTED),
    (libc::EBADF, 6),
    (libc::EIO, 6),
    (libc::EPIPE, 29),
    (libc::EXDEV, 17),
    (libc::ELOOP, 1921),
    (libc::ENODEV, 15),
    (libc::ENXIO, 2),
];

/// An error that is a Win32 code already.
#[derive(Clone, Copy, Debug)]
struct Win32(i32);

impl fmt::Display for Win32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Win32 error {}", self.0)
    }
}

impl std::error::Error for Win32 {}

/// An error with a given code.
pub fn error(code: i32) -> io::Error {
    io::Error::other(Win32(code))
}

/// The code of an error.
pub fn code_of(e: &io::Error) -> i32 {
    let own = e.get_ref().and_then(|e| e.downcast_ref::<Win32>());
    own.map(|e| e.0)
        .or_else(|| e.raw_os_error().map(of_errno))
        .unwrap_or(GENERAL_FAILURE)
}

/// The code of a system error number.
pub fn of_errno(errno: i32) -> i32 {
    let found = CODES.iter().find(|(e, _)| *e == errno);
    found.map_or(GENERAL_FAILURE, |(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_from_errno_or_are_kept() {
        assert_eq!(code_of(&io::Error::from_raw_os_error(libc::ENOENT)), 2);
        assert_eq!(code_of(&error(SHARING_VIOLATION)), SHARING_VIOLATION);
        assert_eq!(code_of(&io::Error::other("odd")), GENERAL_FAILURE);
    }
}
