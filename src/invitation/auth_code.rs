//! The authorization code: six digits that the host shows and the guest's user enters.

use std::fmt;
use zeroize::Zeroizing;

/// Digits of a code.
const DIGITS: usize = 6;

/// An authorization code. It is wiped when dropped and stays out of debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCode(Zeroizing<String>);

impl AuthCode {
    /// A fresh code.
    pub(super) fn draw(random: &mut dyn FnMut(&mut [u8])) -> AuthCode {
        // Of 2^64 values a million codes get equal shares but for one part in 10^13.
        let mut bytes = Zeroizing::new([0; 8]);
        random(bytes.as_mut_slice());
        let number = u64::from_be_bytes(*bytes) % 1_000_000;
        AuthCode(Zeroizing::new(format!("{number:06}")))
    }

    /// Reads what a user entered; spaces and hyphens between the digits do not count. `None` if
    /// that cannot be a code.
    pub fn parse(input: &str) -> Option<AuthCode> {
        if input.len() > 64 {
            return None;
        }
        let mut digits = Zeroizing::new(String::with_capacity(input.len()));
        for c in input.chars().filter(|c| *c != '-' && !c.is_whitespace()) {
            // Digits of any script that a keyboard may produce would need a table; ASCII is shown.
            if !c.is_ascii_digit() {
                return None;
            }
            digits.push(c);
        }
        (digits.len() == DIGITS).then_some(AuthCode(digits))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_six_digits() {
        let mut next = 0u64;
        let mut random = |bytes: &mut [u8]| {
            bytes.copy_from_slice(&next.to_be_bytes());
            next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        };
        for _ in 0..1000 {
            let code = AuthCode::draw(&mut random);
            assert_eq!(AuthCode::parse(code.as_str()), Some(code.clone()));
            assert_eq!(format!("{code:?}"), "AuthCode(..)");
        }
    }

    #[test]
    fn entered_codes() {
        for good in ["012345", " 012 345 ", "012-345"] {
            assert_eq!(AuthCode::parse(good).unwrap().as_str(), "012345");
        }
        for bad in ["", "12345", "1234567", "12345a", "१२३४५६", &"1".repeat(100)] {
            assert!(AuthCode::parse(bad).is_none(), "{bad}");
        }
    }
}
