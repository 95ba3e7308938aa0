//! Counters for Prometheus, by a small HTTP server.
//!
//! Run it with `cargo run --example metrics`. It asks its own server once and ends; with an address,
//! `cargo run --example metrics -- 127.0.0.1:9464`, it serves until it is stopped. It prints:
//!
//!     HTTP/1.1 200 OK
//!     # TYPE rs2p_sent_total counter
//!     rs2p_sent_total 3
//!     rs2p_peers 1

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rs2p::MeshSocket;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sock = MeshSocket::bind("127.0.0.1:0")?;
    let other = MeshSocket::bind("127.0.0.1:0")?;
    other.connect(sock.local_addr())?;
    for word in ["one", "two", "three"] {
        sock.send(word)?;
    }

    if let Some(addr) = std::env::args().nth(1) {
        let listener = TcpListener::bind(addr)?;
        println!("http://{}/metrics", listener.local_addr()?);
        return Ok(serve(&listener, &sock, usize::MAX)?);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    let server = sock.clone();
    let serving = thread::spawn(move || serve(&listener, &server, 1));
    let mut stream = TcpStream::connect(addr)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("{answer}");
    serving.join().map_err(|_| "the server panicked")??;
    sock.close()?;
    other.close()?;
    Ok(())
}

/// Answers so many requests. A real program would use its HTTP server.
fn serve(listener: &TcpListener, sock: &MeshSocket, count: usize) -> std::io::Result<()> {
    for stream in listener.incoming().take(count) {
        let mut stream = stream?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        // The head of the request ends with an empty line.
        let head = BufReader::new(stream.try_clone()?).lines();
        head.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
        let text = sock.stats().to_prometheus();
        let kind = "Content-Type: text/plain; version=0.0.4\r\nConnection: close";
        write!(
            stream,
            "HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        )?;
    }
    Ok(())
}
