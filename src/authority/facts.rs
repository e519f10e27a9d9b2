//! Facts: what accepted entries established, and how they are seen from a point in the graph.

use super::ancestry::{AncestorSet, Graph};
use super::enrolment::{Enrolment, RecoveryFact};
use super::invite_hint::InviteHint;
use super::tenure::HandOver;
pub use super::timeline::{Dated, Timeline};
use crate::identity::{DeviceCertificate, Wrap};
use crate::model::{ContentKeyId, DeviceKey, IdentityKey, Role};
use std::collections::{BTreeMap, BTreeSet};

/// One thing an accepted entry established.
#[derive(Clone, Debug)]
pub enum Fact {
    /// An identity has a role, or none any more.
    Role(IdentityKey, Option<Role>),
    /// An identity has a display name.
    Name(IdentityKey, String),
    /// The space has another top owner.
    HandedOver(HandOver),
    /// A device acts for an identity.
    Device(Enrolment),
    /// A device does not act any more.
    Revoked(DeviceKey),
    /// An identity has a recovery key.
    Recovery(RecoveryFact),
    /// An invitation is open, up to a role; with what the inviter says of it, and the keys that its
    /// guests are not given.
    Opened([u8; 32], Role, InviteHint, BTreeSet<ContentKeyId>),
    /// Somebody joined through an invitation.
    Joined([u8; 32], IdentityKey),
    /// An invitation is closed.
    Closed([u8; 32]),
    /// A device brought in a key.
    Rotated(ContentKeyId, KeyClaim),
    /// A key was sealed to further devices.
    Shared(ContentKeyId, Vec<Wrap>),
    /// A newer key opens an older one.
    Linked(ContentKeyId, ContentKeyId, Vec<u8>),
}

/// A certificate, and its place among those of the same entry: earlier ones are senior.
#[derive(Clone, Debug)]
pub struct DeviceAdded {
    /// The place within the entry.
    pub order: usize,
    /// What it says.
    pub certificate: DeviceCertificate,
    /// How the device came to have it.
    pub enrolment: Enrolment,
}

/// What is known of a device.
#[derive(Clone, Debug, Default)]
pub struct DeviceFacts {
    /// Its certificates.
    pub added: Timeline<DeviceAdded>,
    /// The entries that revoked it.
    pub revoked: Vec<usize>,
}

/// What is known of an invitation.
#[derive(Clone, Debug, Default)]
pub struct InviteFacts {
    /// The entries that opened it, with the highest role it gives.
    pub opened: Vec<(usize, Role)>,
    /// The entries that closed it.
    pub closed: Vec<usize>,
    /// The entries by which guests joined through it.
    pub joined: Vec<(usize, IdentityKey)>,
    /// The content keys that its guests are not given.
    pub withheld: BTreeSet<ContentKeyId>,
    /// What the first of the openings says of it.
    pub hint: InviteHint,
}

/// A rotation: somebody says that the key is theirs.
#[derive(Clone, Debug)]
pub struct KeyClaim {
    /// The device that says so.
    pub by: DeviceKey,
    /// The generation it gave the key.
    pub generation: u64,
    /// The key sealed to devices.
    pub wraps: Vec<Wrap>,
    /// The older key that it says the new one opens.
    pub opens: Option<ContentKeyId>,
}

/// What is known of a content key.
#[derive(Clone, Debug, Default)]
pub struct KeyFacts {
    /// The rotations to it, with their entries: one, unless somebody claims another's key.
    pub claims: Vec<(usize, KeyClaim)>,
    /// What others sealed to further devices.
    pub shared: Vec<Wrap>,
    /// The older keys it opens, sealed under it.
    pub links: Vec<(ContentKeyId, Vec<u8>)>,
}

/// All facts, each with the number of the entry that established it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By identity: the roles it was given; none: it was removed.
    pub roles: BTreeMap<IdentityKey, Timeline<Option<Role>>>,
    /// Who created the space.
    pub creator: Option<IdentityKey>,
    /// Who became top owner after that.
    pub successions: Timeline<HandOver>,
    /// By identity: its display names.
    pub names: BTreeMap<IdentityKey, Vec<(usize, String)>>,
    /// By device.
    pub devices: BTreeMap<DeviceKey, DeviceFacts>,
    /// By identity: the recovery keys it was given, with their entries.
    pub recoveries: BTreeMap<IdentityKey, Vec<(usize, RecoveryFact)>>,
    /// By the invitation's public key.
    pub invitations: BTreeMap<[u8; 32], InviteFacts>,
    /// By key id.
    pub keys: BTreeMap<ContentKeyId, KeyFacts>,
}

