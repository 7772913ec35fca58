//! The suspended calls of futures: they are on no thread's stack.
//!
//! Of a site's suspended calls only the highest keeps its series, because there may be a
//! hundred thousand of them. A call that goes on without a series gets a new one, which begins there.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use slab::Slab;

use super::open_call::OpenCall;
use crate::heap;
use crate::reading::one_reading::{LinePoint, Reading};
use crate::site::calls::PeakCall;
use crate::site::registered::RegisteredSite;
use crate::sync::lock;
use memprof_model::run::{Call, Series};

/// Calls of different sites seldom wait for one another's lock.
const SHARDS: usize = 16;

/// How many calls are looked at while a lock is held: some microseconds.
const PIECE: usize = 64;

/// How many suspended calls have a series at most: 32 KiB each.
const SERIES: usize = 32;

/// All suspended calls of the process.
#[derive(Debug, Default)]
pub(crate) struct SuspendedCalls {
    /// How many of them have a series.
    with_series: AtomicUsize,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    calls: Slab<OpenCall>,
    /// By the site's number, divided by the number of shards.
    sites: Vec<SuspendedSums>,
}

/// Where a suspended call is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SuspendedKey {
    site: usize,
    at: usize,
}

/// What the suspended calls of a site come to. Kept up to date, because an entry of the journal has no time to
/// visit a hundred thousand calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct SuspendedSums {
    /// Of all of them.
    pub all: SuspendedAt,
    /// Of those at each line, by the place in the site's list.
    pub lines: Vec<SuspendedAt>,
    /// Where the highest is kept, and its rank. While none is known here, a call that goes on or has ended was
    /// higher.
    highest: Option<(usize, (u64, u64))>,
}

/// What suspended calls come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SuspendedAt {
    /// Their number.
    pub calls: u64,
    /// Heap bytes that they allocated and did not free while they were polled.
    pub heap: i64,
}

/// A suspended call as data.
#[derive(Debug)]
pub(crate) struct SuspendedCall {
    /// See [`Past::number`](super::open_call::Past).
    pub number: u64,
    pub record: Call,
}

impl SuspendedCalls {
    /// Keeps `call`; gives the key to have it back, and a series that is not needed any more.
    pub(crate) fn put(&self, call: OpenCall) -> (SuspendedKey, Option<Series<LinePoint>>) {
        let site = call.site.id;
        let put = || self.shard(site).put(call, &self.with_series);
        let (at, spare) = heap::without_counting(put);
        (SuspendedKey { site, at }, spare)
    }

    /// Takes the call with this key out: it is resumed, or ends.
    pub(crate) fn take(&self, key: SuspendedKey) -> Option<OpenCall> {
        let call = self.shard(key.site).take(key.at)?;
        if call.series.is_some() {
            self.with_series.fetch_sub(1, Relaxed);
        }
        Some(call)
    }

    /// What the suspended calls of `site` come to.
    pub(crate) fn sums(&self, site: &RegisteredSite) -> SuspendedSums {
        let mut shard = self.shard(site.id);
        shard.sums(site.id).clone()
    }

    /// The suspended calls of `site` as data, as if the process ended `now`.
    pub(crate) fn of_site(&self, site: &RegisteredSite, now: Reading) -> Vec<SuspendedCall> {
        let left = self.sums(site).all.calls as usize;
        let mut calls = Vec::with_capacity(left);
        for from in (0..).step_by(PIECE) {
            let shard = self.shard(site.id);
            if calls.len() >= left || from >= shard.calls.capacity() {
                break;
            }
            let piece = (from..from + PIECE).filter_map(|at| shard.calls.get(at));
            let piece = piece.filter(|call| call.site.id == site.id);
            calls.extend(piece.map(|call| SuspendedCall {
                number: call.past.number,
                record: call.record_suspended(now),
            }));
        }
        calls
    }

    /// The highest suspended call of `site`, and its number; with its series if wanted. `None` if a call that is
    /// not suspended was higher than all of them.
    pub(crate) fn highest(
        &self,
        site: &RegisteredSite,
        now: Reading,
        with_series: bool,
    ) -> Option<(u64, PeakCall)> {
        let mut shard = self.shard(site.id);
        let (at, _) = shard.sums(site.id).highest?;
        let call = shard.calls.get(at)?.copied(with_series);
        drop(shard);
        let record = call.record_suspended(now);
        Some((call.past.number, call.as_peak_call(&record)))
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| lock(shard).bytes()).sum()
    }

    /// Locks the shard of this site.
    fn shard(&self, site: usize) -> MutexGuard<'_, Shard> {
        lock(&self.shards[site % SHARDS])
    }
}

