//! What a consent carried and was not handed over never goes out once the consent has ended.

use std::collections::BTreeSet;

use crate::deadline::cases::CaseFacts;
use crate::domain::{CaseId, DataClass, DeliveryState, ObligationState, Oktmo, ParkReason};

use super::*;

on_both! {
    what_was_not_handed_over_stops_with_what_hangs_on_it
    a_worker_that_holds_a_delivery_finds_out_before_it_hands_it_over
    a_message_and_the_end_of_its_consent_at_once_never_leave_it_going
}

/// Where the messages of the tests that end a consent begin.
const ENDS: u64 = 5_000;

fn case_id(n: u64) -> CaseId {
    CaseId::from_uuid(uuid(n))
}

fn row(n: u64, version: i64) -> CaseRow {
    CaseRow {
        id: case_id(n),
        regulation: "model".to_owned(),
        territory: Oktmo::parse("66701000").unwrap(),
        kind: "family".to_owned(),
        opened_at: at(0),
        version,
        facts: CaseFacts::default(),
    }
}

fn classes(all: &[DataClass]) -> Option<BTreeSet<DataClass>> {
    (!all.is_empty()).then(|| all.iter().copied().collect())
}

/// Message `n` in a case, on a consent to these classes; none: on the law.
fn carried(n: u64, case: u64, to: &str, of: &[DataClass]) -> NewMessage {
    let mut new = message_to(n, to);
    new.header.case_id = Some(case_id(case));
    new.deliveries[0].on_consent = classes(of);
    new
}

async fn send(bench: &Bench, new: NewMessage, obligations: Vec<NewObligation>) {
    assert_eq!(bench.store.accept(Accept { obligations, ..accept(new) }).await, Ok(Accepted::Recorded));
}

/// Ends the consent for health, of ordinary data.
fn end(n: u64, case: u64, change: Option<CaseChange>) -> Accept {
    let mut word = message(n);
    word.header.case_id = Some(case_id(case));
    word.deliveries.clear();
    let ended = vec![(who("health"), BTreeSet::from([DataClass::General]))];
    let case_work = CaseWork { stops: vec![Stopping { case: case_id(case), ended }], ..CaseWork::default() };
    Accept { case: change, case_work, ..accept(word) }
}

async fn stands(bench: &Bench, n: u64) -> (DeliveryState, Option<ParkReason>, bool) {
    let (found, _) = bench.store.delivery(delivery(n)).await.unwrap().unwrap();
    (found.state, found.reason, found.stopped_by.is_some())
}

async fn owes(bench: &Bench, n: u64) -> ObligationState {
    bench.store.obligation(owed(n, 0).id).await.unwrap().unwrap().state
}

async fn claimed(bench: &Bench, node: &str, seconds: i64, n: u64) -> Claimed {
    let all = bench.store.claim(claim(node, seconds, 100)).await.unwrap();
    all.into_iter().find(|c| c.delivery_id == delivery(n)).unwrap()
}

fn outgoing() -> Outgoing {
    Outgoing { signed: vec![1, 1], digest: digest(3), certificate: digest(200) }
}

const STOPPED: (DeliveryState, Option<ParkReason>, bool) =
    (DeliveryState::Stopped, Some(ParkReason::ConsentEnded), true);

const GENERAL: &[DataClass] = &[DataClass::General];

/// Messages in case 7 on a consent: 1 is parked, 2 handed over, 3 lies in the mailbox, 4 was fetched from there, 5 has expired.
async fn handed_in_many_ways(bench: &Bench) {
    let park = || Outcome::Park { reason: ParkReason::Unreachable, detail: String::new() };
    let in_mailbox = || Outcome::Sent { at: at(1), receipt_deadline: None, mailbox: true };
    let first = [park(), sent(1), in_mailbox(), in_mailbox(), Outcome::Expired];
    for (n, outcome) in (1..).zip(first) {
        send(bench, carried(n, 7, "health", GENERAL), vec![owed(n, 100)]).await;
        let held = claimed(bench, "a", 1, n).await;
        bench.store.store_outgoing(held.delivery_id, held.epoch, outgoing()).await.unwrap();
        assert_eq!(bench.store.settle(settle(&held, 1, outcome)).await, Ok(true));
        if n == 4 {
            let request = PullRequest {
                participant: who("health"),
                pull_id: "p".to_owned(),
                items_max: 10,
                bytes_max: 1_000,
                lease_ms: 1,
                now: at(1),
            };
            let Pull::Items { items, .. } = bench.store.pull(request).await.unwrap() else { panic!("no items") };
            assert_eq!(items.len(), 2);
            // Message 3 is put back as if nobody had ever asked for it.
            let unfetched = format!("UPDATE deliveries SET pull_id = NULL WHERE id = '{}'", delivery(3));
            bench.sql(&unfetched).await;
        }
    }
}

