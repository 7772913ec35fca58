//! The atomics that counters are made of, under one name, so that a test can put loom's in their place.

pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence,
};

/// Adds to a counter with a single writer. A single writer needs no atomic read-modify-write, so this
/// compiles to one plain addition.
#[inline]
pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(sum, Ordering::Relaxed);
}
