//! What reports count, on both engines, against rows that were written by hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Scope;
use crate::domain::{ObligationState, Oktmo};
use crate::report::{Due, Span};

use super::super::reporting::{due, exchange, late, opened};
use super::*;

on_both! {
    terms_are_counted_in_the_period_in_which_they_end
    a_part_of_the_exchange_is_counted_alone
    messages_and_cases_are_counted
    a_register_has_the_bodies_and_the_cases_of_its_period
    what_is_counted_is_read_out_of_indexes
}

const HOUR: i64 = 3_600;

fn yugra() -> ReportFilter {
    ReportFilter { regulation: "yugra".to_owned(), ..ReportFilter::default() }
}

fn in_territory(code: &str) -> Scope {
    Scope { territories: BTreeSet::from([Oktmo::parse(code).unwrap()]), ..Scope::whole() }
}

fn of_participant(id: &str) -> Scope {
    Scope { participants: BTreeSet::from([who(id)]), ..Scope::whole() }
}

/// From 10 to 20 hours.
fn period() -> Instants {
    (at(10 * HOUR), at(20 * HOUR))
}

/// Writes an obligation: its number, debtor, due hour (0: no term), state, how it was settled and when (hour), opened at an hour, case.
type Row<'r> = (u64, &'r str, i64, &'r str, Option<(&'r str, i64)>, i64, Option<u64>);

async fn put(bench: &Bench, (n, debtor, due, state, settled, opened, case): Row<'_>) {
    let (id, due_at) = (uuid(n), at(due * HOUR).micros());
    let (due_at, sort) = if due == 0 { ("NULL".to_owned(), i64::MAX) } else { (due_at.to_string(), due_at) };
    let (kind, when) = match settled {
        Some((kind, hour)) => (format!("'{kind}'"), at(hour * HOUR).micros().to_string()),
        None => ("NULL".to_owned(), "NULL".to_owned()),
    };
    let case = case.map_or("NULL".to_owned(), |c| format!("'{}'", uuid(c)));
    let extended = if n % 10 == 7 { due_at.clone() } else { "NULL".to_owned() };
    let sql = format!(
        "INSERT INTO obligations (id, obligation_key, regulation, rule, subject, period, case_id, debtor, creditor, state, phase, due_at, \
         sort_due, warns, term, opened_at, revision, settled_at, settle_kind, counted_due) VALUES ('{id}', 'k{n}', 'yugra', \
         'document-answer', 's', '', {case}, '{debtor}', 'register', '{state}', 3, {due_at}, {sort}, '[]', '5 working days', {}, 1, {when}, \
         {kind}, {extended})",
        at(opened * HOUR).micros()
    );
    bench.sql(&sql).await;
}

async fn history(bench: &Bench) {
    for row in [
        // Ends with the last second before the period: not of it.
        (1, "health", 10, "met", Some(("message", 9)), 1, None),
        (2, "health", 11, "met", Some(("message", 9)), 1, Some(901)),
        (3, "health", 12, "met", Some(("outside", 12)), 11, Some(902)),
        (4, "health", 13, "met-late", Some(("message", 30)), 11, Some(901)),
        (5, "police", 14, "overdue", None, 11, Some(902)),
        (6, "police", 15, "waived", Some(("waiver", 14)), 1, None),
        (7, "police", 16, "cancelled", Some(("cancellation", 14)), 1, None),
        // Ends with the period's last second: of it.
        (8, "police", 20, "warned", None, 19, None),
        (9, "police", 21, "open", None, 20, None),
        // A task.
        (10, "health", 0, "open", None, 12, None),
    ] {
        put(bench, row).await;
    }
    let other = format!("UPDATE obligations SET regulation = 'model' WHERE id = '{}'", uuid(9_999));
    bench.sql(&other).await;
}

fn states(span: &Span) -> BTreeMap<(String, &'static str), u64> {
    let mut states = BTreeMap::new();
    for Due { debtor, state, count, .. } in &span.due {
        *states.entry((debtor.to_string(), state.as_str())).or_default() += count;
    }
    states
}

