//! Histories to measure the resolver with. No part of the interface.

use super::{Authority, ControlOp, Verdict, join_signing_bytes};
use crate::feed::{DeviceSigner, Entry, EntryDraft, FeedHeader, FeedKind, genesis_space_id};
use crate::identity::Keyring;
use crate::model::{EntryId, IdentityKey, Role, SpaceId};
use ring::digest::{SHA256, digest};

/// A space's control entries, signed, and one that pretends to be older than most of them.
#[derive(Debug)]
pub struct ControlHistory {
    space: SpaceId,
    entries: Vec<Written>,
    backdated: Written,
}

#[derive(Debug)]
struct Written {
    entry: Entry,
    author: FeedHeader,
    op: ControlOp,
}

/// The authority that followed from a history.
#[derive(Clone, Debug)]
pub struct Resolved(Authority);

struct Writer {
    keyring: Keyring,
    header: FeedHeader,
    last: Option<(u64, EntryId)>,
}

impl Writer {
    fn new(keyring: Keyring, space: SpaceId) -> Writer {
        let header = FeedHeader {
            kind: FeedKind::Control,
            space,
            identity: keyring.identity_key(),
            device: keyring.device_key(),
            incarnation: [1; 16],
        };
        Writer {
            keyring,
            header,
            last: None,
        }
    }

    fn write(&mut self, space: SpaceId, ctl: Vec<EntryId>, op: ControlOp) -> Written {
        let (seq, prev) = match self.last {
            Some((seq, id)) => (seq + 1, id),
            None => (0, EntryId::ZERO),
        };
        let draft = EntryDraft {
            kind: FeedKind::Control,
            feed: self.header.feed_id(),
            seq,
            prev,
            ctl,
            deps: Vec::new(),
            salt: [7; 16],
            body: &op.encode(),
        };
        let entry = Entry::seal(draft, None, space, self.keyring.device_signer())
            .expect("the entry is within bounds");
        self.last = Some((seq, entry.id));
        Written {
            entry,
            author: self.header.clone(),
            op,
        }
    }
}

impl ControlHistory {
    /// `len` entries: two guests join, the creator removes one of them and then changes the role
    /// of the other over and over. The one who was removed invites as if it did not know.
    pub fn new(len: usize, random: &mut dyn FnMut(&mut [u8])) -> ControlHistory {
        let mut creator = Writer::new(Keyring::generate(random), SpaceId::ZERO);
        let op = ControlOp::Genesis {
            creator: creator.keyring.identity_key(),
            certificate: creator.keyring.chain().encode(),
            display_name: "creator".into(),
            nonce: [0; 16],
        };
        let genesis = creator.write(SpaceId::ZERO, Vec::new(), op);
        let space = genesis_space_id(&genesis.entry);
        let mut guests = [(); 2].map(|()| Writer::new(Keyring::generate(random), space));
        let invitation = DeviceSigner::from_seed([9; 32]);
        let open = ControlOp::InviteOpen {
            invitation_key: invitation.public().0,
            role_cap: Role::Admin,
            expires_hint_ms: 0,
        };
        let mut entries = vec![genesis];
        entries.push(creator.write(space, Vec::new(), open));
        for guest in &mut guests {
            let known = last(&entries);
            let op = join(space, guest, &invitation);
            entries.push(guest.write(space, known, op));
        }
        let [mallory, bob] = &mut guests;
        let (known, bob) = (last(&entries), bob.header.identity);
        let set = |identity: IdentityKey, role| ControlOp::SetRole {
            identity,
            role,
            heads: Vec::new(),
        };
        let removal = set(mallory.header.identity, None);
        entries.push(creator.write(space, known.clone(), removal));
        while entries.len() < len {
            let role = [Role::Editor, Role::Reader][entries.len() % 2];
            entries.push(creator.write(space, Vec::new(), set(bob, Some(role))));
        }
        let backdated = ControlOp::InviteOpen {
            invitation_key: DeviceSigner::from_seed([8; 32]).public().0,
            role_cap: Role::Editor,
            expires_hint_ms: 0,
        };
        let backdated = mallory.write(space, known, backdated);
        ControlHistory {
            space,
            entries,
            backdated,
        }
    }

    /// Hashes the entries, which is the bound.
    pub fn hash(&self) -> u8 {
        let bytes = self.entries.iter().map(|written| written.entry.bytes());
        let hashes = bytes.map(|bytes| digest(&SHA256, bytes).as_ref().first().copied());
        hashes.fold(0, |all, hash| all ^ hash.unwrap_or_default())
    }

    /// Resolves all entries from nothing; the members are asked for once at the end.
    pub fn resolve(&self) -> Resolved {
        let mut authority = Authority::new(self.space);
        for written in &self.entries {
            let verdict = authority.apply(&written.entry, &written.author, &written.op);
            assert_eq!(verdict, Verdict::Accepted);
        }
        assert_eq!(authority.members().len(), 2);
        Resolved(authority)
    }

    /// Takes the backdated entry in, and asks for the members, which it does not change.
    pub fn disturb(&self, resolved: &mut Resolved) {
        let Written { entry, author, op } = &self.backdated;
        let verdict = resolved.0.apply(entry, author, op);
        assert_eq!(verdict, Verdict::Accepted);
        assert_eq!(resolved.0.members().len(), 2);
    }
}

fn last(entries: &[Written]) -> Vec<EntryId> {
    entries
        .iter()
        .last()
        .map(|w| w.entry.id)
        .into_iter()
        .collect()
}

fn join(space: SpaceId, guest: &Writer, invitation: &DeviceSigner) -> ControlOp {
    let (identity, device) = (guest.header.identity, guest.header.device);
    let chain = guest.keyring.chain().links().iter();
    ControlOp::Join {
        identity,
        display_name: "guest".into(),
        certificates: chain.map(|link| link.to_vec()).collect(),
        role: Role::Admin,
        invitation_key: invitation.public().0,
        signature: invitation.sign(&join_signing_bytes(space, identity, device, Role::Admin)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_long_history_is_resolved_at_once_and_is_not_disturbed() {
        let mut next = 0;
        let mut random = |to: &mut [u8]| {
            to.fill_with(|| {
                next += 1;
                (next % 251) as u8
            });
        };
        let history = ControlHistory::new(10_000, &mut random);
        let start = Instant::now();
        let mut resolved = history.resolve();
        let first = start.elapsed();
        let start = Instant::now();
        history.disturb(&mut resolved);
        let second = start.elapsed();
        println!("10,000 entries: {first:?}; a backdated one: {second:?}");
        // Far from what it takes, so that no busy machine fails; the square of the number would.
        assert!(
            first.as_secs() < 20 && second.as_secs() < 5,
            "{first:?} {second:?}"
        );
    }
}
