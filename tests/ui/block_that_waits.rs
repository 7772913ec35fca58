async fn waits() -> u32 {
    memprof::block!("name", {
        let before = 1;
        std::future::ready(before).await
    })
}

fn main() {
    drop(waits());
}
