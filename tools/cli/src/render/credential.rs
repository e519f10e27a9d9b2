//! Credentials and presentations, for people.

use super::human::Style;
use super::safe;
use crate::credential_event::{Credential, CredentialEvent, Presentation};

pub(super) fn text(event: &CredentialEvent, style: Style) -> String {
    match event {
        CredentialEvent::Credential(value) => credential(value, style),
        CredentialEvent::Code(value) => format!("{}\n", value.code),
        CredentialEvent::Presentation(value) => presentation(value, style),
        CredentialEvent::Removed(_) => String::new(),
    }
}

fn presentation(found: &Presentation, style: Style) -> String {
    let head = format!(
        "{}  {}  by the device {}{}\n",
        found.identity,
        style.bold(&named(&found.name)),
        found.device,
        checked(found.device_checked, style)
    );
    let shown = found.credentials.iter().map(|each| credential(each, style));
    head + &shown.collect::<String>()
}

fn credential(of: &Credential, style: Style) -> String {
    let what = match (of.kind.as_str(), &of.role, &of.type_name) {
        (_, Some(role), _) => format!("{role} in {}", of.space.as_deref().unwrap_or("-")),
        (_, _, Some(type_name)) => {
            let claims = of.claims.as_ref().map(ToString::to_string);
            let claims = claims.unwrap_or_default();
            format!("{} {}", safe::line(type_name), safe::line(&claims))
        }
        _ => format!("{} of {}", named(&of.subject_name), of.subject),
    };
    let by = match of.issuer == of.subject {
        true => String::new(),
        false => format!("  by {} {}", named(&of.issuer_name), of.issuer),
    };
    let head = format!(
        "{}  {}  {what}{by}{}\n",
        of.id,
        style.dim(&of.kind),
        checked(of.checked_against_space, style)
    );
    let steps = of.steps.iter();
    let steps = steps.map(|step| format!("  {}\n", safe::line(&step.text)));
    head + &steps.collect::<String>()
}

fn named(name: &str) -> String {
    match name {
        "" => "-".to_owned(),
        name => safe::line(name),
    }
}

fn checked(checked: bool, style: Style) -> String {
    match checked {
        true => format!("  {}", style.dim("checked against a space")),
        false => String::new(),
    }
}
