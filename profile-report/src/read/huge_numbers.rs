//! A huge number in any field of any record is refused by every reader.

use std::collections::BTreeSet;

use serde_json::Value;

use super::numbers::{self, ANY_SIZE};
use super::{parse_dat, parse_journal, parse_run};
use crate::allowance::Allowance;
use crate::fixture;
use crate::format::json::{text_of, to_json};

/// Beyond the bound, whichever sign it has.
const HUGE: [&str; 2] = ["1152921504606846976", "-1152921504606846976"];

/// The paths to all numbers in `value`, as `serde_json` takes them.
fn fields(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(path.to_owned()),
        Value::Array(items) => {
            // Two items are like all others.
            for (i, item) in items.iter().enumerate().take(2) {
                fields(item, &format!("{path}/{i}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                fields(member, &format!("{path}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// A path to each number in `json`, and whether it may have any size.
fn all_fields(json: &Value) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    fields(json, "", &mut found);
    let with_size = |path: String| {
        let name = path.rsplit('/').find(|part| part.parse::<u8>().is_err());
        let any_size = ANY_SIZE.contains(&name.unwrap());
        (path, any_size)
    };
    found.into_iter().map(with_size).collect()
}

fn with(json: &Value, path: &str, number: &str) -> String {
    let mut json = json.clone();
    *json.pointer_mut(path).unwrap() = Value::String("HERE".to_owned());
    json.to_string().replacen("\"HERE\"", number, 1)
}

/// Also a field that is added tomorrow, if a fixture has it. Each field once.
#[test]
fn in_any_field_of_run_json() {
    let mut seen = BTreeSet::new();
    for (name, run) in fixture::all() {
        let json: Value = serde_json::from_str(&to_json(&run).unwrap()).unwrap();
        for (path, any_size) in all_fields(&json) {
            if !seen.insert(path.replace("/1", "/0")) {
                continue;
            }
            for number in HUGE {
                let read = parse_run(with(&json, &path, number).as_bytes());
                assert_eq!(read.is_ok(), any_size, "{name}: {path} = {number}");
            }
            let read = parse_run(with(&json, &path, "1e999").as_bytes());
            assert!(read.is_err(), "{name}: {path} = 1e999");
        }
    }
}

/// The records of a journal: what stands before the value, and the value.
fn records(run: &memprof_model::run::Run) -> Vec<(&'static str, Value)> {
    let mut head = run.clone();
    let mut function = head.functions.swap_remove(0);
    head.functions.clear();
    let line = function.lines.swap_remove(0);
    let call = function.call_records.swap_remove(0);
    let value = |text: Result<String, String>| serde_json::from_str(&text.unwrap()).unwrap();
    let mut open = call.clone();
    open.start_ns += 1;
    vec![
        ("function 0", value(text_of(&function))),
        ("lines 0", value(text_of(&[line.line]))),
        ("line 0 0", value(text_of(&line))),
        ("call 0", value(text_of(&call))),
        ("open 0 7", value(text_of(&open))),
        ("run", value(text_of(&head))),
    ]
}

fn journal(records: impl Iterator<Item = (&'static str, String)>) -> String {
    let memory = "MEM 7.5 1772370309.25\nheap 1772370309.25 7\n".to_owned();
    records.fold(memory, |text, (kind, json)| {
        text + kind + " " + &json + "\n"
    })
}

#[test]
fn in_any_field_of_a_journal() {
    for run in [fixture::heap(), fixture::growing()] {
        let records = records(&run);
        let plain = records.iter().map(|(kind, json)| (*kind, json.to_string()));
        let whole = parse_journal(journal(plain).as_bytes()).expect("a run");
        assert_eq!(whole.functions.len(), 1);
        for (at, (kind, json)) in records.iter().enumerate() {
            for (path, any_size) in all_fields(json) {
                for number in HUGE {
                    let each = records
                        .iter()
                        .enumerate()
                        .map(|(i, (kind, json))| match i == at {
                            true => (*kind, with(json, &path, number)),
                            false => (*kind, json.to_string()),
                        });
                    let read = parse_journal(journal(each).as_bytes());
                    let same = read.as_ref() == Some(&whole);
                    assert!(!same || any_size, "{kind}: {path} = {number}");
                    if let Some(run) = read.filter(|_| !any_size) {
                        let text = to_json(&run).unwrap();
                        assert_eq!(
                            numbers::check(text.as_bytes(), Allowance::UNLIMITED),
                            Ok(()),
                            "{kind}: {path}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn in_the_readings_of_a_journal() {
    let records = records(&fixture::heap());
    let plain = records.iter().map(|(kind, json)| (*kind, json.to_string()));
    let journal = journal(plain);
    for huge in [
        journal.replace("MEM 7.5", "MEM 1e12"),
        journal.replace("MEM 7.5", "MEM 1e11"),
        journal.replace(".25 7", ".25 1152921504606846976"),
        journal.replace("1772370309.25", "1e11"),
    ] {
        assert_ne!(huge, journal);
        let run = parse_journal(huge.as_bytes()).expect("the other records");
        let text = to_json(&run).unwrap();
        assert_eq!(parse_run(text.as_bytes()).unwrap(), run);
    }
}

#[test]
fn in_any_field_of_an_mprof_file() {
    let text =
        "CMDLINE a\nMEM 1.5 2.25\nCHLD 1 2.5 2.75\nMEM 3.5 4.25\nFUNC f 1.5 2.5 3.75 4.5 0\n";
    for number in [
        "1.5", "2.25", "2.5", "2.75", "3.5", "4.25", "3.75", "4.5", " 0\n",
    ] {
        for huge in [
            "1e11",
            "-1e11",
            "1e12",
            "-1e12",
            "1e999",
            "1152921504606846976",
        ] {
            let huge = match number.strip_suffix('\n') {
                Some(_) => format!(" {huge}\n"),
                None => huge.to_owned(),
            };
            let Ok(file) = parse_dat(text.replacen(number, &huge, 1).as_bytes()) else {
                continue;
            };
            let run = file.to_run();
            let json = to_json(&run).unwrap();
            assert_eq!(parse_run(json.as_bytes()).unwrap(), run, "{number}: {huge}");
        }
    }
}
