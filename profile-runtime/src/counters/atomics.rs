//! The atomics that counters are made of, by one name: a test puts loom's in their place.

pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence,
};

/// Adds to a counter with a single writer, which needs no atomic read-modify-write: this compiles to one
/// plain addition.
#[inline]
pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(sum, Ordering::Relaxed);
}
