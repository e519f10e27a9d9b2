//! Control entries of our own: keys and members.

use super::branches::Tips;
use super::own_feed::OwnFeed;
use super::space_core::{FeedState, SpaceCore};
use super::store::{Commit, EntryStatus, NewEntry, NewFeed};
use crate::authority::{
    ControlOp, DeviceView, Verdict, join_signing_bytes, key_wrap_info, seal_back_link,
};
use crate::feed::{ContentKey, DeviceSigner, Entry, FeedHeader, FeedKind};
use crate::identity::{DeviceCertificate, Wrap, wrap_key};
use crate::model::{ContentKeyId, EntryId, Error, ErrorKind, FeedId, Result, Role, limits};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, hash_map};

/// The `feed` part of a commit: the header, if it is not stored yet.
pub(super) fn new_feed<'a>(
    feeds: &'a HashMap<FeedId, FeedState>,
    id: &FeedId,
) -> Option<NewFeed<'a>> {
    feeds
        .get(id)
        .filter(|feed| !feed.stored)
        .map(|feed| NewFeed {
            id: *id,
            header: &feed.header_bytes,
            kind: feed.header.kind,
        })
}

impl SpaceCore {
    /// Writes one control entry. It is checked as every replica will check it before it is stored.
    pub(super) fn author_control(&mut self, op: &ControlOp) -> Result<Entry> {
        self.renew_if_copied()?;
        self.gather_heads()?;
        let mut ctl = self.control_heads();
        if let ControlOp::Join { invitation_key, .. } = op {
            self.authority
                .put_invitation_first(&mut ctl, invitation_key);
        }
        let entry = self.append_control(ctl, op)?;
        self.judge_if_due()?;
        Ok(entry)
    }

    /// The control heads beside our own feed's tip, which an entry has in its past anyway.
    fn control_heads(&self) -> Vec<EntryId> {
        let mut heads = self.authority.heads();
        heads.retain(|head| *head != self.own_control.tip);
        heads
    }

    /// Brings the control heads together until one entry can name them all. What is written next is
    /// judged by what it has in its past: a device whose admission it cannot name gets no key, and
    /// an author whose own admission it cannot name has no role.
    pub(super) fn gather_heads(&mut self) -> Result<()> {
        loop {
            let heads = self.control_heads();
            if heads.len() <= limits::ENTRY_CTL || self.own_role().is_none() {
                return Ok(());
            }
            self.append_control(heads, &ControlOp::Merge)?;
        }
    }

    /// Brings all control heads, our own feed's tip among them, together in one.
    pub(super) fn gather_all_heads(&mut self) -> Result<()> {
        let heads = self.control_heads();
        self.append_control(heads, &ControlOp::Merge).map(drop)
    }

    fn append_control(&mut self, mut ctl: Vec<EntryId>, op: &ControlOp) -> Result<Entry> {
        let mut salt = [0; 16];
        (self.random)(&mut salt);
        ctl.truncate(limits::ENTRY_CTL);
        let signer = self.keyring.device_signer();
        let body = op.encode();
        let draft = self.own_control.draft(ctl, vec![], salt, &body);
        let entry = Entry::seal(draft, None, self.id, signer)?;
        self.remember_own_feed(self.own_control.clone());
        let header = match self.feeds.get(&self.own_control.id) {
            Some(feed) => feed.header.clone(),
            None => return Err(Error::internal("our own control feed is unknown")),
        };
        // An entry that others would refuse must leave no trace here.
        if let Verdict::Refused(reason) = self.authority.check(&entry, &header, op) {
            return Err(Error::new(ErrorKind::PermissionDenied, reason));
        }
        self.store.commit(&Commit {
            feed: new_feed(&self.feeds, &self.own_control.id),
            entry: NewEntry {
                id: entry.id,
                feed: entry.header.feed,
                seq: entry.header.seq,
                bytes: entry.bytes(),
            },
            status: EntryStatus::Applied,
            reason: None,
            actors: &[],
            objects: &[],
            meta: &self.branch_facts(&entry),
        })?;
        self.authority.apply(&entry, &header, op);
        self.control_changed();
        self.own_control.advance(&entry);
        self.note_stored(&entry);
        Ok(entry)
    }

    /// Updates what we know of a feed after its entry was stored.
    pub(super) fn note_stored(&mut self, entry: &Entry) {
        self.generation += 1;
        if let Some(feed) = self.feeds.get_mut(&entry.header.feed) {
            feed.stored = true;
            feed.tips
                .advance(entry.header.seq, entry.id, &entry.header.prev);
        }
    }

    pub(super) fn remember_own_feed(&mut self, own: OwnFeed) {
        if let hash_map::Entry::Vacant(slot) = self.feeds.entry(own.id)
            && let Ok(header) = FeedHeader::decode(&own.header, self.id)
        {
            slot.insert(FeedState {
                header,
                header_bytes: own.header,
                stored: false,
                tips: Tips::default(),
            });
        }
    }

    /// Makes a new content key and wraps it for every device that may read.
    pub(super) fn rotate_key(&mut self) -> Result<()> {
        self.new_key(true)
    }

