//! How often memprof asks for memory on the thread that calls functions which are watched one by one, after
//! their first calls. Prints that number for twenty calls.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use memprof::profile_memory;

/// Counts the requests of each thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    REQUESTS.set(REQUESTS.get() + 1);
}

// SAFETY: everything is left to `System`; a constant thread-local without a destructor needs no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[profile_memory(max_peak = "64 GiB")]
fn outer(number: u64) -> u64 {
    let twice = number * 2;
    let inner = inner(twice);
    inner + 1
}

#[profile_memory(by = number)]
fn inner(number: u64) -> u64 {
    let half = number / 2;
    half + 1
}

fn main() {
    // The first forty calls are kept one by one in vectors that grow.
    let calls = |numbers: std::ops::Range<u64>| numbers.map(outer).sum::<u64>();
    let first = calls(0..40);
    let before = REQUESTS.get();
    let rest = calls(40..60);
    let requests = REQUESTS.get() - before;
    assert_eq!(first + rest, (0..60).map(|number| number + 2).sum());
    println!("{requests}");
}
