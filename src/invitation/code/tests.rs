//! Codes: what they look like, and what is refused.

use super::*;
use data_encoding::HEXLOWER;
use std::fmt::Write;

/// A code for tests; it ends at the instant 2,000,000,000,000 ms.
pub(crate) fn sample(kind: InvitationKind) -> InvitationCode {
    InvitationCode {
        kind,
        mode: Mode::Interactive,
        rendezvous: *b"0123456789abcdef",
        host_fingerprint: host_fingerprint(&DeviceKey([7; 32])),
        space_hint: space_hint(&SpaceId([8; 32])),
        expires_ms: 2_000_000_000_000,
        signaling: Vec::new(),
    }
}

/// A delegated one.
pub(crate) fn delegated_sample() -> InvitationCode {
    let bearer = Bearer::from_seed([5; 32]);
    let mut code = sample(InvitationKind::Space);
    code.rendezvous = bearer.rendezvous();
    code.mode = Mode::Delegated(bearer);
    code.host_fingerprint = [0; 8];
    code
}

/// Codes of version 2.
fn newer_samples() -> Vec<InvitationCode> {
    let mut multi_use = sample(InvitationKind::Space);
    multi_use.mode = Mode::MultiUse;
    let mut with_urls = delegated_sample();
    with_urls.signaling = vec!["wss://signal.example/".into()];
    vec![multi_use, delegated_sample(), with_urls]
}

fn samples() -> Vec<InvitationCode> {
    let mut with_urls = sample(InvitationKind::Space);
    with_urls.signaling = vec!["wss://signal.example/".into(), "ws://[::1]:9000".into()];
    with_urls.host_fingerprint = [0; 8];
    let space = sample(InvitationKind::Space);
    vec![space, sample(InvitationKind::Device), with_urls]
}

#[test]
fn golden_files() {
    let first = include_str!("../../../tests/golden/invitation_codes.txt");
    golden_file(samples(), first);
    let second = include_str!("../../../tests/golden/invitation_codes_2.txt");
    golden_file(newer_samples(), second);
}

fn golden_file(codes: Vec<InvitationCode>, golden: &str) {
    let mut lines = String::new();
    for code in codes {
        let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
        writeln!(lines, "kind {}", code.kind.word()).unwrap();
        writeln!(lines, "rendezvous {}", hex(&code.rendezvous)).unwrap();
        writeln!(lines, "host {}", hex(&code.host_fingerprint)).unwrap();
        writeln!(lines, "space {}", hex(&code.space_hint)).unwrap();
        writeln!(lines, "expires {}", code.expires_ms).unwrap();
        writeln!(lines, "signaling {}", code.signaling.join(" ")).unwrap();
        writeln!(lines, "text {}", code.to_text().unwrap()).unwrap();
        writeln!(lines, "url {}", code.to_url().unwrap()).unwrap();
        writeln!(lines, "topic {}", hex(&code.topic())).unwrap();
        writeln!(lines, "seal {}\n", hex(&code.seal_key())).unwrap();
    }
    assert_eq!(
        lines, golden,
        "the format of codes must not change:\n{lines}"
    );
}

#[test]
fn text_and_url_round_trip_as_people_type_them() {
    for code in [samples(), newer_samples()].concat() {
        let text = code.to_text().unwrap();
        for input in [
            text.clone(),
            text.to_uppercase(),
            format!("  {text}\n"),
            code.to_url().unwrap(),
            code.to_url().unwrap() + "/",
            code.to_qr_text().unwrap(),
            text.replace("-1", "-l").replace('0', "o"),
        ] {
            assert_eq!(InvitationCode::parse(&input).unwrap(), code, "{input}");
        }
    }
    let text = sample(InvitationKind::Space).to_text().unwrap();
    assert!(text.len() <= 96, "{} characters: {text}", text.len());
}

#[test]
fn each_wrong_code_is_refused_for_its_reason() {
    let text = sample(InvitationKind::Space).to_text().unwrap();
    let mut bad: Vec<(String, &str)> = vec![
        ("hello".into(), "not an invitation code"),
        (String::new(), "not an invitation code"),
        ("https://example.org/x".into(), "not an invitation code"),
        ("echodb-jo".into(), "incomplete"),
        ("echodb-join-".into(), "incomplete"),
        (text.replacen("echodb", "dxos", 1), "not an invitation code"),
        (text.replacen("join", "link", 1), "mistyped"),
        (format!("{text}00000000"), "mistyped"),
        (format!("{text}!"), "mistyped"),
        ("x".repeat(3000), "too long"),
        (format!("{text}é"), "mistyped"),
    ];
    let body = "echodb-join-".len();
    for cut in body..text.len() - 1 {
        bad.push((text[..cut].to_owned(), "incomplete"));
    }
    for (input, reason) in bad {
        let error = InvitationCode::parse(&input).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvitationRefused, "{input}");
        assert!(error.detail().contains(reason), "{input}: {error}");
    }
}

#[test]
fn every_single_mistyped_letter_is_noticed() {
    for code in [samples(), newer_samples()].concat() {
        let text = code.to_text().unwrap();
        for at in "echodb-join-".len()..text.len() {
            for c in "0123456789abcdefghjkmnpqrstvwxyzilou!é".chars() {
                let mut input: String = text[..at].to_owned();
                input.push(c);
                input.push_str(&text[at + 1..]);
                if let Ok(read) = InvitationCode::parse(&input) {
                    assert_eq!(read, code, "{input}");
                }
            }
        }
    }
}

