//! Recorded editing sessions, in the format of josephg/editing-traces, plain or gzipped.

use crate::run::Outcome;
use serde::Deserialize;
use std::fs;
use std::io::Read;
use std::path::Path;

/// A transaction of the demo is at most as many patches long: enough to be quick, far from limits.
const STEP_PATCHES: usize = 200;

/// A session, its transactions gathered into steps.
pub struct Trace {
    /// The text before the first step.
    pub start: String,
    /// The text as it was recorded at the end.
    pub end: String,
    /// The steps; each comes after its parents.
    pub steps: Vec<Step>,
    /// The number of recorded transactions.
    pub txns: usize,
}

/// Consecutive transactions of one author, between which nobody else saw the text: to all others
/// they are one edit.
pub struct Step {
    /// Who made it.
    pub agent: usize,
    /// The steps whose versions the author saw.
    pub parents: Vec<usize>,
    /// The edits, positions in characters as they stand at each.
    pub patches: Vec<Patch>,
    /// How many transactions it stands for.
    pub txns: usize,
}

/// At a position, so many characters deleted, a text inserted.
#[derive(Deserialize)]
pub struct Patch(pub u64, pub u64, pub String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    kind: Option<String>,
    #[serde(default)]
    start_content: String,
    end_content: String,
    txns: Vec<Txn>,
}

#[derive(Deserialize)]
struct Txn {
    parents: Option<Vec<usize>>,
    #[serde(default)]
    agent: usize,
    patches: Vec<Patch>,
}

impl Step {
    /// Whether it leaves the text as it is, so that no change comes of it.
    pub fn is_empty(&self) -> bool {
        self.patches.iter().all(|p| p.1 == 0 && p.2.is_empty())
    }

    /// How its change is found in the history of the text.
    pub fn message(index: usize) -> String {
        format!("step {index}")
    }
}

impl Trace {
    /// Reads a recording.
    pub fn read(path: &Path) -> Outcome<Trace> {
        let named = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let bytes = fs::read(path).map_err(|e| named(&e))?;
        let mut text = String::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            flate2::read::GzDecoder::new(&bytes[..])
                .read_to_string(&mut text)
                .map_err(|e| named(&e))?;
        } else {
            text = String::from_utf8(bytes).map_err(|e| named(&e))?;
        }
        let recording: Recording = serde_json::from_str(&text).map_err(|e| named(&e))?;
        Trace::from_recording(recording).map_err(|e| named(&e).into())
    }

    fn from_recording(recording: Recording) -> Outcome<Trace> {
        let concurrent = recording.kind.as_deref() == Some("concurrent");
        let parents = parents(&recording.txns, concurrent)?;
        let mut children = vec![0usize; parents.len()];
        for parent in parents.iter().flatten() {
            children[*parent] += 1;
        }
        let count = recording.txns.len();
        let mut steps: Vec<Step> = Vec::new();
        let mut step_of: Vec<usize> = Vec::with_capacity(count);
        for (txn, parents) in recording.txns.into_iter().zip(parents) {
            let before = match parents[..] {
                [parent] if children[parent] == 1 => Some(step_of[parent]),
                _ => None,
            };
            if let Some(index) = before
                && steps[index].agent == txn.agent
                && steps[index].patches.len() + txn.patches.len() <= STEP_PATCHES
            {
                steps[index].patches.extend(txn.patches);
                steps[index].txns += 1;
                step_of.push(index);
                continue;
            }
            let mut parents: Vec<usize> = parents.iter().map(|parent| step_of[*parent]).collect();
            parents.sort_unstable();
            parents.dedup();
            step_of.push(steps.len());
            steps.push(Step {
                agent: txn.agent,
                parents,
                patches: txn.patches,
                txns: 1,
            });
        }
        Ok(Trace {
            start: recording.start_content,
            end: recording.end_content,
            steps,
            txns: count,
        })
    }
}

/// Each transaction's parents: as recorded, or the one before it.
fn parents(txns: &[Txn], concurrent: bool) -> Outcome<Vec<Vec<usize>>> {
    let mut all = Vec::with_capacity(txns.len());
    for (index, txn) in txns.iter().enumerate() {
        let parents = match &txn.parents {
            Some(parents) => parents.clone(),
            None if concurrent => return Err(format!("transaction {index} has no parents").into()),
            None => index.checked_sub(1).into_iter().collect(),
        };
        if parents.iter().any(|parent| *parent >= index) {
            return Err(format!("transaction {index} comes before its parent").into());
        }
        all.push(parents);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(json: &str) -> Trace {
        Trace::from_recording(serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn what_nobody_else_saw_becomes_one_step() {
        let trace = trace(
            r#"{"kind": "concurrent", "endContent": "abcd", "numAgents": 2, "txns": [
                {"parents": [], "agent": 0, "patches": [[0, 0, "a"]]},
                {"parents": [0], "agent": 0, "patches": [[1, 0, "b"]]},
                {"parents": [1], "agent": 1, "patches": [[2, 0, "c"]]},
                {"parents": [1], "agent": 0, "patches": [[0, 0, "-"]]},
                {"parents": [2, 3], "agent": 0, "patches": [[0, 1, ""]]}]}"#,
        );
        let shape: Vec<_> = trace
            .steps
            .iter()
            .map(|s| (s.agent, s.parents.clone(), s.txns))
            .collect();
        assert_eq!(
            shape,
            [
                (0, vec![], 2),
                (1, vec![0], 1),
                (0, vec![0], 1),
                (0, vec![1, 2], 1)
            ]
        );
    }

    #[test]
    fn a_sequential_recording_is_one_author() {
        let trace = trace(
            r#"{"startContent": "", "endContent": "ab",
                "txns": [{"patches": [[0, 0, "a"]]}, {"patches": [[1, 0, "b"]]}]}"#,
        );
        assert_eq!((trace.steps.len(), trace.steps[0].txns), (1, 2));
    }
}
