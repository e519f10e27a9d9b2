//! A client without identity recovers one by its phrase, with the help of any one of the identity's
//! devices.

use super::super::node::Node;
use super::entering::NewDevice;
use super::recovery::room;
use super::recovery_wire::{Entries, Hello, Offer, PARTS, VERSION, decode};
use crate::api::{IdentityInfo, RecoverOptions, SpaceState};
use crate::identity::{DeviceChain, DeviceKeys, Keyring, RecoveryPhrase};
use crate::model::names::check_optional_name;
use crate::model::{DeviceKey, Error, ErrorKind, Result, SpaceId};
use crate::runtime::clock;
use crate::runtime::connector::Calls;
use crate::runtime::executor;
use crate::runtime::secure_link::SecureLink;
use crate::runtime::signaling::{PeerId, TopicKey};
use crate::runtime::transport::Link;
use crate::space::Ingest;
use crate::sync::peer_proof::PeerProof;
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The longest a client looks for a device, in seconds: a day.
const LONGEST_S: u64 = 86_400;
/// How long one exchange may take.
const EXCHANGE_TIME: Duration = Duration::from_secs(60);
/// How long a space is waited for that no connected device seems to hold.
const UNHEARD_OF: Duration = Duration::from_secs(15);
/// How often it is looked whether the spaces have come.
const LOOK: Duration = Duration::from_millis(50);

/// Recovers the identity of a phrase on a client that has none.
pub fn recover(node: &Arc<Node>, phrase: &str, options: &RecoverOptions) -> Result<IdentityInfo> {
    node.check_open()?;
    if node.identity().is_some() {
        return Err(Error::state(
            "this client has an identity already: recover on a new profile",
        ));
    }
    if options.timeout_s == 0 || options.timeout_s > LONGEST_S {
        return Err(Error::invalid(format!(
            "a device of the identity is looked for during 1 to {LONGEST_S} seconds"
        )));
    }
    let name = options.device_name.clone().unwrap_or_default();
    check_optional_name("a device's name", &name)?;
    let phrase = RecoveryPhrase::parse(phrase)?;
    let connector = node.connector()?;
    let (topic, key) = room(&phrase.rendezvous());
    let (links, taken) = mpsc::channel(4);
    connector.enter_private(topic, TopicKey::new(&key), links, Calls::SmallerId);
    let end = Instant::now() + Duration::from_secs(options.timeout_s);
    let here = Arc::clone(node);
    let found = executor::block_on(async move {
        let until = tokio::time::Instant::from_std(end);
        tokio::time::timeout_at(until, seek_any(&here, &phrase, &name, taken))
            .await
            .unwrap_or_else(|_| Err(nobody()))
    });
    connector.leave(&topic);
    found??;
    if options.revoke_older {
        wait_for_spaces(node, end)?;
        node.revoke_older()?;
    }
    node.reconcile()?;
    node.identity()
        .ok_or_else(|| Error::internal("the identity that was just recovered is absent"))
}

/// Tries every device that comes until one has helped. A decision ends it: a phrase that is void is
/// void for all of them.
async fn seek_any(
    node: &Arc<Node>,
    phrase: &RecoveryPhrase,
    name: &str,
    mut links: mpsc::Receiver<(PeerId, Arc<dyn Link>)>,
) -> Result<()> {
    loop {
        let Some((_, link)) = links.recv().await else {
            return Err(Error::network("the client went offline"));
        };
        let sought = tokio::time::timeout(EXCHANGE_TIME, seek(node, phrase, name, &link)).await;
        link.close().await;
        match sought {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if final_answer(&error) => return Err(error),
            Ok(Err(error)) => node
                .log()
                .info("halo", || format!("a recovery failed: {error}")),
            Err(_) => node
                .log()
                .info("halo", || "a recovery took too long".to_owned()),
        }
    }
}

fn final_answer(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::InvalidArgument
            | ErrorKind::AlreadyExists
            | ErrorKind::Storage
            | ErrorKind::InvalidState
    )
}

