//! What a participant owes on what it gets: by the rules of its regulation, and an answer to what is a question by its nature.

use crate::body::Body;
use crate::deadline::obligations::{Directory as _, MessageEvent, owed};
use crate::deadline::{ANY_VALUE, BodyFilter, Matching, Regulation, StartAt};
use crate::domain::{CaseId, ConversationId, Header, MessageId, Oktmo, Participant, ParticipantId};
use crate::envelope::technical::DeadlineReminder;
use crate::xml::Node;

use super::bodies::kind;

/// Questions by their nature, and the answers: where no rule of the regulation says what is owed on one, this is sent to whoever asked, if
/// the regulation lets it go there.
const ANSWERS: [(&str, &str); 8] = [
    ("application", "needs-assessment"),
    ("databank-query", "databank-answer"),
    ("document-request", "document-response"),
    ("information-request", "information-response"),
    ("needs-assessment", "decision"),
    ("programme", "programme-remarks"),
    ("family-refusal", "termination"),
    ("termination-request", "termination"),
];

/// A participant at its place: its regulation and everybody who takes part.
pub(crate) struct Office {
    /// The regulation.
    pub(crate) regulation: Regulation,
    /// Itself.
    pub(crate) own: Participant,
    /// Everybody of the configuration.
    pub(crate) people: Vec<Participant>,
}

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Duty {
    /// The rule that says so, or `answer`.
    pub(super) rule: String,
    /// The message because of which.
    pub(super) request: MessageId,
    /// The name of the type.
    pub(super) kind: String,
    /// What must stand in it.
    pub(super) filter: BodyFilter,
    /// Which of several it is about.
    pub(super) key: Option<String>,
    /// The period of a report.
    pub(super) period: Option<String>,
    /// Its recipient.
    pub(super) to: ParticipantId,
    /// The case.
    pub(super) case: Option<CaseId>,
    /// Whether the case stands in the body and not in the header.
    pub(super) is_of_many: bool,
    /// The conversation that it belongs to.
    pub(super) conversation: Option<ConversationId>,
    /// What it answers.
    pub(super) in_reply_to: Option<MessageId>,
    /// The message because of which, where it is known.
    pub(super) because: Option<Body>,
    /// Whether its term begins with the message; what counts from a date ahead waits for a reminder.
    pub(super) is_prompt: bool,
}

impl Duty {
    /// Tells one duty from another.
    pub(super) fn name(&self) -> String {
        let Self { rule, request, kind, key, to, .. } = self;
        format!("{request} {rule} {kind} {to} {}", key.as_deref().unwrap_or("-"))
    }

    /// Whether one message meets both.
    fn is_met_with(&self, other: &Self) -> bool {
        let of = |duty: &Self| (duty.kind.clone(), duty.to.clone(), duty.key.clone(), duty.is_prompt);
        of(self) == of(other) && fits(&self.filter, &other.filter)
    }

    /// The case in the header.
    pub(super) fn header_case(&self) -> Option<CaseId> {
        self.case.filter(|_| !self.is_of_many)
    }
}

impl Office {
    /// What this participant is to send because of a message.
    pub(super) fn duties(&self, header: &Header, body: Node<'_>, territory: Option<Oktmo>) -> Vec<Duty> {
        let people = self.people.as_slice();
        let sender = people.participant(&header.sender);
        let Some(sender) = sender else { return Vec::new() };
        let event = MessageEvent {
            header,
            sender,
            recipient: &self.own,
            body,
            accepted_at: header.created,
            case: None,
            directory: &people,
        };
        let mut duties: Vec<Duty> = Vec::new();
        // A test opens nothing; a question that is a test is answered as a question.
        let by_rules =
            if header.test { Vec::new() } else { owed(&self.regulation, &event, territory.clone(), &self.own) };
        for owed in by_rules {
            let matching = &owed.meets.matching;
            let Some(to) = self.recipient(header, matching, owed.creditor.as_ref(), territory.as_ref()) else {
                continue;
            };
            let duty = Duty {
                rule: owed.rule.id.to_string(),
                kind: matching.message.clone(),
                filter: matching.filter.clone(),
                key: owed.key,
                case: owed.case,
                is_prompt: !matches!(owed.rule.start, StartAt::Date(_) | StartAt::Case(_) | StartAt::Period),
                ..self.duty(header, to)
            };
            // One message meets several rules: a decision meets that on deciding and that on telling the citizen.
            let same = duties.iter_mut().find(|known| known.is_met_with(&duty));
            match same {
                Some(known) => {
                    let more: BodyFilter = duty.filter.into_iter().filter(|f| !known.filter.contains(f)).collect();
                    known.filter.extend(more);
                }
                None => duties.push(duty),
            }
        }
        if duties.is_empty() {
            duties.extend(self.answer(header, sender, body, territory.as_ref()));
        }
        duties
    }

