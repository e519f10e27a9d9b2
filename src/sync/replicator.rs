//! Replication of one space with one peer: events in, messages out. Each side says how far it
//! holds every feed; each then sends what the other lacks, in the order in which it arrived here,
//! which is causal. What is sent is counted against a window until the peer says that it stored
//! it, so that a slow peer slows the sender down and memory stays bounded.

use super::wire::{Ack, Body, Branches, Entries, Height, Heights, Message, Open, SpaceTag};
use crate::model::{EntryId, Error, FeedId, Result, limits};
use bytes::Bytes;
use std::collections::{HashMap, HashSet, VecDeque};

/// Bytes of entries that may be on the way to a peer and not confirmed.
const WINDOW: u64 = 1024 * 1024;
/// Bytes of entries gathered into one message.
const BATCH: usize = 256 * 1024;
/// Entries of one feed that a peer may name when branches are compared: the tips and, at distances
/// that double, a branch's width of entries each.
const HELD: usize = limits::FEED_BRANCHES * 65;
/// Bytes of control entries that a removed peer is told its removal with, in one message.
const FAREWELL_BYTES: usize = 1024 * 1024;
/// Milliseconds between two requests for what did not fit; doubled up to 64 times.
const ASK_AGAIN_MS: u64 = 250;

/// A stored entry as replication sees it.
pub struct Stored {
    /// Its place in the order of arrival.
    pub arrival: i64,
    /// Its feed.
    pub feed: FeedId,
    /// Its number.
    pub seq: u64,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What replication asks of the space.
pub trait Source {
    /// Each feed with the first number not held and the head's tag, in any order.
    fn heights(&self) -> Vec<(FeedId, u64, [u8; 8])>;
    /// A digest of the heights.
    fn digest(&self) -> [u8; 32];
    /// The first number of a feed that is not held.
    fn next(&self, feed: &FeedId) -> u64;
    /// A feed's signed header and whether it is a control feed.
    fn header(&self, feed: &FeedId) -> Option<(Bytes, bool)>;
    /// Arrival numbers of what a peer with these heights lacks, rising.
    fn lacking(&self, theirs: &dyn Fn(&FeedId) -> u64) -> Result<Vec<i64>>;
    /// Whether a feed has branches, because its device exists twice.
    fn is_forked(&self, feed: &FeedId) -> bool;
    /// The feeds that have.
    fn forked(&self) -> Vec<FeedId>;
    /// The entry of a feed with this number whose id begins with `tag`.
    fn tagged(&self, feed: &FeedId, seq: u64, tag: &[u8]) -> Result<Option<EntryId>>;
    /// All tips of a feed and some of the entries below.
    fn sample(&self, feed: &FeedId) -> Result<Vec<EntryId>>;
    /// Arrival numbers, rising, of a feed's entries that are neither among `held` nor before them.
    fn beyond(&self, feed: &FeedId, held: &[EntryId]) -> Result<Vec<i64>>;
    /// The entry of an arrival number.
    fn entry_at(&self, arrival: i64) -> Result<Option<Stored>>;
    /// Entries after an arrival number, about `max_bytes` of them.
    fn entries_after(&self, arrival: i64, max_bytes: usize) -> Result<Vec<Stored>>;
    /// The newest arrival number.
    fn last_arrival(&self) -> Result<i64>;
    /// Arrival numbers, rising, of what a peer is still told that may not read this space any more:
    /// the control entries that say so, and what these build on. Empty for any other.
    fn farewell(&self) -> Result<Vec<i64>>;
    /// Whether the peer may read this space, as far as we know.
    fn peer_may_read(&self) -> bool;
}

/// Entries to be taken in; [`Replicator::ingested`] answers the peer afterwards.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Feed headers.
    pub headers: Vec<Bytes>,
    /// Entries.
    pub entries: Vec<Bytes>,
}

