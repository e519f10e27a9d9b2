//! The new device: it has no identity yet, and takes the one of the device that shows the code.

use super::device_wire::{Offer, Request, Welcome};
use super::driver::{self, Driver, Layer, Machine, Place, Prover};
use super::wire::decode;
use super::{Label, PairingHandle};
use crate::api::JoinOptions;
use crate::identity::{DeviceKeys, Keyring};
use crate::invitation::code::{InvitationCode, InvitationKind};
use crate::invitation::guest::Guest;
use crate::invitation::machine::{Peer, Setup};
use crate::model::names::check_optional_name;
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, Result, SpaceId};
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
    let connector = node.connector()?;
    node.learn_servers(&code.signaling)?;
    let label = Label {
        id: code.rendezvous,
        code: code.to_text()?,
        url: code.to_url()?,
        qr: code.to_qr_text()?,
        shown: true,
        lasts: false,
    };
    let keys = Arc::new(DeviceKeys::generate(&mut clock::fill_random));
    let machine = Guest::for_device(Setup {
        code: code.clone(),
        identity: IdentityKey::ZERO,
        device: keys.device_key(),
        display_name: name.clone(),
        verify: driver::verifier(),
        now_ms: now,
        timeout_ms: Some(options.timeout_s * 1000),
    })?;
    let (handle, commands) = PairingHandle::labelled(label, None, node.log().clone());
    let layer = DeviceGuestLayer {
        node: Arc::downgrade(node),
        keys: Some(Arc::clone(&keys)),
        name,
        identity: None,
        joined: false,
        failure: None,
    };
    let driver = Driver {
        machine: Box::new(machine),
        layer: Box::new(layer),
        handle: handle.clone(),
        prover: Prover::NewDevice(keys),
        place: Place {
            topic: code.topic(),
            key: code.seal_key(),
            connector,
            calls: Calls::SmallerId,
        },
        commands,
    };
    executor::handle()?.spawn(driver.run());
    node.keep_pairing(handle.clone());
    Ok(handle)
}

struct DeviceGuestLayer {
    node: Weak<Node>,
    keys: Option<Arc<DeviceKeys>>,
    name: String,
    /// The identity that the other device said it acts for.
    identity: Option<IdentityKey>,
    joined: bool,
    failure: Option<Error>,
}

impl DeviceGuestLayer {
    fn enter(&mut self, bytes: &[u8]) -> Result<()> {
        let welcome: Welcome = decode(bytes)?;
        let node = self
            .node
            .upgrade()
            .ok_or_else(|| Error::state("the client is shut down"))?;
        let keys = self
            .keys
            .take()
            .ok_or_else(|| Error::internal("a device is certified twice"))?;
        let links: Vec<Vec<u8>> = welcome.links.iter().map(|link| link.to_vec()).collect();
        let keyring = Keyring::for_device(keys.duplicate(), &links)?;
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
        let keys = self
            .keys
            .as_ref()
            .ok_or_else(|| Error::internal("a device is certified twice"))?;
        self.identity = Some(identity);
        let request = keys.request(identity, issuer, offer.order, &self.name);
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

    fn again(&mut self, _: Option<&Error>) -> Option<Box<dyn Machine>> {
        None
    }

    fn ended(&mut self, _: bool) -> bool {
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
