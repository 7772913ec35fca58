//! How a function's figures grow with the size of its input, `by = …`: laws, exponents, and what to
//! expect of larger inputs. In words and as a table; the chart is `chart/growth_chart.rs`.

use std::borrow::Cow;

use memprof_model::growth::{Growth, Point, Unknown};
use memprof_model::internal;
use memprof_model::run::{FigureGrowth, FunctionProfile, SizedFigure};

use crate::text::table::{Align, table};
use crate::text::units::{duration, mib_unit};
use crate::text::visible::{source_line, truncate, visible};

/// A prediction with more than this between the ends of its interval is none.
const WIDE: f64 = 10.0;

/// A figure of a function or of one of its lines, at every size.
#[derive(Debug, Clone)]
pub(crate) struct Grown {
    /// `peak`, or `line 7 peak`.
    pub(crate) name: String,
    /// The line's text.
    pub(crate) source: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) points: Vec<Point>,
    pub(crate) growth: Growth,
}

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Peak,
    Net,
    Heap,
    Time,
}

impl Kind {
    /// A value with its unit.
    pub(crate) fn show(self, value: f64) -> String {
        let whole = value.clamp(0.0, 1e18) as u64;
        match self {
            Kind::Time => duration(whole),
            _ if whole < 1 << 10 => format!("{whole} B"),
            _ if whole < 10 << 10 => format!("{:.1} KiB", value / 1024.0),
            _ if whole < 1 << 20 => format!("{:.0} KiB", value / 1024.0),
            _ if whole < 10_000 << 20 => mib_unit(whole),
            _ => {
                let gib = value / f64::from(1 << 30);
                let digits = if gib < 100.0 { 1 } else { 0 };
                format!("{gib:.digits$} GiB")
            }
        }
    }
}

/// What grew in `profile`; empty without `by = …`.
pub(crate) fn grown(profile: &FunctionProfile) -> Vec<Grown> {
    // A run of an earlier version, or one whose program was killed, has sizes alone.
    let found = match profile.growth.is_empty() {
        true => Cow::Owned(internal::grown(&profile.sizes)),
        false => Cow::Borrowed(&profile.growth),
    };
    found.iter().map(|found| row(profile, found)).collect()
}

fn row(profile: &FunctionProfile, found: &FigureGrowth) -> Grown {
    let name = found.figure.words();
    let kind = match found.figure {
        SizedFigure::NetRss => Kind::Net,
        SizedFigure::HeapPeak => Kind::Heap,
        SizedFigure::TimeNs => Kind::Time,
        _ => Kind::Peak,
    };
    let of_line = |number: u32| profile.lines.iter().find(|line| line.line == number);
    let line = found.line.and_then(of_line);
    Grown {
        name: match found.line {
            Some(number) => format!("line {number} {name}"),
            None => name.to_owned(),
        },
        source: line.map(|line| source_line(&line.source).trim().to_owned()),
        kind,
        points: internal::points(&profile.sizes, found.figure, found.line),
        growth: found.growth.clone(),
    }
}

impl Grown {
    /// The law, or why there is none. A law is said if one alone fits the sizes; where several do, all that are
    /// possible are.
    pub(crate) fn law(&self) -> String {
        let Growth {
            law,
            unknown,
            possible,
            ..
        } = &self.growth;
        let law = match (law, unknown) {
            (Some(law), _) => law.to_string(),
            (None, Some(Unknown::FewSizes)) => "cannot tell: fewer than five sizes".to_owned(),
            (None, Some(Unknown::NarrowRange)) => {
                "cannot tell: the largest size is less than 8 times the smallest".to_owned()
            }
            (None, Some(Unknown::SeveralFit)) => {
                let (first, last) = (possible.first(), possible.last());
                let between = first.zip(last).map(|(first, last)| match possible.len() {
                    2 => format!("{first} or {last}"),
                    _ => format!("anything from {first} to {last}"),
                });
                format!("cannot tell: {}", between.unwrap_or_default())
            }
            (None, _) => "cannot tell: no single law fits".to_owned(),
        };
        match self.points.first() {
            Some(first) if self.growth.from > first.n => {
                format!("{law}, from n = {}", size(self.growth.from))
            }
            _ => law,
        }
    }

    /// `2.00 (1.98 to 2.02)`
    pub(crate) fn exponent(&self) -> String {
        self.growth.exponent.map_or_else(String::new, |exponent| {
            format!(
                "{:.2} ({:.2} to {:.2})",
                exponent.value, exponent.low, exponent.high
            )
        })
    }

    /// What to expect at 10 and 100 times the largest size: the law's value and the ends of its interval. Said if
    /// these are no more than [`WIDE`] times apart.
    pub(crate) fn predictions(&self) -> Vec<String> {
        let predictions = self.growth.predictions.iter();
        predictions
            .map(|at| {
                if at.high > WIDE * at.low.max(0.0) {
                    return "cannot tell".to_owned();
                }
                let show = |value| self.kind.show(value);
                format!("{} ({} to {})", show(at.value), show(at.low), show(at.high))
            })
            .collect()
    }
}

/// A size as short as it can be written.
pub(crate) fn size(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 1e15 {
        format!("{n}")
    } else {
        format!("{n:.4}")
    }
}

