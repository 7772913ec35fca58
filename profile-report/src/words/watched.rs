//! What reports say of a run that was watched from outside.

use memprof_model::run::{Run, Watched};

use crate::text::units::{interval, mib_unit};
use crate::text::visible::visible;

/// What the run's sizes are, as a chart names it.
pub(crate) fn measure(run: &Run) -> &'static str {
    let measure = run.watched.as_ref().map(|watched| watched.measure);
    measure.unwrap_or_default().name()
}

/// How it was watched, always said: "RSS of the process and its children, every 10 ms".
pub(crate) fn how(run: &Run, watched: &Watched) -> String {
    let whose = if watched.summed {
        "of the process and its children"
    } else {
        "of the process"
    };
    let every = interval(watched.interval_ns);
    format!("{} {whose}, every {every}", measure(run))
}

/// How it ended.
pub(crate) fn ended(watched: &Watched) -> String {
    visible(&watched.ended)
}

/// A line for each child that has a curve of its own, with its highest reading.
pub(crate) fn children(watched: &Watched) -> Vec<String> {
    let children = watched.children.iter();
    children
        .map(|child| {
            let (program, peak) = (visible(&child.program), mib_unit(child.peak_rss));
            format!("{program} {}: peak {peak}", child.pid)
        })
        .collect()
}
