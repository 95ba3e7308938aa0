//! Private meshes: who knows the secret links, and nobody else, whatever sits in between.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use native_tls::{Identity, TlsAcceptor, TlsConnector, TlsStream};
use rs2p::tls::TlsIdentity;
use rs2p::{Builder, Cause, Encryption, MeshEvent, MeshSocket, Protocol};

use crate::support::cause;
use crate::{SOON, bind, dial, limited, listener, serves, ssl};

const SECRET: &str = "kEr9fGvB2mYw7QhT5xJc";

fn private(secret: &str) -> Builder {
    ssl().protocol(Protocol::new("mesh", Encryption::Ssl).with_secret(secret))
}

/// Waits until a node tells why it turned somebody away.
fn turned_away(node: &MeshSocket) -> Cause {
    let events = node.events();
    loop {
        let event = events.recv_timeout(SOON).expect("somebody is turned away");
        if let MeshEvent::TurnedAway { cause, .. } = event {
            return cause;
        }
    }
}

#[test]
fn who_knows_the_secret_links_in_both_directions() {
    let nodes = [(); 3].map(|()| bind(private(SECRET)));
    nodes[0].connect(nodes[1].local_addr()).unwrap();
    nodes[2].connect(nodes[1].local_addr()).unwrap();
    nodes[0].send("through the middle").unwrap();
    for node in &nodes[1..] {
        let message = node.recv_timeout(SOON).unwrap();
        assert_eq!(message.payload(), ["through the middle"]);
        assert_eq!(message.sender(), nodes[0].id());
    }
    assert_ne!(nodes[0].protocol().id(), Protocol::new("mesh", Encryption::Ssl).id());
}

#[test]
fn a_wrong_secret_is_named_at_both_ends() {
    let node = bind(private(SECRET));
    let other = bind(private("kEr9fGvB2mYw7QhT5xJd"));
    let error = other.connect(node.local_addr()).unwrap_err();
    assert!(matches!(cause(&error), Cause::WrongSecret), "{error}: {error:?}");
    let cause = turned_away(&node);
    assert!(matches!(cause, Cause::WrongSecret), "{cause:?}");
    serves(&node, private(SECRET));
}

#[test]
fn nodes_without_a_secret_are_another_mesh() {
    let (node, open) = (bind(private(SECRET)), bind(ssl()));
    for (dialler, acceptor) in [(&open, &node), (&node, &open)] {
        let error = dialler.connect(acceptor.local_addr()).unwrap_err();
        let Cause::WrongSubnet(mesh) = cause(&error) else { panic!("{error}: {error:?}") };
        assert_eq!(mesh.theirs, acceptor.protocol().id());
        let (with, without) = ("SSL with a secret", "SSL without a secret");
        let (its, ours) = if dialler.id() == open.id() { (with, without) } else { (without, with) };
        let words = format!("its encryption is {its}, ours is {ours}");
        assert!(error.to_string().contains(&words), "{error}");
    }
    serves(&node, private(SECRET));
    serves(&open, ssl());
}

#[test]
fn the_same_secret_in_another_subnet_is_another_mesh() {
    let node = bind(private(SECRET));
    let other = Protocol::new("other", Encryption::Ssl).with_secret(SECRET);
    let error = bind(ssl().protocol(other)).connect(node.local_addr()).unwrap_err();
    assert!(matches!(cause(&error), Cause::WrongSubnet(_)), "{error}: {error:?}");
    serves(&node, private(SECRET));
}

#[test]
fn the_secret_is_never_shown() {
    let builder = private(SECRET);
    let shown = format!("{builder:?} {builder:#?} {:?}", bind(builder.clone()).protocol());
    assert!(!shown.contains(SECRET) && shown.contains("secret"), "{shown}");
}

/// Somebody in between, with a certificate of his own: he reads and passes on what both say.
/// Gives his address, and how many bytes he has seen.
fn man_in_the_middle(to: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let (listener, addr) = listener();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let acceptor = acceptor();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let victim = acceptor.accept(limited(stream)).expect("TLS with the dialler");
            let node = connector().connect("node", dial(to)).expect("TLS with the node");
            pass_on(victim, node, &count);
        }
    });
    (addr, seen)
}

