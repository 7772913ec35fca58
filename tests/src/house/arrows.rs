//! From paths to files: what a file mentions, followed to the files that it comes from.

use std::collections::{BTreeSet, HashSet};

use super::modules::{Id, Mentioned, Module, Modules, ROOT};

/// One file imports another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    /// Under `src`.
    pub(super) from: String,
    pub(super) line: usize,
    /// As it is written there.
    pub(super) path: String,
    pub(super) to: String,
}

/// Every import in a package, in the order of files and lines.
pub(super) fn arrows(modules: &Modules) -> Vec<Arrow> {
    let all = modules
        .mentioned()
        .iter()
        .flat_map(|mentioned| of(modules, mentioned));
    let all: BTreeSet<_> = all.collect();
    all.into_iter().collect()
}

fn of(modules: &Modules, mentioned: &Mentioned) -> Vec<Arrow> {
    let Mentioned { by, file, what } = mentioned;
    let mut search = Search::new(modules);
    search.mentioned(*by, &what.segments);
    let modules = search.passed.iter().map(|id| modules.get(*id));
    modules
        // A module with several files is one of them, compiled in the place of the others.
        .filter(|module| !module.files.contains(file))
        .flat_map(|module| &module.files)
        .map(|to| Arrow {
            from: file.clone(),
            line: what.line,
            path: what.segments.join("::"),
            to: to.clone(),
        })
        .collect()
}

/// Follows one path.
struct Search<'a> {
    modules: &'a Modules,
    /// The modules that handed a name on, and the one that defines it.
    passed: Vec<Id>,
    /// The names that were looked up where others hand them on. `use quote::quote` is no end to be followed to.
    followed: HashSet<(Id, String)>,
}

impl<'a> Search<'a> {
    fn new(modules: &'a Modules) -> Search<'a> {
        Search {
            modules,
            passed: Vec::new(),
            followed: HashSet::new(),
        }
    }

    /// Follows a path that is written in `module`.
    fn mentioned(&mut self, module: Id, path: &[String]) {
        match path {
            // A name by itself is a variable's, or a `use` says where it is from; but for a glob.
            [name] if defines(self.modules.get(module), name) => {}
            [_] => self.through_globs(module, path),
            _ => self.from(module, path),
        }
    }

    fn from(&mut self, module: Id, path: &[String]) {
        match path.split_first() {
            Some((first, rest)) if first == "crate" => self.within(ROOT, rest),
            _ => self.within(module, path),
        }
    }

    /// Follows what is left of a path that has come to `module`.
    fn within(&mut self, module: Id, path: &[String]) {
        let modules = self.modules;
        let here = modules.get(module);
        let Some((first, rest)) = path.split_first() else {
            return self.passed.push(module);
        };
        if first == "self" {
            self.within(module, rest);
        } else if first == "super" {
            self.within(here.parent, rest);
        } else if let Some(&child) = here.children.get(first) {
            self.within(child, rest);
        } else if let Some(brought) = here.brought.get(first) {
            self.passed.push(module);
            if !self.followed.insert((module, first.clone())) {
                return;
            }
            for source in brought {
                self.from(module, &[&source.segments, rest].concat());
            }
        } else if here.items.contains(first) {
            self.passed.push(module);
        } else {
            self.through_globs(module, path);
        }
    }

    /// Looks for the path's first name in the modules that `module` takes all names from. A name that is
    /// nowhere is taken for the module's own: a macro can have made it.
    fn through_globs(&mut self, module: Id, path: &[String]) {
        self.passed.push(module);
        let Some(first) = path.first() else {
            return;
        };
        if !self.followed.insert((module, first.clone())) {
            return;
        }
        let modules = self.modules;
        for glob in &modules.get(module).globs {
            for source in self.sources(module, &glob.segments) {
                if defines(modules.get(source), first) {
                    self.within(source, path);
                }
            }
        }
    }

    /// The modules that a glob in `module` leads to.
    fn sources(&self, module: Id, glob: &[String]) -> Vec<Id> {
        let mut search = Search::new(self.modules);
        search.followed.clone_from(&self.followed);
        search.from(module, glob);
        search.passed.retain(|source| *source != module);
        search.passed
    }
}

fn defines(module: &Module, name: &str) -> bool {
    module.items.contains(name)
        || module.brought.contains_key(name)
        || module.children.contains_key(name)
}
