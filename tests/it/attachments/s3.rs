//! The same with a bucket in place of the folder.

use std::io::Write as _;

use mezhved::crypto::sha256;
use mezhved::domain::Digest;
use mezhved::envelope::technical::TicketMethod;

use super::s3_server::S3Server;
use super::{answer_head, begin, bytes, delivery, get, path, put, put_as, request, ticket};
use crate::support::eventually;
use crate::world::{Backend, RUNTIME, SOON, World};

/// What a day leaves far behind.
const DAY_SECONDS: i64 = 86_400;

/// A world whose files lie in this bucket.
fn world(server: &S3Server) -> World {
    World::on(Backend::Sqlite).setting(server.settings()).setting("attachments.sweep_seconds = 1").start()
}

/// Where the file of a digest lies.
fn keys(server: &S3Server, digest: Digest) -> Vec<String> {
    let place = format!("mezhved/sha256/{}/{digest}.", &digest.to_string()[..2]);
    server.keys().into_iter().filter(|key| key.starts_with(&place)).collect()
}

/// Waits until nothing but these objects is there, and no upload is unfinished.
fn until_only(server: &S3Server, objects: usize) {
    eventually("only what is in use", SOON, || {
        (server.keys().len() == objects && server.unfinished() == 0).then_some(())
    });
}

#[test]
fn small_and_large_files_go_through_a_bucket() {
    let server = S3Server::start();
    let world = world(&server);
    let register = world.agency("register");
    // Less than a part, two parts to the byte, and two parts and some.
    let files = [bytes(1, 70_000), bytes(2, 10_485_760), bytes(3, 12_000_001)];
    let parts: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let draft = request(&world, &parts);
    let id = draft.header.message_id;
    world.post(register.sign(&draft)).receipt();
    server.fail_parts(2);
    server.lose_completions(1);
    for file in &files {
        let answer = put(&world, "register", file);
        assert_eq!(
            (answer.status, answer.json()["sizeBytes"].as_u64()),
            (201, Some(file.len() as u64)),
            "{}",
            answer.text()
        );
        assert_eq!(keys(&server, sha256(file)).len(), 1);
    }
    world.until(id, "delivered");
    assert_eq!(server.to_come(), 0, "failures that passed were got over");
    until_only(&server, 3);
    for file in &files {
        let read = get(&world, "guardianship", sha256(file));
        assert!(read.status == 200 && read.bytes == *file, "{}", read.status);
    }
    // A connection to the store that breaks twice is not seen by who reads.
    server.break_reads(2);
    let read = get(&world, "guardianship", sha256(&files[2]));
    assert!(read.bytes == files[2] && server.to_come() == 0);
    let token = ticket(&world, "guardianship", TicketMethod::Get, sha256(&files[2]));
    let request = world.wire().request(reqwest::Method::GET, &path(sha256(&files[2]))).bearer_auth(&token);
    let (status, rest) = RUNTIME.block_on(async {
        let answer = request.header("range", "bytes=11000000-").send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    });
    assert!(status == 206 && rest[..] == files[2][11_000_000..]);
    assert_eq!(put(&world, "register", &files[1]).status, 200, "what is here need not be sent");
    assert_eq!(get(&world, "police", sha256(&files[1])).status, 404);
    assert_eq!(server.refused_signatures(), 0);
}

