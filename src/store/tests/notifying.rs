//! Notifications: written once with the mark, gathered address by address, sent under a lease.

use super::*;
use crate::domain::{MailingId, NotificationChannel, NotificationId, NotificationStage, NotificationState, ParkReason};
use crate::domain::{ObligationState, SettleKind};

on_both! {
    a_mark_writes_who_is_told_once
    few_go_one_by_one_and_a_storm_as_one_digest
    what_was_settled_before_its_hour_is_dropped
    one_node_tells_and_a_late_result_is_dropped
    a_failed_mailing_comes_again_with_its_id_and_one_given_up_does_not
    a_further_step_changes_no_state
}

const LIMITS: RoundLimits =
    RoundLimits { claim_max: 100, mailing_lease_ms: 30_000, gather_ms: 0, window_mailings_max: 3, window_ms: 60_000 };

fn round(node: &str, seconds: i64) -> NotifyRound {
    NotifyRound { node: node.to_owned(), now: at(seconds), business_now: at(seconds), lease_ms: 10_000, limits: LIMITS }
}

fn notification(n: u64, target: &str, seconds: i64) -> NewNotification {
    NewNotification {
        id: NotificationId::from_uuid(uuid(7_000_000 + n)),
        obligation_id: ObligationId::from_uuid(uuid(n)),
        stage: NotificationStage::Overdue,
        rung: "overdue".to_owned(),
        anchor: at(100),
        channel: NotificationChannel::Mail,
        target: target.to_owned(),
        group: "operators".to_owned(),
        event_at: at(100),
        send_at: at(seconds),
    }
}

/// Opens obligations 1 to `count` and marks them overdue, each with a notification to be sent from `seconds` on.
async fn overdue(bench: &Bench, count: u64, seconds: i64) {
    bench.store.open_obligations((1..=count).map(|n| owed(n, 100)).collect(), at(0)).await.unwrap();
    let marks = (1..=count).map(|n| mark(n, vec![notification(n, "a@example.org", seconds)]));
    assert_eq!(bench.store.mark(marks.collect()).await.unwrap().len(), usize::try_from(count).unwrap());
}

fn mark(n: u64, notifications: Vec<NewNotification>) -> Mark {
    Mark {
        id: ObligationId::from_uuid(uuid(n)),
        expected_next_at: at(90),
        state: ObligationState::Overdue,
        stays: false,
        next_at: Some(at(200)),
        at: at(100),
        now: at(100),
        made: vec![],
        notifications,
        journal: vec![],
    }
}

async fn taken(bench: &Bench, seconds: i64) -> Taken {
    bench.store.notify_round(round("a", seconds)).await.unwrap().expect("the lease is ours")
}

async fn settled(bench: &Bench, mailing: &ClaimedMailing, outcome: MailingOutcome) -> bool {
    bench.store.settle_mailing(SettleMailing { mailing: mailing.clone(), outcome, now: at(300) }).await.unwrap()
}

async fn states(bench: &Bench) -> Vec<NotificationState> {
    bench.store.list_notifications(None, 1_000).await.unwrap().iter().map(|row| row.state).collect()
}

async fn a_mark_writes_who_is_told_once(bench: &Bench) {
    bench.store.open_obligations(vec![owed(1, 100)], at(0)).await.unwrap();
    let both = vec![notification(1, "a@example.org", 100), notification(2, "b@example.org", 100)];
    let both: Vec<_> = both.into_iter().map(|n| NewNotification { obligation_id: owed(1, 0).id, ..n }).collect();
    let other = bench.node().await;
    let (a, b) = tokio::join!(bench.store.mark(vec![mark(1, both.clone())]), other.mark(vec![mark(1, both.clone())]));
    assert_eq!(a.unwrap().len() + b.unwrap().len(), 1);
    assert_eq!(bench.number("SELECT COUNT(*) FROM notifications").await, 2);
    // The same step for the same address, in whatever mark: one row. A moved term is another step.
    let again = NewNotification { id: NotificationId::from_uuid(uuid(900)), ..both[0].clone() };
    let moved = NewNotification { id: NotificationId::from_uuid(uuid(901)), anchor: at(150), ..both[0].clone() };
    let mark = Mark { expected_next_at: at(200), stays: true, ..mark(1, vec![again, moved]) };
    assert_eq!(bench.store.mark(vec![mark]).await.unwrap().len(), 1);
    assert_eq!(bench.number("SELECT COUNT(*) FROM notifications").await, 3);
    other.close().await;
}

