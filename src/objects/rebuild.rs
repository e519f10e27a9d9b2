//! Documents without some of their changes: what remains when entries turn out not to count.

use super::Document;
use crate::model::Result;
use std::collections::HashSet;

/// What is left of a document.
#[derive(Debug, Default)]
pub struct Remainder {
    /// The raw changes that stay, each after what it builds on.
    pub kept: Vec<Vec<u8>>,
    /// The changes that go along because they build on some that go: hash and actor.
    pub fallen: Vec<([u8; 32], Vec<u8>)>,
}

impl Document {
    /// What is left without the changes `removed`. The document itself stays as it is.
    pub fn without(&mut self, removed: &HashSet<[u8; 32]>) -> Result<Remainder> {
        self.closed()?;
        self.contained(|document| {
            let mut gone: HashSet<[u8; 32]> = HashSet::new();
            let mut remainder = Remainder::default();
            for change in document.am.get_changes(&[]) {
                let hash = change.hash().0;
                let asked = removed.contains(&hash);
                if asked || change.deps().iter().any(|dep| gone.contains(&dep.0)) {
                    gone.insert(hash);
                    if !asked {
                        let actor = change.actor_id().to_bytes().to_vec();
                        remainder.fallen.push((hash, actor));
                    }
                } else {
                    remainder.kept.push(change.raw_bytes().to_vec());
                }
            }
            Ok(remainder)
        })
    }

    /// Whether all of a version is here.
    pub fn holds_version(&self, heads: &[[u8; 32]]) -> bool {
        self.known(heads).is_ok()
    }

    /// The earliest and the latest clock of its changes; `None` if it has none.
    pub fn times(&mut self) -> Result<Option<(i64, i64)>> {
        self.closed()?;
        self.contained(|document| {
            let changes = document.am.get_changes_meta(&[]).into_iter();
            let times: Vec<i64> = changes.map(|change| change.timestamp.max(0)).collect();
            Ok(times.iter().copied().min().zip(times.iter().copied().max()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectId, Operation, Value};
    use crate::objects::guard;
    use std::collections::BTreeMap;

    fn write(document: &mut Document, name: &str, clock: u64) -> Vec<u8> {
        let fields = BTreeMap::from([(name.to_owned(), Value::Int(1))]);
        let object = ObjectId([1; 16]);
        let operation = match document.heads().is_empty() {
            true => Operation::Create {
                object,
                type_name: None,
                fields,
            },
            false => Operation::Update { object, fields },
        };
        document.apply(&operation).unwrap();
        let mut made = document.commit(clock, None).unwrap();
        assert_eq!(made.len(), 1);
        made.remove(0)
    }

    #[test]
    fn what_builds_on_a_removed_change_falls_with_it() {
        let mut a = Document::new([1; 16]);
        let first = write(&mut a, "a", 10);
        let mut b = Document::load([2; 16], None, std::slice::from_ref(&first)).unwrap();
        let second = write(&mut a, "b", 20);
        let third = write(&mut a, "c", 40);
        let beside = write(&mut b, "d", 30);
        a.apply_remote(std::slice::from_ref(&beside)).unwrap();
        assert_eq!(a.times().unwrap(), Some((10, 40)));

        let hash = |change: &Vec<u8>| guard::scan(change).unwrap().hash;
        let rest = a.without(&HashSet::from([hash(&second)])).unwrap();
        assert_eq!(rest.kept, [first.clone(), beside.clone()]);
        assert_eq!(rest.fallen, [(hash(&third), vec![1; 16])]);
        let mut again = Document::load([3; 16], None, &rest.kept).unwrap();
        assert_eq!(again.times().unwrap(), Some((10, 30)));
        let fields = again.project().fields;
        assert!(fields.contains_key("a") && fields.contains_key("d"));
        assert!(!fields.contains_key("b") && !fields.contains_key("c"));

        let all = HashSet::from([hash(&first)]);
        let none = a.without(&all).unwrap();
        assert!(none.kept.is_empty() && none.fallen.len() == 3);
        assert_eq!(Document::new([4; 16]).times().unwrap(), None);
    }
}
