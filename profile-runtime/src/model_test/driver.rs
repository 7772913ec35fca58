//! A process of recorders that read a scripted operating system, taken through random steps.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use memprof_model::run::{Run, RunOutcome};

use super::check;
use super::steps::{Random, Step};
use super::truth::{End, Heap, Kind as TrueKind, SITES, Truth};
use crate::heap::{VirtualThread, count_allocation, count_free, of_this_thread};
use crate::os::scripted::Script;
use crate::reading::instruments::Instruments;
use crate::recorder::Recorder;
use crate::settings::Settings;
use crate::site::annotated::Site;
use crate::site::limits::Limits;
use crate::site::registered::RegisteredSite;
use crate::site::spec::SiteSpec;
use crate::snapshot::whole_run;
use crate::thread::call_handle::CallHandle;
use crate::thread::call_stack::ThreadState;
use crate::thread::open_call::Kind;
use crate::thread::suspended::SuspendedKey;
use crate::thread::thread_recorder::ThreadRecorder;

const THREADS: usize = 2;

/// Steps of a sequence, before what is in progress is ended.
const STEPS: u64 = 40;
/// Calls in progress on a thread at the most; more than the counted ones have room for at once.
const DEEP: usize = 40;

const NAMES: [fn() -> &'static str; SITES] = [|| "model::a", || "model::b", || "model::c"];
const INTERVAL_NS: u64 = 10_000_000;
const RSS: u64 = 64 << 20;
const PAGE: i64 = 4096;

/// How often readings are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// They cost next to nothing: one is taken wherever there can be one.
    Close,
    /// They are dear: calls are counted, and lines run in stretches.
    Hasty,
}

pub(super) struct Process {
    pace: Pace,
    random: Random,
    script: &'static Script,
    recorder: &'static Recorder,
    sites: Vec<&'static RegisteredSite>,
    threads: Vec<Thread>,
    suspended: Vec<SuspendedKey>,
    truth: Truth,
    /// What a snapshot in the middle of the sequence said that is not so.
    disagreement: Option<String>,
}

/// A thread that the test acts for.
struct Thread {
    recorder: &'static ThreadRecorder,
    heap: VirtualThread,
    faults: u64,
    /// What probes of the calls in progress hold.
    handles: Vec<CallHandle>,
    live: i64,
}

impl Process {
    pub(super) fn new(pace: Pace, seed: u64) -> Process {
        let script = Script::leaked(RSS);
        if pace == Pace::Hasty {
            script.set_tick_ns(25_000);
        }
        let instruments = Instruments::scripted(script);
        let recorder = &*Box::leak(Box::new(Recorder::new(Settings::new(), instruments)));
        let sites = (0..SITES).map(|number| recorder.register(site(number)));
        let threads = (0..THREADS).map(|_| Thread::new(recorder.threads.take()));
        Process {
            pace,
            random: Random::new(seed),
            script,
            recorder,
            sites: sites.collect(),
            threads: threads.collect(),
            suspended: Vec::new(),
            truth: Truth::new(THREADS),
            disagreement: None,
        }
    }

    /// The run so far.
    fn run(&self) -> Run {
        whole_run::take(self.recorder, RunOutcome::Running)
    }

    /// Says what snapshots in the middle of the sequence said that is not so, and what the run says now.
    pub(super) fn check(&mut self) -> Result<(), String> {
        match self.disagreement.take() {
            Some(found) => Err(found),
            None => check::agrees(&self.run(), &self.truth),
        }
    }

    fn is_close(&self) -> bool {
        self.pace == Pace::Close
    }

    /// Takes some random steps, and ends what is then in progress; gives the steps as text.
    pub(super) fn go_through(&mut self) -> String {
        let mut text = String::new();
        self.truth.is_close = self.is_close();
        for _ in 0..STEPS {
            let thread = self.random.below(THREADS as u64) as usize;
            let step = self.random.step();
            if self.step(thread, step) {
                let _ = writeln!(text, "thread {thread}: {step:?}");
            }
        }
        while !self.suspended.is_empty() {
            self.step(0, Step::GoOn(0));
            self.step(0, Step::Exit);
        }
        for thread in 0..THREADS {
            while self.step(thread, Step::Exit) {}
        }
        text
    }