async fn few_go_one_by_one_and_a_storm_as_one_digest(bench: &Bench) {
    overdue(bench, 2, 100).await;
    let singles = taken(bench, 100).await.mailings;
    assert_eq!(singles.iter().map(|m| (m.digest, m.attempt)).collect::<Vec<_>>(), [(false, 1), (false, 1)]);
    // Room for one more within the window, and seventy wait: one digest. Another address is not concerned.
    let ids = 1_000..1_070_u64;
    bench.store.open_obligations(ids.clone().map(|n| owed(n, 100)).collect(), at(0)).await.unwrap();
    let marks = ids.map(|n| mark(n, vec![notification(n, "a@example.org", 100)]));
    bench.store.mark(marks.collect()).await.unwrap();
    bench.store.open_obligations(vec![owed(2_000, 100)], at(0)).await.unwrap();
    bench.store.mark(vec![mark(2_000, vec![notification(2_000, "b@example.org", 100)])]).await.unwrap();
    let second = taken(bench, 101).await.mailings;
    let mut shown: Vec<_> = second.iter().map(|m| (m.target.as_str(), m.digest)).collect();
    shown.sort_unstable();
    assert_eq!(shown, [("a@example.org", true), ("b@example.org", false)]);
    let digest = second.iter().find(|m| m.digest).unwrap();
    let content = bench.store.mailing_content(digest.id, true, 5).await.unwrap();
    let MailingContent::Digest { count, lines, first } = content else { panic!("{content:?}") };
    let line = DigestLine { debtor: who("health"), stage: NotificationStage::Overdue, count: 70 };
    assert_eq!((count, lines, first.len()), (70, vec![line], 5));
    // No room: what comes now waits until the first of the three has left the window.
    bench.store.open_obligations(vec![owed(3_000, 100)], at(0)).await.unwrap();
    bench.store.mark(vec![mark(3_000, vec![notification(3_000, "a@example.org", 100)])]).await.unwrap();
    let none = taken(bench, 102).await;
    assert_eq!((none.mailings.len(), none.next_at), (0, Some(at(130))), "the first lease ends before there is room");
    for mailing in singles.iter().chain(&second) {
        assert!(settled(bench, mailing, MailingOutcome::Sent).await);
    }
    assert_eq!(taken(bench, 103).await.next_at, Some(at(160)));
    assert_eq!(taken(bench, 161).await.mailings.len(), 1);
    let listed = bench.store.list_notifications(Some(NotificationState::Sent), 1_000).await.unwrap();
    assert_eq!(listed.iter().filter(|row| row.in_digest).count(), 70);
    assert_eq!(bench.number("SELECT COUNT(*) FROM notifications WHERE mailing_id IS NULL").await, 0);
}

async fn what_was_settled_before_its_hour_is_dropped(bench: &Bench) {
    overdue(bench, 2, 500).await;
    let early = taken(bench, 100).await;
    assert_eq!((early.mailings.len(), early.next_business_at), (0, Some(at(500))));
    assert_eq!(states(bench).await, [NotificationState::Waiting; 2]);
    // Obligation 1 is met over the weekend.
    let met = Accept { settlements: vec![settlement(1, 400, 9)], ..accept(message(9)) };
    bench.store.accept(met).await.unwrap();
    let row = bench.store.obligation(owed(1, 0).id).await.unwrap().unwrap();
    assert_eq!((row.state, row.settle_kind), (ObligationState::MetLate, Some(SettleKind::Message)));
    let told = taken(bench, 500).await.mailings;
    assert_eq!(told.len(), 1);
    let content = bench.store.mailing_content(told[0].id, false, 5).await.unwrap();
    let MailingContent::One(both) = content else { panic!("{content:?}") };
    assert_eq!((both.0.obligation_id, both.1.state), (owed(2, 0).id, ObligationState::Overdue));
    let mut found = states(bench).await;
    found.sort_unstable();
    assert_eq!(found, [NotificationState::Queued, NotificationState::Dropped]);
    let journal = bench.store.list_journal(None, 99).await.unwrap();
    assert_eq!(journal.iter().filter(|row| row.entry.kind == "notification-dropped").count(), 1);
}

