//! What cannot be profiled, and what to do instead.

use proc_macro2::Group;
use syn::{Attribute, Error, Ident, Meta, Result};

use crate::function::Function;

/// The braces of the body of a function that can be profiled.
pub(crate) fn validate(function: &Function) -> Result<Group> {
    check_signature(function)?;
    function.body.clone().ok_or_else(|| {
        Error::new(
            function.name.span(),
            "this function has no body to profile; write `#[profile_memory]` on the functions \
             that implement it",
        )
    })
}

/// The error for an item that has no code to profile.
pub(crate) fn not_profilable(keyword: &Ident) -> Error {
    let found = match keyword.to_string().as_str() {
        word @ ("struct" | "union" | "const" | "static") => format!("a {word}"),
        "enum" => "an enum".to_owned(),
        "type" => "a type alias".to_owned(),
        "extern" => "an extern block".to_owned(),
        _ => "something else".to_owned(),
    };
    let message = format!(
        "`#[profile_memory]` goes on a function, or on an impl block, a trait or an inline module \
         with functions, and this is {found}"
    );
    Error::new(keyword.span(), message)
}

fn check_signature(function: &Function) -> Result<()> {
    if let Some(span) = function.constness {
        return Err(Error::new(
            span,
            "a `const fn` cannot be profiled, because it may run at compile time; remove `const`, \
             or write `#[profile_memory]` on the function that calls it",
        ));
    }
    if let Some(again) = function.attrs.iter().find(|attr| is_ours(attr)) {
        return Err(Error::new_spanned(
            again,
            "`#[profile_memory]` is given twice; remove one of the two",
        ));
    }
    if let Some(naked) = function.attrs.iter().find(|attr| is_naked(attr)) {
        return Err(Error::new_spanned(
            naked,
            "a naked function cannot be profiled, because its body must be one block of assembly; \
             write `#[profile_memory]` on the function that calls it",
        ));
    }
    Ok(())
}

/// Whether it is `#[profile_memory]` itself, by whatever path.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    let name = attr.path().segments.last();
    name.is_some_and(|name| name.ident == "profile_memory")
}

/// `#[naked]` or `#[unsafe(naked)]`.
fn is_naked(attr: &Attribute) -> bool {
    match &attr.meta {
        Meta::Path(path) => path.is_ident("naked"),
        Meta::List(list) => {
            list.path.is_ident("unsafe")
                && list
                    .parse_args::<Ident>()
                    .is_ok_and(|inside| inside == "naked")
        }
        Meta::NameValue(_) => false,
    }
}
