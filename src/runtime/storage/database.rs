//! One SQLite file: made, recognised, checked and set up.

use super::connection::{self, Access};
use super::error::{damaged, from_io, from_sqlite};
use super::files;
use super::page_cache::PageCache;
use super::sealed::{self, Seal, Start};
use crate::model::{Error, ErrorKind, Result, signed};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};

/// Prepared statements kept; the engine's own are about forty, the rest are the program's queries.
const STATEMENTS: usize = 128;
/// Files up to this size are checked page by page at every open, at about a millisecond per MiB;
/// larger ones only when the last session did not end cleanly.
const ALWAYS_CHECKED_BYTES: u64 = 16 * 1024 * 1024;

/// What tells one kind of file from another.
pub(super) struct Shape {
    /// What the file is, for people.
    pub(super) what: &'static str,
    /// Whether no second connection is ever opened to the file: then SQLite keeps the index of its log
    /// in memory instead of a file, and its locks from one transaction to the next.
    pub(super) sole: bool,
    /// SQLite's `application_id`.
    pub(super) application_id: i32,
    /// SQLite's `user_version`.
    pub(super) version: i32,
    /// The statements that make an empty one.
    pub(super) schema: &'static [&'static str],
    /// From each older version, the first being 1, to the next.
    pub(super) upgrades: &'static [Upgrade],
}

/// Turns a file of one version into one of the next.
pub(super) type Upgrade = fn(&Transaction<'_>) -> std::result::Result<(), Failure>;

/// When a commit is safe from a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// At the next checkpoint or barrier. A crash of the process alone loses nothing.
    Later,
    /// Before the commit returns.
    AtOnce,
}

/// An open file, and its name for errors.
pub(super) struct Database {
    conn: Connection,
    place: String,
    /// Where the file is; `None` in memory.
    path: Option<PathBuf>,
    access: Access,
    // Dropped after the connection, which needs it.
    seal: Option<Seal>,
    cache: PageCache,
}

impl Database {
    /// Opens or makes the file at `path`; `None` keeps everything in memory. With a `seal` the file
    /// is encrypted, and one that was plain before becomes so.
    pub(super) fn open(
        path: Option<&Path>,
        seal: Option<Seal>,
        shape: &Shape,
        durability: Durability,
    ) -> Result<Database> {
        let mut check = Check::Nothing;
        if let Some(path) = path {
            check = needs_check(path)?;
            match (sealed::start(path)?, &seal) {
                (Start::Plain, Some(seal)) => encrypt(path, seal, shape)?,
                (Start::Sealed, None) => return Err(without_key(path)),
                (Start::Newer, _) => return Err(too_new(path)),
                _ => {}
            }
        }
        let mut db = Database::connect(path, seal, shape)?;
        if db.recognise(shape)? {
            match check {
                Check::Nothing => {}
                Check::All => db.check("quick_check(1)")?,
                Check::Small => db.check_small()?,
            }
            db.upgrade(shape)?;
        } else {
            db.create(shape)?;
        }
        db.set_durability(durability)?;
        Ok(db)
    }

