//! Without the feature `record` a program is what it would be without memprof: not similar, the same
//! machine code, also where it is not optimised.

use std::fs;
use std::path::Path;

use memprof_tests::user_crate::{self, UserCrate};

/// The crate without a trace of memprof, line by line and column by column: what panics says where.
fn without_memprof(source: &str) -> String {
    let plain = source
        .lines()
        .map(|line| match line.trim_start() {
            text if text.starts_with("#[profile_memory") || text == "#[memprof(skip)]" => "",
            // What is not optimised takes instances of generics from the crates that it names.
            "use memprof::profile_memory;" => "use memprof as _;",
            "});" => "    };",
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
        .replace("memprof::block!(\"squares\", {", "{")
        .replace("memprof::assert_memory!(", "{                       ")
        .replace(", max_peak = \"1 GiB\");", "};");
    let code = plain.lines().filter(|line| !line.starts_with("//"));
    assert_eq!(
        code.filter(|line| line.contains("memprof")).count(),
        1,
        "{plain}"
    );
    plain + "\n"
}

/// The assembly that `source` is compiled to, in a folder where everything else stays as it is.
fn assembly(user: &UserCrate, source: &str, level: &str) -> String {
    fs::write(user.path().join("src/lib.rs"), source).expect("written");
    let file = user.path().join("twin.s");
    let output = user
        .cargo(&["rustc", "--offline", "--quiet", "--lib", "--"])
        .args(["-Cdebuginfo=0", "-Ccodegen-units=1"])
        .arg(format!("-Copt-level={level}"))
        .arg(format!("--emit=asm={}", file.display()))
        .output()
        .expect("cargo");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}\n{source}");
    let assembly = fs::read_to_string(&file).expect("assembly");
    fs::remove_file(&file).expect("removed, so that none is read twice");
    assembly
}

/// The sections of it, each a function or a constant, in an order that is theirs. What the compiler
/// makes up from a hash of the source, or counts through the file, is left out of names.
fn sections(assembly: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for line in assembly.lines().filter(|line| !line.starts_with("\t.file")) {
        if line.starts_with("\t.section") {
            sections.push(String::new());
        }
        let section = sections.last_mut().expect("there is one");
        section.extend([&named_alike(line), "\n"]);
    }
    sections.sort_unstable();
    sections
}

/// A line with its names as they would be in another file.
fn named_alike(line: &str) -> String {
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || "_.$".contains(c);
    let words = line.split_inclusive(|c| !of_a_name(c));
    let alike = |word: &str| match word {
        _ if word.starts_with(".Lanon.") => {
            ".Lanon".to_owned() + word.trim_start_matches(of_a_name)
        }
        _ if word.starts_with(".L") || word.starts_with("GCC_except_table") => {
            word.replace(|c: char| c.is_ascii_digit(), "")
        }
        _ => without_hash(word),
    };
    words.map(alike).collect()
}

/// `…17h0123456789abcdefE` is how a mangled name ends.
fn without_hash(word: &str) -> String {
    match word.split_once("17h") {
        Some((name, hash)) if hash.get(16..17) == Some("E") => name.to_owned() + &hash[17..],
        _ => word.to_owned(),
    }
}

#[track_caller]
fn compare(options: &str, same: bool) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("callers");
    let user = UserCrate::new("twin", "2024", options, target);
    let annotated = user_crate::source("twin");
    let plain = without_memprof(&annotated);
    for level in ["0", "3"] {
        let annotated = sections(&assembly(&user, &annotated, level));
        let plain = sections(&assembly(&user, &plain, level));
        assert!(plain.concat().contains("doubled"), "{plain:?}");
        let without = |some: &[String], others: &[String]| -> Vec<String> {
            let alone = some.iter().filter(|one| !others.contains(one));
            alone.take(3).cloned().collect()
        };
        let different = [without(&annotated, &plain), without(&plain, &annotated)];
        assert_eq!(
            annotated == plain,
            same,
            "optimised at {level}: {different:#?}"
        );
    }
}

#[test]
fn the_machine_code_is_that_of_the_plain_program() {
    compare(", default-features = false", true);
}

/// What the comparison says of a program that does record.
#[test]
fn recording_is_seen_in_the_machine_code() {
    compare(", default-features = false, features = [\"record\"]", false);
}
