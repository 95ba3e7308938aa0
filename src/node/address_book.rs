//! Addresses that may be dialled: wanted by the user, of lost peers, or told by peers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::contact::Contact;
pub(crate) use super::contact::Trust;
use super::dialable::Scope;
use super::event::{LinkId, Target};
pub(crate) use super::hints::Place;
use super::hints::{Hints, long};
use super::reconnect;
use super::rng::Rng;
use crate::id::NodeId;
use crate::tally::Tally;
use crate::wire::HostPort;

/// Most addresses that are remembered; wanted ones are always added.
const MAX_CONTACTS: usize = 512;
/// A link that lasted at least this long counts as a successful dial.
const STEADY: Duration = Duration::from_secs(10);
/// Failed dials after which a hint is forgotten.
const HINT_ATTEMPTS: u32 = 2;

/// No address is both a contact and a plain hint.
#[derive(Debug)]
pub(crate) struct AddressBook {
    /// Boxed, because a `BTreeMap` allocates room for eleven entries at once.
    contacts: BTreeMap<HostPort, Box<Contact>>,
    /// IPv4 addresses that were never dialled, in their short form.
    hints: Hints,
    rng: Rng,
}

impl AddressBook {
    /// Creates an empty book. The seed decides which addresses a full one forgets.
    pub fn new(seed: u64) -> Self {
        AddressBook { contacts: BTreeMap::new(), hints: Hints::default(), rng: Rng::new(seed) }
    }

    /// Adds an address that a peer told, with the rank of its node. Known addresses keep their trust.
    pub fn hint(&mut self, addr: &HostPort, id: NodeId, scope: Scope, rank: u64) {
        let is_known = self.hints.contains(addr) || self.contacts.contains_key(addr);
        if !is_known && self.make_room(Trust::Hint) && !self.hints.add(addr, &id, scope, rank) {
            let target = Target::Told(addr.clone(), scope);
            self.add(addr.clone(), Contact::new(Trust::Hint, target, Some(id)));
        }
    }

    /// Returns what is known of an address, to be changed. A plain hint becomes a contact.
    fn contact_mut(&mut self, addr: &HostPort) -> Option<&mut Contact> {
        if let Some((hint, id)) = self.hints.take(addr) {
            let target = Target::Told(addr.clone(), hint.scope);
            self.add(addr.clone(), Contact::new(Trust::Hint, target, Some(id)));
        }
        self.contacts.get_mut(addr).map(|contact| &mut **contact)
    }

    fn add(&mut self, addr: HostPort, contact: Contact) {
        self.contacts.insert(addr, Box::new(contact));
    }

