//! What was recorded of one annotated function: its totals, its lines and its calls.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::figures::{HeapFigures, LineSample};
use crate::sized::{CallMaxima, FigureGrowth, SizeFigures};

/// Everything about one annotated function.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct FunctionProfile {
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
    /// By how much RSS rose at the most between two readings of a thread, while calls ran that were not read.
    #[cfg_attr(feature = "serde", serde(default))]
    pub unread_rise: Option<UnreadRise>,
    /// The part of `net_rss` that no annotated callee took: the sum over its lines and groups.
    #[cfg_attr(feature = "serde", serde(default))]
    pub self_net_rss: i64,
    /// Heap figures of the calling thread, where counted. Calls inside of calls of the same function count
    /// once.
    pub heap: Option<HeapFigures>,
    /// The part of `heap` that no annotated callee did. Its `peak` is the highest rise of the thread's live
    /// bytes above a call's entry, less what callees of that call had kept.
    #[cfg_attr(feature = "serde", serde(default))]
    pub self_heap: Option<HeapFigures>,
    /// What other threads did on the heap during the calls, whatever for; its `peak` is 0.
    pub heap_elsewhere: Option<HeapFigures>,
    /// The text of the function, for reports: `source_line` is the number of its first line.
    pub source: String,
    /// Number of the first line of `source`.
    pub source_line: u32,
    /// Every executable line in source order, hit or not. Empty with `lines = false`.
    pub lines: Vec<Line>,
    /// Lines whose change of RSS was read together only; disjoint. [`Line::group`] points into it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub groups: Vec<LineGroup>,
    /// How the calls are spread, where there were several.
    #[cfg_attr(feature = "serde", serde(default))]
    pub spread: Option<CallSpread>,
    /// How many of the calls are suspended: futures between two polls.
    #[cfg_attr(feature = "serde", serde(default))]
    pub suspended: u64,
    /// Heap bytes that these allocated and did not free while they were polled; 0 where not counted.
    #[cfg_attr(feature = "serde", serde(default))]
    pub suspended_heap: i64,
    /// How many calls were made but are not listed in `call_records`.
    pub calls_omitted: u64,
    /// Calls in order of their start: the first, the last, and the highest ([`Call::height`]).
    pub call_records: Vec<Call>,
    /// Which entry of `call_records` the series shows: the highest of the calls that were read at their entry.
    pub series_call: Option<usize>,
    /// That call's samples at full resolution.
    pub series: Vec<LineSample>,
    /// The expression in `by = …`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub by: Option<String>,
    /// What calls had that returned, by the value of `by = …`, ascending; at most 128.
    #[cfg_attr(feature = "serde", serde(default))]
    pub sizes: Vec<SizeFigures>,
    /// By which laws its figures grow with `by = …`, and the peaks of the lines that have most.
    #[cfg_attr(feature = "serde", serde(default))]
    pub growth: Vec<FigureGrowth>,
    /// The most that a single call took. Known where a baseline is saved or checked
    /// (`MEMPROF_BASELINE`), which has every call read by itself.
    #[cfg_attr(feature = "serde", serde(default))]
    pub call_maxima: Option<CallMaxima>,
}

/// When a peak was reached: the kernel tells its height exactly, and its time to the interval
/// between two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
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

/// By how much a thread raised RSS between two readings, while calls of a function ran on it that were not read: in
/// one of them, in several, or in what ran beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct UnreadRise {
    /// The first of the two readings.
    pub from_ns: u64,
    /// The second one.
    pub to_ns: u64,
    /// By how much it was higher between them than at the first, as far as that is the thread's own.
    pub rise: u64,
    /// How many calls of the function began between them.
    pub calls: u64,
}

/// Lines between which nothing was read: what changed meanwhile belongs to all of them together. The figures of
/// a group are in no line's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct LineGroup {
    /// Sum of the signed changes of RSS.
    pub net_rss: i64,
    /// The part of `net_rss` that no annotated callee took.
    pub self_net_rss: i64,
    /// The largest rise of RSS between two readings.
    pub peak_rss: u64,
    /// How many changes were booked on the group.
    pub readings: u64,
}

/// How the calls of a function are spread. Quantiles are those of a histogram whose buckets are 2^(1/4) apart:
/// at most 19% too high. The highest are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct CallSpread {
    /// Heap bytes that a call allocated, where counted.
    pub allocated: Option<Quantiles>,
    /// The heap peak of a call, where counted.
    pub heap_peak: Option<Quantiles>,
    /// The rise of RSS of a call, of those that began and ended with a reading.
    pub peak_rss: Option<Quantiles>,
    /// The time of a call in nanoseconds, of those that began and ended with a reading.
    pub time_ns: Option<Quantiles>,
}

/// Quantiles of a figure over calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Quantiles {
    /// How many calls the figure is known of.
    pub calls: u64,
    /// Half of the calls had at most this.
    pub p50: u64,
    /// 95% of the calls had at most this.
    pub p95: u64,
    /// 99% of the calls had at most this.
    pub p99: u64,
    /// The highest; exact.
    pub max: u64,
}

