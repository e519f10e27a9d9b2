//! Whoever guesses, relays, replays or listens in.

use super::*;

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
    let code = crate::invitation::code::tests::delegated_sample();
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
    let mut code = crate::invitation::code::tests::delegated_sample();
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