/// Made before anybody dials: it can take as long as a handshake may.
fn acceptor() -> TlsAcceptor {
    let own = TlsIdentity::generate().unwrap();
    let own = Identity::from_pkcs8(own.cert_pem().as_bytes(), own.key_pem().as_bytes()).unwrap();
    TlsAcceptor::new(own).unwrap()
}

fn connector() -> TlsConnector {
    let mut builder = TlsConnector::builder();
    builder.danger_accept_invalid_certs(true).danger_accept_invalid_hostnames(true);
    builder.build().unwrap()
}

/// Both ways, in turns, until one of them closes.
fn pass_on(
    one: TlsStream<std::net::TcpStream>,
    other: TlsStream<std::net::TcpStream>,
    seen: &AtomicUsize,
) {
    let mut ends = [one, other];
    for end in &ends {
        end.get_ref().set_nonblocking(true).unwrap();
    }
    let mut buffer = [0; 16 * 1024];
    loop {
        for from in [0, 1] {
            match ends[from].read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => {
                    seen.fetch_add(read, Ordering::Relaxed);
                    if ends[1 - from].write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
                Err(_) => return,
            }
        }
    }
}

#[test]
fn a_man_in_the_middle_reads_plain_ssl_and_is_refused_by_a_secret() {
    let open = bind(ssl());
    let (between, seen) = man_in_the_middle(open.local_addr());
    let victim = bind(ssl());
    victim.connect(between).expect("nobody notices him without a secret");
    victim.send("for everybody to read").unwrap();
    assert_eq!(open.recv_timeout(SOON).unwrap().payload(), ["for everybody to read"]);
    assert!(seen.load(Ordering::Relaxed) > 300, "he read it all");

    let node = bind(private(SECRET));
    let (between, seen) = man_in_the_middle(node.local_addr());
    let error = bind(private(SECRET)).connect(between).unwrap_err();
    assert!(matches!(cause(&error), Cause::WrongSecret), "{error}: {error:?}");
    let cause = turned_away(&node);
    assert!(matches!(cause, Cause::WrongSecret), "{cause:?}");
    assert!(seen.load(Ordering::Relaxed) > 300, "he did pass the proof on");
    serves(&node, private(SECRET));
}

#[test]
fn who_repeats_what_he_hears_is_refused() {
    let (listener, addr) = listener();
    let acceptor = acceptor();
    let echo = thread::spawn(move || {
        let mut stream = acceptor.accept(limited(listener.accept().unwrap().0)).unwrap();
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            if stream.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
    });
    let error = bind(private(SECRET)).connect(addr).unwrap_err();
    assert!(matches!(cause(&error), Cause::WrongSecret), "{error}: {error:?}");
    echo.join().unwrap();
}

#[test]
fn what_an_honest_dialler_said_is_worth_nothing_later() {
    // A dialler is lured to a recorder, which shows it a node's true challenge.
    let node = bind(private(SECRET));
    let (listener, addr) = listener();
    let node_addr = node.local_addr();
    let acceptor = acceptor();
    let recorder = thread::spawn(move || {
        let mut dialler = acceptor.accept(limited(listener.accept().unwrap().0)).unwrap();
        let mut source = connector().connect("node", dial(node_addr)).unwrap();
        dialler.write_all(&frame(&mut source)).unwrap();
        [frame(&mut dialler), frame(&mut dialler)]
    });
    bind(private(SECRET)).connect(addr).expect_err("the recorder cannot prove anything");
    let recorded = recorder.join().unwrap();
    let until = Instant::now() + SOON;
    while node.stats().silent == 0 {
        assert!(Instant::now() < until, "the recorder said nothing of its own: {}", node.stats());
        thread::yield_now();
    }
    for _ in 0..2 {
        let mut replay = connector().connect("node", dial(node.local_addr())).unwrap();
        let challenge = frame(&mut replay);
        assert!(challenge.len() > 100);
        recorded.iter().for_each(|frame| replay.write_all(frame).unwrap());
        let cause = turned_away(&node);
        assert!(matches!(cause, Cause::WrongSecret), "{cause:?}");
    }
    serves(&node, private(SECRET));
}

/// One frame, its length in front.
fn frame(stream: &mut impl Read) -> Vec<u8> {
    let mut frame = vec![0; 4];
    stream.read_exact(&mut frame).unwrap();
    let len = u32::from_be_bytes(frame[..].try_into().unwrap());
    frame.resize(4 + len as usize, 0);
    stream.read_exact(&mut frame[4..]).unwrap();
    frame
}
