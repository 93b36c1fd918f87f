//! A withdrawn consent stops what rests on it and was not handed over; what the law carries goes on, and a new consent opens again.

use std::collections::BTreeMap;

use chrono::{Days, Months};
use mezhved::domain::{CaseId, FaultCode, MessageId, Timestamp};
use mezhved::envelope::technical::{MailboxBatch, MailboxPull, Notice};
use serde_json::Value;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Answer, Backend, Behaviour, GATEWAY, RUNTIME, SOON, World, bodies, now};

const YUGRA: &str = include_str!("../../../config/regulations/yugra.toml");

/// The whole region, but programmes go to those who are responsible with a consent only, as in the model programme.
fn region(backend: Backend) -> World {
    let fast = ["delivery.retry_base_ms = 50", "delivery.retry_ceiling_ms = 200", "delivery.attempts_max = 10000"];
    let plan = fast.into_iter().fold(World::on(backend).whole_region(), crate::world::Plan::setting);
    let mut world = plan.prepare();
    let source = "basis = \"consent\"\nsource = { document = \"537-r\", paragraph = \"-\" }\nown = { each";
    std::fs::create_dir_all(world.file("regulations")).unwrap();
    std::fs::write(world.file("regulations/yugra.toml"), bodies::replaced(YUGRA, "own = { each", source)).unwrap();
    for id in ["health", "education", "guardianship", "employment"] {
        let file = world.file(&format!("participants/{id}.toml"));
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, bodies::replaced(&text, &format!("adapter = \"{id}\"\n"), "")).unwrap();
    }
    world.serve();
    world
}

fn instant(seconds_ago: i64) -> String {
    Timestamp::from_micros(now().micros() - seconds_ago * 1_000_000).utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

struct Family<'w> {
    world: &'w World,
    case: CaseId,
}

impl Family<'_> {
    fn send(&self, to: &str, kind: &str, body: String) -> (MessageId, Answer) {
        let register = self.world.agency("register");
        let mut draft = register.draft(to, kind, body);
        draft.header.case_id = Some(self.case);
        (draft.header.message_id, self.world.post(register.sign(&draft)))
    }

    fn consent(&self, state: &str, to: &[&str], seconds_ago: i64) {
        let to: String =
            to.iter().map(|id| format!("<recipient><participant>{id}</participant></recipient>")).collect();
        let (at, day) = (instant(seconds_ago), &instant(seconds_ago)[..10]);
        let withdrawn = match state {
            "withdrawn" => "<withdrawn>01931f6e-7a00-7000-8000-0000000000aa</withdrawn>",
            _ => "",
        };
        let body = format!(
            "<Consent xmlns=\"urn:mezhved:social:consent:1\"><number>С-118</number><state>{state}</state>\
             <signedOn>{day}</signedOn><registeredAt>{at}</registeredAt><byRepresentative>false</byRepresentative>\
             <purpose>Социальное сопровождение.</purpose><dataClasses><dataClass>general</dataClass></dataClasses>\
             <recipients>{to}</recipients>{withdrawn}</Consent>"
        );
        self.send("register", "consent", body).1.receipt();
    }

    fn programme(&self, version: u32) -> (MessageId, Answer) {
        let begins = now().utc().date_naive();
        let (due, ends) = (begins + Days::new(40), begins + Months::new(5));
        let measure = |(number, who): (u32, &str)| {
            format!(
                "<measure><number>14.{number}</number><helpKind>social</helpKind><title>Содействие</title>\
                 <responsible>{who}</responsible><beginsOn>{begins}</beginsOn><dueOn>{due}</dueOn></measure>"
            )
        };
        let measures: String = (1..).zip(["education", "guardianship", "health"]).map(measure).collect();
        let at = instant(3_600 - i64::from(version));
        let body = format!(
            "<Programme xmlns=\"urn:mezhved:social:programme:1\"><number>П-1</number><version>{version}</version>\
             <status>approved</status><approvedAt>{at}</approvedAt><beginsOn>{begins}</beginsOn><endsOn>{ends}</endsOn>\
             <measures>{measures}</measures></Programme>"
        );
        self.send(GATEWAY, "programme", body)
    }

    /// To whom the message went, and how that stands.
    fn stands(&self, id: MessageId) -> BTreeMap<String, String> {
        let shown = self.world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
        let word = |d: &Value, key: &str| d[key].as_str().unwrap_or_default().to_owned();
        let deliveries = shown[0]["deliveries"].as_array().unwrap();
        let told = |d| (word(d, "recipient"), [word(d, "state"), word(d, "reason")].join(" ").trim_end().to_owned());
        deliveries.iter().map(told).collect()
    }

    fn owed(&self) -> BTreeMap<String, String> {
        let rows = self.world.listed(&["deadline", "list", "--case", &self.case.to_string(), "--rule", "measure"]);
        let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        rows.iter().map(|row| (word(row, "debtor"), word(row, "state"))).collect()
    }
}

fn of<const N: usize>(all: [(&str, &str); N]) -> BTreeMap<String, String> {
    all.into_iter().map(|(who, word)| (who.to_owned(), word.to_owned())).collect()
}

fn refused(answer: &Answer, to: &str) {
    let fault = answer.fault();
    assert_eq!((answer.status, fault.code.as_str()), (403, FaultCode::ConsentMissing.code()));
    let detail = fault.detail.unwrap();
    for told in ["`yugra`", "537-р", "class general", "withdrawn", &format!("`{to}`")] {
        assert!(detail.contains(told), "{told}: {detail}");
    }
}

