//! The sentences of a function's story: each as it looks, with what must hold of its figures.

use memprof_model::run::{HeapFigures, Line, PeakMethod, RunOutcome};

use super::figures::{Judged, Of, holds, is_at_most, is_count, is_size, is_time, is_within};
use super::template::Holes;

/// A sentence, and its judge.
pub(super) type Sentence = (&'static str, fn(Of<'_>, &Holes<'_>) -> Judged);

/// No rise below this is told.
const NOISE: u64 = 64 << 10;

/// Every sentence that a story may have.
pub(super) const SENTENCES: &[Sentence] = &[
    ("No call has ended yet. ", |of, _| {
        holds("no call", of.function.calls == 0)
    }),
    (
        "Still alive {when}: {sum} in {blocks} allocated here, {lines}. ",
        alive,
    ),
    (
        "Still alive {when}: about {sum} in {blocks} allocated here, {lines}. Of the small blocks one in {one_in} was followed and stands for all. ",
        alive,
    ),
    (
        "`{code}` (line {line}) allocated {peak} at once and freed {freed}. ",
        line_on_the_heap,
    ),
    (
        "`{code}` (line {line}) allocated up to {peak} at once, {all} in all, and freed {freed}. ",
        line_on_the_heap,
    ),
    (
        "`{code}` (line {line}) allocated {all} in all and freed {freed}. ",
        line_on_the_heap,
    ),
    (
        "{whose} allocated nothing and freed nothing. ",
        |of, holes| {
            let heap = heap(of)?;
            of.is_whose(holes["whose"])?;
            holds("nothing", (heap.allocated, heap.freed) == (0, 0))
        },
    ),
    (
        "{whose} allocated {all} in {allocations} and freed {freed}. ",
        sums,
    ),
    (
        "{whose} allocated {all} in {allocations}, at {bound} {peak} of it at once, and freed {freed}. ",
        sums,
    ),
    (
        "{whose} allocated {all} in {allocations}, at {bound} {peak} of it at once in a call, and freed {freed}. ",
        sums,
    ),
    ("`{code}` (line {line}) took up to {peak}. ", line),
    (
        "`{code}` (line {line}) took up to {peak} and kept nothing. ",
        line,
    ),
    (
        "`{code}` (line {line}) took up to {peak} and kept {kept}. ",
        line,
    ),
    (
        "`{code}` (line {line}) took up to {peak} and kept {kept} over {hits} hits. ",
        line,
    ),
    (
        "`{code}` (line {line}) took up to {peak} and gave back {given}. ",
        line,
    ),
    (
        "`{code}` (line {line}) took up to {peak} and gave back {given} over {hits} hits. ",
        line,
    ),
    ("Line{lines} together took up to {peak}. ", group),
    (
        "Line{lines} together took up to {peak} and kept nothing. ",
        group,
    ),
    (
        "Line{lines} together took up to {peak} and kept {kept}. ",
        group,
    ),
    (
        "Line{lines} together took up to {peak} and kept {kept} over {hits} hits. ",
        group,
    ),
    (
        "Line{lines} together took up to {peak} and gave back {given}. ",
        group,
    ),
    (
        "Line{lines} together took up to {peak} and gave back {given} over {hits} hits. ",
        group,
    ),
    ("The {how}, {peak} above the start. ", peak),
    (
        "The {how}, {peak} above the start, was reached at {at}. ",
        peak,
    ),
    (
        "The {how}, {peak} above the start, was reached at {at} while {where} ran. ",
        peak,
    ),
    (
        "The {how}, {peak} above the start, was reached in one of the {calls} calls. ",
        peak,
    ),
    (
        "The {how}, {peak} above the start, was reached in one of the {calls} calls, between {from} and {to}. ",
        peak,
    ),
    (
        "{what} {moved}: no call rose above its start by 64 KiB. ",
        no_peak,
    ),
    (
        "{what} {moved}: no call that was read rose above its start by 64 KiB. ",
        no_peak,
    ),
    (
        "After the call the process was as large as before. ",
        |of, holes| process(of, holes, 0),
    ),
    (
        "After the call the process was {net} larger. ",
        |of, holes| process(of, holes, 1),
    ),
    (
        "After the call the process was {net} smaller. ",
        |of, holes| process(of, holes, -1),
    ),
    ("{whose} kept no RSS. ", net),
    ("{whose} kept {kept} of RSS. ", net),
    ("{whose} gave back {given} of RSS. ", net),
    ("{whose} together kept no RSS. ", net),
    ("{whose} together kept {kept} of RSS. ", net),
    ("{whose} together gave back {given} of RSS. ", net),
    (
        "That is live heap: allocated meanwhile and not freed. ",
        live,
    ),
    (
        "{live} of that are live heap: allocated meanwhile and not freed. ",
        live,
    ),
    (
        "RSS did not fall with {kept} of freed heap: kept by the allocator for what is allocated next, or never touched. ",
        kept,
    ),
    (
        "{kept} of freed heap stayed resident: kept by the allocator for what is allocated next, no leak. ",
        kept,
    ),
    (
        "{added} are what the allocator adds to its blocks, most of all to small ones. ",
        |of, holes| {
            comparable(of)?;
            let heap = heap(of)?;
            holds("most blocks are alive", heap.freed <= heap.allocated / 2)?;
            is_at_most(holes["added"], 31 * heap.allocations, "31 bytes a block")?;
            is_at_most(holes["added"], apart(of)?, "what RSS rose beyond the heap")
        },
    ),
    (
        "{unasked} came without an allocation: heap from before that was touched only now, stacks, mapped files, or another allocator. ",
        |of, holes| {
            comparable(of)?;
            is_at_most(
                holes["unasked"],
                apart(of)?,
                "what RSS rose beyond the heap",
            )
        },
    ),
    (
        "RSS did not follow {untouched} of live heap: it is not touched yet. ",
        untouched,
    ),
    (
        "RSS did not follow {untouched} of live heap: it is not touched yet, or lies in memory that was resident already. ",
        untouched,
    ),
    (
        "RSS fell by {returned} more than the heap: the allocator gave back what it had kept, or something else was unmapped. ",
        |of, holes| {
            comparable(of)?;
            let fell = of.function.net_rss.min(0).unsigned_abs();
            is_at_most(holes["returned"], fell, "what RSS fell")?;
            is_at_most(holes["returned"], of.range(), "what there was")
        },
    ),
    (
        "The heap rose by {passing} more than RSS did: so much was not touched before it was freed. ",
        passing,
    ),
    (
        "The heap rose by {passing} more than RSS did: so much was not touched before it was freed, or lies in memory that was resident already. ",
        passing,
    ),
];

pub(super) fn heap(of: Of<'_>) -> Result<HeapFigures, String> {
    of.function
        .heap
        .ok_or_else(|| "the heap was not counted".to_owned())
}

fn alive(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let followed = of.run.origins.ok_or("blocks were not followed")?;
    let lines = of
        .function
        .lines
        .iter()
        .filter_map(|line| Some((line.line, line.origins?)));
    let lines: Vec<_> = lines.collect();
    let bytes: u64 = lines.iter().map(|line| line.1.alive_bytes).sum();
    let blocks: u64 = lines.iter().map(|line| line.1.alive_blocks).sum();
    let when = match of.run.outcome {
        RunOutcome::Exited => "at the end",
        RunOutcome::Recovered => "when last heard of",
        _ => "now",
    };
    holds(when, holes["when"] == when)?;
    is_size(holes["sum"], bytes)?;
    is_blocks(holes["blocks"], blocks)?;
    match holes.get("one_in") {
        Some(one_in) => {
            is_count(one_in, followed.one_in)?;
            is_at_most(holes["sum"], of.most_live(), "what ever was alive")?;
        }
        None => holds("all were followed", followed.one_in == 1)?,
    }
    for named in holes["lines"].trim_end_matches(", …").split(", ") {
        let (size, rest) = named.split_once(" in ").ok_or("a size")?;
        let (blocks, number) = rest.split_once(" by line ").ok_or("a line")?;
        let is_it = |line: &&(u32, memprof_model::run::Origins)| line.0.to_string() == number;
        let (_, origins) = lines.iter().find(is_it).ok_or("it is there")?;
        is_size(size, origins.alive_bytes)?;
        is_blocks(blocks, origins.alive_blocks)?;
    }
    Ok(())
}

fn is_blocks(shown: &str, blocks: u64) -> Judged {
    is_count(
        shown.trim_end_matches('s').trim_end_matches(" block"),
        blocks,
    )
}

fn line_on_the_heap(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let line = of.line(holes["line"])?;
    let heap = line.heap.ok_or("its heap was counted")?;
    if let Some(peak) = holes.get("peak") {
        is_size(peak, heap.peak)?;
        let own = of.is_alone() && !of.was_suspended();
        holds("at once", own || heap.peak <= of.most_live())?;
    }
    is_size(
        holes.get("all").unwrap_or(holes.get("peak").unwrap_or(&"")),
        heap.allocated,
    )?;
    is_freed(holes["freed"], heap)
}

fn is_freed(shown: &str, heap: HeapFigures) -> Judged {
    match shown {
        "nothing" => holds("nothing was freed", heap.freed == 0),
        "all of it" | "as much" => holds("all was freed", heap.freed == heap.allocated),
        shown => match shown.split_once(", ") {
            Some((freed, apart)) => {
                is_size(freed, heap.freed)?;
                let (apart, word) = apart.rsplit_once(' ').ok_or("a word")?;
                is_size(apart, heap.allocated.abs_diff(heap.freed))?;
                holds(word, (word == "less") == (heap.freed < heap.allocated))
            }
            None => is_size(shown, heap.freed),
        },
    }
}

fn sums(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let heap = heap(of)?;
    of.is_whose(holes["whose"])?;
    is_size(holes["all"], heap.allocated)?;
    let (number, word) = holes["allocations"].split_once(' ').ok_or("allocations")?;
    is_count(number, heap.allocations)?;
    let plural = if heap.allocations == 1 { "" } else { "s" };
    holds(word, word == format!("allocation{plural}"))?;
    if let Some(peak) = holes.get("peak") {
        is_size(peak, heap.peak)?;
        let own = of.is_alone() && !of.was_suspended();
        holds("at once", own || heap.peak <= of.most_live())?;
        let word = if of.in_progress() > 0 {
            "least"
        } else {
            "most"
        };
        holds(word, holes["bound"] == word)?;
    }
    is_freed(holes["freed"], heap)
}

/// What a line or several kept, in the hole that it stands in.
fn is_kept(of: Of<'_>, holes: &Holes<'_>, net: i64, is_own: bool) -> Judged {
    let told = holes.get("kept").or(holes.get("given"));
    let Some(told) = told else {
        return Ok(());
    };
    holds("its own", is_own)?;
    is_size(told, net.unsigned_abs())?;
    holds("the sign", holes.contains_key("kept") == (net > 0))?;
    is_at_most(told, of.range(), "what the process can have kept")
}

fn line(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let line = of.line(holes["line"])?;
    holds("no heap was counted", of.function.heap.is_none())?;
    holds(
        "it moved",
        line.peak_rss.max(line.net_rss.max(0) as u64) >= NOISE,
    )?;
    is_size(holes["peak"], line.peak_rss)?;
    if let Some(hits) = holes.get("hits") {
        is_count(hits, line.hits)?;
    }
    is_kept(of, holes, line.net_rss, line.shared == 0)
}

fn group(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let lines = members(of, holes["lines"])?;
    let group = lines.first().and_then(|line| line.group).ok_or("a group")?;
    holds(
        "all of its lines",
        lines.iter().all(|line| line.group == Some(group)),
    )?;
    let all = of
        .function
        .lines
        .iter()
        .filter(|line| line.group == Some(group));
    holds("no other line", all.count() == lines.len())?;
    let hits = lines.iter().map(|line| line.hits).max().unwrap_or(0);
    let is_own = lines.iter().all(|line| line.shared == 0);
    let group = of.function.groups.get(group).ok_or("it is there")?;
    is_size(holes["peak"], group.peak_rss)?;
    if let Some(shown) = holes.get("hits") {
        is_count(shown, hits)?;
    }
    is_kept(of, holes, group.net_rss, is_own)
}

/// The lines that `s 12 to 15 and 17`, `s 12, 13` or ` 12` name.
fn members<'run>(of: Of<'run>, shown: &str) -> Result<Vec<&'run Line>, String> {
    let parts = shown.trim_start_matches('s').trim().replace(" and ", ", ");
    let mut ranges = Vec::new();
    for part in parts.split(", ") {
        let (first, last) = part.split_once(" to ").unwrap_or((part, part));
        let number = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| format!("{text:?} is no line"))
        };
        ranges.push(number(first)?..=number(last)?);
    }
    let named = |line: &&Line| ranges.iter().any(|range| range.contains(&line.line));
    Ok(of.function.lines.iter().filter(named).collect())
}

