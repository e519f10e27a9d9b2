//! The state of an open space.

use super::actors::new_actor;
use super::branches::Tips;
use super::denials::{Denials, Known};
use super::documents::Documents;
use super::heads::Heads;
use super::ingest::Ingest;
use super::members::Told;
use super::own_feed::OwnFeed;
use super::schemas::Schemas;
use super::store::{FeedRecord, Readers, Reads, Store};
use super::typing::Typing;
use super::undo::Undo;
use super::unplaced::Unplaced;
use super::waiting::Waiting;
use super::write::RowChange;
use crate::authority::{Authority, ContentKeys, ControlOp};
use crate::feed::{ContentKey, Entry, FeedHeader, FeedKind};
use crate::identity::Keyring;
#[cfg(test)]
use crate::model::ObjectId;
use crate::model::{ContentKeyId, EntryId, Error, ErrorKind, FeedId, Result, Role, SpaceId};
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Source of random bytes, handed in by the runtime.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

/// Keys of the small facts a space keeps.
pub(super) mod meta {
    /// Random 16 bytes that name this device instance's feeds.
    pub const INCARNATION: &str = "incarnation";
    /// The data heads.
    pub const DATA_HEADS: &str = "data_heads";
    /// The control heads that our last data entry named.
    pub const NAMED_CTL: &str = "named_ctl";
    /// The tips of feeds that have several, because their device exists twice.
    pub const BRANCHES: &str = "branches";
    /// Which feed is the creator's control feed, whose header cannot name the space.
    pub const GENESIS: &str = "genesis";
    /// Since when this device writes under which content key.
    pub const KEY_SINCE: &str = "key_since";
    /// Which objects are checked against which schemas.
    pub const SCHEMA_CHECKS: &str = "schema_checks";
    /// The denials by which data entries were judged.
    pub const JUDGED: &str = "judged";
    /// What the program was told of the members.
    pub const MEMBERS: &str = "members";
}

/// A feed and its newest entries.
pub(super) struct FeedState {
    pub header: FeedHeader,
    pub header_bytes: bytes::Bytes,
    /// Whether the header is stored; it is written with the feed's first entry.
    pub stored: bool,
    /// The entries that no other of the feed follows: one, or several if the device exists twice.
    pub tips: Tips,
}

/// The feeds of this device: with the headers that were signed before, if they were.
fn own_feeds(
    space: SpaceId,
    keyring: &Keyring,
    incarnation: [u8; 16],
    genesis: Option<&[u8]>,
    stored: &[FeedRecord],
) -> (OwnFeed, OwnFeed) {
    let header = |kind, space| FeedHeader {
        kind,
        space,
        identity: keyring.identity_key(),
        device: keyring.device_key(),
        incarnation,
    };
    let own = |kind, space| {
        let header = header(kind, space);
        let id = header.feed_id();
        match stored.iter().find(|record| record.id == id) {
            Some(record) => OwnFeed::signed(&header, record.header.clone()),
            None => OwnFeed::new(&header, keyring.device_signer()),
        }
    };
    // The feed that created the space cannot name it; every other one does.
    let creating = header(FeedKind::Control, SpaceId::ZERO).feed_id();
    let control = match genesis == Some(creating.as_bytes()) {
        true => own(FeedKind::Control, SpaceId::ZERO),
        false => own(FeedKind::Control, space),
    };
    (control, own(FeedKind::Data, space))
}

/// An open space.
pub struct SpaceCore {
    pub(super) id: SpaceId,
    pub(super) store: Box<dyn Store>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) random: Entropy,
    pub(super) authority: Authority,
    /// The content keys of this device, unwrapped when the first is asked for: what is stored can be
    /// read without.
    pub(super) keys: OnceCell<ContentKeys>,
    /// Devices that one entry of ours gives a key to.
    pub(super) wraps_at_once: usize,
    /// The key last written under, and since when, by our own clock.
    pub(super) key_since: Option<(ContentKeyId, u64)>,
    pub(super) documents: Documents,
    pub(super) typing: Typing,
    pub(super) undo: Undo,
    pub(super) schemas: Schemas,
    pub(super) feeds: HashMap<FeedId, FeedState>,
    pub(super) own_control: OwnFeed,
    pub(super) own_data: OwnFeed,
    pub(super) heads: Heads,
    pub(super) named_ctl: Vec<EntryId>,
    /// What the author of each feed's newest entry knew.
    pub(super) author_knew: HashMap<EntryId, Known>,
    /// What data entries are judged by.
    pub(super) denials: Denials,
    /// Control entries came since.
    pub(super) judging_due: bool,
    /// Rows that a judgement changed and nobody was told of yet.
    pub(super) untold: Vec<RowChange>,
    /// For tests: judgements fail, as on a full disk.
    #[cfg(test)]
    pub(super) fail_judging: bool,
    pub(super) waiting: Waiting,
    /// The content keys that this member is not given.
    pub(super) withheld: BTreeSet<ContentKeyId>,
    /// These changed since entries that wait were looked at.
    pub(super) seals_changed: bool,
    pub(super) unplaced: Unplaced,
    /// An entry came that stands on a feed of our own and was not written here.
    pub(super) copied: bool,
    pub(super) generation: u64,
    /// Our own role, looked up again whenever control entries change: every write asks for it.
    pub(super) role: Option<Role>,
    /// What the program was told of the members.
    pub(super) told: Told,
    /// Control entries were applied since.
    pub(super) members_due: bool,
}

