//! Leaks by origin: which line allocated a block that is still alive.
//!
//! On request only (`CountingAllocator::with_origins`). Every block that is allocated inside of an
//! annotated call is kept in a table while it lives; when it goes, the line that allocated it learns
//! whether that was at once, within the call, or later. Blocks still in the table are alive.
//!
//! Called from inside the global allocator: what it needs itself is outside the figures, and therefore
//! not looked at either.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub(crate) use super::call_ids::UNKNOWN;
use super::call_ids::{self, CallId};
use super::live_blocks::{Block, TABLE};
use super::this_thread::{of_this_thread, without_counting};
use crate::counters::line_blocks::{Blocks, LineBlocks};

/// Whether an allocator with origins has been used, and this is not the child of a fork, in which
/// another thread may have left the table locked.
static ON: AtomicBool = AtomicBool::new(false);

/// A block's owner: the calling thread's line in progress, and the id of its call.
pub(crate) type BlockOwner = (&'static LineBlocks, CallId);

/// Who asks the calling thread for a block's owner. Known once the recorder has started: the allocator
/// stands below everything that could answer.
static FIND_OWNER: OnceLock<fn() -> Option<BlockOwner>> = OnceLock::new();

static FORKED: AtomicBool = AtomicBool::new(false);

/// Whether any block was followed: until then there is nothing to ask for at a free.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Whether blocks are followed.
pub(crate) fn is_on() -> bool {
    ON.load(Relaxed)
}

/// From now on blocks that are allocated belong to whom `find` names.
pub(crate) fn find_owners_with(find: fn() -> Option<BlockOwner>) {
    // A second recorder is never started; a test that makes several asks the same.
    let _ = FIND_OWNER.set(find);
}

fn owner_of_block() -> Option<BlockOwner> {
    FIND_OWNER.get()?()
}

/// Called in the child of a fork.
pub(crate) fn stop() {
    FORKED.store(true, Relaxed);
    ON.store(false, Relaxed);
    BEGUN.store(false, Relaxed);
}

/// A block was allocated by the calling thread.
pub(super) fn allocated(block: *mut u8, size: usize) {
    if !ON.load(Relaxed) {
        if FORKED.load(Relaxed) {
            return;
        }
        ON.store(true, Relaxed);
    }
    let Some(counters) = of_this_thread() else {
        return;
    };
    let Some((line, call_id)) = owner_of_block() else {
        return;
    };
    let block = Block {
        address: block.addr(),
        size,
        line,
        call_id,
        thread: std::ptr::from_ref(counters).addr(),
        number: counters.counts().allocations,
    };
    if !BEGUN.load(Relaxed) {
        BEGUN.store(true, Relaxed);
    }
    without_counting(|| TABLE.insert(block));
}

/// A block is about to be freed by the calling thread.
pub(super) fn freed(block: *mut u8) {
    let Some((block, weight)) = take(block) else {
        return;
    };
    if call_ids::has_ended(block.call_id) {
        block.line.outlived.add(block.size, weight);
    }
    let at_once = of_this_thread().is_some_and(|counters| {
        std::ptr::from_ref(counters).addr() == block.thread
            && counters.counts().allocations == block.number
    });
    if at_once {
        block.line.passing.add(block.size, weight);
    }
}

/// A block is about to be reallocated: it is nowhere until it is put back or allocated again.
pub(super) fn take(block: *mut u8) -> Option<(Block, u64)> {
    if !BEGUN.load(Relaxed) {
        return None;
    }
    // Whoever is outside the figures frees what was allocated there.
    of_this_thread()?;
    without_counting(|| TABLE.remove(block.addr()))
}

/// The block could not be reallocated, and is as it was.
pub(super) fn put_back(block: Block) {
    without_counting(|| TABLE.insert(block));
}

/// The block has a new size, and belongs to the line that gave it this size.
pub(super) fn resized((old, weight): (Block, u64), block: *mut u8, size: usize) {
    old.line.resized.fetch_add(weight, Relaxed);
    if call_ids::has_ended(old.call_id) {
        old.line.outlived.add(old.size, weight);
    }
    allocated(block, size);
}

/// How blocks are followed: of the small ones one in so many, and how many had no room.
pub(crate) fn sampling() -> (u64, u64) {
    TABLE.sampling()
}

/// The smallest size of which every block is followed.
pub(crate) use super::live_blocks::LARGE;

/// Bytes that following takes.
pub(crate) fn bytes() -> u64 {
    TABLE.bytes()
}

/// Looks at all blocks that are alive: `visit` gets the line of each, what it stands for, and whether
/// its call has ended. Allocates, so it is called outside the figures.
pub(crate) fn for_each_alive(mut visit: impl FnMut(&'static LineBlocks, Blocks, bool)) {
    TABLE.for_each(|block, weight| {
        let size = Blocks {
            bytes: block.size as u64 * weight,
            blocks: weight,
        };
        visit(block.line, size, call_ids::has_ended(block.call_id));
    });
}

/// The call_id of a call in which the first block is allocated.
pub(crate) fn call_id() -> CallId {
    call_ids::take()
}

/// The call with this call_id has ended.
pub(crate) fn call_ended(call_id: CallId) {
    call_ids::give_back(call_id);
}

#[cfg(all(test, feature = "record"))]
mod tests;
