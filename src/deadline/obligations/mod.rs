//! Obligations as a pure function of events: what a message opens and settles, and what the calendar opens by itself.

mod case_effects;
mod databank;
mod dates;
#[cfg(test)]
pub(super) mod fixtures;
mod message;
mod moved;
mod owed;
mod parties;
mod period;
mod periodic;
mod plan;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use roxmltree::Node;
use serde_json::Value;

use super::cases::{CaseFacts, Consent, Ended, Flag};
use super::{ComputeError, Term};
use crate::domain::{
    CaseId, ConversationId, DataClass, Header, MessageId, Oktmo, Participant, ParticipantId, RoleCode, RuleId,
    Timestamp, Zone,
};

pub use databank::access;
pub use message::on_message;
pub use moved::warns_until;
pub use owed::{Owed, owed};
pub use period::Period;
pub use periodic::{ScheduleRow, next_period_at, periodic, schedule};
pub use plan::{DatedTerm, Explanation, Plan, start_pending};

/// How far a date of an act may lie ahead of the gateway's business time: clocks differ.
pub const AHEAD_MAX_SECONDS: i64 = 300;

/// A case as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseView {
    /// Its id.
    pub id: CaseId,
    /// Where it is conducted.
    pub territory: Oktmo,
    /// `individual` or `group`.
    pub kind: String,
    /// What the messages so far said of it.
    pub facts: CaseFacts,
}

/// Why a role has not exactly one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HolderError {
    /// Nobody holds it there.
    Vacant,
    /// Several hold it there.
    Several(Vec<ParticipantId>),
}

impl fmt::Display for HolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vacant => f.write_str("никто её не исполняет / nobody holds it"),
            Self::Several(ids) => {
                let ids: Vec<&str> = ids.iter().map(ParticipantId::as_str).collect();
                let ids = ids.join(", ");
                write!(f, "её исполняют сразу {ids} / it is held by {ids} at once")
            }
        }
    }
}

/// Who holds which role where. Implemented for a slice of participants (`&participants.as_slice()`); a snapshot with an
/// index may implement it itself.
pub trait Directory {
    /// The one participant of the regulation that holds the role for the territory.
    ///
    /// # Errors
    /// When nobody does, or several do.
    fn holder(&self, regulation: &str, role: &RoleCode, territory: Option<&Oktmo>)
    -> Result<&Participant, HolderError>;

    /// The participant with this id.
    fn participant(&self, id: &ParticipantId) -> Option<&Participant>;

    /// Every participant of the regulation that holds the role somewhere.
    fn holders(&self, regulation: &str, role: &RoleCode) -> Vec<&Participant>;
}

impl Directory for &[Participant] {
    fn holder(
        &self,
        regulation: &str,
        role: &RoleCode,
        territory: Option<&Oktmo>,
    ) -> Result<&Participant, HolderError> {
        let holders: Vec<&Participant> =
            self.iter().filter(|p| p.regulation == regulation && p.holds(role, territory)).collect();
        match holders.as_slice() {
            [one] => Ok(one),
            [] => Err(HolderError::Vacant),
            several => Err(HolderError::Several(several.iter().map(|p| p.id.clone()).collect())),
        }
    }

    fn participant(&self, id: &ParticipantId) -> Option<&Participant> {
        self.iter().find(|p| p.id == *id)
    }

    fn holders(&self, regulation: &str, role: &RoleCode) -> Vec<&Participant> {
        self.iter().filter(|p| p.regulation == regulation && p.roles.iter().any(|h| h.role == *role)).collect()
    }
}

/// An accepted message, as the deadline rules see it.
pub struct MessageEvent<'a> {
    /// Its verified header.
    pub header: &'a Header,
    /// The verified sender.
    pub sender: &'a Participant,
    /// The recipient.
    pub recipient: &'a Participant,
    /// The root element of the canonical, validated body.
    pub body: Node<'a, 'a>,
    /// When the gateway accepted it, in business time.
    pub accepted_at: Timestamp,
    /// The case that the header names, if the gateway knows it already.
    pub case: Option<&'a CaseView>,
    /// Who holds which role.
    pub directory: &'a dyn Directory,
}

