//! The calls of a thread that no reading has met, in plain cells: entering and leaving one takes no
//! lock.
//!
//! Calls that a reading has met are *logged*: they are on the log's stack, behind the lane's lock. The
//! calls inside the innermost of these are *light*. Their thread pushes and pops them here with plain
//! stores; before it takes a reading it moves them to the log. Other threads look on: `version` is odd
//! while a call is pushed or popped, so that they see when what they read does not belong together.

// The atomics come from the parent, so that a test can include this file with loom's.
use super::sync::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use crate::heap::Counts;

/// In place of a line, while none of the call has begun.
pub(crate) const NO_LINE: u32 = u32::MAX;

/// How often somebody else tries to read what the thread keeps changing.
const TRIES: usize = 10_000;

/// The calls in progress of one thread, as far as they are light.
#[derive(Debug)]
pub(crate) struct Light<S: 'static, C: 'static> {
    version: AtomicU32,
    /// Calls in progress, the logged ones included.
    depth: AtomicU32,
    /// How many of them are logged.
    logged: AtomicU32,
    /// The line at which the innermost call is, below the depth of that call.
    place: AtomicU64,
    /// The first stands for the innermost logged call; the light ones follow.
    slots: Box<[Slot<S, C>]>,
}

#[derive(Debug)]
struct Slot<S: 'static, C: 'static> {
    site: Reference<S>,
    cells: Reference<C>,
    panicking: AtomicBool,
    /// Its name for blocks that are followed, once it has one.
    token: AtomicU64,
    heap_entry: [AtomicU64; 3],
    /// What holds while another call is in progress inside it.
    line: AtomicU32,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stand {
    pub line: u32,
    /// Live bytes of the thread when the line began.
    pub heap_line_start: i64,
    /// The highest since the call began.
    pub heap_high: i64,
}

impl<S, C> Light<S, C> {
    /// For so many calls at once; they are logged when another one begins.
    pub(crate) fn with_room_for(calls: usize) -> Light<S, C> {
        Light {
            version: AtomicU32::new(0),
            depth: AtomicU32::new(0),
            logged: AtomicU32::new(0),
            place: AtomicU64::new(u64::from(NO_LINE)),
            slots: (0..=calls).map(|_| Slot::new()).collect(),
        }
    }

    /// Calls in progress.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.depth.load(Relaxed)
    }

    /// The line at which the innermost call is.
    #[inline]
    pub(crate) fn line(&self) -> u32 {
        self.place.load(Relaxed) as u32
    }

    /// The call at `depth`, which is the innermost, is at `line`.
    #[inline]
    pub(crate) fn set_line(&self, depth: u32, line: u32) {
        self.place
            .store(u64::from(depth) << 32 | u64::from(line), Relaxed);
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

    /// Puts a call on top, inside of one that stands at `outer`; gives its depth. `None` when there
    /// is no room.
    #[inline]
    pub(crate) fn push(&self, call: Begun<S, C>, outer: Stand) -> Option<u32> {
        let at = self.len();
        let (below, slot) = (self.slots.get(at)?, self.slots.get(at + 1)?);
        let depth = self.depth.load(Relaxed);
        self.change(|| {
            below.set_stand(outer);
            slot.begin(call);
            self.set_line(depth, NO_LINE);
            self.depth.store(depth + 1, Relaxed);
        });
        Some(depth)
    }

    /// The call at `depth`, if it is the innermost and light, and where the call around it stands,
    /// with what that one counts on.
    #[inline]
    pub(crate) fn top(&self, depth: u32) -> Option<(Begun<S, C>, Stand, Option<&'static C>)> {
        let at = self.len();
        if at == 0 || self.depth.load(Relaxed) != depth + 1 {
            return None;
        }
        let (below, slot) = (self.slots.get(at - 1)?, self.slots.get(at)?);
        Some((slot.begun()?, below.stand(), below.cells.get()))
    }

    /// Takes the call at `depth` off, the innermost; the one around it goes on at `line`.
    #[inline]
    pub(crate) fn pop(&self, depth: u32, line: u32) {
        self.change(|| {
            self.depth.store(depth, Relaxed);
            self.set_line(depth.wrapping_sub(1), line);
        });
    }

    /// Hands all light calls to the log, the outermost first, each with its stand, which of the
    /// innermost is `innermost`. Before them comes the stand of the innermost logged call.
    pub(crate) fn drain(&self, innermost: Stand, mut log: impl FnMut(Option<Begun<S, C>>, Stand)) {
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
        innermost: Stand,
    ) -> impl Iterator<Item = (Begun<S, C>, Stand)> + '_ {
        let slots = self.slots.iter().enumerate().take(len + 1).skip(1);
        slots.filter_map(move |(at, slot)| {
            let stand = if at == len { innermost } else { slot.stand() };
            Some((slot.begun()?, stand))
        })
    }

