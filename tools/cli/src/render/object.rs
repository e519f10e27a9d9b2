//! Objects and what they hold, for people.

use super::human::Style;
use super::safe;
use crate::event::{Event, Object};
use crate::object_event::{Changed, ConflictValue, Mark};

/// How much of a space's id is shown: enough to name it by.
const SPACE_CHARS: usize = 12;

pub(super) fn text(event: &Event, style: Style) -> String {
    match event {
        Event::Object(object) if style.detailed => lines(object, style),
        Event::Object(object) => line(object, style),
        Event::Changed(changed) => made(changed, style),
        Event::Conflict(value) => conflict(value),
        Event::Mark(value) => mark(value, style),
        _ => String::new(),
    }
}

fn line(object: &Object, style: Style) -> String {
    let space = object.space.as_deref().map_or_else(String::new, |id| {
        let short = id.get(..SPACE_CHARS).unwrap_or(id);
        format!("{}  ", style.dim(short))
    });
    format!(
        "{space}{}  {}  {}\n",
        object.id,
        style.bold(&safe::line(object.type_name.as_deref().unwrap_or("-"))),
        safe::line(object.fields.get())
    )
}

fn lines(object: &Object, style: Style) -> String {
    let mut out = style.bold(&object.id);
    if let Some(type_name) = &object.type_name {
        out += &format!("  {}", safe::line(type_name));
    }
    if object.deleted {
        out += "  (deleted)";
    }
    out.push('\n');
    let named = [
        ("parent", &object.parent),
        ("source", &object.source),
        ("target", &object.target),
        ("branch of", &object.branch_of),
    ];
    for (name, id) in named {
        if let Some(id) = id {
            out += &format!("{name}  {id}\n");
        }
    }
    for tag in &object.tags {
        out += &format!("tag  {}\n", safe::line(tag));
    }
    for (source, key) in &object.keys {
        out += &format!("key  {}  {}\n", safe::line(source), safe::line(key));
    }
    let fields = serde_json::from_str::<serde_json::Value>(object.fields.get())
        .and_then(|fields| serde_json::to_string_pretty(&fields))
        .unwrap_or_else(|_| object.fields.get().to_owned());
    out + &safe::lines(&fields) + "\n"
}

fn made(changed: &Changed, style: Style) -> String {
    let lines = changed.created.iter().map(|made| match &made.name {
        Some(name) => format!("{}  {}\n", made.id, style.bold(&safe::line(name))),
        None => format!("{}\n", made.id),
    });
    lines.collect()
}

fn conflict(value: &ConflictValue) -> String {
    let mark = if value.shown { "* " } else { "  " };
    format!("{mark}{}\n", safe::line(value.value.get()))
}

fn mark(mark: &Mark, style: Style) -> String {
    format!(
        "{}-{}  {}  {}\n",
        mark.start,
        mark.end,
        style.bold(&safe::line(&mark.name)),
        safe::line(mark.value.get())
    )
}
