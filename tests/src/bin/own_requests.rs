//! How often memprof asks for memory on the thread that calls functions which are watched one by one: of one
//! with a size from its second call on, of one with a limit while no vector of its calls grows. Prints both
//! numbers.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

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
fn limited(number: u64) -> u64 {
    let first = black_box(number + 1);
    first + 1
}

#[profile_memory(by = number)]
fn sized(number: u64) -> u64 {
    let first = black_box(number + 1);
    first + 1
}

fn main() {
    let requests_of = |calls: fn(u64) -> u64, numbers: std::ops::Range<u64>| {
        let before = REQUESTS.get();
        numbers.for_each(|number| assert_eq!(black_box(calls(number)), number + 2));
        REQUESTS.get() - before
    };
    let _ = requests_of(sized, 0..1);
    let requests = requests_of(sized, 1..50);
    // What is kept of a call has a place in a vector that grows at the 33rd, and then at the 65th.
    let _ = requests_of(limited, 0..40);
    println!("{requests} {}", requests_of(limited, 40..60));
}
