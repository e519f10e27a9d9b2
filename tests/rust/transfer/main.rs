//! Import and export.

#[path = "../support/mod.rs"]
mod support;

mod archive;
mod javascript;
mod json_lines;
mod object_file;
mod plain;
mod plain_hostile;

use echodb::{Client, ClientOptions, Space};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// A client that stays by itself, on disk or in memory, with an identity.
fn alone(profile: Option<&Path>) -> Arc<Client> {
    let options = ClientOptions {
        profile: profile.map(|path| path.to_string_lossy().into_owned()),
        online: false,
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    if client.identity().is_none() {
        client.create_identity("Ada".into()).unwrap();
    }
    client
}

/// A new space in memory.
fn space() -> (Arc<Client>, Arc<Space>) {
    let client = alone(None);
    let space = client.create_space("{}".into()).unwrap();
    (client, space)
}

/// A file's name in a directory.
fn name(dir: &Path, file: &str) -> String {
    dir.join(file).to_string_lossy().into_owned()
}

/// What a query finds, as JSON.
fn find(space: &Space, query: &str) -> Vec<Value> {
    serde_json::from_slice(&space.query_json(query.into()).unwrap()).unwrap()
}

/// An object, as JSON.
fn get(space: &Space, id: &str) -> Value {
    serde_json::from_str(&space.get(id.into()).unwrap().unwrap().fields).unwrap()
}
