//! What cannot be profiled, and what to do instead.

use proc_macro2::Group;
use syn::{Attribute, Error, Ident, Meta, Result};

use crate::function::{Function, Item};

/// A function that can be profiled, and the braces of its body.
pub(crate) fn validate(item: Item) -> Result<(Function, Group)> {
    let function = match item {
        Item::Function(function) => *function,
        Item::Other(keyword) => return Err(not_a_function(&keyword)),
    };
    check_signature(&function)?;
    match function.body.clone() {
        Some(body) => Ok((function, body)),
        None => Err(Error::new(
            function.name.span(),
            "this function has no body to profile; write `#[profile_memory]` on the functions \
             that implement it",
        )),
    }
}

fn not_a_function(keyword: &Ident) -> Error {
    let found = match keyword.to_string().as_str() {
        word @ ("struct" | "union" | "trait" | "const" | "static") => format!("a {word}"),
        "enum" => "an enum".to_owned(),
        "type" => "a type alias".to_owned(),
        "impl" => "an impl block".to_owned(),
        "mod" => "a module".to_owned(),
        "extern" => "an extern block".to_owned(),
        _ => "something else".to_owned(),
    };
    let message = format!("`#[profile_memory]` goes on a function, and this is {found}");
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
    if let Some(span) = function.asyncness {
        return Err(Error::new(span, "an `async fn` cannot be profiled yet"));
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
