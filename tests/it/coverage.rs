//! The table of coverage: every exchange that the five documents name, with its message, who carries it, and what shows it.
//!
//! The table is `docs/coverage.csv`; `docs/coverage.en.md` and `docs/coverage.ru.md` print it. Nothing in it may be older than the
//! schemas, the regulations, the adapters and the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mezhved::adapter::{AdapterSet, Direction, check_golden};
use mezhved::bundle;
use mezhved::deadline::Regulations;
use mezhved::domain::{MessageType, RoleCode};
use mezhved::schema::Catalogue;

use crate::commands::{adapters::PEOPLE, adapters::READY, project};

const TABLE: &str = include_str!("../../docs/coverage.csv");

/// The documents: how the ids of their rows begin, and the regulation that reads them; `None`: all three do.
const PARTS: [(&str, Option<&str>); 5] = [
    ("law", None),
    ("leaflet", Some("model")),
    ("model", Some("model")),
    ("yugra", Some("yugra")),
    ("smolensk", Some("smolensk")),
];

/// A page and its words.
struct Page {
    text: &'static str,
    is_russian: bool,
    setting: &'static str,
    later: &'static str,
    absent: &'static str,
    outside: &'static str,
}

const PAGES: [Page; 2] = [
    Page {
        text: include_str!("../../docs/coverage.en.md"),
        is_russian: false,
        setting: "a region's setting",
        later: "**later**",
        absent: "**text absent**",
        outside: "no exchange",
    },
    Page {
        text: include_str!("../../docs/coverage.ru.md"),
        is_russian: true,
        setting: "настройка региона",
        later: "**позже**",
        absent: "**текста нет**",
        outside: "не обмен",
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// A message carries it, by the regulation as it is shipped.
    Exchange,
    /// Message and adapters are there; the region gives the body a role.
    Setting,
    /// The channel is not built.
    Later,
    /// The document's text is not published.
    Absent,
    /// Nothing passes between systems.
    Outside,
}

/// A row, as it stands in the file.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    document: String,
    paragraph: String,
    ru: String,
    en: String,
    state: State,
    messages: String,
    from: String,
    to: String,
    adapters: String,
    tests: String,
    note_ru: String,
    note_en: String,
}

impl Row {
    fn part(&self) -> &str {
        self.id.rsplit_once('-').unwrap_or_else(|| panic!("{}: an id is a part and a number", self.id)).0
    }

    /// The folders of the roles on both sides, or those that are named.
    fn folders(&self) -> BTreeSet<&str> {
        let roles = self.from.split_whitespace().chain(self.to.split_whitespace());
        let of = |role| READY.iter().find(|(ready, _)| *ready == role).map(|(_, folder)| *folder);
        roles.filter_map(of).chain(self.adapters.split_whitespace()).collect()
    }

    fn line(&self, page: &Page) -> String {
        let code = |words: &str| {
            let words: Vec<String> = words.split_whitespace().map(|word| format!("`{word}`")).collect();
            if words.is_empty() { "-".to_owned() } else { words.join(", ") }
        };
        let plain = |words: &str| words.split_whitespace().collect::<Vec<_>>().join(", ");
        let (title, note) = if page.is_russian { (&self.ru, &self.note_ru) } else { (&self.en, &self.note_en) };
        let (message, way) = match self.state {
            State::Exchange => (code(&self.messages), format!("{} → {}", plain(&self.from), plain(&self.to))),
            State::Setting => (code(&self.messages), page.setting.to_owned()),
            State::Later => ("-".to_owned(), page.later.to_owned()),
            State::Absent => ("-".to_owned(), page.absent.to_owned()),
            State::Outside => ("-".to_owned(), page.outside.to_owned()),
        };
        let folders: Vec<String> = self.folders().into_iter().map(|folder| format!("`{folder}`")).collect();
        let folders = if folders.is_empty() { "-".to_owned() } else { folders.join(", ") };
        let note = if note.is_empty() { "-" } else { note };
        let place = format!("`{}`, {}", self.document, self.paragraph);
        let cells = [&self.id, &place, title, &message, &way, &folders, &code(&self.tests), note];
        format!("| {} |", cells.join(" | "))
    }
}

