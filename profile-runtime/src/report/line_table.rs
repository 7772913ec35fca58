//! The line table as text: one row for each line of the function's source, numbers aligned.

use std::fmt;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};

use super::line_rows::{Row, highest, in_part, is_shared, marks, rows};
use super::units::{TimeUnit, align_points, mib, signed_mib};
use super::verdict::others_show;
use super::visible::{source_line, truncate, width};
use crate::run::{HeapFigures, Line, Profile};

const HEADER: Style = Style::new().dimmed();
const HIGHEST: Style = AnsiColor::Yellow.on_default().bold();
const NOT_RUN: Style = Style::new().dimmed();
/// Cells of the bar that shows a line's peak.
const BAR: usize = 8;
/// Source keeps this many columns, also in a terminal that is too narrow for the numbers.
const LEAST_SOURCE: usize = 24;

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
pub fn line_table(profile: &Profile) -> LineTable<'_> {
    LineTable {
        profile,
        width: None,
        styled: false,
    }
}

/// A line table, made by [`line_table`]; its `Display` prints it.
#[derive(Debug, Clone, Copy)]
pub struct LineTable<'a> {
    profile: &'a Profile,
    width: Option<usize>,
    styled: bool,
}

impl LineTable<'_> {
    /// Cuts source so that no row is wider than this many columns.
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
}

impl fmt::Display for LineTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = rows(self.profile);
        let mut numbers = numbers(&rows, self.profile).into_iter();
        let heading = numbers.next().unwrap_or_default();
        self.write_heading(f, &heading)?;
        let highest = highest(self.profile);
        for (row, numbers) in rows.iter().zip(numbers) {
            self.write_row(f, row, &numbers, highest)?;
        }
        self.write_footnotes(f, &rows)
    }
}

impl LineTable<'_> {
    fn write_heading(&self, f: &mut fmt::Formatter<'_>, heading: &str) -> fmt::Result {
        let bar = if self.styled { BAR + 2 } else { 0 };
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
        highest: Option<&Line>,
    ) -> fmt::Result {
        let is_highest = highest.is_some() && row.line.map(|l| l.line) == highest.map(|l| l.line);
        let (on, off) = match row.executed() {
            Some(_) if is_highest => self.codes(HIGHEST),
            None if row.line.is_some() => self.codes(NOT_RUN),
            _ => self.codes(Style::new()),
        };
        let bar = if self.styled {
            format!("  {}", bar(row, highest))
        } else {
            String::new()
        };
        let mut source = source_line(row.source);
        if let Some(columns) = self.width {
            let left = columns.saturating_sub(width(numbers) + width(&bar) + 2);
            source = truncate(&source, left.max(LEAST_SOURCE));
        }
        let text = format!("{numbers}{bar}  {source}");
        writeln!(f, "{on}{}{off}", text.trim_end())
    }

    /// What the marks mean; only the ones that occur.
    fn write_footnotes(&self, f: &mut fmt::Formatter<'_>, rows: &[Row<'_>]) -> fmt::Result {
        let mut notes = Vec::new();
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
                 what happened between two readings is counted on one line, chosen by chance in favour of those that take long."
            ));
        }
        if rows
            .iter()
            .any(|row| row.line.is_some_and(|line| line.workers.is_some()))
        {
            notes.push("worker: closures of this line that ran on threads other than the caller's; not part of the sums.".to_owned());
        }
        if rows.iter().filter_map(Row::executed).any(is_shared) {
            notes.push("* other annotated calls, or other threads that touched new memory, ran meanwhile: the changes of RSS may be theirs.".to_owned());
        }
        if has_elsewhere(self.profile) {
            notes.push("elsewhere: what other threads allocated less what they freed while the line ran, whatever for.".to_owned());
        }
        let (on, off) = self.codes(HEADER);
        for note in notes {
            writeln!(f, "{on}{note}{off}")?;
        }
        Ok(())
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

/// The heading and one text for each row, all of one width, holding everything but the source.
fn numbers(rows: &[Row<'_>], profile: &Profile) -> Vec<String> {
    let columns = columns(rows, profile);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| &column.title));
    for i in 0..rows.len() {
        table.add_row(columns.iter().map(|column| &column.cells[i]));
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if i == 0 { 0 } else { 2 }, 0));
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().collect()
}

