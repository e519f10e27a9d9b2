//! The new device: it has no identity yet, and takes the one of the device that shows the code.

use super::device_wire::{Offer, Request, Welcome};
use super::driver::{self, Driver, Layer, Machine, Place, Prover};
use super::guest::count_guess;
use super::record::{DeviceGuestRecord, Record};
use super::wire::decode;
use super::{Label, PairingHandle, tending};
use crate::api::JoinOptions;
use crate::identity::{DeviceKeys, Keyring};
use crate::invitation::code::{InvitationCode, InvitationKind};
use crate::invitation::guest::Guest;
use crate::invitation::machine::{Peer, Setup};
use crate::model::names::check_optional_name;
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, Result, SpaceId, limits};
use crate::runtime::clock;
use crate::runtime::connector::Calls;
use crate::runtime::executor;
use crate::runtime::halo::NewDevice;
use crate::runtime::node::Node;
use bytes::Bytes;
use prost::Message as _;
use std::sync::{Arc, Weak};

/// The longest a new device looks for the other one, in seconds: a day.
const LONGEST_S: u64 = 86_400;

/// Uses a device code: starts to look for the device that shows it.
pub fn join(node: &Arc<Node>, code: &str, options: &JoinOptions) -> Result<PairingHandle> {
    node.check_open()?;
    // Before the code is looked at: whoever has an identity has no use for any device code, and
    // somebody may have talked him into entering one.
    if node.identity().is_some() {
        return Err(has_identity());
    }
    let code = InvitationCode::parse_as(code, InvitationKind::Device)?;
    if options.timeout_s == 0 || options.timeout_s > LONGEST_S {
        return Err(Error::invalid(format!(
            "a new device waits 1 to {LONGEST_S} seconds"
        )));
    }
    let name = options.device_name.clone().unwrap_or_default();
    check_optional_name("a device's name", &name)?;
    let now = clock::now_ms();
    code.check_expiry(now)?;
    node.connector()?;
    let _tending = node.lock_tending();
    if let Some(running) = tending::running(node, &code.rendezvous) {
        return Ok(running);
    }
    node.learn_servers(&code.signaling)?;
    let stored = node.with_profile(|profile| profile.invitation(&code.rendezvous))?;
    let before = stored.map(|stored| Record::decode(&stored.payload));
    let keys = match before.transpose()? {
        // It may have been certified already.
        Some(Record::DeviceGuest(mut record)) => std::mem::take(&mut record.keys),
        _ => DeviceKeys::generate(&mut clock::fill_random)
            .to_bytes()
            .to_vec(),
    };
    let record = DeviceGuestRecord {
        code: code.to_text()?,
        ends_ms: now.saturating_add(options.timeout_s * 1000),
        created_ms: now,
        keys,
        name,
    };
    node.with_profile(|profile| profile.put_invitation(&code.rendezvous, &record.to_bytes()))?;
    start(node, code, &record)
}

/// Goes on with a code that a process which ended was using, as the same device. Nothing of an
/// exchange can be taken up again, so it starts over with looking for the other device; the guesses
/// that were sent stay sent.
pub(super) fn resume(node: &Arc<Node>, id: &[u8; 16], record: &DeviceGuestRecord) -> Result<()> {
    let code = InvitationCode::parse_as(&record.code, InvitationKind::Device)?;
    let now = clock::now_ms();
    // A device of somebody already: of the same invitation, or of another that was quicker.
    if node.identity().is_some() || now >= record.ends_ms || now >= code.expires_ms {
        return node.with_profile(|profile| profile.remove_invitation(id));
    }
    start(node, code, record).map(drop)
}

fn start(
    node: &Arc<Node>,
    code: InvitationCode,
    record: &DeviceGuestRecord,
) -> Result<PairingHandle> {
    let label = Label {
        id: code.rendezvous,
        code: record.code.clone(),
        url: code.to_url()?,
        qr: code.to_qr_text()?,
        shown: true,
    };
    let place = Place {
        topic: code.topic(),
        key: code.seal_key(),
        connector: node.connector()?,
        calls: Calls::SmallerId,
    };
    let keys = Arc::new(DeviceKeys::from_bytes(&record.keys)?);
    let (handle, commands) = PairingHandle::labelled(label, None, node.log().clone());
    let layer = DeviceGuestLayer {
        node: Arc::downgrade(node),
        keys: Arc::clone(&keys),
        code,
        name: record.name.clone(),
        ends_ms: record.ends_ms,
        identity: None,
        joined: false,
        failure: None,
    };
    let driver = Driver {
        machine: layer.machine()?,
        layer: Box::new(layer),
        handle: handle.clone(),
        prover: Prover::NewDevice(keys),
        place,
        commands,
    };
    executor::handle()?.spawn(driver.run());
    node.keep_pairing(handle.clone());
    Ok(handle)
}