    /// Returns the nodes that answered at an address, or are said to be there.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> {
        let hinted = self.hints.iter().map(|(_, digest)| NodeId::from_digest(digest));
        self.contacts.values().filter_map(|contact| contact.id).chain(hinted)
    }

    /// Adds an address that the user wants linked from now on.
    pub fn want(&mut self, addr: HostPort, target: Target, now: Duration) {
        let mut contact = Contact::new(Trust::Wanted, target, None);
        (contact.is_seed, contact.is_awaited, contact.next) = (true, true, Some(now));
        self.hints.take(&addr);
        self.add(addr, contact);
    }

    /// Returns whether a node answered at an awaited seed, and notes that the user is told.
    pub fn has_arrived(&mut self, addr: &HostPort) -> bool {
        self.contacts.get_mut(addr).is_some_and(|contact| std::mem::take(&mut contact.is_awaited))
    }

    /// Notes that a peer answered at this address, or announced it. An announcement changes nothing
    /// about an address that answered before or is wanted: any peer can announce any address.
    pub fn reached(&mut self, addr: &HostPort, id: NodeId, trust: Trust, target: Target) {
        if self.contact_mut(addr).is_none() && !self.make_room(trust) {
            return;
        }
        let is_better = |contact: &Contact| contact.trust > Trust::Announced;
        if trust == Trust::Announced
            && self.contacts.get(addr).is_some_and(|contact| is_better(contact))
        {
            return;
        }
        let contact = self.contacts.entry(addr.clone());
        let contact =
            contact.or_insert_with(|| Box::new(Contact::new(trust, target.clone(), None)));
        if trust == Trust::Wanted {
            contact.target = target;
        }
        contact.trust = contact.trust.max(trust);
        contact.id = Some(id);
        contact.rest();
    }

    /// Schedules a redial of a lost peer. If its link `lasted` for a moment only, it counts as a
    /// failed dial: a node that completes the handshake and hangs up is not dialled forever.
    pub fn lost(
        &mut self,
        addr: &HostPort,
        now: Duration,
        lasted: Duration,
        pause: Duration,
        rng: &mut Rng,
    ) {
        let Some(contact) = self.contact_mut(addr) else { return };
        contact.rest();
        contact.is_awaited = contact.is_seed;
        if lasted >= STEADY {
            (contact.attempts, contact.silent_since) = (0, Some(now));
            contact.next = Some(now.saturating_add(pause));
        } else {
            self.failed(addr, now, rng);
        }
    }

    /// Notes a failed dial: schedules the next one, or forgets the address.
    pub fn failed(&mut self, addr: &HostPort, now: Duration, rng: &mut Rng) {
        let Some(contact) = self.contact_mut(addr) else { return };
        contact.link = None;
        contact.attempts.tally(1);
        let silent_for = now.saturating_sub(*contact.silent_since.get_or_insert(now));
        let wanted = contact.trust == Trust::Wanted;
        let pause = match contact.trust {
            Trust::Hint if contact.attempts >= HINT_ATTEMPTS => None,
            _ => reconnect::pause(rng, contact.attempts, silent_for, wanted),
        };
        match pause {
            Some(pause) => contact.next = Some(now.saturating_add(pause)),
            None => drop(self.contacts.remove(addr)),
        }
    }

    pub fn dialling(&mut self, addr: &HostPort, link: LinkId) {
        if let Some(contact) = self.contact_mut(addr) {
            contact.link = Some(link);
            contact.next = None;
        }
    }

    /// Cancels the redial of this address.
    pub fn rest(&mut self, addr: &HostPort) {
        if let Some(contact) = self.contacts.get_mut(addr) {
            contact.rest();
        }
    }

    pub fn forget(&mut self, addr: &HostPort) {
        self.hints.take(addr);
        self.contacts.remove(addr);
    }

    /// Forgets all addresses of this peer. Returns whether there was one.
    pub fn forget_peer(&mut self, id: &NodeId) -> bool {
        let before = self.len();
        self.contacts.retain(|_, contact| contact.id.as_ref() != Some(id));
        while self.hints.take_peer(id).is_some() {}
        self.len() < before
    }

    /// Returns the lost and wanted addresses whose pause is over.
    pub fn due(&self, now: Duration) -> Vec<HostPort> {
        let due = |contact: &Contact| contact.next.is_some_and(|next| next <= now);
        let contacts = self.contacts.iter().filter(|(_, contact)| {
            contact.trust > Trust::Hint && contact.link.is_none() && due(contact)
        });
        contacts.map(|(addr, _)| addr.clone()).collect()
    }

    /// Returns the hints that may be dialled now, each with the rank of its node.
    pub fn hints(
        &self,
        now: Duration,
        rank: impl Fn(&NodeId) -> u64,
    ) -> impl Iterator<Item = (Option<u64>, Place)> {
        let plain = self.hints.iter().map(|(hint, _)| (Some(hint.rank), Place::Short(hint.addr)));
        let due = self.contacts.iter().filter(move |(_, contact)| contact.is_due_hint(now));
        let due = due.map(move |(addr, contact)| {
            (contact.id.as_ref().map(&rank), Place::Long(addr.clone()))
        });
        plain.chain(due)
    }

    /// Returns whether at least so many hints may be dialled now.
    pub fn has_hints(&self, now: Duration, count: usize) -> bool {
        let more = count.saturating_sub(self.hints.len());
        let due = self.contacts.values().filter(|contact| contact.is_due_hint(now));
        due.take(more).count() >= more
    }

    /// Returns the addresses at which this peer answered, or which it announced.
    pub fn addresses_of(&self, id: &NodeId) -> Vec<HostPort> {
        let is_its =
            |contact: &Contact| contact.id.as_ref() == Some(id) && contact.trust > Trust::Hint;
        let contacts = self.contacts.iter().filter(|(_, contact)| is_its(contact));
        contacts.map(|(addr, _)| addr.clone()).collect()
    }

    /// Returns whether any address is wanted by the user.
    pub fn has_wanted(&self) -> bool {
        self.contacts.values().any(|contact| contact.trust == Trust::Wanted)
    }

    /// Returns how far an address is trusted; `None` if it is not known.
    pub fn trust(&self, addr: &HostPort) -> Option<Trust> {
        let contact = self.contacts.get(addr).map(|contact| contact.trust);
        contact.or_else(|| self.hints.contains(addr).then_some(Trust::Hint))
    }

    /// Returns the node that answered at an address, or is said to be there.
    pub fn id_at(&self, addr: &HostPort) -> Option<NodeId> {
        let contact = self.contacts.get(addr);
        contact.map_or_else(|| self.hints.id_at(addr), |contact| contact.id)
    }

    /// Returns what is dialled at an address.
    pub fn target(&self, addr: &HostPort) -> Option<Target> {
        let contact = self.contacts.get(addr).map(|contact| contact.target.clone());
        contact.or_else(|| Some(Target::Told(addr.clone(), self.hints.scope_of(addr)?)))
    }

    /// Returns whether the user wants this node.
    pub fn wants(&self, id: &NodeId) -> bool {
        let is_it = |contact: &Contact| contact.id.as_ref() == Some(id);
        self.contacts.values().any(|contact| contact.trust == Trust::Wanted && is_it(contact))
    }

    /// Takes the addresses of a peer that was parted from for hints again, which are not dialled until then.
    pub fn parted(&mut self, id: &NodeId, until: Duration) {
        while let Some((hint, id)) = self.hints.take_peer(id) {
            let addr = long(hint.addr);
            let target = Target::Told(addr.clone(), hint.scope);
            self.add(addr, Contact::new(Trust::Hint, target, Some(id)));
        }
        let its = self.contacts.values_mut().filter(|contact| contact.id.as_ref() == Some(id));
        for contact in its.filter(|contact| contact.trust < Trust::Wanted) {
            contact.rest();
            (contact.trust, contact.next) = (Trust::Hint, Some(until));
        }
    }

    /// Notes that the node at this address has no free link, and is left alone until then.
    pub fn turned_away(&mut self, addr: &HostPort, until: Duration, now: Duration, rng: &mut Rng) {
        match self.contact_mut(addr) {
            Some(contact) if contact.trust == Trust::Hint => {
                (contact.link, contact.next) = (None, Some(until));
            }
            _ => self.failed(addr, now, rng),
        }
    }

    /// Returns when the next redial is due.
    pub fn next_due(&self) -> Option<Duration> {
        let contacts = self.contacts.values().filter(|c| c.trust > Trust::Hint && c.link.is_none());
        contacts.filter_map(|contact| contact.next).min()
    }

    /// Postpones the dial of this address.
    pub fn postpone(&mut self, addr: &HostPort, until: Duration) {
        if let Some(contact) = self.contact_mut(addr) {
            contact.next = Some(until);
        }
    }

    /// Makes room for an address of this trust: forgets one of lower trust if the book is full, or
    /// one of equal trust if that is not proven. Which one is left to chance, so that a peer that tells many
    /// addresses cannot aim at those of others. Returns whether there is room.
    fn make_room(&mut self, trust: Trust) -> bool {
        if self.len() < MAX_CONTACTS || trust == Trust::Wanted {
            return true;
        }
        let those = || self.contacts.iter().filter(|(_, contact)| contact.gives_way(trust));
        let lowest = those().map(|(_, contact)| contact.trust).min();
        let lowest = if self.hints.len() > 0 { Some(Trust::Hint) } else { lowest };
        let all: Vec<_> = those().filter(|(_, contact)| Some(contact.trust) == lowest).collect();
        let count = all.len().saturating_add(self.hints.len());
        let at = self.rng.next_u64().checked_rem(count as u64).unwrap_or(0) as usize;
        if at < self.hints.len() {
            return self.hints.take_at(at).is_some();
        }
        let addr =
            all.get(at.saturating_sub(self.hints.len())).map(|(addr, _)| HostPort::clone(addr));
        addr.is_some_and(|addr| self.contacts.remove(&addr).is_some())
    }

    fn len(&self) -> usize {
        self.contacts.len().saturating_add(self.hints.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(host: &str) -> HostPort {
        HostPort { host: host.into(), port: 1 }
    }

    fn id(n: usize) -> NodeId {
        NodeId::from_digest(&[n as u8; 48])
    }

    #[test]
    fn a_flood_of_hints_does_not_choose_which_ones_it_pushes_out() {
        for [old, new] in [["a", "z"], ["10.1.", "10.9."]] {
            let at = |start: &str, n: usize| match start.ends_with('.') {
                true => addr(&format!("{start}{}.{}", n / 256, n % 256)),
                false => addr(&format!("{start}{n:04}")),
            };
            let mut book = AddressBook::new(1);
            (0..MAX_CONTACTS).for_each(|n| book.hint(&at(old, n), id(n), Scope::Host, 0));
            (0..MAX_CONTACTS / 2).for_each(|n| book.hint(&at(new, n), id(n), Scope::Host, 0));
            assert_eq!(book.len(), MAX_CONTACTS);
            let left = (0..MAX_CONTACTS).filter(|n| book.trust(&at(old, *n)).is_some());
            let first = left.take_while(|n| *n < MAX_CONTACTS / 2).count();
            assert!(first > MAX_CONTACTS / 4, "{first} of the first half are left");
        }
    }

    #[test]
    fn a_plain_hint_becomes_a_contact_when_more_is_known_of_it() {
        let (mut book, mut rng) = (AddressBook::new(1), Rng::new(1));
        let at = addr("10.0.0.7");
        book.hint(&at, id(7), Scope::Network, 70);
        let hints = |book: &AddressBook, now| book.hints(now, |_| 71).collect::<Vec<_>>();
        let [(Some(70), place)] = &hints(&book, Duration::ZERO)[..] else { panic!("one hint") };
        assert_eq!(place.clone().into_addr(), at);
        assert_eq!(book.target(&at), Some(Target::Told(at.clone(), Scope::Network)));
        book.dialling(&at, LinkId(1));
        assert!(hints(&book, Duration::ZERO).is_empty() && !book.has_hints(Duration::ZERO, 1));
        book.turned_away(&at, Duration::from_secs(60), Duration::ZERO, &mut rng);
        assert_eq!((book.id_at(&at), book.trust(&at)), (Some(id(7)), Some(Trust::Hint)));
        assert_eq!(hints(&book, Duration::from_secs(59)), []);
        assert_eq!(hints(&book, Duration::from_secs(60)), [(Some(71), Place::Long(at.clone()))]);
        book.hint(&at, id(8), Scope::Network, 80);
        assert_eq!((book.len(), book.id_at(&at)), (1, Some(id(7))));
        assert!(book.forget_peer(&id(7)) && book.len() == 0);
    }

    #[test]
    fn who_was_parted_from_is_not_dialled_for_a_while() {
        let mut book = AddressBook::new(1);
        book.hint(&addr("10.0.0.7"), id(7), Scope::Network, 70);
        book.parted(&id(7), Duration::from_secs(60));
        assert!(!book.has_hints(Duration::from_secs(59), 1));
        assert!(book.has_hints(Duration::from_secs(60), 1));
    }
}
