//! memprof's own heap. What memprof allocates for itself comes from here, if the counting allocator is installed.
//!
//! So none of it lies among the program's blocks, and its pages are known: readings leave them out (`os/own_pages.rs`).
//!
//! ```text
//!   base                    next       committed                              base + RANGE
//!   ├── blocks ─────────────┼── room ──┼── reserved, not there ───────────────────────┤
//! ```
//!
//! Blocks have sizes of 16 bytes to 32 MiB, four sizes to each doubling. A free block waits in the list of its size. The
//! inside of a large one is given back to the system meanwhile. Room grows by whole chunks that are made resident at
//! once. What does not fit is left to the program's allocator.

use std::alloc::Layout;
use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::os::own_pages;
use crate::own_code;
use crate::sync::lock;

/// Addresses that are reserved. That takes no memory.
const RANGE: usize = 256 << 20;

/// Room grows by so many bytes at least.
const CHUNK: usize = 128 << 10;

/// The pages inside of a free block of this size and more are given back.
const LARGE: usize = 16 << 10;

const PAGE: usize = 4096;

/// A cache line, of most processors.
const LINE: usize = 64;

/// In place of `BASE` while there is no heap: no block has an address this far behind it.
const NO_BASE: usize = 1 << (usize::BITS - 1);

const CLASSES: usize = 80;

/// Where the heap begins. `NO_BASE` until its first block.
static BASE: AtomicUsize = AtomicUsize::new(NO_BASE);

/// Whether this is the child of a fork: a thread that did not come along may have left the heap locked.
static FORKED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether the thread has the heap locked. A signal handler may allocate then.
    static LOCKED: AtomicBool = const { AtomicBool::new(false) };
}

static HEAP: Mutex<OwnHeap> = Mutex::new(OwnHeap {
    begin: None,
    refused: false,
    next: 0,
    committed: 0,
    free: [ptr::null_mut(); CLASSES],
    given_back: [ptr::null_mut(); CLASSES],
});

struct OwnHeap {
    begin: Option<NonNull<u8>>,
    /// The system had no addresses to spare.
    refused: bool,
    /// Bytes that have been cut into blocks.
    next: usize,
    /// Bytes that are usable.
    committed: usize,
    /// The first free block of each size, which begins with the address of the next one.
    free: [*mut u8; CLASSES],
    /// The same of large blocks of which only the first page is resident.
    given_back: [*mut u8; CLASSES],
}

// SAFETY: the addresses are those of blocks that nobody else has.
unsafe impl Send for OwnHeap {}

/// Whether the block at this address is one of ours.
#[inline]
pub(super) fn has(block: *mut u8) -> bool {
    block.addr().wrapping_sub(BASE.load(Relaxed)) < RANGE
}

/// Called in the child of a fork: from now on nothing is allocated here, and nothing is freed.
pub(crate) fn stop() {
    FORKED.store(true, Relaxed);
}

/// A block, or `None` where the program's allocator has to help out. What is in it is left over from others.
pub(super) fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    let class = class_of(layout)?;
    if FORKED.load(Relaxed) {
        return None;
    }
    let _inside = own_code::enter_at(&LOCKED)?;
    lock(&HEAP).allocate(class)
}

/// Takes a block back. One that a signal handler frees while its thread has the heap locked stays out for ever.
///
/// # Safety
/// [`allocate`] gave it for this layout, and nobody uses it any more.
pub(super) unsafe fn free(block: *mut u8, layout: Layout) {
    if let Some(class) = class_of(layout)
        && !FORKED.load(Relaxed)
        && let Some(_inside) = own_code::enter_at(&LOCKED)
    {
        // SAFETY: the caller's promise is passed on.
        unsafe { lock(&HEAP).free(block, class) };
    }
}

/// Whether a block for this layout has room for `new_size` bytes, and is not far too large for them.
pub(super) fn fits(layout: Layout, new_size: usize) -> bool {
    let new = Layout::from_size_align(new_size, layout.align()).ok();
    new.is_some_and(|new| class_of(new) == class_of(layout))
}

impl OwnHeap {
    fn allocate(&mut self, class: usize) -> Option<NonNull<u8>> {
        let size = size_of_class(class);
        if let Some(block) = NonNull::new(self.free[class]) {
            // SAFETY: a free block begins with the address of the next one.
            self.free[class] = unsafe { block.cast::<*mut u8>().read() };
            return Some(block);
        }
        if let Some(block) = NonNull::new(self.given_back[class]) {
            // SAFETY: the same; its first page was not given back.
            self.given_back[class] = unsafe { block.cast::<*mut u8>().read() };
            let inside = block.as_ptr().wrapping_add(PAGE);
            // SAFETY: pages of a block of ours, which were given back.
            unsafe { own_pages::make_resident(inside, size - PAGE) };
            return Some(block);
        }
        self.cut(size)
    }

    /// # Safety
    /// `block` is one of this class that nobody uses any more.
    unsafe fn free(&mut self, block: *mut u8, class: usize) {
        let size = size_of_class(class);
        let inside = block.wrapping_add(PAGE);
        // SAFETY: pages of the block, which nobody needs any more.
        let given_back = size >= LARGE && unsafe { own_pages::give_back(inside, size - PAGE) };
        let list = match given_back {
            true => &mut self.given_back[class],
            false => &mut self.free[class],
        };
        // SAFETY: the block is free, large enough for an address, and aligned for one.
        unsafe { block.cast::<*mut u8>().write(*list) };
        *list = block;
    }

