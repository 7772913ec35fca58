//! Leaks by origin in the run: adds up each line's live blocks, and what its counters say of those that are gone.

use std::collections::HashMap;

use crate::counters::line_blocks::{BlockFigures, LineBlocks};
use crate::counters::site::SiteCounters;
use crate::heap::origins;
use crate::heap::without_counting;
use crate::thread::totals::SiteTotals;
use memprof_model::data;
use memprof_model::run::{Followed, FunctionProfile, Origins};

/// The blocks that are alive now, by line.
pub(crate) struct LiveBlocks {
    /// By the address of the line's `LineBlocks`.
    lines: HashMap<usize, BlockFigures>,
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
                let seen: &mut BlockFigures = lines.entry(key(line)).or_default();
                seen.alive = seen.alive.plus(size);
                if after_call {
                    seen.after_call = seen.after_call.plus(size);
                }
            });
        });
        Some(LiveBlocks { lines })
    }

    /// Adds the figures of blocks to the lines of `profile`. `totals`: those of its site.
    pub(crate) fn fill_in<'a>(
        &self,
        profile: &mut FunctionProfile,
        totals: impl Iterator<Item = &'a SiteTotals> + Clone,
    ) {
        for (at, line) in profile.lines.iter_mut().enumerate() {
            let counters = totals.clone().flat_map(SiteTotals::all_counters);
            let seen = counters
                .map(|counters| self.of_line(counters, at))
                .fold(BlockFigures::default(), BlockFigures::plus);
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

    fn of_line(&self, counters: &SiteCounters, at: usize) -> BlockFigures {
        let Some(line) = counters.line(at).and_then(|counters| counters.blocks()) else {
            return BlockFigures::default();
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

#[cfg(all(test, feature = "record"))]
mod tests {
    use std::alloc::{GlobalAlloc, Layout};

    use super::super::scene::{Scene, only};
    use super::super::whole_run::take;
    use super::*;
    use crate::CountingAllocator;
    use crate::os::own_process::alone;
    use crate::thread::current;
    use crate::thread::open_call::Kind;
    use memprof_model::run::RunOutcome;

    static ALLOCATOR: CountingAllocator = CountingAllocator::system().with_origins();

    const BLOCK: Layout = Layout::new::<[u64; 100]>();

    fn allocate() -> *mut u8 {
        // SAFETY: the layout has a size.
        unsafe { ALLOCATOR.alloc(BLOCK) }
    }

    fn free(block: *mut u8) {
        // SAFETY: it was allocated above.
        unsafe { ALLOCATOR.dealloc(block, BLOCK) }
    }

    #[test]
    fn live_blocks_where_blocks_are_not_followed_nothing_is_said_of_them() {
        alone(|| {
            assert!(followed().is_none() && LiveBlocks::now().is_none());
            let scene = Scene::new();
            scene.call(scene.thread(), scene.function(), 1);
            let run = take(scene.recorder, RunOutcome::Running);
            assert!(run.origins.is_none());
            assert!(only(&run).lines.iter().all(|line| line.origins.is_none()));
        });
    }

    #[test]
    fn live_blocks_a_line_has_the_blocks_that_are_alive_and_what_became_of_the_others() {
        alone(|| {
            origins::find_owners_with(current::current_block_owner);
            // The first one of the process, in no line: from now on blocks are followed.
            free(allocate());
            let scene = Scene::new();
            let site = scene.function();
            let thread = current::recorder(&scene.recorder.threads).expect("this thread has one");
            let call = thread.enter(site, Kind::Call);
            call.line(0);
            let (first, second) = (allocate(), allocate());
            call.line(1);
            free(allocate());
            call.exit();
            let call = thread.enter(site, Kind::Call);
            call.line(2);
            let third = allocate();
            free(first);
            let run = take(scene.recorder, RunOutcome::Running);
            call.exit();
            let size = BLOCK.size() as u64;
            let origins: Vec<_> = only(&run).lines.iter().map(|line| line.origins).collect();
            let expected = [
                data!(Origins {
                    alive_bytes: size,
                    alive_blocks: 1,
                    // One of them is gone since.
                    alive_after_call_bytes: 2 * size,
                    alive_after_call_blocks: 2,
                    ..Origins::default()
                }),
                data!(Origins {
                    passing_bytes: size,
                    passing_blocks: 1,
                    ..Origins::default()
                }),
                data!(Origins {
                    alive_bytes: size,
                    alive_blocks: 1,
                    ..Origins::default()
                }),
            ];
            assert_eq!(origins, expected.map(Some));
            let expected = data!(Followed {
                one_in: 1,
                all_from: 65_536,
                lost: 0,
            });
            assert_eq!((run.origins, followed()), (Some(expected), Some(expected)));
            free(second);
            free(third);
        });
    }
}
