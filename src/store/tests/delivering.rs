//! Delivering: one lease at a time, a late worker's result is dropped, a retry sends identical bytes.

use std::collections::HashSet;

use crate::domain::{DeliveryState, ParkReason};

use super::*;

on_both! {
    a_delivery_goes_from_claim_to_receipt
    a_claim_goes_by_priority_then_age_within_the_slots
    a_stale_epoch_is_dropped_with_all_that_it_brings
    nodes_that_claim_at_once_never_share_a_row
    a_retry_finds_the_stored_bytes
    order_within_a_conversation_is_kept_where_asked
    an_answer_needs_no_lease_and_settles_once
    a_replay_is_idempotent
    what_is_not_handed_over_is_listed
    a_commit_wakes_dispatch
}

async fn queue(bench: &Bench, numbers: impl IntoIterator<Item = u64>) {
    let asked = numbers.into_iter().map(|n| bench.store.accept(accept(message(n))));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer, Ok(Accepted::Recorded));
    }
}

async fn state(bench: &Bench, n: u64) -> DeliveryState {
    bench.store.delivery(delivery(n)).await.unwrap().unwrap().0.state
}

fn outgoing(n: u8) -> Outgoing {
    Outgoing { signed: vec![n, n], digest: digest(n), certificate: digest(200) }
}

async fn a_delivery_goes_from_claim_to_receipt(bench: &Bench) {
    queue(bench, [1]).await;
    assert_eq!(bench.store.next_delivery_at(&[]).await.unwrap(), Some(at(0)));
    assert!(bench.store.claim(claim("a", -1, 10)).await.unwrap().is_empty(), "not yet due");
    let claimed = bench.store.claim(claim("a", 1, 10)).await.unwrap().remove(0);
    assert_eq!((claimed.epoch, claimed.attempt, claimed.from), (1, 1, DeliveryState::Queued));
    assert_eq!((claimed.bytes.clone(), claimed.canonical.clone()), (message(1).bytes, None));
    assert_eq!((claimed.message.message_id, claimed.outgoing.clone()), (message(1).header.message_id, None));
    assert!(bench.store.claim(claim("b", 2, 10)).await.unwrap().is_empty(), "under lease");

    assert_eq!(bench.store.store_outgoing(delivery(1), claimed.epoch, outgoing(3)).await, Ok(true));
    assert_eq!(bench.store.settle(settle(&claimed, 3, sent(3))).await, Ok(true));
    assert!(bench.store.claim(claim("b", 62, 10)).await.unwrap().is_empty(), "the receipt is awaited");
    let again = bench.store.claim(claim("b", 63, 10)).await.unwrap().remove(0);
    assert_eq!((again.epoch, again.attempt, again.from), (2, 2, DeliveryState::Sent));
    assert_eq!((again.outgoing.clone(), again.sent_at), (Some(outgoing(3)), Some(at(3))));

    let delivered = Outcome::Delivered { at: at(70), receipt: b"<receipt/>".to_vec() };
    assert_eq!(bench.store.settle(settle(&again, 70, delivered)).await, Ok(true));
    let (row, _) = bench.store.delivery(delivery(1)).await.unwrap().unwrap();
    assert_eq!((row.state, row.sent_at, row.settled_at), (DeliveryState::Delivered, Some(at(3)), Some(at(70))));
    assert_eq!((row.next_at, row.out_digest), (None, Some(digest(3))));
    assert_eq!(bench.store.partner_answer(delivery(1)).await.unwrap(), Some(b"<receipt/>".to_vec()));
    let attempts = bench.store.attempts(delivery(1)).await.unwrap();
    let seen: Vec<_> = attempts.iter().map(|a| (a.epoch, a.state, a.node.as_deref())).collect();
    assert_eq!(seen, [(1, DeliveryState::Sent, Some("a")), (2, DeliveryState::Delivered, Some("b"))]);
    assert_eq!(bench.store.next_delivery_at(&[]).await.unwrap(), None);
}

