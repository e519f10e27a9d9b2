//! Automerge files that were made to hurt.

use super::hostile::{chunk, contents, signed, spent, unsigned};
use super::texts::Random;
use crate::model::{ErrorKind, limits};
use crate::objects::ObjectFile;
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT};
use std::io::Write;
use std::time::Duration;

const DOCUMENT: u8 = 0;

pub(super) fn deflated(data: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(data).unwrap();
    out.finish().unwrap()
}

/// A document with no heads and these columns of operations.
fn document(columns: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut data = vec![0, 0, 0];
    unsigned(&mut data, columns.len() as u64);
    for (spec, bytes) in columns {
        unsigned(&mut data, *spec);
        unsigned(&mut data, bytes.len() as u64);
    }
    for (_, bytes) in columns {
        data.extend(bytes);
    }
    chunk(DOCUMENT, &data)
}

fn refused(file: &[u8], kind: ErrorKind) {
    let before = spent();
    let error = ObjectFile::read(file).err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(spent() - before < Duration::from_secs(2), "{error}");
}

#[test]
fn attack_16_what_inflates_without_end_is_refused_before_it_does() {
    let zeros = deflated(&vec![0; 400 * 1024 * 1024]);
    assert!(zeros.len() < 1024 * 1024);
    // A column of values' bytes, compressed.
    let values = 5 << 4 | 8 | 7;
    refused(
        &document(&[(values, zeros.clone())]),
        ErrorKind::LimitExceeded,
    );
    // A compressed change, and many small bombs instead of a large one.
    refused(&chunk(2, &zeros), ErrorKind::LimitExceeded);
    let small = deflated(&vec![0; 9 * 1024 * 1024]);
    let columns: Vec<_> = (0..8).map(|n| (n << 4 | 8 | 7, small.clone())).collect();
    refused(&document(&columns), ErrorKind::LimitExceeded);
    refused(
        &document(&[(values, vec![0xff; 100])]),
        ErrorKind::InvalidArgument,
    );
}

#[test]
fn numbers_of_rows_are_not_believed() {
    let many = limits::OBJECT_FILE_ROWS as i64 + 1;
    let run = |length: i64| {
        let mut column = Vec::new();
        signed(&mut column, length);
        unsigned(&mut column, 1);
        column
    };
    let actions = 4 << 4 | 2;
    let successors = 8 << 4;
    refused(&document(&[(actions, run(many))]), ErrorKind::LimitExceeded);
    refused(
        &document(&[(actions, run(i64::MAX))]),
        ErrorKind::LimitExceeded,
    );
    // Few rows, but each says that it has many successors.
    let mut column = Vec::new();
    signed(&mut column, 2);
    unsigned(&mut column, u64::MAX / 4);
    refused(&document(&[(successors, column)]), ErrorKind::LimitExceeded);
    // As many as may be, compressed to a few bytes, in several documents of one file.
    let file: Vec<u8> = (0..3)
        .flat_map(|_| document(&[(actions | 8, deflated(&run(many - 2)))]))
        .collect();
    refused(&file, ErrorKind::LimitExceeded);
    // A table that claims more columns than there are bytes.
    let mut data = vec![0, 0];
    unsigned(&mut data, u64::MAX);
    refused(&chunk(DOCUMENT, &data), ErrorKind::InvalidArgument);
    refused(&chunk(3, b"bundle"), ErrorKind::InvalidArgument);
}

/// A document with texts, lists, counters and two writers.
fn sample() -> Vec<u8> {
    let mut am = AutoCommit::new().with_actor(vec![1; 16].into());
    let text = am.put_object(ROOT, "text", ObjType::Text).unwrap();
    am.splice_text(&text, 0, 0, "some text that is written")
        .unwrap();
    let list = am.put_object(ROOT, "list", ObjType::List).unwrap();
    for n in 0..20 {
        am.insert(&list, 0, n).unwrap();
    }
    am.commit();
    let mut other = am.fork().with_actor(vec![2; 16].into());
    other.splice_text(&text, 4, 5, "!").unwrap();
    other.delete(&list, 3).unwrap();
    am.put(ROOT, "n", 1.5).unwrap();
    am.merge(&mut other).unwrap();
    am.save()
}

#[test]
fn spoiled_documents_with_right_checksums_are_refused_or_read() {
    let good = contents(&sample()).to_vec();
    let mut random = Random(11);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..1500 {
        let mut bad = good.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bad.len());
            match random.below(4) {
                0 => bad[at] = random.below(256) as u8,
                1 => bad[at] ^= 1 << random.below(8),
                2 => drop(bad.remove(at)),
                _ => bad.insert(at, random.below(256) as u8),
            }
        }
        let before = spent();
        match ObjectFile::read(&chunk(DOCUMENT, &bad)) {
            Err(_) => refused += 1,
            // What loads must be read through without a panic that is not contained.
            Ok(mut file) => {
                let _ = file.state();
                let heads = file.heads();
                let _ = file.state_at(&heads);
                read += 1;
            }
        }
        assert!(spent() - before < Duration::from_secs(5));
    }
    assert!(refused > 1000, "{refused} refused, {read} read");
}
