//! Plain data that was made to hurt.

use super::plain::csv;
use super::{find, space};
use echodb::model::{ErrorKind, limits};
use echodb::{ImportFormat, ImportOptions, OnError};

fn options(format: ImportFormat, on_error: OnError) -> ImportOptions {
    ImportOptions {
        format,
        on_error,
        ..csv("Row")
    }
}

#[test]
fn huge_rows_are_refused_without_being_held() {
    let (_client, space) = space();
    let huge = "x".repeat(3 * limits::IMPORT_ROW_BYTES);
    let table = format!("a\n1\n{huge}\n2\n");
    for on_error in [OnError::Stop, OnError::Skip] {
        let error = space
            .import_data(table.clone().into(), options(ImportFormat::Csv, on_error))
            .unwrap_err();
        assert!(error.detail().contains("line 3"), "{error}");
    }
    // A quote that is never closed.
    let open = format!("a\n1\n\"{}", "x\n".repeat(limits::IMPORT_ROW_BYTES));
    let error = space.import_data(open.into(), options(ImportFormat::Csv, OnError::Skip));
    assert!(error.is_err());
    assert!(find(&space, "{}").is_empty());
    // Lines and elements end somewhere, so that the others can be read.
    let lines = format!("{{\"a\": 1}}\n{{\"a\": \"{huge}\"}}\n{{\"a\": 2}}");
    let report = space
        .import_data(lines.into(), options(ImportFormat::Ndjson, OnError::Skip))
        .unwrap();
    assert_eq!((report.created, report.skipped), (2, 1));
    assert_eq!(report.skips[0].line, 2);
    let array = format!("[{{\"a\": 1}},\n{{\"a\": \"{huge}\"}},\n{{\"a\": 2}}]");
    let report = space
        .import_data(array.into(), options(ImportFormat::Json, OnError::Skip))
        .unwrap();
    assert_eq!((report.created, report.skipped), (2, 1));
    assert_eq!(report.skips[0].line, 2);
}

#[test]
fn rows_that_fit_no_entry_are_found_out_and_the_others_written() {
    let (_client, space) = space();
    let large = "é".repeat(limits::DATA_ENTRY_BYTES / 2 - 100);
    let lines = format!("{{\"a\": 1}}\n{{\"a\": \"{large}\"}}\n{{\"a\": 2}}\n{{\"a\": 3}}");
    let report = space
        .import_data(
            lines.clone().into(),
            options(ImportFormat::Ndjson, OnError::Skip),
        )
        .unwrap();
    assert_eq!((report.created, report.skipped), (3, 1));
    assert_eq!(report.skips[0].line, 2);
    let error = space
        .import_data(lines.into(), options(ImportFormat::Ndjson, OnError::Stop))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.detail().contains("line 2"), "{error}");
    assert!(error.detail().contains("1 rows, up to line 1"), "{error}");
    assert_eq!(find(&space, "{}").len(), 4);
}

#[test]
fn deep_and_malformed_json_is_a_bad_row() {
    let (_client, space) = space();
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let rows = [
        format!("{{\"a\": {}}}", deep(100_000)),
        format!("{{\"a\": {}}}", deep(100)),
        "{\"a\": 1".to_owned(),
        "{\"@a\": 1}".to_owned(),
        "{\"a\": {\"@nope\": 1}}".to_owned(),
        "{\"\": 1}".to_owned(),
        "[1]".to_owned(),
        "null".to_owned(),
        "{\"a\": 99999999999999999999}".to_owned(),
        "{\"ok\": true}".to_owned(),
    ];
    let report = space
        .import_data(
            rows.join("\n").into(),
            options(ImportFormat::Ndjson, OnError::Skip),
        )
        .unwrap();
    assert_eq!((report.created, report.skipped), (2, 8), "{report:?}");
    let balanced: Vec<&String> = rows.iter().filter(|row| *row != "{\"a\": 1").collect();
    let array = format!(
        "[{}]",
        balanced
            .iter()
            .map(|r| r.as_str())
            .collect::<Vec<_>>()
            .join(",\n")
    );
    let report = space
        .import_data(array.into(), options(ImportFormat::Json, OnError::Skip))
        .unwrap();
    assert_eq!((report.created, report.skipped), (2, 7), "{report:?}");
    for cut in [
        "",
        " ",
        "x",
        "[",
        "[{}",
        "[{},",
        "[{}] x",
        "[{}{}]x",
        "\"a\"",
        "[{\"a\": \"]",
    ] {
        let result = space.import_data(cut.into(), options(ImportFormat::Json, OnError::Skip));
        assert!(result.is_err(), "{cut:?}: {result:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_bad_rows_or_no_input_at_all() {
    let (_client, space) = space();
    let report = space
        .import_data(
            b"a,b\n1,\xff\n2,x\n".to_vec(),
            options(ImportFormat::Csv, OnError::Skip),
        )
        .unwrap();
    assert_eq!((report.created, report.skipped), (1, 1));
    assert_eq!(report.skips[0].line, 2);
    let report = space
        .import_data(
            b"{\"a\": \"\xff\"}\n{}\n".to_vec(),
            options(ImportFormat::Ndjson, OnError::Skip),
        )
        .unwrap();
    assert_eq!((report.created, report.skipped), (1, 1));
    let wide: Vec<u8> = "\u{feff}a,b\n1,2\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = space
        .import_data(wide, options(ImportFormat::Csv, OnError::Skip))
        .unwrap_err();
    assert!(error.detail().contains("UTF-16"), "{error}");
    let bom = space
        .import_data(
            "\u{feff}a,b\r\n1,2\r\n".into(),
            options(ImportFormat::Csv, OnError::Stop),
        )
        .unwrap();
    assert_eq!(bom.created, 1);
    let many = vec!["c"; limits::IMPORT_COLUMNS + 1].join(",");
    let error = space
        .import_data(many.into(), options(ImportFormat::Csv, OnError::Skip))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(
        space
            .import_data(vec![], options(ImportFormat::Csv, OnError::Stop))
            .unwrap()
            .rows,
        0
    );
}

#[test]
fn a_report_is_bounded_and_a_closed_space_refuses() {
    let (_client, space) = space();
    let rows = "[1]\n".repeat(limits::IMPORT_SKIPS + 5);
    let report = space
        .import_data(rows.into(), options(ImportFormat::Ndjson, OnError::Skip))
        .unwrap();
    assert_eq!(report.skipped, limits::IMPORT_SKIPS as u64 + 5);
    assert_eq!(report.skips.len(), limits::IMPORT_SKIPS);
    space.close().unwrap();
    let error = space
        .import_data("{}".into(), options(ImportFormat::Ndjson, OnError::Skip))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
}