async fn a_claim_goes_by_priority_then_age_within_the_slots(bench: &Bench) {
    for (n, to, priority, due) in [
        (1, "health", Priority::Normal, 0),
        (2, "health", Priority::Emergency, 5),
        (3, "police", Priority::Urgent, 1),
        (4, "health", Priority::Urgent, 3),
        (5, "health", Priority::Urgent, 2),
        (6, "education", Priority::Emergency, 0),
        (7, "health", Priority::Emergency, 100),
    ] {
        let mut new = message_to(n, to);
        new.header.priority = priority;
        new.deliveries[0].next_attempt_at = at(due);
        bench.store.accept(accept(new)).await.unwrap();
    }
    let slots = [("health", 3), ("police", 1), ("education", 0)].map(|(p, free)| Slots { participant: who(p), free });
    let taken = async |limit| {
        let wish = Claim { slots: slots.to_vec(), ..claim("a", 10, limit) };
        bench.store.claim(wish).await.unwrap().iter().map(|c| c.delivery_id).collect::<Vec<_>>()
    };
    assert_eq!(taken(2).await, [delivery(2), delivery(3)]);
    assert_eq!(taken(10).await, [delivery(5), delivery(4), delivery(1)]);
    assert!(taken(10).await.is_empty(), "education has no slot, message 7 is not due");
}

async fn a_stale_epoch_is_dropped_with_all_that_it_brings(bench: &Bench) {
    queue(bench, [1]).await;
    let late = bench.store.claim(claim("a", 0, 10)).await.unwrap().remove(0);
    // The lease ends; another node takes over and hands the message over.
    let now = bench.store.claim(claim("b", 30, 10)).await.unwrap().remove(0);
    assert_eq!((now.from, now.epoch), (DeliveryState::Leased, late.epoch + 1));
    assert_eq!(bench.store.store_outgoing(delivery(1), late.epoch, outgoing(1)).await, Ok(false));
    assert_eq!(bench.store.store_outgoing(delivery(1), now.epoch, outgoing(2)).await, Ok(true));
    let notice = message_to(50, "register");
    let park = Outcome::Park { reason: ParkReason::Unreachable, detail: String::new() };
    let lost = Settle { made: vec![notice], ..settle(&late, 31, park) };
    assert_eq!(bench.store.settle(lost).await, Ok(false));
    assert_eq!(bench.store.message(record(50)).await, Ok(None));
    assert_eq!(state(bench, 1).await, DeliveryState::Leased);
    assert_eq!(bench.store.settle(settle(&now, 32, sent(32))).await, Ok(true));
    assert_eq!(bench.store.settle(settle(&now, 33, sent(33))).await, Ok(false), "a lease settles once");
    assert_eq!(bench.store.outgoing(delivery(1)).await.unwrap(), Some(outgoing(2)));
    assert_eq!(bench.store.attempts(delivery(1)).await.unwrap().len(), 1);
}

async fn nodes_that_claim_at_once_never_share_a_row(bench: &Bench) {
    const ROWS: u64 = 300;
    queue(bench, 0..ROWS).await;
    let other = bench.node().await;
    let third = bench.node().await;
    let worker = |name: &'static str, store: Store| async move {
        let mut mine = Vec::new();
        loop {
            let taken = store.claim(claim(name, 1, 7)).await.unwrap();
            if taken.is_empty() && store.next_delivery_at(&[]).await.unwrap() != Some(at(0)) {
                return mine;
            }
            mine.extend(taken.into_iter().map(|c| (c.delivery_id, c.epoch)));
        }
    };
    let workers = [("a", &bench.store), ("b", &other), ("c", &third), ("a2", &bench.store)];
    let tasks = workers.map(|(name, store)| tokio::spawn(worker(name, store.clone())));
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    assert!(all.iter().all(|(_, epoch)| *epoch == 1));
    assert_eq!(all.len() as u64, ROWS);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len() as u64, ROWS);
    other.close().await;
    third.close().await;
}

