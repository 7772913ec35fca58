//! How the calls of a site are spread by what they did on the heap, counted without a lock.
//!
//! The calls of most functions lie in a few buckets: these have their counts in a short list. The rest have theirs in
//! a table, which gets its room where a call needs it. A call that did nothing on the heap is not counted here.
//!
//! Most calls do what the one before did. So it is noted where that one was counted.

use std::sync::OnceLock;

use memprof_model::internal::{BUCKETS, Histogram, bucket};

use crate::counters::atomics::{AtomicU32, AtomicU64, Ordering::Relaxed, add};

/// How many buckets the short list has.
const FEW: usize = 4;
/// Neighbouring buckets that get their room in the table together: values from 1 to 16 times as large.
const CHUNK: usize = 16;
/// Where an entry of the short list has its bucket; the count is below. An entry that is 0 is free.
const BUCKET_AT: u32 = 55;

/// What calls did on the heap, of one site on one thread. Only that thread counts; anybody reads.
#[derive(Debug, Default)]
pub(crate) struct HeapSpread {
    allocated: Buckets,
    peak: Buckets,
    last: LastCall,
}

/// The call that was counted last, if it is in both short lists. All 0 before the first.
#[derive(Debug, Default)]
struct LastCall {
    allocated: AtomicU64,
    peak: AtomicU64,
    /// Its places in the short lists.
    places: [AtomicU32; 2],
}

#[derive(Debug, Default)]
struct Buckets {
    few: [AtomicU64; FEW],
    many: OnceLock<Box<Table>>,
    max: AtomicU64,
}

type Table = [OnceLock<Box<[AtomicU64; CHUNK]>>; BUCKETS / CHUNK];

impl HeapSpread {
    /// Counts a call that did just what the one before did. `false` if it did not: it is not counted then.
    #[inline]
    pub(super) fn count_again(&self, allocated: u64, peak: u64) -> bool {
        let last = &self.last;
        let again = last.allocated.load(Relaxed) == allocated && last.peak.load(Relaxed) == peak;
        if again {
            let [of_allocated, of_peak] = last.places.each_ref().map(|place| {
                let place = place.load(Relaxed) as usize;
                place % FEW
            });
            add(&self.allocated.few[of_allocated], 1);
            add(&self.peak.few[of_peak], 1);
        }
        again
    }

    /// Counts a call that allocated so many bytes, and more than none. `false` if there is no room for such a
    /// call yet: it is not counted then.
    pub(super) fn count(&self, allocated: u64, peak: u64) -> bool {
        let Some(of_allocated) = self.allocated.counter(allocated) else {
            return false;
        };
        if peak > 0 {
            let Some(of_peak) = self.peak.counter(peak) else {
                return false;
            };
            of_peak.count(peak);
            if let (Some(of_allocated), Some(of_peak)) = (of_allocated.place, of_peak.place) {
                self.last.note(allocated, peak, [of_allocated, of_peak]);
            }
        }
        of_allocated.count(allocated);
        true
    }

    /// Makes room for such a call.
    pub(super) fn make_room(&self, allocated: u64, peak: u64) {
        self.allocated.make_room(allocated);
        if peak > 0 {
            self.peak.make_room(peak);
        }
    }

    /// Adds the calls to what other threads counted: by the bytes that they allocated, and by their peaks.
    pub(crate) fn add_to(&self, allocated: &mut Histogram, peak: &mut Histogram) {
        self.allocated.add_to(allocated);
        self.peak.add_to(peak);
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let tables = [&self.allocated, &self.peak].map(Buckets::table_bytes);
        size_of::<HeapSpread>() as u64 + tables.iter().sum::<u64>()
    }
}

impl LastCall {
    fn note(&self, allocated: u64, peak: u64, places: [u32; 2]) {
        self.allocated.store(allocated, Relaxed);
        self.peak.store(peak, Relaxed);
        for (place, is) in self.places.iter().zip(places) {
            place.store(is, Relaxed);
        }
    }
}

/// Where calls of a bucket are counted.
struct Counter<'buckets> {
    buckets: &'buckets Buckets,
    cell: &'buckets AtomicU64,
    /// Its place, if it is in the short list.
    place: Option<u32>,
}

impl Counter<'_> {
    fn count(&self, value: u64) {
        add(self.cell, 1);
        if value > self.buckets.max.load(Relaxed) {
            self.buckets.max.store(value, Relaxed);
        }
    }
}