/// A column of the table, a cell for each row.
struct Column {
    title: String,
    cells: Vec<String>,
}

fn columns(rows: &[Row<'_>], profile: &Profile) -> Vec<Column> {
    let time = TimeUnit::for_longest(
        profile
            .lines
            .iter()
            .map(|line| line.time_ns)
            .max()
            .unwrap_or(0),
    );
    let cell = |title: &str, show: &dyn Fn(&Line) -> Option<String>| {
        let mut cells: Vec<_> = rows
            .iter()
            .map(|row| row.executed().and_then(show).unwrap_or_default())
            .collect();
        align_points(&mut cells);
        Column {
            title: title.to_owned(),
            cells,
        }
    };
    let mut columns = vec![
        Column {
            title: "line".to_owned(),
            cells: rows.iter().map(|row| row.number.to_string()).collect(),
        },
        cell("hits", &|line| nonzero(line.hits)),
        cell(&format!("time {}", time.symbol()), &|line| {
            (line.time_ns > 0).then(|| time.number(line.time_ns))
        }),
        cell("RSS MiB", &|line| line.max_rss.map(mib)),
        cell("net MiB", &|line| signed(line.net_rss)),
        cell("peak MiB", &|line| size(line.peak_rss)),
    ];
    if rows
        .iter()
        .filter_map(Row::executed)
        .any(|line| !marks(line).is_empty())
    {
        columns.insert(2, cell("", &|line| Some(marks(line).to_owned())));
    }
    let lines = || profile.lines.iter();
    if lines().any(|line| line.heap.is_some()) {
        let heap = |title: &str, show: &dyn Fn(&HeapFigures) -> Option<String>| {
            cell(title, &|line| line.heap.as_ref().and_then(show))
        };
        columns.extend([
            heap("alloc MiB", &|heap| size(heap.allocated)),
            heap("freed MiB", &|heap| size(heap.freed)),
            heap("heap peak", &|heap| size(heap.peak)),
            heap("allocs", &|heap| nonzero(heap.allocations)),
        ]);
    }
    if has_elsewhere(profile) {
        columns.push(cell("elsewhere MiB", &|line| {
            signed(line.heap_elsewhere?.net)
        }));
    }
    if lines().any(|line| line.workers.is_some()) {
        columns.extend([
            cell("worker hits", &|line| {
                line.workers.and_then(|w| nonzero(w.hits))
            }),
            cell(&format!("time {}", time.symbol()), &|line| {
                line.workers.map(|w| time.number(w.time_ns))
            }),
        ]);
    }
    columns
}

/// Whether other threads used the heap while a line ran.
pub(crate) fn has_elsewhere(profile: &Profile) -> bool {
    let mut others = profile.lines.iter().filter_map(|line| line.heap_elsewhere);
    others.any(|heap| others_show(&heap))
}

fn nonzero(count: u64) -> Option<String> {
    (count > 0).then(|| count.to_string())
}

fn size(bytes: u64) -> Option<String> {
    (bytes > 0).then(|| mib(bytes))
}

fn signed(bytes: i64) -> Option<String> {
    (bytes != 0).then(|| signed_mib(bytes))
}

/// The line's peak as a share of the highest line's, in eighths of a cell.
fn bar(row: &Row<'_>, highest: Option<&Line>) -> String {
    let (Some(line), Some(highest)) = (row.executed(), highest) else {
        return " ".repeat(BAR);
    };
    super::bar::bar(line.peak_rss, highest.peak_rss, BAR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
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
    fn heap_and_other_threads() {
        insta::assert_snapshot!(line_table(&fixture::heap().functions[1]));
    }

    #[test]
    fn the_width_of_the_terminal_is_respected() {
        for (name, run) in fixture::all() {
            for function in &run.functions {
                let table = line_table(function).width(160).to_string();
                let rows = table.lines().skip(2).take(function.source.lines().count());
                assert!(
                    rows.clone().all(|line| width(line) <= 160),
                    "{name}:\n{table}"
                );
            }
        }
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
