//! A link with a Noise session on it: messages of any size up to the bound, sealed, in order. The
//! session is tied to the link by both DTLS fingerprints.

use super::clock;
use super::transport::Link;
use crate::model::{Error, ErrorKind, Result};
use crate::sync::framing::{self, Assembler};
use crate::sync::session::{Handshake, Session, prologue};
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time for the handshake once the link is open.
const HANDSHAKE_TIME: Duration = Duration::from_secs(15);

/// An encrypted link whose other side is not known yet.
pub struct SecureLink {
    link: Arc<dyn Link>,
    session: Mutex<Session>,
    assembler: tokio::sync::Mutex<Assembler>,
    /// Held over sealing and sending, so that frames leave in the order they were sealed.
    sending: tokio::sync::Mutex<()>,
    hash: [u8; 32],
}

impl SecureLink {
    /// Runs the handshake.
    pub async fn establish(link: Arc<dyn Link>) -> Result<SecureLink> {
        let (local, remote) = (link.local_fingerprint(), link.remote_fingerprint());
        let initiator = link.initiator();
        let prologue = match initiator {
            true => prologue(&local, &remote),
            false => prologue(&remote, &local),
        };
        let mut handshake = Handshake::new(initiator, &prologue, clock::random(), clock::random())?;
        let steps = async {
            while !handshake.is_finished() {
                if handshake.is_my_turn() {
                    link.send(Bytes::from(handshake.write()?)).await?;
                } else {
                    let message = link.recv().await.ok_or_else(gone)?;
                    handshake.read(&message)?;
                }
            }
            Ok::<(), Error>(())
        };
        tokio::time::timeout(HANDSHAKE_TIME, steps)
            .await
            .map_err(|_| {
                Error::new(ErrorKind::TimedOut, "the peer did not finish the handshake")
            })??;
        let hash = handshake.hash();
        Ok(SecureLink {
            link,
            session: Mutex::new(handshake.into_session()?),
            assembler: tokio::sync::Mutex::new(Assembler::new()),
            sending: tokio::sync::Mutex::new(()),
            hash,
        })
    }

    /// The handshake's hash: equal on both sides exactly if nobody sits between them.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The link below.
    pub fn link(&self) -> &Arc<dyn Link> {
        &self.link
    }

    /// Sends one message, waiting while the peer is slower than we are.
    pub async fn send(&self, message: &[u8]) -> Result<()> {
        let frames = framing::split(message)?;
        let _in_order = self.sending.lock().await;
        for frame in frames {
            let sealed = self
                .session
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .seal(&frame)?;
            self.link.send(Bytes::from(sealed)).await?;
        }
        Ok(())
    }

    /// The next message; an error ends the link.
    pub async fn recv(&self) -> Result<Vec<u8>> {
        let mut assembler = self.assembler.lock().await;
        loop {
            let sealed = self.link.recv().await.ok_or_else(gone)?;
            let frame = self
                .session
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .open(&sealed)?;
            if let Some(message) = assembler.push(&frame)? {
                return Ok(message);
            }
        }
    }

    /// Closes the link.
    pub async fn close(&self) {
        self.link.close().await;
    }
}

fn gone() -> Error {
    Error::network("the peer is gone")
}
