//! The set-up messages of a connection: offers, answers and candidates, as one peer hands them to
//! the other through signalling. They come from strangers: sizes are bounded and decoding is strict.

use crate::model::{Error, Result, limits};
use serde::{Deserialize, Serialize};

/// One set-up message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalPayload {
    /// A session description that opens the connection.
    Offer(String),
    /// The description that answers it.
    Answer(String),
    /// One more network path to try.
    Candidate(Candidate),
}

/// A network path, as in `RTCIceCandidateInit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The candidate attribute's text.
    pub candidate: String,
    /// The media section it belongs to, by name.
    pub mid: Option<String>,
    /// The media section it belongs to, by position.
    pub line: Option<u16>,
}

/// Longest session description, in bytes. One with fifty candidates takes 6 KB.
pub const SDP_BYTES: usize = 32 * 1024;
/// Longest candidate text, in bytes.
pub const CANDIDATE_BYTES: usize = 1024;
/// Longest name of a media section, in bytes.
const MID_BYTES: usize = 64;

/// The JSON form: one tagged object, so that other implementations need nothing but JSON.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Wire {
    Offer { sdp: String },
    Answer { sdp: String },
    Candidate(Candidate),
}

impl SignalPayload {
    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        let wire = match self.clone() {
            SignalPayload::Offer(sdp) => Wire::Offer { sdp },
            SignalPayload::Answer(sdp) => Wire::Answer { sdp },
            SignalPayload::Candidate(candidate) => Wire::Candidate(candidate),
        };
        serde_json::to_vec(&wire).expect("a struct of strings always serialises")
    }

    /// Reads what a peer sent, refusing unknown kinds and fields and anything oversized.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > limits::SIGNAL_BYTES {
            return Err(Error::protocol("signalling payload is too large"));
        }
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|error| Error::protocol(format!("signalling payload: {error}")))?;
        match wire {
            Wire::Offer { sdp } => Ok(SignalPayload::Offer(checked_sdp(sdp)?)),
            Wire::Answer { sdp } => Ok(SignalPayload::Answer(checked_sdp(sdp)?)),
            Wire::Candidate(candidate) => Ok(SignalPayload::Candidate(candidate.checked()?)),
        }
    }
}

impl Candidate {
    fn checked(self) -> Result<Self> {
        let mid = self.mid.as_ref().map_or(0, String::len);
        if self.candidate.len() > CANDIDATE_BYTES || mid > MID_BYTES {
            return Err(Error::protocol("candidate is too long"));
        }
        // A line break would smuggle further attributes into whatever parses this.
        if self.candidate.contains(['\r', '\n']) {
            return Err(Error::protocol("candidate holds a line break"));
        }
        Ok(self)
    }
}

fn checked_sdp(sdp: String) -> Result<String> {
    if sdp.len() > SDP_BYTES {
        return Err(Error::protocol("session description is too long"));
    }
    Ok(sdp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(text: &str) -> SignalPayload {
        SignalPayload::Candidate(Candidate {
            candidate: text.into(),
            mid: Some("0".into()),
            line: Some(0),
        })
    }

    #[test]
    fn payloads_survive_the_trip() {
        for payload in [
            SignalPayload::Offer("v=0\r\n".into()),
            SignalPayload::Answer("v=0\r\n".into()),
            candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host"),
        ] {
            assert_eq!(SignalPayload::decode(&payload.encode()).unwrap(), payload);
        }
    }

    #[test]
    fn oversized_and_malformed_payloads_are_refused() {
        for bad in [
            SignalPayload::Offer("x".repeat(SDP_BYTES + 1)).encode(),
            candidate(&"x".repeat(CANDIDATE_BYTES + 1)).encode(),
            candidate("a\r\nb").encode(),
            vec![b' '; limits::SIGNAL_BYTES + 1],
            b"".to_vec(),
            b"[]".to_vec(),
            br#"{"kind":"rollback"}"#.to_vec(),
            br#"{"kind":"offer","sdp":"","extra":1}"#.to_vec(),
            br#"{"kind":"offer"}"#.to_vec(),
            vec![0xff; 16],
        ] {
            assert!(SignalPayload::decode(&bad).is_err());
        }
    }
}
