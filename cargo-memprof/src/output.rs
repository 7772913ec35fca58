//! What goes to the terminal: tables, JSON, and complaints.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
pub(crate) use memprof_report::internal::Align;
use memprof_report::text;
use serde::Serialize;

use crate::failure::{Failure, Outcome};

/// Width of what is printed where there is no terminal.
pub(crate) const COLUMNS: usize = 100;

/// What is less important than the rest.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// What a row is about.
pub(crate) const NAME: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints to stdout; colours are taken out where they are not wanted.
///
/// # Errors
/// When stdout cannot be written to. That nobody reads on (`| head`) is none.
pub(crate) fn say(text: impl Display) -> Outcome<()> {
    match writeln!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            "write to stdout",
            error,
            "write to a file instead",
        )),
        _ => Ok(()),
    }
}

/// One line on stderr that says what went wrong.
pub(crate) fn complain(text: &str) {
    // There is nobody left to tell if stderr is closed.
    let _ = writeln!(anstream::stderr(), "{ERROR}cargo-memprof:{ERROR:#} {text}");
}

/// A remark on stderr, beside what was asked for.
pub(crate) fn remark(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints `value` as JSON.
///
/// # Errors
/// As [`say`].
pub(crate) fn json(value: &impl Serialize) -> Outcome<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new("write JSON", error, "please report this"))?;
    say(text)
}

/// Writes a file that a command was asked for.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(file: &Path, contents: &[u8]) -> Outcome<()> {
    std::fs::write(file, contents).map_err(|error| {
        let tried = format!("write {}", file.display());
        Failure::new(tried, error, "name a file in a folder that can be written")
    })
}

/// `text` without colours, for a file.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Columns of the terminal that stdout is; nothing where it is none.
pub(crate) fn columns() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0.into())
}

/// A [`table`] that is at most `width` wide if that can be done by leaving out columns: those whose titles
/// are `first_to_go`, in this order.
pub(crate) fn fitting_table(
    columns: &[(&str, Align)],
    rows: &[Vec<String>],
    width: usize,
    first_to_go: &[&str],
) -> String {
    let text = table(columns, rows);
    let fits = plain(&text).lines().all(|line| text::width(line) <= width);
    let gone = first_to_go
        .iter()
        .enumerate()
        .find_map(|(at, title)| Some((at, columns.iter().position(|(own, _)| own == title)?)));
    let Some((at, gone)) = gone.filter(|_| !fits) else {
        return text;
    };
    let mut columns = columns.to_vec();
    columns.remove(gone);
    let without = |row: &Vec<String>| {
        let mut row = row.clone();
        row.remove(gone);
        row
    };
    let rows: Vec<_> = rows.iter().map(without).collect();
    fitting_table(&columns, &rows, width, &first_to_go[at + 1..])
}

/// A table of plain cells under a quiet heading, without borders.
pub(crate) fn table(columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let (titles, aligned): (Vec<_>, Vec<_>) = columns.iter().copied().unzip();
    let rows = rows
        .iter()
        .map(|row| row.iter().map(String::as_str).collect());
    let mut lines = memprof_report::internal::table(titles, rows, &aligned).into_iter();
    let heading = lines.next().unwrap_or_default();
    let mut text = format!("{QUIET}{}{QUIET:#}", heading.trim_end());
    for line in lines {
        text.push('\n');
        text.push_str(line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_table_does_without_what_matters_least() {
        let columns = [
            ("run", Align::Right),
            ("time", Align::Right),
            ("name", Align::Left),
        ];
        let rows = [["0", "1.000 s", "words"].map(str::to_owned).to_vec()];
        let at = |width| plain(&fitting_table(&columns, &rows, width, &["time", "run"]));
        assert_eq!(at(80), "run     time  name\n  0  1.000 s  words");
        assert_eq!(at(19), at(80));
        assert_eq!(at(18), "run  name\n  0  words");
        assert_eq!(at(5), "name\nwords");
        assert_eq!(at(1), "name\nwords", "something is left");
    }
}
