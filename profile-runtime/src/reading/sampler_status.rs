//! The sampler thread as others see it: threads with calls need to know when it wakes, and reports how well it
//! keeps its time.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, fence};
use std::thread::Thread;

use memprof_model::data;
use memprof_model::run::SamplerReport;

/// Written by the sampler thread, read by anybody.
#[derive(Debug, Default)]
pub(crate) struct SamplerStatus {
    thread: OnceLock<Thread>,
    /// When it will wake by itself; `u64::MAX` while parked.
    awake_at_ns: AtomicU64,
    ticks_due: AtomicU64,
    ticks_taken: AtomicU64,
    longest_gap_ns: AtomicU64,
    cpu_ns: AtomicU64,
    missing: AtomicBool,
}

impl SamplerStatus {
    /// The sampler runs on this thread.
    pub(crate) fn set_thread(&self, thread: Thread) {
        // Never set before: a sampler is started once.
        let _ = self.thread.set(thread);
    }

    /// There is no sampler in this run: nobody asks threads for readings but they themselves.
    pub(crate) fn set_missing(&self) {
        self.missing.store(true, Relaxed);
    }

    /// Whether the run has no sampler.
    pub(crate) fn is_missing(&self) -> bool {
        self.missing.load(Relaxed)
    }

    /// A call has begun that wants a sample at `deadline_ns`: wakes the sampler if it would sleep longer.
    #[inline]
    pub(crate) fn expect(&self, deadline_ns: u64) {
        // Pairs with the fence in `is_parking`: either we see that the sampler parks, or it sees our call.
        fence(SeqCst);
        if deadline_ns < self.awake_at_ns.load(Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// The sampler sleeps until `deadline_ns`.
    pub(crate) fn sleeps_until(&self, deadline_ns: u64) {
        self.awake_at_ns.store(deadline_ns, Relaxed);
    }

    /// The sampler is about to sleep until it is woken. It looks for calls once more after this.
    pub(crate) fn is_parking(&self) {
        self.awake_at_ns.store(u64::MAX, Relaxed);
        fence(SeqCst);
    }

    /// The sampler is awake.
    pub(crate) fn is_awake(&self) {
        self.awake_at_ns.store(0, Relaxed);
    }

    /// `taken` of the `due` samples have been taken, `gap_ns` after the sample before, if there was one.
    pub(crate) fn count_ticks(&self, due: u64, taken: u64, gap_ns: Option<u64>) {
        self.ticks_due.fetch_add(due, Relaxed);
        self.ticks_taken.fetch_add(taken, Relaxed);
        if let Some(gap_ns) = gap_ns {
            let longest = gap_ns.max(self.longest_gap_ns.load(Relaxed));
            self.longest_gap_ns.store(longest, Relaxed);
        }
    }

    /// The sampler thread has used so much processor time until now.
    pub(crate) fn set_cpu_ns(&self, cpu_ns: u64) {
        self.cpu_ns.store(cpu_ns, Relaxed);
    }

    pub(crate) fn report(&self) -> SamplerReport {
        data!(SamplerReport {
            ticks_due: self.ticks_due.load(Relaxed),
            ticks_taken: self.ticks_taken.load(Relaxed),
            longest_gap_ns: self.longest_gap_ns.load(Relaxed),
            missing: self.is_missing(),
        })
    }

    /// Processor time of the thread up to its last tick.
    pub(crate) fn cpu_ns(&self) -> u64 {
        self.cpu_ns.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// Whether the calling thread is not woken for so long.
    fn sleeps_for(nap: Duration) -> bool {
        let began = Instant::now();
        thread::park_timeout(nap);
        began.elapsed() >= nap
    }

    /// Somebody has woken the calling thread.
    #[track_caller]
    fn assert_woken() {
        // On a machine that is busy it may take a while to come to know.
        assert!(!sleeps_for(Duration::from_secs(10)));
    }

    /// Nobody has woken the calling thread.
    #[track_caller]
    fn assert_not_woken() {
        assert!(sleeps_for(Duration::from_millis(2)));
    }

    /// On a thread of its own, because waking is remembered by the thread.
    fn as_sampler(test: impl FnOnce(&SamplerStatus) + Send) {
        thread::scope(|scope| {
            scope.spawn(|| {
                let status = SamplerStatus::default();
                status.set_thread(thread::current());
                test(&status);
            });
        });
    }

    #[test]
    fn sampler_status_a_call_wakes_the_sampler_if_it_wants_a_sample_before_the_sampler_looks_up() {
        as_sampler(|status| {
            status.sleeps_until(100);
            status.expect(100);
            assert_not_woken();
            status.expect(99);
            assert_woken();
        });
    }

    #[test]
    fn sampler_status_every_call_wakes_a_sampler_that_parks() {
        as_sampler(|status| {
            status.is_parking();
            status.expect(u64::MAX - 1);
            assert_woken();
        });
    }

    #[test]
    fn sampler_status_nobody_wakes_a_sampler_that_is_up() {
        as_sampler(|status| {
            status.is_parking();
            status.is_awake();
            status.expect(0);
            assert_not_woken();
        });
    }

    #[test]
    fn sampler_status_the_first_thread_stays_the_sampler() {
        as_sampler(|status| {
            let other = thread::spawn(|| ());
            status.set_thread(other.thread().clone());
            status.is_parking();
            status.expect(1);
            assert_woken();
            other.join().expect("no panic");
        });
    }

    #[test]
    fn sampler_status_without_a_sampler_nobody_is_woken() {
        SamplerStatus::default().expect(0);
    }

    #[test]
    fn sampler_status_ticks_add_up_and_the_longest_gap_stays() {
        let status = SamplerStatus::default();
        for (due, taken, gap_ns) in [(1, 1, None), (5, 2, Some(70)), (3, 3, Some(60))] {
            status.count_ticks(due, taken, gap_ns);
        }
        let expected = data!(SamplerReport {
            ticks_due: 9,
            ticks_taken: 6,
            longest_gap_ns: 70,
            missing: false,
        });
        assert_eq!(status.report(), expected);
        status.set_missing();
        assert!(status.report().missing);
    }

    #[test]
    fn sampler_status_processor_time_is_what_was_said_last() {
        let status = SamplerStatus::default();
        assert_eq!(status.cpu_ns(), 0);
        status.set_cpu_ns(7);
        status.set_cpu_ns(9);
        assert_eq!(status.cpu_ns(), 9);
    }
}