fn peak(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let function = of.function;
    let how = match (of.run.peak_method, of.run.sampler.missing) {
        (PeakMethod::Sampled, false) => "highest sample",
        (PeakMethod::Sampled, true) => "highest reading",
        _ => "peak",
    };
    let of_rss = if function.heap.is_some() {
        " of RSS"
    } else {
        ""
    };
    let so_far = if of.in_progress() > 0 { " so far" } else { "" };
    let name = format!("{how}{of_rss}{so_far}");
    holds(&name, holes["how"] == name)?;
    holds("it rose", function.peak_rss >= NOISE)?;
    is_size(holes["peak"], function.peak_rss)?;
    let at = function.peak_at;
    if let Some(moment) = holes.get("at") {
        let at = at.ok_or("a moment")?;
        holds("of the call that had it", of.has_peak_call())?;
        is_within(moment, at.from_ns, at.to_ns)?;
        let number = at.line.map(|line| line.to_string());
        match (holes.get("where"), number) {
            (None, number) => holds("no line", number.is_none())?,
            (Some(_), None) => return Err("there is no line".to_owned()),
            (Some(shown), Some(number)) => {
                let named = members(of, shown.trim_start_matches("line"))?;
                holds(
                    &number,
                    named.iter().any(|line| line.line.to_string() == number),
                )?;
            }
        }
    }
    if let Some(calls) = holes.get("calls") {
        is_count(calls, function.calls)?;
        holds("several", function.calls > 1)?;
    }
    if let Some((from, to)) = holes.get("from").zip(holes.get("to")) {
        let at = at.ok_or("moments")?;
        is_time(from, at.from_ns)?;
        is_time(to, at.to_ns)?;
    }
    Ok(())
}

