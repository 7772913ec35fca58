//! A whole mprof file as data.

use std::collections::HashMap;
use std::path::Path;

use super::dat_record::{DatRecord, DatRecords, Memory};
use crate::bounded_file::{self, Links};
use crate::error::ReportError;
use crate::text::visible::{truncate, visible};

/// Ten samples a second for three months.
const LARGEST: u64 = 256 << 20;
/// The most functions, and the most children, that are told apart.
const MOST_NAMES: usize = 100_000;
/// The most columns that are kept of a torn line, for a message.
const QUOTED: usize = 80;

/// What an mprof file says: Python's `mprofile_*.dat`, or memprof's `mprofile.dat`.
///
/// Memory is in MiB and time in seconds since 1970, as in the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatFile {
    /// The command line.
    pub command: Option<String>,
    /// The process over time, in the order of the file.
    pub memory: Vec<Memory>,
    /// Its children (`mprof run --multiprocess`), in order of their first reading.
    pub children: Vec<ChildMemory>,
    /// Its functions, in order of their first call in the file.
    pub functions: Vec<DatFunction>,
    /// How many records are of kinds that mprof does not know; [`DatRecords`] hands them out.
    pub others: usize,
    /// The last line, if it does not end: its writer was killed, or is still writing. It is not among
    /// the records.
    pub torn: Option<String>,
}

/// A child process over time.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildMemory {
    /// What mprof calls it: a number.
    pub child: String,
    /// Its memory, in the order of the file.
    pub memory: Vec<Memory>,
}

/// A function and its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct DatFunction {
    /// `module.function`.
    pub name: String,
    /// In the order of the file.
    pub calls: Vec<DatCall>,
}

/// A call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DatCall {
    /// Time and memory at its entry.
    pub entry: Memory,
    /// Time and memory at its exit.
    pub exit: Memory,
    /// How many recorded calls were around it, where the file tells.
    pub level: Option<u32>,
}

impl DatFile {
    /// The highest memory in MiB, as `mprof peak` prints it; `None` without memory.
    pub fn peak(&self) -> Option<f64> {
        highest(self.memory.iter())
    }

    /// The highest memory in MiB that was read during calls of `function`, as
    /// `mprof peak --func` prints it; `None` if there is no such function, or nothing was read.
    pub fn peak_of(&self, function: &str) -> Option<f64> {
        let function = self.functions.iter().find(|f| f.name == function)?;
        let during = |memory: &&Memory| {
            let mut calls = function.calls.iter();
            calls.any(|call| (call.entry.time..=call.exit.time).contains(&memory.time))
        };
        highest(self.memory.iter().filter(during))
    }
}

impl ChildMemory {
    /// The highest memory in MiB; `None` without memory.
    pub fn peak(&self) -> Option<f64> {
        highest(self.memory.iter())
    }
}

fn highest<'a>(memory: impl Iterator<Item = &'a Memory>) -> Option<f64> {
    memory.map(|memory| memory.mib).max_by(f64::total_cmp)
}

/// Reads an mprof file: Python's `mprofile_*.dat`, or memprof's `mprofile.dat`.
///
/// # Errors
/// When the file cannot be read, is no regular file, is larger than 256 MiB, or a line other than the
/// last is not what mprof writes. The message names the line.
pub fn read_dat(path: impl AsRef<Path>) -> Result<DatFile, ReportError> {
    let path = path.as_ref();
    let bytes = bounded_file::read(path, Links::Follow, LARGEST)
        .map_err(|e| ReportError::read_dat(path, e))?;
    from_records(&bytes).map_err(|reason| ReportError::read_dat(path, reason))
}

/// What the text of an mprof file says.
///
/// ```
/// let file = memprof::report::parse_dat(b"CMDLINE ./a\nMEM 1.5 1700000000.25\nFUNC m.f 1 2 3 4 0\n")?;
/// assert_eq!(file.peak(), Some(1.5));
/// assert_eq!(file.functions[0].name, "m.f");
/// # Ok::<(), memprof::report::ReportError>(())
/// ```
///
/// # Errors
/// As those of [`read_dat`].
pub fn parse_dat(text: &[u8]) -> Result<DatFile, ReportError> {
    from_records(text).map_err(ReportError::read_dat_text)
}

fn from_records(text: &[u8]) -> Result<DatFile, String> {
    // Names and the command line may be in any encoding: their letters that are no UTF-8 are replaced.
    let text = String::from_utf8_lossy(text);
    let mut reading = Reading::default();
    let mut records = DatRecords::new(text.as_bytes());
    for record in records.by_ref() {
        reading.add(record.map_err(|e| e.to_string())?)?;
    }
    let mut file = reading.file;
    let torn = records.torn().map(String::from_utf8_lossy);
    file.torn = torn.map(|text| truncate(&visible(&text), QUOTED));
    if file.command.is_none() && file.memory.is_empty() && file.functions.is_empty() {
        return Err("it holds neither a command line nor memory".to_owned());
    }
    Ok(file)
}