    /// Whether the step could be taken.
    fn step(&mut self, thread: usize, step: Step) -> bool {
        self.script.pass(1_000);
        let before = self.script.switch_thread(self.threads[thread].faults);
        debug_assert_eq!(before, 0);
        let taken = self.take(thread, step);
        self.threads[thread].faults = self.script.switch_thread(0);
        taken
    }

    fn take(&mut self, thread: usize, step: Step) -> bool {
        let depth = self.truth.threads[thread].len();
        match step {
            Step::Enter(site) if depth < DEEP => self.enter(thread, site),
            Step::Poll(site) if depth < DEEP => self.poll(thread, site),
            Step::Closure(site) if depth < DEEP => return self.closure(thread, site),
            Step::Usage if depth < DEEP => self.usage(thread),
            Step::Line(line) => return self.line(thread, line, true),
            Step::Resume(line) => return self.line(thread, line, false),
            Step::Exit if depth > 0 => self.exit(thread, End::Returned),
            Step::ExitBelow if depth > 1 => self.exit_below(thread),
            Step::Panic(calls) if depth > 0 => self.panic(thread, calls.min(depth)),
            Step::Suspend => return self.suspend(thread),
            Step::GoOn(at) if depth < DEEP => return self.go_on(thread, at),
            Step::Cancel(at) if depth < DEEP => return self.cancel(thread, at),
            Step::Pages(pages) => self.pages(thread, pages.max(-self.spare_pages()), 0),
            Step::Spike(pages) => self.pages(thread, 0, pages),
            Step::Allocate(bytes) => self.allocate(thread, bytes),
            Step::Free(bytes) if self.threads[thread].live >= bytes as i64 => {
                self.free(thread, bytes);
            }
            Step::Pass(nanoseconds) => self.script.pass(nanoseconds),
            Step::Sample => self.sample(),
            Step::NothingDue => return self.nothing_due(thread),
            Step::Snapshot => self.snapshot(),
            Step::NextThread if depth == 0 => self.next_thread(thread),
            _ => return false,
        }
        true
    }

    fn enter(&mut self, thread: usize, site: usize) {
        let registered = self.sites[site];
        let on = &mut self.threads[thread];
        // As `Frame::enter` does it.
        let handle = on.heap.run(|| match on.recorder.enter_counted(registered) {
            Some(handle) => handle,
            None => on.recorder.enter(registered, Kind::Call),
        });
        self.begin(thread, site, handle, false);
    }

    fn poll(&mut self, thread: usize, site: usize) {
        let registered = self.sites[site];
        let on = &mut self.threads[thread];
        let handle = on.heap.run(|| on.recorder.enter(registered, Kind::Call));
        self.begin(thread, site, handle, true);
    }

    fn begin(&mut self, thread: usize, site: usize, handle: CallHandle, is_future: bool) {
        let on = &mut self.threads[thread];
        if site == SITES - 1 {
            on.heap.run(|| handle.set_size(3.0));
        }
        on.handles.push(handle);
        self.truth
            .enter(thread, site, TrueKind::Function, is_future);
    }

    /// As `ClosureFrame::enter` does it; straight from a line of its own function it is no step of its own.
    fn closure(&mut self, thread: usize, site: usize) -> bool {
        let registered = self.sites[site];
        let stack = &self.truth.threads[thread];
        let straight =
            |call: &super::truth::Call| call.site == site && call.kind != TrueKind::Usage;
        if stack.last().is_some_and(straight) {
            return false;
        }
        let own = |call: &super::truth::Call| call.site == site && call.has_lines();
        let depth = stack.iter().rposition(own);
        let on = &mut self.threads[thread];
        let handle = on.heap.run(|| {
            let found = on.recorder.find(registered);
            assert_eq!(found, depth, "the closure finds its call");
            let kind = found.map_or(Kind::OtherThread, Kind::NestedClosure);
            on.recorder.enter(registered, kind)
        });
        on.handles.push(handle);
        let kind = depth.map_or(TrueKind::Elsewhere, TrueKind::ClosureOf);
        self.truth.enter(thread, site, kind, false);
        true
    }

