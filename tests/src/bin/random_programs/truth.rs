//! What a program does, found by going through it statement by statement.
//!
//! Whatever is allocated or freed is the innermost call's line's (self). It is also in the line of each function
//! around it (inclusive), of each function once: what happens in a call inside of a call of the same function stands
//! on the inner call's lines.

use std::collections::BTreeMap;

use crate::program::{DEEPEST, MAPPED_FROM, Program, Statement};
use crate::source::{self, Placed, PlacedFunction};

const PAGE: u64 = 4096;

/// The most that glibc takes for a small block beside the bytes asked for: a header of 16, and 15 for alignment.
const BESIDE: u64 = 31;

/// What all calls of a function did.
#[derive(Debug, Default, Clone)]
pub(crate) struct FunctionTruth {
    pub(crate) calls: u64,
    pub(crate) panics: u64,
    pub(crate) all: Heap,
    pub(crate) own: Heap,
    /// The parts of these that parallel closures did, on whatever thread.
    pub(crate) parallel: Heap,
    pub(crate) own_parallel: Heap,
    /// The highest rise above a call's beginning, and the same without what callees did.
    pub(crate) peak: u64,
    pub(crate) own_peak: u64,
    pub(crate) touched: Touched,
    pub(crate) lines: BTreeMap<u32, LineTruth>,
    /// How many calls did what, had which peak, and ended how.
    pub(crate) each: BTreeMap<(Heap, u64, Ending), u64>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Returned,
    Panicked,
    Cancelled,
}

/// What no program text tells.
#[derive(Debug, Default)]
pub(crate) struct Unknown {
    /// What a panic allocates, and frees where it is caught.
    pub(crate) panic: Heap,
    /// The sizes of the functions' futures.
    pub(crate) futures: Vec<u64>,
}

/// What a line did.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct LineTruth {
    pub(crate) all: Heap,
    pub(crate) own: Heap,
    pub(crate) parallel: Heap,
    /// The highest rise above the beginning of one hit.
    pub(crate) peak: u64,
    pub(crate) own_peak: u64,
    /// How often it was executed; known of statements without others inside.
    pub(crate) hits: Option<u64>,
    /// The most that one mapped block brought, and one small block.
    pub(crate) rise: u64,
    pub(crate) small_rise: u64,
    pub(crate) moved: Moved,
    /// What calls of the same function did inside of it. Where they were not read, their RSS is in this line, too.
    pub(crate) inner: Moved,
}

/// What can have changed RSS: what was done on the heap, and what was touched.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Moved {
    pub(crate) heap: Heap,
    pub(crate) touched: Touched,
}

/// Bytes and blocks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Heap {
    pub(crate) allocated: u64,
    pub(crate) freed: u64,
    pub(crate) allocations: u64,
}

/// Memory that became resident or ceased to be so.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Touched {
    /// What mapped blocks brought, less what they took with them: exactly.
    pub(crate) mapped: i64,
    /// The most that small blocks can have brought: the allocator may have had room for them.
    pub(crate) small: u64,
    /// The bytes of growing blocks that may have been moved. On the heap they are nothing new.
    pub(crate) moved: u64,
    /// A page for each mapped block that came or went: pages are whole, blocks are not.
    pub(crate) edges: u64,
}

/// What a whole program does.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) functions: Vec<FunctionTruth>,
    /// The highest live bytes of a task.
    pub(crate) peak: u64,
    /// Bytes of blocks that were freed and had never been touched. Where several threads give pages back, so many
    /// bytes of them may be another thread's.
    pub(crate) untouched: u64,
}

/// A program on its way.
struct Walk<'program> {
    functions: &'program [PlacedFunction<'program>],
    truth: Vec<FunctionTruth>,
    /// The calls in progress.
    stack: Vec<Frame>,
    kept: Vec<Block>,
    alive: u64,
    peak: u64,
    untouched: u64,
    unknown: &'program Unknown,
    /// After how many suspensions each future that is to be dropped is dropped: the outermost first.
    drops: Vec<u64>,
    is_parallel: bool,
}

/// A call in progress.
struct Frame {
    function: usize,
    line: u32,
    /// Live bytes when the call and when the line began.
    began: u64,
    line_began: u64,
    heap: Heap,
    peak: u64,
    /// Live bytes that the call itself has made.
    own: i64,
}

/// A block: its size, and how much of it is touched.
#[derive(Debug, Clone, Copy)]
struct Block {
    bytes: u64,
    touched: u64,
}

impl Block {
    fn is_mapped(self) -> bool {
        self.bytes >= MAPPED_FROM
    }

    /// What it brings if it is mapped.
    fn pages(self) -> u64 {
        self.touched.next_multiple_of(PAGE)
    }
}

/// How a scope ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Brace,
    Break,
    Return,
    Panic,
    /// The future at this place of `drops` is dropped while it is suspended, with all that it waits for.
    Cancel(usize),
}

