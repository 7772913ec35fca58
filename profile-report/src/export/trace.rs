//! Chrome's trace format: memory as counters, calls as slices on their threads.

use std::collections::BTreeSet;

use memprof_model::run::{Outcome, Run, WatchedChild};
use serde::Serialize;

use super::slices::{Slice, slices};
use crate::error::ReportError;
use crate::format::{json, mprof};

/// The run as a Chrome trace (JSON), for ui.perfetto.dev, speedscope and chrome://tracing.
///
/// RSS, and live heap bytes where they were counted, are counters of the process. Calls are slices on
/// their threads, with their figures as arguments; a future that was suspended is an asynchronous slice,
/// since others ran meanwhile. Only recorded calls are there, see [`memprof_model::run::FunctionProfile::calls_omitted`].
///
/// # Errors
/// When the text cannot be made, which would be a defect of memprof.
pub fn trace(run: &Run) -> Result<String, ReportError> {
    let slices = slices(run);
    let mut events = names(run, &slices);
    events.extend(counters(run));
    events.extend(
        slices
            .iter()
            .enumerate()
            .flat_map(|(id, slice)| calls(run, id, slice)),
    );
    let trace = Trace {
        trace_events: events,
        display_time_unit: "ms",
        other_data: Other {
            program: &run.program,
            command: run.command.join(" "),
            started: &run.started,
        },
    };
    json::text_of(&trace).map_err(|e| ReportError::render("render a trace", e))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace<'a> {
    trace_events: Vec<Event<'a>>,
    display_time_unit: &'static str,
    other_data: Other<'a>,
}

#[derive(Serialize)]
struct Other<'a> {
    program: &'a str,
    command: String,
    started: &'a str,
}

#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    /// What kind of event it is.
    ph: &'static str,
    /// Microseconds.
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    pid: u32,
    tid: u64,
    /// What belongs together, of asynchronous slices.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Arguments<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Arguments<'a> {
    Name { name: String },
    Counter { bytes: u64 },
    Call(CallArguments<'a>),
}

#[derive(Serialize)]
struct CallArguments<'a> {
    peak_rss: u64,
    net_rss: i64,
    entry_rss: u64,
    exit_rss: u64,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<f64>,
    #[serde(skip_serializing_if = "is_zero")]
    suspended_ns: u64,
    function: &'a str,
    file: &'a str,
    line: u32,
}

fn is_zero(figure: &u64) -> bool {
    *figure == 0
}

impl<'a> Event<'a> {
    fn new(run: &Run, ph: &'static str, name: &'a str, t_ns: u64) -> Self {
        Self {
            name,
            cat: None,
            ph,
            ts: microseconds(t_ns),
            dur: None,
            pid: run.pid,
            tid: 0,
            id: None,
            args: None,
        }
    }
}

fn microseconds(ns: u64) -> f64 {
    ns as f64 / 1e3
}

/// What the process, its threads and its children are called.
fn names<'a>(run: &Run, slices: &[Slice<'_>]) -> Vec<Event<'a>> {
    let named = |event: &'static str, tid: u64, name: String| Event {
        tid,
        args: Some(Arguments::Name { name }),
        ..Event::new(run, "M", event, 0)
    };
    let threads: BTreeSet<_> = slices.iter().map(|slice| slice.call.thread).collect();
    let threads = threads
        .into_iter()
        .map(|thread| named("thread_name", thread, format!("thread {thread}")));
    let children = children(run).map(|child| Event {
        pid: child.pid,
        ..named("process_name", 0, child.program.clone())
    });
    [named("process_name", 0, run.program.clone())]
        .into_iter()
        .chain(threads)
        .chain(children)
        .collect()
}

/// The processes that were watched beside the first.
fn children(run: &Run) -> impl Iterator<Item = &WatchedChild> {
    run.watched.iter().flat_map(|watched| &watched.children)
}

