//! What the fuzzers feed: files of other people, as far as they are read without a space.

use super::files::Source;
use super::rows::Rows;
use super::{archive, json_import, plain_import};
use crate::api::{ColumnKind, ImportFormat, ImportOptions, OnError};
use crate::model::{ObjectId, SpaceId};
use crate::objects::Document;
use std::io::Cursor;

/// An archive.
pub fn archive(data: &[u8]) {
    let _ = archive::check(&mut Cursor::new(data));
}

/// An export of objects as JSON lines, and the objects that it says.
pub fn export(data: &[u8]) {
    let source: &mut dyn Source = &mut Cursor::new(data);
    let _ = json_import::each(source, &mut |object, carried| {
        let mut document = Document::new([1; 16]);
        let steps = carried.create(&SpaceId([7; 32]), object);
        if steps.iter().all(|step| document.apply(step).is_ok()) && document.commit(0, None).is_ok()
        {
            let _ = document.project();
        }
    });
}

/// Plain data; the first byte says of which format, and how it is read.
pub fn plain(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let formats = [ImportFormat::Json, ImportFormat::Ndjson, ImportFormat::Csv];
    let kinds = [
        ColumnKind::Infer,
        ColumnKind::Timestamp,
        ColumnKind::Json,
        ColumnKind::Reference,
    ];
    let (Some(format), Some(kind)) = (
        formats.get(usize::from(how & 3)),
        kinds.get(usize::from(how >> 2 & 3)),
    ) else {
        return;
    };
    let options = ImportOptions {
        format: *format,
        other_columns: *kind,
        header: how & 16 != 0,
        type_name: Some("T".into()),
        key: (how & 32 != 0).then(|| "id".into()),
        on_error: if how & 64 != 0 {
            OnError::Stop
        } else {
            OnError::Skip
        },
        ..ImportOptions::default()
    };
    let mut source = Cursor::new(rest);
    let Ok(plan) = plain_import::Plan::checked(&options, &mut source) else {
        return;
    };
    let Ok(mut rows) = Rows::begin(&mut source, &options) else {
        return;
    };
    while let Ok(Some(row)) = rows.next() {
        let fields = row.content.and_then(|content| plan.fields(content));
        if let Ok((fields, _)) = fields {
            let create = crate::model::Operation::Create {
                object: ObjectId([1; 16]),
                type_name: None,
                fields,
            };
            let _ = Document::new([1; 16]).apply(&create);
        }
    }
}
