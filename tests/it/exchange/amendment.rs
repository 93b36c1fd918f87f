//! An amended programme goes to those whose own measures are others now, and to nobody else.

use mezhved::domain::{CaseId, MessageId};
use mezhved::envelope::technical::{MailboxBatch, MailboxPull};
use serde_json::Value;
use uuid::Uuid;

use super::own_part::region;
use crate::support::eventually;
use crate::world::{Backend, GATEWAY, Opened, RUNTIME, SOON, World, bodies, now};

/// Number, who is responsible, title.
type Measures<'m> = &'m [(&'m str, &'m str, &'m str)];

const FIRST: Measures<'_> = &[
    ("14.1", "guardianship", "Надзор"),
    ("14.2", "health", "Осмотр"),
    ("14.3", "register", "Беседы"),
    ("14.4", "health", "Лечение"),
    ("14.5", "education", "Занятия"),
];

fn programme(version: u32, measures: Measures<'_>) -> String {
    let each = |(number, who, title): &(&str, &str, &str)| {
        format!(
            "<measure><number>{number}</number><helpKind>social</helpKind><title>{title}</title><responsible>{who}</responsible>\
             <beginsOn>2026-05-18</beginsOn><dueOn>2026-10-30</dueOn></measure>"
        )
    };
    let measures: String = measures.iter().map(each).collect();
    format!(
        "<Programme xmlns=\"urn:mezhved:social:programme:1\"><number>П-1</number><version>{version}</version><status>approved</status>\
         <approvedAt>2026-05-15T16:3{version}:00+05:00</approvedAt><beginsOn>2026-05-18</beginsOn><endsOn>2026-11-17</endsOn>\
         <measures>{measures}</measures></Programme>"
    )
}

fn own(version: u32, measures: Measures<'_>, who: &str) -> String {
    programme(version, &measures.iter().copied().filter(|(_, of, _)| *of == who).collect::<Vec<_>>())
}

struct Family<'w> {
    world: &'w World,
    case: CaseId,
}

