//! A victim, its honest friends, and a liar with a valid device key.

use crate::api::ClientOptions;
use crate::feed::{DataBody, DeviceSigner, Entry};
use crate::identity::Keyring;
use crate::model::{ObjectId, Operation, Role, SpaceId, json};
use crate::objects::Document;
use crate::runtime::clock;
use crate::runtime::memory::{MemoryLink, MemoryOptions};
use crate::runtime::node::{Node, NodeGuard};
use crate::runtime::sessions::{self, Sessions};
use crate::runtime::space_host::SpaceHost;
use crate::runtime::transport::Link;
use crate::space::{Ingest, SpaceCore};
use crate::sync::framing;
use crate::sync::peer_proof::PeerProof;
use crate::sync::session::{Handshake, Session, prologue};
use crate::sync::wire::{Ack, Body, Entries, Message, Open, space_tag};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Party {
    pub(super) guard: Arc<NodeGuard>,
    pub(super) space: Arc<SpaceHost>,
}

impl Party {
    pub(super) fn node(&self) -> Arc<dyn Sessions> {
        Arc::clone(self.guard.node()) as Arc<dyn Sessions>
    }

    pub(super) fn keyring(&self) -> Arc<Keyring> {
        self.guard.node().require_identity().unwrap().0
    }

    pub(super) fn write(&self) {
        let object = ObjectId::from_parts(clock::now_ms(), clock::random());
        let create = Operation::Create {
            object,
            type_name: None,
            fields: json::parse_fields(r#"{"by": "an honest hand"}"#).unwrap(),
        };
        let outcome = self
            .space
            .write(|core| core.transact(&[create], None, None, clock::now_ms()));
        outcome.unwrap();
    }

    pub(super) fn objects(&self) -> u64 {
        self.space
            .with_settled(|core| Ok(core.counts()?.objects))
            .unwrap()
    }

    pub(super) fn quarantined(&self) -> Vec<String> {
        let records = self.space.with_settled(|core| core.quarantined()).unwrap();
        records
            .into_iter()
            .map(|(record, _)| record.reason)
            .collect()
    }
}

pub(super) fn client(name: &str) -> Arc<NodeGuard> {
    // Online, since a client that is offline takes no sessions, but without any server.
    let guard = NodeGuard::open(ClientOptions::default(), None).unwrap();
    guard.node().create_identity(name.to_owned()).unwrap();
    guard
}

pub(super) fn founder(name: &str) -> Party {
    let guard = client(name);
    guard.create_space(Default::default()).unwrap();
    let space = guard.node().all_spaces().pop().unwrap();
    Party { guard, space }
}

pub(super) fn hand_over(core: &mut SpaceCore, (headers, entries): (Vec<Bytes>, Vec<Bytes>)) {
    for header in &headers {
        core.add_feed(header).unwrap();
    }
    core.ingest(entries, &mut Ingest::default()).unwrap();
}

/// A new member, admitted without the network.
pub(super) fn member(host: &Party, name: &str) -> Party {
    member_as(host, name, Role::Editor)
}

/// Likewise, with a role.
pub(super) fn member_as(host: &Party, name: &str, role: Role) -> Party {
    let guard = client(name);
    let node: &Arc<Node> = guard.node();
    let (keyring, _) = node.require_identity().unwrap();
    let certificate = keyring.chain().certificate().clone();
    let invitation = DeviceSigner::from_seed(clock::random());
    let id = host.space.id();
    let (signature, history) = host
        .space
        .with_settled(|core| {
            core.open_invitation(&invitation, role, u64::MAX)?;
            let signature = core.sign_admission(&invitation, &certificate, role)?;
            Ok((signature, core.control_history()?))
        })
        .unwrap();
    let store = node
        .with_profile(|profile| profile.open_space(&id))
        .unwrap();
    let random = Box::new(clock::fill_random);
    let mut core = SpaceCore::join(id, Box::new(store), keyring, random).unwrap();
    hand_over(&mut core, history);
    core.write_join(name, role, invitation.public().0, signature)
        .unwrap();
    let join = core.own_control().unwrap();
    let history = host
        .space
        .with_settled(|core| {
            hand_over(core, join);
            core.share_keys()?;
            core.control_history()
        })
        .unwrap();
    hand_over(&mut core, history);
    let space = node.adopt_space(core).unwrap();
    host.space.announce_control();
    Party { guard, space }
}

/// A session between two honest clients.
pub(super) fn connect(a: &Party, b: &Party) {
    let (left, right) = MemoryLink::pair(MemoryOptions::default());
    tokio::spawn(sessions::run(a.node(), left));
    tokio::spawn(sessions::run(b.node(), right));
}

pub(super) async fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("gave up waiting until {what}"));
}

/// A peer that speaks the protocol as far as the test lets it.
pub(super) struct Liar {
    pub(super) link: Arc<MemoryLink>,
    pub(super) session: Session,
    pub(super) hash: [u8; 32],
    pub(super) assembler: framing::Assembler,
    pub(super) space: SpaceId,
    pub(super) victim: JoinHandle<()>,
    /// Whether it has said that it holds the space: before, nothing else is listened to.
    begun: bool,
}

