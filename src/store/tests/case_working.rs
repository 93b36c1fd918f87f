//! What a message does to other obligations of its case.

use crate::deadline::cases::CaseFacts;
use crate::domain::{ActKind, CaseId, ObligationState, Oktmo, RoleCode};

use super::*;

on_both! {
    an_obligation_opened_again_is_counted_anew
    what_is_void_is_cancelled_and_what_was_met_stays
    what_was_extended_and_is_named_again_keeps_its_extension
    a_closed_case_keeps_what_outlives_it
    a_case_that_moves_hands_its_obligations_over
    months_are_found_by_their_instant
    a_curators_open_cases_are_counted_by_level
    a_task_has_no_due_and_is_met
}

fn case(n: u64) -> CaseId {
    CaseId::from_uuid(uuid(n))
}

fn rule(text: &str) -> RuleId {
    RuleId::parse(text).unwrap()
}

/// Obligation `n` of case 7 under a rule.
fn of_case(n: u64, of: &str, due: i64) -> NewObligation {
    let roles = (RoleCode::parse("health").ok(), RoleCode::parse("uszn").ok());
    NewObligation {
        case_id: Some(case(7)),
        rule: rule(of),
        debtor_role: roles.0,
        creditor_role: roles.1,
        retime: true,
        ..owed(n, due)
    }
}

fn quiet(n: u64, obligations: Vec<NewObligation>, case_work: CaseWork) -> Accept {
    let mut quiet = message(n);
    quiet.deliveries.clear();
    Accept { obligations, case_work, ..accept(quiet) }
}

async fn send(bench: &Bench, accept: Accept) {
    assert_eq!(bench.store.accept(accept).await, Ok(Accepted::Recorded));
}

async fn state(bench: &Bench, n: u64) -> ObligationState {
    bench.store.obligation(owed(n, 0).id).await.unwrap().unwrap().state
}

fn cancels(cancels: Vec<Cancelling>) -> CaseWork {
    CaseWork { cancels, ..CaseWork::default() }
}

async fn an_obligation_opened_again_is_counted_anew(bench: &Bench) {
    send(bench, quiet(1, vec![of_case(1, "end", 100), of_case(2, "end", 100)], CaseWork::default())).await;
    let met = NewSettlement { rule: rule("end"), ..settlement(2, 50, 2) };
    send(bench, Accept { settlements: vec![met], ..quiet(2, vec![], CaseWork::default()) }).await;
    let mark = Mark {
        id: owed(1, 0).id,
        expected_next_at: bench.store.obligation(owed(1, 0).id).await.unwrap().unwrap().next_at.unwrap(),
        state: ObligationState::Overdue,
        next_at: None,
        at: at(101),
        now: at(101),
        stays: false,
        made: vec![],
        notifications: vec![],
        journal: vec![],
    };
    assert_eq!(bench.store.mark(vec![mark]).await.unwrap().len(), 1);
    // The same keys under new ids: the running one moves, the met one does not.
    let again =
        |n: u64, id: u64, due| NewObligation { id: ObligationId::from_uuid(uuid(id)), ..of_case(n, "end", due) };
    send(bench, quiet(3, vec![again(1, 31, 300), again(2, 32, 300)], CaseWork::default())).await;
    let moved = bench.store.obligation(owed(1, 0).id).await.unwrap().unwrap();
    assert_eq!((moved.state, moved.due_at, moved.overdue_at), (ObligationState::Open, Some(at(300)), None));
    assert_eq!(moved.original_due, Some(at(100)), "the first due stays beside");
    let kept = bench.store.obligation(owed(2, 0).id).await.unwrap().unwrap();
    assert_eq!((kept.state, kept.due_at), (ObligationState::Met, Some(at(100))));
    // Said once more, nothing happens.
    send(bench, quiet(4, vec![again(1, 41, 300)], CaseWork::default())).await;
    let retimed = "SELECT COUNT(*) FROM journal WHERE kind = 'obligation-retimed'";
    assert_eq!(bench.number(retimed).await, 1);
    assert_eq!(bench.number("SELECT COUNT(*) FROM obligations").await, 2);
    let acts = bench.store.acts(owed(1, 0).id).await.unwrap();
    let told: Vec<_> = acts.iter().map(|a| (a.kind, a.due_before, a.due_after, a.state_before, a.record_id)).collect();
    let expected = (ActKind::Retime, Some(at(100)), Some(at(300)), ObligationState::Overdue, Some(record(1)));
    assert_eq!(told, [expected]);
}

