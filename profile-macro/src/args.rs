//! The arguments of the attribute, of `block!` and of `assert_memory!`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Ident, LitStr, Path, Result, Token, parse_quote, token};

use crate::limits::Limits;
use crate::nearest::nearest;
use crate::value::{Value, expression};

const DEFAULT_INTERVAL_NS: u64 = 10_000_000;

/// All there are.
const KNOWN: [&str; 13] = [
    "interval_ms",
    "name",
    "lines",
    "crate",
    "max_peak",
    "max_net",
    "max_heap_peak",
    "max_leak",
    "max_allocated",
    "max_allocations",
    "on_exceed",
    "by",
    "max_growth",
];

/// What was asked for, defaults filled in.
pub(crate) struct Args {
    pub(crate) interval_ns: u64,
    pub(crate) name: Option<LitStr>,
    pub(crate) lines: bool,
    pub(crate) krate: Path,
    pub(crate) limits: Limits,
    /// The size that a call's figures depend on.
    pub(crate) by: Option<Expr>,
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
        given.check()?;
        Ok(Args {
            interval_ns: given.interval_ns.unwrap_or(DEFAULT_INTERVAL_NS),
            name: given.name,
            lines: given.lines.unwrap_or(true),
            krate: given.krate.unwrap_or_else(|| parse_quote!(::memprof)),
            limits: given.limits,
            by: given.by,
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
    limits: Limits,
    on_exceed: Option<Ident>,
    by: Option<Expr>,
    max_growth: Option<Ident>,
}

impl Given {
    fn parse_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        let arg = input.call(Ident::parse_any).map_err(|error| {
            Error::new(
                error.span(),
                "expected an argument, such as `interval_ms = 10`",
            )
        })?;
        if arg == "by" {
            return set(&mut self.by, &arg, expression(&arg, input)?);
        }
        let name = arg.to_string();
        if !KNOWN.contains(&name.as_str()) {
            return Err(unknown(&arg));
        }
        let value = Value::parse(&arg, input)?;
        let limits = &mut self.limits;
        match name.as_str() {
            "interval_ms" => set(&mut self.interval_ns, &arg, value.interval()?),
            "name" => set(&mut self.name, &arg, value.label()?),
            "lines" => set(&mut self.lines, &arg, value.switch()?),
            "crate" => set(&mut self.krate, &arg, value.path()?),
            "max_allocations" => set(&mut limits.allocations, &arg, value.count()?),
            "max_growth" => {
                set(&mut limits.growth, &arg, value.exponent()?)?;
                self.max_growth = Some(arg);
                Ok(())
            }
            "on_exceed" => {
                limits.warn = value.warns()?;
                set(&mut self.on_exceed, &arg.clone(), arg)
            }
            _ => set(limits.bytes(&name), &arg, value.bytes()?),
        }
    }

    /// That nothing is asked for that needs something else.
    fn check(&self) -> Result<()> {
        if let (Some(arg), None) = (&self.max_growth, &self.by) {
            let message = "`max_growth` needs to know the size of the input: add `by = n`, with an \
                           expression over the arguments";
            return Err(Error::new(arg.span(), message));
        }
        if let (Some(arg), true) = (&self.on_exceed, self.limits.is_empty()) {
            let message = "there is no limit to exceed: add one, such as `max_peak = \"64 MiB\"`";
            return Err(Error::new(arg.span(), message));
        }
        Ok(())
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
    let message = match nearest(&arg.to_string(), &KNOWN) {
        Some(meant) => format!("unknown argument `{arg}`; did you mean `{meant}`?"),
        None => format!(
            "unknown argument `{arg}`; there are `interval_ms = 10`, `name = \"…\"`, \
             `lines = false`, `crate = path`, `by = n`, and limits such as `max_peak = \"64 MiB\"`"
        ),
    };
    Error::new(arg.span(), message)
}
