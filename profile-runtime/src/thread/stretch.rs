//! A stretch: lines that ran without readings, and how the change of RSS meanwhile is divided among them.
//!
//! Inside a stretch single hits are measured now and then. These, and all hits that were read by
//! themselves, show how many bytes a hit of a line keeps by experience (`hit_schedule.rs`). The change of a
//! stretch is divided in proportion to that:
//!
//! ```text
//!   stretch: net +1,000 KiB
//!            unbooked hits × bytes that a hit surely keeps = expected    part
//!   line 2       200       ×          3 KiB                = 600 KiB      750 KiB
//!   line 3       200       ×          1 KiB                = 200 KiB      250 KiB
//!   line 4       200       ×          0                    =   0            0
//! ```
//!
//! Only lines whose expected change has the same sign as the net get a part. The line with the largest part
//! gets what rounding leaves over, and the peak.

use super::totals::LineTotals;
use crate::counters::line::LineCounters;
use crate::counters::site::SiteCounters;
use crate::reading::one_reading::Reading;

/// A measured hit in progress: one hit of a line inside a stretch, with a reading at its beginning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeasuredHit {
    pub line: u32,
    /// The reading at its beginning.
    pub from: Reading,
    /// The highest RSS of the stretch until then.
    pub high_before: u64,
}

/// Divides `net` bytes of RSS, which came or went in a stretch, among the lines that do so by experience.
/// Hands each such line to `book` with its place, its part, and whether its part is the largest. Says
/// whether there was such a line.
pub(crate) fn apportion(
    lines: &mut [LineTotals],
    counters: &SiteCounters,
    net: i64,
    mut book: impl FnMut(&mut LineTotals, usize, i64, bool),
) -> bool {
    let (mut sum, mut largest) = (0.0, None);
    for (place, line) in lines.iter_mut().enumerate() {
        // Asked for once: a snapshot divides a copy of the state while the thread goes on hitting lines.
        let hits = counters.line(place).map_or(0, LineCounters::hits);
        let bytes = line.schedule.expected(hits);
        line.schedule.booked_hits = hits;
        line.schedule.expected = if bytes * net as f64 > 0.0 {
            bytes.abs()
        } else {
            0.0
        };
        sum += line.schedule.expected;
        let most = largest.map_or(0.0, |(bytes, _)| bytes);
        if line.schedule.expected > most {
            largest = Some((line.schedule.expected, place));
        }
    }
    let Some((_, largest)) = largest else {
        return false;
    };
    let mut left = net;
    for (place, line) in lines.iter_mut().enumerate() {
        if place != largest && line.schedule.expected > 0.0 {
            let part = (net as f64 * (line.schedule.expected / sum)) as i64;
            left -= part;
            book(line, place, part, false);
        }
    }
    book(&mut lines[largest], largest, left, true);
    true
}
