//! What can be wrong with a credential or a presentation, told apart.

use crate::feed::codec::Reader;
use crate::feed::verify_signature;
use crate::identity::DeviceChain;
use crate::model::{Error, ErrorKind, Result};

/// It is not what it should be, in form.
pub fn malformed(detail: impl Into<String>) -> Error {
    Error::invalid(detail)
}

/// A reader's error, as that of an argument: the program was handed these bytes and hands them on.
pub fn form(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Protocol => malformed(error.detail().to_owned()),
        _ => error,
    }
}

/// Entries do not lead to a role.
pub fn broken(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::ChainBroken, detail)
}

/// Reads a device chain of at most its limit, and verifies it.
pub fn take_chain(reader: &mut Reader<'_>) -> Result<DeviceChain> {
    let bytes = reader.bytes(DeviceChain::MAX_LEN).map_err(form)?;
    DeviceChain::decode(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnsupportedVersion | ErrorKind::LimitExceeded => error,
        _ => Error::new(
            ErrorKind::NotCertified,
            format!(
                "the certificates do not lead from the identity to the device: {}",
                error.detail()
            ),
        ),
    })
}

/// Verifies the signature of a chain's device.
pub fn check_signature(
    chain: &DeviceChain,
    signed: &[u8],
    signature: &[u8; 64],
    what: &str,
) -> Result<()> {
    let device = chain.certificate().device;
    verify_signature(&device.0, signed, signature).map_err(|_| {
        Error::new(
            ErrorKind::BadSignature,
            format!("{what} was changed, or its device did not sign it"),
        )
    })
}

/// Reads type and version.
pub fn take_head(reader: &mut Reader<'_>, kind: u8) -> Result<()> {
    if reader.u8().map_err(form)? != kind {
        return Err(malformed("this is a credential of another kind"));
    }
    reader.version(super::VERSION)
}
