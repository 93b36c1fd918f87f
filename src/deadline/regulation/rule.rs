//! One deadline rule as data.

use super::{Source, Title};
use crate::deadline::path::BodyPath;
use crate::deadline::{Roll, Term};
use crate::domain::{RoleCode, RuleId};

/// At each of these paths stands one of these values; [`ANY_VALUE`]: something stands there.
pub type BodyFilter = Vec<(BodyPath, Vec<String>)>;

/// In a [`BodyFilter`]: whatever stands there, if anything does.
pub const ANY_VALUE: &str = "*";

/// A deadline rule: what opens an obligation, who owes whom, what meets it, by when, and where that is written. A task is a
/// rule without a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// Its name.
    pub title: Title,
    /// Rows of the table of terms that it reads, such as `Y-05`.
    pub rows: Vec<String>,
    /// Why it is switched off, if it is.
    pub off: Option<String>,
    /// What to tell when its message came and there was nothing to open.
    pub nothing: Option<Title>,
    /// What opens it.
    pub opens: Opens,
    /// What a second opening of the same obligation does.
    pub again: Again,
    /// From where its term is counted.
    pub start: StartAt,
    /// Who owes.
    pub debtor: Party,
    /// To whom.
    pub creditor: Party,
    /// The template of the subject.
    pub subject: String,
    /// What meets it: any of these. Empty only of a rule that later messages move: it ends when it is cancelled.
    pub met: Vec<Meets>,
    /// What makes it void: any of these.
    pub cancelled: Vec<Meets>,
    /// Its term.
    pub term: TermChoice,
    /// Where the body names what its term is looked up by; `None`: the obligation's key.
    pub term_key: Option<BodyPath>,
    /// Its roll.
    pub roll: Roll,
    /// When to warn.
    pub warns: Vec<Warn>,
    /// Whether it goes on when its case has been closed.
    pub outlives_case: bool,
    /// Whether its notices go out on days off too.
    pub round_the_clock: bool,
    /// The path to the asker's own wish, a date that is shown and never the norm.
    pub wish: Option<BodyPath>,
    /// Where it is written.
    pub source: Source,
    /// Which reading of an ambiguous text this is, and why.
    pub reading: Option<String>,
    /// Where it stands in the file.
    pub line: usize,
}

impl Rule {
    /// The messages that open it; none when the calendar does.
    pub fn openings(&self) -> &[Matching] {
        match &self.opens {
            Opens::Messages(openings) => openings,
            Opens::Every { .. } => &[],
        }
    }

    /// Whether it is a task: it has no term.
    pub fn is_task(&self) -> bool {
        self.term == TermChoice::None
    }
}

/// What opens an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opens {
    /// Any of these messages.
    Messages(Vec<Matching>),
    /// The calendar: every period, from its first instant, of each of these.
    Every {
        /// How long a period is.
        every: Every,
        /// Of what.
        of: Of,
    },
}

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// `2026-05`.
    Month,
    /// `2026-Q2`.
    Quarter,
    /// `2026`.
    Year,
}

impl Every {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// Of what a period opens an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// Each organisation that is responsible for a measure of a case in that period.
    Measure,
    /// Each case that has a contract in that period.
    Case,
    /// Each participant that holds this role.
    Role(RoleCode),
}

/// What a message does that opens an obligation which is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Nothing.
    Keep,
    /// Counts it anew from the message, while it is not met.
    Retime,
    /// Counts it anew, and cancels those of the same rule and case that the message does not name any more.
    Replace,
}

impl Again {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Retime => "retime",
            Self::Replace => "replace",
        }
    }
}

/// What meets an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meets {
    /// The message, and what in it names the obligation.
    pub matching: Matching,
    /// Whose obligation it meets: the sender's unless said otherwise.
    pub debtor: Party,
    /// As of when: `accepted` for exchanges, the act's date for acts (assessment, decision, contract).
    pub at: SettleAt,
}

/// As of when a message meets an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettleAt {
    /// Its acceptance.
    Accepted,
    /// A dated field at the top of the body, such as `decidedAt`.
    Field(String),
}

/// A message type, and what in its body stands for one obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// The type's name, every version of it.
    pub message: String,
    /// Only from a holder of one of these roles; empty: from anybody.
    pub from: Vec<RoleCode>,
    /// Only to a holder of one of these roles; empty: to anybody.
    pub to: Vec<RoleCode>,
    /// One obligation a node; `None`: one for the message.
    pub each: Option<BodyPath>,
    /// Nodes count only if at each of these paths, from the node or from the body, stands one of these values.
    pub filter: BodyFilter,
    /// What tells the obligations of one message apart; nodes with the same key are one.
    pub key: Option<Key>,
    /// Where the node names the case; `None`: the header does.
    pub case: Option<BodyPath>,
    /// Where the body names the period.
    pub period: Option<BodyPath>,
    /// Where the body names the message of the same sender that it is about; `None`: the header's `InReplyTo` does.
    pub about: Option<BodyPath>,
}

/// Where the key of an obligation is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// In the node.
    Path(BodyPath),
    /// Each role that the recipient holds for the case's territory.
    RolesOfRecipient,
    /// The recipient's id.
    Recipient,
}

/// A party of an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// The holder of this role in the case's territory.
    Role(RoleCode),
    /// The holder, in the case's territory, of the role that the key names.
    RoleOfKey,
    /// The message's sender.
    Sender,
    /// The message's recipient.
    Recipient,
    /// The participant that the measure names.
    Responsible,
    /// The citizen, who is no participant; only to whom something is owed.
    Citizen,
}

/// A date of a case, as it stands after the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseDate {
    /// The first day of the accompaniment: the contract's, else the programme's.
    Begins,
    /// The last day of the accompaniment, within the limit.
    Ends,
    /// The first day of the present level.
    Level,
    /// When the programme in force was approved.
    Approved,
    /// When the contract was signed.
    Signed,
}

impl CaseDate {
    /// Every date.
    pub const ALL: [Self; 5] = [Self::Begins, Self::Ends, Self::Level, Self::Approved, Self::Signed];

    /// The word after `case` in a rule's start.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begins => "begins",
            Self::Ends => "ends",
            Self::Level => "level",
            Self::Approved => "approved",
            Self::Signed => "signed",
        }
    }
}

/// From where a term is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAt {
    /// The message's acceptance.
    Accepted,
    /// The moment at which the message was handed over.
    Sent,
    /// The moment at which the debtor's receipt was verified.
    Delivered,
    /// A dated field at the top of the body, such as `registeredAt`; it cannot lie ahead.
    Field(String),
    /// A date of the node or of the body that may lie ahead, such as `dueOn`.
    Date(String),
    /// A date of the case. A message after which the case has no such date opens nothing.
    Case(CaseDate),
    /// The period.
    Period,
}

/// A rule's term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermChoice {
    /// As written.
    Plain(Term),
    /// Looked up in the table with this id, by the `term_key` or the obligation's key.
    Table(String),
    /// There is none: a task.
    None,
}

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Warn {
    /// `.. before` counts back from the due; every other term counts from the obligation's start.
    pub term: Term,
    /// Its roll.
    pub roll: Roll,
}
