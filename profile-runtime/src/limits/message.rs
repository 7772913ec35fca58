//! What is said when a limit was broken.

use std::fmt::Write;

use super::verdict::{Broken, BrokenLimits, Figure};

/// Lines that a message names.
const LINES: usize = 5;

impl BrokenLimits {
    /// The limit, the value and the lines responsible.
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
                        "\n  {argument} cannot be checked, because nobody counts heap bytes: put the \
                         counting allocator into the program or test,\n\n    \
                         #[global_allocator]\n    \
                         static ALLOCATOR: memprof::CountingAllocator = \
                         memprof::CountingAllocator::system();\n"
                    );
                }
            }
        }
        text
    }

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
        if self.in_part {
            text.push_str(
                "\n    some lines ran too often to be read one by one: they share what is theirs",
            );
        }
    }

    /// The lines with most of `figure`, and how much.
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

/// `1.50 MiB (1572864 bytes)`: for the eye, and to the byte.
pub(crate) fn bytes(bytes: u64) -> String {
    let short = short(bytes);
    match short.contains('.') {
        true => format!("{short} ({bytes} bytes)"),
        false => short,
    }
}

/// `1.50 MiB`
pub(crate) fn short(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = None;
    for name in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = Some(name);
    }
    let Some(unit) = unit else {
        return format!("{bytes} bytes");
    };
    if value.fract() == 0.0 {
        return format!("{value} {unit}");
    }
    format!("{value:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use super::{bytes, short};

    #[test]
    fn sizes() {
        assert_eq!(short(16_000), "15.62 KiB");
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1024), "1 KiB");
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes((64 << 20) + 1), "64.00 MiB (67108865 bytes)");
        assert_eq!(bytes(3 << 29), "1.50 GiB (1610612736 bytes)");
    }
}
