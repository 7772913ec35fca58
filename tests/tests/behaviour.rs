//! Profiled functions do what they did: the same results, the same drops in the same order, the
//! same panics. Each function is compiled twice, with the attribute and without.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use memprof_tests::functions;

thread_local!(static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

fn log(what: impl Into<String>) {
    LOG.with(|log| log.borrow_mut().push(what.into()));
}

/// Writes down its birth and its end.
#[derive(Debug)]
struct Noisy(u32);

fn noisy(id: u32) -> Noisy {
    log(format!("+{id}"));
    Noisy(id)
}

impl Noisy {
    fn id(&self) -> u32 {
        log(format!("id {}", self.0));
        self.0
    }

    fn myself(&self) -> &Noisy {
        self
    }

    fn checked(self, limit: u32) -> Result<Noisy, Noisy> {
        if self.0 < limit { Ok(self) } else { Err(self) }
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        log(format!("-{}", self.0));
    }
}

/// What `work` returned or panicked with, and everything that was written down meanwhile.
fn observed<T: std::fmt::Debug>(work: impl FnOnce() -> T) -> (String, Vec<String>) {
    LOG.with(|log| log.borrow_mut().clear());
    let result = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => format!("{value:?}"),
        Err(panic) => format!("{:?}", panic.downcast_ref::<&str>()),
    };
    (result, LOG.with(|log| log.borrow().clone()))
}

macro_rules! compare {
    ($($test:ident: $($call:expr),+;)*) => {$(
        #[test]
        fn $test() {
            $(assert_eq!(
                observed(|| { use plain::*; $call }),
                observed(|| { use profiled::*; $call })
            );)+
        }
    )*};
}

compare! {
    locals_drop_in_reverse: locals();
    parameters_drop_last: parameters(noisy(1), noisy(2), (noisy(3), noisy(4)));
    temporaries_of_the_tail: tail_temporary(), tail_match();
    temporaries_of_arms: arm(0), arm(1), arm(2), arm(3);
    extended_temporaries: extended(0), extended(1);
    scrutinees_live_on: scrutinee(0), scrutinee(1);
    let_else: otherwise(0), otherwise(1);
    loops: loops(0), loops(3), loops(7), loops(20);
    values_of_loops: loop_value(0), loop_value(5);
    jumps: jumps(0), jumps(1), jumps(2), jumps(3), jumps(4), jumps(5);
    question_marks: question(0), question(1), question(2), question(3);
    panics: panics(0), panics(1), panics(2);
    blocks_in_expressions: inside(0), inside(1);
    closures: closures(0), closures(4);
    regions: region(0), region(1), region(2);
    shadows: shadows();
    braced_macros: braced(0), braced(1);
    moves: moves(noisy(1), true), moves(noisy(1), false);
    chains: chain(Some(1)), chain(Some(7)), chain(None);
    places: places(0), places(1);
    assignments: assignments();
}

macro_rules! plus {
    ($left:expr, $right:expr) => {
        $left + $right
    };
}