/// One space with one peer.
pub struct Replicator {
    tag: SpaceTag,
    /// What the peer confirmed to hold.
    theirs: HashMap<FeedId, u64>,
    /// What it will hold once it has taken what was sent.
    sent: HashMap<FeedId, u64>,
    /// What it said that it holds.
    claimed: HashMap<FeedId, u64>,
    headers_sent: HashSet<FeedId>,
    /// Feeds of which the peer has another branch than we; numbers say nothing about them.
    diverged: HashSet<FeedId>,
    /// Those of which what the peer lacks is known and on its way.
    compared: HashSet<FeedId>,
    /// Those of which the peer was asked what it holds, or which are known to be the same.
    asked: HashSet<FeedId>,
    /// Those of which it has not answered yet.
    unanswered: HashSet<FeedId>,
    backlog: VecDeque<i64>,
    /// Everything up to this arrival number is in the backlog or sent or not needed.
    cursor: i64,
    /// Whether the peer has begun, too. What it sent before was meant for an earlier beginning,
    /// which this side has forgotten since.
    heard: bool,
    /// Whether the peer's heights are known.
    synchronised: bool,
    control_only: bool,
    /// Whether the peer has been told our heights; re-told when it becomes a member.
    told_as_member: Option<bool>,
    farewell_said: bool,
    bytes_sent: u64,
    bytes_confirmed: u64,
    bytes_taken: u64,
    ask_at_ms: Option<u64>,
    ask_wait_ms: u64,
}

impl Replicator {
    /// Begins; the first message goes out at once.
    pub fn new(tag: SpaceTag, source: &dyn Source, out: &mut Vec<Message>) -> Replicator {
        let replicator = Replicator {
            tag,
            theirs: HashMap::new(),
            sent: HashMap::new(),
            claimed: HashMap::new(),
            headers_sent: HashSet::new(),
            diverged: HashSet::new(),
            compared: HashSet::new(),
            asked: HashSet::new(),
            unanswered: HashSet::new(),
            backlog: VecDeque::new(),
            cursor: 0,
            heard: false,
            synchronised: false,
            control_only: false,
            told_as_member: None,
            farewell_said: false,
            bytes_sent: 0,
            bytes_confirmed: 0,
            bytes_taken: 0,
            ask_at_ms: None,
            ask_wait_ms: ASK_AGAIN_MS,
        };
        let digest = match source.peer_may_read() {
            true => Bytes::copy_from_slice(&source.digest()),
            false => Bytes::new(),
        };
        out.push(replicator.message(Body::Open(Open { digest })));
        replicator
    }

    /// Takes a message; returns entries to be taken in, if it carries any.
    pub fn receive(
        &mut self,
        body: Body,
        source: &dyn Source,
        out: &mut Vec<Message>,
    ) -> Result<Option<Delivery>> {
        self.heard |= matches!(body, Body::Open(_));
        if !self.heard {
            return Ok(None);
        }
        match body {
            Body::Open(open) => self.on_open(&open, source, out)?,
            Body::Heights(heights) => self.on_heights(&heights, source, out)?,
            Body::Ack(ack) => self.on_ack(&ack, source, out)?,
            Body::Entries(entries) => return Ok(Some(self.on_entries(entries))),
            Body::Branches(branches) => self.on_branches(&branches, source, out)?,
            Body::Close(_) => self.synchronised = false,
            // Taken elsewhere: blobs have nothing to do with heights.
            Body::Blob(_) => {}
        }
        Ok(None)
    }

    fn on_open(&mut self, open: &Open, source: &dyn Source, out: &mut Vec<Message>) -> Result<()> {
        if source.peer_may_read() && open.digest.as_ref() == source.digest() {
            for (feed, next, _) in source.heights() {
                self.confirm(feed, next);
                self.claimed.insert(feed, next);
            }
            self.asked.extend(source.forked());
            self.cursor = source.last_arrival()?;
            self.synchronised = true;
            return self.pump(source, out);
        }
        self.tell_heights(source, out);
        Ok(())
    }

    fn tell_heights(&mut self, source: &dyn Source, out: &mut Vec<Message>) {
        let member = source.peer_may_read();
        self.told_as_member = Some(member);
        // A device that we do not know as a member learns nothing; it may prove itself by sending
        // the control entries that admitted it.
        let heights = match member {
            true => source
                .heights()
                .into_iter()
                .map(|(feed, next, head)| Height {
                    feed: Bytes::copy_from_slice(feed.as_bytes()),
                    next,
                    head: Bytes::copy_from_slice(&head),
                })
                .collect(),
            false => Vec::new(),
        };
        out.push(self.message(Body::Heights(Heights {
            heights,
            control_only: !member,
        })));
    }

