//! Whether a file installs a global allocator: a program can have one only.

use syn::ItemStatic;
use syn::visit::{self, Visit};

use super::parsed::Parsed;

/// Whether a static of `text` is the global allocator, perhaps behind a `cfg`.
pub(crate) fn has_global_allocator(text: &str) -> bool {
    if !text.contains("global_allocator") {
        return false;
    }
    let mut finder = Finder { found: false };
    if let Ok(parsed) = Parsed::new(text) {
        finder.visit_file(&parsed.file);
    }
    finder.found
}

struct Finder {
    found: bool,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        self.found |= item
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("global_allocator"));
        visit::visit_item_static(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_global_allocator_is_seen_at_any_depth_and_not_in_a_comment() {
        let own = "mod a { #[cfg(x)] #[global_allocator] static A: M = M; }";
        assert!(has_global_allocator(own));
        let none = "// #[global_allocator]\nstatic A: &str = \"#[global_allocator]\";";
        assert!(!has_global_allocator(none));
    }
}
