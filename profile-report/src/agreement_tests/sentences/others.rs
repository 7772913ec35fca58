//! Sentences outside of stories: remarks on lines, the terminal's few words, a text's facts, and where a run stopped.

use memprof_model::run::{Call, Outcome};

use super::figures::{
    Judged, Of, holds, is_at_most, is_change, is_count, is_size, is_time, is_within,
};
use super::story::{Sentence, heap};
use super::template::{Holes, begins};
use crate::facts::names::Names;

/// A remark on a line: `7 heap +1.000 MiB, RSS 0 MiB: …`.
pub(super) const REMARKS: &[Sentence] = &[
    ("{line} heap {heap} MiB, RSS {rss} MiB: {reason}\n", remark),
    (
        "{line} heap {heap} MiB, RSS {rss} MiB over {hits} hits: {reason}\n",
        remark,
    ),
];

fn remark(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let line = of.line(holes["line"])?;
    let heap = line.heap.ok_or("its heap was counted")?;
    holds(
        "its own",
        line.shared == 0 && line.group.is_none() && line.readings >= line.hits,
    )?;
    is_change(holes["heap"], heap.net)?;
    is_change(holes["rss"], line.net_rss)?;
    match holes.get("hits") {
        Some(hits) => is_count(hits, line.hits)?,
        None => holds("one hit", line.hits == 1)?,
    }
    let reason = holes["reason"];
    let (reason, is_mean) = match reason.strip_suffix(" (a hit on average)") {
        Some(reason) => (reason, true),
        None => (reason, false),
    };
    let times = if is_mean { line.hits.max(1) } else { 1 };
    let of_one = |bytes: u64| bytes / times;
    let hits = if is_mean { 2 } else { line.hits };
    let net = heap.net.unsigned_abs();
    holds("at once", of.can_have_lived(of_one(net), hits))?;
    let (size, why) = reason.split_once(" MiB ").ok_or("a size")?;
    let size = format!("{size} MiB");
    let gap = line.net_rss - heap.net;
    let words = |begin: &str| why.starts_with(begin);
    let apart = of_one(gap.unsigned_abs());
    if words("of what was freed stayed with the allocator") {
        is_at_most(&size, of_one(heap.freed), "what was freed")?;
        is_at_most(&size, of.most_spare(), "what was spare")?;
    } else if words("added to its blocks") {
        is_at_most(&size, of_one(31 * heap.allocations), "31 bytes a block")?;
    } else if words("had been allocated before") || words("without an allocation") {
        is_at_most(&size, of.most_spare(), "what was spare")?;
    } else if words("not touched before they were freed") {
        return is_size(&size, heap.peak.saturating_sub(line.peak_rss));
    } else if words("not touched here") {
        is_at_most(
            &size,
            of_one(heap.net.max(0) as u64),
            "what was allocated and not freed",
        )?;
    } else if words("given back that were free before") {
        is_at_most(&size, of.range(), "what there was")?;
    } else {
        return Err(format!("an unknown reason: {why}"));
    }
    is_at_most(&size, apart, "how far they are apart")
}

/// The terminal's few words on a function, each with a line break behind it.
pub(super) const SHORT: &[Sentence] = &[
    ("{all} allocated in all, at most {peak} at once\n", churn),
    (
        "{all} allocated in all, at most {peak} at once in a call\n",
        churn,
    ),
    ("{size} freed, kept by the allocator\n", |of, holes| {
        is_at_most(holes["size"], heap(of)?.freed, "what was freed")?;
        is_at_most(holes["size"], of.spare_at_end(), "what was spare")
    }),
    ("{size} added to blocks by the allocator\n", |of, holes| {
        is_at_most(
            holes["size"],
            31 * heap(of)?.allocations,
            "31 bytes a block",
        )
    }),
    ("{size} of RSS without heap\n", |of, holes| {
        is_at_most(holes["size"], of.range(), "what there was")
    }),
    ("{size} of heap without RSS\n", |of, holes| {
        is_at_most(
            holes["size"],
            heap(of)?.net.max(0) as u64,
            "what was not freed",
        )
    }),
    ("{size} given back that was free before\n", |of, holes| {
        is_at_most(holes["size"], of.range(), "what there was")
    }),
    ("{size} of heap not touched\n", |of, holes| {
        is_at_most(holes["size"], heap(of)?.peak, "the heap peak")
    }),
];

