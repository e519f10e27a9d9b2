//! Blobs: larger values by content, stored beside the objects that name them and fetched from peers
//! on demand (docs/guide/blobs.md).

use super::error::Result;
use super::{EchoError, Space, Subscription};
use crate::model::BlobId;
use crate::runtime::blobs::{FetchHandle, WriterHandle};
use std::sync::Arc;
use std::time::Duration;

/// What is here of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct BlobInfo {
    /// Its id, 52 characters: what `{"@blob": id, "size": size}` in an object's fields names.
    pub id: String,
    /// Its size, in bytes.
    pub size: u64,
    /// How many of its bytes are here.
    pub held: u64,
    /// Whether all of them are.
    pub whole: bool,
    /// Whether an object in sight names it: one that is not deleted.
    pub referenced: bool,
}

/// What a collection did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct CollectedBlobs {
    /// How many blobs were removed.
    pub blobs: u64,
    /// Bytes that this freed in the space's file. The file keeps its size: what is written next
    /// takes the room.
    pub bytes: u64,
}

/// Where a fetch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum BlobFetchState {
    /// Under way, or waiting for a peer that holds the blob.
    Fetching = 1,
    /// All of the blob is here.
    Done = 2,
    /// It cannot be fetched; see the error.
    Failed = 3,
    /// It was cancelled, or the space was closed. What has come stays.
    Cancelled = 4,
}

impl BlobFetchState {
    /// A stable snake-case name.
    pub fn name(self) -> &'static str {
        match self {
            BlobFetchState::Fetching => "fetching",
            BlobFetchState::Done => "done",
            BlobFetchState::Failed => "failed",
            BlobFetchState::Cancelled => "cancelled",
        }
    }
}

/// A fetch at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct BlobProgress {
    /// Where it stands.
    pub state: BlobFetchState,
    /// How many of the blob's bytes are here, those that were here before included.
    pub received: u64,
    /// Its size in bytes, once a peer told it.
    pub total: Option<u64>,
    /// Connected members that were asked.
    pub peers: u32,
    /// Those of them that hold the blob.
    pub sources: u32,
    /// The status number of the failure, 0 if there is none.
    pub status: i32,
    /// What failed, if something did.
    pub error: Option<String>,
}

/// Receives a fetch's progress on library threads, one call at a time, the present one first. Who is
/// slow hears of the newest only; the last is never left out.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait BlobListener: Send + Sync {
    /// The fetch moved on.
    fn progressed(&self, progress: BlobProgress) -> std::result::Result<(), EchoError>;
}

/// A blob being written, in as many pieces as wanted; memory stays bounded. Any thread may use it, one
/// at a time. Dropping it before [`BlobWriter::finish`] cancels it.
#[cfg_attr(feature = "bindings", derive(uniffi::Object))]
pub struct BlobWriter {
    handle: WriterHandle,
}

impl BlobWriter {
    /// Adds bytes at the end. Fails with `LimitExceeded`, having taken nothing, past 16 GiB in all; any
    /// other failure (`Storage`, `InvalidState` when the space was closed) ends the writing.
    pub fn write(&self, bytes: Vec<u8>) -> Result<()> {
        self.write_slice(&bytes)
    }

    pub(crate) fn write_slice(&self, bytes: &[u8]) -> Result<()> {
        Ok(self.handle.write(bytes)?)
    }

