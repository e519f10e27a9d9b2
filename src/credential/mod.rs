//! Credentials: what an identity can show to whoever is no member of anything, and how that is
//! verified with nothing but the bytes. `docs/formats/credentials.md` has the layouts.
//!
//! Each kind has its own type byte, with which nothing else of this library begins, and each
//! signature its own domain, so that neither can be passed off as something else. What only a space
//! can know, that a device was revoked or a role taken, no credential tells.

mod claims;
pub mod code;
mod fault;
mod identity_card;
mod membership;
mod presentation;
mod replay;
mod statement;

pub use claims::Claims;
pub use identity_card::IdentityCard;
pub use membership::Membership;
pub use presentation::{Challenge, Presentation};
pub use replay::ShownStep;
pub use statement::{Statement, StatementDraft};

use self::fault::malformed;
use crate::feed::sha256;
use crate::model::{Error, IdentityKey, Result, limits};

/// First bytes. They are told apart from those of certificates (1, 2), chains (1, 3), statements of
/// recovery (64), entries and headers (1), and texts.
mod type_byte {
    /// An identity and one of its devices.
    pub const IDENTITY: u8 = 0xe1;
    /// A role in a space.
    pub const MEMBERSHIP: u8 = 0xe2;
    /// What one identity says of another.
    pub const STATEMENT: u8 = 0xe3;
    /// Credentials, shown to somebody.
    pub const PRESENTATION: u8 = 0xe9;
}

const VERSION: u8 = 1;
const ID_DOMAIN: &[u8] = b"echodb/credential-id/v1";

/// A credential whose signatures verify.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A device acts for an identity, which goes by a name.
    Identity(IdentityCard),
    /// An identity has, or had, a role in a space.
    Membership(Membership),
    /// An identity says something of another.
    Statement(Statement),
}

impl Credential {
    /// Reads a credential and verifies everything that can be without a space and without a clock.
    ///
    /// Errors: `InvalidArgument` for what is no credential, `UnsupportedVersion`, `LimitExceeded`;
    /// `NotCertified` when a chain does not lead from an identity to the device that signed,
    /// `BadSignature`, and `ChainBroken` when the entries of a membership do not lead to a role.
    pub fn decode(bytes: &[u8]) -> Result<Credential> {
        if bytes.len() > limits::CREDENTIAL_BYTES {
            return Err(Error::limit(format!(
                "a credential has {} bytes, at most {} are allowed",
                bytes.len(),
                limits::CREDENTIAL_BYTES
            )));
        }
        match bytes.first() {
            Some(&type_byte::IDENTITY) => IdentityCard::decode(bytes).map(Credential::Identity),
            Some(&type_byte::MEMBERSHIP) => Membership::decode(bytes).map(Credential::Membership),
            Some(&type_byte::STATEMENT) => Statement::decode(bytes).map(Credential::Statement),
            Some(&type_byte::PRESENTATION) => Err(Error::invalid(
                "this is a presentation, not a credential: verify it with its nonce and audience",
            )),
            _ => Err(malformed("this is not a credential")),
        }
    }

    /// The bytes that were read or made.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Credential::Identity(card) => card.bytes(),
            Credential::Membership(membership) => membership.bytes(),
            Credential::Statement(statement) => statement.bytes(),
        }
    }

    /// Whom it is about.
    pub fn subject(&self) -> IdentityKey {
        match self {
            Credential::Identity(card) => card.chain.certificate().identity,
            Credential::Membership(membership) => membership.subject,
            Credential::Statement(statement) => statement.said.subject,
        }
    }

    /// Fails with `Expired` once its time is over; `now_ms` is in milliseconds since 1970.
    pub fn check_time(&self, now_ms: u64) -> Result<()> {
        match self {
            Credential::Statement(statement) => statement.check_time(now_ms),
            _ => Ok(()),
        }
    }
}

/// Names a credential by its bytes.
pub fn credential_id(bytes: &[u8]) -> [u8; 32] {
    sha256(&[ID_DOMAIN, bytes])
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;
