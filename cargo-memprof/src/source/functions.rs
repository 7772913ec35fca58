//! The functions of a file that can carry the attribute, and putting it there.

use proc_macro2::Span;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    AttrStyle, Attribute, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, Meta, Signature,
    TraitItemFn, Type, Visibility,
};

use super::edit::insert;
use super::parsed::Parsed;

/// What is put on a function.
const ATTRIBUTE: &str = "#[memprof::profile_memory]";

/// A function with a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// `crate::module::Type::function`.
    pub(crate) path: String,
    /// Why it cannot get the attribute; `None` if it can.
    pub(crate) refused: Option<&'static str>,
    /// Where the attribute belongs, in bytes.
    at: usize,
}

/// `text`, a file of module `module`, with the attribute on the functions that `wanted` says, and these
/// functions. `None` if the text is no file of Rust items.
pub(crate) fn annotate(
    text: &str,
    module: &str,
    wanted: impl Fn(&str) -> bool,
) -> Option<(String, Vec<Found>)> {
    let parsed = Parsed::new(text).ok()?;
    let mut finder = Finder {
        parsed: &parsed,
        path: vec![module.to_owned()],
        annotated: false,
        found: Vec::new(),
    };
    finder.visit_file(&parsed.file);
    let mut found = finder.found;
    found.retain(|function| wanted(&function.path));
    let free = found.iter().filter(|function| function.refused.is_none());
    let pieces = free.map(|function| (function.at, piece(text, function.at)));
    Some((insert(text, pieces.collect()), found))
}

/// The attribute as it is inserted at `at`: a line of its own if what follows begins a line.
fn piece(text: &str, at: usize) -> String {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let indent = &text[line..at];
    if !indent.chars().all(|c| c == ' ' || c == '\t') {
        return format!("{ATTRIBUTE} ");
    }
    let end = text[at..].find('\n').map(|end| at + end);
    let end = match end {
        Some(end) if text[..end].ends_with('\r') => "\r\n",
        _ => "\n",
    };
    format!("{ATTRIBUTE}{end}{indent}")
}

struct Finder<'a> {
    parsed: &'a Parsed,
    /// The modules, types and functions around.
    path: Vec<String>,
    /// Whether the block, trait or module around has the attribute.
    annotated: bool,
    found: Vec<Found>,
}

impl Finder<'_> {
    fn function(&mut self, attrs: &[Attribute], first: Span, signature: &Signature) {
        let outer = || {
            attrs
                .iter()
                .filter(|attr| matches!(attr.style, AttrStyle::Outer))
        };
        let refused = if signature.constness.is_some() {
            Some("a const fn may run at compile time")
        } else if self.annotated || outer().any(is_ours) {
            Some("it has the attribute already")
        } else if outer().any(is_skip) {
            Some("it has #[memprof(skip)]")
        } else if outer().any(is_naked) {
            Some("a naked function is one block of assembly")
        } else {
            None
        };
        // Above attributes that may rewrite the body, and below the documentation.
        let above = outer().find(|attr| !attr.path().is_ident("doc"));
        let first = above.map_or(first, |attr| attr.pound_token.span);
        self.found.push(Found {
            path: format!("{}::{}", self.path.join("::"), name(&signature.ident)),
            refused,
            at: self.parsed.bytes(first).start,
        });
    }

    /// Visits what is inside of something that has a name.
    fn inside(&mut self, name: String, attrs: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let annotated = self.annotated;
        self.annotated |= attrs.iter().any(is_ours);
        self.path.push(name);
        visit(self);
        self.path.pop();
        self.annotated = annotated;
    }

    /// The same for a function: items in it are not reached by an attribute on it or around it.
    fn inside_function(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        let annotated = std::mem::take(&mut self.annotated);
        self.path.push(name);
        visit(self);
        self.path.pop();
        self.annotated = annotated;
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(
            &function.attrs,
            first(&function.vis, None, &function.sig),
            &function.sig,
        );
        self.inside_function(name(&function.sig.ident), |this| {
            visit::visit_item_fn(this, function)
        });
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        let default = function.modifiers.defaultness.map(|default| default.span);
        self.function(
            &function.attrs,
            first(&function.vis, default, &function.sig),
            &function.sig,
        );
        self.inside_function(name(&function.sig.ident), |this| {
            visit::visit_impl_item_fn(this, function)
        });
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if function.default.is_some() {
            let first = first(&Visibility::Inherited, None, &function.sig);
            self.function(&function.attrs, first, &function.sig);
        }
        self.inside_function(name(&function.sig.ident), |this| {
            visit::visit_trait_item_fn(this, function)
        });
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        self.inside(type_name(&block.self_ty), &block.attrs, |this| {
            visit::visit_item_impl(this, block)
        });
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.inside(name(&item.ident), &item.attrs, |this| {
            visit::visit_item_trait(this, item)
        });
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.inside(name(&module.ident), &module.attrs, |this| {
            visit::visit_item_mod(this, module)
        });
    }
}

fn name(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}

/// The type's name without what it is generic over.
fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map_or_else(String::new, |last| name(&last.ident)),
        Type::Reference(reference) => type_name(&reference.elem),
        Type::Paren(inside) => type_name(&inside.elem),
        Type::Group(inside) => type_name(&inside.elem),
        other => other.to_token_stream().to_string().replace(' ', ""),
    }
}

/// The function's first token behind its attributes.
fn first(visibility: &Visibility, default: Option<Span>, signature: &Signature) -> Span {
    let first_of =
        |tokens: proc_macro2::TokenStream| tokens.into_iter().next().map(|token| token.span());
    let visible = match visibility {
        Visibility::Inherited => default,
        visibility => first_of(visibility.to_token_stream()),
    };
    visible
        .or_else(|| first_of(signature.to_token_stream()))
        .unwrap_or_else(Span::call_site)
}

/// `#[profile_memory]` by whatever path, also inside of `cfg_attr`.
pub(super) fn is_ours(attr: &Attribute) -> bool {
    let last = |path: &syn::Path| {
        path.segments
            .last()
            .is_some_and(|last| last.ident == "profile_memory")
    };
    let conditional = || match &attr.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            list.tokens.to_string().contains("profile_memory")
        }
        _ => false,
    };
    last(attr.path()) || conditional()
}

/// `#[memprof(skip)]`.
pub(super) fn is_skip(attr: &Attribute) -> bool {
    match &attr.meta {
        Meta::List(list) => list.path.is_ident("memprof") && list.tokens.to_string() == "skip",
        _ => false,
    }
}

fn is_naked(attr: &Attribute) -> bool {
    match &attr.meta {
        Meta::Path(path) => path.is_ident("naked"),
        Meta::List(list) => list.path.is_ident("unsafe") && list.tokens.to_string() == "naked",
        Meta::NameValue(_) => false,
    }
}
