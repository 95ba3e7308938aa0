//! Addresses that may be dialled: wanted by the user, of lost peers, or told by peers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dialable::Scope;
use super::event::{LinkId, Target};
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// A peer told it.
    Hint,
    /// A peer that dialled us announced it as its own.
    Announced,
    /// A peer answered there.
    Known,
    /// The user asked for it: dialled until `disconnect` or `close`.
    Wanted,
}

#[derive(Debug)]
pub(crate) struct Contact {
    pub trust: Trust,
    pub target: Target,
    /// The node that answered there, or is said to be there.
    pub id: Option<NodeId>,
    /// Whether the user is told when a node answers there.
    is_seed: bool,
    is_awaited: bool,
    attempts: u32,
    silent_since: Option<Duration>,
    /// When to dial; `None` while there is no need.
    next: Option<Duration>,
    link: Option<LinkId>,
}

#[derive(Debug)]
pub(crate) struct AddressBook(BTreeMap<HostPort, Contact>, Rng);

impl AddressBook {
    /// Creates an empty book. The seed decides which addresses a full one forgets.
    pub fn new(seed: u64) -> Self {
        AddressBook(BTreeMap::new(), Rng::new(seed))
    }

    /// Adds an address that a peer told. Known addresses keep their trust.
    pub fn hint(&mut self, addr: &HostPort, id: NodeId, scope: Scope) {
        if !self.0.contains_key(addr) && self.make_room(Trust::Hint) {
            let target = Target::Told(addr.clone(), scope);
            self.0.insert(addr.clone(), Contact::new(Trust::Hint, target, Some(id)));
        }
    }

