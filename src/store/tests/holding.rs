//! What is held back: one probe for all nodes, what lapses meanwhile, and what a stopping node gives back.

use crate::domain::{DeliveryState, ParkReason, QueueState, Remark};

use super::*;

on_both! {
    of_many_nodes_one_probes_in_an_interval
    what_is_given_back_is_taken_at_once_and_its_late_worker_is_fenced_off
    what_lapses_is_found_whoever_is_held
    a_word_about_a_queue_is_kept_with_those_before_it
    a_replay_begins_anew_and_stands_in_the_history
    a_full_disk_is_a_state_that_ends_when_there_is_room
}

async fn queue(bench: &Bench, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        assert_eq!(bench.store.accept(accept(message(n))).await, Ok(Accepted::Recorded));
    }
}

fn away(probe: i64) -> BreakerRow {
    BreakerRow {
        participant: who("health"),
        opened_at: at(0),
        failures: 5,
        reason: ParkReason::Unreachable,
        node: "a".to_owned(),
        probe_at: at(probe),
        probes: 0,
    }
}

async fn of_many_nodes_one_probes_in_an_interval(bench: &Bench) {
    queue(bench, 1..=20).await;
    assert_eq!(bench.store.open_breaker(away(10)).await, Ok(true));
    assert_eq!(bench.store.open_breaker(away(99)).await, Ok(false), "another node was first");
    let nodes = [bench.store.clone(), bench.node().await, bench.node().await];
    let probe = |store: &Store, seconds: i64| {
        let (store, wish) = (
            store.clone(),
            Claim { slots: vec![Slots { participant: who("health"), free: 1 }], ..claim("n", seconds, 8) },
        );
        async move { store.claim_probe(wish, &who("health"), at(seconds + 15)).await.unwrap().len() }
    };
    for (seconds, probes) in [(9, 0), (10, 1), (11, 0), (24, 0), (25, 1)] {
        let asked = (0..12).map(|n| probe(&nodes[n % 3], seconds));
        let taken: usize = futures_util::future::join_all(asked).await.into_iter().sum();
        assert_eq!(taken, probes, "at {seconds}");
    }
    let row = bench.store.breakers().await.unwrap().remove(0);
    assert_eq!((row.probes, row.probe_at, row.opened_at), (2, at(40), at(0)));
    // Nothing is due: nothing is written, and the right to probe stays.
    bench.sql("UPDATE deliveries SET next_at = NULL").await;
    assert_eq!(probe(&bench.store, 50).await, 0);
    assert_eq!(bench.store.breakers().await.unwrap().remove(0).probe_at, at(40));
    assert_eq!(bench.store.close_breaker(&who("health"), "b", at(60)).await, Ok(true));
    assert_eq!(bench.store.close_breaker(&who("health"), "b", at(60)).await, Ok(false));
    for node in &nodes[1..] {
        node.close().await;
    }
}

async fn what_is_given_back_is_taken_at_once_and_its_late_worker_is_fenced_off(bench: &Bench) {
    queue(bench, 1..=2).await;
    let held = bench.store.claim(claim("a", 0, 10)).await.unwrap();
    assert_eq!(bench.store.settle(settle(&held[1], 1, sent(1))).await, Ok(true));
    let all = held.iter().map(|c| (c.delivery_id, c.epoch)).collect();
    assert_eq!(bench.store.release(all, at(2)).await, Ok(1), "what is settled is not given back");
    assert_eq!(bench.store.settle(settle(&held[0], 3, sent(3))).await, Ok(false), "the lease is given back");
    let again = bench.store.claim(claim("b", 2, 10)).await.unwrap().remove(0);
    assert_eq!((again.delivery_id, again.attempt, again.from), (held[0].delivery_id, 1, DeliveryState::Queued));
    assert_eq!(bench.store.settle(settle(&held[0], 3, sent(3))).await, Ok(false));
    assert_eq!(bench.store.release(vec![(held[0].delivery_id, held[0].epoch)], at(4)).await, Ok(0));
    // What was handed over is handed over, whoever gives it back.
    let late = bench.store.claim(claim("b", 100, 10)).await.unwrap();
    let sent_once = late.iter().find(|c| c.delivery_id == held[1].delivery_id).unwrap();
    assert_eq!(bench.store.release(vec![(sent_once.delivery_id, sent_once.epoch)], at(101)).await, Ok(1));
    assert_eq!(bench.store.delivery(sent_once.delivery_id).await.unwrap().unwrap().0.state, DeliveryState::Sent);

    assert_eq!(bench.store.take_lease("watcher", "a", at(0), 60_000).await, Ok(Some(1)));
    assert_eq!(bench.store.take_lease("watcher", "b", at(1), 60_000).await, Ok(None));
    bench.store.release_leases("a").await.unwrap();
    assert_eq!(bench.store.take_lease("watcher", "b", at(1), 60_000).await, Ok(Some(2)));
}

