//! rs2p and real py2p 0.4.516 nodes, over real sockets.
//!
//! What these tests need: a Python from 3.8 to 3.11 (`RS2P_PYTHON` names one)
//! and, the first time, a registry for `pip install py2p`. Where there is none
//! they are shown as ignored, with the reason; where `CI` is set they fail.

mod dials;
mod errors;
mod harness;
mod healing;
mod hostile;
mod mesh;
#[cfg(feature = "cli")]
mod meshcat;
mod net;
mod node;
mod payloads;
mod presence;
mod reply;
mod requests;
mod slow;
mod ssl;

#[path = "../support/py2p/mod.rs"]
mod py2p;
#[path = "../support/mod.rs"]
mod support;

use rs2p::Encryption;

use net::{Net, Promise};
use py2p::ignoring::{self, trial};
use py2p::{event, options, peer, python};
use support::raw;

const PROMISES: &[&[Promise]] = &[
    dials::PROMISES,
    errors::PROMISES,
    healing::PROMISES,
    mesh::PROMISES,
    #[cfg(feature = "cli")]
    meshcat::PROMISES,
    payloads::PROMISES,
    presence::PROMISES,
    reply::PROMISES,
    requests::PROMISES,
    slow::PROMISES,
];

fn main() {
    let _ = env_logger::builder().is_test(true).try_init();
    #[cfg(not(feature = "native-tls"))]
    let tests = [harness::TESTS, hostile::TESTS, payloads::TESTS].concat();
    #[cfg(feature = "native-tls")]
    let tests = [harness::TESTS, hostile::TESTS, payloads::TESTS, ssl::TESTS].concat();
    let mut trials: Vec<_> = tests.into_iter().map(|(name, test)| trial(name, test)).collect();
    let ssl = cfg!(feature = "native-tls").then_some(("ssl", Encryption::Ssl));
    for (over, encryption) in [("plaintext", Encryption::Plaintext)].into_iter().chain(ssl) {
        for (name, promise) in PROMISES.concat() {
            let name = format!("{name}_over_{over}");
            trials.push(trial(&name, move || promise(Net::over(encryption))));
        }
    }
    ignoring::run(trials)
}