impl SpaceCore {
    /// Opens a stored space.
    pub fn open(
        id: SpaceId,
        store: Box<dyn Store>,
        keyring: Arc<Keyring>,
        mut random: Entropy,
    ) -> Result<SpaceCore> {
        let incarnation: [u8; 16] = store
            .meta(meta::INCARNATION)?
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| Error::corrupt("the space's file lacks its incarnation"))?;
        let genesis = store.meta(meta::GENESIS)?;
        let stored = store.feeds()?;
        let (own_control, own_data) =
            own_feeds(id, &keyring, incarnation, genesis.as_deref(), &stored);
        // One actor a process start: two processes that by accident share a profile's copy cannot
        // make two changes of one name (research: auth.md 3(f)).
        let actor = new_actor(&own_data.id, &mut *random);
        let mut core = SpaceCore {
            own_control,
            own_data,
            id,
            store,
            random,
            authority: Authority::new(id),
            keys: OnceCell::new(),
            wraps_at_once: crate::model::limits::KEY_WRAPS,
            key_since: None,
            documents: Documents::new(actor),
            typing: Typing::default(),
            undo: Undo::default(),
            schemas: Schemas::new(id),
            feeds: HashMap::new(),
            heads: Heads::default(),
            named_ctl: Vec::new(),
            author_knew: HashMap::new(),
            denials: Denials::default(),
            judging_due: false,
            untold: Vec::new(),
            #[cfg(test)]
            fail_judging: false,
            waiting: Waiting::default(),
            withheld: BTreeSet::new(),
            seals_changed: false,
            unplaced: Unplaced::default(),
            copied: false,
            generation: 0,
            role: None,
            told: Told::default(),
            members_due: true,
            keyring,
        };
        core.load(stored)?;
        Ok(core)
    }

    /// Reads what the store holds, and finishes what a crash cut short.
    fn load(&mut self, feeds: Vec<FeedRecord>) -> Result<()> {
        self.told = Told::load(&*self.store)?;
        self.load_feeds(feeds)?;
        self.load_authority()?;
        self.load_small_facts()?;
        let checks = self.store.meta(meta::SCHEMA_CHECKS)?;
        self.schemas = Schemas::load(self.id, &*self.store, checks)?;
        self.settle_all_waiting(&mut Ingest::default())?;
        self.denials = Denials::load(&*self.store)?;
        self.resume_judging()?;
        self.renew_if_copied()?;
        // A full disk keeps nobody out: what a crash left of blobs can wait for a later opening.
        let _ = self.store.give_up_unfinished();
        Ok(())
    }

    /// The space's id.
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// The content keys that this device has.
    pub fn content_keys(&self) -> ContentKeys {
        self.held_keys().clone()
    }

    /// What is stored, for reading.
    pub fn reads(&self) -> &dyn Reads {
        &*self.store
    }

    /// Those who read beside this; `None` if there can be none.
    pub fn readers(&self) -> Option<Arc<dyn Readers>> {
        self.store.readers()
    }

    /// Bounds what is kept in memory of what was read: bytes of pages, prepared statements, and
    /// bytes of documents.
    pub fn set_cache(&mut self, pages: u64, statements: usize, documents: usize) -> Result<()> {
        self.documents.set_budget(documents);
        self.store.set_cache(pages, statements)
    }

    /// Rises with every stored entry: a cheap way to see whether anything happened.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// A new object id.
    #[cfg(test)]
    pub fn new_object_id(&mut self, now_ms: u64) -> ObjectId {
        let mut random = [0; 10];
        (self.random)(&mut random);
        ObjectId::from_parts(now_ms, random)
    }

    fn load_feeds(&mut self, feeds: Vec<FeedRecord>) -> Result<()> {
        for record in feeds {
            let header = FeedHeader::decode_known(&record.header, self.id)
                .map_err(|e| Error::corrupt(format!("a stored feed header is damaged: {e}")))?;
            self.feeds.insert(
                record.id,
                FeedState {
                    header,
                    header_bytes: record.header,
                    stored: true,
                    tips: Tips::default(),
                },
            );
        }
        for tip in self.store.feed_tips()? {
            if let Some(feed) = self.feeds.get_mut(&tip.feed) {
                feed.tips = Tips::single(tip.seq, tip.id);
            }
            for own in [&mut self.own_control, &mut self.own_data] {
                if own.id == tip.feed {
                    own.next_seq = tip.seq + 1;
                    own.tip = tip.id;
                }
            }
        }
        self.load_branches()?;
        Ok(())
    }

    fn load_authority(&mut self) -> Result<()> {
        for record in self.store.control_entries()? {
            let space = if record.id.0 == self.id.0 {
                SpaceId::ZERO
            } else {
                self.id
            };
            let entry = Entry::decode(record.bytes, space)
                .map_err(|e| Error::corrupt(format!("a stored control entry is damaged: {e}")))?;
            let op = ControlOp::decode(&entry.open(None)?)?;
            let Some(feed) = self.feeds.get(&record.feed) else {
                return Err(Error::corrupt("a stored control entry lacks its feed"));
            };
            self.authority.apply(&entry, &feed.header, &op);
        }
        self.control_changed();
        Ok(())
    }

    fn load_small_facts(&mut self) -> Result<()> {
        self.load_key_since()?;
        if let Some(bytes) = self.store.meta(meta::DATA_HEADS)? {
            self.heads = Heads::decode(&bytes)?;
        }
        if let Some(bytes) = self.store.meta(meta::NAMED_CTL)? {
            self.named_ctl = bytes
                .chunks_exact(EntryId::LEN)
                .map(EntryId::from_slice)
                .collect::<Result<_>>()?;
        }
        Ok(())
    }

    /// The content keys of this device.
    pub(super) fn held_keys(&self) -> &ContentKeys {
        self.keys.get_or_init(|| {
            let mut keys = ContentKeys::default();
            self.unwrap_into(&mut keys);
            keys
        })
    }

    /// Adds a key that this device has made.
    pub(super) fn insert_key(&mut self, key: ContentKey) {
        self.held_keys();
        if let Some(keys) = self.keys.get_mut() {
            keys.insert(key);
        }
    }

    /// Opens every wrap that is for this device. A wrap that does not open is skipped: whoever made
    /// it cannot deny us the ones that others made.
    fn unwrap_into(&self, keys: &mut ContentKeys) {
        for (key_id, wrap, info) in self.authority.wraps_for(&self.keyring.device_key()) {
            if keys.get(&key_id).is_some() {
                continue;
            }
            let Ok(secret) = self.keyring.open_wrap(&info, &wrap) else {
                continue;
            };
            let key = ContentKey::from_bytes(secret);
            if key.id() == key_id {
                keys.insert(key);
            }
        }
        keys.open_back_links(&self.authority.back_links());
    }

    /// Our own role; `None` while our admission has not arrived.
    pub fn own_role(&self) -> Option<Role> {
        self.role
    }

    /// To be called whenever control entries were applied.
    pub(super) fn control_changed(&mut self) {
        let own = self.authority.role_of_device(&self.keyring.device_key());
        self.role = own.map(|(_, role)| role);
        self.members_due = true;
        self.judging_due = true;
        if let Some(mut keys) = self.keys.take() {
            self.unwrap_into(&mut keys);
            self.keys = OnceCell::from(keys);
        }
        let withheld = self.authority.withheld_from(&self.keyring.identity_key());
        self.seals_changed |= withheld != self.withheld;
        self.withheld = withheld;
    }

    pub(super) fn require(&self, role: Role, what: &str) -> Result<()> {
        match self.own_role() {
            Some(own) if own >= role => Ok(()),
            None if self.is_removed() => Err(Error::new(
                ErrorKind::PermissionDenied,
                format!(
                    "{what} takes the role of {} or above; this identity or device was removed \
                     from the space, or has left it",
                    role.name()
                ),
            )),
            own => Err(Error::new(
                ErrorKind::PermissionDenied,
                format!(
                    "{what} takes the role of {} or above; this identity is {}",
                    role.name(),
                    own.map_or("no member", Role::name)
                ),
            )),
        }
    }

    /// The members and their devices.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}
