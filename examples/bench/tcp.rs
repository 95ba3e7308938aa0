//! Plain TCP as a yardstick: frames of a length and a payload, written one by one; or coalesced,
//! each with the id that the wire demands, made and checked: limit A.

use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use sha2::{Digest, Sha384};

use crate::Failure;
use crate::node::{Node, OnMessage, Step, Task};

const BUFFER: usize = 64 * 1024;
/// Longer than any base58 of a digest.
const MAX_ID: usize = 80;

type Writers = Arc<Mutex<Vec<BufWriter<TcpStream>>>>;

struct Tcp {
    is_limit: bool,
    is_single: bool,
    writers: Writers,
    /// The only link is read by whoever serves; several by a thread each.
    only: Receiver<TcpStream>,
    reader: Option<Frames>,
    inbox: Receiver<Vec<u8>>,
    head: Vec<u8>,
}

struct Frames {
    input: BufReader<TcpStream>,
    payload: Vec<u8>,
    is_limit: bool,
}

/// Where new streams go.
#[derive(Clone)]
struct Desk {
    is_limit: bool,
    is_single: bool,
    writers: Writers,
    only: Sender<TcpStream>,
    inbox: Sender<Vec<u8>>,
}

pub fn open(task: &Task, is_limit: bool) -> Result<(Box<dyn Node>, SocketAddr), Failure> {
    let (give, only) = unbounded();
    let (fill, inbox) = unbounded();
    let writers = Writers::default();
    let is_single = task.links == 1;
    let desk = Desk { is_limit, is_single, writers: writers.clone(), only: give, inbox: fill };
    task.join.iter().try_for_each(|addr| desk.attach(TcpStream::connect(addr)?))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    std::thread::spawn(move || {
        // A stream that fails is missed by the workload.
        listener.incoming().flatten().for_each(|stream| drop(desk.attach(stream)));
    });
    let head = Vec::new();
    Ok((Box::new(Tcp { is_limit, is_single, writers, only, reader: None, inbox, head }), addr))
}

impl Desk {
    fn attach(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let writer = BufWriter::with_capacity(BUFFER, stream.try_clone()?);
        self.writers.lock().unwrap_or_else(PoisonError::into_inner).push(writer);
        if self.is_single {
            let _ = self.only.send(stream);
            return Ok(());
        }
        let (inbox, is_limit) = (self.inbox.clone(), self.is_limit);
        let read = move || {
            let mut frames = Frames::new(stream, is_limit);
            while let Ok(payload) = frames.next() {
                if inbox.send(payload.to_vec()).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().stack_size(128 * 1024).spawn(read).map(drop)
    }
}

impl Frames {
    fn new(stream: TcpStream, is_limit: bool) -> Self {
        let input = BufReader::with_capacity(BUFFER, stream);
        Frames { input, payload: Vec::new(), is_limit }
    }

    fn next(&mut self) -> io::Result<&[u8]> {
        let mut prefix = [0; 4];
        self.input.read_exact(&mut prefix)?;
        let mut id = [0; MAX_ID];
        if self.is_limit {
            self.input.read_exact(&mut id[..1])?;
            let len = usize::from(id[0]).min(MAX_ID - 1);
            self.input.read_exact(&mut id[1..=len])?;
        }
        self.payload.resize(u32::from_be_bytes(prefix) as usize, 0);
        self.input.read_exact(&mut self.payload)?;
        if self.is_limit && id != made_id(&self.payload)? {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(&self.payload)
    }
}

/// Returns the length and the base58 of a payload's digest.
fn made_id(payload: &[u8]) -> io::Result<[u8; MAX_ID]> {
    let mut id = [0; MAX_ID];
    let encoded = bs58::encode(Sha384::digest(payload)).onto(&mut id[1..]);
    id[0] = encoded.map_err(|_| ErrorKind::InvalidData)? as u8;
    Ok(id)
}

impl Tcp {
    fn reader(&mut self, quiet: Duration) -> Option<Frames> {
        let waiting = || self.only.recv_deadline(Instant::now() + quiet).ok();
        self.reader.take().or_else(|| Some(Frames::new(waiting()?, self.is_limit)))
    }

    /// Returns whether to go on.
    fn step(&mut self, step: Step) -> Result<bool, Failure> {
        if let Step::Reply(payload) = &step {
            self.send(payload)?;
            self.flush()?;
        }
        Ok(!matches!(step, Step::Stop))
    }
}

impl Node for Tcp {
    fn send(&mut self, payload: &[u8]) -> Result<(), Failure> {
        self.head.clear();
        self.head.extend((payload.len() as u32).to_be_bytes());
        if self.is_limit {
            let id = made_id(payload)?;
            self.head.extend(&id[..=usize::from(id[0])]);
        } else {
            self.head.extend(payload);
        }
        for writer in self.writers.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if self.is_limit {
                writer.write_all(&self.head)?;
                writer.write_all(payload)?;
            } else {
                writer.get_mut().write_all(&self.head)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(writers.iter_mut().try_for_each(BufWriter::flush)?)
    }

    fn serve(&mut self, quiet: Duration, on_message: OnMessage) -> Result<(), Failure> {
        if !self.is_single {
            while let Ok(payload) = self.inbox.recv_timeout(quiet) {
                if !self.step(on_message(&payload))? {
                    break;
                }
            }
            return Ok(());
        }
        let Some(mut frames) = self.reader(quiet) else { return Ok(()) };
        frames.input.get_ref().set_read_timeout(Some(quiet))?;
        loop {
            match frames.next().map(&mut *on_message) {
                Ok(step) => {
                    if !self.step(step)? {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.reader = Some(frames);
        Ok(())
    }

    fn another(&self) -> Option<Box<dyn Node>> {
        None
    }
}
