//! A space: the unit of sharing. Objects, queries, subscriptions, members.

use super::error::Result;
use super::{
    ChangeInfo, ChangeListener, Invitation, InviteOptions, ObjectRecord, QuarantinedEntry,
    SpaceStatus, Subscription, TextUnit, Transaction,
};
use crate::model::{Error, ObjectId, Path, json};
use crate::query::Query;
use crate::runtime::space_handle::SpaceHandle;
use std::sync::Arc;

/// Whether a space is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum SpaceState {
    /// On disk only; not replicated until opened.
    Closed = 1,
    /// Being opened.
    Opening = 2,
    /// Open.
    Ready = 3,
    /// Its file could not be opened; the error is in the log and from `open`.
    Failed = 4,
}

/// A space in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct SpaceInfo {
    /// Its id, 52 characters.
    pub id: String,
    /// The `name` of its properties as last seen, empty if it has none.
    pub name: String,
    /// Whether it was made with the identity.
    pub is_default: bool,
    /// Its state.
    pub state: SpaceState,
}

/// A handle on a space. Handles are cheap and may be used from any thread; all handles on one
/// space act on the same space.
#[cfg_attr(feature = "bindings", derive(uniffi::Object))]
pub struct Space {
    handle: SpaceHandle,
}

impl Space {
    pub(crate) fn new(handle: SpaceHandle) -> Arc<Self> {
        Arc::new(Space { handle })
    }

    pub(super) fn handle(&self) -> &SpaceHandle {
        &self.handle
    }

    /// The space's id, name and state.
    pub fn info(&self) -> Result<SpaceInfo> {
        Ok(self.handle.info()?)
    }

    /// Opens the space; it is replicated from now on. Does nothing if it is open.
    pub fn open(&self) -> Result<()> {
        Ok(self.handle.open()?)
    }

    /// Commits what is pending and closes the space, here and for later starts, until it is
    /// opened again.
    pub fn close(&self) -> Result<()> {
        Ok(self.handle.close()?)
    }

    /// The space's own properties as a JSON object.
    pub fn properties(&self) -> Result<String> {
        Ok(self.handle.properties()?)
    }

    /// Sets some of the space's properties (a JSON object); the others stay.
    pub fn set_properties(&self, properties: String) -> Result<()> {
        Ok(self
            .handle
            .set_properties(json::parse_fields(&properties)?)?)
    }

    /// Makes one object and returns its id; a transaction of one step.
    pub fn create(&self, type_name: Option<String>, fields: String) -> Result<String> {
        let transaction = Transaction::new(self.handle.clone());
        let id = transaction.create(type_name, fields)?;
        transaction.commit()?;
        Ok(id)
    }

    /// Sets fields of one object; a transaction of one step.
    pub fn update(&self, id: String, fields: String) -> Result<()> {
        let transaction = Transaction::new(self.handle.clone());
        transaction.update(id, fields)?;
        transaction.commit()?;
        Ok(())
    }

    /// Deletes one object; a transaction of one step.
    pub fn delete(&self, id: String) -> Result<()> {
        let transaction = Transaction::new(self.handle.clone());
        transaction.delete(id)?;
        transaction.commit()?;
        Ok(())
    }

    /// An object, or `None` if the space has none of that id. A deleted one is returned, marked.
    pub fn get(&self, id: String) -> Result<Option<ObjectRecord>> {
        Ok(self.handle.get(ObjectId::parse(&id)?)?)
    }

    /// The objects that a query finds, in its order. The query is JSON; `docs/guide/query.md`
    /// describes it.
    pub fn query(&self, query: String) -> Result<Vec<ObjectRecord>> {
        Ok(self.handle.query(&Query::parse(&query)?)?)
    }

    /// As [`Space::query`], all in one JSON array: the quicker way across a language boundary.
    /// Each element has the keys `id`, `type`, `parent`, `deleted`, `created_ms`, `updated_ms`,
    /// `heads` and `fields`.
    pub fn query_json(&self, query: String) -> Result<Vec<u8>> {
        Ok(self.handle.query_json(&Query::parse(&query)?)?)
    }

    /// A text field's present text.
    pub fn text(&self, id: String, path: String) -> Result<String> {
        Ok(self
            .handle
            .text(ObjectId::parse(&id)?, &Path::parse(&path)?)?)
    }

    /// Replaces `delete` units of a text from `position` on by `insert`, outside a transaction:
    /// the quick path for typing. The edit shows at once in reads of this client; edits within
    /// `coalesce_ms` of each other become one entry. [`Space::flush`] makes it durable now.
    pub fn splice_text(
        &self,
        id: String,
        path: String,
        position: u64,
        delete: u64,
        insert: String,
        unit: TextUnit,
    ) -> Result<()> {
        Ok(self.handle.splice_text(
            ObjectId::parse(&id)?,
            Path::parse(&path)?,
            text_index(position)?,
            text_index(delete)?,
            insert,
            unit.into(),
        )?)
    }

