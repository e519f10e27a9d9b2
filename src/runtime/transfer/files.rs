//! Files that appear whole or not at all, and files that are read twice.

use crate::model::{Error, ErrorKind, Result};
use crate::runtime::clock;
use data_encoding::HEXLOWER;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file being written under another name, beside its own. Dropped before it is finished, it leaves
/// nothing.
pub(super) struct WholeFile {
    writer: BufWriter<File>,
    path: PathBuf,
    temporary: PathBuf,
    finished: bool,
}

impl WholeFile {
    /// Begins a file that only its owner can read.
    pub(super) fn create(path: &str) -> Result<WholeFile> {
        let path = PathBuf::from(path);
        let Some(name) = path.file_name() else {
            return Err(Error::invalid(format!(
                "{:?} names no file to write",
                path.display()
            )));
        };
        if path.is_dir() {
            return Err(Error::invalid(format!(
                "{} is a directory: name a file in it",
                path.display()
            )));
        }
        let mut temporary = name.to_owned();
        temporary.push(format!(".{}.part", HEXLOWER.encode(&clock::random::<6>())));
        let temporary = path.with_file_name(temporary);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&temporary).map_err(|e| refused(&path, &e))?;
        Ok(WholeFile {
            writer: BufWriter::with_capacity(256 * 1024, file),
            path,
            temporary,
            finished: false,
        })
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer
            .write_all(bytes)
            .map_err(|e| refused(&self.path, &e))
    }

    /// Makes the file durable and gives it its name, replacing what had it.
    pub(super) fn finish(mut self) -> Result<()> {
        let done = self.writer.flush().and_then(|()| {
            self.writer.get_ref().sync_all()?;
            fs::rename(&self.temporary, &self.path)
        });
        done.map_err(|e| refused(&self.path, &e))?;
        self.finished = true;
        #[cfg(unix)]
        if let Some(parent) = self.path.parent() {
            let parent = match parent.as_os_str().is_empty() {
                true => Path::new("."),
                false => parent,
            };
            // The file is whole; a directory that cannot be synced, as on some network file
            // systems, makes it no less so.
            let _ = File::open(parent).and_then(|directory| directory.sync_all());
        }
        Ok(())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Bytes that are read from front to back, and again.
pub(super) trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// A file as such a source. A pipe or device is none: it would end the first reading for good.
pub(super) fn open(path: &str) -> Result<BufReader<File>> {
    if path.is_empty() {
        return Err(Error::invalid("the file to read has no name"));
    }
    let place = Path::new(path);
    let found = fs::metadata(place).map_err(|e| not_opened(place, &e))?;
    if !found.is_file() {
        return Err(Error::invalid(format!(
            "{path} is no regular file, which can be read twice: hand its contents over instead"
        )));
    }
    let file = File::open(place).map_err(|e| not_opened(place, &e))?;
    Ok(BufReader::with_capacity(256 * 1024, file))
}

/// Goes back to the front.
pub(super) fn rewind(source: &mut dyn Source) -> Result<()> {
    source
        .seek(SeekFrom::Start(0))
        .map(drop)
        .map_err(|e| unreadable(&e))
}

/// What a failed read is reported as.
pub(super) fn unreadable(error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Storage,
        format!("the input could not be read: {error}"),
    )
}

fn refused(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("{}: {error}", path.display()))
}

fn not_opened(path: &Path, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Storage,
    };
    Error::new(kind, format!("{}: {error}", path.display()))
}
