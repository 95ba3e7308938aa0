//! Addresses worth dialling: what the user asked for, whom we lost, whom others told us about.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::{LinkId, Target};
use super::reach::Scope;
use super::reconnect;
use super::rng::Rng;
use crate::id::NodeId;
use crate::wire::HostPort;

/// More addresses than this are not remembered; what the user asked for always is.
const MAX_CONTACTS: usize = 512;
/// A link that has lasted so long was worth its dial.
const STEADY: Duration = Duration::from_secs(10);
/// A hint that failed this often is forgotten.
const HINT_ATTEMPTS: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// Somebody told us about it.
    Hint,
    /// A peer that dialled us said that it can be dialled there.
    Announced,
    /// A peer answered there.
    Known,
    /// The user asked for it: tried until `disconnect` or `close`.
    Wanted,
}

#[derive(Debug)]
pub(crate) struct Contact {
    pub trust: Trust,
    pub target: Target,
    /// Who answered there, or is said to.
    pub id: Option<NodeId>,
    /// Whether the user is told when somebody answers there.
    is_seed: bool,
    is_awaited: bool,
    attempts: u32,
    silent_since: Option<Duration>,
    /// When to dial; `None` while there is no need.
    next: Option<Duration>,
    link: Option<LinkId>,
}

#[derive(Debug, Default)]
pub(crate) struct AddressBook(BTreeMap<HostPort, Contact>);

impl AddressBook {
    /// Notes what a peer told us. Known addresses keep their trust.
    pub fn hint(&mut self, addr: &HostPort, id: NodeId, scope: Scope) {
        if !self.0.contains_key(addr) && self.make_room(Trust::Hint) {
            let target = Target::Told(addr.clone(), scope);
            self.0.insert(addr.clone(), Contact::new(Trust::Hint, target, Some(id)));
        }
    }

    /// The user wants whoever answers at this address, from now on.
    pub fn want(&mut self, addr: HostPort, target: Target, now: Duration) {
        let mut contact = Contact::new(Trust::Wanted, target, None);
        (contact.is_seed, contact.is_awaited, contact.next) = (true, true, Some(now));
        self.0.insert(addr, contact);
    }

    /// Whether somebody answered at a seed who was awaited; notes that the user knows.
    pub fn has_arrived(&mut self, addr: &HostPort) -> bool {
        self.0.get_mut(addr).is_some_and(|contact| std::mem::take(&mut contact.is_awaited))
    }

    /// A peer answered at this address, or says that it would. Saying so changes nothing about an
    /// address where one has answered, or that the user asked for: anybody can say it.
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

    /// A peer at this address was lost: try it again soon. If the link `lasted` for a moment only,
    /// that was as good as a failed dial: a node that completes the handshake and hangs up is not
    /// dialled forever.
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
            contact.next = Some(now + pause);
        } else {
            self.failed(addr, now, rng);
        }
    }

    /// A dial to this address came to nothing: later, or never again.
    pub fn failed(&mut self, addr: &HostPort, now: Duration, rng: &mut Rng) {
        let Some(contact) = self.0.get_mut(addr) else { return };
        contact.link = None;
        contact.attempts += 1;
        let silent_for = now.saturating_sub(*contact.silent_since.get_or_insert(now));
        let wanted = contact.trust == Trust::Wanted;
        let pause = match contact.trust {
            Trust::Hint if contact.attempts >= HINT_ATTEMPTS => None,
            _ => reconnect::pause(rng, contact.attempts, silent_for, wanted),
        };
        match pause {
            Some(pause) => contact.next = Some(now + pause),
            None => drop(self.0.remove(addr)),
        }
    }

    pub fn dialling(&mut self, addr: &HostPort, link: LinkId) {
        if let Some(contact) = self.0.get_mut(addr) {
            contact.link = Some(link);
            contact.next = None;
        }
    }

    /// There is no need to dial this address now.
    pub fn rest(&mut self, addr: &HostPort) {
        if let Some(contact) = self.0.get_mut(addr) {
            contact.rest();
        }
    }

    pub fn forget(&mut self, addr: &HostPort) {
        self.0.remove(addr);
    }

    /// Forgets every address of this peer; whether there was one.
    pub fn forget_peer(&mut self, id: &NodeId) -> bool {
        let before = self.0.len();
        self.0.retain(|_, contact| contact.id.as_ref() != Some(id));
        self.0.len() < before
    }

    /// Peers that were lost, or that the user asked for, whose time has come.
    pub fn due(&self, now: Duration) -> Vec<HostPort> {
        let due = |contact: &Contact| contact.next.is_some_and(|next| next <= now);
        let contacts = self.0.iter().filter(|(_, contact)| {
            contact.trust > Trust::Hint && contact.link.is_none() && due(contact)
        });
        contacts.map(|(addr, _)| addr.clone()).collect()
    }

    /// Hints that may be tried now.
    pub fn hints(&self, now: Duration) -> Vec<HostPort> {
        let contacts = self.0.iter().filter(|(_, contact)| {
            contact.trust == Trust::Hint
                && contact.link.is_none()
                && contact.next.is_none_or(|next| next <= now)
        });
        contacts.map(|(addr, _)| addr.clone()).collect()
    }

    /// Where this peer has answered, or says that it would.
    pub fn addresses_of(&self, id: &NodeId) -> Vec<HostPort> {
        let is_its =
            |contact: &Contact| contact.id.as_ref() == Some(id) && contact.trust > Trust::Hint;
        let contacts = self.0.iter().filter(|(_, contact)| is_its(contact));
        contacts.map(|(addr, _)| addr.clone()).collect()
    }

    /// Whether the user asked for any of them.
    pub fn has_wanted(&self) -> bool {
        self.0.values().any(|contact| contact.trust == Trust::Wanted)
    }

    pub fn get(&self, addr: &HostPort) -> Option<&Contact> {
        self.0.get(addr)
    }

    /// When the next lost peer is due.
    pub fn next_due(&self) -> Option<Duration> {
        let contacts = self.0.values().filter(|c| c.trust > Trust::Hint && c.link.is_none());
        contacts.filter_map(|contact| contact.next).min()
    }

    /// Not now, but then.
    pub fn postpone(&mut self, addr: &HostPort, until: Duration) {
        if let Some(contact) = self.0.get_mut(addr) {
            contact.next = Some(until);
        }
    }

    /// Whether there is room for a contact of this trust, if need be in the place of one of
    /// lower trust, or of one of its own that is not proven either.
    fn make_room(&mut self, trust: Trust) -> bool {
        if self.0.len() < MAX_CONTACTS || trust == Trust::Wanted {
            return true;
        }
        let gives_way = |contact: &Contact| {
            contact.link.is_none()
                && (contact.trust < trust || contact.trust == trust && trust < Trust::Known)
        };
        let lowest = self.0.iter().filter(|(_, contact)| gives_way(contact));
        let lowest = lowest.min_by_key(|(_, contact)| contact.trust);
        let lowest = lowest.map(|(addr, _)| addr.clone());
        lowest.is_some_and(|addr| self.0.remove(&addr).is_some())
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

    /// Nothing to do, but not forgotten how often it was tried: see [`AddressBook::lost`].
    fn rest(&mut self) {
        self.silent_since = None;
        self.next = None;
        self.link = None;
    }
}
