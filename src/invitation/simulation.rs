//! Host and guest against each other in memory. Handshake hashes and device proofs are real ones of
//! the session layer.

mod attacks;
mod faults;

use super::auth_code::AuthCode;
use super::channel::{Channel, Part};
use super::code::tests::sample;
use super::code::{InvitationCode, InvitationKind, host_fingerprint};
use super::cpace::{Inputs, Run, Side};
use super::guest::Guest;
use super::host::Host;
use super::machine::{Effect, Event, ProvenDevice, Setup, VerifyProof, draw_secret};
use super::mode::{Bearer, Mode};
use super::state::InvitationState as State;
use super::wire::{self, Body, Hello, Introduction};
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, limits};
use crate::sync::peer_proof::PeerProof;
use crate::sync::session::{Handshake, prologue};
use data_encoding::HEXLOWER;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::collections::VecDeque;
use std::sync::Arc;

const START: u64 = 1_900_000_000_000;

/// SplitMix64: reproducible and good enough to tell keys apart.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.next() as u8;
        }
    }

    fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        self.fill(&mut key);
        key
    }
}

/// Somebody with an identity and a device. The certificate of these tests is just both keys.
struct Person {
    name: &'static str,
    identity: IdentityKey,
    device: DeviceKey,
    signer: Ed25519KeyPair,
}

impl Person {
    fn new(name: &'static str, seed: u8) -> Person {
        let signer = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Person {
            name,
            identity: IdentityKey([seed; 32]),
            device: DeviceKey::from_slice(signer.public_key().as_ref()).unwrap(),
            signer,
        }
    }

    fn host() -> Person {
        Person::new("Hanna", 1)
    }

    fn guest() -> Person {
        Person::new("Gustav", 2)
    }

    fn certificate(&self) -> Vec<u8> {
        [self.identity.as_bytes(), self.device.as_bytes()].concat()
    }

    fn proof(&self, channel: &Channel) -> Vec<u8> {
        let certificate = self.certificate();
        let sign = |bytes: &[u8]| self.signer.sign(bytes).as_ref().try_into().unwrap();
        let hash = &channel.handshake_hash;
        let proof = PeerProof::create(&certificate, hash, channel.initiator, sign);
        proof.unwrap().encode()
    }

    fn setup(&self, code: InvitationCode) -> Setup {
        Setup {
            code,
            identity: self.identity,
            device: self.device,
            display_name: self.name.into(),
            verify: verifier(),
            now_ms: START,
            timeout_ms: None,
        }
    }
}

fn verifier() -> VerifyProof {
    Arc::new(|channel, bytes| {
        let proof = PeerProof::decode(bytes)?;
        let (identity, device) = proof
            .certificate()
            .split_at_checked(32)
            .ok_or_else(|| Error::protocol("short certificate"))?;
        let device = DeviceKey::from_slice(device)?;
        proof.verify(&device, &channel.handshake_hash, !channel.initiator)?;
        Ok(ProvenDevice {
            identity: IdentityKey::from_slice(identity)?,
            device,
            certificate: proof.certificate().to_vec(),
        })
    })
}

fn code() -> InvitationCode {
    let mut code = sample(InvitationKind::Space);
    code.host_fingerprint = host_fingerprint(&Person::host().device);
    code
}

/// A code that any member may host, so that only the password exchange is in an attacker's way.
fn unpinned() -> InvitationCode {
    let mut code = code();
    code.host_fingerprint = [0; 8];
    code
}

/// Both ends of a fresh connection, the initiator's first.
fn connect(rng: &mut Rng) -> (Channel, Channel) {
    let (initiator_fingerprint, responder_fingerprint) = (rng.key(), rng.key());
    let bound = prologue(&initiator_fingerprint, &responder_fingerprint);
    let mut a = Handshake::new(true, &bound, rng.key(), rng.key()).unwrap();
    let mut b = Handshake::new(false, &bound, rng.key(), rng.key()).unwrap();
    b.read(&a.write().unwrap()).unwrap();
    a.read(&b.write().unwrap()).unwrap();
    b.read(&a.write().unwrap()).unwrap();
    let end = |handshake: &Handshake| Channel {
        handshake_hash: handshake.hash(),
        initiator_fingerprint,
        responder_fingerprint,
        initiator: handshake.is_initiator(),
    };
    (end(&a), end(&b))
}

/// Host, guest, the wire between them, and the host's disk.
struct World {
    rng: Rng,
    host: Host,
    guest: Guest,
    to_host: VecDeque<Vec<u8>>,
    to_guest: VecDeque<Vec<u8>>,
    host_did: Vec<Effect>,
    guest_did: Vec<Effect>,
    shown: Option<AuthCode>,
    disk: u32,
    refuse: Option<Error>,
    wrong_first: u32,
    delivered: Vec<Vec<u8>>,
}

