//! Host and guest against each other in memory, and against attackers. Handshake hashes and device
//! proofs are real ones of the session layer.

mod large;

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
    /// What the host's space layer admits with.
    admission: Vec<u8>,
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
            admission: b"admission".to_vec(),
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
                        None => self.host(Event::Admitted(self.admission.clone())),
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
                    assert!(*bytes == self.admission);
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

#[test]
fn garbage_and_truncation_at_every_step_end_in_an_error() {
    let messages = happy_messages().len();
    let mut rng = Rng(5);
    for number in 0..messages {
        for round in 0..60 {
            let mut world = World::new(code());
            world.wrong_first = round % 2;
            world.connect();
            let mut changed = false;
            while world.step(&mut |n, bytes| {
                if n != number {
                    return vec![bytes];
                }
                let other = mutate(&mut rng, &bytes);
                changed = other != bytes;
                vec![other]
            }) {}
            // Nobody minds any more what becomes of the guest's last message.
            if !changed || (round % 2 == 0 && number + 1 == messages) {
                continue;
            }
            let (host, guest) = world.states();
            assert!(
                guest.is_final() && host.is_final(),
                "message {number}: {host:?} {guest:?}"
            );
            // A changed share or tag is a wrong code, and how many are left is advice: such a run
            // may still end well, with a further code.
            let message = world.delivered.get(number).and_then(|m| m.get(1..));
            let guess = matches!(
                message.and_then(|m| Body::from_bytes(m).ok()),
                Some(
                    Body::GuestShare(_)
                        | Body::HostShare(_)
                        | Body::GuestConfirmation(_)
                        | Body::WrongCode(_)
                )
            );
            let bought = guess && world.disk > 1;
            assert!(guest != State::Success || bought, "message {number}");
            assert!(world.disk <= 3 && world.host.checked_tags() <= world.disk);
        }
    }
}

#[test]
fn machines_swallow_pure_noise() {
    let mut rng = Rng(11);
    for _ in 0..2000 {
        let mut world = World::new(code());
        world.connect();
        for _ in 0..4 {
            let mut noise = vec![0; rng.below(200)];
            rng.fill(&mut noise);
            world.host(Event::Message(noise.clone()));
            world.guest(Event::Message(noise));
        }
        assert_eq!(world.states(), (State::Error, State::Error));
        assert_eq!(world.disk, 0);
    }
}

/// Runs until `number` steps (messages or entered codes) have happened.
fn at_step(number: usize) -> World {
    let mut world = World::new(code());
    world.connect();
    for _ in 0..number {
        world.step(&mut |_, bytes| vec![bytes]);
    }
    world
}

const STEPS: usize = 14;

#[test]
fn cancelling_at_any_step_reaches_the_other_side() {
    for number in 0..STEPS {
        let mut world = at_step(number);
        let before = world.states();
        world.guest(Event::Cancel);
        world.run();
        match before.1 {
            State::Success => assert_eq!(world.states(), (State::Success, State::Success)),
            _ => {
                assert_eq!(world.guest.state(), State::Cancelled);
                let host = world.host.state();
                // Once the last bytes are sent the guest is a member.
                assert!(
                    matches!(host, State::Cancelled | State::Success),
                    "step {number}: {host:?}"
                );
            }
        }

        let mut world = at_step(number);
        world.host(Event::Cancel);
        world.run();
        let (host, guest) = world.states();
        assert_eq!(host, guest, "step {number}");
        assert!(matches!(host, State::Cancelled | State::Success));
    }
    let mut world = World::new(code());
    world.guest(Event::Cancel);
    assert_eq!(world.guest.state(), State::Cancelled);
    assert_eq!(world.guest.error().unwrap().kind(), ErrorKind::Cancelled);
    assert!(
        !world.guest_did.contains(&Effect::Close),
        "there is nothing to close"
    );
}