    fn on_heights(
        &mut self,
        heights: &Heights,
        source: &dyn Source,
        out: &mut Vec<Message>,
    ) -> Result<()> {
        if heights.heights.len() > limits::FEEDS {
            return Err(Error::protocol("more heights than a space may have feeds"));
        }
        self.theirs.clear();
        self.claimed.clear();
        self.diverged.clear();
        self.compared.clear();
        self.asked.clear();
        self.unanswered.clear();
        let tags: HashMap<FeedId, [u8; 8]> = source
            .heights()
            .into_iter()
            .map(|(feed, _, tag)| (feed, tag))
            .collect();
        let mut lacking = Vec::new();
        for height in &heights.heights {
            let feed = height.feed_id()?;
            self.theirs.insert(feed, height.next);
            self.claimed.insert(feed, height.next);
            let same = tags.get(&feed).is_some_and(|tag| *tag == height.head[..]);
            if !same || height.next != source.next(&feed) {
                lacking.extend(self.compare(feed, height, source)?);
            } else {
                self.asked.insert(feed);
            }
        }
        self.control_only = heights.control_only;
        self.sent = self.theirs.clone();
        self.headers_sent = self.theirs.keys().copied().collect();
        let unknown = source.lacking(&|feed| match self.theirs.contains_key(feed) {
            true => u64::MAX,
            false => 0,
        })?;
        self.backlog.clear();
        self.enqueue(lacking.into_iter().chain(unknown));
        self.cursor = source.last_arrival()?;
        self.bytes_confirmed = self.bytes_sent;
        self.synchronised = true;
        if self.told_as_member.is_none() {
            self.tell_heights(source, out);
        }
        self.pump(source, out)
    }

    /// What the peer lacks of a feed that we hold otherwise than it does.
    fn compare(&mut self, feed: FeedId, height: &Height, source: &dyn Source) -> Result<Vec<i64>> {
        let ours = source.next(&feed);
        let Some(newest) = height.next.checked_sub(1) else {
            return source.beyond(&feed, &[]);
        };
        if ours == 0 || (ours < height.next && !source.is_forked(&feed)) {
            // The peer can tell whether its copy continues ours.
            return Ok(Vec::new());
        }
        let tip = match height.head.is_empty() {
            true => None,
            false => source.tagged(&feed, newest, &height.head)?,
        };
        match tip {
            Some(tip) => source.beyond(&feed, &[tip]),
            None => {
                self.diverged.insert(feed);
                Ok(Vec::new())
            }
        }
    }

    /// Asks about every feed that turns out to differ from the peer's, and about every feed that got
    /// branches: what was sent of it so far went by numbers.
    fn ask_branches(&mut self, source: &dyn Source, out: &mut Vec<Message>) -> Result<()> {
        let mut feeds = source.forked();
        feeds.extend(&self.diverged);
        for feed in feeds {
            if self.asked.insert(feed) {
                self.unanswered.insert(feed);
                self.tell_branches(feed, false, source, out)?;
            }
        }
        Ok(())
    }

    /// Names what we hold of a feed.
    fn tell_branches(
        &self,
        feed: FeedId,
        answer: bool,
        source: &dyn Source,
        out: &mut Vec<Message>,
    ) -> Result<()> {
        let held = source.sample(&feed)?;
        out.push(
            self.message(Body::Branches(Branches {
                feed: Bytes::copy_from_slice(feed.as_bytes()),
                held: held
                    .iter()
                    .map(|id| Bytes::copy_from_slice(id.as_bytes()))
                    .collect(),
                answer,
                next: source.next(&feed),
            })),
        );
        Ok(())
    }

    fn on_branches(
        &mut self,
        branches: &Branches,
        source: &dyn Source,
        out: &mut Vec<Message>,
    ) -> Result<()> {
        if branches.held.len() > HELD {
            return Err(Error::protocol(
                "more entries of a feed than are needed to compare it",
            ));
        }
        let feed = FeedId::from_slice(&branches.feed)?;
        let held: Vec<EntryId> = branches
            .held
            .iter()
            .map(|id| EntryId::from_slice(id))
            .collect::<Result<_>>()?;
        if !source.peer_may_read() {
            return Ok(());
        }
        if source.header(&feed).is_none() {
            // Nothing is kept of what a peer may have made up; but it is answered.
            return match branches.answer {
                true => Ok(()),
                false => self.tell_branches(feed, true, source, out),
            };
        }
        // From here on everything new of this feed goes to the peer, whatever its number.
        self.diverged.insert(feed);
        match branches.answer {
            true => drop(self.unanswered.remove(&feed)),
            false => self.tell_branches(feed, true, source, out)?,
        }
        self.confirm(feed, branches.next);
        self.claim(feed, branches.next);
        if self.compared.insert(feed) {
            self.enqueue(source.beyond(&feed, &held)?.into_iter());
        }
        self.pump(source, out)
    }

