//! How a figure is spread over calls: a histogram of bounded size, whose buckets are 2^(1/4) apart.
//!
//! ```text
//! bucket   0    1    2    3    4    5     6     7     8     9     10    11
//! from     1                   2          2.83        4     4.76  5.66  6.73
//! ```

use crate::function::Quantiles;

/// How many buckets there are: four for each doubling of a `u64`.
pub const BUCKETS: usize = 256;

/// The second, third and fourth bucket of a doubling begin there, if the doubling begins at 2^63.
const STEPS: [u64; 3] = [
    10_968_499_650_544_839_024,
    13_043_817_825_332_782_213,
    15_511_800_964_685_064_949,
];

/// The bucket of `value`, which is not 0.
#[inline]
#[must_use]
pub fn bucket(value: u64) -> usize {
    let doublings = value.max(1).ilog2();
    let scaled = value << (u64::BITS - 1 - doublings);
    let step = STEPS.map(|step| usize::from(scaled >= step));
    4 * doublings as usize + step[0] + step[1] + step[2]
}

/// The highest value in a bucket.
fn highest_in(bucket: usize) -> u64 {
    let scaled = STEPS.get(bucket % 4).map_or(u64::MAX, |step| step - 1);
    scaled >> (u64::BITS as usize - 1 - bucket / 4).min(63)
}

/// The values of a figure, by their size.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    zeros: u64,
    /// How many values are in each bucket that has some, ascending.
    counts: Vec<(u8, u64)>,
    max: u64,
}

impl Histogram {
    /// No values yet. `counts` is empty, and has room for [`BUCKETS`] of them.
    #[must_use]
    pub fn in_room(counts: Vec<(u8, u64)>) -> Histogram {
        Histogram {
            counts,
            ..Histogram::default()
        }
    }

    /// Gets the room that the next value needs.
    pub fn make_room(&mut self) {
        if self.counts.len() == self.counts.capacity() {
            // Most functions need one or two.
            self.counts.reserve_exact(self.counts.len().max(1));
        }
    }

    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        if value == 0 {
            self.zeros += 1;
            return;
        }
        self.add_to_bucket(bucket(value), 1);
        self.max = self.max.max(value);
    }

    /// Adds so many values that lie in one bucket. Their highest is told by [`Histogram::raise_max`].
    pub fn add_to_bucket(&mut self, bucket: usize, values: u64) {
        let Ok(bucket) = u8::try_from(bucket) else {
            return;
        };
        if values == 0 {
            return;
        }
        match self.counts.binary_search_by_key(&bucket, |count| count.0) {
            Ok(at) => self.counts[at].1 += values,
            Err(at) => self.counts.insert(at, (bucket, values)),
        }
    }

    /// One of the values is `value`.
    pub fn raise_max(&mut self, value: u64) {
        self.max = self.max.max(value);
    }

    /// The values that are missing of `all` are zeros.
    pub fn fill_up_with_zeros(&mut self, all: u64) {
        self.zeros += all.saturating_sub(self.values());
    }

    fn values(&self) -> u64 {
        let counts = self.counts.iter().map(|count| count.1);
        self.zeros + counts.sum::<u64>()
    }

    /// Its quantiles; `None` without a value.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        let values = self.values();
        (values > 0).then(|| Quantiles {
            calls: values,
            p50: self.at_most(values, 50),
            p95: self.at_most(values, 95),
            p99: self.at_most(values, 99),
            max: self.max,
        })
    }

    /// `percent` of the values are at most this.
    fn at_most(&self, values: u64, percent: u128) -> u64 {
        let rank = (u128::from(values) * percent).div_ceil(100);
        let mut seen = u128::from(self.zeros);
        if seen >= rank {
            return 0;
        }
        for &(bucket, count) in &self.counts {
            seen += u128::from(count);
            if seen >= rank {
                return highest_in(usize::from(bucket)).min(self.max);
            }
        }
        self.max
    }

    /// Bytes that it holds beside itself.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.counts.capacity() * size_of::<(u8, u64)>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_where_the_one_before_ends() {
        let values = (1..100_000).chain((0..64).flat_map(|bits| {
            let power = 1_u64 << bits;
            [power.max(2) - 1, power, power.saturating_add(1)]
        }));
        for value in values.chain([u64::MAX]) {
            let is = bucket(value);
            assert!(is < BUCKETS && value <= highest_in(is), "{value}");
            let wide = highest_in(is) as f64 / value as f64;
            assert!(wide <= 1.19, "{value} to {}", highest_in(is));
            assert!(is == 0 || value > highest_in(is - 1), "{value}");
        }
        assert_eq!([1, 2, 3, 4].map(bucket), [0, 4, 6, 8]);
        assert_eq!(highest_in(BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn quantiles_of_a_known_set_are_right_to_a_bucket_and_the_highest_is_exact() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantiles(), None);
        for value in 0..1_000 {
            histogram.add(value);
        }
        histogram.add(1_000_003);
        let is = histogram.quantiles().expect("it has values");
        assert_eq!((is.calls, is.max), (1_001, 1_000_003));
        // The 501st of them is 500, the 951st 950, and the 991st 990: in buckets that end at 511, at 1023.
        assert_eq!((is.p50, is.p95, is.p99), (511, 1_023, 1_023));
    }

    #[test]
    fn values_that_are_missing_are_zeros() {
        let mut histogram = Histogram::default();
        histogram.add(40);
        histogram.fill_up_with_zeros(100);
        let is = histogram.quantiles().expect("it has values");
        assert_eq!((is.calls, is.p50, is.p99, is.max), (100, 0, 0, 40));
        histogram.add(50);
        let is = histogram.quantiles().expect("it has values");
        // 40 lies between 38.05 and 45.25.
        assert_eq!((is.calls, is.p99, is.max), (101, 45, 50));
        histogram.fill_up_with_zeros(0);
        assert_eq!(histogram.quantiles().map(|is| is.calls), Some(101));
    }
}