fn no_peak(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    let function = of.function;
    holds("it did not rise", function.peak_rss < NOISE)?;
    let what = if function.heap.is_some() {
        "RSS"
    } else {
        "Memory"
    };
    holds(what, holes["what"] == what)?;
    match holes["moved"] {
        "only fell" => holds("it fell", function.net_rss <= -(NOISE as i64)),
        "stayed where it was" => holds("it did not fall", function.net_rss > -(NOISE as i64)),
        moved => Err(format!("{moved:?}")),
    }
}

/// How much larger the process was after its only call: what is read at its ends says so.
fn process(of: Of<'_>, holes: &Holes<'_>, sign: i64) -> Judged {
    let call = of.only_call().ok_or("one call with its record")?;
    holds("it has ended", of.in_progress() == 0)?;
    let change = call.exit_rss as i64 - call.entry_rss as i64;
    match holes.get("net") {
        None => holds("it did not move", change.unsigned_abs() < NOISE),
        Some(shown) => {
            is_size(shown, change.unsigned_abs())?;
            holds("the sign", change.signum() == sign)
        }
    }
}

fn net(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    match holes["whose"].strip_suffix(" calls that were read") {
        Some(shown) => {
            holds("some were not read", !of.has_read_all())?;
            let so_far = of.in_progress() > 0;
            holds("so far", shown == if so_far { "So far the" } else { "The" })?;
        }
        None => {
            holds("all were read", of.has_read_all())?;
            of.is_whose(holes["whose"])?;
        }
    }
    let net = of.function.net_rss;
    if !holes.contains_key("kept") && !holes.contains_key("given") {
        return holds("nothing", net.unsigned_abs() < NOISE);
    }
    is_kept(of, holes, net, true)
}

