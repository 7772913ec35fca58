//! Random runs for the tests: threads that call each other's functions, allocate, free what anybody allocated, and map
//! memory, with the books kept as `docs/whose-memory.md` says.

use memprof_model::data;
use memprof_model::run::*;

use crate::fixture;

const KIB: u64 = 1 << 10;
/// The line of a function's signature.
const SIGNATURE: u32 = 10;
/// Lines of each function that can run.
const LINES: usize = 4;

/// Numbers that depend on the seed alone (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Whether something of this share of a hundred happens.
    pub(crate) fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// Mostly little, sometimes much: up to 64 MiB, in whole pages.
    fn size(&mut self) -> u64 {
        (4 * KIB) << self.below(15)
    }
}

/// What a thread has done on the heap.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    allocated: u64,
    freed: u64,
    allocations: u64,
}

impl Counts {
    fn live(self) -> i64 {
        self.allocated as i64 - self.freed as i64
    }

    fn since(self, before: Counts) -> Counts {
        Counts {
            allocated: self.allocated - before.allocated,
            freed: self.freed - before.freed,
            allocations: self.allocations - before.allocations,
        }
    }

    fn plus(self, other: Counts) -> Counts {
        Counts {
            allocated: self.allocated + other.allocated,
            freed: self.freed + other.freed,
            allocations: self.allocations + other.allocations,
        }
    }
}

/// A call, or a line of it: what it began with, and how high it has been.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start_ns: u64,
    /// Own growth of RSS of its thread then, and the highest since.
    own: i64,
    own_high: i64,
    heap: Counts,
    live_high: i64,
}

#[derive(Debug)]
struct Open {
    function: usize,
    call: Span,
    entry_rss: u64,
    /// All heap work of other threads then.
    elsewhere: Counts,
    line: Option<(usize, Span)>,
    peak_at: PeakAt,
    suspended_ns: u64,
    suspended_rss: i64,
}

#[derive(Debug, Default)]
struct Thread {
    stack: Vec<Open>,
    heap: Counts,
    own: i64,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    size: u64,
    is_touched: bool,
}

struct Process {
    random: Random,
    now_ns: u64,
    rss: u64,
    /// Freed and still resident: what is touched next takes it.
    spare: u64,
    mapped: Vec<u64>,
    blocks: Vec<Block>,
    threads: Vec<Thread>,
    run: Run,
}

/// The run that `seed` stands for.
pub(crate) fn random_run(seed: u64) -> Run {
    let mut process = Process::new(Random::new(seed));
    let steps = match process.random.percent(40) {
        true => 3 + process.random.below(15),
        false => 30 + process.random.below(400),
    };
    for _ in 0..steps {
        let thread = process.random.below(process.threads.len() as u64) as usize;
        process.step(thread);
    }
    process.finish()
}

impl Process {
    fn new(mut random: Random) -> Self {
        let rss = (1 + random.below(20)) << 20;
        let mut run = fixture::nothing();
        run.heap = random.percent(70);
        run.peak_method = match random.percent(80) {
            true => PeakMethod::Kernel,
            false => PeakMethod::Sampled,
        };
        run.process.baseline_rss = rss;
        run.process.peak_rss = rss;
        run.functions = (0..1 + random.below(4))
            .map(|i| function(i, run.heap))
            .collect();
        let threads = if random.percent(50) {
            1
        } else {
            2 + random.below(3)
        };
        Self {
            now_ns: 0,
            rss,
            spare: 0,
            mapped: Vec::new(),
            blocks: Vec::new(),
            threads: (0..threads).map(|_| Thread::default()).collect(),
            run,
            random,
        }
    }

    /// A thread does something; time passes.
    fn step(&mut self, thread: usize) {
        self.now_ns += 1 + self.random.below(30_000_000);
        let depth = self.threads[thread].stack.len();
        match self.random.below(100) {
            0..30 if depth < 5 => self.enter(thread),
            _ if depth == 0 => self.work(thread),
            30..50 => self.leave(thread, false),
            50..53 => self.suspend(thread),
            _ => {
                self.line(thread);
                for _ in 0..self.random.below(4) {
                    self.work(thread);
                }
            }
        }
        if self.random.percent(60) {
            self.sample();
        }
    }

    fn enter(&mut self, thread: usize) {
        self.line(thread);
        let elsewhere = self.elsewhere(thread);
        let function = self.random.below(self.run.functions.len() as u64) as usize;
        let span = self.span(thread);
        self.threads[thread].stack.push(Open {
            function,
            call: span,
            entry_rss: self.rss,
            elsewhere,
            line: Some((0, span)),
            peak_at: PeakAt::default(),
            suspended_ns: 0,
            suspended_rss: 0,
        });
    }

