//! A rolling upgrade: two nodes behind a balancer are replaced one after the other while messages come and go.
//!
//! `scripts/upgrade` names the older program in `MEZHVED_TEST_OLDER`; without it the nodes are replaced by the same build, which still
//! shows that a node may go and come.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use mezhved::domain::MessageId;

use super::LOAD_MAX;
use super::load::Load;
use crate::support::{Balancer, Gateway, GatewayCommand, eventually, free_port};
use crate::world::{Backend, RUNTIME, World, bodies};

const OWN: &str = env!("CARGO_BIN_EXE_mezhved");

#[allow(clippy::disallowed_methods, reason = "the older program is told by the environment")]
fn older() -> Option<String> {
    std::env::var("MEZHVED_TEST_OLDER").ok().filter(|path| !path.is_empty())
}

fn start(program: &str, folder: &Path, node: &str, port: u16) -> Gateway {
    let arguments = ["serve", "--config", folder.to_str().unwrap(), "--node", node];
    let listen = format!("127.0.0.1:{port}");
    GatewayCommand::other(program, &arguments).env("MEZHVED__AGENCIES__LISTEN", &listen).start()
}

#[test]
fn nodes_are_replaced_one_by_one_under_load_and_nothing_is_lost() {
    let older = older();
    // An older build is given more to do: it is run by hand, and long.
    let part = if older.is_some() { 1_000 } else { 200 };
    let old = older.as_deref().unwrap_or(OWN);
    let plan = World::on(Backend::Postgres).setting("push.timeout_ms = 2000").setting("delivery.lease_ms = 4000");
    let world = plan.setting("delivery.retry_base_ms = 50").setting("delivery.retry_ceiling_ms = 1000").prepare();
    let ports = [free_port(), free_port()];
    let mut nodes = [("one", ports[0]), ("two", ports[1])].map(|(name, port)| start(old, world.folder(), name, port));
    let balancer = Balancer::start(ports);
    let wire = world.wire_at(&balancer.url());
    eventually("a node behind the balancer", LOAD_MAX, || {
        RUNTIME.block_on(wire.get("/readyz", None)).ok().filter(|answer| answer.status == 200)
    });
    let migrations = "SELECT COUNT(*) FROM _sqlx_migrations";
    let before = world.number(migrations);

    let (register, partner) = (world.agency("register").clone(), world.partner("guardianship").clone());
    let (begun, mut ids) = (Instant::now(), BTreeSet::<MessageId>::new());
    let mut load = || {
        let request = || register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
        let drafts: Vec<_> = std::iter::repeat_with(request).take(part).collect();
        ids.extend(drafts.iter().map(|draft| draft.header.message_id));
        Load::start(drafts.iter().map(|draft| register.sign(draft)).collect(), wire.clone())
    };
    let finish = |load: Load| {
        eventually("a receipt for every message", LOAD_MAX, || (load.acknowledged() == part).then_some(()));
        assert_eq!(load.failed_tries(), 0, "who repeats on 503 saw no other error");
        load.finish();
    };
    // Under the first load both nodes are old, under the second there is one of each, under the third both are new.
    for (node, (name, port)) in nodes.iter_mut().zip([("one", ports[0]), ("two", ports[1])]) {
        let load = load();
        eventually("a quarter of the receipts", LOAD_MAX, || (load.acknowledged() >= part / 4).then_some(()));
        assert!(load.acknowledged() < part, "stopped while senders were at work");
        assert_eq!(node.stop(), Some(0), "a node that is asked to stop drains");
        eprintln!("{:?}: node {name} has stopped, {} of {part} receipts", begun.elapsed(), load.acknowledged());
        *node = start(OWN, world.folder(), &format!("{name}-new"), port);
        finish(load);
    }
    finish(load());
    let left = "SELECT COUNT(*) FROM deliveries WHERE recipient = 'guardianship' AND state <> 'delivered'";
    eventually("every delivery", LOAD_MAX, || (world.number(left) == 0).then_some(()));
    let received: BTreeSet<MessageId> = partner.ids().into_iter().map(|(_, id)| id).collect();
    assert_eq!(received, ids);
    let verify = || world.mezhved(&["journal", "verify", "--json"]).done().json();
    let journal = eventually("a sealed journal", LOAD_MAX, || Some(verify()).filter(|found| found["unsealed"] == 0));
    assert!(journal["problem"].is_null(), "one chain by both builds: {journal}");
    let (copies, after) = (partner.counts().0, world.number(migrations));
    let (took, sent) = (begun.elapsed(), ids.len());
    eprintln!("{took:?}: {sent} messages, {copies} copies, migrations {before} before and {after} after");
}
