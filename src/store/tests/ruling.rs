//! What rules do to obligations that are there already: counted anew, made void, begun again, and what decisions of people make of it.

use chrono::NaiveDate;

use crate::domain::{ActGround, ActKind, CaseId, Line, ObligationState, SettleKind};

use super::*;

on_both! {
    what_is_counted_anew_keeps_its_first_due_and_says_for_which_message
    what_becomes_void_says_why_and_begins_again_when_it_is_named_again
    an_extension_outlives_a_count_that_ends_earlier_but_not_one_that_ends_later
    what_was_decided_is_not_undone_by_a_rule
}

fn case() -> CaseId {
    CaseId::from_uuid(uuid(777))
}

/// Obligation `n` of the case, counted anew when it is opened again.
fn counted(n: u64, due: i64) -> NewObligation {
    NewObligation { case_id: Some(case()), retime: true, ..owed(n, due) }
}

fn with(n: u64, obligations: Vec<NewObligation>, cancels: Vec<Cancelling>) -> Accept {
    let mut quiet = message(n);
    quiet.deliveries.clear();
    quiet.business_at = at(20);
    let obligations =
        obligations.into_iter().map(|o| NewObligation { record_id: Some(record(n)), opened_at: at(20), ..o }).collect();
    Accept { obligations, case_work: CaseWork { cancels, ..CaseWork::default() }, ..accept(quiet) }
}

async fn accepted(bench: &Bench, accept: Accept) {
    assert_eq!(bench.store.accept(accept).await, Ok(Accepted::Recorded));
}

async fn obligation(bench: &Bench, n: u64) -> ObligationRow {
    bench.store.obligation(owed(n, 0).id).await.unwrap().unwrap()
}

async fn acts(bench: &Bench, n: u64) -> Vec<ActRow> {
    bench.store.acts(owed(n, 0).id).await.unwrap()
}

async fn extended(bench: &Bench, n: u64, from: i64, to: i64) {
    let date = NaiveDate::from_ymd_opt(2026, 5, 6).unwrap();
    let line = |text| Line::parse(text).unwrap();
    let act = Act::Extend {
        ground: ActGround::CourtOrLaw,
        document: ActDocument { name: line("Решение"), number: line("2-17"), date },
        expected_due: at(from),
        due_at: at(to),
        warns: vec![],
    };
    entered(bench, n, act).await;
}

async fn entered(bench: &Bench, n: u64, act: Act) {
    let new = NewAct {
        obligation_id: owed(n, 0).id,
        act,
        note: None,
        author: "ivanova".to_owned(),
        message: None,
        at: at(30),
        now: at(30),
    };
    let acted = bench.store.act(new).await.unwrap();
    assert!(matches!(acted, Acted::Done(..)), "{acted:?}");
}

async fn what_is_counted_anew_keeps_its_first_due_and_says_for_which_message(bench: &Bench) {
    accepted(bench, with(50, vec![counted(1, 100)], vec![])).await;
    assert_eq!(acts(bench, 1).await, []);
    // Counted alike: nothing happens. Counted to another due, twice.
    accepted(bench, with(51, vec![counted(1, 100)], vec![])).await;
    assert_eq!(acts(bench, 1).await, []);
    for (n, due) in [(52, 300), (53, 200)] {
        accepted(bench, with(n, vec![counted(1, due)], vec![])).await;
        let row = obligation(bench, 1).await;
        assert_eq!((row.due_at, row.original_due, row.next_at), (Some(at(due)), Some(at(100)), Some(at(due - 10))));
    }
    let told: Vec<_> =
        acts(bench, 1).await.into_iter().map(|a| (a.kind, a.due_before, a.due_after, a.record_id, a.at)).collect();
    let retimed = |before, after, by| (ActKind::Retime, Some(at(before)), Some(at(after)), Some(record(by)), at(20));
    assert_eq!(told, [retimed(100, 300, 52), retimed(300, 200, 53)]);
    // Of two in one batch the last is it.
    let messages = [with(54, vec![counted(1, 400)], vec![]), with(55, vec![counted(1, 500)], vec![])];
    in_one_batch(bench, messages.into_iter().map(|a| bench.store.accept(a)).collect()).await;
    assert_eq!((obligation(bench, 1).await.due_at, acts(bench, 1).await.len()), (Some(at(500)), 3));
}

