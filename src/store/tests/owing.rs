//! Owing: opening and settling commute, the watcher marks once.

use crate::domain::{ObligationState, SettleKind};

use super::*;

on_both! {
    opening_and_settling_commute
    two_nodes_that_open_and_settle_at_once_end_met
    only_the_debtor_settles
    a_second_of_a_key_is_not_opened
    what_is_handed_over_starts_what_is_pending
    the_watcher_marks_once
    a_mark_first_looks_for_a_settlement_that_was_missed
    the_next_instant_is_the_earliest
    listings_group_and_page
}

pub(super) async fn obligation(bench: &Bench, n: u64) -> ObligationRow {
    bench.store.obligation(owed(n, 0).id).await.unwrap().unwrap()
}

fn with(n: u64, obligations: Vec<NewObligation>, settlements: Vec<NewSettlement>) -> Accept {
    let mut quiet = message(n);
    quiet.deliveries.clear();
    Accept { obligations, settlements, ..accept(quiet) }
}

async fn opening_and_settling_commute(bench: &Bench) {
    // Every order of opening (due at 100) and two settlements, all in one message, or each in its own.
    let steps = |n: u64, settled: [i64; 2]| {
        let message = |k: u64| 1_000 + 10 * n + k;
        [
            with(message(0), vec![owed(n, 100)], vec![]),
            with(message(1), vec![], vec![settlement(n, settled[0], message(1))]),
            with(message(2), vec![], vec![settlement(n, settled[1], message(2))]),
        ]
    };
    let orders: [&[usize]; 6] = [&[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]];
    let mut n = 0;
    for (settled, state) in
        [([50, 60], ObligationState::Met), ([150, 99], ObligationState::Met), ([100, 200], ObligationState::MetLate)]
    {
        for order in orders {
            n += 1;
            let all = steps(n, settled);
            for step in order {
                assert_eq!(bench.store.accept(all[*step].clone()).await, Ok(Accepted::Recorded));
            }
            let row = obligation(bench, n).await;
            let earliest = *settled.iter().min().unwrap();
            assert_eq!((row.state, row.settled_at), (state, Some(at(earliest))), "{settled:?} {order:?}");
            assert_eq!((row.next_at, row.settle_kind), (None, Some(SettleKind::Message)));
        }
    }
    let at_once = with(9_000, vec![owed(900, 100)], vec![settlement(900, 5, 9_000)]);
    bench.store.accept(at_once).await.unwrap();
    assert_eq!(obligation(bench, 900).await.state, ObligationState::Met, "opened and closed at once");
}

async fn two_nodes_that_open_and_settle_at_once_end_met(bench: &Bench) {
    let other = bench.node().await;
    let mut asked = Vec::new();
    for n in 0..60 {
        let opens = with(2 * n, vec![owed(n, 100)], vec![]);
        let settles = with(2 * n + 1, vec![], vec![settlement(n, 50, 2 * n + 1)]);
        let (first, second) = if n % 2 == 0 { (&bench.store, &other) } else { (&other, &bench.store) };
        asked.push(first.accept(opens));
        asked.push(second.accept(settles));
    }
    assert!(futures_util::future::join_all(asked).await.iter().all(|a| *a == Ok(Accepted::Recorded)));
    // What two transactions did not see of each other the watcher finds before it marks.
    let due = bench.store.due(at(1_000), 100).await.unwrap();
    let marks = due.iter().map(|row| mark(row, ObligationState::Overdue, 1_000)).collect();
    assert_eq!(bench.store.mark(marks).await.unwrap(), []);
    for n in 0..60 {
        assert_eq!(obligation(bench, n).await.state, ObligationState::Met, "{n}");
    }
    other.close().await;
}

async fn only_the_debtor_settles(bench: &Bench) {
    bench.store.accept(with(1, vec![owed(1, 100)], vec![])).await.unwrap();
    let police = NewSettlement { debtor: who("police"), ..settlement(1, 5, 2) };
    bench.store.accept(with(2, vec![], vec![police])).await.unwrap();
    assert_eq!(obligation(bench, 1).await.state, ObligationState::Open);
    bench.store.accept(with(3, vec![], vec![settlement(1, 6, 3)])).await.unwrap();
    let row = obligation(bench, 1).await;
    assert_eq!((row.state, row.settled_record), (ObligationState::Met, Some(record(3))));
}

