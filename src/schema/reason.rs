//! What the validator says, in words that quote nothing of the fields but names: they go into
//! errors and logs.

use super::Breach;
use crate::model::limits;
use boon::{CompileError, ErrorKind, ValidationError};

/// Characters of one reason.
const LENGTH: usize = 300;

/// The rules broken, each with its place. Where one of several schemas had to match, that rule is
/// named, not all of theirs.
pub(super) fn breaches(error: &ValidationError<'_, '_>) -> Vec<Breach> {
    let mut found = Vec::new();
    gather(error, &mut found);
    found
}

fn gather(error: &ValidationError<'_, '_>, found: &mut Vec<Breach>) {
    if found.len() >= limits::VIOLATIONS {
        return;
    }
    let whole = matches!(
        error.kind,
        ErrorKind::AnyOf
            | ErrorKind::OneOf(_)
            | ErrorKind::Contains
            | ErrorKind::MinContains { .. }
            | ErrorKind::PropertyName { .. }
    );
    if error.causes.is_empty() || whole {
        let breach = Breach {
            path: error.instance_location.to_string(),
            reason: clip(&sentence(&error.kind)),
        };
        if !found.contains(&breach) {
            found.push(breach);
        }
        return;
    }
    for cause in &error.causes {
        gather(cause, found);
    }
}

/// Why a text is no schema.
pub(super) fn not_a_schema(error: &CompileError) -> String {
    match error {
        CompileError::ValidationError { src, .. } => {
            let first = breaches(src).into_iter().next();
            let (path, reason) = first.map_or_else(Default::default, |b| (b.path, b.reason));
            format!("this is no JSON Schema: at {path:?}: {reason}")
        }
        other => clip(&format!("this schema cannot be used: {other}")),
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn names<T: std::fmt::Debug>(names: &[T]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}

fn sentence(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::FalseSchema => "false: nothing may be here".into(),
        ErrorKind::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|t| t.to_string()).collect();
            format!("type: must be {}, and is {got}", want.join(" or "))
        }
        ErrorKind::Enum { .. } => "enum: is none of the values allowed".into(),
        ErrorKind::Const { .. } => "const: is not the value required".into(),
        ErrorKind::Required { want } => format!("required: lacks {}", names(want)),
        ErrorKind::AdditionalProperties { got } => {
            format!("additionalProperties: may not have {}", names(got))
        }
        ErrorKind::Dependency { prop, missing }
        | ErrorKind::DependentRequired { prop, missing } => {
            format!(
                "dependentRequired: with {prop:?} it needs {}",
                names(missing)
            )
        }
        ErrorKind::PropertyName { prop } => format!("propertyNames: {prop:?} may not be a name"),
        ErrorKind::UniqueItems { got: [i, j] } => {
            format!("uniqueItems: items {i} and {j} are equal")
        }
        ErrorKind::AdditionalItems { .. } => "additionalItems: has items too many".into(),
        ErrorKind::Contains => "contains: no item is as one must be".into(),
        ErrorKind::Not => "not: is what it must not be".into(),
        ErrorKind::AnyOf => "anyOf: none of the alternatives fits".into(),
        ErrorKind::OneOf(None) => "oneOf: none of the alternatives fits".into(),
        ErrorKind::OneOf(Some((i, j))) => format!("oneOf: alternatives {i} and {j} both fit"),
        ErrorKind::RefCycle { .. } => "$ref: refers to itself without end".into(),
        other => measure(other),
    }
}

/// Rules about sizes.
fn measure(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::MinProperties { got, want } => {
            format!("minProperties: must have {want} fields, and has {got}")
        }
        ErrorKind::MaxProperties { got, want } => {
            format!("maxProperties: may have {want} fields, and has {got}")
        }
        ErrorKind::MinItems { got, want } => {
            format!("minItems: must have {want} items, and has {got}")
        }
        ErrorKind::MaxItems { got, want } => {
            format!("maxItems: may have {want} items, and has {got}")
        }
        ErrorKind::MinContains { got, want } => {
            format!("minContains: {want} items must match, and {} do", got.len())
        }
        ErrorKind::MaxContains { got, want } => {
            format!("maxContains: {want} items may match, and {} do", got.len())
        }
        ErrorKind::MinLength { got, want } => {
            format!("minLength: must have {want} characters, and has {got}")
        }
        ErrorKind::MaxLength { got, want } => {
            format!("maxLength: may have {want} characters, and has {got}")
        }
        ErrorKind::Pattern { want, .. } => format!("pattern: does not match {want:?}"),
        ErrorKind::Minimum { want, .. } => format!("minimum: must be at least {want}"),
        ErrorKind::Maximum { want, .. } => format!("maximum: must be at most {want}"),
        ErrorKind::ExclusiveMinimum { want, .. } => {
            format!("exclusiveMinimum: must be greater than {want}")
        }
        ErrorKind::ExclusiveMaximum { want, .. } => {
            format!("exclusiveMaximum: must be less than {want}")
        }
        ErrorKind::MultipleOf { want, .. } => format!("multipleOf: must be a multiple of {want}"),
        // What is left has causes, or asserts nothing here.
        _ => "schema: does not fit".into(),
    }
}
