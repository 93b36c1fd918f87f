//! The node is killed before a notification is sent, and after it is sent but before it is settled.

use super::hooks::HookSink;
use super::*;

#[test]
fn killed_before_and_after_the_wire_it_is_told_with_one_id_on_sqlite() {
    killed(Backend::Sqlite);
}

#[test]
fn killed_before_and_after_the_wire_it_is_told_with_one_id_on_postgresql() {
    killed(Backend::Postgres);
}

fn killed(backend: Backend) {
    // Before for the mail: its server takes the connection and says nothing. The webhook's system has the call and does not answer.
    let (mail, hook) = (SmtpSink::start(Mood::Mute), HookSink::start(None));
    let groups = format!("operators = {{ mail = [\"dispatch@example.org\"], webhook = [\"{}\"] }}", hook.url);
    let mut world = plan(backend, &groups, 0).setting(SmtpSink::settings(mail.address())).prepare();
    regulate(world.folder(), LADDER);
    world.serve();
    apply(&world);
    eventually("a connection to the mail server", SOON, || (mail.connections() > 0).then_some(()));
    hook.until(1, SOON);
    world.process().kill();
    assert!(mail.raw().is_empty(), "killed before the mail was on the wire");
    let once = |world: &World| {
        let kinds = journal(world);
        assert_eq!(kinds.iter().filter(|k| *k == "obligation-overdue").count(), 1, "one state change: {kinds:?}");
        let rows = notifications(world);
        assert_eq!(rows.len(), 2, "one notification for each address: {rows:?}");
        rows
    };
    let before = once(&world);

    // After: both have what was sent, and neither has answered yet.
    mail.behave(Mood::KeepsWaiting);
    world.process().restart();
    mail.until(1, SOON);
    hook.until(2, SOON);
    world.process().kill();
    assert!(once(&world).iter().all(|row| row["state"] == "queued"), "sent, and not settled");

    mail.behave(Mood::Takes);
    hook.answer(Some(200));
    world.process().restart();
    until_all(&world, 2, "sent");
    let after = once(&world);
    let ids = |rows: &[Value]| rows.iter().map(|row| row["mailing"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after), "what went out keeps its id over both kills");
    let letters = mail.letters();
    let calls = hook.calls();
    assert!(letters.len() >= 2 && calls.len() >= 3, "{} mails, {} calls", letters.len(), calls.len());
    assert!(letters.iter().all(|letter| letter.message_id == letters[0].message_id), "{letters:?}");
    assert!(calls.iter().all(|call| call.id == calls[0].id && call.body == calls[0].body), "{calls:?}");
    for row in &after {
        let id = row["mailing"].as_str().unwrap();
        match row["channel"].as_str().unwrap() {
            "mail" => assert_eq!(letters[0].message_id, format!("<{id}@example.org>")),
            _ => assert_eq!(calls[0].id, id),
        }
    }
    // The reminder too was made once.
    assert_eq!(world.number("SELECT COUNT(*) FROM messages WHERE type_name = 'deadline-reminder'"), 1);
}

/// The obligation is marked and the notifications stand in the database, and neither channel was even tried.
#[test]
fn killed_before_either_channel_was_tried_both_are_told_once_after_it() {
    let (mail, hook) = (SmtpSink::start(Mood::Takes), HookSink::start(Some(200)));
    let groups = format!("operators = {{ mail = [\"dispatch@example.org\"], webhook = [\"{}\"] }}", hook.url);
    // An hour is waited for company, so that nothing goes out before the kill.
    let mut world = plan(Backend::Sqlite, &groups, 3_600).setting(SmtpSink::settings(mail.address())).prepare();
    regulate(world.folder(), LADDER);
    world.serve();
    apply(&world);
    let before = eventually("the notifications", SOON, || Some(notifications(&world)).filter(|rows| rows.len() == 2));
    world.process().kill();
    assert_eq!((mail.connections(), hook.calls().len()), (0, 0), "killed before anything was on the wire");

    let settings = world.file("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let hurried = text.replace("notify.gather_seconds = 3600", "notify.gather_seconds = 0");
    assert_ne!(text, hurried);
    std::fs::write(&settings, hurried).unwrap();
    world.process().restart();
    let after = until_all(&world, 2, "sent");
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after), "one row for each address");
    assert_eq!(journal(&world).iter().filter(|kind| *kind == "obligation-overdue").count(), 1, "one state change");
    let (letters, calls) = (mail.letters(), hook.calls());
    assert_eq!((letters.len(), calls.len()), (1, 1), "{letters:?} {calls:?}");
    for row in &after {
        let id = row["mailing"].as_str().unwrap();
        match row["channel"].as_str().unwrap() {
            "mail" => assert_eq!(letters[0].message_id, format!("<{id}@example.org>")),
            _ => assert_eq!(calls[0].id, id),
        }
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM messages WHERE type_name = 'deadline-reminder'"), 1);
}
