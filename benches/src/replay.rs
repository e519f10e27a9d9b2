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

/// What makes all edits and gives the text, and how it is reported.
type Peer = (&'static str, &'static str, fn(&[Patch]) -> Outcome<String>);

/// `replay_paper`.
pub fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    against(
        setting,
        &[("replay_paper", "Automerge, one change for each edit", bare)],
    )
}

/// `replay_peers_…`: the same edits, made with other libraries. Those keep the text in memory; here it
/// is on disk, signed and sealed, when the last edit returns.
#[cfg(feature = "peers")]
pub fn measure_peers(setting: &Setting) -> Outcome<Vec<Row>> {
    let yrs = "yrs in memory, one transaction for each edit";
    let loro = "Loro in memory, one commit for each edit";
    against(
        setting,
        &[
            ("replay_peers_yrs", yrs, with_yrs),
            ("replay_peers_loro", loro, with_loro),
        ],
    )
}

fn against(setting: &Setting, peers: &[Peer]) -> Outcome<Vec<Row>> {
    let recording = read(&setting.traces.join("automerge-paper.json.gz"))?;
    let patches: Vec<Patch> = recording.txns.into_iter().flat_map(|t| t.patches).collect();
    let (runs, count) = match setting.quick {
        true => (1, 20_000.min(patches.len())),
        false => (3, patches.len()),
    };
    let whole = count == patches.len();
    let patches = &patches[..count];
    let mut ours = Vec::new();
    let mut bounds = vec![Vec::new(); peers.len()];
    for _ in 0..runs {
        let (text, elapsed) = through_the_library(patches)?;
        ours.push(elapsed);
        for ((_, _, peer), bounds) in peers.iter().zip(&mut bounds) {
            let (theirs, elapsed) = time(|| peer(patches))?;
            bounds.push(elapsed);
            if text != theirs || (whole && text != recording.end_content) {
                return Err("the text came out wrong".into());
            }
        }
    }
    let rows = peers.iter().zip(&bounds);
    let rows = rows.map(|((name, bound, _), bounds)| Row::new(name, "ms", &ours, bound, bounds));
    Ok(rows.collect())
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

#[cfg(feature = "peers")]
fn with_yrs(patches: &[Patch]) -> Outcome<String> {
    use yrs::{Doc, GetString, Text, Transact};
    // It counts bytes, which in this text are characters.
    let document = Doc::new();
    let text = document.get_or_insert_text("text");
    for Patch(position, deleted, inserted) in patches {
        let mut transaction = document.transact_mut();
        let position = u32::try_from(*position)?;
        if *deleted > 0 {
            text.remove_range(&mut transaction, position, u32::try_from(*deleted)?);
        }
        text.insert(&mut transaction, position, inserted);
    }
    Ok(text.get_string(&document.transact()))
}

#[cfg(feature = "peers")]
fn with_loro(patches: &[Patch]) -> Outcome<String> {
    let document = loro::LoroDoc::new();
    let text = document.get_text("text");
    for Patch(position, deleted, inserted) in patches {
        if *deleted > 0 {
            text.delete(*position, *deleted)?;
        }
        if !inserted.is_empty() {
            text.insert(*position, inserted)?;
        }
        document.commit();
    }
    Ok(text.to_string())
}
