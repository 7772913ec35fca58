//! Leaks by origin: follows blocks to find out which line allocated those that are still alive.
//!
//! On request only (`CountingAllocator::with_origins`).
//!
//! 1. Every block that is allocated during an annotated call is put into a table, with its line and call.
//! 2. When the block is freed it leaves the table. Its line counts whether the block was freed at once, and
//!    whether the call had ended by then.
//! 3. Blocks still in the table are alive.
//!
//! These functions are called from inside the global allocator. What they allocate themselves is not counted
//! ([`without_counting`]), and therefore not followed either.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub(crate) use super::call_ids::UNKNOWN;
use super::call_ids::{self, CallId};
use super::live_blocks::{Block, TABLE};
use super::this_thread::{of_this_thread, without_counting};
use crate::counters::line_blocks::{Blocks, LineBlocks};
use crate::own_code;

/// Whether blocks are followed: an allocator with origins has been used. Not in the child of a fork, where
/// a thread that did not come along may have left the table locked.
static ON: AtomicBool = AtomicBool::new(false);

/// A block's owner: the calling thread's line in progress, and the id of its call.
pub(crate) type BlockOwner = (&'static LineBlocks, CallId);

/// Finds the owner of a block that the calling thread allocates. Set when the recorder starts, because the
/// allocator cannot import what knows the answer.
static FIND_OWNER: OnceLock<fn() -> Option<BlockOwner>> = OnceLock::new();

/// Whether this is the child of a fork.
static FORKED: AtomicBool = AtomicBool::new(false);

/// Whether any block was followed yet. Until then a free has nothing to look up.
static ANY_FOLLOWED: AtomicBool = AtomicBool::new(false);

/// Whether blocks are followed.
pub(crate) fn is_on() -> bool {
    ON.load(Relaxed)
}

/// From now on `find` says to whom an allocated block belongs.
pub(crate) fn find_owners_with(find: fn() -> Option<BlockOwner>) {
    // A second recorder is started in tests only, and sets the same function.
    let _ = FIND_OWNER.set(find);
}

fn owner_of_block() -> Option<BlockOwner> {
    FIND_OWNER.get()?()
}

/// Called in the child of a fork.
pub(crate) fn stop() {
    FORKED.store(true, Relaxed);
    ON.store(false, Relaxed);
    ANY_FOLLOWED.store(false, Relaxed);
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
    // What a signal handler allocates when it has interrupted memprof is not followed.
    let Some(_inside) = own_code::enter() else {
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
    if !ANY_FOLLOWED.load(Relaxed) {
        ANY_FOLLOWED.store(true, Relaxed);
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

/// A block is about to be reallocated or freed: takes it out of the table, with its weight. If it is only
/// resized, `put_back` or `resized` puts it back in.
pub(super) fn take(block: *mut u8) -> Option<(Block, u64)> {
    if !ANY_FOLLOWED.load(Relaxed) {
        return None;
    }
    // Not counting means that memprof frees a block of its own, which is not in the table.
    of_this_thread()?;
    let _inside = own_code::enter()?;
    without_counting(|| TABLE.remove(block.addr()))
}

/// The block could not be reallocated: it is back in the table as it was.
pub(super) fn put_back(block: Block) {
    let Some(_inside) = own_code::enter() else {
        return;
    };
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

/// One small block in how many is followed, and how many blocks there was no room for.
pub(crate) fn sampling() -> (u64, u64) {
    TABLE.sampling()
}

pub(crate) use super::live_blocks::LARGE;

/// Bytes that the table of blocks holds.
pub(crate) fn bytes() -> u64 {
    TABLE.bytes()
}

/// Visits all blocks that are alive: `visit` gets the line of each, the blocks that it stands for, and
/// whether its call has ended. Allocates, so it is called without counting.
pub(crate) fn for_each_alive(mut visit: impl FnMut(&'static LineBlocks, Blocks, bool)) {
    TABLE.for_each(|block, weight| {
        let size = Blocks {
            bytes: block.size as u64 * weight,
            blocks: weight,
        };
        visit(block.line, size, call_ids::has_ended(block.call_id));
    });
}

/// An id for a call that allocates its first block.
pub(crate) fn call_id() -> CallId {
    call_ids::take()
}

/// The call with this id has ended.
pub(crate) fn call_ended(call_id: CallId) {
    call_ids::give_back(call_id);
}

#[cfg(all(test, feature = "record"))]
mod tests;
