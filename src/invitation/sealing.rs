//! Sealing under the key of the password exchange: ChaCha20-Poly1305 (RFC 8439), one key for each
//! direction, nonces counted. The session seals too; this layer makes sure that what admits a
//! guest can be read by nobody but the side that knew the code, whatever the session is worth.

use super::channel::Part;
use crate::model::{Error, Result};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf;
use zeroize::Zeroizing;

/// Separates these keys from others derived from the same exchange.
const DOMAIN: &[u8] = b"echo-db/invitation/sealed/v1";
/// Bytes that sealing adds.
pub(super) const TAG_BYTES: usize = 16;

/// Both directions of one exchange.
pub(super) struct Sealer {
    outgoing: Direction,
    incoming: Direction,
}

struct Direction {
    key: LessSafeKey,
    next: u64,
}

impl Sealer {
    /// For the side that plays `part`.
    pub(super) fn new(shared: &[u8; 64], part: Part) -> Sealer {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, DOMAIN).extract(shared);
        let other = match part {
            Part::Host => Part::Guest,
            Part::Guest => Part::Host,
        };
        Sealer {
            outgoing: Direction::new(&prk, part),
            incoming: Direction::new(&prk, other),
        }
    }

    /// Seals the next message.
    pub(super) fn seal(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
        let nonce = self.outgoing.nonce()?;
        self.outgoing
            .key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes)
            .map_err(|_| Error::internal("an invitation message could not be sealed"))?;
        Ok(bytes)
    }

    /// Opens the next message.
    pub(super) fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>> {
        let nonce = self.incoming.nonce()?;
        let mut bytes = sealed.to_vec();
        let length = self
            .incoming
            .key
            .open_in_place(nonce, Aad::empty(), &mut bytes)
            .map_err(|_| Error::protocol("an invitation message does not verify"))?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

impl Direction {
    fn new(prk: &hkdf::Prk, sender: Part) -> Direction {
        let mut key = Zeroizing::new([0; 32]);
        let key = prk
            .expand(&[&[sender as u8]], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(key.as_mut_slice()))
            .and_then(|()| UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()))
            .expect("HKDF-SHA256 gives the 32 bytes that ChaCha20 takes");
        Direction {
            key: LessSafeKey::new(key),
            next: 0,
        }
    }

    fn nonce(&mut self) -> Result<Nonce> {
        let mut nonce = [0; NONCE_LEN];
        for (to, from) in nonce.iter_mut().skip(4).zip(self.next.to_be_bytes()) {
            *to = from;
        }
        // A counter that came round would repeat a nonce.
        self.next = self
            .next
            .checked_add(1)
            .ok_or_else(|| Error::protocol("too many invitation messages"))?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }
}
