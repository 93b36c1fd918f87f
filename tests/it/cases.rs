//! A family's case as its messages pass: programme, contract, months of measures, the end.

use chrono::{Days, Months, NaiveDate};
use mezhved::domain::{CaseId, FaultCode, MessageId, MessageType, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Answer, Backend, SOON, World, bodies, now};

/// The day of the tests in the region, for whatever is dated by it.
fn today() -> NaiveDate {
    now().utc().with_timezone(&chrono_tz::Asia::Yekaterinburg).date_naive()
}

fn refused(answer: &Answer, code: FaultCode) {
    assert_eq!((answer.status, answer.fault().code.as_str()), (code.http_status(), code.code()));
}

fn at(micros_ago: i64) -> String {
    Timestamp::from_micros(now().micros() - micros_ago).utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// One who conducts a case through the gateway.
struct Conductor<'w> {
    world: &'w World,
    case: CaseId,
}

impl Conductor<'_> {
    fn begin(world: &World) -> Conductor<'_> {
        let conductor = Conductor { world, case: CaseId::from_uuid(Uuid::now_v7()) };
        conductor.send("register", "application", bodies::application(now().plus_seconds(-60), &[])).receipt();
        conductor
    }

    fn send(&self, to: &str, message: &str, body: String) -> Answer {
        let register = self.world.agency("register");
        let mut draft = register.draft(to, message, body);
        draft.header.case_id = Some(self.case);
        self.world.post(register.sign(&draft))
    }

    /// Measures: number, who, until which day.
    fn programme(&self, version: u32, measures: &[(&str, &str, NaiveDate)]) {
        let (begins, ends) = (today(), today() + Months::new(5));
        let measures: String = measures
            .iter()
            .map(|(number, who, due)| {
                format!(
                    "<measure><number>{number}</number><helpKind>social</helpKind><title>Содействие</title>\
                     <responsible>{who}</responsible><beginsOn>{begins}</beginsOn><dueOn>{due}</dueOn></measure>"
                )
            })
            .collect();
        let body = format!(
            "<Programme xmlns=\"urn:mezhved:social:programme:1\"><number>П-1</number><version>{version}</version>\
             <status>approved</status><approvedAt>{}</approvedAt><beginsOn>{begins}</beginsOn><endsOn>{ends}</endsOn>\
             <measures>{measures}</measures></Programme>",
            at(30_000_000 - i64::from(version) * 1_000_000)
        );
        self.send("employment", "programme", body).receipt();
    }

    fn contract(&self) -> Answer {
        let body = format!(
            "<Contract xmlns=\"urn:mezhved:social:contract:1\"><number>Д-1</number><signedAt>{}</signedAt>\
             <provider>Центр</provider><beginsOn>{}</beginsOn><endsOn>{}</endsOn><substituteFamily>false</substituteFamily></Contract>",
            at(20_000_000),
            today(),
            today() + Months::new(5)
        );
        self.send("register", "contract", body)
    }

    fn terminate(&self) -> Answer {
        let body = format!(
            "<Termination xmlns=\"urn:mezhved:social:termination:1\"><number>З-1</number><decidedAt>{}</decidedAt>\
             <endsOn>{}</endsOn><ground>programme-done</ground></Termination>",
            at(1_000_000),
            today()
        );
        self.send("register", "termination", body)
    }

    /// The states of a rule's obligations: debtor, period, state; in the order of their dues.
    fn states(&self, rule: &str) -> Vec<[String; 3]> {
        let rows = self.world.listed(&["deadline", "list", "--case", &self.case.to_string(), "--rule", rule]);
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        rows.iter().map(|row| ["debtor", "period", "state"].map(|key| text(row, key))).collect()
    }

    fn shown(&self) -> Value {
        self.world.mezhved(&["case", "show", &self.case.to_string(), "--json"]).done().json()
    }
}

fn a_case_lives_and_ends(backend: Backend) {
    let world = World::on(backend).whole_region().start();
    let case = Conductor::begin(&world);
    let (month, due) = (today().format("%Y-%m").to_string(), today() + Days::new(40));
    case.programme(1, &[("1", "employment", due), ("2", "health", due)]);
    let open = |who: &str, period: &str| [who.to_owned(), period.to_owned(), "open".to_owned()];
    let mut measures = case.states("measure");
    measures.sort();
    assert_eq!(measures, [open("employment", ""), open("health", "")]);
    // The watcher opens this month's reports of those who have measures in it.
    let reports = eventually("reports of the month", SOON, || {
        let mut found = case.states("progress-report");
        found.sort();
        (found.len() == 2).then_some(found)
    });
    let told: Vec<_> = reports.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(told, [("employment", month.as_str()), ("health", month.as_str())]);
    case.contract().receipt();
    let shown = case.shown();
    assert_eq!(shown["beginsOn"], today().to_string());
    assert_eq!(shown["endsOn"], (today() + Months::new(5)).to_string());
    // Nobody decided and assessed through the gateway: that is shown, and refused is nothing.
    assert!(shown["unseen"].as_array().is_some_and(|steps| !steps.is_empty()), "{shown}");
    let page = world.mezhved(&["case", "show", &case.case.to_string()]).done().stdout;
    assert!(page.contains("шаг не виден шлюзу / not seen by the gateway"), "{page}");
    assert!(world.mezhved(&["case", "list", "--open"]).done().stdout.contains("step-unseen"));
    // The next version drops a measure.
    case.programme(2, &[("1", "employment", due)]);
    let mut measures = case.states("measure");
    measures.sort();
    let cancelled = ["health".to_owned(), String::new(), "cancelled".to_owned()];
    assert_eq!(measures, [open("employment", ""), cancelled]);
    // The end makes the rest void but for the report of the month that had measures, and the case takes nothing more.
    case.terminate().receipt();
    let all = world.listed(&["deadline", "list", "--case", &case.case.to_string()]);
    let running: Vec<_> =
        all.iter().filter(|o| ["open", "warned", "overdue"].contains(&o["state"].as_str().unwrap())).collect();
    let outlives = |o: &Value| o["due"].is_null() || o["rule"] == "progress-report";
    assert!(running.iter().all(|o| outlives(o)), "only tasks and reports outlive the case: {running:?}");
    assert!(case.states("progress-report").contains(&open("employment", &month)), "owed after the end");
    refused(&case.contract(), FaultCode::CaseClosed);
    let closed = case.shown();
    assert!(closed["closedAt"].is_string(), "{closed}");
    assert_eq!(world.number("SELECT COUNT(*) FROM schedules WHERE next_at IS NOT NULL"), 0);
    world.mezhved(&["journal", "verify"]).done();
}

