//! rs2p as a system under test.

use std::net::SocketAddr;
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::error::RecvTimeoutError;

use crate::Failure;
use crate::node::{Node, OnMessage, Step, Task};

struct Mesh(MeshSocket);

pub fn open(task: &Task) -> Result<(Box<dyn Node>, SocketAddr), Failure> {
    // No links but those that the workload wants.
    let socket = MeshSocket::builder().max_outgoing(0).bind(("127.0.0.1", 0))?;
    task.join.iter().try_for_each(|addr| socket.connect(addr).map(drop))?;
    let addr = socket.local_addr();
    Ok((Box::new(Mesh(socket)), addr))
}

impl Node for Mesh {
    fn send(&mut self, payload: &[u8]) -> Result<(), Failure> {
        self.0.send(payload)?;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn serve(&mut self, quiet: Duration, on_message: OnMessage) -> Result<(), Failure> {
        loop {
            let message = match self.0.recv_timeout(quiet) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            match on_message(&message.payload()[0]) {
                Step::Continue => {}
                Step::Reply(payload) => drop(message.reply(payload)?),
                Step::Stop => return Ok(()),
            }
        }
    }

    fn another(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(Mesh(self.0.clone())))
    }
}
