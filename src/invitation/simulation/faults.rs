//! What goes wrong without anybody's meaning it, and noise: lost connections, silence, restarts,
//! damaged messages.

use super::*;

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
