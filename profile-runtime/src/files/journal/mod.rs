//! The journal: what is written while the program runs, so that it is not lost when the program is killed.
//!
//! The journal is the run's `mprofile.dat`. mprof can read it at any moment; what mprof does not know is in records of
//! our own ([`records`]). An entry holds the figures that have changed since the last entry, as they are by then, and
//! the last figures count. So a journal that has grown too long can be replaced by a short one.
//!
//! At the end of the program the finished run takes the journal's place. A journal that is found later, and whose
//! process is gone, belongs to a program that was killed.

mod file;
mod pages;
mod records;
#[cfg(test)]
mod round_trip;

use std::hint::black_box;
use std::io;
use std::path::Path;

use self::file::{Draft, JournalFile};
use self::records::Records;
use crate::snapshot::progress::{FunctionProgress, Progress};
use memprof_model::data;
use memprof_model::internal::{thinned, untouched};
use memprof_model::run::{Call, FunctionProfile, Line, Run, Sample};
use memprof_report::ReportError;
use memprof_report::internal::mprof::{Clock, command_line};
use memprof_report::internal::owner::{FILE, Owner};

/// A journal is replaced when it is this long, or twice as long as when it was new, whichever is longer.
const LONG: u64 = 2 << 20;

/// The most samples in an entry; of more, the extremes are kept.
const SAMPLES: usize = 128;
/// The most ended calls in an entry.
const CALLS: usize = 64;
/// [`CALLS`] for the first entry of a journal.
const CALLS_OF_NEW: usize = 4_000;
/// The most calls in progress in an entry.
const OPEN: usize = 256;
/// Bytes that are made resident for the text of an entry.
const TEXT: usize = 64 << 10;
/// Bytes of each block that the allocator is made to hold for entries. A larger block would be given back to the
/// system when it is freed.
const SPARE: usize = 96 << 10;
/// How many such blocks.
const SPARES: usize = 4;
/// The most bytes of source text in a journal. What does not fit is missing in a recovered report.
const SOURCES: usize = 4 << 20;

/// This process's journal.
#[derive(Debug)]
pub(crate) struct Journal {
    /// What never changes about the run: program, command, start.
    run: Run,
    clock: Clock,
    file: Option<JournalFile>,
    /// The new file that an entry is written to, until it is whole.
    draft: Option<Draft>,
    /// The length at which the file is to be replaced.
    limit: u64,
    records: Records,
    /// By the function's number: what the file says of the function.
    written: Vec<Option<Written>>,
    /// Samples up to here are in the file.
    samples_to_ns: Option<u64>,
    /// Bytes of source text in the file.
    sources: usize,
    /// Whether its file is among the program's.
    is_among_the_programs: bool,
    /// See [`room_that_stays`].
    pin: Option<Box<[u8]>>,
}

/// What the file says of a function.
#[derive(Debug)]
struct Written {
    profile: FunctionProfile,
    lines: Vec<Line>,
    /// How many of its calls had ended.
    ended: u64,
}

impl Journal {
    /// A journal that has no file yet. `run`: what never changes about this process's run.
    ///
    /// # Errors
    /// When `run` has no start that can be read.
    pub(crate) fn new(run: Run) -> Result<Journal, ReportError> {
        Ok(Journal {
            clock: Clock::new(&run.started)?,
            run,
            file: None,
            draft: None,
            limit: LONG,
            records: Records::default(),
            written: Vec::new(),
            samples_to_ns: None,
            sources: 0,
            is_among_the_programs: false,
            pin: None,
        })
    }

    /// The journal of a thread that shares the program's descriptors.
    pub(crate) fn among_the_programs_files(mut self) -> Journal {
        self.is_among_the_programs = true;
        self
    }

    /// Makes an entry and forgets it, so that the code and memory that an entry needs are there before the program's
    /// lines are measured.
    pub(crate) fn warm_up(&mut self, figures: &Progress) {
        self.head();
        self.body(figures);
        JournalFile::warm_up();
        self.pin = Some(room_that_stays());
        // The pages of the largest usual text.
        self.records.pages.begin_at(0);
        self.records.pages.touch(TEXT);
        self.begin_anew();
    }