#[test]
fn a_silent_peer_runs_into_the_timeout_but_a_slow_user_does_not() {
    let late = START + limits::INVITATION_STEP_MS;
    for number in 0..STEPS {
        let mut world = at_step(number);
        let (host, guest) = world.states();
        world.host(Event::Tick(late - 1));
        world.guest(Event::Tick(late - 1));
        assert_eq!(world.states(), (host, guest));
        world.host(Event::Tick(late));
        world.guest(Event::Tick(late));
        for (before, after) in [(host, world.host.state()), (guest, world.guest.state())] {
            match before {
                State::ReadyForAuthentication | State::Success => assert_eq!(after, before),
                _ => assert!(
                    matches!(after, State::Timeout | State::Success),
                    "step {number}: {after:?}"
                ),
            }
        }
    }
    let mut world = World::new(code());
    world.host(Event::Tick(late));
    assert_eq!(
        world.host.state(),
        State::Connecting,
        "waiting for a guest is no step"
    );
}

#[test]
fn expiry_and_the_callers_own_timeout() {
    let expires = code().expires_ms;
    for number in 0..6 {
        let mut world = at_step(number);
        if world.host.state() != State::ReadyForAuthentication {
            continue;
        }
        world.host(Event::Tick(expires));
        assert_eq!(world.host.state(), State::Expired);
        world.run();
        assert_eq!(world.guest.state(), State::Expired);
        assert_eq!(
            world.guest.error().unwrap().kind(),
            ErrorKind::InvitationRefused
        );
    }
    let mut setup = Person::host().setup(code());
    setup.timeout_ms = Some(1000);
    let mut host = Host::new(setup).unwrap();
    host.start();
    host.handle(Event::Tick(START + 999), &mut |_| ());
    assert_eq!(host.state(), State::Connecting);
    host.handle(Event::Tick(START + 1000), &mut |_| ());
    assert_eq!(host.state(), State::Timeout);
    assert_eq!(host.error().unwrap().kind(), ErrorKind::TimedOut);
}

#[test]
fn a_broken_connection_leads_back_to_connecting() {
    for number in 0..STEPS {
        let mut world = at_step(number);
        let tags = world.disk;
        world.disconnect();
        let (host, guest) = world.states();
        if guest == State::Success {
            continue;
        }
        assert_eq!(guest, State::Connecting, "step {number}");
        assert_eq!(world.disk, tags);
        if host == State::Success {
            continue;
        }
        assert_eq!(host, State::Connecting);
        world.connect();
        world.run();
        assert_eq!(
            world.states(),
            (State::Success, State::Success),
            "step {number}"
        );
        assert_eq!(world.disk, tags + 1);
    }
}

#[test]
fn a_connection_that_replaces_another_starts_over() {
    let mut world = at_step(5);
    world.connect();
    world.run();
    assert_eq!(world.states(), (State::Success, State::Success));
}

#[test]
fn a_host_that_never_answers_gets_three_tags_at_most() {
    let mut world = World::new(code());
    let mut tags = 0;
    for _ in 0..10 {
        world.connect();
        for _ in 0..20 {
            world.step(&mut |_, bytes| vec![bytes]);
            let tag = world.to_host.pop_front_if(|m| {
                matches!(Body::from_bytes(&m[1..]), Ok(Body::GuestConfirmation(_)))
            });
            if tag.is_some() {
                tags += 1;
                break;
            }
        }
        world.disconnect();
    }
    assert_eq!(
        (tags, world.guest.state(), world.disk),
        (3, State::Error, 0)
    );
}

/// A stale answer of the store must not release the check of a later tag.
#[test]
fn only_the_right_answer_of_the_store_releases_the_check() {
    let mut attacker = Attacker::new(unpinned());
    let mut host = Host::new(Person::host().setup(unpinned())).unwrap();
    let first = attacker.guess(&mut host).unwrap();
    host.handle(Event::Disconnected, &mut |_| ());
    let second = attacker.guess(&mut host).unwrap();
    assert_ne!(first, second);
    let stale = Event::CounterPersisted {
        attempt: first,
        used: 1,
    };
    assert_eq!(host.handle(stale, &mut |_| ()), []);
    assert_eq!(host.checked_tags(), 0);
    let right = Event::CounterPersisted {
        attempt: second,
        used: 2,
    };
    host.handle(right, &mut |_| ());
    assert_eq!(host.checked_tags(), 1);

    let failed = attacker.guess(&mut host).unwrap();
    assert_eq!(failed, 3);
    let error = Error::new(ErrorKind::Storage, "disk full");
    host.handle(Event::CounterFailed(error.clone()), &mut |_| ());
    assert_eq!((host.error(), host.checked_tags()), (Some(&error), 1));
}

