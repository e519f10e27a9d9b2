//! The HALO space of a client that is alone.

use crate::api::{ClientOptions, EncryptionMode};
use crate::model::{ErrorKind, ObjectId, Operation};
use crate::runtime::clock;
use crate::runtime::node::{Node, NodeGuard};
use crate::space::HaloFact;
use std::path::Path;
use std::sync::Arc;

fn open(dir: &Path) -> Arc<NodeGuard> {
    open_with(dir, EncryptionMode::default())
}

fn open_with(dir: &Path, encryption: EncryptionMode) -> Arc<NodeGuard> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        online: false,
        encryption,
        ..ClientOptions::default()
    };
    NodeGuard::open(options, None).unwrap()
}

#[test]
fn it_is_made_with_the_identity_hidden_and_the_same_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let guard = open(dir.path());
    assert!(guard.node().halo().is_err(), "no identity, no HALO space");
    guard.node().create_identity("Ada".into()).unwrap();
    let space = guard.create_space(Default::default()).unwrap();
    let halo = guard.node().halo().unwrap().id();
    let node = guard.node();
    assert_eq!(node.spaces().unwrap().len(), 2);
    assert!(!node.space_ids().contains(&halo));
    for refused in [guard.space(halo).err(), node.delete_space(halo).err()] {
        assert_eq!(refused.unwrap().kind(), ErrorKind::NotFound);
    }
    let state = node
        .halo()
        .unwrap()
        .with_settled(|core| core.halo_state())
        .unwrap();
    assert_eq!(state.spaces, node.space_ids().into_iter().collect());
    assert_eq!(state.display_name.as_deref(), Some("Ada"));
    assert_eq!(
        state.default_space.map(|id| id.to_string()),
        Some(node.spaces().unwrap()[0].id.clone())
    );
    drop(space);
    node.shutdown().unwrap();
    let again = open(dir.path());
    assert_eq!(again.node().halo().unwrap().id(), halo);
    assert_eq!(again.node().devices().unwrap().len(), 1);
}

#[test]
fn a_profile_without_one_gets_one_that_lists_its_spaces() {
    let dir = tempfile::tempdir().unwrap();
    let guard = open_with(dir.path(), EncryptionMode::Off);
    guard.node().create_identity("Ada".into()).unwrap();
    guard.create_space(Default::default()).unwrap();
    let halo = guard.node().halo().unwrap().id();
    guard.node().shutdown().unwrap();
    // As a version without HALO left it.
    let conn = rusqlite::Connection::open(dir.path().join("profile.sqlite")).unwrap();
    let removed = conn
        .execute("DELETE FROM spaces WHERE kind = 1", [])
        .unwrap();
    assert_eq!(removed, 1);
    drop(conn);
    let again = open_with(dir.path(), EncryptionMode::Off);
    let node = again.node();
    assert_ne!(node.halo().unwrap().id(), halo);
    let state = node
        .halo()
        .unwrap()
        .with_settled(|core| core.halo_state())
        .unwrap();
    assert_eq!(state.spaces, node.space_ids().into_iter().collect());
    assert_eq!(state.spaces.len(), 2);
}

#[test]
fn reconciling_again_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let guard = open(dir.path());
    guard.node().create_identity("Ada".into()).unwrap();
    let node = guard.node();
    node.reconcile().unwrap();
    let generations = || -> Vec<u64> {
        let hosts = node.hosts();
        let all = hosts
            .iter()
            .map(|host| host.with(|core| Ok(core.generation())));
        all.collect::<crate::model::Result<_>>().unwrap()
    };
    let before = generations();
    node.reconcile().unwrap();
    node.reconcile().unwrap();
    assert_eq!(generations(), before);
}

#[test]
fn programs_make_no_objects_of_its_types_and_what_is_malformed_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let guard = open(dir.path());
    guard.node().create_identity("Ada".into()).unwrap();
    let halo = guard.node().halo().unwrap();
    let id = halo.id();
    let forged = |type_name: &str| Operation::Upsert {
        object: ObjectId::natural(&id, type_name, "x"),
        type_name: type_name.into(),
        key: "x".into(),
        fields: [("space".to_owned(), crate::model::Value::Int(7))].into(),
    };
    let refused = halo
        .with_settled(|core| core.transact(&[forged("@halo/space")], None, None, 0))
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    let before = halo.with_settled(|core| core.halo_state()).unwrap();
    // What another device of the identity may have written.
    halo.with_settled(|core| {
        core.transact_unchecked(&[forged("@halo/space"), forged("@halo/odd")])
    })
    .unwrap();
    assert_eq!(halo.with_settled(|core| core.halo_state()).unwrap(), before);
    guard
        .node()
        .tell_halo(&[HaloFact::DisplayName("Ada L.".into())])
        .unwrap();
    guard.node().reconcile().unwrap();
    assert_eq!(guard.node().identity().unwrap().display_name, "Ada L.");
}

#[test]
fn the_key_that_keys_are_sealed_to_is_renewed_when_it_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let guard = open(dir.path());
    guard.node().create_identity("Ada".into()).unwrap();
    let closed = guard.create_space(Default::default()).unwrap().host().id();
    let node = guard.node();
    node.reconcile().unwrap();
    let key = |node: &Node| node.require_identity().unwrap().0.hpke_public();
    let age = |node: &Node, days: u64| {
        let since = clock::now_ms() - days * 24 * 60 * 60 * 1000;
        node.with_profile(|profile| profile.set_setting("hpke/since", Some(&since.to_be_bytes())))
            .unwrap();
    };
    let first = key(node);
    age(node, 89);
    node.reconcile().unwrap();
    assert_eq!(key(node), first);
    node.host(&closed).unwrap().close(true).unwrap();
    age(node, 90);
    node.reconcile().unwrap();
    let second = key(node);
    assert_ne!(second, first);
    node.reconcile().unwrap();
    assert_eq!(key(node), second, "once");
    node.shutdown().unwrap();

    let again = open(dir.path());
    let node = again.node();
    node.reconcile().unwrap();
    assert_eq!(key(node), second, "it was stored");
    again.space(closed).unwrap().open().unwrap();
    let device = node.require_identity().unwrap().0.device_key();
    for host in node.hosts() {
        host.with(|core| {
            let chain = core.authority().chain_of(&device).unwrap();
            assert_eq!(chain.certificate().hpke, second, "every space knows it");
            assert!(core.key_in_use().unwrap().held, "older wraps still open");
            core.renew_key()?;
            assert!(core.key_in_use().unwrap().held, "newer ones too");
            Ok(())
        })
        .unwrap();
    }
    // A clock that was set back counts from where it is.
    let ahead = clock::now_ms() + 1000 * 24 * 60 * 60 * 1000;
    node.with_profile(|profile| profile.set_setting("hpke/since", Some(&ahead.to_be_bytes())))
        .unwrap();
    node.reconcile().unwrap();
    let since = node.with_profile(|profile| profile.setting("hpke/since"));
    let since = u64::from_be_bytes(since.unwrap().unwrap().try_into().unwrap());
    assert!(since <= clock::now_ms());
    assert_eq!(key(node), second);
}
