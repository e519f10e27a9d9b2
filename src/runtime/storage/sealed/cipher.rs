//! Sealing of blocks: AES-256-GCM under keys that are drawn anew at every opening of a file.
//!
//! A key for sealing follows from the file's key and a *salt*, 16 random bytes that are drawn when
//! an open file is first written to. Its nonces count up from zero. So no pair of key and nonce
//! comes twice, whatever is restored or cut short: what counts up is never stored, and a salt is
//! never taken up again.

use crate::runtime::clock;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk};
use std::collections::HashMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What stands behind a sealed block: tag, salt, counter.
pub(super) const TRAILER: usize = TAG + SALT + 8;
const TAG: usize = 16;
const SALT: usize = 16;
/// Blocks sealed under one salt; far below what AES-GCM bears with nonces that count.
const BLOCKS_PER_SALT: u64 = 1 << 32;
/// Keys for opening that an open file remembers; there is one for each session that wrote to it.
const REMEMBERED: usize = 256;

const FILE_DOMAIN: &[u8] = b"echodb/at-rest/file/v1";
const BLOCK_DOMAIN: &[u8] = b"echodb/at-rest/blocks/v1";

/// The key of one database file and of its log.
pub(in crate::runtime::storage) struct FileKey(Zeroizing<[u8; 32]>);

impl FileKey {
    /// The key of the file that `name` names, of the profile that `key` belongs to.
    pub(in crate::runtime::storage) fn derive(key: &[u8; 32], name: &[u8]) -> FileKey {
        FileKey(expand(key, &[FILE_DOMAIN, name]))
    }

    fn blocks(&self, salt: &[u8; SALT]) -> LessSafeKey {
        let key = expand(&self.0, &[BLOCK_DOMAIN, salt]);
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).expect("the key has 32 bytes");
        LessSafeKey::new(key)
    }
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey(..)")
    }
}

/// HKDF-Expand (RFC 5869) over a key that is uniformly random already.
fn expand(key: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    Prk::new_less_safe(HKDF_SHA256, key)
        .expand(info, HKDF_SHA256)
        .and_then(|okm| okm.fill(out.as_mut()))
        .expect("HKDF yields 32 bytes");
    out
}

/// Which file a block belongs to: a block of one is none of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Database = 1,
    Log = 2,
}

/// Seals and opens the blocks of one open file.
pub(super) struct Cipher {
    key: Arc<FileKey>,
    kind: Kind,
    sealing: Option<Sealing>,
    opening: HashMap<[u8; SALT], LessSafeKey>,
    /// The one that was used last: neighbours mostly were written together.
    last: Option<([u8; SALT], LessSafeKey)>,
}

struct Sealing {
    salt: [u8; SALT],
    key: LessSafeKey,
    next: u64,
}

impl Cipher {
    pub(super) fn new(key: Arc<FileKey>, kind: Kind) -> Cipher {
        Cipher {
            key,
            kind,
            sealing: None,
            opening: HashMap::new(),
            last: None,
        }
    }

    /// Seals `body` in place as block `index`.
    pub(super) fn seal(&mut self, index: u64, body: &mut [u8]) -> [u8; TRAILER] {
        let aad = self.aad(index);
        let sealing = self.sealing();
        let counter = sealing.next;
        sealing.next += 1;
        let tag = sealing
            .key
            .seal_in_place_separate_tag(nonce(counter), Aad::from(aad), body)
            .expect("a block is far shorter than what AES-GCM can seal");
        let mut trailer = [0; TRAILER];
        trailer[..TAG].copy_from_slice(tag.as_ref());
        trailer[TAG..TAG + SALT].copy_from_slice(&sealing.salt);
        trailer[TAG + SALT..].copy_from_slice(&counter.to_le_bytes());
        trailer
    }

    /// Opens `body` in place; `false` when it was not sealed as block `index` of this file, and then
    /// `body` holds nothing of use.
    pub(super) fn open(&mut self, index: u64, body: &mut [u8], trailer: &[u8; TRAILER]) -> bool {
        let (tag, rest) = trailer.split_at(TAG);
        let (salt, counter) = rest.split_at(SALT);
        let (Ok(tag), Ok(salt), Ok(counter)) =
            (Tag::try_from(tag), salt.try_into(), counter.try_into())
        else {
            return false;
        };
        let aad = self.aad(index);
        let nonce = nonce(u64::from_le_bytes(counter));
        self.opening(salt)
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, body, 0..)
            .is_ok()
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    fn sealing(&mut self) -> &mut Sealing {
        if self
            .sealing
            .as_ref()
            .is_some_and(|sealing| sealing.next >= BLOCKS_PER_SALT)
        {
            self.sealing = None;
        }
        self.sealing.get_or_insert_with(|| {
            let salt = clock::random();
            Sealing {
                key: self.key.blocks(&salt),
                salt,
                next: 0,
            }
        })
    }

