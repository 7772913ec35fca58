//! What was watched, as a run like any other.

use std::path::Path;

use jiff::Zoned;
use memprof_model::data;
use memprof_model::run::{
    Overhead, PeakMethod, Process, Run, RunOutcome, SCHEMA, Sample, SamplerReport, Watched,
    WatchedChild,
};

use super::linux::Memory;
use super::plan::Plan;

/// What a watch found.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) plan: Plan,
    pub(super) duration_ns: u64,
    pub(super) baseline: u64,
    pub(super) peak: u64,
    pub(super) due: u64,
    pub(super) taken: u64,
    pub(super) longest_gap_ns: u64,
    pub(super) reading_ns: u64,
    pub(super) series: Vec<Sample>,
    pub(super) children: Vec<WatchedChild>,
}

/// Whom it watched.
#[derive(Debug)]
pub(crate) struct Subject {
    /// Process identifier.
    pub(crate) pid: u32,
    /// The command line.
    pub(crate) command: Vec<String>,
    /// When the watch began.
    pub(crate) started: Zoned,
}

impl Record {
    /// The run of `subject`, which came to `ended`.
    pub(crate) fn into_run(self, subject: Subject, ended: String, outcome: RunOutcome) -> Run {
        data!(Run {
            schema: SCHEMA.to_owned(),
            program: program(&subject.command),
            command: subject.command,
            pid: subject.pid,
            started: subject
                .started
                .strftime("%Y-%m-%dT%H:%M:%S%.6f%:z")
                .to_string(),
            duration_ns: self.duration_ns,
            backend: Memory::backend(self.plan.measure).to_owned(),
            peak_method: PeakMethod::Sampled,
            heap: false,
            outcome,
            process: data!(Process {
                peak_rss: self.peak,
                baseline_rss: self.baseline,
            }),
            sampler: data!(SamplerReport {
                ticks_due: self.due,
                ticks_taken: self.taken,
                longest_gap_ns: self.longest_gap_ns,
                missing: false,
            }),
            overhead: data!(Overhead {
                readings: self.taken,
                reading_ns: self.reading_ns,
                sampler_cpu_ns: processor_time_ns(),
                profiler_bytes: 0,
                start_rss: 0,
                heap_rss: None,
            }),
            series: self.series,
            functions: Vec::new(),
            stopped: Vec::new(),
            origins: None,
            low_memory_ns: None,
            watched: Some(data!(Watched {
                measure: self.plan.measure,
                interval_ns: u64::try_from(self.plan.interval.as_nanos()).unwrap_or(u64::MAX),
                summed: self.plan.summed,
                ended,
                children: self.children,
            })),
        })
    }
}

/// The file name of the command.
fn program(command: &[String]) -> String {
    let path = Path::new(command.first().map_or("", String::as_str));
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Processor time of this process, whose only business is to watch; 0 where it cannot be told.
fn processor_time_ns() -> u64 {
    #[cfg(unix)]
    {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the pointer is valid for a write of one `timespec`.
        let answer = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
        if answer == 0 {
            return time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
        }
    }
    0
}
