//! The files of a crate with their modules: from the root along `mod name;`.

use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta};

use super::parsed::Parsed;

/// A file of a crate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    /// `crate::module`, with the crate's name in front.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every file of the crate whose root is `root`; those that cannot be read or are no Rust are left out
/// with all below them.
pub(crate) fn modules(root: &Path, crate_name: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let folder = root.parent().unwrap_or(Path::new(".")).to_path_buf();
    add(
        &mut found,
        root.to_path_buf(),
        crate_name.to_owned(),
        folder,
    );
    found
}

/// Adds `file` and what it declares; `folder` is where its modules' files are.
fn add(found: &mut Vec<Module>, file: PathBuf, path: String, folder: PathBuf) {
    // One file has many paths, `tests/../src/a.rs` for one.
    let Ok(file) = file.canonicalize() else {
        return;
    };
    let Ok(text) = fs::read_to_string(&file) else {
        return;
    };
    let Ok(parsed) = Parsed::new(&text) else {
        return;
    };
    // A file that is a module of itself would go on for ever.
    if found.iter().any(|module| module.file == file) {
        return;
    }
    let own = file.parent().unwrap_or(Path::new(".")).to_path_buf();
    found.push(Module {
        file,
        path: path.clone(),
        text,
    });
    follow(found, &parsed.file.items, &path, &folder, &own);
}

/// Follows the declarations among `items`. `own` is the folder that `#[path]` starts from.
fn follow(found: &mut Vec<Module>, items: &[Item], path: &str, folder: &Path, own: &Path) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name);
        let path = format!("{path}::{name}");
        match &module.content {
            Some((_, items)) => {
                let inside =
                    named_path(module).map_or_else(|| folder.join(name), |named| own.join(named));
                follow(found, items, &path, &inside, &inside);
            }
            None => {
                if let Some((file, folder)) = place(module, name, folder, own) {
                    add(found, file, path, folder);
                }
            }
        }
    }
}

/// The file of `mod name;`, and the folder of its own modules.
fn place(module: &ItemMod, name: &str, folder: &Path, own: &Path) -> Option<(PathBuf, PathBuf)> {
    if let Some(named) = named_path(module) {
        let file = own.join(named);
        let folder = file.parent()?.to_path_buf();
        return Some((file, folder));
    }
    let inside = folder.join(name);
    let candidates = [folder.join(format!("{name}.rs")), inside.join("mod.rs")];
    let file = candidates.into_iter().find(|file| file.is_file())?;
    Some((file, inside))
}

/// The text of `#[path = "…"]`.
fn named_path(module: &ItemMod) -> Option<String> {
    module
        .attrs
        .iter()
        .find_map(|attr: &Attribute| match &attr.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                Expr::Lit(text) => match &text.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
}
