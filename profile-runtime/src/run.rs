//! The data model of a finished or running profile: what was recorded, and nothing about how it looks.
//!
//! A [`Run`] is plain data. Recording produces one ([`crate::snapshot`]), renderers read one, and
//! with the feature `report` it is `run.json`, schema `memprof/1`. All sizes are bytes, all times
//! nanoseconds since the run's start unless the name says otherwise.

#[cfg(feature = "report")]
use serde::{Deserialize, Serialize};

use crate::growth::Growth;
pub use crate::series::{Point, Series};

/// The schema's name, the first field of every `run.json`.
pub const SCHEMA: &str = "memprof/1";

/// Everything that one process recorded.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
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
    pub functions: Vec<Profile>,
    /// Where each thread was, outermost call first, in a run that did not end by itself
    /// ([`RunOutcome::Recovered`], [`RunOutcome::LowMemory`]); of very many the first.
    #[cfg_attr(feature = "report", serde(default))]
    pub stopped: Vec<Stopped>,
    /// When memory was about to run out for the first time: little was left of what a control group, the
    /// address space or the machine allows.
    #[cfg_attr(feature = "report", serde(default))]
    pub low_memory_ns: Option<u64>,
    /// How the process was watched from outside; `None` for a program that recorded itself.
    #[cfg_attr(feature = "report", serde(default))]
    pub watched: Option<Watched>,
    /// How blocks were followed for [`Line::origins`]; `None` where they were not
    /// ([`CountingAllocator::with_origins`](crate::CountingAllocator::with_origins)).
    #[cfg_attr(feature = "report", serde(default))]
    pub origins: Option<Followed>,
}

/// How the blocks on the heap were followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
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
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "report", serde(rename_all = "lowercase"))]
pub enum Measure {
    /// Resident memory, shared pages counted in every process that has them.
    Rss,
    /// Resident memory, a shared page divided by the number of processes that have it.
    Pss,
    /// Resident memory that no other process has.
    Uss,
}

/// A descendant of a watched process.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "report", serde(rename_all = "lowercase"))]
pub enum PeakMethod {
    /// The kernel's high-water mark, reset and read around every measured interval.
    Kernel,
    /// The highest sample; what rises and falls between two samples is not seen.
    Sampled,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "report", serde(rename_all = "lowercase"))]
pub enum RunOutcome {
    /// The program was still running when this was taken.
    Running,
    /// The program ended and wrote its own report.
    Exited,
    /// The program ended without a report, killed for example; what it had written until then was put
    /// together later. It is at most about a second behind.
    Recovered,
    /// The reports were written while the program was running, because memory was about to run out.
    #[cfg_attr(feature = "report", serde(rename = "low memory"))]
    LowMemory,
}

/// A call that was in progress when a run was last heard of.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
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

#[cfg(feature = "report")]
impl Stopped {
    /// `call` as it was when the run was last heard of, a call of the run's function at place `function`.
    pub(crate) fn of(function: usize, line: Option<u32>, call: &Call) -> Stopped {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Process {
    /// The highest RSS of the process's life, as far as the kernel or the samples tell.
    pub peak_rss: u64,
    /// RSS just before the first annotated call.
    pub baseline_rss: u64,
}

/// How well the sampler thread kept its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct SamplerReport {
    /// Deadlines that fell into annotated calls.
    pub ticks_due: u64,
    /// Deadlines at which a sample was taken.
    pub ticks_taken: u64,
    /// The longest time between two samples while an annotated call was in progress.
    pub longest_gap_ns: u64,
}

/// What the measurement itself cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Overhead {
    /// Exact readings taken by the measured threads.
    pub readings: u64,
    /// What these readings took, in sum; one that took longer than 0.1 ms, because its thread lost
    /// the processor meanwhile, counts as that.
    pub reading_ns: u64,
    /// Processor time of the sampler thread.
    pub sampler_cpu_ns: u64,
    /// Memory that the profiler holds.
    pub profiler_bytes: u64,
}

/// A timestamped reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Sample {
    /// Nanoseconds since the run's start.
    pub t_ns: u64,
    /// RSS in bytes.
    pub rss: u64,
    /// Live heap bytes, where counted.
    pub heap: Option<u64>,
}

/// A timestamped reading during a call, with the line that was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct LineSample {
    /// Nanoseconds since the run's start.
    pub t_ns: u64,
    /// RSS in bytes.
    pub rss: u64,
    /// Live heap bytes, where counted.
    pub heap: Option<u64>,
    /// The function's line that was running; `None` with `lines = false`.
    pub line: Option<u32>,
}

