//! Annotated functions whose work is done by a future: the call is in progress while the future is polled.
//!
//! 1. A poll puts the call on the stack of the thread that polls.
//! 2. Probes find the call through that thread.
//! 3. When the future is pending, the call is taken off the stack until the next poll, which may happen on another
//!    thread.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::frame::ClosureFrame;
use super::limit_guard::{self, LimitGuard, within};
use super::scope_guards::{Probes, guards};
use crate::own_code;
use crate::process::start;
use crate::recorder;
use crate::site::annotated::Site;
use crate::thread::call_stack::ThreadState;
use crate::thread::current;
use crate::thread::open_call::Kind;
use crate::thread::suspended::SuspendedKey;
use crate::thread::thread_recorder::ThreadRecorder;

/// The probes of a future's lines. They hold nothing of a thread, so the future stays `Send`.
#[derive(Debug, Clone, Copy)]
pub struct AsyncProbe(&'static Site);

impl AsyncProbe {
    /// Probes for the lines of `site`.
    #[must_use]
    pub const fn new(site: &'static Site) -> AsyncProbe {
        AsyncProbe(site)
    }

    /// The line `line` begins: one hit.
    #[inline]
    pub fn line(&self, line: u32) {
        Probes::line(*self, line);
    }

    /// [`AsyncProbe::line`] in a loop.
    #[inline]
    pub fn hot_line(&self, line: u32) {
        Probes::line(*self, line);
    }
}

guards!(AsyncProbe, [] AsyncProbe, self => *self);

impl Probes for AsyncProbe {
    #[inline]
    fn line(self, line: u32) {
        if let Some(_inside) = own_code::enter()
            && let Some(call) = current::current_call_of(self.0)
        {
            call.line(line);
        }
    }

    #[inline]
    fn hot_line(self, line: u32) {
        self.line(line);
    }

    #[inline]
    fn resume(self, line: u32) {
        if let Some(_inside) = own_code::enter()
            && let Some(call) = current::current_call_of(self.0)
        {
            call.resume(line);
        }
    }

    #[inline]
    fn loops_left(self) -> u32 {
        current::loops_being_left()
    }

    #[inline]
    fn set_loops_left(self, loops: u32) {
        current::set_loops_being_left(loops);
    }
}

/// Makes a call of `site` out of `future`: from its first poll to its end.
pub fn profiled<F: Future>(site: &'static Site, future: F) -> Profiled<F> {
    Profiled {
        future: Some(future),
        call: FutureCall {
            site,
            state: State::New,
        },
    }
}

pin_project! {
    /// See [`profiled`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Profiled<F> {
        // `None` only while this is being dropped: the future is dropped first, during its call.
        #[pin]
        future: Option<F>,
        call: FutureCall,
    }

    impl<F> PinnedDrop for Profiled<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let mut future = this.future;
            this.call.cancel(|| future.set(None));
        }
    }
}

impl<F: Future> Future for Profiled<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            // Nobody polls a future that is being dropped.
            return Poll::Pending;
        };
        let site = this.call.site;
        let mut guard = PollGuard::begin(this.call);
        let result = future.poll(context);
        if result.is_pending() {
            guard.suspend();
        }
        drop(guard);
        if site.has_limits() && result.is_ready() {
            return within(&LimitGuard::new(site), result);
        }
        result
    }
}

/// The call that a future stands for.
#[derive(Debug)]
struct FutureCall {
    site: &'static Site,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Not polled yet.
    New,
    /// Suspended, and found with this key.
    Suspended(SuspendedKey),
    /// Ended, or not recorded.
    Over,
}

impl FutureCall {
    /// Puts the call on this thread's stack. Gives the thread's recorder and the call's depth.
    fn open(&mut self) -> Option<(&'static ThreadRecorder, u32)> {
        let Some(_inside) = own_code::enter() else {
            if matches!(self.state, State::New) {
                self.state = State::Over;
                self.site.count_only();
            }
            return None;
        };
        let state = std::mem::replace(&mut self.state, State::Over);
        if matches!(state, State::Over) {
            return None;
        }
        let recorder = start::recorder()?;
        let thread = current::recorder(&recorder.threads)?;
        let site = recorder.register(self.site);
        current::set_loops_being_left(0);
        let depth = match state {
            State::Suspended(key) => thread.resume(recorder.threads.suspended.take(key)?),
            _ => thread.enter(site, Kind::Call).depth(),
        };
        Some((thread, depth))
    }

    /// The future is dropped before its end. `drop_future` still runs during the call.
    fn cancel(&mut self, drop_future: impl FnOnce()) {
        let open = match self.state {
            State::Suspended(_) => self.open(),
            State::New | State::Over => None,
        };
        drop_future();
        if let Some((thread, depth)) = open {
            close(thread, depth, true);
            if self.site.has_limits() {
                limit_guard::report(self.site);
            }
        }
    }
}

/// One poll. Dropping it ends the call, unless `suspend` was called: the future is ready, or has panicked.
struct PollGuard<'call> {
    call: &'call mut FutureCall,
    open: Option<(&'static ThreadRecorder, u32)>,
}

impl<'call> PollGuard<'call> {
    fn begin(call: &'call mut FutureCall) -> PollGuard<'call> {
        let open = call.open();
        PollGuard { call, open }
    }

    /// The future is pending: takes the call off the thread's stack.
    fn suspend(&mut self) {
        if let Some((thread, depth)) = self.open.take()
            && let Some(_inside) = own_code::enter()
            && let Some(recorder) = recorder::running()
            && let Some(call) = thread.suspend(depth)
        {
            let (key, spare) = recorder.threads.suspended.put(call);
            self.call.state = State::Suspended(key);
            if let Some(series) = spare {
                thread.take_back(series);
            }
        }
    }
}

impl Drop for PollGuard<'_> {
    fn drop(&mut self) {
        if let Some((thread, depth)) = self.open {
            close(thread, depth, false);
        }
    }
}

/// Ends the call at `depth`.
fn close(thread: &ThreadRecorder, depth: u32, cancelled: bool) {
    if let Some(_inside) = own_code::enter() {
        thread.close(depth, cancelled, ThreadState::finish_call);
    }
}

/// Makes `future`, an async block inside the function of `site`, count its lines like a closure.
pub fn part<F: Future>(site: &'static Site, future: F) -> AsyncBlock<F> {
    AsyncBlock {
        future,
        site,
        line: None,
    }
}

pin_project! {
    /// See [`part`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AsyncBlock<F> {
        #[pin]
        future: F,
        site: &'static Site,
        // The line at which it was last suspended.
        line: Option<u32>,
    }
}

impl<F: Future> Future for AsyncBlock<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let frame = ClosureFrame::enter(this.site);
        if let Some(line) = *this.line {
            Probes::resume(frame.probe(), line);
        }
        let result = this.future.poll(context);
        *this.line = frame.current_line();
        result
    }
}

/// Stands for a value that is never made; generated code only needs its type.
#[cold]
pub fn never<T>() -> T {
    unreachable!("generated code never runs this")
}

#[cfg(test)]
mod tests;
