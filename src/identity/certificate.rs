//! Device certificates: an identity says that a device acts for it, and the device agrees.

use super::hpke_suite::check_hpke_key;
use crate::feed::codec::{Reader, put_bytes};
use crate::feed::{DeviceSigner, check_public_key, verify_signature};
use crate::model::{DeviceKey, IdentityKey, Result, limits};

const IDENTITY_DOMAIN: &[u8] = b"echodb/certificate/identity/v1";
const DEVICE_DOMAIN: &[u8] = b"echodb/certificate/device/v1";
const VERSION: u8 = 1;

/// What a certificate says. It is valid in every space and for ever; a space revokes the device,
/// not the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCertificate {
    /// The identity.
    pub identity: IdentityKey,
    /// The device's signing key.
    pub device: DeviceKey,
    /// The device's X25519 key, to which content keys are sealed.
    pub hpke: [u8; 32],
    /// What people call the device; at most [`limits::NAME_CHARS`] characters.
    pub name: String,
}

impl DeviceCertificate {
    /// The largest certificate, in bytes.
    pub const MAX_LEN: usize = 1 + 3 * 32 + 3 + limits::NAME_CHARS * 4 + 2 * 64;

    /// Reads a certificate and verifies both signatures. Errors when it is malformed, of another
    /// version, names unusable keys, or either signature is wrong.
    pub fn decode(bytes: &[u8]) -> Result<DeviceCertificate> {
        let mut reader = Reader::new(bytes, "device certificate");
        reader.version(VERSION)?;
        let certificate = DeviceCertificate {
            identity: IdentityKey(reader.array()?),
            device: DeviceKey(reader.array()?),
            hpke: reader.array()?,
            name: reader.text(limits::NAME_CHARS)?,
        };
        let by_identity: [u8; 64] = reader.array()?;
        let by_device: [u8; 64] = reader.array()?;
        reader.finish()?;
        check_public_key(&certificate.identity.0)?;
        check_public_key(&certificate.device.0)?;
        check_hpke_key(&certificate.hpke)?;
        let fields = certificate.fields();
        for (key, domain, signature) in [
            (&certificate.identity.0, IDENTITY_DOMAIN, by_identity),
            (&certificate.device.0, DEVICE_DOMAIN, by_device),
        ] {
            verify_signature(key, &[domain, &fields].concat(), &signature)
                .map_err(|e| e.context("device certificate"))?;
        }
        Ok(certificate)
    }

    /// The certificate's bytes. The device signs too: nobody can claim another's device.
    pub(super) fn sign(&self, identity: &DeviceSigner, device: &DeviceSigner) -> Vec<u8> {
        let mut bytes = self.fields();
        let by_identity = identity.sign(&[IDENTITY_DOMAIN, &bytes].concat());
        let by_device = device.sign(&[DEVICE_DOMAIN, &bytes].concat());
        bytes.extend_from_slice(&by_identity);
        bytes.extend_from_slice(&by_device);
        bytes
    }

    fn fields(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(self.identity.as_bytes());
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(&self.hpke);
        put_bytes(&mut out, self.name.as_bytes());
        out
    }
}
