//! The keyring: every secret of an identity that this device holds.

use super::certificate::{DeviceCertificate, Issuer};
use super::chain::DeviceChain;
use super::device_keys::DeviceKeys;
use super::hpke_suite::{Aead, Kdf, Suite, public_of, secret_from};
use super::recovery::RecoveryPhrase;
use super::statement::RecoveryStatement;
use super::wrap::Wrap;
use super::{keyring_codec, keyring_v1};
use crate::feed::DeviceSigner;
use crate::model::{DeviceKey, Error, IdentityKey, Result};
use hpke::{Deserializable, Kem, OpModeR};
use zeroize::{Zeroize, Zeroizing};

/// HPKE secrets kept from before renewals. Older keys than they open are reached through the back
/// links of newer ones.
pub(super) const OLDER_SECRETS: usize = 8;

/// This device's signing and HPKE keys, and the chain that makes it a device of its identity. The
/// identity's own secret is not among them: it certified the first device and was wiped. The
/// secrets are wiped from memory when the keyring is dropped.
pub struct Keyring {
    pub(super) keys: DeviceKeys,
    /// HPKE secrets from before renewals, newest first.
    pub(super) older: Vec<Zeroizing<[u8; 32]>>,
    pub(super) chain: DeviceChain,
}

impl Keyring {
    /// A new identity and its first device. `random` must fill its argument from the operating
    /// system's generator. The identity's key certifies the device and is wiped.
    pub fn generate(random: &mut dyn FnMut(&mut [u8])) -> Keyring {
        let mut seed = Zeroizing::new([0; 32]);
        random(seed.as_mut());
        let identity = DeviceSigner::from_seed(*seed);
        let keys = DeviceKeys::generate(random);
        Self::first(&identity, keys, "")
    }

    pub(super) fn first(identity: &DeviceSigner, keys: DeviceKeys, name: &str) -> Keyring {
        let key = IdentityKey(identity.public().0);
        let certificate = keys.certificate(key, Issuer::Identity, 0, name);
        let bytes = certificate.sign(identity, &keys.signer);
        let chain = DeviceChain::from_links(&[bytes]).expect("the certificate was just made");
        Keyring {
            keys,
            older: Vec::new(),
            chain,
        }
    }

    /// The keyring of a device that had no identity, from the chain that its issuer sent: the
    /// answer to [`DeviceKeys::request`]. Errors when the chain is not valid or ends at another
    /// device.
    pub fn for_device(keys: DeviceKeys, links: &[Vec<u8>]) -> Result<Keyring> {
        let chain = DeviceChain::from_links(links)?;
        let certificate = chain.certificate();
        if certificate.device != keys.device_key() || certificate.hpke != keys.hpke_public() {
            return Err(Error::protocol("the device chain is another device's"));
        }
        Ok(Keyring {
            keys,
            older: Vec::new(),
            chain,
        })
    }

    /// The keyring of a device that recovers an identity by its phrase. `issuer` is the chain of
    /// the device that made the first of `statements`, each of which the key of the one before it
    /// made; the last names the phrase's recovery key. `order` is higher than that of every device
    /// known. Errors when the last statement names another key, as it does once a newer phrase was made.
    pub fn recover(
        keys: DeviceKeys,
        phrase: &RecoveryPhrase,
        issuer: &DeviceChain,
        statements: &[impl AsRef<[u8]>],
        order: u32,
        name: &str,
    ) -> Result<Keyring> {
        let last = statements.last().map_or(&[][..], |last| last.as_ref());
        let said = RecoveryStatement::decode(last)?;
        let key = phrase.key();
        if said.recovery != key {
            return Err(Error::invalid(
                "this recovery phrase is not the identity's present one: a newer one was made",
            ));
        }
        let certificate = keys.certificate(said.identity, Issuer::Recovery(key), order, name);
        let bytes = certificate.sign(&phrase.signer(), &keys.signer);
        let statements = statements.iter().map(|one| one.as_ref().to_vec());
        let more: Vec<Vec<u8>> = statements.chain([bytes]).collect();
        let links = issuer.extended(&more)?;
        Keyring::for_device(keys, &links)
    }

    /// Certifies another device of this identity: grants its [`DeviceKeys::request`]. Returns the
    /// links of that device's chain, root first, the new certificate last. Errors when the request
    /// is malformed, or meant for another identity or issuer.
    pub fn certify(&self, request: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (certificate, by_device) = DeviceCertificate::decode_request(request)?;
        if certificate.identity != self.identity_key()
            || certificate.issuer != Issuer::Device(self.device_key())
        {
            return Err(Error::protocol(
                "the request is for another device to grant",
            ));
        }
        if certificate.device == self.device_key() {
            return Err(Error::protocol("a device does not add itself"));
        }
        let bytes = certificate.grant(&self.keys.signer, &by_device);
        let links = self.chain.extended(&[bytes])?;
        DeviceChain::from_links(&links)?;
        Ok(links)
    }