impl Liar {
    /// Runs the handshake and proves its device, as an honest peer does.
    pub(super) async fn meet(victim: &Party, keyring: &Keyring) -> Liar {
        let (link, theirs) = MemoryLink::pair(MemoryOptions::default());
        let victim_task = tokio::spawn(sessions::run(victim.node(), theirs));
        let prologue = prologue(&link.local_fingerprint(), &link.remote_fingerprint());
        let mut handshake =
            Handshake::new(true, &prologue, clock::random(), clock::random()).unwrap();
        while !handshake.is_finished() {
            match handshake.is_my_turn() {
                true => link
                    .send(Bytes::from(handshake.write().unwrap()))
                    .await
                    .unwrap(),
                false => handshake.read(&link.recv().await.unwrap()).unwrap(),
            }
        }
        let hash = handshake.hash();
        let mut liar = Liar {
            link,
            session: handshake.into_session().unwrap(),
            hash,
            assembler: framing::Assembler::new(),
            space: victim.space.id(),
            victim: victim_task,
            begun: false,
        };
        let proof = PeerProof::create(&keyring.chain().encode(), &hash, true, |bytes| {
            keyring.device_signer().sign(bytes)
        });
        liar.say(&proof.unwrap().encode()).await;
        liar.hear_bytes().await.unwrap();
        liar
    }

    pub(super) async fn say(&mut self, message: &[u8]) {
        for frame in framing::split(message).unwrap() {
            self.say_frame(&frame).await;
        }
    }

    /// The victim may have closed already: that is what the test waits for.
    pub(super) async fn say_frame(&mut self, frame: &[u8]) {
        let sealed = self.session.seal(frame).unwrap();
        let _ = self.link.send(Bytes::from(sealed)).await;
    }

    pub(super) async fn post(&mut self, body: Body) {
        let tag = space_tag(&self.space, &self.hash);
        if !std::mem::replace(&mut self.begun, true) {
            let open = Message::new(&tag, Body::Open(Open::default()));
            self.say(&open.to_bytes()).await;
        }
        self.say(&Message::new(&tag, body).to_bytes()).await;
    }

    pub(super) async fn send_entries(&mut self, headers: Vec<Bytes>, entries: &[&Entry]) {
        let entries = entries
            .iter()
            .map(|e| Bytes::copy_from_slice(e.bytes()))
            .collect();
        self.post(Body::Entries(Entries { headers, entries })).await;
    }

    pub(super) async fn hear_bytes(&mut self) -> Option<Vec<u8>> {
        loop {
            let sealed = self.link.recv().await?;
            let frame = self.session.open(&sealed).unwrap();
            if let Some(message) = self.assembler.push(&frame).unwrap() {
                return Some(message);
            }
        }
    }

    /// What the victim answers to the next delivery, `None` if it ends the session.
    pub(super) async fn hear_ack(&mut self) -> Option<Ack> {
        loop {
            let bytes = timeout(PATIENCE, self.hear_bytes())
                .await
                .expect("it answers or ends")?;
            if let Some(Body::Ack(ack)) = Message::from_bytes(Bytes::from(bytes)).unwrap().body {
                return Some(ack);
            }
        }
    }

    pub(super) async fn ends_dropped(self, what: &str) {
        // What the victim still says must not hold it back.
        let link = Arc::clone(&self.link);
        tokio::spawn(async move { while link.recv().await.is_some() {} });
        timeout(PATIENCE, self.victim)
            .await
            .unwrap_or_else(|_| panic!("{what}: the session goes on"))
            .unwrap_or_else(|e| panic!("{what}: {e}"));
    }
}

/// The victim, an honest member connected to it, and a member who will lie.
pub(super) fn three() -> (Party, Party, Party) {
    let ada = founder("Ada");
    let (bob, mal) = (member(&ada, "Bob"), member(&ada, "Mal"));
    connect(&ada, &bob);
    (ada, bob, mal)
}

/// The honest members still hear each other.
pub(super) async fn goes_on(ada: &Party, bob: &Party) {
    let before = ada.objects();
    ada.write();
    bob.write();
    wait("the honest go on", || {
        ada.objects() >= before + 2 && ada.objects() == bob.objects()
    })
    .await;
    let digest = |party: &Party| party.space.with_settled(|core| core.digest()).unwrap();
    wait("they hold the same", || digest(ada) == digest(bob)).await;
}

pub(super) fn change(actor: u8, text: &str) -> Vec<u8> {
    let mut document = Document::new([actor; 16]);
    let create = Operation::Create {
        object: ObjectId([9; 16]),
        type_name: None,
        fields: json::parse_fields(text).unwrap(),
    };
    document.apply(&create).unwrap();
    document.commit(1000, None).unwrap().pop().unwrap()
}

pub(super) fn body(changes: &[Vec<u8>]) -> Vec<u8> {
    DataBody {
        clock_ms: 1000,
        changes: changes
            .iter()
            .map(|c| (ObjectId([9; 16]), c.clone()))
            .collect(),
    }
    .encode()
}
