//! The counted calls in progress on a thread: a call costs a few plain stores, and no lock.
//!
//! A call is *measured* when a reading was taken during it, and *counted* until then. Measured calls are
//! on the stack of the thread's state, behind a lock; the counted calls inside them are here. Before the
//! thread takes a reading it promotes all counted calls to measured ones ([`CountedCalls::promote`]). So
//! the measured calls are always the outer ones:
//!
//! ```text
//!   state.stack (locked)       slots (this file)
//!   ┌──────┬──────┬──────┐     ┌───────────┬───┬───┐
//!   │ main │ load │ parse│     │ 0: parse  │ 1 │ 2 │   measured = 3, depth = 5
//!   └──────┴──────┴──────┘     └───────────┴───┴───┘
//!                               stands for   counted calls, the innermost last
//!                               the innermost
//!                               measured call
//!
//!   promote: 1 and 2 move to the stack; slot 0 stands for 2; measured = depth = 5
//! ```
//!
//! Other threads may look at any moment. `version` is odd while the owner changes anything, and changes
//! with every change, so that a reader can tell that what it read does not belong together.

use crate::counters::atomics::{
    AtomicBool, AtomicI64, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use crate::counters::counts::Counts;
use crate::counters::current_line::CurrentLine;
use crate::counters::static_cell::StaticCell;

/// How often another thread tries to read what the owner keeps changing.
const TRIES: usize = 10_000;

/// The counted calls in progress of one thread: calls of sites `S`, with site counters `C` and line
/// counters `L`.
#[derive(Debug)]
pub(crate) struct CountedCalls<S: 'static, C: 'static, L: 'static> {
    /// The line at which the innermost call is.
    pub(crate) current_line: CurrentLine<L>,
    version: AtomicU32,
    /// Number of calls in progress, measured and counted.
    depth: AtomicU32,
    /// Number of measured calls in progress.
    measured: AtomicU32,
    /// The first slot stands for the innermost measured call; the counted calls follow.
    slots: Box<[Slot<S, C, L>]>,
}

#[derive(Debug)]
struct Slot<S: 'static, C: 'static, L: 'static> {
    site: StaticCell<S>,
    counters: StaticCell<C>,
    panicking: AtomicBool,
    /// See [`CallStart::call_id`].
    call_id: AtomicU64,
    heap_entry: [AtomicU64; 3],
    /// These four are the call's position while a callee is in progress.
    line: StaticCell<L>,
    heap_line_start: AtomicI64,
    heap_high: AtomicI64,
    heap_self_start: AtomicI64,
}

/// What a call began with.
#[derive(Debug)]
pub(crate) struct CallStart<S: 'static, C: 'static> {
    pub site: &'static S,
    pub counters: &'static C,
    /// Whether the thread was panicking.
    pub panicking: bool,
    /// The thread's heap at the entry.
    pub heap: Counts,
    /// Names the call to the blocks that it allocates (`heap::call_ids`); 0 as long as it has no name.
    pub call_id: u64,
}

// Derived, `Clone` and `Copy` would demand the same of `S` and `C`.
impl<S, C> Clone for CallStart<S, C> {
    fn clone(&self) -> CallStart<S, C> {
        *self
    }
}

impl<S, C> Copy for CallStart<S, C> {}

/// Where a call is: its line, and the heap as that line began.
#[derive(Debug)]
pub(crate) struct Position<L: 'static> {
    /// `None` where there is no call.
    pub line: Option<&'static L>,
    /// Live bytes of the thread when the line began.
    pub heap_line_start: i64,
    /// The highest since the call began.
    pub heap_high: i64,
    /// From how many live bytes the call's own count: see [`CurrentLine::self_start`].
    pub heap_self_start: i64,
}

impl<L> Clone for Position<L> {
    fn clone(&self) -> Position<L> {
        *self
    }
}

impl<L> Copy for Position<L> {}

impl<L> Position<L> {
    pub(crate) const NOWHERE: Position<L> = Position {
        line: None,
        heap_line_start: 0,
        heap_high: 0,
        heap_self_start: 0,
    };
}

