//! Following the entries of a membership from the creation of its space.
//!
//! The rules are those of `src/authority/rules.rs`, as far as they can be told without an entry's
//! whole past: whoever grants something has been shown to hold the role that this takes, with the
//! device that signs. That nothing ended it in between cannot be seen here, because what ends a
//! role can be left out by whoever shows the entries.

use crate::authority::{ControlOp, join_signing_bytes};
use crate::feed::{Entry, FeedHeader, FeedKind, verify_signature};
use crate::identity::{DeviceChain, Issuer, RecoveryStatement};
use crate::model::{DeviceKey, EntryId, FeedId, IdentityKey, RecoveryKey, Role, SpaceId, limits};
use std::collections::{BTreeMap, BTreeSet};

/// What the entries of a membership show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The role.
    pub role: Role,
    /// The name that the identity gave itself when it came, which proves nothing.
    pub name: String,
    /// Who gave it the role: the opener of an invitation, or whoever set it. For the creator, itself.
    pub granted_by: IdentityKey,
    /// The name of that.
    pub granted_by_name: String,
    /// The entries, one by one.
    pub steps: Vec<ShownStep>,
}

/// An entry of a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownStep {
    /// The control entry.
    pub entry: EntryId,
    /// Who wrote it.
    pub by: IdentityKey,
    /// What it did, as an English sentence.
    pub text: String,
}

type Verdict<T> = Result<T, String>;

/// An effect on roles: whose, which, and on whose word.
struct Given {
    identity: IdentityKey,
    role: Option<Role>,
    by: IdentityKey,
}

/// What is known after some of the entries.
pub struct Replay {
    space: SpaceId,
    genesis_feed: Option<FeedId>,
    /// The highest role that each identity has been shown to have had.
    held: BTreeMap<IdentityKey, Role>,
    names: BTreeMap<IdentityKey, String>,
    devices: BTreeMap<DeviceKey, IdentityKey>,
    invitations: BTreeMap<[u8; 32], (Role, IdentityKey)>,
    recoveries: BTreeSet<(IdentityKey, RecoveryKey)>,
    /// Top owners, and whether each handed over.
    tops: BTreeMap<IdentityKey, bool>,
    seen: BTreeSet<EntryId>,
    last: Option<Given>,
    steps: Vec<ShownStep>,
}

impl Replay {
    /// Before the first entry of a space.
    pub fn new(space: SpaceId) -> Replay {
        Replay {
            space,
            genesis_feed: None,
            held: BTreeMap::new(),
            names: BTreeMap::new(),
            devices: BTreeMap::new(),
            invitations: BTreeMap::new(),
            recoveries: BTreeSet::new(),
            tops: BTreeMap::new(),
            seen: BTreeSet::new(),
            last: None,
            steps: Vec::new(),
        }
    }

    /// Takes the next entry, whose signature was verified against `author`'s device.
    pub fn take(&mut self, entry: &Entry, author: &FeedHeader) -> Verdict<()> {
        if author.kind != FeedKind::Control || entry.header.kind != FeedKind::Control {
            return Err("it is not a control entry".into());
        }
        if entry.header.feed != author.feed_id() {
            return Err("it is not an entry of its author's feed".into());
        }
        if !self.seen.insert(entry.id) {
            return Err("it was there before".into());
        }
        let body = entry.open(None).map_err(|e| e.detail().to_owned())?;
        let op = ControlOp::decode(&body).map_err(|e| e.detail().to_owned())?;
        let first = self.genesis_feed.is_none();
        if first != matches!(op, ControlOp::Genesis { .. }) {
            return Err("the first entry, and no other, creates the space".into());
        }
        let own_feed = first || self.genesis_feed == Some(entry.header.feed);
        if author.space != self.space && !own_feed {
            return Err("its feed belongs to another space".into());
        }
        self.last = self.apply(&op, entry, author)?;
        if let Some(given) = &self.last
            && let Some(role) = given.role
        {
            let held = self.held.entry(given.identity).or_insert(role);
            *held = role.max(*held);
        }
        let text = self.in_words(&op, author);
        self.steps.push(ShownStep {
            entry: entry.id,
            by: author.identity,
            text,
        });
        Ok(())
    }

    /// What the entries show of an identity: the last one gives it its role.
    pub fn finish(self, subject: &IdentityKey) -> Verdict<Shown> {
        let last = self.last.filter(|given| given.identity == *subject);
        let Some((role, by)) = last.and_then(|given| Some((given.role?, given.by))) else {
            return Err(format!("its last entry gives {subject} no role"));
        };
        let name = |of: &IdentityKey| self.names.get(of).cloned().unwrap_or_default();
        Ok(Shown {
            role,
            name: name(subject),
            granted_by: by,
            granted_by_name: name(&by),
            steps: self.steps,
        })
    }

