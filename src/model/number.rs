//! Numbers between those who count without a sign and those who count with one.

/// An unsigned number as SQLite and hosts hold it, who have 63 bits for it: larger ones (a peer's
/// clock, a limit that means none) become the largest.
pub fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_becomes_the_largest() {
        assert_eq!(signed(7_usize), 7);
        assert_eq!(signed(i64::MAX.unsigned_abs()), i64::MAX);
        assert_eq!(signed(u64::MAX), i64::MAX);
        assert_eq!(signed(u128::MAX), i64::MAX);
    }
}
