//! The journal's file. It is replaced as a whole or appended to, and locked as long as it is ours.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
use crate::os::kept_file::out_of_the_way;
use memprof_report::internal::atomic_file::{Temporary, temporary};
use memprof_report::internal::owner::is_at;

/// A journal that this process writes.
#[derive(Debug)]
pub(super) struct JournalFile {
    /// `None` once the program has closed the descriptor behind our back.
    file: Option<File>,
    path: PathBuf,
    length: u64,
}

/// A new journal, which nobody sees before it is whole. It is written piece by piece, so that it is never in memory.
#[derive(Debug)]
pub(super) struct Draft {
    file: Temporary,
    length: u64,
    /// Why a piece could not be written, if one could not.
    failed: Option<io::Error>,
}

impl Draft {
    /// An empty one in `folder`.
    pub(super) fn begin(folder: &Path) -> io::Result<Draft> {
        let file = temporary(folder)?;
        // Locked before anybody can see it. Where there are no locks, the owner is found by its process number.
        let _ = file.as_file().try_lock();
        Ok(Draft {
            file,
            length: 0,
            failed: None,
        })
    }

    /// Adds a piece. If that fails, [`Draft::put_at`] says so.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.length += text.len() as u64;
        if self.failed.is_none() {
            self.failed = self.file.write_all(text).err();
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Puts the journal at `path`, in place of what is there.
    pub(super) fn put_at(self, path: &Path) -> io::Result<JournalFile> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let file = self.file.persist(path).map_err(|error| error.error)?;
        Ok(JournalFile {
            file: Some(file),
            path: path.to_owned(),
            length: self.length,
        })
    }
}

impl JournalFile {
    /// Runs the code of a journal's file on the null device, and on a folder that does not exist: see
    /// [`Journal::warm_up`](super::Journal::warm_up).
    pub(super) fn warm_up() {
        let nowhere = Path::new("/memprof/there/is/no/such/folder");
        if let Ok(mut draft) = Draft::begin(nowhere) {
            draft.add(b"");
            let _ = draft.put_at(nowhere);
        }
        let _ = std::fs::rename(nowhere, nowhere);
        let null = Path::new("/dev/null");
        let Ok(file) = File::options().write(true).open(null) else {
            return;
        };
        let _ = file.try_lock();
        let mut journal = JournalFile {
            file: Some(file),
            path: null.to_owned(),
            length: 0,
        };
        if journal.is_ours() {
            let _ = journal.append(b"- \n");
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Gives the file a descriptor that the program does not miss. The lock stays.
    pub(super) fn get_out_of_the_way(&mut self) {
        #[cfg(target_os = "linux")]
        {
            self.file = self.file.take().map(out_of_the_way);
        }
    }

    /// Whether the open file is still the one at `path`. Somebody may have removed it; or the program may have closed
    /// our descriptor and opened a file of its own under the same number.
    pub(super) fn is_ours(&mut self) -> bool {
        let ours = self
            .file
            .as_ref()
            .is_some_and(|file| is_at(file, &self.path));
        if !ours && let Some(file) = self.file.take() {
            // A removed file is ours, and can be closed. Otherwise the descriptor is the program's.
            match is_unlinked(&file) {
                true => drop(file),
                false => std::mem::forget(file),
            }
        }
        ours
    }

    /// Adds `text` at the end, all of it or nothing.
    pub(super) fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let written = write_at(file, text, self.length);
        match written {
            Ok(()) => self.length += text.len() as u64,
            // Half a record must not stay behind. If this fails, too, readers skip it.
            Err(_) => drop(file.set_len(self.length)),
        }
        written
    }
}

#[cfg(unix)]
fn write_at(file: &File, text: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, text, at)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, text: &[u8], at: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
    file.write_all(text)
}

#[cfg(unix)]
fn is_unlinked(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.nlink() == 0)
}

#[cfg(not(unix))]
fn is_unlinked(_file: &File) -> bool {
    true
}
