//! What messages settle whose files come after them: within the grace as of the acceptance, later as of the files' coming, and never
//! while they are awaited.

use super::attaching::{listing, whole};
use super::owing::{mark, obligation};
use super::*;
use crate::domain::{ObligationState, SettleKind};

on_both! {
    whole_within_the_grace_it_settles_as_of_the_acceptance
    whole_after_the_grace_it_settles_as_of_then
    opening_accepting_and_uploading_commute
    the_watcher_waits_as_long_as_it_may_still_be_met_in_time
    wrong_files_and_an_expired_message_settle_nothing
    an_answer_and_its_file_that_cross_each_other_settle
    two_files_of_one_message_that_cross_each_other_do_not_miss_each_other
    the_earliest_that_counts_is_it
}

/// Message `n` lists files and settles obligation `of` at `seconds`; they may come until `until`.
fn answer(n: u64, files: &[u8], of: u64, seconds: i64, until: i64) -> Accept {
    let files: Vec<_> = files.iter().map(|file| (*file, 10)).collect();
    let settles = NewSettlement { grace_until: at(until), ..settlement(of, seconds, n) };
    Accept { settlements: vec![settles], ..accept(listing(n, &files)) }
}

async fn open(bench: &Bench, n: u64, due: i64) {
    bench.store.open_obligations(vec![owed(n, due)], at(0)).await.unwrap();
}

async fn uploaded(bench: &Bench, file: u8, seconds: i64) {
    bench.store.attachment_whole(whole(file, "register", &format!("file-{file}"), seconds)).await.unwrap();
}

/// The state, when it was settled and when the watcher looks again.
async fn stands(bench: &Bench, n: u64) -> (ObligationState, Option<Timestamp>, Option<Timestamp>) {
    let row = obligation(bench, n).await;
    (row.state, row.settled_at, row.next_at)
}

/// As of acceptance, when it was whole, and the instant that counts.
async fn late(bench: &Bench, n: u64) -> (Timestamp, Option<Timestamp>, Option<Timestamp>) {
    let found = bench.store.late_settlements_of(record(n)).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].claimed_at, found[0].whole_at, found[0].counts_at)
}

async fn kinds(bench: &Bench, kind: &str) -> usize {
    bench.store.list_journal(None, 99).await.unwrap().iter().filter(|row| row.entry.kind == kind).count()
}

async fn whole_within_the_grace_it_settles_as_of_the_acceptance(bench: &Bench) {
    open(bench, 1, 100).await;
    bench.store.accept(answer(10, &[1, 2], 1, 50, 500)).await.unwrap();
    assert_eq!(stands(bench, 1).await, (ObligationState::Open, None, Some(at(90))));
    assert_eq!(late(bench, 10).await, (at(50), None, None));
    uploaded(bench, 1, 60).await;
    assert_eq!(stands(bench, 1).await, (ObligationState::Open, None, Some(at(90))), "one is not all");
    uploaded(bench, 2, 499).await;
    assert_eq!(stands(bench, 1).await, (ObligationState::Met, Some(at(50)), None));
    assert_eq!(late(bench, 10).await, (at(50), Some(at(499)), Some(at(50))));
    let row = obligation(bench, 1).await;
    assert_eq!((row.settle_kind, row.settled_record), (Some(SettleKind::Message), Some(record(10))));
    let of_it = bench.store.late_settlements_for(&[&row]).await.unwrap();
    assert_eq!((of_it.len(), of_it[&row.id][0].record_id), (1, record(10)));
    assert_eq!(kinds(bench, "obligation-met").await, 1);
    // Where nothing is missing there is nothing to tell.
    open(bench, 2, 100).await;
    bench.store.accept(answer(11, &[1, 2], 2, 60, 500)).await.unwrap();
    assert_eq!(stands(bench, 2).await, (ObligationState::Met, Some(at(60)), None));
    assert_eq!(bench.store.late_settlements_of(record(11)).await.unwrap(), []);
}

