//! Put into a server that memprof is tried on: an allocator that counts, below the counting one, and an ear.
//!
//! Whoever connects to the socket in `REFERENCE_SOCKET` is told what this allocator counted just before and just after
//! `memprof::snapshot()`, its highest count, and the snapshot.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts what it hands out.
pub struct Reference;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator<Reference> =
    memprof::CountingAllocator::new(Reference);

fn more(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: all is left to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Reference {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        match new_size.checked_sub(layout.size()) {
            Some(growth) => more(growth),
            None => {
                LIVE.fetch_sub(layout.size() - new_size, Relaxed);
            }
        }
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

/// Called first in `main`.
pub fn begin() {
    let Some(path) = std::env::var_os("REFERENCE_SOCKET") else {
        return;
    };
    let listener = UnixListener::bind(path).expect("a socket");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream);
        }
    });
}

fn answer(mut stream: UnixStream) {
    let (before, peak) = (LIVE.load(Relaxed), PEAK.load(Relaxed));
    let run = memprof::snapshot().expect("a call was made");
    let after = LIVE.load(Relaxed);
    let json = memprof::report::to_json(&run).expect("text");
    let said = format!("{before} {after} {peak}\n{json}");
    let _ = stream.write_all(said.as_bytes());
}