/// A file that is being read, and where in it a name's records go.
#[derive(Default)]
struct Reading {
    file: DatFile,
    children: HashMap<String, usize>,
    functions: HashMap<String, usize>,
}

impl Reading {
    fn add(&mut self, record: DatRecord<'_>) -> Result<(), String> {
        let file = &mut self.file;
        match record {
            DatRecord::CommandLine(command) => file.command = Some(command.to_owned()),
            DatRecord::Memory(memory) => file.memory.push(memory),
            DatRecord::Child { child, memory } => {
                let new = |child| ChildMemory {
                    child,
                    memory: Vec::new(),
                };
                entry(&mut file.children, &mut self.children, child, new)?
                    .memory
                    .push(memory);
            }
            DatRecord::Function {
                name,
                entry: start,
                exit,
                level,
            } => {
                let call = DatCall {
                    entry: start,
                    exit,
                    level,
                };
                let new = |name| DatFunction {
                    name,
                    calls: Vec::new(),
                };
                entry(&mut file.functions, &mut self.functions, name, new)?
                    .calls
                    .push(call);
            }
            DatRecord::Other { .. } => file.others += 1,
        }
        Ok(())
    }
}

/// The entry of `name` in `list`, a new one if need be.
fn entry<'a, T>(
    list: &'a mut Vec<T>,
    places: &mut HashMap<String, usize>,
    name: &str,
    new: impl FnOnce(String) -> T,
) -> Result<&'a mut T, String> {
    let place = match places.get(name) {
        Some(&place) => place,
        None if list.len() == MOST_NAMES => {
            return Err(format!(
                "it names more than {MOST_NAMES} functions or children"
            ));
        }
        None => {
            places.insert(name.to_owned(), list.len());
            list.push(new(name.to_owned()));
            list.len() - 1
        }
    };
    list.get_mut(place)
        .ok_or_else(|| "its names are in disorder".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::format::mprof;

    #[test]
    fn children_and_functions_are_put_together() {
        let file = parse_dat(
            b"CMDLINE p\nMEM 3 10\nCHLD 0 1 10\nCHLD 1 2 10\nMEM 5 11\nCHLD 0 4 11\nMEM 4 12\n\
              FUNC a 3 10 4 11 1\nFUNC b 0 0 0 0\nFUNC a 9 12 9 13 0\nLINES 1 2\n",
        )
        .unwrap();
        let counts: Vec<_> = file
            .functions
            .iter()
            .map(|f| (&f.name[..], f.calls.len()))
            .collect();
        assert_eq!(counts, [("a", 2), ("b", 1)]);
        let peaks: Vec<_> = file.children.iter().map(ChildMemory::peak).collect();
        assert_eq!(peaks, [Some(4.0), Some(2.0)]);
        assert_eq!((file.peak(), file.others, file.torn), (Some(5.0), 1, None));
    }

    #[test]
    fn peaks_are_those_of_mprof() {
        let file =
            parse_dat(b"MEM 3 10\nMEM 5 11\nMEM 4 12\nFUNC a 0 11.5 0 12\nFUNC b 0 20 0 21\n")
                .unwrap();
        assert_eq!(file.peak_of("a"), Some(4.0));
        assert_eq!((file.peak_of("b"), file.peak_of("c")), (None, None));
    }

    #[test]
    fn names_in_another_encoding_are_repaired() {
        let file = parse_dat(b"CMDLINE caf\xe9\nMEM 3 10\nFUNC caf\xe9.f 3 10 3 11 0\n").unwrap();
        assert_eq!(file.functions[0].name, "caf\u{fffd}.f");
        assert_eq!(file.memory.len(), 1);
    }

    #[test]
    fn the_torn_line_is_reported_and_not_counted() {
        let file = parse_dat(b"MEM 3 10\nMEM 9 1700\x1b").unwrap();
        assert_eq!(
            (file.memory.len(), &file.torn.unwrap()[..]),
            (1, "MEM 9 1700\\u{1b}")
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let said = parse_dat(b"CMDLINE p\nMEM 3 ten\nMEM 4 11\n")
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("line 2") && said.contains("MEM 3 ten") && said.contains("mprof"),
            "{said}"
        );
        let said = parse_dat(b"\x7fELF").unwrap_err().to_string();
        assert!(said.contains("neither a command line nor memory"), "{said}");
        let many: String = (0..=MOST_NAMES)
            .map(|i| format!("FUNC f{i} 1 1 1 1\n"))
            .collect();
        assert!(
            parse_dat(many.as_bytes())
                .unwrap_err()
                .to_string()
                .contains("100000")
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(read_dat(folder.path()).is_err());
    }

    #[test]
    fn our_own_files_come_back() {
        for (name, run) in fixture::all() {
            let text = mprof::render(&run).unwrap();
            let file = parse_dat(text.as_bytes()).unwrap();
            assert_eq!(file.torn, None, "{name}");
            let calls: usize = file.functions.iter().map(|f| f.calls.len()).sum();
            let recorded: usize = run.functions.iter().map(|f| f.read_calls().count()).sum();
            assert_eq!(calls, recorded, "{name}");
        }
    }
}
