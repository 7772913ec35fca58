//! What the programs `heap*` run, each with another allocator: every line allocates what its comment says: see `memprof_tests::truth`. Bytes and
//! numbers of allocations, exact.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use memprof::profile_memory;

pub(crate) fn run() {
    straight();
    growth();
    odd_layouts();
    raw();
    untouched();
    cycle();
    let given = vec![0_u8; 500];
    takes(black_box(given));
    outer();
    nested_temporaries();
    for _ in 0..1_000 {
        hot();
    }
    threads();
    destructors();
}

#[profile_memory]
fn straight() {
    let first = black_box(Box::new([0_u8; 1000])); //= allocated 1000 freed 0 peak_heap 1000 allocations 1
    let second = black_box(vec![1_u8; 300]); //= allocated 300 freed 0 peak_heap 300 allocations 1
    drop(first); //= allocated 0 freed 1000 peak_heap 0 allocations 0
    drop(black_box(vec![0_u64; 100])); //= allocated 800 freed 800 peak_heap 800 allocations 1
    black_box(&second); //= allocated 0 freed 0 peak_heap 0 allocations 0
} //= allocated 0 freed 300 peak_heap 0 allocations 0

#[profile_memory]
fn growth() {
    let mut bytes: Vec<u8> = Vec::with_capacity(10); //= allocated 10 freed 0 allocations 1
    bytes.reserve_exact(90); //= allocated 80 freed 0 peak_heap 80 allocations 0
    bytes.extend([1; 40]); //= allocated 0 freed 0 allocations 0
    bytes.shrink_to_fit(); //= allocated 0 freed 50 peak_heap 0 allocations 0
    let mut text = String::new(); //= allocated 0 freed 0 allocations 0
    text.push_str(black_box("twelve bytes")); //= allocated 12 freed 0 allocations 1
    let mut map: HashMap<u64, u64> = HashMap::new(); //= allocated 0 freed 0 allocations 0
    for key in 0..100 {
        map.insert(key, key);
    }
    let keys: Vec<u64> = map.into_keys().collect(); //= allocations 1
    black_box((keys, text, bytes));
}

#[profile_memory]
fn odd_layouts() {
    let nothing = black_box(vec![(); 1000]); //= allocated 0 freed 0 allocations 0
    let empty = black_box(Box::new([0_u8; 0])); //= allocated 0 freed 0 allocations 0
    let aligned = black_box(Box::new(Aligned([0; 4096]))); //= allocated 4096 freed 0 allocations 1
    drop((nothing, empty, aligned)); //= allocated 0 freed 4096 allocations 0
}

#[repr(align(4096))]
struct Aligned(#[allow(dead_code)] [u8; 4096]);

#[profile_memory]
fn raw() {
    let layout = Layout::from_size_align(100, 64).expect("a layout");
    // SAFETY: the layout has a size.
    let block = black_box(unsafe { alloc(layout) }); //= allocated 100 freed 0 allocations 1
    // SAFETY: as allocated above.
    let block = black_box(unsafe { realloc(block, layout, 700) }); //= allocated 600 freed 0 allocations 0
    let larger = Layout::from_size_align(700, 64).expect("a layout");
    // SAFETY: as reallocated above.
    let block = black_box(unsafe { realloc(block, larger, 20) }); //= allocated 0 freed 680 allocations 0
    let smaller = Layout::from_size_align(20, 64).expect("a layout");
    // SAFETY: as reallocated above.
    unsafe { dealloc(block, smaller) }; //= allocated 0 freed 20 allocations 0
}

/// Two GiB that nobody touches: heap, and not resident.
#[profile_memory]
fn untouched() {
    let layout = Layout::from_size_align(2 << 30, 8).expect("a layout");
    // SAFETY: the layout has a size.
    let block = unsafe { alloc_zeroed(layout) }; //= allocated 2147483648 freed 0 peak_heap 2147483648 allocations 1
    assert!(!block.is_null());
    // SAFETY: as allocated above.
    unsafe { dealloc(black_box(block), layout) }; //= allocated 0 freed 2147483648 allocations 0
}

struct Node(RefCell<Option<Rc<Node>>>);

/// A cycle, which is never freed.
#[profile_memory]
fn cycle() {
    let node = Rc::new(Node(RefCell::new(None))); //= allocated 32 freed 0 allocations 1
    *node.0.borrow_mut() = Some(Rc::clone(&node)); //= allocated 0 freed 0 allocations 0
} //= allocated 0 freed 0 allocations 0

/// What was allocated before the call and by somebody else is freed here.
#[profile_memory]
fn takes(given: Vec<u8>) {
    drop(black_box(given)); //= allocated 0 freed 500 allocations 0 peak_heap 0
    black_box(()); //= allocated 0 freed 0 allocations 0
}

#[profile_memory]
fn outer() {
    let before = black_box(vec![0_u8; 64]); //= allocated 64 freed 0 peak_heap 64 allocations 1
    let made = inner(black_box(vec![0_u8; 10])); //= allocated 1110 freed 1010 peak_heap 1010 allocations 3
    drop((before, made)); //= allocated 0 freed 164 allocations 0
}

#[profile_memory]
fn inner(given: Vec<u8>) -> Vec<u8> {
    drop(black_box(vec![0_u8; 1000])); //= allocated 1000 freed 1000 peak_heap 1000 allocations 1
    let result = black_box(vec![0_u8; 100]); //= allocated 100 freed 0 peak_heap 100 allocations 1
    drop(given); //= allocated 0 freed 10 allocations 0
    result
}

/// A peak inside a call inside a line that had a higher one before.
#[profile_memory]
fn nested_temporaries() {
    drop((black_box(vec![0_u8; 5000]), peak_of(3000))); //= allocated 8000 freed 8000 peak_heap 8000 allocations 2
    drop((black_box(vec![0_u8; 100]), peak_of(7000))); //= allocated 7100 freed 7100 peak_heap 7100 allocations 2
}

#[profile_memory]
fn peak_of(bytes: usize) {
    drop(black_box(vec![0_u8; bytes])); //= allocated 10000 freed 10000 peak_heap 7000 allocations 2
}

/// Called so often that most calls take no reading: the heap is exact all the same.
#[profile_memory]
fn hot() {
    for _ in 0..100 {
        let text = black_box(String::from("0123456789")); //= allocated 1000000 freed 0 peak_heap 10 allocations 100000
        drop(text); //= allocated 0 freed 1000000 peak_heap 0 allocations 0
    }
}

/// Other threads: what they do is not on the caller's account; what they hand over is freed by whom
/// it was given to.
#[profile_memory]
fn threads() {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    let worker = thread::spawn(move || {
        works();
        let _ = sender.send(black_box(vec![0_u8; 12_345]));
    });
    let received = receiver.recv().expect("a message");
    let _ = worker.join();
    drop(received); //= allocated 0 freed 12345 allocations 0
}

#[profile_memory]
fn works() {
    let kept = black_box(vec![0_u8; 777]); //= allocated 777 freed 0 allocations 1
    drop(kept); //= allocated 0 freed 777 allocations 0
}

thread_local! {
    static LATE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Threads whose thread-locals free when they end, after everything else.
fn destructors() {
    for _ in 0..20 {
        let ended = thread::spawn(|| {
            LATE.with_borrow_mut(|late| late.extend([0; 100]));
            works_late();
        });
        ended.join().expect("ended");
    }
}

#[profile_memory]
fn works_late() {
    LATE.with_borrow_mut(|late| late.reserve_exact(900)); //= allocated 18000 freed 0 allocations 0
}
