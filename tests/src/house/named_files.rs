//! Pages that name files: what they name is there.

use std::path::Path;

use super::{floors, read};

/// What a name must end with to be a file of ours, if it has no slash. Reports are `.json` and `.dat`.
const ENDINGS: [&str; 3] = [".rs", ".md", ".toml"];

/// Says which files a page names in backticks that are not there: neither under the workspace, nor under
/// the `src` of a package that has floors.
///
/// # Errors
/// When there are any: one line for each.
pub fn check_named_files(workspace: &Path, page: &str) -> Result<(), String> {
    let text = read(&workspace.join(page))?;
    let packages = floors::packages(&read(&workspace.join(super::PAGE))?);
    let sources = packages.iter().map(|package| format!("{package}/src"));
    let roots: Vec<_> = sources.chain([String::new()]).collect();
    let there = |name: &str| {
        roots
            .iter()
            .any(|root| workspace.join(root).join(name).exists())
    };
    missing(page, prose(&text), named, there, "names")
}

/// Says which relative links of a page lead nowhere.
///
/// # Errors
/// When there are any: one line for each.
pub fn check_links(workspace: &Path, page: &str) -> Result<(), String> {
    let text = read(&workspace.join(page))?;
    let file = workspace.join(page);
    let folder = file.parent().unwrap_or(workspace);
    let there = |link: &str| folder.join(link).exists();
    missing(page, prose(&text), linked, there, "links to")
}

fn missing<'a>(
    page: &str,
    lines: impl Iterator<Item = (usize, &'a str)>,
    names: impl Fn(&'a str) -> Vec<&'a str>,
    is_there: impl Fn(&str) -> bool,
    does: &str,
) -> Result<(), String> {
    let mut texts = Vec::new();
    for (number, line) in lines {
        let names = names(line).into_iter().filter(|name| !is_there(name));
        texts
            .extend(names.map(|name| format!("{page}:{number} {does} {name}, which is not there")));
    }
    match texts.is_empty() {
        true => Ok(()),
        false => Err(texts.join("\n")),
    }
}

/// The lines outside of fenced blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let lines = text.lines().enumerate();
    let prose = lines.filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    prose.map(|(at, line)| (at + 1, line))
}

/// The files in a line's backticks. Of a command every word can be one.
fn named(line: &str) -> Vec<&str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let words = quoted.flat_map(str::split_whitespace);
    words.filter(|word| is_file(word)).collect()
}

fn is_file(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let ours = word.contains('/') || ENDINGS.iter().any(|ending| word.ends_with(ending));
    ours && word.chars().all(plain) && !word.starts_with('/')
}

/// The relative links in a line, without the place on the page that they lead to.
fn linked(line: &str) -> Vec<&str> {
    let inline = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let defined = line
        .starts_with('[')
        .then(|| line.split_once("]: "))
        .flatten();
    let links = inline.chain(defined.map(|(_, link)| link));
    let files = links.filter_map(|link| link.split('#').next());
    files
        .filter(|file| !file.is_empty() && !file.contains(':'))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{check_links, check_named_files, linked, named};

    #[test]
    fn paths_and_sources_are_files_and_reports_are_none() {
        for (line, files) in [
            ("`a/b.rs`, `c.rs` and `d/`", vec!["a/b.rs", "c.rs", "d/"]),
            ("`.ci/fuzz 600`, `grep x a/src`", vec![".ci/fuzz", "a/src"]),
            (
                "`/proc/self/statm`, `run.json`, `a::b`, `?`, `T/{U}`",
                vec![],
            ),
            ("a/b.rs without backticks", vec![]),
        ] {
            assert_eq!(named(line), files);
        }
    }

    #[test]
    fn links_within_a_page_or_to_the_web_are_no_files() {
        let line = "[a](b.md#c), [d](#e), [f](https://g.h/i.md)";
        assert_eq!(linked(line), ["b.md"]);
        assert_eq!(linked("[`a::b`]: ../c.rs"), ["../c.rs"]);
    }

    #[test]
    fn a_planted_name_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write("tiny/src/deep/lib.rs", "");
        let floors = "## Folders\n\n### `tiny/src`\n\n";
        write(
            "docs/how-it-works.md",
            &format!(
                "{floors}`deep/lib.rs`, `tiny/src/deep`, [x](../tiny)\n```\n`no/file.rs`\n```\n"
            ),
        );
        check_named_files(folder.path(), "docs/how-it-works.md").unwrap();
        check_links(folder.path(), "docs/how-it-works.md").unwrap();
        write(
            "docs/how-it-works.md",
            &format!("{floors}`deep/gone.rs`, `lib.rs`, [x](../gone)\n"),
        );
        let said = check_named_files(folder.path(), "docs/how-it-works.md").unwrap_err();
        assert!(
            said.contains("docs/how-it-works.md:5 names deep/gone.rs, which is not there"),
            "{said}"
        );
        assert!(said.contains("names lib.rs"), "{said}");
        let said = check_links(folder.path(), "docs/how-it-works.md").unwrap_err();
        assert!(said.contains("links to ../gone"), "{said}");
    }
}
