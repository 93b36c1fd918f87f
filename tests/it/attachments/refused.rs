//! What is cut, wrong, too much, refused or forgotten.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use mezhved::crypto::sha256;
use mezhved::envelope::technical::TicketMethod;

use super::{bytes, delivery, get, on_disk, path, put, put_as, request, ticket};
use crate::support::eventually;
use crate::world::{Backend, RUNTIME, SOON, World};

/// Begins an upload by hand and sends some of it.
fn begin(world: &World, token: &str, path: &str, size: usize, part: &[u8]) -> TcpStream {
    let mut stream = super::begin(world, path, token, &format!("Content-Length: {size}\r\n"));
    stream.write_all(part).unwrap();
    stream
}

#[test]
fn a_wrong_digest_leaves_nothing_behind() {
    let world = World::on(Backend::Sqlite).start();
    let file = bytes(1, 600_000);
    let draft = request(&world, &[&file]);
    world.post(world.agency("register").sign(&draft)).receipt();
    let answer = put_as(&world, "register", sha256(&file), &bytes(2, 600_000));
    let said = answer.json();
    assert_eq!((answer.status, said["code"].as_str()), (422, Some("attachment-invalid")), "{said}");
    assert!(said["detail"].as_str().unwrap().contains("600000 bytes"), "{said}");
    assert_eq!(on_disk(&world), (vec![], vec![]));
    assert_eq!(delivery(&world, draft.header.message_id).1, "attachment-awaited");
    assert_eq!(world.number("SELECT COUNT(*) FROM attachment_holdings"), 0);
}

#[test]
fn a_ticket_is_for_one_file_and_one_thing_to_do_with_it() {
    let world = World::on(Backend::Sqlite).start();
    let file = bytes(3, 2_000_000);
    let digest = sha256(&file);
    let other = ticket(&world, "register", TicketMethod::Put, sha256(b"other"));
    let to_read = ticket(&world, "register", TicketMethod::Get, digest);
    let to_write = ticket(&world, "register", TicketMethod::Put, digest);
    for token in [other.as_str(), to_read.as_str(), "invented"] {
        let upload = super::head(&world, &path(digest), token, "Content-Length: 10\r\nExpect: 100-continue\r\n");
        assert!(upload.starts_with("HTTP/1.1 401"), "{upload}");
    }
    // Without `Expect` the answer is seen too, although nobody reads all of the body.
    let wire = world.wire();
    let small = RUNTIME.block_on(wire.put(&path(digest), "invented", file[..500_000].to_vec().into())).unwrap();
    assert_eq!((small.status, small.json()["code"].as_str()), (401, Some("ticket-invalid")));
    let read = RUNTIME.block_on(wire.get(&path(digest), Some(&to_write))).unwrap();
    assert_eq!(read.status, 401);
    assert_eq!(RUNTIME.block_on(wire.get(&path(digest), None)).unwrap().status, 401);
    assert_eq!(RUNTIME.block_on(wire.get("/v1/attachments/nothing", Some(&to_read))).unwrap().status, 404);
    assert_eq!(on_disk(&world), (vec![], vec![]));
}

#[test]
fn a_cut_upload_is_repeated() {
    let world = World::on(Backend::Sqlite).start();
    let file = bytes(4, 2_000_000);
    let token = ticket(&world, "register", TicketMethod::Put, sha256(&file));
    let cut = begin(&world, &token, &path(sha256(&file)), file.len(), &file[..1_200_000]);
    eventually("the upload to have begun", SOON, || (on_disk(&world).1.len() == 1).then_some(()));
    drop(cut);
    eventually("the cut upload to be gone", SOON, || on_disk(&world).1.is_empty().then_some(()));
    assert_eq!(on_disk(&world).0.len(), 0);
    assert_eq!(put(&world, "register", &file).status, 201);
    // One that sends no more is cut by the gateway.
    let world = World::on(Backend::Sqlite).setting("attachments.idle_seconds_max = 1").start();
    let token = ticket(&world, "register", TicketMethod::Put, sha256(&file));
    let mut idle = begin(&world, &token, &path(sha256(&file)), file.len(), &file[..10]);
    let said = super::answer_head(&mut idle);
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert_eq!(on_disk(&world), (vec![], vec![]));
}

#[test]
fn the_gateway_is_killed_during_an_upload_on_sqlite() {
    killed(Backend::Sqlite);
}