    /// Adds to what is to be sent, in order of arrival: that order is causal over all feeds.
    fn enqueue(&mut self, arrivals: impl Iterator<Item = i64>) {
        let all: std::collections::BTreeSet<i64> = self.backlog.drain(..).chain(arrivals).collect();
        self.backlog.extend(all);
    }

    fn on_ack(&mut self, ack: &Ack, source: &dyn Source, out: &mut Vec<Message>) -> Result<()> {
        for height in &ack.heights {
            let feed = height.feed_id()?;
            // Only what was sent is confirmed; what a peer makes up takes no room.
            if source.header(&feed).is_some() {
                self.confirm(feed, height.next);
                self.claim(feed, height.next);
            }
        }
        if ack.taken > self.bytes_sent {
            return Err(Error::protocol("a peer confirms more than was sent"));
        }
        self.bytes_confirmed = self.bytes_confirmed.max(ack.taken);
        self.pump(source, out)
    }

    fn on_entries(&mut self, entries: Entries) -> Delivery {
        self.bytes_taken += entries.entries.iter().map(|e| e.len() as u64).sum::<u64>();
        Delivery {
            headers: entries.headers,
            entries: entries.entries,
        }
    }

    /// Entries of a delivery were stored (or were here already): `heights` are the feeds they are
    /// of, with what we hold now. `unplaced` says that some could not be placed.
    pub fn ingested(
        &mut self,
        feeds: &[(FeedId, u64)],
        unplaced: bool,
        now_ms: u64,
        source: &dyn Source,
        out: &mut Vec<Message>,
    ) -> Result<()> {
        let mut heights = Vec::with_capacity(feeds.len());
        for (feed, next_sent) in feeds {
            // What the peer sent, it holds. Entries of unknown feeds could not be placed.
            if source.header(feed).is_some() {
                self.confirm(*feed, *next_sent);
                self.claim(*feed, *next_sent);
            }
            heights.push(Height {
                feed: Bytes::copy_from_slice(feed.as_bytes()),
                next: source.next(feed),
                head: Bytes::new(),
            });
        }
        out.push(self.message(Body::Ack(Ack {
            heights,
            taken: self.bytes_taken,
        })));
        // A delivery that was placed does not cancel the asking: what waited may come to be placed
        // through another peer, and then only the heights tell this one.
        if self.ask_at_ms.is_none() {
            match unplaced {
                true => self.ask_at_ms = Some(now_ms + self.ask_wait_ms),
                false => self.ask_wait_ms = ASK_AGAIN_MS,
            }
        }
        if self.told_as_member == Some(false) && source.peer_may_read() {
            self.tell_heights(source, out);
        }
        self.pump(source, out)
    }

    /// Time passed: asks again for what could not be placed.
    pub fn tick(&mut self, now_ms: u64, source: &dyn Source, out: &mut Vec<Message>) {
        if self.ask_at_ms.is_some_and(|at| at <= now_ms) {
            self.ask_wait_ms = (self.ask_wait_ms * 2).min(ASK_AGAIN_MS * 64);
            self.ask_at_ms = None;
            self.tell_heights(source, out);
        }
    }

    /// Something was stored here: sends what the peer lacks, as far as the window allows.
    pub fn pump(&mut self, source: &dyn Source, out: &mut Vec<Message>) -> Result<()> {
        if !self.synchronised {
            return Ok(());
        }
        if !source.peer_may_read() {
            return self.say_farewell(source, out);
        }
        self.farewell_said = false;
        if self.told_as_member == Some(false) {
            self.tell_heights(source, out);
        }
        self.ask_branches(source, out)?;
        while self.bytes_sent - self.bytes_confirmed < WINDOW {
            let mut batch = Entries::default();
            let mut size = 0;
            while size < BATCH {
                let Some(entry) = self.next_entry(source)? else {
                    break;
                };
                size += entry.bytes.len();
                self.add(entry, source, &mut batch);
            }
            if batch.entries.is_empty() {
                break;
            }
            self.bytes_sent += size as u64;
            out.push(self.message(Body::Entries(batch)));
        }
        Ok(())
    }

