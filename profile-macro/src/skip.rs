//! `#[memprof(skip)]`: a function, or the inside of a statement, that is left alone.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::visit_mut::VisitMut;
use syn::{Attribute, Block, Ident, Item, Meta};

/// Whether `#[memprof(skip)]` is among the attributes.
pub(crate) fn is_in(attrs: &[Attribute]) -> bool {
    attrs.iter().any(is_skip)
}

/// Removes `#[memprof(skip)]`, which means nothing to the compiler.
pub(crate) fn remove(attrs: &mut Vec<Attribute>) {
    attrs.retain(|attr| !is_skip(attr));
}

/// Removes it from every statement in `block`.
pub(crate) fn remove_from(block: &mut Block) {
    Remover.visit_block_mut(block);
}

/// Removes it from tokens that may be no Rust at all: an item that is passed on with an error must
/// not give rise to a second one.
pub(crate) fn remove_from_tokens(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut kept = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct)
                if punct.as_char() == '#' && tokens.next_if(is_skip_brackets).is_some() => {}
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), remove_from_tokens(group.stream()));
                inside.set_span(group.span());
                kept.extend([TokenTree::Group(inside)]);
            }
            token => kept.extend([token]),
        }
    }
    kept
}

fn is_skip_brackets(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "memprof(skip)")
}

fn is_skip(attr: &Attribute) -> bool {
    match &attr.meta {
        Meta::List(list) if list.path.is_ident("memprof") => {
            list.parse_args::<Ident>().is_ok_and(|word| word == "skip")
        }
        _ => false,
    }
}

struct Remover;

impl VisitMut for Remover {
    fn visit_attributes_mut(&mut self, attrs: &mut Vec<Attribute>) {
        remove(attrs);
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        // A function in a function; its own statements may be for an attribute of its own.
        if let Item::Fn(function) = item {
            remove(&mut function.attrs);
        }
    }
}