async fn what_was_not_handed_over_stops_with_what_hangs_on_it(bench: &Bench) {
    handed_in_many_ways(bench).await;
    // 6 is queued, with an obligation of a third, and a copy of it for another opened one for health too; 7 goes by the law, 8 holds
    // other data, 9 is for another, 10 is of another case.
    send(bench, carried(6, 7, "health", GENERAL), vec![owed(6, 100)]).await;
    let thirds = NewObligation { debtor: who("police"), record_id: Some(record(6)), ..owed(60, 100) };
    send(bench, carried(7, 7, "health", &[]), vec![owed(7, 100), thirds]).await;
    send(bench, carried(8, 7, "health", &[DataClass::Health]), vec![]).await;
    let by_copy = NewObligation { record_id: Some(record(9)), ..owed(61, 100) };
    send(bench, carried(9, 7, "police", GENERAL), vec![by_copy]).await;
    send(bench, carried(10, 8, "health", GENERAL), vec![]).await;
    assert_eq!(bench.store.accept(end(ENDS, 7, None)).await, Ok(Accepted::Recorded));

    for n in [1, 3, 6] {
        assert_eq!(stands(bench, n).await, STOPPED, "{n}");
    }
    let state = async |n| stands(bench, n).await;
    assert_eq!(state(2).await, (DeliveryState::Sent, None, true), "handed over stays");
    assert_eq!(state(4).await, (DeliveryState::Sent, None, true), "fetched stays");
    assert_eq!(state(5).await, (DeliveryState::Expired, None, true));
    for n in [7, 8, 9, 10] {
        assert_eq!(state(n).await, (DeliveryState::Queued, None, false), "{n}");
    }
    for (n, expected) in
        [(1, true), (2, false), (3, true), (4, false), (5, true), (6, true), (7, false), (60, false), (61, true)]
    {
        let is_void = owes(bench, n).await == ObligationState::Cancelled;
        assert_eq!(is_void, expected, "what hangs on {n}");
    }
    let told = "SELECT COUNT(*) FROM journal WHERE kind = 'obligation-cancelled' AND detail LIKE '%consent-ended%'";
    assert_eq!(bench.number(told).await, 5);
    assert_eq!(bench.number("SELECT COUNT(*) FROM journal WHERE kind = 'delivery-consent-ended'").await, 6);
    told_once_and_never_again(bench).await;
}

async fn told_once_and_never_again(bench: &Bench) {
    // They are due once more, so that their senders are told; then never again, and by nobody's wish.
    let again = bench.store.claim(claim("a", 2, 100)).await.unwrap();
    let stopped: Vec<_> = again.iter().filter(|c| c.stopped).collect();
    assert_eq!(stopped.iter().map(|c| c.delivery_id).collect::<Vec<_>>(), [1, 3, 6].map(delivery));
    for one in stopped {
        let made = vec![message_to(100 + u64::from(one.attempt) + one.epoch.unsigned_abs() * 10, "register")];
        let made = Settle {
            made: if one.delivery_id == delivery(6) { made } else { vec![] },
            ..settle(one, 3, Outcome::Stopped)
        };
        assert_eq!(bench.store.settle(made).await, Ok(true));
        assert_eq!(bench.store.delivery(one.delivery_id).await.unwrap().unwrap().0.next_at, None);
    }
    assert_eq!(stands(bench, 6).await, STOPPED);
    assert_eq!(bench.number("SELECT COUNT(*) FROM journal WHERE kind = 'delivery-stopped'").await, 3);
    let wish = Replay {
        delivery_ids: [1, 3, 5, 6].map(delivery).to_vec(),
        now: at(4),
        actor: "operator".to_owned(),
        why: None,
        retranslate: false,
    };
    assert_eq!(bench.store.replay(wish).await, Ok(vec![]));
    // The partner's own word is better than ours all the same.
    let word = Answered {
        delivery_id: delivery(6),
        participant: who("health"),
        at: at(5),
        outcome: AnsweredOutcome::Delivered,
        bytes: b"<receipt/>".to_vec(),
        started: vec![],
        made: vec![],
        journal: vec![],
    };
    assert_eq!(bench.store.answer(word).await, Ok(AnsweredResult::Settled));
}

