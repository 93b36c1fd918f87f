//! Round trips lose nothing that the partner's form can carry: valid bodies of every type, made at random out of the samples.
//!
//! A body is a sample that was changed step by step: text with everything that markup and templates trip over, other codes of the same
//! list, other dates, elements dropped, repeated, and taken from another sample. A step that the schema or its rules refuse is undone, so
//! that what is translated is always valid.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::adapter::golden::xml_lines;
use crate::body::Body;

/// How many bodies of each type are tried.
const BODIES: u32 = 12;

/// An element of a body that can be changed.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    namespace: String,
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    parts: Vec<Part>,
}

impl Part {
    fn read(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).unwrap();
        Self::of(roxmltree::Document::parse(text).unwrap().root_element())
    }

    fn of(node: roxmltree::Node<'_, '_>) -> Self {
        let parts: Vec<Self> = node.children().filter(roxmltree::Node::is_element).map(Self::of).collect();
        let text = if parts.is_empty() { node.text().unwrap_or_default().to_owned() } else { String::new() };
        Self {
            namespace: node.tag_name().namespace().unwrap_or_default().to_owned(),
            name: node.tag_name().name().to_owned(),
            attributes: node.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect(),
            text,
            parts,
        }
    }

    fn write(&self) -> Vec<u8> {
        let mut out = String::new();
        self.write_into(None, &mut out);
        out.into_bytes()
    }

    fn write_into(&self, around: Option<&str>, out: &mut String) {
        out.push_str(&format!("<{}", self.name));
        if around != Some(&self.namespace) {
            out.push_str(&format!(" xmlns=\"{}\"", self.namespace));
        }
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}=\"{}\"", escape(value).replace('"', "&quot;")));
        }
        out.push_str(&format!(">{}", escape(&self.text)));
        self.parts.iter().for_each(|part| part.write_into(Some(&self.namespace), out));
        out.push_str(&format!("</{}>", self.name));
    }

    /// The places of all elements below the root, each as the way there.
    fn places(&self) -> Vec<Vec<usize>> {
        let below = |(at, part): (usize, &Self)| {
            let further = part.places().into_iter().map(move |rest| [vec![at], rest].concat());
            std::iter::once(vec![at]).chain(further).collect::<Vec<_>>()
        };
        self.parts.iter().enumerate().flat_map(below).collect()
    }

    fn at(&self, place: &[usize]) -> &Self {
        place.iter().fold(self, |part, at| &part.parts[*at])
    }

    fn at_mut(&mut self, place: &[usize]) -> &mut Self {
        place.iter().fold(self, |part, at| &mut part.parts[*at])
    }

    /// The names on the way to a place.
    fn path(&self, place: &[usize]) -> Vec<String> {
        (1..=place.len()).map(|depth| self.at(&place[..depth]).name.clone()).collect()
    }

    /// All elements of the same path.
    fn along(&self, path: &[String]) -> Vec<&Self> {
        path.iter().fold(vec![self], |parts, name| {
            parts.into_iter().flat_map(|p| &p.parts).filter(|p| p.name == *name).collect()
        })
    }

    /// The same without what a manifest lists as not carried.
    fn without(&self, not_carried: &[String], path: &str) -> Option<Self> {
        let listed = |path: &str| not_carried.iter().any(|entry| entry == path);
        if listed(path) {
            return None;
        }
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        let mut kept = self.clone();
        kept.parts = self.parts.iter().filter_map(|part| part.without(not_carried, &below(&part.name))).collect();
        kept.attributes.retain(|(name, _)| !listed(&below(&format!("@{name}"))));
        Some(kept)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}

/// One step of change.
#[derive(Debug, Clone)]
enum Step {
    Text(String),
    Code(usize),
    Date(usize),
    Drop,
    Repeat,
    /// In its place, what another sample has there.
    Replace(usize),
    /// Into it, what another sample has there besides.
    Add(usize),
}

