//! Who is told of a deadline: by mail, by webhook and by an envelope; through failures and kills; once a storm, and not on days off.

mod crash;
mod hooks;
mod hours;
mod trial;

use std::path::Path;

use mezhved::domain::{CaseId, ObligationId, ParticipantId, RuleId, Timestamp};
use mezhved::envelope::technical::{DeadlineReminder, ReminderStage};
use mezhved::store::{NewObligation, ObligationStart, Running, Store, StoreOptions};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Mood, SmtpSink, eventually};
use crate::world::{Backend, Plan, RUNTIME, SOON, THREE_RULES, World, bodies, now};
use hooks::HookSink;

/// A ladder of one step, for the two rules that these tests let pass.
const LADDER: &str =
    "\n[[escalation]]\nat = \"overdue\"\nto = [\"operators\"]\nrules = [\"document-request\", \"document-answer\"]\n";

/// These groups are told, after waiting so many seconds for company.
fn plan(backend: Backend, groups: &str, gather_seconds: u32) -> Plan {
    let plan = World::on(backend)
        .setting(format!("notify.groups = {{ {groups} }}"))
        .setting(format!("notify.gather_seconds = {gather_seconds}"))
        .setting(format!("notify.webhook.secret = \"{}\"", HookSink::secret()));
    let plan = plan.setting("notify.retry_base_ms = 50").setting("notify.retry_ceiling_ms = 500");
    plan.setting("push.timeout_ms = 5000")
}

/// Puts the regulation in place with this ladder. Its rules run round the clock, so that the tests may run on any day.
fn regulate(folder: &Path, ladder: &str) {
    let text = THREE_RULES.replace("[[deadline]]\n", "[[deadline]]\nround_the_clock = true\n");
    std::fs::write(folder.join("regulations/yugra.toml"), format!("{text}{ladder}")).unwrap();
}

/// An application of twenty days ago, with one document to be asked for: the register owes the request since long.
fn apply(world: &World) -> CaseId {
    let (register, case) = (world.agency("register"), CaseId::from_uuid(Uuid::now_v7()));
    let body = bodies::application(now().plus_seconds(-20 * 86_400), &[("guardianship-act", "guardianship")]);
    let mut draft = register.draft("register", "application", body);
    draft.header.case_id = Some(case);
    world.post(register.sign(&draft)).receipt();
    case
}

fn notifications(world: &World) -> Vec<Value> {
    world.listed(&["notify", "list"])
}

/// Waits until every notification has reached this state, and gives them.
fn until_all(world: &World, count: usize, state: &str) -> Vec<Value> {
    eventually(&format!("{count} notifications {state}"), SOON, || {
        let rows = notifications(world);
        (rows.len() == count && rows.iter().all(|row| row["state"] == state)).then_some(rows)
    })
}

/// Opens obligations of health towards the register by the store itself, due at these instants, with these warnings.
fn owe(database: &str, due: &[Timestamp], warns: &[Timestamp]) -> Vec<ObligationId> {
    let owed = due.iter().map(|due| NewObligation {
        id: ObligationId::from_uuid(Uuid::now_v7()),
        regulation: "yugra".to_owned(),
        rule: RuleId::parse("document-answer").unwrap(),
        subject: Uuid::now_v7().to_string(),
        period: String::new(),
        case_id: None,
        conversation_id: None,
        record_id: None,
        debtor: ParticipantId::parse("health").unwrap(),
        debtor_role: None,
        creditor: ParticipantId::parse("register").unwrap(),
        creditor_role: None,
        start: ObligationStart::Running(Running {
            started_at: due.plus_seconds(-86_400),
            due_at: *due,
            warns: warns.to_vec(),
            next_at: Some(warns.first().copied().unwrap_or(*due)),
            explanation: json!({ "zone": "Asia/Yekaterinburg", "calendar": "ru" }).to_string(),
        }),
        term: "5 working days".to_owned(),
        opened_at: due.plus_seconds(-86_400),
        revision: 1,
        retime: false,
    });
    let owed: Vec<NewObligation> = owed.collect();
    let ids = owed.iter().map(|o| o.id).collect();
    RUNTIME.block_on(async {
        let store = Store::open(StoreOptions::new(database)).await.unwrap();
        store.open_obligations(owed, now()).await.unwrap();
        store.close().await;
    });
    ids
}

/// The address of a world's embedded database, whose folder is made.
fn database(world: &World) -> String {
    std::fs::create_dir_all(world.file("data")).unwrap();
    format!("sqlite://{}", world.file("data/mezhved.db").display())
}