impl<S, C, L> CountedCalls<S, C, L> {
    /// Room for so many counted calls at once; one more is measured. `slow_path`: see [`CurrentLine`].
    pub(crate) fn with_room_for(calls: usize, slow_path: i64) -> CountedCalls<S, C, L> {
        CountedCalls {
            current_line: CurrentLine::new(slow_path),
            version: AtomicU32::new(0),
            depth: AtomicU32::new(0),
            measured: AtomicU32::new(0),
            slots: (0..=calls).map(|_| Slot::new()).collect(),
        }
    }

    /// Number of calls in progress, measured and counted.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.depth.load(Relaxed)
    }

    /// Number of counted calls in progress.
    #[inline]
    fn len(&self) -> usize {
        let measured = self.measured.load(Relaxed);
        self.depth.load(Relaxed).wrapping_sub(measured) as usize
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The innermost call, counted or measured. By the owner only, like all methods that follow.
    #[inline]
    pub(crate) fn innermost(&self) -> Option<(&'static S, &'static C)> {
        let slot = self.slots.get(self.len())?;
        Some((slot.site.get()?, slot.counters.get()?))
    }

    /// The innermost call's id, made by `make` if the call has none yet.
    pub(crate) fn call_id(&self, make: impl FnOnce() -> u64) -> u64 {
        let Some(slot) = self.slots.get(self.len()) else {
            return 0;
        };
        match slot.call_id.load(Relaxed) {
            0 => {
                let call_id = make();
                slot.call_id.store(call_id, Relaxed);
                call_id
            }
            call_id => call_id,
        }
    }

    /// Begins a counted call and gives its depth; `None` if there is no room. The call is at `first`; its
    /// caller stays at `outer` meanwhile.
    // What is at hand is written down before `outer` is asked for: the fewer values there are at once, the fewer
    // registers an entry has to save.
    #[inline]
    pub(crate) fn push(
        &self,
        call: CallStart<S, C>,
        first: &'static L,
        outer: impl FnOnce() -> Position<L>,
    ) -> Option<u32> {
        let at = self.len();
        let slot = self.slots.get(at + 1)?;
        let below = &self.slots[at];
        let depth = self.depth.load(Relaxed);
        self.change(|| {
            slot.begin(call);
            below.set_position(outer());
            self.current_line.begin(first);
            self.current_line.set_self_start(call.heap.live());
            self.depth.store(depth + 1, Relaxed);
        });
        Some(depth)
    }

    /// The call at `depth`, if it is the innermost one and counted.
    #[inline]
    pub(crate) fn top(&self, depth: u32) -> Option<Top<'_, S, C, L>> {
        let at = self.len();
        if at == 0 || self.depth.load(Relaxed) != depth + 1 {
            return None;
        }
        let slots = self.slots.get(at - 1..)?.first_chunk()?;
        let counters = slots[1].counters.get()?;
        Some(Top { counters, slots })
    }

    /// The line of the innermost call around the counted one that counts on the same `counters`, if it is
    /// counted, too, or the innermost measured call.
    pub(crate) fn around(&self, counters: &'static C) -> Option<&'static L> {
        let outer = self.slots.get(..self.len())?.iter().rev();
        let mut same = outer.filter(|slot| {
            let of = slot.counters.get();
            of.is_some_and(|of| std::ptr::eq(of, counters))
        });
        same.next()?.line.get()
    }

    /// Ends the call at `depth`, the innermost. Of its caller's live bytes, `kept` are the call's.
    #[inline]
    pub(crate) fn pop(&self, depth: u32, top: Top<'_, S, C, L>, kept: i64) {
        self.change(|| {
            let outer = top.caller();
            self.depth.store(depth, Relaxed);
            self.current_line.go_on(outer.line, outer.heap_line_start);
            let self_start = outer.heap_self_start.wrapping_add(kept);
            self.current_line.set_self_start(self_start);
        });
    }

    /// The call that [`CountedCalls::pop`] has just ended: its slot stays as it is until another call begins.
    pub(crate) fn just_ended(&self) -> Option<CallStart<S, C>> {
        self.slots.get(self.len() + 1)?.start()
    }

    /// Makes all counted calls measured:
    ///
    /// 1. hands the position of the innermost measured call to `put`, without a call;
    /// 2. hands every counted call with its position to `put`, the outermost first; the innermost call is
    ///    at `innermost`;
    /// 3. lets the first slot stand for the innermost of them.
    pub(crate) fn promote(
        &self,
        innermost: Position<L>,
        mut put: impl FnMut(Option<CallStart<S, C>>, Position<L>),
    ) {
        let len = self.len();
        self.change(|| {
            put(None, self.slots[0].position());
            for (start, position) in self.calls(len, innermost) {
                put(Some(start), position);
            }
            if let Some(start) = self.slots[len].start() {
                self.slots[0].begin(start);
            }
            self.measured.store(self.depth.load(Relaxed), Relaxed);
        });
    }

    fn calls(
        &self,
        len: usize,
        innermost: Position<L>,
    ) -> impl Iterator<Item = (CallStart<S, C>, Position<L>)> + '_ {
        let slots = self.slots.iter().enumerate().take(len + 1).skip(1);
        slots.filter_map(move |(at, slot)| {
            let position = if at == len {
                innermost
            } else {
                slot.position()
            };
            Some((slot.start()?, position))
        })
    }

    /// The stack has `depth` measured calls now, and no counted call is in progress. The innermost call,
    /// `top`, goes on at its position.
    pub(crate) fn set_measured(&self, depth: u32, top: Option<(CallStart<S, C>, Position<L>)>) {
        self.change(|| {
            let position = match top {
                Some((call, position)) => {
                    self.slots[0].begin(call);
                    position
                }
                None => {
                    self.slots[0].clear();
                    Position::NOWHERE
                }
            };
            self.measured.store(depth, Relaxed);
            self.depth.store(depth, Relaxed);
            self.current_line
                .go_on(position.line, position.heap_line_start);
            self.current_line.set_self_start(position.heap_self_start);
        });
    }

    /// By anybody: the line of the innermost measured call, given that there are `measured` of them.
    pub(crate) fn line_of_measured(&self, measured: usize) -> Option<&'static L> {
        let version = self.version.load(Acquire);
        let (line, depth) = (self.current_line.line(), self.depth());
        fence(Acquire);
        let held_still = version.is_multiple_of(2) && self.version.load(Relaxed) == version;
        if held_still && depth as usize == measured {
            return line;
        }
        self.slots[0].line.get()
    }

    /// By anybody: the sites of the counted calls. Approximate: the owner may go on meanwhile.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &'static S> {
        let slots = self.slots.iter().take(self.len() + 1).skip(1);
        slots.filter_map(|slot| slot.site.get())
    }

    /// By anybody: the counted calls and their lines at one moment; `None` if the owner never held still.
    /// `wait` is called after each failed try, with the number of that try.
    pub(crate) fn look(&self, mut wait: impl FnMut(usize)) -> Option<StackView<S, C, L>> {
        (0..TRIES).find_map(|number| {
            let look = self.look_if_still();
            if look.is_none() {
                wait(number);
            }
            look
        })
    }

    /// [`CountedCalls::look`], tried once.
    pub(crate) fn look_if_still(&self) -> Option<StackView<S, C, L>> {
        let version = self.version.load(Acquire);
        if !version.is_multiple_of(2) {
            return None;
        }
        let look = self.look_once();
        fence(Acquire);
        (self.version.load(Relaxed) == version).then_some(look)
    }

    fn look_once(&self) -> StackView<S, C, L> {
        let line = self.current_line.line();
        let len = self.len().min(self.slots.len() - 1);
        let innermost = Position {
            line,
            // Below that of a thread that has freed more than it allocated.
            heap_high: i64::MIN,
            ..Position::NOWHERE
        };
        let calls = self.calls(len, innermost);
        StackView {
            measured: if len == 0 {
                innermost
            } else {
                self.slots[0].position()
            },
            counted: calls.collect(),
        }
    }

    /// Bytes that it holds beside itself.
    pub(crate) fn bytes(&self) -> u64 {
        size_of_val::<[_]>(&self.slots) as u64
    }

    /// Runs `work` so that other threads discard what they read meanwhile.
    #[inline]
    fn change(&self, work: impl FnOnce()) {
        let version = self.version.load(Relaxed);
        self.version.store(version.wrapping_add(1), Relaxed);
        fence(Release);
        work();
        self.version.store(version.wrapping_add(2), Release);
    }
}