#[test]
fn a_cut_a_wrong_and_a_refused_upload_leave_no_object() {
    let server = S3Server::start();
    let script =
        "case $(head -c 1 \"$1\") in V) cat \"$1\" >/dev/null; exit 1;; E) exit 2;; esac; test $(wc -c <\"$1\") -gt 3";
    let folder = tempfile::tempdir().unwrap();
    let scanner = folder.path().join("scan");
    std::fs::write(&scanner, script).unwrap();
    let plan = World::on(Backend::Sqlite).setting(server.settings());
    let world = plan.setting(format!("attachments.scanner = [\"sh\", {:?}]", scanner.to_str().unwrap())).start();
    let file = bytes(4, 16_000_000);
    let digest = sha256(&file);
    let draft = request(&world, &[&file]);
    world.post(world.agency("register").sign(&draft)).receipt();

    // Cut at 37 %: one part has gone up.
    let token = ticket(&world, "register", TicketMethod::Put, digest);
    let mut cut = begin(&world, &path(digest), &token, &format!("Content-Length: {}\r\n", file.len()));
    cut.write_all(&file[..file.len() * 37 / 100]).unwrap();
    eventually("the upload in parts", SOON, || (server.unfinished() == 1).then_some(()));
    drop(cut);
    until_only(&server, 0);
    // Other bytes, in parts and at once.
    for other in [bytes(5, 14_000_000), bytes(5, 1_000)] {
        let answer = put_as(&world, "register", digest, &other);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (422, Some("attachment-invalid")));
        until_only(&server, 0);
    }
    // The scanner sees the bytes as they pass.
    for (first, status) in [(b'V', 422), (b'E', 503)] {
        for size in [1_000, 14_000_000] {
            let mut refused = bytes(6, size);
            refused[0] = first;
            assert_eq!(put(&world, "register", &refused).status, status, "{size}");
            until_only(&server, 0);
        }
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM attachment_holdings"), 0);
    assert_eq!(delivery(&world, draft.header.message_id).1, "attachment-awaited");
    let answer = put(&world, "register", &file);
    assert_eq!(answer.status, 201, "{}", answer.text());
    world.until(draft.header.message_id, "delivered");
    until_only(&server, 1);
}

#[test]
fn while_the_store_is_away_files_wait_and_all_else_goes_on() {
    // Nobody listens when the node starts.
    let mut server = S3Server::asleep();
    let plan = World::on(Backend::Sqlite).setting(server.settings()).setting("attachments.s3.attempts_max = 2");
    let world = plan.start();
    let file = bytes(7, 6_000_000);
    let digest = sha256(&file);
    let draft = request(&world, &[&file]);
    world.post(world.agency("register").sign(&draft)).receipt();
    let later = |answer: &crate::world::Answer| {
        assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("not-now")), "{}", answer.text());
        assert!(answer.headers.contains_key("retry-after"));
    };
    later(&put(&world, "register", &file));
    let plain = request(&world, &[]);
    world.post(world.agency("register").sign(&plain)).receipt();
    world.until(plain.header.message_id, "delivered");

    server.wake();
    assert_eq!(put(&world, "register", &file).status, 201);
    world.until(draft.header.message_id, "delivered");
    server.set_away(true);
    later(&get(&world, "guardianship", digest));
    later(&put(&world, "register", &bytes(8, 1_000)));
    server.set_away(false);
    assert!(get(&world, "guardianship", digest).bytes == file);
    assert_eq!(put(&world, "register", &bytes(8, 1_000)).status, 201);
    until_only(&server, 2);
}

#[test]
fn a_bucket_that_says_no_stops_the_start() {
    let server = S3Server::start();
    let secret = "attachments.s3.secret_key = \"a secret/of+the store\"";
    for (settings, says) in [
        (server.settings().replace(secret, "attachments.s3.secret_key = \"another\""), "403 SignatureDoesNotMatch"),
        (server.settings().replace("\"files\"", "\"elsewhere\""), "404 NoSuchBucket"),
        (server.settings().replace(secret, "attachments.s3.secret_key_file = \"nowhere.txt\""), "nowhere.txt"),
    ] {
        let world = World::on(Backend::Sqlite).setting(settings).prepare();
        let said = world.command().try_start().err().unwrap();
        assert!(said.contains(says) && !said.contains("another"), "{said}");
    }
    // The key in a file serves as well.
    let settings = server.settings().replace(secret, "attachments.s3.secret_key_file = \"key.txt\"");
    let mut world = World::on(Backend::Sqlite).setting(settings).prepare();
    std::fs::write(world.file("key.txt"), "a secret/of+the store\n").unwrap();
    world.serve();
    assert_eq!(put(&world, "register", b"bytes").status, 201);
}

