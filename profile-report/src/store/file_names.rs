//! Gives every function of a run a file name that is safe everywhere, bounded, and its own.

use std::collections::HashSet;

use memprof_model::run::FunctionProfile;

/// The longest name, without extension: file systems allow 255 bytes, people far fewer.
const LONGEST: usize = 80;

/// File names without extension for `functions`, in their order.
///
/// Names are distinct also where upper and lower case are the same, and stay what they are when
/// more functions are appended: repeated writes of a growing run replace the same files.
pub fn assign(functions: &[FunctionProfile]) -> Vec<String> {
    let places = functions.iter().map(|function| Place {
        name: &function.name,
        file: &function.file,
        line: function.line,
    });
    assign_places(places)
}

/// What a function's file name is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) file: &'a str,
    pub(super) line: u32,
}

/// As [`assign`].
pub(super) fn assign_places<'a>(functions: impl Iterator<Item = Place<'a>>) -> Vec<String> {
    let mut taken = HashSet::from(["index".to_owned(), "changes".to_owned()]);
    functions
        .map(|function| assign_one(function, &mut taken))
        .collect()
}

fn assign_one(function: Place<'_>, taken: &mut HashSet<String>) -> String {
    let plain = safe(function.name);
    let faithful = plain.len() <= LONGEST && function.name.is_ascii() && !is_reserved(&plain);
    if faithful && taken.insert(plain.to_ascii_lowercase()) {
        return plain;
    }
    let short = &plain[..plain.len().min(LONGEST)];
    let identity = format!("{}\0{}\0{}", function.name, function.file, function.line);
    // Two sites of one macro can agree in all of these: the salt tells them apart.
    (0u64..)
        .map(|salt| format!("{short}-{:08x}", hash(&identity, salt)))
        .find(|name| taken.insert(name.to_ascii_lowercase()))
        .unwrap_or_default()
}

/// `name` in letters, digits, `_`, and single `-` for everything else; never empty.
pub fn safe(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            shown.push(c);
        } else if !shown.ends_with('-') {
            shown.push('-');
        }
    }
    match shown.trim_matches('-') {
        "" => "function".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

/// Whether Windows takes `name` for a device, whatever its extension.
fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let numbered = |device: &str| {
        name.strip_prefix(device)
            .is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(name.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// FNV-1a, folded to 32 bits: the same on every machine and in every version, unlike std's.
fn hash(text: &str, salt: u64) -> u32 {
    let start = 0xcbf2_9ce4_8422_2325_u64 ^ salt;
    let full = text.bytes().fold(start, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    });
    (full ^ (full >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use proptest::prelude::*;

    fn names(paths: &[&str]) -> Vec<String> {
        let functions: Vec<_> = paths.iter().map(|path| fixture::profile(path)).collect();
        assign(&functions)
    }

    #[test]
    fn ordinary_paths_stay_readable() {
        assert_eq!(
            names(&[
                "demo::inverse",
                "<demo::A<u8> as core::fmt::Display>::fmt",
                "demo::f::{closure#0}"
            ]),
            [
                "demo-inverse",
                "demo-A-u8-as-core-fmt-Display-fmt",
                "demo-f-closure-0"
            ]
        );
    }

    #[test]
    fn devices_the_index_and_twins_get_names_of_their_own() {
        let given = names(&[
            "nul",
            "COM1",
            "index",
            "a::b",
            "A::B",
            "a--b",
            "größe",
            "грёзы",
            "",
        ]);
        let distinct: HashSet<_> = given.iter().map(|n| n.to_ascii_lowercase()).collect();
        assert_eq!(distinct.len(), given.len(), "{given:?}");
        assert!(
            given.iter().all(|n| !is_reserved(n) && n != "index"),
            "{given:?}"
        );
    }

    #[test]
    fn sites_that_agree_in_everything_still_differ() {
        let given = names(&["a::b"; 4]);
        assert_eq!(given.iter().collect::<HashSet<_>>().len(), 4);
    }

    proptest! {
        #[test]
        fn always_safe_distinct_and_bounded(paths in prop::collection::vec(any::<String>(), 0..20), long in "[a-z:<>]{300,400}") {
            let mut functions: Vec<_> = paths.iter().map(|path| fixture::profile(path)).collect();
            functions.push(fixture::profile(&long));
            functions.push(fixture::profile(&long));
            let given = assign(&functions);
            let distinct: HashSet<_> = given.iter().map(|n| n.to_ascii_lowercase()).collect();
            prop_assert_eq!(distinct.len(), given.len());
            for name in &given {
                prop_assert!(!name.is_empty() && name.len() <= LONGEST + 9);
                prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            }
            // Growing the run changes no name that was given before.
            let half = functions.len() / 2;
            prop_assert_eq!(&assign(&functions[..half])[..], &given[..half]);
        }
    }
}
