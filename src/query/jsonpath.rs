//! Paths in SQLite's notation.

use crate::model::{Path, Segment};

/// Indexes past this are keys only: no list is that long.
const MAX_INDEX: usize = 1_000_000_000;

/// Every way to read a path: SQLite tells an index (`[0]`) from a key (`."0"`), and a numeric
/// step is the one or the other depending on what it meets. Of the ways, at most one finds
/// something in any one object.
pub(super) fn variants(path: &Path) -> Vec<String> {
    let mut found = vec![String::from("$")];
    for segment in &path.0 {
        match segment {
            Segment::Key(key) => found.iter_mut().for_each(|p| push_key(p, key)),
            Segment::Index(i) => {
                let mut keyed = found.clone();
                keyed.iter_mut().for_each(|p| push_key(p, &i.to_string()));
                if *i <= MAX_INDEX {
                    found.iter_mut().for_each(|p| p.push_str(&format!("[{i}]")));
                    found.append(&mut keyed);
                } else {
                    found = keyed;
                }
            }
        }
    }
    found
}

/// How many ways [`variants`] would find are due to numeric steps: their number.
pub(super) fn numeric_steps(path: &Path) -> usize {
    let numeric = |s: &&Segment| matches!(s, Segment::Index(_));
    path.0.iter().filter(numeric).count()
}

/// Appends a quoted key. Inside the quotes SQLite reads the escapes of JSON, so writing the key
/// as a JSON string lets every character through.
fn push_key(path: &mut String, key: &str) {
    path.push('.');
    path.push_str(&serde_json::Value::from(key).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_quoted_and_numbers_read_both_ways() {
        let path = Path::parse("/a\"b\\/0").unwrap();
        assert_eq!(variants(&path), [r#"$."a\"b\\"[0]"#, r#"$."a\"b\\"."0""#]);
        assert_eq!(variants(&Path::parse("/a/99999999999").unwrap()).len(), 1);
    }
}
