//! Finds the space that a user means.

use crate::failure::{Failure, Result};
use echodb::model::{ErrorKind, SpaceId};
use echodb::{Client, Space, SpaceInfo};
use std::sync::Arc;

/// Shorter prefixes are not taken: a name of one or two letters would often be one.
const PREFIX_CHARS: usize = 4;

/// The space with this id, a prefix of it, or this name; `default` is the default space.
pub fn space(client: &Client, name: &str) -> Result<Arc<Space>> {
    if name == "default" {
        return Ok(client.default_space()?);
    }
    if SpaceId::parse(name).is_ok() {
        return Ok(client.space(name.to_owned())?);
    }
    let id = choose(&client.spaces()?, name)?;
    Ok(client.space(id)?)
}

/// Other members may rename a shared space, so neither a name nor a prefix wins over the other:
/// whatever could mean two spaces is refused.
fn choose(spaces: &[SpaceInfo], name: &str) -> Result<String> {
    let prefix = name.to_ascii_lowercase();
    let is_prefix = |id: &str| prefix.len() >= PREFIX_CHARS && id.starts_with(&prefix);
    let mut found = spaces
        .iter()
        .filter(|space| !name.is_empty() && (space.name == name || is_prefix(&space.id)));
    match (found.next(), found.next()) {
        (Some(space), None) => Ok(space.id.clone()),
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "{name:?} could be several spaces; give more of the id (`echodb space list` shows it)"
        ))),
        _ => Err(Failure::new(
            ErrorKind::NotFound,
            format!("there is no space {name:?}; `echodb space list` shows what there is"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use echodb::SpaceState;

    fn spaces() -> Vec<SpaceInfo> {
        [
            ("abcdefgh", "Notes"),
            ("abcdzzzz", "Work"),
            ("qqqqqqqq", "abcde"),
            ("rrrrrrrr", ""),
        ]
        .into_iter()
        .map(|(id, name)| SpaceInfo {
            id: id.to_owned(),
            name: name.to_owned(),
            is_default: false,
            state: SpaceState::Ready,
        })
        .collect()
    }

    #[test]
    fn names_and_prefixes_must_be_unique() {
        let code = |name| choose(&spaces(), name).map_err(|failure| failure.exit_code());
        assert_eq!(code("Notes"), Ok("abcdefgh".to_owned()));
        assert_eq!(code("ABCDZ"), Ok("abcdzzzz".to_owned()));
        assert_eq!(code("abcd"), Err(2));
        assert_eq!(code("abcde"), Err(2), "a name and a prefix");
        assert_eq!(code("rrr"), Err(3), "too short for a prefix");
        assert_eq!(code(""), Err(3));
        assert_eq!(code("none"), Err(3));
    }
}
