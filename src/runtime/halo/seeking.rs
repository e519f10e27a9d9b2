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
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use prost::Message as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The longest a client looks for a device, in seconds: a day.
const LONGEST_S: u64 = 86_400;
/// How long one exchange may take.
const EXCHANGE_TIME: Duration = Duration::from_secs(60);
/// Devices that are asked at once: some may stall.
const AT_ONCE: usize = 8;
/// How long others are waited for once one has refused. What it says is its own word: it may be out of
/// date, or stolen.
const AFTER_REFUSAL: Duration = Duration::from_secs(15);
/// How long the identity that is here already waits for the keys of its HALO space.
const KEYS_TIME: Duration = Duration::from_secs(10);
/// The longest that devices are waited for which say that they hold more than is here: they may be the
/// very ones that are to be revoked.
const FETCHING: Duration = Duration::from_secs(60);
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
        let entered = seek_any(&here, &phrase, &name, taken, end.into()).await?;
        let keys = tokio::time::timeout(KEYS_TIME, take_keys(&here, &entered)).await;
        if !matches!(keys, Ok(Ok(()))) {
            // The identity is here; what is lacking comes by replication.
            let log = here.log();
            log.info("halo", || "the keys of a recovery did not come".to_owned());
        }
        entered.secure.close().await;
        Ok::<(), Error>(())
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

/// An identity that is here, and the other side's part in it.
struct Entered {
    secure: SecureLink,
    /// What makes this device one of the identity's, for the other side.
    join: Entries,
}

/// Asks every device that comes, several at once, until one has helped. No answer of theirs ends it but
/// that: whoever knows of the room can be in it, a stolen device too.
async fn seek_any(
    node: &Arc<Node>,
    phrase: &RecoveryPhrase,
    name: &str,
    mut links: mpsc::Receiver<(PeerId, Arc<dyn Link>)>,
    end: tokio::time::Instant,
) -> Result<Entered> {
    let mut asked = FuturesUnordered::new();
    let mut until = end;
    let mut refusal = None;
    loop {
        let answer = tokio::select! {
            link = links.recv(), if asked.len() < AT_ONCE => {
                let Some((_, link)) = link else {
                    return Err(Error::network("the client went offline"));
                };
                asked.push(ask(node, phrase, name, link));
                continue;
            }
            Some(answer) = asked.next() => answer,
            () = tokio::time::sleep_until(until) => {
                return Err(refusal.unwrap_or_else(nobody));
            }
        };
        match answer {
            Err(error) if !is_ours(node, &error) => {
                node.log()
                    .info("halo", || format!("a recovery failed: {error}"));
                if error.kind() == ErrorKind::PermissionDenied {
                    until = until.min(tokio::time::Instant::now() + AFTER_REFUSAL);
                    refusal = Some(error);
                }
            }
            ended => return ended,
        }
    }
}

/// Whether an error is this client's own, so that no other device can help.
fn is_ours(node: &Node, error: &Error) -> bool {
    let own = matches!(error.kind(), ErrorKind::Storage);
    own || node.check_open().is_err() || node.identity().is_some()
}

/// Asks one device; its link is closed unless it helped.
async fn ask(
    node: &Arc<Node>,
    phrase: &RecoveryPhrase,
    name: &str,
    link: Arc<dyn Link>,
) -> Result<Entered> {
    let asked = seek(node, phrase, name, &link);
    let asked = match tokio::time::timeout(EXCHANGE_TIME, asked).await {
        Ok(asked) => asked,
        Err(_) => Err(Error::new(
            ErrorKind::TimedOut,
            "the other device took too long",
        )),
    };
    if asked.is_err() {
        link.close().await;
    }
    asked
}

async fn seek(
    node: &Arc<Node>,
    phrase: &RecoveryPhrase,
    name: &str,
    link: &Arc<dyn Link>,
) -> Result<Entered> {
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
    Ok(Entered { secure, join })
}

/// Tells the device that helped, and takes the keys that it has for this one.
async fn take_keys(node: &Arc<Node>, entered: &Entered) -> Result<()> {
    let secure = &entered.secure;
    secure.send(&entered.join.encode_to_vec()).await?;
    let keys = receive_entries(secure).await?;
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
/// those are revoked, they are not listened to any more. That they hold more is believed for a while.
fn wait_for_spaces(node: &Arc<Node>, end: Instant) -> Result<()> {
    let start = Instant::now();
    let fetching = FETCHING.min(end.saturating_duration_since(start) / 2);
    loop {
        let waited = start.elapsed();
        if node.has_caught_up(waited < UNHEARD_OF, waited < fetching)? {
            return Ok(());
        }
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
}

impl Node {
    /// Whether HALO and every space that it lists are here; with `every`, also whether each of these has
    /// come at all, and with `whole`, whether all has that the connected devices say they hold.
    fn has_caught_up(&self, every: bool, whole: bool) -> Result<bool> {
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
                let complete = !whole || shared.all(same);
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
