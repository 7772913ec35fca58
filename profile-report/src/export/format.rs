//! The names of the formats.

use std::fmt;
use std::str::FromStr;

/// A format that a run can be exported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `csv`: `samples.csv` and `lines.csv`.
    Csv,
    /// `trace`: `trace.json`, a Chrome trace.
    Trace,
    /// `pprof`: `profile.pb.gz`.
    Pprof,
    /// `markdown`: `summary.md`.
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 4] = [Format::Csv, Format::Trace, Format::Pprof, Format::Markdown];

    /// Its name, which [`Format::from_str`] reads.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Trace => "trace",
            Format::Pprof => "pprof",
            Format::Markdown => "markdown",
        }
    }

    /// The formats in a list such as `csv,trace`; blanks and empty places do not matter.
    ///
    /// # Errors
    /// When one is not known.
    pub fn list(names: &str) -> Result<Vec<Format>, UnknownFormat> {
        let names = names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names.map(str::parse).collect()
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Format::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// There is no format of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Format::ALL.map(Format::name).join(", ");
        write!(f, "{:?} is no format; there are {names}", self.0)
    }
}

impl std::error::Error for UnknownFormat {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!(
            Format::list(" csv,, pprof "),
            Ok(vec![Format::Csv, Format::Pprof])
        );
        let all = Format::ALL.map(Format::name).join(",");
        assert_eq!(Format::list(&all), Ok(Format::ALL.to_vec()));
        let error = Format::list("csv,xml").unwrap_err().to_string();
        assert_eq!(
            error,
            "\"xml\" is no format; there are csv, trace, pprof, markdown"
        );
    }
}