impl Truth {
    /// Of `program`.
    pub(crate) fn of(program: &Program, unknown: &Unknown) -> Truth {
        let (_, functions) = source::of(program);
        let mut walk = Walk {
            functions: &functions,
            truth: vec![FunctionTruth::default(); functions.len()],
            stack: Vec::new(),
            kept: Vec::new(),
            alive: 0,
            peak: 0,
            untouched: 0,
            unknown,
            drops: Vec::new(),
            is_parallel: false,
        };
        walk.call(0, 0);
        for function in &mut walk.truth {
            function.times(program.tasks);
        }
        Truth {
            functions: walk.truth,
            peak: walk.peak,
            untouched: walk.untouched * program.tasks,
        }
    }
}

impl Walk<'_> {
    fn call(&mut self, number: usize, deep: u64) -> End {
        let functions = self.functions;
        let function = &functions[number];
        self.truth[number].calls += 1;
        self.stack.push(Frame {
            function: number,
            line: 0,
            began: self.alive,
            line_began: self.alive,
            heap: Heap::default(),
            peak: 0,
            own: 0,
        });
        let mut held = Vec::new();
        let end = self.scope(&function.body, function.end, number, deep, &mut held);
        self.free_all(held);
        if let Some(frame) = self.stack.pop() {
            let truth = &mut self.truth[number];
            truth.peak = truth.peak.max(frame.peak);
            truth.panics += u64::from(end == End::Panic);
            let call = (frame.heap, frame.peak, end.of_call());
            *truth.each.entry(call).or_default() += 1;
        }
        match end {
            End::Panic | End::Cancel(_) => end,
            End::Brace | End::Break | End::Return => End::Brace,
        }
    }

    /// Goes through `body`, up to the line `brace`; the blocks that are to be freed at its end are added to `held`.
    fn scope(
        &mut self,
        body: &[Placed<'_>],
        brace: u32,
        number: usize,
        deep: u64,
        held: &mut Vec<Block>,
    ) -> End {
        for (place, placed) in body.iter().enumerate() {
            self.at(placed.line);
            let end = self.statement(placed, number, deep, held);
            let is_last = place + 1 == body.len();
            if is_last && end.unwinds() && placed.statement.is_expression() {
                self.at(brace);
            }
            if end != End::Brace {
                return end;
            }
        }
        self.at(brace);
        End::Brace
    }

    fn statement(
        &mut self,
        placed: &Placed<'_>,
        number: usize,
        deep: u64,
        held: &mut Vec<Block>,
    ) -> End {
        if placed.inside.is_empty() {
            self.hit(number, placed.line);
        }
        match placed.statement {
            Statement::Keep(bytes) => {
                let block = self.allocate(*bytes, *bytes);
                self.kept.push(block);
            }
            Statement::Hold(bytes) => held.push(self.allocate(*bytes, *bytes)),
            Statement::Half(bytes) => held.push(self.allocate(*bytes, *bytes / 2)),
            Statement::Passing(bytes) => {
                let block = self.allocate(*bytes, *bytes);
                self.free(block);
            }
            Statement::FreeLast => {
                if let Some(block) = self.kept.pop() {
                    self.free(block);
                }
            }
            Statement::Grow(bytes) => self.grow(*bytes),
            Statement::Loop(turns, _) | Statement::Closure(turns, _) => {
                return self.turns(placed, *turns, number, deep);
            }
            Statement::Parallel(turns, _) => {
                self.is_parallel = true;
                let end = self.turns(placed, *turns, number, deep);
                self.is_parallel = false;
                return end;
            }
            Statement::Call(callee) => return self.call(*callee, deep),
            Statement::Catch(callee) => return self.catch(*callee, deep),
            Statement::Recurse(callee) if deep < DEEPEST => return self.recurse(*callee, deep),
            Statement::Cancel(callee, suspensions) => {
                return self.cancel(*callee, *suspensions, deep);
            }
            Statement::Yield => return self.suspend(),
            Statement::ReturnAt(at) if deep == *at => return End::Return,
            Statement::BreakAt(at) if deep == *at => return End::Break,
            Statement::PanicAt(at) if deep == *at => {
                self.alive += self.unknown.panic.allocated;
                self.book(self.unknown.panic);
                return End::Panic;
            }
            Statement::Recurse(_)
            | Statement::ReturnAt(_)
            | Statement::BreakAt(_)
            | Statement::PanicAt(_)
            | Statement::Sleep => {}
        }
        End::Brace
    }

    fn catch(&mut self, callee: usize, deep: u64) -> End {
        let end = self.call(callee, deep);
        if end != End::Panic {
            return end;
        }
        let freed = self.unknown.panic.allocated;
        self.alive -= freed;
        self.book(Heap {
            freed,
            ..Heap::default()
        });
        End::Brace
    }

    /// An async function's future is in a box as long as it is called.
    fn recurse(&mut self, callee: usize, deep: u64) -> End {
        let size = self.unknown.futures.get(callee).copied();
        let future = size.map(|bytes| self.allocate(bytes, bytes));
        let end = self.call(callee, deep + 1);
        if let Some(future) = future {
            self.free(future);
        }
        end
    }

    fn cancel(&mut self, callee: usize, suspensions: u64, deep: u64) -> End {
        let place = self.drops.len();
        self.drops.push(suspensions);
        let end = self.call(callee, deep);
        self.drops.truncate(place);
        match end {
            End::Cancel(dropped) if dropped == place => End::Brace,
            end => end,
        }
    }

    /// The future is suspended, and so is what waits for it; up to one that is dropped thereupon.
    fn suspend(&mut self) -> End {
        for (place, left) in self.drops.iter_mut().enumerate().rev() {
            *left -= 1;
            if *left == 0 {
                return End::Cancel(place);
            }
        }
        End::Brace
    }

    fn turns(&mut self, placed: &Placed<'_>, turns: u64, number: usize, deep: u64) -> End {
        for _ in 0..turns {
            match self.turn(placed, number, deep) {
                End::Brace => {}
                End::Break => break,
                end => return end,
            }
        }
        End::Brace
    }

    /// One turn of a loop, or one call of a closure.
    fn turn(&mut self, placed: &Placed<'_>, number: usize, deep: u64) -> End {
        let mut held = Vec::new();
        let end = self.scope(&placed.inside, placed.end, number, deep, &mut held);
        self.free_all(held);
        // A `return` frees everything on its way; a panic passes what ends the loop, and so does a future's drop.
        if end != End::Return {
            self.at(placed.line);
        }
        end
    }

    /// The innermost call comes to `line`.
    fn at(&mut self, line: u32) {
        let alive = self.alive;
        if let Some(call) = self.stack.last_mut() {
            (call.line, call.line_began) = (line, alive);
        }
    }

    fn hit(&mut self, number: usize, line: u32) {
        let line = self.truth[number].lines.entry(line).or_default();
        *line.hits.get_or_insert(0) += 1;
    }

    /// In the order in which locals are dropped.
    fn free_all(&mut self, held: Vec<Block>) {
        held.into_iter().rev().for_each(|block| self.free(block));
    }

    fn allocate(&mut self, bytes: u64, touched: u64) -> Block {
        let block = Block { bytes, touched };
        self.alive += bytes;
        self.rise(block.pages(), block);
        self.touch(block, 1);
        self.book(Heap {
            allocated: bytes,
            freed: 0,
            allocations: 1,
        });
        block
    }

    fn free(&mut self, block: Block) {
        self.alive -= block.bytes;
        self.untouched += block.bytes - block.touched;
        self.touch(block, -1);
        self.book(Heap {
            freed: block.bytes,
            ..Heap::default()
        });
    }

    fn grow(&mut self, bytes: u64) {
        let Some(mut block) = self.kept.pop() else {
            return;
        };
        let moved = block.bytes;
        let before = if block.is_mapped() { block.pages() } else { 0 };
        self.touch(block, -1);
        block.bytes += bytes;
        block.touched += bytes;
        self.rise(block.pages() - before, block);
        self.touch(block, 1);
        self.touched(Touched {
            moved,
            ..Touched::default()
        });
        self.kept.push(block);
        self.alive += bytes;
        self.book(Heap {
            allocated: bytes,
            ..Heap::default()
        });
    }

    /// RSS rises by so many bytes at the innermost call's line, if `block` is a mapped one; otherwise perhaps by it.
    fn rise(&mut self, bytes: u64, block: Block) {
        let Some(frame) = self.stack.last() else {
            return;
        };
        let lines = &mut self.truth[frame.function].lines;
        let line = lines.entry(frame.line).or_default();
        match block.is_mapped() {
            true => line.rise = line.rise.max(bytes),
            false => line.small_rise = line.small_rise.max(block.touched + BESIDE),
        }
    }

    /// `block` comes (1) or goes (-1).
    fn touch(&mut self, block: Block, sign: i64) {
        self.touched(if block.is_mapped() {
            Touched {
                mapped: sign * block.pages() as i64,
                edges: PAGE,
                ..Touched::default()
            }
        } else {
            Touched {
                small: if sign > 0 { block.touched + BESIDE } else { 0 },
                ..Touched::default()
            }
        });
    }

    fn touched(&mut self, touched: Touched) {
        self.moved(Moved {
            touched,
            ..Moved::default()
        });
    }

    fn moved(&mut self, change: Moved) {
        self.each_function(
            |function, line| {
                function.touched.add(change.touched);
                line.moved.add(change);
            },
            |line| line.inner.add(change),
        );
    }

    fn book(&mut self, change: Heap) {
        self.peak = self.peak.max(self.alive);
        let (alive, parallel) = (self.alive, self.is_parallel);
        self.each_function(
            |function, line| {
                function.all.add(change);
                line.all.add(change);
                if parallel {
                    function.parallel.add(change);
                    line.parallel.add(change);
                }
            },
            |_| {},
        );
        self.moved(Moved {
            heap: change,
            ..Moved::default()
        });
        for frame in &mut self.stack {
            frame.heap.add(change);
            frame.peak = frame.peak.max(alive.saturating_sub(frame.began));
            let function = &mut self.truth[frame.function];
            let line = function.lines.entry(frame.line).or_default();
            line.peak = line.peak.max(alive.saturating_sub(frame.line_began));
        }
        if let Some(frame) = self.stack.last_mut() {
            frame.own += change.allocated as i64 - change.freed as i64;
            let own = u64::try_from(frame.own).unwrap_or(0);
            let function = &mut self.truth[frame.function];
            function.own.add(change);
            if parallel {
                function.own_parallel.add(change);
            }
            let line = function.lines.entry(frame.line).or_default();
            line.own.add(change);
            if change.allocated > 0 {
                function.own_peak = function.own_peak.max(own);
                line.own_peak = line.own_peak.max(own);
            }
        }
    }

    /// Does `what` with each function that has a call in progress, and the line at which its innermost call is; and
    /// `outside` with the lines at which calls around that one are.
    fn each_function(
        &mut self,
        what: impl Fn(&mut FunctionTruth, &mut LineTruth),
        outside: impl Fn(&mut LineTruth),
    ) {
        let mut seen = Vec::new();
        for frame in self.stack.iter().rev() {
            let function = &mut self.truth[frame.function];
            let mut line = *function.lines.entry(frame.line).or_default();
            if seen.contains(&frame.function) {
                outside(&mut line);
            } else {
                seen.push(frame.function);
                what(function, &mut line);
            }
            function.lines.insert(frame.line, line);
        }
    }
}

