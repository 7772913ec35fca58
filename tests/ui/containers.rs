use memprof::profile_memory;

struct Struct;

#[profile_memory(intervall_ms = 3)]
impl Struct {
    fn one() {}

    #[memprof(skip)]
    fn skipped() {}
}

#[profile_memory]
impl Struct {
    // Cannot be profiled, and is left alone.
    const fn two() {}

    #[profile_memory(lines = 3)]
    fn three() {}

    #[memprof(slip)]
    fn four() {}
}

fn main() {
    Struct::one();
    Struct::skipped();
    Struct::two();
    Struct::three();
    Struct::four();
}
