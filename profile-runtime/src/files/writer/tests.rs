use std::path::PathBuf;

use super::*;
use crate::Settings;
use crate::os::own_process::alone;
use crate::os::scripted::Script;
use crate::reading::instruments::Instruments;
use crate::site::annotated::Site;
use crate::site::registered::RegisteredSite;
use crate::site::spec::SiteSpec;
use crate::snapshot::whole_run;
use crate::thread::open_call::Kind;
use crate::thread::thread_recorder::ThreadRecorder;
use memprof_report::internal::owner::FILE;

static SITE: Site = Site::new(SiteSpec {
    name: || "demo::f",
    label: None,
    block: None,
    file: "src/f.rs",
    line: 1,
    interval_ns: 1_000_000,
    source: "",
    source_line: 1,
    lines: &[1],
});

/// Where this process keeps runs.
pub(in crate::files) fn root() -> PathBuf {
    std::env::var_os("MEMPROF_DIR")
        .expect("the test has its own")
        .into()
}

/// A writer without a thread, of a recorder on a scripted system. The run's folder is one for the whole
/// process, so each test that writes is alone.
pub(in crate::files) struct Scene {
    pub script: &'static Script,
    thread: &'static ThreadRecorder,
    site: &'static RegisteredSite,
    pub recorder: &'static Recorder,
    pub writer: Writer,
}

impl Scene {
    pub(in crate::files) fn new() -> Scene {
        Scene::in_root(root())
    }

    fn in_root(root: PathBuf) -> Scene {
        let script = Script::leaked(1 << 20);
        let recorder = Recorder::new(Settings::new().dir(root), Instruments::scripted(script));
        let recorder = &*Box::leak(Box::new(recorder));
        let journal = Journal::new(identity::identity(recorder)).expect("the start can be read");
        Scene {
            script,
            thread: recorder.threads.take(),
            site: recorder.register(&SITE),
            recorder,
            writer: Writer {
                rss_by: RssBy::Own(Os::Scripted(script)),
                journal: Some(journal),
                ..Writer::new(recorder)
            },
        }
    }

    pub(in crate::files) fn call(&self) {
        self.script.pass(1_000);
        self.thread.enter(self.site, Kind::Call).exit();
    }

    pub(in crate::files) fn journal(&self) -> Vec<u8> {
        let runs = std::fs::read_dir(root()).expect("it is there");
        let mut journals = runs.map(|run| run.expect("a run").path().join(FILE));
        journals
            .next()
            .map_or_else(Vec::new, |path| std::fs::read(path).expect("a journal"))
    }

    pub(in crate::files) fn calls(&self) -> u64 {
        let run = memprof_report::parse_journal(&self.journal()).expect("whole entries");
        run.functions[0].calls
    }
}

#[test]
fn writer_entries_take_a_bounded_share_of_time_and_disk() {
    let milliseconds = Duration::from_millis;
    const BYTES_PER_SECOND: u64 = USUAL.bytes_per_second;
    for (took, bytes, expected) in [
        (0, 0, INTERVAL),
        (10, 0, INTERVAL),
        (11, 0, milliseconds(550)),
        (100, 0, milliseconds(5_000)),
        (0, BYTES_PER_SECOND / 2, milliseconds(500)),
        (0, 3 * BYTES_PER_SECOND, milliseconds(3_000)),
        (100, 3 * BYTES_PER_SECOND, milliseconds(5_000)),
        (1_000, 0, HEARTBEAT),
        (0, 1_000 * BYTES_PER_SECOND, HEARTBEAT),
    ] {
        assert_eq!(
            USUAL.pause(milliseconds(took), bytes),
            expected,
            "{took} ms {bytes}"
        );
    }
}

#[test]
fn writer_while_memory_is_short_entries_may_take_more_but_still_a_bounded_share() {
    let milliseconds = Duration::from_millis;
    for (took, bytes, expected) in [
        (0, 0, SOONEST),
        (10, 0, milliseconds(200)),
        (0, WHEN_SHORT.bytes_per_second, milliseconds(1_000)),
        (1_000, 0, HEARTBEAT),
    ] {
        let pause = WHEN_SHORT.pause(milliseconds(took), bytes);
        assert_eq!(pause, expected, "{took} ms {bytes}");
    }
}

#[test]
fn writer_without_a_call_there_is_no_entry_and_no_folder() {
    alone(|| {
        let mut scene = Scene::new();
        assert_eq!(scene.writer.try_entry().expect("nothing is written"), 0);
        assert!(scene.journal().is_empty());
    });
}

#[test]
fn writer_an_entry_is_made_where_something_is_new() {
    alone(|| {
        let mut scene = Scene::new();
        scene.call();
        let written = scene.writer.try_entry().expect("it can be written");
        assert_eq!(written, scene.journal().len() as u64);
        assert_eq!(scene.calls(), 1);
        scene.call();
        assert!(scene.writer.try_entry().expect("it can be written") > 0);
        assert_eq!(scene.calls(), 2);
    });
}

#[test]
fn writer_nothing_new_is_no_entry_until_the_heartbeat() {
    alone(|| {
        let mut scene = Scene::new();
        scene.call();
        scene.writer.try_entry().expect("it can be written");
        let before = scene.journal();
        assert_eq!(scene.writer.try_entry().expect("nothing is written"), 0);
        assert_eq!(scene.journal(), before);
        scene.writer.last_entry = Instant::now()
            .checked_sub(HEARTBEAT)
            .expect("up for ten seconds");
        assert!(scene.writer.try_entry().expect("it can be written") > 0);
        assert!(
            scene.writer.last_entry.elapsed() < HEARTBEAT,
            "the next is as far away"
        );
        assert_eq!(scene.writer.try_entry().expect("nothing is written"), 0);
    });
}

