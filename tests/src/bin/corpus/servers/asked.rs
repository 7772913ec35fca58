//! What a server says when it is asked: see `reference.rs`.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::Path;

use memprof::run::Run;

/// What the allocator below memprof counted, and memprof at the same moment.
#[derive(Debug)]
pub(super) struct Asked {
    /// Live bytes just before the snapshot.
    pub(super) live: u64,
    /// The most live bytes until then.
    pub(super) peak: u64,
    pub(super) run: Run,
}

/// Asks through the socket at `path`.
pub(super) fn ask(path: &Path) -> Result<Asked, String> {
    let mut said = String::new();
    let mut stream = UnixStream::connect(path).map_err(|error| error.to_string())?;
    stream
        .read_to_string(&mut said)
        .map_err(|error| error.to_string())?;
    let (counts, json) = said.split_once('\n').ok_or("an answer of two parts")?;
    let counts: Vec<u64> = counts
        .split(' ')
        .filter_map(|count| count.parse().ok())
        .collect();
    let [live, _, peak] = counts[..] else {
        return Err(format!("three counts, not {counts:?}"));
    };
    let run = serde_json::from_str(json).map_err(|error| error.to_string())?;
    Ok(Asked { live, peak, run })
}
