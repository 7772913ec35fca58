//! In words: whether memory was about to run out, and where a run stopped that did not end by itself.

use memprof_model::run::{FunctionProfile, Run, RunOutcome, Stopped};

use super::suspended::suspended;
use crate::facts::names::Names;
use crate::text::units::{duration, mib_unit, signed_mib};
use crate::text::visible::{source_line, truncate, visible};

/// The most threads of which it is said where they were.
const SHOWN: usize = 8;
/// The most columns of a source line.
const SOURCE: usize = 60;

/// What became of the run; nothing where it ended by itself and there always was enough memory. The first sentence
/// stands for itself. In a run that did not end by itself one follows for each thread that was
/// in an annotated call.
///
/// Each moment is one of the run: the sentence of a moment after its end is not said. RSS is that of the last sample.
pub(crate) fn sentences(run: &Run) -> Vec<String> {
    let low = run.low_memory_ns.filter(|&at| at <= run.duration_ns);
    let low = low.map(duration);
    let names = Names::of_run(run);
    if run.outcome != RunOutcome::Recovered {
        let low = low.map(|at| format!("Memory was about to run out for the first time at {at}."));
        let mut sentences = Vec::from_iter(low);
        if run.outcome == RunOutcome::Running && run.watched.is_none() {
            sentences.insert(0, at_work(run));
            sentences.extend(suspended_calls(run, &names));
        }
        return sentences;
    }
    let resident = run.series.last().map(|sample| mib_unit(sample.rss));
    let resident = resident.map(|size| format!(", with {size} resident"));
    let mut sentences = vec![format!(
        "The program ended without a report, killed for example. It was last heard of {} after its first \
         annotated call{}.",
        duration(run.duration_ns),
        resident.unwrap_or_default()
    )];
    sentences.extend(low.map(|after| {
        format!("Memory was about to run out for the first time {after} after that call.")
    }));
    let innermost = innermost(&run.stopped);
    let more = innermost.len().saturating_sub(SHOWN);
    sentences.extend(
        innermost
            .into_iter()
            .take(SHOWN)
            .filter_map(|call| of_thread(run, &names, call)),
    );
    if more > 0 {
        sentences.push(format!("{more} more threads were in annotated calls."));
    }
    sentences.extend(suspended_calls(run, &names));
    sentences
}

/// That there is more to come.
fn at_work(run: &Run) -> String {
    format!(
        "The program was at work: all figures are those of {} after its first annotated call.",
        duration(run.duration_ns)
    )
}

/// Which calls were suspended, by function: those that held most first.
fn suspended_calls(run: &Run, names: &Names) -> Vec<String> {
    let mut functions: Vec<&FunctionProfile> = run.functions.iter().collect();
    functions.retain(|function| function.suspended > 0);
    functions.sort_by_key(|function| {
        let held = (function.suspended_heap, function.suspended);
        std::cmp::Reverse(held)
    });
    let more = functions.len().saturating_sub(SHOWN);
    let told = functions.into_iter().take(SHOWN).filter_map(|function| {
        let name = visible(names.of(function));
        Some(format!(
            "Suspended calls of {name}: {}.",
            suspended(function)?
        ))
    });
    let more = (more > 0).then(|| format!("{more} more functions had suspended calls."));
    told.chain(more).collect()
}

/// Of each thread the innermost call, those that rose most first.
fn innermost(stopped: &[Stopped]) -> Vec<&Stopped> {
    let mut calls: Vec<&Stopped> = stopped
        .chunk_by(|a, b| a.thread == b.thread)
        .filter_map(|thread| thread.iter().max_by_key(|call| call.depth))
        .collect();
    calls.sort_by_key(|call| std::cmp::Reverse(call.peak_rss));
    calls
}

