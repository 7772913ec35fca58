//! The calls of a thread that no reading has met, in plain cells: entering and leaving one takes no
//! lock.
//!
//! Calls that a reading has met are *logged*: they are on the log's stack, behind the lane's lock. The
//! calls inside the innermost of these are *light*. Their thread pushes and pops them here with plain
//! stores; before it takes a reading it moves them to the log. Other threads look on: `version` is odd
//! while a call is pushed or popped, so that they see when what they read does not belong together.

use crate::counters::atomics::{
    AtomicBool, AtomicI64, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use crate::counters::counts::Counts;
use crate::counters::current_line::Hot;
use crate::counters::static_cell::Reference;

/// How often somebody else tries to read what the thread keeps changing.
const TRIES: usize = 10_000;

/// The calls in progress of one thread, as far as they are light: of sites `S`, each counting on a `C`,
/// the lines on `L`s.
#[derive(Debug)]
pub(crate) struct Light<S: 'static, C: 'static, L: 'static> {
    /// Where the innermost call is.
    pub(crate) hot: Hot<L>,
    version: AtomicU32,
    /// Calls in progress, the logged ones included.
    depth: AtomicU32,
    /// How many of them are logged.
    logged: AtomicU32,
    /// The first stands for the innermost logged call; the light ones follow.
    slots: Box<[Slot<S, C, L>]>,
}

#[derive(Debug)]
struct Slot<S: 'static, C: 'static, L: 'static> {
    site: Reference<S>,
    cells: Reference<C>,
    panicking: AtomicBool,
    /// Its name for blocks that are followed, once it has one.
    token: AtomicU64,
    heap_entry: [AtomicU64; 3],
    /// What holds while another call is in progress inside it.
    line: Reference<L>,
    heap_line_start: AtomicI64,
    heap_high: AtomicI64,
}

/// A call, as it began.
#[derive(Debug)]
pub(crate) struct Begun<S: 'static, C: 'static> {
    pub site: &'static S,
    pub cells: &'static C,
    /// Whether the thread was panicking.
    pub panicking: bool,
    /// The thread's heap.
    pub heap: Counts,
    /// See `heap::origins`; 0 for none.
    pub token: u64,
}

// Derived, they would ask the same of what is referred to.
impl<S, C> Clone for Begun<S, C> {
    fn clone(&self) -> Begun<S, C> {
        *self
    }
}

impl<S, C> Copy for Begun<S, C> {}

/// Where a call is.
#[derive(Debug)]
pub(crate) struct Stand<L: 'static> {
    /// `None` where there is no call.
    pub line: Option<&'static L>,
    /// Live bytes of the thread when the line began.
    pub heap_line_start: i64,
    /// The highest since the call began.
    pub heap_high: i64,
}

impl<L> Clone for Stand<L> {
    fn clone(&self) -> Stand<L> {
        *self
    }
}

impl<L> Copy for Stand<L> {}

impl<S, C, L> Light<S, C, L> {
    /// For so many calls at once; they are logged when another one begins. `attention`: see [`Hot`].
    pub(crate) fn with_room_for(calls: usize, attention: i64) -> Light<S, C, L> {
        Light {
            hot: Hot::new(attention),
            version: AtomicU32::new(0),
            depth: AtomicU32::new(0),
            logged: AtomicU32::new(0),
            slots: (0..=calls).map(|_| Slot::new()).collect(),
        }
    }

