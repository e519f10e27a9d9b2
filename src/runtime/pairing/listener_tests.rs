//! What listeners hear that fail.

use super::tell;
use crate::api::{EchoError, InvitationListener, InvitationState, InvitationUpdate, LogLevel};
use crate::runtime::log::Log;
use std::sync::Mutex;

/// Panics at whatever it hears.
#[derive(Default)]
struct Faulty(Mutex<Vec<InvitationState>>);

impl InvitationListener for Faulty {
    fn updated(&self, update: InvitationUpdate) -> Result<(), EchoError> {
        if let Ok(mut heard) = self.0.lock() {
            heard.push(update.state);
        }
        panic!("a listener's own fault");
    }
}

#[test]
fn a_listener_that_panics_hears_of_what_follows() {
    let update = |state| InvitationUpdate {
        state,
        auth_code: None,
        attempts_left: 3,
        peer_name: None,
        fingerprint: None,
        guests: Vec::new(),
        uses: 0,
        space: None,
        status: 0,
        error: None,
    };
    let states = [InvitationState::Connecting, InvitationState::Cancelled];
    let listener = Faulty::default();
    let log = Log::new(None, LogLevel::Off);
    tell(&listener, states.map(update).into(), &log);
    assert_eq!(*listener.0.lock().unwrap(), states);
}
