//! What a client shows of its profile, as JSON.

use echodb::{Client, SearchOptions, Space};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Queries whose results are compared.
const QUERIES: [&str; 9] = [
    r#"{}"#,
    r#"{"where": {"type": "Note"}, "order": [{"by": "title"}]}"#,
    r#"{"and": [{"type": "Note"}, {"field": "n", "op": "ge", "value": 2}]}"#,
    r#"{"and": [{"type": "Note"}, {"or": [{"deleted": true}, {"deleted": false}]}]}"#,
    r#"{"tag": "green"}"#,
    r#"{"key": {"source": "wiki", "key": "Q1"}}"#,
    r#"{"search": "thorn"}"#,
    r#"{"deleted": true}"#,
    r#"{"type": "Sees"}"#,
];

/// All that is compared: the spaces that `wanted` names, and who the client is. Without `wanted`,
/// all spaces.
pub fn client(client: &Client, wanted: &Json) -> Json {
    let identity = client.identity().unwrap();
    let mut spaces = BTreeMap::new();
    for info in client.spaces().unwrap() {
        let asked = wanted.get("spaces").and_then(|all| all.get(&info.id));
        if wanted.get("spaces").is_some() && asked.is_none() {
            continue;
        }
        let space = client.space(info.id.clone()).unwrap();
        let mut seen = of_space(&space, asked);
        seen["name"] = json!(info.name);
        seen["default"] = json!(info.is_default);
        spaces.insert(info.id, seen);
    }
    let devices = client.devices().unwrap().into_iter();
    let mut devices: Vec<Json> = devices
        .map(|device| json!({"device": device.device, "name": device.name, "revoked": device.revoked}))
        .collect();
    devices.sort_by_key(|device| device["device"].to_string());
    json!({
        "devices": devices,
        "identity": identity.identity,
        "device": identity.device,
        "display_name": identity.display_name,
        "spaces": spaces,
    })
}

fn rows(space: &Space, query: &str) -> Option<Json> {
    let found = space.query_json(query.into()).ok()?;
    serde_json::from_slice(&found).ok()
}

fn of_space(space: &Space, wanted: Option<&Json>) -> Json {
    let mut queries = BTreeMap::new();
    let asked = wanted.and_then(|wanted| wanted["queries"].as_object());
    let kept: Vec<String> = match asked {
        Some(asked) => asked.keys().cloned().collect(),
        None => QUERIES.map(str::to_owned).to_vec(),
    };
    for query in kept {
        let found = rows(space, &query).unwrap_or_else(|| panic!("the query {query}"));
        queries.insert(query, found);
    }
    let mut objects = BTreeMap::new();
    let everything = rows(space, r#"{"or": [{"deleted": true}, {"deleted": false}]}"#).unwrap();
    for row in everything.as_array().unwrap() {
        let id = row["id"].as_str().unwrap().to_owned();
        let history = space.history(id.clone(), Vec::new()).unwrap();
        let hashes: Vec<String> = history.into_iter().map(|change| change.hash).collect();
        let body = space.text(id.clone(), "body".into()).ok();
        let marks = space.marks(id.clone(), "body".into(), echodb::TextUnit::Utf8);
        let marks = marks.map_or(0, |marks| marks.len());
        objects.insert(id, json!({"history": hashes, "body": body, "marks": marks}));
    }
    let log = space.log(100, None).unwrap();
    let log: Vec<Json> = log
        .into_iter()
        .map(|one| json!({"entry": one.entry, "message": one.message, "objects": one.objects}))
        .collect();
    let mut members: Vec<Json> = space
        .members()
        .unwrap()
        .into_iter()
        .map(|m| json!({"identity": m.identity, "name": m.display_name, "role": m.role}))
        .collect();
    members.sort_by_key(|member| member["identity"].to_string());
    let hits = space.search("thorn".into(), SearchOptions::default());
    let hits: Json = serde_json::from_slice(&hits.unwrap()).unwrap();
    let hits = hits.as_array().unwrap().iter();
    let hits: Vec<&Json> = hits.map(|hit| &hit["id"]).collect();
    let schemas = space.schemas().unwrap();
    let schemas: BTreeMap<String, u32> = schemas
        .into_iter()
        .map(|schema| (schema.type_name, schema.version))
        .collect();
    let indexes = space.indexes().unwrap().into_iter();
    let indexes: Vec<Json> = indexes.map(|i| json!([i.type_name, i.path])).collect();
    let excluded = space.excluded().unwrap().into_iter();
    let excluded: Vec<Json> = excluded
        .map(|one| {
            let code = one.reason.split(':').next();
            json!({"entry": one.entry, "identity": one.identity, "objects": one.objects, "why": code})
        })
        .collect();
    let status = space.status().unwrap();
    json!({
        "excluded": excluded,
        "digest": space.digest().unwrap(),
        "properties": serde_json::from_str::<Json>(&space.properties().unwrap()).unwrap(),
        "queries": queries,
        "objects": objects,
        "log": log,
        "members": members,
        "search": hits,
        "schemas": schemas,
        "indexes": indexes,
        "blobs": blobs(space),
        "counts": {"objects": status.objects, "entries": status.entries, "violations": status.violations},
    })
}

/// Blobs, those that are here with a number that their bytes make.
fn blobs(space: &Space) -> BTreeMap<String, Json> {
    let blobs = space.blobs().unwrap().into_iter();
    let seen = blobs.map(|blob| {
        let sum = blob.whole.then(|| {
            let bytes = space.read_blob(blob.id.clone(), 0, blob.size).unwrap();
            bytes.iter().fold(0u64, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u64::from(*byte)) % 1_000_000_007
            })
        });
        let seen = json!({"size": blob.size, "whole": blob.whole, "referenced": blob.referenced, "sum": sum});
        (blob.id, seen)
    });
    seen.collect()
}
