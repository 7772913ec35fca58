//! Annotating and stripping: on sources made for it, and on other people's crates.

use std::path::{Path, PathBuf};

use super::{annotate, strip};

const SOURCE: &str = r#"//! Docs.
use a::b;

/// Says what it does.
#[inline]
#[must_use]
pub(crate) fn first<'a>(x: &'a str) -> &'a str { fn inner() {} inner(); x }

const fn constant() -> u8 { 1 }
extern "C" { fn elsewhere(); }
impl<T: Clone> Deref for Cache<T> {
	fn tabs(&self) {} fn second_on_the_line(&self) {}
    /** Block docs. */ unsafe extern "C" fn raw() {}
    const fn also_constant() {}
    default async fn r#match() {}
}
trait Shape { fn area(&self) -> f64; fn twice(&self) -> f64 { 2.0 * self.area() } }
mod inside {
    #[memprof(skip)]
    fn skipped() {}
    #[profile_memory(name = "x")]
    fn has_it() {}
    #[cfg_attr(feature = "memprof", memprof::profile_memory)]
    fn has_it_by_feature() {}
    #[unsafe(naked)]
    extern "C" fn naked() {}
}
#[memprof::profile_memory]
impl All { fn around(&self) { fn not_reached() {} } }
macro_rules! m { () => { fn unseen() {} } }
"#;

fn annotated(text: &str, pattern: &str) -> (String, Vec<String>, Vec<String>) {
    let (after, found) = annotate(text, "c", |path| path.contains(pattern)).unwrap();
    let paths = |free: bool| {
        let wanted = found
            .iter()
            .filter(move |function| function.refused.is_none() == free);
        wanted.map(|function| function.path.clone()).collect()
    };
    (after, paths(true), paths(false))
}

#[test]
fn functions_that_can_carry_it_get_it_above_their_attributes() {
    let (after, free, refused) = annotated(SOURCE, "");
    assert_eq!(
        free,
        [
            "c::first",
            "c::first::inner",
            "c::Cache::tabs",
            "c::Cache::second_on_the_line",
            "c::Cache::raw",
            "c::Cache::match",
            "c::Shape::twice",
            "c::All::around::not_reached",
        ]
    );
    assert_eq!(
        refused,
        [
            "c::constant",
            "c::Cache::also_constant",
            "c::inside::skipped",
            "c::inside::has_it",
            "c::inside::has_it_by_feature",
            "c::inside::naked",
            "c::All::around",
        ]
    );
    for expected in [
        "/// Says what it does.\n#[memprof::profile_memory]\n#[inline]\n#[must_use]\npub(crate) fn first",
        "{ #[memprof::profile_memory] fn inner() {} inner(); x }",
        "\n\t#[memprof::profile_memory]\n\tfn tabs(&self) {} #[memprof::profile_memory] fn second",
        "    /** Block docs. */ #[memprof::profile_memory] unsafe extern \"C\" fn raw",
        "\n    #[memprof::profile_memory]\n    default async fn r#match",
    ] {
        assert!(after.contains(expected), "{expected}\n{after}");
    }
    assert!(syn::parse_file(&after).is_ok());
    assert_eq!(annotated(&after, "").0, after, "once is enough");
}

#[test]
fn a_pattern_chooses() {
    let (after, free, _) = annotated(SOURCE, "Cache::t");
    assert_eq!(free, ["c::Cache::tabs"]);
    assert_eq!(
        after.len(),
        SOURCE.len() + "#[memprof::profile_memory]\n\t".len()
    );
}

#[test]
fn strip_takes_off_what_people_wrote_and_leaves_what_is_not_ours() {
    let written = "#[memprof::profile_memory(interval_ms = 1)] // why\nfn a() {\n    #[memprof(skip)]\n    \
        for _ in 0..3 {}\n}\n\n  #[profile_memory]  \nfn b() {}\n#[other::profile_memory]\nfn c() {}\n\
        #[cfg_attr(feature = \"memprof\", memprof::profile_memory)]\nfn d() {}\n";
    let left = "// why\nfn a() {\n    for _ in 0..3 {}\n}\n\n   \nfn b() {}\n#[other::profile_memory]\nfn c() {}\n\
        #[cfg_attr(feature = \"memprof\", memprof::profile_memory)]\nfn d() {}\n";
    assert_eq!(strip(written).unwrap(), left);
}

#[test]
fn other_ends_of_lines_marks_and_first_lines_survive() {
    for text in [
        "\u{feff}fn a() {}\r\n\r\n    pub fn b() {}\r\n",
        "#!/usr/bin/env run\nfn a() {}",
        "#![allow(x)] fn a() {}",
        "fn ä() { let größe = \"😀\"; fn b() {} }\n",
        "#!\nfn a() {}",
    ] {
        let (after, free, _) = annotated(text, "");
        assert!(
            !free.is_empty() && after.contains("#[memprof::profile_memory]"),
            "{after}"
        );
        assert_eq!(strip(&after).unwrap(), text);
        assert!(!after.contains("\r\n") || !after.replace("\r\n", "").contains('\n'));
    }
}

/// Crates of several styles that this one is built with: cargo has unpacked them.
const CRATES: [&str; 8] = [
    "anstream",
    "clap_builder",
    "comfy-table",
    "itoa",
    "semver",
    "serde_json",
    "similar",
    "tempfile",
];

/// Every file of these crates.
fn dependencies() -> Vec<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(vec![
            "--offline".to_owned(),
            // What other platforms need need not be here.
            format!("--filter-platform={}", host()),
        ])
        .exec()
        .unwrap();
    let mut files = Vec::new();
    for package in metadata.packages {
        if CRATES.contains(&package.name.as_str()) {
            collect(
                package.manifest_path.parent().unwrap().as_std_path(),
                &mut files,
            );
        }
    }
    files
}

/// The platform that rustc compiles for if nothing else is said.
fn host() -> String {
    let output = std::process::Command::new("rustc").arg("-vV").output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_owned()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_file_of_other_peoples_crates_comes_back_byte_for_byte() {
    let (mut files, mut functions) = (0, 0);
    for path in dependencies() {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let Some((after, found)) = annotate(&text, "c", |_| true) else {
            continue;
        };
        files += 1;
        functions += found
            .iter()
            .filter(|function| function.refused.is_none())
            .count();
        assert!(syn::parse_file(&after).is_ok(), "{}", path.display());
        assert_eq!(
            strip(&after).as_deref(),
            Some(text.as_str()),
            "{}",
            path.display()
        );
    }
    println!("{functions} functions in {files} files");
    assert!(functions > 1_500, "{functions} functions in {files} files");
}
