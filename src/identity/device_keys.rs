//! The keys of a device that acts for no identity yet.

use super::certificate::{DeviceCertificate, Issuer};
use super::hpke_suite::public_of;
use crate::feed::DeviceSigner;
use crate::model::{DeviceKey, Error, IdentityKey, Result, limits};
use zeroize::Zeroizing;

/// A device's signing and HPKE keys. They are made on the device and never leave it: what a new
/// device is given is a certificate. The secrets are wiped from memory when it is dropped.
pub struct DeviceKeys {
    pub(super) seed: Zeroizing<[u8; 32]>,
    pub(super) hpke_secret: Zeroizing<[u8; 32]>,
    pub(super) signer: DeviceSigner,
}

impl DeviceKeys {
    /// New keys. `random` must fill its argument from the operating system's generator.
    pub fn generate(random: &mut dyn FnMut(&mut [u8])) -> DeviceKeys {
        let mut seed = Zeroizing::new([0; 32]);
        let mut hpke_secret = Zeroizing::new([0; 32]);
        random(seed.as_mut());
        random(hpke_secret.as_mut());
        DeviceKeys::from_secrets(seed, hpke_secret)
    }

    /// The secrets, to be kept until the device has been certified.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut bytes = Zeroizing::new([0; 64]);
        let (seed, hpke) = bytes.split_at_mut(32);
        seed.copy_from_slice(self.seed.as_ref());
        hpke.copy_from_slice(self.hpke_secret.as_ref());
        bytes
    }

    /// Reads what [`DeviceKeys::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Result<DeviceKeys> {
        let damaged = |_| Error::corrupt("the keys of a new device are damaged");
        let (seed, hpke) = bytes.split_at(bytes.len().min(32));
        let mut secrets = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        *secrets.0 = seed.try_into().map_err(damaged)?;
        *secrets.1 = hpke.try_into().map_err(damaged)?;
        Ok(DeviceKeys::from_secrets(secrets.0, secrets.1))
    }

    pub(super) fn from_secrets(
        seed: Zeroizing<[u8; 32]>,
        hpke_secret: Zeroizing<[u8; 32]>,
    ) -> DeviceKeys {
        DeviceKeys {
            signer: DeviceSigner::from_seed(*seed),
            seed,
            hpke_secret,
        }
    }

    /// The public signing key.
    pub fn device_key(&self) -> DeviceKey {
        self.signer.public()
    }

    /// Signs as the device, which proves that these keys are here.
    pub fn signer(&self) -> &DeviceSigner {
        &self.signer
    }

    /// The X25519 public key, to which content keys are sealed.
    pub fn hpke_public(&self) -> [u8; 32] {
        public_of(&self.hpke_secret)
    }

    /// Asks the device `issuer` to certify this one for `identity`, under a name (cut at
    /// [`limits::NAME_CHARS`] characters) and with the place that the issuer named. The request is
    /// signed: it is the device's agreement, to this identity and issuer only.
    /// [`super::Keyring::certify`] grants it.
    pub fn request(
        &self,
        identity: IdentityKey,
        issuer: DeviceKey,
        order: u32,
        name: &str,
    ) -> Vec<u8> {
        let issuer = Issuer::Device(issuer);
        let certificate = self.certificate(identity, issuer, order, name);
        certificate.request(&self.signer)
    }

    pub(super) fn certificate(
        &self,
        identity: IdentityKey,
        issuer: Issuer,
        order: u32,
        name: &str,
    ) -> DeviceCertificate {
        DeviceCertificate {
            identity,
            device: self.device_key(),
            hpke: self.hpke_public(),
            issuer,
            order,
            name: name.chars().take(limits::NAME_CHARS).collect(),
        }
    }
}

impl std::fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeviceKeys({:?})", self.device_key())
    }
}
