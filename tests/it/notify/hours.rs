//! Days off: the state changes at its instant, people are told on the next working day. In this process, with a clock of its own.

use std::sync::Arc;

use mezhved::app::Node;
use mezhved::domain::{NotificationState, ObligationState};
use mezhved::gateway::Clock;
use mezhved::settings::Settings;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}+05:00")).unwrap()
}

/// A node in this process, whose business time is this.
fn start(world: &World, business: Timestamp) -> (Node, Arc<Clock>) {
    let clock = Arc::new(Clock::with_offset(business.since(now())));
    let settings = Settings::load(world.folder()).unwrap();
    let node = RUNTIME.block_on(Node::start(settings, "hours".to_owned(), clock.clone())).unwrap();
    (node, clock)
}

#[test]
fn who_wakes_two_weeks_late_loses_no_step_and_takes_none_twice() {
    let mail = SmtpSink::start(Mood::Takes);
    let groups = "operators = { mail = [\"dispatch@example.org\"] }, head = { mail = [\"head@example.org\"] }";
    let world = plan(Backend::Sqlite, groups, 0).setting(SmtpSink::settings(mail.address())).prepare();
    let owed = owe(&database(&world), &[at("2026-05-16T00:00:00")], &[at("2026-05-14T09:00:00")]);
    // A Monday; and once more, as if the machine had been switched off again at once.
    for hour in ["10", "11"] {
        let (node, _) = start(&world, at(&format!("2026-06-01T{hour}:00:00")));
        mail.until(3, SOON);
        let store = node.gateway().store().clone();
        eventually("all told", SOON, || {
            let rows = RUNTIME.block_on(store.list_notifications(Some(NotificationState::Sent), 10)).unwrap();
            (rows.len() == 3).then_some(())
        });
        let row = RUNTIME.block_on(store.obligation(owed[0])).unwrap().unwrap();
        assert_eq!((row.state, row.next_at, row.warned_at), (ObligationState::Overdue, None, None));
        drop(store);
        RUNTIME.block_on(node.stop());
    }
    let mut told: Vec<(String, bool)> =
        mail.letters().into_iter().map(|l| (l.to, l.subject.contains("просрочено давно"))).collect();
    told.sort();
    let (dispatch, head) = ("dispatch@example.org".to_owned(), "head@example.org".to_owned());
    assert_eq!(told, [(dispatch.clone(), false), (dispatch, true), (head, true)]);
    let kinds = journal(&world);
    for kind in ["obligation-overdue", "obligation-escalated"] {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), 1, "{kind}: {kinds:?}");
    }
    assert!(!kinds.contains(&"obligation-warned".to_owned()), "what is overdue is not warned of");
}

#[test]
fn what_is_overdue_on_a_saturday_is_told_on_monday_morning_and_the_ladder_goes_on_in_working_days() {
    let mail = SmtpSink::start(Mood::Takes);
    let groups = "operators = { mail = [\"dispatch@example.org\"] }, head = { mail = [\"head@example.org\"] }";
    let world = plan(Backend::Sqlite, groups, 0).setting(SmtpSink::settings(mail.address())).prepare();
    // The built-in regulation: no ladder of its own, and rules that rest on days off. Due until the end of Friday 15 May 2026.
    let owed = owe(&database(&world), &[at("2026-05-16T00:00:00")], &[]);
    let (node, clock) = start(&world, at("2026-05-16T12:00:00"));
    let store = node.gateway().store().clone();
    let waiting = |count| {
        eventually(&format!("{count} notifications"), SOON, || {
            let rows = RUNTIME.block_on(store.list_notifications(None, 10)).unwrap();
            (rows.len() == count).then_some(rows)
        })
    };

    let rows = waiting(1);
    let row = RUNTIME.block_on(store.obligation(owed[0])).unwrap().unwrap();
    assert_eq!(row.state, ObligationState::Overdue, "the state does not wait");
    // Three working days after Friday, with a Saturday and a Sunday between: Wednesday.
    assert_eq!(row.next_at, Some(at("2026-05-20T09:00:00")));
    assert_eq!((rows[0].state, rows[0].notification.send_at), (NotificationState::Waiting, at("2026-05-18T09:00:00")));
    assert!(clock.jump_to(at("2026-05-18T08:00:00")));
    assert_eq!(waiting(1)[0].state, NotificationState::Waiting);
    assert!(mail.raw().is_empty());

    clock.jump_to(at("2026-05-18T09:00:00"));
    mail.until(1, SOON);
    clock.jump_to(at("2026-05-20T09:00:00"));
    mail.until(3, SOON);
    let rows = waiting(3);
    let steps: Vec<(&str, &str)> =
        rows.iter().rev().map(|r| (r.notification.group.as_str(), r.notification.rung.as_str())).collect();
    let later = "3 working days after";
    assert_eq!(steps, [("operators", "overdue"), ("operators", later), ("head", later)]);
    let letters = mail.letters();
    assert!(letters[0].text.contains("1 рабочий день / 1 working day\n"), "{}", letters[0].text);
    assert!(letters[1..].iter().all(|l| l.text.contains("3 рабочих дня / 3 working days")), "{letters:?}");
    assert_eq!(RUNTIME.block_on(store.obligation(owed[0])).unwrap().unwrap().next_at, None, "the ladder has ended");
    drop(store);
    RUNTIME.block_on(node.stop());
}
