//! `change`: a list of steps, in JSON, as one transaction.

use super::Context;
use super::steps::{self, Applied};
use crate::args::ChangeCommand;
use crate::event::Event;
use crate::failure::{Failure, Result};
use crate::object_event::{Changed, Version};
use echodb::model::{ErrorKind, json};
use serde_json::Value as Json;

pub(super) fn change(context: &mut Context, command: ChangeCommand) -> Result<()> {
    let text = context.json(command.steps)?;
    let Json::Array(list) = json::parse(&text).map_err(echodb::EchoError::from)? else {
        return Err(Failure::usage("the steps are a JSON list of objects"));
    };
    let space = context.space(&command.space)?;
    let transaction = space.transaction();
    let applied = steps::apply(&transaction, list)?;
    let committed = transaction
        .commit()
        .map_err(|error| of_step(error.into(), &applied))?;
    let objects = committed.objects.into_iter().map(|object| Version {
        id: object.id,
        heads: object.heads,
    });
    context.output.emit(Event::Changed(Changed {
        space: space.id(),
        entry: committed.entry,
        created: applied.made,
        objects: objects.collect(),
    }))
}

/// A commit's failure with the number that the step has in the list. The library counts what is done
/// to objects, and says no number where that is one thing; the list has conditions and messages, too.
fn of_step(failure: Failure, applied: &Applied) -> Failure {
    let numbered = failure
        .error
        .strip_prefix("step ")
        .and_then(|rest| rest.split_once(": "))
        .and_then(|(number, rest)| Some((number.parse::<usize>().ok()?, rest)));
    let does_not_fit = matches!(
        failure.kind(),
        Some(ErrorKind::InvalidArgument | ErrorKind::NotFound | ErrorKind::AlreadyExists)
    );
    let (number, rest) = match (numbered, applied.operations.as_slice()) {
        (Some((number, rest)), _) => (number, rest),
        (None, [_]) if does_not_fit => (1, failure.error.as_str()),
        _ => return failure,
    };
    let step = number
        .checked_sub(1)
        .and_then(|index| applied.operations.get(index));
    match step {
        Some(step) => Failure {
            error: format!("step {step}: {rest}"),
            ..failure
        },
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_step_of_the_list() {
        let of = |operations: &[usize], kind, error: &str| {
            let applied = Applied {
                operations: operations.to_vec(),
                ..Applied::default()
            };
            of_step(Failure::new(kind, error), &applied).error
        };
        let invalid = ErrorKind::InvalidArgument;
        assert_eq!(of(&[2, 4], invalid, "step 2: /a: no"), "step 4: /a: no");
        assert_eq!(of(&[3], invalid, "/a: no"), "step 3: /a: no");
        assert_eq!(of(&[3], ErrorKind::Conflict, "changed"), "changed");
        assert_eq!(of(&[1, 2], invalid, "too many"), "too many");
        assert_eq!(of(&[1, 2], invalid, "step 9: what"), "step 9: what");
    }
}
