//! Looks names up (DNS, hosts file). The system's call cannot be interrupted, so threads of their own
//! make it. Their number is bounded, and they end when no dial waits for a name.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Weak};
use std::thread::Builder;

use crossbeam_channel::Sender;
use parking_lot::Mutex;

use super::link::Link;
use crate::wire::HostPort;

/// Look-ups at once. While the system waits for a name server that is silent, more of them would
/// wait for the same one.
const MAX_THREADS: usize = 4;

/// A name, and its addresses.
pub(super) type Answer = (HostPort, io::Result<Vec<SocketAddr>>);

/// The look-ups of one socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolver(Arc<Mutex<Work>>);

#[derive(Debug, Default)]
struct Work {
    threads: usize,
    waiting: VecDeque<Job>,
}

#[derive(Debug)]
struct Job {
    name: HostPort,
    answers: Sender<Answer>,
    /// Who asks. A link that has ended is not answered.
    link: Weak<Link>,
}

impl Resolver {
    /// Looks a name up and wakes the link when there is an answer. Does not wait.
    pub fn look_up(
        &self,
        name: HostPort,
        answers: Sender<Answer>,
        link: &Arc<Link>,
    ) -> io::Result<()> {
        let job = Job { name, answers, link: Arc::downgrade(link) };
        let mut work = self.0.lock();
        if work.threads < MAX_THREADS {
            let shared = Arc::clone(&self.0);
            let thread = Builder::new().name("rs2p-resolve".into()).spawn(move || serve(&shared));
            match thread {
                Ok(_) => work.threads += 1,
                Err(error) if work.threads == 0 => return Err(error),
                // Those that run already take it over.
                Err(_) => {}
            }
        }
        work.waiting.push_back(job);
        Ok(())
    }
}

/// Does what waits, then ends.
fn serve(work: &Mutex<Work>) {
    loop {
        let mut locked = work.lock();
        let Some(job) = locked.waiting.pop_front() else {
            locked.threads -= 1;
            return;
        };
        drop(locked);
        if job.link.strong_count() == 0 {
            continue;
        }
        let found = (job.name.host.as_str(), job.name.port).to_socket_addrs();
        // Nobody listens any more if the link was closed meanwhile.
        let _ = job.answers.send((job.name, found.map(Iterator::collect)));
        if let Some(link) = job.link.upgrade() {
            link.wake();
        }
    }
}
