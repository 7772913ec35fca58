//! The last line of the terminal while a program runs: its memory now, the peak, and where it is.
//!
//! The line is taken out of the region that scrolls, so that what the program prints does not meet it.
//! It is given back at the end, also when a signal ends us.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use memprof_model::run::Run;
use memprof_report::internal::Names;
use memprof_report::text::{duration, mib_unit, truncate, visible};

use crate::store::at_work;

/// A program writes its journal twice a second.
const PERIOD: Duration = Duration::from_millis(500);
/// In less there would be no room for the program.
const LEAST_ROWS: u16 = 4;

/// The live line of the newest run that is new and whose program is at work.
#[derive(Debug)]
pub(crate) struct LiveLine<'a> {
    root: &'a Path,
    /// Runs that were there before.
    before: &'a HashSet<PathBuf>,
    next: Instant,
    reserved: Option<Size>,
}

/// Columns and rows of the terminal.
type Size = (u16, u16);

impl<'a> LiveLine<'a> {
    /// Shows nothing until there is a run.
    pub(crate) fn new(root: &'a Path, before: &'a HashSet<PathBuf>) -> Self {
        Self {
            root,
            before,
            next: Instant::now(),
            reserved: None,
        }
    }

    /// Shows what is new, if it is time to.
    pub(crate) fn refresh(&mut self) {
        if Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + PERIOD;
        match self.newest() {
            Some(run) => self.show(&run),
            None => self.release(),
        }
    }

    fn newest(&self) -> Option<Run> {
        let new = at_work(self.root, |path| !self.before.contains(path));
        Some(new.into_iter().next()?.run)
    }

    fn show(&mut self, run: &Run) {
        let Some(size) = self.reserve() else { return };
        let (columns, rows) = size;
        let text = truncate(&text(run), usize::from(columns).saturating_sub(1));
        put(&format!(
            "\x1b7\x1b[{rows};1H\x1b[2K\x1b[7m{text}\x1b[0m\x1b8"
        ));
    }

    /// Takes the last line out of the region that scrolls, anew if the terminal changed its size.
    fn reserve(&mut self) -> Option<Size> {
        let (columns, rows) = terminal_size::terminal_size_of(std::io::stderr())?;
        let size = (columns.0, rows.0);
        if rows.0 < LEAST_ROWS {
            self.release();
            return None;
        }
        if self.reserved != Some(size) {
            self.release();
            put(&format!("\n\x1b7\x1b[1;{}r\x1b8\x1b[1A", rows.0 - 1));
            self.reserved = Some(size);
        }
        Some(size)
    }

    fn release(&mut self) {
        if let Some((_, rows)) = self.reserved.take() {
            put(&format!("\x1b7\x1b[r\x1b[{rows};1H\x1b[2K\x1b8"));
        }
    }
}

impl Drop for LiveLine<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

/// Codes are for the terminal that stderr is.
fn put(codes: &str) {
    let mut stderr = std::io::stderr().lock();
    // There is nothing to be done about a terminal that is gone.
    let _ = stderr.write_all(codes.as_bytes());
    let _ = stderr.flush();
}

/// The innermost call of the thread that began first, and its line.
fn text(run: &Run) -> String {
    let now = run.series.last().copied().unwrap_or_default();
    let heap = now.heap.map(|bytes| format!(" · heap {}", mib_unit(bytes)));
    let mut text = format!(
        " {} · {}{} · now {} · peak {}",
        visible(&run.program),
        duration(run.duration_ns),
        heap.unwrap_or_default(),
        mib_unit(now.rss),
        mib_unit(run.process.peak_rss)
    );
    let thread = run.stopped.iter().map(|call| call.thread).min();
    let calls = run
        .stopped
        .iter()
        .filter(|call| Some(call.thread) == thread);
    let innermost = calls.max_by_key(|call| call.depth);
    if let Some(call) = innermost
        && let Some(function) = run.functions.get(call.function)
    {
        let names = Names::of_run(run);
        text.push_str(&format!(" · {}", visible(names.of(function))));
        if let Some(number) = call.line {
            let line = function.lines.iter().find(|line| line.line == number);
            let source = line.map_or("", |line| line.source.trim());
            text.push_str(&format!(" {number} {}", visible(source)));
        }
    }
    text
}
