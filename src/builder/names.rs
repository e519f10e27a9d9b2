//! One name or several, as types, tags and ids are given.

use serde_json::Value as Json;

/// Names: a string, or an array, a slice or a `Vec` of them. A list may have 1,000 values, all lists of a query
/// 10,000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl Names {
    /// The list.
    pub(super) fn list(self) -> Json {
        self.0.into()
    }

    /// The list, or its one name alone.
    pub(super) fn list_or_one(mut self) -> Json {
        match self.0.len() {
            1 => self.0.remove(0).into(),
            _ => self.list(),
        }
    }
}

impl From<&str> for Names {
    fn from(name: &str) -> Names {
        Names(vec![name.to_owned()])
    }
}

impl From<&String> for Names {
    fn from(name: &String) -> Names {
        Names(vec![name.clone()])
    }
}

impl From<String> for Names {
    fn from(name: String) -> Names {
        Names(vec![name])
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for Names {
    fn from(names: [S; N]) -> Names {
        names.into_iter().collect()
    }
}

impl<S: Into<String>> From<Vec<S>> for Names {
    fn from(names: Vec<S>) -> Names {
        names.into_iter().collect()
    }
}

impl<S: AsRef<str>> From<&[S]> for Names {
    fn from(names: &[S]) -> Names {
        names.iter().map(AsRef::as_ref).collect()
    }
}

impl<S: Into<String>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Names {
        Names(names.into_iter().map(Into::into).collect())
    }
}
