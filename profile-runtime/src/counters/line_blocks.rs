//! What is known of the blocks that a line allocated.

use crate::counters::atomics::{AtomicU64, Ordering::Relaxed};

/// What a line's blocks did, as far as they are gone. Sampled blocks position for many.
#[derive(Debug, Default)]
pub(crate) struct LineBlocks {
    /// Freed after the call that allocated them had ended.
    pub outlived: BlockCounters,
    /// Freed by their thread before it allocated anything else.
    pub passing: BlockCounters,
    pub resized: AtomicU64,
}

/// Bytes and number of blocks, added up by anybody.
#[derive(Debug, Default)]
pub(crate) struct BlockCounters {
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
pub(crate) struct BlockFigures {
    /// Alive.
    pub alive: Blocks,
    /// Alive when the call that allocated them ended.
    pub after_call: Blocks,
    pub passing: Blocks,
    pub resized: u64,
}

impl LineBlocks {
    /// What is known of the blocks that are gone.
    pub(crate) fn seen(&self) -> BlockFigures {
        BlockFigures {
            alive: Blocks::default(),
            after_call: self.outlived.sum(),
            passing: self.passing.sum(),
            resized: self.resized.load(Relaxed),
        }
    }
}

impl BlockCounters {
    // Whoever frees a block books it, on whatever thread: several at once.
    pub(crate) fn add(&self, size: usize, weight: u64) {
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

impl BlockFigures {
    pub(crate) fn plus(self, other: BlockFigures) -> BlockFigures {
        BlockFigures {
            alive: self.alive.plus(other.alive),
            after_call: self.after_call.plus(other.after_call),
            passing: self.passing.plus(other.passing),
            resized: self.resized + other.resized,
        }
    }
}
