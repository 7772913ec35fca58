//! For tests of snapshots: a recorder on a scripted system, with functions that are called by hand.

use crate::Settings;
use crate::os::scripted::Script;
use crate::reading::instruments::Instruments;
use crate::recorder::Recorder;
use crate::site::annotated::Site;
use crate::site::limits::Limits;
use crate::site::registered::RegisteredSite;
use crate::site::spec::SiteSpec;
use crate::thread::call_handle::CallHandle;
use crate::thread::open_call::Kind;
use crate::thread::thread_recorder::ThreadRecorder;
use memprof_model::run::{FunctionProfile, Run};

/// RSS before anything happens.
pub(super) const START: u64 = 1 << 30;
pub(super) const PAGE: u64 = 4096;

pub(super) struct Scene {
    pub script: &'static Script,
    pub recorder: &'static Recorder,
}

const SPEC: SiteSpec = SiteSpec {
    name: || "demo::f::__MEMPROF_SITE",
    label: None,
    block: None,
    file: "src/f.rs",
    line: 10,
    interval_ns: 1_000_000,
    source: "fn f() {\n    a();\n    b();\n}\n",
    source_line: 10,
    lines: &[11, 12, 13],
};

impl Scene {
    pub(super) fn new() -> Scene {
        Scene::with(Settings::new())
    }

    pub(super) fn with(settings: Settings) -> Scene {
        let script = Script::leaked(START);
        // So that the first entry is not the run's first moment.
        script.pass(1_000);
        let recorder = Recorder::new(settings, Instruments::scripted(script));
        Scene {
            script,
            recorder: Box::leak(Box::new(recorder)),
        }
    }

    /// A function of three lines.
    pub(super) fn function(&self) -> &'static RegisteredSite {
        self.recorder.register(Box::leak(Box::new(Site::new(SPEC))))
    }

    /// One whose calls have a size.
    pub(super) fn sized_function(&self) -> &'static RegisteredSite {
        let site = Site::new(SPEC).per_call(Limits::NONE, Some("n"));
        self.recorder.register(Box::leak(Box::new(site)))
    }

    pub(super) fn thread(&self) -> &'static ThreadRecorder {
        self.recorder.threads.take()
    }

    /// A call at its first line, in which RSS has changed by so many pages.
    pub(super) fn begin(
        &self,
        thread: &'static ThreadRecorder,
        site: &'static RegisteredSite,
        pages: i64,
    ) -> CallHandle {
        let call = thread.enter(site, Kind::Call);
        call.line(0);
        self.script.change(pages);
        self.script.pass(1_000);
        call
    }

    /// A whole call, with `pages` kept by its first line and taken by its second for a moment.
    pub(super) fn call(
        &self,
        thread: &'static ThreadRecorder,
        site: &'static RegisteredSite,
        pages: i64,
    ) {
        let call = self.begin(thread, site, pages);
        call.line(1);
        self.script.change(pages);
        self.script.change(-pages);
        self.script.pass(1_000);
        call.line(2);
        call.exit();
    }
}

/// The only function of the run.
#[track_caller]
pub(super) fn only(run: &Run) -> &FunctionProfile {
    assert_eq!(run.functions.len(), 1);
    &run.functions[0]
}