fn text() -> impl Strategy<Value = String> {
    let sign = "[а-яёА-Я <>&\"'\\\\{}%#\\]\\[a-z0-9_=/:;|~$\u{a0}\u{2028}\u{301}😀\u{10fffd}-]";
    prop_oneof![
        4 => proptest::string::string_regex(&format!("{sign}{{1,24}}")).unwrap(),
        1 => proptest::string::string_regex(&format!("{sign}{{1,12}}\n{{1,2}}{sign}{{1,12}}")).unwrap(),
        1 => Just("]]>".to_owned()),
        1 => Just("{{ body }}{% raw %}".to_owned()),
        1 => Just("null".to_owned()),
        1 => Just("&amp;lt;".to_owned()),
        1 => Just("0".to_owned()),
        2 => prop_oneof![Just(1usize), Just(60), Just(250), Just(4000)].prop_map(|long| "Ж".repeat(long)),
    ]
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let pick = || any::<usize>();
    let step = prop_oneof![
        4 => text().prop_map(Step::Text),
        2 => pick().prop_map(Step::Code),
        1 => pick().prop_map(Step::Date),
        2 => Just(Step::Drop),
        2 => Just(Step::Repeat),
        2 => pick().prop_map(Step::Replace),
        2 => pick().prop_map(Step::Add),
    ];
    (pick(), step)
}

/// What the tests translate with, and what bodies are made of.
struct Stock {
    set: AdapterSet,
    catalogue: Catalogue,
    samples: BTreeMap<String, Vec<Part>>,
    code_lists: Vec<Vec<String>>,
}

fn stock() -> &'static Stock {
    static STOCK: OnceLock<Stock> = OnceLock::new();
    STOCK.get_or_init(|| {
        let files = bundle::embedded();
        let mut samples: BTreeMap<String, Vec<Part>> = BTreeMap::new();
        let mut code_lists = Vec::new();
        for (path, bytes) in &files {
            let steps: Vec<&str> = path.split('/').collect();
            match steps.as_slice() {
                ["schemas", "social", name, "1", "samples", _] => {
                    samples.entry((*name).to_owned()).or_default().push(Part::read(bytes))
                }
                ["schemas", "social", name, version, "samples", _] => {
                    samples.entry(format!("{name}/{version}")).or_default().push(Part::read(bytes));
                }
                ["adapters", _, "samples", name, file] if file.ends_with(".canonical.xml") => {
                    samples.entry((*name).to_owned()).or_default().push(Part::read(bytes));
                }
                ["schemas", "common", _, "code-lists", _] => {
                    let rows = csv::Reader::from_reader(bytes.as_slice()).into_records();
                    code_lists.push(rows.map(|row| row.unwrap()[0].to_owned()).collect());
                }
                _ => {}
            }
        }
        Stock { set: AdapterSet::from_files(&files).unwrap(), catalogue: catalogue(&files), samples, code_lists }
    })
}

