//! A message waits for its files, goes when they are here, and they are read by its parties.

use mezhved::crypto::sha256;
use mezhved::envelope::technical::{NoticeState, TicketMethod};

use super::{bytes, delivery, get, head, listed, on_disk, path, put, put_as, request, ticket};
use crate::exchange::http::notice_about;
use crate::support::eventually;
use crate::world::{Backend, RUNTIME, SOON, World, now};

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
    let shown = world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
    let mut states: Vec<_> = shown[0]["attachments"].as_array().unwrap().iter().map(|a| a["state"].clone()).collect();
    states.sort_by_key(ToString::to_string);
    assert_eq!(states, ["awaited", "whole"], "{shown}");
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

#[test]
fn who_waits_in_vain_expires_and_goes_on_waiting_when_replayed_on_sqlite() {
    expires(Backend::Sqlite);
}

#[test]
fn who_waits_in_vain_expires_and_goes_on_waiting_when_replayed_on_postgresql() {
    expires(Backend::Postgres);
}

fn expires(backend: Backend) {
    let world = World::on(backend).start();
    let file = bytes(3, 1_000);
    let mut draft = request(&world, &[&file]);
    let id = draft.header.message_id;
    draft.header.expires = Some(now().plus_seconds(3));
    world.post(world.agency("register").sign(&draft)).receipt();
    assert_eq!(delivery(&world, id).1, "attachment-awaited");
    world.until(id, "expired");
    let told = eventually("the notice", SOON, || notice_about(&world, id));
    assert_eq!((told.state, told.reason.as_deref()), (NoticeState::Expired, Some("attachment-awaited")));
    assert!(world.partner("guardianship").message(id).is_none());
    world.mezhved(&["message", "replay", &id.to_string()]).done();
    assert_eq!(delivery(&world, id), ("queued".to_owned(), "attachment-awaited".to_owned()));
    assert_eq!(put(&world, "register", &file).status, 201);
    world.until(id, "delivered");
}

#[test]
fn a_file_of_another_size_than_listed_is_never_delivered() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    let file = bytes(4, 1_000);
    let mut draft = request(&world, &[&file]);
    draft.header.attachments[0].size_bytes = 999;
    world.post(register.sign(&draft)).receipt();
    assert_eq!(put(&world, "register", &file).status, 201);
    let parked = world.until(draft.header.message_id, "parked");
    assert_eq!(parked["reason"], "attachment-invalid", "{parked}");
    let told = eventually("the notice", SOON, || notice_about(&world, draft.header.message_id));
    assert_eq!((told.state, told.reason.as_deref()), (NoticeState::Parked, Some("attachment-invalid")));
    world.mezhved(&["message", "replay", &draft.header.message_id.to_string()]).done();
    world.until(draft.header.message_id, "parked");
    assert!(world.partner("guardianship").message(draft.header.message_id).is_none());
    // Once the file is here, the mistake is told at once.
    let mut later = request(&world, &[&file]);
    later.header.attachments[0].size_bytes = 1_001;
    let fault = world.post(register.sign(&later)).fault();
    assert_eq!(fault.code, "attachment-invalid");
    assert!(fault.detail.unwrap().contains("number 1: SizeBytes"));
    let mut both = request(&world, &[&bytes(5, 10)]);
    both.header.attachments.push(listed(both.header.attachments[0].digest, 11));
    assert_eq!(world.post(register.sign(&both)).fault().code, "attachment-invalid", "one file of two sizes");
}

#[test]
fn to_know_a_digest_is_not_to_have_the_file() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    let file = bytes(6, 5_000);
    let digest = sha256(&file);
    assert_eq!(put(&world, "police", &file).status, 201);
    assert_eq!(get(&world, "police", digest).status, 404, "no message lists it");
    // The register has heard of the digest. Its message waits, and opens the file to nobody.
    let draft = request(&world, &[&file]);
    let id = draft.header.message_id;
    world.post(register.sign(&draft)).receipt();
    assert_eq!(delivery(&world, id).1, "attachment-awaited");
    let absent = get(&world, "register", sha256(b"absent"));
    for reader in ["register", "guardianship", "police"] {
        let answer = get(&world, reader, digest);
        assert_eq!((answer.status, answer.text()), (404, absent.text()), "{reader}");
    }
    // The same bytes of another are taken, checked, and not kept twice.
    assert_eq!(put_as(&world, "register", digest, b"something else").status, 422);
    assert_eq!(delivery(&world, id).1, "attachment-awaited");
    assert_eq!(put(&world, "register", &file).status, 201);
    world.until(id, "delivered");
    assert_eq!(on_disk(&world).0.len(), 1);
    for (reader, status) in [("register", 200), ("guardianship", 200), ("police", 404), ("health", 404)] {
        assert_eq!(get(&world, reader, digest).status, status, "{reader}");
    }
    // Who may read it need not send it to pass it on.
    let token = ticket(&world, "guardianship", TicketMethod::Put, digest);
    let held = head(&world, &path(digest), &token, "Content-Length: 5000\r\nExpect: 100-continue\r\n");
    assert!(held.starts_with("HTTP/1.1 200"), "{held}");
}

