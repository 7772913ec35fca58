//! What reports say of how RSS was read, and of what a run without a sampler lacks.

use memprof_model::run::{FunctionProfile, PeakMethod, Run};

use crate::text::units::interval;
use crate::text::visible::visible;

/// What a run lacks whose program had no thread for samples.
pub(crate) fn no_sampler(run: &Run) -> Option<&'static str> {
    const WHAT: &str =
        "no sampler: RSS was read at lines and calls only, and charts show nothing between";
    run.sampler.missing.then_some(WHAT)
}

/// What the peaks of such a run do not show; `None` if they are exact.
pub(crate) fn sampled_peaks(run: &Run) -> Option<&'static str> {
    match (run.peak_method, run.sampler.missing) {
        (PeakMethod::Sampled, false) => {
            Some("peaks are from samples: short temporaries are not seen")
        }
        (PeakMethod::Sampled, true) => {
            Some("peaks are from readings at lines and calls: short temporaries are not seen")
        }
        _ => None,
    }
}

/// What a peak is called.
pub(crate) fn peak(run: &Run) -> &'static str {
    match (run.peak_method, run.sampler.missing) {
        (PeakMethod::Sampled, false) => "highest sample",
        (PeakMethod::Sampled, true) => "highest reading",
        _ => "peak",
    }
}

/// How peaks were obtained.
pub(crate) fn peaks_by(run: &Run) -> &'static str {
    match (run.peak_method, run.sampler.missing) {
        (PeakMethod::Sampled, true) => "peaks from readings at lines and calls",
        (method, _) => method.words(),
    }
}

/// How RSS was read for this function.
pub(crate) fn read_by(run: &Run, profile: &FunctionProfile) -> String {
    let backend = visible(&run.backend);
    match run.sampler.missing {
        true => format!("{backend} at lines and calls"),
        false => format!("{backend} every {}", interval(profile.interval_ns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn readings_of_a_run_without_a_sampler_are_no_samples() {
        let mut run = fixture::no_sampler();
        let function = run.functions[0].clone();
        assert_eq!(sampled_peaks(&run), None);
        assert_eq!(
            (peak(&run), read_by(&run, &function)),
            ("peak", "statm at lines and calls".to_owned())
        );
        run.peak_method = PeakMethod::Sampled;
        for said in [sampled_peaks(&run).unwrap(), peak(&run), peaks_by(&run)] {
            assert!(
                said.contains("reading") && !said.contains("sample"),
                "{said}"
            );
        }
        run.sampler.missing = false;
        for said in [sampled_peaks(&run).unwrap(), peak(&run), peaks_by(&run)] {
            assert!(said.contains("sample"), "{said}");
        }
        assert_eq!(read_by(&run, &function), "statm every 10 ms");
    }
}
