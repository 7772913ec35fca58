//! A web server on the loopback address under a load that it makes itself, a bounded number of requests.
//! Runtime and handlers are on one thread: hotpath can follow allocations on no other.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use axum::Router;

const CLIENTS: usize = 2;

/// Serves `routes` on this thread until all clients have had their answers from `/LENGTH`.
///
/// # Panics
/// When a connection fails or an answer is not as long as was asked for.
pub fn serve(routes: Router, requests_each: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let clients = std::thread::spawn(move || load(address, requests_each));
        let (all_done, done) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || all_done.send(clients.join()));
        tokio::select! {
            ended = axum::serve(listener, routes) => panic!("the server ended: {ended:?}"),
            joined = done => joined.expect("told").expect("every answer is right"),
        }
    });
}

fn load(address: SocketAddr, requests_each: usize) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || ask(address, requests_each, client));
        }
    });
}

/// How many requests there are in all.
#[must_use]
pub const fn requests(each: usize) -> u64 {
    (CLIENTS * each) as u64
}

/// One connection that is kept open.
fn ask(address: SocketAddr, requests: usize, client: usize) {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_nodelay(true).expect("an option");
    let mut answers = BufReader::new(stream.try_clone().expect("a second handle"));
    for request in 0..requests {
        let length = (request + client) % 50;
        let text = format!("GET /{length} HTTP/1.1\r\nHost: memprof\r\n\r\n");
        stream.write_all(text.as_bytes()).expect("sent");
        assert_eq!(answer_length(&mut answers), length);
    }
}

/// The length of a body, which is read.
fn answer_length(answers: &mut impl BufRead) -> usize {
    let mut length = 0;
    loop {
        let mut line = String::new();
        answers.read_line(&mut line).expect("a header");
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).expect("a body");
    length
}
