//! Invitation codes: what an inviter passes on as text, link or QR picture.
//!
//! The bytes of a code are version, length of the signalling part (big-endian `u16`), in version 2
//! the mode (1), the secret, host fingerprint (8), space hint (8), expiry (big-endian 48-bit
//! milliseconds), signalling addresses (each a length byte and text), and a checksum (4). The secret
//! is the rendezvous secret (16), or the seed (32) of a delegated invitation. Interactive
//! invitations are written as version 1, which every program reads. In *every* version the
//! checksum is the last four bytes and covers the prefix and all bytes before it, so that a
//! mistyped code and a code of a newer version can be told apart.
//!
//! As text they are Crockford base32 behind a prefix that names the kind: `echodb-join-` lets
//! somebody into a space, `echodb-link-` adds a device to an identity. The checksum and every key
//! derived from a code depend on the kind, so one cannot be passed off as the other.

use super::mode::{Bearer, Mode};
use crate::model::{DeviceKey, Error, ErrorKind, Result, SpaceId};
use data_encoding::{Encoding, Specification};
use ring::{digest, hkdf};
use std::fmt;
use std::sync::LazyLock;
use zeroize::Zeroize;

/// The version that has no mode: interactive invitations.
const VERSION_1: u8 = 1;
/// The version that has one.
const VERSION_2: u8 = 2;
/// Bytes of the checksum.
const CHECKSUM_BYTES: usize = 4;
/// Bytes of the shortest code without signalling addresses, checksum excluded.
const FIXED_BYTES: usize = 1 + 2 + 16 + 8 + 8 + 6;
/// Signalling addresses that one code may carry.
pub const SIGNALING_URLS: usize = 4;
/// Bytes of one signalling address.
pub const SIGNALING_URL_BYTES: usize = 200;
/// Characters of a text that is looked at; the longest code is shorter.
const TEXT_BYTES: usize = 2048;
/// Letters between two hyphens.
const GROUP: usize = 6;
/// Times that fit 48 bits, until the year 10889.
const MAX_EXPIRY_MS: u64 = (1 << 48) - 1;

/// Crockford's alphabet in lower case; i, l and o are read as the digits that they look like.
static LETTERS: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    spec.translate.from.push_str("oil");
    spec.translate.to.push_str("011");
    spec.encoding()
        .expect("the alphabet is a constant and valid")
});

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum InvitationKind {
    /// Lets another identity into a space.
    Space = 1,
    /// Adds a device to the identity that made the code.
    Device = 2,
}

impl InvitationKind {
    /// Both.
    pub const ALL: [InvitationKind; 2] = [InvitationKind::Space, InvitationKind::Device];

    /// The word in prefixes and links.
    pub fn word(self) -> &'static str {
        match self {
            InvitationKind::Space => "join",
            InvitationKind::Device => "link",
        }
    }

    /// The number in hashed and sent bytes.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// A code, read or about to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationCode {
    /// What it is for.
    pub kind: InvitationKind,
    /// How it is hosted and used.
    pub mode: Mode,
    /// The secret by which the two sides find and recognise each other; it follows from the seed
    /// of a delegated invitation.
    pub rendezvous: [u8; 16],
    /// [`host_fingerprint`] of the inviting device, or zeros if any member may play the host.
    pub host_fingerprint: [u8; 8],
    /// [`space_hint`] of the space; zeros in a device code.
    pub space_hint: [u8; 8],
    /// When it ends, in milliseconds since 1970, by the host's clock.
    pub expires_ms: u64,
    /// Where to meet, if not at the guest's own signalling servers.
    pub signaling: Vec<String>,
}

impl InvitationCode {
    /// Reads a code of either kind from text or link, in either case, with or without hyphens and
    /// white space around it.
    pub fn parse(input: &str) -> Result<InvitationCode> {
        if input.len() > TEXT_BYTES {
            return Err(refused("this is too long to be an invitation code"));
        }
        let lower = input.trim().to_ascii_lowercase();
        let (kind, body) = strip_prefix(&lower)?;
        let bytes = decode_letters(body)?;
        let (payload, checksum) = bytes
            .len()
            .checked_sub(CHECKSUM_BYTES)
            .and_then(|at| bytes.split_at_checked(at))
            .filter(|(payload, _)| !payload.is_empty())
            .ok_or_else(truncated)?;
        if checksum != checksum_of(kind, payload) {
            return Err(explain_mismatch(payload));
        }
        Fields(payload).read(kind)
    }