    /// The answer to a question on which no rule says what is owed.
    fn answer(&self, header: &Header, sender: &Participant, body: Node<'_>, at: Option<&Oktmo>) -> Option<Duty> {
        let name = header.message_type.name.as_str();
        let (_, answer) = ANSWERS.iter().find(|(question, _)| *question == name)?;
        // Only a draft asks.
        let status = body.children().find(|n| n.tag_name().name() == "status").and_then(|n| n.text());
        let asks = (name != "programme" || status == Some("draft")) && sender.id != self.own.id;
        let lets = asks && self.regulation.allows(&kind(answer), &self.own, sender, at);
        lets.then(|| Duty { kind: (*answer).to_owned(), ..self.duty(header, sender.id.clone()) })
    }

    /// An answer in the thread of a message.
    fn duty(&self, header: &Header, to: ParticipantId) -> Duty {
        Duty {
            rule: "answer".to_owned(),
            request: header.message_id,
            kind: String::new(),
            filter: Vec::new(),
            key: None,
            period: None,
            case: header.case_id,
            is_of_many: false,
            conversation: Some(header.conversation_id),
            in_reply_to: (to == header.sender && to != self.own.id).then_some(header.message_id),
            because: None,
            is_prompt: true,
            to,
        }
    }

    /// Who gets what is owed: the creditor, else whoever sent the message, else anybody, where the regulation lets it go. Nobody is
    /// sent back what it sent, and the participant itself comes last.
    fn recipient(
        &self,
        header: &Header,
        matching: &Matching,
        creditor: Option<&ParticipantId>,
        territory: Option<&Oktmo>,
    ) -> Option<ParticipantId> {
        let kind = kind(&matching.message);
        let lets = |who: &&Participant| {
            let is_meant = matching.to.is_empty() || matching.to.iter().any(|role| who.holds(role, territory));
            let is_echo = kind.name == header.message_type.name && (who.id == self.own.id || who.id == header.sender);
            is_meant && !is_echo && self.regulation.allows(&kind, &self.own, who, territory)
        };
        let named = |id: &ParticipantId| self.people.iter().find(|p| p.id == *id);
        let first = [creditor, Some(&header.sender)].into_iter().flatten().filter_map(named);
        let others = self.people.iter().filter(|p| p.id != self.own.id);
        first.chain(others).chain(named(&self.own.id)).find(lets).map(|p| p.id.clone())
    }

    /// What a reminder asks for, where the message that opened it is not known.
    pub(super) fn reminded(&self, reminder: &DeadlineReminder) -> Result<Duty, String> {
        let rule = self.regulation.rules.iter().find(|rule| rule.id == reminder.rule);
        let meets = rule.and_then(|rule| rule.met.iter().find(|meets| meets.matching.message == reminder.message));
        let to = match &reminder.creditor {
            Some(creditor) => creditor.clone(),
            None => {
                let kind = kind(&reminder.message);
                let lets = |who: &&Participant| self.regulation.allows(&kind, &self.own, who, None);
                let found = self.people.iter().find(lets).map(|p| p.id.clone());
                found.ok_or("a citizen waits for it, nobody to send it to")?
            }
        };
        Ok(Duty {
            rule: reminder.rule.to_string(),
            // Of no message that is known: what the reminder says, or none of this one.
            request: reminder.request.unwrap_or_else(|| MessageId::from_uuid(uuid::Uuid::nil())),
            kind: reminder.message.clone(),
            filter: meets.map(|meets| meets.matching.filter.clone()).unwrap_or_default(),
            key: None,
            period: reminder.period.clone(),
            to,
            case: reminder.case,
            is_of_many: meets.is_some_and(|meets| meets.matching.case.is_some()),
            conversation: reminder.conversation,
            in_reply_to: None,
            because: None,
            is_prompt: true,
        })
    }
}

/// Whether one body can be as both ask.
fn fits(one: &BodyFilter, other: &BodyFilter) -> bool {
    let agrees = |(path, values): &(_, Vec<String>)| {
        let same = other.iter().filter(|(at, _)| at == path);
        same.into_iter().all(|(_, wanted)| wanted == values || wanted.iter().chain(values).any(|v| v == ANY_VALUE))
    };
    one.iter().all(agrees)
}
