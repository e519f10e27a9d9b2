//! Entries that bring more than one may: everybody sets them aside, for the same reason.

use super::schemas::{meet, peers};
use crate::feed::{DataBody, FeedHeader};
use crate::model::{ObjectId, Operation, Value, limits};
use crate::objects::Document;
use crate::space::{Ingest, SpaceCore, new_actor};

/// A body that changes an object under so many names of the writer's feed.
fn under_names(core: &mut SpaceCore, object: ObjectId, names: usize) -> Vec<u8> {
    let header = FeedHeader::decode(&core.forged_header(), core.id()).unwrap();
    let feed = header.feed_id();
    let saved = core.read_document(object, Document::save).unwrap();
    let mut changes = Vec::new();
    for n in 0..names {
        let actor = new_actor(&feed, &mut |to| to.fill(n as u8 + 1));
        let mut document = Document::load(actor, Some(&saved), &[]).unwrap();
        let fields = [("n".to_owned(), Value::Int(n as i64 + 1))].into();
        document
            .apply(&Operation::Update { object, fields })
            .unwrap();
        let made = document.commit(0, None).unwrap();
        changes.extend(made.into_iter().map(|change| (object, change)));
    }
    DataBody {
        clock_ms: 0,
        changes,
    }
    .encode()
}

#[test]
fn entries_of_too_many_names_are_set_aside_by_all() {
    let (_folder, mut peers) = peers(3);
    let liar = peers[1].core();
    let object = liar.new_object_id(0);
    let create = Operation::Create {
        object,
        type_name: None,
        fields: [("n".to_owned(), Value::Int(0))].into(),
    };
    liar.transact(&[create], None, None, 0).unwrap();
    meet(&mut peers);
    let liar = peers[1].core();
    let most = under_names(liar, object, limits::ENTRY_ACTORS);
    let honest = liar.forge(&most, |_| {});
    let more = under_names(liar, object, limits::ENTRY_ACTORS + 1);
    liar.advance_forged(&honest);
    let dishonest = liar.forge(&more, |_| {});
    for at in [0, 2] {
        let core = peers[at].core();
        let mut into = Ingest::default();
        core.ingest(vec![honest.bytes().clone()], &mut into)
            .unwrap();
        assert_eq!(into.quarantined, Vec::<String>::new());
        assert_eq!(into.rows.len(), 1);
        let mut into = Ingest::default();
        core.ingest(vec![dishonest.bytes().clone()], &mut into)
            .unwrap();
        assert!(into.rows.is_empty());
        assert!(
            into.quarantined[0].starts_with("entry_actors: "),
            "{:?}",
            into.quarantined
        );
    }
    let digests = [0, 2].map(|at: usize| peers[at].core().digest().unwrap());
    assert_eq!(digests[0], digests[1]);
}