    /// Reads a code at an entry point for one kind. A code of the other kind is refused with a
    /// sentence that says what it is for: an attacker may have passed it off as this one.
    pub fn parse_as(input: &str, expected: InvitationKind) -> Result<InvitationCode> {
        let code = InvitationCode::parse(input)?;
        code.expect_kind(expected)?;
        Ok(code)
    }

    /// Refuses a code of the other kind.
    pub fn expect_kind(&self, expected: InvitationKind) -> Result<()> {
        match (self.kind, expected) {
            (InvitationKind::Device, InvitationKind::Space) => Err(refused(
                "this is a device code: it adds a device to an identity and joins no space. If \
                 somebody else gave it to you to join their space, do not use it",
            )),
            (InvitationKind::Space, InvitationKind::Device) => Err(refused(
                "this is an invitation to a space, not a device code: use it to join the space",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a code that has ended.
    pub fn check_expiry(&self, now_ms: u64) -> Result<()> {
        if now_ms >= self.expires_ms {
            return Err(refused("this invitation has expired: ask for a new one"));
        }
        Ok(())
    }

    /// The text form: prefix, then groups of six letters.
    pub fn to_text(&self) -> Result<String> {
        let letters = LETTERS.encode(&self.to_bytes()?);
        let mut text = format!("echodb-{}", self.kind.word());
        for (i, letter) in letters.chars().enumerate() {
            if i % GROUP == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        Ok(text)
    }

    /// The link form, which is also what a QR picture holds.
    pub fn to_url(&self) -> Result<String> {
        let letters = LETTERS.encode(&self.to_bytes()?);
        Ok(format!("echodb://{}/{letters}", self.kind.word()))
    }

    /// The link form for a QR picture: the letters in upper case, of which such a picture can hold
    /// nearly twice as many. It is read like any other.
    pub fn to_qr_text(&self) -> Result<String> {
        let letters = LETTERS.encode(&self.to_bytes()?).to_ascii_uppercase();
        Ok(format!("echodb://{}/{letters}", self.kind.word()))
    }

    /// The signalling room. It reveals nothing of the code to the server.
    pub fn topic(&self) -> [u8; 32] {
        self.derive(b"topic")
    }

    /// The key under which signalling payloads are sealed.
    pub fn seal_key(&self) -> [u8; 32] {
        self.derive(b"seal key")
    }

    /// The key by which the two sides show each other that they have the code.
    pub(super) fn hello_key(&self) -> [u8; 32] {
        self.derive(b"hello")
    }

    /// HKDF-SHA256 (RFC 5869) of the rendezvous secret, separate for each kind and purpose.
    fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"echo-db/invitation/v1");
        let mut key = [0; 32];
        salt.extract(&self.rendezvous)
            .expand(&[&[self.kind.number()], purpose], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key))
            .expect("HKDF gives 32 bytes when asked for the length of its hash");
        key
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        if self.expires_ms > MAX_EXPIRY_MS {
            return Err(Error::invalid("an invitation ends before the year 10889"));
        }
        if self.signaling.len() > SIGNALING_URLS {
            return Err(Error::limit(format!(
                "an invitation code carries at most {SIGNALING_URLS} signalling addresses"
            )));
        }
        let mut urls = Vec::new();
        for url in &self.signaling {
            check_url(url).map_err(Error::invalid)?;
            let length = u8::try_from(url.len()).expect("check_url bounds it at 200");
            urls.push(length);
            urls.extend_from_slice(url.as_bytes());
        }
        let length = u16::try_from(urls.len()).expect("four addresses of at most 201 bytes");
        let [_, _, expiry @ ..] = self.expires_ms.to_be_bytes();
        let version = match self.mode {
            Mode::Interactive => VERSION_1,
            Mode::MultiUse | Mode::Delegated(_) => VERSION_2,
        };
        let mut bytes = vec![version];
        bytes.extend_from_slice(&length.to_be_bytes());
        match &self.mode {
            Mode::Interactive => bytes.extend_from_slice(&self.rendezvous),
            Mode::MultiUse => {
                bytes.push(self.mode.number());
                bytes.extend_from_slice(&self.rendezvous);
            }
            Mode::Delegated(bearer) => {
                bytes.push(self.mode.number());
                bytes.extend_from_slice(bearer.seed()?);
            }
        }
        bytes.extend_from_slice(&self.host_fingerprint);
        bytes.extend_from_slice(&self.space_hint);
        bytes.extend_from_slice(&expiry);
        bytes.extend_from_slice(&urls);
        let checksum = checksum_of(self.kind, &bytes);
        bytes.extend_from_slice(&checksum);
        Ok(bytes)
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rendezvous secret stays out of logs.
        f.debug_struct("InvitationCode")
            .field("kind", &self.kind)
            .field("mode", &self.mode)
            .field("expires_ms", &self.expires_ms)
            .field("signaling", &self.signaling)
            .finish_non_exhaustive()
    }
}

impl Drop for InvitationCode {
    fn drop(&mut self) {
        self.rendezvous.zeroize();
    }
}

/// What a code says of the inviting device: the guest checks it before it authenticates.
pub fn host_fingerprint(device: &DeviceKey) -> [u8; 8] {
    short_hash(b"echo-db/invitation/host/v1", device.as_bytes())
}

/// What a code says of the space: enough to notice that one is a member already, too little to
/// name the space to others.
pub fn space_hint(space: &SpaceId) -> [u8; 8] {
    short_hash(b"echo-db/invitation/space/v1", space.as_bytes())
}

fn short_hash(domain: &[u8], bytes: &[u8]) -> [u8; 8] {
    truncated_hash(&[domain, bytes])
}

fn checksum_of(kind: InvitationKind, payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    truncated_hash(&[b"echodb-", kind.word().as_bytes(), b"-", payload])
}

fn truncated_hash<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut short = [0; N];
    for (to, from) in short.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    short
}

/// Splits off the prefix of lower-cased text or link.
fn strip_prefix(lower: &str) -> Result<(InvitationKind, &str)> {
    for kind in InvitationKind::ALL {
        let word = kind.word();
        if let Some(body) = lower.strip_prefix(&format!("echodb-{word}-")) {
            return Ok((kind, body));
        }
        if let Some(body) = lower.strip_prefix(&format!("echodb://{word}/")) {
            return Ok((kind, body.strip_suffix('/').unwrap_or(body)));
        }
    }
    // A code cut off inside its prefix is still recognisably ours.
    if lower.len() >= 6 && "echodb-join-".starts_with(lower) | "echodb-link-".starts_with(lower) {
        return Err(truncated());
    }
    Err(refused(
        "this is not an invitation code: one begins with echodb-join- or echodb://join/",
    ))
}

fn decode_letters(body: &str) -> Result<Vec<u8>> {
    let mut letters = String::with_capacity(body.len());
    for c in body.chars().filter(|c| *c != '-' && !c.is_whitespace()) {
        if !c.is_ascii_alphanumeric() || c == 'u' {
            return Err(refused(&format!(
                "the invitation code is mistyped: {c:?} does not occur in codes"
            )));
        }
        letters.push(c);
    }
    // Five bytes are eight letters: some lengths, and some last letters, occur only in a cut code.
    LETTERS.decode(letters.as_bytes()).map_err(|_| truncated())
}

/// Says why the checksum of a code does not fit, from the length that the code claims to have.
fn explain_mismatch(payload: &[u8]) -> Error {
    let declared = match payload {
        [VERSION_1 | VERSION_2, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        [VERSION_1 | VERSION_2, ..] => 0,
        // Other versions may be shorter.
        _ => return mistyped(),
    };
    // A length that no code has was itself mistyped.
    let cut =
        payload.len() < FIXED_BYTES + declared.min(SIGNALING_URLS * (1 + SIGNALING_URL_BYTES));
    if cut { truncated() } else { mistyped() }
}

fn mistyped() -> Error {
    refused(
        "the invitation code is mistyped or damaged: copy it again, from the first letter to the \
         last",
    )
}

fn truncated() -> Error {
    refused("the invitation code is incomplete: copy it to the last letter")
}

fn refused(detail: &str) -> Error {
    Error::new(ErrorKind::InvitationRefused, detail)
}

fn check_url(url: &str) -> std::result::Result<(), String> {
    let rest = url
        .strip_prefix("wss://")
        .or_else(|| url.strip_prefix("ws://"));
    let printable = url.bytes().all(|b| b.is_ascii_graphic());
    match rest {
        Some(rest) if !rest.is_empty() && printable && url.len() <= SIGNALING_URL_BYTES => Ok(()),
        _ => Err(format!(
            "a signalling address in an invitation is a ws:// or wss:// URL of at most \
             {SIGNALING_URL_BYTES} printable ASCII characters"
        )),
    }
}

/// The bytes of a code whose checksum fits, still to be read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn read(mut self, kind: InvitationKind) -> Result<InvitationCode> {
        let [version] = self.take()?;
        if !matches!(version, VERSION_1 | VERSION_2) {
            return Err(newer(format!("has format version {version}")));
        }
        let length = usize::from(u16::from_be_bytes(self.take()?));
        let [number] = match version {
            VERSION_1 => [Mode::INTERACTIVE],
            _ => self.take()?,
        };
        let (mode, rendezvous) = self.secret(version, number)?;
        if kind == InvitationKind::Device && mode != Mode::Interactive {
            return Err(malformed());
        }
        let host_fingerprint = self.take()?;
        let space_hint = self.take()?;
        let expiry: [u8; 6] = self.take()?;
        let expires_ms = expiry.iter().fold(0, |ms, b| (ms << 8) | u64::from(*b));
        if self.0.len() != length {
            return Err(malformed());
        }
        Ok(InvitationCode {
            kind,
            mode,
            rendezvous,
            host_fingerprint,
            space_hint,
            expires_ms,
            signaling: self.urls()?,
        })
    }