impl World {
    fn new(code: InvitationCode) -> World {
        let mut host = Host::new(Person::host().setup(code.clone())).unwrap();
        let mut guest = Guest::new(Person::guest().setup(code)).unwrap();
        assert_eq!(host.start(), [Effect::State(State::Connecting)]);
        assert_eq!(guest.start(), [Effect::State(State::Connecting)]);
        World {
            rng: Rng(7),
            host,
            guest,
            to_host: VecDeque::new(),
            to_guest: VecDeque::new(),
            host_did: Vec::new(),
            guest_did: Vec::new(),
            shown: None,
            disk: 0,
            refuse: None,
            wrong_first: 0,
            delivered: Vec::new(),
        }
    }

    fn connect(&mut self) {
        self.to_host.clear();
        self.to_guest.clear();
        let (guest, host) = connect(&mut self.rng);
        let proof = Person::host().proof(&host);
        self.host(Event::Connected {
            channel: host,
            proof,
        });
        let proof = Person::guest().proof(&guest);
        self.guest(Event::Connected {
            channel: guest,
            proof,
        });
    }

    fn disconnect(&mut self) {
        self.to_host.clear();
        self.to_guest.clear();
        self.host(Event::Disconnected);
        self.guest(Event::Disconnected);
    }

    fn host(&mut self, event: Event) {
        let rng = &mut self.rng;
        for effect in self.host.handle(event, &mut |bytes| rng.fill(bytes)) {
            match &effect {
                Effect::Send(bytes) => self.to_guest.push_back(bytes.clone()),
                Effect::ShowCode { code, .. } => self.shown = Some(code.clone()),
                Effect::PersistAttempt { attempt } => {
                    self.disk += 1;
                    let (attempt, used) = (*attempt, self.disk);
                    self.host(Event::CounterPersisted { attempt, used });
                }
                Effect::RequestAdmission(peer) => {
                    assert_eq!(peer.identity, Person::guest().identity);
                    assert_eq!(peer.certificate, Person::guest().certificate());
                    assert_eq!(peer.display_name, "Gustav");
                    match self.refuse.clone() {
                        Some(error) => self.host(Event::AdmitRefused(error)),
                        None => self.host(Event::Admitted(b"admission".to_vec())),
                    }
                }
                Effect::JoinReceived(entry) => {
                    assert_eq!(entry, b"join");
                    self.host(Event::Completed(b"keys".to_vec()));
                }
                _ => {}
            }
            self.host_did.push(effect);
        }
    }

    fn guest(&mut self, event: Event) {
        let rng = &mut self.rng;
        for effect in self.guest.handle(event, &mut |bytes| rng.fill(bytes)) {
            match &effect {
                Effect::Send(bytes) => self.to_host.push_back(bytes.clone()),
                Effect::Admission(bytes) => {
                    assert_eq!(bytes, b"admission");
                    self.guest(Event::JoinEntry(b"join".to_vec()));
                }
                _ => {}
            }
            self.guest_did.push(effect);
        }
    }

    /// The guest's user enters the code that the host shows, or first so many wrong ones.
    fn enter(&mut self) {
        let shown = self.shown.clone().unwrap();
        let entered = match self.wrong_first {
            0 => shown.as_str().to_owned(),
            _ => {
                self.wrong_first -= 1;
                wrong(&shown)
            }
        };
        self.guest(Event::AuthCodeEntered(entered));
    }

    /// Delivers the next message, if there is one, or lets the user act; false when all is quiet.
    fn step(&mut self, change: &mut dyn FnMut(usize, Vec<u8>) -> Vec<Vec<u8>>) -> bool {
        let number = self.delivered.len();
        if let Some(bytes) = self.to_host.pop_front() {
            self.delivered.push(bytes.clone());
            for bytes in change(number, bytes) {
                self.host(Event::Message(bytes));
            }
        } else if let Some(bytes) = self.to_guest.pop_front() {
            self.delivered.push(bytes.clone());
            for bytes in change(number, bytes) {
                self.guest(Event::Message(bytes));
            }
        } else if self.guest.state() == State::ReadyForAuthentication && self.shown.is_some() {
            self.enter();
        } else {
            return false;
        }
        true
    }

    fn run(&mut self) {
        while self.step(&mut |_, bytes| vec![bytes]) {}
    }

    fn states(&self) -> (State, State) {
        (self.host.state(), self.guest.state())
    }

