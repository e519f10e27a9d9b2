//! Content keys kept in order: rotated when somebody lost the right to read, when the key in use has
//! grown old, and on request (research: auth.md 3(e)).

use super::space_core::{SpaceCore, meta};
use crate::feed::ContentKey;
use crate::model::{ContentKeyId, Error, IdentityKey, Result, Role};

/// How long a key is written under, by the writer's clock. A hint: nothing is decided by it but that
/// the next writer makes a new key.
const KEY_AGE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The key that this device would write under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInUse {
    /// Its generation: how many keys came before it, about.
    pub generation: u64,
    /// Whether this device has it. If not, the next write makes another.
    pub held: bool,
}

impl SpaceCore {
    /// The key in use. None while every key is known to somebody who may not read: the next write,
    /// of whomever, makes a new one.
    pub fn key_in_use(&self) -> Option<KeyInUse> {
        let id = self.authority.writing_key()?;
        let keys = self.authority.keys();
        let key = keys.iter().find(|key| key.key_id == id)?;
        Some(KeyInUse {
            generation: key.generation,
            held: self.held_keys().get(&id).is_some(),
        })
    }

    /// The key to seal something under for those who may read the space: the one in use, or if this
    /// device does not have it, the newest it has.
    pub fn sealing_key(&self) -> Option<ContentKey> {
        let held = |id: &ContentKeyId| self.held_keys().get(id).cloned();
        let in_use = self.authority.writing_key();
        in_use.and_then(|id| held(&id)).or_else(|| {
            let mut keys = self.authority.keys();
            keys.sort_by_key(|key| std::cmp::Reverse(key.generation));
            keys.iter().find_map(|key| held(&key.key_id))
        })
    }

    /// Whether a new key is to be made: nobody could write under any of those that there are, as
    /// after a removal, and we may make one.
    pub fn wants_key(&self) -> bool {
        self.own_role() >= Some(Role::Reader) && self.authority.writing_key().is_none()
    }

    /// Makes a new key if one is wanted. Whether it did.
    pub fn heal_keys(&mut self) -> Result<bool> {
        if !self.wants_key() {
            return Ok(false);
        }
        self.rotate_key()?;
        Ok(true)
    }

    /// After a denial of our own: makes the new key at once. If that fails the next writer does it.
    pub(super) fn replace_known_keys(&mut self) {
        let _ = self.heal_keys();
    }

    /// Brings in a new content key on request; what was written stays readable to those who could
    /// read it.
    pub fn renew_key(&mut self) -> Result<()> {
        self.require(Role::Reader, "renewing the key")?;
        self.renew_if_copied()?;
        self.rotate_key()
    }

    /// Gives a member who was invited to what is written from then on the keys of what is older, as
    /// far as we have them. Whether there were any that it lacked. Takes the role of admin. Fails
    /// with `NotFound` for one who is no member.
    pub fn share_history(&mut self, identity: &IdentityKey) -> Result<bool> {
        self.require(Role::Admin, "giving somebody the history")?;
        if self.authority.role(identity) < Some(Role::Reader) {
            return Err(Error::not_found(format!(
                "{identity} is no member of this space who may read"
            )));
        }
        self.renew_if_copied()?;
        self.share(self.authority.unreached_by(identity))
    }

    /// For tests: has entries give a key to so few devices each.
    #[cfg(test)]
    pub fn wrap_at_once(&mut self, devices: usize) {
        self.wraps_at_once = devices;
    }

    /// Whether we have written under a key for longer than keys are meant for. A clock that was
    /// turned back makes it younger, never older.
    pub(super) fn is_key_old(&mut self, key: &ContentKeyId, now_ms: u64) -> Result<bool> {
        let since = self.key_since.filter(|(seen, _)| seen == key);
        if let Some((_, since)) = since {
            return Ok(now_ms.saturating_sub(since) > KEY_AGE_MS);
        }
        self.note_key(*key, now_ms)?;
        Ok(false)
    }

    /// Notes that the present key is used from now on.
    pub(super) fn note_own_key(&mut self, now_ms: u64) -> Result<()> {
        match self.authority.writing_key() {
            Some(key) => self.note_key(key, now_ms),
            None => Ok(()),
        }
    }

    /// Remembers since when a key is written under.
    fn note_key(&mut self, key: ContentKeyId, now_ms: u64) -> Result<()> {
        let mut bytes = key.0.to_vec();
        bytes.extend_from_slice(&now_ms.to_be_bytes());
        self.store.put_meta(meta::KEY_SINCE, &bytes)?;
        self.key_since = Some((key, now_ms));
        Ok(())
    }

    /// Reads what [`SpaceCore::note_key`] stored. A damaged record counts as none: it only delays
    /// a rotation.
    pub(super) fn load_key_since(&mut self) -> Result<()> {
        let bytes = self.store.meta(meta::KEY_SINCE)?.unwrap_or_default();
        self.key_since = bytes
            .split_at_checked(ContentKeyId::LEN)
            .and_then(|(key, since)| {
                let since = since.try_into().map(u64::from_be_bytes).ok()?;
                Some((ContentKeyId::from_slice(key).ok()?, since))
            });
        Ok(())
    }
}
