//! Which one call may stand for a function in words and charts, and where its calls lie if none may.

use memprof_model::run::{Call, FunctionProfile, HeapFigures, Outcome};

/// Changes below this are noise: allocators and kernels move single pages on their own.
pub(crate) const NOISE: u64 = 64 << 10;

/// The call whose samples are kept, if it may stand for the function: it is the only one, or it has the
/// function's peak, of the heap or of RSS. A call that another one topped, or that did not rise at all, is any call.
pub(crate) fn shown_call(profile: &FunctionProfile) -> Option<&Call> {
    let call = profile.call_records.get(profile.series_call?)?;
    let (own, all) = (heap_peak(call.heap), heap_peak(profile.heap));
    let is_highest = |own: u64, all: u64| all >= NOISE && own == all;
    let may = profile.calls <= 1 || is_highest(call.peak_rss, profile.peak_rss);
    (may || is_highest(own, all)).then_some(call)
}

fn heap_peak(heap: Option<HeapFigures>) -> u64 {
    heap.map_or(0, |heap| heap.peak)
}

/// Which of several calls `call` is, where it stands for the function.
pub(crate) fn which_call(profile: &FunctionProfile, call: &Call) -> &'static str {
    let peak = heap_peak(profile.heap);
    match peak > 0 && heap_peak(call.heap) == peak {
        true => "the call with the highest heap peak",
        false => "the call with the highest peak",
    }
}

/// The highest call, if it is none that charts can show: it was not read when it began, so it has no samples.
pub(crate) fn highest_unread(profile: &FunctionProfile) -> Option<&Call> {
    let read = profile
        .series_call
        .and_then(|at| profile.call_records.get(at));
    let highest = profile.highest_call()?;
    (Some(highest.height()) > read.map(Call::height)).then_some(highest)
}

/// The call with the function's peak of RSS; `None` if it is not among the kept ones.
pub(crate) fn peak_call(profile: &FunctionProfile) -> Option<&Call> {
    let mut read = profile.read_calls();
    read.find(|call| call.peak_rss == profile.peak_rss)
}

/// How many of the calls have not ended, as far as that is known.
pub(crate) fn in_progress(profile: &FunctionProfile) -> u64 {
    let records = profile.call_records.iter();
    let running = records.filter(|call| call.outcome == Outcome::Running);
    (running.count() as u64).max(profile.suspended)
}

/// Whether RSS was read at the ends of every call. What a call did to RSS that was only counted is not known.
pub(crate) fn all_read(profile: &FunctionProfile) -> bool {
    match profile.spread.and_then(|spread| spread.peak_rss) {
        Some(read) => read.calls.saturating_add(in_progress(profile)) >= profile.calls,
        None => profile.read_calls().count() as u64 == profile.calls,
    }
}

/// Whether a call was suspended, so that its thread did other work in between.
pub(crate) fn was_suspended(profile: &FunctionProfile) -> bool {
    let mut records = profile.call_records.iter();
    profile.suspended > 0 || records.any(|call| call.suspended_ns > 0)
}

/// A stretch of a run with RSS at its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from_ns: u64,
    pub(crate) to_ns: u64,
    pub(crate) entry_rss: u64,
    pub(crate) exit_rss: u64,
}

impl Stretch {
    fn of(call: &Call) -> Self {
        Self {
            from_ns: call.start_ns,
            to_ns: call.end_ns,
            entry_rss: call.entry_rss,
            exit_rss: call.exit_rss,
        }
    }

    /// Its ends as moments and heights.
    pub(crate) fn ends(self) -> [(u64, u64); 2] {
        [(self.from_ns, self.entry_rss), (self.to_ns, self.exit_rss)]
    }

    pub(crate) fn contains(self, t_ns: u64) -> bool {
        (self.from_ns..=self.to_ns).contains(&t_ns)
    }

    pub(crate) fn length_ns(self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
}

/// From the entry of the first listed call to the exit of the one that ended last; `None` without calls.
pub(crate) fn all_calls(profile: &FunctionProfile) -> Option<Stretch> {
    let first = profile.read_calls().min_by_key(|call| call.start_ns)?;
    let last = profile.read_calls().max_by_key(|call| call.end_ns)?;
    Some(Stretch {
        from_ns: first.start_ns,
        to_ns: last.end_ns,
        entry_rss: first.entry_rss,
        exit_rss: last.exit_rss,
    })
}

/// What stands for a function in a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shown<'a> {
    /// One call.
    Call(&'a Call),
    /// All of them, since no single one may.
    AllCalls(Stretch),
}

impl<'a> Shown<'a> {
    /// `None` without calls.
    pub(crate) fn of(profile: &'a FunctionProfile) -> Option<Self> {
        let call = shown_call(profile).map(Self::Call);
        call.or_else(|| all_calls(profile).map(Self::AllCalls))
    }

    pub(crate) fn call(self) -> Option<&'a Call> {
        match self {
            Self::Call(call) => Some(call),
            Self::AllCalls(_) => None,
        }
    }

    /// Where it begins and ends.
    pub(crate) fn stretch(self) -> Stretch {
        match self {
            Self::Call(call) => Stretch::of(call),
            Self::AllCalls(stretch) => stretch,
        }
    }
}

/// Where calls were made that are not listed one by one, with their times; `None` if all are.
pub(crate) fn unlisted(profile: &FunctionProfile) -> Option<Stretch> {
    let listed = profile.read_calls().count() as u64;
    all_calls(profile).filter(|_| listed < profile.calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use memprof_model::data;
    use memprof_model::run::{CallSpread, Quantiles};

    fn many() -> FunctionProfile {
        fixture::many_short_calls().functions.remove(0)
    }

    #[test]
    fn the_call_with_the_peak_stands_for_all() {
        let profile = many();
        let call = shown_call(&profile).unwrap();
        assert_eq!(call.peak_rss, profile.peak_rss);
        assert_eq!(peak_call(&profile), Some(call));
    }

    /// 40 MiB in one of many calls, whose record is not among the kept ones.
    #[test]
    fn no_call_stands_for_one_that_is_not_kept() {
        let mut profile = many();
        profile.peak_rss = 40 << 20;
        assert_eq!((shown_call(&profile), peak_call(&profile)), (None, None));
        // Nor does any one of a thousand where none rose.
        profile.peak_rss = 0;
        profile
            .call_records
            .iter_mut()
            .for_each(|call| call.peak_rss = 0);
        assert_eq!(shown_call(&profile), None);
        profile.calls = 1;
        assert!(
            shown_call(&profile).is_some(),
            "the only one is the highest"
        );
    }

    #[test]
    fn calls_without_a_record_were_read_only_if_the_spread_says_so() {
        let mut profile = many();
        assert!(!all_read(&profile));
        let read = |calls| {
            data!(Quantiles {
                calls,
                ..Quantiles::default()
            })
        };
        profile.spread = Some(data!(CallSpread {
            peak_rss: Some(read(999)),
            ..CallSpread::default()
        }));
        assert!(!all_read(&profile));
        profile.call_records[0].outcome = Outcome::Running;
        assert_eq!(in_progress(&profile), 1);
        assert!(all_read(&profile));
    }

    #[test]
    fn calls_that_are_not_listed_lie_among_those_that_are() {
        let profile = many();
        let stretch = unlisted(&profile).unwrap();
        let records = &profile.call_records;
        assert_eq!(stretch.from_ns, records[0].start_ns);
        assert_eq!(stretch.to_ns, records[records.len() - 1].end_ns);
        assert_eq!(unlisted(&fixture::inverse().functions[0]), None);
    }
}