/// Everything about one annotated function.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Profile {
    /// Full path, `demo::inverse`.
    pub name: String,
    /// What `name = "…"` said, otherwise the last part of the path.
    pub label: String,
    /// Source file, as the compiler names it.
    pub file: String,
    /// The line of the function's signature.
    pub line: u32,
    /// Sampling interval.
    pub interval_ns: u64,
    /// How often it was called.
    pub calls: u64,
    /// How many of these calls were ended by a panic.
    pub panics: u64,
    /// How many threads called it.
    pub threads: u64,
    /// Time spent in calls, in sum.
    pub time_ns: u64,
    /// RSS at the entry of the call that `series_call` names.
    pub entry_rss: u64,
    /// RSS at the exit of that call.
    pub exit_rss: u64,
    /// The highest RSS during any call, absolute.
    pub max_rss: u64,
    /// RSS at exit minus RSS at entry (for async functions: while polled), summed over all calls.
    pub net_rss: i64,
    /// The largest rise above its own entry that any call reached.
    pub peak_rss: u64,
    /// Where and when that peak was reached; `None` when no call rose above its entry.
    pub peak_at: Option<PeakAt>,
    /// Heap figures of the calling thread, where counted.
    pub heap: Option<HeapFigures>,
    /// What other threads did on the heap during the calls, whatever for; its `peak` is 0.
    pub heap_elsewhere: Option<HeapFigures>,
    /// The text of the function, for reports: `source_line` is the number of its first line.
    pub source: String,
    /// Number of the first line of `source`.
    pub source_line: u32,
    /// Every executable line in source order, hit or not. Empty with `lines = false`.
    pub lines: Vec<Line>,
    /// How many calls were made but are not listed in `call_records`.
    pub calls_omitted: u64,
    /// Calls in order of their start: the first, the last, and those with the highest peaks.
    pub call_records: Vec<Call>,
    /// Which entry of `call_records` the series shows: the call with the highest peak.
    pub series_call: Option<usize>,
    /// That call's samples at full resolution.
    pub series: Vec<LineSample>,
    /// The expression in `by = …`.
    #[cfg_attr(feature = "report", serde(default))]
    pub by: Option<String>,
    /// What calls had that returned, by the value of `by = …`, ascending; at most 128.
    #[cfg_attr(feature = "report", serde(default))]
    pub sizes: Vec<SizeFigures>,
    /// By which laws its figures grow with `by = …`, and the peaks of the lines that have most.
    #[cfg_attr(feature = "report", serde(default))]
    pub growth: Vec<FigureGrowth>,
    /// The most that a single call took. Known where a baseline is saved or checked
    /// (`MEMPROF_BASELINE`), which has every call read by itself.
    #[cfg_attr(feature = "report", serde(default))]
    pub call_maxima: Option<CallMaxima>,
}

/// How a figure grows with the value of `by = …`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct FigureGrowth {
    /// Which figure.
    pub figure: SizedFigure,
    /// Of which line of the function; `None` for the function as a whole.
    pub line: Option<u32>,
    /// What its values tell of the law.
    pub growth: Growth,
}

/// A figure of [`SizeFigures`] or [`LineAtSize`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "report", serde(rename_all = "snake_case"))]
pub enum SizedFigure {
    /// `peak_rss`
    PeakRss,
    /// `net_rss`
    NetRss,
    /// `heap.peak`
    HeapPeak,
    /// `time_ns`
    TimeNs,
}

/// The most that single calls of a function took: of each figure the highest, whichever call it was.
///
/// Unlike sums they do not depend on how often the function was called.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct CallMaxima {
    /// How many calls returned.
    pub calls: u64,
    /// How many of them ran while others worked on the process's memory, with more than 256 KiB: their
    /// RSS may be others'.
    pub shared: u64,
    /// The highest rise of RSS above that at the entry.
    pub peak_rss: u64,
    /// Heap figures of the calling thread, where counted.
    pub heap: Option<HeapFigures>,
    /// The same for each line.
    pub lines: Vec<LineAtSize>,
}

/// What the calls of one size had: of memory the highest, of time the shortest.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct SizeFigures {
    /// The size, the value of `by = …`.
    pub n: f64,
    /// How many calls.
    pub calls: u64,
    /// The highest rise of RSS above that at the entry.
    pub peak_rss: u64,
    /// RSS at the exit less that at the entry.
    pub net_rss: i64,
    /// Duration.
    pub time_ns: u64,
    /// Heap figures of the calling thread, where counted.
    pub heap: Option<HeapFigures>,
    /// The same for each line.
    pub lines: Vec<LineAtSize>,
}

/// What one line had in the calls of one size, or in all.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct LineAtSize {
    /// Line number in the source file.
    pub line: u32,
    /// The largest rise of RSS in a single hit.
    pub peak_rss: u64,
    /// The sum of its changes of RSS in a call.
    pub net_rss: i64,
    /// The sum of its time in a call.
    pub time_ns: u64,
    /// Heap figures, where counted.
    pub heap: Option<HeapFigures>,
}

