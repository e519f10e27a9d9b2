//! What the two kinds of files look like inside. A change of either is a new version, and an
//! upgrade of the old one.

use super::database::Shape;
use super::{indexes, rejudge, upgrade, words};

/// A space's file.
///
/// - `entries.n` is the order of arrival. Wide columns come last, so that reading the others
///   never walks the pages that a large value spills over.
/// - `objects.n` stands for the object's id wherever rows of an object are kept: 16 bytes less in
///   every key. `objects.tail` numbers the object's changes; it only grows, so that a number is
///   never given to two changes, whatever a snapshot has swallowed in between.
/// - `objects.gone` says why ordinary queries leave an object out: 1 deleted, 2 an ancestor is
///   deleted, 4 a branch of another object, 8 holds a schema; 0 is in sight.
/// - `objects.extra` holds tags, foreign keys and branch as JSON, for reading; the tables of those
///   names are for finding.
/// - `objects.plain` is what queries read, and NULL when it equals `data`. It is JSONB, over which
///   they run one and a half times as fast as over text (measured).
pub(super) const SPACE: Shape = Shape {
    what: "space",
    sole: false,
    // "ECHs"
    application_id: 0x4543_4873,
    version: 4,
    schema: &[
        FEEDS,
        OBJECTS,
        OUT_OF_SIGHT,
        DOCUMENTS,
        SIDE,
        BLOBS,
        VIOLATIONS,
        rejudge::VOUCHED,
        words::TABLE,
        indexes::TABLE,
    ],
    upgrades: &[upgrade::to_2, upgrade::to_3, upgrade::to_4],
};

/// Feeds and entries, since version 1.
const FEEDS: &str = "
    CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE feeds(
        n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL,
        header BLOB NOT NULL);
    CREATE TABLE entries(
        n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, feed INTEGER NOT NULL,
        seq INTEGER NOT NULL, status INTEGER NOT NULL, reason TEXT, bytes BLOB NOT NULL);
    CREATE INDEX entries_place ON entries(feed, seq);
    CREATE INDEX entries_unsettled ON entries(status) WHERE status <> 0;
    CREATE TABLE actors(actor BLOB PRIMARY KEY, feed INTEGER NOT NULL) WITHOUT ROWID;
";

/// Rows of objects, since version 2.
pub(super) const OBJECTS: &str = "
    CREATE TABLE objects(
        n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, tail INTEGER NOT NULL,
        type TEXT, parent BLOB, gone INTEGER NOT NULL,
        created INTEGER NOT NULL, updated INTEGER NOT NULL,
        version INTEGER, source BLOB, target BLOB, extra TEXT, heads BLOB NOT NULL,
        data TEXT NOT NULL, plain BLOB);
    CREATE INDEX objects_type ON objects(type, created, id) WHERE type IS NOT NULL;
    CREATE INDEX objects_parent ON objects(parent) WHERE parent IS NOT NULL;
    CREATE INDEX objects_source ON objects(source) WHERE source IS NOT NULL;
    CREATE INDEX objects_target ON objects(target) WHERE target IS NOT NULL;
";

/// The objects that ordinary queries leave out, since version 4: few, as a rule, so that an object is
/// known to be in sight without its row.
pub(super) const OUT_OF_SIGHT: &str = "
    CREATE INDEX objects_gone ON objects(n) WHERE gone <> 0;
";

/// Documents, since version 1.
const DOCUMENTS: &str = "
    CREATE TABLE documents(object INTEGER PRIMARY KEY, snapshot BLOB NOT NULL);
    CREATE TABLE changes(
        object INTEGER NOT NULL, n INTEGER NOT NULL, change BLOB NOT NULL,
        PRIMARY KEY(object, n)) WITHOUT ROWID;
";