    fn secret(&mut self, version: u8, mode: u8) -> Result<(Mode, [u8; 16])> {
        match (version, mode) {
            (VERSION_1, _) => Ok((Mode::Interactive, self.take()?)),
            (_, Mode::MULTI_USE) => Ok((Mode::MultiUse, self.take()?)),
            (_, Mode::DELEGATED) => {
                let bearer = Bearer::from_seed(self.take()?);
                let rendezvous = bearer.rendezvous();
                Ok((Mode::Delegated(bearer), rendezvous))
            }
            // There is one way to write an interactive invitation.
            (_, Mode::INTERACTIVE) => Err(malformed()),
            _ => Err(newer(format!("is of type {mode}"))),
        }
    }

    fn urls(&mut self) -> Result<Vec<String>> {
        let mut urls = Vec::new();
        while let Some((length, rest)) = self.0.split_first() {
            let (url, rest) = rest
                .split_at_checked(usize::from(*length))
                .ok_or_else(malformed)?;
            let url = std::str::from_utf8(url).map_err(|_| malformed())?;
            if urls.len() == SIGNALING_URLS || check_url(url).is_err() {
                return Err(malformed());
            }
            urls.push(url.to_owned());
            self.0 = rest;
        }
        Ok(urls)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(*field)
    }
}

fn newer(what: String) -> Error {
    Error::new(
        ErrorKind::UnsupportedVersion,
        format!("the invitation code {what}, which this library cannot use: update it"),
    )
}

/// Reads a code of these bytes behind a checksum that fits, which a fuzzer would not find.
#[cfg(any(test, fuzzing))]
pub fn fuzz_payload(payload: &[u8]) {
    for kind in InvitationKind::ALL {
        let checksum = checksum_of(kind, payload);
        let letters = LETTERS.encode(&[payload, checksum.as_slice()].concat());
        let text = format!("echodb-{}-{letters}", kind.word());
        if let Ok(code) = InvitationCode::parse(&text) {
            assert_eq!(code.to_bytes(), Ok([payload, &checksum].concat()));
        }
    }
}

/// The checksum fits, so nobody mistyped: the program that made the code did it wrong.
fn malformed() -> Error {
    refused("the invitation code was not made by this kind of program")
}

#[cfg(test)]
pub(crate) mod tests;