/// When a peak was reached: the kernel tells its height exactly, and its time to the interval
/// between two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct PeakAt {
    /// Start of the interval.
    pub from_ns: u64,
    /// End of the interval.
    pub to_ns: u64,
    /// The highest RSS in it, absolute bytes.
    pub rss: u64,
    /// The line that was running.
    pub line: Option<u32>,
}

/// One source line of a function.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Line {
    /// Line number in the source file.
    pub line: u32,
    /// The line's text.
    pub source: String,
    /// How often it was executed; exact.
    pub hits: u64,
    /// How many of these hits ended with a reading of their own. Fewer than `hits`: measured in part.
    pub readings: u64,
    /// Time spent in the line, in sum.
    pub time_ns: u64,
    /// The largest RSS at the end of a hit; `None` when never measured.
    pub max_rss: Option<u64>,
    /// Sum of the signed changes of RSS.
    pub net_rss: i64,
    /// The largest rise above its start that any hit reached.
    pub peak_rss: u64,
    /// How many of the sampler's samples found this line running.
    pub samples: u64,
    /// How many of its measured changes of RSS may be shared: other annotated calls, or other
    /// threads that allocated or touched new memory, ran meanwhile.
    pub shared: u64,
    /// Heap figures of the calling thread, where counted.
    pub heap: Option<HeapFigures>,
    /// What other threads did on the heap while the line ran, whatever for; its `peak` is 0, since
    /// theirs is not known.
    pub heap_elsewhere: Option<HeapFigures>,
    /// What closures of this line did on other threads.
    pub workers: Option<Workers>,
    /// What became of the blocks that the line allocated, on whatever thread it ran; `None` where they
    /// are not followed.
    #[cfg_attr(feature = "report", serde(default))]
    pub origins: Option<Origins>,
}

/// What became of the blocks that a line allocated. A block that is reallocated belongs to the line that
/// resized it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Origins {
    /// Bytes of those that were alive when the run ended (or was taken).
    pub alive_bytes: u64,
    /// Their number.
    pub alive_blocks: u64,
    /// Bytes of those that were alive when the call that had allocated them ended, summed over the
    /// calls: what it returned or handed on, or leaked.
    pub alive_after_call_bytes: u64,
    /// Their number.
    pub alive_after_call_blocks: u64,
    /// Bytes of those that their thread freed before it allocated anything else.
    pub passing_bytes: u64,
    /// Their number.
    pub passing_blocks: u64,
    /// How often a block of this line was given another size, as a growing `Vec` is.
    pub resized: u64,
}

/// Heap figures of a line or a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct HeapFigures {
    /// Bytes allocated.
    pub allocated: u64,
    /// Bytes freed.
    pub freed: u64,
    /// Allocated minus freed.
    pub net: i64,
    /// The largest rise of live heap bytes above the start.
    pub peak: u64,
    /// Number of allocations.
    pub allocations: u64,
}

/// What a closure's line did on threads other than the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Workers {
    /// How often it was executed.
    pub hits: u64,
    /// Time, summed over the threads.
    pub time_ns: u64,
    /// Heap figures, where counted.
    pub heap: Option<HeapFigures>,
}

/// One execution of an annotated function.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Call {
    /// When it was entered.
    pub start_ns: u64,
    /// When it was left (or, with [`Outcome::Running`], when it was last seen).
    pub end_ns: u64,
    /// How long it was suspended in between: always 0 but for async functions, which are measured
    /// while they are polled.
    pub suspended_ns: u64,
    /// Number of the thread, counted from 1 in the order in which threads first made an annotated call.
    pub thread: u64,
    /// How many annotated calls of the same thread were in progress around it.
    pub depth: u32,
    /// The value of `by = …`.
    #[cfg_attr(feature = "report", serde(serialize_with = "finite"))]
    pub by: Option<f64>,
    /// How it ended.
    pub outcome: Outcome,
    /// RSS at entry.
    pub entry_rss: u64,
    /// RSS at exit.
    pub exit_rss: u64,
    /// The highest rise above `entry_rss`.
    pub peak_rss: u64,
    /// `exit_rss` minus `entry_rss`, less `suspended_rss`.
    pub net_rss: i64,
    /// By how much RSS changed while it was suspended: not its doing.
    pub suspended_rss: i64,
}

/// JSON has no infinity, and nothing that is not a number.
#[cfg(feature = "report")]
fn finite<S: serde::Serializer>(by: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    by.filter(|by| by.is_finite()).serialize(serializer)
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "report", serde(rename_all = "lowercase"))]
pub enum Outcome {
    /// It came back to its caller, by `return`, `?` or its last expression.
    Returned,
    /// A panic went through it.
    Panicked,
    /// Its future was dropped before it had come to its end.
    Cancelled,
    /// It was still in progress when the run was taken.
    Running,
}