#[test]
fn the_gateway_is_killed_during_an_upload_on_postgresql() {
    killed(Backend::Postgres);
}

fn killed(backend: Backend) {
    let mut world = World::on(backend).setting("attachments.sweep_seconds = 1").start();
    let file = bytes(5, 3_000_000);
    let digest = sha256(&file);
    let draft = request(&world, &[&file]);
    world.post(world.agency("register").sign(&draft)).receipt();
    let token = ticket(&world, "register", TicketMethod::Put, digest);
    let _cut = begin(&world, &token, &path(digest), file.len(), &file[..2_000_000]);
    let incoming = world.file("data/attachments/incoming");
    let part = eventually("bytes on the disk", SOON, || {
        let entry = std::fs::read_dir(&incoming).unwrap().next()?.unwrap();
        (entry.metadata().unwrap().len() > 0).then(|| entry.path())
    });
    world.process().kill();
    world.process().restart();
    assert_eq!(delivery(&world, draft.header.message_id).1, "attachment-awaited");
    assert_eq!(get(&world, "register", digest).status, 404);
    assert_eq!(put(&world, "register", &file).status, 201);
    world.until(draft.header.message_id, "delivered");
    assert!(get(&world, "guardianship", digest).bytes == file);

    // What the killed one left is taken away once no upload can be at work on it, and so is a file that was put in its place and never
    // recorded. What is recorded stays, however old.
    assert!(part.exists(), "it could be another node's: too young to be taken away");
    let kept = world.file("data/attachments").join(&digest.to_string()[..2]);
    let stray = kept.join(format!("{digest}.{}", "0".repeat(32)));
    std::fs::write(&stray, &file).unwrap();
    let used = std::fs::read_dir(&kept).unwrap().map(|e| e.unwrap().path()).find(|p| *p != stray).unwrap();
    for path in [&part, &stray, &used] {
        let day_ago = std::time::SystemTime::UNIX_EPOCH
            + Duration::from_micros(crate::world::now().plus_seconds(-86_400).micros().unsigned_abs());
        std::fs::File::options().write(true).open(path).unwrap().set_modified(day_ago).unwrap();
    }
    eventually("what was left behind to be gone", SOON, || (!part.exists() && !stray.exists()).then_some(()));
    assert!(get(&world, "guardianship", digest).bytes == file);
}

#[test]
fn what_no_message_lists_is_forgotten_and_what_one_lists_is_not() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let plan =
            World::on(backend).setting("attachments.orphan_hours_max = 0").setting("attachments.sweep_seconds = 1");
        let world = plan.start();
        let (orphan, wanted) = (bytes(6, 10_000), bytes(7, 10_000));
        let draft = request(&world, &[&wanted]);
        world.post(world.agency("register").sign(&draft)).receipt();
        assert_eq!(put(&world, "register", &wanted).status, 201);
        world.until(draft.header.message_id, "delivered");
        for _ in 0..2 {
            assert_eq!(put(&world, "register", &orphan).status, 201);
            eventually("the orphan to be forgotten", SOON, || (on_disk(&world).0.len() == 1).then_some(()));
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM attachments"), 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM attachment_holdings"), 1);
        assert!(get(&world, "guardianship", sha256(&wanted)).bytes == wanted);
        // Listed after it was forgotten: the message waits, and says nothing that is not so.
        let late = request(&world, &[&orphan]);
        world.post(world.agency("register").sign(&late)).receipt();
        assert_eq!(delivery(&world, late.header.message_id).1, "attachment-awaited");
        assert_eq!(put(&world, "register", &orphan).status, 201);
        world.until(late.header.message_id, "delivered");
    }
}