fn churn(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let heap = heap(of)?;
    is_size(holes["all"], heap.allocated)?;
    is_size(holes["peak"], heap.peak)?;
    holds("much more", heap.allocated >= 8 * heap.peak)
}

/// The facts at the top of a function's text that have figures.
pub(super) const FACTS: &[Sentence] = &[
    ("calls: {calls}\n", |of, holes| {
        let mut parts = holes["calls"].split(", ");
        let calls = parts.next().unwrap_or_default();
        let (calls, threads) = match calls.split_once(" on ") {
            Some((calls, threads)) => (calls, threads.trim_end_matches(" threads")),
            None => (calls, "1"),
        };
        is_count(calls, of.function.calls)?;
        is_count(threads, of.function.threads.max(1))?;
        let mut running = false;
        for part in parts {
            match part.split_once(' ').unwrap_or(("", part)) {
                ("in", "progress") => {
                    running = true;
                    holds("one call", of.in_progress() == 1 && of.function.calls == 1)?;
                }
                (number, "in progress") => {
                    running = true;
                    is_count(number, of.in_progress())?;
                }
                (number, "ended by a panic") => is_count(number, of.function.panics)?,
                (number, "cancelled") => {
                    let records = of.function.call_records.iter();
                    let cancelled = records.filter(|call| call.outcome == Outcome::Cancelled);
                    is_count(number, cancelled.count() as u64)?;
                }
                _ => return Err(format!("unknown: {part}")),
            }
        }
        holds(
            "calls in progress are told",
            running == (of.in_progress() > 0),
        )
    }),
    ("time: {time}\n", |of, holes| {
        is_time(holes["time"], of.function.time_ns)
    }),
    ("RSS: {size} at most during the calls\n", |of, holes| {
        is_size(holes["size"], of.function.max_rss)
    }),
    ("RSS: {entry} at entry → {exit} at exit\n", ends),
    ("RSS: {entry} at entry → {exit} so far\n", ends),
    (
        "RSS: {entry} at entry → {exit} at exit, in the call with the highest peak\n",
        ends,
    ),
    (
        "RSS: {entry} at entry → {exit} at exit, in the call with the highest heap peak\n",
        ends,
    ),
    (
        "RSS: {entry} at entry → {exit} so far, in the call with the highest peak\n",
        ends,
    ),
    (
        "RSS: {entry} at entry → {exit} so far, in the call with the highest heap peak\n",
        ends,
    ),
    (
        "net: {net} MiB over all calls{so_far}, {own} MiB without what it called\n",
        net_of_all,
    ),
    ("net: {net} MiB over all calls{so_far}\n", net_of_all),
    (
        "net: {net} MiB over the calls that were read{so_far}, {own} MiB without what it called\n",
        net_of_some,
    ),
    (
        "net: {net} MiB over the calls that were read{so_far}\n",
        net_of_some,
    ),
    ("peak: {peak} above the entry\n", peak),
    (
        "peak: {peak} above the entry, {all} in all, at {at}\n",
        peak,
    ),
    (
        "peak: {peak} above the entry, {all} in all, at {at}, line{line}\n",
        peak,
    ),
    (
        "peak: {peak} above the entry, {all} in all, in one of the calls between {from} and {to}\n",
        peak,
    ),
    ("heap: not counted{how}\n", |of, _| {
        holds("it was not", of.function.heap.is_none())
    }),
    ("alive: {size} in {blocks} blocks, {when}\n", |of, holes| {
        let lines = of.function.lines.iter().filter_map(|line| line.origins);
        let (bytes, blocks) = lines.fold((0, 0), |sum, origins| {
            (sum.0 + origins.alive_bytes, sum.1 + origins.alive_blocks)
        });
        is_size(holes["size"], bytes)?;
        is_count(holes["blocks"], blocks)
    }),
    ("self: peak {peak}\n", self_fact),
    (
        "self: {all} allocated in {number} allocations, {freed} freed, peak {peak}\n",
        self_fact,
    ),
    (
        "self: {all} allocated in {number} allocations, {freed} freed so far, peak at least {peak}\n",
        self_fact,
    ),
    ("heap: peak at least {peak}\n", heap_fact),
    (
        "heap: {all} allocated in {number} allocations, {freed} freed, peak {peak}\n",
        heap_fact,
    ),
    (
        "heap: {all} allocated in {number} allocations, {freed} freed so far, peak at least {peak}\n",
        heap_fact,
    ),
    (
        "elsewhere: {all} allocated in {number} allocations, {freed} freed by other threads during the calls, whatever for\n",
        |of, holes| {
            let others = of.function.heap_elsewhere.ok_or("they were counted")?;
            is_size(holes["all"], others.allocated)?;
            is_count(holes["number"], others.allocations)?;
            is_size(holes["freed"], others.freed)
        },
    ),
    ("measured: {how}\n", |_, _| Ok(())),
    (
        "highest: heap peak {peak}, {all} allocated, in a call on thread {thread} between {from} and {to}; it was only counted, so its RSS is not known\n",
        highest_unread,
    ),
    (
        "highest: heap peak {peak}, {all} allocated, RSS {rss} above that at its first reading, at {from}, in a call on thread {thread} that ended at {to}\n",
        highest_unread,
    ),
    (
        "highest: RSS {rss} above that at its first reading, at {from}, in a call on thread {thread} that ended at {to}\n",
        highest_unread,
    ),
    (
        "unread: RSS rose by up to {rise} between {from} and {to}, while {calls} not read; other code ran, too\n",
        |of, holes| {
            let unread = of.function.unread_rise.ok_or("there was one")?;
            holds("nothing better is known", of.function.heap.is_none())?;
            holds(
                "higher than what was read",
                unread.rise > of.function.peak_rss,
            )?;
            is_size(holes["rise"], unread.rise)?;
            is_time(holes["from"], unread.from_ns)?;
            is_time(holes["to"], unread.to_ns)?;
            let (calls, were) = holes["calls"].split_once(' ').ok_or("a number")?;
            let one = if unread.calls == 1 {
                "call was"
            } else {
                "calls were"
            };
            holds("how many", were == one)?;
            is_count(calls, unread.calls)
        },
    ),
    ("suspended: {number}\n", suspended),
    ("suspended: {number}: {places}\n", suspended),
    ("suspended: {number}, holding {held} of heap\n", suspended),
    (
        "suspended: {number}, holding {held} of heap: {places}\n",
        suspended,
    ),
    (
        "suspended: {number}, with a change of the heap of {change} MiB\n",
        suspended,
    ),
    (
        "suspended: {number}, with a change of the heap of {change} MiB: {places}\n",
        suspended,
    ),
    (
        "known: up to {end}, when the program was {word}\n",
        |of, holes| {
            is_time(holes["end"], of.run.duration_ns)?;
            let calls = of.function.call_records.iter();
            holds(
                "no call is longer",
                calls
                    .map(|call| call.end_ns)
                    .all(|end| end <= of.run.duration_ns),
            )
        },
    ),
];

