//! Names that people see.

use super::{Error, Result, limits};

/// Checks such a name; `what` says what it names.
pub fn check_name(what: &str, name: &str) -> Result<()> {
    check(what, name, 1)
}

/// As [`check_name`], where having no name is well too.
pub fn check_optional_name(what: &str, name: &str) -> Result<()> {
    check(what, name, 0)
}

fn check(what: &str, name: &str, least: usize) -> Result<()> {
    if !(least..=limits::NAME_CHARS).contains(&name.chars().count()) {
        return Err(Error::invalid(format!(
            "{what} has {least} to {} characters",
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