/// One source line of a function.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
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
    /// Sum of the signed changes of RSS that are the line's alone. What was read together with other lines is
    /// in its group.
    pub net_rss: i64,
    /// The part of `net_rss` that no annotated callee took.
    #[cfg_attr(feature = "serde", serde(default))]
    pub self_net_rss: i64,
    /// The group to whose figures the line adds, as a place in [`FunctionProfile::groups`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub group: Option<usize>,
    /// The largest rise above its start that any hit reached.
    pub peak_rss: u64,
    /// How many of the sampler's samples found this line running.
    pub samples: u64,
    /// How many of its measured changes of RSS were divided between its thread and others by an estimate, because
    /// page faults and frees did not tell who did what.
    pub shared: u64,
    /// Heap figures of the calling thread, where counted. What a call of the same function did inside of the
    /// line is in that call's lines.
    pub heap: Option<HeapFigures>,
    /// The part of `heap` that no annotated callee did. Its `peak` is the highest rise above a call's entry,
    /// less what callees had kept, that the line's own allocations met.
    #[cfg_attr(feature = "serde", serde(default))]
    pub self_heap: Option<HeapFigures>,
    /// How many suspended calls stand at this line: at its `.await`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub suspended: u64,
    /// Heap bytes that these allocated and did not free while they were polled, on whatever line; 0 where not
    /// counted.
    #[cfg_attr(feature = "serde", serde(default))]
    pub suspended_heap: i64,
    /// What other threads did on the heap while the line ran, whatever for; its `peak` is 0, since
    /// theirs is not known.
    pub heap_elsewhere: Option<HeapFigures>,
    /// What closures of this line did on other threads.
    pub workers: Option<Workers>,
    /// What became of the blocks that the line allocated, on whatever thread it ran; `None` where they
    /// are not followed.
    #[cfg_attr(feature = "serde", serde(default))]
    pub origins: Option<Origins>,
}

/// What became of the blocks that a line allocated. A block that is reallocated belongs to the line that
/// resized it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
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

/// What a closure's line did on threads other than the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Workers {
    /// How often it was executed.
    pub hits: u64,
    /// Time, summed over the threads.
    pub time_ns: u64,
    /// Heap figures, where counted.
    pub heap: Option<HeapFigures>,
}

/// One execution of an annotated function.
///
/// Of a call that was only counted ([`Call::only_counted`]) nothing is known of RSS: all these fields are 0.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Call {
    /// When it was entered. If it was not read then but later: its first reading, from which on RSS is known.
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
    #[cfg_attr(feature = "serde", serde(serialize_with = "finite"))]
    pub by: Option<f64>,
    /// How it ended.
    pub outcome: Outcome,
    /// RSS at `start_ns`.
    pub entry_rss: u64,
    /// RSS at exit.
    pub exit_rss: u64,
    /// The highest rise of its own part above `entry_rss`.
    pub peak_rss: u64,
    /// `exit_rss` minus `entry_rss`, less `suspended_rss` and `others_rss`: what its thread did.
    pub net_rss: i64,
    /// By how much RSS changed while it was suspended: not its doing.
    pub suspended_rss: i64,
    /// By how much other threads changed RSS while it ran.
    #[cfg_attr(feature = "serde", serde(default))]
    pub others_rss: i64,
    /// What it did on the heap, where counted. Of a future: while it was polled.
    #[cfg_attr(feature = "serde", serde(default))]
    pub heap: Option<HeapFigures>,
    /// Whether it was never read, and is kept for its heap peak. It ran at some time between `start_ns` and
    /// `end_ns`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub only_counted: bool,
}

impl Call {
    /// By what calls of a function are ranked: the heap peak where the heap is counted, otherwise the peak of
    /// RSS.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.heap.map_or(self.peak_rss, |heap| heap.peak)
    }

    /// Its height, and between calls of one height the peak of RSS.
    #[doc(hidden)]
    #[must_use]
    pub fn rank(&self) -> (u64, u64) {
        (self.height(), self.peak_rss)
    }
}

impl FunctionProfile {
    /// The calls in `call_records` whose times and RSS are known: all but those that were only counted.
    pub fn read_calls(&self) -> impl Iterator<Item = &Call> + Clone {
        self.call_records.iter().filter(|call| !call.only_counted)
    }

    /// The highest of `call_records` by [`Call::height`].
    #[must_use]
    pub fn highest_call(&self) -> Option<&Call> {
        let calls = self.call_records.iter();
        calls.reduce(|highest, call| match call.rank() > highest.rank() {
            true => call,
            false => highest,
        })
    }
}

/// JSON has no infinity, and nothing that is not a number.
#[cfg(feature = "serde")]
fn finite<S: serde::Serializer>(by: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    by.filter(|by| by.is_finite()).serialize(serializer)
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Outcome {
    /// It came back to its caller, by `return`, `?` or its last expression.
    Returned,
    /// A panic went through it.
    Panicked,
    /// Its future was dropped before it had come to its end.
    Cancelled,
    /// It was still in progress when the run was taken.
    #[default]
    Running,
}

impl Outcome {
    /// In words, about "it", where the call did not return: `"it was cancelled"`.
    #[must_use]
    pub fn words(self) -> Option<&'static str> {
        match self {
            Outcome::Returned | Outcome::Running => None,
            Outcome::Panicked => Some("it was ended by a panic, which goes on"),
            Outcome::Cancelled => Some("it was cancelled"),
        }
    }
}

/// A line of the function that never ran, which needs no record. Its blocks are `followed` or not.
pub fn untouched(profile: &FunctionProfile, number: u32, followed: bool) -> Line {
    Line {
        line: number,
        heap: profile.heap.map(|_| HeapFigures::default()),
        self_heap: profile.self_heap.map(|_| HeapFigures::default()),
        heap_elsewhere: profile.heap_elsewhere.map(|_| HeapFigures::default()),
        origins: followed.then(Origins::default),
        ..Line::default()
    }
}
