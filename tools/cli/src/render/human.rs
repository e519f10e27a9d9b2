//! The form for people.

use super::{credential, device, object, past, qr, safe};
use crate::event::{
    Blob, Code, Event, Hit, Index, InvitationLine, LiveChange, Object, Pairing, Schema, Space,
    SpaceDetails, SpaceMember, SpaceStatus, Status, Violation, Why,
};
use crate::member_event::Excluded;
use std::fmt::Write;

/// How standard output wants it.
#[derive(Clone, Copy)]
pub struct Style {
    /// It is a terminal.
    pub terminal: bool,
    /// It shows colours.
    pub colour: bool,
    /// An object may take several lines.
    pub detailed: bool,
}

impl Style {
    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// What an event puts on standard output.
pub fn result(event: &Event, style: Style) -> String {
    match event {
        Event::Identity(who) => {
            let name = style.bold(&safe::line(&who.name));
            format!(
                "{name}\nidentity  {}\ndevice    {}\n",
                who.identity, who.device
            )
        }
        Event::Space(space) => listed_space(space, style),
        Event::SpaceDetails(details) => space_details(details, style),
        Event::Member(member) => member_line(member),
        Event::Excluded(entry) => excluded_line(entry),
        Event::Created(created) => format!("{}\n", created.id),
        Event::Object(_) | Event::Changed(_) | Event::Conflict(_) | Event::Mark(_) => {
            object::text(event, style)
        }
        Event::Hit(_) | Event::Index(_) | Event::Group(_) | Event::Next(_) | Event::Plan(_) => {
            query_result(event, style)
        }
        Event::Text(text) if style.terminal => format!("{}\n", safe::lines(&text.text)),
        Event::Text(text) => format!("{}\n", text.text),
        Event::Change(change) => format!(
            "{:7}  {}  {}  {}\n",
            change.change,
            change.id,
            safe::line(change.type_name.as_deref().unwrap_or("-")),
            style.dim(&change.origin)
        ),
        Event::LiveChange(change) => live_change(change, style),
        Event::Transaction(value) => past::transaction(value, style),
        Event::Version(value) => past::version(value, style),
        Event::Undone(value) => past::undone(value),
        Event::Difference(value) => past::difference(value),
        Event::Branch(value) => past::branch(value, style),
        Event::Why(told) => explanation(told),
        Event::Digest(digest) => format!("{}\n", digest.digest),
        Event::Line(line) if style.terminal => format!("{}\n", safe::line(line)),
        Event::Line(line) => format!("{line}\n"),
        Event::Code(code) => invitation_code(code, style),
        Event::Invitation(line) => invitation_line(line),
        Event::Device(event) => device::text(event, style),
        Event::Credential(event) => credential::text(event, style),
        Event::Pairing(pairing) => auth_code(pairing, style),
        Event::Paired(paired) if !paired.host => format!("{}\n", paired.space),
        Event::Blob(blob) => blob_line(blob),
        Event::Collected(collected) => {
            format!("{} blobs, {} bytes\n", collected.blobs, collected.bytes)
        }
        Event::Status(status) => client_status(status),
        Event::SpaceStatus(status) => space_status(status),
        Event::Schema(schema) => schema_line(schema, style),
        Event::Violation(violation) => violation_line(violation, style),
        Event::Serving(serving) => format!("Serving {}\n", safe::line(&serving.profile)),
        Event::Live(_)
        | Event::Paired(_)
        | Event::Done(_)
        | Event::Warning(_)
        | Event::Progress(_) => String::new(),
        _ => transfer(event),
    }
}

/// Why somebody may do something, or may not, with the operations that led to it.
fn explanation(told: &Why) -> String {
    let steps = told.steps.iter().map(|step| {
        let mark = if step.counts { "  " } else { "x " };
        format!("{mark}{}\n", safe::line(&step.text))
    });
    format!(
        "{}\n{}",
        safe::line(&told.summary),
        steps.collect::<String>()
    )
}

/// An entry that does not count.
fn excluded_line(entry: &Excluded) -> String {
    format!(
        "{}  {}  {} objects  {}\n",
        entry.entry,
        entry.identity,
        entry.objects.len(),
        safe::line(&entry.reason)
    )
}

/// What import and export put there.
fn transfer(event: &Event) -> String {
    match event {
        Event::Imported(imported) => format!("{} objects\n", imported.objects),
        Event::Exported(exported) if exported.file.is_some() => {
            format!("{} objects\n", exported.objects)
        }
        Event::Archive(archive) => format!(
            "{}  {} entries of {} feeds, {} bytes\n",
            archive.space, archive.entries, archive.feeds, archive.bytes
        ),
        Event::Skipped(row) => format!("line {}: {}\n", row.line, safe::line(&row.reason)),
        Event::Stored(stored) => super::stored::line(stored),
        Event::Report(report) => format!(
            "{} created, {} updated, {} unchanged, {} skipped\n",
            report.created, report.updated, report.unchanged, report.skipped
        ),
        _ => String::new(),
    }
}

fn query_result(event: &Event, style: Style) -> String {
    match event {
        Event::Group(group) => format!(
            "{}  {}\n",
            style.bold(&safe::line(group.group.get())),
            safe::line(group.values.get())
        ),
        Event::Hit(hit) => found(hit, style),
        Event::Index(index) => index_line(index, style),
        Event::Next(next) => format!("{}\n", style.dim(&format!("next  {}", next.next))),
        Event::Plan(plan) => format!(
            "{}\n{}\n",
            safe::lines(&plan.words.join("\n")),
            style.dim(&safe::lines(&plan.sql))
        ),
        _ => String::new(),
    }
}

fn blob_line(blob: &Blob) -> String {
    let unnamed = match blob.referenced {
        true => "",
        false => "  (named by no object)",
    };
    format!(
        "{}  {} of {} bytes{unnamed}\n",
        blob.blob, blob.held, blob.size
    )
}

/// What an event tells someone who waits at a terminal.
pub fn progress(event: &Event) -> Option<String> {
    Some(match event {
        Event::Progress(text) => text.clone(),
        Event::Serving(_) => "Stop with Ctrl-C.".to_owned(),
        Event::Exported(exported) if exported.file.is_none() => {
            format!("{} objects", exported.objects)
        }
        Event::Pairing(pairing) => return pairing_progress(pairing).map(str::to_owned),
        Event::Paired(paired) if paired.in_sync => "Both sides have everything.".to_owned(),
        Event::Paired(_) => {
            "Not replicated yet; `echodb serve` on both sides goes on with it.".to_owned()
        }
        _ => return None,
    })
}

fn pairing_progress(pairing: &Pairing) -> Option<&'static str> {
    Some(match (pairing.state.as_str(), pairing.host) {
        ("connecting", true) => "Waiting for the guest…",
        ("connecting", false) => "Looking for the host…",
        ("connected", _) => "Connected; not yet trusted.",
        ("authenticating", _) => "Checking the authorization code…",
        ("success", true) => "The guest is a member now. Replicating…",
        ("success", false) => "Joined. Replicating…",
        _ => return None,
    })
}

