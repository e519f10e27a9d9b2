//! What the fuzzers in `fuzz/` feed: one function for each decoder of bytes or text that come from
//! other people. None may panic, take long, or allocate much, whatever it is given; where a format
//! has exactly one form for each value, what was read is written again and must be the same.
//!
//! The inputs that fuzzing found stand in `fuzz/corpus` and are run by the ordinary tests as well.

mod space;

use crate::authority::ControlOp;
use crate::credential::{Claims, Credential, Presentation, code};
use crate::feed::{DataBody, Entry, FeedHeader, sha256};
use crate::identity::{DeviceChain, RecoveryPhrase};
use crate::invitation::code::InvitationCode;
use crate::model::{Operation, Path, Reference, SpaceId, TextUnit, Value, json};
use crate::objects::{Document, ObjectFile, guard};
use crate::query::{Aggregate, Query, Search, StoredJson, sort_key};
use crate::runtime::signal::SignalPayload;
use crate::runtime::transfer::fuzz as files;
use crate::schema::CompiledSchema;
use crate::sync::framing::Assembler;
use crate::sync::peer_proof::PeerProof;
use crate::sync::session::Handshake;
use crate::sync::wire::Message;
use bytes::Bytes;

/// A function that takes whatever comes.
pub type Target = fn(&[u8]);

