//! One id, one content: copies, conflicts, and ids of refused messages.

use std::collections::BTreeSet;

use mezhved::envelope::{self, BodyDraft};

use super::good;
use crate::support::eventually;
use crate::world::{Backend, RUNTIME, SOON, World, bodies};

#[test]
fn an_id_used_for_other_content_is_a_conflict() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    let first = good(&world);
    let receipt = world.post(register.sign(&first));
    receipt.receipt();
    let mut other = first.clone();
    other.body = BodyDraft::Xml(bodies::request("orphan-status").into_bytes());
    let refused = world.post(register.sign(&other));
    assert_eq!((refused.status, refused.fault().code.as_str()), (409, "id-reused"));
    assert_eq!(refused.opened().header.in_reply_to, Some(first.header.message_id));
    // Another participant may use the same id: the key is the sender and the id.
    let guardianship = world.agency("guardianship");
    let mut theirs = guardianship.draft("register", "document-request", bodies::request("study-certificate"));
    theirs.header.message_id = first.header.message_id;
    world.post(guardianship.sign(&theirs)).receipt();
    // The first is what it was.
    assert_eq!(world.post(register.sign(&first)).bytes, receipt.bytes);
    assert_eq!(world.number("SELECT COUNT(*) FROM messages WHERE sender = 'register'"), 1);
}

#[test]
fn a_copy_signed_anew_gets_the_stored_receipt_byte_for_byte() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    let unsigned = envelope::compose(&good(&world)).unwrap();
    let signed = || envelope::sign_composed(&unsigned, &register.signer).unwrap().bytes;
    let (one, other) = (signed(), signed());
    assert_ne!(one, other, "ECDSA draws randomness, so two signatures differ");
    let receipt = world.post(one);
    receipt.receipt();
    assert_eq!(world.post(other).bytes, receipt.bytes);
    assert_eq!(
        (
            world.number("SELECT COUNT(*) FROM messages WHERE channel <> 'internal'"),
            world.number("SELECT COUNT(*) FROM refusals")
        ),
        (1, 0)
    );
}

#[test]
fn copies_in_one_instant_are_one_message_on_sqlite() {
    copies_in_one_instant(Backend::Sqlite);
}

#[test]
fn copies_in_one_instant_are_one_message_on_postgresql() {
    copies_in_one_instant(Backend::Postgres);
}

fn copies_in_one_instant(backend: Backend) {
    let world = World::on(backend).start();
    let register = world.agency("register");
    for _ in 0..10 {
        let draft = good(&world);
        let (bytes, wire) = (register.sign(&draft), world.wire());
        let copies = (0..8).map(|_| wire.post("/v1/messages", bytes.clone()));
        let answers = RUNTIME.block_on(futures_util::future::join_all(copies));
        let receipts: BTreeSet<Vec<u8>> = answers.into_iter().map(|a| a.unwrap().bytes).collect();
        assert_eq!(receipts.len(), 1, "all copies get the same receipt");
        assert_eq!(world.post(bytes).receipt().message_id, draft.header.message_id);
        let shown = world.mezhved(&["message", "show", &draft.header.message_id.to_string(), "--json"]).done().json();
        assert_eq!(
            (shown.as_array().unwrap().len(), shown[0]["deliveries"].as_array().unwrap().len()),
            (1, 1),
            "{shown}"
        );
    }
    eventually("all ten at the guardianship authority", SOON, || {
        (world.partner("guardianship").counts() == (10, 10)).then_some(())
    });
}

#[test]
fn the_id_of_a_refused_message_is_free_for_its_true_sender() {
    let world = World::on(Backend::Sqlite).start();
    let (register, health) = (world.agency("register"), world.agency("health"));
    let draft = good(&world);
    // Somebody else claims to be the sender.
    assert_eq!(world.post(health.sign(&draft)).fault().code, "certificate-unknown");
    // The sender itself makes a mistake.
    let mut wrong = draft.clone();
    wrong.body = BodyDraft::Xml(bodies::response("guardianship-act").into_bytes());
    assert_eq!(world.post(register.sign(&wrong)).fault().code, "schema-invalid");
    // Each try is judged anew.
    assert_eq!(world.post(register.sign(&wrong)).fault().code, "schema-invalid");
    assert_eq!(world.post(register.sign(&draft)).receipt().message_id, draft.header.message_id);
    world.until(draft.header.message_id, "delivered");
}
