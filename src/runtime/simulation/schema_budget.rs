//! Schemas that make checking dear. What a peer sends is taken in within bounded steps; what is not
//! checked then is checked later, and everybody comes to the same record.

use super::peer::Peer;
use super::schemas::{hand_over, meet, peers, recomputed, recorded};
use crate::model::{ErrorKind, ObjectId, Operation, Value, json, limits};
use crate::space::SpaceCore;
use std::collections::BTreeMap;

/// Looks at a text so many times.
fn dear(times: usize) -> String {
    let lengths = vec![r#"{"maxLength": 200000}"#; times].join(",");
    format!(r#"{{"properties": {{"t": {{"allOf": [{lengths}]}}}}, "required": ["u"]}}"#)
}

fn make(count: usize, fields: &str) -> Vec<Operation> {
    (0..count)
        .map(|n| Operation::Create {
            object: ObjectId([n as u8 + 1; 16]),
            type_name: Some("Dear".into()),
            fields: json::parse_fields(fields).unwrap(),
        })
        .collect()
}

/// Objects that were there before their schema was: they carry its version and break it.
fn dear_objects(peer: &mut Peer, count: usize) {
    let text = "x".repeat(100_000);
    let core = peer.core();
    core.register_schema("Dear", "{}", None, 0).unwrap();
    for step in make(count, "{}") {
        core.transact(std::slice::from_ref(&step), None, None, 0)
            .unwrap();
        let fields = BTreeMap::from([("t".into(), Value::String(text.clone()))]);
        let object = step.object();
        core.transact(&[Operation::Update { object, fields }], None, None, 0)
            .unwrap();
    }
    let object = core.newest_schema("Dear").unwrap().unwrap().id;
    let fields = BTreeMap::from([("schema".into(), Value::String(dear(128)))]);
    core.transact_forged(&[Operation::Update { object, fields }])
        .unwrap();
}

fn touch_all(core: &mut SpaceCore, count: usize, value: i64) {
    let steps: Vec<Operation> = (0..count)
        .map(|n| Operation::Update {
            object: ObjectId([n as u8 + 1; 16]),
            fields: BTreeMap::from([("n".into(), Value::Int(value))]),
        })
        .collect();
    core.transact_unenforced(&steps).unwrap();
}

#[test]
fn schema_checks_of_one_entry_are_bounded_and_made_up_for() {
    const COUNT: usize = 20;
    let (_folder, mut peers) = peers(2);
    dear_objects(&mut peers[1], COUNT);
    meet(&mut peers);
    for peer in &mut peers {
        assert_eq!(recorded(peer.core()).len(), COUNT);
    }
    // One entry on all of them.
    touch_all(peers[1].core(), COUNT, 1);
    let before = peers[0].core().schema_steps();
    let [honest, liar] = peers.get_disjoint_mut([0, 1]).unwrap();
    hand_over(liar, honest);
    let core = honest.core();
    let took = core.schema_steps() - before;
    let bound = limits::JUDGED_STEPS + limits::SCHEMA_STEPS + limits::SCHEMA_READING_STEPS;
    assert!(took <= bound, "{took}");
    assert!(core.has_schema_checks());
    // What is yet to be checked is not told as broken, and is not lost at a crash.
    let told = core.violations().unwrap().len();
    assert!(told > 0 && told < COUNT, "{told}");
    assert_eq!(core.counts().unwrap().violations, told as u64);
    honest.restart();
    let core = honest.core();
    assert!(core.has_schema_checks());
    let before = core.schema_steps();
    core.check_some().unwrap();
    assert!(core.schema_steps() - before <= bound);
    // Touched again while it waits, and a cheap object in between.
    touch_all(liar.core(), COUNT, 2);
    hand_over(liar, honest);
    let core = honest.core();
    core.transact(
        &[Operation::Create {
            object: ObjectId([99; 16]),
            type_name: Some("Other".into()),
            fields: BTreeMap::new(),
        }],
        None,
        None,
        0,
    )
    .unwrap();
    assert_eq!(recorded(core).len(), COUNT);
    assert_eq!(recorded(core), recomputed(core));
    honest.restart();
    assert!(!honest.core().has_schema_checks());
    meet(&mut peers);
    let both: Vec<_> = peers.iter_mut().map(|p| recorded(p.core())).collect();
    assert_eq!(both[0], both[1]);
}

#[test]
fn schema_checks_of_an_own_transaction_are_refused_past_their_bound() {
    let (_folder, mut peers) = peers(1);
    let core = peers[0].core();
    let integers = vec![r#"{"type": "integer"}"#; 900].join(",");
    let schema = format!(r#"{{"properties": {{"l": {{"items": {{"allOf": [{integers}]}}}}}}}}"#);
    core.register_schema("Dear", &schema, None, 0).unwrap();
    let fields = json::parse_fields(&format!(r#"{{"l": {:?}}}"#, vec![1; 100])).unwrap();
    let before = core.schema_steps();
    let create = |core: &mut SpaceCore| Operation::Create {
        object: core.new_object_id(0),
        type_name: Some("Dear".into()),
        fields: fields.clone(),
    };
    let one = create(core);
    core.transact(&[one], None, None, 0).unwrap();
    let each = core.schema_steps() - before;
    let too_many = (limits::ENFORCED_STEPS / each) as usize + 2;
    assert!(too_many <= limits::OBJECTS_PER_TRANSACTION, "{each}");
    let many: Vec<Operation> = (0..too_many).map(|_| create(core)).collect();
    let held = core.counts().unwrap().objects;
    let refused = core.transact(&many, None, None, 0).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
    assert!(refused.detail().contains("schemas"), "{refused}");
    assert_eq!(core.counts().unwrap().objects, held);
    core.transact(&many[..10], None, None, 0).unwrap();
}

/// Version upon version that is no schema: finding the newest that can be used is done in steps.
#[test]
fn schema_versions_are_read_so_many_at_once() {
    let (_folder, mut peers) = peers(2);
    peers[0]
        .core()
        .register_schema("Task", "{}", None, 0)
        .unwrap();
    meet(&mut peers);
    let liar = peers[1].core();
    let versions = limits::SCHEMAS_READ_AT_ONCE as u32 * 2;
    for version in 2..versions + 2 {
        let forged = super::schemas::schema_object(liar, "Task", version, "{");
        liar.transact_forged(&[forged]).unwrap();
    }
    meet(&mut peers);
    let core = peers[0].core();
    let create = |core: &mut SpaceCore| {
        let create = Operation::Create {
            object: core.new_object_id(0),
            type_name: Some("Task".into()),
            fields: BTreeMap::new(),
        };
        core.transact(&[create], None, None, 0)
    };
    let mut refused = 0;
    while let Err(error) = create(core) {
        assert_eq!(error.kind(), ErrorKind::InvalidState);
        refused += 1;
    }
    assert_eq!(refused, 2);
}
