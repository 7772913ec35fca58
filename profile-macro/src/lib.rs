//! The attribute of memprof: `#[profile_memory]`, and its macro for a region, `block!`.
//!
//! Use them through the `memprof` crate, which re-exports them: what they expand to calls it.

mod args;
mod body;
mod container;
mod expand;
mod function;
mod future;
mod instrument;
mod leaving;
mod nearest;
mod parameters;
mod pattern;
mod place;
mod probe;
mod region;
mod scopes;
mod site;
mod skip;
mod source;
mod statement;
mod validate;
mod wrap;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Profiles a function: what its memory did over time, and line by line.
///
/// ```
/// use memprof::profile_memory;
///
/// #[profile_memory]
/// fn squares(n: usize) -> Vec<usize> {
///     let all: Vec<usize> = (0..n).map(|i| i * i).collect();
///     all.into_iter().filter(|square| square % 2 == 0).collect()
/// }
///
/// assert_eq!(squares(5), [0, 4, 16]);
/// ```
#[proc_macro_attribute]
pub fn profile_memory(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(args.into(), item.into()).into()
}

/// Profiles a region of a function.
#[proc_macro]
pub fn block(input: TokenStream) -> TokenStream {
    expand::block(input.into()).into()
}
