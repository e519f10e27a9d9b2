//! Checking a space's entries without its content keys: what [`SpaceCore::ingest`](super::SpaceCore)
//! checks of entries that peers send, as far as it can be checked without opening them. Every entry
//! is signed by its author's device and names the one before it and those it builds on, and who was
//! allowed to write follows from the control entries, which are not sealed.

use crate::authority::{Authority, ControlOp, Verdict};
use crate::feed::{Entry, FeedHeader, FeedKind};
use crate::model::{
    DeviceKey, EntryId, Error, ErrorKind, FeedId, IdentityKey, Result, Role, SpaceId, limits,
};
use bytes::Bytes;
use std::collections::HashMap;

/// What was found in the entries so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Feeds.
    pub feeds: u64,
    /// Entries of control feeds.
    pub control_entries: u64,
    /// Entries of data feeds.
    pub data_entries: u64,
}

/// Takes the feeds and entries of one space in a causal order and refuses what no honest replica
/// would hold. Keeps about 60 bytes of each entry.
pub struct ArchiveCheck {
    space: SpaceId,
    feeds: HashMap<FeedId, (u32, FeedHeader)>,
    /// Where each entry stands: its feed by number, its place in it, its author's role then.
    entries: HashMap<EntryId, Place>,
    authority: Authority,
    checked: Checked,
}

struct Place {
    feed: u32,
    seq: u64,
    role: Option<Role>,
}

impl ArchiveCheck {
    /// Nothing checked yet.
    pub fn new(space: SpaceId) -> ArchiveCheck {
        ArchiveCheck {
            space,
            feeds: HashMap::new(),
            entries: HashMap::new(),
            authority: Authority::new(space),
            checked: Checked::default(),
        }
    }

    /// Takes a feed's header. Fails with `Corrupt`, as all of this does.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        let header = FeedHeader::decode(bytes, self.space).map_err(unsound)?;
        if self.feeds.len() >= limits::FEEDS {
            return Err(broken("it has more feeds than a space may have"));
        }
        let number = u32::try_from(self.feeds.len()).unwrap_or(u32::MAX);
        if self
            .feeds
            .insert(header.feed_id(), (number, header))
            .is_some()
        {
            return Err(broken("a feed comes twice"));
        }
        self.checked.feeds += 1;
        Ok(())
    }

    /// Takes an entry.
    pub fn entry(&mut self, bytes: Bytes) -> Result<()> {
        let entry = Entry::decode(bytes, self.space).map_err(unsound)?;
        let Some((feed, author)) = self.feeds.get(&entry.header.feed) else {
            return Err(broken("an entry comes before its feed"));
        };
        let (feed, author) = (*feed, author.clone());
        if author.kind != entry.header.kind {
            return Err(broken("an entry's kind is not its feed's"));
        }
        entry.verify(&author.device).map_err(unsound)?;
        self.chain(&entry, feed)?;
        let role = match entry.header.kind {
            FeedKind::Control => {
                self.control(&entry, &author)?;
                None
            }
            FeedKind::Data => Some(self.data(&entry, &author)?),
        };
        let seq = entry.header.seq;
        if self
            .entries
            .insert(entry.id, Place { feed, seq, role })
            .is_some()
        {
            return Err(broken("an entry comes twice"));
        }
        Ok(())
    }

    /// What an entry names must be here already, and what it says.
    fn chain(&self, entry: &Entry, feed: u32) -> Result<()> {
        let header = &entry.header;
        if header.seq > 0 {
            let before = self.entries.get(&header.prev);
            if before.is_none_or(|place| (place.feed, place.seq) != (feed, header.seq - 1)) {
                return Err(broken("an entry does not follow the one it names"));
            }
        }
        for dep in &header.deps {
            let number = self.feeds.get(&dep.feed).map(|(number, _)| *number);
            let place = self.entries.get(&dep.id);
            if place.is_none_or(|place| (Some(place.feed), place.seq) != (number, dep.seq)) {
                return Err(broken("an entry that another builds on is missing"));
            }
        }
        match header.ctl.iter().all(|ctl| self.entries.contains_key(ctl)) {
            true => Ok(()),
            false => Err(broken("a control entry that another names is missing")),
        }
    }

    fn control(&mut self, entry: &Entry, author: &FeedHeader) -> Result<()> {
        let op = entry.open(None).and_then(|body| ControlOp::decode(&body));
        let verdict = self.authority.apply(entry, author, &op.map_err(unsound)?);
        // Members' refused entries are kept by every replica; those of strangers by none.
        if let Verdict::Refused(reason) = verdict
            && !self.authority.remembers(&entry.id)
        {
            return Err(broken(&format!("a control entry is refused: {reason}")));
        }
        self.checked.control_entries += 1;
        Ok(())
    }

    fn data(&mut self, entry: &Entry, author: &FeedHeader) -> Result<Role> {
        let header = &entry.header;
        let role = match header.ctl.is_empty() {
            true => self.entries.get(&header.prev).and_then(|place| place.role),
            false => {
                let role = self
                    .authority
                    .role_of_device_at(&author.device, &header.ctl);
                role.map(|(_, role)| role)
            }
        };
        self.checked.data_entries += 1;
        role.ok_or_else(|| broken("a data entry comes from a device that is no member"))
    }

    /// Ends the check: refuses a space without its first entry.
    pub fn finish(self) -> Result<(Checked, Authority)> {
        match self.entries.contains_key(&EntryId(self.space.0)) {
            true => Ok((self.checked, self.authority)),
            false => Err(broken("the entry that creates the space is missing")),
        }
    }
}

/// Refuses unless the device is a member's by these control entries.
pub fn require_member(
    authority: &Authority,
    identity: &IdentityKey,
    device: &DeviceKey,
) -> Result<()> {
    if authority.role_of_device(device).is_some() {
        return Ok(());
    }
    let detail = match authority.role(identity) {
        Some(_) => {
            "this identity is a member of the archived space, but this device is not: the archive \
             can be imported on a device that is; this one gets the space by being added as a device"
        }
        None => {
            "this identity is no member of the archived space, so its contents could not be read: \
             ask a member for an invitation, or import into the profile of a member's device"
        }
    };
    Err(Error::new(ErrorKind::PermissionDenied, detail))
}

fn broken(detail: &str) -> Error {
    Error::corrupt(format!("the archive is not sound: {detail}"))
}

fn unsound(error: Error) -> Error {
    broken(error.detail())
}
