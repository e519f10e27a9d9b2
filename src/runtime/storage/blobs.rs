//! Blobs: each block once, however many blobs have it, and where it stands in each.

use super::database::Failure;
use super::space::SpaceStore;
use crate::model::blob::{BlobRoot, Block, BlockHash, BlockPlaces, block_hash};
use crate::model::{BlobId, Error, Result, signed};
use crate::space::{BlobRow, BlobStore};
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// Stored whole, or as far as it was fetched.
const PRESENT: i64 = 0;
/// Its content is still to come.
const WRITTEN: i64 = 1;
/// To be removed.
const GIVEN_UP: i64 = 2;

/// Blocks removed in one transaction: about 16 MiB.
const BLOCKS_A_SWEEP: i64 = 256;

const COLUMNS: &str = "SELECT n, id, size, top, blocks, held, EXISTS( \
       SELECT 1 FROM blob_refs AS r JOIN objects AS o ON o.n = r.object \
       WHERE r.blob = blobs.id AND o.gone & 3 = 0) FROM blobs";

impl BlobStore for SpaceStore {
    fn begin_blob(&mut self) -> Result<i64> {
        self.db.write(|tx| {
            tx.prepare_cached("INSERT INTO blobs(state, blocks, held) VALUES(?1, 0, 0)")?
                .execute([WRITTEN])?;
            Ok(tx.last_insert_rowid())
        })
    }

    fn add_blocks(&mut self, blob: i64, blocks: &[Block]) -> Result<()> {
        self.db.write(|tx| {
            expect_state(tx, blob, WRITTEN)?;
            add(tx, blob, blocks)
        })
    }

    fn finish_blob(
        &mut self,
        blob: i64,
        blocks: &[Block],
        root: &BlobRoot,
        now_ms: i64,
    ) -> Result<BlobRow> {
        let id = root.id();
        self.db.write(|tx| {
            expect_state(tx, blob, WRITTEN)?;
            add(tx, blob, blocks)?;
            if let Some(found) = find(tx, &id)? {
                // One that is being fetched gives way: it is whole now.
                let other = if found.is_whole() { blob } else { found.n };
                give_up(tx, other)?;
                if other == blob {
                    idle_since(tx, found.n, now_ms)?;
                    return Ok(());
                }
            }
            tx.prepare_cached(
                "UPDATE blobs SET id = ?2, size = ?3, top = ?4, state = ?5 WHERE n = ?1",
            )?
            .execute(params![
                blob,
                id.as_bytes(),
                signed(root.size),
                root.top,
                PRESENT
            ])?;
            idle_since(tx, blob, now_ms)?;
            Ok(())
        })?;
        self.blob(&id)?
            .ok_or_else(|| Error::internal("a blob that was just stored is absent"))
    }

    fn expect_blob(&mut self, root: &BlobRoot, now_ms: i64) -> Result<BlobRow> {
        let id = root.id();
        self.db.write(|tx| {
            tx.prepare_cached(
                "INSERT INTO blobs(id, size, top, state, blocks, held, idle) \
                 VALUES(?1, ?2, ?3, ?4, 0, 0, ?5) ON CONFLICT(id) DO UPDATE SET idle = ?5",
            )?
            .execute(params![
                id.as_bytes(),
                signed(root.size),
                root.top,
                PRESENT,
                now_ms
            ])?;
            Ok(())
        })?;
        self.blob(&id)?
            .ok_or_else(|| Error::internal("a blob that was just noted is absent"))
    }

    fn put_block(&mut self, blob: i64, places: &BlockPlaces, bytes: &[u8]) -> Result<()> {
        self.db.write(|tx| {
            expect_state(tx, blob, PRESENT)?;
            let block = put(tx, places.level, &places.hash, bytes)?;
            for position in &places.positions {
                place(tx, blob, places.level, *position, block, bytes.len())?;
            }
            Ok(())
        })
    }

    fn link_blocks(
        &mut self,
        blob: i64,
        wanted: Vec<BlockPlaces>,
        length: &dyn Fn(u64) -> usize,
    ) -> Result<Vec<BlockPlaces>> {
        self.db.write(|tx| {
            expect_state(tx, blob, PRESENT)?;
            let mut missing = Vec::with_capacity(wanted.len());
            for places in wanted {
                let found = tx
                    .prepare_cached(
                        "SELECT n, bytes FROM blob_blocks WHERE hash = ?1 AND level = ?2",
                    )?
                    .query_row(params![places.hash, places.level], |row| {
                        let bytes = row.get_ref(1)?.as_blob()?;
                        // One that is damaged comes again.
                        let sound = is_sound(&places.hash, places.level, bytes);
                        Ok(sound.then_some((row.get::<_, i64>(0)?, bytes.len())))
                    })
                    .optional()?
                    .flatten();
                let fits = |held: usize| places.positions.iter().all(|p| length(*p) == held);
                match found.filter(|(_, held)| fits(*held)) {
                    None => missing.push(places),
                    Some((block, held)) => {
                        for position in &places.positions {
                            place(tx, blob, places.level, *position, block, held)?;
                        }
                    }
                }
            }
            Ok(missing)
        })
    }

