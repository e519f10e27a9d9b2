//! Names under which changes are made. An actor belongs to the data feed whose id it begins with
//! (counted from its last 16 bytes: Automerge puts a few in front of concurrent branches of one
//! writer). So whether a change is made under another's name can be seen from the entry alone, by
//! every peer alike, whatever arrived before.

use crate::model::FeedId;

/// Bytes of an actor.
const LEN: usize = 16;
/// Bytes of it that are the feed's; the others are random, anew at every start.
const BOUND: usize = 10;

/// An actor for a feed, random but for what binds it.
pub fn new_actor(feed: &FeedId, random: &mut dyn FnMut(&mut [u8])) -> [u8; LEN] {
    let mut actor = [0; LEN];
    random(&mut actor);
    for (to, from) in actor.iter_mut().zip(feed.0).take(BOUND) {
        *to = from;
    }
    actor
}

/// Whether an actor may make changes on a feed.
pub fn belongs_to(actor: &[u8], feed: &FeedId) -> bool {
    let own = actor.last_chunk::<LEN>();
    own.is_some_and(|own| own.iter().zip(feed.0).take(BOUND).all(|(a, b)| *a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_bound_to_its_feed() {
        let (feed, other) = (FeedId([7; 16]), FeedId([8; 16]));
        let actor = new_actor(&feed, &mut |to| to.fill(1));
        assert!(belongs_to(&actor, &feed) && !belongs_to(&actor, &other));
        let isolated = [&[0x13, 0xb2, 0x23, 0x09, 1], actor.as_slice()].concat();
        assert!(belongs_to(&isolated, &feed) && !belongs_to(&isolated, &other));
        assert!(!belongs_to(&actor[1..], &feed));
    }
}