fn rows() -> Vec<Row> {
    let read = csv::Reader::from_reader(TABLE.as_bytes()).into_deserialize();
    read.map(|row| row.unwrap_or_else(|e| panic!("docs/coverage.csv: {e}"))).collect()
}

/// The full names of all tests of the library and of this binary, `exchange::http::what_a_partner_refuses_is_told_to_the_sender`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in ["src", "tests/it"] {
        collect(&project(root), "", &mut found);
    }
    found
}

fn collect(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let below = if ["mod", "lib", "main"].contains(&name) && path.is_file() {
            module.to_owned()
        } else {
            format!("{module}{name}::")
        };
        if path.is_dir() {
            collect(&path, &below, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(named(&text).map(|test| format!("{below}{test}")));
        }
    }
}

/// The functions with the attribute of a test right above them, but for other attributes.
fn named(source: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    source.lines().filter_map(move |line| {
        let line = line.trim_start();
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            return None;
        }
        let name = line
            .trim_start_matches("async ")
            .strip_prefix("fn ")
            .and_then(|rest| rest.split_once('('))
            .map(|(name, _)| name);
        std::mem::take(&mut is_test).then_some(name).flatten()
    })
}

#[test]
fn every_message_type_of_every_regulation_has_a_row_of_its_documents() {
    let files = bundle::embedded();
    let (catalogue, regulations) = (Catalogue::from_files(&files).unwrap(), Regulations::from_files(&files).unwrap());
    let rows = rows();
    let carried = |part: &str, message: &str| {
        let carries = |row: &&Row| row.part() == part && row.state == State::Exchange;
        rows.iter().filter(carries).any(|row| row.messages.split_whitespace().any(|m| m == message))
    };
    let mut missing = BTreeSet::new();
    for (part, regulation) in PARTS.iter().filter(|(part, _)| *part != "leaflet") {
        let Some(regulation) = regulation else { continue };
        for exchange in &regulations.get(regulation).unwrap().exchanges {
            if !carried(part, &exchange.message) {
                missing.insert(format!("{part}: {}", exchange.message));
            }
        }
    }
    for known in catalogue.types().filter(|t| t.technical().is_none()) {
        if !PARTS.iter().any(|(part, _)| carried(part, &known.name)) {
            missing.insert(known.name.clone());
        }
    }
    assert!(missing.is_empty(), "no row of the documents: {missing:#?}");
}

