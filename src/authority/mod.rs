//! Who may do what in a space: control operations, and the roles, devices, invitations and keys
//! that follow from them.
//!
//! The state is a pure function of the set of control entries. Every operation is judged in its
//! own past, which never changes, so a verdict is final; whether an accepted operation stands is
//! decided from the highest rank down (`resolution.rs`), and where operations that stand meet, the
//! most restrictive wins. The order in which entries arrive cannot matter, and no rule reads a
//! clock. `docs/formats/authority.md` has the rules.
//!
//! `Epoch`, `EpochAck` and `EpochDispute` have their type bytes reserved and are refused.

mod ancestry;
mod deed;
mod denials;
mod enrolment;
mod evidence;
mod facts;
mod family;
mod invite_hint;
mod keyring;
#[cfg(any(test, feature = "bench-internals"))]
mod measure;
mod op;
mod op_codec;
mod register;
mod resolution;
mod resolver;
mod roster;
mod rules;
mod tenure;
mod timeline;
mod undoing;
mod views;
mod voids;
mod why;
mod withholding;

pub use denials::{Denial, Target};
#[allow(unused_imports, reason = "for whoever shows it")]
pub use enrolment::{RecoveryView, Way};
pub use invite_hint::InviteHint;
pub use keyring::{ContentKeys, seal_back_link};
#[cfg(feature = "bench-internals")]
pub use measure::{ControlHistory, Resolved};
pub use op::{ControlOp, join_signing_bytes, key_wrap_info};
pub use resolver::{Authority, Verdict};
pub use roster::RosterEntry;
pub use views::{DeviceView, InviteView};
pub use why::Action;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod device_tests;
#[cfg(test)]
pub mod golden_tests;
#[cfg(test)]
mod golden_v2_tests;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod phrase_tests;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod role_tests;
#[cfg(test)]
pub mod tests;
