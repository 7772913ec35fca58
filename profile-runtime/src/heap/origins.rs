//! Leaks by origin: which line allocated a block that is still alive.
//!
//! On request only (`CountingAllocator::with_origins`). Every block that is allocated inside of an
//! annotated call is kept in a table while it lives; when it goes, the line that allocated it learns
//! whether that was at once, within the call, or later. Blocks still in the table are alive.
//!
//! Called from inside the global allocator: what it needs itself is outside the figures, and therefore
//! not looked at either.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::blocks::{Block, TABLE};
use super::thread::{of_this_thread, outside_the_figures};
pub(crate) use super::tokens::UNKNOWN;
use super::tokens::{self, Token};
use crate::own;

/// Whether an allocator with origins has been used, and this is not the child of a fork, in which
/// another thread may have left the table locked.
static ON: AtomicBool = AtomicBool::new(false);

static FORKED: AtomicBool = AtomicBool::new(false);

/// Whether any block was followed: until then there is nothing to ask for at a free.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// What a line's blocks did, as far as they are gone. Sampled blocks stand for many.
#[derive(Debug, Default)]
pub(crate) struct LineOrigins {
    /// Freed after the call that allocated them had ended.
    outlived: Sizes,
    /// Freed by their thread before it allocated anything else.
    passing: Sizes,
    resized: AtomicU64,
}

#[derive(Debug, Default)]
struct Sizes {
    bytes: AtomicU64,
    blocks: AtomicU64,
}

/// Blocks of a line: how many, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub bytes: u64,
    pub blocks: u64,
}

/// What is known of a line's blocks at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// Alive.
    pub alive: Blocks,
    /// Alive when the call that allocated them ended.
    pub after_call: Blocks,
    pub passing: Blocks,
    pub resized: u64,
}

/// Whether blocks are followed.
pub(crate) fn is_on() -> bool {
    ON.load(Relaxed)
}

/// Called in the child of a fork.
pub(crate) fn stop() {
    FORKED.store(true, Relaxed);
    ON.store(false, Relaxed);
    BEGUN.store(false, Relaxed);
}

/// A block was allocated by the calling thread.
pub(super) fn born(block: *mut u8, size: usize) {
    if !ON.load(Relaxed) {
        if FORKED.load(Relaxed) {
            return;
        }
        ON.store(true, Relaxed);
    }
    let Some(counters) = of_this_thread() else {
        return;
    };
    let Some((line, token)) = own::origin() else {
        return;
    };
    let block = Block {
        address: block.addr(),
        size,
        line,
        token,
        thread: std::ptr::from_ref(counters).addr(),
        number: counters.counts().allocations,
    };
    if !BEGUN.load(Relaxed) {
        BEGUN.store(true, Relaxed);
    }
    outside_the_figures(|| TABLE.insert(block));
}

/// A block is about to be freed by the calling thread.
pub(super) fn gone(block: *mut u8) {
    let Some((block, weight)) = take(block) else {
        return;
    };
    if tokens::has_ended(block.token) {
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

/// A block is about to be reallocated: it is nowhere until it is put back or born again.
pub(super) fn take(block: *mut u8) -> Option<(Block, u64)> {
    if !BEGUN.load(Relaxed) {
        return None;
    }
    // Whoever is outside the figures frees what was allocated there.
    of_this_thread()?;
    outside_the_figures(|| TABLE.remove(block.addr()))
}

/// The block could not be reallocated, and is as it was.
pub(super) fn put_back(block: Block) {
    outside_the_figures(|| TABLE.insert(block));
}

/// The block has a new size, and belongs to the line that gave it this size.
pub(super) fn resized((old, weight): (Block, u64), block: *mut u8, size: usize) {
    old.line.resized.fetch_add(weight, Relaxed);
    if tokens::has_ended(old.token) {
        old.line.outlived.add(old.size, weight);
    }
    born(block, size);
}

/// How blocks are followed: of the small ones one in so many, and how many had no room.
pub(crate) fn sampling() -> (u64, u64) {
    TABLE.sampling()
}

/// The smallest size of which every block is followed.
pub(crate) use super::blocks::LARGE;

/// Bytes that following takes.
pub(crate) fn bytes() -> u64 {
    TABLE.bytes()
}

/// Looks at all blocks that are alive: `visit` gets the line of each, what it stands for, and whether
/// its call has ended. Allocates, so it is called outside the figures.
pub(crate) fn for_each_alive(mut visit: impl FnMut(&'static LineOrigins, Blocks, bool)) {
    TABLE.for_each(|block, weight| {
        let size = Blocks {
            bytes: block.size as u64 * weight,
            blocks: weight,
        };
        visit(block.line, size, tokens::has_ended(block.token));
    });
}

/// The token of a call in which the first block is allocated.
pub(crate) fn token() -> Token {
    tokens::take()
}

/// The call with this token has ended.
pub(crate) fn call_ended(token: Token) {
    tokens::give_back(token);
}

impl LineOrigins {
    /// What is known of the blocks that are gone.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            alive: Blocks::default(),
            after_call: self.outlived.sum(),
            passing: self.passing.sum(),
            resized: self.resized.load(Relaxed),
        }
    }
}

impl Sizes {
    // Whoever frees a block books it, on whatever thread: several at once.
    fn add(&self, size: usize, weight: u64) {
        self.bytes.fetch_add(size as u64 * weight, Relaxed);
        self.blocks.fetch_add(weight, Relaxed);
    }

    fn sum(&self) -> Blocks {
        Blocks {
            bytes: self.bytes.load(Relaxed),
            blocks: self.blocks.load(Relaxed),
        }
    }
}

impl Blocks {
    pub(crate) fn plus(self, other: Blocks) -> Blocks {
        Blocks {
            bytes: self.bytes + other.bytes,
            blocks: self.blocks + other.blocks,
        }
    }
}

impl Seen {
    pub(crate) fn plus(self, other: Seen) -> Seen {
        Seen {
            alive: self.alive.plus(other.alive),
            after_call: self.after_call.plus(other.after_call),
            passing: self.passing.plus(other.passing),
            resized: self.resized + other.resized,
        }
    }
}
