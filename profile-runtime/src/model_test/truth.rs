//! The truth: what the run has to say, kept by the simplest means.
//!
//! It knows every moment. Whatever happens is written at once into every call that it concerns, so that
//! nothing has to be handed from an inner call to an outer one.

/// Functions of a process, and lines of each.
pub(super) const SITES: usize = 3;
pub(super) const LINES: usize = 3;

/// Everything that happened so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Truth {
    /// Whether every reading is taken, so that it is known which line gets what.
    pub is_close: bool,
    pub rss: u64,
    pub threads: Vec<Vec<Call>>,
    pub suspended: Vec<Call>,
    pub sites: [Site; SITES],
}

/// A call in progress, or the run of a closure.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub kind: Kind,
    pub site: usize,
    pub is_future: bool,
    /// `None` before the first.
    pub line: Option<usize>,
    /// What it did on the heap.
    pub heap: Heap,
    /// Live heap bytes above those at its begin, and the most that they ever were.
    pub heap_live: i64,
    heap_peak: i64,
    /// Those of them that neither callees nor anybody else has to do with.
    heap_self: i64,
    /// RSS at its begin, moved by what changed while it was suspended.
    start: u64,
    suspended_at: u64,
    suspended_net: i64,
    entry: u64,
    /// RSS when it began or was resumed.
    resumed: u64,
    peak: u64,
    /// RSS up to which its lines have theirs, and the highest since.
    booked: u64,
    line_high: u64,
    /// What its own closures, and inner calls of the same function, took over meanwhile.
    taken_over: i64,
    /// What moved since it booked last: that is booked on the line at which it is then.
    moved: Moved,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Function,
    /// A closure of the call at this depth of the same thread, or of what is itself one.
    ClosureOf(usize),
    /// A closure of a call that is not of this thread.
    Elsewhere,
    /// `memory_usage`, which is nothing by itself: whatever happens in it is its caller's.
    Usage,
}

/// What became of all calls of a site.
#[derive(Debug, Clone, Default)]
pub(super) struct Site {
    pub calls: u64,
    pub panics: u64,
    pub cancelled: u64,
    pub heap: Heap,
    pub heap_peak: u64,
    /// What each call that has ended did on the heap, and its heap peak.
    pub ended: Vec<(Heap, u64)>,
    pub self_heap: Heap,
    pub self_peak: i64,
    pub net: i64,
    pub moved: Moved,
    pub peak: u64,
    pub lines: [Line; LINES],
    pub elsewhere: [Line; LINES],
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Line {
    pub hits: u64,
    pub heap: Heap,
    pub self_heap: Heap,
    pub self_peak: i64,
    pub net: i64,
    pub moved: Moved,
    pub peak: u64,
}

/// Bytes of RSS that came and that went while something was in progress, whoever brought or took them.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Moved {
    pub came: i64,
    pub went: i64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Heap {
    pub allocated: u64,
    pub freed: u64,
    pub allocations: u64,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    Returned,
    Panicked,
    Cancelled,
}

impl Truth {
    pub(super) fn new(rss: u64, threads: usize) -> Truth {
        Truth {
            rss,
            threads: vec![Vec::new(); threads],
            ..Truth::default()
        }
    }

    pub(super) fn enter(&mut self, thread: usize, site: usize, kind: Kind, is_future: bool) {
        if kind == Kind::Function {
            self.sites[site].calls += 1;
        }
        self.threads[thread].push(Call {
            kind,
            site,
            is_future,
            line: None,
            heap: Heap::default(),
            heap_live: 0,
            heap_peak: 0,
            heap_self: 0,
            start: self.rss,
            suspended_at: 0,
            suspended_net: 0,
            entry: self.rss,
            resumed: self.rss,
            peak: 0,
            booked: self.rss,
            line_high: self.rss,
            taken_over: 0,
            moved: Moved::default(),
        });
    }

    /// The innermost call comes to `line`, with a hit or without.
    pub(super) fn line(&mut self, thread: usize, line: usize, hit: bool) {
        let Some(call) = self.threads[thread].last_mut() else {
            return;
        };
        let site = &mut self.sites[call.site];
        if call.line.is_some() {
            call.book(site, self.rss);
        }
        call.line = Some(line);
        let lines = match call.kind {
            Kind::Elsewhere => &mut site.elsewhere,
            Kind::Function | Kind::ClosureOf(_) | Kind::Usage => &mut site.lines,
        };
        lines[line].hits += u64::from(hit);
    }

    /// The innermost call ends.
    pub(super) fn exit(&mut self, thread: usize, end: End) {
        let Some(mut call) = self.threads[thread].pop() else {
            return;
        };
        let site = &mut self.sites[call.site];
        call.book(site, self.rss);
        if call.kind == Kind::Function {
            site.panics += u64::from(end == End::Panicked);
            site.cancelled += u64::from(end == End::Cancelled);
            site.peak = site.peak.max(call.peak);
            site.heap_peak = site.heap_peak.max(call.heap_peak as u64);
            site.ended.push((call.heap, call.heap_peak as u64));
        }
        self.sum_up(thread, &call);
    }

    /// `call` has ended or is suspended: what it did inside of another call of its function is that call's, but
    /// not that line's.
    fn sum_up(&mut self, thread: usize, call: &Call) {
        let net = self.rss as i64 - call.resumed as i64;
        let stack = &mut self.threads[thread];
        let around = stack
            .iter_mut()
            .rev()
            .find(|outer| outer.has_lines_of(call));
        match (call.kind, around) {
            (Kind::Elsewhere | Kind::Usage, _) => {}
            (_, Some(around)) => around.taken_over += net,
            (_, None) => self.sites[call.site].net += net,
        }
    }

