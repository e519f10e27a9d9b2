//! The record of violations under random work.

use super::random::Random;
use super::schemas::{Recorded, hand_over, meet, peers, recomputed, recorded};
use super::seeds;
use crate::model::{ObjectId, Operation, Path, Segment, Value, json};
use crate::space::SpaceCore;
use std::collections::BTreeMap;

/// Whatever peers do, the record of violations is what a check of everything finds.
#[test]
fn schema_record_always_equals_a_full_check() {
    let seen = std::cell::Cell::new(0);
    seeds(25, |seed| {
        let mut random = Random(seed.wrapping_add(77));
        let (_folder, mut peers) = peers(2);
        for step in 0..60 {
            let at = random.below(2);
            if random.once_in(12) {
                let [from, to] = peers.get_disjoint_mut([at, 1 - at]).unwrap();
                hand_over(from, to);
            }
            if random.once_in(20) {
                peers[at].restart();
            }
            let core = peers[at].core();
            if random.once_in(4) {
                core.check_some().unwrap();
            }
            do_something(core, &mut random, step);
            if random.once_in(6) {
                assert_eq!(recorded(core), recomputed(core), "at {step}");
            }
        }
        meet(&mut peers);
        let both: Vec<Recorded> = peers.iter_mut().map(|p| recorded(p.core())).collect();
        for (peer, found) in peers.iter_mut().zip(&both) {
            assert_eq!(found, &recomputed(peer.core()));
        }
        assert_eq!(both[0], both[1]);
        seen.set(seen.get() + both[0].len());
    });
    assert!(seen.get() > 10, "{}", seen.get());
}

fn do_something(core: &mut SpaceCore, random: &mut Random, step: usize) {
    const FIELDS: [&str; 6] = [
        r#"{"a": "x"}"#,
        r#"{"a": 1, "list": [1, 2]}"#,
        r#"{"list": [1]}"#,
        r#"{"a": {"@text": "t"}, "b": 1, "c": 2}"#,
        "{}",
        r#"{"a": {"@counter": 3}}"#,
    ];
    let name = *random.pick(&["A", "B"]);
    let fields = *random.pick(&FIELDS);
    let fields = json::parse_fields(fields).unwrap();
    let rows = core.everything().unwrap();
    let schema = random.once_in(10);
    let all: Vec<ObjectId> = rows
        .iter()
        .filter(|row| row.is_schema() == schema && row.id != ObjectId::PROPERTIES)
        .map(|row| row.id)
        .collect();
    if random.once_in(8) {
        register_something(core, random, name);
        return;
    }
    if all.is_empty() || random.once_in(3) {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random.next().to_be_bytes());
        let object = match random.once_in(4) {
            true => ObjectId([1 + random.below(3) as u8; 16]),
            false => ObjectId(id),
        };
        let create = Operation::Create {
            object,
            type_name: Some(name.into()),
            fields,
        };
        let parent = random.once_in(3).then(|| all.first().copied()).flatten();
        let place = Operation::SetParent { object, parent };
        let _ = core.transact(&[create, place], None, None, step as u64);
        return;
    }
    let object = *random.pick(&all);
    let operation = match random.below(5) {
        0 => Operation::Delete { object },
        1 => Operation::Restore { object },
        2 => Operation::SetSchemaVersion {
            object,
            version: 1 + random.below(3) as u32,
        },
        3 => Operation::Insert {
            object,
            path: Path(vec![Segment::Key("list".into()), Segment::Index(0)]),
            value: Value::Int(0),
        },
        _ => Operation::Update { object, fields },
    };
    let _ = core.transact(&[operation], None, None, step as u64);
}

/// Some are registered as they should be, some put there by a liar.
fn register_something(core: &mut SpaceCore, random: &mut Random, name: &str) {
    const SCHEMAS: [&str; 6] = [
        r#"{"properties": {"a": {"type": "string"}}}"#,
        r#"{"properties": {"list": {"maxItems": 2}}, "required": ["a"]}"#,
        r#"{"properties": {"a": {"type": "integer"}}, "maxProperties": 2}"#,
        "true",
        "false",
        r#"{"type": 17}"#,
    ];
    let version = 1 + random.below(3) as u32;
    let text = *random.pick(&SCHEMAS);
    if core.register_schema(name, text, Some(version), 0).is_err() {
        let object = ObjectId::schema(&core.id(), name, version);
        let fields = BTreeMap::from([("schema".to_owned(), Value::String(text.into()))]);
        let _ = core.transact_forged(&[Operation::Update { object, fields }]);
    }
}
