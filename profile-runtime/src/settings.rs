//! The settings of a run: what the program asks for, and what the environment asks for, which has the last word.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::os::{Backend, environment};
use crate::sync::lock;
use memprof_model::internal::visible;
#[cfg(feature = "report")]
use memprof_report::Tolerance;
#[cfg(feature = "report")]
use memprof_report::internal::baseline::EXPECTED_TOLERANCE;

/// What is done with the baseline.
#[cfg(feature = "report")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaselineMode {
    /// It is brought up to date with what functions take now.
    Save,
    /// The process ends with exit code 101 if a function takes more than it says.
    Check,
}

/// What is to be done with the baseline, as asked for when the run began.
#[cfg(feature = "report")]
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BaselinePlan {
    pub mode: Option<BaselineMode>,
    pub file: Option<PathBuf>,
    pub tolerance: Option<String>,
    /// The package's folder, as cargo tells it.
    pub package: Option<PathBuf>,
}

/// Settings for the whole process, the counterpart of the environment variables.
///
/// They hold from the first annotated call on, so apply them at the top of `main`. An environment
/// variable that is set beats the setting here, and both beat the attribute's `interval_ms`.
///
/// A program with privileges that its caller has not (setuid, setgid, capabilities of its file) obeys no variable,
/// and records only if it applies settings with a folder.
///
/// ```
/// memprof::Settings::new()
///     .interval_ms(1.0)
///     .dir(std::env::temp_dir().join("memprof-doc"))
///     .quiet(true)
///     .apply()?;
/// # Ok::<(), memprof::SettingsError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "settings do nothing until they are applied"]
pub struct Settings {
    pub(crate) disabled: bool,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) interval_ns: Option<u64>,
    pub(crate) backend: Option<Backend>,
    pub(crate) sampled_peaks: bool,
    pub(crate) quiet: bool,
    pub(crate) without_threads: bool,
    pub(crate) keep: Option<usize>,
    #[cfg(feature = "report")]
    pub(crate) baseline: BaselinePlan,
    #[cfg(feature = "export")]
    pub(crate) exports: Vec<memprof_report::export::Format>,
}

/// What [`Settings::apply`] was called with, and whether it can still be called.
static APPLIED: Mutex<Applied> = Mutex::new(Applied::Open(None));

#[derive(Debug)]
enum Applied {
    /// Recording has not begun.
    Open(Option<Settings>),
    /// The first annotated call was made, and took the settings.
    Taken,
}

impl Settings {
    /// The defaults.
    pub fn new() -> Settings {
        Settings::default()
    }

    /// `false` records nothing (`MEMPROF=0`).
    pub fn enabled(mut self, enabled: bool) -> Settings {
        self.disabled = !enabled;
        self
    }

