//! Documents that many hands, starts and marks went into.

use super::*;
use crate::model::{Expand, Operation, TextUnit, Value};
use std::time::Instant;

fn text_of(len: usize) -> Document {
    let mut document = Document::new([1; 16]);
    let create = Operation::Create {
        object: crate::model::ObjectId([2; 16]),
        type_name: None,
        fields: [("t".to_owned(), Value::Text("x".repeat(len)))].into(),
    };
    document.apply(&create).unwrap();
    document.commit(0, None).unwrap();
    document
}

#[test]
#[ignore = "measures"]
fn measure_actors() {
    for len in [10, 100_000] {
        let mut base = text_of(len);
        let saved = base.save().unwrap();
        let mut start = Instant::now();
        let mut all = Vec::new();
        for n in 0..5000u32 {
            let mut actor = [7; 16];
            actor[12..].copy_from_slice(&n.to_be_bytes());
            let mut other = Document::load(actor, Some(&saved), &[]).unwrap();
            other
                .apply(&Operation::Update {
                    object: crate::model::ObjectId([2; 16]),
                    fields: [("n".to_owned(), Value::Int(n.into()))].into(),
                })
                .unwrap();
            all.extend(other.commit(0, None).unwrap());
        }
        println!("{len}: made in {:?}", start.elapsed());
        start = Instant::now();
        for (n, change) in all.iter().enumerate() {
            base.apply_remote(&[change.clone()]).unwrap();
            if n % 500 == 499 {
                println!("{len}: {n} actors, 500 in {:?}", start.elapsed());
                start = Instant::now();
            }
        }
        start = Instant::now();
        let bytes = base.save().unwrap();
        println!("saved {} in {:?}", bytes.len(), start.elapsed());
        start = Instant::now();
        Document::load([2; 16], Some(&bytes), &[]).unwrap();
        println!("loaded in {:?}", start.elapsed());
        start = Instant::now();
        base = Document::load([2; 16], Some(&saved), &[]).unwrap();
        base.apply_remote(&all).unwrap();
        println!("at once in {:?}", start.elapsed());
    }
}

#[test]
#[ignore = "measures"]
fn measure_marks() {
    for (what, nested) in [("apart", false), ("nested", true)] {
        let mut document = text_of(40_000);
        let mut start = Instant::now();
        let mut applying = std::time::Duration::ZERO;
        for n in 0..4000usize {
            let (from, to) = if nested {
                (n, 40_000 - n)
            } else {
                (n * 10, n * 10 + 5)
            };
            let mark = Operation::Mark {
                object: crate::model::ObjectId([2; 16]),
                path: crate::model::Path::parse("/t").unwrap(),
                start: from,
                end: to,
                unit: TextUnit::CodePoint,
                name: format!("m{}", n % 50),
                value: Value::Int(n as i64),
                expand: Expand::After,
            };
            let one = Instant::now();
            document.apply(&mark).unwrap();
            applying += one.elapsed();
            document.commit(0, None).unwrap();
            if n % 500 == 499 {
                println!(
                    "{what}: {n} marks, 500 in {:?}, of which applying {applying:?}",
                    start.elapsed()
                );
                applying = std::time::Duration::ZERO;
                start = Instant::now();
            }
        }
        start = Instant::now();
        let bytes = document.save().unwrap();
        println!("saved {} in {:?}", bytes.len(), start.elapsed());
        start = Instant::now();
        let mut again = Document::load([2; 16], Some(&bytes), &[]).unwrap();
        println!("loaded in {:?}", start.elapsed());
        start = Instant::now();
        let marks = again
            .marks(
                &crate::model::Path::parse("/t").unwrap(),
                TextUnit::CodePoint,
            )
            .unwrap();
        println!("{} marks read in {:?}", marks.len(), start.elapsed());
        start = Instant::now();
        again.project();
        println!("projected in {:?}", start.elapsed());
    }
}