    /// Calls in progress.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.depth.load(Relaxed)
    }

    /// Light calls in progress.
    #[inline]
    fn len(&self) -> usize {
        let logged = self.logged.load(Relaxed);
        self.depth.load(Relaxed).wrapping_sub(logged) as usize
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The innermost call of all. By the owner only, as all that follows.
    #[inline]
    pub(crate) fn innermost(&self) -> Option<(&'static S, &'static C)> {
        let slot = self.slots.get(self.len())?;
        Some((slot.site.get()?, slot.cells.get()?))
    }

    /// The token of the innermost call, made if it has none.
    pub(crate) fn token(&self, make: impl FnOnce() -> u64) -> u64 {
        let Some(slot) = self.slots.get(self.len()) else {
            return 0;
        };
        match slot.token.load(Relaxed) {
            0 => {
                let token = make();
                slot.token.store(token, Relaxed);
                token
            }
            token => token,
        }
    }

    /// Puts a call on top, which has not come to a line of its own and is at `first`, inside of one
    /// that stands at `outer`; gives its depth. `None` when there is no room.
    #[inline]
    pub(crate) fn push(
        &self,
        call: Begun<S, C>,
        first: Option<&'static L>,
        outer: Stand<L>,
    ) -> Option<u32> {
        let at = self.len();
        let (below, slot) = (self.slots.get(at)?, self.slots.get(at + 1)?);
        let depth = self.depth.load(Relaxed);
        self.change(|| {
            below.set_stand(outer);
            slot.begin(call);
            match first {
                Some(line) => self.hot.begin(line),
                None => self.hot.go_on(None, 0),
            }
            self.depth.store(depth + 1, Relaxed);
        });
        Some(depth)
    }

    /// The call at `depth`, if it is the innermost and light, and where the call around it stands.
    #[inline]
    pub(crate) fn top(&self, depth: u32) -> Option<(Begun<S, C>, Stand<L>)> {
        let at = self.len();
        if at == 0 || self.depth.load(Relaxed) != depth + 1 {
            return None;
        }
        let (below, slot) = (self.slots.get(at - 1)?, self.slots.get(at)?);
        Some((slot.begun()?, below.stand()))
    }

    /// Takes the call at `depth` off, the innermost; the one around it goes on as it stands at `outer`.
    #[inline]
    pub(crate) fn pop(&self, depth: u32, outer: Stand<L>) {
        self.change(|| {
            self.depth.store(depth, Relaxed);
            self.hot.go_on(outer.line, outer.heap_line_start);
        });
    }

    /// Hands all light calls to the log, the outermost first, each with its stand, which of the
    /// innermost is `innermost`. Before them comes the stand of the innermost logged call.
    pub(crate) fn drain(
        &self,
        innermost: Stand<L>,
        mut log: impl FnMut(Option<Begun<S, C>>, Stand<L>),
    ) {
        let len = self.len();
        self.change(|| {
            log(None, self.slots[0].stand());
            for (begun, stand) in self.calls(len, innermost) {
                log(Some(begun), stand);
            }
            if let Some(begun) = self.slots[len].begun() {
                self.slots[0].begin(begun);
            }
            self.logged.store(self.depth.load(Relaxed), Relaxed);
        });
    }

    fn calls(
        &self,
        len: usize,
        innermost: Stand<L>,
    ) -> impl Iterator<Item = (Begun<S, C>, Stand<L>)> + '_ {
        let slots = self.slots.iter().enumerate().take(len + 1).skip(1);
        slots.filter_map(move |(at, slot)| {
            let stand = if at == len { innermost } else { slot.stand() };
            Some((slot.begun()?, stand))
        })
    }

    /// The log's stack has `depth` calls now, the innermost of them `top`, which goes on as it stands;
    /// there are no light ones.
    pub(crate) fn set_logged(&self, depth: u32, top: Option<(Begun<S, C>, Stand<L>)>) {
        self.change(|| {
            let (line, heap_start) = match top {
                Some((call, stand)) => {
                    self.slots[0].begin(call);
                    (stand.line, stand.heap_line_start)
                }
                None => {
                    self.slots[0].clear();
                    (None, 0)
                }
            };
            self.logged.store(depth, Relaxed);
            self.depth.store(depth, Relaxed);
            self.hot.go_on(line, heap_start);
        });
    }

    /// By anybody: the line at which the innermost logged call is, of which there are `logged`.
    pub(crate) fn line_of_logged(&self, logged: usize) -> Option<&'static L> {
        let version = self.version.load(Acquire);
        let (line, depth) = (self.hot.line(), self.depth());
        fence(Acquire);
        let held_still = version.is_multiple_of(2) && self.version.load(Relaxed) == version;
        if held_still && depth as usize == logged {
            return line;
        }
        self.slots[0].line.get()
    }

    /// By anybody: the sites of the light calls, as far as they hold still.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &'static S> {
        let slots = self.slots.iter().take(self.len() + 1).skip(1);
        slots.filter_map(|slot| slot.site.get())
    }

    /// By anybody: at which lines the calls are, at one moment; `None` if they never held still.
    /// `wait` is told how often that was tried.
    pub(crate) fn look(&self, mut wait: impl FnMut(usize)) -> Option<Look<S, C, L>> {
        (0..TRIES).find_map(|number| {
            let look = self.look_if_still();
            if look.is_none() {
                wait(number);
            }
            look
        })
    }

    /// The same, tried once.
    pub(crate) fn look_if_still(&self) -> Option<Look<S, C, L>> {
        let version = self.version.load(Acquire);
        if !version.is_multiple_of(2) {
            return None;
        }
        let look = self.look_once();
        fence(Acquire);
        (self.version.load(Relaxed) == version).then_some(look)
    }

    fn look_once(&self) -> Look<S, C, L> {
        let line = self.hot.line();
        let len = self.len().min(self.slots.len() - 1);
        let innermost = Stand {
            line,
            heap_line_start: 0,
            heap_high: 0,
        };
        let calls = self.calls(len, innermost);
        Look {
            logged: if len == 0 {
                line
            } else {
                self.slots[0].line.get()
            },
            light: calls.map(|(begun, stand)| (begun, stand.line)).collect(),
        }
    }

    /// Bytes that it holds beside itself.
    pub(crate) fn bytes(&self) -> u64 {
        size_of_val::<[_]>(&self.slots) as u64
    }

    /// Nobody else takes what they read meanwhile for true.
    #[inline]
    fn change(&self, work: impl FnOnce()) {
        let version = self.version.load(Relaxed);
        self.version.store(version.wrapping_add(1), Relaxed);
        fence(Release);
        work();
        self.version.store(version.wrapping_add(2), Release);
    }
}

