//! Rows as pages show them: obligations, deliveries that wait, acts. No body, name or number of a citizen is among it.

use serde_json::Value;

use super::texts::Texts;
use super::words;
use crate::deadline::{Regulation, Source, Term};
use crate::domain::{ActKind, ObligationState, ParticipantId, RoleCode, Timestamp, Zone};
use crate::gateway::Snapshot;
use crate::store::{ActRow, LateSettlement, NotHandedOver, ObligationRow};

/// What rows are shown with.
pub(super) struct Light<'a> {
    pub(super) t: Texts,
    pub(super) snapshot: &'a Snapshot,
    pub(super) zone: Zone,
    pub(super) business_now: Timestamp,
    pub(super) now: Timestamp,
}

/// An obligation.
pub(super) struct Due {
    pub(super) id: String,
    pub(super) debtor: String,
    pub(super) debtor_name: String,
    pub(super) creditor_name: String,
    pub(super) rule_title: String,
    pub(super) subject: String,
    pub(super) wish: String,
    /// The state's word, which also says how it looks.
    pub(super) state: &'static str,
    pub(super) state_text: String,
    pub(super) due: String,
    pub(super) due_iso: String,
    pub(super) original_due: String,
    pub(super) term: String,
    /// How long it is overdue, or how long there is left.
    pub(super) left: String,
    pub(super) source: String,
    pub(super) conversation: String,
    pub(super) case_id: String,
    /// An answer that was accepted and whose files are still to come.
    pub(super) late_files: String,
}

/// A delivery that is not handed over.
pub(super) struct Stuck {
    /// Its page.
    pub(super) href: String,
    pub(super) recipient: String,
    pub(super) recipient_name: String,
    pub(super) sender_name: String,
    pub(super) type_title: String,
    pub(super) message_id: String,
    pub(super) accepted: String,
    pub(super) accepted_iso: String,
    pub(super) age: String,
    pub(super) state: &'static str,
    pub(super) state_text: String,
    pub(super) attempts: u32,
    pub(super) reason: String,
    pub(super) detail: String,
}

/// An act. What people worded themselves (remarks, a document's name) may name a citizen and is not for a listing.
pub(super) struct Acted {
    pub(super) at: String,
    pub(super) at_iso: String,
    pub(super) kind: String,
    /// How it was met outside, or why it is waived or extended.
    pub(super) why: String,
    pub(super) document: String,
    pub(super) debtor_name: String,
    pub(super) rule_title: String,
    pub(super) subject: String,
    pub(super) state: &'static str,
    pub(super) state_text: String,
    pub(super) due: String,
    /// The due before an extension.
    pub(super) due_before: String,
    pub(super) entered_by: String,
}

