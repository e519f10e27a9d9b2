//! The joining side.

use super::driver::{self, Driver, Layer, Machine, Place, Prover};
use super::record::GuestRecord;
use super::wire::{Admission, ControlEntries, decode};
use super::{Label, PairingHandle, tending};
use crate::api::JoinOptions;
use crate::authority::join_signing_bytes;
use crate::feed::DeviceSigner;
use crate::identity::Keyring;
use crate::invitation::code::{InvitationCode, InvitationKind, space_hint};
use crate::invitation::guest::Guest;
use crate::invitation::machine::{Peer, Setup};
use crate::invitation::mode::Mode;
use crate::model::{Error, ErrorKind, Result, Role, SpaceId, limits};
use crate::runtime::clock;
use crate::runtime::connector::Calls;
use crate::runtime::executor;
use crate::runtime::node::Node;
use crate::runtime::space_host::SpaceHost;
use crate::space::{Ingest, SpaceCore};
use std::sync::{Arc, Weak};

/// The longest a guest looks for the host, in seconds: a week.
const LONGEST_S: u64 = 604_800;
/// Hosts of a delegated invitation that are tried: one may have lost its role.
const HOSTS: u32 = 3;

/// Uses a code: starts to look for the host. A code that is being used already goes on.
pub fn join(node: &Arc<Node>, code: &str, options: &JoinOptions) -> Result<PairingHandle> {
    node.require_identity()?;
    if options.timeout_s == 0 || options.timeout_s > LONGEST_S {
        return Err(Error::invalid(format!(
            "a guest waits 1 to {LONGEST_S} seconds"
        )));
    }
    let code = InvitationCode::parse_as(code, InvitationKind::Space)?;
    let now = clock::now_ms();
    code.check_expiry(now)?;
    if is_here(node, &code) {
        return Err(already_here());
    }
    node.connector()?;
    let _tending = node.lock_tending();
    if let Some(running) = tending::running(node, &code.rendezvous)
        && running.is_shown()
    {
        return Ok(running);
    }
    node.learn_servers(&code.signaling)?;
    let record = GuestRecord {
        code: code.to_text()?,
        ends_ms: now.saturating_add(options.timeout_s * 1000),
        created_ms: now,
    };
    node.with_profile(|profile| profile.put_invitation(&code.rendezvous, &record.to_bytes()))?;
    start(node, code, &record, 0)
}

/// Goes on with a code that a process which ended was using. Nothing of an exchange can be taken
/// up again, so it starts over with looking for the host; the guesses that were sent stay sent.
pub(super) fn resume(node: &Arc<Node>, id: &[u8; 16], record: &GuestRecord) -> Result<()> {
    let code = InvitationCode::parse_as(&record.code, InvitationKind::Space)?;
    let now = clock::now_ms();
    let over = now >= record.ends_ms || now >= code.expires_ms;
    // Let in before the process ended: the rest comes by replication.
    if over || is_here(node, &code) {
        return node.with_profile(|profile| profile.remove_invitation(id));
    }
    let stored = node.with_profile(|profile| profile.invitation(id))?;
    let guesses = stored.map_or(0, |stored| stored.used_codes);
    start(node, code, record, guesses).map(drop)
}

/// Whether the profile has the space of a code.
fn is_here(node: &Node, code: &InvitationCode) -> bool {
    let ids = node.space_ids();
    ids.iter().any(|id| space_hint(id) == code.space_hint)
}

