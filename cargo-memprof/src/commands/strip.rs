//! `cargo memprof strip`: takes the attribute off everywhere.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::annotate::apply;
use crate::failure::Outcome;
use crate::output;
use crate::source::{Edit, packages, remove_dependency, strip};

const EXAMPLES: &str = "\
Examples:
  cargo memprof strip --dry-run
  cargo memprof strip -p engine

What `cargo memprof annotate` did is undone byte for byte. Attributes that were written by hand go, too, \
and so does #[memprof(skip)]; `use` declarations, block! and a dependency that was there before stay.";

/// Takes #[memprof::profile_memory] off everywhere
#[allow(
    rustdoc::broken_intra_doc_links,
    reason = "help shows the attribute, which is no link"
)]
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Strip {
    /// Print what would change as a patch, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The package [default: that of the current folder]
    #[arg(long, short, value_name = "NAME")]
    package: Vec<String>,
}

impl Strip {
    /// Changes the files, or prints the patch.
    pub(crate) fn run(&self) -> Outcome<()> {
        let mut edits = Vec::new();
        for package in packages(Path::new("."), &self.package, true)? {
            edits.extend(edit(&package.manifest, |text| {
                Some(remove_dependency(text))
            }));
            let folder = package.manifest.parent().unwrap_or(Path::new("."));
            for file in rust_files(folder) {
                edits.extend(edit(&file, strip));
            }
        }
        apply(&edits, self.dry_run)?;
        let done = if self.dry_run {
            "would change"
        } else {
            "changed"
        };
        output::remark(format_args!("{} files {done}", edits.len()));
        Ok(())
    }
}

/// The change that `change` makes to a file, if it makes one.
fn edit(file: &Path, change: impl FnOnce(&str) -> Option<String>) -> Option<Edit> {
    let before = fs::read_to_string(file).ok()?;
    let after = change(&before)?;
    (after != before).then(|| Edit {
        path: file.to_path_buf(),
        before,
        after,
    })
}

/// Every Rust file of the package in `folder`: not those of packages inside, nor of a target directory.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let other = path.join("Cargo.toml").exists() || path.join("CACHEDIR.TAG").exists();
        if path.is_symlink() || hidden || other {
            continue;
        } else if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