fn live_change(change: &LiveChange, style: Style) -> String {
    let place = match (change.from, change.index) {
        (Some(from), Some(index)) => format!("{from} to {index}"),
        (from, index) => index.or(from).unwrap_or_default().to_string(),
    };
    let object = change.object.as_ref();
    let object = object.and_then(|raw| serde_json::from_str::<Object>(raw.get()).ok());
    let shown = object.map_or_else(String::new, |object| {
        let type_name = safe::line(object.type_name.as_deref().unwrap_or("-"));
        let fields = safe::line(object.fields.get());
        format!("  {}  {fields}", style.bold(&type_name))
    });
    format!("{:7}  {place:>6}  {}{shown}\n", change.kind, change.id)
}

fn listed_space(space: &Space, style: Style) -> String {
    space_line(
        &space.space,
        &space.name,
        space.default,
        &space.state,
        style,
    )
}

fn space_line(id: &str, name: &str, default: bool, state: &str, style: Style) -> String {
    let mark = if default { "  (default)" } else { "" };
    let state = match state {
        "ready" => String::new(),
        other => format!("  {other}"),
    };
    let name = match name {
        "" => style.dim("-"),
        name => style.bold(&safe::line(name)),
    };
    format!("{id}  {name}{mark}{state}\n")
}