fn withdrawn(backend: Backend) {
    let world = region(backend);
    let family = Family { world: &world, case: CaseId::from_uuid(Uuid::now_v7()) };
    family.send("register", "application", bodies::application(now().plus_seconds(-7_200), &[])).1.receipt();
    family.consent("given", &["education", "guardianship", "health", "employment"], 7_000);
    world.partner("guardianship").behave(Behaviour::Status(503));
    let (whole, answer) = family.programme(1);
    answer.receipt();
    // One has it, of one it lies in the mailbox, one cannot be reached.
    eventually("the first hand-overs", SOON, || {
        let stands = family.stands(whole);
        let tried = stands["guardianship"] == "queued partner-error";
        (stands["health"] == "delivered" && stands["education"] == "sent" && tried).then_some(())
    });
    assert_eq!(family.owed(), of([("education", "open"), ("guardianship", "open"), ("health", "open")]));

    family.consent("withdrawn", &["education", "guardianship", "employment"], 600);
    let stopped = of([
        ("education", "stopped consent-ended"),
        ("guardianship", "stopped consent-ended"),
        ("health", "delivered"),
    ]);
    eventually("what was not handed over stops", SOON, || (family.stands(whole) == stopped).then_some(()));
    let left = of([("education", "cancelled"), ("guardianship", "cancelled"), ("health", "open")]);
    assert_eq!(family.owed(), left);
    let education = world.agency("education");
    let pull = education.sign(&education.technical(&MailboxPull { messages_max: 10 }));
    let batch: MailboxBatch =
        RUNTIME.block_on(world.wire().post("/v1/mailbox/pull", pull)).unwrap().opened().technical();
    let programmes = batch.items.iter().filter(|item| String::from_utf8_lossy(&item.envelope).contains("Programme"));
    assert_eq!(programmes.count(), 0, "what was never fetched is taken out");
    let told = eventually("the sender is told of each", SOON, || {
        let copies = world.partner("register").copies().into_iter().filter(|copy| copy.opened.kind() == "notice");
        let told: Vec<Notice> =
            copies.map(|copy| copy.opened.technical()).filter(|n: &Notice| n.message_id == whole).collect();
        (told.len() == 3).then_some(told)
    });
    let reasons: BTreeMap<_, _> = told.iter().map(|n| (n.recipient.to_string(), n.reason.clone())).collect();
    let ended = Some("consent-ended".to_owned());
    assert_eq!(
        reasons,
        [("education", ended.clone()), ("guardianship", ended), ("health", None)]
            .map(|(w, r)| (w.to_owned(), r))
            .into()
    );

    // The door: what rests on the consent is refused to those, the rest goes on.
    let curator = || {
        format!(
            "<Curator xmlns=\"urn:mezhved:social:curator:1\"><number>К-1</number><decidedAt>{}</decidedAt><curator><id>c-21</id>\
             <organisation>register</organisation></curator><sinceOn>2026-05-18</sinceOn></Curator>",
            instant(60)
        )
    };
    refused(&family.send("employment", "curator", curator()).1, "employment");
    refused(&family.programme(2).1, "education");
    family.send("health", "curator", curator()).1.receipt();
    let (request, answer) = family.send("guardianship", "document-request", bodies::request("guardianship-act"));
    answer.receipt();
    world.partner("guardianship").behave(Behaviour::Receipt);
    world.until(request, "delivered");
    assert!(world.partner("guardianship").first("programme").is_none(), "it never goes out");
    let back = world.mezhved(&["message", "replay", &whole.to_string()]).done().stdout;
    assert!(back.contains(": 0"), "{back}");

    // Where it is seen.
    let shown = world.mezhved(&["case", "show", &family.case.to_string(), "--json"]).done().json();
    let states: Vec<_> = shown["consents"].as_array().unwrap().iter().map(|c| c["state"].clone()).collect();
    assert_eq!(states, ["given", "withdrawn"]);
    let page = world.mezhved(&["case", "show", &family.case.to_string()]).done().stdout;
    assert!(
        page.contains("отозвано / withdrawn: education, employment, guardianship; данные / data: general"),
        "{page}"
    );
    let journal = "SELECT COUNT(*) FROM journal WHERE kind IN ('consent-given', 'consent-withdrawn', 'delivery-consent-ended', \
                   'delivery-stopped')";
    // A later version of both words, three deliveries that it concerns, two that end.
    assert_eq!(world.number(journal), 2 + 2 + 2);
    world.mezhved(&["journal", "verify"]).done();

    // Given anew it opens again.
    family.consent("given", &["education", "guardianship", "employment"], 5);
    family.send("employment", "curator", curator()).1.receipt();
    let (again, answer) = family.programme(2);
    answer.receipt();
    let expected = of([("education", "sent"), ("guardianship", "delivered"), ("health", "delivered")]);
    eventually("the next version goes out", SOON, || (family.stands(again) == expected).then_some(()));
    assert_eq!(family.owed(), of([("education", "open"), ("guardianship", "open"), ("health", "open")]));
}

#[test]
fn a_withdrawn_consent_stops_what_rests_on_it_on_sqlite() {
    withdrawn(Backend::Sqlite);
}

#[test]
fn a_withdrawn_consent_stops_what_rests_on_it_on_postgresql() {
    withdrawn(Backend::Postgres);
}
