//! Statements: what one identity says of another, or of itself.

use super::claims::Claims;
use super::fault::{check_signature, form, malformed, take_chain, take_head};
use super::{VERSION, credential_id, type_byte};
use crate::feed::check_public_key;
use crate::feed::codec::{Reader, put_bytes};
use crate::identity::{DeviceChain, Keyring};
use crate::model::{Error, ErrorKind, IdentityKey, Result, limits};

const DOMAIN: &[u8] = b"echodb/credential/statement/v1";
/// Stands for a statement without end.
const NO_END: u64 = 0;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementDraft {
    /// Of whom.
    pub subject: IdentityKey,
    /// What kind of statement it is: a name that those who read it agree on.
    pub type_name: String,
    /// What it says.
    pub claims: Claims,
    /// When, by the issuer's clock: milliseconds since 1970.
    pub issued_ms: u64,
    /// Until when it holds, by the reader's clock; none: for ever.
    pub expires_ms: Option<u64>,
}

impl StatementDraft {
    fn check(&self) -> Result<()> {
        check_public_key(&self.subject.0)
            .map_err(|_| malformed("the subject is not the key of an identity"))?;
        let name = &self.type_name;
        if name.is_empty()
            || name.chars().count() > limits::NAME_CHARS
            || name.chars().any(char::is_control)
        {
            return Err(malformed(format!(
                "a credential's type has 1 to {} characters and no control characters",
                limits::NAME_CHARS
            )));
        }
        if self.expires_ms.is_some_and(|end| end <= self.issued_ms) {
            return Err(malformed(
                "a credential expires after the moment in which it is issued",
            ));
        }
        Ok(())
    }
}

/// A signed statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What leads from the issuing identity to the device that signed.
    pub issuer: DeviceChain,
    /// What it says.
    pub said: StatementDraft,
    bytes: Vec<u8>,
}

impl Statement {
    /// Says something with the keyring's device. Errors with `InvalidArgument` for what cannot be
    /// said.
    pub fn issue(keyring: &Keyring, said: StatementDraft) -> Result<Statement> {
        said.check()?;
        let issuer = keyring.chain().clone();
        let mut bytes = vec![type_byte::STATEMENT, VERSION];
        put_bytes(&mut bytes, &issuer.encode());
        bytes.extend_from_slice(said.subject.as_bytes());
        put_bytes(&mut bytes, said.type_name.as_bytes());
        put_bytes(&mut bytes, said.claims.text().as_bytes());
        bytes.extend_from_slice(&said.issued_ms.to_le_bytes());
        bytes.extend_from_slice(&said.expires_ms.unwrap_or(NO_END).to_le_bytes());
        let signature = keyring.device_signer().sign(&[DOMAIN, &bytes].concat());
        bytes.extend_from_slice(&signature);
        Ok(Statement {
            issuer,
            said,
            bytes,
        })
    }

    /// Reads a statement and verifies it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Statement> {
        let mut reader = Reader::new(bytes, "statement credential");
        take_head(&mut reader, type_byte::STATEMENT)?;
        let issuer = take_chain(&mut reader)?;
        let subject = IdentityKey(reader.array().map_err(form)?);
        let type_name = reader.text(limits::NAME_CHARS).map_err(form)?;
        let claims = Claims::read(reader.bytes(limits::CLAIMS_BYTES).map_err(form)?)?;
        let issued_ms = reader.u64().map_err(form)?;
        let expires_ms = reader.u64().map_err(form)?;
        let signed = bytes.len() - reader.remaining();
        let signature: [u8; 64] = reader.array().map_err(form)?;
        reader.finish().map_err(form)?;
        let said = StatementDraft {
            subject,
            type_name,
            claims,
            issued_ms,
            expires_ms: (expires_ms != NO_END).then_some(expires_ms),
        };
        said.check()?;
        let signed = [DOMAIN, bytes.get(..signed).unwrap_or_default()].concat();
        check_signature(&issuer, &signed, &signature, "the credential")?;
        Ok(Statement {
            issuer,
            said,
            bytes: bytes.to_vec(),
        })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names it.
    pub fn id(&self) -> [u8; 32] {
        credential_id(&self.bytes)
    }

    /// Who says it.
    pub fn issued_by(&self) -> IdentityKey {
        self.issuer.certificate().identity
    }

    /// Fails once it has expired.
    pub fn check_time(&self, now_ms: u64) -> Result<()> {
        match self.said.expires_ms {
            Some(end) if now_ms >= end => Err(Error::new(
                ErrorKind::Expired,
                format!(
                    "a credential of the type {:?} expired at {end} ms since 1970: ask its issuer \
                     for a new one",
                    self.said.type_name
                ),
            )),
            _ => Ok(()),
        }
    }
}