    /// The innermost call's next line begins.
    fn line(&mut self, thread: usize) {
        let next = self.random.below(LINES as u64) as usize;
        self.end_line(thread);
        let span = self.span(thread);
        if let Some(open) = self.threads[thread].stack.last_mut() {
            open.line = Some((next, span));
        }
    }

    fn end_line(&mut self, thread: usize) {
        let (now, rss) = (self.now_ns, self.rss);
        let own = self.threads[thread].own;
        let heap = self.threads[thread].heap;
        let Some(open) = self.threads[thread].stack.last_mut() else {
            return;
        };
        let Some((at, span)) = open.line.take() else {
            return;
        };
        let line = &mut self.run.functions[open.function].lines[at];
        line.hits += 1;
        line.readings += 1;
        line.time_ns += now - span.start_ns;
        line.max_rss = line.max_rss.max(Some(rss));
        line.net_rss += own - span.own;
        line.self_net_rss = line.net_rss;
        line.peak_rss = line.peak_rss.max((span.own_high - span.own) as u64);
        add(&mut line.heap, heap.since(span.heap), span);
    }

    /// The innermost call ends; or the run does, and the call goes on.
    fn leave(&mut self, thread: usize, goes_on: bool) {
        self.end_line(thread);
        let (own, heap) = (self.threads[thread].own, self.threads[thread].heap);
        let elsewhere = self.elsewhere(thread);
        let Some(open) = self.threads[thread].stack.pop() else {
            return;
        };
        let call = open.call;
        let (net_rss, did) = (own - call.own, heap.since(call.heap));
        let mut of_call = self.run.heap.then(HeapFigures::default);
        add(&mut of_call, did, call);
        let change = self.rss as i64 - open.entry_rss as i64;
        let record = data!(Call {
            start_ns: call.start_ns,
            end_ns: self.now_ns,
            suspended_ns: open.suspended_ns,
            thread: thread as u64 + 1,
            depth: self.threads[thread].stack.len() as u32,
            outcome: match (goes_on, self.random.percent(5)) {
                (true, _) => Outcome::Running,
                (false, true) => Outcome::Panicked,
                (false, false) => Outcome::Returned,
            },
            entry_rss: open.entry_rss,
            exit_rss: self.rss,
            peak_rss: (call.own_high - call.own) as u64,
            net_rss,
            suspended_rss: open.suspended_rss,
            others_rss: change - net_rss - open.suspended_rss,
            heap: of_call,
            ..Call::default()
        });
        let unread = self.random.percent(10).then(|| {
            data!(UnreadRise {
                from_ns: call.start_ns,
                to_ns: self.now_ns,
                rise: self.random.below(64 << 20),
                calls: 1 + self.random.below(3),
            })
        });
        let function = &mut self.run.functions[open.function];
        function.unread_rise = function.unread_rise.or(unread);
        function.calls += 1;
        function.panics += u64::from(record.outcome == Outcome::Panicked);
        let at_peak = if record.peak_rss > 0 {
            open.peak_at.rss
        } else {
            0
        };
        let highest = at_peak.max(record.entry_rss).max(record.exit_rss);
        function.max_rss = function.max_rss.max(highest);
        if function.series_call.is_none() || record.peak_rss > function.peak_rss {
            function.series_call = Some(function.call_records.len());
            function.peak_rss = record.peak_rss;
            function.peak_at = (record.peak_rss > 0).then_some(open.peak_at);
        }
        // Of calls inside of calls of the same function the outermost counts.
        let stack = &mut self.threads[thread].stack;
        match stack
            .iter_mut()
            .rev()
            .find(|outer| outer.function == open.function)
        {
            Some(outer) => {
                if let Some((_, span)) = &mut outer.line {
                    span.own += net_rss;
                    span.own_high = span.own_high.max(span.own);
                    span.heap = span.heap.plus(did);
                }
            }
            None => {
                function.net_rss += net_rss;
                function.time_ns += self.now_ns - call.start_ns;
                add(&mut function.heap, did, call);
                add(
                    &mut function.heap_elsewhere,
                    elsewhere.since(open.elsewhere),
                    Span::default(),
                );
            }
        }
        function.call_records.push(record);
    }

