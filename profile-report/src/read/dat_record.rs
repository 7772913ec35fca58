//! One line of an mprof file → a record, as mprof 0.61 understands it.

use std::fmt;

use crate::text::visible::{truncate, visible};

/// A longer line is refused: more than a command line can be.
const LONGEST_LINE: usize = 4 << 20;
/// The most columns of a line that an error quotes.
const QUOTED: usize = 80;

/// A reading of memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// Epoch seconds.
    pub time: f64,
    /// MiB; mprof writes -1 when the process was already gone.
    pub mib: f64,
}

/// A line of an mprof file.
#[derive(Debug, Clone, PartialEq)]
pub enum DatRecord<'a> {
    /// `CMDLINE`: the command.
    CommandLine(&'a str),
    /// `MEM`: the process, or with `--include-children` it and its children in sum.
    Memory(Memory),
    /// `CHLD`: a child process, with `--multiprocess`.
    Child {
        /// mprof numbers children by process identifier or by place, as its version has it.
        child: &'a str,
        /// Its memory.
        memory: Memory,
    },
    /// `FUNC`: a call of a function.
    Function {
        /// `module.function`.
        name: &'a str,
        /// At its entry.
        entry: Memory,
        /// At its exit.
        exit: Memory,
        /// How many recorded calls were around it; versions before 0.58 do not tell.
        level: Option<u32>,
    },
    /// A kind that mprof does not know and skips.
    Other {
        /// The first word.
        kind: &'a str,
        /// What stands behind the space after it.
        value: &'a str,
    },
}

/// What is wrong with which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatError {
    /// Number of the line, from 1.
    pub line: usize,
    reason: String,
}

impl fmt::Display for DatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for DatError {}

/// The records of an mprof file, one after the other; a bad line does not end them.
///
/// The last line of a file that is being written, or whose writer was killed, may be half there. It is
/// none of the records, even where it looks like one: [`DatRecords::torn`] gives it back.
///
/// ```
/// use memprof::report::{DatRecord, DatRecords};
///
/// let mut records = DatRecords::new(b"CMDLINE ./a\nMEM 1.5 1700000000.25\nMEM 2.5 17000");
/// assert_eq!(records.next(), Some(Ok(DatRecord::CommandLine("./a"))));
/// assert!(matches!(records.next(), Some(Ok(DatRecord::Memory(memory))) if memory.mib == 1.5));
/// assert_eq!(records.next(), None);
/// assert_eq!(records.torn(), Some(&b"MEM 2.5 17000"[..]));
/// ```
#[derive(Debug, Clone)]
pub struct DatRecords<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> DatRecords<'a> {
    /// The records of a file's bytes.
    pub fn new(file: &'a [u8]) -> Self {
        Self {
            rest: file,
            line: 0,
        }
    }

    /// What stands behind the last end of a line: nothing in a file that was written to its end. To be
    /// asked when all records have been taken.
    pub fn torn(&self) -> Option<&'a [u8]> {
        (!self.rest.is_empty() && !self.rest.contains(&b'\n')).then_some(self.rest)
    }
}

impl<'a> Iterator for DatRecords<'a> {
    type Item = Result<DatRecord<'a>, DatError>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = self.rest.iter().position(|&byte| byte == b'\n')?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        self.line += 1;
        Some(record(line).map_err(|reason| DatError {
            line: self.line,
            reason,
        }))
    }
}

/// Reads one line, which does not contain its end.
fn record(line: &[u8]) -> Result<DatRecord<'_>, String> {
    if line.len() > LONGEST_LINE {
        return Err(format!("it is {} bytes long", line.len()));
    }
    let text = str::from_utf8(line).map_err(|_| "it is no text".to_owned())?;
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("it is empty, which mprof takes for a run without samples".to_owned());
    }
    let (kind, value) = text
        .split_once(' ')
        .ok_or_else(|| format!("{} is no record", quoted(text)))?;
    let understood = match kind {
        "CMDLINE" => Some(DatRecord::CommandLine(value)),
        "MEM" => memory(value).map(DatRecord::Memory),
        "CHLD" => value.split_once(' ').and_then(|(child, value)| {
            memory(value).map(|memory| DatRecord::Child { child, memory })
        }),
        "FUNC" => function(value),
        _ => Some(DatRecord::Other { kind, value }),
    };
    understood.ok_or_else(|| format!("{} is not what mprof writes", quoted(text)))
}

fn quoted(text: &str) -> String {
    format!("“{}”", truncate(&visible(text), QUOTED))
}

/// `MiB seconds`; what may follow is nobody's concern.
fn memory(value: &str) -> Option<Memory> {
    let mut fields = value.split(' ');
    Some(Memory {
        mib: number(fields.next()?)?,
        time: number(fields.next()?)?,
    })
}