    /// An object's history since the version `since` (all of it if empty), oldest first.
    pub fn history(&self, id: String, since: Vec<String>) -> Result<Vec<ChangeInfo>> {
        let since = since
            .iter()
            .map(|h| parse_head(h))
            .collect::<crate::model::Result<Vec<_>>>()?;
        Ok(self.handle.history(ObjectId::parse(&id)?, &since)?)
    }

    /// The durability barrier: when this returns, everything done before it is on disk and
    /// survives a power failure, as far as the disk keeps its word.
    pub fn flush(&self) -> Result<()> {
        Ok(self.handle.flush()?)
    }

    /// A digest of all objects' versions, 64 hexadecimal digits: two replicas with the same digest
    /// hold the same objects with the same histories.
    pub fn digest(&self) -> Result<String> {
        Ok(self.handle.digest()?)
    }

    /// Calls `listener` for every committed change of objects that match `filter` (JSON, as the
    /// filter of a query; `{}` matches everything).
    pub fn subscribe(
        &self,
        filter: String,
        listener: Arc<dyn ChangeListener>,
    ) -> Result<Arc<Subscription>> {
        let filter = Query::parse(&filter)?;
        Ok(Subscription::new(self.handle.subscribe(filter, listener)?))
    }

    /// Opens an invitation; needs the role of admin or owner. It is good once its state is
    /// `Connecting`, while this client runs and is online.
    pub fn invite(&self, options: InviteOptions) -> Result<Arc<Invitation>> {
        Ok(Invitation::new(self.handle.invite(options)?))
    }

    /// Who has what, and what waits for what.
    pub fn status(&self) -> Result<SpaceStatus> {
        Ok(self.handle.status()?)
    }

    /// Remote entries that were set aside as harmful or malformed.
    pub fn quarantined(&self) -> Result<Vec<QuarantinedEntry>> {
        Ok(self.handle.quarantined()?)
    }

    /// All objects as JSON lines: a header line, then one object a line. Values only: no history,
    /// and not the space's own properties.
    pub fn export_json(&self) -> Result<Vec<u8>> {
        Ok(self.handle.export_json()?)
    }

