//! The check can fail: a small package with something planted in it, for each thing that is refused.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{PAGE, check};

const TABLE: &str = "\
# A page

## Folders

### `tiny/src`

| floor | holds |
|---|---|
| `lib.rs` | The facade. |
| `top/` | What is on top. |
| `left.rs`, `right.rs` | Two beside each other. |
| `ground.rs` | What all stand on. |

## Another section

| `table.rs` | That is not meant. |
";

const SOUND: [(&str, &str); 6] = [
    (
        "lib.rs",
        "mod ground; mod left; mod right; mod top;\npub use top::Top;",
    ),
    (
        "top/mod.rs",
        "mod inner;\npub use inner::Top;\nuse crate::left::left;\npub fn top() { left() }",
    ),
    (
        "top/inner.rs",
        "use crate::ground::Ground;\npub struct Top(Ground);",
    ),
    (
        "left.rs",
        "use crate::ground;\npub fn left() { ground::stand() }",
    ),
    (
        "right.rs",
        "pub fn right() -> super::ground::Ground { crate::ground::Ground }",
    ),
    ("ground.rs", "pub struct Ground;\npub fn stand() {}"),
];

/// A workspace with the sound package, and `files` in the place of its own or beside them.
fn workspace(table: &str, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), PAGE, table);
    for (name, text) in SOUND.iter().chain(files) {
        write(&folder.path().join("tiny/src"), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn with(files: &[(&str, &str)]) -> Result<(), String> {
    check(workspace(TABLE, files).path(), "tiny")
}

/// What is said of a package with `files`, which must be refused.
#[track_caller]
fn refused(files: &[(&str, &str)], expected: &[&str]) {
    let said = with(files).unwrap_err();
    for part in expected {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}

#[test]
fn a_sound_package_passes() {
    with(&[]).unwrap();
}

#[test]
fn names_of_other_packages_are_no_imports() {
    let ground = "use std::fmt::*; use quote::quote; use a::b; use b::a; pub struct Ground; pub fn stand() { Write::write_str(); quote::top(); b::c() }";
    with(&[("ground.rs", ground)]).unwrap();
}

#[test]
fn an_upward_use_is_refused() {
    let ground = "\npub struct Ground;\npub fn stand() {}\nuse crate::left::{\n    left};";
    let expected = [
        "tiny: src/ground.rs:5 imports `crate::left::left` from src/left.rs",
        "up from floor 4 (`ground.rs`) to floor 3 (`left.rs`)",
        "move what is needed to a floor below",
    ];
    refused(&[("ground.rs", ground)], &expected);
}

#[test]
fn an_upward_path_in_code_is_refused() {
    let ground = "pub struct Ground;\npub fn stand() {\n    super::left::left()\n}";
    refused(
        &[("ground.rs", ground)],
        &["src/ground.rs:3 imports `super::left::left`"],
    );
}

#[test]
fn an_upward_path_in_a_type_a_pattern_or_an_attribute_is_refused() {
    for text in [
        "pub struct Ground; fn f(_: &dyn Fn(crate::top::Top)) {}",
        "pub struct Ground; fn f(any: u8) { if let crate::top::Top = any {} }",
        "#[derive(crate::top::Top)] pub struct Ground;",
        "pub struct Ground; impl crate::top::Top for Ground {}",
        "pub struct Ground; mod inside { fn f() { super::super::top::top() } }",
    ] {
        refused(
            &[("ground.rs", text)],
            &["src/ground.rs:1 imports", "from src/top/mod.rs"],
        );
    }
}

#[test]
fn an_upward_path_inside_a_macro_is_refused() {
    for (text, path) in [
        (
            "pub struct Ground; fn f() { println!(\"{}\", [crate::top::top()]) }",
            "crate::top::top",
        ),
        (
            "pub struct Ground; macro_rules! m { () => { $crate::top::top() } }",
            "crate::top::top",
        ),
        (
            "use super::top as high; pub struct Ground; fn f() { assert!(high::top()) }",
            "high::top",
        ),
    ] {
        refused(
            &[("ground.rs", text)],
            &[&format!(
                "src/ground.rs:1 imports `{path}` from src/top/mod.rs"
            )],
        );
    }
}

#[test]
fn a_facade_hides_nothing() {
    let ground = "pub struct Ground;\nuse crate::Top;";
    let expected = [
        "`crate::Top` from src/lib.rs",
        "`crate::Top` from src/top/mod.rs",
        "`crate::Top` from src/top/inner.rs",
    ];
    refused(&[("ground.rs", ground)], &expected);
    let library = "mod ground; mod left; mod right; mod top;\npub use top::*;";
    let ground = "pub struct Ground;\nfn f() -> crate::Top {}";
    refused(
        &[("lib.rs", library), ("ground.rs", ground)],
        &expected[2..],
    );
    let ground = "pub struct Ground;\nuse crate::top::*;\nfn f() -> Top {}";
    refused(
        &[("ground.rs", ground)],
        &["ground.rs:3 imports `Top` from src/top/inner.rs"],
    );
}

#[test]
fn an_import_across_a_floor_is_refused() {
    let right = "use crate::left::left;\npub fn right() { left() }";
    refused(
        &[("right.rs", right)],
        &["leads across from floor 3 (`right.rs`) to floor 3 (`left.rs`)"],
    );
}

#[test]
fn circles_of_any_size_are_refused() {
    let files = [
        (
            "top/mod.rs",
            "mod a; mod b; mod c; mod e; mod f; mod inner;\npub use inner::Top;\npub fn top() {}",
        ),
        ("top/a.rs", "use super::b;"),
        ("top/b.rs", "use super::c;"),
        ("top/c.rs", "use super::inner;"),
        ("top/inner.rs", "\npub struct Top;\nuse super::a;"),
        ("top/e.rs", "use super::f;"),
        ("top/f.rs", "use super::e;"),
    ];
    let expected = [
        "files import each other in a circle",
        "circle of 4:",
        "src/top/inner.rs:3 imports `super::a` from src/top/a.rs",
        "circle of 2:",
        "src/top/f.rs:1 imports `super::e` from src/top/e.rs",
    ];
    refused(&files, &expected);
}

#[test]
fn what_only_tests_import_is_fine() {
    for text in [
        "pub struct Ground; pub fn stand() {} #[cfg(test)] mod tests { use crate::top::top; }",
        "pub struct Ground; pub fn stand() {} #[cfg(all(test, unix))] use crate::top::top;",
        "pub struct Ground; pub fn stand() { #[cfg(test)] let _ = crate::top::top(); }",
        "pub struct Ground; pub fn stand() {} impl Ground { #[cfg(test)] fn f() { crate::top::top() } }",
        "pub struct Ground; pub fn stand() {} #[test] fn f() { crate::top::top() }",
        "pub struct Ground { #[cfg(test)] f: crate::top::Top } pub fn stand() {}",
        "pub struct Ground; pub fn stand() { #[cfg(test)] crate::top::top(); }",
    ] {
        with(&[("ground.rs", text)]).unwrap();
    }
    let library =
        "mod ground; mod left; mod right; mod top;\n#[cfg(test)] mod fixture;\npub use top::Top;";
    let ground = "pub struct Ground; pub fn stand() {} #[cfg(not(test))] use crate::top::top;";
    with(&[("lib.rs", library), ("fixture.rs", "use crate::top::top;")]).unwrap();
    refused(&[("ground.rs", ground)], &["`crate::top::top`"]);
}

#[test]
fn files_are_found_by_their_path_attribute() {
    let library = "mod left; mod right; mod top;\n#[cfg_attr(not(unix), path = \"elsewhere.rs\")]\nmod ground;";
    let files = [
        ("lib.rs", library),
        ("elsewhere.rs", "pub struct Ground;\nuse crate::top::top;"),
    ];
    let table = TABLE.replace("| `ground.rs` |", "| `ground.rs`, `elsewhere.rs` |");
    let said = check(workspace(&table, &files).path(), "tiny").unwrap_err();
    assert!(
        said.contains("src/elsewhere.rs:2 imports `crate::top::top`"),
        "{said}"
    );
    assert!(!said.contains("across"), "{said}");
}

#[test]
fn the_table_and_the_folders_name_the_same_things() {
    let library = "mod ground; mod left; mod newcomer; mod right; mod top;";
    let files = [("lib.rs", library), ("newcomer.rs", "")];
    refused(
        &files,
        &["src/newcomer.rs stands in no row of the table in docs/how-it-works.md"],
    );
    for (table, expected) in [
        (
            TABLE.replace("`left.rs`,", "`left.rs`, `gone/`,"),
            "gives src/gone/ a floor, and there is no such thing",
        ),
        (
            TABLE.replace("`left.rs`,", "`left.rs`, `ground.rs`,"),
            "`ground.rs` stands in two rows",
        ),
        (
            TABLE.replace("What all stand on.", ""),
            "the row of ground.rs in docs/how-it-works.md does not say in a sentence",
        ),
        (
            TABLE.replace("`tiny/src`", "`other/src`"),
            "tiny: docs/how-it-works.md has no table for it",
        ),
    ] {
        let said = check(workspace(&table, &[]).path(), "tiny").unwrap_err();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_package_that_is_in_the_table_alone_is_told() {
    let table = TABLE.replace("`tiny/src`", "`missing/src`");
    let said = check(workspace(&table, &[]).path(), "missing").unwrap_err();
    assert!(
        said.contains("there is neither lib.rs nor main.rs in"),
        "{said}"
    );
}
