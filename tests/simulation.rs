//! The simulation that hunts: the production pipeline on a clock that is turned by hand, an in-memory network that loses, repeats, delays
//! and reorders, a store that dies between any two steps, up to three nodes; and after peace has come, what must hold.
//!
//! ```text
//! cargo test --test simulation                                  the seeds of `make test`
//! MEZHVED_SEED=17 cargo test --test simulation -- --nocapture   one seed, with everything that happened
//! MEZHVED_SEEDS=1..10000 cargo test --test simulation           a range
//! ```
//!
//! `docs/architecture.md` says what is in it and what is not.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a panic is how a test says no; which seeds to take is asked of the environment"
)]

#[path = "simulation/check.rs"]
mod check;
#[path = "simulation/draw.rs"]
mod draw;
#[path = "simulation/ground.rs"]
mod ground;
#[path = "simulation/hub.rs"]
mod hub;
#[path = "simulation/net.rs"]
mod net;
#[path = "simulation/party.rs"]
mod party;
#[path = "simulation/script.rs"]
mod script;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use world::World;

/// The seeds of `make test`.
const SEEDS: RangeInclusive<u64> = 1..=200;
/// Moves of a world before peace comes.
const MOVES: (i64, i64) = (60, 200);
/// How long after it came to rest a world is looked at again: every term has ended.
const LATER_DAYS: i64 = 40;

/// What must have gone wrong at least once in them: a hunt that never shoots finds nothing.
const MISCHIEF: [&str; 16] = [
    "is killed at before accept",
    "is killed at after",
    "and is killed",
    "Lost at commit",
    "NoRoom at commit",
    "Unknown at commit",
    "store away at before accept",
    "store away at before settle",
    "held at after push",
    "held at before settle",
    "together: [",
    "again",
    "which is lost",
    "timed-out",
    "broker-away",
    "RequeueLater",
];

struct Outcome {
    broken: Vec<String>,
    trace: Vec<String>,
}

/// One world from its beginning to its rest. `tampering` is done to its database before it is looked at.
fn play(seed: u64, tampering: Option<&'static str>) -> Outcome {
    // Made before there is a runtime: it has one of its own.
    ground::ground();
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        let mut world = World::new(seed).await;
        let moves = world.hub.state().draw.between(MOVES.0, MOVES.1);
        for _ in 0..moves {
            world.step().await;
        }
        let mut broken = Vec::new();
        if !world.heal().await || !world.later(LATER_DAYS).await {
            broken.push("it does not come to rest".to_owned());
        }
        let journal = world.end().await;
        broken.extend(journal.problem.map(|problem| problem.to_string()));
        if journal.unsealed > 0 {
            broken.push(format!("{} journal rows are not sealed", journal.unsealed));
        }
        if let Some(sql) = tampering {
            check::change(&world.file, sql).await;
        }
        broken.extend(check::check(&world.file, &world.net, world.now()).await);
        let mut state = world.hub.state();
        broken.append(&mut state.broken);
        let mut trace = std::mem::take(&mut state.trace);
        drop(state);
        trace.push(format!("{} seconds, {} journal rows, broken: {broken:?}", world.seconds(), journal.rows));
        Outcome { broken, trace }
    });
    runtime.shutdown_background();
    outcome
}

/// Which worlds are played.
struct Plan {
    seeds: RangeInclusive<u64>,
    /// No world begins after this time.
    until: Option<Instant>,
    /// Everything that happens is told.
    told: bool,
    /// Those of `make test`.
    usual: bool,
}

fn plan() -> Plan {
    let number = |text: &str| text.trim().parse::<u64>().unwrap_or_else(|_| panic!("`{text}` is no number"));
    let given = |name: &str| std::env::var(name).ok();
    if let Some(seed) = given("MEZHVED_SEED") {
        let seed = number(&seed);
        return Plan { seeds: seed..=seed, until: None, told: true, usual: false };
    }
    if let Some(seconds) = given("MEZHVED_SOAK_SECONDS") {
        // Other worlds every time.
        let first = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() * 1_000;
        let until = Instant::now() + Duration::from_secs(number(&seconds));
        return Plan { seeds: first..=u64::MAX - 1, until: Some(until), told: false, usual: false };
    }
    match given("MEZHVED_SEEDS") {
        Some(range) => {
            let (from, to) = range.split_once("..").unwrap_or_else(|| panic!("`{range}`: such as 1..10000"));
            Plan { seeds: number(from)..=number(to), until: None, told: false, usual: false }
        }
        None => Plan { seeds: SEEDS, until: None, told: false, usual: true },
    }
}