impl Facts {
    /// Adds what entry number `at` established.
    pub fn record(&mut self, graph: &Graph, at: usize, facts: Vec<Fact>) {
        for (order, fact) in facts.into_iter().enumerate() {
            match fact {
                Fact::Role(who, role) => self.roles.entry(who).or_default().push(graph, at, role),
                Fact::HandedOver(to) => self.successions.push(graph, at, to),
                Fact::Name(who, name) => self.names.entry(who).or_default().push((at, name)),
                Fact::Device(enrolment) => {
                    let certificate = enrolment.chain.certificate().clone();
                    let device = self.devices.entry(certificate.device).or_default();
                    let added = DeviceAdded {
                        order,
                        certificate,
                        enrolment,
                    };
                    device.added.push(graph, at, added);
                }
                Fact::Revoked(device) => self.devices.entry(device).or_default().revoked.push(at),
                Fact::Recovery(fact) => {
                    let identity = fact.said.identity;
                    let known = self.recoveries.entry(identity).or_default();
                    known.push((at, fact));
                }
                Fact::Opened(key, cap, hint, withheld) => {
                    let invitation = self.invitations.entry(key).or_default();
                    if invitation.opened.is_empty() {
                        invitation.hint = hint;
                    }
                    invitation.withheld.extend(withheld);
                    invitation.opened.push((at, cap));
                }
                Fact::Joined(key, guest) => {
                    let invitation = self.invitations.entry(key).or_default();
                    invitation.joined.push((at, guest));
                }
                Fact::Closed(key) => self.invitations.entry(key).or_default().closed.push(at),
                Fact::Rotated(key, claim) => {
                    self.keys.entry(key).or_default().claims.push((at, claim));
                }
                Fact::Shared(key, wraps) => {
                    self.keys.entry(key).or_default().shared.extend(wraps);
                }
                Fact::Linked(newer, older, sealed) => {
                    let key = self.keys.entry(newer).or_default();
                    key.links.push((older, sealed));
                }
            }
        }
    }
}

/// How old a role or device is: older outranks. Depth and entry id are the same on every peer.
pub type Seniority = (u64, crate::model::EntryId, usize);

/// The facts as seen from a point in the graph.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The entries.
    pub graph: &'a Graph,
    /// What they established.
    pub facts: &'a Facts,
    /// What is seen; none: everything.
    pub past: Option<&'a AncestorSet>,
    /// What of that does not stand.
    pub dead: &'a AncestorSet,
}

impl<'a> View<'a> {
    /// Whether entry number `at` is seen and stands.
    pub fn sees(&self, at: usize) -> bool {
        self.reaches(at) && !self.dead.contains(at)
    }

    /// Whether entry number `at` is seen, whether or not it stands.
    pub(super) fn reaches(&self, at: usize) -> bool {
        self.past.is_none_or(|past| past.contains(at))
    }

