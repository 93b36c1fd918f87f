//! Chaos: nodes are killed every few seconds while messages come and go, broker and database are restarted once each; what was acknowledged is
//! delivered, none twice by id, and every obligation is as the messages say.
//!
//! `make test` plays some messages, `make soak` 20,000: `MEZHVED_CHAOS_MESSAGES`.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mezhved::domain::MessageId;
use mezhved::envelope::Draft;

use super::load::Load;
use crate::support::{AmqpVhost, Gateway, PostgresServer, eventually};
use crate::world::{Backend, Behaviour, Opened, Queues, World, bodies};

/// How many messages when nobody says another number.
const MESSAGES: usize = 1_200;
/// Nobody waits longer than this for one thousand of them.
const A_THOUSAND_MAX: Duration = Duration::from_secs(240);
/// Between kills, in milliseconds: at least, and how much more at most.
const KILLS: (u64, u64) = (700, 1_500);
/// A node is killed at the latest when so large a part of the messages has its receipts since the last kill, however fast the machine is.
const PART: usize = 8;
/// A receiver that finds nothing looks again so soon.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

#[allow(clippy::disallowed_methods, reason = "a longer run is asked for by the environment")]
fn messages() -> usize {
    let given = std::env::var("MEZHVED_CHAOS_MESSAGES").ok();
    given.map_or(MESSAGES, |text| text.parse().unwrap_or_else(|_| panic!("`{text}` is no number")))
}

#[test]
fn two_nodes_are_killed_at_random_and_broker_and_database_restarted_and_nothing_is_lost() {
    chaos(Backend::Postgres, 2);
}

#[test]
fn one_node_on_sqlite_is_killed_at_random_and_the_broker_restarted_and_nothing_is_lost() {
    chaos(Backend::Sqlite, 1);
}

/// What is sent: requests to a participant on the broker and to one on HTTP, and the latter's answers to a part of them.
struct Plan {
    requests: Vec<Draft>,
    answers: Vec<Draft>,
}

impl Plan {
    fn new(world: &World, count: usize) -> Self {
        let (register, health) = (world.agency("register"), world.agency("health"));
        let request = |n: usize| match n % 3 {
            0 => register.draft("health", "document-request", bodies::request("medical-conclusion")),
            _ => register.draft("guardianship", "document-request", bodies::request("guardianship-act")),
        };
        let requests: Vec<Draft> = (0..count * 6 / 7).map(request).collect();
        let to_health = requests.iter().filter(|draft| draft.header.recipient.as_str() == "health");
        let response =
            |to: &Draft| health.answer(&to.header, "document-response", bodies::health_response("medical-conclusion"));
        let answers = to_health.take(count - requests.len()).map(response).collect();
        Self { requests, answers }
    }

    fn ids_to(&self, recipient: &str) -> BTreeSet<MessageId> {
        let all = self.requests.iter().chain(&self.answers).map(|draft| &draft.header);
        all.filter(|header| header.recipient.as_str() == recipient).map(|header| header.message_id).collect()
    }
}

/// A node with those who send to it.
struct Node {
    process: Gateway,
    load: Option<Load>,
}

/// What goes wrong, and when.
struct Trouble<'a> {
    vhost: &'a AmqpVhost,
    server: Option<PostgresServer>,
    drawn: u64,
    kills: usize,
    next_kill: Instant,
    next_at: usize,
    begun: Instant,
}