#[test]
fn every_row_names_what_there_is() {
    let files = bundle::embedded();
    let (set, catalogue) = (AdapterSet::from_files(&files).unwrap(), Catalogue::from_files(&files).unwrap());
    let regulations = Regulations::from_files(&files).unwrap();
    let documents: BTreeSet<&str> =
        regulations.iter().flat_map(|r| &r.documents).map(|d| d.id.as_str()).chain(["leaflet"]).collect();
    let tests = tests();
    let samples: BTreeMap<&str, BTreeSet<(String, Direction)>> = set
        .iter()
        .map(|adapter| {
            let shown = check_golden(adapter, &files, &catalogue).into_iter().filter(|result| result.passed());
            (
                adapter.name(),
                shown.filter_map(|result| Some((result.message_type.clone(), result.direction?))).collect(),
            )
        })
        .collect();
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for row in rows() {
        let id = row.id.clone();
        let mut say = |what: String| wrong.push(format!("{id}: {what}"));
        if !ids.insert(id.clone()) {
            say("twice".to_owned());
        }
        let Some((_, regulation)) = PARTS.iter().find(|(part, _)| *part == row.part()) else {
            say(format!("no document begins its rows with `{}`", row.part()));
            continue;
        };
        if !documents.contains(row.document.as_str())
            || row.paragraph.is_empty()
            || row.ru.is_empty()
            || !row.en.is_ascii()
        {
            say("a document, its paragraph, and the exchange in both languages".to_owned());
        }
        if row.note_ru.is_empty() != row.note_en.is_empty() || (row.state != State::Exchange && row.note_en.is_empty())
        {
            say("a note stands in both languages, and says why there is no exchange".to_owned());
        }
        let carries = matches!(row.state, State::Exchange | State::Setting);
        if carries == (row.messages.is_empty() || row.tests.is_empty())
            || (row.state == State::Exchange) == row.from.is_empty()
        {
            say("what is exchanged has a message, a way and a test, and nothing else has".to_owned());
        }
        for name in row.tests.split_whitespace() {
            let fits = |test: &&String| *test == name || test.ends_with(&format!("::{name}"));
            match tests.iter().filter(fits).count() {
                1 => {}
                count => say(format!("{count} tests are named `{name}`")),
            }
        }
        for message in row.messages.split_whitespace() {
            if catalogue.message(message).is_none() {
                say(format!("there is no type `{message}`"));
            }
            for (from, to) in ways(&row) {
                let allowed =
                    regulations.iter().filter(|r| regulation.is_none_or(|id| r.id == id)).flat_map(|r| &r.exchanges);
                let (from, to) = (RoleCode::parse(from).unwrap(), RoleCode::parse(to).unwrap());
                let mut allowed = allowed.filter(|e| e.message == message);
                if !allowed.any(|e| e.from.contains(&from) && e.to.contains(&to)) {
                    say(format!("no regulation lets {from} send `{message}` to {to}"));
                }
                for (role, direction) in [(&from, Direction::ToCanonical), (&to, Direction::ToPartner)] {
                    match READY.iter().find(|(ready, _)| *ready == role.as_str()) {
                        Some((_, folder)) if samples[folder].contains(&(message.to_owned(), direction)) => {}
                        Some((_, folder)) => say(format!("adapters/{folder} shows no `{message}` {direction}")),
                        None if PEOPLE.contains(&role.as_str()) => {}
                        None => say(format!("the role {role} has no folder")),
                    }
                }
            }
            for folder in row.adapters.split_whitespace() {
                let shown = samples.get(folder).is_some_and(|shown| shown.iter().any(|(known, _)| known == message));
                if !shown
                    || !set
                        .get(folder)
                        .is_some_and(|a| a.carries(&MessageType::new(message, 1).unwrap(), Direction::ToPartner))
                {
                    say(format!("adapters/{folder} shows no `{message}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every sender with every recipient of a row.
fn ways(row: &Row) -> impl Iterator<Item = (&str, &str)> {
    row.from.split_whitespace().flat_map(|from| row.to.split_whitespace().map(move |to| (from, to)))
}

#[test]
fn the_pages_print_the_table_in_both_languages() {
    let rows = rows();
    for page in &PAGES {
        let wanted: Vec<String> = rows.iter().map(|row| row.line(page)).collect();
        let starts: Vec<String> = PARTS.iter().map(|(part, _)| format!("| {part}-")).collect();
        let listed: Vec<&str> =
            page.text.lines().filter(|line| starts.iter().any(|start| line.starts_with(start))).collect();
        assert!(listed == wanted, "the tables of the page must be\n{}", wanted.join("\n"));
    }
}

#[test]
fn tests_are_found_by_their_attribute() {
    let source =
        "#[test]\n#[expect(x)]\nfn a() {\n}\nfn b() {}\n    #[tokio::test(flavor = \"x\")]\n    async fn c() {\n";
    assert_eq!(named(source).collect::<Vec<_>>(), ["a", "c"]);
    let all = tests();
    assert!(all.contains("coverage::tests_are_found_by_their_attribute"), "{} tests", all.len());
    assert!(all.contains("deadline::obligations::tests::rows::yugra::y_01_identification_notice"));
}