async fn whole_after_the_grace_it_settles_as_of_then(bench: &Bench) {
    for (n, due, state) in [(1, 200, ObligationState::Met), (2, 100, ObligationState::MetLate)] {
        let file = u8::try_from(n).unwrap();
        open(bench, n, due).await;
        bench.store.accept(answer(10 + n, &[file], n, 50, 80)).await.unwrap();
        uploaded(bench, file, 120).await;
        assert_eq!(stands(bench, n).await, (state, Some(at(120)), None), "{n}");
        assert_eq!(late(bench, 10 + n).await, (at(50), Some(at(120)), Some(at(120))));
    }
}

async fn opening_accepting_and_uploading_commute(bench: &Bench) {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (n, (until, met, order)) in
        [(500, 50), (80, 120)].into_iter().flat_map(|(until, met)| orders.map(|order| (until, met, order))).enumerate()
    {
        let (of, file) = (n as u64 + 1, n as u8 + 1);
        for step in order {
            match step {
                0 => open(bench, of, 100).await,
                1 => drop(bench.store.accept(answer(100 + of, &[file], of, 50, until)).await.unwrap()),
                _ => uploaded(bench, file, 120).await,
            }
        }
        // Who uploads before its message was never late.
        let first = order.iter().position(|s| *s == 2) < order.iter().position(|s| *s == 1);
        let met = if first { 50 } else { met };
        let state = if met < 100 { ObligationState::Met } else { ObligationState::MetLate };
        assert_eq!(stands(bench, of).await, (state, Some(at(met)), None), "{until} {order:?}");
    }
}

async fn the_watcher_waits_as_long_as_it_may_still_be_met_in_time(bench: &Bench) {
    for n in 1..=3 {
        open(bench, n, 100).await;
    }
    bench.store.accept(answer(11, &[1], 1, 50, 500)).await.unwrap();
    // In time by no means: the answer itself came too late.
    bench.store.accept(answer(12, &[2], 2, 100, 500)).await.unwrap();
    // The files have had their time.
    bench.store.accept(answer(13, &[3], 3, 50, 120)).await.unwrap();
    for n in 1..=3 {
        let warn = mark(&obligation(bench, n).await, ObligationState::Warned, 90);
        assert_eq!(bench.store.mark(vec![warn]).await.unwrap().len(), 1, "who waits for files is warned all the same");
    }
    let overdue = [(1, 120), (2, 120), (3, 120)];
    let mut marks = Vec::new();
    for (n, seconds) in overdue {
        marks.push(mark(&obligation(bench, n).await, ObligationState::Overdue, seconds));
    }
    assert_eq!(bench.store.mark(marks).await.unwrap(), [owed(2, 0).id, owed(3, 0).id]);
    assert_eq!(stands(bench, 1).await, (ObligationState::Warned, None, Some(at(500))));
    assert_eq!(kinds(bench, "obligation-awaits-files").await, 1);
    assert_eq!(bench.store.due(at(499), 9).await.unwrap(), [], "nothing spins");
    // They came: it was never overdue. The other one had been, and is met as of then.
    uploaded(bench, 1, 400).await;
    uploaded(bench, 3, 400).await;
    assert_eq!(stands(bench, 1).await, (ObligationState::Met, Some(at(50)), None));
    assert_eq!(obligation(bench, 1).await.overdue_at, None);
    assert_eq!(stands(bench, 3).await, (ObligationState::MetLate, Some(at(400)), None));
    // They never come.
    open(bench, 4, 100).await;
    bench.store.accept(answer(14, &[4], 4, 50, 500)).await.unwrap();
    for (seconds, marked) in [(100, 0), (500, 1)] {
        let row = obligation(bench, 4).await;
        let marks = vec![mark(&row, ObligationState::Overdue, seconds)];
        assert_eq!(bench.store.mark(marks).await.unwrap().len(), marked, "{seconds}");
    }
    assert_eq!(obligation(bench, 4).await.overdue_at, Some(at(500)));
}