fn start(
    node: &Arc<Node>,
    code: InvitationCode,
    record: &GuestRecord,
    guesses: u32,
) -> Result<PairingHandle> {
    let (keyring, display_name) = node.require_identity()?;
    let label = Label {
        id: code.rendezvous,
        code: record.code.clone(),
        url: code.to_url()?,
        qr: code.to_qr_text()?,
        shown: true,
    };
    let (handle, commands) = PairingHandle::labelled(label, None, node.log().clone());
    let layer = GuestLayer {
        node: Arc::downgrade(node),
        keyring: Arc::clone(&keyring),
        display_name,
        code: code.clone(),
        ends_ms: record.ends_ms,
        host: None,
        hosts: 0,
        joined: None,
    };
    let machine = layer.machine(guesses)?;
    let driver = Driver {
        machine,
        layer: Box::new(layer),
        handle: handle.clone(),
        prover: Prover::Member(keyring),
        place: Place {
            topic: code.topic(),
            key: code.seal_key(),
            connector: node.connector()?,
            calls: match code.mode {
                Mode::Interactive => Calls::SmallerId,
                Mode::MultiUse | Mode::Delegated(_) => Calls::Own,
            },
        },
        commands,
    };
    executor::handle()?.spawn(driver.run());
    node.keep_pairing(handle.clone());
    Ok(handle)
}

struct GuestLayer {
    node: Weak<Node>,
    keyring: Arc<Keyring>,
    display_name: String,
    code: InvitationCode,
    ends_ms: u64,
    /// Who is letting us in.
    host: Option<Peer>,
    /// Hosts that could not.
    hosts: u32,
    joined: Option<Arc<SpaceHost>>,
}

impl GuestLayer {
    fn node(&self) -> Result<Arc<Node>> {
        self.node
            .upgrade()
            .ok_or_else(|| Error::state("the client is shut down"))
    }

    fn machine(&self, guesses: u32) -> Result<Box<dyn Machine>> {
        let now_ms = clock::now_ms();
        let setup = Setup {
            code: self.code.clone(),
            identity: self.keyring.identity_key(),
            device: self.keyring.device_key(),
            display_name: self.display_name.clone(),
            verify: driver::verifier(),
            now_ms,
            timeout_ms: Some(self.ends_ms.saturating_sub(now_ms)),
        };
        Ok(Box::new(Guest::resume(setup, guesses)?))
    }

    /// What admits us in a role: the host's signature, or our own with the seed.
    fn signature(&self, admission: &Admission, space: SpaceId, role: Role) -> Result<[u8; 64]> {
        let Some(bearer) = self.code.mode.bearer() else {
            let malformed = |_| Error::protocol("the admission is malformed");
            return admission.signature.as_ref().try_into().map_err(malformed);
        };
        if admission.invitation_key.as_ref() != bearer.key() {
            return Err(Error::protocol(
                "the host admits through another invitation than ours",
            ));
        }
        let signer = DeviceSigner::from_seed(*bearer.seed()?);
        let (identity, device) = (self.keyring.identity_key(), self.keyring.device_key());
        Ok(signer.sign(&join_signing_bytes(space, identity, device, role)))
    }

    /// Whoever lets us in must be able to: in the space that the code names, a stranger with the
    /// code could otherwise pose as a member.
    fn check_host(&self, core: &SpaceCore) -> Result<()> {
        let host = self
            .host
            .as_ref()
            .ok_or_else(|| Error::internal("admitted by nobody"))?;
        match core.authority().role_of_device(&host.device) {
            Some((identity, _)) if identity == host.identity => Ok(()),
            _ => Err(Error::protocol(
                "whoever lets us in is no member of the space",
            )),
        }
    }

    fn enter(&self, node: &Node, admission: Admission) -> Result<Arc<SpaceHost>> {
        let space = SpaceId::from_slice(&admission.space)?;
        if space_hint(&space) != self.code.space_hint {
            return Err(Error::protocol(
                "the host admits to another space than its code names",
            ));
        }
        let _claim = node.claim(space)?;
        if node.has_space(&space) {
            return Err(already_here());
        }
        let malformed = |_| Error::protocol("the admission is malformed");
        let invitation_key: [u8; 32] = admission
            .invitation_key
            .as_ref()
            .try_into()
            .map_err(malformed)?;
        let role = Role::from_number(admission.role)
            .ok_or_else(|| Error::protocol("the admission names no role"))?;
        let signature = self.signature(&admission, space, role)?;
        let (core, _) = node.enter_space(
            space,
            &self.keyring,
            (admission.headers, admission.entries),
            |core| {
                self.check_host(core)?;
                core.write_join(&self.display_name, role, invitation_key, signature)
            },
            |profile, now| profile.add_space(&space, false, now),
        )?;
        node.adopt_space(core)
    }
}

