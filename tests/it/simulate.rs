//! `mezhved simulate` as an administrator meets it: the same report again, all regulations, and what cannot be simulated.

use serde_json::Value;

use crate::support::{Finished, PostgresDatabase, mezhved};

/// A quarter with a few cases.
fn quarter(regulation: &str, seed: &str, more: &[&str]) -> Finished {
    let time = ["--from", "2026-01-01", "--to", "2026-03-31", "--cases", "20"];
    mezhved(&[&["simulate", "--regulation", regulation, "--seed", seed][..], &time, more].concat())
}

/// The sum of a field over the entries of a table.
fn sum(table: &Value, field: &str) -> u64 {
    table.as_array().unwrap().iter().map(|entry| entry[field].as_u64().unwrap()).sum()
}

/// Figures that hold whatever was simulated.
fn check(figures: &Value) {
    assert_eq!(figures["broken"], Value::Array(vec![]), "{figures:#}");
    let sent = sum(&figures["messages"], "sent");
    assert!(sent > 100 && sent == sum(&figures["messages"], "accepted"), "{figures:#}");
    let opened = sum(&figures["rules"], "opened");
    assert!(opened > 20, "{figures:#}");
    assert_eq!(opened, figures["total"]["opened"].as_u64().unwrap(), "{figures:#}");
    assert_eq!(opened, sum(&figures["participants"], "owed"), "{figures:#}");
    for rule in figures["rules"].as_array().unwrap() {
        let states: u64 = rule["states"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(rule["opened"].as_u64().unwrap(), states, "{rule:#}");
        assert!(rule["off"] == false || states == 0, "{rule:#}");
    }
    let delays: Vec<i64> =
        figures["worst"].as_array().unwrap().iter().map(|d| d["minutes"].as_i64().unwrap()).collect();
    assert!(delays.is_sorted_by(|a, b| a >= b), "{delays:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let first = quarter("yugra", "7", &[]).done();
    assert_eq!(first.stderr, "", "{first}");
    assert_eq!(first.stdout, quarter("yugra", "7", &[]).done().stdout);
    assert_ne!(first.stdout, quarter("yugra", "8", &[]).done().stdout);
    for said in ["Обязательства по правилам и состояниям", "the worst delays", "соблюдены / hold"]
    {
        assert!(first.stdout.contains(said), "{first}");
    }
}

#[test]
fn every_regulation_lives_through_a_quarter_and_twice_alike() {
    for regulation in ["yugra", "model", "smolensk"] {
        let first = quarter(regulation, "3", &["--json"]).done();
        assert_eq!(
            first.stdout,
            quarter(regulation, "3", &["--json"]).done().stdout,
            "{regulation}: not the same bytes"
        );
        let figures = first.json();
        assert_eq!(figures["regulation"], regulation);
        check(&figures);
    }
}

#[test]
fn on_postgres_the_figures_are_those_of_sqlite() {
    let database = PostgresDatabase::create();
    let figures = quarter("yugra", "7", &["--json", "--database", database.url()]).done();
    assert_eq!(figures.stdout, quarter("yugra", "7", &["--json"]).done().stdout);
    let again = quarter("yugra", "7", &["--database", database.url()]);
    assert_eq!(again.status, Some(1), "{again}");
    assert!(again.stderr.contains("не пуста") && again.stderr.contains("is not empty"), "{again}");
}

/// What is kept is a configuration folder with its database: the other commands look into it.
#[test]
fn a_kept_region_can_be_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let region = folder.path().join("region");
    let kept = region.to_str().unwrap();
    let figures = quarter("model", "5", &["--json", "--keep", kept]).done().json();
    let overdue = mezhved(&["deadline", "list", "--state", "overdue", "--json", "--config", kept]).done();
    let undone = figures["total"]["kept"]["undone"].as_u64().unwrap();
    assert_eq!(overdue.stdout.matches("\"state\"").count() as u64, undone, "{overdue}");
    mezhved(&["journal", "verify", "--config", kept]).done();
    let again = quarter("model", "5", &["--keep", kept]);
    assert!(again.status == Some(1) && again.stderr.contains("не пуста"), "{again}");
}

#[test]
fn what_cannot_be_simulated_is_told_with_the_way_out() {
    let table: [(&[&str], &[&str]); 6] = [
        (
            &["--regulation", "yamal", "--from", "2026-01-01", "--to", "2026-01-31"],
            &["yamal", "smolensk", "yugra", "there is no"],
        ),
        (
            &["--regulation", "yugra", "--from", "2026-02-01", "--to", "2026-01-31"],
            &["раньше", "2026-01-31", "lies before"],
        ),
        (&["--regulation", "yugra", "--from", "2031-01-01", "--to", "2031-12-31"], &["2031", "has no data", "add"]),
        (&["--regulation", "yugra", "--from", "2026-01-01", "--to", "2091-12-31"], &["2091", "has no data", "add"]),
        (
            &["--regulation", "smolensk", "--from", "2024-01-01", "--to", "2024-12-31"],
            &["2024-11-29", "in force from", "begin no earlier"],
        ),
        (&["--regulation", "yugra", "--from", "2026-01-01", "--to", "2026-31-12"], &["--to"]),
    ];
    for (arguments, says) in table {
        let finished = mezhved(&[&["simulate"], arguments].concat());
        assert!(matches!(finished.status, Some(1 | 2)), "{finished}");
        for word in says {
            assert!(finished.stderr.contains(word), "{word}: {finished}");
        }
        assert_eq!(finished.stdout, "", "{finished}");
    }
}
