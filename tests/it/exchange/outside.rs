//! A debtor's own word that it met an obligation outside of the gateway.

use mezhved::crypto::sha256;
use mezhved::domain::{Attachment, CaseId, Line, ObligationId, OutsideWay, Remark, Timestamp};
use mezhved::envelope::Draft;
use mezhved::envelope::technical::OutsideAct;
use serde_json::Value;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Backend, SOON, World, bodies, now};

const DAY: i64 = 86_400;

/// An obligation of the register to ask health, overdue: its id.
fn owed(world: &World) -> ObligationId {
    let register = world.agency("register");
    let body = bodies::application(now().plus_seconds(-20 * DAY), &[("medical-conclusion", "health")]);
    let mut draft = register.draft("register", "application", body);
    let case = CaseId::from_uuid(Uuid::now_v7());
    draft.header.case_id = Some(case);
    world.post(register.sign(&draft)).receipt();
    let found = eventually("the overdue obligation", SOON, || {
        let found = world.listed(&["deadline", "list", "--case", &case.to_string(), "--state", "overdue"]);
        found.first().cloned()
    });
    ObligationId::parse(found["id"].as_str().unwrap()).unwrap()
}

fn explained(world: &World, id: ObligationId) -> Value {
    world.mezhved(&["deadline", "explain", &id.to_string(), "--json"]).done().json()
}

fn act(obligation: ObligationId, acted_at: Timestamp) -> OutsideAct {
    OutsideAct {
        obligation,
        way: OutsideWay::Phone,
        acted_at,
        by: Line::parse("Приёмная").unwrap(),
        to: Line::parse("Больница").unwrap(),
        number: None,
        note: Some(Remark::parse("Звонок").unwrap()),
        scan: None,
    }
}

fn draft(world: &World, by: &str, act: &OutsideAct) -> Draft {
    world.agency(by).technical(act)
}

#[test]
fn a_debtors_word_is_entered_once_on_sqlite() {
    entered_once(Backend::Sqlite);
}

#[test]
fn a_debtors_word_is_entered_once_on_postgresql() {
    entered_once(Backend::Postgres);
}

fn entered_once(backend: Backend) {
    let world = World::on(backend).start();
    let (id, register) = (owed(&world), world.agency("register"));
    let said = now().plus_seconds(-3_600);
    let mut call = draft(&world, "register", &act(id, said));
    let signed = register.sign(&call);
    let receipt = world.post(signed.clone()).receipt();
    assert_eq!(receipt.message_id, call.header.message_id);
    let row = explained(&world, id);
    assert_eq!((&row["state"], &row["settleKind"]), (&"met-late".into(), &"outside".into()));
    let entered = &row["acts"][0];
    assert_eq!(
        (&entered["actor"], &entered["by"], &entered["way"]),
        (&"register".into(), &"Приёмная".into(), &"phone".into())
    );
    let acted = Timestamp::parse(entered["actedAt"].as_str().unwrap()).unwrap();
    assert!(said.since(acted) < 1_000, "to the millisecond: {entered}");

    // The same message gets a receipt again, even signed anew; with other content it is refused.
    world.post(signed).receipt();
    world.post(register.sign(&call)).receipt();
    let changed = draft(&world, "register", &act(id, now()));
    call.body = changed.body.clone();
    let reused = world.post(register.sign(&call));
    assert_eq!((reused.status, reused.fault().code.as_str()), (409, "id-reused"));
    let ended = world.post(register.sign(&changed));
    assert_eq!((ended.status, ended.fault().code.as_str()), (409, "obligation-ended"));
    assert!(ended.fault().detail.unwrap().contains("met-late"));
    assert_eq!(explained(&world, id)["acts"].as_array().unwrap().len(), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM obligation_act_messages"), 1);
}

#[test]
fn what_was_done_in_time_is_met_however_late_it_is_told() {
    let world = World::on(Backend::Sqlite).start();
    let id = owed(&world);
    let due = Timestamp::parse(explained(&world, id)["due"].as_str().unwrap()).unwrap();
    let mut scanned = act(id, due);
    scanned.scan = Some(sha256(b"%PDF"));
    let mut letter = draft(&world, "register", &scanned);
    letter.header.attachments = vec![Attachment {
        digest: sha256(b"%PDF"),
        size_bytes: 4,
        media_type: "application/pdf".to_owned(),
        name: "letter.pdf".to_owned(),
        inline: Some(b"%PDF".to_vec()),
        signs: None,
    }];
    world.post(world.agency("register").sign(&letter)).receipt();
    let row = explained(&world, id);
    assert_eq!((&row["state"], &row["acts"][0]["scan"]), (&"met".into(), &sha256(b"%PDF").to_string().into()));
}

#[test]
fn only_its_debtor_speaks_for_an_obligation_and_only_of_what_can_be() {
    let world = World::on(Backend::Sqlite).start();
    let id = owed(&world);
    let absent = ObligationId::from_uuid(Uuid::now_v7());
    let hour_ago = now().plus_seconds(-3_600);
    let scanned = OutsideAct { scan: Some(sha256(b"%PDF")), ..act(id, hour_ago) };
    let table = [
        ("the creditor", "health", act(id, hour_ago), 404, "not-found"),
        ("a third", "police", act(id, hour_ago), 404, "not-found"),
        ("no such obligation", "register", act(absent, hour_ago), 404, "not-found"),
        ("tomorrow", "register", act(id, now().plus_seconds(DAY)), 422, "content-invalid"),
        ("before it began", "register", act(id, now().plus_seconds(-60 * DAY)), 422, "content-invalid"),
        ("a scan that is not there", "register", scanned, 422, "attachment-invalid"),
    ];
    let mut details = Vec::new();
    for (name, by, act, status, code) in table {
        let answer = world.post(world.agency(by).sign(&draft(&world, by, &act)));
        let fault = answer.fault();
        assert_eq!((answer.status, fault.code.as_str()), (status, code), "{name}");
        details.push(fault.detail.unwrap());
    }
    assert_eq!(details[0], details[2], "not yours and not there are one answer");
    let mut elsewhere = draft(&world, "register", &act(id, hour_ago));
    elsewhere.header.recipient = world.agency("health").id.clone();
    let answer = world.post(world.agency("register").sign(&elsewhere));
    assert_eq!(answer.fault().code, "route-forbidden");

    // A rehearsal is answered alike and enters nothing.
    for (act, known) in [(act(id, hour_ago), true), (act(absent, hour_ago), false)] {
        let mut rehearsal = draft(&world, "register", &act);
        rehearsal.header.test = true;
        let answer = world.post(world.agency("register").sign(&rehearsal));
        assert_eq!(answer.status, if known { 200 } else { 404 });
    }
    let row = explained(&world, id);
    assert_eq!((&row["state"], &row["acts"]), (&"overdue".into(), &Value::Array(Vec::new())));
}
