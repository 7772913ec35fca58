//! Every path that a file mentions: in `use`, in code, in types, in attributes, and inside macros.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::UseTree;

/// A path as it was written, and where.
#[derive(Clone)]
pub(super) struct Mention {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
}

impl Mention {
    fn new<'a>(idents: impl IntoIterator<Item = &'a Ident>) -> Option<Mention> {
        let mut idents = idents.into_iter().peekable();
        let line = idents.peek()?.span().start().line;
        let segments = idents.map(name).collect();
        Some(Mention { segments, line })
    }

    /// A path in code or in a type. One with `::` in front means another package.
    pub(super) fn in_code(path: &syn::Path) -> Option<Mention> {
        match path.leading_colon {
            Some(_) => None,
            None => Mention::new(path.segments.iter().map(|segment| &segment.ident)),
        }
    }
}

/// What a `use` brings into scope.
pub(super) enum Brought {
    /// A thing under this name; `None` is `as _`.
    Name(Option<String>, Mention),
    /// Everything in there.
    All(Mention),
}

/// Takes a `use` apart, one entry for each name.
pub(super) fn in_use(tree: &UseTree) -> Vec<Brought> {
    let mut brought = Vec::new();
    flatten(tree, &mut Vec::new(), &mut brought);
    brought
}

fn flatten<'a>(tree: &'a UseTree, before: &mut Vec<&'a Ident>, brought: &mut Vec<Brought>) {
    match tree {
        UseTree::Path(path) => {
            before.push(&path.ident);
            flatten(&path.tree, before, brought);
            before.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, brought);
            }
        }
        UseTree::Glob(_) => brought.extend(Mention::new(before.iter().copied()).map(Brought::All)),
        UseTree::Name(leaf) => brought.extend(named(before, &leaf.ident, &leaf.ident)),
        UseTree::Rename(leaf) => brought.extend(named(before, &leaf.ident, &leaf.rename)),
    }
}

fn named(before: &[&Ident], last: &Ident, new: &Ident) -> Option<Brought> {
    // `use a::{self}` brings `a`.
    let is_self = *last == "self" && !before.is_empty();
    let end = (!is_self).then_some(last);
    let new = match is_self && *new == "self" {
        true => *before.last()?,
        false => new,
    };
    let mention = Mention::new(before.iter().copied().chain(end))?;
    // The line of the name itself, as a group can be long.
    let line = last.span().start().line;
    Some(Brought::Name(
        (*new != "_").then(|| name(new)),
        Mention { line, ..mention },
    ))
}

/// The paths in the tokens of a macro or an attribute: names with `::` between them.
pub(super) fn in_tokens(tokens: TokenStream) -> Vec<Mention> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut mentions = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let TokenTree::Group(group) = &tokens[at] {
            mentions.extend(in_tokens(group.stream()));
        }
        let idents = path_at(&tokens, at);
        let continues = at >= 2 && is_colons(&tokens, at - 2);
        if idents.len() > 1 && !continues {
            mentions.extend(Mention::new(idents.iter().copied()));
        }
        // Two colons stand between two names.
        at += (3 * idents.len()).saturating_sub(2).max(1);
    }
    mentions
}

fn path_at(tokens: &[TokenTree], mut at: usize) -> Vec<&Ident> {
    let mut idents = Vec::new();
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        idents.push(ident);
        if !is_colons(tokens, at + 1) {
            break;
        }
        at += 3;
    }
    idents
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon =
        |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

fn name(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}