/// An order names the curator, and the second version of the decision ends the case like the first.
fn later_types_act_on_a_case(backend: Backend) {
    let world = World::on(backend).whole_region().start();
    let case = Conductor::begin(&world);
    case.contract().receipt();
    let order = |curator: &str, minutes_ago: i64| {
        format!(
            "<Curator xmlns=\"urn:mezhved:social:curator:1\"><number>К-1</number><decidedAt>{}</decidedAt><curator><id>{curator}</id>\
             <organisation>register</organisation></curator><sinceOn>{}</sinceOn></Curator>",
            at(minutes_ago * 60_000_000),
            today()
        )
    };
    case.send("employment", "curator", order("c-21", 2)).receipt();
    case.send("register", "curator", order("c-17", 3)).receipt();
    assert_eq!(case.shown()["curator"], "c-21", "the older order came later");
    let register = world.agency("register");
    let note = "<Note xmlns=\"urn:mezhved:social:note:1\"><text>Уточняем.</text></Note>";
    case.send("police", "note", note.to_owned()).receipt();
    let question = "<DatabankAnswer xmlns=\"urn:mezhved:social:databank-answer:1\"/>";
    refused(
        &world.post(register.sign(&register.draft("police", "databank-answer", question))),
        FaultCode::RouteForbidden,
    );

    let body = format!(
        "<Termination xmlns=\"urn:mezhved:social:termination:2\"><number>З-1</number><decidedAt>{}</decidedAt>\
         <endsOn>{}</endsOn><ground>result-impossible</ground></Termination>",
        at(1_000_000),
        today()
    );
    let mut draft = register.draft("register", "termination", body);
    draft.header.case_id = Some(case.case);
    draft.header.message_type = MessageType::new("termination", 2).unwrap();
    world.post(register.sign(&draft)).receipt();
    assert!(case.shown()["closedAt"].is_string());
    refused(&case.send("register", "curator", order("c-30", 1)), FaultCode::CaseClosed);
    case.send("police", "note", note.to_owned()).receipt();
}

#[test]
fn later_types_act_on_a_case_on_sqlite() {
    later_types_act_on_a_case(Backend::Sqlite);
}

#[test]
fn later_types_act_on_a_case_on_postgres() {
    later_types_act_on_a_case(Backend::Postgres);
}

#[test]
fn a_case_lives_and_ends_on_sqlite() {
    a_case_lives_and_ends(Backend::Sqlite);
}

#[test]
fn a_case_lives_and_ends_on_postgres() {
    a_case_lives_and_ends(Backend::Postgres);
}

#[test]
fn a_withdrawn_request_is_owed_no_longer_and_only_by_who_sent_it() {
    let world = World::on(Backend::Sqlite).whole_region().start();
    let register = world.agency("register");
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    let id = request.header.message_id;
    world.post(register.sign(&request)).receipt();
    let answers = || world.listed(&["deadline", "list", "--rule", "document-answer"]);
    assert_eq!(answers().len(), 1);
    let withdrawal = |id: MessageId| {
        format!(
            "<RequestWithdrawal xmlns=\"urn:mezhved:social:request-withdrawal:1\"><request>{id}</request>\
             <reason>Документ принёс гражданин.</reason></RequestWithdrawal>"
        )
    };
    let never = register.draft("guardianship", "request-withdrawal", withdrawal(crate::world::new_id()));
    refused(&world.post(register.sign(&never)), FaultCode::ReferenceUnknown);
    let elsewhere = register.draft("health", "request-withdrawal", withdrawal(id));
    refused(&world.post(register.sign(&elsewhere)), FaultCode::ReferenceUnknown);
    assert_ne!(answers()[0]["state"], "cancelled");
    let withdrawn = register.draft("guardianship", "request-withdrawal", withdrawal(id));
    world.post(register.sign(&withdrawn)).receipt();
    assert_eq!(answers()[0]["state"], "cancelled");
    let told = world.mezhved(&["deadline", "explain", answers()[0]["id"].as_str().unwrap()]).done().stdout;
    assert!(told.contains("снято"), "{told}");
}
