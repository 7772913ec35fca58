//! What memprof recorded in the run that has just ended: its `run.json`.

use std::fs;

use serde_json::Value;

use crate::run::Ground;

/// The run, as data.
pub(crate) fn last(ground: &Ground) -> Value {
    let file = ground.reports().join("latest/run.json");
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Bytes that memprof held for itself.
pub(crate) fn profiler_bytes(run: &Value) -> u64 {
    run["overhead"]["profiler_bytes"]
        .as_u64()
        .expect("in every run")
}

/// Which part of all that lines kept is on the lines with this text, in percent of RSS. What lines gave
/// back, at the closing brace for example, has another sign and is left out.
pub(crate) fn share_of_net(run: &Value, text: &str) -> f64 {
    let (mut on_it, mut all) = (0, 0);
    for line in lines(run) {
        let kept = line["net_rss"].as_i64().expect("in every line").max(0);
        all += kept;
        if is_of(line, text) {
            on_it += kept;
        }
    }
    100.0 * on_it as f64 / all as f64
}

/// Which part of the hits of the lines with this text was read one by one, in percent.
pub(crate) fn share_of_readings(run: &Value, text: &str) -> f64 {
    let (mut hits, mut readings) = (0, 0);
    for line in lines(run) {
        if is_of(line, text) {
            hits += line["hits"].as_u64().expect("in every line");
            readings += line["readings"].as_u64().expect("in every line");
        }
    }
    100.0 * readings as f64 / hits as f64
}

fn is_of(line: &Value, text: &str) -> bool {
    let source = line["source"].as_str();
    source.is_some_and(|source| source.contains(text))
}

fn lines(run: &Value) -> impl Iterator<Item = &Value> {
    let functions = run["functions"].as_array().expect("in every run");
    functions
        .iter()
        .filter_map(|function| function["lines"].as_array())
        .flatten()
}
