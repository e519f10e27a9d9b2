//! The file `key` of a profile: the key of its files, sealed. `docs/formats/at-rest.md` describes it.

use crate::feed::codec::Reader;
use crate::feed::sha256;
use crate::model::{Error, ErrorKind, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

const MAGIC: &[u8; 4] = b"ECHk";
const VERSION: u8 = 1;
const CHECK_DOMAIN: &[u8] = b"echodb/at-rest/key-file/v1";
const CHECK: usize = 8;
const SEALED: usize = 32 + 16;
const SALT: usize = 16;

/// The longest file: anything longer is none of ours.
pub(super) const LONGEST: usize = 128;
/// The longest passphrase, in bytes of UTF-8.
const PASSPHRASE_BYTES: usize = 1024;

/// 32 bytes that encrypt or seal.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// How a passphrase becomes a key: Argon2id (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// KiB of memory.
    pub(super) memory: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

impl Cost {
    /// The second recommendation of RFC 9106, section 4: for machines that cannot spare 2 GiB.
    pub(super) const RECOMMENDED: Cost = Cost {
        memory: 64 * 1024,
        passes: 3,
        lanes: 4,
    };
    /// What a file may ask for, so that a bad one cannot use up memory or time.
    const MOST: Cost = Cost {
        memory: 2 * 1024 * 1024,
        passes: 64,
        lanes: 64,
    };

    fn is_bearable(&self) -> bool {
        (1..=Self::MOST.lanes).contains(&self.lanes)
            && (1..=Self::MOST.passes).contains(&self.passes)
            && (8 * self.lanes..=Self::MOST.memory).contains(&self.memory)
    }
}

/// What opens the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Passphrase { cost: Cost, salt: [u8; SALT] },
    Provider,
    FileKey,
}

impl Lock {
    fn code(&self) -> u8 {
        match self {
            Lock::Passphrase { .. } => 1,
            Lock::Provider => 2,
            Lock::FileKey => 3,
        }
    }
}

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyFile {
    /// Tells profiles apart, for key providers.
    pub(super) profile: [u8; 16],
    pub(super) lock: Lock,
    nonce: [u8; NONCE_LEN],
    sealed: [u8; SEALED],
}

impl KeyFile {
    /// Seals `key` under `wrapping`, which is what `lock` gives. The nonce is random: a wrapping key
    /// seals a handful of files in its life.
    pub(super) fn seal(
        profile: [u8; 16],
        lock: Lock,
        nonce: [u8; NONCE_LEN],
        wrapping: &Key,
        key: &Key,
    ) -> KeyFile {
        let mut file = KeyFile {
            profile,
            lock,
            nonce,
            sealed: [0; SEALED],
        };
        let mut text = key.clone();
        let tag = cipher(wrapping)
            .seal_in_place_separate_tag(file.nonce(), Aad::from(file.head()), &mut text[..])
            .expect("a key is far shorter than what AES-GCM can seal");
        let (body, end) = file.sealed.split_at_mut(32);
        body.copy_from_slice(&text[..]);
        end.copy_from_slice(tag.as_ref());
        file
    }

    /// The key, if `wrapping` is what it was sealed under.
    pub(super) fn open(&self, wrapping: &Key) -> Option<Key> {
        let mut sealed = Zeroizing::new(self.sealed);
        let opened = cipher(wrapping)
            .open_in_place(self.nonce(), Aad::from(self.head()), &mut sealed[..])
            .ok()?;
        let key: [u8; 32] = (&*opened).try_into().ok()?;
        Some(Zeroizing::new(key))
    }

    fn nonce(&self) -> Nonce {
        Nonce::assume_unique_for_key(self.nonce)
    }

    /// All that stands before the nonce; it is bound to what is sealed.
    fn head(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend([VERSION, self.lock.code()]);
        out.extend(self.profile);
        if let Lock::Passphrase { cost, salt } = &self.lock {
            for number in [cost.memory, cost.passes, cost.lanes] {
                out.extend(number.to_le_bytes());
            }
            out.extend(salt);
        }
        out
    }

    /// The file's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = self.head();
        out.extend(self.nonce);
        out.extend(self.sealed);
        let sum = sha256(&[CHECK_DOMAIN, &out]);
        out.extend(sum.iter().take(CHECK));
        out
    }

    /// Reads what [`KeyFile::encode`] wrote. A sum over all of it tells damage from a wrong
    /// passphrase.
    pub(super) fn decode(bytes: &[u8]) -> Result<KeyFile> {
        let damaged =
            || Error::corrupt("the profile's key file is damaged; restore it from a backup");
        let cut = |_| damaged();
        let mut reader = Reader::new(bytes, "key file");
        if reader.array().map_err(cut)? != *MAGIC {
            return Err(damaged());
        }
        reader.version(VERSION).map_err(|e| match e.kind() {
            ErrorKind::UnsupportedVersion => e,
            _ => damaged(),
        })?;
        let [code] = reader.array().map_err(cut)?;
        let profile = reader.array().map_err(cut)?;
        let mut number = || reader.array().map(u32::from_le_bytes).map_err(cut);
        let lock = match code {
            1 => {
                let cost = Cost {
                    memory: number()?,
                    passes: number()?,
                    lanes: number()?,
                };
                if !cost.is_bearable() {
                    return Err(damaged());
                }
                let salt = reader.array().map_err(cut)?;
                Lock::Passphrase { cost, salt }
            }
            2 => Lock::Provider,
            3 => Lock::FileKey,
            _ => return Err(damaged()),
        };
        let file = KeyFile {
            profile,
            lock,
            nonce: reader.array().map_err(cut)?,
            sealed: reader.array().map_err(cut)?,
        };
        let _: [u8; CHECK] = reader.array().map_err(cut)?;
        reader.finish().map_err(cut)?;
        match file.encode() == bytes {
            true => Ok(file),
            false => Err(damaged()),
        }
    }
}

