//! When a peak was reached, as one moment: every output that names it names the same one.

use memprof_model::run::FunctionProfile;

use super::highest_call::shown_call;

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
    fn otherwise_it_is_the_middle_of_the_interval() {
        let function = fixture::no_samples().functions.remove(0);
        assert_eq!(peak_moment(&function), Some(150_000));
    }
}
