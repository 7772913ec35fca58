//! A stretch: lines that ran without readings, and how what changed meanwhile is split among them.
//!
//! Inside a stretch lines take turns: one hit of a line is read now and then. From turns, as from all hits
//! that were read by themselves, follows what a line keeps in a hit, and so which lines are behind what
//! changed while nothing was read.

use super::totals::LineTally;
use crate::counters::line::LineCells;
use crate::counters::site::Cells;
use crate::reading::one_reading::Reading;

/// A turn in progress: one hit of a line inside a stretch without readings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub line: u32,
    /// The reading with which it began.
    pub from: Reading,
    /// The highest RSS of the stretch before it.
    pub high_before: u64,
}

/// Splits `net` bytes, which came or went while lines were not read, among the lines to which that
/// happens by experience; gives `book` each of them with its place and part, and whether its part is the
/// largest. Says whether there was one.
pub(crate) fn split(
    lines: &mut [LineTally],
    cells: &Cells,
    net: i64,
    mut book: impl FnMut(&mut LineTally, usize, i64, bool),
) -> bool {
    let (mut sum, mut largest) = (0.0, None);
    for (place, line) in lines.iter_mut().enumerate() {
        // Asked for once: whoever only looks on splits while the thread goes on hitting lines.
        let hits = cells.line(place).map_or(0, LineCells::hits);
        let bytes = line.pace.expected(hits);
        line.pace.booked_hits = hits;
        line.pace.expected = if bytes * net as f64 > 0.0 {
            bytes.abs()
        } else {
            0.0
        };
        sum += line.pace.expected;
        let most = largest.map_or(0.0, |(bytes, _)| bytes);
        if line.pace.expected > most {
            largest = Some((line.pace.expected, place));
        }
    }
    let Some((_, largest)) = largest else {
        return false;
    };
    let mut left = net;
    for (place, line) in lines.iter_mut().enumerate() {
        if place != largest && line.pace.expected > 0.0 {
            let part = (net as f64 * (line.pace.expected / sum)) as i64;
            left -= part;
            book(line, place, part, false);
        }
    }
    book(&mut lines[largest], largest, left, true);
    true
}
