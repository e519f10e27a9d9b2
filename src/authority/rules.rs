//! The rules: what an operation needs, judged in its own past, and what it establishes.
//!
//! No rule may depend on anything outside the entry's past, or peers would disagree.

use super::enrolment::{Enrolment, Recovered, RecoveryFact, Voucher, follows};
use super::facts::{Fact, KeyClaim, View};
use super::invite_hint::InviteHint;
use super::op::{ControlOp, join_signing_bytes};
use super::tenure::HandOver;
use crate::feed::{Entry, FeedHeader, check_public_key, verify_signature};
use crate::identity::{DeviceChain, Issuer, RecoveryStatement, Wrap};
use crate::model::{
    ContentKeyId, DeviceKey, EntryId, IdentityKey, RecoveryKey, Role, SpaceId, limits,
};
use std::sync::Arc;

/// What is established, or why the operation is refused.
type Judgement = Result<Vec<Fact>, String>;

/// An entry before the rules.
pub struct Case<'a> {
    /// The entry's own past.
    pub view: View<'a>,
    /// The space.
    pub space: SpaceId,
    /// The entry.
    pub entry: &'a Entry,
    /// Its feed's header.
    pub author: &'a FeedHeader,
    /// The highest key generation in the past.
    pub generation: u64,
}

