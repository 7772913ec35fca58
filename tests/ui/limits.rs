use memprof::profile_memory;

#[profile_memory(max_peak = "64 M")]
fn ambiguous() {}

#[profile_memory(max_net = "64 MiBs")]
fn unit() {}

#[profile_memory(max_leak = "a lot")]
fn word() {}

#[profile_memory(max_heap_peak = -1)]
fn negative() {}

#[profile_memory(max_allocated)]
fn nothing() {}

#[profile_memory(max_peak = "9999999 TiB")]
fn enormous() {}

#[profile_memory(max_allocations = "3")]
fn not_a_number() {}

#[profile_memory(max_peak = "1 MiB", on_exceed = "ignore")]
fn reaction() {}

#[profile_memory(on_exceed = "warn")]
fn no_limit() {}

#[profile_memory(max_peek = "1 MiB")]
fn misspelled() {}

#[profile_memory(max_peak = "1 MiB", max_peak = "2 MiB")]
fn twice() {}

fn main() {
    ambiguous();
    unit();
    word();
    negative();
    nothing();
    enormous();
    not_a_number();
    reaction();
    no_limit();
    misspelled();
    twice();
    memprof::assert_memory!(1 + 1);
    memprof::assert_memory!(1 + 1, name = "sum");
    memprof::assert_memory!();
    memprof::block!("sum", max_peak = "1 XB", { 1 + 1 });
}
