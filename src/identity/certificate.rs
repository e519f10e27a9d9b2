//! Device certificates: an issuer says that a device acts for an identity, and the device agrees.

use super::hpke_suite::check_hpke_key;
use super::verified;
use crate::feed::codec::{Reader, put_bytes};
use crate::feed::{DeviceSigner, check_public_key, verify_signature};
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, RecoveryKey, Result, limits};

/// Version 1: issued by the identity itself.
pub(super) const BY_IDENTITY: u8 = 1;
/// Version 2: issued by one of its devices, or by a recovery key.
pub(super) const BY_OTHERS: u8 = 2;

const ISSUER_DEVICE: u8 = 1;
const ISSUER_RECOVERY: u8 = 2;

/// Who says that a device acts for the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// The identity's own key, which exists only while its first device is set up.
    Identity,
    /// A device of the identity; the certified device itself, when it renews its HPKE key.
    Device(DeviceKey),
    /// A recovery key of the identity.
    Recovery(RecoveryKey),
}

/// What a certificate says. It is valid in every space and for ever; a space revokes the device,
/// not the certificate. A certificate by itself proves who issued it, not that the issuer had the
/// right to: that takes the [`super::DeviceChain`] it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCertificate {
    /// The identity.
    pub identity: IdentityKey,
    /// The device's signing key.
    pub device: DeviceKey,
    /// The device's X25519 key, to which content keys are sealed.
    pub hpke: [u8; 32],
    /// Who says so.
    pub issuer: Issuer,
    /// The device's place among the identity's: 0 for those that the identity certified, for
    /// others higher than the issuing device's. Lower ones are senior, in every space alike.
    pub order: u32,
    /// What people call the device; at most [`limits::NAME_CHARS`] characters.
    pub name: String,
}

impl DeviceCertificate {
    /// The largest certificate, in bytes.
    pub const MAX_LEN: usize = 1 + 4 * 32 + 1 + 4 + 3 + limits::NAME_CHARS * 4 + 2 * 64;

    /// Reads a certificate and verifies both signatures. Errors when it is malformed, of another
    /// version, names unusable keys, or either signature is wrong.
    pub fn decode(bytes: &[u8]) -> Result<DeviceCertificate> {
        let mut reader = Reader::new(bytes, "device certificate");
        let certificate = DeviceCertificate::take_fields(&mut reader)?;
        let by_issuer: [u8; 64] = reader.array()?;
        let by_device: [u8; 64] = reader.array()?;
        reader.finish()?;
        verified::once(b"device certificate", bytes, || {
            certificate.check_keys()?;
            certificate.verify_issuer(&by_issuer)?;
            certificate.verify_device(&by_device)
        })?;
        Ok(certificate)
    }

    fn take_fields(reader: &mut Reader<'_>) -> Result<DeviceCertificate> {
        let version = reader.u8()?;
        if ![BY_IDENTITY, BY_OTHERS].contains(&version) {
            return Err(Error::new(
                ErrorKind::UnsupportedVersion,
                format!(
                    "a device certificate has version {version}, this library reads versions 1 \
                     and 2"
                ),
            ));
        }
        let mut certificate = DeviceCertificate {
            identity: IdentityKey(reader.array()?),
            device: DeviceKey(reader.array()?),
            hpke: reader.array()?,
            issuer: Issuer::Identity,
            order: 0,
            name: String::new(),
        };
        if version == BY_OTHERS {
            certificate.issuer = match reader.u8()? {
                ISSUER_DEVICE => Issuer::Device(DeviceKey(reader.array()?)),
                ISSUER_RECOVERY => Issuer::Recovery(RecoveryKey(reader.array()?)),
                other => return Err(reader.error(format!("{other} is no kind of issuer"))),
            };
            certificate.order = reader.u32()?;
        }
        certificate.name = reader.text(limits::NAME_CHARS)?;
        Ok(certificate)
    }

