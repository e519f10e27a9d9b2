//! The keyring: every secret of an identity that this device holds.

use super::certificate::DeviceCertificate;
use super::hpke_suite::{Aead, Kdf, Suite, public_of, secret_from};
use super::wrap::Wrap;
use crate::feed::codec::Reader;
use crate::feed::{DeviceSigner, sha256};
use crate::model::{DeviceKey, Error, IdentityKey, Result, limits};
#[cfg(test)]
use bip39::Mnemonic;
use hpke::{Deserializable, Kem, OpModeR};
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::{Zeroize, Zeroizing};

const IDENTITY_DOMAIN: &[u8] = b"echodb/identity-seed/v1";
const CHECK_DOMAIN: &[u8] = b"echodb/keyring/v1";
const VERSION: u8 = 1;
const ENTROPY_LEN: usize = 16;
const CHECK_LEN: usize = 8;

/// Recovery entropy (the identity follows from it) and this device's signing and HPKE keys. The
/// secrets are wiped from memory when it is dropped.
pub struct Keyring {
    entropy: Zeroizing<[u8; ENTROPY_LEN]>,
    device_seed: Zeroizing<[u8; 32]>,
    hpke_secret: Zeroizing<[u8; 32]>,
    identity: IdentityKey,
    device_signer: DeviceSigner,
}

impl Keyring {
    /// A new identity and a new device. `random` must fill its argument from the operating
    /// system's generator.
    pub fn generate(random: &mut dyn FnMut(&mut [u8])) -> Keyring {
        let mut entropy = Zeroizing::new([0; ENTROPY_LEN]);
        random(entropy.as_mut());
        Self::new_device(entropy, random)
    }

    /// The identity of a recovery phrase (12 English words of BIP 39, in any spacing and case) on
    /// a new device. Errors with [`crate::model::ErrorKind::InvalidArgument`] when a word is not
    /// in the list, the count is wrong, or the checksum fails.
    #[cfg(test)]
    pub fn recover(phrase: &str, random: &mut dyn FnMut(&mut [u8])) -> Result<Keyring> {
        let phrase = Zeroizing::new(phrase.to_lowercase());
        // The words are not repeated in the error: it may be logged.
        let mnemonic = Mnemonic::parse(phrase.as_str())
            .map_err(|_| Error::invalid("this is not a recovery phrase: check its words"))?;
        let bytes = Zeroizing::new(mnemonic.to_entropy());
        let entropy = bytes
            .as_slice()
            .try_into()
            .map_err(|_| Error::invalid("a recovery phrase has 12 words"))?;
        Ok(Self::new_device(Zeroizing::new(entropy), random))
    }

