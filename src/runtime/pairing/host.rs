//! The inviting side.

use super::desk::{Desk, Standing};
use super::driver::{self, Layer, Machine, Place};
use super::ending;
use super::reception::Reception;
use super::record::HostRecord;
use super::wire::{Admission, ControlEntries, decode};
use super::{Label, PairingHandle};
use crate::api::InviteOptions;
use crate::authority::InviteHint;
use crate::feed::DeviceSigner;
use crate::identity::{DeviceChain, Keyring};
use crate::invitation::code::{InvitationCode, InvitationKind, host_fingerprint, space_hint};
use crate::invitation::host::Host;
use crate::invitation::machine::{Peer, Setup};
use crate::invitation::mode::{Bearer, Mode};
use crate::invitation::state::InvitationState;
use crate::model::{Error, ErrorKind, Result, Role, SpaceId, limits};
use crate::runtime::clock;
use crate::runtime::connector::Calls;
use crate::runtime::executor;
use crate::runtime::node::{Node, NodeGuard};
use crate::runtime::space_host::SpaceHost;
use crate::space::Ingest;
use bytes::Bytes;
use std::sync::{Arc, Weak};

/// Opens an invitation to a space and starts to wait for the guests.
pub fn open(
    guard: &Arc<NodeGuard>,
    space: &Arc<SpaceHost>,
    options: &InviteOptions,
) -> Result<PairingHandle> {
    let node = guard.node();
    let role = check_options(options)?;
    let (keyring, _) = node.require_identity()?;
    node.connector()?;
    // Nobody may take what is half made here for the remains of a crash.
    let _tending = node.lock_tending();
    let now = clock::now_ms();
    let seed: [u8; 32] = clock::random();
    let (mode, rendezvous, host) = match (options.delegated, options.max_uses) {
        (true, _) => {
            let bearer = Bearer::from_seed(seed);
            let rendezvous = bearer.rendezvous();
            (Mode::Delegated(bearer), rendezvous, [0; 8])
        }
        (false, uses) => {
            let mode = match uses {
                1 => Mode::Interactive,
                _ => Mode::MultiUse,
            };
            (
                mode,
                clock::random(),
                host_fingerprint(&keyring.device_key()),
            )
        }
    };
    let code = InvitationCode {
        kind: InvitationKind::Space,
        mode,
        rendezvous,
        host_fingerprint: host,
        space_hint: space_hint(&space.id()),
        expires_ms: now.saturating_add(options.expires_s.saturating_mul(1000)),
        signaling: match options.include_signaling {
            true => node.configured_servers(),
            false => Vec::new(),
        },
    };
    let record = HostRecord {
        code: code.to_text()?,
        space: space.id().0.to_vec(),
        seed: seed.to_vec(),
        role: role as u32,
        max_uses: options.max_uses,
        created_ms: now,
    };
    let signer = record.signer()?;
    ending::make_room(node, space)?;
    // Before anybody can know of it; without the operation that opens it, it is forgotten again at
    // the next start.
    node.with_profile(|profile| profile.put_invitation(&code.rendezvous, &record.to_bytes()))?;
    let hint = InviteHint {
        expires_ms: code.expires_ms,
        delegated: options.delegated,
        max_uses: u8::try_from(options.max_uses).unwrap_or(0),
        from_now_on: !options.history,
    };
    let offered = space.with_settled(|core| core.offer_invitation(signer.public().0, role, hint));
    if let Err(error) = offered {
        node.with_profile(|profile| profile.remove_invitation(&code.rendezvous))?;
        return Err(error);
    }
    space.announce_control();
    resume(node, space, &record)
}

/// Checks options; the role that guests get.
fn check_options(options: &InviteOptions) -> Result<Role> {
    let role = Role::parse(&options.role)?;
    if options.delegated && role > Role::Editor {
        return Err(Error::invalid(format!(
            "a delegated invitation gives at most editor, not {}: its code is all that it takes",
            role.name()
        )));
    }
    let least = u32::from(!options.delegated);
    if !(least..=limits::INVITATION_USES).contains(&options.max_uses) {
        return Err(Error::invalid(format!(
            "an invitation lets in {least} to {} guests",
            limits::INVITATION_USES
        )));
    }
    let longest = match options.delegated || options.max_uses > 1 {
        true => limits::LONG_INVITATION_S,
        false => limits::INVITATION_S,
    };
    if options.expires_s == 0 || options.expires_s > longest {
        return Err(Error::invalid(format!(
            "an invitation of this type is open for 1 to {longest} seconds"
        )));
    }
    Ok(role)
}

