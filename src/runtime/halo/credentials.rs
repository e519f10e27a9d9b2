//! What this client's identity can show: its card, its memberships, and the statements that it
//! issued or received, which HALO keeps for all of its devices. And what its spaces know of what
//! others show.

use super::super::node::Node;
use crate::api::{CredentialInfo, SpaceState, VerifiedPresentation};
use crate::credential::{
    Challenge, Claims, Credential, IdentityCard, Membership, Presentation, Statement,
    StatementDraft, code,
};
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, Result, Role, SpaceId, limits};
use crate::runtime::clock;
use crate::runtime::credentials::{self as records, IDENTITY, info, verified};
use crate::runtime::space_host::SpaceHost;
use crate::space::HaloFact;
use data_encoding::HEXLOWER;
use std::sync::Arc;

impl Node {
    /// Everything that the identity can show, and the statements that it issued about others.
    pub fn credentials(&self) -> Result<Vec<CredentialInfo>> {
        let mut found = vec![info(&self.identity_card()?)];
        for host in self.hosts() {
            let state = host.summary().0;
            if host.is_halo() || !matches!(state, SpaceState::Ready | SpaceState::Closed) {
                continue;
            }
            match self.membership(&host) {
                Ok(membership) => {
                    let mut membership = info(&membership);
                    membership.checked_against_space = true;
                    found.push(membership);
                }
                // A space that only just began to be held, or was left; and one that is damaged
                // must not hide the others.
                Err(error) => self.log().debug("halo", || {
                    format!("no credential of the space {}: {error}", host.id())
                }),
            }
        }
        found.extend(self.statements()?.iter().map(info));
        Ok(found)
    }

    /// The bytes of a credential.
    pub fn export_credential(&self, id: &str) -> Result<Vec<u8>> {
        Ok(self.credential(id)?.bytes().to_vec())
    }

    /// Presents credentials to an audience, in answer to its nonce.
    pub fn present_credentials(
        &self,
        ids: &[String],
        nonce: Vec<u8>,
        audience: String,
    ) -> Result<Vec<u8>> {
        let challenge = Challenge::new(nonce, audience)?;
        let (keyring, name) = self.require_identity()?;
        self.check_not_revoked()?;
        if ids.len() > limits::PRESENTED {
            return Err(Error::limit(format!(
                "{} credentials are to be presented, at most {} can be at a time",
                ids.len(),
                limits::PRESENTED
            )));
        }
        let now = clock::now_ms();
        let shown = ids
            .iter()
            .map(|id| {
                let credential = self.credential(id)?;
                credential.check_time(now)?;
                Ok(credential)
            })
            .collect::<Result<Vec<_>>>()?;
        Presentation::make(&keyring, &name, &challenge, &shown, now)
    }

    /// Verifies a presentation, and compares it with what the spaces that are open here know.
    pub fn verify_presentation(
        &self,
        input: &[u8],
        nonce: Vec<u8>,
        audience: String,
        now_ms: Option<i64>,
    ) -> Result<VerifiedPresentation> {
        self.check_open()?;
        let shown = records::verify(input, nonce, audience, now_ms)?;
        let mut told = verified(&shown);
        let certificate = shown.chain.certificate();
        told.device_checked = self.check_device(&certificate.device, &certificate.identity)?;
        for (credential, told) in shown.credentials.iter().zip(&mut told.credentials) {
            told.checked_against_space = match credential {
                Credential::Identity(card) => {
                    let certificate = card.chain.certificate();
                    self.check_device(&certificate.device, &certificate.identity)?
                }
                Credential::Membership(m) => self.check_role(&m.space, &m.subject, m.shown.role)?,
                Credential::Statement(statement) => {
                    let certificate = statement.issuer.certificate();
                    self.check_device(&certificate.device, &certificate.identity)?
                }
            };
        }
        Ok(told)
    }

    /// Says something about an identity, and keeps it.
    pub fn issue_credential(
        &self,
        subject: IdentityKey,
        type_name: String,
        claims: &str,
        expires_ms: Option<i64>,
    ) -> Result<CredentialInfo> {
        let (keyring, _) = self.require_identity()?;
        self.check_not_revoked()?;
        let expires_ms = expires_ms.map(|ms| records::moment(Some(ms))).transpose()?;
        let draft = StatementDraft {
            subject,
            type_name,
            claims: Claims::new(claims)?,
            issued_ms: clock::now_ms(),
            expires_ms,
        };
        let statement = Statement::issue(&keyring, draft)?;
        self.keep(&statement)?;
        Ok(info(&Credential::Statement(statement)))
    }

