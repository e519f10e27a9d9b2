//! How a client is opened.

use super::{EncryptionMode, KeyProvider, LogLevel};
use std::fmt;
use std::sync::Arc;

/// A STUN or TURN server (RFC 8489, RFC 8656).
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct IceServer {
    /// `stun:HOST:PORT`, `turn:HOST:PORT?transport=udp`.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: String,
    /// For TURN.
    pub credential: String,
}

/// Without the credential, so that it is in no log.
impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Options of [`super::Client::open`]. The default is a client in memory, online without any
/// signalling server.
#[derive(Clone)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ClientOptions {
    /// The profile's directory, made if absent; `None` keeps everything in memory.
    #[cfg_attr(feature = "bindings", uniffi(default = None))]
    pub profile: Option<String>,
    /// Signalling servers, `ws://` or `wss://`; several are used at once.
    #[cfg_attr(feature = "bindings", uniffi(default = []))]
    pub signaling: Vec<String>,
    /// STUN and TURN servers.
    #[cfg_attr(feature = "bindings", uniffi(default = []))]
    pub ice_servers: Vec<IceServer>,
    /// Local addresses to use for peer connections, `IP:PORT` with port 0 for any; empty means
    /// every address of the machine, loopback included.
    #[cfg_attr(feature = "bindings", uniffi(default = []))]
    pub bind: Vec<String>,
    /// Whether to look for peers from the start; see [`super::Client::set_online`].
    #[cfg_attr(feature = "bindings", uniffi(default = true))]
    pub online: bool,
    /// What the log sink hears.
    pub log_level: LogLevel,
    /// How long text edits outside transactions are gathered into one entry, in milliseconds,
    /// 0 to 1000. [`super::Space::flush`] ends the wait.
    #[cfg_attr(feature = "bindings", uniffi(default = 20))]
    pub coalesce_ms: u32,
    /// How many bytes of memory the open spaces may use together for what they have read: pages of
    /// their files, documents, prepared statements. 1 MiB to 64 GiB; 32 MiB if not set.
    #[cfg_attr(feature = "bindings", uniffi(default = 33554432))]
    pub cache_bytes: u64,
    /// The passphrase of the profile's files, 1 to 1024 bytes. A new profile, and one that was plain,
    /// gets it; to change it, or to give one to an encrypted profile, use
    /// [`super::Client::set_passphrase`]. A profile in memory has no use for it.
    #[cfg_attr(feature = "bindings", uniffi(default = None))]
    pub passphrase: Option<String>,
    /// Who keeps a key for the profile, for programs on systems that have a place for keys. Used
    /// where there is no passphrase.
    #[cfg_attr(feature = "bindings", uniffi(default = None))]
    pub key_provider: Option<Arc<dyn KeyProvider>>,
    /// Whether the profile's files are encrypted.
    pub encryption: EncryptionMode,
}

/// Without the passphrase, so that it is in no log.
impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("profile", &self.profile)
            .field("signaling", &self.signaling)
            .field("ice_servers", &self.ice_servers)
            .field("bind", &self.bind)
            .field("online", &self.online)
            .field("log_level", &self.log_level)
            .field("coalesce_ms", &self.coalesce_ms)
            .field("cache_bytes", &self.cache_bytes)
            .field("passphrase", &self.passphrase.as_ref().map(|_| ".."))
            .field("key_provider", &self.key_provider.as_ref().map(|_| ".."))
            .field("encryption", &self.encryption)
            .finish()
    }
}

/// The `cache_bytes` of those who do not set it.
pub(crate) const CACHE_BYTES: u64 = 32 * 1024 * 1024;

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            profile: None,
            signaling: Vec::new(),
            ice_servers: Vec::new(),
            bind: Vec::new(),
            online: true,
            log_level: LogLevel::Warn,
            coalesce_ms: 20,
            cache_bytes: CACHE_BYTES,
            passphrase: None,
            key_provider: None,
            encryption: EncryptionMode::Auto,
        }
    }
}
