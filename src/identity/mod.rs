//! HALO: who is acting. The keyring holds this device's keys and the chain that makes it a device
//! of its identity; chains of device certificates tell others which device acts for which identity;
//! a recovery phrase makes a device of the identity when all others are lost; a wrap hands one
//! device a content key. `docs/formats/certificates.md` has the layouts.

mod certificate;
mod chain;
mod device_keys;
mod hpke_suite;
mod keyring;
mod keyring_codec;
mod keyring_v1;
mod possession;
mod recovery;
mod statement;
mod verified;
mod wrap;

pub use certificate::{DeviceCertificate, Issuer};
pub use chain::DeviceChain;
pub use device_keys::DeviceKeys;
pub use keyring::Keyring;
pub use possession::verify_possession;
pub use recovery::RecoveryPhrase;
pub use statement::RecoveryStatement;
pub use wrap::{Wrap, wrap_key};

/// What the fuzzers feed to the decoders that only this part calls.
#[cfg(any(test, fuzzing))]
pub fn fuzz_certificate(data: &[u8]) {
    let _ = DeviceCertificate::decode(data);
    let _ = DeviceCertificate::decode_request(data);
    let _ = RecoveryStatement::decode(data);
}
