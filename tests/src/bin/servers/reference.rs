//! Put into a server that memprof is tried on: a second allocator that counts, below the counting one, and an ear.
//!
//! Whoever connects to the socket in `REFERENCE_SOCKET` is told, once, what this allocator and `memprof::snapshot()`
//! say at the same moment: lines of `name value`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts what it hands out.
pub struct Reference;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: memprof::CountingAllocator<Reference> =
    memprof::CountingAllocator::new(Reference);

fn more(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    ALLOCATED.fetch_add(bytes, Relaxed);
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: all is left to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Reference {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        match new_size.checked_sub(layout.size()) {
            Some(growth) => more(growth),
            None => {
                LIVE.fetch_sub(layout.size() - new_size, Relaxed);
            }
        }
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
    let before = LIVE.load(Relaxed);
    let run = memprof::snapshot();
    let after = LIVE.load(Relaxed);
    let mut said = format!("before {before}\nafter {after}\n");
    said += &format!("peak {}\nallocated {}\n", PEAK.load(Relaxed), ALLOCATED.load(Relaxed));
    if let Some(run) = run {
        said += &format!("json {}\n", memprof::report::to_json(&run).expect("json"));
    }
    let _ = stream.write_all(said.as_bytes());
}