async fn a_retry_finds_the_stored_bytes(bench: &Bench) {
    queue(bench, [1]).await;
    let first = bench.store.claim(claim("a", 0, 1)).await.unwrap().remove(0);
    assert!(bench.store.store_outgoing(delivery(1), first.epoch, outgoing(4)).await.unwrap());
    let requeue = Outcome::Requeue {
        next_attempt_at: at(9),
        reason: ParkReason::TimedOut,
        detail: "no answer in 10 s".to_owned(),
    };
    assert!(bench.store.settle(settle(&first, 1, requeue)).await.unwrap());
    let (row, _) = bench.store.delivery(delivery(1)).await.unwrap().unwrap();
    assert_eq!((row.state, row.reason), (DeliveryState::Queued, Some(ParkReason::TimedOut)));
    assert_eq!((row.next_at, row.detail.as_deref()), (Some(at(9)), Some("no answer in 10 s")));
    assert!(bench.store.claim(claim("a", 8, 1)).await.unwrap().is_empty());
    let second = bench.store.claim(claim("a", 9, 1)).await.unwrap().remove(0);
    assert_eq!((second.attempt, second.outgoing), (2, Some(outgoing(4))));
}

async fn order_within_a_conversation_is_kept_where_asked(bench: &Bench) {
    for (n, ordered) in [(1, true), (2, true), (3, false)] {
        let mut new = message(n);
        new.header.conversation_id = message(1).header.conversation_id;
        new.deliveries[0].ordered = ordered;
        bench.store.accept(accept(new)).await.unwrap();
    }
    let taken = bench.store.claim(claim("a", 0, 10)).await.unwrap();
    let ids: Vec<_> = taken.iter().map(|c| c.delivery_id).collect();
    assert_eq!(ids, [delivery(1), delivery(3)], "the second waits for the first");
    bench.store.settle(settle(&taken[0], 1, sent(1))).await.unwrap();
    assert!(bench.store.claim(claim("a", 2, 10)).await.unwrap().is_empty(), "still without a receipt");
    let answered = Answered { at: at(3), ..answer_to(1, AnsweredOutcome::Delivered) };
    let mut changed = bench.store.deliveries_changed();
    changed.mark_unchanged();
    assert_eq!(bench.store.answer(answered).await, Ok(AnsweredResult::Settled));
    assert!(changed.has_changed().unwrap(), "dispatch wakes for the second");
    assert_eq!(bench.store.claim(claim("a", 4, 10)).await.unwrap()[0].delivery_id, delivery(2));
}

fn answer_to(n: u64, outcome: AnsweredOutcome) -> Answered {
    Answered {
        delivery_id: delivery(n),
        participant: who("health"),
        at: at(5),
        outcome,
        bytes: b"<signed/>".to_vec(),
        started: vec![],
        made: vec![],
        journal: vec![],
    }
}

async fn an_answer_needs_no_lease_and_settles_once(bench: &Bench) {
    queue(bench, [1, 2]).await;
    let claimed = bench.store.claim(claim("a", 0, 1)).await.unwrap().remove(0);
    let found = bench.store.deliveries_to(&who("health"), message(1).header.message_id, None).await.unwrap();
    assert_eq!((found.len(), found[0].0.id), (1, delivery(1)));
    let sender = who("police");
    assert!(
        bench
            .store
            .deliveries_to(&who("health"), message(1).header.message_id, Some(&sender))
            .await
            .unwrap()
            .is_empty()
    );

    let stranger = Answered { participant: who("police"), ..answer_to(1, AnsweredOutcome::Delivered) };
    assert_eq!(bench.store.answer(stranger).await, Ok(AnsweredResult::NotFound));
    let with_notice = Answered { made: vec![message_to(50, "register")], ..answer_to(1, AnsweredOutcome::Delivered) };
    assert_eq!(bench.store.answer(with_notice).await, Ok(AnsweredResult::Settled));
    let again = Answered { made: vec![message_to(51, "register")], ..answer_to(1, AnsweredOutcome::Delivered) };
    assert_eq!(bench.store.answer(again).await, Ok(AnsweredResult::Already(DeliveryState::Delivered)));
    assert_eq!(bench.store.settle(settle(&claimed, 6, sent(6))).await, Ok(false), "the receipt was faster");
    assert_eq!(state(bench, 1).await, DeliveryState::Delivered);
    assert!(bench.store.message(record(50)).await.unwrap().is_some());
    assert!(bench.store.message(record(51)).await.unwrap().is_none());

    let refused = AnsweredOutcome::Refused { code: "schema-invalid".to_owned(), detail: None };
    assert_eq!(bench.store.answer(answer_to(2, refused)).await, Ok(AnsweredResult::Settled));
    let (row, _) = bench.store.delivery(delivery(2)).await.unwrap().unwrap();
    assert_eq!((row.state, row.fault_code.as_deref()), (DeliveryState::Refused, Some("schema-invalid")));
}

