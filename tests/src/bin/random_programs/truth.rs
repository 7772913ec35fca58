//! What a program does, found by going through it statement by statement.
//!
//! Whatever is allocated or freed is the innermost call's line's (self). It is also in the line of each function
//! around it (inclusive), of each function once: what happens in a call inside of a call of the same function stands
//! on the inner call's lines.

use std::collections::BTreeMap;

use crate::program::{Program, Start, Statement};
use crate::source::{self, Placed, PlacedFunction};

/// What all calls of a function did.
#[derive(Debug, Default, Clone)]
pub(crate) struct FunctionTruth {
    pub(crate) calls: u64,
    pub(crate) all: Heap,
    pub(crate) own: Heap,
    pub(crate) lines: BTreeMap<u32, LineTruth>,
}

/// What a line did.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct LineTruth {
    pub(crate) all: Heap,
    pub(crate) own: Heap,
}

/// Bytes and blocks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heap {
    pub(crate) allocated: u64,
    pub(crate) freed: u64,
    pub(crate) allocations: u64,
}

/// What a whole program does.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) functions: Vec<FunctionTruth>,
    /// How many threads did it.
    pub(crate) threads: u64,
    /// Its highest live bytes.
    pub(crate) peak: u64,
}

/// A program on its way.
struct Walk<'program> {
    functions: &'program [PlacedFunction<'program>],
    truth: Vec<FunctionTruth>,
    /// The calls in progress, with the lines at which they are.
    stack: Vec<(usize, u32)>,
    kept: Vec<u64>,
    alive: u64,
    peak: u64,
}

/// How a scope ended.
#[derive(PartialEq, Eq)]
enum End {
    Brace,
    Return,
}

impl Truth {
    /// Of `program`.
    pub(crate) fn of(program: &Program) -> Truth {
        let (_, functions) = source::of(program);
        let mut walk = Walk {
            functions: &functions,
            truth: vec![FunctionTruth::default(); functions.len()],
            stack: Vec::new(),
            kept: Vec::new(),
            alive: 0,
            peak: 0,
        };
        walk.call(0, 0);
        let threads = match program.start {
            Start::Threads(threads) => threads,
            Start::Call | Start::Async => 1,
        };
        for function in &mut walk.truth {
            function.times(threads);
        }
        Truth {
            functions: walk.truth,
            threads,
            peak: walk.peak,
        }
    }
}

impl Walk<'_> {
    fn call(&mut self, number: usize, deep: u32) {
        let function = &self.functions[number];
        self.truth[number].calls += 1;
        self.stack.push((number, 0));
        let mut held = Vec::new();
        let end = self.scope(&function.body, number, deep, &mut held);
        if end == End::Brace {
            self.at(function.end);
        }
        self.free_all(&held);
        self.stack.pop();
    }

    /// Goes through `body`; the blocks that are to be freed at its end are added to `held`.
    fn scope(&mut self, body: &[Placed<'_>], number: usize, deep: u32, held: &mut Vec<u64>) -> End {
        for placed in body {
            self.at(placed.line);
            match placed.statement {
                Statement::Keep(bytes) => {
                    self.allocate(*bytes);
                    self.kept.push(*bytes);
                }
                Statement::Hold(bytes) => {
                    self.allocate(*bytes);
                    held.push(*bytes);
                }
                Statement::Passing(bytes) => {
                    self.allocate(*bytes);
                    self.free(*bytes);
                }
                Statement::FreeLast => {
                    if let Some(bytes) = self.kept.pop() {
                        self.free(bytes);
                    }
                }
                Statement::Loop(turns, _) | Statement::Closure(turns, _) => {
                    for _ in 0..*turns {
                        self.turn(placed, number, deep);
                    }
                }
                Statement::Call(callee) => self.call(*callee, 0),
                Statement::Recurse if deep < 2 => self.call(number, deep + 1),
                Statement::ReturnIfDeep if deep > 1 => return End::Return,
                Statement::Recurse | Statement::ReturnIfDeep | Statement::Sleep => {}
            }
        }
        End::Brace
    }

    /// One turn of a loop, or one call of a closure.
    fn turn(&mut self, placed: &Placed<'_>, number: usize, deep: u32) {
        let mut held = Vec::new();
        self.scope(&placed.inside, number, deep, &mut held);
        self.at(placed.end);
        self.free_all(&held);
        self.at(placed.line);
    }

    /// The innermost call comes to `line`.
    fn at(&mut self, line: u32) {
        if let Some(call) = self.stack.last_mut() {
            call.1 = line;
        }
    }

    fn free_all(&mut self, held: &[u64]) {
        held.iter().for_each(|&bytes| self.free(bytes));
    }

    fn allocate(&mut self, bytes: u64) {
        self.alive += bytes;
        self.peak = self.peak.max(self.alive);
        self.book(Heap {
            allocated: bytes,
            freed: 0,
            allocations: 1,
        });
    }

    fn free(&mut self, bytes: u64) {
        self.alive -= bytes;
        self.book(Heap {
            freed: bytes,
            ..Heap::default()
        });
    }

    fn book(&mut self, change: Heap) {
        let mut seen = Vec::new();
        for (place, &(number, line)) in self.stack.iter().enumerate().rev() {
            let function = &mut self.truth[number];
            if place + 1 == self.stack.len() {
                function.own.add(change);
                function.lines.entry(line).or_default().own.add(change);
            }
            if !seen.contains(&number) {
                seen.push(number);
                function.all.add(change);
                function.lines.entry(line).or_default().all.add(change);
            }
        }
    }
}

impl FunctionTruth {
    /// So many threads did the same.
    fn times(&mut self, threads: u64) {
        self.calls *= threads;
        self.all.times(threads);
        self.own.times(threads);
        for line in self.lines.values_mut() {
            line.all.times(threads);
            line.own.times(threads);
        }
    }
}

impl Heap {
    fn add(&mut self, other: Heap) {
        self.allocated += other.allocated;
        self.freed += other.freed;
        self.allocations += other.allocations;
    }

    fn times(&mut self, threads: u64) {
        self.allocated *= threads;
        self.freed *= threads;
        self.allocations *= threads;
    }
}
