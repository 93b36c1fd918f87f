//! The page of messages says of each type what the schemas, their table and the regulations say.

use super::super::CaseSource;
use super::rows::regulations;
use super::*;
use crate::bundle;
use crate::schema::{Catalogue, MessageInfo};

/// A page and its words.
struct Page {
    text: &'static str,
    is_russian: bool,
    case: &'static str,
    off: &'static str,
    voids: &'static str,
    elsewhere: &'static str,
    consent: &'static str,
    nothing: &'static str,
    none: &'static str,
    by: &'static str,
}

const PAGES: [Page; 2] = [
    Page {
        text: include_str!("../../../../docs/messages.en.md"),
        is_russian: false,
        case: "the case",
        off: "off",
        voids: "makes void",
        elsewhere: "of another territory",
        consent: "with consent",
        nothing: "-",
        none: "none",
        by: "by",
    },
    Page {
        text: include_str!("../../../../docs/messages.ru.md"),
        is_russian: true,
        case: "дело",
        off: "выкл.",
        voids: "снимает",
        elsewhere: "другой территории",
        consent: "с согласия",
        nothing: "-",
        none: "нет",
        by: "по",
    },
];

fn codes(roles: &[RoleCode]) -> String {
    roles.iter().map(RoleCode::as_str).collect::<Vec<_>>().join(", ")
}

/// What each regulation says of one type, `said` by what it is asked.
fn by_region(page: &Page, said: impl Fn(&Regulation) -> Vec<String>) -> String {
    let told = |r: &Regulation| Some(said(r)).filter(|words| !words.is_empty()).map(|w| (r.id.clone(), w.join("; ")));
    let all: Vec<String> =
        regulations().iter().filter_map(told).map(|(id, words)| format!("`{id}`: {words}")).collect();
    if all.is_empty() { page.nothing.to_owned() } else { all.join("<br>") }
}

fn ways(page: &Page, name: &str) -> String {
    by_region(page, |r| {
        let way = |e: &Exchange| {
            let elsewhere = if e.elsewhere { format!(" ({})", page.elsewhere) } else { String::new() };
            let consent = match e.basis {
                ExchangeBasis::Consent => format!(" ({})", page.consent),
                ExchangeBasis::Law => String::new(),
            };
            format!("{} → {}{elsewhere}{consent}", codes(&e.from), codes(&e.to))
        };
        r.exchanges.iter().filter(|e| e.message == name).map(way).collect()
    })
}

fn told(page: &Page, rule: &Rule) -> String {
    match rule.off {
        Some(_) => format!("`{}` ({})", rule.id, page.off),
        None => format!("`{}`", rule.id),
    }
}

/// The case if it begins it, and the rules that it opens.
fn opens(page: &Page, name: &str) -> String {
    by_region(page, |r| {
        let begins = |c: &CaseSource| c.messages.iter().any(|m| m == name);
        let case = r.case.iter().filter(|c| begins(c)).map(|_| page.case.to_owned());
        let rules = r.rules.iter().filter(|rule| rule.openings().iter().any(|m| m.message == name));
        case.chain(rules.map(|rule| told(page, rule))).collect()
    })
}

/// The case if it closes it, the rules that it meets, and those that it makes void.
fn settles(page: &Page, name: &str) -> String {
    by_region(page, |r| {
        let names = |meets: &[Meets]| meets.iter().any(|m| m.matching.message == name);
        let case = r.case.iter().filter(|c| c.closes.as_deref() == Some(name)).map(|_| page.case.to_owned());
        let met = r.rules.iter().filter(|rule| names(&rule.met)).map(|rule| told(page, rule));
        let void = r.rules.iter().filter(|rule| names(&rule.cancelled));
        case.chain(met).chain(void.map(|rule| format!("{} {}", page.voids, told(page, rule)))).collect()
    })
}

/// The line that the page must have.
fn line(page: &Page, (name, versions): (&str, &str), info: &MessageInfo) -> String {
    let classes: Vec<&str> = info.data_classes.iter().map(|class| class.as_str()).collect();
    let classes = match &info.narrowed_by {
        Some(path) => format!("{}; {} `{path}`", classes.join(", "), page.by),
        None if classes.is_empty() => page.none.to_owned(),
        None => classes.join(", "),
    };
    let title = if page.is_russian { &info.ru } else { &info.en };
    let (opens, settles) = (opens(page, name), settles(page, name));
    let cells =
        [format!("`{name}` {versions}"), title.clone(), ways(page, name), opens, settles, classes, info.source.clone()];
    format!("| {} |", cells.join(" | "))
}

#[test]
fn the_page_lists_every_type_as_it_is() {
    let catalogue = Catalogue::from_files(&bundle::embedded()).unwrap();
    let mut types: std::collections::BTreeMap<&str, Vec<String>> = std::collections::BTreeMap::new();
    for known in catalogue.types().filter(|t| t.technical().is_none()) {
        types.entry(&known.name).or_default().push(known.version.to_string());
    }
    for page in &PAGES {
        let of = |(name, versions): (&&str, &Vec<String>)| {
            line(page, (name, &versions.join(", ")), catalogue.message(name).unwrap())
        };
        let wanted: Vec<String> = types.iter().map(of).collect();
        let listed: Vec<&str> = page.text.lines().filter(|line| line.starts_with("| `")).collect();
        assert!(listed == wanted, "the table of the page must be\n{}", wanted.join("\n"));
    }
}

#[test]
fn every_regulation_exchanges_types_that_there_are_and_every_type_is_exchanged() {
    let catalogue = Catalogue::from_files(&bundle::embedded()).unwrap();
    for regulation in regulations().iter() {
        for exchange in &regulation.exchanges {
            assert!(catalogue.message(&exchange.message).is_some(), "{}: {}", regulation.id, exchange.message);
        }
    }
    for known in catalogue.types().filter(|t| t.technical().is_none()) {
        let sent = regulations().iter().any(|r| r.exchanges.iter().any(|e| e.message == known.name));
        assert!(sent, "no regulation lets anybody send `{}`", known.name);
    }
}

/// The sources name documents by the ids that the regulations give them.
#[test]
fn every_source_names_a_document_or_says_that_none_does() {
    let catalogue = Catalogue::from_files(&bundle::embedded()).unwrap();
    let all = regulations();
    let known: Vec<&str> = all.iter().flat_map(|r| &r.documents).map(|document| document.id.as_str()).collect();
    for message in catalogue.types().filter_map(|t| catalogue.message(&t.name)) {
        for part in message.source.split("; ").filter(|part| !part.starts_with("прямо не ")) {
            let (document, place) = part.split_once(", ").unwrap_or_else(|| panic!("{part}: a document and a place"));
            assert!(known.contains(&document) && !place.is_empty(), "{part}");
        }
    }
}
