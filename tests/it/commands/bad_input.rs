//! Mistakes in what is shipped, and extensions beyond the limit: each is told with its place, the word, and the way out.

use std::path::Path;

use chrono::{Days, Months, NaiveDate};
use mezhved::domain::{CaseId, FaultCode};
use uuid::Uuid;

use super::{copy_folder, project};
use crate::support::{Finished, mezhved};
use crate::world::{Answer, Backend, World, bodies, now};

const YUGRA: &str = "regulations/yugra.toml";
const CALENDAR: &str = "calendars/ru.csv";

/// One mistake: its name, the file, what stands there, what is written instead, the part of it that is pointed at (empty: the line
/// alone), and what is said.
type Mistake = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const REGULATION: [Mistake; 13] = [
    (
        "a term that does not parse",
        YUGRA,
        "term = \"1 working day\"",
        "term = \"1 workin day\"",
        "\"1 workin day\"",
        &["слово `workin` (знак 3)", "word `workin` at character 3", "allowed here: hours, working days"],
    ),
    (
        "a warning that does not parse",
        YUGRA,
        "warn = [\"8 hours before\"]",
        "warn = [\"8 hours befor\"]",
        "\"8 hours befor\"",
        &["`befor` (знак 9)", "word `befor` at character 9", "allowed here"],
    ),
    (
        "a term of a table that does not parse",
        YUGRA,
        "adaptation = \"least of (12 months, 6 months)\"",
        "adaptation = \"least of (12 months, 6 mnths)\"",
        "\"least of (12 months, 6 mnths)\"",
        &["word `mnths` at character 24", "allowed here"],
    ),
    (
        "a message that opens and is not known",
        YUGRA,
        "[deadline.opens]\nmessage = \"application\"\neach",
        "[deadline.opens]\nmessage = \"aplication\"\neach",
        "\"aplication\"",
        &["`aplication`", "there are: application, case-handover, consent, contract"],
    ),
    (
        "a message that meets and is not known",
        YUGRA,
        "[[deadline.met]]\nmessage = \"document-request\"",
        "[[deadline.met]]\nmessage = \"document-reqest\"",
        "\"document-reqest\"",
        &["`document-reqest`", "there are: application, case-handover, consent, contract"],
    ),
    (
        "a debtor whose role is not known",
        YUGRA,
        "debtor = \"role uszn\"\ncreditor = \"role of key\"",
        "debtor = \"role uzsn\"\ncreditor = \"role of key\"",
        "\"role uzsn\"",
        &["роль `uzsn`", "role `uzsn`", "there are: commission"],
    ),
    (
        "an exchange of a role that is not known",
        YUGRA,
        "message = \"yearly-summary\"\nfrom = [\"department\"]",
        "message = \"yearly-summary\"\nfrom = [\"departament\"]",
        "\"departament\"",
        &["role `departament`", "there are: commission"],
    ),
    (
        "two rules with one id",
        YUGRA,
        "id = \"document-answer\"",
        "id = \"document-request\"",
        "\"document-request\"",
        &["второе правило с id `document-request`", "the first is on line ", "give it another"],
    ),
    (
        "a month of measures that ends before it starts",
        YUGRA,
        "# [[measure]]\n",
        "[[measure]]\ncase = \"01931f6e-7a00-7000-8000-00000000ca5e\"\nterritory = \"71876000\"\nresponsible = \"employment\"\n\
         kind = \"x\"\nfrom = \"2026-06\"\nto = \"2026-01\"\n",
        "\"2026-01\"",
        &["конец 2026-01 раньше начала 2026-06", "is before the start 2026-06", "exchange them"],
    ),
    (
        "an extended limit shorter than the limit",
        YUGRA,
        "extended = \"12 months\"",
        "extended = \"3 months\"",
        "\"3 months\"",
        &[
            "`3 months` короче предела без него `6 months`",
            "shorter than the one without `6 months`",
            "name one that is not",
        ],
    ),
    (
        "a calendar that is not there",
        YUGRA,
        "calendar = \"ru\"",
        "calendar = \"rus\"",
        "",
        &["календарь `rus` не загружен", "there are: ru", "add config/calendars/rus.csv"],
    ),
    (
        "a day that is none",
        YUGRA,
        "effective_from = \"2015-07-31\"",
        "effective_from = \"2015-07-32\"",
        "\"2015-07-32\"",
        &["`2015-07-32`", "a date like 2026-05-11 is needed"],
    ),
    (
        "a step after one that is not there",
        YUGRA,
        "after = [\"final\"]",
        "after = [\"finale\"]",
        "\"finale\"",
        &["step (above in the file) `finale`", "there are: "],
    ),
];

