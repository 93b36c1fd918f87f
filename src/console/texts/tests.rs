//! Both languages are complete, and nothing is in them that nobody uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::access::{Right, Role, password::Weak};
use crate::console::api::problem::Code;
use crate::console::{errors, journal, messages, routes::SECTIONS};
use crate::domain::{
    ActGround, ActKind, BreakerState, DataClass, DeliveryState, ObligationState, OutsideWay, ParkReason, QueueState,
    SettleKind,
};
use crate::store::{Channel, NotReminded};

/// The files of a language as they stand, by name.
fn files(lang: Lang) -> BTreeMap<String, String> {
    let dir = LOCALES.get_dir(lang.as_str()).unwrap();
    let name = |file: &include_dir::File<'_>| file.path().file_name().unwrap().to_str().unwrap().to_owned();
    dir.files().map(|file| (name(file), file.contents_utf8().unwrap().to_owned())).collect()
}

/// The keys of a language, each with the values that its text takes.
fn keys(lang: Lang) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys = BTreeMap::new();
    for (name, text) in files(lang) {
        if let Err((_, errors)) = FluentResource::try_new(text.clone()) {
            panic!("locales/{}/{name}: {errors:?}", lang.as_str());
        }
        let mut current = String::new();
        for line in text.lines() {
            let head = line.split_once('=').filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()));
            if let Some((key, _)) = head {
                current = key.trim().to_owned();
                let again = keys.insert(current.clone(), BTreeSet::new());
                assert!(again.is_none(), "locales/{}/{name}: {current} twice", lang.as_str());
            }
            if line.starts_with('#') {
                continue;
            }
            let values = line.split('$').skip(1).map(|rest| {
                rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).next().unwrap().to_owned()
            });
            keys.entry(current.clone()).or_default().extend(values);
        }
    }
    keys.remove("");
    keys
}

