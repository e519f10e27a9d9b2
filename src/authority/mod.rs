//! Who may do what in a space: control operations, and the roles, devices, invitations and keys
//! that follow from them.
//!
//! The state is a pure function of the set of control entries. Every operation is judged in its
//! own past, which never changes, so a verdict is final and the order in which concurrent entries
//! arrive cannot matter; where concurrent operations meet, the most restrictive wins. No rule
//! reads a clock.
//!
//! What this version leaves out: a denial (a removal, a demotion, a revoked device) does not yet
//! undo what the denied party did concurrently with it; it only ends the role. `Epoch`,
//! `EpochAck`, `EpochDispute` and `Succession` have their type bytes reserved and are refused.

mod ancestry;
mod denials;
#[allow(
    dead_code,
    reason = "for the runtime, which adds devices from its next version on"
)]
mod enrolment;
mod facts;
mod keyring;
mod op;
mod op_codec;
mod resolver;
mod roster;
mod rules;
mod timeline;
mod views;

#[allow(
    unused_imports,
    reason = "what judges the data of denied devices uses them"
)]
pub use denials::{Denial, Target};
#[allow(unused_imports, reason = "as above")]
pub use enrolment::RecoveryView;
pub use keyring::{ContentKeys, seal_back_link};
pub use op::{ControlOp, join_signing_bytes, key_wrap_info};
pub use resolver::{Authority, Verdict};
pub use roster::RosterEntry;
#[cfg(test)]
pub use views::{DeviceView, InviteView};

#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod golden_v2_tests;
#[cfg(test)]
mod tests;
