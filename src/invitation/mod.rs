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
pub mod parts;
mod refusal;
mod sealing;
pub mod state;
mod wire;
pub mod words;

#[cfg(test)]
mod simulation;

/// Reads a message of the other side, for the fuzzers.
#[cfg(any(test, fuzzing))]
pub fn fuzz_message(bytes: &[u8]) {
    if let Ok(body) = wire::Body::from_bytes(bytes) {
        let again = wire::Body::from_bytes(&body.clone().into_bytes());
        assert!(again.is_ok_and(|again| again == body));
    }
}
