//! The bytes of an archive; `docs/formats/archive.md` describes them.

use super::files::{Source, WholeFile, rewind, unreadable};
use crate::model::{Error, ErrorKind, Result, SpaceId, limits};
use bytes::Bytes;
use ring::digest::{Context, SHA256};
use std::io;

/// What an archive begins with: not text, so that a transfer that mends line ends shows.
const MAGIC: [u8; 8] = *b"\x89ECHA\r\n\x1a";
/// The version that is written, and the newest that is read.
pub(super) const VERSION: u16 = 1;
const FEED: u8 = 1;
const ENTRY: u8 = 2;
const END: u8 = 3;
const BLOB: u8 = 128;
const BLOCK: u8 = 129;
/// Records from 128 on may be skipped by whoever does not know them; these are not known.
const OPTIONAL: u8 = 130;
/// Feeds, entries, digest.
const END_BYTES: usize = 8 + 8 + 32;

/// One record of an archive.
pub(super) enum Record {
    /// A feed's signed header.
    Feed(Bytes),
    /// An entry, as it was received.
    Entry(Bytes),
    /// What the blocks that follow make, sealed.
    Blob(Bytes),
    /// The next block of the blob before it, sealed.
    Block(Bytes),
}

/// How an archive ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) feeds: u64,
    pub(super) entries: u64,
    pub(super) blobs: u64,
    pub(super) bytes: u64,
    pub(super) digest: [u8; 32],
}

/// Writes an archive.
pub(super) struct Writer {
    file: WholeFile,
    digest: Context,
    feeds: u64,
    entries: u64,
    blobs: u64,
    bytes: u64,
}

impl Writer {
    pub(super) fn begin(path: &str, space: &SpaceId) -> Result<Writer> {
        let mut writer = Writer {
            file: WholeFile::create(path)?,
            digest: Context::new(&SHA256),
            feeds: 0,
            entries: 0,
            blobs: 0,
            bytes: 0,
        };
        writer.put(&MAGIC)?;
        writer.put(&VERSION.to_le_bytes())?;
        writer.put(space.as_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write(bytes)
    }

    fn record(&mut self, kind: u8, payload: &[u8]) -> Result<()> {
        let length = u32::try_from(payload.len())
            .map_err(|_| Error::internal("an entry is larger than any entry"))?;
        self.put(&[kind])?;
        self.put(&length.to_le_bytes())?;
        self.put(payload)
    }

    pub(super) fn feed(&mut self, header: &[u8]) -> Result<()> {
        self.feeds += 1;
        self.record(FEED, header)
    }

    pub(super) fn entry(&mut self, bytes: &[u8]) -> Result<()> {
        self.entries += 1;
        self.record(ENTRY, bytes)
    }

    pub(super) fn blob(&mut self, sealed: &[u8]) -> Result<()> {
        self.blobs += 1;
        self.record(BLOB, sealed)
    }

    pub(super) fn block(&mut self, sealed: &[u8]) -> Result<()> {
        self.record(BLOCK, sealed)
    }

    pub(super) fn finish(mut self) -> Result<End> {
        let (feeds, entries) = (self.feeds, self.entries);
        self.put(&[END])?;
        self.put(&(END_BYTES as u32).to_le_bytes())?;
        self.put(&feeds.to_le_bytes())?;
        self.put(&entries.to_le_bytes())?;
        let digest = finished(self.digest.clone());
        self.put(&digest)?;
        let (blobs, bytes) = (self.blobs, self.bytes);
        self.file.finish()?;
        Ok(End {
            feeds,
            entries,
            blobs,
            bytes,
            digest,
        })
    }
}

/// Reads an archive from the front.
pub(super) struct Reader<'a> {
    source: &'a mut dyn Source,
    digest: Context,
    space: SpaceId,
    feeds: u64,
    entries: u64,
    blobs: u64,
    bytes: u64,
}

