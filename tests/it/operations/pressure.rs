//! No room on the disk, and more at once than fits: a clear answer, nothing broken, and it goes on by itself.

use std::time::Duration;

use sqlx::Connection as _;

use super::{journal_is_whole, request};
use crate::support::eventually;
use crate::world::{Answer, Backend, RUNTIME, SOON, World, bodies};

fn ready(world: &World) -> Answer {
    RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap()
}

fn is_red_for_the_disk(world: &World) -> Option<()> {
    let answer = ready(world);
    (answer.status == 503 && answer.text().contains("disk full")).then_some(())
}

/// Posts a request; whether it was accepted, and what was posted.
fn offer(world: &World) -> (Answer, Vec<u8>, mezhved::domain::MessageId) {
    let register = world.agency("register");
    let draft = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    let bytes = register.sign(&draft);
    (world.post(bytes.clone()), bytes, draft.header.message_id)
}

fn refused_for_now(answer: &Answer) {
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("not-now")), "{}", answer.text());
    assert!(answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
}

#[test]
fn an_embedded_database_without_room_refuses_for_now_and_goes_on_once_there_is_room() {
    // The last of the room is taken by the test, not by thousands of messages.
    let world = World::on(Backend::Sqlite).setting("database.bytes_max = 4194304").start();
    let first = request(&world, "guardianship");
    world.until(first, "delivered");
    change(&world, "CREATE TABLE ballast (bytes BLOB NOT NULL)");
    let used = world.number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    let left = 4_194_304 - used - 40_960;
    change(&world, &format!("INSERT INTO ballast VALUES (randomblob({left}))"));

    let (mut accepted, mut tries) = (vec![first], 0);
    let (refused, id) = loop {
        let (answer, bytes, id) = offer(&world);
        if answer.status == 503 {
            refused_for_now(&answer);
            break (bytes, id);
        }
        answer.receipt();
        accepted.push(id);
        tries += 1;
        assert!(tries < 200, "it is never full");
    };
    eventually("a red light", SOON, || is_red_for_the_disk(&world));
    assert_eq!(world.number("SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);

    change(&world, "DROP TABLE ballast");
    eventually("a green light", SOON, || (ready(&world).status == 200).then_some(()));
    // The same bytes as a sender repeats them.
    assert_eq!(world.post(refused).receipt().message_id, id);
    accepted.push(id);
    eventually("all of them delivered", SOON * 3, || {
        let left = "SELECT COUNT(*) FROM deliveries WHERE recipient = 'guardianship' AND state <> 'delivered'";
        (world.number(left) == 0).then_some(())
    });
    assert_eq!(world.partner("guardianship").counts().1, accepted.len());
    assert_eq!(world.number("SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM room"), 0);
    journal_is_whole(&world);
}

fn change(world: &World, statement: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.file("data/mezhved.db"));
    let options = options.busy_timeout(Duration::from_secs(20));
    RUNTIME.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_server_without_room_is_seen_and_waited_for() {
    let world = World::on(Backend::Postgres).start();
    world.until(request(&world, "guardianship"), "delivered");
    // What the server says when its disk is full.
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' \
                USING ERRCODE = 'disk_full'; END $$; \
                CREATE TRIGGER full_messages BEFORE INSERT ON messages EXECUTE FUNCTION full_disk(); \
                CREATE TRIGGER full_room BEFORE INSERT ON room EXECUTE FUNCTION full_disk();";
    on_server(&world, full);
    let (answer, bytes, id) = offer(&world);
    refused_for_now(&answer);
    eventually("a red light", SOON, || is_red_for_the_disk(&world));
    on_server(&world, "DROP TRIGGER full_messages ON messages; DROP TRIGGER full_room ON room;");
    eventually("a green light", SOON, || (ready(&world).status == 200).then_some(()));
    world.post(bytes).receipt();
    world.until(id, "delivered");
    journal_is_whole(&world);
}

fn on_server(world: &World, statements: &'static str) {
    RUNTIME.block_on(async {
        let mut connection = sqlx::PgConnection::connect(world.database().url()).await.unwrap();
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    });
}

#[test]
fn more_at_once_than_fits_is_pushed_back_and_the_memory_is_bounded() {
    const MIB: usize = 1024 * 1024;
    let plan = World::on(Backend::Postgres).setting("limits.envelope_bytes_max = 1048576");
    let world = plan.setting("limits.held_bytes_max = 16777216").start();
    let warm = request(&world, "guardianship");
    world.until(warm, "delivered");
    let before = peak_kib(world.gateway().id());
    // The database takes no row for as long as this transaction stands.
    let url = world.database().url().to_owned();
    let mut lock = RUNTIME.block_on(async {
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("BEGIN; LOCK TABLE messages, refusals IN SHARE MODE").execute(&mut connection).await.unwrap();
        connection
    });
    let padding = " ".repeat(MIB - 64 * 1024);
    let register = world.agency("register").clone();
    let posts: Vec<_> = (0..200)
        .map(|_| {
            let draft = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
            let mut bytes = register.sign(&draft);
            bytes.extend_from_slice(padding.as_bytes());
            let wire = world.wire();
            RUNTIME.spawn(async move { wire.post("/v1/messages", bytes).await.unwrap() })
        })
        .collect();
    eventually("most of them answered while the database stands still", SOON, || {
        (posts.iter().filter(|post| post.is_finished()).count() >= 180).then_some(())
    });
    RUNTIME.block_on(async { sqlx::raw_sql("COMMIT").execute(&mut lock).await.unwrap() });
    let answers: Vec<Answer> = posts.into_iter().map(|post| RUNTIME.block_on(post).unwrap()).collect();
    let (accepted, others): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
    assert!(!accepted.is_empty(), "what was held is accepted once the database goes on");
    others.iter().for_each(|answer| refused_for_now(answer));
    let grown = (peak_kib(world.gateway().id()) - before) / 1024;
    eprintln!("{} accepted, {} pushed back, {grown} MiB more", accepted.len(), others.len());
    assert!(grown < 160, "{grown} MiB for 16 MiB of requests");
    assert_eq!(ready(&world).status, 200);
    let stored = "SELECT COUNT(*) FROM messages WHERE channel = 'http'";
    assert_eq!(world.number(stored), i64::try_from(accepted.len()).unwrap() + 1);
}

/// The most memory that a process has had, KiB.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn while_the_broker_is_away_messages_are_accepted_and_go_once_it_is_back() {
    // A broker of nobody: the address answers nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let plan = World::on(Backend::Sqlite).broker(&format!("amqp://{address}/%2f"), &["guardianship"]);
    let world = plan.setting("delivery.retry_base_ms = 50").setting("delivery.retry_ceiling_ms = 200").start();
    let answer = ready(&world);
    assert!(answer.status == 503 && answer.text().contains("broker"), "{}", answer.text());
    let id = request(&world, "guardianship");
    let waiting = eventually("a try that found no broker", SOON, || {
        let shown = world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
        Some(shown[0]["deliveries"][0].clone()).filter(|delivery| delivery["reason"] == "broker-away")
    });
    assert_ne!(waiting["state"], "parked", "{waiting}");
    // Others are served meanwhile, and nobody is held to be away for it.
    world.until(request(&world, "health"), "delivered");
    assert_eq!(super::queue(&world, "guardianship")["breaker"]["state"], "closed");
}
