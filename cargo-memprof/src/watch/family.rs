//! The descendants of a process: found again and again, at a bounded price, and read at every sample.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use memprof_model::data;
use memprof_model::run::{Measure, Sample, Series, WatchedChild};

use super::linux::{Memory, Processes, has_memory_of};

/// Looking for new descendants takes one part of so many of the time …
const SHARE: u32 = 500;
/// … unless they would be looked for less often than this.
const SELDOM: Duration = Duration::from_millis(100);
/// From one time that members are asked for their names to the next: another program is no new process.
const NAMES: Duration = Duration::from_millis(200);
/// After so long it is looked for new descendants whatever the kernel says.
const ALWAYS: Duration = Duration::from_secs(1);

/// The most children that have ended whose curves are kept: those with the highest peaks.
const KEPT: usize = 200;

/// A process's descendants, also those that outlive their parent.
#[derive(Debug)]
pub(super) struct Family {
    measure: Measure,
    /// Whether their curves are kept.
    apart: bool,
    processes: Processes,
    /// The process itself and every descendant that is there.
    pids: HashSet<u32>,
    members: Vec<Member>,
    ended: Vec<WatchedChild>,
    next_look: Instant,
    last_look: Instant,
    /// Whether a look is due although nothing has begun since the last one.
    once_more: bool,
    next_names: Instant,
}

/// A descendant that is there.
#[derive(Debug)]
struct Member {
    pid: u32,
    /// Its parent, as long as it may run in the parent's memory.
    lender: Option<u32>,
    program: String,
    memory: Memory,
    peak: u64,
    series: Option<Series<Sample>>,
}

impl Family {
    /// Nobody yet but the process `pid` itself.
    pub(super) fn of(pid: u32, measure: Measure, apart: bool) -> Family {
        let mut processes = Processes::default();
        // The first list is long; whoever is a descendant already is taken in below.
        let there = processes.new_ones();
        let mut family = Family {
            measure,
            apart,
            processes,
            pids: HashSet::from([pid]),
            members: Vec::new(),
            ended: Vec::new(),
            next_look: Instant::now(),
            last_look: Instant::now(),
            once_more: false,
            next_names: Instant::now(),
        };
        family.take_in(there);
        family
    }

    /// The sum of all descendants' memory at `t_ns`.
    pub(super) fn sample(&mut self, t_ns: u64) -> u64 {
        let now = Instant::now();
        self.look(now);
        self.learn_names(now);
        let mut sum = 0;
        let ended = self.members.extract_if(.., |member| {
            let rss = member.sample(t_ns);
            sum += rss.unwrap_or(0);
            rss.is_none()
        });
        for member in ended.collect::<Vec<_>>() {
            self.end(member);
        }
        sum
    }

    /// Takes in new descendants, if there may be some and it is time to look for them.
    fn look(&mut self, now: Instant) {
        if now < self.next_look {
            return;
        }
        let more = self.processes.may_be_more();
        if more || self.once_more || now >= self.last_look + ALWAYS {
            let new = self.processes.new_ones();
            self.take_in(new);
            // A process has its number a little before it is listed.
            self.once_more = more;
            self.last_look = now;
            self.next_look = now + (now.elapsed() * SHARE).min(SELDOM);
        }
    }

    /// Learns what programs the members have become. Names are for curves.
    fn learn_names(&mut self, now: Instant) {
        if !self.apart || now < self.next_names {
            return;
        }
        self.next_names = now + NAMES;
        for member in &mut self.members {
            if let Some(name) = Processes::name(member.pid) {
                member.program = name;
            }
        }
    }

    /// Takes in those of `new` that descend from the process.
    fn take_in(&mut self, mut new: Vec<(u32, u32)>) {
        // A parent may come after its child in the list.
        while let Some(at) = new
            .iter()
            .position(|(_, parent)| self.pids.contains(parent))
        {
            let (pid, parent) = new.swap_remove(at);
            if self.pids.insert(pid) {
                self.members
                    .extend(Member::open(pid, parent, self.measure, self.apart));
            }
        }
    }

    fn end(&mut self, member: Member) {
        self.pids.remove(&member.pid);
        self.ended.extend(member.into_child());
        if self.ended.len() > 2 * KEPT {
            self.ended
                .sort_by_key(|child| std::cmp::Reverse(child.peak_rss));
            self.ended.truncate(KEPT);
        }
    }

    /// What is to be kept of them, in order of their first reading.
    pub(super) fn into_children(mut self) -> Vec<WatchedChild> {
        for member in std::mem::take(&mut self.members) {
            self.end(member);
        }
        self.ended
            .sort_by_key(|child| child.series.first().map(|sample| sample.t_ns));
        self.ended
    }
}

impl Member {
    /// `None` if it has ended already.
    fn open(pid: u32, parent: u32, measure: Measure, apart: bool) -> Option<Member> {
        let filler = data!(Sample {
            t_ns: 0,
            rss: 0,
            heap: None,
        });
        Some(Member {
            pid,
            lender: Some(parent),
            program: Processes::name(pid).unwrap_or_default(),
            memory: Memory::open(pid, measure).ok()?,
            peak: 0,
            series: apart.then(|| Series::new(filler)),
        })
    }

    /// Its memory now; `None` once it has ended. What its parent has lent it is the parent's.
    fn sample(&mut self, t_ns: u64) -> Option<u64> {
        let rss = self.memory.read().ok()??;
        if self
            .lender
            .is_some_and(|parent| has_memory_of(self.pid, parent))
        {
            return Some(0);
        }
        // With `exec` it has got memory of its own, and keeps to it.
        self.lender = None;
        self.peak = self.peak.max(rss);
        if let Some(series) = &mut self.series {
            series.push(data!(Sample {
                t_ns,
                rss,
                heap: None,
            }));
        }
        Some(rss)
    }

    /// Its curve, if that is wanted and there is one.
    fn into_child(self) -> Option<WatchedChild> {
        Some(data!(WatchedChild {
            pid: self.pid,
            program: self.program,
            peak_rss: self.peak,
            series: self
                .series
                .filter(|series| !series.points().is_empty())?
                .points()
                .to_vec(),
        }))
    }
}