async fn seek(
    node: &Arc<Node>,
    phrase: &RecoveryPhrase,
    name: &str,
    link: &Arc<dyn Link>,
) -> Result<()> {
    let secure = SecureLink::establish(Arc::clone(link)).await?;
    let (hash, initiator) = (*secure.hash(), secure.link().initiator());
    let keys = DeviceKeys::generate(&mut clock::fill_random);
    let device = keys.device_key();
    let hello = Hello {
        version: VERSION,
        recovery: Bytes::copy_from_slice(phrase.key().as_bytes()),
        device: Bytes::copy_from_slice(device.as_bytes()),
        possession: Bytes::copy_from_slice(&phrase.prove(&hash, initiator, &device)),
    };
    secure.send(&hello.encode_to_vec()).await?;
    let offer: Offer = decode(&secure.recv().await?)?;
    if let Some(reason) = offer.refused {
        return Err(Error::new(ErrorKind::PermissionDenied, clip(&reason)));
    }
    let keyring = certify(keys, phrase, name, &offer, &hash, initiator)?;
    check_optional_name("a display name", &offer.display_name)
        .map_err(|_| Error::protocol("the identity's display name is malformed"))?;
    let history = receive_entries(&secure).await?;
    let chain = keyring.chain().clone();
    let new = NewDevice {
        keyring,
        display_name: offer.display_name,
        halo: SpaceId::from_slice(&offer.halo)?,
        headers: history.headers,
        entries: history.entries,
    };
    // From here on this device can show to any other that it is one of the identity's.
    let (headers, entries) = executor::blocking(|| {
        node.enter_identity(new, |core| {
            let keys = core.authority().recoveries(&chain.certificate().identity);
            if !keys.iter().any(|view| view.key == phrase.key()) {
                return Err(Error::protocol(
                    "the HALO space does not know the recovery phrase",
                ));
            }
            core.add_device(&chain)?;
            core.own_control()
        })
    })?;
    let join = Entries {
        headers,
        entries,
        more: false,
    };
    // What follows comes by replication as well, should the link break here.
    if secure.send(&join.encode_to_vec()).await.is_ok()
        && let Ok(keys) = receive_entries(&secure).await
    {
        let halo = node.halo()?;
        executor::blocking(|| {
            halo.with_settled(|core| {
                for header in &keys.headers {
                    core.add_feed(header)?;
                }
                core.ingest(keys.entries, &mut Ingest::default())
            })
        })?;
        node.schedule_reconciling();
    }
    Ok(())
}

/// Certifies this client's device with the phrase, once the other side has shown to be a device of
/// the identity that the statement is of.
fn certify(
    keys: DeviceKeys,
    phrase: &RecoveryPhrase,
    name: &str,
    offer: &Offer,
    hash: &[u8; 32],
    initiator: bool,
) -> Result<Keyring> {
    let proof = PeerProof::decode(&offer.proof)?;
    let peer = DeviceChain::decode(proof.certificate())?;
    proof.verify(&peer.certificate().device, hash, !initiator)?;
    let issuer = DeviceChain::decode(&offer.issuer)?;
    let statements: Vec<&Bytes> = offer.earlier.iter().chain([&offer.statement]).collect();
    let keyring = Keyring::recover(keys, phrase, &issuer, &statements, offer.order, name)?;
    if peer.certificate().identity != keyring.identity_key() {
        return Err(Error::protocol(
            "the other device is of another identity than its statement",
        ));
    }
    Ok(keyring)
}

async fn receive_entries(secure: &SecureLink) -> Result<Entries> {
    let mut all = Entries::default();
    for _ in 0..PARTS {
        let part: Entries = decode(&secure.recv().await?)?;
        all.headers.extend(part.headers);
        all.entries.extend(part.entries);
        if !part.more {
            return Ok(all);
        }
    }
    Err(Error::limit("the HALO space's history is too long"))
}

/// Waits until the identity's spaces are here as far as the devices that are online hold them: once
/// those are revoked, they are not listened to any more.
fn wait_for_spaces(node: &Arc<Node>, end: Instant) -> Result<()> {
    let start = Instant::now();
    while !node.has_caught_up(start.elapsed() < UNHEARD_OF)? {
        if Instant::now() >= end {
            return Err(Error::new(
                ErrorKind::TimedOut,
                "the identity is recovered, but its spaces have not come in time, so that no older \
                 device was revoked yet: revoke them by hand once the spaces are here",
            ));
        }
        node.check_open()?;
        std::thread::sleep(LOOK);
    }
    Ok(())
}

impl Node {
    /// Whether HALO and every space that it lists hold all that the connected devices have; with
    /// `every`, also whether each of these has come at all.
    fn has_caught_up(&self, every: bool) -> Result<bool> {
        let sessions = self.sessions();
        if sessions.is_empty() {
            return Ok(false);
        }
        let listed = self.read_halo()?.state.spaces;
        // Every identity has a default space: a list without it is not the list yet.
        if listed.is_empty() || !listed.iter().all(|space| self.has_space(space)) {
            return Ok(false);
        }
        for host in self.hosts() {
            if host.summary().0 != SpaceState::Ready {
                continue;
            }
            let here = host.with(|core| {
                let same = |difference: Option<(u64, u64)>| difference.is_none_or(|d| d.1 == 0);
                let mut shared = sessions.iter().map(|session| session.difference(core));
                let complete = shared.all(same);
                let came = core.own_role().is_some() || !(every || host.is_halo());
                Ok(complete && came)
            })?;
            if !here {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Revokes every device that was one of the identity's before this one.
    fn revoke_older(&self) -> Result<()> {
        let read = self.read_halo()?;
        let older: Vec<DeviceKey> = read
            .family
            .members
            .iter()
            .filter(|member| !member.revoked)
            .map(|member| member.chain.certificate().device)
            .filter(|device| *device != read.own)
            .collect();
        let halo = self.halo()?;
        halo.with_settled(|core| {
            for device in older {
                core.revoke_device(device)?;
            }
            core.flush()
        })?;
        halo.announce_control();
        self.reconcile()
    }
}

fn nobody() -> Error {
    Error::new(
        ErrorKind::TimedOut,
        "no device of the identity was found: one that was added before must be online, at the same \
         signalling servers",
    )
}

/// A stranger's words, cut to a line.
fn clip(text: &str) -> String {
    let printable = text.chars().filter(|c| !c.is_control());
    printable.take(200).collect()
}
