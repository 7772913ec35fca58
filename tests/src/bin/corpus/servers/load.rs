//! Clients of a server.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::Protocol;

const CLIENTS: usize = 50;
/// From an answer to the next request: so that the machine has time for other things, too.
const PAUSE: Duration = Duration::from_millis(10);

/// Keeps connections busy for so long. Gives how many requests were answered.
pub(super) fn load(protocol: Protocol, port: u16, time: Duration) -> usize {
    let until = Instant::now() + time;
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || ask(protocol, port, client, until)))
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("answers"))
            .sum()
    })
}

/// Whether something listens.
pub(super) fn is_up(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn ask(protocol: Protocol, port: u16, client: usize, until: Instant) -> usize {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let mut answers = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut stream = stream;
    let mut asked = 0;
    while Instant::now() < until {
        match protocol {
            Protocol::Redis => redis(&mut stream, &mut answers, client),
            Protocol::Http => http(&mut stream, &mut answers, client),
        }
        asked += 1;
        thread::sleep(PAUSE);
    }
    asked
}

/// Puts a value and gets it back.
fn redis(stream: &mut TcpStream, answers: &mut impl BufRead, client: usize) {
    let (key, value) = (format!("key{client}"), "x".repeat(100 + 37 * client));
    let command = |words: &[&str]| {
        let words = words
            .iter()
            .map(|word| format!("${}\r\n{word}\r\n", word.len()));
        words.collect::<String>()
    };
    let set = format!("*3\r\n{}", command(&["set", &key, &value]));
    stream.write_all(set.as_bytes()).expect("sent");
    assert_eq!(line(answers), "+OK");
    let get = format!("*2\r\n{}", command(&["get", &key]));
    stream.write_all(get.as_bytes()).expect("sent");
    assert_eq!(line(answers), format!("${}", value.len()));
    assert_eq!(line(answers), value);
}

/// Puts a file and gets it back.
fn http(stream: &mut TcpStream, answers: &mut impl BufRead, client: usize) {
    let (path, body) = (format!("/file{client}"), "x".repeat(100 + 37 * client));
    let put = format!(
        "PUT {path} HTTP/1.1\r\nHost: memprof\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(put.as_bytes()).expect("sent");
    http_body(answers);
    let get = format!("GET {path} HTTP/1.1\r\nHost: memprof\r\n\r\n");
    stream.write_all(get.as_bytes()).expect("sent");
    assert_eq!(http_body(answers), body.as_bytes());
}

fn http_body(answers: &mut impl BufRead) -> Vec<u8> {
    let status = line(answers);
    assert!(status.starts_with("HTTP/1.1 20"), "{status}");
    let mut length = 0;
    loop {
        let header = line(answers).to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).expect("a body");
    body
}

fn line(answers: &mut impl BufRead) -> String {
    let mut line = String::new();
    answers.read_line(&mut line).expect("a line");
    line.trim_end().to_owned()
}
