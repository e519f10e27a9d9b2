//! Import and export; `docs/guide/transfer.md` describes what each carries.

use super::error::Result;
use super::{Client, Space};
use crate::model::ObjectId;
use crate::runtime::transfer::archive;
use std::sync::Arc;

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ArchiveInfo {
    /// The space's id.
    pub space: String,
    /// The version of the archive's format.
    pub version: u32,
    /// Feeds.
    pub feeds: u64,
    /// Entries of all feeds.
    pub entries: u64,
    /// Those of them that say who is a member and which keys there are.
    pub control_entries: u64,
    /// Blobs: those that objects named, and that whoever exported it had as a whole.
    pub blobs: u64,
    /// The file's size.
    pub bytes: u64,
    /// SHA-256 of all but the file's last 32 bytes, which are this, in 64 hexadecimal digits.
    pub digest: String,
}

/// How plain data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum ImportFormat {
    /// One JSON array of objects, or one object.
    Json = 1,
    /// A JSON object a line.
    Ndjson = 2,
    /// A table (RFC 4180), in UTF-8.
    Csv = 3,
}

/// What a column, or a member of JSON objects, holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum ColumnKind {
    /// Found out from all cells of the column: booleans, integers, floats, times with a zone
    /// (RFC 3339), else strings. JSON says itself what it is.
    Infer = 1,
    /// Strings.
    String = 2,
    /// Texts that merge character by character.
    Text = 3,
    /// Integers of 64 bits.
    Integer = 4,
    /// Floating-point numbers.
    Float = 5,
    /// `true`, `yes` or `1`, and `false`, `no` or `0`, in any case.
    Boolean = 6,
    /// RFC 3339, a date alone (UTC), or milliseconds since 1970.
    Timestamp = 7,
    /// Object ids, `echo:OBJECT` or `echo://SPACE/OBJECT`.
    Reference = 8,
    /// JSON, with tagged values as everywhere.
    Json = 9,
    /// Left out.
    Ignore = 10,
}

/// What a row that cannot be used leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum OnError {
    /// The import fails. The input is read through before anything is written, so that a malformed
    /// row leaves everything as it was.
    Stop = 1,
    /// The row is left out and reported.
    Skip = 2,
}

/// What becomes of one column, or of one member of JSON objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ImportColumn {
    /// Its name in the input; columns without a header are `column_1` and so on.
    pub name: String,
    /// The field that it goes to, if not one of the same name.
    pub field: Option<String>,
    /// What it holds.
    pub kind: ColumnKind,
}

/// How plain data becomes objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ImportOptions {
    /// How the input is written.
    pub format: ImportFormat,
    /// The objects' type.
    #[cfg_attr(feature = "bindings", uniffi(default = None))]
    pub type_name: Option<String>,
    /// The column or member whose value is the objects' natural key: importing again updates the
    /// objects that exist, on whichever peer. Takes a type. Without a key every row is a new object.
    #[cfg_attr(feature = "bindings", uniffi(default = None))]
    pub key: Option<String>,
    /// Columns or members of which something is to be said.
    #[cfg_attr(feature = "bindings", uniffi(default = []))]
    pub columns: Vec<ImportColumn>,
    /// What all others hold.
    pub other_columns: ColumnKind,
    /// Between cells: one ASCII character.
    #[cfg_attr(feature = "bindings", uniffi(default = ","))]
    pub delimiter: String,
    /// Whether a table's first row has the columns' names.
    #[cfg_attr(feature = "bindings", uniffi(default = true))]
    pub header: bool,
    /// What a row that cannot be used leads to.
    pub on_error: OnError,
}