/// Where a thread was, and what its call had kept and risen by until then. Said of a call that began within the run.
fn of_thread(run: &Run, names: &Names, call: &Stopped) -> Option<String> {
    let function = run.functions.get(call.function)?;
    if call.time_ns > run.duration_ns {
        return None;
    }
    let line = call.line.map_or_else(String::new, |number| {
        let line = function.lines.iter().find(|line| line.line == number);
        let source = line.map_or(String::new(), |line| source_line(line.source.trim()));
        match truncate(&source, SOURCE) {
            source if source.is_empty() => format!(" line {number} of"),
            source => format!(" line {number}, `{source}`, of"),
        }
    });
    let place = format!(
        "Thread {} was in{line} {}",
        call.thread,
        visible(names.of(function))
    );
    // Of a call that had only been counted nothing else is known.
    if (call.time_ns, call.net_rss, call.peak_rss) == (0, 0, 0) {
        return Some(format!("{place}."));
    }
    Some(format!(
        "{place}: {} MiB in {}, {} at most.",
        signed_mib(call.net_rss),
        duration(call.time_ns),
        mib_unit(call.peak_rss)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use memprof_model::data;

    fn call(thread: u64, depth: u32, line: Option<u32>) -> Stopped {
        data!(Stopped {
            thread,
            depth,
            function: 0,
            line,
            time_ns: 2_000_000_000,
            net_rss: 3 << 20,
            peak_rss: 4 << 20,
        })
    }

    #[test]
    fn the_innermost_call_of_each_thread_is_named() {
        let mut run = fixture::inverse();
        run.outcome = RunOutcome::Recovered;
        let number = run.functions[0].lines[1].line;
        let source = run.functions[0].lines[1].source.trim().to_owned();
        run.stopped = vec![call(1, 0, None), call(1, 1, Some(number)), call(2, 0, None)];
        let said = sentences(&run);
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("killed"), "{said:?}");
        assert!(
            said[1].starts_with(&format!(
                "Thread 1 was in line {number}, `{}",
                &source[..20]
            )),
            "{said:?}"
        );
        assert!(
            said[1].ends_with("of Matriz Inversa: +3.000 MiB in 2.000 s, 4.000 MiB at most."),
            "{said:?}"
        );
        assert!(
            said[2].starts_with("Thread 2 was in Matriz Inversa: "),
            "{said:?}"
        );
    }

    #[test]
    fn suspended_calls_are_named_by_function_and_line() {
        let mut run = fixture::inverse();
        run.outcome = RunOutcome::Recovered;
        let function = &mut run.functions[0];
        (function.suspended, function.suspended_heap) = (3, 5 << 20);
        function.lines[0].suspended = 3;
        let number = function.lines[0].line;
        let said = sentences(&run);
        let expected = format!(
            "Suspended calls of Matriz Inversa: 3, holding 5.000 MiB of heap: 3 at line {number}, "
        );
        assert!(said[1].starts_with(&expected), "{said:?}");
        run.outcome = RunOutcome::Exited;
        assert!(sentences(&run).is_empty());
    }

    /// Two functions called `run` are told apart, as in the table.
    #[test]
    fn functions_with_suspended_calls_have_the_names_of_the_table() {
        let mut run = fixture::inverse();
        run.outcome = RunOutcome::Recovered;
        let mut other = run.functions[0].clone();
        for (function, name) in [(&mut run.functions[0], "a::run"), (&mut other, "b::run")] {
            (function.name, function.label) = (name.into(), "run".into());
            function.suspended = 1;
        }
        run.functions.push(other);
        let mut said = sentences(&run).split_off(1);
        said.sort();
        assert_eq!(
            said,
            [
                "Suspended calls of a::run: 1.",
                "Suspended calls of b::run: 1."
            ]
        );
    }

    #[test]
    fn of_a_program_at_work_is_told_until_when_figures_are_and_what_is_suspended() {
        let run = fixture::suspended();
        assert_eq!(run.outcome, RunOutcome::Running);
        let said = sentences(&run);
        assert!(
            said[0].starts_with("The program was at work: all figures are those of "),
            "{said:?}"
        );
        assert!(said[1].starts_with("Suspended calls of "), "{said:?}");
    }

    #[test]
    fn of_a_call_that_was_only_counted_just_the_place_is_told() {
        let mut run = fixture::inverse();
        run.outcome = RunOutcome::Recovered;
        run.stopped = vec![data!(Stopped {
            thread: 3,
            function: 0,
            ..Stopped::default()
        })];
        assert_eq!(sentences(&run)[1], "Thread 3 was in Matriz Inversa.");
    }

    #[test]
    fn what_refers_to_nothing_is_left_out() {
        let mut run = fixture::inverse();
        assert!(sentences(&run).is_empty());
        run.outcome = RunOutcome::Recovered;
        run.stopped = vec![data!(Stopped {
            function: 99,
            ..call(1, 0, Some(1))
        })];
        assert_eq!(sentences(&run).len(), 1);
    }

    /// No call is longer than its run, and no moment after its end.
    #[test]
    fn what_cannot_be_is_not_told() {
        let mut run = fixture::inverse();
        run.outcome = RunOutcome::Recovered;
        run.low_memory_ns = Some(run.duration_ns + 1);
        run.stopped = vec![data!(Stopped {
            time_ns: run.duration_ns + 1,
            ..call(1, 0, None)
        })];
        assert_eq!(sentences(&run).len(), 1, "{:?}", sentences(&run));
        run.series.clear();
        assert!(sentences(&run)[0].ends_with("after its first annotated call."));
    }

    #[test]
    fn low_memory_is_told_however_the_run_ended() {
        let mut run = fixture::inverse();
        run.low_memory_ns = Some(1_230_000_000);
        assert_eq!(
            sentences(&run),
            ["Memory was about to run out for the first time at 1.230 s."]
        );
        run.outcome = RunOutcome::Recovered;
        assert_eq!(
            sentences(&run)[1],
            "Memory was about to run out for the first time 1.230 s after that call."
        );
    }
}
