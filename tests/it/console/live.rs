//! Server-sent events: what one node writes, a page of another hears.

use std::time::{Duration, Instant};

use reqwest::header::COOKIE;

use crate::world::{Backend, Person, RUNTIME, SOON, World, bodies};

/// Within which an event must reach an open page.
const HEARD_MAX: Duration = Duration::from_secs(2);

/// Silence after which nothing that was written before is still under way.
const QUIET: Duration = Duration::from_millis(2_500);

async fn listen(person: &Person) -> reqwest::Response {
    let cookies: Vec<String> = person.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{}/events", person.address)).header(COOKIE, cookies.join("; "));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    answer
}

/// Listens as this person, and acts when everything before has been heard. How long it took until the act was heard.
fn heard(person: &Person, act: impl FnOnce() + Send + 'static) -> Duration {
    RUNTIME.block_on(async {
        let mut stream = listen(person).await;
        while let Ok(part) = tokio::time::timeout(QUIET, stream.chunk()).await {
            part.unwrap().expect("the stream goes on");
        }
        tokio::task::spawn_blocking(act).await.unwrap();
        let began = Instant::now();
        let next = tokio::time::timeout(SOON, stream.chunk()).await.unwrap();
        let part = next.unwrap().unwrap();
        assert!(std::str::from_utf8(&part).unwrap().contains("event: change"), "{part:?}");
        began.elapsed()
    })
}

#[test]
fn a_page_hears_of_what_its_node_and_another_program_write_on_sqlite() {
    let world = World::on(Backend::Sqlite).start();
    let person = world.person("petrova", &["--role", "operator"]);
    let (folder, mut other) = (world.folder().to_path_buf(), Person::nobody(&person.address));
    let own = heard(&person, move || {
        other.sign_in("nobody", "не тот пароль");
    });
    assert!(own < HEARD_MAX, "{own:?}");
    let elsewhere = heard(&person, move || {
        let config = folder.to_str().unwrap();
        crate::support::mezhved(&["account", "disable", "nobody-else", "--config", config]);
        crate::support::mezhved_told(
            &["account", "add", "sidorova", "--name", "Кто-то", "--role", "auditor", "--config", config],
            crate::world::PASSWORD,
        )
        .done();
    });
    assert!(elsewhere < HEARD_MAX, "{elsewhere:?}");
}

#[test]
fn a_stream_ends_with_its_session() {
    let world = World::on(Backend::Sqlite).start();
    let person = world.person("petrova", &["--role", "operator"]);
    RUNTIME.block_on(async {
        let mut stream = listen(&person).await;
        stream.chunk().await.unwrap().unwrap();
        let folder = world.folder().to_path_buf();
        tokio::task::spawn_blocking(move || {
            crate::support::mezhved(&["account", "sessions", "petrova", "--end", "--config", folder.to_str().unwrap()])
                .done();
        })
        .await
        .unwrap();
        let ended = tokio::time::timeout(SOON, async { while stream.chunk().await.unwrap().is_some() {} });
        ended.await.expect("the stream ends");
    });
}

#[test]
fn a_page_of_one_node_hears_of_a_message_that_another_node_took() {
    let world = World::on(Backend::Postgres).start();
    let other = world.command().start();
    let person = world.person("petrova", &["--role", "operator"]);
    let register = world.agency("register");
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    let (signed, wire) = (register.sign(&request), world.wire_to(&other));
    let took = heard(&person, move || {
        RUNTIME.block_on(wire.post("/v1/messages", signed)).unwrap().receipt();
    });
    assert!(took < HEARD_MAX, "{took:?}");
    // A session of one node is one of the other.
    let mut there = person.clone();
    there.address = other.console().to_owned();
    assert_eq!(there.get("/").status, 200);
}