/// What a message does to obligations and cases.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// Obligations it opens. The store's unique key is (rule, subject, period): one that is there already stays as it is.
    pub open: Vec<NewObligation>,
    /// What it settles. The store keeps settlements too, so that opening and settling commute.
    pub settle: Vec<Settlement>,
    /// What it makes void.
    pub cancel: Vec<Cancel>,
    /// Whose obligations of the case go over to another holder of the role.
    pub rebind: Vec<Rebind>,
    /// The months for which the calendar will open obligations of the case. All of a rule and case at once.
    pub schedules: Vec<ScheduleSet>,
    /// The case that it begins or updates.
    pub case: Option<CaseUpsert>,
    /// What is new of what the citizens of the case said about passing data on.
    pub said: Vec<Consent>,
    /// To whom nothing of which classes may go any more where it needs a consent: what was not handed over yet is stopped.
    pub stop: Ended,
    /// The classes of personal data that it holds, where it goes with a consent only.
    pub on_consent: Option<BTreeSet<DataClass>>,
    /// What it does at the databank of families.
    pub access: Option<Access>,
    /// What is new about the case that a person should look at.
    pub flags: Vec<Flag>,
    /// Rules that matched but had nothing to open, in words for people.
    pub notes: Vec<Note>,
}

/// An access to the databank of families, for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// `databank-asked`, `databank-answered` or `databank-entered`.
    pub kind: &'static str,
    /// On what ground, with what outcome; no names.
    pub detail: Value,
}

/// A case to be inserted, or updated when it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseUpsert {
    /// Its id, from the header.
    pub id: CaseId,
    /// From the body.
    pub territory: Oktmo,
    /// `individual` or `group`, from the body.
    pub kind: String,
    /// The id of the regulation.
    pub regulation: String,
    /// What is known of it now.
    pub facts: CaseFacts,
}

/// What becomes void. Only what still runs or waits is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancel {
    /// The obligation with this key.
    Key {
        /// The rule.
        rule: RuleId,
        /// As in [`NewObligation::subject`].
        subject: String,
        /// As in [`NewObligation::period`].
        period: String,
    },
    /// What this rule opened for a message.
    OpenedBy {
        /// The rule.
        rule: RuleId,
        /// Who sent the message.
        sender: ParticipantId,
        /// Its id.
        message: MessageId,
    },
    /// What this rule opened for the case, but for these subjects.
    Others {
        /// The rule.
        rule: RuleId,
        /// The case.
        case: CaseId,
        /// What stays.
        keep: Vec<String>,
    },
    /// Everything of the case, for it is closed, but for what these rules opened.
    Closed {
        /// The case.
        case: CaseId,
        /// Rules whose obligations go on.
        outlive: Vec<RuleId>,
    },
}

/// The holder of a role in a case is another one now: what is open goes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebind {
    /// The case.
    pub case: CaseId,
    /// The role.
    pub role: RoleCode,
    /// Who holds it now.
    pub holder: ParticipantId,
}

/// For which months a rule opens obligations of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleSet {
    /// The rule.
    pub rule: RuleId,
    /// The case.
    pub case: CaseId,
    /// One row a debtor; none: nothing more is opened.
    pub rows: Vec<ScheduleRow>,
}

/// A rule that matched a message and had nothing to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The rule.
    pub rule: RuleId,
    /// In Russian.
    pub ru: String,
    /// In English.
    pub en: String,
}

