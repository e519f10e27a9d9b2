//! What the facade's `Space` calls for blobs.

use super::fetches::FetchHandle;
use super::writer::WriterHandle;
use crate::api::{BlobInfo, CollectedBlobs};
use crate::model::blob::BLOCK_BYTES;
use crate::model::{BlobId, Error, ErrorKind, Result, limits};
use crate::runtime::clock;
use crate::runtime::space_handle::SpaceHandle;
use crate::space::BlobRow;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of a file read at a time.
const STEP: usize = 1024 * 1024;

impl SpaceHandle {
    /// Begins a blob.
    pub fn blob_writer(&self) -> Result<WriterHandle> {
        self.guard().node().check_open()?;
        WriterHandle::new(self.guard().clone(), self.host().clone())
    }

    /// Stores a blob that is in memory.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<BlobInfo> {
        let writer = self.blob_writer()?;
        writer.write(bytes).inspect_err(|_| writer.cancel())?;
        writer.finish()
    }

    /// Stores a file as a blob.
    pub fn put_blob_file(&self, path: &str) -> Result<BlobInfo> {
        let mut file = File::open(path).map_err(|e| from_io(path, &e))?;
        let writer = self.blob_writer()?;
        copy(path, &mut file, &writer).inspect_err(|_| writer.cancel())?;
        writer.finish()
    }

    /// Part of a blob's bytes.
    pub fn read_blob(&self, id: BlobId, offset: u64, length: u64) -> Result<Vec<u8>> {
        if length > limits::BLOB_READ_BYTES {
            return Err(Error::limit(format!(
                "{} bytes of a blob may be read at a time, not {length}; read it in parts",
                limits::BLOB_READ_BYTES
            )));
        }
        let row = self.present(&id)?;
        let end = offset.saturating_add(length).min(row.root.size);
        let mut bytes = Vec::new();
        let mut at = offset;
        while at < end {
            let position = at / BLOCK_BYTES as u64;
            let block = self.block(&row, position)?;
            let start = position * BLOCK_BYTES as u64;
            let from = usize::try_from(at - start).unwrap_or(usize::MAX);
            let upto = usize::try_from(end - start)
                .unwrap_or(usize::MAX)
                .min(block.len());
            let part = block.get(from..upto).unwrap_or_default();
            if part.is_empty() {
                return Err(Error::corrupt(format!("the blob {id} ends early")));
            }
            bytes.extend_from_slice(part);
            at += part.len() as u64;
        }
        Ok(bytes)
    }

    /// Writes a whole blob to a file; one that is there is replaced when all is written.
    pub fn blob_to_file(&self, id: BlobId, path: &str) -> Result<()> {
        let row = self.present(&id)?;
        if !row.is_whole() {
            return Err(lacking(&id));
        }
        let target = Path::new(path);
        let part = beside(target)?;
        let written = self
            .write_file(&row, &part)
            .and_then(|()| fs::rename(&part, target).map_err(|e| from_io(path, &e)));
        if written.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&part);
        }
        written
    }

    fn write_file(&self, row: &BlobRow, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        let mut file = File::create_new(path).map_err(|e| from_io(&name, &e))?;
        for position in 0..row.root.size.div_ceil(BLOCK_BYTES as u64) {
            let block = self.block(row, position)?;
            file.write_all(&block).map_err(|e| from_io(&name, &e))?;
        }
        file.sync_all().map_err(|e| from_io(&name, &e))
    }

    /// What is here of a blob, if anything.
    pub fn blob_info(&self, id: BlobId) -> Result<Option<BlobInfo>> {
        let row = self.host().with_settled(|core| core.blob(&id))?;
        Ok(row.as_ref().map(info))
    }

    /// All blobs of which something is here.
    pub fn blobs(&self) -> Result<Vec<BlobInfo>> {
        let rows = self.host().with_settled(|core| core.blobs())?;
        Ok(rows.iter().map(info).collect())
    }

    /// Fetches a blob from peers.
    pub fn fetch_blob(&self, id: BlobId) -> Result<FetchHandle> {
        self.guard().node().check_open()?;
        let handle = self.host().fetches().begin(self.host(), id)?;
        self.host().wake_sessions();
        Ok(handle)
    }

    /// Removes blobs that no object names.
    pub fn collect_blobs(&self, grace_s: u64) -> Result<CollectedBlobs> {
        self.guard().node().check_open()?;
        super::collect::collect(self.host(), grace_s.saturating_mul(1000))
    }

    fn present(&self, id: &BlobId) -> Result<BlobRow> {
        let row = self.host().with(|core| core.blob(id))?;
        row.ok_or_else(|| lacking(id))
    }

    fn block(&self, row: &BlobRow, position: u64) -> Result<Vec<u8>> {
        let found = self.host().with(|core| core.blob_bytes(row, position))?;
        found.ok_or_else(|| lacking(&row.id))
    }
}

pub(super) fn info(row: &BlobRow) -> BlobInfo {
    BlobInfo {
        id: row.id.to_string(),
        size: row.root.size,
        held: row.held,
        whole: row.is_whole(),
        referenced: row.referenced,
    }
}

fn copy(path: &str, file: &mut File, writer: &WriterHandle) -> Result<()> {
    let mut buffer = vec![0; STEP];
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(from_io(path, &e)),
        };
        writer.write(buffer.get(..count).unwrap_or_default())?;
    }
}

/// A name in the same directory that nothing has.
fn beside(target: &Path) -> Result<PathBuf> {
    let name = target
        .file_name()
        .ok_or_else(|| Error::invalid(format!("{:?} does not name a file", target.display())))?;
    let mut name = name.to_owned();
    let random = data_encoding::HEXLOWER.encode(&clock::random::<8>());
    name.push(format!(".{random}.part"));
    Ok(target.with_file_name(name))
}

fn lacking(id: &BlobId) -> Error {
    Error::not_found(format!(
        "the blob {id} is not here, or not all of it: fetch it first"
    ))
}

fn from_io(path: &str, error: &std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Storage,
    };
    Error::new(kind, format!("{path}: {error}"))
}
