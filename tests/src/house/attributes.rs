//! What attributes say about where code is, and whether it is there for tests alone.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, MetaList, Token};

/// Whether what has this attribute is compiled for tests alone: `#[test]`, `#[cfg(test)]`, and `all` with it.
pub(super) fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => inside(list).iter().any(needs_test),
        _ => false,
    }
}

/// Whether a condition of `cfg` holds in tests alone.
fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => inside(list).iter().any(needs_test),
        Meta::List(list) if list.path.is_ident("any") => inside(list).iter().all(needs_test),
        _ => false,
    }
}

/// The files that `#[path = "…"]` names, also inside of `cfg_attr`.
pub(super) fn paths(attribute: &Attribute) -> Vec<String> {
    paths_in(&attribute.meta)
}

fn paths_in(meta: &Meta) -> Vec<String> {
    match meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => {
            text(&pair.value).into_iter().collect()
        }
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            inside(list).iter().flat_map(paths_in).collect()
        }
        _ => Vec::new(),
    }
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// What stands between the brackets; nothing if it is no list of attributes.
fn inside(list: &MetaList) -> Vec<Meta> {
    let parsed = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    parsed.into_iter().flatten().collect()
}
