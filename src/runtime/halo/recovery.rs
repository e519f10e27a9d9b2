//! Recovery phrases on the identity's devices: making one, and waiting for a client that has it.

use super::super::node::Node;
use super::reconcile::Halo;
use super::recovery_wire::{Entries, Hello, Offer, VERSION, decode, split};
use crate::authority::{Authority, Way};
use crate::feed::sha256;
use crate::identity::{RecoveryPhrase, verify_possession};
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, RecoveryKey, Result, limits, signed};
use crate::runtime::clock;
use crate::runtime::connector::{Calls, Connector};
use crate::runtime::executor;
use crate::runtime::secure_link::SecureLink;
use crate::runtime::signaling::{PeerId, TopicKey};
use crate::runtime::transport::Link;
use crate::space::{HaloFact, Ingest};
use crate::sync::peer_proof::PeerProof;
use bytes::Bytes;
use prost::Message as _;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use zeroize::Zeroizing;

/// Clients that may be answered at once: whoever finds the room has the phrase or held a device.
const AT_ONCE: usize = 4;
/// Phrases in force whose rooms a device waits in: the most senior. A thief may make many, all of them
/// below the owner's.
const ROOMS: usize = 4;
/// Links that the chain of a phrase is to leave free for what comes after it is replaced: its
/// successor, a device by that, and some that this one adds.
const REPLACING_LINKS: usize = 8;
/// How long one exchange may take.
const EXCHANGE_TIME: Duration = Duration::from_secs(60);

/// The room in which this device waits.
pub struct Listening {
    topic: [u8; 32],
    connector: Arc<Connector>,
    task: AbortHandle,
}

/// The room in which devices and a client with the phrase meet, and the key of what is said in it.
pub fn room(rendezvous: &[u8; 16]) -> ([u8; 32], [u8; 32]) {
    (
        sha256(&[b"echo-db/recovery/topic/v1", rendezvous]),
        sha256(&[b"echo-db/recovery/topic-key/v1", rendezvous]),
    )
}