/// Plays worlds until one breaks a promise or all are played. Returns the first that did, how many were played, and which mischief
/// was seen.
fn hunt(plan: &Plan) -> (Option<(u64, Outcome)>, u64, BTreeSet<&'static str>) {
    let (next, played) = (AtomicU64::new(*plan.seeds.start()), AtomicU64::new(0));
    let (last, seen) = (*plan.seeds.end(), Mutex::new(BTreeSet::new()));
    let one = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed > last || plan.until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        let outcome = std::panic::catch_unwind(|| play(seed, None))
            .unwrap_or_else(|_| Outcome { broken: vec!["it panicked; see above".to_owned()], trace: Vec::new() });
        if plan.told {
            println!("{}", outcome.trace.join("\n"));
        }
        let is_in = |what: &&&str| outcome.trace.iter().any(|line| line.contains(**what));
        seen.lock().unwrap().extend(MISCHIEF.iter().filter(is_in));
        let count = played.fetch_add(1, Ordering::Relaxed) + 1;
        if !plan.usual && count.is_multiple_of(1_000) {
            println!("{count} worlds, the last of seed {seed}");
        }
        if !outcome.broken.is_empty() {
            // Those that are being played are played to their end; no other is begun.
            next.store(last + 1, Ordering::Relaxed);
            return Some((seed, outcome));
        }
    };
    // A world waits for its own threads more than it works.
    let threads = std::thread::available_parallelism().map_or(1, usize::from) * 3;
    let failed = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        workers.into_iter().filter_map(|worker| worker.join().unwrap()).min_by_key(|(seed, _)| *seed)
    });
    (failed, played.into_inner(), seen.into_inner().unwrap())
}

#[test]
fn every_seed_keeps_every_promise() {
    let plan = plan();
    let (failed, played, seen) = hunt(&plan);
    if let Some((seed, outcome)) = failed {
        let tail = outcome.trace.len().saturating_sub(if plan.told { 0 } else { 60 });
        panic!(
            "seed {seed} breaks a promise:\n  {}\nthe end of what happened:\n{}\nreplay: MEZHVED_SEED={seed} cargo test --test simulation \
             every_seed -- --nocapture",
            outcome.broken.join("\n  "),
            outcome.trace[tail..].join("\n")
        );
    }
    println!("{played} worlds from seed {} kept every promise", plan.seeds.start());
    let missing: Vec<_> = MISCHIEF.iter().filter(|what| plan.usual && !seen.contains(*what)).collect();
    assert!(missing.is_empty(), "in {played} worlds this never happened: {missing:?}");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 1..=5 {
        let (first, second) = (play(seed, None).trace, play(seed, None).trace);
        if let Some(line) = first.iter().zip(&second).position(|(a, b)| a != b) {
            panic!("seed {seed}, line {line}:\n{}\n{}", first[line], second[line]);
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

#[test]
fn what_is_wrong_in_the_database_is_seen() {
    for (sql, wanted) in [
        ("DELETE FROM messages WHERE type_name = 'document-request'", "lost: "),
        ("UPDATE contents SET receipt = x'00' WHERE receipt IS NOT NULL", "is not the stored one"),
        ("UPDATE deliveries SET state = 'parked' WHERE state = 'delivered'", "is parked"),
        ("DELETE FROM partner_answers", "is delivered, and it came"),
        ("DELETE FROM deliveries", "has 0 deliveries"),
        ("DELETE FROM obligations WHERE rule = 'document-answer'", "opened []"),
        ("UPDATE obligations SET state = 'pending' WHERE state = 'overdue'", "is pending"),
        ("UPDATE obligations SET settled_record = record_id WHERE state LIKE 'met%'", "answered true"),
        ("DELETE FROM journal WHERE kind = 'message-accepted'", "was accepted 0 times"),
        ("UPDATE journal SET kind = 'message-accepted' WHERE record_id IS NOT NULL", "told twice"),
    ] {
        let broken = (1..=4).map(|seed| play(seed, Some(sql)).broken).find(|broken| !broken.is_empty());
        let broken = broken.unwrap_or_else(|| panic!("{sql}: nothing was seen"));
        assert!(broken.iter().any(|what| what.contains(wanted)), "{sql}: {broken:?}");
    }
}
