//! The existing device: it shows a code and certifies the new device, once that has proven to know
//! the authorization code.

use super::device_wire::{Offer, Request, Welcome};
use super::driver::{Driver, Layer, Machine, Place, Prover};
use super::record;
use super::wire::decode;
use super::{Label, PairingHandle};
use crate::api::InviteOptions;
use crate::identity::{DeviceChain, Keyring};
use crate::invitation::channel::Channel;
use crate::invitation::code::{InvitationCode, InvitationKind, host_fingerprint};
use crate::invitation::host::Host;
use crate::invitation::machine::{Peer, ProvenDevice, Setup, VerifyProof};
use crate::invitation::mode::Mode;
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, Result, limits};
use crate::runtime::clock;
use crate::runtime::connector::Calls;
use crate::runtime::executor;
use crate::runtime::node::Node;
use crate::space::HaloFact;
use crate::sync::device_proof;
use bytes::Bytes;
use prost::Message as _;
use std::sync::{Arc, Weak};

/// The longest a device code may be good for, in seconds: a day. The new device is at hand.
const LONGEST_S: u64 = 86_400;
/// Broken attempts of strangers after which an invitation ends: each costs the host a handshake.
const FAILURES: u32 = 32;

/// Shows a code for a new device of this identity.
pub fn open(node: &Arc<Node>, options: &InviteOptions) -> Result<PairingHandle> {
    if options.expires_s == 0 || options.expires_s > LONGEST_S {
        return Err(Error::invalid(format!(
            "a device invitation is open for 1 to {LONGEST_S} seconds"
        )));
    }
    let (keyring, display_name) = node.require_identity()?;
    node.halo()?;
    let connector = node.connector()?;
    let now = clock::now_ms();
    let code = InvitationCode {
        kind: InvitationKind::Device,
        mode: Mode::Interactive,
        rendezvous: clock::random(),
        host_fingerprint: host_fingerprint(&keyring.device_key()),
        space_hint: [0; 8],
        expires_ms: now.saturating_add(options.expires_s * 1000),
        signaling: match options.include_signaling {
            true => node.configured_servers(),
            false => Vec::new(),
        },
    };
    let label = Label {
        id: code.rendezvous,
        code: code.to_text()?,
        url: code.to_url()?,
        qr: code.to_qr_text()?,
        shown: true,
        lasts: false,
    };
    // Nobody may take it for what a process that ended left behind.
    let _tending = node.lock_tending();
    node.with_profile(|profile| profile.put_invitation(&code.rendezvous, record::DEVICE))?;
    let layer = DeviceHostLayer {
        node: Arc::downgrade(node),
        code: code.clone(),
        keyring: Arc::clone(&keyring),
        display_name,
        offered: None,
        failures: 0,
    };
    let machine = layer.machine(0)?;
    let (handle, commands) = PairingHandle::labelled(label, None, node.log().clone());
    let driver = Driver {
        machine,
        handle: handle.clone(),
        prover: Prover::Member(keyring),
        place: Place {
            topic: code.topic(),
            key: code.seal_key(),
            connector,
            calls: Calls::SmallerId,
        },
        layer: Box::new(layer),
        commands,
    };
    executor::handle()?.spawn(driver.run());
    node.keep_pairing(handle.clone());
    Ok(handle)
}

struct DeviceHostLayer {
    node: Weak<Node>,
    code: InvitationCode,
    keyring: Arc<Keyring>,
    display_name: String,
    /// The device that was offered a certificate, and its place.
    offered: Option<(DeviceKey, u32)>,
    failures: u32,
}

impl DeviceHostLayer {
    fn machine(&self, used: u32) -> Result<Box<dyn Machine>> {
        let setup = Setup {
            code: self.code.clone(),
            identity: self.keyring.identity_key(),
            device: self.keyring.device_key(),
            display_name: self.display_name.clone(),
            verify: new_device_verifier(),
            now_ms: clock::now_ms(),
            timeout_ms: None,
        };
        Ok(Box::new(Host::resume_for_device(setup, used)?))
    }

    fn node(&self) -> Result<Arc<Node>> {
        self.node
            .upgrade()
            .ok_or_else(|| Error::state("the client is shut down"))
    }

    fn used(&self) -> Result<u32> {
        let id = self.code.rendezvous;
        let stored = self
            .node()?
            .with_profile(|profile| profile.invitation(&id))?;
        Ok(stored.map_or(limits::CODES_PER_INVITATION, |i| i.used_codes))
    }

    fn welcome(&mut self, request: &[u8]) -> Result<Welcome> {
        let (device, order) = self
            .offered
            .take()
            .ok_or_else(|| Error::internal("a device is certified that was offered nothing"))?;
        let links = self.keyring.certify(request)?;
        let chain = DeviceChain::from_links(&links)?;
        let certificate = chain.certificate();
        if certificate.device != device || certificate.order != order {
            return Err(Error::protocol(
                "the new device asks for another certificate than it was offered",
            ));
        }
        let node = self.node()?;
        let halo = node.halo()?;
        let now = clock::now_ms();
        let (headers, entries) = halo.with_settled(|core| {
            core.add_device(&chain)?;
            core.share_keys()?;
            core.control_history()
        })?;
        halo.announce_control();
        let added = i64::try_from(now).unwrap_or(i64::MAX);
        node.tell_halo(&[HaloFact::DeviceAdded(device, added)])?;
        node.schedule_reconciling();
        Ok(Welcome {
            links: links.into_iter().map(Bytes::from).collect(),
            halo: Bytes::copy_from_slice(halo.id().as_bytes()),
            display_name: self.display_name.clone(),
            headers,
            entries,
        })
    }
}

impl Layer for DeviceHostLayer {
    fn count_attempt(&mut self) -> Result<u32> {
        let id = self.code.rendezvous;
        self.node()?.with_profile(|profile| profile.use_code(&id))
    }

    fn admit(&mut self, guest: &Peer) -> Result<Vec<u8>> {
        let order = self.node()?.next_device_order()?;
        self.offered = Some((guest.device, order));
        Ok(Offer {
            identity: Bytes::copy_from_slice(self.keyring.identity_key().as_bytes()),
            issuer: Bytes::copy_from_slice(self.keyring.device_key().as_bytes()),
            order,
        }
        .encode_to_vec())
    }

    fn store_join(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let request: Request = decode(bytes)?;
        Ok(self.welcome(&request.request)?.encode_to_vec())
    }

    fn take_admission(&mut self, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::internal("a host is not admitted"))
    }

    fn complete(&mut self, _: &[u8]) -> Result<()> {
        Err(Error::internal("a host is not admitted"))
    }

    fn space(&self) -> Option<String> {
        Some(self.keyring.identity_key().to_string())
    }

    fn again(&mut self, error: Option<&Error>) -> Option<Box<dyn Machine>> {
        let kind = error.map_or(ErrorKind::Cancelled, Error::kind);
        // A stranger's garbage must not end the invitation; a decision does.
        if !matches!(
            kind,
            ErrorKind::Protocol | ErrorKind::TimedOut | ErrorKind::Network
        ) {
            return None;
        }
        self.failures += 1;
        let used = self.used().ok()?;
        if self.failures > FAILURES || clock::now_ms() >= self.code.expires_ms {
            return None;
        }
        self.machine(used).ok()
    }

    fn ended(&mut self, success: bool) -> bool {
        if let Ok(node) = self.node() {
            let id = self.code.rendezvous;
            if let Err(error) = node.with_profile(|profile| profile.remove_invitation(&id)) {
                node.log().debug("invitation", || {
                    format!("its count could not be removed: {error}")
                });
            }
        }
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