fn space_details(details: &SpaceDetails, style: Style) -> String {
    let mut out = space_line(
        &details.space,
        &details.name,
        details.default,
        &details.state,
        style,
    );
    put(
        &mut out,
        format_args!("properties  {}", safe::line(details.properties.get())),
    );
    for member in &details.members {
        out.push_str(&member_line(member));
    }
    out
}

fn member_line(member: &SpaceMember) -> String {
    format!(
        "{:8}  {}  {}  {} devices\n",
        member.role,
        member.identity,
        safe::line(&member.name),
        member.devices.len()
    )
}

fn index_line(index: &Index, style: Style) -> String {
    let type_name = safe::line(index.type_name.as_deref().unwrap_or("-"));
    format!("{}  {type_name}\n", style.bold(&safe::line(&index.path)))
}

/// An object that a search found, with the words in bold.
fn found(hit: &Hit, style: Style) -> String {
    let type_name = safe::line(hit.type_name.as_deref().unwrap_or("-"));
    let mut out = format!("{}  {}", hit.id, style.bold(&type_name));
    if let Some(excerpt) = &hit.snippet {
        out.push_str(&format!("  {}  ", style.dim(&safe::line(&excerpt.path))));
        out.push_str(if excerpt.start > 0 { "…" } else { "" });
        let piece = |from, to| safe::line(excerpt.text.get(from..to).unwrap_or_default());
        let mut done = 0;
        for (from, to) in &excerpt.ranges {
            out.push_str(&piece(done, *from));
            out.push_str(&style.bold(&piece(*from, *to)));
            done = *to;
        }
        out.push_str(&piece(done, excerpt.text.len()));
        out.push_str(if excerpt.more { "…" } else { "" });
    }
    out.push('\n');
    out
}

fn invitation_code(code: &Code, style: Style) -> String {
    let bearer = match code.delegated {
        true => "Whoever has this code is let in: hand it over like a key.\n",
        false => "",
    };
    code_lines(&code.code, &code.url, style) + bearer
}

/// A code for a person to hand over.
pub(super) fn code_lines(code: &str, url: &str, style: Style) -> String {
    let image = match style.terminal {
        true => qr::blocks(url, style.colour).unwrap_or_default(),
        false => String::new(),
    };
    format!("{image}Code: {}\nURL:  {url}\n", style.bold(code))
}

fn invitation_line(line: &InvitationLine) -> String {
    let side = match line.joining {
        true => "joining",
        false => "inviting",
    };
    let uses = match line.max_uses {
        Some(most) => format!("{} of {most} uses", line.uses),
        None => format!("{} uses", line.uses),
    };
    format!(
        "{}  {}  {side}  {}  {}  {uses}  {}\n",
        line.invitation,
        line.type_name,
        line.space.as_deref().unwrap_or("-"),
        line.role.as_deref().unwrap_or("-"),
        line.state
    )
}

fn auth_code(pairing: &Pairing, style: Style) -> String {
    // Other states have the code too; it was shown by then.
    let asked = pairing.host && pairing.state == "ready_for_authentication";
    match &pairing.auth_code {
        Some(code) if asked => format!(
            "Authorization code: {}  ({} left; tell it to {})\n",
            style.bold(code),
            pairing.attempts_left,
            safe::line(pairing.peer.as_deref().unwrap_or("the guest"))
        ),
        _ => match &pairing.fingerprint {
            Some(words) if pairing.state == "authenticating" => {
                format!("Both screens show: {}\n", style.bold(words))
            }
            _ => String::new(),
        },
    }
}

fn key(encryption: &str) -> &str {
    match encryption {
        "plain" => "none: the files are not encrypted",
        "file_key" => "in a file beside the profile's",
        "passphrase" => "under a passphrase",
        other => other,
    }
}