#[test]
fn what_is_overdue_is_told_once_by_mail_and_webhook_and_the_one_who_owes_is_reminded() {
    let (mail, hook) = (SmtpSink::start(Mood::Takes), HookSink::start(Some(204)));
    let groups = format!("operators = {{ mail = [\"dispatch@example.org\"], webhook = [\"{}\"] }}", hook.url);
    let mut world = plan(Backend::Sqlite, &groups, 0).setting(SmtpSink::settings(mail.address())).prepare();
    regulate(world.folder(), LADDER);
    world.serve();
    let case = apply(&world);

    let rows = until_all(&world, 2, "sent");
    let obligation = rows[0]["obligation"].as_str().unwrap();
    let listed = world.listed(&["deadline", "list", "--overdue"]);
    assert_eq!((listed.len(), listed[0]["id"].as_str()), (1, Some(obligation)));
    let letters = mail.letters();
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter = &letters[0];
    assert_eq!((letter.to.as_str(), letter.automatic.as_str()), ("dispatch@example.org", "auto-generated"));
    assert_eq!(letter.subject, "mezhved: просрочено / overdue: register: Межведомственный запрос документов");
    for part in
        [obligation, &case.to_string(), "Кто должен / who owes: register", "рабочих дн", "working days", "+05:00"]
    {
        assert!(letter.text.contains(part), "no `{part}` in {}", letter.text);
    }
    let calls = hook.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let data = &calls[0].body["data"];
    assert_eq!(calls[0].body["type"], "deadline.overdue");
    assert_eq!(
        (&data["obligation"], &data["debtor"], &data["stage"]),
        (&json!(obligation), &json!("register"), &json!("overdue"))
    );
    let ids: Vec<&str> = rows.iter().map(|row| row["mailing"].as_str().unwrap()).collect();
    assert!(ids.contains(&calls[0].id.as_str()), "{ids:?}");
    assert!(ids.iter().any(|id| letter.message_id == format!("<{id}@example.org>")), "{ids:?} {}", letter.message_id);

    let reminder = eventually("the reminder", SOON, || world.partner("register").first("deadline-reminder"));
    let told: DeadlineReminder = reminder.opened.technical();
    assert_eq!(
        (told.stage, told.message.as_str(), told.case),
        (ReminderStage::Overdue, "document-request", Some(case))
    );
    assert_eq!(told.obligation.to_string(), obligation);
    assert!(told.request.is_some() && !told.source.is_empty());
    world.until(reminder.opened.header.message_id, "delivered");
    let again = "SELECT COUNT(*) FROM messages WHERE type_name = 'deadline-reminder'";
    assert_eq!(world.number(again), 1);
    let kinds = journal(&world);
    for (kind, count) in [("obligation-overdue", 1), ("notification-sent", 2), ("message-made", 1)] {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), count, "{kind}: {kinds:?}");
    }
}

/// The kinds of journal entries, oldest first. No entry may name an address.
fn journal(world: &World) -> Vec<String> {
    let exported = world.mezhved(&["journal", "export"]).done().stdout;
    assert!(!exported.contains("@example.org") && !exported.contains("/deadlines"), "{exported}");
    let kind = |line: &str| serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned();
    exported.lines().map(kind).collect()
}

#[test]
fn a_warning_is_told_before_the_due_instant_to_those_whom_the_ladder_names() {
    let mail = SmtpSink::start(Mood::Takes);
    let groups = "operators = { mail = [\"dispatch@example.org\"] }, head = { mail = [\"head@example.org\"] }";
    let mut world = plan(Backend::Sqlite, groups, 0).setting(SmtpSink::settings(mail.address())).prepare();
    let step = |at: &str, to: &str| format!("\n[[escalation]]\nat = \"{at}\"\nto = [\"{to}\"]\n");
    regulate(world.folder(), &(step("warning", "head") + &step("overdue", "operators")));
    let (warn, due) = (now().plus_seconds(-60), now().plus_seconds(7_200));
    let owed = owe(&database(&world), &[due], &[warn]);
    world.serve();
    let rows = until_all(&world, 1, "sent");
    assert_eq!((rows[0]["stage"].as_str(), rows[0]["group"].as_str()), (Some("warning"), Some("head")));
    let letters = mail.letters();
    assert_eq!((letters.len(), letters[0].to.as_str()), (1, "head@example.org"));
    assert!(letters[0].subject.contains("скоро срок / due soon: health"), "{}", letters[0].subject);
    assert!(!letters[0].text.contains("Опоздание"), "{}", letters[0].text);
    let listed = world.listed(&["deadline", "list", "--state", "warned"]);
    assert_eq!(listed[0]["id"], owed[0].to_string());
    let reminder = eventually("the reminder", SOON, || world.partner("health").first("deadline-reminder"));
    let told: DeadlineReminder = reminder.opened.technical();
    assert_eq!(
        (told.stage, told.step, told.due),
        (ReminderStage::Warning, Some(1), Timestamp::from_micros(due.micros() / 1_000 * 1_000))
    );
}

