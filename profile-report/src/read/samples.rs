//! Samples in order of time, of which the highest in any range is quickly found: a file may hold
//! millions of calls and of samples.

use std::ops::Range;

use memprof_model::run::Sample;

/// Samples in order of time.
pub(super) struct Samples {
    all: Vec<Sample>,
    /// A binary tree over `all`: entry i holds the higher one of entries 2i and 2i + 1, and the second
    /// half is `all` itself.
    tree: Vec<Sample>,
}

impl Samples {
    pub(super) fn new(mut all: Vec<Sample>) -> Self {
        all.sort_by_key(|sample| sample.t_ns);
        let mut tree = vec![Sample::default(); all.len()];
        tree.extend_from_slice(&all);
        for i in (1..all.len()).rev() {
            tree[i] = higher(tree[2 * i], tree[2 * i + 1]);
        }
        Self { all, tree }
    }

    pub(super) fn all(&self) -> &[Sample] {
        &self.all
    }

    /// The samples from `start` to `end`.
    pub(super) fn during(&self, start: u64, end: u64) -> &[Sample] {
        &self.all[self.range(start, end)]
    }

    /// The highest sample from `start` to `end`.
    pub(super) fn highest(&self, start: u64, end: u64) -> Option<Sample> {
        let range = self.range(start, end);
        let (mut from, mut to) = (range.start + self.all.len(), range.end + self.all.len());
        let mut found = None;
        while from < to {
            if from % 2 == 1 {
                found = Some(found.map_or(self.tree[from], |f| higher(f, self.tree[from])));
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                found = Some(found.map_or(self.tree[to], |f| higher(f, self.tree[to])));
            }
            (from, to) = (from / 2, to / 2);
        }
        found
    }

    fn range(&self, start: u64, end: u64) -> Range<usize> {
        let from = self.all.partition_point(|sample| sample.t_ns < start);
        let to = self.all.partition_point(|sample| sample.t_ns <= end);
        from..to.max(from)
    }
}

/// The one with more memory; the first where they are equal.
pub(super) fn higher(a: Sample, b: Sample) -> Sample {
    if b.rss > a.rss { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memprof_model::data;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_highest_is_the_highest(
            points in prop::collection::vec((0_u64..50, 0_u64..9), 0..40),
            start in 0_u64..50,
            length in 0_u64..50,
        ) {
            let end = start + length;
            let sample = |&(t_ns, rss): &(u64, u64)| data!(Sample { t_ns, rss, heap: None });
            let samples = Samples::new(points.iter().map(sample).collect());
            let inside = || points.iter().filter(|(t, _)| (start..=end).contains(t));
            let found = samples.highest(start, end).map(|sample| sample.rss);
            prop_assert_eq!(found, inside().map(|&(_, rss)| rss).max());
            prop_assert_eq!(samples.during(start, end).len(), inside().count());
        }
    }
}
