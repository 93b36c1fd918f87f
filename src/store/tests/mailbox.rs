//! The mailbox: a repeat gets the same, a lease keeps others off, what is not acknowledged comes back.

use crate::domain::DeliveryState;

use super::*;

on_both! {
    a_pull_a_repeat_and_what_comes_back
    pulls_at_once_share_nothing
    a_batch_keeps_to_its_limits
}

/// Puts messages into the mailbox of health.
async fn fill(bench: &Bench, numbers: std::ops::Range<u64>) {
    for n in numbers.clone() {
        bench.store.accept(accept(message(n))).await.unwrap();
    }
    for claimed in bench.store.claim(claim("a", 0, 1_000)).await.unwrap() {
        let n = claimed.bytes.clone();
        let outgoing = Outgoing { signed: n, digest: digest(1), certificate: digest(2) };
        assert!(bench.store.store_outgoing(claimed.delivery_id, claimed.epoch, outgoing).await.unwrap());
        let outcome = Outcome::Sent { at: at(1), receipt_deadline: None, mailbox: true };
        assert!(bench.store.settle(settle(&claimed, 1, outcome)).await.unwrap());
    }
}

fn wish(pull_id: &str, seconds: i64) -> PullRequest {
    PullRequest {
        participant: who("health"),
        pull_id: pull_id.to_owned(),
        items_max: 10,
        bytes_max: 1_000_000,
        now: at(seconds),
        lease_ms: 60_000,
    }
}

async fn pull(bench: &Bench, wish: PullRequest) -> Vec<MailboxItem> {
    let Pull::Items { items, .. } = bench.store.pull(wish).await.unwrap() else { panic!("no items") };
    items
}

fn item(n: u64) -> MailboxItem {
    MailboxItem { delivery_id: delivery(n), bytes: message(n).bytes }
}

async fn acknowledge(bench: &Bench, n: u64, participant: &str) -> AnsweredResult {
    let answered = Answered {
        delivery_id: delivery(n),
        participant: who(participant),
        at: at(500),
        outcome: AnsweredOutcome::Delivered,
        bytes: b"<receipt/>".to_vec(),
        started: vec![],
        made: vec![],
        journal: vec![],
    };
    bench.store.answer(answered).await.unwrap()
}

async fn a_pull_a_repeat_and_what_comes_back(bench: &Bench) {
    fill(bench, 1..4).await;
    assert_eq!(bench.store.next_delivery_at(&[]).await.unwrap(), None, "nobody sends what lies in the mailbox");
    let all = vec![item(1), item(2), item(3)];
    assert_eq!(pull(bench, wish("p1", 10)).await, all);
    // The answer was lost before it was stored: the same items, and only for the same pull.
    assert_eq!(pull(bench, wish("p1", 20)).await, all);
    assert_eq!(pull(bench, wish("p2", 20)).await, []);
    assert_eq!(bench.store.store_pull_answer(&who("health"), "p1", b"first".to_vec()).await, Ok(b"first".to_vec()));
    assert_eq!(bench.store.store_pull_answer(&who("health"), "p1", b"second".to_vec()).await, Ok(b"first".to_vec()));
    assert_eq!(bench.store.pull(wish("p1", 69)).await, Ok(Pull::Repeated { answer: b"first".to_vec() }));
    assert_eq!(bench.store.pull(wish("p1", 70)).await, Ok(Pull::Reused));
    let nobody = bench.store.store_pull_answer(&who("health"), "p9", vec![]).await;
    assert!(matches!(nobody, Err(StoreError::Refused(_))));

    // One is acknowledged after the lease's end, by its own recipient only; the others come back with identical bytes.
    assert_eq!(acknowledge(bench, 2, "police").await, AnsweredResult::NotFound);
    assert_eq!(acknowledge(bench, 2, "health").await, AnsweredResult::Settled);
    assert_eq!(acknowledge(bench, 2, "health").await, AnsweredResult::Already(DeliveryState::Delivered));
    assert_eq!(pull(bench, wish("p3", 71)).await, [item(1), item(3)]);
    let police = PullRequest { participant: who("police"), ..wish("p3", 71) };
    assert_eq!(pull(bench, police).await, []);
    // Pulls that are purged are forgotten.
    assert_eq!(bench.store.purge(at(0), at(0), at(71)).await, Ok(2));
    assert_eq!(bench.store.pull(wish("p2", 72)).await.map(|p| matches!(p, Pull::Items { .. })), Ok(true));
}

async fn pulls_at_once_share_nothing(bench: &Bench) {
    fill(bench, 0..40).await;
    let other = bench.node().await;
    let asked = (0..12).map(|n| {
        let store = if n % 2 == 0 { &bench.store } else { &other };
        store.pull(PullRequest { items_max: 5, ..wish(&format!("p{n}"), 10) })
    });
    let mut seen = Vec::new();
    for answer in futures_util::future::join_all(asked).await {
        let Pull::Items { items, .. } = answer.unwrap() else { panic!("no items") };
        seen.extend(items.into_iter().map(|i| i.delivery_id));
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all, "no item in two batches");
    // Locked rows are skipped, so a pull may have got less than there was; the next gets the rest.
    seen.extend(
        pull(bench, PullRequest { items_max: 100, ..wish("rest", 10) }).await.into_iter().map(|i| i.delivery_id),
    );
    seen.sort();
    assert_eq!(seen, (0..40).map(delivery).collect::<Vec<_>>());
    other.close().await;
}

async fn a_batch_keeps_to_its_limits(bench: &Bench) {
    fill(bench, 1..6).await;
    let size = message(1).bytes.len() as u64;
    let by_bytes = PullRequest { bytes_max: 2 * size, ..wish("p1", 10) };
    assert_eq!(pull(bench, by_bytes).await, [item(1), item(2)]);
    let one_at_least = PullRequest { bytes_max: 1, ..wish("p2", 10) };
    assert_eq!(pull(bench, one_at_least).await, [item(3)]);
    let by_items = PullRequest { items_max: 1, ..wish("p3", 10) };
    assert_eq!(pull(bench, by_items).await, [item(4)]);
}