async fn one_node_tells_and_a_late_result_is_dropped(bench: &Bench) {
    overdue(bench, 1, 100).await;
    let first = taken(bench, 100).await.mailings;
    assert_eq!(bench.store.notify_round(round("b", 105)).await.unwrap(), None, "the lease is another's");
    // The first node is gone; its lease and then its mailing's end.
    assert!(bench.store.notify_round(round("b", 111)).await.unwrap().unwrap().mailings.is_empty());
    let second = bench.store.notify_round(round("b", 131)).await.unwrap().unwrap().mailings;
    assert_eq!((second.len(), second[0].id, second[0].attempt), (1, first[0].id, 2), "the same id");
    assert!(!settled(bench, &first[0], MailingOutcome::Sent).await, "late");
    assert!(settled(bench, &second[0], MailingOutcome::Sent).await);
    assert!(!settled(bench, &second[0], MailingOutcome::Sent).await, "once");
    assert_eq!(states(bench).await, [NotificationState::Sent]);
    let journal = bench.store.list_journal(None, 99).await.unwrap();
    let sent: Vec<_> = journal.iter().filter(|row| row.entry.kind == "notification-sent").collect();
    assert_eq!((sent.len(), sent[0].entry.obligation_id), (1, Some(owed(1, 0).id)));
    assert!(!sent[0].entry.detail.to_string().contains('@'), "no address in the journal");
}

async fn a_failed_mailing_comes_again_with_its_id_and_one_given_up_does_not(bench: &Bench) {
    overdue(bench, 1, 100).await;
    let first = taken(bench, 100).await.mailings;
    let (reason, detail) = (ParkReason::Unreachable, "no line".to_owned());
    assert!(settled(bench, &first[0], MailingOutcome::Again { at: at(150), reason, detail: detail.clone() }).await);
    assert_eq!(taken(bench, 120).await.next_at, Some(at(150)));
    let second = taken(bench, 150).await.mailings;
    assert_eq!((second[0].id, second[0].attempt), (first[0].id, 2));
    assert!(settled(bench, &second[0], MailingOutcome::Park { reason, detail }).await);
    assert_eq!(taken(bench, 9_000).await, Taken::default());
    let row = &bench.store.list_notifications(Some(NotificationState::Parked), 10).await.unwrap()[0];
    assert_eq!((row.reason.as_deref(), row.detail.as_deref(), row.attempts), (Some("unreachable"), Some("no line"), 2));
    // Whoever mended the line tries again: the same id, attempts from the beginning.
    let other = vec![MailingId::from_uuid(uuid(5))];
    assert_eq!(bench.store.retry_mailings(other, "ivanova", at(9_000)).await, Ok(0));
    assert_eq!(bench.store.retry_mailings(vec![], "ivanova", at(9_000)).await, Ok(1));
    let third = taken(bench, 9_001).await.mailings;
    assert_eq!((third[0].id, third[0].attempt), (first[0].id, 1));
    assert!(bench.store.mailing_content(MailingId::from_uuid(uuid(1)), false, 1).await.is_err());
}

async fn a_further_step_changes_no_state(bench: &Bench) {
    overdue(bench, 1, 100).await;
    assert_eq!(bench.store.next_instant().await, Ok(Some(at(200))), "the ladder wakes the watcher");
    let entry = JournalEntry { kind: "obligation-escalated".to_owned(), ..JournalEntry::default() };
    let further = Mark {
        expected_next_at: at(200),
        stays: true,
        next_at: None,
        at: at(200),
        journal: vec![entry],
        ..mark(1, vec![])
    };
    assert_eq!(bench.store.mark(vec![further.clone()]).await.unwrap().len(), 1);
    assert_eq!(bench.store.mark(vec![further]).await.unwrap(), []);
    let row = bench.store.obligation(owed(1, 0).id).await.unwrap().unwrap();
    assert_eq!((row.state, row.overdue_at, row.next_at), (ObligationState::Overdue, Some(at(100)), None));
    let kinds: Vec<_> = bench.store.list_journal(None, 99).await.unwrap().into_iter().map(|r| r.entry.kind).collect();
    for kind in ["obligation-overdue", "obligation-escalated"] {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), 1, "{kind}: {kinds:?}");
    }
}