    fn admitted_nothing(&self) -> bool {
        !self
            .host_did
            .iter()
            .any(|e| matches!(e, Effect::RequestAdmission(_)))
            && !self
                .guest_did
                .iter()
                .any(|e| matches!(e, Effect::Admission(_)))
    }
}

fn wrong(shown: &AuthCode) -> String {
    let number: u32 = shown.as_str().parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

fn states_of(effects: &[Effect]) -> Vec<State> {
    let states = effects.iter().filter_map(|effect| match effect {
        Effect::State(state) => Some(*state),
        _ => None,
    });
    states.collect()
}

#[test]
fn the_happy_path() {
    let mut world = World::new(code());
    world.connect();
    world.run();
    assert_eq!(world.states(), (State::Success, State::Success));
    let path = [
        State::Connected,
        State::ReadyForAuthentication,
        State::Authenticating,
        State::Success,
    ];
    assert_eq!(states_of(&world.host_did), path);
    assert_eq!(states_of(&world.guest_did), path);
    assert_eq!(
        (
            world.disk,
            world.host.used_codes(),
            world.host.checked_tags()
        ),
        (1, 1, 1)
    );
    assert!(
        world
            .guest_did
            .contains(&Effect::Completed(b"keys".to_vec()))
    );
    assert!(world.host.error().is_none() && world.guest.error().is_none());
    let introduced = |effects: &[Effect], name: &str| {
        effects
            .iter()
            .any(|e| matches!(e, Effect::Introduced(peer) if peer.display_name == name))
    };
    assert!(introduced(&world.host_did, "Gustav") && introduced(&world.guest_did, "Hanna"));
    let clear = world
        .delivered
        .iter()
        .filter(|m| m.first() == Some(&wire::CLEAR));
    let leaked = |m: &&Vec<u8>| m.windows(9).any(|w| w == b"admission");
    assert_eq!(
        (clear.count(), world.delivered.iter().filter(leaked).count()),
        (8, 0)
    );
}

fn words(effects: &[Effect]) -> Vec<String> {
    let words = effects.iter().filter_map(|effect| match effect {
        Effect::Words(words) => Some(words.clone()),
        _ => None,
    });
    words.collect()
}

#[test]
fn wrong_codes_and_then_the_right_one() {
    for wrong_first in 0..3 {
        let mut world = World::new(code());
        world.wrong_first = wrong_first;
        world.connect();
        world.run();
        assert_eq!(world.states(), (State::Success, State::Success));
        // Each exchange has its words, the same on both sides, whatever was entered.
        let shown = words(&world.host_did);
        assert_eq!(shown.len(), wrong_first as usize + 1);
        assert_eq!(shown, words(&world.guest_did));
        assert!(shown.windows(2).all(|two| two[0] != two[1]));
        assert_eq!(world.disk, wrong_first + 1);
        let told = |left| world.guest_did.contains(&Effect::WrongCode { left });
        assert_eq!((told(2), told(1)), (wrong_first > 0, wrong_first > 1));
    }
}

#[test]
fn three_wrong_codes_close_the_invitation() {
    let mut world = World::new(code());
    world.wrong_first = 9;
    world.connect();
    world.run();
    assert_eq!(world.states(), (State::Error, State::Error));
    assert_eq!((world.disk, world.host.checked_tags()), (3, 3));
    assert!(world.admitted_nothing());
    for error in [world.host.error().unwrap(), world.guest.error().unwrap()] {
        assert_eq!(error.kind(), ErrorKind::InvitationRefused);
    }
    let codes: Vec<_> = world
        .host_did
        .iter()
        .filter_map(|effect| match effect {
            Effect::ShowCode { code, left } => Some((code.as_str().to_owned(), *left)),
            _ => None,
        })
        .collect();
    let left: Vec<u32> = codes.iter().map(|(_, left)| *left).collect();
    assert_eq!(left, [3, 2, 1]);
    assert!(codes[0].0 != codes[1].0 && codes[1].0 != codes[2].0);
    let over = Host::resume(Person::host().setup(code()), world.disk);
    assert_eq!(over.err().unwrap().kind(), ErrorKind::InvitationRefused);
}

#[test]
fn what_is_no_code_costs_nothing() {
    let mut world = World::new(code());
    world.connect();
    while world.guest.state() != State::ReadyForAuthentication {
        assert!(world.step(&mut |_, bytes| vec![bytes]));
    }
    world.guest(Event::AuthCodeEntered("12345".into()));
    assert!(world.guest_did.contains(&Effect::MalformedCode));
    assert!(world.to_host.is_empty());
    world.run();
    assert_eq!((world.guest.state(), world.disk), (State::Success, 1));
}

#[test]
fn resumed_hosts_count_on() {
    let mut world = World::new(code());
    world.host = Host::resume(Person::host().setup(code()), 2).unwrap();
    world.disk = 2;
    world.wrong_first = 1;
    world.connect();
    world.run();
    assert_eq!(world.states(), (State::Error, State::Error));
    assert_eq!((world.disk, world.host.checked_tags()), (3, 1));
}

#[test]
fn refusals_of_the_space_layer_reach_both_with_their_kind() {
    for (error, kind) in [
        (
            Error::new(ErrorKind::AlreadyExists, "member"),
            ErrorKind::AlreadyExists,
        ),
        (
            Error::new(ErrorKind::PermissionDenied, "no"),
            ErrorKind::PermissionDenied,
        ),
        (Error::limit("full"), ErrorKind::LimitExceeded),
        (Error::internal("x"), ErrorKind::InvitationRefused),
    ] {
        let mut world = World::new(code());
        world.refuse = Some(error.clone());
        world.connect();
        world.run();
        assert_eq!(world.states(), (State::Error, State::Error));
        assert_eq!(world.host.error(), Some(&error));
        assert_eq!(world.guest.error().unwrap().kind(), kind);
    }
}

#[test]
fn device_codes_and_expired_codes_are_refused_at_the_door() {
    let device = || Person::guest().setup(sample(InvitationKind::Device));
    let error = Guest::new(device()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvitationRefused);
    assert!(error.detail().contains("device code"), "{error}");
    assert!(Host::new(device()).is_err());
    let mut late = Person::guest().setup(code());
    late.now_ms = late.code.expires_ms;
    let error = Guest::new(late).err().unwrap();
    assert!(error.detail().contains("expired"), "{error}");
}

/// Messages that the happy path delivers.
fn happy_messages() -> Vec<Vec<u8>> {
    let mut world = World::new(code());
    world.connect();
    world.run();
    world.delivered
}

/// Pins every message, the derivations behind them and the device proof inside them.
#[test]
fn golden_transcript() {
    let mut lines = String::new();
    for message in happy_messages() {
        lines.push_str(&HEXLOWER.encode(&message));
        lines.push('\n');
    }
    let golden = include_str!("../../tests/golden/invitation_messages.txt");
    assert_eq!(lines, golden, "the messages must not change:\n{lines}");
}

#[test]
fn repeated_messages_are_refused() {
    let messages = happy_messages();
    // Once the join entry has arrived the guest is a member; the last two repeat nothing.
    for repeated in 0..messages.len() - 3 {
        let mut world = World::new(code());
        world.connect();
        while world.step(&mut |number, bytes| match number == repeated {
            true => vec![bytes.clone(), bytes],
            false => vec![bytes],
        }) {}
        assert!(
            world.guest.state() != State::Success,
            "message {repeated} repeated"
        );
        assert!(world.disk <= 1);
    }
}

#[test]
fn a_recorded_invitation_cannot_be_played_again() {
    let messages = happy_messages();
    for first in 0..messages.len() {
        let mut world = World::new(code());
        world.connect();
        world.rng = Rng(99);
        for message in messages.iter().skip(first) {
            world.host(Event::Message(message.clone()));
        }
        // Its own hello come back is nobody's it waits for, and ends the connection only.
        assert!(matches!(
            world.host.state(),
            State::Error | State::Connecting
        ));
        assert!(world.admitted_nothing());
        assert_eq!(world.disk, 0);
    }
}

fn clear(body: Body) -> Vec<u8> {
    let mut bytes = body.into_bytes();
    bytes.insert(0, wire::CLEAR);
    bytes
}

fn hello(code: &InvitationCode, channel: &Channel, part: Part) -> Body {
    Body::Hello(Hello {
        version: wire::VERSION,
        kind: code.kind.number().into(),
        check: channel.hello_check(code, part).to_vec(),
    })
}

fn introduction(person: &Person, channel: &Channel) -> Body {
    Body::Introduction(Introduction {
        proof: person.proof(channel),
        display_name: person.name.into(),
    })
}

fn mutate(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let at = rng.below(bytes.len().max(1));
    match rng.below(6) {
        0 => changed.truncate(at),
        1 => changed.extend_from_slice(&[0xff; 9]),
        2 => {
            changed = vec![0; rng.below(300)];
            rng.fill(&mut changed);
        }
        3 => changed.insert(at, rng.next() as u8),
        4 => {
            changed = vec![rng.next() as u8 % 2, (rng.below(14) << 3 | 2) as u8, 200, 1];
            changed.resize(204, rng.next() as u8);
        }
        _ => {
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
    }
    changed
}