#[test]
fn a_newer_version_is_told_from_a_mistyped_code() {
    let mut bytes = sample(InvitationKind::Space).to_bytes().unwrap();
    bytes.truncate(bytes.len() - CHECKSUM_BYTES);
    bytes[0] = 3;
    bytes.extend_from_slice(b"whatever comes then");
    let checksum = checksum_of(InvitationKind::Space, &bytes);
    bytes.extend_from_slice(&checksum);
    let text = format!("echodb-join-{}", LETTERS.encode(&bytes));
    let error = InvitationCode::parse(&text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
}

/// A version 2 code of `kind` with `mode` and what follows it up to the checksum.
fn second_version(kind: InvitationKind, mode: u8, rest: &[u8]) -> Result<InvitationCode> {
    let mut bytes = vec![2, 0, 0, mode];
    bytes.extend_from_slice(rest);
    let checksum = checksum_of(kind, &bytes);
    bytes.extend_from_slice(&checksum);
    let letters = LETTERS.encode(&bytes);
    InvitationCode::parse(&format!("echodb-{}-{letters}", kind.word()))
}

#[test]
fn modes_that_are_none_and_modes_of_the_wrong_kind_are_refused() {
    let short = [1; 16 + 22];
    let long = [1; 32 + 22];
    second_version(InvitationKind::Space, Mode::MULTI_USE, &short).unwrap();
    second_version(InvitationKind::Space, Mode::DELEGATED, &long).unwrap();
    for (kind, mode, rest, expected) in [
        (
            InvitationKind::Space,
            0,
            &short[..],
            ErrorKind::UnsupportedVersion,
        ),
        (
            InvitationKind::Space,
            4,
            &short,
            ErrorKind::UnsupportedVersion,
        ),
        // One form for each value: an interactive code is of version 1.
        (
            InvitationKind::Space,
            Mode::INTERACTIVE,
            &short,
            ErrorKind::InvitationRefused,
        ),
        (
            InvitationKind::Space,
            Mode::MULTI_USE,
            &long,
            ErrorKind::InvitationRefused,
        ),
        (
            InvitationKind::Space,
            Mode::DELEGATED,
            &short,
            ErrorKind::InvitationRefused,
        ),
        // A device is never added by a code alone, nor are several by one.
        (
            InvitationKind::Device,
            Mode::MULTI_USE,
            &short,
            ErrorKind::InvitationRefused,
        ),
        (
            InvitationKind::Device,
            Mode::DELEGATED,
            &long,
            ErrorKind::InvitationRefused,
        ),
    ] {
        let error = second_version(kind, mode, rest).unwrap_err();
        assert_eq!(error.kind(), expected, "{kind:?} {mode}: {error}");
    }
}

#[test]
fn members_find_the_room_of_a_delegated_invitation_and_cannot_make_its_code() {
    let code = delegated_sample();
    let mut theirs = code.clone();
    let key = *code.mode.bearer().unwrap().key();
    theirs.mode = Mode::Delegated(Bearer::public(key));
    theirs.rendezvous = Bearer::public(key).rendezvous();
    assert_eq!(theirs.topic(), code.topic());
    assert_eq!(theirs.seal_key(), code.seal_key());
    assert!(theirs.to_text().is_err());
    assert!(!format!("{code:?}").contains("5, 5"), "{code:?}");
}

#[test]
fn a_fitting_checksum_over_nonsense_is_refused() {
    let good = sample(InvitationKind::Space).to_bytes().unwrap();
    let fixed = &good[..FIXED_BYTES];
    for (length, tail) in [
        (0u16, vec![0]),
        (1, vec![]),
        (1, vec![9]),
        (2, vec![1, 0xff]),
        (2, vec![1, b'x']),
        (50, b"\x09wss://a.b".repeat(5)),
    ] {
        let mut bytes = fixed.to_vec();
        bytes[1..3].copy_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&tail);
        let checksum = checksum_of(InvitationKind::Space, &bytes);
        bytes.extend_from_slice(&checksum);
        let url = format!("echodb://join/{}", LETTERS.encode(&bytes));
        let error = InvitationCode::parse(&url).unwrap_err();
        assert!(error.detail().contains("not made by"), "{error}");
    }
}

#[test]
fn kinds_do_not_mix() {
    let space = sample(InvitationKind::Space);
    let device = sample(InvitationKind::Device);
    assert_ne!(space.topic(), device.topic());
    assert_ne!(space.seal_key(), device.seal_key());
    assert_ne!(space.topic(), space.seal_key());
    for (code, wrong, reason) in [
        (&space, InvitationKind::Device, "invitation to a space"),
        (&device, InvitationKind::Space, "device code"),
    ] {
        let text = code.to_text().unwrap();
        assert_eq!(&InvitationCode::parse_as(&text, code.kind).unwrap(), code);
        let error = InvitationCode::parse_as(&text, wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvitationRefused);
        assert!(error.detail().contains(reason), "{error}");
    }
}

#[test]
fn expiry_and_limits() {
    let mut code = sample(InvitationKind::Space);
    code.check_expiry(code.expires_ms - 1).unwrap();
    assert!(code.check_expiry(code.expires_ms).is_err());
    code.signaling = vec!["http://x".into()];
    assert!(code.to_text().is_err());
    code.signaling = vec!["wss://x".into(); SIGNALING_URLS + 1];
    assert!(code.to_text().is_err());
    code.signaling = vec![format!("wss://{}", "x".repeat(194)); SIGNALING_URLS];
    let url = code.to_url().unwrap();
    assert!(url.len() < TEXT_BYTES);
    assert_eq!(InvitationCode::parse(&url).unwrap(), code);
    code.expires_ms = MAX_EXPIRY_MS + 1;
    assert!(code.to_text().is_err());
}

#[test]
fn the_secret_stays_out_of_debug_output() {
    let shown = format!("{:?}", sample(InvitationKind::Space));
    assert!(
        !shown.contains("48, 49") && !shown.contains("rendezvous"),
        "{shown}"
    );
}