impl Trouble<'_> {
    fn draw(&mut self, below: u64) -> u64 {
        self.drawn = self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.drawn >> 33) % below
    }

    /// Kills a node if it is time to, and starts it again. `have` receipts are there of `all`.
    fn make(&mut self, world: &World, nodes: &mut [Node], (have, all): (usize, usize)) {
        if Instant::now() < self.next_kill && have < self.next_at {
            return;
        }
        self.next_at = have + all.div_ceil(PART);
        let count = u64::try_from(nodes.len()).unwrap();
        let number = usize::try_from(self.draw(count)).unwrap();
        let node = &mut nodes[number];
        node.process.kill();
        node.process.restart();
        if let Some(load) = &node.load {
            load.go_on(world.wire_to(&node.process));
        }
        self.kills += 1;
        self.next_kill = Instant::now() + Duration::from_millis(KILLS.0 + self.draw(KILLS.1));
    }

    /// Goes on so until all that was sent has its receipt.
    fn until_receipted(&mut self, world: &World, nodes: &mut [Node], share: (usize, usize)) {
        let all: usize = nodes.iter().filter_map(|node| node.load.as_ref()).map(Load::count).sum();
        let wanted = all * share.0 / share.1;
        let within = A_THOUSAND_MAX * u32::try_from(all / 1_000 + 1).unwrap();
        eventually(&format!("{wanted} receipts"), within, || {
            let have: usize = nodes.iter().filter_map(|node| node.load.as_ref()).map(Load::acknowledged).sum();
            self.make(world, nodes, (have, all));
            (have >= wanted).then_some(())
        });
        eprintln!("{:?}: {wanted} of {all} receipts, {} kills", self.begun.elapsed(), self.kills);
    }

    fn restart_broker(&self) {
        self.vhost.restart_broker();
        eprintln!("{:?}: the broker was killed and is back", self.begun.elapsed());
    }

    fn crash_database(&mut self) {
        if let Some(server) = &mut self.server {
            server.crash();
            eprintln!("{:?}: the database has crashed and is back", self.begun.elapsed());
        }
    }
}

fn send(world: &World, nodes: &mut [Node], signed: Vec<Vec<u8>>) {
    let part = signed.len().div_ceil(nodes.len());
    for (node, messages) in nodes.iter_mut().zip(signed.chunks(part)) {
        node.load = Some(Load::start(messages.to_vec(), world.wire_to(&node.process)));
    }
}

fn sent(nodes: &mut [Node]) {
    nodes.iter_mut().filter_map(|node| node.load.take()).for_each(Load::finish);
}

fn chaos(backend: Backend, count: usize) {
    let vhost = AmqpVhost::create_alone();
    let server = (backend == Backend::Postgres).then(PostgresServer::start);
    let plan = World::on(backend).broker(vhost.url(), &["guardianship"]);
    let plan = plan.setting("push.timeout_ms = 2000").setting("delivery.lease_ms = 4000");
    let plan = plan.setting("delivery.retry_base_ms = 50").setting("delivery.retry_ceiling_ms = 1000");
    // What the broker confirmed and lost (a queue of RabbitMQ 3.10 that is minutes old may not outlive a kill) is sent again.
    let plan = plan.setting("delivery.receipt_wait_seconds = 5").setting("delivery.breaker_probe_seconds = 1");
    let plan = server.iter().fold(plan, |plan, server| plan.on_server(server.url()));
    let world = plan.prepare();
    world.partner("health").behave(Behaviour::LosesEvery(97));
    let what = Plan::new(&world, messages());
    let (register, health) = (world.agency("register").clone(), world.agency("health").clone());
    let mut nodes: Vec<Node> = (0..count).map(|_| Node { process: world.command().start(), load: None }).collect();
    let begun = Instant::now();
    let next_kill = begun + Duration::from_millis(KILLS.0);
    let mut trouble = Trouble { vhost: &vhost, server, drawn: 1, kills: 0, next_kill, next_at: 1, begun };
    let receiver = Receiver::default();
    std::thread::scope(|scope| {
        scope.spawn(|| receiver.receive(&vhost, &world));
        let _ends = Ends(&receiver.stop);
        send(&world, &mut nodes, what.requests.iter().map(|draft| register.sign(draft)).collect());
        trouble.until_receipted(&world, &mut nodes, (1, 4));
        trouble.restart_broker();
        trouble.until_receipted(&world, &mut nodes, (2, 4));
        trouble.crash_database();
        trouble.until_receipted(&world, &mut nodes, (4, 4));
        sent(&mut nodes);
        send(&world, &mut nodes, what.answers.iter().map(|draft| health.sign(draft)).collect());
        trouble.until_receipted(&world, &mut nodes, (1, 1));
        sent(&mut nodes);
        world.partner("health").behave(Behaviour::Receipt);
        // Notices of the gateway are not answered: handed over is all that they come to.
        let left = "SELECT COUNT(*) FROM deliveries d JOIN messages m ON m.record_id = d.record_id \
                    WHERE m.type_name LIKE 'document-%' AND d.state <> 'delivered'";
        let within = A_THOUSAND_MAX * u32::try_from(messages() / 1_000 + 1).unwrap();
        eventually("every delivery", within, || (world.number(left) == 0).then_some(()));
    });
    eprintln!("{:?}: everything is delivered, after {} kills", begun.elapsed(), trouble.kills);
    assert!(trouble.kills >= 3, "{} kills", trouble.kills);
    delivered(&world, &what, &receiver);
    owed(&world, &what);
    let verify = || world.mezhved(&["journal", "verify", "--json"]).done().json();
    let journal =
        eventually("a sealed journal", A_THOUSAND_MAX, || Some(verify()).filter(|found| found["unsealed"] == 0));
    assert!(journal["problem"].is_null(), "{journal}");
    drop(nodes);
    drop(world);
}

