//! The wall clock and the system's randomness, for those below that may touch neither.

use ring::rand::{SecureRandom, SystemRandom};
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970; 0 if the machine's clock is set before that.
pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// Milliseconds since an arbitrary moment, never running backwards: for waits and silences, which a
/// wall clock that is set would cut short or draw out.
pub fn monotonic_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let since = START.get_or_init(Instant::now).elapsed();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Fills `buffer` with random bytes. A system without randomness is one on which no key can be
/// made: going on would be worse than ending the call.
pub fn fill_random(buffer: &mut [u8]) {
    SystemRandom::new()
        .fill(buffer)
        .expect("the operating system supplies random bytes");
}

/// Random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}
