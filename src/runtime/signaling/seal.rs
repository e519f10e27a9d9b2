//! Sealing of what passes through a signalling server. The associated data names room, sender and
//! receiver, so that a server can neither read a payload nor deliver it as someone else's.

use super::event::{PeerId, Topic};
use crate::model::{Error, Result};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;

/// Version of the sealed form, its first byte.
const VERSION: u8 = 1;
/// Bytes that sealing adds.
pub(super) const OVERHEAD: usize = 1 + NONCE_LEN + 16;
/// Keeps these seals apart from every other use of a key.
const DOMAIN: &[u8] = b"echo-db signal v1";

/// The key that seals the payloads of one topic.
#[derive(Clone)]
pub struct TopicKey(LessSafeKey);

impl TopicKey {
    /// From 32 uniformly random bytes, used for nothing else.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).expect("the length is the cipher's");
        TopicKey(LessSafeKey::new(key))
    }

    /// Seals `payload` for one peer. The nonce is random: a topic carries a few messages for each
    /// connection, far below where 96-bit nonces would repeat.
    pub fn seal(&self, topic: &Topic, from: &PeerId, to: &PeerId, payload: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .expect("the system gives randomness");
        let mut body = payload.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                associated(topic, from, to),
                &mut body,
            )
            .expect("the payload is far below the cipher's limit");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        sealed
    }

    /// Opens what [`TopicKey::seal`] made for the same room, sender and receiver.
    pub fn open(
        &self,
        topic: &Topic,
        from: &PeerId,
        to: &PeerId,
        sealed: &[u8],
    ) -> Result<Vec<u8>> {
        let refused = || Error::protocol("signalling payload does not open");
        let (&[VERSION], rest) = sealed.split_first_chunk::<1>().ok_or_else(refused)? else {
            return Err(refused());
        };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(refused)?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .0
            .open_in_place(nonce, associated(topic, from, to), &mut body)
            .map_err(|_| refused())?
            .len();
        body.truncate(opened);
        Ok(body)
    }
}

impl fmt::Debug for TopicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TopicKey(..)")
    }
}

fn associated(topic: &Topic, from: &PeerId, to: &PeerId) -> Aad<Vec<u8>> {
    // Every part has a fixed length: plain concatenation is unambiguous.
    Aad::from([DOMAIN, topic, from, to].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: Topic = [1; 32];
    const ALICE: PeerId = [2; 16];
    const BOB: PeerId = [3; 16];

    #[test]
    fn opens_only_as_sealed() {
        let key = TopicKey::new(&[7; 32]);
        let sealed = key.seal(&TOPIC, &ALICE, &BOB, b"hello");
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        assert_eq!(key.open(&TOPIC, &ALICE, &BOB, &sealed).unwrap(), b"hello");
        // Another room, a reflected message, another key.
        assert!(key.open(&[9; 32], &ALICE, &BOB, &sealed).is_err());
        assert!(key.open(&TOPIC, &BOB, &ALICE, &sealed).is_err());
        let other = TopicKey::new(&[8; 32]);
        assert!(other.open(&TOPIC, &ALICE, &BOB, &sealed).is_err());
        for i in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[i] ^= 1;
            assert!(key.open(&TOPIC, &ALICE, &BOB, &bent).is_err());
            assert!(key.open(&TOPIC, &ALICE, &BOB, &sealed[..i]).is_err());
        }
    }

    #[test]
    fn the_same_payload_never_looks_the_same() {
        let key = TopicKey::new(&[7; 32]);
        let seal = || key.seal(&TOPIC, &ALICE, &BOB, b"x");
        assert_ne!(seal(), seal());
    }
}
