//! A programme goes to each responsible organisation with its own measures only.

use mezhved::domain::{CaseId, FaultCode};
use mezhved::envelope::technical::{MailboxBatch, MailboxPull};
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Backend, Opened, RUNTIME, SOON, World, bodies, now};

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
        format!(
            "<measure><number>{number}</number><helpKind>social</helpKind><title>Содействие &amp; «помощь» {number}</title>\
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

fn each_gets_its_own(backend: Backend) {
    let mut world = World::on(backend).whole_region().prepare();
    for (id, adapter) in [("health", "health"), ("education", "education")] {
        let file = world.file(&format!("participants/{id}.toml"));
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, bodies::replaced(&text, &format!("adapter = \"{adapter}\"\n"), "")).unwrap();
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