/// Exactly what was acknowledged came, each once by id, and is in the database once.
fn delivered(world: &World, what: &Plan, receiver: &Receiver) {
    assert_eq!(receiver.seen.lock().unwrap().0, what.ids_to("guardianship"));
    let of = |recipient: &str, kind: &str| -> BTreeSet<MessageId> {
        let copies = world.partner(recipient).copies();
        copies.iter().filter(|c| c.opened.kind() == kind).map(|copy| copy.opened.header.message_id).collect()
    };
    assert_eq!(of("health", "document-request"), what.ids_to("health"));
    assert_eq!(of("register", "document-response"), what.ids_to("register"));
    let all = i64::try_from(what.requests.len() + what.answers.len()).unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM messages WHERE channel = 'http'"), all);
    assert_eq!(
        world.number(
            "SELECT COUNT(*) FROM journal WHERE kind = 'message-accepted' AND record_id IN \
        (SELECT record_id FROM messages WHERE channel = 'http')"
        ),
        all
    );
    let copies = receiver.seen.lock().unwrap().1 + world.partner("health").counts().0;
    eprintln!("{copies} copies of {} requests on the wire", what.requests.len());
}

/// One obligation for each request, met by its answer where there is one, and open where there is none.
fn owed(world: &World, what: &Plan) {
    let (requests, answers) = (i64::try_from(what.requests.len()).unwrap(), i64::try_from(what.answers.len()).unwrap());
    assert!(answers > 0);
    for (query, wanted) in [
        ("SELECT COUNT(*) FROM obligations", requests),
        ("SELECT COUNT(DISTINCT record_id) FROM obligations WHERE rule = 'document-answer'", requests),
        (
            "SELECT COUNT(*) FROM obligations WHERE state = 'open' AND settled_at IS NULL AND due_at IS NOT NULL",
            requests - answers,
        ),
        (
            "SELECT COUNT(*) FROM obligations o JOIN messages r ON r.record_id = o.record_id \
             JOIN messages a ON a.record_id = o.settled_record WHERE o.state = 'met' AND a.in_reply_to = r.message_id",
            answers,
        ),
        ("SELECT COUNT(*) FROM journal WHERE kind = 'obligation-opened'", requests),
        ("SELECT COUNT(*) FROM journal WHERE kind = 'obligation-met'", answers),
    ] {
        assert_eq!(world.number(query), wanted, "{query}");
    }
}

/// The receiving system on the broker: what it has seen by id, and how many copies.
#[derive(Default)]
struct Receiver {
    seen: Mutex<(BTreeSet<MessageId>, usize)>,
    stop: AtomicBool,
}

impl Receiver {
    /// Takes and answers until it is told to stop, connecting anew whenever the broker goes.
    fn receive(&self, vhost: &AmqpVhost, world: &World) {
        let guardianship = world.agency("guardianship").clone();
        while !self.stop.load(Ordering::Acquire) {
            let Some(queues) = Queues::try_look(vhost, "guardianship") else {
                std::thread::park_timeout(LOOK_AGAIN * 10);
                continue;
            };
            while !self.stop.load(Ordering::Acquire) {
                let taken = queues.try_answer("to", |bytes| {
                    let opened = Opened::read(bytes, &world.gateway_certificate).unwrap();
                    let mut seen = self.seen.lock().unwrap();
                    seen.0.insert(opened.header.message_id);
                    seen.1 += 1;
                    guardianship.receipt(&opened)
                });
                match taken {
                    Ok(true) => {}
                    Ok(false) => std::thread::park_timeout(LOOK_AGAIN),
                    Err(_) => {
                        std::thread::park_timeout(LOOK_AGAIN * 10);
                        break;
                    }
                }
            }
        }
    }
}

/// Ends the receiver, however the test ends.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
