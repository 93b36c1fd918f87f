//! The gateway is killed again and again among many uploads: what it confirmed is here, what it did not confirm can be sent again, and
//! nothing stays that no row names.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mezhved::crypto::sha256;
use mezhved::envelope::technical::TicketMethod;

use super::{bytes, get, on_disk, path, request, ticket};
use crate::support::eventually;
use crate::world::{Backend, RUNTIME, SOON, World, now};

const FILES: u32 = 48;
const KILLS: usize = 4;
const AT_ONCE: u32 = 12;

#[test]
fn kill_9_among_many_uploads_loses_none_that_was_confirmed_on_sqlite() {
    killed(Backend::Sqlite);
}

#[test]
fn kill_9_among_many_uploads_loses_none_that_was_confirmed_on_postgresql() {
    killed(Backend::Postgres);
}

fn killed(backend: Backend) {
    let plan = World::on(backend).setting(format!("attachments.uploads_per_participant_max = {AT_ONCE}"));
    let plan = plan.setting("attachments.sweep_seconds = 1").setting("delivery.lease_ms = 4000");
    let mut world = plan.setting("push.timeout_ms = 2000").start();
    let files: Arc<Vec<Vec<u8>>> = Arc::new((0..FILES).map(|n| bytes(n, 200_000 + n)).collect());
    let mut ids = Vec::new();
    let mut tokens = Vec::new();
    for file in files.iter() {
        let draft = request(&world, &[file]);
        world.post(world.agency("register").sign(&draft)).receipt();
        ids.push(draft.header.message_id);
        tokens.push(ticket(&world, "register", TicketMethod::Put, sha256(file)));
    }
    let tokens = Arc::new(tokens);
    let confirmed = Arc::new(Mutex::new(BTreeSet::<usize>::new()));
    for kill in 1..=KILLS + 1 {
        let senders: Vec<_> = (0..AT_ONCE as usize)
            .map(|sender| {
                let (wire, files, tokens, confirmed) = (world.wire(), files.clone(), tokens.clone(), confirmed.clone());
                RUNTIME.spawn(async move {
                    for n in (sender..files.len()).step_by(AT_ONCE as usize) {
                        if confirmed.lock().unwrap().contains(&n) {
                            continue;
                        }
                        let sent = wire.put(&path(sha256(&files[n])), &tokens[n], files[n].clone().into()).await;
                        if sent.is_ok_and(|answer| [200, 201].contains(&answer.status)) {
                            confirmed.lock().unwrap().insert(n);
                        }
                    }
                })
            })
            .collect();
        let wanted = files.len() * kill / (KILLS + 1);
        eventually("confirmed uploads", SOON, || (confirmed.lock().unwrap().len() >= wanted).then_some(()));
        if kill <= KILLS {
            world.process().kill();
            eprintln!("killed at {} of {FILES}", confirmed.lock().unwrap().len());
        }
        for sender in senders {
            RUNTIME.block_on(sender).unwrap();
        }
        if kill <= KILLS {
            world.process().restart();
            for n in confirmed.lock().unwrap().iter().take(5) {
                assert!(get(&world, "guardianship", sha256(&files[*n])).bytes == files[*n], "{n} was confirmed");
            }
        }
    }
    for (id, file) in ids.iter().zip(files.iter()) {
        world.until(*id, "delivered");
        assert!(get(&world, "guardianship", sha256(file)).bytes == *file);
    }
    // As if a day had passed: what a killed one left is swept away, and nothing else is.
    let (kept, unfinished) = on_disk(&world);
    eprintln!("{} files have a place, {} were left unfinished", kept.len(), unfinished.len());
    let day_ago = now().plus_seconds(-86_400).micros().unsigned_abs();
    let day_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_micros(day_ago);
    let folder = world.file("data/attachments");
    let places = kept.iter().map(|name| folder.join(&name[..2]).join(name));
    for path in places.chain(unfinished.iter().map(|name| folder.join("incoming").join(name))) {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(day_ago).unwrap();
    }
    eventually("the sweep", SOON, || {
        let (kept, unfinished) = on_disk(&world);
        (kept.len() == files.len() && unfinished.is_empty()).then_some(())
    });
    for file in files.iter() {
        assert!(get(&world, "guardianship", sha256(file)).bytes == *file, "it was swept away and should not have been");
    }
}
