//! The dependency on memprof in a `Cargo.toml`: added as lines of their own that say where they come
//! from, so that they can be taken out again.

use toml_edit::{Document, Item};

/// Ends each line that is added.
const MARK: &str = "# added by `cargo memprof annotate`";

/// The dependency that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) from: Source,
    /// Whether it is to install the counting allocator.
    pub(crate) counting: bool,
}

/// Where memprof is.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// In the registry.
    Version(String),
    /// In a folder, as it is to stand in the manifest.
    Path(String),
    /// The workspace tells.
    Workspace,
}

impl Wanted {
    /// What stands in the manifest, key by key.
    fn keys(&self) -> Vec<String> {
        let from = match &self.from {
            Source::Version(version) => format!("version = {version:?}"),
            Source::Path(path) => format!("path = {path:?}"),
            Source::Workspace => "workspace = true".to_owned(),
        };
        let counting = self
            .counting
            .then(|| "features = [\"counting\"]".to_owned());
        [from].into_iter().chain(counting).collect()
    }
}

/// The manifest with the dependency; `None` if it has it.
///
/// # Errors
/// What is wrong with the manifest, or unusual about it.
pub(crate) fn add_dependency(text: &str, wanted: &Wanted) -> Result<Option<String>, String> {
    let document = parse(text)?;
    if is_there(&document) {
        return Ok(None);
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let edited = match explicit_table(&document) {
        Some(header) => {
            let line = text[header..]
                .find('\n')
                .map_or(text.len(), |end| header + end + 1);
            if !text[..line].ends_with('\n') {
                return Err("its last line is [dependencies], without an end".to_owned());
            }
            let keys = wanted.keys().join(", ");
            format!(
                "{}memprof = {{ {keys} }} {MARK}{end}{}",
                &text[..line],
                &text[line..]
            )
        }
        None => {
            let package = package_header(text).ok_or("there is no [package] in it")?;
            let keys = wanted.keys().into_iter();
            let keys: String = keys.map(|key| format!("{key} {MARK}{end}")).collect();
            let (before, after) = text.split_at(package);
            format!("{before}[dependencies.memprof] {MARK}{end}{keys}{after}")
        }
    };
    let there = parse(&edited).map(|document| is_there(&document));
    match there {
        Ok(true) => Ok(Some(edited)),
        _ => Err("its [dependencies] are written in an unusual way".to_owned()),
    }
}

/// The manifest without what [`add_dependency`] added.
pub(crate) fn remove_dependency(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.trim_end().ends_with(MARK))
        .collect()
}

fn parse(text: &str) -> Result<Document<&str>, String> {
    Document::parse(text).map_err(|error| error.to_string().lines().collect::<Vec<_>>().join(" "))
}

fn is_there(document: &Document<&str>) -> bool {
    ["dependencies", "dev-dependencies"].iter().any(|table| {
        document
            .get(table)
            .and_then(|table| table.get("memprof"))
            .is_some_and(|item| !item.is_none())
    })
}

/// Where the header `[dependencies]` begins, if there is one.
fn explicit_table(document: &Document<&str>) -> Option<usize> {
    let table = document.get("dependencies").and_then(Item::as_table)?;
    if table.is_implicit() || table.is_dotted() {
        return None;
    }
    Some(table.span()?.start)
}

/// Where the line of `[package]` begins.
fn package_header(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let header = line.trim_start_matches('\u{feff}').trim_start();
        let word = header.strip_prefix('[').map(str::trim_start);
        if word.is_some_and(|word| {
            word.starts_with("package") && word[7..].trim_start().starts_with(']')
        }) {
            return Some(at + line.find('[').unwrap_or(0));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(counting: bool) -> Wanted {
        Wanted {
            from: Source::Version("0.1".to_owned()),
            counting,
        }
    }

    fn there_and_back(text: &str) {
        for counting in [false, true] {
            let wanted = published(counting);
            let edited = add_dependency(text, &wanted).unwrap().unwrap();
            assert_eq!(edited.contains("\"counting\""), counting, "{edited}");
            assert_eq!(remove_dependency(&edited), text);
            assert_eq!(add_dependency(&edited, &wanted), Ok(None));
        }
    }

    #[test]
    fn is_added_to_manifests_of_every_shape_and_taken_out_again() {
        for text in [
            "[package]\nname = \"a\"\n\n[dependencies]\nb = \"1\" # why\n",
            "[package]\nname = \"a\"\n[dependencies] # none\n",
            "[package]\nname = \"a\"",
            "cargo-features = []\n# about\n[package]\nname = \"a\"\n[dependencies.b]\nversion = \"1\"\n",
            "[package]\r\nname = \"a\"\r\n\r\n[dependencies]\r\n",
            "[ package ]\nname = \"a\"\n[dev-dependencies]\nb = \"1\"\n",
            "[dependencies]\nb = { version = \"1\" }\n[package]\nname = \"a\"\n",
        ] {
            there_and_back(text);
        }
    }

    #[test]
    fn a_path_and_a_workspace() {
        let text = "[package]\n[dependencies]\n";
        let added = |from, counting| {
            add_dependency(text, &Wanted { from, counting })
                .unwrap()
                .unwrap()
        };
        let path = added(Source::Path("../m".to_owned()), false);
        assert!(path.contains("memprof = { path = \"../m\" } #"), "{path}");
        let inherited = added(Source::Workspace, true);
        assert!(
            inherited.contains("memprof = { workspace = true, features = [\"counting\"] } #"),
            "{inherited}"
        );
    }

    #[test]
    fn what_cannot_be_added_is_an_error_and_no_guess() {
        for text in [
            "[workspace]\n",
            "not toml",
            "[package]\ndependencies = 1\n[dependencies",
        ] {
            assert!(add_dependency(text, &published(false)).is_err(), "{text}");
        }
    }
}