/// The highest call, which was not read when it began.
fn highest_unread(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let heap = |call: &Call| call.heap.unwrap_or_default();
    let is_it = |call: &&Call| {
        let is_of_heap = match (holes.get("peak"), holes.get("all")) {
            (Some(peak), Some(all)) => {
                is_size(peak, heap(call).peak).is_ok() && is_size(all, heap(call).allocated).is_ok()
            }
            _ => call.heap.is_none(),
        };
        let is_of_rss = match holes.get("rss") {
            Some(rss) => !call.only_counted && is_size(rss, call.peak_rss).is_ok(),
            None => call.only_counted,
        };
        is_of_heap
            && is_of_rss
            && is_count(holes["thread"], call.thread).is_ok()
            && is_time(holes["from"], call.start_ns).is_ok()
            && is_time(holes["to"], call.end_ns).is_ok()
    };
    let records = &of.function.call_records;
    let at = records.iter().position(|call| is_it(&call));
    let at = at.ok_or("there is such a call")?;
    holds(
        "charts show another one",
        of.function.series_call != Some(at),
    )?;
    let highest = records.iter().map(Call::height).max();
    holds("it is the highest", highest == Some(records[at].height()))
}

/// Where suspended calls stand, and what they hold.
fn suspended(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let function = of.function;
    is_count(holes["number"], function.suspended)?;
    let heap = function.suspended_heap;
    match (holes.get("held"), holes.get("change")) {
        (Some(held), _) => {
            holds("they hold some", heap > 0)?;
            is_size(held, heap.unsigned_abs())?;
        }
        (_, Some(change)) => {
            holds("they hold less", heap < 0)?;
            is_change(change, heap)?;
        }
        _ => holds("they hold nothing", heap == 0)?,
    }
    let Some(places) = holes.get("places") else {
        return Ok(());
    };
    for line in function.lines.iter().filter(|line| line.suspended > 0) {
        let place = format!("{} at line {}", line.suspended, line.line);
        holds(
            &place,
            places.contains(&place) || places.contains("more lines"),
        )?;
    }
    Ok(())
}

