//! Several members: comings and goings, newcomers, and members who never meet.

mod support;

use echodb::{Client, ClientOptions, InviteOptions, JoinOptions, Space};
use std::path::Path;
use std::sync::Arc;
use support::{PATIENCE, Signal, client, converge, pair, pair_with, wait};

/// A small generator with a seed, so that a failing run can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
fn five_members_converge_whoever_is_offline_when() {
    let signal = Signal::start();
    let clients: Vec<_> = ["Ada", "Bob", "Cem", "Dan", "Eve"]
        .map(|name| client(name, &signal))
        .into();
    let first = clients[0].create_space("{}".into()).unwrap();
    let shared = first
        .create(None, r#"{"n": {"@counter": 0}}"#.into())
        .unwrap();
    let mut spaces: Vec<Arc<Space>> = vec![Arc::clone(&first)];
    for (n, guest) in clients.iter().enumerate().skip(1) {
        // Each newcomer but the first comes while an earlier guest is away.
        if n > 1 {
            clients[n - 1].set_online(false).unwrap();
        }
        spaces.push(pair(&first, guest));
        clients[n - 1].set_online(true).unwrap();
    }
    for space in &spaces {
        converge(&first, space);
        wait("everybody knows everybody", || {
            space.members().unwrap().len() == 5
        });
    }
    let mut dice = Dice(7);
    let mut online = [true; 5];
    let (mut increments, mut objects) = (0, 1);
    for _ in 0..120 {
        let who = dice.roll(5) as usize;
        match dice.roll(8) {
            0 => {
                online[who] = !online[who];
                clients[who].set_online(online[who]).unwrap();
            }
            1 => {
                let tx = spaces[who].transaction();
                tx.increment(shared.clone(), "n".into(), 1).unwrap();
                tx.commit().unwrap();
                increments += 1;
            }
            _ => {
                let fields = format!(r#"{{"by": {who}, "at": {}}}"#, dice.roll(1000));
                spaces[who].create(Some("Item".into()), fields).unwrap();
                objects += 1;
            }
        }
    }
    for client in &clients {
        client.set_online(true).unwrap();
    }
    let expected = format!(r#"{{"n":{{"@counter":{increments}}}}}"#);
    for space in &spaces {
        wait("every increment is everywhere", || {
            space.get(shared.clone()).unwrap().unwrap().fields == expected
        });
    }
    for space in &spaces {
        wait("every object is everywhere", || {
            space.status().unwrap().objects == objects
        });
        converge(&first, space);
        assert_eq!(space.status().unwrap().quarantined, 0);
    }
}

/// A client with a profile and exactly these signalling servers.
fn client_with(dir: &Path, name: &str, signals: &[&Signal]) -> Arc<Client> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        signaling: signals.iter().map(|signal| signal.url.clone()).collect(),
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    if client.identity().is_none() {
        client.create_identity(name.into()).unwrap();
    }
    client
}

#[test]
fn a_member_in_the_middle_passes_on_what_it_gets() {
    let (left, right) = (Signal::start(), Signal::start());
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let ada = client_with(dirs[0].path(), "Ada", &[&left]);
    let bob = client_with(dirs[1].path(), "Bob", &[&left, &right]);
    let cem = client_with(dirs[2].path(), "Cem", &[&left]);
    let here = ada.create_space("{}".into()).unwrap();
    // A code that names servers would teach them to the guest.
    let options = InviteOptions {
        include_signaling: false,
        ..InviteOptions::default()
    };
    let middle = pair_with(&here, &bob, options.clone(), JoinOptions::default());
    pair_with(&here, &cem, options, JoinOptions::default());
    cem.shutdown().unwrap();
    let cem = client_with(dirs[2].path(), "Cem", &[&right]);
    let there = cem.space(here.id()).unwrap();

    let from_here = here.create(None, r#"{"from": "left"}"#.into()).unwrap();
    wait("it arrives at the far end", || {
        there.get(from_here.clone()).unwrap().is_some()
    });
    let from_there = there.create(None, r#"{"from": "right"}"#.into()).unwrap();
    wait("it arrives here", || {
        here.get(from_there.clone()).unwrap().is_some()
    });
    converge(&here, &middle);
    converge(&middle, &there);
    // The far member was on the left until it was admitted; a connection that its end cut short is
    // given up after a while.
    wait("they meet in the middle only", || {
        let peers = |space: &Space| space.status().unwrap().peers;
        let names = |space| {
            peers(space)
                .into_iter()
                .map(|peer| peer.name)
                .collect::<Vec<_>>()
        };
        names(&here) == ["Bob"] && names(&there) == ["Bob"]
    });

    // A newcomer on the left is known on the right too, and reads and writes there.
    let dan = client("Dan", &left);
    let fourth = pair(&here, &dan);
    let from_new = fourth.create(None, r#"{"from": "new"}"#.into()).unwrap();
    wait("the newcomer's object is at the far end", || {
        there.get(from_new.clone()).unwrap().is_some()
    });
    assert_eq!(there.members().unwrap().len(), 4);
    let start = std::time::Instant::now();
    while there.status().unwrap().waiting_for_key > 0 {
        assert!(start.elapsed() < PATIENCE);
    }
}

/// What was sent while one side had the space closed is not lost to it, and neither side waits for
/// the other: with changes meanwhile at either side, at both, at none, and while it goes on.
#[test]
fn a_space_that_is_closed_and_opened_again_goes_on() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let here = ada.create_space("{}".into()).unwrap();
    let there = pair(&here, &bob);
    converge(&here, &there);
    let arrives = |from: &Arc<Space>, to: &Arc<Space>, what: &str| {
        let id = from
            .create(None, format!(r#"{{"what": "{what}"}}"#))
            .unwrap();
        wait(what, || to.get(id.clone()).unwrap().is_some());
    };
    for pause in [0, 30, 300] {
        there.close().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        let missed = here.create(None, r#"{"while": "closed"}"#.into()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        there.open().unwrap();
        // Nothing is written that could show that something lacks.
        wait("what was sent meanwhile", || {
            there.get(missed.clone()).unwrap().is_some()
        });
        converge(&here, &there);
        there.close().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        there.open().unwrap();
        arrives(&there, &here, "from whom it was closed");
        arrives(&here, &there, "to whom it was closed");
    }
    // Closed when the two met, by another space, and opened with nothing new at either side.
    pair(&ada.create_space("{}".into()).unwrap(), &bob);
    there.close().unwrap();
    bob.set_online(false).unwrap();
    bob.set_online(true).unwrap();
    wait("they meet", || bob.status().peers > 0);
    there.open().unwrap();
    arrives(&there, &here, "from whom it was closed when they met");
    // Both at once, and then first the one and then the other.
    for space in [&here, &there, &here] {
        here.close().unwrap();
        there.close().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        space.open().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        here.open().unwrap();
        there.open().unwrap();
        arrives(&there, &here, "from the other side");
        arrives(&here, &there, "from this side");
        converge(&here, &there);
    }
    // While much is on its way.
    for n in 0..300 {
        here.create(
            None,
            format!(r#"{{"n": {n}, "much": "{}"}}"#, "x".repeat(20_000)),
        )
        .unwrap();
        if n % 60 == 30 {
            there.close().unwrap();
            there.open().unwrap();
            assert!(bob.status().peers > 0, "the connection holds");
        }
    }
    converge(&here, &there);
    assert_eq!(there.status().unwrap().quarantined, 0);
}