impl Family<'_> {
    fn send(&self, to: &str, kind: &str, body: String) -> MessageId {
        let register = self.world.agency("register");
        let mut draft = register.draft(to, kind, body);
        draft.header.case_id = Some(self.case);
        self.world.post(register.sign(&draft)).receipt();
        draft.header.message_id
    }

    /// To whom what was made of the message went.
    fn went_to(&self, id: MessageId) -> Vec<String> {
        let shown = self.world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
        let deliveries = shown[0]["deliveries"].as_array().unwrap();
        let mut all: Vec<_> = deliveries.iter().map(|d| d["recipient"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    }

    /// The texts of the programmes that came to one who is pushed to.
    fn came(&self, who: &str) -> Vec<String> {
        let copies = self.world.partner(who).copies().into_iter().filter(|copy| copy.opened.kind() == "programme");
        copies.map(|copy| copy.opened.text()).collect()
    }

    /// What lies in a mailbox, but for reminders.
    fn lies_at(&self, who: &str) -> Vec<Opened> {
        let agency = self.world.agency(who);
        let pull = agency.sign(&agency.technical(&MailboxPull { messages_max: 50 }));
        let answer = RUNTIME.block_on(self.world.wire().post("/v1/mailbox/pull", pull)).unwrap();
        let batch: MailboxBatch = answer.opened().technical();
        let opened =
            batch.items.iter().map(|item| Opened::read(&item.envelope, &self.world.gateway_certificate).unwrap());
        opened.filter(|opened| opened.kind() != "deadline-reminder").collect()
    }

    fn measures(&self) -> Vec<(String, String)> {
        let rows = self.world.listed(&["deadline", "list", "--case", &self.case.to_string(), "--rule", "measure"]);
        let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        let is_void = |row: &Value| if row["state"] == "cancelled" { "void" } else { "owed" }.to_owned();
        let mut all: Vec<_> = rows.iter().map(|row| (word(row, "debtor"), is_void(row))).collect();
        all.sort();
        all
    }
}

fn amended(backend: Backend) {
    let world = region(backend);
    let family = Family { world: &world, case: CaseId::from_uuid(Uuid::now_v7()) };
    family.send("register", "application", bodies::application(now().plus_seconds(-60), &[]));
    let first = family.send(GATEWAY, "programme", programme(1, FIRST));
    assert_eq!(family.went_to(first), ["education", "guardianship", "health"]);
    for who in ["guardianship", "health"] {
        eventually("the first version", SOON, || (family.came(who) == [own(1, FIRST, who)]).then_some(()));
    }
    // One measure of one organisation is another now: exactly one part.
    let mut second = FIRST.to_vec();
    second[3].2 = "Лечение в дневном стационаре";
    let amendment = family.send(GATEWAY, "programme", programme(2, &second));
    assert_eq!(family.went_to(amendment), ["health"]);
    let both = [own(1, FIRST, "health"), own(2, &second, "health")];
    eventually("the amendment", SOON, || (family.came("health") == both).then_some(()));
    assert_eq!(world.number("SELECT COUNT(*) FROM messages WHERE derived_from IS NOT NULL"), 4);
    assert_eq!(family.came("guardianship").len(), 1);
    let told = "SELECT COUNT(*) FROM journal WHERE kind = 'programme-amended' AND detail LIKE \
                '%\"untouched\":[\"education\",\"guardianship\"]%' AND detail LIKE '%\"parts\":[\"health\"]%'";
    assert_eq!(world.number(told), 1);
    // Whose measures are all gone gets no part, which would be none, but a note; nobody else gets anything.
    let third: Vec<_> = second.iter().copied().filter(|(_, who, _)| *who != "education").collect();
    let without = family.send(GATEWAY, "programme", programme(3, &third));
    assert_eq!(family.went_to(without), ["education"]);
    let lies = eventually("the note", SOON, || {
        Some(family.lies_at("education"))
            .filter(|lies| !lies.is_empty())
            .filter(|lies| lies.iter().any(|opened| opened.kind() == "note"))
    });
    let note = lies.iter().find(|opened| opened.kind() == "note").unwrap();
    assert_eq!((note.header.derived_from, note.header.sender.as_str()), (Some(without), "register"));
    assert!(note.text().contains("действует версия 3") && !note.text().contains("Занятия"), "{}", note.text());
    let owed = |who: &str, word: &str| (who.to_owned(), word.to_owned());
    let expected = [
        owed("education", "void"),
        owed("guardianship", "owed"),
        owed("health", "owed"),
        owed("health", "owed"),
        owed("register", "owed"),
    ];
    assert_eq!(family.measures(), expected);
    // A version that changes nobody's measures is recorded and goes nowhere.
    let fourth = family.send(GATEWAY, "programme", programme(4, &third));
    assert!(family.went_to(fourth).is_empty());
    assert_eq!(world.number("SELECT COUNT(*) FROM messages WHERE derived_from IS NOT NULL"), 5);
    assert_eq!(family.measures(), expected);
    // One that leaves measures to its sender only tells all others so.
    let fifth: Vec<_> = third.iter().copied().filter(|(_, who, _)| *who == "register").collect();
    let alone = family.send(GATEWAY, "programme", programme(5, &fifth));
    assert_eq!(family.went_to(alone), ["guardianship", "health"]);
    let void = ["education", "guardianship", "health", "health"].map(|who| owed(who, "void"));
    assert_eq!(family.measures(), [&void[..], &[owed("register", "owed")]].concat());
    world.mezhved(&["journal", "verify"]).done();
}

#[test]
fn an_amended_programme_goes_to_whom_it_concerns_on_sqlite() {
    amended(Backend::Sqlite);
}

#[test]
fn an_amended_programme_goes_to_whom_it_concerns_on_postgresql() {
    amended(Backend::Postgres);
}
