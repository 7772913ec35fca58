//! Whether a pattern binds anything, which its block would then drop.

use syn::{Expr, Pat, PatIdent};

/// Whether `pat` introduces a variable. Decided by the looks of it: a lone capitalized name is
/// taken for a constant or a variant.
pub(crate) fn binds(pat: &Pat) -> bool {
    match pat {
        Pat::Ident(pat) => is_variable(pat),
        Pat::Guard(pat) => binds(&pat.pat) || condition_binds(&pat.guard),
        Pat::Or(pat) => pat.cases.iter().any(binds),
        Pat::Paren(pat) => binds(&pat.pat),
        Pat::Reference(pat) => binds(&pat.pat),
        Pat::Slice(pat) => pat.elems.iter().any(binds),
        Pat::Struct(pat) => pat.fields.iter().any(|field| binds(&field.pat)),
        Pat::Tuple(pat) => pat.elems.iter().any(binds),
        Pat::TupleStruct(pat) => pat.elems.iter().any(binds),
        Pat::Type(pat) => binds(&pat.pat),
        _ => false,
    }
}

/// Whether the condition of an `if` or `while` has a `let` that introduces a variable.
pub(crate) fn condition_binds(condition: &Expr) -> bool {
    match condition {
        Expr::Let(condition) => binds(&condition.pat),
        Expr::Binary(chain) => condition_binds(&chain.left) || condition_binds(&chain.right),
        _ => false,
    }
}

/// Whether it is a variable, and not a constant or a variant.
pub(crate) fn is_variable(pat: &PatIdent) -> bool {
    let name = pat.ident.to_string();
    let is_capitalized = name
        .trim_start_matches("r#")
        .starts_with(char::is_uppercase);
    pat.subpat.is_some() || !is_capitalized
}