    fn new_device(
        entropy: Zeroizing<[u8; ENTROPY_LEN]>,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Keyring {
        let mut device_seed = Zeroizing::new([0; 32]);
        let mut hpke_secret = Zeroizing::new([0; 32]);
        random(device_seed.as_mut());
        random(hpke_secret.as_mut());
        Self::assemble(entropy, device_seed, hpke_secret)
    }

    fn assemble(
        entropy: Zeroizing<[u8; ENTROPY_LEN]>,
        device_seed: Zeroizing<[u8; 32]>,
        hpke_secret: Zeroizing<[u8; 32]>,
    ) -> Keyring {
        let identity = IdentityKey(identity_signer(&entropy).public().0);
        Keyring {
            device_signer: DeviceSigner::from_seed(*device_seed),
            identity,
            entropy,
            device_seed,
            hpke_secret,
        }
    }

    /// The bytes to store: version, entropy, device seed, HPKE secret, and a check sum against
    /// damage (not against malice: whoever can write here has the secrets).
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(1 + ENTROPY_LEN + 64 + CHECK_LEN));
        out.push(VERSION);
        out.extend_from_slice(self.entropy.as_ref());
        out.extend_from_slice(self.device_seed.as_ref());
        out.extend_from_slice(self.hpke_secret.as_ref());
        let check = check_sum(&out);
        out.extend_from_slice(&check);
        out
    }

    /// Reads what [`Keyring::encode`] wrote. Errors with `Corrupt` when it is damaged and with
    /// `UnsupportedVersion` when a newer library wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Keyring> {
        let mut reader = Reader::new(bytes, "keyring");
        if bytes.is_empty() {
            return Err(Error::corrupt("the keyring is empty"));
        }
        reader.version(VERSION)?;
        let damaged = |_| Error::corrupt("the keyring is damaged");
        let entropy = Zeroizing::new(reader.array().map_err(damaged)?);
        let device_seed = Zeroizing::new(reader.array().map_err(damaged)?);
        let hpke_secret = Zeroizing::new(reader.array().map_err(damaged)?);
        let check: [u8; CHECK_LEN] = reader.array().map_err(damaged)?;
        reader.finish().map_err(damaged)?;
        let covered = bytes.len().saturating_sub(CHECK_LEN);
        if check_sum(bytes.get(..covered).unwrap_or_default()) != check {
            return Err(Error::corrupt("the keyring is damaged"));
        }
        Ok(Self::assemble(entropy, device_seed, hpke_secret))
    }

    /// The identity's public key.
    pub fn identity_key(&self) -> IdentityKey {
        self.identity
    }

    /// This device's public signing key.
    pub fn device_key(&self) -> DeviceKey {
        self.device_signer.public()
    }

    /// Signs as this device.
    pub fn device_signer(&self) -> &DeviceSigner {
        &self.device_signer
    }

    /// This device's X25519 public key, to which content keys are sealed.
    pub fn hpke_public(&self) -> [u8; 32] {
        public_of(&self.hpke_secret)
    }

    /// A certificate for this device under a name, cut at [`limits::NAME_CHARS`] characters.
    pub fn device_certificate(&self, device_name: &str) -> Vec<u8> {
        let certificate = DeviceCertificate {
            identity: self.identity,
            device: self.device_key(),
            hpke: self.hpke_public(),
            name: device_name.chars().take(limits::NAME_CHARS).collect(),
        };
        certificate.sign(&identity_signer(&self.entropy), &self.device_signer)
    }

    /// The twelve words of BIP 39 from which the identity can be recovered. Whoever reads them is
    /// the identity.
    #[cfg(test)]
    pub fn recovery_phrase(&self) -> Zeroizing<String> {
        let mnemonic = Mnemonic::from_entropy(self.entropy.as_ref())
            .expect("BIP 39 takes 16 bytes of entropy");
        Zeroizing::new(mnemonic.to_string())
    }

    /// Opens a content key sealed to this device. Errors when it is for another device, was
    /// sealed for another purpose, or was tampered with.
    pub fn open_wrap(&self, info: &[u8], wrap: &Wrap) -> Result<[u8; 32]> {
        let refused = || Error::protocol("a sealed key does not open on this device");
        if wrap.device != self.device_key() {
            return Err(refused());
        }
        let enc = <Suite as Kem>::EncappedKey::from_bytes(&wrap.enc).map_err(|_| refused())?;
        let mut plain = hpke::single_shot_open::<Aead, Kdf, Suite>(
            &OpModeR::Base,
            &secret_from(&self.hpke_secret),
            &enc,
            info,
            &wrap.sealed,
            wrap.device.as_bytes(),
        )
        .map_err(|_| refused())?;
        let key = plain.as_slice().try_into().map_err(|_| refused());
        plain.zeroize();
        key
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({:?}, {:?})", self.identity, self.device_key())
    }
}

/// The identity's key follows from the entropy alone (HKDF-SHA256, RFC 5869), so that the phrase
/// restores it. It is made when needed and not kept.
fn identity_signer(entropy: &[u8; ENTROPY_LEN]) -> DeviceSigner {
    let mut seed = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, IDENTITY_DOMAIN)
        .extract(entropy)
        .expand(&[b"ed25519"], HKDF_SHA256)
        .and_then(|okm| okm.fill(seed.as_mut()))
        .expect("HKDF yields 32 bytes");
    DeviceSigner::from_seed(*seed)
}

fn check_sum(bytes: &[u8]) -> [u8; CHECK_LEN] {
    let mut check = [0; CHECK_LEN];
    for (to, from) in check.iter_mut().zip(sha256(&[CHECK_DOMAIN, bytes])) {
        *to = from;
    }
    check
}

#[cfg(test)]
#[path = "keyring_tests.rs"]
mod tests;
