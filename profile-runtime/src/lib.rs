//! One attribute on a function tells what its memory did: over time, and line by line.
//!
//! ```
//! use memprof::profile_memory;
//!
//! #[profile_memory]
//! fn lengths(text: &str) -> Vec<usize> {
//!     let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
//!     let mut lengths: Vec<usize> = words.iter().map(String::len).collect();
//!     lengths.sort_unstable();
//!     lengths
//! }
//!
//! fn main() {
//! #   memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
//!     let text = "one attribute tells what memory did ".repeat(10_000);
//!     assert_eq!(lengths(&text).len(), 60_000);
//! }
//! ```
//!
//! When the program ends it prints a summary on stderr and writes its reports to `target/memprof`: an
//! HTML page, a chart (SVG) and a line table (text) for each function, and everything as data. This is
//! the line table, with a text of 1.2 million words:
//!
//! ```text
//! line  hits  time ms  RSS MiB  net MiB  peak MiB  source
//! ───────────────────────────────────────────────────────
//!    4                                             fn lengths(text: &str) -> Vec<usize> {
//!    5     1  103.3      74.25  +63.09     63.09       let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
//!    6     1    9.606    83.41   +9.156     9.156      let mut lengths: Vec<usize> = words.iter().map(String::len).collect();
//!    7     1    2.483    83.41                         lengths.sort_unstable();
//!    8     1    0.005    83.41                         lengths
//!    9     1   26.17     55.94  -27.47             }
//! ```
//!
//! Line 9 is the closing brace, where `words` is dropped. It gives back 27 of the 63 MiB; the rest
//! stays with the allocator. See [what RSS is](#what-rss-is-and-what-it-is-not).
//!
//! # What is measured
//!
//! The *RSS* (resident set size) of the process: the memory that it has in RAM, in bytes. A *call* is
//! one execution of a profiled function, a *hit* one execution of a line.
//!
//! | of a line | |
//! |---|---|
//! | hits | how often it ran; exact |
//! | time | in sum; what it called is included |
//! | RSS | the largest RSS at the end of a hit |
//! | net | the sum of its changes of RSS, signed; over all lines it is the net of the calls |
//! | peak | the largest rise above its own start in a single hit, temporaries included |
//!
//! RSS is read when a line begins and ends. In between, Linux keeps a high-water mark, which memprof
//! resets and reads around every line: a temporary is in the peak, however short it lived. The
//! [sampling interval](profile_memory#interval_ms--10) is for the chart alone.
//!
//! Every statement, in every nested block, has the line that it starts on; so has a `match` arm, a
//! loop's header, and the closing brace of a block, where its variables are dropped.
//! [`profile_memory`] tells the details.
//!
//! # What can be profiled
//!
//! Functions and methods of every kind but `const fn`. On an `impl` block, a trait or an inline module
//! the attribute goes to every function inside; `#[memprof(skip)]` leaves one out, or the inside of a
//! statement. The function does what it did before.
//!
//! ```
//! use memprof::profile_memory;
//!
//! struct Cache {
//!     pages: Vec<Vec<u8>>,
//! }
//!
//! #[profile_memory(interval_ms = 1)]
//! impl Cache {
//!     fn fill(&mut self, pages: usize) {
//!         for _ in 0..pages {
//!             self.pages.push(vec![0; 4096]);
//!         }
//!     }
//!
//!     #[memprof(skip)]
//!     fn len(&self) -> usize {
//!         self.pages.len()
//!     }
//! }
//! # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
//!
//! let mut cache = Cache { pages: Vec::new() };
//! cache.fill(100);
//! assert_eq!(cache.len(), 100);
//! ```
//!
//! **Async functions** are measured while they are polled, on whatever thread that is. **Closures** and
//! async blocks of several lines have rows of their own in the function's table. What they do on other
//! threads than the caller's is counted apart ([`run::Workers`]).
//!
//! A region of a function is profiled like a function of its own by [`block!`]. It cannot go around an
//! `.await`.
//!
//! ```
//! # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
//! let sum: u64 = memprof::block!("sum", {
//!     let numbers: Vec<u64> = (1..=1_000).collect();
//!     numbers.iter().sum()
//! });
//! assert_eq!(sum, 500_500);
//! ```
//!
//! # Without a report
//!
//! [`memory_usage`] runs a closure once and gives back its value, samples over time, and the peak:
//!
//! ```
//! use std::time::Duration;
//!
//! let usage = memprof::memory_usage(Duration::from_millis(10), || vec![1_u8; 8 << 20]);
//! assert_eq!(usage.value.len(), 8 << 20);
//! println!("{} bytes at most", usage.peak - usage.baseline);
//! ```
//!
//! [`snapshot`] gives the run so far as data. So memory can be a matter of tests:
//!
//! ```
//! #[memprof::profile_memory]
//! fn sorted(words: &[String]) -> Vec<String> {
//!     let mut words = words.to_vec();
//!     words.sort();
//!     words
//! }
//!
//! # memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
//! let words: Vec<String> = (0..10_000_u64).map(|n| n.to_string()).collect();
//! assert!(!sorted(&words).is_empty());
//!
//! let run = memprof::snapshot().expect("a call was made");
//! let sorted = &run.functions[0];
//! assert_eq!(sorted.calls, 1);
//! assert!(sorted.peak_rss < 16 << 20, "{} bytes", sorted.peak_rss);
//! ```
//!
//! RSS moves in pages and by the habits of the allocator, so such a test wants a margin. Heap bytes do
//! not:
//!
//! # Heap bytes
//!
//! With the feature `counting`, memprof counts what every line allocates and frees, to the byte. The
//! feature installs a [`CountingAllocator`] around the system's allocator. A program that has another
//! allocator leaves the feature off and puts the counting one around its own; so does one that wants
//! [origins](CountingAllocator::with_origins).
//!
//! ```standalone_crate
//! use memprof::{CountingAllocator, profile_memory};
//!
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator = CountingAllocator::system();
//!
//! #[profile_memory]
//! fn squares(n: usize) -> Vec<usize> {
//!     let all: Vec<usize> = (0..n).map(|i| i * i).collect();
//!     all.iter().copied().filter(|square| square % 2 == 0).collect()
//! }
//!
//! fn main() {
//! #   memprof::Settings::new().dir(std::env::temp_dir().join("memprof-doc")).quiet(true).apply().unwrap();
//!     let kept = squares(1_000);
//!     let run = memprof::snapshot().expect("a call was made");
//!     let heap = run.functions[0].heap.expect("it is counted");
//!     assert_eq!(heap.net as usize, kept.capacity() * size_of::<usize>());
//! }
//! ```
//!
//! # Tests that fail when memory grows
//!
//! - **Limits**: `#[profile_memory(max_heap_peak = "64 KiB")]` has a call that takes more panic when it
//!   returns, with the lines that took most. [`assert_memory!`] does the same for an expression.
//! - **A baseline**: `MEMPROF_BASELINE=save cargo test` keeps what functions take in a file of the repository,
//!   and `MEMPROF_BASELINE=check cargo test` fails where one takes more. The same as data is `Baseline`.
//! - **Growth**: with `by = n` the report tells by which law memory grows with `n`, and
//!   `max_growth = "n^1.5"` limits it ([`growth`]).
//!
//! # Reports
//!
//! They are written when `main` returns or panics, and by [`std::process::exit`]; [`write_reports`]
//! writes them at any other moment.
//!
//! A program that is killed, runs out of memory, aborts or overflows its stack writes nothing at its end.
//! What it had recorded is in its run's `mprofile.dat` all the same, about half a second behind: that
//! file is written while the program runs. The next program that writes its reports to the same place,
//! or [`recover`], makes the reports of it, with the line that each thread was at ([`run::Run::stopped`]).
//! When a control group's, the address space's or the machine's memory is about to run out, it is written
//! at once and much more often, and the reports tell the first such moment ([`run::Run::low_memory_ns`]),
//! also those of a program that gets by.
//! What lives shorter than 0.1 s leaves nothing, and neither does the child of a fork that calls no
//! `exec`: nothing is recorded there.
//!
//! ```text
//! target/memprof/index.html         every run kept here, newest first
//! target/memprof/latest             symbolic link to the newest run
//! target/memprof/<program>-<date>-<time>-<process>/
//!     index.html                    the run
//!     <function>.html .svg .txt     one set for each function
//!     run.json                      everything, as a serialised `run::Run`
//!     mprofile.dat                  for Python's `mprof plot` and `mprof peak`
//! ```
//!
//! # Features
//!
//! - `record`: the attribute records. Without it [`profile_memory`], [`block!`] and [`assert_memory!`]
//!   check their arguments and leave the code as it is: it is compiled to the machine code that it would
//!   be without them. Limits are not checked then, [`snapshot`] is `None`, and [`memory_usage`] does what
//!   it always does. So a library can annotate its functions, with `default-features = false`, and
//!   leave it to the program whether they are recorded.
//! - `report`, on by default, with `record`: the reports, and the module `report`, which turns a saved
//!   [`run::Run`] into the same files and text. With `record` alone there are no dependencies for them:
//!   the program records, and [`snapshot`] hands it the data.
//! - `counting`: installs a [`CountingAllocator`] as the program's global allocator, where the program is
//!   recorded. It is for programs, since a library would choose the allocator of everybody who uses it. The
//!   compiler refuses it in a program with an allocator of its own, and names `CountingAllocator::new`.
//! - `own-allocator`: `counting` installs nothing. For a program that has an allocator of its own, while
//!   something that it depends on asks for `counting`.
//! - `png`, `export`: further formats.
//!
//! # Settings
//!
//! [`Settings`], applied before the first profiled call, or environment variables, which beat them:
//!
//! | variable | |
//! |---|---|
//! | `MEMPROF=0` | records nothing |
//! | `MEMPROF_DIR` | the folder that runs are kept in |
//! | `MEMPROF_INTERVAL_MS` | milliseconds between two samples, for every function |
//! | `MEMPROF_BACKEND` | `statm` (Linux) or `sysinfo`: how RSS is read |
//! | `MEMPROF_PEAK` | `kernel`, or `sampled`: leave the kernel's high-water mark alone |
//! | `MEMPROF_KEEP` | how many runs are kept in that folder (30); 0 keeps all |
//! | `MEMPROF_QUIET=1` | prints no summary |
//! | `MEMPROF_THREADS=0` | starts no thread: readings at lines and calls only ([`Settings::threads`]) |
//! | `MEMPROF_BASELINE` | `save` or `check`: what functions take is kept in the package's `memprof-baseline.json`, and a test program that takes more ends with a failure |
//! | `MEMPROF_BASELINE_FILE` | another file |
//! | `MEMPROF_BASELINE_TOLERANCE` | how much more is allowed, and how much more RSS: `5%, 1 MiB` |
//! | `MEMPROF_EXPORT` | a list of `csv`, `trace`, `pprof`, `markdown`: written beside the reports, with the feature `export` |
//!
//! # What RSS is, and what it is not
//!
//! - Memory that was allocated and not touched is not in RSS: `vec![0; n]` becomes resident page by page,
//!   as it is written to.
//! - Memory that was freed may still be in RSS: the allocator keeps it for the next allocation. With
//!   glibc, `MALLOC_MMAP_THRESHOLD_=131072` in the environment has blocks of 128 KiB and more given back
//!   at once.
//! - RSS is the process's. What other threads do while a line runs is told apart by page faults, and by frees
//!   where the heap is counted. Where that is an estimate, a `*` in the table marks the line
//!   ([`run::Line::shared`]).
//! - The first use of code brings pages of the program itself into RSS, a few dozen KiB.
//!
//! # What it costs and disturbs
//!
//! A probe costs one or two nanoseconds when it only counts its hit, and some microseconds when RSS
//! is read. Readings take 5% of a thread's time at most, and 20 ms at once; on hot paths, where lines take
//! less than some ten microseconds, 0.5% and 1 ms, and for the ends of outermost calls there 1% and 1 ms: a line that runs a million times is measured in part (`~` in
//! the table), its hits stay exact, and the sums still add up.
//! A profiled call without a reading costs about 12 ns; it is counted, and has no duration. Memory is
//! bounded: 1,024 points for each series, 250 calls for each function (10 where many are called
//! often). [`run::Overhead`] tells what the measurement cost in this run.
//!
//! RSS figures are without memprof's own memory: without what its start took, and, with the counting allocator,
//! without its heap. [`run::Overhead`] has both; what the kernel says of the process is larger by as much.
//!
//! On Linux memprof resets the process's high-water mark, so everybody else's reading of it (`VmHWM`,
//! `ru_maxrss`, `/usr/bin/time`) is off. `MEMPROF_PEAK=sampled` leaves it alone; peaks are then the
//! highest samples, as they are on other platforms ([`run::PeakMethod`]). So are those of a second copy of
//! memprof in the process, that of a plugin for example.
//!
//! Peaks are exact to a page where one thread's pages came and went once in a hit. Where they came and
//! went several times, or several threads touched new pages, the kernel's mark is all there is, and since
//! Linux 6.2 it lags by up to 31 pages for each processor and kind of page, anonymous or of a file (more
//! on machines with over 16 processors).
//!
//! [`snapshot`]: fn@snapshot

