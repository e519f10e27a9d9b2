//! What the fuzzers in `fuzz/` feed: one function for each decoder of bytes or text that come from
//! other people. None may panic, take long, or allocate much, whatever it is given; where a format
//! has exactly one form for each value, what was read is written again and must be the same.
//!
//! The inputs that fuzzing found stand in `fuzz/corpus` and are run by the ordinary tests as well.

use crate::authority::ControlOp;
use crate::credential::{Claims, Credential, Presentation, code};
use crate::feed::{DataBody, Entry, FeedHeader};
use crate::identity::{DeviceChain, RecoveryPhrase};
use crate::invitation::code::InvitationCode;
use crate::model::{Path, Reference, SpaceId, json};
use crate::objects::{Document, ObjectFile, guard};
use crate::query::{Aggregate, Query, Search};
use crate::runtime::signal::SignalPayload;
use crate::schema::CompiledSchema;
use crate::sync::framing::Assembler;
use crate::sync::peer_proof::PeerProof;
use crate::sync::wire::Message;
use bytes::Bytes;

/// A function that takes whatever comes.
pub type Target = fn(&[u8]);

/// All of them, by the names of their corpora.
pub const TARGETS: &[(&str, Target)] = &[
    ("automerge_change", automerge_change),
    ("automerge_file", automerge_file),
    ("certificate", certificate),
    ("control_op", control_op),
    ("credential", credential),
    ("data_body", data_body),
    ("entry", entry),
    ("feed_header", feed_header),
    ("fields_json", fields_json),
    ("frames", frames),
    ("invitation_code", invitation_code),
    ("invitation_message", invitation_message),
    ("peer_proof", peer_proof),
    ("query", query),
    ("schema", schema),
    ("signal_frame", signal_frame),
    ("signal_payload", signal_payload),
    ("sync_message", sync_message),
];

const SPACE: SpaceId = SpaceId([7; 32]);

/// A feed's header.
pub fn feed_header(data: &[u8]) {
    let _ = FeedHeader::decode(data, SPACE);
}

/// An entry, and what an unsealed body of a control entry holds.
pub fn entry(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    if let Ok(entry) = Entry::decode(bytes, SPACE)
        && let Ok(body) = entry.open(None)
    {
        let _ = ControlOp::decode(&body);
    }
}

/// The body of a data entry.
pub fn data_body(data: &[u8]) {
    if let Ok(body) = DataBody::decode(data) {
        assert_eq!(body.encode(), data);
    }
}

/// The body of a control entry.
pub fn control_op(data: &[u8]) {
    if let Ok(op) = ControlOp::decode(data) {
        assert_eq!(op.encode(), data);
    }
}

/// A device's certificate or a request for one, a chain, a recovery statement, and what a user types
/// as a recovery phrase.
pub fn certificate(data: &[u8]) {
    if let Ok(chain) = DeviceChain::decode(data) {
        assert_eq!(chain.encode(), data);
    }
    crate::identity::fuzz_certificate(data);
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(phrase) = RecoveryPhrase::parse(text)
    {
        let again = RecoveryPhrase::parse(&phrase.words()).expect("it was read before");
        assert_eq!(again.key(), phrase.key());
    }
}

