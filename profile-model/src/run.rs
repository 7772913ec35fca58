//! The data model of a finished or running profile: what was recorded, and nothing about how it looks.
//!
//! A [`Run`] is plain data. Recording produces one (`memprof::snapshot`), renderers read one, and
//! with the feature `report` it is `run.json`, schema `memprof/1`. All sizes are bytes, all times
//! nanoseconds since the run's start unless the name says otherwise.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub use crate::figures::{HeapFigures, LineSample, Sample};
pub use crate::function::{
    Call, CallSpread, FunctionProfile, Line, LineGroup, Origins, Outcome, PeakAt, Quantiles,
    UnreadRise, Workers,
};
pub use crate::series::{Series, SeriesPoint};
pub use crate::sized::{CallMaxima, FigureGrowth, LineAtSize, SizeFigures, SizedFigure};

/// The schema's name, the first field of every `run.json`.
pub const SCHEMA: &str = "memprof/1";

/// Everything that one process recorded.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Run {
    /// Always [`SCHEMA`]; a reader refuses another number.
    pub schema: String,
    /// The file name of the executable.
    pub program: String,
    /// The command line, the program's path first.
    pub command: Vec<String>,
    /// Process identifier.
    pub pid: u32,
    /// When the first annotated call began: RFC 3339, with the local offset.
    pub started: String,
    /// From the run's start to this snapshot.
    pub duration_ns: u64,
    /// How memory was read: `"statm"` or `"sysinfo"`.
    pub backend: String,
    /// How peaks were obtained: exactly from the kernel, or from samples only.
    pub peak_method: PeakMethod,
    /// Whether heap bytes were counted.
    pub heap: bool,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// Figures of the process as a whole.
    pub process: Process,
    /// How well the sampler kept its time.
    pub sampler: SamplerReport,
    /// What the measurement itself cost.
    pub overhead: Overhead,
    /// RSS of the process, from the first entry to shortly after the last exit.
    pub series: Vec<Sample>,
    /// One profile for each annotated function that was called, in order of first call.
    pub functions: Vec<FunctionProfile>,
    /// Where each thread was, outermost call first, in a run that did not end by itself
    /// ([`RunOutcome::Recovered`]); of very many the first.
    #[cfg_attr(feature = "serde", serde(default))]
    pub stopped: Vec<Stopped>,
    /// When memory was about to run out for the first time, nanoseconds since the run's start: little was
    /// left of what a control group, the address space or the machine allows. `None` if it never was.
    #[cfg_attr(feature = "serde", serde(default))]
    pub low_memory_ns: Option<u64>,
    /// How the process was watched from outside; `None` for a program that recorded itself.
    #[cfg_attr(feature = "serde", serde(default))]
    pub watched: Option<Watched>,
    /// How blocks were followed for [`Line::origins`]; `None` where they were not
    /// (`memprof::CountingAllocator::with_origins`).
    #[cfg_attr(feature = "serde", serde(default))]
    pub origins: Option<Followed>,
}

/// A run in which nothing has been recorded yet.
impl Default for Run {
    fn default() -> Run {
        Run {
            schema: SCHEMA.to_owned(),
            program: String::new(),
            command: Vec::new(),
            pid: 0,
            started: String::new(),
            duration_ns: 0,
            backend: String::new(),
            peak_method: PeakMethod::default(),
            heap: false,
            outcome: RunOutcome::default(),
            process: Process::default(),
            sampler: SamplerReport::default(),
            overhead: Overhead::default(),
            series: Vec::new(),
            functions: Vec::new(),
            stopped: Vec::new(),
            low_memory_ns: None,
            watched: None,
            origins: None,
        }
    }
}

/// How the blocks on the heap were followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Followed {
    /// Of the blocks smaller than `all_from` one in so many was followed, and stands for the others:
    /// 1 as long as every block had room, and figures are exact.
    pub one_in: u64,
    /// Blocks of so many bytes are followed all.
    pub all_from: u64,
    /// How many of these there was no room for.
    pub lost: u64,
}

/// How a process was watched from outside (`cargo memprof exec` and `attach`).
///
/// Such a run has no functions, and its sizes are those of [`Watched::measure`].
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Watched {
    /// What was read of each process.
    pub measure: Measure,
    /// From one reading to the next.
    pub interval_ns: u64,
    /// Whether the run's series is the sum over the process and all its descendants.
    pub summed: bool,
    /// How the process ended, for people: `"exit code 0"`, `"signal 9"`, `"still running"`.
    pub ended: String,
    /// The descendants, where each was to have a curve of its own.
    pub children: Vec<WatchedChild>,
}

