//! The line table as text: one row for each line of the function's source, numbers aligned.

use std::fmt;

use anstyle::{AnsiColor, Style};
use memprof_model::run::{FunctionProfile, Line};

use super::columns::{Column, TOGETHER, columns, has_elsewhere, numbers};
use crate::facts::groups::Brackets;
use crate::facts::own::own_line_heap;
use crate::facts::ranking::line_to_look_at;
use crate::facts::rows::{Row, in_part, is_shared, rows};
use crate::text::visible::{source_line, truncate, width, wrapped};
use crate::words::groups::together;

const HEADER: Style = Style::new().dimmed();
const TOP: Style = AnsiColor::Yellow.on_default().bold();
const NOT_RUN: Style = Style::new().dimmed();
/// Cells of the bar that shows a line's peak, that of the heap itself where it is counted.
const BAR: usize = 8;
/// Source keeps this many columns, if that can be had by leaving out figures.
const LEAST_SOURCE: usize = 24;
/// Columns that a narrow terminal does without, the least important first. Peak and net stay, those of the heap
/// where it is counted.
const FIRST_TO_GO: [&str; 19] = [
    "worker",
    "elsewhere",
    "allocs",
    "RSS",
    "self RSS",
    "self net",
    "time",
    "net RSS",
    "peak RSS",
    "freed",
    "held",
    "self alloc",
    "alloc",
    "suspended",
    "hits",
    "self peak",
    "alive",
    TOGETHER,
    "net MiB",
];
/// The most brackets that are told of below the table.
const BRACKETS: usize = 4;

/// The line table of `profile`, to be printed.
///
/// ```
/// #[memprof::profile_memory]
/// fn work() -> Vec<u8> {
///     vec![1; 1 << 20]
/// }
///
/// # let dir = std::env::temp_dir().join("memprof-doc");
/// # memprof::Settings::new().dir(dir).quiet(true).apply().unwrap();
/// work();
/// let run = memprof::snapshot().expect("a call was made");
/// for function in &run.functions {
///     println!("{}", memprof::report::line_table(function));
/// }
/// ```
pub fn line_table(profile: &FunctionProfile) -> LineTable<'_> {
    LineTable {
        profile,
        width: None,
        styled: false,
    }
}

/// A line table, made by [`line_table`]; its `Display` prints it.
#[derive(Debug, Clone, Copy)]
pub struct LineTable<'a> {
    profile: &'a FunctionProfile,
    width: Option<usize>,
    styled: bool,
}

impl LineTable<'_> {
    /// Makes room so that no row is wider than this many columns: the bars go first, then the figures
    /// that matter least, and source is cut. A note below, which has as many lines as it needs, names
    /// the figures that are left out.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.width = Some(columns);
        self
    }

    /// Adds colours (ANSI codes) and a bar for each line's peak. Print it through `anstream`, which
    /// takes the codes out again where they are not wanted.
    #[must_use]
    pub fn styled(mut self) -> Self {
        self.styled = true;
        self
    }

    /// The table in pieces and without colours, for a view that scrolls.
    pub fn parts(&self) -> LineTableParts {
        let rows = rows(self.profile);
        let layout = LineTable {
            styled: false,
            ..*self
        }
        .layout(columns(&rows, self.profile));
        let mut numbers = layout.numbers.iter();
        let heading = numbers.next().map_or("", String::as_str);
        LineTableParts {
            heading: format!("{heading}  source"),
            rows: rows
                .iter()
                .zip(numbers)
                .map(|(row, numbers)| (row.number, self.row_text(row, numbers)))
                .collect(),
            notes: self.footnotes(&rows, &layout.left_out),
        }
    }
}

/// The pieces of a line table; every line of it is one line of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineTableParts {
    /// The names of the columns.
    pub heading: String,
    /// Every line of the function's text: its number in the source file, and its row.
    pub rows: Vec<(u32, String)>,
    /// What the marks in the rows mean, as far as they occur.
    pub notes: Vec<String>,
}