impl<'a> Reader<'a> {
    /// Reads the head. Fails with `InvalidArgument` if it is no archive, `UnsupportedVersion` if a
    /// newer library wrote it.
    pub(super) fn begin(source: &'a mut dyn Source) -> Result<Reader<'a>> {
        rewind(source)?;
        let mut reader = Reader {
            source,
            digest: Context::new(&SHA256),
            space: SpaceId::ZERO,
            feeds: 0,
            entries: 0,
            blobs: 0,
            bytes: 0,
        };
        let mut magic = [0; MAGIC.len()];
        let whole = reader.fill(&mut magic)?;
        if !whole || magic != MAGIC {
            return Err(Error::invalid(
                "this is no archive of echo-db, or a transfer as text has changed it",
            ));
        }
        let version = u16::from_le_bytes(reader.take()?);
        if version == 0 || version > VERSION {
            return Err(Error::new(
                ErrorKind::UnsupportedVersion,
                format!("the archive has version {version}; this library reads up to {VERSION}"),
            ));
        }
        reader.space = SpaceId(reader.take()?);
        Ok(reader)
    }

    pub(super) fn space(&self) -> SpaceId {
        self.space
    }

    /// The next record, or how the archive ended.
    pub(super) fn next(&mut self) -> Result<std::result::Result<Record, End>> {
        loop {
            let [kind] = self.take::<1>()?;
            let length = u32::from_le_bytes(self.take()?) as usize;
            if length > limits::ARCHIVE_RECORD_BYTES {
                return Err(damaged("a record is larger than any record"));
            }
            if kind == END {
                return self.end(length).map(Err);
            }
            let payload = self.payload(length)?;
            match kind {
                FEED => {
                    self.feeds += 1;
                    return Ok(Ok(Record::Feed(payload)));
                }
                ENTRY => {
                    self.entries += 1;
                    return Ok(Ok(Record::Entry(payload)));
                }
                BLOB => {
                    self.blobs += 1;
                    return Ok(Ok(Record::Blob(payload)));
                }
                BLOCK if self.blobs == 0 => {
                    return Err(damaged("a block comes before any blob"));
                }
                BLOCK => return Ok(Ok(Record::Block(payload))),
                OPTIONAL.. => {}
                _ => {
                    return Err(Error::new(
                        ErrorKind::UnsupportedVersion,
                        format!(
                            "the archive has a record of kind {kind}: a newer library wrote it"
                        ),
                    ));
                }
            }
        }
    }

    fn end(&mut self, length: usize) -> Result<End> {
        if length != END_BYTES {
            return Err(damaged("its end is malformed"));
        }
        let counts: [u64; 2] = [
            u64::from_le_bytes(self.take()?),
            u64::from_le_bytes(self.take()?),
        ];
        let digest = finished(self.digest.clone());
        let stated: [u8; 32] = self.take()?;
        if stated != digest {
            return Err(damaged("its checksum does not match"));
        }
        if counts != [self.feeds, self.entries] {
            return Err(damaged("it does not hold as many entries as it says"));
        }
        let mut more = [0];
        if self.source.read(&mut more).map_err(|e| unreadable(&e))? > 0 {
            return Err(damaged("bytes follow its end"));
        }
        Ok(End {
            feeds: self.feeds,
            entries: self.entries,
            blobs: self.blobs,
            bytes: self.bytes,
            digest,
        })
    }

    fn payload(&mut self, length: usize) -> Result<Bytes> {
        let mut payload = vec![0; length];
        match self.fill(&mut payload)? {
            true => Ok(Bytes::from(payload)),
            false => Err(cut_short()),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.fill(&mut bytes)? {
            true => Ok(bytes),
            false => Err(cut_short()),
        }
    }

    /// Fills a buffer; false if the archive ends first.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool> {
        match self.source.read_exact(buffer) {
            Ok(()) => {
                self.digest.update(buffer);
                self.bytes += buffer.len() as u64;
                Ok(true)
            }
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(e) => Err(unreadable(&e)),
        }
    }
}

fn finished(digest: Context) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest.finish().as_ref());
    out
}

fn damaged(detail: &str) -> Error {
    Error::corrupt(format!("the archive is damaged: {detail}"))
}

fn cut_short() -> Error {
    damaged("it ends before its end, as after an interrupted transfer")
}
