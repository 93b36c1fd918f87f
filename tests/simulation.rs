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

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use world::World;

/// The seeds of `make test`.
const SEEDS: RangeInclusive<u64> = 1..=300;
/// Moves of a world before peace comes.
const MOVES: (i64, i64) = (60, 200);

struct Outcome {
    broken: Vec<String>,
    trace: Vec<String>,
}

/// One world from its beginning to its rest.
fn play(seed: u64) -> Outcome {
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
        if !world.heal().await || !world.later(40).await {
            broken.push("it does not come to rest".to_owned());
        }
        let journal = world.end().await;
        if let Some(problem) = journal.problem {
            broken.push(problem.to_string());
        }
        if journal.unsealed > 0 {
            broken.push(format!("{} journal rows are not sealed", journal.unsealed));
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

fn seeds() -> (RangeInclusive<u64>, bool) {
    let number = |text: &str| text.trim().parse::<u64>().unwrap_or_else(|_| panic!("`{text}` is no seed"));
    if let Ok(seed) = std::env::var("MEZHVED_SEED") {
        let seed = number(&seed);
        return (seed..=seed, true);
    }
    match std::env::var("MEZHVED_SEEDS") {
        Ok(range) => {
            let (from, to) = range.split_once("..").unwrap_or_else(|| panic!("`{range}`: such as 1..10000"));
            (number(from)..=number(to), false)
        }
        Err(_) => (SEEDS, false),
    }
}

#[test]
fn every_seed_keeps_every_promise() {
    let (seeds, told) = seeds();
    let (first, last) = (*seeds.start(), *seeds.end());
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed > last {
                            return None;
                        }
                        let played = std::panic::catch_unwind(|| play(seed));
                        let outcome = played.unwrap_or_else(|_| Outcome {
                            broken: vec!["it panicked; see above".to_owned()],
                            trace: Vec::new(),
                        });
                        if told {
                            println!("{}", outcome.trace.join("\n"));
                        }
                        if !outcome.broken.is_empty() && std::env::var("HUNT_ALL").is_ok() {
                            println!("HUNT {seed} {:?}", outcome.broken);
                            continue;
                        }
                        if !outcome.broken.is_empty() {
                            // The others need not go on.
                            next.store(last + 1, Ordering::Relaxed);
                            return Some((seed, outcome));
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().unwrap()).min_by_key(|(seed, _)| *seed)
    });
    if let Some((seed, outcome)) = failed {
        let tail = outcome.trace.len().saturating_sub(if told { 0 } else { 60 });
        panic!(
            "seed {seed} breaks a promise:\n  {}\nthe end of what happened:\n{}\nreplay: MEZHVED_SEED={seed} cargo test --test simulation \
             every_seed -- --nocapture",
            outcome.broken.join("\n  "),
            outcome.trace[tail..].join("\n")
        );
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 1..=5 {
        let (first, second) = (play(seed).trace, play(seed).trace);
        let differs = first.iter().zip(&second).position(|(a, b)| a != b);
        if let Some(line) = differs {
            panic!("seed {seed}, line {line}:\n{}\n{}", first[line], second[line]);
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}
