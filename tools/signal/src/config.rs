//! The quotas. Every one is answered with an error frame that names it.

use std::time::Duration;

/// Connections at one time.
pub const CONNECTIONS: usize = 10_000;
/// Connections at one time from one address; loopback is exempt.
pub const CONNECTIONS_PER_ADDRESS: usize = 64;
/// Topics that one connection may be in.
pub const TOPICS_PER_CONNECTION: usize = 256;
/// Peers in one topic.
pub const PEERS_PER_TOPIC: usize = 256;
/// Frames a second from one connection, in the long run.
pub const FRAMES_PER_SECOND: u32 = 50;
/// Frames that it may send at once.
pub const FRAMES_BURST: u32 = 500;
/// Bytes a second from one connection, in the long run.
pub const BYTES_PER_SECOND: u32 = 256 * 1024;
/// Bytes that it may send at once.
pub const BYTES_BURST: u32 = 4 * 1024 * 1024;
/// Bytes of one frame: the largest payload, sealed and in base64, and its envelope.
pub const FRAME_BYTES: usize = 96 * 1024;
/// Refusals after which a connection is closed.
pub const STRIKES: u32 = 64;
/// Time within which a connection must say hello.
pub const HELLO_TIME: Duration = Duration::from_secs(10);
/// Interval of the server's pings.
pub const PING_EVERY: Duration = Duration::from_secs(20);
/// Silence after which a connection is taken for dead.
pub const SILENCE: Duration = Duration::from_secs(50);
/// Time a connection has to prove itself alive when another claims its peer id.
pub const PROBE_TIME: Duration = Duration::from_secs(3);
/// Frames that may wait for a slow reader.
pub const OUTBOX_FRAMES: usize = 512;
/// Bytes that may wait for a slow reader.
pub const OUTBOX_BYTES: usize = 1024 * 1024;
/// Time that one write may take.
pub const WRITE_TIME: Duration = Duration::from_secs(10);

/// The quotas of one server; the defaults are the constants of this module.
#[derive(Clone, Debug)]
pub struct Config {
    /// Connections at one time.
    pub connections: usize,
    /// Connections at one time from one address; loopback is exempt.
    pub connections_per_address: usize,
    /// Topics that one connection may be in.
    pub topics_per_connection: usize,
    /// Peers in one topic.
    pub peers_per_topic: usize,
    /// Frames a second from one connection, in the long run.
    pub frames_per_second: u32,
    /// Frames that it may send at once.
    pub frames_burst: u32,
    /// Bytes a second from one connection, in the long run.
    pub bytes_per_second: u32,
    /// Bytes that it may send at once.
    pub bytes_burst: u32,
    /// Bytes of one frame.
    pub frame_bytes: usize,
    /// Time within which a connection must say hello.
    pub hello_time: Duration,
    /// Interval of the server's pings.
    pub ping_every: Duration,
    /// Silence after which a connection is taken for dead.
    pub silence: Duration,
    /// Time a connection has to prove itself alive when another claims its peer id.
    pub probe_time: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            connections: CONNECTIONS,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            topics_per_connection: TOPICS_PER_CONNECTION,
            peers_per_topic: PEERS_PER_TOPIC,
            frames_per_second: FRAMES_PER_SECOND,
            frames_burst: FRAMES_BURST,
            bytes_per_second: BYTES_PER_SECOND,
            bytes_burst: BYTES_BURST,
            frame_bytes: FRAME_BYTES,
            hello_time: HELLO_TIME,
            ping_every: PING_EVERY,
            silence: SILENCE,
            probe_time: PROBE_TIME,
        }
    }
}