async fn wrong_files_and_an_expired_message_settle_nothing(bench: &Bench) {
    for n in 1..=2 {
        open(bench, n, 100).await;
        bench.store.accept(answer(10 + n, &[n as u8], n, 50, 500)).await.unwrap();
    }
    let mut other_size = whole(1, "register", "file-1", 60);
    other_size.stored.size_bytes = 11;
    bench.store.attachment_whole(other_size).await.unwrap();
    let expire =
        format!("UPDATE deliveries SET state = 'expired', reason = NULL, next_at = NULL WHERE id = '{}'", delivery(12));
    bench.sql(&expire).await;
    uploaded(bench, 2, 60).await;
    for n in 1..=2 {
        assert_eq!(stands(bench, n).await, (ObligationState::Open, None, Some(at(90))), "{n}");
        let overdue = mark(&obligation(bench, n).await, ObligationState::Overdue, 100);
        assert_eq!(bench.store.mark(vec![overdue]).await.unwrap().len(), 1, "nothing is waited for");
    }
    // Put back, it counts from then.
    let replay = Replay {
        delivery_ids: vec![delivery(12)],
        now: at(600),
        actor: "operator".to_owned(),
        why: None,
        retranslate: false,
    };
    bench.store.replay(replay).await.unwrap();
    assert_eq!(stands(bench, 2).await, (ObligationState::MetLate, Some(at(600)), None));
    assert_eq!(late(bench, 11).await, (at(50), None, None));
}

async fn an_answer_and_its_file_that_cross_each_other_settle(bench: &Bench) {
    let other = bench.node().await;
    for n in 1..=40_u8 {
        let of = u64::from(n);
        let (opened, accepted, stored) = tokio::join!(
            bench.store.open_obligations(vec![owed(of, 100)], at(0)),
            bench.store.accept(answer(100 + of, &[n], of, 50, 500)),
            other.attachment_whole(whole(n, "register", &format!("file-{n}"), 60)),
        );
        assert!(opened.is_ok() && accepted.is_ok() && stored.is_ok());
        // As the watcher does at the latest.
        let row = obligation(bench, of).await;
        if row.next_at.is_some() {
            assert_eq!(bench.store.mark(vec![mark(&row, ObligationState::Overdue, 100)]).await.unwrap(), []);
        }
        assert_eq!(stands(bench, of).await, (ObligationState::Met, Some(at(50)), None), "{n}");
    }
    other.close().await;
}

async fn two_files_of_one_message_that_cross_each_other_do_not_miss_each_other(bench: &Bench) {
    let other = bench.node().await;
    for n in 1..=40_u8 {
        let (of, second) = (u64::from(n), n + 100);
        open(bench, of, 100).await;
        bench.store.accept(answer(100 + of, &[n, second], of, 50, 500)).await.unwrap();
        let (a, b) = tokio::join!(
            bench.store.attachment_whole(whole(n, "register", &format!("file-{n}"), 60)),
            other.attachment_whole(whole(second, "register", &format!("file-{second}"), 60)),
        );
        assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
        assert_eq!(stands(bench, of).await, (ObligationState::Met, Some(at(50)), None), "{n}");
        let sent = bench.store.delivery(delivery(100 + of)).await.unwrap().unwrap().0;
        assert_eq!((sent.next_at, sent.reason), (Some(at(60)), None), "{n} waits for what is here");
    }
    other.close().await;
}

async fn the_earliest_that_counts_is_it(bench: &Bench) {
    open(bench, 1, 100).await;
    bench.store.accept(answer(10, &[1], 1, 40, 500)).await.unwrap();
    bench.store.accept(answer(11, &[], 1, 60, 500)).await.unwrap();
    assert_eq!(stands(bench, 1).await, (ObligationState::Met, Some(at(60)), None));
    uploaded(bench, 1, 70).await;
    assert_eq!(stands(bench, 1).await, (ObligationState::Met, Some(at(40)), None));
    assert_eq!(obligation(bench, 1).await.settled_record, Some(record(10)));
}
