//! `annotate` and `strip` on packages as they were published.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Bench, stderr, stdout};

/// Published crates that this workspace is built with: cargo has unpacked them.
const CRATES: [&str; 4] = ["either", "itoa", "semver", "serde_json"];

/// Every file below `folder` with what it holds.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(path).expect("a file"));
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for (path, contents) in files(from) {
        let path = to.join(path.strip_prefix(from).expect("inside"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, contents).expect("written");
    }
}

/// The folders in which cargo has unpacked [`CRATES`].
fn published() -> Vec<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            // What other platforms need need not be here.
            "--filter-platform",
            &host(),
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo starts");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let named = packages
        .iter()
        .filter(|package| CRATES.contains(&package["name"].as_str().unwrap_or_default()));
    let folders = named.map(|package| {
        let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
        manifest.parent().expect("a folder").to_path_buf()
    });
    folders.collect()
}

/// The platform that rustc compiles for if nothing else is said.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output();
    let text = stdout(&output.expect("rustc starts"));
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("a host").to_owned()
}

#[test]
fn what_annotate_did_strip_undoes_byte_for_byte() {
    let published = published();
    assert!(published.len() >= 3, "{published:?}");
    for folder in published {
        let bench = Bench::new();
        copy(&folder, bench.path());
        let before = files(bench.path());
        let patch = bench.prints(&[
            "annotate",
            "*",
            "--all-targets",
            "--memprof",
            ".",
            "--dry-run",
        ]);
        assert!(
            patch.contains("+++ b/") && patch.contains("+#[memprof::profile_memory]")
                || patch.contains("+    #[memprof")
        );
        assert!(
            patch.lines().all(|line| !line.starts_with('-')
                || line.starts_with("---")
                || line.contains("fn ")),
            "{patch}"
        );
        let lock = bench.path().join("Cargo.lock");
        assert!(
            files(bench.path())
                .into_iter()
                .filter(|(path, _)| *path != lock)
                .eq(before.clone().into_iter().filter(|(path, _)| *path != lock)),
            "--dry-run changes nothing"
        );
        let output = bench.memprof(&["annotate", "*", "--all-targets", "--memprof", "."]);
        assert!(output.status.success(), "{}", stderr(&output));
        let after = files(bench.path());
        let changed = before
            .iter()
            .filter(|(path, contents)| after[*path] != **contents);
        assert!(changed.clone().count() > 2, "{}", folder.display());
        let manifest =
            String::from_utf8_lossy(&after[&bench.path().join("Cargo.toml")]).into_owned();
        assert!(manifest.contains("memprof"));
        assert!(
            stdout(&bench.memprof(&["strip", "--dry-run"])).contains("-"),
            "a patch"
        );
        bench.prints(&["strip"]);
        for (path, contents) in &before {
            assert!(
                fs::read(path).expect("still there") == *contents,
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn modules_patterns_and_refusals() {
    let bench = Bench::new();
    let write = |path: &str, text: &str| {
        let path = bench.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    write(
        "Cargo.toml",
        "[package]\nname = \"a-b\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n",
    );
    write(
        "src/main.rs",
        "mod parse;\n#[path = \"other.rs\"]\nmod named;\nfn main() {}\n",
    );
    write(
        "src/parse.rs",
        "pub mod words;\npub fn parse() {}\npub const fn size() -> usize { 1 }\n",
    );
    write(
        "src/parse/words.rs",
        "pub struct Words;\nimpl Words {\n    pub fn next(&mut self) {}\n}\n",
    );
    write("src/other.rs", "pub fn other() {}\n");
    write("src/unused.rs", "pub fn unused() {}\n");
    let output = bench.memprof(&["annotate", "a_b::parse", "named::*", "--memprof", "."]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("left out a_b::parse::size: a const fn")
            && said.contains("3 functions annotated"),
        "{said}"
    );
    let read = |path: &str| fs::read_to_string(bench.path().join(path)).expect("read");
    assert_eq!(
        read("src/parse/words.rs")
            .matches("    #[memprof::profile_memory]\n    pub fn next")
            .count(),
        1
    );
    assert!(read("src/other.rs").starts_with("#[memprof::profile_memory]\npub fn other"));
    assert!(!read("src/main.rs").contains("memprof") && !read("src/unused.rs").contains("memprof"));
    let manifest = read("Cargo.toml");
    let (_, dependency) = manifest.split_once("\nmemprof = { path = ").expect("added");
    assert!(
        dependency.contains(", features = [\"counting\"] } #"),
        "a program's heap is counted: {manifest}"
    );
    let said = bench.complains(&["annotate", "nothing"]);
    assert!(
        said.contains("no function") && said.lines().count() == 1,
        "{said}"
    );
    let said = bench.complains(&["annotate", "parse", "-p", "other"]);
    assert!(said.contains("no package other"), "{said}");
    assert!(
        Bench::new()
            .complains(&["annotate", "x"])
            .contains("find the package")
    );
}

/// A library leaves the choice to programs, and a program that has made it keeps its own.
#[test]
fn an_allocator_is_installed_only_where_nobody_else_has_a_say() {
    for (file, text, counting, remark) in [
        ("src/main.rs", "fn main() {}\n", true, false),
        ("src/lib.rs", "pub fn main() {}\n", false, false),
        (
            "src/main.rs",
            "#[global_allocator]\nstatic MINE: std::alloc::System = std::alloc::System;\nfn main() {}\n",
            false,
            true,
        ),
    ] {
        let bench = Bench::new();
        fs::create_dir(bench.path().join("src")).expect("made");
        fs::write(bench.path().join(file), text).expect("written");
        let manifest = bench.path().join("Cargo.toml");
        let before = "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        fs::write(&manifest, before).expect("written");
        let output = bench.memprof(&["annotate", "main", "--memprof", "."]);
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        let after = fs::read_to_string(&manifest).expect("read");
        assert_eq!(
            after.contains("features = [\"counting\"]"),
            counting,
            "{after}"
        );
        let told =
            "main.rs installs an allocator; put memprof::CountingAllocator::new(…) around it";
        assert_eq!(said.contains(told), remark, "{said}");
        bench.prints(&["strip"]);
        assert_eq!(fs::read_to_string(&manifest).expect("read"), before);
    }
}

/// A registry that has no memprof, which cargo is told to look into.
fn without_memprof(bench: &Bench) {
    let config = bench.path().join(".cargo");
    fs::create_dir_all(bench.path().join("registry")).expect("made");
    fs::create_dir_all(&config).expect("made");
    let text =
        "[source.crates-io]\nreplace-with = \"none\"\n[source.none]\ndirectory = \"registry\"\n";
    fs::write(config.join("config.toml"), text).expect("written");
}

#[test]
fn what_the_registry_does_not_have_is_told_before_anything_is_changed_and_repaired_by_a_folder() {
    let bench = Bench::new();
    without_memprof(&bench);
    let manifest = bench.path().join("Cargo.toml");
    let plain =
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n";
    fs::create_dir(bench.path().join("src")).expect("made");
    let source = bench.path().join("src/lib.rs");
    fs::write(&source, "pub fn work() {}\n").expect("written");
    fs::write(&manifest, plain).expect("written");
    let said = bench.complains(&["annotate", "work"]);
    assert!(
        said.contains("cannot add memprof@") && said.contains("--memprof names"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&manifest).expect("read"), plain);
    assert_eq!(
        fs::read_to_string(&source).expect("read"),
        "pub fn work() {}\n"
    );
    // As if an earlier version had added it all the same.
    let wrong =
        plain.to_owned() + "memprof = { version = \"9\" } # added by `cargo memprof annotate`\n";
    fs::write(&manifest, wrong).expect("written");
    assert!(
        bench
            .memprof(&["annotate", "work", "--memprof", "."])
            .status
            .success()
    );
    let repaired = fs::read_to_string(&manifest).expect("read");
    assert!(
        repaired.contains("memprof = { path = ") && !repaired.contains("\"9\""),
        "{repaired}"
    );
    bench.prints(&["strip"]);
    assert_eq!(fs::read_to_string(&manifest).expect("read"), plain);
}
