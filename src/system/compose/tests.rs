use std::collections::BTreeSet;

use super::*;
use crate::bundle::{self, Files};
use crate::deadline::{Party, Regulations, Rule};
use crate::domain::MessageType;
use crate::schema::Catalogue;
use crate::xml::{Limits, read};

/// What is owed by nobody on somebody else's message: whoever sends what opens it owes it itself, as its next message.
const OWN_WORD: [&str; 2] = ["identification-notice", "rights-violation"];

fn desk() -> Desk {
    Desk {
        organisation: "Вымышленная организация".to_owned(),
        own: ParticipantId::parse("employment").unwrap(),
        today: NaiveDate::from_ymd_opt(2026, 5, 6).unwrap(),
        now: Timestamp::parse("2026-05-06T09:00:00+05:00").unwrap(),
        outgoing: "исх-2026/0001".to_owned(),
    }
}

/// The samples of a type, every version, typed.
fn samples(files: &Files, name: &str) -> Vec<Body> {
    let mut found = Vec::new();
    for (known, version) in Body::KINDS.iter().filter(|(known, _)| *known == name) {
        let kind = MessageType::new(known, *version).unwrap();
        let folder = format!("schemas/{}/samples/", kind.folder());
        for bytes in files.iter().filter(|(path, _)| path.starts_with(&folder)).map(|(_, bytes)| bytes) {
            let document = read(bytes, &Limits::default()).unwrap();
            found.push(Body::read(&kind, document.root()).unwrap().unwrap());
        }
    }
    assert!(!found.is_empty(), "{name} has no sample");
    found
}

/// Whether a body has what a filter asks for, at its top or anywhere in it.
fn has(body: &[u8], filter: &BodyFilter) -> bool {
    let document = read(body, &Limits::default()).unwrap();
    filter.iter().all(|(path, values)| {
        let last = path.to_string();
        let mut found = document.root().descendants().filter(|n| n.is_element() && n.tag_name().name() == last);
        found.any(|n| values.iter().any(|v| v == ANY_VALUE || Some(v.as_str()) == n.text()))
    })
}

/// Rules of a regulation with a debtor that the message which opens them is not from.
fn rules(regulations: &Regulations) -> Vec<(String, &Rule)> {
    let all = regulations.iter().flat_map(|r| r.rules.iter().map(|rule| (format!("{} {}", r.id, rule.id), rule)));
    all.filter(|(_, rule)| rule.debtor != Party::Sender && !rule.met.is_empty()).collect()
}

/// Every rule of every regulation, also one that is switched off: what meets it is made of each sample of what opens it, fits its schema,
/// and has what the rule asks for.
#[test]
fn what_meets_a_rule_is_made_of_what_opens_it() {
    let files = bundle::embedded();
    let (catalogue, regulations) = (Catalogue::from_files(&files).unwrap(), Regulations::from_files(&files).unwrap());
    let (rules, mut made) = (rules(&regulations), BTreeSet::new());
    assert!(rules.len() >= 30, "{}", rules.len());
    for (name, rule) in rules {
        for meets in rule.met.iter().filter(|meets| !OWN_WORD.contains(&meets.matching.message.as_str())) {
            let kind = meets.matching.message.as_str();
            let openings = rule.openings().iter().flat_map(|o| samples(&files, &o.message));
            // A report needs no message: the period opens it.
            let knowns = openings.map(Some).chain(rule.openings().is_empty().then_some(None));
            for known in knowns {
                let mut known: Known = known.into_iter().map(|body| (body.kind().name, body)).collect();
                // What a case has before an end or a draft comes is heard earlier.
                for earlier in ["programme", "application"] {
                    known.entry(earlier.to_owned()).or_insert_with(|| samples(&files, earlier).remove(0));
                }
                let case = CaseId::parse("01931f6e-7a00-7000-8000-00000000ca5e").ok();
                let key = (kind == "measure-mark").then(|| "1".to_owned());
                let wanted = Wanted { filter: meets.matching.filter.clone(), key, case, ..Wanted::default() };
                if kind == "document-request" && latest::<Application>(&known).is_none_or(|a| !asks(a)) {
                    continue;
                }
                let body = compose(kind, &desk(), &wanted, &known).unwrap_or_else(|e| panic!("{name}: {e}"));
                let bytes = body.write().unwrap();
                let checked = catalogue.validate(&body.kind(), &bytes);
                assert!(checked.is_ok(), "{name}: {checked:?}\n{}", String::from_utf8_lossy(&bytes));
                // A contract's copy says of the family what the contract said.
                let asked: BodyFilter =
                    wanted.filter.iter().filter(|(path, _)| path.to_string() != "substituteFamily").cloned().collect();
                assert!(has(&bytes, &asked), "{name}: {:?}\n{}", wanted.filter, String::from_utf8_lossy(&bytes));
                made.insert(kind.to_owned());
            }
        }
    }
    for kind in ["decision", "document-request", "programme", "termination", "ministry-report", "yearly-summary"] {
        assert!(made.contains(kind), "{kind}: {made:?}");
    }
}

fn asks(application: &Application) -> bool {
    application.required_documents.iter().flatten().any(|d| d.source == DocumentSource::Request)
}

/// What answers a question is made of it.
#[test]
fn answers_name_what_was_asked() {
    let files = bundle::embedded();
    let known = |kind: &str| Known::from([(kind.to_owned(), samples(&files, kind).remove(0))]);
    let asked = known("information-request");
    let request = latest::<InformationRequest>(&asked).unwrap();
    let made = compose("information-response", &desk(), &Wanted::default(), &asked).unwrap();
    let answer = InformationResponse::of(&made).unwrap();
    assert_eq!(answer.incoming_number.as_ref(), Some(&request.outgoing_number));
    let draft = known("programme");
    let made = compose("programme-remarks", &desk(), &Wanted::default(), &draft).unwrap();
    let remarks = ProgrammeRemarks::of(&made).unwrap();
    assert_eq!(remarks.programme_number, plan(&draft).unwrap().number);
    let unknown = compose("programme-remarks", &desk(), &Wanted::default(), &Known::new());
    assert_eq!(unknown, Err(CannotCompose::Unknown("the programme")));
    let none = compose("note", &desk(), &Wanted::default(), &Known::new());
    assert_eq!(none, Err(CannotCompose::Type("note".to_owned())));
}
