//! HALO: who is acting. The keyring holds an identity's recovery entropy and this device's keys;
//! a device certificate tells others which device acts for which identity; a wrap hands one
//! device a content key.

mod certificate;
mod hpke_suite;
mod keyring;
mod wrap;

pub use certificate::DeviceCertificate;
pub use keyring::Keyring;
pub use wrap::{Wrap, wrap_key};