async fn terms_are_counted_in_the_period_in_which_they_end(bench: &Bench) {
    history(bench).await;
    let span = bench.store.report_span(&yugra(), period()).await.unwrap();
    let of = |debtor: &str, state: ObligationState| (debtor.to_owned(), state.as_str());
    use ObligationState::{Cancelled, Met, MetLate, Overdue, Waived, Warned};
    let wanted = BTreeMap::from([
        (of("health", Met), 2),
        (of("health", MetLate), 1),
        (of("police", Overdue), 1),
        (of("police", Waived), 1),
        (of("police", Cancelled), 1),
        (of("police", Warned), 1),
    ]);
    assert_eq!(states(&span), wanted);
    let extended: Vec<&Due> = span.due.iter().filter(|due| due.extended).collect();
    assert!(extended.len() == 1 && extended[0].state == Cancelled && extended[0].count == 1, "{extended:?}");
    let outside: u64 =
        span.due.iter().filter(|d| d.settled_by == Some(crate::domain::SettleKind::Outside)).map(|d| d.count).sum();
    assert_eq!(outside, 1);
    let mut late: Vec<_> = span.late.iter().map(|l| (l.debtor.as_str(), l.due_at, l.settled_at)).collect();
    late.sort_unstable();
    assert_eq!(late, [("health", at(13 * HOUR), Some(at(30 * HOUR))), ("police", at(14 * HOUR), None)]);
    let mut opened: Vec<_> = span.opened.iter().map(|o| (o.debtor.as_str(), o.count)).collect();
    opened.sort_unstable();
    assert_eq!(opened, [("health", 3), ("police", 2)]);
    let other = ReportFilter { regulation: "model".to_owned(), ..ReportFilter::default() };
    assert_eq!(bench.store.report_span(&other, period()).await.unwrap(), Span::default());
}

async fn case(bench: &Bench, n: u64, territory: &str, opened: i64, closed: Option<i64>, facts: &str) {
    let closed = closed.map_or("NULL".to_owned(), |hour| at(hour * HOUR).micros().to_string());
    bench
        .sql(&format!(
            "INSERT INTO cases (id, regulation, territory, kind, opened_at, version, facts, level, closed_at) VALUES ('{}', 'yugra', \
             '{territory}', 'group', {}, 1, '{facts}', 'basic', {closed})",
            uuid(n),
            at(opened * HOUR).micros()
        ))
        .await;
}

async fn a_part_of_the_exchange_is_counted_alone(bench: &Bench) {
    history(bench).await;
    case(bench, 901, "71876000", 1, None, "{}").await;
    case(bench, 902, "71877000", 1, None, "{}").await;
    let territory = |code: &str| ReportFilter { within: in_territory(code), ..yugra() };
    let party = |id: &str| ReportFilter { within: of_participant(id), ..yugra() };
    let both = Scope { participants: BTreeSet::from([who("health")]), ..in_territory("71877000") };
    let both = ReportFilter { within: both, ..yugra() };
    for (filter, due, opened) in [
        (yugra(), 7, 5),
        (ReportFilter { debtor: Some(who("police")), ..yugra() }, 4, 2),
        (ReportFilter { rule: RuleId::parse("progress-report").ok(), ..yugra() }, 0, 0),
        (party("police"), 4, 2),
        (party("register"), 7, 5),
        (party("education"), 0, 0),
        (territory("71876"), 2, 1),
        (territory("71"), 4, 3),
        (both, 1, 1),
    ] {
        let span = bench.store.report_span(&filter, period()).await.unwrap();
        let found = (span.due.iter().map(|d| d.count).sum::<u64>(), span.opened.iter().map(|o| o.count).sum::<u64>());
        assert_eq!(found, (due, opened), "{filter:?}");
    }
}

async fn told(bench: &Bench, n: u64, type_name: &str, hour: i64, change: impl FnOnce(&mut NewMessage)) {
    let mut sent = message(n);
    sent.header.message_type = MessageType::new(type_name, 1).unwrap();
    (sent.accepted_at, sent.business_at) = (at(hour * HOUR), at(hour * HOUR));
    change(&mut sent);
    bench.store.accept(accept(sent)).await.unwrap();
}

