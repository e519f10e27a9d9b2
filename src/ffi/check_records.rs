//! Reports of checks and repairs as JSON. Keys are only ever added.

use crate::api::{CheckFindingKind, CheckReport, RepairReport};
use serde_json::{Value as Json, json};

fn kind(kind: CheckFindingKind) -> &'static str {
    match kind {
        CheckFindingKind::File => "file",
        CheckFindingKind::Entry => "entry",
        CheckFindingKind::Object => "object",
        CheckFindingKind::Index => "index",
        CheckFindingKind::Blob => "blob",
    }
}

pub(super) fn check(report: &CheckReport) -> Json {
    let findings: Json = report
        .findings
        .iter()
        .map(|f| json!({"kind": kind(f.kind), "subject": f.subject, "detail": f.detail}))
        .collect();
    json!({
        "findings": findings,
        "more_findings": report.more_findings,
        "entries": report.entries,
        "objects": report.objects,
        "blobs": report.blobs,
    })
}

pub(super) fn repair(report: &RepairReport) -> Json {
    let lost: Json = report
        .lost
        .iter()
        .map(|lost| json!({"entry": lost.entry, "reason": lost.reason}))
        .collect();
    json!({
        "entries": report.entries,
        "objects": report.objects,
        "lost_entries": report.lost_entries,
        "lost": lost,
        "damaged_blocks": report.damaged_blocks,
        "incomplete_blobs": report.incomplete_blobs,
        "kept_file": report.kept_file,
    })
}
