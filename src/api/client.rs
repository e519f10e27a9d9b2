//! The client: one profile, one identity, its spaces and its connections.

use super::error::Result;
use super::{ClientOptions, ClientStatus, Invitation, JoinOptions, LogSink, Space, SpaceInfo};
use crate::model::{SpaceId, json};
use crate::runtime::node::NodeGuard;
use std::sync::Arc;

/// The library's version, `MAJOR.MINOR.PATCH`.
#[cfg_attr(feature = "bindings", uniffi::export)]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Who the user of a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct IdentityInfo {
    /// The identity's public key: the same on all devices.
    pub identity: String,
    /// This device's public key.
    pub device: String,
    /// The name shown to others; not unique, not proven.
    pub display_name: String,
}

/// An open profile. Calls may come from any thread. Dropping the last reference shuts it down
/// without waiting; [`Client::shutdown`] waits and reports.
#[cfg_attr(feature = "bindings", derive(uniffi::Object))]
pub struct Client {
    node: Arc<NodeGuard>,
}

impl Client {
    pub(super) fn guard(&self) -> &Arc<NodeGuard> {
        &self.node
    }

    /// Opens a profile, making it if absent. Fails with `ProfileLocked` while another client,
    /// in this process or another, has it open; with `Corrupt` or `UnsupportedVersion` when its
    /// files are damaged or newer, leaving them untouched.
    pub fn open(options: ClientOptions, log: Option<Arc<dyn LogSink>>) -> Result<Arc<Self>> {
        Ok(Arc::new(Client {
            node: NodeGuard::open(options, log)?,
        }))
    }

    /// Makes the identity, this device's keys, and the default space. Fails with `AlreadyExists`
    /// if the profile has one.
    pub fn create_identity(&self, display_name: String) -> Result<IdentityInfo> {
        super::space::check_name("a display name", &display_name)?;
        Ok(self.node.node().create_identity(display_name)?)
    }

    /// Makes a space with `properties` (a JSON object, for example `{"name": "Notes"}`) and opens
    /// it.
    pub fn create_space(&self, properties: String) -> Result<Arc<Space>> {
        let properties = json::parse_fields(&properties)?;
        Ok(Space::new(self.node.create_space(properties)?))
    }

    /// The spaces of this profile, in the order they were made or joined.
    pub fn spaces(&self) -> Result<Vec<SpaceInfo>> {
        Ok(self.node.node().spaces()?)
    }

    /// A handle on a space, open or closed.
    pub fn space(&self, id: String) -> Result<Arc<Space>> {
        Ok(Space::new(self.node.space(SpaceId::parse(&id)?)?))
    }

    /// The space that was made with the identity.
    pub fn default_space(&self) -> Result<Arc<Space>> {
        Ok(Space::new(self.node.default_space()?))
    }

    /// Deletes this profile's copy of a space. Other members keep theirs. The default space
    /// cannot be deleted.
    pub fn delete_space(&self, id: String) -> Result<()> {
        Ok(self.node.node().delete_space(SpaceId::parse(&id)?)?)
    }

    /// Uses an invitation code (text or URL). A malformed, foreign or expired code, and one for a
    /// space this profile is in already, fail at once; the rest shows in the invitation.
    pub fn join(&self, code: String, options: JoinOptions) -> Result<Arc<Invitation>> {
        Ok(Invitation::new(self.node.join(&code, options)?))
    }

    /// Goes online or offline. Offline, all connections are closed and none is made or taken;
    /// everything else works.
    pub fn set_online(&self, online: bool) -> Result<()> {
        Ok(self.node.node().set_online(online)?)
    }

    /// Commits what is pending, closes connections and files, and releases the profile. Every
    /// later call on the client and its spaces fails with `InvalidState`. May be called again.
    pub fn shutdown(&self) -> Result<()> {
        Ok(self.node.node().shutdown()?)
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl Client {
    /// The identity, if there is one.
    pub fn identity(&self) -> Option<IdentityInfo> {
        self.node.node().identity()
    }

    /// Connections and servers at this moment.
    pub fn status(&self) -> ClientStatus {
        self.node.node().status()
    }
}

/// Opens a profile; see `Client`.
#[cfg(feature = "bindings")]
#[uniffi::export]
pub async fn open_client(
    options: ClientOptions,
    log: Option<Arc<dyn LogSink>>,
) -> Result<Arc<Client>> {
    super::run(move || Client::open(options, log)).await
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// Makes the identity, this device's keys, and the default space.
    #[uniffi::method(name = "create_identity")]
    pub async fn create_identity_async(
        self: Arc<Self>,
        display_name: String,
    ) -> Result<IdentityInfo> {
        super::run(move || self.create_identity(display_name)).await
    }

    /// Makes a space with properties (a JSON object) and opens it.
    #[uniffi::method(name = "create_space")]
    pub async fn create_space_async(self: Arc<Self>, properties: String) -> Result<Arc<Space>> {
        super::run(move || self.create_space(properties)).await
    }

    /// The spaces of this profile.
    #[uniffi::method(name = "spaces")]
    pub async fn spaces_async(self: Arc<Self>) -> Result<Vec<SpaceInfo>> {
        super::run(move || self.spaces()).await
    }

    /// A handle on a space, open or closed.
    #[uniffi::method(name = "space")]
    pub async fn space_async(self: Arc<Self>, id: String) -> Result<Arc<Space>> {
        super::run(move || self.space(id)).await
    }

    /// The space that was made with the identity.
    #[uniffi::method(name = "default_space")]
    pub async fn default_space_async(self: Arc<Self>) -> Result<Arc<Space>> {
        super::run(move || self.default_space()).await
    }

    /// Deletes this profile's copy of a space.
    #[uniffi::method(name = "delete_space")]
    pub async fn delete_space_async(self: Arc<Self>, id: String) -> Result<()> {
        super::run(move || self.delete_space(id)).await
    }

    /// Uses an invitation code (text or URL).
    #[uniffi::method(name = "join")]
    pub async fn join_async(
        self: Arc<Self>,
        code: String,
        options: JoinOptions,
    ) -> Result<Arc<Invitation>> {
        super::run(move || self.join(code, options)).await
    }

    /// Goes online or offline.
    #[uniffi::method(name = "set_online")]
    pub async fn set_online_async(self: Arc<Self>, online: bool) -> Result<()> {
        super::run(move || self.set_online(online)).await
    }

    /// Commits what is pending, closes connections and files, and releases the profile.
    #[uniffi::method(name = "shutdown")]
    pub async fn shutdown_async(self: Arc<Self>) -> Result<()> {
        super::run(move || self.shutdown()).await
    }
}
