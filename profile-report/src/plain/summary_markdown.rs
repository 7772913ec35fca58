//! The run as Markdown, for a pull request: what the summary in the terminal says.

use memprof_model::run::Run;

use super::function_columns::{FunctionColumn, function_columns};
use crate::facts::names::Names;
use crate::facts::ranking::{Ranked, ranked};
use crate::text::markdown::{code, row, rule, sentences};
use crate::text::units::{duration, mib_unit};
use crate::text::visible::{source_line, truncate};
use crate::words::findings::{Finding, findings};
use crate::words::readings::{no_sampler, sampled_peaks};
use crate::words::story::tell;

/// The most functions that are shown.
const SHOWN: usize = 10;
/// The most columns of a line's source.
const SOURCE: usize = 60;

/// What `run` found, as Markdown: a heading, what it comes to on the heap where that is counted, a sentence about
/// the first function, and a table of the first ones. Names and source are shown as what they are, whatever they contain.
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
    let names = Names::of_run(run);
    let functions = ranked(run);
    let found: String = findings(run)
        .iter()
        .map(|finding| found(run, &names, finding))
        .collect();
    if !found.is_empty() {
        text.push_str(&format!("\n{found}"));
    }
    if let Some(first) = functions.first() {
        let label = code(names.of(first.function));
        let story = sentences(tell(run, first.function));
        text.push_str(&format!("\n{label}: {story}\n\n"));
        text.push_str(&table(
            run,
            &functions[..functions.len().min(SHOWN)],
            &names,
        ));
    }
    if functions.len() > SHOWN {
        text.push_str(&format!(
            "\n… and {} more functions\n",
            functions.len() - SHOWN
        ));
    }
    for note in sampled_peaks(run).into_iter().chain(no_sampler(run)) {
        text.push_str(&format!("\n{}.\n", note[..1].to_uppercase() + &note[1..]));
    }
    text
}

/// A finding as an item of a list.
fn found(run: &Run, names: &Names, finding: &Finding<'_>) -> String {
    let detail = match &finding.detail[..] {
        "" => String::new(),
        detail => format!(" {detail}"),
    };
    let line = finding.line.map_or_else(String::new, |line| {
        let source = truncate(source_line(&line.source).trim(), SOURCE);
        format!(", line {} {}", line.line, code(&source))
    });
    format!(
        "- {}: **{}**{detail}, {}{line}\n",
        finding.title,
        mib_unit(finding.bytes),
        code(names.of(&run.functions[finding.index])),
    )
}

fn table(run: &Run, functions: &[Ranked<'_>], names: &Names) -> String {
    let columns = function_columns(run);
    let titles: Vec<_> = ["function".to_owned()]
        .into_iter()
        .chain(columns.iter().map(FunctionColumn::heading))
        .chain(["line to look at".to_owned()])
        .collect();
    let rule = rule(titles.len());
    let rows = functions.iter().map(|ranked| {
        let figures = columns.iter().map(|column| column.shown(ranked.function));
        let name = code(names.of(ranked.function));
        row([name].into_iter().chain(figures).chain([look_at(ranked)]))
    });
    [row(titles), rule].into_iter().chain(rows).collect()
}

fn look_at(ranked: &Ranked<'_>) -> String {
    ranked.line().map_or_else(String::new, |line| {
        let source = truncate(source_line(&line.source).trim(), SOURCE);
        format!("{} {}", line.line, code(&source))
    })
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
    fn a_leak_a_spike_and_churn() {
        insta::assert_snapshot!(summary_markdown(&fixture::leaking()));
    }

    #[test]
    fn tables_stay_tables_whatever_the_names() {
        for (name, run) in fixture::all() {
            let text = summary_markdown(&run);
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{2028}']), "{name}");
            let rows = text.lines().filter(|line| line.starts_with('|'));
            for row in rows {
                let bars = row.replace("\\|", "").matches('|').count();
                let titles = function_columns(&run).len() + 2;
                assert_eq!(bars, titles + 1, "{name}: {row}");
            }
        }
    }
}