    /// Returns the nodes that answered at an address, or are said to be there.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> {
        self.0.values().filter_map(|contact| contact.id)
    }

    /// Adds an address that the user wants linked from now on.
    pub fn want(&mut self, addr: HostPort, target: Target, now: Duration) {
        let mut contact = Contact::new(Trust::Wanted, target, None);
        (contact.is_seed, contact.is_awaited, contact.next) = (true, true, Some(now));
        self.0.insert(addr, contact);
    }

    /// Returns whether a node answered at an awaited seed, and notes that the user is told.
    pub fn has_arrived(&mut self, addr: &HostPort) -> bool {
        self.0.get_mut(addr).is_some_and(|contact| std::mem::take(&mut contact.is_awaited))
    }

    /// Notes that a peer answered at this address, or announced it. An announcement changes nothing
    /// about an address that answered before or is wanted: any peer can announce any address.
    pub fn reached(&mut self, addr: &HostPort, id: NodeId, trust: Trust, target: Target) {
        if !self.0.contains_key(addr) && !self.make_room(trust) {
            return;
        }
        let is_better = |contact: &Contact| contact.trust > Trust::Announced;
        if trust == Trust::Announced && self.0.get(addr).is_some_and(is_better) {
            return;
        }
        let contact = self.0.entry(addr.clone());
        let contact = contact.or_insert_with(|| Contact::new(trust, target.clone(), None));
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
        let Some(contact) = self.0.get_mut(addr) else { return };
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
        let Some(contact) = self.0.get_mut(addr) else { return };
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
            None => drop(self.0.remove(addr)),
        }
    }

    pub fn dialling(&mut self, addr: &HostPort, link: LinkId) {
        if let Some(contact) = self.0.get_mut(addr) {
            contact.link = Some(link);
            contact.next = None;
        }
    }

    /// Cancels the redial of this address.
    pub fn rest(&mut self, addr: &HostPort) {
        if let Some(contact) = self.0.get_mut(addr) {
            contact.rest();
        }
    }

    pub fn forget(&mut self, addr: &HostPort) {
        self.0.remove(addr);
    }

    /// Forgets all addresses of this peer. Returns whether there was one.
    pub fn forget_peer(&mut self, id: &NodeId) -> bool {
        let before = self.0.len();
        self.0.retain(|_, contact| contact.id.as_ref() != Some(id));
        self.0.len() < before
    }

    /// Returns the lost and wanted addresses whose pause is over.
    pub fn due(&self, now: Duration) -> Vec<HostPort> {
        let due = |contact: &Contact| contact.next.is_some_and(|next| next <= now);
        let contacts = self.0.iter().filter(|(_, contact)| {
            contact.trust > Trust::Hint && contact.link.is_none() && due(contact)
        });
        contacts.map(|(addr, _)| addr.clone()).collect()
    }

    /// Returns the hints that may be dialled now.
    pub fn hints(&self, now: Duration) -> impl Iterator<Item = (&HostPort, Option<NodeId>)> {
        let is_due = move |contact: &Contact| contact.next.is_none_or(|next| next <= now);
        let hints = self.0.iter().filter(move |(_, contact)| {
            contact.trust == Trust::Hint && contact.link.is_none() && is_due(contact)
        });
        hints.map(|(addr, contact)| (addr, contact.id))
    }

    /// Returns the addresses at which this peer answered, or which it announced.
    pub fn addresses_of(&self, id: &NodeId) -> Vec<HostPort> {
        let is_its =
            |contact: &Contact| contact.id.as_ref() == Some(id) && contact.trust > Trust::Hint;
        let contacts = self.0.iter().filter(|(_, contact)| is_its(contact));
        contacts.map(|(addr, _)| addr.clone()).collect()
    }

    /// Returns whether any address is wanted by the user.
    pub fn has_wanted(&self) -> bool {
        self.0.values().any(|contact| contact.trust == Trust::Wanted)
    }

    pub fn get(&self, addr: &HostPort) -> Option<&Contact> {
        self.0.get(addr)
    }

    /// Returns whether the user wants this node.
    pub fn wants(&self, id: &NodeId) -> bool {
        let is_it = |contact: &Contact| contact.id.as_ref() == Some(id);
        self.0.values().any(|contact| contact.trust == Trust::Wanted && is_it(contact))
    }

    /// Takes the addresses of a peer that was parted from for hints again, which are not dialled until then.
    pub fn parted(&mut self, id: &NodeId, until: Duration) {
        let its = self.0.values_mut().filter(|contact| contact.id.as_ref() == Some(id));
        for contact in its.filter(|contact| contact.trust < Trust::Wanted) {
            contact.rest();
            (contact.trust, contact.next) = (Trust::Hint, Some(until));
        }
    }

    /// Notes that the node at this address has no free link, and is left alone until then.
    pub fn turned_away(&mut self, addr: &HostPort, until: Duration, now: Duration, rng: &mut Rng) {
        match self.0.get_mut(addr) {
            Some(contact) if contact.trust == Trust::Hint => {
                (contact.link, contact.next) = (None, Some(until));
            }
            _ => self.failed(addr, now, rng),
        }
    }

    /// Returns when the next redial is due.
    pub fn next_due(&self) -> Option<Duration> {
        let contacts = self.0.values().filter(|c| c.trust > Trust::Hint && c.link.is_none());
        contacts.filter_map(|contact| contact.next).min()
    }

    /// Postpones the dial of this address.
    pub fn postpone(&mut self, addr: &HostPort, until: Duration) {
        if let Some(contact) = self.0.get_mut(addr) {
            contact.next = Some(until);
        }
    }

    /// Makes room for an address of this trust: forgets one of lower trust if the book is full, or
    /// one of equal trust if that is not proven. Which one is left to chance, so that a peer that tells many
    /// addresses cannot aim at those of others. Returns whether there is room.
    fn make_room(&mut self, trust: Trust) -> bool {
        if self.0.len() < MAX_CONTACTS || trust == Trust::Wanted {
            return true;
        }
        let gives_way = |contact: &Contact| {
            contact.link.is_none()
                && (contact.trust < trust || contact.trust == trust && trust < Trust::Known)
        };
        let those = || self.0.iter().filter(|(_, contact)| gives_way(contact));
        let Some(lowest) = those().map(|(_, contact)| contact.trust).min() else { return false };
        let all: Vec<_> = those().filter(|(_, contact)| contact.trust == lowest).collect();
        let at = self.1.next_u64().checked_rem(all.len() as u64).unwrap_or(0) as usize;
        let addr = all.get(at).map(|(addr, _)| HostPort::clone(addr));
        addr.is_some_and(|addr| self.0.remove(&addr).is_some())
    }
}

impl Contact {
    fn new(trust: Trust, target: Target, id: Option<NodeId>) -> Self {
        Contact {
            trust,
            target,
            id,
            is_seed: false,
            is_awaited: false,
            attempts: 0,
            silent_since: None,
            next: None,
            link: None,
        }
    }

    /// Cancels the next dial. The number of failed dials stays: see [`AddressBook::lost`].
    fn rest(&mut self) {
        self.silent_since = None;
        self.next = None;
        self.link = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(host: &str) -> HostPort {
        HostPort { host: host.into(), port: 1 }
    }

    #[test]
    fn a_flood_of_hints_does_not_choose_which_ones_it_pushes_out() {
        let mut book = AddressBook::new(1);
        let id = |n: usize| NodeId::from_digest(&[n as u8; 48]);
        for n in 0..MAX_CONTACTS {
            book.hint(&addr(&format!("a{n:04}")), id(n), Scope::Host);
        }
        for n in 0..MAX_CONTACTS / 2 {
            book.hint(&addr(&format!("z{n:04}")), id(n), Scope::Host);
        }
        let left = (0..MAX_CONTACTS).filter(|n| book.get(&addr(&format!("a{n:04}"))).is_some());
        let first = left.take_while(|n| *n < MAX_CONTACTS / 2).count();
        assert!(first > MAX_CONTACTS / 4, "{first} of the first half are left");
    }
}