impl Step {
    /// Takes the step at one of the body's places; whether anything was to be changed there.
    fn take(&self, body: &mut Part, place: &[usize], others: &[Part]) -> bool {
        let path = body.path(place);
        let (last, above) = place.split_last().unwrap();
        let is_leaf = body.at(place).parts.is_empty();
        match self {
            // White space alone in an element that has lost its children is no text: it may be left out.
            Self::Text(text) if is_leaf && text.trim().is_empty() && body.at(place).text.is_empty() => return false,
            Self::Text(text) if is_leaf => body.at_mut(place).text.clone_from(text),
            Self::Code(pick) if is_leaf => {
                let now = &body.at(place).text;
                let lists: Vec<_> = stock().code_lists.iter().filter(|list| list.contains(now)).collect();
                let Some(list) = lists.get(pick % lists.len().max(1)) else { return false };
                body.at_mut(place).text.clone_from(&list[(pick / 7) % list.len()]);
            }
            Self::Date(pick) if is_leaf => {
                let dates = [
                    "2024-02-29",
                    "2026-12-31",
                    "2026-05-06T23:59:59.999Z",
                    "2026-05-06T00:00:00+05:00",
                    "2026-01",
                    "1930-01-01",
                ];
                dates[pick % dates.len()].clone_into(&mut body.at_mut(place).text);
            }
            Self::Drop => drop(body.at_mut(above).parts.remove(*last)),
            Self::Repeat => {
                let again = body.at(place).clone();
                body.at_mut(above).parts.insert(*last, again);
            }
            Self::Replace(pick) => {
                let found: Vec<&Part> = others.iter().flat_map(|other| other.along(&path)).collect();
                let Some(other) = found.get(pick % found.len().max(1)) else { return false };
                *body.at_mut(place) = (*other).clone();
            }
            Self::Add(pick) => {
                let found: Vec<&Part> = others.iter().flat_map(|other| other.along(&path[..above.len()])).collect();
                let Some(other) = found.get(pick % found.len().max(1)) else { return false };
                let Some(new) = other.parts.get((pick / 11) % other.parts.len().max(1)) else { return false };
                body.at_mut(above).parts.insert(*last, new.clone());
            }
            Self::Text(_) | Self::Code(_) | Self::Date(_) => return false,
        }
        true
    }
}

/// The type of a name, such as `programme`, or of a name with its version, such as `programme/2`.
fn type_of(name: &str) -> MessageType {
    let (name, version) = name.split_once('/').unwrap_or((name, "1"));
    MessageType { name: name.to_owned(), version: version.parse().unwrap() }
}

/// A valid body: a sample and the steps that left it valid.
fn body_of(name: &str, sample: usize, steps: &[(usize, Step)]) -> Part {
    let message_type = type_of(name);
    let samples = &stock().samples[name];
    let mut body = samples[sample % samples.len()].clone();
    for (at, step) in steps {
        let places = body.places();
        let Some(place) = places.get(at % places.len().max(1)) else { break };
        let mut changed = body.clone();
        if step.take(&mut changed, place, samples)
            && stock().catalogue.validate(&message_type, &changed.write()).is_ok()
        {
            body = changed;
        }
    }
    body
}

/// Translates a body into every form that carries its type and, where the form is read too, back.
fn through_every_form(set: &AdapterSet, name: &str, body: &Part) -> Result<(), TestCaseError> {
    let (message_type, header) = kind(name);
    let bytes = body.write();
    for adapter in set.iter().filter(|adapter| adapter.carries(&message_type, Direction::ToPartner)) {
        let there = match adapter.to_partner(&message_type, &bytes, &header) {
            Ok(there) => there,
            Err(error) => return Err(TestCaseError::fail(format!("{error}\n{}", String::from_utf8_lossy(&bytes)))),
        };
        if !adapter.carries(&message_type, Direction::ToCanonical) {
            continue;
        }
        let described = adapter.manifest.messages.iter().find(|m| m.message_type == message_type);
        let not_carried = described.and_then(|m| m.to_partner.as_ref()).map(|way| way.not_carried.as_slice());
        let wanted = body.without(not_carried.unwrap_or_default(), "").unwrap();
        let back = adapter.to_canonical(&message_type, there.as_ref(), &header, &stock().catalogue);
        let back =
            back.map_err(|error| TestCaseError::fail(format!("{error}\n{}", String::from_utf8_lossy(&bytes))))?;
        prop_assert_eq!(xml_lines(&back), xml_lines(&wanted.write()), "{} {}", adapter.name(), name);
    }
    Ok(())
}

/// Reads a body as a typed one and writes it: it is the same to the last character, valid, and read back equal.
fn through_its_type(name: &str, body: &Part) -> Result<(), TestCaseError> {
    let message_type = type_of(name);
    let typed = |bytes: &[u8]| {
        let document = crate::xml::read(bytes, &crate::xml::Limits::default()).unwrap();
        let told = |text: String| TestCaseError::fail(format!("{text}\n{}", String::from_utf8_lossy(bytes)));
        let read = Body::read(&message_type, document.root()).ok_or_else(|| told(format!("no struct of {name}")))?;
        read.map_err(|misread| told(misread.to_string()))
    };
    let bytes = body.write();
    let read = typed(&bytes)?;
    let written = read.write().unwrap();
    prop_assert_eq!(xml_lines(&written), xml_lines(&bytes), "{}", name);
    prop_assert_eq!(stock().catalogue.validate(&message_type, &written), Ok(()));
    prop_assert_eq!(typed(&written)?, read);
    Ok(())
}