    /// As `memory_usage` does it.
    fn usage(&mut self, thread: usize) {
        let site = self.recorder.usage_site(INTERVAL_NS);
        let on = &mut self.threads[thread];
        let handle = on.heap.run(|| on.recorder.enter(site, Kind::Usage));
        on.handles.push(handle);
        self.truth.enter(thread, 0, TrueKind::Usage, false);
    }

    fn line(&mut self, thread: usize, line: u32, hit: bool) -> bool {
        let innermost = self.truth.threads[thread].last();
        if innermost.is_some_and(|call| call.kind == TrueKind::Usage) {
            return false;
        }
        let on = &self.threads[thread];
        let Some(handle) = on.handles.last() else {
            return false;
        };
        on.heap.run(|| match hit {
            true => handle.line(line),
            false => handle.resume(line),
        });
        self.truth.line(thread, line as usize, hit);
        true
    }

    fn exit(&mut self, thread: usize, end: End) {
        let is_future = self.truth.threads[thread]
            .last()
            .is_some_and(|call| call.is_future);
        let on = &mut self.threads[thread];
        if let Some(handle) = on.handles.pop() {
            on.heap
                .run(|| end_call(on.recorder, &handle, is_future, end));
        }
        self.truth.exit(thread, end);
    }

    fn exit_below(&mut self, thread: usize) {
        self.threads[thread].handles.pop();
        let on = &mut self.threads[thread];
        if let Some(handle) = on.handles.pop() {
            on.heap.run(|| handle.exit());
        }
        self.truth.exit(thread, End::Returned);
        self.truth.exit(thread, End::Returned);
    }

