//! A whole space under hostile entries: what a member signs is taken in, or refused, by a peer that
//! afterwards finds its own file in order.

use super::pieces;
use crate::identity::Keyring;
use crate::runtime::storage::SpaceStore;
use crate::space::{Entropy, Founding, Ingest, SpaceCore, check};
use bytes::Bytes;
use std::sync::Arc;

/// Steps that a peer goes on for with what it put off.
const LATER: usize = 100;

/// Random bytes that are the same every time, so that ids are: changes name their writer's feed.
fn entropy(seed: u64) -> Entropy {
    let mut state = seed;
    Box::new(move |to: &mut [u8]| {
        for byte in to {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
    })
}

fn store() -> Box<SpaceStore> {
    Box::new(SpaceStore::open(None).expect("a store in memory"))
}

/// Bodies of entries, each behind its length and a byte: whether it is a control entry, and whether
/// the next one goes on after it.
pub fn bodies(data: &[u8]) {
    let keyring = Arc::new(Keyring::generate(&mut *entropy(1)));
    let founding = Founding::new(&keyring, "Ada", &mut *entropy(2)).expect("a genesis");
    let id = founding.space;
    let mut ada =
        SpaceCore::found(founding, store(), Arc::clone(&keyring), entropy(3), 0).expect("a space");
    // The same device as another incarnation: it has the keys at once.
    let mut peer = SpaceCore::join(id, store(), keyring, entropy(4)).expect("a space");
    let (headers, entries) = ada.control_history().expect("it was just made");
    let data_feed = ada.forged_header();
    for header in headers.iter().chain([&data_feed]) {
        peer.add_feed(header).expect("a sound header");
    }
    peer.ingest(entries, &mut Ingest::default())
        .expect("a sound history");
    for piece in pieces(data) {
        let Some((how, body)) = piece.split_first() else {
            continue;
        };
        take(&mut ada, &mut peer, *how, body);
    }
    for _ in 0..LATER {
        if !peer.check_some().expect("checking goes on") {
            break;
        }
    }
    let found = check(id, peer.reads(), &peer.content_keys(), true).expect("it can be read");
    assert!(found.faults.is_empty(), "{:?}", found.faults);
}

fn take(ada: &mut SpaceCore, peer: &mut SpaceCore, how: u8, body: &[u8]) {
    let control = how & 1 != 0;
    let entry = match control {
        true => ada.forge_control(body),
        false => ada.try_forge(body),
    };
    let Some(entry) = entry else {
        return;
    };
    let bytes: Bytes = entry.bytes().clone();
    // As from a session, which ends if the entry breaks the protocol.
    let taken = peer.ingest(vec![bytes], &mut Ingest::default()).is_ok();
    if taken && how & 2 != 0 {
        match control {
            true => ada.advance_forged_control(&entry),
            false => ada.advance_forged(&entry),
        }
    }
}

#[cfg(test)]
mod seeds {
    use super::*;
    use crate::authority::ControlOp;
    use crate::feed::{DataBody, Entry, FeedHeader};
    use crate::model::{
        Expand, ObjectId, Operation, Path, Reference, SpaceId, TextUnit, Value, json,
    };
    use crate::objects::Document;
    use crate::space::new_actor;

    fn put(target: &str, name: &str, bytes: &[u8]) {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(target);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(name), bytes).unwrap();
    }
    fn piece(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
    }
    fn path(t: &str) -> Path {
        Path::parse(t).unwrap()
    }
    fn stories(object: ObjectId) -> Vec<(&'static str, Vec<Vec<Operation>>)> {
        let create = |fields: &str| Operation::Create {
            object,
            type_name: Some("T".into()),
            fields: json::parse_fields(fields).unwrap(),
        };
        let splice = |position, delete, insert: &str| Operation::Splice {
            object,
            path: path("/t"),
            position,
            delete,
            insert: insert.into(),
            unit: TextUnit::CodePoint,
        };
        let mark = |start, end, value| Operation::Mark {
            object,
            path: path("/t"),
            start,
            end,
            unit: TextUnit::CodePoint,
            name: "b".into(),
            value,
            expand: Expand::After,
        };
        vec![
            (
                "text",
                vec![
                    vec![create(r#"{"t": {"@text": "hello"}}"#)],
                    vec![splice(2, 1, "xyz")],
                    vec![splice(0, 0, "é"), splice(3, 2, "")],
                ],
            ),
            (
                "marks",
                vec![
                    vec![create(r#"{"t": {"@text": "hello world"}}"#)],
                    vec![mark(1, 5, Value::Bool(true))],
                    vec![mark(3, 9, Value::Int(4)), mark(2, 4, Value::Null)],
                ],
            ),
            (
                "list",
                vec![
                    vec![create(r#"{"l": [1, 2, {"a": [true, null]}]}"#)],
                    vec![
                        Operation::Insert {
                            object,
                            path: path("/l/1"),
                            value: Value::Float(1.5),
                        },
                        Operation::Move {
                            object,
                            path: path("/l/0"),
                            to: 2,
                        },
                    ],
                    vec![Operation::Remove {
                        object,
                        path: path("/l/0"),
                    }],
                ],
            ),
            (
                "kinds",
                vec![
                    vec![create(
                        r#"{"c": {"@counter": 3}, "b": {"@bytes": "AAE="}, "x": {"@time": 5}, "r": {"@ref": "echo:00000000000000000000000002"}, "m": {"k": {"k": "v"}}}"#,
                    )],
                    vec![
                        Operation::Increment {
                            object,
                            path: path("/c"),
                            by: -2,
                        },
                        Operation::SetParent {
                            object,
                            parent: Some(ObjectId([3; 16])),
                        },
                    ],
                    vec![Operation::Delete { object }],
                    vec![Operation::Restore { object }],
                ],
            ),
            (
                "relation",
                vec![vec![
                    create("{}"),
                    Operation::Relate {
                        object,
                        source: Some(ObjectId([3; 16])),
                        target: Some(ObjectId([4; 16])),
                    },
                ]],
            ),
        ]
    }
    #[test]
    fn write_seeds() {
        let keyring = Arc::new(Keyring::generate(&mut *entropy(1)));
        let founding = Founding::new(&keyring, "Ada", &mut *entropy(2)).unwrap();
        let id = founding.space;
        let ada = SpaceCore::found(founding, store(), Arc::clone(&keyring), entropy(3), 0).unwrap();
        let feed = FeedHeader::decode(&ada.forged_header(), id)
            .unwrap()
            .feed_id();
        let mut all = Vec::new();
        for (at, (name, story)) in stories(ObjectId([2; 16])).into_iter().enumerate() {
            let object = ObjectId([2 + at as u8; 16]);
            let actor = new_actor(&feed, &mut |to| to.fill(at as u8));
            let mut document = Document::new(actor);
            let mut changes = Vec::new();
            let mut entries = Vec::new();
            for (n, steps) in story.iter().enumerate() {
                for step in steps {
                    document
                        .apply(step)
                        .unwrap_or_else(|e| panic!("{name}: {e}"));
                }
                let made = document.commit(1000 + n as u64, Some("m")).unwrap();
                let body = DataBody {
                    clock_ms: 1000,
                    changes: made.iter().map(|c| (object, c.clone())).collect(),
                }
                .encode();
                put("data_body", &format!("{name}_{n}"), &body);
                let how = [&[2u8][..], &body].concat();
                entries.extend(piece(&how));
                all.push(body);
                changes.extend(made);
            }
            put(
                "automerge_change",
                name,
                &changes.iter().flat_map(|c| piece(c)).collect::<Vec<_>>(),
            );
            put("automerge_file", name, &document.save().unwrap());
            put(
                "automerge_file",
                &format!("{name}_changes"),
                &changes.concat(),
            );
            put("space_entries", name, &entries);
        }
        let (_, history) = ada.control_history().unwrap();
        let mut ops = Vec::new();
        for bytes in history {
            for space in [id, SpaceId::ZERO] {
                if let Ok(entry) = Entry::decode(bytes.clone(), space)
                    && let Ok(body) = entry.open(None)
                    && ControlOp::decode(&body).is_ok()
                {
                    ops.push(body);
                    break;
                }
            }
        }
        let golden = std::fs::read_dir("tests/golden").unwrap();
        for file in golden {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            if !name.contains("control-") {
                continue;
            }
            let text: String = std::fs::read_to_string(file.path())
                .unwrap()
                .split_whitespace()
                .collect();
            let bytes = data_encoding::HEXLOWER_PERMISSIVE
                .decode(text.as_bytes())
                .unwrap();
            put("entry", name.trim_end_matches(".hex"), &bytes);
            let entry = Entry::decode(Bytes::from(bytes), SpaceId([7; 32])).unwrap();
            let body = entry.open(None).unwrap();
            put(
                "control_op",
                &format!("{}-body", name.trim_end_matches(".hex")),
                &body,
            );
            ops.push(body);
        }
        for (n, op) in ops.iter().enumerate() {
            put(
                "space_entries",
                &format!("op_{n}"),
                &piece(&[&[3u8][..], op].concat()),
            );
        }
        let schema = ObjectId::schema(&id, "T", 1);
        let mut document = Document::new(new_actor(&feed, &mut |to| to.fill(9)));
        let fields = [
            ("type".to_owned(), Value::String("T".into())),
            ("version".to_owned(), Value::Int(1)),
            (
                "schema".to_owned(),
                Value::String(r#"{"required": ["t"]}"#.into()),
            ),
        ]
        .into();
        document
            .apply(&Operation::Create {
                object: schema,
                type_name: Some("@schema".into()),
                fields,
            })
            .unwrap();
        let made = document.commit(5, None).unwrap();
        let body = DataBody {
            clock_ms: 5,
            changes: made.into_iter().map(|c| (schema, c)).collect(),
        }
        .encode();
        let mut whole = piece(&[&[2u8][..], &body].concat());
        for op in ops.iter().take(4) {
            whole.extend(piece(&[&[3u8][..], op].concat()));
        }
        for body in &all {
            whole.extend(piece(&[&[2u8][..], body].concat()));
        }
        put("space_entries", "all", &whole);
        put("export", "objects", br#"{"format":"echodb-export","version":2}
{"id":"00000000000000000000000002","type":"T","fields":{"t":{"@text":"hello"},"n":1},"tags":["a"],"keys":{"natural":"k"},"marks":{"/t":[{"start":0,"end":2,"name":"b","value":true}]},"parent":"00000000000000000000000003","schema_version":1}
{"id":"00000000000000000000000004","fields":{"r":{"@ref":"echo:00000000000000000000000002"}},"deleted":true,"source":"00000000000000000000000002","target":"00000000000000000000000003"}
"#);
        put("export", "version_1", b"{\"format\":\"echodb-export\",\"version\":1}\n{\"id\":\"00000000000000000000000002\",\"fields\":{}}\n");
        put(
            "plain_data",
            "json",
            b"\x20[{\"id\": 1, \"a\": [1.5, null]}, {\"id\": \"x\"}]",
        );
        put(
            "plain_data",
            "lines",
            b"\x01{\"a\": true}\n\n{\"a\": {\"@time\": 5}}\n",
        );
        put(
            "plain_data",
            "table",
            b"\x12id,when,n\n1,2024-02-29T12:30:00.5+02:00,1e3\n\"a\"\"b\",,-7\n",
        );
        put(
            "plain_data",
            "times",
            b"\x06a\n2024-02-29\n1999-12-31T23:59:60Z\n12345\n",
        );
        let cursor = {
            let mut d = Document::new([1; 16]);
            d.apply(&Operation::Create {
                object: ObjectId([2; 16]),
                type_name: None,
                fields: [("t".to_owned(), Value::Text("a b\u{1f600}c".into()))].into(),
            })
            .unwrap();
            d.commit(0, None).unwrap();
            d.cursor(&path("/t"), 2, TextUnit::Utf16).unwrap()
        };
        put("fields_json", "cursor", cursor.as_bytes());
        put(
            "fields_json",
            "reference_elsewhere",
            Reference {
                space: Some(id),
                object: ObjectId([2; 16]),
            }
            .to_string()
            .as_bytes(),
        );
        let mut cells = vec![0u8, 1];
        cells.extend(7i64.to_be_bytes());
        cells.push(3);
        cells.extend(2u64.to_be_bytes());
        cells.extend(b"ab");
        put("query", "cursor_cells", &cells);
        let sdp = include_str!("/tmp/offer.sdp");
        put(
            "session_description",
            "offer",
            &[
                piece(sdp.as_bytes()),
                piece(b"candidate:1 1 udp 2130706431 127.0.0.1 9 typ host"),
                piece(b"candidate:2 1 tcp 1671430143 10.0.0.1 9 typ host tcptype active"),
                piece(b"candidate:3 1 udp 1 ::1 9 typ srflx raddr 0.0.0.0 rport 0"),
            ]
            .concat(),
        );
    }
}
