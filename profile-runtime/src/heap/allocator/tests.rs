use std::cell::Cell;
use std::ptr;

use super::super::this_thread::of_this_thread;
use super::*;
use crate::counters::counts::Counts;
use crate::counters::line_blocks::LineBlocks;
use crate::os::own_process::alone;

/// What the inner allocator was asked for last.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asked {
    Nothing,
    Alloc(usize),
    Zeroed(usize),
    Free(usize),
    Resize(usize, usize),
}

thread_local! {
    static ASKED: Cell<Asked> = const { Cell::new(Asked::Nothing) };
    static HAS_MEMORY: Cell<bool> = const { Cell::new(true) };
}

/// Writes down what it is asked for; the system does it, unless there is no memory.
#[derive(Clone, Copy)]
struct Inner;

fn if_there_is_memory(asked: Asked, work: impl FnOnce() -> *mut u8) -> *mut u8 {
    ASKED.set(asked);
    if HAS_MEMORY.get() {
        work()
    } else {
        ptr::null_mut()
    }
}

// SAFETY: everything is passed on to the system's allocator, or fails.
unsafe impl GlobalAlloc for Inner {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        if_there_is_memory(Asked::Alloc(layout.size()), || unsafe {
            System.alloc(layout)
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let asked = Asked::Zeroed(layout.size());
        // SAFETY: as the caller promised.
        if_there_is_memory(asked, || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ASKED.set(Asked::Free(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let asked = Asked::Resize(layout.size(), new_size);
        // SAFETY: as the caller promised.
        if_there_is_memory(asked, || unsafe { System.realloc(block, layout, new_size) })
    }
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("a size that can be had")
}

// Every block of these tests is resized and freed by the allocator that it is of, with the layout that it has
// by then.

fn alloc(allocator: CountingAllocator<Inner>, size: usize) -> *mut u8 {
    // SAFETY: the layout has a size.
    unsafe { allocator.alloc(layout(size)) }
}

fn zeroed(allocator: CountingAllocator<Inner>, size: usize) -> *mut u8 {
    // SAFETY: the layout has a size.
    unsafe { allocator.alloc_zeroed(layout(size)) }
}

fn resize(allocator: CountingAllocator<Inner>, block: *mut u8, size: usize, to: usize) -> *mut u8 {
    // SAFETY: see above.
    unsafe { allocator.realloc(block, layout(size), to) }
}

fn free(allocator: CountingAllocator<Inner>, block: *mut u8, size: usize) {
    // SAFETY: see above.
    unsafe { allocator.dealloc(block, layout(size)) }
}

fn counts() -> (u64, u64, u64) {
    let counts = of_this_thread().map_or(Counts::default(), |thread| thread.counts());
    (counts.allocated, counts.freed, counts.allocations)
}

#[test]
fn allocator_every_method_is_passed_on_and_counted() {
    alone(|| {
        let allocator = CountingAllocator::new(Inner);
        let block = alloc(allocator, 100);
        assert_eq!((ASKED.get(), counts()), (Asked::Alloc(100), (100, 0, 1)));
        let block = resize(allocator, block, 100, 150);
        assert_eq!(
            (ASKED.get(), counts()),
            (Asked::Resize(100, 150), (150, 0, 1))
        );
        let block = resize(allocator, block, 150, 60);
        assert_eq!(
            (ASKED.get(), counts()),
            (Asked::Resize(150, 60), (150, 90, 1))
        );
        free(allocator, block, 60);
        assert_eq!((ASKED.get(), counts()), (Asked::Free(60), (150, 150, 1)));
        let block = zeroed(allocator, 8);
        assert_eq!((ASKED.get(), counts()), (Asked::Zeroed(8), (158, 150, 2)));
        // SAFETY: the block has so many bytes.
        assert_eq!(unsafe { block.cast::<u64>().read() }, 0);
        free(allocator, block, 8);
    });
}

#[test]
fn allocator_what_could_not_be_had_is_not_counted() {
    alone(|| {
        let allocator = CountingAllocator::new(Inner).with_origins();
        let (line, _) = follow();
        let block = alloc(allocator, 100);
        let before = counts();
        HAS_MEMORY.set(false);
        assert!(alloc(allocator, 7).is_null());
        assert!(zeroed(allocator, 7).is_null());
        assert!(resize(allocator, block, 100, 200).is_null());
        assert_eq!(counts(), before);
        assert_eq!(alive(line), 100, "the block is as it was");
        free(allocator, block, 100);
        assert_eq!(alive(line), 0);
    });
}

/// Blocks of the calling thread are the line's.
fn follow() -> origins::BlockOwner {
    thread_local! {
        static OWNER: Cell<Option<origins::BlockOwner>> = const { Cell::new(None) };
    }
    origins::find_owners_with(|| OWNER.get());
    let owner: origins::BlockOwner = (Box::leak(Box::default()), origins::call_id());
    OWNER.set(Some(owner));
    owner
}

fn alive(line: &'static LineBlocks) -> u64 {
    let mut bytes = 0;
    origins::for_each_alive(|of, size, _| {
        bytes += if ptr::eq(of, line) { size.bytes } else { 0 };
    });
    bytes
}

#[test]
fn allocator_blocks_are_followed_on_request_alone() {
    alone(|| {
        let (line, _) = follow();
        let plain = CountingAllocator::new(Inner);
        let following = plain.with_origins();
        let block = alloc(plain, 100);
        assert!(!origins::is_on());
        free(plain, block, 100);
        let one = alloc(following, 100);
        let two = zeroed(following, 10);
        assert_eq!(alive(line), 110);
        let one = resize(following, one, 100, 300);
        assert_eq!((alive(line), line.seen().resized), (310, 1));
        free(following, one, 300);
        free(following, two, 10);
        assert_eq!(alive(line), 0);
    });
}