    /// Tells a peer once that it may not read the space any more, and nothing else.
    fn say_farewell(&mut self, source: &dyn Source, out: &mut Vec<Message>) -> Result<()> {
        if std::mem::replace(&mut self.farewell_said, true) {
            return Ok(());
        }
        let mut batch = Entries::default();
        let mut size = 0;
        for arrival in source.farewell()? {
            let Some(entry) = source.entry_at(arrival)? else {
                continue;
            };
            if self.has(&entry, source) {
                continue;
            }
            if size + entry.bytes.len() > FAREWELL_BYTES {
                break;
            }
            size += entry.bytes.len();
            self.add(entry, source, &mut batch);
        }
        if batch.entries.is_empty() {
            return Ok(());
        }
        self.bytes_sent += size as u64;
        out.push(self.message(Body::Entries(batch)));
        Ok(())
    }

    /// The next entry the peer lacks.
    fn next_entry(&mut self, source: &dyn Source) -> Result<Option<Stored>> {
        loop {
            let entry = match self.backlog.pop_front() {
                Some(arrival) => source.entry_at(arrival)?,
                None => {
                    let more = source.entries_after(self.cursor, BATCH)?;
                    let Some(last) = more.last() else {
                        return Ok(None);
                    };
                    self.cursor = last.arrival;
                    let lacking: Vec<i64> = more
                        .iter()
                        .filter(|e| !self.has(e, source))
                        .map(|e| e.arrival)
                        .collect();
                    self.backlog.extend(lacking);
                    continue;
                }
            };
            let Some(entry) = entry else { continue };
            let control = source
                .header(&entry.feed)
                .is_some_and(|(_, control)| control);
            if !self.has(&entry, source) && (control || !self.control_only) {
                return Ok(Some(entry));
            }
        }
    }

    /// Whether the peer has an entry or was sent it. Of a feed with branches its number does not
    /// tell: what is new is sent, and at worst the peer has it.
    fn has(&self, entry: &Stored, source: &dyn Source) -> bool {
        let told = self
            .sent
            .get(&entry.feed)
            .is_some_and(|next| entry.seq < *next);
        told && !self.diverged.contains(&entry.feed) && !source.is_forked(&entry.feed)
    }

    fn add(&mut self, entry: Stored, source: &dyn Source, batch: &mut Entries) {
        if self.headers_sent.insert(entry.feed)
            && let Some((header, _)) = source.header(&entry.feed)
        {
            batch.headers.push(header);
        }
        let sent = self.sent.entry(entry.feed).or_default();
        *sent = (*sent).max(entry.seq + 1);
        batch.entries.push(entry.bytes);
    }

    /// How many feeds are remembered, in all tables.
    #[cfg(test)]
    pub fn remembered_feeds(&self) -> usize {
        let branches = self.diverged.len() + self.compared.len() + self.asked.len();
        self.theirs.len() + self.sent.len() + self.claimed.len() + branches
    }

    fn confirm(&mut self, feed: FeedId, next: u64) {
        for map in [&mut self.theirs, &mut self.sent] {
            let known = map.entry(feed).or_default();
            *known = (*known).max(next);
        }
    }

    fn claim(&mut self, feed: FeedId, next: u64) {
        let claimed = self.claimed.entry(feed).or_default();
        *claimed = (*claimed).max(next);
    }

    fn message(&self, body: Body) -> Message {
        Message::new(&self.tag, body)
    }

    /// Whether the peer has said what it holds.
    pub fn knows_heights(&self) -> bool {
        self.synchronised
    }

    /// Entries that we hold and the peer has not confirmed, and entries that the peer claims and we
    /// lack. Before the peer has spoken everything counts as unconfirmed.
    pub fn difference(&self, source: &dyn Source) -> (u64, u64) {
        let unconfirmed = source
            .heights()
            .iter()
            .map(|(feed, next, _)| next.saturating_sub(self.theirs.get(feed).copied().unwrap_or(0)))
            .fold(0, u64::saturating_add);
        let missing = self
            .claimed
            .iter()
            .map(|(feed, next)| next.saturating_sub(source.next(feed)))
            // The peer may claim anything.
            .fold(0, u64::saturating_add);
        // Of a branch that was not compared yet nothing is known but that something is missing.
        let unanswered = self.unanswered.len() as u64;
        (unconfirmed, missing.saturating_add(unanswered))
    }
}
