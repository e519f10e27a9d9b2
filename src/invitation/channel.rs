//! The connection on which an invitation takes place, and what binds the exchange to it.

use super::code::InvitationCode;
use ring::hmac;
use zeroize::Zeroizing;

/// Separates the channel identifier of the password exchange from all others.
const CHANNEL_DOMAIN: &[u8] = b"echo-db/invitation/channel/v1";

/// Separates the secret of delegated invitations from other uses of a code's key.
const BEARER_DOMAIN: &[u8] = b"echo-db/invitation/bearer/v1";
/// Separates what a delegated invitation's seed signs from other signatures.
const TOKEN_DOMAIN: &[u8] = b"echo-db/invitation/token/v1";

/// A connection after its session handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The session's handshake hash.
    pub handshake_hash: [u8; 32],
    /// The DTLS fingerprint of the side that initiated the session.
    pub initiator_fingerprint: [u8; 32],
    /// The DTLS fingerprint of the other side.
    pub responder_fingerprint: [u8; 32],
    /// Whether we initiated the session.
    pub initiator: bool,
}

/// The part that one side plays in an invitation, as it enters hashed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Host = 1,
    Guest = 2,
}

impl Channel {
    /// The channel identifier of the password exchange: whoever sits in the middle of any layer
    /// gets two different ones.
    pub(super) fn identifier(&self, code: &InvitationCode) -> Vec<u8> {
        let mut bytes = CHANNEL_DOMAIN.to_vec();
        bytes.push(code.kind.number());
        bytes.extend_from_slice(&code.rendezvous);
        bytes.extend_from_slice(&self.bound_bytes());
        bytes
    }

    /// Names one of possibly several password exchanges on this connection.
    pub(super) fn run_identifier(&self, run: u32) -> Vec<u8> {
        let mut bytes = self.handshake_hash.to_vec();
        bytes.extend_from_slice(&run.to_be_bytes());
        bytes
    }

    /// Shows, on this connection only and for one side only, that the sender has the invitation.
    pub(super) fn hello_check(&self, code: &InvitationCode, sender: Part) -> [u8; 32] {
        let tag = hmac::sign(&hello_key(code), &self.hello_bytes(sender));
        let mut check = [0; 32];
        for (to, from) in check.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        check
    }

    /// Checks what the other side showed, in constant time.
    pub(super) fn verify_hello(&self, code: &InvitationCode, sender: Part, check: &[u8]) -> bool {
        hmac::verify(&hello_key(code), &self.hello_bytes(sender), check).is_ok()
    }

    /// The secret under which a delegated invitation seals: there is no authorization code from
    /// which one could come. Whoever could make it was invited, or is a member already.
    pub(super) fn bearer_secret(&self, code: &InvitationCode) -> Zeroizing<[u8; 64]> {
        let key = hmac::Key::new(hmac::HMAC_SHA512, &code.hello_key());
        let mut bytes = BEARER_DOMAIN.to_vec();
        bytes.extend_from_slice(&self.bound_bytes());
        let tag = hmac::sign(&key, &bytes);
        let mut secret = Zeroizing::new([0; 64]);
        for (to, from) in secret.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        secret
    }

    /// What the seed of a delegated invitation signs to let `guest` in over this connection;
    /// `guest` is its associated data.
    pub(super) fn token_bytes(
        &self,
        code: &InvitationCode,
        key: &[u8; 32],
        guest: &[u8],
    ) -> Vec<u8> {
        let mut bytes = TOKEN_DOMAIN.to_vec();
        bytes.push(code.kind.number());
        bytes.extend_from_slice(&code.space_hint);
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(&self.bound_bytes());
        bytes.extend_from_slice(guest);
        bytes
    }

    fn hello_bytes(&self, sender: Part) -> Vec<u8> {
        let mut bytes = vec![sender as u8];
        bytes.extend_from_slice(&self.bound_bytes());
        bytes
    }

    fn bound_bytes(&self) -> [u8; 96] {
        let mut bytes = [0; 96];
        let parts = self
            .handshake_hash
            .iter()
            .chain(&self.initiator_fingerprint)
            .chain(&self.responder_fingerprint);
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = *from;
        }
        bytes
    }
}

fn hello_key(code: &InvitationCode) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &code.hello_key())
}
