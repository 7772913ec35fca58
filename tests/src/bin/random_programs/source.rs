//! The program as Rust, and the number of each statement's line.

use crate::program::{DEEPEST, Function, Program, Start, Statement};

/// The text of a program, line by line.
#[derive(Debug)]
struct Text {
    lines: Vec<String>,
    held: usize,
    start: Start,
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
    let mut text = Text {
        lines: Vec::new(),
        held: 0,
        start: program.start,
    };
    text.line("use crate::*;".to_owned());
    let functions = program.functions.iter().enumerate();
    let functions = functions
        .map(|(number, function)| text.function(number, function))
        .collect();
    text.start(program.tasks);
    text.sizes(program.functions.len());
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
    ) -> PlacedFunction<'program> {
        let keyword = match self.start.is_async() {
            true => "async fn",
            false => "fn",
        };
        self.line("#[profile_memory]".to_owned());
        self.line(format!(
            "{keyword} f{number}(kept: &mut Kept, deep: u64) {{"
        ));
        let body = self.body(&function.body);
        let end = self.line("}".to_owned());
        PlacedFunction { body, end }
    }

    fn body<'program>(&mut self, body: &'program [Statement]) -> Vec<Placed<'program>> {
        let statements = body.iter();
        statements
            .map(|statement| self.statement(statement))
            .collect()
    }

    fn statement<'program>(&mut self, statement: &'program Statement) -> Placed<'program> {
        let line = self.text_of(statement);
        let line = self.line(line);
        let (inside, close): (&[Statement], _) = match statement {
            Statement::Loop(_, body) => (body, "}"),
            Statement::Closure(_, body) | Statement::Parallel(_, body) => (body, "});"),
            _ => (&[], ""),
        };
        let inside = self.body(inside);
        let end = match inside.is_empty() {
            true => line,
            false => self.line(close.to_owned()),
        };
        Placed {
            statement,
            line,
            inside,
            end,
        }
    }

    /// The line of `statement`; of one with others inside, the first line.
    fn text_of(&mut self, statement: &Statement) -> String {
        match statement {
            Statement::Keep(bytes) => format!("kept.push(vec![1_u8; {bytes}]);"),
            Statement::Hold(bytes) => self.held(&format!("vec![1_u8; {bytes}]")),
            Statement::Half(bytes) => self.held(&format!("half({bytes})")),
            Statement::Passing(bytes) => format!("drop(black_box(vec![1_u8; {bytes}]));"),
            Statement::FreeLast => "drop(kept.pop());".to_owned(),
            Statement::Grow(bytes) => format!("grow(kept, {bytes});"),
            Statement::Loop(turns, _) => format!("for _ in 0..{turns}_u64 {{"),
            Statement::Closure(turns, _) => format!("(0..{turns}_u64).for_each(|_| {{"),
            Statement::Parallel(turns, _) => {
                format!("(0..{turns}_u64).into_par_iter().for_each(|_| {{")
            }
            Statement::Call(callee) if self.start.is_async() => {
                format!("f{callee}(kept, deep).await;")
            }
            Statement::Call(callee) => format!("f{callee}(kept, deep);"),
            Statement::Catch(callee) if self.start.is_async() => {
                format!("catch_async(f{callee}(kept, deep)).await;")
            }
            Statement::Catch(callee) => format!("catch(|| f{callee}(kept, deep));"),
            Statement::Recurse(callee) if self.start.is_async() => {
                format!("if deep < {DEEPEST} {{ Box::pin(f{callee}(kept, deep + 1)).await; }}")
            }
            Statement::Recurse(callee) => {
                format!("if deep < {DEEPEST} {{ f{callee}(kept, deep + 1); }}")
            }
            Statement::Cancel(callee, suspensions) => {
                format!("drop_after({suspensions}, f{callee}(kept, deep)).await;")
            }
            Statement::ReturnAt(at) => format!("if deep == {at} {{ return; }}"),
            Statement::BreakAt(at) => format!("if deep == {at} {{ break; }}"),
            Statement::PanicAt(at) => format!("if deep == {at} {{ panic(); }}"),
            Statement::Yield => "yield_now().await;".to_owned(),
            Statement::Sleep => "std::thread::sleep(std::time::Duration::from_millis(15));".into(),
        }
    }

    fn held(&mut self, block: &str) -> String {
        self.held += 1;
        format!("let _held{} = black_box({block});", self.held)
    }

    /// The function that begins it all, which is not annotated.
    fn start(&mut self, tasks: u64) {
        let with = match self.start {
            Start::Call => "on_main",
            Start::Threads => "on_threads",
            Start::Rayon => "on_rayon",
            Start::Pool => "in_pool",
            Start::Tokio => "on_tokio",
            Start::TokioOneThread => "on_tokio_alone",
            Start::Futures => "on_futures",
            Start::Smol => "on_smol",
        };
        let task = match self.start.is_async() {
            true => "|| async { f0(&mut room_for_good(), 0).await; }",
            false => "|kept| f0(kept, 0)",
        };
        self.line(format!("pub fn start() {{ {with}({tasks}, {task}); }}"));
    }

    /// The function that says how large the functions' futures are, which a box of one takes.
    fn sizes(&mut self, functions: usize) {
        let functions = if self.start.is_async() { functions } else { 0 };
        let size = |number| format!("size_of_future(f{number})");
        let sizes: Vec<String> = (0..functions).map(size).collect();
        let sizes = sizes.join(", ");
        self.line(format!("pub fn sizes() -> Vec<usize> {{ vec![{sizes}] }}"));
    }
}
