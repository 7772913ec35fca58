//! `<function>.txt`: what one function did, for a terminal, a mail or a diff.

use memprof_model::run::{FunctionProfile, HeapFigures, Outcome, Run, RunOutcome};

use super::columns::{differs_from_own_heap, differs_from_own_rss};
use super::line_table::line_table;
use crate::facts::own::alive;
use crate::facts::peak_moment::{PeakTime, peak_time};
use crate::facts::rss_and_heap::others_show;
use crate::facts::shown_call::{calls_of_net, in_progress, shown_call, which_call};
use crate::text::units::{count, duration, mib, mib_unit, signed_mib};
use crate::text::visible::visible;
use crate::words::findings::alive_when;
use crate::words::growth::growth_table;
use crate::words::heap_story::{HOW_TO_COUNT, remarks};
use crate::words::places::place;
use crate::words::readings::{peaks_by, read_by};
use crate::words::spread::{highest_unread_call, spread_table, unread_rise};
use crate::words::story;
use crate::words::suspended::suspended;

/// The whole text of `<function>.txt`, of a function that is called `title`.
pub(crate) fn render(run: &Run, profile: &FunctionProfile, title: &str) -> String {
    let mut text = format!("{}\n{}\n\n", visible(title), whereabouts(profile));
    for (name, value) in facts(run, profile) {
        text.push_str(&format!("{name:<9}  {value}\n"));
    }
    text.push_str(&format!(
        "\n{}\n\n{}\n",
        story::tell_plain(run, profile).trim_end(),
        line_table(profile)
    ));
    text.push_str(&spread_table(profile));
    text.push_str(&growth_table(profile));
    text.push_str(&where_heap_and_rss_part(run, profile));
    text.push_str(LEGEND);
    if profile.heap.is_some() {
        text.push_str(LEGEND_HEAP);
    }
    if differs_from_own_heap(profile) || differs_from_own_rss(profile) {
        text.push_str(LEGEND_SELF);
    }
    text
}

/// The remarks on lines as a paragraph; empty without any.
fn where_heap_and_rss_part(run: &Run, profile: &FunctionProfile) -> String {
    let remarks = remarks(run, profile);
    if remarks.is_empty() {
        return String::new();
    }
    let lines = remarks.iter();
    let lines = lines.map(|remark| format!("  line {}: {}\n", remark.line, remark.text));
    format!("Where heap and RSS part:\n{}\n", lines.collect::<String>())
}

const LEGEND: &str = "\
hits  how often the line ran
time  in sum, calls made from the line included
RSS   the largest at the end of a hit
net   the sum of the changes of RSS
peak  the largest rise above the line's start in one hit, temporaries included
An empty cell is a zero.
";
const LEGEND_HEAP: &str = "\
alloc, freed, heap peak: bytes asked of the allocator; they become RSS when they are touched
alive: what the line allocated and nobody has freed
";
const LEGEND_SELF: &str = "self: without what annotated functions did that the line called\n";

fn whereabouts(profile: &FunctionProfile) -> String {
    format!(
        "{}  {}:{}",
        visible(&profile.name),
        visible(&profile.file),
        profile.line
    )
}

/// The header's figures with their names.
pub(crate) fn facts(run: &Run, profile: &FunctionProfile) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("calls", calls(profile)),
        ("time", duration(profile.time_ns)),
    ];
    let [net, highest] = if profile.heap.is_some() {
        facts.extend(heap(run, profile));
        ["net RSS", "peak RSS"]
    } else {
        ["net", "peak"]
    };
    facts.extend([
        ("RSS", rss(profile)),
        (net, net_rss(profile)),
        (highest, peak(profile)),
    ]);
    if profile.heap.is_none() {
        facts.push(("heap", HOW_TO_COUNT.to_owned()));
    }
    let unread = [
        ("highest", highest_unread_call(profile)),
        ("unread", unread_rise(profile)),
    ];
    facts.extend(
        unread
            .into_iter()
            .filter_map(|(name, fact)| Some((name, fact?))),
    );
    if let Some(suspended) = suspended(profile) {
        facts.insert(1, ("suspended", suspended));
    }
    if let Some(others) = profile.heap_elsewhere.filter(others_show) {
        facts.push(("elsewhere", elsewhere(&others)));
    }
    let how = format!("{}; {}", peaks_by(run), read_by(run, profile));
    facts.push(("measured", how));
    if let Some(known) = known(run) {
        facts.push(("known", known));
    }
    facts
}

/// What it did on the heap: what is alive, what it did itself, and with all that it called.
fn heap(run: &Run, profile: &FunctionProfile) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(alive) = alive(profile) {
        let blocks = count(alive.blocks);
        let when = alive_when(run.outcome);
        let size = mib_unit(alive.bytes);
        facts.push(("alive", format!("{size} in {blocks} blocks, {when}")));
    }
    if let Some(own) = profile.self_heap {
        facts.push(("self", on_heap(profile, &own)));
    }
    facts.extend(profile.heap.map(|heap| ("heap", on_heap(profile, &heap))));
    facts
}

