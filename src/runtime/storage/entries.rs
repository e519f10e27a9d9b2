//! Reads of feeds and entries.

use super::space::SpaceStore;
use crate::feed::FeedKind;
use crate::model::{EntryId, FeedId, Result, signed};
use crate::space::{
    EntryStatus, FeedRecord, FeedTip, QuarantineRecord as QuarantinedEntry, StoredEntry,
};
use bytes::Bytes;
use rusqlite::types::FromSqlError;
use rusqlite::{OptionalExtension, Row, params};

/// The columns that [`read_entry`] reads.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT e.n, e.id, f.id, e.seq, e.status, e.reason, e.bytes \
             FROM entries AS e JOIN feeds AS f ON f.n = e.feed ",
            $rest
        )
    };
}

impl SpaceStore {
    /// All feeds, in the order in which they were first seen.
    pub fn feeds(&self) -> Result<Vec<FeedRecord>> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT id, header FROM feeds ORDER BY n")?
                .query_map([], |row| {
                    Ok(FeedRecord {
                        id: FeedId(row.get(0)?),
                        header: Bytes::from(row.get::<_, Vec<u8>>(1)?),
                    })
                })?
                .collect()
        })
    }

    /// How far each feed reaches; a feed without entries is left out.
    pub fn feed_tips(&self) -> Result<Vec<FeedTip>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT f.id, t.seq, \
                   (SELECT min(e.id) FROM entries AS e WHERE e.feed = f.n AND e.seq = t.seq) \
                 FROM feeds AS f JOIN (SELECT n, \
                   (SELECT max(seq) FROM entries WHERE feed = feeds.n) AS seq FROM feeds) AS t \
                 ON t.n = f.n WHERE t.seq IS NOT NULL ORDER BY f.id",
            )?
            .query_map([], |row| {
                Ok(FeedTip {
                    feed: FeedId(row.get(0)?),
                    seq: row.get::<_, i64>(1)?.unsigned_abs(),
                    id: EntryId(row.get(2)?),
                })
            })?
            .collect()
        })
    }

    /// One entry.
    pub fn entry(&self, id: &EntryId) -> Result<Option<StoredEntry>> {
        self.db.read(|conn| {
            conn.prepare_cached(entries!("WHERE e.id = ?1"))?
                .query_row([id.as_bytes()], read_entry)
                .optional()
        })
    }

    /// What is thought of one entry.
    pub fn entry_status(&self, id: &EntryId) -> Result<Option<EntryStatus>> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT status FROM entries WHERE id = ?1")?
                .query_row([id.as_bytes()], |row| read_status(row, 0))
                .optional()
        })
    }

    /// A feed's entries of one number.
    pub fn entries_at(&self, feed: &FeedId, seq: u64) -> Result<Vec<StoredEntry>> {
        self.db.read(|conn| {
            conn.prepare_cached(entries!(
                "WHERE e.feed = (SELECT n FROM feeds WHERE id = ?1) AND e.seq = ?2 ORDER BY e.n"
            ))?
            .query_map(params![feed.as_bytes(), signed(seq)], read_entry)?
            .collect()
        })
    }

    /// Whether an entry is stored.
    pub fn has_entry(&self, id: &EntryId) -> Result<bool> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT 1 FROM entries WHERE id = ?1")?
                .exists([id.as_bytes()])
        })
    }

    /// At most `limit` entries that arrived after number `n`, in order of arrival; 0 starts.
    pub fn entries_after(&self, n: i64, limit: usize) -> Result<Vec<StoredEntry>> {
        self.db.read(|conn| {
            conn.prepare_cached(entries!("WHERE e.n > ?1 ORDER BY e.n LIMIT ?2"))?
                .query_map(params![n, signed(limit)], read_entry)?
                .collect()
        })
    }

    /// The data entries that are applied and arrived before number `n`, at most `limit`, the last
    /// first.
    pub fn applied_before(&self, n: i64, limit: usize) -> Result<Vec<StoredEntry>> {
        self.db.read(|conn| {
            conn.prepare_cached(entries!(
                "WHERE e.n < ?1 AND e.status = 0 AND f.kind = 1 ORDER BY e.n DESC LIMIT ?2"
            ))?
            .query_map(params![n, signed(limit)], read_entry)?
            .collect()
        })
    }

    /// The bytes of a feed's entries from one place to another, both included, as many as fit
    /// `max_bytes`, but one at least: a reader that asks again from where it got always gets on.
    #[cfg(test)]
    pub fn entries_range(
        &self,
        feed: &FeedId,
        from_seq: u64,
        to_seq: u64,
        max_bytes: usize,
    ) -> Result<Vec<Bytes>> {
        self.db.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT bytes FROM entries WHERE feed = (SELECT n FROM feeds WHERE id = ?1) \
                 AND seq BETWEEN ?2 AND ?3 ORDER BY seq, n",
            )?;
            let mut rows =
                statement.query(params![feed.as_bytes(), signed(from_seq), signed(to_seq)])?;
            let mut found: Vec<Bytes> = Vec::new();
            let mut total = 0usize;
            while let Some(row) = rows.next()? {
                let bytes = row.get_ref(0)?.as_blob()?;
                total = total.saturating_add(bytes.len());
                if total > max_bytes && !found.is_empty() {
                    break;
                }
                found.push(Bytes::copy_from_slice(bytes));
            }
            Ok(found)
        })
    }

    /// All entries of control or of data feeds, in order of arrival.
    pub(super) fn entries_of_kind(&self, kind: FeedKind) -> Result<Vec<StoredEntry>> {
        self.db.read(|conn| {
            conn.prepare_cached(entries!("WHERE f.kind = ?1 ORDER BY e.n"))?
                .query_map([kind as u8], read_entry)?
                .collect()
        })
    }

    /// All entries of one status, in order of arrival. Meant for the few that are not applied;
    /// [`SpaceStore::entries_after`] goes through all.
    pub fn entries_with_status(&self, status: EntryStatus) -> Result<Vec<StoredEntry>> {
        // Written out per status, so that the index over the unsettled ones serves.
        let sql = match status {
            EntryStatus::Applied => entries!("WHERE e.status = 0 ORDER BY e.n"),
            EntryStatus::Quarantined => entries!("WHERE e.status = 1 ORDER BY e.n"),
            EntryStatus::Waiting => entries!("WHERE e.status = 2 ORDER BY e.n"),
            EntryStatus::Excluded => entries!("WHERE e.status = 3 ORDER BY e.n"),
        };
        self.db.read(|conn| {
            conn.prepare_cached(sql)?
                .query_map([], read_entry)?
                .collect()
        })
    }

    /// At most `limit` entries that wait and arrived after number `n`, in order of arrival.
    pub fn waiting_after(&self, n: i64, limit: usize) -> Result<Vec<(i64, EntryId)>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT n, id FROM entries WHERE status = 2 AND n > ?1 ORDER BY n LIMIT ?2",
            )?
            .query_map(params![n, signed(limit)], |row| {
                Ok((row.get(0)?, EntryId(row.get(1)?)))
            })?
            .collect()
        })
    }

    /// The entries whose changes were refused, and why.
    pub fn quarantined(&self) -> Result<Vec<QuarantinedEntry>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT e.id, f.id, coalesce(e.reason, '') FROM entries AS e \
                 JOIN feeds AS f ON f.n = e.feed WHERE e.status = 1 ORDER BY e.n",
            )?
            .query_map([], |row| {
                Ok(QuarantinedEntry {
                    id: EntryId(row.get(0)?),
                    feed: FeedId(row.get(1)?),
                    reason: row.get(2)?,
                })
            })?
            .collect()
        })
    }

    /// The feed that an Automerge actor belongs to.
    #[cfg(test)]
    pub fn actor_feed(&self, actor: &[u8]) -> Result<Option<FeedId>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT f.id FROM actors AS a JOIN feeds AS f ON f.n = a.feed WHERE a.actor = ?1",
            )?
            .query_row([actor], |row| Ok(FeedId(row.get(0)?)))
            .optional()
        })
    }
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<StoredEntry> {
    Ok(StoredEntry {
        n: row.get(0)?,
        id: EntryId(row.get(1)?),
        feed: FeedId(row.get(2)?),
        seq: row.get::<_, i64>(3)?.unsigned_abs(),
        status: read_status(row, 4)?,
        reason: row.get(5)?,
        bytes: Bytes::from(row.get::<_, Vec<u8>>(6)?),
    })
}

fn read_status(row: &Row<'_>, column: usize) -> rusqlite::Result<EntryStatus> {
    match row.get(column)? {
        0 => Ok(EntryStatus::Applied),
        1 => Ok(EntryStatus::Quarantined),
        2 => Ok(EntryStatus::Waiting),
        3 => Ok(EntryStatus::Excluded),
        other => Err(FromSqlError::OutOfRange(other).into()),
    }
}
