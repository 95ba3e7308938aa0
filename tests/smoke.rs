use rs2p::{MeshSocket, Reply};
use std::time::Duration;

const T: Duration = Duration::from_secs(10);

#[test]
fn hello_and_reply() {
    let _ = env_logger::builder().is_test(true).try_init();
    let a = MeshSocket::bind(("127.0.0.1", 0)).unwrap();
    let b = MeshSocket::bind(("127.0.0.1", 0)).unwrap();
    let c = MeshSocket::builder().max_outgoing(0).bind(("127.0.0.1", 0)).unwrap();
    b.connect(a.local_addr()).unwrap();
    c.connect(b.local_addr()).unwrap();
    b.send(["this is", "a test"]).unwrap();
    let m = a.recv_timeout(T).unwrap();
    println!("{m} {:?}", m.packets());
    assert!(matches!(m.reply(["yes", "I did"]).unwrap(), Reply::Sent));
    println!("{}", b.recv_timeout(T).unwrap());
    println!("{}", c.recv_timeout(T).unwrap());
    for s in [&a, &b, &c] {
        println!("{}\n{:?}\n{}", s.stats(), s.routing_table(), s.status());
    }
    println!("{:?}", a.close());
    println!("{:?}", b.close());
    println!("{:?}", c.close());
}