    fn check_keys(&self) -> Result<()> {
        check_public_key(&self.identity.0)?;
        check_public_key(&self.device.0)?;
        check_public_key(self.issuer_key())?;
        check_hpke_key(&self.hpke)
    }

    /// The certificate's bytes. The device signs too: nobody can claim another's device.
    pub(super) fn sign(&self, issuer: &DeviceSigner, device: &DeviceSigner) -> Vec<u8> {
        let mut bytes = self.fields();
        let by_issuer = issuer.sign(&self.signed_by_issuer());
        let by_device = device.sign(&self.signed_by_device());
        bytes.extend_from_slice(&by_issuer);
        bytes.extend_from_slice(&by_device);
        bytes
    }

    /// What the device that is to be certified sends to the issuer: all fields, and its agreement.
    pub(super) fn request(&self, device: &DeviceSigner) -> Vec<u8> {
        let mut bytes = self.fields();
        bytes.extend_from_slice(&device.sign(&self.signed_by_device()));
        bytes
    }

    /// Reads a request; the device has signed it.
    pub(super) fn decode_request(bytes: &[u8]) -> Result<(DeviceCertificate, [u8; 64])> {
        let mut reader = Reader::new(bytes, "request for a device certificate");
        let certificate = DeviceCertificate::take_fields(&mut reader)?;
        let by_device: [u8; 64] = reader.array()?;
        reader.finish()?;
        certificate.check_keys()?;
        certificate.verify_device(&by_device)?;
        Ok((certificate, by_device))
    }

    /// Grants a request: the certificate's bytes.
    pub(super) fn grant(&self, issuer: &DeviceSigner, by_device: &[u8; 64]) -> Vec<u8> {
        let mut bytes = self.fields();
        bytes.extend_from_slice(&issuer.sign(&self.signed_by_issuer()));
        bytes.extend_from_slice(by_device);
        bytes
    }

    fn issuer_key(&self) -> &[u8; 32] {
        match &self.issuer {
            Issuer::Identity => &self.identity.0,
            Issuer::Device(key) => &key.0,
            Issuer::Recovery(key) => &key.0,
        }
    }

    fn verify_issuer(&self, signature: &[u8; 64]) -> Result<()> {
        verify_signature(self.issuer_key(), &self.signed_by_issuer(), signature)
            .map_err(|e| e.context("device certificate"))
    }

    fn verify_device(&self, signature: &[u8; 64]) -> Result<()> {
        verify_signature(&self.device.0, &self.signed_by_device(), signature)
            .map_err(|e| e.context("device certificate"))
    }

    fn signed_by_issuer(&self) -> Vec<u8> {
        let domain: &[u8] = match self.issuer {
            Issuer::Identity => b"echodb/certificate/identity/v1",
            _ => b"echodb/certificate/issuer/v2",
        };
        [domain, &self.fields()].concat()
    }

    fn signed_by_device(&self) -> Vec<u8> {
        let domain: &[u8] = match self.issuer {
            Issuer::Identity => b"echodb/certificate/device/v1",
            _ => b"echodb/certificate/device/v2",
        };
        [domain, &self.fields()].concat()
    }

    fn fields(&self) -> Vec<u8> {
        let issuer: Option<(u8, &[u8; 32])> = match &self.issuer {
            Issuer::Identity => None,
            Issuer::Device(key) => Some((ISSUER_DEVICE, &key.0)),
            Issuer::Recovery(key) => Some((ISSUER_RECOVERY, &key.0)),
        };
        let mut out = vec![if issuer.is_none() {
            BY_IDENTITY
        } else {
            BY_OTHERS
        }];
        out.extend_from_slice(self.identity.as_bytes());
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(&self.hpke);
        if let Some((kind, key)) = issuer {
            out.push(kind);
            out.extend_from_slice(key);
            out.extend_from_slice(&self.order.to_le_bytes());
        }
        put_bytes(&mut out, self.name.as_bytes());
        out
    }
}
