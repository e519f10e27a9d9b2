//! How much a space holds.

use super::space::SpaceStore;
use crate::model::Result;
use crate::schema::Breach;
use crate::space::Counts;

impl SpaceStore {
    /// Objects, deleted ones included.
    pub fn count_objects(&self) -> Result<u64> {
        self.count("SELECT count(*) FROM objects")
    }

    /// Counts everything.
    pub fn counts(&self) -> Result<Counts> {
        Ok(Counts {
            objects: self.count_objects()?,
            entries: self.count("SELECT count(*) FROM entries")?,
            feeds: self.count("SELECT count(*) FROM feeds")?,
            quarantined: self.count("SELECT count(*) FROM entries WHERE status = 1")?,
            waiting: self.count("SELECT count(*) FROM entries WHERE status = 2")?,
            excluded: self.count("SELECT count(*) FROM entries WHERE status = 3")?,
            violations: self.count_violations()?,
            schemas: self.count("SELECT count(*) FROM objects WHERE type = '@schema'")?,
        })
    }

    /// Objects that break their schemas: the first breach of each, but for those not looked at yet.
    fn count_violations(&self) -> Result<u64> {
        let unchecked = Breach::unchecked().reason;
        self.db.read(|conn| {
            conn.prepare_cached("SELECT count(*) FROM violations WHERE n = 0 AND reason <> ?1")?
                .query_row([unchecked], |row| row.get::<_, i64>(0))
                .map(i64::unsigned_abs)
        })
    }

    fn count(&self, sql: &str) -> Result<u64> {
        self.db.read(|conn| {
            conn.prepare_cached(sql)?
                .query_row([], |row| row.get::<_, i64>(0))
                .map(i64::unsigned_abs)
        })
    }
}
