//! The input of `block!`: a name, arguments, and the block to profile.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Error, LitStr, Result, Token, token};

use crate::args::Args;

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
