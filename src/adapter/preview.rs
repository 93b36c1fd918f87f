//! A preview: one body taken through an adapter and back, each step with what came of it, for whoever writes the templates.

use std::collections::BTreeSet;

use similar::TextDiff;

use super::golden::{json_lines, xml_lines};
use super::tree::parse_xml;
use super::{Adapter, ConversionSet, Direction, HeaderView, PartnerBody, PartnerBodyRef};
use crate::domain::MessageType;
use crate::schema::Catalogue;

/// One step of a preview.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PreviewStep {
    /// Which step.
    pub step: PreviewStepKind,
    /// The file of the adapter that did it: a template, or the manifest.
    pub file: String,
    /// What came of it: a body as text, or a difference by lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Of a conversion the paths whose values the other version does not carry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_carried: Vec<String>,
    /// Why it failed, with file, line and path where there are such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The steps, in their order; the first that fails is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreviewStepKind {
    /// A canonical sample is checked against its schema.
    Input,
    /// It is converted to the version that the adapter has templates for.
    Conversion,
    /// It is translated, and the result checked against the schema of the other side. A sample in the partner's form is checked
    /// against the partner's schema here.
    Translation,
    /// The result is translated back, and checked again.
    Back,
    /// What came back is compared with the sample.
    Comparison,
}

/// Which form a body has: canonical when its root element is that of the message type in the catalogue.
pub fn side(message_type: &MessageType, body: &[u8]) -> Direction {
    let is_canonical = parse_xml(body)
        .is_ok_and(|document| document.root().tag_name().namespace() == Some(message_type.namespace().as_str()));
    if is_canonical { Direction::ToPartner } else { Direction::ToCanonical }
}

/// Takes a body through the adapter in this direction and, where the adapter carries the type that way too, back. A way back that the
/// manifest does not have ends the preview after the translation. A canonical body in a version that the adapter does not carry is
/// converted first, as on its way to the partner.
pub fn preview(
    adapter: &Adapter,
    (catalogue, conversions): (&Catalogue, &ConversionSet),
    message_type: &MessageType,
    direction: Direction,
    body: &[u8],
) -> Vec<PreviewStep> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let taken = Taken { adapter, catalogue, message_type, header: HeaderView::sample(message_type) };
    let back = match direction {
        Direction::ToPartner => Direction::ToCanonical,
        Direction::ToCanonical => Direction::ToPartner,
    };
    let mut steps = Vec::new();
    if direction == Direction::ToPartner {
        let input = super::checks::canonical(catalogue, message_type, body);
        steps.push(taken.step(PreviewStepKind::Input, direction, input.map(|()| text(body))));
    }
    let carried = adapter.message_types().filter(|t| t.name == message_type.name && adapter.carries(t, direction));
    let carried: BTreeSet<u32> = carried.map(|t| t.version).collect();
    if direction == Direction::ToPartner && !carried.is_empty() && !carried.contains(&message_type.version) {
        if steps.iter().any(|step| step.problem.is_some()) {
            return steps;
        }
        let converted = conversions
            .choose(message_type, &carried)
            .and_then(|to| conversions.convert(body, (message_type, &to), &taken.header, catalogue));
        let file = match &converted {
            Ok(converted) => conversions.template(message_type, &converted.message_type).unwrap_or_default(),
            Err(error) => error.file.clone(),
        };
        let kind = PreviewStepKind::Conversion;
        return match converted {
            Ok(converted) => {
                let (result, not_carried) = (Some(text(&converted.body)), converted.not_carried.clone());
                steps.push(PreviewStep { step: kind, file, result, not_carried, problem: None });
                let rest = (catalogue, conversions);
                // Its first step says again that the body is valid, which the conversion has seen to.
                let more = preview(adapter, rest, &converted.message_type, direction, &converted.body);
                steps.extend(more.into_iter().filter(|step| step.step != PreviewStepKind::Input));
                steps
            }
            Err(error) => {
                let problem = Some(error.to_string());
                steps.push(PreviewStep { step: kind, file, result: None, not_carried: Vec::new(), problem });
                steps
            }
        };
    }
    let Some(there) = taken.next(&mut steps, PreviewStepKind::Translation, direction, body) else { return steps };
    if !adapter.carries(message_type, back) {
        return steps;
    }
    let Some(again) = taken.next(&mut steps, PreviewStepKind::Back, back, &there) else { return steps };
    let is_json = direction == Direction::ToCanonical && !adapter.media_type().is_empty();
    let lines = if is_json { json_lines } else { xml_lines };
    let compared = lines(body).and_then(|before| {
        let after = lines(&again)?;
        Ok(TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).header("sample", "back").to_string())
    });
    steps.push(taken.step(PreviewStepKind::Comparison, back, compared));
    steps
}

