//! A space as one archive file. What is read goes through the very checks that peers' entries go
//! through, so that an archive can bring in nothing that a peer could not.

use super::archive_blobs;
use super::archive_format::{End, Reader, Record, VERSION, Writer};
use super::files::{self, Source};
use crate::api::ArchiveInfo;
use crate::authority::Authority;
use crate::model::{Error, ErrorKind, Result, SpaceId, signed};
use crate::runtime::clock;
use crate::runtime::executor;
use crate::runtime::node::NodeGuard;
use crate::runtime::sessions::Sessions;
use crate::runtime::space_handle::SpaceHandle;
use crate::runtime::space_host::SpaceHost;
use crate::space::{ArchiveCheck, Checked, Ingest, SpaceCore, require_member};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of entries read under one lock of the space.
const BATCH_BYTES: usize = 1024 * 1024;
/// Entries taken in under one lock, as of a peer's.
const BATCH_ENTRIES: usize = 16;
/// How often an archive is read again for entries that had to wait for later ones.
const PASSES: usize = 4;

/// Takes feeds' headers, and entries that follow.
type Take<'a> = dyn FnMut(&[Bytes], Vec<Bytes>) -> Result<Ingest> + 'a;

/// One import at a time: each builds a file of its own.
static IMPORTING: Mutex<()> = Mutex::new(());

/// Held by whoever builds a space's file anew.
pub fn alone() -> MutexGuard<'static, ()> {
    IMPORTING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SpaceHandle {
    /// Writes the space's feeds and entries as they stand now, and its blobs.
    pub fn export_archive(&self, path: &str) -> Result<ArchiveInfo> {
        let last = self.host().with_settled(|core| core.last_arrival())?;
        let mut writer = Writer::begin(path, &self.id())?;
        let mut written = HashSet::new();
        let mut control = 0;
        let mut after = 0;
        while after < last {
            // Others get at the space between two batches; what they add comes after `last`.
            let batch = self.host().with(|core| {
                let entries = core.entries_after(after, BATCH_BYTES)?;
                let feeds = entries.iter().map(|entry| core.feed_header(&entry.feed));
                let feeds: Vec<_> = feeds.collect();
                Ok(entries.into_iter().zip(feeds).collect::<Vec<_>>())
            })?;
            if batch.is_empty() {
                break;
            }
            for (entry, feed) in batch {
                after = entry.n;
                if entry.n > last {
                    break;
                }
                let (header, is_control) =
                    feed.ok_or_else(|| Error::corrupt("an entry's feed is missing"))?;
                if written.insert(entry.feed) {
                    writer.feed(&header)?;
                }
                control += u64::from(is_control);
                writer.entry(&entry.bytes)?;
            }
        }
        archive_blobs::export(self.host(), &mut writer)?;
        Ok(describe(&self.id(), &writer.finish()?, control))
    }
}

/// Checks an archive without any key.
pub fn verify(path: &str) -> Result<ArchiveInfo> {
    let (info, _, _) = check(&mut files::open(path)?)?;
    Ok(info)
}

pub(super) fn check(source: &mut dyn Source) -> Result<(ArchiveInfo, SpaceId, Authority)> {
    let mut reader = Reader::begin(source)?;
    let space = reader.space();
    let mut check = ArchiveCheck::new(space);
    let end = loop {
        match reader.next()? {
            Ok(Record::Feed(header)) => check.feed(&header)?,
            Ok(Record::Entry(bytes)) => check.entry(bytes)?,
            Ok(Record::Blob(_) | Record::Block(_)) => {}
            Err(end) => break end,
        }
    };
    let (checked, authority) = check.finish()?;
    let Checked {
        control_entries, ..
    } = checked;
    Ok((describe(&space, &end, control_entries), space, authority))
}

fn describe(space: &SpaceId, end: &End, control_entries: u64) -> ArchiveInfo {
    ArchiveInfo {
        space: space.to_string(),
        version: u32::from(VERSION),
        feeds: end.feeds,
        entries: end.entries,
        control_entries,
        blobs: end.blobs,
        bytes: end.bytes,
        digest: HEXLOWER.encode(&end.digest),
    }
}

impl NodeGuard {
    /// Brings in an archive: all of what is sound in it and lacks here.
    pub fn import_archive(self: &Arc<Self>, path: &str) -> Result<SpaceHandle> {
        let node = self.node();
        let (keyring, _) = node.require_identity()?;
        let mut source = files::open(path)?;
        let (_, space, authority) = check(&mut source)?;
        require_member(&authority, &keyring.identity_key(), &keyring.device_key())?;
        let _alone = alone();
        let _claim = node.claim(space)?;
        let host = match node.has_space(&space) {
            false => self.restore(space, None, &mut source)?,
            true => {
                let host = node.host(&space)?;
                match node.open_space(&host) {
                    Ok(()) => {
                        self.fill(&host, &mut source)?;
                        host
                    }
                    // Its file is lost or damaged: a new one takes its place.
                    Err(e) if e.kind() == ErrorKind::Corrupt => {
                        self.restore(space, Some(host), &mut source)?
                    }
                    Err(e) => return Err(e),
                }
            }
        };
        archive_blobs::import(self, &host, &mut source)?;
        Ok(SpaceHandle::new(Arc::clone(self), host))
    }

