//! What a wake-up of the watcher and the first page of overdue obligations cost while 10,000 and while 1,000,000 are open.
//!
//! `make bench-obligations` runs it on SQLite and on a private PostgreSQL; `cargo bench --bench obligations` alone takes the
//! PostgreSQL of `MEZHVED_TEST_POSTGRES`, or leaves that half out. It prints the plans and the times, and ends with exit status 1
//! when a wake-up costs more than 1.5 times as much with a hundred times as many open, or when a page takes 50 ms or longer.
//!
//! A hundred obligations are due at each wake-up. First they lie among fifty times as many, as obligations do that were opened within
//! the same days: in a simulated year of Yugra (`mezhved simulate`, 300 cases) those that are due at one instant lie among 47 times as
//! many in the median. That is what the ratio is asked of. Then they are scattered over the whole table, the worst that can be: how
//! much that costs is a matter of the machine's caches, and is printed only.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to say"
)]

use std::time::{Duration, Instant};

use mezhved::domain::{ObligationState, Timestamp};
use mezhved::store::{Mark, ObligationFilter, ObligationGroup, ObligationRow, QueryPlan, Store, StoreOptions};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

const FILL: &str = include_str!("../tests/fixtures/obligations-many.sql");
const SIZES: [u64; 2] = [10_000, 1_000_000];
/// How many obligations are due at a wake-up.
const DUE: u32 = 100;
/// Among how many times as many they lie.
const SPREAD: u64 = 50;
/// How many wake-ups of each kind there are, and how many of them only warm up.
const ROUNDS: usize = 45;
const WARMING: usize = 9;
/// How often a page is read.
const PAGES: usize = 200;
const PAGE_ROWS: u32 = 100;
const RATIO_MAX: f64 = 1.5;
const NEAR: [&str; 3] =
    ["a wake-up with 100 due, opened together", "  of it finding them", "  of it marking them, durably"];
const FAR: [&str; 3] = ["a wake-up with 100 due, scattered", "  of it finding them", "  of it marking them, durably"];
const IDLE: &str = "a wake-up with nothing due";
/// The rows that the ratio is asked of.
const ASKED: [&str; 2] = [NEAR[0], IDLE];
const PAGE_MAX: Duration = Duration::from_millis(50);

