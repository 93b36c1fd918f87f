use std::sync::Barrier;

use super::*;
use crate::bundle::{self, Files};
use crate::domain::MessageType;

/// Our own types with their versions; the technical ones have their tests where they are written and read.
const TYPES: [(&str, u32); 40] = [
    ("application", 1),
    ("application", 2),
    ("case-handover", 1),
    ("consent", 1),
    ("contract", 1),
    ("curator", 1),
    ("databank-answer", 1),
    ("databank-entry", 1),
    ("databank-query", 1),
    ("decision", 1),
    ("document-request", 1),
    ("document-response", 1),
    ("effectiveness-assessment", 1),
    ("extension", 1),
    ("family-refusal", 1),
    ("group-conclusion", 1),
    ("guardianship-report", 1),
    ("identification-notice", 1),
    ("information-request", 1),
    ("information-response", 1),
    ("level-change", 1),
    ("measure-mark", 1),
    ("ministry-report", 1),
    ("needs-assessment", 1),
    ("note", 1),
    ("personal-data-change", 1),
    ("programme", 1),
    ("programme", 2),
    ("programme-remarks", 1),
    ("progress-report", 1),
    ("proposal", 1),
    ("provision-act", 1),
    ("quarterly-analysis", 1),
    ("request-withdrawal", 1),
    ("rights-violation", 1),
    ("statistics", 1),
    ("termination", 1),
    ("termination", 2),
    ("termination-request", 1),
    ("yearly-summary", 1),
];

fn catalogue() -> Catalogue {
    Catalogue::from_files(&bundle::embedded()).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn message_type(name: &str) -> MessageType {
    versioned((name, 1))
}

fn versioned((name, version): (&str, u32)) -> MessageType {
    MessageType::new(name, version).unwrap()
}

fn files_in<'a>(files: &'a Files, folder: &str, ending: &str) -> Vec<(&'a str, &'a [u8])> {
    files
        .iter()
        .filter(|(path, _)| path.starts_with(folder) && path.ends_with(ending))
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect()
}

#[test]
fn every_sample_is_valid() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    for known in catalogue.types() {
        let samples = files_in(&files, &format!("schemas/{}/samples/", known.folder()), ".xml");
        assert!(!samples.is_empty() || known.technical().is_some(), "{known} has no sample");
        for (path, bytes) in samples {
            catalogue.validate(known, bytes).unwrap_or_else(|violations| panic!("{path}: {violations:#?}"));
        }
    }
    let own: Vec<(&str, u32)> =
        catalogue.types().filter(|t| t.technical().is_none()).map(|t| (t.name.as_str(), t.version)).collect();
    assert_eq!(own, TYPES, "the types that the tests below go through");
    for known in TYPES.map(versioned) {
        let count = files_in(&files, &format!("schemas/{}/samples/", known.folder()), ".xml").len();
        assert!(count >= 2, "{known}: a rich and a minimal sample are wanted");
    }
}

#[derive(serde::Deserialize)]
struct Expected {
    file: String,
    line: u32,
    element: String,
    rule: String,
}

#[test]
fn every_invalid_sample_fails_where_its_defect_is() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    let mut rules_seen = std::collections::BTreeSet::new();
    for known in TYPES.map(versioned) {
        let folder = format!("schemas/{}/samples-invalid/", known.folder());
        let table = &files[&format!("{folder}expected.csv")];
        let expected: Vec<Expected> =
            csv::Reader::from_reader(table.as_slice()).deserialize().map(Result::unwrap).collect();
        let documents = files_in(&files, &folder, ".xml");
        assert_eq!(documents.len(), expected.len(), "{known}: expected.csv lists every invalid sample");
        for expected in expected {
            let path = format!("{folder}{}", expected.file);
            let violations = catalogue.validate(&known, &files[&path]).expect_err(&path);
            let first = &violations[0];
            let got = (first.line, first.element.as_str(), first.rule.code());
            assert_eq!(
                got,
                (Some(expected.line), expected.element.as_str(), expected.rule.as_str()),
                "{path}: {first}"
            );
            assert_eq!(violations.len(), 1, "{path} has one defect: {violations:#?}");
            rules_seen.insert(first.rule);
        }
    }
    let untested: Vec<_> = ViolatedRule::ALL.iter().filter(|rule| !rules_seen.contains(rule)).collect();
    assert_eq!(untested, [&ViolatedRule::NotWellFormed], "each rule has an invalid sample");
}

/// Values that stand between tags of a document and are long enough to be told apart from words of the schema.
fn values(text: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(text).unwrap();
    let leaves = document.descendants().filter(|n| n.is_element() && n.first_element_child().is_none());
    leaves.filter_map(|n| n.text()).map(str::to_owned).filter(|v| v.chars().count() >= 4).collect()
}