impl End {
    /// Whether locals are dropped without a jump: on the way are the closing brace of a block whose value is left, and
    /// loops' headers.
    fn unwinds(self) -> bool {
        matches!(self, End::Panic | End::Cancel(_))
    }

    fn of_call(self) -> Ending {
        match self {
            End::Brace | End::Break | End::Return => Ending::Returned,
            End::Panic => Ending::Panicked,
            End::Cancel(_) => Ending::Cancelled,
        }
    }
}

impl FunctionTruth {
    /// So many tasks did the same.
    fn times(&mut self, tasks: u64) {
        self.calls *= tasks;
        self.panics *= tasks;
        for heap in [
            &mut self.all,
            &mut self.own,
            &mut self.parallel,
            &mut self.own_parallel,
        ] {
            heap.times(tasks);
        }
        self.touched.times(tasks);
        self.each.values_mut().for_each(|calls| *calls *= tasks);
        for line in self.lines.values_mut() {
            for heap in [&mut line.all, &mut line.own, &mut line.parallel] {
                heap.times(tasks);
            }
            line.hits = line.hits.map(|hits| hits * tasks);
            line.moved.times(tasks);
            line.inner.times(tasks);
        }
    }
}

impl Heap {
    pub(crate) fn plus(mut self, other: Heap) -> Heap {
        self.add(other);
        self
    }

