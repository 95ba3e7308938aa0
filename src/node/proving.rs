//! The proof that both ends know the secret of a private mesh, before any other message.
//!
//! Both ends send a challenge at once: a nonce and the id of their mesh. Then the dialler sends a
//! proof over both nonces and the acceptor's certificate. Only if it is valid, the acceptor sends
//! its own: so a stranger gets no proof from a node by dialling it. After both proofs the two ends
//! send their hellos, as in any other mesh.

use super::event::{Channel, LinkId};
use super::peer::Peer;
use super::stage::Stage;
use super::{Node, Now};
use crate::cause::Cause;
use crate::options::Flag;
use crate::secret::{Key, Nonce, PROOF_LEN, Role, Transcript};
use crate::stats::Refusal;
use crate::tally::Tally;
use crate::wire::{Body, Envelope, Proof};

/// The state of the proof on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proving {
    /// Our nonce was sent; that of the peer is awaited.
    Challenged(Channel),
    /// The proof of the peer is awaited.
    Awaiting(Transcript),
    /// The peer has proved that it knows the secret, or the mesh has none.
    Done,
}

impl Node {
    /// Makes the mesh private: from now on every peer must prove that it knows the secret.
    pub fn require_proof(&mut self, key: Key) {
        self.key = Some(key);
    }

    pub(super) fn secured(&mut self, link: LinkId, channel: Channel) {
        let Some(peer) = self.links.get_mut(link).filter(|_| self.key.is_some()) else { return };
        if let Stage::Opening { channel: none } = &mut peer.stage {
            *none = Some(channel);
        }
    }

    /// Sends the first message on a link of a private mesh.
    pub(super) fn challenge(&mut self, now: Now, link: LinkId) {
        let Some(greeting) = self.links.get_mut(link).and_then(Peer::greeting_mut) else { return };
        // Without encryption there is no channel that a proof could be bound to.
        let Proving::Challenged(channel) = &greeting.proving else {
            return self.close_link(now, link, Cause::WrongSecret);
        };
        let (nonce, protocol) = (channel.nonce, self.me.protocol.id().to_owned());
        self.say_proof(now, link, &Proof::Challenge { nonce, protocol });
    }

    /// Returns whether the peer must still prove that it knows the secret.
    pub(super) fn is_unproven(&self, link: LinkId) -> bool {
        self.links.is(link, |peer| match &peer.stage {
            Stage::Opening { channel } => channel.is_some(),
            Stage::Greeting(greeting) => greeting.proving != Proving::Done,
            _ => false,
        })
    }

    /// Handles a message of a peer that has not proved yet: a step of the proof, or the end of the
    /// link.
    pub(super) fn prove(&mut self, now: Now, link: LinkId, envelope: &Envelope) {
        match &envelope.body {
            Body::Hello(hello) => {
                self.stats.control.tally(1);
                self.links.update(link, |peer| peer.is_rs2p = true);
                match &hello.proof {
                    Some(Proof::Challenge { nonce, protocol }) => {
                        self.challenged(now, link, nonce, protocol);
                    }
                    Some(Proof::Given(proof)) => self.proof_given(now, link, proof),
                    Some(Proof::Refused) => self.close_link(now, link, Cause::WrongSecret),
                    // A node of a mesh without a secret: its handshake will name the mesh.
                    None => {}
                }
            }
            Body::Handshake(handshake) if handshake.protocol != self.me.protocol.id() => {
                self.stats.control.tally(1);
                self.not_our_mesh(now, link, &handshake.protocol);
            }
            Body::Invalid(_) => {
                self.stats.refuse(Refusal::Invalid);
                self.close_link(now, link, Cause::NotPy2p);
            }
            _ => {
                self.stats.refuse(Refusal::Stranger);
                self.refuse_proof(now, link);
            }
        }
    }