#[test]
fn a_mail_server_that_is_away_is_tried_again_and_the_mail_keeps_its_id() {
    let address = SmtpSink::free_address();
    let groups = "operators = { mail = [\"dispatch@example.org\"] }";
    let mut world = plan(Backend::Sqlite, groups, 0).setting(SmtpSink::settings(address)).prepare();
    regulate(world.folder(), LADDER);
    world.serve();
    apply(&world);
    eventually("failed attempts", SOON, || {
        let rows = notifications(&world);
        (rows.len() == 1 && rows[0]["reason"] == "unreachable" && rows[0]["attempts"].as_u64() > Some(1)).then_some(())
    });
    let mail = SmtpSink::listen(address, Mood::AsksForPatience);
    mail.until(2, SOON);
    mail.behave(Mood::Takes);
    let rows = until_all(&world, 1, "sent");
    let letters = mail.letters();
    let id = format!("<{}@example.org>", rows[0]["mailing"].as_str().unwrap());
    assert!(letters.len() > 2 && letters.iter().all(|letter| letter.message_id == id), "{letters:?}");
    let raw = mail.raw();
    assert!(raw.iter().all(|copy| *copy == raw[0]), "every attempt sends the same bytes");
}

#[test]
fn who_refuses_for_good_is_given_up_with_the_reason() {
    let hook = HookSink::start(Some(500));
    let groups = format!("operators = {{ webhook = [\"{}\"] }}", hook.url);
    let mut world = plan(Backend::Sqlite, &groups, 0).setting("notify.attempts_max = 3").prepare();
    regulate(world.folder(), LADDER);
    world.serve();
    apply(&world);
    let rows = until_all(&world, 1, "parked");
    assert_eq!(
        (rows[0]["reason"].as_str(), rows[0]["detail"].as_str()),
        (Some("attempts-exhausted"), Some("partner-error: HTTP 500"))
    );
    let calls = hook.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.id == calls[0].id && call.body == calls[0].body), "{calls:?}");
    assert!(journal(&world).contains(&"notification-parked".to_owned()));
    let shown = world.mezhved(&["notify", "list", "--state", "parked"]).done().stdout;
    assert!(shown.contains("не отправлено") && shown.contains("HTTP 500"), "{shown}");
    assert!(world.listed(&["notify", "list", "--state", "sent"]).is_empty());
    hook.answer(Some(200));
    world.mezhved(&["notify", "retry"]).done();
    until_all(&world, 1, "sent");
    assert!(hook.calls().len() == 4 && hook.calls()[3].id == calls[0].id);
}

#[test]
fn a_storm_of_three_hundred_is_one_digest_and_each_is_settled_once() {
    let (mail, hook) = (SmtpSink::start(Mood::Takes), HookSink::start(Some(200)));
    let groups = format!("operators = {{ mail = [\"dispatch@example.org\"], webhook = [\"{}\"] }}", hook.url);
    // Company is waited for, or what is marked first would go by itself.
    let plan = plan(Backend::Sqlite, &groups, 3).setting(SmtpSink::settings(mail.address()));
    let mut world = plan.setting("notify.digest_ids_max = 7").prepare();
    regulate(world.folder(), LADDER);
    let owed = owe(&database(&world), &vec![now().plus_seconds(-3600); 300], &[]);
    world.serve();

    let rows = eventually("600 notifications sent", SOON, || {
        let rows = world.listed(&["notify", "list", "--state", "sent", "--limit", "1000"]);
        (rows.len() == 600).then_some(rows)
    });
    let letters = mail.letters();
    assert_eq!(letters.len(), 1, "one mail");
    assert_eq!(letters[0].subject, "mezhved: сводка о сроках, 300 / digest of deadlines, 300");
    assert!(letters[0].text.contains("health: просрочено / overdue, 300"), "{}", letters[0].text);
    let named = owed.iter().filter(|id| letters[0].text.contains(&id.to_string())).count();
    assert_eq!(named, 7);
    let calls = hook.calls();
    assert_eq!(calls.len(), 1, "one call");
    assert_eq!((&calls[0].body["type"], &calls[0].body["data"]["count"]), (&json!("deadline.digest"), &json!(300)));
    assert!(rows.iter().all(|row| row["digest"] == true && row["attempts"] == 1));
    assert_eq!(world.number("SELECT COUNT(*) FROM mailings"), 2);
    assert_eq!(journal(&world).iter().filter(|kind| *kind == "notification-sent").count(), 2);
}
