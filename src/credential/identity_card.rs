//! The card of an identity: this device acts for it, and it goes by this name.

use super::fault::{check_signature, form, take_chain, take_head};
use super::{VERSION, type_byte};
use crate::feed::codec::{Reader, put_bytes};
use crate::identity::{DeviceChain, Keyring};
use crate::model::{Result, limits};

const DOMAIN: &[u8] = b"echodb/credential/identity/v1";

/// What a device says of itself and its identity. The chain proves that the device was made one of
/// the identity's; the name is what the identity calls itself, and proves nothing.
#[derive(Clone, Debug)]
pub struct IdentityCard {
    /// What leads from the identity to the device.
    pub chain: DeviceChain,
    /// The identity's display name.
    pub name: String,
    /// When it was made, by the device's clock: milliseconds since 1970.
    pub issued_ms: u64,
    bytes: Vec<u8>,
}

impl IdentityCard {
    /// Makes the card of the keyring's device.
    pub fn issue(keyring: &Keyring, name: &str, issued_ms: u64) -> IdentityCard {
        let chain = keyring.chain().clone();
        let name: String = name.chars().take(limits::NAME_CHARS).collect();
        let mut bytes = vec![type_byte::IDENTITY, VERSION];
        put_bytes(&mut bytes, &chain.encode());
        put_bytes(&mut bytes, name.as_bytes());
        bytes.extend_from_slice(&issued_ms.to_le_bytes());
        let signature = keyring.device_signer().sign(&[DOMAIN, &bytes].concat());
        bytes.extend_from_slice(&signature);
        IdentityCard {
            chain,
            name,
            issued_ms,
            bytes,
        }
    }

    /// Reads a card and verifies it.
    pub(super) fn decode(bytes: &[u8]) -> Result<IdentityCard> {
        let mut reader = Reader::new(bytes, "identity credential");
        take_head(&mut reader, type_byte::IDENTITY)?;
        let chain = take_chain(&mut reader)?;
        let name = reader.text(limits::NAME_CHARS).map_err(form)?;
        let issued_ms = reader.u64().map_err(form)?;
        let signed = bytes.len() - reader.remaining();
        let signature: [u8; 64] = reader.array().map_err(form)?;
        reader.finish().map_err(form)?;
        let signed = [DOMAIN, bytes.get(..signed).unwrap_or_default()].concat();
        check_signature(&chain, &signed, &signature, "the identity credential")?;
        Ok(IdentityCard {
            chain,
            name,
            issued_ms,
            bytes: bytes.to_vec(),
        })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
