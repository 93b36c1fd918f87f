//! Two versions on one database: what migrations may do, and a node that meets a schema of tomorrow.

use super::*;
use crate::domain::TraceContext;
use crate::store::connect::MIGRATIONS;

on_both! {
    a_node_starts_on_a_schema_that_is_newer_than_itself
    a_trace_is_kept_with_its_message
}

async fn a_node_starts_on_a_schema_that_is_newer_than_itself(bench: &Bench) {
    let bytes = if bench.schema.is_none() { "x'00'" } else { r"'\x00'::bytea" };
    bench
        .sql(&format!(
            "ALTER TABLE messages ADD COLUMN of_tomorrow TEXT; INSERT INTO _sqlx_migrations \
             (version, description, success, checksum, execution_time) VALUES (999999, 'of tomorrow', TRUE, {bytes}, 0)"
        ))
        .await;
    // The node that runs goes on, and another one of its version comes.
    assert_eq!(bench.store.accept(accept(message(1))).await, Ok(Accepted::Recorded));
    let other = bench.node().await;
    assert_eq!(other.accept(accept(message(2))).await, Ok(Accepted::Recorded));
    assert!(other.message(record(1)).await.unwrap().is_some());
    other.close().await;
}

async fn a_trace_is_kept_with_its_message(bench: &Bench) {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = TraceContext::parse(parent, Some("congo=t61rcWkgMzE"));
    let own = NewMessage { trace: trace.clone(), ..message(1) };
    bench.store.accept(accept(own)).await.unwrap();
    bench.store.accept(accept(message(2))).await.unwrap();
    assert_eq!(bench.store.message(record(1)).await.unwrap().unwrap().trace, trace);
    assert_eq!(bench.store.message(record(2)).await.unwrap().unwrap().trace, None);
    // Nothing fails for what stands there.
    bench.sql("UPDATE messages SET trace = 'no trace'").await;
    assert_eq!(bench.store.message(record(1)).await.unwrap().unwrap().trace, None);
}

/// What of a migration the version before it could not live with: the statements that do more than add.
fn more_than_adds(sql: &str) -> Vec<String> {
    let text: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let statements = text.join(" ").to_uppercase();
    let statements = statements.split(';').map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    let adds = |one: &str| {
        let column = one.starts_with("ALTER TABLE ") && one.contains(" ADD COLUMN ");
        let starts = ["CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX ", "DROP INDEX ", "INSERT INTO "];
        starts.iter().any(|start| one.starts_with(start))
            || column && (!one.contains("NOT NULL") || one.contains("DEFAULT"))
    };
    statements.filter(|one| !one.is_empty() && !adds(one)).collect()
}

#[test]
fn migrations_only_add() {
    for (number, name, sql) in MIGRATIONS {
        assert_eq!(
            more_than_adds(sql),
            Vec::<String>::new(),
            "migration {number} ({name}): docs/deployment.en.md has the rule"
        );
    }
    let numbers: Vec<i64> = MIGRATIONS.iter().map(|(number, _, _)| *number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    for wrong in [
        "ALTER TABLE messages DROP COLUMN trace;",
        "ALTER TABLE messages RENAME COLUMN trace TO context;",
        "ALTER TABLE messages ADD COLUMN trace TEXT NOT NULL;",
        "CREATE TABLE more (id BIGINT);\nDROP TABLE messages;",
        "UPDATE messages SET channel = 'wire'",
    ] {
        assert_eq!(more_than_adds(wrong).len(), 1, "{wrong}");
    }
}
