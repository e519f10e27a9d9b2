//! The inviting side.

use super::PairingHandle;
use super::driver::{self, Driver, Layer, Machine, Place, Prover};
use super::wire::{Admission, ControlEntries, decode};
use crate::api::InviteOptions;
use crate::feed::DeviceSigner;
use crate::identity::{DeviceChain, Keyring};
use crate::invitation::code::{InvitationCode, InvitationKind, host_fingerprint, space_hint};
use crate::invitation::host::Host;
use crate::invitation::machine::{Peer, Setup};
use crate::model::{Error, ErrorKind, Result, Role, SpaceId, limits};
use crate::runtime::clock;
use crate::runtime::executor;
use crate::runtime::node::{Node, NodeGuard};
use crate::runtime::space_host::SpaceHost;
use crate::space::Ingest;
use bytes::Bytes;
use std::sync::{Arc, Weak};

/// The longest an invitation may be open, in seconds: a week.
const LONGEST_S: u64 = 604_800;
/// Broken attempts of strangers after which an invitation ends: each costs the host a handshake.
const FAILURES: u32 = 32;

/// Opens an invitation to a space and starts to wait for the guest.
pub fn open(
    guard: &Arc<NodeGuard>,
    space: &Arc<SpaceHost>,
    options: &InviteOptions,
) -> Result<PairingHandle> {
    let node = guard.node();
    if options.expires_s == 0 || options.expires_s > LONGEST_S {
        return Err(Error::invalid(format!(
            "an invitation is open for 1 to {LONGEST_S} seconds"
        )));
    }
    let (keyring, display_name) = node.require_identity()?;
    let connector = node.connector()?;
    let now = clock::now_ms();
    let code = InvitationCode {
        kind: InvitationKind::Space,
        rendezvous: clock::random(),
        host_fingerprint: host_fingerprint(&keyring.device_key()),
        space_hint: space_hint(&space.id()),
        expires_ms: now.saturating_add(options.expires_s * 1000),
        signaling: match options.include_signaling {
            true => node.configured_servers(),
            false => Vec::new(),
        },
    };
    let (text, url) = (code.to_text()?, code.to_url()?);
    let signer = DeviceSigner::from_seed(clock::random());
    node.with_profile(|profile| {
        profile.put_invitation(&code.rendezvous, &record(&space.id(), &signer))
    })?;
    space.with_settled(|core| core.open_invitation(&signer, Role::Editor, code.expires_ms))?;
    space.announce_control();
    let layer = HostLayer {
        node: Arc::downgrade(node),
        space: Arc::clone(space),
        signer,
        code: code.clone(),
        keyring: Arc::clone(&keyring),
        display_name,
        failures: 0,
    };
    let machine = layer.machine(0)?;
    let (handle, commands) = PairingHandle::new(text, url, node.log().clone());
    let driver = Driver {
        machine,
        handle: handle.clone(),
        prover: Prover::Member(keyring),
        place: Place {
            topic: code.topic(),
            key: code.seal_key(),
            connector,
        },
        layer: Box::new(layer),
        commands,
    };
    executor::handle()?.spawn(driver.run());
    node.keep_pairing(handle.clone());
    Ok(handle)
}

/// What is kept of an invitation beside its count: the space and the invitation's public key, so
/// that a later start can close what a killed process left open.
fn record(space: &SpaceId, signer: &DeviceSigner) -> Vec<u8> {
    let mut record = space.0.to_vec();
    record.extend_from_slice(signer.public().as_bytes());
    record
}

/// Reads a kept record.
pub fn read_record(bytes: &[u8]) -> Option<(SpaceId, [u8; 32])> {
    let (space, key) = bytes.split_at_checked(SpaceId::LEN)?;
    Some((SpaceId::from_slice(space).ok()?, key.try_into().ok()?))
}

struct HostLayer {
    node: Weak<Node>,
    space: Arc<SpaceHost>,
    signer: DeviceSigner,
    code: InvitationCode,
    keyring: Arc<Keyring>,
    display_name: String,
    failures: u32,
}

impl HostLayer {
    fn machine(&self, used: u32) -> Result<Box<dyn Machine>> {
        let setup = Setup {
            code: self.code.clone(),
            identity: self.keyring.identity_key(),
            device: self.keyring.device_key(),
            display_name: self.display_name.clone(),
            verify: driver::verifier(),
            now_ms: clock::now_ms(),
            timeout_ms: None,
        };
        Ok(Box::new(Host::resume(setup, used)?))
    }

    fn node(&self) -> Result<Arc<Node>> {
        self.node
            .upgrade()
            .ok_or_else(|| Error::state("the client is shut down"))
    }

    fn used(&self) -> Result<u32> {
        let id = self.code.rendezvous;
        self.node()?.with_profile(|profile| {
            let stored = profile.invitations()?.into_iter().find(|i| i.id == id);
            Ok(stored.map_or(limits::CODES_PER_INVITATION, |i| i.used_codes))
        })
    }
}

impl Layer for HostLayer {
    fn count_attempt(&mut self) -> Result<u32> {
        let id = self.code.rendezvous;
        let mut used = self.used()?;
        self.node()?.with_profile(|profile| {
            while !profile.record_attempt(&id, used)? {
                used += 1;
            }
            Ok(used + 1)
        })
    }

    fn admit(&mut self, guest: &Peer) -> Result<Vec<u8>> {
        let chain = DeviceChain::decode(&guest.certificate)?;
        let role = Role::Editor;
        self.space.with_settled(|core| {
            let signature = core.sign_admission(&self.signer, chain.certificate(), role)?;
            let (headers, entries) = core.control_history()?;
            Ok(Admission {
                space: Bytes::copy_from_slice(core.id().as_bytes()),
                headers,
                entries,
                invitation_key: Bytes::copy_from_slice(self.signer.public().as_bytes()),
                role: role as u32,
                signature: Bytes::copy_from_slice(&signature),
            }
            .to_bytes())
        })
    }

    fn store_join(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
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

    fn take_admission(&mut self, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::internal("a host is not admitted"))
    }

    fn complete(&mut self, _: &[u8]) -> Result<()> {
        Err(Error::internal("a host is not admitted"))
    }

    fn space(&self) -> Option<String> {
        Some(self.space.id().to_string())
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
        let closed = self
            .space
            .with_settled(|core| core.close_invitation(self.signer.public().0));
        if closed.is_ok() {
            self.space.announce_control();
        }
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