const CALENDARS: [Mistake; 4] = [
    (
        "years that end before they start",
        CALENDAR,
        "#! years 2015-2027",
        "#! years 2027-2015",
        "",
        &["#! years 2015-2027"],
    ),
    (
        "a day of a year that is not stated",
        CALENDAR,
        "2027-11-05,nonworking",
        "2029-11-05,nonworking",
        "",
        &["2029-11-05", "outside of the years stated", "add the year or drop the line"],
    ),
    (
        "a day that is none",
        CALENDAR,
        "2027-11-05,nonworking",
        "2027-11-31,nonworking",
        "",
        &["`2027-11-31`", "one like 2026-05-11 is needed"],
    ),
    (
        "a total that is another one",
        CALENDAR,
        "#! total 2026 247",
        "#! total 2026 248",
        "",
        &["2026 has 247 working days by its rows, but 248 are stated", "check the year's rows"],
    ),
];

/// Makes the mistake in a folder that holds what is shipped, and gives the place as it must be told.
fn make(folder: &Path, (_, file, from, to, pointed, _): &Mistake) -> String {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let start = text.find(from).unwrap_or_else(|| panic!("no `{from}` in {file}"));
    std::fs::write(folder.join(file), text.replacen(from, to, 1)).unwrap();
    // The last of equal parts: what is repeated is what is wrong.
    let until = &format!("{}{to}", &text[..start])[..start + to.rfind(pointed).unwrap()];
    let line = if pointed.is_empty() { text[..start].matches('\n').count() } else { until.matches('\n').count() } + 1;
    if pointed.is_empty() {
        return format!("config/{file}:{line}: ");
    }
    format!("config/{file}:{line}:{}: ", until.rsplit('\n').next().unwrap().chars().count() + 1)
}

/// It ended with status 1, and one line tells the place with everything that is to be said.
fn told(name: &str, finished: &Finished, place: &str, says: &[&str]) {
    assert_eq!(finished.status, Some(1), "{name}: {finished}");
    let all = format!("{}\n{}", finished.stdout, finished.stderr);
    let lines: Vec<&str> = all.lines().filter(|line| line.contains(place)).collect();
    assert!(
        lines.iter().any(|line| says.iter().all(|word| line.contains(word)) && line.contains(" / ")),
        "{name}: not told at `{place}` with {says:?}: {finished}"
    );
}

fn shipped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&project("config"), folder.path());
    folder
}

fn run(command: &[&str], folder: &Path) -> Finished {
    mezhved(&[command, &["--config", folder.to_str().unwrap()]].concat())
}

#[test]
fn every_mistake_in_a_regulation_is_told_with_its_place_and_the_way_out() {
    for mistake in &REGULATION {
        let folder = shipped();
        let place = make(folder.path(), mistake);
        told(mistake.0, &run(&["regulation", "check"], folder.path()), &place, mistake.5);
        // The whole folder's check says the same, and a node does not start.
        let world = World::on(Backend::Sqlite).whole_region().prepare();
        copy_folder(&folder.path().join("regulations"), &world.file("regulations"));
        for command in [&["config", "check"][..], &["serve"]] {
            told(mistake.0, &world.mezhved(command), &place, mistake.5);
        }
    }
}

#[test]
fn every_mistake_in_a_calendar_is_told_with_its_place_and_the_way_out() {
    for mistake in &CALENDARS {
        let folder = shipped();
        let place = make(folder.path(), mistake);
        told(mistake.0, &run(&["calendar", "check"], folder.path()), &place, mistake.5);
    }
}

#[test]
fn a_missing_year_is_named_where_the_calendar_is_named_and_where_it_is_asked_for() {
    let folder = shipped();
    let (file, year) = (folder.path().join(CALENDAR), now().utc().format("%Y").to_string());
    let before = year.parse::<i32>().unwrap() - 1;
    let years: Vec<String> = (before + 1..=2027).map(|year| year.to_string()).collect();
    let text = std::fs::read_to_string(&file).unwrap();
    let kept = text.lines().filter(|line| {
        let of = line.trim_start_matches("#! total ").trim_start_matches("#! doubt ");
        !years.iter().any(|year| of.starts_with(year.as_str()))
    });
    let kept: Vec<&str> = kept.collect();
    std::fs::write(&file, kept.join("\n").replace("#! years 2015-2027", &format!("#! years 2015-{before}")) + "\n")
        .unwrap();
    let says = format!("has no data for {year} (it has 2015-{before}); add them to config/calendars/ru.csv");
    let regulation = std::fs::read_to_string(folder.path().join(YUGRA)).unwrap();
    let line = regulation.lines().position(|line| line.starts_with("calendar = ")).unwrap() + 1;
    let check = run(&["regulation", "check"], folder.path());
    told("the check", &check, &format!("config/{YUGRA}:{line}: "), &[&says, "нет данных за"]);
    told("the calendar", &run(&["calendar", "show", &year], folder.path()), "ru", &[&says]);
    // The simulation works by what is built in, so a year beyond it is asked for.
    let simulate = mezhved(&["simulate", "--regulation", "yugra", "--from", "2031-01-01", "--to", "2031-12-31"]);
    told("the simulation", &simulate, "2031", &["has no data for 2031", "add them to config/calendars/ru.csv"]);
}

/// The day of the tests in the region.
fn today() -> NaiveDate {
    now().utc().with_timezone(&chrono_tz::Asia::Yekaterinburg).date_naive()
}

