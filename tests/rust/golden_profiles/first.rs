//! A space of version 1, of which no file is left. This makes one from what the library still knows
//! of that version: the tables that are the same since then, and what the upgrade reads of those
//! that are not. What version 1 had no room for is not in it.

use super::make::open_offline;
use super::seen;
use serde_json::{Value as Json, json};
use std::path::Path;

/// From version 2 to 1: the objects' table with version 1's columns, and nothing that came later.
const BACK: &str = "
    DROP TRIGGER IF EXISTS words_insert; DROP TRIGGER IF EXISTS words_update;
    DROP TRIGGER IF EXISTS words_delete; DROP TABLE words; DROP TABLE unindexed; DROP TABLE field_indexes;
    DROP TABLE refs; DROP TABLE tags; DROP TABLE keys; DROP TABLE violations;
    DROP TABLE blobs; DROP TABLE blob_blocks; DROP TABLE blob_parts; DROP TABLE blob_refs;
    DELETE FROM meta WHERE key IN ('words', 'schema_checks');
    ALTER TABLE objects RENAME TO objects_2;
    DROP INDEX objects_type; DROP INDEX objects_parent;
    DROP INDEX objects_source; DROP INDEX objects_target;
    CREATE TABLE objects(
        n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, tail INTEGER NOT NULL,
        type TEXT, parent BLOB, deleted INTEGER NOT NULL,
        created INTEGER NOT NULL, updated INTEGER NOT NULL, heads BLOB NOT NULL,
        data TEXT NOT NULL, plain BLOB);
    CREATE INDEX objects_type ON objects(type, created, id) WHERE type IS NOT NULL;
    CREATE INDEX objects_parent ON objects(parent) WHERE parent IS NOT NULL;
    INSERT INTO objects
      SELECT n, id, tail, type, parent, gone & 1, created, updated, heads, data, plain FROM objects_2;
    DROP TABLE objects_2;
    PRAGMA user_version = 1;
    VACUUM;
";

/// Makes a profile with such a space below `dir` and says what is in it.
pub fn make(dir: &Path) -> Json {
    let profile = dir.join("ada");
    let client = open_offline(&profile);
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space(r#"{"name": "Garden"}"#.into()).unwrap();
    let tx = space.transaction();
    let note = |n: i64| json!({"n": n, "title": format!("rose {n}"), "body": {"@text": "thorn"}});
    let create = |n| tx.create(Some("Note".into()), note(n).to_string()).unwrap();
    let [kept, parent, child, deleted] = [1, 2, 3, 4].map(create);
    tx.set_parent(child, Some(parent.clone())).unwrap();
    let link = json!({"see": {"@ref": kept}});
    tx.create(None, link.to_string()).unwrap();
    tx.commit().unwrap();
    space
        .update(
            kept.clone(),
            r#"{"at": {"@timestamp": 1700000000123}}"#.into(),
        )
        .unwrap();
    for id in [parent, deleted] {
        space.delete(id).unwrap();
    }
    let shared = space.id();
    drop((tx, space));
    let said = seen::client(&client, &Json::Null);
    client.shutdown().unwrap();
    for file in std::fs::read_dir(profile.join("spaces")).unwrap() {
        let conn = rusqlite::Connection::open(file.unwrap().path()).unwrap();
        conn.execute_batch(BACK).unwrap();
    }
    json!({"shared": shared, "note": kept, "ada": said})
}