async fn a_worker_that_holds_a_delivery_finds_out_before_it_hands_it_over(bench: &Bench) {
    for n in 1..=6 {
        send(bench, carried(n, 7, "health", GENERAL), vec![owed(n, 100)]).await;
    }
    let held = bench.store.claim(claim("a", 0, 10)).await.unwrap();
    assert!(held.iter().all(|c| c.on_consent && !c.stopped));
    assert_eq!(bench.store.still_goes(delivery(1), held[0].epoch).await, Ok(true));
    assert_eq!(bench.store.accept(end(ENDS, 7, None)).await, Ok(Accepted::Recorded));
    for one in &held {
        assert_eq!(bench.store.still_goes(one.delivery_id, one.epoch).await, Ok(false));
        assert_eq!(stands(bench, 1).await, (DeliveryState::Leased, None, true), "under its lease");
        assert_eq!(owes(bench, 1).await, ObligationState::Open, "what the attempt comes to decides");
    }
    // 1 finds out in time; 2 was on the wire already; 3 failed, 4 was about to be laid into the mailbox, 5 was taken by a partner whose
    // answer is of no use, and 6 expired before it went.
    let again = Outcome::Requeue { next_attempt_at: at(500), reason: ParkReason::TimedOut, detail: String::new() };
    let mailbox = Outcome::Sent { at: at(1), receipt_deadline: None, mailbox: true };
    let taken = Outcome::Park { reason: ParkReason::AnswerRefused, detail: String::new() };
    for (one, outcome) in held.iter().zip([Outcome::Stopped, sent(1), again, mailbox, taken, Outcome::Expired]) {
        assert_eq!(bench.store.settle(settle(one, 1, outcome)).await, Ok(true));
    }
    assert_eq!((stands(bench, 1).await, owes(bench, 1).await), (STOPPED, ObligationState::Cancelled));
    assert_eq!(stands(bench, 2).await, (DeliveryState::Sent, None, true));
    assert_eq!(owes(bench, 2).await, ObligationState::Open);
    assert_eq!(stands(bench, 5).await, (DeliveryState::Parked, Some(ParkReason::AnswerRefused), true));
    let due = bench.store.claim(claim("b", 2, 10)).await.unwrap();
    let due: Vec<_> = due.iter().map(|c| (c.delivery_id, c.stopped)).collect();
    assert_eq!(due, [3, 4, 6].map(|n| (delivery(n), true)));
    // The lease of whoever found out ends without a word; the next one finds out too.
    let late = bench.store.claim(claim("c", 33, 10)).await.unwrap();
    for one in late.iter().filter(|c| c.delivery_id != delivery(2)) {
        assert!(one.stopped && one.sent_at.is_none());
        assert_eq!(bench.store.settle(settle(one, 34, Outcome::Stopped)).await, Ok(true));
    }
    for n in [3, 4, 6] {
        assert_eq!((stands(bench, n).await, owes(bench, n).await), (STOPPED, ObligationState::Cancelled), "{n}");
    }
}

async fn a_message_and_the_end_of_its_consent_at_once_never_leave_it_going(bench: &Bench) {
    const CASES: u64 = 24;
    let other = bench.node().await;
    let mut refused = 0;
    for n in 1..=CASES {
        let open = Accept { case: Some(CaseChange::Open(row(n, 1))), ..end(1_000 + n, 90, None) };
        assert_eq!(bench.store.accept(open).await, Ok(Accepted::Recorded));
        let message = carried(n, n, "health", &[DataClass::General]);
        let message = Accept { case: Some(CaseChange::Holds(case_id(n), 1)), ..accept(message) };
        let word = end(ENDS + n, n, Some(CaseChange::Update(row(n, 1))));
        let (message, word) = if n % 2 == 0 {
            tokio::join!(bench.store.accept(message), other.accept(word))
        } else {
            let mut both = in_one_batch(bench, vec![bench.store.accept(message), bench.store.accept(word)]).await;
            (both.remove(0), both.remove(0))
        };
        assert_eq!(word, Ok(Accepted::Recorded));
        match message.unwrap() {
            Accepted::Recorded => assert_eq!(stands(bench, n).await, STOPPED, "{n}"),
            Accepted::CaseChanged => refused += 1,
            Accepted::Duplicate { .. } => panic!("{n}"),
        }
    }
    let going = "SELECT COUNT(*) FROM deliveries WHERE on_consent IS NOT NULL AND stopped_by IS NULL";
    assert_eq!(bench.number(going).await, 0);
    assert!(refused < CASES, "each way happens: {refused}");
    other.close().await;
}
