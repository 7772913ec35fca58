//! What an entry of a baseline is about.

/// What an entry is about: a function in one of the package's test programs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The test program, without the hash that cargo puts behind its name. A program that has none, which
    /// is no test program but perhaps called like one, is followed by `(program)`.
    pub program: String,
    /// The function's path.
    pub function: String,
}

/// What a [`Key`] calls the program whose file has this name.
pub(super) fn program(name: &str) -> String {
    match test_program(name) {
        Some(name) => name.to_owned(),
        None => format!("{} (program)", without_ending(name)),
    }
}

/// `name` without the `-0123456789abcdef` that cargo puts behind the names of test programs; `None` if it
/// has none.
pub fn test_program(name: &str) -> Option<&str> {
    let (name, hash) = without_ending(name).rsplit_once('-')?;
    (hash.len() == 16 && hash.bytes().all(|c| c.is_ascii_hexdigit())).then_some(name)
}

fn without_ending(name: &str) -> &str {
    name.strip_suffix(".exe").unwrap_or(name)
}