/// What somebody else saw.
#[derive(Debug)]
pub(crate) struct Look<S: 'static, C: 'static, L: 'static> {
    /// The line of the innermost logged call.
    pub logged: Option<&'static L>,
    /// The light calls, the outermost first, with their lines.
    pub light: Vec<(Begun<S, C>, Option<&'static L>)>,
}

impl<S, C, L> Slot<S, C, L> {
    fn new() -> Slot<S, C, L> {
        Slot {
            site: Reference::new(),
            cells: Reference::new(),
            panicking: AtomicBool::new(false),
            token: AtomicU64::new(0),
            heap_entry: [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)],
            line: Reference::new(),
            heap_line_start: AtomicI64::new(0),
            heap_high: AtomicI64::new(0),
        }
    }

    #[inline]
    fn begin(&self, call: Begun<S, C>) {
        self.site.set(Some(call.site));
        self.cells.set(Some(call.cells));
        self.panicking.store(call.panicking, Relaxed);
        self.token.store(call.token, Relaxed);
        let [allocated, freed, allocations] = &self.heap_entry;
        allocated.store(call.heap.allocated, Relaxed);
        freed.store(call.heap.freed, Relaxed);
        allocations.store(call.heap.allocations, Relaxed);
    }

    fn clear(&self) {
        self.site.set(None);
        self.cells.set(None);
    }

    #[inline]
    fn begun(&self) -> Option<Begun<S, C>> {
        let [allocated, freed, allocations] = &self.heap_entry;
        Some(Begun {
            site: self.site.get()?,
            cells: self.cells.get()?,
            panicking: self.panicking.load(Relaxed),
            token: self.token.load(Relaxed),
            heap: Counts {
                allocated: allocated.load(Relaxed),
                freed: freed.load(Relaxed),
                allocations: allocations.load(Relaxed),
            },
        })
    }

    #[inline]
    fn set_stand(&self, stand: Stand<L>) {
        self.line.set(stand.line);
        self.heap_line_start.store(stand.heap_line_start, Relaxed);
        self.heap_high.store(stand.heap_high, Relaxed);
    }

    #[inline]
    fn stand(&self) -> Stand<L> {
        Stand {
            line: self.line.get(),
            heap_line_start: self.heap_line_start.load(Relaxed),
            heap_high: self.heap_high.load(Relaxed),
        }
    }
}
