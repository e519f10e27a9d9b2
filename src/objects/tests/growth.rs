//! Objects that many starts of programs and many marks went into: what honest use comes to fits,
//! and one entry cannot bring as much at once as it likes.

use super::*;
use crate::model::{Expand, limits};
use crate::objects::QuarantineCode;
use crate::objects::guard::{ChangeSummary, EntryTotal, ObjectActors, scan};

fn text_of(len: usize) -> Document {
    let mut document = Document::new([1; 16]);
    let fields = [("t".to_owned(), Value::Text("x".repeat(len)))].into();
    let create = Operation::Create {
        object: OBJECT,
        type_name: None,
        fields,
    };
    document.apply(&create).unwrap();
    document.commit(0, None).unwrap();
    document
}

fn mark(start: usize, end: usize, n: usize) -> Operation {
    Operation::Mark {
        object: OBJECT,
        path: path("/t"),
        start,
        end,
        unit: TextUnit::CodePoint,
        name: format!("mark {}", n % 20),
        value: Value::Int(n as i64),
        expand: Expand::After,
    }
}

/// One change for each of so many starts of a program, each under a name of its own.
fn starts(from: &[u8], count: u32) -> Vec<Vec<u8>> {
    let mut changes = Vec::new();
    for n in 0..count {
        let mut actor = [7; 16];
        actor[12..].copy_from_slice(&n.to_be_bytes());
        let mut document = Document::load(actor, Some(from), &[]).unwrap();
        let update = Operation::Update {
            object: OBJECT,
            fields: [("n".to_owned(), Value::Int(n.into()))].into(),
        };
        document.apply(&update).unwrap();
        changes.extend(document.commit(0, None).unwrap());
    }
    changes
}

#[test]
fn five_thousand_starts_of_programs_fit_an_object() {
    let mut document = text_of(1000);
    let saved = document.save().unwrap();
    let changes = starts(&saved, 5000);
    for some in changes.chunks(100) {
        document.apply_remote(some).unwrap();
    }
    let saved = document.save().unwrap();
    let mut again = Document::load([2; 16], Some(&saved), &[]).unwrap();
    assert_eq!(again.heads(), document.heads());
    assert_eq!(again.project().fields, document.project().fields);
}

#[test]
fn thousands_of_marks_fit_a_text() {
    let mut document = text_of(40_000);
    // As people set them, and as a program does: some in each transaction, apart and overlapping.
    for some in 0..10 {
        for n in some * 200..(some + 1) * 200 {
            let (start, end) = match n % 4 {
                0 => (n, n + 4000),
                _ => (n * 4, n * 4 + 3),
            };
            document.apply(&mark(start, end.min(40_000), n)).unwrap();
        }
        document.commit(0, None).unwrap();
    }
    let saved = document.save().unwrap();
    let mut again = Document::load([2; 16], Some(&saved), &[]).unwrap();
    let marks = again.marks(&path("/t"), TextUnit::CodePoint).unwrap();
    assert!(marks.len() >= 2000, "{}", marks.len());
}

#[test]
fn one_entry_brings_only_so_many_names_and_marks() {
    let mut document = text_of(10);
    let saved = document.save().unwrap();
    let most = limits::ENTRY_ACTORS;
    let mut actors = ObjectActors::default();
    for (n, change) in starts(&saved, most as u32 + 1).iter().enumerate() {
        let added = actors.add(&scan(change).unwrap());
        let code = added.err().map(|quarantine| quarantine.code);
        let expected = (n == most).then_some(QuarantineCode::EntryActors);
        assert_eq!(code, expected, "{n}");
    }
    document.apply(&mark(0, 5, 1)).unwrap();
    document.apply(&mark(3, 8, 2)).unwrap();
    let change = scan(&document.commit(0, None).unwrap()[0]).unwrap();
    assert_eq!(change.marks, 4);
    let mut total = EntryTotal::default();
    let marks = |marks| ChangeSummary {
        marks,
        ..change.clone()
    };
    total.add(&marks(limits::ENTRY_MARKS)).unwrap();
    let refused = total.add(&marks(1)).unwrap_err();
    assert_eq!(refused.code, QuarantineCode::EntryMarks);
}

/// `cargo test --lib measure_growth -- --ignored --nocapture` shows how the cost grows.
#[test]
#[ignore = "measures"]
fn measure_growth() {
    use std::time::Instant;
    for len in [10, 100_000] {
        let mut document = text_of(len);
        let saved = document.save().unwrap();
        let changes = starts(&saved, 4000);
        for some in changes.chunks(500) {
            let start = Instant::now();
            for change in some {
                document.apply_remote(std::slice::from_ref(change)).unwrap();
            }
            println!("{len} characters, 500 more names: {:?}", start.elapsed());
        }
    }
    for nested in [false, true] {
        let mut document = text_of(40_000);
        for some in 0..6usize {
            let start = Instant::now();
            let mut applying = std::time::Duration::ZERO;
            for n in some * 500..(some + 1) * 500 {
                let (from, to) = if nested {
                    (n, 40_000 - n)
                } else {
                    (n * 10, n * 10 + 5)
                };
                let one = Instant::now();
                document.apply(&mark(from, to, n)).unwrap();
                applying += one.elapsed();
                document.commit(0, None).unwrap();
            }
            println!(
                "nested {nested}, 500 more marks one by one: {:?}, applying {applying:?}",
                start.elapsed()
            );
        }
        let start = Instant::now();
        let saved = document.save().unwrap();
        println!("saved and loaded: {:?}", start.elapsed());
        let start = Instant::now();
        let mut again = Document::load([2; 16], Some(&saved), &[]).unwrap();
        println!("loaded: {:?}", start.elapsed());
        let start = Instant::now();
        let marks = again.marks(&path("/t"), TextUnit::CodePoint).unwrap();
        println!("{} marks read: {:?}", marks.len(), start.elapsed());
    }
    let mut document = text_of(40_000);
    let start = Instant::now();
    for n in 0..4000usize {
        document.apply(&mark(n, 40_000 - n, n)).unwrap();
    }
    println!(
        "4000 nested marks in one transaction: {:?}",
        start.elapsed()
    );
    let start = Instant::now();
    document.commit(0, None).unwrap();
    println!("committed: {:?}", start.elapsed());
}