    /// The innermost call, a future, waits while the thread does something else.
    fn suspend(&mut self, thread: usize) {
        self.line(thread);
        let Some(open) = self.threads[thread].stack.pop() else {
            return;
        };
        let mut waiting = open;
        let (rss, own, heap, now) = (
            self.rss,
            self.threads[thread].own,
            self.threads[thread].heap,
            self.now_ns,
        );
        self.now_ns += self.random.below(10_000_000);
        self.work(thread);
        let did = self.threads[thread].heap.since(heap);
        let moved = self.threads[thread].own - own;
        for span in [
            Some(&mut waiting.call),
            waiting.line.as_mut().map(|line| &mut line.1),
        ] {
            let Some(span) = span else { continue };
            span.own += moved;
            span.own_high += moved;
            span.heap = span.heap.plus(did);
            span.live_high += did.live();
        }
        if let Some((_, line)) = &mut waiting.line {
            line.start_ns += self.now_ns - now;
        }
        waiting.suspended_ns += self.now_ns - now;
        waiting.suspended_rss += self.rss as i64 - rss as i64;
        self.threads[thread].stack.push(waiting);
    }

    fn work(&mut self, thread: usize) {
        let size = self.random.size();
        match self.random.below(100) {
            0..50 => self.allocate(thread, size),
            50..85 if !self.blocks.is_empty() => self.free(thread),
            85..93 => {
                self.mapped.push(size);
                self.change_rss(thread, size as i64);
            }
            _ => {
                let gone = self.mapped.pop().unwrap_or(0);
                self.change_rss(thread, -(gone as i64));
            }
        }
    }

    fn allocate(&mut self, thread: usize, size: u64) {
        let is_touched = self.random.percent(85);
        self.blocks.push(Block { size, is_touched });
        self.threads[thread].heap.allocated += size;
        self.threads[thread].heap.allocations += 1 + self.random.below(50);
        self.note_heights(thread);
        if is_touched {
            let reused = self.spare.min(size);
            self.spare -= reused;
            self.change_rss(thread, (size - reused) as i64);
        }
    }

    /// Frees a block, whoever allocated it.
    fn free(&mut self, thread: usize) {
        let at = self.random.below(self.blocks.len() as u64) as usize;
        let block = self.blocks.swap_remove(at);
        self.threads[thread].heap.freed += block.size;
        if block.is_touched {
            let kept = block.size / 4 * self.random.below(5);
            self.spare += kept;
            self.change_rss(thread, -((block.size - kept) as i64));
        }
    }

    fn change_rss(&mut self, thread: usize, bytes: i64) {
        self.rss = self.rss.saturating_add_signed(bytes);
        self.run.process.peak_rss = self.run.process.peak_rss.max(self.rss);
        self.threads[thread].own += bytes;
        self.note_heights(thread);
    }

    fn note_heights(&mut self, thread: usize) {
        let Thread { stack, heap, own } = &mut self.threads[thread];
        for open in stack {
            let line = open.line.as_ref().map(|line| SIGNATURE + 1 + line.0 as u32);
            if *own > open.call.own_high {
                open.peak_at = data!(PeakAt {
                    from_ns: self.now_ns.saturating_sub(1_000),
                    to_ns: self.now_ns,
                    rss: self.rss,
                    line,
                });
            }
            for span in [
                Some(&mut open.call),
                open.line.as_mut().map(|line| &mut line.1),
            ] {
                let Some(span) = span else { continue };
                span.own_high = span.own_high.max(*own);
                span.live_high = span.live_high.max(heap.live());
            }
        }
    }

    fn span(&self, thread: usize) -> Span {
        let Thread { heap, own, .. } = &self.threads[thread];
        Span {
            start_ns: self.now_ns,
            own: *own,
            own_high: *own,
            heap: *heap,
            live_high: heap.live(),
        }
    }

    fn elsewhere(&self, thread: usize) -> Counts {
        let others = self.threads.iter().enumerate();
        let others = others
            .filter(|(at, _)| *at != thread)
            .map(|(_, other)| other.heap);
        others.fold(Counts::default(), Counts::plus)
    }

    fn sample(&mut self) {
        let live = self.blocks.iter().map(|block| block.size).sum();
        self.run.series.push(data!(Sample {
            t_ns: self.now_ns,
            rss: self.rss,
            heap: self.run.heap.then_some(live),
        }));
    }

