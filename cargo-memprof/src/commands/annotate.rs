//! `cargo memprof annotate`: puts the attribute on functions.

use std::path::{Path, PathBuf};

use clap::Args;
use memprof_report::text::visible;

use crate::failure::{Failure, Outcome};
use crate::output::{self, QUIET};
use crate::source::{
    Edit, Found, Module, Package, Pattern, Source, Wanted, add_dependency, annotate,
    has_global_allocator, modules, packages, registry, remove_dependency, strip,
};

const EXAMPLES: &str = "\
Examples:
  cargo memprof annotate parse --dry-run       # functions whose path contains `parse`, as a patch
  cargo memprof annotate 'server::*' Cache::   # a module's, and all methods of a type
  cargo memprof annotate '*' -p engine         # every function of a package
  cargo memprof strip                          # and all of them off again

A path is `crate::module::Type::function`. Only the attribute is inserted; nothing else in a file changes.";

/// Puts #[memprof::profile_memory] on the functions whose path matches
///
/// Adds the dependency on memprof where it is missing: for a program with the feature `counting`, for heap
/// bytes beside RSS. A const fn cannot be profiled and is left out.
#[allow(
    rustdoc::broken_intra_doc_links,
    reason = "help shows the attribute, which is no link"
)]
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Annotate {
    /// A part of a function's path, or a whole path with `*` for any text
    #[arg(required = true)]
    patterns: Vec<String>,
    /// Print what would change as a patch, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The package [default: that of the current folder]
    #[arg(long, short, value_name = "NAME")]
    package: Vec<String>,
    /// Tests, examples and benchmarks, too
    #[arg(long)]
    all_targets: bool,
    /// Depend on the memprof in this folder, not on the registry's
    #[arg(long, value_name = "FOLDER")]
    memprof: Option<PathBuf>,
}

impl Annotate {
    /// Changes the files, or prints the patch.
    pub(crate) fn run(&self) -> Outcome<()> {
        let patterns: Vec<_> = self
            .patterns
            .iter()
            .map(|text| Pattern::new(text))
            .collect();
        let wanted = |path: &str| patterns.iter().any(|pattern| pattern.matches(path));
        let (mut edits, mut all) = (Vec::new(), Vec::new());
        for package in packages(Path::new("."), &self.package, self.all_targets)? {
            let (mut changed, found) = in_sources(&package, wanted);
            all.extend(found);
            if !changed.is_empty() {
                changed.extend(self.in_manifest(&package)?);
            }
            edits.append(&mut changed);
        }
        if all.is_empty() {
            return Err(Failure::new(
                format!("annotate {}", self.patterns.join(" ")),
                "no function with a body has such a path",
                "name a part of a path, `parse` or `Cache::`; quote a `*`; -p names a package",
            ));
        }
        apply(&edits, self.dry_run)?;
        self.tell(&all);
        Ok(())
    }

    /// The manifest with the dependency, if that is missing.
    fn in_manifest(&self, package: &Package) -> Outcome<Option<Edit>> {
        let failed = |reason: String| {
            Failure::new(
                format!("add the dependency to {}", package.manifest.display()),
                reason,
                "add memprof to its [dependencies] by hand, and try again",
            )
        };
        let before =
            std::fs::read_to_string(&package.manifest).map_err(|e| failed(e.to_string()))?;
        let from = match &self.memprof {
            Some(folder) => {
                let folder = folder.canonicalize().map_err(|e| failed(e.to_string()))?;
                Source::Path(folder.to_string_lossy().into_owned())
            }
            None if package.in_workspace => Source::Workspace,
            None => Source::Version(env!("CARGO_PKG_VERSION").to_owned()),
        };
        let own_allocator = with_an_allocator(package);
        let counting = package.is_program && own_allocator.is_none();
        // What an earlier `annotate` has written gives way to a folder that somebody names now.
        let bare = match self.memprof {
            Some(_) => remove_dependency(&before),
            None => before.clone(),
        };
        let is_from_registry = matches!(from, Source::Version(_));
        let after = add_dependency(&bare, &Wanted { from, counting }).map_err(failed)?;
        if is_from_registry && after.is_some() && !self.dry_run {
            registry::must_have(&package.manifest)?;
        }
        let after = after.filter(|after| *after != before);
        if let (Some(_), Some(file)) = (&after, own_allocator) {
            output::remark(format_args!(
                "heap bytes are not counted yet: {} installs an allocator; put \
                 memprof::CountingAllocator::new(…) around it",
                visible(&file.display().to_string())
            ));
        }
        Ok(after.map(|after| Edit {
            path: package.manifest.clone(),
            before,
            after,
        }))
    }

    fn tell(&self, found: &[Found]) {
        let refused = |function: &&Found| function.refused.is_some();
        for function in found.iter().filter(refused) {
            let reason = function.refused.unwrap_or_default();
            let path = visible(&function.path);
            output::remark(format_args!("{QUIET}left out {path}: {reason}{QUIET:#}"));
        }
        let count = found
            .iter()
            .filter(|function| function.refused.is_none())
            .count();
        let done = if self.dry_run {
            "would be annotated"
        } else {
            "annotated"
        };
        output::remark(format_args!("{count} functions {done}"));
    }
}

/// The file in which the package installs a global allocator, if it does.
fn with_an_allocator(package: &Package) -> Option<PathBuf> {
    let mut modules = package
        .roots
        .iter()
        .flat_map(|(root, name)| modules(root, name));
    let module = modules.find(|module| has_global_allocator(&module.text))?;
    Some(module.file)
}

/// The files of `package` with the attribute, and the functions that are wanted.
fn in_sources(package: &Package, wanted: impl Fn(&str) -> bool) -> (Vec<Edit>, Vec<Found>) {
    let (mut edits, mut all) = (Vec::<Edit>::new(), Vec::new());
    for (root, name) in &package.roots {
        for module in modules(root, name) {
            // Two binaries may share a module; it is changed once.
            if edits.iter().any(|edit| edit.path == module.file) {
                continue;
            }
            let Some((after, found)) = annotate(&module.text, &module.path, &wanted) else {
                continue;
            };
            all.extend(found);
            edits.extend(checked(module, after));
        }
    }
    (edits, all)
}

/// The change, if there is one. Should taking the attributes off again not give back the file as it was
/// without them, something in it is not what we take it for, and it is left alone.
fn checked(module: Module, after: String) -> Option<Edit> {
    if after == module.text {
        return None;
    }
    if strip(&after) != strip(&module.text) {
        output::complain(&format!(
            "{} is left as it is: it could not be changed back",
            module.file.display()
        ));
        return None;
    }
    Some(Edit {
        path: module.file,
        before: module.text,
        after,
    })
}

/// Writes the files, or prints the patch.
pub(super) fn apply(edits: &[Edit], dry_run: bool) -> Outcome<()> {
    let folder = Path::new(".").canonicalize().unwrap_or_default();
    for edit in edits {
        if dry_run {
            output::say(edit.patch(&folder).trim_end_matches('\n'))?;
        } else {
            edit.write()?;
        }
    }
    Ok(())
}
