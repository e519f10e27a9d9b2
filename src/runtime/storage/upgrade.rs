//! From older forms of the files to the present ones. Each step is run once, in one transaction
//! with all that follow it, so that a file is never between two versions.

use super::database::Failure;
use super::{indexes, rejudge, schema, side, words};
use rusqlite::Transaction;

/// From version 1: rows with relation ends, schema version, tags, foreign keys and branches, of
/// which version 1 knew none; references can be looked up.
pub(super) fn to_2(tx: &Transaction<'_>) -> std::result::Result<(), Failure> {
    tx.execute_batch(
        "ALTER TABLE objects RENAME TO objects_1;
         DROP INDEX objects_type;
         DROP INDEX objects_parent;",
    )?;
    tx.execute_batch(schema::OBJECTS)?;
    tx.execute_batch(schema::SIDE)?;
    tx.execute_batch(words::TABLE)?;
    tx.execute_batch(indexes::TABLE)?;
    tx.execute_batch(schema::BLOBS)?;
    tx.execute_batch(schema::VIOLATIONS)?;
    tx.execute_batch(
        "INSERT INTO objects(n, id, tail, type, parent, gone, created, updated, heads, data, plain)
           SELECT n, id, tail, type, parent, deleted <> 0, created, updated, heads, data, plain
           FROM objects_1;
         DROP TABLE objects_1;",
    )?;
    // Children of what was deleted are out of sight from now on.
    tx.execute_batch(
        "WITH RECURSIVE below(id) AS (
           SELECT id FROM objects WHERE gone & 1
           UNION SELECT o.id FROM objects AS o JOIN below ON o.parent = below.id
         )
         UPDATE objects SET gone = gone | 2 WHERE parent IN (SELECT id FROM below);",
    )?;
    // A peer of a newer version may have sent schemas, which version 1 showed as objects.
    tx.execute(
        "UPDATE objects SET gone = gone | 8 WHERE type = ?1",
        [crate::model::system::SCHEMA],
    )?;
    let mut select = tx.prepare("SELECT n, data FROM objects WHERE instr(data, ?1) > 0")?;
    let mut rows = select.query([side::MARK])?;
    while let Some(row) = rows.next()? {
        let data: String = row.get(1)?;
        side::put_refs(tx, row.get(0)?, &data)?;
    }
    Ok(())
}

/// From version 1 of a profile: the HALO space is told from others, and invitations may let in
/// several guests.
pub(super) fn profile_to_2(tx: &Transaction<'_>) -> std::result::Result<(), Failure> {
    tx.execute_batch("ALTER TABLE spaces ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;")?;
    tx.execute_batch(schema::ADMISSIONS)?;
    Ok(())
}

/// From version 2: entries may be excluded, or count because somebody vouches for them.
pub(super) fn to_3(tx: &Transaction<'_>) -> std::result::Result<(), Failure> {
    tx.execute_batch(rejudge::VOUCHED)?;
    Ok(())
}

/// From version 3: what is out of sight has an index.
pub(super) fn to_4(tx: &Transaction<'_>) -> std::result::Result<(), Failure> {
    tx.execute_batch(schema::OUT_OF_SIGHT)?;
    Ok(())
}
