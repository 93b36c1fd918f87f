//! What the gateway tells a participant that owes a message.

use crate::domain::{
    CaseId, ConversationId, Fault, MessageId, ObligationId, ParticipantId, RuleId, Technical, Timestamp,
};
use crate::xml::{Fields, Writer, instant};

use super::{A_CODE, A_UUID, AN_ID, AN_INSTANT, TechnicalBody, code, message_id, participant};

/// The longest term in words, in characters.
const TERM_CHARS_MAX: usize = 250;

/// The longest source, in characters.
const SOURCE_CHARS_MAX: usize = 1000;

/// The highest step of a ladder.
const STEP_MAX: u32 = 99;

/// What has become of a term when a reminder is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReminderStage {
    /// It ends soon.
    Warning,
    /// It has passed.
    Overdue,
    /// It has passed, and more time after it: told further up too.
    Escalation,
}

impl ReminderStage {
    /// Every stage.
    pub const ALL: &'static [Self] = &[Self::Warning, Self::Overdue, Self::Escalation];

    /// The word that travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Overdue => "overdue",
            Self::Escalation => "escalation",
        }
    }

    /// Parses the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|stage| stage.as_str() == word)
    }
}

/// Reminds a participant of a message that it owes. Only the gateway sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadlineReminder {
    /// The obligation.
    pub obligation: ObligationId,
    /// The rule that opened it.
    pub rule: RuleId,
    /// The regulation of the rule: 1 to 60 lower-case Latin letters, digits and hyphens.
    pub regulation: String,
    /// What has become of the term.
    pub stage: ReminderStage,
    /// The case.
    pub case: Option<CaseId>,
    /// The conversation.
    pub conversation: Option<ConversationId>,
    /// The message that opened the obligation, by its sender's id.
    pub request: Option<MessageId>,
    /// The period that the message is wanted for: `2026-05`, `2026-Q2` or `2026`.
    pub period: Option<String>,
    /// Who waits for the message; `None` when a citizen does.
    pub creditor: Option<ParticipantId>,
    /// The name of the expected message type, such as `document-response`: at most 40 characters.
    pub message: String,
    /// The first instant that is too late. Travels to the millisecond.
    pub due: Timestamp,
    /// The term in the regulation's words. Written as one line of at most 250 characters; what is longer is cut.
    pub term: String,
    /// The document and paragraph that the term stands on. Written as one line of at most 1000 characters; what is longer is cut.
    pub source: String,
    /// The step of the ladder of reminders, 1 to 99.
    pub step: Option<u32>,
}

impl TechnicalBody for DeadlineReminder {
    const KIND: Technical = Technical::DeadlineReminder;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("obligation", &self.obligation.to_string());
        w.leaf("rule", self.rule.as_str());
        w.leaf("regulation", &self.regulation);
        w.leaf("stage", self.stage.as_str());
        w.optional("case", self.case.map(|id| id.to_string()).as_deref());
        w.optional("conversation", self.conversation.map(|id| id.to_string()).as_deref());
        w.optional("request", self.request.map(|id| id.to_string()).as_deref());
        w.optional("period", self.period.as_deref());
        w.optional("creditor", self.creditor.as_ref().map(ParticipantId::as_str));
        w.leaf("message", &self.message);
        w.leaf("due", &self.due.to_string());
        w.leaf("term", &cut(&self.term, TERM_CHARS_MAX));
        w.leaf("source", &cut(&self.source, SOURCE_CHARS_MAX));
        w.optional("step", self.step.map(|n| n.to_string()).as_deref());
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let stage = "warning, overdue or escalation is needed";
        let period = "a month, quarter or year is needed, such as 2026-05, 2026-Q2 or 2026";
        let name = "the name of a message type is needed, such as document-response";
        Ok(Self {
            obligation: f.parsed("obligation", A_UUID, |t| ObligationId::parse(t).ok())?,
            rule: f.parsed("rule", A_CODE, |t| RuleId::parse(t).ok())?,
            regulation: f.parsed("regulation", A_CODE, code)?,
            stage: f.parsed("stage", stage, ReminderStage::parse)?,
            case: f.optional_parsed("case", A_UUID, |t| CaseId::parse(t).ok())?,
            conversation: f.optional_parsed("conversation", A_UUID, |t| ConversationId::parse(t).ok())?,
            request: f.optional_parsed("request", A_UUID, message_id)?,
            period: f.optional_parsed("period", period, is_period)?,
            creditor: f.optional_parsed("creditor", AN_ID, participant)?,
            message: f.parsed("message", name, |t| participant(t).map(|_| t.to_owned()))?,
            due: f.parsed("due", AN_INSTANT, instant)?,
            term: f.parsed("term", "one line of 1 to 250 characters is needed", |t| line(t, TERM_CHARS_MAX))?,
            source: f.parsed("source", "one line of 1 to 1000 characters is needed", |t| line(t, SOURCE_CHARS_MAX))?,
            step: f.optional_parsed("step", "a whole number from 1 to 99 is needed", step)?,
        })
    }
}

/// One line of at most so many characters: a line of a regulation's file may be longer, and the schema has a limit.
fn cut(text: &str, chars_max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars_max).collect()
}

fn line(text: &str, chars_max: usize) -> Option<String> {
    let right = (1..=chars_max).contains(&text.chars().count()) && !text.contains(['\n', '\r', '\t']);
    right.then(|| text.to_owned())
}

fn step(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|n| digits && (1..=STEP_MAX).contains(n))
}

/// `2026`, `2026-05` or `2026-Q2`.
fn is_period(text: &str) -> Option<String> {
    let (year, part) = text.split_once('-').map_or((text, None), |(year, part)| (year, Some(part)));
    let right = year.len() == 4
        && year.bytes().all(|b| b.is_ascii_digit())
        && match part.map(str::as_bytes) {
            None | Some([b'Q', b'1'..=b'4'] | [b'0', b'1'..=b'9'] | [b'1', b'0'..=b'2']) => true,
            Some(_) => false,
        };
    right.then(|| text.to_owned())
}