fn on_heap(profile: &FunctionProfile, heap: &HeapFigures) -> String {
    let is_going_on = in_progress(profile) > 0;
    let least = if is_going_on { "at least " } else { "" };
    let peak = format!("peak {least}{}", mib_unit(heap.peak));
    // Without lines nothing is known yet of what a call in progress allocated.
    if heap.allocated < heap.peak {
        return peak;
    }
    format!(
        "{} allocated in {} allocations, {} freed{}, {peak}",
        mib_unit(heap.allocated),
        heap.allocations,
        mib_unit(heap.freed),
        so_far(profile)
    )
}

/// Words behind a sum that goes on.
fn so_far(profile: &FunctionProfile) -> &'static str {
    match in_progress(profile) {
        0 => "",
        _ => " so far",
    }
}

fn net_rss(profile: &FunctionProfile) -> String {
    let net = signed_mib(profile.net_rss);
    let over = format!(
        "{net} MiB over {}{}",
        calls_of_net(profile),
        so_far(profile)
    );
    match differs_from_own_rss(profile) {
        true => format!(
            "{over}, {} MiB without what it called",
            signed_mib(profile.self_net_rss)
        ),
        false => over,
    }
}

fn elsewhere(others: &HeapFigures) -> String {
    format!(
        "{} allocated in {} allocations, {} freed by other threads during the calls, whatever for",
        mib_unit(others.allocated),
        others.allocations,
        mib_unit(others.freed)
    )
}

fn calls(profile: &FunctionProfile) -> String {
    let mut calls = format!("{}{}", profile.calls, plural_threads(profile.threads));
    let running = in_progress(profile);
    if running > 0 {
        let which = match profile.calls {
            1 => String::new(),
            _ => format!("{running} "),
        };
        calls.push_str(&format!(", {which}in progress"));
    }
    if profile.panics > 0 {
        calls.push_str(&format!(", {} ended by a panic", profile.panics));
    }
    let cancelled = profile
        .call_records
        .iter()
        .filter(|call| call.outcome == Outcome::Cancelled)
        .count();
    if cancelled > 0 {
        let least = if profile.calls_omitted > 0 {
            "at least "
        } else {
            ""
        };
        calls.push_str(&format!(", {least}{cancelled} cancelled"));
    }
    calls
}

/// Up to which moment the figures are known, if that is not the program's end.
fn known(run: &Run) -> Option<String> {
    let until = match run.outcome {
        RunOutcome::Exited => return None,
        RunOutcome::Recovered => "when the program was last heard of",
        _ => "when the program was still running",
    };
    Some(format!("up to {}, {until}", duration(run.duration_ns)))
}

fn plural_threads(threads: u64) -> String {
    if threads > 1 {
        format!(" on {threads} threads")
    } else {
        String::new()
    }
}

/// RSS at the ends of the call that stands for the function; where none does, the highest.
fn rss(profile: &FunctionProfile) -> String {
    let Some(call) = shown_call(profile) else {
        return format!("{} at most during the calls", mib_unit(profile.max_rss));
    };
    let which = match profile.calls {
        1 => String::new(),
        _ => format!(", in {}", which_call(profile, call)),
    };
    let exit = match call.outcome {
        Outcome::Running => "so far",
        _ => "at exit",
    };
    format!(
        "{} at entry → {} {exit}{which}",
        mib_unit(call.entry_rss),
        mib_unit(call.exit_rss)
    )
}

fn peak(profile: &FunctionProfile) -> String {
    let height = format!("{} MiB above the entry", mib(profile.peak_rss));
    let all = profile
        .peak_at
        .map(|at| format!(", {} in all", mib_unit(at.rss)));
    format!("{height}{}{}", all.unwrap_or_default(), moment(profile))
}

/// When the peak was reached.
fn moment(profile: &FunctionProfile) -> String {
    match peak_time(profile) {
        PeakTime::At(moment, line) => {
            let line = line.map(|line| format!(", {}", place(profile, line)));
            format!(", at {}{}", duration(moment), line.unwrap_or_default())
        }
        PeakTime::Between(from, to) => {
            let (from, to) = (duration(from), duration(to));
            format!(", in one of the calls between {from} and {to}")
        }
        PeakTime::Unknown => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_demo() {
        let run = fixture::inverse();
        insta::assert_snapshot!(render(&run, &run.functions[0], "Matriz Inversa"));
    }

    #[test]
    fn no_fixture_lets_a_control_character_through() {
        for (name, run) in fixture::all() {
            for function in &run.functions {
                let text = render(&run, function, &function.label);
                assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{name}");
            }
        }
    }
}
