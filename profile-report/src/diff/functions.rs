//! Which function of the second run is which of the first.

use std::collections::HashMap;

use memprof_model::run::FunctionProfile;

use super::lines;

/// Functions of one name whose sources are less alike than this are different ones.
const ALIKE: f64 = 0.5;

/// Pairs of the functions of two runs: both, the first alone, or the second alone.
pub(super) fn pairs<'a>(
    before: &'a [FunctionProfile],
    after: &'a [FunctionProfile],
) -> Vec<(Option<&'a FunctionProfile>, Option<&'a FunctionProfile>)> {
    let mut left: Vec<Option<&FunctionProfile>> = before.iter().map(Some).collect();
    let mut right: Vec<Option<&FunctionProfile>> = after.iter().map(Some).collect();
    let mut pairs = Vec::new();
    let by_name_and_file = |f: &FunctionProfile| format!("{}\0{}", f.name, f.file);
    let by_name = |f: &FunctionProfile| f.name.clone();
    let by_last_name = |f: &FunctionProfile| last_name(&f.name).to_owned();
    let same = |_: &FunctionProfile, _: &FunctionProfile| true;
    take(&mut left, &mut right, &mut pairs, by_name_and_file, same);
    take(&mut left, &mut right, &mut pairs, by_name, same);
    take(&mut left, &mut right, &mut pairs, by_last_name, alike);
    pairs.extend(left.into_iter().flatten().map(|f| (Some(f), None)));
    pairs.extend(right.into_iter().flatten().map(|f| (None, Some(f))));
    pairs
}

/// Takes out the functions that have the same key and are the `same`, in order of their lines.
fn take<'a>(
    left: &mut [Option<&'a FunctionProfile>],
    right: &mut [Option<&'a FunctionProfile>],
    pairs: &mut Vec<(Option<&'a FunctionProfile>, Option<&'a FunctionProfile>)>,
    key: impl Fn(&FunctionProfile) -> String,
    same: impl Fn(&FunctionProfile, &FunctionProfile) -> bool,
) {
    let mut waiting: HashMap<String, Vec<usize>> = HashMap::new();
    let mut order: Vec<_> = (0..right.len()).collect();
    order.sort_by_key(|&i| right[i].map(|f| f.line));
    for i in order {
        if let Some(function) = right[i] {
            waiting.entry(key(function)).or_default().push(i);
        }
    }
    let mut order: Vec<_> = (0..left.len()).collect();
    order.sort_by_key(|&i| left[i].map(|f| f.line));
    for i in order {
        let Some(old) = left[i] else { continue };
        let Some(candidates) = waiting.get_mut(&key(old)) else {
            continue;
        };
        let found = candidates
            .iter()
            .position(|&j| right[j].is_some_and(|new| same(old, new)));
        if let Some(found) = found {
            let new = right[candidates.remove(found)].take();
            pairs.push((left[i].take(), new));
        }
    }
}

/// The function's own name, without its path: `inverse` of `demo::linear::inverse`.
fn last_name(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Whether two functions from different places are the same one, as their sources tell.
fn alike(old: &FunctionProfile, new: &FunctionProfile) -> bool {
    lines::likeness(&old.source, &new.source) >= ALIKE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn named(name: &str, file: &str, source: &str) -> FunctionProfile {
        let mut profile = fixture::profile(name);
        (profile.file, profile.source) = (file.into(), source.into());
        profile
    }

    fn names(before: &[FunctionProfile], after: &[FunctionProfile]) -> Vec<(String, String)> {
        let name = |f: Option<&FunctionProfile>| {
            f.map_or_else(String::new, |f| format!("{}@{}", f.name, f.file))
        };
        pairs(before, after)
            .into_iter()
            .map(|(a, b)| (name(a), name(b)))
            .collect()
    }

    #[test]
    fn by_name_then_by_source() {
        let body = "fn f() {\n    let a = work();\n    more(a);\n}";
        let other = "fn f() {\n    nothing();\n    at_all();\n}";
        let before = [
            named("a::f", "a.rs", body),
            named("a::gone", "a.rs", other),
            named("a::stays", "a.rs", body),
            named("a::g", "a.rs", body),
        ];
        let after = [
            named("a::stays", "moved.rs", other),
            named("b::c::f", "b.rs", body),
            named("b::g", "b.rs", other),
        ];
        assert_eq!(
            names(&before, &after),
            [
                ("a::stays@a.rs", "a::stays@moved.rs"),
                ("a::f@a.rs", "b::c::f@b.rs"),
                ("a::gone@a.rs", ""),
                ("a::g@a.rs", ""),
                ("", "b::g@b.rs"),
            ]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn several_of_one_name_are_told_apart_by_their_file() {
        let before = [named("f", "x.rs", ""), named("f", "y.rs", "")];
        let after = [named("f", "y.rs", ""), named("f", "x.rs", "")];
        let pairs = names(&before, &after);
        assert!(pairs.iter().all(|(a, b)| a == b), "{pairs:?}");
    }
}
