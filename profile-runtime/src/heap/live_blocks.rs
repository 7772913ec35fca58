//! The table of followed blocks that are alive, in bounded memory.
//!
//! The table is cut into shards, so that threads seldom wait for one another. When a shard is nearly full,
//! fewer of the small blocks are followed from then on: one in two, one in four, and so on. Each followed
//! block then stands for two, four, and so on (its *weight*). A block's address decides whether it is
//! followed, so that its free is treated like its allocation.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::call_ids::CallId;
use crate::counters::line_blocks::LineBlocks;
use crate::sync::lock;

/// Blocks of this size and more are always followed.
pub(crate) const LARGE: usize = 64 << 10;

const SHARDS: usize = 64;

/// Places in a shard: 48 bytes a block, 6 MiB in all.
const ROOM: usize = 1 << 11;

/// A shard with so many blocks is nearly full.
const MANY: usize = ROOM / 4 * 3;

/// At least one small block in 2^20 is followed.
const MOST_HALVINGS: u32 = 20;

/// A block that is alive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub address: usize,
    pub size: usize,
    /// The line that allocated it.
    pub line: &'static LineBlocks,
    /// The call that allocated it.
    pub call_id: CallId,
    /// The address of the counters of the thread that allocated it.
    pub thread: usize,
    /// How many allocations that thread had made by then.
    pub number: u64,
}

pub(super) static TABLE: Table = Table {
    shards: [const { Mutex::new(Shard::NEW) }; SHARDS],
    halvings: AtomicU32::new(0),
    lost: AtomicU64::new(0),
};

pub(super) struct Table {
    shards: [Mutex<Shard>; SHARDS],
    /// One small block in 2 to the power of this is followed.
    halvings: AtomicU32,
    /// Blocks that there was no room for: large ones, since small ones are thinned out before.
    lost: AtomicU64,
}

/// A hash table with open addressing: a block is at its home place, or at a later one with no gap between.
struct Shard {
    places: Vec<Option<Block>>,
    count: usize,
    /// The table's `halvings` when the shard was last thinned out.
    halvings: u32,
}

impl Table {
    pub(super) fn insert(&self, block: Block) {
        let hash = hash(block.address);
        if !self.follows(hash, block.size) {
            return;
        }
        let mut shard = self.shard(hash);
        if shard.count >= MANY {
            let halvings = self.halvings.load(Relaxed).max(shard.halvings + 1);
            if halvings <= MOST_HALVINGS {
                self.halvings.fetch_max(halvings, Relaxed);
                shard.thin_out(halvings);
            }
            if !self.follows(hash, block.size) {
                return;
            }
        }
        if shard.count >= ROOM - 1 {
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        shard.insert(hash, block);
    }

    /// Takes the block at `address` out, if it is followed. Gives it with its weight.
    pub(super) fn remove(&self, address: usize) -> Option<(Block, u64)> {
        let hash = hash(address);
        let mut shard = self.shard(hash);
        let halvings = self.halvings.load(Relaxed);
        let block = shard.remove(hash, address)?;
        follows(hash, block.size, halvings).then(|| (block, weight(block.size, halvings)))
    }

    /// Visits every followed block with its weight.
    ///
    /// A shard is locked while it is copied. That takes some ten microseconds, for which threads wait.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&Block, u64)) {
        let halvings = self.halvings.load(Relaxed);
        let mut copy = Vec::with_capacity(ROOM);
        for shard in &self.shards {
            copy.clear();
            let shard = lock(shard);
            copy.extend_from_slice(&shard.places);
            drop(shard);
            for block in copy.iter().flatten() {
                if follows(hash(block.address), block.size, halvings) {
                    visit(block, weight(block.size, halvings));
                }
            }
        }
    }

    /// One small block in how many is followed, and how many blocks there was no room for.
    pub(super) fn sampling(&self) -> (u64, u64) {
        let halvings = self.halvings.load(Relaxed);
        (1 << halvings, self.lost.load(Relaxed))
    }

    pub(super) fn bytes(&self) -> u64 {
        let shards = self.shards.iter().map(|shard| {
            let shard = lock(shard);
            (shard.places.capacity() * size_of::<Option<Block>>()) as u64
        });
        shards.sum()
    }

    fn follows(&self, hash: u64, size: usize) -> bool {
        follows(hash, size, self.halvings.load(Relaxed))
    }

    fn shard(&self, hash: u64) -> std::sync::MutexGuard<'_, Shard> {
        let shard = &self.shards[(hash >> 58) as usize % SHARDS];
        lock(shard)
    }
}

