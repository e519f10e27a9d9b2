//! The steps of `change`: what they are in JSON, and giving them to a transaction.

use crate::failure::{Failure, Result};
use crate::object_event::Made;
use echodb::{MarkExpand, TextUnit, Transaction};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

type Fields = Map<String, Json>;

/// One step, named by `op`. Members that a step does not have are refused: they are typing errors.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Create(Create),
    Update {
        id: String,
        fields: Fields,
    },
    Set {
        id: String,
        path: String,
        value: Json,
    },
    Remove {
        id: String,
        path: String,
    },
    Insert {
        id: String,
        path: String,
        value: Json,
    },
    Move {
        id: String,
        path: String,
        to: u64,
    },
    Increment {
        id: String,
        path: String,
        by: i64,
    },
    Splice {
        id: String,
        path: String,
        position: u64,
        #[serde(default)]
        delete: u64,
        #[serde(default)]
        insert: String,
    },
    Mark {
        id: String,
        path: String,
        start: u64,
        end: u64,
        name: String,
        #[serde(default = "yes")]
        value: Json,
        #[serde(default)]
        expand: Expand,
    },
    Unmark {
        id: String,
        path: String,
        start: u64,
        end: u64,
        name: String,
        #[serde(default)]
        expand: Expand,
    },
    SetParent {
        id: String,
        #[serde(deserialize_with = "Option::deserialize")]
        parent: Option<String>,
    },
    Tag {
        id: String,
        tag: String,
    },
    Untag {
        id: String,
        tag: String,
    },
    SetKey {
        id: String,
        source: String,
        key: String,
    },
    RemoveKey {
        id: String,
        source: String,
    },
    Relate {
        id: String,
        #[serde(deserialize_with = "Option::deserialize")]
        source: Option<String>,
        #[serde(deserialize_with = "Option::deserialize")]
        target: Option<String>,
    },
    Delete {
        id: String,
    },
    Restore {
        id: String,
    },
    OnlyIf {
        id: String,
        heads: Vec<String>,
    },
    At {
        heads: Vec<String>,
    },
    Message {
        text: String,
    },
    Group {
        name: String,
    },
}

/// A new object, or the one that a natural key names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    #[serde(rename = "type", default)]
    type_name: Option<String>,
    #[serde(default)]
    fields: Fields,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "as", default)]
    name: Option<String>,
}

/// As [`MarkExpand`].
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expand {
    None,
    Before,
    #[default]
    After,
    Both,
}

impl From<Expand> for MarkExpand {
    fn from(expand: Expand) -> Self {
        match expand {
            Expand::None => MarkExpand::None,
            Expand::Before => MarkExpand::Before,
            Expand::After => MarkExpand::After,
            Expand::Both => MarkExpand::Both,
        }
    }
}

/// What a mark says unless something else is given.
fn yes() -> Json {
    Json::Bool(true)
}

/// What a list of steps came to.
#[derive(Default)]
pub(super) struct Applied {
    /// The objects that it makes.
    pub(super) made: Vec<Made>,
    /// Which steps do something to an object, counted from 1; the others are about the whole.
    pub(super) operations: Vec<usize>,
}

/// Gives the steps to the transaction. A failure names the step, counted from 1.
pub(super) fn apply(transaction: &Transaction, list: Vec<Json>) -> Result<Applied> {
    let mut steps = Steps {
        transaction,
        names: HashMap::new(),
        applied: Applied::default(),
    };
    for (number, item) in (1..).zip(list) {
        parse(item)
            .and_then(|step| steps.take(number, step))
            .map_err(|failure| Failure {
                error: format!("step {number}: {}", failure.error),
                ..failure
            })?;
    }
    Ok(steps.applied)
}

fn parse(item: Json) -> Result<Step> {
    if !item.is_object() {
        return Err(Failure::usage("a step is a JSON object with an `op`"));
    }
    serde_json::from_value(item).map_err(|error| Failure::usage(error.to_string()))
}

struct Steps<'a> {
    transaction: &'a Transaction,
    /// The ids of the objects that steps have named.
    names: HashMap<String, String>,
    applied: Applied,
}

