//! The order of steps: what a message skips, and what a regulation forbids.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::CaseFacts;
use crate::deadline::regulation::{ANY_VALUE, BodyFilter, CaseStep, Presence, Regulation};
use crate::domain::{Fault, FaultCode, Timestamp};

/// Refuses what the regulation forbids on this case, and notes the steps that a message is.
pub(super) fn take(
    regulation: &Regulation,
    facts: &mut CaseFacts,
    (message, body): (&str, Node<'_, '_>),
    at: Timestamp,
) -> Result<(), Fault> {
    closed(regulation, facts, message)?;
    for condition in regulation.preconditions.iter().filter(|p| p.off.is_none() && p.message == message) {
        if !facts.steps.contains_key(&condition.needs) {
            let detail = format!(
                "`{message}` may not come before the step `{}` ({}, {}); send that first",
                condition.needs, condition.source.document, condition.source.paragraph
            );
            return Err(Fault::new(FaultCode::StepMissing, detail));
        }
    }
    for step in regulation.steps.iter().filter(|s| s.message == message && passes(&s.filter, body)) {
        let mut unseen = Vec::new();
        earlier(regulation, step, facts, &mut unseen);
        if let Some(required) = unseen.iter().find(|s| s.presence == Presence::Required) {
            let detail = format!("`{message}` may not come before the step `{}`; send that first", required.id);
            return Err(Fault::new(FaultCode::StepMissing, detail));
        }
        for skipped in unseen.iter().filter(|s| s.presence == Presence::Expected) {
            if !facts.unseen.contains(&skipped.id) {
                facts.unseen.push(skipped.id.clone());
            }
        }
        facts.steps.entry(step.id.clone()).or_insert(at.micros());
        facts.unseen.retain(|id| *id != step.id);
    }
    Ok(())
}

fn closed(regulation: &Regulation, facts: &CaseFacts, message: &str) -> Result<(), Fault> {
    let Some(case) = &regulation.case else { return Ok(()) };
    if !facts.is_closed() || case.after_close.iter().any(|m| m == message) {
        return Ok(());
    }
    Err(Fault::new(
        FaultCode::CaseClosed,
        format!("Header/CaseId: the case is closed and takes no `{message}`; begin a new case with a new id"),
    ))
}

/// The steps before one that were not seen, the nearest first. Beyond a step that was seen nobody looks.
fn earlier<'r>(regulation: &'r Regulation, step: &CaseStep, facts: &CaseFacts, unseen: &mut Vec<&'r CaseStep>) {
    for id in &step.after {
        let Some(before) = regulation.steps.iter().find(|s| s.id == *id) else { continue };
        if facts.steps.contains_key(id) || unseen.iter().any(|s| s.id == *id) {
            continue;
        }
        unseen.push(before);
        earlier(regulation, before, facts, unseen);
    }
}

impl Regulation {
    /// The steps of a case that a message of this type with this body is.
    pub fn steps_of(&self, message: &str, body: Node<'_, '_>) -> impl Iterator<Item = &CaseStep> {
        self.steps.iter().filter(move |step| step.message == message && passes(&step.filter, body))
    }

    /// Whether a message comes before something that the regulation wants to see first: a step that a precondition names, or a step that
    /// is expected or required before one that the message is. `seen` are the ids of the steps so far.
    pub fn is_early(&self, message: &str, body: Node<'_, '_>, seen: &BTreeSet<String>) -> bool {
        let conditions = self.preconditions.iter().filter(|p| p.off.is_none() && p.message == message);
        let mut wanted = conditions.map(|condition| &condition.needs);
        let matters = |id: &&String| self.steps.iter().any(|s| s.id == **id && s.presence != Presence::Free);
        wanted.any(|id| !seen.contains(id))
            || self.steps_of(message, body).flat_map(|step| &step.after).filter(matters).any(|id| !seen.contains(id))
    }
}

fn passes(filter: &BodyFilter, body: Node<'_, '_>) -> bool {
    filter.iter().all(|(path, values)| {
        path.all(body)
            .first()
            .and_then(|node| node.text())
            .is_some_and(|text| values.iter().any(|v| v == text.trim() || v == ANY_VALUE))
    })
}
