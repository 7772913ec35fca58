//! What the samples of a run prove: no sentence tells an amount that they rule out.

use memprof_model::run::{FunctionProfile, PeakMethod, Run};

/// Bounds from the samples of a run and of a function's shown call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The highest RSS less the lowest.
    range: u64,
    /// Whether peaks are exact, not those of samples.
    has_exact_peaks: bool,
    /// Where live heap was sampled.
    heap: Option<SeenHeap>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SeenHeap {
    /// The most live heap.
    live: u64,
    /// The most that resident memory beyond the heap ever rose.
    spare: u64,
    /// By how much it has risen where the function's calls end.
    spare_at_end: u64,
    /// The most that it rose above the first sample: so much the allocator may have had to spare, and RSS need
    /// not follow the heap when it is allocated and touched.
    above_first: u64,
    /// Live heap that is not resident: RSS need not fall when it is freed.
    untouched: u64,
}

impl Seen {
    /// In the samples of the run and of the function's shown call.
    pub(crate) fn in_samples(run: &Run, profile: &FunctionProfile) -> Self {
        Self {
            range: range(run, profile),
            has_exact_peaks: run.peak_method == PeakMethod::Kernel,
            heap: SeenHeap::new(run, profile),
        }
    }

    /// By how much the process can have risen or fallen at most.
    pub(crate) fn range(&self) -> u64 {
        self.range
    }

    pub(crate) fn has_exact_peaks(&self) -> bool {
        self.has_exact_peaks
    }

    /// The most live heap that was seen; `None` where it was not sampled.
    pub(crate) fn most_live(&self) -> Option<u64> {
        self.heap.map(|heap| heap.live)
    }

    /// Whether so many bytes can have been alive at once.
    pub(crate) fn can_have_lived(&self, bytes: u64) -> bool {
        self.most_live().is_some_and(|live| bytes <= live)
    }

    /// The most memory that can have become resident without being live heap.
    pub(crate) fn most_spare(&self) -> Option<u64> {
        self.heap.map(|heap| heap.spare)
    }

    /// The same, of what still was when the function's calls had ended.
    pub(crate) fn spare_at_end(&self) -> Option<u64> {
        self.heap.map(|heap| heap.spare_at_end)
    }

    /// Whether half of `bytes` or more may have gone into memory that was resident already. Without samples
    /// everything is possible.
    pub(crate) fn may_be_spare(&self, bytes: u64) -> bool {
        self.heap.is_none_or(|heap| heap.above_first >= bytes / 2)
    }

    /// Whether half of `bytes` or more may never have been resident.
    pub(crate) fn may_be_untouched(&self, bytes: u64) -> bool {
        self.heap.is_none_or(|heap| heap.untouched >= bytes / 2)
    }
}

fn range(run: &Run, profile: &FunctionProfile) -> u64 {
    let samples = run.series.iter().map(|sample| sample.rss);
    let ends = profile
        .read_calls()
        .flat_map(|call| [call.entry_rss, call.exit_rss]);
    let lowest = samples.chain(ends).chain([run.process.baseline_rss]).min();
    let highest = run.process.peak_rss.max(profile.max_rss);
    highest.saturating_sub(lowest.unwrap_or(0))
}

impl SeenHeap {
    fn new(run: &Run, profile: &FunctionProfile) -> Option<Self> {
        let of_run = run.series.iter().map(|s| (s.t_ns, s.rss, s.heap));
        let of_call = profile.series.iter().map(|s| (s.t_ns, s.rss, s.heap));
        let mut samples: Vec<_> = of_run
            .chain(of_call)
            .filter_map(|(t_ns, rss, heap)| Some((t_ns, rss, heap?)))
            .collect();
        samples.sort_by_key(|sample| sample.0);
        let beyond_heap = |&(_, rss, heap): &(u64, u64, u64)| i128::from(rss) - i128::from(heap);
        let first = beyond_heap(samples.first()?);
        let ended = profile.read_calls().map(|call| call.end_ns).max();
        let after = samples.partition_point(|sample| sample.0 < ended.unwrap_or(u64::MAX));
        let last = after.min(samples.len() - 1);
        let (mut low, mut high, mut rise, mut rise_at_end) = (first, first, 0, 0);
        for (at, sample) in samples.iter().enumerate() {
            let now = beyond_heap(sample);
            (low, high) = (low.min(now), high.max(now));
            rise = rise.max(now - low);
            if at == last {
                rise_at_end = now - low;
            }
        }
        let amount = |bytes: i128| u64::try_from(bytes.max(0)).unwrap_or(u64::MAX);
        Some(Self {
            live: samples.iter().map(|sample| sample.2).max().unwrap_or(0),
            spare: amount(rise),
            spare_at_end: amount(rise_at_end),
            above_first: amount(high - first),
            // What was below zero at first was untouched then.
            untouched: amount((first - low).max(-low)),
        })
    }
}

