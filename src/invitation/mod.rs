//! How an identity gets into a space: the code that is passed on, and the two state machines that
//! turn it into an admission. Nothing here does I/O, reads a clock or draws randomness of its own.
//! The formats and the flow are described in `docs/formats/invitations.md`.

pub mod auth_code;
pub mod channel;
pub mod code;
pub mod cpace;
pub mod guest;
pub mod host;
pub mod machine;
pub mod mode;
mod refusal;
mod sealing;
pub mod state;
mod wire;
pub mod words;

#[cfg(test)]
mod simulation;
