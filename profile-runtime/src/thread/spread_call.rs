//! A call that ends is counted among those that did about as much on the heap: see `counters/spread.rs`.

use crate::counters::site::SiteCounters;
use crate::heap;

/// Counts a call among those that allocated as much and had this peak. Gives the peak if the call, not read when it
/// began, is worth a record, and otherwise 0.
#[inline]
pub(super) fn spread_call(counters: &SiteCounters, allocated: u64, peak: i64) -> u64 {
    let rise = u64::try_from(peak).unwrap_or(0);
    if allocated > 0 && !counters.spread_again(allocated, rise) {
        spread_another(counters, allocated, rise);
    }
    if counters.is_high(rise) { rise } else { 0 }
}

/// Counts a call that did something else than the one before.
#[inline(never)]
fn spread_another(counters: &SiteCounters, allocated: u64, peak: u64) {
    if !counters.spread_call(allocated, peak) {
        heap::without_counting(|| counters.make_room_and_spread(allocated, peak));
    }
}