impl Steps<'_> {
    fn take(&mut self, number: usize, step: Step) -> Result<()> {
        match step {
            Step::OnlyIf { id, heads } => {
                return Ok(self.transaction.only_if(self.id(id)?, heads)?);
            }
            Step::At { heads } => return Ok(self.transaction.at(heads)?),
            Step::Message { text } => return Ok(self.transaction.message(text)?),
            Step::Group { name } => return Ok(self.transaction.group(name)?),
            Step::Create(create) => self.create(number, create)?,
            step => self.change(step)?,
        }
        self.applied.operations.push(number);
        Ok(())
    }

    fn create(&mut self, number: usize, create: Create) -> Result<()> {
        if let Some(name) = &create.name {
            self.check_name(name)?;
        }
        let fields = self.fields(create.fields)?;
        let id = match (create.key, create.id) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage("a natural key makes the id: leave `id` out"));
            }
            (Some(key), None) => {
                let type_name = create.type_name.ok_or_else(|| {
                    Failure::usage("a natural key is one of a type: give `type`, too")
                })?;
                self.transaction.create_with_key(type_name, key, fields)?
            }
            (None, Some(id)) => {
                self.transaction
                    .create_with_id(id.clone(), create.type_name, fields)?;
                id
            }
            (None, None) => self.transaction.create(create.type_name, fields)?,
        };
        if let Some(name) = &create.name {
            self.names.insert(name.clone(), id.clone());
        }
        self.applied.made.push(Made {
            step: number,
            id,
            name: create.name,
        });
        Ok(())
    }

    /// What is done to an object's fields, and to what it has beside them.
    fn change(&self, step: Step) -> Result<()> {
        let to = self.transaction;
        match step {
            Step::Update { id, fields } => to.update(self.id(id)?, self.fields(fields)?)?,
            Step::Set { id, path, value } => to.set(self.id(id)?, path, self.value(value)?)?,
            Step::Remove { id, path } => to.remove(self.id(id)?, path)?,
            Step::Insert { id, path, value } => {
                to.insert(self.id(id)?, path, self.value(value)?)?;
            }
            Step::Move {
                id,
                path,
                to: index,
            } => to.move_item(self.id(id)?, path, index)?,
            Step::Increment { id, path, by } => to.increment(self.id(id)?, path, by)?,
            Step::SetParent { id, parent } => to.set_parent(self.id(id)?, self.end(parent)?)?,
            Step::Tag { id, tag } => to.tag(self.id(id)?, tag)?,
            Step::Untag { id, tag } => to.untag(self.id(id)?, tag)?,
            Step::SetKey { id, source, key } => to.set_key(self.id(id)?, source, Some(key))?,
            Step::RemoveKey { id, source } => to.set_key(self.id(id)?, source, None)?,
            Step::Relate { id, source, target } => {
                to.relate(self.id(id)?, self.end(source)?, self.end(target)?)?;
            }
            Step::Delete { id } => to.delete(self.id(id)?)?,
            Step::Restore { id } => to.restore(self.id(id)?)?,
            text => self.text(text)?,
        }
        Ok(())
    }

    /// What is done to texts, in code points as in `text`.
    fn text(&self, step: Step) -> Result<()> {
        let (to, unit) = (self.transaction, TextUnit::CodePoint);
        match step {
            Step::Splice {
                id,
                path,
                position,
                delete,
                insert,
            } => to.splice_text(self.id(id)?, path, position, delete, insert, unit)?,
            Step::Mark {
                id,
                path,
                start,
                end,
                name,
                value,
                expand,
            } => {
                let (id, value) = (self.id(id)?, value.to_string());
                to.mark(id, path, start, end, unit, name, value, expand.into())?;
            }
            Step::Unmark {
                id,
                path,
                start,
                end,
                name,
                expand,
            } => {
                let (id, value) = (self.id(id)?, Json::Null.to_string());
                to.mark(id, path, start, end, unit, name, value, expand.into())?;
            }
            _ => return Err(Failure::usage("this step is not about a text")),
        }
        Ok(())
    }

    /// The id that is meant: as it is, or that of the object that an earlier step named.
    fn id(&self, id: String) -> Result<String> {
        let Some(name) = id.strip_prefix('$') else {
            return Ok(id);
        };
        self.names.get(name).cloned().ok_or_else(|| {
            Failure::usage(format!(
                "no earlier step names its object {name:?}: it takes \"as\": {name:?}"
            ))
        })
    }

    fn end(&self, id: Option<String>) -> Result<Option<String>> {
        id.map(|id| self.id(id)).transpose()
    }

    fn check_name(&self, name: &str) -> Result<()> {
        if name.is_empty() || name.starts_with('$') {
            return Err(Failure::usage(
                "`as` is a name of one character or more, without the `$` that stands before it elsewhere",
            ));
        }
        match self.names.contains_key(name) {
            true => Err(Failure::usage(format!(
                "an earlier step calls its object {name:?} already"
            ))),
            false => Ok(()),
        }
    }

    fn fields(&self, fields: Fields) -> Result<String> {
        self.value(Json::Object(fields))
    }

    /// The text of a value in which references name objects by their ids.
    fn value(&self, mut value: Json) -> Result<String> {
        self.refer(&mut value)?;
        Ok(value.to_string())
    }

    fn refer(&self, value: &mut Json) -> Result<()> {
        match value {
            Json::Object(map) => match map.get_mut("@ref") {
                Some(Json::String(id)) if id.starts_with('$') => {
                    *id = format!("echo:{}", self.id(id.clone())?);
                    Ok(())
                }
                _ => map.values_mut().try_for_each(|value| self.refer(value)),
            },
            Json::Array(items) => items.iter_mut().try_for_each(|item| self.refer(item)),
            _ => Ok(()),
        }
    }
}
