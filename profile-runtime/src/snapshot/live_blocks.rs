//! Leaks by origin: from the blocks that are alive, and what lines know of those that are gone, to the
//! run.

use std::collections::HashMap;

use crate::counters::line_blocks::{LineBlocks, Seen};
use crate::counters::site::SiteCounters;
use crate::heap::origins;
use crate::heap::without_counting;
use crate::thread::totals::SiteTotals;
use memprof_model::data;
use memprof_model::run::{Followed, FunctionProfile, Origins};

/// What each line has of the blocks that are alive now.
pub(crate) struct LiveBlocks {
    /// By the address of the line's own figures.
    lines: HashMap<usize, Seen>,
}

impl LiveBlocks {
    /// `None` where blocks are not followed.
    pub(crate) fn now() -> Option<LiveBlocks> {
        if !origins::is_on() {
            return None;
        }
        let mut lines = HashMap::new();
        without_counting(|| {
            origins::for_each_alive(|line, size, after_call| {
                let seen: &mut Seen = lines.entry(key(line)).or_default();
                seen.alive = seen.alive.plus(size);
                if after_call {
                    seen.after_call = seen.after_call.plus(size);
                }
            });
        });
        Some(LiveBlocks { lines })
    }

    /// Adds what is known to the lines of `profile`, of which `totals` are.
    pub(crate) fn fill_in<'a>(
        &self,
        profile: &mut FunctionProfile,
        totals: impl Iterator<Item = &'a SiteTotals> + Clone,
    ) {
        for (at, line) in profile.lines.iter_mut().enumerate() {
            let counters = totals.clone().flat_map(SiteTotals::all_counters);
            let seen = counters
                .map(|counters| self.of_line(counters, at))
                .fold(Seen::default(), Seen::plus);
            line.origins = Some(data!(Origins {
                alive_bytes: seen.alive.bytes,
                alive_blocks: seen.alive.blocks,
                alive_after_call_bytes: seen.after_call.bytes,
                alive_after_call_blocks: seen.after_call.blocks,
                passing_bytes: seen.passing.bytes,
                passing_blocks: seen.passing.blocks,
                resized: seen.resized,
            }));
        }
    }

    fn of_line(&self, counters: &SiteCounters, at: usize) -> Seen {
        let Some(line) = counters.line(at).and_then(|counters| counters.origins()) else {
            return Seen::default();
        };
        let alive = self.lines.get(&key(line)).copied();
        line.seen().plus(alive.unwrap_or_default())
    }
}

impl Drop for LiveBlocks {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        without_counting(|| drop(lines));
    }
}

fn key(line: &LineBlocks) -> usize {
    std::ptr::from_ref(line).addr()
}

/// How blocks were followed; `None` where they were not.
pub(crate) fn followed() -> Option<Followed> {
    origins::is_on().then(|| {
        let (one_in, lost) = origins::sampling();
        data!(Followed {
            one_in,
            all_from: origins::LARGE as u64,
            lost,
        })
    })
}
