//! The attribute on an `impl`, a trait or an inline module: it goes to every function in there.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Error, Ident, ImplItem, Item, Result, TraitItem, parse2};

use crate::args::Args;
use crate::function::{self, OfFunction};
use crate::skip;
use crate::validate::{is_ours, validate};

/// Whether an item that begins with this word has functions in it.
pub(crate) fn is_one(keyword: &Ident) -> bool {
    keyword == "impl" || keyword == "trait" || keyword == "mod"
}

/// The item with `each` done to its functions.
pub(crate) fn expand(
    each: OfFunction,
    args: &Args,
    tokens: TokenStream,
    keyword: &Ident,
) -> Result<TokenStream> {
    if let Some(name) = &args.name {
        return Err(Error::new(
            name.span(),
            "`name` is the label of one function; leave it out here, or write \
             `#[profile_memory(name = \"…\")]` on the function",
        ));
    }
    if let Some(by) = &args.by {
        return Err(Error::new_spanned(
            by,
            "`by` is an expression over the arguments of one function; leave it out here, or write \
             `#[profile_memory(by = …)]` on the function",
        ));
    }
    let mut item: Item = parse2(tokens)?;
    if matches!(&item, Item::Mod(module) if module.content.is_none()) {
        return Err(Error::new(
            keyword.span(),
            "a module in another file cannot be profiled from here; write `#[profile_memory]` on \
             the items in that file",
        ));
    }
    Container { each, args }.in_item(&mut item)?;
    Ok(item.into_token_stream())
}

/// What is done to the functions of a container.
struct Container<'a> {
    each: OfFunction,
    args: &'a Args,
}

impl Container<'_> {
    fn in_item(&self, item: &mut Item) -> Result<()> {
        let attrs = match item {
            Item::Fn(item) => &mut item.attrs,
            Item::Impl(item) => &mut item.attrs,
            Item::Trait(item) => &mut item.attrs,
            Item::Mod(item) => &mut item.attrs,
            _ => return Ok(()),
        };
        if !is_wanted(attrs) {
            return Ok(());
        }
        match item {
            Item::Fn(function) => {
                if let Some(tokens) = self.profiled(function)? {
                    *item = Item::Verbatim(tokens);
                }
                Ok(())
            }
            Item::Impl(block) => each(&mut block.items, |item| self.in_impl(item)),
            Item::Trait(block) => each(&mut block.items, |item| self.in_trait(item)),
            Item::Mod(module) => match &mut module.content {
                Some((_, items)) => each(items, |item| self.in_item(item)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn in_impl(&self, item: &mut ImplItem) -> Result<()> {
        if let ImplItem::Fn(function) = item
            && is_wanted(&mut function.attrs)
            && let Some(tokens) = self.profiled(function)?
        {
            *item = ImplItem::Verbatim(tokens);
        }
        Ok(())
    }

    fn in_trait(&self, item: &mut TraitItem) -> Result<()> {
        if let TraitItem::Fn(function) = item
            && is_wanted(&mut function.attrs)
            && let Some(tokens) = self.profiled(function)?
        {
            *item = TraitItem::Verbatim(tokens);
        }
        Ok(())
    }

    /// The function, profiled, unless it is one that cannot be.
    fn profiled(&self, function: &impl ToTokens) -> Result<Option<TokenStream>> {
        let function::Item::Function(parts) = function::Item::parse(function.to_token_stream())?
        else {
            return Ok(None);
        };
        match validate(&parts) {
            Ok(body) => (self.each)(self.args, &parts, &body).map(Some),
            Err(_) => Ok(None),
        }
    }
}

fn each<T>(items: &mut [T], work: impl FnMut(&mut T) -> Result<()>) -> Result<()> {
    items.iter_mut().try_for_each(work)
}

/// Whether an item is to be profiled: it does not say `#[memprof(skip)]`, which is removed, and
/// has no attribute of its own with arguments of its own.
fn is_wanted(attrs: &mut Vec<Attribute>) -> bool {
    let skipped = skip::is_in(attrs);
    skip::remove(attrs);
    !skipped && !attrs.iter().any(is_ours)
}
