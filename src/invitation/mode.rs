//! How an invitation is hosted and used.

use crate::feed::DeviceSigner;
use crate::model::{Error, Result};
use ring::digest;
use std::fmt;
use zeroize::Zeroize;

/// Separates the rendezvous secret of delegated invitations from other hashes of a key.
const DELEGATED_DOMAIN: &[u8] = b"echo-db/invitation/delegated/v1";

/// How an invitation is hosted and used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The inviting device lets in one guest, who enters an authorization code.
    Interactive,
    /// The inviting device lets in several guests, each of whom enters an authorization code.
    MultiUse,
    /// Any member lets in whoever has the code: it is a bearer token, there is no other check.
    Delegated(Bearer),
}

impl Mode {
    /// The number of [`Mode::Interactive`] in stored and sent bytes.
    pub const INTERACTIVE: u8 = 1;
    /// That of [`Mode::MultiUse`].
    pub const MULTI_USE: u8 = 2;
    /// That of [`Mode::Delegated`].
    pub const DELEGATED: u8 = 3;

    /// The number in stored and sent bytes.
    pub fn number(&self) -> u8 {
        match self {
            Mode::Interactive => Mode::INTERACTIVE,
            Mode::MultiUse => Mode::MULTI_USE,
            Mode::Delegated(_) => Mode::DELEGATED,
        }
    }

    /// The invitation's key, if it is delegated.
    pub fn bearer(&self) -> Option<&Bearer> {
        match self {
            Mode::Delegated(bearer) => Some(bearer),
            Mode::Interactive | Mode::MultiUse => None,
        }
    }
}

/// The key of a delegated invitation. Members know the public half, from the operation that opened
/// it; who has the code has the seed as well.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer {
    key: [u8; 32],
    seed: Option<[u8; 32]>,
}

impl Bearer {
    /// For whoever has the code.
    pub fn from_seed(seed: [u8; 32]) -> Bearer {
        Bearer {
            key: DeviceSigner::from_seed(seed).public().0,
            seed: Some(seed),
        }
    }

    /// For a member who lets guests in.
    pub fn public(key: [u8; 32]) -> Bearer {
        Bearer { key, seed: None }
    }

    /// The public key.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The seed; fails for a member who does not have the code.
    pub fn seed(&self) -> Result<&[u8; 32]> {
        self.seed
            .as_ref()
            .ok_or_else(|| Error::internal("the seed of a delegated invitation is not here"))
    }

    /// The rendezvous secret: known to members and to those who have the code, to nobody else.
    pub fn rendezvous(&self) -> [u8; 16] {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(DELEGATED_DOMAIN);
        context.update(&self.key);
        let mut secret = [0; 16];
        for (to, from) in secret.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        secret
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(..)")
    }
}

impl Drop for Bearer {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}