    fn opening(&mut self, salt: [u8; SALT]) -> &LessSafeKey {
        let last = self.last.take().filter(|(of, _)| *of == salt);
        let key = last.map_or_else(|| self.remembered(salt), |(_, key)| key);
        &self.last.insert((salt, key)).1
    }

    fn remembered(&mut self, salt: [u8; SALT]) -> LessSafeKey {
        if self.opening.len() >= REMEMBERED && !self.opening.contains_key(&salt) {
            self.opening.clear();
        }
        let key = &self.key;
        let found = self.opening.entry(salt);
        found.or_insert_with(|| key.blocks(&salt)).clone()
    }

    fn aad(&self, index: u64) -> [u8; 9] {
        let mut aad = [self.kind as u8; 9];
        aad[1..].copy_from_slice(&index.to_le_bytes());
        aad
    }
}

/// Four zero bytes and the counter.
fn nonce(counter: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[4..].copy_from_slice(&counter.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn cipher(name: &[u8], kind: Kind) -> Cipher {
        Cipher::new(Arc::new(FileKey::derive(&[7; 32], name)), kind)
    }

    #[test]
    fn a_block_opens_only_where_it_was_sealed() {
        let mut writer = cipher(b"a", Kind::Database);
        let mut body = [5; 100];
        let trailer = writer.seal(3, &mut body);
        assert_ne!(body, [5; 100]);
        let opens = |mut cipher: Cipher, index, body: [u8; 100], trailer: [u8; TRAILER]| {
            let mut opened = body;
            let ok = cipher.open(index, &mut opened, &trailer);
            assert!(!ok || opened == [5; 100]);
            ok
        };
        assert!(opens(cipher(b"a", Kind::Database), 3, body, trailer));
        assert!(!opens(cipher(b"a", Kind::Database), 4, body, trailer));
        assert!(!opens(cipher(b"a", Kind::Log), 3, body, trailer));
        assert!(!opens(cipher(b"b", Kind::Database), 3, body, trailer));
        for bit in 0..TRAILER * 8 {
            let mut other = trailer;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !opens(cipher(b"a", Kind::Database), 3, body, other),
                "{bit}"
            );
        }
        for bit in 0..body.len() * 8 {
            let mut other = body;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !opens(cipher(b"a", Kind::Database), 3, other, trailer),
                "{bit}"
            );
        }
    }

    #[test]
    fn no_nonce_comes_twice() {
        let mut seen = BTreeSet::new();
        for _ in 0..20 {
            let mut writer = cipher(b"a", Kind::Database);
            for _ in 0..50 {
                let trailer = writer.seal(1, &mut [0; 16]);
                assert!(seen.insert(trailer[TAG..].to_vec()));
            }
        }
        // A salt is used for so many blocks and no more.
        let mut writer = cipher(b"a", Kind::Database);
        let first = writer.seal(1, &mut [0; 16]);
        writer.sealing().next = BLOCKS_PER_SALT - 1;
        let last = writer.seal(1, &mut [0; 16]);
        let next = writer.seal(1, &mut [0; 16]);
        assert_eq!(first[TAG..TAG + SALT], last[TAG..TAG + SALT]);
        assert_ne!(first[TAG..TAG + SALT], next[TAG..TAG + SALT]);
        assert_eq!(next[TAG + SALT..], [0; 8]);
    }

    #[test]
    fn many_salts_are_opened_in_turn() {
        let blocks: Vec<_> = (0..REMEMBERED + 10)
            .map(|n| {
                let mut body = [n as u8; 32];
                let trailer = cipher(b"a", Kind::Log).seal(9, &mut body);
                (body, trailer)
            })
            .collect();
        let mut reader = cipher(b"a", Kind::Log);
        for _ in 0..2 {
            for (n, (body, trailer)) in blocks.iter().enumerate() {
                let mut body = *body;
                assert!(reader.open(9, &mut body, trailer));
                assert_eq!(body, [n as u8; 32]);
            }
        }
        assert!(reader.opening.len() <= REMEMBERED);
    }

    #[test]
    fn debug_output_has_no_key() {
        let key = FileKey::derive(&[0xab; 32], b"a");
        assert_eq!(format!("{key:?}"), "FileKey(..)");
    }
}
