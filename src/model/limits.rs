//! Every bound the engine enforces, in one place. A remote value past a bound is refused with a
//! named reason; a local one is refused with [`super::ErrorKind::LimitExceeded`] before anything
//! is written.

/// Largest control entry, in bytes.
pub const CONTROL_ENTRY_BYTES: usize = 64 * 1024;
/// Largest control entry that rotates or shares keys.
pub const KEY_ENTRY_BYTES: usize = 128 * 1024;
/// Devices for which such an entry that we write has the key, of 112 bytes each; the others get it by
/// further entries.
pub const KEY_WRAPS: usize = 1000;
/// Largest data entry, in bytes.
pub const DATA_ENTRY_BYTES: usize = 1024 * 1024;
/// Objects that one transaction may touch.
pub const OBJECTS_PER_TRANSACTION: usize = 1024;
/// Data dependencies that one entry may name.
pub const ENTRY_DEPS: usize = 64;
/// Control heads that one entry may name.
pub const ENTRY_CTL: usize = 8;
/// Rows that a single column of an Automerge change may decode to.
pub const CHANGE_ROWS: u64 = 65_536;
/// Operations that all changes of one entry may hold together.
pub const ENTRY_ROWS: u64 = 262_144;
/// Operations that begin or end a formatted stretch of text, two for each mark, that all changes of
/// one entry may hold together: what they cost grows with the marks that are there already.
pub const ENTRY_MARKS: u64 = 32_768;
/// Names under which one entry may change one object: its writer's, and one for each branch of the
/// object's past that it continues.
pub const ENTRY_ACTORS: usize = 8;
/// Nesting of lists and maps within an object.
pub const VALUE_DEPTH: usize = 64;
/// Bytes of one field name.
pub const FIELD_NAME_BYTES: usize = 1024;
/// Bytes of one JSON argument.
pub const JSON_BYTES: usize = 16 * 1024 * 1024;
/// Entries held while something they depend on is missing, per space.
pub const UNPLACED_ENTRIES: usize = 1024;
/// Bytes of such entries, per space.
pub const UNPLACED_BYTES: usize = 16 * 1024 * 1024;
/// Feeds of one space.
pub const FEEDS: usize = 6_400;
/// Feeds of one space whose header is known and of which no entry is stored. One message between
/// peers introduces fewer.
pub const EMPTY_FEEDS: usize = 2_048;
/// Branches that a cloned device may grow on one feed.
pub const FEED_BRANCHES: usize = 8;
/// Data entries of one space that are kept although they do not count, unless a member built on
/// them.
pub const EXCLUDED_ENTRIES: usize = 20_000;
/// Control entries of one space.
pub const CONTROL_ENTRIES: usize = 100_000;
/// Identities of one space.
pub const IDENTITIES: usize = 200;
/// Devices of one identity.
pub const DEVICES_PER_IDENTITY: usize = 16;
/// Times that a space may be handed over to another top owner.
pub const SUCCESSIONS: usize = 64;
/// Certificates and recovery statements that lead from an identity to one of its devices.
pub const CHAIN_LINKS: usize = 32;
/// Bytes of such a chain.
pub const CHAIN_BYTES: usize = 12 * 1024;
/// Bytes of one credential.
pub const CREDENTIAL_BYTES: usize = 256 * 1024;
/// Control entries that one credential shows.
pub const MEMBERSHIP_ENTRIES: usize = 64;
/// Bytes of the claims of one credential.
pub const CLAIMS_BYTES: usize = 16 * 1024;
/// Credentials that an identity keeps: issued by it, or received.
pub const CREDENTIALS: usize = 256;
/// Credentials of one presentation.
pub const PRESENTED: usize = 16;
/// Bytes of one presentation.
pub const PRESENTATION_BYTES: usize = 1024 * 1024;
/// Bytes of a verifier's nonce.
pub const NONCE_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
/// Open invitations of one space.
pub const OPEN_INVITATIONS: usize = 16;
/// Authorization codes one invitation may use up.
pub const CODES_PER_INVITATION: u32 = 3;
/// Guests whom one invitation deals with at once; others wait.
pub const INVITATION_SEATS: usize = 3;
/// Guests that one invitation may let in.
pub const INVITATION_USES: u32 = IDENTITIES as u32;
/// The longest that an interactive invitation may be open, in seconds: a week.
pub const INVITATION_S: u64 = 7 * 86_400;
/// The longest that one for several guests, or a delegated one, may be open, in seconds: 90 days.
pub const LONG_INVITATION_S: u64 = 90 * 86_400;
/// Milliseconds for which an invitation that has expired stays open in its space for the joins of
/// guests whom members apart had let in by it: a week.
pub const INVITATION_LINGER_MS: u64 = 7 * 86_400_000;
/// Milliseconds after which a guest who has not entered the code makes room for one who waits.
pub const INVITATION_IDLE_MS: u64 = 120_000;
/// Milliseconds that one step of an invitation's handshake may take, unless it waits for a person.
pub const INVITATION_STEP_MS: u64 = 30_000;
/// Largest message between peers, in bytes, after reassembly.
pub const MESSAGE_BYTES: usize = 2 * 1024 * 1024;
/// Most that one message of an invitation says: a byte of kind and the seal's tag come beside it.
pub const INVITATION_WHOLE_BYTES: usize = MESSAGE_BYTES - 17;
/// Bytes of each part, but for the last, of what an invitation hands over in several messages.
pub const INVITATION_PART_BYTES: usize = 1024 * 1024;
/// Most such parts.
pub const INVITATION_PARTS: u32 = 64;
/// Largest frame on a data channel, in bytes.
pub const FRAME_BYTES: usize = 60 * 1024;
/// Largest signalling message, in bytes.
pub const SIGNAL_BYTES: usize = 64 * 1024;
/// Bytes a peer may have in flight to us before they are verified.
pub const UNVERIFIED_BYTES: usize = 4 * 1024 * 1024;
/// Small Automerge documents that fit in memory per space, at least.
pub const LOADED_DOCUMENTS: usize = 256;
/// Bytes that documents held in memory may take, per space, unless the client's setting says other:
/// so many small ones.
pub const DOCUMENT_BYTES: usize = LOADED_DOCUMENTS * 18_000;
/// Characters of a display name, a type name or a space name.
pub const NAME_CHARS: usize = 256;
/// Bytes of a tag, of a foreign key or its source, or of a natural key.
pub const LABEL_BYTES: usize = 256;
/// Tags of one object, and likewise foreign keys: of more, the first in order count.
pub const LABELS: usize = 64;
/// Parents above an object that are asked whether they are deleted.
pub const TREE_DEPTH: usize = 256;
/// Nesting of and, or and not in a query.
pub const QUERY_DEPTH: usize = 32;
/// Conditions of one query, and, or and not included.
pub const QUERY_NODES: usize = 1000;
/// Values in one list of a query.
pub const QUERY_LIST: usize = 1000;
/// Values in all lists of a query together: SQLite takes 32,766 parameters in all.
pub const QUERY_VALUES: usize = 10_000;
/// Steps that can be undone, per space.
pub const UNDO_STEPS: usize = 100;
/// Parts of objects that undoing made again and that are kept track of, per space.
pub const UNDO_TWINS: usize = 100_000;
/// Bytes of what undoing keeps over a restart, per space.
pub const UNDO_BYTES: usize = 512 * 1024;
/// Transactions that one reading of a space's log gives.
pub const LOG_ENTRIES: usize = 1000;
/// Keys that a query's results may be ordered by.
pub const QUERY_ORDER: usize = 8;
/// Numeric steps of one path in a query: each may be an index or a key, which doubles the work.
pub const QUERY_INDEXES: usize = 4;
/// Bytes of one search for words.
pub const SEARCH_BYTES: usize = 4096;
/// Words of one search.
pub const SEARCH_WORDS: usize = 64;
/// Places that one search may be narrowed to.
pub const SEARCH_PATHS: usize = 8;
/// Searches for words in one query.
pub const QUERY_SEARCHES: usize = 16;
/// Results of one search that come at once.
pub const SEARCH_RESULTS: u64 = 1000;
/// Characters of an excerpt from what a search found.
pub const SNIPPET_CHARS: usize = 1000;
/// Indexes of one space that the program asked for.
pub const INDEXES: usize = 32;
/// Bytes of the type's name or of the path, as SQLite reads it, of such an index.
pub const INDEX_BYTES: usize = 256;
/// Links in one query: leaves that lead to other objects, and steps.
pub const QUERY_LINKS: usize = 64;
/// Steps that one query follows.
pub const QUERY_STEPS: usize = 16;
/// Keys by which an aggregation groups.
pub const QUERY_GROUP_KEYS: usize = 4;
/// Measures of one aggregation.
pub const QUERY_MEASURES: usize = 16;
/// Objects of one page, unless the query says fewer.
pub const QUERY_PAGE: u64 = 100;
/// Objects that one page may hold.
pub const QUERY_PAGE_MOST: u64 = 10_000;
/// Largest Automerge file of one object that is taken in, in bytes.
pub const OBJECT_FILE_BYTES: usize = 16 * 1024 * 1024;
/// What its compressed parts may inflate to, in bytes.
pub const OBJECT_FILE_INFLATED: usize = 64 * 1024 * 1024;
/// Rows that a column of it may decode to: operations, or changes.
pub const OBJECT_FILE_ROWS: u64 = 524_288;
/// Largest row of an import of plain data, in bytes: more would not fit one entry.
pub const IMPORT_ROW_BYTES: usize = DATA_ENTRY_BYTES;
/// Columns of an imported table.
pub const IMPORT_COLUMNS: usize = 1000;
/// Skipped rows that a report of an import describes; the others are counted.
pub const IMPORT_SKIPS: usize = 1000;
/// Largest record of an archive, in bytes. Above the largest entry, so that newer versions have room.
pub const ARCHIVE_RECORD_BYTES: usize = 4 * 1024 * 1024;
/// Largest blob, in bytes.
pub const BLOB_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// Bytes of one block of a blob: what is stored, asked for and verified at a time.
pub const BLOB_BLOCK_BYTES: usize = 64 * 1024;
/// Bytes that one read of a blob may ask for.
pub const BLOB_READ_BYTES: u64 = 16 * 1024 * 1024;
/// Blobs that may be fetched at the same time, per space.
pub const BLOB_FETCHES: usize = 256;
/// Blocks of blobs that a peer may have asked for and not got yet.
pub const BLOB_BLOCKS_ASKED: usize = 256;
/// Bytes of a schema.
pub const SCHEMA_BYTES: usize = 64 * 1024;
/// Nesting of a schema's JSON.
pub const SCHEMA_JSON_DEPTH: usize = 64;
/// Subschemas of one schema, and schemas that apply to one value because one of them does.
pub const SCHEMA_NODES: usize = 1000;
/// Subschemas that apply to one value because the one before does: `allOf` in `allOf`, references.
pub const SCHEMA_DEPTH: usize = 32;
/// Patterns of one schema.
pub const SCHEMA_PATTERNS: usize = 32;
/// Bytes of one pattern.
pub const SCHEMA_PATTERN_BYTES: usize = 512;
/// Steps of checking one object: a subschema that looks at a value, a character matched.
pub const SCHEMA_STEPS: u64 = 1_000_000;
/// Places of one object that are told apart in what it breaks, each counted with the length of its
/// path: of more, it is said only that something is broken.
pub const SCHEMA_PLACES: u64 = 200_000;
/// Steps of checking what one entry of a peer changed, all objects together: what is left is checked
/// later, some at a time.
pub const JUDGED_STEPS: u64 = 2 * SCHEMA_STEPS;
/// Steps of checking what one transaction of the program changes.
pub const ENFORCED_STEPS: u64 = 64 * SCHEMA_STEPS;
/// What reading a schema counts as, in steps: the dearest ones take about that long.
pub const SCHEMA_READING_STEPS: u64 = SCHEMA_STEPS / 2;
/// Versions of a type's schema that are read at once, to find the newest that can be used.
pub const SCHEMAS_READ_AT_ONCE: usize = 16;
/// Steps of checking one object that are nested in each other.
pub const SCHEMA_CHECK_DEPTH: usize = 192;
/// Schemas of one space, all versions counted: of more, those that came first count.
pub const SCHEMAS: usize = 4096;
/// Compiled schemas held in memory, per space.
pub const COMPILED_SCHEMAS: usize = 32;
/// Patterns of theirs, all together, unless one schema alone has more.
pub const COMPILED_PATTERNS: usize = 64;
/// Broken rules that are recorded of one object.
pub const VIOLATIONS: usize = 8;
/// Objects that a migration writes in one transaction.
pub const MIGRATED_AT_ONCE: usize = 64;
/// Objects that a migration could not move and names.
pub const MIGRATION_FAILURES: usize = 100;
/// Objects that are checked at once when a schema arrives.
pub const CHECKED_AT_ONCE: usize = 128;