    /// The calls end while the thread unwinds.
    fn panic(&mut self, thread: usize, calls: usize) {
        struct Frame(&'static ThreadRecorder, CallHandle, bool);
        impl Drop for Frame {
            fn drop(&mut self) {
                end_call(self.0, &self.1, self.2, End::Panicked);
            }
        }
        let on = &mut self.threads[thread];
        let first = on.handles.len() - calls;
        let stack = &self.truth.threads[thread];
        let frames: Vec<Frame> = on
            .handles
            .drain(first..)
            .zip(&stack[first..])
            .map(|(handle, call)| Frame(on.recorder, handle, call.is_future))
            .collect();
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            on.heap.run(|| {
                let mut frames = frames;
                let _innermost_first = scope_guard(move || while frames.pop().is_some() {});
                resume_unwind(Box::new(()));
            });
        }));
        assert!(unwound.is_err());
        for _ in 0..calls {
            self.truth.exit(thread, End::Panicked);
        }
    }

    fn suspend(&mut self, thread: usize) -> bool {
        if !self.truth.threads[thread]
            .last()
            .is_some_and(|call| call.is_future)
        {
            return false;
        }
        let on = &mut self.threads[thread];
        let Some(handle) = on.handles.pop() else {
            return false;
        };
        let call = on.heap.run(|| on.recorder.suspend(handle.depth()));
        let call = call.expect("it is in progress");
        let (key, spare) = self.recorder.threads.suspended.put(call);
        self.suspended.push(key);
        if let Some(series) = spare {
            on.recorder.take_back(series);
        }
        self.truth.suspend(thread);
        true
    }

    fn go_on(&mut self, thread: usize, at: usize) -> bool {
        if self.suspended.is_empty() {
            return false;
        }
        let at = at % self.suspended.len();
        let key = self.suspended.swap_remove(at);
        let call = self
            .recorder
            .threads
            .suspended
            .take(key)
            .expect("it is suspended");
        let on = &mut self.threads[thread];
        let handle = on.heap.run(|| {
            on.recorder.resume(call);
            let (_, counters, depth) = on.recorder.innermost().expect("it goes on");
            CallHandle::new(on.recorder, counters, depth)
        });
        on.handles.push(handle);
        self.truth.go_on(thread, at);
        true
    }

    fn cancel(&mut self, thread: usize, at: usize) -> bool {
        if !self.go_on(thread, at) {
            return false;
        }
        self.exit(thread, End::Cancelled);
        true
    }

    /// Pages come or go for good, and `spike` more come and go. The thread frees what goes: that says whose it
    /// was.
    fn pages(&mut self, thread: usize, pages: i64, spike: i64) {
        self.script.change(pages + spike);
        self.script.change(-spike);
        self.truth.pages(thread, pages * PAGE, spike * PAGE);
        let gone = spike + (-pages).max(0);
        self.free(thread, (gone * PAGE) as usize);
    }

    /// Pages that can go.
    fn spare_pages(&self) -> i64 {
        self.script.rss() as i64 / PAGE - 1_000
    }

    fn allocate(&mut self, thread: usize, bytes: usize) {
        let on = &mut self.threads[thread];
        on.heap.run(|| count_allocation(bytes));
        on.live += bytes as i64;
        let change = Heap {
            allocated: bytes as u64,
            allocations: 1,
            ..Heap::default()
        };
        self.truth.heap(thread, change);
    }

    fn free(&mut self, thread: usize, bytes: usize) {
        let on = &mut self.threads[thread];
        on.heap.run(|| count_free(bytes));
        on.live -= bytes as i64;
        let change = Heap {
            freed: bytes as u64,
            ..Heap::default()
        };
        self.truth.heap(thread, change);
    }

    fn sample(&mut self) {
        let reading = self.recorder.instruments.meter.sample();
        let mut intervals = Vec::new();
        self.recorder
            .threads
            .for_each(|thread| thread.tick(Some((reading, &[INTERVAL_NS])), &mut intervals));
    }

    fn snapshot(&mut self) {
        let found = check::agrees(&self.run(), &self.truth);
        self.disagreement = self.disagreement.take().or(found.err());
    }

    fn nothing_due(&mut self, thread: usize) -> bool {
        if self.is_close() {
            return false;
        }
        self.threads[thread].recorder.stop_asking_for_readings();
        true
    }

    fn next_thread(&mut self, thread: usize) {
        let on = &mut self.threads[thread];
        self.recorder.threads.give_back(on.recorder);
        assert!(std::ptr::eq(self.recorder.threads.take(), on.recorder));
    }
}

impl Thread {
    fn new(recorder: &'static ThreadRecorder) -> Thread {
        let heap = VirtualThread::new(recorder.current_line());
        recorder.count_heap_on(heap.run(of_this_thread));
        Thread {
            recorder,
            heap,
            faults: 0,
            handles: Vec::new(),
            live: 0,
        }
    }
}

/// As a frame, or the guard of a poll, does it.
fn end_call(recorder: &ThreadRecorder, handle: &CallHandle, is_future: bool, end: End) {
    if is_future {
        let cancelled = end == End::Cancelled;
        recorder.close(handle.depth(), cancelled, ThreadState::finish_call);
    } else {
        handle.exit();
    }
}

/// Runs `work` when it is dropped.
fn scope_guard(work: impl FnMut()) -> impl Drop {
    struct Guard<F: FnMut()>(F);
    impl<F: FnMut()> Drop for Guard<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    Guard(work)
}

/// A function of the program; the last one has a size.
fn site(number: usize) -> &'static Site {
    let site = Site::new(SiteSpec {
        name: NAMES[number],
        label: None,
        block: None,
        file: "model.rs",
        line: 10 * number as u32,
        interval_ns: INTERVAL_NS,
        source: "",
        source_line: 0,
        lines: &[1, 2, 3],
    });
    let site = match number {
        _ if number == SITES - 1 => site.per_call(Limits::NONE, Some("n")),
        _ => site,
    };
    Box::leak(Box::new(site))
}
