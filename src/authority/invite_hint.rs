//! What an inviter says of an invitation beside what the rules need: when it is meant to end, and
//! whether any member may let its guests in. Nothing here decides who is a member.

/// Bits of the time, which reaches the year 10889.
const TIME_BITS: u32 = 48;
/// The flag of an invitation that any member hosts.
const DELEGATED: u64 = 1 << TIME_BITS;

/// The hint of an invitation. It travels as one number in which the lower 48 bits are the time and
/// the lowest of the others is [`InviteHint::delegated`]; the rest are zero and not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InviteHint {
    /// When the inviter means it to end, in milliseconds since 1970.
    pub expires_ms: u64,
    /// Whether its guests hold its seed, so that any member may let them in.
    pub delegated: bool,
}

impl InviteHint {
    /// As one number.
    pub fn pack(self) -> u64 {
        let time = self.expires_ms.min((1 << TIME_BITS) - 1);
        time | if self.delegated { DELEGATED } else { 0 }
    }

    /// From a received number.
    pub fn unpack(number: u64) -> InviteHint {
        InviteHint {
            expires_ms: number & ((1 << TIME_BITS) - 1),
            delegated: number & DELEGATED != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_round_trip_and_old_ones_are_plain_times() {
        for delegated in [false, true] {
            for expires_ms in [0, 1, 2_000_000_000_000, (1 << TIME_BITS) - 1] {
                let hint = InviteHint {
                    expires_ms,
                    delegated,
                };
                assert_eq!(InviteHint::unpack(hint.pack()), hint);
            }
        }
        let old = InviteHint::unpack(2_000_000_000_000);
        assert_eq!((old.expires_ms, old.delegated), (2_000_000_000_000, false));
        assert!(!InviteHint::unpack(2 << TIME_BITS).delegated);
        let late = InviteHint {
            expires_ms: u64::MAX,
            delegated: false,
        };
        assert!(!InviteHint::unpack(late.pack()).delegated);
    }
}
