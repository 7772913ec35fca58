//! The workloads: their names, what their units are, and which variants are of interest.

/// A row of programs that are compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    /// Whether it takes a tenth of a second: our own variants then run it [`OFTEN`] times as often, since a
    /// moment's noise is a larger part of it.
    pub(crate) is_short: bool,
    /// Whether other profilers run it, too.
    pub(crate) for_peers: bool,
    /// The part of it that Python's twin runs; 0: it has none.
    pub(crate) python_share: u32,
}

/// See `is_short`.
pub(crate) const OFTEN: usize = 5;

pub(crate) const ALL: [Workload; 9] = [
    Workload {
        name: "inverse",
        what: "(a) three random 2048 × 2048 matrices inverted with faer, as the demo does it",
        unit: "inverse",
        is_short: false,
        for_peers: true,
        python_share: 0,
    },
    Workload {
        name: "allocations",
        what: "(b) 5 million small allocations, freed at once; 15 million line hits, 100,000 calls",
        unit: "allocation",
        is_short: true,
        for_peers: true,
        python_share: 1_000,
    },
    Workload {
        name: "index",
        what: "(b) the same, and one allocation in ten stays alive: an index of 40 MiB; 20 million line hits",
        unit: "allocation",
        is_short: true,
        for_peers: true,
        python_share: 0,
    },
    Workload {
        name: "call",
        what: "(c) 10 million calls of an empty function",
        unit: "call",
        is_short: true,
        for_peers: true,
        python_share: 1_000,
    },
    Workload {
        name: "line",
        what: "(d) a loop of three lines, 10 million times, one of which allocates every 10,000th time",
        unit: "line hit",
        is_short: true,
        for_peers: true,
        python_share: 1_000,
    },
    Workload {
        name: "exact",
        what: "(e) 5,000 lines that take 20 µs to 2 ms each, half of them with 64 KiB of new memory",
        unit: "line",
        is_short: false,
        for_peers: true,
        python_share: 10,
    },
    Workload {
        name: "server",
        what: "(g) an async web server, 20,000 requests over loopback",
        unit: "request",
        is_short: false,
        for_peers: true,
        python_share: 0,
    },
    Workload {
        name: "pair",
        what: "an allocation and its free of 64 bytes, 30 million times",
        unit: "pair",
        is_short: false,
        for_peers: false,
        python_share: 0,
    },
    Workload {
        name: "pair on two threads",
        what: "the same on two threads at once, 15 million times each",
        unit: "pair",
        is_short: false,
        for_peers: false,
        python_share: 0,
    },
];
