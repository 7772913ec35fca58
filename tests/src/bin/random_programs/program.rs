//! A random program: functions that allocate, keep and free blocks of known sizes, and call each other.

use crate::random::Random;

/// Functions of a program. A function calls only those behind it, and itself.
const FUNCTIONS: usize = 5;

/// A program: the first function is where it begins.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) start: Start,
    pub(crate) functions: Vec<Function>,
}

/// How a program begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// The first function is called.
    Call,
    /// It is called by so many threads at once.
    Threads(u64),
    /// All functions are async, and the first one is run to its end on the calling thread.
    Async,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) body: Vec<Statement>,
}

/// A statement. Each stands on a line of its own.
#[derive(Debug)]
pub(crate) enum Statement {
    /// A block is allocated and kept beyond the function.
    Keep(u64),
    /// A block is allocated that is freed at the end of the scope.
    Hold(u64),
    /// A block is allocated and freed.
    Passing(u64),
    /// The block that was kept last is freed.
    FreeLast,
    /// A loop with so many turns.
    Loop(u64, Vec<Statement>),
    /// A closure that is called so often, in an iterator.
    Closure(u64, Vec<Statement>),
    /// A call of the function with this number.
    Call(usize),
    /// The function calls itself, unless it is called by itself this deep already.
    Recurse,
    /// The function returns if it has been called by itself.
    ReturnIfDeep,
    /// The thread sleeps for some milliseconds, so that the sampler meets the line.
    Sleep,
}

impl Program {
    /// The program with this seed.
    pub(crate) fn random(seed: u64) -> Program {
        let mut random = Random::new(seed);
        let start = match random.below(10) {
            0..6 => Start::Call,
            6..8 => Start::Threads(2 + random.below(3)),
            _ => Start::Async,
        };
        let functions = (0..FUNCTIONS).map(|number| {
            let mut body = body(&mut random, number, start, 0);
            if number + 1 < FUNCTIONS {
                // Every function is called.
                body.push(Statement::Call(number + 1));
            }
            Function { body }
        });
        Program {
            start,
            functions: functions.collect(),
        }
    }
}

fn body(random: &mut Random, function: usize, start: Start, depth: u32) -> Vec<Statement> {
    let statements = 2 + random.below(4);
    let statements = (0..statements).map(|_| statement(random, function, start, depth));
    statements.collect()
}

fn statement(random: &mut Random, function: usize, start: Start, depth: u32) -> Statement {
    let may_nest = depth < 2;
    match random.below(20) {
        0..4 => Statement::Keep(bytes(random)),
        4..7 => Statement::Hold(bytes(random)),
        7..9 => Statement::Passing(bytes(random)),
        9 => Statement::FreeLast,
        10..13 if may_nest => {
            let turns = [3, 20, 400][random.below(3) as usize];
            Statement::Loop(turns, body(random, function, start, depth + 1))
        }
        // In a closure of an async function nothing can be awaited.
        13..15 if may_nest && start != Start::Async => {
            let turns = 1 + random.below(6);
            Statement::Closure(turns, body(random, function, start, depth + 1))
        }
        15..18 if function + 1 < FUNCTIONS => {
            let others = FUNCTIONS - function - 1;
            Statement::Call(function + 1 + random.below(others as u64) as usize)
        }
        // An async function that calls itself needs a box, whose size nobody here knows.
        18 if depth == 0 && start != Start::Async => Statement::Recurse,
        19 if depth == 0 => Statement::ReturnIfDeep,
        18 | 19 if random.percent(5) => Statement::Sleep,
        _ => Statement::Passing(bytes(random)),
    }
}

/// Small ones come from the allocator's arena; large ones are mapped and unmapped one by one.
fn bytes(random: &mut Random) -> u64 {
    match random.below(10) {
        0..7 => 1 + random.below(2_000),
        7..9 => 20_000 + random.below(20_000),
        _ => 200_000 + random.below(400_000),
    }
}
