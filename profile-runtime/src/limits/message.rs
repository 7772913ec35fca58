//! The message about broken limits.

use std::fmt::Write;

use memprof_model::internal::bytes;

use super::verdict::{Broken, BrokenLimits, Figure};

/// How many lines a message names for each limit.
const LINES: usize = 5;

impl BrokenLimits {
    /// The message: each broken limit, the value, and the lines that took most.
    pub(crate) fn message(&self) -> String {
        let spec = self.site.spec;
        let mut text = format!(
            "`{}` ({}:{}) broke its memory limit",
            self.site.label, spec.file, spec.line
        );
        for broken in &self.broken {
            match *broken {
                Broken::Figure {
                    figure,
                    limit,
                    value,
                } => self.figure(&mut text, figure, limit, value),
                Broken::Growth { limit, exponent } => {
                    let _ = write!(
                        text,
                        "\n  max_growth = n^{limit}, was n^{:.2} (between n^{:.2} and n^{:.2})",
                        exponent.value, exponent.low, exponent.high
                    );
                }
                Broken::NotCounted(argument) => {
                    let _ = write!(
                        text,
                        "\n  {argument} cannot be checked, because nobody counts heap bytes: \
                         have the program, or its tests as [dev-dependencies], depend on memprof \
                         with features = [\"counting\"]\n"
                    );
                }
            }
        }
        text
    }

    /// Adds one broken limit to the message.
    fn figure(&self, text: &mut String, figure: Figure, limit: u64, value: u64) {
        let amount = |amount| match figure {
            Figure::Allocations => format!("{amount}"),
            _ => bytes(amount),
        };
        let _ = write!(
            text,
            "\n  {} = {}, was {} ({})",
            figure.argument(),
            amount(limit),
            amount(value),
            figure.meaning()
        );
        for (line, own) in self.lines_by(figure) {
            let number = self.site.line_number(line).unwrap_or_default();
            let source = self.site.spec.source_of(number).trim();
            let file = self.site.spec.file;
            let _ = write!(text, "\n    {file}:{number}  {}  {source}", amount(own));
        }
        if matches!(figure, Figure::Peak | Figure::Net) && self.shared {
            text.push_str(
                "\n    shared: other threads worked on the process's memory meanwhile, and part of \
                 this may be theirs",
            );
        }
        if self.partly_measured {
            text.push_str(
                "\n    some lines ran too often to be read one by one: they share what is theirs",
            );
        }
    }

    /// The lines with the most of `figure`, with their amounts.
    fn lines_by(&self, figure: Figure) -> Vec<(u32, u64)> {
        let lines = (0..).zip(&self.lines);
        let mut lines: Vec<(u32, u64)> = lines
            .map(|(at, line)| (at, figure.of_line(line)))
            .filter(|&(_, own)| own > 0)
            .collect();
        lines.sort_by_key(|&(_, own)| std::cmp::Reverse(own));
        lines.truncate(LINES);
        lines
    }
}

#[cfg(test)]
mod tests;
