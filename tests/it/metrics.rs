//! `/metrics`: what an alert or a panel asks for is there under that name, counts what happened, and holds nothing of a body.

use std::collections::BTreeSet;

use crate::support::eventually;
use crate::world::{Backend, Behaviour, RUNTIME, SOON, World, bodies};

fn scraped(address: &str) -> String {
    let answer = RUNTIME.block_on(async { reqwest::get(format!("{address}/metrics")).await.unwrap() });
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    RUNTIME.block_on(answer.text()).unwrap()
}

/// The value of the one sample that begins so.
fn value(text: &str, sample: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(sample))?;
    rest.trim().parse().ok()
}

/// A world where something was delivered, something is parked, something lies in a mailbox, something is owed and something was refused.
fn busy(backend: Backend) -> World {
    let world =
        World::on(backend).setting("delivery.attempts_max = 1").setting("metrics.listen = \"127.0.0.1:0\"").start();
    let register = world.agency("register");
    world.partner("guardianship").behave(Behaviour::Status(500));
    for (to, document, state) in [
        ("health", "medical-conclusion", "delivered"),
        ("guardianship", "guardianship-act", "parked"),
        ("education", "study-certificate", "sent"),
    ] {
        let request = register.draft(to, "document-request", bodies::request(document));
        world.post(register.sign(&request)).receipt();
        world.until(request.header.message_id, state);
    }
    let again = register.sign(&register.draft("health", "document-request", bodies::request("medical-conclusion")));
    world.post(again.clone()).receipt();
    world.post(again).receipt();
    let wrong = register.sign(&register.draft("health", "no-such-type", bodies::request("medical-conclusion")));
    assert_eq!(world.post(wrong).fault().code, "type-unknown");
    world
}

fn counted(backend: Backend) {
    let world = busy(backend);
    let text = eventually("the counts of this moment", SOON, || {
        let text = scraped(world.gateway().metrics());
        (value(&text, "mezhved_queue_depth{participant=\"education\",state=\"sent\"}") == Some(1.0)).then_some(text)
    });
    for (sample, wanted) in [
        ("mezhved_messages_accepted_total{channel=\"http\",sender=\"register\"}", 4.0),
        ("mezhved_messages_repeated_total{channel=\"http\"}", 1.0),
        ("mezhved_messages_refused_total{channel=\"http\",code=\"type-unknown\"}", 1.0),
        ("mezhved_queue_depth{participant=\"guardianship\",state=\"parked\"}", 1.0),
        ("mezhved_delivery_attempts_total{recipient=\"guardianship\",state=\"parked\"}", 1.0),
        ("mezhved_queue_state{participant=\"guardianship\",state=\"running\"}", 1.0),
        ("mezhved_breaker_state{participant=\"guardianship\",state=\"open\"}", 0.0),
        ("mezhved_breaker_state{participant=\"health\",state=\"closed\"}", 1.0),
        ("mezhved_ready", 1.0),
        ("mezhved_watcher_lag_seconds", 0.0),
        ("mezhved_participants_revision", 1.0),
    ] {
        assert_eq!(value(&text, sample), Some(wanted), "{sample}\n{text}");
    }
    assert!(value(&text, "mezhved_answer_duration_seconds_count{channel=\"http\"}").unwrap() >= 6.0, "{text}");
    assert!(value(&text, "mezhved_delivery_duration_seconds_count{recipient=\"health\"}").unwrap() >= 1.0, "{text}");
    assert!(value(&text, "mezhved_certificate_days_left{participant=\"health\"}").unwrap() > 1.0, "{text}");
    assert!(value(&text, "process_resident_memory_bytes").unwrap() > 1e6, "{text}");
    assert!(text.contains("mezhved_obligations{regulation=\"yugra\",state=\"open\"}"), "{text}");
    assert!(text.contains("mezhved_job_held{job=\"watcher\"} 1"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let personal = bodies::PERSONAL.iter().find(|personal| text.contains(**personal));
    assert_eq!(personal, None);
    // The same on the operators' address, and not where agencies connect.
    assert!(scraped(world.gateway().console()).contains("mezhved_build_info"));
    let agencies = format!("{}/metrics", world.gateway().agencies());
    assert_eq!(RUNTIME.block_on(async { reqwest::get(agencies).await.unwrap().status() }), 404);
}

#[test]
fn what_happened_is_counted_on_sqlite() {
    counted(Backend::Sqlite);
}

#[test]
fn what_happened_is_counted_on_postgres() {
    counted(Backend::Postgres);
}

/// The names of our metrics in a text, with what histograms and counters add to them.
fn names(text: &str) -> BTreeSet<String> {
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let own = |w: &&str| w.starts_with("mezhved_") || w.starts_with("process_");
    text.split(word).filter(own).map(str::to_owned).collect()
}

#[test]
fn alerts_panels_and_docs_ask_for_what_is_there() {
    let world = busy(Backend::Sqlite);
    let there = names(&scraped(world.gateway().metrics()));
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in [
        "docker/prometheus/alerts.yml",
        "docker/grafana/mezhved.json",
        "docs/monitoring.en.md",
        "docs/monitoring.ru.md",
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let asked = names(&text);
        assert!(asked.len() > 8, "{file}: {asked:?}");
        let missing: Vec<&String> =
            asked.difference(&there).filter(|name| *name != "mezhved_broker_connected").collect();
        assert!(missing.is_empty(), "{file}: {missing:?} are not among {there:?}");
    }
    let dashboard = std::fs::read_to_string(root.join("docker/grafana/mezhved.json")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&dashboard).is_ok());
    // Each metric is on the page, in both languages.
    let families = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter_map(|l| l.strip_prefix("# TYPE "))
            .filter_map(|l| l.split(' ').next())
            .map(str::to_owned)
            .collect()
    };
    for family in families(&scraped(world.gateway().metrics())) {
        for file in ["docs/monitoring.en.md", "docs/monitoring.ru.md"] {
            let text = std::fs::read_to_string(root.join(file)).unwrap();
            assert!(text.contains(&format!("`{family}")), "{file} does not tell of {family}");
        }
    }
}

#[test]
fn an_open_address_for_metrics_must_be_wanted() {
    let world = World::on(Backend::Sqlite).setting("metrics.listen = \"0.0.0.0:0\"").prepare();
    let refused = world.mezhved(&["config", "check"]);
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.contains("metrics.listen") && refused.stderr.contains("insecure = true"), "{refused}");
}
