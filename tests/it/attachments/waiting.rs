//! A message waits for its files, goes when they are here, and they are read by its parties.

use mezhved::crypto::sha256;

use super::{bytes, delivery, get, on_disk, put, request};
use crate::world::{Backend, World};

#[test]
fn a_message_waits_for_its_files_and_its_recipient_reads_them_on_sqlite() {
    waits_and_goes(Backend::Sqlite);
}

#[test]
fn a_message_waits_for_its_files_and_its_recipient_reads_them_on_postgresql() {
    waits_and_goes(Backend::Postgres);
}

fn waits_and_goes(backend: Backend) {
    let world = World::on(backend).start();
    let register = world.agency("register");
    let (one, other) = (bytes(1, 3_000_000), bytes(2, 70_000));
    let draft = request(&world, &[&one, &other]);
    let id = draft.header.message_id;
    // Not here yet, and accepted all the same.
    world.post(register.sign(&draft)).receipt();
    assert_eq!(delivery(&world, id), ("queued".to_owned(), "attachment-awaited".to_owned()));
    let undelivered = world.listed(&["message", "list", "--undelivered"]);
    assert_eq!(undelivered[0]["delivery"]["reason"], "attachment-awaited", "{undelivered:?}");

    let first = put(&world, "register", &one);
    assert_eq!((first.status, first.json()["sizeBytes"].as_u64()), (201, Some(3_000_000)), "{}", first.text());
    assert_eq!(delivery(&world, id).1, "attachment-awaited", "the other one is not here");
    assert!(world.partner("guardianship").message(id).is_none());
    assert_eq!(put(&world, "register", &other).status, 201);
    world.until(id, "delivered");
    let came = world.partner("guardianship").message(id).unwrap();
    assert_eq!(came.opened.header.attachments, draft.header.attachments, "the list arrives as it was signed");

    for reader in ["guardianship", "register"] {
        let read = get(&world, reader, sha256(&one));
        assert_eq!((read.status, read.headers["content-length"].to_str().unwrap()), (200, "3000000"), "{reader}");
        assert!(read.bytes == one, "{reader} reads other bytes");
    }
    // What is here already is said to be so, and what is listed then goes at once.
    assert_eq!(put(&world, "register", &one).status, 200);
    let again = request(&world, &[&one]);
    world.post(register.sign(&again)).receipt();
    world.until(again.header.message_id, "delivered");
    let (kept, incoming) = on_disk(&world);
    assert_eq!((kept.len(), incoming.len()), (2, 0), "{kept:?} {incoming:?}");
    let journal = world.mezhved(&["journal", "verify", "--json"]).done().json();
    assert!(journal["problem"].is_null(), "{journal}");
}