#[test]
fn writer_a_change_of_rss_alone_is_something_new() {
    alone(|| {
        let mut scene = Scene::new();
        scene.call();
        scene.writer.try_entry().expect("it can be written");
        scene.script.change(1);
        assert!(scene.writer.try_entry().expect("it can be written") > 0);
    });
}

#[test]
fn writer_a_journal_that_somebody_removed_is_begun_anew() {
    alone(|| {
        let mut scene = Scene::new();
        scene.call();
        scene.writer.try_entry().expect("it can be written");
        std::fs::remove_dir_all(root()).expect("it can be removed");
        scene.call();
        scene.writer.try_entry().expect("it can be written");
        assert_eq!(scene.calls(), 2);
    });
}

#[test]
fn writer_a_folder_that_cannot_be_written_is_tried_again_later() {
    alone(|| {
        let file = root().join("file");
        std::fs::write(&file, "").expect("it can be written");
        let mut scene = Scene::in_root(file);
        scene.call();
        let before = Instant::now();
        let due = scene.writer.entry();
        assert!(
            due.usual >= before + AGAIN && due.when_short >= before + AGAIN,
            "{due:?}"
        );
        assert!(scene.writer.journal.is_some(), "it is not given up");
    });
}

#[test]
fn writer_where_memory_cannot_be_read_there_is_no_entry() {
    alone(|| {
        let mut scene = Scene::new();
        scene.call();
        scene.script.set_readable(false);
        assert_eq!(scene.writer.try_entry().expect("nothing is written"), 0);
        scene.writer.rss_by = RssBy::Nothing;
        assert_eq!(scene.writer.try_entry().expect("nothing is written"), 0);
    });
}

#[test]
fn writer_a_finished_run_takes_the_place_of_the_journal_and_entries_end() {
    alone(|| {
        let mut scene = Scene::new();
        scene.call();
        scene.writer.try_entry().expect("it can be written");
        let mut run = whole_run::take(scene.writer.recorder, RunOutcome::Running);
        let written = scene
            .writer
            .write(&run)
            .expect("no panic")
            .expect("it can be written");
        assert!(scene.writer.journal.is_some(), "the program goes on");
        run.outcome = RunOutcome::Exited;
        scene
            .writer
            .write(&run)
            .expect("no panic")
            .expect("it can be written");
        assert!(scene.writer.journal.is_none());
        scene.call();
        assert_eq!(scene.writer.try_entry().expect("nothing is written"), 0);
        let saved = memprof_report::read_run(written.folder.join("run.json")).expect("a run");
        assert_eq!(
            (saved.outcome, saved.functions[0].calls),
            (RunOutcome::Exited, 1)
        );
    });
}

#[cfg(target_os = "linux")]
mod low_memory {
    use super::*;

    const LIMIT: u64 = 1 << 30;

    /// Of a control group that may hold a gibibyte, so much is left.
    fn left(bytes: u64) -> MemoryWatch {
        let folder = root().with_extension("group");
        std::fs::create_dir_all(&folder).expect("it can be made");
        MemoryWatch::of_group(&folder, LIMIT, LIMIT - bytes)
    }

    /// No entry is due for an hour, unless memory is short; then one is due now.
    fn later() -> Due {
        let mut due = Due::after(Duration::from_secs(3_600));
        due.when_short = Instant::now();
        due
    }

    #[test]
    fn writer_an_entry_is_made_at_once_when_memory_is_short_and_the_first_moment_is_kept() {
        alone(|| {
            let mut scene = Scene::new();
            let low_memory_ns = |scene: &Scene| scene.writer.recorder.low_memory_ns();
            scene.call();
            scene.writer.memory = left(LIMIT);
            scene.writer.entry_if_due(&mut later());
            assert!(scene.journal().is_empty() && low_memory_ns(&scene).is_none());

            scene.writer.memory = left(0);
            scene.script.pass(1_000_000);
            let mut due = Due::after(Duration::from_secs(3_600));
            scene.writer.entry_if_due(&mut due);
            let first = low_memory_ns(&scene).expect("it was short");
            assert!((1_000_000..2_000_000).contains(&first), "{first}");
            assert_eq!(scene.calls(), 1);

            scene.script.pass(5_000_000);
            scene.call();
            let wait = scene.writer.entry_if_due(&mut due);
            assert!(
                wait > Duration::ZERO && scene.calls() == 1,
                "not twice at once"
            );
            scene.writer.entry_if_due(&mut later());
            assert_eq!(low_memory_ns(&scene), Some(first));
            let run = memprof_report::parse_journal(&scene.journal()).expect("whole entries");
            assert_eq!(
                (run.functions[0].calls, run.low_memory_ns),
                (2, Some(first))
            );
        });
    }

    #[test]
    fn writer_the_next_look_comes_before_half_of_what_is_left_can_be_filled() {
        alone(|| {
            let mut scene = Scene::new();
            scene.writer.memory = left(300 << 20);
            assert!(scene.writer.entry_if_due(&mut later()) < INTERVAL);
        });
    }

    #[test]
    fn writer_nobody_looks_where_nothing_can_be_told_or_nothing_is_to_be_written() {
        alone(|| {
            let mut scene = Scene::new();
            scene.writer.memory = MemoryWatch::default();
            assert_eq!(scene.writer.entry_if_due(&mut later()), HEARTBEAT);
            scene.writer.memory = left(0);
            scene.writer.journal = None;
            scene.writer.entry_if_due(&mut later());
            assert_eq!(scene.writer.recorder.low_memory_ns(), None);
        });
    }
}
