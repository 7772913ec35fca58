//! A comparison with a baseline as Markdown, for a pull request.

use super::compare::{Compared, Comparison, Verdict};
use super::key::Key;
use super::message::change;
use crate::text::markdown::{code, row, rule};
use crate::text::visible::truncate;

/// The most rows of each kind.
const ROWS: usize = 30;
/// The most columns of a line's source.
const SOURCE: usize = 60;

impl Comparison {
    /// What takes more and what takes less, as a heading and tables; `package` is for the heading. Names
    /// and source are shown as what they are, whatever they contain.
    #[must_use]
    pub fn markdown(&self, package: &str) -> String {
        let mut text = format!("### Memory of {}\n\n{}\n", code(package), self.sentence());
        self.table(&mut text, Verdict::Worse, "More than the baseline allows");
        self.table(&mut text, Verdict::Better, "Less than before");
        list(&mut text, "Not in the baseline", &self.new);
        list(&mut text, "In the baseline, but not called", &self.gone);
        let unknown = self.with(Verdict::Unknown).count();
        if unknown > 0 {
            text.push_str(&format!(
                "\n({unknown} figures could not be compared: other threads worked on the process's memory \
                 meanwhile, or nobody counted heap bytes)\n"
            ));
        }
        text
    }

    /// The outcome in a sentence.
    #[doc(hidden)]
    pub fn sentence(&self) -> String {
        let functions = |number: usize| match number {
            1 => "1 function".to_owned(),
            _ => format!("{number} functions"),
        };
        let mut keys: Vec<&Key> = self
            .with(Verdict::Worse)
            .map(|figure| &figure.key)
            .collect();
        keys.dedup();
        let of = functions(self.functions);
        let allowed = self.tolerance.shown();
        match keys.len() {
            0 if self.functions == 0 => "no function is in the baseline".to_owned(),
            0 => format!("{of} kept to the baseline ({allowed})"),
            worse => format!("{worse} of {of} took more than the baseline ({allowed})"),
        }
    }

    fn table(&self, text: &mut String, verdict: Verdict, heading: &str) {
        let figures: Vec<&Compared> = self.with(verdict).collect();
        if figures.is_empty() {
            return;
        }
        let titles = ["function", "figure", "was", "is", "change", "line"].map(str::to_owned);
        text.push_str(&format!("\n**{heading}**\n\n{}{}", row(titles), rule(6)));
        let rows = figures.iter().take(ROWS).map(|figure| row(cells(figure)));
        text.extend(rows);
        if figures.len() > ROWS {
            text.push_str(&format!("\n… and {} more\n", figures.len() - ROWS));
        }
    }
}

fn cells(compared: &Compared) -> [String; 6] {
    let figure = compared.figure;
    let is = compared.is.unwrap_or_default();
    let origin = compared.entry.origin.as_ref();
    let line = origin.and_then(|origin| Some((origin, origin.lines(figure).first()?)));
    let line = line.map_or_else(String::new, |(origin, line)| {
        let source = code(&truncate(&line.source, SOURCE));
        format!(
            "{} {source}",
            code(&format!("{}:{}", origin.file, line.line))
        )
    });
    [
        code(&compared.key.function),
        figure.title().to_owned(),
        figure.show(compared.was),
        figure.show(is),
        change(compared.was, is),
        line,
    ]
}

fn list(text: &mut String, heading: &str, keys: &[Key]) {
    if keys.is_empty() {
        return;
    }
    let names: Vec<String> = keys
        .iter()
        .take(ROWS)
        .map(|key| code(&key.function))
        .collect();
    let more = match keys.len().saturating_sub(ROWS) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    text.push_str(&format!("\n{heading}: {}{more}\n", names.join(", ")));
}
