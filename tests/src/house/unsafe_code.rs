//! The table of unsafe code: the page names every file that has some, and says in how many places.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Safety, Signature};

use super::attributes::is_for_tests;
use super::modules::Modules;
use super::{PAGE, floors, read};

/// The section of the page.
const SECTION: &str = "## Unsafe code";

/// By file, under the workspace: in how many places it is unsafe.
type Places = BTreeMap<String, usize>;

/// Says where the table of unsafe code and the sources of the packages that have floors differ.
///
/// # Errors
/// When they do: one line for each finding.
pub fn check_unsafe_table(workspace: &Path) -> Result<(), String> {
    let page = read(&workspace.join(PAGE))?;
    let (listed, mut findings) = listed(&page);
    let found = found(workspace, &floors::packages(&page))?;
    for (file, places) in &found {
        match listed.get(file) {
            Some(said) if said == places => {}
            Some(said) => findings.push(format!(
                "{file} has {places} unsafe places, and {PAGE} says {said}: look whether its row is still right"
            )),
            None => findings.push(format!(
                "{file} has {places} unsafe places and no row under \"{SECTION}\" in {PAGE}: add one that says for \
                 what, and what checks it"
            )),
        }
    }
    let gone = listed.keys().filter(|file| !found.contains_key(*file));
    findings.extend(
        gone.map(|file| format!("{PAGE} lists {file}, which has no unsafe code: take the row out")),
    );
    match findings.is_empty() {
        true => Ok(()),
        false => Err(findings.join("\n")),
    }
}

/// The rows of the table, and what is wrong with them.
fn listed(page: &str) -> (Places, Vec<String>) {
    let (mut listed, mut faults) = (Places::new(), Vec::new());
    let section = page.lines().skip_while(|line| *line != SECTION).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    for line in section.filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, file, places, purpose, check, _] = cells[..] else {
            faults.push(format!("{PAGE}: this row has not four cells: {line}"));
            continue;
        };
        let file = file.trim_matches('`');
        let Ok(places) = places.parse() else {
            faults.push(format!(
                "{PAGE}: {places:?} in the row of {file} is no number"
            ));
            continue;
        };
        if purpose.is_empty() || check.is_empty() {
            faults.push(format!(
                "{PAGE}: the row of {file} does not say for what, or what checks it"
            ));
        }
        if listed.insert(file.to_owned(), places).is_some() {
            faults.push(format!("{PAGE}: {file} has two rows"));
        }
    }
    (listed, faults)
}

/// The files of these packages that have unsafe code outside of tests.
fn found(workspace: &Path, packages: &[String]) -> Result<Places, String> {
    let mut found = Places::new();
    for package in packages {
        let source = workspace.join(package).join("src");
        let modules = Modules::of(&source)?;
        let files: BTreeSet<_> = modules.files().collect();
        for file in files {
            let places = places(&read(&source.join(file))?)
                .map_err(|error| format!("{package}/src/{file} is not Rust: {error}"))?;
            if places > 0 {
                found.insert(format!("{package}/src/{file}"), places);
            }
        }
    }
    Ok(found)
}

/// In how many places this source is unsafe: blocks, functions, traits, `impl` and `extern`.
fn places(source: &str) -> Result<usize, syn::Error> {
    let mut counter = Counter(0);
    counter.visit_file(&syn::parse_file(source)?);
    Ok(counter.0)
}

struct Counter(usize);

impl Counter {
    fn count(&mut self, is_unsafe: bool) {
        self.0 += usize::from(is_unsafe);
    }

    /// What macros are given is not parsed. `unsafe` in there counts where something unsafe follows.
    fn count_tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.count_tokens(group.stream()),
                TokenTree::Ident(ident) if ident == "unsafe" => {
                    self.count(tokens.peek().is_some_and(is_made_unsafe));
                }
                _ => {}
            }
        }
    }
}

/// Whether `unsafe` before this is code, and not a mention of the word.
fn is_made_unsafe(next: &TokenTree) -> bool {
    match next {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Ident(ident) => ["fn", "impl", "trait", "extern"]
            .iter()
            .any(|word| ident == word),
        _ => false,
    }
}

/// Visits what has these attributes, unless it is there for tests alone; counts it if `unsafe` stands there.
macro_rules! count_unless_for_tests {
    ($($visit:ident($node:ident))*) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            if !node.attrs.iter().any(is_for_tests) {
                self.count(node.unsafety.is_some());
                visit::$visit(self, node);
            }
        })*
    };
}