async fn what_lapses_is_found_whoever_is_held(bench: &Bench) {
    let minute = |n: u64| n * 60_000;
    for (n, expires) in [(minute(0), Some(50)), (minute(1), None), (minute(2), None), (minute(3), Some(5_000))] {
        let mut new = message(n);
        new.deliveries[0].expires = expires.map(at);
        bench.store.accept(accept(new)).await.unwrap();
    }
    let lapsed = async |seconds, before| bench.store.lapsed(&who("health"), at(seconds), before, 10).await.unwrap();
    assert_eq!(lapsed(49, None).await, []);
    assert_eq!(lapsed(50, None).await, [delivery(0)]);
    let first = Timestamp::parse("2026-05-05T16:53:20Z").unwrap();
    assert_eq!(lapsed(60, Some(first)).await, [delivery(0)]);
    let mut found = lapsed(60, Some(first.plus_seconds(90))).await;
    found.sort();
    assert_eq!(found, [delivery(minute(0)), delivery(minute(1))]);
    let claimed = bench.store.claim_these(claim("a", 60, 10), found).await.unwrap();
    assert_eq!(claimed.len(), 2);
    // Put back by a person, it waits from then on.
    let park = || Outcome::Park { reason: ParkReason::GivenUp, detail: String::new() };
    for one in &claimed {
        bench.store.settle(settle(one, 61, park())).await.unwrap();
    }
    let ids = claimed.iter().map(|c| c.delivery_id).collect();
    let wish = Replay { delivery_ids: ids, now: at(70), actor: "o".to_owned(), why: None, retranslate: false };
    assert_eq!(bench.store.replay(wish).await.unwrap().len(), 2);
    assert_eq!(lapsed(80, Some(first.plus_seconds(90))).await, []);
    assert_eq!(lapsed(80, Some(at(70))).await.len(), 4);
    assert_eq!(bench.store.next_delivery_at(&[who("health")]).await, Ok(None));
    bench.store.accept(accept(message_to(minute(9), "police"))).await.unwrap();
    assert_eq!(bench.store.next_delivery_at(&[who("health")]).await, Ok(Some(at(0))));
    assert_eq!(bench.store.recipients_due(at(0)).await, Ok(vec![who("health"), who("police")]));
    assert_eq!(bench.store.recipients_due(at(-1)).await, Ok(vec![]));
}

