//! Puts the attribute on every function of a source tree that can carry it.

use std::path::Path;

use proc_macro2::{LineColumn, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ImplItemFn, ItemFn, Signature, TraitItemFn, Visibility};

use crate::cargo;

const ATTRIBUTE: &str = "#[::memprof::profile_memory] ";

/// Annotates every Rust file of the package in `dir` but its tests, examples, benchmarks and build
/// script; returns how many functions there were.
pub(crate) fn package(dir: &Path) -> Result<usize, String> {
    let not_the_crate = ["tests", "examples", "benches", "target", "build.rs"];
    let mut functions = 0;
    for path in cargo::entries(dir)? {
        let name = path.file_name().unwrap_or_default();
        if not_the_crate.iter().all(|other| name != *other) {
            functions += tree(&path)?;
        }
    }
    Ok(functions)
}

fn tree(path: &Path) -> Result<usize, String> {
    if path.is_dir() {
        let entries = cargo::entries(path)?;
        return entries.iter().map(|path| tree(path)).sum();
    }
    match path.extension() {
        Some(extension) if extension == "rs" => file(path),
        _ => Ok(0),
    }
}

/// Names memprof in the crate's root, which edition 2015 asks for.
pub(crate) fn declare(root: &Path) -> Result<(), String> {
    let text = cargo::read(root)?;
    let file = syn::parse_file(&text).map_err(|error| format!("{}: {error}", root.display()))?;
    let Some(item) = file.items.first() else {
        return Ok(());
    };
    let declaration = "extern crate memprof; ";
    let start = first_span(item).start();
    cargo::write(root, &inserted(&text, vec![start], declaration))
}

/// Annotates one file. One that is not a file of items (something to be included, say) is left
/// as it is.
fn file(path: &Path) -> Result<usize, String> {
    let text = cargo::read(path)?;
    let Ok(file) = syn::parse_file(&text) else {
        return Ok(0);
    };
    let mut finder = Finder::default();
    finder.visit_file(&file);
    let functions = finder.starts.len();
    cargo::write(path, &inserted(&text, finder.starts, ATTRIBUTE))?;
    Ok(functions)
}

/// The text with `insertion` at all of `places`, on the lines that are there: no line moves.
fn inserted(text: &str, mut places: Vec<LineColumn>, insertion: &str) -> String {
    places.sort_unstable();
    let mut places = places.into_iter().peekable();
    let mut annotated = String::new();
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let mut from = 0;
        while let Some(place) = places.next_if(|place| place.line == i + 1) {
            let to = line
                .char_indices()
                .nth(place.column)
                .map_or(line.len(), |(at, _)| at);
            annotated.push_str(&line[from..to]);
            annotated.push_str(insertion);
            from = to;
        }
        annotated.push_str(&line[from..]);
    }
    annotated
}

/// Where signatures begin.
#[derive(Default)]
struct Finder {
    starts: Vec<LineColumn>,
}

impl Finder {
    fn function(&mut self, before: Option<Span>, vis: &Visibility, signature: &Signature) {
        if signature.constness.is_some() {
            return;
        }
        let start = match (vis, before) {
            (Visibility::Inherited, Some(span)) => span,
            (Visibility::Inherited, None) => first_span(signature),
            (vis, _) => vis.span(),
        };
        self.starts.push(start.start());
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(None, &function.vis, &function.sig);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        let default = function.modifiers.defaultness.map(|default| default.span);
        self.function(default, &function.vis, &function.sig);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if function.default.is_some() {
            self.function(None, &Visibility::Inherited, &function.sig);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn first_span(syntax: &impl ToTokens) -> Span {
    let tokens = syntax.to_token_stream();
    tokens
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |token| token.span())
}