/// The same for what is never unsafe by itself.
macro_rules! unless_for_tests {
    ($($visit:ident($node:ident))*) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            if !node.attrs.iter().any(is_for_tests) {
                visit::$visit(self, node);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Counter {
    count_unless_for_tests! {
        visit_item_impl(ItemImpl) visit_item_trait(ItemTrait) visit_item_foreign_mod(ItemForeignMod)
    }

    unless_for_tests! {
        visit_item_fn(ItemFn) visit_impl_item_fn(ImplItemFn) visit_trait_item_fn(TraitItemFn)
        visit_item_mod(ItemMod) visit_item_const(ItemConst) visit_item_static(ItemStatic)
        visit_item_macro(ItemMacro) visit_item_struct(ItemStruct) visit_item_enum(ItemEnum)
        visit_impl_item_const(ImplItemConst) visit_local(Local) visit_stmt_macro(StmtMacro)
        visit_expr_block(ExprBlock) visit_expr_macro(ExprMacro)
    }

    fn visit_signature(&mut self, signature: &'ast Signature) {
        self.count(matches!(signature.safety, Safety::Unsafe(_)));
        visit::visit_signature(self, signature);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        if !block.attrs.iter().any(is_for_tests) {
            self.count(true);
            visit::visit_expr_unsafe(self, block);
        }
    }

    /// `#[unsafe(no_mangle)]`.
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        self.count(attribute.path().is_ident("unsafe"));
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        self.count_tokens(invoked.tokens.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::{PAGE, check_unsafe_table, places};

    const FLOORS: &str = "## Folders\n\n### `tiny/src`\n\n| floor | holds |\n|---|---|\n| `lib.rs` | All of it. |\n\n";
    const SOUND: &str = "fn f() { unsafe { g() } }";

    /// A workspace of one package with this `lib.rs`, and a page with these rows.
    fn workspace(source: &str, rows: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let table =
            "## Unsafe code\n\n| file | places | for what | what checks it |\n|---|---|---|---|\n";
        write(
            PAGE,
            &format!("{FLOORS}{table}{rows}\n\n## More\n\n| `other.rs` | 7 | a | b |\n"),
        );
        write("tiny/src/lib.rs", source);
        folder
    }

    #[track_caller]
    fn refused(source: &str, rows: &str, expected: &str) {
        let said = check_unsafe_table(workspace(source, rows).path()).unwrap_err();
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn a_table_that_is_true_passes() {
        check_unsafe_table(workspace(SOUND, "| `tiny/src/lib.rs` | 1 | g | a test |").path())
            .unwrap();
        check_unsafe_table(workspace("fn f() {}", "").path()).unwrap();
    }

    #[test]
    fn a_planted_block_is_found() {
        refused(SOUND, "", "tiny/src/lib.rs has 1 unsafe places and no row");
        let two = "fn f() { unsafe { g() } unsafe { h() } }";
        let row = "| `tiny/src/lib.rs` | 1 | g | a test |";
        refused(
            two,
            row,
            "tiny/src/lib.rs has 2 unsafe places, and docs/how-it-works.md says 1",
        );
    }

    #[test]
    fn a_planted_row_is_found() {
        let row = "| `tiny/src/lib.rs` | 1 | g | a test |";
        refused(
            "fn f() {}",
            row,
            "lists tiny/src/lib.rs, which has no unsafe code",
        );
        let gone = format!("{row}\n| `tiny/src/gone.rs` | 1 | g | a test |");
        refused(SOUND, &gone, "lists tiny/src/gone.rs");
        refused(SOUND, &format!("{row}\n{row}"), "has two rows");
        refused(SOUND, "| `tiny/src/lib.rs` | 1 | g | |", "what checks it");
        refused(
            SOUND,
            "| `tiny/src/lib.rs` | some | g | a test |",
            "is no number",
        );
        refused(SOUND, "| `tiny/src/lib.rs` | 1 | g |", "has not four cells");
    }

    #[test]
    fn every_kind_of_unsafe_code_counts() {
        for source in [
            "unsafe fn f() {}",
            "unsafe extern \"C\" { fn f(); }",
            "unsafe trait T {}",
            "unsafe impl T for u8 {}",
            "impl S { unsafe fn f() {} }",
            "trait T { unsafe fn f(); }",
            "#[unsafe(no_mangle)] fn f() {}",
            "fn f() { assert_eq!(unsafe { g() }, [0]) }",
            "macro_rules! m { () => { unsafe { g() } } }",
            "#[cfg(not(test))] fn f() { unsafe { g() } }",
        ] {
            assert_eq!(places(source).unwrap(), 1, "{source}");
        }
    }

    #[test]
    fn tests_and_mentions_do_not_count() {
        for source in [
            "#[cfg(test)] mod tests { fn f() { unsafe { g() } } }",
            "#[test] fn f() { unsafe { g() } }",
            "#[cfg(all(test, unix))] unsafe impl T for u8 {}",
            "fn f() -> bool { input.peek(Token![unsafe]) }",
            "/// unsafe { g() }\nfn f() -> &'static str { \"unsafe { }\" }",
            "fn f(g: unsafe fn()) {}",
        ] {
            assert_eq!(places(source).unwrap(), 0, "{source}");
        }
    }
}
