//! Memory set aside for the moment at which there is none left: reports are written then, and what they
//! allocate must neither fail, which would abort the program, nor push it over its limit, which would
//! have it killed by its own report.
//!
//! It is a mapping, not a block of the program's allocator, whose habits change with what it gives back.

use std::ptr::{self, NonNull};

/// Address space, and where a control group has a limit also pages, that nobody uses.
#[derive(Debug)]
pub(crate) struct Reserve {
    start: NonNull<libc::c_void>,
    bytes: usize,
    /// Whether its pages are there, and count as the process's.
    pub resident: bool,
}

// SAFETY: nothing is ever read or written through the pointer, it only names the mapping.
unsafe impl Send for Reserve {}

impl Reserve {
    /// Sets `bytes` aside, with their pages if `resident`; `None` if they cannot be had.
    pub(crate) fn new(bytes: usize, resident: bool) -> Option<Reserve> {
        let populate = if resident { libc::MAP_POPULATE } else { 0 };
        // SAFETY: a private anonymous mapping at an address that the kernel chooses touches nothing that
        // is in use.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | populate,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        let start = NonNull::new(start)?;
        Some(Reserve {
            start,
            bytes,
            resident,
        })
    }

    /// Its bytes, as far as they are in the process's RSS.
    pub(crate) fn resident_bytes(&self) -> u64 {
        if self.resident { self.bytes as u64 } else { 0 }
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody has a pointer into it.
        unsafe { libc::munmap(self.start.as_ptr(), self.bytes) };
    }
}

/// Whether the system would give the process so many bytes now: an allocation that fails aborts it.
pub(crate) fn can_be_had(bytes: usize) -> bool {
    Reserve::new(bytes, false).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_can_be_had_and_what_there_is_not_cannot() {
        assert!(can_be_had(1 << 20));
        assert!(!can_be_had(1 << 60));
    }

    #[test]
    fn only_what_is_resident_counts() {
        assert_eq!(
            Reserve::new(1 << 20, true).unwrap().resident_bytes(),
            1 << 20
        );
        assert_eq!(Reserve::new(1 << 20, false).unwrap().resident_bytes(), 0);
    }
}
