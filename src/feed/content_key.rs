//! Content keys: what entry bodies are sealed under.

use super::header::split;
use super::signer::sha256;
use crate::model::{ContentKeyId, Error, Result};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const ID_DOMAIN: &[u8] = b"echodb/content-key-id/v1";
/// Bytes that sealing adds.
pub(super) const TAG_LEN: usize = 16;

/// A symmetric key of a space. Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ContentKey([u8; 32]);

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

impl ContentKey {
    /// From its 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        ContentKey(bytes)
    }

    /// The key's id: a hash that commits to it, so that a member handed a wrong key notices.
    pub fn id(&self) -> ContentKeyId {
        let [id, _] = split(sha256(&[ID_DOMAIN, &self.0]));
        ContentKeyId(id)
    }

    /// The secret bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain` under a key derived from this one, `domain` and `context` (HKDF-SHA256,
    /// RFC 5869; ChaCha20-Poly1305, RFC 8439) and authenticates `context` with it.
    ///
    /// The nonce is zero because the derived key is used once: callers must never pass the same
    /// `context` for two different plaintexts.
    pub fn seal(&self, domain: &[u8], context: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(plain.len() + TAG_LEN);
        sealed.extend_from_slice(plain);
        self.derive(domain, context)?
            .seal_in_place_append_tag(zero_nonce(), Aad::from(context), &mut sealed)
            .map_err(|_| Error::limit("too much to seal at once"))?;
        Ok(sealed)
    }

    /// Undoes [`ContentKey::seal`]. Errors when key, domain, context or bytes differ.
    pub fn open(&self, domain: &[u8], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let mut buffer = sealed.to_vec();
        let plain_len = self
            .derive(domain, context)?
            .open_in_place(zero_nonce(), Aad::from(context), &mut buffer)
            .map_err(|_| Error::protocol("a sealed body does not open with its key"))?
            .len();
        buffer.truncate(plain_len);
        Ok(buffer)
    }

    fn derive(&self, domain: &[u8], context: &[u8]) -> Result<LessSafeKey> {
        let failed = |_| Error::internal("key derivation failed");
        let mut key = Zeroizing::new([0u8; 32]);
        Salt::new(HKDF_SHA256, domain)
            .extract(&self.0)
            .expand(&[context], KeyLength)
            .and_then(|okm| okm.fill(key.as_mut()))
            .map_err(failed)?;
        UnboundKey::new(&CHACHA20_POLY1305, key.as_ref())
            .map(LessSafeKey::new)
            .map_err(failed)
    }
}

impl std::fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContentKey({:?})", self.id())
    }
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_the_same_key_domain_and_context() {
        let key = ContentKey::from_bytes([1; 32]);
        let sealed = key.seal(b"d", b"context", b"plain").unwrap();
        assert_eq!(key.open(b"d", b"context", &sealed).unwrap(), b"plain");
        assert!(key.open(b"e", b"context", &sealed).is_err());
        assert!(key.open(b"d", b"contexT", &sealed).is_err());
        assert!(key.open(b"d", b"context", &sealed[1..]).is_err());
        assert!(key.open(b"d", b"context", &[]).is_err());
        let other = ContentKey::from_bytes([2; 32]);
        assert!(other.open(b"d", b"context", &sealed).is_err());
        assert_ne!(other.id(), key.id());
        assert!(!format!("{key:?}").contains("1, 1"));
    }
}
