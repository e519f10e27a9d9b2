-- space application_id 0x45434873 version 2
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE feeds( n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, header BLOB NOT NULL);
CREATE TABLE entries( n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, feed INTEGER NOT NULL, seq INTEGER NOT NULL, status INTEGER NOT NULL, reason TEXT, bytes BLOB NOT NULL);
CREATE INDEX entries_place ON entries(feed, seq);
CREATE INDEX entries_unsettled ON entries(status) WHERE status <> 0;
CREATE TABLE actors(actor BLOB PRIMARY KEY, feed INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE objects( n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, tail INTEGER NOT NULL, type TEXT, parent BLOB, gone INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, version INTEGER, source BLOB, target BLOB, extra TEXT, heads BLOB NOT NULL, data TEXT NOT NULL, plain BLOB);
CREATE INDEX objects_type ON objects(type, created, id) WHERE type IS NOT NULL;
CREATE INDEX objects_parent ON objects(parent) WHERE parent IS NOT NULL;
CREATE INDEX objects_source ON objects(source) WHERE source IS NOT NULL;
CREATE INDEX objects_target ON objects(target) WHERE target IS NOT NULL;
CREATE TABLE documents(object INTEGER PRIMARY KEY, snapshot BLOB NOT NULL);
CREATE TABLE changes( object INTEGER NOT NULL, n INTEGER NOT NULL, change BLOB NOT NULL, PRIMARY KEY(object, n)) WITHOUT ROWID;
CREATE TABLE refs( object INTEGER NOT NULL, path TEXT NOT NULL, target BLOB NOT NULL, space BLOB, PRIMARY KEY(object, path)) WITHOUT ROWID;
CREATE INDEX refs_target ON refs(target, object);
CREATE TABLE tags( tag TEXT NOT NULL, object INTEGER NOT NULL, PRIMARY KEY(tag, object)) WITHOUT ROWID;
CREATE INDEX tags_object ON tags(object);
CREATE TABLE keys( source TEXT NOT NULL, key TEXT NOT NULL, object INTEGER NOT NULL, PRIMARY KEY(source, key, object)) WITHOUT ROWID;
CREATE INDEX keys_object ON keys(object);
CREATE VIRTUAL TABLE words USING fts5( text, content = '', contentless_delete = 1, tokenize = 'ascii');
CREATE TABLE unindexed(object INTEGER PRIMARY KEY);
CREATE TABLE field_indexes(n INTEGER PRIMARY KEY, type TEXT, path TEXT NOT NULL);
-- profile application_id 0x45434870 version 1
CREATE TABLE identity( one INTEGER PRIMARY KEY CHECK(one = 1), display_name TEXT NOT NULL, keyring BLOB NOT NULL);
CREATE TABLE spaces( id BLOB PRIMARY KEY, position INTEGER NOT NULL, is_default INTEGER NOT NULL, opened INTEGER NOT NULL, joined INTEGER NOT NULL, deleting INTEGER NOT NULL);
CREATE TABLE invitations(id BLOB PRIMARY KEY, payload BLOB NOT NULL);
CREATE TABLE attempts( invitation BLOB NOT NULL, code INTEGER NOT NULL, PRIMARY KEY(invitation, code)) WITHOUT ROWID;
CREATE TABLE settings(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
