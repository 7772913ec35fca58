//! The modules of a package, as `mod` declares them from `lib.rs` or `main.rs` on: their files, the names in
//! them, and what the files mention. Code that is there for tests alone is left out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Block, Item, ItemMod, ItemUse, Macro, MetaList, Visibility};

use super::attributes::{is_for_tests, paths};
use super::mentions::{Brought, Mention, in_tokens, in_use};

/// The place of a module in [`Modules`].
pub(super) type Id = usize;

/// The module of `lib.rs` or `main.rs`.
pub(super) const ROOT: Id = 0;

/// All modules of a package.
pub(super) struct Modules {
    source: PathBuf,
    all: Vec<Module>,
    mentioned: Vec<Mentioned>,
}

/// A module: one file, several of which one is compiled, or a part of a file.
#[derive(Default)]
pub(super) struct Module {
    pub(super) parent: Id,
    /// Under `src`, with slashes.
    pub(super) files: BTreeSet<String>,
    pub(super) children: HashMap<String, Id>,
    /// What `use` brings into it, by name.
    pub(super) brought: HashMap<String, Vec<Mention>>,
    /// What `use …::*` takes names from.
    pub(super) globs: Vec<Mention>,
    /// The names that it defines.
    pub(super) items: HashSet<String>,
}

/// A path, and who mentions it.
pub(super) struct Mentioned {
    pub(super) by: Id,
    pub(super) file: String,
    pub(super) what: Mention,
}

impl Modules {
    /// Reads the package whose source is the folder `source`.
    ///
    /// # Errors
    /// When there is none, or a file cannot be read or parsed.
    pub(super) fn of(source: &Path) -> Result<Modules, String> {
        let roots = ["lib.rs", "main.rs"].map(|name| source.join(name));
        let Some(root) = roots.iter().find(|root| root.is_file()) else {
            return Err(format!(
                "there is neither lib.rs nor main.rs in {}: make the package, or take its table out of {}",
                source.display(),
                super::PAGE,
            ));
        };
        let mut modules = Modules {
            source: source.to_owned(),
            all: vec![Module::default()],
            mentioned: Vec::new(),
        };
        modules.read(ROOT, root, source.to_owned())?;
        Ok(modules)
    }

    pub(super) fn source(&self) -> &Path {
        &self.source
    }

    pub(super) fn get(&self, id: Id) -> &Module {
        &self.all[id]
    }

    pub(super) fn mentioned(&self) -> &[Mentioned] {
        &self.mentioned
    }

    /// Every file, under `src`.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.all
            .iter()
            .flat_map(|module| &module.files)
            .map(String::as_str)
    }

    /// Takes in `file` as the source of `module`, whose own modules lie in `folder`.
    fn read(&mut self, module: Id, file: &Path, folder: PathBuf) -> Result<(), String> {
        let text = super::read(file)?;
        let failed = |error| format!("{} is not Rust: {error}", file.display());
        let parsed = syn::parse_file(&text).map_err(failed)?;
        if parsed.attrs.iter().any(is_for_tests) {
            return Ok(());
        }
        let name = file.strip_prefix(&self.source).unwrap_or(file);
        let name = name.to_string_lossy().replace('\\', "/");
        self.all[module].files.insert(name.clone());
        let mut reader = Reader {
            modules: self,
            module,
            file: name,
            beside: file.parent().unwrap_or(Path::new("")).to_owned(),
            folder,
            blocks: 0,
            failed: None,
        };
        reader.visit_file(&parsed);
        reader.failed.map_or(Ok(()), Err)
    }

    /// The module `name` in `parent`, new if it is not there: `cfg` can declare one twice.
    fn child(&mut self, parent: Id, name: String) -> Id {
        let new = self.all.len();
        let id = *self.all[parent].children.entry(name).or_insert(new);
        if id == new {
            self.all.push(Module {
                parent,
                ..Module::default()
            });
        }
        id
    }
}

/// Reads one file, or one inline module of it.
struct Reader<'a> {
    modules: &'a mut Modules,
    module: Id,
    file: String,
    /// The folder that `#[path]` starts from.
    beside: PathBuf,
    /// The folder that its modules lie in.
    folder: PathBuf,
    /// How many blocks of code are open: what `use` brings into one is not the module's.
    blocks: usize,
    failed: Option<String>,
}

