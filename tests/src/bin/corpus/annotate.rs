//! Puts the attribute on every function of a source tree that can carry it.

use std::fs;
use std::path::Path;

use proc_macro2::{LineColumn, Span, TokenStream};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ImplItemFn, ItemFn, Signature, TraitItemFn, Visibility};

const ATTRIBUTE: &str = "#[::memprof::profile_memory] ";

/// Annotates every Rust file below `dir`; returns how many functions there were.
pub(crate) fn tree(dir: &Path) -> Result<usize, String> {
    let mut functions = 0;
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            functions += tree(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            functions += file(&path)?;
        }
    }
    Ok(functions)
}

/// Annotates one file. One that is not a file of items (something to be included, say) is left
/// as it is.
fn file(path: &Path) -> Result<usize, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let Ok(file) = syn::parse_file(&text) else {
        return Ok(0);
    };
    let mut finder = Finder::default();
    finder.visit_file(&file);
    let functions = finder.starts.len();
    fs::write(path, inserted(&text, finder.starts))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(functions)
}

/// The text with the attribute at all of `places`, on the lines that are there: no line moves.
fn inserted(text: &str, mut places: Vec<LineColumn>) -> String {
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
            annotated.push_str(ATTRIBUTE);
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

fn first_span(signature: &Signature) -> Span {
    let tokens: TokenStream = quote::quote!(#signature);
    tokens
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |token| token.span())
}
