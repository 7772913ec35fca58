use memprof::profile_memory;

trait Trait {
    #[profile_memory]
    fn required(&self) -> u32;
}

impl Trait for () {
    fn required(&self) -> u32 {
        1
    }
}

fn main() {
    ().required();
}
