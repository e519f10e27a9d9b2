//! Claims: a JSON object in its one canonical form, so that a signature covers one text only.

use crate::model::{Error, Result, limits};
use serde_json::Value as Json;

/// Nesting of lists and objects in claims.
const DEPTH: usize = 16;

/// A JSON object as it is signed: keys in the order of their bytes and none twice, no white space,
/// and no numbers but 64-bit integers, because fractions are written in many ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims(String);

impl Claims {
    /// Brings a program's JSON object into the canonical form. Fails with `InvalidArgument` for
    /// other JSON, and with `LimitExceeded` for more than [`limits::CLAIMS_BYTES`].
    pub fn new(text: &str) -> Result<Claims> {
        check_len(text.len())?;
        let json: Json = serde_json::from_str(text)
            .map_err(|e| Error::invalid(format!("malformed JSON in claims: {e}")))?;
        check(&json)?;
        let mut claims = String::with_capacity(text.len());
        write(&json, &mut claims);
        check_len(claims.len())?;
        Ok(Claims(claims))
    }

    /// Reads claims that are in the canonical form already.
    pub(super) fn read(bytes: &[u8]) -> Result<Claims> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::invalid("the claims of a credential are not UTF-8"))?;
        let claims = Claims::new(text)?;
        if claims.0 != text {
            return Err(Error::invalid(
                "the claims of a credential are not in their canonical form",
            ));
        }
        Ok(claims)
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

fn check_len(len: usize) -> Result<()> {
    if len <= limits::CLAIMS_BYTES {
        return Ok(());
    }
    Err(Error::limit(format!(
        "claims have {len} bytes, at most {} are allowed",
        limits::CLAIMS_BYTES
    )))
}

fn check(json: &Json) -> Result<()> {
    if !json.is_object() {
        return Err(Error::invalid("claims are a JSON object"));
    }
    check_value(json, 0)
}

fn check_value(json: &Json, depth: usize) -> Result<()> {
    if depth > DEPTH {
        return Err(Error::limit(format!(
            "claims are nested more than {DEPTH} deep"
        )));
    }
    match json {
        Json::Number(number) if !number.is_i64() && !number.is_u64() => {
            Err(Error::invalid(format!(
                "numbers in claims are 64-bit integers, and {number} is not: write it as a string"
            )))
        }
        Json::Array(items) => items
            .iter()
            .try_for_each(|item| check_value(item, depth + 1)),
        Json::Object(map) => map
            .values()
            .try_for_each(|item| check_value(item, depth + 1)),
        _ => Ok(()),
    }
}

/// Writes the canonical form. The order of keys is made here: that in which the parser keeps them
/// depends on how the program was built.
fn write(json: &Json, out: &mut String) {
    match json {
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            let mut names: Vec<(&String, &Json)> = map.iter().collect();
            names.sort_unstable_by_key(|(name, _)| name.as_bytes());
            out.push('{');
            for (at, (name, item)) in names.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Json::from(name.as_str()).to_string());
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;

    #[test]
    fn claims_have_one_form() {
        let claims = Claims::new(r#" {"b": [1, "\u00e9"], "a": {"y": null, "x": -2}} "#).unwrap();
        assert_eq!(claims.text(), r#"{"a":{"x":-2,"y":null},"b":[1,"é"]}"#);
        assert_eq!(Claims::read(claims.text().as_bytes()).unwrap(), claims);
        for other in [
            r#"{"b":1,"a":2}"#,
            r#"{"a":1, "b":2}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":"\u00e9"}"#,
            r#"{"a":01}"#,
            "[]",
            "1",
            "",
        ] {
            let refused = Claims::read(other.as_bytes()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{other}");
        }
        assert!(Claims::read(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn fractions_depth_and_size_are_refused() {
        for text in [
            r#"{"a":1.5}"#,
            r#"{"a":[1e3]}"#,
            r#"{"a":18446744073709551616}"#,
            r#"{"a":-0}"#,
        ] {
            let refused = Claims::new(text).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{text}");
        }
        assert!(Claims::new(r#"{"a":18446744073709551615,"b":-9223372036854775808}"#).is_ok());
        let deep = |n| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(Claims::new(&deep(DEPTH)).is_ok());
        let refused = Claims::new(&deep(DEPTH + 1)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
        assert!(Claims::new(&deep(10_000)).is_err());
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(limits::CLAIMS_BYTES));
        assert_eq!(
            Claims::new(&long).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
    }
}
