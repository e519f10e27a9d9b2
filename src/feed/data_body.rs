//! The plain body of a data entry: one transaction.

use super::codec::{Reader, put_bytes, put_varint};
use crate::model::{Error, ObjectId, Result, limits};
use std::collections::BTreeSet;

const VERSION: u8 = 1;

/// A transaction: changes of objects that are applied all or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataBody {
    /// What the author's clock said, in milliseconds since 1970. For display only: no decision
    /// reads it.
    pub clock_ms: u64,
    /// Uncompressed Automerge changes, each with its object, in the order they apply.
    pub changes: Vec<(ObjectId, Vec<u8>)>,
}

impl DataBody {
    /// The bytes to seal.
    pub fn encode(&self) -> Vec<u8> {
        let payload: usize = self.changes.iter().map(|(_, c)| c.len() + 20).sum();
        let mut out = Vec::with_capacity(16 + payload);
        out.push(VERSION);
        out.extend_from_slice(&self.clock_ms.to_le_bytes());
        put_varint(&mut out, self.changes.len() as u64);
        for (object, change) in &self.changes {
            out.extend_from_slice(object.as_bytes());
            put_bytes(&mut out, change);
        }
        out
    }

    /// Reads a body. Errors when it is malformed, of another version, or names more than
    /// [`limits::OBJECTS_PER_TRANSACTION`] objects. The changes are not looked into.
    pub fn decode(bytes: &[u8]) -> Result<DataBody> {
        let mut reader = Reader::new(bytes, "transaction");
        reader.version(VERSION)?;
        let clock_ms = reader.u64()?;
        // A change takes at least 17 bytes, so the count cannot promise more than is there.
        let limit = reader.remaining() / (ObjectId::LEN + 1);
        let count = reader.count(limit, "changes")?;
        let mut objects = BTreeSet::new();
        let mut changes = Vec::with_capacity(count);
        for _ in 0..count {
            let object = ObjectId(reader.array()?);
            objects.insert(object);
            if objects.len() > limits::OBJECTS_PER_TRANSACTION {
                return Err(Error::limit(format!(
                    "transaction: more than {} objects",
                    limits::OBJECTS_PER_TRANSACTION
                )));
            }
            changes.push((object, reader.bytes(limits::DATA_ENTRY_BYTES)?.to_vec()));
        }
        reader.finish()?;
        Ok(DataBody { clock_ms, changes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;

    #[test]
    fn round_trip_and_strictness() {
        let body = DataBody {
            clock_ms: 1_763_864_160_123,
            changes: vec![
                (ObjectId([1; 16]), vec![1, 2, 3]),
                (ObjectId([1; 16]), Vec::new()),
                (ObjectId([2; 16]), vec![9; 200]),
            ],
        };
        let bytes = body.encode();
        assert_eq!(DataBody::decode(&bytes).unwrap(), body);
        for end in 0..bytes.len() {
            assert!(DataBody::decode(&bytes[..end]).is_err());
        }
        assert!(DataBody::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn counts_are_bounded() {
        let changes = (0..=limits::OBJECTS_PER_TRANSACTION as u64)
            .map(|i| (ObjectId::from_parts(i, [0; 10]), Vec::new()));
        let body = DataBody {
            clock_ms: 0,
            changes: changes.collect(),
        };
        let refused = DataBody::decode(&body.encode()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
        // A count of 2^63 with nothing behind it allocates nothing.
        let mut liar = vec![1, 0, 0, 0, 0, 0, 0, 0, 0];
        put_varint(&mut liar, 1 << 63);
        assert!(DataBody::decode(&liar).is_err());
    }
}