/// Receives the guests of an invitation of ours, from now on or again.
pub(super) fn resume(
    node: &Arc<Node>,
    space: &Arc<SpaceHost>,
    record: &HostRecord,
) -> Result<PairingHandle> {
    let code = record.code()?;
    let label = Label {
        id: code.rendezvous,
        code: record.code.clone(),
        url: code.to_url()?,
        qr: code.to_qr_text()?,
        shown: true,
    };
    let signer = record.signer()?;
    let key = signer.public().0;
    let own = Own {
        signer,
        max_uses: record.max_uses,
    };
    receive(node, space, code, label, key, record.role()?, Some(own))
}

/// Receives the guests of somebody else's delegated invitation.
pub(super) fn stand_in(
    node: &Arc<Node>,
    space: &Arc<SpaceHost>,
    key: [u8; 32],
    role: Role,
    hint: InviteHint,
) -> Result<PairingHandle> {
    let bearer = Bearer::public(key);
    let code = InvitationCode {
        kind: InvitationKind::Space,
        rendezvous: bearer.rendezvous(),
        mode: Mode::Delegated(bearer),
        host_fingerprint: [0; 8],
        space_hint: space_hint(&space.id()),
        expires_ms: hint.expires_ms,
        signaling: Vec::new(),
    };
    let label = Label {
        id: code.rendezvous,
        code: String::new(),
        url: String::new(),
        qr: String::new(),
        shown: false,
    };
    receive(node, space, code, label, key, role, None)
}

fn receive(
    node: &Arc<Node>,
    space: &Arc<SpaceHost>,
    code: InvitationCode,
    label: Label,
    key: [u8; 32],
    role: Role,
    own: Option<Own>,
) -> Result<PairingHandle> {
    let (keyring, display_name) = node.require_identity()?;
    let place = Place {
        topic: code.topic(),
        key: code.seal_key(),
        connector: node.connector()?,
        calls: match code.mode {
            Mode::Interactive => Calls::SmallerId,
            Mode::MultiUse | Mode::Delegated(_) => Calls::Others,
        },
    };
    let (handle, commands) = PairingHandle::labelled(label, None, node.log().clone());
    let desk = SpaceDesk {
        node: Arc::downgrade(node),
        space: Arc::clone(space),
        code,
        key,
        role,
        own,
        keyring: Arc::clone(&keyring),
        display_name,
    };
    let reception = Reception {
        desk: Arc::new(Shared(Arc::new(desk))),
        handle: handle.clone(),
        keyring,
        place,
        commands,
    };
    executor::handle()?.spawn(reception.run());
    node.keep_pairing(handle.clone());
    Ok(handle)
}

/// What only the inviting device has.
struct Own {
    signer: DeviceSigner,
    max_uses: u32,
}

/// An invitation to a space.
struct SpaceDesk {
    node: Weak<Node>,
    space: Arc<SpaceHost>,
    code: InvitationCode,
    key: [u8; 32],
    role: Role,
    own: Option<Own>,
    keyring: Arc<Keyring>,
    display_name: String,
}

impl SpaceDesk {
    fn node(&self) -> Result<Arc<Node>> {
        self.node
            .upgrade()
            .ok_or_else(|| Error::state("the client is shut down"))
    }

    fn is_delegated(&self) -> bool {
        self.code.mode.bearer().is_some()
    }

    /// The role that we need to let somebody in.
    fn needed(&self) -> Role {
        match self.is_delegated() {
            true => Role::Reader,
            false => Role::Admin,
        }
    }

    /// Authorization codes used up since the last guest was let in.
    fn used(&self) -> Result<u32> {
        if self.is_delegated() {
            return Ok(0);
        }
        let stored = self
            .node()?
            .with_profile(|profile| profile.invitation(&self.code.rendezvous))?;
        Ok(stored.map_or(limits::CODES_PER_INVITATION, |i| i.used_codes))
    }