#[cfg(test)]
impl Seen {
    /// Samples that saw so much live heap at most, memory without heap rise so much, and RSS range so far.
    pub(crate) fn with_room(live: u64, spare: u64, range: u64) -> Self {
        Self {
            range,
            has_exact_peaks: true,
            heap: Some(SeenHeap {
                live,
                spare,
                spare_at_end: spare,
                above_first: spare,
                untouched: live,
            }),
        }
    }

    pub(crate) fn with_sampled_peaks(self) -> Self {
        Self {
            has_exact_peaks: false,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const MIB: u64 = 1 << 20;

    #[test]
    fn samples_show_what_is_resident_beyond_the_heap_and_the_other_way_round() {
        let mut run = fixture::heap();
        let profile = run.functions.remove(1);
        let seen = |run: &Run, bytes| {
            let seen = Seen::in_samples(run, &profile);
            (seen.may_be_spare(bytes), seen.may_be_untouched(bytes))
        };
        // RSS is always nine MiB above the heap there.
        assert_eq!(seen(&run, 2 << 20), (false, false));
        run.series[3].heap = run.series[3].heap.map(|heap| heap - (1 << 20));
        assert_eq!(seen(&run, 2 << 20), (true, false));
        assert_eq!(seen(&run, 3 << 20), (false, false));
        run.series[4].heap = Some(run.series[4].rss + 1);
        assert_eq!(seen(&run, 2 << 20), (true, true));
        let uncounted = fixture::inverse();
        let seen = Seen::in_samples(&uncounted, &uncounted.functions[0]);
        assert!(seen.may_be_spare(1 << 40) && seen.may_be_untouched(1 << 40));
        assert_eq!((seen.most_live(), seen.most_spare()), (None, None));
        assert!(!seen.can_have_lived(0));
    }

    #[test]
    fn what_is_spare_may_be_gone_when_the_calls_have_ended() {
        let mut run = fixture::heap();
        let profile = run.functions.remove(1);
        let seen = Seen::in_samples(&run, &profile);
        assert_eq!((seen.most_spare(), seen.spare_at_end()), (Some(0), Some(0)));
        let most = run.series.iter().filter_map(|sample| sample.heap).max();
        assert_eq!(seen.most_live(), most);
        assert!(seen.can_have_lived(most.unwrap()) && !seen.can_have_lived(most.unwrap() + 1));
        let in_the_middle = run.series.len() / 2;
        let sample = &mut run.series[in_the_middle];
        sample.heap = sample.heap.map(|heap| heap - 5 * MIB);
        let seen = Seen::in_samples(&run, &profile);
        assert_eq!(
            (seen.most_spare(), seen.spare_at_end()),
            (Some(5 * MIB), Some(0))
        );
        let end = profile.call_records.iter().map(|call| call.end_ns).max();
        let after = run
            .series
            .iter_mut()
            .filter(|sample| Some(sample.t_ns) >= end);
        after.for_each(|sample| sample.heap = sample.heap.map(|heap| heap - 2 * MIB));
        assert_eq!(
            Seen::in_samples(&run, &profile).spare_at_end(),
            Some(2 * MIB)
        );
    }

    #[test]
    fn the_process_ranges_from_its_lowest_reading_to_its_peak() {
        let mut run = fixture::shrinking();
        let profile = run.functions.remove(0);
        // It has 300 MiB at first, and gives 220 back.
        assert_eq!(Seen::in_samples(&run, &profile).range(), 220 * MIB);
    }
}