/// Somebody who has the invitation's text, but never sees the host's screen.
struct Attacker {
    rng: Rng,
    me: Person,
    code: InvitationCode,
}

impl Attacker {
    fn new(code: InvitationCode) -> Attacker {
        Attacker {
            rng: Rng(1234),
            me: Person::new("Gustav", 66),
            code,
        }
    }

    fn feed(&mut self, host: &mut Host, event: Event) -> Vec<Effect> {
        let rng = &mut self.rng;
        host.handle(event, &mut |bytes| rng.fill(bytes))
    }

    /// Connects and sends one wrong tag; the number of the attempt that the host wants stored.
    fn guess(&mut self, host: &mut Host) -> Option<u32> {
        let (mine, theirs) = connect(&mut self.rng);
        let proof = Person::host().proof(&theirs);
        self.feed(
            host,
            Event::Connected {
                channel: theirs,
                proof,
            },
        );
        let inputs = Inputs {
            password: b"000000",
            channel: b"",
            session_id: b"",
        };
        let random = draw_secret(&mut |bytes| self.rng.fill(bytes));
        let run = Run::start(Side::Initiator, inputs, Vec::new(), &random).unwrap();
        let share = run.share().to_vec();
        let mut last = Vec::new();
        for body in [
            hello(&self.code, &mine, Part::Guest),
            introduction(&self.me, &mine),
            Body::GuestShare(share),
            Body::GuestConfirmation(vec![0; 64]),
        ] {
            last = self.feed(host, Event::Message(clear(body)));
        }
        last.into_iter().find_map(|effect| match effect {
            Effect::PersistAttempt { attempt } => Some(attempt),
            _ => None,
        })
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
        parts: 0,
    })
}

fn introduction(person: &Person, channel: &Channel) -> Body {
    Body::Introduction(Introduction {
        proof: person.proof(channel),
        display_name: person.name.into(),
    })
}

/// Ten thousand guesses, of which many arrive at once at hosts that know nothing of each other,
/// and with a host that is killed between storing and checking.
#[test]
fn attack_03_ten_thousand_guesses_get_three_tags_checked() {
    let mut attacker = Attacker::new(unpinned());
    let setup = || Person::host().setup(unpinned());
    let (mut disk, mut checked, mut guesses) = (0u32, 0u32, 0u32);
    let mut hosts: Vec<Host> = (0..100).map(|_| Host::new(setup()).unwrap()).collect();
    let attempts: Vec<_> = hosts.iter_mut().map(|h| attacker.guess(h)).collect();
    for (i, (host, attempt)) in hosts.iter_mut().zip(attempts).enumerate() {
        guesses += 1;
        disk += 1;
        if i == 0 {
            continue; // killed before the answer
        }
        let attempt = attempt.unwrap();
        attacker.feed(
            host,
            Event::CounterPersisted {
                attempt,
                used: disk,
            },
        );
        checked += host.checked_tags();
    }
    assert_eq!(checked, 2, "one of the three went with the killed host");
    while guesses < 10_000 {
        guesses += 1;
        let Ok(mut host) = Host::resume(setup(), disk) else {
            continue;
        };
        attacker.guess(&mut host);
        checked += host.checked_tags();
    }
    for host in hosts.iter_mut().skip(1) {
        guesses += 1;
        if let Some(attempt) = attacker.guess(host) {
            disk += 1;
            let before = host.checked_tags();
            attacker.feed(
                host,
                Event::CounterPersisted {
                    attempt,
                    used: disk,
                },
            );
            assert_eq!(host.checked_tags(), before);
            assert_eq!(host.state(), State::Error);
        }
    }
    assert!(checked <= limits::CODES_PER_INVITATION && guesses >= 10_000);
}

