//! What threads measure with: the meter, the sampler's status, and how busy the processors are.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::meter::Meter;
use super::sampler_status::SamplerStatus;
use super::spare_moment::SpareMoment;

/// The instruments of a run, shared by all its threads.
#[derive(Debug)]
pub(crate) struct Instruments {
    pub meter: Meter,
    pub sampler: SamplerStatus,
    pub spare_moment: SpareMoment,
    /// Threads in annotated calls.
    busy_threads: AtomicUsize,
    /// Number of processors. Asked for only when several threads are busy, because that takes a tenth of a
    /// millisecond.
    processors: OnceLock<usize>,
}

impl Instruments {
    pub(crate) fn new(meter: Meter) -> Instruments {
        Instruments {
            meter,
            sampler: SamplerStatus::default(),
            spare_moment: SpareMoment::default(),
            busy_threads: AtomicUsize::new(0),
            processors: OnceLock::new(),
        }
    }

    /// How many threads in annotated calls share a processor.
    pub(crate) fn threads_per_processor(&self) -> f64 {
        let processors = self.processors.get().copied().unwrap_or(1);
        self.busy_threads.load(Relaxed) as f64 / processors as f64
    }

    /// Called by the sampler, so that no thread of the program has to ask for the number of processors.
    pub(crate) fn set_busy_threads(&self, threads: usize) {
        if threads > 1 {
            let ask = || std::thread::available_parallelism().map_or(1, usize::from);
            self.processors.get_or_init(ask);
        }
        self.busy_threads.store(threads, Relaxed);
    }
}

#[cfg(test)]
impl Instruments {
    /// Instruments that read `script`. Leaked, because recorders hold them for ever.
    pub(crate) fn scripted(script: &'static crate::os::scripted::Script) -> &'static Instruments {
        use crate::os::{Clock, Os};

        let meter = Meter::new(Os::Scripted(script), Clock::Scripted(script), false);
        Box::leak(Box::new(Instruments::new(
            meter.expect("a script can always be read"),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::scripted::Script;

    #[test]
    fn instruments_one_busy_thread_has_a_processor_for_itself_and_nobody_asks_how_many_there_are() {
        let instruments = Instruments::scripted(Script::leaked(0));
        assert_eq!(instruments.threads_per_processor(), 0.0);
        instruments.set_busy_threads(1);
        assert_eq!(instruments.threads_per_processor(), 1.0);
        assert_eq!(instruments.processors.get(), None);
    }

    #[test]
    fn instruments_busy_threads_share_the_processors() {
        let instruments = Instruments::scripted(Script::leaked(0));
        instruments.processors.set(4).expect("not asked for yet");
        instruments.set_busy_threads(6);
        assert_eq!(instruments.threads_per_processor(), 1.5);
        instruments.set_busy_threads(2);
        assert_eq!(instruments.threads_per_processor(), 0.5);
    }

    #[test]
    fn instruments_processors_are_asked_for_once_two_threads_are_busy() {
        let instruments = Instruments::scripted(Script::leaked(0));
        instruments.set_busy_threads(2);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(instruments.processors.get(), Some(&processors));
    }

    #[test]
    fn instruments_scripted_instruments_read_the_script() {
        let script = Script::leaked(7 << 20);
        let meter = &Instruments::scripted(script).meter;
        assert_eq!(
            (meter.figures(None).backend, meter.figures(None).baseline),
            ("scripted", 7 << 20)
        );
        let before = meter.now_ns();
        script.pass(1_000);
        assert!(meter.now_ns() >= before + 1_000);
    }
}
