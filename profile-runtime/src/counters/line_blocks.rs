//! What became of the heap blocks that a line allocated, where blocks are followed.

use crate::counters::atomics::{AtomicU64, Ordering::Relaxed};

/// Counters of a line's freed and resized blocks. Where only one block in many is followed, it counts for
/// all of these.
#[derive(Debug, Default)]
pub(crate) struct LineBlocks {
    /// Freed after the call that allocated them had ended.
    pub outlived: BlockCounters,
    /// Freed by their thread before it allocated anything else.
    pub passing: BlockCounters,
    /// How many blocks were reallocated.
    pub resized: AtomicU64,
}

/// Bytes and number of blocks; several threads may add at once.
#[derive(Debug, Default)]
pub(crate) struct BlockCounters {
    bytes: AtomicU64,
    blocks: AtomicU64,
}

/// Some blocks: how many, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub bytes: u64,
    pub blocks: u64,
}

/// The figures of a line's blocks at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BlockFigures {
    /// Alive.
    pub alive: Blocks,
    /// Alive when the call that allocated them ended.
    pub after_call: Blocks,
    /// Freed by their thread before it allocated anything else.
    pub passing: Blocks,
    pub resized: u64,
}

impl LineBlocks {
    /// The figures of the blocks that are gone.
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
    // Several threads may add at once: whoever frees a block counts it here.
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