async fn a_second_of_a_key_is_not_opened(bench: &Bench) {
    let same = || NewObligation { id: ObligationId::from_uuid(uuid(50)), ..owed(1, 300) };
    let other_month =
        NewObligation { id: ObligationId::from_uuid(uuid(51)), period: "2026-06".to_owned(), ..owed(1, 300) };
    let opened = bench.store.open_obligations(vec![owed(1, 100), same()], at(0)).await.unwrap();
    assert_eq!(opened, [owed(1, 100).id]);
    let opened = bench.store.open_obligations(vec![same(), other_month.clone()], at(1)).await.unwrap();
    assert_eq!(opened, [other_month.id]);
    assert_eq!(obligation(bench, 1).await.due_at, Some(at(100)));
    // A settlement that came first settles what is opened later, without any message.
    let early = NewSettlement { period: "2026-07".to_owned(), ..settlement(1, 40, 9) };
    bench.store.accept(with(9, vec![], vec![early])).await.unwrap();
    let july = NewObligation { id: ObligationId::from_uuid(uuid(52)), period: "2026-07".to_owned(), ..owed(1, 300) };
    bench.store.open_obligations(vec![july.clone()], at(2)).await.unwrap();
    assert_eq!(bench.store.obligation(july.id).await.unwrap().unwrap().state, ObligationState::Met);
}

async fn what_is_handed_over_starts_what_is_pending(bench: &Bench) {
    let plan = r#"{"rule":"document-response"}"#.to_owned();
    let pending = |n| NewObligation { start: ObligationStart::Pending { plan: plan.clone() }, ..owed(n, 0) };
    for n in 1..=3 {
        bench.store.accept(Accept { obligations: vec![pending(n)], ..accept(message(n)) }).await.unwrap();
    }
    let waiting = bench.store.pending_obligations(record(1)).await.unwrap();
    assert_eq!((waiting.len(), &waiting[0].plan), (1, &plan));
    let taken = bench.store.claim(claim("a", 0, 10)).await.unwrap();
    let start = |n, due| vec![StartedObligation { id: owed(n, 0).id, running: running(due) }];
    // 1 is handed over; 2 is answered before that is known; 3 is settled under a stale epoch.
    assert!(bench.store.settle(Settle { started: start(1, 100), ..settle(&taken[0], 1, sent(1)) }).await.unwrap());
    bench.store.accept(with(20, vec![], vec![settlement(2, 5, 20)])).await.unwrap();
    assert!(bench.store.settle(Settle { started: start(2, 100), ..settle(&taken[1], 6, sent(6)) }).await.unwrap());
    let stale = Settle { epoch: 0, started: start(3, 100), ..settle(&taken[2], 6, sent(6)) };
    assert!(!bench.store.settle(stale).await.unwrap());

    let row = obligation(bench, 1).await;
    assert_eq!((row.state, row.due_at, row.next_at), (ObligationState::Open, Some(at(100)), Some(at(90))));
    assert_eq!((obligation(bench, 2).await.state, obligation(bench, 2).await.due_at), (ObligationState::Met, None));
    assert_eq!(obligation(bench, 3).await.state, ObligationState::Pending);
    assert!(bench.store.pending_obligations(record(1)).await.unwrap().is_empty());
    // A receipt starts what a lost settle did not.
    let answered = Answered {
        delivery_id: delivery(3),
        participant: who("health"),
        at: at(9),
        outcome: AnsweredOutcome::Delivered,
        bytes: vec![],
        started: start(3, 200),
        made: vec![],
        journal: vec![],
    };
    bench.store.answer(answered).await.unwrap();
    assert_eq!(obligation(bench, 3).await.due_at, Some(at(200)));
}

pub(super) fn mark(row: &ObligationRow, state: ObligationState, seconds: i64) -> Mark {
    Mark {
        id: row.id,
        expected_next_at: row.next_at.unwrap(),
        state,
        next_at: if state == ObligationState::Overdue { None } else { row.due_at },
        at: at(seconds),
        now: at(seconds),
        stays: false,
        made: vec![],
        notifications: vec![],
        journal: vec![],
    }
}

async fn the_watcher_marks_once(bench: &Bench) {
    bench.store.open_obligations((1..=3).map(|n| owed(n, 100 * n as i64)).collect(), at(0)).await.unwrap();
    let due = bench.store.due(at(100), 10).await.unwrap();
    assert_eq!(due.iter().map(|r| r.id).collect::<Vec<_>>(), [owed(1, 0).id]);
    let other = bench.node().await;
    let warn = Mark { made: vec![message_to(50, "register")], ..mark(&due[0], ObligationState::Warned, 100) };
    let warn_too = Mark { made: vec![message_to(51, "register")], ..mark(&due[0], ObligationState::Warned, 100) };
    let (a, b) = tokio::join!(bench.store.mark(vec![warn]), other.mark(vec![warn_too]));
    assert_eq!(a.unwrap().len() + b.unwrap().len(), 1);
    assert_eq!(bench.number("SELECT COUNT(*) FROM messages").await, 1, "one notice");
    let row = obligation(bench, 1).await;
    assert_eq!((row.state, row.warned_at, row.next_at), (ObligationState::Warned, Some(at(100)), Some(at(100))));

    let overdue = mark(&row, ObligationState::Overdue, 101);
    assert_eq!(bench.store.mark(vec![overdue.clone(), overdue.clone()]).await.unwrap().len(), 1);
    assert_eq!(bench.store.mark(vec![overdue]).await.unwrap(), []);
    let row = obligation(bench, 1).await;
    assert_eq!((row.state, row.overdue_at, row.next_at), (ObligationState::Overdue, Some(at(101)), None));
    // Late, but met.
    bench.store.accept(with(9, vec![], vec![settlement(1, 100, 9)])).await.unwrap();
    assert_eq!(obligation(bench, 1).await.state, ObligationState::MetLate);
    let kinds: Vec<_> = bench.store.list_journal(None, 99).await.unwrap().into_iter().map(|r| r.entry.kind).collect();
    for kind in ["obligation-warned", "obligation-overdue", "obligation-met-late"] {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), 1, "{kind}");
    }
    other.close().await;
}

