//! A crate as a user has it: one function, and ordinary tests of it. `regression` is what a change made
//! worse.

use memprof::{CountingAllocator, profile_memory};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// The lengths of the words.
#[profile_memory(max_heap_peak = "64 KiB")]
pub fn lengths(text: &str) -> Vec<usize> {
    #[cfg(feature = "regression")]
    let copies: Vec<String> = text.split(' ').map(|word| word.repeat(100)).collect();
    #[cfg(feature = "regression")]
    assert!(!copies.is_empty());
    text.split(' ').map(str::len).collect()
}

#[test]
fn words() {
    assert_eq!(lengths("two words"), [3, 5]);
}

#[test]
fn many_words() {
    assert_eq!(lengths(&"word ".repeat(1_000)).len(), 1_001);
}
