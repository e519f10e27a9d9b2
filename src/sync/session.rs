//! The encrypted session between two peers: `Noise_XX_25519_ChaChaPoly_SHA256` (the Noise Protocol
//! Framework, revision 34) over a data channel that is already DTLS.
//!
//! Noise runs with static keys that live as long as the process and prove nothing by themselves.
//! What makes the session trustworthy is said about its handshake hash afterwards: a device
//! signature ([`super::peer_proof`]) or a password exchange (`invitation::cpace`). The hash covers
//! both DTLS fingerprints through the prologue, so whoever terminates DTLS in the middle ends up
//! with two different hashes.

use crate::model::{Error, Result, limits};
use snow::params::{CipherChoice, DHChoice, HashChoice, NoiseParams};
use snow::resolvers::{CryptoResolver, DefaultResolver, RingResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use std::fmt;
use std::sync::{Arc, Mutex};
use zeroize::{Zeroize, Zeroizing};

/// The protocol both sides run; there is no negotiation, hence no downgrade.
pub const PATTERN: &str = "Noise_XX_25519_ChaChaPoly_SHA256";

/// Separates our prologue from that of any other program that uses Noise over WebRTC.
const PROLOGUE_DOMAIN: &[u8] = b"echo-db/session/v1";

/// Bytes that sealing adds to a frame.
pub const TAG_BYTES: usize = 16;

/// Largest frame before it is sealed: sealed, it must fit a frame of the channel.
pub const PLAIN_BYTES: usize = limits::FRAME_BYTES - TAG_BYTES;

/// Largest Noise message (Noise specification, section 3).
pub const NOISE_MESSAGE_BYTES: usize = 65_535;

/// No message of the XX handshake without payload is longer: key, sealed key, tag.
const HANDSHAKE_BYTES: usize = 32 + 32 + TAG_BYTES + TAG_BYTES;

// A full frame of the channel must be a Noise message.
const _: () = assert!(limits::FRAME_BYTES <= NOISE_MESSAGE_BYTES);

/// The prologue: both sides' DTLS certificate fingerprints (SHA-256), initiator first. Each side
/// takes its own from its DTLS stack and the other's from the certificate it was really shown, not
/// from signalling.
pub fn prologue(initiator_fp: &[u8; 32], responder_fp: &[u8; 32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PROLOGUE_DOMAIN.len() + 64);
    bytes.extend_from_slice(PROLOGUE_DOMAIN);
    bytes.extend_from_slice(initiator_fp);
    bytes.extend_from_slice(responder_fp);
    bytes
}

/// A handshake under way. Three messages: the initiator writes, reads, writes.
pub struct Handshake {
    state: snow::HandshakeState,
    initiator: bool,
    /// After a refused message nothing else is taken: Noise allows no retry within a handshake.
    failed: bool,
}

impl Handshake {
    /// Starts one. `static_secret` is fresh per process, `ephemeral_secret` fresh per handshake:
    /// both are uniformly random and used for nothing else.
    pub fn new(
        initiator: bool,
        prologue: &[u8],
        static_secret: [u8; 32],
        ephemeral_secret: [u8; 32],
    ) -> Result<Handshake> {
        let static_secret = Zeroizing::new(static_secret);
        let params: NoiseParams = PATTERN.parse().map_err(broken)?;
        let resolver = Resolver {
            ephemeral: Arc::new(Mutex::new(Some(Zeroizing::new(ephemeral_secret)))),
        };
        let builder = snow::Builder::with_resolver(params, Box::new(resolver))
            .local_private_key(static_secret.as_slice())
            .and_then(|b| b.prologue(prologue))
            .map_err(broken)?;
        let state = match initiator {
            true => builder.build_initiator(),
            false => builder.build_responder(),
        };
        Ok(Handshake {
            state: state.map_err(broken)?,
            initiator,
            failed: false,
        })
    }

    /// Whether it is this side's turn to [`Handshake::write`].
    pub fn is_my_turn(&self) -> bool {
        !self.failed && !self.state.is_handshake_finished() && self.state.is_my_turn()
    }

    /// The next message to send. Fails with `InvalidState` out of turn.
    pub fn write(&mut self) -> Result<Vec<u8>> {
        if !self.is_my_turn() {
            return Err(Error::state(
                "the session handshake has nothing to send now",
            ));
        }
        let mut out = vec![0; HANDSHAKE_BYTES];
        let length = self.state.write_message(&[], &mut out).map_err(|e| {
            self.failed = true;
            broken(e)
        })?;
        out.truncate(length);
        Ok(out)
    }

    /// Takes the other side's next message. Any refusal ends the handshake for good.
    pub fn read(&mut self, message: &[u8]) -> Result<()> {
        if self.failed || self.state.is_handshake_finished() || self.state.is_my_turn() {
            self.failed = true;
            return Err(Error::protocol(
                "a session handshake message came out of turn",
            ));
        }
        // Payloads are empty in this protocol, so a longer message is refused before any crypto.
        let mut payload = [0; HANDSHAKE_BYTES];
        let read = match message.len() <= HANDSHAKE_BYTES {
            true => self.state.read_message(message, &mut payload).ok(),
            false => None,
        };
        if read == Some(0) {
            return Ok(());
        }
        self.failed = true;
        Err(Error::protocol(
            "the session handshake failed: the message does not verify against this connection",
        ))
    }

    /// Whether all three messages have passed.
    pub fn is_finished(&self) -> bool {
        !self.failed && self.state.is_handshake_finished()
    }

    /// Whether this side wrote first.
    #[cfg(test)]
    pub fn is_initiator(&self) -> bool {
        self.initiator
    }

    /// The handshake hash: equal on both sides exactly if they ran one handshake with each other.
    /// Meaningful once [`Handshake::is_finished`].
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(self.state.get_handshake_hash()) {
            *to = *from;
        }
        hash
    }

    /// Turns a finished handshake into a session.
    pub fn into_session(self) -> Result<Session> {
        if !self.is_finished() {
            return Err(Error::state("the session handshake is not finished"));
        }
        Ok(Session {
            state: self.state.into_transport_mode().map_err(broken)?,
            failed: false,
        })
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("initiator", &self.initiator)
            .field("finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

/// An established session. Messages carry implicit counters: they must be opened in the order in
/// which they were sealed, each once, so replayed, reordered and dropped ones are all refused.
pub struct Session {
    state: snow::TransportState,
    failed: bool,
}

impl Session {
    /// Seals one frame of at most [`PLAIN_BYTES`].
    pub fn seal(&mut self, frame: &[u8]) -> Result<Vec<u8>> {
        if frame.len() > PLAIN_BYTES {
            return Err(Error::limit(format!(
                "a frame may have {PLAIN_BYTES} bytes, not {}",
                frame.len()
            )));
        }
        let mut out = vec![0; frame.len() + TAG_BYTES];
        let length = self.state.write_message(frame, &mut out).map_err(broken)?;
        out.truncate(length);
        Ok(out)
    }

    /// Opens one sealed frame. After a refusal the session opens nothing any more: on an ordered
    /// reliable channel a bad frame is an attack or a defect, never an accident to step over.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>> {
        let length = sealed.len().checked_sub(TAG_BYTES);
        let fits = length.is_some_and(|l| l <= PLAIN_BYTES);
        if let (false, true, Some(length)) = (self.failed, fits, length) {
            let mut out = vec![0; length];
            if self.state.read_message(sealed, &mut out) == Ok(length) {
                return Ok(out);
            }
        }
        self.failed = true;
        Err(Error::protocol("a frame does not verify in this session"))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A failure of our own making: parameters are constants and buffers have the right size.
fn broken(error: snow::Error) -> Error {
    Error::internal(format!("the session layer failed: {error}"))
}

/// Supplies the primitives: the curve from snow's own resolver, hash and cipher from ring, and as
/// "random" bytes the one ephemeral secret given by the caller.
struct Resolver {
    ephemeral: Arc<Mutex<Option<Zeroizing<[u8; 32]>>>>,
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(OneSecret(Arc::clone(&self.ephemeral))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        let inner = DefaultResolver.resolve_dh(choice)?;
        Some(Box::new(ContributoryDh(inner)))
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        RingResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        RingResolver.resolve_cipher(choice)
    }
}

/// Gives out one secret once; a second request fails instead of repeating a key.
struct OneSecret(Arc<Mutex<Option<Zeroizing<[u8; 32]>>>>);

impl Random for OneSecret {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> std::result::Result<(), snow::Error> {
        let secret = self.0.lock().map_err(|_| snow::Error::Rng)?.take();
        match secret {
            Some(secret) if dest.len() == secret.len() => {
                dest.copy_from_slice(secret.as_slice());
                Ok(())
            }
            _ => Err(snow::Error::Rng),
        }
    }
}

/// X25519 that refuses the all-zero result of low-order points (RFC 7748, section 6.1), which the
/// Noise specification leaves to the application.
struct ContributoryDh(Box<dyn Dh>);

impl Dh for ContributoryDh {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn pub_len(&self) -> usize {
        self.0.pub_len()
    }

    fn priv_len(&self) -> usize {
        self.0.priv_len()
    }

    fn set(&mut self, privkey: &[u8]) {
        self.0.set(privkey);
    }

    fn generate(&mut self, rng: &mut dyn Random) -> std::result::Result<(), snow::Error> {
        self.0.generate(rng)
    }

    fn pubkey(&self) -> &[u8] {
        self.0.pubkey()
    }

    fn privkey(&self) -> &[u8] {
        self.0.privkey()
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> std::result::Result<(), snow::Error> {
        self.0.dh(pubkey, out)?;
        // Folding every byte keeps the time independent of where the first non-zero one stands.
        let nonzero = out.iter().take(32).fold(0, |all, byte| all | byte);
        if nonzero == 0 {
            out.zeroize();
            return Err(snow::Error::Dh);
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::ErrorKind;

    /// Two sessions with each other, their secrets derived from `seed`.
    pub(crate) fn pair(seed: u8) -> (Session, Session) {
        let both = prologue(&[1; 32], &[2; 32]);
        let (mut a, mut b) = handshakes(&both, &both, seed);
        b.read(&a.write().unwrap()).unwrap();
        a.read(&b.write().unwrap()).unwrap();
        b.read(&a.write().unwrap()).unwrap();
        assert!(a.is_finished() && b.is_finished());
        assert_eq!(a.hash(), b.hash());
        (a.into_session().unwrap(), b.into_session().unwrap())
    }

    fn handshakes(left: &[u8], right: &[u8], seed: u8) -> (Handshake, Handshake) {
        (
            Handshake::new(true, left, [seed; 32], [seed ^ 0x11; 32]).unwrap(),
            Handshake::new(false, right, [seed ^ 0x22; 32], [seed ^ 0x33; 32]).unwrap(),
        )
    }

    #[test]
    fn both_directions_in_order() {
        let (mut a, mut b) = pair(7);
        for i in 0..5u8 {
            let sealed = a.seal(&[i; 100]).unwrap();
            assert_eq!(sealed.len(), 116);
            assert_eq!(b.open(&sealed).unwrap(), [i; 100]);
            let sealed = b.seal(&[]).unwrap();
            assert_eq!(a.open(&sealed).unwrap(), Vec::<u8>::new());
        }
        let full = vec![3; PLAIN_BYTES];
        let sealed = a.seal(&full).unwrap();
        assert_eq!(
            sealed.len(),
            limits::FRAME_BYTES,
            "the channel takes no more"
        );
        assert_eq!(b.open(&sealed).unwrap(), full);
        let more = vec![3; PLAIN_BYTES + 1];
        assert_eq!(a.seal(&more).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }

    #[test]
    fn replay_reordering_and_changes_are_refused_for_good() {
        let (mut a, mut b) = pair(9);
        let first = a.seal(b"one").unwrap();
        let second = a.seal(b"two").unwrap();
        assert_eq!(b.open(&first).unwrap(), b"one");
        assert_eq!(b.open(&first).unwrap_err().kind(), ErrorKind::Protocol);
        assert!(b.open(&second).is_err(), "a failed session stays closed");

        for at in 0..19 {
            let (mut a, mut b) = pair(9);
            let mut sealed = a.seal(b"one").unwrap();
            sealed[at] ^= 1;
            assert!(b.open(&sealed).is_err());
        }
        let (_, mut b) = pair(9);
        assert!(b.open(&[]).is_err());
    }

    #[test]
    fn different_fingerprints_do_not_finish() {
        let left = prologue(&[1; 32], &[2; 32]);
        let right = prologue(&[1; 32], &[3; 32]);
        let (mut a, mut b) = handshakes(&left, &right, 1);
        b.read(&a.write().unwrap()).unwrap();
        assert!(a.read(&b.write().unwrap()).is_err());
        assert!(a.write().is_err());
        assert!(a.into_session().is_err());
    }

    #[test]
    fn garbage_truncation_and_turns() {
        let both = prologue(&[1; 32], &[2; 32]);
        for step in 0..3 {
            for cut in 0..HANDSHAKE_BYTES + 2 {
                let (mut a, mut b) = handshakes(&both, &both, 4);
                let mut messages = Vec::new();
                for turn in 0..3 {
                    let (from, to) = match turn % 2 {
                        0 => (&mut a, &mut b),
                        _ => (&mut b, &mut a),
                    };
                    let message = from.write().unwrap();
                    messages.push(message.clone());
                    if turn == step {
                        let mut bad = message.clone();
                        bad.resize(cut, 0);
                        let same = cut == message.len();
                        assert_eq!(to.read(&bad).is_ok(), same, "step {step} cut {cut}");
                        break;
                    }
                    to.read(&message).unwrap();
                }
            }
        }
        let (mut a, mut b) = handshakes(&both, &both, 4);
        assert!(b.write().is_err());
        let hello = a.write().unwrap();
        assert!(a.read(&hello).is_err());
        assert!(a.into_session().is_err());
    }

    #[test]
    fn low_order_points_are_refused() {
        let both = prologue(&[1; 32], &[2; 32]);
        let (_, mut b) = handshakes(&both, &both, 4);
        b.read(&[0; 32]).unwrap();
        assert!(
            b.write().is_err(),
            "the all-zero share must not key a session"
        );
    }
}

#[cfg(test)]
#[path = "vector_tests.rs"]
mod vector_tests;
