//! A random program: functions that allocate, keep, touch and free blocks of known sizes, and call each other.

/// Blocks of at least so many bytes are mapped one by one, by the programs' own allocator.
pub(crate) const MAPPED_FROM: u64 = 131_072;

/// A program: the first function is where each task begins.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) start: Start,
    /// How often the first function is called, all at once.
    pub(crate) tasks: u64,
    pub(crate) functions: Vec<Function>,
}

/// What calls the first function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// The main thread, once.
    Call,
    /// A thread for each task.
    Threads,
    /// A parallel iterator of rayon.
    Rayon,
    /// One worker of rayon; the functions have parallel iterators inside.
    Pool,
    /// tokio, on several threads. With this one and those below all functions are async.
    Tokio,
    /// tokio, on one thread.
    TokioOneThread,
    /// The futures crate's `join_all`.
    Futures,
    /// smol.
    Smol,
}

/// A function.
#[derive(Debug, Default)]
pub(crate) struct Function {
    pub(crate) body: Vec<Statement>,
    /// Whether a panic may leave it.
    pub(crate) panics: bool,
}

/// A statement. Each stands on a line of its own.
#[derive(Debug)]
pub(crate) enum Statement {
    /// A block is allocated and kept beyond the function.
    Keep(u64),
    /// A block is allocated that is freed at the end of the scope.
    Hold(u64),
    /// The same, but only its first half is touched.
    Half(u64),
    /// A block is allocated and freed.
    Passing(u64),
    /// The block that was kept last is freed.
    FreeLast,
    /// The block that was kept last grows by so many bytes.
    Grow(u64),
    /// A loop with so many turns.
    Loop(u64, Vec<Statement>),
    /// A closure that is called so often, in an iterator.
    Closure(u64, Vec<Statement>),
    /// The same in a parallel iterator.
    Parallel(u64, Vec<Statement>),
    /// A call of the function with this number.
    Call(usize),
    /// The same; a panic that leaves it is caught.
    Catch(usize),
    /// The same function or one before it is called again, unless that was done [`DEEPEST`] times around this call. An
    /// async one is boxed.
    Recurse(usize),
    /// The future of the function with this number is polled until it has been suspended so often, and dropped.
    Cancel(usize, u64),
    /// The function returns if so many calls of [`Statement::Recurse`] are around it.
    ReturnAt(u64),
    /// The loop around is left in that case.
    BreakAt(u64),
    /// The function panics in that case.
    PanicAt(u64),
    /// The future is suspended, and its task woken at once.
    Yield,
    /// The thread sleeps for some milliseconds, so that the sampler meets the line.
    Sleep,
}

/// How often functions call themselves or those before them, one inside of the other.
pub(crate) const DEEPEST: u64 = 2;

impl Statement {
    /// Whether it is the value of its block where it is the last one: it ends without a semicolon.
    pub(crate) fn is_expression(&self) -> bool {
        matches!(
            self,
            Statement::Loop(..)
                | Statement::Recurse(_)
                | Statement::ReturnAt(_)
                | Statement::BreakAt(_)
                | Statement::PanicAt(_)
        )
    }
}

impl Start {
    /// Whether all functions are async.
    pub(crate) fn is_async(self) -> bool {
        match self {
            Start::Call | Start::Threads | Start::Rayon | Start::Pool => false,
            Start::Tokio | Start::TokioOneThread | Start::Futures | Start::Smol => true,
        }
    }
}

/// Workers of the pool that a program makes for itself, and of tokio's.
pub(crate) const WORKERS: u64 = 3;

impl Program {
    /// How many threads its tasks run on at once, at most.
    pub(crate) fn threads(&self) -> u64 {
        match self.start {
            Start::Threads | Start::Rayon => self.tasks,
            Start::Pool | Start::Tokio => WORKERS,
            Start::Call | Start::TokioOneThread | Start::Futures | Start::Smol => 1,
        }
    }
}
