//! A schema that can be asked.

use super::plan::{self, Plan};
use super::reason;
use crate::model::contain::contain;
use crate::model::{Error, Result, limits};
use boon::{Compiler, Draft, SchemaIndex, Schemas, UrlLoader};
use serde_json::{Value as Json, json};

/// The name under which the validator knows the one document it is given.
const NAME: &str = "schema:///";
/// The name of another one, which says that the first does not hold: asked for that, the validator
/// keeps no list of what is wrong.
const OPPOSITE: &str = "schema:///opposite";

/// One rule that an object's fields break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Where in the fields, as a JSON Pointer; empty for all of them.
    pub path: String,
    /// The keyword, a colon, and a sentence that holds nothing of the fields but names.
    pub reason: String,
}

/// What is recorded of an object whose check was put off.
const UNCHECKED: &str = "unchecked: it is yet to be checked";

impl Breach {
    /// Stands for the outcome of a check that was put off.
    pub fn unchecked() -> Breach {
        Breach {
            path: String::new(),
            reason: UNCHECKED.into(),
        }
    }
}

/// The outcome of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is broken.
    pub breaches: Vec<Breach>,
    /// The steps that it took to find out.
    pub steps: u64,
}

/// A compiled schema.
pub struct CompiledSchema {
    plan: Plan,
    schemas: Schemas,
    index: SchemaIndex,
    opposite: SchemaIndex,
}

impl CompiledSchema {
    /// Compiles a schema's text. Fails with `LimitExceeded` if it is out of bounds, and with
    /// `InvalidArgument` if it is no JSON Schema or uses what is not supported.
    pub fn compile(text: &str) -> Result<CompiledSchema> {
        if text.len() > limits::SCHEMA_BYTES {
            return Err(Error::limit(format!(
                "a schema may have {} bytes, not {}",
                limits::SCHEMA_BYTES,
                text.len()
            )));
        }
        let json = crate::model::json::parse(text)?;
        check_depth(&json, 0)?;
        check_draft(&json)?;
        let (plan, places) = Plan::read(&json)?;
        // The validator's own code meets what a stranger wrote here: a panic in it is a refusal.
        let compiled = contain(|| build(json, &places));
        let (schemas, index, opposite) = compiled.unwrap_or_else(|_| {
            Err(Error::invalid("the schema cannot be read as a JSON Schema"))
        })?;
        Ok(CompiledSchema {
            plan,
            schemas,
            index,
            opposite,
        })
    }

    /// How many patterns it has, each a program in memory.
    pub fn patterns(&self) -> usize {
        self.plan.patterns()
    }

    /// The rules that a plain value breaks, at most [`limits::VIOLATIONS`] of them; none if it keeps
    /// to the schema. A check that would take too many steps is not made, which counts as a breach.
    pub fn check(&self, plain: &Json) -> Vec<Breach> {
        self.check_counted(plain).breaches
    }

    /// As [`CompiledSchema::check`], with the steps that it took.
    pub fn check_counted(&self, plain: &Json) -> Checked {
        let Some(cost) = self.plan.cost(plain) else {
            return Checked {
                breaches: vec![too_complex()],
                steps: limits::SCHEMA_STEPS,
            };
        };
        Checked {
            breaches: self.checked(plain, cost.places <= limits::SCHEMA_PLACES),
            steps: cost.steps,
        }
    }

    /// What is broken; if `place` by place, or whether anything is.
    fn checked(&self, plain: &Json, place: bool) -> Vec<Breach> {
        let check = || match place {
            true => match self.schemas.validate(plain, self.index) {
                Ok(()) => Vec::new(),
                Err(error) => reason::breaches(&error),
            },
            false => match self.schemas.validate(plain, self.opposite) {
                Ok(()) => vec![somewhere()],
                Err(_) => Vec::new(),
            },
        };
        contain(check).unwrap_or_else(|_| {
            vec![Breach {
                path: String::new(),
                reason: "failed: the schema could not be applied".into(),
            }]
        })
    }
}

fn somewhere() -> Breach {
    Breach {
        path: String::new(),
        reason: format!(
            "schema: does not fit; with more than {} places to look at, it is not said where",
            limits::SCHEMA_PLACES
        ),
    }
}

fn too_complex() -> Breach {
    Breach {
        path: String::new(),
        reason: format!(
            "too_complex: to check this takes more than {} steps, or more than {} nested ones",
            limits::SCHEMA_STEPS,
            limits::SCHEMA_CHECK_DEPTH
        ),
    }
}

fn build(mut json: Json, places: &[String]) -> Result<(Schemas, SchemaIndex, SchemaIndex)> {
    plan::silence(&mut json, places);
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.use_loader(Box::new(Nothing));
    let refused = |e: boon::CompileError| Error::invalid(reason::not_a_schema(&e));
    let opposite = json!({"not": {"$ref": NAME}});
    compiler.add_resource(NAME, json).map_err(refused)?;
    compiler.add_resource(OPPOSITE, opposite).map_err(refused)?;
    let mut schemas = Schemas::new();
    let index = compiler.compile(NAME, &mut schemas).map_err(refused)?;
    let opposite = compiler.compile(OPPOSITE, &mut schemas).map_err(refused)?;
    Ok((schemas, index, opposite))
}

/// Loads nothing: a schema stands alone.
struct Nothing;

impl UrlLoader for Nothing {
    fn load(&self, _: &str) -> std::result::Result<Json, Box<dyn std::error::Error>> {
        Err("schemas are not loaded from elsewhere".into())
    }
}

fn check_depth(json: &Json, depth: usize) -> Result<()> {
    if depth > limits::SCHEMA_JSON_DEPTH {
        return Err(Error::limit(format!(
            "a schema's JSON may be nested {} deep",
            limits::SCHEMA_JSON_DEPTH
        )));
    }
    match json {
        Json::Array(items) => items.iter().try_for_each(|i| check_depth(i, depth + 1)),
        Json::Object(map) => map.values().try_for_each(|i| check_depth(i, depth + 1)),
        _ => Ok(()),
    }
}

/// Only the standard's own drafts: another one would have to be loaded.
fn check_draft(json: &Json) -> Result<()> {
    let draft = match json {
        Json::Object(map) => map.get("$schema"),
        Json::Bool(_) => None,
        _ => return Err(Error::invalid("a schema is a JSON object, true or false")),
    };
    let known = |draft: &Json| {
        let name = draft.as_str().map(|name| name.trim_end_matches('#'));
        name.is_some_and(|name| Draft::from_url(name).is_some())
    };
    match draft {
        Some(draft) if !known(draft) => Err(Error::invalid(
            "\"$schema\" names none of the drafts 4, 6, 7, 2019-09 and 2020-12",
        )),
        _ => Ok(()),
    }
}
