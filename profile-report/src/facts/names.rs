//! What functions are called in reports: each as short as tells it apart from all others of its run.

use std::collections::HashMap;
use std::ptr;

use memprof_model::run::{FunctionProfile, Run};

/// What the functions of a run are called: `run`, or `server::run` and `db::run` where there are several.
#[derive(Debug, Clone)]
pub struct Names {
    shown: Vec<String>,
    /// The place of each function by its address: it is one of the run's, not a copy.
    places: HashMap<*const FunctionProfile, usize>,
}

impl Names {
    /// The names of `run`'s functions, in their order.
    #[must_use]
    pub fn of_run(run: &Run) -> Self {
        let addresses = run.functions.iter().map(ptr::from_ref);
        Self {
            shown: told_apart(run.functions.iter()),
            places: addresses.enumerate().map(|(i, at)| (at, i)).collect(),
        }
    }

    /// The name of a function of that run. Any other is called by its label.
    #[must_use]
    pub fn of<'a>(&'a self, function: &'a FunctionProfile) -> &'a str {
        let place = self.places.get(&ptr::from_ref(function));
        place.map_or(&function.label, |&place| &self.shown[place])
    }
}

/// A name for each function. Those that share one get a longer one, until none is shared: more of the path,
/// then all of it, the place in the source, and last a number.
pub(crate) fn told_apart<'a>(functions: impl Iterator<Item = &'a FunctionProfile>) -> Vec<String> {
    let mut forms: Vec<Forms<'_>> = functions.map(Forms::new).collect();
    loop {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, form) in forms.iter().enumerate() {
            places.entry(form.shown()).or_default().push(i);
        }
        let shared = places.into_values().filter(|same| same.len() > 1);
        let mut longer = false;
        for same in shared {
            for (twin, i) in same.into_iter().enumerate() {
                longer |= forms[i].lengthen(twin);
            }
        }
        if !longer {
            return forms.iter().map(Forms::shown).collect();
        }
    }
}

/// The forms that a function's name can take, and which of them it has.
struct Forms<'a> {
    function: &'a FunctionProfile,
    /// The parts of its path.
    parts: Vec<&'a str>,
    /// How much longer the name is than the label.
    length: usize,
    /// Its number among functions that agree in everything.
    twin: usize,
}

impl<'a> Forms<'a> {
    fn new(function: &'a FunctionProfile) -> Self {
        Self {
            function,
            parts: parts(&function.name),
            length: 0,
            twin: 0,
        }
    }

    /// Takes the next longer form; `false` if there is none.
    fn lengthen(&mut self, twin: usize) -> bool {
        if self.length >= self.parts.len() + 3 {
            return false;
        }
        self.length += 1;
        self.twin = twin;
        true
    }

    fn shown(&self) -> String {
        let FunctionProfile {
            label,
            name,
            file,
            line,
            ..
        } = self.function;
        let all = self.parts.len();
        let path = match self.length {
            0 => return label.clone(),
            length if length < all => self.last(length + 1),
            length if length == all => self.last(all),
            length if length == all + 1 => name.clone(),
            length if length == all + 2 => format!("{name} at {file}:{line}"),
            _ => format!("{name} at {file}:{line}, {}", self.twin + 1),
        };
        // A label that the user chose stays in front of what tells it apart.
        if self.parts.last() == Some(&label.as_str()) {
            path
        } else {
            format!("{label} ({path})")
        }
    }

    /// The last parts of the path, without the modules of what stands in brackets.
    fn last(&self, count: usize) -> String {
        let from = self.parts.len().saturating_sub(count);
        let last: Vec<_> = self.parts[from..].iter().map(|part| brief(part)).collect();
        last.join("::")
    }
}

/// The parts of a path; `::` within brackets parts nothing.
fn parts(path: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    let mut before = ' ';
    for (i, c) in path.char_indices() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            // Not that of an arrow.
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && before == ':' && i > from => {
                parts.push(path[from..i - 1].trim_end_matches(':'));
                from = i + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(&path[from..]);
    parts
}

/// `<demo::A<u8> as core::fmt::Display>` as `<A<u8> as Display>`.
fn brief(part: &str) -> String {
    let mut shown = String::new();
    let mut word = String::new();
    let mut rest = part.chars().peekable();
    while let Some(c) = rest.next() {
        if c == ':' && rest.peek() == Some(&':') {
            rest.next();
            word.clear();
        } else if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            shown.push_str(&word);
            word.clear();
            shown.push(c);
        }
    }
    shown + &word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use proptest::prelude::*;

    fn named(paths: &[&str]) -> Vec<String> {
        let functions: Vec<_> = paths.iter().map(|path| fixture::profile(path)).collect();
        told_apart(functions.iter())
    }

    #[test]
    fn a_name_is_as_long_as_it_takes() {
        assert_eq!(
            named(&["app::server::run", "app::db::run", "app::main"]),
            ["server::run", "db::run", "main"]
        );
        assert_eq!(
            named(&["a::x::run", "b::x::run", "c::y::run", "run"]),
            ["a::x::run", "b::x::run", "y::run", "run"]
        );
    }

    #[test]
    fn what_stands_in_brackets_is_one_part_and_shown_in_brief() {
        assert_eq!(
            named(&[
                "<demo::A<u8> as core::fmt::Display>::fmt",
                "<demo::B as core::fmt::Display>::fmt",
                "<m::A as m::Run>::run",
                "<n::A as m::Run>::run",
            ]),
            [
                "<A<u8> as Display>::fmt",
                "<B as Display>::fmt",
                "<m::A as m::Run>::run",
                "<n::A as m::Run>::run",
            ]
        );
    }

    #[test]
    fn a_label_of_the_users_stays_and_twins_have_their_place_or_a_number() {
        let mut functions = ["a::f", "b::f", "c::g", "c::g", "c::h", "c::h"].map(fixture::profile);
        functions[0].label = "work".into();
        functions[1].label = "work".into();
        functions[3].line = 9;
        assert_eq!(
            told_apart(functions.iter()),
            [
                "work (a::f)",
                "work (b::f)",
                "c::g at src/main.rs:1",
                "c::g at src/main.rs:9",
                "c::h at src/main.rs:1, 1",
                "c::h at src/main.rs:1, 2",
            ]
        );
    }

    #[test]
    fn a_function_is_found_in_its_run() {
        let mut run = fixture::nested();
        run.functions[0].name = "loader::a::load".into();
        run.functions[0].label = "load".into();
        let names = Names::of_run(&run);
        assert_eq!(names.of(&run.functions[0]), "a::load");
        assert_eq!(names.of(&run.functions[1]), "loader::load");
        assert_eq!(names.of(&run.functions[1].clone()), "load");
    }

    proptest! {
        #[test]
        fn no_two_are_the_same(paths in prop::collection::vec("(a|b|<a::b>|é|::|x->y)(::(a|b|c)){0,3}", 0..12)) {
            let paths: Vec<_> = paths.iter().map(String::as_str).collect();
            let mut shown = named(&paths);
            shown.sort();
            shown.dedup();
            prop_assert_eq!(shown.len(), paths.len());
        }
    }
}
