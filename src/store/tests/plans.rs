//! What the watcher and the lists ask goes by an index to the end, on either engine, however many obligations are open.

use crate::domain::ObligationState;

use super::*;

on_both! {
    what_is_asked_most_costs_what_it_finds
}

/// Twenty thousand open obligations, two thousand overdue, two thousand met; a hundred come due at each of twenty minutes.
const FILL: &str = include_str!("../../../tests/fixtures/obligations-many.sql");

pub(super) async fn fill(bench: &Bench) {
    let values = [
        ("{open}", "20000".to_owned()),
        ("{base}", at(0).micros().to_string()),
        ("{rounds}", "10".to_owned()),
        ("{stretch}", "4000".to_owned()),
        ("{due}", "100".to_owned()),
        ("{explanation}", r#"{"steps":[]}"#.to_owned()),
        ("{separator}", "\u{1f}".to_owned()),
    ];
    bench.sql(&values.iter().fold(FILL.to_owned(), |sql, (name, value)| sql.replace(name, value))).await;
    if bench.schema.is_some() {
        // What PostgreSQL's own housekeeping does after so many rows.
        bench.sql("ANALYZE obligations").await;
    }
}

/// Whether a line of a plan reads all of a table or sorts what it has read.
fn reads_or_sorts_too_much(line: &str) -> bool {
    let sqlite_scan = line.starts_with("SCAN obligations") || line.starts_with("SCAN schedules");
    (sqlite_scan && !line.contains("USING"))
        || line.contains("TEMP B-TREE")
        || line.contains("Seq Scan on obligations")
        || line.contains("Bitmap Heap Scan on obligations")
        || line.contains("Sort Key: obligations")
}

async fn what_is_asked_most_costs_what_it_finds(bench: &Bench) {
    fill(bench).await;
    let plans = bench.store.query_plans(at(60)).await.unwrap();
    let whats: Vec<&str> = plans.iter().map(|plan| plan.what).collect();
    for what in ["what is due", "the next instant", "the first page of overdue ones", "marking", "a withdrawal"] {
        assert!(whats.contains(&what), "no plan of {what}: {whats:?}");
    }
    for plan in &plans {
        assert!(!plan.lines.is_empty(), "{plan:?}");
        // An empty table of schedules is read whole by PostgreSQL, and rightly so.
        let schedules = plan.what.contains("schedule") && bench.schema.is_some();
        let sorts = plan.lines.iter().any(|line| line.trim_start().trim_start_matches("->  ").starts_with("Sort"));
        assert!(schedules || !sorts, "a sort: {plan:#?}");
        assert!(!plan.lines.iter().any(|line| reads_or_sorts_too_much(line)), "{plan:#?}");
    }
    // Not by its rule, of which there are as many as there are requests.
    let withdrawal = plans.iter().find(|plan| plan.what == "a withdrawal").unwrap();
    assert!(withdrawal.lines.iter().any(|line| line.contains("obligations_by_record")), "{withdrawal:#?}");
    // And it finds what it must: two minutes' worth, the earlier first, no more than asked for.
    let due = bench.store.due(at(60), 150).await.unwrap();
    assert_eq!(due.len(), 150);
    assert!(due.is_sorted_by_key(|row| (row.next_at, row.id.to_string())));
    assert_eq!(bench.store.due(at(60), 1_000).await.unwrap().len(), 200);
    assert_eq!(bench.store.next_instant().await.unwrap(), Some(at(0)));
    let by_state = ObligationFilter { states: vec![ObligationState::Overdue], ..ObligationFilter::default() };
    let by_group = ObligationFilter { group: Some(ObligationGroup::Overdue), ..ObligationFilter::default() };
    let page = bench.store.list_obligations(&by_group, None, 100).await.unwrap();
    assert_eq!(page, bench.store.list_obligations(&by_state, None, 100).await.unwrap());
    assert_eq!(page.len(), 100);
}
