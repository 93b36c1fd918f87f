//! What operators look at: messages by their states, figures, reminders.

use crate::access::Scope;
use crate::domain::{DeliveryState, ParkReason};

use super::*;

on_both! {
    messages_are_found_by_party_and_state_page_by_page
    figures_count_what_their_lists_show
    of_two_reminders_one_goes_out
}

async fn parked(bench: &Bench) {
    for (n, to) in [(1, "health"), (2, "police"), (3, "health")] {
        bench.store.accept(accept(message_to(n, to))).await.unwrap();
    }
    let claimed = bench.store.claim(claim("a", 1, 1)).await.unwrap().remove(0);
    let outcome = Outcome::Park { reason: ParkReason::TranslationFailed, detail: String::new() };
    assert_eq!(bench.store.settle(settle(&claimed, 2, outcome)).await, Ok(true));
}

async fn messages_are_found_by_party_and_state_page_by_page(bench: &Bench) {
    parked(bench).await;
    let found = async |filter: MessageFilter, before, limit| {
        let rows = bench.store.list_messages(&filter, before, limit).await.unwrap();
        rows.iter().map(|row| row.record_id).collect::<Vec<_>>()
    };
    let party = |id: &str| MessageFilter { party: Some(who(id)), ..MessageFilter::default() };
    assert_eq!(found(party("register"), None, 2).await, [record(3), record(2)]);
    assert_eq!(found(party("register"), Some(record(2)), 2).await, [record(1)]);
    assert_eq!(found(party("health"), None, 9).await, [record(3), record(1)]);
    let within = Scope { participants: [who("police")].into(), ..Scope::whole() };
    assert_eq!(found(MessageFilter { within, ..MessageFilter::default() }, None, 9).await, [record(2)]);
    let of = |states: &[DeliveryState]| MessageFilter { states: states.to_vec(), ..MessageFilter::default() };
    assert_eq!(found(of(&[DeliveryState::Parked]), None, 9).await.len(), 1);
    assert_eq!(found(of(&[DeliveryState::Queued, DeliveryState::Leased]), None, 9).await.len(), 2);
    assert_eq!(found(of(&[DeliveryState::Expired, DeliveryState::Discarded]), None, 9).await.len(), 0);
    assert_eq!(found(of(&[DeliveryState::Delivered]), None, 9).await.len(), 0);
    if bench.schema.is_none() {
        for select in crate::store::desk::message_listings(&party("health"), Some(record(9)), 50) {
            let plan = select.explain(bench.store.inner.engine, bench.store.readers()).await.unwrap().join("\n");
            assert!(plan.contains("messages_by_") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}

async fn figures_count_what_their_lists_show(bench: &Bench) {
    parked(bench).await;
    bench.store.open_obligations(vec![owed(1, 100), owed(2, 200)], at(0)).await.unwrap();
    let figures = bench.store.desk_figures(&Scope::whole(), at(150)).await.unwrap();
    assert_eq!((figures.overdue, figures.due), (vec![], vec![(who("health"), 1)]));
    let held: u64 = figures.held.iter().map(|held| held.count).sum();
    assert_eq!(held, 3);
    assert!(figures.held.contains(&Held {
        state: DeliveryState::Parked,
        reason: Some(ParkReason::TranslationFailed),
        count: 1
    }));
    let police = Scope { participants: [who("police")].into(), ..Scope::whole() };
    let figures = bench.store.desk_figures(&police, at(150)).await.unwrap();
    assert_eq!((figures.due.len(), figures.held.len()), (0, 1));
    assert_eq!(bench.store.met_in_time(&Scope::whole(), (at(0), at(150))).await, Ok(InTime::default()));
    let pace = bench.store.pace_since(Timestamp::from_micros(0)).await.unwrap();
    let health = pace.iter().find(|pace| pace.recipient == who("health")).unwrap();
    assert_eq!((health.begun, health.handed), (2, 0));
    let latest = ObligationFilter { latest_first: true, ..ObligationFilter::default() };
    let first = bench.store.list_obligations(&latest, None, 1).await.unwrap();
    assert_eq!(first[0].due_at, Some(at(200)));
    let next = bench.store.list_obligations(&latest, Some(DueCursor::after(&first[0])), 9).await.unwrap();
    assert_eq!(next.iter().map(|row| row.due_at).collect::<Vec<_>>(), [Some(at(100))]);
}

async fn of_two_reminders_one_goes_out(bench: &Bench) {
    bench.store.open_obligations(vec![owed(1, 100)], at(0)).await.unwrap();
    let reminder = |n: u64, seconds: i64| Reminder {
        obligation_id: owed(1, 100).id,
        message: message(n),
        author: "account:x".to_owned(),
        at: at(seconds),
        now: at(seconds),
    };
    let both = in_one_batch(
        bench,
        vec![bench.store.enter_reminder(reminder(51, 1)), bench.store.enter_reminder(reminder(52, 1))],
    )
    .await;
    assert_eq!(both, [Ok(Ok(())), Ok(Err(NotReminded::JustNow))]);
    assert_eq!(bench.number("SELECT COUNT(*) FROM messages").await, 1);
    assert_eq!(bench.store.enter_reminder(reminder(53, 3_602)).await, Ok(Ok(())));
    assert_eq!(bench.store.acts(owed(1, 100).id).await.unwrap().len(), 2);
    assert_eq!(bench.number("SELECT COUNT(*) FROM journal WHERE kind = 'obligation-reminded'").await, 2);
}
