//! The broker is killed and started again while it carries deliveries and receipts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mezhved::domain::MessageId;

use super::load::Load;
use crate::support::{AmqpVhost, eventually};
use crate::world::{Backend, Opened, Queues, World, bodies};

const MESSAGES: usize = 300;
/// Starting RabbitMQ takes its time.
const BROKER_MAX: Duration = Duration::from_secs(180);

#[test]
fn a_broker_killed_amid_deliveries_loses_none() {
    let vhost = AmqpVhost::create_alone();
    let plan = World::on(Backend::Sqlite).broker(vhost.url(), &["guardianship"]);
    let plan = plan.setting("push.timeout_ms = 2000").setting("delivery.lease_ms = 4000");
    // What the broker confirmed and lost (a queue of RabbitMQ 3.10 that is minutes old may not outlive a kill) is sent again.
    let plan = plan.setting("delivery.receipt_wait_seconds = 3");
    let world = plan.setting("delivery.retry_base_ms = 100").setting("delivery.retry_ceiling_ms = 1000").start();
    let register = world.agency("register").clone();
    let drafts =
        (0..MESSAGES).map(|_| register.draft("guardianship", "document-request", bodies::request("guardianship-act")));
    let drafts: Vec<_> = drafts.collect();
    let load = Load::start(drafts.iter().map(|d| register.sign(d)).collect(), world.wire());
    let mut copies: BTreeMap<MessageId, usize> = BTreeMap::new();

    let mut receiver = Receiver { vhost: &vhost, queues: None };
    until_answered(&world, &mut receiver, &mut copies, MESSAGES / 3);
    let begun = Instant::now();
    vhost.restart_broker();
    eprintln!("the broker was killed at {} deliveries and is back after {:?}", copies.len(), begun.elapsed());
    until_answered(&world, &mut receiver, &mut copies, MESSAGES);
    // A receipt may have been lost with its queue: then the message comes again, and is answered again.
    eventually("every delivery receipted", BROKER_MAX, || {
        for _ in 0..MESSAGES {
            answer(&world, &mut receiver, &mut copies);
        }
        let left = "SELECT COUNT(*) FROM deliveries WHERE recipient = 'guardianship' AND state <> 'delivered'";
        (world.number(left) == 0).then_some(())
    });
    load.finish();
    assert!(drafts.iter().all(|d| copies.contains_key(&d.header.message_id)));
    eprintln!("{} copies of {MESSAGES} messages", copies.values().sum::<usize>());
}

/// The receiving system. The broker listens before each of its queues is up, and a queue that did not outlive the kill is declared anew by
/// the gateway: until then there is nothing to be had.
struct Receiver<'a> {
    vhost: &'a AmqpVhost,
    queues: Option<Queues>,
}

impl Receiver<'_> {
    fn connected(&mut self) -> Option<&Queues> {
        if self.queues.is_none() {
            self.queues = Queues::try_look(self.vhost, "guardianship");
        }
        self.queues.as_ref()
    }
}

/// Takes message after message, answering each, until so many were seen.
fn until_answered(world: &World, receiver: &mut Receiver<'_>, copies: &mut BTreeMap<MessageId, usize>, count: usize) {
    let begun = Instant::now();
    while copies.len() < count {
        answer(world, receiver, copies);
        assert!(begun.elapsed() < BROKER_MAX, "{} of {count} messages after {BROKER_MAX:?}", copies.len());
    }
}

/// Takes the next message, if there is one, and answers it with a receipt before it leaves the queue.
fn answer(world: &World, receiver: &mut Receiver<'_>, copies: &mut BTreeMap<MessageId, usize>) {
    let Some(queues) = receiver.connected() else { return };
    let taken = queues.try_answer("to", |bytes| {
        let opened = Opened::read(bytes, &world.gateway_certificate).unwrap();
        *copies.entry(opened.header.message_id).or_default() += 1;
        world.agency("guardianship").receipt(&opened)
    });
    if taken.is_err() {
        receiver.queues = None;
    }
}