/// The families of words, each with its whole list.
fn families() -> Vec<(&'static str, Vec<&'static str>)> {
    let types = std::fs::read_to_string(root().join("schemas/social/messages.csv")).unwrap();
    let types: &'static str = Box::leak(types.into_boxed_str());
    let types = types.lines().skip(1).filter_map(|line| line.split(',').next());
    vec![
        ("nav", SECTIONS.iter().map(|s| s.word).collect()),
        ("role", Role::ALL.iter().map(|w| w.as_str()).collect()),
        ("right", Right::ALL.iter().map(|w| w.as_str()).collect()),
        ("data-class", DataClass::ALL.iter().map(|w| w.as_str()).collect()),
        ("weak", Weak::ALL.iter().map(|w| w.as_str()).collect()),
        ("obligation", ObligationState::ALL.iter().map(|w| w.as_str()).collect()),
        ("settled", SettleKind::ALL.iter().map(|w| w.as_str()).collect()),
        ("delivery", DeliveryState::ALL.iter().map(|w| w.as_str()).collect()),
        ("reason", ParkReason::ALL.iter().map(|w| w.as_str()).collect()),
        ("act", ActKind::ALL.iter().map(|w| w.as_str()).collect()),
        ("way", OutsideWay::ALL.iter().map(|w| w.as_str()).collect()),
        ("ground", ActGround::ALL.iter().map(|w| w.as_str()).collect()),
        ("error-title", errors::WORDS.to_vec()),
        ("error-text", errors::WORDS.to_vec()),
        ("problem-title", Code::ALL.map(Code::as_str).to_vec()),
        ("problem-text", Code::ALL.map(Code::as_str).to_vec()),
        ("month", vec!["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]),
        ("weekday", vec!["1", "2", "3", "4", "5", "6", "7"]),
        ("theme", vec!["auto", "light", "dark"]),
        ("group", vec!["overdue", "running", "pending", "done", "all"]),
        ("message-state", messages::STATE_WORDS.to_vec()),
        ("channel", Channel::ALL.iter().map(|w| w.as_str()).collect()),
        ("attachment", vec!["awaited", "whole", "wrong"]),
        ("queue", QueueState::ALL.iter().map(|w| w.as_str()).collect()),
        ("breaker", BreakerState::ALL.iter().map(|w| w.as_str()).collect()),
        ("not-reminded", NotReminded::ALL.iter().map(|w| w.as_str()).collect()),
        ("transport", vec!["http", "amqp", "mailbox"]),
        ("certificate", vec!["future", "valid", "soon", "ended"]),
        ("ping", vec!["reached", "silent", "failed", "running"]),
        ("ping-said", vec!["reached", "silent", "failed", "running"]),
        ("step", vec!["name", "tcp", "tls", "broker", "queue", "secret", "sign", "send", "receipt"]),
        ("step-state", vec!["done", "failed", "open"]),
        ("fact", FACTS.to_vec()),
        ("roll", vec!["none", "forward", "back"]),
        ("day", vec!["working", "short", "weekend", "nonworking", "moved", "start", "count", "skip", "end"]),
        ("month-name", vec!["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]),
        ("preview", vec!["input", "conversion", "translation", "back", "comparison"]),
        (
            "field",
            [fields(), vec!["note", "way", "at", "number", "by", "to", "until", "ground", "document", "date"]].concat(),
        ),
        ("hint", fields()),
        ("case-state", vec!["open", "closed", "all"]),
        ("account-state", vec!["enabled", "disabled"]),
        ("token-state", vec!["enabled", "expired", "revoked"]),
        ("about", vec!["record", "delivery", "obligation"]),
        ("kind", journal::KINDS.to_vec()),
        ("type", types.chain(["notice", "deadline-reminder", "ping"]).collect()),
    ]
}

/// What the steps of a ping show.
const FACTS: [&str; 16] = [
    "host",
    "addresses",
    "peer",
    "version",
    "subject",
    "issuer",
    "until",
    "names",
    "detail",
    "auth",
    "queue",
    "messages",
    "consumers",
    "messageId",
    "state",
    "reason",
];

/// The words of a participant's fields.
fn fields() -> Vec<&'static str> {
    let word = |field| crate::console::participants::word(field);
    crate::settings::participants::Field::all().map(|field| &*Box::leak(word(field).into_boxed_str())).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> String {
    let mut folders = vec![root().join("src/console"), root().join("templates/console")];
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("texts/tests.rs") && !path.ends_with("console/texts.rs") {
                all.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    all
}

/// The first arguments of the calls of a method, where they are written out.
fn arguments<'s>(sources: &'s str, call: &'s str) -> impl Iterator<Item = &'s str> {
    let pieces = sources.split(call).skip(1);
    pieces.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
}

#[test]
fn both_languages_have_every_text_that_is_used_and_no_other() {
    let (ru, en) = (keys(Lang::Ru), keys(Lang::En));
    let missing: Vec<&String> = ru.keys().filter(|key| !en.contains_key(*key)).collect();
    assert!(missing.is_empty(), "in Russian only: {missing:?}");
    let missing: Vec<&String> = en.keys().filter(|key| !ru.contains_key(*key)).collect();
    assert!(missing.is_empty(), "in English only: {missing:?}");
    for (key, values) in &ru {
        assert_eq!(values, &en[key], "{key}: other values in English");
    }

    let sources = sources();
    let families = families();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for call in [".t(", ".n(", ".a(", ".a2("] {
        used.extend(arguments(&sources, call).map(str::to_owned));
    }
    // Notices and texts that a handler chooses among are written out beside it.
    used.extend(
        sources.split('"').filter(|word| word.starts_with("notice-") || word.starts_with("say-")).map(str::to_owned),
    );
    used.remove("notice-");
    used.remove("say-");
    let in_calls: BTreeSet<&str> = arguments(&sources, ".word(").collect();
    for family in &in_calls {
        assert!(families.iter().any(|(known, _)| known == family), "the family {family} has no list in this test");
    }
    for (family, words) in &families {
        assert!(in_calls.contains(family), "nobody uses the family {family}");
        used.extend(words.iter().map(|word| format!("{family}-{word}")));
    }
    let missing: Vec<&String> = used.iter().filter(|key| !ru.contains_key(*key)).collect();
    assert!(missing.is_empty(), "used and in no language: {missing:#?}");
    let unused: Vec<&String> = ru.keys().filter(|key| !used.contains(*key)).collect();
    assert!(unused.is_empty(), "in the languages and used by nobody: {unused:#?}");
}

#[test]
fn a_text_counts_as_its_language_does() {
    let (ru, en) = (Texts::of(Lang::Ru), Texts::of(Lang::En));
    for (count, in_russian, in_english) in
        [(1, "1 день", "1 day"), (3, "3 дня", "3 days"), (11, "11 дней", "11 days"), (21, "21 день", "21 days")]
    {
        assert_eq!(
            (ru.n("span-days", count), en.n("span-days", count)),
            (in_russian.to_owned(), in_english.to_owned())
        );
    }
    assert_eq!(ru.t("no-such-key"), "no-such-key");
    assert_eq!(ru.word("type", "brought-later"), "brought-later");
}