/// RSS and heap of the calls can be compared.
fn comparable(of: Of<'_>) -> Judged {
    let function = of.function;
    holds("nobody else used the heap", of.is_alone())?;
    holds("every call was read", of.has_read_all())?;
    let net = heap(of)?.net.unsigned_abs();
    holds(
        "the sum was there at once",
        of.can_have_lived(net, function.calls),
    )
}

/// By how much RSS rose beyond the heap, as far as samples and figures prove it.
fn apart(of: Of<'_>) -> Result<u64, String> {
    let apart = (of.function.net_rss - heap(of)?.net).max(0) as u64;
    let is_one = of.function.calls == 1 && !of.was_suspended();
    let has_samples = of.run.series.iter().any(|sample| sample.heap.is_some());
    Ok(match is_one && !has_samples {
        true => apart,
        false => apart.min(of.spare_at_end()),
    })
}

fn live(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    comparable(of)?;
    let (rss, heap) = (of.function.net_rss, heap(of)?.net);
    let least = rss.min(heap).max(0) as u64;
    match holes.get("live") {
        Some(shown) => is_size(shown, least),
        None => holds("most of it", least as f64 >= rss as f64 * 0.93 && rss > 0),
    }
}

fn kept(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    comparable(of)?;
    let heap = heap(of)?;
    is_at_most(holes["kept"], heap.freed, "what was freed")?;
    is_at_most(holes["kept"], apart(of)?, "what RSS rose beyond the heap")?;
    match of.function.calls == 1 && !of.was_suspended() {
        true => Ok(()),
        false => is_at_most(holes["kept"], of.most_live(), "what ever was alive"),
    }
}

fn untouched(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    comparable(of)?;
    let net = heap(of)?.net;
    is_at_most(
        holes["untouched"],
        net.max(0) as u64,
        "what was allocated and not freed",
    )?;
    let behind = (net - of.function.net_rss).max(0) as u64;
    is_at_most(holes["untouched"], behind, "what RSS stayed behind")
}

fn passing(of: Of<'_>, holes: &Holes<'_>) -> Judged {
    comparable(of)?;
    holds("peaks are exact", of.run.peak_method == PeakMethod::Kernel)?;
    let behind = heap(of)?.peak.saturating_sub(of.function.peak_rss);
    is_size(holes["passing"], behind)
}
