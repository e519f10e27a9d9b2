//! Trees and natural keys between two clients: what is below a deleted object is out of sight on
//! both, and objects made apart under one key become one.

mod support;

use echodb::Space;
use support::{Signal, client, converge, pair};

fn ids(space: &Space, query: &str) -> Vec<String> {
    let found = space.query(query.into()).unwrap();
    found.into_iter().map(|object| object.id).collect()
}

#[test]
fn what_is_below_a_deleted_object_is_out_of_sight() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let a = ada.create_space("{}".into()).unwrap();
    let b = pair(&a, &bob);
    let make = |parent: Option<&String>| {
        let tx = a.transaction();
        let id = tx.create(Some("Node".into()), "{}".into()).unwrap();
        if let Some(parent) = parent {
            tx.set_parent(id.clone(), Some(parent.clone())).unwrap();
        }
        tx.commit().unwrap();
        id
    };
    let root = make(None);
    let child = make(Some(&root));
    let grandchild = make(Some(&child));
    converge(&a, &b);
    let nodes = r#"{"type": "Node"}"#;
    assert_eq!(ids(&b, nodes).len(), 3);
    a.delete(root.clone()).unwrap();
    // One more below, by one who has not heard of it or has.
    let tx = b.transaction();
    let late = tx.create(Some("Node".into()), "{}".into()).unwrap();
    tx.set_parent(late.clone(), Some(grandchild.clone()))
        .unwrap();
    tx.commit().unwrap();
    converge(&a, &b);
    for space in [&a, &b] {
        assert!(ids(space, nodes).is_empty());
        assert_eq!(ids(space, r#"{"type": "Node", "deleted": true}"#).len(), 4);
        let object = space.get(late.clone()).unwrap().unwrap();
        assert!(object.hidden && !object.deleted);
    }
    // A cycle hides nothing, and ends nowhere.
    let tx = a.transaction();
    tx.restore(root.clone()).unwrap();
    tx.set_parent(root.clone(), Some(grandchild)).unwrap();
    tx.commit().unwrap();
    converge(&a, &b);
    assert_eq!(ids(&b, nodes).len(), 4);
    b.delete(child.clone()).unwrap();
    converge(&a, &b);
    for space in [&a, &b] {
        assert!(ids(space, nodes).is_empty());
    }
    let tx = a.transaction();
    tx.set_parent(root.clone(), None).unwrap();
    tx.commit().unwrap();
    converge(&a, &b);
    for space in [&a, &b] {
        assert_eq!(ids(space, nodes), std::slice::from_ref(&root));
    }
}

#[test]
fn objects_made_apart_under_one_key_are_one() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let a = ada.create_space("{}".into()).unwrap();
    let b = pair(&a, &bob);
    ada.set_online(false).unwrap();
    let make = |space: &Space, fields: &str| {
        let tx = space.transaction();
        let id = tx
            .create_with_key("Book".into(), "isbn:1".into(), fields.into())
            .unwrap();
        tx.commit().unwrap();
        id
    };
    let from_a = make(&a, r#"{"a": 1}"#);
    assert_eq!(from_a, make(&b, r#"{"b": 2}"#));
    ada.set_online(true).unwrap();
    converge(&a, &b);
    let books = a.query(r#"{"type": "Book"}"#.into()).unwrap();
    assert_eq!(books.len(), 1);
    assert_eq!(books[0].fields, r#"{"a":1,"b":2}"#);
    assert_eq!(books[0].keys["natural"], "isbn:1");
}