    fn blob(&self, id: &BlobId) -> Result<Option<BlobRow>> {
        self.db.read(|conn| {
            conn.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
                .query_row([id.as_bytes()], read_row)
                .optional()
        })
    }

    fn blobs(&self) -> Result<Vec<BlobRow>> {
        self.db.read(|conn| {
            conn.prepare_cached(&format!("{COLUMNS} WHERE id IS NOT NULL ORDER BY id"))?
                .query_map([], read_row)?
                .collect()
        })
    }

    fn blob_block(
        &self,
        blob: i64,
        level: u8,
        position: u64,
    ) -> Result<Option<(BlockHash, Vec<u8>)>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT b.hash, b.bytes FROM blob_parts AS p JOIN blob_blocks AS b ON b.n = p.block \
                 WHERE p.blob = ?1 AND p.level = ?2 AND p.position = ?3",
            )?
            .query_row(params![blob, level, signed(position)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
        })
    }

    fn filled(&self, blob: i64, level: u8, from: u64, until: u64) -> Result<Vec<u64>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT position FROM blob_parts WHERE blob = ?1 AND level = ?2 \
                 AND position >= ?3 AND position < ?4 ORDER BY position",
            )?
            .query_map(params![blob, level, signed(from), signed(until)], |row| {
                row.get::<_, i64>(0).map(i64::unsigned_abs)
            })?
            .collect()
        })
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<(u8, Vec<u8>)>> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT level, bytes FROM blob_blocks WHERE hash = ?1")?
                .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
    }

    fn give_up_blob(&mut self, blob: i64) -> Result<()> {
        self.db.write(|tx| {
            tx.prepare_cached("UPDATE blobs SET state = ?2 WHERE n = ?1 AND state = ?3")?
                .execute([blob, GIVEN_UP, WRITTEN])?;
            Ok(())
        })
    }

    fn give_up_unfinished(&mut self) -> Result<()> {
        let any = self.db.read(|conn| {
            conn.prepare("SELECT 1 FROM blobs WHERE state = ?1")?
                .exists([WRITTEN])
        })?;
        if !any {
            return Ok(());
        }
        self.db.write(|tx| {
            tx.execute(
                "UPDATE blobs SET state = ?1 WHERE state = ?2",
                [GIVEN_UP, WRITTEN],
            )?;
            Ok(())
        })
    }

    fn give_up_idle(&mut self, now_ms: i64, grace_ms: i64, kept: &[BlobId]) -> Result<u64> {
        let rows = self.blobs()?;
        if rows.is_empty() {
            return Ok(0);
        }
        let idle: Vec<&BlobRow> = rows.iter().filter(|row| !row.referenced).collect();
        self.db.write(|tx| {
            let mut given_up = 0;
            // In use again: the time begins anew when it is not.
            for row in rows.iter().filter(|row| row.referenced) {
                tx.prepare_cached("UPDATE blobs SET idle = NULL WHERE n = ?1 AND idle IS NOT NULL")?
                    .execute([row.n])?;
            }
            for row in idle.into_iter().filter(|row| !kept.contains(&row.id)) {
                // A clock that was set back must not keep a blob for ever.
                let since: i64 = tx
                    .prepare_cached(
                        "UPDATE blobs SET idle = min(ifnull(idle, ?2), ?2) WHERE n = ?1 RETURNING idle",
                    )?
                    .query_row([row.n, now_ms], |row| row.get(0))?;
                if now_ms.saturating_sub(since) >= grace_ms {
                    give_up(tx, row.n)?;
                    given_up += 1;
                }
            }
            Ok(given_up)
        })
    }

    fn sweep_blocks(&mut self) -> Result<Option<u64>> {
        let blob: Option<i64> = self.db.read(|conn| {
            conn.prepare_cached("SELECT n FROM blobs WHERE state = ?1 AND state <> 0 LIMIT 1")?
                .query_row([GIVEN_UP], |row| row.get(0))
                .optional()
        })?;
        match blob {
            None => Ok(None),
            Some(blob) => self.db.write(|tx| Ok(Some(sweep(tx, blob)?))),
        }
    }
}