#[test]
fn too_much_is_refused() {
    let plan = World::on(Backend::Sqlite).setting("attachments.bytes_max = 100000");
    let plan = plan.setting("attachments.unlisted_bytes_max = 150000");
    let world = plan.setting("attachments.uploads_per_participant_max = 1").start();
    let large = bytes(8, 100_001);
    let answer = put(&world, "register", &large);
    assert_eq!((answer.status, answer.json()["code"].as_str()), (413, Some("too-large")), "by its announced size");
    let token = ticket(&world, "register", TicketMethod::Put, sha256(&large));
    let mut chunked = super::begin(&world, &path(sha256(&large)), &token, "Transfer-Encoding: chunked\r\n");
    chunked.write_all(&[format!("{:x}\r\n", large.len()).as_bytes(), &large, b"\r\n0\r\n\r\n"].concat()).unwrap();
    let answer = super::answer_head(&mut chunked);
    assert!(answer.starts_with("HTTP/1.1 413"), "by what came: {answer}");
    let fault = world.post(world.agency("register").sign(&request(&world, &[&large]))).fault();
    assert_eq!(fault.code, "attachment-invalid", "a message that lists it waits for nothing");

    let (one, two) = (bytes(9, 100_000), bytes(10, 60_000));
    let token = ticket(&world, "register", TicketMethod::Put, sha256(&one));
    let open = begin(&world, &token, &path(sha256(&one)), one.len(), &one[..5]);
    eventually("the first upload", SOON, || (on_disk(&world).1.len() == 1).then_some(()));
    let answer = put(&world, "register", &two);
    assert_eq!((answer.status, answer.headers.contains_key("retry-after")), (429, true), "two at once");
    assert_eq!(put(&world, "police", &two).status, 201, "another participant has a place of its own");
    drop(open);
    eventually("the place to be free", SOON, || (put(&world, "register", &one).status == 201).then_some(()));
    let answer = put(&world, "register", &two);
    assert_eq!(answer.status, 429, "too much that no message lists");
    assert!(answer.text().contains("100000 bytes"), "{}", answer.text());
    world.post(world.agency("register").sign(&request(&world, &[&one]))).receipt();
    assert_eq!(put(&world, "register", &two).status, 201);
    assert_eq!(on_disk(&world).1.len(), 0);
}

#[test]
fn a_scanner_decides() {
    let folder = tempfile::tempdir().unwrap();
    // Looks into the file, as a scanner does: refuses what begins with V, and fails over what begins with E.
    let script = folder.path().join("scan");
    std::fs::write(&script, "case $(head -c 1 \"$2\") in V) exit 1;; E) exit 2;; H) sleep 60;; *) exit 0;; esac\n")
        .unwrap();
    let scanner = format!("attachments.scanner = [\"sh\", {:?}, \"--quick\"]", script.to_str().unwrap());
    let world = World::on(Backend::Sqlite).setting(scanner).setting("attachments.scanner_seconds_max = 1").start();
    let clean = put(&world, "register", b"A clean file");
    assert_eq!(clean.status, 201, "{}", clean.text());
    let refused = put(&world, "register", b"Virus");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (422, Some("attachment-invalid")));
    assert!(refused.text().contains("scanner"), "{}", refused.text());
    for later in [&b"Error"[..], b"Hangs"] {
        let answer = put(&world, "register", later);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("not-now")));
        assert!(answer.headers.contains_key("retry-after"));
    }
    let (kept, incoming) = on_disk(&world);
    assert_eq!((kept.len(), incoming.len()), (1, 0), "{kept:?} {incoming:?}");
    assert_eq!(world.number("SELECT COUNT(*) FROM attachment_holdings"), 1);
}

#[test]
fn a_participant_has_media_types_of_its_own() {
    let mut world = World::on(Backend::Sqlite).prepare();
    let file = world.file("participants/guardianship.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("media_types = [\"image/png\", \"application/pdf\"]\n{text}")).unwrap();
    world.serve();
    let register = world.agency("register");
    let sent = |media_type: &str, inline: bool| {
        let file = b"file".to_vec();
        let mut draft = request(&world, &[&file]);
        draft.header.attachments[0].media_type = media_type.to_owned();
        draft.header.attachments[0].inline = inline.then_some(file);
        world.post(register.sign(&draft))
    };
    for (media_type, inline) in
        [("application/pdf", false), ("Application/PDF; charset=binary", true), ("image/png", true)]
    {
        sent(media_type, inline).receipt();
    }
    for (media_type, inline, whose) in [
        ("text/plain", true, "guardianship"),
        ("text/plain", false, "guardianship"),
        ("application/x-msdownload", false, "register"),
    ] {
        let fault = sent(media_type, inline).fault();
        assert_eq!(fault.code, "attachment-invalid");
        let detail = fault.detail.unwrap();
        assert!(detail.contains(&format!("participant `{whose}`")) && detail.contains("number 1"), "{detail}");
    }
}