    fn admit(&self, guest: &Peer) -> Result<Vec<u8>> {
        let chain = DeviceChain::decode(&guest.certificate)?;
        let needed = self.needed();
        self.space
            .with_settled(|core| core.check_guest(&self.key, &guest.identity, needed))?;
        let signer = match &self.own {
            Some(own) if !self.is_delegated() => {
                // Durable before the guest has anything that lets it in.
                let admitted = self.node()?.with_profile(|profile| {
                    profile.admit(&self.code.rendezvous, &guest.identity, own.max_uses)
                })?;
                if !admitted {
                    return Err(used_up());
                }
                Some(&own.signer)
            }
            _ => None,
        };
        self.space.with_settled(|core| {
            let signature = match signer {
                Some(signer) => Bytes::copy_from_slice(&core.sign_admission(
                    signer,
                    chain.certificate(),
                    self.role,
                )?),
                // The guest has the seed and signs itself.
                None => {
                    let view = core.invitation(&self.key);
                    let most = view.map_or(0, |view| usize::from(view.hint.max_uses));
                    if most > 0 && view.is_some_and(|view| view.joins >= most) {
                        return Err(used_up());
                    }
                    Bytes::new()
                }
            };
            let (headers, entries) = core.control_history()?;
            Ok(Admission {
                space: Bytes::copy_from_slice(core.id().as_bytes()),
                headers,
                entries,
                invitation_key: Bytes::copy_from_slice(&self.key),
                role: self.role as u32,
                signature,
            }
            .to_bytes())
        })
    }

    fn store_join(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let join: ControlEntries = decode(bytes)?;
        let answer = self.space.with_settled(|core| {
            let before = core.control_history()?.1.len();
            for header in &join.headers {
                core.add_feed(header)?;
            }
            let mut into = Ingest::default();
            core.ingest(join.entries, &mut into)?;
            if into.stored + into.known == 0 {
                return Err(Error::protocol("the guest's join could not be placed"));
            }
            core.share_keys()?;
            let (headers, entries) = core.control_history()?;
            Ok(ControlEntries {
                headers,
                entries: entries.into_iter().skip(before).collect(),
            })
        })?;
        self.space.announce_control();
        Ok(answer.to_bytes())
    }

    /// Where the invitation stands in the space.
    fn standing(&self) -> Result<Standing> {
        if clock::now_ms() >= self.code.expires_ms {
            return Ok(Standing::Over(InvitationState::Expired, expired()));
        }
        let node = self.node()?;
        let counted = match &self.own {
            Some(own) if !self.is_delegated() => {
                let admitted = node.with_profile(|p| p.admitted(&self.code.rendezvous))?;
                Some((admitted, own.max_uses))
            }
            _ => None,
        };
        let used = self.used()?;
        self.space.with(|core| {
            let Some(view) = core.invitation(&self.key).filter(|view| view.open) else {
                let error = Error::new(
                    ErrorKind::Cancelled,
                    "the invitation was cancelled by a member of the space",
                );
                return Ok(Standing::Over(InvitationState::Cancelled, error));
            };
            match counted {
                Some((admitted, most)) => {
                    let full = u32::try_from(admitted.len()).is_ok_and(|uses| uses >= most);
                    let all_in = admitted
                        .iter()
                        .all(|guest| core.authority().role(guest).is_some());
                    if full && all_in {
                        return Ok(Standing::Done);
                    }
                }
                None => {
                    let most = usize::from(view.hint.max_uses);
                    if most > 0 && view.joins >= most {
                        return Ok(Standing::Done);
                    }
                }
            }
            if used >= limits::CODES_PER_INVITATION {
                return Ok(Standing::Over(InvitationState::Error, codes_used_up()));
            }
            Ok(Standing::Open)
        })
    }
}

/// The desk, shared by the layers of all seats.
struct Shared(Arc<SpaceDesk>);

impl Desk for Shared {
    fn machine(&self) -> Result<Box<dyn Machine>> {
        let desk = &self.0;
        if desk.space.opening().is_none() {
            return Err(Error::state("the space of the invitation is not open"));
        }
        let setup = Setup {
            code: desk.code.clone(),
            identity: desk.keyring.identity_key(),
            device: desk.keyring.device_key(),
            display_name: desk.display_name.clone(),
            verify: driver::verifier(),
            now_ms: clock::now_ms(),
            timeout_ms: None,
        };
        Ok(Box::new(Host::resume(setup, desk.used()?)?))
    }

    fn layer(&self) -> Box<dyn Layer> {
        Box::new(SeatLayer(Arc::clone(&self.0)))
    }

    fn standing(&self) -> Standing {
        // A space that is closed for now, or a disk that is full, ends nothing.
        self.0.standing().unwrap_or(Standing::Open)
    }

    fn is_fatal(&self, error: &Error) -> bool {
        // Whether the codes are used up shows in the standing; that another guest came first is
        // no end.
        let strangers = matches!(
            error.kind(),
            ErrorKind::Protocol
                | ErrorKind::TimedOut
                | ErrorKind::Network
                | ErrorKind::InvitationRefused
        );
        match self.0.code.mode {
            // Garbage must not end the invitation; what its one guest decides does.
            Mode::Interactive => !strangers,
            // One guest's trouble is no other's, but for our own right to let anybody in.
            Mode::MultiUse => error.kind() == ErrorKind::PermissionDenied,
            Mode::Delegated(_) => false,
        }
    }