impl Node {
    /// Makes a new recovery phrase and registers its key, in HALO and in every space. On a device that
    /// came by a phrase, that one is void from then on, with all below it; on any other, earlier ones
    /// stay in force, above the new one.
    pub fn create_recovery_phrase(&self) -> Result<Zeroizing<String>> {
        let (keyring, _) = self.require_identity()?;
        let made = self
            .make_phrase(|phrase, generation| Ok(keyring.recovery_statement(phrase, generation)));
        made.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => Error::new(
                ErrorKind::PermissionDenied,
                "only the identity's oldest device, or one that a recovery phrase in force brought \
                 back, may make a new phrase; with the words of the present one any device replaces it",
            ),
            _ => error,
        })
    }

    /// Makes a new recovery phrase that takes the place of `current`, which is void from then on with
    /// all below it. Any device may, since whoever has the words speaks for the identity.
    pub fn replace_recovery_phrase(&self, current: &str) -> Result<Zeroizing<String>> {
        self.check_open()?;
        let current = RecoveryPhrase::parse(current)?;
        let (keyring, _) = self.require_identity()?;
        let identity = keyring.identity_key();
        self.halo()?.with_settled(|core| {
            let (chain, way) = way_in_force(core.authority(), &identity, &current.key())?;
            // What the next one brings back is to have room for a chain of its own.
            match chain.links().len() + way.len() + REPLACING_LINKS > limits::CHAIN_LINKS {
                true => Err(Error::limit(
                    "the recovery phrase was replaced too often in this way: make a new one on the \
                     identity's oldest device, or on one that the phrase brings back",
                )),
                false => Ok(()),
            }
        })?;
        self.make_phrase(|phrase, generation| Ok(current.replaced_by(phrase, identity, generation)))
    }

    /// Makes a phrase and registers what `state` states of it, given its generation.
    fn make_phrase(
        &self,
        state: impl FnOnce(&RecoveryPhrase, u64) -> Result<Vec<u8>>,
    ) -> Result<Zeroizing<String>> {
        self.check_not_revoked()?;
        let (keyring, _) = self.require_identity()?;
        let halo = self.halo()?;
        let phrase = RecoveryPhrase::generate(&mut clock::fill_random);
        // Where to wait comes first: a key that nobody waits for would recover nothing.
        self.tell_halo(&[HaloFact::Rendezvous(phrase.key(), *phrase.rendezvous())])?;
        halo.with_settled(|core| {
            let newest = core
                .authority()
                .recovery_generation(&keyring.identity_key());
            core.set_recovery(&state(&phrase, newest.saturating_add(1))?)?;
            // It is shown once: what it opens is to be durable before.
            core.flush()
        })?;
        halo.announce_control();
        self.reconcile()?;
        Ok(phrase.words())
    }

    /// Waits where a client with a recovery phrase that is in force will look.
    pub(super) fn wait_for_recovery(&self, halo: &Halo) {
        let connector = self.connector().ok();
        // A device that is not online waits nowhere.
        let keys = connector.iter().flat_map(|_| &halo.recoveries).take(ROOMS);
        let wanted: Vec<_> = keys
            .filter_map(|key| halo.state.rendezvous.get(key))
            .map(room)
            .collect();
        let mut listening = self
            .halo
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (kept, gone): (Vec<_>, Vec<_>) = listening.drain(..).partition(|now| {
            let same = connector
                .as_ref()
                .is_some_and(|connector| Arc::ptr_eq(&now.connector, connector));
            same && wanted.iter().any(|(topic, _)| *topic == now.topic)
        });
        *listening = kept;
        gone.into_iter().for_each(Listening::end);
        let (Some(connector), Ok(handle)) = (connector, executor::handle()) else {
            return;
        };
        for (topic, key) in wanted {
            if listening.iter().any(|now| now.topic == topic) {
                continue;
            }
            let (links, taken) = mpsc::channel(AT_ONCE);
            connector.enter_private(topic, TopicKey::new(&key), links, Calls::SmallerId);
            let task = handle.spawn(answer_all(Weak::clone(&self.me), taken));
            listening.push(Listening {
                topic,
                connector: Arc::clone(&connector),
                task: task.abort_handle(),
            });
        }
    }

    /// Waits no more.
    pub(in crate::runtime) fn stop_waiting_for_recovery(&self) {
        let mut listening = self
            .halo
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listening.drain(..).for_each(Listening::end);
    }

    /// What a client is given that has shown to have the phrase; the history follows.
    pub(super) fn recovery_offer(
        &self,
        hello: &Hello,
        hash: &[u8; 32],
        initiator: bool,
    ) -> Result<(Offer, Vec<Vec<u8>>)> {
        if hello.version != VERSION {
            return Err(Error::protocol(format!(
                "the client speaks version {} of recovery; this library knows {VERSION}",
                hello.version
            )));
        }
        let (keyring, display_name) = self.require_identity()?;
        let key = RecoveryKey::from_slice(&hello.recovery)?;
        let device = DeviceKey::from_slice(&hello.device)?;
        let possession = hello.possession.as_ref().try_into();
        let possession =
            possession.map_err(|_| Error::protocol("a proof of possession is malformed"))?;
        verify_possession(&key, hash, !initiator, &device, possession)?;
        let identity = keyring.identity_key();
        let halo = self.halo()?;
        let proof = PeerProof::create(&keyring.chain().encode(), hash, initiator, |bytes| {
            keyring.device_signer().sign(bytes)
        })?;
        halo.with_settled(|core| {
            let authority = core.authority();
            let (issuer, mut way) = way_in_force(authority, &identity, &key)?;
            let statement = way.pop().unwrap_or_default();
            let earlier = way
                .iter()
                .map(|statement| Bytes::copy_from_slice(statement));
            let offer = Offer {
                proof: Bytes::from(proof.encode()),
                statement: Bytes::copy_from_slice(&statement),
                earlier: earlier.collect(),
                issuer: Bytes::from(issuer.encode()),
                order: authority.next_device_order(&identity),
                halo: Bytes::copy_from_slice(core.id().as_bytes()),
                display_name: display_name.clone(),
                refused: None,
            };
            let (headers, entries) = core.control_history()?;
            Ok((offer, split(headers, entries)))
        })
    }

    /// Stores a recovered device's own admission and gives it the keys.
    fn take_recovered(&self, device: &DeviceKey, join: Entries) -> Result<Vec<Vec<u8>>> {
        let halo = self.halo()?;
        let (headers, entries) = halo.with_settled(|core| {
            let before = core.control_history()?.1.len();
            for header in &join.headers {
                core.add_feed(header)?;
            }
            core.ingest(join.entries, &mut Ingest::default())?;
            if core.authority().role_of_device(device).is_none() {
                return Err(Error::protocol(
                    "the recovered device did not make itself one of the identity's",
                ));
            }
            core.share_keys()?;
            let (headers, entries) = core.control_history()?;
            Ok((headers, entries.into_iter().skip(before).collect()))
        })?;
        halo.announce_control();
        self.schedule_reconciling();
        let now = signed(clock::now_ms());
        self.tell_halo(&[HaloFact::DeviceAdded(*device, now)])?;
        Ok(split(headers, entries))
    }
}