    /// Adds to an open space what it lacks.
    fn fill(self: &Arc<Self>, host: &Arc<SpaceHost>, source: &mut dyn Source) -> Result<()> {
        let node = self.node();
        let mut control = false;
        let filled = take_in(source, &mut |headers, entries| {
            host.with_settled(|core| {
                let into = ingest(core, headers, entries)?;
                if into.stored > 0 {
                    host.announce_remote(&into.rows);
                }
                control |= into.control;
                Ok(into)
            })
        });
        if control {
            node.control_changed(host);
        }
        filled
    }

    /// Ends the sessions with peers: what they said of the space while it was not here they do not
    /// say again. They come back at once.
    fn begin_anew(self: &Arc<Self>) -> Result<()> {
        for session in self.node().sessions() {
            executor::handle()?.spawn(async move { session.close().await });
        }
        Ok(())
    }

    /// Builds the space's file anew, beside its place, and puts it there once it is whole.
    fn restore(
        self: &Arc<Self>,
        space: SpaceId,
        host: Option<Arc<SpaceHost>>,
        source: &mut dyn Source,
    ) -> Result<Arc<SpaceHost>> {
        let node = self.node();
        let (keyring, _) = node.require_identity()?;
        let random = || Box::new(clock::fill_random);
        let mut build = || {
            let store = node.with_profile(|profile| profile.begin_restore(&space))?;
            let mut core = SpaceCore::join(space, Box::new(store), Arc::clone(&keyring), random())?;
            take_in(source, &mut |headers, entries| {
                ingest(&mut core, headers, entries)
            })?;
            core.flush()?;
            Ok(core)
        };
        let built: Result<SpaceCore> = build();
        let core = match built {
            Ok(core) => core,
            Err(error) => {
                node.with_profile(|profile| profile.abandon_restore(&space))?;
                return Err(error);
            }
        };
        let joined_ms = signed(clock::now_ms());
        let core = node.with_profile(|profile| {
            if profile.space_path(&space).is_none() {
                profile.list_restored(&space, joined_ms)?;
                return Ok(core);
            }
            // Closed before it is moved.
            drop(core);
            let store = profile.finish_restore(&space, joined_ms)?;
            SpaceCore::open(space, Box::new(store), Arc::clone(&keyring), random())
        })?;
        match host {
            None => {
                let host = node.adopt_space(core)?;
                self.begin_anew()?;
                Ok(host)
            }
            Some(host) => {
                host.open(|| Ok(core))?;
                node.open_space(&host)?;
                Ok(host)
            }
        }
    }
}

fn ingest(core: &mut SpaceCore, headers: &[Bytes], entries: Vec<Bytes>) -> Result<Ingest> {
    for header in headers {
        core.add_feed(header)?;
    }
    let mut into = Ingest::default();
    core.ingest(entries, &mut into)?;
    Ok(into)
}

/// Hands the archive over in batches: feeds' headers, and entries that follow.
fn take_in(source: &mut dyn Source, take: &mut Take<'_>) -> Result<()> {
    for _ in 0..PASSES {
        let (stored, unplaced) = pass(source, take)?;
        // What waited for a later entry, or was one branch too many until that came, is there at
        // the next reading, as when a peer is asked again.
        if unplaced == 0 || stored == 0 {
            break;
        }
    }
    Ok(())
}

fn pass(source: &mut dyn Source, take: &mut Take<'_>) -> Result<(usize, usize)> {
    let mut reader = Reader::begin(source)?;
    let (mut stored, mut left) = (0, 0);
    let mut headers = Vec::new();
    let mut entries: Vec<Bytes> = Vec::new();
    let mut size = 0;
    loop {
        let record = reader.next()?;
        let end = record.is_err();
        match record {
            Ok(Record::Feed(header)) => headers.push(header),
            Ok(Record::Entry(bytes)) => {
                size += bytes.len();
                entries.push(bytes);
            }
            // They come once the space is there.
            Ok(Record::Blob(_) | Record::Block(_)) | Err(_) => {}
        }
        if end || entries.len() >= BATCH_ENTRIES || size >= BATCH_BYTES {
            let count = entries.len();
            let into = take(&headers, std::mem::take(&mut entries))
                .map_err(|e| e.context("the archive"))?;
            stored += into.stored;
            left += count.saturating_sub(into.stored + into.known);
            headers.clear();
            size = 0;
        }
        if end {
            return Ok((stored, left));
        }
    }
}
