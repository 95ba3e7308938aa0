//! A private mesh: TLS, a secret, and a certificate that outlives the program.
//!
//! Run it with `cargo run --features native-tls --example private_mesh`. You will see which nodes are let
//! in: those that know the secret. Refused are nodes with another secret, without a secret, without
//! encryption, and, if the certificate is pinned, with another certificate.

use std::time::Duration;

use rs2p::tls::{Tls, TlsIdentity};
use rs2p::{Builder, Encryption, MeshSocket, Protocol};

/// In a real program from a file or the environment, made by `openssl rand -base64 24` for instance.
const SECRET: &str = "bqDyw5TqAAtqwS7XVSLJAHQjgG5yJZ3k";

fn main() -> rs2p::Result<()> {
    // Once, kept in two files: `identity.cert_pem()`, `identity.key_pem()`. Later `from_pem`.
    let identity = TlsIdentity::generate()?;
    let fingerprint = identity.fingerprint();
    println!("fingerprint, to be told to those who pin it: {fingerprint}");

    let alice = private(SECRET).tls(Tls::new().identity(identity)).bind("127.0.0.1:0")?;
    let bob = private(SECRET).bind("127.0.0.1:0")?;
    bob.connect(alice.local_addr())?;
    bob.send("between you and me")?;
    println!("alice received {}", alice.recv_timeout(Duration::from_secs(5))?);

    let careful = private(SECRET).tls(Tls::new().pin(fingerprint)).bind("127.0.0.1:0")?;
    careful.connect(alice.local_addr())?;
    println!("who pins alice's certificate links to her; but to bob:");
    refused(&careful, &bob);

    println!("others are turned away:");
    let ssl = MeshSocket::builder().protocol(Protocol::new("mesh", Encryption::Ssl));
    for stranger in [private("a guess at the secret"), ssl, MeshSocket::builder()] {
        let stranger = stranger.bind("127.0.0.1:0")?;
        refused(&stranger, &alice);
        stranger.close()?;
    }
    for node in [alice, bob, careful] {
        node.close()?;
    }
    Ok(())
}

/// Returns a node of the mesh whose nodes know this secret.
fn private(secret: &str) -> Builder {
    MeshSocket::builder().protocol(Protocol::new("mesh", Encryption::Ssl).with_secret(secret))
}

fn refused(from: &MeshSocket, to: &MeshSocket) {
    match from.connect(to.local_addr()) {
        Ok(_) => println!("  {:?} was let in!", from.protocol()),
        Err(error) => println!("  {:?}: {error}", from.protocol()),
    }
}
