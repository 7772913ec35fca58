//! 500 annotated functions and 100,000 calls, for the reports at the end.

/// The functions of one module.
macro_rules! functions {
    ($($name:ident)*) => {
        $(
            #[memprof::profile_memory]
            pub(crate) fn $name(n: usize) -> usize {
                let text = vec![1_u8; n];
                text.iter().map(|&byte| usize::from(byte)).sum()
            }
        )*
        pub(crate) const ALL: &[fn(usize) -> usize] = &[$($name),*];
    };
}

/// Modules of fifty functions each.
macro_rules! modules {
    ($($module:ident)*) => {
        $(
            mod $module {
                functions! {
                    f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19
                    f20 f21 f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39
                    f40 f41 f42 f43 f44 f45 f46 f47 f48 f49
                }
            }
        )*
        const ALL: &[&[fn(usize) -> usize]] = &[$($module::ALL),*];
    };
}

modules! { m0 m1 m2 m3 m4 m5 m6 m7 m8 m9 }

fn main() {
    memprof_benches::measured::say_at_the_end();
    memprof_benches::measured::workload(|| {
        let mut calls = 0;
        for round in 0..200 {
            for function in ALL.iter().copied().flatten() {
                calls += std::hint::black_box(function(round)) as u64 / round.max(1) as u64;
            }
        }
        assert_eq!(calls, 199 * 500);
        200 * 500
    });
}
