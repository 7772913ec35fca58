//! A run's own figures, without its texts and its functions.

use memprof_model::data;
use memprof_model::run::{Overhead, Process, Run, RunOutcome, SCHEMA};

use crate::heap;
use crate::os::own_pages::OwnMemory;
use crate::reading::meter::MeterFigures;
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;

/// The figures of the run as a whole, without texts and lists.
pub(super) fn header(
    recorder: &Recorder,
    outcome: RunOutcome,
    now: Reading,
    meter: &MeterFigures,
) -> Run {
    let sampler = &recorder.instruments.sampler;
    let own = OwnMemory::now();
    data!(Run {
        schema: SCHEMA.to_owned(),
        program: String::new(),
        command: Vec::new(),
        pid: std::process::id(),
        started: String::new(),
        duration_ns: now.t_ns,
        backend: meter.backend.to_owned(),
        peak_method: meter.peak_method,
        heap: heap::is_counted(),
        outcome,
        process: data!(Process {
            peak_rss: meter.process_peak.max(now.rss),
            baseline_rss: meter.baseline,
            lag_rss: meter.lag,
        }),
        sampler: sampler.report(),
        overhead: data!(Overhead {
            readings: meter.readings,
            reading_ns: meter.reading_ns,
            sampler_cpu_ns: sampler.cpu_ns(),
            profiler_bytes: meter.bytes,
            start_rss: own.start,
            heap_rss: (own.heap > 0).then_some(own.heap),
        }),
        series: Vec::new(),
        functions: Vec::new(),
        stopped: Vec::new(),
        low_memory_ns: recorder.low_memory_ns(),
        watched: None,
        origins: None,
    })
}
