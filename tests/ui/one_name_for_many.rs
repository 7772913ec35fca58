use memprof::profile_memory;

struct Struct;

#[profile_memory(name = "Everything")]
impl Struct {
    fn one() {}
}

fn main() {
    Struct::one();
}
