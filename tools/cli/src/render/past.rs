//! The past, for people.

use super::human::Style;
use super::safe;
use crate::event_past::{Branch, Difference, Transaction, Undone, Version};
use serde_json::Value;

pub fn transaction(transaction: &Transaction, style: Style) -> String {
    let name = author(&transaction.name, &transaction.identity);
    let mut line = format!(
        "{}  {}  {}  {} object{}",
        style.dim(&transaction.entry),
        time(transaction.time_ms),
        style.bold(&safe::line(name)),
        transaction.objects.len(),
        if transaction.objects.len() == 1 {
            ""
        } else {
            "s"
        }
    );
    if let Some(message) = &transaction.message {
        line += &format!("  {}", safe::line(message));
    }
    line + "\n"
}

pub fn version(version: &Version, style: Style) -> String {
    let message = version.message.as_deref().unwrap_or_default();
    let name = author(&version.name, &version.identity);
    let line = format!(
        "{}  {}  {}  {}",
        style.dim(&version.hash),
        time(version.time_ms),
        style.bold(&safe::line(name)),
        safe::line(message)
    );
    format!("{}\n", line.trim_end())
}

/// A member's name, or the beginning of the key of one who is none any more.
fn author<'a>(name: &'a str, identity: &'a str) -> &'a str {
    match name.is_empty() {
        true => identity.get(..12).unwrap_or_default(),
        false => name,
    }
}

pub fn undone(undone: &Undone) -> String {
    if !undone.done {
        return "nothing to do\n".to_owned();
    }
    let label = undone.label.as_deref().unwrap_or("done");
    let mut lines = format!("{}\n", safe::line(label));
    for skipped in &undone.skipped {
        lines += &format!(
            "left as it is: {}{}: {}\n",
            skipped.object,
            safe::line(&skipped.path),
            skipped.reason
        );
    }
    lines
}

pub fn difference(difference: &Difference) -> String {
    let part = |key: &str| difference.0.get(key).unwrap_or(&Value::Null);
    let text = |key: &str| part(key).as_str().unwrap_or_default().to_owned();
    let path = text("path");
    let line = match text("op").as_str() {
        "set" => format!("{path} = {}", part("value")),
        "remove" if part("count").is_null() => format!("{path} removed"),
        "remove" => format!("{path} removed, {} in all", part("count")),
        "insert" => format!("{path} + {}", part("values")),
        "increment" => format!("{path} += {}", part("by")),
        "splice" => format!(
            "{path} at {}: -{} +{}",
            part("position"),
            part("delete"),
            part("insert")
        ),
        _ => difference.0.to_string(),
    };
    format!("{}\n", safe::line(&line))
}

pub fn branch(branch: &Branch, style: Style) -> String {
    format!("{}  {}\n", branch.id, style.bold(&safe::line(&branch.name)))
}

/// A time as in RFC 3339, to the second, in UTC. The calendar is Howard Hinnant's
/// `civil_from_days`.
fn time(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * day_of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{:02} {:02}:{:02}:{:02}Z",
        day_of_year - (153 * part + 2) / 5 + 1,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_calendar_times() {
        assert_eq!(time(0), "1970-01-01 00:00:00Z");
        assert_eq!(time(1_709_164_799_999), "2024-02-28 23:59:59Z");
        assert_eq!(time(1_709_164_800_000), "2024-02-29 00:00:00Z");
        assert_eq!(time(-1), "1969-12-31 23:59:59Z");
        assert!(!time(i64::MAX).is_empty());
    }
}