impl Shard {
    const NEW: Shard = Shard {
        places: Vec::new(),
        count: 0,
        halvings: 0,
    };

    fn insert(&mut self, hash: u64, block: Block) {
        if self.places.is_empty() {
            self.places.resize(ROOM, None);
        }
        let mut at = home(hash);
        while self.places[at].is_some_and(|other| other.address != block.address) {
            at = (at + 1) % ROOM;
        }
        // A block that is already there was freed past the counting allocator.
        self.count += usize::from(self.places[at].is_none());
        self.places[at] = Some(block);
    }

    fn remove(&mut self, hash: u64, address: usize) -> Option<Block> {
        if self.places.is_empty() {
            return None;
        }
        let mut at = home(hash);
        loop {
            let block = self.places[at]?;
            if block.address == address {
                self.close_gap(at);
                self.count -= 1;
                return Some(block);
            }
            at = (at + 1) % ROOM;
        }
    }

    /// Moves later blocks towards their home places, so that no gap comes between.
    fn close_gap(&mut self, mut gap: usize) {
        let mut at = gap;
        loop {
            at = (at + 1) % ROOM;
            let Some(block) = self.places[at] else { break };
            let away = at.wrapping_sub(home(hash(block.address))) % ROOM;
            if away >= at.wrapping_sub(gap) % ROOM {
                self.places[gap] = Some(block);
                gap = at;
            }
        }
        self.places[gap] = None;
    }

    /// Forgets the blocks that are not followed any more.
    fn thin_out(&mut self, halvings: u32) {
        self.halvings = halvings;
        let places = std::mem::take(&mut self.places);
        self.count = 0;
        for block in places.into_iter().flatten() {
            let hash = hash(block.address);
            if follows(hash, block.size, halvings) {
                self.insert(hash, block);
            }
        }
        // `insert` made room only if blocks were left; the room will be needed again in any case.
        if self.places.is_empty() {
            self.places.resize(ROOM, None);
        }
    }
}

/// Mixes the bits of an address, of which the lowest are always 0.
fn hash(address: usize) -> u64 {
    let mixed = (address as u64 >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

fn home(hash: u64) -> usize {
    (hash >> 32) as usize % ROOM
}

fn follows(hash: u64, size: usize, halvings: u32) -> bool {
    size >= LARGE || hash.trailing_zeros() >= halvings
}

fn weight(size: usize, halvings: u32) -> u64 {
    if size >= LARGE { 1 } else { 1 << halvings }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn table() -> Table {
        Table {
            shards: [const { Mutex::new(Shard::NEW) }; SHARDS],
            halvings: AtomicU32::new(0),
            lost: AtomicU64::new(0),
        }
    }

    fn block(address: usize, size: usize) -> Block {
        Block {
            address,
            size,
            line: Box::leak(Box::default()),
            call_id: 0,
            thread: 0,
            number: 0,
        }
    }

    proptest! {
        #[test]
        fn live_blocks_table_holds_what_was_put_in_and_not_taken_out(
            steps in prop::collection::vec((0_usize..3_000, any::<bool>()), 0..6_000)
        ) {
            let (table, mut expected) = (table(), HashMap::new());
            for (number, (place, add)) in steps.into_iter().enumerate() {
                let address = (place + 1) * 16;
                if add {
                    table.insert(block(address, number));
                    expected.insert(address, number);
                } else {
                    let found = table.remove(address).map(|(block, weight)| (block.size, weight));
                    prop_assert_eq!(found, expected.remove(&address).map(|size| (size, 1)));
                }
            }
            let mut found = HashMap::new();
            table.for_each(|block, _| {
                found.insert(block.address, block.size);
            });
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn live_blocks_table_holds_a_million_blocks_in_bounded_room_and_their_sum_about_right() {
        let table = table();
        let blocks = 1_000_000;
        for number in 1..=blocks {
            table.insert(block(number * 48, 100));
        }
        table.insert(block(7, LARGE));
        let (mut sum, mut large) = (0, 0);
        table.for_each(|block, weight| {
            sum += weight;
            large += u64::from(block.size == LARGE);
        });
        assert_eq!((large, table.sampling().1), (1, 0));
        assert!(table.bytes() <= (SHARDS * ROOM * 56) as u64);
        let off = (sum as f64 / blocks as f64 - 1.0).abs();
        assert!(off < 0.05, "{sum}");
        for number in 1..=blocks {
            table.remove(number * 48);
        }
        let mut left = 0;
        table.for_each(|_, _| left += 1);
        assert_eq!(left, 1);
    }
}
