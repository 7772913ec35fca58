//! Makes a program of a seed, which is neither too long nor too large to run.

use crate::program::{DEEPEST, Function, Program, Start, Statement};
use crate::random::Random;
use crate::truth::{Truth, Unknown};

/// Functions of a program. A function calls those behind it; itself and those before it only so deep.
const FUNCTIONS: usize = 5;

/// A program does so many statements at most, allocates so many bytes, and has so many of them at once, each task.
const STATEMENTS: u64 = 40_000;
const ALLOCATED: u64 = 1 << 30;
const ALIVE: u64 = 48 << 20;

/// Makes functions, the last one first.
struct Generator {
    random: Random,
    start: Start,
    /// Whether blocks may be touched in half.
    halves: bool,
    /// Those behind the one that is being made are there already.
    functions: Vec<Function>,
}

/// Where a statement is to stand.
#[derive(Debug, Clone, Copy)]
struct Place {
    function: usize,
    /// How many statements are around it.
    depth: u32,
    /// How often these repeat it.
    turns: u64,
    around: Around,
}

/// Which statement is directly around another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Function,
    Loop,
    Closure,
    Parallel,
}

/// The program with this seed.
pub(crate) fn program(seed: u64) -> Program {
    let mut random = Random::new(seed);
    loop {
        let (program, statements) = Generator::program(Random::new(random.below(u64::MAX)));
        if statements > STATEMENTS {
            continue;
        }
        let truth = Truth::of(&program, &Unknown::default());
        let all = truth.functions.first().map(|function| function.all);
        let allocated = all.unwrap_or_default().allocated;
        if truth.peak <= ALIVE && allocated <= ALLOCATED * program.tasks {
            return program;
        }
    }
}

impl Generator {
    fn program(mut random: Random) -> (Program, u64) {
        let (start, tasks) = match random.below(16) {
            0..6 => (Start::Call, 1),
            6..8 => (Start::Threads, 2 + random.below(3)),
            8..10 => (Start::Rayon, 2 + random.below(6)),
            10 => (Start::Pool, 1),
            11..13 => (Start::Tokio, 2 + random.below(5)),
            13 => (Start::TokioOneThread, 1 + random.below(5)),
            14 => (Start::Futures, 1 + random.below(5)),
            _ => (Start::Smol, 1 + random.below(5)),
        };
        // While several threads give pages back, nobody knows how much of a freed block had been touched.
        let is_parallel = matches!(
            start,
            Start::Threads | Start::Rayon | Start::Pool | Start::Tokio
        );
        let halves = !is_parallel || random.percent(20);
        let mut generator = Generator {
            random,
            start,
            halves,
            functions: (0..FUNCTIONS).map(|_| Function::default()).collect(),
        };
        for number in (0..FUNCTIONS).rev() {
            generator.function(number);
        }
        let statements = generator.statements();
        let program = Program {
            start,
            tasks,
            functions: generator.functions,
        };
        (program, statements.saturating_mul(tasks))
    }

    fn function(&mut self, number: usize) {
        let place = Place {
            function: number,
            depth: 0,
            turns: 1,
            around: Around::Function,
        };
        let mut body = self.body(place);
        // Every function is called.
        body.push(match number + 1 < FUNCTIONS {
            true => self.call(place),
            false => Statement::Passing(self.bytes(place)),
        });
        self.functions[number].body = body;
    }

    fn body(&mut self, place: Place) -> Vec<Statement> {
        let statements = 2 + self.random.below(4);
        (0..statements).map(|_| self.statement(place)).collect()
    }

    fn statement(&mut self, place: Place) -> Statement {
        let may_nest = place.depth < 2;
        let may_call = place.around != Around::Parallel
            && !(self.start.is_async() && place.around == Around::Closure)
            && place.function + 1 < FUNCTIONS;
        // A parallel closure has nothing from outside, and no other one inside.
        let may_keep = place.around != Around::Parallel;
        let at = 1 + self.random.below(DEEPEST);
        match self.random.below(33) {
            0..4 if may_keep => Statement::Keep(self.bytes(place)),
            4..7 => Statement::Hold(self.bytes(place)),
            7 if self.halves => Statement::Half(200_000 + self.random.below(400_000)),
            8 if may_keep => Statement::FreeLast,
            9 if may_keep => Statement::Grow(self.bytes(place)),
            10..14 if may_nest => self.nested(place, Around::Loop),
            14..17 if may_nest && may_keep => self.nested(place, Around::Closure),
            17..20 if self.start == Start::Pool && may_nest && place.depth == 0 => {
                self.nested(place, Around::Parallel)
            }
            20..23 if may_call => self.call(place),
            23 | 30 if place.depth == 0 => self.recurse(place),
            24 if self.is_in_loops(place) => Statement::ReturnAt(at),
            25 if place.around == Around::Loop => Statement::BreakAt(at),
            26 if self.is_in_loops(place) => {
                self.functions[place.function].panics = true;
                Statement::PanicAt(at)
            }
            27..29 if self.start.is_async() && self.is_in_loops(place) => Statement::Yield,
            31..33 if self.start.is_async() && may_call => self.cancel(place),
            29 if self.random.percent(10) && place.turns < 10 => Statement::Sleep,
            _ => Statement::Passing(self.bytes(place)),
        }
    }

