//! Takes a function apart without understanding more of it than needed.
//!
//! Everything before the body is passed on token by token, so that a signature in a syntax that
//! this crate has never heard of still works.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Result, Signature, Token, Visibility};

use crate::args::Args;

/// A function with a body, or without one in a trait.
pub(crate) struct Function {
    /// Attributes, visibility and signature, as they were written.
    pub(crate) head: TokenStream,
    pub(crate) attrs: Vec<Attribute>,
    /// Where the visibility or the signature begins.
    pub(crate) start: Span,
    pub(crate) constness: Option<Span>,
    pub(crate) asyncness: Option<Span>,
    pub(crate) fn_token: Span,
    pub(crate) name: Ident,
    /// The parameters and the return type, where syn knows the syntax.
    pub(crate) signature: Option<Signature>,
    /// The braces around its statements.
    pub(crate) body: Option<Group>,
}

/// What becomes of a function that is annotated; the group is its body.
pub(crate) type OfFunction = fn(&Args, &Function, &Group) -> Result<TokenStream>;

/// What the attribute was written on.
pub(crate) enum Item {
    Function(Box<Function>),
    /// Something else, which this word says.
    Other(Ident),
}

impl Item {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Item> {
        let (head, body) = split_body(tokens);
        let whole_head = head.clone();
        let parse = |input: ParseStream<'_>| parse_head(input, whole_head, body);
        parse.parse2(head)
    }
}

/// Cuts the last braces off, also where a macro has put invisible brackets around them.
fn split_body(tokens: TokenStream) -> (TokenStream, Option<Group>) {
    let mut head: Vec<_> = tokens.into_iter().collect();
    let body = head.last().and_then(braces);
    if body.is_some() {
        head.pop();
    }
    (head.into_iter().collect(), body)
}

fn braces(token: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => {
            let mut inside = group.stream().into_iter();
            let first = inside.next()?;
            if inside.next().is_none() {
                braces(&first)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn parse_head(input: ParseStream<'_>, head: TokenStream, body: Option<Group>) -> Result<Item> {
    let attrs = input.call(Attribute::parse_outer)?;
    let start = input.span();
    input.parse::<Visibility>()?;
    let signature = parse_signature(&input.fork());
    let mut constness = None;
    let mut asyncness = None;
    let fn_token = loop {
        let word = input.call(Ident::parse_any)?;
        if input.is_empty() {
            return Ok(Item::Other(word));
        }
        match word.to_string().as_str() {
            "fn" => break word.span(),
            "const" if is_qualifier(input) => constness = Some(word.span()),
            "async" => asyncness = Some(word.span()),
            "default" | "unsafe" | "safe" => {}
            "extern" if input.peek(LitStr) || input.peek(Token![fn]) => {
                input.parse::<Option<LitStr>>()?;
                if input.is_empty() {
                    return Ok(Item::Other(word));
                }
            }
            _ => {
                input.parse::<TokenStream>()?;
                return Ok(Item::Other(word));
            }
        }
    };
    let name = input.call(Ident::parse_any)?;
    input.parse::<TokenStream>()?;
    let function = Function {
        head,
        attrs,
        start,
        constness,
        asyncness,
        fn_token,
        name,
        signature,
        body,
    };
    Ok(Item::Function(Box::new(function)))
}

fn parse_signature(input: ParseStream<'_>) -> Option<Signature> {
    if input.peek(Ident::peek_any) && input.cursor().ident()?.0 == "default" {
        input.call(Ident::parse_any).ok()?;
    }
    input.parse().ok()
}

/// Whether the `const` just passed is part of a signature rather than an item of its own.
fn is_qualifier(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![unsafe])
        || input.peek(Token![async])
        || input.peek(Token![extern])
}