impl Buckets {
    /// The counter of the bucket that `value` is in, if there is room for it.
    fn counter(&self, value: u64) -> Option<Counter<'_>> {
        let bucket = bucket(value);
        let counter = |cell, place| Counter {
            buckets: self,
            cell,
            place,
        };
        for (place, entry) in (0..).zip(&self.few) {
            if entry.load(Relaxed) >> BUCKET_AT == bucket as u64 + 1 {
                return Some(counter(entry, Some(place)));
            }
        }
        let chunk = self.many.get()?.get(bucket / CHUNK)?.get()?;
        Some(counter(chunk.get(bucket % CHUNK)?, None))
    }

    fn make_room(&self, value: u64) {
        if self.counter(value).is_some() {
            return;
        }
        let bucket = bucket(value);
        let named = (bucket as u64 + 1) << BUCKET_AT;
        if let Some(free) = self.few.iter().find(|entry| entry.load(Relaxed) == 0) {
            return free.store(named, Relaxed);
        }
        let table = self.many.get_or_init(Box::default);
        if let Some(chunk) = table.get(bucket / CHUNK) {
            chunk.get_or_init(Box::default);
        }
    }

    fn add_to(&self, histogram: &mut Histogram) {
        for entry in &self.few {
            let entry = entry.load(Relaxed);
            let count = entry & ((1 << BUCKET_AT) - 1);
            if let Some(bucket) = (entry >> BUCKET_AT).checked_sub(1) {
                histogram.add_to_bucket(bucket as usize, count);
            }
        }
        for (at, chunk) in self
            .many
            .get()
            .into_iter()
            .flat_map(|table| table.iter().enumerate())
        {
            for (bucket, count) in chunk
                .get()
                .into_iter()
                .flat_map(|chunk| chunk.iter().enumerate())
            {
                histogram.add_to_bucket(at * CHUNK + bucket, count.load(Relaxed));
            }
        }
        histogram.raise_max(self.max.load(Relaxed));
    }

    fn table_bytes(&self) -> u64 {
        let Some(table) = self.many.get() else {
            return 0;
        };
        let chunks = table.iter().filter(|chunk| chunk.get().is_some()).count();
        (size_of::<Table>() + chunks * size_of::<[AtomicU64; CHUNK]>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_makes_room_where_a_call_needs_it_and_adds_up() {
        let spread = HeapSpread::default();
        let empty = spread.bytes();
        assert!(!spread.count(100, 50));
        spread.make_room(100, 50);
        assert!(spread.count(100, 50) && spread.count(100, 0));
        assert_eq!(spread.bytes(), empty);
        assert!(!spread.count(100, 1 << 40), "no room for so high a peak");
        let (mut allocated, mut peak) = (Histogram::default(), Histogram::default());
        spread.add_to(&mut allocated, &mut peak);
        spread.add_to(&mut allocated, &mut peak);
        let is = [allocated, peak].map(|histogram| {
            let is = histogram.quantiles().expect("calls");
            (is.calls, is.p50, is.max)
        });
        assert_eq!(is, [(4, 100, 100), (2, 50, 50)]);
    }

    #[test]
    fn spread_counts_what_is_done_again_where_it_was_counted_before() {
        let spread = HeapSpread::default();
        assert!(!spread.count_again(100, 50), "nothing was counted yet");
        spread.make_room(100, 50);
        spread.make_room(7, 7);
        for (allocated, peak) in [(7, 7), (100, 50)] {
            assert!(spread.count(allocated, peak));
            assert!(spread.count_again(allocated, peak));
        }
        assert!(!spread.count_again(100, 49) && !spread.count_again(101, 50));
        let (mut allocated, mut peak) = (Histogram::default(), Histogram::default());
        spread.add_to(&mut allocated, &mut peak);
        let is = [allocated, peak].map(|histogram| {
            let is = histogram.quantiles().expect("calls");
            (is.calls, is.p50, is.max)
        });
        assert_eq!(is, [(4, 7, 100), (4, 7, 50)]);
    }

    /// From the lowest to the highest: more buckets than the short list has.
    #[test]
    fn spread_counts_calls_of_all_sizes() {
        let spread = HeapSpread::default();
        let mut expected = [Histogram::default(), Histogram::default()];
        let sizes = (0..64).map(|bits| u64::MAX >> bits);
        for size in sizes.flat_map(|size| [size, size, 3, 1 << 20]) {
            if !spread.count(size, size / 2) {
                spread.make_room(size, size / 2);
                assert!(spread.count(size, size / 2));
            }
            expected[0].add(size);
            if size > 1 {
                expected[1].add(size / 2);
            }
        }
        let (mut allocated, mut peak) = (Histogram::default(), Histogram::default());
        spread.add_to(&mut allocated, &mut peak);
        let is = [allocated, peak].map(|histogram| histogram.quantiles());
        assert_eq!(is, expected.map(|histogram| histogram.quantiles()));
    }
}
