//! The program as Rust, and the number of each statement's line.

use crate::program::{Function, Program, Start, Statement};

/// The text of a program, line by line.
#[derive(Debug, Default)]
struct Text {
    lines: Vec<String>,
    held: usize,
}

/// A statement and the line on which it stands, with the lines of what is inside of it.
#[derive(Debug)]
pub(crate) struct Placed<'program> {
    pub(crate) statement: &'program Statement,
    pub(crate) line: u32,
    pub(crate) inside: Vec<Placed<'program>>,
    /// The line of the closing brace of what is inside of it.
    pub(crate) end: u32,
}

/// A function with the lines of its statements.
#[derive(Debug)]
pub(crate) struct PlacedFunction<'program> {
    pub(crate) body: Vec<Placed<'program>>,
    /// The line of its closing brace.
    pub(crate) end: u32,
}

/// The functions of `program` and their text, as a module.
pub(crate) fn of(program: &Program) -> (String, Vec<PlacedFunction<'_>>) {
    let mut text = Text::default();
    text.line("use memprof::profile_memory;".to_owned());
    text.line("use std::hint::black_box;".to_owned());
    text.line("type Kept = Vec<Vec<u8>>;".to_owned());
    let is_async = program.start == Start::Async;
    let functions = program.functions.iter().enumerate();
    let functions = functions
        .map(|(number, function)| text.function(number, function, is_async))
        .collect();
    text.start(program.start);
    (text.lines.join("\n"), functions)
}

impl Text {
    /// Adds a line and gives its number.
    fn line(&mut self, line: String) -> u32 {
        self.lines.push(line);
        self.lines.len() as u32
    }

    fn function<'program>(
        &mut self,
        number: usize,
        function: &'program Function,
        is_async: bool,
    ) -> PlacedFunction<'program> {
        let asynchronous = if is_async { "async " } else { "" };
        self.line("#[profile_memory]".to_owned());
        self.line(format!(
            "{asynchronous}fn f{number}(kept: &mut Kept, deep: u32) {{"
        ));
        let body = self.body(&function.body, number, is_async);
        let end = self.line("}".to_owned());
        PlacedFunction { body, end }
    }

    fn body<'program>(
        &mut self,
        body: &'program [Statement],
        number: usize,
        is_async: bool,
    ) -> Vec<Placed<'program>> {
        body.iter()
            .map(|statement| self.statement(statement, number, is_async))
            .collect()
    }

    fn statement<'program>(
        &mut self,
        statement: &'program Statement,
        number: usize,
        is_async: bool,
    ) -> Placed<'program> {
        let wait = if is_async {
            // Boxed, since a future that contains itself has no size; the box is a block like any other.
            ".await"
        } else {
            ""
        };
        let (first, inside) = match statement {
            Statement::Keep(bytes) => (format!("kept.push(vec![1_u8; {bytes}]);"), None),
            Statement::Hold(bytes) => {
                self.held += 1;
                (
                    format!("let _held{} = black_box(vec![1_u8; {bytes}]);", self.held),
                    None,
                )
            }
            Statement::Passing(bytes) => (format!("drop(black_box(vec![1_u8; {bytes}]));"), None),
            Statement::FreeLast => ("drop(kept.pop());".to_owned(), None),
            Statement::Loop(turns, body) => (format!("for _ in 0..{turns} {{"), Some((body, "}"))),
            Statement::Closure(turns, body) => {
                (format!("(0..{turns}).for_each(|_| {{"), Some((body, "});")))
            }
            Statement::Call(callee) => (format!("f{callee}(kept, 0){wait};"), None),
            Statement::Recurse => (
                format!("if deep < 2 {{ f{number}(kept, deep + 1); }}"),
                None,
            ),
            Statement::ReturnIfDeep => ("if deep > 1 { return; }".to_owned(), None),
            Statement::Sleep => {
                let sleep = "std::thread::sleep(std::time::Duration::from_millis(15));";
                (sleep.to_owned(), None)
            }
        };
        let line = self.line(first);
        let (inside, end) = match inside {
            Some((body, close)) => {
                let inside = self.body(body, number, is_async);
                (inside, self.line(close.to_owned()))
            }
            None => (Vec::new(), line),
        };
        Placed {
            statement,
            line,
            inside,
            end,
        }
    }

    /// The function that begins it all, which is not annotated.
    fn start(&mut self, start: Start) {
        self.line("pub fn start() {".to_owned());
        let room = "let mut kept = Kept::with_capacity(1 << 20);";
        let forget = "std::mem::forget(kept);";
        self.line(match start {
            Start::Call => format!("{room} f0(&mut kept, 0); {forget}"),
            Start::Threads(threads) => format!(
                "std::thread::scope(|scope| for _ in 0..{threads} {{ \
                 scope.spawn(|| {{ {room} f0(&mut kept, 0); {forget} }}); }});"
            ),
            Start::Async => format!("{room} crate::block_on(f0(&mut kept, 0)); {forget}"),
        });
        self.line("}".to_owned());
    }
}
