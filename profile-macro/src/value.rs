//! The value of an argument: what stands behind the `=`.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Ident, Lit, LitBool, LitStr, Path, Result, Token, parse2};

use crate::size;

const SHORTEST_INTERVAL_MS: f64 = 0.1;
const LONGEST_INTERVAL_MS: f64 = 86_400_000.0;
const STEEPEST: f64 = 6.0;

/// A value not yet understood.
pub(crate) struct Value<'a> {
    arg: &'a Ident,
    tokens: TokenStream,
}

impl<'a> Value<'a> {
    pub(crate) fn parse(arg: &'a Ident, input: ParseStream<'_>) -> Result<Value<'a>> {
        let mut tokens = TokenStream::new();
        if input.parse::<Option<Token![=]>>()?.is_some() {
            while !input.is_empty() && !input.peek(Token![,]) {
                tokens.extend([input.parse::<TokenTree>()?]);
            }
        }
        Ok(Value { arg, tokens })
    }

    /// The error that tells what to write, at the value or, where there is none, at the name.
    fn expected(&self, what: impl std::fmt::Display) -> Error {
        if self.tokens.is_empty() {
            Error::new(self.arg.span(), what)
        } else {
            Error::new_spanned(&self.tokens, what)
        }
    }

    /// Milliseconds, whole or not, as nanoseconds.
    pub(crate) fn interval(&self) -> Result<u64> {
        let number = match parse2::<Lit>(self.tokens.clone()) {
            Ok(Lit::Int(number)) if number.suffix().is_empty() => number.base10_parse::<f64>().ok(),
            Ok(Lit::Float(number)) if number.suffix().is_empty() => number.base10_parse().ok(),
            _ => None,
        };
        let Some(ms) = number else {
            return Err(self.expected(
                "expected a number of milliseconds, such as `interval_ms = 10` or \
                 `interval_ms = 2.5`",
            ));
        };
        if !(SHORTEST_INTERVAL_MS..=LONGEST_INTERVAL_MS).contains(&ms) {
            return Err(self.expected(
                "`interval_ms` must be at least 0.1 (milliseconds) and at most 86400000 (a day)",
            ));
        }
        Ok(to_nanoseconds(ms))
    }

    pub(crate) fn label(&self) -> Result<LitStr> {
        match parse2::<LitStr>(self.tokens.clone()) {
            Ok(text) if !text.value().trim().is_empty() => Ok(text),
            Ok(_) => {
                Err(self.expected("`name` must not be empty; leave it out to use the function's"))
            }
            Err(_) => Err(self.expected("expected a text, such as `name = \"Matrix inversion\"`")),
        }
    }

    pub(crate) fn switch(&self) -> Result<bool> {
        match parse2::<LitBool>(self.tokens.clone()) {
            Ok(switch) => Ok(switch.value),
            Err(_) => Err(self.expected("expected `lines = false` or `lines = true`")),
        }
    }

    pub(crate) fn path(&self) -> Result<Path> {
        Path::parse_mod_style
            .parse2(self.tokens.clone())
            .map_err(|_| self.expected("expected a path, such as `crate = my_crate::memprof`"))
    }

    /// An amount of memory.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let bytes = match parse2::<Lit>(self.tokens.clone()) {
            Ok(Lit::Str(text)) => size::bytes(&text.value()),
            Ok(Lit::Int(number)) if number.suffix().is_empty() => size::bytes(&number.to_string()),
            _ => size::bytes(""),
        };
        bytes.map_err(|message| self.expected(message))
    }

    pub(crate) fn count(&self) -> Result<u64> {
        let number = match parse2::<Lit>(self.tokens.clone()) {
            Ok(Lit::Int(number)) if number.suffix().is_empty() => number.base10_parse().ok(),
            _ => None,
        };
        let example = format!("expected a whole number, such as `{} = 100`", self.arg);
        number.ok_or_else(|| self.expected(example))
    }

    /// Whether what is too much is only reported.
    pub(crate) fn warns(&self) -> Result<bool> {
        let text = parse2::<LitStr>(self.tokens.clone()).map(|text| text.value());
        match text.as_deref() {
            Ok("warn") => Ok(true),
            Ok("panic") => Ok(false),
            _ => Err(self.expected("expected `on_exceed = \"warn\"` or `on_exceed = \"panic\"`")),
        }
    }

    /// The exponent in `"n^2.1"`.
    pub(crate) fn exponent(&self) -> Result<f64> {
        let text = parse2::<LitStr>(self.tokens.clone()).map(|text| text.value());
        let text = text.unwrap_or_default();
        let exponent = match text.trim() {
            "n" => Some(1.0),
            text => text
                .strip_prefix("n^")
                .and_then(|exponent| exponent.trim().parse().ok())
                .filter(|exponent| (0.0..=STEEPEST).contains(exponent)),
        };
        exponent.ok_or_else(|| {
            self.expected("expected a power of n up to n^6, such as `max_growth = \"n^2.1\"`")
        })
    }
}

/// `= expr`, in which there may be commas between brackets of types.
pub(crate) fn expression(arg: &Ident, input: ParseStream<'_>) -> Result<Expr> {
    let example = format!("expected an expression over the arguments, such as `{arg} = n`");
    if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() {
        return Err(Error::new(arg.span(), example));
    }
    let start = input.span();
    Expr::parse_without_eager_brace(input).map_err(|_| Error::new(start, example))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between a tenth of a millisecond and a day"
)]
fn to_nanoseconds(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}
