use std::cell::Cell;

use super::super::count::{count_allocation, count_free};
use super::*;
use crate::counters::line_blocks::BlockFigures;
use crate::os::own_process::alone;

thread_local! {
    /// Whose the calling thread's blocks are.
    static OWNER: Cell<Option<BlockOwner>> = const { Cell::new(None) };
}

/// What the recorder does at its start, and a line in progress in a call.
fn in_a_line() -> (&'static LineBlocks, CallId) {
    find_owners_with(|| OWNER.get());
    let owner: BlockOwner = (Box::leak(Box::default()), call_id());
    OWNER.set(Some(owner));
    owner
}

fn block(address: usize) -> *mut u8 {
    std::ptr::without_provenance_mut(address)
}

/// As the allocator does.
fn allocate(address: usize, size: usize) {
    count_allocation(size);
    allocated(block(address), size);
}

fn free(address: usize, size: usize) {
    freed(block(address));
    count_free(size);
}

/// Bytes and blocks of `line` that are alive, and those of them whose call has ended.
fn alive(line: &'static LineBlocks) -> (Blocks, Blocks) {
    let mut seen = BlockFigures::default();
    for_each_alive(|of, size, after_call| {
        if std::ptr::eq(of, line) {
            seen.alive = seen.alive.plus(size);
            seen.after_call =
                seen.after_call
                    .plus(if after_call { size } else { Blocks::default() });
        }
    });
    (seen.alive, seen.after_call)
}

fn blocks(bytes: u64, blocks: u64) -> Blocks {
    Blocks { bytes, blocks }
}

const NONE: Blocks = Blocks {
    bytes: 0,
    blocks: 0,
};

#[test]
fn origins_a_block_is_alive_from_its_allocation_to_its_free() {
    alone(|| {
        let (line, _) = in_a_line();
        assert!(!is_on());
        allocate(0x1000, 100);
        allocate(0x2000, 50);
        assert!(is_on());
        assert_eq!(alive(line), (blocks(150, 2), NONE));
        free(0x1000, 100);
        assert_eq!(alive(line), (blocks(50, 1), NONE));
        assert_eq!(line.seen().after_call, NONE, "it was freed within the call");
        assert_eq!(
            line.seen().passing,
            NONE,
            "another block was allocated in between"
        );
    });
}

#[test]
fn origins_a_block_that_is_freed_at_once_is_passing() {
    alone(|| {
        let (line, _) = in_a_line();
        allocate(0x1000, 100);
        free(0x1000, 100);
        assert_eq!(line.seen().passing, blocks(100, 1));
        allocate(0x1000, 40);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                count_allocation(1);
                free(0x1000, 40);
            });
        });
        assert_eq!(
            line.seen().passing,
            blocks(100, 1),
            "another thread freed it"
        );
    });
}

#[test]
fn origins_a_block_outlives_its_call_if_the_call_has_ended_when_it_is_freed() {
    alone(|| {
        let (line, call) = in_a_line();
        allocate(0x1000, 100);
        allocate(0x2000, 30);
        free(0x2000, 30);
        call_ended(call);
        assert_eq!(alive(line), (blocks(100, 1), blocks(100, 1)));
        count_allocation(1);
        free(0x1000, 100);
        assert_eq!(line.seen().after_call, blocks(100, 1));
        assert_eq!(alive(line), (NONE, NONE));
    });
}

#[test]
fn origins_a_resized_block_belongs_to_the_line_that_resized_it() {
    alone(|| {
        let (first, call) = in_a_line();
        allocate(0x1000, 100);
        let (second, _) = in_a_line();
        let followed = take(block(0x1000)).expect("it is followed");
        assert_eq!(alive(first), (NONE, NONE), "it is nowhere meanwhile");
        resized(followed, block(0x3000), 300);
        assert_eq!((alive(first).0, alive(second).0), (NONE, blocks(300, 1)));
        assert_eq!((first.seen().resized, first.seen().after_call), (1, NONE));
        call_ended(call);
        OWNER.set(Some((first, call)));
        allocate(0x4000, 70);
        let followed = take(block(0x4000)).expect("it is followed");
        resized(followed, block(0x4000), 80);
        assert_eq!(
            first.seen().after_call,
            blocks(70, 1),
            "resized after its call"
        );
    });
}

#[test]
fn origins_a_block_that_could_not_be_resized_is_as_it_was() {
    alone(|| {
        let (line, _) = in_a_line();
        allocate(0x1000, 100);
        let (followed, weight) = take(block(0x1000)).expect("it is followed");
        put_back(followed);
        assert_eq!(
            (weight, alive(line).0, line.seen().resized),
            (1, blocks(100, 1), 0)
        );
    });
}

#[test]
fn origins_blocks_without_an_owner_or_outside_the_figures_are_not_followed() {
    alone(|| {
        allocate(0x1000, 100);
        assert!(take(block(0x1000)).is_none(), "no recorder has started");
        let (line, _) = in_a_line();
        OWNER.set(None);
        allocate(0x2000, 100);
        OWNER.set(Some((line, UNKNOWN)));
        without_counting(|| allocate(0x3000, 100));
        allocate(0x4000, 10);
        assert_eq!(alive(line).0, blocks(10, 1));
        without_counting(|| free(0x4000, 10));
        assert_eq!(
            alive(line).0,
            blocks(10, 1),
            "who is outside frees what was allocated there"
        );
    });
}

#[test]
fn origins_the_first_who_says_how_to_find_owners_is_asked() {
    alone(|| {
        let (line, _) = in_a_line();
        find_owners_with(|| None);
        allocate(0x1000, 100);
        assert_eq!(alive(line).0, blocks(100, 1));
    });
}

#[test]
fn origins_nothing_is_followed_in_the_child_of_a_fork() {
    alone(|| {
        let (line, _) = in_a_line();
        allocate(0x1000, 100);
        stop();
        assert!(!is_on());
        allocate(0x2000, 100);
        assert!(!is_on());
        free(0x1000, 100);
        assert_eq!(line.seen().passing, NONE);
        assert_eq!(alive(line).0, blocks(100, 1), "the table is not touched");
    });
}

#[test]
fn origins_what_following_takes_is_known() {
    alone(|| {
        in_a_line();
        assert_eq!((bytes(), sampling()), (0, (1, 0)));
        allocate(0x1000, 100);
        assert!(bytes() > 0);
    });
}
