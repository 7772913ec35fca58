//! Profiled async functions do what they did: results, drops and their order, auto traits, also
//! when they are dropped half-way. Each one is compiled twice, with the attribute and without.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use memprof_tests::functions;

thread_local!(static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

fn log(what: impl Into<String>) {
    LOG.with(|log| log.borrow_mut().push(what.into()));
}

/// Writes down its end.
#[derive(Debug)]
struct Noisy(u32);

impl Drop for Noisy {
    fn drop(&mut self) {
        log(format!("-{}", self.0));
    }
}

/// Pending once.
#[derive(Default)]
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

fn pause() -> Pause {
    Pause::default()
}

/// What `future` gave, if it was done after `polls` polls, and everything written down meanwhile.
fn observed<T: std::fmt::Debug>(
    polls: u32,
    future: impl Future<Output = T>,
) -> (String, Vec<String>) {
    LOG.with(|log| log.borrow_mut().clear());
    let mut result = String::from("dropped");
    {
        let mut future = pin!(future);
        for _ in 0..polls {
            if let Poll::Ready(value) = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                result = format!("{value:?}");
                break;
            }
        }
    }
    (result, LOG.with(|log| log.borrow().clone()))
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

macro_rules! compare {
    ($($test:ident: $call:expr;)*) => {$(
        #[test]
        fn $test() {
            for polls in 0..6 {
                assert_eq!(
                    observed(polls, { use plain::*; $call }),
                    observed(polls, { use profiled::*; $call }),
                    "{polls} polls"
                );
            }
        }
    )*};
}

compare! {
    parameters: assert_send(parameters(Noisy(1), Noisy(2), Noisy(3)));
    kept_parameters: assert_send(kept(Noisy(1), (Noisy(2), Noisy(3)), Noisy(4)));
    failure: assert_send(fails("x", Noisy(1)));
    success: assert_send(fails("7", Noisy(1)));
    dynamic_results: async { dynamic(true).await(1) + dynamic(false).await(2) };
    methods: async {
        let mut counter = Counter(vec![1]);
        *counter.first(5).await += 1;
        counter.sum().await + counter.boxed(&3).await
    };
    parts: assert_send(parts(3));
    recursion: recursive(3);
    single_threaded: not_send();
    never: async { never(Noisy(1)).await; };
}

functions! {
    pub(super) async fn parameters(a: Noisy, _b: Noisy, c: Noisy) -> u32 {
        let d = Noisy(10);
        pause().await;
        drop(a);
        let e = Noisy(11);
        pause().await;
        c.0 + d.0 + e.0
    }

    pub(super) async fn kept(a: Noisy, (b, c): (Noisy, Noisy), mut d: Noisy) -> u32 {
        pause().await;
        d.0 += 1;
        log(format!("{} {} {} {}", a.0, b.0, c.0, d.0));
        let partly = (Noisy(20), Noisy(21));
        drop(partly.0);
        pause().await;
        1
    }

    pub(super) async fn fails(text: &str, a: Noisy) -> Result<u32, std::num::ParseIntError> {
        let _b = Noisy(2);
        for i in 0..2 {
            let _c = Noisy(10 + i);
            pause().await;
            if i == 1 {
                let number: u32 = text.parse()?;
                return Ok(number + a.0);
            }
        }
        Ok(0)
    }

    pub(super) async fn dynamic(early: bool) -> Box<dyn Fn(u32) -> u32> {
        if early {
            return Box::new(|x| x);
        }
        pause().await;
        Box::new(|x| {
            let y = x;
            y + 1
        })
    }

    pub(super) struct Counter(pub(super) Vec<u32>);

    impl Counter {
        pub(super) async fn first(&mut self, n: u32) -> &mut u32 {
            self.0.push(n);
            pause().await;
            &mut self.0[0]
        }

        pub(super) async fn sum(&self) -> u32 {
            let mut sum = 0;
            for i in &self.0 {
                pause().await;
                sum += i;
            }
            sum
        }

        pub(super) fn boxed<'a>(&'a self, n: &'a u32) -> Pin<Box<dyn Future<Output = u32> + Send + 'a>> {
            Box::pin(async move {
                let a = Noisy(*n);
                pause().await;
                a.0 + self.0[0]
            })
        }
    }

    pub(super) async fn parts(n: u32) -> u32 {
        let a = Noisy(1);
        let part = async {
            let b = Noisy(2);
            pause().await;
            a.0 + b.0
        };
        let moved = {
            let c = Noisy(3);
            async move {
                pause().await;
                c.0 + n
            }
        };
        part.await + moved.await
    }

    pub(super) async fn recursive(n: u32) -> u32 {
        let _a = Noisy(n);
        if n == 0 {
            return 0;
        }
        pause().await;
        n + Box::pin(recursive(n - 1)).await
    }

    pub(super) async fn not_send() -> u32 {
        let shared = std::rc::Rc::new(Noisy(1));
        pause().await;
        shared.0
    }

    pub(super) async fn never(_a: Noisy) -> ! {
        loop {
            let _b = Noisy(2);
            pause().await;
        }
    }
}
