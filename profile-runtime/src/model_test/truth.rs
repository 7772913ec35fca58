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
    pub threads: Vec<Vec<Call>>,
    levels: Vec<Level>,
    pub suspended: Vec<Call>,
    pub sites: [Site; SITES],
}

/// What a thread itself has changed of RSS, and what is known of it between two of its readings.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    now: i64,
    /// The highest since the last reading, and what that was.
    high: i64,
    read: i64,
    /// What came since then by the thread's page faults.
    came: i64,
    /// What others have changed since then, the least that this was, and whether they did anything at all.
    others: i64,
    least_others: i64,
    others_worked: bool,
    /// How high both together were.
    high_of_all: i64,
}

/// A rise, of which not more may be told than the second figure and not less than the first: how high a thread
/// was while others changed RSS, too, is known within limits.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Rise {
    pub least: u64,
    pub most: u64,
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
    /// Live heap bytes above those at the beginning of the line at which it is.
    heap_line: i64,
    /// The thread's level at its begin, or where it went on less what it had kept until then.
    start: i64,
    /// The level at which it began or went on.
    resumed: i64,
    peak: Rise,
    /// The level up to which its lines have theirs, and the rise since.
    booked: i64,
    line_peak: Rise,
    /// What its own closures, and inner calls of the same function, took over meanwhile.
    taken_over: i64,
    /// What moved since it booked last: that is booked on the line at which it is then.
    moved: Moved,
    /// What other threads moved since it began.
    moved_by_others: Moved,
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
    pub peak: Rise,
    pub lines: [Line; LINES],
    pub elsewhere: [Line; LINES],
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Line {
    pub hits: u64,
    pub heap: Heap,
    pub heap_peak: i64,
    pub self_heap: Heap,
    pub self_peak: i64,
    pub net: i64,
    pub moved: Moved,
    pub peak: Rise,
}

