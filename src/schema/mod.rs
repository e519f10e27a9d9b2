//! JSON Schemas: read, bounded, compiled, and asked whether an object's fields keep to them.
//!
//! A schema comes from any member of a space, so it is treated as hostile. Only what needs nothing
//! from outside is taken: drafts 4, 6, 7, 2019-09 and 2020-12 (which counts where `$schema` is
//! absent), references within the schema (`"#"`, `"#/$defs/name"`), no `$id` but the schema's own,
//! no anchors and no dynamic references. Its size, depth, number of subschemas and patterns are
//! bounded ([`crate::model::limits`]), and so is the work of every check, which is counted before
//! it is done ([`cost`]): a few lines of `allOf` can ask for more steps than there are atoms.
//!
//! `format` and the `content…` keywords assert nothing: what they mean differs between versions of
//! the standard and of libraries, and peers must agree. `pattern` says the same exactly.

mod compiled;
mod cost;
mod pattern;
mod plan;
mod reason;
#[cfg(test)]
mod tests;

pub use compiled::{Breach, Checked, CompiledSchema};
