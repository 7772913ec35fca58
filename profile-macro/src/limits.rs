//! Limits on what a call may take: the arguments `max_…`, and the runtime's value of them.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;
use syn::Path;

/// Limits as they were given.
#[derive(Default)]
pub(crate) struct Limits {
    peak: Option<u64>,
    net: Option<u64>,
    heap_peak: Option<u64>,
    leak: Option<u64>,
    allocated: Option<u64>,
    pub(crate) allocations: Option<u64>,
    pub(crate) growth: Option<f64>,
    /// Only report what is too much.
    pub(crate) warn: bool,
}

impl Limits {
    /// Where the limit in bytes belongs that is called `name`.
    pub(crate) fn bytes(&mut self, name: &str) -> &mut Option<u64> {
        match name {
            "max_peak" => &mut self.peak,
            "max_net" => &mut self.net,
            "max_heap_peak" => &mut self.heap_peak,
            "max_leak" => &mut self.leak,
            _ => &mut self.allocated,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.growth.is_none() && self.on_one_call().all(|(_, limit)| limit.is_none())
    }

    fn on_one_call(&self) -> impl Iterator<Item = (&'static str, Option<u64>)> {
        [
            ("peak", self.peak),
            ("net", self.net),
            ("heap_peak", self.heap_peak),
            ("leak", self.leak),
            ("allocated", self.allocated),
            ("allocations", self.allocations),
        ]
        .into_iter()
    }

    /// As the runtime's value.
    pub(crate) fn to_value(&self, krate: &Path) -> TokenStream {
        let span = Span::mixed_site();
        let given = self.on_one_call();
        let each = given.filter_map(|(name, limit)| {
            let limit = Literal::u64_unsuffixed(limit?);
            let method = proc_macro2::Ident::new(name, span);
            Some(quote_spanned!(span=> .#method(#limit)))
        });
        let growth = self.growth.map(|exponent| {
            let exponent = Literal::f64_unsuffixed(exponent);
            quote_spanned!(span=> .growth(#exponent))
        });
        let warn = self.warn.then(|| quote_spanned!(span=> .warn()));
        quote_spanned!(span=> #krate::__private::Limits::NONE #(#each)* #growth #warn)
    }
}