fn ends(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let function = of.function;
    let heap_peak =
        |heap: Option<memprof_model::run::HeapFigures>| heap.map_or(0, |heap| heap.peak);
    let records = function.call_records.iter();
    let mut highest = records.filter(|call| {
        let by_heap = heap_peak(call.heap) == heap_peak(function.heap) && function.heap.is_some();
        function.calls == 1 || call.peak_rss == function.peak_rss || by_heap
    });
    let found = highest.any(|call| {
        is_size(holes["entry"], call.entry_rss).is_ok()
            && is_size(holes["exit"], call.exit_rss).is_ok()
    });
    holds("of a call that has the highest peak", found)
}

fn peak(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let function = of.function;
    is_size(holes["peak"], function.peak_rss)?;
    let Some(all) = holes.get("all") else {
        return holds("no moment", function.peak_at.is_none());
    };
    let at = function.peak_at.ok_or("a moment")?;
    is_size(all, at.rss)?;
    match (holes.get("at"), holes.get("from"), holes.get("to")) {
        (Some(moment), ..) => {
            holds("of the call that had it", of.has_peak_call())?;
            is_within(moment, at.from_ns, at.to_ns)
        }
        (_, Some(from), Some(to)) => {
            is_time(from, at.from_ns)?;
            is_time(to, at.to_ns)
        }
        _ => Err("no moment".to_owned()),
    }
}

fn net_of_all(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    holds("all were read", of.has_read_all())?;
    net(of, holes)
}

fn net_of_some(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    holds("some were not read", !of.has_read_all())?;
    net(of, holes)
}

fn net(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let so_far = if of.in_progress() > 0 { " so far" } else { "" };
    holds(so_far, holes["so_far"] == so_far)?;
    if let Some(own) = holes.get("own") {
        is_change(own, of.function.self_net_rss)?;
    }
    is_change(holes["net"], of.function.net_rss)
}

fn self_fact(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    is_heap(of.function.self_heap.ok_or("it is told apart")?, holes)
}