    fn apply(
        &mut self,
        op: &ControlOp,
        entry: &Entry,
        author: &FeedHeader,
    ) -> Verdict<Option<Given>> {
        match op {
            ControlOp::Genesis {
                creator,
                certificate,
                display_name,
                ..
            } => self
                .genesis(entry, author, creator, certificate, display_name)
                .map(Some),
            ControlOp::InviteOpen {
                invitation_key,
                role_cap,
                ..
            } => {
                let own = self.office(author, Role::Admin)?;
                if *role_cap >= own {
                    return Err("it invites to a role that is not below its author's".into());
                }
                let opened = (*role_cap, author.identity);
                match self.invitations.insert(*invitation_key, opened) {
                    None => Ok(None),
                    Some(_) => Err("the invitation exists already".into()),
                }
            }
            ControlOp::Join { .. } => self.join(op, author).map(Some),
            ControlOp::SetRole { identity, role, .. } => {
                self.set_role(author, identity, *role).map(Some)
            }
            ControlOp::Succession { identity } => self.succession(author, identity).map(Some),
            ControlOp::DeviceAdd { certificate } => {
                self.device_add(author, certificate).map(|()| None)
            }
            ControlOp::RecoverySet {
                identity,
                recovery,
                statement,
            } => {
                self.device(author)?;
                let said =
                    RecoveryStatement::decode(statement).map_err(|e| e.detail().to_owned())?;
                let own = *identity == author.identity && said.identity == *identity;
                if !own || said.recovery != *recovery {
                    return Err("its statement is of another identity or recovery key".into());
                }
                self.recoveries.insert((*identity, *recovery));
                Ok(None)
            }
            _ => Err("no role rests on such an entry".into()),
        }
    }

    /// Checks that the author's device was shown to act for its identity.
    fn device(&self, author: &FeedHeader) -> Verdict<()> {
        match self.devices.get(&author.device) {
            Some(identity) if *identity == author.identity => Ok(()),
            _ => Err("nothing shows that its author's device acts for its identity".into()),
        }
    }

    /// The same, and that the identity had at least a role.
    fn office(&self, author: &FeedHeader, needed: Role) -> Verdict<Role> {
        self.device(author)?;
        let held = self.held.get(&author.identity);
        let held = held.filter(|role| **role >= needed);
        held.copied()
            .ok_or_else(|| format!("nothing shows that its author was {}", needed.name()))
    }

    fn genesis(
        &mut self,
        entry: &Entry,
        author: &FeedHeader,
        creator: &IdentityKey,
        certificate: &[u8],
        name: &str,
    ) -> Verdict<Given> {
        let header = &entry.header;
        let first = header.seq == 0 && header.prev == EntryId::ZERO && header.ctl.is_empty();
        if !first || entry.id.0 != self.space.0 || author.space != SpaceId::ZERO {
            return Err("it is not the entry that created the space".into());
        }
        let chain = DeviceChain::decode(certificate).map_err(|e| e.detail().to_owned())?;
        if author.identity != *creator {
            return Err("its certificate is not its author's".into());
        }
        self.enrol(&chain, author)?;
        self.genesis_feed = Some(header.feed);
        self.tops.insert(*creator, false);
        self.names.insert(*creator, name.to_owned());
        Ok(Given {
            identity: *creator,
            role: Some(Role::Owner),
            by: *creator,
        })
    }

    /// The device that signs begins to act.
    fn enrol(&mut self, chain: &DeviceChain, author: &FeedHeader) -> Verdict<()> {
        let certificate = chain.certificate();
        if certificate.identity != author.identity || certificate.device != author.device {
            return Err("its certificate is not its author's".into());
        }
        self.admit(chain)
    }

    fn admit(&mut self, chain: &DeviceChain) -> Verdict<()> {
        let certificate = chain.certificate();
        let before = self
            .devices
            .insert(certificate.device, certificate.identity);
        match before {
            Some(other) if other != certificate.identity => {
                Err("a device acts for somebody else already".into())
            }
            _ => Ok(()),
        }
    }