/// A signalling server that makes both sides connect to itself.
struct Relay {
    to_host: (Channel, Channel),
    to_guest: (Channel, Channel),
}

impl Relay {
    fn between(world: &mut World) -> Relay {
        let relay = Relay {
            to_host: connect(&mut world.rng),
            to_guest: connect(&mut world.rng),
        };
        let channel = relay.to_host.1;
        let proof = Person::host().proof(&channel);
        world.host(Event::Connected { channel, proof });
        let channel = relay.to_guest.1;
        let proof = Person::guest().proof(&channel);
        world.guest(Event::Connected { channel, proof });
        relay
    }
}

#[test]
fn a_relay_without_the_invitation_fails_at_the_first_message() {
    let mut world = World::new(code());
    Relay::between(&mut world);
    world.run();
    assert_eq!(world.states(), (State::Error, State::Error));
    assert!(world.admitted_nothing());
    assert_eq!((world.disk, world.shown.is_some()), (0, false));
}

/// The relay has the invitation's text. Hello and introduction it must make itself, since both are
/// bound to its two sessions; `change` is what it does to the rest.
fn relayed(code: InvitationCode, mut change: impl FnMut(Body) -> Option<Body>) -> World {
    let mallory = Person::new("Hanna", 66);
    let mut world = World::new(code.clone());
    let relay = Relay::between(&mut world);
    while world.to_host.len() + world.to_guest.len() > 0 || {
        let ready = world.guest.state() == State::ReadyForAuthentication;
        let first = world.disk == 0 && world.shown.is_some();
        if ready && first {
            world.enter();
        }
        ready && first
    } {
        let mut pass = |bytes: Vec<u8>, mine: &Channel, part| {
            let body = bytes.get(1..).and_then(|b| Body::from_bytes(b).ok())?;
            match body {
                Body::Hello(_) => Some(hello(&code, mine, part)),
                Body::Introduction(_) => Some(introduction(&mallory, mine)),
                other => change(other),
            }
        };
        if let Some(bytes) = world.to_host.pop_front() {
            if let Some(body) = pass(bytes, &relay.to_host.0, Part::Guest) {
                world.host(Event::Message(clear(body)));
            }
        } else if let Some(bytes) = world.to_guest.pop_front()
            && let Some(body) = pass(bytes, &relay.to_guest.0, Part::Host)
        {
            world.guest(Event::Message(clear(body)));
        }
    }
    world
}

#[test]
fn a_relay_with_the_invitation_is_not_the_device_that_the_code_names() {
    let world = relayed(code(), Some);
    assert_eq!(world.guest.state(), State::Error);
    assert_ne!(world.host.state(), State::Success);
    assert!(world.admitted_nothing());
    assert_eq!(
        world.disk, 0,
        "the guest's user was never asked for the code"
    );
}

#[test]
fn a_relay_that_forwards_the_password_exchange_burns_one_code_and_learns_nothing() {
    // It hides from the guest that the code was wrong, and makes up a confirmation instead.
    let mut world = relayed(unpinned(), |body| match body {
        Body::WrongCode(_) => Some(Body::HostConfirmation(vec![7; 64])),
        other => Some(other),
    });
    assert_eq!(world.guest.state(), State::Error);
    world.host(Event::Disconnected);
    assert_ne!(world.host.state(), State::Success);
    assert!(world.admitted_nothing());
    assert_eq!((world.disk, world.host.checked_tags()), (1, 1));
    // The words would have told the two people.
    let (at_host, at_guest) = (words(&world.host_did), words(&world.guest_did));
    assert!(at_host.len() == 1 && at_guest.len() == 1);
    assert_ne!(at_host, at_guest);
    // Forwarding everything as it comes.
    let mut world = relayed(unpinned(), Some);
    world.host(Event::Disconnected);
    world.guest(Event::Disconnected);
    assert!(world.admitted_nothing());
    assert_eq!((world.disk, world.host.checked_tags()), (1, 1));
}

