//! Schemas among peers: what is refused, what is recorded, and that the record is what a check of
//! everything would find, whatever happened in whatever order.

use super::peer::Peer;
use super::world;
use crate::model::{
    Error, ErrorKind, ObjectId, Operation, Path, Role, TextUnit, Value, json, limits, system,
};
use crate::schema::CompiledSchema;
use crate::space::{Rewritten, SpaceCore};
use std::collections::BTreeMap;
use tempfile::TempDir;

const TITLE: &str = r#"{"type": "object", "required": ["title"],
    "properties": {"title": {"type": "string", "maxLength": 5}, "n": {"type": "integer"}}}"#;
const SHORT_LIST: &str = r#"{"properties": {"list": {"maxItems": 2}}}"#;

/// A space of so many peers, the first of which founded it.
pub(super) fn peers(count: usize) -> (TempDir, Vec<Peer>) {
    let folder = world::folder();
    let mut peers: Vec<Peer> = (0..count)
        .map(|name| Peer::new(name, name as u64 + 1, folder.path()))
        .collect();
    let space = peers[0].found();
    for at in 1..count {
        let [host, guest] = peers.get_disjoint_mut([0, at]).unwrap();
        guest.enter(host, Role::Editor);
    }
    for peer in &peers {
        peer.remember(space);
    }
    meet(&mut peers);
    (folder, peers)
}

/// Hands everything that one peer has to another.
pub(super) fn hand_over(from: &mut Peer, to: &mut Peer) {
    let core = from.core();
    let feeds = core.heights();
    let headers: Vec<_> = feeds
        .iter()
        .filter_map(|(id, ..)| Some(core.feed_header(id)?.0))
        .collect();
    let mut entries = Vec::new();
    let mut after = 0;
    loop {
        let some = core.entries_after(after, usize::MAX).unwrap();
        let Some(last) = some.last() else { break };
        after = last.n;
        entries.extend(some.into_iter().map(|entry| entry.bytes));
    }
    to.take(&headers, entries, 0).unwrap();
}

/// Has all peers hold the same.
pub(super) fn meet(peers: &mut [Peer]) {
    for _ in 0..2 {
        for from in 0..peers.len() {
            peers[from].core().share_keys().unwrap();
            for to in (0..peers.len()).filter(|to| *to != from) {
                let [from, to] = peers.get_disjoint_mut([from, to]).unwrap();
                hand_over(from, to);
            }
        }
    }
    let digest = peers[0].core().digest().unwrap();
    for peer in peers {
        assert_eq!(peer.core().digest().unwrap(), digest);
    }
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn create(core: &mut SpaceCore, type_name: &str, fields: &str) -> Result<ObjectId, Error> {
    let object = core.new_object_id(0);
    let create = Operation::Create {
        object,
        type_name: Some(type_name.into()),
        fields: json::parse_fields(fields).unwrap(),
    };
    core.transact(&[create], None, None, 0).map(|_| object)
}

fn update(core: &mut SpaceCore, object: ObjectId, fields: &str) -> Result<(), Error> {
    let fields = json::parse_fields(fields).unwrap();
    let update = Operation::Update { object, fields };
    core.transact(&[update], None, None, 0).map(drop)
}

fn register(core: &mut SpaceCore, type_name: &str, schema: &str) -> u32 {
    core.register_schema(type_name, schema, None, 0).unwrap().0
}

fn version(core: &SpaceCore, object: ObjectId) -> Option<u32> {
    core.object(&object).unwrap().unwrap().system.schema_version
}

fn check_all(core: &mut SpaceCore) {
    while core.check_some().unwrap() {}
}

pub(super) type Recorded = Vec<(ObjectId, String, String)>;

pub(super) fn recorded(core: &mut SpaceCore) -> Recorded {
    check_all(core);
    let found = core.violations().unwrap().into_iter();
    found
        .map(|v| (v.id, v.breach.path, v.breach.reason))
        .collect()
}

/// What a check of every object finds, by nothing but rows and registered texts.
pub(super) fn recomputed(core: &mut SpaceCore) -> Recorded {
    let schemas = core.schema_records().unwrap();
    let mut found = Vec::new();
    for row in core.everything().unwrap() {
        let schema = schemas.iter().find(|schema| {
            row.type_name.as_ref() == Some(&schema.type_name)
                && row.system.schema_version == Some(schema.version)
                && !schema.withdrawn
        });
        let Some(schema) = schema.and_then(|s| CompiledSchema::compile(&s.text).ok()) else {
            continue;
        };
        if row.is_gone() {
            continue;
        }
        let plain = serde_json::from_str(row.plain_json()).unwrap();
        let breaches = schema.check(&plain).into_iter();
        found.extend(breaches.map(|b| (row.id, b.path, b.reason)));
    }
    found
}

fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|e| e.kind())
}