    /// States that the identity's recovery key is the one of `phrase` from now on. `generation` is
    /// higher than the present statement's, 1 if there is none.
    pub fn recovery_statement(&self, phrase: &RecoveryPhrase, generation: u64) -> Vec<u8> {
        let statement = RecoveryStatement {
            identity: self.identity_key(),
            recovery: phrase.key(),
            generation,
            issuer: self.device_key().0,
        };
        statement.sign(&self.keys.signer, &phrase.signer())
    }

    /// The same device with a new HPKE key, which it certifies itself. What was sealed to the old
    /// key can still be opened.
    pub fn renew_hpke(&self, random: &mut dyn FnMut(&mut [u8])) -> Result<Keyring> {
        let mut secret = Zeroizing::new([0; 32]);
        random(secret.as_mut());
        let keys = DeviceKeys::from_secrets(self.keys.seed.clone(), secret);
        let present = self.chain.certificate();
        let issuer = Issuer::Device(present.device);
        let certificate = keys.certificate(present.identity, issuer, present.order, &present.name);
        let bytes = certificate.sign(&keys.signer, &keys.signer);
        let mut older = vec![self.keys.hpke_secret.clone()];
        older.extend(self.older.iter().take(OLDER_SECRETS - 1).cloned());
        Ok(Keyring {
            keys,
            older,
            chain: self.chain.renewed(bytes)?,
        })
    }

    /// The bytes to store.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        keyring_codec::encode(self)
    }

    /// Reads what [`Keyring::encode`] wrote, in this version or an older one. Errors with `Corrupt`
    /// when it is damaged and with `UnsupportedVersion` when a newer library wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Keyring> {
        match bytes.first() {
            None => Err(Error::corrupt("the keyring is empty")),
            Some(&keyring_v1::VERSION) => keyring_v1::decode(bytes),
            Some(_) => keyring_codec::decode(bytes),
        }
    }

    /// Whether stored bytes are of an older version: then they hold more than this device needs,
    /// and are to be replaced by what [`Keyring::encode`] gives.
    pub fn is_outdated(bytes: &[u8]) -> bool {
        bytes.first() == Some(&keyring_v1::VERSION)
    }

    /// The identity's public key.
    pub fn identity_key(&self) -> IdentityKey {
        self.chain.certificate().identity
    }

    /// This device's public signing key.
    pub fn device_key(&self) -> DeviceKey {
        self.keys.device_key()
    }

    /// Signs as this device.
    pub fn device_signer(&self) -> &DeviceSigner {
        &self.keys.signer
    }

    /// This device's X25519 public key, to which content keys are sealed.
    #[allow(dead_code, reason = "tests compare it")]
    pub fn hpke_public(&self) -> [u8; 32] {
        public_of(&self.keys.hpke_secret)
    }

    /// What shows others that this device acts for the identity.
    pub fn chain(&self) -> &DeviceChain {
        &self.chain
    }

    /// Opens a content key sealed to this device. Errors when it is for another device, was
    /// sealed for another purpose, or was tampered with.
    pub fn open_wrap(&self, info: &[u8], wrap: &Wrap) -> Result<[u8; 32]> {
        let refused = || Error::protocol("a sealed key does not open on this device");
        if wrap.device != self.device_key() {
            return Err(refused());
        }
        let enc = <Suite as Kem>::EncappedKey::from_bytes(&wrap.enc).map_err(|_| refused())?;
        for secret in std::iter::once(&self.keys.hpke_secret).chain(&self.older) {
            let opened = hpke::single_shot_open::<Aead, Kdf, Suite>(
                &OpModeR::Base,
                &secret_from(secret),
                &enc,
                info,
                &wrap.sealed,
                wrap.device.as_bytes(),
            );
            if let Ok(mut plain) = opened {
                let key = plain.as_slice().try_into().map_err(|_| refused());
                plain.zeroize();
                return key;
            }
        }
        Err(refused())
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Keyring({:?}, {:?})",
            self.identity_key(),
            self.device_key()
        )
    }
}

/// What only tests need: keyrings as old libraries and other devices make them.
#[cfg(test)]
impl Keyring {
    /// Another device of this identity, certified by this one.
    pub fn enrol(&self, order: u32, name: &str, random: &mut dyn FnMut(&mut [u8])) -> Keyring {
        let keys = DeviceKeys::generate(random);
        let request = keys.request(self.identity_key(), self.device_key(), order, name);
        let links = self.certify(&request).unwrap();
        Keyring::for_device(keys, &links).unwrap()
    }

    /// A keyring as version 1 made it, with its bytes: the identity follows from 16 bytes of
    /// entropy.
    pub fn version_1(name: &str, random: &mut dyn FnMut(&mut [u8])) -> (Keyring, Vec<u8>) {
        let mut entropy = [0; 16];
        random(&mut entropy);
        Keyring::version_1_of(&entropy, name, random)
    }

    /// The same, of a given identity.
    pub fn version_1_of(
        entropy: &[u8; 16],
        name: &str,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> (Keyring, Vec<u8>) {
        let keys = DeviceKeys::generate(random);
        let bytes = keyring_v1::encode(entropy, &keys);
        let identity = keyring_v1::identity_signer(entropy);
        (Keyring::first(&identity, keys, name), bytes)
    }
}

#[cfg(test)]
#[path = "keyring_tests.rs"]
mod tests;