impl Default for ImportOptions {
    fn default() -> Self {
        ImportOptions {
            format: ImportFormat::Json,
            type_name: None,
            key: None,
            columns: Vec::new(),
            other_columns: ColumnKind::Infer,
            delimiter: ",".to_owned(),
            header: true,
            on_error: OnError::Stop,
        }
    }
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct SkippedRow {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ImportReport {
    /// Rows read, a header not counted.
    pub rows: u64,
    /// Objects made.
    pub created: u64,
    /// Rows that changed objects which existed.
    pub updated: u64,
    /// Rows whose objects were like that already.
    pub unchanged: u64,
    /// Rows left out.
    pub skipped: u64,
    /// The first thousand of them.
    pub skips: Vec<SkippedRow>,
}

/// Checks an archive, without any key: that it is whole, that every entry is signed by its author's
/// device, follows the entries it names, and that its author was a member. Fails with `NotFound`,
/// `InvalidArgument` if the file is no archive, `UnsupportedVersion`, or `Corrupt`.
pub fn verify_archive(path: String) -> Result<ArchiveInfo> {
    Ok(archive::verify(&path)?)
}

impl Client {
    /// Brings in a space's archive and opens the space: as a new space of this profile, into the one
    /// that is here, or in place of one whose file is lost or damaged (which is kept beside). The
    /// archive is checked as a whole before anything is written, and what it holds is then taken in
    /// as if a peer had sent it. Fails as `verify_archive` does, and with `PermissionDenied` if this
    /// profile's device is no member of the space.
    pub fn import_archive(&self, path: String) -> Result<Arc<Space>> {
        Ok(Space::new(self.guard().import_archive(&path)?))
    }
}

impl Space {
    /// Writes the space with its history into one file: all feeds and entries as they were received,
    /// signed and sealed. The file appears when it is whole and replaces one of that name. Members'
    /// devices can import it (`Client::import_archive`), and anybody can check it
    /// (`verify_archive`); only members can read it.
    pub fn export_archive(&self, path: String) -> Result<ArchiveInfo> {
        Ok(self.handle().export_archive(&path)?)
    }

    /// As [`Space::export_json`], into a file, without holding all of it in memory. The file appears
    /// when it is whole and replaces one of that name. Returns the number of objects.
    pub fn export_json_file(&self, path: String) -> Result<u64> {
        Ok(self.handle().export_json_file(&path)?)
    }

    /// As [`Space::import_json`], from a file, without holding all of it in memory.
    pub fn import_json_file(&self, path: String) -> Result<u64> {
        Ok(self.handle().import_json_file(&path)?)
    }

    /// Makes objects of plain data: JSON, JSON lines or CSV. Written up to a thousand rows a
    /// transaction. An error after some were written says how many; with a key, importing again is
    /// harmless then.
    pub fn import_data(&self, data: Vec<u8>, options: ImportOptions) -> Result<ImportReport> {
        Ok(self.handle().import_data(data, &options)?)
    }

    /// As [`Space::import_data`], from a file, without holding all of it in memory.
    pub fn import_file(&self, path: String, options: ImportOptions) -> Result<ImportReport> {
        Ok(self.handle().import_file(&path, &options)?)
    }

    /// An object with its history as an Automerge file, which any program of Automerge opens.
    pub fn export_object(&self, id: String) -> Result<Vec<u8>> {
        Ok(self.handle().export_object(ObjectId::parse(&id)?)?)
    }

    /// Makes an object of an Automerge file, or, with `into`, brings the changes that a file has
    /// beyond that object into it, as made at the version where the two part; returns the object's
    /// id. The file may be hostile: it is bounded, and what it says is written anew under this
    /// device's name, without its history. Fails with `InvalidArgument` if the file is malformed or
    /// shares no history with `into`, and `LimitExceeded`.
    pub fn import_object(&self, data: Vec<u8>, into: Option<String>) -> Result<String> {
        let into = into.as_deref().map(ObjectId::parse).transpose()?;
        Ok(self.handle().import_object(&data, into)?.to_string())
    }
}

/// Checks an archive, without any key: that it is whole, that every entry is signed by its author's
/// device, follows the entries it names, and that its author was a member.
#[cfg(feature = "bindings")]
#[uniffi::export(name = "verify_archive")]
pub async fn verify_archive_async(path: String) -> Result<ArchiveInfo> {
    super::run(move || verify_archive(path)).await
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// Brings in a space's archive and opens the space.
    #[uniffi::method(name = "import_archive")]
    pub async fn import_archive_async(self: Arc<Self>, path: String) -> Result<Arc<Space>> {
        super::run(move || self.import_archive(path)).await
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// Writes the space with its history into one file, signed and sealed as it was received.
    #[uniffi::method(name = "export_archive")]
    pub async fn export_archive_async(self: Arc<Self>, path: String) -> Result<ArchiveInfo> {
        super::run(move || self.export_archive(path)).await
    }

    /// As `export_json`, into a file, without holding all of it in memory. Returns the number of
    /// objects.
    #[uniffi::method(name = "export_json_file")]
    pub async fn export_json_file_async(self: Arc<Self>, path: String) -> Result<u64> {
        super::run(move || self.export_json_file(path)).await
    }

    /// As `import_json`, from a file, without holding all of it in memory.
    #[uniffi::method(name = "import_json_file")]
    pub async fn import_json_file_async(self: Arc<Self>, path: String) -> Result<u64> {
        super::run(move || self.import_json_file(path)).await
    }

    /// Makes objects of plain data: JSON, JSON lines or CSV. An error after some were written says
    /// how many; with a key, importing again is harmless then.
    #[uniffi::method(name = "import_data")]
    pub async fn import_data_async(
        self: Arc<Self>,
        data: Vec<u8>,
        options: ImportOptions,
    ) -> Result<ImportReport> {
        super::run(move || self.import_data(data, options)).await
    }

    /// As `import_data`, from a file, without holding all of it in memory.
    #[uniffi::method(name = "import_file")]
    pub async fn import_file_async(
        self: Arc<Self>,
        path: String,
        options: ImportOptions,
    ) -> Result<ImportReport> {
        super::run(move || self.import_file(path, options)).await
    }

    /// An object with its history as an Automerge file, which any program of Automerge opens.
    #[uniffi::method(name = "export_object")]
    pub async fn export_object_async(self: Arc<Self>, id: String) -> Result<Vec<u8>> {
        super::run(move || self.export_object(id)).await
    }

    /// Makes an object of an Automerge file, or, with `into`, brings the changes that a file has
    /// beyond that object into it; returns the object's id.
    #[uniffi::method(name = "import_object")]
    pub async fn import_object_async(
        self: Arc<Self>,
        data: Vec<u8>,
        into: Option<String>,
    ) -> Result<String> {
        super::run(move || self.import_object(data, into)).await
    }
}
