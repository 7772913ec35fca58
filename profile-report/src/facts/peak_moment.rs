//! When a peak was reached, as one moment: every output that names it names the same one.

use memprof_model::run::{Call, FunctionProfile, PeakAt};

use super::shown_call::{Shown, peak_call, shown_call};

/// What is known of when the function's peak was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeakTime {
    /// At this moment, while this line ran: the call that had the peak is known.
    At(u64, Option<u32>),
    /// In one of the calls, between these moments.
    Between(u64, u64),
    /// In one of the calls.
    Unknown,
}

/// When the function's peak was reached. A moment and a line are told only of the call that had the peak: where that
/// call has no record, the peak was met at a later reading, and any call before it may have had it.
pub(crate) fn peak_time(profile: &FunctionProfile) -> PeakTime {
    let Some((at, moment)) = profile.peak_at.zip(peak_moment(profile)) else {
        return PeakTime::Unknown;
    };
    let is_in = |call: &Call| at.from_ns <= call.end_ns && at.to_ns >= call.start_ns;
    match profile.calls <= 1 || peak_call(profile).is_some_and(is_in) {
        true => PeakTime::At(moment, at.line),
        false => PeakTime::Between(at.from_ns, at.to_ns),
    }
}

/// The function's peak and the moment at which to show it, if it was reached in what a chart is about: another call's
/// peak is none of the shown one's.
pub(crate) fn shown_peak(profile: &FunctionProfile) -> Option<(PeakAt, u64)> {
    let stretch = Shown::of(profile)?.stretch();
    let peak = profile.peak_at.zip(peak_moment(profile));
    peak.filter(|&(_, moment)| stretch.contains(moment))
}

/// The moment at which to show the function's peak.
///
/// The kernel tells only the interval. Of what was seen in it, the highest is the best guess: memory
/// that rises for long enough to be sampled is on its way to the peak there. Where nothing was seen
/// between the interval's two readings, it is the middle.
pub(crate) fn peak_moment(profile: &FunctionProfile) -> Option<u64> {
    let at = profile.peak_at?;
    let samples = profile
        .series
        .iter()
        .map(|sample| (sample.t_ns, sample.rss));
    let inside = samples
        .chain(ends(profile))
        .filter(|(t, _)| (at.from_ns..=at.to_ns).contains(t));
    let between = |t: u64| at.from_ns < t && t < at.to_ns;
    Some(match inside.max_by_key(|(_, rss)| *rss) {
        Some((t, rss)) if between(t) || rss >= at.rss - at.rss / 32 => t,
        _ => at.from_ns + at.to_ns.saturating_sub(at.from_ns) / 2,
    })
}

/// Entry and exit of the call that the series is of: they are readings too.
fn ends(profile: &FunctionProfile) -> impl Iterator<Item = (u64, u64)> {
    shown_call(profile).into_iter().flat_map(|call| {
        [
            (call.start_ns, call.entry_rss),
            (call.end_ns, call.exit_rss),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_highest_sample_tells_the_moment() {
        let function = fixture::inverse().functions.remove(0);
        let moment = peak_moment(&function).unwrap();
        assert!(function.series.iter().any(|sample| sample.t_ns == moment));
    }

    #[test]
    fn a_peak_whose_call_is_not_kept_has_no_moment_and_no_line() {
        let mut function = fixture::many_short_calls().functions.remove(0);
        assert!(matches!(peak_time(&function), PeakTime::At(_, Some(_))));
        function.peak_rss = 40 << 20;
        let at = function.peak_at.unwrap();
        assert_eq!(
            peak_time(&function),
            PeakTime::Between(at.from_ns, at.to_ns)
        );
        function.peak_at = None;
        assert_eq!(peak_time(&function), PeakTime::Unknown);
    }

    /// The shown call has the highest heap peak; RSS rose most in another one.
    #[test]
    fn a_chart_has_no_peak_of_another_call() {
        let mut function = fixture::many_short_calls().functions.remove(0);
        let shown = shown_call(&function).unwrap().clone();
        assert!(shown_peak(&function).is_some());
        let at = function.peak_at.as_mut().unwrap();
        (at.from_ns, at.to_ns) = (shown.end_ns + 10, shown.end_ns + 20);
        assert_eq!(shown_peak(&function), None);
    }

    #[test]
    fn otherwise_it_is_the_middle_of_the_interval() {
        let function = fixture::no_samples().functions.remove(0);
        assert_eq!(peak_moment(&function), Some(150_000));
    }
}