/// A credential or a presentation, as bytes or as text, and the claims of one.
pub fn credential(data: &[u8]) {
    if let Ok(credential) = Credential::decode(data) {
        assert_eq!(credential.bytes(), data);
        let _ = credential.check_time(0);
    }
    let _ = Presentation::decode(data);
    if let Ok(bytes) = code::to_bytes(data)
        && let Ok(text) = code::to_text(&bytes)
    {
        let again = code::to_bytes(text.as_bytes()).expect("what was written can be read");
        assert_eq!(again, bytes);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(claims) = Claims::new(text)
    {
        assert!(Claims::new(claims.text()).is_ok_and(|again| again == claims));
    }
}

/// The proof of a device at the start of a session.
pub fn peer_proof(data: &[u8]) {
    if let Ok(proof) = PeerProof::decode(data) {
        assert_eq!(proof.encode(), data);
        let _ = DeviceChain::decode(proof.certificate());
    }
}

/// An invitation code, as text or link.
pub fn invitation_code(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(code) = InvitationCode::parse(text) {
        let text = code.to_text().expect("what was read can be written");
        assert!(InvitationCode::parse(&text).is_ok_and(|again| again == code));
    }
}

/// A message between the two sides of an invitation, and of the layer above.
pub fn invitation_message(data: &[u8]) {
    crate::invitation::fuzz_message(data);
    crate::runtime::pairing::fuzz_message(data);
}

/// A message between two peers.
pub fn sync_message(data: &[u8]) {
    if let Ok(message) = Message::from_bytes(Bytes::copy_from_slice(data)) {
        let _ = message.tag();
        let again = Message::from_bytes(message.to_bytes().into());
        assert!(again.is_ok_and(|again| again == message));
    }
}

/// Frames of which messages are put together.
pub fn frames(data: &[u8]) {
    let mut assembler = Assembler::new();
    for frame in pieces(data) {
        if assembler.push(frame).is_err() {
            break;
        }
    }
}

/// A frame of the signalling server.
pub fn signal_frame(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        crate::runtime::signaling::fuzz_frame(text);
    }
}

/// What peers tell each other through the signalling server.
pub fn signal_payload(data: &[u8]) {
    if let Ok(payload) = SignalPayload::decode(data) {
        let _ = SignalPayload::decode(&payload.encode()).expect("it was read before");
    }
}

/// Automerge changes, one after another into one document.
pub fn automerge_change(data: &[u8]) {
    let changes: Vec<Vec<u8>> = pieces(data).map(<[u8]>::to_vec).collect();
    let sound = changes.iter().all(|change| guard::scan(change).is_ok());
    if !sound {
        return;
    }
    let mut document = Document::new([1; 16]);
    if document.apply_remote(&changes).is_ok() {
        let _ = document.project();
        let saved = document.save().expect("a sound document can be saved");
        Document::load([2; 16], Some(&saved), &[]).expect("what was saved can be loaded");
    }
}

/// An Automerge file of another program.
pub fn automerge_file(data: &[u8]) {
    if let Ok(mut file) = ObjectFile::read(data) {
        let _ = file.note();
    }
}

/// A schema that a member registers, and an object that is checked against it.
pub fn schema(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(schema) = CompiledSchema::compile(text) {
        let plain = json::parse(r#"{"name": "Ada", "tags": ["a", 1, null], "at": {"x": 1.5}}"#);
        let _ = schema.check(&plain.expect("a constant"));
    }
}

/// What programs pass as queries, searches and aggregates.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(query) = Query::parse(text) {
        let _ = crate::query::compile(&query);
    }
    let _ = Search::parse(text, Vec::new());
    let _ = Aggregate::parse(text);
}

/// Fields as JSON, references and paths.
pub fn fields_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = json::parse_fields(text);
    let _ = Path::parse(text);
    if let Ok(reference) = Reference::parse(text) {
        let again = Reference::parse(&reference.to_string());
        assert!(again.is_ok_and(|again| again == reference));
    }
}

/// Several inputs in one: each behind its length as a big-endian `u16`, the last one what is left.
fn pieces(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at_checked(length)?;
        data = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn corpus(name: &str) -> PathBuf {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        root.join("fuzz/corpus").join(name)
    }

    #[test]
    fn what_fuzzing_found_does_no_harm() {
        for (name, target) in TARGETS {
            let inputs = std::fs::read_dir(corpus(name));
            let inputs = inputs.unwrap_or_else(|e| panic!("the corpus of {name}: {e}"));
            let mut count = 0;
            for input in inputs {
                let path = input.expect("a file of the corpus").path();
                target(&std::fs::read(&path).expect("a readable file"));
                count += 1;
            }
            assert!(count > 0, "{name} has no inputs");
        }
    }

    #[test]
    fn every_corpus_has_a_target() {
        let folders = std::fs::read_dir(corpus("")).expect("the corpora are there");
        for folder in folders {
            let name = folder.expect("a folder").file_name();
            let known = TARGETS.iter().any(|(target, _)| name == *target);
            assert!(known, "{}", name.display());
        }
    }
}