    fn challenged(&mut self, now: Now, link: LinkId, theirs: &Nonce, protocol: &str) {
        if protocol != self.me.protocol.id() {
            return self.not_our_mesh(now, link, protocol);
        }
        let (Some(key), Some(peer)) = (&self.key, self.links.get_mut(link)) else { return };
        let is_dialler = peer.is_outgoing();
        let Some(greeting) = peer.greeting_mut() else { return };
        let Proving::Challenged(Channel { end_point, nonce: ours }) = &greeting.proving else {
            return self.refuse_proof(now, link);
        };
        let (dialler, acceptor) = if is_dialler { (*ours, *theirs) } else { (*theirs, *ours) };
        let transcript = Transcript { end_point: end_point.clone(), dialler, acceptor };
        let proof = is_dialler.then(|| key.prove(Role::Dialler, &transcript));
        greeting.proving = Proving::Awaiting(transcript);
        greeting.progressed = now.mono;
        if let Some(proof) = proof {
            self.say_proof(now, link, &Proof::Given(proof));
        }
    }

    fn proof_given(&mut self, now: Now, link: LinkId, proof: &[u8; PROOF_LEN]) {
        let (Some(key), Some(peer)) = (&self.key, self.links.get_mut(link)) else { return };
        let is_dialler = peer.is_outgoing();
        let Some(greeting) = peer.greeting_mut() else { return };
        let Proving::Awaiting(transcript) = &greeting.proving else {
            return self.refuse_proof(now, link);
        };
        let theirs = if is_dialler { Role::Acceptor } else { Role::Dialler };
        if !key.verify(theirs, transcript, proof) {
            return self.refuse_proof(now, link);
        }
        let answer = (!is_dialler).then(|| key.prove(Role::Acceptor, transcript));
        greeting.proving = Proving::Done;
        greeting.progressed = now.mono;
        if let Some(proof) = answer {
            self.say_proof(now, link, &Proof::Given(proof));
        }
        self.say_hello(now, link);
        self.answer(now, link);
    }

    /// Closes a link whose proof is wrong. Tells the peer first, which may be honest and have
    /// another secret.
    fn refuse_proof(&mut self, now: Now, link: LinkId) {
        self.say_proof(now, link, &Proof::Refused);
        self.close_link(now, link, Cause::WrongSecret);
    }

    fn say_proof(&mut self, now: Now, link: LinkId, proof: &Proof) {
        self.say(now, link, Flag::Whisper, proof.payload());
    }
}