    /// The log's stack has `depth` calls now, the innermost of them `top`, at `line`; there are no
    /// light ones.
    pub(crate) fn set_logged(&self, depth: u32, top: Option<Begun<S, C>>, line: u32) {
        self.change(|| {
            match top {
                Some(top) => self.slots[0].begin(top),
                None => self.slots[0].clear(),
            }
            self.logged.store(depth, Relaxed);
            self.depth.store(depth, Relaxed);
            self.set_line(depth.wrapping_sub(1), line);
        });
    }

    /// By anybody: the line at which the innermost logged call is, of which there are `logged`.
    pub(crate) fn line_of_logged(&self, logged: usize) -> u32 {
        let place = self.place.load(Acquire);
        if (place >> 32) as u32 == (logged as u32).wrapping_sub(1) {
            return place as u32;
        }
        self.slots[0].line.load(Relaxed)
    }

    /// By anybody: the sites of the light calls, as far as they hold still.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &'static S> {
        let slots = self.slots.iter().take(self.len() + 1).skip(1);
        slots.filter_map(|slot| slot.site.get())
    }

    /// By anybody: at which lines the calls are, at one moment; `None` if they never held still.
    /// `wait` is told how often that was tried.
    pub(crate) fn look(&self, mut wait: impl FnMut(usize)) -> Option<Look<S, C>> {
        (0..TRIES).find_map(|number| {
            let look = self.look_if_still();
            if look.is_none() {
                wait(number);
            }
            look
        })
    }

    /// The same, tried once.
    pub(crate) fn look_if_still(&self) -> Option<Look<S, C>> {
        let version = self.version.load(Acquire);
        if !version.is_multiple_of(2) {
            return None;
        }
        let look = self.look_once();
        fence(Acquire);
        (self.version.load(Relaxed) == version).then_some(look)
    }

    fn look_once(&self) -> Look<S, C> {
        let line = self.line();
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
                self.slots[0].stand().line
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
pub(crate) struct Look<S: 'static, C: 'static> {
    /// The line of the innermost logged call.
    pub logged: u32,
    /// The light calls, the outermost first, with their lines.
    pub light: Vec<(Begun<S, C>, u32)>,
}

impl<S, C> Slot<S, C> {
    fn new() -> Slot<S, C> {
        Slot {
            site: Reference::new(),
            cells: Reference::new(),
            panicking: AtomicBool::new(false),
            token: AtomicU64::new(0),
            heap_entry: [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)],
            line: AtomicU32::new(NO_LINE),
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
    fn set_stand(&self, stand: Stand) {
        self.line.store(stand.line, Relaxed);
        self.heap_line_start.store(stand.heap_line_start, Relaxed);
        self.heap_high.store(stand.heap_high, Relaxed);
    }

    #[inline]
    fn stand(&self) -> Stand {
        Stand {
            line: self.line.load(Relaxed),
            heap_line_start: self.heap_line_start.load(Relaxed),
            heap_high: self.heap_high.load(Relaxed),
        }
    }
}

/// A cell for a reference to what is never freed.
#[derive(Debug)]
pub(crate) struct Reference<T: 'static>(AtomicPtr<T>);

impl<T> Reference<T> {
    pub(crate) fn new() -> Reference<T> {
        Reference(AtomicPtr::new(std::ptr::null_mut()))
    }

    #[inline]
    pub(crate) fn set(&self, target: Option<&'static T>) {
        let pointer = target.map_or(std::ptr::null_mut(), |target| {
            std::ptr::from_ref(target).cast_mut()
        });
        self.0.store(pointer, Release);
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: it is null, or was made from a `&'static T` by `set`; the acquiring load saw what
        // the thread that set it knew of the target.
        unsafe { self.0.load(Acquire).as_ref() }
    }
}
