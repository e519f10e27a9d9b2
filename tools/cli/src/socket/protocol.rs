//! What passes through the socket: frames of a length (32 bits, big-endian), a tag byte and a
//! body, JSON or raw bytes. Both sides first say their version; they must have the same, so
//! everything after that may change between versions.

use crate::args::Command;
use crate::event::Event;
use crate::failure::{Failure, Result};
use echodb::model::ErrorKind;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Largest frame of a version. Has to hold for all versions.
const HELLO_BYTES: usize = 1024;
/// Largest frame to the server: a command line fits, and input comes in pieces.
pub const TO_SERVER_BYTES: usize = 4 * 1024 * 1024;
/// Largest frame to the client: one object.
pub const TO_CLIENT_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of input in one frame.
pub const PIECE_BYTES: usize = 64 * 1024;
/// How long the other side may take to say its version.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);

const TAG_JSON: u8 = b'J';
const TAG_DATA: u8 = b'D';

/// The first frame, both ways.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hello {
    /// Which tool this is, so that a stranger is recognised.
    tool: String,
    version: String,
}

/// From the front process to the serving one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToServer {
    /// Runs a command; the first message, and the only one of its kind.
    Run(Command),
    /// The user pressed Ctrl-C.
    Cancel,
    /// A line that the user entered; `None` at the end of the input.
    Answer(Option<String>),
}

/// From the serving process to the front one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToClient {
    /// Print this.
    Event(Event),
    /// Send the input: raw frames, an empty one at its end.
    Read,
    /// Ask for the authorization code.
    Ask {
        /// The last one was wrong.
        again: bool,
    },
    /// The command is done.
    Done,
    /// The command failed.
    Failed(Failure),
}

/// A frame as received.
pub enum Frame<T> {
    /// A message.
    Message(T),
    /// A piece of input; empty at its end.
    Data(Vec<u8>),
}

/// Exchanges versions. `false` if the other side hung up instead, as a process does that is
/// just ending.
pub fn greet(stream: &mut UnixStream) -> Result<bool> {
    let fail = |error| Failure::storage("the local socket", error);
    stream.set_read_timeout(Some(HELLO_TIMEOUT)).map_err(fail)?;
    let ours = Hello {
        tool: "echodb".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    if send(stream, &ours).is_err() {
        return Ok(false);
    }
    let theirs = match receive::<Hello>(stream, HELLO_BYTES)? {
        None => return Ok(false),
        Some(Frame::Message(theirs)) if theirs.tool == ours.tool => theirs,
        Some(_) => return Err(Failure::protocol("the local socket is not echodb's")),
    };
    if theirs.version != ours.version {
        return Err(Failure::new(
            ErrorKind::UnsupportedVersion,
            format!(
                "`echodb serve` is version {} and this is {}; restart it",
                theirs.version, ours.version
            ),
        ));
    }
    stream.set_read_timeout(None).map_err(fail)?;
    Ok(true)
}

/// Sends a message.
pub fn send(stream: &mut impl Write, message: &impl Serialize) -> Result<()> {
    let body = serde_json::to_vec(message).expect("messages have string keys");
    send_frame(stream, TAG_JSON, &body)
}

/// Sends a piece of input.
pub fn send_data(stream: &mut impl Write, data: &[u8]) -> Result<()> {
    send_frame(stream, TAG_DATA, data)
}

fn send_frame(stream: &mut impl Write, tag: u8, body: &[u8]) -> Result<()> {
    let length = u32::try_from(body.len())
        .ok()
        .filter(|length| *length as usize <= TO_CLIENT_BYTES)
        .ok_or_else(|| {
            Failure::new(
                ErrorKind::LimitExceeded,
                format!("{} bytes are too much for one message", body.len()),
            )
        })?;
    let mut frame = Vec::with_capacity(body.len() + 5);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.push(tag);
    frame.extend_from_slice(body);
    stream.write_all(&frame).map_err(|_| Failure::broken_pipe())
}

/// Receives a frame of at most `limit` bytes; `None` when the other side hung up.
pub fn receive<T: DeserializeOwned>(
    stream: &mut impl Read,
    limit: usize,
) -> Result<Option<Frame<T>>> {
    let mut head = [0; 5];
    if stream.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    let [a, b, c, d, tag] = head;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > limit {
        return Err(Failure::protocol(format!(
            "a message of {length} bytes came through the local socket; {limit} are allowed"
        )));
    }
    // Not allocated in advance: the length is only a claim.
    let mut body = Vec::new();
    match stream.take(length as u64).read_to_end(&mut body) {
        Ok(read) if read == length => {}
        _ => return Ok(None),
    }
    match tag {
        TAG_DATA => Ok(Some(Frame::Data(body))),
        TAG_JSON => serde_json::from_slice(&body)
            .map(|message| Some(Frame::Message(message)))
            .map_err(|error| Failure::protocol(format!("the local socket: {error}"))),
        other => Err(Failure::protocol(format!(
            "a message of unknown kind {other} came through the local socket"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_data_round_trip() {
        let mut bytes = Vec::new();
        send(&mut bytes, &ToServer::Answer(Some("1".to_owned()))).unwrap();
        send_data(&mut bytes, b"xyz").unwrap();
        let mut bytes = bytes.as_slice();
        assert!(matches!(
            receive(&mut bytes, 100),
            Ok(Some(Frame::Message(ToServer::Answer(Some(text))))) if text == "1"
        ));
        assert!(matches!(
            receive::<ToServer>(&mut bytes, 100),
            Ok(Some(Frame::Data(data))) if data == b"xyz"
        ));
        assert!(matches!(receive::<ToServer>(&mut bytes, 100), Ok(None)));
    }

    #[test]
    fn long_strange_and_short_frames_are_refused() {
        let receive = |bytes: &[u8]| receive::<ToServer>(&mut &*bytes, 100).map(|f| f.is_some());
        assert!(receive(&[0, 0, 0, 101, b'J']).is_err());
        assert!(receive(&[0, 0, 0, 2, b'J', b'{', b'}']).is_err());
        assert!(receive(&[0, 0, 0, 0, b'?']).is_err());
        assert_eq!(receive(&[0, 0, 0, 9, b'D', 1]), Ok(false));
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let hello = Hello {
            tool: "echodb".to_owned(),
            version: "99.0.0".to_owned(),
        };
        send(&mut theirs, &hello).unwrap();
        let failure = greet(&mut ours).unwrap_err();
        assert_eq!(failure.exit_code(), 6);
        assert!(failure.error.contains("99.0.0"), "{failure:?}");
    }
}
