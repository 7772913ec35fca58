//! Whose a folder is: runs of other users are left alone, and nothing is written into a trap. In a folder to which
//! everybody can write (`/tmp`), anybody can put a folder or a link under the name that memprof will use, and exchange
//! later what lies in it.

use std::fs::Metadata;
use std::io;
use std::path::Path;

/// Refuses `root` if it, or a folder around it, lies where everybody can write and is neither the user's own nor the
/// administrator's. `own` is something that this process has just made.
///
/// # Errors
/// Says whose entry it is, and what cannot be looked at.
#[cfg(unix)]
pub(super) fn refuse(root: &Path, own: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    /// Others than the owner and its group may write.
    const EVERYBODY: u32 = 0o002;

    let user = user_of(&own.symlink_metadata()?);
    let root = std::path::absolute(root)?;
    for entry in root.ancestors() {
        let Some(around) = entry.parent() else { break };
        // What cannot be looked at is in nobody's reach, either.
        let is_public = around
            .metadata()
            .is_ok_and(|around| around.mode() & EVERYBODY != 0);
        if !is_public {
            continue;
        }
        let owner = user_of(&entry.symlink_metadata()?);
        if owner != user && owner != Some(0) {
            let text = format!(
                "{} belongs to user {}, in a folder to which everybody can write; this program runs as user {}",
                entry.display(),
                owner.unwrap_or_default(),
                user.unwrap_or_default(),
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn refuse(_root: &Path, _own: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes `folder` again if it is gone. What is there now has to be `owner`'s, and no link.
///
/// # Errors
/// When it cannot be made, or somebody else has.
pub(super) fn make_again(folder: &Path, owner: Option<u32>) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    match owner_of(folder)? == owner {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it was removed, and somebody else has made it again",
        )),
    }
}

/// Whose the folder is, where the system knows users.
///
/// # Errors
/// When it cannot be looked at, or is none.
pub(super) fn owner_of(folder: &Path) -> io::Result<Option<u32>> {
    let metadata = folder.symlink_metadata()?;
    if !metadata.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(user_of(&metadata))
}

/// Whether both belong to one user.
pub(super) fn is_same_users(folder: &Path, own: &Path) -> bool {
    let user = |path: &Path| path.symlink_metadata().map(|metadata| user_of(&metadata));
    matches!((user(folder), user(own)), (Ok(one), Ok(other)) if one == other)
}

/// Whose it is; `None` where the system knows no users.
#[cfg(unix)]
fn user_of(metadata: &Metadata) -> Option<u32> {
    Some(std::os::unix::fs::MetadataExt::uid(metadata))
}

#[cfg(not(unix))]
fn user_of(_metadata: &Metadata) -> Option<u32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// A folder to which everybody can write.
    fn public() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        folder
    }

    #[test]
    fn strangers_what_is_the_users_own_may_lie_where_everybody_can_write() {
        let public = public();
        let root = public.path().join("runs/deeper");
        fs::create_dir_all(&root).unwrap();
        refuse(&root, &root).unwrap();
        assert_eq!(owner_of(&root).unwrap(), owner_of(public.path()).unwrap());
    }

    #[test]
    fn strangers_a_folder_that_was_exchanged_for_a_link_is_not_used() {
        let public = public();
        let (folder, elsewhere) = (public.path().join("run"), public.path().join("elsewhere"));
        make_again(&folder, owner_of(public.path()).unwrap()).unwrap();
        let owner = owner_of(&folder).unwrap();
        fs::remove_dir(&folder).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, &folder).unwrap();
        assert!(make_again(&folder, owner).is_err());
    }
}
