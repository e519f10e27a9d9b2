//! How two peers talk: the authenticated session between them and the messages inside it. Nothing
//! here does I/O, reads a clock or draws randomness: bytes come in, bytes go out.

pub mod blob_fetch;
pub mod blob_wire;
pub mod device_proof;
pub mod framing;
pub mod peer_proof;
pub mod replicator;
pub mod session;
pub mod wire;
