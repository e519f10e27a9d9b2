//! Identifiers. Text forms are lower-case Crockford base32 for objects (time-sortable, 26
//! characters, as in the ULID specification) and lower-case RFC 4648 base32 without padding for
//! hashes and keys.

use super::{Error, Result};
use data_encoding::{BASE32_NOPAD, Encoding, HEXLOWER, Specification};
use std::fmt;
use std::sync::LazyLock;

/// Crockford's alphabet in lower case: digits sort before letters, so that text order is byte order.
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    // Read what people type: capitals, and the letters that Crockford gave away as digits.
    spec.translate.from.push_str("ABCDEFGHJKMNPQRSTVWXYZoOiIlL");
    spec.translate.to.push_str("abcdefghjkmnpqrstvwxyz001111");
    spec.encoding()
        .expect("the alphabet is a constant and valid")
});

/// Crockford's base32, written in lower case and read in either, with the letters o, i and l as the
/// digits that they look like.
pub fn crockford() -> &'static Encoding {
    &CROCKFORD
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;
            /// All bytes zero: stands for "none" in the formats that have room for one.
            pub const ZERO: $name = $name([0; $len]);

            /// The bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// From bytes of exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self> {
                bytes.try_into().map($name).map_err(|_| {
                    Error::invalid(format!(
                        "{} takes {} bytes, not {}",
                        stringify!($name),
                        $len,
                        bytes.len()
                    ))
                })
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Eight digits tell two ids apart in a log line.
                write!(f, "{}({})", stringify!($name), HEXLOWER.encode(&self.0[..4]))
            }
        }
    };
}

byte_id!(
    /// Names a blob by its content: the SHA-256 of its size and of the root of a tree of hashes.
    BlobId, 32
);
byte_id!(
    /// Names an object within a space: 48 bits of milliseconds since 1970, 80 random bits.
    ObjectId, 16
);
byte_id!(
    /// Names a space: the SHA-256 of its genesis entry.
    SpaceId, 32
);
byte_id!(
    /// Names a feed within a space.
    FeedId, 16
);
byte_id!(
    /// Names an entry: the SHA-256 of its signed bytes.
    EntryId, 32
);
byte_id!(
    /// A device's Ed25519 public key.
    DeviceKey, 32
);
byte_id!(
    /// An identity's Ed25519 public key.
    IdentityKey, 32
);
byte_id!(
    /// The Ed25519 public key of an identity's recovery phrase.
    RecoveryKey, 32
);
byte_id!(
    /// Names a content key: the first 16 bytes of a hash of it. Zero means "not sealed".
    ContentKeyId, 16
);

impl ObjectId {
    /// The well-known object that holds the space's own properties.
    pub const PROPERTIES: ObjectId = ObjectId(*b"\0\0\0\0\0\0properties");

    /// A time-sortable id from a wall clock (milliseconds since 1970) and random bytes. The time
    /// only orders ids; no decision of the engine reads it back.
    pub fn from_parts(millis: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        let time = millis.to_be_bytes();
        bytes[..6].copy_from_slice(&time[2..]);
        bytes[6..].copy_from_slice(&random);
        ObjectId(bytes)
    }

    /// The id of the object that a natural key names: the same on every peer, so that objects made
    /// apart are one. Its first bytes are no time.
    pub fn natural(space: &SpaceId, type_name: &str, key: &str) -> Self {
        ObjectId::derived(b"echodb/natural-key/v1", space, type_name, key.as_bytes())
    }

    /// The id of the object that holds a version of a type's schema.
    pub fn schema(space: &SpaceId, type_name: &str, version: u32) -> Self {
        let version = version.to_be_bytes();
        ObjectId::derived(b"echodb/schema/v1", space, type_name, &version)
    }