async fn what_is_void_is_cancelled_and_what_was_met_stays(bench: &Bench) {
    let all = (1..=4).map(|n| of_case(n, "measure", 100)).collect();
    send(bench, quiet(1, all, CaseWork::default())).await;
    let met = NewSettlement { rule: rule("measure"), ..settlement(3, 50, 2) };
    send(bench, Accept { settlements: vec![met], ..quiet(2, vec![], CaseWork::default()) }).await;
    let keep = vec!["request 1".to_owned()];
    let others = Cancelling::Others { rule: rule("measure"), case: case(7), keep };
    send(bench, quiet(3, vec![], cancels(vec![others]))).await;
    let states = [state(bench, 1).await, state(bench, 2).await, state(bench, 3).await, state(bench, 4).await];
    let cancelled = ObligationState::Cancelled;
    assert_eq!(states, [ObligationState::Open, cancelled, ObligationState::Met, cancelled]);
    // Named again, it begins again.
    let again = NewObligation { id: ObligationId::from_uuid(uuid(50)), ..of_case(2, "measure", 100) };
    send(bench, quiet(4, vec![again], CaseWork::default())).await;
    assert_eq!(state(bench, 2).await, ObligationState::Open);
    let key = Cancelling::Key {
        regulation: "yugra".to_owned(),
        rule: rule("measure"),
        subject: "request 2".to_owned(),
        period: String::new(),
    };
    let opened_by =
        Cancelling::OpenedBy { rule: rule("measure"), sender: who("register"), message: message(1).header.message_id };
    send(bench, quiet(5, vec![], cancels(vec![key]))).await;
    assert_eq!((state(bench, 1).await, state(bench, 2).await), (ObligationState::Open, cancelled));
    send(bench, quiet(6, vec![], cancels(vec![opened_by]))).await;
    assert_eq!(state(bench, 1).await, cancelled);
    assert_eq!(bench.number("SELECT COUNT(*) FROM obligations WHERE next_at IS NOT NULL").await, 0);
}

async fn what_was_extended_and_is_named_again_keeps_its_extension(bench: &Bench) {
    send(bench, quiet(1, (1..=2).map(|n| of_case(n, "measure", 100)).collect(), CaseWork::default())).await;
    let line = |text: &str| crate::domain::Line::parse(text).unwrap();
    let date = chrono::NaiveDate::from_ymd_opt(2026, 5, 6).unwrap();
    let document = ActDocument { name: line("Соглашение"), number: line("5"), date };
    for n in [1, 2] {
        let (ground, expected_due) = (crate::domain::ActGround::AgreedExtension, at(100));
        let act =
            Act::Extend { ground, document: document.clone(), expected_due, due_at: at(200), warns: vec![at(190)] };
        let (obligation_id, author) = (owed(n, 0).id, "ivanova".to_owned());
        let new = NewAct { obligation_id, act, note: None, author, message: None, at: at(10), now: at(10) };
        assert!(matches!(bench.store.act(new).await.unwrap(), Acted::Done(..)));
    }
    // The first copy of the next programme names neither; the second names both, one of them later than the extension.
    let others = Cancelling::Others { rule: rule("measure"), case: case(7), keep: vec![] };
    send(bench, quiet(3, vec![], cancels(vec![others]))).await;
    assert_eq!(state(bench, 1).await, ObligationState::Cancelled);
    let again = |n: u64, due| NewObligation { id: ObligationId::from_uuid(uuid(50 + n)), ..of_case(n, "measure", due) };
    send(bench, quiet(4, vec![again(1, 100), again(2, 300)], CaseWork::default())).await;
    let kept = bench.store.obligation(owed(1, 0).id).await.unwrap().unwrap();
    assert_eq!((kept.state, kept.due_at, kept.counted_due), (ObligationState::Open, Some(at(200)), Some(at(100))));
    assert_eq!((kept.next_at, kept.settled_at, kept.original_due), (Some(at(190)), None, Some(at(100))));
    let later = bench.store.obligation(owed(2, 0).id).await.unwrap().unwrap();
    assert_eq!((later.state, later.due_at, later.counted_due), (ObligationState::Open, Some(at(300)), None));
    assert_eq!(bench.number("SELECT COUNT(*) FROM journal WHERE kind = 'obligation-retimed'").await, 2);
}

async fn a_closed_case_keeps_what_outlives_it(bench: &Bench) {
    let other = NewObligation { case_id: Some(case(8)), ..of_case(3, "a", 100) };
    send(bench, quiet(1, vec![of_case(1, "a", 100), of_case(2, "b", 100), other], CaseWork::default())).await;
    let closed = Cancelling::Closed { case: case(7), outlive: vec![rule("b")] };
    send(bench, quiet(2, vec![], cancels(vec![closed]))).await;
    let states = [state(bench, 1).await, state(bench, 2).await, state(bench, 3).await];
    assert_eq!(states, [ObligationState::Cancelled, ObligationState::Open, ObligationState::Open]);
}