impl Case<'_> {
    /// Whether the author's device acted for a member.
    pub fn author_is_member(&self) -> bool {
        self.author_role().is_ok()
    }

    /// Judges the operation.
    pub fn judge(&self, op: &ControlOp) -> Judgement {
        match op {
            ControlOp::Genesis {
                creator,
                certificate,
                display_name,
                ..
            } => self.genesis(creator, certificate, display_name),
            ControlOp::SetRole { identity, role, .. } => self.set_role(identity, *role),
            ControlOp::DeviceAdd { certificate } => self.device_add(certificate),
            ControlOp::DeviceRevoke { device, .. } => self.device_revoke(device),
            ControlOp::InviteOpen {
                invitation_key,
                role_cap,
                expires_hint_ms,
            } => self.invite_open(invitation_key, *role_cap, *expires_hint_ms),
            ControlOp::InviteClose { invitation_key } => self.invite_close(invitation_key),
            ControlOp::Join { .. } => self.join(op),
            ControlOp::KeyRotate {
                key_id,
                generation,
                wraps,
                back_link,
            } => self.key_rotate(key_id, *generation, wraps, back_link.as_ref()),
            ControlOp::KeyShare { key_id, wraps } => self.key_share(key_id, wraps),
            ControlOp::Succession { identity } => self.succession(identity),
            ControlOp::RecoverySet {
                identity,
                recovery,
                statement,
            } => self.recovery_set(identity, recovery, statement),
            // Any member, of itself.
            ControlOp::NameSet { display_name } => self.author_role().map(|_| {
                let identity = self.author.identity;
                vec![Fact::Name(identity, display_name.clone())]
            }),
            // Any member: what it names it could have named in another operation as well.
            ControlOp::Merge => self.author_role().map(|_| Vec::new()),
            ControlOp::Unknown(..) => Err("not supported by this version".into()),
        }
    }

    fn author_role(&self) -> Result<Role, String> {
        let author = self.author;
        self.view
            .device(&author.device, &author.identity)
            .and_then(|_| self.view.role(&author.identity))
            .ok_or_else(|| "its author is not a member".to_owned())
    }

    fn author_at_least(&self, needed: Role) -> Result<Role, String> {
        let role = self.author_role()?;
        if role < needed {
            return Err(format!(
                "its author is {}, not {}",
                role.name(),
                needed.name()
            ));
        }
        Ok(role)
    }

    fn genesis(&self, creator: &IdentityKey, certificate: &[u8], name: &str) -> Judgement {
        let header = &self.entry.header;
        let first = header.seq == 0 && header.prev == EntryId::ZERO && header.ctl.is_empty();
        if !first || self.entry.id.0 != self.space.0 || self.author.space != SpaceId::ZERO {
            return Err("it is not the entry that created this space".into());
        }
        let chain = chain_of(creator, DeviceChain::decode(certificate))?;
        if self.author.identity != *creator || self.author.device != chain.certificate().device {
            return Err("its certificate is not its author's".into());
        }
        Ok(vec![
            Fact::Role(*creator, Some(Role::Owner)),
            Fact::Name(*creator, name.to_owned()),
            self.enrol(chain, Voucher::Newcomer),
        ])
    }

    /// Own role may only fall; others' is set by an admin or above who outranks them, to one
    /// below the own. Owners may make owners. The top owner's role does not change.
    fn set_role(&self, identity: &IdentityKey, role: Option<Role>) -> Judgement {
        let own = self.author_role()?;
        if !self.view.knows(identity) {
            return Err("it gives a role to somebody who never joined".into());
        }
        if self.is_top(identity) {
            return Err("the top owner's role does not change: it hands over first".into());
        }
        if *identity == self.author.identity {
            if role >= Some(own) {
                return Err("nobody raises the own role".into());
            }
        } else {
            if own < Role::Admin {
                return Err(format!("its author is {}, not admin", own.name()));
            }
            if !self.view.outranks(&self.author.identity, identity) {
                return Err("its author does not outrank the other".into());
            }
            if role >= Some(own) && own != Role::Owner {
                return Err("it gives a role that is not below its author's".into());
            }
        }
        Ok(vec![Fact::Role(*identity, role)])
    }

    /// The top owner hands over to another owner.
    fn succession(&self, to: &IdentityKey) -> Judgement {
        self.author_role()?;
        let from = self.author.identity;
        if self.view.top().is_none_or(|(top, _)| top != from) {
            return Err("its author is not the top owner".into());
        }
        let Some(line) = self.view.line_to(&from, to) else {
            return Err("it hands over to somebody who is not another owner".into());
        };
        if line.len() > limits::SUCCESSIONS {
            return Err("the space was handed over too often".into());
        }
        let to = *to;
        Ok(vec![
            Fact::Role(to, Some(Role::Owner)),
            Fact::HandedOver(HandOver { from, to, line }),
        ])
    }

    fn is_top(&self, identity: &IdentityKey) -> bool {
        self.view.top().is_some_and(|(top, _)| top == *identity)
    }

    /// A device that acts vouches for another of its identity, whoever certified that. One that the
    /// identity's recovery key certified needs nobody.
    fn device_add(&self, certificate: &[u8]) -> Judgement {
        let identity = self.author.identity;
        let chain = chain_of(&identity, DeviceChain::decode(certificate))?;
        if self.author_role().is_ok() {
            let known = self.view.devices_of(&identity);
            let device = chain.certificate().device;
            let new = !known.iter().any(|added| added.certificate.device == device);
            if new && known.len() >= limits::DEVICES_PER_IDENTITY {
                return Err("the identity has too many devices".into());
            }
            // A device that renews its own key is vouched for by whoever did when it came.
            let own = self.view.device(&device, &identity);
            let voucher = own
                .filter(|_| device == self.author.device)
                .map_or(Voucher::Device(self.author.device), |own| {
                    own.enrolment.voucher
                });
            return self.admit(chain, voucher);
        }
        let Some(by) = self.recovered(&chain) else {
            return Err("its author is not a member".into());
        };
        if chain.certificate().device != self.author.device {
            return Err("a recovered device adds itself".into());
        }
        if self.view.role(&identity).is_none() {
            return Err("its author's identity is not a member".into());
        }
        // However many devices there are: they may be a thief's.
        self.admit(chain, Voucher::Recovery(by.key))
    }

    /// The recovery key that enrolled a device, if it is one of the identity's in force.
    fn recovered(&self, chain: &DeviceChain) -> Option<Recovered> {
        let keys = self.view.recoveries(&chain.certificate().identity);
        let by = |key| chain.enrolled_by() == Issuer::Recovery(key);
        let fact = keys.into_iter().find(|fact| by(fact.said.recovery))?;
        Some(Recovered {
            key: fact.said.recovery,
            seat: fact.seat,
            generation: fact.said.generation,
        })
    }

    fn enrol(&self, chain: DeviceChain, voucher: Voucher) -> Fact {
        let recovered = self.recovered(&chain);
        Fact::Device(Enrolment {
            chain: Arc::new(chain),
            voucher,
            recovered,
        })
    }

    /// Admits a device; what is there already is passed over.
    fn admit(&self, chain: DeviceChain, voucher: Voucher) -> Judgement {
        let certificate = chain.certificate();
        let (identity, device) = (certificate.identity, certificate.device);
        let others = self.view.identities_of(&device);
        if others.iter().any(|other| *other != identity) {
            return Err("a device acts for somebody else already".into());
        }
        if self.view.is_revoked(&device) {
            return Err("a device was revoked".into());
        }
        let present = self.view.device(&device, &identity);
        if present.is_some_and(|present| *present.enrolment.chain == chain) {
            return Ok(Vec::new());
        }
        Ok(vec![self.enrol(chain, voucher)])
    }

    /// A newcomer's device. With an identity that is a member already it must be one of those that
    /// act, or the identity itself must have certified it: for any other a device that acts would
    /// speak. It may not have come by a device that was revoked here.
    fn admit_newcomer(&self, chain: DeviceChain, member: bool) -> Judgement {
        let certificate = chain.certificate();
        let acts = self
            .view
            .device(&certificate.device, &certificate.identity)
            .is_some();
        if acts {
            return self.admit(chain, Voucher::Newcomer);
        }
        if member && chain.enrolled_by() != Issuer::Identity {
            return Err(
                "its author's device was not added to the member that it speaks for".into(),
            );
        }
        if chain.lineage().iter().any(|d| self.view.is_revoked(d)) {
            return Err("its author's device came by one that was revoked".into());
        }
        let devices = self.view.devices_of(&certificate.identity);
        if devices.len() >= limits::DEVICES_PER_IDENTITY {
            return Err("the identity has too many devices".into());
        }
        self.admit(chain, Voucher::Newcomer)
    }

    /// By the most senior device of the identity, or one that a recovery key in force enrolled: as
    /// the author, or as the issuer of the statement, which any device of the identity may pass on; or
    /// by a recovery key in force itself, as the issuer. Key and enrolled device take the seat of that
    /// key, and replace it with all below. The most senior device may be in a thief's hands: its key
    /// comes below all others, which stay in force.
    fn recovery_set(
        &self,
        identity: &IdentityKey,
        recovery: &RecoveryKey,
        statement: &[u8],
    ) -> Judgement {
        self.author_role()?;
        let said = RecoveryStatement::decode(statement).map_err(|e| e.detail().to_owned())?;
        if *identity != self.author.identity || said.identity != *identity {
            return Err("it sets the recovery key of another identity".into());
        }
        if said.recovery != *recovery {
            return Err("its statement is of another recovery key".into());
        }
        let present = self.view.recoveries(identity);
        if !follows(&said, &present) {
            return Err("its statement does not follow the present one".into());
        }
        let right = self.view.right_to_set(&self.author.device, &said, &present);
        let right = right.ok_or(
            "neither its author nor its statement's is the most senior device, or came by a \
             recovery key in force or is one",
        )?;
        Ok(vec![Fact::Recovery(RecoveryFact {
            seat: right.seat.unwrap_or(said.generation),
            inherits: right.seat.is_some(),
            by_key: right.by_key,
            said,
            statement: statement.into(),
            rank: right.rank,
        })])
    }

    /// A device is revoked by itself, by one of the same identity that has acted longer, or by an
    /// admin or above who outranks the identity.
    fn device_revoke(&self, device: &DeviceKey) -> Judgement {
        let own = self.author_role()?;
        let targets = self.view.identities_of(device);
        if targets.is_empty() {
            return Err("it revokes a device that is not there".into());
        }
        let allowed = targets.iter().all(|target| {
            if *target == self.author.identity {
                let author = self.view.device_rank(&self.author.device);
                return author.is_some() && author <= self.view.device_rank(device);
            }
            own >= Role::Admin && self.view.outranks(&self.author.identity, target)
        });
        if !allowed {
            return Err("its author may not revoke this device".into());
        }
        Ok(vec![Fact::Revoked(*device)])
    }

    fn invite_open(&self, key: &[u8; 32], cap: Role, hint: u64) -> Judgement {
        let own = self.author_at_least(Role::Admin)?;
        if cap >= own {
            return Err("it invites to a role that is not below its author's".into());
        }
        if self.view.invitation(key).is_some() {
            return Err("the invitation exists already".into());
        }
        if self.view.open_invitations() >= limits::OPEN_INVITATIONS {
            return Err("too many invitations are open".into());
        }
        check_public_key(key).map_err(|e| e.detail().to_owned())?;
        let hint = InviteHint::unpack(hint);
        let withheld = self
            .view
            .withheld_by(&self.author.identity, hint.from_now_on);
        Ok(vec![Fact::Opened(*key, cap, hint, withheld)])
    }

    fn invite_close(&self, key: &[u8; 32]) -> Judgement {
        let own = self.author_at_least(Role::Admin)?;
        match self.view.invitation(key) {
            None => Err("there is no such invitation".into()),
            Some((cap, _)) if cap >= own => {
                Err("the invitation gives a role that is not below its author's".into())
            }
            Some(_) => Ok(vec![Fact::Closed(*key)]),
        }
    }

    fn join(&self, op: &ControlOp) -> Judgement {
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
        match self.view.invitation(invitation_key) {
            None => return Err("there is no such invitation".into()),
            Some((_, false)) => return Err("the invitation is closed".into()),
            Some((cap, true)) if *role > cap => {
                return Err(format!("the invitation gives at most {}", cap.name()));
            }
            Some(_) => {}
        }
        if *identity != self.author.identity {
            return Err("a guest joins in its own feed".into());
        }
        let signed = join_signing_bytes(self.space, *identity, self.author.device, *role);
        verify_signature(invitation_key, &signed, signature)
            .map_err(|_| "the invitation did not sign this guest".to_owned())?;
        let chain = chain_of(identity, DeviceChain::from_links(certificates))?;
        if chain.certificate().device != self.author.device {
            return Err("its certificates do not lead to its author's device".into());
        }
        let present = self.view.role(identity);
        if present.is_none() && self.members() >= limits::IDENTITIES {
            return Err("the space has too many members".into());
        }
        let mut facts = self.admit_newcomer(chain, present.is_some())?;
        // Joining again never lowers a role.
        if present < Some(*role) {
            facts.push(Fact::Role(*identity, Some(*role)));
        }
        facts.push(Fact::Name(*identity, display_name.clone()));
        facts.push(Fact::Joined(*invitation_key, *identity));
        Ok(facts)
    }

    fn members(&self) -> usize {
        let identities = self.view.facts.roles.keys();
        identities
            .filter(|identity| self.view.role(identity).is_some())
            .count()
    }

    fn key_rotate(
        &self,
        key: &ContentKeyId,
        generation: u64,
        wraps: &[Wrap],
        link: Option<&(ContentKeyId, Vec<u8>)>,
    ) -> Judgement {
        self.author_at_least(Role::Reader)?;
        if self.generation.checked_add(1) != Some(generation) {
            return Err("its generation does not follow from the graph".into());
        }
        if *key == ContentKeyId::ZERO || self.view.has_key(key) {
            return Err("its key is not a new one".into());
        }
        self.check_recipients(wraps)?;
        let claim = KeyClaim {
            by: self.author.device,
            generation,
            wraps: wraps.to_vec(),
            opens: link.map(|(older, _)| *older),
        };
        let mut facts = vec![Fact::Rotated(*key, claim)];
        if let Some((older, sealed)) = link {
            if !self.view.has_key(older) {
                return Err("it links to a key that is not there".into());
            }
            facts.push(Fact::Linked(*key, *older, sealed.clone()));
        }
        Ok(facts)
    }

    fn key_share(&self, key: &ContentKeyId, wraps: &[Wrap]) -> Judgement {
        self.author_at_least(Role::Reader)?;
        if !self.view.has_key(key) {
            return Err("it shares a key that is not there".into());
        }
        self.check_recipients(wraps)?;
        Ok(vec![Fact::Shared(*key, wraps.to_vec())])
    }

    /// Handing a key to a device without the right to it would make the key unusable for all.
    fn check_recipients(&self, wraps: &[Wrap]) -> Result<(), String> {
        if wraps.is_empty() {
            return Err("it hands its key to nobody".into());
        }
        if !wraps.iter().all(|wrap| self.view.entitled(&wrap.device)) {
            return Err("it hands its key to a device that may not read".into());
        }
        Ok(())
    }
}

/// Checks whose chain it is.
fn chain_of(
    identity: &IdentityKey,
    chain: crate::model::Result<DeviceChain>,
) -> Result<DeviceChain, String> {
    let chain = chain.map_err(|e| e.detail().to_owned())?;
    if chain.certificate().identity != *identity {
        return Err("a certificate is another identity's".into());
    }
    Ok(chain)
}