    /// As [`SpaceCore::rotate_key`]; with `open_older` the new key opens the one before, unless
    /// somebody is kept from that: to give somebody the new one gives no older one then.
    pub(super) fn new_key(&mut self, open_older: bool) -> Result<()> {
        let mut secret = [0; 32];
        (self.random)(&mut secret);
        let key = ContentKey::from_bytes(secret);
        let key_id = key.id();
        let info = key_wrap_info(self.id, &key_id);
        let mut wraps = Vec::new();
        for device in self.authority.entitled_devices() {
            wraps.push(wrap_key(
                &device.hpke,
                device.device,
                &info,
                key.as_bytes(),
                &mut *self.random,
            )?);
        }
        // Not what the best key says: the rules count along the entry's own past.
        self.gather_heads()?;
        let generation = self.authority.next_generation(&self.authority.heads());
        let withheld = self.authority.withheld_from_any();
        let mut keys = self.authority.keys();
        keys.retain(|known| open_older && !withheld.contains(&known.key_id));
        // The best that we hold: somebody may have brought in one that nobody else can open.
        let newest = keys
            .iter()
            .find_map(|known| self.held_keys().get(&known.key_id));
        let back_link = newest
            .map(|older| seal_back_link(&key, older))
            .transpose()?;
        // What one entry does not hold follows at once; whoever lacks it waits for it like a newcomer.
        let others = wraps.split_off(self.wraps_at_once.min(wraps.len()));
        self.author_control(&ControlOp::KeyRotate {
            key_id,
            generation,
            wraps,
            back_link,
        })?;
        self.insert_key(key);
        self.hand_out(key_id, others)
    }

    /// Says in as many entries as it takes what devices open a key with.
    fn hand_out(&mut self, key_id: ContentKeyId, wraps: Vec<Wrap>) -> Result<()> {
        for wraps in wraps.chunks(self.wraps_at_once) {
            let wraps = wraps.to_vec();
            self.author_control(&ControlOp::KeyShare { key_id, wraps })?;
        }
        Ok(())
    }

    /// Gives the content keys we hold to devices that may read and lack them. Any member may do
    /// this, so that a newcomer is served by whoever is online.
    pub fn share_keys(&mut self) -> Result<bool> {
        if self.own_role().is_none_or(|role| role < Role::Reader) {
            return Ok(false);
        }
        let own = self.keyring.identity_key();
        self.share(self.authority.missing_wraps(&own))
    }

    /// Seals keys we hold to devices.
    pub(super) fn share(&mut self, wanted: Vec<(ContentKeyId, DeviceView)>) -> Result<bool> {
        let mut by_key = BTreeMap::new();
        for (key_id, device) in wanted {
            let Some(key) = self.held_keys().get(&key_id).cloned() else {
                continue;
            };
            let info = key_wrap_info(self.id, &key_id);
            let wrap = wrap_key(
                &device.hpke,
                device.device,
                &info,
                key.as_bytes(),
                &mut *self.random,
            )?;
            by_key.entry(key_id).or_insert_with(Vec::new).push(wrap);
        }
        let any = !by_key.is_empty();
        for (key_id, wraps) in by_key {
            self.hand_out(key_id, wraps)?;
        }
        Ok(any)
    }

    /// Opens an invitation for `role`; `invitation` is the key that will sign admissions.
    #[cfg(test)]
    pub fn open_invitation(
        &mut self,
        invitation: &DeviceSigner,
        role: Role,
        expires_ms: u64,
    ) -> Result<()> {
        self.require(Role::Admin, "inviting")?;
        self.author_control(&ControlOp::InviteOpen {
            invitation_key: invitation.public().0,
            role_cap: role,
            expires_hint_ms: expires_ms,
        })
        .map(drop)
    }

    /// Closes an invitation.
    pub fn close_invitation(&mut self, invitation_key: [u8; 32]) -> Result<()> {
        self.author_control(&ControlOp::InviteClose { invitation_key })
            .map(drop)
    }

    /// The signature that admits a guest; checks that it is not a member already.
    pub fn sign_admission(
        &self,
        invitation: &DeviceSigner,
        guest: &DeviceCertificate,
        role: Role,
    ) -> Result<[u8; 64]> {
        if self.authority.role(&guest.identity).is_some() {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                "this identity is a member of the space already",
            ));
        }
        let bytes = join_signing_bytes(self.id, guest.identity, guest.device, role);
        Ok(invitation.sign(&bytes))
    }

    /// The guest's own entry that makes it a member.
    pub fn write_join(
        &mut self,
        display_name: &str,
        role: Role,
        invitation_key: [u8; 32],
        signature: [u8; 64],
    ) -> Result<()> {
        let links = self.keyring.chain().links();
        let op = ControlOp::Join {
            identity: self.keyring.identity_key(),
            display_name: display_name.to_owned(),
            certificates: links.iter().map(|link| link.to_vec()).collect(),
            role,
            invitation_key,
            signature,
        };
        self.author_control(&op).map(drop)
    }

    /// Our own control feed's header and entries: after joining, what makes us a member.
    pub fn own_control(&self) -> Result<(Vec<Bytes>, Vec<Bytes>)> {
        let own = self.own_control.id;
        let entries = self.store.control_entries()?;
        Ok((
            vec![self.own_control.header.clone()],
            entries
                .into_iter()
                .filter(|record| record.feed == own)
                .map(|record| record.bytes)
                .collect(),
        ))
    }

    /// All control feeds and entries in order of arrival, which is a causal order: what a newcomer
    /// is given.
    pub fn control_history(&self) -> Result<(Vec<Bytes>, Vec<Bytes>)> {
        let entries: Vec<Bytes> = self
            .store
            .control_entries()?
            .into_iter()
            .map(|record| record.bytes)
            .collect();
        let headers = self
            .feeds
            .values()
            .filter(|feed| feed.stored && feed.header.kind == FeedKind::Control)
            .map(|feed| feed.header_bytes.clone())
            .collect();
        Ok((headers, entries))
    }
}
