//! The packages that an edit is about.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, TargetKind};

use crate::failure::{Failure, Outcome};

/// A package whose sources are to be changed.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) manifest: PathBuf,
    /// Roots of its crates, with their names.
    pub(crate) roots: Vec<(PathBuf, String)>,
    /// Whether it has a binary. What depends on a library may not want its choice of an allocator.
    pub(crate) is_program: bool,
    /// Whether the workspace tells where memprof is.
    pub(crate) in_workspace: bool,
}

/// The packages named `names`; without names, the one that `folder` belongs to, or all of the workspace
/// if it is none's. Libraries and binaries, with `all_targets` also tests, examples and benchmarks.
///
/// # Errors
/// When there is no package, or none of that name.
pub(crate) fn packages(
    folder: &Path,
    names: &[String],
    all_targets: bool,
) -> Outcome<Vec<Package>> {
    let failed = |reason: String| {
        let tried = format!("find the package around {}", folder.display());
        Failure::new(tried, reason, "go into a package, or name one with -p")
    };
    let metadata = MetadataCommand::new()
        .current_dir(folder)
        .no_deps()
        .exec()
        .map_err(|error| failed(error.to_string().trim_end().replace('\n', " ")))?;
    let in_workspace = inherits(&metadata);
    let mut chosen: Vec<_> = metadata.workspace_packages().into_iter().collect();
    if !names.is_empty() {
        if let Some(missing) = names
            .iter()
            .find(|name| chosen.iter().all(|p| p.name != name.as_str()))
        {
            return Err(failed(format!("the workspace has no package {missing}")));
        }
        chosen.retain(|package| names.iter().any(|name| package.name == name.as_str()));
    } else if let Some(around) = around(folder, &chosen) {
        chosen.retain(|package| package.manifest_path == around);
    }
    let package = |package: &cargo_metadata::Package| Package {
        manifest: package.manifest_path.clone().into_std_path_buf(),
        roots: roots(package, all_targets),
        is_program: package.targets.iter().any(cargo_metadata::Target::is_bin),
        in_workspace,
    };
    Ok(chosen.into_iter().map(package).collect())
}

/// The manifest of the innermost package whose folder is `folder` or above it.
fn around(
    folder: &Path,
    packages: &[&cargo_metadata::Package],
) -> Option<cargo_metadata::camino::Utf8PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let of = packages.iter().filter(|package| {
        let own = package.manifest_path.parent().map(|own| own.as_std_path());
        own.and_then(|own| own.canonicalize().ok())
            .is_some_and(|own| folder.starts_with(own))
    });
    let innermost = of.max_by_key(|package| package.manifest_path.components().count());
    innermost.map(|package| package.manifest_path.clone())
}

fn roots(package: &cargo_metadata::Package, all_targets: bool) -> Vec<(PathBuf, String)> {
    let left_out = [
        TargetKind::Test,
        TargetKind::Example,
        TargetKind::Bench,
        TargetKind::CustomBuild,
        TargetKind::ProcMacro,
    ];
    let wanted = |kind: &TargetKind| match kind {
        TargetKind::CustomBuild | TargetKind::ProcMacro => false,
        kind => all_targets || !left_out.contains(kind),
    };
    let targets = package
        .targets
        .iter()
        .filter(|target| target.kind.iter().any(wanted));
    targets
        .map(|target| {
            let name = target.name.replace('-', "_");
            (target.src_path.clone().into_std_path_buf(), name)
        })
        .collect()
}

/// Whether `[workspace.dependencies]` has memprof.
fn inherits(metadata: &Metadata) -> bool {
    let manifest = metadata.workspace_root.join("Cargo.toml");
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let document = toml_edit::Document::parse(text.as_str()).ok();
    document.is_some_and(|document| {
        let workspace = document.get("workspace");
        let dependencies = workspace.and_then(|workspace| workspace.get("dependencies"));
        dependencies.is_some_and(|dependencies| dependencies.get("memprof").is_some())
    })
}
