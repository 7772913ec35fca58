//! What threads measure with: the meter, the sampler's status, and how busy the processors are.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::meter::Meter;
use super::sampler_status::SamplerStatus;

/// The instruments of a run, shared by all its threads.
#[derive(Debug)]
pub(crate) struct Instruments {
    pub meter: Meter,
    pub sampler: SamplerStatus,
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
