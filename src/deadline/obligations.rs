//! Obligations as a pure function of events: what a message opens and settles, and what the calendar opens by itself.

use roxmltree::Node;
use serde_json::Value;

use super::{Calendars, MissingYear, Regulation, Roll};
use crate::domain::{
    CaseId, ConversationId, Fault, Header, Oktmo, Participant, ParticipantId, RoleCode, RuleId, Timestamp, Zone,
};

/// A case as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseView {
    /// Its id.
    pub id: CaseId,
    /// Where it is conducted.
    pub territory: Oktmo,
    /// `individual` or `group`.
    pub kind: String,
}

/// Why a role has not exactly one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HolderError {
    /// Nobody holds it there.
    Vacant,
    /// Several hold it there.
    Several(Vec<ParticipantId>),
}

/// Who holds which role where. Implemented for a slice of participants; a snapshot with an index may implement it itself.
pub trait Directory {
    /// The one participant of the regulation that holds the role for the territory.
    ///
    /// # Errors
    /// When nobody does, or several do.
    fn holder(&self, regulation: &str, role: &RoleCode, territory: Option<&Oktmo>) -> Result<&Participant, HolderError>;

    /// The participant with this id.
    fn participant(&self, id: &ParticipantId) -> Option<&Participant>;
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
    /// The case that it begins or updates.
    pub case: Option<CaseUpsert>,
    /// Rules that matched but had nothing to open, in words for people.
    pub notes: Vec<Note>,
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
    /// The month it is for (`2026-05`); empty when the rule has no period.
    pub period: String,
    /// The case, if any.
    pub case: Option<CaseId>,
    /// The conversation that opened it, if any.
    pub conversation: Option<ConversationId>,
    /// Who owes.
    pub debtor: ParticipantId,
    /// To whom; `None` when it is not a participant.
    pub creditor: Option<ParticipantId>,
    /// The zone in which it is counted: that of the debtor.
    pub zone: Zone,
    /// The term as written, such as `5 working days`.
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
    /// It waits for the message that opened it to be `sent` (or `delivered`): the store keeps the [`PendingStart`] as JSON and
    /// calls [`start_pending`] then.
    Pending(PendingStart),
}

/// An obligation that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The event from which it is counted.
    pub started_at: Timestamp,
    /// The first instant that is too late.
    pub due: Timestamp,
    /// When to warn, ascending, all after the start and before the due.
    pub warns: Vec<Timestamp>,
    /// Rule, source, steps of the count: everything that `explain` shows.
    pub explanation: Value,
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
    /// The calendar's name.
    pub calendar: String,
    /// The debtor's zone.
    pub zone: Zone,
    /// The term as written.
    pub term: String,
    /// The roll.
    pub roll: Roll,
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
    /// When, in business time. Met in time when before the due.
    pub at: Timestamp,
}

/// What an accepted message opens and settles.
///
/// # Errors
/// `content-invalid` for a date in the future or a value that names nothing, `header-invalid` for a missing case id or
/// in-reply-to, `role-vacant`, and `not-now` when the calendar has no data for a year.
pub fn on_message(regulation: &Regulation, calendars: &Calendars, event: &MessageEvent<'_>) -> Result<Effects, Fault> {
    let _ = (regulation, calendars, event);
    todo!()
}

/// Starts an obligation that waited for its message to be `sent` (or `delivered`) at `at`, in business time.
///
/// # Errors
/// When the calendar is not loaded or has no data for a year.
pub fn start_pending(pending: &PendingStart, calendars: &Calendars, at: Timestamp) -> Result<Started, StartError> {
    let _ = (pending, calendars, at);
    todo!()
}

/// Why an obligation could not be started or opened by the calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// A year without data.
    #[error(transparent)]
    Year(#[from] MissingYear),
}

/// The obligations that periodic rules have opened by `business_now`, oldest first: of every period that has begun and whose due
/// lies after `since` (when this was last asked; `None`: never, then only what is not yet due, so that nothing is born overdue).
/// Asking again gives the same keys.
///
/// # Errors
/// See [`StartError`]; one bad measure stops none of the others: errors come beside the results.
pub fn periodic(
    regulation: &Regulation,
    calendars: &Calendars,
    directory: &dyn Directory,
    since: Option<Timestamp>,
    business_now: Timestamp,
) -> (Vec<NewObligation>, Vec<StartError>) {
    let _ = (regulation, calendars, directory, since, business_now);
    todo!()
}

/// The next instant at which [`periodic`] will have more to open; `None`: no measure begins or continues later.
pub fn next_period_at(regulation: &Regulation, directory: &dyn Directory, business_now: Timestamp) -> Option<Timestamp> {
    let _ = (regulation, directory, business_now);
    todo!()
}