mod counters;
#[cfg(feature = "report")]
mod files;
mod heap;
mod limits;
mod message;
#[cfg(test)]
mod model_test;
mod os;
mod own_code;
mod probe;
mod process;
mod reading;
mod recorder;
mod recording;
mod settings;
mod site;
mod snapshot;
mod sync;
mod thread;

#[cfg(feature = "report")]
pub use files::finish::write_reports;
pub use heap::CountingAllocator;
pub use memprof_macro::{assert_memory, block, profile_memory};
#[doc(inline)]
pub use memprof_model::{growth, run};
/// Turns a [`run::Run`] into files and text, compares runs, and reads what was saved.
#[cfg(feature = "report")]
#[doc(inline)]
pub use memprof_report as report;
#[cfg(feature = "report")]
pub use memprof_report::{Baseline, live, recover};
pub use os::Backend;
pub use probe::memory_usage::{MemoryUsage, UsageSample, memory_usage};
#[cfg(feature = "report")]
pub use settings::BaselineMode;
pub use settings::{Settings, SettingsError};
pub use snapshot::snapshot;

/// What generated code refers to. Not for use by hand: it may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use crate::probe::frame::{ClosureFrame, Frame, FrameProbe};
    pub use crate::probe::future::{AsyncProbe, never, part, profiled};
    pub use crate::probe::limit_guard::{LimitGuard, within};
    pub use crate::probe::size::{Size, by, size};
    pub use crate::site::annotated::Site;
    pub use crate::site::limits::Limits;
    pub use crate::site::spec::SiteSpec;
    pub use core::any::type_name_of_val as name_of;
}
