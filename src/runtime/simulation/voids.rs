//! What guests wrote whose admission turns out to be void: excluded on every peer alike, but for what
//! members in good standing had built on.

use super::actions;
use super::denials::{all_orders, field, object, send, state, write};
use super::hostile::{all, company_of, take};
use super::peer::Peer;
use super::random::Random;
use super::seeds;
use crate::feed::DeviceSigner;
use crate::model::{EntryId, Role, Value};
use crate::space::{EntryStatus, Ingest, SpaceCore};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How the admission comes to nothing.
#[derive(Clone, Copy)]
enum Undoing {
    /// The invitation is closed at the same time.
    Closed,
    /// Whoever opened it is removed at the same time.
    InviterRemoved,
}

/// Lets a guest in through an invitation that the host knows, with its seed.
fn let_in(host: &mut Peer, guest: &mut Peer, invitation: &DeviceSigner) {
    let certificate = guest.keyring.chain().certificate().clone();
    let role = Role::Editor;
    let signature = host
        .core()
        .sign_admission(invitation, &certificate, role)
        .unwrap();
    let (headers, entries) = host.core().control_history().unwrap();
    let (store, keyring) = (guest.store(), Arc::clone(&guest.keyring));
    let (space, entropy) = (host.core().id(), guest.entropy());
    let mut core = SpaceCore::join(space, store, keyring, entropy).unwrap();
    for header in &headers {
        core.add_feed(header).unwrap();
    }
    core.ingest(entries, &mut Ingest::default()).unwrap();
    core.write_join("guest", role, invitation.public().0, signature)
        .unwrap();
    guest.core = Some(core);
    send(guest, host);
    host.core().share_keys().unwrap();
    send(host, guest);
}

fn run(seed: u64, undoing: Undoing) {
    let folder = super::world::folder();
    let (mut peers, _) = company_of(seed, folder.path(), 9, Role::Admin);
    let mut random = Random(seed);
    write(&mut peers[0], object(1), "n", 1);
    let invitation = DeviceSigner::from_seed([7; 32]);
    // 0 founds, 1 invites, 2 lets the guest in, 3 merges, the others watch.
    let [founder, inviter, host, honest, ..] = peers.as_mut_slice() else {
        unreachable!()
    };
    send(founder, inviter);
    inviter
        .core()
        .open_invitation(&invitation, Role::Editor, 0)
        .unwrap();
    // Whoever removes the inviter does not know of the invitation, or it would stand.
    if matches!(undoing, Undoing::Closed) {
        send(inviter, founder);
    }
    for to in [host, honest] {
        send(inviter, to);
    }
    let [founder, inviter, ..] = peers.as_mut_slice() else {
        unreachable!()
    };
    match undoing {
        Undoing::Closed => inviter
            .core()
            .close_invitation(invitation.public().0)
            .unwrap(),
        Undoing::InviterRemoved => {
            let who = inviter.keyring.identity_key();
            founder.core().set_role(&who, None).unwrap();
        }
    }
    let guest = Peer::new(77, seed ^ 77, folder.path());
    what_the_guest_wrote(&mut peers, guest, &invitation, &mut random);
}

/// Lets the guest in, has it write, and the others meet.
fn what_the_guest_wrote(
    peers: &mut [Peer],
    mut guest: Peer,
    invitation: &DeviceSigner,
    random: &mut Random,
) {
    let [founder, inviter, host, honest, ..] = &mut *peers else {
        unreachable!()
    };
    let_in(host, &mut guest, invitation);
    let merged = write(&mut guest, object(1), "merged", 2);
    send(&mut guest, honest);
    let built = write(honest, object(1), "built", 3);
    let lonely = write(&mut guest, object(2), "lonely", 4);
    send(&mut guest, host);
    assert_eq!(field(host, object(2), "lonely"), Some(Value::Int(4)));
    let mut sent = all(&mut guest);
    for peer in [founder, inviter, host, honest] {
        sent.extend(all(peer));
    }
    // One who knows before it hears of the guest.
    let seen = all_orders(&mut peers[4..], &sent, random);
    let verdict = |id| {
        seen.verdicts
            .get(id)
            .map(|(status, code)| (*status, &code[..]))
    };
    for id in [&merged, &built] {
        assert_eq!(
            verdict(id).map(|(status, _)| status),
            Some(EntryStatus::Applied)
        );
    }
    assert_eq!(verdict(&lonely), Some((EntryStatus::Excluded, "void")));
    assert_eq!(seen.endorsed, BTreeSet::from([merged]));
    let watcher = &mut peers[4];
    assert_eq!(field(watcher, object(1), "built"), Some(Value::Int(3)));
    assert_eq!(field(watcher, object(2), "lonely"), None);
    for at in [0, 2, 3] {
        take(&mut peers[at], &sent);
        assert_eq!(state(&mut peers[at]), seen, "peer {at}");
    }
    take(&mut guest, &sent);
    assert!(guest.core().is_removed());
    // An admin takes over what the guest had to say.
    let (outcome, _) = peers[2].core().resubmit(&lonely, 9).unwrap();
    assert!(outcome.entry.is_some());
    assert_eq!(
        field(&mut peers[2], object(2), "lonely"),
        Some(Value::Int(4))
    );
}