/// What another thread saw of the calls at one moment.
#[derive(Debug)]
pub(crate) struct StackView<S: 'static, C: 'static, L: 'static> {
    /// Where the innermost measured call is.
    pub measured: Position<L>,
    /// The counted calls, the outermost first, and where they are. Of the innermost call of all only the line
    /// is known.
    pub counted: Vec<(CallStart<S, C>, Position<L>)>,
}

/// The innermost call, which is counted. Its exit loads each part where it needs it: loaded all at once, most of them
/// would have to be written down again.
// Two pointers: so many are handed on in registers.
#[derive(Debug)]
pub(crate) struct Top<'calls, S: 'static, C: 'static, L: 'static> {
    pub counters: &'static C,
    /// Its caller's slot, and its own.
    slots: &'calls [Slot<S, C, L>; 2],
}

// Derived, `Clone` and `Copy` would demand the same of `S`, `C` and `L`.
impl<S, C, L> Clone for Top<'_, S, C, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, C, L> Copy for Top<'_, S, C, L> {}

impl<S, C, L> Top<'_, S, C, L> {
    pub(crate) fn site(self) -> Option<&'static S> {
        self.slots[1].site.get()
    }

    /// The thread's heap at the entry.
    #[inline]
    pub(crate) fn heap(self) -> Counts {
        self.slots[1].heap_entry()
    }

    /// Whether the thread was panicking at the entry.
    #[inline]
    pub(crate) fn panicking(self) -> bool {
        self.slots[1].panicking.load(Relaxed)
    }

    /// See [`CallStart::call_id`].
    #[inline]
    pub(crate) fn call_id(self) -> u64 {
        self.slots[1].call_id.load(Relaxed)
    }

    /// Where its caller is.
    #[inline]
    pub(crate) fn caller(self) -> Position<L> {
        self.slots[0].position()
    }

    /// See [`Position::heap_high`].
    #[inline]
    pub(crate) fn heap_high_of_caller(self) -> i64 {
        self.slots[0].heap_high.load(Relaxed)
    }
}

