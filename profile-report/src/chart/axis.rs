//! The axes: which stretch of time and which heights a chart shows, and how they are labelled.

use std::ops::Range;

const MIB: f64 = 1_048_576.0;
/// Heights that differ by less are drawn as equal: half a MiB fills the chart.
const LEAST_SPAN: f64 = 0.5;
/// Room above the highest value, for its label, as a share of the span.
const HEADROOM: f64 = 0.24;

/// The axis of time: nanoseconds of the run in seconds, or, for a short window late in a run, in
/// milliseconds or microseconds after a round moment.
#[derive(Debug, Clone)]
pub(super) struct TimeAxis {
    from_ns: u64,
    to_ns: u64,
    base_ns: u64,
    ns_per_unit: f64,
    unit: &'static str,
    /// What moments count from.
    origin: &'static str,
}

impl TimeAxis {
    /// An axis that shows `window`, which may be empty.
    pub(super) fn new(window: Range<u64>) -> Self {
        let from_ns = window.start.min(u64::MAX - 1_000);
        let to_ns = window.end.max(from_ns + 1_000);
        let span = to_ns - from_ns;
        let (ns_per_unit, unit, round) = match span {
            100_000_000.. => (1e9, "seconds", None),
            200_000.. => (1e6, "milliseconds", Some(1_000_000)),
            _ => (1e3, "microseconds", Some(1_000)),
        };
        let base_ns = round.map_or(0, |round| {
            if from_ns < span {
                0
            } else {
                from_ns / round * round
            }
        });
        Self {
            from_ns,
            to_ns,
            base_ns,
            ns_per_unit,
            unit,
            origin: "first call",
        }
    }

    /// The same for what was watched from outside, where no calls are known.
    pub(super) fn since_the_start(self) -> Self {
        Self {
            origin: "start",
            ..self
        }
    }

    /// The coordinate of a moment.
    pub(super) fn at(&self, t_ns: u64) -> f64 {
        (t_ns as f64 - self.base_ns as f64) / self.ns_per_unit
    }

    /// The coordinates that are shown.
    pub(super) fn range(&self) -> Range<f64> {
        self.at(self.from_ns)..self.at(self.to_ns)
    }

    /// What stands under the axis.
    pub(super) fn title(&self) -> String {
        if self.base_ns == 0 {
            return format!("{} since the {}", self.unit, self.origin);
        }
        let digits = if self.ns_per_unit > 1e3 { 3 } else { 6 };
        format!(
            "{} after {:.digits$} s",
            self.unit,
            self.base_ns as f64 / 1e9
        )
    }

    /// A tick's label.
    pub(super) fn label(&self, value: f64) -> String {
        number(value, self.range())
    }
}

/// The axis of memory, in MiB.
#[derive(Debug, Clone)]
pub(super) struct MemoryAxis {
    range: Range<f64>,
}

impl MemoryAxis {
    /// An axis on which all of `values` (bytes) and a label above the highest have room. It starts
    /// at zero unless that would press the curve into the upper part.
    pub(super) fn new(values: impl Iterator<Item = u64>) -> Self {
        let (lowest, highest) =
            values.fold((u64::MAX, 0), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = (lowest.min(highest) as f64 / MIB, highest as f64 / MIB);
        let span = high - low;
        let (from, to) = if low <= high * 0.4 {
            (0.0, high.max(LEAST_SPAN))
        } else if span < LEAST_SPAN {
            let middle = (low + high) / 2.0;
            (
                (middle - LEAST_SPAN / 2.0).max(0.0),
                middle + LEAST_SPAN / 2.0,
            )
        } else {
            (low - span * 0.08, high)
        };
        Self {
            range: from..to + (to - from) * HEADROOM,
        }
    }

    /// The coordinate of a size in bytes.
    pub(super) fn at(bytes: u64) -> f64 {
        bytes as f64 / MIB
    }

    /// The coordinates that are shown.
    pub(super) fn range(&self) -> Range<f64> {
        self.range.clone()
    }

    /// A tick's label.
    pub(super) fn label(&self, value: f64) -> String {
        number(value, self.range())
    }
}

/// `value` with the decimals that tell ticks on `range` apart.
fn number(value: f64, range: Range<f64>) -> String {
    let span = range.end - range.start;
    let decimals = match span {
        _ if span >= 8.0 => 0,
        _ if span >= 0.8 => 1,
        _ if span >= 0.08 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_is_in_seconds_and_a_short_window_in_what_fits() {
        assert_eq!(
            TimeAxis::new(0..3_000_000_000).title(),
            "seconds since the first call"
        );
        assert_eq!(
            TimeAxis::new(0..2_000_000).title(),
            "milliseconds since the first call"
        );
        assert_eq!(
            TimeAxis::new(0..2_000_000).since_the_start().title(),
            "milliseconds since the start"
        );
        assert_eq!(
            TimeAxis::new(12_345_678_000..12_347_000_000).title(),
            "milliseconds after 12.345 s"
        );
        assert_eq!(
            TimeAxis::new(12_345_678_000..12_345_690_000).title(),
            "microseconds after 12.345678 s"
        );
    }

    #[test]
    fn an_axis_is_never_empty() {
        for axis in [
            MemoryAxis::new([].into_iter()),
            MemoryAxis::new([0].into_iter()),
            MemoryAxis::new([u64::MAX; 2].into_iter()),
        ] {
            assert!(axis.range().end > axis.range().start, "{axis:?}");
        }
        let axis = TimeAxis::new(5..5);
        assert!(axis.range().end > axis.range().start);
    }

    #[test]
    fn small_changes_of_a_large_process_are_visible() {
        let mib = |n: u64| n << 20;
        assert!(
            MemoryAxis::new([mib(300), mib(310)].into_iter())
                .range()
                .start
                > 290.0
        );
        assert_eq!(
            MemoryAxis::new([mib(30), mib(310)].into_iter())
                .range()
                .start,
            0.0
        );
    }
}