fn try_bodies(names: impl Iterator<Item = &'static str>) {
    try_each(names, |name, body| through_every_form(&stock().set, name, body));
}

fn try_each(names: impl Iterator<Item = &'static str>, one: impl Fn(&str, &Part) -> Result<(), TestCaseError>) {
    let mut wrong = Vec::new();
    for name in names {
        let config = ProptestConfig { cases: BODIES, failure_persistence: None, ..ProptestConfig::default() };
        let made = (any::<usize>(), proptest::collection::vec(step(), 0..14));
        let tried = TestRunner::new(config).run(&made, |(sample, steps)| one(name, &body_of(name, sample, &steps)));
        wrong.extend(tried.err().map(|e| format!("{name}: {e}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The types that a form other than the canonical carries.
fn types() -> BTreeSet<&'static str> {
    let forms = stock().set.iter().filter(|adapter| !adapter.is_canonical());
    forms.flat_map(|adapter| adapter.message_types()).map(|t| t.name.as_str()).collect()
}

#[test]
fn every_valid_body_comes_back_as_it_was_but_for_what_is_not_carried() {
    assert!(types().len() >= 20, "{:?}", types());
    try_bodies(types().into_iter().step_by(2));
}

#[test]
fn every_valid_body_comes_back_as_it_was_second_half() {
    try_bodies(types().into_iter().skip(1).step_by(2));
}

#[test]
fn every_valid_body_of_every_version_is_read_and_written_as_it_was() {
    assert!(stock().samples.len() >= Body::KINDS.len());
    try_each(stock().samples.keys().map(String::as_str), through_its_type);
}

/// Every kind of step is taken somewhere and leaves a valid body that differs, so the bodies are not the samples only.
#[test]
fn steps_of_every_kind_make_valid_bodies() {
    let bad = Step::Text("\u{1}".to_owned());
    let kinds = [
        Step::Text("О'Нил & <сын>".to_owned()),
        Step::Code(8),
        Step::Date(0),
        Step::Drop,
        Step::Repeat,
        Step::Replace(1),
        Step::Add(0),
    ];
    let changed = |name: &str, at: usize, step: &Step| {
        let body = body_of(name, 0, &[(at, step.clone())]);
        assert!(stock().catalogue.validate(&kind(name).0, &body.write()).is_ok(), "{name}");
        body != stock().samples[name][0]
    };
    for step in &kinds {
        let types = types().into_iter().filter(|name| (0..40).any(|at| changed(name, at, step))).count();
        assert!(types >= 3, "{step:?}: {types}");
    }
    assert!(!types().into_iter().any(|name| changed(name, 0, &bad)));
}

#[test]
fn a_form_that_changes_a_value_on_the_way_is_found() {
    let mut files = bundle::embedded();
    let path = "adapters/police/templates/mark.in.xml";
    let line = "{{ el('note', body.opt('PR')) }}";
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(line));
    let changing = "{% if body.has('PR') %}<note>{{ body.PR | upper }}</note>{% endif %}";
    files.insert(path.to_owned(), text.replace(line, changing).into_bytes());
    let set = AdapterSet::from_files(&files).unwrap();
    let bodies = &stock().samples["measure-mark"];
    assert!(bodies.iter().all(|body| through_every_form(&stock().set, "measure-mark", body).is_ok()));
    let found = bodies.iter().find_map(|body| through_every_form(&set, "measure-mark", body).err());
    assert!(found.unwrap().to_string().contains("police measure-mark"));
}
