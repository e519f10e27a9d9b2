//! How long to wait before the next attempt at a server.

use ring::rand::{SecureRandom, SystemRandom};
use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15);

/// Doubles from attempt to attempt and draws each wait at random from the upper half of its
/// range, so that the clients of a restarted server do not all return in the same instant.
pub(super) struct Backoff {
    ceiling: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Backoff { ceiling: FIRST }
    }

    /// To be called once a connection has proven useful.
    pub(super) fn reset(&mut self) {
        self.ceiling = FIRST;
    }

    pub(super) fn next_wait(&mut self) -> Duration {
        let mut random = [0; 2];
        // Without randomness the wait is merely less spread.
        let _ = SystemRandom::new().fill(&mut random);
        let share = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
        let wait = self.ceiling.mul_f64(0.5 + share / 2.0);
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_their_bounds() {
        let mut backoff = Backoff::new();
        let mut ceiling = FIRST;
        for _ in 0..20 {
            let wait = backoff.next_wait();
            assert!(wait >= ceiling / 2 && wait <= ceiling);
            ceiling = (ceiling * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.next_wait() <= FIRST);
    }
}
