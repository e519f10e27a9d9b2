//! Recovery phrases: 24 words of BIP 39, and what follows from them.

use super::statement::RecoveryStatement;
use crate::feed::DeviceSigner;
use crate::model::{Error, IdentityKey, RecoveryKey, Result};
use bip39::{Language, Mnemonic};
use ring::hkdf::{HKDF_SHA256, Salt};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

const DOMAIN: &[u8] = b"echodb/recovery/v1";
const ENTROPY_LEN: usize = 32;
const WORDS: usize = 24;
/// No phrase is longer, however it is spaced: what exceeds this is not looked at.
const PHRASE_BYTES: usize = 4 * 1024;

/// The entropy of a recovery phrase. Whoever has it can act for the identity; it is wiped from
/// memory when dropped, and stored nowhere.
pub struct RecoveryPhrase {
    entropy: Zeroizing<[u8; ENTROPY_LEN]>,
}

impl RecoveryPhrase {
    /// A new phrase. `random` must fill its argument from the operating system's generator.
    pub fn generate(random: &mut dyn FnMut(&mut [u8])) -> RecoveryPhrase {
        let mut entropy = Zeroizing::new([0; ENTROPY_LEN]);
        random(entropy.as_mut());
        RecoveryPhrase { entropy }
    }

    /// Reads 24 English words of BIP 39, in any case, spacing and Unicode form.
    ///
    /// Errors with [`crate::model::ErrorKind::InvalidArgument`] when the number of words is wrong,
    /// one is not in the list (its place is named), or the checksum fails. The words are never
    /// repeated: an error may be logged.
    pub fn parse(phrase: &str) -> Result<RecoveryPhrase> {
        if phrase.len() > PHRASE_BYTES {
            return Err(Error::invalid("this is too long to be a recovery phrase"));
        }
        let folded: Zeroizing<String> = Zeroizing::new(phrase.nfkd().collect());
        let folded = Zeroizing::new(folded.to_lowercase());
        let count = folded.split_whitespace().count();
        if count != WORDS {
            return Err(Error::invalid(format!(
                "a recovery phrase has {WORDS} words, not {count}"
            )));
        }
        let mut spaced = Zeroizing::new(String::with_capacity(folded.len() + WORDS));
        for word in folded.split_whitespace() {
            spaced.push_str(word);
            spaced.push(' ');
        }
        let mnemonic =
            Mnemonic::parse_in_normalized(Language::English, spaced.trim_end()).map_err(explain)?;
        let (bytes, len) = mnemonic.to_entropy_array();
        let bytes = Zeroizing::new(bytes);
        let entropy = bytes
            .get(..len)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| Error::internal("24 words hold 32 bytes"))?;
        Ok(RecoveryPhrase {
            entropy: Zeroizing::new(entropy),
        })
    }

    /// The words, in lower case, one space apart.
    pub fn words(&self) -> Zeroizing<String> {
        let mnemonic =
            Mnemonic::from_entropy(self.entropy.as_ref()).expect("BIP 39 takes 32 bytes");
        Zeroizing::new(mnemonic.to_string())
    }

    /// The recovery key that follows from the phrase.
    pub fn key(&self) -> RecoveryKey {
        RecoveryKey(self.signer().public().0)
    }

    /// Where own devices and a client that recovers the identity find each other: the secret of a
    /// rendezvous as in an invitation code. It tells nothing of the key.
    pub fn rendezvous(&self) -> Zeroizing<[u8; 16]> {
        let mut secret = Zeroizing::new([0; 16]);
        let derived = self.derive(b"rendezvous");
        for (to, from) in secret.iter_mut().zip(derived.iter()) {
            *to = *from;
        }
        secret
    }

    /// States, by this phrase, that another takes its place as one of `identity`'s. `generation` is
    /// higher than that of every phrase there is.
    pub fn replaced_by(
        &self,
        new: &RecoveryPhrase,
        identity: IdentityKey,
        generation: u64,
    ) -> Vec<u8> {
        let statement = RecoveryStatement {
            identity,
            recovery: new.key(),
            generation,
            issuer: self.key().0,
        };
        statement.sign(&self.signer(), &new.signer())
    }

    pub(super) fn signer(&self) -> DeviceSigner {
        DeviceSigner::from_seed(*self.derive(b"ed25519"))
    }

    /// HKDF-SHA256 (RFC 5869), separate for each purpose.
    fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut okm = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, DOMAIN)
            .extract(self.entropy.as_ref())
            .expand(&[purpose], HKDF_SHA256)
            .and_then(|derived| derived.fill(okm.as_mut()))
            .expect("HKDF yields 32 bytes");
        okm
    }
}

impl std::fmt::Debug for RecoveryPhrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryPhrase")
    }
}

fn explain(error: bip39::Error) -> Error {
    match error {
        bip39::Error::UnknownWord(at) => Error::invalid(format!(
            "word {} of the recovery phrase is not in the English word list of BIP 39: check its \
             spelling",
            at + 1
        )),
        bip39::Error::InvalidChecksum => Error::invalid(
            "the words do not belong together: one is wrong, or they are out of order",
        ),
        _ => Error::invalid("this is not a recovery phrase: check its words"),
    }
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