impl Layer for GuestLayer {
    fn count_attempt(&mut self) -> Result<u32> {
        Err(Error::internal("a guest counts no attempts"))
    }

    fn admit(&mut self, _: &Peer) -> Result<Vec<u8>> {
        Err(Error::internal("a guest admits nobody"))
    }

    fn store_join(&mut self, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::internal("a guest admits nobody"))
    }

    fn take_admission(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let node = self.node()?;
        let admission: Admission = decode(bytes)?;
        // From here on the guest can prove its membership to any member, so the space is listed
        // before the host hears of it: a crash or a broken link now costs nothing.
        let host = self.enter(&node, admission)?;
        let join = host.with_settled(|core| {
            let (headers, entries) = core.own_control()?;
            Ok(ControlEntries { headers, entries })
        })?;
        self.joined = Some(host);
        Ok(join.to_bytes())
    }

    fn complete(&mut self, bytes: &[u8]) -> Result<()> {
        let keys: ControlEntries = decode(bytes)?;
        let Some(host) = self.joined.as_ref() else {
            return Err(Error::internal("completed before it was admitted"));
        };
        host.with_settled(|core| {
            for header in &keys.headers {
                core.add_feed(header)?;
            }
            core.ingest(keys.entries, &mut Ingest::default())
        })
    }

    fn space(&self) -> Option<String> {
        self.joined.as_ref().map(|host| host.id().to_string())
    }

    fn again(&mut self, error: Option<&Error>) -> Option<Box<dyn Machine>> {
        let kind = error.map(Error::kind)?;
        if self.joined.is_some() || clock::now_ms() >= self.ends_ms.min(self.code.expires_ms) {
            return None;
        }
        let retried = match self.code.mode {
            // The host was busy, or the line bad: as long as our own patience lasts.
            Mode::Interactive | Mode::MultiUse => kind == ErrorKind::TimedOut,
            // Another member may be able to do what this one could not.
            Mode::Delegated(_) => {
                self.hosts += 1;
                let theirs = matches!(
                    kind,
                    ErrorKind::Protocol | ErrorKind::PermissionDenied | ErrorKind::TimedOut
                );
                theirs && self.hosts < HOSTS
            }
        };
        if !retried {
            return None;
        }
        let node = self.node().ok()?;
        let stored = node.with_profile(|profile| profile.invitation(&self.code.rendezvous));
        self.machine(stored.ok()??.used_codes).ok()
    }

    fn ended(&mut self, success: bool) -> bool {
        if let Ok(node) = self.node()
            && let Err(error) =
                node.with_profile(|profile| profile.remove_invitation(&self.code.rendezvous))
        {
            node.log().debug("invitation", || {
                format!("a used code could not be forgotten: {error}")
            });
        }
        // Admitted is admitted: the rest comes by replication.
        success || self.joined.is_some()
    }

    fn count_guess(&mut self) -> Result<()> {
        let node = self.node()?;
        count_guess(&node, &self.code.rendezvous)
    }

    fn introduced(&mut self, peer: &Peer) {
        self.host = Some(peer.clone());
    }

    fn over(&mut self) {
        // A delegated invitation that let us in is ours to host now, like any other member's.
        if let Ok(node) = self.node() {
            tending::tend_later(&node);
        }
    }
}

/// Counts a guess that is about to be sent, durably; fails if there is none left.
pub(super) fn count_guess(node: &Node, id: &[u8; 16]) -> Result<()> {
    let used = node.with_profile(|profile| profile.use_code(id))?;
    match used <= limits::CODES_PER_INVITATION {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::InvitationRefused,
            "all guesses at the authorization code are used up: ask for a new invitation",
        )),
    }
}

fn already_here() -> Error {
    Error::new(
        ErrorKind::AlreadyExists,
        "this profile is in that space already",
    )
}