fn heap_fact(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    is_heap(heap(of)?, holes)
}

fn is_heap(heap: memprof_model::run::HeapFigures, holes: &Holes<'_>) -> Judged {
    is_size(holes["peak"], heap.peak)?;
    let Some(all) = holes.get("all") else {
        return holds("it cannot be", heap.allocated < heap.peak);
    };
    is_size(all, heap.allocated)?;
    is_count(holes["number"], heap.allocations)?;
    is_size(holes["freed"], heap.freed)?;
    holds("no more than was allocated", heap.peak <= heap.allocated)
}

/// What became of a run that did not end by itself.
pub(super) const STOPPED: &[Sentence] = &[
    (
        "Memory was about to run out for the first time at {low}.\n",
        low,
    ),
    (
        "Memory was about to run out for the first time {low} after that call.\n",
        low,
    ),
    (
        "The program was at work: all figures are those of {end} after its first annotated call.\n",
        |of, holes| is_time(holes["end"], of.run.duration_ns),
    ),
    (
        "The program ended without a report, killed for example. It was last heard of {end} after its first annotated call.\n",
        |of, holes| is_time(holes["end"], of.run.duration_ns),
    ),
    (
        "The program ended without a report, killed for example. It was last heard of {end} after its first annotated call, with {rss} resident.\n",
        |of, holes| {
            is_time(holes["end"], of.run.duration_ns)?;
            is_size(
                holes["rss"],
                of.run.series.last().map_or(0, |sample| sample.rss),
            )
        },
    ),
    (
        "Thread {thread} was in {where}: {net} MiB in {time}, {peak} at most.\n",
        |of, holes| {
            let is_it = |call: &&memprof_model::run::Stopped| {
                is_count(holes["thread"], call.thread).is_ok()
                    && is_change(holes["net"], call.net_rss).is_ok()
                    && is_time(holes["time"], call.time_ns).is_ok()
                    && is_size(holes["peak"], call.peak_rss).is_ok()
            };
            let call = of
                .run
                .stopped
                .iter()
                .find(is_it)
                .ok_or("there is such a call")?;
            holds("no longer than the run", call.time_ns <= of.run.duration_ns)
        },
    ),
    ("Thread {thread} was in {where}.\n", |of, holes| {
        let is_it = |call: &&memprof_model::run::Stopped| {
            is_count(holes["thread"], call.thread).is_ok()
                && (call.time_ns, call.net_rss, call.peak_rss) == (0, 0, 0)
        };
        let call = of.run.stopped.iter().find(is_it);
        holds("of which nothing else is known", call.is_some())
    }),
    ("Suspended calls of {label}: {calls}.\n", |of, holes| {
        let names = Names::of_run(of.run);
        let functions = of
            .run
            .functions
            .iter()
            .filter(|function| function.suspended > 0);
        let mut judged = functions.map(|function| {
            let of = Of { function, ..of };
            holds("its name", names.of(function) == holes["label"])?;
            let fact = format!("suspended: {}\n", holes["calls"]);
            let known = FACTS.iter().filter(|fact| fact.0.starts_with("suspended"));
            let mut fitting = known.filter_map(|(template, holds)| {
                let (holes, _) = begins(&fact, template)?;
                Some(holds(of, &holes))
            });
            holds("what it says of them", fitting.any(|judged| judged.is_ok()))
        });
        holds(
            "of one of the functions",
            judged.any(|judged| judged.is_ok()),
        )
    }),
    (
        "{more} more threads were in annotated calls.\n",
        |of, holes| {
            let threads = of.run.stopped.chunk_by(|a, b| a.thread == b.thread).count() as u64;
            is_count(holes["more"], threads - 8)
        },
    ),
];

fn low(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let at = of.run.low_memory_ns.ok_or("it was")?;
    is_time(holes["low"], at)?;
    holds("within the run", at <= of.run.duration_ns)
}
