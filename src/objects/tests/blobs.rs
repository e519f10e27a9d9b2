//! Blobs as values of fields.

use super::*;
use crate::model::{BlobId, BlobRef};
use automerge::ROOT;
use automerge::transaction::Transactable;

type Entry = (&'static str, automerge::ScalarValue);

const ID: &str = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq";

fn blob(size: u64) -> Value {
    Value::Blob(BlobRef {
        id: BlobId([1; 32]),
        size,
    })
}

#[test]
fn a_blob_is_one_value_wherever_it_stands() {
    let one = format!(r#"{{"@blob":"{ID}","size":7}}"#);
    let (mut document, changes) = document(
        1,
        &format!(r#"{{"f":{one},"l":[1,{one}],"m":{{"x":{one}}}}}"#),
    );
    let mut remote = copy(2, &changes);
    let seen = same(&mut document, &mut remote).fields;
    assert_eq!(seen["f"], blob(7));
    assert_eq!(document.value_at(&path("/l/1")).unwrap(), blob(7));
    assert_eq!(document.value_at(&path("/m/x")).unwrap(), blob(7));
    // Nothing reaches into it, as nothing reaches into a reference.
    let error = document.apply(&set("/f/size", "8")).unwrap_err();
    assert!(error.detail().contains("a blob"), "{error}");
    change(
        &mut document,
        &[set("/f", &one.replace('7', "9")), remove("/l/1")],
    );
    assert_eq!(document.project().fields["f"], blob(9));
}

#[test]
fn what_only_looks_like_a_blob_is_a_map() {
    let sound: [Entry; 2] = [("@blob", ID.into()), ("size", 7_i64.into())];
    let cases: [(&str, Vec<Entry>, Option<&str>); 6] = [
        ("sound", sound.to_vec(), None),
        ("no size", sound[..1].to_vec(), Some("{}")),
        (
            "more",
            [&sound[..], &[("x", true.into())]].concat(),
            Some(r#"{"size":7,"x":true}"#),
        ),
        (
            "negative",
            vec![sound[0].clone(), ("size", (-7_i64).into())],
            Some(r#"{"size":-7}"#),
        ),
        (
            "endless",
            vec![sound[0].clone(), ("size", i64::MAX.into())],
            Some(r#"{"size":9223372036854775807}"#),
        ),
        (
            "no id",
            vec![("@blob", "short".into()), sound[1].clone()],
            Some(r#"{"size":7}"#),
        ),
    ];
    for (what, entries, shown) in cases {
        let (mut document, _) = document(1, "{}");
        let map = document
            .am
            .put_object(ROOT, "f", automerge::ObjType::Map)
            .unwrap();
        for (key, value) in entries {
            document.am.put(&map, key, value).unwrap();
        }
        document.commit(1, None).unwrap();
        let seen = document.project().fields["f"].clone();
        match shown {
            None => assert_eq!(seen, blob(7), "{what}"),
            Some(text) => assert_eq!(json::to_json(&seen).to_string(), text, "{what}"),
        }
    }
}
