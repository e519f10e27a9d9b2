//! What the engine asks of a network: a [`Link`], one ordered and reliable channel of frames to one
//! peer, and a [`Transport`] that makes links. WebRTC and the in-memory network both offer it, so
//! that everything above runs the same in a simulation and on the wire.

use super::signal::SignalPayload;
use crate::model::Result;
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::mpsc;

/// SHA-256 of the certificate that one side presents on the link. Both fingerprints enter the
/// session handshake, which ties it to this very link.
pub type Fingerprint = [u8; 32];

/// Payloads that may wait in each direction of a [`SignalChannel`].
pub const SIGNAL_QUEUE: usize = 64;

/// One ordered, reliable channel of frames to one peer.
///
/// The last clone of the `Arc` dropped closes the link.
#[async_trait]
pub trait Link: Send + Sync + 'static {
    /// Sends one frame of at least one byte and at most [`crate::model::limits::FRAME_BYTES`],
    /// waiting while the peer is slower than we are. An error means that the link is closed or the
    /// frame of a wrong size.
    async fn send(&self, frame: Bytes) -> Result<()>;

    /// The next frame, or `None` once the link is closed by either side or the peer is lost.
    /// One task reads at a time; cancelling the call loses nothing.
    async fn recv(&self) -> Option<Bytes>;

    /// The fingerprint of our certificate on this link.
    fn local_fingerprint(&self) -> Fingerprint;

    /// The fingerprint of the peer's certificate on this link.
    fn remote_fingerprint(&self) -> Fingerprint;

    /// Whether our side made the offer.
    fn initiator(&self) -> bool;

    /// Closes the link, once the peer has what was sent or a short time has passed; it notices at
    /// once. Closing twice is allowed.
    async fn close(&self);

    /// Whether the link is closed, by whichever side.
    fn is_closed(&self) -> bool;

    /// Bytes of frames accepted for sending so far.
    fn bytes_sent(&self) -> u64;

    /// Bytes of frames handed to [`Link::recv`] callers so far.
    fn bytes_received(&self) -> u64;
}

/// Which side of a connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRole {
    /// Makes the offer.
    Offerer,
    /// Answers it.
    Answerer,
}

/// The way for a connection's set-up messages, provided by signalling.
pub struct SignalChannel {
    /// Payloads for the peer.
    pub outgoing: mpsc::Sender<SignalPayload>,
    /// Payloads from the peer, decoded but otherwise unverified.
    pub incoming: mpsc::Receiver<SignalPayload>,
}

impl SignalChannel {
    /// Two channels joined to each other: what one sends, the other receives.
    #[cfg(any(test, feature = "bench-internals"))]
    pub fn pair() -> (SignalChannel, SignalChannel) {
        let (to_right, from_left) = mpsc::channel(SIGNAL_QUEUE);
        let (to_left, from_right) = mpsc::channel(SIGNAL_QUEUE);
        (
            SignalChannel {
                outgoing: to_right,
                incoming: from_right,
            },
            SignalChannel {
                outgoing: to_left,
                incoming: from_left,
            },
        )
    }
}

/// Makes links.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Connects to the peer behind `signals`; ends with an open link or a clear error within the
    /// transport's own time limit. Dropping the future abandons the attempt.
    async fn connect(&self, role: LinkRole, signals: SignalChannel) -> Result<Arc<dyn Link>>;
}