/// Every reading that has a time: samples, entries, exits and peaks.
fn counters<'a>(run: &Run) -> Vec<Event<'a>> {
    let counter = |pid, name: &'static str, t_ns, bytes| Event {
        pid,
        args: Some(Arguments::Counter { bytes }),
        ..Event::new(run, "C", name, t_ns)
    };
    let rss = mprof::memory(run).into_iter();
    let heap = run
        .series
        .iter()
        .filter_map(|sample| Some((sample.t_ns, sample.heap?)));
    let children = children(run).flat_map(|child| {
        child
            .series
            .iter()
            .map(|sample| (child.pid, sample.t_ns, sample.rss))
    });
    rss.map(|(t_ns, bytes)| counter(run.pid, "RSS", t_ns, bytes))
        .chain(heap.map(|(t_ns, bytes)| counter(run.pid, "heap", t_ns, bytes)))
        .chain(children.map(|(pid, t_ns, bytes)| counter(pid, "RSS", t_ns, bytes)))
        .collect()
}

/// A call: one event where it lies within the calls around it, else a beginning and an end.
fn calls<'a>(run: &Run, id: usize, slice: &Slice<'a>) -> Vec<Event<'a>> {
    let (function, call) = (slice.function, slice.call);
    let event = |ph, t_ns| Event {
        cat: Some("call"),
        tid: call.thread,
        ..Event::new(run, ph, &function.label, t_ns)
    };
    let args = Some(Arguments::Call(CallArguments {
        peak_rss: call.peak_rss,
        net_rss: call.net_rss,
        entry_rss: call.entry_rss,
        exit_rss: call.exit_rss,
        outcome: call.outcome,
        by: call.by.filter(|by| by.is_finite()),
        suspended_ns: call.suspended_ns,
        function: &function.name,
        file: &function.file,
        line: function.line,
    }));
    if slice.nested {
        let dur = Some(microseconds(call.end_ns.saturating_sub(call.start_ns)));
        return vec![Event {
            dur,
            args,
            ..event("X", call.start_ns)
        }];
    }
    let id = Some(id);
    vec![
        Event {
            id,
            args,
            ..event("b", call.start_ns)
        },
        Event {
            id,
            ..event("e", call.end_ns)
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use serde_json::Value;

    fn events(run: &Run) -> Vec<Value> {
        let trace: Value = serde_json::from_str(&trace(run).unwrap()).unwrap();
        trace["traceEvents"].as_array().unwrap().clone()
    }

    fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
        events.iter().filter(|event| event["ph"] == kind).collect()
    }

    #[test]
    fn calls_are_slices_with_their_figures() {
        let run = fixture::nested();
        let events = events(&run);
        let slices = of_kind(&events, "X");
        assert_eq!(slices.len(), 4);
        let (call, first) = (&run.functions[0].call_records[0], slices[0]);
        assert_eq!(first["name"], "load_all");
        assert_eq!(first["dur"], (call.end_ns - call.start_ns) as f64 / 1e3);
        assert_eq!(first["args"]["peak_rss"], call.peak_rss);
        assert_eq!(first["args"]["outcome"], "returned");
        assert_eq!(first["args"]["function"], "loader::load_all");
    }

    #[test]
    fn memory_is_a_counter_and_so_is_heap() {
        let run = fixture::heap();
        let events = events(&run);
        let counters = of_kind(&events, "C");
        let highest = |name: &str| {
            let of_name = counters.iter().filter(|event| event["name"] == name);
            of_name
                .filter_map(|event| event["args"]["bytes"].as_u64())
                .max()
        };
        assert_eq!(highest("RSS"), Some(run.process.peak_rss));
        assert_eq!(
            highest("heap"),
            run.series.iter().filter_map(|sample| sample.heap).max()
        );
    }

    #[test]
    fn a_suspended_call_has_a_beginning_and_an_end() {
        let events = events(&fixture::heap());
        let (begins, ends) = (of_kind(&events, "b"), of_kind(&events, "e"));
        assert_eq!((begins.len(), ends.len()), (1, 1));
        assert_eq!(begins[0]["id"], ends[0]["id"]);
    }

    #[test]
    fn every_event_has_what_the_format_wants() {
        for (name, run) in fixture::all() {
            for event in events(&run) {
                assert!(
                    event["name"].is_string() && event["ts"].is_number(),
                    "{name}: {event}"
                );
                assert!(
                    event["pid"].is_u64() && event["tid"].is_u64(),
                    "{name}: {event}"
                );
            }
        }
    }
}