async fn a_case_that_moves_hands_its_obligations_over(bench: &Bench) {
    send(bench, quiet(1, vec![of_case(1, "a", 100)], CaseWork::default())).await;
    let rebind = |role: &str, holder: &str| Rebinding {
        case: case(7),
        role: RoleCode::parse(role).unwrap(),
        holder: who(holder),
    };
    let rebinds = vec![rebind("health", "health-2"), rebind("uszn", "register-2"), rebind("police", "police-2")];
    send(bench, quiet(2, vec![], CaseWork { rebinds, ..CaseWork::default() })).await;
    let row = bench.store.obligation(owed(1, 0).id).await.unwrap().unwrap();
    assert_eq!((row.debtor, row.creditor), (who("health-2"), who("register-2")));
}

async fn months_are_found_by_their_instant(bench: &Bench) {
    let row = |debtor: &str, month: &str, at_seconds: i64| ScheduledRow {
        regulation: "yugra".to_owned(),
        rule: rule("progress-report"),
        case: case(7),
        debtor: who(debtor),
        territory: Oktmo::parse("71876000").unwrap(),
        spans: "2026-02..2026-06".to_owned(),
        next_period: Some(month.to_owned()),
        next_at: Some(at(at_seconds)),
    };
    let set = |rows| CaseWork {
        schedules: vec![Scheduling { rule: rule("progress-report"), case: case(7), rows }],
        ..CaseWork::default()
    };
    send(bench, quiet(1, vec![], set(vec![row("health", "2026-02", 100), row("police", "2026-03", 200)]))).await;
    assert_eq!(bench.store.next_schedule_at().await.unwrap(), Some(at(100)));
    let due = bench.store.due_schedules(at(150), 10).await.unwrap();
    assert_eq!(due, [row("health", "2026-02", 100)]);
    let moved = |expected: i64, n: u64| MovedSchedule {
        row: row("health", "2026-03", 200),
        opened: vec![of_case(n, "progress-report", 900)],
        expected_next_at: Some(at(expected)),
    };
    let opened = async || bench.number("SELECT COUNT(*) FROM obligations").await;
    // Whoever read an older row does not move it, and opens nothing.
    bench.store.move_schedules(vec![moved(99, 1)], at(150)).await.unwrap();
    assert_eq!((bench.store.next_schedule_at().await.unwrap(), opened().await), (Some(at(100)), 0));
    bench.store.move_schedules(vec![moved(100, 1)], at(150)).await.unwrap();
    assert_eq!((bench.store.due_schedules(at(200), 10).await.unwrap().len(), opened().await), (2, 1));
    // A watcher that read the row before its case was closed opens no month of the closed case.
    send(bench, quiet(2, vec![], set(vec![]))).await;
    bench.store.move_schedules(vec![moved(200, 2)], at(250)).await.unwrap();
    assert_eq!((bench.store.next_schedule_at().await.unwrap(), opened().await), (None, 1));
    assert_eq!(bench.number("SELECT COUNT(*) FROM journal WHERE kind = 'obligation-opened'").await, 1);
}

async fn a_curators_open_cases_are_counted_by_level(bench: &Bench) {
    let open = |n: u64, level: &str, closed_at: Option<i64>| CaseRow {
        id: case(n),
        regulation: "model".to_owned(),
        territory: Oktmo::parse("71876000").unwrap(),
        kind: "group".to_owned(),
        opened_at: at(0),
        version: 1,
        facts: CaseFacts {
            curator: Some("k-1".to_owned()),
            level: Some(level.to_owned()),
            closed_at,
            ..CaseFacts::default()
        },
    };
    for (n, level, closed) in [(1, "crisis", None), (2, "crisis", None), (3, "basic", None), (4, "basic", Some(9))] {
        let case = Some(CaseChange::Open(open(n, level, closed)));
        send(bench, Accept { case, ..quiet(n, vec![], CaseWork::default()) }).await;
    }
    let load = bench.store.curator_load("k-1", case(2)).await.unwrap();
    assert_eq!(load, [("basic".to_owned(), 1), ("crisis".to_owned(), 1)]);
    assert_eq!(bench.store.case(case(4)).await.unwrap().unwrap().facts, open(4, "basic", Some(9)).facts);
}

async fn a_task_has_no_due_and_is_met(bench: &Bench) {
    let start = ObligationStart::Task { started_at: at(5), explanation: r#"{"rule":"a"}"#.to_owned() };
    let task = NewObligation { start, term: String::new(), ..of_case(1, "a", 0) };
    send(bench, quiet(1, vec![task], CaseWork::default())).await;
    let row = bench.store.obligation(owed(1, 0).id).await.unwrap().unwrap();
    assert_eq!((row.state, row.due_at, row.next_at, row.started_at), (ObligationState::Open, None, None, Some(at(5))));
    let met = NewSettlement { rule: rule("a"), ..settlement(1, 50_000, 2) };
    send(bench, Accept { settlements: vec![met], ..quiet(2, vec![], CaseWork::default()) }).await;
    assert_eq!(state(bench, 1).await, ObligationState::Met);
}
