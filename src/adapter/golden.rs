//! Golden samples: every adapter folder carries pairs of bodies, and both directions must give exactly them.
//!
//! `samples/<type>/<case>.canonical.xml` and `samples/<type>/<case>.partner.xml` (or `.json`); for a major version other than 1
//! `samples/<type>/<version>/<case>…`. Where the partner's form carries less than the canonical one,
//! `<case>.back.xml` holds what comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use similar::TextDiff;

use super::tree::parse_xml;
use super::{Adapter, HeaderView, PartnerBody, PartnerBodyRef};
use crate::bundle::Files;
use crate::domain::MessageType;
use crate::schema::Catalogue;

/// A way of translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the canonical form to the partner's.
    ToPartner,
    /// From the partner's form to the canonical one.
    ToCanonical,
}

impl Direction {
    /// The manifest's key: `to-partner` or `to-canonical`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToPartner => "to-partner",
            Self::ToCanonical => "to-canonical",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of one sample in one direction.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GoldenResult {
    /// The adapter, or the folder of a conversion (`conversions/termination/1-2`).
    pub adapter: String,
    /// The message type, such as `document-request/1`, or of a conversion both; empty when the folder as a whole is meant.
    pub message_type: String,
    /// The sample's name; empty when the type as a whole is meant.
    pub case: String,
    /// The direction; `None` when the sample could not be tried, and of a conversion.
    pub direction: Option<Direction>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: GoldenOutcome,
}

/// Passed or not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum GoldenOutcome {
    /// The result is the golden one.
    Passed,
    /// It is not.
    Failed {
        /// Why, with file and line where there is one.
        reason: String,
        /// A unified diff from the golden to the actual result. Golden samples hold invented people only.
        diff: Option<String>,
    },
}

impl GoldenResult {
    /// Whether it passed.
    pub fn passed(&self) -> bool {
        self.outcome == GoldenOutcome::Passed
    }
}

/// The files of one sample by their last part: `canonical.xml`, `partner.json`, `back.xml`.
type Case<'f> = BTreeMap<&'f str, &'f [u8]>;

/// Runs every golden sample of an adapter in both directions. A folder without samples fails, and so does a message type and
/// direction of the manifest that no sample tries.
pub fn check(adapter: &Adapter, files: &Files, catalogue: &Catalogue) -> Vec<GoldenResult> {
    let mut results = Vec::new();
    let mut tried = BTreeSet::new();
    for ((type_name, case), parts) in cases(adapter.name(), files) {
        let note = |direction, outcome| GoldenResult {
            adapter: adapter.name().to_owned(),
            message_type: type_name.clone(),
            case: case.clone(),
            direction,
            outcome,
        };
        let Some(message_type) = read_type(&type_name) else {
            results.push(note(None, failed("the folder below `samples/` is not named as a message type")));
            continue;
        };
        let run = Run { adapter, catalogue, message_type: &message_type, header: HeaderView::sample(&message_type) };
        match run.both(&parts) {
            Err(reason) => results.push(note(None, failed(reason))),
            Ok(outcomes) => {
                for (direction, outcome) in outcomes {
                    tried.insert((message_type.clone(), direction));
                    results.push(note(Some(direction), outcome));
                }
            }
        }
    }
    results.extend(untried(adapter, &tried));
    results
}

pub(super) fn failed(reason: impl Into<String>) -> GoldenOutcome {
    GoldenOutcome::Failed { reason: reason.into(), diff: None }
}

fn cases<'f>(name: &str, files: &'f Files) -> BTreeMap<(String, String), Case<'f>> {
    let prefix = format!("adapters/{name}/samples/");
    let mut cases: BTreeMap<(String, String), Case<'f>> = BTreeMap::new();
    for (path, bytes) in files.range(prefix.clone()..) {
        let Some(rest) = path.strip_prefix(&prefix) else { break };
        let (folder, file) = rest.rsplit_once('/').unwrap_or(("", rest));
        let (case, part) = file.split_once('.').unwrap_or((file, ""));
        cases.entry((folder.to_owned(), case.to_owned())).or_default().insert(part, bytes.as_slice());
    }
    cases
}

/// `document-request` is version 1, `document-request/2` is version 2.
fn read_type(folder: &str) -> Option<MessageType> {
    let (name, version) = folder.split_once('/').unwrap_or((folder, "1"));
    MessageType::new(name, version.parse().ok()?).ok()
}

/// The types and directions that the manifest promises and no sample tries; for the whole folder when there is none at all.
fn untried(adapter: &Adapter, tried: &BTreeSet<(MessageType, Direction)>) -> Vec<GoldenResult> {
    let missing = |message_type: String, direction, reason: &str| GoldenResult {
        adapter: adapter.name().to_owned(),
        message_type,
        case: String::new(),
        direction,
        outcome: failed(reason),
    };
    if tried.is_empty() {
        return vec![missing(String::new(), None, "there are no golden samples in `samples/`")];
    }
    let mut results = Vec::new();
    for message_type in adapter.message_types() {
        for direction in [Direction::ToPartner, Direction::ToCanonical] {
            if adapter.carries(message_type, direction) && !tried.contains(&(message_type.clone(), direction)) {
                results.push(missing(message_type.to_string(), Some(direction), "no golden sample tries it"));
            }
        }
    }
    results
}

struct Run<'a> {
    adapter: &'a Adapter,
    catalogue: &'a Catalogue,
    message_type: &'a MessageType,
    header: HeaderView,
}