/// A body as a person reads it, and as it may be kept as a golden sample: a line for each element or member.
fn text(bytes: &[u8]) -> String {
    let whole = String::from_utf8_lossy(bytes);
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) {
        return serde_json::to_string_pretty(&json).unwrap_or_else(|_| whole.into_owned());
    }
    // In text the writer escapes both signs, so that this pair only stands between two tags.
    let mut lines = String::with_capacity(whole.len() * 2);
    let mut depth = 0usize;
    let mut tags = whole.split("><").peekable();
    let (mut first, mut opened) = (true, false);
    while let Some(tag) = tags.next() {
        let closes = tag.starts_with('/');
        if closes {
            depth = depth.saturating_sub(1);
        }
        if !first {
            // An empty element stays on its line.
            if !(closes && opened) {
                lines.push('\n');
                lines.push_str(&"  ".repeat(depth));
            }
            lines.push('<');
        }
        lines.push_str(tag);
        if tags.peek().is_some() {
            lines.push('>');
        }
        opened = !closes && !tag.ends_with('/') && !tag.contains("</") && !tag.ends_with('?');
        depth += usize::from(opened);
        first = false;
    }
    lines
}

struct Taken<'a> {
    adapter: &'a Adapter,
    catalogue: &'a Catalogue,
    message_type: &'a MessageType,
    header: HeaderView,
}

impl Taken<'_> {
    fn step(&self, step: PreviewStepKind, direction: Direction, outcome: Result<String, String>) -> PreviewStep {
        let (result, problem) = match outcome {
            Ok(result) => (Some(result), None),
            Err(problem) => (None, Some(problem)),
        };
        let file = self.adapter.template(self.message_type, direction);
        PreviewStep { step, file, result, not_carried: Vec::new(), problem }
    }

    /// Translates, unless the step before failed; `None` ends the preview.
    fn next(
        &self,
        steps: &mut Vec<PreviewStep>,
        kind: PreviewStepKind,
        direction: Direction,
        body: &[u8],
    ) -> Option<Vec<u8>> {
        if steps.iter().any(|step| step.problem.is_some()) {
            return None;
        }
        let outcome = self.translate(direction, body);
        steps.push(self.step(kind, direction, outcome.as_ref().map(|b| text(b)).map_err(Clone::clone)));
        outcome.ok()
    }

    fn translate(&self, direction: Direction, body: &[u8]) -> Result<Vec<u8>, String> {
        let told = |e: super::AdapterError| e.to_string();
        match direction {
            Direction::ToPartner => {
                match self.adapter.to_partner(self.message_type, body, &self.header).map_err(told)? {
                    PartnerBody::Xml(bytes) | PartnerBody::Payload { bytes, .. } => Ok(bytes),
                }
            }
            Direction::ToCanonical => {
                let body = match self.adapter.media_type() {
                    "" => PartnerBodyRef::Xml(body),
                    media_type => PartnerBodyRef::Payload { media_type, bytes: body },
                };
                self.adapter.to_canonical(self.message_type, body, &self.header, self.catalogue).map_err(told)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_shown_by_lines() {
        let body = b"<?xml version=\"1.0\"?><a><b c=\"1\">x &gt; y</b><d/><e></e><f><g>1</g></f></a>";
        let shown = "<?xml version=\"1.0\"?>\n<a>\n  <b c=\"1\">x &gt; y</b>\n  <d/>\n  <e></e>\n  <f>\n    <g>1</g>\n  </f>\n</a>";
        assert_eq!(text(body), shown);
        assert_eq!(text(b"{\"a\":[1]}"), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(text(b"neither"), "neither");
    }
}