/// Bytes of RSS that came and that went by a thread while something was in progress on it.
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
    pub(super) fn new(threads: usize) -> Truth {
        Truth {
            threads: vec![Vec::new(); threads],
            levels: vec![Level::default(); threads],
            ..Truth::default()
        }
    }

    pub(super) fn enter(&mut self, thread: usize, site: usize, kind: Kind, is_future: bool) {
        if kind == Kind::Function {
            self.sites[site].calls += 1;
        }
        // A closure of another thread is timed only, and so is what is timed inside of it.
        if kind != Kind::Elsewhere || self.reads(thread) {
            self.read(thread);
        }
        let level = self.levels[thread].now;
        self.threads[thread].push(Call {
            kind,
            site,
            is_future,
            line: None,
            heap: Heap::default(),
            heap_live: 0,
            heap_peak: 0,
            heap_self: 0,
            heap_line: 0,
            start: level,
            resumed: level,
            peak: Rise::default(),
            booked: level,
            line_peak: Rise::default(),
            taken_over: 0,
            moved: Moved::default(),
            moved_by_others: Moved::default(),
        });
    }

    /// The innermost call comes to `line`, with a hit or without.
    pub(super) fn line(&mut self, thread: usize, line: usize, hit: bool) {
        self.read_if_it_reads(thread);
        let level = self.levels[thread].now;
        let Some(call) = self.threads[thread].last_mut() else {
            return;
        };
        let site = &mut self.sites[call.site];
        if call.line.is_some() {
            call.book(site, level);
        }
        call.line = Some(line);
        call.heap_line = 0;
        let lines = match call.kind {
            Kind::Elsewhere => &mut site.elsewhere,
            Kind::Function | Kind::ClosureOf(_) | Kind::Usage => &mut site.lines,
        };
        lines[line].hits += u64::from(hit);
    }

    /// The innermost call ends.
    pub(super) fn exit(&mut self, thread: usize, end: End) {
        self.read_if_it_reads(thread);
        let level = self.levels[thread].now;
        let Some(mut call) = self.threads[thread].pop() else {
            return;
        };
        let site = &mut self.sites[call.site];
        call.book(site, level);
        if call.kind == Kind::Function {
            site.panics += u64::from(end == End::Panicked);
            site.cancelled += u64::from(end == End::Cancelled);
            site.peak.raise(call.peak);
            site.heap_peak = site.heap_peak.max(call.heap_peak as u64);
            site.ended.push((call.heap, call.heap_peak as u64));
        }
        self.sum_up(thread, &call, level);
    }

    /// `call` has ended or is suspended at this level: what it did inside of another call of its function is that
    /// call's, but not that line's.
    fn sum_up(&mut self, thread: usize, call: &Call, level: i64) {
        let net = level - call.resumed;
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
        self.read_if_it_reads(thread);
        let level = self.levels[thread].now;
        let Some(mut call) = self.threads[thread].pop() else {
            return;
        };
        call.book(&mut self.sites[call.site], level);
        self.sum_up(thread, &call, level);
        // What it has kept.
        call.start = level - call.start;
        self.suspended.push(call);
    }

    pub(super) fn go_on(&mut self, thread: usize, at: usize) {
        let mut call = self.suspended.swap_remove(at);
        self.read(thread);
        let level = self.levels[thread].now;
        call.start = level - call.start;
        call.resumed = level;
        call.booked = level;
        call.line_peak = Rise::default();
        self.threads[thread].push(call);
    }

    /// The truth if everything in progress ended now, as far as somebody else knows it: if several threads are in
    /// calls, what changed since their last readings is nobody's yet; otherwise it is the one thread's.
    pub(super) fn ended(&self) -> Truth {
        let mut ended = self.clone();
        let busy = self.threads.iter().filter(|calls| !calls.is_empty());
        let several = busy.count() > 1;
        for (level, calls) in ended.levels.iter_mut().zip(&mut ended.threads) {
            let (now, high) = match several {
                true => (level.read, level.read),
                false => (level.now + level.others, level.high_of_all),
            };
            for call in calls.iter_mut().filter(|_| !several) {
                let Moved { came, went } = call.moved_by_others;
                for moved in [&mut ended.sites[call.site].moved, &mut call.moved] {
                    moved.add(came);
                    moved.add(-went);
                }
            }
            *level = Level {
                now,
                high,
                read: level.read,
                ..Level::default()
            };
        }
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

    /// The thread changes RSS by `change`, and by `spike` more that comes and goes.
    pub(super) fn pages(&mut self, thread: usize, change: i64, spike: i64) {
        for (at, calls) in self.threads.iter_mut().enumerate() {
            for call in calls {
                if at != thread {
                    call.moved_by_others.add(change);
                    continue;
                }
                if call.kind == Kind::Function {
                    self.sites[call.site].moved.add(change);
                }
                call.moved.add(change);
            }
        }
        for (at, level) in self.levels.iter_mut().enumerate() {
            let high = level.now + level.others + change + spike;
            level.high_of_all = level.high_of_all.max(high);
            if at == thread {
                level.came += (change + spike).max(0);
                level.high = level.high.max(level.now + change + spike);
                level.now += change;
            } else {
                level.others += change;
                level.least_others = level.least_others.min(level.others);
                level.others_worked = true;
            }
        }
    }

    /// Whether a reading that the thread takes for its innermost call is of RSS.
    fn reads(&self, thread: usize) -> bool {
        let innermost = self.threads[thread].last();
        innermost.is_none_or(|call| call.kind != Kind::Elsewhere)
    }

    fn read_if_it_reads(&mut self, thread: usize) {
        if self.reads(thread) {
            self.read(thread);
        }
    }

    /// A reading says how high the thread was since the last one: exactly, or as far as others leave room.
    fn read(&mut self, thread: usize) {
        let level = &mut self.levels[thread];
        // While others were lower than at both ends, the thread may have been higher than the mark tells.
        let unseen = level.others.min(0) - level.least_others;
        let least = (level.high - unseen).max(level.read).max(level.now);
        let most = match level.others_worked {
            true => level.high.max(level.read + level.came),
            false => level.high,
        };
        *level = Level {
            now: level.now,
            read: level.now,
            high: level.now,
            high_of_all: level.now,
            ..Level::default()
        };
        for call in &mut self.threads[thread] {
            call.line_peak
                .raise(Rise::between(least - call.booked, most - call.booked));
            call.peak
                .raise(Rise::between(least - call.start, most - call.start));
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
            call.heap_line += change.live();
            let lines = match call.kind {
                Kind::Elsewhere => &mut site.elsewhere,
                Kind::Function | Kind::ClosureOf(_) | Kind::Usage => &mut site.lines,
            };
            let line = &mut lines[call.line.unwrap_or(0)];
            line.heap_peak = line.heap_peak.max(call.heap_line);
            if call.kind == Kind::Elsewhere {
                line.heap.add(change);
            } else if !std::mem::replace(&mut seen[call.site], true) {
                line.heap.add(change);
                site.heap.add(change);
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
    fn book(&mut self, site: &mut Site, level: i64) {
        if self.has_lines() {
            let line = &mut site.lines[self.line.unwrap_or(0)];
            let taken_over = std::mem::take(&mut self.taken_over);
            let net = level - self.booked - taken_over;
            // Taken off: what went in a closure came back to the line's sum, and the other way round.
            self.moved.add(-taken_over);
            line.moved.add(self.moved.came);
            line.moved.add(-self.moved.went);
            self.moved = Moved::default();
            line.net += net;
            line.peak.raise(self.line_peak);
            line.peak.raise(Rise::between(net, net));
        }
        self.booked = level;
        self.line_peak = Rise::default();
    }
}

impl Rise {
    fn between(least: i64, most: i64) -> Rise {
        let [least, most] = [least, most].map(|rise| u64::try_from(rise).unwrap_or(0));
        Rise { least, most }
    }

    fn raise(&mut self, other: Rise) {
        self.least = self.least.max(other.least);
        self.most = self.most.max(other.most);
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