impl fmt::Display for LineTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = rows(self.profile);
        let layout = self.layout(columns(&rows, self.profile));
        let mut numbers = layout.numbers.iter();
        self.write_heading(f, numbers.next().map_or("", String::as_str), layout.has_bar)?;
        let top = line_to_look_at(self.profile);
        for (row, numbers) in rows.iter().zip(numbers) {
            self.write_row(f, row, numbers, top, layout.has_bar)?;
        }
        self.write_footnotes(f, &rows, &layout.left_out)
    }
}

impl LineTable<'_> {
    /// What there is room for.
    fn layout(&self, mut columns: Vec<Column>) -> Layout {
        let mut layout = Layout {
            numbers: numbers(&columns),
            has_bar: self.styled,
            left_out: Vec::new(),
        };
        let room = self
            .width
            .unwrap_or(usize::MAX)
            .saturating_sub(LEAST_SOURCE + 2);
        while layout.used() > room {
            let least = FIRST_TO_GO
                .iter()
                .find_map(|title| columns.iter().rposition(|c| c.title.starts_with(title)));
            match least {
                _ if layout.has_bar => layout.has_bar = false,
                Some(least) => {
                    layout.left_out.insert(0, columns.remove(least).title);
                    layout.numbers = numbers(&columns);
                }
                None => break,
            }
        }
        layout
    }

    fn write_heading(
        &self,
        f: &mut fmt::Formatter<'_>,
        heading: &str,
        has_bar: bool,
    ) -> fmt::Result {
        let bar = if has_bar { BAR + 2 } else { 0 };
        let rule = "─".repeat(width(heading) + bar + "  source".len());
        let bar = " ".repeat(bar);
        let (on, off) = self.codes(HEADER);
        writeln!(f, "{on}{heading}{bar}  source{off}\n{on}{rule}{off}")
    }

    fn write_row(
        &self,
        f: &mut fmt::Formatter<'_>,
        row: &Row<'_>,
        numbers: &str,
        top: Option<&Line>,
        has_bar: bool,
    ) -> fmt::Result {
        let is_top = top.is_some() && row.line.map(|l| l.line) == top.map(|l| l.line);
        let (on, off) = match row.executed() {
            Some(_) if is_top => self.codes(TOP),
            None if row.line.is_some() => self.codes(NOT_RUN),
            _ => self.codes(Style::new()),
        };
        let bar = if has_bar {
            format!("  {}", self.bar(row))
        } else {
            String::new()
        };
        let text = self.row_text(row, &format!("{numbers}{bar}"));
        writeln!(f, "{on}{text}{off}")
    }

    /// `figures` with the row's source beside them.
    fn row_text(&self, row: &Row<'_>, figures: &str) -> String {
        let mut source = source_line(row.source);
        if let Some(columns) = self.width {
            let left = columns.saturating_sub(width(figures) + 2);
            source = truncate(&source, left);
        }
        format!("{figures}  {source}").trim_end().to_owned()
    }

    fn write_footnotes(
        &self,
        f: &mut fmt::Formatter<'_>,
        rows: &[Row<'_>],
        left_out: &[String],
    ) -> fmt::Result {
        let (on, off) = self.codes(HEADER);
        for note in self.footnotes(rows, left_out) {
            writeln!(f, "{on}{note}{off}")?;
        }
        Ok(())
    }

    /// What the marks mean; only the ones that occur. Where the table must not be wider than the
    /// terminal, neither are they.
    fn footnotes(&self, rows: &[Row<'_>], left_out: &[String]) -> Vec<String> {
        let notes = self.notes(rows, left_out).into_iter();
        match self.width {
            Some(columns) => notes
                .map(|note| wrapped(&note, "  ", columns).join("\n"))
                .collect(),
            None => notes.collect(),
        }
    }

    fn notes(&self, rows: &[Row<'_>], left_out: &[String]) -> Vec<String> {
        let is_shown = |title: &str| !left_out.iter().any(|column| column.starts_with(title));
        let mut notes = Vec::new();
        if !left_out.is_empty() {
            notes.push(format!(
                "Left out for want of room: {}.",
                left_out.join(", ")
            ));
        }
        if self.profile.lines.is_empty() {
            notes.push("Lines were not measured (lines = false).".to_owned());
        }
        let partial: Vec<_> = rows
            .iter()
            .filter_map(Row::executed)
            .filter(|l| in_part(l))
            .collect();
        if !partial.is_empty() {
            let hits: u128 = partial.iter().map(|line| u128::from(line.hits)).sum();
            let readings: u128 = partial.iter().map(|line| u128::from(line.readings)).sum();
            notes.push(format!(
                "~ measured in part: {readings} of {hits} hits ended with a reading of their own. Hits are exact;\n  \
                 the time between two readings is counted on one line, chosen by chance in favour of those that take long."
            ));
        }
        let brackets = Brackets::new(self.profile, rows);
        if is_shown(TOGETHER) && !brackets.all.is_empty() {
            notes.push("╭ between two readings several of these lines ran: what RSS changed by is theirs together, and in no line's own figures.".to_owned());
            notes.extend(together(&brackets, BRACKETS));
        }
        let has_workers = |row: &Row<'_>| row.line.is_some_and(|line| line.workers.is_some());
        if is_shown("worker") && rows.iter().any(has_workers) {
            notes.push("worker: closures of this line that ran on threads other than the caller's; not part of the sums.".to_owned());
        }
        if rows.iter().filter_map(Row::executed).any(is_shared) {
            notes.push("* other threads worked on memory meanwhile: how much of the change of RSS is this line's own is an estimate.".to_owned());
        }
        if is_shown("suspended") && self.profile.lines.iter().any(|line| line.suspended > 0) {
            notes.push("suspended: calls that stand at this line; held: heap that these allocated and did not free.".to_owned());
        }
        if is_shown("elsewhere") && has_elsewhere(self.profile) {
            notes.push("elsewhere: what other threads allocated less what they freed while the line ran, whatever for.".to_owned());
        }
        notes
    }

    /// The line's peak as a share of the highest one, in eighths of a cell.
    fn bar(&self, row: &Row<'_>) -> String {
        let Some(line) = row.executed() else {
            return " ".repeat(BAR);
        };
        let highest = self.profile.lines.iter().map(peak).max();
        crate::text::bar::bar(peak(line), highest.unwrap_or(0), BAR)
    }

    /// The codes around a piece of text in `style`; nothing where no style is wanted.
    fn codes(&self, style: Style) -> (String, String) {
        if self.styled {
            (style.render().to_string(), style.render_reset().to_string())
        } else {
            Default::default()
        }
    }
}

/// What of the table a terminal has room for.
struct Layout {
    /// The heading and one text for each row, all of one width, holding everything but the source.
    numbers: Vec<String>,
    has_bar: bool,
    /// Titles of the columns that are not in `numbers`.
    left_out: Vec<String>,
}

impl Layout {
    /// Columns that all but the source takes.
    fn used(&self) -> usize {
        let numbers = self.numbers.first().map_or(0, |row| width(row));
        numbers + if self.has_bar { BAR + 2 } else { 0 }
    }
}

/// The peak that a line's bar shows.
fn peak(line: &Line) -> u64 {
    own_line_heap(line).map_or(line.peak_rss, |heap| heap.peak)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use proptest::prelude::*;

    #[test]
    fn the_demo() {
        insta::assert_snapshot!(line_table(&fixture::inverse().functions[0]));
    }

    #[test]
    fn lines_measured_in_part_are_marked_and_explained() {
        insta::assert_snapshot!(line_table(&fixture::in_part().functions[0]));
    }

    #[test]
    fn lines_that_were_read_together_have_a_bracket() {
        let run = fixture::grouped();
        let table = line_table(&run.functions[0]).to_string();
        let row = |number: &str| {
            table
                .lines()
                .find(|row| row.trim_start().starts_with(number))
        };
        assert!(row("33 ").unwrap().contains("╭ +29.00"), "{table}");
        for (number, piece) in [("34 ", '├'), ("35 ", '╰')] {
            assert!(row(number).unwrap().contains(piece), "{table}");
        }
        assert!(!row("32 ").unwrap().contains('│'), "{table}");
        let told = "Lines 33 to 35 together: net +29.00 MiB, peak 0.750 MiB.";
        assert!(table.contains(told), "{table}");
    }

    #[test]
    fn what_was_called_stands_beside_what_the_lines_did_themselves() {
        let run = fixture::leaking();
        let heading = |place: usize| line_table(&run.functions[place]).parts().heading;
        for title in ["alive MiB", "self peak", "self alloc", "heap peak"] {
            assert!(heading(1).contains(title), "{}", heading(1));
        }
        // What calls nothing has one kind of figures.
        assert_eq!(run.functions[4].label, "render");
        assert!(!heading(4).contains("self"), "{}", heading(4));
    }

    #[test]
    fn heap_and_other_threads() {
        insta::assert_snapshot!(line_table(&fixture::heap().functions[1]));
    }

    #[test]
    fn suspended_calls_stand_at_their_lines() {
        insta::assert_snapshot!(line_table(&fixture::suspended().functions[1]));
    }

    #[test]
    fn the_pieces_are_what_is_printed() {
        for (name, run) in fixture::all() {
            for function in &run.functions {
                let table = line_table(function).width(80);
                let parts = table.styled().parts();
                let printed = table.to_string();
                let mut lines = printed.lines();
                assert_eq!(lines.next(), Some(parts.heading.as_str()), "{name}");
                let rows = parts.rows.iter().map(|(_, row)| row.as_str());
                assert!(rows.eq(lines.skip(1).take(parts.rows.len())), "{name}");
                assert!(parts.notes.iter().all(|note| printed.contains(note)));
            }
        }
    }

    #[test]
    fn the_width_of_the_terminal_is_respected() {
        for (name, run) in fixture::all() {
            for function in &run.functions {
                for columns in [30, 40, 50, 60, 80, 160] {
                    for table in [line_table(function), line_table(function).styled()] {
                        let table = table.width(columns).to_string();
                        let shown = anstream::adapter::strip_str(&table).to_string();
                        assert!(
                            shown.lines().all(|line| width(line) <= columns),
                            "{name} at {columns}:\n{shown}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_narrow_terminal_does_without_some_figures_and_says_so() {
        let run = fixture::heap();
        let at = |columns| line_table(&run.functions[1]).width(columns).to_string();
        insta::assert_snapshot!(format!("{}\n{}\n{}", at(100), at(60), at(40)));
    }

    #[test]
    fn hostile_source_reaches_no_terminal() {
        for function in &fixture::hostile().functions {
            let table = line_table(function).to_string();
            assert!(!table.contains(['\u{1b}', '\u{202e}', '\t', '\u{2028}']));
        }
    }

    proptest! {
        /// Whatever the numbers, source begins in the same column in every row.
        #[test]
        fn rows_are_aligned(figures in prop::collection::vec((any::<u64>(), any::<u64>(), any::<i64>(), any::<u64>()), 8)) {
            let mut function = fixture::inverse().functions.remove(0);
            function.source = function.source.lines().map(|_| "@\n").collect();
            for (line, (hits, time, net, peak)) in function.lines.iter_mut().zip(figures) {
                (line.hits, line.time_ns, line.net_rss, line.peak_rss) = (hits, time, net, peak);
            }
            for table in [line_table(&function), line_table(&function).styled()] {
                let shown = anstream::adapter::strip_str(&table.to_string()).to_string();
                let at: Vec<_> = shown.lines().filter_map(|l| l.split_once('@')).map(|(before, _)| width(before)).collect();
                prop_assert_eq!(at.len(), function.source.lines().count());
                prop_assert!(at.iter().all(|&column| column == at[0]), "{}", shown);
            }
        }
    }
}