/// The times of one engine at one size.
struct Measured {
    plans: Vec<QueryPlan>,
    /// Name and median.
    rows: Vec<(&'static str, Duration)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

#[tokio::main]
async fn main() {
    let mut holds = true;
    holds &= engine("SQLite", Engine::Sqlite).await;
    match std::env::var("MEZHVED_TEST_POSTGRES") {
        Ok(_) => holds &= engine("PostgreSQL", Engine::Postgres).await,
        Err(_) => {
            println!("PostgreSQL is left out: MEZHVED_TEST_POSTGRES names none (make bench-obligations starts one)")
        }
    }
    if !holds {
        std::process::exit(1);
    }
}

async fn engine(name: &str, engine: Engine) -> bool {
    let few = measured(engine, SIZES[0]).await;
    let many = measured(engine, SIZES[1]).await;
    println!("\n{name}: plans with {} open", SIZES[1]);
    for plan in &many.plans {
        println!("  {}", plan.what);
        plan.lines.iter().for_each(|line| println!("      {line}"));
    }
    println!("\n{name}: medians{:25}{:>12} open{:>12} open   ratio", "", SIZES[0], SIZES[1]);
    let mut holds = true;
    for ((what, few), (_, many)) in few.rows.iter().zip(&many.rows) {
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("  {what:40}{:>14.3} ms{:>14.3} ms{ratio:>8.2}", millis(*few), millis(*many));
        if ASKED.contains(what) && ratio > RATIO_MAX {
            holds = false;
            println!("    does not hold: the ratio is above {RATIO_MAX}");
        }
        if what.contains("page") && (*few).max(*many) >= PAGE_MAX {
            holds = false;
            println!("    does not hold: {} ms or longer", PAGE_MAX.as_millis());
        }
    }
    holds
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

async fn measured(engine: Engine, open: u64) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let schema = format!("bench_{open}_{}", std::process::id());
    let url = match engine {
        Engine::Sqlite => format!("sqlite://{}/store.db", folder.path().display()),
        Engine::Postgres => {
            let server = std::env::var("MEZHVED_TEST_POSTGRES").unwrap();
            run(&server, &format!("CREATE SCHEMA {schema}")).await;
            let joint = if server.contains('?') { '&' } else { '?' };
            format!("{server}{joint}options[search_path]={schema}")
        }
    };
    let store = Store::open(StoreOptions::new(&url)).await.unwrap();
    let began = Instant::now();
    fill(engine, &url, open).await;
    println!("filled with {open} open obligations in {:.1} s", began.elapsed().as_secs_f64());
    let mut rows = wake_ups(&store, NEAR, 0).await;
    rows.extend(wake_ups(&store, FAR, ROUNDS).await);
    rows.push(idle_wake_ups(&store).await);
    rows.extend(pages(&store).await);
    let plans = store.query_plans(base()).await.unwrap();
    store.close().await;
    if engine == Engine::Postgres {
        run(&std::env::var("MEZHVED_TEST_POSTGRES").unwrap(), &format!("DROP SCHEMA {schema} CASCADE")).await;
    }
    Measured { plans, rows }
}

/// From this instant on obligations are due.
fn base() -> Timestamp {
    Timestamp::parse("2026-05-06T05:00:00Z").unwrap()
}

async fn run(url: &str, sql: &str) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn fill(engine: Engine, url: &str, open: u64) {
    // About as long as the steps of a real count.
    let step = r#"{"step":"count","date":"2026-05-12","ru":"3-й рабочий день: 12.05.2026 (вт)","en":"working day 3: 2026-05-12 (Tue)"}"#;
    let rounds = u64::try_from(ROUNDS).unwrap();
    let stretch = (u64::from(DUE) * (rounds + SPREAD)).min(open / 2);
    let explanation = format!(r#"{{"regulation":"yugra","steps":[{}]}}"#, [step; 8].join(","));
    let sql = FILL
        .replace("{open}", &open.to_string())
        .replace("{base}", &base().micros().to_string())
        .replace("{rounds}", &ROUNDS.to_string())
        .replace("{stretch}", &stretch.to_string())
        .replace("{due}", &DUE.to_string())
        .replace("{explanation}", &explanation)
        .replace("{separator}", "\u{1f}");
    match engine {
        Engine::Sqlite => run(url, &format!("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; {sql}")).await,
        Engine::Postgres => {
            run(url, &sql).await;
            // What its own housekeeping does after so many rows.
            run(url, "VACUUM ANALYZE obligations").await;
            run(url, "CHECKPOINT").await;
        }
    }
}

/// All that a wake-up asks of the store, from this minute on.
async fn wake_ups(store: &Store, names: [&'static str; 3], from: usize) -> Vec<(&'static str, Duration)> {
    let (mut whole, mut found, mut marked) = (Vec::new(), Vec::new(), Vec::new());
    for round in from..from + ROUNDS {
        let now = base().plus_seconds(60 * i64::try_from(round).unwrap());
        let began = Instant::now();
        assert!(store.take_lease("watcher", "bench", now, 10_000).await.unwrap().is_some());
        let looked = Instant::now();
        let due = store.due(now, DUE).await.unwrap();
        assert_eq!(due.len(), DUE as usize);
        found.push(looked.elapsed());
        let marking = Instant::now();
        let marks = due.iter().map(|row| mark(row, now)).collect();
        assert_eq!(store.mark(marks).await.unwrap().len(), DUE as usize);
        marked.push(marking.elapsed());
        nothing_left(store, now).await;
        whole.push(began.elapsed());
    }
    names.into_iter().zip([whole, found, marked].map(|times| median(&times[WARMING..]))).collect()
}

async fn idle_wake_ups(store: &Store) -> (&'static str, Duration) {
    let mut times = Vec::new();
    for round in 2 * ROUNDS..3 * ROUNDS {
        let now = base().plus_seconds(60 * i64::try_from(round).unwrap());
        let began = Instant::now();
        assert!(store.take_lease("watcher", "bench", now, 10_000).await.unwrap().is_some());
        nothing_left(store, now).await;
        times.push(began.elapsed());
    }
    (IDLE, median(&times[WARMING..]))
}

/// What ends a wake-up: nothing is due any more, and when something is.
async fn nothing_left(store: &Store, now: Timestamp) {
    assert!(store.due(now, DUE).await.unwrap().is_empty());
    assert!(store.next_instant().await.unwrap().is_some());
    store.next_schedule_at().await.unwrap();
}

fn mark(row: &ObligationRow, now: Timestamp) -> Mark {
    Mark {
        id: row.id,
        expected_next_at: row.next_at.unwrap(),
        state: ObligationState::Overdue,
        next_at: None,
        at: now,
        now,
        stays: false,
        made: Vec::new(),
        notifications: Vec::new(),
        journal: Vec::new(),
    }
}

/// What `deadline list --overdue` and the operators' page read first.
async fn pages(store: &Store) -> Vec<(&'static str, Duration)> {
    let overdue = ObligationFilter { group: Some(ObligationGroup::Overdue), ..ObligationFilter::default() };
    let all = ObligationFilter::default();
    let mut rows = Vec::new();
    for (what, filter) in [("the first page of overdue ones (100)", overdue), ("the first page of all (100)", all)] {
        let mut times = Vec::new();
        for _ in 0..PAGES {
            let began = Instant::now();
            let page = store.list_obligations(&filter, None, PAGE_ROWS).await.unwrap();
            assert_eq!(page.len(), PAGE_ROWS as usize);
            times.push(began.elapsed());
        }
        rows.push((what, median(&times)));
    }
    rows
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}