async fn messages_and_cases_are_counted(bench: &Bench) {
    let of_case = |n: u64| move |m: &mut NewMessage| m.header.case_id = Some(crate::domain::CaseId::from_uuid(uuid(n)));
    told(bench, 1, "application", 9, |_| ()).await;
    told(bench, 2, "application", 10, |_| ()).await;
    told(bench, 3, "application", 11, |m| m.header.test = true).await;
    told(bench, 4, "application", 19, |m| m.channel = Channel::Plain).await;
    told(bench, 5, "application", 20, |_| ()).await;
    told(bench, 6, "delivery-notice", 12, |m| m.channel = Channel::Internal).await;
    told(bench, 7, "level-change", 12, of_case(901)).await;
    told(bench, 8, "level-change", 13, of_case(901)).await;
    let mut found = bench.store.report_exchange(&yugra(), period()).await.unwrap();
    found.sort_by(|a, b| a.type_name.cmp(&b.type_name));
    let found: Vec<_> = found.iter().map(|e| (e.type_name.as_str(), e.sender.as_str(), e.count)).collect();
    assert_eq!(found, [("application", "register", 2), ("level-change", "register", 2)]);
    let police = ReportFilter { within: of_participant("police"), ..yugra() };
    assert_eq!(bench.store.report_exchange(&police, period()).await.unwrap(), []);
    let facts = |begins: &str| {
        format!(
            r#"{{"begins_on":"{begins}","programme":{{"measures":[{{"responsible":"police"}},{{"responsible":null}}]}}}}"#
        )
    };
    // The period's days are 6 and 7 May for what has only a day.
    case(bench, 901, "71876000", 1, None, &facts("2026-05-01")).await;
    case(bench, 902, "71876000", 12, Some(15), &facts("2026-05-06")).await;
    case(bench, 903, "71877000", 12, Some(25), &facts("2026-05-07")).await;
    case(bench, 904, "71877000", 1, Some(9), &facts("2026-05-01")).await;
    case(bench, 905, "71877000", 13, None, "{}").await;
    case(bench, 906, "71877000", 1, None, &facts("2026-05-08")).await;
    case(bench, 907, "71877000", 20, None, "{}").await;
    let days = ("2026-05-06".parse().unwrap(), "2026-05-07".parse().unwrap());
    let count = bench.store.report_cases(&yugra(), period(), days).await.unwrap();
    assert_eq!((count.opened, count.closed, count.open_after), (3, 1, 4));
    assert_eq!((count.begun, count.ended, count.accompanied, count.level_changes), (2, 1, 3, 1));
    assert_eq!(count.levels, BTreeMap::from([("basic".to_owned(), 2)]));
    assert_eq!(count.responsible, BTreeSet::from([who("police")]));
    let part = ReportFilter { within: in_territory("71876000"), ..yugra() };
    let count = bench.store.report_cases(&part, period(), days).await.unwrap();
    assert_eq!((count.opened, count.accompanied, count.level_changes), (1, 2, 1));
}

async fn a_register_has_the_bodies_and_the_cases_of_its_period(bench: &Bench) {
    case(bench, 901, "71876000", 1, None, r#"{"curator":"c-17"}"#).await;
    let of_case = |m: &mut NewMessage| m.header.case_id = Some(crate::domain::CaseId::from_uuid(uuid(901)));
    told(bench, 1, "application", 9, |_| ()).await;
    told(bench, 2, "identification-notice", 14, |m| m.canonical = Some(b"<canonical/>".to_vec())).await;
    told(bench, 3, "application", 12, of_case).await;
    told(bench, 4, "note", 12, of_case).await;
    bench.sql(&format!("DELETE FROM contents WHERE record_id = '{}'", record(3))).await;
    let rows = bench.store.report_register(&yugra(), period(), 10).await.unwrap();
    let types: Vec<_> = rows.iter().map(|row| row.entry.type_name.as_str()).collect();
    assert_eq!(types, ["application", "identification-notice"], "the earliest first");
    assert!(rows[0].envelope.is_none() && rows[0].entry.body.is_none(), "destroyed");
    assert_eq!(rows[0].entry.facts.as_ref().unwrap().curator.as_deref(), Some("c-17"));
    assert_eq!(rows[1].entry.body.as_deref(), Some(&b"<canonical/>"[..]));
    assert_eq!(rows[1].envelope.as_deref(), Some(&b"<bytes 2/>"[..]));
    assert_eq!(bench.store.report_register(&yugra(), period(), 1).await.unwrap().len(), 1);
    let police = ReportFilter { within: of_participant("police"), ..yugra() };
    assert!(bench.store.report_register(&police, period(), 10).await.unwrap().is_empty());
}

async fn what_is_counted_is_read_out_of_indexes(bench: &Bench) {
    super::plans::fill(bench).await;
    if bench.schema.is_some() {
        // Without the map of what all see, PostgreSQL reads the table beside the index.
        bench.sql("VACUUM ANALYZE obligations").await;
        bench.sql("ANALYZE messages").await;
    }
    let (filter, hour) = (yugra(), (at(0), at(HOUR)));
    for (what, select, index) in [
        ("terms", due(&filter, hour), "obligations_for_reports"),
        ("late ones", late(&filter, hour), "obligations_for_reports"),
        ("opened", opened(&filter, hour), "obligations_by_opening"),
        ("messages", exchange(&filter, hour), "messages_for_reports"),
    ] {
        let lines = select.explain(bench.store.inner.engine, bench.store.readers()).await.unwrap();
        let plan = lines.join("\n");
        let covered = ["COVERING INDEX", "Index Only Scan"].iter().any(|word| plan.contains(word));
        // An empty table of messages is read by PostgreSQL as it likes.
        let empty = what == "messages" && bench.schema.is_some();
        assert!(empty || (covered && plan.contains(index)), "{what}: {plan}");
    }
}