/// `name MiB seconds MiB seconds [level]`.
///
/// A name is one word to mprof, which stumbles over its own files when a block was given a name of
/// several: here the numbers are counted from the end.
fn function(value: &str) -> Option<DatRecord<'_>> {
    let from_the_end = |n: usize| value.match_indices(' ').map(|(at, _)| at).rev().nth(n - 1);
    // mprof's own way first; then five numbers behind the name, and four.
    [value.find(' '), from_the_end(5), from_the_end(4)]
        .into_iter()
        .flatten()
        .find_map(|at| function_named(value.get(..at)?, value.get(at + 1..)?))
}

fn function_named<'a>(name: &'a str, figures: &str) -> Option<DatRecord<'a>> {
    let mut fields = figures.split(' ');
    let mut next = || number(fields.next()?);
    let (entry_mib, entry_time, exit_mib, exit_time) = (next()?, next()?, next()?, next()?);
    let level = match fields.next() {
        Some(level) => Some(level.parse().ok()?),
        None => None,
    };
    Some(DatRecord::Function {
        name,
        entry: Memory {
            time: entry_time,
            mib: entry_mib,
        },
        exit: Memory {
            time: exit_time,
            mib: exit_mib,
        },
        level,
    })
}

/// A number that can be calculated with.
fn number(text: &str) -> Option<f64> {
    /// Neither MiB nor seconds since 1970 come near it.
    const MOST: f64 = 1e11;
    text.parse()
        .ok()
        .filter(|number: &f64| number.abs() <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(line: &str) -> Result<DatRecord<'_>, String> {
        record(line.as_bytes())
    }

    fn at(mib: f64, time: f64) -> Memory {
        Memory { time, mib }
    }

    #[test]
    fn every_kind_of_mprof() {
        assert_eq!(
            one("CMDLINE a 'b c'  d"),
            Ok(DatRecord::CommandLine("a 'b c'  d"))
        );
        assert_eq!(
            one("MEM 12.5 1700000000.2500"),
            Ok(DatRecord::Memory(at(12.5, 1_700_000_000.25)))
        );
        assert_eq!(
            one("MEM -1.000000 5.0\r"),
            Ok(DatRecord::Memory(at(-1.0, 5.0)))
        );
        assert_eq!(
            one("CHLD 2 0.5 7"),
            Ok(DatRecord::Child {
                child: "2",
                memory: at(0.5, 7.0)
            })
        );
        assert_eq!(
            one("JOURNAL 1 two"),
            Ok(DatRecord::Other {
                kind: "JOURNAL",
                value: "1 two"
            })
        );
    }

    #[test]
    fn functions_with_and_without_a_level_and_with_spaces_in_their_names() {
        for (line, name, level) in [
            ("FUNC main.f 1.5 10 2.5 20 3", "main.f", Some(3)),
            ("FUNC main.f 1.5 10 2.5 20", "main.f", None),
            (
                "FUNC .reading the file 1.5 10 2.5 20 0",
                ".reading the file",
                Some(0),
            ),
            ("FUNC .step 7 1.5 10 2.5 20.0000", ".step 7", None),
        ] {
            let expected = DatRecord::Function {
                name,
                entry: at(1.5, 10.0),
                exit: at(2.5, 20.0),
                level,
            };
            assert_eq!(one(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_mprof_would_not_take_is_refused_with_its_words() {
        for line in [
            "MEM",
            "MEM ",
            "MEM 1",
            "MEM x 1",
            "MEM nan 1",
            "MEM 1 inf",
            "MEM 1e99 1",
            "CHLD 1 2",
            "FUNC f 1 2 3",
            "FUNC f 1 2 3 x",
            "FUNC f",
            "nonsense",
            "",
        ] {
            assert!(one(line).is_err(), "{line:?}");
        }
        let error = one("MEM \u{1b}[31m 1").unwrap_err();
        assert!(
            error.contains("MEM") && !error.contains('\u{1b}'),
            "{error}"
        );
        let error = one(&format!("MEM {} 1", "9".repeat(10_000))).unwrap_err();
        assert!(error.len() < 300, "{error}");
        assert!(record(b"MEM \xff 1").is_err());
        assert!(one(&format!("X {}", "y".repeat(LONGEST_LINE))).is_err());
    }

    #[test]
    fn a_bad_line_has_its_number_and_does_not_end_the_file() {
        let mut records = DatRecords::new(b"MEM 1 1\nbad\n\nMEM 2 2\n");
        let errors: Vec<_> = records
            .by_ref()
            .filter_map(Result::err)
            .map(|e| e.line)
            .collect();
        assert_eq!(errors, [2, 3]);
        assert_eq!(records.torn(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(file in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut records = DatRecords::new(&file);
            let lines = records.by_ref().count();
            prop_assert_eq!(lines, file.iter().filter(|&&byte| byte == b'\n').count());
            prop_assert_eq!(records.torn().is_some(), !file.is_empty() && file.last() != Some(&b'\n'));
        }

        #[test]
        fn no_line_does_harm(line in "(MEM|CHLD|FUNC|CMDLINE|X) ?[ 0-9a-z.e+-]{0,40}") {
            let _ = one(&line);
        }
    }
}