#[cfg(feature = "native-tls")]
#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::time::Duration;

    use bytes::BytesMut;

    use super::super::{Action, Connecting, Event, Identity, Parcel};
    use super::*;
    use crate::config::Config;
    use crate::id::NodeId;
    use crate::protocol::{Encryption, Protocol};
    use crate::secret::Secret;
    use crate::wire::{Draft, Header, HostPort};

    static KEY: LazyLock<Key> = LazyLock::new(|| key(b"a secret of some length"));

    fn key(secret: &[u8]) -> Key {
        Secret::new(secret, "a salt of some length").key().unwrap()
    }

    fn now() -> Now {
        Now { mono: Duration::from_secs(100), wall: Duration::from_secs(1_800_000_000) }
    }

    /// One end of a link, and what came of it.
    struct End {
        node: Node,
        link: LinkId,
        /// Who is at the other end.
        other: NodeId,
        outcome: Option<Result<NodeId, Cause>>,
        closed: Option<Cause>,
    }

    fn id(seed: u8) -> NodeId {
        NodeId::from_digest(&[seed; 48])
    }

    fn protocol(is_private: bool) -> Protocol {
        let open = Protocol::new("mesh", Encryption::Ssl);
        if is_private { open.with_secret("not used here") } else { open }
    }

    fn node(seed: u8, key: Option<&Key>) -> Node {
        let addr = HostPort { host: "127.0.0.1".into(), port: 1000 + u16::from(seed) };
        let me = Identity { id: id(seed), protocol: protocol(key.is_some()), addr };
        let mut node = Node::new(me, Config::default(), seed.into());
        if let Some(key) = key {
            node.require_proof(key.clone());
        }
        node
    }

    fn dialler(key: Option<&Key>) -> End {
        let mut node = node(7, key);
        let connecting =
            node.connect(now(), vec![std::net::SocketAddr::from(([127, 0, 0, 1], 1003)).into()]);
        assert!(matches!(connecting, Ok(Connecting::Dialling(_))));
        let Some(Action::Dial { link, .. }) = node.poll_action() else { panic!("no dial") };
        End { node, link, other: id(3), outcome: None, closed: None }
    }

    fn acceptor(key: Option<&Key>) -> End {
        let mut node = node(3, key);
        let link = node.admit(now()).unwrap();
        End { node, link, other: id(7), outcome: None, closed: None }
    }

    impl End {
        /// The link is up; what the node says first.
        fn open(&mut self, end_point: u8, nonce: u8) -> Vec<Draft> {
            let channel = Channel { end_point: vec![end_point; 32], nonce: [nonce; PROOF_LEN] };
            let link = self.link;
            self.node.handle(now(), Event::Secured { link, channel });
            self.node.handle(now(), Event::Opened { link });
            self.drain()
        }

        /// What the node says when it hears this.
        fn hear(&mut self, said: &[Draft]) -> Vec<Draft> {
            for draft in said {
                let frame = draft.encode(&self.other, &draft.id());
                let frame = BytesMut::from(&frame.bytes(None)[..]);
                let envelope =
                    Box::new(Header::parse(frame, &[], 1 << 20).unwrap().verify().unwrap());
                self.node.handle(now(), Event::Received { link: self.link, envelope });
            }
            self.drain()
        }

        fn drain(&mut self) -> Vec<Draft> {
            let mut said = Vec::new();
            while let Some(action) = self.node.poll_action() {
                match action {
                    Action::Send { parcel: Parcel::Control(draft), .. } => said.push(draft),
                    Action::Close { cause, .. } => self.closed = Some(cause),
                    Action::Connected { outcome, .. } => {
                        self.outcome = Some(outcome.map_err(|failure| failure.cause))
                    }
                    _ => {}
                }
            }
            said
        }

        fn is_proven(&self) -> bool {
            self.closed.is_none() && !self.node.is_unproven(self.link)
        }

        fn is_refused(&self) -> bool {
            matches!(self.closed, Some(Cause::WrongSecret))
        }
    }

    /// Lets two nodes talk until neither has anything left to say.
    fn talk(a: &mut End, b: &mut End, mut to_b: Vec<Draft>, mut to_a: Vec<Draft>) {
        while !to_a.is_empty() || !to_b.is_empty() {
            let from_b = b.hear(&std::mem::take(&mut to_b));
            to_b = a.hear(&std::mem::take(&mut to_a));
            to_a = from_b;
        }
    }

    #[test]
    fn the_same_secret_over_the_same_certificate_is_proven_both_ways() {
        let (mut d, mut a) = (dialler(Some(&KEY)), acceptor(Some(&KEY)));
        let (to_a, to_d) = (d.open(1, 10), a.open(1, 20));
        talk(&mut d, &mut a, to_a, to_d);
        assert!(d.is_proven() && a.is_proven());
        assert!(matches!(d.outcome, Some(Ok(peer)) if peer == id(3)), "{:?}", d.outcome);
        assert_eq!((d.node.peers().count(), a.node.peers().count()), (1, 1));
    }

    #[test]
    fn the_dialler_proves_first() {
        let (mut d, mut a) = (dialler(Some(&KEY)), acceptor(Some(&KEY)));
        let (to_a, to_d) = (d.open(1, 10), a.open(1, 20));
        assert!(a.hear(&to_a).is_empty(), "an acceptor proves nothing to a mere challenge");
        let proof = d.hear(&to_d);
        assert_eq!(proof.len(), 1);
        assert!(!a.is_proven() && !d.is_proven());
        let answer = a.hear(&proof);
        assert!(a.is_proven() && !d.is_proven());
        d.hear(&answer[..1]);
        assert!(d.is_proven());
    }

    #[test]
    fn another_secret_is_refused_at_both_ends() {
        let (mut d, mut a) = (dialler(Some(&key(b"another secret"))), acceptor(Some(&KEY)));
        let (to_a, to_d) = (d.open(1, 10), a.open(1, 20));
        talk(&mut d, &mut a, to_a, to_d);
        assert!(d.is_refused() && a.is_refused());
        assert!(matches!(d.outcome, Some(Err(Cause::WrongSecret))));
    }

    #[test]
    fn a_man_in_the_middle_has_another_certificate() {
        let (mut d, mut a) = (dialler(Some(&KEY)), acceptor(Some(&KEY)));
        let (to_a, to_d) = (d.open(66, 10), a.open(1, 20));
        talk(&mut d, &mut a, to_a, to_d);
        assert!(d.is_refused() && a.is_refused());
    }

    #[test]
    fn a_replayed_proof_is_worth_nothing() {
        let (mut d, mut a) = (dialler(Some(&KEY)), acceptor(Some(&KEY)));
        let (challenge, to_d) = (d.open(1, 10), a.open(1, 20));
        let proof = d.hear(&to_d);
        let mut again = acceptor(Some(&KEY));
        again.open(1, 21);
        again.hear(&challenge);
        again.hear(&proof);
        assert!(again.is_refused(), "another nonce of the acceptor");
        a.hear(&challenge);
        let answer = a.hear(&proof);
        assert!(a.is_proven());
        let mut again = dialler(Some(&KEY));
        again.open(1, 11);
        again.hear(&to_d);
        again.hear(&answer[..1]);
        assert!(again.is_refused(), "another nonce of the dialler");
    }

    #[test]
    fn a_reflected_proof_is_worth_nothing() {
        let mut d = dialler(Some(&KEY));
        let challenge = d.open(1, 10);
        let proof = d.hear(&challenge);
        d.hear(&proof);
        assert!(d.is_refused());
        // Two links at once: what the node says as a dialler, said to it as an acceptor.
        let (mut d, mut a) = (dialler(Some(&KEY)), acceptor(Some(&KEY)));
        let (to_a, to_d) = (d.open(1, 10), a.open(1, 10));
        a.hear(&to_a);
        d.hear(&to_d);
        let mut other = dialler(Some(&KEY));
        other.open(1, 10);
        let proof = other.hear(&to_d);
        d.hear(&proof);
        assert!(d.is_refused(), "it is a dialler's proof");
    }

    #[test]
    fn nothing_else_is_heard_before_the_proof() {
        let say = |packets: &[&str], main| Draft {
            main,
            packets: packets.iter().map(|&packet| packet.into()).collect(),
            time: now().second(),
        };
        let handshake = crate::wire::Handshake {
            id: id(7),
            protocol: protocol(true).id().into(),
            addr: None,
            methods: Vec::new(),
        };
        let handshake =
            Draft { main: Flag::Whisper, packets: handshake.payload(), time: now().second() };
        let words = [
            handshake,
            say(&["\0", "a message"], Flag::Broadcast),
            say(&["\u{2}", "a whisper"], Flag::Whisper),
            say(&["\u{8}", "*"], Flag::Whisper),
            Draft {
                main: Flag::Whisper,
                packets: Proof::Given([0; PROOF_LEN]).payload(),
                time: now().second(),
            },
        ];
        for word in words {
            let mut a = acceptor(Some(&KEY));
            a.open(1, 20);
            a.hear(&[word]);
            assert!(a.is_refused(), "{:?}", a.closed);
            assert_eq!(a.node.peers().count(), 0);
        }
    }

    #[test]
    fn a_second_challenge_is_refused() {
        let (mut d, mut a) = (dialler(Some(&KEY)), acceptor(Some(&KEY)));
        let (to_a, _) = (d.open(1, 10), a.open(1, 20));
        a.hear(&to_a);
        a.hear(&to_a);
        assert!(a.is_refused());
    }

    #[test]
    fn without_encryption_a_private_mesh_says_nothing() {
        let mut a = acceptor(Some(&KEY));
        a.node.handle(now(), Event::Opened { link: a.link });
        assert!(a.drain().is_empty() && a.is_refused());
    }

    #[test]
    fn a_mesh_without_a_secret_and_one_with_turn_each_other_away_by_name() {
        let pairs = [(dialler(Some(&KEY)), acceptor(None)), (dialler(None), acceptor(Some(&KEY)))];
        for (mut d, mut a) in pairs {
            let (to_a, to_d) = (d.open(1, 10), a.open(1, 20));
            talk(&mut d, &mut a, to_a, to_d);
            assert!(matches!(d.outcome, Some(Err(Cause::WrongSubnet(_)))), "{:?}", d.outcome);
            assert!(matches!(a.closed, Some(Cause::WrongSubnet(_))), "{:?}", a.closed);
        }
    }
}