    fn connect(path: Option<&Path>, seal: Option<Seal>, shape: &Shape) -> Result<Database> {
        let place = match path {
            None => format!("the in-memory {}", shape.what),
            Some(path) => path.display().to_string(),
        };
        let db = Database::connect_for(path, place, seal, Access::Write)?;
        if shape.sole {
            // Before the first read, or the index is a file all the same.
            db.read(|conn| conn.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(())))?;
        }
        Ok(db)
    }

    /// Opens a further connection to a file that is open already, for reading alone.
    pub(super) fn open_reader(path: &Path, seal: Option<Seal>) -> Result<Database> {
        let place = path.display().to_string();
        Database::connect_for(Some(path), place, seal, Access::Read)
    }

    fn connect_for(
        path: Option<&Path>,
        place: String,
        seal: Option<Seal>,
        access: Access,
    ) -> Result<Database> {
        let conn = connection::open(path, seal.as_ref(), access);
        let conn = conn.map_err(|e| from_sqlite(&place, e))?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Database {
            conn,
            place,
            path: path.map(Path::to_owned),
            access,
            seal,
            cache: PageCache::new(),
        })
    }

    /// Opens a file of the present version that may be damaged, for reading alone.
    pub(super) fn salvage(path: &Path, seal: Option<Seal>, shape: &Shape) -> Result<Database> {
        let db = Database::open_reader(path, seal)?;
        let version: i32 =
            db.read(|conn| conn.query_row("PRAGMA user_version", [], |row| row.get(0)))?;
        match db.recognise(shape)? && version == shape.version {
            true => Ok(db),
            false => Err(damaged(&db.place, "it has another format")),
        }
    }

    /// What the file is encrypted with, if it is.
    pub(super) fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// Where the file is; `None` in memory.
    pub(super) fn location(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether this connection only reads.
    pub(super) fn only_reads(&self) -> bool {
        self.access == Access::Read
    }

    /// Bounds what the connection keeps in memory: bytes of pages, and prepared statements.
    pub(super) fn set_cache(&self, pages: u64, statements: usize) -> Result<()> {
        self.conn.set_prepared_statement_cache_capacity(statements);
        let kib = signed(pages / 1024).max(1);
        let set = self.cache.set_share(&self.conn, kib);
        set.map_err(|e| from_sqlite(&self.place, e))
    }

    /// Runs `work` in a transaction that reads: all that it asks is answered as of one moment.
    pub(super) fn as_of_now(&self, work: impl FnOnce()) -> Result<()> {
        let run = |sql| self.read(|conn| conn.prepare_cached(sql)?.execute([]).map(drop));
        run("BEGIN")?;
        work();
        // Some errors, as of the disk, end the transaction, and `work` has met them.
        match self.conn.is_autocommit() {
            true => Ok(()),
            false => run("COMMIT"),
        }
    }

    /// The file's name, for errors.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The connection, for reads.
    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Runs `read`; its errors name the file.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let done = read(&self.conn).map_err(|e| from_sqlite(&self.place, e));
        self.cache.grow_if_full(&self.conn);
        done
    }

    /// Runs `work` in one transaction: all of it is kept, or, after any error, nothing.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        let place = &self.place;
        self.cache.grow(&self.conn);
        // Taking the write lock first keeps a reader in another program from failing us halfway.
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| from_sqlite(place, e))?;
        let done = work(&tx).map_err(|failure| match failure {
            Failure::Sqlite(e) => from_sqlite(place, e),
            Failure::Refused(e) => e,
        })?;
        tx.commit().map_err(|e| from_sqlite(place, e))?;
        Ok(done)
    }

    /// As [`Database::write`], and safe from a power cut before it returns, with all that was
    /// committed before it: the log is one file, and syncing it syncs all of it.
    pub(super) fn write_through<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        self.set_durability(Durability::AtOnce)?;
        let done = self.write(work);
        self.set_durability(Durability::Later)?;
        done
    }

    /// SQLite's own check of the file's structure: `quick_check(1)` or `integrity_check(1)`.
    pub(super) fn check(&self, pragma: &str) -> Result<()> {
        let verdict: String = self
            .conn
            .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
            .map_err(|e| from_sqlite(&self.place, e))?;
        if verdict == "ok" {
            return Ok(());
        }
        Err(damaged(&self.place, verdict.trim()))
    }

    /// Checks the structure of all tables but those of blobs' contents, with their indexes.
    fn check_small(&self) -> Result<()> {
        let tables: Vec<String> = self.read(|conn| {
            conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> ?1")?
                .query_map([LARGE], |row| row.get(0))?
                .collect()
        })?;
        for table in tables {
            // Names in a file that somebody has edited may be anything.
            let name = table.replace('"', "\"\"");
            self.check(&format!("quick_check(\"{name}\")"))?;
        }
        Ok(())
    }

    /// Whether the file is one of ours already; `false` when it is empty.
    fn recognise(&self, shape: &Shape) -> Result<bool> {
        let pragma = |name: &str| -> rusqlite::Result<i64> {
            self.conn
                .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
        };
        let (id, version, pages) = self.read(|_| {
            Ok((
                pragma("application_id")?,
                pragma("user_version")?,
                pragma("page_count")?,
            ))
        })?;
        if pages == 0 {
            return Ok(false);
        }
        // A file whose first transaction was cut short by a crash: pages, but nothing in them.
        if id == 0 && version == 0 && self.is_bare()? {
            return Ok(false);
        }
        if id != i64::from(shape.application_id) || version < 1 {
            let why = format!("it is not a {} of echo-db", shape.what);
            return Err(damaged(&self.place, &why));
        }
        if version > i64::from(shape.version) {
            return Err(Error::new(
                ErrorKind::UnsupportedVersion,
                format!(
                    "{} has format {version}, and this version of echo-db reads formats up to {}; upgrade echo-db to open it",
                    self.place, shape.version
                ),
            ));
        }
        Ok(true)
    }

    fn is_bare(&self) -> Result<bool> {
        self.read(|conn| conn.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |r| r.get(0)))
    }

    fn create(&mut self, shape: &Shape) -> Result<()> {
        self.read(|conn| {
            if self.seal.is_some() {
                connection::reserve(conn)?;
            }
            conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            conn.execute_batch("PRAGMA synchronous = FULL")
        })?;
        self.write(|tx| {
            for part in shape.schema {
                tx.execute_batch(part)?;
            }
            tx.pragma_update(None, "application_id", shape.application_id)?;
            tx.pragma_update(None, "user_version", shape.version)?;
            Ok(())
        })
    }

    /// Brings an older file to the present version, all steps in one transaction: a crash or a
    /// full disk leaves it as it was.
    fn upgrade(&mut self, shape: &Shape) -> Result<()> {
        let version: i32 =
            self.read(|conn| conn.query_row("PRAGMA user_version", [], |row| row.get(0)))?;
        if version == shape.version {
            return Ok(());
        }
        let place = self.place.clone();
        self.set_durability(Durability::AtOnce)?;
        self.write(|tx| {
            let done = usize::try_from(version)
                .unwrap_or_default()
                .saturating_sub(1);
            for step in shape.upgrades.iter().skip(done) {
                step(tx)?;
            }
            tx.pragma_update(None, "user_version", shape.version)?;
            Ok(())
        })
        .map_err(|e| e.context(format!("{place} could not be brought to a newer format")))
    }

    fn set_durability(&self, durability: Durability) -> Result<()> {
        self.read(|conn| {
            conn.execute_batch(match durability {
                Durability::Later => "PRAGMA synchronous = NORMAL",
                Durability::AtOnce => "PRAGMA synchronous = FULL",
            })
        })
    }
}

