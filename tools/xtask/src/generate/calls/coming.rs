//! What Python, Kotlin and Swift are still to get.

use super::Row;
use super::declared::Language;
use std::collections::BTreeSet;

/// Calls, fields and variants, `Type::name`, or all of a type, `Type`. A line goes once the three
/// have it.
const COMING: &[&str] = &[
    "Client::cancel_invitation",
    "Client::invitation",
    "Client::invitations",
    "GuestUpdate",
    "Invitation::id",
    "Invitation::qr_modules",
    "Invitation::qr_svg",
    "InvitationInfo",
    "InvitationKind",
    "InvitationType",
    "InvitationUpdate::fingerprint",
    "InvitationUpdate::guests",
    "InvitationUpdate::uses",
    "QrModules",
];

/// What the page says in place of a name.
pub const TO_COME: &str = "to come";

/// Takes what is known to be coming out of `lacking`, and says so in the rows; what nothing lacks any
/// more is added.
pub fn spare<'a>(
    lacking: &mut Vec<String>,
    languages: &[Language],
    rows: impl Iterator<Item = &'a mut Row>,
) {
    spare_of(COMING, lacking, languages, rows);
}

fn spare_of<'a>(
    coming: &[&str],
    lacking: &mut Vec<String>,
    languages: &[Language],
    rows: impl Iterator<Item = &'a mut Row>,
) {
    let mut used = BTreeSet::new();
    let mut spared = BTreeSet::new();
    lacking.retain(|line| {
        let Some((item, language)) = parts(line) else {
            return true;
        };
        let wrapped = [Language::Python, Language::Kotlin, Language::Swift];
        let known = wrapped.iter().find(|each| each.name() == language);
        let owner = item.split("::").next().unwrap_or_default();
        let line = coming.iter().find(|each| **each == item || **each == owner);
        let (Some(language), Some(line)) = (known, line) else {
            return true;
        };
        used.insert(*line);
        spared.insert((item.to_owned(), language.name()));
        false
    });
    for row in rows {
        for (language, name) in languages.iter().zip(&mut row.names) {
            if spared.contains(&(row.item.clone(), language.name())) {
                TO_COME.clone_into(name);
            }
        }
    }
    for line in coming.iter().filter(|line| !used.contains(*line)) {
        lacking.push(format!("{line} is not coming any more: it is there"));
    }
}

/// The item and the language that a line of `lacking` is about.
fn parts(line: &str) -> Option<(&str, &str)> {
    let (item, rest) = line.split_once(" in ")?;
    Some((item, rest.split_once(": ")?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_coming_is_spared_and_what_came_is_named() {
        let row = |item: &str| Row {
            item: item.to_owned(),
            names: vec!["c".to_owned(), "p".to_owned()],
        };
        let mut rows = [row("Space::new_call"), row("Space::old_call")];
        let mut lacking = vec![
            "Space::new_call in C: x is not declared".to_owned(),
            "Space::new_call in Python: x is not declared".to_owned(),
            "Space::old_call in Python: x is not declared".to_owned(),
        ];
        let languages = [Language::C, Language::Python];
        let coming = ["Space::new_call", "Gone"];
        spare_of(&coming, &mut lacking, &languages, rows.iter_mut());
        assert_eq!(rows[0].names, ["c", TO_COME]);
        assert_eq!(rows[1].names, ["c", "p"]);
        assert_eq!(lacking.len(), 3);
        assert!(lacking[2].starts_with("Gone"));
    }
}
