//! What an object carries beside its fields: the part of it that the engine itself understands.

use super::{Error, ObjectId, Result, limits};
use data_encoding::HEXLOWER;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// The source of the foreign key that a natural key is stored as; no caller may use it.
pub const NATURAL: &str = "natural";

/// The type of the objects that hold schemas; no caller may make one.
pub const SCHEMA: &str = "@schema";

/// Types of the objects in a HALO space, which only the engine makes: a space of the identity,
pub const HALO_SPACE: &str = "@halo/space";
/// whether a device wants to hold a space,
pub const HALO_WANTED: &str = "@halo/wanted";
/// the identity's profile,
pub const HALO_PROFILE: &str = "@halo/profile";
/// one of its devices,
pub const HALO_DEVICE: &str = "@halo/device";
/// where devices wait for whoever recovers the identity,
pub const HALO_RECOVERY: &str = "@halo/recovery";
/// and a credential that the identity issued or received.
pub const HALO_CREDENTIAL: &str = "@halo/credential";

/// An object's system part, type, parent and tombstone aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemFields {
    /// The version of its type's schema that its fields were written for.
    pub schema_version: Option<u32>,
    /// Where a relation begins. It may dangle.
    pub source: Option<ObjectId>,
    /// Where a relation ends. It may dangle.
    pub target: Option<ObjectId>,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Its names in other systems: from the system's name to the object's name there.
    pub keys: BTreeMap<String, String>,
    /// Of what it is a branch, if it is one.
    pub branch: Option<Branch>,
}

/// An object that is a branch of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The object it branched from.
    pub of: ObjectId,
    /// That object's version then.
    pub heads: Vec<[u8; 32]>,
    /// The branch's name.
    pub name: String,
    /// The branch's own version that equals that one: what came after it is what a merge brings in.
    pub at: Vec<[u8; 32]>,
}

impl SystemFields {
    /// What of it has no column of its own, as JSON text; `None` if there is nothing.
    pub fn extra_json(&self) -> Option<String> {
        let mut extra = serde_json::Map::new();
        if !self.tags.is_empty() {
            extra.insert("tags".into(), json!(self.tags));
        }
        if !self.keys.is_empty() {
            extra.insert("keys".into(), json!(self.keys));
        }
        if let Some(branch) = &self.branch {
            extra.insert("branch".into(), branch.to_json());
        }
        (!extra.is_empty()).then(|| Json::Object(extra).to_string())
    }

    /// Adds what [`SystemFields::extra_json`] wrote. Fails with `Corrupt` on anything else.
    pub fn add_extra(&mut self, text: &str) -> Result<()> {
        let damaged = || Error::corrupt("the system part of an object's row is damaged");
        let extra: Json = serde_json::from_str(text).map_err(|_| damaged())?;
        if let Some(Json::Array(tags)) = extra.get("tags") {
            let tags = tags.iter().filter_map(Json::as_str).map(str::to_owned);
            self.tags.extend(tags);
        }
        if let Some(Json::Object(keys)) = extra.get("keys") {
            let keys = keys
                .iter()
                .filter_map(|(source, key)| Some((source, key.as_str()?)));
            self.keys
                .extend(keys.map(|(source, key)| (source.clone(), key.to_owned())));
        }
        if let Some(branch) = extra.get("branch") {
            self.branch = Some(Branch::from_json(branch).ok_or_else(damaged)?);
        }
        Ok(())
    }
}

impl Branch {
    /// As it is stored in the object and in its row.
    pub fn to_json(&self) -> Json {
        let hex = |heads: &[[u8; 32]]| -> Vec<String> {
            heads.iter().map(|head| HEXLOWER.encode(head)).collect()
        };
        let mut json = json!({"of": self.of.to_string(), "heads": hex(&self.heads),
            "name": self.name});
        if !self.at.is_empty() {
            json["at"] = json!(hex(&self.at));
        }
        json
    }

    /// Reads that; `None` if it is something else.
    pub fn from_json(json: &Json) -> Option<Branch> {
        let heads = |json: &Json| -> Option<Vec<[u8; 32]>> {
            let heads = json.as_array()?.iter().map(|head| {
                let bytes = HEXLOWER.decode(head.as_str()?.as_bytes()).ok()?;
                bytes.try_into().ok()
            });
            heads.collect()
        };
        Some(Branch {
            of: ObjectId::parse(json.get("of")?.as_str()?).ok()?,
            heads: heads(json.get("heads")?)?,
            name: json.get("name")?.as_str()?.to_owned(),
            at: json.get("at").map_or(Some(Vec::new()), heads)?,
        })
    }
}

/// Refuses what may not be a tag.
pub fn check_tag(tag: &str) -> Result<()> {
    check_label("a tag", tag)
}

/// Refuses what may not be a foreign key.
pub fn check_key(source: &str, key: &str) -> Result<()> {
    check_label("a foreign key's source", source)?;
    // Names that begin with '@' are kept for later; a map of one such name would be a tagged value.
    if source == NATURAL || source.starts_with('@') {
        return Err(Error::invalid(format!(
            "the foreign key's source {:?} is reserved: it may not be \"natural\" or start with '@'",
            super::id::clip(source)
        )));
    }
    check_label("a foreign key", key)
}

/// Refuses what may not be a natural key.
pub fn check_natural_key(key: &str) -> Result<()> {
    check_label("a natural key", key)
}

fn check_label(what: &str, text: &str) -> Result<()> {
    if text.is_empty() {
        return Err(Error::invalid(format!("{what} may not be empty")));
    }
    if text.len() > limits::LABEL_BYTES {
        return Err(Error::limit(format!(
            "{what} may have {} bytes, not {}",
            limits::LABEL_BYTES,
            text.len()
        )));
    }
    // SQLite ends names at a NUL character.
    if text.contains('\0') {
        return Err(Error::invalid(format!("{what} holds no NUL character")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_column_survives_as_json() {
        let fields = SystemFields {
            tags: ["a", "ü\""].map(str::to_owned).into(),
            keys: [("github".to_owned(), "42".to_owned())].into(),
            branch: Some(Branch {
                of: ObjectId([7; 16]),
                heads: vec![[1; 32], [2; 32]],
                name: "draft".into(),
                at: vec![[3; 32]],
            }),
            ..SystemFields::default()
        };
        let mut again = SystemFields::default();
        again.add_extra(&fields.extra_json().unwrap()).unwrap();
        assert_eq!(again, fields);
        assert_eq!(SystemFields::default().extra_json(), None);
        assert!(again.add_extra("{").is_err());
        assert!(again.add_extra(r#"{"branch": 1}"#).is_err());
    }

    #[test]
    fn labels_are_checked() {
        assert!(check_tag("to do").is_ok());
        let long = "x".repeat(limits::LABEL_BYTES + 1);
        for bad in ["", "a\0b", long.as_str()] {
            assert!(check_tag(bad).is_err());
            assert!(check_key("github", bad).is_err());
            assert!(check_natural_key(bad).is_err());
        }
        assert!(check_key("natural", "1").is_err() && check_key("@x", "1").is_err());
    }
}