async fn a_word_about_a_queue_is_kept_with_those_before_it(bench: &Bench) {
    queue(bench, [1]).await;
    bench.store.open_breaker(away(10)).await.unwrap();
    let order = |state, seconds| QueueOrder {
        participant: who("health"),
        state,
        author: "o".to_owned(),
        reason: format!("at {seconds}"),
        at: at(seconds),
    };
    assert_eq!(bench.store.order_queue(order(QueueState::Paused, 1)).await, Ok(true));
    assert_eq!(bench.store.order_queue(order(QueueState::Paused, 2)).await, Ok(false));
    assert_eq!(bench.store.breakers().await.unwrap().len(), 1);
    assert_eq!(bench.store.order_queue(order(QueueState::Running, 3)).await, Ok(true));
    assert_eq!(bench.store.breakers().await, Ok(vec![]), "whoever lets it go holds the participant to be back");
    assert_eq!(bench.store.queue_orders().await, Ok(vec![order(QueueState::Running, 3)]));
    let history = bench.store.queue_history(&who("health"), 10).await.unwrap();
    assert_eq!(history, [order(QueueState::Running, 3), order(QueueState::Paused, 1)]);
    // What waits for later is due at once; what awaits its files is not.
    let claimed = bench.store.claim(claim("a", 4, 10)).await.unwrap().remove(0);
    let later = Outcome::Requeue { next_attempt_at: at(500), reason: ParkReason::TimedOut, detail: String::new() };
    bench.store.settle(settle(&claimed, 5, later)).await.unwrap();
    assert_eq!(bench.store.bring_forward(&who("health"), at(6), 10).await, Ok(1));
    assert_eq!(bench.store.bring_forward(&who("health"), at(6), 10).await, Ok(0));
    assert_eq!(bench.store.next_delivery_at(&[]).await, Ok(Some(at(6))));
    let tries = bench.store.queue_tries().await.unwrap().remove(0);
    assert_eq!((tries.attempts_max, tries.next_at), (1, Some(at(6))));
}

async fn a_replay_begins_anew_and_stands_in_the_history(bench: &Bench) {
    queue(bench, [1]).await;
    let claimed = bench.store.claim(claim("a", 0, 10)).await.unwrap().remove(0);
    let park = Outcome::Park { reason: ParkReason::TranslationFailed, detail: "line 3".to_owned() };
    bench.store.settle(settle(&claimed, 1, park)).await.unwrap();
    let why = Some(Remark::parse("mended").unwrap());
    let wish = Replay { delivery_ids: vec![delivery(1)], now: at(2), actor: "o".to_owned(), why, retranslate: false };
    assert_eq!(bench.store.replay(wish.clone()).await, Ok(vec![delivery(1)]));
    assert_eq!(bench.store.replay(wish).await, Ok(vec![]));
    let again = bench.store.claim(claim("a", 3, 10)).await.unwrap().remove(0);
    assert_eq!((again.attempt, again.waiting_since), (1, Some(at(2))));
    bench
        .store
        .settle(settle(&again, 4, Outcome::Park { reason: ParkReason::GivenUp, detail: String::new() }))
        .await
        .unwrap();
    let discard = Discard {
        delivery_id: delivery(1),
        now: at(5),
        business_now: at(5),
        author: "o".to_owned(),
        why: Remark::parse("on paper").unwrap(),
        made: vec![message_to(50, "register")],
    };
    assert_eq!(bench.store.discard(discard.clone()).await, Ok(true));
    assert_eq!(bench.store.discard(discard).await, Ok(false));
    let told = bench.store.message(record(50)).await.unwrap();
    assert!(told.is_some(), "the notice is written with it");
    let steps = bench.store.attempts(delivery(1)).await.unwrap();
    let steps: Vec<_> = steps.iter().map(|step| (step.state, step.detail.as_deref().unwrap_or(""))).collect();
    assert_eq!(
        steps,
        [
            (DeliveryState::Parked, "line 3"),
            (DeliveryState::Queued, "o: mended"),
            (DeliveryState::Parked, ""),
            (DeliveryState::Discarded, "o: on paper"),
        ]
    );
}

async fn a_full_disk_is_a_state_that_ends_when_there_is_room(bench: &Bench) {
    assert!(!bench.store.is_full());
    bench.store.inner.full.store(true, std::sync::atomic::Ordering::Release);
    bench.store.look_for_room().await.unwrap();
    assert!(!bench.store.is_full());
    assert_eq!(bench.number("SELECT COUNT(*) FROM room").await, 0);
}