    fn derived(domain: &[u8], space: &SpaceId, type_name: &str, key: &[u8]) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        context.update(domain);
        context.update(space.as_bytes());
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        context.update(&(type_name.len() as u64).to_le_bytes());
        context.update(type_name.as_bytes());
        context.update(key);
        let hash = context.finish();
        let mut id = [0; 16];
        id.iter_mut()
            .zip(hash.as_ref())
            .for_each(|(to, from)| *to = *from);
        ObjectId(id)
    }

    /// Reads the 26-character text form, in either case.
    pub fn parse(text: &str) -> Result<Self> {
        // 26 characters carry 130 bits: the two that lead a 128-bit number are zero, so pad on the
        // left the way the ULID specification does.
        let bad = || {
            Error::invalid(format!(
                "{:?} is not an object id: expected 26 characters of 0-9 and a-z without i, l, o, u",
                clip(text)
            ))
        };
        if text.len() != 26 || !text.is_ascii() {
            return Err(bad());
        }
        let wide = CROCKFORD
            .decode(format!("000000{text}").as_bytes())
            .map_err(|_| bad())?;
        let (lead, id) = wide.split_at_checked(4).ok_or_else(bad)?;
        if lead.iter().any(|b| *b != 0) {
            return Err(bad());
        }
        ObjectId::from_slice(id).map_err(|_| bad())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut wide = [0u8; 20];
        wide[4..].copy_from_slice(&self.0);
        let mut text = [0u8; 32];
        CROCKFORD.encode_mut(&wide, &mut text);
        f.write_str(std::str::from_utf8(&text[6..]).unwrap_or_default())
    }
}

macro_rules! base32_text {
    ($name:ident, $what:literal) => {
        impl $name {
            /// Reads the text form, in either case.
            pub fn parse(text: &str) -> Result<Self> {
                BASE32_NOPAD
                    .decode(text.to_ascii_uppercase().as_bytes())
                    .ok()
                    .and_then(|bytes| $name::from_slice(&bytes).ok())
                    .ok_or_else(|| {
                        Error::invalid(format!(
                            concat!(
                                "{:?} is not ",
                                $what,
                                ": expected {} letters and digits of base32"
                            ),
                            clip(text),
                            ($name::LEN * 8).div_ceil(5)
                        ))
                    })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
            }
        }
    };
}

base32_text!(BlobId, "a blob id");
base32_text!(SpaceId, "a space id");
base32_text!(EntryId, "an entry id");
base32_text!(FeedId, "a feed id");
base32_text!(DeviceKey, "a device key");
base32_text!(IdentityKey, "an identity key");

/// At most 40 characters of a bad input, for an error message.
pub(crate) fn clip(text: &str) -> &str {
    match text.char_indices().nth(40) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_id_text_has_26_characters_and_keeps_order() {
        let a = ObjectId::from_parts(1_763_864_160_123, [7; 10]);
        let b = ObjectId::from_parts(1_763_864_160_124, [0; 10]);
        assert_eq!(a.to_string().len(), 26);
        assert!(a.to_string() < b.to_string());
        assert_eq!(ObjectId::parse(&a.to_string()).unwrap(), a);
        assert_eq!(ObjectId::parse(&a.to_string().to_uppercase()).unwrap(), a);
        let all = ObjectId([255; 16]);
        assert_eq!(ObjectId::parse(&all.to_string()).unwrap(), all);
    }

    #[test]
    fn bad_object_ids_are_refused() {
        for bad in [
            "",
            "x",
            "zzzzzzzzzzzzzzzzzzzzzzzzzz",
            "0000000000000000000000000u",
            "é",
        ] {
            assert!(ObjectId::parse(bad).is_err(), "{bad}");
        }
    }

    /// Computed apart, from `docs/formats/schemas.md`.
    #[test]
    fn golden_schema_id() {
        let space = SpaceId([9; 32]);
        let id = ObjectId::schema(&space, "Task", 1);
        assert_eq!(id.to_string(), "0wejetmnk0z5k171d5bfm3p10t");
        assert_ne!(ObjectId::schema(&space, "Task", 2), id);
        assert_ne!(ObjectId::schema(&SpaceId([8; 32]), "Task", 1), id);
    }

    #[test]
    fn space_id_round_trips() {
        let id = SpaceId([9; 32]);
        assert_eq!(id.to_string().len(), 52);
        assert_eq!(SpaceId::parse(&id.to_string()).unwrap(), id);
        assert!(SpaceId::parse(&id.to_string()[1..]).is_err());
    }
}