/// Removes some of a blob's parts, with blocks that are in no other, and the blob with the last.
fn sweep(tx: &Transaction<'_>, blob: i64) -> rusqlite::Result<u64> {
    let parts: Vec<(i64, i64, i64)> = tx
        .prepare_cached("SELECT level, position, block FROM blob_parts WHERE blob = ?1 LIMIT ?2")?
        .query_map([blob, BLOCKS_A_SWEEP], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut freed = 0;
    for (level, position, block) in &parts {
        tx.prepare_cached(
            "DELETE FROM blob_parts WHERE blob = ?1 AND level = ?2 AND position = ?3",
        )?
        .execute([blob, *level, *position])?;
        let bytes: Option<i64> = tx
            .prepare_cached(
                "DELETE FROM blob_blocks WHERE n = ?1 \
                 AND NOT EXISTS(SELECT 1 FROM blob_parts WHERE block = ?1) RETURNING length(bytes)",
            )?
            .query_row([block], |row| row.get(0))
            .optional()?;
        freed += bytes.unwrap_or(0).unsigned_abs();
    }
    if (parts.len() as i64) < BLOCKS_A_SWEEP {
        tx.prepare_cached("DELETE FROM blobs WHERE n = ?1")?
            .execute([blob])?;
    }
    Ok(freed)
}

fn add(tx: &Transaction<'_>, blob: i64, blocks: &[Block]) -> std::result::Result<(), Failure> {
    for block in blocks {
        let n = put(tx, block.level, &block.hash, &block.bytes)?;
        place(tx, blob, block.level, block.position, n, block.bytes.len())?;
    }
    Ok(())
}

/// The number of a block, which is stored if it is not yet, and anew if what is stored is damaged.
fn put(tx: &Transaction<'_>, level: u8, hash: &BlockHash, bytes: &[u8]) -> rusqlite::Result<i64> {
    let found = tx
        .prepare_cached("SELECT n, level, bytes FROM blob_blocks WHERE hash = ?1")?
        .query_row([hash], |row| {
            let sound = is_sound(hash, row.get(1)?, row.get_ref(2)?.as_blob()?);
            Ok((row.get(0)?, sound))
        })
        .optional()?;
    match found {
        Some((n, true)) => return Ok(n),
        Some((n, false)) => {
            tx.prepare_cached("UPDATE blob_blocks SET level = ?2, bytes = ?3 WHERE n = ?1")?
                .execute(params![n, level, bytes])?;
            return Ok(n);
        }
        None => {}
    }
    tx.prepare_cached("INSERT INTO blob_blocks(hash, level, bytes) VALUES(?1, ?2, ?3)")?
        .execute(params![hash, level, bytes])?;
    Ok(tx.last_insert_rowid())
}

fn is_sound(hash: &BlockHash, level: u8, bytes: &[u8]) -> bool {
    block_hash(level, bytes) == *hash
}

fn place(
    tx: &Transaction<'_>,
    blob: i64,
    level: u8,
    position: u64,
    block: i64,
    bytes: usize,
) -> rusqlite::Result<()> {
    let added = tx
        .prepare_cached(
            "INSERT INTO blob_parts(blob, level, position, block) VALUES(?1, ?2, ?3, ?4) \
             ON CONFLICT(blob, level, position) DO NOTHING",
        )?
        .execute(params![blob, level, signed(position), block])?;
    if added > 0 && level == 0 {
        tx.prepare_cached("UPDATE blobs SET blocks = blocks + 1, held = held + ?2 WHERE n = ?1")?
            .execute(params![blob, bytes as i64])?;
    }
    Ok(())
}

/// A blob that was collected or given up meanwhile takes nothing more.
fn expect_state(tx: &Transaction<'_>, blob: i64, state: i64) -> std::result::Result<(), Failure> {
    let there = tx
        .prepare_cached("SELECT 1 FROM blobs WHERE n = ?1 AND state = ?2")?
        .exists([blob, state])?;
    match there {
        true => Ok(()),
        false => Err(Error::not_found("the blob was removed while it was written").into()),
    }
}

fn give_up(tx: &Transaction<'_>, blob: i64) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE blobs SET state = ?2, id = NULL WHERE n = ?1")?
        .execute([blob, GIVEN_UP])?;
    Ok(())
}

fn idle_since(tx: &Transaction<'_>, blob: i64, now_ms: i64) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE blobs SET idle = ?2 WHERE n = ?1")?
        .execute([blob, now_ms])?;
    Ok(())
}

fn find(tx: &Transaction<'_>, id: &BlobId) -> rusqlite::Result<Option<BlobRow>> {
    tx.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
        .query_row([id.as_bytes()], read_row)
        .optional()
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<BlobRow> {
    let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(BlobRow {
        n: row.get(0)?,
        id: BlobId(row.get(1)?),
        root: BlobRoot {
            size: number(2)?,
            top: row.get(3)?,
        },
        blocks: number(4)?,
        held: number(5)?,
        referenced: row.get(6)?,
    })
}
