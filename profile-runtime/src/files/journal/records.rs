//! A journal's records: lines of mprof's kinds, and lines of our own kinds that hold JSON.
//!
//! | kind | holds |
//! |---|---|
//! | `CMDLINE`, `MEM`, `FUNC` | what mprof reads |
//! | `journal` | who writes it: [`Owner`](memprof_report::internal::owner::Owner) |
//! | `command` | the command line, a list |
//! | `function` N | a [`FunctionProfile`] without lists and source; N numbers the functions |
//! | `source` N | the function's source |
//! | `lines` N | the numbers of the function's lines |
//! | `line` N, I | a [`Line`], the I-th of function N, without its source; with its `origins` where blocks are followed |
//! | `call` N | a [`Call`] that has ended |
//! | `open` N, L | a [`Call`] on a thread, at line L or `-` |
//! | `suspended` N | the suspended [`Call`] with the highest peak; how many there are is in functions and lines |
//! | `heap` T | live heap bytes at T, in epoch seconds as in `MEM` |
//! | `run` | a [`Run`] without lists: what was written since the last one is whole; `origins` says how blocks are followed |
//! | `-` | nothing: fills a page up |
//!
//! A later record of a function or line replaces the earlier one. A record that is too long for a line of text goes on
//! in the next one: `kind+` says that more follows. Everything is ASCII.

use serde::Serialize;

use super::pages::{LONGEST, PageAlignedText, cut};
use memprof_model::run::{Call, FunctionProfile, Line, Run, Sample};
use memprof_report::internal::json;
use memprof_report::internal::mprof::{Clock, function_name, mib};

/// The records of an entry, put together before they are written.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) pages: PageAlignedText,
}

impl Records {
    /// A line as mprof has it, without its line break.
    pub(super) fn plain(&mut self, line: &str) {
        self.pages.push(line);
    }

    pub(super) fn sample(&mut self, clock: &Clock, sample: Sample) {
        let at = clock.epoch(sample.t_ns);
        self.plain(&format!("MEM {} {at}", mib(sample.rss)));
        if let Some(heap) = sample.heap {
            self.plain(&format!("heap {at} {heap}"));
        }
    }

    /// An ended call, for ourselves, and for mprof if its RSS is known.
    pub(super) fn call(&mut self, clock: &Clock, id: usize, name: &str, call: &Call) {
        if !call.only_counted {
            self.mprof_call(clock, name, call);
        }
        self.json("call", &id.to_string(), call);
    }

    fn mprof_call(&mut self, clock: &Clock, name: &str, call: &Call) {
        let (start, end) = (clock.epoch(call.start_ns), clock.epoch(call.end_ns));
        let (entry, exit) = (mib(call.entry_rss), mib(call.exit_rss));
        let mut name = function_name(name);
        cut(&mut name, LONGEST / 2);
        self.plain(&format!(
            "FUNC {name} {entry} {start} {exit} {end} {}",
            call.depth
        ));
    }

    pub(super) fn open(&mut self, id: usize, line: Option<u32>, call: &Call) {
        let line = line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        self.json("open", &format!("{id} {line}"), call);
    }

    pub(super) fn suspended(&mut self, id: usize, call: &Call) {
        self.json("suspended", &id.to_string(), call);
    }

    pub(super) fn function(&mut self, id: usize, profile: &FunctionProfile) {
        self.json("function", &id.to_string(), profile);
    }

    pub(super) fn source(&mut self, id: usize, source: &str) {
        self.json("source", &id.to_string(), &source);
    }

    pub(super) fn line(&mut self, id: usize, at: usize, line: &Line) {
        self.json("line", &format!("{id} {at}"), line);
    }

    /// Closes the entry: everything before this record is whole.
    pub(super) fn commit(&mut self, run: &Run) {
        self.json("run", "", run);
    }

    /// A record of our own: `kind`, what it is about, and `value`.
    pub(super) fn json(&mut self, kind: &str, about: &str, value: &impl Serialize) {
        // What cannot be written as JSON is left out: a journal lacks a record rather than disturbs.
        let Ok(text) = json::text_of(value) else {
            return;
        };
        let mut payload = String::with_capacity(about.len() + 1 + text.len());
        if !about.is_empty() {
            payload.push_str(about);
            payload.push(' ');
        }
        push_ascii(&mut payload, &without_nulls(&text));
        self.pieces(kind, &payload);
    }

    fn pieces(&mut self, kind: &str, payload: &str) {
        let mut rest = payload;
        let room = LONGEST - kind.len() - 2;
        while rest.len() > room {
            let (piece, after) = rest.split_at(room);
            // A reader may strip a space at the end of a line, so such a space is written as an escape. That is
            // valid JSON: so far into a record, spaces are in strings only.
            match piece.strip_suffix(' ') {
                Some(piece) => self.pages.push(&format!("{kind}+ {piece}\\u0020")),
                None => self.pages.push(&format!("{kind}+ {piece}")),
            }
            rest = after;
        }
        self.pages.push(&format!("{kind} {rest}"));
    }
}

/// The JSON `text` without its fields that are null. Readers treat a missing field as null.
///
/// Inside a string every quote is escaped, so `":null` can only follow a field's name.
fn without_nulls(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for part in text.split_inclusive("\":null") {
        match part
            .strip_suffix("\":null")
            .and_then(|part| part.rsplit_once(",\""))
        {
            Some((before, name)) if !name.contains('"') => kept.push_str(before),
            _ => kept.push_str(part),
        }
    }
    kept
}

/// Appends the JSON `text` with everything beyond ASCII escaped. Such characters are in strings only.
fn push_ascii(ascii: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            ascii.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            ascii.push_str(&format!("\\u{unit:04x}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal_record_records_of_long_and_foreign_texts_come_in_pieces_of_ascii() {
        let mut records = Records::default();
        let text = format!("{}é\u{1F600}\r\n end ", " ".repeat(5 * LONGEST));
        records.json("source", "3", &text.as_str());
        let mut joined = String::new();
        let text_of_pages = str::from_utf8(records.pages.text()).unwrap();
        for line in text_of_pages.lines().filter(|line| !line.starts_with("- ")) {
            assert!(line.is_ascii() && line.len() <= LONGEST + 10, "{line}");
            assert_eq!(line.trim(), line, "spaces at the ends may get lost");
            let (kind, piece) = line.split_once(' ').unwrap();
            assert!(["source+", "source"].contains(&kind), "{kind}");
            joined.push_str(piece);
        }
        let value: String = serde_json::from_str(joined.strip_prefix("3 ").unwrap()).unwrap();
        assert_eq!(value, text);
    }
}
