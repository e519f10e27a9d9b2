//! An invitation of a new device, as its reception sees it, and what is done for one guest.
//!
//! The new device has nothing until it has stored its certificate and the HALO space, so the
//! invitation is not over once these are on their way: it is when the new device has said that it
//! has them, or is seen among the identity's devices. Until then the same device, and no other, may
//! come back for them, over restarts of either side.

use super::desk::{Desk, Standing};
use super::device_wire::{Offer, Request, Welcome};
use super::driver::{Layer, Machine};
use super::host::{codes_used_up, expired, used_up};
use super::wire::decode;
use crate::identity::{DeviceChain, Keyring};
use crate::invitation::channel::Channel;
use crate::invitation::code::InvitationCode;
use crate::invitation::host::Host;
use crate::invitation::machine::{Peer, ProvenDevice, Setup, VerifyProof};
use crate::invitation::parts;
use crate::invitation::state::InvitationState;
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, Result, limits, signed};
use crate::runtime::clock;
use crate::runtime::node::Node;
use crate::space::HaloFact;
use crate::sync::device_proof;
use bytes::Bytes;
use prost::Message as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// What comes to the history of the HALO space when a new device is told of it, in bytes: its
/// admission, its keys and its certificates.
const ROOM: usize = 128 * 1024;

/// The invitation, shared by the layers of all guests at the door.
#[derive(Clone)]
pub(super) struct DeviceDesk(Arc<Shared>);

struct Shared {
    node: Weak<Node>,
    code: InvitationCode,
    keyring: Arc<Keyring>,
    /// The new device has said that it has everything.
    confirmed: AtomicBool,
}

impl DeviceDesk {
    pub(super) fn new(node: &Arc<Node>, code: InvitationCode, keyring: Arc<Keyring>) -> DeviceDesk {
        DeviceDesk(Arc::new(Shared {
            node: Arc::downgrade(node),
            code,
            keyring,
            confirmed: AtomicBool::new(false),
        }))
    }

    fn node(&self) -> Result<Arc<Node>> {
        self.0
            .node
            .upgrade()
            .ok_or_else(|| Error::state("the client is shut down"))
    }

    fn id(&self) -> &[u8; 16] {
        &self.0.code.rendezvous
    }

    /// The device that was let in, and the authorization codes that are used up.
    fn stored(&self) -> Result<(Option<DeviceKey>, u32)> {
        self.node()?.with_profile(|profile| {
            let admitted = profile.admitted(self.id())?;
            let stored = profile.invitation(self.id())?;
            Ok((
                // What is let in here is a device, which has no identity before.
                admitted.first().map(|key| DeviceKey(key.0)),
                stored.map_or(limits::CODES_PER_INVITATION, |i| i.used_codes),
            ))
        })
    }

    fn try_standing(&self) -> Result<Standing> {
        let (device, used) = self.stored()?;
        let late = clock::now_ms() >= self.0.code.expires_ms;
        if let Some(device) = device {
            let known = self.node()?.family_device(&device)?;
            return Ok(match known {
                Some(known) if known.revoked => Standing::Over(
                    InvitationState::Cancelled,
                    Error::new(ErrorKind::Cancelled, "the new device was revoked"),
                ),
                Some(known) if known.seen => Standing::Done,
                _ if late => Standing::Over(InvitationState::Expired, never_confirmed(&device)),
                _ => Standing::Open,
            });
        }
        if late {
            return Ok(Standing::Over(InvitationState::Expired, expired()));
        }
        if self.node()?.is_revoked() {
            let error = Error::new(ErrorKind::PermissionDenied, "this device was revoked");
            return Ok(Standing::Over(InvitationState::Error, error));
        }
        if used >= limits::CODES_PER_INVITATION {
            return Ok(Standing::Over(InvitationState::Error, codes_used_up()));
        }
        Ok(Standing::Open)
    }

    /// The place that the new device has, or will have.
    fn order_of(&self, guest: &Peer) -> Result<u32> {
        let (node, device) = (self.node()?, &guest.device);
        // Before anything is certified: what it could not be told of, it will not become.
        let (headers, entries) = node.halo()?.with_settled(|core| core.control_history())?;
        let size = headers.iter().chain(&entries).map(|part| part.len() + 8);
        parts::check_size(size.sum::<usize>() + ROOM, guest.parts)?;
        if self.stored()?.0.is_some_and(|before| before != *device) {
            return Err(used_up());
        }
        match node.family_device(device)? {
            Some(known) if known.revoked => Err(Error::new(
                ErrorKind::PermissionDenied,
                "the new device was revoked meanwhile",
            )),
            Some(known) => Ok(known.chain.certificate().order),
            None => node.next_device_order(),
        }
    }

    /// Certifies the device, unless that was done, and gives it what makes it one.
    fn welcome(&self, (device, order): (DeviceKey, u32), request: &[u8]) -> Result<Welcome> {
        let node = self.node()?;
        // Durable before any other can learn of the device: from here on it is this one.
        let first =
            node.with_profile(|profile| profile.admit(self.id(), &IdentityKey(device.0), 1))?;
        if !first {
            return Err(used_up());
        }
        let chain = match node.family_device(&device)? {
            Some(known) => known.chain,
            None => Arc::new(self.certify(&device, order, request)?),
        };
        let halo = node.halo()?;
        let (added, (headers, entries)) = halo.with_settled(|core| {
            let added = core.add_device(&chain)?;
            core.share_keys()?;
            // What the new device is told is not to be gone here after a power cut.
            core.flush()?;
            Ok((added, core.control_history()?))
        })?;
        halo.announce_control();
        if added {
            let now = signed(clock::now_ms());
            node.tell_halo(&[HaloFact::DeviceAdded(device, now)])?;
        }
        node.schedule_reconciling();
        let (_, display_name) = node.require_identity()?;
        Ok(Welcome {
            links: chain
                .links()
                .iter()
                .map(|link| Bytes::copy_from_slice(link))
                .collect(),
            halo: Bytes::copy_from_slice(halo.id().as_bytes()),
            display_name,
            headers,
            entries,
        })
    }

