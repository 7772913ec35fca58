//! Leaks by origin: from the blocks that are alive, and what lines know of those that are gone, to the
//! run.

use std::collections::HashMap;

use crate::counters::line_blocks::{LineOrigins, Seen};
use crate::counters::site::Cells;
use crate::heap::origins;
use crate::heap::outside_the_figures;
use crate::run::{Followed, Origins, Profile};
use crate::thread::totals::SiteTally;

/// What each line has of the blocks that are alive now.
pub(crate) struct Alive {
    /// By the address of the line's own figures.
    lines: HashMap<usize, Seen>,
}

impl Alive {
    /// `None` where blocks are not followed.
    pub(crate) fn now() -> Option<Alive> {
        if !origins::is_on() {
            return None;
        }
        let mut lines = HashMap::new();
        outside_the_figures(|| {
            origins::for_each_alive(|line, size, after_call| {
                let seen: &mut Seen = lines.entry(key(line)).or_default();
                seen.alive = seen.alive.plus(size);
                if after_call {
                    seen.after_call = seen.after_call.plus(size);
                }
            });
        });
        Some(Alive { lines })
    }

    /// Adds what is known to the lines of `profile`, of which `tallies` are.
    pub(crate) fn tell<'a>(
        &self,
        profile: &mut Profile,
        tallies: impl Iterator<Item = &'a SiteTally> + Clone,
    ) {
        for (at, line) in profile.lines.iter_mut().enumerate() {
            let cells = tallies.clone().flat_map(SiteTally::all_cells);
            let seen = cells
                .map(|cells| self.of_line(cells, at))
                .fold(Seen::default(), Seen::plus);
            line.origins = Some(Origins {
                alive_bytes: seen.alive.bytes,
                alive_blocks: seen.alive.blocks,
                alive_after_call_bytes: seen.after_call.bytes,
                alive_after_call_blocks: seen.after_call.blocks,
                passing_bytes: seen.passing.bytes,
                passing_blocks: seen.passing.blocks,
                resized: seen.resized,
            });
        }
    }

    fn of_line(&self, cells: &Cells, at: usize) -> Seen {
        let Some(line) = cells.line(at).and_then(|cells| cells.origins()) else {
            return Seen::default();
        };
        let alive = self.lines.get(&key(line)).copied();
        line.seen().plus(alive.unwrap_or_default())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        outside_the_figures(|| drop(lines));
    }
}

fn key(line: &LineOrigins) -> usize {
    std::ptr::from_ref(line).addr()
}

/// How blocks were followed; `None` where they were not.
pub(crate) fn followed() -> Option<Followed> {
    origins::is_on().then(|| {
        let (one_in, lost) = origins::sampling();
        Followed {
            one_in,
            all_from: origins::LARGE as u64,
            lost,
        }
    })
}
