//! Jobs for several workers: each job is done, though one of the workers leaves halfway.
//!
//! One thread per worker takes the next job, asks the worker to do it, and gives the job back if no
//! answer comes. A job may be done twice, so jobs must bear that. Run it with
//! `cargo run --example job_queue`. It prints:
//!
//!     100 jobs are done, the sum is 328350
//!     a worker left, and its jobs were done by others

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use rs2p::crossbeam_channel::{Receiver, Sender, unbounded};
use rs2p::{Connection, MeshSocket, Message, NodeId};

const WORKERS: usize = 3;
const JOBS: u64 = 100;

fn main() -> rs2p::Result<()> {
    let master = MeshSocket::bind("127.0.0.1:0")?;
    let workers: Vec<MeshSocket> = (0..WORKERS)
        .map(|_| {
            let worker = MeshSocket::bind("127.0.0.1:0")?;
            worker.connect(master.local_addr())?;
            worker.register_handler(square);
            Ok(worker)
        })
        .collect::<rs2p::Result<_>>()?;

    let (jobs, todo) = unbounded();
    let (done, results) = unbounded();
    for job in 0..JOBS {
        let _ = jobs.send(job);
    }
    let mut squares = BTreeMap::new();
    thread::scope(|scope| {
        for worker in &workers {
            let (jobs, todo, done) = (jobs.clone(), todo.clone(), done.clone());
            let (master, worker) = (&master, worker.id());
            scope.spawn(move || serve(master, &worker, &jobs, &todo, &done));
        }
        while squares.len() < JOBS as usize {
            let Ok((job, square)) = results.recv() else { break };
            squares.insert(job, square);
            if squares.len() == 20 {
                // Its thread notices, gives its job back and ends.
                workers[0].close()?;
            }
        }
        // The threads end when they find this in the queue.
        for _ in 0..WORKERS {
            let _ = jobs.send(u64::MAX);
        }
        Ok::<_, rs2p::Error>(())
    })?;
    println!("{} jobs are done, the sum is {}", squares.len(), squares.values().sum::<u64>());
    println!("a worker left, and its jobs were done by others");
    for worker in workers {
        worker.close()?;
    }
    master.close()?;
    Ok(())
}

/// Has one worker do jobs until there are no more, or it does not answer.
fn serve(
    master: &MeshSocket,
    worker: &NodeId,
    jobs: &Sender<u64>,
    todo: &Receiver<u64>,
    done: &Sender<(u64, u64)>,
) {
    for job in todo.iter().take_while(|job| *job != u64::MAX) {
        let answer = master.request(worker, job.to_string(), Duration::from_secs(1));
        match answer.ok().and_then(|answer| answer[1].to_text().parse().ok()) {
            Some(square) => _ = done.send((job, square)),
            None => {
                let _ = jobs.send(job);
                return;
            }
        }
    }
}

/// Does a job.
fn square(job: &Message, _from: &Connection) -> bool {
    match job[1].to_text().parse::<u64>() {
        Ok(number) => job.reply((number * number).to_string()).is_ok(),
        Err(_) => false,
    }
}