    pub(super) fn suspend(&mut self, thread: usize) {
        let Some(mut call) = self.threads[thread].pop() else {
            return;
        };
        call.book(&mut self.sites[call.site], self.rss);
        self.sum_up(thread, &call);
        call.suspended_at = self.rss;
        self.suspended.push(call);
    }

    pub(super) fn go_on(&mut self, thread: usize, at: usize) {
        let mut call = self.suspended.swap_remove(at);
        let change = self.rss as i64 - call.suspended_at as i64;
        call.suspended_net += change;
        call.start = call.entry.saturating_add_signed(call.suspended_net);
        call.resumed = self.rss;
        call.booked = self.rss;
        call.line_high = self.rss;
        self.threads[thread].push(call);
    }

    /// The truth if everything in progress ended now.
    pub(super) fn ended(&self) -> Truth {
        let mut ended = self.clone();
        while !ended.suspended.is_empty() {
            ended.go_on(0, 0);
            ended.exit(0, End::Returned);
        }
        for thread in 0..ended.threads.len() {
            while !ended.threads[thread].is_empty() {
                ended.exit(thread, End::Returned);
            }
        }
        ended
    }

    /// RSS is `rss` from now on, and was so high in between.
    pub(super) fn pages(&mut self, rss: u64, high: u64) {
        let change = rss as i64 - self.rss as i64;
        self.rss = rss;
        for call in self.threads.iter_mut().flatten() {
            if call.kind == Kind::Function {
                self.sites[call.site].moved.add(change);
            }
            call.moved.add(change);
        }
        for call in self.threads.iter_mut().flatten() {
            call.line_high = call.line_high.max(high);
            call.peak = call.peak.max(high.saturating_sub(call.start));
        }
    }

    /// The thread allocates or frees: in the line of every call that is in progress on it. Of a function with
    /// several calls in progress it is in the innermost one's line.
    pub(super) fn heap(&mut self, thread: usize, change: Heap) {
        let stack = &mut self.threads[thread];
        let mut seen = [false; SITES];
        let calls = stack.iter_mut().rev();
        for call in calls.filter(|call| call.kind != Kind::Usage) {
            let site = &mut self.sites[call.site];
            call.heap.add(change);
            call.heap_live += change.live();
            call.heap_peak = call.heap_peak.max(call.heap_live);
            let line = call.line.unwrap_or(0);
            if call.kind == Kind::Elsewhere {
                site.elsewhere[line].heap.add(change);
            } else if !std::mem::replace(&mut seen[call.site], true) {
                site.heap.add(change);
                site.lines[line].heap.add(change);
            }
        }
        self.self_heap(thread, change);
    }

    /// The innermost call alone has done it: a closure for the call that it belongs to.
    fn self_heap(&mut self, thread: usize, change: Heap) {
        let stack = &mut self.threads[thread];
        let Some(mut owner) = stack.iter().rposition(|call| call.kind != Kind::Usage) else {
            return;
        };
        let (line, mut kind) = (stack[owner].line.unwrap_or(0), stack[owner].kind);
        while let Kind::ClosureOf(depth) = kind {
            (owner, kind) = (depth, stack[depth].kind);
        }
        if kind == Kind::Elsewhere {
            return;
        }
        let owner = &mut stack[owner];
        owner.heap_self += change.live();
        let site = &mut self.sites[owner.site];
        let line = &mut site.lines[line];
        site.self_heap.add(change);
        line.self_heap.add(change);
        if change.allocations > 0 {
            site.self_peak = site.self_peak.max(owner.heap_self);
            line.self_peak = line.self_peak.max(owner.heap_self);
        }
    }
}

impl Call {
    pub(super) fn is_function_of(&self, site: usize) -> bool {
        self.site == site && self.kind == Kind::Function
    }

    /// Whether what it does is on lines of the same function as what `inner` does.
    fn has_lines_of(&self, inner: &Call) -> bool {
        self.site == inner.site && self.has_lines()
    }

    /// Whether what it does is on lines of its function.
    pub(super) fn has_lines(&self) -> bool {
        matches!(self.kind, Kind::Function | Kind::ClosureOf(_))
    }

    /// The line in progress is over, or the first one if none has begun: it gets what changed.
    fn book(&mut self, site: &mut Site, rss: u64) {
        if self.has_lines() {
            let line = &mut site.lines[self.line.unwrap_or(0)];
            let taken_over = std::mem::take(&mut self.taken_over);
            let net = rss as i64 - self.booked as i64 - taken_over;
            // Taken off: what went in a closure came back to the line's sum, and the other way round.
            self.moved.add(-taken_over);
            line.moved.add(self.moved.came);
            line.moved.add(-self.moved.went);
            self.moved = Moved::default();
            line.net += net;
            let rise = self.line_high.saturating_sub(self.booked);
            line.peak = line.peak.max(rise).max(u64::try_from(net).unwrap_or(0));
        }
        self.booked = rss;
        self.line_high = rss;
    }
}

impl Moved {
    fn add(&mut self, change: i64) {
        self.came += change.max(0);
        self.went -= change.min(0);
    }
}

impl Heap {
    fn live(self) -> i64 {
        self.allocated as i64 - self.freed as i64
    }

    fn add(&mut self, change: Heap) {
        self.allocated += change.allocated;
        self.freed += change.freed;
        self.allocations += change.allocations;
    }
}
