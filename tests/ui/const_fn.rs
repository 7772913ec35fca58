use memprof::profile_memory;

#[profile_memory]
pub const fn answer() -> u32 {
    42
}

const ANSWER: u32 = answer();

fn main() {
    println!("{ANSWER}");
}
