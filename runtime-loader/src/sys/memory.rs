//! Anonymous and doubly mapped memory.
#![allow(unsafe_code, reason = "mmap")]

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::OnceLock;

/// Bytes of memory this process can have at most: the machine's, or the limit of a control group it is in.
pub fn available_at_most() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| {
        let info = rustix::system::sysinfo();
        let machine = (info.totalram as usize).saturating_mul(info.mem_unit as usize);
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        group_limit(Path::new("/sys/fs/cgroup"), &groups)
            .map_or(machine, |limit| limit.min(machine))
    })
}

/// The smallest limit of the control groups (version 2) around a process, given its line of `/proc/self/cgroup`.
fn group_limit(root: &Path, groups: &str) -> Option<usize> {
    let path = groups.lines().find_map(|l| l.strip_prefix("0::/"))?;
    let limit = |folder: &Path| -> Option<usize> {
        let text = std::fs::read_to_string(folder.join("memory.max")).ok()?;
        text.trim().parse().ok()
    };
    let own = root.join(path);
    own.ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(limit)
        .min()
}

/// A private mapping that is unmapped on drop.
#[derive(Debug)]
pub struct Mapping {
    start: *mut u8,
    len: usize,
}

// SAFETY: a mapping is plain memory; whoever accesses it through `start` answers for synchronization.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Fresh zeroed read-write memory; pages cost nothing until touched.
    pub fn anonymous(len: usize) -> io::Result<Mapping> {
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no existing memory.
        let start = unsafe { libc::mmap(core::ptr::null_mut(), len, prot, flags, -1, 0) };
        check_map(start).map(|start| Mapping { start, len })
    }

    /// First byte.
    pub fn start(&self) -> *mut u8 {
        self.start
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Is the length 0? (Never.)
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes the memory inaccessible.
    pub fn protect_none(&self) {
        // SAFETY: the range is this mapping.
        unsafe { libc::mprotect(self.start.cast(), self.len, libc::PROT_NONE) };
    }

    /// Makes the first `bytes` inaccessible (guard pages).
    pub fn guard_low(&self, bytes: usize) {
        // SAFETY: the range lies within this mapping.
        unsafe { libc::mprotect(self.start.cast(), bytes.min(self.len), libc::PROT_NONE) };
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nobody keeps pointers into it beyond its owner.
        unsafe { libc::munmap(self.start.cast(), self.len) };
    }
}

/// The same memory twice: once readable and writable, once readable and executable. Lives until the process ends.
#[derive(Debug, Clone, Copy)]
pub struct DualMapping {
    /// Where to write.
    pub writable: usize,
    /// Where to execute.
    pub executable: usize,
    /// Length in bytes.
    pub len: usize,
}

impl DualMapping {
    /// Maps `len` bytes of code memory. In front of the executable view lie `data_len` bytes of plain read-write
    /// memory (for cells that code reaches relative to `rip`).
    pub fn with_data(len: usize, data_len: usize) -> io::Result<(DualMapping, usize)> {
        let fd = anonymous_file(len)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: reserves address space at an address of the kernel's choice.
        let base = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                data_len + len,
                libc::PROT_NONE,
                flags,
                -1,
                0,
            )
        };
        let base = check_map(base)?;
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the data part lies at the start of the reservation just made.
        if unsafe { libc::mprotect(base.cast(), data_len, rw) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let executable = map_file(
            &fd,
            Some(base.wrapping_add(data_len)),
            len,
            libc::PROT_READ | libc::PROT_EXEC,
        )?;
        let writable = map_file(&fd, None, len, rw)?;
        Ok((
            DualMapping {
                writable: writable as usize,
                executable: executable as usize,
                len,
            },
            base as usize,
        ))
    }
}

fn anonymous_file(len: usize) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("code", rustix::fs::MemfdFlags::CLOEXEC)?;
    rustix::fs::ftruncate(&fd, len as u64)?;
    Ok(fd)
}

fn map_file(
    fd: &OwnedFd,
    at: Option<*mut u8>,
    len: usize,
    prot: libc::c_int,
) -> io::Result<*mut u8> {
    use std::os::fd::AsRawFd;
    let (hint, fixed) = at.map_or((core::ptr::null_mut(), 0), |p| (p, libc::MAP_FIXED));
    let flags = libc::MAP_SHARED | libc::MAP_NORESERVE | fixed;
    // SAFETY: with a hint the range is inside a reservation that the caller has just made and nobody uses;
    // without one the kernel chooses free space.
    check_map(unsafe { libc::mmap(hint.cast(), len, prot, flags, fd.as_raw_fd(), 0) })
}

fn check_map(start: *mut libc::c_void) -> io::Result<*mut u8> {
    if start == libc::MAP_FAILED {
        Err(io::Error::last_os_error())
    } else {
        Ok(start.cast())
    }
}

#[cfg(test)]
mod tests {
    use super::group_limit;

    #[test]
    fn the_smallest_limit_of_the_groups_counts() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("a/b");
        std::fs::create_dir_all(&group).unwrap();
        let write =
            |at: &std::path::Path, text| std::fs::write(at.join("memory.max"), text).unwrap();
        write(&group, "max\n");
        assert_eq!(group_limit(root.path(), "0::/a/b\n"), None);
        write(&root.path().join("a"), "1048576\n");
        assert_eq!(
            group_limit(root.path(), "3:cpu:/x\n0::/a/b\n"),
            Some(1 << 20)
        );
        write(&group, "2097152\n");
        assert_eq!(group_limit(root.path(), "0::/a/b\n"), Some(1 << 20));
        assert_eq!(group_limit(root.path(), "3:cpu:/x\n"), None);
    }
}