/// What leads to a phrase's key, if that is in force.
fn way_in_force(authority: &Authority, identity: &IdentityKey, key: &RecoveryKey) -> Result<Way> {
    let mut keys = authority.recoveries(identity).into_iter();
    if !keys.any(|view| view.key == *key) {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            "this recovery phrase is not in force: a newer one replaced it, or it is another identity's",
        ));
    }
    let way = authority.way_to_recovery(identity, key);
    way.ok_or_else(|| Error::internal("nothing leads to the recovery phrase"))
}

impl Listening {
    fn end(self) {
        self.connector.leave(&self.topic);
        self.task.abort();
    }
}

/// Answers every client, a few at once.
async fn answer_all(node: Weak<Node>, mut links: mpsc::Receiver<(PeerId, Arc<dyn Link>)>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some((_, link)) = links.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let node = Weak::clone(&node);
        tokio::spawn(async move {
            let answered =
                tokio::time::timeout(EXCHANGE_TIME, answer(&node, Arc::clone(&link))).await;
            if let (Ok(Err(error)), Some(node)) = (answered, node.upgrade()) {
                node.log()
                    .info("halo", || format!("a recovery was not completed: {error}"));
            }
            link.close().await;
            drop(place);
        });
    }
}

async fn answer(node: &Weak<Node>, link: Arc<dyn Link>) -> Result<()> {
    let gone = || Error::state("the client is shut down");
    let secure = SecureLink::establish(link).await?;
    let hello: Hello = decode(&secure.recv().await?)?;
    let (hash, initiator) = (*secure.hash(), secure.link().initiator());
    let offered = executor::blocking(|| {
        let node = node.upgrade().ok_or_else(gone)?;
        node.recovery_offer(&hello, &hash, initiator)
    });
    let (offer, history) = match offered {
        Ok(offered) => offered,
        Err(error) => {
            let refusal = Offer {
                refused: Some(error.detail().to_owned()),
                ..Offer::default()
            };
            secure.send(&refusal.encode_to_vec()).await?;
            // The other side hangs up when it has read it.
            let _ = secure.recv().await;
            return Err(error);
        }
    };
    secure.send(&offer.encode_to_vec()).await?;
    for part in history {
        secure.send(&part).await?;
    }
    let join: Entries = decode(&secure.recv().await?)?;
    let device = DeviceKey::from_slice(&hello.device)?;
    let keys = executor::blocking(|| {
        let node = node.upgrade().ok_or_else(gone)?;
        node.take_recovered(&device, join)
    })?;
    for part in keys {
        secure.send(&part).await?;
    }
    let _ = secure.recv().await;
    Ok(())
}