    fn counts(&self) -> (u32, u32) {
        let desk = &self.0;
        let left = |used| limits::CODES_PER_INVITATION.saturating_sub(used);
        if desk.is_delegated() {
            let joins = desk.space.with(|core| Ok(core.invitation(&desk.key)));
            let joins = joins.ok().flatten().map_or(0, |view| view.joins);
            return (u32::try_from(joins).unwrap_or(u32::MAX), left(0));
        }
        let stored = desk
            .node()
            .and_then(|node| node.with_profile(|p| p.invitation(&desk.code.rendezvous)));
        let stored = stored.ok().flatten();
        stored.map_or((0, left(0)), |i| (i.uses, left(i.used_codes)))
    }

    fn ended(&self, state: InvitationState) {
        let desk = &self.0;
        if desk.own.is_none() {
            return;
        }
        let Ok(node) = desk.node() else { return };
        let id = &desk.code.rendezvous;
        let spent = desk
            .used()
            .is_ok_and(|used| used >= limits::CODES_PER_INVITATION);
        let done = match state {
            InvitationState::Success | InvitationState::Expired => {
                ending::retire(&node, &desk.space, desk.key, id)
            }
            InvitationState::Error if spent => ending::retire(&node, &desk.space, desk.key, id),
            // Somebody put an end to it.
            _ => close(&node, &desk.space, desk.key, id),
        };
        if let Err(error) = done {
            node.log().warn("invitation", || {
                format!("an invitation that is over stays open for now: {error}")
            });
        }
    }

    fn space(&self) -> Option<String> {
        Some(self.0.space.id().to_string())
    }
}

/// What does the work for one guest.
struct SeatLayer(Arc<SpaceDesk>);

impl Layer for SeatLayer {
    fn count_attempt(&mut self) -> Result<u32> {
        let node = self.0.node()?;
        node.with_profile(|profile| profile.use_code(&self.0.code.rendezvous))
    }

    fn admit(&mut self, guest: &Peer) -> Result<Vec<u8>> {
        self.0.admit(guest)
    }

    fn store_join(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.0.store_join(bytes)
    }

    fn take_admission(&mut self, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::internal("a host is not admitted"))
    }

    fn complete(&mut self, _: &[u8]) -> Result<()> {
        Err(Error::internal("a host is not admitted"))
    }

    fn space(&self) -> Option<String> {
        Some(self.0.space.id().to_string())
    }

    fn again(&mut self, _: Option<&Error>) -> Option<Box<dyn Machine>> {
        None
    }

    fn ended(&mut self, success: bool) -> bool {
        success
    }
}

/// Closes an invitation in its space and forgets it; what cannot be closed now is kept, and closed
/// at a later start.
pub(super) fn close(
    node: &Arc<Node>,
    space: &Arc<SpaceHost>,
    key: [u8; 32],
    id: &[u8; 16],
) -> Result<()> {
    close_in_space(space, key)?;
    node.with_profile(|profile| profile.remove_invitation(id))
}

/// Closes an invitation in its space, unless it is closed.
pub(super) fn close_in_space(space: &Arc<SpaceHost>, key: [u8; 32]) -> Result<()> {
    let closed = space.with_settled(|core| {
        if core.invitation(&key).is_none_or(|view| !view.open) {
            return Ok(false);
        }
        core.close_invitation(key).map(|()| true)
    });
    match closed {
        Ok(true) => space.announce_control(),
        Ok(false) => {}
        // Our role has changed: we cannot close it, and our guests are not let in any more.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The space of an invitation, if it is open.
pub(super) fn space_of(node: &Node, id: &SpaceId) -> Option<Arc<SpaceHost>> {
    let host = node.host(id).ok()?;
    host.opening().map(|_| host)
}

pub(super) fn used_up() -> Error {
    Error::new(
        ErrorKind::InvitationRefused,
        "the invitation was used as often as it allows",
    )
}

pub(super) fn expired() -> Error {
    Error::new(
        ErrorKind::InvitationRefused,
        "the invitation has expired: make a new one",
    )
}

pub(super) fn codes_used_up() -> Error {
    Error::new(
        ErrorKind::InvitationRefused,
        format!(
            "all {} authorization codes of this invitation were used up: make a new invitation",
            limits::CODES_PER_INVITATION
        ),
    )
}