struct DeviceGuestLayer {
    node: Weak<Node>,
    keys: Arc<DeviceKeys>,
    code: InvitationCode,
    name: String,
    ends_ms: u64,
    /// The identity that the other device said it acts for.
    identity: Option<IdentityKey>,
    joined: bool,
    failure: Option<Error>,
}

impl DeviceGuestLayer {
    fn node(&self) -> Result<Arc<Node>> {
        self.node
            .upgrade()
            .ok_or_else(|| Error::state("the client is shut down"))
    }

    fn machine(&self) -> Result<Box<dyn Machine>> {
        let id = &self.code.rendezvous;
        let stored = self
            .node()?
            .with_profile(|profile| profile.invitation(id))?;
        let guesses = stored.map_or(limits::CODES_PER_INVITATION, |i| i.used_codes);
        let now_ms = clock::now_ms();
        let setup = Setup {
            code: self.code.clone(),
            identity: IdentityKey::ZERO,
            device: self.keys.device_key(),
            display_name: self.name.clone(),
            verify: driver::verifier(),
            now_ms,
            timeout_ms: Some(self.ends_ms.saturating_sub(now_ms)),
        };
        Ok(Box::new(Guest::resume_for_device(setup, guesses)?))
    }

    fn enter(&mut self, bytes: &[u8]) -> Result<()> {
        let welcome: Welcome = decode(bytes)?;
        let node = self.node()?;
        let links: Vec<Vec<u8>> = welcome.links.iter().map(|link| link.to_vec()).collect();
        let keyring = Keyring::for_device(self.keys.duplicate(), &links)?;
        if Some(keyring.identity_key()) != self.identity {
            return Err(Error::protocol(
                "the other device certifies for another identity than it said",
            ));
        }
        check_optional_name("a display name", &welcome.display_name)
            .map_err(|_| Error::protocol("the identity's display name is malformed"))?;
        let new = NewDevice {
            keyring,
            display_name: welcome.display_name,
            halo: SpaceId::from_slice(&welcome.halo)?,
            headers: welcome.headers,
            entries: welcome.entries,
        };
        node.enter_identity(new, |_| Ok(()))?;
        self.joined = true;
        Ok(())
    }
}

impl Layer for DeviceGuestLayer {
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
        let offer: Offer = decode(bytes)?;
        let identity = IdentityKey::from_slice(&offer.identity)?;
        let issuer = DeviceKey::from_slice(&offer.issuer)?;
        self.identity = Some(identity);
        let request = self.keys.request(identity, issuer, offer.order, &self.name);
        Ok(Request {
            request: Bytes::from(request),
        }
        .encode_to_vec())
    }

    fn complete(&mut self, bytes: &[u8]) -> Result<()> {
        let entered = self.enter(bytes);
        if let Err(error) = &entered {
            self.failure = Some(error.clone());
        }
        entered
    }

    fn space(&self) -> Option<String> {
        self.identity.map(|identity| identity.to_string())
    }

    fn again(&mut self, error: Option<&Error>) -> Option<Box<dyn Machine>> {
        let late = clock::now_ms() >= self.ends_ms.min(self.code.expires_ms);
        // The other device was busy or restarted, or the line bad: as long as our patience lasts.
        let retried = error.map(Error::kind) == Some(ErrorKind::TimedOut);
        if !retried || late {
            return None;
        }
        self.machine().ok()
    }

    fn count_guess(&mut self) -> Result<()> {
        let node = self.node()?;
        count_guess(&node, &self.code.rendezvous)
    }

    fn ended(&mut self, _: bool) -> bool {
        // What failed for want of disk, after the other device had certified this one, is taken up
        // again with the same keys.
        let kept = |error: &Error| error.kind() == ErrorKind::Storage;
        if !self.failure.as_ref().is_some_and(kept)
            && let Ok(node) = self.node()
            && let Err(error) =
                node.with_profile(|profile| profile.remove_invitation(&self.code.rendezvous))
        {
            node.log().debug("invitation", || {
                format!("a used code could not be forgotten: {error}")
            });
        }
        // Whatever the other side believes: without the certificate this is no device of anybody.
        self.joined
    }

    fn failure(&self) -> Option<Error> {
        self.failure.clone()
    }
}

/// The refusal of everything that would make a client with an identity a device of another one.
pub fn has_identity() -> Error {
    Error::new(
        ErrorKind::InvalidState,
        "this client has an identity already: a device code is for a new device without one. If \
         somebody else gave you this code, do not use it",
    )
}
