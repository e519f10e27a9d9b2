//! Plain data: JSON, JSON lines, CSV.

use super::{find, get, name, space};
use echodb::model::ErrorKind;
use echodb::{ColumnKind, ImportColumn, ImportFormat, ImportOptions, OnError, Space};
use serde_json::{Value, json};

pub fn csv(type_name: &str) -> ImportOptions {
    ImportOptions {
        format: ImportFormat::Csv,
        type_name: Some(type_name.into()),
        ..ImportOptions::default()
    }
}

pub fn column(name: &str, kind: ColumnKind) -> ImportColumn {
    ImportColumn {
        name: name.into(),
        field: None,
        kind,
    }
}

fn fields(space: &Space, query: &str) -> Vec<Value> {
    find(space, query)
        .into_iter()
        .map(|object| object["fields"].clone())
        .collect()
}

#[test]
fn a_table_becomes_typed_objects() {
    let (_client, space) = space();
    let data = "id,name,zip,age,score,active,seen,none\r\n\
                1,Ada,01234,36,1.5,true,2024-02-29T12:00:00Z,\r\n\
                2,\"Bob, \"\"the\"\" 2nd\r\nline\",12345,,2,FALSE,2024-03-01T00:00:00+01:00,\r\n";
    let report = space.import_data(data.into(), csv("Person")).unwrap();
    assert_eq!((report.rows, report.created, report.skipped), (2, 2, 0));
    let all = fields(&space, r#"{"type": "Person"}"#);
    let of = |id: i64| all.iter().find(|f| f["id"] == id).unwrap();
    assert_eq!(
        of(1),
        &json!({"id": 1, "name": "Ada", "zip": "01234", "age": 36, "score": 1.5, "active": true,
                "seen": {"@timestamp": 1_709_208_000_000_i64}})
    );
    assert_eq!(
        of(2),
        &json!({"id": 2, "name": "Bob, \"the\" 2nd\r\nline", "zip": "12345", "score": 2.0,
                "active": false, "seen": {"@timestamp": 1_709_247_600_000_i64}})
    );
}

#[test]
fn a_key_makes_importing_again_an_update() {
    let (_client, space) = space();
    let options = ImportOptions {
        key: Some("sku".into()),
        ..csv("Item")
    };
    let first = "sku,price\nA,1\nB,2\nA,3\n";
    let report = space.import_data(first.into(), options.clone()).unwrap();
    assert_eq!((report.created, report.updated), (2, 1));
    let digest = space.digest().unwrap();
    let report = space.import_data("sku,price\nA,3\nB,2\n".into(), options.clone());
    let report = report.unwrap();
    assert_eq!(
        (report.created, report.updated, report.unchanged),
        (0, 0, 2)
    );
    assert_eq!(space.digest().unwrap(), digest);
    let report = space.import_data("sku,price\nB,5\nC,6\n".into(), options.clone());
    let report = report.unwrap();
    assert_eq!(
        (report.created, report.updated, report.unchanged),
        (1, 1, 0)
    );
    assert_eq!(fields(&space, r#"{"type": "Item"}"#).len(), 3);
    // The same key as `create_with_key` names, and as JSON that spells it as a number.
    let tx = space.transaction();
    let id = tx
        .create_with_key("Item".into(), "C".into(), "{}".into())
        .unwrap();
    assert_eq!(get(&space, &id), json!({"sku": "C", "price": 6}));
    let lines = ImportOptions {
        format: ImportFormat::Ndjson,
        ..options
    };
    let data = "{\"sku\": 7, \"price\": 1}\n{\"sku\": \"7\", \"tags\": [\"x\", {\"y\": null}]}\n";
    let report = space.import_data(data.into(), lines).unwrap();
    assert_eq!((report.created, report.updated), (1, 1));
    let tx = space.transaction();
    let id = tx
        .create_with_key("Item".into(), "7".into(), "{}".into())
        .unwrap();
    let seven = json!({"sku": "7", "price": 1, "tags": ["x", {"y": null}]});
    assert_eq!(get(&space, &id), seven);
}

#[test]
fn columns_are_what_they_are_said_to_be() {
    let (_client, space) = space();
    let target = space.create(None, "{}".into()).unwrap();
    let data = format!(
        "a;b;c;d;e;f;g;h;i\n1;x;0;yes;2024-02-29;{target};[1, {{\"@counter\": 2}}];gone;\n"
    );
    let mut options = ImportOptions {
        delimiter: ";".into(),
        other_columns: ColumnKind::String,
        columns: vec![
            column("b", ColumnKind::Text),
            column("c", ColumnKind::Float),
            column("d", ColumnKind::Boolean),
            column("e", ColumnKind::Timestamp),
            column("f", ColumnKind::Reference),
            column("g", ColumnKind::Json),
            column("h", ColumnKind::Ignore),
        ],
        ..csv("Row")
    };
    options.columns[2].field = Some("when".into());
    options.columns.swap(2, 3);
    options.columns[2].field = Some("when".into());
    options.columns[3].field = None;
    space.import_data(data.into(), options).unwrap();
    assert_eq!(
        fields(&space, r#"{"type": "Row"}"#),
        [json!({"a": "1", "b": {"@text": "x"}, "c": 0.0, "d": true,
                "when": {"@timestamp": 1_709_164_800_000_i64},
                "f": {"@ref": format!("echo:{target}")}, "g": [1, {"@counter": 2}], "i": ""})]
    );
}

#[test]
fn json_comes_as_an_array_or_in_lines_or_alone() {
    let (_client, space) = space();
    let options = |format| ImportOptions {
        format,
        ..ImportOptions::default()
    };
    let array = " [ {\"a\": \"]},{\\\"\", \"n\": 1},\n {\"a\": {\"b\": [1, [2]]}, \"f\": 1.0}\n] ";
    let report = space.import_data(array.into(), options(ImportFormat::Json));
    assert_eq!(report.unwrap().created, 2);
    let one = space.import_data("{\"a\": 1}".into(), options(ImportFormat::Json));
    assert_eq!(one.unwrap().created, 1);
    let none = space.import_data("[]".into(), options(ImportFormat::Json));
    assert_eq!(none.unwrap().rows, 0);
    let marked = "\u{feff}{\"n\": 2}\r\n\r\n{\"n\": 3}";
    let lines = space.import_data(marked.into(), options(ImportFormat::Ndjson));
    assert_eq!(lines.unwrap().created, 2);
    let all = fields(&space, "{}");
    assert_eq!(all.len(), 5);
    assert!(all.contains(&json!({"a": "]},{\"", "n": 1})));
    assert!(all.contains(&json!({"a": {"b": [1, [2]]}, "f": 1.0})));
}

#[test]
fn bad_rows_stop_the_import_before_it_begins_or_are_reported() {
    let (_client, space) = space();
    let data = "k,n\na,1\n,2\nc,x,9\nd,4\n";
    let mut options = ImportOptions {
        key: Some("k".into()),
        columns: vec![column("n", ColumnKind::Integer)],
        ..csv("Row")
    };
    let digest = space.digest().unwrap();
    let error = space.import_data(data.into(), options.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.detail().contains("line 3"), "{error}");
    assert!(error.detail().contains("nothing was imported"), "{error}");
    assert_eq!(space.digest().unwrap(), digest);
    options.on_error = OnError::Skip;
    let report = space.import_data(data.into(), options.clone()).unwrap();
    assert_eq!((report.rows, report.created, report.skipped), (4, 2, 2));
    assert_eq!(report.skips[0].line, 3);
    assert!(report.skips[0].reason.contains("key"), "{report:?}");
    assert_eq!(report.skips[1].line, 4);
    assert!(report.skips[1].reason.contains("3 cells"), "{report:?}");
    let data = "k,n\na,1\nb,two\n";
    let report = space.import_data(data.into(), options).unwrap();
    assert!(report.skips[0].reason.contains("\"n\""), "{report:?}");
}

#[test]
fn files_are_read_in_pieces_and_written_in_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let (_client, space) = space();
    let path = name(dir.path(), "many.csv");
    let mut data = String::from("k,n\n");
    for n in 0..5000 {
        data.push_str(&format!("k{n},{n}\n"));
    }
    std::fs::write(&path, data).unwrap();
    let options = ImportOptions {
        key: Some("k".into()),
        ..csv("Row")
    };
    let before = space.status().unwrap().entries;
    let report = space.import_file(path.clone(), options.clone()).unwrap();
    assert_eq!(report.created, 5000);
    let entries = space.status().unwrap().entries - before;
    assert!((5..=6).contains(&entries), "{entries} transactions");
    let report = space.import_file(path, options.clone()).unwrap();
    assert_eq!(report.unchanged, 5000);
    let error = space.import_file(name(dir.path(), "none"), options.clone());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    let error = space.import_file("/dev/null".into(), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (_client, space) = space();
    let good = csv("Row");
    let fails = |data: &str, options: ImportOptions, word: &str| {
        let error = space.import_data(data.into(), options).unwrap_err();
        assert!(error.detail().contains(word), "{error}");
    };
    let with = |change: &dyn Fn(&mut ImportOptions)| {
        let mut options = good.clone();
        change(&mut options);
        options
    };
    fails("a\n1\n", with(&|o| o.delimiter = "ab".into()), "delimiter");
    fails("a\n1\n", with(&|o| o.delimiter = "\"".into()), "delimiter");
    fails("a\n1\n", with(&|o| o.key = Some("b".into())), "no column");
    fails(
        "a\n1\n",
        with(&|o| {
            o.key = Some("a".into());
            o.type_name = None;
        }),
        "type",
    );
    fails("a,a\n1,2\n", good.clone(), "two columns");
    fails("a,\n1,2\n", good.clone(), "column 2");
    fails("a,@b\n1,2\n", good.clone(), "column 2");
    fails(
        "a\n1\n",
        with(&|o| o.columns = vec![column("b", ColumnKind::Text)]),
        "no column",
    );
    let twice = vec![column("a", ColumnKind::Text); 2];
    fails("a\n1\n", with(&|o| o.columns = twice.clone()), "twice");
    let unnamed = with(&|o| o.header = false);
    let report = space.import_data("1,x\n".into(), unnamed).unwrap();
    assert_eq!(report.created, 1);
    assert_eq!(
        fields(&space, r#"{"type": "Row"}"#),
        [json!({"column_1": 1, "column_2": "x"})]
    );
}
