//! The WebRTC transport and its options.

use super::{interfaces, setup};
use crate::model::{Error, ErrorKind, Result};
use crate::runtime::transport::{Link, LinkRole, SignalChannel, Transport};
use async_trait::async_trait;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A STUN or TURN server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:host:port` or `turn:host:port`.
    pub urls: Vec<String>,
    /// The user name, for TURN.
    pub username: String,
    /// The password, for TURN.
    pub credential: String,
}

/// What the transport is to use.
#[derive(Clone, Debug)]
pub struct WebRtcOptions {
    /// Servers that help to cross NATs; with none, only direct paths are tried.
    pub ice_servers: Vec<IceServer>,
    /// Addresses to bind, port 0 for any; empty means every usable one and loopback.
    pub bind_addresses: Vec<SocketAddr>,
    /// Time within which a connection must be open.
    pub connect_timeout: Duration,
    /// Bytes that may wait for the peer before [`Link::send`] does.
    pub send_buffer: usize,
}

impl Default for WebRtcOptions {
    fn default() -> Self {
        WebRtcOptions {
            ice_servers: Vec::new(),
            bind_addresses: Vec::new(),
            connect_timeout: Duration::from_secs(30),
            send_buffer: 1024 * 1024,
        }
    }
}

/// Makes links over WebRTC.
#[derive(Clone, Debug, Default)]
pub struct WebRtcTransport {
    options: WebRtcOptions,
}

impl WebRtcTransport {
    /// A transport that works as `options` says.
    pub fn new(options: WebRtcOptions) -> Self {
        WebRtcTransport { options }
    }

    /// The addresses to bind now: interfaces come and go.
    pub(super) fn bind_addresses(&self) -> Vec<SocketAddr> {
        if self.options.bind_addresses.is_empty() {
            interfaces::default_bind_addresses()
        } else {
            self.options.bind_addresses.clone()
        }
    }

    pub(super) fn options(&self) -> &WebRtcOptions {
        &self.options
    }
}

#[async_trait]
impl Transport for WebRtcTransport {
    async fn connect(&self, role: LinkRole, signals: SignalChannel) -> Result<Arc<dyn Link>> {
        let limit = self.options.connect_timeout;
        match tokio::time::timeout(limit, setup::establish(self, role, signals)).await {
            Ok(link) => Ok(Arc::new(link?)),
            Err(_) => Err(Error::new(
                ErrorKind::TimedOut,
                format!("no connection to the peer within {limit:?}"),
            )),
        }
    }
}
