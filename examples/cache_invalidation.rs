//! A cache in each of several processes, and a word to all when an entry has changed.
//!
//! Here the processes are nodes in one program. Run it with
//! `cargo run --example cache_invalidation`. It prints:
//!
//!     3 caches have user 7: Ada
//!     after the change, 3 caches have user 7: Grace

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rs2p::{Connection, MeshSocket, Message, SendOptions};

/// What is slow to read: a database, say.
type Database = Arc<Mutex<HashMap<String, String>>>;

struct Service {
    sock: MeshSocket,
    database: Database,
    cache: Arc<Mutex<HashMap<String, String>>>,
}

impl Service {
    fn start(database: &Database) -> rs2p::Result<Service> {
        let sock = MeshSocket::bind("127.0.0.1:0")?;
        let cache = Arc::<Mutex<HashMap<String, String>>>::default();
        let entries = Arc::clone(&cache);
        sock.register_handler_for("invalidate", move |msg: &Message, _: &Connection| {
            // A handler is quick: it forgets the entry, and whoever needs it next reads it anew. The
            // answer tells the writer that this cache has forgotten it.
            lock(&entries).remove(&*msg[1].to_text());
            msg.reply("forgotten").is_ok()
        });
        Ok(Service { sock, database: Arc::clone(database), cache })
    }

    fn read(&self, key: &str) -> Option<String> {
        if let Some(value) = lock(&self.cache).get(key) {
            return Some(value.clone());
        }
        let value = lock(&self.database).get(key).cloned()?;
        lock(&self.cache).insert(key.to_owned(), value.clone());
        Some(value)
    }

    /// Writes, and waits until the caches of the other services have forgotten what was there.
    fn write(
        &self,
        key: &str,
        value: &str,
        others: usize,
    ) -> Result<(), Box<dyn std::error::Error>> {
        lock(&self.database).insert(key.to_owned(), value.to_owned());
        lock(&self.cache).remove(key);
        let question = self.sock.send_with(SendOptions::new().kind("invalidate"), key)?;
        let mut forgotten = 0;
        while forgotten < others {
            let answer = self.sock.recv_timeout(Duration::from_secs(10))?;
            forgotten += usize::from(answer.in_reply_to() == Some(question.id()));
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = Database::default();
    lock(&database).insert("user 7".into(), "Ada".into());
    let services = [(); 3].map(|()| Service::start(&database));
    let services = services.into_iter().collect::<rs2p::Result<Vec<_>>>()?;
    for other in &services[1..] {
        other.sock.connect(services[0].sock.local_addr())?;
    }
    let names = || services.iter().filter_map(|it| it.read("user 7")).collect::<Vec<_>>();
    println!("{} caches have user 7: {}", names().len(), names()[0]);
    services[1].write("user 7", "Grace", services.len() - 1)?;
    let names = names();
    println!("after the change, {} caches have user 7: {}", names.len(), names[0]);
    for service in &services {
        service.sock.close()?;
    }
    Ok(())
}
