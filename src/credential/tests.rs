use super::*;
use crate::authority::tests::{Peer, World, invite_op, join_op, set_role};
use crate::authority::{ControlOp, Verdict};
use crate::feed::FeedHeader;
use crate::identity::{DeviceKeys, Keyring, RecoveryPhrase};
use crate::model::{ErrorKind, IdentityKey, Role};
use bytes::Bytes;

const NOW: u64 = 1_763_864_160_123;

/// A space with its creator, and a guest who came as reader and was made editor.
pub struct Story {
    pub world: World,
    pub creator: Peer,
    pub guest: Peer,
}

impl Story {
    pub fn tell(seed: u64) -> Story {
        let (mut world, mut creator) = World::create(seed);
        let guest = world.member(&mut creator, 1, Role::Reader);
        let _ = world.member(&mut creator, 2, Role::Admin);
        let raise = set_role(&guest, Some(Role::Editor));
        assert_eq!(world.act(&mut creator, raise), Verdict::Accepted);
        Story {
            world,
            creator,
            guest,
        }
    }

    pub fn peers(&self) -> [&Peer; 2] {
        [&self.creator, &self.guest]
    }

    pub fn statement(&self, expires_ms: Option<u64>) -> Statement {
        let said = StatementDraft {
            subject: self.guest.keyring.identity_key(),
            type_name: "diploma".into(),
            claims: Claims::new(r#"{"grade": 1, "course": "boats"}"#).unwrap(),
            issued_ms: NOW,
            expires_ms,
        };
        Statement::issue(&self.creator.keyring, said).unwrap()
    }

    /// The guest's card and membership, and what the creator says of it.
    pub fn credentials(&self) -> [Vec<u8>; 3] {
        let who = self.guest.keyring.identity_key();
        let all = evidence(&self.world, &who, &self.peers());
        let membership = Membership::of(self.world.space, who, &all).unwrap();
        [
            IdentityCard::issue(&self.guest.keyring, "Bob", NOW)
                .bytes()
                .to_vec(),
            membership.bytes().to_vec(),
            self.statement(Some(NOW + 1000)).bytes().to_vec(),
        ]
    }

    pub fn challenge(&self) -> Challenge {
        Challenge::new(vec![0x5a; 32], "https://boats.example".into()).unwrap()
    }

    pub fn presentation(&self) -> Vec<u8> {
        let shown = self.credentials().map(|c| Credential::decode(&c).unwrap());
        let keyring = &self.guest.keyring;
        Presentation::make(keyring, "Bob", &self.challenge(), &shown, NOW).unwrap()
    }
}

/// What an identity's role rests on, as bytes.
pub fn evidence(world: &World, who: &IdentityKey, peers: &[&Peer]) -> Vec<(Bytes, Bytes)> {
    let (_, entries) = world.authority.evidence(who).unwrap();
    let read = |id| {
        let sent = world.sent.iter().find(|s| s.entry.id == id).unwrap();
        let peer = peers.iter().find(|p| p.header == sent.author).unwrap();
        let header = peer.header.sign(peer.keyring.device_signer());
        (header.into(), sent.entry.bytes().clone())
    };
    entries.into_iter().map(read).collect()
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.err().expect("a refusal").kind()
}

#[test]
fn a_presentation_holds_for_its_nonce_its_audience_and_its_time_only() {
    let story = Story::tell(1);
    let bytes = story.presentation();
    let asked = story.challenge();
    let shown = Presentation::verify(&bytes, &asked, NOW).unwrap();
    assert_eq!(shown.chain.certificate().device, story.guest.header.device);
    assert_eq!((shown.name.as_str(), shown.presented_ms), ("Bob", NOW));
    let other = |nonce: u8, audience: &str| Challenge::new(vec![nonce; 32], audience.into());
    let wrong = other(0x5b, &asked.audience).unwrap();
    let wrong = Presentation::verify(&bytes, &wrong, NOW);
    assert_eq!(kind(wrong), ErrorKind::WrongNonce);
    let wrong = other(0x5a, "https://elsewhere.example").unwrap();
    let wrong = Presentation::verify(&bytes, &wrong, NOW);
    assert_eq!(kind(wrong), ErrorKind::WrongAudience);
    assert!(Presentation::verify(&bytes, &asked, NOW + 999).is_ok());
    let late = Presentation::verify(&bytes, &asked, NOW + 1000);
    assert_eq!(kind(late), ErrorKind::Expired);
    for (nonce, audience) in [(15, "x"), (65, "x"), (16, ""), (16, "a\nb")] {
        let refused = Challenge::new(vec![1; nonce], audience.into());
        assert_eq!(kind(refused), ErrorKind::InvalidArgument);
    }
    assert!(Challenge::new(vec![1; 16], "ü".repeat(256)).is_ok());
    assert!(Challenge::new(vec![1; 64], "ü".repeat(257)).is_err());
}

#[test]
fn nobody_presents_what_is_about_another() {
    let story = Story::tell(1);
    let shown = story.credentials().map(|c| Credential::decode(&c).unwrap());
    let asked = story.challenge();
    let made = Presentation::make(&story.creator.keyring, "Bob", &asked, &shown, NOW);
    assert_eq!(kind(made), ErrorKind::InvalidArgument);
    // A program of one's own can put anything together: as the creator, with the guest's card.
    let own = IdentityCard::issue(&story.creator.keyring, "Ada", NOW);
    let card = Credential::Identity(own);
    let mut bytes = Presentation::make(
        &story.creator.keyring,
        "",
        &asked,
        std::slice::from_ref(&card),
        NOW,
    )
    .unwrap();
    let len = bytes.len();
    bytes.truncate(len - 64 - card.bytes().len() - 2);
    crate::feed::codec::put_bytes(&mut bytes, shown[0].bytes());
    let signed = [b"echodb/presentation/v1", &bytes[..]].concat();
    let signature = story.creator.keyring.device_signer().sign(&signed);
    bytes.extend_from_slice(&signature);
    assert_eq!(kind(Presentation::decode(&bytes)), ErrorKind::NotCertified);
}

#[test]
fn a_signature_of_one_kind_is_none_of_another() {
    let story = Story::tell(1);
    let keyring = &story.guest.keyring;
    let mut card = IdentityCard::issue(keyring, "Bob", NOW).bytes().to_vec();
    let end = card.len() - 64;
    for domain in ["statement", "presentation", "membership"] {
        let domain = format!("echodb/credential/{domain}/v1");
        let signed = [domain.as_bytes(), &card[..end]].concat();
        let signature = keyring.device_signer().sign(&signed);
        card[end..].copy_from_slice(&signature);
        assert_eq!(kind(Credential::decode(&card)), ErrorKind::BadSignature);
    }
    let signature = story.creator.keyring.device_signer().sign(&card[..end]);
    card[end..].copy_from_slice(&signature);
    assert_eq!(kind(Credential::decode(&card)), ErrorKind::BadSignature);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let story = Story::tell(1);
    let keyring = &story.creator.keyring;
    let good = story.statement(None).said;
    let refuse = |change: fn(&mut StatementDraft)| {
        let mut said = good.clone();
        change(&mut said);
        assert_eq!(
            kind(Statement::issue(keyring, said)),
            ErrorKind::InvalidArgument
        );
    };
    refuse(|said| said.type_name.clear());
    refuse(|said| said.type_name = "a\tb".into());
    refuse(|said| said.type_name = "x".repeat(257));
    refuse(|said| said.expires_ms = Some(said.issued_ms));
    refuse(|said| said.subject = IdentityKey([0; 32]));
    let statement = story.statement(None);
    assert!(statement.check_time(u64::MAX).is_ok());
    let read = Credential::decode(statement.bytes()).unwrap();
    assert_eq!(read.bytes(), statement.bytes());
}

/// Roles that came by every way there is: by devices that were added or recovered, from admins who
/// lost their role since, and from a creator who handed over.
#[test]
fn roles_that_came_by_any_way_are_shown() {
    let (mut world, mut creator) = World::create(5);
    let mut fill = |to: &mut [u8]| {
        to.fill_with({
            let mut n = 7u8;
            move || {
                n = n.wrapping_mul(31).wrapping_add(11);
                n
            }
        })
    };
    let phrase = RecoveryPhrase::generate(&mut fill);
    let statement = creator.keyring.recovery_statement(&phrase, 1);
    let set = ControlOp::RecoverySet {
        identity: creator.header.identity,
        recovery: phrase.key(),
        statement: statement.clone(),
    };
    let keys = DeviceKeys::generate(&mut fill);
    let chain = creator.keyring.chain().clone();
    let back = Keyring::recover(keys, &phrase, &chain, &[&statement], 2, "back").unwrap();
    let mut back = Peer::new(back, world.space);
    let accept = |world: &mut World, peer: &mut Peer, op| {
        assert_eq!(world.act(peer, op), Verdict::Accepted);
    };
    accept(&mut world, &mut creator, set);
    let add = ControlOp::DeviceAdd {
        certificate: back.keyring.chain().encode(),
    };
    accept(&mut world, &mut back, add);
    // The recovered device invites an admin, who invites an editor and is removed.
    let mut admin = world.member(&mut back, 1, Role::Admin);
    accept(&mut world, &mut admin, invite_op(2, Role::Editor));
    let mut guest = world.peer();
    let join = join_op(world.space, &guest, 2, Role::Editor);
    accept(&mut world, &mut guest, join);
    accept(&mut world, &mut back, set_role(&admin, Some(Role::Reader)));
    accept(&mut world, &mut back, set_role(&admin, Some(Role::Owner)));
    let succession = ControlOp::Succession {
        identity: admin.header.identity,
    };
    accept(&mut world, &mut creator, succession);
    accept(
        &mut world,
        &mut admin,
        set_role(&creator, Some(Role::Admin)),
    );
    let down = set_role(&guest, Some(Role::Reader));
    accept(&mut world, &mut guest, down);
    let peers = [&creator, &back, &admin, &guest];
    for (peer, role) in [
        (&creator, Role::Admin),
        (&admin, Role::Owner),
        (&guest, Role::Reader),
    ] {
        let who = peer.header.identity;
        let all = evidence(&world, &who, &peers);
        let shown = Membership::of(world.space, who, &all).unwrap().shown;
        assert_eq!(shown.role, role, "{shown:?}");
        assert_eq!(world.authority.role(&who), Some(role));
    }
    let who = guest.header.identity;
    let all = evidence(&world, &who, &peers);
    let shown = Membership::of(world.space, who, &all).unwrap().shown;
    assert_eq!(shown.granted_by, who, "it stepped down itself");
    assert_eq!(shown.steps.len(), all.len());
    assert!(FeedHeader::decode(&all[0].0, world.space).is_ok());
}

/// Whoever has a role cannot show a higher one by entries that it signs itself.
#[test]
fn nobody_raises_itself_by_its_own_entries() {
    let mut story = Story::tell(9);
    let who = story.guest.header.identity;
    let all = evidence(&story.world, &who, &story.peers());
    let space = story.world.space;
    let heads = story.world.authority.heads();
    for op in [
        set_role(&story.guest, Some(Role::Owner)),
        set_role(&story.guest, Some(Role::Editor)),
        invite_op(7, Role::Reader),
        ControlOp::Succession { identity: who },
        ControlOp::Merge,
        join_op(space, &story.guest, 1, Role::Admin),
        join_op(space, &story.guest, 8, Role::Admin),
    ] {
        let forged = story.guest.write(space, heads.clone(), op, 99);
        let header = story.guest.header.sign(story.guest.keyring.device_signer());
        let mut more = all.clone();
        more.push((header.into(), forged.entry.bytes().clone()));
        let refused = Membership::of(space, who, &more);
        assert_eq!(kind(refused), ErrorKind::ChainBroken, "{:?}", forged.op);
    }
}

#[test]
fn codes_are_read_in_any_shape_and_mistakes_are_noticed() {
    let story = Story::tell(1);
    for bytes in story
        .credentials()
        .into_iter()
        .chain([story.presentation()])
    {
        let text = code::to_text(&bytes).unwrap();
        assert_eq!(*code::to_bytes(text.as_bytes()).unwrap(), bytes);
        assert_eq!(*code::to_bytes(&bytes).unwrap(), bytes);
        let wrapped: Vec<String> = text
            .to_ascii_uppercase()
            .as_bytes()
            .chunks(60)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        let wrapped = format!("  {}\n", wrapped.join("\n"));
        assert_eq!(*code::to_bytes(wrapped.as_bytes()).unwrap(), bytes);
        for end in (text.len() - 40..text.len()).chain([5, 20]) {
            let refused = code::to_bytes(&text.as_bytes()[..end]);
            assert_eq!(kind(refused), ErrorKind::InvalidArgument, "{end}");
        }
        let swapped = match text.strip_prefix("echodb-credential-") {
            Some(letters) => format!("echodb-presentation-{letters}"),
            None => text.replace("presentation", "credential"),
        };
        assert!(code::to_bytes(swapped.as_bytes()).is_err());
    }
    assert!(code::to_text(b"").is_err() && code::to_text(&[1, 2, 3]).is_err());
    for bad in ["", "echodb-join-abc", "echodb-credential-", "ü"] {
        let read = code::to_bytes(bad.as_bytes()).map(|bytes| Credential::decode(&bytes).is_ok());
        assert!(!read.unwrap_or(false), "{bad:?}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_looked_at() {
    let mut bytes = vec![type_byte::MEMBERSHIP; limits::CREDENTIAL_BYTES + 1];
    assert_eq!(kind(Credential::decode(&bytes)), ErrorKind::LimitExceeded);
    bytes = vec![type_byte::PRESENTATION; limits::PRESENTATION_BYTES + 1];
    assert_eq!(kind(Presentation::decode(&bytes)), ErrorKind::LimitExceeded);
    let mut many = vec![type_byte::MEMBERSHIP, VERSION];
    many.extend_from_slice(&[7; 64]);
    crate::feed::codec::put_varint(&mut many, limits::MEMBERSHIP_ENTRIES as u64 + 1);
    assert_eq!(kind(Credential::decode(&many)), ErrorKind::LimitExceeded);
    assert_eq!(kind(Credential::decode(&[])), ErrorKind::InvalidArgument);
    let newer = [type_byte::IDENTITY, 2];
    let newer = kind(Credential::decode(&newer));
    assert_eq!(newer, ErrorKind::UnsupportedVersion);
}