/// All of them, by the names of their corpora.
pub const TARGETS: &[(&str, Target)] = &[
    ("archive", archive),
    ("automerge_change", automerge_change),
    ("automerge_file", automerge_file),
    ("certificate", certificate),
    ("control_op", control_op),
    ("credential", credential),
    ("data_body", data_body),
    ("entry", entry),
    ("export", export),
    ("feed_header", feed_header),
    ("fields_json", fields_json),
    ("frames", frames),
    ("invitation_code", invitation_code),
    ("invitation_message", invitation_message),
    ("peer_proof", peer_proof),
    ("plain_data", plain_data),
    ("query", query),
    ("schema", schema),
    ("session_description", session_description),
    ("signal_frame", signal_frame),
    ("signal_payload", signal_payload),
    ("space_entries", space_entries),
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

/// The start of a session: its handshake, and the proof of a device.
pub fn peer_proof(data: &[u8]) {
    session(data);
    if let Ok(proof) = PeerProof::decode(data) {
        assert_eq!(proof.encode(), data);
        let _ = DeviceChain::decode(proof.certificate());
    }
}

/// An invitation code, as text or link, and as the bytes behind its checksum.
pub fn invitation_code(data: &[u8]) {
    crate::invitation::code::fuzz_payload(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(code) = InvitationCode::parse(text) {
        let text = code.to_text().expect("what was read can be written");
        assert!(InvitationCode::parse(&text).is_ok_and(|again| again == code));
    }
}

/// A message between the two sides of an invitation, of the layer above, and of a recovery.
pub fn invitation_message(data: &[u8]) {
    crate::invitation::fuzz_message(data);
    crate::runtime::pairing::fuzz_message(data);
    crate::runtime::halo::fuzz_message(data);
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
    let changes: Vec<Vec<u8>> = pieces(data).map(with_checksums).collect();
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
    if let Ok(mut file) = ObjectFile::read(&with_checksums(data)) {
        let _ = file.note();
        let _ = file.state();
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

/// What programs pass as queries, searches and aggregates, the place that a page ended at, and the
/// stored fields that results are ordered by.
pub fn query(data: &[u8]) {
    crate::query::fuzz_cells(data);
    let path = Path::parse("/a/0").expect("a constant");
    let _ = sort_key(StoredJson::Binary(data), &path);
    let _ = sort_key(StoredJson::Text(data), &path);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(query) = Query::parse(text) {
        let _ = crate::query::compile(&query);
    }
    let _ = Search::parse(text, Vec::new());
    let _ = Aggregate::parse(text);
}

/// Fields as JSON, references, paths, and places in texts.
pub fn fields_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = json::parse_fields(text);
    text_cursor(text);
    let _ = Path::parse(text);
    if let Ok(reference) = Reference::parse(text) {
        let again = Reference::parse(&reference.to_string());
        assert!(again.is_ok_and(|again| again == reference));
    }
}

/// An archive of a space, as far as it is checked without keys.
pub fn archive(data: &[u8]) {
    files::archive(data);
}

/// An export of objects as JSON lines.
pub fn export(data: &[u8]) {
    files::export(data);
}

/// A table or a list of plain data; the first byte says which.
pub fn plain_data(data: &[u8]) {
    files::plain(data);
}

/// A place in a text, as people tell each other where they are.
fn text_cursor(text: &str) {
    let mut document = Document::new([1; 16]);
    let create = Operation::Create {
        object: crate::model::ObjectId([2; 16]),
        type_name: None,
        fields: [("t".to_owned(), Value::Text("a b\u{1f600}c".into()))].into(),
    };
    document.apply(&create).expect("a sound step");
    document.commit(0, None).expect("a sound change");
    let path = Path::parse("/t").expect("a constant");
    for unit in [TextUnit::CodePoint, TextUnit::Utf16, TextUnit::Utf8] {
        let _ = document.cursor_position(&path, text, unit);
    }
}

/// Messages of a session's handshake, to either side, and frames after it.
fn session(data: &[u8]) {
    let new = |initiator| {
        let secret = if initiator { 1 } else { 2 };
        Handshake::new(initiator, b"fuzz", [secret; 32], [secret + 2; 32]).expect("a handshake")
    };
    for initiator in [true, false] {
        let mut handshake = new(initiator);
        for message in pieces(data) {
            if handshake.is_my_turn() {
                handshake.write().expect("it is its turn");
            }
            if handshake.read(message).is_err() {
                break;
            }
        }
    }
    let (mut one, mut other) = (new(true), new(false));
    for from_one in [true, false, true] {
        let (from, to) = if from_one {
            (&mut one, &mut other)
        } else {
            (&mut other, &mut one)
        };
        let message = from.write().expect("it is its turn");
        to.read(&message).expect("an honest message");
    }
    let mut session = one.into_session().expect("it is finished");
    for frame in pieces(data) {
        assert!(session.open(frame).is_err(), "nobody sealed this");
    }
}

/// A description of a session by a stranger, and candidates that follow, a line each.
pub fn session_description(data: &[u8]) {
    let pieces: Vec<&[u8]> = pieces(data).collect();
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let Some((first, rest)) = pieces.split_first() else {
        return;
    };
    let candidates: Vec<&str> = rest.iter().map(|piece| text(piece)).collect();
    crate::runtime::webrtc::fuzz::description(text(first), &candidates);
}

/// Signed entries with any bodies, taken in by a peer.
pub fn space_entries(data: &[u8]) {
    space::bodies(data);
}

/// Writes the checksums of Automerge chunks anew: a fuzzer would not find one, and whoever means
/// harm can compute them.
fn with_checksums(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    let mut at = 0;
    while let Some((length, payload)) = chunk(bytes.get(at..).unwrap_or_default()) {
        let end = at + payload + length;
        let Some(hashed) = bytes.get(at + 8..end) else {
            break;
        };
        let hash = sha256(&[hashed]);
        for (to, from) in bytes.iter_mut().skip(at + 4).zip(hash.iter().take(4)) {
            *to = *from;
        }
        at = end;
    }
    bytes
}

/// The length of a chunk's contents, and where they begin.
fn chunk(bytes: &[u8]) -> Option<(usize, usize)> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    if *magic != [0x85, 0x6f, 0x4a, 0x83] {
        return None;
    }
    let mut length = 0usize;
    for (n, byte) in rest.get(5..)?.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((length, 9 + n + 1));
        }
    }
    None
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

    /// A few steps from each input, without a fuzzer. `ECHODB_MUTATIONS=n` takes so many from each.
    #[test]
    fn what_is_close_to_the_inputs_does_no_harm() {
        let count = std::env::var("ECHODB_MUTATIONS").map(|n| n.parse().expect("a number"));
        let mut random = Random(7);
        for (name, target) in TARGETS {
            let inputs = std::fs::read_dir(corpus(name)).expect("its corpus");
            let inputs: Vec<Vec<u8>> = inputs
                .map(|input| std::fs::read(input.expect("a file").path()).expect("a readable file"))
                .collect();
            for at in 0..count.clone().unwrap_or(40) {
                let input = mutated(&inputs, &mut random);
                let harm = std::panic::catch_unwind(|| target(&input));
                assert!(harm.is_ok(), "{name} {at}: {input:02x?}");
            }
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            let state = self.0.wrapping_mul(6_364_136_223_846_793_005);
            self.0 = state.wrapping_add(1);
            (self.0 >> 33) as usize % bound.max(1)
        }
    }

    /// One of the inputs with a few changes: bytes set, taken out, put in, or taken from another.
    fn mutated(inputs: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
        const TELLING: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'[', b'9'];
        let mut input = inputs[random.below(inputs.len())].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(input.len() + 1);
            let to = (at + random.below(8)).min(input.len());
            let byte = match random.below(2) {
                0 => TELLING[random.below(TELLING.len())],
                _ => random.below(256) as u8,
            };
            match random.below(5) {
                0 | 1 if at < input.len() => input[at] = byte,
                2 => drop(input.drain(at..to)),
                3 => input.insert(at, byte),
                _ => {
                    let other = &inputs[random.below(inputs.len())];
                    let from = random.below(other.len() + 1);
                    let piece = &other[from..(from + random.below(40)).min(other.len())];
                    drop(input.splice(at..to, piece.iter().copied()));
                }
            }
        }
        input
    }

    /// What the signalling server reads is another crate's; its fuzzer is that of the client's frames.
    #[test]
    fn frames_to_the_server_do_no_harm() {
        for input in std::fs::read_dir(corpus("signal_frame")).expect("its corpus") {
            let path = input.expect("a file of the corpus").path();
            if let Ok(text) = std::fs::read_to_string(path) {
                let _ = echodb_signal::protocol::ClientFrame::parse(&text);
            }
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
