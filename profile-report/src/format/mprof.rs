//! mprofile.dat: the run for Python's `mprof plot` and `mprof peak` (memory_profiler 0.61).
//!
//! What mprof insists on, found by reading and running it: the command line first; no empty line
//! anywhere; no spaces in a function's name; no `$`, which its plots take for mathematics; a `MEM`
//! line at every entry and exit, else `mprof peak --func` finds no memory for a short call.

use std::fmt::Write as _;

use jiff::Timestamp;
use memprof_model::run::{FunctionProfile, Run};

use crate::error::ReportError;
use crate::facts::peak_moment::peak_moment;

const MIB: f64 = 1_048_576.0;

/// The text of `mprofile.dat` for `run`.
pub(crate) fn render(run: &Run) -> Result<String, ReportError> {
    let clock = Clock::new(&run.started)?;
    let mut text = format!("CMDLINE {}\n", command_line(run));
    for (t_ns, rss) in memory(run) {
        push(
            &mut text,
            format_args!("MEM {} {}", mib(rss), clock.epoch(t_ns)),
        );
    }
    let children = run.watched.iter().flat_map(|watched| &watched.children);
    for (number, child) in children.enumerate() {
        for sample in &child.series {
            let (mib, epoch) = (mib(sample.rss), clock.epoch(sample.t_ns));
            push(&mut text, format_args!("CHLD {number} {mib} {epoch}"));
        }
    }
    for function in &run.functions {
        let name = function_name(&function.name);
        for call in function.read_calls() {
            let (start, end) = (clock.epoch(call.start_ns), clock.epoch(call.end_ns));
            let (entry, exit) = (mib(call.entry_rss), mib(call.exit_rss));
            push(
                &mut text,
                format_args!("FUNC {name} {entry} {start} {exit} {end} {}", call.depth),
            );
        }
    }
    Ok(text)
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

/// Every reading that has a time, in order: the series, entries, exits, and the functions' peaks.
pub(crate) fn memory(run: &Run) -> Vec<(u64, u64)> {
    let samples = run.series.iter().map(|s| (s.t_ns, s.rss));
    let of_functions = run.functions.iter().flat_map(function_memory);
    let mut all: Vec<_> = samples.chain(of_functions).collect();
    if all.is_empty() {
        // mprof refuses a file without memory, and fits its slope through two moments at least.
        all.extend(
            [0, run.duration_ns.max(1_000_000)].map(|t_ns| (t_ns, run.process.baseline_rss)),
        );
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn function_memory(function: &FunctionProfile) -> impl Iterator<Item = (u64, u64)> {
    let calls = function.read_calls();
    let ends = calls.flat_map(|call| {
        [
            (call.start_ns, call.entry_rss),
            (call.end_ns, call.exit_rss),
        ]
    });
    let samples = function.series.iter().map(|s| (s.t_ns, s.rss));
    let peak = function
        .peak_at
        .zip(peak_moment(function))
        .map(|(at, t_ns)| (t_ns, at.rss));
    ends.chain(samples).chain(peak)
}

/// MiB with the precision of a byte count below a page.
pub fn mib(bytes: u64) -> String {
    format!("{:.6}", bytes as f64 / MIB)
}

/// The command line as mprof writes it: arguments with spaces in single quotes.
pub fn command_line(run: &Run) -> String {
    let arguments = if run.command.is_empty() {
        std::slice::from_ref(&run.program)
    } else {
        &run.command[..]
    };
    let quoted = arguments.iter().map(|argument| {
        let argument = ascii(argument, |c| c == ' ');
        if argument.contains(' ') {
            format!("'{argument}'")
        } else {
            argument
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// `name` without spaces; never empty.
pub fn function_name(name: &str) -> String {
    let compact = name.replace(", ", ",").replace(' ', "_");
    if compact.is_empty() {
        "function".to_owned()
    } else {
        ascii(&compact, |_| false)
    }
}

/// `text` with everything but printable ASCII spelled out: mprof reads files in the encoding of
/// the locale, which need not be ours.
fn ascii(text: &str, allow: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_ascii_graphic() && c != '$') || allow(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}

/// Turns nanoseconds of the run into seconds of the world.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start_ns: i128,
}

impl Clock {
    /// Of a run that started then.
    pub fn new(started: &str) -> Result<Self, ReportError> {
        let start: Timestamp = started
            .parse()
            .map_err(|e| ReportError::render("render mprofile.dat", e))?;
        Ok(Self {
            start_ns: start.as_nanosecond(),
        })
    }

    /// Epoch seconds with six decimals, which is what a double keeps of a time in this century.
    pub fn epoch(&self, t_ns: u64) -> String {
        let us = (self.start_ns + i128::from(t_ns)) / 1_000;
        format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_line_is_one_that_mprof_reads() {
        for (name, run) in fixture::all() {
            let text = render(&run).unwrap();
            assert!(text.starts_with("CMDLINE "), "{name}");
            assert!(text.is_ascii(), "{name}");
            assert!(
                text.lines().any(|line| line.starts_with("MEM ")),
                "{name}: mprof needs memory"
            );
            for line in text.lines().skip(1) {
                let fields: Vec<_> = line.split(' ').collect();
                let numbers = match fields[0] {
                    "MEM" => &fields[1..],
                    "CHLD" | "FUNC" => &fields[2..],
                    other => panic!("{name}: {other}"),
                };
                assert_eq!(
                    fields.len(),
                    match fields[0] {
                        "MEM" => 3,
                        "CHLD" => 4,
                        _ => 7,
                    },
                    "{name}: {line}"
                );
                assert!(
                    numbers.iter().all(|n| n.parse::<f64>().is_ok()),
                    "{name}: {line}"
                );
            }
        }
    }

    #[test]
    fn every_entry_and_exit_has_its_memory() {
        for (name, run) in fixture::all() {
            let text = render(&run).unwrap();
            for line in text.lines().filter(|line| line.starts_with("FUNC ")) {
                let f: Vec<_> = line.split(' ').collect();
                assert!(
                    text.contains(&format!("MEM {} {}\n", f[2], f[3])),
                    "{name}: {line}"
                );
                assert!(
                    text.contains(&format!("MEM {} {}\n", f[4], f[5])),
                    "{name}: {line}"
                );
            }
        }
    }

    #[test]
    fn the_exact_peak_is_in_it_though_no_sample_saw_it() {
        let run = fixture::inverse();
        let peak = run.functions[0].peak_at.unwrap().rss;
        assert!(!run.series.iter().any(|s| s.rss == peak));
        assert!(
            render(&run)
                .unwrap()
                .contains(&format!("MEM {} ", mib(peak)))
        );
    }

    #[test]
    fn names_lose_spaces_and_mathematics() {
        assert_eq!(
            function_name("a::f<u8, B>::{closure#0} $x$ é"),
            "a::f<u8,B>::{closure#0}_\\u{24}x\\u{24}_\\u{e9}"
        );
    }
}