async fn what_becomes_void_says_why_and_begins_again_when_it_is_named_again(bench: &Bench) {
    let others = |keep: &[u64]| Cancelling::Others {
        rule: owed(1, 0).rule,
        case: case(),
        keep: keep.iter().map(|n| owed(*n, 0).subject).collect(),
    };
    accepted(bench, with(50, vec![counted(1, 100), counted(2, 100), counted(3, 100)], vec![])).await;
    accepted(bench, with(51, vec![], vec![others(&[1, 3])])).await;
    let states = async || {
        let mut states = Vec::new();
        for n in 1..=3 {
            states.push(obligation(bench, n).await.state);
        }
        states
    };
    assert_eq!(states().await, [ObligationState::Open, ObligationState::Cancelled, ObligationState::Open]);
    let [void] = acts(bench, 2).await.try_into().unwrap();
    assert_eq!((void.kind, void.record_id, void.author.as_str()), (ActKind::Cancel, Some(record(51)), "regulation"));
    assert_eq!((void.state_before, void.state_after), (ObligationState::Open, ObligationState::Cancelled));
    assert_eq!(obligation(bench, 2).await.settle_kind, Some(SettleKind::Cancellation));

    accepted(bench, with(52, vec![counted(2, 100)], vec![])).await;
    let row = obligation(bench, 2).await;
    assert_eq!(
        (row.state, row.settle_kind, row.original_due),
        (ObligationState::Open, None, None),
        "the due is the same"
    );
    let again = &acts(bench, 2).await[1];
    assert_eq!((again.kind, again.state_before), (ActKind::Retime, ObligationState::Cancelled));

    let withdrawn =
        Cancelling::OpenedBy { rule: owed(1, 0).rule, sender: who("register"), message: message(52).header.message_id };
    accepted(bench, with(53, vec![], vec![withdrawn])).await;
    assert_eq!(states().await, [ObligationState::Open; 3], "the message that opened it was another");
    let of_50 =
        Cancelling::OpenedBy { rule: owed(1, 0).rule, sender: who("register"), message: message(50).header.message_id };
    let key = Cancelling::Key {
        regulation: "yugra".to_owned(),
        rule: owed(1, 0).rule,
        subject: owed(3, 0).subject,
        period: String::new(),
    };
    accepted(bench, with(54, vec![], vec![key])).await;
    assert_eq!(states().await, [ObligationState::Open, ObligationState::Open, ObligationState::Cancelled]);
    accepted(bench, with(55, vec![], vec![of_50])).await;
    assert_eq!(states().await, [ObligationState::Cancelled; 3]);
    // A case that is closed makes void what is left, but for what outlives it.
    accepted(bench, with(56, vec![counted(1, 100), counted(2, 100)], vec![])).await;
    let closed = |outlive| Cancelling::Closed { case: case(), outlive };
    accepted(bench, with(57, vec![], vec![closed(vec![owed(1, 0).rule])])).await;
    assert_eq!(states().await, [ObligationState::Open, ObligationState::Open, ObligationState::Cancelled]);
    accepted(bench, with(58, vec![], vec![closed(vec![])])).await;
    assert_eq!(states().await, [ObligationState::Cancelled; 3]);
}

async fn an_extension_outlives_a_count_that_ends_earlier_but_not_one_that_ends_later(bench: &Bench) {
    accepted(bench, with(50, vec![counted(1, 100)], vec![])).await;
    extended(bench, 1, 100, 300).await;
    // Said again alike, or counted to an earlier due than was decided.
    for (n, due) in [(51, 100), (52, 200), (53, 300)] {
        accepted(bench, with(n, vec![counted(1, due)], vec![])).await;
        let row = obligation(bench, 1).await;
        assert_eq!((row.due_at, row.counted_due), (Some(at(300)), Some(at(due))), "{due}");
        assert_eq!((row.state, row.original_due, row.next_at), (ObligationState::Open, Some(at(100)), Some(at(300))));
    }
    let kinds: Vec<_> =
        acts(bench, 1).await.iter().map(|a| (a.kind, a.due_after == Some(at(300)), a.note.is_some())).collect();
    assert_eq!(kinds, [(ActKind::Extend, true, false), (ActKind::Retime, true, true), (ActKind::Retime, true, true)]);
    accepted(bench, with(54, vec![counted(1, 400)], vec![])).await;
    let row = obligation(bench, 1).await;
    assert_eq!((row.due_at, row.counted_due, row.original_due), (Some(at(400)), None, Some(at(100))));
}

async fn what_was_decided_is_not_undone_by_a_rule(bench: &Bench) {
    accepted(bench, with(50, vec![counted(1, 100), counted(2, 100)], vec![])).await;
    let date = NaiveDate::from_ymd_opt(2026, 5, 6).unwrap();
    let line = |text| Line::parse(text).unwrap();
    let document = ActDocument { name: line("Приказ"), number: line("1"), date };
    entered(bench, 1, Act::Waive { ground: ActGround::ForceMajeure, document }).await;
    let way = crate::domain::OutsideWay::Phone;
    let act = Act::Outside { way, acted_at: at(25), by: None, to: None, number: None, scan: None };
    entered(bench, 2, act).await;
    let before = (obligation(bench, 1).await, obligation(bench, 2).await);
    let closed = Cancelling::Closed { case: case(), outlive: vec![] };
    accepted(bench, with(51, vec![counted(1, 200), counted(2, 200)], vec![closed])).await;
    assert_eq!((obligation(bench, 1).await, obligation(bench, 2).await), before);
}
