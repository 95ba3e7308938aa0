//! A thread that calls what it draws.

use std::time::Duration;

use rs2p::{Connection, MeshSocket, Message, SendOptions};

use crate::support::PATIENCE;
use crate::{Mesh, SOCKETS, ledger};

const MS: fn(u64) -> Duration = Duration::from_millis;

pub struct Caller<'a> {
    mesh: &'a Mesh,
    number: usize,
    drawn: u64,
    /// The next broadcast, and those that went out.
    next: u32,
    sent: Vec<u32>,
}

impl<'a> Caller<'a> {
    pub fn new(mesh: &'a Mesh, number: usize) -> Self {
        let seed = std::env::var("RS2P_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
        let drawn = seed.unwrap_or(1).wrapping_mul(1 << 20).wrapping_add(number as u64 + 1);
        Caller { mesh, number, drawn, next: 0, sent: Vec::new() }
    }

    /// Calls until the time is up. Returns the numbers of its broadcasts.
    pub fn run(mut self) -> Vec<u32> {
        while self.mesh.goes_on() {
            let socket = self.mesh.socket(self.number % SOCKETS);
            match self.draw(8) {
                0 | 1 => self.broadcast(&socket),
                2 => self.ask(&socket),
                3 => self.tell_one(&socket),
                4 => self.receive(&socket),
                5 => look(&socket),
                6 => listen(&socket),
                _ => self.connect(&socket),
            }
        }
        self.sent
    }

    /// Returns a number below `bound`.
    fn draw(&mut self, bound: u64) -> u64 {
        self.drawn = self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.drawn >> 33) % bound
    }

    fn broadcast(&mut self, socket: &MeshSocket) {
        let size = [0, 100, 1000, 20_000][self.draw(4) as usize];
        let packets = [ledger::text(self.number, self.next).into_bytes(), vec![7; size]];
        let is_sent = match self.draw(4) {
            0 => socket.try_send(packets).is_ok(),
            1 => socket.send_timeout(packets, MS(10)).is_ok(),
            2 => socket.send_with(SendOptions::new().timeout(MS(50)), packets).is_ok(),
            _ => {
                let sent = socket.send(packets);
                assert!(sent.is_ok() || self.mesh.is_stormy, "a healthy mesh sends: {sent:?}");
                sent.is_ok()
            }
        };
        self.sent.extend(is_sent.then_some(self.next));
        self.next += 1;
    }

    fn other(&mut self) -> MeshSocket {
        let by = 1 + self.draw(SOCKETS as u64 - 1) as usize;
        self.mesh.socket((self.number + by) % SOCKETS)
    }

    fn ask(&mut self, socket: &MeshSocket) {
        let number = self.draw(1 << 30);
        let (other, question) = (self.other(), format!("question {} {}", self.number, number));
        let patience = if self.mesh.is_stormy { MS(50) } else { PATIENCE };
        let answer = match self.draw(3) {
            0 => socket.request(&other.id(), question.as_str(), patience),
            1 => socket.request_any(question.as_str(), patience),
            _ => {
                let answers = socket.request_all(question.as_str(), patience);
                let first = answers.map(|mut answers| answers.next());
                match first {
                    Ok(Some(answer)) => Ok(answer),
                    Ok(None) => Err(rs2p::Error::TimedOut),
                    Err(error) => Err(error),
                }
            }
        };
        match answer {
            Ok(answer) => assert_eq!(answer[1].to_text(), format!("answer to {question}")),
            Err(error) => assert!(self.mesh.is_stormy, "a healthy mesh answers: {error}"),
        }
    }

    fn tell_one(&mut self, socket: &MeshSocket) {
        let other = self.other().id();
        // Whether it went out is a question of the moment.
        match self.draw(3) {
            0 => drop(socket.whisper("whisper")),
            1 => drop(socket.send_to(&other, "to you")),
            _ => drop(socket.peer(&other).map(|peer| peer.send("to a peer"))),
        }
    }

    fn receive(&mut self, socket: &MeshSocket) {
        let message = match self.draw(2) {
            0 => socket.try_recv().ok(),
            _ => socket.recv_timeout(MS(1)).ok(),
        };
        message.iter().for_each(|message| self.mesh.ledger.hear(socket.id(), message));
    }

    fn connect(&mut self, socket: &MeshSocket) {
        let other = self.other();
        let is_rare = self.draw(20) == 0;
        match self.draw(4) {
            0 if self.mesh.is_stormy && is_rare => drop(socket.disconnect(&other.id())),
            1 if self.mesh.is_stormy && is_rare => self.rebind(),
            2 if is_rare => drop(socket.connect(other.local_addr())),
            _ => drop(socket.flush(MS(1))),
        }
    }

    /// Closes a socket that the other threads go on using, after a new one is in its place.
    fn rebind(&mut self) {
        let at = self.draw(SOCKETS as u64) as usize;
        let old = self.mesh.replace(at);
        let new = self.mesh.socket(at);
        for by in 1..SOCKETS {
            drop(new.connect_within(self.mesh.socket((at + by) % SOCKETS).local_addr(), MS(500)));
        }
        // Several threads may close it.
        old.close().expect("closed, once or more");
    }
}

fn look(socket: &MeshSocket) {
    let shown = format!("{}{}{socket:?}", socket.stats(), socket.status());
    assert!(!shown.is_empty());
    let peers = socket.routing_table();
    assert!(!peers.contains_key(&socket.id()), "{peers:?}");
    drop((socket.outgoing(), socket.incoming(), socket.members(), socket.awaiting_ids()));
    drop(socket.events().try_recv());
}

fn listen(socket: &MeshSocket) {
    let handler = socket.register_handler(|message: &Message, peer: &Connection| {
        // Called on the thread of the socket: what it asks for must not wait for itself.
        let _ = (message.sender(), peer.is_outgoing(), peer.server().map(|server| server.stats()));
        false
    });
    if let Ok(prices) = socket.subscribe("prices") {
        drop(socket.send_with(SendOptions::new().kind("prices"), "3.50"));
        drop(prices.try_recv());
    }
    handler.unregister();
}
