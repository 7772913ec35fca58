use memprof::profile_memory;

#[profile_memory]
#[derive(Clone)]
pub struct Struct {
    field: u8,
}

#[profile_memory]
enum Enum {
    Variant,
}

#[profile_memory]
pub const CONST: u8 = 1;

#[profile_memory]
static STATIC: u8 = 1;

#[profile_memory]
type Alias = u8;

#[profile_memory]
use std::fmt as formatting;

#[profile_memory]
unsafe extern "C" {}

fn main() {
    let _ = Struct { field: CONST }.clone().field + STATIC;
    let _ = Enum::Variant;
    let _: Alias = 1;
    let _ = formatting::Error;
}