#[test]
fn attack_05_what_a_guest_by_a_closed_invitation_wrote_does_not_count() {
    seeds(4, |seed| run(seed, Undoing::Closed));
}

#[test]
fn attack_08_what_a_sock_puppet_wrote_does_not_count() {
    seeds(4, |seed| run(seed, Undoing::InviterRemoved));
}

/// Members of the random runs.
const MEMBERS: usize = 4;

/// Random work, puppets and meetings: an admin lets in whom it likes, by members who know nothing yet,
/// while the founder closes its invitations or removes it. All orders lead to one state, no member in
/// good standing loses anything, and what no such member built on counts only if its author does.
fn random_run(seed: u64, tally: &mut [usize; 2]) {
    let folder = super::world::folder();
    let (mut peers, _) = company_of(seed, folder.path(), MEMBERS + 4, Role::Admin);
    let mut watchers = peers.split_off(MEMBERS);
    let mut random = Random(seed ^ 0xface);
    let inviter = peers[1].keyring.identity_key();
    let mut invitations = Vec::new();
    let mut written: Vec<(usize, EntryId)> = Vec::new();
    let mut removed = false;
    for step in 0..50u64 {
        let at = random.below(peers.len());
        let may_host = peers[at].core().own_role() >= Some(Role::Reader);
        match random.below(12) {
            0 | 1 if invitations.len() < 4 && peers[1].core().own_role().is_some() => {
                let signer = DeviceSigner::from_seed([seed as u8 ^ step as u8; 32]);
                let opened = peers[1].core().open_invitation(&signer, Role::Editor, 0);
                opened.unwrap();
                invitations.push(signer);
            }
            2 | 3 if !invitations.is_empty() && peers.len() < MEMBERS + 3 && may_host => {
                let name = 50 + peers.len();
                let mut guest = Peer::new(name, seed ^ name as u64, folder.path());
                let signer = &invitations[random.below(invitations.len())];
                let open = peers[at].core().open_invitations();
                if open.iter().any(|view| view.key == signer.public().0) {
                    let_in(&mut peers[at], &mut guest, signer);
                    peers.push(guest);
                }
            }
            4 if !invitations.is_empty() && random.once_in(2) => {
                let key = invitations[random.below(invitations.len())].public().0;
                // Unless it has not heard of the invitation, or closed it.
                let _ = peers[0].core().close_invitation(key);
            }
            5 if !removed && step > 20 => {
                let now = peers[0].now(step);
                actions::settle(&mut peers[0], now);
                peers[0].core().set_role(&inviter, None).unwrap();
                removed = true;
            }
            6..9 => {
                let to = (at + 1 + random.below(peers.len() - 1)) % peers.len();
                let [from, to] = peers.get_disjoint_mut([at, to]).unwrap();
                send(from, to);
            }
            _ => {
                let new = actions::turn(&mut peers[at], &mut random, step);
                written.extend(new.into_iter().map(|id| (at, id)));
            }
        }
    }
    everybody_agrees(&mut peers, &mut watchers, &written, &mut random, tally);
}

/// After all have met: the founder has healed the keys, and whoever is left sees one state.
fn everybody_agrees(
    peers: &mut [Peer],
    watchers: &mut [Peer],
    written: &[(usize, EntryId)],
    random: &mut Random,
    tally: &mut [usize; 2],
) {
    let mut sent = Vec::new();
    for peer in peers.iter_mut() {
        let now = peer.now(99);
        actions::settle(peer, now);
        sent.extend(all(peer));
    }
    for _ in 0..2 {
        take(&mut peers[0], &sent);
    }
    peers[0].core().share_keys().unwrap();
    sent.extend(all(&mut peers[0]));
    let seen = all_orders(watchers, &sent, random);
    for (at, id) in written {
        let (status, code) = &seen.verdicts[id];
        if at != &1 && *at < MEMBERS {
            assert_eq!(*status, EntryStatus::Applied, "entry {id} of {at}");
        }
        tally[0] += usize::from(*at >= MEMBERS && *status == EntryStatus::Applied);
        tally[1] += usize::from(code == "void");
    }
    for peer in &mut peers[..MEMBERS] {
        for _ in 0..3 {
            take(peer, &sent);
        }
        if peer.core().own_role().is_some() {
            assert_eq!(state(peer), seen);
        }
    }
}

#[test]
fn sim_puppets_divide_nobody() {
    let tally = std::sync::Mutex::new([0; 2]);
    seeds(24, |seed| {
        random_run(seed.wrapping_add(5 << 32), &mut tally.lock().unwrap())
    });
    let [counts, void] = *tally.lock().unwrap();
    assert!(counts > 0 && void > 0, "{counts} {void}");
}
