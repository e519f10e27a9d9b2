//! The write path: one entry, one transaction.

use super::database::Failure;
use super::objects;
use super::space::SpaceStore;
use super::{documents, meta, violations};
use crate::model::{EntryId, Error, ErrorKind, FeedId, Result, signed};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::space::{Commit, EntryStatus, NewFeed, ObjectWrite};

impl SpaceStore {
    /// Writes an entry and all it brings, or, on any error, nothing; the store stays usable.
    /// Fails with `AlreadyExists` when the entry is stored already.
    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.db.write(|tx| {
            if let Some(feed) = &commit.feed {
                put_feed(tx, feed)?;
            }
            put_entry(tx, commit)?;
            put_effects(tx, commit.actors, commit.objects)?;
            for (key, value) in commit.meta {
                meta::put(tx, key, value)?;
            }
            Ok(())
        })
    }

    /// Settles an entry that waited: sets its status and writes what it brings, in one
    /// transaction. Fails with `NotFound` when there is no such entry, and with `InvalidState`
    /// when it is not waiting.
    pub fn settle_entry(
        &mut self,
        id: &EntryId,
        status: EntryStatus,
        reason: Option<&str>,
        objects: &[ObjectWrite<'_>],
        actors: &[(Vec<u8>, FeedId)],
    ) -> Result<()> {
        self.db.write(|tx| {
            let settled = tx
                .prepare_cached(
                    "UPDATE entries SET status = ?2, reason = ?3 WHERE id = ?1 AND status = 2",
                )?
                .execute(params![id.as_bytes(), status as i64, reason])?;
            if settled == 0 {
                return Err(not_waiting(tx, id)?.into());
            }
            put_effects(tx, actors, objects)
        })
    }
}

fn put_feed(tx: &Transaction<'_>, feed: &NewFeed<'_>) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO feeds(id, kind, header) VALUES(?1, ?2, ?3) ON CONFLICT(id) DO NOTHING",
    )?
    .execute(params![feed.id.as_bytes(), feed.kind as u8, feed.header])?;
    Ok(())
}

fn put_entry(tx: &Transaction<'_>, commit: &Commit<'_>) -> std::result::Result<(), Failure> {
    let entry = &commit.entry;
    let seq = i64::try_from(entry.seq)
        .map_err(|_| Error::limit("an entry's place in its feed does not fit 63 bits"))?;
    let feed = feed_number(tx, &entry.feed)?;
    let added = tx
        .prepare_cached(
            "INSERT INTO entries(id, feed, seq, status, reason, bytes) \
             VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(id) DO NOTHING",
        )?
        .execute(params![
            entry.id.as_bytes(),
            feed,
            seq,
            commit.status as i64,
            commit.reason,
            entry.bytes
        ])?;
    if added == 0 {
        let detail = format!("the entry {} is stored already", entry.id);
        return Err(Error::new(ErrorKind::AlreadyExists, detail).into());
    }
    Ok(())
}

pub(super) fn put_effects(
    tx: &Transaction<'_>,
    actors: &[(Vec<u8>, FeedId)],
    objects: &[ObjectWrite<'_>],
) -> std::result::Result<(), Failure> {
    for (actor, feed) in actors {
        let feed = feed_number(tx, feed)?;
        tx.prepare_cached(
            "INSERT INTO actors(actor, feed) VALUES(?1, ?2) ON CONFLICT(actor) DO NOTHING",
        )?
        .execute(params![actor, feed])?;
    }
    for write in objects {
        let slot = objects::put(tx, write.row, signed(write.changes.len()))?;
        documents::append(tx, &slot, write.changes)?;
        if let Some(breaches) = write.breaches {
            violations::put(tx, slot.n, breaches)?;
        }
    }
    Ok(())
}

fn feed_number(tx: &Transaction<'_>, feed: &FeedId) -> std::result::Result<i64, Failure> {
    tx.prepare_cached("SELECT n FROM feeds WHERE id = ?1")?
        .query_row([feed.as_bytes()], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Error::not_found(format!("the feed {feed} is not stored")).into())
}

fn not_waiting(tx: &Transaction<'_>, id: &EntryId) -> rusqlite::Result<Error> {
    let known = tx
        .prepare_cached("SELECT 1 FROM entries WHERE id = ?1")?
        .exists([id.as_bytes()])?;
    Ok(if known {
        Error::state(format!("the entry {id} is not waiting"))
    } else {
        Error::not_found(format!("the entry {id} is not stored"))
    })
}