functions! {
    #[allow(clippy::let_and_return)]
    pub(super) fn locals() -> u32 {
        let a = noisy(1);
        let _ = noisy(2);
        let _b = noisy(3);
        {
            let _c = noisy(4);
            let _d = noisy(5);
        }
        let result = a.id();
        result
    }

    pub(super) fn parameters(a: Noisy, _: Noisy, (b, _): (Noisy, Noisy)) -> u32 {
        let _c = noisy(5);
        a.id() + b.id()
    }

    pub(super) fn tail_temporary() -> u32 {
        let _a = noisy(1);
        noisy(2).myself().id()
    }

    pub(super) fn tail_match() -> u32 {
        let _a = noisy(1);
        match noisy(2).id() {
            2 => noisy(3).id(),
            other => other,
        }
    }

    pub(super) fn arm(n: u32) -> u32 {
        let result = match n {
            0 => noisy(1).myself().id(),
            1 => noisy(2).id() + noisy(3).id(),
            2 => {
                let a = noisy(4);
                a.id() + noisy(5).id()
            }
            _ => if noisy(6).id() > 1 {
                noisy(7).id()
            } else {
                8
            },
        };
        log("after");
        result
    }

    pub(super) fn extended(n: u32) -> u32 {
        let reference = match n {
            0 => &noisy(1),
            _ => &noisy(2),
        };
        log("between");
        let another = if n == 0 {
            &noisy(3)
        } else {
            &noisy(4)
        };
        reference.id() + another.id()
    }

    pub(super) fn scrutinee(n: u32) -> u32 {
        let mut result = 0;
        if let Ok(a) = noisy(n).checked(1) {
            let _b = noisy(10);
            result += a.id();
        } else {
            let _c = noisy(11);
            result += 1;
        }
        match noisy(n).myself().checked_ref() {
            Some(a) => {
                let _d = noisy(12);
                result += a.id();
            }
            None => result += 100,
        }
        while let Some(a) = noisy(20 + result).myself().checked_ref() {
            log("in");
            result += a.id();
        }
        result
    }

    pub(super) fn otherwise(n: u32) -> u32 {
        let _a = noisy(1);
        let Ok(b) = noisy(n).checked(1) else {
            let c = noisy(2);
            return c.id();
        };
        b.id()
    }

    pub(super) fn loops(n: u32) -> Vec<u32> {
        let mut seen = Vec::new();
        for i in 0..n {
            let a = noisy(i);
            if i == 2 { continue; }
            if i == 5 {
                let _b = noisy(100);
                break;
            }
            seen.push(a.id());
        }
        let mut i = 0;
        while noisy(i).id() < n {
            let _c = noisy(200 + i);
            i += 1;
            if i > 6 {
                return seen;
            }
        }
        seen
    }

    pub(super) fn loop_value(n: u32) -> u32 {
        let mut i = 0;
        let value = loop {
            let a = noisy(i);
            if i >= n {
                break a.id() * 2;
            }
            i += 1;
        };
        value + 'block: {
            let b = noisy(50);
            if n > 3 {
                break 'block b.id();
            }
            1
        }
    }

    pub(super) fn jumps(n: u32) -> u32 {
        let mut total = 0;
        'outer: for i in 0..4 {
            let _a = noisy(i);
            'inner: loop {
                let _b = noisy(10 + i);
                match n {
                    0 => break,
                    1 => continue 'outer,
                    2 => break 'outer,
                    3 => return total,
                    4 if i > 1 => break 'inner,
                    _ => {
                        total += 1;
                        if total > 5 { break 'outer; }
                    }
                }
                total += 1;
            }
            total += 100;
        }
        total
    }

    pub(super) fn question(n: u32) -> Result<u32, String> {
        let a = noisy(n);
        let b = a.myself().fail_at(1)?;
        for i in 0..3 {
            let c = noisy(10 + i);
            if i == 1 {
                c.fail_at(if n == 2 { 11 } else { 0 })?;
            }
        }
        Ok(b + noisy(5).fail_at(if n == 3 { 5 } else { 0 })?)
    }

    pub(super) fn panics(n: u32) -> u32 {
        let a = noisy(1);
        for i in 0..3 {
            let _b = noisy(10 + i);
            if i == n {
                panic!("at {}", "once");
            }
        }
        a.id()
    }

    pub(super) fn inside(n: u32) -> u32 {
        let sum = plus!(noisy(1).id(), 1) + {
            let a = noisy(2);
            a.id()
        } + if n == 0 {
            let b = noisy(3);
            b.id()
        } else {
            noisy(4).id()
        } +
        // SAFETY: the pointer is to `n`.
        unsafe {
            let pointer = &raw const n;
            *pointer
        };
        [
            sum,
            {
                let c = noisy(5);
                c.id()
            },
        ]
        .iter()
        .sum()
    }

    pub(super) fn closures(n: u32) -> Vec<u32> {
        let _a = noisy(1);
        let mut count = 0;
        let mut counted = |i: u32| {
            let b = noisy(10 + i);
            count += 1;
            if i == 2 {
                return 0;
            }
            b.id()
        };
        let mut all: Vec<_> = (0..n).map(&mut counted).collect();
        let owned = noisy(30);
        let moved = move |i: u32| match i {
            0 => owned.id(),
            i => i,
        };
        all.push(moved(0));
        all.push(count);
        all
    }

    pub(super) fn region(n: u32) -> Result<u32, String> {
        let a = noisy(1);
        for i in 0..3 {
            let b = memprof::block!("region", {
                let b = noisy(10 + i);
                if n == 1 && i == 1 { break; }
                if n == 2 {
                    return Ok(b.id());
                }
                b.fail_at(12)?
            });
            log(format!("value {b}"));
        }
        Ok(a.id())
    }

    #[allow(clippy::shadow_unrelated)]
    pub(super) fn shadows() -> u32 {
        let __memprof = noisy(1);
        let __memprof_end = noisy(2);
        for __memprof_again in 0..2 {
            let __memprof = noisy(10 + __memprof_again);
            __memprof.id();
        }
        __memprof.id() + __memprof_end.id()
    }

    pub(super) fn braced(n: u32) -> u32 {
        let a = match n {
            0 => plus! { noisy(1).id(), 1 },
            _ => plus! { 1, noisy(2).id() } * 2,
        };
        plus! {
            a,
            noisy(3).id()
        }
    }

    pub(super) fn moves(a: Noisy, keep: bool) -> Option<Noisy> {
        let _b = noisy(2);
        if keep {
            return Some(a);
        }
        drop(a);
        None
    }

    pub(super) fn chain(n: Option<u32>) -> u32 {
        if let Some(n) = n
            && let Ok(a) = noisy(n).checked(5)
            && a.id() > 0
        {
            let _b = noisy(10);
            a.id()
        } else {
            noisy(11).id()
        }
    }

    pub(super) fn places(n: u32) -> u32 {
        let mut pair = (noisy(1), noisy(2));
        let place = match n {
            0 => &mut pair.0,
            _ => &mut pair.1,
        };
        *place = noisy(3);
        log("assigned");
        pair.0.id() + pair.1.id()
    }

    pub(super) fn assignments() -> u32 {
        let mut a = noisy(1);
        log(format!("{}", a.0));
        a = {
            let _b = noisy(2);
            noisy(3)
        };
        let mut array = [noisy(4), noisy(5)];
        array[{
            let c = noisy(6);
            (c.id() - 5) as usize
        }] = noisy(7);
        a.id()
    }
}

impl Noisy {
    fn checked_ref(&self) -> Option<&Noisy> {
        (self.0 < 22).then_some(self)
    }

    fn fail_at(&self, id: u32) -> Result<u32, String> {
        match self.0 == id {
            true => Err(format!("at {id}")),
            false => Ok(self.id()),
        }
    }
}
