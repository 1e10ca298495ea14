//! Mapping the segments of a verified image.
//!
//! Images need nothing of a dynamic linker: no relocations, no symbols, no libraries, no initializers. So the loader maps
//! the segments itself, from the file it has verified and still holds open; nothing in the file can make it do more.
#![allow(unsafe_code, reason = "mmap")]

use core::ops::Range;
use shared_codegen::image::Image;
use shared_codegen::image::elf::Segment;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Where an image is mapped. Images are never unmapped.
#[derive(Clone, Copy, Debug)]
pub struct MappedImage {
    base: usize,
    len: usize,
}

impl MappedImage {
    /// The address of a range of virtual addresses, if it lies within the image.
    pub fn address(&self, vaddrs: &Range<u64>) -> Option<usize> {
        let inside = vaddrs.start <= vaddrs.end && vaddrs.end <= self.len as u64;
        inside.then(|| self.base + vaddrs.start as usize)
    }
}

const PAGE: u64 = 4096;
/// No image is this large; keeps sums from overflowing.
const MAX_SPAN: u64 = 1 << 40;

/// Maps the image that `file` holds.
pub fn map(file: &File, image: &Image<'_>) -> Result<MappedImage, String> {
    let segments = image.segments();
    check(segments)?;
    let end = segments.last().map_or(0, |s| s.vaddrs.end);
    let len = end.next_multiple_of(PAGE) as usize;
    map_all(file, segments, len).map_err(|e| format!("cannot be mapped: {e}"))
}

fn check(segments: &[Segment]) -> Result<(), String> {
    if segments.is_empty() {
        return Err("it has no segments".into());
    }
    for s in segments {
        if s.vaddrs.end > MAX_SPAN || s.vaddrs.start % PAGE != s.file.start % PAGE {
            return Err("a segment cannot be mapped where it wants to be".into());
        }
        if s.writable && s.executable {
            return Err("a segment is writable and executable".into());
        }
    }
    // Two segments on one page would share its protection.
    let apart =
        |w: &[Segment]| w[0].vaddrs.end.next_multiple_of(PAGE) <= w[1].vaddrs.start / PAGE * PAGE;
    if segments.windows(2).all(apart) {
        Ok(())
    } else {
        Err("segments overlap".into())
    }
}

fn map_all(file: &File, segments: &[Segment], len: usize) -> io::Result<MappedImage> {
    let base = reserve(len)?;
    for s in segments {
        // SAFETY: the range lies in the reservation (`len` covers all segments, which do not overlap).
        unsafe { map_segment(file, base, s)? };
    }
    Ok(MappedImage { base, len })
}

fn reserve(len: usize) -> io::Result<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no existing memory.
    let base = unsafe { libc::mmap(core::ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(base as usize)
}

/// # Safety
/// `base` is a reservation that covers the segment, and nothing else lies there.
unsafe fn map_segment(file: &File, base: usize, s: &Segment) -> io::Result<()> {
    let page = PAGE as usize;
    let prot = protection(s);
    let start = base + s.vaddrs.start as usize;
    let low = start / page * page;
    let file_len = (s.file.end - s.file.start) as usize;
    let data_end = start + file_len;
    let mapped_end = if file_len > 0 {
        data_end.next_multiple_of(page)
    } else {
        low
    };
    let end = (base + s.vaddrs.end as usize).next_multiple_of(page);
    let fixed = libc::MAP_PRIVATE | libc::MAP_FIXED;
    if file_len > 0 {
        let offset = (s.file.start / PAGE * PAGE) as libc::off_t;
        // SAFETY: by the contract the range is ours to replace.
        unsafe { map_fixed(low..mapped_end, prot, fixed, file.as_raw_fd(), offset)? };
        if s.writable {
            // SAFETY: the rest of the last page of the private writable mapping made above.
            unsafe { core::ptr::write_bytes(data_end as *mut u8, 0, mapped_end - data_end) };
        }
    }
    if end > mapped_end {
        let flags = fixed | libc::MAP_ANONYMOUS;
        // SAFETY: as above.
        unsafe { map_fixed(mapped_end..end, prot, flags, -1, 0)? };
    }
    Ok(())
}

/// # Safety
/// The range belongs to the caller.
unsafe fn map_fixed(
    range: Range<usize>,
    prot: libc::c_int,
    flags: libc::c_int,
    fd: libc::c_int,
    offset: libc::off_t,
) -> io::Result<()> {
    let at = range.start as *mut libc::c_void;
    // SAFETY: by the contract.
    let got = unsafe { libc::mmap(at, range.len(), prot, flags, fd, offset) };
    if got == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn protection(s: &Segment) -> libc::c_int {
    let bit = |on, bit| if on { bit } else { 0 };
    libc::PROT_READ | bit(s.writable, libc::PROT_WRITE) | bit(s.executable, libc::PROT_EXEC)
}
