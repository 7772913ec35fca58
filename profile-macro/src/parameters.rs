//! The variables that the parameters of a function introduce.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, FnArg, Ident, PatIdent, Signature};

use crate::pattern::is_variable;

/// A variable and the attributes of the parameter that it comes from.
pub(crate) struct Variable {
    pub(crate) name: Ident,
    pub(crate) attrs: Vec<Attribute>,
}

/// The variables of `signature` that `body` uses, in order.
///
/// One that is not used is left out, so that the compiler warns of it as it would have; one whose
/// name says that it is not used is in.
pub(crate) fn used(signature: &Signature, body: &TokenStream) -> Vec<Variable> {
    let inputs = signature.inputs.iter();
    let variables = inputs.flat_map(variables);
    variables
        .filter(|variable| {
            let name = variable.name.to_string();
            name.starts_with('_') || uses(body.clone(), &name)
        })
        .collect()
}

fn variables(input: &FnArg) -> Vec<Variable> {
    let (names, attrs) = match input {
        FnArg::Receiver(receiver) => {
            let name = Ident::new("self", receiver.self_token.span);
            (vec![name], &receiver.attrs)
        }
        FnArg::Typed(typed) => {
            let mut names = Names::default();
            names.visit_pat_mut(&mut typed.pat.clone());
            (names.found, &typed.attrs)
        }
    };
    let variable = |name| Variable {
        name,
        attrs: attrs.clone(),
    };
    names.into_iter().map(variable).collect()
}

#[derive(Default)]
struct Names {
    found: Vec<Ident>,
}

impl VisitMut for Names {
    fn visit_pat_ident_mut(&mut self, pat: &mut PatIdent) {
        if is_variable(pat) {
            self.found.push(pat.ident.clone());
        }
        visit_mut::visit_pat_ident_mut(self, pat);
    }

    fn visit_expr_mut(&mut self, _: &mut Expr) {}
}

/// Whether `name` occurs in `tokens`, or in a text there that may be a format string.
fn uses(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{name}")),
        TokenTree::Group(group) => uses(group.stream(), name),
        TokenTree::Punct(_) => false,
    })
}
