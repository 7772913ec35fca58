//! The run as Markdown, for a pull request: what the summary in the terminal says.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, PeakMethod, Run};

use crate::facts::rows::highest;
use crate::text::markdown::{code, row, rule, sentences};
use crate::text::units::{duration, mib, mib_unit, signed_mib};
use crate::text::visible::{source_line, truncate};
use crate::words::story::tell;

/// The most functions that are shown.
const SHOWN: usize = 10;
/// The most columns of a line's source.
const SOURCE: usize = 60;

/// What `run` found, as Markdown: a heading, a table of the functions with the highest peaks, and a
/// sentence about the first one. Names and source are shown as what they are, whatever they contain.
///
/// ```
/// # let dir = std::env::temp_dir().join("memprof-doc");
/// # memprof::Settings::new().dir(dir).quiet(true).apply().unwrap();
/// #[memprof::profile_memory]
/// fn work() -> Vec<u8> {
///     vec![1; 1 << 20]
/// }
///
/// work();
/// let run = memprof::snapshot().expect("a call was made");
/// assert!(memprof::report::summary_markdown(&run).contains("| `work` | 1 |"));
/// ```
#[must_use]
pub fn summary_markdown(run: &Run) -> String {
    let mut text = format!(
        "### Memory of {}\n\npeak {} in {}, {} before the first profiled call\n",
        code(&run.program),
        mib_unit(run.process.peak_rss),
        duration(run.duration_ns),
        mib_unit(run.process.baseline_rss),
    );
    let mut functions: Vec<_> = run.functions.iter().collect();
    functions.sort_by_key(|f| (Reverse(f.peak_rss), Reverse(f.time_ns)));
    if let Some(first) = functions.first() {
        let label = code(&first.label);
        text.push_str(&format!("\n{label}: {}\n\n", sentences(tell(run, first))));
        text.push_str(&table(&functions[..functions.len().min(SHOWN)]));
    }
    if functions.len() > SHOWN {
        text.push_str(&format!(
            "\n… and {} more functions\n",
            functions.len() - SHOWN
        ));
    }
    if run.peak_method == PeakMethod::Sampled {
        text.push_str("\nPeaks are from samples: short temporaries are not seen.\n");
    }
    text
}

fn table(functions: &[&FunctionProfile]) -> String {
    let titles = [
        "function",
        "calls",
        "time",
        "net MiB",
        "peak MiB",
        "highest line",
    ];
    let rows = functions.iter().map(|function| row(cells(function)));
    [row(titles.map(str::to_owned)), rule(titles.len())]
        .into_iter()
        .chain(rows)
        .collect()
}

fn cells(function: &FunctionProfile) -> [String; 6] {
    let blank_zero = |zero: bool, shown: String| if zero { String::new() } else { shown };
    let line = highest(function).map_or_else(String::new, |line| {
        let source = truncate(source_line(&line.source).trim(), SOURCE);
        format!("{} {}", line.line, code(&source))
    });
    [
        code(&function.label),
        function.calls.to_string(),
        duration(function.time_ns),
        blank_zero(function.net_rss == 0, signed_mib(function.net_rss)),
        blank_zero(function.peak_rss == 0, mib(function.peak_rss)),
        line,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_demo() {
        insta::assert_snapshot!(summary_markdown(&fixture::inverse()));
    }

    #[test]
    fn tables_stay_tables_whatever_the_names() {
        for (name, run) in fixture::all() {
            let text = summary_markdown(&run);
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{2028}']), "{name}");
            let rows = text.lines().filter(|line| line.starts_with('|'));
            for row in rows {
                let bars = row.replace("\\|", "").matches('|').count();
                assert_eq!(bars, 7, "{name}: {row}");
            }
        }
    }
}