    pub(crate) fn add(&mut self, other: Heap) {
        self.allocated += other.allocated;
        self.freed += other.freed;
        self.allocations += other.allocations;
    }

    fn times(&mut self, tasks: u64) {
        self.allocated *= tasks;
        self.freed *= tasks;
        self.allocations *= tasks;
    }
}

impl Moved {
    pub(crate) fn add(&mut self, other: Moved) {
        self.heap.add(other.heap);
        self.touched.add(other.touched);
    }

    fn times(&mut self, tasks: u64) {
        self.heap.times(tasks);
        self.touched.times(tasks);
    }

    /// By how much RSS can have changed, from the least to the most: all that was freed was given back, or all that
    /// was allocated came.
    pub(crate) fn possible(&self) -> (i64, i64) {
        let Moved { heap, touched } = self;
        let most = heap.allocated + heap.allocations * BESIDE + touched.moved + touched.edges;
        (-((heap.freed + touched.edges) as i64), most as i64)
    }
}

impl Touched {
    pub(crate) fn add(&mut self, other: Touched) {
        self.mapped += other.mapped;
        self.small += other.small;
        self.moved += other.moved;
        self.edges += other.edges;
    }

    fn times(&mut self, tasks: u64) {
        self.mapped *= tasks as i64;
        self.small *= tasks;
        self.moved *= tasks;
        self.edges *= tasks;
    }
}
