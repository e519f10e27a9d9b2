//! Typing a paper: every edit a call of its own.

use crate::Setting;
use crate::create::open;
use crate::result::{Outcome, Row, time};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc, TextEncoding};
use echodb::TextUnit;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    end_content: String,
    txns: Vec<Txn>,
}

#[derive(Deserialize)]
struct Txn {
    patches: Vec<Patch>,
}

#[derive(Deserialize)]
struct Patch(usize, usize, String);

fn read(path: &Path) -> Outcome<Recording> {
    let file = std::fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(serde_json::from_reader(std::io::BufReader::new(
        flate2::read::GzDecoder::new(file),
    ))?)
}

/// `replay_paper`.
pub fn measure(setting: &Setting) -> Outcome<Row> {
    let recording = read(&setting.traces.join("automerge-paper.json.gz"))?;
    let patches: Vec<Patch> = recording.txns.into_iter().flat_map(|t| t.patches).collect();
    let (runs, count) = match setting.quick {
        true => (1, 20_000.min(patches.len())),
        false => (3, patches.len()),
    };
    let whole = count == patches.len();
    let (mut ours, mut bounds) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (text, elapsed) = through_the_library(&patches[..count])?;
        ours.push(elapsed);
        let (bare, elapsed) = time(|| bare(&patches[..count]))?;
        bounds.push(elapsed);
        if text != bare || (whole && text != recording.end_content) {
            return Err("the text came out wrong".into());
        }
    }
    Ok(Row::new(
        "replay_paper",
        "ms",
        &ours,
        "Automerge, one change for each edit",
        &bounds,
    ))
}

fn through_the_library(patches: &[Patch]) -> Outcome<(String, f64)> {
    let folder = tempfile::tempdir()?;
    let client = open(folder.path())?;
    client.create_identity("Bench".into())?;
    let space = client.create_space("{}".into())?;
    let id = space.create(None, r#"{"text": {"@text": ""}}"#.into())?;
    let ((), elapsed) = time(|| {
        for Patch(position, deleted, inserted) in patches {
            space.splice_text(
                id.clone(),
                "text".into(),
                *position as u64,
                *deleted as u64,
                inserted.clone(),
                TextUnit::CodePoint,
            )?;
        }
        Ok(space.flush()?)
    })?;
    let text = space.text(id, "text".into())?;
    client.shutdown()?;
    Ok((text, elapsed))
}

fn bare(patches: &[Patch]) -> Outcome<String> {
    let mut document = AutoCommit::new_with_encoding(TextEncoding::UnicodeCodePoint);
    let text = document.put_object(ROOT, "text", ObjType::Text)?;
    for Patch(position, deleted, inserted) in patches {
        document.splice_text(&text, *position, isize::try_from(*deleted)?, inserted)?;
        document.commit();
    }
    Ok(document.text(&text)?)
}