async fn a_mark_first_looks_for_a_settlement_that_was_missed(bench: &Bench) {
    bench.store.open_obligations(vec![owed(1, 100)], at(0)).await.unwrap();
    // As if two nodes had missed each other: the settlement is there, the obligation does not know.
    let key = "'yugra' || chr(31) || 'document-response' || chr(31) || 'request 1' || chr(31)";
    let key = if bench.schema.is_some() { key.to_owned() } else { key.replace("chr", "char") };
    let insert = format!(
        "INSERT INTO settlements (obligation_key, debtor, acted_at, record_id) VALUES ({key}, 'health', {}, '{}')",
        at(50).micros(),
        record(7)
    );
    bench.sql(&insert).await;
    let row = obligation(bench, 1).await;
    assert_eq!(row.state, ObligationState::Open);
    assert_eq!(bench.store.mark(vec![mark(&row, ObligationState::Overdue, 200)]).await.unwrap(), []);
    let row = obligation(bench, 1).await;
    assert_eq!((row.state, row.overdue_at, row.settled_at), (ObligationState::Met, None, Some(at(50))));
}

async fn the_next_instant_is_the_earliest(bench: &Bench) {
    assert_eq!(bench.store.next_instant().await, Ok(None));
    bench.store.open_obligations(vec![owed(2, 200), owed(1, 100)], at(0)).await.unwrap();
    assert_eq!(bench.store.next_instant().await, Ok(Some(at(90))));
    bench.store.accept(with(9, vec![], vec![settlement(1, 5, 9)])).await.unwrap();
    assert_eq!(bench.store.next_instant().await, Ok(Some(at(190))));
}

async fn listings_group_and_page(bench: &Bench) {
    let pending = NewObligation { start: ObligationStart::Pending { plan: "{}".to_owned() }, ..owed(50, 0) };
    let of_police = NewObligation { debtor: who("police"), ..owed(40, 45) };
    let mut all: Vec<_> = (1..=6).map(|n| owed(n, 10 * n as i64)).collect();
    all.extend([pending.clone(), of_police.clone()]);
    bench.store.open_obligations(all, at(0)).await.unwrap();
    for n in [2, 1] {
        bench.store.mark(vec![mark(&obligation(bench, n).await, ObligationState::Overdue, 30)]).await.unwrap();
    }
    bench.store.accept(with(90, vec![], vec![settlement(6, 5, 90)])).await.unwrap();
    let ids = async |filter: ObligationFilter| -> Vec<ObligationId> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            // In pages of two, to meet every seam.
            let page = bench.store.list_obligations(&filter, after, 2).await.unwrap();
            let Some(last) = page.last() else { return found };
            after = Some(DueCursor::after(last));
            found.extend(page.iter().map(|r| r.id));
        }
    };
    let id = |n| owed(n, 0).id;
    let group = |group| ObligationFilter { group: Some(group), ..ObligationFilter::default() };
    assert_eq!(ids(group(ObligationGroup::Overdue)).await, [id(1), id(2)]);
    assert_eq!(ids(group(ObligationGroup::Running)).await, [id(3), id(4), id(40), id(5)]);
    assert_eq!(ids(group(ObligationGroup::Pending)).await, [id(50)]);
    assert_eq!(ids(group(ObligationGroup::Done)).await, [id(6)]);
    let filter = ObligationFilter { debtor: Some(who("police")), ..ObligationFilter::default() };
    assert_eq!(ids(filter).await, [id(40)]);
    let filter = ObligationFilter { states: vec![ObligationState::Met], ..ObligationFilter::default() };
    assert_eq!(ids(filter).await, [id(6)]);
    let filter = ObligationFilter { due_before: Some(at(40)), ..ObligationFilter::default() };
    assert_eq!(ids(filter).await, [id(1), id(2), id(3)]);
    assert_eq!(ids(ObligationFilter::default()).await.last(), Some(&id(50)), "without a date, last");
    let counts = bench.store.counts().await.unwrap().obligations;
    assert_eq!(
        (counts[&ObligationState::Overdue], counts[&ObligationState::Open], counts[&ObligationState::Met]),
        (2, 4, 1)
    );
}