impl Reader<'_> {
    fn mention(&mut self, what: Mention) {
        self.modules.mentioned.push(Mentioned {
            by: self.module,
            file: self.file.clone(),
            what,
        });
    }

    fn mention_all(&mut self, tokens: proc_macro2::TokenStream) {
        for what in in_tokens(tokens) {
            self.mention(what);
        }
    }

    /// A module between braces: the same file, one folder further down.
    fn inline(&mut self, child: Id, module: &ItemMod, name: &str) {
        let folder = self.folder.join(name);
        self.modules.all[child].files.insert(self.file.clone());
        let mut reader = Reader {
            modules: self.modules,
            module: child,
            file: self.file.clone(),
            beside: folder.clone(),
            folder,
            blocks: 0,
            failed: self.failed.take(),
        };
        visit::visit_item_mod(&mut reader, module);
        self.failed = reader.failed;
    }

    /// A module in a file of its own, or in one of several.
    fn in_file(&mut self, child: Id, module: &ItemMod, name: &str) {
        let named: Vec<_> = module.attrs.iter().flat_map(paths).collect();
        let flat = self.folder.join(format!("{name}.rs"));
        let deep = self.folder.join(name);
        let usual = [(flat, deep.clone()), (deep.join("mod.rs"), deep)];
        let usual = usual.into_iter().filter(|(file, _)| file.is_file());
        let named = named.iter().map(|path| {
            let file = self.beside.join(path);
            let folder = file.parent().unwrap_or(&self.beside).to_owned();
            (file, folder)
        });
        let found: Vec<_> = named.chain(usual).collect();
        if found.is_empty() {
            self.failed = Some(format!(
                "src/{} declares `mod {name}`, which has no file",
                self.file
            ));
        }
        for (file, folder) in found {
            if let Err(failed) = self.modules.read(child, &file, folder) {
                self.failed = Some(failed);
            }
        }
    }
}

/// Visits what has these attributes, unless it is there for tests alone.
macro_rules! unless_for_tests {
    ($($visit:ident($node:ident))*) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            if !node.attrs.iter().any(is_for_tests) {
                visit::$visit(self, node);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Reader<'_> {
    unless_for_tests! {
        visit_item_const(ItemConst) visit_item_enum(ItemEnum) visit_item_fn(ItemFn)
        visit_item_foreign_mod(ItemForeignMod) visit_item_impl(ItemImpl) visit_item_macro(ItemMacro)
        visit_item_static(ItemStatic) visit_item_struct(ItemStruct) visit_item_trait(ItemTrait)
        visit_item_type(ItemType) visit_item_union(ItemUnion)
        visit_impl_item_const(ImplItemConst) visit_impl_item_fn(ImplItemFn)
        visit_impl_item_macro(ImplItemMacro) visit_impl_item_type(ImplItemType)
        visit_trait_item_const(TraitItemConst) visit_trait_item_fn(TraitItemFn)
        visit_trait_item_macro(TraitItemMacro) visit_trait_item_type(TraitItemType)
        visit_field(Field) visit_field_value(FieldValue) visit_variant(Variant) visit_arm(Arm)
        visit_local(Local) visit_stmt_macro(StmtMacro) visit_expr_block(ExprBlock)
        visit_expr_call(ExprCall) visit_expr_method_call(ExprMethodCall) visit_expr_macro(ExprMacro)
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if self.blocks == 0 {
            self.modules.all[self.module].items.extend(name_of(item));
        }
        visit::visit_item(self, item);
    }

    /// What is in a module is read as that module's.
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.attrs.iter().any(is_for_tests) {
            return;
        }
        let name = module.ident.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name);
        let child = self.modules.child(self.module, name.to_owned());
        match module.content {
            Some(_) => self.inline(child, module, name),
            None => self.in_file(child, module, name),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_some() || item.attrs.iter().any(is_for_tests) {
            return;
        }
        for brought in in_use(&item.tree) {
            let module = &mut self.modules.all[self.module];
            let what = match brought {
                Brought::Name(Some(name), what) if self.blocks == 0 => {
                    module.brought.entry(name).or_default().push(what.clone());
                    what
                }
                Brought::All(what) if self.blocks == 0 => {
                    module.globs.push(what.clone());
                    what
                }
                Brought::Name(_, what) | Brought::All(what) => what,
            };
            self.mention(what);
        }
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.blocks += 1;
        visit::visit_block(self, block);
        self.blocks -= 1;
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(what) = Mention::in_code(path) {
            self.mention(what);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast Macro) {
        self.mention_all(invoked.tokens.clone());
        visit::visit_macro(self, invoked);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.mention_all(list.tokens.clone());
        visit::visit_meta_list(self, list);
    }

    /// `pub(in crate::a)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
