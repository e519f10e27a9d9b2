//! Names that people see.

use super::{Error, Result, limits};

/// Checks such a name; `what` says what it names.
pub fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() || name.chars().count() > limits::NAME_CHARS {
        return Err(Error::invalid(format!(
            "{what} has 1 to {} characters",
            limits::NAME_CHARS
        )));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "{what} may not hold control characters"
        )));
    }
    Ok(())
}

/// Checks an object's type name.
pub fn check_type_name(name: Option<&str>) -> Result<()> {
    name.map_or(Ok(()), |name| check_name("a type name", name))
}
