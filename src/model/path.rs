//! Where a value sits inside an object.

use super::{Error, Result, limits};
use std::fmt;

/// One step of a path: into a map by key, or into a list by index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A map key or field name.
    Key(String),
    /// A list index, from 0.
    Index(usize),
}

/// A path from an object's root; empty means the object itself. Text form: a plain field name
/// (`title`), or a JSON Pointer (RFC 6901) beginning with `/` (`/address/lines/0`). Whether a
/// numeric step is a key or an index depends on what it meets, as RFC 6901 section 4 has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// Reads the text form. Refuses an empty path, a reserved first step (`@…`), names past
    /// [`limits::FIELD_NAME_BYTES`] and depths past [`limits::VALUE_DEPTH`].
    pub fn parse(text: &str) -> Result<Path> {
        let segments = match text.strip_prefix('/') {
            None => vec![Segment::Key(text.to_owned())],
            Some(pointer) => pointer
                .split('/')
                .map(|step| parse_step(text, step))
                .collect::<Result<Vec<_>>>()?,
        };
        let path = Path(segments);
        path.check()?;
        Ok(path)
    }

    /// The field at the root that the path starts with.
    pub fn field(&self) -> Option<&str> {
        match self.0.first() {
            Some(Segment::Key(key)) => Some(key),
            _ => None,
        }
    }

    fn check(&self) -> Result<()> {
        if self.0.len() > limits::VALUE_DEPTH {
            return Err(Error::limit(format!(
                "a path may have {} steps, not {}",
                limits::VALUE_DEPTH,
                self.0.len()
            )));
        }
        let Some(field) = self.field() else {
            return Err(Error::invalid("a path starts with a field name"));
        };
        check_field_name(field)
    }
}

/// Refuses names that a field, or a key of a map, may not have.
pub fn check_field_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid("a field name may not be empty"));
    }
    if name.starts_with('@') {
        return Err(Error::invalid(format!(
            "the field name {:?} is reserved: names may not start with '@'",
            super::id::clip(name)
        )));
    }
    if name.len() > limits::FIELD_NAME_BYTES {
        return Err(Error::limit(format!(
            "a field name may have {} bytes, not {}",
            limits::FIELD_NAME_BYTES,
            name.len()
        )));
    }
    Ok(())
}

/// A key as a step of a JSON Pointer (RFC 6901).
pub fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn parse_step(whole: &str, step: &str) -> Result<Segment> {
    let digits = !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit());
    // RFC 6901: an index has no leading zero; anything else is a key.
    if digits && (step == "0" || !step.starts_with('0')) {
        return step.parse().map(Segment::Index).map_err(|_| {
            Error::invalid(format!(
                "the index in path {:?} is too large",
                super::id::clip(whole)
            ))
        });
    }
    let mut key = String::with_capacity(step.len());
    let mut chars = step.chars();
    while let Some(c) = chars.next() {
        match (c, c == '~') {
            (_, false) => key.push(c),
            _ => match chars.next() {
                Some('0') => key.push('~'),
                Some('1') => key.push('/'),
                _ => {
                    return Err(Error::invalid(format!(
                        "in path {:?}, '~' must be followed by 0 or 1 (RFC 6901)",
                        super::id::clip(whole)
                    )));
                }
            },
        }
    }
    Ok(Segment::Key(key))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.0 {
            match segment {
                Segment::Index(i) => write!(f, "/{i}")?,
                Segment::Key(k) => write!(f, "/{}", escaped(k))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_pointers() {
        assert_eq!(Path::parse("title").unwrap().to_string(), "/title");
        let path = Path::parse("/a~1b/0/c~0/007").unwrap();
        assert_eq!(
            path.0,
            vec![
                Segment::Key("a/b".into()),
                Segment::Index(0),
                Segment::Key("c~".into()),
                Segment::Key("007".into())
            ]
        );
        assert_eq!(path.to_string(), "/a~1b/0/c~0/007");
    }

    #[test]
    fn reserved_empty_and_malformed_are_refused() {
        for bad in ["", "@type", "/@type", "/0", "/a~2", "/"] {
            assert!(Path::parse(bad).is_err(), "{bad}");
        }
    }
}
