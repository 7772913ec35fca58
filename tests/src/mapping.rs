//! Memory of known size: mapped, touched and unmapped by the kernel alone, so that no allocator's
//! habits come between a program and what it is known to use.

use std::ptr;

/// Pages that are resident from `new` until the value is dropped.
#[derive(Debug)]
pub struct Mapping {
    start: *mut libc::c_void,
    bytes: usize,
}

// SAFETY: a mapping belongs to the process; nothing of it is bound to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `bytes` and writes to each page.
    ///
    /// # Panics
    /// When the kernel has no memory to give.
    #[must_use]
    pub fn new(bytes: usize) -> Mapping {
        let mapping = Mapping::untouched(bytes);
        // SAFETY: the mapping is private, writable and `bytes` long.
        let pages = unsafe { std::slice::from_raw_parts_mut(mapping.start.cast::<u8>(), bytes) };
        for page in pages.chunks_mut(4096) {
            page[0] = 1;
        }
        mapping
    }

    /// Maps `bytes` and leaves them alone: none of them is resident.
    ///
    /// # Panics
    /// When the kernel has no address space to give.
    #[must_use]
    pub fn untouched(bytes: usize) -> Mapping {
        // SAFETY: a new anonymous mapping at an address of the kernel's choice disturbs nothing.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED, "cannot map {bytes} bytes");
        // SAFETY: advice about our own mapping. Huge pages would round what is touched up to 2 MiB.
        unsafe { libc::madvise(start, bytes, libc::MADV_NOHUGEPAGE) };
        Mapping { start, bytes }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `untouched` and nothing refers to it any more.
        unsafe { libc::munmap(self.start, self.bytes) };
    }
}