impl<S, C, L> Slot<S, C, L> {
    fn new() -> Slot<S, C, L> {
        Slot {
            site: StaticCell::new(),
            counters: StaticCell::new(),
            panicking: AtomicBool::new(false),
            call_id: AtomicU64::new(0),
            heap_entry: [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)],
            line: StaticCell::new(),
            heap_line_start: AtomicI64::new(0),
            heap_high: AtomicI64::new(0),
            heap_self_start: AtomicI64::new(0),
        }
    }

    #[inline]
    fn begin(&self, call: CallStart<S, C>) {
        self.site.set(Some(call.site));
        self.counters.set(Some(call.counters));
        self.panicking.store(call.panicking, Relaxed);
        self.call_id.store(call.call_id, Relaxed);
        let [allocated, freed, allocations] = &self.heap_entry;
        allocated.store(call.heap.allocated, Relaxed);
        freed.store(call.heap.freed, Relaxed);
        allocations.store(call.heap.allocations, Relaxed);
    }

    fn clear(&self) {
        self.site.set(None);
        self.counters.set(None);
    }

    #[inline]
    fn heap_entry(&self) -> Counts {
        let [allocated, freed, allocations] = &self.heap_entry;
        Counts {
            allocated: allocated.load(Relaxed),
            freed: freed.load(Relaxed),
            allocations: allocations.load(Relaxed),
        }
    }

    fn start(&self) -> Option<CallStart<S, C>> {
        Some(CallStart {
            site: self.site.get()?,
            counters: self.counters.get()?,
            panicking: self.panicking.load(Relaxed),
            call_id: self.call_id.load(Relaxed),
            heap: self.heap_entry(),
        })
    }

    #[inline]
    fn set_position(&self, position: Position<L>) {
        self.line.set(position.line);
        self.heap_line_start
            .store(position.heap_line_start, Relaxed);
        self.heap_high.store(position.heap_high, Relaxed);
        self.heap_self_start
            .store(position.heap_self_start, Relaxed);
    }

    #[inline]
    fn position(&self) -> Position<L> {
        Position {
            line: self.line.get(),
            heap_line_start: self.heap_line_start.load(Relaxed),
            heap_high: self.heap_high.load(Relaxed),
            heap_self_start: self.heap_self_start.load(Relaxed),
        }
    }
}