fn cipher(key: &Key) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).expect("the key has 32 bytes");
    LessSafeKey::new(key)
}

/// The key that a passphrase gives. It is normalized (NFC) first, since systems type accents in
/// different ways.
pub(super) fn stretch(passphrase: &str, cost: Cost, salt: &[u8; SALT]) -> Result<Key> {
    if passphrase.is_empty() || passphrase.len() > PASSPHRASE_BYTES {
        let detail = format!("a passphrase has 1 to {PASSPHRASE_BYTES} bytes");
        return Err(Error::invalid(detail));
    }
    let mut text = Zeroizing::new(String::with_capacity(3 * passphrase.len()));
    text.extend(passphrase.nfc());
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(32))
        .map_err(|e| Error::corrupt(format!("the key file asks for an impossible cost: {e}")))?;
    let mut blocks = vec![argon2::Block::default(); params.block_count()];
    let mut key = Zeroizing::new([0; 32]);
    let done = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(text.as_bytes(), salt, key.as_mut(), &mut blocks);
    for block in &mut blocks {
        block.as_mut().zeroize();
    }
    done.map_err(|e| Error::internal(format!("Argon2: {e}")))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost {
        memory: 32,
        passes: 1,
        lanes: 2,
    };

    fn key(byte: u8) -> Key {
        Zeroizing::new([byte; 32])
    }

    fn files() -> Vec<(&'static str, KeyFile, Key)> {
        let salt = [9; SALT];
        let passphrase = Lock::Passphrase { cost: CHEAP, salt };
        let all = [
            (
                "passphrase",
                passphrase,
                stretch("correct horse", CHEAP, &salt).unwrap(),
            ),
            ("provider", Lock::Provider, key(1)),
            ("file", Lock::FileKey, key(2)),
        ];
        all.map(|(name, lock, wrapping)| {
            let file = KeyFile::seal([3; 16], lock, [4; NONCE_LEN], &wrapping, &key(5));
            (name, file, wrapping)
        })
        .into()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        for (name, file, wrapping) in files() {
            let read = KeyFile::decode(&file.encode()).unwrap();
            assert_eq!(read, file, "{name}");
            assert_eq!(*read.open(&wrapping).unwrap(), [5; 32], "{name}");
            assert!(read.open(&key(7)).is_none(), "{name}");
            assert!(file.encode().len() <= LONGEST);
        }
        // One lock's bytes are none of another's.
        let (_, mut file, wrapping) = files().remove(1);
        file.lock = Lock::FileKey;
        assert!(file.open(&wrapping).is_none());
    }

    #[test]
    fn harmed_files_are_damaged() {
        for (name, file, _) in files() {
            let bytes = file.encode();
            for at in 0..bytes.len() {
                let kind = KeyFile::decode(&bytes[..at]).unwrap_err().kind();
                assert_eq!(kind, ErrorKind::Corrupt, "{name}, cut at {at}");
                let mut other = bytes.clone();
                other[at] ^= 0x40;
                let kind = KeyFile::decode(&other).unwrap_err().kind();
                let expected = match at {
                    4 => ErrorKind::UnsupportedVersion,
                    _ => ErrorKind::Corrupt,
                };
                assert_eq!(kind, expected, "{name}, changed at {at}");
            }
            let longer = [bytes.as_slice(), &[0]].concat();
            assert!(KeyFile::decode(&longer).is_err(), "{name}");
        }
    }

    #[test]
    fn costs_are_bounded() {
        let read = |cost| {
            let lock = Lock::Passphrase {
                cost,
                salt: [0; SALT],
            };
            let file = KeyFile::seal([0; 16], lock, [0; NONCE_LEN], &key(0), &key(0));
            KeyFile::decode(&file.encode())
        };
        let cost = |memory, passes, lanes| Cost {
            memory,
            passes,
            lanes,
        };
        for good in [CHEAP, Cost::RECOMMENDED, Cost::MOST] {
            assert!(read(good).is_ok(), "{good:?}");
        }
        for bad in [
            cost(2 * 1024 * 1024 + 1, 3, 4),
            cost(u32::MAX, 3, 4),
            cost(65536, 65, 4),
            cost(65536, 0, 4),
            cost(65536, 3, 0),
            cost(65536, 3, 65),
            cost(31, 3, 4),
            cost(0, 0, 0),
        ] {
            assert_eq!(read(bad).unwrap_err().kind(), ErrorKind::Corrupt, "{bad:?}");
        }
    }

    #[test]
    fn accents_are_typed_in_two_ways() {
        let stretched = |text| stretch(text, CHEAP, &[1; SALT]).unwrap();
        assert_eq!(stretched("caf\u{e9}"), stretched("cafe\u{301}"));
        assert_ne!(stretched("cafe"), stretched("caf\u{e9}"));
        for bad in [String::new(), "x".repeat(1025)] {
            let kind = stretch(&bad, CHEAP, &[1; SALT]).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::InvalidArgument);
        }
    }

    /// `ECHODB_BLESS=1 cargo test golden` writes the file anew; do so only for a new version.
    #[test]
    fn golden_key_files() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/key_files.txt");
        let mut text = String::new();
        for (name, file, _) in files() {
            let hex = data_encoding::HEXLOWER.encode(&file.encode());
            text += &format!("{name} {hex}\n");
        }
        if std::env::var_os("ECHODB_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(text, std::fs::read_to_string(path).unwrap());
    }
}