    fn join(&mut self, op: &ControlOp, author: &FeedHeader) -> Verdict<Given> {
        let ControlOp::Join {
            identity,
            display_name,
            certificates,
            role,
            invitation_key,
            signature,
        } = op
        else {
            return Err("it is not a join".into());
        };
        let (cap, host) = match self.invitations.get(invitation_key) {
            Some(invitation) => *invitation,
            None => return Err("nothing shows the invitation that it joins by".into()),
        };
        if *role > cap {
            return Err(format!("the invitation gives at most {}", cap.name()));
        }
        if *identity != author.identity {
            return Err("a guest joins in its own feed".into());
        }
        let signed = join_signing_bytes(self.space, *identity, author.device, *role);
        verify_signature(invitation_key, &signed, signature)
            .map_err(|_| "the invitation did not sign this guest".to_owned())?;
        let chain = DeviceChain::from_links(certificates).map_err(|e| e.detail().to_owned())?;
        let acts = self.devices.get(&author.device) == Some(identity);
        if self.held.contains_key(identity) && !acts && chain.enrolled_by() != Issuer::Identity {
            return Err("its author's device was not added to the member it speaks for".into());
        }
        self.enrol(&chain, author)?;
        let name = self.names.entry(*identity);
        name.or_insert_with(|| display_name.clone());
        Ok(Given {
            identity: *identity,
            role: Some(*role),
            by: host,
        })
    }

    fn set_role(
        &self,
        author: &FeedHeader,
        identity: &IdentityKey,
        role: Option<Role>,
    ) -> Verdict<Given> {
        if !self.held.contains_key(identity) {
            return Err("it gives a role to somebody who never joined".into());
        }
        if self.tops.get(identity) == Some(&false) {
            return Err("the top owner's role does not change: it hands over first".into());
        }
        if *identity == author.identity {
            let own = self.office(author, Role::Relay)?;
            if role >= Some(own) {
                return Err("nobody raises the own role".into());
            }
        } else {
            let own = self.office(author, Role::Admin)?;
            if role >= Some(own) && own != Role::Owner {
                return Err("it gives a role that is not below its author's".into());
            }
        }
        Ok(Given {
            identity: *identity,
            role,
            by: author.identity,
        })
    }

    fn succession(&mut self, author: &FeedHeader, to: &IdentityKey) -> Verdict<Given> {
        self.office(author, Role::Owner)?;
        if !self.tops.contains_key(&author.identity) {
            return Err("its author is not the top owner".into());
        }
        let owner = self.held.get(to) == Some(&Role::Owner);
        if !owner || *to == author.identity || self.tops.len() > limits::SUCCESSIONS {
            return Err("it hands over to somebody who is not another owner".into());
        }
        self.tops.insert(author.identity, true);
        self.tops.insert(*to, false);
        Ok(Given {
            identity: *to,
            role: Some(Role::Owner),
            by: author.identity,
        })
    }

    fn device_add(&mut self, author: &FeedHeader, certificate: &[u8]) -> Verdict<()> {
        let chain = DeviceChain::decode(certificate).map_err(|e| e.detail().to_owned())?;
        if chain.certificate().identity != author.identity {
            return Err("a certificate is another identity's".into());
        }
        if self.device(author).is_ok() {
            return self.admit(&chain);
        }
        let recovered = match chain.enrolled_by() {
            Issuer::Recovery(key) => self.recoveries.contains(&(author.identity, key)),
            _ => false,
        };
        if !recovered {
            return Err("nothing shows that its author's device acts for its identity".into());
        }
        self.enrol(&chain, author)
    }

    fn in_words(&self, op: &ControlOp, author: &FeedHeader) -> String {
        let by = self.called(&author.identity);
        match op {
            ControlOp::Genesis { .. } => format!("{by} created the space."),
            ControlOp::InviteOpen { role_cap, .. } => {
                format!("{by} opened an invitation up to {}.", role_cap.name())
            }
            ControlOp::Join { role, .. } => {
                let host = self.last.as_ref().map(|given| self.called(&given.by));
                let host = host.unwrap_or_default();
                let role = role.name();
                format!("{by} joined as {role} by an invitation that {host} opened.")
            }
            ControlOp::SetRole { identity, role, .. } => {
                let role = role.map_or("none", Role::name);
                let whom = self.called(identity);
                format!("{by} gave {whom} the role of {role}.")
            }
            ControlOp::Succession { identity } => {
                format!("{by} made {} top owner.", self.called(identity))
            }
            ControlOp::DeviceAdd { .. } => format!("{by} added a device."),
            _ => format!("{by} set its recovery key."),
        }
    }

    /// A name, which anybody may take, with the beginning of the key, which nobody can choose.
    fn called(&self, identity: &IdentityKey) -> String {
        let key = identity.to_string();
        let short = key.get(..8).unwrap_or(&key);
        match self.names.get(identity).filter(|name| !name.is_empty()) {
            Some(name) => format!("{name} ({short})"),
            None => short.to_owned(),
        }
    }
}
