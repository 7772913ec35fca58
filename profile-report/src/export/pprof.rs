//! pprof's profile.proto: the lines of all functions.

use std::collections::HashMap;
use std::io::Write;

use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use memprof_model::run::{FunctionProfile, HeapFigures, Run};
use prost::Message;

use super::proto;
use crate::error::ReportError;
use crate::facts::own::{has_own_rss, own_heap, own_line_heap};

/// The run as a gzipped profile.proto, for `go tool pprof`, speedscope, Pyroscope and Parca.
///
/// Each line is a sample of one frame, with the values `peak` and `net` (RSS, bytes) and, where heap
/// bytes were counted, `allocated` (bytes), `allocations` (count), and `alive` (bytes) where blocks were followed.
/// Lines that were read together have one more sample, at the first of them. The tools add samples up: all values
/// but the peak are without what profiled functions did that the line called, where the run tells that. Peaks are
/// to be read line by line.
///
/// # Errors
/// When the message cannot be made, which would be a defect of memprof.
pub fn pprof(run: &Run) -> Result<Vec<u8>, ReportError> {
    let message = message(run).encode_to_vec();
    // Without a time in its header, the same run makes the same file.
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
    gzip.write_all(&message)
        .and_then(|()| gzip.finish())
        .map_err(|e| ReportError::render("render a pprof profile", e))
}

fn message(run: &Run) -> proto::FunctionProfile {
    let mut strings = Strings::new();
    let mut profile = proto::FunctionProfile {
        sample_type: sample_types(run, &mut strings),
        mapping: vec![proto::Mapping {
            id: 1,
            filename: strings.place(&run.program),
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
        }],
        time_nanos: started(run),
        duration_nanos: signed(run.duration_ns),
        comment: vec![strings.place(&run.command.join(" "))],
        default_sample_type: strings.place(match (run.heap, run.origins) {
            (true, Some(_)) => "alive",
            (true, None) => "allocated",
            _ => "peak",
        }),
        ..proto::FunctionProfile::default()
    };
    for function in &run.functions {
        add(&mut profile, function, run, &mut strings);
    }
    profile.string_table = strings.all;
    profile
}

fn sample_types(run: &Run, strings: &mut Strings) -> Vec<proto::ValueType> {
    let memory = [("peak", "bytes"), ("net", "bytes")];
    let heap = [("allocated", "bytes"), ("allocations", "count")];
    let heap = heap.into_iter().filter(|_| run.heap);
    let alive = run.origins.map(|_| ("alive", "bytes"));
    let types = memory
        .into_iter()
        .chain(heap)
        .chain(alive.filter(|_| run.heap));
    types
        .map(|(kind, unit)| proto::ValueType {
            kind: strings.place(kind),
            unit: strings.place(unit),
        })
        .collect()
}

/// Adds the function with its lines; one that was measured without lines as a whole.
fn add(
    profile: &mut proto::FunctionProfile,
    function: &FunctionProfile,
    run: &Run,
    strings: &mut Strings,
) {
    let id = profile.function.len() as u64 + 1;
    let name = strings.place(&function.name);
    profile.function.push(proto::Function {
        id,
        name,
        system_name: name,
        filename: strings.place(&function.file),
        start_line: function.line.into(),
    });
    let values = |peak: u64, net: i64, heap: Option<HeapFigures>, alive: u64| {
        let figures = heap.unwrap_or_default();
        let counted = [signed(figures.allocated), signed(figures.allocations)];
        let counted = counted.into_iter().filter(|_| run.heap);
        let alive = run.origins.filter(|_| run.heap).map(|_| signed(alive));
        [signed(peak), net]
            .into_iter()
            .chain(counted)
            .chain(alive)
            .collect::<Vec<_>>()
    };
    let mut push = |line: u32, value: Vec<i64>| {
        let location = profile.location.len() as u64 + 1;
        profile.location.push(proto::Location {
            id: location,
            mapping_id: 1,
            line: vec![proto::Line {
                function_id: id,
                line: line.into(),
            }],
        });
        profile.sample.push(proto::Sample {
            location_id: vec![location],
            value,
        });
    };
    let has_own = has_own_rss(run);
    let net = |all: i64, own: i64| if has_own { own } else { all };
    if function.lines.is_empty() {
        let net = net(function.net_rss, function.self_net_rss);
        let heap = own_heap(function);
        push(function.line, values(function.peak_rss, net, heap, 0));
    }
    for line in function.lines.iter().filter(|line| line.hits > 0) {
        let net = net(line.net_rss, line.self_net_rss);
        let alive = line.origins.map_or(0, |origins| origins.alive_bytes);
        push(
            line.line,
            values(line.peak_rss, net, own_line_heap(line), alive),
        );
    }
    for (place, group) in function.groups.iter().enumerate() {
        let mut lines = function.lines.iter();
        if let Some(first) = lines.find(|line| line.group == Some(place)) {
            let net = net(group.net_rss, group.self_net_rss);
            push(first.line, values(group.peak_rss, net, None, 0));
        }
    }
}

