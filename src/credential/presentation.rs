//! Presentations: credentials, shown by a device of the identity they are about, to one audience,
//! in answer to one nonce.

use super::fault::{check_signature, form, malformed, take_chain, take_head};
use super::{Credential, VERSION, type_byte};
use crate::feed::codec::{Reader, put_bytes, put_varint};
use crate::identity::{DeviceChain, Keyring};
use crate::model::{Error, ErrorKind, Result, limits};

const DOMAIN: &[u8] = b"echodb/presentation/v1";

/// What a verifier asks for: a presentation that answers this nonce and is meant for this audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Random bytes of the verifier's, used once.
    pub nonce: Vec<u8>,
    /// The verifier, by a name that both sides know: an address, for example.
    pub audience: String,
}

impl Challenge {
    /// Checks both. Fails with `InvalidArgument` for a nonce of fewer than 16 or more than 64 bytes,
    /// and for an audience that is empty, longer than [`limits::NAME_CHARS`] characters, or has
    /// control characters.
    pub fn new(nonce: Vec<u8>, audience: String) -> Result<Challenge> {
        let challenge = Challenge { nonce, audience };
        challenge.check()?;
        Ok(challenge)
    }

    fn check(&self) -> Result<()> {
        if !limits::NONCE_BYTES.contains(&self.nonce.len()) {
            return Err(malformed(format!(
                "a nonce has {} to {} random bytes, not {}",
                limits::NONCE_BYTES.start(),
                limits::NONCE_BYTES.end(),
                self.nonce.len()
            )));
        }
        let audience = &self.audience;
        if audience.is_empty()
            || audience.chars().count() > limits::NAME_CHARS
            || audience.chars().any(char::is_control)
        {
            return Err(malformed(format!(
                "an audience has 1 to {} characters and no control characters",
                limits::NAME_CHARS
            )));
        }
        Ok(())
    }
}

/// A presentation whose signatures verify.
#[derive(Clone, Debug)]
pub struct Presentation {
    /// What leads from the identity to the device that presents.
    pub chain: DeviceChain,
    /// The identity's display name, which proves nothing.
    pub name: String,
    /// What it answers.
    pub challenge: Challenge,
    /// When, by the presenting device's clock: milliseconds since 1970.
    pub presented_ms: u64,
    /// What is shown. All of it is about the identity that presents.
    pub credentials: Vec<Credential>,
}

impl Presentation {
    /// Presents credentials with the keyring's device. Errors with `InvalidArgument` for a credential
    /// of somebody else, and with `LimitExceeded`.
    pub fn make(
        keyring: &Keyring,
        name: &str,
        challenge: &Challenge,
        credentials: &[Credential],
        now_ms: u64,
    ) -> Result<Vec<u8>> {
        challenge.check()?;
        if credentials.len() > limits::PRESENTED {
            return Err(Error::limit(format!(
                "a presentation shows {} credentials, at most {} are allowed",
                credentials.len(),
                limits::PRESENTED
            )));
        }
        let own = keyring.identity_key();
        if let Some(other) = credentials.iter().find(|c| c.subject() != own) {
            return Err(malformed(format!(
                "a credential is about {}: only that identity can present it",
                other.subject()
            )));
        }
        let name: String = name.chars().take(limits::NAME_CHARS).collect();
        let mut bytes = vec![type_byte::PRESENTATION, VERSION];
        put_bytes(&mut bytes, &keyring.chain().encode());
        put_bytes(&mut bytes, name.as_bytes());
        put_bytes(&mut bytes, &challenge.nonce);
        put_bytes(&mut bytes, challenge.audience.as_bytes());
        bytes.extend_from_slice(&now_ms.to_le_bytes());
        put_varint(&mut bytes, credentials.len() as u64);
        for credential in credentials {
            put_bytes(&mut bytes, credential.bytes());
        }
        let signature = keyring.device_signer().sign(&[DOMAIN, &bytes].concat());
        bytes.extend_from_slice(&signature);
        check_len(bytes.len())?;
        Ok(bytes)
    }

    /// Reads a presentation and verifies it, without asking what it answers.
    ///
    /// The device's signature is looked at before the credentials are: it is cheap, and nobody can
    /// have us verify what no device of the identity vouches for.
    pub fn decode(bytes: &[u8]) -> Result<Presentation> {
        check_len(bytes.len())?;
        let mut reader = Reader::new(bytes, "presentation");
        take_head(&mut reader, type_byte::PRESENTATION)?;
        let chain = take_chain(&mut reader)?;
        let name = reader.text(limits::NAME_CHARS).map_err(form)?;
        let nonce = reader.bytes(*limits::NONCE_BYTES.end()).map_err(form)?;
        let audience = reader.text(limits::NAME_CHARS).map_err(form)?;
        let challenge = Challenge::new(nonce.to_vec(), audience)?;
        let presented_ms = reader.u64().map_err(form)?;
        let count = reader
            .count(limits::PRESENTED, "credentials")
            .map_err(form)?;
        let shown = (0..count)
            .map(|_| reader.bytes(limits::CREDENTIAL_BYTES).map_err(form))
            .collect::<Result<Vec<_>>>()?;
        let signed = bytes.len() - reader.remaining();
        let signature: [u8; 64] = reader.array().map_err(form)?;
        reader.finish().map_err(form)?;
        let signed = [DOMAIN, bytes.get(..signed).unwrap_or_default()].concat();
        check_signature(&chain, &signed, &signature, "the presentation")?;
        let own = chain.certificate().identity;
        let mut credentials = Vec::with_capacity(shown.len());
        for (at, bytes) in shown.into_iter().enumerate() {
            let credential = Credential::decode(bytes)
                .map_err(|e| e.context(format!("credential {}", at + 1)))?;
            if credential.subject() != own {
                return Err(Error::new(
                    ErrorKind::NotCertified,
                    format!(
                        "credential {} is about {}, and {own} presents it",
                        at + 1,
                        credential.subject()
                    ),
                ));
            }
            credentials.push(credential);
        }
        Ok(Presentation {
            chain,
            name,
            challenge,
            presented_ms,
            credentials,
        })
    }

    /// Verifies a presentation that answers `challenge`, at a moment.
    ///
    /// Errors as [`Credential::decode`] does, and with `WrongNonce`, `WrongAudience` and `Expired`.
    pub fn verify(bytes: &[u8], challenge: &Challenge, now_ms: u64) -> Result<Presentation> {
        let shown = Presentation::decode(bytes)?;
        if shown.challenge.audience != challenge.audience {
            return Err(Error::new(
                ErrorKind::WrongAudience,
                format!(
                    "the presentation is meant for {:?}, not for {:?}",
                    shown.challenge.audience, challenge.audience
                ),
            ));
        }
        if shown.challenge.nonce != challenge.nonce {
            return Err(Error::new(
                ErrorKind::WrongNonce,
                "the presentation answers another nonce: it may have been seen before",
            ));
        }
        for credential in &shown.credentials {
            credential.check_time(now_ms)?;
        }
        Ok(shown)
    }
}

fn check_len(len: usize) -> Result<()> {
    if len <= limits::PRESENTATION_BYTES {
        return Ok(());
    }
    Err(Error::limit(format!(
        "a presentation has {len} bytes, at most {} are allowed",
        limits::PRESENTATION_BYTES
    )))
}