    fn finish(mut self) -> Run {
        let is_exited = self.random.percent(60);
        for thread in 0..self.threads.len() {
            self.stop(thread, is_exited);
        }
        if self.random.percent(90) {
            self.sample();
        }
        let mut run = self.run;
        run.duration_ns = self.now_ns;
        if !is_exited {
            run.outcome = match self.random.percent(70) {
                true => RunOutcome::Recovered,
                false => RunOutcome::Running,
            };
        }
        if self.random.percent(20) {
            run.low_memory_ns = Some(self.random.below(2 * run.duration_ns));
        }
        for function in &mut run.functions {
            finish_function(function, &run.series, &mut self.random);
        }
        if run.heap && self.random.percent(40) {
            follow_blocks(&mut run, &mut self.random);
        }
        run.functions.retain(|function| function.calls > 0);
        run
    }

    /// The calls in progress end, or are seen for the last time.
    fn stop(&mut self, thread: usize, is_exited: bool) {
        while let Some(open) = self.threads[thread].stack.last() {
            let (function, line) = (open.function, open.line.as_ref().map(|line| line.0));
            self.now_ns += 1_000;
            self.leave(thread, !is_exited);
            if let (false, Some(call)) =
                (is_exited, self.run.functions[function].call_records.last())
            {
                let line = line.map(|line| SIGNATURE + 1 + line as u32);
                let stopped = Stopped::of(function, line, call);
                self.run.stopped.push(stopped);
            }
        }
        self.run
            .stopped
            .sort_by_key(|call| (call.thread, call.depth));
    }
}

/// Adds what a span did. Its peak is the largest rise of the thread's live bytes.
fn add(figures: &mut Option<HeapFigures>, did: Counts, span: Span) {
    let Some(figures) = figures else { return };
    figures.allocated += did.allocated;
    figures.freed += did.freed;
    figures.net += did.live();
    figures.allocations += did.allocations;
    let rise = (span.live_high - span.heap.live()).max(0) as u64;
    figures.peak = figures.peak.max(rise);
}

fn function(number: u64, has_heap: bool) -> FunctionProfile {
    let mut profile = fixture::profile(&format!("random::function_{number}"));
    let lines = (0..LINES).map(|line| format!("    step_{line}(&mut state);\n"));
    profile.source = format!("fn function_{number}() {{\n{}}}", lines.collect::<String>());
    (profile.line, profile.source_line) = (SIGNATURE, SIGNATURE);
    let heap = has_heap.then(HeapFigures::default);
    (profile.heap, profile.heap_elsewhere) = (heap, heap);
    profile.lines = (0..LINES)
        .map(|line| {
            data!(Line {
                line: SIGNATURE + 1 + line as u32,
                source: format!("    step_{line}(&mut state);"),
                heap,
                heap_elsewhere: heap,
                ..Line::default()
            })
        })
        .collect();
    profile
}

fn finish_function(function: &mut FunctionProfile, series: &[Sample], random: &mut Random) {
    let Some(shown) = function.series_call else {
        return;
    };
    let call = function.call_records[shown].clone();
    (function.entry_rss, function.exit_rss) = (call.entry_rss, call.exit_rss);
    let during = series
        .iter()
        .filter(|s| (call.start_ns..=call.end_ns).contains(&s.t_ns));
    let during = during.map(|s| {
        data!(LineSample {
            t_ns: s.t_ns,
            rss: s.rss,
            heap: s.heap,
            line: None,
        })
    });
    function.series = during.collect();
    function.self_net_rss = function.net_rss;
    function
        .call_records
        .sort_by_key(|call| (call.start_ns, call.depth));
    forget_calls(function, &call, random);
    read_together(function, random);
    if random.percent(20) {
        grow(function, random);
    }
    for line in &mut function.lines {
        line.shared = if random.percent(15) { line.hits / 2 } else { 0 };
    }
}

/// Of many calls some have no record, the highest among them perhaps.
fn forget_calls(function: &mut FunctionProfile, highest: &Call, random: &mut Random) {
    if random.percent(30) {
        function
            .call_records
            .retain(|call| call.outcome == Outcome::Running || random.percent(70));
    }
    if function.heap.is_some() && random.percent(30) {
        let ended = |call: &&mut Call| call.outcome != Outcome::Running;
        let records = function.call_records.iter_mut().filter(ended);
        for call in records.filter(|_| random.percent(30)) {
            count_only(call);
        }
    }
    let records = &function.call_records;
    function.calls_omitted = function.calls - records.len() as u64;
    function.series_call = records.iter().position(|call| call == highest);
    if function.series_call.is_none() {
        function.series.clear();
        let read = (0..records.len()).filter(|&at| !records[at].only_counted);
        function.series_call = read.max_by_key(|&at| records[at].peak_rss);
    }
    if random.percent(30) {
        let read = random.below(function.calls + 1);
        function.spread = Some(data!(CallSpread {
            peak_rss: Some(data!(Quantiles {
                calls: read,
                ..Quantiles::default()
            })),
            ..CallSpread::default()
        }));
    }
}

