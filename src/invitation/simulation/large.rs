//! Histories that are larger than one message, and guests of earlier versions, which take no parts.

use super::*;

/// As earlier versions of the library said it, which take a message whole or not at all.
const OLD_HELLO: &str =
    "0a26080110011a206ec2306b83af36da70d58344721eb553988fb23fd445f520a3f0c8279953f2cb";

#[test]
fn a_hello_of_an_earlier_version_is_read() {
    let hello = Body::from_bytes(&HEXLOWER.decode(OLD_HELLO.as_bytes()).unwrap());
    let Ok(Body::Hello(hello)) = hello else {
        panic!("an earlier hello is not read");
    };
    assert_eq!((hello.version, hello.kind, hello.parts), (1, 1, 0));
    let again = Body::Hello(hello).into_bytes();
    assert_eq!(HEXLOWER.encode(&again), OLD_HELLO);
}

/// Lets the guest's hello say that it takes no parts.
fn as_old_guest(number: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
    match (number, Body::from_bytes(&bytes[1..])) {
        (0, Ok(Body::Hello(hello))) => vec![clear(Body::Hello(Hello { parts: 0, ..hello }))],
        _ => vec![bytes],
    }
}

#[test]
fn a_history_larger_than_one_message_comes_in_parts() {
    for (size, messages) in [
        (limits::INVITATION_WHOLE_BYTES - 100, 1),
        (limits::INVITATION_WHOLE_BYTES, 2),
        (5 * limits::INVITATION_PART_BYTES, 6),
    ] {
        let mut world = World::new(code());
        world.admission = vec![7; size];
        world.connect();
        world.run();
        assert_eq!(world.states(), (State::Success, State::Success));
        let small = happy_messages().len();
        assert_eq!(world.delivered.len(), small - 1 + messages);
        let largest = world.delivered.iter().map(Vec::len).max();
        assert!(largest <= Some(limits::MESSAGE_BYTES));
    }
}

#[test]
fn an_older_guest_gets_what_fits_and_is_told_of_what_does_not() {
    let mut world = World::new(code());
    world.connect();
    while world.step(&mut as_old_guest) {}
    assert_eq!(world.states(), (State::Success, State::Success));
    let mut world = World::new(code());
    world.admission = vec![7; limits::INVITATION_WHOLE_BYTES];
    world.connect();
    while world.step(&mut as_old_guest) {}
    assert_eq!(world.states(), (State::Error, State::Error));
    for error in [world.host.error(), world.guest.error()] {
        assert_eq!(error.unwrap().kind(), ErrorKind::UnsupportedVersion);
    }
}

#[test]
fn a_history_larger_than_all_parts_is_refused_on_both_sides() {
    let mut world = World::new(code());
    let most = limits::INVITATION_PARTS as usize * limits::INVITATION_PART_BYTES;
    world.admission = vec![7; most];
    world.connect();
    world.run();
    assert_eq!(world.states(), (State::Error, State::Error));
    for error in [world.host.error(), world.guest.error()] {
        assert_eq!(error.unwrap().kind(), ErrorKind::LimitExceeded);
    }
}
