//! What the function page's script draws: the same samples as the SVG, as JSON inside the page.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, Run, Sample};
use serde::Serialize;

use crate::chart::{FunctionWindow, thin};
use crate::error::ReportError;
use crate::facts::peak_moment::shown_peak;
use crate::facts::shown_call::Shown;
use crate::format::json::text_of;

/// Samples of each series that are embedded; extremes are kept.
const SAMPLES: usize = 2_400;
/// Calls that are embedded: those with the highest peaks.
const CALLS: usize = 400;

/// Times are nanoseconds of the run, sizes bytes. Samples are columns, which takes less room.
#[derive(Serialize)]
struct ChartData {
    /// The stretch that is shown first.
    window: [u64; 2],
    /// The run's length.
    end: u64,
    /// What is shown: start, end, and RSS at both.
    call: Option<[u64; 4]>,
    /// Whether that is all calls, from the first to the last, and not one.
    all: bool,
    peak: Option<Peak>,
    series: Columns,
    process: Columns,
    calls: Vec<[u64; 4]>,
}

#[derive(Serialize)]
struct Peak {
    t: u64,
    from: u64,
    to: u64,
    v: u64,
    line: Option<u32>,
}

/// Moments, RSS, and where they are known live heap and the running line.
#[derive(Serialize)]
pub(super) struct Columns {
    t: Vec<u64>,
    v: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    h: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    l: Vec<u32>,
}

/// The JSON for the page of `profile`, safe inside a `<script>` element.
pub(super) fn chart_data(run: &Run, profile: &FunctionProfile) -> Result<String, ReportError> {
    let window = FunctionWindow::new(run, profile);
    let peak = shown_peak(profile).map(|(at, t)| Peak {
        t,
        from: at.from_ns,
        to: at.to_ns,
        v: at.rss,
        line: at.line,
    });
    let stretch = window.shown.map(Shown::stretch);
    let data = ChartData {
        window: [window.range.start, window.range.end],
        end: run.duration_ns.max(window.range.end),
        call: stretch.map(|of| [of.from_ns, of.to_ns, of.entry_rss, of.exit_rss]),
        all: matches!(window.shown, Some(Shown::AllCalls(_))),
        peak,
        series: match window.shown {
            Some(Shown::AllCalls(of)) => {
                let during = run.series.iter().filter(|s| of.contains(s.t_ns));
                columns(&during.copied().collect::<Vec<_>>())
            }
            _ => series(profile),
        },
        process: columns(&run.series),
        calls: calls(profile),
    };
    embedded(&data)
}

/// `data` as JSON, safe inside a `<script>` element.
pub(super) fn embedded(data: &impl Serialize) -> Result<String, ReportError> {
    let json = text_of(data).map_err(|e| ReportError::render("render a page", e))?;
    Ok(script_safe(&json))
}

fn series(profile: &FunctionProfile) -> Columns {
    let kept = thin(&profile.series, SAMPLES, |s| s.t_ns, |s| s.rss);
    Columns {
        t: kept.iter().map(|s| s.t_ns).collect(),
        v: kept.iter().map(|s| s.rss).collect(),
        h: kept.iter().filter_map(|s| s.heap).collect(),
        // No source has a line 0: it stands for a moment between lines.
        l: kept.iter().map(|s| s.line.unwrap_or(0)).collect(),
    }
}

/// RSS and heap of a whole process.
pub(super) fn columns(series: &[Sample]) -> Columns {
    let kept = thin(series, SAMPLES, |s| s.t_ns, |s| s.rss);
    Columns {
        t: kept.iter().map(|s| s.t_ns).collect(),
        v: kept.iter().map(|s| s.rss).collect(),
        h: kept.iter().filter_map(|s| s.heap).collect(),
        l: Vec::new(),
    }
}

fn calls(profile: &FunctionProfile) -> Vec<[u64; 4]> {
    let mut calls: Vec<_> = profile.read_calls().collect();
    calls.sort_by_key(|call| Reverse(call.rank()));
    calls.truncate(CALLS);
    calls.sort_by_key(|call| call.start_ns);
    calls
        .into_iter()
        .map(|c| [c.start_ns, c.end_ns, c.entry_rss, c.exit_rss])
        .collect()
}

/// JSON that no HTML parser takes for markup and no script parser for a line's end.
fn script_safe(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(c)))
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn nothing_in_it_can_end_the_script() {
        assert_eq!(
            script_safe("\"</script>&\u{2028}\""),
            "\"\\u003c/script\\u003e\\u0026\\u2028\""
        );
    }

    #[test]
    fn bounded_whatever_the_run() {
        for (name, run) in fixture::all() {
            for function in &run.functions {
                let data = chart_data(&run, function).unwrap();
                assert!(data.len() < 150_000, "{name}: {}", data.len());
            }
        }
    }
}
