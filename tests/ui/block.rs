fn main() {
    let _: u32 = memprof::block!({ 1 });
    let _: u32 = memprof::block!("", { 1 });
    let _: u32 = memprof::block!("name", interval = 3, { 1 });
    let _: u32 = memprof::block!("name", 1);
    let _: u32 = memprof::block!("name");
}
