//! Data entries of devices whose standing was undone: what charges them, and who vouches.
//!
//! Unlike a denial, which somebody knows of or does not, this depends on which of the operations that
//! an author stood on count in whose eyes. So entries are told apart by what their authors knew:
//! entries of one device with the same knowledge stand and fall with the same operations.

use super::denials::{Known, Outline};
use super::space_core::SpaceCore;
use super::validity::{DenialIndex, Verdict};
use crate::authority::Target;
use crate::feed::FeedHeader;
use crate::model::{DeviceKey, EntryId, Role};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a device knew when it wrote on the strength of something that does not count.
struct Context {
    /// The denial that stands for it.
    denial: DenialIndex,
    author: FeedHeader,
    known: Known,
    /// Whether the identity's other devices have no more right than this one.
    whole_identity: bool,
}

/// The contexts of the entries that are being judged. As charges they have numbers above those of the
/// denials.
pub(super) struct Contexts {
    first: usize,
    all: Vec<Context>,
    /// By the author's device and what it knew. Whoever names the same over and over makes no more.
    places: HashMap<(DeviceKey, Arc<[EntryId]>), Option<usize>>,
    /// Whether somebody who knew this much saw a right in a context.
    eyes: HashMap<(Arc<[EntryId]>, usize), bool>,
}

impl Contexts {
    pub fn new(denials: usize) -> Contexts {
        Contexts {
            first: denials,
            all: Vec::new(),
            places: HashMap::new(),
            eyes: HashMap::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A verdict in terms of denials.
    pub fn settle(&self, verdict: Verdict) -> Verdict {
        let denial = |at: DenialIndex| match at.checked_sub(self.first) {
            None => at,
            Some(context) => self.all.get(context).map_or(at, |context| context.denial),
        };
        match verdict {
            Verdict::Denied(at) => Verdict::Denied(denial(at)),
            Verdict::Valid(vouchers) => {
                let mut settled: BTreeMap<DenialIndex, EntryId> = BTreeMap::new();
                for (at, id) in vouchers {
                    let lowest = settled.entry(denial(at)).or_insert(id);
                    *lowest = (*lowest).min(id);
                }
                Verdict::Valid(settled)
            }
            other => other,
        }
    }
}

impl SpaceCore {
    /// The denial by which an entry is charged whose author's standing was undone, and whether that
    /// of the whole identity was.
    pub(super) fn void_charge(&self, outline: &Outline) -> Option<(DenialIndex, bool)> {
        let author = &self.feeds.get(&outline.feed)?.header;
        let of_author = Target::Device(author.device);
        let mut denials = self.denials.list.iter();
        let denial = denials.position(|denial| denial.is_void && denial.target == of_author)?;
        let ctl = &outline.known.ctl;
        let (device, identity) = (&author.device, &author.identity);
        let now = self.authority.standing_still(device, identity, ctl, None)?;
        let lost = outline.known.role >= Some(Role::Editor) && now.device < Some(Role::Editor);
        lost.then_some((denial, now.identity < Some(Role::Editor)))
    }

    /// The same as a charge among `contexts`.
    pub(super) fn context_of(&self, outline: &Outline, contexts: &mut Contexts) -> Option<usize> {
        let author = &self.feeds.get(&outline.feed)?.header;
        let key = (author.device, Arc::clone(&outline.known.ctl));
        if let Some(place) = contexts.places.get(&key) {
            return *place;
        }
        let place = self.void_charge(outline).map(|(denial, whole_identity)| {
            contexts.all.push(Context {
                denial,
                author: author.clone(),
                known: outline.known.clone(),
                whole_identity,
            });
            contexts.first + contexts.all.len() - 1
        });
        contexts.places.insert(key, place);
        place
    }

    /// The contexts for which an entry can vouch: another's, in which its author saw a right.
    pub(super) fn vouches_in(&self, outline: &Outline, contexts: &mut Contexts) -> Vec<usize> {
        let Some(author) = self.feeds.get(&outline.feed).map(|feed| &feed.header) else {
            return Vec::new();
        };
        let Contexts {
            first, all, eyes, ..
        } = contexts;
        let mut vouches = Vec::new();
        for (at, context) in all.iter().enumerate() {
            let (device, identity) = (&context.author.device, &context.author.identity);
            let itself =
                author.device == *device || context.whole_identity && author.identity == *identity;
            let saw = !itself
                && *eyes
                    .entry((Arc::clone(&outline.known.ctl), at))
                    .or_insert_with(|| {
                        let by = Some(&*outline.known.ctl);
                        let ctl = &context.known.ctl;
                        let then = self.authority.standing_still(device, identity, ctl, by);
                        then.is_some_and(|then| then.device >= Some(Role::Editor))
                    });
            if saw {
                vouches.push(*first + at);
            }
        }
        vouches
    }
}
