//! A cheap first look at a changed object: whether a query could find it at all. It is asked under
//! a space's lock for every change and every live query, so it reads no fields.

use super::super::filter::Filter;
use crate::model::ObjectId;

/// What is seen of an object without reading its fields.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// The object.
    pub id: ObjectId,
    /// Its type name.
    pub type_name: Option<&'a str>,
    /// Its parent.
    pub parent: Option<ObjectId>,
    /// Whether it, or an ancestor of it, is deleted.
    pub gone: bool,
    /// Whether it is a branch of another object.
    pub branch: bool,
}

/// `false` only if the filter surely does not hold for the object.
pub fn may_match(filter: &Filter, glance: &Glance<'_>) -> bool {
    verdict(filter, glance) != Some(false)
}

/// Whether the filter holds, where that can be told.
fn verdict(filter: &Filter, glance: &Glance<'_>) -> Option<bool> {
    match filter {
        Filter::Type(names) => {
            let mut names = names.iter();
            Some(names.any(|name| name.as_deref() == glance.type_name))
        }
        Filter::Id(ids) => Some(ids.contains(&glance.id)),
        Filter::Parent(parent) => Some(*parent == glance.parent),
        Filter::Visible => Some(!glance.gone && !glance.branch),
        Filter::Deleted(deleted) => Some(*deleted == glance.gone),
        Filter::Branch(branch) => Some(*branch == glance.branch),
        Filter::And(all) => fold(all, glance, false),
        Filter::Or(any) => fold(any, glance, true),
        Filter::Not(filter) => verdict(filter, glance).map(|holds| !holds),
        _ => None,
    }
}

/// One part that comes to `decisive` decides; any that cannot be told leaves the rest open.
fn fold(parts: &[Filter], glance: &Glance<'_>, decisive: bool) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match verdict(part, glance) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!decisive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;

    #[test]
    fn only_what_is_sure_is_ruled_out() {
        let glance = Glance {
            id: ObjectId::ZERO,
            type_name: Some("Task"),
            parent: None,
            gone: false,
            branch: false,
        };
        for (text, may) in [
            ("{}", true),
            (r#"{"type":"Task","field":"a","op":"exists"}"#, true),
            (r#"{"type":"Note","field":"a","op":"exists"}"#, false),
            (r#"{"not":{"type":"Task"}}"#, false),
            (r#"{"not":{"field":"a","op":"exists"}}"#, true),
            (
                r#"{"or":[{"type":"Note"},{"field":"a","op":"exists"}]}"#,
                true,
            ),
            (
                r#"{"or":[{"type":"Note"},{"parent":"00000000000000000000000001"}]}"#,
                false,
            ),
            (r#"{"deleted":true}"#, false),
            (
                r#"{"not":{"and":[{"type":"Task"},{"created":{"ge":0}}]}}"#,
                true,
            ),
        ] {
            let query = Query::parse(text).unwrap();
            assert_eq!(may_match(&query.filter, &glance), may, "{text}");
        }
    }
}