    /// Ends the writing: from now on the blob is here, and is offered to peers who ask for it. Fails
    /// with `InvalidState` after the end.
    pub fn finish(&self) -> Result<BlobInfo> {
        Ok(self.handle.finish()?)
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl BlobWriter {
    /// Bytes written so far, 0 after the end.
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// Gives the blob up; what was written goes. Does nothing after the end.
    pub fn cancel(&self) {
        self.handle.cancel();
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl BlobWriter {
    /// Adds bytes at the end. Fails with `LimitExceeded`, having taken nothing, past 16 GiB in all; any
    /// other failure (`Storage`, `InvalidState` when the space was closed) ends the writing.
    #[uniffi::method(name = "write")]
    pub async fn write_async(self: Arc<Self>, bytes: Vec<u8>) -> Result<()> {
        super::run(move || self.write(bytes)).await
    }

    /// Ends the writing: from now on the blob is here, and is offered to peers who ask for it. Fails
    /// with `InvalidState` after the end.
    #[uniffi::method(name = "finish")]
    pub async fn finish_async(self: Arc<Self>) -> Result<BlobInfo> {
        super::run(move || self.finish()).await
    }
}

/// A blob on its way. Dropping it does not end it; [`BlobFetch::cancel`] and the closing of the space
/// do. Any thread may use it.
#[cfg_attr(feature = "bindings", derive(uniffi::Object))]
pub struct BlobFetch {
    handle: FetchHandle,
}

impl BlobFetch {
    /// Waits until all of the blob is here. After `timeout` the fetch goes on, and the error says why it
    /// is not done: `Network` if no member is connected, `NotFound` if none of those who are holds the
    /// blob, `TimedOut` if it is coming. Else fails with what ended it: `Cancelled`, `Storage`,
    /// `LimitExceeded` for a blob larger than 16 GiB, `Corrupt` for one that was made wrong.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<BlobProgress> {
        Ok(self.handle.wait(timeout)?)
    }

    /// As [`BlobFetch::wait`], for a caller that has a task to spare, not a thread.
    pub(crate) async fn finished(
        self: Arc<Self>,
        timeout: Option<Duration>,
    ) -> Result<BlobProgress> {
        Ok(self.handle.wait_within(timeout).await?)
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl BlobFetch {
    /// The blob's id.
    pub fn id(&self) -> String {
        self.handle.id().to_string()
    }

    /// Where it stands.
    pub fn progress(&self) -> BlobProgress {
        self.handle.progress()
    }

    /// Ends it for everybody who fetches this blob. What has come stays, and a later fetch goes on from
    /// there. Does nothing after the end.
    pub fn cancel(&self) {
        self.handle.cancel();
    }

    /// Calls `listener` with the present progress and then with every further one.
    pub fn subscribe(&self, listener: Arc<dyn BlobListener>) -> Arc<Subscription> {
        Subscription::new(self.handle.subscribe(listener))
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl BlobFetch {
    /// Waits until all of the blob is here, at most `timeout_ms` milliseconds if given. After that the
    /// fetch goes on, and the error says why it is not done: `Network` if no member is connected,
    /// `NotFound` if none of those who are holds the blob, `TimedOut` if it is coming. Else fails with
    /// what ended it: `Cancelled`, `Storage`, `LimitExceeded` for a blob larger than 16 GiB, `Corrupt`
    /// for one that was made wrong.
    #[uniffi::method(name = "wait")]
    pub async fn wait_async(self: Arc<Self>, timeout_ms: Option<u64>) -> Result<BlobProgress> {
        self.finished(timeout_ms.map(Duration::from_millis)).await
    }
}

impl Space {
    /// Begins to write a blob, piece by piece. Fails with `PermissionDenied` for who may not write
    /// objects.
    pub fn blob_writer(&self) -> Result<Arc<BlobWriter>> {
        let handle = self.handle().blob_writer()?;
        Ok(Arc::new(BlobWriter { handle }))
    }

    /// Stores bytes as a blob, 16 GiB at most. Equal bytes are stored once and have one id. To keep the
    /// blob, put `{"@blob": id, "size": size}` into an object's field: blobs that no object names are
    /// collected.
    pub fn put_blob(&self, bytes: Vec<u8>) -> Result<BlobInfo> {
        self.put_blob_slice(&bytes)
    }

    pub(crate) fn put_blob_slice(&self, bytes: &[u8]) -> Result<BlobInfo> {
        Ok(self.handle().put_blob(bytes)?)
    }

    /// As [`Space::put_blob`], with the bytes of a file, however large, in bounded memory. Fails with
    /// `NotFound` if there is no such file and `Storage` if it cannot be read.
    pub fn put_blob_file(&self, path: String) -> Result<BlobInfo> {
        Ok(self.handle().put_blob_file(&path)?)
    }

    /// Bytes of a blob from `offset` on, at most `length` of them, which may be 16 MiB; fewer at its
    /// end. Fails with `NotFound` if they are not here: fetch the blob first. Each block is verified;
    /// `Corrupt` says that one is damaged.
    pub fn read_blob(&self, id: String, offset: u64, length: u64) -> Result<Vec<u8>> {
        Ok(self
            .handle()
            .read_blob(BlobId::parse(&id)?, offset, length)?)
    }

    /// Writes a whole blob to a file, in bounded memory. A file that is there is replaced once all is
    /// written. Fails with `NotFound` if not all of it is here, `Storage` if the file cannot be written.
    pub fn blob_to_file(&self, id: String, path: String) -> Result<()> {
        Ok(self.handle().blob_to_file(BlobId::parse(&id)?, &path)?)
    }

    /// What is here of a blob; `None` if nothing is.
    pub fn blob_info(&self, id: String) -> Result<Option<BlobInfo>> {
        Ok(self.handle().blob_info(BlobId::parse(&id)?)?)
    }

    /// Every blob of which something is here, in id order.
    pub fn blobs(&self) -> Result<Vec<BlobInfo>> {
        Ok(self.handle().blobs()?)
    }

    /// Fetches a blob from members who hold it, now and whenever one connects, until it is here. Blocks
    /// that are here already, from a fetch that was cut short or in another blob, are not asked for
    /// again. Who fetches a blob that is on its way joins that. Fails with `PermissionDenied` for a
    /// relay and `LimitExceeded` when 256 are under way.
    pub fn fetch_blob(&self, id: String) -> Result<Arc<BlobFetch>> {
        let handle = self.handle().fetch_blob(BlobId::parse(&id)?)?;
        Ok(Arc::new(BlobFetch { handle }))
    }

    /// Removes blobs that no object in sight has named for `grace_s` seconds, as far as this device
    /// noticed: the time begins with the blob's writing or fetching, or with the first collection, this
    /// one included, that finds it unnamed. Blobs named only by deleted objects or by older versions
    /// count as unnamed; who wants one back fetches it from a peer that still has it. Every opening of
    /// the space does this in the background, with a week.
    pub fn collect_blobs(&self, grace_s: u64) -> Result<CollectedBlobs> {
        Ok(self.handle().collect_blobs(grace_s)?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// Begins to write a blob, piece by piece. Fails with `PermissionDenied` for who may not write
    /// objects.
    #[uniffi::method(name = "blob_writer")]
    pub async fn blob_writer_async(self: Arc<Self>) -> Result<Arc<BlobWriter>> {
        super::run(move || self.blob_writer()).await
    }

    /// Stores bytes as a blob, 16 GiB at most. Equal bytes are stored once and have one id. To keep the
    /// blob, put `{"@blob": id, "size": size}` into an object's field: blobs that no object names are
    /// collected.
    #[uniffi::method(name = "put_blob")]
    pub async fn put_blob_async(self: Arc<Self>, bytes: Vec<u8>) -> Result<BlobInfo> {
        super::run(move || self.put_blob(bytes)).await
    }

    /// As `put_blob`, with the bytes of a file, however large, in bounded memory. Fails with `NotFound`
    /// if there is no such file and `Storage` if it cannot be read.
    #[uniffi::method(name = "put_blob_file")]
    pub async fn put_blob_file_async(self: Arc<Self>, path: String) -> Result<BlobInfo> {
        super::run(move || self.put_blob_file(path)).await
    }

    /// Bytes of a blob from `offset` on, at most `length` of them, which may be 16 MiB; fewer at its
    /// end. Fails with `NotFound` if they are not here: fetch the blob first. Each block is verified;
    /// `Corrupt` says that one is damaged.
    #[uniffi::method(name = "read_blob")]
    pub async fn read_blob_async(
        self: Arc<Self>,
        id: String,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>> {
        super::run(move || self.read_blob(id, offset, length)).await
    }

    /// Writes a whole blob to a file, in bounded memory. A file that is there is replaced once all is
    /// written. Fails with `NotFound` if not all of it is here, `Storage` if the file cannot be written.
    #[uniffi::method(name = "blob_to_file")]
    pub async fn blob_to_file_async(self: Arc<Self>, id: String, path: String) -> Result<()> {
        super::run(move || self.blob_to_file(id, path)).await
    }

    /// What is here of a blob; nothing if nothing is.
    #[uniffi::method(name = "blob_info")]
    pub async fn blob_info_async(self: Arc<Self>, id: String) -> Result<Option<BlobInfo>> {
        super::run(move || self.blob_info(id)).await
    }

    /// Every blob of which something is here, in id order.
    #[uniffi::method(name = "blobs")]
    pub async fn blobs_async(self: Arc<Self>) -> Result<Vec<BlobInfo>> {
        super::run(move || self.blobs()).await
    }

    /// Fetches a blob from members who hold it, now and whenever one connects, until it is here. Blocks
    /// that are here already, from a fetch that was cut short or in another blob, are not asked for
    /// again. Who fetches a blob that is on its way joins that. Fails with `PermissionDenied` for a
    /// relay and `LimitExceeded` when 256 are under way.
    #[uniffi::method(name = "fetch_blob")]
    pub async fn fetch_blob_async(self: Arc<Self>, id: String) -> Result<Arc<BlobFetch>> {
        super::run(move || self.fetch_blob(id)).await
    }

    /// Removes blobs that no object in sight has named for `grace_s` seconds, as far as this device
    /// noticed: the time begins with the blob's writing or fetching, or with the first collection, this
    /// one included, that finds it unnamed. Blobs named only by deleted objects or by older versions
    /// count as unnamed; who wants one back fetches it from a peer that still has it. Every opening of
    /// the space does this in the background, with a week.
    #[uniffi::method(name = "collect_blobs")]
    pub async fn collect_blobs_async(self: Arc<Self>, grace_s: u64) -> Result<CollectedBlobs> {
        super::run(move || self.collect_blobs(grace_s)).await
    }
}
