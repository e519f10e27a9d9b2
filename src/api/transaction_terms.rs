//! On what terms a transaction is made: what it takes for granted, and what it is undone with.

use super::error::Result;
use super::transaction::Transaction;
use crate::model::ObjectId;

#[cfg_attr(feature = "bindings", uniffi::export)]
impl Transaction {
    /// Takes it for granted that an object is at exactly the version `heads` (an object's `heads`,
    /// in any order), or, if `heads` is empty, that it does not exist. Otherwise the commit fails with
    /// `Conflict` and changes nothing. A deleted object exists. May be said of several objects.
    /// Edits of this client that are still being gathered count.
    pub fn only_if(&self, id: String, heads: Vec<String>) -> Result<()> {
        let object = ObjectId::parse(&id)?;
        let heads = super::space_history::parse_heads(&heads)?;
        self.edit_terms(|terms| terms.expected.push((object, heads)))
    }

    /// Puts the transaction in a group, named by 1 to 256 characters: transactions of one group that
    /// follow each other are undone, and redone, at once. Groups are forgotten when the space is
    /// closed; their transactions are then undone one by one.
    pub fn group(&self, name: String) -> Result<()> {
        super::space::check_name("a group", &name)?;
        self.edit_terms(|terms| terms.group = Some(name))
    }
}