    pub(super) fn latest<T>(&self, facts: &'a Timeline<T>) -> Vec<&'a Dated<T>> {
        facts.latest(self.graph, |at| self.sees(at))
    }

    /// Whether anything ever gave the identity a role or took it.
    pub fn knows(&self, identity: &IdentityKey) -> bool {
        let facts = self.facts.roles.get(identity);
        facts.is_some_and(|facts| !self.latest(facts).is_empty())
    }

    /// An identity's role: of the causally latest facts the most restrictive.
    pub fn role(&self, identity: &IdentityKey) -> Option<Role> {
        let facts = self.facts.roles.get(identity)?;
        let latest = self.latest(facts);
        latest.iter().map(|dated| dated.fact).min().flatten()
    }

    /// The certificate under which a device acts for an identity now. Of several the latest; of
    /// concurrent ones the one with the smallest HPKE key and name, and of one certificate the older
    /// admission, which all peers agree on.
    pub fn device(&self, device: &DeviceKey, identity: &IdentityKey) -> Option<&'a DeviceAdded> {
        if self.is_revoked(device) {
            return None;
        }
        let latest = self.standing(self.facts.devices.get(device)?);
        let place = |dated: &'a Dated<DeviceAdded>| {
            let added = &dated.fact;
            (key_and_name(added), self.graph.age(dated.at), added.order)
        };
        latest
            .into_iter()
            .filter(|dated| dated.fact.certificate.identity == *identity)
            .min_by_key(|dated| place(dated))
            .map(|dated| &dated.fact)
    }

    /// All admissions of a device that count, whichever is the latest.
    pub fn admissions(&self, device: &DeviceKey) -> impl Iterator<Item = &'a Dated<DeviceAdded>> {
        let facts = self.facts.devices.get(device);
        let added = facts.into_iter().flat_map(|facts| facts.added.iter());
        added.filter(|dated| self.sees(dated.at) && self.stands(dated))
    }

    /// The latest of the certificates that count.
    fn standing(&self, facts: &'a DeviceFacts) -> Vec<&'a Dated<DeviceAdded>> {
        let seen = facts.added.iter().filter(|dated| self.sees(dated.at));
        let fallen: BTreeSet<usize> = seen
            .filter(|dated| !self.stands(dated))
            .map(|dated| dated.at)
            .collect();
        let counts = |at| self.sees(at) && !fallen.contains(&at);
        facts.added.latest(self.graph, counts)
    }

    /// The identities a device acts for: one, unless it certified itself to several.
    pub fn identities_of(&self, device: &DeviceKey) -> Vec<IdentityKey> {
        let Some(facts) = self.facts.devices.get(device) else {
            return Vec::new();
        };
        let mut all: Vec<_> = self
            .standing(facts)
            .into_iter()
            .map(|dated| dated.fact.certificate.identity)
            .filter(|identity| self.device(device, identity).is_some())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// A device's identity and role. A device that claims several identities has the lowest role.
    pub fn role_of_device(&self, device: &DeviceKey) -> Option<(IdentityKey, Role)> {
        let identities = self.identities_of(device);
        let roles = identities
            .iter()
            .map(|identity| Some((*identity, self.role(identity)?)))
            .collect::<Option<Vec<_>>>()?;
        roles
            .into_iter()
            .min_by_key(|(identity, role)| (*role, *identity))
    }

    /// Whether keys may be sealed to the device: it acts for an identity that may read.
    pub fn entitled(&self, device: &DeviceKey) -> bool {
        self.role_of_device(device)
            .is_some_and(|(_, role)| role >= Role::Reader)
    }

    /// The devices that act for an identity, rising by key.
    pub fn devices_of(&self, identity: &IdentityKey) -> Vec<&'a DeviceAdded> {
        let devices = self.facts.devices.keys();
        devices
            .filter_map(|device| self.device(device, identity))
            .collect()
    }

    /// The highest role an invitation gives, and whether it is open.
    pub fn invitation(&self, key: &[u8; 32]) -> Option<(Role, bool)> {
        let facts = self.facts.invitations.get(key)?;
        let opened = facts.opened.iter().filter(|(at, _)| self.sees(*at));
        let cap = opened.map(|(_, cap)| *cap).min()?;
        Some((cap, !facts.closed.iter().any(|at| self.sees(*at))))
    }

    /// How many invitations are open.
    pub fn open_invitations(&self) -> usize {
        let keys = self.facts.invitations.keys();
        keys.filter(|key| self.invitation(key).is_some_and(|(_, open)| open))
            .count()
    }

    /// The claims to a key that count: those of devices that may read now, or all if there is none.
    ///
    /// Otherwise somebody who was removed could claim each new key in an entry that pretends to
    /// be older, name itself as a recipient, and so keep every key from being used. A claim by
    /// somebody who still may read shows that the key did not come from there.
    pub fn claims(&self, facts: &'a KeyFacts) -> Vec<&'a KeyClaim> {
        let mut claims: Vec<_> = facts.claims.iter().collect();
        // None that counts is left out for one that does not stand; if none stands, nobody writes
        // under the key, but its readers still need it.
        if claims.iter().any(|(at, _)| self.sees(*at)) {
            claims.retain(|(at, _)| self.sees(*at));
        }
        if claims.iter().any(|(_, claim)| self.entitled(&claim.by)) {
            claims.retain(|(_, claim)| self.entitled(&claim.by));
        }
        claims.into_iter().map(|(_, claim)| claim).collect()
    }

    /// Whether a content key was brought in. It is there also when the rotation does not stand:
    /// what was written under it is to stay readable.
    pub fn has_key(&self, key: &ContentKeyId) -> bool {
        let facts = self.facts.keys.get(key);
        facts.is_some_and(|facts| facts.claims.iter().any(|(at, _)| self.reaches(*at)))
    }
}

fn key_and_name(added: &DeviceAdded) -> (&[u8; 32], &str) {
    (&added.certificate.hpke, &added.certificate.name)
}