/// An obligation to be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct NewObligation {
    /// The id of the regulation.
    pub regulation: String,
    /// The rule in it.
    pub rule: RuleId,
    /// What it is about, as a stable key: the same text is made by what opens and by what settles.
    pub subject: String,
    /// The period it is for (`2026-05`, `2026-Q2`, `2026`); empty when the rule has none.
    pub period: String,
    /// The case, if any.
    pub case: Option<CaseId>,
    /// The conversation that opened it, if any.
    pub conversation: Option<ConversationId>,
    /// Who owes.
    pub debtor: ParticipantId,
    /// To whom; `None`: the citizen.
    pub creditor: Option<ParticipantId>,
    /// The role for which the debtor was found, if the rule names one.
    pub debtor_role: Option<RoleCode>,
    /// The role for which the creditor was found, if the rule names one.
    pub creditor_role: Option<RoleCode>,
    /// What happens when it is there already: counted anew, or nothing.
    pub retime: bool,
    /// The zone in which it is counted: that of the debtor.
    pub zone: Zone,
    /// The term as written, such as `5 working days`. Of one that waits it is the term of the day on which it was opened;
    /// [`Started::term`] is the one that counts in the end.
    pub term: String,
    /// The asker's own wish (a date), shown beside the due and never the norm.
    pub wish: Option<String>,
    /// Whether it runs already.
    pub start: Beginning,
}

/// How an obligation begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Beginning {
    /// It runs.
    Started(Started),
    /// It is a task: it runs without a term.
    Task {
        /// From when.
        started_at: Timestamp,
        /// Rule and source: what `explain` shows.
        explanation: Value,
    },
    /// It waits for the message that opened it to be `sent` (or `delivered`): the store keeps the [`PendingStart`] as JSON and
    /// calls [`start_pending`] then.
    Pending(PendingStart),
}

/// An obligation that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The term by which it is counted: where a table has versions, that of the start's date.
    pub term: Term,
    /// The event from which it is counted.
    pub started_at: Timestamp,
    /// The first instant that is too late.
    pub due: Timestamp,
    /// When to warn, ascending, all after the start and before the due.
    pub warns: Vec<Timestamp>,
    /// Rule, source, steps of the count: everything that `explain` shows.
    pub explanation: Explanation,
}

/// Which state of the delivery starts a pending obligation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartOn {
    /// Handed over: the debtor cannot stop its clock by not receipting.
    Sent,
    /// The debtor's receipt was verified.
    Delivered,
}

/// What must be kept with a pending obligation to start it later under the rule that opened it, whatever the regulation says by
/// then. Stored as JSON.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PendingStart {
    /// What starts it.
    pub on: StartOn,
    /// How it is counted then.
    pub plan: Plan,
}

/// Something that settles: what stands under this key and is owed by this debtor is met at this instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The rule.
    pub rule: RuleId,
    /// The same text as [`NewObligation::subject`].
    pub subject: String,
    /// The same text as [`NewObligation::period`].
    pub period: String,
    /// Who met it; an obligation of another debtor is not touched.
    pub debtor: ParticipantId,
    /// As of when, in business time: the acceptance or the date of the act. Met in time when before the due.
    pub at: Timestamp,
}

/// Why an obligation could not be started or opened by the calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// There is no such calendar.
    #[error(
        "календарь `{0}` не загружен; добавьте config/calendars/{0}.csv / the calendar `{0}` is not loaded; add config/calendars/{0}.csv"
    )]
    Calendar(String),
    /// The term cannot be counted.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// A measure names a participant that is not there.
    #[error("{file}:{line}: нет участника `{id}` / there is no participant `{id}`")]
    Participant {
        /// The regulation's file.
        file: String,
        /// The measure's line.
        line: usize,
        /// The id.
        id: ParticipantId,
    },
    /// A role has not exactly one holder where the measure's case is conducted.
    #[error("{file}:{line}: роль `{role}`: {problem}")]
    Holder {
        /// The regulation's file.
        file: String,
        /// The measure's line.
        line: usize,
        /// The role.
        role: RoleCode,
        /// What is wrong.
        problem: HolderError,
    },
}