/// `with n = items.len(), 12 sizes from 1 to 2048`: the sizes are those of the run.
pub(crate) fn heading(profile: &FunctionProfile) -> String {
    let (Some(first), Some(last)) = (profile.sizes.first(), profile.sizes.last()) else {
        return String::new();
    };
    let by = visible(profile.by.as_deref().unwrap_or("n"));
    let name = if by == "n" { by } else { format!("n = {by}") };
    format!(
        "with {}: {} sizes from {} to {}",
        truncate(&name, 60),
        profile.sizes.len(),
        size(first.n),
        size(last.n)
    )
}

/// The headings of the columns of predictions.
pub(crate) fn ahead(grown: &[Grown]) -> Vec<String> {
    let with = grown
        .iter()
        .find(|grown| !grown.growth.predictions.is_empty());
    let predictions = with.iter().flat_map(|grown| &grown.growth.predictions);
    predictions
        .map(|at| format!("at n = {}", size(at.n)))
        .collect()
}

/// The table as text; empty without `by = …`.
pub(crate) fn growth_table(profile: &FunctionProfile) -> String {
    let grown = grown(profile);
    if grown.is_empty() {
        return String::new();
    }
    let ahead = ahead(&grown);
    let mut header = vec!["figure".to_owned(), "law".to_owned(), "exponent".to_owned()];
    header.extend(ahead.iter().cloned());
    header.push("source".to_owned());
    let rows = grown.iter().map(|row| {
        let mut cells = vec![row.name.clone(), row.law(), row.exponent()];
        let mut predictions = row.predictions();
        predictions.resize(ahead.len(), String::new());
        cells.extend(predictions);
        cells.push(
            row.source
                .as_deref()
                .map_or_else(String::new, |source| truncate(source, 60)),
        );
        cells
    });
    let lines = table(header, rows, &[Align::Left]);
    let lines = lines.iter().map(|line| line.trim_end().to_owned() + "\n");
    format!(
        "Growth {}\n{}\n",
        heading(profile),
        lines.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn profile() -> FunctionProfile {
        fixture::growing().functions.swap_remove(0)
    }

    /// What is saved is what is shown; where it is not, it is found again.
    #[test]
    fn laws_are_those_of_the_run() {
        let mut profile = profile();
        let table = growth_table(&profile);
        let saved = std::mem::take(&mut profile.growth);
        assert_eq!(growth_table(&profile), table);
        profile.growth = saved[..1].to_vec();
        profile.growth[0].growth.law = Some(memprof_model::growth::Law::Log);
        let shown = growth_table(&profile);
        assert!(
            shown.contains("peak    log n  2.00") && !shown.contains("n^2"),
            "{shown}"
        );
    }

    #[test]
    fn the_table_names_laws_and_lines() {
        let table = growth_table(&profile());
        let mut rows = table.lines();
        assert_eq!(
            rows.next(),
            Some("Growth with n: 8 sizes from 8 to 1024"),
            "{table}"
        );
        let header = rows.next().unwrap_or_default();
        assert!(header.starts_with("figure"), "{table}");
        assert!(header.contains("at n = 10240") && header.contains("at n = 102400"));
        let peak = rows.next().unwrap_or_default();
        assert!(peak.starts_with("peak "), "{table}");
        assert!(
            peak.contains(" n^2 ") && peak.contains(" 2.00 ("),
            "{table}"
        );
        assert!(
            peak.contains("2400 MiB (") && peak.contains(" 234 GiB ("),
            "{table}"
        );
        let time = rows.next().unwrap_or_default();
        assert!(
            time.starts_with("time ") && time.contains("cannot tell"),
            "{table}"
        );
        assert!(!table.contains("(0 ns to"), "no prediction at all: {table}");
        let line = rows.next().unwrap_or_default();
        assert!(line.starts_with("line 29 peak  n^2 "), "{table}");
    }

    #[test]
    fn nothing_without_sizes() {
        let run = fixture::inverse();
        assert_eq!(growth_table(&run.functions[0]), "");
    }

    #[test]
    fn the_chart_has_points_and_laws() {
        let profile = profile();
        let chart = crate::chart::growth_chart(&profile, "f", &grown(&profile));
        let chart = chart.expect("drawn");
        assert_eq!(
            chart.matches("<circle").count(),
            16,
            "two figures of eight sizes"
        );
        assert!(chart.contains("peak: n^2, k = 2.00 ± 0.0"), "{chart}");
        assert!(chart.contains("time: law not known"), "{chart}");
        // Legends stand above all points, not among them.
        let places = |element: &str, name: &str| -> Vec<f64> {
            let begin = format!("<{element} ");
            let elements = chart.split(&begin).skip(1);
            let elements = elements.filter(|e| element == "circle" || e.contains(", k = "));
            let value = |e: &str| e.split(name).nth(1)?.split('"').next()?.parse().ok();
            elements.filter_map(value).collect()
        };
        let (legends, points) = (places("text", " y=\""), places("circle", " cy=\""));
        assert_eq!((legends.len(), points.len()), (2, 16), "{chart}");
        let lowest = legends.into_iter().fold(0.0, f64::max);
        assert!(points.iter().all(|&point| point > lowest), "{chart}");
    }
}