    /// Keeps a statement about this identity that somebody issued, or one that it issued.
    pub fn import_credential(&self, input: &[u8]) -> Result<CredentialInfo> {
        let (keyring, _) = self.require_identity()?;
        let credential = Credential::decode(&code::to_bytes(input)?)?;
        credential.check_time(clock::now_ms())?;
        let Credential::Statement(statement) = &credential else {
            return Err(Error::invalid(
                "only what somebody says about the identity is kept: its card and its memberships \
                 are made anew whenever they are shown",
            ));
        };
        let own = keyring.identity_key();
        if statement.said.subject != own && statement.issued_by() != own {
            return Err(Error::invalid(format!(
                "the credential is about {}, who alone can present it",
                statement.said.subject
            )));
        }
        self.keep(statement)?;
        Ok(info(&credential))
    }

    /// Forgets a statement, on all devices.
    pub fn remove_credential(&self, id: &str) -> Result<()> {
        self.require_identity()?;
        self.check_not_revoked()?;
        let id = self.kept(id)?.id();
        self.tell_halo(&[HaloFact::Credential(id, None)])
    }

    fn keep(&self, statement: &Statement) -> Result<()> {
        self.check_not_revoked()?;
        let known = self.read_halo()?.state.credentials;
        let id = statement.id();
        if known.contains_key(&id) {
            return Ok(());
        }
        if known.len() >= limits::CREDENTIALS {
            return Err(Error::limit(format!(
                "an identity keeps at most {} credentials: remove one that is not needed any more",
                limits::CREDENTIALS
            )));
        }
        self.tell_halo(&[HaloFact::Credential(id, Some(statement.bytes().to_vec()))])
    }

    /// The kept statements. What does not verify, another device's malformed object, is passed over.
    fn statements(&self) -> Result<Vec<Credential>> {
        let halo = self.read_halo()?;
        let kept = halo.state.credentials.values();
        let read = kept.filter_map(|bytes| Credential::decode(bytes).ok());
        Ok(read
            .filter(|credential| matches!(credential, Credential::Statement(_)))
            .collect())
    }

    fn kept(&self, id: &str) -> Result<Statement> {
        let unknown = || {
            Error::not_found(
                "there is no such credential: the list of credentials has the ids of all",
            )
        };
        let key = HEXLOWER.decode(id.as_bytes()).map_err(|_| unknown())?;
        let key: [u8; 32] = key.try_into().map_err(|_| unknown())?;
        let halo = self.read_halo()?;
        let bytes = halo.state.credentials.get(&key).ok_or_else(unknown)?;
        match Credential::decode(bytes)? {
            Credential::Statement(statement) if statement.id() == key => Ok(statement),
            _ => Err(unknown()),
        }
    }

    fn credential(&self, id: &str) -> Result<Credential> {
        if id == IDENTITY {
            return self.identity_card();
        }
        if let Ok(space) = SpaceId::parse(id) {
            self.require_identity()?;
            return self.membership(&self.host(&space)?);
        }
        self.kept(id).map(Credential::Statement)
    }

    fn identity_card(&self) -> Result<Credential> {
        let (keyring, name) = self.require_identity()?;
        let card = IdentityCard::issue(&keyring, &name, clock::now_ms());
        Ok(Credential::Identity(card))
    }

    fn membership(&self, host: &Arc<SpaceHost>) -> Result<Credential> {
        let (keyring, _) = self.require_identity()?;
        let own = keyring.identity_key();
        let evidence = self.with_space(host, |core| core.evidence(&own))?;
        Membership::of(host.id(), own, &evidence).map(Credential::Membership)
    }

    /// Whether a space that is open here knows an identity; fails if one knows that the device was
    /// revoked.
    fn check_device(&self, device: &DeviceKey, identity: &IdentityKey) -> Result<bool> {
        let mut checked = false;
        for host in self.open_hosts() {
            let (known, revoked) = host.with(|core| {
                let known = core.role_if_known(identity).is_some();
                Ok((known, core.knows_revoked(device)))
            })?;
            if revoked {
                return Err(revoked_error(format!("the device {device} was revoked")));
            }
            checked |= known;
        }
        Ok(checked)
    }

    /// Whether the space is open here and has heard of the member; fails if its role there is lower
    /// than what was shown.
    fn check_role(&self, space: &SpaceId, subject: &IdentityKey, shown: Role) -> Result<bool> {
        let mut hosts = self.open_hosts().into_iter();
        let Some(host) = hosts.find(|host| host.id() == *space) else {
            return Ok(false);
        };
        match host.with(|core| Ok(core.role_if_known(subject)))? {
            None => Ok(false),
            Some(role) if role >= Some(shown) => Ok(true),
            Some(role) => Err(revoked_error(format!(
                "{subject} shows the role of {} and has, as the space {space} knows, that of {}",
                shown.name(),
                role.map_or("none", Role::name)
            ))),
        }
    }

    fn open_hosts(&self) -> Vec<Arc<SpaceHost>> {
        let mut hosts = self.hosts();
        hosts.retain(|host| host.summary().0 == SpaceState::Ready);
        hosts
    }
}

fn revoked_error(detail: String) -> Error {
    Error::new(ErrorKind::Revoked, detail)
}
