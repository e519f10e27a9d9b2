//! What a connection may keep of its file in memory.
//!
//! It begins with what SQLite gives every connection, and takes its share of the client's bound when it
//! has read more than that, or writes. Memory that is new to a process costs about as much as reading
//! a page again from the system's cache of files, so that a program that is started for one question
//! is answered sooner, and stays smaller.

use rusqlite::{Connection, ffi};
use std::cell::Cell;
use std::ffi::c_int;

/// What SQLite keeps of a file unless it is told otherwise.
const FIRST_KIB: i64 = 2000;
/// Pages that were read from the file when the first cache is full, of 4 KiB, as all files have.
const FIRST_PAGES: c_int = (FIRST_KIB / 4) as c_int;

/// The bound of one connection's cache.
pub(super) struct PageCache {
    /// What SQLite was told.
    now_kib: Cell<i64>,
    /// What it may be told when it needs more.
    share_kib: Cell<i64>,
}

impl PageCache {
    /// Of a new connection.
    pub(super) fn new() -> PageCache {
        PageCache {
            now_kib: Cell::new(FIRST_KIB),
            share_kib: Cell::new(FIRST_KIB),
        }
    }

    /// Sets the share. What is beyond it is given back at once.
    pub(super) fn set_share(&self, conn: &Connection, kib: i64) -> rusqlite::Result<()> {
        self.share_kib.set(kib);
        if self.now_kib.get() <= FIRST_KIB.min(kib) {
            return Ok(());
        }
        let shrinks = kib < self.now_kib.get();
        self.set(conn, kib)?;
        match shrinks {
            true => conn.execute_batch("PRAGMA shrink_memory"),
            false => Ok(()),
        }
    }

    /// Takes the whole share if the connection has read more than the first cache holds.
    pub(super) fn grow_if_full(&self, conn: &Connection) {
        if self.now_kib.get() < self.share_kib.get() && misses(conn) > FIRST_PAGES {
            self.grow(conn);
        }
    }

    /// Takes the whole share.
    pub(super) fn grow(&self, conn: &Connection) {
        if self.now_kib.get() < self.share_kib.get() {
            // Without it all goes on, only slower, and the next one tries again.
            let _ = self.set(conn, self.share_kib.get());
        }
    }

    fn set(&self, conn: &Connection, kib: i64) -> rusqlite::Result<()> {
        // Negative: KiB instead of pages.
        conn.pragma_update(None, "cache_size", -kib)?;
        self.now_kib.set(kib);
        Ok(())
    }
}

/// How many pages were read from the file because they were not in the cache.
fn misses(conn: &Connection) -> c_int {
    let (mut count, mut highest) = (0, 0);
    // SAFETY: the connection is open, and used by this thread alone while it is borrowed (it is not
    // `Sync`); SQLite writes two `int`s, which outlive the call, and resets nothing.
    let code = unsafe {
        ffi::sqlite3_db_status(
            conn.handle(),
            ffi::SQLITE_DBSTATUS_CACHE_MISS,
            &raw mut count,
            &raw mut highest,
            0,
        )
    };
    if code == ffi::SQLITE_OK { count } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_size(conn: &Connection) -> i64 {
        conn.query_row("PRAGMA cache_size", [], |row| row.get(0))
            .unwrap()
    }

    fn read_all(conn: &Connection) {
        let sum = "SELECT sum(length(b)) FROM t";
        conn.query_row(sum, [], |row| row.get::<_, i64>(0)).unwrap();
    }

    #[test]
    fn a_connection_takes_its_share_when_it_needs_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sqlite");
        let fill = "PRAGMA page_size = 4096; CREATE TABLE t(b);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
            INSERT INTO t SELECT zeroblob(3000) FROM n";
        Connection::open(&path)
            .unwrap()
            .execute_batch(fill)
            .unwrap();
        let conn = Connection::open(&path).unwrap();
        let cache = PageCache::new();
        assert_eq!(cache_size(&conn), -FIRST_KIB);
        cache.set_share(&conn, 50_000).unwrap();
        cache.grow_if_full(&conn);
        assert_eq!(cache_size(&conn), -FIRST_KIB);
        read_all(&conn);
        cache.grow_if_full(&conn);
        assert_eq!(cache_size(&conn), -50_000);
        // The share itself may change; then it counts at once.
        for kib in [40_000, 60_000, 1000] {
            cache.set_share(&conn, kib).unwrap();
            cache.grow_if_full(&conn);
            assert_eq!(cache_size(&conn), -kib);
        }
    }

    #[test]
    fn a_small_share_counts_from_the_beginning_and_writing_takes_all() {
        let conn = Connection::open_in_memory().unwrap();
        let cache = PageCache::new();
        cache.set_share(&conn, 100).unwrap();
        assert_eq!(cache_size(&conn), -100);
        cache.set_share(&conn, 3000).unwrap();
        assert_eq!(cache_size(&conn), -100);
        cache.grow(&conn);
        assert_eq!(cache_size(&conn), -3000);
    }
}