    /// Where runs are kept (`MEMPROF_DIR`), instead of `memprof` in the target directory.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Settings {
        self.dir = Some(dir.into());
        self
    }

    /// Milliseconds between two samples, for every function (`MEMPROF_INTERVAL_MS`).
    ///
    /// Anything but a number from 0.1 to 86,400,000 leaves the attribute's own interval in force.
    pub fn interval_ms(mut self, milliseconds: f64) -> Settings {
        self.interval_ns = interval_ns(milliseconds);
        self
    }

    /// How RSS is read (`MEMPROF_BACKEND`).
    pub fn backend(mut self, backend: Backend) -> Settings {
        self.backend = Some(backend);
        self
    }

    /// `true` leaves the kernel's high-water mark alone and takes peaks from the samples
    /// (`MEMPROF_PEAK=sampled`).
    pub fn sampled_peaks(mut self, sampled: bool) -> Settings {
        self.sampled_peaks = sampled;
        self
    }

    /// How many runs are kept in the folder (`MEMPROF_KEEP`): 30 if nothing is said; 0 keeps all.
    ///
    /// When a program has written its reports, older runs beyond that number are removed: folders that
    /// memprof made and that hold nothing else. A run in progress, or one that is still to be recovered,
    /// stays.
    pub fn keep(mut self, runs: usize) -> Settings {
        self.keep = Some(runs);
        self
    }

    /// `true` prints no summary when the program ends (`MEMPROF_QUIET=1`).
    pub fn quiet(mut self, quiet: bool) -> Settings {
        self.quiet = quiet;
        self
    }

    /// `false` starts no thread (`MEMPROF_THREADS=0`), for a program that must have one thread only, as
    /// `unshare(CLONE_NEWUSER)` wants it.
    ///
    /// RSS is then read at lines and calls only, and there are no samples between them. Calls, hits, heap figures and
    /// the peaks of the kernel's mark stay exact. The program's own threads write the journal, every half second at a
    /// line or at the end of a call, which takes 2% of the time at most. They write the reports, too.
    /// Nobody watches how much memory is left.
    pub fn threads(mut self, threads: bool) -> Settings {
        self.without_threads = !threads;
        self
    }

    /// Saves or checks a baseline when the program ends (`MEMPROF_BASELINE=save`, `=check`).
    ///
    /// Every call of every annotated function is then read at its entry and exit, whatever the budget.
    #[cfg(feature = "report")]
    pub fn baseline(mut self, mode: BaselineMode) -> Settings {
        self.baseline.mode = Some(mode);
        self
    }

    /// The baseline's file (`MEMPROF_BASELINE_FILE`), instead of `memprof-baseline.json` beside the
    /// package's `Cargo.toml`.
    #[cfg(feature = "report")]
    pub fn baseline_file(mut self, file: impl Into<PathBuf>) -> Settings {
        self.baseline.file = Some(file.into());
        self
    }

    /// Formats to write beside the reports (`MEMPROF_EXPORT=csv,trace`), with the feature `export`.
    #[cfg(feature = "export")]
    pub fn export(
        mut self,
        formats: impl IntoIterator<Item = memprof_report::export::Format>,
    ) -> Settings {
        self.exports = formats.into_iter().collect();
        self
    }

    /// Puts the settings in force for the rest of the process.
    ///
    /// # Errors
    /// When an annotated call has been made before: then the first call's settings stay.
    pub fn apply(self) -> Result<(), SettingsError> {
        match &mut *lock(&APPLIED) {
            Applied::Open(settings) => {
                *settings = Some(self);
                Ok(())
            }
            Applied::Taken => Err(SettingsError(())),
        }
    }

    /// Whether the most that single calls of each function take is wanted.
    pub(crate) fn wants_maxima(&self) -> bool {
        #[cfg(feature = "report")]
        return self.baseline.mode.is_some();
        #[cfg(not(feature = "report"))]
        false
    }

    /// The settings that were applied, with the environment on top, and a complaint about each variable whose
    /// value cannot be used. From now on it is too late to apply others.
    pub(crate) fn take_in_force() -> (Settings, Vec<String>) {
        let applied = match std::mem::replace(&mut *lock(&APPLIED), Applied::Taken) {
            Applied::Open(Some(settings)) => settings,
            Applied::Open(None) | Applied::Taken => Settings::default(),
        };
        if environment::is_trusted() {
            applied.with_environment(environment::variable)
        } else {
            applied.without_environment()
        }
    }

    /// Of a program whose caller may do less than the program: where files go is for the program to say.
    fn without_environment(mut self) -> (Settings, Vec<String>) {
        let mut complaints = Vec::new();
        if self.dir.is_none() && !self.disabled {
            self.disabled = true;
            complaints.push(
                "nothing is recorded: the program has privileges that its caller has not, so memprof uses no \
                 variable of the environment; to record, apply memprof::Settings with a folder in main"
                    .to_owned(),
            );
        }
        (self, complaints)
    }

    fn with_environment(
        mut self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> (Settings, Vec<String>) {
        let mut complaints = Vec::new();
        let mut complain = |name: &str, value: &str, expected: &str| {
            let value = quoted(value);
            complaints.push(format!("{name}={value} is ignored: expected {expected}"));
        };
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());

        if let Some(value) = text("MEMPROF") {
            match switch(&value) {
                Some(on) => self.disabled = !on,
                None => complain("MEMPROF", &value, "0 or 1"),
            }
        }
        if let Some(dir) = set("MEMPROF_DIR") {
            self.dir = Some(dir.into());
        }
        if let Some(value) = text("MEMPROF_INTERVAL_MS") {
            match value.trim().parse().ok().and_then(interval_ns) {
                Some(interval) => self.interval_ns = Some(interval),
                None => complain(
                    "MEMPROF_INTERVAL_MS",
                    &value,
                    "milliseconds, from 0.1 to 86400000",
                ),
            }
        }
        if let Some(value) = text("MEMPROF_BACKEND") {
            match value.as_str() {
                "statm" => self.backend = Some(Backend::Statm),
                "sysinfo" => self.backend = Some(Backend::Sysinfo),
                _ => complain("MEMPROF_BACKEND", &value, "statm or sysinfo"),
            }
        }
        if let Some(value) = text("MEMPROF_PEAK") {
            match value.as_str() {
                "sampled" => self.sampled_peaks = true,
                "kernel" => self.sampled_peaks = false,
                _ => complain("MEMPROF_PEAK", &value, "kernel or sampled"),
            }
        }
        if let Some(value) = text("MEMPROF_KEEP") {
            match value.trim().parse() {
                Ok(runs) => self.keep = Some(runs),
                Err(_) => complain("MEMPROF_KEEP", &value, "a number of runs, or 0 for all"),
            }
        }
        if let Some(value) = text("MEMPROF_QUIET") {
            match switch(&value) {
                Some(on) => self.quiet = on,
                None => complain("MEMPROF_QUIET", &value, "0 or 1"),
            }
        }
        if let Some(value) = text("MEMPROF_THREADS") {
            match switch(&value) {
                Some(on) => self.without_threads = !on,
                None => complain("MEMPROF_THREADS", &value, "0 or 1"),
            }
        }
        #[cfg(feature = "report")]
        {
            if let Some(value) = text("MEMPROF_BASELINE") {
                match value.as_str() {
                    "save" => self.baseline.mode = Some(BaselineMode::Save),
                    "check" => self.baseline.mode = Some(BaselineMode::Check),
                    "0" | "off" => self.baseline.mode = None,
                    _ => complain("MEMPROF_BASELINE", &value, "save or check"),
                }
            }
            if let Some(file) = set("MEMPROF_BASELINE_FILE") {
                self.baseline.file = Some(file.into());
            }
            if let Some(value) = text("MEMPROF_BASELINE_TOLERANCE") {
                match Tolerance::default().with(&value) {
                    Some(_) => self.baseline.tolerance = Some(value),
                    None => complain("MEMPROF_BASELINE_TOLERANCE", &value, EXPECTED_TOLERANCE),
                }
            }
            self.baseline.package = set("CARGO_MANIFEST_DIR").map(PathBuf::from);
        }
        #[cfg(not(feature = "report"))]
        if let Some(value) = text("MEMPROF_BASELINE") {
            complain(
                "MEMPROF_BASELINE",
                &value,
                "memprof built with its feature \"report\"",
            );
        }
        #[cfg(feature = "export")]
        if let Some(value) = text("MEMPROF_EXPORT") {
            match memprof_report::export::Format::list(&value) {
                Ok(formats) => self.exports = formats,
                Err(_) => complain("MEMPROF_EXPORT", &value, "any of csv,trace,pprof,markdown"),
            }
        }
        #[cfg(not(feature = "export"))]
        if let Some(value) = text("MEMPROF_EXPORT") {
            complain(
                "MEMPROF_EXPORT",
                &value,
                "memprof built with its feature \"export\"",
            );
        }
        (self, complaints)
    }
}