async fn a_replay_is_idempotent(bench: &Bench) {
    queue(bench, [1, 2, 3]).await;
    let taken = bench.store.claim(claim("a", 0, 10)).await.unwrap();
    bench.store.store_outgoing(delivery(1), 1, outgoing(1)).await.unwrap();
    bench.store.store_outgoing(delivery(2), 1, outgoing(2)).await.unwrap();
    let park = Outcome::Park { reason: ParkReason::TranslationFailed, detail: "police/request.xml:7".to_owned() };
    bench.store.settle(settle(&taken[0], 1, park)).await.unwrap();
    bench.store.settle(settle(&taken[1], 1, Outcome::Expired)).await.unwrap();
    let wish = |retranslate, ids: &[u64]| Replay {
        delivery_ids: ids.iter().map(|n| delivery(*n)).collect(),
        now: at(10),
        actor: "operator".to_owned(),
        why: None,
        retranslate,
    };
    let mut back = bench.store.replay(wish(false, &[1, 3])).await.unwrap();
    assert_eq!(back, [delivery(1)], "a leased one is left alone");
    back = bench.store.replay(wish(false, &[1])).await.unwrap();
    assert!(back.is_empty(), "already back");
    assert_eq!(bench.store.replay(wish(true, &[2])).await.unwrap(), [delivery(2)]);
    let replayed = bench.store.claim(claim("a", 10, 10)).await.unwrap();
    let seen: Vec<_> =
        replayed.iter().map(|c| (c.delivery_id, c.attempt, c.epoch, c.outgoing.clone(), c.expires)).collect();
    assert_eq!(seen, [(delivery(1), 1, 3, Some(outgoing(1)), None), (delivery(2), 1, 3, None, None)]);
    let journal = bench.store.list_journal(None, 100).await.unwrap();
    assert_eq!(
        journal.iter().filter(|r| r.entry.kind == "delivery-replayed" && r.entry.actor == "operator").count(),
        2
    );
}

async fn what_is_not_handed_over_is_listed(bench: &Bench) {
    queue(bench, 1..=5).await;
    let taken = bench.store.claim(claim("a", 0, 3)).await.unwrap();
    bench.store.settle(settle(&taken[0], 1, sent(1))).await.unwrap();
    let park = Outcome::Park { reason: ParkReason::RouteMissing, detail: String::new() };
    bench.store.settle(settle(&taken[1], 1, park)).await.unwrap();
    let first = bench.store.not_handed_over(None, 2).await.unwrap();
    let seen: Vec<_> = first.iter().map(|n| (n.delivery.id, n.delivery.state, n.delivery.reason)).collect();
    let parked = (delivery(2), DeliveryState::Parked, Some(ParkReason::RouteMissing));
    assert_eq!(seen, [parked, (delivery(3), DeliveryState::Leased, None)]);
    let after = HandoverCursor { record_id: first[1].message.record_id, id: first[1].delivery.id };
    let rest: Vec<_> =
        bench.store.not_handed_over(Some(after), 9).await.unwrap().iter().map(|n| n.delivery.id).collect();
    assert_eq!(rest, [delivery(4), delivery(5)]);
    let counts = bench.store.counts().await.unwrap();
    assert_eq!((counts.accepted, counts.deliveries[&DeliveryState::Queued]), (5, 2));
    assert_eq!(counts.deliveries[&DeliveryState::Expired], 0);
}

async fn a_commit_wakes_dispatch(bench: &Bench) {
    let mut changed = bench.store.deliveries_changed();
    let mut journal = bench.store.journal_changed();
    let obligations = bench.store.obligations_changed();
    queue(bench, [1]).await;
    changed.changed().await.unwrap();
    journal.changed().await.unwrap();
    assert!(!obligations.has_changed().unwrap());
    let mut quiet = message(2);
    quiet.deliveries.clear();
    bench.store.accept(accept(quiet)).await.unwrap();
    assert!(!changed.has_changed().unwrap(), "a message to oneself wakes nobody");
}
