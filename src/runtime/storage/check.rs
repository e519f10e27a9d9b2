//! What is wrong with a space's file: its structure, and what is kept beside objects' rows to find
//! them by.

use super::error::from_sqlite;
use super::space::SpaceStore;
use super::{blob_refs, side, words};
use crate::model::blob::block_hash;
use crate::model::{BlobId, ObjectId, Result};
use rusqlite::{Connection, Row, params};
use std::collections::{BTreeMap, BTreeSet};

/// Faults of each kind that are looked for.
const MOST: usize = 1000;

/// An id, and what is wrong.
pub(super) type Fault = (String, String);

impl SpaceStore {
    /// What SQLite finds wrong with the file; a full check looks at indexes too.
    pub(super) fn file_faults(&self, full: bool) -> Result<Vec<String>> {
        let pragma = match full {
            true => "PRAGMA integrity_check",
            false => "PRAGMA quick_check",
        };
        self.db.read(|conn| {
            let mut check = conn.prepare(pragma)?;
            let found: Vec<String> = check
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(found.into_iter().filter(|line| line != "ok").collect())
        })
    }

    /// Where references, tags, keys and words do not agree with the rows they were taken from.
    pub(super) fn derived_faults(&self) -> Result<Vec<Fault>> {
        self.db.read(|conn| {
            let mut faults = Vec::new();
            orphans(conn, &mut faults)?;
            let mut objects = conn.prepare("SELECT n, id, data, extra FROM objects ORDER BY n")?;
            let mut rows = objects.query([])?;
            while let Some(row) = rows.next()? {
                if faults.len() >= MOST {
                    break;
                }
                of_object(conn, row, &mut faults)?;
            }
            faults.extend(words::faults(conn)?.into_iter().take(MOST));
            Ok(faults)
        })
    }

    /// How many blobs there are, and what is wrong with them.
    pub(super) fn blob_faults(&self) -> Result<(u64, Vec<Fault>)> {
        let broken = |e| from_sqlite(self.db.place(), e);
        let conn = self.db.conn();
        let count: i64 = conn
            .query_row("SELECT count(*) FROM blobs WHERE id IS NOT NULL", [], |r| {
                r.get(0)
            })
            .map_err(broken)?;
        let mut faults = Vec::new();
        damaged_blocks(conn, &mut faults).map_err(broken)?;
        wrong_counts(conn, &mut faults).map_err(broken)?;
        Ok((count.unsigned_abs(), faults))
    }
}

/// Rows of objects that are not there.
fn orphans(conn: &Connection, faults: &mut Vec<Fault>) -> rusqlite::Result<()> {
    let tables = [
        "documents",
        "changes",
        "refs",
        "tags",
        "keys",
        "blob_refs",
        "violations",
    ];
    for table in tables {
        let count: i64 = conn.query_row(
            &format!(
                "SELECT count(*) FROM {table} \
                 WHERE NOT EXISTS(SELECT 1 FROM objects WHERE n = {table}.object)"
            ),
            [],
            |row| row.get(0),
        )?;
        if count > 0 {
            faults.push((
                String::new(),
                format!("{count} rows of {table} belong to no object"),
            ));
        }
    }
    Ok(())
}

fn of_object(conn: &Connection, row: &Row<'_>, faults: &mut Vec<Fault>) -> rusqlite::Result<()> {
    let n: i64 = row.get(0)?;
    let id = ObjectId(row.get(1)?);
    let data: String = row.get(2)?;
    let mut system = crate::model::SystemFields::default();
    if let Some(extra) = row.get::<_, Option<String>>(3)?
        && system.add_extra(&extra).is_err()
    {
        faults.push((
            id.to_string(),
            "its tags and keys cannot be read".to_owned(),
        ));
    }
    let mut differ = |what: &str, same: bool| {
        if !same {
            faults.push((id.to_string(), format!("its {what} are not found by")));
        }
    };
    let refs: BTreeSet<(String, Vec<u8>, Option<Vec<u8>>)> = side::refs_of(&data)
        .into_iter()
        .map(|(path, to)| {
            let space = to.space.map(|space| space.as_bytes().to_vec());
            (path, to.object.as_bytes().to_vec(), space)
        })
        .collect();
    let found = conn
        .prepare_cached("SELECT path, target, space FROM refs WHERE object = ?1")?
        .query_map([n], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    differ("references", refs == found);
    let found: BTreeSet<String> = conn
        .prepare_cached("SELECT tag FROM tags WHERE object = ?1")?
        .query_map([n], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    differ("tags", system.tags == found);
    let found: BTreeMap<String, String> = conn
        .prepare_cached("SELECT source, key FROM keys WHERE object = ?1")?
        .query_map([n], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    differ("foreign keys", system.keys == found);
    let found: BTreeSet<BlobId> = conn
        .prepare_cached("SELECT blob FROM blob_refs WHERE object = ?1")?
        .query_map([n], |row| row.get(0).map(BlobId))?
        .collect::<rusqlite::Result<_>>()?;
    differ("blobs", blob_refs::of(&data) == found);
    Ok(())
}

/// Blocks whose bytes are not what their hash says.
fn damaged_blocks(conn: &Connection, faults: &mut Vec<Fault>) -> rusqlite::Result<()> {
    let mut blocks = conn.prepare("SELECT n, hash, level, bytes FROM blob_blocks")?;
    let mut rows = blocks.query([])?;
    while let Some(row) = rows.next()? {
        let (n, hash): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let level: u8 = row.get(2)?;
        if block_hash(level, row.get_ref(3)?.as_blob()?)[..] == hash[..] {
            continue;
        }
        let blobs: Vec<[u8; 32]> = conn
            .prepare_cached(
                "SELECT DISTINCT b.id FROM blob_parts AS p JOIN blobs AS b ON b.n = p.blob \
                 WHERE p.block = ?1 AND b.id IS NOT NULL",
            )?
            .query_map([n], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for blob in blobs {
            let detail = format!("a block of its level {level} is damaged");
            faults.push((BlobId(blob).to_string(), detail));
        }
        if faults.len() >= MOST {
            break;
        }
    }
    Ok(())
}

/// Blobs of which more or less is here than is noted.
fn wrong_counts(conn: &Connection, faults: &mut Vec<Fault>) -> rusqlite::Result<()> {
    let mut wrong = conn.prepare(
        "SELECT id FROM blobs WHERE id IS NOT NULL AND (blocks, held) IS NOT ( \
           SELECT count(*), ifnull(sum(length(b.bytes)), 0) FROM blob_parts AS p \
           LEFT JOIN blob_blocks AS b ON b.n = p.block WHERE p.blob = blobs.n AND p.level = 0) \
         OR EXISTS(SELECT 1 FROM blob_parts AS p WHERE p.blob = blobs.n \
           AND NOT EXISTS(SELECT 1 FROM blob_blocks AS b WHERE b.n = p.block)) LIMIT ?1",
    )?;
    let found: Vec<[u8; 32]> = wrong
        .query_map(params![MOST as i64], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    faults.extend(found.into_iter().map(|id| {
        let detail = "more or less of it is here than is noted".to_owned();
        (BlobId(id).to_string(), detail)
    }));
    Ok(())
}