/// Settings came too late: an annotated call has already been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingsError(());

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "memprof's settings were not applied: an annotated function has already been called; \
             apply them at the top of main",
        )
    }
}

impl std::error::Error for SettingsError {}

/// A value as it may be printed: on one line, and not too long for it.
fn quoted(value: &str) -> String {
    /// The most characters that are shown.
    const MOST: usize = 80;
    let shown = visible(value);
    match shown.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

/// `None` for a word that is neither yes nor no.
fn switch(value: &str) -> Option<bool> {
    match value {
        "0" | "false" | "off" | "no" => Some(false),
        "1" | "true" | "on" | "yes" => Some(true),
        _ => None,
    }
}

/// Milliseconds as nanoseconds; `None` outside of what makes sense for a sampler.
fn interval_ns(milliseconds: f64) -> Option<u64> {
    (0.1..=86_400_000.0)
        .contains(&milliseconds)
        .then_some((milliseconds * 1e6) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_a_trusted_environment_record_only_into_a_folder_of_the_programs() {
        let (settings, complaints) = Settings::new().without_environment();
        assert!(settings.disabled && complaints.len() == 1, "{complaints:?}");
        let (settings, complaints) = Settings::new().dir("/x").without_environment();
        assert!(!settings.disabled && complaints.is_empty());
        let off = Settings::new().enabled(false);
        assert_eq!(off.without_environment().1.len(), 0);
    }

    #[test]
    fn settings_whose_values_are_long_or_hide_something_are_quoted_in_a_line() {
        let value = format!("\u{1b}[31m\n{}", "x".repeat(5_000));
        let (_, complaints) = read(&[("MEMPROF_BACKEND", &value)]);
        let [said] = &complaints[..] else {
            panic!("{complaints:?}")
        };
        assert!(
            said.starts_with("MEMPROF_BACKEND=\\u{1b}[31m\\nxxx"),
            "{said}"
        );
        assert!(
            said.contains("xx… is ignored") && said.chars().count() < 150,
            "{said}"
        );
    }

    fn read(pairs: &[(&str, &str)]) -> (Settings, Vec<String>) {
        Settings::new().interval_ms(7.0).with_environment(|name| {
            let pair = pairs.iter().find(|pair| pair.0 == name)?;
            Some(pair.1.into())
        })
    }

    #[test]
    fn settings_of_the_environment_beat_those_of_the_program() {
        let (settings, complaints) = read(&[
            ("MEMPROF", "0"),
            ("MEMPROF_INTERVAL_MS", "2.5"),
            ("MEMPROF_BACKEND", "sysinfo"),
            ("MEMPROF_PEAK", "sampled"),
            ("MEMPROF_QUIET", "1"),
            ("MEMPROF_THREADS", "0"),
            ("MEMPROF_KEEP", "7"),
            ("MEMPROF_DIR", "/tmp/a b"),
        ]);
        assert_eq!(complaints, [""; 0]);
        assert_eq!(
            settings,
            Settings {
                disabled: true,
                dir: Some("/tmp/a b".into()),
                #[cfg(feature = "report")]
                baseline: BaselinePlan::default(),
                interval_ns: Some(2_500_000),
                backend: Some(Backend::Sysinfo),
                sampled_peaks: true,
                quiet: true,
                without_threads: true,
                keep: Some(7),
                #[cfg(feature = "export")]
                exports: Vec::new(),
            }
        );
    }

    #[cfg(feature = "export")]
    #[test]
    fn settings_take_a_list_of_exports() {
        use memprof_report::export::Format;

        let (settings, complaints) = read(&[("MEMPROF_EXPORT", "csv, pprof")]);
        assert_eq!(
            (settings.exports, complaints.len()),
            (vec![Format::Csv, Format::Pprof], 0)
        );
        let (settings, complaints) = read(&[("MEMPROF_EXPORT", "csv,xml")]);
        assert!(settings.exports.is_empty() && complaints[0].contains("csv,trace,pprof,markdown"));
    }

    #[cfg(not(feature = "export"))]
    #[test]
    fn settings_for_exports_want_the_feature() {
        let (_, complaints) = read(&[("MEMPROF_EXPORT", "csv")]);
        assert!(
            complaints[0].contains("feature \"export\""),
            "{complaints:?}"
        );
    }

    #[test]
    fn settings_that_cannot_be_used_are_named_and_change_nothing() {
        let wrong = [
            ("MEMPROF", "maybe"),
            ("MEMPROF_INTERVAL_MS", "-1"),
            ("MEMPROF_BACKEND", "magic"),
            ("MEMPROF_PEAK", "high"),
            ("MEMPROF_KEEP", "-3"),
            ("MEMPROF_QUIET", "2"),
            ("MEMPROF_THREADS", "8"),
            #[cfg(feature = "report")]
            ("MEMPROF_BASELINE", "keep"),
            #[cfg(feature = "report")]
            ("MEMPROF_BASELINE_TOLERANCE", "5"),
        ];
        let (settings, complaints) = read(&wrong);
        assert_eq!(settings, Settings::new().interval_ms(7.0));
        for (complaint, (name, value)) in complaints.iter().zip(wrong) {
            assert!(complaint.starts_with(&format!("{name}={value} is ignored: expected ")));
        }
        assert_eq!(complaints.len(), wrong.len());
    }
}
