//! A stretch: lines that ran without readings, and how what changed meanwhile is apportion among them.
//!
//! Inside a stretch lines take turns: one hit of a line is read now and then. From turns, as from all hits
//! that were read by themselves, follows what a line keeps in a hit, and so which lines are behind what
//! changed while nothing was read.

use super::totals::LineTotals;
use crate::counters::line::LineCounters;
use crate::counters::site::SiteCounters;
use crate::reading::one_reading::Reading;

/// A turn in progress: one hit of a line inside a stretch without readings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeasuredHit {
    pub line: u32,
    /// The reading with which it began.
    pub from: Reading,
    /// The highest RSS of the stretch before it.
    pub high_before: u64,
}

/// Splits `net` bytes, which came or went while lines were not read, among the lines to which that
/// happens by experience; gives `book` each of them with its place and part, and whether its part is the
/// largest. Says whether there was one.
pub(crate) fn apportion(
    lines: &mut [LineTotals],
    counters: &SiteCounters,
    net: i64,
    mut book: impl FnMut(&mut LineTotals, usize, i64, bool),
) -> bool {
    let (mut sum, mut largest) = (0.0, None);
    for (place, line) in lines.iter_mut().enumerate() {
        // Asked for once: whoever only looks on splits while the thread goes on hitting lines.
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
