//! The arguments of the attribute and of `block!`.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, Lit, LitBool, LitStr, Path, Result, Token, parse_quote, parse2, token};

use crate::nearest::nearest;

const DEFAULT_INTERVAL_NS: u64 = 10_000_000;
const SHORTEST_INTERVAL_MS: f64 = 0.1;
const LONGEST_INTERVAL_MS: f64 = 86_400_000.0;

/// What was asked for, defaults filled in.
pub(crate) struct Args {
    pub(crate) interval_ns: u64,
    pub(crate) name: Option<LitStr>,
    pub(crate) lines: bool,
    pub(crate) krate: Path,
}

impl Args {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Args> {
        Args::parse_until_braces.parse2(tokens)
    }

    /// `name = value, …` to the end of the input, or to the block that `block!` ends in.
    pub(crate) fn parse_until_braces(input: ParseStream<'_>) -> Result<Args> {
        let mut given = Given::default();
        while !input.is_empty() && !input.peek(token::Brace) {
            given.parse_one(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Args {
            interval_ns: given.interval_ns.unwrap_or(DEFAULT_INTERVAL_NS),
            name: given.name,
            lines: given.lines.unwrap_or(true),
            krate: given.krate.unwrap_or_else(|| parse_quote!(::memprof)),
        })
    }
}

/// The arguments seen so far.
#[derive(Default)]
struct Given {
    interval_ns: Option<u64>,
    name: Option<LitStr>,
    lines: Option<bool>,
    krate: Option<Path>,
}

impl Given {
    fn parse_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        let arg = input.call(Ident::parse_any).map_err(|error| {
            Error::new(
                error.span(),
                "expected an argument, such as `interval_ms = 10`",
            )
        })?;
        match arg.to_string().as_str() {
            "interval_ms" => set(
                &mut self.interval_ns,
                &arg,
                interval(Value::parse(&arg, input)?)?,
            ),
            "name" => set(&mut self.name, &arg, label(Value::parse(&arg, input)?)?),
            "lines" => set(&mut self.lines, &arg, switch(Value::parse(&arg, input)?)?),
            "crate" => set(&mut self.krate, &arg, path(Value::parse(&arg, input)?)?),
            _ => Err(unknown(&arg)),
        }
    }
}

fn set<T>(slot: &mut Option<T>, arg: &Ident, value: T) -> Result<()> {
    if slot.is_some() {
        return Err(Error::new(
            arg.span(),
            format!("`{arg}` is given twice; remove one of the two"),
        ));
    }
    *slot = Some(value);
    Ok(())
}

fn unknown(arg: &Ident) -> Error {
    let known = ["interval_ms", "name", "lines", "crate"];
    let message = match nearest(&arg.to_string(), &known) {
        Some(meant) => format!("unknown argument `{arg}`; did you mean `{meant}`?"),
        None => format!(
            "unknown argument `{arg}`; there are `interval_ms = 10`, `name = \"…\"`, \
             `lines = false` and `crate = path`"
        ),
    };
    Error::new(arg.span(), message)
}

/// What stands behind the `=`, not yet understood.
struct Value<'a> {
    arg: &'a Ident,
    tokens: TokenStream,
}

impl<'a> Value<'a> {
    fn parse(arg: &'a Ident, input: ParseStream<'_>) -> Result<Value<'a>> {
        let mut tokens = TokenStream::new();
        if input.parse::<Option<Token![=]>>()?.is_some() {
            while !input.is_empty() && !input.peek(Token![,]) {
                tokens.extend([input.parse::<TokenTree>()?]);
            }
        }
        Ok(Value { arg, tokens })
    }

    /// The error that tells what to write, at the value or, where there is none, at the name.
    fn expected(&self, what: &str) -> Error {
        if self.tokens.is_empty() {
            Error::new(self.arg.span(), what)
        } else {
            Error::new_spanned(&self.tokens, what)
        }
    }
}

/// Milliseconds, whole or not, as nanoseconds.
fn interval(value: Value<'_>) -> Result<u64> {
    let number = match parse2::<Lit>(value.tokens.clone()) {
        Ok(Lit::Int(number)) if number.suffix().is_empty() => number.base10_parse::<f64>().ok(),
        Ok(Lit::Float(number)) if number.suffix().is_empty() => number.base10_parse().ok(),
        _ => None,
    };
    let Some(ms) = number else {
        return Err(value.expected(
            "expected a number of milliseconds, such as `interval_ms = 10` or `interval_ms = 2.5`",
        ));
    };
    if !(SHORTEST_INTERVAL_MS..=LONGEST_INTERVAL_MS).contains(&ms) {
        return Err(value.expected(
            "`interval_ms` must be at least 0.1 (milliseconds) and at most 86400000 (a day)",
        ));
    }
    Ok(to_nanoseconds(ms))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between a tenth of a millisecond and a day"
)]
fn to_nanoseconds(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}

fn label(value: Value<'_>) -> Result<LitStr> {
    match parse2::<LitStr>(value.tokens.clone()) {
        Ok(text) if !text.value().trim().is_empty() => Ok(text),
        Ok(_) => {
            Err(value.expected("`name` must not be empty; leave it out to use the function's"))
        }
        Err(_) => Err(value.expected("expected a text, such as `name = \"Matrix inversion\"`")),
    }
}

fn switch(value: Value<'_>) -> Result<bool> {
    match parse2::<LitBool>(value.tokens.clone()) {
        Ok(switch) => Ok(switch.value),
        Err(_) => Err(value.expected("expected `lines = false` or `lines = true`")),
    }
}

fn path(value: Value<'_>) -> Result<Path> {
    Path::parse_mod_style
        .parse2(value.tokens.clone())
        .map_err(|_| value.expected("expected a path, such as `crate = my_crate::memprof`"))
}