#[test]
fn a_relay_that_substitutes_shares_burns_one_code_and_learns_nothing() {
    let mut rng = Rng(3);
    let mut run = |side| {
        let inputs = Inputs {
            password: b"000000",
            channel: b"guessed",
            session_id: b"guessed",
        };
        let random = draw_secret(&mut |bytes| rng.fill(bytes));
        Run::start(side, inputs, Vec::new(), &random)
            .unwrap()
            .share()
            .to_vec()
    };
    let (as_guest, as_host) = (run(Side::Initiator), run(Side::Responder));
    let world = relayed(unpinned(), |body| match body {
        Body::GuestShare(_) => Some(Body::GuestShare(as_guest.clone())),
        Body::HostShare(_) => Some(Body::HostShare(as_host.clone())),
        Body::WrongCode(_) => Some(Body::HostConfirmation(vec![7; 64])),
        other => Some(other),
    });
    assert_eq!(world.guest.state(), State::Error);
    assert!(world.admitted_nothing());
    assert_eq!((world.disk, world.host.checked_tags()), (1, 1));
}

/// A world for a delegated invitation: any member plays the host.
fn delegated_world() -> World {
    let code = super::code::tests::delegated_sample();
    let mut world = World::new(code.clone());
    let mut theirs = code;
    let key = *theirs.mode.bearer().unwrap().key();
    theirs.mode = Mode::Delegated(Bearer::public(key));
    world.host = Host::new(Person::host().setup(theirs)).unwrap();
    world.host.start();
    world
}

#[test]
fn whoever_has_a_delegated_code_is_let_in_without_another() {
    let mut world = delegated_world();
    world.connect();
    world.run();
    assert_eq!(world.states(), (State::Success, State::Success));
    assert_eq!((world.disk, world.shown.is_some()), (0, false));
    assert!(words(&world.host_did).is_empty());
    let leaked = |m: &&Vec<u8>| m.windows(9).any(|w| w == b"admission");
    assert_eq!(world.delivered.iter().filter(leaked).count(), 0);
}

#[test]
fn a_changed_message_of_a_delegated_invitation_lets_nobody_in() {
    let messages = {
        let mut world = delegated_world();
        world.connect();
        world.run();
        world.delivered.len()
    };
    let mut rng = Rng(17);
    for number in 0..messages - 1 {
        for _ in 0..40 {
            let mut world = delegated_world();
            world.connect();
            let mut changed = false;
            while world.step(&mut |n, bytes| {
                if n != number {
                    return vec![bytes];
                }
                let other = mutate(&mut rng, &bytes);
                changed = other != bytes;
                vec![other]
            }) {}
            // The introductions carry, beside the proofs, names that are shown; those are protected
            // by the session around these messages, and only by it.
            let names = (2..=3).contains(&number);
            assert!(
                !changed || names || world.guest.state() != State::Success,
                "{number}"
            );
        }
    }
}

/// Who has the room but not the seed: another member, who knows the public key.
#[test]
fn a_delegated_invitation_without_its_seed_is_worth_nothing() {
    let mut world = delegated_world();
    let other = Bearer::from_seed([6; 32]);
    let mut code = super::code::tests::delegated_sample();
    code.mode = Mode::Delegated(other);
    // The same room, so that the greeting is right.
    world.guest = Guest::new(Person::guest().setup(code)).unwrap();
    world.guest.start();
    world.connect();
    world.run();
    assert_eq!(world.states(), (State::Error, State::Error));
    assert!(world.admitted_nothing());
}

#[test]
fn two_guests_or_two_hosts_who_meet_hang_up_and_go_on() {
    let mut world = World::new(code());
    let (a, b) = connect(&mut world.rng);
    let proof = Person::guest().proof(&a);
    world.guest(Event::Connected { channel: a, proof });
    let fellow = clear(hello(&code(), &b, Part::Guest));
    world.guest(Event::Message(fellow));
    assert_eq!(world.guest.state(), State::Connecting);
    assert_eq!(
        world.guest_did.last(),
        Some(&Effect::State(State::Connecting))
    );
    assert!(world.guest_did.contains(&Effect::Close));
    world.connect();
    world.run();
    assert_eq!(world.states(), (State::Success, State::Success));
}
