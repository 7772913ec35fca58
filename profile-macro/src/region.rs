//! The input of `block!`: a name, arguments, and the block to profile; and that of `assert_memory!`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Error, Expr, LitStr, Result, Token, token};

use crate::args::Args;
use crate::body::in_braces;

pub(crate) struct Region {
    pub(crate) name: String,
    pub(crate) args: Args,
    /// The braces around the statements.
    pub(crate) braces: Group,
}

impl Region {
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Region> {
        let name = parse_name(input)?;
        let args = Args::parse_until_braces(input)?;
        if !input.peek(token::Brace) {
            let message = "expected the block to profile: `block!(\"name\", { … })`";
            return Err(Error::new(input.span(), message));
        }
        let braces = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Region { name, args, braces })
    }

    /// The block in an input that is wrong otherwise.
    pub(crate) fn braces_of(input: TokenStream) -> Option<Group> {
        input.into_iter().find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        })
    }
}

/// What `assert_memory!` is given: an expression, and what it may take.
pub(crate) struct Assertion {
    pub(crate) args: Args,
    /// The expression, as if it were a block's.
    pub(crate) braces: Group,
}

impl Assertion {
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Assertion> {
        let example =
            "expected an expression and a limit: `assert_memory!(work(), max_peak = \"64 MiB\")`";
        let expr: Expr = input
            .parse()
            .map_err(|error| Error::new(error.span(), example))?;
        let end = input.span();
        input.parse::<Option<Token![,]>>()?;
        let args = Args::parse_until_braces(input)?;
        if args.limits.is_empty() {
            return Err(Error::new(end, example));
        }
        let span = expr.span();
        let braces = in_braces(expr.into_token_stream(), span);
        Ok(Assertion { args, braces })
    }
}

fn parse_name(input: ParseStream<'_>) -> Result<String> {
    let example = "expected a name first: `block!(\"name\", { … })`";
    let name: LitStr = input
        .parse()
        .map_err(|error: Error| Error::new(error.span(), example))?;
    if name.value().trim().is_empty() {
        return Err(Error::new(
            name.span(),
            "the name of a block must not be empty",
        ));
    }
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(name.value())
}