/// Nanoseconds since 1970; 0 if that is unreadable.
fn started(run: &Run) -> i64 {
    let start: Option<Timestamp> = run.started.parse().ok();
    start
        .and_then(|start| i64::try_from(start.as_nanosecond()).ok())
        .unwrap_or(0)
}

fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

/// The string table: every text once, the first one empty.
struct Strings {
    all: Vec<String>,
    places: HashMap<String, i64>,
}

impl Strings {
    fn new() -> Self {
        Self {
            all: vec![String::new()],
            places: HashMap::from([(String::new(), 0)]),
        }
    }

    fn place(&mut self, text: &str) -> i64 {
        if let Some(&place) = self.places.get(text) {
            return place;
        }
        let place = self.all.len() as i64;
        self.all.push(text.to_owned());
        self.places.insert(text.to_owned(), place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use std::io::Read;

    fn read(run: &Run) -> proto::FunctionProfile {
        let bytes = pprof(run).unwrap();
        let mut message = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_end(&mut message)
            .unwrap();
        proto::FunctionProfile::decode(&message[..]).unwrap()
    }

    #[test]
    fn lines_come_back_with_their_values() {
        let run = fixture::heap();
        let profile = read(&run);
        let text = |place: i64| &profile.string_table[place as usize][..];
        let types: Vec<_> = profile
            .sample_type
            .iter()
            .map(|t| (text(t.kind), text(t.unit)))
            .collect();
        assert_eq!(
            types,
            [
                ("peak", "bytes"),
                ("net", "bytes"),
                ("allocated", "bytes"),
                ("allocations", "count")
            ]
        );
        let lines = run
            .functions
            .iter()
            .flat_map(|f| f.lines.iter().map(move |line| (f, line)));
        let hit: Vec<_> = lines.filter(|(_, line)| line.hits > 0).collect();
        assert_eq!(profile.sample.len(), hit.len());
        for (sample, (function, line)) in profile.sample.iter().zip(hit) {
            let location = &profile.location[sample.location_id[0] as usize - 1];
            let of = &profile.function[location.line[0].function_id as usize - 1];
            assert_eq!(
                (text(of.name), text(of.filename)),
                (&function.name[..], &function.file[..])
            );
            assert_eq!(location.line[0].line, i64::from(line.line));
            let heap = line.self_heap.unwrap();
            assert_eq!(
                sample.value,
                [
                    line.peak_rss as i64,
                    line.self_net_rss,
                    heap.allocated as i64,
                    heap.allocations as i64
                ]
            );
        }
    }

    #[test]
    fn a_run_without_heap_has_two_values_and_one_without_lines_the_functions() {
        let mut run = fixture::nested();
        run.functions[1].lines.clear();
        let profile = read(&run);
        assert!(profile.sample.iter().all(|sample| sample.value.len() == 2));
        let last = profile.location.last().unwrap();
        assert_eq!(last.line[0].line, i64::from(run.functions[1].line));
        assert_eq!(profile.time_nanos, 1_772_370_309_250_000_000);
    }

    #[test]
    fn samples_add_up_to_what_the_process_kept_and_lines_read_together_are_in_them() {
        let sum = |run: &Run, of: usize| -> i64 {
            let profile = read(run);
            profile.sample.iter().map(|sample| sample.value[of]).sum()
        };
        assert_eq!(sum(&fixture::grouped(), 1), 30 << 20);
        // What a callee did is not counted once more on its caller's line.
        assert_eq!(sum(&fixture::leaking(), 1), 28 << 20);
        assert_eq!(sum(&fixture::leaking(), 4), 28_940_304);
    }

    #[test]
    fn the_same_run_makes_the_same_file() {
        assert_eq!(
            pprof(&fixture::hostile()).unwrap(),
            pprof(&fixture::hostile()).unwrap()
        );
    }
}