impl Light<'_> {
    /// A participant's name.
    pub(super) fn name(&self, id: &ParticipantId) -> String {
        if *id == ParticipantId::citizen() {
            return self.t.t("citizen");
        }
        self.snapshot.participant(id).map_or_else(|| id.to_string(), |p| p.name.clone())
    }

    /// The zone in which a participant's days are counted.
    pub(super) fn zone_of(&self, id: &ParticipantId) -> Zone {
        self.snapshot.participant(id).map_or(self.zone, |p| p.zone)
    }

    /// A rule's title.
    pub(super) fn rule_title(&self, row: &ObligationRow) -> String {
        let rule = self.snapshot.regulation(&row.regulation).ok().and_then(|r| r.rule(&row.rule));
        rule.map_or_else(|| row.rule.to_string(), |r| self.t.pick(&r.title.ru, &r.title.en).to_owned())
    }

    /// What tells this obligation from its neighbours: the document's kind or the role that ends its subject, in words, and the period.
    fn subject(&self, row: &ObligationRow) -> String {
        let last = row.subject.rsplit(' ').next().unwrap_or_default();
        let kind = self.snapshot.catalogue.codes().document_kind(last);
        let kind = kind.map(|k| self.t.pick(&k.ru, &k.en).to_owned());
        let role = || {
            let code = RoleCode::parse(last).ok()?;
            let title = &self.snapshot.regulation(&row.regulation).ok()?.role(&code)?.title;
            Some(self.t.pick(&title.ru, &title.en).to_owned())
        };
        let own = kind.or_else(role).unwrap_or_default();
        [own.as_str(), row.period.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// Where the rule is written, and whether a person has compared it with the document's edition.
    fn source(&self, regulation: &Regulation, source: &Source) -> String {
        let document = regulation.documents.iter().find(|d| d.id == source.document);
        let title = document.map_or(source.document.as_str(), |d| d.title.as_str());
        let checked = document.is_some_and(|d| d.checked_on.is_some());
        let place = format!("{title}, {}", source.paragraph);
        if checked { place } else { self.t.a("source-unchecked", "place", place) }
    }

    /// The term in words.
    fn term(&self, term: &str) -> String {
        let ru = Term::parse(term).map_or_else(|_| term.to_owned(), |t| t.ru());
        self.t.pick(&ru, term).to_owned()
    }

    /// An obligation as a row.
    pub(super) fn due(&self, row: &ObligationRow, late: &[LateSettlement]) -> Due {
        let (t, zone) = (self.t, self.zone_of(&row.debtor));
        let regulation = self.snapshot.regulation(&row.regulation).ok();
        let rule = regulation.and_then(|r| r.rule(&row.rule));
        let waiting = late.iter().find(|late| late.whole_at.is_none());
        let left = row.due_at.filter(|_| row.state.is_open()).map(|due| words::span(t, self.business_now.since(due)));
        Due {
            id: row.id.to_string(),
            debtor: row.debtor.to_string(),
            debtor_name: self.name(&row.debtor),
            creditor_name: self.name(&row.creditor),
            rule_title: self.rule_title(row),
            subject: self.subject(row),
            wish: text(row.explanation.as_ref(), "wish"),
            state: row.state.as_str(),
            state_text: t.word("obligation", row.state.as_str()),
            due: row.due_at.map_or_else(|| t.t("due-none"), |due| words::due(t, due, zone)),
            due_iso: row.due_at.map_or_else(String::new, |due| due.plus_seconds(-1).in_zone(zone)),
            original_due: row.original_due.map_or_else(String::new, |due| words::due(t, due, zone)),
            term: self.term(&row.term),
            left: match (left, row.state) {
                (None, _) => String::new(),
                (Some(span), ObligationState::Overdue) => t.a("late-by", "span", span),
                (Some(span), _) => t.a("left-span", "span", span),
            },
            source: regulation.zip(rule).map_or_else(String::new, |(g, r)| self.source(g, &r.source)),
            conversation: row.conversation_id.map_or_else(String::new, |id| id.to_string()),
            case_id: row.case_id.map_or_else(String::new, |id| id.to_string()),
            late_files: waiting.map_or_else(String::new, |late| {
                let instant = |at| words::instant(t, at, zone);
                t.a2("late-files", "claimed", instant(late.claimed_at), "until", instant(late.grace_until))
            }),
        }
    }

    /// A delivery as a row.
    pub(super) fn stuck(&self, row: &NotHandedOver) -> Stuck {
        let (t, delivery, message) = (self.t, &row.delivery, &row.message);
        Stuck {
            href: format!("/messages/{}", message.record_id),
            recipient: delivery.recipient.to_string(),
            recipient_name: self.name(&delivery.recipient),
            sender_name: self.name(&message.sender),
            type_title: t.word("type", &message.message_type.name),
            message_id: message.message_id.to_string(),
            accepted: words::instant(t, message.accepted_at, self.zone),
            accepted_iso: message.accepted_at.in_zone(self.zone),
            age: words::span(t, self.now.since(message.accepted_at)),
            state: delivery.state.as_str(),
            state_text: t.word("delivery", delivery.state.as_str()),
            attempts: delivery.attempts,
            reason: delivery.reason.map_or_else(|| t.t("first-attempt-ahead"), |r| t.word("reason", r.as_str())),
            detail: delivery.detail.clone().unwrap_or_default(),
        }
    }

    /// An act as a row.
    pub(super) fn acted(&self, act: &ActRow, row: &ObligationRow) -> Acted {
        let (t, zone) = (self.t, self.zone_of(&row.debtor));
        let due = |at: Option<Timestamp>| at.map_or_else(String::new, |at| words::due(t, at, zone));
        let document = act.document.as_ref().map(|d| {
            t.a2("document-of", "number", d.number.to_string(), "date", d.date.format("%d.%m.%Y").to_string())
        });
        let number = act.number.as_ref().map(|number| t.a("document-number", "number", number.to_string()));
        let way = act.way.map(|way| t.word("way", way.as_str()));
        let why = way.or_else(|| act.ground.map(|ground| t.word("ground", ground.as_str())));
        Acted {
            at: words::instant(t, act.at, zone),
            at_iso: act.at.in_zone(zone),
            kind: t.word("act", act.kind.as_str()),
            why: why.unwrap_or_default(),
            document: document.or(number).unwrap_or_default(),
            debtor_name: self.name(&row.debtor),
            rule_title: self.rule_title(row),
            subject: self.subject(row),
            state: act.state_after.as_str(),
            state_text: t.word("obligation", act.state_after.as_str()),
            due: due(act.due_after),
            due_before: due(act.due_before.filter(|_| act.kind == ActKind::Extend)),
            entered_by: act.actor.as_ref().map_or_else(|| act.author.clone(), |actor| self.name(actor)),
        }
    }
}

/// A text of an explanation or of a journal entry's detail; empty when it is not there.
pub(super) fn text(json: Option<&Value>, key: &str) -> String {
    json.and_then(|j| j.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
}
