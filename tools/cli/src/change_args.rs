//! `change`, `conflicts` and `marks`, as they may be written.

use serde::{Deserialize, Serialize};

const STEPS: &str = "\
A step is a JSON object: `op` names what is done, `id` the object. Steps:
  {\"op\":\"create\"}            type, fields; key: a natural key; id: as given; as: a name
  {\"op\":\"update\",\"id\":…}     fields
  {\"op\":\"set\",\"id\":…}        path, value
  {\"op\":\"remove\",\"id\":…}     path
  {\"op\":\"insert\",\"id\":…}     path, value: into a list, before the index that ends the path
  {\"op\":\"move\",\"id\":…}       path, to: an element of a list, to this index
  {\"op\":\"increment\",\"id\":…}  path, by
  {\"op\":\"splice\",\"id\":…}     path, position, delete, insert: in a text, in code points
  {\"op\":\"mark\",\"id\":…}       path, start, end, name, value, expand: none, before, after or both
  {\"op\":\"unmark\",\"id\":…}     path, start, end, name
  {\"op\":\"set_parent\",\"id\":…} parent, or null
  {\"op\":\"tag\",\"id\":…}        tag
  {\"op\":\"untag\",\"id\":…}      tag
  {\"op\":\"set_key\",\"id\":…}    source, key: what the object is called in another system
  {\"op\":\"remove_key\",\"id\":…} source
  {\"op\":\"relate\",\"id\":…}     source, target; either may be null
  {\"op\":\"delete\",\"id\":…}
  {\"op\":\"restore\",\"id\":…}
  {\"op\":\"only_if\",\"id\":…}    heads: the object must be at this version; []: must not exist
  {\"op\":\"at\"}                heads: makes the steps, all on one object, at this version
  {\"op\":\"message\"}           text: stays in the log and the history
  {\"op\":\"group\"}             name: is undone at once with what precedes it in this group

An object that an earlier step named by \"as\":\"NAME\" is \"$NAME\" in later ones, also in values,
as {\"@ref\":\"$NAME\"}.";

/// Steps that take effect together.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
#[command(after_help = STEPS, after_long_help = STEPS)]
pub struct ChangeCommand {
    /// The space
    pub space: String,
    /// The steps, a JSON list, for example '[{"op":"create","type":"Task","as":"task"},
    /// {"op":"tag","id":"$task","tag":"new"}]'
    #[arg(value_name = "JSON")]
    pub steps: String,
}

/// A place in an object.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub struct PlaceArgs {
    /// The space
    pub space: String,
    /// The object
    pub id: String,
    /// The field, or a JSON Pointer
    #[arg(value_name = "PATH")]
    pub path: String,
}
