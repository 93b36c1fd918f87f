//! Nothing acknowledged is lost: the gateway is killed while messages come and go, and the broker while it carries them. The
//! receiving side counts copies on the wire and messages by id apart.

mod broker;
mod chaos;
mod cluster;
mod database;
mod load;
mod nodes;
mod upgrade;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mezhved::domain::MessageId;

use crate::support::eventually;
use crate::world::{Backend, Behaviour, World, bodies};
use load::Load;

/// How long the whole load may take on a busy machine with two cores and a build without optimisation.
const LOAD_MAX: Duration = Duration::from_secs(240);
const MESSAGES: usize = 2_000;

#[test]
fn kill_9_during_2000_messages_loses_none_on_sqlite() {
    killed_during_2000_messages(Backend::Sqlite);
}

#[test]
fn kill_9_during_2000_messages_loses_none_on_postgresql() {
    killed_during_2000_messages(Backend::Postgres);
}

fn killed_during_2000_messages(backend: Backend) {
    // A lease of the killed process ends soon, so that its deliveries come back within the test.
    let plan = World::on(backend).setting("push.timeout_ms = 2000").setting("delivery.lease_ms = 4000");
    let mut world = plan.setting("delivery.retry_base_ms = 50").setting("delivery.retry_ceiling_ms = 1000").start();
    let partner = world.partner("guardianship").clone();
    partner.behave(Behaviour::LosesEvery(97));
    let register = world.agency("register").clone();
    let drafts =
        (0..MESSAGES).map(|_| register.draft("guardianship", "document-request", bodies::request("guardianship-act")));
    let drafts: Vec<_> = drafts.collect();
    let ids: BTreeSet<MessageId> = drafts.iter().map(|d| d.header.message_id).collect();
    let begun = Instant::now();
    let load = Load::start(drafts.iter().map(|d| register.sign(d)).collect(), world.wire());

    for part in [MESSAGES / 3, MESSAGES * 2 / 3] {
        eventually(&format!("{part} receipts"), LOAD_MAX, || (load.acknowledged() >= part).then_some(()));
        world.process().kill();
        let (acknowledged, delivered) = (load.acknowledged(), partner.counts().1);
        eprintln!("{:?}: killed at {acknowledged} receipts and {delivered} deliveries", begun.elapsed());
        assert!(acknowledged < MESSAGES, "killed while senders were at work");
        world.process().restart();
        for (message, receipt) in load.receipted(10) {
            assert_eq!(world.post(message).bytes, receipt, "what was acknowledged before the kill is known after it");
        }
        load.go_on(world.wire());
    }
    eventually("a receipt for every message", LOAD_MAX, || (load.acknowledged() == MESSAGES).then_some(()));
    eprintln!("{:?}: every message has its receipt, {} tries failed", begun.elapsed(), load.failed_tries());
    assert!(load.failed_tries() > 0, "no sender saw the kill");
    load.finish();

    eventually("every message at the receiver", LOAD_MAX, || (partner.counts().1 >= MESSAGES).then_some(()));
    let received: BTreeSet<MessageId> = partner.ids().into_iter().map(|(_, id)| id).collect();
    assert_eq!(received, ids, "exactly what was acknowledged, each once by id");
    let (copies, _) = partner.counts();
    eprintln!("{:?}: {copies} copies of {MESSAGES} messages on the wire", begun.elapsed());
    assert!(copies > MESSAGES, "lost answers make copies");
    assert_eq!(world.number("SELECT COUNT(*) FROM messages WHERE channel = 'http'"), i64::try_from(MESSAGES).unwrap());

    partner.behave(Behaviour::Receipt);
    eventually("every delivery settled", LOAD_MAX, || {
        (world.number("SELECT COUNT(*) FROM deliveries WHERE recipient = 'guardianship' AND state <> 'delivered'") == 0)
            .then_some(())
    });
    let journal = world.mezhved(&["journal", "verify", "--json"]).done().json();
    assert!(journal["problem"].is_null(), "{journal}");
    eprintln!("{:?}: done", begun.elapsed());
}
