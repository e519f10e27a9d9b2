//! What an inviter says of an invitation beside what the rules need: when it is meant to end, how
//! often it may be used, and whether any member may let its guests in. Nothing here decides who is
//! a member: a clock or a count of uses would not be the same on every peer.

/// Bits of the time, which reaches the year 10889.
const TIME_BITS: u32 = 48;
/// The flag of an invitation that any member hosts.
const DELEGATED: u64 = 1 << TIME_BITS;

/// The flag of an invitation that gives what is written from then on, and nothing older.
const FROM_NOW_ON: u64 = 2 << TIME_BITS;

/// Where the number of uses begins.
const USES_SHIFT: u32 = 56;

/// The hint of an invitation. It travels as one number: the lower 48 bits are the time, the one
/// above them is [`InviteHint::delegated`], the next [`InviteHint::from_now_on`], the highest eight
/// are [`InviteHint::max_uses`]; the rest are zero and not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InviteHint {
    /// When the inviter means it to end, in milliseconds since 1970.
    pub expires_ms: u64,
    /// Whether its guests hold its seed, so that any member may let them in.
    pub delegated: bool,
    /// How many guests the inviter means to let in; 0: it does not say.
    pub max_uses: u8,
    /// Whether its guests are given the content keys from then on alone.
    pub from_now_on: bool,
}

impl InviteHint {
    /// As one number.
    pub fn pack(self) -> u64 {
        let time = self.expires_ms.min((1 << TIME_BITS) - 1);
        let delegated = if self.delegated { DELEGATED } else { 0 };
        let from_now_on = if self.from_now_on { FROM_NOW_ON } else { 0 };
        time | delegated | from_now_on | u64::from(self.max_uses) << USES_SHIFT
    }

    /// From a received number.
    pub fn unpack(number: u64) -> InviteHint {
        InviteHint {
            expires_ms: number & ((1 << TIME_BITS) - 1),
            delegated: number & DELEGATED != 0,
            max_uses: (number >> USES_SHIFT) as u8,
            from_now_on: number & FROM_NOW_ON != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_round_trip_and_old_ones_are_plain_times() {
        for (delegated, from_now_on) in [(false, false), (true, false), (false, true), (true, true)]
        {
            for expires_ms in [0, 1, 2_000_000_000_000, (1 << TIME_BITS) - 1] {
                for max_uses in [0, 1, 200, 255] {
                    let hint = InviteHint {
                        expires_ms,
                        delegated,
                        max_uses,
                        from_now_on,
                    };
                    assert_eq!(InviteHint::unpack(hint.pack()), hint);
                }
            }
        }
        let old = InviteHint::unpack(2_000_000_000_000);
        assert_eq!((old.expires_ms, old.delegated), (2_000_000_000_000, false));
        assert!(!old.from_now_on);
        assert!(!InviteHint::unpack(4 << TIME_BITS).delegated);
        let late = InviteHint {
            expires_ms: u64::MAX,
            ..InviteHint::default()
        };
        assert!(!InviteHint::unpack(late.pack()).delegated);
    }
}
