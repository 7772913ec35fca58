//! Profiled functions that carry other attributes too: what those do stays as it was, and lines are
//! measured all the same.

#![deny(warnings)]

use async_trait::async_trait;
use memprof::profile_memory;
use memprof::run::FunctionProfile;

/// The profile of `name` in this module, once it has been called.
fn profile(name: &str) -> FunctionProfile {
    let run = memprof::snapshot().expect("a call was made");
    let mut functions = run.functions.into_iter();
    functions
        .find(|profile| profile.name.ends_with(name))
        .unwrap_or_else(|| panic!("{name} is not in the run"))
}

/// Calls, and the hits of every line that has been executed.
fn hits(name: &str) -> (u64, Vec<u64>) {
    let profile = profile(name);
    let lines = profile.lines.iter().map(|line| line.hits);
    (profile.calls, lines.filter(|&hits| hits > 0).collect())
}

#[async_trait]
trait Store {
    async fn length(&self, key: &str) -> usize;

    async fn lengths(&self, keys: &[&str]) -> usize {
        let mut sum = 0;
        for key in keys {
            sum += self.length(key).await;
        }
        sum
    }
}

struct Above;
struct Below;

#[profile_memory]
#[async_trait]
impl Store for Above {
    async fn length(&self, key: &str) -> usize {
        let copy = key.to_owned();
        tokio::task::yield_now().await;
        copy.len()
    }
}

#[async_trait]
#[profile_memory]
impl Store for Below {
    async fn length(&self, key: &str) -> usize {
        let copy = key.to_owned();
        tokio::task::yield_now().await;
        copy.len()
    }
}

#[tokio::test]
async fn async_trait_above_and_below() {
    assert_eq!(Above.lengths(&["a", "bc"]).await, 3);
    assert_eq!(Below.lengths(&["def", "g"]).await, 4);
    for name in [
        "Above as attributes::Store>::length",
        "Below as attributes::Store>::length",
    ] {
        let (calls, lines) = hits(name);
        assert_eq!(calls, 2, "{name}");
        assert!(
            lines.len() >= 3 && lines.iter().all(|&hits| hits == 2),
            "{name}: {lines:?}"
        );
    }
}

#[profile_memory]
#[tokio::test]
async fn tokio_test_below() {
    let word = "word".to_owned();
    tokio::task::yield_now().await;
    assert_eq!(word.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[profile_memory]
async fn tokio_test_above() {
    let word = tokio::spawn(async { "word".to_owned() })
        .await
        .expect("it ends");
    assert_eq!(word.len(), 4);
}

mod mains {
    use super::profile_memory;

    #[profile_memory]
    #[tokio::main(flavor = "current_thread")]
    pub(super) async fn below() -> usize {
        let word = String::from("tokio");
        tokio::task::yield_now().await;
        word.len()
    }

    #[tokio::main(flavor = "current_thread")]
    #[profile_memory]
    pub(super) async fn above() -> usize {
        let word = String::from("tokio");
        tokio::task::yield_now().await;
        word.len()
    }
}

#[test]
fn tokio_main() {
    assert_eq!((mains::below(), mains::above()), (5, 5));
    assert_eq!(hits("mains::below"), (1, vec![1, 1, 1, 1]));
    // What tokio adds runs the future: it is on the lines whose spans it borrowed.
    assert_eq!(hits("mains::above").0, 1);
}

#[profile_memory]
#[tracing::instrument]
fn traced_below(n: usize) -> usize {
    let numbers = vec![1; n];
    numbers.len()
}

#[tracing::instrument(skip_all, fields(n))]
#[profile_memory]
async fn traced_above(n: usize) -> usize {
    let numbers = vec![1; n];
    tokio::task::yield_now().await;
    numbers.len()
}

#[tokio::test]
async fn tracing_instrument() {
    assert_eq!(traced_below(3) + traced_above(4).await, 7);
    assert_eq!(hits("traced_below"), (1, vec![1, 1, 1]));
    // The first is the function's header, where tracing awaits the instrumented body.
    assert_eq!(hits("traced_above"), (1, vec![1, 1, 1, 1, 1]));
}

#[profile_memory]
#[unsafe(no_mangle)]
extern "C" fn memprof_tests_exported(n: u32) -> u32 {
    let twice = n * 2;
    twice + 1
}

#[test]
fn no_mangle() {
    unsafe extern "C" {
        #[link_name = "memprof_tests_exported"]
        safe fn by_its_symbol(n: u32) -> u32;
    }
    assert_eq!(by_its_symbol(4), 9);
    assert_eq!(hits("memprof_tests_exported"), (1, vec![1, 1, 1]));
}

#[cfg(target_arch = "x86_64")]
mod features {
    use super::{hits, profile_memory};

    #[profile_memory]
    // Every x86-64 processor has it, so that the test is never left out.
    #[target_feature(enable = "sse2")]
    #[inline]
    fn sum(numbers: &[u32]) -> u32 {
        let mut sum = 0;
        for number in numbers {
            sum += number;
        }
        sum
    }

    #[test]
    fn target_feature() {
        // SAFETY: the processor has the feature.
        assert_eq!(unsafe { sum(&[1, 2, 3]) }, 6);
        assert_eq!(hits("features::sum").0, 1);
    }
}

#[profile_memory]
#[must_use = "it is the point"]
#[track_caller]
#[cold]
#[inline(never)]
#[allow(clippy::let_and_return)]
fn where_called() -> u32 {
    let line = std::panic::Location::caller().line();
    line
}

#[test]
fn lint_and_codegen_attributes() {
    assert_eq!(where_called(), line!());
    assert_eq!(hits("where_called"), (1, vec![1, 1, 1]));
}