#[test]
fn violations_hold_no_value_of_the_document() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    let schema_text =
        files_in(&files, "schemas/", ".xsd").iter().map(|(_, b)| String::from_utf8_lossy(b)).collect::<String>();
    let mut checked = 0;
    for known in TYPES.map(versioned) {
        for (path, bytes) in files_in(&files, &format!("schemas/{}/samples-invalid/", known.folder()), ".xml") {
            let violations = catalogue.validate(&known, bytes).expect_err(path);
            for value in values(std::str::from_utf8(bytes).unwrap()) {
                // A code of a list may be named among the allowed ones.
                if schema_text.contains(&value) {
                    continue;
                }
                for violation in &violations {
                    let told = format!("{violation} {} {violation:?}", violation.ru);
                    assert!(!told.contains(&value), "{path}: {told} tells {value}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

/// Every leaf of every sample gets a value that imitates libxml2's own sentences; none may come out.
#[test]
fn a_value_that_imitates_the_validator_does_not_leak() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    let secret = "СЕКРЕТ' is not accepted by the pattern 'СЕКРЕТ'. Expected is ( СЕКРЕТ ). is not an element of the set {'СЕКРЕТ'} \
                  Element 'СЕКРЕТ', attribute 'СЕКРЕТ' is not a valid value of the СЕКРЕТ allowed 'СЕКРЕТ' something strange happend.";
    let mut refused = 0;
    for known in TYPES.map(versioned) {
        for (path, bytes) in files_in(&files, &format!("schemas/{}/samples/", known.folder()), ".xml") {
            let text = std::str::from_utf8(bytes).unwrap();
            let document = roxmltree::Document::parse(text).unwrap();
            for leaf in document.descendants().filter(|n| n.is_text() && !n.text().unwrap().trim().is_empty()) {
                let mut changed = text.to_owned();
                changed.replace_range(leaf.range(), secret);
                if let Err(violations) = catalogue.validate(&known, changed.as_bytes()) {
                    refused += 1;
                    let told = format!("{violations:?}");
                    assert!(!told.contains("СЕКРЕТ"), "{path}: {told}");
                    assert_eq!(violations[0].line, Some(document.text_pos_at(leaf.range().start).row), "{path}");
                }
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn what_is_not_a_document_of_the_type_is_refused() {
    let catalogue = catalogue();
    let report = message_type("progress-report");
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let xsi = "<ProgressReport xmlns='urn:mezhved:social:progress-report:1' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' \
               i:schemaLocation='urn:x file:///etc/passwd'/>";
    let hidden_xsi = xsi.replace("XMLSchema-instance", "XMLSchema&#45;instance");
    let table: [(&str, &[u8], ViolatedRule, &str); 12] = [
        ("nothing", b"", ViolatedRule::NotWellFormed, "well-formed"),
        ("no XML", b"{}", ViolatedRule::NotWellFormed, "well-formed"),
        ("cut off", b"<ProgressReport", ViolatedRule::NotWellFormed, "well-formed"),
        ("not UTF-8", b"<a>\xff</a>", ViolatedRule::NotWellFormed, "UTF-8"),
        (
            "DTD",
            b"<?xml version='1.0'?>\n<!-- x --><!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            ViolatedRule::NotWellFormed,
            "document type",
        ),
        ("unknown prefix", b"<p:a/>", ViolatedRule::NotWellFormed, "well-formed"),
        ("too deep", deep.as_bytes(), ViolatedRule::NotWellFormed, "too deep"),
        ("xsi", xsi.as_bytes(), ViolatedRule::Schema, "xsi"),
        ("xsi spelled otherwise", hidden_xsi.as_bytes(), ViolatedRule::Schema, "xsi"),
        ("another root", b"<Other/>", ViolatedRule::Schema, "root element"),
        ("no namespace", b"<ProgressReport/>", ViolatedRule::Schema, "root element"),
        (
            "attribute",
            b"<ProgressReport xmlns='urn:mezhved:social:progress-report:1' id='1'/>",
            ViolatedRule::Schema,
            "attribute id: the attribute is not allowed",
        ),
    ];
    for (what, bytes, rule, words) in table {
        let violations = catalogue.validate(&report, bytes).expect_err(what);
        assert_eq!(violations[0].rule, rule, "{what}: {violations:?}");
        assert!(violations[0].to_string().contains(words), "{what}: {}", violations[0]);
    }
    let unknown = MessageType::new("progress-report", 2).unwrap();
    assert!(!catalogue.knows(&unknown));
    assert!(catalogue.validate(&unknown, b"<a/>").unwrap_err()[0].message.contains("no schema"));
}

#[test]
fn a_declared_encoding_or_version_changes_nothing_for_libxml2() {
    // Refused before a body comes here; should one come nevertheless, both readers must read the same text.
    let catalogue = catalogue();
    let (files, name) = (bundle::embedded(), "progress-report");
    let sample = String::from_utf8(files["schemas/social/progress-report/1/samples/minimal.xml"].clone()).unwrap();
    let disguised = sample.replace("encoding=\"UTF-8\"", "encoding=\"windows-1251\"");
    assert_ne!(sample, disguised);
    catalogue.validate(&message_type(name), disguised.as_bytes()).unwrap();
}

#[test]
fn a_comment_cannot_split_a_value() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    let sample = String::from_utf8(files["schemas/social/progress-report/1/samples/minimal.xml"].clone()).unwrap();
    for inside in ["2026<!-- -->-05", "2026<?x?>-05"] {
        let split = sample.replace("2026-05<", &format!("{inside}<"));
        assert_ne!(sample, split);
        let violations = catalogue.validate(&message_type("progress-report"), split.as_bytes()).unwrap_err();
        assert_eq!((violations[0].line, violations[0].rule), (Some(3), ViolatedRule::NotWellFormed));
    }
}

#[test]
fn many_threads_use_one_catalogue() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    type Alone = Option<Vec<Violation>>;
    let work: Vec<(MessageType, &[u8], Alone)> = TYPES
        .map(versioned)
        .into_iter()
        .flat_map(|known| {
            let folder = format!("schemas/{}/samples", known.folder());
            files_in(&files, &folder, ".xml").into_iter().map(move |(_, bytes)| (known.clone(), bytes))
        })
        .map(|(known, bytes)| {
            let alone = catalogue.validate(&known, bytes).err();
            (known, bytes, alone)
        })
        .collect();
    let threads = 24;
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        for shift in 0..threads {
            let (work, catalogue, start) = (&work, &catalogue, &start);
            scope.spawn(move || {
                start.wait();
                for (known, bytes, alone) in work.iter().cycle().skip(shift).take(3 * work.len()) {
                    assert_eq!(catalogue.validate(known, bytes).err(), *alone, "{known}");
                }
            });
        }
    });
}

#[test]
fn catalogues_are_made_and_dropped_while_others_work() {
    let files = bundle::embedded();
    let sample = &files["schemas/social/application/1/samples/family.xml"];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let own = Catalogue::from_files(&files).unwrap();
                    own.validate(&message_type("application"), sample).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_body_is_checked_as_it_stands_in_an_envelope() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    let sample =
        |path: &str| String::from_utf8(files[path].clone()).unwrap().lines().skip(1).collect::<Vec<_>>().join("\n");
    // The namespace of the shared types is declared on the envelope, the body stands from line 3.
    let wrap = |body: &str| {
        let body = body.replacen(" xmlns:c=\"urn:mezhved:common:1\"", "", 1);
        format!(
            "<e:Envelope xmlns:e=\"urn:e\" xmlns:c=\"urn:mezhved:common:1\">\n<e:Body>\n{body}\n</e:Body></e:Envelope>"
        )
    };
    let check = |body: &str| {
        let envelope = wrap(body);
        let document = roxmltree::Document::parse(&envelope).unwrap();
        let body = document.root_element().first_element_child().unwrap().first_element_child().unwrap();
        catalogue.validate(&message_type("application"), &element_bytes(body))
    };
    check(&sample("schemas/social/application/1/samples/family.xml")).unwrap();
    let violations = check(&sample("schemas/social/application/1/samples-invalid/snils-check-digit.xml")).unwrap_err();
    assert_eq!(
        (violations[0].line, violations[0].element.as_str()),
        (Some(17), "snils"),
        "16 in the file, one line later here"
    );
}

#[test]
fn published_files_are_found() {
    let catalogue = catalogue();
    assert!(catalogue.file("common/1/common.xsd").is_some());
    assert!(catalogue.file("common/1/code-lists/document-kinds.csv").is_some());
    assert!(catalogue.file("../Cargo.toml").is_none());
    assert!(catalogue.paths().any(|path| path == "social/application/1/application.xsd"));
    let found = catalogue.type_of_root("urn:mezhved:social:document-request:1", "DocumentRequest");
    assert_eq!(found, Some(&message_type("document-request")));
}

#[test]
fn the_schema_s_side_of_a_violation_is_told() {
    let catalogue = catalogue();
    let files = bundle::embedded();
    let table = [
        (
            "application",
            "territory-of-nine-digits",
            "the value does not fit the pattern [0-9]{8}([0-9]{3})?",
            "образец [0-9]{8}",
        ),
        ("application", "kind-unknown", "allowed ones: individual, group", "допустимых: individual, group"),
        (
            "application",
            "submitted-on-impossible-day",
            "the value does not fit the type Instant",
            "не подходит к типу Instant",
        ),
        (
            "application",
            "registered-missing",
            "not expected here; expected: registeredAt",
            "не ожидается; ожидается: registeredAt",
        ),
        (
            "application",
            "no-processing-basis",
            "a child element is missing; expected: consent, law",
            "не хватает вложенного элемента",
        ),
        ("application", "help-kind-twice", "given twice, allowed once (helpKindOnce)", "повтор"),
        ("document-response", "refused-without-ground", "the outcome `refused` needs the ground", "при итоге refused"),
    ];
    for (name, sample, en, ru) in table {
        let body = &files[&format!("schemas/social/{name}/1/samples-invalid/{sample}.xml")];
        let violations = catalogue.validate(&message_type(name), body).unwrap_err();
        assert!(violations[0].message.contains(en), "{sample}: {}", violations[0].message);
        assert!(violations[0].ru.contains(ru), "{sample}: {}", violations[0].ru);
    }
}

#[test]
fn long_texts_do_not_stall_the_validator() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    let sample = String::from_utf8(files["schemas/social/application/1/samples/minimal.xml"].clone()).unwrap();
    let table = [
        ("я".repeat(4000), true),
        ("я".repeat(4001), false),
        (format!("{} ", "a b".repeat(1300)), false),
        (" ".repeat(1_000_000), false),
        ("a\n".repeat(500_000), false),
    ];
    for (text, valid) in table {
        let body = sample.replace("Вымышленный случай: живёт один.", &text);
        assert_ne!(body, sample);
        let started = std::time::Instant::now();
        let got = catalogue.validate(&message_type("application"), body.as_bytes());
        assert_eq!(got.is_ok(), valid, "{} characters", text.len());
        // Some 70 ms for a million characters; a pattern that backtracks over them would take hours.
        assert!(started.elapsed().as_secs() < 30, "{} characters took {:?}", text.len(), started.elapsed());
    }
}

/// The pages for agencies name every type; who adds one is told here.
#[test]
fn the_pages_for_agencies_list_every_type() {
    for (page, text) in [
        ("agencies.ru.md", include_str!("../../docs/agencies.ru.md")),
        ("agencies.en.md", include_str!("../../docs/agencies.en.md")),
    ] {
        for known in catalogue().types() {
            let listed = match known.technical() {
                Some(_) => text.contains(&format!("`{}`", known.name)),
                None => text.contains(&format!("\n| `{}` | ", known.name)),
            };
            assert!(listed, "docs/{page} does not list {known}");
        }
    }
}

/// Days have no zone: only an order that is wrong in every zone is refused.
#[test]
fn a_day_is_compared_with_an_instant_in_whatever_zone_it_was_lived() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    let path = "schemas/social/extension/1/samples/to-a-year-rich.xml";
    let sample = std::str::from_utf8(&files[path]).unwrap();
    let decided = "2026-11-10T12:00:00+05:00";
    let table = [
        // The group's decision is dated 2026-11-09, which begins in the easternmost zone at 10:00 UTC of the day before.
        ("2026-11-08T10:00:00Z", true),
        ("2026-11-08T09:59:59Z", false),
        ("2026-11-08T23:59:59+14:00", false),
        ("2026-11-09T00:00:00+14:00", true),
        // The term ends on 2027-05-17, which is over in the westernmost zone at 12:00 UTC of the day after.
        ("2027-05-18T11:59:59Z", true),
        ("2027-05-18T12:00:00Z", false),
    ];
    for (instant, valid) in table {
        let body = sample.replace(decided, instant);
        assert_ne!(body, sample);
        let got = catalogue.validate(&message_type("extension"), body.as_bytes());
        assert_eq!(got.is_ok(), valid, "{instant}: {got:?}");
    }
}

#[test]
fn white_space_in_an_empty_list_is_no_value() {
    let (files, catalogue) = (bundle::embedded(), catalogue());
    let sample = std::str::from_utf8(&files["schemas/social/ministry-report/1/samples/minimal.xml"]).unwrap();
    for (inside, valid) in [("<figures>\n  </figures>", true), ("<figures>\u{a0}</figures>", false)] {
        let body = sample.replace("<figures/>", inside);
        assert_ne!(body, sample);
        assert_eq!(catalogue.validate(&message_type("ministry-report"), body.as_bytes()).is_ok(), valid, "{inside}");
    }
}