#[test]
fn a_killed_node_leaves_nothing_that_is_not_swept_and_others_objects_stay() {
    let server = S3Server::start();
    let mut world = world(&server);
    for other in ["other/1", "mezhved/sha256/readme.txt", "mezhved/sha256/0a/notes"] {
        server.put(other);
    }
    let kept = bytes(9, 6_000_000);
    assert_eq!(put(&world, "register", &kept).status, 201);
    world.post(world.agency("register").sign(&request(&world, &[&kept]))).receipt();
    // Files that no row names, more than a page of them; and two uploads that die with the node.
    for n in 0..5_u8 {
        let digest = sha256(&[n]);
        server.put(&format!("mezhved/sha256/{}/{digest}.{:032x}", &digest.to_string()[..2], n));
    }
    let cut = [bytes(10, 12_000_000), bytes(11, 12_000_000)];
    let streams = cut.each_ref().map(|file| {
        let token = ticket(&world, "register", TicketMethod::Put, sha256(file));
        let mut stream = begin(&world, &path(sha256(file)), &token, "Content-Length: 12000000\r\n");
        stream.write_all(&file[..6_000_000]).unwrap();
        stream
    });
    eventually("the uploads in parts", SOON, || (server.unfinished() == 2).then_some(()));
    world.process().kill();
    drop(streams);
    assert_eq!((server.keys().len(), server.unfinished()), (9, 2));
    world.process().restart();
    for file in &cut {
        assert_eq!(put(&world, "register", file).status, 201, "it is sent again");
    }
    assert_eq!(server.unfinished(), 2, "they may still be at work");
    server.age(DAY_SECONDS);
    until_only(&server, 6);
    for other in ["other/1", "mezhved/sha256/readme.txt", "mezhved/sha256/0a/notes"] {
        assert!(server.keys().iter().any(|key| key == other), "{other} is not ours");
    }
    assert!(get(&world, "guardianship", sha256(&kept)).bytes == kept);
}

#[test]
fn an_orphan_is_collected_from_the_bucket() {
    let server = S3Server::start();
    let plan = World::on(Backend::Sqlite).setting(server.settings()).setting("attachments.sweep_seconds = 1");
    let world = plan.setting("attachments.orphan_hours_max = 0").start();
    assert_eq!(put(&world, "register", &bytes(12, 6_000_000)).status, 201);
    until_only(&server, 0);
}

#[test]
fn two_nodes_share_a_bucket() {
    let server = S3Server::start();
    let world = World::on(Backend::Postgres).setting(server.settings()).start();
    let other = world.command().start();
    let file = bytes(13, 6_000_000);
    let draft = request(&world, &[&file]);
    world.post(world.agency("register").sign(&draft)).receipt();
    let token = ticket(&world, "register", TicketMethod::Put, sha256(&file));
    let uploads = [world.wire(), world.wire_to(&other)].map(|wire| {
        let (token, file) = (token.clone(), file.clone());
        async move { wire.put(&path(sha256(&file)), &token, file.into()).await.unwrap().status }
    });
    let statuses = RUNTIME.block_on(futures_util::future::join_all(uploads));
    assert!(statuses.iter().all(|status| [200, 201].contains(status)), "{statuses:?}");
    world.until(draft.header.message_id, "delivered");
    until_only(&server, 1);
    let token = ticket(&world, "guardianship", TicketMethod::Get, sha256(&file));
    for wire in [world.wire(), world.wire_to(&other)] {
        let read = RUNTIME.block_on(wire.get(&path(sha256(&file)), Some(&token))).unwrap();
        assert!(read.status == 200 && read.bytes == file, "{}", read.status);
    }
}

#[test]
fn an_upload_that_was_refused_is_told_so_and_not_cut() {
    let server = S3Server::start();
    let world = world(&server);
    server.set_away(true);
    let file = bytes(14, 12_000_000);
    let token = ticket(&world, "register", TicketMethod::Put, sha256(&file));
    let mut stream = begin(&world, &path(sha256(&file)), &token, "Content-Length: 12000000\r\n");
    stream.write_all(&file[..6_000_000]).unwrap();
    let head = answer_head(&mut stream);
    assert!(head.starts_with("HTTP/1.1 503") && head.to_lowercase().contains("retry-after"), "{head}");
}