impl Shard {
    /// Keeps `call`; gives its place, and a series that is not needed any more.
    fn put(
        &mut self,
        mut call: OpenCall,
        with_series: &AtomicUsize,
    ) -> (usize, Option<Series<LinePoint>>) {
        let (id, rank) = (call.site.id, call.past.rank());
        let sums = self.sums(id);
        sums.change(&call, 1);
        let highest = sums.highest;
        if highest.is_some_and(|(_, before)| before > rank) {
            let spare = call.series.take();
            return (self.calls.insert(call), spare);
        }
        let lower = highest.and_then(|(at, _)| self.calls.get_mut(at)?.series.take());
        if lower.is_some() {
            with_series.fetch_sub(1, Relaxed);
        }
        let one_more = |number| (number < SERIES).then_some(number + 1);
        let too_many = call.series.take_if(|_| {
            with_series
                .fetch_update(Relaxed, Relaxed, one_more)
                .is_err()
        });
        let at = self.calls.insert(call);
        self.sums(id).highest = Some((at, rank));
        (at, lower.or(too_many))
    }

    fn take(&mut self, at: usize) -> Option<OpenCall> {
        let call = self.calls.try_remove(at)?;
        let sums = self.sums(call.site.id);
        sums.change(&call, -1);
        sums.highest.take_if(|(highest, _)| *highest == at);
        Some(call)
    }

    /// The sums of the site with this number, which is one of this shard's.
    fn sums(&mut self, site: usize) -> &mut SuspendedSums {
        let at = site / SHARDS;
        if self.sites.len() <= at {
            self.sites.resize_with(at + 1, SuspendedSums::default);
        }
        &mut self.sites[at]
    }

    fn bytes(&self) -> u64 {
        let lines: usize = self.sites.iter().map(|sums| sums.lines.capacity()).sum();
        let highest = self.sites.iter().filter_map(|sums| sums.highest);
        let series = highest.filter_map(|(at, _)| self.calls.get(at)?.series.as_ref());
        let series: u64 = series.map(Series::bytes).sum();
        let bytes = self.calls.capacity() * size_of::<OpenCall>()
            + self.sites.capacity() * size_of::<SuspendedSums>()
            + lines * size_of::<SuspendedAt>();
        bytes as u64 + series
    }
}

impl SuspendedSums {
    /// So many `calls` like `call` have come, or gone.
    fn change(&mut self, call: &OpenCall, calls: i64) {
        let heap = calls * call.past.heap.live();
        self.all.change(calls, heap);
        if self.lines.is_empty() {
            let lines = call.site.spec.lines.len();
            self.lines.resize(lines, SuspendedAt::default());
        }
        if let Some(line) = self.lines.get_mut(call.line as usize) {
            line.change(calls, heap);
        }
    }
}

impl SuspendedAt {
    fn change(&mut self, calls: i64, heap: i64) {
        self.calls = self.calls.wrapping_add_signed(calls);
        self.heap += heap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::counts::Counts;
    use crate::os::scripted::Script;
    use crate::reading::instruments::Instruments;
    use crate::site::spec::SiteSpec;
    use crate::thread::open_call::Kind;
    use crate::thread::registry::ThreadRegistry;

    static SPEC: SiteSpec = SiteSpec::own("memprof::test", &[1, 2]);

    struct Scene {
        script: &'static Script,
        threads: ThreadRegistry,
    }

    impl Scene {
        fn new() -> Scene {
            let script = Script::leaked(1 << 30);
            let threads = ThreadRegistry::new(Instruments::scripted(script));
            Scene { script, threads }
        }

        fn site(id: usize) -> &'static RegisteredSite {
            let site = RegisteredSite::new(id, &SPEC, 1_000_000, None, false);
            Box::leak(Box::new(site))
        }

        /// A call that has risen by so many pages at its line, and is suspended there. Gives its key, and whether
        /// a series was left over.
        fn suspend(
            &self,
            site: &'static RegisteredSite,
            line: u32,
            pages: i64,
        ) -> (SuspendedKey, bool) {
            let thread = self.threads.take();
            let call = thread.enter(site, Kind::Call);
            call.line(line);
            self.script.change(pages);
            let open = thread.suspend(call.depth()).expect("in progress");
            self.threads.give_back(thread);
            let (key, spare) = self.threads.suspended.put(open);
            (key, spare.is_some())
        }

        fn lines(&self, site: &RegisteredSite) -> Vec<u64> {
            let sums = self.threads.suspended.sums(site);
            sums.lines.iter().map(|line| line.calls).collect()
        }

        fn highest(&self, site: &RegisteredSite) -> Option<(u64, bool)> {
            let now = Reading::default();
            let (_, highest) = self.threads.suspended.highest(site, now, true)?;
            Some((highest.call.peak_rss / 4096, highest.series.is_some()))
        }
    }

