//! Whether the call that charts show is the highest of all: only a call that was read when it began has a chart.

use memprof_model::run::{Call, FunctionProfile};

/// The call that charts show: the highest of those that were read when they began.
pub(crate) fn shown_call(profile: &FunctionProfile) -> Option<&Call> {
    profile.call_records.get(profile.series_call?)
}

/// Which of several calls `call` is, if charts show it.
pub(crate) fn which_call(profile: &FunctionProfile, call: &Call) -> &'static str {
    match (call.heap, profile.heap) {
        (Some(of_call), Some(of_all)) if of_call.peak >= of_all.peak => {
            "the call with the highest heap peak"
        }
        (None, _) if call.peak_rss >= profile.peak_rss => "the call with the highest peak",
        _ => "the highest of the calls that were read from their beginning",
    }
}

/// The highest call, if charts do not show it.
pub(crate) fn higher_than_shown(profile: &FunctionProfile) -> Option<&Call> {
    let shown = shown_call(profile).map(Call::height);
    let highest = profile.highest_call()?;
    (Some(highest.height()) > shown).then_some(highest)
}