    /// The next entry begins a new file.
    fn begin_anew(&mut self) {
        self.file = None;
        self.written.clear();
        self.samples_to_ns = None;
        self.sources = 0;
    }

    /// This process's run, without figures.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// The moment after which samples are not in the file yet; `None` before the first.
    ///
    /// Asks the system whether the file is still there and ours; if not, the next entry begins a new one.
    pub(crate) fn wants_samples_since(&mut self) -> Option<u64> {
        let keeps = self
            .file
            .as_mut()
            .is_some_and(|file| file.is_ours() && file.length() < self.limit);
        if !keeps {
            self.begin_anew();
        }
        self.samples_to_ns
    }

    /// Writes an entry, what has changed, into the journal in `folder`. Gives the bytes written.
    ///
    /// # Errors
    /// When the entry cannot be written. Earlier entries stay in the file; the next entry begins a new one.
    pub(crate) fn write(&mut self, folder: &Path, figures: &Progress) -> io::Result<u64> {
        let written = self.try_write(folder, figures);
        if written.is_err() {
            self.file = None;
        }
        written
    }

    fn try_write(&mut self, folder: &Path, figures: &Progress) -> io::Result<u64> {
        let length = self.file.as_ref().map_or(0, JournalFile::length);
        self.records.pages.begin_at(length);
        if self.file.is_none() {
            self.draft = Some(Draft::begin(folder)?);
            self.head();
        }
        self.body(figures);
        let text = self.records.pages.text();
        let Some(mut draft) = self.draft.take() else {
            let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
            file.append(text)?;
            return Ok(text.len() as u64);
        };
        draft.add(text);
        let mut file = draft.put_at(&folder.join(FILE))?;
        if self.is_among_the_programs {
            file.get_out_of_the_way();
        }
        let length = file.length();
        self.limit = LONG.max(2 * length);
        self.file = Some(file);
        Ok(length)
    }

    /// Writes what there is of a new file, once it is some pages: a new file may be long.
    fn relieve(&mut self) {
        let text = self.records.pages.text();
        if let Some(draft) = &mut self.draft
            && text.len() >= TEXT / 2
        {
            draft.add(text);
            self.records.pages.begin_at(draft.length());
        }
    }

    /// Lets go of the file, for the finished run to take its place.
    pub(crate) fn close(&mut self) {
        if self.file.as_mut().is_some_and(JournalFile::is_ours) {
            self.file = None;
        }
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let lines: usize = self
            .written
            .iter()
            .flatten()
            .map(|function| function.lines.len())
            .sum();
        let written =
            self.written.capacity() * size_of::<Option<Written>>() + lines * size_of::<Line>();
        let spare = self.pin.as_ref().map_or(0, |_| SPARES * SPARE);
        self.records.pages.bytes() + (written + spare) as u64
    }

    /// The records at the top of a new file.
    fn head(&mut self) {
        let mut command = format!("CMDLINE {}", command_line(&self.run));
        pages::cut(&mut command, pages::LONGEST);
        self.records.plain(&command);
        self.records.json("journal", "", &Owner::this());
        self.records.json("command", "", &self.run.command);
    }

    /// The records of an entry.
    fn body(&mut self, figures: &Progress) {
        let changed = figures
            .functions
            .iter()
            .filter(|function| !function.calls.is_empty());
        let most = if self.file.is_none() {
            CALLS_OF_NEW
        } else {
            CALLS
        };
        let share = (most / changed.count().max(1)).max(4);
        let ended: Vec<(&FunctionProgress, Vec<&Call>)> = figures
            .functions
            .iter()
            .map(|function| (function, highest(&function.calls, share)))
            .collect();
        self.samples(figures, &ended);
        for (function, calls) in &ended {
            for call in calls {
                self.records
                    .call(&self.clock, function.id, &function.profile.name, call);
                self.relieve();
            }
            self.function(function, figures.run.origins.is_some());
        }
        let running = figures.functions.iter().flat_map(|function| {
            let running = function.running.iter();
            running.map(|(call, line)| (function.id, *line, call))
        });
        for (id, line, call) in running.take(OPEN) {
            self.records.open(id, line, call);
        }
        let suspended = figures.functions.iter();
        let suspended =
            suspended.filter_map(|function| Some((function.id, function.suspended.as_ref()?)));
        for (id, call) in suspended.take(OPEN) {
            self.records.suspended(id, call);
        }
        self.records.commit(&data!(Run {
            program: self.run.program.clone(),
            started: self.run.started.clone(),
            ..figures.run.clone()
        }));
    }