    /// A block that there has not been yet.
    fn cut(&mut self, size: usize) -> Option<NonNull<u8>> {
        let begin = self.begin()?;
        let at = self.next.next_multiple_of(alignment(size));
        let end = at + size;
        if end > self.committed {
            self.commit(begin, end)?;
        }
        self.next = end;
        // SAFETY: `end` is not above `committed`, which is within the range.
        Some(unsafe { begin.add(at) })
    }

    /// Makes everything up to `end` usable and resident, and some more.
    fn commit(&mut self, begin: NonNull<u8>, end: usize) -> Option<()> {
        let end = end.next_multiple_of(CHUNK);
        if end > RANGE {
            return None;
        }
        let bytes = end - self.committed;
        // SAFETY: not above the end of the range.
        let first = unsafe { begin.as_ptr().add(self.committed) };
        // SAFETY: part of the range, and not in use.
        if !unsafe { own_pages::make_usable(first, bytes) } {
            return None;
        }
        // SAFETY: just made usable, for nobody else.
        unsafe { own_pages::make_resident(first, bytes) };
        self.committed = end;
        Some(())
    }

    fn begin(&mut self) -> Option<NonNull<u8>> {
        if self.begin.is_none() && !self.refused {
            self.begin = own_pages::reserve(RANGE).and_then(NonNull::new);
            match self.begin {
                Some(begin) => BASE.store(begin.addr().get(), Relaxed),
                None => self.refused = true,
            }
        }
        self.begin
    }
}

/// The class of blocks for this layout; `None` for what is too large, or aligned to more than a cache line.
fn class_of(layout: Layout) -> Option<usize> {
    let size = match layout.align() {
        ..=16 => layout.size(),
        // Such blocks are aligned to their size.
        align if align <= LINE => layout.size().max(align).next_power_of_two(),
        _ => return None,
    };
    let class = match size {
        ..=128 => size.div_ceil(16).max(1) - 1,
        _ => {
            let doubling = (size - 1).ilog2() as usize;
            let quarter = ((size - 1) >> (doubling - 2)) & 3;
            8 + (doubling - 7) * 4 + quarter
        }
    };
    (class < CLASSES).then_some(class)
}

/// The size of blocks of this class.
fn size_of_class(class: usize) -> usize {
    match class {
        ..8 => (class + 1) * 16,
        _ => {
            let (doubling, quarter) = ((class - 8) / 4 + 7, (class - 8) % 4);
            (1 << doubling) + ((quarter + 1) << (doubling - 2))
        }
    }
}

/// What blocks of this size are aligned to: their size, if that is a power of two, up to a cache line. Gaps before
/// blocks that are aligned to more took a third of the heap of two thousand threads.
fn alignment(size: usize) -> usize {
    let align = 1 << size.trailing_zeros().min(LINE.trailing_zeros());
    if size >= LARGE { PAGE } else { align }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::own_process::alone;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    #[test]
    fn own_heap_each_size_gets_the_smallest_class_that_holds_it() {
        assert_eq!(size_of_class(CLASSES - 1), 32 << 20);
        for class in 1..CLASSES {
            let (below, size) = (size_of_class(class - 1), size_of_class(class));
            assert!(size > below && size.is_multiple_of(16), "{class}");
            for wanted in [below + 1, size] {
                assert_eq!(class_of(layout(wanted, 8)), Some(class), "{wanted}");
            }
        }
        assert_eq!(class_of(layout(1, 1)), Some(0));
        assert_eq!(class_of(layout((32 << 20) + 1, 8)), None);
        assert_eq!(class_of(layout(64, 128)), None);
    }

    #[test]
    fn own_heap_blocks_are_aligned_and_apart_and_used_again() {
        alone(|| {
            let kinds = [
                (1, 1),
                (24, 8),
                (100, 64),
                (5_000, 16),
                (3_000, 64),
                (200_000, 8),
            ];
            let kinds = kinds.map(|(size, align)| layout(size, align));
            let mut blocks = Vec::new();
            for (byte, &layout) in (0_u8..60).zip(kinds.iter().cycle()) {
                let block = allocate(layout).expect("room");
                assert!(has(block.as_ptr()));
                let address = block.addr().get();
                assert!(address.is_multiple_of(layout.align()), "{layout:?}");
                // SAFETY: the block has this size.
                unsafe { block.write_bytes(byte, layout.size()) };
                blocks.push((block, layout, byte));
            }
            for (block, layout, byte) in &blocks {
                // SAFETY: written above.
                let held = unsafe { std::slice::from_raw_parts(block.as_ptr(), layout.size()) };
                assert!(held.iter().all(|one| one == byte), "{layout:?}");
            }
            let resident = own_pages::OwnMemory::now().heap;
            for (block, layout, _) in &blocks {
                // SAFETY: allocated for this layout, and not used any more.
                unsafe { free(block.as_ptr(), *layout) };
            }
            let less = resident - own_pages::OwnMemory::now().heap;
            assert_eq!(
                less,
                10 * (size_of_class(class_of(kinds[5]).expect("one")) - PAGE) as u64
            );
            for (last, layout, _) in blocks.iter().rev().take(6) {
                let again = allocate(*layout).expect("room");
                assert_eq!(again, *last);
                // SAFETY: of the given size.
                unsafe { again.write_bytes(1, layout.size()) };
            }
        });
    }

    #[test]
    fn own_heap_an_address_of_others_is_none_of_ours() {
        let mut own = 1_u8;
        assert!(!has(&raw mut own) && !has(ptr::null_mut()));
        assert!(!has(Box::leak(Box::new(1_u8))));
    }
}
