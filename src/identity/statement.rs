//! Recovery statements: a device, or the recovery key before, says which recovery key its identity
//! has from now on.

use super::verified;
use crate::feed::codec::Reader;
use crate::feed::{DeviceSigner, check_public_key, verify_signature};
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, RecoveryKey, Result};

/// The first byte, which tells a statement from a certificate in a chain: statements of version 1.
pub(super) const VERSION: u8 = 64;

const ISSUER_DOMAIN: &[u8] = b"echodb/recovery-statement/issuer/v1";
const RECOVERY_DOMAIN: &[u8] = b"echodb/recovery-statement/recovery/v1";

/// What a statement says. Who may make one is decided where it is used: in a space by its rules,
/// in a chain by the issuer's place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryStatement {
    /// The identity.
    pub identity: IdentityKey,
    /// Its recovery key.
    pub recovery: RecoveryKey,
    /// Rises with each new key of the identity.
    pub generation: u64,
    /// The key that says so: a device's, or that of a phrase which this one is to replace. Nothing in
    /// the statement tells which; that is decided by what the key is known as where it is used. No
    /// key can be taken for the other: it becomes a recovery key only by a statement, and a device's
    /// only by a certificate, that it signed itself, each under a domain of its own.
    pub issuer: [u8; 32],
}

impl RecoveryStatement {
    /// Length in bytes.
    pub const LEN: usize = 1 + 32 + 32 + 8 + 32 + 2 * 64;

    /// Reads a statement and verifies both signatures. Errors when it is malformed, of another
    /// version, names unusable keys, or either signature is wrong.
    pub fn decode(bytes: &[u8]) -> Result<RecoveryStatement> {
        let mut reader = Reader::new(bytes, "recovery statement");
        let version = reader.u8()?;
        if version != VERSION {
            return Err(Error::new(
                ErrorKind::UnsupportedVersion,
                format!("a recovery statement begins with {version}, not {VERSION}"),
            ));
        }
        let statement = RecoveryStatement {
            identity: IdentityKey(reader.array()?),
            recovery: RecoveryKey(reader.array()?),
            generation: reader.u64()?,
            issuer: reader.array()?,
        };
        let by_issuer: [u8; 64] = reader.array()?;
        let by_recovery: [u8; 64] = reader.array()?;
        reader.finish()?;
        verified::once(b"recovery statement", bytes, || {
            statement.verify(&by_issuer, &by_recovery)
        })?;
        Ok(statement)
    }

    fn verify(&self, by_issuer: &[u8; 64], by_recovery: &[u8; 64]) -> Result<()> {
        check_public_key(&self.identity.0)?;
        let fields = self.fields();
        for (key, domain, signature) in [
            (&self.issuer, ISSUER_DOMAIN, by_issuer),
            (&self.recovery.0, RECOVERY_DOMAIN, by_recovery),
        ] {
            check_public_key(key)?;
            verify_signature(key, &[domain, &fields].concat(), signature)
                .map_err(|e| e.context("recovery statement"))?;
        }
        Ok(())
    }

    /// The issuer, if a device says so.
    pub fn device(&self) -> DeviceKey {
        DeviceKey(self.issuer)
    }

    /// The issuer, if the recovery key before says so.
    pub fn before(&self) -> RecoveryKey {
        RecoveryKey(self.issuer)
    }

    /// The statement's bytes. The recovery key signs too: nobody can claim another's.
    pub(super) fn sign(&self, issuer: &DeviceSigner, recovery: &DeviceSigner) -> Vec<u8> {
        let mut bytes = self.fields();
        let by_issuer = issuer.sign(&[ISSUER_DOMAIN, &bytes].concat());
        let by_recovery = recovery.sign(&[RECOVERY_DOMAIN, &bytes].concat());
        bytes.extend_from_slice(&by_issuer);
        bytes.extend_from_slice(&by_recovery);
        bytes
    }

    fn fields(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(self.identity.as_bytes());
        out.extend_from_slice(self.recovery.as_bytes());
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&self.issuer);
        out
    }
}