    /// How many ended calls the file has counted, of the function with this number.
    pub(crate) fn ended(&self, id: usize) -> u64 {
        let written = self.written.get(id).and_then(Option::as_ref);
        written.map_or(0, |before| before.ended)
    }

    /// Samples, and the memory at the ends of calls, in their order.
    fn samples(&mut self, figures: &Progress, ended: &[(&FunctionProgress, Vec<&Call>)]) {
        let since = self.samples_to_ns;
        let at = |t_ns, rss| {
            data!(Sample {
                t_ns,
                rss,
                heap: None,
            })
        };
        let mut samples = thinned(&figures.samples, SAMPLES);
        let ended = ended.iter().flat_map(|(_, calls)| calls.iter().copied());
        for call in ended.filter(|call| !call.only_counted) {
            if Some(call.start_ns) > since {
                samples.push(at(call.start_ns, call.entry_rss));
            }
            // Written even where later samples are in the file: mprof wants memory in every call's time.
            samples.push(at(call.end_ns, call.exit_rss));
        }
        samples.push(figures.now);
        samples.sort_unstable_by_key(|sample| (sample.t_ns, sample.heap.is_none()));
        samples.dedup_by_key(|sample| sample.t_ns);
        for &sample in &samples {
            self.records.sample(&self.clock, sample);
            self.relieve();
        }
        self.samples_to_ns = since.max(samples.last().map(|sample| sample.t_ns));
    }

    /// What has changed about a function. `followed`: whether blocks are followed.
    fn function(&mut self, function: &FunctionProgress, followed: bool) {
        let id = function.id;
        if self.written.len() <= id {
            self.written.resize_with(id + 1, || None);
        }
        let mut profile = function.profile.clone();
        let lines = std::mem::take(&mut profile.lines);
        let written = self.written[id].take();
        if written.is_none() {
            self.sources += function.source.len();
            if self.sources <= SOURCES {
                self.records.source(id, function.source);
            }
            let numbers: Vec<u32> = lines.iter().map(|line| line.line).collect();
            self.records.json("lines", &id.to_string(), &numbers);
        }
        if written
            .as_ref()
            .is_none_or(|before| before.profile != profile)
        {
            self.records.function(id, &profile);
        }
        for (at, line) in lines.iter().enumerate() {
            let before = written.as_ref().and_then(|written| written.lines.get(at));
            let changed = match before {
                Some(before) => before != line,
                None => *line != untouched(&profile, line.line, followed),
            };
            if changed {
                self.records.line(id, at, line);
                self.relieve();
            }
        }
        self.written[id] = Some(Written {
            profile,
            lines,
            ended: function.ended,
        });
    }
}

/// Makes the allocator hold memory for entries, so that none of its pages come and go while the program's lines are
/// measured. The allocator gives free memory back from its upper end only, and the small block that this returns lies
/// there.
fn room_that_stays() -> Box<[u8]> {
    let spares: Vec<Vec<u8>> = (0..SPARES).map(|_| vec![1; SPARE]).collect();
    let pin = black_box(vec![1; 64].into_boxed_slice());
    drop(black_box(spares));
    pin
}

/// The highest calls, `most` of them, in the order in which they ended.
fn highest(calls: &[Call], most: usize) -> Vec<&Call> {
    let mut calls: Vec<&Call> = calls.iter().collect();
    if calls.len() > most {
        calls.sort_by_key(|call| std::cmp::Reverse(call.rank()));
        calls.truncate(most);
        calls.sort_by_key(|call| call.end_ns);
    }
    calls
}