/// A family in accompaniment since today, for five months, with one measure that is due in forty days.
struct Family<'w> {
    world: &'w World,
    case: CaseId,
}

impl Family<'_> {
    fn of(world: &World) -> Family<'_> {
        let family = Family { world, case: CaseId::from_uuid(Uuid::now_v7()) };
        family.send("register", "application", bodies::application(now().plus_seconds(-60), &[])).receipt();
        let (begins, ends, due) = (today(), today() + Months::new(5), today() + Days::new(40));
        let programme = format!(
            "<Programme xmlns=\"urn:mezhved:social:programme:1\"><number>П-1</number><version>1</version>\
             <status>approved</status><approvedAt>{}</approvedAt><beginsOn>{begins}</beginsOn><endsOn>{ends}</endsOn>\
             <measures><measure><number>1</number><helpKind>social</helpKind><title>Содействие</title>\
             <responsible>employment</responsible><beginsOn>{begins}</beginsOn><dueOn>{due}</dueOn></measure></measures></Programme>",
            utc(-30)
        );
        family.send("employment", "programme", programme).receipt();
        family
    }

    fn send(&self, to: &str, message: &str, body: String) -> Answer {
        let register = self.world.agency("register");
        let mut draft = register.draft(to, message, body);
        draft.header.case_id = Some(self.case);
        self.world.post(register.sign(&draft))
    }

    /// A decision of today, with both of its grounds, until this day.
    fn extension(&self, ends: NaiveDate) -> Answer {
        let day = today();
        let body = format!(
            "<Extension xmlns=\"urn:mezhved:social:extension:1\"><number>Р-1</number><decidedAt>{}</decidedAt><endsOn>{ends}</endsOn>\
             <wish><date>{day}</date></wish><groupDecision><date>{day}</date><number>3</number></groupDecision></Extension>",
            utc(-10)
        );
        self.send("register", "extension", body)
    }

    /// What the measure, or another rule, owes in this case.
    fn owed(&self, rule: &str) -> String {
        let rows = self.world.listed(&["deadline", "list", "--case", &self.case.to_string(), "--rule", rule]);
        rows[0]["id"].as_str().unwrap().to_owned()
    }

    fn extend(&self, id: &str, to: NaiveDate) -> Finished {
        let line = ["deadline", "extend", id, "--to", &to.to_string(), "--ground", "agreed-extension"];
        let document = ["--document", "Соглашение", "--number", "5", "--date", "2024-05-06"];
        self.world.mezhved(&[&line[..], &document].concat())
    }
}

fn utc(seconds: i64) -> String {
    now().plus_seconds(seconds).utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[test]
fn an_extension_message_beyond_the_limit_is_refused_with_the_element_and_the_source() {
    let world = World::on(Backend::Sqlite).whole_region().start();
    let family = Family::of(&world);
    let refused = family.extension(today() + Months::new(12) + Days::new(2));
    let fault = refused.fault();
    assert_eq!(fault.code, FaultCode::ContentInvalid.code());
    let detail = fault.detail.unwrap();
    for part in ["`endsOn`", "12 months", "537-р", "пп. 5.1-5.3", "name an earlier day"] {
        assert!(detail.contains(part), "no `{part}` in {detail}");
    }
    let shown = || world.mezhved(&["case", "show", &family.case.to_string(), "--json"]).done().json();
    assert_eq!(shown()["endsOn"], (today() + Months::new(5)).to_string(), "nothing changed");
    family.extension(today() + Months::new(11)).receipt();
    assert_eq!(shown()["endsOn"], (today() + Months::new(11)).to_string());
}

#[test]
fn an_operator_extends_nothing_beyond_the_end_of_its_case() {
    let world = World::on(Backend::Sqlite).whole_region().start();
    let family = Family::of(&world);
    let (measure, end) = (family.owed("measure"), today() + Months::new(5));
    let refused = family.extend(&measure, end + Days::new(1));
    let line = format!("--to {}", end + Days::new(1));
    told(
        "beyond the end",
        &refused,
        &line,
        &[
            &measure,
            &format!("позже конца дела {end}"),
            "6 месяцев",
            "the limit is 6 months",
            "537-р",
            "пп. 5.1-5.3",
            "сообщением `extension`",
            "at most 12 months in all",
        ],
    );
    assert_eq!(world.number("SELECT COUNT(*) FROM obligation_acts"), 0);
    // Up to the end, and what was due beyond it anyway.
    family.extend(&measure, end).done();
    let revision = family.owed("programme-revision");
    family.extend(&revision, today() + Months::new(37)).done();
    // The case itself is extended first: then so may be what is owed in it, but no further.
    family.extension(today() + Months::new(12) - Days::new(1)).receipt();
    family.extend(&measure, end + Days::new(1)).done();
    let refused = family.extend(&measure, today() + Months::new(13));
    told(
        "beyond the limit",
        &refused,
        "--to ",
        &["the limit is 12 months", "goes no further", "mezhved deadline waive"],
    );
}