/// What is found in objects' rows, taken out to be looked up, since version 2. In `refs`, `path` is
/// the reference's place as a JSON Pointer, and `space` the other space, if it names one. The index
/// holds all of a row, so that references are followed backwards without a look at the table.
pub(super) const SIDE: &str = "
    CREATE TABLE refs(
        object INTEGER NOT NULL, path TEXT NOT NULL, target BLOB NOT NULL, space BLOB,
        PRIMARY KEY(object, path)) WITHOUT ROWID;
    CREATE INDEX refs_target ON refs(target, object, path, space);
    CREATE TABLE tags(
        tag TEXT NOT NULL, object INTEGER NOT NULL, PRIMARY KEY(tag, object)) WITHOUT ROWID;
    CREATE INDEX tags_object ON tags(object);
    CREATE TABLE keys(
        source TEXT NOT NULL, key TEXT NOT NULL, object INTEGER NOT NULL,
        PRIMARY KEY(source, key, object)) WITHOUT ROWID;
    CREATE INDEX keys_object ON keys(object);
";

/// Blobs, since version 2.
///
/// - `blobs.n` is never given twice: who wrote to a blob that was removed meanwhile hits no other.
/// - `blobs.state`: 0 stored or being fetched, 1 being written, 2 given up; only the first have an id.
///   `blobs.blocks` and `blobs.held` count the blocks of level 0 that are here and the bytes in them.
///   `blobs.idle` is since when no object in sight has named it, as collections saw it, NULL if one
///   does.
/// - `blob_blocks` holds each block once; `blob_parts` says where it stands in which blobs.
/// - `blob_refs` has the blobs that objects name, from their rows.
pub(super) const BLOBS: &str = "
    CREATE TABLE blobs(
        n INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB UNIQUE, size INTEGER, top BLOB,
        state INTEGER NOT NULL, blocks INTEGER NOT NULL, held INTEGER NOT NULL, idle INTEGER);
    CREATE INDEX blobs_unsettled ON blobs(state) WHERE state <> 0;
    CREATE TABLE blob_blocks(
        n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, level INTEGER NOT NULL,
        bytes BLOB NOT NULL);
    CREATE TABLE blob_parts(
        blob INTEGER NOT NULL, level INTEGER NOT NULL, position INTEGER NOT NULL,
        block INTEGER NOT NULL, PRIMARY KEY(blob, level, position)) WITHOUT ROWID;
    CREATE INDEX blob_parts_block ON blob_parts(block);
    CREATE TABLE blob_refs(
        object INTEGER NOT NULL, blob BLOB NOT NULL, PRIMARY KEY(object, blob)) WITHOUT ROWID;
    CREATE INDEX blob_refs_blob ON blob_refs(blob);
";

/// What objects break of their types' schemas, since version 2.
pub(super) const VIOLATIONS: &str = "
    CREATE TABLE violations(
        object INTEGER NOT NULL, n INTEGER NOT NULL, path TEXT NOT NULL, reason TEXT NOT NULL,
        PRIMARY KEY(object, n)) WITHOUT ROWID;
";

/// The profile's file. `spaces.kind`, since version 2: 0 a space as any, 1 the identity's HALO space.
pub(super) const PROFILE: Shape = Shape {
    what: "profile",
    sole: true,
    // "ECHp"
    application_id: 0x4543_4870,
    version: 2,
    schema: &[PROFILE_TABLES, ADMISSIONS],
    upgrades: &[upgrade::profile_to_2],
};

/// A profile's tables, since version 1. In `attempts` the codes of the first guest of an invitation
/// have the numbers 0 to 2, those of the next 3 to 5, and so on.
const PROFILE_TABLES: &str = "
        CREATE TABLE identity(
            one INTEGER PRIMARY KEY CHECK(one = 1), display_name TEXT NOT NULL,
            keyring BLOB NOT NULL);
        CREATE TABLE spaces(
            id BLOB PRIMARY KEY, position INTEGER NOT NULL, is_default INTEGER NOT NULL,
            opened INTEGER NOT NULL, joined INTEGER NOT NULL, deleting INTEGER NOT NULL,
            kind INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE invitations(id BLOB PRIMARY KEY, payload BLOB NOT NULL);
        CREATE TABLE attempts(
            invitation BLOB NOT NULL, code INTEGER NOT NULL,
            PRIMARY KEY(invitation, code)) WITHOUT ROWID;
        CREATE TABLE settings(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
";

/// The identities that invitations let in, since version 2.
pub(super) const ADMISSIONS: &str = "
    CREATE TABLE admissions(
        invitation BLOB NOT NULL, guest BLOB NOT NULL,
        PRIMARY KEY(invitation, guest)) WITHOUT ROWID;
";
