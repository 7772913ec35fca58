//! How the calls of a site are spread by what they did on the heap, counted without a lock.
//!
//! Room for counts is made where a call needs it: most functions need few buckets. A call that did nothing on the
//! heap is not counted here.

use std::sync::OnceLock;

use memprof_model::internal::{BUCKETS, Histogram, bucket};

use crate::counters::atomics::{AtomicU64, Ordering::Relaxed, add};

/// Neighbouring buckets that get their room together: values from 1 to 16 times as large.
const CHUNK: usize = 16;

/// What calls did on the heap, of one site on one thread. Only that thread counts; anybody reads.
#[derive(Debug, Default)]
pub(crate) struct HeapSpread {
    allocated: Buckets,
    peak: Buckets,
}

#[derive(Debug, Default)]
struct Buckets {
    chunks: [OnceLock<Box<[AtomicU64; CHUNK]>>; BUCKETS / CHUNK],
    max: AtomicU64,
}

impl HeapSpread {
    /// Counts a call that allocated so many bytes, and more than none. `false` if there is no room for such a
    /// call yet: it is not counted then.
    #[inline]
    pub(super) fn count(&self, allocated: u64, peak: u64) -> bool {
        let Some(of_allocated) = self.allocated.counter(allocated) else {
            return false;
        };
        if peak > 0 {
            let Some(of_peak) = self.peak.counter(peak) else {
                return false;
            };
            add(of_peak, 1);
            self.peak.raise_max(peak);
        }
        add(of_allocated, 1);
        self.allocated.raise_max(allocated);
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
        let chunks = self.allocated.chunks.iter().chain(&self.peak.chunks);
        let chunks = chunks.filter(|chunk| chunk.get().is_some()).count();
        (size_of::<HeapSpread>() + chunks * CHUNK * size_of::<u64>()) as u64
    }
}

impl Buckets {
    /// The counter of the bucket that `value` is in, if there is room for it.
    #[inline]
    fn counter(&self, value: u64) -> Option<&AtomicU64> {
        let bucket = bucket(value);
        self.chunks.get(bucket / CHUNK)?.get()?.get(bucket % CHUNK)
    }

    #[inline]
    fn raise_max(&self, value: u64) {
        if value > self.max.load(Relaxed) {
            self.max.store(value, Relaxed);
        }
    }

    fn make_room(&self, value: u64) {
        if let Some(chunk) = self.chunks.get(bucket(value) / CHUNK) {
            chunk.get_or_init(|| Box::new([const { AtomicU64::new(0) }; CHUNK]));
        }
    }

    fn add_to(&self, histogram: &mut Histogram) {
        for (at, chunk) in self.chunks.iter().enumerate() {
            for (bucket, count) in chunk
                .get()
                .into_iter()
                .flat_map(|chunk| chunk.iter())
                .enumerate()
            {
                match count.load(Relaxed) {
                    0 => {}
                    count => histogram.add_to_bucket(at * CHUNK + bucket, count),
                }
            }
        }
        histogram.raise_max(self.max.load(Relaxed));
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
        assert_eq!(spread.bytes(), empty + 2 * 128);
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
}