#[test]
fn schema_local_writes_are_checked() {
    let (_folder, mut peers) = peers(1);
    let core = peers[0].core();
    let before = create(core, "Task", r#"{"title": "much too long"}"#).unwrap();
    assert_eq!(register(core, "Task", TITLE), 1);
    let refused = create(core, "Task", r#"{"title": "much too long"}"#).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SchemaViolation);
    for word in ["\"/title\"", "maxLength", "version 1", "\"Task\""] {
        assert!(refused.detail().contains(word), "{refused}");
    }
    assert!(!refused.detail().contains("much"), "{refused}");
    let task = create(
        core,
        "Task",
        r#"{"title": {"@text": "short"}, "n": {"@counter": 1}}"#,
    );
    let task = task.unwrap();
    assert_eq!(version(core, task), Some(1));
    assert_eq!(
        kind(update(core, task, r#"{"title": 1}"#)),
        Some(ErrorKind::SchemaViolation)
    );
    update(core, task, r#"{"other": [1]}"#).unwrap();
    // What was there before carries no version, and is let be.
    update(core, before, r#"{"title": "even longer than that"}"#).unwrap();
    assert_eq!(version(core, before), None);
    create(core, "Other", r#"{"title": 1}"#).unwrap();
    // All of a transaction or nothing.
    let object = core.new_object_id(1);
    let both = [
        Operation::Create {
            object,
            type_name: Some("Task".into()),
            fields: json::parse_fields(r#"{"title": "fine"}"#).unwrap(),
        },
        Operation::Remove {
            object: task,
            path: path("title"),
        },
    ];
    let refused = core.transact(&both, None, None, 0);
    assert_eq!(kind(refused), Some(ErrorKind::SchemaViolation));
    assert!(core.object(&object).unwrap().is_none());
    assert_eq!(core.text(task, &path("title")).unwrap(), "short");
    assert_eq!(recorded(core), []);
    assert_eq!(core.counts().unwrap().violations, 0);
}

#[test]
fn schema_typing_is_checked_before_it_is_applied() {
    let (_folder, mut peers) = peers(1);
    let core = peers[0].core();
    register(core, "Task", TITLE);
    let task = create(core, "Task", r#"{"title": {"@text": "a😀"}}"#).unwrap();
    let splice = |position, delete, insert: &str, unit| Operation::Splice {
        object: task,
        path: path("title"),
        position,
        delete,
        insert: insert.into(),
        unit,
    };
    for _ in 0..2 {
        core.splice_text(splice(5, 0, "b", TextUnit::Utf8), 0)
            .unwrap();
    }
    core.splice_text(splice(3, 1, "c", TextUnit::Utf16), 0)
        .unwrap();
    let refused = core.splice_text(splice(0, 0, "xy", TextUnit::CodePoint), 0);
    assert_eq!(kind(refused), Some(ErrorKind::SchemaViolation));
    let outside = core.splice_text(splice(99, 0, "x", TextUnit::CodePoint), 0);
    assert_eq!(kind(outside), Some(ErrorKind::InvalidArgument));
    core.splice_text(splice(0, 1, "xy", TextUnit::CodePoint), 0)
        .unwrap();
    core.commit_typing(0).unwrap();
    peers[0].restart();
    let core = peers[0].core();
    assert_eq!(core.text(task, &path("title")).unwrap(), "xy😀cb");
}

#[test]
fn schema_versions_are_registered_once_and_never_change() {
    let (_folder, mut peers) = peers(1);
    let core = peers[0].core();
    assert_eq!(register(core, "Task", TITLE), 1);
    let entries = core.counts().unwrap().entries;
    let same = json::parse(TITLE).unwrap().to_string();
    assert_eq!(register(core, "Task", &same), 1);
    assert_eq!(core.counts().unwrap().entries, entries);
    let first = create(core, "Task", r#"{"title": "one"}"#).unwrap();
    assert_eq!(register(core, "Task", "{}"), 2);
    let second = create(core, "Task", "{}").unwrap();
    assert_eq!(version(core, second), Some(2));
    assert_eq!(version(core, first), Some(1));
    assert_eq!(
        kind(update(core, first, r#"{"title": 1}"#)),
        Some(ErrorKind::SchemaViolation)
    );
    let mut register = |version, text: &str| core.register_schema("Task", text, version, 0);
    assert_eq!(
        kind(register(Some(1), "{}")),
        Some(ErrorKind::AlreadyExists)
    );
    assert_eq!(
        kind(register(Some(0), "{}")),
        Some(ErrorKind::InvalidArgument)
    );
    assert_eq!(kind(register(None, "{")), Some(ErrorKind::InvalidArgument));
    assert_eq!(
        kind(register(None, r#"{"$ref": "x"}"#)),
        Some(ErrorKind::InvalidArgument)
    );
    assert_eq!(register(Some(9), TITLE).unwrap().0, 9);
    assert_eq!(register(None, "true").unwrap().0, 10);
    // Withdrawn by deleting its object, and back again.
    let object = core.newest_schema("Task").unwrap().unwrap().id;
    core.transact(&[Operation::Delete { object }], None, None, 0)
        .unwrap();
    assert_eq!(core.newest_schema("Task").unwrap().unwrap().version, 9);
    assert_eq!(
        core.register_schema("Task", "true", Some(10), 0).unwrap().0,
        10
    );
    assert_eq!(core.newest_schema("Task").unwrap().unwrap().version, 10);
    let kinds = [
        Operation::Update {
            object,
            fields: BTreeMap::from([("schema".into(), Value::String("false".into()))]),
        },
        Operation::Create {
            object: ObjectId([9; 16]),
            type_name: Some(system::SCHEMA.into()),
            fields: BTreeMap::new(),
        },
    ]
    .map(|operation| kind(core.transact(&[operation], None, None, 0)));
    assert_eq!(kinds, [Some(ErrorKind::InvalidArgument); 2]);
    peers[0].restart();
    assert_eq!(
        peers[0]
            .core()
            .newest_schema("Task")
            .unwrap()
            .unwrap()
            .version,
        10
    );
}

/// Each write keeps to the schema, their merge does not: it is told, and it can be mended.
#[test]
fn schema_a_merge_that_breaks_it_is_recorded() {
    let (_folder, mut peers) = peers(2);
    register(peers[0].core(), "Lists", SHORT_LIST);
    let object = create(peers[0].core(), "Lists", r#"{"list": [1]}"#).unwrap();
    meet(&mut peers);
    for peer in &mut peers {
        let insert = Operation::Insert {
            object,
            path: path("/list/0"),
            value: Value::Int(0),
        };
        peer.core().transact(&[insert], None, None, 0).unwrap();
    }
    meet(&mut peers);
    for peer in &mut peers {
        let core = peer.core();
        assert_eq!(core.violations().unwrap().len(), 1);
        assert_eq!(core.counts().unwrap().violations, 1);
        assert_eq!(recorded(core), recomputed(core));
        // What does not touch the fields is allowed still; what does has to mend them.
        let tag = Operation::Tag {
            object,
            tag: "seen".into(),
            on: true,
        };
        core.transact(&[tag], None, None, 0).unwrap();
        let refused = update(core, object, r#"{"other": 1}"#);
        assert_eq!(kind(refused), Some(ErrorKind::SchemaViolation));
    }
    update(peers[0].core(), object, r#"{"list": []}"#).unwrap();
    assert_eq!(peers[0].core().violations().unwrap(), []);
    meet(&mut peers);
    assert_eq!(peers[1].core().violations().unwrap(), []);
}

#[test]
fn schema_that_comes_later_has_objects_checked_in_steps() {
    let (_folder, mut peers) = peers(2);
    // The other peer registers the version that objects here carry, and then breaks it there.
    register(peers[0].core(), "Task", "{}");
    let count = limits::CHECKED_AT_ONCE * 2 + 3;
    for n in 0..count {
        let fields = if n % 2 == 0 {
            r#"{"title": 1}"#
        } else {
            r#"{"title": "a"}"#
        };
        create(peers[0].core(), "Task", fields).unwrap();
    }
    meet(&mut peers);
    let object = peers[0].core().newest_schema("Task").unwrap().unwrap().id;
    let change = Operation::Update {
        object,
        fields: BTreeMap::from([("schema".into(), Value::String(TITLE.into()))]),
    };
    peers[1].core().transact_forged(&[change]).unwrap();
    meet(&mut peers);
    let core = peers[0].core();
    assert!(core.has_schema_checks());
    assert!(core.check_some().unwrap());
    let some = core.counts().unwrap().violations;
    assert!(some > 0 && some < count as u64 / 2);
    // Neither a restart nor writes in between lose the thread.
    peers[0].restart();
    let core = peers[0].core();
    assert!(core.has_schema_checks());
    create(core, "Task", r#"{"title": "b"}"#).unwrap();
    assert_eq!(recorded(core).len(), count.div_ceil(2));
    assert_eq!(recorded(core), recomputed(core));
    peers[0].restart();
    assert!(!peers[0].core().has_schema_checks());
    // Withdrawn, it is broken by nothing.
    let core = peers[0].core();
    core.transact(&[Operation::Delete { object }], None, None, 0)
        .unwrap();
    assert_eq!(recorded(core), []);
}

#[test]
fn schema_of_one_version_registered_twice_is_one_and_says_so() {
    let (_folder, mut peers) = peers(2);
    register(peers[0].core(), "Task", TITLE);
    register(peers[1].core(), "Task", SHORT_LIST);
    register(peers[0].core(), "Same", TITLE);
    register(peers[1].core(), "Same", TITLE);
    meet(&mut peers);
    let mut all = peers
        .iter_mut()
        .map(|peer| peer.core().schema_records().unwrap());
    let (first, second) = (all.next().unwrap(), all.next().unwrap());
    assert_eq!(first, second);
    let conflicts: Vec<(&str, bool)> = first
        .iter()
        .map(|s| (s.type_name.as_str(), s.conflict))
        .collect();
    assert_eq!(conflicts, [("Same", false), ("Task", true)]);
}

pub(super) fn schema_object(core: &SpaceCore, name: &str, version: u32, text: &str) -> Operation {
    Operation::Create {
        object: ObjectId::schema(&core.id(), name, version),
        type_name: Some(system::SCHEMA.into()),
        fields: BTreeMap::from([
            ("type".into(), Value::String(name.into())),
            ("version".into(), Value::Int(version.into())),
            ("schema".into(), Value::String(text.into())),
        ]),
    }
}

/// Few lines that ask for 2 to the power of 40 steps.
fn doubling() -> String {
    let ladder = (0..40).map(|n| {
        format!(
            r##""d{n}": {{"allOf": [{{"$ref": "#/$defs/d{0}"}}, {{"$ref": "#/$defs/d{0}"}}]}}"##,
            n + 1
        )
    });
    let defs: Vec<String> = ladder.collect();
    format!(
        r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d40": {{}}}}}}"##,
        defs.join(",")
    )
}

/// A member registers what it pleases: others write on, and are told.
#[test]
fn schema_hostile_ones_are_told_and_not_enforced() {
    let (_folder, mut peers) = peers(2);
    register(peers[0].core(), "Task", TITLE);
    meet(&mut peers);
    let doubling = doubling();
    let huge = format!(
        r#"{{"description": "{}"}}"#,
        "x".repeat(limits::SCHEMA_BYTES)
    );
    let bad = [
        "{",
        "17",
        r#"{"type": "nothing"}"#,
        r##"{"$ref": "#"}"##,
        r#"{"$ref": "https://example.com"}"#,
        r#"{"pattern": "(a{900}){900}"}"#,
        &huge,
        &doubling,
    ];
    let liar = peers[1].core();
    for (n, text) in bad.iter().enumerate() {
        let forged = schema_object(liar, "Task", n as u32 + 2, text);
        liar.transact_forged(&[forged]).unwrap();
    }
    // At the last version there is, under another's id, under a free version's id, and no text.
    let last = schema_object(liar, "Last", u32::MAX, "{");
    let mut inert = schema_object(liar, "Task", 1000, "false");
    let mut taken = schema_object(liar, "Task", 10, "false");
    if let (Operation::Create { object, .. }, Operation::Create { type_name, .. }) =
        (&mut inert, &mut taken)
    {
        *object = ObjectId([3; 16]);
        *type_name = Some("Squatter".into());
    }
    liar.transact_forged(&[last]).unwrap();
    liar.transact_forged(&[inert]).unwrap();
    liar.transact_forged(&[taken]).unwrap();
    meet(&mut peers);
    let core = peers[0].core();
    check_all(core);
    let records = core.schema_records().unwrap();
    let told = records.iter().filter(|s| s.problem.is_some()).count();
    assert_eq!(told, bad.len() + 1);
    assert_eq!(core.newest_schema("Task").unwrap().unwrap().version, 1);
    let task = create(core, "Task", r#"{"title": "fine"}"#).unwrap();
    assert_eq!(version(core, task), Some(1));
    assert_eq!(
        kind(create(core, "Task", "{}")),
        Some(ErrorKind::SchemaViolation)
    );
    assert_eq!(register(core, "Task", "{}"), 11);
    assert_eq!(
        kind(core.register_schema("Last", "{}", None, 0)),
        Some(ErrorKind::LimitExceeded)
    );
    // There is a way out of that too.
    let object = ObjectId::schema(&core.id(), "Last", u32::MAX);
    core.transact(&[Operation::Delete { object }], None, None, 0)
        .unwrap();
    assert_eq!(core.register_schema("Last", "{}", Some(1), 0).unwrap().0, 1);
    let mended = create(core, "Last", "{}").unwrap();
    assert_eq!(version(core, mended), Some(1));
    assert_eq!(recorded(core), recomputed(core));
}

/// Two peers migrate the same objects apart, and each writes only what differs.
#[test]
fn schema_migrations_of_two_peers_agree() {
    let (_folder, mut peers) = peers(2);
    let core = peers[0].core();
    register(core, "Task", TITLE);
    let object = create(core, "Task", r#"{"title": "a", "keep": {"x": 1}}"#).unwrap();
    let v2 = r#"{"required": ["name"], "properties": {"title": false}}"#;
    register(core, "Task", v2);
    meet(&mut peers);
    for peer in &mut peers {
        let core = peer.core();
        let found = core.candidates("Task", 2, 0, 10).unwrap();
        assert_eq!((found.objects.len(), found.after), (1, None));
        let from = found.objects[0].clone();
        let fields = json::parse_fields(r#"{"name": "a", "keep": {"x": 1}}"#).unwrap();
        let bad = Rewritten {
            from: from.clone(),
            fields: BTreeMap::new(),
        };
        let refused = core.migrate(&[&bad], 2, 0);
        assert_eq!(kind(refused), Some(ErrorKind::SchemaViolation));
        let (outcome, changed) = core.migrate(&[&Rewritten { from, fields }], 2, 0).unwrap();
        assert!(outcome.entry.is_some() && changed.is_empty());
        assert_eq!(version(core, object), Some(2));
        assert_eq!(core.candidates("Task", 2, 0, 10).unwrap().objects, []);
    }
    update(peers[1].core(), object, r#"{"keep": {"x": 2}}"#).unwrap();
    meet(&mut peers);
    for peer in &mut peers {
        let core = peer.core();
        let row = core.object(&object).unwrap().unwrap();
        let fields = json::parse(&row.data).unwrap();
        assert_eq!(fields, serde_json::json!({"name": "a", "keep": {"x": 2}}));
        assert_eq!(recorded(core), recomputed(core));
        let stale = crate::space::Candidate {
            id: object,
            version: Some(1),
            data: row.data,
            heads: vec![],
        };
        let stale = Rewritten {
            from: stale,
            fields: BTreeMap::new(),
        };
        let (outcome, changed) = core.migrate(&[&stale], 2, 0).unwrap();
        assert_eq!((outcome.entry, changed), (None, vec![object]));
    }
}
