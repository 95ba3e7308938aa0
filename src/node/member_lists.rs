//! The list of members, as peers tell it to each other: page by page, and what is new.

use std::time::Duration;

use super::event::{LinkId, Parcel};
use super::peer::Peer;
use super::roster::Heard;
use super::{Node, Now};
use crate::id::NodeId;
use crate::options::Flag;
use crate::tally::Tally;
use crate::wire::Draft;
use crate::wire::members::{MAX_ROWS, Members, Row};

/// A node that has not been linked for longer passes no list on: its first peers know it.
const NEWCOMER: Duration = Duration::from_secs(30);

impl Node {
    /// Handles a word of a peer.
    pub(super) fn members_told(&mut self, now: Now, link: LinkId, word: &Members) {
        match word {
            Members::Tell { after } => self.tell_members(now, link, *after),
            Members::Rows(rows) | Members::News(rows) => {
                if !self
                    .links
                    .get_mut(link)
                    .is_some_and(|peer| peer.allowances.lists.take(now.mono))
                {
                    return;
                }
                self.hear_members(now, link, rows);
                if matches!(word, Members::Rows(_)) {
                    self.ask_for_the_rest(now, link, rows);
                }
            }
            _ => {}
        }
    }

    /// Asks a peer for a page of its list.
    pub(super) fn ask_members(&mut self, now: Now, link: LinkId, after: Option<NodeId>) {
        self.links.update(link, |peer| peer.listed_to = after);
        self.say(now, link, Flag::Whisper, Members::Tell { after }.payload());
    }

    /// Asks for the next page, if this one is full and goes on where the last one ended.
    fn ask_for_the_rest(&mut self, now: Now, link: LinkId, page: &[Row]) {
        let Some(last) = page.last().filter(|_| page.len() == MAX_ROWS) else { return };
        if self.links.is(link, |peer: &Peer| peer.listed_to < Some(last.id)) {
            self.ask_members(now, link, Some(last.id));
        }
    }

    /// Tells a peer a page of the members. It is an answer: a peer that does not take it gets no more, and many
    /// questions are not answered, for the list is larger than the question.
    fn tell_members(&mut self, now: Now, link: LinkId, after: Option<NodeId>) {
        let Some(me) = &self.config.presence else { return };
        if !self.links.get_mut(link).is_some_and(|peer| peer.allowances.pages.take(now.mono)) {
            self.stats.unanswered.tally(1);
            return;
        }
        let Some(presence) = &self.presence else { return };
        let (version, age) = (presence.version, Duration::ZERO);
        let (name, role) = (me.name.clone(), me.role.clone());
        let own = Row { id: self.me.id, version, age, name, role };
        // The first page begins with this node: pages are asked for by the id of their last row.
        let own = Some(own).filter(|_| after.is_none()).into_iter();
        let page = own.chain(presence.roster.rows(now.mono, after)).take(MAX_ROWS).collect();
        self.answer_members(now, link, &Members::Rows(page));
    }

    fn answer_members(&mut self, now: Now, link: LinkId, word: &Members) {
        let draft = Draft { main: Flag::Whisper, packets: word.payload(), time: now.second() };
        self.put_control(link, Parcel::Answer(draft));
    }

    /// Takes over members that a peer tells. What is new is passed on: two parts of the mesh may have met here.
    fn hear_members(&mut self, now: Now, link: LinkId, rows: &[Row]) {
        let (mut news, me) = (Vec::new(), self.me.id);
        for row in rows.iter().filter(|row| row.id != me) {
            match self.hear_member(now, row.clone()) {
                Heard::New | Heard::Again => news.push(row.clone()),
                Heard::Gone => self.doubt_gone(now, row.id),
                Heard::Old => {}
            }
        }
        let is_newcomer = self
            .presence
            .as_ref()
            .is_none_or(|it| now.mono < it.linked_since.saturating_add(NEWCOMER));
        if news.is_empty() || is_newcomer {
            return;
        }
        let news = Members::News(news);
        let is_other =
            |to: &LinkId| *to != link && self.links.is(*to, |peer: &Peer| peer.tells_members);
        let others: Vec<LinkId> = self.table.iter().map(|(_, to)| to).filter(is_other).collect();
        for to in others {
            self.answer_members(now, to, &news);
        }
    }
}