/// Nothing but the heap is known of the call.
fn count_only(call: &mut Call) {
    *call = data!(Call {
        start_ns: call.start_ns,
        end_ns: call.end_ns,
        thread: call.thread,
        depth: call.depth,
        outcome: call.outcome,
        heap: call.heap,
        only_counted: true,
        ..Call::default()
    });
}

/// The function has calls of several sizes, and its figures grow with them somehow.
fn grow(function: &mut FunctionProfile, random: &mut Random) {
    function.by = Some("items.len()".to_owned());
    let (factor, power) = (
        4096.0 * (1 + random.below(50)) as f64,
        random.below(3) as i32,
    );
    let noise = random.below(3) as f64;
    function.sizes = (0..3 + random.below(8))
        .map(|at| {
            let n = f64::from(1_u32 << at);
            let spread = 1.0 + noise * random.below(100) as f64 / 100.0;
            data!(SizeFigures {
                n,
                calls: 1,
                peak_rss: (factor * n.powi(power) * spread) as u64,
                time_ns: 1_000 + random.below(1_000_000),
                ..SizeFigures::default()
            })
        })
        .collect();
    function.growth = memprof_model::internal::grown(&function.sizes);
}

/// Some lines have been read together only: their change is their group's.
fn read_together(function: &mut FunctionProfile, random: &mut Random) {
    if !random.percent(40) {
        return;
    }
    let mut group = LineGroup::default();
    for line in &mut function.lines {
        if line.hits == 0 || random.percent(40) {
            continue;
        }
        line.group = Some(0);
        line.readings /= 2;
        group.net_rss += line.net_rss;
        group.peak_rss = group.peak_rss.max(line.peak_rss);
        group.readings += line.hits;
        (line.net_rss, line.self_net_rss, line.peak_rss) = (0, 0, 0);
    }
    group.self_net_rss = group.net_rss;
    if group.readings > 0 {
        function.groups = vec![group];
    }
}

/// Lines have blocks that are alive: no more than they allocated.
fn follow_blocks(run: &mut Run, random: &mut Random) {
    let one_in = if random.percent(50) { 1 } else { 8 };
    run.origins = Some(data!(Followed {
        one_in,
        all_from: 65_536,
        lost: 0,
    }));
    for line in run
        .functions
        .iter_mut()
        .flat_map(|function| &mut function.lines)
    {
        let heap = line.heap.unwrap_or_default();
        let alive_blocks = random.below(heap.allocations + 1);
        line.origins = Some(data!(Origins {
            alive_bytes: if alive_blocks == 0 {
                0
            } else {
                heap.allocated / 2
            },
            alive_blocks,
            ..Origins::default()
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The books agree: what the tests of sentences build on.
    #[test]
    fn random_runs_obey_the_model() {
        for seed in 0..300 {
            let run = random_run(seed);
            assert_eq!(run, random_run(seed), "seed {seed}");
            for function in &run.functions {
                let lines: i64 = function.lines.iter().map(|line| line.net_rss).sum();
                let groups: i64 = function.groups.iter().map(|group| group.net_rss).sum();
                assert_eq!(lines + groups, function.net_rss, "seed {seed}");
                let heap = function.heap.unwrap_or_default();
                let lines = function.lines.iter().filter_map(|line| line.heap);
                assert_eq!(
                    lines.map(|line| line.net).sum::<i64>(),
                    heap.net,
                    "seed {seed}"
                );
                assert!(heap.peak <= heap.allocated, "seed {seed}");
                assert!(function.max_rss <= run.process.peak_rss, "seed {seed}");
                for call in &function.call_records {
                    let change = call.exit_rss as i64 - call.entry_rss as i64;
                    let parts = call.net_rss + call.suspended_rss + call.others_rss;
                    assert_eq!(change, parts, "seed {seed}");
                    assert!(call.peak_rss as i64 >= call.net_rss, "seed {seed}");
                    assert!(call.peak_rss <= function.peak_rss, "seed {seed}");
                    assert!(call.end_ns <= run.duration_ns, "seed {seed}");
                }
            }
        }
    }
}