    /// Reads what [`Space::export_json`] wrote: makes objects that are absent, and sets the fields
    /// of those that exist. Checked as a whole before anything is written, then written a thousand
    /// objects a transaction; returns the number of objects.
    pub fn import_json(&self, data: Vec<u8>) -> Result<u64> {
        Ok(self.handle.import_json(data)?)
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl Space {
    /// The space's id.
    pub fn id(&self) -> String {
        self.handle.id().to_string()
    }

    /// Begins to gather a transaction; nothing happens until it is committed.
    pub fn transaction(&self) -> Arc<Transaction> {
        Transaction::new(self.handle.clone())
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// The space's id, name and state.
    #[uniffi::method(name = "info")]
    pub async fn info_async(self: Arc<Self>) -> Result<SpaceInfo> {
        super::run(move || self.info()).await
    }

    /// Opens the space; it is replicated from now on. Does nothing if it is open.
    #[uniffi::method(name = "open")]
    pub async fn open_async(self: Arc<Self>) -> Result<()> {
        super::run(move || self.open()).await
    }

    /// Commits what is pending and closes the space, here and for later starts, until it is
    /// opened again.
    #[uniffi::method(name = "close")]
    pub async fn close_async(self: Arc<Self>) -> Result<()> {
        super::run(move || self.close()).await
    }

    /// The space's own properties as a JSON object.
    #[uniffi::method(name = "properties")]
    pub async fn properties_async(self: Arc<Self>) -> Result<String> {
        super::run(move || self.properties()).await
    }

    /// Sets some of the space's properties (a JSON object); the others stay.
    #[uniffi::method(name = "set_properties")]
    pub async fn set_properties_async(self: Arc<Self>, properties: String) -> Result<()> {
        super::run(move || self.set_properties(properties)).await
    }

    /// Makes one object and returns its id; a transaction of one step.
    #[uniffi::method(name = "create")]
    pub async fn create_async(
        self: Arc<Self>,
        type_name: Option<String>,
        fields: String,
    ) -> Result<String> {
        super::run(move || self.create(type_name, fields)).await
    }

    /// Sets fields of one object; a transaction of one step.
    #[uniffi::method(name = "update")]
    pub async fn update_async(self: Arc<Self>, id: String, fields: String) -> Result<()> {
        super::run(move || self.update(id, fields)).await
    }

    /// Deletes one object; a transaction of one step.
    #[uniffi::method(name = "delete")]
    pub async fn delete_async(self: Arc<Self>, id: String) -> Result<()> {
        super::run(move || self.delete(id)).await
    }

    /// An object, or `None` if the space has none of that id. A deleted one is returned, marked.
    #[uniffi::method(name = "get")]
    pub async fn get_async(self: Arc<Self>, id: String) -> Result<Option<ObjectRecord>> {
        super::run(move || self.get(id)).await
    }

    /// The objects that a query finds, in its order. The query is JSON; `docs/guide/query.md`
    /// describes it.
    #[uniffi::method(name = "query")]
    pub async fn query_async(self: Arc<Self>, query: String) -> Result<Vec<ObjectRecord>> {
        super::run(move || self.query(query)).await
    }

    /// As `query`, all in one JSON array: the quicker way across a language boundary.
    /// Each element has the keys `id`, `type`, `parent`, `deleted`, `created_ms`, `updated_ms`,
    /// `heads` and `fields`.
    #[uniffi::method(name = "query_json")]
    pub async fn query_json_async(self: Arc<Self>, query: String) -> Result<Vec<u8>> {
        super::run(move || self.query_json(query)).await
    }

    /// A text field's present text.
    #[uniffi::method(name = "text")]
    pub async fn text_async(self: Arc<Self>, id: String, path: String) -> Result<String> {
        super::run(move || self.text(id, path)).await
    }

    /// Replaces `delete` units of a text from `position` on by `insert`, outside a transaction:
    /// the quick path for typing. The edit shows at once in reads of this client; edits within
    /// `coalesce_ms` of each other become one entry. `flush` makes it durable now.
    #[uniffi::method(name = "splice_text")]
    pub async fn splice_text_async(
        self: Arc<Self>,
        id: String,
        path: String,
        position: u64,
        delete: u64,
        insert: String,
        unit: TextUnit,
    ) -> Result<()> {
        super::run(move || self.splice_text(id, path, position, delete, insert, unit)).await
    }

    /// An object's history since the version `since` (all of it if empty), oldest first.
    #[uniffi::method(name = "history")]
    pub async fn history_async(
        self: Arc<Self>,
        id: String,
        since: Vec<String>,
    ) -> Result<Vec<ChangeInfo>> {
        super::run(move || self.history(id, since)).await
    }

    /// The durability barrier: when this returns, everything done before it is on disk and
    /// survives a power failure, as far as the disk keeps its word.
    #[uniffi::method(name = "flush")]
    pub async fn flush_async(self: Arc<Self>) -> Result<()> {
        super::run(move || self.flush()).await
    }

    /// A digest of all objects' versions, 64 hexadecimal digits: two replicas with the same digest
    /// hold the same objects with the same histories.
    #[uniffi::method(name = "digest")]
    pub async fn digest_async(self: Arc<Self>) -> Result<String> {
        super::run(move || self.digest()).await
    }

    /// Calls `listener` for every committed change of objects that match `filter` (JSON, as the
    /// filter of a query; `{}` matches everything).
    #[uniffi::method(name = "subscribe")]
    pub async fn subscribe_async(
        self: Arc<Self>,
        filter: String,
        listener: Arc<dyn ChangeListener>,
    ) -> Result<Arc<Subscription>> {
        super::run(move || self.subscribe(filter, listener)).await
    }

    /// Opens an invitation; needs the role of admin or owner. It is good once its state is
    /// `Connecting`, while this client runs and is online.
    #[uniffi::method(name = "invite")]
    pub async fn invite_async(self: Arc<Self>, options: InviteOptions) -> Result<Arc<Invitation>> {
        super::run(move || self.invite(options)).await
    }

    /// Who has what, and what waits for what.
    #[uniffi::method(name = "status")]
    pub async fn status_async(self: Arc<Self>) -> Result<SpaceStatus> {
        super::run(move || self.status()).await
    }

    /// Remote entries that were set aside as harmful or malformed.
    #[uniffi::method(name = "quarantined")]
    pub async fn quarantined_async(self: Arc<Self>) -> Result<Vec<QuarantinedEntry>> {
        super::run(move || self.quarantined()).await
    }

    /// All objects as JSON lines: a header line, then one object a line. Values only: no history,
    /// and not the space's own properties.
    #[uniffi::method(name = "export_json")]
    pub async fn export_json_async(self: Arc<Self>) -> Result<Vec<u8>> {
        super::run(move || self.export_json()).await
    }

    /// Reads what `export_json` wrote: makes objects that are absent, and sets the fields
    /// of those that exist. Checked as a whole before anything is written, then written a thousand
    /// objects a transaction; returns the number of objects.
    #[uniffi::method(name = "import_json")]
    pub async fn import_json_async(self: Arc<Self>, data: Vec<u8>) -> Result<u64> {
        super::run(move || self.import_json(data)).await
    }
}

pub(super) use crate::model::names::{check_name, check_type_name};

/// A text position that fits this machine.
pub(super) fn text_index(position: u64) -> crate::model::Result<usize> {
    usize::try_from(position)
        .map_err(|_| Error::invalid(format!("{position} is past the end of any text")))
}

/// Reads a version hash.
pub(super) fn parse_head(text: &str) -> crate::model::Result<[u8; 32]> {
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Error::invalid("a version is 64 hexadecimal digits"))
}