fn client_status(status: &Status) -> String {
    let mut out = String::new();
    let yes = |value| if value { "yes" } else { "no" };
    put(&mut out, format_args!("serving   {}", yes(status.serving)));
    put(&mut out, format_args!("online    {}", yes(status.online)));
    put(&mut out, format_args!("spaces    {}", status.spaces));
    put(
        &mut out,
        format_args!("key       {}", key(&status.encryption)),
    );
    put(&mut out, format_args!("peers     {}", status.peers));
    put(
        &mut out,
        format_args!(
            "traffic   {} bytes out, {} in",
            status.bytes_sent, status.bytes_received
        ),
    );
    for server in &status.signaling {
        let state = match (&server.error, server.connected) {
            (_, true) => "connected".to_owned(),
            (Some(error), false) => format!("not connected: {}", safe::line(error)),
            (None, false) => "not connected".to_owned(),
        };
        put(
            &mut out,
            format_args!("signal    {}  {state}", safe::line(&server.url)),
        );
    }
    out
}

fn space_status(status: &SpaceStatus) -> String {
    let mut out = String::new();
    put(&mut out, format_args!("space     {}", status.space));
    put(&mut out, format_args!("state     {}", status.state));
    match (&status.role, status.removed) {
        (Some(role), _) => put(&mut out, format_args!("role      {role}")),
        (None, true) => put(&mut out, format_args!("role      none: removed")),
        (None, false) => put(&mut out, format_args!("role      none yet")),
    }
    put(&mut out, format_args!("objects   {}", status.objects));
    put(&mut out, format_args!("entries   {}", status.entries));
    for (name, count) in [
        ("set aside", status.quarantined),
        ("excluded", status.excluded),
        ("waiting for a key", status.waiting_for_key),
        ("from before this member's time", status.sealed_off),
        ("waiting for another entry", status.waiting_for_dependency),
        ("breaking their schema", status.violations),
    ] {
        if count > 0 {
            put(&mut out, format_args!("          {count} {name}"));
        }
    }
    for peer in &status.peers {
        let state = match peer.in_sync {
            true => "in sync".to_owned(),
            false => format!("{} to confirm, {} to come", peer.unconfirmed, peer.missing),
        };
        put(
            &mut out,
            format_args!(
                "peer      {}  {}  {state}",
                peer.device,
                safe::line(&peer.name)
            ),
        );
    }
    out
}

fn schema_line(schema: &Schema, style: Style) -> String {
    let mut notes = String::new();
    if schema.withdrawn {
        notes.push_str("  (withdrawn)");
    }
    if let Some(problem) = &schema.problem {
        notes.push_str(&format!("  (not in force: {})", safe::line(problem)));
    }
    if schema.conflict {
        notes.push_str("  (conflict)");
    }
    format!(
        "{}  {}{notes}  {}\n",
        style.bold(&safe::line(&schema.type_name)),
        schema.version,
        safe::line(&schema.schema)
    )
}

fn violation_line(violation: &Violation, style: Style) -> String {
    let place = match violation.path.as_str() {
        "" => "/",
        path => path,
    };
    format!(
        "{}  {} {}  {}  {}\n",
        violation.id,
        style.bold(&safe::line(&violation.type_name)),
        violation.version,
        safe::line(place),
        safe::line(&violation.reason)
    )
}

fn put(out: &mut String, line: std::fmt::Arguments) {
    writeln!(out, "{line}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_of_a_live_query_are_lines() {
        let style = Style {
            terminal: false,
            colour: false,
            detailed: false,
        };
        let object = json!({"id": "1", "type": "Task", "parent": null, "deleted": false,
            "created_ms": 0, "updated_ms": 0, "heads": [], "fields": {"a": "\u{1b}"}});
        let line = |change: serde_json::Value| {
            let change: LiveChange = serde_json::from_value(change).unwrap();
            result(&Event::LiveChange(change), style)
        };
        assert_eq!(
            line(json!({"kind": "moved", "id": "1", "from": 3, "index": 0, "object": object})),
            "moved    3 to 0  1  Task  {\"a\":\"\\u001b\"}\n"
        );
        assert_eq!(
            line(json!({"kind": "removed", "id": "1", "from": 12})),
            "removed      12  1\n"
        );
    }
}