#[test]
fn who_waits_for_100_sends_nothing_in_vain_and_a_cut_download_goes_on() {
    let world = World::on(Backend::Sqlite).start();
    let file = bytes(7, 300_000);
    let digest = sha256(&file);
    let token = ticket(&world, "register", TicketMethod::Put, digest);
    let asked = |token: &str| head(&world, &path(digest), token, "Content-Length: 300000\r\nExpect: 100-continue\r\n");
    assert!(asked(&token).starts_with("HTTP/1.1 100"), "the bytes are wanted");
    assert!(asked("invented").starts_with("HTTP/1.1 401"));
    eventually("the first upload to be given up", SOON, || on_disk(&world).1.is_empty().then_some(()));
    assert_eq!(put(&world, "register", &file).status, 201);
    assert!(asked(&token).starts_with("HTTP/1.1 200"), "the bytes are here");

    let draft = request(&world, &[&file]);
    world.post(world.agency("register").sign(&draft)).receipt();
    world.until(draft.header.message_id, "delivered");
    let token = ticket(&world, "guardianship", TicketMethod::Get, digest);
    let ranged = |range: &str| {
        let request = world.wire().request(reqwest::Method::GET, &path(digest)).bearer_auth(&token);
        RUNTIME.block_on(async {
            let answer = request.header("range", range).send().await.unwrap();
            (answer.status().as_u16(), answer.headers().clone(), answer.bytes().await.unwrap())
        })
    };
    let (status, headers, rest) = ranged("bytes=200000-");
    assert_eq!((status, headers["content-range"].to_str().unwrap()), (206, "bytes 200000-299999/300000"));
    assert!(rest[..] == file[200_000..]);
    assert_eq!(ranged("bytes=300000-").0, 416);
    assert!(ranged("bytes=5-9").2[..] == file[..], "another range is answered with the whole");
}

#[test]
fn two_nodes_share_a_folder_and_many_uploads_of_one_file_keep_it_once() {
    let plan = World::on(Backend::Postgres).setting("attachments.uploads_per_participant_max = 16");
    let world = plan.start();
    let other = world.command().start();
    let wires = [world.wire(), world.wire_to(&other)];
    let file = bytes(8, 1_000_000);
    let digest = sha256(&file);
    let draft = request(&world, &[&file]);
    world.post(world.agency("register").sign(&draft)).receipt();
    let tokens = ["register", "police"].map(|agency| ticket(&world, agency, TicketMethod::Put, digest));
    let uploads = (0..12).map(|n| {
        let (wire, token, file, path) = (wires[n % 2].clone(), tokens[n / 2 % 2].clone(), file.clone(), path(digest));
        async move { wire.put(&path, &token, file.into()).await.unwrap().status }
    });
    let statuses = RUNTIME.block_on(futures_util::future::join_all(uploads));
    assert!(statuses.iter().all(|status| [200, 201].contains(status)), "{statuses:?}");
    world.until(draft.header.message_id, "delivered");
    let (kept, incoming) = on_disk(&world);
    assert_eq!((kept.len(), incoming.len()), (1, 0), "{kept:?} {incoming:?}");
    assert_eq!(world.number("SELECT COUNT(*) FROM attachment_holdings"), 2);
    let token = ticket(&world, "guardianship", TicketMethod::Get, digest);
    for wire in &wires {
        let read = RUNTIME.block_on(wire.get(&path(digest), Some(&token))).unwrap();
        assert!(read.status == 200 && read.bytes == file, "{}", read.status);
    }
}
