//! Functions whose work is done by a future: `async fn`, and what returns `Box::pin(async { … })`.
//!
//! Their calls are measured while the future is polled. It is wrapped in another one that tells
//! the runtime when that is; its probes find the call through the thread that polls it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprAsync, Item, Path, ReturnType, Signature, Stmt, Type, parse_quote};

use crate::body::{Body, instrument_block};
use crate::parameters::{self, Variable};
use crate::place::Extent;
use crate::probe::{self, async_probe};
use crate::site::Site;
use crate::wrap::{declare_first, verbatim};

/// Moves the statements of an `async fn` into a future of their own, which is awaited.
pub(crate) fn async_fn(
    body: &mut Body,
    signature: Option<&Signature>,
    mut site: Site<'_>,
    extent: &Extent,
) {
    let before = prelude(signature, &body.block, &site);
    site.lines = body.instrument(site.args, extent);
    let krate = &site.args.krate;
    let block = &body.block;
    let (by, by_inside) = probe::size(krate, site.args.by.as_ref());
    let before = quote!(#by_inside #before);
    let call = match signature.map(|signature| &signature.output) {
        // A future that never ends must have some type for what it never gives.
        Some(ReturnType::Type(_, ty)) if matches!(**ty, Type::Never(_)) => quote_spanned! {
            Span::mixed_site()=>
            match #krate::__private::profiled(&__MEMPROF_SITE, async move {
                #before
                let __memprof_never: ::core::convert::Infallible = #block;
                #[allow(unreachable_code)]
                __memprof_never
            }).await {}
        },
        _ => quote_spanned! {Span::mixed_site()=>
            #krate::__private::profiled(&__MEMPROF_SITE, async move { #before #block }).await
        },
    };
    body.block.stmts = vec![verbatim(quote!(#site #by)), verbatim(call)];
}

/// What comes before the statements: a return that settles the type of the future, the moves of
/// the parameters, and the probe.
fn prelude(signature: Option<&Signature>, block: &Block, site: &Site<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    if let Some(signature) = signature {
        tokens.extend(settled(&signature.output, &site.args.krate));
        // The future drops what was moved into it in the order of its moves, and a function its
        // parameters in reverse.
        let variables = parameters::used(signature, &block.to_token_stream());
        tokens.extend(variables.iter().rev().map(moved));
    }
    if site.args.lines {
        async_probe(&site.args.krate).to_tokens(&mut tokens);
    }
    tokens
}

/// A return that is never run: what the function's return type says of its statements has to be
/// said of the future's too.
fn settled(output: &ReturnType, krate: &Path) -> Option<TokenStream> {
    let mut ty: Type = match output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    if matches!(ty, Type::Never(_) | Type::ImplTrait(_)) {
        return None;
    }
    Nameable.visit_type_mut(&mut ty);
    Some(quote_spanned! {Span::mixed_site()=>
        if false {
            return #krate::__private::never::<#ty>();
        }
    })
}

/// Leaves out of a type what can only be written in a signature.
struct Nameable;

impl VisitMut for Nameable {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::ImplTrait(_) => *ty = parse_quote!(_),
            ty => visit_mut::visit_type_mut(self, ty),
        }
    }
}

/// A mention, which is what moves a variable into the future. Clippy minds one of a name that says
/// that it is not used.
fn moved(variable: &Variable) -> TokenStream {
    let span = Span::mixed_site();
    let cfg = variable
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"));
    let name = &variable.name;
    let allow = name
        .to_string()
        .starts_with('_')
        .then(|| quote_spanned!(span=> #[allow(clippy::used_underscore_binding)]));
    quote_spanned!(span=> #(#cfg)* #allow let _ = &#name;)
}

/// Profiles the future that `body` puts into a box and returns.
pub(crate) fn boxed(body: &mut Body, mut site: Site<'_>, extent: &Extent) {
    let args = site.args;
    let krate = &args.krate;
    let (by, by_inside) = probe::size(krate, args.by.as_ref());
    if let Some(future) = boxed_future(&mut body.block)
        && let Expr::Async(ExprAsync { block, .. }) = future
    {
        site.lines = instrument_block(block, args, extent);
        if args.lines {
            declare_first(block, [async_probe(krate)]);
        }
        declare_first(block, [verbatim(by_inside)]);
        *future = Expr::Verbatim(quote_spanned! {Span::mixed_site()=>
            #krate::__private::profiled(&__MEMPROF_SITE, #future)
        });
    }
    declare_first(&mut body.block, [verbatim(quote!(#site #by))]);
}

/// Whether the value of `block` is a boxed async block, as `#[async_trait]` makes it.
pub(crate) fn is_boxed(block: &Block) -> bool {
    boxed_future(&mut block.clone()).is_some()
}

/// The async block in `Box::pin(async { … })` at the end of `block`.
fn boxed_future(block: &mut Block) -> Option<&mut Expr> {
    let Some(Stmt::Expr(Expr::Call(call), None)) = block.stmts.last_mut() else {
        return None;
    };
    let future = call.args.first_mut()?;
    let is_future = matches!(future, Expr::Async(_));
    (is_future && is_box_pin(&call.func)).then_some(future)
}

fn is_box_pin(function: &Expr) -> bool {
    let Expr::Path(function) = function else {
        return false;
    };
    let mut names = function
        .path
        .segments
        .iter()
        .rev()
        .map(|segment| &segment.ident);
    names.next().is_some_and(|name| name == "pin") && names.next().is_some_and(|name| name == "Box")
}

/// Where `block` itself waits for a future, and not another future or function that is written in it.
pub(crate) fn first_await(block: &Block) -> Option<Span> {
    struct Finder(Option<Span>);
    impl VisitMut for Finder {
        fn visit_expr_mut(&mut self, expr: &mut Expr) {
            match expr {
                Expr::Await(expr) => {
                    self.0.get_or_insert(expr.await_token.span);
                }
                Expr::Async(_) | Expr::Closure(_) => {}
                expr => visit_mut::visit_expr_mut(self, expr),
            }
        }
        fn visit_item_mut(&mut self, _: &mut Item) {}
    }
    let mut finder = Finder(None);
    finder.visit_block_mut(&mut block.clone());
    finder.0
}