    /// Whether there is no closure around the statement.
    fn is_in_loops(&self, place: Place) -> bool {
        matches!(place.around, Around::Function | Around::Loop)
    }

    fn nested(&mut self, place: Place, around: Around) -> Statement {
        let turns = match around {
            Around::Closure => 1 + self.random.below(6),
            _ => [3, 20, 400, 3_000][self.random.below(4) as usize],
        };
        let inside = Place {
            depth: place.depth + 1,
            turns: place.turns * turns,
            // In a closure's loop a call is still a closure's.
            around: match place.around {
                Around::Closure | Around::Parallel => place.around,
                Around::Function | Around::Loop => around,
            },
            ..place
        };
        let body = self.body(inside);
        match around {
            Around::Parallel => Statement::Parallel(turns, body),
            Around::Closure => Statement::Closure(turns, body),
            Around::Function | Around::Loop => Statement::Loop(turns, body),
        }
    }

    /// The next function, or in a loop or closure any behind this one.
    fn callee(&mut self, place: Place) -> usize {
        let behind = FUNCTIONS - place.function - 1;
        let next = place.function + 1;
        match place.depth {
            0 => next,
            _ => next + self.random.below(behind as u64) as usize,
        }
    }

    /// A call of the same function, or of any before it.
    fn recurse(&mut self, place: Place) -> Statement {
        Statement::Recurse(match self.random.percent(50) {
            true => place.function,
            false => self.random.below(place.function as u64 + 1) as usize,
        })
    }

    /// A call of a function behind this one that ends early; a panic is passed on.
    fn cancel(&mut self, place: Place) -> Statement {
        let callee = self.callee(place);
        self.functions[place.function].panics |= self.functions[callee].panics;
        Statement::Cancel(callee, 1 + self.random.below(3))
    }

    /// A call of a function behind this one; of some that may panic, the panic is passed on.
    fn call(&mut self, place: Place) -> Statement {
        let callee = self.callee(place);
        if !self.functions[callee].panics {
            return Statement::Call(callee);
        }
        if self.random.percent(60) {
            return Statement::Catch(callee);
        }
        self.functions[place.function].panics = true;
        Statement::Call(callee)
    }

    /// How many statements the first function does at most, calls included.
    fn statements(&self) -> u64 {
        let mut deeper = vec![0; FUNCTIONS];
        for _ in 0..=DEEPEST {
            let mut calls = vec![0; FUNCTIONS];
            for (number, function) in self.functions.iter().enumerate().rev() {
                calls[number] = statements(&function.body, &calls, &deeper);
            }
            deeper = calls;
        }
        deeper[0]
    }

    /// Small blocks come from the allocator's arena; large ones are mapped and unmapped one by one.
    fn bytes(&mut self, place: Place) -> u64 {
        let large = if place.turns > 100 { 1 } else { 20 };
        match self.random.below(100) {
            below if below < large => 200_000 + self.random.below(400_000),
            below if below < 2 * large => 20_000 + self.random.below(20_000),
            _ => 1 + self.random.below(2_000),
        }
    }
}

/// How many statements `body` does, where a call of each function does so many: this deep, and one deeper.
fn statements(body: &[Statement], calls: &[u64], deeper: &[u64]) -> u64 {
    let of = |statement: &Statement| match statement {
        Statement::Loop(turns, body)
        | Statement::Closure(turns, body)
        | Statement::Parallel(turns, body) => turns.saturating_mul(statements(body, calls, deeper)),
        Statement::Call(callee) | Statement::Catch(callee) | Statement::Cancel(callee, _) => {
            calls[*callee]
        }
        Statement::Recurse(callee) => deeper[*callee],
        _ => 0,
    };
    let all = body.iter().map(|statement| of(statement).saturating_add(1));
    all.fold(0, u64::saturating_add)
}