impl Run<'_> {
    fn both(&self, parts: &Case<'_>) -> Result<Vec<(Direction, GoldenOutcome)>, String> {
        let canonical = *parts.get("canonical.xml").ok_or("`….canonical.xml` is missing")?;
        let (media_type, partner) = match (parts.get("partner.xml"), parts.get("partner.json")) {
            (Some(xml), None) => (None, *xml),
            (None, Some(json)) => (Some(self.adapter.media_type()), *json),
            (None, None) => return Err("`….partner.xml` or `….partner.json` is missing".to_owned()),
            (Some(_), Some(_)) => return Err("there is both a `….partner.xml` and a `….partner.json`".to_owned()),
        };
        if let Some(other) =
            parts.keys().find(|p| !["canonical.xml", "partner.xml", "partner.json", "back.xml"].contains(p))
        {
            return Err(format!("a file that ends in `.{other}` is not part of a sample"));
        }
        super::checks::canonical(self.catalogue, self.message_type, canonical)
            .map_err(|reason| format!("`….canonical.xml` is not valid: {reason}"))?;
        let mut outcomes = Vec::new();
        if self.adapter.carries(self.message_type, Direction::ToPartner) {
            outcomes.push((Direction::ToPartner, self.to_partner(canonical, partner, media_type)));
        }
        if self.adapter.carries(self.message_type, Direction::ToCanonical) {
            let back = parts.get("back.xml").copied().unwrap_or(canonical);
            outcomes.push((Direction::ToCanonical, self.to_canonical(back, partner, media_type)));
        }
        if outcomes.is_empty() {
            return Err("the manifest does not describe this message type".to_owned());
        }
        Ok(outcomes)
    }

    fn to_partner(&self, canonical: &[u8], partner: &[u8], media_type: Option<&str>) -> GoldenOutcome {
        match self.adapter.to_partner(self.message_type, &plain(canonical), &self.header) {
            Err(error) => failed(error.to_string()),
            Ok(PartnerBody::Xml(bytes)) if media_type.is_none() => compare(partner, &bytes, xml_lines),
            Ok(PartnerBody::Payload { bytes, .. }) if media_type.is_some() => compare(partner, &bytes, json_lines),
            Ok(PartnerBody::Xml(_)) => failed("the result is XML, the golden one is JSON"),
            Ok(PartnerBody::Payload { .. }) => failed("the result is a payload, the golden one is XML"),
        }
    }

    fn to_canonical(&self, canonical: &[u8], partner: &[u8], media_type: Option<&str>) -> GoldenOutcome {
        let body = match media_type {
            None => PartnerBodyRef::Xml(partner),
            Some(media_type) => PartnerBodyRef::Payload { media_type, bytes: partner },
        };
        match self.adapter.to_canonical(self.message_type, body, &self.header, self.catalogue) {
            Err(error) => failed(error.to_string()),
            Ok(bytes) => compare(canonical, &bytes, xml_lines),
        }
    }
}

/// Bytes without a byte order mark, which an editor may have left.
pub(super) fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).to_vec()
}

pub(super) fn compare(golden: &[u8], actual: &[u8], lines: fn(&[u8]) -> Result<String, String>) -> GoldenOutcome {
    let both =
        lines(&plain(golden)).map_err(|e| format!("the golden sample: {e}")).and_then(|g| Ok((g, lines(actual)?)));
    match both {
        Err(reason) => failed(reason),
        Ok((golden, actual)) if golden == actual => GoldenOutcome::Passed,
        Ok((golden, actual)) => {
            let diff = TextDiff::from_lines(&golden, &actual)
                .unified_diff()
                .context_radius(3)
                .header("golden", "actual")
                .to_string();
            GoldenOutcome::Failed { reason: "the result differs from the golden one".to_owned(), diff: Some(diff) }
        }
    }
}

/// A document as one line per element, with namespaces in full where they change and attributes in order: what two documents
/// with the same content have in common.
pub(super) fn xml_lines(bytes: &[u8]) -> Result<String, String> {
    let document = parse_xml(bytes)?;
    let mut lines = String::new();
    add_lines(document.root(), None, 0, &mut lines);
    Ok(lines)
}

fn add_lines(element: roxmltree::Node<'_, '_>, parent: Option<&str>, depth: usize, lines: &mut String) {
    let namespace = element.tag_name().namespace();
    let shown = if namespace == parent { String::new() } else { format!("{{{}}}", namespace.unwrap_or("")) };
    let mut line = format!("{}<{shown}{}", "  ".repeat(depth), element.tag_name().name());
    let attributes: BTreeMap<_, _> =
        element.attributes().map(|a| ((a.namespace().unwrap_or(""), a.name()), a.value())).collect();
    for ((namespace, name), value) in attributes {
        let shown = if namespace.is_empty() { String::new() } else { format!("{{{namespace}}}") };
        write!(line, " {shown}{name}={value:?}").unwrap_or_default();
    }
    let has_elements = element.children().any(|c| c.is_element());
    let text: String = element.children().filter(|c| c.is_text()).filter_map(|c| c.text()).collect();
    line.push('>');
    if !(text.trim().is_empty() && (has_elements || text.contains('\n'))) {
        line.push_str(&text.replace('\n', "\\n"));
    }
    lines.push_str(&line);
    lines.push('\n');
    for child in element.children().filter(roxmltree::Node::is_element) {
        add_lines(child, namespace, depth + 1, lines);
    }
}

/// A JSON text with sorted names, one member a line.
pub(super) fn json_lines(bytes: &[u8]) -> Result<String, String> {
    let mut value: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|e| format!("line {} column {}: not well-formed JSON", e.line(), e.column()))?;
    value.sort_all_objects();
    serde_json::to_string_pretty(&value).map(|t| t + "\n").map_err(|_| "cannot be written".to_owned())
}
