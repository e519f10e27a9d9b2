//! The joining side.

use super::PairingHandle;
use super::driver::{self, Driver, Layer, Machine, Place, Prover};
use super::wire::{Admission, ControlEntries, decode};
use crate::api::JoinOptions;
use crate::identity::Keyring;
use crate::invitation::code::{InvitationCode, InvitationKind, space_hint};
use crate::invitation::guest::Guest;
use crate::invitation::machine::{Peer, Setup};
use crate::model::{Error, ErrorKind, Result, Role, SpaceId};
use crate::runtime::clock;
use crate::runtime::executor;
use crate::runtime::node::Node;
use crate::runtime::space_host::SpaceHost;
use crate::space::{Ingest, SpaceCore};
use std::sync::{Arc, Weak};

/// The longest a guest looks for the host, in seconds: a week.
const LONGEST_S: u64 = 604_800;

/// Uses a code: starts to look for the host.
pub fn join(node: &Arc<Node>, code: &str, options: &JoinOptions) -> Result<PairingHandle> {
    let (keyring, display_name) = node.require_identity()?;
    if options.timeout_s == 0 || options.timeout_s > LONGEST_S {
        return Err(Error::invalid(format!(
            "a guest waits 1 to {LONGEST_S} seconds"
        )));
    }
    let code = InvitationCode::parse_as(code, InvitationKind::Space)?;
    let now = clock::now_ms();
    code.check_expiry(now)?;
    if node
        .space_ids()
        .iter()
        .any(|id| space_hint(id) == code.space_hint)
    {
        return Err(already_here());
    }
    let connector = node.connector()?;
    node.learn_servers(&code.signaling)?;
    let (text, url) = (code.to_text()?, code.to_url()?);
    let machine = Guest::new(Setup {
        code: code.clone(),
        identity: keyring.identity_key(),
        device: keyring.device_key(),
        display_name: display_name.clone(),
        verify: driver::verifier(),
        now_ms: now,
        timeout_ms: Some(options.timeout_s * 1000),
    })?;
    let (handle, commands) = PairingHandle::new(text, url, node.log().clone());
    let layer = GuestLayer {
        node: Arc::downgrade(node),
        keyring: Arc::clone(&keyring),
        display_name,
        hint: code.space_hint,
        joined: None,
    };
    let driver = Driver {
        machine: Box::new(machine),
        layer: Box::new(layer),
        handle: handle.clone(),
        prover: Prover::Member(keyring),
        place: Place {
            topic: code.topic(),
            key: code.seal_key(),
            connector,
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
    hint: [u8; 8],
    joined: Option<Arc<SpaceHost>>,
}

impl GuestLayer {
    fn enter(&self, node: &Node, admission: Admission) -> Result<Arc<SpaceHost>> {
        let space = SpaceId::from_slice(&admission.space)?;
        if space_hint(&space) != self.hint {
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
        let signature: [u8; 64] = admission.signature.as_ref().try_into().map_err(malformed)?;
        let role = Role::from_number(admission.role)
            .ok_or_else(|| Error::protocol("the admission names no role"))?;
        let store = node.with_profile(|profile| profile.open_space(&space))?;
        let random = Box::new(clock::fill_random);
        let mut core = SpaceCore::join(space, Box::new(store), Arc::clone(&self.keyring), random)?;
        for header in &admission.headers {
            core.add_feed(header)?;
        }
        core.ingest(admission.entries, &mut Ingest::default())?;
        core.write_join(&self.display_name, role, invitation_key, signature)?;
        // The list is durable at once: what it names is to be so before.
        core.flush()?;
        let joined_ms = i64::try_from(clock::now_ms()).unwrap_or(i64::MAX);
        node.with_profile(|profile| profile.add_space(&space, false, joined_ms))?;
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
        let node = self
            .node
            .upgrade()
            .ok_or_else(|| Error::state("the client is shut down"))?;
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

    fn again(&mut self, _: Option<&Error>) -> Option<Box<dyn Machine>> {
        None
    }

    fn ended(&mut self, success: bool) -> bool {
        // Admitted is admitted: the rest comes by replication.
        success || self.joined.is_some()
    }
}

fn already_here() -> Error {
    Error::new(
        ErrorKind::AlreadyExists,
        "this profile is in that space already",
    )
}
