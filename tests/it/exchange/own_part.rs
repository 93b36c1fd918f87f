//! A programme goes to each responsible organisation with its own measures only.

use std::collections::BTreeMap;

use mezhved::crypto::sha256;
use mezhved::domain::{CaseId, FaultCode};
use mezhved::envelope::technical::{MailboxBatch, MailboxPull, Notice};
use serde_json::Value;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Backend, GATEWAY, Opened, RUNTIME, SOON, World, bodies, now};

const KIND: &str = "guardianship-act";

/// Number and who is responsible; the organisation that is no participant belongs to nobody who gets a copy.
const MEASURES: [(&str, &str); 6] = [
    ("14.1", "guardianship"),
    ("14.2", "health"),
    ("14.3", "register"),
    ("14.4", "health"),
    ("14.5", "education"),
    ("14.6", ""),
];

fn programme(measures: &[(&str, &str)]) -> String {
    let each = |(number, who): &(&str, &str)| {
        let responsible = match *who {
            "" => "<outside>Вымышленный дом творчества</outside>".to_owned(),
            who => format!("<responsible>{who}</responsible>"),
        };
        let kind = if *who == "health" { "medical" } else { "social" };
        format!(
            "<measure><number>{number}</number><helpKind>{kind}</helpKind><title>Содействие &amp; «помощь» {number}</title>\
             {responsible}<beginsOn>2026-05-18</beginsOn><dueOn>2026-10-30</dueOn></measure>"
        )
    };
    format!(
        "<Programme xmlns=\"urn:mezhved:social:programme:1\"><number>П-1</number><version>1</version><status>approved</status>\
         <approvedAt>2026-05-15T16:30:00+05:00</approvedAt><beginsOn>2026-05-18</beginsOn><endsOn>2026-11-17</endsOn>\
         <measures>{}</measures></Programme>",
        measures.iter().map(each).collect::<String>()
    )
}

/// The programme as this organisation may see it.
fn own(who: &str) -> String {
    programme(&MEASURES.into_iter().filter(|(_, responsible)| *responsible == who).collect::<Vec<_>>())
}

fn pulled(world: &World) -> Opened {
    let education = world.agency("education");
    let pull = education.sign(&education.technical(&MailboxPull { messages_max: 10 }));
    let answer = RUNTIME.block_on(world.wire().post("/v1/mailbox/pull", pull)).unwrap();
    let batch: MailboxBatch = answer.opened().technical();
    // Reminders lie there too: the programme's days are past.
    let opened = batch.items.iter().map(|item| Opened::read(&item.envelope, &world.gateway_certificate).unwrap());
    opened.into_iter().find(|opened| opened.kind() == "programme").unwrap()
}

/// The whole region, with three agencies that speak the canonical form.
pub(super) fn region(backend: Backend) -> World {
    let mut world = World::on(backend).whole_region().prepare();
    for (id, adapter) in [("health", "health"), ("education", "education")] {
        let file = world.file(&format!("participants/{id}.toml"));
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, bodies::replaced(&text, &format!("adapter = \"{adapter}\"\n"), "")).unwrap();
    }
    world.serve();
    world
}

fn each_gets_its_own(backend: Backend) {
    let world = region(backend);
    let register = world.agency("register");
    let case = CaseId::from_uuid(Uuid::now_v7());
    let send = |to: &str, kind: &str, body: String| {
        let mut draft = register.draft(to, kind, body);
        draft.header.case_id = Some(case);
        world.post(register.sign(&draft))
    };
    send("register", "application", bodies::application(now().plus_seconds(-60), &[])).receipt();
    for to in ["register", "guardianship", "health", "education"] {
        send(to, "programme", programme(&MEASURES)).receipt();
    }
    for who in ["guardianship", "health"] {
        let came = eventually("the programme", SOON, || world.partner(who).first("programme"));
        assert_eq!(came.opened.text(), own(who), "what {who} got");
    }
    let lies_there = "SELECT COUNT(*) FROM deliveries d JOIN messages m ON m.record_id = d.record_id \
                      WHERE d.recipient = 'education' AND d.state = 'sent' AND m.type_name = 'programme'";
    eventually("the mailbox", SOON, || (world.number(lies_there) == 1).then_some(()));
    assert_eq!(pulled(&world).text(), own("education"));
    // Nothing of it concerns the police, and the case is as whole as the provider sees it.
    let refused = send("police", "programme", programme(&MEASURES));
    let fault = refused.fault();
    assert_eq!(fault.code, FaultCode::RouteForbidden.code());
    let detail = fault.detail.unwrap();
    assert!(detail.contains("measures/measure") && detail.contains("`police`"), "{detail}");
    let shown = world.mezhved(&["case", "show", &case.to_string(), "--json"]).done().json();
    assert_eq!(shown["measures"].as_array().map(Vec::len), Some(MEASURES.len()), "{shown}");
}

#[test]
fn each_organisation_gets_its_own_measures_on_sqlite() {
    each_gets_its_own(Backend::Sqlite);
}

#[test]
fn each_organisation_gets_its_own_measures_on_postgresql() {
    each_gets_its_own(Backend::Postgres);
}

