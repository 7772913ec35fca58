//! Servers that nobody here wrote, with the attribute on every function, under load: all that memprof tells of them must
//! agree with itself, and with an allocator that counts by itself.

mod asked;
mod build;
mod load;
mod trial;

use std::path::Path;
use std::time::Duration;

/// How the clients of a server talk to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Redis,
    Http,
}

/// A published server.
#[derive(Debug)]
struct Server {
    name: &'static str,
    version: &'static str,
    /// The name of its program.
    program: &'static str,
    /// The file with its `main`.
    main: &'static str,
    /// Arguments before the port.
    arguments: &'static [&'static str],
    protocol: Protocol,
}

const SERVERS: [Server; 2] = [
    Server {
        name: "mini-redis",
        version: "0.4.1",
        program: "mini-redis-server",
        main: "src/bin/server.rs",
        arguments: &["--port"],
        protocol: Protocol::Redis,
    },
    Server {
        name: "dufs",
        version: "0.47.0",
        program: "dufs",
        main: "src/main.rs",
        arguments: &["--bind", "127.0.0.1", "--allow-all", "--port"],
        protocol: Protocol::Http,
    },
];

/// Tries every server, or the one called `only`, for so long. Whether all agrees.
pub(crate) fn run(
    only: Option<&str>,
    load: Duration,
    dir: &Path,
    memprof: &Path,
) -> Result<bool, String> {
    let mut agrees = true;
    for server in SERVERS
        .iter()
        .filter(|server| only.is_none_or(|only| only == server.name))
    {
        let program = build::annotated(server, dir, memprof)?;
        for wrong in trial::run(server, &program, load)? {
            eprintln!("{}: {wrong}", server.name);
            agrees = false;
        }
    }
    Ok(agrees)
}