    fn certify(&self, device: &DeviceKey, order: u32, request: &[u8]) -> Result<DeviceChain> {
        let chain = DeviceChain::from_links(&self.0.keyring.certify(request)?)?;
        let certificate = chain.certificate();
        if certificate.device != *device || certificate.order != order {
            return Err(Error::protocol(
                "the new device asks for another certificate than it was offered",
            ));
        }
        Ok(chain)
    }
}

impl Desk for DeviceDesk {
    fn machine(&self) -> Result<Box<dyn Machine>> {
        let (_, display_name) = self.node()?.require_identity()?;
        let setup = Setup {
            code: self.0.code.clone(),
            identity: self.0.keyring.identity_key(),
            device: self.0.keyring.device_key(),
            display_name,
            verify: new_device_verifier(),
            now_ms: clock::now_ms(),
            timeout_ms: None,
        };
        let (_, used) = self.stored()?;
        Ok(Box::new(Host::resume_for_device(setup, used)?))
    }

    fn layer(&self) -> Box<dyn Layer> {
        Box::new(DeviceSeat {
            desk: self.clone(),
            offered: None,
        })
    }

    fn standing(&self) -> Standing {
        if self.0.confirmed.load(Ordering::Acquire) {
            return Standing::Done;
        }
        // A disk that is full for now ends nothing.
        self.try_standing().unwrap_or(Standing::Open)
    }

    fn is_fatal(&self, error: &Error) -> bool {
        // Garbage must not end the invitation; what the new device or our own rights decide does.
        !matches!(
            error.kind(),
            ErrorKind::Protocol
                | ErrorKind::TimedOut
                | ErrorKind::Network
                | ErrorKind::InvitationRefused
        )
    }

    fn counts(&self) -> (u32, u32) {
        let (device, used) = self
            .stored()
            .unwrap_or((None, limits::CODES_PER_INVITATION));
        let left = limits::CODES_PER_INVITATION.saturating_sub(used);
        (u32::from(device.is_some()), left)
    }

    fn ended(&self, _: InvitationState) {
        let Ok(node) = self.node() else { return };
        if let Err(error) = node.with_profile(|profile| profile.remove_invitation(self.id())) {
            node.log().warn("invitation", || {
                format!("a device invitation that is over is kept for now: {error}")
            });
        }
    }

    fn space(&self) -> Option<String> {
        Some(self.0.keyring.identity_key().to_string())
    }
}

/// What does the work for one new device.
struct DeviceSeat {
    desk: DeviceDesk,
    /// The device that was offered a certificate, and its place.
    offered: Option<(DeviceKey, u32)>,
}

impl Layer for DeviceSeat {
    fn count_attempt(&mut self) -> Result<u32> {
        let node = self.desk.node()?;
        node.with_profile(|profile| profile.use_code(self.desk.id()))
    }

    fn admit(&mut self, guest: &Peer) -> Result<Vec<u8>> {
        let order = self.desk.order_of(guest)?;
        self.offered = Some((guest.device, order));
        let keyring = &self.desk.0.keyring;
        Ok(Offer {
            identity: Bytes::copy_from_slice(keyring.identity_key().as_bytes()),
            issuer: Bytes::copy_from_slice(keyring.device_key().as_bytes()),
            order,
        }
        .encode_to_vec())
    }

    fn store_join(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let request: Request = decode(bytes)?;
        let offered = self
            .offered
            .take()
            .ok_or_else(|| Error::internal("a device is certified that was offered nothing"))?;
        let welcome = self.desk.welcome(offered, &request.request)?;
        Ok(welcome.encode_to_vec())
    }

    fn confirmed(&mut self) {
        self.desk.0.confirmed.store(true, Ordering::Release);
    }

    fn take_admission(&mut self, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::internal("a host is not admitted"))
    }

    fn complete(&mut self, _: &[u8]) -> Result<()> {
        Err(Error::internal("a host is not admitted"))
    }

    fn space(&self) -> Option<String> {
        self.desk.space()
    }

    fn again(&mut self, _: Option<&Error>) -> Option<Box<dyn Machine>> {
        None
    }

    fn ended(&mut self, success: bool) -> bool {
        success
    }
}

/// Checks a new device's proof of its key on a channel. It has no identity yet.
fn new_device_verifier() -> VerifyProof {
    Arc::new(|channel: &Channel, bytes: &[u8]| {
        let device = device_proof::verify(bytes, &channel.handshake_hash, !channel.initiator)?;
        Ok(ProvenDevice {
            identity: IdentityKey::ZERO,
            device,
            certificate: Vec::new(),
        })
    })
}

fn never_confirmed(device: &DeviceKey) -> Error {
    Error::new(
        ErrorKind::InvitationRefused,
        format!(
            "the invitation has expired, and the device {device}, which it made one of the \
             identity's, has not been heard of since: revoke it unless you have it"
        ),
    )
}
