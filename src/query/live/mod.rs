//! Results that are kept up to date: which queries can be kept by looking at the changed objects
//! alone ([`LivePlan`]), the ordered list that is kept of such a query ([`Ranked`]), and what
//! changed between two lists ([`diff`]). All of it is pure; who runs the SQL is not known here.

pub mod diff;
mod glance;
mod plan;
mod ranked;

pub use glance::{Glance, may_match};
pub use plan::LivePlan;
pub use ranked::{Entry, Ranked};