fn without_key(path: &Path) -> Error {
    let place = path.display();
    let detail = format!("{place} is encrypted, and the profile's file \"key\" is not there");
    Error::new(ErrorKind::KeyUnavailable, detail)
}

fn too_new(path: &Path) -> Error {
    let place = path.display();
    let detail = format!("{place} was encrypted by a newer version of echo-db; upgrade echo-db");
    Error::new(ErrorKind::UnsupportedVersion, detail)
}

/// Encrypts the plain file at `path`, if it is one of ours and sound.
fn encrypt(path: &Path, seal: &Seal, shape: &Shape) -> Result<()> {
    let db = Database::connect(Some(path), None, shape)?;
    if db.recognise(shape)? {
        db.check("quick_check(1)")?;
        return sealed::seal_file(path, db.conn, seal);
    }
    // Pages, but nothing in them: the file is begun anew.
    drop(db);
    files::remove_database(path)?;
    files::open_private_file(path).map(drop)
}

/// Why the work of a transaction stopped.
pub(super) enum Failure {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// The work itself is refused.
    Refused(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Refused(error)
    }
}

/// How much of a file is checked when it is opened.
enum Check {
    Nothing,
    /// Everything but the contents of blobs, which verify themselves when they are read.
    Small,
    All,
}

/// The tables that hold contents of blobs: most of a large file.
const LARGE: &str = "blob_blocks";

/// Makes the file when it is missing, and says how an existing one is to be checked: small ones
/// always, others when a log shows that the last session did not end cleanly.
fn needs_check(path: &Path) -> Result<Check> {
    if let Some(dir) = path.parent()
        && !dir.as_os_str().is_empty()
    {
        files::create_private_dir(dir)?;
    }
    let bytes = files::open_private_file(path)?
        .metadata()
        .map_err(|e| from_io(path.display(), &e))?
        .len();
    let log = files::side_file(path, "-wal");
    let unclean = log.metadata().is_ok_and(|m| m.len() > 0);
    Ok(match (bytes <= ALWAYS_CHECKED_BYTES, unclean) {
        (true, _) => Check::All,
        (false, true) => Check::Small,
        (false, false) => Check::Nothing,
    })
}