/// Sent once to the gateway, a programme goes to everybody whom it names.
fn sent_once(backend: Backend) {
    let world = region(backend);
    let register = world.agency("register");
    let case = CaseId::from_uuid(Uuid::now_v7());
    let draft = |to: &str, kind: &str, body: String| {
        let mut draft = register.draft(to, kind, body);
        draft.header.case_id = Some(case);
        draft
    };
    let application = draft("register", "application", bodies::application(now().plus_seconds(-60), &[]));
    world.post(register.sign(&application)).receipt();
    let whole = draft(GATEWAY, "programme", programme(&MEASURES));
    let id = whole.header.message_id;
    let bytes = register.sign(&whole);
    let receipt = world.post(bytes.clone());
    receipt.receipt();
    let mut parts = Vec::new();
    for who in ["guardianship", "health"] {
        let came = eventually("a part", SOON, || world.partner(who).first("programme"));
        let header = &came.opened.header;
        assert_eq!((came.opened.text(), header.derived_from), (own(who), Some(id)), "what {who} got");
        assert_eq!(header.sender.as_str(), "register");
        assert_eq!(header.via.as_ref().map(|via| via.digest), Some(sha256(&bytes)), "what the sender signed");
        parts.push(header.message_id);
    }
    let (shown, lies_there) =
        (["message", "show", &id.to_string(), "--json"].map(str::to_owned), [("education", "sent")]);
    let states = || {
        let shown = world.mezhved(&shown.each_ref().map(String::as_str)).done().json();
        let deliveries = shown[0]["deliveries"].as_array().unwrap().clone();
        let state = |d: &Value| (d["recipient"].as_str().unwrap().to_owned(), d["state"].as_str().unwrap().to_owned());
        deliveries.iter().map(state).collect::<BTreeMap<_, _>>()
    };
    let expected = [("guardianship", "delivered"), ("health", "delivered")].iter().chain(&lies_there);
    let expected: BTreeMap<_, _> = expected.map(|(who, state)| ((*who).to_owned(), (*state).to_owned())).collect();
    eventually("three deliveries", SOON, || (states() == expected).then_some(()));
    assert_eq!(pulled(&world).text(), own("education"));
    // The sender is told about the message that it sent.
    let notices = eventually("two notices", SOON, || {
        let copies = world.partner("register").copies().into_iter().filter(|copy| copy.opened.kind() == "notice");
        let told: Vec<Notice> = copies.map(|copy| copy.opened.technical()).collect();
        (told.len() == 2).then_some(told)
    });
    assert!(notices.iter().all(|n| n.message_id == id && !parts.contains(&n.message_id)), "{notices:?}");
    // A copy is answered as the first was, and parts nothing again. Everybody's measures are owed, once each.
    assert_eq!(world.post(bytes).bytes, receipt.bytes);
    assert_eq!(world.number("SELECT COUNT(*) FROM messages WHERE derived_from IS NOT NULL"), 3);
    let owed = world.listed(&["deadline", "list", "--case", &case.to_string(), "--rule", "measure"]);
    assert_eq!(owed.len(), 5, "{owed:?}");
    // Who is named and is nobody, and a type that is not parted, are refused.
    for (kind, body, code) in [
        ("programme", programme(&[("14.1", "nobody")]), FaultCode::RecipientUnknown),
        ("programme", programme(&[("14.1", "register")]), FaultCode::RecipientUnknown),
        ("document-request", bodies::request(KIND), FaultCode::RouteForbidden),
    ] {
        let refused = world.post(register.sign(&draft(GATEWAY, kind, body)));
        assert_eq!(refused.fault().code, code.code());
    }
    world.mezhved(&["journal", "verify"]).done();
}

#[test]
fn a_programme_sent_once_is_parted_on_sqlite() {
    sent_once(Backend::Sqlite);
}

#[test]
fn a_programme_sent_once_is_parted_on_postgresql() {
    sent_once(Backend::Postgres);
}

#[test]
fn personal_data_of_a_class_that_may_not_go_to_a_participant_do_not() {
    let mut world = World::on(Backend::Sqlite).whole_region().prepare();
    for id in ["guardianship", "health"] {
        let file = world.file(&format!("participants/{id}.toml"));
        let text = format!("data_classes = [\"general\"]\n{}", std::fs::read_to_string(&file).unwrap());
        std::fs::write(file, text).unwrap();
    }
    world.serve();
    let register = world.agency("register");
    let case = CaseId::from_uuid(Uuid::now_v7());
    let send = |to: &str, kind: &str, body: String| {
        let mut draft = register.draft(to, kind, body);
        draft.header.case_id = Some(case);
        world.post(register.sign(&draft))
    };
    send("register", "application", bodies::application(now().plus_seconds(-60), &[])).receipt();
    // Its own measures are of the ordinary class, whatever the others' are.
    send("guardianship", "programme", programme(&MEASURES)).receipt();
    for (to, kind, body, class) in [
        ("health", "programme", programme(&MEASURES), "health"),
        ("health", "document-request", bodies::request("medical-conclusion"), "health"),
        ("guardianship", "document-request", bodies::request("adoption-record"), "adoption"),
        ("guardianship", "document-request", bodies::request("living-conditions-act"), "minors"),
        (GATEWAY, "programme", programme(&MEASURES), "health"),
    ] {
        let fault = send(to, kind, body).fault();
        assert_eq!(fault.code, FaultCode::RouteForbidden.code(), "{to} {kind}");
        let detail = fault.detail.unwrap();
        assert!(detail.contains(&format!("of the class {class};")) && detail.contains("data_classes"), "{detail}");
    }
    // Who lists nothing gets all that the regulation lets it get.
    send("police", "document-request", bodies::request("criminal-record")).receipt();
}