    #[test]
    fn suspended_calls_are_counted_at_their_lines_until_they_are_taken() {
        let scene = Scene::new();
        let (site, neighbour) = (Scene::site(1), Scene::site(1 + SHARDS));
        let keys = [0, 1, 1].map(|line| scene.suspend(site, line, 1).0);
        scene.suspend(neighbour, 0, 1);
        assert_eq!(scene.lines(site), [1, 2]);
        let all = |site: &RegisteredSite| {
            let calls = scene.threads.suspended.of_site(site, Reading::default());
            let mut numbers: Vec<u64> = calls.iter().map(|call| call.number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers.len()
        };
        assert_eq!((all(site), all(neighbour)), (3, 1));
        for key in keys {
            assert!(scene.threads.suspended.take(key).is_some());
            assert!(scene.threads.suspended.take(key).is_none());
        }
        assert_eq!((scene.lines(site), all(site)), (vec![0, 0], 0));
        assert_eq!(scene.lines(neighbour), [1, 0]);
    }

    #[test]
    fn suspended_calls_what_they_hold_of_the_heap_is_added_up_signed() {
        let scene = Scene::new();
        let site = Scene::site(1);
        let mut held = 0;
        for (line, allocated, freed) in [(0, 100, 30), (1, 5, 900)] {
            let key = scene.suspend(site, line, 0).0;
            let mut call = scene.threads.suspended.take(key).expect("suspended");
            call.past.heap = Counts {
                allocated,
                freed,
                allocations: 1,
            };
            held += call.past.heap.live();
            scene.threads.suspended.put(call);
            assert_eq!(scene.threads.suspended.sums(site).all.heap, held);
        }
        let sums = scene.threads.suspended.sums(site);
        let lines: Vec<i64> = sums.lines.iter().map(|line| line.heap).collect();
        assert_eq!((lines, sums.all.heap), (vec![70, -895], -825));
    }

    #[test]
    fn suspended_calls_the_highest_keeps_its_series_and_the_others_do_not() {
        let scene = Scene::new();
        let site = Scene::site(1);
        let (_, left_over) = scene.suspend(site, 0, 5);
        assert_eq!((scene.highest(site), left_over), (Some((5, true)), false));
        assert!(scene.suspend(site, 0, 3).1, "its own");
        let (key, left_over) = scene.suspend(site, 0, 9);
        assert!(left_over, "that of the one before");
        assert_eq!(scene.highest(site), Some((9, true)));
        let call = scene.threads.suspended.take(key).expect("suspended");
        assert!(call.series.is_some());
        assert_eq!(scene.highest(site), None, "it goes on");
        scene.suspend(site, 0, 4);
        assert_eq!(scene.highest(site), Some((4, true)));
    }

    #[test]
    fn suspended_calls_have_a_bounded_number_of_series() {
        let scene = Scene::new();
        let sites: Vec<_> = (0..2 * SERIES).map(Scene::site).collect();
        let keys: Vec<_> = sites.iter().map(|site| scene.suspend(site, 0, 1)).collect();
        let left_over = keys.iter().filter(|(_, left_over)| *left_over).count();
        assert_eq!(left_over, SERIES);
        let bytes = scene.threads.suspended.bytes();
        assert!(bytes >= (SERIES << 15) as u64, "{bytes}");
        for (key, _) in keys {
            scene.threads.suspended.take(key);
        }
        assert_eq!(scene.threads.suspended.with_series.load(Relaxed), 0);
    }
}
