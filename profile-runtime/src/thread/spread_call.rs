//! A call that ends is counted among those that did about as much on the heap: see `counters/spread.rs`.

use crate::counters::counts::Counts;
use crate::counters::site::SiteCounters;
use crate::heap;

/// Counts a call among those that did about as much on the heap.
#[inline]
pub(super) fn spread_call(counters: &SiteCounters, change: Counts, peak: i64) {
    if !counters.spread_call(change, peak) {
        make_room_and_spread(counters, change, peak);
    }
}

#[cold]
#[inline(never)]
fn make_room_and_spread(counters: &SiteCounters, change: Counts, peak: i64) {
    heap::without_counting(|| counters.make_room_and_spread(change, peak));
}
