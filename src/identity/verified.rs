//! What was verified before, in this process. A device's certificate stands in each of its spaces and in
//! each session, an identity's recovery statements in each of its spaces, and verifying one takes
//! longer than reading all the rest of a small space. Whether a signature is right depends on nothing
//! but the bytes, so that it is worked out once.

use crate::feed::sha256;
use crate::model::Result;
use once_cell::sync::Lazy;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many are remembered. When there are more, as somebody hostile may bring about, all are forgotten.
const REMEMBERED: usize = 4096;

static ALL: Lazy<Verified> = Lazy::new(Verified::default);

/// Runs `verify`, which must look at `bytes` alone, unless it succeeded for the same bytes before.
/// `domain` names what is verified.
pub(super) fn once(domain: &[u8], bytes: &[u8], verify: impl FnOnce() -> Result<()>) -> Result<()> {
    ALL.once(domain, bytes, verify)
}

/// Digests of what was verified.
#[derive(Default)]
struct Verified(Mutex<HashSet<[u8; 32]>>);

impl Verified {
    fn once(&self, domain: &[u8], bytes: &[u8], verify: impl FnOnce() -> Result<()>) -> Result<()> {
        let digest = sha256(&[domain, bytes]);
        if self.lock().contains(&digest) {
            return Ok(());
        }
        verify()?;
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(digest);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Error;
    use std::cell::Cell;

    #[test]
    fn only_what_succeeded_is_remembered() {
        let verified = Verified::default();
        let runs = Cell::new(0);
        let run = |domain: &[u8], bytes: &[u8], good: bool| {
            verified.once(domain, bytes, || {
                runs.set(runs.get() + 1);
                good.then_some(()).ok_or_else(|| Error::protocol("wrong"))
            })
        };
        for _ in 0..2 {
            assert!(run(b"one", b"bytes", false).is_err());
        }
        assert_eq!(runs.get(), 2);
        for _ in 0..3 {
            run(b"one", b"bytes", true).unwrap();
        }
        assert_eq!(runs.get(), 3);
        // Another domain and other bytes are something else.
        run(b"two", b"bytes", true).unwrap();
        run(b"one", b"other", true).unwrap();
        assert_eq!(runs.get(), 5);
    }

    #[test]
    fn they_are_bounded() {
        let verified = Verified::default();
        for i in 0..2 * REMEMBERED {
            verified.once(b"many", &i.to_le_bytes(), || Ok(())).unwrap();
            assert!(verified.lock().len() <= REMEMBERED);
        }
    }
}
