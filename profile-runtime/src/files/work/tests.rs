use std::time::{Duration, Instant};

use super::*;
use crate::files::writer::tests::{Scene, root};
use crate::os::own_process::alone;
use crate::snapshot::whole_run;
use memprof_model::run::RunOutcome;

#[test]
fn work_jobs_are_done_in_their_order_and_the_thread_ends_with_the_last_who_could_ask() {
    alone(|| {
        let mut scene = Scene::new();
        let (jobs, todo) = mpsc::channel::<Job>();
        let (done, heard) = mpsc::channel();
        for number in 0..3 {
            let done = done.clone();
            let job = move |_: &mut Writer| done.send(number).expect("somebody listens");
            jobs.send(Box::new(job)).expect("it is received");
        }
        drop((jobs, done));
        run(&mut scene.writer, &todo);
        assert_eq!(heard.iter().collect::<Vec<_>>(), [0, 1, 2]);
    });
}

#[test]
fn work_the_thread_writes_a_journal_of_a_program_that_goes_on() {
    alone(|| {
        let mut scene = Scene::new();
        scene.call();
        let (jobs, todo) = mpsc::channel::<Job>();
        let ended = std::thread::scope(|scope| {
            let writer = &mut scene.writer;
            let thread = scope.spawn(move || run(writer, &todo));
            let began = Instant::now();
            let file = || std::fs::read_dir(root()).is_ok_and(|mut runs| runs.next().is_some());
            while !file() && began.elapsed() < Duration::from_secs(10) {
                std::thread::yield_now();
            }
            drop(jobs);
            thread.join()
        });
        assert!(ended.is_ok());
        assert_eq!(scene.calls(), 1);
    });
}

#[test]
fn work_without_a_thread_the_caller_writes() {
    alone(|| {
        let scene = Scene::new();
        scene.call();
        let recorder = scene.recorder;
        let run = Arc::new(whole_run::take(recorder, RunOutcome::Exited));
        let written = write(recorder, &run).expect("it can be written");
        assert!(written.folder.join("run.json").is_file());
        let outcome = check_baseline(recorder, &run, Some(0));
        assert!(!outcome.failed && outcome.said.is_none());
    });
}

#[test]
fn work_the_started_thread_writes_for_whoever_asks() {
    alone(|| {
        let scene = Scene::new();
        scene.call();
        let recorder = scene.recorder;
        start(recorder).expect("a thread");
        let who = ask(|_| std::thread::current().name().map(str::to_owned));
        assert_eq!(who.flatten().as_deref(), Some("memprof-files"));
        let run = Arc::new(whole_run::take(recorder, RunOutcome::Exited));
        let written = write(recorder, &run).expect("it can be written");
        assert!(written.folder.join("run.json").is_file());
        assert!(!check_baseline(recorder, &run, Some(0)).failed);
        let ended = ask(|writer| writer.is_done());
        assert_eq!(ended, Some(true));
    });
}

#[test]
fn work_without_a_thread_is_done_in_spare_moments_when_it_is_due() {
    alone(|| {
        let scene = Scene::new();
        start_without_a_thread(scene.recorder);
        scene.call();
        assert!(
            scene.journal().is_empty(),
            "a program that ends now has none"
        );
        let began = Instant::now();
        while scene.journal().is_empty() && began.elapsed() < Duration::from_secs(10) {
            scene.script.pass(5_000_000);
            std::thread::sleep(Duration::from_millis(5));
            scene.call();
        }
        let calls = scene.calls();
        for _ in 0..3 {
            scene.call();
        }
        assert_eq!(scene.calls(), calls, "the next one is not due");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn work_without_a_thread_leaves_the_low_descriptors_to_the_program_and_none_to_its_children() {
    alone(|| {
        let next =
            || std::os::fd::AsRawFd::as_raw_fd(&std::fs::File::open("/dev/null").expect("there"));
        let open = || std::fs::read_dir("/proc/self/fd").expect("procfs").count();
        let scene = Scene::new();
        start_without_a_thread(scene.recorder);
        let (first, before) = (next(), open());
        scene.call();
        let shared = SHARED.get().expect("just set");
        lock(&shared.writer)
            .0
            .try_entry()
            .expect("it can be written");
        assert_eq!((next(), open()), (first, before + 1));
        forked();
        assert_eq!(open(), before);
    });
}