/// What is read of a process that is watched from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Measure {
    /// Resident memory, shared pages counted in every process that has them.
    #[default]
    Rss,
    /// Resident memory, a shared page divided by the number of processes that have it.
    Pss,
    /// Resident memory that no other process has.
    Uss,
}

impl Measure {
    /// Its name as people write it: `"RSS"`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Measure::Rss => "RSS",
            Measure::Pss => "PSS",
            Measure::Uss => "USS",
        }
    }
}

/// A descendant of a watched process.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct WatchedChild {
    /// Process identifier.
    pub pid: u32,
    /// The file name of its executable, as far as it could be told.
    pub program: String,
    /// Its highest reading.
    pub peak_rss: u64,
    /// Its memory over time.
    pub series: Vec<Sample>,
}

/// How peaks were obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum PeakMethod {
    /// The kernel's high-water mark, reset and read around every measured interval.
    Kernel,
    /// The highest sample; what rises and falls between two samples is not seen.
    #[default]
    Sampled,
}

impl PeakMethod {
    /// In words, for reports.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            PeakMethod::Kernel => "peaks exact, from the kernel's high-water mark",
            PeakMethod::Sampled => {
                "peaks from samples: what rises and falls between two is not seen"
            }
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum RunOutcome {
    /// The program was still running when this was taken.
    #[default]
    Running,
    /// The program ended and wrote its own report.
    Exited,
    /// The program ended without a report, killed for example; what it had written until then was put
    /// together later. It is at most about a second behind.
    Recovered,
}

impl RunOutcome {
    /// In words how far the run's figures go, for reports; empty where they go to the program's end.
    #[must_use]
    pub fn extent(self) -> &'static str {
        match self {
            RunOutcome::Running => "so far: the program was still running",
            RunOutcome::Exited => "",
            RunOutcome::Recovered => "until it was last heard of",
        }
    }
}

/// A call that was in progress when a run was last heard of.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Stopped {
    /// Number of the thread.
    pub thread: u64,
    /// How many annotated calls of the same thread were in progress around it.
    pub depth: u32,
    /// Which of the run's functions: a place in [`Run::functions`].
    pub function: usize,
    /// The function's line that was running; `None` before the first, and with `lines = false`.
    pub line: Option<u32>,
    /// How long it had been in progress.
    pub time_ns: u64,
    /// What it had kept until then.
    pub net_rss: i64,
    /// The highest rise above its entry until then.
    pub peak_rss: u64,
}

impl Stopped {
    /// `call` as it was when the run was last heard of, a call of the run's function at place `function`.
    #[doc(hidden)]
    #[must_use]
    pub fn of(function: usize, line: Option<u32>, call: &Call) -> Stopped {
        Stopped {
            thread: call.thread,
            depth: call.depth,
            function,
            line,
            time_ns: call.end_ns.saturating_sub(call.start_ns),
            net_rss: call.net_rss,
            peak_rss: call.peak_rss,
        }
    }
}

/// Figures of the process as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Process {
    /// The highest RSS of the process's life, as far as the kernel or the samples tell.
    pub peak_rss: u64,
    /// RSS just before the first annotated call.
    pub baseline_rss: u64,
    /// By how many bytes the kernel's counter of a kind of page lags at most for each processor that the program
    /// ran on; 0 where that is not known.
    #[cfg_attr(feature = "serde", serde(default))]
    pub lag_rss: u64,
}

/// How well the sampler thread kept its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct SamplerReport {
    /// Deadlines that fell into annotated calls.
    pub ticks_due: u64,
    /// Deadlines at which a sample was taken.
    pub ticks_taken: u64,
    /// The longest time between two samples while an annotated call was in progress.
    pub longest_gap_ns: u64,
    /// There was no such thread: readings were taken at lines and calls only.
    #[cfg_attr(feature = "serde", serde(default))]
    pub missing: bool,
}

/// What the measurement itself cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Overhead {
    /// Exact readings taken by the measured threads.
    pub readings: u64,
    /// What these readings took, in sum; one that took longer than 0.1 ms, because its thread lost
    /// the processor meanwhile, counts as that.
    pub reading_ns: u64,
    /// Processor time of the sampler thread.
    pub sampler_cpu_ns: u64,
    /// Memory that the profiler holds. It has taken more: what it needs for a moment, and what allocators add.
    pub profiler_bytes: u64,
    /// RSS that came with the profiler's start: stacks of its threads, code, tables. It is in no other figure of the
    /// run.
    #[cfg_attr(feature = "serde", serde(default))]
    pub start_rss: u64,
    /// RSS of the profiler's own heap, which is in no other figure of the run either. `None` where it has no heap of
    /// its own, because no counting allocator is installed: what it holds is in the program's figures then.
    #[cfg_attr(feature = "serde", serde(default))]
    pub heap_rss: Option<u64>,
}
