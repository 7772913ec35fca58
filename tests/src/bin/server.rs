//! A real web server on the loopback address, with an annotated handler and the same one plain, under
//! a load that it makes itself: a bounded number of requests, then it ends.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use memprof::{CountingAllocator, profile_memory};
use memprof_tests::truth::check_sums;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

const CLIENTS: usize = 4;
const ROUNDS: usize = 5;

fn main() {
    let requests = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let requests: usize = requests.expect("requests of each client in each round");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let address = runtime.block_on(serve());
    let loaded = AtomicBool::new(true);
    let (mut ratios, snapshots) = thread::scope(|scope| {
        let snapshots = scope.spawn(|| look_on(&loaded));
        let ratios = rounds(address, requests);
        loaded.store(false, Relaxed);
        (ratios, snapshots.join().expect("all snapshots are true"))
    });
    ratios.sort_by(f64::total_cmp);
    println!(
        "{} requests of each kind; annotated takes {:.2} times as long (median of {ROUNDS}); {snapshots} snapshots",
        ROUNDS * CLIENTS * requests,
        ratios[ROUNDS / 2]
    );
}

/// Takes snapshots under load, in which lines and functions have to agree at every moment. Gives their number.
fn look_on(loaded: &AtomicBool) -> usize {
    let mut snapshots = 0;
    while loaded.load(Relaxed) {
        if let Some(run) = memprof::snapshot() {
            run.functions.iter().for_each(check_sums);
            snapshots += 1;
        }
        thread::sleep(Duration::from_millis(20));
    }
    snapshots
}

/// How many times as long annotated requests take, in each round.
fn rounds(address: SocketAddr, requests: usize) -> Vec<f64> {
    // Side by side and in turns, so that what else the machine does meets both alike.
    let rounds = (0..ROUNDS).map(|_| {
        let plain = load(address, "plain", requests);
        let profiled = load(address, "profiled", requests);
        profiled.as_secs_f64() / plain.as_secs_f64()
    });
    rounds.collect()
}

async fn serve() -> SocketAddr {
    let routes = Router::new()
        .route("/plain/{length}", get(plain))
        .route("/profiled/{length}", get(profiled));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

async fn plain(Path(length): Path<usize>) -> String {
    let mut answer = String::with_capacity(length);
    for _ in 0..length {
        answer.push('x');
    }
    tokio::task::yield_now().await;
    let scratch = black_box(vec![0_u8; 100]);
    drop(scratch);
    answer
}

#[profile_memory]
async fn profiled(Path(length): Path<usize>) -> String {
    let mut answer = String::with_capacity(length);
    for _ in 0..length {
        answer.push('x');
    }
    tokio::task::yield_now().await;
    let scratch = black_box(vec![0_u8; 100]);
    drop(scratch);
    answer
}

/// How long all clients take for their requests; every answer is checked.
fn load(address: SocketAddr, path: &str, requests: usize) -> Duration {
    let begin = Instant::now();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || ask(address, path, requests, client));
        }
    });
    begin.elapsed()
}

/// One connection that is kept open.
fn ask(address: SocketAddr, path: &str, requests: usize, client: usize) {
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_nodelay(true).expect("an option");
    let mut answers = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut stream = stream;
    for request in 0..requests {
        let length = (request + client) % 50;
        write!(
            stream,
            "GET /{path}/{length} HTTP/1.1\r\nHost: memprof\r\n\r\n"
        )
        .expect("sent");
        let body = read_answer(&mut answers);
        assert_eq!(body, "x".repeat(length));
    }
}

fn read_answer(answers: &mut impl BufRead) -> String {
    let mut length = 0;
    for number in 0.. {
        let mut line = String::new();
        answers.read_line(&mut line).expect("a header");
        assert!(number > 0 || line.starts_with("HTTP/1.1 200"), "{line}");
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).expect("a body");
    String::from_utf8(body).expect("text")
}
