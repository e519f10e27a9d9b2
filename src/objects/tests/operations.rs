use super::*;
use crate::model::ErrorKind;

const EVERYTHING: &str = r#"{"a":null,"b":true,"c":-9223372036854775808,"d":2.5,"e":"s",
    "f":{"@bytes":"AAE="},"g":{"@timestamp":1763864160123},"h":{"@counter":3},
    "i":{"@text":"h\u00e9llo \ud83d\ude00"},"j":{"@ref":"echo:00000000000000000000000001"},
    "k":[1,[2,{"x":{"@float":"-inf"},"y":{"@text":"deep"}},[]],{"@ref":"echo:00000000000000000000000001"}],
    "l":{"m":{},"n":[{"@counter":1}],"o":{"@text":""}}}"#;

#[test]
fn every_value_survives_projection_save_load_and_remote() {
    let (mut document, changes) = document(1, EVERYTHING);
    let wanted = fields(EVERYTHING);
    let projection = document.project();
    assert_eq!(projection.fields, wanted);
    assert_eq!(projection.type_name.as_deref(), Some("Task"));
    assert_eq!(projection.heads, document.heads());
    assert!(!projection.deleted && projection.parent.is_none());

    let snapshot = document.save().unwrap();
    let mut loaded = Document::load([2; 16], Some(&snapshot), &changes).unwrap();
    assert_eq!(same(&mut document, &mut loaded).fields, wanted);
    let mut remote = copy(3, &changes);
    assert_eq!(same(&mut document, &mut remote).fields, wanted);
    assert_eq!(
        document.value_at(&path("/k/1/1/y")).unwrap(),
        Value::Text("deep".into())
    );
    assert_eq!(
        document.value_at(&Path::default()).unwrap(),
        Value::Map(wanted)
    );
}

#[test]
fn operations_do_what_they_say() {
    let (mut d, _) = document(
        1,
        r#"{"n":1,"list":[1,2,3],"map":{"7":"x"},"c":{"@counter":5},"t":{"@text":"abc"}}"#,
    );
    change(
        &mut d,
        &[
            set("/list/1", r#"{"deep":[true]}"#),
            insert("/list/3", "4"),
            insert("/list/0", "\"first\""),
            remove("/list/3"),
            set("/map/7", "8"),
            set("/map/new", "[]"),
            increment("/c", -7),
            splice("/t", 1, 1, "XY"),
            remove("/n"),
        ],
    );
    assert_eq!(
        shown(&mut d),
        r#"{"c":{"@counter":-2},"list":["first",1,{"deep":[true]},4],"map":{"7":8,"new":[]},"t":{"@text":"aXYc"}}"#
    );
    assert_eq!(d.text(&path("t")).unwrap(), "aXYc");
}

#[test]
fn errors_name_the_place_and_what_is_there() {
    let (mut d, _) = document(
        1,
        r#"{"s":"x","list":[1],"t":{"@text":"abc"},"r":{"@ref":"echo:00000000000000000000000001"},"c":{"@counter":9223372036854775807}}"#,
    );
    let before = d.project();
    let mut refused = |op: Operation, kind: ErrorKind, says: &str| {
        let e = d.apply(&op).unwrap_err();
        assert_eq!(e.kind(), kind, "{e}");
        assert!(e.detail().contains(says), "{e}");
        d.rollback();
        assert_eq!(d.project(), before);
    };
    use ErrorKind::{AlreadyExists, InvalidArgument, LimitExceeded, NotFound};
    refused(create("{}"), AlreadyExists, "exists");
    refused(set("/s/x", "1"), InvalidArgument, "/s is a string");
    refused(set("/q/x", "1"), NotFound, "/q does not exist");
    refused(
        set("/list/1", "1"),
        InvalidArgument,
        "index 1 is past the end of a list of 1",
    );
    refused(
        set("/list/x", "1"),
        InvalidArgument,
        "/list is a list of 1: \"x\" is not an index",
    );
    refused(set("/t/0", "1"), InvalidArgument, "/t is a text");
    refused(set("/r/x", "1"), InvalidArgument, "/r is a reference");
    refused(insert("/s", "1"), InvalidArgument, "only lists");
    refused(insert("/list/3", "1"), InvalidArgument, "index 3 is past");
    refused(remove("/q"), NotFound, "/q does not exist");
    refused(
        increment("/s", 1),
        InvalidArgument,
        "/s is a string, not a counter",
    );
    refused(increment("/c", 1), InvalidArgument, "leaves the range");
    refused(
        splice("/s", 0, 0, "x"),
        InvalidArgument,
        "/s is a string, not a text",
    );
    refused(
        splice("/t", 4, 0, "x"),
        InvalidArgument,
        "position 4 is past the end: the text has 3 code points",
    );
    refused(
        splice("/t", 2, 2, "x"),
        InvalidArgument,
        "deleting 2 from position 2",
    );
    refused(
        splice("/t", 0, usize::MAX, "x"),
        InvalidArgument,
        "deleting",
    );
    refused(
        splice("/t", 0, 0, &"x".repeat(262_145)),
        LimitExceeded,
        "262144",
    );
    let hidden = Operation::Set {
        object: OBJECT,
        path: Path(vec![crate::model::Segment::Key("@type".into())]),
        value: Value::Null,
    };
    refused(hidden, InvalidArgument, "reserved");
}

#[test]
fn documents_move_between_threads_and_are_weighed() {
    fn movable<T: Send>(_: &T) {}
    let (mut d, _) = document(1, r#"{"t":{"@text":""}}"#);
    movable(&d);
    let before = d.memory_estimate();
    change(
        &mut d,
        &[splice_in(TextUnit::Utf8, "/t", 0, 0, &"x".repeat(5_000))],
    );
    assert!(d.memory_estimate() > before + 10_000);
}
